"""Contacts heat as I2R says; sensors tell of it, or fail in every way they can."""

from math import exp

import pytest
from plant_bench import Bench


def _ohm(bench, channel, pullup_ohm=10_000):
    mv = bench.readings.temp_mv[channel]
    return pullup_ohm * mv / (3300 - mv)


def test_contact_warms_to_the_steady_state_of_i2r():
    """32 A in 3 milliohm is 3.07 W; at 30 K/W that is 92.2 K above ambient."""
    bench = Bench(charger_up_a_s=10_000, pass_us=100_000).charging(31_900)
    bench.world.do("wear", contact="ac_l", milliohm=3)
    bench.run(3_000_000)  # ten time constants
    rise_k = 31.9**2 * 0.003 * 30
    assert bench.world.contact_decic[0] == pytest.approx(10 * (20 + rise_k), abs=1)
    assert bench.world.contact_decic[1] == pytest.approx(
        10 * (20 + rise_k / 6), abs=1
    )  # 0.5 milliohm
    assert bench.world.contact_decic[2:] == [200, 200]


def test_contact_warms_with_its_time_constant():
    """30 K/W times 10 J/K is 300 s: 63.2 % of the rise after that time."""
    bench = Bench(charger_up_a_s=10_000, contact_milliohm=0, pass_us=100_000).charging(31_900)
    bench.world.do("wear", contact="ac_l", milliohm=3)
    for seconds in (60, 300, 600):
        bench.world.do("heat", contact="all", c=20)
        bench.run(seconds * 1000)
        want_k = 31.9**2 * 0.003 * 30 * (1 - exp(-seconds / 300))
        assert bench.world.contact_decic[0] == pytest.approx(10 * (20 + want_k), abs=2)


def test_ramp_is_integrated_as_its_mean_square():
    bench = Bench(charger_up_a_s=100).charging(30_000)
    charger = bench.world.charger
    charger.take_mean_a2()
    bench.commands.charger_ma = 10_000
    bench.run(300)  # 100 ms delay at 30 A, then 30 to 10 A in 200 ms: mean square 433.3
    assert charger.ma == pytest.approx(10_000, abs=1100)
    bench.run(100)
    bench.world.charger.run(bench.world.t_us)
    assert charger.ma == 10_000


def test_mean_square_of_a_straight_ramp_is_exact():
    bench = Bench(charger_up_a_s=10, charger_start_ms=0, charger_delay_ms=0).plugged()
    bench.commands.s2_close = True
    bench.commands.charger_ma = 30_000
    bench.until(lambda: bench.world.contactor_closed)
    charger = bench.world.charger
    charger.ma, charger._a2_us, charger._taken_us = 0.0, 0.0, bench.world.t_us
    charger._run_us = bench.world.t_us
    charger.run(bench.world.t_us + 3_000_000)
    assert charger._a2_us / 3e6 == pytest.approx(30 * 30 / 3)


def test_contact_cools_to_a_new_ambient():
    bench = Bench(pass_us=100_000)
    bench.world.do("ambient", c=50)
    bench.run(300_000)
    assert bench.world.contact_decic[0] == pytest.approx(10 * (20 + 30 * 0.632), abs=1)


def test_sensor_follows_with_its_lag():
    bench = Bench(sensor_lag_ms=15_000, contact_j_per_k=1000, pass_us=100_000)
    bench.world.contacts.c[0] = 60.0  # the contact only; it hardly cools in 15 s
    bench.run(15_000)
    assert bench.world.contacts.sensor_c[0] == pytest.approx(20 + 40 * 0.632, abs=0.3)


def test_sensor_without_lag_has_the_mean_of_the_step():
    bench = Bench(sensor_lag_ms=0)
    bench.world.do("heat", contact="ac_l", c=80)
    bench.run(100)
    assert bench.world.contacts.sensor_c[0] == pytest.approx(80, abs=0.05)


@pytest.mark.parametrize("c, ohm", [(-20, 77_500), (25, 10_000), (90, 1272)])
def test_ntc_is_read_through_its_divider(c, ohm):
    bench = Bench(ambient_c=20)
    bench.world.do("ambient", c=max(c, -40) if c < 85 else 85)
    bench.world.do("heat", contact="ac_l", c=c)
    bench.run(100)
    bench.world.do("heat", contact="ac_l", c=c)
    bench.run(100)
    assert _ohm(bench, 0) == pytest.approx(ohm, rel=0.02)


def test_pt1000_is_read_through_its_divider():
    bench = Bench(sensor_dc_p="pt1000", sensor_ac_l="none", ambient_c=60)
    bench.run(400)
    assert list(bench.readings.temp_ok) == [0, 1, 1, 0]
    assert _ohm(bench, 2, 1000) == pytest.approx(1232.4, abs=2)
    assert bench.readings.temp_mv[0] == 0


def test_one_channel_is_converted_each_100_ms():
    bench = Bench(sensor_dc_p="ntc", sensor_dc_n="ntc")
    bench.run(1000)
    ages = []
    for _n in range(4):
        bench.run(100)
        ages.append(list(bench.readings.temp_age_ms))
    assert all(sorted(row) == [0, 100, 200, 300] for row in ages)
    bench.run(70)
    assert sorted(bench.readings.temp_age_ms) == [70, 170, 270, 370]


def test_inlet_without_sensors_converts_nothing():
    bench = Bench(sensor_ac_l="none", sensor_ac_n="none")
    bench.run(300)
    assert list(bench.readings.temp_ok) == [0, 0, 0, 0]


def _broken(bench, ms=1000, **args):
    bench.run(500)
    bench.world.do("sensor", contact="ac_l", **args)
    bench.run(ms)
    return bench.readings


@pytest.mark.parametrize("state, mv", [("open", 3300), ("short", 0)])
def test_broken_wire_reads_a_rail(state, mv):
    r = _broken(Bench(), state=state)
    assert (r.temp_ok[0], r.temp_mv[0]) == (1, mv)
    assert r.temp_mv[1] == pytest.approx(1812, abs=2)


def test_stuck_sensor_keeps_its_value():
    bench = Bench()
    r = _broken(bench, state="stuck")
    before = r.temp_mv[0]
    bench.world.do("heat", contact="all", c=80)
    bench.run(500)
    assert r.temp_mv[0] == before
    assert r.temp_mv[1] < before - 500


def test_stale_sensor_ages_and_dead_one_says_so():
    r = _broken(Bench(), state="stale", ms=61_000)
    assert (r.temp_ok[0], r.temp_age_ms[0]) == (1, 60_000)
    assert r.temp_age_ms[1] <= 200
    assert _broken(Bench(), state="dead").temp_ok[0] == 0


def test_drift_and_offset_move_the_reading():
    """20 C is 12 170 ohm, 30 C is 8270 (B 3435): by hand from the formula."""
    drifting = Bench()
    _broken(drifting, state="drift", rate=1, ms=10_000)
    assert _ohm(drifting, 0) == pytest.approx(8270, rel=0.01)
    off = Bench()
    _broken(off, state="offset", by=10)
    assert _ohm(off, 0) == pytest.approx(8270, rel=0.005)
    off.world.do("sensor", contact="all", state="ok")
    off.run(300)
    assert _ohm(off, 0) == pytest.approx(12_170, rel=0.005)


def test_noise_stays_in_its_bounds():
    bench = Bench()
    bench.world.do("sensor", contact="ac_l", state="noise", by=5)
    seen = set()
    for _n in range(100):
        bench.run(200)
        seen.add(bench.readings.temp_mv[0])
    assert len(seen) > 50
    assert 1600 < min(seen) < max(seen) < 2010


def test_spike_is_one_conversion():
    bench = Bench()
    bench.run(1000)
    good = bench.readings.temp_mv[0]
    bench.world.do("sensor_spike", contact="ac_l", c=150)
    seen = []
    for _n in range(10):
        bench.run(100)
        seen.append(bench.readings.temp_mv[0])
    assert len([mv for mv in seen if mv != good]) == 2  # 200 ms with two channels in turn
    assert min(seen) < 150
