"""The three PIO programs: edge capture, dead-man, dead-man with PWM. 26 of a block's 32 instructions together.

Timing is given in cycles of the state machine's own clock, one an instruction plus its delay [DS 3.4.1]. Nothing
here knows a frequency or touches a pin: edge_capture.py and dead_man.py do.

DS: RP2040 datasheet.
"""

from micropython import const
from rp2 import PIO, asm_pio

TYPE_CHECKING = const(False)

if (
    TYPE_CHECKING
):  # what asm_pio puts in place of the module's own names while a program is assembled
    from rp2.asm_pio import (
        block,
        invert,
        isr,
        jmp,
        label,
        mov,
        noblock,
        osr,
        pin,
        pins,
        pull,
        push,
        set,  # noqa: A004
        x,
        x_dec,
    )

# Edge capture: both loops look at the pin every second cycle.
CAPTURE_CYCLES_PER_COUNT = const(2)
# From the look that saw the rise to the first look of the high loop, and the same for the fall.
CAPTURE_HIGH_CYCLES = const(4)
CAPTURE_LOW_CYCLES = const(5)

DEAD_MAN_CYCLES_PER_COUNT = const(4)
DEAD_MAN_PWM_CYCLES_PER_COUNT = const(64)
DEAD_MAN_PWM_MIN_32NDS = const(2)
DEAD_MAN_PWM_MAX_32NDS = const(31)
# Longest delay of an instruction without side-set [DS 3.4.1].
_DELAY_MAX = const(31)


@asm_pio(in_shiftdir=PIO.SHIFT_LEFT, out_shiftdir=PIO.SHIFT_RIGHT, fifo_join=PIO.JOIN_NONE)
def edge_capture():
    """Push one signed word at the end of each low and each high phase, in strict turn.

    Wants the limit in OSR and in X, JMP_PIN on the line. X counts down from the limit L, one each 2 cycles:

    - a high phase that ended with x left is the word x (1..L); it lasted 2 * (L - x) + 4 cycles;
    - a low phase that ended with x left is the word ~x (-2 .. -L-1); it lasted 2 * (L - x) + 5 cycles;
    - 0 (low) and -1 (high): L ran out, 2 * (L + 1) cycles, and no edge came: a quiet word. The program then tries the
      other level, finds it is not there, and pushes one word of a phase without a single count (L or ~L). A steady low
      line thus makes two words each 2 * (L + 1) + 8 cycles, a steady high one each 2 * (L + 1) + 7.

    An edge is seen 0..2 cycles late in a loop, so a phase is right to within 2 cycles either way, and the cycles of
    successive phases add up to real time: nothing is lost between words. A pulse shorter than 2 cycles may pass
    unseen; shorter than 6 it may come out as a phase without counts. A full FIFO drops the word, never waits.
    """
    label("low")
    jmp(pin, "risen")
    jmp(x_dec, "low")
    label("risen")
    mov(isr, invert(x))
    push(noblock)
    mov(x, osr)
    label("high")
    jmp(pin, "still_high")
    jmp("fallen")
    label("still_high")
    jmp(x_dec, "high")
    label("fallen")
    mov(isr, x)
    push(noblock)
    mov(x, osr)


@asm_pio(set_init=PIO.OUT_LOW)
def dead_man():
    """Hold the pin high while the count last put into the TX FIFO lasts, 4 cycles a count; low for ever after.

    Starts low, whatever its registers hold. A word is taken within 4 cycles while alive, at once while low. Count N
    to a low machine: high from 4 cycles later, for exactly 4 * N cycles. To a live one: low at most 4 * N + 8 cycles
    after the put. 0: low at most 8 cycles after the put; a low machine stays low without a glitch.
    """
    set(pins, 0)
    pull(block)
    jmp("load")
    label("alive")
    set(pins, 1)
    pull(noblock)  # an empty FIFO gives X back: the count goes on
    label("load")
    mov(x, osr)
    jmp(x_dec, "alive")


def make_dead_man_pwm(pwm_32nds: int):
    """Return the dead-man whose pin carries PWM while alive: `pwm_32nds` of each 64 cycles, 2..31, are high.

    A count is one PWM period of 64 cycles, high for 2 * pwm_32nds of them, and starts with the low part. A word is
    taken within 64 cycles. Count N to a low machine: exactly N periods. To a live one: low for good at most
    64 * (N + 1) cycles after the put. 0: no further high part begins later than 64 cycles after the put.
    Raises ValueError outside 2..31: the high part needs its three instructions, the low part its two.
    """
    if not DEAD_MAN_PWM_MIN_32NDS <= pwm_32nds <= DEAD_MAN_PWM_MAX_32NDS:
        raise ValueError("pwm_32nds must be 2..31, not %d" % pwm_32nds)
    spare = 2 * pwm_32nds - 3
    high_a = min(spare, _DELAY_MAX)
    high_b = spare - high_a
    spare = DEAD_MAN_PWM_CYCLES_PER_COUNT - 2 * pwm_32nds - 2
    low_a = min(spare, _DELAY_MAX)
    low_b = spare - low_a

    @asm_pio(set_init=PIO.OUT_LOW)
    def dead_man_pwm():
        set(pins, 0)
        pull(block)
        jmp("load")
        label("alive")
        set(pins, 1)[high_a]
        pull(noblock)[high_b]
        label("load")
        mov(x, osr)
        set(pins, 0)[low_a]
        jmp(x_dec, "alive")[low_b]

    return dead_man_pwm
