"""thermal.port and thermal.channel to the pass: when each is asked, when it is told, and what is forgotten with a plug that is pulled."""

import pytest
from test_thermal_borders import OPEN_MV, Port, Sensor, seconds
from test_thermal_port import Bench, cool, trip

from faults import (
    F_OVER_TEMPERATURE,
    F_TEMP_DISAGREE,
    F_TEMP_LATCHED,
    F_TEMP_OPEN,
    F_TEMP_RISE,
    F_TEMP_STALE,
)
from ticks import ticks_add

STARTS = pytest.mark.parametrize("start_ms", [0, 2**30 - 50])

# One channel --------------------------------------------------------------------------------------


@STARTS
def test_bad_time_before_the_first_good_sample_counts_to_the_millisecond(start_ms):
    """500 ms, one good sample, and 500 ms again."""
    sensor = Sensor(start_ms)
    sensor.r.temp_ok[0] = 0
    assert sensor.take(300, 5) == [False] * 5
    sensor.r.temp_ok[0] = 1
    assert sensor.take(300) == [False]
    sensor.r.temp_ok[0] = 0
    assert sensor.take(300, 1, 499) == [False]
    assert sensor.channel.fault == 0
    assert sensor.take(300, 1, 1) == [True]
    assert sensor.channel.fault == F_TEMP_STALE


@STARTS
def test_a_stale_sensor_is_believed_with_4000_ms_between_its_first_good_sample_and_its_last(
    start_ms,
):
    sensor = Sensor(start_ms).settled()
    sensor.r.temp_ok[0] = 0
    sensor.take(300, 11)
    assert sensor.channel.fault == F_TEMP_STALE
    sensor.r.temp_ok[0] = 1
    assert sensor.take(300, 40) == [False] * 40
    assert sensor.take(300) == [True]
    assert sensor.channel.fault == 0


@STARTS
def test_a_visit_that_meets_no_other_conversion_tells_of_no_change(start_ms):
    sensor = Sensor(start_ms).settled()
    sensor.take(310)  # the next one moves the median
    for _ in range(3):
        sensor.now_ms = ticks_add(sensor.now_ms, 10)
        sensor.r.temp_age_ms[0] += 10
        assert sensor.channel.visit(sensor.now_ms, sensor.r) is False
    assert sensor.take(310) == [True]


@STARTS
@pytest.mark.parametrize(("step", "found"), [(150, False), (151, True)])
def test_a_jump_is_looked_for_from_the_second_in_which_the_last_one_was_found(
    start_ms, step, found
):
    """The plug is pulled right then, and the value goes on."""
    sensor = Sensor(start_ms).settled(500)
    seconds(sensor, 500, 12)
    assert seconds(sensor, 700, 2) == [False, True]
    sensor.channel.pulled()
    assert seconds(sensor, 700 + step, 2) == [False, found]
    assert sensor.channel.has_jumped is found


# The pass -----------------------------------------------------------------------------------------


class Passes(Port):
    """The same, one pass at a time."""

    def step(self, ms, passes=1):
        for _ in range(passes):
            for n, decic in enumerate(self.decic):
                self.r.temp_ok[n] = 1
                self.r.temp_mv[n] = decic
            self.port.tick(self.now_ms, self.r, self.is_unplugged)
            self.now_ms = ticks_add(self.now_ms, ms)
        return self


@STARTS
@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_channels_take_turns_and_none_has_two(start_ms, count):
    """With a conversion in every pass, the last is valid in the last pass of the third round."""
    port = Passes(count, start_ms).step(100, 3 * count - 1)
    assert list(port.port.valid)[:count] == [1] * (count - 1) + [0]
    assert port.port.limit_ma == 0
    port.step(100)
    assert list(port.port.valid)[:count] == [1] * count
    assert port.port.limit_ma == 32_000


@STARTS
@pytest.mark.parametrize("sign", [1, -1])
def test_a_jump_is_told_in_the_pass_that_finds_it(start_ms, sign):
    """12.5 s after the first pass: seen in the pass behind the 13th second, and found in the one behind the 14th."""
    port = Passes(1, start_ms, disagree_decic=600)
    port.decic[0] = 500
    port.step(10, 1250)
    port.decic[0] += sign * 200
    port.step(10, 151)
    assert port.faults == 0
    port.step(10)
    assert port.faults == F_TEMP_RISE
    assert port.port.limit_ma == 0


@STARTS
def test_ten_seconds_are_ten_though_each_is_met_late(start_ms):
    """A pass each 300 ms, from 2.1 s on with two values: the tenth second is met 11.1 s after the first pass."""
    port = Passes(2, start_ms)
    port.decic[:] = [300, 700]
    port.step(300, 37)
    assert port.faults == 0
    port.step(300)
    assert port.faults == F_TEMP_DISAGREE


# The contacts together ----------------------------------------------------------------------------


@STARTS
def test_contacts_of_which_none_can_be_read_do_not_agree_again(start_ms):
    port = Port(2, start_ms)
    port.decic[:] = [300, 700]
    assert port.run(15).faults == F_TEMP_DISAGREE
    port.decic[:] = [OPEN_MV, OPEN_MV]
    assert port.run(30).faults == F_TEMP_DISAGREE | F_TEMP_OPEN
    port.decic[:] = [300, 300]
    assert port.run(30).faults == 0


# The plug -----------------------------------------------------------------------------------------


def test_contacts_that_have_moved_are_not_asked_again_because_the_plug_was_pulled_for_a_while():
    """They are warm still, and do not move with a current that has warmed them before."""
    port = Port(2).run(5, 0).run(10, 16_000)
    port.decic[:] = [320, 320]
    assert port.run(600).faults == 0
    port.is_unplugged = True
    port.run(60, 0)
    port.is_unplugged = False
    assert port.run(650, 16_000).faults == 0


@STARTS
def test_second_trip_latches_in_a_plug_in_that_is_not_the_first(start_ms):
    """What the plug pulled before has forgotten is what was, not what comes."""
    bench = Bench(start_ms=start_ms).at(70.0, 60.0)
    bench.unplug()
    assert cool(trip(bench)).port.faults == 0
    assert trip(bench).port.faults == F_OVER_TEMPERATURE | F_TEMP_LATCHED
    assert cool(bench).port.faults == F_TEMP_LATCHED
    bench.unplug()
    assert bench.port.faults == 0
    assert cool(trip(bench)).port.faults == 0
