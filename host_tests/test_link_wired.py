"""inletctl.link.wired, sim_board and port: a simulated board that is spoken to as a real one."""

import contextlib
import os
import socket
import threading

import pytest

from faults import SERVICE_MODE
from inletctl.errors import UserError
from inletctl.house import SCENARIOS, firmware_hash
from inletctl.link import port as ports
from inletctl.link.client import BoardClient
from inletctl.link.codec import LineSorter, command_line
from inletctl.link.port import PortLost, SerialPort, SimPort, open_port, port_error
from inletctl.link.sim_board import endless
from inletctl.link.wired import Wire, run_wired
from inletctl.scenario.load import read_scenario
from inletctl.scenario.parse import parse_scenario
from inletctl.session import Session
from interlock import CHARGING, SESSION_NAMES, UNPLUGGED

IDLE = "title idle\ninlet type2\nend 5s\n"
POWER_OFF = b"\n"
FAST = ("--speed", "100")


class Run:
    """A scenario run to its end; `script`: at which pass what is sent."""

    def __init__(self, text=IDLE, script=None, stored=None):
        scenario = parse_scenario(text, "test.txt")
        self.session = Session(scenario)
        self.wire = Wire(scenario.settings if stored is None else stored)
        self.sorter = LineSorter()
        self.lines, self.replies, self.most = [], [], 0
        self.sorter.on_telemetry = self.lines.append
        self.sorter.on_reply = self.replies.append
        self.passes = 0
        self._script = script or {}
        run_wired(self.session, self.wire, self._pass)

    def _pass(self, board):
        self.passes += 1
        self.most = max(self.most, len(board.outbox))
        self.sorter.feed(bytes(board.outbox))
        board.outbox.clear()
        what = self._script.get(self.passes, b"")
        board.inbox.extend(what)
        board.is_powered = what != POWER_OFF


def test_the_firmware_s_own_lines_are_all_understood():
    run = Run(script={100: command_line(1, "rate", (20,))})
    assert {line.kind for line in run.lines} == {"commands", "readings"}
    assert (run.sorter.damaged, run.sorter.lost, list(run.sorter.words)) == (0, 0, [])
    assert len(run.lines) > 100


def test_a_pass_sends_no_more_than_a_real_board():
    run = Run(script={100: command_line(1, "rate", (20,))})
    assert run.most == 64


def test_a_burst_is_heard_piece_by_piece():
    run = Run(script={100: b"".join(command_line(n, "hello") for n in range(1, 30))})
    assert [reply.id for reply in run.replies] == [*range(1, 30)]


def test_settings_outlast_a_restart_and_are_in_force_then():
    set_line = command_line(1, "set", (2, 16000))
    script = {100: set_line, 110: command_line(2, "store"), 120: command_line(3, "restart")}
    run = Run("title t\ninlet type2\nat 2.5s plug 32A\nend 6s\n", script)
    assert run.wire.stored["max_current_ma"] == 16000
    number = [line.number for line in run.lines]
    assert 0 in number[1:], "its numbers begin anew"
    assert run.lines[-1].values[10] <= 16000, "permitted_ma"
    assert run.lines[-1].values[10] > 15000


def test_a_board_that_restarts_is_dark_meanwhile():
    run = Run(script={100: command_line(3, "restart")})
    assert run.passes == Run().passes - 20, "the dark ones are not the board's"
    assert [line.number for line in run.lines].count(0) == 2


def test_a_board_without_settings_says_so_on_its_console():
    scenario = parse_scenario(IDLE, "test.txt")
    wire = Wire(None)
    run_wired(Session(scenario), wire)
    assert b"none are stored" in wire.outbox


def test_a_run_ends_when_its_power_is_taken():
    run = Run(script={50: POWER_OFF})
    assert run.passes == 50


def test_what_happens_in_a_scenario_is_repeated_without_end():
    scenario = parse_scenario("title t\ninlet type2\nat 1s plug\nat +1s unplug\nend 5s\n", "t.txt")
    made = endless(scenario, 3)
    assert [a.t_us for a in made.actions] == [n * 1_000_000 for n in (1, 2, 6, 7, 11, 12)]
    assert made.end_us > 10**12
    assert not made.expectations


def test_the_shipped_simulation_shows_service_mode_and_a_charge():
    own = read_scenario(ports.__file__.replace("port.py", "sim.txt"))
    run_session = Session(own)
    wire, seen, sorter = Wire(own.settings), set(), LineSorter()
    sorter.on_telemetry = lambda line: seen.add(
        (line.values[5], bool(line.values[12] & SERVICE_MODE))
    )

    def each_pass(board):
        sorter.feed(bytes(board.outbox))
        board.outbox.clear()

    run_wired(run_session, wire, each_pass)
    assert (UNPLUGGED, True) in seen
    sessions = {SESSION_NAMES[session] for session, _ in seen}
    assert SESSION_NAMES[CHARGING] in sessions and "released" in sessions
    assert not run_session.world.plugged


# The process.


@pytest.fixture
def sim():
    port = SimPort(*FAST)
    yield port
    port.close()


def test_a_simulated_board_answers_over_its_pipes(sim):
    found = BoardClient(sim).hello()
    assert (found.chip, found.firmware) == ("cpython", firmware_hash())


def test_a_simulated_board_ends_when_nobody_listens(sim):
    sim.read(10)
    sim.close()
    assert sim._process.returncode == 0


def test_a_simulated_board_that_has_ended_is_a_lost_port():
    port = SimPort("no_such_scenario_at_all")
    with pytest.raises(PortLost, match="no_such_scenario_at_all: cannot be read"):
        while True:
            port.read(10)
    with pytest.raises(PortLost):
        port.read(0)
    port.close()


def test_a_wrong_scenario_is_told_before_anything_starts():
    with pytest.raises(UserError, match="cannot be read"):
        open_port("sim:nothing_of_that_name")


def test_a_named_scenario_is_run():
    port = open_port("sim:%s" % (SCENARIOS / "type2_cable_32.txt"))
    assert port.read(10)
    port.close()


# Serial ports.


def test_a_port_that_is_not_there_is_told_with_those_that_are():
    with pytest.raises(UserError, match=r"There is no port /dev/ttyNOTHING: .*USB serial port"):
        open_port("/dev/ttyNOTHING")


@pytest.mark.skipif(os.name != "posix", reason="a pseudo terminal stands for a serial port")
def test_a_port_that_somebody_uses_is_busy():
    master, slave = os.openpty()
    name = os.ttyname(slave)
    first = SerialPort(name)
    with pytest.raises(UserError, match="is busy: close the other program"):
        SerialPort(name)
    first.write(b"hello")
    assert os.read(master, 5) == b"hello"
    os.write(master, b"world")
    assert first.read(10) == b"world"
    assert first.read(0) == b""
    os.close(slave)
    os.close(master)
    with pytest.raises(PortLost):
        first.read(0.1)
    first.close()


def test_a_socket_is_a_port_and_is_lost_when_it_closes():
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as server:

        def serve():
            with contextlib.closing(server.accept()[0]) as peer:
                peer.sendall(peer.recv(5).upper())

        thread = threading.Thread(target=serve)
        thread.start()
        port = open_port("socket://127.0.0.1:%d" % server.getsockname()[1])
        port.write(b"hello")
        heard = b""
        with pytest.raises(PortLost):
            while True:
                heard += port.read(1)
        assert heard == b"HELLO"
        thread.join()
        port.close()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PermissionError(13, "denied"), "You may not open the port"),
        (OSError(16, "busy"), "is busy"),
        (ValueError("invalid URL"), r"does not open \(invalid URL\)"),
        (OSError(), r"does not open \(OSError\)"),
    ],
)
def test_every_reason_that_a_port_does_not_open_has_its_sentence(error, words):
    with pytest.raises(UserError, match=words):
        raise port_error("socket://x", error)
