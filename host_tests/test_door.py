"""vehicle.door.Door: what opens and closes it, what stops it, and every cell of its table."""

import random

import pytest

from faults import H_DOOR
from ticks import ticks_add
from vehicle import door as d
from vehicle.door import (
    AJAR,
    BROKEN,
    CLOSE_AFTER_MS,
    CLOSE_PAUSE,
    CLOSED,
    CLOSING,
    DOOR_EVENT_NAMES,
    DOOR_NAMES,
    DRIVE_MS,
    OPEN,
    OPEN_PAUSE,
    OPENING,
    PAUSE_MS,
    STUCK,
    TRIES_MAX,
    Door,
)

PASS_MS = 50
STARTS_MS = (0, (1 << 30) - 3000)


class Bench:
    """A door at a position of 0 closed .. 100 open; `speed` a pass while driven, 0 where it is frozen."""

    def __init__(self, start_ms=0, position=0, speed=5):
        self.door = Door()
        self.now_ms = start_ms
        self.position = position
        self.speed = speed
        self.is_read = True
        self.both = False
        self.is_asked = False
        self.is_plugged = False
        self.drives = []
        self.go(4 * PASS_MS)

    def go(self, ms=PASS_MS, **changes):
        for name, value in changes.items():
            assert hasattr(self, name)
            setattr(self, name, value)
        door = self.door
        for _ in range(ms // PASS_MS):
            self.position = min(100, max(0, self.position + door.drive * self.speed))
            self.now_ms = ticks_add(self.now_ms, PASS_MS)
            door.tick(
                self.now_ms, self.is_read, self.both or self.position == 100,
                self.both or self.position == 0, self.is_asked, self.is_plugged,
            )  # fmt: skip
            if not self.drives or self.drives[-1][0] != door.drive:
                self.drives.append([door.drive, 0])
            self.drives[-1][1] += PASS_MS
            assert door.drive == d._DRIVE[door.state]
            assert door.holds == (H_DOOR if d._IS_WRONG[door.state] else 0)
        return door.state

    def ask(self):
        self.go(2 * PASS_MS, is_asked=True)
        return self.go(PASS_MS, is_asked=False)


def to(state, start_ms=0):
    """Return a bench in this state, with nothing plugged in."""
    if state == AJAR:
        bench = Bench(start_ms, position=50)
    elif state == CLOSED:
        bench = Bench(start_ms)
    elif state == OPEN:
        bench = Bench(start_ms, position=100)
    elif state == OPENING:
        bench = Bench(start_ms, speed=0)
        bench.ask()
        bench.position = 50
    elif state == CLOSING:
        bench = Bench(start_ms, position=100, speed=0)
        bench.ask()
        bench.position = 50
    elif state == OPEN_PAUSE:
        bench = to(OPENING, start_ms)
        bench.go(DRIVE_MS - PASS_MS)
    elif state == CLOSE_PAUSE:
        bench = to(CLOSING, start_ms)
        bench.go(DRIVE_MS - PASS_MS)
    elif state == STUCK:
        bench = to(OPENING, start_ms)
        bench.go(TRIES_MAX * DRIVE_MS + (TRIES_MAX - 1) * PAUSE_MS)
    else:
        bench = Bench(start_ms)
        bench.go(2 * PASS_MS, both=True)
    assert bench.door.state == state
    return bench


# the table


def test_table_is_full():
    for by_state in (d._NEXT, d._DRIVE, d._IS_WRONG, d._ASKED, d._HEEDS):
        assert len(by_state) == len(DOOR_NAMES)
    for row in d._NEXT:
        assert len(row) == len(DOOR_EVENT_NAMES)
        assert all(0 <= cell < len(DOOR_NAMES) for cell in row)
    assert [n for n, drive in enumerate(d._DRIVE) if drive] == [OPENING, CLOSING]
    assert {n for n, wrong in enumerate(d._IS_WRONG) if wrong} == {STUCK, BROKEN}


def test_constants_number_the_names():
    for n, name in enumerate(DOOR_NAMES):
        assert getattr(d, name.upper()) == n
    for n, name in enumerate(DOOR_EVENT_NAMES):
        assert getattr(d, "E_" + name.upper()) == n


def test_a_motor_never_turns_round_without_a_pause():
    """Nor does any cell drive towards closed on the event "the inlet is not empty"."""
    for row in d._NEXT:
        assert d._DRIVE[row[d.E_PLUG]] >= 0
    for state, other in ((OPENING, CLOSING), (CLOSING, OPENING)):
        assert other not in d._NEXT[state]


def test_each_cell_that_moves_is_what_was_meant():
    moves = {}
    for s, row in enumerate(d._NEXT):
        for e, cell in enumerate(row):
            if cell != s:
                moves.setdefault((DOOR_NAMES[s], DOOR_NAMES[cell]), []).append(DOOR_EVENT_NAMES[e])
    broken = {(name, "broken"): ["broken"] for name in DOOR_NAMES if name != "broken"}
    assert moves == {
        **broken,
        ("ajar", "opening"): ["open"],
        ("ajar", "closing"): ["close"],
        ("ajar", "open"): ["at_open"],
        ("ajar", "closed"): ["at_closed"],
        ("closed", "opening"): ["open"],
        ("closed", "open"): ["at_open"],
        ("closed", "ajar"): ["at_none"],
        ("opening", "close_pause"): ["close"],
        ("opening", "open"): ["at_open"],
        ("opening", "open_pause"): ["time"],
        ("opening", "stuck"): ["spent"],
        ("open", "closing"): ["close"],
        ("open", "closed"): ["at_closed"],
        ("open", "ajar"): ["at_none"],
        ("closing", "open_pause"): ["open", "plug"],
        ("closing", "closed"): ["at_closed"],
        ("closing", "close_pause"): ["time"],
        ("closing", "stuck"): ["spent"],
        ("open_pause", "close_pause"): ["close"],
        ("open_pause", "open"): ["at_open"],
        ("open_pause", "opening"): ["time"],
        ("open_pause", "stuck"): ["spent"],
        ("close_pause", "open_pause"): ["open"],
        ("close_pause", "ajar"): ["plug"],
        ("close_pause", "closed"): ["at_closed"],
        ("close_pause", "closing"): ["time"],
        ("close_pause", "stuck"): ["spent"],
        ("stuck", "opening"): ["open"],
        ("stuck", "closing"): ["close"],
        ("stuck", "open"): ["at_open"],
        ("stuck", "closed"): ["at_closed"],
        ("broken", "open"): ["at_open"],
        ("broken", "closed"): ["at_closed"],
        ("broken", "ajar"): ["at_none"],
    }


HAND_OPEN, HAND_SHUT, HAND_AJAR = {"position": 100}, {"position": 0}, {"position": 50}
MENDED = {"both": False}
TRANSITIONS = [
    (AJAR, "ask", OPENING), (AJAR, HAND_OPEN, OPEN), (AJAR, HAND_SHUT, CLOSED),
    (CLOSED, "ask", OPENING), (CLOSED, HAND_OPEN, OPEN), (CLOSED, HAND_AJAR, AJAR),
    (OPENING, "ask", CLOSE_PAUSE), (OPENING, HAND_OPEN, OPEN),
    (OPENING, DRIVE_MS - 100, OPEN_PAUSE),
    (OPEN, "ask", CLOSING), (OPEN, HAND_SHUT, CLOSED), (OPEN, HAND_AJAR, AJAR),
    (OPEN, CLOSE_AFTER_MS - 200, CLOSING),
    (CLOSING, "ask", OPEN_PAUSE), (CLOSING, {"is_plugged": True}, OPEN_PAUSE),
    (CLOSING, HAND_SHUT, CLOSED), (CLOSING, DRIVE_MS - 100, CLOSE_PAUSE),
    (OPEN_PAUSE, "ask", CLOSE_PAUSE), (OPEN_PAUSE, HAND_OPEN, OPEN),
    (OPEN_PAUSE, PAUSE_MS - 50, OPENING),
    (CLOSE_PAUSE, "ask", OPEN_PAUSE), (CLOSE_PAUSE, {"is_plugged": True}, AJAR),
    (CLOSE_PAUSE, HAND_SHUT, CLOSED), (CLOSE_PAUSE, PAUSE_MS - 50, CLOSING),
    (STUCK, "ask", OPENING), (STUCK, HAND_OPEN, OPEN),
    (BROKEN, {**HAND_OPEN, **MENDED}, OPEN), (BROKEN, MENDED, CLOSED),
    (BROKEN, {**HAND_AJAR, **MENDED}, AJAR),
    *[(s, {"both": True}, BROKEN) for s in range(BROKEN)],
    *[(s, {"is_read": False}, BROKEN) for s in range(BROKEN)],
]  # fmt: skip


@pytest.mark.parametrize("start_ms", STARTS_MS)
@pytest.mark.parametrize(("old", "change", "new"), TRANSITIONS)
def test_every_transition_happens(old, change, new, start_ms):
    bench = to(old, start_ms)
    if change == "ask":
        assert bench.ask() == new
    elif isinstance(change, dict):
        assert bench.go(2 * PASS_MS, **change) == new
    else:
        bench.go(change - 2 * PASS_MS)
        assert bench.door.state == old, "too soon"
        assert bench.go(4 * PASS_MS) == new


# whole moves


@pytest.mark.parametrize("start_ms", STARTS_MS)
def test_a_request_opens_it_and_it_closes_by_itself_a_minute_after(start_ms):
    bench = Bench(start_ms)
    bench.ask()
    assert bench.go(2000) == OPEN and bench.door.drive == 0
    assert bench.go(CLOSE_AFTER_MS - 2000) == OPEN
    assert bench.go(4000) == CLOSED
    assert [drive for drive, _ in bench.drives] == [0, 1, 0, -1, 0]


def test_with_a_plug_in_it_stays_open_for_days_and_closes_a_minute_after_the_plug():
    bench = to(OPEN)
    bench.go(is_plugged=True)
    for _ in range(3):
        bench.now_ms = ticks_add(bench.now_ms, (1 << 29) - 1000)
        assert bench.go(PASS_MS) == OPEN
    bench.go(is_plugged=False)
    assert bench.go(CLOSE_AFTER_MS - 2 * PASS_MS) == OPEN
    assert bench.go(4000) == CLOSED


@pytest.mark.parametrize("state", range(len(DOOR_NAMES)))
def test_a_request_with_a_plug_in_starts_nothing(state):
    bench = to(state)
    bench.go(is_plugged=True)
    before = bench.door.state
    bench.drives.clear()
    bench.ask()
    assert bench.door.state == before


def test_a_door_that_meets_a_plug_on_its_way_stops_at_once_and_opens_again():
    bench = Bench(position=100)
    bench.ask()
    bench.go(300)
    assert bench.door.drive == -1 and 0 < bench.position < 100
    bench.go(is_plugged=True)
    assert bench.door.drive == 0
    assert bench.go(PAUSE_MS + 1000) == OPEN


def test_a_request_turns_a_door_round_either_way():
    bench = Bench()
    bench.ask()
    bench.go(300)
    bench.ask()
    assert bench.go(PAUSE_MS + 2000) == CLOSED
    bench.ask()
    bench.go(2000)
    bench.ask()
    bench.go(300)
    bench.ask()
    assert bench.go(PAUSE_MS + 2000) == OPEN


@pytest.mark.parametrize(("state", "drive"), [(CLOSED, 1), (OPEN, -1)])
def test_a_frozen_door_is_tried_three_times_with_pauses_and_then_told(state, drive):
    bench = to(state)
    bench.speed = 0
    bench.drives.clear()
    bench.ask()
    bench.go(60_000)
    assert bench.door.state == STUCK and bench.door.holds == H_DOOR
    drives = [ms for way, ms in bench.drives if way == drive]
    assert len(drives) == TRIES_MAX and all(DRIVE_MS <= ms <= DRIVE_MS + PASS_MS for ms in drives)
    pauses = [ms for way, ms in bench.drives[1:-1] if way == 0]
    assert pauses == [PAUSE_MS] * (TRIES_MAX - 1)
    bench.go(3_600_000)
    assert bench.drives[-1][0] == 0 and bench.door.state == STUCK
    bench.speed = 5
    bench.ask()
    assert bench.go(4000) == OPEN and not bench.door.holds


def test_turned_round_it_has_all_its_tries():
    bench = to(OPENING)
    bench.go(DRIVE_MS + PAUSE_MS + 500)
    bench.ask()
    bench.position = 50
    bench.drives.clear()
    bench.go(60_000)
    assert sum(way == -1 for way, _ in bench.drives) == TRIES_MAX


def test_a_stuck_door_moved_by_hand_is_well_again():
    bench = to(STUCK)
    assert bench.go(200) == STUCK and bench.door.holds
    assert bench.go(200, position=0) == CLOSED and not bench.door.holds


def test_where_a_door_got_stuck_proves_nothing():
    bench = to(CLOSED)
    bench.speed = 0
    bench.ask()
    assert bench.go(60_000) == STUCK
    bench.go(200, position=50)
    assert bench.go(200, position=0) == STUCK
    assert bench.go(200, position=100) == OPEN


def test_a_switch_that_bounces_for_a_pass_moves_nothing():
    bench = to(CLOSED)
    bench.go(PASS_MS, both=True)
    assert bench.go(PASS_MS, both=False) == CLOSED
    bench.go(PASS_MS, position=100)
    assert bench.go(PASS_MS, position=0) == CLOSED


def test_a_request_that_hangs_since_the_start_is_none():
    bench = Bench.__new__(Bench)
    bench.__dict__.update(
        door=Door(), now_ms=0, position=0, speed=5, is_read=True, both=False, is_asked=True,
        is_plugged=False, drives=[],
    )  # fmt: skip
    assert bench.go(10_000) == CLOSED
    bench.go(100, is_asked=False)
    bench.ask()
    assert bench.door.state == OPENING


def test_one_request_is_one_move_however_long():
    bench = Bench()
    bench.go(30_000, is_asked=True)
    assert [way for way, _ in bench.drives] == [0, 1, 0]


def test_at_the_start_nothing_is_driven_wherever_it_stands():
    for position in (0, 50, 100):
        bench = Bench(position=position)
        bench.go(30_000)
        assert [way for way, _ in bench.drives] == [0]


# any input


def test_for_any_input_it_never_closes_on_anything_but_an_empty_inlet():
    seed = random.randrange(1 << 30)
    print("seed", seed)
    rng = random.Random(seed)
    closed, seen = 0, set()
    for _ in range(40):
        bench = Bench(rng.choice(STARTS_MS), rng.choice((0, 50, 100)), rng.choice((0, 1, 5)))
        for _ in range(150):
            bench.go(
                rng.choice((50, 500, 5000, 61_000) if rng.random() < 0.2 else (50, 500)),
                is_asked=rng.random() < 0.3, is_plugged=rng.random() < 0.3,
                is_read=rng.random() < 0.97, both=rng.random() < 0.02,
            )  # fmt: skip
            seen.add(bench.door.state)
            if bench.door.drive < 0:
                closed += 1
                assert not bench.is_plugged
            if rng.random() < 0.05:
                bench.position = rng.choice((0, 50, 100))
        assert all(ms <= DRIVE_MS + PASS_MS for way, ms in bench.drives if way)
    assert closed > 50 and seen == set(range(len(DOOR_NAMES)))
