"""Each connector family in the whole step: what it charges, what it refuses, and what it notices."""

import pytest
from test_step import Bench

from connector import C_AC, C_DC, C_DUTY, C_LATCH, C_PP, C_SHARED, CONNECTORS, LATCH_NAMES
from faults import (
    F_FAILED_UNLOCK,
    H_CRASH,
    H_DECOMMISSIONED,
    H_NO_SECTION,
    H_OUT_OF_SERVICE,
    H_RESEAT,
    H_WINDOW,
    HELD,
    INTERLOCKED,
    PILOT_DIGITAL,
    PP_INVALID,
    VEHICLE_NO,
    first_bit,
)
from interlock import CHARGING, RESTING, UNPLUGGED, WAITING
from limits import LIMIT_PERSON, LIMIT_PORT, LIMIT_TEMPERATURE
from pilot.duty import BANDS, GBT, IEC, J1772
from pilot.proximity import CHADEMO, NACS, ROWS, TYPE1, TYPE2
from pilot.proximity import GBT as PP_GBT
from settings import INLETS
from vehicle.light import OUT_OF_SERVICE

# PP in mV at 5 V over 330 ohm beside 2.7 kohm: a latched plug of each family.
PLUGGED_MV = {
    "type1": 1505, "type2": 1907, "gbt": 1907, "nacs": 1505, "ccs1": 1505, "ccs2": 1907,
    "chademo": 1802,
}  # fmt: skip
WITH_AC = [name for name in INLETS if CONNECTORS[INLETS.index(name)][C_AC]]


class Port(Bench):
    """A bench of any inlet."""

    def __init__(self, inlet, **wanted):
        super().__init__(wanted={"inlet": INLETS.index(inlet), "max_current_ma": 32000, **wanted})
        self.pp_mv = PLUGGED_MV[inlet]
        self.has_pilot = inlet != "chademo"

    def sample(self):
        super().sample()
        r = self.r
        if self.is_plugged:
            r.pp_mv = self.pp_mv
            if not self.has_pilot:
                r.pilot_count = 0
                r.pilot_quiet_ms = 1000
                r.cp_high_mv = r.cp_low_mv = 0


def test_every_inlet_has_one_row_of_known_tables():
    assert len(CONNECTORS) == len(INLETS)
    for row in CONNECTORS:
        assert 0 <= row[C_DUTY] < len(BANDS) and 0 <= row[C_PP] < len(ROWS)
        assert 0 <= row[C_LATCH] < len(LATCH_NAMES)
        assert row[C_AC] or row[C_DC]
        assert not row[C_SHARED] or (row[C_AC] and row[C_DC])


def test_each_inlet_has_its_tables_by_their_numbers():
    """Golden: connector.py holds plain numbers, so that the interlock need not know the pilot's room."""
    tables = {name: (row[C_DUTY], row[C_PP]) for name, row in zip(INLETS, CONNECTORS, strict=True)}
    assert tables == {
        "type1": (J1772, TYPE1),
        "type2": (IEC, TYPE2),
        "gbt": (GBT, PP_GBT),
        "nacs": (J1772, NACS),
        "ccs1": (J1772, TYPE1),
        "ccs2": (IEC, TYPE2),
        "chademo": (J1772, CHADEMO),
    }


@pytest.mark.parametrize("inlet", WITH_AC)
def test_each_inlet_with_ac_charges_at_what_the_pilot_offers(inlet):
    port = Port(inlet).charging()
    assert port.c.session == CHARGING and 31000 <= port.c.charger_ma <= 32000
    assert port.c.plug_present and not port.c.dc_session


@pytest.mark.parametrize("inlet", ["ccs1", "ccs2", "nacs"])
def test_dc_is_offered_by_rating_once_the_station_and_the_controller_talk(inlet):
    port = Port(inlet, dc_max_a=250, modem=1)
    port.r.contactors_ok = port.r.contactors_open = True
    assert port.run(1000).c.dc_permitted_ma == 0
    port.charging()
    assert port.c.dc_permitted_ma == 0, "AC flows"
    port.evse_duty = 50
    port.r.modem_age_ms = 0
    port.run(5000)
    assert port.c.dc_permitted_ma == 250000
    port.r.holds = H_WINDOW
    assert port.run(20).c.dc_permitted_ma == 0


@pytest.mark.no_cover
def test_a_hot_contact_lowers_dc_in_the_same_proportion_as_ac():
    port = Port("ccs2", dc_max_a=200, modem=1).charging()
    # NTC 10 k, B 3435 beside 10 kohm: towards 70 C, no faster than a contact can.
    while port.r.temp_mv[0] > 600:
        port.r.temp_mv[0] -= 5
        port.run(1000)
    assert port.c.limiter == LIMIT_TEMPERATURE and 0 < port.c.permitted_ma < 32000
    ac_ma = port.c.permitted_ma
    port.evse_duty = 50
    port.r.modem_age_ms = 0
    port.run(3000)
    assert port.c.dc_permitted_ma == 200 * (ac_ma * 1000 // 32000)


@pytest.mark.parametrize("inlet", ["type1", "type2", "gbt"])
def test_an_inlet_without_dc_permits_none_whatever_is_set(inlet):
    port = Port(inlet, dc_max_a=500).charging()
    assert port.c.dc_permitted_ma == 0


def test_chademo_sees_its_plug_and_refuses_with_the_reason():
    port = Port("chademo").run(1000)
    assert not port.c.plug_present and port.c.drive_allowed
    port.is_plugged = True
    port.run(3000)
    assert port.c.plug_present and not port.c.drive_allowed and port.c.session == WAITING
    assert port.c.reasons & PILOT_DIGITAL and port.c.holds & H_NO_SECTION
    assert not port.c.faults, "a connector without a pilot is not broken"
    port.run(60000)
    assert not port.c.s2_close and port.c.charger_ma == 0
    port.is_plugged = False
    port.run(2000)
    assert port.c.session == UNPLUGGED and port.c.drive_allowed


@pytest.mark.parametrize(
    ("ohm", "reads"),
    [(90, "short"), (160, "gap"), (190, "plugged"), (210, "plugged"), (250, "gap"), (5000, "out")],
)
def test_chademos_proximity_takes_the_200_ohm_of_a_plug_only(ohm, reads):
    port = Port("chademo")
    net = 1 / 330 + 1 / 2700 + 1 / ohm
    port.pp_mv = round(5000 / 330 / net)
    port.is_plugged = True
    port.run(3000)
    pp = port.step.proximity
    assert pp.is_plugged == (reads == "plugged")
    assert pp.is_unplugged == (reads == "out")
    assert bool(port.c.reasons & PP_INVALID) == (reads in ("short", "gap"))


# --------------------------------------------------------------------------------- partial insertion


def test_a_plug_without_pilot_contact_is_to_be_reseated_and_charges_once_it_is():
    port = Port("type2")
    port.run(1000)
    port.is_plugged = True
    port.has_pilot = False
    port.run(4500)
    assert not port.c.holds & H_RESEAT
    port.run(2000)
    assert port.c.holds & H_RESEAT and not port.c.s2_close
    port.has_pilot = True
    port.until(lambda c: c.session == CHARGING)
    assert not port.c.holds & H_RESEAT


def test_a_pilot_without_a_readable_proximity_is_to_be_reseated():
    port = Port("type2").run(1000)
    port.is_plugged = True
    port.pp_mv = 4058  # 3 kohm: names no cable
    port.run(7000)
    assert port.c.holds & H_RESEAT
    port.pp_mv = PLUGGED_MV["type2"]
    port.until(lambda c: c.session == CHARGING)


def test_an_evse_that_pauses_is_not_a_plug_to_be_reseated():
    port = Port("type2").charging()
    port.evse_duty = 0
    port.run(60000)
    assert not port.c.holds & H_RESEAT


# ------------------------------------------------------------------------------------ the car's side


def test_a_persons_limit_counts_and_is_named():
    port = Port("type2").charging()
    port.r.person_limit_ma = 10000
    port.run(20)
    assert port.c.charger_ma == 10000 and port.c.limiter == LIMIT_PERSON


def test_a_port_records_limit_counts_and_is_named():
    port = Port("type2").charging()
    port.r.port_ma = 10000
    port.run(20)
    assert port.c.charger_ma == 10000 and port.c.limiter == LIMIT_PORT
    port.r.port_ma = 5999
    port.run(20)
    assert port.c.charger_ma == 0 and not port.c.session == CHARGING


@pytest.mark.parametrize("hold", [H_OUT_OF_SERVICE, H_DECOMMISSIONED])
def test_a_port_out_of_service_stops_ac_and_one_of_dc_does_not(hold):
    port = Port("ccs2", dc_max_a=200).charging()
    port.r.port_dc_holds = hold
    port.run(100)
    assert port.c.charger_ma and not port.c.holds & hold
    port.r.port_holds = hold
    port.run(20)
    assert port.c.charger_ma == 0 and port.c.reasons & HELD and port.c.holds & hold
    assert port.c.light == OUT_OF_SERVICE
    port.until(lambda c: not c.s2_close)
    port.r.port_holds = 0
    port.until(lambda c: c.session == CHARGING)


@pytest.mark.parametrize("hold", [H_OUT_OF_SERVICE, H_DECOMMISSIONED])
def test_a_dc_port_out_of_service_is_held_where_the_hand_over_would_begin(hold):
    port = Port("ccs2", dc_max_a=200, modem=1)
    port.r.port_holds = hold
    port.r.contactors_ok = port.r.contactors_open = True
    port.evse_duty = 50
    port.is_plugged = True

    def hear():
        port.r.modem_age_ms = 0
        port.r.modem_wants_c = True

    for _ in range(60):
        hear()
        port.run(100)
    # The AC port is none of DC's business.
    assert port.c.dc_permitted_ma == 200000 and not port.c.holds & hold
    port.r.port_dc_ma = 125000
    hear()
    port.run(20)
    assert port.c.dc_permitted_ma == 125000
    port.r.port_dc_holds = hold
    hear()
    port.run(20)
    assert port.c.dc_permitted_ma == 0 and port.c.holds & hold and port.c.reasons & HELD
    for _ in range(60):
        hear()
        port.run(100)
    assert not port.c.s2_close


def test_a_hold_stops_in_good_order_and_charging_begins_again_without_it():
    port = Port("type2").charging()
    port.r.holds = H_WINDOW
    port.run(20)
    assert port.c.charger_ma == 0 and port.c.reasons & HELD and port.c.holds == H_WINDOW
    port.until(lambda c: not c.s2_close)
    port.r.holds = 0
    port.until(lambda c: c.session == CHARGING)


def test_a_crash_opens_s2_at_once_and_stays_for_good():
    port = Port("type2").charging()
    port.r.holds = H_CRASH
    port.run(10)
    assert port.c.session == RESTING and not port.c.s2_close
    port.r.holds = 0
    port.is_plugged = False
    port.run(5000)
    port.is_plugged = True
    port.run(60000)
    assert not port.c.s2_close and port.c.holds & H_CRASH and port.c.reasons & INTERLOCKED


def test_the_cars_wish_to_stop_counts_as_its_no():
    port = Port("type2").charging()
    port.r.car_stop = True
    port.run(20)
    assert port.c.charger_ma == 0 and port.c.reasons & VEHICLE_NO
    assert first_bit(port.c.reasons) == first_bit(VEHICLE_NO)


def test_a_bolt_frozen_shut_is_heated_and_tried_again():
    port = Port("type2", heater=1).charging()
    for n in range(2):
        port.r.temp_mv[n] = 2500  # 31 kohm: below 0 C
    port.r.stop_request = True
    port.until(lambda c: not c.s2_close)
    port.run(70000)
    port.r.unlock_request = True

    def frozen(ms):
        for _ in range(ms // 10):
            port.run()
            port.travel_ms = 300

    frozen(20000)
    assert port.c.faults & F_FAILED_UNLOCK and port.c.wants_heat
    port.r.unlock_request = False
    frozen(90000)
    assert port.c.wants_heat
    while port.c.wants_heat:
        frozen(10)
    port.run(20000)
    assert port.travel_ms == 0 and not port.c.faults & F_FAILED_UNLOCK
