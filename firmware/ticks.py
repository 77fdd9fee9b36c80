"""Wrap-safe milliseconds, the same on CPython and MicroPython.

A tick is an int in 0..2**30-1 that wraps (MicroPython `time.ticks_ms`, TICKS_MAX 0x3fffffff). Two ticks are
compared only with `ticks_diff`; a difference is good for spans below 2**29 ms (6.2 days).
"""

from micropython import const

TYPE_CHECKING = const(False)

if TYPE_CHECKING:

    def ticks_add(ticks: int, delta: int) -> int: ...
    def ticks_diff(end: int, start: int) -> int: ...

else:
    try:
        # Native on the board: a hand-written subtraction would allocate, since 2**30 is a big int there.
        from time import ticks_add, ticks_diff
    except ImportError:  # CPython twin with the same period, so host tests meet the wrap

        def ticks_add(ticks: int, delta: int) -> int:
            """Return the tick `delta` ms after `ticks` (before, if negative)."""
            return (ticks + delta) & 0x3FFFFFFF

        def ticks_diff(end: int, start: int) -> int:
            """Return end - start in ms, -2**29..2**29-1."""
            return ((end - start + 0x20000000) & 0x3FFFFFFF) - 0x20000000
