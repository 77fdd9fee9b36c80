"""inletctl port: on files and on a board; good input, bad input, one sentence each."""

import json
import os

import pytest
from click.testing import CliRunner
from link_bench import FakeBoard, FakePort, at_the_command_line

from inletctl.errors import UserError
from inletctl.link.port import PortLost
from inletctl.link.wired import Wire, WirePortStore
from inletctl.ports import file as port_file
from inletctl.ports.command import port
from inletctl.targets.cpython import firmware_main
from ports.records import decode, encode
from signals import Readings

SETTINGS = {"inlet": 5, "max_current_ma": 32000}  # ccs2
LEFT = (
    "--label",
    "Left",
    "--connector",
    "ccs2",
    "--power",
    "ac2",
    "--max-kw",
    "11",
    "--volts",
    "230",
    "--phases",
    "3",
)
FAST = ("--label", "Fast", "--connector", "CCS2", "--power", "dc", "--max-kw", "50")


class Board(FakeBoard):
    """A FakeBoard that stores port records, and boots with them."""

    def __init__(self, stored=None, payload=None):
        self.wire = Wire(stored)
        self.wire.ports = payload
        self.notes = []
        super().__init__(stored)

    def port_store(self):
        return WirePortStore(self.wire)

    def note(self, sentence):
        self.notes.append(sentence)

    def _boot(self):
        super()._boot()
        self.readings = Readings()
        main = firmware_main()
        self.host = main["Host"](
            self, main["Settings"](self.stored), main["Ports"](self, self.readings)
        )

    @property
    def records(self):
        return decode(self.wire.ports) if self.wire.ports else []


def run(*arguments, enter=None):
    """Return (exit status, what a person reads)."""
    result = CliRunner().invoke(port, [str(one) for one in arguments], input=enter)
    if isinstance(result.exception, UserError):
        return result.exception.exit_status, result.output + str(result.exception)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ports.json"


@pytest.fixture
def board(monkeypatch):
    made = Board(SETTINGS)
    at_the_command_line(monkeypatch, made)
    return made


@pytest.fixture(params=["file", "board"])
def where(request, path):
    """The options for a file, and for a board: what both must do alike."""
    if request.param == "file":
        return ("--file", path)
    request.getfixturevalue("board")
    return ("--port", "x")


# files and boards alike


def test_ports_are_added_listed_shown_edited_and_deleted(where):
    assert run("add", *LEFT, *where)[0] == 0
    assert run("add", *FAST, *where)[0] == 0
    status, said = run("list", *where)
    assert status == 0 and "2 of 2 available" in said and "Fast" in said and "AC level 2" in said
    status, said = run(
        "edit", 1, "--max-kw", "7.4", "--phases", "1", "--notes", "by the gate", *where
    )
    assert status == 0 and "caps           32.173 A per phase at 230 V, 1 phase" in said
    status, said = run("show", 1, "--json", *where)
    assert json.loads(said) == {
        "id": 1, "inlet": 1, "label": "Left", "connector": "CCS2", "power": "AC level 2", "max_w": 7400,
        "volts_v": 230, "phases": 1, "status": "operational", "notes": "by the gate",
    }  # fmt: skip
    assert run("edit", 1, "--volts", "0", *where)[0] == 0
    assert "volts_v" not in json.loads(run("show", 1, "--json", *where)[1])
    status, said = run("delete", 1, *where, enter="n\n")
    assert status != 0 and "1" in run("list", *where)[1]
    assert run("delete", 1, "--yes", *where)[0] == 0
    found = json.loads(run("list", "--json", *where)[1])
    assert [one["id"] for one in found["ports"]] == [2] and found["available"] == 1
    # The lowest number that is free.
    assert "port 1 is recorded" in run("add", *LEFT, *where)[1]


def test_out_of_service_and_back(where):
    run("add", *LEFT, *where)
    run("add", *FAST, *where)
    status, said = run("out-of-service", 2, "--notes", "burnt [pin]", *where)
    assert status == 0 and "port 2 is out of service" in said
    said = run("list", *where)[1]
    assert "1 of 2 available" in said and "burnt [pin]" in said
    assert run("out-of-service", 2, *where) == (0, "port 2 (Fast) is out of service already\n")
    assert run("restore", 2, *where)[0] == 0
    assert "2 of 2 available" in run("list", *where)[1]


def test_decommission_asks_says_that_it_is_for_good_and_is(where):
    run("add", *LEFT, *where)
    status, said = run("decommission", 1, *where, enter="n\n")
    assert status != 0 and "for good" in said
    assert "1 of 1 available" in run("list", *where)[1]
    assert run("decommission", 1, "--yes", *where)[0] == 0
    assert run("decommission", 1, *where) == (0, "port 1 (Left) is decommissioned already\n")
    for command in (
        ("restore", 1),
        ("out-of-service", 1),
        ("edit", 1, "--label", "x"),
        ("delete", 1, "--yes"),
        ("add", 1, *LEFT),
    ):
        status, said = run(*command, *where)
        assert status in (1, 2), command
    assert "0 of 1 available" in run("list", *where)[1]


@pytest.mark.parametrize(
    "arguments, words",
    [
        (("show", 1), "There is no port 1: there is none."),
        (("delete", 3, "--yes"), "There is no port 3"),
        (("delete", "x"), "'x' is no port"),
        (("edit", 1), "Nothing to change is named"),
        (("add", "--label", "x"), "--connector is missing"),
        (("add", *LEFT, "--connector", "schuko"), "'schuko' is no connector: choose one of J1772"),
        (("add", *LEFT, "--power", "ac9"), "'ac9' is no power type"),
        (("add", *LEFT, "--power", "ac1"), "port 1, power: CCS2 does not carry AC level 1, but AC level 2 and DC fast"),
        (("add", *LEFT, "--max-kw", "lots"), "--max-kw: 'lots' is not a number such as 7.4"),
        (("add", *LEFT, "--max-kw", "1e9"), "is not a number"),
        (("add", *LEFT, "--max-kw", "7.4005"), "more digits than are kept"),
        (("add", *LEFT, "--amps", "10"), "is more than 230 V, 10000 mA and 3 phases make (6900 W)"),
        (("add", *LEFT, "--volts", "400"), "200..254 V between phase and neutral"),
        (("add", *LEFT, "--label", ""), "port 1, label: it is empty"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_sentence_and_stores_nothing(where, arguments, words):
    run("add", *FAST, "2", *where)
    status, said = run(*arguments, *where)
    if arguments[0] == "show":
        words = "There is no port 1: there are 2."
    assert status == 2 and words in said and len(said.strip().splitlines()) == 1
    assert [one["id"] for one in json.loads(run("list", "--json", *where)[1])["ports"]] == [2]


def test_a_ninth_port_and_a_number_twice_are_refused(where):
    for _ in range(8):
        run("add", *LEFT, *where)
    assert "All 8 ports are recorded" in run("add", *LEFT, *where)[1]
    status, said = run("add", 3, *LEFT, *where)
    assert status == 2 and "There is a port 3 already (Left)" in said


@pytest.mark.parametrize("options", [(), ("--port", "x", "--file", "y")])
def test_where_the_records_are_is_said_once(options):
    status, said = run("list", *options)
    assert status == 2 and "Give one of --port and --file" in said


# files


def test_an_edited_file_keeps_what_is_wrong_in_it(path):
    run("add", *LEFT, "--file", path)
    whole = json.loads(path.read_text())
    bad = {
        "id": 4,
        "label": "bad \ud800",
        "connector": "Type 3",
        "power": "AC level 2",
        "max_w": "11 kW",
    }
    whole["ports"] = [bad, 7, *whole["ports"], whole["ports"][0]]
    path.write_text(json.dumps(whole))
    status, said = run("list", "--file", path)
    assert status == 1 and "1 of 1 available" in said
    for words in ("entry 1: port 4, label: it has a character that cannot be stored", "port 4, connector: 'Type 3' is none of",
                  "port 4, max_w: it is not a whole number", "entry 2: a port is not a table of keys", "entry 4: port 1 is there twice"):  # fmt: skip
        assert words in said
    assert run("add", 2, *FAST, "--file", path)[0] == 0
    assert run("delete", 1, "--yes", "--file", path)[0] == 0
    after = json.loads(path.read_text())["ports"]
    assert after[:2] == [bad, 7] and [one["id"] for one in after[2:]] == [1, 2]
    status, said = run("add", 4, *LEFT, "--file", path)
    assert status == 2 and "port 4 is there with an error" in said
    assert json.loads(run("list", "--json", "--file", path)[1])["refused"]


@pytest.mark.parametrize(
    "content, words",
    [
        (b"", "damaged or not JSON"),
        (b"{", "damaged or not JSON"),
        (b"\xff\xfe\x00", "is no text"),
        (b"[" * 100_000, "damaged or not JSON"),
        (b"[]", "holds no port records"),
        (b'{"ports": []}', "holds no port records"),
        (
            b'{"openinlet_ports": 2, "ports": []}',
            "of version 2, this tool knows 1: update inletctl",
        ),
        (b'{"openinlet_ports": true, "ports": []}', "of version True"),
        (b'{"openinlet_ports": 1}', "there must be 'ports', a list"),
        (b'{"openinlet_ports": 1, "ports": {}}', "there must be 'ports', a list"),
        (b'{"openinlet_ports": 1, "ports": [], "x": 1}', "and nothing else"),
        (b'{"openinlet_ports": 1, "ports": [], "ports": []}', "the key 'ports' is there twice"),
        (b" " * 1_000_001, "far too large"),
    ],
)
def test_a_foreign_or_damaged_file_is_refused_whole_and_stays(path, content, words):
    path.write_bytes(content)
    for command in (
        ("list",),
        ("add", *LEFT),
        ("edit", 1, "--label", "x"),
        ("delete", 1, "--yes"),
    ):
        status, said = run(*command, "--file", path)
        assert status == 2 and words in said and len(said.strip().splitlines()) == 1
        assert path.read_bytes() == content


def test_a_file_that_is_not_there_is_named(path):
    status, said = run("list", "--file", path)
    assert status == 2 and str(path) in said and "cannot be read" in said


def test_a_folder_instead_of_a_file_is_named(tmp_path):
    status, said = run("add", *LEFT, "--file", tmp_path)
    assert status == 2 and "cannot be read" in said


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_file_that_cannot_be_written_keeps_its_records(path):
    run("add", *LEFT, "--file", path)
    path.parent.chmod(0o500)
    try:
        assert run("add", *FAST, "--file", path)[0] != 0
    finally:
        path.parent.chmod(0o700)
    assert len(port_file.PortFile(path).records) == 1


# boards


def test_a_change_is_in_force_after_a_restart(board):
    run("add", *LEFT, "--port", "x")
    assert (board.boots, board.readings.port_ma) == (2, 15942)
    run("out-of-service", 1, "--port", "x")
    assert board.boots == 3 and board.readings.port_holds
    run("delete", 1, "--yes", "--port", "x")
    assert board.readings.port_ma == 80000 and board.wire.ports is None


def test_a_connector_that_the_boards_inlet_is_not_is_refused(board):
    status, said = run("add", *LEFT, "--connector", "nacs", "--phases", "0", "--port", "x")
    assert (
        status == 2
        and "the board's own inlet is ccs2, not NACS" in said
        and board.wire.ports is None
    )
    assert (
        run("add", *LEFT, "--connector", "nacs", "--phases", "0", "--inlet", "2", "--port", "x")[0]
        == 0
    )
    assert board.readings.port_ma == 80000


def test_with_a_plug_in_nothing_is_stored(board):
    board.readings.pp_ok = True
    board.readings.pp_mv = 1907
    for _ in range(200):
        board.go()
    assert board.commands.plug_present
    status, said = run("add", *LEFT, "--port", "x")
    assert status == 1 and "pull the plug, then try again" in said and board.wire.ports is None
    assert run("list", "--port", "x")[0] == 0


def test_decommissioned_is_replaced_in_service_mode(board):
    run("add", *LEFT, "--port", "x")
    run("decommission", 1, "--yes", "--port", "x")
    status, said = run("add", 1, *LEFT, "--port", "x")
    assert status == 1 and "only a board in service mode replaces them" in said
    board.readings.pp_ok, board.readings.pp_mv = True, 4455
    board.readings.lock_feedback_ok, board.readings.lock_feedback_mv = True, 580
    board.readings.stop_request = board.readings.unlock_request = True
    for _ in range(700):
        board.go()
    assert run("add", 1, *LEFT, "--port", "x")[0] == 0
    assert [one["status"] for one in board.records] == ["operational"]


def test_records_that_a_board_cannot_read_close_it_and_are_told(monkeypatch):
    board = Board(SETTINGS, b"\x09" + bytes(11))
    at_the_command_line(monkeypatch, board)
    assert board.notes == [
        "port records cannot be read: port records are of another version: flash the firmware that wrote them; the port is out of service"
    ]
    assert board.readings.port_holds and board.readings.port_dc_holds
    status, said = run("list", "--port", "x")
    assert status == 2 and "cannot be read (these are no port records of this version)" in said
    status, said = run("delete", "all", "--yes", "--port", "x")
    assert status == 1 and "service mode" in said and board.wire.ports


def test_a_board_that_stores_no_port_records_says_so(monkeypatch):
    at_the_command_line(monkeypatch, FakeBoard(SETTINGS))
    status, said = run("list", "--port", "x")
    assert status == 1 and "keeps no port records" in said


def test_an_answer_that_is_damaged_or_lost_is_asked_for_again(board):
    board.garbles = 2
    assert run("add", *LEFT, "--port", "x")[0] == 0
    assert len(board.records) == 1


def test_a_board_that_forgets_is_told(board, monkeypatch):
    monkeypatch.setattr(WirePortStore, "write", lambda *_: None)
    status, said = run("add", *LEFT, "--port", "x")
    assert status == 1 and "does not keep port 1" in said


def test_a_lost_port_is_a_sentence(board, monkeypatch):
    def gone(self, data):
        raise PortLost("unplugged")

    monkeypatch.setattr(FakePort, "write", gone)
    status, said = run("list", "--port", "x")
    assert status == 1 and "The board at x is gone (unplugged)" in said


def test_a_file_is_loaded_and_saved(board, path, tmp_path):
    run("add", *LEFT, "--file", path)
    run("add", *FAST, "--file", path)
    status, said = run("load", "--file", path, "--port", "x")
    assert status == 0 and "2 of the records" in said
    assert board.wire.ports == encode(port_file.PortFile(path).records)
    copy = tmp_path / "copy.json"
    assert run("save", "--file", copy, "--port", "x")[0] == 0
    assert copy.read_bytes() == path.read_bytes()
    assert "is there already" in run("save", "--file", copy, "--port", "x")[1]


def test_loading_a_file_with_errors_asks_and_loads_the_rest(board, path):
    run("add", *LEFT, "--file", path)
    whole = json.loads(path.read_text())
    path.write_text(json.dumps({**whole, "ports": [{"id": 2}, *whole["ports"]]}))
    status, said = run("load", "--file", path, "--port", "x", enter="n\n")
    assert (
        status != 0
        and "entry 1: port 2, label: it is missing" in said
        and board.wire.ports is None
    )
    assert run("load", "--file", path, "--port", "x", "--yes")[0] == 0
    assert [one["id"] for one in board.records] == [1]


def test_the_simulated_board_takes_a_record():
    status, said = run(
        "add",
        "--label",
        "Home",
        "--connector",
        "type2",
        "--power",
        "ac2",
        "--max-kw",
        "7.4",
        "--port",
        "sim:",
    )
    assert status == 0 and "port 1 is recorded" in said
