"""Runs the soak on the emulated RP2040: the image that a Pico gets, the simulated inlet on its pins, never restarted.

Here the plant is live. After each session the heap is read out of the chip's RAM, and the journal is asked over the console. What
a session leaves is what is in use right after a garbage collection: the least of what is seen in it, looked at every 5 ms.
"""

import json
import time
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from inletctl.emu.chip import Chip
from inletctl.emu.flash_image import board_files, board_text, make_flash
from inletctl.emu.heap import Heap, HeapReader
from inletctl.emu.image import Image
from inletctl.emu.session import EmuSession
from inletctl.errors import UserError
from inletctl.house import use_firmware
from inletctl.link.codec import TICKS_MASK, Reply, command_line
from inletctl.session import Session as HostSession
from inletctl.soak.emu_judge import EmuRun, Row, Session
from inletctl.soak.tape import ROUND, SESSION_S, SETTINGS, scenario
from inletctl.targets import cpython

use_firmware()

import drivers.virtual_layout as layout  # noqa: E402
import interlock  # noqa: E402
from journal.outcomes import Outcomes  # noqa: E402
from journal.pages import NOW, P_NOW  # noqa: E402
from journal.verdict import Verdict  # noqa: E402
from settings import Settings  # noqa: E402

BOARD = "rp2040-reference"
# Before the first session: desk and journal are loaded by then, a step a pass.
LEAD_S = 4
# The journal is asked so long before the end of a session: the plug is out 1 s before it at the latest.
_ASK_US = 700_000
# More than that at the inlet, and the session was charged.
_CHARGES_MA = 5000
_LEAD_US = LEAD_S * 1_000_000
_SESSION_US = SESSION_S * 1_000_000
_STATE = layout.COMMANDS.index("session")
_MOVES = {
    ("s2_close", 1): "S2 closed",
    ("s2_close", 0): "S2 open",
    ("lock_drive", 1): "locking",
    ("lock_drive", -1): "unlocking",
}
NOT_FOUND = "this image keeps its heap where it cannot be found in the emulated RAM; use MicroPython 1.28 or 1.29 for board RPI_PICO"


def soak(image: Image, sessions: int, tell: Callable[[EmuRun], None]) -> EmuRun:
    """Play so many sessions; `tell` gets all there is as each of them ends. Ctrl-C ends it with what was seen.

    Raises UserError where the board never starts, or its heap is not found.
    """
    chip = Chip(image, make_flash(board_files(BOARD, SETTINGS), image.layout))
    session = EmuSession(
        scenario(sessions, LEAD_S),
        chip,
        json.loads(board_text(BOARD)),
        watch=lambda: observer.look(),  # noqa: PLW0108 - it is made of the session
    )
    heap = HeapReader(chip.mcu.sram)
    chip.on_reset.append(lambda _word: heap.restart())
    observer = Observer(session, heap, EmuRun(image.version, sessions), tell)
    return observer.run()


class Observer:
    """Looks at one board (an EmuSession, and the reader of its heap) while `run` plays its scenario, and fills `seen`."""

    def __init__(self, session: Any, heap: Any, seen: EmuRun, tell: Callable[[EmuRun], None]):
        self.session = session
        self.seen = seen
        self._heap = heap
        self._tell = tell
        self._words: list[str] = []
        self._answer: dict[str, int] = {}  # of the journal in this session
        self._serial = 0  # of its newest verdict
        self._is_asked = False
        self._late = self._resets = self._lost = 0  # so many before this session
        self._late_now = 0
        self._late_at_s: list[float] = []
        self._rows_read = self._moves_read = 0
        self._least: "Heap | None" = None
        self._peak_ma = 0
        self._began_s = self._session_s = 0.0
        session.lines.on_words = self._words.append
        session.lines.on_reply = self._hear

    def run(self) -> EmuRun:
        """Play it all. Raises UserError as `soak` does."""
        seen = self.seen
        self._began_s = self._session_s = time.perf_counter()
        try:
            self.session.run_to_end()
            self._close_due(seen.wanted)
        except KeyboardInterrupt:
            seen.is_stopped = True
        except UserError as error:
            if not seen.rows:
                raise
            seen.death = str(error)
        self._count_time()
        return seen

    def _count_time(self) -> None:
        self.seen.simulated_s = round(self.session.chip.now_ns / 1e9, 3)
        self.seen.wall_s = round(time.perf_counter() - self._began_s, 1)

    def _hear(self, reply: Reply) -> None:
        if reply.id == len(self.seen.rows) + 1 and reply.ok is not None:
            self._answer = dict(zip(NOW, reply.ok))

    def look(self) -> None:
        """Look at the board; called every 5 ms of its time."""
        session = self.session
        used = self._heap.used()
        if used is None:
            if session.reports and not session.resets:
                raise UserError(NOT_FOUND, 1)
            return
        if self._least is None or used < self._least.used:
            self._least = self._heap.read()
        self._peak_ma = max(self._peak_ma, int(session.world.charger.load_ma()))
        into_us = session.wiring.t_us - _LEAD_US
        if not self.seen.heap_bytes:
            if into_us < 0:
                return
            self._begin()
        number = len(self.seen.rows)
        if session.late > self._late_now:
            self._late_at_s.append(round((into_us - number * _SESSION_US) / 1e6, 2))
        self._late_now = session.late
        if not self._is_asked and into_us >= (number + 1) * _SESSION_US - _ASK_US:
            self._is_asked = True
            session.console.send(b"\n" + command_line(number + 1, "journal", (P_NOW, 0)))
        self._close_due(into_us // _SESSION_US)

    def _begin(self) -> None:
        """The lead is over: what was until now belongs to no session."""
        self._least = heap = self._heap_now()
        seen, session = self.seen, self.session
        seen.heap_bytes = heap.size
        seen.boot_words = [*self._words]
        seen.boot_late = self._late = self._late_now = session.late
        self._resets = session.resets
        self._words.clear()
        self._rows_read, self._moves_read = len(session.rows), len(session.pin_changes)
        self._session_s = time.perf_counter()

    def _heap_now(self) -> Heap:
        heap = self._heap.read()
        if heap is None:
            raise UserError("the emulated board was reset and has no heap yet", 1)
        return heap

    def _close_due(self, sessions_over: int) -> None:
        while len(self.seen.rows) < min(sessions_over, self.seen.wanted):
            self._close()

    def _close(self) -> None:
        """End a session: keep what was seen of it."""
        session, rows = self.session, self.seen.rows
        now = self._heap_now()
        least = self._least or now
        states = {row.commands[_STATE] for row in session.rows[self._rows_read :]}
        moves = named_moves(
            (name, value) for _t_us, name, value in session.pin_changes[self._moves_read :]
        )
        answer, now_s = self._answer, time.perf_counter()
        verdict = None
        if answer:
            verdict = answer["rule_code"] if answer["verdict_serial"] != self._serial else 0
            self._serial = answer["verdict_serial"]
        rows.append(
            Row(
                number=len(rows), kind=len(rows) % len(ROUND),
                is_charged=interlock.CHARGING in states and self._peak_ma > _CHARGES_MA, peak_ma=self._peak_ma,
                used=least.used, piece=least.piece, used_end=now.used, piece_end=now.piece,
                late=_more(session.late, self._late), resets=session.resets - self._resets, words=tuple(self._words),
                lines_lost=session.lines.lost - self._lost, plug_ins=answer.get("session"), failures=answer.get("failures"),
                verdict=verdict, moves=moves, wall_s=round(now_s - self._session_s, 1), late_at_s=tuple(self._late_at_s),
            )
        )  # fmt: skip
        self._least, self._peak_ma, self._answer, self._is_asked = now, 0, {}, False
        self._late, self._resets, self._lost = session.late, session.resets, session.lines.lost
        self._rows_read, self._moves_read = len(session.rows), len(session.pin_changes)
        self._words.clear()
        self._late_at_s.clear()
        self._session_s = now_s
        self._count_time()
        self._tell(self.seen)


def _more(count: int, before: int) -> int:
    """Return how many were added; a board that was reset counts from 0."""
    return count - before if count >= before else count


def named_moves(changes: Iterable[tuple[str, int]]) -> tuple[str, ...]:
    """Return in words what S2 and the lock's bridge did, of (output, value)."""
    return tuple([_MOVES[change] for change in changes if change in _MOVES])


@cache
def wanted() -> tuple[Session, ...]:
    """Return what each session of a round is on the host: the same firmware, CPython, the journal's own verdict."""
    verdict = Verdict(Settings(dict(SETTINGS)), Outcomes())
    codes = [0] * len(ROUND)
    moves: list[list[tuple[str, int]]] = [[] for _ in ROUND]
    last: dict[str, int] = {"s2_close": 0, "lock_drive": 0}
    serial = 0

    def watch(t_us: int, r: Any, c: Any, _world: Any) -> None:
        nonlocal serial
        verdict.tick(t_us // 1000 & TICKS_MASK, r, c)
        n = max(0, t_us - _LEAD_US) // _SESSION_US
        if verdict.serial != serial:
            serial = verdict.serial
            codes[n] = verdict.code
        for name, value in last.items():
            if getattr(c, name) != value:
                last[name] = int(getattr(c, name))
                moves[n].append((name, last[name]))

    cpython.run(HostSession(scenario(len(ROUND), LEAD_S), watch=watch))
    return tuple(
        [
            Session(words, codes[n], named_moves(moves[n]))
            for n, (words, _happenings) in enumerate(ROUND)
        ]
    )
