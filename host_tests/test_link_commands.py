"""inletctl scan, settings, log download, decode and replay: good input, bad input, one sentence each."""

import json
import sys
from types import ModuleType, SimpleNamespace

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from link_bench import CHARGE, FakeBoard, at_the_command_line, record

from inletctl.errors import UserError
from inletctl.link import commands, port
from inletctl.link.codec import Telemetry
from inletctl.link.log import read_log
from inletctl.link.port import PortLost
from inletctl.link.setting_words import parse, show
from inletctl.scenario.parse import parse_scenario
from setting_rows import CHOICES, ROW_KEY, ROW_MAX, ROW_MIN, ROW_UNIT, TABLE
from vehicle.protocol import LOG_LINES


@pytest.fixture
def board(monkeypatch):
    made = FakeBoard({"inlet": 1, "max_current_ma": 16000})
    at_the_command_line(monkeypatch, made)
    return made


def run(command, *arguments, enter=None):
    """Return (exit status, what a person reads)."""
    result = CliRunner().invoke(command, [str(one) for one in arguments], input=enter)
    if isinstance(result.exception, UserError):
        return result.exception.exit_status, result.output + str(result.exception)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


# settings


def test_all_settings_are_shown_with_names_units_and_where_they_come_from(board):
    status, said = run(commands.settings, "get", "--port", "x")
    lines = {line.split()[0]: line.split()[1:] for line in said.splitlines()}
    assert status == 0 and len(lines) == len(TABLE)
    assert lines["inlet"] == ["type2"]
    assert lines["max_current_ma"] == ["16000", "mA"]
    assert lines["sensor_0"] == ["ntc", "default"]


def test_one_setting_is_shown_as_json(board):
    _, said = run(commands.settings, "get", "max_current_ma", "--port", "x", "--json")
    assert json.loads(said) == {"max_current_ma": {"value": 16000, "stored": True}}


def test_a_board_without_settings_says_that_it_refuses(board):
    board.stored = None
    board._boot()
    _, said = run(commands.settings, "get", "--port", "x")
    assert "none is stored: the board refuses to charge" in said


def test_settings_are_set_together_and_told_old_and_new(board):
    words = ["inlet=type1", "max_current_ma=20000", "lock_inverted=1"]
    status, said = run(commands.settings, "set", *words, "--port", "x")
    assert status == 0, said
    assert board.stored == {"inlet": 0, "max_current_ma": 20000, "lock_inverted": 1}
    assert "type2 -> type1" in said
    assert "16000 mA -> 20000 mA" in said
    assert "0 (default) -> 1" in said
    assert len(said.splitlines()) == 3


def test_settings_that_are_so_already_restart_nothing(board):
    status, said = run(commands.settings, "set", "inlet=type2", "--port", "x")
    assert (status, board.boots) == (0, 1) and "nothing to change" in said


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("max_current_ma", "is not KEY=VALUE"),
        ("max_curent_ma=6000", "There is no setting 'max_curent_ma': did you mean max_current_ma"),
        ("zzz=1", "see docs/settings.md"),
        ("max_current_ma=5999", "max_current_ma is 6000..80000 mA, not 5999"),
        ("max_current_ma=1e4", "a whole number of mA, not '1e4'"),
        ("max_current_ma=", "a whole number of mA, not ''"),
        ("max_current_ma=١٦٠٠٠", "a whole number"),
        ("inlet=ccs", "inlet is one of type1, type2, gbt, nacs, ccs1, ccs2, chademo, not 'ccs'"),
        ("inlet=7", "inlet is one of"),
        ("max_current_ma=%s" % ("9" * 5000), "not 9999"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_before_a_board_hears_of_it(board, text, words):
    status, said = run(commands.settings, "set", text, "--port", "x")
    assert status == 2 and words in said
    assert board.asked == b""


def test_a_setting_given_twice_is_refused(board):
    status, said = run(commands.settings, "set", "inlet=type1", "inlet=gbt", "--port", "x")
    assert status == 2 and "inlet is given twice" in said


@pytest.mark.parametrize(
    "words",
    [["derate_start_decic=800", "derate_end_decic=500"], ["lock_unlocked_min_mv=2600"]],
)
def test_settings_that_contradict_each_other_are_stored_by_nobody(board, words):
    board.stored = {"inlet": 1, "lock_unlocked_max_mv": 2500}
    board._boot()
    status, said = run(commands.settings, "set", *words, "--port", "x")
    assert status == 2 and "do not go together" in said
    assert b'"do":"set"' not in board.asked


@given(st.data())
def test_every_value_within_its_bounds_is_read_as_it_is_shown(data):
    # What a light may be is words only: test_light_words.py.
    row = data.draw(st.sampled_from([row for row in TABLE if row[ROW_UNIT] != "light"]))
    value = data.draw(st.integers(row[ROW_MIN], row[ROW_MAX]))
    key = row[ROW_KEY]
    assert parse(("%s=%d" % (key, value),)) == {key: value}
    shown = show(key, value)
    if key in CHOICES:
        assert parse(("%s=%s" % (key, shown),)) == {key: value}
    else:
        assert shown.split()[0] == str(value)


@given(st.text(max_size=30))
def test_no_text_does_more_than_be_refused(text):
    try:
        parse((text, "inlet=" + text, text + "=1"))
    except UserError as error:
        assert str(error).endswith(".")


def test_reset_asks_first_and_says_what_follows(board):
    status, _ = run(commands.settings, "reset", "--port", "x", enter="n\n")
    assert status == 1 and board.stored is not None
    status, said = run(commands.settings, "reset", "--port", "x", enter="y\n")
    assert status == 0 and board.stored is None
    assert "id" not in said.splitlines()[-1] and "refuses to charge" in said


def test_a_board_that_never_comes_back_from_its_restart_is_one_sentence(board, monkeypatch):
    def gone():
        raise UserError("There is no port x.")

    board.loses_port = True
    opened = iter([board.port])
    monkeypatch.setattr(port, "open_port", lambda name: next(opened, gone)())
    status, said = run(commands.settings, "set", "inlet=type1", "--port", "x")
    assert status == 1 and "does not answer 20 s after its restart" in said


def test_a_board_that_goes_away_is_one_sentence(board):
    def lose(*_):
        raise PortLost("device disconnected.")

    board.go = lose
    status, said = run(commands.settings, "get", "--port", "x")
    assert status == 1
    assert "The board at x is gone (device disconnected): connect it again" in said


def test_a_board_that_is_none_is_one_sentence(board):
    board.is_silent = True
    status, said = run(commands.settings, "get", "--port", "x")
    assert status == 2 and "No OpenInlet board answers" in said


# log, decode, replay


@pytest.fixture
def downloaded(board, tmp_path):
    board.inlet.step = lambda now_ms, r, c: setattr(c, "light", now_ms // 250 % 5)
    for _ in range(1200):
        board.go()
    board.inlet.step = lambda now_ms, r, c: None
    path = tmp_path / "board.log"
    status, said = run(commands.log_group, "download", "--port", "x", "--out", path)
    assert status == 0, said
    return path, said


def test_the_board_s_log_becomes_a_file_oldest_first(board, downloaded):
    path, said = downloaded
    log = read_log(path)
    assert "%d changes" % LOG_LINES in said and len(log.entries) == LOG_LINES
    assert all(isinstance(one, Telemetry) for one in log.entries)
    ticks = [one.t_ms for one in log.entries]
    assert ticks == sorted(ticks)
    assert log.header.board_id == "e6614c3"
    assert log.header.settings == {"inlet": 1, "max_current_ma": 16000}


def test_changes_while_the_log_is_fetched_are_in_it_once(board, tmp_path):
    board.inlet.step = lambda now_ms, r, c: setattr(c, "light", now_ms // 250 % 5)
    for _ in range(1200):
        board.go()
    path = tmp_path / "board.log"
    assert run(commands.log_group, "download", "--port", "x", "--out", path)[0] == 0
    numbers = [one.number for one in read_log(path).entries]
    assert len(numbers) > 5 and numbers == sorted(set(numbers))


def test_a_log_that_is_there_is_not_overwritten(board, downloaded):
    before = downloaded[0].read_bytes()
    status, said = run(commands.log_group, "download", "--port", "x", "--out", downloaded[0])
    assert status == 2 and "is there already" in said
    assert downloaded[0].read_bytes() == before


def test_a_log_is_decoded_into_two_files(downloaded, tmp_path):
    status, said = run(commands.decode_command, downloaded[0], "--out", tmp_path / "out")
    assert status == 0
    for name in ("log.csv", "log.vcd"):
        assert (tmp_path / "out" / name).stat().st_size > 1000 and name in said


def test_a_downloaded_log_has_no_readings_to_replay(downloaded):
    status, said = run(commands.replay_command, downloaded[0])
    assert status == 2 and "holds no readings to replay" in said


@pytest.mark.parametrize("command", [commands.decode_command, commands.replay_command])
def test_a_file_that_is_no_log_is_one_sentence(command, tmp_path):
    path = tmp_path / "a.log"
    assert "cannot be read" in run(command, path)[1]
    path.write_text("no log\n")
    status, said = run(command, path)
    assert status == 2 and "this is no log" in said


def test_a_cut_log_is_told_and_decoded(downloaded, tmp_path):
    path = downloaded[0]
    path.write_bytes(path.read_bytes()[:-9])
    status, said = run(commands.decode_command, path, "--out", tmp_path / "out")
    assert status == 0 and "ends in the middle of line %d" % (LOG_LINES + 1) in said


def test_replay_lists_what_differs_and_fails(tmp_path):
    path = tmp_path / "a.log"
    record(parse_scenario(CHARGE, "t.txt"), path)
    status, said = run(commands.replay_command, path)
    assert status == 0 and "different 0.00 s (0.00 %) in 0 fields" in said
    assert "not judged  changed between readings: " in said
    text = path.read_text()
    assert '"inlet":1' in text
    path.write_text(text.replace('"inlet":1', '"inlet":0', 1))
    status, said = run(commands.replay_command, path)
    assert status == 1
    assert "different   s2_close       board said 1, host says 0" in said
    assert "The first one counts" in said


# scan


class Found(SimpleNamespace):
    pass


@pytest.fixture
def instruments(monkeypatch):
    """Stands for the instruments' room: what it finds."""
    module = ModuleType("inletctl.bench.instruments.scan")
    found = []
    module.find_instruments = lambda: found
    monkeypatch.setitem(sys.modules, "inletctl.bench.instruments.scan", module)
    return found


def test_scan_tells_boards_from_something_else(board, instruments, monkeypatch):
    instruments.append(
        Found(address="TCPIP::10.0.0.7::INSTR", idn="Siglent,SDG2042X", dialect="siglent-sdg")
    )
    instruments.append(Found(address="USB0::1::2::INSTR", idn="ACME,X1", dialect=None))
    usb = [
        SimpleNamespace(device="/dev/ttyACM%d" % n, vid=0x2E8A, pid=5, product="Board")
        for n in range(3)
    ]
    silent = FakeBoard()
    silent.is_silent = True
    silent.clock = board.clock
    opened = {usb[0].device: board, usb[1].device: silent}

    def serial(name):
        if name not in opened:
            raise UserError("The port %s is busy: close the other program." % name)
        return opened[name].port()

    monkeypatch.setattr(port, "usb_ports", lambda: usb)
    monkeypatch.setattr(port, "SerialPort", serial)
    status, said = run(commands.scan)
    lines = said.splitlines()
    assert status == 0
    assert "OpenInlet board rp2040-reference on rp2040, id e6614c3" in lines[0]
    assert "something else" in lines[1] and "2e8a:0005 Board" in lines[1]
    assert "ttyACM2 is busy" in lines[2]
    assert lines[3] == "TCPIP::10.0.0.7::INSTR  Siglent,SDG2042X (siglent-sdg)"
    assert "no dialect knows it" in lines[4]


def test_scan_says_so_where_nothing_is(instruments, monkeypatch):
    monkeypatch.setattr(port, "usb_ports", list)
    status, said = run(commands.scan)
    assert status == 0
    assert said == "no USB serial port is here\nno instrument answers\n"


def test_scan_says_so_where_pyvisa_is_missing(monkeypatch):
    monkeypatch.setattr(port, "usb_ports", list)
    monkeypatch.setitem(sys.modules, "pyvisa", None)
    status, said = run(commands.scan)
    assert status == 0 and "pyvisa is missing: run `make setup`" in said
