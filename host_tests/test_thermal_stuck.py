"""thermal.port: a sensor that does not move although current flows, and the many that rightly do not."""

import pytest
from test_thermal_port import OPEN_MV, STARTS, TWO_NTC, Bench

from faults import F_TEMP_STUCK, FAULT_CLEARS, FAULTS, UNPLUG, first_bit
from thermal.params import NTC, PT1000, ChannelParams
from ticks import ticks_add


def fast(bench, seconds, charger_ma=None, warm=(0.0, 0.0), per_s=4):
    """Run seconds with few passes each, every one with fresh conversions."""
    if charger_ma is not None:
        bench.readings.charger_ma = charger_ma
    skip_ms = 1000 // per_s - 10
    for _ in range(seconds):
        for n in (0, 1):
            bench.c[n] += warm[n]
        for _ in range(per_s):
            bench.elapsed_ms += skip_ms
            bench.now_ms = ticks_add(bench.now_ms, skip_ms)
            for n in (0, 1):
                bench._convert(n)
            bench.step()
    return bench


def stuck_bench(start_ms=0, **limits):
    """Two contacts at 30 C that were seen at rest."""
    bench = Bench(TWO_NTC, start_ms, **limits).at(30.0, 30.0)
    return fast(bench, 5, 0)


@STARTS
def test_sensor_that_does_not_move_in_10_min_of_10_a_is_stuck(start_ms):
    bench = stuck_bench(start_ms)
    fast(bench, 590, 10_000, warm=(0.002, 0.0))
    assert bench.port.faults == 0
    fast(bench, 12)
    assert bench.port.faults == F_TEMP_STUCK
    assert list(bench.port.channel_faults) == [0, F_TEMP_STUCK, 0, 0]
    assert bench.port.limit_ma == 0


@pytest.mark.parametrize(("charger_ma", "fault"), [(9_999, 0), (10_000, F_TEMP_STUCK)])
def test_less_current_than_10_a_asks_for_no_movement(charger_ma, fault):
    bench = stuck_bench()
    fast(bench, 700, charger_ma, warm=(0.002, 0.0))
    assert bench.port.faults == fault


@pytest.mark.parametrize(("k", "fault"), [(0.15, F_TEMP_STUCK), (0.4, 0), (-0.4, 0)])
def test_movement_of_a_fifth_of_a_kelvin_proves_a_sensor(k, fault):
    bench = stuck_bench()
    fast(bench, 605, 16_000, warm=(k / 600, 0.01))
    assert bench.port.faults == fault


def test_stuck_sensor_clears_when_unplugged_and_is_asked_again():
    assert FAULTS[first_bit(F_TEMP_STUCK)][FAULT_CLEARS] == UNPLUG
    bench = stuck_bench()
    fast(bench, 605, 16_000, warm=(0.01, 0.0))
    assert bench.port.faults == F_TEMP_STUCK
    fast(bench, 60, 0)
    assert bench.port.faults == F_TEMP_STUCK
    bench.unplug()
    assert bench.port.faults == 0
    fast(bench, 590, 16_000, warm=(0.01, 0.0))
    assert bench.port.faults == 0
    fast(bench, 15)
    assert bench.port.faults == F_TEMP_STUCK


def test_contact_that_has_settled_is_not_asked_again_by_a_short_pause():
    bench = stuck_bench()
    fast(bench, 605, 16_000, warm=(0.01, 0.01))
    fast(bench, 1190, 0)
    fast(bench, 610, 16_000)
    assert bench.port.faults == 0


def test_good_contact_beside_one_that_wears_out_later_is_not_stuck():
    """Settled, it does not move while its neighbour heats up."""
    bench = stuck_bench()
    fast(bench, 605, 32_000, warm=(0.01, 0.01))
    fast(bench, 700, warm=(0.01, 0.0))
    assert bench.port.faults == 0


def test_long_pause_asks_again():
    bench = stuck_bench()
    fast(bench, 605, 16_000, warm=(0.01, 0.01))
    fast(bench, 1205, 0, warm=(-0.004, -0.004))
    fast(bench, 605, 16_000, warm=(0.01, 0.0))
    assert bench.port.faults == F_TEMP_STUCK


def test_small_current_first_counts_as_part_of_the_warm_up():
    """6 A warm it, then 10 A add too little to see."""
    bench = stuck_bench()
    fast(bench, 300, 6_000, warm=(0.002, 0.002))
    fast(bench, 605, 10_000)
    assert bench.port.faults == 0


def test_pauses_within_the_test_do_not_restart_it():
    bench = stuck_bench()
    for _ in range(3):
        fast(bench, 210, 16_000, warm=(0.01, 0.0))
        fast(bench, 100, 0)
    assert bench.port.faults == F_TEMP_STUCK


def test_unknown_current_in_a_parked_car_makes_no_stuck_sensor():
    bench = stuck_bench()
    bench.readings.charger_ok = False
    fast(bench, 1300)
    bench.readings.ac_ok = True
    fast(bench, 700)
    assert bench.port.faults == 0


def test_unknown_current_with_mains_seen_counts_as_flowing():
    bench = stuck_bench()
    bench.readings.charger_ok = False
    bench.readings.ac_ok = bench.readings.ac_present = True
    fast(bench, 605, warm=(0.002, 0.0))
    assert bench.port.faults == F_TEMP_STUCK


def test_unknown_current_with_another_contact_warming_counts_as_flowing():
    bench = stuck_bench()
    bench.readings.charger_ok = False
    fast(bench, 550, warm=(0.01, 0.0))
    fast(bench, 500)
    assert bench.port.faults == 0
    fast(bench, 100)
    assert bench.port.faults == F_TEMP_STUCK


def test_unknown_current_while_unplugged_does_not_flow():
    bench = stuck_bench()
    bench.readings.charger_ok = False
    bench.readings.ac_ok = bench.readings.ac_present = bench.is_unplugged = True
    fast(bench, 700)
    assert bench.port.faults == 0


def test_sensor_won_back_within_the_test_is_left_alone():
    bench = stuck_bench()
    fast(bench, 300, 16_000, warm=(0.01, 0.01))
    bench.mv[1] = OPEN_MV
    fast(bench, 5)
    bench.mv[1] = None
    fast(bench, 305, warm=(0.01, 0.0))
    assert bench.port.faults == 0


def test_housing_sensor_need_not_move():
    channels = (ChannelParams(NTC), ChannelParams(NTC, is_contact=False))
    bench = Bench(channels).at(30.0, 30.0)
    fast(bench, 700, 16_000, warm=(0.01, 0.0))
    assert bench.port.faults == 0


@pytest.mark.parametrize("kind", [NTC, PT1000])
def test_noise_of_2_mv_does_not_make_a_stuck_sensor_move(kind):
    bench = Bench((ChannelParams(kind, pullup_ohm=10000 if kind == NTC else 1000),) * 2)
    bench.noise_mv = 2
    bench.at(30.0, 30.0)
    fast(bench, 60, 0, per_s=10)
    fast(bench, 610, 16_000, warm=(0.01, 0.0), per_s=10)
    assert bench.port.faults == F_TEMP_STUCK
    assert bench.port.channel_faults[1] == F_TEMP_STUCK


@pytest.mark.parametrize(("moved", "fault"), [(2047, F_TEMP_STUCK), (2048, 0), (2049, 0)])
def test_movement_to_the_digit(moved, fault):
    """0.2 K are 2048 of 1/1024 of 0.1 K."""
    bench = stuck_bench()
    fast(bench, 590, 16_000, warm=(0.01, 0.0))
    watched = bench.port._channels[1]
    watched.high = watched.low + moved
    fast(bench, 20)
    assert bench.port.faults == fault
