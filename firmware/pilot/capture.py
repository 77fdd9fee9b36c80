"""Pilot periods to one believed duty: each pass is scored, and no single bad sample ever acts.

A pass is GOOD when at least three captured periods are plausible and agree. A pass that is neither good nor
clearly silent adds to a score that good passes pay back; only a full score is a fault. Six bad passes in any
250 ms (what a closing contactor does, ADVANTICS noise study) add 18 and pay back 19: they never fill it.
Silence is judged by the time since the last edge, so it needs no edge to be seen. It clears the scores: what
comes after is judged anew.
"""

from micropython import const

_MAJORITY = const(3)

# 1050 Hz and 950 Hz in 0.1 us: IEC 61851-1 Tab A.8 note, 1 kHz +-5 %. 952.38 us is captured as 9523.
PERIOD_MIN_US_X10 = const(9523)
PERIOD_MAX_US_X10 = const(10526)
# 1020 Hz and 980 Hz: the generator's own tolerance (IEC 61851-1 Tab A.2); beyond it is noted, not refused.
NOTE_MIN_US_X10 = const(9803)
NOTE_MAX_US_X10 = const(10204)

# High times of one pass agree within 1 % of a period; a whole lost or split pulse is far outside.
_AGREE_US_X10 = const(100)
# Periods of a wrong but steady frequency agree within 5 %.
_STEADY_SHARE = const(20)

# 20 lost periods: a legal pilot (3..97 %) has an edge at least every 0.97 ms.
QUIET_MS = const(20)

_BAD = const(3)
_FULL = const(30)
_CAP = const(36)
_CLEAR = const(6)

GOOD = const(0)
QUIET = const(1)
ODD_FREQUENCY = const(2)
NOISE = const(3)
PASS_NAMES = ("good", "quiet", "odd frequency", "noise")


class PilotCapture:
    """Call `tick` once a pass; allocates nothing."""

    def __init__(self):
        self.kind = QUIET  # of the last pass: GOOD, QUIET, ODD_FREQUENCY, NOISE
        self.duty_pct_x100 = 0  # mean duty of the last good pass, rounded down
        self.period_us_x10 = 0  # mean period of the last good or odd pass
        self.is_noisy = False  # score full: the pilot cannot be believed
        self.is_odd_frequency = False  # steadily outside 950..1050 Hz
        self._noise_score = 0
        self._odd_score = 0

    def tick(self, count: int, high_us_x10, period_us_x10, quiet_ms: int) -> None:
        """Score one pass of 0..5 periods (arrays in 0.1 us) and `quiet_ms` since the last edge."""
        if quiet_ms >= QUIET_MS:
            self.kind = QUIET
            self._forget()
            return
        if count >= _MAJORITY and self._agree(count, high_us_x10, period_us_x10):
            self.kind = GOOD
            if self._noise_score:
                self._noise_score -= 1
                if self._noise_score <= _CLEAR:
                    self.is_noisy = False
            if self._odd_score:
                self._odd_score -= 1
                if self._odd_score <= _CLEAR:
                    self.is_odd_frequency = False
        elif count >= _MAJORITY and self._is_steady(count, period_us_x10):
            self.kind = ODD_FREQUENCY
            self._odd_score = min(self._odd_score + _BAD, _CAP)
            if self._odd_score >= _FULL:
                self.is_odd_frequency = True
        else:
            self.kind = NOISE
            self._noise_score = min(self._noise_score + _BAD, _CAP)
            if self._noise_score >= _FULL:
                self.is_noisy = True

    def _forget(self) -> None:
        self._noise_score = 0
        self._odd_score = 0
        self.is_noisy = False
        self.is_odd_frequency = False

    def _agree(self, count: int, highs, periods) -> bool:
        """Tell whether at least three periods are plausible and agree; take their mean if so."""
        if count == len(highs):
            # All of them, as nearly always. Built-in searches cost a fraction of a loop.
            high = min(highs)
            period = min(periods)
            if (
                0 < high
                and max(highs) - high <= _AGREE_US_X10
                and max(highs) < period
                and PERIOD_MIN_US_X10 <= period
                and max(periods) <= PERIOD_MAX_US_X10
            ):
                self._take(count, sum(highs), sum(periods))
                return True
        return self._majority(count, highs, periods)

    def _majority(self, count: int, highs, periods) -> bool:
        """Do the same where some of them are missing or do not agree: the first group that is a majority wins."""
        for i in range(count - _MAJORITY + 1):
            group = 0
            sum_high = 0
            sum_period = 0
            for j in range(count):
                period = periods[j]
                high = highs[j]
                if (
                    PERIOD_MIN_US_X10 <= period <= PERIOD_MAX_US_X10
                    and 0 < high < period
                    and abs(high - highs[i]) <= _AGREE_US_X10
                ):
                    group += 1
                    sum_high += high
                    sum_period += period
            if group >= _MAJORITY:
                self._take(group, sum_high, sum_period)
                return True
        return False

    def _take(self, n: int, sum_high: int, sum_period: int) -> None:
        # At most 5 x 10526 x 10000 = 5.3e8, a small int on the board.
        self.duty_pct_x100 = sum_high * 10000 // sum_period
        self.period_us_x10 = sum_period // n

    def _is_steady(self, count: int, periods) -> bool:
        """Tell whether all periods agree with the first within 5 % and most are outside the window."""
        first = periods[0]
        within = first // _STEADY_SHARE
        outside = 0
        for i in range(count):
            period = periods[i]
            if abs(period - first) > within:
                return False
            if not PERIOD_MIN_US_X10 <= period <= PERIOD_MAX_US_X10:
                outside += 1
        if outside * 2 <= count:
            return False
        self.period_us_x10 = first
        return True
