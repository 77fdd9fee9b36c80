"""The port's light: plays one look at a time on red, green and blue PWM channels, on a strip of LEDs, or both.

A look is a number, 0xSBBBAAA: style S, colours A and B as 0xRGB with a level 0..15 each. Knows nothing of what a look
means; times come from `now_ms`.
"""

from micropython import const

from ticks import ticks_diff

LIGHT_HZ = const(500)  # no flicker to be seen, and slow enough for any transistor

_OFF = const(0x000)
_FIRST = const(0xFFF)  # colour A of a look
# The eye sees steps of light as a power of about 2.2: level / 15 to that power, in 1/65535.
DUTY_U16 = (
    0, 169, 779, 1900, 3578, 5846, 8731, 12257,
    16441, 21303, 26859, 33125, 40114, 47840, 56316, 65535,
)  # fmt: skip
# One step a byte: level 0..15 of the colour, and this bit for colour B.
_B = const(0x10)
_BREATH = b"\x01\x02\x04\x06\x08\x0b\x0d\x0f\x0f\x0d\x0b\x08\x06\x04\x02\x01"
_TWO_BREATHS = b"\x01\x04\x08\x0f\x0f\x08\x04\x01\x11\x14\x18\x1f\x1f\x18\x14\x11"
_TURNS = b"\x0f\x1f"
_TWICE = b"\x0f\x1f\x0f\x1f\x1f\x1f\x1f\x1f\x1f\x1f\x1f\x1f"
# By style: time of a step in ms, steps, and the steps where there is a colour B.
# fmt: off
STYLES = (
    (1000, b"\x00",  b"\x00"),        # off
    (1000, b"\x0f",  b"\x0f"),        # steady
    (1000, _TURNS,   _TURNS),         # slow: a second each
    (125,  _BREATH,  _TWO_BREATHS),   # pulse: 2 s
    (250,  _BREATH,  _TWO_BREATHS),   # breathe: 4 s
    (125,  _TWICE,   _TWICE),         # double: twice in 1.5 s
    (250,  _TURNS,   _TURNS),         # flash: twice a second
)
# fmt: on


class LightOut:
    """
    Call `show` once a pass. Allocates nothing.

    channels    PWM channels of red, green and blue at LIGHT_HZ, polarity set: duty_u16(0..65535), deinit(); or ()
    strip       what shows a colour as a whole: paint(0xRGB), release(); or None
    """

    def __init__(self, channels, strip=None):
        self._channels = channels
        self._strip = strip
        self._look = 0
        self._step_ms = 0  # tick at which the step began
        self._step = 0
        self._steps = b"\x00"
        self._lasts_ms = 0
        self.colour = _OFF  # 0xRGB shown now
        for channel in channels:
            channel.duty_u16(0)

    def show(self, look: int, now_ms: int) -> None:
        """Play `look` on; one of no known style is dark."""
        if look != self._look:
            self._look = look
            self._take(look)
            self._step = 0
            self._step_ms = now_ms
            self._paint()
            return
        if ticks_diff(now_ms, self._step_ms) < self._lasts_ms:
            return
        self._step_ms = now_ms
        steps = len(self._steps)
        if steps > 1:
            self._step = (self._step + 1) % steps
            self._paint()

    def _take(self, look: int) -> None:
        style = look >> 24
        row = STYLES[style if 0 <= style < len(STYLES) else 0]
        self._lasts_ms = row[0]
        self._steps = row[2] if look >> 12 & _FIRST else row[1]

    def _paint(self) -> None:
        """Show the colour of the present step."""
        step = self._steps[self._step]
        full = self._look >> 12 if step & _B else self._look
        level = step & 0xF
        # Each channel's share of the level, to the nearest.
        red = ((full >> 8 & 0xF) * level + 7) // 15
        green = ((full >> 4 & 0xF) * level + 7) // 15
        blue = ((full & 0xF) * level + 7) // 15
        colour = red << 8 | green << 4 | blue
        changed = colour ^ self.colour
        if not changed:
            return
        self.colour = colour
        channels = self._channels
        if channels:
            if changed & 0xF00:
                channels[0].duty_u16(DUTY_U16[red])
            if changed & 0x0F0:
                channels[1].duty_u16(DUTY_U16[green])
            if changed & 0x00F:
                channels[2].duty_u16(DUTY_U16[blue])
        if self._strip is not None:
            self._strip.paint(colour)

    def release(self) -> None:
        """Stop every channel, whatever one of them says, and make the strip dark. The pins are let go of by their owner."""
        self.colour = _OFF
        self._look = 0
        self._steps = b"\x00"
        self._step = 0
        self._let_go(0)

    def _let_go(self, n: int) -> None:
        """Release channel `n` and all that follows, whatever each of them raises."""
        if n < len(self._channels):
            try:
                self._channels[n].deinit()
            finally:
                self._let_go(n + 1)
        elif self._strip is not None:
            self._strip.release()
