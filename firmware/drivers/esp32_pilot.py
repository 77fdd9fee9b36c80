"""The pilot's periods on an ESP32, by machine.time_pulse_us: the CPU watches the pin, three periods a pass.

The chip's RMT would do it without the CPU, but MicroPython's cannot receive, and its PCNT counts without timing.

What it resolves: 1 us. An edge is found up to one tick and one turn of the port's C loop late (taken as 1 us; never
measured on silicon), so a pulse may read 2 us long or short. A period is the distance between two ticks taken by
Python after the same kind of edge; what Python's own delay varies by adds at most another 1 us a period to what the
duty makes of three. The sum, _ROUND_US, is subtracted from every high time: the current never reads high, and the
duty reads 0 .. 0.6 % low, mostly 0.3 %. architecture.md asks for 0.1 %, which the RP2040 reaches; this does not. For
the same reason the last 3 Hz before the window's ends, 950 and 1050 Hz, may be refused.
A look that an interrupt of the chip delayed shows as one longer pulse of the three and is cut to their median.

The shorter phase is timed: then Python has at least 400 us to come back for the next pulse. A pulse counts only if the
C loop has watched the other phase before it for a while, so one that was entered late is never taken for whole.

Time for which `sample` blocks: with a pilot of 950..1050 Hz up to 4.8 ms, four periods on an average; without any edge
2.2 ms and three conversions. Every wait has a timeout; a wave that stops in the worst moment takes 6.2 ms, once.
"""

from micropython import const

from ticks import ticks_add, ticks_diff

_PERIODS = const(3)  # what pilot.capture needs for a majority; the five of signals would take 6 ms
# Longest phase of a pilot: 97 % of 1.0526 ms (950 Hz) is 1021 us.
_EDGE_US = const(1100)
# The last period may begin so long after the start of the pass; at 950 Hz it is over by 4.8 ms.
_BEGIN_BY_US = const(3740)
# The first wait ends within a period; after this (800 Hz) it is no pilot, and the pass must not grow.
_PILOT_BY_US = const(1250)
# A timed phase longer than this is the longer one: 55 % of 1 kHz.
_LONGER_US = const(550)
# The other phase must have been watched for so long before a pulse: Python's way back into the C loop and one
# interrupt are shorter, so at least the end of it was seen by the loop.
_WATCHED_US = const(40)
_ROUND_US = const(3)
# Longer than the median by less than this: a late poll, cut. By more: pilot.capture's matter, it calls 10 us noise.
_LATE_US_X10 = const(100)
# A conversion begins only where it fits with so much to spare: one that overruns the pulse costs the pass a period.
_SPARE_US = const(10)
# Added to what a conversion is thought to take when one did overrun; forgotten by 3 us a pass.
_OVERRUN_US = const(20)
_QUIET_MAX_MS = const(1000)  # where signals.Readings.pilot_quiet_ms stays


class Esp32Pilot:
    """
    Call `sample` once a pass. Allocates nothing.

    pin             the pilot's digital input, a machine.Pin: pin() returns 0 or 1
    level           Esp32Level; its conversions are made in the pauses
    mark            drivers.esp32_edges.BlockMark: set while this blocks
    time_pulse_us   machine.time_pulse_us
    ticks_us        time.ticks_us
    """

    def __init__(self, pin, level, mark, time_pulse_us, ticks_us):
        self._pin = pin
        self._level = level
        self._mark = mark
        self._time_pulse_us = time_pulse_us
        self._ticks_us = ticks_us
        self._timed = 1  # phase to be timed: the shorter one, as far as known
        self._edge_us = 0  # tick of the last edge seen; meaningless while _is_silent
        self._is_silent = True  # no edge for _QUIET_MAX_MS
        self._pulse_us = 0  # length of the timed phase when last measured, 0: not known
        self._take_us = 0  # what a conversion takes at most, with the ways in and out

    def sample(self, r) -> None:
        """Fill the pilot's part of `r`: periods, time since the last edge, levels. Blocks, see above."""
        r.pilot_count = 0
        self._level.begin()
        begun_us = self._ticks_us()
        self._mark.begin(begun_us)
        is_steady = self._capture(r, begun_us)
        self._mark.end()
        r.pilot_quiet_ms = self._quiet_ms()
        self._level.finish(r, is_steady)

    def _capture(self, r, begun_us: int) -> bool:
        """Find the wave and time it; return True if there is none."""
        pin = self._pin
        timed = self._timed
        # To the end of the other phase.
        was = pin()
        pulse_us = self._time_pulse_us(pin, 1 - timed, _EDGE_US)
        if pulse_us < 0:
            if pulse_us == -1 and was == timed:
                self._hung(pulse_us)
            return self._no_wave()
        start_us = self._seen()
        if ticks_diff(start_us, begun_us) > _PILOT_BY_US:
            return False
        self._take_timed(timed, start_us)
        length_us = self._to_end(timed, start_us)
        if length_us > _LONGER_US:
            # A jump of the duty: what now begins is the shorter phase.
            timed = 1 - timed
            self._timed = timed
            self._level.take(timed)
            length_us = self._to_end(timed, self._edge_us)
        if length_us == 0:
            return False
        self._time_periods(r, timed, begun_us)
        return False

    def _take_timed(self, timed: int, start_us: int) -> None:
        """Convert in the timed phase as often as fits; once where its length is not known."""
        level = self._level
        room_us = self._pulse_us
        if room_us == 0:
            level.take(timed)
            return
        for _ in range(3):
            if ticks_diff(self._ticks_us(), start_us) + self._take_us + _SPARE_US > room_us:
                return
            if not level.take(timed):
                return

    def _time_periods(self, r, timed: int, begun_us: int) -> None:
        """Time up to three periods, from one end of the timed phase to the next."""
        pin = self._pin
        level = self._level
        ticks_us = self._ticks_us
        highs = r.pilot_high_us_x10
        periods = r.pilot_period_us_x10
        other = 1 - timed
        count = 0
        last_us = self._edge_us
        while count < _PERIODS and ticks_diff(last_us, begun_us) <= _BEGIN_BY_US:
            level.take(other)
            entered_us = ticks_us()
            # The longest of late, forgotten slowly.
            self._take_us = max(ticks_diff(entered_us, last_us), self._take_us - 1)
            pulse_us = self._time_pulse_us(pin, timed, _EDGE_US)
            if pulse_us < 0:
                self._hung(pulse_us)
                break
            now_us = ticks_us()
            if ticks_diff(now_us, entered_us) - pulse_us >= _WATCHED_US:
                period_us = ticks_diff(now_us, last_us)
                high_us = (pulse_us if timed else period_us - pulse_us) - _ROUND_US
                highs[count] = high_us * 10 if high_us > 0 else 0
                periods[count] = period_us * 10
                count += 1
                self._pulse_us = pulse_us
            else:
                self._pulse_us = 0
            last_us = now_us
            self._edge_us = now_us
            self._mark.since_us = now_us
        if count == _PERIODS:
            _cut(highs)
        r.pilot_count = count

    def _to_end(self, phase: int, start_us: int) -> int:
        """Wait for the end of `phase`, begun at `start_us`; return its length in us, 0 if the end does not come."""
        entered_us = self._ticks_us()
        pulse_us = self._time_pulse_us(self._pin, phase, _EDGE_US)
        if pulse_us < 0:
            self._hung(pulse_us)
            return 0
        now_us = self._seen()
        if ticks_diff(now_us, entered_us) - pulse_us >= _WATCHED_US:
            # It was over already: this was the next one. The conversions took too long.
            self._take_us += _OVERRUN_US
            return max(pulse_us, 1)
        return max(ticks_diff(now_us, start_us), 1)

    def _seen(self) -> int:
        """Note that an edge has just been seen; return its tick."""
        now_us = self._ticks_us()
        self._edge_us = now_us
        self._is_silent = False
        self._mark.since_us = now_us
        return now_us

    def _hung(self, pulse_us: int) -> None:
        """Note what a timeout tells after an edge: -1, there was one more, and then nothing for _EDGE_US."""
        if pulse_us == -1:
            self._edge_us = ticks_add(self._ticks_us(), -_EDGE_US)
            self._is_silent = False

    def _no_wave(self) -> bool:
        """Look for an edge of the other kind, and if there is none measure the steady level; True if steady."""
        level = self._level
        phase = self._pin()
        pulse_us = self._time_pulse_us(self._pin, phase, _EDGE_US)
        if pulse_us >= 0:
            # Far too slow for a pilot.
            self._seen()
            return False
        if pulse_us == -2:
            # It left `phase` between the look and the call.
            self._hung(-1)
            return False
        for _ in range(3):
            if not level.take(phase):
                return False
        return True

    def _quiet_ms(self) -> int:
        """Return the time since the last edge, 0..1000 ms."""
        if self._is_silent:
            return _QUIET_MAX_MS
        quiet_ms = ticks_diff(self._ticks_us(), self._edge_us) // 1000
        if 0 <= quiet_ms < _QUIET_MAX_MS:
            return quiet_ms
        # From now on the tick would be of no use: it wraps.
        self._is_silent = True
        return _QUIET_MAX_MS


def _cut(highs) -> None:
    """Cut those of three high times that are a little above their median."""
    a = highs[0]
    b = highs[1]
    c = highs[2]
    if a > b:
        a, b = b, a
    median = a if c <= a else (c if c < b else b)
    for n in range(_PERIODS):
        if median < highs[n] < median + _LATE_US_X10:
            highs[n] = median
