"""Loads the journal a step at a time, at rest: opens its log, then one part after the other, each with what flash holds of it.

The most useful comes first, as a board may have no room for all: what does not fit is told by name and done without.
"""

import gc
from array import array

from micropython import const

from journal.book import K_HEALTH, K_OUTCOMES, K_TROUBLES, K_WEAR, KEPT, KIND_NAMES, Book

_AC_CONTACTS = (0, 1)  # channels of thermal.port
_NO_SENSOR = const(0)  # settings.sensor_0 and so on
# What is told as missing where there is no room.
PARTS = ("trouble codes", "whose fault it was", "wear", "contact health")


class Opener:
    """Call `step` at rest until `is_done`; `book` is there from the beginning, and grows.

    board       journal_log(kept), note(sentence)
    inlet       step.InletStep, whose temperatures the contacts are judged by
    clock       vehicle.clock.Clock, None where the car's side is not loaded
    """

    def __init__(self, board, settings, inlet, clock):
        self._board = board
        self._settings = settings
        self._clock = clock
        # A board without the method keeps nothing.
        journal_log = getattr(board, "journal_log", None)
        self._log = journal_log(KEPT) if journal_log else None
        self._thermal = inlet.thermal
        self.book = Book(None, board.note)
        self._at = 0
        self.is_done = False

    def step(self) -> None:
        """Open the next file of the log, or load the next part."""
        if self._log is not None and self.book.log is None:
            if self._log.open_step():
                self.book.log = self._log
            return
        gc.collect()
        try:
            self._load(self._at)
        except (MemoryError, ImportError, OSError, ValueError) as error:
            gc.collect()
            self._board.note("journal: left out on this board: %s: %r" % (PARTS[self._at], error))
        self._at += 1
        self.is_done = self._at == len(PARTS)

    def _load(self, part: int) -> None:
        if part == 0:
            self._load_memory()
        elif part == 1:
            self._load_verdict()
        elif part == 2:
            self._load_wear()
        else:
            self._load_health()

    def _kept(self, kind: int, size: int):
        """Return the newest record of a kind as an array of ints, None where there is none of at least so many."""
        payload = self._log.newest(kind) if self._log is not None else None
        if payload is None:
            return None
        if len(payload) % 4 or len(payload) < 4 * size:
            self._refused(kind)
            return None
        return array("i", payload)

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
