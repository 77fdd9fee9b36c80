"""What the pilot tests share: readings by hand, and an honest capture that sees only what edges tell."""

from faults import FAULTS, SHUTDOWN, names
from pilot.control import ControlPilot
from pilot.duty import IEC
from signals import PILOT_PERIODS, Readings

PASS_MS = 10
T0_MS = (0, 2**30 - 50)  # every timing test runs from both: the second meets the wrap at once
DEAD_MV = 0
B_MV = 8980
C_MV = 6000
D_MV = 2930
F_MV = -12000


def after(now_ms, ms=PASS_MS):
    """Return the tick `ms` later."""
    return (now_ms + ms) % 2**30


def pwm(r, duty_x100, cp_mv=C_MV, hz=1000):
    """Fill the pilot's part of `r` with a clean PWM as a capture of 0.1 us sees it."""
    period_x10 = 10_000_000 // hz
    r.pilot_count = PILOT_PERIODS
    for n in range(PILOT_PERIODS):
        r.pilot_period_us_x10[n] = period_x10
        r.pilot_high_us_x10[n] = period_x10 * duty_x100 // 10_000
    r.pilot_quiet_ms = 0
    return level(r, cp_mv)


def steady(r, cp_mv, quiet_ms=1000):
    """Fill the pilot's part of `r` with a level that has not moved for `quiet_ms`."""
    r.pilot_count = 0
    r.pilot_quiet_ms = quiet_ms
    return level(r, cp_mv)


def level(r, cp_mv):
    """Set the level while high."""
    r.cp_ok = True
    r.cp_high_mv = cp_mv
    r.cp_low_mv = min(cp_mv, F_MV) if r.pilot_count else cp_mv
    return r


class Inlet:
    """A ControlPilot, its clock and its readings. `plugged` and `s2` are what the step would tell."""

    def __init__(self, family=IEC, t0_ms=0, plugged=True, s2=False):
        self.pilot = ControlPilot(family)
        self.r = Readings()
        self.now_ms = t0_ms
        self.plugged = plugged
        self.s2 = s2

    def run(self, passes=1):
        """Let so many passes judge the present readings."""
        for _n in range(passes):
            self.pilot.tick(self.now_ms, self.r, self.plugged, self.s2)
            self.now_ms = after(self.now_ms)
        return self

    def pwm(self, duty_x100, cp_mv=C_MV, hz=1000, passes=0):
        """Read a clean PWM from now on."""
        pwm(self.r, duty_x100, cp_mv, hz)
        return self.run(passes)

    def steady(self, cp_mv, passes=0):
        """Read a steady level from now on."""
        steady(self.r, cp_mv)
        return self.run(passes)

    def charging(self, duty_x100=5330):
        """Come to a session in C2 with S2 closed."""
        self.pwm(duty_x100, B_MV, passes=20)
        self.s2 = True
        self.pwm(duty_x100, C_MV, passes=20)
        assert not self.pilot.reasons
        return self

    @property
    def reasons(self):
        """Names of the reasons."""
        return set(names(SHUTDOWN, self.pilot.reasons))

    @property
    def faults(self):
        """Names of the faults."""
        return set(names(FAULTS, self.pilot.faults))


class Wave:
    """The pin over time, in 0.1 us: PWM or steady stretches one after the other, sampled as an edge capture would.

    `peak` makes the level as slow as it may be: the highest of the last 10 ms where there were edges.
    """

    SLICER_MV = 1500

    def __init__(self, duty_x100, high_mv, hz=1000, phase_x10=0):
        period = 10_000_000 // hz
        self.parts: list = [(-phase_x10, period, period * duty_x100 // 10_000, high_mv)]
        self._seen_x10 = None  # edges up to here are taken
        self._rise_x10 = self._fall_x10 = self._last_x10 = None

    def then(self, t_x10, mv, duty_x100=None, hz=1000):
        """From `t_x10` on: steady at `mv`, or PWM with `mv` while high, its first period starting there."""
        period = 10_000_000 // hz
        high = period if duty_x100 is None else period * duty_x100 // 10_000
        self.parts.append((t_x10, None if duty_x100 is None else period, high, mv))
        return self

    def next_period(self, t_x10):
        """Return the first start of a period of the first part at or after `t_x10`."""
        start, period, _high, _mv = self.parts[0]
        return t_x10 + (start - t_x10) % period

    def _edges(self, t0, t1):
        """Yield (time, bit) of every edge in (t0, t1]."""
        points = []
        for n, (start, period, high, mv) in enumerate(self.parts):
            end = min(self.parts[n + 1][0] if n + 1 < len(self.parts) else t1 + 1, t1 + 1)
            top = mv > self.SLICER_MV
            if period is None:
                points.append((start, top))
                continue
            rise = start + max(0, (t0 - start) // period - 1) * period
            while rise < end:
                points.append((rise, top))
                if rise + high < end:
                    points.append((rise + high, False))
                rise += period
        bit = None
        for t, new in points:
            if new != bit and bit is not None and t0 < t <= t1:
                yield t, new
            bit = new

    def sample(self, now_x10, r):
        """Fill `r` from the 10 ms before `now_x10`."""
        t0 = now_x10 - PASS_MS * 10_000
        if self._seen_x10 is None:
            self._seen_x10 = t0
        found = []
        edges_in_window = False
        for t, bit in self._edges(self._seen_x10, now_x10):
            edges_in_window = True
            self._last_x10 = t
            if not bit:
                self._fall_x10 = t
                continue
            if self._rise_x10 is not None:
                found.append((self._fall_x10 - self._rise_x10, t - self._rise_x10))
            self._rise_x10 = t
        self._seen_x10 = now_x10
        last = self._last_x10
        r.pilot_count = min(len(found), PILOT_PERIODS)
        for n, (high, period) in enumerate(found[-PILOT_PERIODS:]):
            r.pilot_high_us_x10[n] = high
            r.pilot_period_us_x10[n] = period
        r.pilot_quiet_ms = 1000 if last is None else min((now_x10 - last) // 10_000, 1000)
        mvs = [mv for start, _p, _h, mv in self.parts if start <= now_x10]
        level(r, mvs[-1])
        if edges_in_window:  # the peak of the window: what ended inside it still counts
            ends = [part[0] for part in self.parts[1:]] + [now_x10]
            r.cp_high_mv = max(
                mv
                for (start, _p, _h, mv), end in zip(self.parts, ends)
                if start <= now_x10 and end > t0
            )
