"""vehicle.clock.Clock: who may set it, how it is kept, what it refuses, and when it is none any more."""

import random

import pytest

from ticks import ticks_add
from vehicle.clock import FROM_CAR, FROM_PERSON, NO_SOURCE, SOURCE_NAMES, WEEK_MIN, Clock

MINUTE_MS = 60000
STARTS_MS = (0, (1 << 30) - 30_000)


class Bench:
    def __init__(self, start_ms=0):
        self.clock = Clock()
        self.now_ms = start_ms
        self.car_min = None  # what the car says; it goes on by itself
        self._car_ms = 0

    def say(self, minute):
        """The car tells this time from now on, and its minute has just begun."""
        self.car_min = minute
        self._car_ms = 0

    def go(self, ms, step_ms=50):
        for _ in range(ms // step_ms):
            self.now_ms = ticks_add(self.now_ms, step_ms)
            self.clock.tick(self.now_ms)
            if self.car_min is not None:
                self._car_ms += step_ms
                if self._car_ms >= MINUTE_MS:
                    self._car_ms -= MINUTE_MS
                    self.car_min = (self.car_min + 1) % WEEK_MIN
                self.clock.hear(self.now_ms, self.car_min)
        return self

    def set(self, minute):
        return self.clock.set_by_person(self.now_ms, minute)

    @property
    def told(self):
        clock = self.clock
        return clock.is_set, clock.minute, clock.source


def test_a_week_has_10080_minutes():
    assert WEEK_MIN == 7 * 24 * 60


def test_it_is_none_until_told():
    assert Bench().go(10 * MINUTE_MS).told == (False, 0, NO_SOURCE)


@pytest.mark.parametrize("start_ms", STARTS_MS)
def test_a_persons_time_goes_on_by_itself_over_the_wrap_and_the_end_of_the_week(start_ms):
    bench = Bench(start_ms)
    assert bench.set(WEEK_MIN - 1)
    assert bench.go(MINUTE_MS - 50).clock.minute == WEEK_MIN - 1
    assert bench.go(50).told == (True, 0, FROM_PERSON)
    assert bench.go(90 * MINUTE_MS).clock.minute == 90
    assert bench.clock.age_min == 91


def test_long_passes_lose_no_time():
    bench = Bench((1 << 30) - 1000)
    bench.set(100)
    assert bench.go(600 * MINUTE_MS, 7 * MINUTE_MS + 13_000).clock.minute in (698, 699, 700)
    assert bench.clock.minute == 100 + (bench.now_ms + 1000) // MINUTE_MS


@pytest.mark.parametrize("minute", [-1, WEEK_MIN, 1 << 29])
def test_nonsense_is_refused_from_either_side(minute):
    bench = Bench()
    assert not bench.set(minute) and bench.told == (False, 0, NO_SOURCE)
    bench.say(minute)
    assert bench.go(200).told == (False, 0, NO_SOURCE)
    assert bench.clock.refused == 1


@pytest.mark.parametrize("minute", [0, WEEK_MIN - 1])
def test_the_ends_of_the_week_are_taken(minute):
    bench = Bench()
    assert bench.set(minute) and bench.told == (True, minute, FROM_PERSON)
    bench.say(minute)
    assert bench.go(50).told == (True, minute, FROM_CAR)


def test_the_cars_first_word_counts_at_once_even_against_a_persons():
    bench = Bench()
    bench.set(100)
    bench.say(5000)
    assert bench.go(50).told == (True, 5000, FROM_CAR)


def test_a_person_is_refused_while_the_car_tells_the_time_and_for_ten_minutes_more():
    bench = Bench()
    bench.say(5000)
    bench.go(100)
    assert not bench.set(100)
    bench.car_min = None
    bench.go(10 * MINUTE_MS - 100)
    assert not bench.set(100)
    bench.go(200)
    assert bench.set(100) and bench.told == (True, 100, FROM_PERSON)


@pytest.mark.parametrize("ahead", [1, 2])
def test_a_car_a_little_ahead_is_followed_at_once(ahead):
    bench = Bench()
    bench.say(5000)
    bench.go(20_000)
    bench.say(5000 + ahead)
    assert bench.go(50).clock.minute == 5000 + ahead
    assert bench.clock.refused == 0


@pytest.mark.parametrize("behind", [1, 2])
def test_a_car_a_little_behind_is_waited_for_and_no_minute_comes_twice(behind):
    bench = Bench()
    bench.say(5000)
    bench.go(100)
    bench.say(5000 - behind)
    seen = []
    for _ in range(5 * 60):
        seen.append(bench.go(1000).clock.minute)
    assert seen == sorted(seen)
    assert seen[-1] == bench.car_min and bench.clock.refused == 0


@pytest.mark.parametrize("jump", [3, -3, 60, -60, 1440, 5000])
def test_a_jump_is_refused_until_the_car_has_stood_by_it_for_a_minute(jump):
    bench = Bench(STARTS_MS[1])
    bench.say(5000)
    bench.go(100)
    bench.say((5000 + jump) % WEEK_MIN)
    bench.go(MINUTE_MS - 100)
    assert bench.clock.minute == 5000 and bench.clock.refused == 1
    bench.go(200)
    assert bench.clock.minute == bench.car_min and bench.clock.refused == 1


def test_a_car_heard_once_in_a_while_is_believed_when_its_words_fit_together():
    bench = Bench()
    bench.say(5000)
    bench.go(100)
    bench.car_min = None
    bench.go(MINUTE_MS)
    bench.clock.hear(bench.now_ms, 300)
    bench.go(20 * MINUTE_MS)
    assert bench.clock.minute != 320
    bench.clock.hear(bench.now_ms, 320)
    assert bench.clock.minute == 320


@pytest.mark.parametrize(("strays", "is_taken"), [(-3, False), (-2, True), (2, True), (3, False)])
def test_words_fit_together_within_two_minutes(strays, is_taken):
    bench = Bench()
    bench.say(5000)
    bench.go(100)
    bench.car_min = None
    bench.clock.hear(bench.now_ms, 300)
    bench.go(20 * MINUTE_MS)
    bench.clock.hear(bench.now_ms, 320 + strays)
    assert (bench.clock.minute == 320 + strays) is is_taken


def test_a_jump_taken_back_and_made_again_begins_its_minute_anew_and_is_counted_anew():
    bench = Bench()
    bench.say(5000)
    bench.go(100)
    for refused in (1, 2):
        bench.say(300)
        bench.go(40_000)
        assert bench.clock.refused == refused and bench.clock.minute in (5000, 5001)
        bench.say(bench.clock.minute)
        bench.go(1000)
    bench.say(300)
    bench.go(MINUTE_MS - 100)
    assert bench.clock.minute > 5000
    bench.go(200)
    assert bench.clock.minute == 301


def test_times_that_never_agree_are_never_believed():
    bench = Bench()
    bench.say(5000)
    bench.go(100)
    bench.car_min = None
    for n in range(200):
        bench.go(1000)
        bench.clock.hear(bench.now_ms, 100 if n % 2 else 9000)
    assert bench.clock.minute == 5003 and bench.clock.refused > 100


def test_after_a_week_without_a_source_it_is_no_clock():
    bench = Bench()
    bench.set(0)
    bench.go(7 * 1440 * MINUTE_MS - MINUTE_MS, MINUTE_MS)
    assert bench.clock.is_set and bench.clock.age_min == 10079
    bench.go(MINUTE_MS, MINUTE_MS)
    assert not bench.clock.is_set and bench.clock.source == NO_SOURCE
    bench.say(77)
    assert bench.go(50).told == (True, 77, FROM_CAR)


def test_a_clock_that_is_told_stays_one_for_weeks():
    bench = Bench()
    bench.say(3)
    for _ in range(3):
        bench.go(7 * 1440 * MINUTE_MS, MINUTE_MS)
    assert bench.clock.is_set and bench.clock.age_min == 0
    assert bench.clock.minute == bench.car_min


def test_time_that_runs_backwards_neither_stops_it_nor_turns_it_back():
    bench = Bench()
    bench.set(10)
    bench.go(30_000)
    bench.now_ms = ticks_add(bench.now_ms, -20_000)
    bench.clock.tick(bench.now_ms)
    assert bench.clock.minute == 10
    assert bench.go(MINUTE_MS).clock.minute == 11


def test_the_count_of_what_was_refused_ends():
    bench = Bench()
    bench.clock.refused = 60000
    bench.set(-1)
    assert bench.clock.refused == 60000


def test_whatever_is_told_it_shows_a_minute_of_the_week_and_never_goes_back_a_little():
    seed = random.randrange(1 << 30)
    print("seed", seed)
    rng = random.Random(seed)
    bench = Bench(rng.choice(STARTS_MS))
    before = None
    for _ in range(4000):
        bench.go(rng.choice((50, 1000, 30_000)), 50 if rng.random() < 0.1 else 10_000)
        if rng.random() < 0.05:
            bench.say(
                rng.choice(
                    (rng.randrange(-5, WEEK_MIN + 5), bench.clock.minute + rng.randrange(-2, 3))
                )
            )
        clock = bench.clock
        assert 0 <= clock.minute < WEEK_MIN and clock.source < len(SOURCE_NAMES)
        assert clock.is_set == (clock.source != NO_SOURCE)
        if before is not None and clock.source == FROM_CAR:
            assert (clock.minute - before) % WEEK_MIN not in (WEEK_MIN - 1, WEEK_MIN - 2)
        before = clock.minute if clock.source == FROM_CAR else None
