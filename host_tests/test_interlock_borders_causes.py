"""Which cause, limit, wish or word counts where several meet: the interlock and its neighbours, case by case."""

import pytest
from interlock_rig import Rig, charging, good_inputs
from test_handoff import FITTED, digital, in_dc
from test_interlock_borders import Controller, tick

from faults import (
    F_OVER_TEMPERATURE,
    F_VEHICLE_SILENT,
    H_CONTACTORS,
    SHUTDOWN,
    VEHICLE_SILENT,
)
from interlock import CHARGING, RESTING, STOPPING, WAITING
from limits import LIMIT_PILOT, Limits
from release import UNLOCK
from settings import INLETS, Settings

CCS2, NACS = INLETS.index("ccs2"), INLETS.index("nacs")

# The session --------------------------------------------------------------------------------------


def test_a_second_cause_shortens_the_wait_for_good_though_it_is_gone_in_the_next_pass():
    rig = charging()
    rig.i.stop_request = True
    tick(rig, 10)
    rig.i.is_locked = False
    tick(rig, 10)
    rig.i.is_locked = True
    assert tick(rig, 789).k.session == STOPPING
    assert tick(rig, 1).k.session == RESTING


@pytest.mark.parametrize("age_ms", [0, 499, 500])
def test_a_vehicle_that_is_heard_after_the_session_may_fall_silent_without_a_fault(age_ms):
    rig = charging()
    rig.i.stop_request = True
    rig.i.vehicle_age_ms = age_ms
    rig.run()
    assert rig.k.session == STOPPING
    rig.i.vehicle_age_ms = 501
    rig.run()
    assert rig.k.reasons & VEHICLE_SILENT
    assert not rig.k.faults & F_VEHICLE_SILENT


def test_of_several_causes_the_longest_rest_counts():
    rig = charging()
    rig.i.charger_ma = 0
    rig.i.faults = F_OVER_TEMPERATURE
    rig.i.vehicle_permits = False
    rig.until(lambda k: k.session == RESTING)
    rig.i.faults = 0
    rig.i.vehicle_permits = rig.i.shows_b = True
    assert tick(rig, 9999).k.session == RESTING
    assert tick(rig, 1).k.session == WAITING


def test_the_first_stop_of_a_plug_in_rests_as_long_as_its_row_says_and_for_nothing_without_one():
    for n, row in enumerate(SHUTDOWN):
        rig = Rig()
        rig.k._stop_reasons = 1 << n
        rig.k._open(0)
        assert rig.k._wait_ms == row[6], row[0]
    rig = Rig()
    rig.k._open(0)
    assert rig.k._wait_ms == 0


@pytest.mark.parametrize("mv", [60_001, 400_000])
@pytest.mark.parametrize("inlet", [CCS2, NACS])
def test_ac_does_not_begin_at_more_than_60_v_dc_behind_open_contactors(inlet, mv):
    rig = Rig(inlet=inlet, dc_max_a=200)
    rig.i.dc_ok = rig.i.contactors_ok = rig.i.contactors_open = True
    rig.i.dc_mv = mv
    rig.run(5000)
    assert rig.k.session == WAITING
    assert rig.k.holds & H_CONTACTORS


# The limits ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["rated_ma", "thermal_ma", "vehicle_limit_ma", "person_ma", "port_ma"])  # fmt: skip
def test_of_equal_limits_the_pilots_is_named(name):
    limits = Limits(Settings({}), False)
    i = good_inputs()
    setattr(i, name, i.offered_ma)
    limits.tick(i)
    assert (limits.permitted_ma, limits.limiter) == (32_000, LIMIT_PILOT)


@pytest.mark.parametrize("offered_ma", [0, 6000, 9999, 10_000])
def test_a_lock_that_failed_raises_no_lower_limit(offered_ma):
    limits = Limits(Settings({"lock_fail_ma": 10_000}), True)
    i = good_inputs()
    i.offered_ma = offered_ma
    i.is_locked = False
    limits.tick(i)
    assert (limits.permitted_ma, limits.limiter) == (offered_ma, LIMIT_PILOT)


# The hand-over ------------------------------------------------------------------------------------


def test_a_toggle_is_played_to_its_end_though_the_pilot_does_not_show_b_meanwhile():
    rig = digital()
    rig.i.modem_toggles = 2
    shown = []
    for _ in range(200):
        rig.i.shows_b = not rig.k.s2_close
        rig.run()
        shown.append(rig.k.s2_close)
    assert shown == [True] * 30 + [False] * 30 + [True] * 30 + [False] * 110


def test_toggles_are_played_to_their_end_though_the_number_is_0_again():
    controller = Controller()
    shown = [controller.at(0, 2)]
    shown += [controller.at(ms, 0) for ms in (10, 299, 300, 599, 600, 899, 900, 5000)]
    assert shown == [True, True, True, False, False, True, True, False, False]


def test_ten_wishes_are_heard_in_each_plug_in_and_not_an_eleventh():
    controller = Controller()
    ms = 0
    for _plug_in in range(2):
        for n in range(12):
            assert controller.at(ms, 1) is (n < 10)
            controller.at(ms + 300, 1)
            controller.at(ms + 600, 0)
            ms += 10_000
        controller.i.is_unplugged = True
        controller.at(ms, 0)
        controller.i.is_unplugged = False


def test_a_wish_that_came_while_it_could_not_be_played_is_not_played_later():
    controller = Controller()
    controller.i.in_doubt = True
    for ms in range(0, 1000, 10):
        assert not controller.at(ms, 1)
    controller.i.in_doubt = False
    for ms in range(1000, 3000, 10):
        assert not controller.at(ms, 1)
    assert controller.at(3000, 2)


# Letting go ---------------------------------------------------------------------------------------


def test_where_no_controller_is_fitted_its_word_holds_no_cable():
    rig = Rig(inlet=CCS2, dc_max_a=200)
    rig.i.modem_age_ms = 0
    rig.i.modem_wants_c = rig.i.unlock_request = True
    rig.run(4000)
    assert rig.k.may_unlock and rig.k.lock_request == UNLOCK


def forgotten(rig):
    """The rig with the next plug in, after one that was pulled from an open bolt: what it had of DC is forgotten."""
    rig.unplug()
    rig.i.is_locked, rig.i.is_unlocked = False, True
    rig.run(100)
    rig.plug()
    rig.i.is_unlocked = False
    return rig.run(4000)


def test_dc_that_was_asked_for_and_never_switched_holds_no_cable():
    rig = forgotten(digital())
    rig.i.modem_wants_c = True
    rig.run(1000)
    assert rig.k.is_dc and not rig.k.s2_close
    rig.i.modem_wants_c = rig.i.dc_ok = False
    rig.i.unlock_request = True
    rig.run(4000)
    assert rig.k.may_unlock


def test_dc_that_was_switched_in_the_next_plug_in_holds_the_cable_until_the_car_says_that_it_is_dead():
    rig = forgotten(digital())
    rig.i.is_locked = True
    rig.i.modem_wants_c = True
    rig.until(lambda k: k.session == CHARGING, 5000)
    rig.i.modem_wants_c = rig.i.dc_ok = False
    rig.i.unlock_request = rig.i.modem_permits_unlock = True
    rig.run(60_000)
    assert not rig.k.may_unlock
    rig.i.dc_ok = True
    rig.run(20)
    assert rig.k.may_unlock


def test_an_empty_inlet_whose_pins_never_had_dc_opens_its_bolt_without_the_cars_word():
    rig = Rig(inlet=NACS, dc_max_a=200).unplug()
    rig.run(2990)
    assert not rig.k.may_unlock
    rig.run(20)
    assert rig.k.may_unlock and rig.k.lock_request == UNLOCK


@pytest.mark.parametrize("inlet", [CCS2, NACS])
def test_an_empty_inlet_that_may_have_had_dc_keeps_its_bolt_until_the_car_says_that_it_is_dead(
    inlet,
):
    """After a boot: the plug that reads out may be a broken harness."""
    rig = Rig(**{**FITTED, "inlet": inlet}).unplug()
    rig.run(60_000)
    assert not rig.k.may_unlock and rig.k.lock_request != UNLOCK
    rig.i.dc_ok = rig.i.contactors_ok = rig.i.contactors_open = True
    rig.run(20)
    assert rig.k.may_unlock and rig.k.lock_request == UNLOCK


def test_an_inlet_after_dc_with_the_plug_out_and_the_bolt_shut_keeps_it_without_the_cars_word():
    rig = in_dc().unplug()
    rig.i.reasons = 0
    rig.i.modem_wants_c = rig.i.dc_ok = False
    rig.i.modem_permits_unlock = True
    rig.run(60_000)
    assert not rig.k.may_unlock
