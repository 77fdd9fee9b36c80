"""A scenario of the simulation as a recorded log: at a rate, as a computer at the wire gets it, or every pass.

A board tells readings every 20 ms at most, and its wire is slower still. The simulation has no wire to wait for: its
log of every pass holds all that the logic was given, and the replay of it has nothing to guess.
"""

from pathlib import Path
from typing import Any

from inletctl.house import use_firmware
from inletctl.link.client import Identity
from inletctl.link.codec import LineSorter, command_line
from inletctl.link.log import Header, Log, LogWriter, read_log
from inletctl.link.wired import Wire, WiredBoard, run_wired
from inletctl.scenario.model import Scenario
from inletctl.session import Session
from inletctl.targets.cpython import HostBoard, run

use_firmware()

from settings import Settings  # noqa: E402
from vehicle.desk import Desk  # noqa: E402

BOARD = Identity("cpython", "simulation", "0", "x")
EVERY_PASS = 0
# The desk answers from then on.
_ASK_AFTER = 60


def record_session(scenario: Scenario, path: Path, rate_ms: int = EVERY_PASS) -> Log:
    """Run the scenario and record what the board tells to the file `path`: readings every `rate_ms`, 20..60000.

    Every boot is asked for readings anew, as soon as it answers. EVERY_PASS needs no asking and begins with the boot.
    Raises UserError where the file cannot be written.
    """
    settings = {key: (value, True) for key, value in scenario.settings.items()}
    writer = LogWriter(path, Header.of(BOARD, settings))
    try:
        if rate_ms == EVERY_PASS:
            run(Session(scenario), lambda session: _EveryPassBoard(session, writer))
        else:
            _record_wire(scenario, writer, rate_ms)
    finally:
        writer.close()
    return read_log(path)


def _record_wire(scenario: Scenario, writer: LogWriter, rate_ms: int) -> None:
    wire = Wire(scenario.settings)
    sorter = LineSorter()
    sorter.on_line = writer.line
    passes: dict[int, int] = {}

    def each_pass(board: WiredBoard) -> None:
        passes[id(board)] = passes.get(id(board), 0) + 1
        if passes[id(board)] == _ASK_AFTER:
            wire.inbox.extend(command_line(1, "rate", (rate_ms,)))
        sorter.feed(bytes(wire.outbox))
        wire.outbox.clear()

    run_wired(Session(scenario), wire, each_pass)


class _EveryPass(Desk):
    """A desk that tells readings in every pass, and hears nothing."""

    def tick(self, now_ms: int, r: Any, c: Any, late: int) -> None:
        self._keep(now_ms, r, c, late)
        self._tell_readings()


class _EveryPassBoard(HostBoard):
    """A board over a Session with a wire that takes everything at once."""

    def __init__(self, session: Session, writer: LogWriter):
        super().__init__(session)
        self._sorter = LineSorter()
        self._sorter.on_line = writer.line
        self._desk: "Desk | None" = None
        self._commands: Any = None

    def actuate(self, commands: Any) -> None:
        self._commands = commands
        super().actuate(commands)

    def talk(self, report: Any) -> None:
        if self._desk is None:
            self._desk = _EveryPass(None, Settings({}), report, "")
        self._desk.tick(self.now_ms(), self._readings, self._commands, self.late)
        said = bytearray()
        while report.pending():
            said.append(report.take())
        self._sorter.feed(bytes(said))
