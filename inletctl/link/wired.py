"""The simulated board with its console wired: the firmware's own desk and report, bytes going in and out.

`HostBoard` hands the firmware's objects back and forth; here a computer hears and asks over the line protocol besides,
as on a real board: at most 64 bytes a pass either way, settings that outlast a restart, a restart that takes its time.
"""

from collections.abc import Callable
from typing import Any

from inletctl.house import use_firmware
from inletctl.journal.memory_files import MemoryFiles
from inletctl.scenario.language import RESET_OFF_MS
from inletctl.session import PASS_US, Session
from inletctl.targets.cpython import HostBoard, run

use_firmware()

import drivers.virtual_layout as layout  # noqa: E402
from drivers.flash_log import FlashLog  # noqa: E402
from signals import Readings  # noqa: E402

# What the board says of itself: chip, board and board id.
WORDS = "cpython simulation 0000000000000000"
# As drivers/chip_board.py.
_BYTES_A_PASS = 64


class Wire:
    """What stays while the board restarts: its port, and what it has stored.

    inbox, outbox   bytes on their way to the board, and from it; whoever reads `outbox` empties it
    stored          settings, None where nothing is stored
    ports           the stored port records, None where there are none
    flash           the journal's files
    """

    def __init__(self, stored: "dict[str, int] | None"):
        self.inbox = bytearray()
        self.outbox = bytearray()
        self.stored = None if stored is None else dict(stored)
        self.ports: "bytes | None" = None
        self.flash = MemoryFiles()  # where the journal is


class WirePortStore:
    """Keeps the port records of a Wire, as drivers.store.PortStore does on flash."""

    def __init__(self, wire: Wire):
        self._wire = wire

    def read(self) -> "bytes | None":
        """Return what is stored, None where nothing is."""
        return self._wire.ports

    def write(self, values: bytes, _is_idle: bool) -> None:
        """Keep the records."""
        self._wire.ports = values

    def forget(self, _is_idle: bool) -> None:
        """Keep no records any more."""
        self._wire.ports = None


class WiredBoard(HostBoard):
    """A board over a Session whose console ends in a Wire. `each_pass` is called at the end of every pass."""

    def __init__(
        self,
        session: Session,
        wire: "Wire | None" = None,
        each_pass: "Callable[[WiredBoard], None] | None" = None,
    ):
        super().__init__(session)
        self.wire = wire or Wire(session.scenario.settings)
        self.words = WORDS
        self.commands: Any = None  # of this pass
        self.is_powered = True  # False ends the run with the next pass
        self._each_pass = each_pass
        self._is_restarting = False

    @property
    def inbox(self) -> bytearray:
        """Bytes on their way to the board."""
        return self.wire.inbox

    @property
    def outbox(self) -> bytearray:
        """Bytes that the board has said."""
        return self.wire.outbox

    def settings(self) -> Any:
        """Return what is stored, None where nothing is."""
        return None if self.wire.stored is None else dict(self.wire.stored)

    def store(self, values: dict[str, int]) -> None:
        """Keep settings."""
        self.wire.stored = dict(values)

    def forget(self) -> None:
        """Keep no settings any more."""
        self.wire.stored = None

    def port_store(self) -> WirePortStore:
        """Return what keeps the port records."""
        return WirePortStore(self.wire)

    def journal_log(self, kept: "tuple[int, ...]") -> FlashLog:
        """Return the journal's log, not yet open."""
        return FlashLog(kept=kept, files=self.wire.flash, note=self.note)

    def restart(self) -> None:
        """Restart; unlike on a chip the pass is still finished."""
        self._is_restarting = True

    def next_pass(self) -> bool:
        """Wait for the next period; False when the power ends or the board restarts."""
        if not self.is_powered:
            self.status = layout.STATUS_END
            return False
        if self._is_restarting:
            self._stay_dark()
            return False
        return super().next_pass()

    def _stay_dark(self) -> None:
        """Let the time of a restart go by with every output released."""
        session = self._session
        readings = Readings()
        self.safe()
        for _ in range(RESET_OFF_MS * 1000 // PASS_US):
            self.status = session.next_pass()
            if self.status != layout.STATUS_RUN:
                return
            session.sample(readings)
            session.obey(readings, session.safe_commands)
        self.status = layout.STATUS_RESET

    def note(self, sentence: str) -> None:
        """Tell a person, on the console, on a line of its own."""
        super().note(sentence)
        self.outbox.extend(b"\r\n" + sentence.encode() + b"\r\n")

    def actuate(self, commands: Any) -> None:
        """Obey the commands."""
        self.commands = commands
        super().actuate(commands)

    def talk(self, report: Any) -> None:
        """Take what the board says, as much as a pass sends."""
        outbox = self.outbox
        for _ in range(_BYTES_A_PASS):
            if not report.pending():
                return
            outbox.append(report.take())

    def hear(self, desk: Any) -> None:
        """Hand over what waits, as much as a pass hears."""
        inbox = self.inbox
        heard = 0
        while heard < _BYTES_A_PASS and heard < len(inbox) and not desk.is_full:
            desk.hear(inbox[heard])
            heard += 1
        del inbox[:heard]

    def begin_long(self) -> None:
        """Nothing to mark: the session's clock waits."""

    def end_long(self) -> None:
        """No schedule was missed."""

    def slack(self, may_collect: bool) -> None:
        """The pass is over."""
        if self._each_pass is not None:
            self._each_pass(self)


def run_wired(
    session: Session,
    wire: Wire,
    each_pass: "Callable[[WiredBoard], None] | None" = None,
) -> None:
    """Run the session to its end with the firmware's own loop, restarts included. Raises what the firmware raised.

    `wire.stored` is what the board finds stored, not the scenario's settings.
    """
    run(session, lambda session: WiredBoard(session, wire, each_pass))
