"""Contact health: one session's estimate, the memory over sessions, and the record it is stored as."""

import random
from array import array
from math import exp

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journal import health
from journal.contact import (
    KNOWN,
    MOST,
    NO_CURRENT,
    NO_FIT,
    NO_LOW,
    NO_SENSOR,
    NO_SHORT,
    NO_START,
    NO_UPSET,
)
from journal.health import (
    BASE,
    FAST,
    FIELDS,
    HEALTHY,
    JUMPED,
    LEARNING,
    PLUG_WARM,
    PLUGS,
    VERDICT,
    WATCH,
    WORN,
    ContactHealth,
    Trend,
)
from journal.heating import Heating, Moment
from journal.whole import muldiv, root

RISE_K = 15.0  # at 32 A
TRUE = round(RISE_K * 1e6 / 32**2)


class Rig:
    """Two contacts of 300 s behind an estimator of `heating`'s interface, a tick a second, from just below the wrap."""

    def __init__(self, judge, around_c=20.0, rises=(RISE_K, RISE_K), tau_s=300):
        self.judge = judge
        self.decic = array("i", [0, 0, 0, 0])
        self.valid = array("b", [1, 1, 1, 1])
        self.moment = Moment(self.decic, self.valid)
        self.moment.is_measured = True
        self.moment.is_plugged = True
        self.around_c = around_c
        self.drift_k_h = 0.0
        self.rises = list(rises)
        self.rise_now = [0.0, 0.0]
        self.keep = exp(-1 / tau_s)
        self.now_ms = (1 << 30) - 5000
        self.judged = 0
        judge.begin(self.now_ms, True)

    def run(self, seconds, a):
        self.moment.ma = round(a * 1000)
        for _ in range(seconds):
            self.around_c += self.drift_k_h / 3600
            for n in range(2):
                end_k = self.rises[n] * (a / 32) ** 2
                self.rise_now[n] = end_k + (self.rise_now[n] - end_k) * self.keep
                self.decic[n] = round((self.around_c + self.rise_now[n]) * 10)
            self.decic[2] = round(self.around_c * 10)
            self.moment.reference_decic = self.decic[2]
            self.now_ms = (self.now_ms + 1000) & 0x3FFFFFFF
            self.judged += self.judge.tick(self.now_ms, self.moment)

    def pull(self):
        self.moment.is_plugged = False
        self.run(60, 0)
        self.moment.is_plugged = True


def after(*steps, **options):
    """Return Heating and rig after a session of (seconds, ampere) and a pulled plug."""
    heating = Heating((0, 1), 32_000)
    rig = Rig(heating, **options)
    rig.run(20, 0)
    for seconds, a in steps:
        rig.run(seconds, a)
    rig.pull()
    assert rig.judged == 1
    return heating, rig


def at_20_c(k, mean_c):
    """What the firmware tells of a contact whose resistance does not change with temperature."""
    return k / (1 + 0.002 * (mean_c - 20))


@pytest.mark.parametrize("around_c", [-20, 0, 20, 45])
@pytest.mark.parametrize("a", [16, 24, 32])
def test_coefficient_is_found_without_knowing_ambient(around_c, a):
    heating, _rig = after((7200, a), around_c=around_c)
    expected = at_20_c(TRUE, around_c + RISE_K * (a / 32) ** 2 * 0.96)
    for c in range(2):
        assert heating.contacts[c].reason == KNOWN
        assert heating.contacts[c].coefficient == pytest.approx(expected, rel=0.05)
        assert abs(heating.contacts[c].coefficient - expected) <= 2 * heating.contacts[c].spread


@pytest.mark.parametrize("drift_k_h", [-3.0, 3.0])
def test_steady_drift_of_ambient_is_no_coefficient(drift_k_h):
    heating = Heating((0, 1), 32_000)
    rig = Rig(heating)
    rig.drift_k_h = drift_k_h
    rig.run(20, 0)
    rig.run(9000, 32)
    rig.pull()
    assert heating.contacts[0].coefficient == pytest.approx(at_20_c(TRUE, 34), rel=0.06)


@pytest.mark.parametrize("tau_s", [150, 300, 600, 900])
def test_slow_and_fast_contacts_are_told_alike(tau_s):
    heating, _rig = after((9000, 32), (1200, 0), tau_s=tau_s)
    assert heating.contacts[0].coefficient == pytest.approx(at_20_c(TRUE, 34), rel=0.06)


def test_current_steps_are_evidence_and_no_disturbance():
    dice = random.Random(5)
    steps = [(dice.randrange(120, 900), dice.uniform(6, 32)) for _ in range(14)]
    heating, _rig = after(*steps, around_c=10.0)
    assert heating.contacts[0].reason == KNOWN
    assert heating.contacts[0].coefficient == pytest.approx(at_20_c(TRUE, 16), rel=0.05)


def test_each_contact_has_its_own():
    heating, _rig = after((7200, 32), rises=(8.0, 16.0))
    assert heating.contacts[1].coefficient / heating.contacts[0].coefficient == pytest.approx(
        2, rel=0.06
    )


def test_doubtful_ambient_widens_the_uncertainty():
    quiet, _rig = after((5400, 20))
    heating = Heating((0, 1), 32_000)
    rig = Rig(heating)
    dice = random.Random(7)
    rig.run(20, 0)
    for _ in range(45):
        rig.around_c = 20 + dice.uniform(-1, 1)
        rig.run(120, 20)
    rig.pull()
    assert (
        heating.contacts[0].reason != KNOWN
        or heating.contacts[0].spread > 1.5 * quiet.contacts[0].spread
    )


def test_reference_sensor_takes_ambient_off():
    """An ambient that leaps in the middle: with the reference it does not matter, without it nothing is told."""
    reasons = []
    for has_reference in (True, False):
        heating = Heating((0, 1), 32_000, has_reference)
        rig = Rig(heating, rises=(5.0, 5.0))
        rig.moment.reference_ok = True
        rig.run(20, 0)
        for around_c in (20, 28, 15, 30, 18):
            rig.around_c = around_c
            rig.run(1500, 32)
        rig.pull()
        reasons.append(heating.contacts[0].reason)
        if has_reference:
            assert heating.contacts[0].coefficient == pytest.approx(
                at_20_c(TRUE / 3, 27), rel=0.06
            )
    assert reasons[0] == KNOWN
    assert reasons[1] != KNOWN


def test_short_session_is_not_known():
    heating, _rig = after((540, 32))
    assert [x.reason for x in heating.contacts] == [NO_SHORT, NO_SHORT]


def test_little_current_is_not_known():
    heating, _rig = after((7200, 7))
    assert [x.reason for x in heating.contacts] == [NO_LOW, NO_LOW]


def test_temperature_that_does_not_follow_the_current_is_no_fit():
    heating = Heating((0, 1), 32_000)
    rig = Rig(heating, rises=(0.0, 15.0))
    rig.run(20, 0)
    rig.run(7200, 32)
    rig.pull()
    assert heating.contacts[0].reason == NO_FIT
    assert heating.contacts[1].reason == KNOWN


def test_current_that_nobody_tells_is_not_known():
    heating = Heating((0, 1), 32_000)
    rig = Rig(heating)
    rig.run(20, 0)
    rig.run(1800, 32)
    rig.moment.is_measured = False
    rig.run(60, 32)
    rig.moment.is_measured = True
    rig.run(3600, 32)
    rig.pull()
    assert heating.contacts[0].reason == NO_CURRENT


def test_current_missing_for_some_seconds_does_no_harm():
    heating = Heating((0, 1), 32_000)
    rig = Rig(heating)
    rig.run(20, 0)
    for _ in range(12):
        rig.run(580, 32)
        rig.moment.is_measured = False
        rig.run(16, 32)
        rig.moment.is_measured = True
    rig.pull()
    assert heating.contacts[0].coefficient == pytest.approx(at_20_c(TRUE, 34), rel=0.05)


def test_sensor_that_is_missing_is_told_for_its_contact_alone():
    heating = Heating((0, 1), 32_000)
    rig = Rig(heating)
    rig.run(20, 0)
    rig.run(3600, 32)
    rig.valid[1] = 0
    rig.run(1200, 32)
    rig.valid[1] = 1
    rig.run(600, 32)
    rig.pull()
    assert [x.reason for x in heating.contacts] == [KNOWN, NO_SENSOR]


def test_sensor_missing_for_a_moment_does_no_harm():
    heating = Heating((0, 1), 32_000)
    rig = Rig(heating)
    rig.run(20, 0)
    rig.run(3600, 32)
    rig.valid[1] = 0
    rig.decic[1] = 1500
    rig.run(100, 32)
    rig.valid[1] = 1
    rig.run(3600, 32)
    rig.pull()
    assert heating.contacts[1].coefficient == pytest.approx(
        heating.contacts[0].coefficient, rel=0.03
    )


def test_heater_spoils_the_session():
    heating = Heating((0, 1), 32_000)
    rig = Rig(heating)
    rig.run(20, 0)
    rig.run(1200, 32)
    rig.moment.is_upset = True
    rig.run(30, 32)
    rig.moment.is_upset = False
    rig.run(3600, 32)
    rig.pull()
    assert heating.contacts[0].reason == NO_UPSET


def test_boot_into_a_charge_is_not_known_and_the_next_is():
    heating = Heating((0, 1), 32_000)
    rig = Rig(heating)
    rig.run(3600, 32)
    heating.begin(rig.now_ms, False)
    rig.judged = 0
    rig.run(3600, 32)
    rig.pull()
    assert [x.reason for x in heating.contacts] == [NO_START, NO_START]
    rig.run(2000, 0)
    rig.run(3600, 32)
    rig.pull()
    assert heating.contacts[0].reason == KNOWN


def test_charge_right_after_another_is_not_known():
    heating, rig = after((3600, 32))
    rig.run(300, 0)
    rig.run(3600, 32)
    rig.pull()
    assert heating.contacts[0].reason == NO_START


def test_sleep_of_half_an_hour_makes_the_contacts_cool():
    heating, rig = after((3600, 32))
    rig.now_ms = (rig.now_ms + 1_900_000) & 0x3FFFFFFF
    rig.rise_now = [0.0, 0.0]
    rig.run(20, 0)
    rig.run(3600, 32)
    rig.pull()
    assert heating.contacts[0].reason == KNOWN


def test_sleep_of_a_week_makes_the_contacts_cool():
    """Half a wrap and more: the difference of the ticks is negative."""
    heating, rig = after((3600, 32))
    rig.now_ms = (rig.now_ms + 7 * 86_400_000) & 0x3FFFFFFF
    rig.rise_now = [0.0, 0.0]
    rig.run(20, 0)
    rig.run(3600, 32)
    rig.pull()
    assert heating.contacts[0].reason == KNOWN


def test_session_is_judged_half_an_hour_after_its_last_current_and_the_next_is_the_same_plug():
    heating = Heating((0, 1), 32_000)
    rig = Rig(heating)
    rig.run(20, 0)
    rig.run(3600, 32)
    rig.run(1750, 0)
    assert rig.judged == 0
    rig.run(150, 0)
    assert rig.judged == 1
    assert heating.contacts[0].reason == KNOWN
    assert not heating.is_same_plug
    rig.run(3600, 32)
    rig.pull()
    assert rig.judged == 2
    assert heating.is_same_plug
    rig.run(2000, 0)
    rig.run(3600, 32)
    rig.pull()
    assert not heating.is_same_plug


def test_sleep_at_the_end_of_a_charge_does_not_lose_the_session():
    heating = Heating((0, 1), 32_000)
    rig = Rig(heating)
    rig.run(20, 0)
    rig.run(3600, 32)
    rig.run(60, 0)
    rig.now_ms = (rig.now_ms + 3_600_000) & 0x3FFFFFFF
    rig.rise_now = [0.0, 0.0]
    rig.run(60, 0)
    assert rig.judged == 1
    assert heating.contacts[0].reason == KNOWN


def test_current_right_after_waking_waits_for_the_session_before_to_be_judged():
    heating = Heating((0, 1), 32_000)
    rig = Rig(heating)
    rig.run(20, 0)
    rig.run(3600, 32)
    rig.moment.is_plugged = False
    rig.run(9, 0)
    rig.moment.is_plugged = True
    assert rig.judged == 0
    rig.now_ms = (rig.now_ms + 3_600_000) & 0x3FFFFFFF
    rig.rise_now = [0.0, 0.0]
    rig.run(1, 0)
    rig.run(3600, 32)
    rig.pull()
    assert rig.judged == 2
    assert heating.contacts[0].reason == KNOWN
    assert heating.contacts[0].coefficient == pytest.approx(at_20_c(TRUE, 34), rel=0.06)


def test_night_long_session_forgets_nothing_that_matters():
    heating, _rig = after((3600, 32), (36_000, 16))
    assert heating.contacts[0].coefficient == pytest.approx(at_20_c(TRUE, 25), rel=0.06)


@pytest.mark.parametrize("rated_ma", [6_000, 16_000, 80_000, 500_000])
def test_unit_is_the_same_at_every_rated_current(rated_ma):
    heating = Heating((0, 1), rated_ma)
    rig = Rig(heating, rises=(RISE_K * (32_000 / rated_ma) ** 2 * (rated_ma / 32_000) ** 2,) * 2)
    rig.run(20, 0)
    rig.moment.ma = rated_ma
    for _ in range(7200):
        for n in range(2):
            rig.rise_now[n] = RISE_K + (rig.rise_now[n] - RISE_K) * rig.keep
            rig.decic[n] = round((20 + rig.rise_now[n]) * 10)
        rig.now_ms = (rig.now_ms + 1000) & 0x3FFFFFFF
        heating.tick(rig.now_ms, rig.moment)
    rig.pull()
    expected = at_20_c(RISE_K * 1e6 / (rated_ma / 1000) ** 2, 34)
    assert heating.contacts[0].coefficient == pytest.approx(expected, rel=0.06, abs=1.5)


@pytest.mark.parametrize("rated_ma", [5_999, 500_001])
def test_rated_current_outside_its_bounds_is_refused(rated_ma):
    with pytest.raises(ValueError, match="rated_ma"):
        Heating((0,), rated_ma)


@given(st.integers(0, 2**29 - 1), st.integers(0, 2**29 - 1), st.integers(1, 2**29 - 1))
def test_muldiv_is_exact(a, b, c):
    if a * b // c < 2**30:
        assert muldiv(a, b, c) == a * b // c


@given(st.integers(0, 2**30 - 1))
def test_root_is_rounded_down(n):
    assert root(n) ** 2 <= n < (root(n) + 1) ** 2


@given(st.data())
def test_any_course_of_readings_keeps_to_small_ints(data):
    """Leaping temperatures, absurd currents, sensors that come and go: no field leaves 31 bits, and it never raises."""
    dice = random.Random(data.draw(st.integers(0, 10_000)))
    heating = Heating((0, 1), dice.choice((6_000, 32_000, 500_000)))
    decic = array("i", [0, 0])
    valid = array("b", [1, 1])
    moment = Moment(decic, valid)
    now_ms = 0
    heating.begin(now_ms, True)
    for _ in range(dice.randrange(50, 700)):
        moment.ma = dice.choice((0, 6_000, 32_000, 500_000, 1_000_000, -500))
        moment.is_measured = dice.random() < 0.97
        moment.is_plugged = dice.random() < 0.999
        for n in range(2):
            decic[n] = dice.choice((-500, 1500, 200, 350))
            valid[n] = dice.random() < 0.98
        now_ms = (now_ms + dice.choice((1000, 2000, 8000))) & 0x3FFFFFFF
        heating.tick(now_ms, moment)
        for part in (heating, *heating.contacts):
            for held in vars(part).values():
                for value in held if isinstance(held, array) else (held,):
                    assert isinstance(value, tuple) or abs(value) < 1 << 30


# Over sessions ----------------------------------------------------------------


def grown(*, worn_at=MOST, k=10_000):
    """Return a trend with a settled baseline of `k`."""
    trend = Trend(worn_at)
    dice = random.Random(3)
    for _ in range(20):
        trend.take(round(k * dice.uniform(0.96, 1.04)), k // 30, True, 0)
    assert trend.fields[VERDICT] == HEALTHY
    return trend


def live(trend, *sessions, spread=300):
    """Take (k, station) or k each; return the verdicts."""
    said = []
    for session in sessions:
        k, station = session if isinstance(session, tuple) else (session, 0)
        trend.take(k, spread, True, station)
        said.append(trend.fields[VERDICT])
    return said


def test_baseline_needs_its_sessions():
    trend = Trend(MOST)
    said = live(trend, *[10_000] * 12)
    assert said == [LEARNING] * 11 + [HEALTHY]


def test_bad_plug_among_the_first_hardly_moves_the_baseline():
    trend = Trend(MOST)
    live(trend, 10_000, 10_000, 10_000, 30_000, *[10_000] * 8)
    assert trend.fields[BASE] == pytest.approx(10_000, rel=0.05)


def test_contact_that_wears_is_watched_then_worn():
    said = live(grown(), *[10_000 + 100 * n for n in range(100)])
    first = {verdict: said.index(verdict) for verdict in (WATCH, WORN)}
    assert 25 <= first[WATCH] <= 34
    assert 50 <= first[WORN] <= 60
    assert said[-1] == WORN


def test_contact_that_will_derate_on_a_hot_day_is_worn_earlier():
    said = live(grown(worn_at=13_000), *[10_000 + 100 * n for n in range(100)])
    assert 30 <= said.index(WORN) <= 38


def test_season_of_a_tenth_is_no_wear():
    dice = random.Random(11)
    sessions = [
        round((10_000 + (1000 if n // 40 % 2 else -1000)) * dice.uniform(0.9, 1.1))
        for n in range(300)
    ]
    assert set(live(grown(), *sessions)) == {HEALTHY}


def test_one_warm_session_is_asked_about_and_followed_the_station_when_gone():
    trend = grown()
    assert live(trend, 20_000) == [JUMPED]
    assert live(trend, 10_000) == [PLUG_WARM]
    assert trend.fields[PLUGS] == 1
    assert live(trend, *[10_000] * 6)[-1] == HEALTHY
    assert trend.fields[FAST] == pytest.approx(10_000, rel=0.05)


def test_warm_at_two_stations_is_the_inlet():
    trend = grown()
    assert live(trend, (20_000, 1), (20_000, 2), (20_000, 3), (20_000, 1))[:2] == [JUMPED, WORN]
    assert trend.fields[VERDICT] == WORN


def test_warm_at_three_plug_ins_without_names_is_the_inlet():
    assert live(grown(), *[20_000] * 6) == [JUMPED, JUMPED, WORN, WORN, WORN, WORN]


def test_warm_at_one_known_station_asks_for_another_for_longer():
    assert live(grown(), *[(20_000, 7)] * 6) == [JUMPED] * 5 + [WORN]


def test_second_session_of_a_plug_in_is_no_evidence_for_the_inlet():
    trend = grown()
    live(trend, 20_000)
    for _ in range(10):
        trend.take(20_000, 300, False, 0)
    assert trend.fields[VERDICT] == JUMPED


def test_plug_that_wears_at_home_is_told_by_a_visit_elsewhere():
    trend = grown()
    assert live(trend, *[10_000 + 100 * n for n in range(100)])[-1] == WORN
    assert live(trend, 10_000)[-1] == WORN
    assert live(trend, 20_000)[-1] == PLUG_WARM


def test_doubtful_session_does_not_jump():
    trend = grown()
    trend.take(16_000, 3_000, True, 0)
    assert trend.fields[VERDICT] == HEALTHY


# The record -------------------------------------------------------------------


def stored():
    """Return a record with something in it, and its owner."""
    owner = ContactHealth((0, 1), 32_000, 600)
    for trend in owner.trends:
        live(trend, *[10_000 + 10 * n for n in range(60)])
        trend.fields[health.LAG_COUNT] = 4
        trend.fields[health.LAG_X16] = 33
    record = array("i", [-1] * (owner.size + 7))
    owner.dump(record, 3)
    return owner, record


def test_record_comes_back_whole():
    owner, record = stored()
    assert list(record[:3]) == [-1] * 3
    assert list(record[3 + owner.size :]) == [-1] * 4
    other = ContactHealth((0, 1), 32_000, 600)
    assert other.load(record, 3)
    assert [list(t.fields) for t in other.trends] == [list(t.fields) for t in owner.trends]
    assert [x.use_lag_x16 for x in other.heating.contacts] == [33, 33]


@given(st.data())
def test_any_changed_int_is_refused_and_nothing_is_lost(data):
    owner, record = stored()
    at = data.draw(st.integers(3, 3 + owner.size - 1))
    record[at] ^= data.draw(st.integers(1, 2**20))
    before = [list(t.fields) for t in owner.trends]
    assert not owner.load(record, 3)
    assert [list(t.fields) for t in owner.trends] == before


def test_record_of_another_inlet_or_cut_short_is_refused():
    owner, record = stored()
    assert not ContactHealth((0, 1, 2), 32_000, 600).load(record, 3)
    assert not owner.load(record[: 3 + owner.size - 1], 3)
    assert not owner.load(array("i", [0] * 100), 0)


def test_field_outside_its_bounds_is_refused_though_the_sum_is_right():
    owner, record = stored()
    owner.trends[0].fields[VERDICT] = PLUG_WARM + 1
    owner.dump(record, 3)
    assert not owner.load(record, 3)


def test_every_field_has_its_bound():
    assert len(health._MOST_OF) == FIELDS


# The whole --------------------------------------------------------------------


def test_session_by_session_the_contact_is_learned_and_its_heat_foretold():
    owner = ContactHealth((0, 1), 32_000, 600)
    rig = Rig(owner.heating)
    rig.judge = owner
    for _ in range(17):
        rig.now_ms = (rig.now_ms + 3_600_000) & 0x3FFFFFFF
        rig.rise_now = [0.0, 0.0]
        rig.run(20, 0)
        rig.run(3000, 32)
        rig.pull()
    assert rig.judged == 17
    assert [owner.verdict(n) for n in range(2)] == [HEALTHY, HEALTHY]
    # 40 C and 15 K, at a contact of 60 C by the firmware's rule for copper.
    assert owner.predicted_decic(0) == pytest.approx(400 + 150 * 1.08 / 1.03, abs=8)


@given(
    st.lists(
        st.tuples(st.integers(0, MOST), st.integers(0, MOST), st.booleans(), st.integers(0, 255)),
        max_size=60,
    )
)
def test_any_course_of_sessions_stays_within_the_record(sessions):
    owner = ContactHealth((0,), 32_000, 600)
    for k, spread, is_new_plug, station in sessions:
        owner.trends[0].take(k, spread, is_new_plug, station)
    record = array("i", [0] * owner.size)
    owner.dump(record, 0)
    assert ContactHealth((0,), 32_000, 600).load(record, 0)
