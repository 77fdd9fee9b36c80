"""measure/can.py: what counts as late, and what falls short. The measuring itself needs the emulated chip."""

import pytest

from inletctl.measure.can import shortfalls, status_times

MS = 1_000_000
CYCLE = 100 * MS


def test_regular_frames_have_no_jitter_and_none_is_late():
    times = [n * CYCLE for n in range(1, 11)]
    found = status_times(times, 0, 11 * CYCLE, CYCLE)
    assert found["status_jitter_us"]["max"] == 0 and found["status_late"] == 0
    assert found["status_gap_us"] == {"p50": 100_000, "p99": 100_000, "max": 100_000, "count": 9}


@pytest.mark.parametrize("gap_ms, late", [(200, 0), (201, 1)])
@pytest.mark.parametrize("where", [0, 3, 9])
def test_more_than_two_cycles_without_a_frame_are_late_anywhere(gap_ms, late, where):
    gaps = [100] * 10
    gaps[where] = gap_ms
    times, t_ms = [], 0
    for gap in gaps[:-1]:
        t_ms += gap
        times.append(t_ms * MS)
    assert status_times(times, 0, (t_ms + gaps[-1]) * MS, CYCLE)["status_late"] == late


def test_no_frame_at_all_is_late():
    assert status_times([], 0, 1000 * MS, CYCLE)["status_late"] == 1


GOOD = {
    "loads": {"quiet": {"late_passes": 0, "resets": 0, "status_late": 0}},
    "unanswered": 0,
    "never_stopped": 0,
    "silence_current_ms": {"max": 500, "count": 3},
    "silence_s2_ms": {"max": 600, "count": 3},
}


def test_what_is_as_it_must_be_gives_no_sentence():
    assert shortfalls(GOOD) == []


@pytest.mark.parametrize(
    "change",
    [
        {"loads": {"own": {"late_passes": 1, "resets": 0, "status_late": 0}}},
        {"loads": {"own": {"late_passes": 0, "resets": 1, "status_late": 0}}},
        {"loads": {"own": {"late_passes": 0, "resets": 0, "status_late": 2}}},
        {"unanswered": 1},
        {"never_stopped": 1},
        {"silence_current_ms": {"max": 500.1, "count": 3}},
    ],
)
def test_each_shortfall_is_a_sentence(change):
    assert len(shortfalls({**GOOD, **change})) == 1
