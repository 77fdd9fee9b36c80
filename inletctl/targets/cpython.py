"""The firmware on CPython, in this process: fastest, and what coverage and debuggers see."""

import gc
import runpy
from collections.abc import Callable
from functools import cache
from typing import Any

from inletctl.house import FIRMWARE, use_firmware
from inletctl.session import Session

use_firmware()

import drivers.virtual_layout as layout  # noqa: E402


class HostBoard:
    """The board contract over a Session, without frames: the firmware's own objects go back and forth."""

    def __init__(self, session: Session):
        self._session = session
        self._readings: Any = None
        self.status = layout.STATUS_RUN
        self.failure: BaseException | None = None
        self.notes: list[str] = []
        self.late = 0
        self.crashes = 0
        self.words = ""  # no console: nobody asks who this is

    def settings(self) -> dict[str, int]:
        """Return what is stored as settings."""
        return self._session.scenario.settings

    def note(self, sentence: str) -> None:
        """Tell a person."""
        self.notes.append(sentence)

    def next_pass(self) -> bool:
        """Wait for the next period; False when the power ends."""
        self.status = self._session.next_pass()
        return self.status == layout.STATUS_RUN

    def now_ms(self) -> int:
        """Return the tick of this pass."""
        return self._session.now_ms

    def sample(self, readings) -> None:
        """Fill the readings."""
        self._readings = readings
        self._session.sample(readings)

    def actuate(self, commands) -> None:
        """Obey the commands."""
        self._session.obey(self._readings, commands)

    def safe(self) -> None:
        """Every output to its safe level."""
        self._session.world.apply(self._session.safe_commands)

    def failed(self, error) -> None:
        """Record why the loop ended."""
        self.failure = error

    def feed_watchdog(self) -> None:
        """Nothing to feed: the session sees every pass."""

    def stop_watchdog(self) -> None:
        """There is none."""

    def talk(self, report) -> None:
        """Leave the report where it is: the session gets every command whole."""

    def slack(self, may_collect: bool) -> None:
        """No garbage to collect here."""


@cache
def firmware_main() -> dict[str, Any]:
    """Return the names of the firmware's main.py, run once."""
    return runpy.run_path(str(FIRMWARE / "main.py"), run_name="openinlet")


def run(session: Session, board_of: Callable[[Session], HostBoard] = HostBoard) -> None:
    """Run the session to its end with the firmware's own loop. Raises what the firmware raised.

    `board_of` makes the board anew for each start.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        while True:
            board = board_of(session)
            firmware_main()["run"](board)
            if board.failure is not None:
                session.end_early("the firmware failed: %r" % board.failure)
                raise board.failure
            if board.status != layout.STATUS_RESET:
                return
    finally:
        if was_on:
            gc.enable()
