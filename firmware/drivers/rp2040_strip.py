"""A strip of WS2812 LEDs on the RP2040: its PIO program, 12 instructions. Imported only where a board file names a strip.

Timing is given in cycles of the state machine's own clock, one an instruction plus its delay (RP2040 datasheet 3.4.1).
"""

from micropython import const
from rp2 import PIO, asm_pio

from drivers.ws2812 import PioStrip

TYPE_CHECKING = const(False)

if (
    TYPE_CHECKING
):  # what asm_pio puts in place of the module's own names while a program is assembled
    from rp2.asm_pio import (
        block,
        isr,
        jmp,
        label,
        mov,
        osr,
        out,
        pins,
        pull,
        set,  # noqa: A004
        x,
        x_dec,
        y,
        y_dec,
    )

# A bit of a WS2812B: high for 9 cycles of 40 ns where it is 0 (its datasheet: 250..550 ns), for 18 where it is 1
# (650..950 ns), then low for the rest of 31 cycles: 880 ns (700..1000) or 520 ns (300..600). All of its later versions
# call 220..380 ns and 580..1000 ns high 0 and 1.
STRIP_HZ = const(25_000_000)
STRIP_ZERO_CYCLES = const(9)
STRIP_ONE_CYCLES = const(18)
STRIP_BIT_CYCLES = const(31)
_STRIP_BITS = const(24)


def make_strip():
    """Return the program that sends one colour to every LED of a strip: a word is all the CPU has to give.

    Word: LEDs - 1 in the top 8 bits, then green, red and blue, 8 bits each, sent from the top. The pin is low while
    there is no word.
    """
    zero = STRIP_ZERO_CYCLES - 1
    one = STRIP_ONE_CYCLES - STRIP_ZERO_CYCLES - 1
    # The low part: its own instruction, and four cycles on the way to the next bit.
    low = STRIP_BIT_CYCLES - STRIP_ONE_CYCLES - 5
    bits = _STRIP_BITS - 1

    @asm_pio(out_init=PIO.OUT_LOW, set_init=PIO.OUT_LOW, out_shiftdir=PIO.SHIFT_LEFT)
    def strip():
        pull(block)
        out(y, 8)
        mov(isr, osr)
        jmp("led")
        label("more")
        jmp("bit")[2]  # as long as from one LED to the next
        label("led")
        mov(osr, isr)
        set(x, bits)
        label("bit")
        set(pins, 1)[zero]
        out(pins, 1)[one]
        set(pins, 0)[low]
        jmp(x_dec, "more")
        jmp(y_dec, "led")

    return strip


def make_pio_strip(sm_id: int, pin, count: int, brightness_pct: int) -> PioStrip:
    """Return a PioStrip on state machine `sm_id` (0..7) and `pin`. Raises OSError where the PIO block has no room."""
    from time import sleep_us

    from rp2 import StateMachine

    pin.init(pin.OUT, value=0)
    sm = StateMachine(sm_id, make_strip(), freq=STRIP_HZ, out_base=pin, set_base=pin)
    sm.active(1)
    return PioStrip(sm, pin, count, brightness_pct, sleep_us)
