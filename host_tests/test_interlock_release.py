"""When the lock may open, what is asked of it, and when the car may move."""

import pytest
from interlock_rig import STARTS, Rig, charging

from faults import F_AC_LIVE, PERSON_STOP, PP_BUTTON
from interlock import (
    CHARGING,
    RELEASED,
    RESTING,
    STOPPING,
    UNPLUGGED,
    WAITING,
)
from release import HOLD, LOCK, UNLOCK


def open_s2(rig):
    """Stop in good order; the clock then stands at the first pass after S2 opened."""
    rig.i.stop_request = True
    rig.i.charger_ma = 0
    rig.i.ac_present = False
    rig.evse_opens = False
    rig.until(lambda k: not k.s2_close)
    assert rig.k.session == RESTING and not rig.k.may_unlock
    return rig


def may(k):
    return k.may_unlock


# ------------------------------------------------------------------------------- may_unlock


def test_lock_may_not_open_while_s2_is_closed():
    rig = charging()
    rig.i.charger_ma = 0
    rig.i.ac_present = False
    rig.run(10000)
    assert rig.k.session == CHARGING and not rig.k.may_unlock
    rig.i.stop_request = True
    rig.i.charger_ok = False
    rig.run(2990)
    assert rig.k.session == STOPPING and not rig.k.may_unlock


@pytest.mark.parametrize("start_ms", STARTS)
def test_measured_absence_opens_100_ms_after_s2(start_ms):
    rig = charging(start_ms)
    open_s2(rig)
    assert rig.until(may) + 10 == 100


@pytest.mark.parametrize("start_ms", STARTS)
@pytest.mark.parametrize(
    "blind", [{"ac_ok": False}, {"charger_ok": False}, {"ac_ok": False, "charger_ok": False}]
)
def test_unmeasured_absence_waits_3_s(blind, start_ms):
    """J1772 gives the EVSE 3 s to open its contactor; a stale charger is not a silent one."""
    rig = charging(start_ms)
    open_s2(rig)
    for name, value in blind.items():
        setattr(rig.i, name, value)
    assert rig.until(may) + 10 == 3000


def test_board_without_ac_sense_waits_3_s_and_ignores_its_ac_reading():
    rig = charging(ac_sense=0)
    open_s2(rig)
    rig.i.ac_present = True
    assert rig.until(may) + 10 == 3000


@pytest.mark.parametrize(("name", "alive"), [("ac_present", True), ("charger_ma", 1000)])
def test_sign_of_life_keeps_the_lock_shut_and_restarts_the_time(name, alive):
    rig = charging()
    open_s2(rig)
    setattr(rig.i, name, alive)
    rig.run(60000)
    assert not rig.k.may_unlock
    setattr(rig.i, name, 0)
    # Current without AC proves that the AC sense lies: from then on only time counts.
    assert rig.until(may) == (90 if name == "ac_present" else 2990)
    setattr(rig.i, name, alive)
    rig.run()
    assert not rig.k.may_unlock, "and takes the permission back"


def test_current_just_below_1_a_is_no_sign_of_life():
    rig = charging()
    open_s2(rig)
    rig.i.charger_ma = 999
    assert rig.until(may) + 10 == 100


def test_stale_current_reading_is_not_believed():
    rig = charging()
    open_s2(rig)
    rig.i.charger_ok = False
    rig.i.charger_ma = 32000
    assert rig.until(may) + 10 == 3000


def test_ac_seen_late_keeps_the_lock_shut():
    """A contactor that opens after 2.9 s: unmeasured time does not stand for a measured absence."""
    rig = charging()
    open_s2(rig)
    rig.i.ac_ok = False
    rig.run(1000)
    rig.i.ac_ok = True
    rig.run()
    assert not rig.k.may_unlock, "one good sample is not 100 ms of absence"
    assert rig.until(may) == 80


def test_ac_sense_that_never_saw_ac_is_not_believed_when_it_says_absent():
    """A dead optocoupler reads "absent" too; only one that has shown "present" in this charge may speak for 100 ms."""
    rig = Rig()
    rig.until(lambda k: k.session == CHARGING, 1000)
    rig.run(5000)
    open_s2(rig)
    assert rig.until(may) + 10 == 3000


def test_ac_sense_that_says_absent_while_current_flows_is_not_believed():
    rig = charging().run(1000)
    rig.i.ac_present = False
    rig.run(1000)
    open_s2(rig)
    assert rig.until(may) + 10 == 3000


def test_ac_that_stays_is_told_and_believed_even_when_its_sense_dies():
    """A welded contactor: the cable stays locked until the absence is measured, or the plug is out."""
    rig = charging()
    open_s2(rig)
    rig.i.ac_present = True
    rig.run(4000)
    assert rig.k.faults == F_AC_LIVE and not rig.k.may_unlock
    rig.i.ac_ok = False
    rig.run(60000)
    assert rig.k.faults == F_AC_LIVE and not rig.k.may_unlock
    rig.i.ac_ok = True
    rig.i.ac_present = False
    rig.run(200)
    assert rig.k.faults == 0 and rig.k.may_unlock


@pytest.mark.parametrize("quarters", [0, 1, 2, 3, 4, 5])
def test_ac_that_stays_is_told_however_long_s2_has_been_open(quarters):
    """An inlet that was empty for days meets a station whose contactor is welded."""
    rig = Rig().unplug().run(5000)
    rig.evse_opens = False
    for _ in range(quarters):
        rig.run(1000)
        rig.now_ms = (rig.now_ms + 2**28) & (2**30 - 1)
    rig.run(1000)
    assert rig.k.faults == 0
    rig.plug()
    rig.i.is_locked = False
    rig.i.ac_present = True
    rig.run(20)
    assert rig.k.faults == F_AC_LIVE
    rig.i.ac_ok = rig.i.ac_present = False
    rig.i.unlock_request = True
    rig.run(4000)
    assert rig.k.faults == F_AC_LIVE and not rig.k.may_unlock


@pytest.mark.parametrize("start_ms", (*STARTS, 5000, 2**29 + 5))
def test_ac_after_a_reboot_is_no_fault_before_the_evse_had_its_3_s(start_ms):
    """Whatever the clock reads at boot: the EVSE may take 3 s to open its contactor."""
    rig = Rig(start_ms)
    rig.evse_opens = False
    rig.i.stop_request = True
    rig.i.ac_present = True
    rig.run(2990)
    assert rig.k.faults == 0 and not rig.k.may_unlock
    rig.run(100)
    assert rig.k.faults == F_AC_LIVE


def test_unlock_asked_anew_is_a_new_request():
    """The actuator takes a request by its edge: a jammed lock gets another set of attempts each time."""
    rig = Rig()
    rig.i.unlock_request = True
    rig.run(4000)
    assert rig.k.session == RELEASED and rig.k.lock_request == UNLOCK
    rig.i.unlock_request = False
    rig.run(100)
    rig.i.unlock_request = True
    rig.run()
    assert rig.k.lock_request == HOLD
    rig.run()
    assert rig.k.lock_request == UNLOCK


def test_dropped_samples_do_not_take_a_proven_absence_back():
    """Else the lock's drive would stutter with every dropped AC sample."""
    rig = charging()
    open_s2(rig)
    rig.run(200)
    rig.i.ac_ok = False
    rig.run()
    assert rig.k.may_unlock


@pytest.mark.parametrize("start_ms", STARTS)
def test_boot_with_a_live_cable_does_not_release_it(start_ms):
    rig = Rig(start_ms)
    rig.i.ac_present = True
    rig.run(10000)
    assert not rig.k.may_unlock
    rig = Rig(start_ms)
    rig.i.ac_ok = False
    rig.i.stop_request = True
    assert rig.until(may) == 3000


def test_absence_lasts_beyond_any_wrap():
    rig = charging()
    open_s2(rig)
    rig.run(200)
    for _ in range(9):
        rig.now_ms = (rig.now_ms + 2**28) & (2**30 - 1)
        rig.run()
        assert rig.k.may_unlock


# ----------------------------------------------------------------------------- lock request


def test_unplugged_asks_to_unlock_once_it_may():
    rig = Rig().unplug()
    rig.run()
    assert rig.k.session == UNPLUGGED and rig.k.lock_request == HOLD
    rig.run(3000)  # no AC was ever seen, so nothing proves its absence sooner
    assert rig.k.lock_request == UNLOCK
    rig.i.is_unlocked = True
    rig.run()
    assert rig.k.lock_request == HOLD, "nothing to let go of"


def test_plugged_evse_asks_to_lock():
    rig = Rig()
    rig.i.stop_request = True
    rig.run(1000)
    assert rig.k.session == WAITING and rig.k.lock_request == LOCK


@pytest.mark.parametrize("name", ["has_evse", "is_plugged"])
def test_no_evse_or_no_plug_holds_the_lock_where_it_is(name):
    rig = Rig()
    setattr(rig.i, name, False)
    rig.i.shows_b = False
    rig.run(1000)
    assert rig.k.session == WAITING and rig.k.lock_request == HOLD


def test_charging_and_stopping_ask_for_lock():
    rig = charging()
    assert rig.k.lock_request == LOCK
    rig.i.stop_request = True
    rig.run()
    assert rig.k.session == STOPPING and rig.k.lock_request == LOCK
    rig.i.reasons = PP_BUTTON
    rig.run()
    assert rig.k.s2_close and rig.k.lock_request == LOCK, "a button never opens it under S2"


def test_evse_that_dies_while_charging_leaves_the_lock_alone():
    rig = charging()
    rig.i.has_evse = False
    rig.run()
    assert rig.k.lock_request == HOLD


def test_resting_asks_for_lock():
    rig = charging()
    open_s2(rig)
    rig.run(1000)
    assert rig.k.session == RESTING and rig.k.lock_request == LOCK


def test_button_asks_to_unlock_once_nothing_is_live():
    """Type 1 and NACS: the lock blocks the latch."""
    rig = charging()
    rig.i.reasons = PP_BUTTON
    rig.i.is_plugged = False
    rig.i.ac_present = False
    rig.i.charger_ma = 0
    rig.until(lambda k: not k.s2_close)
    assert rig.k.lock_request == HOLD
    rig.run(100)
    assert rig.k.lock_request == UNLOCK
    rig.i.reasons = 0
    rig.i.is_plugged = True
    rig.run()
    assert rig.k.lock_request == LOCK, "let go of again: back to where it was"


@pytest.mark.parametrize("start_ms", STARTS)
def test_unlock_request_while_charging_stops_then_releases(start_ms):
    rig = charging(start_ms)
    rig.i.unlock_request = True
    rig.run()
    assert rig.k.session == STOPPING and rig.k.charger_ma == 0 and rig.k.s2_close
    rig.i.charger_ma = 0
    rig.run(30)
    assert rig.k.session == RESTING and not rig.k.s2_close
    rig.run()
    assert rig.k.session == RELEASED and rig.k.lock_request == HOLD
    rig.i.ac_present = False
    rig.run(90)
    assert rig.k.lock_request == HOLD
    rig.run()
    assert rig.k.lock_request == UNLOCK


def test_released_cable_is_not_charged_again_until_it_was_pulled():
    rig = Rig()
    rig.i.unlock_request = True
    rig.run(1000)
    rig.i.unlock_request = False
    rig.run(60000)
    assert rig.k.session == RELEASED and rig.k.reasons == PERSON_STOP and not rig.k.s2_close
    rig.unplug().run()
    assert rig.k.session == UNPLUGGED
    rig.plug().run(600)
    assert rig.k.session == CHARGING


def test_stop_request_alone_keeps_the_lock():
    rig = charging()
    open_s2(rig)
    rig.run(60000)
    assert rig.k.session == WAITING and rig.k.lock_request == LOCK


def test_unlock_request_held_at_plug_in_releases():
    rig = Rig().unplug()
    rig.i.unlock_request = True
    rig.run(1000)
    assert rig.k.session == UNPLUGGED
    rig.plug().run(20)
    assert rig.k.session == RELEASED


# ---------------------------------------------------------------------------- drive_allowed


def drivable(start_ms=0):
    rig = Rig(start_ms).unplug()
    rig.evse_opens = False
    rig.i.is_clear_to_drive = True
    rig.i.is_pilot_dead = True
    rig.i.is_locked = False
    rig.i.is_unlocked = True
    return rig


@pytest.mark.parametrize("start_ms", STARTS)
def test_drive_is_allowed_100_ms_after_nothing_speaks_against_it(start_ms):
    rig = drivable(start_ms)
    # The session begins in UNPLUGGED and stays there, so the time runs from the first pass.
    assert rig.until(lambda k: k.drive_allowed) == 100


AGAINST = (
    ("is_clear_to_drive", False),
    ("is_pilot_dead", False),
    ("is_unlocked", False),
    ("is_unplugged", False),
    ("ac_present", True),
)


@pytest.mark.parametrize(
    ("name", "value"), [("charger_ma", 1000), ("car_ac_live", True), ("dc_mv", 400000)]
)
def test_the_cars_word_about_itself_does_not_stop_a_moving_car(name, value):
    """A socket in use while driving, or a sensor fault: the inlet is proven empty all the same."""
    rig = drivable()
    rig.run(1000)
    rig.i.dc_ok = True
    setattr(rig.i, name, value)
    rig.run(1000)
    assert rig.k.drive_allowed


@pytest.mark.parametrize(("name", "value"), AGAINST)
def test_each_condition_alone_forbids_driving_in_the_same_pass(name, value):
    rig = drivable()
    rig.run(1000)
    assert rig.k.drive_allowed
    good = getattr(rig.i, name)
    setattr(rig.i, name, value)
    rig.run()
    assert not rig.k.drive_allowed
    rig.run(10000)
    assert not rig.k.drive_allowed
    setattr(rig.i, name, good)
    rig.run(90)
    assert not rig.k.drive_allowed
    rig.run(20)
    assert rig.k.drive_allowed


def test_drive_is_never_allowed_in_a_session():
    rig = charging()
    for name in ("is_clear_to_drive", "is_pilot_dead", "is_unlocked"):
        setattr(rig.i, name, True)
    rig.run(1000)
    assert not rig.k.drive_allowed
    open_s2(rig)
    rig.run(60000)
    assert not rig.k.drive_allowed
    rig.i.unlock_request = True
    rig.run(1000)
    assert rig.k.session == RELEASED and not rig.k.drive_allowed


def test_faults_and_reasons_do_not_strand_the_car():
    """An unplugged car may move whatever is broken in its inlet, as long as it is known to be unplugged."""
    rig = drivable()
    rig.i.faults = (1 << 27) - 1
    rig.i.vehicle_age_ms = 60000
    rig.run(1000)
    assert rig.k.drive_allowed


def test_drive_stays_allowed_beyond_any_wrap():
    rig = drivable()
    rig.run(1000)
    for _ in range(9):
        rig.now_ms = (rig.now_ms + 2**28) & (2**30 - 1)
        rig.run()
        assert rig.k.drive_allowed
