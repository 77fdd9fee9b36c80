"""Asking a board over its line protocol, while what it tells by itself is handed on and none of it is lost."""

import time
from collections.abc import Callable
from typing import NamedTuple

from inletctl.errors import UserError
from inletctl.house import use_firmware
from inletctl.link.codec import TICKS_MASK, LineSorter, Reply, command_line
from inletctl.link.port import Port, PortLost
from inletctl.link.refusal_words import refusal

use_firmware()

from setting_rows import ROW_KEY, ROW_NUMBER, TABLE  # noqa: E402
from vehicle.protocol import NOT_IDLE  # noqa: E402

# A board answers within a few passes; its desk opens half a second after the boot.
_ANSWER_S = 1.0
_TRIES = 3
_POLL_S = 0.1
# From the answer to `restart` to the restart itself (vehicle/desk.py), and some.
_GOING_DOWN_S = 0.8
# A restart with a flash to finish, and a computer that finds its USB port again.
_BACK_S = 20.0
# Found but silent, or not found yet: how long until it is tried again.
_AGAIN_S = 0.3
# The board needs half a second to believe that a plug is out, and a lock some more to open.
_PATIENCE_S = 3.0


class Identity(NamedTuple):
    """Who a board is."""

    chip: str
    board: str  # name of its board file
    board_id: str
    firmware: str  # hash, "unknown" where it was not flashed by this tool


class RefusedError(UserError):
    """The board refused; `number` is the index of vehicle.protocol.REFUSALS."""

    def __init__(self, number: int):
        super().__init__(refusal(number), 1)
        self.number = number


class BoardClient:
    """A board at `port`. Telemetry goes to `sorter`'s callbacks, whatever is being waited for.

    clock    seconds, monotonic
    reopen   returns the port anew after the board has restarted, since its USB goes with it; None: the port stays
    sleep    waits so many seconds

    Every method raises PortLost where the port goes, and UserError where the board does not answer.
    """

    def __init__(
        self,
        port: Port,
        clock: Callable[[], float] = time.monotonic,
        reopen: "Callable[[], Port] | None" = None,
        sleep: Callable[[float], None] = time.sleep,
    ):
        self.sorter = LineSorter()
        self.sorter.on_reply = self._take
        self._port = port
        self._clock = clock
        self._reopen = reopen
        self._sleep = sleep
        # Not from 0 on: an answer that an earlier program asked for may still be on its way.
        self._id = int(clock() * 1000) & TICKS_MASK
        self._reply: Reply | None = None

    def close(self) -> None:
        """Let go of the port."""
        self._port.close()

    def poll(self, timeout_s: float = _POLL_S) -> bool:
        """Hand over what comes; return whether anything did, within `timeout_s`."""
        data = self._port.read(timeout_s)
        self.sorter.feed(data)
        return bool(data)

    def wait(self, is_enough: Callable[[], bool], timeout_s: float) -> bool:
        """Hand over what comes until `is_enough`, at most so long; return whether it is."""
        until = self._clock() + timeout_s
        while not is_enough():
            left = until - self._clock()
            if left <= 0:
                return False
            self.poll(min(left, _POLL_S))
        return True

    def listen(self, seconds: float) -> None:
        """Hand over what comes for so long."""
        self.wait(lambda: False, seconds)

    def ask(
        self, word: str, *numbers: int, timeout_s: float = _ANSWER_S, tries: int = _TRIES
    ) -> Reply:
        """Ask the board to do `word` and return its answer, a refusal too.

        Asked again after `timeout_s` of silence, `tries` times in all: every command does no harm twice.
        """
        self._id = (self._id + 1) & TICKS_MASK
        # A line feed first: half a line that somebody else left behind ends there.
        line = b"\n" + command_line(self._id, word, numbers)
        heard = self.sorter.good
        for _ in range(tries):
            self._reply = None
            self._port.write(line)
            self.wait(lambda: self._reply is not None, timeout_s)
            if self._reply is not None:
                return self._reply
        if self.sorter.good > heard:
            raise UserError(
                "The board reports but answers nothing: restart it with the plug out, or flash it again."
            )
        raise UserError(
            "No OpenInlet board answers: check that the port is the right one and that the firmware runs on it."
        )

    def order(self, word: str, *numbers: int, tries: int = _TRIES) -> tuple[int, ...]:
        """Ask, and return the numbers of the answer. Raises RefusedError."""
        reply = self.ask(word, *numbers, tries=tries)
        if reply.no is not None:
            raise RefusedError(reply.no)
        return reply.ok or ()

    def hello(self, timeout_s: float = _ANSWER_S, tries: int = _TRIES) -> Identity:
        """Return who the board is."""
        reply = self.ask("hello", timeout_s=timeout_s, tries=tries)
        if reply.no is not None:
            raise RefusedError(reply.no)
        words = reply.words.split()
        if len(words) < 4:
            raise UserError(
                "The board says of itself only '%s': flash it again." % reply.words[:80]
            )
        return Identity(words[0], " ".join(words[1:-2]), words[-2], words[-1])

    def settings(self) -> dict[str, tuple[int, bool]]:
        """Return (value in force, whether it is stored) of every setting, in the order of setting_rows.TABLE."""
        return {row[ROW_KEY]: self.setting(row[ROW_KEY]) for row in TABLE}

    def setting(self, key: str) -> tuple[int, bool]:
        """Return (value in force, whether it is stored) of one setting; `key` is of setting_rows.TABLE."""
        number = _number_of(key)
        said = self.order("get", number)
        if len(said) != 3 or said[0] != number:
            raise UserError("The board answers for another setting than %s: flash it again." % key)
        return said[1], said[2] != 0

    def set_settings(self, wanted: dict[str, int]) -> None:
        """Set these, all or none, restart the board, and see that they are in force.

        Raises RefusedError before anything is stored, UserError where the board comes back with others.
        """
        try:
            for key, value in wanted.items():
                self.order_when_empty("set", _number_of(key), value)
            self.order_when_empty("store")
        except RefusedError as error:
            if error.number != NOT_IDLE:
                # The board would keep the first ones aside, and store them with whatever is set next.
                self.restart()
            raise
        self.restart()
        for key, value in wanted.items():
            found, is_stored = self.setting(key)
            if found != value or not is_stored:
                raise UserError(
                    "The board runs with %s = %d although %d was stored: read its console, then set it again."
                    % (key, found, value),
                    1,
                )

    def clear_settings(self) -> None:
        """Have nothing stored any more, and restart the board: it then refuses to charge. Raises RefusedError."""
        self.order_when_empty("clear")
        self.order_when_empty("store")
        self.restart()

    def order_when_empty(self, word: str, *numbers: int) -> tuple[int, ...]:
        """Order what the board obeys only with no plug in: it may take a moment to see that the plug is out."""
        until = self._clock() + _PATIENCE_S
        while True:
            try:
                return self.order(word, *numbers)
            except RefusedError as error:
                if error.number != NOT_IDLE or self._clock() >= until:
                    raise
            self.listen(_AGAIN_S)

    def restart(self, is_patient: bool = True) -> Identity:
        """Restart the board and wait until it answers again. Raises RefusedError, and UserError where it does not come back."""
        if is_patient:
            self.order_when_empty("restart")
        else:
            self.order("restart")
        until = self._clock() + _BACK_S
        is_open = True
        try:
            self.listen(_GOING_DOWN_S)
        except PortLost:
            is_open = False
        self.sorter.restart()
        while self._clock() < until:
            try:
                if not is_open:
                    self._open_again()
                    is_open = True
                return self.hello(_AGAIN_S, 1)
            except PortLost:
                is_open = False
            except RefusedError:
                raise
            except UserError:
                # Not there yet, or still booting.
                pass
            self._sleep(_AGAIN_S)
        raise UserError(
            "The board does not answer %d s after its restart: unplug it, plug it in and try again."
            % _BACK_S,
            1,
        )

    def _open_again(self) -> None:
        if self._reopen is None:
            raise PortLost("the board's port went with its restart")
        self._port.close()
        self._port = self._reopen()

    def _take(self, reply: Reply) -> None:
        if reply.id == self._id:
            self._reply = reply


def _number_of(key: str) -> int:
    return next(row[ROW_NUMBER] for row in TABLE if row[ROW_KEY] == key)
