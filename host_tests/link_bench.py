"""A board at the end of a fake port: the firmware's own step, report and desk, in time that only reading moves."""

import gc

from inletctl.link.client import BoardClient, Identity
from inletctl.link.codec import LineSorter, command_line
from inletctl.link.log import Header, LogWriter, read_log
from inletctl.link.port import PortLost
from inletctl.link.wired import Wire, run_wired
from inletctl.session import Session
from inletctl.targets.cpython import firmware_main
from settings import Settings
from signals import Commands, Readings
from step import InletStep

# The firmware collects garbage at every boot; what the tests themselves hold need not be looked through each time.
gc.freeze()

WORDS = "rp2040 rp2040-reference e6614c3"
PASS_S = 0.01
DARK_PASSES = 20


class Clock:
    """Seconds, which pass only where something waits."""

    def __init__(self):
        self.now_s = 100.0

    def __call__(self):
        return self.now_s

    def sleep(self, seconds):
        self.now_s += seconds


class FakeBoard:
    """Outlives its port: what is stored, what its pins read, what went wrong."""

    def __init__(self, stored=None, clock=None):
        self.clock = clock or Clock()
        self.stored = dict(stored) if stored is not None else None
        self.readings = Readings()
        self.stages = []  # called in turn, one each time readings are asked for: another world
        self.is_deaf = False  # says its own lines, answers nothing
        self.is_silent = False
        self.is_gone = False  # the port is lost
        self.loses_port = False  # with a restart, as USB does
        self.garbles = 0  # so many of the next answers are damaged
        self.keeps_nothing = False  # a store that is obeyed and forgotten
        self.asked = b""
        self.boots = 0
        self.dark = 0
        self._is_restarting = False
        self._boot()

    def _boot(self):
        self.boots += 1
        self.out = bytearray()
        self.waiting = bytearray()
        settings = Settings(self.stored)
        self.inlet = InletStep(settings)
        self.commands = Commands()
        self.host = firmware_main()["Host"](self, settings)
        self.now_ms = 0

    # What main.Host and the desk call.

    words = WORDS
    late = 0

    def talk(self, report):
        for _ in range(64):
            if not report.pending():
                return
            self.out.append(report.take())

    def hear(self, desk):
        while self.waiting and not desk.is_full:
            desk.hear(self.waiting.pop(0))

    def begin_long(self):
        pass

    def end_long(self):
        pass

    def settings(self):
        return None if self.stored is None else dict(self.stored)

    def store(self, values):
        if not self.keeps_nothing:
            self.stored = dict(values)

    def forget(self):
        self.stored = None

    def restart(self):
        self._is_restarting = True

    # Time.

    def go(self):
        """One pass."""
        self.clock.now_s += PASS_S
        if self.dark:
            self.dark -= 1
            return
        self.now_ms += 10
        self.host.fill(self.now_ms, self.readings)
        self.inlet.step(self.now_ms, self.readings, self.commands)
        self.host.serve(self.now_ms, self.readings, self.commands)
        is_at_rest = not self.commands.s2_close and not self.commands.lock_drive
        self.host.rest(self.now_ms, is_at_rest)
        if self._is_restarting:
            self._is_restarting = False
            self.is_gone = self.loses_port
            self.dark = DARK_PASSES
            self._boot()

    def port(self):
        """Open its port anew."""
        self.is_gone = False
        return FakePort(self)


class FakePort:
    def __init__(self, board):
        self._board = board
        self.is_closed = False

    def write(self, data):
        board = self._board
        if board.is_gone:
            raise PortLost("device not configured")
        board.asked += data
        if b'"do":"rate","a":[0]' not in data and b'"do":"rate"' in data and board.stages:
            board.stages.pop(0)(board.readings)
        if not (board.is_deaf or board.is_silent):
            board.waiting += data

    def read(self, timeout_s):
        board = self._board
        until = board.clock.now_s + timeout_s
        while not board.is_gone:
            board.go()
            if board.out and not board.is_silent:
                data = bytes(board.out)
                board.out.clear()
                if board.garbles and b'"re"' in data:
                    board.garbles -= 1
                    data = data.replace(b'"re"', b'"rf"')
                return data
            if board.clock.now_s >= until:
                return b""
        raise PortLost("device not configured")

    def close(self):
        self.is_closed = True


def connect(board):
    """Return a client.BoardClient of the board, on the board's clock."""
    return BoardClient(board.port(), board.clock, board.port, board.clock.sleep)


def at_the_command_line(monkeypatch, board):
    """Have every command find `board` at any port."""
    from inletctl.link import client, port

    made = client.BoardClient

    def make(opened, reopen=None):
        return made(opened, board.clock, reopen, board.clock.sleep)

    monkeypatch.setattr(client, "BoardClient", make)
    monkeypatch.setattr(port, "open_port", lambda name: board.port())


CHARGE = "title t\ninlet type2\nat 1s plug 32A\nat +8s evse_offer 10A\nat +6s stop\nend +4s\n"
BOARD = Identity("cpython", "simulation", "0", "x")


def record(scenario, path, rate_ms=20, asks=None):
    """Run the scenario on the simulated board and record what it says; `asks`: (pass, word) told it on the way."""
    session = Session(scenario)
    wire = Wire(scenario.settings)
    settings = {key: (value, True) for key, value in scenario.settings.items()}
    writer = LogWriter(path, Header.of(BOARD, settings))
    sorter = LineSorter()
    sorter.on_line = writer.line
    passes = 0

    def each_pass(board):
        nonlocal passes
        passes += 1
        if passes == 60 and rate_ms:
            wire.inbox.extend(command_line(1, "rate", (rate_ms,)))
        for at, word in asks or ():
            if passes == at:
                wire.inbox.extend(command_line(2, word))
                writer.asked(word, (), session.now_ms)
        sorter.feed(bytes(wire.outbox))
        wire.outbox.clear()

    run_wired(session, wire, each_pass)
    writer.close()
    return read_log(path)
