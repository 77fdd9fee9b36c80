"""thermal.channel: bad samples, broken sensors, jumps; how each is found and how it clears."""

import pytest
from test_thermal_port import OPEN_MV, PERIODS, SHORT_MV, STARTS, TWO_NTC, Bench, has

from faults import (
    F_TEMP_OPEN,
    F_TEMP_RISE,
    F_TEMP_SHORT,
    F_TEMP_STALE,
    FAULT_CLEARS,
    FAULTS,
    SELF,
    UNPLUG,
    first_bit,
)
from thermal.params import NTC, PT1000, ChannelParams
from ticks import ticks_add

# ----------------------------------------------------------------------------------- bad samples


@pytest.mark.no_cover
@PERIODS
@pytest.mark.parametrize("bad_mv", [OPEN_MV, SHORT_MV, 150, 300, 3200])
def test_single_bad_samples_change_nothing(every_ms, bad_mv):
    """One in ten, for a minute, whatever it reads: 120 C, 97 C, -42 C, open, short."""
    bench = Bench(TWO_NTC, 0, every_ms).at(45.0, 45.0)
    before = bench.port.decic[0], bench.port.limit_ma
    apart_ms = 10 * max(every_ms, 120)
    for _ in range(60_000 // apart_ms):
        bench.mv[0] = bad_mv
        bench.run(every_ms)
        bench.mv[0] = None
        bench.run(apart_ms - every_ms)
        assert bench.port.faults == 0
    assert (bench.port.decic[0], bench.port.limit_ma) == before
    assert set(bench.limits_ma[100:]) == {32000}


def test_burst_shorter_than_the_spacing_of_samples_is_one_sample():
    """A driver that converts every pass must not let 60 ms of noise fill the median."""
    bench = Bench(TWO_NTC, 0, 10).at(85.0, 85.0)
    for _ in range(50):
        bench.mv[0] = 300
        bench.run(60)
        bench.mv[0] = None
        bench.run(940)
    assert bench.port.faults == 0
    assert 16000 <= min(bench.limits_ma[100:])


def test_disturbance_of_a_second_is_no_jump_neither_up_nor_down():
    bench = Bench().at(45.0, 45.0)
    for other_c in (70.0, 25.0) * 10:
        bench.c[0] = other_c
        bench.run(700)
        bench.c[0] = 45.0
        bench.run(13_300)
    assert bench.port.faults == 0


def test_noise_of_2_mv_on_pt1000_moves_the_limit_hardly():
    """+-0.9 K at 1 kohm: the limit may find its lowest value, but it never comes back up."""
    bench = Bench((ChannelParams(PT1000, pullup_ohm=1000),) * 2)
    bench.noise_mv = 2
    bench.at(70.0, 70.0).run(60_000)
    seen = [ma for ma in bench.limits_ma if ma]
    assert max(abs(bench.port.decic[n] - 700) for n in (0, 1)) <= 12
    after = seen[500:]
    assert after == sorted(after, reverse=True)
    assert after[0] - after[-1] <= 640


# ---------------------------------------------------------------------------- open, short, stale

BREAKS = [
    (F_TEMP_OPEN, lambda bench: bench.mv.__setitem__(0, OPEN_MV)),
    (F_TEMP_SHORT, lambda bench: bench.mv.__setitem__(0, SHORT_MV)),
    (F_TEMP_STALE, lambda bench: bench.is_frozen.__setitem__(0, True)),
]
BROKEN = pytest.mark.parametrize(("fault", "break_it"), BREAKS, ids=["open", "short", "stale"])


@STARTS
@PERIODS
@BROKEN
def test_broken_sensor_is_found_after_1_s_and_within_1200_ms(start_ms, every_ms, fault, break_it):
    """temp_sensor: current 0 within 1200 ms. The last value is held until then."""
    for phase_ms in range(0, max(every_ms, 100), 60):
        bench = Bench(TWO_NTC, start_ms, every_ms).at(45.0, 40.0)
        bench.run(phase_ms)
        break_it(bench)
        bench.run(1000 - max(every_ms, 130))
        assert bench.port.faults == 0
        assert bench.port.limit_ma == 32000
        assert abs(bench.port.decic[0] - 450) <= 3
        taken_ms = 1000 - max(every_ms, 130) + bench.until(has(fault), 1200)
        assert taken_ms <= 1050
        assert bench.port.faults == bench.port.channel_faults[0] == fault
        assert bench.port.channel_faults[1] == 0
        assert bench.port.limit_ma == 0


@STARTS
@BROKEN
def test_broken_sensor_that_reads_again_is_believed_after_4_s(start_ms, fault, break_it):
    assert FAULTS[first_bit(fault)][FAULT_CLEARS] == SELF
    bench = Bench(TWO_NTC, start_ms).at(45.0, 40.0)
    break_it(bench)
    bench.run(2000)
    bench.mv[0], bench.is_frozen[0] = None, False
    bench.c[0] = 20.0
    bench.run(3900)
    assert bench.port.faults == fault
    assert bench.port.limit_ma == 0
    bench.run(600)
    assert bench.port.faults == 0
    assert bench.port.limit_ma == 32000
    assert abs(bench.port.decic[0] - 200) <= 3


@BROKEN
def test_broken_sensor_never_reads_cold_while_it_breaks(fault, break_it):
    bench = Bench().at(75.0, 30.0)
    limit_ma = bench.port.limit_ma
    break_it(bench)
    for _ in range(120):
        bench.step()
        assert bench.port.limit_ma <= limit_ma
        assert bench.port.decic[0] >= 748


def test_last_sensor_that_breaks_leaves_no_hottest():
    bench = Bench((ChannelParams(NTC),)).at(45.0)
    bench.mv[0] = OPEN_MV
    bench.run(1200)
    assert (bench.port.hottest_ok, bench.port.valid[0]) == (False, 0)
    assert bench.port.faults == F_TEMP_OPEN
    assert abs(bench.port.decic[0] - 450) <= 3


def test_one_of_two_sensors_broken_leaves_the_other_as_hottest_and_no_current():
    bench = Bench().at(65.0, 45.0)
    bench.mv[0] = OPEN_MV
    bench.run(1200)
    assert bench.port.hottest_ok
    assert abs(bench.port.hottest_decic - 450) <= 3
    assert (list(bench.port.valid)[:2], bench.port.limit_ma) == ([0, 1], 0)


def test_fault_changes_its_name_with_what_the_sensor_does():
    bench = Bench().at(45.0, 45.0)
    for fault, break_it in BREAKS + BREAKS[:1]:
        bench.mv[0], bench.is_frozen[0] = None, False
        break_it(bench)
        bench.run(1300)
        assert bench.port.faults == fault


def test_loose_wire_bad_every_third_sample_is_given_up():
    bench = Bench().at(45.0, 45.0)
    for _ in range(40):
        bench.mv[0] = OPEN_MV
        bench.run(100)
        bench.mv[0] = None
        bench.run(200)
    assert bench.port.faults == F_TEMP_OPEN


def make_dead(readings):
    readings.temp_ok[0] = 0


def make_rail_low(readings):
    readings.temp_rail_mv = 2499


def make_rail_high(readings):
    readings.temp_rail_mv = 5251


@pytest.mark.parametrize("spoil", [make_dead, make_rail_low, make_rail_high])
def test_sample_that_was_not_measured_is_stale_after_1_s(spoil):
    bench = Bench((ChannelParams(NTC),)).at(45.0)
    bench.is_frozen[0] = True  # or the bench would mend it
    spoil(bench.readings)
    bench.run(900)
    assert (bench.port.faults, bench.port.valid[0]) == (0, 1)
    assert bench.until(has(F_TEMP_STALE), 200) <= 150


def test_rail_at_its_bounds_is_good():
    for rail_mv in (2500, 5250):
        bench = Bench((ChannelParams(NTC),))
        bench.readings.temp_rail_mv = rail_mv
        bench.mv[0] = rail_mv // 2
        assert abs(bench.run(2000).port.decic[0] - 250) <= 1
        assert bench.port.faults == 0


@pytest.mark.parametrize(("age_ms", "fault"), [(999, 0), (1000, 0), (1001, F_TEMP_STALE)])
def test_age_of_a_second_is_the_last_that_counts(age_ms, fault):
    bench = Bench((ChannelParams(NTC),)).at(45.0)
    bench.is_frozen[0] = True
    for _ in range(200):
        bench.converted_ms[0] = bench.elapsed_ms - age_ms
        bench.step()
    assert bench.port.faults == fault


def test_board_that_never_measures_is_stale_after_1_s():
    bench = Bench()
    bench.is_frozen = [True, True]
    bench.run(1000)
    assert bench.port.faults == 0
    bench.run(50)
    assert bench.port.faults == F_TEMP_STALE
    assert (bench.port.limit_ma, bench.port.hottest_ok) == (0, False)


@pytest.mark.parametrize("days", [3, 7, 13])
def test_sensor_silent_for_days_is_believed_again(days):
    """Half a wrap is 6.2 days: a tick kept that long would look like one of the future."""
    bench = Bench(start_ms=1000).at(45.0, 45.0)
    bench.is_frozen[0] = True
    bench.run(2000)
    port, readings = bench.port, bench.readings
    for _ in range(days * 24):
        bench.now_ms = ticks_add(bench.now_ms, 3_600_000)
        for n in (0, 1):
            readings.temp_age_ms[n] = 60000 * (1 - n)
            port.tick(bench.now_ms, readings, False)
    assert port.faults & F_TEMP_STALE
    bench.is_frozen[0] = False
    bench.run(6000)
    assert bench.port.faults == 0


# ------------------------------------------------------------------------------------------ jumps


@STARTS
@pytest.mark.parametrize("to_c", [66.0, 24.0])
def test_jump_up_or_down_that_stays_is_found_within_3_s(start_ms, to_c):
    bench = Bench(TWO_NTC, start_ms).at(45.0, 45.0).run(12_000)
    bench.c[0] = to_c
    assert 1000 <= bench.until(has(F_TEMP_RISE), 3500) <= 3000
    assert bench.port.faults == bench.port.channel_faults[0] == F_TEMP_RISE
    assert bench.port.limit_ma == 0


def test_jump_stays_a_fault_until_unplugged():
    assert FAULTS[first_bit(F_TEMP_RISE)][FAULT_CLEARS] == UNPLUG
    bench = Bench().at(45.0, 45.0)
    bench.c[0] = 65.0
    bench.run(60_000)
    assert bench.port.faults == F_TEMP_RISE
    bench.unplug()
    assert bench.port.faults == 0
    assert bench.port.limit_ma > 0


@pytest.mark.parametrize(("jump_k", "fault"), [(14.5, 0), (15.5, F_TEMP_RISE)])
@pytest.mark.parametrize("sign", [1, -1])
def test_jump_of_15_k_is_the_last_that_is_believed(jump_k, fault, sign):
    bench = Bench().at(45.0, 45.0).run(3000)
    bench.c[0] += sign * jump_k
    bench.run(5000)
    assert bench.port.faults == fault


@pytest.mark.parametrize(("k_per_s", "fault"), [(1.3, 0), (2.0, F_TEMP_RISE)])
@pytest.mark.parametrize(("from_c", "to_c"), [(25.0, 80.0), (80.0, 25.0)])
def test_ramp_faster_than_15_k_in_10_s_is_a_fault(k_per_s, fault, from_c, to_c):
    bench = Bench().at(from_c, 50.0).run(12_000)
    bench.ramp(0, to_c, k_per_s)
    assert bench.port.faults & F_TEMP_RISE == fault


def test_jump_towards_cold_loosens_nothing_before_it_is_found():
    """A series resistance in the wire of a hot contact: 80 C reads 20 C."""
    bench = Bench().at(80.0, 60.0).run(12_000)
    limit_ma = bench.port.limit_ma
    bench.c[0] = 20.0
    del bench.limits_ma[:]
    bench.until(has(F_TEMP_RISE), 3500)
    assert max(bench.limits_ma) <= limit_ma + 3 * 1024


def test_jump_while_unplugged_is_forgotten():
    """A cold or hot connector just before it is plugged in."""
    bench = Bench().at(45.0, 45.0)
    bench.is_unplugged = True
    bench.c[:] = [10.0, 10.0]
    bench.run(5000)
    bench.is_unplugged = False
    bench.run(20_000)
    assert bench.port.faults == 0


def test_jump_is_found_whether_the_current_is_known_or_not():
    bench = Bench().at(45.0, 45.0)
    bench.readings.charger_ok = False
    bench.c[0] = 65.0
    bench.run(4000)
    assert bench.port.faults == F_TEMP_RISE
