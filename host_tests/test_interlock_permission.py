"""Default deny, the minimum with its winner, and what has to be shown before S2 closes."""

import pytest
from interlock_rig import STARTS, Rig, charging

from faults import (
    BELOW_MINIMUM,
    F_FAILED_LOCK,
    F_LOCK_SENSE,
    F_OVER_TEMPERATURE,
    F_TEMP_OPEN,
    LOCK_FAILED,
    LOCK_LOST,
    NO_PLUG,
    NOT_LOCKED,
    PERSON_STOP,
    PILOT_DUTY,
    PILOT_E,
    PILOT_LOST,
    PILOT_STEADY,
    PP_BUTTON,
    PP_INVALID,
    SHOW_B,
    TEMP_HIGH,
    TEMP_SENSOR,
    VEHICLE_NO,
    VEHICLE_SILENT,
)
from inputs import Inputs
from interlock import CHARGING, STOPPING, UNPLUGGED, WAITING, Interlock
from limits import (
    LIMIT_CABLE,
    LIMIT_LOCK,
    LIMIT_NONE,
    LIMIT_PILOT,
    LIMIT_SETTING,
    LIMIT_TEMPERATURE,
    LIMIT_VEHICLE,
    LIMITER_NAMES,
)
from settings import Settings


def test_new_interlock_energises_nothing():
    k = Interlock(Settings())
    assert (k.session, k.s2_close, k.charger_ma, k.permitted_ma) == (UNPLUGGED, False, 0, 0)
    assert (k.limiter, k.lock_request) == (LIMIT_NONE, 0)
    assert (k.may_unlock, k.drive_allowed, k.reasons) == (False, False, NO_PLUG)


def test_untouched_inputs_deny():
    k = Interlock(Settings())
    for now_ms in range(0, 5000, 10):
        k.tick(now_ms, Inputs())
        assert not k.s2_close and not k.drive_allowed and k.charger_ma == 0
    assert k.reasons == NO_PLUG | VEHICLE_SILENT | NOT_LOCKED | SHOW_B


# Every reason that an input can give while S2 is open: (mask, spoil, repair), removed one at a time.
def _set(name, value):
    return lambda i: setattr(i, name, value)


def _both(*steps):
    return lambda i: [step(i) for step in steps]


def _pilot(bit, on):
    return lambda i: setattr(i, "reasons", i.reasons | bit if on else i.reasons & ~bit)


def _fault(bit, on):
    return lambda i: setattr(i, "faults", i.faults | bit if on else i.faults & ~bit)


SPOILERS = (
    (PILOT_E, _pilot(PILOT_E, True), _pilot(PILOT_E, False)),
    (PILOT_LOST, _pilot(PILOT_LOST, True), _pilot(PILOT_LOST, False)),
    (PP_BUTTON, _pilot(PP_BUTTON, True), _pilot(PP_BUTTON, False)),
    (LOCK_LOST, _fault(F_LOCK_SENSE, True), _fault(F_LOCK_SENSE, False)),
    (TEMP_HIGH, _fault(F_OVER_TEMPERATURE, True), _fault(F_OVER_TEMPERATURE, False)),
    (TEMP_SENSOR, _fault(F_TEMP_OPEN, True), _fault(F_TEMP_OPEN, False)),
    (VEHICLE_SILENT, _set("vehicle_age_ms", 501), _set("vehicle_age_ms", 500)),
    (VEHICLE_NO, _set("vehicle_permits", False), _set("vehicle_permits", True)),
    (PERSON_STOP, _set("stop_request", True), _set("stop_request", False)),
    (NOT_LOCKED, _set("is_locked", False), _set("is_locked", True)),
    (BELOW_MINIMUM, _set("thermal_ma", 5999), _set("thermal_ma", 6000)),
)


def test_reasons_removed_one_at_a_time_leave_the_exact_mask():
    """Default deny: as long as one reason is left, S2 stays open."""
    rig = Rig()
    left = 0
    for mask, spoil, _ in SPOILERS:
        spoil(rig.i)
        left |= mask
    rig.run(1000)
    hidden = VEHICLE_NO | BELOW_MINIMUM  # said by VEHICLE_SILENT, and by each that explains 0 A
    assert rig.k.reasons == left & ~hidden
    for mask, _, repair in SPOILERS:
        repair(rig.i)
        left &= ~mask
        rig.run()
        shown = left
        if left & VEHICLE_SILENT:
            shown &= ~VEHICLE_NO
        if left & (PILOT_E | PILOT_LOST | TEMP_HIGH | TEMP_SENSOR | VEHICLE_SILENT | VEHICLE_NO):
            shown &= ~BELOW_MINIMUM
        assert rig.k.reasons == shown
        assert rig.k.s2_close is (left == 0)
    assert rig.k.session == CHARGING


@pytest.mark.parametrize(("mask", "spoil", "repair"), SPOILERS)
def test_each_reason_alone_keeps_s2_open_and_its_end_lets_it_close(mask, spoil, repair):
    rig = Rig()
    spoil(rig.i)
    rig.run(1000)
    assert rig.k.reasons == mask
    assert rig.k.session == WAITING and not rig.k.s2_close and rig.k.charger_ma == 0
    repair(rig.i)
    rig.run()
    assert rig.k.reasons == 0
    assert rig.k.s2_close and rig.k.charger_ma == rig.k.permitted_ma >= 6000


@pytest.mark.parametrize("known", [NO_PLUG, PP_INVALID, PP_BUTTON])
def test_not_plugged_always_has_a_reason(known):
    """The interlock does not rely on the proximity to say why."""
    rig = charging()
    rig.i.is_plugged = False
    rig.run()
    assert rig.k.reasons == NO_PLUG and rig.k.charger_ma == 0
    rig.i.reasons = known
    rig.run()
    assert rig.k.reasons & known


def test_doubt_commands_no_current_but_ends_nothing():
    rig = charging()
    rig.i.in_doubt = True
    rig.run()
    assert (rig.k.session, rig.k.s2_close, rig.k.charger_ma) == (CHARGING, True, 0)
    rig.i.in_doubt = False
    rig.run()
    assert rig.k.charger_ma == 32000


def test_s2_does_not_close_in_a_pass_of_doubt():
    rig = Rig()
    rig.i.in_doubt = True
    rig.run(1000)
    assert rig.k.reasons == 0 and not rig.k.s2_close
    rig.i.in_doubt = False
    rig.run()
    assert rig.k.s2_close


# ------------------------------------------------------------------------------- the minimum

LIMITS = (
    ("offered_ma", LIMIT_PILOT),
    ("rated_ma", LIMIT_CABLE),
    ("thermal_ma", LIMIT_TEMPERATURE),
    ("vehicle_limit_ma", LIMIT_VEHICLE),
)


@pytest.mark.parametrize(("name", "limiter"), LIMITS)
@pytest.mark.parametrize("ma", [6000, 6001, 15999, 31999])
def test_lowest_limit_wins_and_is_named(name, limiter, ma):
    rig = Rig()
    setattr(rig.i, name, ma)
    rig.run(600)
    assert (rig.k.permitted_ma, rig.k.charger_ma) == (ma, ma)
    assert rig.k.limiter == limiter
    assert LIMITER_NAMES[limiter].startswith(
        {"offered_ma": "pilot", "rated_ma": "cable", "thermal_ma": "temp"}.get(name, "vehicle")
    )


@pytest.mark.parametrize(("name", "limiter"), LIMITS)
def test_limit_follows_in_the_same_pass_while_charging(name, limiter):
    rig = charging()
    setattr(rig.i, name, 10000)
    rig.run()
    assert (rig.k.charger_ma, rig.k.limiter) == (10000, limiter)
    setattr(rig.i, name, 32000)
    rig.run()
    assert rig.k.charger_ma == 32000


def test_setting_is_a_limit_and_wins_over_an_untouched_temperature():
    """The thermal room's limit, undisturbed, is the setting itself: it must not be blamed."""
    rig = Rig(max_current_ma=20000)
    rig.i.thermal_ma = 20000
    rig.run(600)
    assert (rig.k.charger_ma, rig.k.limiter) == (20000, LIMIT_SETTING)
    rig.i.thermal_ma = 19999
    rig.run()
    assert (rig.k.charger_ma, rig.k.limiter) == (19999, LIMIT_TEMPERATURE)


def test_of_equal_limits_the_first_asked_is_named():
    rig = Rig(max_current_ma=16000, lock_policy=1, lock_fail_ma=16000)
    rig.i.is_locked = False
    rig.i.faults = F_FAILED_LOCK
    order = ("offered_ma", "rated_ma", None, "thermal_ma", "vehicle_limit_ma")
    expected = (LIMIT_PILOT, LIMIT_CABLE, LIMIT_SETTING)
    for name in order:
        if name:
            setattr(rig.i, name, 16000)
    for name, limiter in zip(order, expected, strict=False):
        rig.run()
        assert (rig.k.permitted_ma, rig.k.limiter) == (16000, limiter)
        if name:
            setattr(rig.i, name, 16001)


def test_ties_below_the_setting_go_to_temperature_then_vehicle_then_lock():
    rig = Rig(lock_policy=1, lock_fail_ma=16000)
    rig.i.is_locked = False
    rig.i.thermal_ma = rig.i.vehicle_limit_ma = 16000
    assert rig.run().k.limiter == LIMIT_TEMPERATURE
    rig.i.thermal_ma = 16001
    assert rig.run().k.limiter == LIMIT_VEHICLE
    rig.i.vehicle_limit_ma = 16001
    assert rig.run().k.limiter == LIMIT_LOCK


def test_rating_of_an_unrated_cable_is_no_limit():
    rig = Rig()
    rig.i.has_rating = False
    rig.i.rated_ma = 0
    rig.run(600)
    assert rig.k.charger_ma == 32000


@pytest.mark.parametrize("name", ["offered_ma", "rated_ma", "thermal_ma", "vehicle_limit_ma"])
def test_limit_of_zero_or_less_permits_nothing(name):
    rig = Rig()
    setattr(rig.i, name, -1)
    rig.run(1000)
    assert rig.k.permitted_ma == 0 and rig.k.reasons == BELOW_MINIMUM


@pytest.mark.parametrize("minimum_ma", [6000, 10000, 16000])
@pytest.mark.parametrize("name", ["offered_ma", "rated_ma", "thermal_ma", "vehicle_limit_ma"])
def test_permitted_below_the_minimum_waits_in_b(name, minimum_ma):
    rig = Rig(min_current_ma=minimum_ma)
    setattr(rig.i, name, minimum_ma - 1)
    rig.run(1000)
    assert rig.k.reasons == BELOW_MINIMUM and rig.k.permitted_ma == minimum_ma - 1
    setattr(rig.i, name, minimum_ma)
    rig.run()
    assert rig.k.charger_ma == minimum_ma


@pytest.mark.parametrize("why", [PILOT_STEADY, PILOT_DUTY])
def test_below_minimum_is_not_told_where_something_else_explains_it(why):
    rig = Rig()
    rig.i.offered_ma = 0
    rig.i.reasons = why
    rig.run(1000)
    assert rig.k.reasons == why


# ------------------------------------------------------------------------------- B before C


@pytest.mark.parametrize("start_ms", STARTS)
def test_b_is_shown_500_ms_before_c_after_boot(start_ms):
    """esp32-evse #71: a car that appears in C is refused."""
    rig = Rig(start_ms)
    took_ms = rig.until(lambda k: k.session == CHARGING)
    assert took_ms == 500


@pytest.mark.parametrize("start_ms", STARTS)
def test_b_that_breaks_off_starts_again(start_ms):
    rig = Rig(start_ms)
    rig.run(490)
    rig.i.shows_b = False
    rig.run()
    assert rig.k.reasons == SHOW_B
    rig.i.shows_b = True
    assert rig.until(lambda k: k.s2_close) == 500 - 10


def test_b_without_a_plug_does_not_count():
    rig = Rig()
    rig.i.is_plugged = False
    rig.run(1000)
    assert rig.k.reasons == NO_PLUG | SHOW_B
    rig.i.is_plugged = True
    assert rig.until(lambda k: k.s2_close) == 490


def test_b_is_shown_anew_after_each_plug_in():
    rig = charging()
    rig.i.stop_request = True
    rig.i.charger_ma = 0
    rig.until(lambda k: not k.s2_close)
    rig.unplug().run(5000)
    assert rig.k.reasons & SHOW_B
    rig.plug()
    rig.i.stop_request = False
    assert rig.until(lambda k: k.s2_close) == 490


def test_b_shown_is_kept_while_other_reasons_come_and_go():
    rig = Rig()
    rig.i.stop_request = True
    rig.run(10000)
    rig.i.stop_request = False
    rig.run()
    assert rig.k.s2_close


# ------------------------------------------------------------------- vehicle, person, policy


@pytest.mark.parametrize("timeout_ms", [100, 250, 500])
def test_vehicle_silent_one_ms_past_the_timeout(timeout_ms):
    rig = charging(vehicle_timeout_ms=timeout_ms)
    rig.i.vehicle_age_ms = timeout_ms
    rig.run()
    assert rig.k.session == CHARGING
    rig.i.vehicle_age_ms = timeout_ms + 1
    rig.run()
    assert rig.k.session == STOPPING and rig.k.reasons == VEHICLE_SILENT


def test_silent_vehicle_is_not_also_said_to_refuse():
    rig = Rig()
    rig.i.vehicle_age_ms = 501
    rig.i.vehicle_permits = False
    rig.run(1000)
    assert rig.k.reasons == VEHICLE_SILENT


@pytest.mark.parametrize("name", ["stop_request", "unlock_request"])
def test_person_ends_charging(name):
    rig = charging()
    setattr(rig.i, name, True)
    rig.run()
    assert rig.k.session == STOPPING and rig.k.reasons == PERSON_STOP and rig.k.charger_ma == 0


REFUSE, REDUCE, IGNORE = 0, 1, 2


@pytest.mark.parametrize(
    ("policy", "fault", "reasons"),
    [
        (REFUSE, 0, NOT_LOCKED),
        (REFUSE, F_FAILED_LOCK, NOT_LOCKED | LOCK_FAILED),
        (REFUSE, F_LOCK_SENSE, NOT_LOCKED | LOCK_LOST),
        (REDUCE, 0, NOT_LOCKED),
        (REDUCE, F_FAILED_LOCK, 0),
        (REDUCE, F_LOCK_SENSE, NOT_LOCKED | LOCK_LOST),
        (REDUCE, F_FAILED_LOCK | F_LOCK_SENSE, LOCK_LOST),
        (IGNORE, 0, 0),
        (IGNORE, F_FAILED_LOCK, 0),
        (IGNORE, F_LOCK_SENSE, 0),
    ],
)
def test_missing_lock_by_policy(policy, fault, reasons):
    rig = Rig(lock_policy=policy)
    rig.i.is_locked = False
    rig.i.faults = fault
    rig.run(1000)
    assert rig.k.reasons == reasons
    assert rig.k.s2_close is (reasons == 0)


@pytest.mark.parametrize(
    ("policy", "ma", "limiter"),
    [(REDUCE, 10000, LIMIT_LOCK), (IGNORE, 32000, LIMIT_PILOT)],
)
def test_current_with_a_failed_lock_by_policy(policy, ma, limiter):
    rig = Rig(lock_policy=policy, lock_fail_ma=10000)
    rig.i.is_locked = False
    rig.i.faults = F_FAILED_LOCK
    rig.run(1000)
    assert (rig.k.charger_ma, rig.k.limiter) == (ma, limiter)


def test_reduce_with_a_lock_that_holds_is_full_current():
    rig = Rig(lock_policy=REDUCE)
    rig.run(1000)
    assert (rig.k.charger_ma, rig.k.limiter) == (32000, LIMIT_PILOT)


def test_lock_that_opens_while_reduced_policy_charges_drops_the_current_at_once():
    rig = charging(lock_policy=REDUCE)
    rig.i.is_locked = False
    rig.run()
    assert rig.k.charger_ma == 0 and rig.k.reasons == NOT_LOCKED
    assert rig.k.permitted_ma == 10000
