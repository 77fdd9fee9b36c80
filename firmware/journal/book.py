"""The journal, composed: trouble memory, wear, whose fault it was, contact health, black box, session log, and what is on flash.

`tick` once a pass, after the commands were obeyed; it allocates nothing. At rest `is_due` says when `work` has something to
write, one record a call. Parts that a board has no room for are None, and the others go on. Decides nothing about charging.
"""

from array import array

from micropython import const

from modules import unload
from ticks import ticks_diff

# Kinds of records on flash (docs/journal.md). The first are states: the newest of each is all that counts.
K_TROUBLES = const(1)
K_WEAR = const(2)
K_OUTCOMES = const(3)
K_HEALTH = const(4)
K_COUNTS = const(5)
K_BOX = const(16)  # journal.box_writer.KIND_BOX
K_SESSION = const(17)  # journal.sessions.KIND_SESSION
KEPT = (1, 2, 3, 4, 5)
KIND_NAMES = ("", "troubles", "wear", "outcomes", "contact health", "counts")
# In this order they take turns.
_ORDER = (K_TROUBLES, K_BOX, K_SESSION, K_COUNTS, K_WEAR, K_OUTCOMES, K_HEALTH)
# Of K_COUNTS: layout, number of the last plug-in, minutes of credit that the black box has, records that may be written.
COUNTS_INTS = const(4)
COUNTS_LAYOUT = const(1)
SESSION_MAX = const(0x3FFFFFFF)
CREDIT_MAX_MIN = const(1440)  # journal.blackbox
# Bytes of one record of a black box: two for a box of six blocks.
_PART_BYTES = const(1700)
# A part, the same read back, and its file.
_BOX_ROOM_BYTES = const(4720)

# Own choices. Signs of one trouble come together; a record costs an erase.
SETTLE_MS = const(5000)
_LOOK_PASSES = const(25)
# Records that may be written at once, and in how long one more: 80 a day, for which docs/journal.md counts the years.
BUDGET = const(40)
EARN_MS = const(18 * 60 * 1000)
# A board that restarts again and again has no more than was stored, and no more than so many.
BUDGET_AT_START = const(10)
# A black box that neither the flash nor the memory left takes is given up then.
_BOX_TRIES = const(3)
# Where the flash did not take a record, it is tried again after so long.
_AGAIN_MS = const(3600000)
# Contact health is asked so often: seldom enough for the p99 of all passes.
_MEASURE_MS = const(2000)
_UNPLUGGED = const(0)  # interlock.UNPLUGGED, as a plain value

_DONE = const(0)  # drivers.flash_log
_FULL = const(2)  # journal.blackbox
_PERSON = const(5)  # journal.blame
# Ints of a dump, as those of journal.wear and journal.outcomes; a test compares.
_RECORD_BYTES = const(44)  # journal.sessions.RECORD_BYTES
WEAR_INTS = const(22)
OUTCOMES_INTS = const(74)


class Book:
    """
    shelf       journal.shelf.Shelf; None: nothing is kept over a restart
    note        is told a sentence where something cannot be written
    """

    def __init__(self, shelf, note):
        self.shelf = shelf
        self._has_due = False  # `work` is to write
        self.memory = None  # journal.memory.TroubleMemory
        self.wear = None  # journal.wear.Wear
        self.verdict = None  # journal.verdict.Verdict
        self.health = None  # journal.health.ContactHealth
        self.moment = None  # journal.heating.Moment, what `health` is told
        self.sessions = None  # journal.sessions.SessionLog
        self.box = None  # journal.blackbox.BlackBox
        self.session = 0  # number of the plug-in that is, or was last
        self.failures = 0  # records that the flash did not take
        self.is_busy = False  # it hears or is asked; still, where that ended in an exception
        self._note = note
        self._plugged = _UNPLUGGED  # session state of the pass before
        self._has_charged = False  # S2 was closed in this plug-in
        self._is_begun = False
        self._measured_ms = 0
        self._verdict_serial = 0  # as the black box was last told
        self._session_serial = 0  # of the verdict when the plug went in
        self._resets = 0  # within this plug-in
        self._box_facts = None  # what a BoxWriter asks for: settings, clock, version
        self._writer = None
        self._part = 0  # that is written next
        self._record = bytearray(_RECORD_BYTES)  # of a session that is over
        self._has_record = False
        self._counts_session = 0  # as on flash; -1: what else is in it has changed
        self._box_session = 0  # number of the plug-in of the black box's trigger; 0: none
        self._credit_min = CREDIT_MAX_MIN  # as stored, where there is no black box
        # What of the parts is on flash.
        self._is_health_new = False
        self._wear_serial = 0
        self._outcomes_serial = 0
        self._wait = 0  # passes until the next look at what is to be written
        self._unsaved = 0  # mask of kinds, as last looked at
        self._since_ms = 0
        self._budget = BUDGET_AT_START
        self._budget_ms = 0
        self._again_ms = 0
        self._failed = 0  # mask of kinds that were not written, until they are tried again
        self._box_tries = 0  # that failed
        self._turn = -1  # in _ORDER, of the kind that was written last
        self._told = ""

    # What `set_` takes over is on flash as it is.

    def set_shelf(self, shelf) -> None:
        """Take the log."""
        self.shelf = shelf

    def set_memory(self, memory) -> None:
        """Take the trouble codes, and go on counting plug-ins where they end."""
        self.memory = memory
        self.session = max(self.session, memory.session)

    def set_verdict(self, verdict) -> None:
        """Take the part that says whose fault it was."""
        self.verdict = verdict
        self._outcomes_serial = _serial_of(verdict)

    def set_wear(self, wear) -> None:
        """Take the part that counts."""
        self.wear = wear
        self._wear_serial = wear.serial

    def set_health(self, health, moment) -> None:
        """Take the part that judges the contacts, and the journal.heating.Moment that it is told."""
        self.health = health
        self.moment = moment

    def set_sessions(self, sessions) -> None:
        """Take the session log."""
        self.sessions = sessions

    def set_box(self, box, settings, clock, version: str) -> None:
        """Take the black box, and what is told with it: settings, clock (None: no car's side), the firmware's name."""
        box.restore(self._credit_min)
        self.box = box
        self._box_facts = (settings, clock, version)
        if self.shelf is not None:
            self.shelf.keep_room(_BOX_ROOM_BYTES)

    def set_counts(self, session: int, credit_min: int, budget: int) -> None:
        """Go on from what is stored: number of the last plug-in, the black box's credit, records that may be written."""
        self.session = max(self.session, session)
        self._counts_session = session
        self._credit_min = credit_min
        self._budget = min(budget, BUDGET_AT_START)

    # ------------------------------------------------------------------------------------ each pass

    def tick(self, now_ms: int, r, c, number: int = 0) -> None:
        """Hear what was read and decided in this pass; `number`: of the console's next line, which grows with every change."""
        self.is_busy = True
        if not self._is_begun:
            self._begin(now_ms, c)
        if c.session != self._plugged:
            self._moved(c)
        if c.s2_close:
            self._has_charged = True
        if self.memory is not None:
            self.memory.tick(now_ms, r, c)
        if self.verdict is not None:
            self.verdict.tick(now_ms, r, c)
        if self.wear is not None:
            self.wear.tick(now_ms, r, c)
        if self.sessions is not None:
            self._log_session(self.sessions, now_ms, r, c)
        if self.box is not None:
            self._record_pass(self.box, now_ms, r, c, number)
        if not 0 <= ticks_diff(now_ms, self._measured_ms) < _MEASURE_MS:
            self._measured_ms = now_ms
            self._measure(now_ms, r, c)
        self.is_busy = False

    def _record_pass(self, box, now_ms: int, r, c, number: int) -> None:
        verdict = self.verdict
        if verdict is not None and verdict.serial != self._verdict_serial:
            self._verdict_serial = verdict.serial
            if verdict.verdict != _PERSON:
                box.trigger_now(verdict.code)
        box.tick(now_ms, r, c, number)
        if box.state and not self._box_session:
            self._box_session = self.session

    def _log_session(self, sessions, now_ms: int, r, c) -> None:
        sessions.tick(now_ms, r, c)
        # As soon as its verdict is known: the next one may begin before it is written.
        if sessions.has_ended and not (self.verdict is not None and self.verdict.is_asking):
            self._take_session(sessions)

    def _take_session(self, sessions) -> None:
        """Make the record of a session that is over, unless one waits to be written."""
        if self._has_record:
            return
        verdict = self.verdict
        code = 0
        if verdict is not None and verdict.serial != self._session_serial:
            code = verdict.code
        sessions.take(self._record, self.session, code, self._resets)
        self._has_record = True

    def _begin(self, now_ms: int, c) -> None:
        self._is_begun = True
        # What is in at a start went in before it.
        self._plugged = c.session
        if c.session != _UNPLUGGED:
            self._resets = 1
            if self.session == self._counts_session and self.session < SESSION_MAX:
                # The last one that is stored is over: this is the next.
                self.session += 1
                if self.memory is not None:
                    self.memory.begin_session(self.session)
        self._budget_ms = self._since_ms = now_ms
        if self.health is not None:
            # Nobody knows how long no current has flowed.
            self.health.heating.begin(now_ms, False)

    def _moved(self, c) -> None:
        """The session's state has changed."""
        memory = self.memory
        if self._plugged == _UNPLUGGED:
            if self.sessions is not None and self.sessions.has_ended:
                # So soon that the verdict on the one before is not known yet: it goes without.
                self._take_session(self.sessions)
            if self.session < SESSION_MAX:
                self.session += 1
            self._has_charged = False
            self._resets = 0
            self._session_serial = 0 if self.verdict is None else self.verdict.serial
            if memory is not None:
                memory.begin_session(self.session)
        elif c.session == _UNPLUGGED:
            if memory is not None:
                memory.end_session(self._has_charged)
        self._plugged = c.session

    def _measure(self, now_ms: int, r, c) -> None:
        health = self.health
        moment = self.moment
        if health is None or moment is None:
            return
        # Behind an open S2 nothing flows; else it is what was measured.
        moment.is_measured = r.charger_ok or not c.s2_close
        moment.ma = r.charger_ma if r.charger_ok else 0
        moment.is_plugged = c.session != _UNPLUGGED
        moment.is_upset = c.wants_heat
        if health.tick(now_ms, moment):
            self._is_health_new = True

    def worst_contact(self) -> int:
        """Return the worst verdict about a contact (journal.health)."""
        health = self.health
        worst = 0
        if health is not None:
            for n in range(len(health.trends)):
                worst = max(worst, health.verdict(n))
        return worst

    def tell(self, s) -> None:
        """Write the journal's summary into `s`: has_verdict, verdict and so on, as CAN tells it. Allocates nothing."""
        self.is_busy = True
        verdict, memory, wear = self.verdict, self.memory, self.wear
        s.has_verdict = verdict is not None and verdict.serial > 0
        if verdict is not None:
            s.verdict = verdict.verdict
            s.sure = verdict.sure
            s.rule_code = verdict.code
            s.serial = verdict.serial & 0xFF
        if memory is not None:
            s.codes_stored = memory.count(False)
            s.codes_present = memory.count(True)
            s.newest_code = memory.newest()
        s.contacts = self.worst_contact()
        if wear is not None:
            s.due = wear.warnings
        self.is_busy = False

    def unsaved(self) -> int:
        """Return a mask of the kinds of records that are not on flash as they are here."""
        return self._changed(True)

    # ------------------------------------------------------------------------------------- at rest

    def is_due(self, now_ms: int) -> bool:
        """Tell whether `work` has something to write. Ask once a pass at rest."""
        shelf = self.shelf
        if shelf is None:
            return False
        self._wait -= 1
        if self._wait > 0:
            return False
        self._wait = _LOOK_PASSES
        self._earn(now_ms)
        # The rest is of whole sessions.
        unsaved = self._changed(self._plugged == _UNPLUGGED)
        if unsaved & ~self._unsaved:
            self._since_ms = now_ms
        self._unsaved = unsaved
        self._has_due = (
            unsaved & ~self._failed != 0
            and self._budget > 0
            and not 0 <= ticks_diff(now_ms, self._since_ms) < SETTLE_MS
        )
        return self._has_due or shelf.is_idle()

    def _earn(self, now_ms: int) -> None:
        """Count the time that earns a record, and after which what failed is tried again."""
        if not 0 <= ticks_diff(now_ms, self._budget_ms) < EARN_MS:
            self._budget_ms = now_ms
            if self._budget < BUDGET:
                self._budget += 1
        if self._failed and not 0 <= ticks_diff(now_ms, self._again_ms) < _AGAIN_MS:
            self._failed = 0

    def _changed(self, is_all: bool) -> int:
        """Return a mask of the kinds that differ from what is on flash, `is_all`: besides the trouble codes."""
        mask = 0
        if self.memory is not None and self.memory.has_changed:
            mask |= 1 << K_TROUBLES
        if self.box is not None and self.box.state == _FULL:
            mask |= 1 << K_BOX
        if self._counts_session < 0:
            mask |= 1 << K_COUNTS
        if not is_all:
            return mask
        if self._has_record:
            mask |= 1 << K_SESSION
        if self.session != self._counts_session:
            mask |= 1 << K_COUNTS
        if self.wear is not None and self.wear.serial != self._wear_serial:
            mask |= 1 << K_WEAR
        if self.verdict is not None and _serial_of(self.verdict) != self._outcomes_serial:
            mask |= 1 << K_OUTCOMES
        if self._is_health_new:
            mask |= 1 << K_HEALTH
        return mask

    def work(self, now_ms: int) -> None:
        """Write one record, or take a step towards it. The board is at rest, and may be late afterwards."""
        shelf = self.shelf
        if shelf is None:
            return
        if not self._has_due:
            shelf.put_away()
            return
        kind = self._next_kind()
        if not kind:
            return
        try:
            if kind == K_BOX:
                # Before the log is open: its code would take the room of what is written.
                self._begin_box()
            if not shelf.step():
                # Not yet open: this kind again in the next pass.
                self._turn -= 1
                self._wait = 1
                return
            log = shelf.log
            answer = log.append(kind, self._payload(kind), True)
            problem = log.problem
            shelf.look()
        except (MemoryError, ImportError):
            # Before anything was written.
            answer = -1
            problem = "journal: no memory left to write a record"
        if answer == _DONE:
            self._told = ""
            self._budget -= 1
            if self._is_written(kind):
                self._unsaved &= ~(1 << kind)
            # The next one in a moment.
            self._wait = 2
        else:
            self._put_off(now_ms, kind, problem)

    def _next_kind(self) -> int:
        """Return a kind that is to be written, 0 for none: in turn, so that none that changes always keeps another away."""
        for _ in range(len(_ORDER)):
            self._turn = (self._turn + 1) % len(_ORDER)
            if self._unsaved & ~self._failed & 1 << _ORDER[self._turn]:
                return _ORDER[self._turn]
        return 0

    def _put_off(self, now_ms: int, kind: int, problem: str) -> None:
        """A record was not taken: it has to wait, and the others need not."""
        self._failed |= 1 << kind
        self._again_ms = now_ms
        self.failures += 1
        if kind == K_BOX:
            self._box_tries += 1
            if self._box_tries >= _BOX_TRIES:
                # Else it would stay frozen for ever.
                self._end_box()
        if problem != self._told:
            self._told = problem
            self._note(problem)

    def _payload(self, kind: int):
        """Return what belongs on flash, bytes."""
        if kind == K_BOX:
            return self._box_part()
        if kind == K_SESSION:
            return self._record
        return bytes(self._dumped(kind))

    def _begin_box(self) -> None:
        if self._writer is None and self._box_facts is not None:
            # A board forgets it when the box is written.
            from journal.box_writer import BoxWriter

            settings, clock, version = self._box_facts
            minute = clock.minute if clock is not None and clock.is_set else None
            self._writer = BoxWriter(
                self.box, settings, version, self._box_session, minute, _PART_BYTES
            )
            self._part = 0

    def _box_part(self):
        writer = self._writer
        part = bytearray(_PART_BYTES)
        if writer is None:
            return part
        return memoryview(part)[: writer.part(self._part, part)]

    def _dumped(self, kind: int):
        """Return an array of what belongs on flash."""
        memory, wear, verdict, health = self.memory, self.wear, self.verdict, self.health
        ints = _ints(0)
        if kind == K_TROUBLES and memory is not None:
            ints = _ints(memory.dump_ints())
            memory.dump(ints)
        elif kind == K_WEAR and wear is not None:
            ints = _ints(WEAR_INTS)
            wear.dump(ints, 0)
        elif kind == K_OUTCOMES and verdict is not None:
            ints = _ints(OUTCOMES_INTS)
            verdict.outcomes.dump(ints, 0)
        elif kind == K_HEALTH and health is not None:
            ints = _ints(health.size)
            health.dump(ints, 0)
        elif kind == K_COUNTS:
            ints = _ints(COUNTS_INTS)
            ints[0] = COUNTS_LAYOUT
            ints[1] = self.session
            ints[2] = self._credit_min if self.box is None else self.box.credit_min
            ints[3] = self._budget
        return ints

    def _is_written(self, kind: int) -> bool:
        """Take what belongs to `kind` for written; return whether all of it is."""
        memory, wear, verdict = self.memory, self.wear, self.verdict
        if kind == K_TROUBLES and memory is not None:
            memory.has_changed = False
        elif kind == K_WEAR and wear is not None:
            self._wear_serial = wear.serial
        elif kind == K_OUTCOMES and verdict is not None:
            self._outcomes_serial = _serial_of(verdict)
        elif kind == K_HEALTH:
            self._is_health_new = False
        elif kind == K_COUNTS:
            self._counts_session = self.session
        elif kind == K_SESSION:
            self._has_record = False
        elif kind == K_BOX:
            return self._is_part_written()
        return True

    def _is_part_written(self) -> bool:
        self._part += 1
        if self._writer is not None and self._part < self._writer.parts:
            return False
        self._end_box()
        return True

    def _end_box(self) -> None:
        """The black box is written, or given up: record anew."""
        self._writer = None
        unload("journal.box_writer")
        self._box_session = 0
        self._box_tries = 0
        if self.box is not None:
            self.box.rearm()
        # What it has cost is not to be earned again by a restart.
        self._counts_session = -1


def _serial_of(verdict) -> int:
    """Return a number that grows with every change of the outcomes."""
    return verdict.outcomes.count + verdict.outcomes.revised


def _ints(count: int):
    return array("i", bytes(4 * count))
