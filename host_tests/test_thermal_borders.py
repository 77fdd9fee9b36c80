"""thermal.channel, thermal.port and thermal.params to the sample, the millisecond and the digit: what counts and what just does not."""

import inspect

import pytest
from first_values import begins_with

from faults import F_TEMP_OPEN, F_TEMP_SHORT, F_TEMP_STALE, F_TEMP_STUCK
from signals import Readings
from thermal.channel import WATCH_S, Channel
from thermal.convert import GOOD, OPEN, SHORT
from thermal.derate import Derating
from thermal.params import NTC, UNUSED, ChannelParams, ThermalLimits, check
from thermal.port import PortThermal
from ticks import ticks_add

OPEN_MV, SHORT_MV = -1, -2


class Direct:
    """A probe whose millivolts are the temperature itself, 0.1 C."""

    def __init__(self):
        self.decic = 0

    def read(self, mv, _rail_mv):
        if mv < 0:
            return OPEN if mv == OPEN_MV else SHORT
        self.decic = mv
        return GOOD


class Sensor:
    """A Channel, its clock and its reading; `take` is a fresh conversion in this very pass."""

    def __init__(self, start_ms=0, jump_decic=150):
        self.channel = Channel(0, ChannelParams(), Direct(), jump_decic)
        self.r = Readings()
        self.r.temp_ok[0] = 1
        self.r.temp_rail_mv = 3300
        self.now_ms = start_ms
        self.channel.start(start_ms)

    def take(self, decic, times=1, apart_ms=100):
        """Visit with so many fresh samples; return what each visit said."""
        said = []
        for _ in range(times):
            self.now_ms = ticks_add(self.now_ms, apart_ms)
            self.r.temp_mv[0] = decic
            self.r.temp_age_ms[0] = 0
            said.append(self.channel.visit(self.now_ms, self.r))
        return said

    def settled(self, decic=300):
        self.take(decic, 60)
        assert self.channel.decic == self.channel.median_decic == decic
        return self


@pytest.fixture(params=[0, 2**30 - 50])
def sensor(request):
    return Sensor(request.param)


# Samples ------------------------------------------------------------------------------------------


def test_nothing_measured_yet_is_no_value_and_no_fault():
    channel = Sensor().channel
    assert (channel.fault, channel.median_decic, channel.decic) == (0, 0, 0)
    assert channel.is_valid is False and channel.has_jumped is False and channel.is_stuck is False
    assert (channel.low, channel.high, channel.watched_s) == (0, 0, 0)


def test_third_good_sample_is_the_first_value(sensor):
    assert sensor.take(301, 3) == [False, False, True]
    assert sensor.channel.is_valid and sensor.channel.decic == 301
    assert sensor.take(301, 5) == [False] * 5  # nothing new


def test_visit_tells_that_the_median_or_the_smoothed_value_has_changed(sensor):
    sensor.settled()
    assert sensor.take(302, 2) == [False, True]
    assert sensor.take(302, 30)[-1] is False
    assert sensor.channel.decic == sensor.channel.median_decic == 302
    assert sensor.take(301, 2) == [False, True]


def test_the_smoothed_value_moves_on_where_the_median_stands(sensor):
    sensor.settled()
    sensor.take(320, 2)
    before = sensor.channel.decic
    assert sensor.take(320) == [True]
    assert sensor.channel.decic > before


@pytest.mark.parametrize(("apart_ms", "counts"), [(79, False), (80, True)])
def test_conversions_closer_than_80_ms_are_one_sample(sensor, apart_ms, counts):
    sensor.take(300, 2)
    sensor.take(300, 1, apart_ms)
    assert sensor.channel.is_valid is counts


@pytest.mark.parametrize(("step", "decic"), [(30, 304), (31, 331)])
def test_a_rise_of_more_than_3_k_is_taken_at_once(sensor, step, decic):
    """30 is smoothed: an eighth of the way, rounded up to 0.1 K."""
    sensor.settled().take(300 + step, 2)
    assert sensor.channel.decic == decic


def test_a_fall_takes_an_eighth_of_the_way_and_a_64th_of_a_tenth_at_least(sensor):
    sensor.settled().take(299, 2)
    fast = sensor.channel._fast
    assert fast == 300 * 64 - 8
    for _ in range(60):
        before = sensor.channel._fast
        sensor.take(299)
        way = before - 299 * 64
        assert before - sensor.channel._fast == (max(1, way >> 3) if way else 0)
    assert sensor.channel._fast == 299 * 64


def test_the_smoothed_value_is_rounded_up(sensor):
    sensor.settled()
    for decic in [301] * 20 + [299] * 60:
        sensor.take(decic)
        assert sensor.channel.decic == -(-sensor.channel._fast // 64)


def test_a_fall_is_no_faster_than_the_time_between_two_samples(sensor):
    """1.6 K/s: 1/64 of 0.1 K a millisecond."""
    sensor.settled(900).take(500, 2, 100)
    assert sensor.channel._fast == 900 * 64 - 100
    sensor.take(500, 1, 250)
    assert sensor.channel._fast == 900 * 64 - 350


# Bad time -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mv", "fault"), [(OPEN_MV, F_TEMP_OPEN), (SHORT_MV, F_TEMP_SHORT), (None, F_TEMP_STALE)]
)
def test_a_sensor_is_given_up_after_1000_ms_and_it_is_told_once(sensor, mv, fault):
    sensor.settled()
    if mv is None:
        sensor.r.temp_ok[0] = 0
    assert sensor.take(mv or 0, 9) == [False] * 9
    assert sensor.take(mv or 0, 1, 99) == [False]  # 999 ms after the last good one
    assert sensor.channel.is_valid and not sensor.channel.fault
    assert sensor.take(mv or 0, 1, 1) == [True]
    assert sensor.channel.fault == fault and not sensor.channel.is_valid
    assert sensor.take(mv or 0, 5) == [False] * 5


def test_a_fault_that_changes_its_name_is_told(sensor):
    sensor.settled().take(OPEN_MV, 11)
    assert sensor.take(SHORT_MV) == [True]
    assert sensor.channel.fault == F_TEMP_SHORT


def test_good_time_takes_back_a_quarter_of_itself(sensor):
    """Given up with 1000 ms of bad time: won back after 4000 ms of good samples, and not one earlier."""
    sensor.settled().take(OPEN_MV, 11)
    assert sensor.channel.fault == F_TEMP_OPEN
    said = sensor.take(300, 60)
    assert said.index(True) in (39, 40)
    assert sensor.channel.is_valid and sensor.channel.fault == 0


def test_three_samples_are_asked_for_again_after_a_sensor_was_given_up(sensor):
    sensor.settled().take(OPEN_MV, 11)
    assert sensor.channel._count == 0
    sensor.take(300, 2)
    assert sensor.channel._count == 2


@pytest.mark.parametrize(
    ("rail_mv", "ok"), [(2499, False), (2500, True), (5250, True), (5251, False)]
)
def test_rail_is_worth_dividing_by_within_its_range(sensor, rail_mv, ok):
    sensor.r.temp_rail_mv = rail_mv
    sensor.take(300, 3)
    assert sensor.channel.is_valid is ok


@pytest.mark.parametrize(("age_ms", "ok"), [(1000, True), (1001, False)])
def test_a_conversion_counts_until_it_is_1000_ms_old(sensor, age_ms, ok):
    sensor.take(300, 2)
    sensor.now_ms = ticks_add(sensor.now_ms, age_ms + 100)
    sensor.r.temp_age_ms[0] = age_ms
    sensor.channel.visit(sensor.now_ms, sensor.r)
    assert sensor.channel.is_valid is ok


# Movement -----------------------------------------------------------------------------------------


def seconds(sensor, decic, times=1):
    """Run whole seconds, with the trend at the end of each; return what the trends said."""
    said = []
    for _ in range(times):
        sensor.take(decic, 10)
        said.append(sensor.channel.trend())
    return said


def test_the_slow_value_is_a_plain_mean_for_32_s(sensor):
    sensor.take(300, 3)
    slow = [300 << 10]
    for n in range(1, 60):
        sensor.take(300 + n % 3, 10)
        sensor.channel.trend()
        slow.append(slow[-1] + ((sensor.channel._fast << 4) - slow[-1]) // min(n, 32))
        assert sensor.channel._slow == slow[-1]
        assert (sensor.channel.low, sensor.channel.high) == (min(slow), max(slow))
        assert sensor.channel.watched_s == n


def test_watching_ends_at_600_s_and_begins_anew_when_asked(sensor):
    sensor.take(300, 3)
    for _ in range(WATCH_S + 5):
        sensor.channel.trend()
    assert sensor.channel.watched_s == WATCH_S == 600
    sensor.channel.watch()
    assert sensor.channel.watched_s == 0
    assert sensor.channel.low == sensor.channel.high == sensor.channel._slow


def test_no_trend_without_a_value():
    sensor = Sensor()
    assert sensor.channel.trend() is False
    assert sensor.channel.watched_s == 0


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("step", "found"), [(150, False), (151, True)])
def test_a_jump_is_more_than_its_limit_within_ten_seconds_seen_twice(sensor, sign, step, found):
    sensor.settled(500)
    assert seconds(sensor, 500, 12) == [False] * 12
    assert seconds(sensor, 500 + sign * step, 2) == [False, found]
    assert sensor.channel.has_jumped is found


def test_a_jump_of_one_second_is_a_disturbance_and_so_is_the_next(sensor):
    sensor.settled(500)
    seconds(sensor, 500, 12)
    for _ in range(3):
        assert seconds(sensor, 700) == [False]
        assert seconds(sensor, 500, 3) == [False] * 3


@pytest.mark.parametrize(("apart_s", "found"), [(10, True), (11, False)])
def test_what_is_more_than_ten_seconds_ago_is_forgotten(sensor, apart_s, found):
    """A second at 50 C, then 58 C; 66 C is 16 K above the first, and 8 K above the second."""
    sensor.settled(500)
    seconds(sensor, 500, 13)
    seconds(sensor, 580, apart_s - 1)
    seconds(sensor, 660, 2)
    assert sensor.channel.has_jumped is found


@pytest.mark.parametrize("sign", [1, -1])
def test_a_jump_is_measured_from_the_furthest_of_the_ten_seconds(sensor, sign):
    """8 K away and half of it back, then 11.5 K beyond: 15.5 K from the furthest, not from the last."""
    sensor.settled(500)
    seconds(sensor, 500, 3)
    seconds(sensor, 500 + sign * 80, 2)
    seconds(sensor, 500 + sign * 40, 2)
    assert seconds(sensor, 500 - sign * 75, 2) == [False, True]


def test_a_jump_lasts_until_the_plug_is_pulled(sensor):
    sensor.settled(500)
    seconds(sensor, 500, 12)
    seconds(sensor, 700, 2)
    assert seconds(sensor, 700, 3) == [True] * 3
    sensor.channel.is_stuck = True
    sensor.channel.pulled()
    assert sensor.channel.has_jumped is False and sensor.channel.is_stuck is False
    assert seconds(sensor, 700, 3) == [False] * 3


# The port -----------------------------------------------------------------------------------------


class Port:
    """A port whose channels are set by hand; a second at a time, every channel's trend included."""

    def __init__(self, count=2, start_ms=0, **limits):
        self.port = PortThermal([ChannelParams() for _ in range(count)], ThermalLimits(**limits))
        self.r = Readings()
        self.r.charger_ok = True
        self.now_ms = start_ms
        self.channels = self.port._channels
        for channel in self.channels:
            channel._probe = Direct()
        self.decic = [300] * count
        self.is_unplugged = False
        self.r.temp_rail_mv = 3300

    def run(self, seconds=1, charger_ma=None):
        if charger_ma is not None:
            self.r.charger_ma = charger_ma
        for _ in range(seconds * 10):
            for n, decic in enumerate(self.decic):
                self.r.temp_ok[n] = 1
                self.r.temp_mv[n] = decic
            for _ in self.channels:
                self.port.tick(self.now_ms, self.r, self.is_unplugged)
            self.now_ms = ticks_add(self.now_ms, 100)
        return self

    @property
    def faults(self):
        return self.port.faults


def test_contacts_that_differ_or_agree_again_are_told_in_the_tenth_second():
    port = Port().run(2)
    port.channels[0].decic = 651
    for told in (False, True):
        for _ in range(9):
            port.port._disagree()
            assert port.port._is_disagreeing is told
        port.port._disagree()
        assert port.port._is_disagreeing is not told
        port.channels[0].decic = 349


@pytest.mark.parametrize(
    ("decic", "told", "changes"), [(650, False, False), (651, False, True), (350, True, False), (349, True, True)]
)  # fmt: skip
def test_contacts_differ_above_35_k_and_agree_below_5_k(decic, told, changes):
    port = Port().run(2)
    port.port._is_disagreeing = told
    port.channels[0].decic = decic
    for _ in range(10):
        port.port._disagree()
    assert (port.port._is_disagreeing != told) is changes


@pytest.mark.parametrize(("seconds_of_flow", "fault"), [(599, 0), (600, F_TEMP_STUCK)])
def test_a_test_ends_in_its_600th_second(seconds_of_flow, fault):
    port = Port().run(5, 0)
    for _ in range(seconds_of_flow):
        port.port._test(2)
    port.port._judge()
    assert port.faults == 0
    for channel in port.channels:
        channel.watched_s = 540
    port = Port().run(5, 0)
    for n in range(seconds_of_flow):
        for channel in port.channels:
            channel.watched_s = min(n + 5, 600)
        port.port._test(2)
    port.port._judge()
    assert port.faults == fault


@pytest.mark.parametrize(("watched_s", "fault"), [(539, 0), (540, F_TEMP_STUCK)])
def test_a_sensor_won_back_for_less_than_nine_tenths_of_the_test_is_left_alone(watched_s, fault):
    port = Port().run(5, 0)
    for _ in range(600):
        for channel in port.channels:
            channel.watched_s = watched_s
        port.port._test(2)
    port.port._judge()
    assert port.faults == fault


def let_test(port, flow, times):
    """Let the test go on for so many seconds, the sensors watched for long."""
    for _ in range(times):
        for channel in port.channels:
            channel.watched_s = 600
        port.port._test(flow)
    port.port._judge()
    return port


@pytest.mark.parametrize(("pause_s", "fault"), [(1199, 0), (1200, F_TEMP_STUCK)])
def test_contacts_are_cool_after_20_minutes_without_current(pause_s, fault):
    """Tested once; only from cool does the next current ask again."""
    port = let_test(Port().run(5, 0), 2, 10)
    for channel in port.channels:
        channel.high = channel.low + (2 << 10)
    let_test(port, 2, 600)
    assert port.faults == 0
    let_test(port, 0, pause_s)
    for channel in port.channels:
        channel.watch()
    let_test(port, 2, 600)
    assert port.faults == fault


def test_some_current_begins_a_test_and_much_current_counts():
    port = let_test(Port().run(5, 0), 1, 700)
    assert port.faults == 0
    let_test(port, 2, 599)
    assert port.faults == 0
    let_test(port, 2, 1)
    assert port.faults == F_TEMP_STUCK


def test_rest_watches_anew_only_while_a_test_is_due():
    port = Port().run(5, 0)
    for channel in port.channels:
        channel.high += 3000
    let_test(port, 2, 600)
    let_test(port, 0, 1200)
    assert port.channels[0].high - port.channels[0].low == 3000
    let_test(port, 0, 1)
    assert port.channels[0].high == port.channels[0].low


def test_unknown_current_watches_nothing_anew():
    port = Port().run(5, 0)
    port.channels[0].high += 99
    let_test(port, 3, 5)
    assert port.channels[0].high - port.channels[0].low == 99


@pytest.mark.parametrize(("ma", "flow"), [(4999, 0), (5000, 1), (9999, 1), (10_000, 2)])
def test_current_is_some_from_half_of_what_warms(ma, flow):
    port = Port()
    port.r.charger_ma = ma
    assert port.port._flow(port.r) == flow


@pytest.mark.parametrize(("moved_sub", "flow"), [((50 << 10) - 1, 3), (50 << 10, 2)])
def test_a_contact_that_has_moved_by_5_k_says_that_an_unknown_current_flows(moved_sub, flow):
    port = Port().run(1)
    port.r.charger_ok = False
    port.channels[1].high = port.channels[1].low + moved_sub
    assert port.port._flow(port.r) == flow
    port.channels[1].is_contact = False
    assert port.port._flow(port.r) == 3


@pytest.mark.parametrize(("late_ms", "seconds_left"), [(3000, 2), (3001, 0)])
def test_more_than_three_seconds_behind_are_dropped(late_ms, seconds_left):
    port = Port()
    port.port.tick(0, port.r, False)
    port.port._second(late_ms, port.r)
    assert (late_ms - port.port._second_ms) // 1000 == seconds_left


def test_nothing_is_permitted_and_nothing_is_wrong_before_the_first_pass():
    port = PortThermal([ChannelParams()], ThermalLimits())
    assert (port.faults, port.limit_ma, port.hottest_decic) == (0, 0, 0)
    assert port.hottest_ok is False
    assert list(port.valid) == list(port.decic) == list(port.channel_faults) == [0] * 4


def test_a_channel_that_is_not_fitted_is_left_out_and_its_neighbour_keeps_its_place():
    port = PortThermal([ChannelParams(UNUSED), ChannelParams()], ThermalLimits())
    assert [channel.index for channel in port._channels] == [1]


# Parameters ---------------------------------------------------------------------------------------


def test_defaults_are_those_that_the_docstrings_name():
    def defaults(kind):
        return {
            name: one.default
            for name, one in inspect.signature(kind).parameters.items()
            if one.default is not inspect.Parameter.empty
        }

    assert defaults(ChannelParams) == {
        "kind": NTC, "r25_ohm": 10_000, "beta": 3435, "pullup_ohm": 10_000, "is_contact": True, "margin_decic": 0,
    }  # fmt: skip
    assert defaults(ThermalLimits) == {
        "derate_start_decic": 600, "derate_end_decic": 850, "derate_end_pct": 50, "stop_decic": 900, "resume_decic": 700,
        "trips_to_latch": 2, "rated_ma": 32_000, "blind_pct": 50, "disagree_decic": 350, "jump_decic": 150, "flow_ma": 10_000,
    }  # fmt: skip


def test_bounds_themselves_are_within_and_what_lies_beyond_is_not():
    assert [check("x", value, 3, 5) for value in (3, 4, 5)] == [3, 4, 5]
    for value in (2, 6):
        with pytest.raises(ValueError, match=r"x: %d is outside 3\.\.5" % value):
            check("x", value, 3, 5)


@pytest.mark.parametrize(
    ("name", "low", "high", "others"),
    [
        ("derate_end_decic", 650, 1050, {"stop_decic": 1100, "resume_decic": 700}),
        ("stop_decic", 850, 1100, {}),
        ("resume_decic", 200, 850, {}),
    ],
)
def test_limits_that_depend_on_each_other_meet_at_their_borders(name, low, high, others):
    for value in (low, high):
        assert getattr(ThermalLimits(**{**others, name: value}), name) == value
    for value in (low - 1, high + 1):
        with pytest.raises(ValueError, match="outside %d..%d" % (low, high)):
            ThermalLimits(**{**others, name: value})


def test_a_new_port_begins_with_nothing():
    """The same at each boot: what is not named here is 0 or False, also what nobody is told."""
    assert begins_with(Channel(0, ChannelParams(), None, 150)) == {
        "is_contact": True, "_jump_decic": 150, "_sample": 3,
    }  # fmt: skip
    assert begins_with(PortThermal([ChannelParams()], ThermalLimits())) == {
        "_trend_turn": 1,
        "_pause_s": 1200,
    }
    assert begins_with(Derating(ThermalLimits())) == {
        "_rated_ma": 32_000, "_start_decic": 600, "_span_decic": 250, "_least_ma": 16_000, "_held_decic": -30_000,
    }  # fmt: skip


def test_the_start_of_derating_at_its_bounds():
    others = {"derate_end_decic": 1050, "stop_decic": 1100}
    for value in (300, 1000):
        assert ThermalLimits(derate_start_decic=value, **others).derate_start_decic == value
    for value in (299, 1001):
        with pytest.raises(
            ValueError, match=r"derate_start_decic: %d is outside 300\.\.1000" % value
        ):
            ThermalLimits(derate_start_decic=value, **others)


@pytest.mark.parametrize(("ms", "is_due"), [(999, False), (1000, True)])
def test_a_second_is_over_to_the_millisecond(ms, is_due):
    port = Port().run(1)
    began_ms = port.port._second_ms
    port.port._trend_turn = 2
    port.port.tick(ticks_add(began_ms, ms), port.r, False)
    assert (port.port._second_ms != began_ms) is is_due
