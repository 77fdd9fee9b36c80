"""What a lock's settings may be, and that nothing else gets past the constructor."""

import pytest

from lock.params import (
    FEEDBACK_ANALOG,
    FEEDBACK_NAMES,
    FEEDBACK_NONE,
    FEEDBACK_SWITCH,
    KIND_NAMES,
    MOTOR,
    SOLENOID,
    LockParams,
)


def test_defaults_are_the_reference_lock():
    p = LockParams()
    assert (p.kind, p.feedback, p.run_ms, p.cap_ms, p.cooldown_ms) == (0, 2, 600, 1000, 2650)
    assert (p.attempts, p.stall_ma, p.stall_ms, p.min_ma, p.is_inverted) == (
        3,
        1200,
        150,
        0,
        False,
    )
    windows = (p.unlocked_min_mv, p.unlocked_max_mv, p.locked_min_mv, p.locked_max_mv)
    assert windows == (480, 680, 2510, 3210)  # Vector VC-EVCC p. 173


def test_solenoid_drives_shorter_and_has_no_stall():
    p = LockParams(kind=SOLENOID, stall_ma=1000)
    assert (p.run_ms, p.stall_ma) == (300, 0)


def test_switch_has_its_own_windows():
    p = LockParams(feedback=FEEDBACK_SWITCH)
    assert (p.locked_min_mv, p.locked_max_mv) == (0, 500)
    assert (p.unlocked_min_mv, p.unlocked_max_mv) == (2800, 3400)


def test_names_match_the_numbers():
    assert [KIND_NAMES[n] for n in (MOTOR, SOLENOID)] == ["motor", "solenoid"]
    names = [FEEDBACK_NAMES[n] for n in (FEEDBACK_NONE, FEEDBACK_SWITCH, FEEDBACK_ANALOG)]
    assert names == ["none", "switch", "analog"]


RANGES = {
    "kind": (0, 1),
    "feedback": (0, 2),
    "run_ms": (50, 1000),
    "cap_ms": (600, 2000),  # never below the run time
    "cooldown_ms": (500, 60000),
    "attempts": (1, 5),
    "stall_ma": (0, 20000),
    "stall_ms": (50, 1000),
    "min_ma": (0, 5000),
    "rail_mv": (3260, 5000),  # 1000 at the least, and the locked window must fit under it
    "unlocked_min_mv": (50, 680),
    "unlocked_max_mv": (480, 2310),
    "locked_min_mv": (880, 3210),
    "locked_max_mv": (2510, 3250),
}


@pytest.mark.parametrize("name", RANGES)
def test_limits_are_taken_and_one_beyond_is_refused(name):
    low, high = RANGES[name]
    for good in (low, low + 1, high - 1, high):
        if low <= good <= high:
            LockParams(**{name: good})
    for bad in (low - 1, high + 1):
        with pytest.raises(ValueError, match="lock"):
            LockParams(**{name: bad})


@pytest.mark.parametrize(("name", "low", "high"), [("cap_ms", 50, 2000), ("rail_mv", 1000, 5000)])
def test_limits_apart_from_their_neighbours(name, low, high):
    rest = {"run_ms": 50, "feedback": FEEDBACK_NONE}
    for good in (low, high):
        LockParams(**rest, **{name: good})
    for bad in (low - 1, high + 1):
        with pytest.raises(ValueError, match=f"{name} is {bad}, allowed {low}..{high}"):
            LockParams(**rest, **{name: bad})


def test_switch_that_reads_high_when_locked_is_refused():
    """A broken wire would read locked."""
    with pytest.raises(ValueError, match="broken wire"):
        LockParams(
            feedback=FEEDBACK_SWITCH,
            unlocked_min_mv=0,
            unlocked_max_mv=500,
            locked_min_mv=2800,
            locked_max_mv=3300,
        )


@pytest.mark.parametrize(("gap_mv", "is_good"), [(199, False), (200, True), (201, True)])
def test_windows_need_a_gap_either_way_round(gap_mv, is_good):
    up = {"unlocked_min_mv": 500, "unlocked_max_mv": 1000}
    up.update(locked_min_mv=1000 + gap_mv, locked_max_mv=2500)
    down = {"locked_min_mv": 500, "locked_max_mv": 1000}
    down.update(unlocked_min_mv=1000 + gap_mv, unlocked_max_mv=2500)
    for windows in (up, down):
        if is_good:
            LockParams(**windows)
        else:
            with pytest.raises(ValueError, match="apart"):
                LockParams(**windows)


def test_without_feedback_windows_do_not_matter():
    assert LockParams(feedback=FEEDBACK_NONE, locked_min_mv=9999).locked_min_mv == 9999


def test_switch_windows_lie_within_0_to_5000_mv():
    p = LockParams(feedback=FEEDBACK_SWITCH, locked_min_mv=0, unlocked_max_mv=5000)
    assert (p.locked_min_mv, p.unlocked_max_mv) == (0, 5000)
    for name, bad, low in (("locked_min_mv", -1, 0), ("unlocked_max_mv", 5001, 2800)):
        with pytest.raises(ValueError, match=f"{name} is {bad}, allowed {low}..5000"):
            LockParams(feedback=FEEDBACK_SWITCH, **{name: bad})


def test_switch_whose_windows_touch_is_told_of_the_gap():
    """It does read lower when locked; what is missing is the distance."""
    with pytest.raises(ValueError, match="200 mV apart"):
        LockParams(feedback=FEEDBACK_SWITCH, locked_max_mv=2800)
    with pytest.raises(ValueError, match="broken wire"):
        LockParams(feedback=FEEDBACK_SWITCH, locked_max_mv=2801)
