"""The firmware on CPython, in this process: fastest, and what coverage and debuggers see."""

import gc
import runpy
from array import array
from collections.abc import Callable
from functools import cache
from typing import Any

from inletctl.house import FIRMWARE, use_firmware
from inletctl.session import Session

use_firmware()

import drivers.virtual_layout as layout  # noqa: E402
from drivers.virtual_car import VirtualCan, VirtualLines, has_lines  # noqa: E402

LINES_AT = layout.CAR_OUT.index("lines_outputs")
_FRAMES_AT = layout.CAR_OUT.index("frames")


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
        # The car's side, as in the frames of the other target; taken part in once something is opened.
        self._car_in = array("i", [0] * layout.CAR_IN_INTS)
        self._car_out = array("i", [0] * layout.CAR_OUT_INTS)
        self._lines: VirtualLines | None = None
        self._has_car_side = False

    def settings(self) -> dict[str, int]:
        """Return what is stored as settings."""
        return self._session.scenario.settings

    def note(self, sentence: str) -> None:
        """Tell a person."""
        self.notes.append(sentence)

    def open_can(self, *_rate) -> VirtualCan:
        """Return the CAN controller; it is always fitted, and answers as the session's does."""
        self._has_car_side = True
        return VirtualCan(self._car_in, 0, self._car_out, 0)

    def open_lines(self) -> "VirtualLines | None":
        """Return the discrete lines, None where none are fitted."""
        if not has_lines(self.settings()):
            return None
        self._has_car_side = True
        self._lines = VirtualLines(self._car_in, 0)
        return self._lines

    def next_pass(self) -> bool:
        """Wait for the next period; False when the power ends."""
        if self._has_car_side:
            out = self._car_out
            if self._lines is not None:
                out[LINES_AT] = self._lines.outputs
            self._session.hear(out, 0)
            out[_FRAMES_AT] = 0
        self.status = self._session.next_pass()
        return self.status == layout.STATUS_RUN

    def now_ms(self) -> int:
        """Return the tick of this pass."""
        return self._session.now_ms

    def sample(self, readings) -> None:
        """Fill the readings."""
        self._readings = readings
        self._session.sample(readings)
        if self._has_car_side:
            self._session.tell(self._car_in, 0)

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

    def begin_long(self) -> None:
        """Nothing to mark: the session's clock waits."""

    def end_long(self) -> None:
        """No schedule was missed."""

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
            session.stored_settings = board.settings
            firmware_main()["run"](board)
            if board.failure is not None:
                session.end_early("the firmware failed: %r" % board.failure)
                raise board.failure
            if board.status != layout.STATUS_RESET:
                return
    finally:
        if was_on:
            gc.enable()
