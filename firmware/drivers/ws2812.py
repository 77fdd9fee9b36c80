"""A strip or ring of WS2812 LEDs that all show one colour. Imported only where a board file names one.

No policy. A colour is 0xRGB, a level 0..15 each; the eye's curve is that of the PWM channels. An LED takes 24 bits of
1.24 us, 30 us in all; it shows them once the line was low for 50 us, later versions 280 us: passes are 10 ms apart.

The RP2040's PIO repeats one word for every LED: a change of colour costs the CPU one write, however long the strip. The
ESP32 has only machine.bitstream, which sends by RMT but returns when the strip is done, 30 us an LED: 16 of them make a
pass 0.5 ms longer when the colour changes, at most eight times a second.
"""

from micropython import const

from drivers.light_out import DUTY_U16

LED_US = const(30)
LATCH_US = const(300)
# ns: high and low of a 0, high and low of a 1. Within the limits that rp2040_strip.py names.
_BITSTREAM_NS = (360, 880, 720, 520)
_FIFO_WORDS = const(4)
_COUNT_MAX = const(60000)
# set(pins, 0), ready to execute (RP2040 datasheet 3.4.10).
_SET_LOW = const(0xE000)


def levels_of(brightness_pct: int) -> bytes:
    """Return the LED's level 0..255 for each level 0..15; only 0 is dark."""
    levels = bytearray(len(DUTY_U16))
    for n in range(len(DUTY_U16)):
        full = -(-DUTY_U16[n] // 257)
        levels[n] = -(-full * brightness_pct // 100)
    return bytes(levels)


class PioStrip:
    """`paint` at most once a pass: never waits, never allocates. Dark at first.

    sm          state machine that runs rp2040_strip.make_strip()
    pin         its pin: init(mode, pull)
    count       LEDs, 1..64
    sleep_us    time.sleep_us
    """

    def __init__(self, sm, pin, count: int, brightness_pct: int, sleep_us):
        self._sm = sm
        self._pin = pin
        self._sleep_us = sleep_us
        self._head = (count - 1) << 24
        self._sends_us = count * LED_US + LATCH_US
        self._levels = levels_of(brightness_pct)
        self._is_released = False
        self.paint(0)

    def paint(self, colour: int) -> None:
        """Show 0xRGB on every LED."""
        if self._is_released or self._sm.tx_fifo() >= _FIFO_WORDS:
            # A machine that does not run is not waited for.
            return
        levels = self._levels
        red = levels[colour >> 8 & 0xF]
        green = levels[colour >> 4 & 0xF]
        blue = levels[colour & 0xF]
        self._sm.put(self._head | green << 16 | red << 8 | blue)

    def release(self) -> None:
        """Make the strip dark, then let go of its pin. Takes up to 2 * (30 us an LED and 300 us)."""
        if self._is_released:
            return
        try:
            # What is being sent must be shown first: more of it would be for LEDs behind the last.
            self._sleep_us(self._sends_us)
            self.paint(0)
            self._sleep_us(self._sends_us)
        finally:
            self._is_released = True
            self._sm.active(0)
            self._sm.exec(_SET_LOW)
            self._pin.init(self._pin.IN, self._pin.PULL_DOWN)


class BitstreamStrip:
    """As PioStrip, on a chip without PIO: `paint` returns when the strip is done, 30 us an LED.

    bitstream           machine.bitstream
    mark, ticks_us      drivers.esp32_edges.BlockMark, which is told of that wait, and time.ticks_us
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what a chip's board hands over
        self, bitstream, pin, count: int, brightness_pct: int, mark, ticks_us
    ):
        self._bitstream = bitstream
        self._pin = pin
        self._mark = mark
        self._ticks_us = ticks_us
        self._levels = levels_of(brightness_pct)
        self._bytes = bytearray(3 * count)
        self._is_released = False
        self.errors = 0  # colours that could not be sent, 0..60000 (stays there)
        pin.init(pin.OUT, value=0)
        self.paint(0)

    def paint(self, colour: int) -> None:
        """Show 0xRGB on every LED."""
        if self._is_released:
            return
        levels = self._levels
        sent = self._bytes
        n = 0
        while n < len(sent):
            sent[n] = levels[colour >> 4 & 0xF]
            sent[n + 1] = levels[colour >> 8 & 0xF]
            sent[n + 2] = levels[colour & 0xF]
            n += 3
        self._mark.begin(self._ticks_us())
        try:
            self._bitstream(self._pin, 0, _BITSTREAM_NS, sent)
        except OSError:
            # No RMT channel is free. A light is not worth ending the loop for.
            if self.errors < _COUNT_MAX:
                self.errors += 1
        self._mark.end()

    def release(self) -> None:
        """Make the strip dark, then let go of its pin."""
        if self._is_released:
            return
        try:
            self.paint(0)
        finally:
            self._is_released = True
            self._pin.init(self._pin.IN)
