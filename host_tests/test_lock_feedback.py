"""From millivolts to where the bolt is, and for how long."""

import pytest

from lock.feedback import POS_LOCKED, POS_NAMES, POS_UNKNOWN, POS_UNLOCKED, LockFeedback
from lock.params import FEEDBACK_SWITCH, LockParams


def seen(mv, ok=True, **params):
    feedback = LockFeedback(LockParams(**params))
    feedback.tick(10, ok, mv)
    return feedback.position


@pytest.mark.parametrize(
    ("mv", "position"),
    [
        (0, POS_UNKNOWN),  # shorted
        (479, POS_UNKNOWN),
        (480, POS_UNLOCKED),
        (481, POS_UNLOCKED),
        (679, POS_UNLOCKED),
        (680, POS_UNLOCKED),
        (681, POS_UNKNOWN),
        (2509, POS_UNKNOWN),
        (2510, POS_LOCKED),
        (2511, POS_LOCKED),
        (3209, POS_LOCKED),
        (3210, POS_LOCKED),
        (3211, POS_UNKNOWN),
        (3300, POS_UNKNOWN),  # wire broken
    ],
)
def test_analog_reads_its_windows(mv, position):
    assert seen(mv) == position


@pytest.mark.parametrize(
    ("mv", "position"),
    [(0, POS_LOCKED), (500, POS_LOCKED), (501, POS_UNKNOWN), (2799, POS_UNKNOWN)]
    + [(2800, POS_UNLOCKED), (3300, POS_UNLOCKED), (3400, POS_UNLOCKED), (3401, POS_UNKNOWN)],
)
def test_switch_reads_its_windows(mv, position):
    assert seen(mv, feedback=FEEDBACK_SWITCH) == position


def test_reading_that_was_not_measured_is_unknown():
    assert seen(3000, ok=False) == POS_UNKNOWN


def test_names_match_the_numbers():
    names = [POS_NAMES[n] for n in (POS_UNKNOWN, POS_UNLOCKED, POS_LOCKED)]
    assert names == ["unknown", "unlocked", "locked"]


def test_dwell_counts_from_the_second_sample_and_restarts_on_any_change():
    feedback = LockFeedback(LockParams())
    dwells = []
    for mv in (3000, 3000, 3000, 600, 600, 3000, 3000):
        feedback.tick(10, True, mv)
        dwells.append(feedback.dwell_ms)
    assert dwells == [0, 10, 20, 0, 10, 0, 10]


@pytest.mark.parametrize(("dt_ms", "dwell_ms"), [(19, 19), (20, 20), (21, 20), (60000, 20)])
def test_late_pass_vouches_for_20_ms_only(dt_ms, dwell_ms):
    feedback = LockFeedback(LockParams())
    feedback.tick(10, True, 3000)
    feedback.tick(dt_ms, True, 3000)
    assert feedback.dwell_ms == dwell_ms


def test_dwell_stops_at_its_end():
    feedback = LockFeedback(LockParams())
    for _ in range(4000):
        feedback.tick(20, True, 3000)
    assert feedback.dwell_ms == 60000


def test_doubt_ends_after_50_ms_of_unlocked_and_by_nothing_else():
    feedback = LockFeedback(LockParams())
    feedback.is_doubted = True
    for mv in (3000, 1500):
        for _ in range(100):
            feedback.tick(10, True, mv)
        assert feedback.is_doubted
    doubts = []
    for _ in range(7):
        feedback.tick(10, True, 600)
        doubts.append(feedback.is_doubted)
    assert doubts == [True] * 5 + [False] * 2


def test_doubt_ends_also_where_no_pass_meets_the_50_ms():
    feedback = LockFeedback(LockParams())
    feedback.is_doubted = True
    doubts = []
    for _ in range(5):
        feedback.tick(20, True, 600)
        doubts.append(feedback.is_doubted)
    assert doubts == [True, True, True, False, False]  # seen for 0, 20, 40, 60, 80 ms
