"""The EVSE against the timing of IEC 61851-1:2017 Tab A.6, and what it notes as violations."""

import pytest
from plant_bench import Bench


def _codes(bench):
    return [
        text.split(":")[0].removeprefix("EVSE ").removeprefix("lock ")
        for text in bench.world.violations
    ]


def test_session_runs_through_its_states():
    bench = Bench()
    bench.run(100)
    assert bench.world.evse_state == "A"
    bench.world.do("plug")
    bench.run(30)
    assert bench.world.evse_state == "B1"
    bench.run(1000)
    assert (bench.world.evse_state, bench.world.evse_duty_pct_x100) == ("B2", 5333)
    bench.commands.s2_close = True
    bench.run(40)
    assert (bench.world.evse_state, bench.world.contactor_closed) == ("C2", False)
    took_ms = bench.until(lambda: bench.readings.ac_present)
    assert took_ms <= 3000
    bench.commands.s2_close = False
    bench.one()
    assert bench.until(lambda: not bench.world.contactor_closed) <= 100
    bench.world.do("unplug")
    bench.run(30)
    assert bench.world.evse_state == "A"
    assert bench.world.violations == []


@pytest.mark.parametrize("close_ms", [0, 500, 3000])
def test_contactor_closes_after_its_delay(close_ms):
    bench = Bench(evse_close_ms=close_ms).plugged()
    bench.commands.s2_close = True
    bench.one()
    s2_ms = bench.t_ms
    bench.run(3100)
    assert bench.told("contactor closes") == [s2_ms + 20 + close_ms]


def test_s2_opened_under_load_is_a_violation():
    bench = Bench().charging()
    bench.commands.s2_close = False
    bench.commands.charger_ma = 0
    bench.run(200)
    assert _codes(bench) == ["load_s2"]
    assert bench.world.evse.load_openings == 1
    assert bench.told("S2 opens at 31.9 A")


def test_current_first_is_no_violation():
    bench = Bench().charging()
    bench.commands.charger_ma = 0
    bench.until(lambda: bench.readings.charger_ma < 1000)
    bench.commands.s2_close = False
    bench.run(4000)
    assert bench.world.violations == []
    assert bench.world.evse.load_openings == 0


def test_pause_obeyed_in_time_is_no_violation_and_resumes_after_3_s():
    bench = Bench().charging()
    bench.world.do("evse_pause")
    paused_ms = bench.t_ms
    assert (bench.world.evse_state, bench.world.evse_duty_pct_x100) == ("C1", 10_000)
    bench.commands.charger_ma = 0
    bench.run(2800)
    bench.commands.s2_close = False
    bench.world.do("evse_resume")
    bench.run(1500)
    assert (
        bench.told("starts PWM")[-1] == paused_ms + 3800
    )  # resumed at 2.8 s, 1 s to start, over the 3 s hold
    assert bench.world.violations == []


def test_pwm_not_before_3_s_after_a_pause():
    bench = Bench(evse_pwm_start_ms=0).plugged()
    bench.world.do("evse_pause")
    paused_ms = bench.t_ms
    bench.run(100)
    bench.world.do("evse_resume")
    bench.run(4000)
    assert bench.told("starts PWM")[-1] == paused_ms + 3000


def test_ignored_pause_opens_under_load_after_6_s():
    bench = Bench().charging()
    bench.world.do("evse_pause")
    paused_ms = bench.t_ms
    bench.run(7000)
    assert bench.told("EVSE contactor opens") == [paused_ms + 6000]
    assert _codes(bench) == ["x1_current", "load_x1"]


def test_resume_within_the_grace_keeps_the_contactor():
    bench = Bench(evse_x1_open_ms=60_000).charging()
    bench.world.do("evse_pause")
    bench.commands.charger_ma = 0
    bench.run(2000)
    bench.world.do("evse_resume")
    bench.run(10_000)
    assert (bench.world.evse_state, bench.world.contactor_closed) == ("C2", True)
    assert bench.world.violations == []


@pytest.mark.parametrize("state, name", [("e", "E"), ("f", "F")])
def test_error_opens_the_contactor_and_waits_for_recovery(state, name):
    bench = Bench().charging()
    bench.world.do("evse_error", state=state)
    failed_ms = bench.t_ms
    assert bench.world.evse_state == name
    bench.commands.s2_close = False
    bench.commands.charger_ma = 0
    bench.run(5000)
    assert bench.told("contactor opens")[0] == failed_ms + 100
    bench.world.do("evse_recover")
    bench.run(1100)
    assert bench.world.evse_state == "B2"
    assert bench.world.violations == []
    bench.world.do("evse_recover")  # nothing to recover from
    assert bench.world.evse_state == "B2"


@pytest.mark.parametrize(
    "verb, args",
    [("evse_error", {"state": "e"}), ("power_cut", {}), ("cp_wire", {"state": "break"})],
)
def test_s2_left_closed_after_the_pilot_was_lost_is_a_violation(verb, args):
    bench = Bench().charging()
    bench.world.do(verb, **args)
    bench.run(2900)
    assert _codes(bench) == []
    bench.run(200)
    assert _codes(bench) == ["s2_left"]


def test_error_with_hold_recovers_by_itself():
    bench = Bench().plugged()
    bench.world.do("evse_error", state="f", hold=500)
    bench.run(510)
    assert bench.world.evse_state in ("A", "B1")
    bench.run(1100)
    assert bench.world.evse_state == "B2"


@pytest.mark.parametrize(
    "args, ms", [({}, 4000), ({"state": "f"}, 300), ({"state": "e", "time": 50}, 50)]
)
def test_wake_pulse_lasts_its_time(args, ms):
    bench = Bench(evse_auto="no")
    bench.world.do("plug")
    bench.run(100)
    bench.world.do("wake_pulse", **args)
    started_ms = bench.t_ms
    bench.run(5000)
    assert bench.told("recovers") == [started_ms + ms]
    assert bench.world.evse_state == "B1"


def test_power_cut_drops_everything_and_boots_again():
    bench = Bench().charging()
    bench.world.do("power_cut", hold=1000)
    assert (bench.world.evse_state, bench.world.contactor_closed) == ("OFF", False)
    assert bench.world.charger_ma == 0
    bench.run(20)
    assert bench.readings.cp_high_mv == 0
    bench.commands.s2_close = False
    bench.run(2900)
    assert bench.world.evse_state == "OFF"
    bench.run(1200)
    assert bench.world.evse_state == "B2"
    assert bench.world.violations == []  # mains failing under load is nobody's fault


def test_power_back_works_only_without_power():
    bench = Bench().plugged()
    bench.world.do("power_back")
    bench.world.do("power_cut")
    bench.world.do("evse_error", state="f")
    bench.world.do("evse_trip")
    assert bench.world.evse_state == "OFF"
    bench.world.do("power_back")
    bench.run(3200)
    assert bench.world.evse_state == "B2"


def test_car_that_appears_in_c_after_a_reset_is_refused_until_b():
    bench = Bench().charging()
    bench.world.do("power_cut", hold=1000)
    bench.run(8000)
    assert (bench.world.evse_state, bench.world.contactor_closed) == ("C1", False)
    assert "direct_c" in _codes(bench)
    bench.commands.s2_close = False
    bench.run(1100)
    assert bench.world.evse_state == "B2"
    bench.commands.s2_close = True
    bench.run(600)
    assert bench.world.contactor_closed


def test_tolerant_evse_takes_a_car_that_appears_in_c():
    bench = Bench(evse_needs_b="no").charging()
    bench.world.do("power_cut", hold=1000)
    bench.run(8000)
    assert bench.world.contactor_closed
    assert "direct_c" not in _codes(bench)


def test_lower_offer_gives_5_s():
    bench = Bench().charging()
    bench.world.do("evse_offer", a=16)
    bench.run(4700)
    bench.commands.charger_ma = 16_000
    bench.run(10_000)
    assert bench.world.violations == []
    bench.world.do("evse_offer", a=10)
    bench.run(6000)
    assert _codes(bench) == ["over_offer"]
    bench.run(60_000)
    assert _codes(bench) == ["over_offer"]


def test_evse_that_trips_goes_to_f_and_tries_again():
    bench = Bench(evse_trips="yes").charging()
    bench.world.do("evse_offer", a=10)
    bench.until(lambda: bench.world.evse_state == "F", 7000)
    assert not bench.world.contactor_closed
    bench.commands.s2_close = False
    bench.run(11_200)
    assert bench.world.evse_state == "B2"


def test_offer_below_6_a_is_a_pause_until_the_next_offer():
    bench = Bench().plugged()
    bench.world.do("evse_offer", a=5.9)
    assert bench.world.evse_state == "B1"
    bench.world.do("evse_offer", a=10)
    bench.run(4000)
    assert (bench.world.evse_state, bench.world.evse_duty_pct_x100) == ("B2", 1666)
    bench.world.do("evse_pause")
    bench.world.do("evse_offer", a=10)  # paused for another reason: an offer does not end that
    bench.run(5000)
    assert bench.world.evse_state == "B1"


def test_evse_without_power_to_offer_starts_paused():
    bench = Bench(evse_max_a=0)
    bench.world.do("plug")
    bench.run(3000)
    assert bench.world.evse_state == "B1"
    bench.world.do("evse_offer", a=6)
    bench.run(1100)
    assert bench.world.evse_duty_pct_x100 == 1000


@pytest.mark.parametrize(
    "pct, state", [(0, "F"), (100, "B1"), (97.5, "B2"), (2.5, "B2"), (0.005, "B2"), (99.999, "B2")]
)
def test_raw_duty_is_sent_whatever_it_means(pct, state):
    bench = Bench().plugged()
    bench.world.do("evse_duty", pct=pct)
    bench.run(30)
    assert bench.world.evse_state == state
    if state == "B2" and 1 < pct < 99:
        assert bench.periods() == [(round(pct * 100), 10_000)] * 5


def test_digital_offer_closes_no_contactor():
    bench = Bench(evse_digital="yes").plugged()
    assert bench.periods() == [(500, 10_000)] * 5
    bench.commands.s2_close = True
    bench.run(5000)
    assert (bench.world.evse_state, bench.world.contactor_closed) == ("C2", False)
    bench.world.do("evse_offer", a=16)
    bench.run(600)
    assert bench.world.contactor_closed
    bench.world.do("evse_digital")
    bench.run(7000)
    assert not bench.world.contactor_closed


def test_missing_diode_is_found_before_the_contactor_closes():
    bench = Bench(evse_retries=1).plugged()
    bench.world.do("diode", state="short")
    bench.commands.s2_close = True
    bench.run(200)
    assert bench.world.evse_state == "F"
    assert not bench.told("contactor closes")
    bench.commands.s2_close = False
    bench.run(11_200)
    assert bench.world.evse_state == "B2"
    bench.commands.s2_close = True
    bench.run(200)
    bench.commands.s2_close = False
    bench.run(60_000)
    assert bench.world.evse_state == "F", "one retry only"


def test_diode_that_breaks_while_charging_stops_it():
    bench = Bench().charging()
    bench.world.do("diode", state="short")
    assert (bench.world.evse_state, bench.world.contactor_closed) == ("F", False)


def test_pilot_short_is_seen_as_e():
    bench = Bench().charging()
    bench.world.do("cp_wire", state="short")
    bench.run(200)
    assert (bench.world.evse_state, bench.world.contactor_closed) == ("E", False)


@pytest.mark.parametrize("served", ["yes", "no"])
def test_state_d_is_served_only_with_ventilation(served):
    bench = Bench(evse_ventilation=served, ev_s2_ohm=270).plugged()  # 246 ohm in all
    bench.commands.s2_close = True
    bench.run(1000)
    assert bench.world.evse_state == "D2"
    assert bench.world.contactor_closed == (served == "yes")
    assert _codes(bench) == ([] if served == "yes" else ["state_d"])


def test_stuck_contactor_neither_closes_nor_opens():
    bench = Bench().plugged()
    bench.world.do("contactor", state="stuck_open")
    bench.commands.s2_close = True
    bench.run(5000)
    assert not bench.world.contactor_closed
    bench.world.do("contactor", state="stuck_closed")
    bench.commands.s2_close = False
    bench.run(1000)
    assert (bench.world.evse_state, bench.readings.ac_present) == ("B2", True)
    bench.world.do("contactor", state="ok")
    bench.one()
    assert not bench.readings.ac_present


def test_contactor_that_fails_open_under_load_is_counted():
    bench = Bench().charging()
    bench.world.do("contactor", state="stuck_open")
    assert bench.world.evse.load_openings == 1
    assert bench.world.charger_ma == 0


def test_short_dip_of_the_level_is_debounced():
    bench = Bench().charging()
    bench.world.do("cp_wire", state="break", hold=19)
    bench.run(500)
    assert bench.world.contactor_closed
    bench.world.do("cp_wire", state="break", hold=21)
    bench.run(500)
    assert not bench.world.contactor_closed


def test_s2_that_closes_again_in_time_keeps_the_contactor():
    bench = Bench(evse_open_ms=80).charging()
    bench.commands.s2_close = False
    bench.run(50)
    bench.commands.s2_close = True
    bench.run(1000)
    assert bench.world.contactor_closed
