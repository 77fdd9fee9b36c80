"""inletctl replay: a recorded session through the logic on this computer, and where it would now decide otherwise."""

import pickle
import random

import pytest
from link_bench import BOARD, record

import interlock
import pilot.proximity
from inletctl.errors import UserError
from inletctl.house import SCENARIOS
from inletctl.link.codec import COMMAND_FIELDS, Telemetry, seal
from inletctl.link.log import Asked, Header, Log, LogWriter, read_log
from inletctl.link.replay import BETWEEN, LINES_LOST, NO_READINGS, UNSETTLED, _Way, replay
from inletctl.link.replay_figures import DIFFERENT, SAME, figures, verdict
from inletctl.link.sim_log import EVERY_PASS, record_session
from inletctl.scenario.load import read_scenario
from inletctl.scenario.parse import parse_scenario
from settings import Settings
from signals import Commands, Readings
from step import InletStep
from vehicle.protocol import FLAGS, READINGS

CHARGE = "title t\ninlet type2\nat 1s plug 32A\nat +6s evse_offer 10A\nat +3s stop\nend +3s\n"
# What a coarse recording gets wrong first: events shorter than the readings are apart, and the age of a temperature.
SHORT_EVENTS = (
    "bolt_closes_by_itself",
    "lock_jams",
    "sensor_stale",
    "noise_for_good",
    "unlock_asked_again",
)
# Of the rest so many are drawn, of those that take no longer: figures of all come from `-m inletctl.link.replay_figures`.
DRAWN = 2
DRAWN_US = 60_000_000


@pytest.fixture(scope="module")
def charge(tmp_path_factory):
    return record(
        parse_scenario(CHARGE, "t.txt"), tmp_path_factory.mktemp("a") / "a.log", rate_ms=50
    )


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Every pass of the same session."""
    return record_session(parse_scenario(CHARGE, "t.txt"), tmp_path_factory.mktemp("b") / "b.log")


def changed(log, make):
    """Return the log with every telemetry line put through `make`; None drops it."""
    entries = [make(one) if isinstance(one, Telemetry) else one for one in log.entries]
    return Log(log.path, log.header, [one for one in entries if one is not None])


def with_settings(log, **settings):
    header = Header(**{**vars(log.header), "settings": {**log.header.settings, **settings}})
    return Log(log.path, header, log.entries)


def with_reading(name, value, from_ms=5000, kind="readings"):
    at = (READINGS if kind == "readings" else COMMAND_FIELDS).index(name)

    def make(line):
        if line.kind != kind or line.t_ms < from_ms:
            return line
        return line._replace(values=(*line.values[:at], value, *line.values[at + 1 :]))

    return make


def whole_us(result):
    return result.same_us + result.not_judged_us + result.different_us


def drawn():
    """Return scenario files by chance; the seed is printed."""
    seed = random.SystemRandom().randrange(1 << 30)
    print("seed", seed)
    paths = [path for path in sorted(SCENARIOS.glob("*.txt")) if path.stem not in SHORT_EVENTS]
    random.Random(seed).shuffle(paths)
    return [path for path in paths if read_scenario(path).end_us <= DRAWN_US][:DRAWN]


def all_is_decided_as_it_was(path, folder):
    result = figures(path, folder)
    assert (verdict(result), result.not_judged, result.different_us) == (SAME, [], 0), path.stem
    assert result.same_us > 5_000_000


def nothing_differs_and_most_is_judged(path, folder):
    result = figures(path, folder, 50)
    assert verdict(result) != DIFFERENT, (path.stem, result.differences)
    assert result.longest_spacing_us <= 120_000
    most = 0.2 if path.stem == "noise_for_good" else 0.08
    assert result.not_judged_why_us(BETWEEN) < most * whole_us(result), path.stem


@pytest.mark.parametrize("name", SHORT_EVENTS)
def test_with_a_reading_of_every_pass_all_of_a_session_is_decided_as_it_was(name, tmp_path):
    all_is_decided_as_it_was(SCENARIOS / (name + ".txt"), tmp_path)


def test_with_a_reading_of_every_pass_so_is_any_session(tmp_path):
    for path in drawn():
        all_is_decided_as_it_was(path, tmp_path)


@pytest.mark.parametrize("name", SHORT_EVENTS)
def test_at_20_readings_a_second_nothing_differs_and_most_is_judged(name, tmp_path):
    nothing_differs_and_most_is_judged(SCENARIOS / (name + ".txt"), tmp_path)


def test_at_20_readings_a_second_the_same_holds_for_any_session(tmp_path):
    for path in drawn()[:1]:
        nothing_differs_and_most_is_judged(path, tmp_path)


def test_the_three_times_add_up_to_what_was_recorded(charge, whole):
    for log in (charge, whole):
        result = replay(log)
        ticks = [one.t_ms for one in log.entries if isinstance(one, Telemetry)]
        assert whole_us(result) == (max(ticks) - min(ticks) + 10) * 1000


def test_a_change_between_two_readings_is_not_judged_and_neither_same_nor_different(charge):
    result = replay(charge)
    assert result.differences == [] and result.different_us == 0
    spans = [one for one in result.not_judged if one.why == BETWEEN]
    assert spans and all(one.length_us <= 150_000 for one in spans)
    assert any(abs(one.t_us - 1_000_000) <= 100_000 and "session" in one.fields for one in spans)


def test_another_limit_is_found_at_either_rate(charge, whole):
    for log in (charge, whole):
        found = {one.field for one in replay(with_settings(log, max_current_ma=8000)).differences}
        assert {"permitted_ma", "limiter", "charger_ma"} <= found


@pytest.mark.parametrize("debounce_ms", [200])
def test_another_debounce_is_found_although_a_plug_changes_between_readings(
    charge, whole, debounce_ms
):
    for log in (charge, whole):
        result = replay(with_settings(log, plug_debounce_ms=debounce_ms))
        assert result.different_us >= 50_000
        assert "lock_state" in {one.field for one in result.differences}


def test_a_single_pass_is_enough_where_every_pass_was_read(whole):
    result = replay(with_settings(whole, plug_debounce_ms=510))
    first = result.differences[0]
    assert first.field in ("lock_state", "reasons") and first.length_us <= 20_000


@pytest.mark.parametrize(
    ("room", "rule", "value"),
    [
        (interlock, "_SHOW_B_MS", 900),
        (pilot.proximity, "ROWS", None),
        (pilot.proximity, "_PROOF_PASSES", 40),
    ],
)
def test_a_firmware_with_another_rule_is_found(charge, whole, monkeypatch, room, rule, value):
    if value is None:
        rows = list(pilot.proximity.ROWS)
        # A 32 A cable counts as one of 20 A.
        rows[1] = tuple(
            (row[0], row[1], 20000 if row[2] == 32000 else row[2], row[3]) for row in rows[1]
        )
        monkeypatch.setattr(pilot.proximity, "ROWS", tuple(rows))
    else:
        monkeypatch.setattr(room, rule, value)
    for log in (charge, whole):
        assert replay(log).differences, rule


def test_other_readings_are_decided_otherwise_and_it_says_what_and_when(charge):
    result = replay(changed(charge, with_reading("pp_mv", 4060)))
    found = {one.field: one for one in reversed(result.differences)}
    assert found["s2_close"].board == "1" and found["s2_close"].host == "0"
    assert found["reasons"].t_us == pytest.approx(5_000_000, abs=200_000)
    assert "pp_" in found["reasons"].host and found["reasons"].board == "none"
    assert result.differences[0].t_us == min(one.t_us for one in result.differences)


def test_a_board_that_said_otherwise_is_found(charge, whole):
    for log in (charge, whole):
        wrong = changed(log, with_reading("s2_close", 0, 4000, "commands"))
        found = [one for one in replay(wrong).differences if one.field == "s2_close"]
        assert found[0].length_us > 1_000_000


def test_the_age_of_a_temperature_is_what_the_sensor_is_judged_by(whole):
    result = replay(changed(whole, with_reading("temp_age_ms_0", 60_000)))
    found = {one.field: one for one in result.differences}
    assert "TempStale" in found["faults"].host
    assert found["faults"].t_us == pytest.approx(5_900_000, abs=200_000)


def test_a_recording_that_begins_while_charging_is_compared_once_both_agree(charge):
    late = [one for one in charge.entries if one.t_ms > 6000]
    result = replay(Log(charge.path, charge.header, late))
    assert result.differences == []
    assert result.not_judged_why_us(UNSETTLED) < 1_000_000
    assert result.same_us > 5_000_000


def test_a_recording_that_never_agrees_does_not_pass(charge):
    short = [one for one in charge.entries if one.t_ms < 6000]
    result = replay(changed(Log(charge.path, charge.header, short), with_reading("pp_mv", 0, 0)))
    assert result.same_us == 0
    assert {"faults", "s2_close"} <= {one.field for one in result.differences}


def test_a_board_without_settings_is_replayed_as_one_that_refuses(tmp_path):
    scenario = parse_scenario("title t\ninlet type2\nend 4s\n", "t.txt")
    log = record(scenario, tmp_path / "a.log")
    log.header = Header(**{**vars(log.header), "settings": None})
    assert "faults" in {one.field for one in replay(log).differences}


def test_what_a_computer_asked_for_is_replayed_too(tmp_path):
    text = "title t\ninlet type2\nat 1s plug 32A\nend +12s\n"
    log = record(parse_scenario(text, "t.txt"), tmp_path / "a.log", asks=[(800, "stop")])
    assert replay(log).differences == []
    without = [one for one in log.entries if not isinstance(one, Asked)]
    found = {one.field for one in replay(Log(log.path, log.header, without)).differences}
    assert {"s2_close", "reasons"} <= found


def test_lines_that_never_came_are_not_judged(charge):
    at = [n for n, one in enumerate(charge.entries) if one.kind == "commands"][8]
    lost = Log(charge.path, charge.header, [*charge.entries[:at], *charge.entries[at + 1 :]])
    result = replay(lost)
    assert result.not_judged_why_us(LINES_LOST) > 0
    assert result.differences == []


def test_what_was_said_behind_the_last_line_that_came_is_not_judged(charge):
    last = [n for n, one in enumerate(charge.entries) if one.kind == "commands"][-1]
    lost = Log(charge.path, charge.header, [*charge.entries[:last], *charge.entries[last + 1 :]])
    assert replay(lost).not_judged_why_us(LINES_LOST) > 0


def test_a_hole_in_the_readings_is_not_judged(charge):
    holed = changed(
        charge, lambda one: None if one.kind == "readings" and 4000 <= one.t_ms < 7000 else one
    )
    result = replay(holed)
    assert result.not_judged_why_us(NO_READINGS) > 2_500_000
    assert result.longest_spacing_us > 2_900_000


def test_every_boot_of_a_recording_is_replayed(charge):
    twice = Log(charge.path, charge.header, [*charge.entries, *charge.entries])
    result = replay(twice)
    assert result.boots == 2
    assert result.differences == []


def test_a_boot_without_readings_is_not_judged(charge):
    silent = [one for one in charge.entries if one.kind == "commands"]
    result = replay(Log(charge.path, charge.header, [*charge.entries, *silent]))
    assert result.boots == 1
    assert result.not_judged_why_us(NO_READINGS) > 10_000_000


def test_a_log_without_readings_says_how_to_record_some(tmp_path):
    scenario = parse_scenario("title t\ninlet type2\nend 2s\n", "t.txt")
    with pytest.raises(UserError, match=r"holds no readings .* --rate 50"):
        replay(record(scenario, tmp_path / "a.log", rate_ms=0))


def test_an_empty_log_says_the_same(tmp_path):
    writer = LogWriter(tmp_path / "a.log", Header.of(BOARD, {}))
    writer.line(seal({"re": 1, "ok": []}))
    writer.close()
    with pytest.raises(UserError, match="holds no readings"):
        replay(read_log(tmp_path / "a.log"))


def test_every_boot_of_a_scenario_is_recorded_from_its_first_pass(tmp_path):
    scenario = read_scenario(SCENARIOS / "reset_while_charging.txt")
    log = record_session(scenario, tmp_path / "a.log", EVERY_PASS)
    result = replay(log)
    assert result.boots == 2 and result.not_judged == []


def test_every_reading_that_the_step_judges_is_told_or_asked_for():
    told = {*READINGS, *FLAGS, "temp_mv", "temp_age_ms", "temp_ok"}
    asked = {"console_stop", "test_lock", "service_end"}
    assert set(vars(Readings())) <= told | asked


def test_a_way_that_forks_off_shares_nothing_that_changes():
    way = _Way(InletStep(Settings({"inlet": 1, "max_current_ma": 32000})), Commands())
    readings = Readings()
    readings.pp_ok, readings.pp_mv, readings.temp_ok[0], readings.temp_mv[0] = True, 4000, 1, 1800
    for n in range(50):
        way.inlet.step(n * 10, readings, way.commands)
    before = pickle.dumps((way.inlet, way.commands))
    fork = way.fork()
    assert pickle.dumps((fork.inlet, fork.commands)) == before
    readings.pp_mv, readings.cp_high_mv, readings.lock_feedback_ok = 1900, 9000, True
    for n in range(50, 250):
        fork.inlet.step(n * 10, readings, fork.commands)
    assert pickle.dumps((fork.inlet, fork.commands)) != before
    assert pickle.dumps((way.inlet, way.commands)) == before
