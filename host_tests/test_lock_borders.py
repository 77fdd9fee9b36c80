"""The lock to the millisecond and the digit: what counts and what just does not."""

import pytest
from first_values import begins_with
from lock_rig import LOCK, LOCKED_MV, UNLOCK, UNLOCKED_MV

import lock.actuator as a
from lock.actuator import LockActuator
from lock.bridge import BridgeGuard
from lock.feedback import POS_LOCKED, POS_UNKNOWN, POS_UNLOCKED, LockFeedback
from lock.params import (
    FEEDBACK_ANALOG,
    FEEDBACK_NONE,
    FEEDBACK_SWITCH,
    MOTOR,
    SOLENOID,
    LockParams,
)
from lock.thaw import (
    _NEXT,
    E_ENOUGH,
    E_FREE,
    E_NONE,
    E_OUT,
    E_STUCK,
    E_TRIED,
    E_WARM,
    HEATING,
    IDLE,
    SPENT,
    THAW_NAMES,
    TRYING,
    Thaw,
)  # fmt: skip
from ticks import ticks_add

STARTS = pytest.mark.parametrize("t0", [0, 2**30 - 50])
OFF = 1500  # mV between the windows


class Hand:
    """A LockActuator whose feedback, current and time are set by hand."""

    def __init__(self, t0=0, mv=UNLOCKED_MV, **params):
        self.lock = LockActuator(LockParams(**params))
        self.now_ms = t0
        self.mv = mv
        self.ok = True
        self.request = 0
        self.may = True
        self.motor_ma = 250
        self.tick(0)

    def tick(self, ms=10, times=1):
        for _ in range(times):
            self.now_ms = ticks_add(self.now_ms, ms)
            self.lock.tick(self.now_ms, self.request, self.may, self.ok, self.mv, self.motor_ma)
        return self

    @property
    def state(self):
        return a.LOCK_STATE_NAMES[self.lock.state]

    def unlocked(self):
        """Let it find the bolt unlocked, the bridge long rested."""
        self.tick(10, 30)
        assert self.state == "unlocked"
        return self

    def locking(self):
        """Ask for the bolt to be locked; the drive has just begun."""
        self.unlocked().request = LOCK
        self.tick(10, 2)
        assert self.state == "locking" and self.lock.drive == 1
        return self

    def locked(self):
        self.locking().mv = LOCKED_MV
        self.tick(10, 40)
        assert self.state == "locked" and self.lock.is_confirmed
        return self


# Before anything is known -------------------------------------------------------------------------


def test_nothing_is_driven_told_or_wrong_before_the_first_pass():
    lock = LockActuator(LockParams())
    assert (lock.drive, lock.faults, lock.event) == (0, 0, a.NO_EVENT)
    assert lock.is_locked is False and lock.is_confirmed is False and lock.is_unlocked is False
    feedback = LockFeedback(LockParams())
    assert (feedback.position, feedback.dwell_ms, feedback.is_doubted) == (POS_UNKNOWN, 0, False)
    bridge = BridgeGuard(600, 1000, 2650)
    assert (bridge.drive, bridge.on_ms, bridge.off_ms, bridge.used_ms) == (0, 0, 0, 0)
    thaw = Thaw(True)
    assert (thaw.state, thaw.wants_heat, thaw.try_again) == (IDLE, False, False)


@STARTS
def test_the_first_pass_after_boot_has_no_length(t0):
    lock = LockActuator(LockParams())
    lock.tick(t0 + 5, 0, True, True, UNLOCKED_MV, 0)
    assert lock._state_ms == 0 and lock._bridge.off_ms == 0
    lock.tick(t0 + 12, 0, True, True, UNLOCKED_MV, 0)
    assert lock._state_ms == 7 and lock._bridge.off_ms == 7


def test_a_clock_that_goes_back_counts_as_no_time():
    hand = Hand(1000).unlocked()
    before = hand.lock._state_ms
    hand.tick(-3)
    assert hand.lock._state_ms == before


# Where the bolt is --------------------------------------------------------------------------------


def test_dwell_vouches_for_20_ms_a_sample_and_stops_at_a_minute():
    feedback = LockFeedback(LockParams())
    feedback.tick(10, True, LOCKED_MV)
    for dt_ms, more in ((19, 19), (20, 20), (21, 20), (60_000, 20)):
        before = feedback.dwell_ms
        feedback.tick(dt_ms, True, LOCKED_MV)
        assert feedback.dwell_ms == before + more
    for _ in range(4000):
        feedback.tick(20, True, LOCKED_MV)
    assert 60_000 <= feedback.dwell_ms < 60_020


def test_doubt_ends_with_50_ms_of_unlocked():
    feedback = LockFeedback(LockParams())
    feedback.is_doubted = True
    feedback.tick(10, True, UNLOCKED_MV)
    for ms, doubted in ((10, True), (20, True), (30, True), (40, True), (49, True), (50, False)):
        feedback.tick(ms - feedback.dwell_ms, True, UNLOCKED_MV)
        assert feedback.is_doubted is doubted, ms
    feedback.is_doubted = True
    for _ in range(30):
        feedback.tick(10, True, LOCKED_MV)
    assert feedback.is_doubted


@pytest.mark.parametrize(("dwell_ms", "state"), [(49, "locking"), (50, "lock_check")])
def test_a_drive_has_arrived_after_50_ms_at_its_end(dwell_ms, state):
    hand = Hand().locking()
    hand.mv = LOCKED_MV
    hand.tick(10).tick(20).tick(20).tick(dwell_ms - 40)
    assert hand.state == state


@pytest.mark.parametrize(("dwell_ms", "has_moved"), [(49, False), (50, True)])
def test_feedback_has_moved_once_it_is_elsewhere_for_50_ms(dwell_ms, has_moved):
    hand = Hand().locking()
    hand.mv = OFF
    hand.tick(10).tick(20).tick(20).tick(dwell_ms - 40)
    assert hand.lock._has_moved is has_moved


@pytest.mark.parametrize(("mv", "event"), [(OFF, "unsure"), (UNLOCKED_MV, "slipped")])
def test_a_bolt_is_away_after_100_ms_and_a_late_sample_counts_for_50(mv, event):
    hand = Hand().locked()
    hand.mv = mv
    hand.tick(49).tick(49)
    assert hand.lock._away_ms == 98
    hand.tick(1)
    assert (hand.lock._away_ms, hand.state) == (99, "locked")
    hand.tick(1)
    assert hand.state == event
    hand = Hand().locked()
    hand.mv = mv
    hand.tick(500)
    assert (hand.lock._away_ms, hand.state) == (50, "locked")
    hand.tick(51)
    assert hand.state == event


def test_noise_away_from_home_drains_out_at_half_the_rate():
    hand = Hand().locked()
    hand.mv = OFF
    hand.tick(10, 9)
    assert hand.lock._away_ms == 90
    hand.mv = LOCKED_MV
    hand.tick(10, 17)
    assert hand.lock._away_ms == 5
    hand.tick(10, 2)
    assert hand.lock._away_ms == 0


def test_a_lock_request_waits_while_feedback_leaves_the_place_of_the_bolt():
    hand = Hand().unlocked()
    hand.mv = OFF
    hand.tick(10)
    hand.request = LOCK
    hand.tick(10)
    assert hand.state == "unlocked"


@pytest.mark.parametrize(
    ("request_", "may", "state"), [(LOCK, False, "lock_wait"), (UNLOCK, False, "unlocked")]
)
def test_to_lock_takes_no_permission_to_open(request_, may, state):
    hand = Hand().unlocked()
    hand.request, hand.may = request_, may
    hand.tick(10)
    assert hand.state == state


@pytest.mark.parametrize(("sensed_ms", "is_over"), [(499, False), (500, True)])
def test_a_wire_that_reads_again_is_believed_after_half_a_second(sensed_ms, is_over):
    hand = Hand().locked()
    hand.mv = OFF
    hand.tick(10, 12)
    assert hand.lock.faults & a.F_LOCK_SENSE
    hand.mv = LOCKED_MV
    hand.tick(10)
    hand.tick(20, 24).tick(sensed_ms - 480)
    assert (not hand.lock.faults & a.F_LOCK_SENSE) is is_over


def test_state_ages_stop_at_a_minute():
    hand = Hand().unlocked()
    hand.tick(50_000).tick(50_000).tick(50_000)
    assert 60_000 <= hand.lock._state_ms <= 120_000
    before = hand.lock._state_ms
    hand.tick(10)
    assert hand.lock._state_ms == before


# Drives -------------------------------------------------------------------------------------------


def test_a_drive_ends_with_its_time_to_the_millisecond():
    hand = Hand(run_ms=600).locking()
    hand.mv = OFF
    hand.tick(599 - hand.lock._state_ms)
    assert hand.state == "locking"
    hand.tick(1)
    assert hand.state == "lock_wait"


def test_a_blocked_motor_is_one_that_draws_too_much_for_so_long_without_a_break():
    params = {"stall_ma": 2000, "stall_ms": 100, "run_ms": 900}
    hand = Hand(**params).locking()
    hand.mv = OFF
    hand.motor_ma = 2000
    hand.tick(99)
    assert hand.state == "locking" and hand.lock._stalled_ms == 99
    hand.motor_ma = 1999
    hand.tick(1)
    assert hand.lock._stalled_ms == 0
    hand.motor_ma = 2000
    hand.tick(50).tick(49)
    assert hand.state == "locking"
    hand.tick(1)
    assert hand.state == "lock_wait"


def test_without_feedback_a_drive_counts_only_if_the_motor_has_drawn_current():
    for ma, state in ((99, "lock_wait"), (100, "assumed")):
        hand = Hand(feedback=FEEDBACK_NONE, min_ma=100)
        hand.tick(10, 10)
        hand.request, hand.motor_ma = LOCK, ma
        hand.tick(10, 2)
        assert hand.state == "locking"
        hand.tick(10, 60)
        assert hand.state == state, ma


def test_bridge_stops_one_pass_before_its_cap():
    bridge = BridgeGuard(600, 1000, 2650)
    bridge.tick(100, 0, True)
    bridge.tick(10, 1, True)
    bridge.tick(989, 1, True)
    assert bridge.drive == 1
    bridge.tick(1, 1, True)
    assert bridge.drive == 0


def test_bridge_never_drives_without_a_wish_and_never_opens_without_permission():
    bridge = BridgeGuard(600, 1000, 2650)
    bridge.tick(100, 0, False)
    assert (bridge.drive, bridge.off_ms) == (0, 100)
    bridge.tick(10, -1, False)
    assert bridge.drive == 0
    bridge.tick(10, 1, False)
    assert bridge.drive == 1


def test_a_drive_is_forgotten_by_the_budget_in_slots_of_four_seconds():
    """Sixteen slots: a second driven in one of them is forgotten when that one is used anew."""
    bridge = BridgeGuard(600, 1000, 2650)
    bridge.tick(100, 0, True)
    bridge.tick(0, 1, True)
    bridge.tick(900, 1, True)
    bridge.tick(0, 0, True)
    left_ms = 16 * 4000 - bridge._slot_ms
    bridge.tick(50_000, 0, True)
    bridge.tick(left_ms - 50_000 - 1, 0, True)
    assert bridge.used_ms == 900
    bridge.tick(1, 0, True)
    assert bridge.used_ms == 0


@pytest.mark.parametrize(("used_ms", "ready"), [(6600, True), (6601, False)])
def test_a_drive_begins_only_where_the_budget_lasts_for_all_of_it(used_ms, ready):
    bridge = BridgeGuard(600, 1000, 2650)
    bridge.tick(100, 0, True)
    bridge.used_ms = used_ms
    assert bridge.is_ready() is ready


def test_off_time_stops_at_a_minute():
    bridge = BridgeGuard(600, 1000, 2650)
    bridge.tick(59_999, 0, True)
    assert bridge.off_ms == 59_999
    bridge.tick(10, 0, True)
    assert bridge.off_ms == 60_009
    bridge.tick(10, 0, True)
    assert bridge.off_ms == 60_009


def test_a_check_that_a_late_pass_has_overrun_ends_all_the_same():
    hand = Hand().locking()
    hand.mv = LOCKED_MV
    hand.tick(10, 8)
    assert hand.state == "lock_check"
    hand.mv = OFF
    hand.tick(251)
    assert hand.state == "lock_wait"


# The frozen bolt ----------------------------------------------------------------------------------


def thawed(ms_and_more, thaw=None, now_ms=0):
    """Let Thaw judge at given times; `ms_and_more`: (ms after the start, decic, has_failed)."""
    thaw = thaw or Thaw(True)
    for ms, decic, has_failed in ms_and_more:
        thaw.tick(ticks_add(now_ms, ms), has_failed, True, decic, False, True)
    return thaw


@STARTS
def test_ice_is_heated_for_two_minutes_and_a_try_lasts_half_a_minute(t0):
    cold = 0
    thaw = thawed([(0, cold, True), (119_999, cold, True)], now_ms=t0)
    assert thaw.state == HEATING and thaw.wants_heat
    thawed([(120_000, cold, True)], thaw, t0)
    assert thaw.state == TRYING and thaw.try_again and not thaw.wants_heat
    thawed([(149_999, cold, True)], thaw, t0)
    assert thaw.state == TRYING and not thaw.try_again
    thawed([(150_000, cold, True)], thaw, t0)
    assert thaw.state == HEATING


@pytest.mark.parametrize(("decic", "state"), [(49, HEATING), (50, IDLE)])
def test_it_is_cold_below_5_c(decic, state):
    assert thawed([(0, decic, True)]).state == state


@pytest.mark.parametrize(("decic", "state"), [(149, HEATING), (150, TRYING)])
def test_it_is_warm_from_15_c_on(decic, state):
    assert thawed([(0, 0, True), (10, decic, True)]).state == state


def test_three_tries_and_not_a_fourth():
    thaw = Thaw(True)
    tries = 0
    for n in range(200):
        thawed([(n * 10_000, 0, True)], thaw)
        tries += thaw.try_again
    assert tries == 3 and thaw.state == SPENT


def test_a_new_plug_in_has_three_tries_of_its_own():
    thaw = Thaw(True)
    for _ in range(2):
        tries = 0
        for n in range(200):
            thawed([(n * 10_000, 0, True)], thaw)
            tries += thaw.try_again
        assert tries == 3
        thaw.tick(0, True, True, 0, True, True)


def test_an_event_that_cannot_come_to_a_state_leaves_it_alone():
    assert (IDLE, HEATING, TRYING, SPENT) == tuple(range(len(THAW_NAMES)))
    moves = {(IDLE, E_STUCK): HEATING, (HEATING, E_WARM): TRYING, (TRYING, E_TRIED): HEATING}
    for state, row in enumerate(_NEXT):
        assert (row[E_FREE], row[E_OUT], row[E_ENOUGH]) == (IDLE, IDLE, SPENT)
        for event in (E_NONE, E_STUCK, E_WARM, E_TRIED):
            assert row[event] == moves.get((state, event), state)


# Parameters ---------------------------------------------------------------------------------------


def test_kinds_are_numbered():
    assert (MOTOR, SOLENOID) == (0, 1)
    assert (FEEDBACK_NONE, FEEDBACK_SWITCH, FEEDBACK_ANALOG) == (0, 1, 2)
    assert (POS_UNKNOWN, POS_UNLOCKED, POS_LOCKED) == (0, 1, 2)


@pytest.mark.parametrize(
    ("name", "low", "high"), [("locked_max_mv", 2510, 3250), ("unlocked_min_mv", 50, 680)]
)
def test_an_analog_window_keeps_50_mv_from_both_ends_of_the_rail(name, low, high):
    for value in (low, high):
        assert getattr(LockParams(**{name: value}), name) == value
    for value in (low - 1, high + 1):
        with pytest.raises(ValueError, match="allowed"):
            LockParams(**{name: value})


def test_windows_that_touch_in_either_order_are_refused():
    assert LockParams(locked_min_mv=880).locked_min_mv == 880
    with pytest.raises(ValueError, match="200 mV apart"):
        LockParams(locked_min_mv=879)
    other = {"locked_min_mv": 480, "locked_max_mv": 680, "unlocked_max_mv": 3210}
    assert LockParams(unlocked_min_mv=880, **other).unlocked_min_mv == 880
    with pytest.raises(ValueError, match="200 mV apart"):
        LockParams(unlocked_min_mv=879, **other)


def test_without_feedback_there_are_no_windows():
    p = LockParams(feedback=FEEDBACK_NONE)
    windows = (p.unlocked_min_mv, p.unlocked_max_mv, p.locked_min_mv, p.locked_max_mv)
    assert windows == (0, 0, 0, 0)


def test_a_new_lock_begins_with_nothing():
    """The same at each boot: what is not named here is 0 or False, also what nobody is told."""
    assert begins_with(LockActuator(LockParams())) == {
        "_has_feedback": True, "_attempts": 3, "_stall_ma": 1200, "_stall_ms": 150, "_far_ms": 75, "_proves_unlocked": True,
        "_sign": 1, "event": a.NO_EVENT, "_is_first": True,
    }  # fmt: skip
    assert begins_with(LockFeedback(LockParams())) == {
        "_unlocked_min_mv": 480, "_unlocked_max_mv": 680, "_locked_min_mv": 2510, "_locked_max_mv": 3210,
    }  # fmt: skip
    assert begins_with(BridgeGuard(600, 1000, 2650)) == {
        "_run_ms": 600, "_stop_ms": 990, "_cooldown_ms": 2650, "_rest_ms": 50,
    }  # fmt: skip
    assert begins_with(Thaw(True)) == {"_is_fitted": True}
