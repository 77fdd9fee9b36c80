"""Each lock fault: what raises it and when, what it does, how it clears."""

import pytest
from lock_rig import (
    BETWEEN_MV,
    FEEDBACK_NONE,
    FEEDBACK_SWITCH,
    HOLD,
    LOCK,
    LOCKED_MV,
    UNLOCK,
    UNLOCKED_MV,
    Bolt,
    Rig,
)

from faults import (
    F_FAILED_LOCK,
    F_FAILED_UNLOCK,
    F_LOCK_REVERSED,
    F_LOCK_SENSE,
    F_UNEXPECTED_CLOSE,
    F_UNEXPECTED_OPEN,
)

T0 = (0, 2**30 - 50)
SHUT = 1000  # bolt travel
NOTHING = (False, False, False)


# FailedLock ------------------------------------------------------------------


def jammed(**params):
    """Return a rig whose lock has just failed at half travel."""
    rig = Rig(**params).run(300)
    rig.bolt.high = 500
    rig.request = LOCK
    rig.until("reopen_wait")
    return rig


def test_lock_that_does_not_arrive_is_failed_and_opened_again():
    rig = jammed()
    assert (rig.lock.faults, rig.told()) == (F_FAILED_LOCK, NOTHING)
    rig.run(5000)
    assert (rig.state, rig.bolt.at) == ("unlocked", 0)
    assert [way for way, _ in rig.on_times()] == [1, 1, 1, -1]


def test_failed_lock_is_not_opened_without_permission():
    rig = jammed()
    rig.run(20000, may=False)
    assert (rig.state, rig.bolt.at) == ("reopen_wait", 500)
    rig.run(1000, may=True)
    assert (rig.state, rig.bolt.at) == ("unlocked", 0)


def test_permission_withdrawn_while_opening_again_locks_if_it_now_can():
    rig = jammed()
    rig.until("unlocking")
    rig.bolt.high = SHUT
    rig.run(30, may=False)
    rig.until("locked")
    assert rig.lock.faults == F_FAILED_LOCK  # still: only a pulled plug ends it


@pytest.mark.parametrize("request_", [LOCK, HOLD])
def test_failed_lock_takes_no_lock_request_until_unplugged(request_):
    rig = jammed().run(5000)
    rig.bolt.high = SHUT
    for _ in range(3):
        rig.run(100, request_).run(2000, LOCK)
    assert (rig.state, rig.lock.faults) == ("unlocked", F_FAILED_LOCK)
    rig.lock.unplugged()
    assert rig.lock.faults == 0
    rig.run(1000)
    assert rig.state == "locked"


def test_failed_lock_pulled_while_opening_clears_when_open():
    rig = jammed()
    rig.lock.unplugged()
    assert rig.lock.faults == F_FAILED_LOCK
    rig.until("unlocked")
    assert rig.lock.faults == 0


def test_pull_before_the_fault_does_not_clear_it():
    rig = Rig().run(300)
    rig.lock.unplugged()
    rig.bolt.high = 500
    rig.request = LOCK
    rig.until("unlocked", limit_ms=50)
    rig.until("reopen_wait")
    rig.until("unlocked")
    assert rig.lock.faults == F_FAILED_LOCK


def test_failed_lock_that_cannot_open_either_stays_until_it_does():
    rig = jammed(attempts=2)
    rig.bolt.low = 500
    rig.until("unlock_failed")
    rig.lock.unplugged()
    assert rig.lock.faults == F_FAILED_LOCK | F_FAILED_UNLOCK
    rig.bolt.at = 0  # by hand
    rig.run(200, HOLD)
    assert (rig.state, rig.lock.faults) == ("unlocked", 0)


def test_failed_lock_without_feedback_by_jam_at_once():
    rig = Rig(feedback=FEEDBACK_NONE).run(2000, UNLOCK)
    rig.bolt.high = 50
    rig.run(9000, LOCK, may=False)
    assert (rig.state, rig.lock.faults, rig.told()) == ("reopen_wait", F_FAILED_LOCK, NOTHING)


@pytest.mark.parametrize(("travel", "is_failed"), [(200, True), (230, True), (240, False)])
def test_without_feedback_a_stall_within_an_eighth_of_the_time_is_a_jam(travel, is_failed):
    """600 / 8 = 75 ms; the bolt needs 0.3 ms for 1/1000 and moves in passes of 10 ms."""
    rig = Rig(feedback=FEEDBACK_NONE, attempts=1).run(2000, UNLOCK)
    rig.bolt.high = travel
    rig.run(1500, LOCK, may=False)
    assert rig.state == ("reopen_wait" if is_failed else "assumed")


@pytest.mark.parametrize(
    ("min_ma", "state"), [(249, "assumed"), (250, "assumed"), (251, "reopen_wait")]
)
def test_without_feedback_a_drive_that_drew_no_current_did_not_happen(min_ma, state):
    """Motor does not move, spot value says it did (openinverter 6124)."""
    rig = Rig(feedback=FEEDBACK_NONE, min_ma=min_ma, attempts=1, stall_ma=0)
    rig.bolt.travel_ms = 700  # never at the stop, so 250 mA throughout
    rig.run(2000, LOCK, may=False)
    assert rig.state == state
    assert rig.lock.faults == (0 if state == "assumed" else F_FAILED_LOCK)


def test_current_of_the_drive_before_does_not_count():
    rig = Rig(feedback=FEEDBACK_NONE, min_ma=100).to_locked()
    rig.bolt.is_dead = True
    rig.run(10000, UNLOCK)
    assert (rig.state, rig.lock.faults) == ("unlock_failed", F_FAILED_UNLOCK)


# FailedUnlock ----------------------------------------------------------------


def stuck(**params):
    """Return a rig whose bolt is frozen in locked and has just failed to open."""
    rig = Rig(**params).to_locked()
    rig.bolt.low = SHUT
    rig.request = UNLOCK
    rig.until("unlock_failed")
    return rig


def test_unlock_that_does_not_arrive_is_failed_after_the_attempts():
    rig = stuck()
    assert (rig.lock.faults, rig.told()) == (F_FAILED_UNLOCK, NOTHING)
    rig.run(20000)
    assert [way for way, _ in rig.on_times()] == [-1, 1, -1]
    rig.run(20000, HOLD)
    assert len(rig.on_times()) == 3


def test_failed_unlock_gets_a_new_set_for_a_new_request():
    rig = stuck(attempts=2)
    rig.run(100, HOLD)
    rig.bolt.low = 0
    rig.run(3000, UNLOCK)
    assert (rig.state, rig.lock.faults) == ("unlocked", 0)
    assert len(rig.on_times()) == 3


def test_failed_unlock_new_request_waits_for_permission():
    rig = stuck().run(100, HOLD)
    rig.run(5000, UNLOCK, may=False)
    assert rig.state == "unlock_failed"
    rig.run(10, may=True)
    assert rig.state == "unlock_wait"


@pytest.mark.parametrize(("ms", "state"), [(100, "unlock_failed"), (110, "unlocked")])
def test_failed_unlock_clears_when_freed_by_hand(ms, state):
    rig = stuck()
    rig.bolt.at = 0
    rig.run(ms)
    assert rig.state == state
    assert rig.lock.faults == (0 if state == "unlocked" else F_FAILED_UNLOCK)


def test_pulled_plug_does_not_clear_a_failed_unlock():
    rig = stuck()
    rig.lock.unplugged()
    rig.run(1000)
    assert rig.lock.faults == F_FAILED_UNLOCK


def test_feedback_stuck_at_locked_is_not_believed_after_a_failed_unlock():
    rig = Rig().to_locked()
    rig.bolt.forced_mv = LOCKED_MV
    rig.run(9000, UNLOCK)
    assert (rig.state, rig.bolt.at) == (
        "unlock_failed",
        0,
    )  # the last attempt is always towards open
    rig.run(40000, LOCK)
    assert rig.told() == NOTHING
    assert rig.state == "unlock_failed"
    assert "locked" not in rig.states


def test_standing_lock_request_does_not_retry_a_failed_unlock():
    rig = Rig().to_locked()
    rig.bolt.low = SHUT
    rig.request = UNLOCK
    rig.until("unlocking")
    rig.request = LOCK
    rig.until("unlock_failed")
    rig.run(10000)
    assert (rig.state, len(rig.on_times())) == ("unlock_failed", 3)


def test_new_lock_request_opens_first_to_prove_the_feedback():
    rig = stuck().run(1000, LOCK, may=False)
    assert (rig.state, len(rig.on_times())) == ("unlock_failed", 3)
    rig.bolt.low = 0
    rig.run(5000, may=True)
    assert [way for way, _ in rig.on_times()[3:]] == [-1, 1]
    assert (rig.state, rig.lock.faults, rig.told()) == ("locked", 0, (True, True, False))


def test_relock_of_a_doubted_bolt_is_driven_but_not_believed():
    rig = Rig().to_locked()
    rig.bolt.forced_mv = LOCKED_MV
    rig.run(9000, UNLOCK).run(10, HOLD).run(10, UNLOCK)
    assert rig.state == "unlock_wait"
    rig.run(20000, may=False)
    assert (rig.state, rig.bolt.at, rig.told()) == ("reopen_wait", SHUT, NOTHING)
    assert rig.lock.faults == F_FAILED_UNLOCK | F_FAILED_LOCK


def test_without_feedback_a_bolt_jammed_at_once_is_failed_and_asked_again_is_driven():
    rig = Rig(feedback=FEEDBACK_NONE).to_locked()
    rig.bolt.low = SHUT
    rig.run(9000, UNLOCK)
    assert (rig.state, rig.lock.faults) == ("unlock_failed", F_FAILED_UNLOCK)
    rig.bolt.low = 0
    rig.run(9000, HOLD).run(4000, UNLOCK)
    assert (rig.state, rig.lock.faults, rig.bolt.at) == ("unlocked", 0, 0)


def test_without_feedback_a_failed_unlock_clears_by_locking_too():
    rig = Rig(feedback=FEEDBACK_NONE).to_locked()
    rig.bolt.low = SHUT
    rig.request = UNLOCK
    rig.until("unlock_failed")
    rig.run(20, HOLD)
    rig.request = UNLOCK
    rig.until("unlocking")
    rig.run(20, may=False)
    rig.until("assumed")
    assert rig.lock.faults == 0


def test_frozen_bolt_that_breaks_free_on_the_last_attempt_opens():
    rig = Rig().to_locked()
    rig.bolt.low = SHUT
    rig.request = UNLOCK
    rig.until("unlocking_reversed")
    rig.bolt.low = 0
    rig.until("unlocked")
    assert rig.lock.faults == 0


# UnexpectedOpen --------------------------------------------------------------


@pytest.mark.parametrize("t0", T0)
@pytest.mark.parametrize("feedback", [2, FEEDBACK_SWITCH])
def test_slip_is_told_within_120_ms(t0, feedback):
    rig = Rig(t0=t0, feedback=feedback).to_locked()
    rig.run(90)
    rig.bolt.at = 0
    rig.run(90)
    assert (rig.state, rig.lock.faults) == ("locked", 0)
    rig.run(10)
    assert (rig.state, rig.lock.faults, rig.told()) == ("slipped", F_UNEXPECTED_OPEN, NOTHING)


def test_slip_by_stages_is_told_within_120_ms_too():
    rig = Rig().to_locked()
    for at in (700, 500, 300, 100, 0):
        rig.bolt.at = at
        rig.run(20)
    assert (rig.state, rig.lock.faults) == ("slipped", F_UNEXPECTED_OPEN)


def slipped():
    rig = Rig().to_locked()
    rig.bolt.at = 0
    rig.until("slipped")
    return rig


def test_slipped_bolt_is_not_driven_back_against_a_hand():
    """J1772 6.4.2 permits a manual release."""
    rig = slipped()
    for _ in range(3):
        rig.run(500, HOLD).run(500, LOCK)
    assert rig.drives == []


def test_slipped_bolt_that_comes_back_is_not_locked():
    rig = slipped()
    rig.bolt.at = SHUT
    rig.run(5000)
    assert (rig.state, rig.told()) == ("slipped", NOTHING)


def test_slipped_bolt_can_be_driven_open_and_stays_barred_until_unplugged():
    rig = slipped()
    rig.bolt.at = 400
    rig.run(1000, UNLOCK).run(1000, LOCK)
    assert (rig.state, rig.bolt.at, rig.lock.faults) == ("unlocked", 0, F_UNEXPECTED_OPEN)
    rig.lock.unplugged()
    assert rig.lock.faults == 0
    rig.run(1000)
    assert rig.state == "locked"


@pytest.mark.parametrize("t0", T0)
def test_slip_clears_after_the_pull_once_the_bolt_is_assessed(t0):
    rig = Rig(t0=t0).to_locked()
    rig.bolt.at = 0
    rig.until("slipped")
    rig.lock.unplugged()
    assert (rig.state, rig.lock.faults) == ("assess", F_UNEXPECTED_OPEN)
    rig.run(190, HOLD)
    assert rig.state == "assess"
    rig.run(20)
    assert (rig.state, rig.lock.faults) == ("unlocked", 0)


def test_slip_with_fluttering_feedback_is_blind_after_the_pull():
    rig = slipped()
    rig.lock.unplugged()
    for n in range(41):
        rig.bolt.forced_mv = (UNLOCKED_MV, LOCKED_MV)[n // 10 % 2]
        rig.step()
    assert (rig.state, rig.lock.faults) == ("blind", F_UNEXPECTED_OPEN | F_LOCK_SENSE)


def test_slip_with_lost_feedback_clears_when_the_bolt_is_seen_again():
    rig = slipped()
    rig.bolt.ok = False
    rig.run(1000)
    rig.lock.unplugged()
    rig.run(1000, HOLD)
    assert (rig.state, rig.lock.faults) == ("blind", F_UNEXPECTED_OPEN | F_LOCK_SENSE)
    rig.bolt.ok = True
    rig.run(600)
    assert (rig.state, rig.lock.faults) == ("unlocked", 0)


@pytest.mark.parametrize("bad_mv", [UNLOCKED_MV, BETWEEN_MV, 0])
def test_noise_never_slips_the_lock(bad_mv):
    """6 bad samples within 250 ms, anywhere."""
    rig = Rig().to_locked()
    for shift in range(20):
        for n in range(25):
            rig.bolt.forced_mv = bad_mv if (n * 6 + shift) % 25 < 6 else None
            rig.step()
        rig.bolt.forced_mv = bad_mv
        rig.run(60)
        rig.bolt.forced_mv = None
        rig.run(250)
    assert rig.states == ["locked"]


def test_loose_contact_slips_the_lock():
    rig = Rig().to_locked()
    for n in range(60):
        rig.bolt.forced_mv = UNLOCKED_MV if n % 2 else None
        rig.step()
    assert rig.state == "slipped"


@pytest.mark.parametrize(("late_ms", "passes"), [(40, 3), (50, 2), (500, 2)])
def test_one_late_sample_never_slips_the_lock(late_ms, passes):
    rig = Rig().to_locked()
    rig.bolt.at = 0
    for _ in range(passes):
        assert rig.state == "locked"
        rig.step(pass_ms=late_ms)
    assert rig.state == "slipped"


# LockSense -------------------------------------------------------------------


def lose(rig, how):
    if how == "dead":
        rig.bolt.ok = False
    else:
        rig.bolt.forced_mv = how


@pytest.mark.parametrize("t0", T0)
@pytest.mark.parametrize("how", ["dead", 0, 3300, BETWEEN_MV])
def test_feedback_lost_while_locked_is_told_within_120_ms(t0, how):
    rig = Rig(t0=t0).to_locked()
    lose(rig, how)
    rig.run(90)
    assert rig.lock.faults == 0
    rig.run(10)
    assert (rig.state, rig.lock.faults, rig.told()) == ("unsure", F_LOCK_SENSE, NOTHING)


@pytest.mark.parametrize("t0", T0)
def test_feedback_that_comes_back_locked_for_500_ms_is_locked(t0):
    rig = Rig(t0=t0).to_locked()
    rig.bolt.ok = False
    rig.run(5000)
    assert rig.drives == []
    rig.bolt.ok = True
    rig.run(500)
    assert rig.lock.faults == F_LOCK_SENSE
    rig.run(10)
    assert (rig.state, rig.lock.faults) == ("locked", 0)


def test_feedback_that_comes_back_unlocked_is_a_slip():
    rig = Rig().to_locked()
    rig.bolt.ok = False
    rig.run(1000)
    rig.bolt.ok, rig.bolt.at = True, 0
    rig.run(510)
    assert (rig.state, rig.lock.faults) == ("slipped", F_UNEXPECTED_OPEN)


def test_broken_wire_of_a_switch_is_a_slip_not_a_lock():
    rig = Rig(feedback=FEEDBACK_SWITCH).to_locked()
    rig.bolt.forced_mv = 3300
    rig.run(100)
    assert rig.state == "slipped"


def test_lost_feedback_does_not_trap_the_cable():
    rig = Rig().to_locked()
    rig.bolt.ok = False
    rig.run(500).run(9000, UNLOCK)
    assert (rig.state, rig.bolt.at) == ("unlock_failed", 0)
    assert rig.lock.faults == F_LOCK_SENSE | F_FAILED_UNLOCK
    rig.bolt.ok = True
    rig.run(520)
    assert (rig.state, rig.lock.faults) == ("unlocked", 0)


def test_unplugged_while_unsure_makes_locked_unproven():
    rig = Rig().to_locked()
    rig.bolt.ok = False
    rig.run(500)
    rig.lock.unplugged()
    assert rig.state == "blind"
    rig.bolt.ok = True
    rig.run(520, HOLD)
    assert (rig.state, rig.told()) == ("unproven", NOTHING)


@pytest.mark.parametrize("how", ["dead", 0, 3300, BETWEEN_MV])
def test_feedback_lost_while_unlocked_is_told_before_anybody_locks(how):
    rig = Rig().run(300)
    lose(rig, how)
    rig.run(90)
    assert rig.lock.faults == 0
    rig.run(10)
    assert (rig.state, rig.lock.faults) == ("blind", F_LOCK_SENSE)
    rig.run(5000, LOCK)
    assert rig.drives == []


def test_sense_fault_clears_wherever_feedback_is_readable_for_500_ms():
    rig = Rig().to_locked()
    rig.bolt.ok = False
    rig.run(200)
    rig.request = UNLOCK
    rig.until("unlock_pause")
    rig.bolt.ok = True
    rig.run(500)
    assert (rig.state, rig.lock.faults) == ("unlock_pause", F_LOCK_SENSE)
    rig.run(10)
    assert (rig.state, rig.lock.faults) == ("unlock_pause", 0)


def test_attempts_count_from_the_new_effort_after_lost_feedback():
    """Feedback that was unreadable at the start of an effort never leads to a drive the other way."""
    rig = Rig().to_locked()
    rig.bolt.ok = False
    rig.run(500).run(9000, UNLOCK)
    assert [way for way, _ in rig.on_times()] == [-1, -1, -1]


# UnexpectedClose -------------------------------------------------------------


@pytest.mark.parametrize("t0", T0)
def test_bolt_that_closes_undriven_is_told_and_not_locked(t0):
    rig = Rig(t0=t0).run(300)
    rig.bolt.at = SHUT
    rig.run(90)
    assert rig.lock.faults == 0
    rig.run(10)
    assert (rig.state, rig.lock.faults, rig.told()) == ("shut", F_UNEXPECTED_CLOSE, NOTHING)


def shut():
    rig = Rig().run(300)
    rig.bolt.at = SHUT
    rig.until("shut")
    return rig


def test_unexpected_close_clears_when_opened_by_hand():
    rig = shut()
    rig.bolt.at = 0
    rig.run(100)
    assert (rig.state, rig.lock.faults) == ("unlocked", 0)


def test_unexpected_close_clears_when_driven_open():
    rig = shut().run(1000, UNLOCK)
    assert (rig.state, rig.lock.faults, rig.bolt.at) == ("unlocked", 0, 0)


def test_lock_after_an_unexpected_close_opens_first():
    rig = shut().run(2000, LOCK, may=False)
    assert (rig.state, rig.drives) == ("shut", [])
    rig.run(2000, may=True)
    assert [way for way, _ in rig.on_times()] == [-1, 1]
    assert (rig.state, rig.lock.faults) == ("locked", 0)


def test_shorted_feedback_that_looks_like_a_close_never_locks():
    rig = Rig().run(300)
    rig.bolt.forced_mv = LOCKED_MV
    rig.run(30000, LOCK)
    assert rig.told() == NOTHING
    assert "locked" not in rig.states


def test_unexpected_close_with_lost_feedback_is_blind_and_keeps_both():
    rig = shut()
    rig.bolt.ok = False
    rig.run(100)
    assert (rig.state, rig.lock.faults) == ("blind", F_UNEXPECTED_CLOSE | F_LOCK_SENSE)
    rig.bolt.ok = True
    rig.run(520)
    assert (rig.state, rig.lock.faults) == ("unproven", F_UNEXPECTED_CLOSE)
    rig.run(1000, UNLOCK)
    assert (rig.state, rig.lock.faults) == ("unlocked", 0)


def test_feedback_shorted_while_an_open_bolt_waits_to_lock_is_not_believed():
    rig = stuck()
    rig.bolt.low, rig.bolt.at = 0, 0  # freed by hand; the motor still cools down
    rig.until("unlocked")
    rig.run(500, LOCK)
    assert rig.state == "lock_wait"
    rig.bolt.forced_mv = LOCKED_MV
    rig.run(20000)
    assert rig.told() == NOTHING
    assert "locked" not in rig.states


@pytest.mark.parametrize(("bad_ms", "faults"), [(10, 0), (20, F_FAILED_LOCK)])
def test_two_bad_samples_before_the_drive_are_no_reason_to_doubt(bad_ms, faults):
    rig = stuck()
    rig.bolt.low, rig.bolt.at = 0, 0
    rig.until("unlocked")
    rig.run(10, LOCK)
    bridge = rig.lock._bridge
    rig.run(2650 - bad_ms - bridge.off_ms)
    rig.bolt.forced_mv = LOCKED_MV
    rig.until("locking")
    rig.bolt.forced_mv = None
    rig.until("locked", "reopen_wait")
    assert rig.lock.faults == faults


# Unproven --------------------------------------------------------------------


def unproven():
    """A connector got out of a lock that reads locked."""
    rig = Rig().to_locked()
    rig.lock.unplugged()
    assert rig.state == "unproven"
    return rig


def test_plug_pulled_from_a_closed_lock_makes_it_unproven():
    rig = unproven().run(5000, HOLD)
    assert (rig.state, rig.told(), rig.lock.faults, rig.drives) == ("unproven", NOTHING, 0, [])


def test_unproven_lock_opens_first():
    rig = unproven().run(2000, LOCK)
    assert [way for way, _ in rig.on_times()] == [-1, 1]
    assert (rig.state, rig.told()) == ("locked", (True, True, False))


def test_unproven_lock_needs_permission_to_open():
    assert unproven().run(2000, LOCK, may=False).drives == []


def test_unproven_lock_can_be_opened_by_drive_or_by_hand():
    rig = unproven().run(1000, UNLOCK)
    assert (rig.state, rig.bolt.at) == ("unlocked", 0)
    rig = unproven()
    rig.bolt.at = 0
    assert rig.run(100, HOLD).state == "unlocked"


def test_unproven_lock_with_lost_feedback_is_blind():
    rig = unproven().run(10, HOLD)
    rig.bolt.ok = False
    assert rig.run(100).state == "blind"


def test_connector_that_is_out_leaves_an_open_lock_alone():
    rig = Rig().run(300)
    for _ in range(100):
        rig.lock.unplugged()
        rig.step()
    assert rig.states == ["assess", "unlocked"]


# LockReversed ----------------------------------------------------------------


def reversed_rig(**params):
    return Rig(bolt=Bolt(wired=-1), **params).run(300)


@pytest.mark.parametrize("attempts", [2, 3])
def test_reversed_bridge_is_found_on_the_last_attempt(attempts):
    rig = reversed_rig(attempts=attempts).run(9000, LOCK)
    assert [way for way, _ in rig.on_times()] == [1] * (attempts - 1) + [-1]
    assert (rig.state, rig.lock.faults) == ("locked", F_LOCK_REVERSED)
    assert rig.told() == (True, True, False)


def test_reversed_bridge_is_corrected_until_restart():
    rig = reversed_rig().run(9000, LOCK)
    rig.drives = []
    rig.run(1000, UNLOCK)
    rig.lock.unplugged()
    rig.run(1000, LOCK)
    assert [way for way, _ in rig.on_times()] == [1, -1]
    assert (rig.state, rig.lock.faults) == ("locked", F_LOCK_REVERSED)


def test_no_try_the_other_way_without_permission_to_open():
    rig = reversed_rig().run(9000, LOCK, may=False)
    assert [way for way, _ in rig.on_times()] == [1, 1, 1]
    assert rig.lock.faults == F_FAILED_LOCK


def test_no_try_the_other_way_on_a_single_attempt():
    rig = reversed_rig(attempts=1).run(1000, LOCK, may=False)
    assert [way for way, _ in rig.on_times()] == [1]


@pytest.mark.parametrize("high", [60, 500])
def test_no_try_the_other_way_after_the_bolt_has_moved(high):
    rig = Rig().run(300)
    rig.bolt.high = high
    rig.request = LOCK
    rig.until("reopen_wait")
    assert [way for way, _ in rig.on_times()] == [1, 1, 1]


def test_try_the_other_way_that_finds_nothing_is_a_failed_lock():
    rig = Rig().run(300)
    rig.bolt.high = 0
    rig.request = LOCK
    rig.until("reopen_wait")
    assert [way for way, _ in rig.on_times()] == [1, 1, -1]
    assert rig.lock.faults == F_FAILED_LOCK


def test_permission_withdrawn_on_the_try_the_other_way_ends_it():
    rig = reversed_rig()
    rig.request = LOCK
    rig.until("locking_reversed")
    rig.run(10, may=False)
    assert (rig.state, rig.lock.drive, rig.lock.faults) == ("reopen_wait", 0, F_FAILED_LOCK)


@pytest.mark.parametrize("back_to", [0, 500])
def test_try_the_other_way_that_does_not_hold_proves_nothing(back_to):
    rig = reversed_rig()
    rig.request = LOCK
    rig.until("reversed_check")
    rig.bolt.at = back_to
    rig.request = UNLOCK
    assert rig.until("reopen_wait") == 250
    assert rig.lock.faults == F_FAILED_LOCK
    rig.run(100)
    assert rig.lock._sign == 1


def test_reversed_bridge_does_not_trap_a_cable_after_a_reboot():
    """The attempt the other way opens; it proves nothing, since a hand could have done it."""
    rig = Rig(bolt=Bolt(at=SHUT, wired=-1)).run(300).run(9000, UNLOCK)
    assert [way for way, _ in rig.on_times()] == [-1, 1]
    assert (rig.state, rig.bolt.at, rig.lock.faults) == ("unlocked", 0, 0)


def test_reversed_flag_survives_every_clearing():
    rig = reversed_rig().run(9000, LOCK)
    for request in (UNLOCK, HOLD, LOCK, UNLOCK):
        rig.lock.unplugged()
        rig.run(2000, request)
    assert rig.lock.faults == F_LOCK_REVERSED


def test_no_feedback_no_try_the_other_way():
    rig = Rig(feedback=FEEDBACK_NONE, min_ma=100)
    rig.bolt.is_dead = True
    rig.run(9000, LOCK, may=True)
    assert [way for way, _ in rig.on_times()][:3] == [1, 1, 1]


# Every state -----------------------------------------------------------------


def in_state(name):
    """Return a rig in the state."""
    if name in ("unknown", "assumed"):
        rig = Rig(feedback=FEEDBACK_NONE)
        return rig.to_locked() if name == "assumed" else rig.run(100)
    if name in ("slipped", "shut", "unproven", "unlock_failed", "reopen_wait"):
        makers = {"slipped": slipped, "shut": shut, "unproven": unproven}
        return {**makers, "unlock_failed": stuck, "reopen_wait": jammed}[name]()
    if name in ("locking_reversed", "reversed_check"):
        rig = reversed_rig()
    elif name == "assess":
        return Rig().run(50)
    elif name in ("lock_wait", "locking", "lock_check", "blind", "unlocked"):
        rig = Rig().run(250)
    else:
        rig = Rig().to_locked()
    if name in ("blind", "unsure"):
        rig.bolt.ok = False
    if name in ("unlock_pause", "unlocking_reversed"):
        rig.bolt.low = SHUT
    if name.startswith("unlock"):
        rig.request = HOLD if name == "unlocked" else UNLOCK
    elif name not in ("blind", "unsure", "locked"):
        rig.request = LOCK
    rig.until(name)
    return rig


OTHERS = (
    *("assess", "unknown", "blind", "unlocked", "lock_wait", "locking", "locking_reversed"),
    *("lock_check", "reversed_check", "unlock_wait", "unlock_pause", "unlocking"),
    *("unlocking_reversed", "unlock_failed", "reopen_wait", "shut", "unproven"),
)


@pytest.mark.parametrize("name", OTHERS)
def test_unplugging_leaves_the_state_where_no_plug_was_held(name):
    rig = in_state(name)
    drive = rig.lock.drive
    rig.lock.unplugged()
    assert (rig.state, rig.lock.drive) == (name, drive)
    rig.step()


@pytest.mark.parametrize(
    "name",
    ["unknown", "blind", "unlocked", "locked", "assumed", "unsure"]
    + ["unlock_failed", "slipped", "shut", "unproven"],
)
def test_new_unlock_request_is_taken_at_rest(name):
    rig = in_state(name).run(10, HOLD)
    rig.run(10, UNLOCK, may=False)
    assert rig.state == name
    rig.run(10, may=True)
    assert (rig.state, rig.lock.drive) == ("unlock_wait", 0)


@pytest.mark.parametrize("request_", [LOCK, UNLOCK])
@pytest.mark.parametrize(
    "name",
    ["assess", "locking", "locking_reversed", "lock_check", "reversed_check", "unlock_wait"]
    + ["unlock_pause", "unlocking", "unlocking_reversed", "reopen_wait"],
)
def test_request_is_not_taken_in_between(name, request_):
    """The pass in which the request changes leads nowhere that asking for nothing does not."""
    asked, left_alone = in_state(name), in_state(name)
    for rig, request in ((asked, request_), (left_alone, HOLD)):
        rig.run(10, HOLD).run(30, request)
    assert asked.states == left_alone.states
    assert asked.drives == left_alone.drives


@pytest.mark.parametrize("name", ["shut", "unproven"])
def test_doubted_bolt_is_not_believed_when_opening_is_called_off(name):
    rig = in_state(name).run(10, HOLD).run(10, UNLOCK).run(3000, may=False)
    assert rig.told() == NOTHING
    assert "locked" not in rig.states


# Forgiven --------------------------------------------------------------------


def test_forgiven_failed_lock_is_tried_anew_with_the_request_that_stands():
    rig = jammed().run(5000)
    assert (rig.state, rig.lock.faults) == ("unlocked", F_FAILED_LOCK)
    rig.bolt.high = SHUT
    rig.lock.forgive()
    assert rig.lock.faults == 0
    rig.run(1000)
    assert (rig.state, rig.lock.faults) == ("locked", 0)


def test_forgiving_takes_no_other_fault_away():
    rig = Rig().to_locked()
    rig.bolt.ok = False
    rig.run(200)
    assert rig.lock.faults == F_LOCK_SENSE
    rig.lock.forgive()
    assert rig.lock.faults == F_LOCK_SENSE


@pytest.mark.parametrize(("may", "state"), [(True, "unlocked"), (False, "unlock_failed")])
def test_forgiven_bolt_that_failed_to_open_is_tried_anew_if_permitted(may, state):
    rig = Rig().to_locked()
    rig.bolt.low = SHUT
    rig.request = UNLOCK
    rig.until("unlock_failed")
    rig.bolt.low = 0
    rig.run(20000)
    assert rig.state == "unlock_failed"  # the same request, for ever so long, is no new one
    rig.run(10, may=may)
    rig.lock.forgive()
    rig.run(3000)
    assert rig.state == state
