"""The car's 100 Hz demand line on an ESP32: time stamps of its edges, from the pin's interrupt.

Why an interrupt handler in Python here, where the pilot must not have one: time_pulse_us would hold the loop for 10 ms
and more, RMT does not receive in MicroPython, PCNT does not time. The line is slow and a percent of duty is only an
ampere. The port runs the handler soft, between two bytecodes: late by whatever blocks the interpreter, about 1 ms
while the pilot is timed. So each edge is kept with a bound of its lateness, and the high time handed over is the
shortest that fits: the car's limit never reads high. A period with an edge that may be much too late is used only
where there was no better one for 100 ms, as when the car's 100 Hz and this loop run in step; then the limit reads up
to 20 A low. Pulses as short as the blocking itself (a duty below 10 %) may be missed. Never run on silicon.
"""

from array import array

from micropython import const

from ticks import ticks_diff

_PERIODS = const(5)
# Python's own delay outside a blocking call: a conversion of the ADC, another handler. Always taken off the high time.
_DELAY_US = const(100)
# Without an exact period for so long, the others count too: five times within the shortest vehicle time-out, 500 ms.
_HUNGRY_US = const(100000)
# A bound below this share of its period says nothing and is dropped.
_USELESS_SHARE = const(8)
# Slower than this is no demand line (80 Hz), and far from what would leave the small integers.
_PERIOD_MAX_US = const(20000)


class BlockMark:
    """Tells an interrupt's handler how late it may be: since when no handler could run."""

    def __init__(self):
        self.is_on = False
        self.since_us = 0  # tick, not later than the beginning of the last blocking call

    def begin(self, now_us: int) -> None:
        """A blocking call may follow."""
        self.since_us = now_us
        self.is_on = True

    def end(self) -> None:
        """No blocking call any more. Handlers that waited run first, at the jumps of this loop: one at each."""
        for _ in range(4):
            continue
        self.is_on = False


class Esp32Edges:
    """
    Complete periods of a slow line, as drivers.edge_capture hands them over. Allocates nothing once made.

    pin         the line's input, a machine.Pin: pin(), irq()
    mark        BlockMark of all that blocks for long
    ticks_us    time.ticks_us
    """

    def __init__(self, pin, mark, ticks_us):
        self._mark = mark
        self._ticks_us = ticks_us
        self._highs = array("i", [0] * _PERIODS)  # exact periods not yet read, us
        self._periods = array("i", [0] * _PERIODS)
        self._count = 0
        self._vague_high_us = 0  # newest period with a late edge
        self._vague_period_us = 0
        self._has_vague = False
        self._exact_us = ticks_us()  # tick of the last exact period
        self._rise_us = 0
        self._rise_late_us = 0
        self._fall_us = 0
        self._fall_late_us = 0
        self._has_rise = False  # a rise is stamped
        self._has_fall = False  # and the fall after it
        self._pin = pin
        self._handler = self.on_edge  # made once: a bound method is an allocation
        pin.irq(handler=self._handler, trigger=pin.IRQ_RISING | pin.IRQ_FALLING)

    def on_edge(self, pin) -> None:
        """Stamp an edge. Called by the scheduler, between two bytecodes of the loop."""
        now_us = self._ticks_us()
        mark = self._mark
        late_us = ticks_diff(now_us, mark.since_us) if mark.is_on else 0
        if pin():
            if self._has_rise and self._has_fall:
                self._keep(now_us, late_us)
            # Two rises in a row: the fall between them came too late to be told from the second.
            self._has_rise = self._has_fall or not self._has_rise
            self._has_fall = False
            self._rise_us = now_us
            self._rise_late_us = late_us
        elif self._has_rise and not self._has_fall:
            self._fall_us = now_us
            self._fall_late_us = late_us
            self._has_fall = True
        else:
            self._has_rise = False
            self._has_fall = False

    def _keep(self, now_us: int, end_late_us: int) -> None:
        """Keep the period that ends now: its high time not too long, its own time not too short."""
        late_us = self._fall_late_us
        high_us = ticks_diff(self._fall_us, self._rise_us) - late_us - _DELAY_US
        period_us = ticks_diff(now_us, self._rise_us) + self._rise_late_us
        if not 0 < period_us <= _PERIOD_MAX_US or high_us < 0:
            return
        if late_us or self._rise_late_us or end_late_us:
            if high_us * _USELESS_SHARE >= period_us:
                self._vague_high_us = high_us
                self._vague_period_us = period_us
                self._has_vague = True
            return
        self._exact_us = now_us
        self._has_vague = False
        if self._count < _PERIODS:
            self._highs[self._count] = high_us
            self._periods[self._count] = period_us
            self._count += 1

    def read(self, highs_x10, periods_x10, _now_ms: int = 0) -> int:
        """Fill in the periods completed since the last read, oldest first, in 0.1 us; return how many, 0..5."""
        count = self._count
        for n in range(count):
            highs_x10[n] = self._highs[n] * 10
            periods_x10[n] = self._periods[n] * 10
        self._count = 0
        if count == 0 and self._has_vague:
            self._has_vague = False
            waited_us = ticks_diff(self._ticks_us(), self._exact_us)
            # Negative: so long ago that the tick has wrapped.
            if waited_us < 0 or waited_us > _HUNGRY_US:
                highs_x10[0] = self._vague_high_us * 10
                periods_x10[0] = self._vague_period_us * 10
                return 1
        return count

    def release(self) -> None:
        """Stop the interrupt."""
        self._pin.irq(handler=None)
