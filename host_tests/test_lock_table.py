"""The lock's one table: its shape, that every state can be reached and left, and a golden copy with reasons."""

import pytest

import faults
import lock.actuator as a

STATES = range(len(a.LOCK_STATE_NAMES))
EVENTS = range(len(a.LOCK_EVENT_NAMES) - 1)  # NO_EVENT has no column
STAY = -1
BY_STATE = [name for name in vars(a) if name.startswith("_") and name.isupper()]
BY_STATE = [
    name
    for name in BY_STATE
    if isinstance(getattr(a, name), tuple) and len(getattr(a, name)) == len(STATES)
]


def name(state):
    return a.LOCK_STATE_NAMES[state]


def state(name):
    return a.LOCK_STATE_NAMES.index(name)


def successors(s):
    return {n for n in a._NEXT[s] if n != STAY}


# Shape -----------------------------------------------------------------------


def test_table_is_full_and_leads_to_states_only():
    assert len(a._NEXT) == len(STATES)
    for row in a._NEXT:
        assert len(row) == len(EVENTS)
        assert all(n == STAY or n in STATES for n in row)


def test_no_cell_leads_to_its_own_state():
    """Staying is written __, which starts no time limit afresh."""
    for s in STATES:
        assert s not in a._NEXT[s]


def test_every_property_has_a_value_for_each_state():
    assert len(BY_STATE) == 18  # 15 properties, _RAISES, _CLEARS and _NEXT


def test_constants_number_the_names():
    for n, text in enumerate(a.LOCK_STATE_NAMES):
        constant = text.replace("_reversed", "_rev").replace("lock_check", "check")
        constant = constant.replace("reversed_", "rev_").replace("ing_rev", "_rev").upper()
        assert getattr(a, constant) == n, text
    assert [a.HOLD, a.LOCK, a.UNLOCK] == [0, 1, 2]
    for n, text in enumerate(a.LOCK_EVENT_NAMES[:-1]):
        assert getattr(a, "E_" + text.replace("reversed", "rev").upper()) == n
    assert len(a.LOCK_EVENT_NAMES) == a.NO_EVENT + 1


@pytest.mark.parametrize("start", ["assess", "unknown"])
def test_every_state_is_reached_from_boot(start):
    seen, todo = set(), [state(start)]
    while todo:
        s = todo.pop()
        if s not in seen:
            seen.add(s)
            todo += successors(s)
    only_feedback = {state("unknown"), state("assumed")}
    assert set(STATES) - seen <= (only_feedback if start == "assess" else {state("unknown")})


def test_every_state_can_be_left():
    assert all(successors(s) for s in STATES)


# What a table must never say -------------------------------------------------


def test_every_driving_state_has_a_time_limit_and_both_ends_of_it():
    driving = [s for s in STATES if a._DRIVE[s]]
    assert [name(s) for s in driving] == [
        "locking",
        "locking_reversed",
        "unlocking",
        "unlocking_reversed",
    ]
    for s in driving:
        assert a._TIMEOUT_MS[s] == a._RUN
        assert a._TARGET[s]


def test_every_time_limit_has_its_two_events_and_nothing_else_has():
    for s in STATES:
        ends = a._NEXT[s][a.E_ENDED], a._NEXT[s][a.E_SPENT]
        assert (STAY not in ends) == (a._TIMEOUT_MS[s] != 0), name(s)


def test_every_drive_starts_from_a_wait_by_ready_only():
    for s in STATES:
        for event in EVENTS:
            n = a._NEXT[s][event]
            if n != STAY and a._DRIVE[n]:
                assert event in (a.E_READY, a.E_READY_REV), name(s)
                assert a._WAIT[s]
                assert not a._DRIVE[s]


def test_no_drive_follows_a_drive_without_the_bridge_off():
    for s in STATES:
        if a._DRIVE[s]:
            assert not any(a._DRIVE[n] for n in successors(s))


def test_every_drive_that_may_open_needs_permission_all_the_time():
    for s in STATES:
        if a._DRIVE[s] < 0 or name(s) == "unlocking_reversed":
            assert a._NEEDS_MAY[s]
        if a._NEEDS_MAY[s]:
            assert a._NEXT[s][a.E_WITHDRAWN] != STAY
            assert not a._DRIVE[a._NEXT[s][a.E_WITHDRAWN]]


def test_locked_is_told_at_rest_only_and_confirmed_in_one_state():
    assert [name(s) for s in STATES if a._CONFIRMED[s]] == ["locked"]
    assert [name(s) for s in STATES if a._LOCKED[s]] == ["locked", "assumed"]
    assert [name(s) for s in STATES if a._UNLOCKED[s]] == ["unlocked"]
    for s in STATES:
        assert not (a._LOCKED[s] or a._UNLOCKED[s]) or not a._DRIVE[s]


def test_locked_is_reached_by_settled_feedback_only():
    for s in STATES:
        for event in EVENTS:
            if a._NEXT[s][event] == a.LOCKED:
                assert event == a.E_AT_LOCKED
                assert a._SETTLE_MS[s] >= 100


def test_assumed_is_reached_by_a_finished_drive_only():
    cells = [(s, e) for s in STATES for e in EVENTS if a._NEXT[s][e] == a.ASSUMED]
    assert cells == [(a.LOCKING, a.E_DONE)]


def test_locked_that_is_left_without_a_request_raises_a_lock_lost_fault():
    for event in (a.E_AT_UNLOCKED, a.E_LOST):
        raised = a._RAISES[a._NEXT[a.LOCKED][event]]
        assert raised
        assert faults.FAULTS[faults.first_bit(raised)][faults.FAULT_REASON] == faults.LOCK_LOST


def test_classes_of_the_faults_are_those_of_the_fault_table():
    for s in STATES:
        for bit, row in enumerate(faults.FAULTS):
            if (a._RAISES[s] | a._CLEARS[s]) >> bit & 1:
                needs = a._NEEDS_UNPLUG >> bit & 1
                assert needs == (row[faults.FAULT_CLEARS] == faults.UNPLUG)
                assert not (needs and a._CLEARS[s] >> bit & 1)
    assert faults.FAULTS[faults.first_bit(faults.F_LOCK_REVERSED)][faults.FAULT_CLEARS] == 2


def test_events_that_cannot_happen_in_a_state_have_no_cell():
    for s in STATES:
        row = a._NEXT[s]
        rest = not a._DRIVE[s]
        assert (row[a.E_WITHDRAWN] != STAY) == bool(a._NEEDS_MAY[s])
        assert (row[a.E_READY] != STAY) == (row[a.E_READY_REV] != STAY) == bool(a._WAIT[s])
        if row[a.E_LOCK] != STAY or row[a.E_UNLOCK] != STAY:
            assert rest
        if row[a.E_DONE] != STAY:
            assert not rest
        sees = a._SETTLE_MS[s] or a._HOME[s] or a._TARGET[s]
        assert sees or {row[a.E_AT_LOCKED], row[a.E_AT_UNLOCKED], row[a.E_LOST]} == {STAY}
        assert not a._HOME[s] or row[(0, a.E_AT_UNLOCKED, a.E_AT_LOCKED)[a._HOME[s]]] == STAY


def can_happen(s, event):
    """Tell by the properties of a state whether `event` can come to it at all."""
    return {
        a.E_UNPLUGGED: True,
        a.E_WITHDRAWN: a._NEEDS_MAY[s],
        a.E_AT_LOCKED: a._SETTLE_MS[s] or a._TARGET[s] == 2 or a._HOME[s] == 1,
        a.E_AT_UNLOCKED: a._SETTLE_MS[s] or a._TARGET[s] == 1 or a._HOME[s] == 2,
        a.E_LOST: a._SETTLE_MS[s] or a._HOME[s],
        a.E_DONE: s in (a.LOCKING, a.UNLOCKING),  # no other drive without feedback
        a.E_ENDED: a._TIMEOUT_MS[s],
        a.E_SPENT: a._TIMEOUT_MS[s],
        a.E_LOCK: not a._DRIVE[s],
        a.E_UNLOCK: not a._DRIVE[s],
        a.E_READY: a._WAIT[s],
        a.E_READY_REV: a._WAIT[s],
    }[event]


def test_a_cell_of_an_event_that_cannot_come_says_stay():
    for s in STATES:
        for event in EVENTS:
            assert a._NEXT[s][event] == STAY or can_happen(s, event), (name(s), event)


def test_what_is_yes_or_no_is_1_or_0():
    flags = (
        a._LOCKED, a._CONFIRMED, a._UNLOCKED, a._NEEDS_MAY, a._NEW_LOCK_ONLY, a._NEW_UNLOCK_ONLY, a._DOUBTS, a._KNOWN,
    )  # fmt: skip
    for table in flags:
        assert set(table) == {0, 1}


# What follows from what: each property against the others, so that no cell can change alone ------


def test_position_is_looked_at_where_it_can_be_an_event():
    """At home by leaving it, elsewhere by settling, in a drive by arriving; never in a wait."""
    for s in STATES:
        row = a._NEXT[s]
        is_event = {row[a.E_AT_LOCKED], row[a.E_AT_UNLOCKED], row[a.E_LOST]} != {STAY}
        ways = [bool(t[s]) for t in (a._SETTLE_MS, a._HOME, a._TARGET)]
        assert sum(ways) == is_event, name(s)


def test_home_is_where_the_bolt_reads():
    homes = {name(s): a._HOME[s] for s in STATES if a._HOME[s]}
    assert homes == {"unlocked": 1, "locked": 2, "shut": 2, "unproven": 2}


def test_settling_takes_longer_where_less_is_known():
    settle = {name(s): a._SETTLE_MS[s] for s in STATES if a._SETTLE_MS[s]}
    assert set(settle) == {
        *("assess", "blind", "lock_check", "reversed_check", "unsure", "unlock_failed")
    }
    assert settle["lock_check"] == settle["reversed_check"] < settle["assess"]
    assert settle["assess"] < settle["blind"] == settle["unsure"]
    for s in STATES:
        if a._TIMEOUT_MS[s] > 0:
            assert a._TIMEOUT_MS[s] >= 2 * a._SETTLE_MS[s]


def test_every_effort_is_its_wait_its_drives_and_their_checks():
    for s in STATES:
        effort = a._WAIT[s]
        if a._TARGET[s]:
            effort = 3 - a._TARGET[s]
        if a._NEXT[s][a.E_AT_LOCKED] == a.LOCKED and a._NEXT[s][a.E_SPENT] != STAY:
            effort = 1 if s != a.ASSESS else 0
        assert a._EFFORT[s] == effort, name(s)


def test_drive_goes_to_its_target_but_for_the_tries_the_other_way():
    for s in STATES:
        way = (0, -1, 1)[a._TARGET[s]]
        assert a._DRIVE[s] == (-way if s in (a.LOCK_REV, a.UNLOCK_REV) else way)


def test_wait_leads_to_the_drive_of_its_kind():
    for s in STATES:
        if a._WAIT[s]:
            assert a._TARGET[a._NEXT[s][a.E_READY]] == 3 - a._WAIT[s]
            assert a._TARGET[a._NEXT[s][a.E_READY_REV]] == 3 - a._WAIT[s]


def test_locked_is_doubted_where_a_lock_request_opens_first():
    for s in STATES:
        assert a._DOUBTS[s] == (a._NEXT[s][a.E_LOCK] == a.UNLOCK_WAIT), name(s)


def test_known_is_where_something_is_told_or_no_feedback_is_fitted():
    for s in STATES:
        told = a._LOCKED[s] or a._CONFIRMED[s] or a._UNLOCKED[s]
        assert a._KNOWN[s] == (told or s == a.UNKNOWN), name(s)
        assert bool(a._CLEARS[s]) == bool(told or s == a.SLIPPED), name(s)


def test_new_requests_only_count_where_requests_do():
    for s in STATES:
        assert not a._NEW_LOCK_ONLY[s] or a._NEXT[s][a.E_LOCK] != STAY
        assert not a._NEW_UNLOCK_ONLY[s] or a._NEXT[s][a.E_UNLOCK] != STAY
    # A standing request must not undo what it has just led to.
    fallen = {s for s in STATES for n in a._NEXT if s == n[a.E_SPENT] or s == n[a.E_AT_UNLOCKED]}
    for s in fallen - {a.BLIND, a.SLIPPED, a.REOPEN_WAIT}:
        assert a._NEW_UNLOCK_ONLY[s], name(s)
    assert [name(s) for s in STATES if a._NEW_LOCK_ONLY[s]] == ["unlock_failed"]
    assert [name(s) for s in STATES if a._NEW_UNLOCK_ONLY[s]] == ["unlocked", "unlock_failed"]


def test_unplugging_matters_where_a_plug_was_held_or_lost():
    rows = {name(s) for s in STATES if a._NEXT[s][a.E_UNPLUGGED] != STAY}
    assert rows == {"locked", "assumed", "unsure", "slipped"}
    for s in STATES:
        after = a._NEXT[s][a.E_UNPLUGGED]
        assert after == STAY or not (a._DRIVE[s] or a._DRIVE[after] or a._LOCKED[after])


# The golden copy: every move, and why ----------------------------------------

GOLDEN = """
assess         at_locked       locked          a reboot must not release a live cable
assess         at_unlocked     unlocked        feedback is believed, nothing is driven
assess         lost            blind           nothing can be said: not locked
assess         ended,spent     blind           feedback flutters: not locked either
unknown        lock            lock_wait       without feedback only driving tells
unknown        unlock          unlock_wait     permitted, so nothing is live
blind          at_locked       unproven        a wire that came back shorted reads the same
blind          at_unlocked     unlocked        feedback is back
blind          unlock          unlock_wait     a cable must not be trapped by a wire
unlocked       at_locked       shut            nobody drove it there
unlocked       lost            blind           told before anybody locks in vain
unlocked       lock            lock_wait       the normal way
unlocked       unlock          unlock_wait     asked again: the bolt may hold though feedback says not
lock_wait      unlock          unlock_wait     the person changed their mind between attempts
lock_wait      ready           locking         the only way into a drive
lock_wait      ready_reversed  locking_reversed  never moved, last attempt: is it wired the other way?
locking        at_locked       lock_check      not locked until it holds without the motor
locking        done            assumed         no feedback fitted
locking        ended           lock_wait       another attempt, after the cool-down
locking        spent           reopen_wait     failed: let the person have the plug
locking_reversed  withdrawn    reopen_wait     this drive may open: stop
locking_reversed  at_locked    reversed_check  wired the other way, if it holds
locking_reversed  ended,spent  reopen_wait     it was the last attempt
lock_check     at_locked       locked          proven
lock_check     ended           lock_wait       sprang back: another attempt
lock_check     spent           reopen_wait     sprang back once too often
reversed_check at_locked       locked          proven, and the bridge is reversed
reversed_check ended,spent     reopen_wait     sprang back, proves nothing
locked         unplugged       unproven        a connector came out of a lock that reads locked
locked         at_unlocked     slipped         slip or manual release
locked         lost            unsure          not proven any more
locked         unlock          unlock_wait     the normal way
assumed        unplugged       unknown         the assumption was wrong, or nobody knows
assumed        unlock          unlock_wait     the normal way
unsure         unplugged       blind           what it held is gone
unsure         at_locked       locked          feedback is back, the bolt is where it was
unsure         at_unlocked     slipped         it left while nobody could see
unsure         unlock          unlock_wait     a cable must not be trapped by a wire
unlock_wait    withdrawn       lock_check      not driven yet: look whether it is still locked
unlock_wait    ready,ready_reversed  unlocking the first attempt is always the right way
unlock_pause   withdrawn       lock_check      look first: a reversed bridge would open a shut bolt
unlock_pause   ready           unlocking       another attempt
unlock_pause   ready_reversed  unlocking_reversed  never moved: frozen, or wired the other way
unlocking      withdrawn       lock_check      stop at once, look, lock again if it has moved
unlocking      at_unlocked     unlocked        proven
unlocking      done            unlocked        no feedback fitted
unlocking      ended           unlock_pause    another attempt, after the cool-down
unlocking      spent           unlock_failed   tell it; a hand or a new request may help
unlocking_reversed  withdrawn  lock_check      as unlocking
unlocking_reversed  at_unlocked  unlocked      open is open
unlocking_reversed  ended      unlock_pause    the last attempt is towards open
unlocking_reversed  spent      unlock_failed   cannot be the last; if it were, it failed
unlock_failed  at_unlocked     unlocked        freed by hand
unlock_failed  lock            unlock_wait     feedback must show that it can move before it is believed
unlock_failed  unlock          unlock_wait     asked again: a new set of attempts
reopen_wait    ready,ready_reversed  unlocking free the plug
slipped        unplugged       assess          look afresh
slipped        unlock          unlock_wait     open it the rest of the way
shut           at_unlocked     unlocked        opened by hand, or the wire is back
shut           lost            blind           nothing can be said
shut           lock            unlock_wait     must show that it can move
shut           unlock          unlock_wait     open it
unproven       at_unlocked     unlocked        as shut
unproven       lost            blind           as shut
unproven       lock            unlock_wait     as shut
unproven       unlock          unlock_wait     as shut
"""


def golden():
    moves = {}
    for line in GOLDEN.strip().splitlines():
        before, events, after, why = line.split(None, 3)
        assert why
        for event in events.split(","):
            assert (before, event) not in moves
            moves[before, event] = after
    return moves


@pytest.mark.golden
def test_table_is_the_golden_copy():
    moves = {
        (name(s), a.LOCK_EVENT_NAMES[e]): name(a._NEXT[s][e])
        for s in STATES
        for e in EVENTS
        if a._NEXT[s][e] != STAY
    }
    assert moves == golden()


@pytest.mark.golden
def test_faults_are_raised_where_they_were_agreed():
    raised = {name(s): faults.names(faults.FAULTS, a._RAISES[s]) for s in STATES if a._RAISES[s]}
    assert raised == {
        "blind": ["LockSense"],
        "unsure": ["LockSense"],
        "unlock_failed": ["FailedUnlock"],
        "reopen_wait": ["FailedLock"],
        "slipped": ["UnexpectedOpen"],
        "shut": ["UnexpectedClose"],
    }
    cleared = {name(s) for s in STATES if a._CLEARS[s]}
    assert cleared == {"unlocked", "locked", "assumed", "slipped"}
