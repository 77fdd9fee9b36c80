"""5 % duty: what a communication controller may do to S2, and what it never may."""

import pytest
from interlock_rig import STARTS, Rig

from connector import C_DC, C_SHARED, CONNECTORS
from faults import (
    H_CONTACTORS,
    H_NO_MODEM,
    H_NO_SECTION,
    INTERLOCKED,
    NOT_LOCKED,
    PILOT_DIGITAL,
    PILOT_STEADY,
    SERVICE_MODE,
    VEHICLE_NO,
    VEHICLE_SILENT,
)
from handoff import MODEM_SILENT_MS
from interlock import CHARGING, RESTING, STOPPING, WAITING
from settings import INLETS

CCS2 = INLETS.index("ccs2")
FITTED = {"inlet": CCS2, "modem": 1, "dc_max_a": 200}


def digital(start_ms=0, **settings) -> Rig:
    """A plugged and locked CCS2 inlet at 5 % duty, its controller fresh and silent about S2."""
    rig = Rig(start_ms, **{**FITTED, **settings})
    rig.evse_opens = False
    i = rig.i
    i.reasons = PILOT_DIGITAL
    i.offered_ma = 0
    i.modem_age_ms = 0
    i.contactors_ok = i.contactors_open = True
    i.dc_ok = True
    return rig.run(1000)


def in_dc(start_ms=0, **settings) -> Rig:
    rig = digital(start_ms, **settings)
    rig.i.modem_wants_c = True
    rig.until(lambda k: k.session == CHARGING, 5000)
    rig.i.shows_b = False
    return rig.run(500)


@pytest.mark.parametrize("start_ms", STARTS)
def test_s2_closes_on_the_controllers_word_and_asks_the_ac_charger_for_nothing(start_ms):
    rig = digital(start_ms)
    assert rig.k.session == WAITING and rig.k.reasons == PILOT_DIGITAL and rig.k.holds == 0
    rig.i.modem_wants_c = True
    rig.run()
    assert rig.k.session == CHARGING and rig.k.s2_close and rig.k.is_dc
    rig.run(10000)
    assert rig.k.session == CHARGING and rig.k.charger_ma == 0 and rig.k.reasons == 0


def test_s2_opens_in_the_pass_in_which_the_controller_lets_go():
    rig = in_dc()
    rig.i.modem_wants_c = False
    rig.run(20)
    assert rig.k.session == RESTING and not rig.k.s2_close


def test_silence_of_the_controller_opens_s2_at_once():
    rig = in_dc()
    rig.i.modem_age_ms = MODEM_SILENT_MS
    rig.run(100)
    assert rig.k.s2_close
    rig.i.modem_age_ms = MODEM_SILENT_MS + 1
    rig.run(20)
    assert not rig.k.s2_close and rig.k.holds & H_NO_MODEM


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("vehicle_permits", False, VEHICLE_NO),
        ("vehicle_age_ms", 501, VEHICLE_SILENT),
        ("is_locked", False, NOT_LOCKED),
        ("stop_request", True, 0),
    ],
)
def test_every_other_reason_still_stops_and_waits_for_the_current_to_end(name, value, reason):
    rig = in_dc()
    setattr(rig.i, name, value)
    rig.run()
    assert rig.k.session == STOPPING and rig.k.s2_close and rig.k.reasons & reason == reason
    rig.i.modem_wants_c = False
    rig.run()
    assert not rig.k.s2_close


def test_a_controller_that_never_lets_go_is_waited_for_no_longer_than_the_table_says():
    rig = in_dc()
    rig.i.vehicle_permits = False
    assert rig.until(lambda k: not k.s2_close) == 3000


def test_duty_that_begins_to_offer_ac_ends_dc_and_no_current_is_asked_for():
    rig = in_dc()
    rig.i.reasons = 0
    rig.i.offered_ma = 32000
    for _ in range(300):
        rig.run()
        assert not rig.k.charger_ma or not rig.k.is_dc
        if not rig.k.s2_close:
            break
    assert rig.k.session == RESTING


def test_an_ac_session_does_not_turn_into_dc_with_s2_closed():
    rig = Rig(**FITTED)
    rig.i.contactors_ok = rig.i.contactors_open = True
    rig.until(lambda k: k.session == CHARGING, 1000)
    rig.i.shows_b = False
    rig.run(1000)
    assert rig.k.charger_ma > 0
    rig.i.reasons = PILOT_DIGITAL
    rig.i.offered_ma = 0
    rig.i.modem_age_ms = 0
    rig.i.modem_wants_c = True
    rig.run()
    assert rig.k.session == STOPPING and not rig.k.is_dc
    rig.until(lambda k: not k.s2_close)


@pytest.mark.parametrize("policy", [1, 2])
def test_dc_needs_the_bolt_whatever_the_policy_for_ac_says(policy):
    rig = digital(lock_policy=policy)
    rig.i.is_locked = False
    rig.i.modem_wants_c = True
    rig.run(5000)
    assert rig.k.session == WAITING and rig.k.reasons & NOT_LOCKED


@pytest.mark.parametrize(
    "settings", [{"modem": 0}, {"dc_max_a": 0}, {"lock_feedback": 0}], ids=lambda s: next(iter(s))
)
def test_not_fitted_or_not_confirmed_stays_in_b_and_says_so(settings):
    rig = digital(**settings)
    rig.i.modem_wants_c = True
    rig.run(5000)
    assert rig.k.session == WAITING and not rig.k.s2_close
    assert rig.k.reasons == PILOT_DIGITAL and rig.k.holds == H_NO_MODEM


@pytest.mark.parametrize("inlet", [n for n, row in enumerate(CONNECTORS) if not row[C_DC]])
def test_a_connector_without_dc_says_that_it_has_none(inlet):
    rig = digital(inlet=inlet)
    rig.i.modem_wants_c = True
    rig.run(5000)
    assert not rig.k.s2_close and rig.k.holds == H_NO_SECTION


# -------------------------------------------------------------------------------- wake-up toggles


def pulses(rig, ms):
    """Return the lengths in ms of the times S2 was closed and open within `ms`, alternating from closed."""
    lengths = []
    was = False
    for _ in range(ms // 10):
        rig.run()
        if rig.k.s2_close != was:
            was = rig.k.s2_close
            lengths.append(0)
        if lengths:
            lengths[-1] += 10
    return lengths


@pytest.mark.parametrize("start_ms", STARTS)
@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize("reason", [PILOT_DIGITAL, PILOT_STEADY])
def test_toggles_are_as_many_as_asked_and_300_ms_each(number, reason, start_ms):
    """ISO 15118-3 by EVerest: 200..400 ms a state, within 3.5 s."""
    rig = digital(start_ms)
    rig.i.reasons = reason
    rig.i.modem_toggles = number
    lengths = pulses(rig, 4000)
    assert lengths[:-1] == [300] * (2 * number - 1)
    assert sum(lengths[:-1]) <= 3500 and rig.k.session == WAITING and rig.k.charger_ma == 0


def test_the_same_number_again_asks_for_nothing():
    rig = digital()
    rig.i.modem_toggles = 2
    pulses(rig, 4000)
    assert pulses(rig, 10000) == []
    rig.i.modem_toggles = 0
    rig.run(100)
    rig.i.modem_toggles = 1
    assert len(pulses(rig, 4000)) == 2


@pytest.mark.parametrize("number", [4, 100, -1])
def test_nonsense_toggles_no_more_than_three_times(number):
    rig = digital()
    rig.i.modem_toggles = number
    lengths = pulses(rig, 10000)
    assert len(lengths) <= 6 and all(ms == 300 for ms in lengths[:-1])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("offered_ma", 6000),
        ("reasons", PILOT_STEADY | SERVICE_MODE),
        ("modem_age_ms", 501),
        ("is_locked", False),
        ("vehicle_permits", False),
        ("in_doubt", True),
        ("unlock_request", True),
    ],
)
def test_a_toggle_ends_in_the_pass_in_which_anything_else_speaks_against_state_c(name, value):
    rig = digital()
    rig.i.modem_toggles = 3
    rig.until(lambda k: k.s2_close, 1000)
    setattr(rig.i, name, value)
    rig.run()
    assert not rig.k.s2_close
    assert pulses(rig, 5000) == [] or rig.k.session == CHARGING


def test_the_bolt_does_not_move_while_a_toggle_shows_c():
    rig = digital()
    rig.i.modem_toggles = 1
    rig.until(lambda k: k.s2_close, 1000)
    assert not rig.k.may_unlock


# --------------------------------------------------------------------------------------- NACS


def test_ac_on_shared_pins_waits_for_the_contactors_to_be_proven_open():
    nacs = INLETS.index("nacs")
    assert CONNECTORS[nacs][C_SHARED]
    rig = Rig(inlet=nacs, dc_max_a=200)
    rig.run(5000)
    assert rig.k.session == WAITING and rig.k.reasons == INTERLOCKED
    assert rig.k.holds == H_CONTACTORS
    rig.i.contactors_ok = True
    rig.run(1000)
    assert rig.k.session == WAITING
    rig.i.contactors_open = True
    rig.until(lambda k: k.session == CHARGING, 6000)
    rig.i.contactors_ok = False
    rig.run()
    assert not rig.k.s2_close and rig.k.reasons & INTERLOCKED


@pytest.mark.parametrize("inlet", ["ccs2", "nacs"])
@pytest.mark.parametrize(("name", "value"), [("dc_mv", 60000), ("contactors_open", False)])
def test_ac_does_not_begin_where_dc_is_seen(inlet, name, value):
    rig = Rig(inlet=INLETS.index(inlet), dc_max_a=200)
    i = rig.i
    i.dc_ok = i.contactors_ok = i.contactors_open = True
    setattr(i, name, value)
    rig.run(10000)
    assert rig.k.session == WAITING and rig.k.holds & H_CONTACTORS


@pytest.mark.parametrize("name", ["ac_present", "car_ac_live"])
def test_dc_does_not_begin_on_shared_pins_where_ac_is_seen(name):
    rig = digital(inlet=INLETS.index("nacs"))
    setattr(rig.i, name, True)
    rig.i.modem_wants_c = True
    rig.run(5000)
    assert not rig.k.s2_close and rig.k.holds & H_CONTACTORS
    setattr(rig.i, name, False)
    rig.until(lambda k: k.session == CHARGING, 5000)


def test_wishes_that_alternate_in_every_pass_hold_no_c():
    rig = digital()
    closed = 0
    for n in range(10000):
        rig.i.modem_toggles = 1 + n % 2
        rig.run()
        closed += rig.k.s2_close
    assert 30 <= closed <= 10 * 3 * 31


def test_ac_on_shared_pins_without_dc_fitted_asks_nobody():
    rig = Rig(inlet=INLETS.index("nacs"))
    rig.until(lambda k: k.session == CHARGING, 2000)


def test_a_charger_that_sleeps_while_dc_flows_stops_nothing():
    rig = digital()
    rig.i.charger_ok = True
    rig.run(100)
    rig.i.modem_wants_c = True
    rig.until(lambda k: k.session == CHARGING, 5000)
    rig.i.shows_b = False
    rig.i.charger_ok = False
    rig.run(60000)
    assert rig.k.session == CHARGING and rig.k.faults == 0
