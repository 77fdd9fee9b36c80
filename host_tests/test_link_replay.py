"""inletctl replay: a recorded session through the logic on this computer, and where it would now decide otherwise."""

import pytest
from link_bench import BOARD, CHARGE, record

from inletctl.errors import UserError
from inletctl.house import SCENARIOS
from inletctl.link.codec import Telemetry, seal
from inletctl.link.log import Asked, Header, Log, LogWriter, read_log
from inletctl.link.replay import replay
from inletctl.scenario.load import read_scenario
from inletctl.scenario.parse import parse_scenario
from vehicle.protocol import READINGS


@pytest.fixture
def charge(tmp_path):
    return record(parse_scenario(CHARGE, "t.txt"), tmp_path / "a.log")


def changed(log, make):
    """Return the log with every telemetry line put through `make`."""
    entries = [make(one) if isinstance(one, Telemetry) else one for one in log.entries]
    return Log(log.path, log.header, entries)


def with_reading(name, value):
    return with_reading_from(5000, name, value)


def with_reading_from(t_ms, name, value):
    at = READINGS.index(name)

    def make(line):
        if line.kind != "readings" or line.t_ms < t_ms:
            return line
        return line._replace(values=(*line.values[:at], value, *line.values[at + 1 :]))

    return make


@pytest.mark.parametrize(
    "name", ["full_ac_session", "pause_and_resume", "vehicle_silent", "type1_button"]
)
def test_a_recorded_session_is_decided_again_as_it_was(name, tmp_path):
    result = replay(record(read_scenario(SCENARIOS / (name + ".txt")), tmp_path / "a.log"))
    assert result.differences == []
    assert result.compared_us > 30_000_000 or name == "type1_button"
    assert result.not_compared_us < 1_000_000
    assert result.longest_spacing_us <= 50_000


def test_a_recording_that_begins_while_charging_is_compared_once_both_agree(charge):
    late = [one for one in charge.entries if one.t_ms > 6000]
    result = replay(Log(charge.path, charge.header, late))
    assert result.differences == []
    assert result.not_compared_us < 1_000_000
    assert result.compared_us > 5_000_000


def test_other_readings_are_decided_otherwise_and_it_says_what_and_when(charge):
    result = replay(changed(charge, with_reading("pp_mv", 4060)))
    found = {one.field: one for one in result.differences}
    assert found["s2_close"].board == "1" and found["s2_close"].host == "0"
    assert found["reasons"].t_us == pytest.approx(5_000_000, abs=100_000)
    assert "pp_" in found["reasons"].host and found["reasons"].board == "none"
    assert result.differences[0].t_us == min(one.t_us for one in result.differences)


def test_a_recording_that_never_agrees_does_not_pass(charge):
    short = [one for one in charge.entries if one.t_ms < 6000]
    result = replay(
        changed(Log(charge.path, charge.header, short), with_reading_from(0, "pp_mv", 0))
    )
    assert result.compared_us == 0
    assert {"faults", "s2_close"} <= {one.field for one in result.differences}


def test_other_settings_are_decided_otherwise(charge):
    other = Log(charge.path, charge.header, charge.entries)
    settings = {**charge.header.settings, "max_current_ma": 8000}
    other.header = Header(**{**vars(charge.header), "settings": settings})
    found = {one.field for one in replay(other).differences}
    assert {"permitted_ma", "limiter"} <= found


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


def test_lost_lines_widen_what_is_allowed(charge):
    kept = [one for n, one in enumerate(charge.entries) if one.kind == "commands" or n % 8 == 0]
    result = replay(Log(charge.path, charge.header, kept))
    assert result.longest_spacing_us > 100_000
    assert not [one for one in result.differences if one.length_us < 100_000]


def test_every_boot_of_a_recording_is_replayed(charge):
    twice = Log(charge.path, charge.header, [*charge.entries, *charge.entries])
    result = replay(twice)
    assert result.boots == 2
    assert result.differences == []


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
