"""What the monitor makes of the board's lines."""

import pytest
from monitor_fakes import CHARGING, READY_FLAGS, UNPLUGGED, commands, readings, reason

from inletctl.monitor.model import LIVE, LOST, Monitor


def texts(model):
    return [event.text for event in model.events]


@pytest.fixture
def model():
    return Monitor()


def test_readings_become_volts_degrees_and_ohms_by_the_firmwares_own_maths(model):
    model.hear(commands(0, 1000, **CHARGING), 0.0)
    model.hear(readings(1, 1050), 0.05)
    wave = model.wave()
    assert wave is not None
    assert (wave.duty_pct, wave.frequency_hz) == (pytest.approx(53.33), pytest.approx(1000))
    plug = model.plug()
    assert plug is not None
    assert plug.words == "32 A cable"
    assert plug.ohm == pytest.approx(220, abs=1)
    hot, warm = model.channels()
    assert (hot.name, warm.name) == ("AC L", "AC N")
    assert warm.decic == 250
    assert hot.decic == pytest.approx(575, abs=3)
    assert model.word("session") == "charging"
    assert model.word("limiter") == "temperature"


def test_settings_of_the_board_replace_the_assumed_ones(model):
    model.hear(commands(0, 0), 0.0)
    model.hear(readings(1, 10, (*READY_FLAGS, "temp_ok_2"), temp_mv_2=1650), 0.0)
    assert not model.are_settings_known
    model.settings_are({"sensor_0": 0, "sensor_1": 0, "sensor_2": 2, "inlet": 0})
    assert model.are_settings_known
    model.hear(readings(2, 20, (*READY_FLAGS, "temp_ok_2"), temp_mv_2=1705), 0.0)
    (channel,) = model.channels()
    assert (channel.name, channel.decic) == ("DC +", pytest.approx(178, abs=5))
    # 220 ohm means nothing on a Type 1 inlet: a gap.
    assert model.plug().words == "gap"


def test_settings_that_contradict_each_other_are_told_and_show_no_temperature(model):
    model.settings_are({"temp_pullup_ohm": 100000})
    assert any("AC L: pullup_ohm" in text for text in texts(model))
    model.hear(readings(0, 0), 0.0)
    assert model.channels() == []


@pytest.mark.parametrize(
    ("flag", "values", "words"),
    [
        ("temp_ok_0", {}, "not measured"),
        ("", {"temp_mv_0": 3300}, "sensor open"),
        ("", {"temp_mv_0": 0}, "sensor short"),
    ],
)
def test_sensor_that_cannot_be_believed_has_no_temperature(model, flag, values, words):
    model.hear(readings(0, 0, [one for one in READY_FLAGS if one != flag], **values), 0.0)
    assert (model.channels()[0].decic, model.channels()[0].words) == (None, words)


@pytest.mark.parametrize(
    ("flag", "values", "words"),
    [
        ("pp_ok", {}, "not measured"),
        ("", {"pp_rail_mv": 0}, "its rail of 0.00 V cannot be"),
        ("", {"pp_mv": 4990}, "the inlet's pull-down is missing"),
        ("", {"pp_mv": 4455}, "unplugged"),
        ("", {"pp_mv": 0}, "short"),
    ],
)
def test_proximity_is_told_in_words(model, flag, values, words):
    model.hear(readings(0, 0, [one for one in READY_FLAGS if one != flag], **values), 0.0)
    assert model.plug().words == words


def test_pilot_without_edges_is_steady_and_unmeasured_is_none(model):
    model.hear(readings(0, 0, pilot_count=0, cp_high_mv=9000), 0.0)
    assert (model.wave().period_us, model.wave().high_mv) == (0, 9000)
    model.hear(readings(1, 50, [one for one in READY_FLAGS if one != "cp_ok"]), 0.0)
    assert model.wave() is None


def test_trend_keeps_the_hottest_of_each_ten_seconds_and_its_slope(model):
    for n in range(120):
        model.hear(readings(n, n * 1000, temp_mv_0=1650 - n * 5), n * 1.0)
    channel = model.channels()[0]
    assert len(channel.trend) == 12
    assert list(channel.trend) == sorted(channel.trend)
    assert channel.trend[-1] == channel.decic
    assert channel.per_minute_decic == pytest.approx(channel.trend[-1] - channel.trend[-7], abs=1)
    for n in range(120, 10_000, 10):
        model.hear(readings(n, n * 1000), n * 1.0)
    assert len(model.channels()[0].trend) == 120


def test_changes_are_told_once_and_in_words(model):
    model.hear(commands(0, 0, **UNPLUGGED), 0.0)
    model.hear(commands(1, 1000, **UNPLUGGED), 1.0)
    assert texts(model) == ["session unplugged, pilot A"]
    model.hear(commands(2, 2000, **CHARGING), 2.0)
    model.hear(
        commands(
            3,
            2500,
            **{**CHARGING, "reasons": reason("temp_high"), "s2_close": 0, "faults": 1 << 15},
        ),
        2.5,
    )
    model.hear(commands(4, 3000, **{**CHARGING, "offered_ma": 32200}), 3.0)
    told = texts(model)
    for wanted in (
        "session unplugged -> charging", "pilot A -> C2", "lock unlocked -> locked", "S2 closed",
        "limited by temperature", "offer 0.0 A -> 32.0 A", "S2 opened", "reason not to charge: temp_high",
        "fault OverTemperature: a contact reached the stop temperature", "fault OverTemperature cleared",
    ):  # fmt: skip
        assert wanted in told, wanted
    assert len(told) == len(set(told)) + 1  # S2 closed twice
    assert not any("32.2" in text for text in told)
    assert model.events[1].t_us == 2_000_000


def test_clock_of_the_board_goes_on_over_the_wrap_of_its_tick(model):
    model.hear(commands(5, (1 << 30) - 500), 0.0)
    model.hear(commands(6, 500), 1.0)
    assert model.t_us == 1_000_000


def test_restart_of_the_board_is_told_and_what_it_said_before_is_gone(model):
    model.hear(commands(100, 90_000, **CHARGING), 0.0)
    model.hear(readings(101, 90_050), 0.1)
    model.hear(commands(0, 10), 1.0)
    assert model.restarts == 1
    assert "the board has restarted" in texts(model)
    assert model.readings == {}
    assert (model.wave(), model.plug(), model.channels()) == (None, None, [])
    assert model.word("session") == "unplugged"


def test_readings_that_overtake_a_line_of_commands_are_no_restart(model):
    model.hear(commands(100, 1000), 0.0)
    model.hear(readings(180, 2900), 0.1)
    model.hear(commands(101, 1020), 0.2)
    model.hear(commands(181, 3000), 0.3)
    assert model.restarts == 0
    assert model.t_us == 2_000_000


def test_rate_of_lines_and_speed_of_the_board_are_measured(model):
    for n in range(101):
        model.hear(readings(n, n * 50), n * 0.5)  # a tenth of real time
    assert model.lines_per_s == pytest.approx(2)
    assert model.speed == pytest.approx(0.1)
    model.link_is(LOST, "gone")
    assert model.speed is None


def test_lost_port_is_told_once_and_its_return_too(model):
    model.link_is(LIVE)
    model.link_is(LOST, "The port went away.")
    model.link_is(LOST, "There is no port.")
    model.link_is(LIVE)
    assert texts(model) == ["The port went away.", "connected again"]


def test_silence_counts_from_the_last_line(model):
    assert model.silence_s(5.0) is None
    model.hear(commands(0, 0), 5.0)
    assert model.silence_s(8.0) == 3.0


def test_events_are_bounded_and_on_one_line(model):
    for n in range(1000):
        model.tell("a\nb %d" % n)
    assert len(model.events) == 200
    assert model.events[-1].text == "a b 999"
