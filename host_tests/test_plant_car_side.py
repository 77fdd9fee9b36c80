"""The car around the inlet: discrete wires, safety chain, DC pins, communication controller, heater, door, battery, clock."""

import pytest
from plant_bench import Bench

from inletctl.plant.lines import INPUTS, OUTPUTS

ALL_GOOD = {"permit", "hvil", "insulation", "crash", "parked"}


def inputs(bench):
    return {name for n, name in enumerate(INPUTS) if bench.world.lines.inputs >> n & 1}


def bit(*names):
    return sum(1 << OUTPUTS.index(name) for name in names)


def codes(bench):
    return [text.split(":")[0] for text in bench.world.violations]


# --------------------------------------------------------------------------------------------- wires


def test_every_line_of_a_healthy_car_reads_good():
    assert inputs(Bench()) == ALL_GOOD


@pytest.mark.parametrize("name", sorted(ALL_GOOD))
def test_a_broken_wire_reads_as_the_danger_and_mends(name):
    bench = Bench()
    bench.world.do("line", name=name, state="break", hold=100)
    assert inputs(bench) == ALL_GOOD - {name}
    bench.run(150)
    assert inputs(bench) == ALL_GOOD


@pytest.mark.parametrize(
    "name, verb, args",
    [
        ("permit", "vehicle_refuse", {}),
        ("permit", "vehicle_silent", {}),
        ("hvil", "hvil", {"state": "open"}),
        ("insulation", "insulation", {"state": "fault"}),
        ("crash", "crash", {}),
        ("parked", "gear", {"gear": "drive"}),
    ],
)
def test_a_line_tells_what_happens_unless_it_is_stuck(name, verb, args):
    bench = Bench()
    bench.world.do(verb, **args)
    assert inputs(bench) == ALL_GOOD - {name}
    bench.world.do("line", name=name, state="stuck")
    assert inputs(bench) == ALL_GOOD


def test_a_dead_chip_tells_nothing():
    bench = Bench()
    bench.world.do("line_chip", state="dead", hold=50)
    rx = [9, 9]
    bench.world.lines.tell(rx, 0)
    assert rx == [0, 0]
    bench.run(60)
    bench.world.lines.tell(rx, 0)
    assert rx == [1, bench.world.lines.inputs]


# ---------------------------------------------------------------------------------------- violations


def test_driving_allowed_with_the_plug_in_is_noted_after_50_ms():
    bench = Bench()
    bench.commands.drive_allowed = True
    bench.run(500)
    bench.world.do("plug")
    bench.run(40)
    assert codes(bench) == []
    bench.run(20)
    assert codes(bench) == ["drive_plugged"]


def test_driving_forbidden_in_time_or_allowed_after_the_plug_is_out_is_right():
    bench = Bench()
    bench.commands.drive_allowed = True
    bench.run(100)
    bench.world.do("plug")
    bench.run(30)
    bench.commands.drive_allowed = False
    bench.run(1000)
    bench.world.do("unplug")
    bench.commands.drive_allowed = True
    bench.run(1000)
    assert codes(bench) == []


@pytest.mark.parametrize("verb, args", [("hvil", {"state": "open"}), ("crash", {})])
def test_s2_that_stays_closed_with_the_chain_open_is_noted_and_opened_in_time_is_not(verb, args):
    late, quick = Bench().charging(), Bench().charging()
    for bench in (late, quick):
        bench.world.do(verb, **args)
        bench.run(50)
    quick.commands.s2_close = False
    for bench in (late, quick):
        bench.run(100)
    assert codes(late) == ["s2_interlock"]
    assert "s2_interlock" not in codes(quick)


def test_s2_that_closes_onto_an_open_chain_is_noted():
    bench = Bench().plugged()
    bench.world.do("hvil", state="open")
    bench.run(1000)
    bench.commands.s2_close = True
    bench.run(150)
    assert codes(bench) == ["s2_interlock"]


@pytest.mark.parametrize(
    "verb, args",
    [
        ("dc_voltage", {"v": 60}),
        ("dc_current", {"a": 1}),
        ("dc_contactors", {"state": "closed"}),
    ],
)
@pytest.mark.parametrize("inlet, is_noted", [("ccs2", True), ("nacs", True), ("type2", False)])
def test_a_bolt_driven_out_of_live_dc_pins_is_noted(verb, args, inlet, is_noted):
    bench = Bench(inlet=inlet, start_plugged="yes", lock_start_pct=100)
    bench.world.do(verb, **args)
    bench.commands.lock_drive = -1
    bench.run(400)
    assert not bench.world.lock.holds
    assert codes(bench) == (["lock_dc"] if is_noted else [])


def test_a_bolt_driven_out_below_60_v_is_right_and_a_hand_at_the_release_is_nobodys_fault():
    calm = Bench(inlet="ccs2", start_plugged="yes", lock_start_pct=100)
    calm.world.do("dc_voltage", v=59)
    calm.commands.lock_drive = -1
    calm.run(400)
    assert codes(calm) == []
    hand = Bench(inlet="ccs2", start_plugged="yes", lock_start_pct=100)
    hand.world.do("dc_voltage", v=400)
    hand.world.do("manual_release")
    hand.run(100)
    assert codes(hand) == []


# ------------------------------------------------------------------------------------------------ DC


def test_dc_voltage_moves_with_its_time_constant():
    bench = Bench(inlet="ccs2")
    bench.world.do("dc_voltage", v=400)
    assert bench.world.dc_mv == 400_000
    bench.world.do("dc_voltage", v=0, tau=1000)
    bench.run(1000)
    assert bench.world.dc_mv == pytest.approx(400_000 * 0.3679, abs=200)
    bench.run(10_000)
    assert bench.world.dc_mv < 100


def test_contactor_switches_tell_the_truth_or_stick():
    bench = Bench()
    dc = bench.world.dc
    assert dc.told_open
    bench.world.do("dc_contactors", state="closed")
    assert not dc.told_open
    bench.world.do("dc_report", state="open")
    assert dc.told_open
    bench.world.do("dc_report", state="closed")
    bench.world.do("dc_contactors", state="open")
    assert not dc.told_open


def test_dc_current_heats_the_dc_contacts_only():
    bench = Bench(inlet="ccs2")
    bench.world.do("dc_current", a=200)
    bench.run(60_000)
    ac_l, ac_n, dc_p, dc_n = bench.world.contact_decic
    assert ac_l == ac_n == 200
    assert dc_p == dc_n > 250


def test_a_whole_dc_session_runs_through_its_stages_and_waits_for_s2():
    bench = Bench(inlet="ccs2", modem="yes", evse_digital="yes")
    bench.plugged(cable_a=13)
    world = bench.world
    world.do("modem_start", v=400, a=100)
    bench.run(3000)
    assert (world.modem_stage, world.modem.wants_c, world.dc_mv) == ("waiting", True, 0)
    bench.commands.s2_close = True
    bench.until(lambda: world.dc_ma == 100_000)
    assert world.dc_contactors_closed
    assert world.dc_mv == pytest.approx(400_000, rel=0.01)
    assert not world.modem.permits_unlock
    world.do("modem_stop")
    bench.run(2000)
    assert (world.dc_ma, world.modem.wants_c, world.dc_contactors_closed) == (0, False, True)
    bench.commands.s2_close = False
    bench.until(lambda: not world.dc_contactors_closed)
    assert not world.modem.permits_unlock
    bench.until(lambda: world.modem.permits_unlock)
    assert world.dc_mv < 60_000


def test_a_dc_session_whose_s2_opens_by_itself_stops():
    bench = Bench(inlet="ccs2", modem="yes", evse_digital="yes").plugged(cable_a=13)
    bench.world.do("modem_start")
    bench.commands.s2_close = True
    bench.until(lambda: bench.world.modem_stage == "charging")
    bench.run(1000)
    bench.commands.s2_close = False
    bench.until(lambda: bench.world.modem_stage == "idle")
    assert bench.world.dc_mv < 60_000


# -------------------------------------------------------------------------------------- port and lock


def test_the_heater_warms_the_port_and_lets_it_cool():
    bench = Bench(ambient_c=-10, heater_k=30, heater_tau_ms=20_000)
    bench.world.lines.obey(bit("heater"))
    bench.run(1_200_000)
    assert bench.world.heater_on
    warm = bench.world.contact_decic[0]
    assert warm > 100
    bench.world.lines.obey(0)
    bench.run(1_800_000)
    assert not bench.world.heater_on
    assert bench.world.contact_decic[0] < -80


@pytest.mark.parametrize(
    "state, told, is_on", [("dead", "heater", False), ("stuck_on", None, True)]
)
def test_a_broken_heater_does_as_it_likes(state, told, is_on):
    bench = Bench()
    bench.world.do("heater", state=state)
    bench.world.lines.obey(bit(told) if told else 0)
    assert bench.world.heater_on is is_on


def test_a_frozen_lock_moves_only_once_it_is_warm():
    bench = Bench(ambient_c=-10, heater_k=40, heater_tau_ms=20_000)
    bench.world.do("lock_motor", state="frozen", thaws_at=5)
    bench.commands.lock_drive = 1
    bench.run(1500)
    assert bench.world.lock_travel_pct == 0
    assert bench.readings.lock_motor_ma == 2400
    bench.commands.lock_drive = 0
    bench.world.lines.obey(bit("heater"))
    bench.until(lambda: bench.world.contact_decic[0] > 50, 600_000)
    bench.commands.lock_drive = 1
    bench.run(400)
    assert bench.world.lock_travel_pct == 100


def test_the_door_runs_from_switch_to_switch_and_stands_in_the_way_of_a_plug():
    bench = Bench(door="yes", door_ms=1000)
    assert inputs(bench) == ALL_GOOD | {"door_closed"}
    assert "door is in the way" in bench.world.do("plug")
    bench.world.lines.obey(bit("open_door"))
    bench.run(500)
    assert (bench.world.door_place, inputs(bench)) == ("between", ALL_GOOD)
    bench.run(600)
    bench.world.lines.obey(0)
    bench.run(1000)
    assert (bench.world.door_place, inputs(bench)) == ("open", ALL_GOOD | {"door_open"})
    assert bench.world.do("plug") is None


@pytest.mark.parametrize("state", ["jam", "dead"])
def test_a_door_that_cannot_move_stays_until_a_hand_moves_it(state):
    bench = Bench(door="yes", door_ms=1000)
    bench.world.lines.obey(bit("open_door"))
    bench.run(300)
    bench.world.do("door_motor", state=state)
    bench.run(5000)
    assert bench.world.door_place == "between"
    bench.world.do("move_door", to="open")
    assert bench.world.door_place == "open"


def test_without_a_door_nothing_is_in_the_way_and_no_switch_is_there():
    bench = Bench()
    bench.world.do("door_motor", state="jam")
    bench.world.lines.obey(bit("close_door"))
    bench.run(5000)
    assert bench.world.door_place == "open"
    assert not inputs(bench) & {"door_open", "door_closed"}


# -------------------------------------------------------------------------------- battery, clock, hand


def test_state_of_charge_rises_with_the_energy():
    bench = Bench(can="native", soc_pct=50, battery_kwh=1, phases=3).charging(10_000)
    start = bench.world.soc_pct
    bench.run(60_000)
    kwh = 3 * 230 * 10 * 60 / 3.6e6
    assert bench.world.soc_pct - start == pytest.approx(kwh * 100, rel=0.03)
    bench.world.do("soc", pct=99.9)
    bench.run(60_000)
    assert bench.world.soc_pct == 100


def test_the_clock_goes_over_the_end_of_the_week_and_may_be_lost_and_set():
    bench = Bench(clock_day="sun", clock_time=1439)
    assert bench.world.calendar.minute == 10_079
    bench.run(60_000)
    assert bench.world.calendar.minute == 0
    bench.world.do("clock_lost")
    assert not bench.world.calendar.is_known
    bench.world.do("clock", day="wed", time=5)
    bench.run(60_000)
    assert (bench.world.calendar.is_known, bench.world.calendar.minute) == (True, 2 * 1440 + 6)


def test_unlock_presses_come_one_by_one():
    bench = Bench()
    bench.world.do("unlock_presses", times=3, press=100, gap=200)
    seen = []
    for _ in range(100):
        bench.one()
        seen.append(bench.readings.unlock_request)
    rises = sum(b and not a for a, b in zip([False, *seen], seen))
    assert rises == 3
    assert sum(seen) == pytest.approx(30, abs=3)
    assert not seen[-1]


def test_a_car_on_can_leaves_demand_line_and_current_sense_unused():
    bench = Bench(can="native").charging(10_000)
    readings = bench.readings
    assert (readings.vehicle_age_ms, readings.vehicle_permits, readings.charger_ok) == (
        60_000,
        False,
        False,
    )
    assert Bench(can="cpc").charging(10_000).readings.charger_ok


@pytest.mark.parametrize(
    "inlet, cable, mv",
    [("ccs1", None, 1505), ("ccs2", 13, 3725), ("ccs2", 32, 1907), ("chademo", None, 1803)],
)
def test_plugs_of_the_dc_families_show_their_coding(inlet, cable, mv):
    bench = Bench(inlet=inlet)
    bench.world.do("plug", cable_a=cable)
    bench.run(20)
    assert bench.readings.pp_mv == pytest.approx(mv, abs=1)
    assert (bench.readings.cp_high_mv == 0) is (inlet == "chademo")
