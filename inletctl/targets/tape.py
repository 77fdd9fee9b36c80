"""A session on tape: what the board reads in each pass, and what it must command.

Made on CPython with the virtual inlet in the loop; played to the 32-bit MicroPython it needs no inlet there. Same readings and
same commands, pass by pass, are the same session: what follows from them is decided by the one inlet of both.
"""

from array import array
from operator import attrgetter
from struct import Struct
from typing import Any

from inletctl.house import use_firmware
from inletctl.session import Session
from inletctl.targets import cpython

use_firmware()

import drivers.virtual_layout as layout  # noqa: E402

_COMMANDS = layout.COMMANDS + layout.CAR_COMMANDS
_SENT = ("ids", layout.IDS), ("frames", layout.FRAMES * layout.FRAME_INTS)
# Every int of a frame of commands by name.
COMMAND_NAMES = (
    *_COMMANDS,
    *layout.CAR_OUT,
    *("%s[%d]" % (name, n) for name, size in _SENT for n in range(size)),
)


class Tape:
    """`readings`: RX_INTS ints a pass, the ticks counted from the session's; `commands`: TX_INTS ints, the answer to the frame before.

    A reset and the end are frames too, of which only the status counts. What a boot answers to nothing counts for nothing.
    """

    def __init__(self, session: Session):
        self.settings: dict[str, int] = session.scenario.settings
        self.start_ms = session.start_ms
        self.readings = array("i")
        self.commands = array("i")

    @property
    def frames(self) -> int:
        """Return how many frames of each there are."""
        return len(self.readings) // layout.RX_INTS


class TapeBoard(cpython.HostBoard):
    """A board that keeps what is read and commanded in each pass."""

    def __init__(self, session: Session, tape: Tape):
        super().__init__(session)
        self._tape = tape
        self._made = bytes(4 * len(_COMMANDS))
        self._fields_of = attrgetter(*layout.FIELDS)
        self._arrays_of = attrgetter(*[name for name, _size in layout.ARRAYS])
        self._pack_read = Struct("=%di" % layout.CAR_IN_AT).pack
        self._commands_of = attrgetter(*_COMMANDS)
        self._pack_made = Struct("=%di" % len(_COMMANDS)).pack

    def next_pass(self) -> bool:
        """Keep what is handed over, and wait for the next period; False when the power ends."""
        commands = self._tape.commands
        commands.frombytes(self._made)
        if self._lines is not None:
            self._car_out[cpython.LINES_AT] = self._lines.outputs
        commands.extend(self._car_out)
        goes_on = super().next_pass()
        if not goes_on:
            self._tape.readings.extend([self.status, *[0] * (layout.RX_INTS - 1)])
        return goes_on

    def sample(self, readings: Any) -> None:
        """Fill the readings, and keep them."""
        super().sample(readings)
        session = self._session
        if not self._has_car_side:
            # The other target is told in every pass.
            session.tell(self._car_in, 0)
        a, b, c, d, e = self._arrays_of(readings)
        kept = self._tape.readings
        kept.frombytes(
            self._pack_read(
                layout.STATUS_RUN, session.now_ms, *self._fields_of(readings), *a, *b, *c, *d, *e
            )
        )
        kept.extend(self._car_in)

    def actuate(self, commands: Any) -> None:
        """Obey the commands, and keep them."""
        self._made = self._pack_made(*self._commands_of(commands))
        super().actuate(commands)


def record(session: Session) -> Tape:
    """Run the session to its end on CPython, and return it on tape. Raises what the firmware raised."""
    tape = Tape(session)
    cpython.run(session, lambda session: TapeBoard(session, tape))
    return tape


def differences(tape: Tape, at: int, made: list[int]) -> str:
    """Return in words how the answer in frame `at` differs from the tape's."""
    wanted = tape.commands[at * layout.TX_INTS : (at + 1) * layout.TX_INTS]
    t_ms = (tape.readings[(at - 1) * layout.RX_INTS + 1] - tape.start_ms) & 0x3FFFFFFF
    return "at %d ms it commands something else than on CPython: %s" % (
        t_ms,
        ", ".join(
            "%s %d, not %d" % (name, is_so, should)
            for name, is_so, should in zip(COMMAND_NAMES, made, wanted)
            if is_so != should
        ),
    )
