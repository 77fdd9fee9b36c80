"""The port's light: red, green and blue PWM channels playing one pattern of a table.

Patterns go by vehicle.light's numbers. Knows nothing of what they mean; times come from `now_ms`.
"""

from micropython import const

from ticks import ticks_diff

LIGHT_HZ = const(500)  # no flicker to be seen, and slow enough for any transistor

# Colours as 0xRGB, a level 0..15 each.
_OFF = const(0x000)
_RED = const(0xF00)
_BLUE = const(0x00F)
_WHITE = const(0xFFF)
_AMBER = const(0xF60)
# The eye sees steps of light as a power of about 2.2: level / 15 to that power, in 1/65535.
_DUTY_U16 = (
    0, 169, 779, 1900, 3578, 5846, 8731, 12257,
    16441, 21303, 26859, 33125, 40114, 47840, 56316, 65535,
)  # fmt: skip
# A breath up and down: 16 steps of 125 ms.
_GREEN_PULSE = (
    0x010, 0x020, 0x040, 0x060, 0x080, 0x0B0, 0x0D0, 0x0F0,
    0x0F0, 0x0D0, 0x0B0, 0x080, 0x060, 0x040, 0x020, 0x010,
)  # fmt: skip
_GREEN_AMBER_PULSE = (
    0x010, 0x040, 0x080, 0x0F0, 0x0F0, 0x080, 0x040, 0x010,
    0x100, 0x420, 0x830, 0xF60, 0xF60, 0x830, 0x420, 0x100,
)  # fmt: skip
# fmt: off
# By pattern: time of a step in ms, colours. One colour: steady.
PATTERNS = (
    (1000, (_OFF,)),                   # dark
    (1000, (_BLUE,)),                  # blue steady
    (1000, (_AMBER, _OFF)),            # amber slow
    (125,  _GREEN_PULSE),              # green pulsing
    (125,  _GREEN_AMBER_PULSE),        # green-amber pulsing
    (1000, (_BLUE, _OFF)),             # blue slow
    (1000, (_WHITE,)),                 # white steady
    (250,  (_RED, _OFF)),              # red flashing
    (250,  (_WHITE, _OFF)),            # white flashing
)
# fmt: on


class LightOut:
    """
    Call `show` once a pass. Allocates nothing.

    red, green, blue    PWM channels at LIGHT_HZ, polarity set: duty_u16(0..65535), deinit()
    """

    def __init__(self, red, green, blue):
        self._red = red
        self._green = green
        self._blue = blue
        self._pattern = 0
        self._step = 0
        self._step_ms = 0  # tick at which the step began
        self.colour = _OFF  # 0xRGB shown now
        red.duty_u16(0)
        green.duty_u16(0)
        blue.duty_u16(0)

    def show(self, pattern: int, now_ms: int) -> None:
        """Play `pattern` on; an unknown one is dark."""
        if pattern != self._pattern:
            self._pattern = pattern
            self._step = 0
            self._step_ms = now_ms
            self._paint()
            return
        if not 0 < pattern < len(PATTERNS):
            return
        row = PATTERNS[pattern]
        if ticks_diff(now_ms, self._step_ms) < row[0]:
            return
        self._step_ms = now_ms
        steps = len(row[1])
        if steps > 1:
            self._step = (self._step + 1) % steps
            self._paint()

    def _paint(self) -> None:
        """Show the colour of the present step."""
        colour = _OFF
        if 0 <= self._pattern < len(PATTERNS):
            colour = PATTERNS[self._pattern][1][self._step]
        changed = colour ^ self.colour
        self.colour = colour
        if changed & _RED:
            self._red.duty_u16(_DUTY_U16[colour >> 8])
        if changed & 0x0F0:
            self._green.duty_u16(_DUTY_U16[colour >> 4 & 0xF])
        if changed & _BLUE:
            self._blue.duty_u16(_DUTY_U16[colour & 0xF])

    def release(self) -> None:
        """Stop all three. The pins are let go of by their owner."""
        self.colour = _OFF
        self._pattern = 0
        try:
            self._red.deinit()
        finally:
            try:
                self._green.deinit()
            finally:
                self._blue.deinit()
