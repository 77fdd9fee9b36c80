"""The on-board charger and the car's word."""

import pytest
from plant_bench import Bench


def test_charger_obeys_late_and_ramps():
    bench = Bench(
        charger_delay_ms=100, charger_up_a_s=10, charger_down_a_s=50, charger_start_ms=0
    ).plugged()
    bench.commands.s2_close = True
    bench.until(lambda: bench.world.contactor_closed)
    bench.commands.charger_ma = 20_000
    bench.one()
    bench.run(100)
    assert bench.world.charger_ma == 0
    bench.run(1000)
    assert bench.world.charger_ma == pytest.approx(10_000, abs=1)
    bench.run(1000)
    assert bench.readings.charger_ma == 20_000
    bench.commands.charger_ma = 10_000
    bench.one()
    bench.run(200)
    assert bench.world.charger_ma == pytest.approx(15_000, abs=1)
    bench.run(200)
    assert bench.world.charger_ma == 10_000


def test_charger_starts_some_time_after_mains():
    bench = Bench(charger_start_ms=800).plugged()
    bench.commands.s2_close = True
    bench.commands.charger_ma = 16_000
    bench.until(lambda: bench.readings.ac_present)
    assert 790 <= bench.until(lambda: bench.world.charger_ma > 0) <= 820


@pytest.mark.parametrize("ma, drawn", [(5999, 150), (6000, 6000), (0, 150), (40_000, 32_000)])
def test_charger_has_its_own_minimum_maximum_and_idle(ma, drawn):
    bench = Bench(charger_idle_ma=150, evse_max_a=63).charging(10_000)
    bench.commands.charger_ma = ma
    bench.run(5000)
    assert bench.world.charger_ma == drawn


def test_charger_without_a_minimum_stops_at_zero():
    bench = Bench(charger_min_a=0).charging(10_000)
    bench.commands.charger_ma = 0
    bench.run(1000)
    assert bench.world.charger_ma == 0


def test_no_mains_no_current():
    bench = Bench().plugged()
    bench.commands.charger_ma = 16_000
    bench.run(5000)
    assert (bench.world.charger_ma, bench.readings.ac_present) == (0, False)


@pytest.mark.parametrize(
    "state, at_10_a, at_0",
    [("ignores_limit", 32_000, 0), ("stuck", 20_000, 20_000), ("dead", 0, 0), ("ok", 10_000, 0)],
)
def test_charger_faults(state, at_10_a, at_0):
    bench = Bench().charging(20_000)
    bench.world.do("charger", state=state)
    bench.commands.charger_ma = 10_000
    bench.run(5000)
    assert bench.world.charger_ma == at_10_a
    bench.commands.charger_ma = 0
    bench.run(5000)
    assert bench.world.charger_ma == at_0
    bench.world.do("power_cut")
    assert bench.world.charger_ma == 0


def test_charger_verbs_change_maximum_delay_and_senses():
    bench = Bench().charging(20_000)
    bench.world.do("charger_max", a=10)
    bench.run(1000)
    assert bench.world.charger_ma == 10_000
    bench.world.do("charger_delay", time=2000)
    bench.commands.charger_ma = 0
    bench.run(1900)
    assert bench.world.charger_ma == 10_000
    bench.run(400)
    assert bench.world.charger_ma == 0
    bench.world.do("charger_report", state="silent")
    bench.run(20)
    assert (bench.readings.charger_ok, bench.readings.charger_ma) == (False, 0)
    for state, ok, present in (
        ("dead", False, False),
        ("stuck_off", True, False),
        ("stuck_on", True, True),
        ("ok", True, True),
    ):
        bench.world.do("ac_sense", state=state)
        bench.one()
        assert (bench.readings.ac_ok, bench.readings.ac_present) == (ok, present)


def test_car_speaks_every_cycle_and_on_change():
    bench = Bench(vehicle_cycle_ms=100)
    r = bench.readings
    ages = set()
    for _n in range(100):
        bench.one()
        ages.add(r.vehicle_age_ms)
    assert ages == set(range(0, 100, 10))
    assert (r.vehicle_permits, r.vehicle_limit_ma) == (True, 32_000)
    bench.world.advance(bench.world.t_us + 3_000)
    bench.world.do("vehicle_refuse")
    bench.world.do("vehicle_limit", a=10)
    bench.world.advance(bench.world.t_us + 7_000)
    bench.world.sample(r)
    assert (r.vehicle_permits, r.vehicle_limit_ma, r.vehicle_age_ms) == (False, 10_000, 7)
    bench.world.do("vehicle_permit")
    bench.one()
    assert r.vehicle_permits


def test_silent_car_ages_and_tells_nothing_new():
    bench = Bench()
    bench.run(250)
    bench.world.do("vehicle_silent")
    bench.world.do("vehicle_silent")
    bench.world.do("vehicle_refuse")
    bench.run(1000)
    r = bench.readings
    assert (r.vehicle_age_ms, r.vehicle_permits) == (1050, True)
    bench.run(70_000)
    assert r.vehicle_age_ms == 60_000
    bench.world.do("vehicle_back")
    bench.one()
    assert (r.vehicle_age_ms, r.vehicle_permits) == (10, False)
    bench.world.do("vehicle_silent", hold=500)
    bench.run(490)
    assert r.vehicle_age_ms > 400
    bench.run(30)
    assert r.vehicle_age_ms < 100


def test_car_may_start_by_refusing():
    bench = Bench(vehicle_permits="no")
    bench.one()
    assert not bench.readings.vehicle_permits
