"""thermal.port and thermal.channel: what the port concludes, when, and how each fault clears."""

import random

import pytest
from test_thermal_convert import mv_of, ntc_ohm, pt1000_ohm

from faults import (
    F_OVER_TEMPERATURE,
    F_TEMP_DISAGREE,
    F_TEMP_LATCHED,
    F_TEMP_OPEN,
    FAULT_CLEARS,
    FAULTS,
    SELF,
    UNPLUG,
    first_bit,
)
from signals import Readings
from thermal.params import NTC, PT1000, UNUSED, ChannelParams, ThermalLimits
from thermal.port import PortThermal
from ticks import ticks_add

STARTS = pytest.mark.parametrize("start_ms", [0, 2**30 - 50])
PERIODS = pytest.mark.parametrize("every_ms", [10, 100, 250])

TWO_NTC = (ChannelParams(NTC), ChannelParams(NTC))
FOUR = (
    ChannelParams(NTC),
    ChannelParams(NTC),
    ChannelParams(PT1000, pullup_ohm=1000, is_contact=False),
    ChannelParams(PT1000, pullup_ohm=1000, is_contact=False),
)
OPEN_MV, SHORT_MV = 3300, 0


class Bench:
    """A port, its readings, and four sensors at temperatures or at fixed voltages. Passes of 10 ms."""

    def __init__(self, channels=TWO_NTC, start_ms=0, every_ms=100, **limits):
        self.channels = channels
        self.port = PortThermal(channels, ThermalLimits(**limits))
        self.readings = Readings()
        self.now_ms = start_ms
        self.every_ms = every_ms
        self.elapsed_ms = 0
        self.c = [30.0] * len(channels)
        self.mv = [None] * len(channels)  # instead of c
        self.is_frozen = [False] * len(channels)  # no more conversions
        self.noise_mv = 0
        self.random = random.Random(4)
        self.is_unplugged = False
        self.converted_ms = [None] * len(channels)
        self.readings.charger_ok = True
        self.limits_ma = []

    def _convert(self, n):
        params = self.channels[n]
        mv = self.mv[n]
        if mv is None:
            ohm = ntc_ohm if params.kind == NTC else pt1000_ohm
            mv = mv_of(ohm(self.c[n] * 10), params.pullup_ohm)
        noise = self.random.uniform(-self.noise_mv, self.noise_mv)
        self.readings.temp_mv[n] = round(mv + noise)
        self.readings.temp_ok[n] = 1
        self.converted_ms[n] = self.elapsed_ms

    def step(self):
        for n in range(len(self.channels)):
            # Channels are converted in turn, spread over the period.
            phase = self.every_ms * n // len(self.channels) // 10 * 10
            is_due = (self.elapsed_ms - phase) % self.every_ms == 0
            if is_due and not self.is_frozen[n]:
                self._convert(n)
            if self.converted_ms[n] is not None:
                age_ms = self.elapsed_ms - self.converted_ms[n]
                self.readings.temp_age_ms[n] = min(age_ms, 60000)
        self.port.tick(self.now_ms, self.readings, self.is_unplugged)
        self.limits_ma.append(self.port.limit_ma)
        self.now_ms = ticks_add(self.now_ms, 10)
        self.elapsed_ms += 10

    def run(self, ms):
        for _ in range(ms // 10):
            self.step()
        return self

    def until(self, test, most_ms):
        """Return the ms until test(port) holds, counted at the end of a pass."""
        for n in range(1, most_ms // 10 + 1):
            self.step()
            if test(self.port):
                return n * 10
        raise AssertionError(f"not within {most_ms} ms; faults {self.port.faults:#x}")

    def ramp(self, n, to_c, k_per_s):
        """Take sensor n to `to_c` at `k_per_s`."""
        step_k = k_per_s / 100 * (1 if to_c > self.c[n] else -1)
        for _ in range(round((to_c - self.c[n]) / step_k)):
            self.c[n] += step_k
            self.step()
        return self

    def at(self, *c):
        """All channels at rest at `c`, valid."""
        self.c[: len(c)] = c
        return self.run(1000)

    def unplug(self, ms=2000):
        self.is_unplugged = True
        self.run(ms)
        self.is_unplugged = False
        return self.run(100)


def has(fault):
    return lambda port: port.faults & fault


def has_not(fault):
    return lambda port: not port.faults & fault


# ------------------------------------------------------------------------------------------- boot


@STARTS
@PERIODS
def test_boot_denies_until_every_channel_gave_three_samples(start_ms, every_ms):
    bench = Bench(FOUR, start_ms, every_ms)
    ready_ms = bench.until(lambda port: port.limit_ma > 0, 1000)
    assert ready_ms <= 3 * max(every_ms, 80) + 60
    assert not any(bench.limits_ma[:-1])
    assert bench.port.faults == 0
    assert list(bench.port.valid) == [1, 1, 1, 1]
    assert bench.port.limit_ma == 32000


def test_boot_before_any_sample_has_no_hottest_and_no_current():
    port = Bench().port
    assert (port.hottest_ok, port.limit_ma, port.faults) == (False, 0, 0)


def test_good_start_reports_the_temperature_of_each_and_the_hottest():
    port = Bench(FOUR).at(30.0, 41.0, 25.0, -15.0).port
    assert [abs(port.decic[n] - t) <= 4 for n, t in enumerate((300, 410, 250, -150))] == [True] * 4
    assert port.hottest_ok
    assert port.hottest_decic == port.decic[1]


def test_port_without_any_sensor_may_carry_its_blind_share_and_never_faults():
    for pct, limit_ma in ((50, 16000), (0, 0), (100, 32000)):
        bench = Bench((ChannelParams(UNUSED),) * 4, blind_pct=pct)
        bench.run(2000)
        port = bench.port
        assert (port.limit_ma, port.hottest_ok, port.faults) == (limit_ma, False, 0)


def test_unused_channels_between_used_ones_do_not_count():
    channels = (ChannelParams(UNUSED), ChannelParams(NTC), ChannelParams(UNUSED))
    bench = Bench(channels).at(0.0, 45.0, 0.0)
    assert list(bench.port.valid) == [0, 1, 0, 0]
    assert bench.port.limit_ma == 32000
    assert abs(bench.port.hottest_decic - 450) <= 3


def test_fifth_channel_is_refused():
    with pytest.raises(ValueError, match="channels: 5 given, at most 4"):
        PortThermal((ChannelParams(NTC),) * 5, ThermalLimits())


def test_channels_with_the_same_sensor_share_one_table():
    other = ChannelParams(NTC, beta=3950)
    channels = (ChannelParams(UNUSED), ChannelParams(NTC), other, ChannelParams(NTC))
    a, b, c = PortThermal(channels, ThermalLimits())._channels
    assert a._probe.keys is c._probe.keys
    assert a._probe.keys is not b._probe.keys


# ------------------------------------------------------------------------------- over temperature


@STARTS
@PERIODS
@pytest.mark.parametrize("channel", [0, 1])
def test_contact_at_stop_is_seen_within_600_ms(start_ms, every_ms, channel):
    """Own limit; current 0 is due within 1 s (temp_high). Phases of the conversion are walked."""
    for phase_ms in range(0, max(every_ms, 100), 60):
        bench = Bench(TWO_NTC, start_ms, every_ms).at(85.0, 85.0)
        assert bench.port.faults == 0
        bench.run(phase_ms)
        bench.c[channel] = 91.0
        taken_ms = bench.until(has(F_OVER_TEMPERATURE), 600)
        assert taken_ms <= 2 * max(every_ms, 80) + 50
        assert bench.port.limit_ma == 0
        assert bench.port.faults == F_OVER_TEMPERATURE


@PERIODS
def test_housing_sensor_at_stop_trips_too(every_ms):
    bench = Bench(FOUR, 0, every_ms).at(85.0, 85.0, 85.0, 85.0)
    bench.c[3] = 91.0
    assert bench.until(has(F_OVER_TEMPERATURE), 600) <= 600


def test_stop_temperature_itself_trips_and_half_a_kelvin_less_does_not():
    bench = Bench().at(85.0, 85.0)
    bench.ramp(0, 89.5, 1).run(5000)
    assert bench.port.faults == 0
    bench.ramp(0, 90.0, 1).run(1000)
    assert bench.port.faults == F_OVER_TEMPERATURE


def test_over_temperature_clears_by_itself_below_resume_and_not_before():
    bench = Bench().at(85.0, 85.0)
    bench.c[0] = 92.0
    bench.run(1000)
    assert FAULTS[first_bit(F_OVER_TEMPERATURE)][FAULT_CLEARS] == SELF
    bench.ramp(0, 71.0, 1)
    bench.ramp(1, 60.0, 1).run(3000)
    assert bench.port.faults == F_OVER_TEMPERATURE
    assert bench.port.limit_ma == 0
    bench.ramp(0, 69.0, 1).run(3000)
    assert bench.port.faults == 0
    # 69 C and 2 K of backlash.
    assert abs(bench.port.limit_ma - Derated(711)) <= 200


def Derated(decic):  # noqa: N802 - reads as a number
    return 32000 - 64 * (decic - 600)


def test_sensor_that_breaks_after_a_trip_does_not_end_it():
    """It held the hot value; that another contact is cool proves nothing."""
    bench = Bench().at(85.0, 40.0)
    bench.c[0] = 91.0
    bench.run(500)
    bench.mv[0] = OPEN_MV
    bench.run(10_000)
    assert bench.port.faults & F_OVER_TEMPERATURE
    assert bench.port.faults & F_TEMP_OPEN
    bench.mv[0], bench.c[0] = None, 40.0
    bench.run(6000)
    assert bench.port.faults == 0


def trip(bench):
    bench.ramp(0, 85.0, 1.2)
    bench.ramp(0, 91.0, 1).run(1000)
    assert bench.port.faults & F_OVER_TEMPERATURE
    return bench


def cool(bench):
    return bench.ramp(0, 65.0, 1).run(3000)


@STARTS
def test_second_trip_latches_until_unplugged_and_cool(start_ms):
    bench = Bench(TWO_NTC, start_ms).at(70.0, 60.0)
    cool(trip(bench))
    assert bench.port.faults == 0
    trip(bench)
    assert bench.port.faults == F_OVER_TEMPERATURE | F_TEMP_LATCHED
    cool(bench)
    assert bench.port.faults == F_TEMP_LATCHED
    assert bench.port.limit_ma == 0
    assert FAULTS[first_bit(F_TEMP_LATCHED)][FAULT_CLEARS] == UNPLUG
    bench.is_unplugged = True
    bench.step()
    assert bench.port.faults == 0


def test_unplugging_while_hot_forgets_the_latch_only_when_cool():
    bench = trip(cool(trip(Bench().at(70.0, 60.0))))
    bench.unplug()
    assert bench.port.faults == F_OVER_TEMPERATURE | F_TEMP_LATCHED
    cool(bench)
    assert bench.port.faults == 0


def test_unplugging_between_trips_starts_the_count_again():
    bench = cool(trip(Bench().at(70.0, 60.0)))
    bench.unplug()
    assert trip(bench).port.faults == F_OVER_TEMPERATURE


@pytest.mark.parametrize("trips_to_latch", [1, 2, 3])
def test_latch_comes_with_the_trip_it_was_set_to(trips_to_latch):
    bench = Bench(trips_to_latch=trips_to_latch).at(70.0, 60.0)
    for n in range(1, trips_to_latch + 1):
        trip(bench)
        assert bool(bench.port.faults & F_TEMP_LATCHED) == (n == trips_to_latch)
        cool(bench)


def test_margin_of_a_sensor_far_from_its_contact_counts_in_every_limit():
    channels = (ChannelParams(NTC, margin_decic=150), ChannelParams(NTC))
    bench = Bench(channels).at(50.0, 50.0)
    assert abs(bench.port.hottest_decic - 650) <= 3
    assert abs(bench.port.decic[0] - 500) <= 3
    assert abs(bench.port.limit_ma - Derated(650)) <= 200
    bench.ramp(0, 75.1, 1).run(1000)
    assert bench.port.faults == F_OVER_TEMPERATURE


# ---------------------------------------------------------------------------------------- disagree


@STARTS
def test_contacts_35_k_apart_for_10_s_halve_the_current(start_ms):
    bench = Bench(TWO_NTC, start_ms).at(20.0, 54.0)
    bench.run(12_000)
    assert bench.port.faults == 0
    bench.ramp(1, 57.0, 1)
    assert 8000 <= bench.until(has(F_TEMP_DISAGREE), 12_000) <= 12_000
    assert bench.port.faults == F_TEMP_DISAGREE
    assert bench.port.limit_ma == 16000
    assert list(bench.port.channel_faults) == [0] * 4


def test_halving_goes_on_top_of_derating():
    bench = Bench().at(20.0, 70.0).run(12_000)
    assert abs(bench.port.limit_ma - Derated(700) // 2) <= 100


def test_disagreement_does_not_clear_from_its_own_halving():
    """Half the current leaves a quarter of the difference: 9 K of 36 K."""
    assert FAULTS[first_bit(F_TEMP_DISAGREE)][FAULT_CLEARS] == SELF
    bench = Bench().at(20.0, 56.0).run(12_000)
    bench.ramp(1, 29.0, 1).run(30_000)
    assert bench.port.faults == F_TEMP_DISAGREE
    bench.ramp(1, 24.5, 1)
    assert 8000 <= bench.until(has_not(F_TEMP_DISAGREE), 14_000)
    assert bench.port.limit_ma == 32000


def test_disagreement_shorter_than_10_s_is_nothing():
    bench = Bench().at(35.0, 60.0)
    for _ in range(3):
        bench.ramp(0, 24.0, 1.2).run(5000)
        bench.ramp(0, 35.0, 1.2).run(5000)
    assert bench.port.faults == 0


def test_contact_without_current_does_not_disagree():
    """DC contacts of an AC charge stay cool."""
    bench = Bench(FOUR).at(70.0, 70.0, 20.0, 20.0).run(20_000)
    assert bench.port.faults == 0


def test_disagreement_stays_while_one_contact_cannot_be_compared():
    bench = Bench().at(20.0, 60.0).run(12_000)
    bench.mv[0] = OPEN_MV
    bench.run(20_000)
    assert bench.port.faults == F_TEMP_DISAGREE | F_TEMP_OPEN


# ------------------------------------------------------------------------------------------- clock


def test_loop_that_stalls_drops_seconds_and_goes_on():
    bench = Bench().at(45.0, 45.0)
    for _ in range(3):
        bench.elapsed_ms += 7_000
        bench.now_ms = ticks_add(bench.now_ms, 7_000)
        for n in (0, 1):
            bench._convert(n)
        bench.step()
    seconds = []
    bench.port._test = seconds.append
    bench.run(5000)
    assert 4 <= len(seconds) <= 6
    assert bench.port.faults == 0


def test_any_start_gives_the_same_trace():
    """Over the wrap and far from it, with everything happening."""
    traces = []
    for start_ms in (0, 12345, 2**30 - 50, 2**30 - 20_000):
        bench, trace = Bench(FOUR, start_ms), []
        bench.noise_mv = 2
        chance = random.Random(7)
        for _ in range(120):
            n = chance.randrange(4)
            bench.c[n] = chance.choice((20.0, 40.0, 65.0, 88.0, 92.0))
            bench.mv[n] = chance.choice((None, None, None, OPEN_MV, SHORT_MV))
            bench.is_frozen[n] = chance.random() < 0.1
            bench.is_unplugged = chance.random() < 0.1
            bench.run(chance.randrange(100, 2500, 10))
            port = bench.port
            trace.append((port.faults, port.limit_ma, port.hottest_decic, list(port.decic)))
        traces.append(trace)
    assert traces[0] == traces[1] == traces[2] == traces[3]
    assert len({row[0] for row in traces[0]}) > 8


def test_limit_is_positive_only_with_every_channel_valid_and_no_fault_but_disagree():
    """Invariant over a random life."""
    bench, chance, allowed = Bench(FOUR), random.Random(3), 0
    for _ in range(400):
        n = chance.randrange(4)
        bench.c[n] += chance.choice((-10, -2, 2, 10))
        bench.mv[n] = chance.choice((None, None, None, None, OPEN_MV, SHORT_MV))
        bench.is_unplugged = chance.random() < 0.3
        for _ in range(chance.randrange(1, 200)):
            bench.step()
            port = bench.port
            if port.limit_ma:
                allowed += 1
                assert all(port.valid)
                assert not port.faults & ~F_TEMP_DISAGREE
                assert 8000 <= port.limit_ma <= 32000
                assert max(port.decic) <= port.hottest_decic < 900
    assert allowed > 100
