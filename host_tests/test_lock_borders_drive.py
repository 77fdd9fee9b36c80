"""The lock's drives at their borders: when one begins, which way it goes, and what ends it when a pass comes late."""

import pytest
from lock_rig import LOCK, LOCKED_MV, UNLOCK, UNLOCKED_MV, Rig
from test_lock_borders import OFF, STARTS, Hand

from faults import F_LOCK_REVERSED, F_LOCK_SENSE
from lock.params import FEEDBACK_NONE


def seen_for(hand, mv, ms):
    """Let feedback read `mv` until it has dwelt there for `ms`."""
    hand.mv = mv
    hand.tick(10)
    return hand.tick(20, ms // 20).tick(ms % 20)


def failed_to_open(**params):
    """Return a hand whose bolt has just failed to leave locked, with its only attempt."""
    hand = Hand(attempts=1, **params).locked()
    hand.request = UNLOCK
    hand.tick(10, 70)
    assert hand.state == "unlock_failed"
    return hand


# Where the bolt is --------------------------------------------------------------------------------


@STARTS
def test_a_bolt_is_where_it_has_been_seen_for_200_ms_at_boot(t0):
    hand = Hand(t0).tick(20, 9).tick(19)
    assert hand.state == "assess" and not hand.lock.is_unlocked
    hand.tick(1)
    assert hand.state == "unlocked" and hand.lock.is_unlocked


@STARTS
@pytest.mark.parametrize("back_ms", [1, 2, 1000])
def test_a_clock_that_goes_back_takes_nothing_from_what_has_passed(t0, back_ms):
    hand = Hand(t0).tick(20, 9).tick(19).tick(-back_ms)
    assert hand.state == "assess"
    hand.tick(1)
    assert hand.state == "unlocked"


@pytest.mark.parametrize(("seen_ms", "state"), [(99, "unlock_failed"), (100, "unlocked")])
def test_a_bolt_that_failed_to_open_is_open_once_it_has_been_seen_so_for_100_ms(seen_ms, state):
    assert seen_for(failed_to_open(), UNLOCKED_MV, seen_ms).state == state


def test_a_bolt_that_failed_to_open_is_not_told_locked_after_a_flicker_of_its_feedback():
    """Long enough at unlocked to end the doubt, too short to be there; then locked for good."""
    hand = seen_for(failed_to_open(), UNLOCKED_MV, 60)
    hand.mv = LOCKED_MV
    hand.tick(10, 100)
    assert hand.state == "unlock_failed"
    assert hand.lock.is_locked is False and hand.lock.is_confirmed is False


@pytest.mark.parametrize("noise_ms", [1, 2, 3, 10, 11, 90])
def test_a_lock_request_is_taken_once_noise_has_drained_out(noise_ms):
    hand = Hand().unlocked()
    hand.mv = OFF
    hand.tick(min(noise_ms, 45))
    hand.tick(noise_ms - min(noise_ms, 45))
    hand.mv = UNLOCKED_MV
    hand.request = LOCK
    hand.tick(10, 20)
    assert hand.state == "locking"


def test_a_wire_that_reads_again_is_believed_also_where_no_pass_meets_the_half_second():
    hand = Hand().locked()
    hand.mv = OFF
    hand.tick(10, 12)
    assert hand.lock.faults == F_LOCK_SENSE
    hand.mv = LOCKED_MV
    hand.tick(15, 34)  # seen for 495 ms
    assert hand.lock.faults == F_LOCK_SENSE
    hand.tick(15)
    assert hand.lock.faults == 0


# Checks -------------------------------------------------------------------------------------------


def checking():
    hand = Hand().locking()
    seen_for(hand, LOCKED_MV, 50)
    assert hand.state == "lock_check"
    return hand


def checking_reversed():
    """The last attempt, the other way, has brought the bolt to locked."""
    hand = Hand(attempts=2).locking()
    hand.tick(10, 60)  # and feedback has not moved
    assert hand.state == "lock_wait"
    hand.tick(10, 267)
    assert hand.state == "locking_reversed" and hand.lock.drive == -1
    seen_for(hand, LOCKED_MV, 50)
    assert hand.state == "reversed_check"
    return hand


@pytest.mark.parametrize(
    ("check", "state", "after"),
    [(checking, "lock_check", "lock_wait"), (checking_reversed, "reversed_check", "reopen_wait")],
)
def test_a_bolt_that_does_not_stay_locked_is_given_up_after_250_ms(check, state, after):
    hand = check()
    hand.mv = OFF
    hand.tick(249)
    assert hand.state == state
    hand.tick(1)
    assert hand.state == after
    assert hand.lock.is_locked is False


# Which way ----------------------------------------------------------------------------------------


def test_an_only_attempt_to_lock_is_driven_towards_locked():
    hand = Hand(attempts=1).locking()
    assert (hand.state, hand.lock.drive) == ("locking", 1)


def test_a_bridge_set_as_inverted_that_is_not_is_proven_so_and_driven_right_from_then_on():
    rig = Rig(is_inverted=True).run(300)
    rig.request = LOCK
    rig.until("locked")
    assert rig.lock.faults == F_LOCK_REVERSED and rig.bolt.is_in_locked_window
    for request, way, state in ((UNLOCK, -1, "unlocked"), (LOCK, 1, "locked")):
        rig.drives = []
        rig.run(1000, request)
        assert (rig.state, [drive for drive, _ in rig.on_times()]) == (state, [way])


@pytest.mark.parametrize(("pass_ms", "way"), [(10, 1), (15, 1), (16, 1), (1, -1)])
def test_a_bolt_seen_to_move_is_not_driven_the_other_way_whatever_the_passes(pass_ms, way):
    """Seven passes away from unlocked: 50 ms are a move, 6 ms are noise."""
    hand = Hand(attempts=2).locking()
    hand.mv = OFF
    hand.tick(pass_ms, 7)
    hand.mv = UNLOCKED_MV
    hand.tick(10, 60)
    assert hand.state == "lock_wait"
    hand.tick(10, 267)
    assert hand.lock.drive == way


@pytest.mark.parametrize(("early_ms", "state"), [(19, "lock_check"), (20, "lock_wait")])
def test_locked_for_20_ms_before_the_first_drive_begins_is_doubted(early_ms, state):
    """A bolt just opened waits out the dead time; feedback turns to locked meanwhile, as a shorted wire does."""
    hand = Hand().locked()
    hand.request = UNLOCK
    hand.tick(10, 20)
    assert hand.state == "unlocking"
    seen_for(hand, UNLOCKED_MV, 50)
    assert hand.state == "unlocked"
    hand.request = LOCK
    hand.tick(10)
    hand.mv = LOCKED_MV
    hand.tick(30).tick(10)
    assert hand.state == "lock_wait"
    hand.tick(early_ms - 10)
    assert hand.state == "locking"
    hand.tick(10, 59)
    assert hand.state == "locking"
    hand.tick(10)
    assert hand.state == state
    assert hand.lock.drive == 0 and hand.lock.is_locked is False


# What ends a drive --------------------------------------------------------------------------------


@STARTS
def test_a_drive_lasts_its_time_from_the_pass_that_began_it(t0):
    hand = Hand(t0, run_ms=600).locking()
    hand.mv = OFF
    hand.tick(599)
    assert (hand.state, hand.lock.drive) == ("locking", 1)
    hand.tick(1)
    assert (hand.state, hand.lock.drive) == ("lock_wait", 0)


@pytest.mark.parametrize("late_ms", [601, 610, 989])
def test_a_drive_whose_time_a_late_pass_has_overrun_ends_with_that_pass(late_ms):
    hand = Hand(run_ms=600).locking()
    hand.mv = OFF
    hand.tick(late_ms)
    assert (hand.state, hand.lock.drive) == ("lock_wait", 0)


@pytest.mark.parametrize(("free_ms", "state"), [(74, "lock_wait"), (75, "assumed")])
def test_without_feedback_a_bolt_that_ran_an_eighth_of_its_time_before_the_stop_is_there(
    free_ms, state
):
    hand = Hand(feedback=FEEDBACK_NONE, run_ms=600, stall_ma=1200, stall_ms=150).tick(10, 10)
    hand.request = UNLOCK
    hand.tick(10, 63).tick(10, 10)
    hand.request = LOCK
    hand.tick(10, 2)
    assert (hand.state, hand.lock.drive) == ("locking", 1)
    hand.tick(free_ms)
    hand.motor_ma = 1200
    hand.tick(149)
    assert hand.state == "locking"
    hand.tick(1)
    assert hand.state == state


# A loop that stood still --------------------------------------------------------------------------


def failed_and_cooling(cooldown_ms):
    hand = Hand(cooldown_ms=cooldown_ms).locking()
    hand.mv = OFF
    hand.tick(600)
    assert hand.state == "lock_wait"
    return hand


def test_a_cool_down_of_a_minute_is_over_with_a_pass_that_came_a_minute_late():
    hand = failed_and_cooling(60_000).tick(59_999).tick(1)
    assert hand.lock.drive == 0
    hand = failed_and_cooling(60_000).tick(60_000).tick(1)
    assert hand.lock.drive == 1


def test_a_pass_counts_for_a_minute_at_most():
    """A drive was on meanwhile: how long the next one has to wait is the same."""
    drives = []
    for late_ms in (60_000, 60_001, 3_600_000):
        hand = Hand().locking().tick(10)
        hand.mv = OFF
        hand.tick(late_ms)
        assert (hand.state, hand.lock.drive) == ("lock_wait", 0)
        hand.tick(10, 390)
        drives.append([hand.tick(1).lock.drive for _ in range(200)])
    assert set(drives[0]) == {0, 1}
    assert drives[0] == drives[1] == drives[2]
