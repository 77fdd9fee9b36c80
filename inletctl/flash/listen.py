"""Hear what the board reports on its console (firmware/vehicle/console.py) among whatever else it says."""

from collections.abc import Callable
from dataclasses import dataclass

from inletctl.flash.transport import Link, LinkLost
from inletctl.house import use_firmware
from inletctl.link.codec import COMMANDS_KIND, LineSorter, Telemetry

use_firmware()

from drivers.virtual_layout import COMMANDS  # noqa: E402
from faults import F_INTERNAL  # noqa: E402
from interlock import CHARGING, STOPPING  # noqa: E402

# The board's queue may hold four old lines, sent at 800 bytes a second: after these 2.5 s the newest line heard is
# at most a second old.
LISTEN_S = 2.5


@dataclass(frozen=True)
class ReportLine:
    """One line of commands."""

    number: int
    commands: dict[str, int]

    @property
    def is_energised(self) -> bool:
        """Return whether stopping the firmware now would interrupt a charge."""
        return self.commands["session"] in (CHARGING, STOPPING) or self.commands["s2_close"] != 0

    @property
    def is_healthy(self) -> bool:
        """Return whether the firmware itself works; what hangs on the board's pins is another matter."""
        return not self.commands["faults"] & F_INTERNAL


class Listener:
    """Keeps the newest report and the last words that are none."""

    def __init__(self) -> None:
        self.newest: ReportLine | None = None
        self.is_lost = False  # the link broke while listening
        self._sorter = LineSorter()
        self._sorter.on_telemetry = self._hear

    @property
    def words(self) -> str:
        """Return the last line that is none of the protocol, "" if there was none."""
        return self._sorter.words[-1] if self._sorter.words else ""

    def feed(self, data: bytes) -> None:
        """Take bytes as they come."""
        self._sorter.feed(data)

    def _hear(self, line: Telemetry) -> None:
        if line.kind == COMMANDS_KIND:
            self.newest = ReportLine(line.number, dict(zip(COMMANDS, line.values)))


def listen(link: Link, clock: Callable[[], float], seconds: float = LISTEN_S) -> Listener:
    """Listen for `seconds` and return what was heard. Raises LinkLost."""
    listener = Listener()
    until = clock() + seconds
    while (left := until - clock()) > 0:
        listener.feed(link.read(min(left, 0.2)))
    return listener


def wait_healthy(link: Link, clock: Callable[[], float], seconds: float) -> Listener:
    """Listen until a healthy report comes, at most `seconds`; its `newest` tells whether one did.

    A lost link ends the wait.
    """
    listener = Listener()
    until = clock() + seconds
    while (left := until - clock()) > 0:
        try:
            listener.feed(link.read(min(left, 0.2)))
        except LinkLost:
            listener.is_lost = True
            break
        if listener.newest is not None and listener.newest.is_healthy:
            break
    return listener
