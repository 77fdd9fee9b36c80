"""Malfunction stops of one plug-in are counted, rest longer each time, and come to an end."""

import pytest
from interlock_causes import CAUSES, mend, spoil
from interlock_rig import STARTS, charging

from faults import (
    BELOW_MINIMUM,
    NOT_LOCKED,
    PERSON_STOP,
    PILOT_E,
    PILOT_LOST,
    PILOT_STEADY,
    RETRIES,
    ROW_COUNTED,
    ROW_REST_MS,
    ROW_WAIT_MS,
    SHUTDOWN,
    TEMP_HIGH,
    VEHICLE_NO,
    VEHICLE_SILENT,
    first_bit,
)
from interlock import CHARGING, RESTING, WAITING

COUNTED = [c for c in CAUSES if SHUTDOWN[first_bit(c)][ROW_COUNTED]]
NOT_COUNTED = [c for c in CAUSES if not SHUTDOWN[first_bit(c)][ROW_COUNTED]]


def stop_once(rig, cause):
    """Stop a charge by `cause`, which is gone again when S2 is open; return the ms of rest."""
    rig.i.shows_b = False
    rig.i.charger_ma = 0
    spoil(rig.i, cause)
    rig.until(lambda k: not k.s2_close)
    mend(rig.i, cause)
    rig.i.shows_b = True
    return rig.until(lambda k: k.session != RESTING) + 10


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("cause", "rest_ms"),
    [(PILOT_E, 3000), (PILOT_LOST, 3000), (TEMP_HIGH, 10000), (NOT_LOCKED, 5000)],
)
@pytest.mark.parametrize("start_ms", STARTS)
def test_rest_doubles_up_to_sixteenfold(cause, rest_ms, start_ms):
    rig = charging(retries_max=10)
    rig.now_ms = start_ms
    rests = []
    for _ in range(7):
        rests.append(stop_once(rig, cause))
        rig.run()
        assert rig.k.session == CHARGING
    assert rests == [rest_ms << n for n in (0, 1, 2, 3, 4, 4, 4)]


@pytest.mark.no_cover
@pytest.mark.parametrize("retries_max", [0, 1, 5, 10])
def test_retries_end_and_only_an_unplug_helps(retries_max):
    rig = charging(retries_max=retries_max)
    for _ in range(retries_max):
        stop_once(rig, VEHICLE_SILENT)
        rig.run()
        assert rig.k.session == CHARGING, "a retry is left"
    stop_once(rig, VEHICLE_SILENT)
    rig.run(600000)
    assert rig.k.session == WAITING and rig.k.reasons == RETRIES
    rig.unplug().run(3000)
    assert not rig.k.reasons & RETRIES
    rig.plug().run(1000)
    assert rig.k.session == CHARGING


def test_last_stop_still_takes_the_current_away_first():
    """Retries that run out must not turn a stop in good order into one under load."""
    rig = charging(retries_max=0)
    rig.i.charger_ma = 30000
    spoil(rig.i, VEHICLE_SILENT)
    rig.run()
    wait_ms = SHUTDOWN[first_bit(VEHICLE_SILENT)][ROW_WAIT_MS]
    assert rig.until(lambda k: not k.s2_close) + 10 == wait_ms >= 500


@pytest.mark.no_cover
@pytest.mark.parametrize("cause", NOT_COUNTED)
def test_stop_that_is_no_malfunction_is_never_counted(cause):
    rig = charging(retries_max=0)
    first_ms = stop_once(rig, cause)
    for n in range(6):
        rig.run()
        if rig.k.session != CHARGING:
            break
        rest_ms = stop_once(rig, cause)
        assert rest_ms == first_ms or n >= 2
    assert rig.k._stops == 0
    assert not rig.k.reasons & RETRIES


def test_stop_in_good_order_between_malfunctions_rests_its_own_time():
    rig = charging()
    for _ in range(3):
        stop_once(rig, PILOT_E)
        rig.run()
    assert stop_once(rig, PERSON_STOP) == 3000
    rig.run()
    assert stop_once(rig, PILOT_E) == 3000 << 3


def test_each_counted_row_counts():
    assert len(COUNTED) >= 12
    for cause in COUNTED:
        rig = charging()
        stop_once(rig, cause)
        assert rig.k._stops == 1


def test_ten_minutes_of_charging_forgive_the_stops_before():
    """A night has more than one power cut; after a long charge the next one rests as if it were the first."""
    rig = charging()
    assert [stop_once(rig, PILOT_E), rig.run().k.session] == [3000, CHARGING]
    rig.now_ms += 599_000
    rig.run()
    assert stop_once(rig, PILOT_E) == 6000
    rig.run()
    rig.now_ms += 600_000
    rig.run()
    assert stop_once(rig, PILOT_E) == 3000


@pytest.mark.no_cover
@pytest.mark.parametrize("cause", [PILOT_STEADY, BELOW_MINIMUM, VEHICLE_NO])
def test_pauses_that_go_on_and_on_rest_longer_and_never_latch(cause):
    """A vehicle's line or an offer that flaps wears no contactor out."""
    rig = charging()
    rests = []
    for _ in range(9):
        rests.append(stop_once(rig, cause))
        rig.run()
        assert rig.k.session == CHARGING
    base_ms = SHUTDOWN[first_bit(cause)][ROW_REST_MS]
    assert rests == [base_ms << n for n in (0, 0, 0, 1, 2, 3, 4, 4, 4)]


def test_person_may_stop_and_start_as_often_as_wanted():
    rig = charging()
    for _ in range(8):
        assert stop_once(rig, PERSON_STOP) == 3000
        rig.run()
