"""drivers.charger_lines: duty to what the car allows, and what the charger may draw to duty."""

import pytest
from board_fakes import FakePWM

from drivers.charger_lines import DemandIn, LimitOut
from signals import Readings


class Line:
    """A capture that hands over the periods put into `periods`, as (high, period) in 0.1 us."""

    def __init__(self):
        self.periods = []
        self.error = None
        self.demand = DemandIn(self)
        self.readings = Readings()
        self.now_ms = 0

    def read(self, highs_x10, periods_x10, now_ms):
        if self.error:
            raise self.error
        count = min(5, len(self.periods))
        for n in range(count):
            highs_x10[n], periods_x10[n] = self.periods[n]
        self.periods = []
        return count

    def step(self, *duties, period=100000, dt_ms=10):
        self.periods = [(round(duty * period / 100), period) for duty in duties]
        self.now_ms += dt_ms
        self.demand.read(self.readings, self.now_ms)
        return self.readings


def state(r):
    return r.vehicle_age_ms, r.vehicle_permits, r.vehicle_limit_ma


def test_silence_from_the_start_is_stale_and_permits_nothing():
    assert state(Line().step()) == (60000, False, 0)


@pytest.mark.parametrize(
    "duty, limit_ma", [(10, 0), (16, 6000), (42, 32000), (42.5, 32500), (90, 80000)]
)
def test_duty_is_an_ampere_a_percent(duty, limit_ma):
    line = Line()
    line.step(duty)
    assert state(line.step(duty)) == (0, True, limit_ma)


@pytest.mark.parametrize("duty", [3, 5, 7])
def test_alive_without_permission(duty):
    line = Line()
    line.step(42, 42)
    assert state(line.step(duty)) == (0, False, 0)


@pytest.mark.parametrize("duty", [0, 2.98, 7.02, 9.98, 90.02, 97, 100])
def test_other_duties_are_not_fresh_and_keep_the_last_word_until_it_is_stale(duty):
    line = Line()
    line.step(42, 42)
    assert state(line.step(duty)) == (10, True, 32000)
    assert line.step(duty, dt_ms=490).vehicle_age_ms == 500


@pytest.mark.parametrize(
    "period, ok", [(79999, False), (80000, True), (125000, True), (125001, False)]
)
def test_frequency_outside_80_to_125_hz_is_not_fresh(period, ok):
    line = Line()
    line.step(42, 42, period=period)
    assert line.readings.vehicle_permits == ok
    assert line.readings.vehicle_age_ms == (0 if ok else 60000)


def test_lower_limit_counts_at_once_higher_one_when_two_periods_agree():
    line = Line()
    line.step(42, 42)
    assert line.step(20).vehicle_limit_ma == 10000
    assert line.step(42).vehicle_limit_ma == 10000
    assert line.step(42).vehicle_limit_ma == 32000


def test_permission_begins_without_current_for_a_period():
    line = Line()
    line.step(5)
    assert state(line.step(42)) == (0, True, 0)
    assert state(line.step(42)) == (0, True, 32000)


def test_age_grows_to_its_end_and_stays():
    line = Line()
    line.step(42, 42)
    assert line.step(dt_ms=59990).vehicle_age_ms == 59990
    assert line.step(dt_ms=20).vehicle_age_ms == 60000
    assert line.step(dt_ms=20).vehicle_age_ms == 60000


def test_capture_that_fails_ages():
    line = Line()
    line.step(42, 42)
    line.error = OSError(5)
    assert line.step(42).vehicle_age_ms == 10


def test_nothing_leaves_the_small_integers():
    """125000 * 5000, and 90 % of 65535 in 0.01 %."""
    assert 125000 * 5000 < 1 << 30 and 9000 * 65535 < 1 << 30


def test_charger_is_told_no_current_from_the_first_moment():
    pwm = FakePWM()
    LimitOut(pwm)
    assert abs(pwm.duties[-1] - 65535 * 5 // 100) <= 1


@pytest.mark.parametrize(
    "ma, pct_x100",
    [(0, 500), (-5, 500), (6000, 1600), (32000, 4200), (80000, 9000), (99999, 9000)],
)
def test_limit_is_ten_percent_and_one_an_ampere(ma, pct_x100):
    pwm = FakePWM()
    limit = LimitOut(pwm)
    limit.set(1)
    limit.set(ma)
    assert abs(pwm.duties[-1] - 65535 * pct_x100 / 10000) <= 2


@pytest.mark.parametrize("top", [64515, 62499, 40000])
def test_limit_is_never_rounded_up(top):
    """The RP2040 port rounds a duty to the nearest count of its slice, whatever its top."""
    pwm = FakePWM()
    limit = LimitOut(pwm)
    for ma in range(6000, 80001, 37):
        limit.set(ma)
        count = (pwm.duties[-1] * (top + 1) + 32767) // 65535
        told_ma = (count * 100 / (top + 1) - 10) * 1000
        assert ma - 25 <= told_ma <= ma + 1e-6


def test_pwm_is_written_only_on_change():
    pwm = FakePWM()
    limit = LimitOut(pwm)
    before = len(pwm.duties)
    for ma in (0, 6000, 6000, 0, 0):
        limit.set(ma)
    assert len(pwm.duties) == before + 2


def test_release_stops_the_pwm():
    pwm = FakePWM()
    LimitOut(pwm).release()
    assert not pwm.is_on
