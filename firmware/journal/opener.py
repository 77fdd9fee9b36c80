"""Loads the journal a step at a time, at rest: opens its log, then one part after the other, each with what flash holds of it.

The most useful comes first, as a board may have no room for all: what does not fit is told by name and done without.
"""

import gc
import sys
from array import array

from micropython import const

from journal.book import (
    BUDGET,
    COUNTS_INTS,
    COUNTS_LAYOUT,
    CREDIT_MAX_MIN,
    K_COUNTS,
    K_HEALTH,
    K_OUTCOMES,
    K_TROUBLES,
    K_WEAR,
    KEPT,
    KIND_NAMES,
    SESSION_MAX,
    Book,
)
from journal.shelf import Shelf
from modules import forget_making, unload

_AC_CONTACTS = (0, 1)  # channels of thermal.port
_NO_SENSOR = const(0)  # settings.sensor_0 and so on
_BLOCKS_MIN = const(4)
_SMALL_INT = const(0x3FFFFFFF)
# What a board must have left beside this module, which goes when it has done its work, and the room of journal.shelf: the
# log's code takes 8 KB while a record is written, port records are changed with as much.
_RESERVE_BYTES = const(10000)
# A computer has room.
_mem_free = getattr(gc, "mem_free", None)
# Of journal.book.Book, by part.
_ATTRIBUTES = ("memory", "verdict", "sessions", "wear", "box", "health")
# What is told as missing where there is no room.
PARTS = (
    "trouble codes",
    "whose fault it was",
    "session log",
    "wear",
    "black box",
    "contact health",
)


def _lacks() -> int:
    """Return how many bytes are missing of what must be left, 0 for none."""
    if _mem_free is None:
        return 0
    gc.collect()
    return max(_RESERVE_BYTES - _mem_free(), 0)


class Opener:
    """Call `step` at rest until `is_done`; `book` is there from the beginning, and grows.

    board       journal_log(kept), note(sentence)
    inlet       step.InletStep, whose temperatures the contacts are judged by
    clock       vehicle.clock.Clock, None where the car's side is not loaded
    version     the firmware's name, as the console tells it
    """

    def __init__(self, board, settings, inlet, clock, version: str):
        self._board = board
        self._settings = settings
        self._clock = clock
        self._version = version
        # A board without the method keeps nothing.
        journal_log = getattr(board, "journal_log", None)
        self._shelf = Shelf(journal_log, KEPT) if journal_log else None
        self._payloads = {}  # newest of each kind of KEPT
        self._is_read = False
        self._thermal = inlet.thermal
        self.book = Book(None, board.note)
        self.pages = None  # journal.pages, what the console asks
        self._has_pages = False  # or there was no room for it
        self._at = 0
        self._held = None  # modules that were there before the part that is loaded
        self.is_done = False

    def step(self) -> None:
        """Open the next file of the log, or load the next part."""
        try:
            self._step()
        except MemoryError:
            # There was none left for the words about it either: what is loaded goes on without.
            gc.collect()
            if not self._is_read:
                self._is_read = True
            elif not self._has_pages:
                self._has_pages = True
            else:
                self._drop()
                self._go_on()

    def _go_on(self) -> None:
        self._at += 1
        self._held = None
        self.is_done = self._at >= len(PARTS)

    def _step(self) -> None:
        if not self._is_read:
            self._read_log()
            return
        if not self._has_pages:
            from journal import pages

            self.pages = pages
            self._has_pages = True
            return
        gc.collect()
        self._held = tuple(sys.modules)
        why = ""
        try:
            self._load(self._at)
            forget_making()
            lacks = _lacks()
            if lacks:
                why = "too little memory would be left by %d bytes" % lacks
        except (MemoryError, ImportError, OSError, ValueError) as error:
            why = repr(error)
        if why:
            self._drop()
            self._board.note("journal: left out on this board: %s: %s" % (PARTS[self._at], why))
        self._go_on()

    def _read_log(self) -> None:
        """Open the log, a file a call; then take from it what is kept, and put it away: the parts need its room."""
        shelf = self._shelf
        if shelf is None:
            self._is_read = True
            return
        if not shelf.step():
            return
        for kind in KEPT:
            try:
                payload = shelf.newest(kind)
            except OSError as error:
                payload = None
                self._board.note("journal: %s cannot be read: %s" % (KIND_NAMES[kind], error))
            if payload is not None:
                self._payloads[kind] = payload
        self._is_read = True
        self.book.set_shelf(shelf)
        shelf.put_away()
        self._load_counts()

    def _drop(self) -> None:
        """Give up the part that was being loaded, and the modules that came with it. Needs hardly any memory."""
        setattr(self.book, _ATTRIBUTES[self._at], None)
        if self._shelf is not None and _ATTRIBUTES[self._at] == "box":
            self._shelf.keep_room()
        name = self._newcomer()
        while name and unload(name):
            name = self._newcomer()
        gc.collect()

    def _newcomer(self) -> str:
        """Return a module that was not there before this part, "" for none."""
        held = self._held
        if held is not None:
            for name in sys.modules:
                if name not in held:
                    return name
        return ""

    def _load(self, part: int) -> None:
        # In the order of PARTS.
        (
            self._load_memory,
            self._load_verdict,
            self._load_sessions,
            self._load_wear,
            self._load_box,
            self._load_health,
        )[part]()

    def _kept(self, kind: int, size: int):
        """Return the newest record of a kind as an array of ints, None where there is none of at least so many."""
        payload = self._payloads.pop(kind, None)
        if payload is None:
            return None
        if len(payload) % 4 or len(payload) < 4 * size:
            self._refused(kind)
            return None
        ints = array("i", payload)
        if max(ints) > _SMALL_INT or min(ints) < -_SMALL_INT:
            # No board writes it, and to tell of it would allocate.
            self._refused(kind)
            return None
        return ints

    def _refused(self, kind: int) -> None:
        self._board.note(
            "journal: what is stored of %s is not of this firmware: it is begun anew"
            % KIND_NAMES[kind]
        )

    def _load_memory(self) -> None:
        from journal.memory import DUMP_HEAD, TroubleMemory

        memory = TroubleMemory(self._clock)
        ints = self._kept(K_TROUBLES, DUMP_HEAD)
        if ints is not None and not memory.load(ints, len(ints)):
            self._board.note("journal: a stored trouble code makes no sense and is left out")
        self.book.set_memory(memory)

    def _load_verdict(self) -> None:
        from journal.outcomes import DUMP_INTS, Outcomes
        from journal.verdict import Verdict

        outcomes = Outcomes()
        ints = self._kept(K_OUTCOMES, DUMP_INTS)
        if ints is not None and not outcomes.load(ints, 0):
            self._refused(K_OUTCOMES)
        self.book.set_verdict(Verdict(self._settings, outcomes))

    def _load_sessions(self) -> None:
        from journal.sessions import SessionLog

        self.book.set_sessions(SessionLog(self._clock))

    def _load_counts(self) -> None:
        """Go on counting where the board has stopped; one that has stored nothing begins anew."""
        ints = self._kept(K_COUNTS, COUNTS_INTS)
        if ints is None:
            return
        if (
            ints[0] == COUNTS_LAYOUT
            and 0 <= ints[1] <= SESSION_MAX
            and 0 <= ints[2] <= CREDIT_MAX_MIN
            and 0 <= ints[3] <= BUDGET
        ):
            self.book.set_counts(ints[1], ints[2], ints[3])
        else:
            self._refused(K_COUNTS)

    def _load_box(self) -> None:
        from journal.blackbox import BlackBox

        try:
            box = BlackBox()
        except MemoryError:
            box = BlackBox(_BLOCKS_MIN)
        self.book.set_box(box, self._settings, self._clock, self._version)

    def _load_wear(self) -> None:
        from journal.wear import DUMP_INTS, Wear

        wear = Wear(self._settings)
        ints = self._kept(K_WEAR, DUMP_INTS)
        if ints is not None and not wear.load(ints, 0):
            self._refused(K_WEAR)
        self.book.set_wear(wear)

    def _load_health(self) -> None:
        settings = self._settings
        if settings.sensor_0 == _NO_SENSOR and settings.sensor_1 == _NO_SENSOR:
            return
        from journal.health import ContactHealth
        from journal.heating import Moment

        health = ContactHealth(_AC_CONTACTS, settings.max_current_ma, settings.derate_start_decic)
        ints = self._kept(K_HEALTH, health.size)
        if ints is not None and not health.load(ints, 0):
            self._refused(K_HEALTH)
        thermal = self._thermal
        self.book.set_health(health, Moment(thermal.decic, thermal.valid))
