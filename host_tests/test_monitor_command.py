"""`inletctl monitor` from the command line: bad input is one sentence, `--json` is for scripts."""

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner
from monitor_fakes import CHARGING, FakePort, commands, readings

from inletctl.errors import UserError
from inletctl.house import ROOT
from inletctl.link.codec import parse_line
from inletctl.link.log import read_log
from inletctl.monitor import command, feed


def run(*arguments):
    return CliRunner().invoke(command.monitor, arguments)


def sentence(*arguments):
    error = run(*arguments).exception
    assert isinstance(error, UserError), error
    assert error.exit_status == 2
    assert "\n" not in str(error)
    return str(error)


@pytest.fixture
def board(monkeypatch):
    """A board that says two lines, is lost, and never comes back; the feed ends there."""
    port = FakePort(lambda port: port.say(commands(0, 0, **CHARGING), readings(1, 50)))
    opened = [port]

    def open_port(name):
        if opened:
            return opened.pop()
        raise UserError("There is no port %s." % name)

    tries = []

    def lost(self, words):
        tries.append(words)
        own(self, words)
        if len(tries) == 4:
            self.end()

    own = feed.BoardFeed._lost
    monkeypatch.setattr(feed.BoardFeed, "_lost", lost)
    monkeypatch.setattr(feed, "_REOPEN_S", 0)
    monkeypatch.setattr("inletctl.link.port.open_port", open_port)
    return port


def test_json_prints_the_boards_lines_and_tells_on_stderr_what_became_of_the_port(board, tmp_path):
    result = run("--port", "COM3", "--json", "--rate", "100", "--log", str(tmp_path / "a.log"))
    assert result.exit_code == 0, result.exception
    lines = result.stdout.encode().splitlines()
    numbers = [said.number for line in lines if hasattr(said := parse_line(line), "number")]
    assert numbers == [0, 1]
    assert all(json.loads(line)["v"] == 1 for line in lines)
    assert ("rate", 100) in board.heard
    assert result.stderr.splitlines() == ["The port is lost: unplugged.", "There is no port COM3."]
    assert len(read_log(tmp_path / "a.log").entries) == 3


def test_seconds_end_it(monkeypatch):
    port = FakePort(*[lambda port: None] * 10_000_000)
    monkeypatch.setattr("inletctl.link.port.open_port", lambda name: port)
    assert run("--port", "COM3", "--json", "--seconds", "0.01").exit_code == 0
    assert port.is_closed


def test_reader_that_has_had_enough_ends_it_without_a_word():
    code = "from inletctl.monitor.command import monitor; monitor()"
    with subprocess.Popen(
        [sys.executable, "-c", code, "--target", "sim", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
    ) as process:
        assert parse_line(process.stdout.readline().rstrip(b"\n")).number == 0
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0


def test_neither_port_nor_target_says_what_there_is():
    assert sentence("--json").startswith("Say which board with --port (")


def test_port_and_target_together_are_refused():
    assert "not both" in sentence("--json", "--port", "COM3", "--target", "sim")


def test_port_that_is_not_there_is_told_before_anything_is_shown():
    assert sentence("--json", "--port", "/dev/no_such_port").startswith("There is no port")


def test_scenario_that_is_not_there_is_told():
    assert "no_such_scenario" in sentence("--json", "--port", "sim:no_such_scenario")


def test_emulated_board_without_an_image_says_where_to_get_one(monkeypatch, tmp_path):
    monkeypatch.setenv("MICROPYTHON_UF2", str(tmp_path / "none.uf2"))
    assert "none.uf2" in sentence("--json", "--target", "emu")


def test_rate_too_fast_is_refused():
    assert "--rate 19 is too fast: 20 ms is the least" in sentence(
        "--json", "--target", "sim", "--rate", "19"
    )


def test_log_that_is_there_already_is_never_overwritten(tmp_path):
    path = tmp_path / "a.log"
    path.write_text("mine")
    assert "is there already" in sentence("--json", "--target", "sim", "--log", str(path))
    assert path.read_text() == "mine"


def test_screen_needs_a_terminal():
    assert "use --json" in sentence("--target", "sim")
