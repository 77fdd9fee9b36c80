"""What the lock does when all is well, and where its limits are: boot, locking, unlocking, times."""

import pytest
from lock_rig import (
    BETWEEN_MV,
    FEEDBACK_NONE,
    FEEDBACK_SWITCH,
    HOLD,
    LOCK,
    LOCKED_MV,
    SOLENOID,
    UNLOCK,
    UNLOCKED_MV,
    Bolt,
    Rig,
)

from faults import F_FAILED_LOCK, F_LOCK_SENSE

T0 = (0, 2**30 - 50)
SHUT = 1000  # bolt travel


# Boot ------------------------------------------------------------------------


@pytest.mark.parametrize("t0", T0)
@pytest.mark.parametrize(("at", "state"), [(0, "unlocked"), (SHUT, "locked")])
def test_boot_believes_feedback_after_200_ms_without_driving(t0, at, state):
    rig = Rig(t0=t0, bolt=Bolt(at=at))
    rig.run(200)  # the first sample starts the clock
    assert (rig.state, rig.told()) == ("assess", (False, False, False))
    rig.run(10)
    assert rig.told() == ((True, True, False) if at else (False, False, True))
    rig.run(2000, may=False)
    assert (rig.states, rig.drives) == (["assess", state], [])


@pytest.mark.parametrize("request_", [HOLD, LOCK, 3])
def test_reboot_with_a_live_cable_keeps_it_locked(request_):
    """Advantics assesses first; Clara assumes open (facts 7)."""
    rig = Rig(bolt=Bolt(at=SHUT)).run(10000, request_, may=False)
    assert (rig.state, rig.drives, rig.bolt.at) == ("locked", [], SHUT)


def test_requests_wait_for_the_assessment():
    for request in (LOCK, UNLOCK):
        rig = Rig().run(200, request)
        assert rig.states == ["assess"]


def test_boot_with_unreadable_feedback_is_blind_and_does_not_lock():
    rig = Rig()
    rig.bolt.ok = False
    rig.run(200)
    assert rig.lock.faults == 0
    rig.run(10)
    assert (rig.state, rig.lock.faults) == ("blind", F_LOCK_SENSE)
    rig.run(5000, LOCK)
    assert (rig.drives, rig.told()) == ([], (False, False, False))


def test_boot_with_feedback_that_never_settles_is_blind_after_400_ms():
    rig = Rig()
    for n in range(40):
        rig.bolt.forced_mv = (UNLOCKED_MV, LOCKED_MV)[n // 10 % 2]
        rig.step()
    assert rig.state == "assess"
    rig.step()
    assert (rig.state, rig.lock.faults) == ("blind", F_LOCK_SENSE)


def test_blind_that_reads_unlocked_for_500_ms_is_unlocked():
    rig = Rig()
    rig.bolt.ok = False
    rig.run(1000)
    rig.bolt.ok = True
    rig.run(500)
    assert rig.state == "blind"
    rig.run(10)
    assert (rig.state, rig.lock.faults) == ("unlocked", 0)


def test_blind_that_reads_locked_is_not_locked_until_it_has_moved():
    rig = Rig(bolt=Bolt(at=SHUT))
    rig.bolt.ok = False
    rig.run(1000)
    rig.bolt.ok = True
    rig.run(1000, LOCK, may=False)
    assert (rig.state, rig.lock.faults, rig.told()) == ("unproven", 0, (False, False, False))
    assert rig.drives == []
    rig.run(2500, may=True)
    assert [way for way, _ in rig.on_times()] == [-1, 1]
    assert (rig.state, rig.told()) == ("locked", (True, True, False))


def test_blind_can_be_unlocked():
    rig = Rig(bolt=Bolt(at=SHUT))
    rig.bolt.ok = False
    rig.run(1000).run(1000, UNLOCK)
    assert rig.bolt.at == 0


# Locking ---------------------------------------------------------------------


@pytest.mark.parametrize("t0", T0)
def test_lock_drives_until_feedback_and_is_told_after_it_has_held(t0):
    rig = Rig(t0=t0).run(300)
    assert rig.run(10, LOCK, may=False).state == "lock_wait"
    rig.until("lock_check")
    assert rig.told() == (False, False, False)
    assert rig.until("locked") == 100
    ((way, on_ms),) = rig.on_times()
    assert way == 1
    assert 300 <= on_ms <= 360  # travel 300 ms, in the window from 285 ms, then 50 ms home
    assert (rig.told(), rig.bolt.at, rig.lock.faults) == ((True, True, False), SHUT, 0)


def test_locked_holds_still_under_a_standing_or_repeated_request():
    """Repeated requests restarted the timed lock (ccs32clara #35)."""
    for feedback in (2, FEEDBACK_NONE):
        rig = Rig(feedback=feedback).to_locked()
        for n in range(20):
            rig.run(200, (LOCK, HOLD)[n % 2])
        assert rig.drives == []


@pytest.mark.parametrize("toggled", [HOLD, 7])
def test_drive_once_begun_is_finished(toggled):
    rig = Rig().run(300).run(100, LOCK)
    for n in range(10):
        rig.run(20, (toggled, LOCK)[n % 2])
    rig.run(600, toggled)
    assert rig.state == "locked"
    assert len(rig.on_times()) == 1


def test_unlock_asked_while_locking_comes_after_it():
    rig = Rig().run(300).run(100, LOCK).run(1500, UNLOCK)
    assert rig.state == "unlocked"
    assert "locked" in rig.states
    assert [way for way, _ in rig.on_times()] == [1, -1]


def test_unlock_between_attempts_ends_the_locking():
    rig = Rig(bolt=Bolt(travel_ms=3000)).run(300, HOLD).run(10, LOCK)
    rig.until("locking")
    rig.until("lock_wait")
    assert rig.run(10, UNLOCK).state == "unlock_wait"
    rig.run(4000)
    assert rig.state == "unlocked"
    assert [way for way, _ in rig.on_times()] == [1, -1]


def test_unlock_between_attempts_waits_for_permission():
    rig = Rig(bolt=Bolt(travel_ms=3000)).run(300, HOLD).run(10, LOCK, may=False)
    rig.until("locking")
    rig.until("lock_wait")
    rig.run(1000, UNLOCK)
    assert rig.state == "lock_wait"


@pytest.mark.parametrize("t0", T0)
def test_bolt_that_never_arrives_is_driven_run_ms_then_rests_cooldown_ms(t0):
    rig = Rig(t0=t0, bolt=Bolt(travel_ms=9000), attempts=2).run(300).run(5000, LOCK)
    times = [t for t, _ in rig.drives[:4]]
    assert times[1] - times[0] == 600
    assert times[2] - times[1] == 2660  # the pass after the one that completes them
    assert times[3] - times[2] == 600


@pytest.mark.parametrize(("attempts", "drives"), [(1, 1), (2, 2), (5, 5)])
def test_attempts_are_counted(attempts, drives):
    rig = Rig(bolt=Bolt(travel_ms=30000), attempts=attempts).run(300).run(20000, LOCK, may=False)
    assert [way for way, _ in rig.on_times()] == [1] * drives
    assert (rig.state, rig.lock.faults) == ("reopen_wait", F_FAILED_LOCK)


def test_slow_bolt_locks_on_a_later_attempt():
    rig = Rig(bolt=Bolt(travel_ms=1500)).run(300).run(9000, LOCK)
    assert (rig.state, len(rig.on_times()), rig.lock.faults) == ("locked", 3, 0)


def test_cap_ends_a_drive_as_long_as_itself():
    bolt = Bolt(travel_ms=9000)
    rig = Rig(bolt=bolt, run_ms=1000, cap_ms=1000, attempts=1).run(300).run(3000, LOCK, may=False)
    assert rig.on_times() == [(1, 990)]
    assert rig.state == "reopen_wait"


@pytest.mark.parametrize("back_to", [0, 500])
def test_bolt_that_springs_back_after_the_drive_is_tried_again_then_failed(back_to):
    rig = Rig(attempts=2).run(300)
    rig.request = LOCK
    for _ in range(2):
        rig.until("lock_check")
        rig.bolt.at = back_to
        assert rig.until("lock_wait", "reopen_wait") == 250
    assert rig.lock.faults == F_FAILED_LOCK
    assert "locked" not in rig.states


@pytest.mark.parametrize(("ms", "state"), [(90, "lock_check"), (100, "locked")])
def test_check_takes_100_ms_of_locked(ms, state):
    rig = Rig().run(300)
    rig.request = LOCK
    rig.until("lock_check")
    rig.run(100)
    assert rig.state == "locked"
    rig = Rig().run(300)
    rig.request = LOCK
    rig.until("lock_check")
    rig.bolt.forced_mv = BETWEEN_MV  # one bad sample starts the count again
    rig.step()
    rig.bolt.forced_mv = None
    rig.step()
    assert rig.run(ms).state == state


# Stall -----------------------------------------------------------------------


def stalled_drive_ms(motor_ma, every=1, **params):
    """Return how long the first drive of a bolt that does not move lasts."""
    rig = Rig(has_current=False, bolt=Bolt(travel_ms=100000), **params).run(300)
    rig.request = LOCK
    rig.until("locking")
    step = rig.lock.tick
    for n in range(100):
        rig.now_ms = (rig.now_ms + 10) & 0x3FFFFFFF
        step(rig.now_ms, LOCK, True, True, UNLOCKED_MV, motor_ma if n % every == 0 else 0)
        if rig.state != "locking":
            return (n + 1) * 10
    return None


@pytest.mark.parametrize(("motor_ma", "ms"), [(1199, 600), (1200, 150), (1201, 150)])
def test_stall_current_ends_a_drive_after_stall_ms(motor_ma, ms):
    assert stalled_drive_ms(motor_ma) == ms


@pytest.mark.parametrize(("stall_ms", "ms"), [(140, 140), (150, 150), (151, 160)])
def test_stall_lasts_stall_ms(stall_ms, ms):
    assert stalled_drive_ms(5000, stall_ms=stall_ms) == ms


def test_stall_with_a_break_does_not_end_a_drive():
    assert stalled_drive_ms(5000, every=2) == 600


def test_stall_of_the_drive_before_does_not_count():
    rig = Rig(bolt=Bolt(at=0)).run(300)
    rig.bolt.high = 0
    rig.run(6000, LOCK)
    assert {on_ms for _, on_ms in rig.on_times()} <= {150, 160}
    assert len(rig.on_times()) >= 2


def test_no_stall_without_current_measurement_or_with_a_solenoid():
    assert stalled_drive_ms(5000, stall_ma=0) == 600
    assert stalled_drive_ms(5000, kind=SOLENOID) == 300


# Unlocking -------------------------------------------------------------------


@pytest.mark.parametrize("t0", T0)
def test_unlock_drives_until_feedback(t0):
    rig = Rig(t0=t0).to_locked().run(1000, UNLOCK)
    ((way, on_ms),) = rig.on_times()
    assert way == -1
    assert 300 <= on_ms <= 360
    assert (rig.told(), rig.bolt.at) == ((False, False, True), 0)


def test_unlock_waits_for_permission_for_ever():
    for feedback in (2, 1, FEEDBACK_NONE):
        rig = Rig(feedback=feedback).to_locked().run(20000, UNLOCK, may=False)
        assert (rig.drives, rig.bolt.at, rig.told()[0]) == ([], SHUT, True)
        rig.run(1500, may=True)
        assert (rig.state, rig.bolt.at) == ("unlocked", 0)


def test_opening_switch_proves_nothing_so_the_whole_time_is_driven():
    """A single contact opens where the bolt still holds the plug."""
    rig = Rig(feedback=FEEDBACK_SWITCH, has_current=False).to_locked().run(1500, UNLOCK)
    assert rig.on_times() == [(-1, 600)]
    assert (rig.state, rig.bolt.at) == ("unlocked", 0)


def test_lock_asked_while_unlocking_comes_after_it():
    rig = Rig().to_locked().run(100, UNLOCK).run(1500, LOCK)
    assert [way for way, _ in rig.on_times()] == [-1, 1]
    assert rig.state == "locked"
    assert "unlocked" in rig.states


def test_standing_unlock_drives_once_and_a_new_one_the_whole_time_again():
    """Feedback stuck at unlocked must not trap a cable."""
    rig = Rig(has_current=False).to_locked().run(5000, UNLOCK)
    assert len(rig.on_times()) == 1
    rig.run(100, HOLD).run(5000, UNLOCK)
    assert rig.on_times()[1:] == [(-1, 600)]
    assert rig.state == "unlocked"


# Permission withdrawn --------------------------------------------------------


@pytest.mark.parametrize("t0", T0)
@pytest.mark.parametrize("opened_ms", [10, 60, 150, 290])
def test_permission_withdrawn_while_opening_stops_at_once_and_relocks(t0, opened_ms):
    """It looks before it drives: a bridge wired the other way round would open a bolt that is still shut."""
    rig = Rig(t0=t0).to_locked()
    rig.request = UNLOCK
    rig.until("unlocking")
    rig.run(opened_ms)
    rig.run(10, may=False)
    assert (rig.lock.drive, rig.state) == (0, "lock_check")
    rig.until("locked")
    for _start_ms, drive in rig.drives[2:]:
        assert drive >= 0
    assert len(rig.drives) > 2 or opened_ms <= 60, "a bolt on its way is driven home"
    rig.run(5000)
    assert rig.state == "locked"
    rig.run(1000, may=True)
    assert rig.state == "unlocked"


def test_permission_withdrawn_with_a_reversed_bridge_after_a_reboot_never_opens_a_shut_bolt():
    rig = Rig().to_locked()
    rig.bolt.low = (
        SHUT  # the drive "towards unlocked" pushes against the shut end: wired the other way round
    )
    rig.request = UNLOCK
    rig.until("unlock_pause")
    before = len(rig.drives)
    rig.run(3000, may=False)
    assert rig.state == "locked"
    assert [drive for _ms, drive in rig.drives[before:] if drive] == []


def test_permission_withdrawn_before_the_first_drive_needs_no_drive():
    rig = Rig().to_locked().run(10, UNLOCK)
    assert rig.state == "unlock_wait"
    rig.run(10, may=False)
    assert rig.state == "lock_check"
    rig.until("locked")
    assert rig.drives == []


def test_permission_withdrawn_between_attempts_relocks_what_reads_open():
    rig = Rig().to_locked()
    rig.bolt.low = 500
    rig.request = UNLOCK
    rig.until("unlock_pause")
    rig.run(10, may=False)
    assert (rig.state, rig.lock.drive) == ("lock_check", 0)
    rig.until("locked")
    assert rig.drives[-2][1] == 1


def test_permission_withdrawn_on_the_attempt_the_other_way_leaves_a_shut_bolt_alone():
    rig = Rig().to_locked()
    rig.bolt.low = SHUT
    rig.request = UNLOCK
    rig.until("unlocking_reversed")
    rig.run(10, may=False)
    assert (rig.state, rig.lock.drive) == ("lock_check", 0)
    rig.until("locked")


def test_relock_without_feedback_is_driven_by_time():
    rig = Rig(feedback=FEEDBACK_NONE, has_current=False).to_locked()
    rig.request = UNLOCK
    rig.until("unlocking")
    rig.run(100).run(10, may=False)
    assert rig.lock.drive == 0
    rig.until("assumed")
    assert rig.bolt.at == SHUT
    rig.run(10, may=True).run(
        10, may=False
    )  # before any drive: checked by driving, for want of feedback
    assert rig.state == "lock_check"
    assert rig.until("lock_wait") == 250
    rig.until("assumed")


# Without feedback ------------------------------------------------------------


@pytest.mark.parametrize("t0", T0)
def test_without_feedback_nothing_is_known_until_driven(t0):
    rig = Rig(t0=t0, feedback=FEEDBACK_NONE).run(5000)
    assert (rig.states, rig.drives, rig.told()) == (["unknown"], [], (False, False, False))


def test_without_feedback_locked_is_assumed_by_time_and_never_confirmed():
    rig = Rig(feedback=FEEDBACK_NONE, has_current=False).run(5000, LOCK)
    assert rig.on_times() == [(1, 600)]
    assert (rig.state, rig.told()) == ("assumed", (True, False, False))


def test_without_feedback_unlock_from_unknown_drives():
    rig = Rig(feedback=FEEDBACK_NONE, bolt=Bolt(at=SHUT)).run(2000, UNLOCK)
    assert (rig.state, rig.bolt.at) == ("unlocked", 0)


def test_without_feedback_a_stall_ends_the_drive_at_the_end_stop():
    rig = Rig(feedback=FEEDBACK_NONE).run(2000, UNLOCK).run(2000, LOCK)
    assert rig.state == "assumed"
    assert rig.on_times()[-1] == (
        1,
        460,
    )  # 300 ms travel, one pass to see it stopped, 150 ms stalled


def test_without_feedback_a_stall_at_once_counts_if_it_may_have_been_there():
    rig = Rig(feedback=FEEDBACK_NONE, bolt=Bolt(at=SHUT)).run(2000, LOCK)
    assert (rig.state, rig.lock.faults) == ("assumed", 0)


def test_pulled_plug_ends_the_assumption():
    rig = Rig(feedback=FEEDBACK_NONE).to_locked()
    rig.lock.unplugged()
    assert (rig.state, rig.told()) == ("unknown", (False, False, False))
    rig.run(2000, LOCK)
    assert (rig.state, len(rig.on_times())) == ("assumed", 1)


# Wiring and clock ------------------------------------------------------------


def test_inverted_bridge_is_driven_the_other_way():
    rig = Rig(is_inverted=True, bolt=Bolt(wired=-1)).run(300).run(1000, LOCK)
    assert (rig.state, rig.on_times()[0][0]) == ("locked", -1)
    rig.run(1000, UNLOCK)
    assert (rig.state, rig.on_times()[1][0]) == ("unlocked", 1)


def test_clock_that_starts_anywhere_or_goes_back_is_survived():
    rig = Rig(t0=123456789).run(150)
    rig.now_ms -= 5000
    rig.run(50)
    assert rig.state == "assess"
    rig.run(20)
    assert rig.state == "unlocked"


def test_pass_that_is_a_day_late_ends_every_drive():
    rig = Rig().run(300).run(100, LOCK)
    rig.bolt.is_dead = True
    rig.step(pass_ms=86400_000)
    assert rig.lock.drive == 0
    assert rig.lock._bridge.used_ms <= 60100


@pytest.mark.parametrize("state", ["locked", "unlocked"])
def test_rest_of_weeks_keeps_every_counter_small(state):
    rig = Rig(bolt=Bolt(at=SHUT if state == "locked" else 0)).run(300)
    for _ in range(200):
        rig.step(pass_ms=50000)
    lock = rig.lock
    assert rig.state == state
    for value in (lock._state_ms, lock._bridge.off_ms, lock._feedback.dwell_ms):
        assert value < 130000
