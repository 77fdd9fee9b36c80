"""vehicle.schedule: windows to the minute, target with hysteresis, a person's limit, and "charge now"."""

import random
from itertools import pairwise, product

import pytest

from faults import H_NO_CLOCK, H_PERSON_LIMIT, H_TARGET, H_WINDOW
from settings import Settings
from ticks import ticks_add
from vehicle import schedule
from vehicle.schedule import (
    _NEXT,
    BUTTON_ASKS,
    BUTTON_EVENT_NAMES,
    BUTTON_NAMES,
    BUTTON_OTHER,
    BUTTON_UP,
    Schedule,
    is_within,
)

MON, TUE, SUN = 1, 2, 64
ALL_DAYS = 127
DAY = 1440


def at(day, hour, minute=0):
    return day * DAY + hour * 60 + minute


class Bench:
    def __init__(self, start_ms=(1 << 30) - 5000, **settings):
        self.schedule = Schedule(Settings({"inlet": 1, "max_current_ma": 32000, **settings}))
        self.now_ms = start_ms
        self.clock_ok = True
        self.minute = 0
        self.soc_ok = False
        self.soc_pct = 0
        self.car_target_pct = 100
        self.is_plugged = True
        self.stop_button = False
        self.s2_closed = False
        self.go(0)

    def go(self, ms=50, **changes):
        for name, value in changes.items():
            assert hasattr(self, name)
            setattr(self, name, value)
        for _ in range(max(1, ms // 50)):
            self.now_ms = ticks_add(self.now_ms, 50)
            self.schedule.tick(
                self.now_ms, self.clock_ok, self.minute, self.soc_ok, self.soc_pct, self.car_target_pct,
                self.is_plugged, self.stop_button, self.s2_closed,
            )  # fmt: skip
        return self.schedule.holds

    def press(self, ms):
        self.go(ms, stop_button=True)
        return self.go(50, stop_button=False)


NIGHT = {"window_1_days": MON | SUN, "window_1_from_min": 22 * 60, "window_1_to_min": 6 * 60}
MORNING = {"window_2_days": TUE, "window_2_from_min": 9 * 60, "window_2_to_min": 10 * 60}


# windows


def test_a_window_within_a_day_has_its_first_minute_and_not_its_last():
    edges = {at(1, 9) - 1: False, at(1, 9): True, at(1, 10) - 1: True, at(1, 10): False}
    for minute, is_in in edges.items():
        assert is_within(minute, TUE, 9 * 60, 10 * 60) is is_in, minute
    assert not is_within(at(0, 9), TUE, 9 * 60, 10 * 60)
    assert not is_within(at(2, 9), TUE, 9 * 60, 10 * 60)


def test_a_window_over_midnight_belongs_to_the_day_it_began():
    inside = [m for m in range(7 * DAY) if is_within(m, MON, 22 * 60, 6 * 60)]
    assert inside == list(range(at(0, 22), at(1, 6)))


def test_a_window_over_the_end_of_the_week_ends_on_monday():
    inside = {m for m in range(7 * DAY) if is_within(m, SUN, 22 * 60, 6 * 60)}
    assert inside == {*range(at(6, 22), 7 * DAY), *range(at(0, 6))}


@pytest.mark.parametrize("from_min", [0, 1, 777, 1439])
def test_a_window_that_ends_where_it_begins_is_a_whole_day(from_min):
    inside = [m for m in range(7 * DAY) if is_within(m, TUE, from_min, from_min)]
    assert inside == list(range(DAY + from_min, 2 * DAY + from_min))


def test_any_window_is_what_counting_its_minutes_gives():
    seed = random.randrange(1 << 30)
    print("seed", seed)
    rng = random.Random(seed)
    for _ in range(60):
        days, from_min, to_min = rng.randrange(128), rng.randrange(DAY), rng.randrange(DAY)
        wanted = set()
        for day in range(7):
            if days >> day & 1:
                length = (to_min - from_min) % DAY or DAY
                wanted |= {(day * DAY + from_min + n) % (7 * DAY) for n in range(length)}
        for minute in range(0, 7 * DAY, 7):
            assert is_within(minute, days, from_min, to_min) == (minute in wanted)


def test_outside_both_windows_it_holds_and_inside_either_it_does_not():
    bench = Bench(**NIGHT, **MORNING)
    for minute, holds in (
        (at(0, 21, 59), H_WINDOW), (at(0, 22), 0), (at(1, 5, 59), 0), (at(1, 6), H_WINDOW),
        (at(1, 9), 0), (at(1, 10), H_WINDOW), (at(6, 23), 0), (at(0, 1), 0), (at(2, 1), H_WINDOW),
    ):  # fmt: skip
        assert bench.go(minute=minute) == holds, minute


def test_without_windows_there_is_no_hold_and_no_word_about_a_clock():
    assert Bench().go(clock_ok=False) == 0


def test_without_a_clock_it_charges_now_and_says_so():
    bench = Bench(**MORNING)
    assert bench.go() == H_WINDOW
    assert bench.go(clock_ok=False) == H_NO_CLOCK
    assert bench.go(clock_ok=True) == H_WINDOW


# target


def test_a_target_holds_when_reached_and_lets_go_two_percent_below():
    bench = Bench(target_soc_pct=80)
    seen = [bench.go(soc_ok=True, soc_pct=pct) for pct in (79, 80, 79, 81, 79, 78, 79, 80)]
    t = H_TARGET
    assert seen == [0, t, t, t, t, 0, 0, t]


def test_a_target_of_100_is_none():
    assert Bench().go(soc_ok=True, soc_pct=100) == 0


def test_a_new_plug_in_is_charged_to_the_target_again():
    bench = Bench(target_soc_pct=80)
    assert bench.go(soc_ok=True, soc_pct=80) == H_TARGET
    assert bench.go(soc_pct=79) == H_TARGET
    assert bench.go(is_plugged=False) == 0
    assert bench.go(is_plugged=True) == 0


def test_without_a_state_of_charge_the_target_is_not_kept():
    assert Bench(target_soc_pct=1).go(soc_pct=50) == 0


def test_a_state_of_charge_that_falls_silent_counts_for_a_minute():
    bench = Bench(target_soc_pct=80)
    bench.go(soc_ok=True, soc_pct=90)
    assert bench.go(59_950, soc_ok=False) == H_TARGET
    assert bench.go(50) == 0
    assert bench.go(soc_ok=True) == H_TARGET


def test_of_two_targets_the_lower_one_counts():
    bench = Bench(target_soc_pct=80)
    assert bench.go(soc_ok=True, soc_pct=60, car_target_pct=60) == H_TARGET
    assert bench.go(car_target_pct=100) == 0
    assert bench.go(soc_pct=80, car_target_pct=90) == H_TARGET


def test_a_cars_target_counts_where_a_person_has_none_and_goes_with_it():
    bench = Bench()
    assert bench.go(soc_ok=True, soc_pct=70, car_target_pct=70) == H_TARGET
    assert bench.go(car_target_pct=100) == 0


# limit


@pytest.mark.parametrize(
    ("limit_ma", "holds"), [(0, H_PERSON_LIMIT), (5999, H_PERSON_LIMIT), (6000, 0), (80000, 0)]
)
def test_a_limit_below_the_minimum_holds(limit_ma, holds):
    bench = Bench(person_limit_ma=limit_ma)
    assert bench.go() == holds and bench.schedule.person_limit_ma == limit_ma


def test_the_minimum_is_the_settings():
    assert Bench(person_limit_ma=9999, min_current_ma=10000).go() == H_PERSON_LIMIT


# charge now


def test_a_short_press_while_a_window_is_waited_for_charges_now_until_the_plug_is_out():
    bench = Bench(**MORNING)
    assert bench.press(200) == 0
    assert bench.go(3_600_000, s2_closed=True) == 0
    assert bench.go(is_plugged=False, s2_closed=False) == H_WINDOW
    assert bench.go(is_plugged=True) == H_WINDOW


@pytest.mark.parametrize(
    ("ms", "is_now"), [(50, True), (1000, True), (1150, False), (20_000, False)]
)
def test_a_press_is_short_up_to_a_second(ms, is_now):
    bench = Bench(**MORNING)
    assert (bench.press(ms) == 0) is is_now


def test_nothing_happens_before_the_button_is_let_go():
    bench = Bench(**MORNING)
    assert bench.go(500, stop_button=True) == H_WINDOW


def test_a_press_with_no_plug_in_does_nothing():
    bench = Bench(**MORNING)
    bench.go(is_plugged=False)
    bench.press(200)
    assert bench.go(is_plugged=True) == H_WINDOW


def test_a_press_that_began_while_charging_is_a_stop():
    bench = Bench(**MORNING)
    bench.press(200)
    bench.go(s2_closed=True)
    bench.go(stop_button=True)
    assert bench.go(s2_closed=False) == H_WINDOW
    assert bench.go(stop_button=False) == H_WINDOW
    assert bench.press(200) == 0


def test_a_press_that_began_before_the_window_closed_asks_for_nothing():
    bench = Bench(**MORNING)
    bench.go(minute=at(1, 9))
    bench.go(stop_button=True)
    bench.go(minute=at(1, 10))
    assert bench.go(stop_button=False) == H_WINDOW


def test_a_plug_pulled_during_the_press_leaves_nothing_behind():
    bench = Bench(**MORNING)
    bench.go(200, stop_button=True)
    bench.go(is_plugged=False)
    bench.go(stop_button=False)
    assert bench.go(is_plugged=True) == H_WINDOW


def test_a_window_that_opened_during_the_press_leaves_nothing_behind():
    bench = Bench(**MORNING)
    bench.go(minute=at(1, 8), stop_button=True)
    bench.go(minute=at(1, 9))
    bench.go(stop_button=False)
    assert bench.go(minute=at(1, 10)) == H_WINDOW


def test_charge_now_lifts_the_window_only():
    bench = Bench(**MORNING, target_soc_pct=50, person_limit_ma=0)
    bench.go(soc_ok=True, soc_pct=60)
    assert bench.press(200) == H_TARGET | H_PERSON_LIMIT


def test_the_console_may_ask_while_a_window_is_waited_for_only():
    bench = Bench(**MORNING)
    assert bench.schedule.charge_now()
    assert bench.go() == 0
    assert not bench.schedule.charge_now()
    assert not Bench().schedule.charge_now()
    bench.go(is_plugged=False)
    assert not bench.schedule.charge_now()


def test_a_button_that_hangs_for_weeks_asks_for_nothing():
    bench = Bench(**MORNING)
    bench.go(stop_button=True)
    for _ in range(3):
        bench.now_ms = ticks_add(bench.now_ms, (1 << 29) - 100)
        assert bench.go(2000) == H_WINDOW
    assert bench.go(stop_button=False) == H_WINDOW


# the button's table


def test_the_buttons_table_is_full():
    assert len(_NEXT) == len(BUTTON_NAMES)
    for row in _NEXT:
        assert len(row) == len(BUTTON_EVENT_NAMES)
        assert all(0 <= cell < len(BUTTON_NAMES) for cell in row)


def test_constants_number_the_buttons_names():
    for n, name in enumerate(BUTTON_NAMES):
        assert getattr(schedule, "BUTTON_" + name.upper()) == n
    for n, name in enumerate(BUTTON_EVENT_NAMES):
        assert getattr(schedule, "B_" + name.upper()) == n


def test_each_cell_of_the_buttons_table_is_what_was_meant():
    up, asks, other = BUTTON_UP, BUTTON_ASKS, BUTTON_OTHER
    assert _NEXT == ((up, asks, other, other), (up, asks, asks, other), (up, other, other, other))


@pytest.mark.parametrize("old", range(len(BUTTON_NAMES)))
def test_every_transition_of_the_button_happens(old):
    to_old = {BUTTON_UP: (), BUTTON_ASKS: ((at(1, 8), 50),), BUTTON_OTHER: ((at(1, 9), 50),)}[old]
    inputs = (
        {"stop_button": False}, {"stop_button": True, "minute": at(1, 8)},
        {"stop_button": True, "minute": at(1, 9)}, {"stop_button": True, "ms": 1100},
    )  # fmt: skip
    for event, change in enumerate(inputs):
        if event == 3 and old == BUTTON_UP:
            continue  # nothing is long before it begins
        bench = Bench(**MORNING)
        bench.go(minute=at(1, 9))
        for minute, ms in to_old:
            bench.go(minute=minute)
            bench.go(ms, stop_button=True)
        if "minute" in change:
            bench.go(minute=change["minute"])
        if event == 2 and old == BUTTON_OTHER:
            bench.go(minute=at(1, 9))
        bench.go(**change)
        assert bench.schedule.button == _NEXT[old][event], (old, event)


# any input


def test_for_any_input_it_only_holds_its_own_bits_and_never_raises_the_limit():
    seed = random.randrange(1 << 30)
    print("seed", seed)
    rng = random.Random(seed)
    for _ in range(40):
        limit_ma = rng.choice((0, 5999, 6000, 10000, 80000))
        bench = Bench(
            person_limit_ma=limit_ma, target_soc_pct=rng.choice((1, 50, 99, 100)),
            **(NIGHT if rng.random() < 0.5 else {}), **(MORNING if rng.random() < 0.5 else {}),
        )  # fmt: skip
        has_window = bool(bench.schedule._days_1 or bench.schedule._days_2)
        for _ in range(200):
            holds = bench.go(
                rng.choice((50, 200, 1500)), clock_ok=rng.random() < 0.8, minute=rng.randrange(7 * DAY),
                soc_ok=rng.random() < 0.8, soc_pct=rng.randrange(101),
                car_target_pct=rng.choice((50, 100)), is_plugged=rng.random() < 0.9,
                stop_button=rng.random() < 0.3, s2_closed=rng.random() < 0.3,
            )  # fmt: skip
            assert bench.schedule.person_limit_ma == limit_ma
            assert not holds & ~(H_WINDOW | H_TARGET | H_PERSON_LIMIT | H_NO_CLOCK)
            assert bool(holds & H_PERSON_LIMIT) == (limit_ma < 6000)
            assert not holds & (H_WINDOW | H_NO_CLOCK) or has_window
            assert not (holds & H_WINDOW and holds & H_NO_CLOCK)
            if not bench.is_plugged:
                assert not bench.schedule.is_now


def test_the_windows_of_the_bench_are_inside_a_week_and_apart():
    """Anti-vacuity: each of the minutes the tests above use as "outside" is so."""
    inside = [m for m in range(7 * DAY) if is_within(m, TUE, 540, 600)]
    assert all(b - a == 1 for a, b in pairwise(inside)) and len(inside) == 60
    assert not any(is_within(m, TUE, 540, 600) for m, _ in product((0, at(1, 8), at(1, 10)), "x"))


def test_a_clock_that_may_yet_come_on_can_holds_the_window_for_three_seconds():
    """After a reset with the plug in: nothing is charged in a window that nobody has looked up."""
    settings = Settings(
        {"inlet": 1, "max_current_ma": 32000, "can": 1, "window_1_days": ALL_DAYS,
         "window_1_from_min": 60, "window_1_to_min": 120}
    )  # fmt: skip
    bench = Bench()
    bench.schedule = Schedule(settings, True)
    assert bench.go(2900, clock_ok=False) == H_WINDOW
    assert bench.go(300) == H_NO_CLOCK
    assert bench.go(50, clock_ok=True, minute=90) == 0
    assert bench.go(50, clock_ok=False) == H_NO_CLOCK, "lost later: charging goes on, and says so"
