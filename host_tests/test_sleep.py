"""vehicle.sleep: when nothing goes on, what counts as something, and every cell of the table."""

import pytest

from faults import H_CAN_BUS, H_CAN_DATA, H_CONTACTORS, H_NO_MODEM, H_WINDOW
from signals import Commands, Readings
from ticks import ticks_add
from vehicle import sleep as s
from vehicle.sleep import (
    ASLEEP,
    AWAKE,
    DROWSY,
    SLEEP_EVENT_NAMES,
    SLEEP_NAMES,
    Activity,
    Sleep,
)

STARTS_MS = (0, (1 << 30) - 2000)


class Bench:
    def __init__(self, after_s=5, start_ms=0):
        self.sleep = Sleep(after_s)
        self.now_ms = start_ms

    def go(self, is_busy, ms=50, step_ms=50):
        for _ in range(ms // step_ms):
            self.now_ms = ticks_add(self.now_ms, step_ms)
            self.sleep.tick(self.now_ms, is_busy)
            assert self.sleep.is_asleep == (self.sleep.state == ASLEEP)
        return self.sleep.state


def test_table_is_full_and_each_cell_is_what_was_meant():
    assert len(s._NEXT) == len(SLEEP_NAMES)
    assert all(len(row) == len(SLEEP_EVENT_NAMES) for row in s._NEXT)
    assert s._NEXT == ((AWAKE, DROWSY, DROWSY), (AWAKE, DROWSY, ASLEEP), (AWAKE, ASLEEP, ASLEEP))


def test_constants_number_the_names():
    assert [AWAKE, DROWSY, ASLEEP] == [0, 1, 2] == [SLEEP_NAMES.index(n) for n in SLEEP_NAMES]
    assert [s.E_BUSY, s.E_QUIET, s.E_LONG] == list(range(len(SLEEP_EVENT_NAMES)))


def test_drowsy_is_not_asleep():
    bench = Bench()
    bench.go(False, 1000)
    assert bench.sleep.state == DROWSY and not bench.sleep.is_asleep


@pytest.mark.parametrize("start_ms", STARTS_MS)
def test_it_falls_asleep_after_its_time_without_anything_and_not_before(start_ms):
    bench = Bench(5, start_ms)
    assert bench.go(True, 60_000) == AWAKE
    assert bench.go(False) == DROWSY
    assert bench.go(False, 4950) == DROWSY
    assert bench.go(False) == ASLEEP
    assert bench.go(False, 600_000) == ASLEEP
    assert bench.go(True) == AWAKE


def test_whatever_happens_begins_the_time_anew():
    bench = Bench(5)
    for _ in range(10):
        assert bench.go(False, 4950) == DROWSY
        assert bench.go(True) == AWAKE


def test_0_is_never_and_3600_an_hour():
    bench = Bench(0)
    for _ in range(4):
        assert bench.go(False, 1 << 28, 1 << 24) == DROWSY
    bench = Bench(3600)
    assert bench.go(False, 3_600_000, 1000) == DROWSY
    assert bench.go(False, 1000, 1000) == ASLEEP


# what counts as something


class Watch:
    def __init__(self, has_permit_line=True):
        self.activity = Activity(has_permit_line)
        self.r = Readings()
        self.c = Commands()
        self.in_service = False
        assert self.look()
        assert not self.look()

    def look(self):
        said = self.activity.is_busy(self.r, self.c, self.in_service)
        assert isinstance(said, bool)
        return said


@pytest.mark.parametrize(
    ("name", "value"),
    [("s2_close", True), ("lock_drive", 1), ("lock_drive", -1), ("wants_heat", True)],
)
def test_a_part_that_works_is_something_as_long_as_it_does(name, value):
    watch = Watch()
    setattr(watch.c, name, value)
    assert [watch.look() for _ in range(3)] == [True] * 3
    setattr(watch.c, name, 0)
    assert not watch.look()


@pytest.mark.parametrize(
    "name",
    ["stop_request", "unlock_request", "car_unlock", "car_stop", "modem_wants_c", "modem_toggles"],
)
def test_a_wish_is_something_as_long_as_it_stands(name):
    watch = Watch()
    setattr(watch.r, name, True)
    assert [watch.look() for _ in range(3)] == [True] * 3
    setattr(watch.r, name, False)
    assert not watch.look()


def test_service_mode_is_something():
    watch = Watch()
    watch.in_service = True
    assert watch.look() and watch.look()


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("session", (1, 5)),
        ("pilot_state", (1, 8)),
        ("lock_state", (3, 1)),
        ("faults", (1 << 3, 0)),
        ("holds", (H_WINDOW, 0)),
        ("plug_present", (False, True)),
        ("offered_ma", (6000, 0)),
    ],
)
def test_a_change_is_something_once(name, values):
    watch = Watch()
    for value in values:
        setattr(watch.c, name, value)
        assert [watch.look() for _ in range(3)] == [True, False, False]


def test_an_offer_that_moves_is_no_change():
    watch = Watch()
    watch.c.offered_ma = 6000
    watch.look()
    watch.c.offered_ma = 32000
    assert not watch.look()


def test_a_permit_line_wakes_and_cans_stale_word_does_not():
    for has_line in (True, False):
        watch = Watch(has_line)
        watch.r.vehicle_permits = True
        assert watch.look() is has_line
        watch.r.vehicle_permits = False
        assert watch.look() is has_line


@pytest.mark.parametrize("hold", [H_CAN_BUS, H_CAN_DATA, H_CONTACTORS, H_NO_MODEM])
def test_what_sleep_itself_brings_about_does_not_end_it(hold):
    watch = Watch()
    watch.c.holds = hold
    assert not watch.look()
    watch.c.holds = hold | H_WINDOW
    assert watch.look()
