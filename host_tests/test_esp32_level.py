"""The ESP32's pilot level: believed only where the pin says which phase the conversion was in."""

import pytest
from esp32_chip import SCALE, Bench, Chip, PWMWave, SwitchedWave, Wave

from drivers.esp32_level import Esp32Level
from signals import Readings


@pytest.mark.parametrize("hz", [950, 1000, 1050])
@pytest.mark.parametrize("duty", [10, 16, 50, 53, 80, 90])
def test_both_levels_are_those_of_their_phase(hz, duty):
    bench = Bench(PWMWave(hz, duty))
    bench.run(2)
    for _ in range(20):
        bench.run()
        r = bench.r
        assert r.cp_ok
        assert abs(r.cp_high_mv - 9000) <= 11 and abs(r.cp_low_mv + 12000) <= 11


@pytest.mark.parametrize("duty", [3, 97])
def test_phase_shorter_than_a_conversion_gives_no_level_and_says_so(duty):
    bench = Bench(PWMWave(1000, duty), convert_us=60.0)
    bench.run(2)
    for _ in range(20):
        bench.run()
        assert not bench.r.cp_ok
        assert bench.r.pilot_count == 3


@pytest.mark.parametrize("duty", [5, 95])
def test_digital_duty_has_its_level_where_the_conversion_is_fast_enough(duty):
    bench = Bench(PWMWave(1000, duty), convert_us=8.0)
    bench.run(2)
    for _ in range(10):
        bench.run()
        assert bench.r.cp_ok


@pytest.mark.parametrize("level, mv", [(1, 12000), (1, 9000), (1, 6000), (0, 0), (0, -12000)])
def test_steady_line_has_one_level_for_both(level, mv):
    bench = Bench(Wave(level))
    bench.chip.levels_mv = {level: mv, 1 - level: 3333}
    bench.run()
    assert bench.r.cp_ok
    assert bench.r.cp_high_mv == bench.r.cp_low_mv
    assert abs(bench.r.cp_high_mv - mv) <= 11


def test_adc_failure_is_no_level_in_that_pass_only():
    bench = Bench(PWMWave(1000, 50))
    bench.run(2)
    bench.chip.adc_error = OSError(1)
    bench.run(3)
    assert not bench.r.cp_ok and bench.level.failures == 3
    # The edges are still read.
    assert bench.r.pilot_count == 3
    bench.chip.adc_error = None
    bench.run(1)
    assert bench.r.cp_ok


def test_adc_failure_on_a_steady_line_is_no_level():
    bench = Bench(Wave(1))
    bench.chip.adc_error = OSError(1)
    bench.run(2)
    assert not bench.r.cp_ok and bench.r.pilot_quiet_ms == 1000


def test_line_that_moves_during_the_pass_is_not_steady():
    """An edge between the look and the conversions: neither a wave nor steady."""
    for at_us in range(2000, 2400, 7):
        bench = Bench(SwitchedWave(Wave(0), at_us, Wave(1)))
        bench.run()
        if bench.r.cp_ok:
            assert abs(bench.r.cp_high_mv + 12000) <= 11 or abs(bench.r.cp_high_mv - 9000) <= 11
            assert bench.r.cp_high_mv == bench.r.cp_low_mv


class Taken:
    """A level handed scripted pin looks and voltages."""

    def __init__(self, looks, volts):
        self.looks, self.volts = list(looks), list(volts)
        self.level = Esp32Level(lambda: self.looks.pop(0), lambda: self.volts.pop(0), SCALE, 3100)
        self.r = Readings()
        self.level.begin()


def test_conversion_across_an_edge_is_thrown_away():
    taken = Taken([1, 0, 1, 1, 0, 0], [100, 2000, 300])
    assert not taken.level.take(1)
    assert taken.level.take(1)
    assert taken.level.take(0)
    taken.level.finish(taken.r, False)
    assert taken.r.cp_ok
    assert (taken.r.cp_high_mv, taken.r.cp_low_mv) == (2000 * 11 - 16500, 300 * 11 - 16500)


def test_wrong_phase_is_not_converted():
    taken = Taken([0], [])
    assert not taken.level.take(1)


@pytest.mark.parametrize(
    "volts, median", [([1000], 1000), ([1000, 1003], 1001), ([1000, 3000, 1010], 1010),
                      ([0, 1000, 1010], 1000), ([1010, 1000, 0], 1000), ([1, 2, 3, 900], 2)],
)  # fmt: skip
def test_median_passes_over_one_bad_conversion(volts, median):
    taken = Taken([1] * 2 * len(volts), volts)
    for _ in volts:
        taken.level.take(1)
    taken.level.finish(taken.r, True)
    assert taken.r.cp_high_mv == median * 11 - 16500


def test_steady_with_both_phases_is_refused():
    taken = Taken([1, 1, 0, 0], [2000, 300])
    taken.level.take(1)
    taken.level.take(0)
    taken.level.finish(taken.r, True)
    assert not taken.r.cp_ok


def test_one_phase_alone_is_no_level_of_a_wave():
    taken = Taken([1, 1], [2000])
    taken.level.take(1)
    taken.level.finish(taken.r, False)
    assert not taken.r.cp_ok


def test_scale_that_would_leave_the_small_integers_is_refused():
    chip = Chip(Wave(0))
    with pytest.raises(ValueError, match="cp"):
        Esp32Level(chip.pin, chip.read_cp_mv, (400_000, 1, 0), 3100)
