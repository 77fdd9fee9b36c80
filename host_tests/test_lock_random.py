"""Random requests, permissions, hands, wires and clocks against what must always hold."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lock_rig import (
    BETWEEN_MV,
    FEEDBACK_ANALOG,
    FEEDBACK_NONE,
    FEEDBACK_SWITCH,
    HOLD,
    LOCK,
    LOCKED_MV,
    SOLENOID,
    UNLOCK,
    UNLOCKED_MV,
    Bolt,
    Invariants,
    Rig,
)

# Where a lock may stay for ever, with everything permitted and nothing asked.
RESTS = {"unknown", "blind", "unlocked", "locked", "assumed", "unsure", "unlock_failed"}
RESTS |= {"slipped", "shut", "unproven"}

REQUESTS = st.sampled_from((HOLD, LOCK, UNLOCK, LOCK, UNLOCK, 9))
T0 = st.sampled_from((0, 2**30 - 50, 2**30 - 3000, 2**29 - 50))
ACTS = st.one_of(
    st.tuples(st.just("request"), REQUESTS),
    st.tuples(st.just("may"), st.booleans()),
    st.tuples(st.just("unplug"), st.just(0)),
    st.tuples(st.just("at"), st.sampled_from((0, 300, 700, 960, 1000))),
    st.tuples(st.just("low"), st.sampled_from((0, 0, 400, 1000))),
    st.tuples(st.just("high"), st.sampled_from((0, 500, 1000, 1000))),
    st.tuples(st.just("travel_ms"), st.sampled_from((100, 300, 300, 900, 5000))),
    st.tuples(st.just("is_dead"), st.booleans()),
    st.tuples(st.just("ok"), st.sampled_from((True, True, False))),
    st.tuples(st.just("late"), st.sampled_from((20, 50, 120))),
)
LIES = st.tuples(
    st.just("forced_mv"),
    st.sampled_from((None, None, 0, 20, UNLOCKED_MV, BETWEEN_MV, LOCKED_MV, 3300)),
)
WAITS = st.sampled_from((10, 20, 50, 90, 110, 250, 600, 700, 2700))


def play(rig, watch, acts):
    bolt = rig.bolt
    for (verb, value), wait_ms in acts:
        if verb in ("request", "may"):
            setattr(rig, verb, value)
        elif verb == "unplug":
            rig.lock.unplugged()
            watch.was_unplugged = True
        elif verb == "late":
            if not rig.lock.drive:  # a late pass in a drive stretches it: no pass, no command
                rig.watch = None
                rig.step(pass_ms=value)
                watch.skip(rig, value)
        else:
            setattr(bolt, verb, value)
            bolt.high = max(bolt.high, bolt.low)
        rig.run(wait_ms)


def settle(rig):
    """Ask for nothing, permit all: within the budget's minute the lock comes to rest, and stays so."""
    rig.request, rig.may = HOLD, True
    rig.until(*RESTS, limit_ms=90_000)
    drives = len(rig.drives)
    rig.run(4000)
    assert rig.state in RESTS
    assert (rig.lock.drive, len(rig.drives)) == (0, drives)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    acts=st.lists(st.tuples(ACTS, WAITS), min_size=5, max_size=40),
    feedback=st.sampled_from((FEEDBACK_ANALOG, FEEDBACK_SWITCH, FEEDBACK_NONE)),
    attempts=st.integers(1, 5),
    at=st.sampled_from((0, 500, 1000)),
    t0=T0,
)
def test_honest_feedback_never_makes_a_false_locked(acts, feedback, attempts, at, t0):
    bolt = Bolt(at=at, is_switch=feedback == FEEDBACK_SWITCH)
    rig = Rig(t0=t0, bolt=bolt, feedback=feedback, attempts=attempts)
    watch = Invariants(rig)
    play(rig, watch, acts)
    settle(rig)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    acts=st.lists(st.tuples(st.one_of(ACTS, LIES, LIES), WAITS), min_size=5, max_size=40),
    feedback=st.sampled_from((FEEDBACK_ANALOG, FEEDBACK_SWITCH, FEEDBACK_NONE)),
    kind=st.sampled_from((0, SOLENOID)),
    cap_ms=st.sampled_from((600, 1000, 2000)),
    wired=st.sampled_from((1, -1)),
    is_inverted=st.booleans(),
    t0=T0,
)
def test_lying_feedback_and_wrong_wiring_break_no_limit(
    acts, feedback, kind, cap_ms, wired, is_inverted, t0
):
    rig = Rig(
        t0=t0,
        bolt=Bolt(wired=wired, is_switch=feedback == FEEDBACK_SWITCH),
        feedback=feedback,
        kind=kind,
        run_ms=cap_ms - 10 if cap_ms == 2000 else None,
        cap_ms=cap_ms,
        is_inverted=is_inverted,
        cooldown_ms=500,
        attempts=5,
    )
    watch = Invariants(rig, is_honest=False)
    play(rig, watch, acts)
    settle(rig)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    acts=st.lists(st.tuples(st.one_of(ACTS, LIES), WAITS), min_size=5, max_size=30),
    at=st.integers(0, 1000),
)
def test_without_permission_the_bridge_never_opens_the_bolt(acts, at):
    rig = Rig(bolt=Bolt(at=at))
    rig.may = False
    watch = Invariants(rig, is_honest=False)
    play(rig, watch, [act for act in acts if act[0][0] != "may"])
    assert all(drive >= 0 for _, drive in rig.drives)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(acts=st.lists(st.tuples(st.one_of(ACTS, LIES), WAITS), min_size=5, max_size=30), t0=T0)
def test_life_is_the_same_at_any_tick(acts, t0):
    traces = []
    for start in (12345, t0):
        rig = Rig(t0=start)
        watch = Invariants(rig, is_honest=False)
        play(rig, watch, acts)
        traces.append((rig.states, rig.drives, rig.lock.faults))
    assert traces[0] == traces[1]


@pytest.mark.parametrize("feedback", [FEEDBACK_ANALOG, FEEDBACK_SWITCH, FEEDBACK_NONE])
def test_a_request_changed_as_fast_as_can_be_stays_within_the_budget(feedback):
    """And the budget is what holds it: the motor is on for most of what is allowed."""
    rig = Rig(feedback=feedback, has_current=False)
    watch = Invariants(rig)
    most = 0
    for n in range(400):
        rig.run(300, (LOCK, UNLOCK)[n // 3 % 2])
        most = max(most, len(watch.driven_at_ms) * 10)
    assert 6000 < most <= 7200
