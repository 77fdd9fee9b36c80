"""The last stage before the bridge, on its own: whatever is wanted, for however long."""

import random

import pytest

from lock.bridge import BridgeGuard


def guard(run_ms=600, cap_ms=1000, cooldown_ms=2650, rested_ms=100):
    bridge = BridgeGuard(run_ms, cap_ms, cooldown_ms)
    bridge.tick(rested_ms, 0, True)
    return bridge


def ticks_until(bridge, drive, wanted, may=True, limit=2000):
    """Return after how many ticks `drive` is out."""
    for n in range(1, limit):
        bridge.tick(10, wanted, may)
        if bridge.drive == drive:
            return n
    return None


@pytest.mark.parametrize("wanted", [1, -1])
def test_wanted_drive_comes_and_goes_at_once(wanted):
    bridge = guard()
    bridge.tick(10, wanted, True)
    assert bridge.drive == wanted
    bridge.tick(10, 0, True)
    assert bridge.drive == 0


@pytest.mark.parametrize(("rested_ms", "drive"), [(49, 0), (50, 1), (51, 1)])
def test_no_drive_within_50_ms_of_boot(rested_ms, drive):
    bridge = guard(rested_ms=rested_ms)
    bridge.tick(0, 1, True)
    assert bridge.drive == drive


@pytest.mark.parametrize("again", [1, -1])
def test_no_drive_within_50_ms_of_the_last(again):
    bridge = guard()
    bridge.tick(10, 1, True)
    bridge.tick(10, 0, True)
    assert ticks_until(bridge, again, again) == 5


def test_reversal_without_a_pause_is_refused_until_the_wish_ends():
    bridge = guard()
    bridge.tick(10, 1, True)
    assert ticks_until(bridge, -1, -1) is None
    bridge.tick(10, 0, True)
    assert ticks_until(bridge, -1, -1) == 1


def test_cap_stops_a_drive_and_keeps_it_stopped():
    bridge = guard(cap_ms=1000)
    bridge.tick(10, 1, True)
    assert (
        ticks_until(bridge, 0, 1) == 99
    )  # on for 990 ms, and never beyond 1000 at a pass of up to 20 ms
    assert ticks_until(bridge, 1, 1) is None
    bridge.tick(10, 0, True)
    assert ticks_until(bridge, 1, 1) == 1


def test_opening_needs_permission_to_start_and_to_go_on():
    bridge = guard()
    bridge.tick(10, -1, False)
    assert bridge.drive == 0
    bridge.tick(10, -1, True)
    assert bridge.drive == -1
    bridge.tick(10, -1, False)
    assert bridge.drive == 0
    assert ticks_until(bridge, -1, -1) is None


def test_locking_needs_none():
    bridge = guard()
    bridge.tick(10, 1, False)
    bridge.tick(10, 1, False)
    assert bridge.drive == 1


@pytest.mark.parametrize(("how", "rest_ms"), [("cool", 2650), ("hurry", 50), ("", 50)])
def test_next_drive_waits_for_its_rest(how, rest_ms):
    bridge = guard()
    bridge.tick(10, 1, True)
    if how == "hurry":
        bridge.cool()
    if how:
        getattr(bridge, how)()
    bridge.tick(10, 0, True)
    bridge.tick(rest_ms - 1, 0, True)
    assert not bridge.is_ready()
    bridge.tick(0, 1, True)
    assert bridge.drive == 0
    bridge.tick(1, 0, True)
    assert bridge.is_ready()
    bridge.tick(0, 1, True)
    assert bridge.drive == 1


def test_cool_down_is_asked_for_once():
    bridge = guard()
    bridge.cool()
    bridge.tick(2650, 0, True)
    bridge.tick(10, 1, True)
    bridge.tick(10, 0, True)
    bridge.tick(50, 0, True)
    assert bridge.is_ready()


def test_not_ready_where_a_whole_drive_would_break_the_budget():
    bridge = guard(run_ms=600, cap_ms=2000)
    for run_ms, ready in ((6600, True), (1, False)):
        bridge.tick(10, 1, True)
        bridge.tick(run_ms, 0, True)
        bridge.tick(60, 0, True)
        assert bridge.is_ready() is ready
    assert bridge.used_ms == 6601


def with_600_ms_left():
    """Return a bridge that drives, and has used all of its budget but 600 ms."""
    bridge = guard(run_ms=600, cap_ms=2000)
    bridge.tick(10, 1, True)
    bridge.tick(6600, 0, True)
    bridge.tick(1000, 0, True)
    bridge.tick(10, 1, True)
    return bridge


def test_budget_ends_a_drive_and_lets_none_start():
    bridge = with_600_ms_left()
    assert ticks_until(bridge, 0, 1) == 60
    assert bridge.used_ms == 7200
    bridge.tick(10, 0, True)
    assert ticks_until(bridge, 1, 1, limit=100) is None


def test_on_time_is_forgotten_after_60_to_64_s():
    for early_ms in range(50, 4000, 500):
        bridge = guard()
        bridge.tick(10, 1, True)
        bridge.tick(10, 0, True)
        bridge.tick(early_ms, 0, True)
        bridge.tick(10, 1, True)
        bridge.tick(500, 0, True)
        for n in range(6400):
            bridge.tick(10, 0, True)
            if not bridge.used_ms:
                break
            if n * 10 < 60000 - 10:
                assert bridge.used_ms >= 500
        assert not bridge.used_ms


def test_no_wish_ever_breaks_cap_dead_time_or_budget():
    rng = random.Random(1)
    bridge = guard(run_ms=2000, cap_ms=2000, rested_ms=0)
    on_at = []
    on_ms, off_ms = 0, 10  # the first tick stands for 10 ms gone by
    most = 0
    wanted, may = 1, True
    for now in range(0, 100_000, 10):
        if rng.random() < 0.01:
            wanted, may = rng.choice((-1, 0, 1, 1)), rng.random() < 0.7
        before = bridge.drive
        bridge.tick(10, wanted, may)
        drive = bridge.drive
        assert drive in (0, wanted)
        assert drive >= 0 or may
        if drive:
            assert before in (0, drive)
            assert before or off_ms >= 50
            on_ms = on_ms + 10 if before else 10
            assert on_ms <= 2000
            off_ms = 0
            on_at.append(now)
        else:
            off_ms += 10
        on_at = [t for t in on_at if t > now - 60000]
        most = max(most, len(on_at) * 10)
        assert most <= 7200
    assert most > 7000  # or the budget was never put to the test


def test_times_stop_counting():
    bridge = guard()
    for _ in range(5):
        bridge.tick(60000, 0, True)
    assert bridge.off_ms < 121000
    assert (bridge.used_ms, bridge._slot_ms) == (0, 0)


def test_late_pass_of_a_minute_empties_no_slot_twice():
    bridge = guard()
    bridge.tick(10, 1, True)
    bridge.tick(60000, 0, True)
    assert bridge.used_ms == 60000
    bridge.tick(60000, 0, True)
    bridge.tick(60000, 0, True)
    assert bridge.used_ms == 0
    assert sum(bridge._slots_ms) == 0


@pytest.mark.parametrize("rested_ms", [100, 59_999, 60_000])
def test_cap_counts_from_the_start_of_a_drive_however_long_the_bridge_has_rested(rested_ms):
    bridge = guard(cap_ms=1000, rested_ms=rested_ms)
    bridge.tick(10, 1, True)
    assert ticks_until(bridge, 0, 1) == 99


@pytest.mark.parametrize("late_ms", [990, 991, 5000])
def test_cap_that_a_late_pass_has_overrun_stops_the_drive_with_that_pass(late_ms):
    bridge = guard(cap_ms=1000)
    bridge.tick(10, 1, True)
    bridge.tick(late_ms, 1, True)
    assert bridge.drive == 0
    assert ticks_until(bridge, 1, 1) is None


def test_budget_that_a_late_pass_has_overrun_stops_the_drive_and_lets_none_start():
    bridge = with_600_ms_left()
    bridge.tick(601, 1, True)
    assert (bridge.drive, bridge.used_ms) == (0, 7201)
    bridge.tick(10, 0, True)
    assert ticks_until(bridge, 1, 1, limit=100) is None
