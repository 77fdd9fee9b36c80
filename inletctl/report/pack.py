"""Packs recorded columns small enough for a page, without losing a change.

A column becomes the list of its changes: (rows since the last change, difference to the last value), written as
variable-length integers of 7 bits a byte, lowest first, in base64. The page unpacks it in assets/report.js.
A difference d is written as zigzag(d) + 1; 0 stands for "not measured".
"""

import base64
from collections.abc import Iterable, Sequence
from typing import Any


def pack_times(times: Sequence[int]) -> str:
    """Pack rising times: each as the difference to the one before, the first to 0."""
    out = bytearray()
    last = 0
    for time in times:
        _put(out, time - last)
        last = time
    return base64.b64encode(out).decode()


def pack_column(values: Iterable[int | None]) -> str:
    """Pack one column; a value equal to the one before costs nothing."""
    out = bytearray()
    was: Any = _UNSEEN
    number = 0
    changed_at = 0
    for n, value in enumerate(values):
        if value == was:
            continue
        _put(out, n - changed_at)
        changed_at = n
        was = value
        if value is None:
            _put(out, 0)
        else:
            difference = value - number
            _put(out, (difference << 1 if difference >= 0 else (-difference << 1) - 1) + 1)
            number = value
    return base64.b64encode(out).decode()


def unpack_times(text: str) -> list[int]:
    """Undo `pack_times`; the page does the same in assets/report.js."""
    times = []
    now = 0
    for difference in _numbers(text):
        now += difference
        times.append(now)
    return times


def unpack_column(text: str) -> list[tuple[int, int | None]]:
    """Undo `pack_column`: (row, value) of every change."""
    numbers = iter(_numbers(text))
    changes: list[tuple[int, int | None]] = []
    row = value = 0
    for step in numbers:
        row += step
        code = next(numbers)
        if code == 0:
            changes.append((row, None))
            continue
        code -= 1
        value += code >> 1 if not code & 1 else -(code + 1 >> 1)
        changes.append((row, value))
    return changes


_UNSEEN = object()


def _put(out: bytearray, number: int) -> None:
    if number < 0:
        raise ValueError("times must not fall")
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)


def _numbers(text: str) -> Iterable[int]:
    number = shift = 0
    for byte in base64.b64decode(text):
        number |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            yield number
            number = shift = 0
