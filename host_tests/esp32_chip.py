"""An ESP32's time as its drivers meet it: calls that take time, an edge found by a loop, an ADC, on a model wave.

What calls cost is a guess in the spirit of the port's C code, varied at random: none of it was measured on silicon.
"""

import random

from drivers.esp32_edges import BlockMark
from drivers.esp32_level import Esp32Level
from drivers.esp32_pilot import Esp32Pilot
from pilot.capture import PilotCapture
from signals import Readings

PERIOD_US = 10000
TICKS = 1 << 30


class Wave:
    """A square wave in us, from tables of edges; steady at `level` before the first and after the last."""

    def __init__(self, level=0, edges=()):
        self.first = level
        self.edges = list(edges)  # times at which the level toggles, rising

    def level(self, at_us):
        return self.first ^ (sum(1 for edge in self.edges if edge <= at_us) & 1)

    def next_edge(self, at_us):
        return next((edge for edge in self.edges if edge > at_us), float("inf"))


class PWMWave:
    """An endless square wave: high from each multiple of the period (plus phase) on, for its duty."""

    def __init__(self, hz, duty_pct, phase_us=0.0):
        self.period_us = 1e6 / hz
        self.high_us = self.period_us * duty_pct / 100
        self.phase_us = phase_us

    def _in_period(self, at_us):
        return (at_us - self.phase_us) % self.period_us

    def level(self, at_us):
        return 1 if self._in_period(at_us) < self.high_us else 0

    def next_edge(self, at_us):
        inside = self._in_period(at_us)
        start = at_us - inside
        edge = start + (self.high_us if inside < self.high_us else self.period_us)
        return edge if edge > at_us else edge + 1e-6


class SwitchedWave:
    """`before` until `at_us`, `after` from then on."""

    def __init__(self, before, at_us, after):
        self.before, self.at_us, self.after = before, at_us, after

    def level(self, at_us):
        return (self.before if at_us < self.at_us else self.after).level(at_us)

    def next_edge(self, at_us):
        edge = self.before.next_edge(at_us) if at_us < self.at_us else float("inf")
        if edge < self.at_us:
            return edge
        if at_us < self.at_us:
            # At the seam there may be an edge, or none.
            seam = self.after.level(self.at_us)
            if seam != self.before.level(self.at_us - 1e-6):
                return self.at_us
            return self.after.next_edge(self.at_us)
        return self.after.next_edge(at_us)


class Chip:
    """One CPU: every call moves `now_us` on. `wave` is what the pilot pin shows."""

    def __init__(self, wave, seed=1, poll_us=0.9, convert_us=45.0, start_us=0.0):
        self.wave = wave
        self.now_us = start_us
        self.random = random.Random(seed)
        self.poll_us = poll_us
        self.convert_us = convert_us
        self.late_polls = ()  # (from, to) us in which an interrupt of the chip holds the CPU
        self.levels_mv = {0: -12000, 1: 9000}  # at the pilot
        self.adc_error = None
        self.log = []  # (call, arguments)

    def spend(self, us):
        self.now_us += us * (1 + 0.25 * self.random.random())

    def ticks_us(self):
        self.spend(2.0)
        at = self.now_us
        self.spend(1.0)
        return int(at) % TICKS

    def ticks_ms(self):
        return int(self.now_us // 1000) % TICKS

    def pin(self):
        self.spend(2.0)
        level = self.wave.level(self.now_us)
        self.spend(1.0)
        return level

    def _stalled(self, at_us):
        for begin, end in self.late_polls:
            if begin <= at_us < end:
                return end
        return at_us

    def _edge_seen(self, at_us, until_us):
        """Return when the loop's first look at or after the next edge began, at most `until_us`."""
        edge = self.wave.next_edge(at_us + 0.3)
        # A look reads the clock, then the pin 0.3 us later.
        turns = max(0, -(-(edge - 0.3 - at_us) // self.poll_us)) if edge < until_us + 2 else 0
        seen = at_us + turns * self.poll_us if edge < until_us + 2 else until_us
        return self._stalled(min(seen, until_us))

    def time_pulse_us(self, _pin, level, timeout_us):
        """Do as extmod/machine_pulse.c documents: -2 without the level, -1 without its end."""
        self.log.append(("time_pulse_us", level, timeout_us))
        self.spend(5.0)
        begin = at = self.now_us
        if self.wave.level(at + 0.3) != level:
            at = self._edge_seen(at, begin + timeout_us)
            if int(at) - int(begin) >= timeout_us and self.wave.level(at + 0.3) != level:
                self.now_us = at
                self.spend(4.0)
                return -2
        begin = at
        at = self._edge_seen(at, begin + timeout_us)
        self.now_us = at
        self.spend(4.0)
        if int(at) - int(begin) >= timeout_us and self.wave.level(at + 0.3) == level:
            return -1
        return int(at) - int(begin)

    def read_cp_mv(self):
        """Return mV at the ADC for SCALE, sampled a third into the conversion."""
        if self.adc_error is not None:
            raise self.adc_error
        self.spend(self.convert_us / 3)
        mv = self.levels_mv[self.wave.level(self.now_us)]
        self.spend(self.convert_us * 2 / 3)
        return (mv + 16500) // 11


# mV at the ADC to mV at the pilot, for read_cp_mv.
SCALE = (11, 1, -16500)


class Bench:
    """Passes of 10 ms on a chip."""

    def __init__(self, wave, **options):
        self.chip = chip = Chip(wave, **options)
        self.level = Esp32Level(chip.pin, chip.read_cp_mv, SCALE, 3100)
        self.mark = BlockMark()
        self.pilot = Esp32Pilot(chip.pin, self.level, self.mark, chip.time_pulse_us, chip.ticks_us)
        self.capture = PilotCapture()
        self.r = Readings()
        self.blocked_us = []
        self.due_us = chip.now_us

    def run(self, passes=1):
        """Run passes and return the kind of the last."""
        for _ in range(passes):
            self.chip.now_us = max(self.chip.now_us, self.due_us)
            begun = self.chip.now_us
            self.due_us = begun + PERIOD_US
            r = self.r
            self.pilot.sample(r)
            self.blocked_us.append(self.chip.now_us - begun)
            self.capture.tick(
                r.pilot_count, r.pilot_high_us_x10, r.pilot_period_us_x10, r.pilot_quiet_ms
            )
        return self.capture.kind
