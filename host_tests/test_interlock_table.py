"""The session table: shape, reachability, Moore outputs, and a golden copy with its reasons."""

import pytest

import interlock
from faults import ROW_WAIT_MS, SHUTDOWN
from interlock import (
    CHARGING,
    EV_DONE,
    EV_NONE,
    EV_OPEN_NOW,
    EV_PLUG,
    EV_READY,
    EV_RELEASE,
    EV_RELOCK,
    EV_STOP,
    EV_UNPLUG,
    EVENT_NAMES,
    RELEASED,
    RESTING,
    SESSION_NAMES,
    STOPPING,
    UNPLUGGED,
    WAITING,
)
from limits import LIMITER_NAMES
from release import LOCK_REQUEST_NAMES

STATES = (UNPLUGGED, WAITING, CHARGING, STOPPING, RESTING, RELEASED)
EVENTS = (
    EV_OPEN_NOW, EV_STOP, EV_DONE, EV_UNPLUG, EV_RELEASE, EV_PLUG, EV_READY, EV_RELOCK, EV_NONE,
)  # fmt: skip

# What changes the state, and why; every other cell stays where it is.
GOLDEN = {
    (UNPLUGGED, EV_PLUG): (WAITING, "anything but a clean 'unplugged' is treated as plugged"),
    (WAITING, EV_UNPLUG): (UNPLUGGED, "the connector is out"),
    (WAITING, EV_RELEASE): (RELEASED, "S2 is open: the cable may go"),
    (WAITING, EV_READY): (CHARGING, "no reason is left: the only way to close S2"),
    (CHARGING, EV_OPEN_NOW): (RESTING, "S2 opens under load rather than late"),
    (CHARGING, EV_STOP): (STOPPING, "current first"),
    (CHARGING, EV_UNPLUG): (STOPPING, "never sent with S2 closed; if it were, current first"),
    (CHARGING, EV_RELEASE): (STOPPING, "never sent with S2 closed; if it were, current first"),
    (STOPPING, EV_OPEN_NOW): (RESTING, "a second cause does not wait"),
    (STOPPING, EV_DONE): (RESTING, "< 1 A or the bounded wait is over"),
    (RESTING, EV_DONE): (WAITING, "rested; WAITING needs every reason gone"),
    (RESTING, EV_UNPLUG): (UNPLUGGED, "the connector is out; S2's minimum off time still runs"),
    (RESTING, EV_RELEASE): (RELEASED, "S2 is open: the cable may go"),
    (RELEASED, EV_UNPLUG): (
        UNPLUGGED,
        "taken; only this lets charging begin again, so no charge by surprise",
    ),
    (RELEASED, EV_RELOCK): (WAITING, "not pulled: locked again, charging stays stopped"),
}


def test_table_has_one_row_a_state_and_one_column_an_event():
    table = interlock._NEXT
    assert STATES == tuple(range(len(SESSION_NAMES))) and len(table) == len(STATES)
    assert EVENTS == tuple(range(len(EVENT_NAMES)))
    for row in table:
        assert len(row) == len(EVENTS)
        assert all(cell in STATES for cell in row)


@pytest.mark.golden
def test_table_equals_its_golden_copy():
    for state in STATES:
        for event in EVENTS:
            expected = GOLDEN.get((state, event), (state, ""))[0]
            assert interlock._NEXT[state][event] == expected, (state, event)


def test_every_state_is_reached_from_unplugged_and_left():
    reached = {UNPLUGGED}
    for _ in STATES:
        reached |= {cell for state in reached for cell in interlock._NEXT[state]}
    assert reached == set(STATES)
    for state in STATES:
        assert set(interlock._NEXT[state]) != {state}


def test_every_event_but_none_changes_something():
    for event in EVENTS:
        changes = any(interlock._NEXT[state][event] != state for state in STATES)
        assert changes is (event != EV_NONE)


def test_s2_closes_by_ready_from_waiting_only():
    """The way into a state with S2 closed, from one with S2 open, is one cell of the table."""
    closed = interlock._S2_CLOSED
    ways = [
        (state, event)
        for state in STATES
        for event in EVENTS
        if not closed[state] and closed[interlock._NEXT[state][event]]
    ]
    assert ways == [(WAITING, EV_READY)]


def test_outputs_by_state():
    """Moore outputs; what is energised where."""
    assert interlock._S2_CLOSED == (False, False, True, True, False, False)
    assert interlock._CURRENT_ALLOWED == (False, False, True, False, False, False)
    assert interlock._WANTS_LOCK == (False, True, True, True, True, False)
    for state in STATES:
        assert interlock._S2_CLOSED[state] or not interlock._CURRENT_ALLOWED[state]
        assert interlock._WANTS_LOCK[state] or not interlock._S2_CLOSED[state]


def test_driving_state_that_may_not_stay_has_a_bound():
    """CHARGING may last; STOPPING ends by EV_DONE, whose bound every row of the table gives."""
    assert interlock._NEXT[STOPPING][EV_DONE] == RESTING
    assert all(0 <= row[ROW_WAIT_MS] <= 3000 for row in SHUTDOWN)


def test_names_are_as_agreed():
    assert SESSION_NAMES == ("unplugged", "waiting", "charging", "stopping", "resting", "released")
    assert LIMITER_NAMES == (
        "none", "pilot", "cable", "temperature", "setting", "vehicle", "lock", "person", "port",
    )  # fmt: skip
    assert LOCK_REQUEST_NAMES == ("hold", "lock", "unlock")
