"""vehicle.heater.Heater: when it heats, what supervises it, and every cell of its table."""

import random
from types import SimpleNamespace

import pytest

import faults
from faults import H_HEATER
from ticks import ticks_add
from vehicle import heater as h
from vehicle.heater import (
    COLD,
    COOLING,
    HANGS,
    HEATER_EVENT_NAMES,
    HEATER_NAMES,
    HEATING,
    HOUR_MAX_MS,
    OFF,
    S2_MAX_DECIC,
    WARMING,
    Heater,
)

PASS_MS = 1000
MINUTE_MS = 60_000
STARTS_MS = (0, (1 << 30) - 50_000)


class Bench:
    """A port whose temperature a test moves: `rate` in 0.1 K a second while heated, `fall` while not."""

    def __init__(self, start_ms=0, derate_start_decic=600):
        self.heater = Heater(SimpleNamespace(derate_start_decic=derate_start_decic))
        self.now_ms = start_ms
        self.is_wanted = False
        self.s2_closed = False
        self.is_ok = True
        self.faults = 0
        self.decic = -50
        self.rate = 0
        self.fall = 0
        self.on_ms = 0

    def go(self, ms=PASS_MS, pass_ms=PASS_MS, **changes):
        for name, value in changes.items():
            assert hasattr(self, name)
            setattr(self, name, value)
        for _ in range(ms // pass_ms):
            was_on = self.heater.is_on
            self.now_ms = ticks_add(self.now_ms, pass_ms)
            self.decic += self.rate if was_on else -self.fall
            self.on_ms += pass_ms if was_on else 0
            self.heater.tick(
                self.now_ms, self.is_wanted, self.s2_closed, self.is_ok, self.decic, self.faults
            )
        return self.heater.state

    @property
    def is_on(self):
        return self.heater.is_on

    @property
    def is_wrong(self):
        assert self.heater.holds in (0, H_HEATER)
        return self.heater.holds == H_HEATER


def to(state, start_ms=0):
    """Return a bench in this state."""
    bench = Bench(start_ms)
    if state == OFF:
        bench.go()
    elif state == WARMING:
        bench.go(is_wanted=True)
    elif state == HEATING:
        bench.go(5000, is_wanted=True, rate=10)
        bench.rate = 0
    elif state == COOLING:
        bench = to(HEATING, start_ms)
        bench.go(is_wanted=False)
    elif state == COLD:
        while bench.go(is_wanted=True) != COLD:
            assert bench.on_ms <= 121_000
    else:
        bench = to(COOLING, start_ms)
        bench.go(601_000)
    assert bench.heater.state == state
    return bench


# the table


def test_table_is_full_and_what_is_energised_is_two_states():
    assert len(h._NEXT) == len(HEATER_NAMES) == len(h._IS_ON)
    for row in h._NEXT:
        assert len(row) == len(HEATER_EVENT_NAMES)
        assert all(0 <= cell < len(HEATER_NAMES) for cell in row)
    assert [n for n, is_on in enumerate(h._IS_ON) if is_on] == [WARMING, HEATING]


def test_constants_number_the_names():
    for n, name in enumerate(HEATER_NAMES):
        assert getattr(h, name.upper()) == n
    for n, name in enumerate(HEATER_EVENT_NAMES):
        assert getattr(h, "E_" + name.upper()) == n


def test_each_cell_that_moves_is_what_was_meant():
    moves = {
        (HEATER_NAMES[s], HEATER_EVENT_NAMES[e]): HEATER_NAMES[cell]
        for s, row in enumerate(h._NEXT)
        for e, cell in enumerate(row)
        if cell != s
    }
    assert moves == {
        ("off", "wanted"): "warming",
        ("warming", "stop"): "off",
        ("warming", "risen"): "heating",
        ("warming", "no_rise"): "cold",
        ("warming", "blind"): "off",
        ("heating", "stop"): "cooling",
        ("heating", "blind"): "off",
        ("cooling", "fallen"): "off",
        ("cooling", "no_fall"): "hangs",
        ("cooling", "blind"): "off",
        ("cold", "rested"): "off",
        ("hangs", "fallen"): "off",
    }


STOP = {"is_wanted": False}
BLIND = {"is_ok": False}
TRANSITIONS = [
    (OFF, {"is_wanted": True}, 1000, WARMING),
    (WARMING, STOP, 1000, OFF),
    (WARMING, {"rate": 20}, 1000, HEATING),
    (WARMING, {}, 120_000, COLD),
    (WARMING, BLIND, 1000, OFF),
    (HEATING, STOP, 1000, COOLING),
    (HEATING, BLIND, 1000, OFF),
    (COOLING, {"fall": 10}, 1000, OFF),
    (COOLING, {}, 600_000, HANGS),
    (COOLING, BLIND, 1000, OFF),
    (COLD, STOP, 3_600_000, OFF),
    (HANGS, {"fall": 10}, 1000, OFF),
]


@pytest.mark.parametrize("start_ms", STARTS_MS)
@pytest.mark.parametrize(("old", "change", "ms", "new"), TRANSITIONS)
def test_every_transition_happens_in_its_time_and_not_before(old, change, ms, new, start_ms):
    bench = to(old, start_ms)
    if ms > 1000:
        assert bench.go(ms - 1000, **change) == old
        change = {}
    assert bench.go(1000, **change) == new


def test_every_transition_of_the_table_is_among_them():
    moves = {(s, cell) for s, row in enumerate(h._NEXT) for cell in row if cell != s}
    assert moves == {(old, new) for old, _, _, new in TRANSITIONS}


# what it heats for


def test_it_heats_only_while_wanted():
    bench = Bench()
    assert bench.go(10_000) == OFF
    bench.go(is_wanted=True)
    assert bench.is_on
    bench.go(is_wanted=False)
    assert not bench.is_on


@pytest.mark.parametrize(("derate", "off_decic"), [(600, 400), (300, 100), (800, 600)])
def test_it_goes_off_20_kelvin_below_derating_and_on_again_5_below_that(derate, off_decic):
    bench = Bench(derate_start_decic=derate)
    bench.go(is_wanted=True, decic=off_decic - 51)
    assert bench.is_on
    bench.go(decic=off_decic - 1)
    assert bench.is_on and bench.heater.state == HEATING
    bench.go(decic=off_decic)
    assert not bench.is_on
    bench.go(2000, decic=off_decic - 50)
    assert not bench.is_on
    bench.go(decic=off_decic - 51)
    assert bench.is_on


def test_it_does_not_begin_where_it_is_warm():
    bench = Bench()
    bench.go(10_000, is_wanted=True, decic=400)
    assert bench.on_ms == 0


def test_with_s2_closed_it_heats_a_cold_port_only():
    bench = Bench()
    bench.go(is_wanted=True, s2_closed=True, decic=S2_MAX_DECIC - 1)
    assert bench.is_on
    bench.go(decic=S2_MAX_DECIC)
    assert not bench.is_on
    bench.go(s2_closed=False)
    assert bench.is_on


BROKEN = [
    faults.F_TEMP_OPEN, faults.F_TEMP_SHORT, faults.F_TEMP_STALE, faults.F_TEMP_STUCK,
    faults.F_TEMP_RISE, faults.F_TEMP_DISAGREE,
]  # fmt: skip


@pytest.mark.parametrize("fault", BROKEN)
@pytest.mark.parametrize("state", [WARMING, HEATING])
def test_a_broken_sensor_is_no_heat(fault, state):
    bench = to(state)
    bench.go(faults=fault)
    assert not bench.is_on
    bench.go(10_000)
    assert not bench.is_on and not bench.is_wrong
    bench.go(2000, faults=0)
    assert bench.is_on


def test_a_fault_of_another_part_does_not_keep_it_from_heating():
    bench = to(WARMING)
    bench.go(faults=faults.F_FAILED_UNLOCK)
    assert bench.is_on


# its bounds in time


@pytest.mark.parametrize("start_ms", STARTS_MS)
def test_at_most_20_minutes_of_any_hour(start_ms):
    bench = Bench(start_ms)
    on = []
    bench.go(is_wanted=True, rate=1)
    for _ in range(5 * 3600):
        bench.decic = min(bench.decic, 300)
        if not bench.is_on:
            bench.decic = -50
        bench.go()
        on.append(bench.is_on)
    sums = [0]
    for is_on in on:
        sums.append(sums[-1] + is_on)
    worst = max(sums[n] - sums[n - 3600] for n in range(3600, len(sums)))
    assert 15 * 60 <= worst <= HOUR_MAX_MS // 1000 + 1
    assert sums[-1] >= 4 * 15 * 60, "it heats again in every further hour"


def test_more_than_an_hour_without_a_pass_forgets_what_was_spent():
    bench = to(HEATING)
    bench.go(900_000)
    bench.go(is_wanted=False)
    bench.now_ms = ticks_add(bench.now_ms, 2 * 3_600_000)
    bench.go()
    assert bench.heater.spent_ms() == 0


# supervision


def test_heat_that_never_arrives_is_told_and_rests_for_an_hour():
    bench = to(COLD)
    assert bench.is_wrong and not bench.is_on
    bench.go(3_600_000)
    assert bench.is_wrong, "until it has proven to heat"
    bench.go(10_000, rate=10)
    assert bench.heater.state == HEATING and not bench.is_wrong


def test_a_rise_of_2_kelvin_in_time_is_enough_and_1_9_is_not():
    for decic, state in ((-31, COLD), (-30, HEATING)):
        bench = to(WARMING)
        bench.go(119_000)
        assert bench.go(2000, decic=decic) == state


def test_a_port_that_first_gets_colder_is_judged_from_its_coldest():
    bench = to(WARMING)
    bench.go(10_000, decic=-100)
    assert bench.go(decic=-80) == HEATING


def test_heating_at_short_intervals_adds_up():
    bench = Bench()
    for _ in range(4):
        bench.go(31_000, is_wanted=True)
        bench.go(31_000, is_wanted=False)
    assert bench.heater.state == COLD


def test_a_rise_by_the_weather_while_it_was_off_proves_nothing():
    bench = to(WARMING)
    bench.go(60_000)
    bench.go(600_000, is_wanted=False)
    assert bench.go(2000, is_wanted=True, decic=50) == WARMING
    assert bench.go(118_000) == WARMING, "and the time begins anew"


def test_a_port_that_stays_hot_is_told_until_it_cools():
    bench = to(HANGS)
    assert bench.is_wrong
    bench.go(3_600_000, is_wanted=True)
    assert bench.is_wrong and not bench.is_on
    bench.go(decic=bench.decic - 10)
    assert not bench.is_wrong


def test_warmth_that_spreads_after_the_end_is_no_fault():
    bench = to(COOLING)
    bench.go(300_000, decic=bench.decic + 30)
    bench.go(290_000)
    assert bench.go(decic=bench.decic - 10) == OFF and not bench.is_wrong


def test_a_charging_current_hides_whether_it_cools():
    bench = to(COOLING)
    assert bench.go(s2_closed=True) == OFF and not bench.is_wrong


def test_it_has_to_cool_before_it_heats_again():
    bench = to(COOLING)
    bench.go(10_000, is_wanted=True)
    assert not bench.is_on
    bench.go(2000, decic=bench.decic - 10)
    assert bench.is_on


# any input


def test_for_any_input_it_heats_only_where_it_may():
    seed = random.randrange(1 << 30)
    print("seed", seed)
    rng = random.Random(seed)
    heated = 0
    for _ in range(30):
        bench = Bench(rng.choice(STARTS_MS))
        for _ in range(400):
            bench.go(
                rng.choice((1000, 20_000)), is_wanted=rng.random() < 0.8, s2_closed=rng.random() < 0.2,
                is_ok=rng.random() < 0.95, decic=rng.randrange(-300, 500),
                faults=rng.choice((0, 0, 0, *BROKEN)),
            )  # fmt: skip
            if bench.is_on:
                heated += 1
                assert bench.is_wanted and bench.is_ok and not bench.faults
                assert bench.decic < bench.heater.off_decic
                assert not (bench.s2_closed and bench.decic >= S2_MAX_DECIC)
            assert bench.is_on == h._IS_ON[bench.heater.state]
            assert bench.heater.spent_ms() <= HOUR_MAX_MS + 1000
    assert heated > 1000
