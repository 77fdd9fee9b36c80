"""Each row of the one shutdown table, to the pass: order, bounded wait, rest, and what follows."""

import pytest
from interlock_causes import CAUSES, mend, spoil
from interlock_rig import STARTS, charging

from faults import (
    CURRENT_FIRST,
    NO_PLUG,
    NOW,
    PERSON_STOP,
    PILOT_E,
    PILOT_STEADY,
    PP_BUTTON,
    REST,
    RETRIES,
    ROW_CLEARS,
    ROW_COUNTED,
    ROW_NAME,
    ROW_ORDER,
    ROW_REST_MS,
    ROW_WAIT_MS,
    SELF,
    SERVICE_MODE,
    SETTINGS,
    SHOW_B,
    SHUTDOWN,
    TEMP_HIGH,
    VEHICLE_NO,
    VEHICLE_SILENT,
    first_bit,
)
from interlock import CHARGING, RESTING, STOPPING, UNPLUGGED, WAITING


def row_of(cause):
    return SHUTDOWN[first_bit(cause)]


def name_of(cause):
    return row_of(cause)[ROW_NAME]


FIRST = [c for c in CAUSES if row_of(c)[ROW_ORDER] == CURRENT_FIRST]
AT_ONCE = [c for c in CAUSES if row_of(c)[ROW_ORDER] == NOW]


def test_every_row_that_can_end_a_charge_is_tested():
    mask = 0
    for cause in CAUSES:
        mask |= cause
    assert mask | SHOW_B | REST | RETRIES | SETTINGS | SERVICE_MODE == (1 << len(SHUTDOWN)) - 1
    assert len(FIRST) >= 15 and len(AT_ONCE) >= 6


def test_steady_charging_is_told_without_a_reason():
    rig = charging()
    rig.run(60000)
    assert (rig.k.session, rig.k.reasons, rig.k.charger_ma) == (CHARGING, 0, 32000)


@pytest.mark.parametrize("start_ms", STARTS)
@pytest.mark.parametrize("cause", CAUSES, ids=name_of)
def test_cause_zeroes_the_current_in_the_same_pass(cause, start_ms):
    rig = charging(start_ms)
    spoil(rig.i, cause)
    rig.run()
    assert rig.k.reasons == cause
    assert rig.k.charger_ma == 0


@pytest.mark.parametrize("start_ms", STARTS)
@pytest.mark.parametrize("cause", AT_ONCE, ids=name_of)
def test_now_row_opens_s2_in_the_same_pass(cause, start_ms):
    rig = charging(start_ms)
    spoil(rig.i, cause)
    rig.run()
    assert rig.k.session == RESTING and not rig.k.s2_close


@pytest.mark.parametrize("start_ms", STARTS)
@pytest.mark.parametrize("charger_ok", [True, False])
@pytest.mark.parametrize("cause", FIRST, ids=name_of)
def test_current_first_row_waits_its_bound_while_current_flows_or_is_unknown(
    cause, charger_ok, start_ms
):
    rig = charging(start_ms)
    rig.i.charger_ok = charger_ok
    rig.i.charger_ma = 1000 if charger_ok else 0
    spoil(rig.i, cause)
    rig.run()
    assert rig.k.session == STOPPING and rig.k.s2_close
    # `until` counts from the second pass of the stop.
    took_ms = rig.until(lambda k: not k.s2_close) + 10
    assert took_ms == row_of(cause)[ROW_WAIT_MS]
    assert rig.k.session == RESTING


@pytest.mark.parametrize("cause", FIRST, ids=name_of)
def test_current_first_row_opens_s2_as_soon_as_less_than_1_a_flows(cause):
    """IEC 61851-1 Tab A.6 seq 7: < 1 A before S2 opens."""
    rig = charging()
    rig.i.charger_ma = 1000
    spoil(rig.i, cause)
    rig.run(row_of(cause)[ROW_WAIT_MS] - 100)
    assert rig.k.s2_close and rig.k.charger_ma == 0
    rig.i.charger_ma = 999
    rig.run(20)
    assert rig.k.s2_close
    rig.run()
    assert not rig.k.s2_close


def test_one_low_reading_of_the_current_does_not_open_s2_under_load():
    rig = charging()
    spoil(rig.i, PERSON_STOP)
    rig.run(100)
    for charger_ma in (0, 0, 30000):
        rig.i.charger_ma = charger_ma
        rig.run()
    assert rig.k.s2_close
    rig.i.charger_ma = 0
    rig.run(30)
    assert not rig.k.s2_close


@pytest.mark.parametrize("cause", FIRST, ids=name_of)
def test_current_that_is_already_gone_opens_s2_after_three_readings(cause):
    rig = charging()
    rig.i.charger_ma = 0
    spoil(rig.i, cause)
    rig.run(30)
    assert rig.k.s2_close
    rig.run()
    assert not rig.k.s2_close


@pytest.mark.no_cover
@pytest.mark.parametrize("start_ms", STARTS)
@pytest.mark.parametrize("cause", CAUSES, ids=name_of)
def test_rest_lasts_to_the_pass_and_b_is_shown_in_it(cause, start_ms):
    rig = charging()
    rig.now_ms = start_ms
    rig.i.charger_ma = 0
    spoil(rig.i, cause)
    rig.until(lambda k: not k.s2_close)
    mend(rig.i, cause)
    rig.i.shows_b = True
    rig.i.ac_present = False
    rest_ms = row_of(cause)[ROW_REST_MS]
    assert rest_ms >= 3000
    rig.run(10)
    assert rig.k.reasons & REST and rig.k.reasons & SHOW_B
    took_ms = rig.until(lambda k: k.session != RESTING) + 20
    assert took_ms == rest_ms
    if row_of(cause)[ROW_CLEARS] == SELF:
        rig.run()
        assert rig.k.session == CHARGING, "a self-clearing reason lets it go on"
    else:
        rig.run(20000)
        assert rig.k.session == WAITING and rig.k.reasons == cause


@pytest.mark.no_cover
@pytest.mark.parametrize("cause", CAUSES, ids=name_of)
def test_cause_that_stays_keeps_s2_open_for_ever(cause):
    rig = charging()
    rig.i.charger_ma = 0
    spoil(rig.i, cause)
    rig.until(lambda k: not k.s2_close)
    rig.i.shows_b = True
    for _ in range(60):
        rig.run(1000)
        assert not rig.k.s2_close and rig.k.charger_ma == 0
    assert rig.k.reasons & cause


@pytest.mark.parametrize("cause", FIRST, ids=name_of)
def test_cause_that_vanishes_during_the_stop_does_not_undo_it(cause):
    """A stop once begun ends in a rest: current and S2 do not flap."""
    rig = charging()
    spoil(rig.i, cause)
    rig.run()
    mend(rig.i, cause)
    took_ms = rig.until(lambda k: not k.s2_close) + 10
    assert took_ms == row_of(cause)[ROW_WAIT_MS]
    assert rig.k.charger_ma == 0


@pytest.mark.parametrize("cause", AT_ONCE, ids=name_of)
def test_now_cause_during_a_wait_ends_it_at_once(cause):
    rig = charging()
    spoil(rig.i, PERSON_STOP)
    rig.run(500)
    assert rig.k.s2_close
    spoil(rig.i, cause)
    rig.run()
    assert rig.k.session == RESTING and not rig.k.s2_close


def test_more_urgent_cause_shortens_a_wait_that_runs():
    """Its bound counts from the moment the current was commanded to 0."""
    rig = charging()
    spoil(rig.i, PERSON_STOP)
    rig.run(110)
    spoil(rig.i, VEHICLE_SILENT)
    assert rig.until(lambda k: not k.s2_close) + 110 == row_of(VEHICLE_SILENT)[ROW_WAIT_MS]


def test_less_urgent_cause_does_not_lengthen_a_wait():
    rig = charging()
    spoil(rig.i, VEHICLE_SILENT)
    rig.run()
    spoil(rig.i, PERSON_STOP)
    assert rig.until(lambda k: not k.s2_close) + 10 == row_of(VEHICLE_SILENT)[ROW_WAIT_MS]


def test_shortest_bound_of_two_causes_at_once_holds():
    rig = charging()
    spoil(rig.i, PERSON_STOP)
    spoil(rig.i, PP_BUTTON)
    rig.run()
    assert rig.until(lambda k: not k.s2_close) + 10 == row_of(PP_BUTTON)[ROW_WAIT_MS]


def test_longest_rest_of_two_causes_at_once_holds():
    rig = charging()
    rig.i.charger_ma = 0
    spoil(rig.i, PP_BUTTON)
    spoil(rig.i, TEMP_HIGH)
    rig.until(lambda k: not k.s2_close)
    mend(rig.i, PP_BUTTON)
    mend(rig.i, TEMP_HIGH)
    assert rig.until(lambda k: k.session != RESTING) + 10 == 10000


def test_cause_that_cuts_a_wait_short_counts_for_the_rest():
    rig = charging()
    spoil(rig.i, VEHICLE_NO)
    rig.run(100)
    spoil(rig.i, PILOT_E)
    rig.run()
    mend(rig.i, PILOT_E)
    mend(rig.i, VEHICLE_NO)
    assert rig.k._stops == 1, "state E is a malfunction, whatever began the stop"


def test_silence_after_a_normal_stop_is_no_malfunction():
    """A vehicle that says no and goes to sleep while its charger ramps down has done nothing wrong."""
    rig = charging()
    spoil(rig.i, VEHICLE_NO)
    rig.run()
    rig.i.vehicle_age_ms = 501
    rig.until(lambda k: not k.s2_close)
    assert rig.k._stops == 0
    assert not SHUTDOWN[first_bit(VEHICLE_NO)][ROW_COUNTED]


@pytest.mark.parametrize("start_ms", STARTS)
def test_plug_that_comes_and_goes_does_not_hammer(start_ms):
    """Unplugging ends the rest and forgives the retries, yet S2 stays open for 3 s."""
    rig = charging()
    rig.now_ms = start_ms
    rig.i.charger_ma = 0
    spoil(rig.i, NO_PLUG)
    opened_ms = rig.until(lambda k: not k.s2_close)
    mend(rig.i, NO_PLUG)
    rig.unplug().run()
    assert rig.k.session == UNPLUGGED
    rig.plug()
    rig.i.ac_present = False
    took_ms = rig.until(lambda k: k.s2_close)
    assert opened_ms == 30
    assert took_ms + 20 == 3000
    assert rig.k.session == CHARGING


def test_release_does_not_wait_for_the_rest():
    rig = charging()
    rig.i.charger_ma = 0
    spoil(rig.i, PILOT_STEADY)
    rig.until(lambda k: not k.s2_close)
    rig.i.unlock_request = True
    rig.run()
    assert rig.k.session == 5
