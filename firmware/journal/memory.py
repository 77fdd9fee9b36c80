"""The trouble memory: which codes appeared, how often, when, and what the inlet read at that moment.

A fixed number of slots in one array, for one code each. What may be in it is journal/codes.py; nothing here decides about
charging. `tick` hears every pass, and compares three masks in the steady state; whoever counts sessions tells when one
begins and ends, and whoever writes the journal stores `dump` at rest, when `has_changed`.

The frame of a slot is from the first appearance in the last session that had one: what comes later in a session is often
its consequence. A code is *present* as long as its cause stands, *stored* afterwards, and

- self-clearing ones are forgotten after AGED_SESSIONS sessions that charged without them;
- a person may clear what is not present: self-clearing ones at any time, those that need an unplug with the plug out, those
  that are latched in service mode;
- where every slot is taken, room is made by the lowest class first (self-clearing, then needs unplug), among those that
  are not present first, among them by the one that appeared longest ago. What is present gives way only to a higher class,
  a latched one never: there are fewer of them than slots, so each finds room. What finds none is counted (`lost`).
"""

from array import array

from micropython import const

from faults import SELF, SERVICE, UNPLUG
from journal.codes import (
    C_BIT,
    C_CLASS,
    C_KIND,
    C_NUMBER,
    C_SETTLE_MS,
    C_WHEN,
    CODES,
    FAULT,
    HOLD,
    PLUGGED,
)
from journal.frame import FRAME_INTS, fill
from ticks import ticks_diff

# Numbers first, words behind them: the type checker sees no more than a tuple.
_ROWS: tuple = CODES

SLOTS = const(16)
# Own choice: ten days at four sessions a day; cars forget after 40 warm-ups.
AGED_SESSIONS = const(40)

# One slot: these ints, then the freeze frame.
S_NUMBER = const(0)  # of the code; 0: the slot is free
S_FLAGS = const(1)  # PRESENT, FIRST_DATED, LAST_DATED
S_COUNT = const(2)  # appearances, 1..COUNT_MAX
S_FIRST_SESSION = const(3)
S_FIRST_MIN = const(4)  # local minute of the week, 0..10079; only with FIRST_DATED
S_LAST_SESSION = const(5)
S_LAST_MIN = const(6)  # only with LAST_DATED
S_CLEAN = const(7)  # sessions that charged without it since, 0..AGED_SESSIONS
S_TURN = const(8)  # which appearance of any code it was last, 1..: tells the older of two
S_FRAME = const(9)
SLOT_INTS = S_FRAME + FRAME_INTS
SLOT_NAMES = (
    "number", "flags", "count", "first_session", "first_min", "last_session", "last_min", "clean",
    "turn",
)  # fmt: skip

PRESENT = const(1)
FIRST_DATED = const(2)
LAST_DATED = const(4)

# What `dump` begins with: layout, sessions, turns; then the slots that are taken.
LAYOUT = const(1)
DUMP_HEAD = const(3)
DUMP_INTS = DUMP_HEAD + SLOTS * SLOT_INTS

COUNT_MAX = const(60000)
SESSIONS_MAX = const(0x3FFFFFFF)
_WEEK_MIN = const(10080)

# What `clear` answers.
CLEARED = const(0)
NOT_STORED = const(1)
STILL_PRESENT = const(2)
NEEDS_UNPLUG = const(3)
NEEDS_SERVICE = const(4)
ANSWER_NAMES = ("cleared", "not_stored", "still_present", "needs_unplug", "needs_service")
ANSWER_WORDS = (
    "cleared",
    "this code is not stored",
    "its cause is still there: put it right first",
    "the plug has to be out: pull it, then clear again",
    "latched until service: switch service mode on (both buttons), then clear again",
)

_BITS = const(30)
# Holds that have to last are looked at so often only.
_LOOK_MS = const(250)


class TroubleMemory:
    """Call `tick` once a pass, after the step. Allocates nothing after construction, but in `dump`'s and `load`'s callers.

    clock   what tells the local time (vehicle.clock.Clock), or None; may be given later
    """

    def __init__(self, clock=None):
        self.clock = clock
        self.session = 0  # number of the session that is, or was last; 0..SESSIONS_MAX
        self.has_changed = False  # since the owner set it False: there is something to store
        self.lost = 0  # appearances that found no room, 0..COUNT_MAX
        self.slots = array("i", bytes(4 * SLOTS * SLOT_INTS))
        self._turn = 0
        # Row of each bit's code, by mask; only of bits that have one.
        self._fault_rows = bytearray(_BITS)
        self._hold_rows = bytearray(_BITS)
        self._reason_rows = bytearray(_BITS)
        # Which bits have a code; of holds also which with nothing plugged in.
        self._any_fault = 0
        self._any_reason = 0
        self._plugged_holds = 0
        self._empty_holds = 0
        self._learn()
        # What was there in the last pass.
        self._faults = 0
        self._holds = 0
        self._reasons = 0
        self._waiting = 0  # holds that have not lasted long enough yet
        self._since_ms = array("i", bytes(4 * _BITS))  # tick at which each of these began
        self._looked_ms = 0  # tick at which they were looked at last

    def _learn(self) -> None:
        for n in range(len(_ROWS)):
            row = _ROWS[n]
            bit = row[C_BIT]
            if row[C_KIND] == FAULT:
                self._fault_rows[bit] = n
                self._any_fault |= 1 << bit
            elif row[C_KIND] == HOLD:
                self._hold_rows[bit] = n
                self._plugged_holds |= 1 << bit
                if row[C_WHEN] != PLUGGED:
                    self._empty_holds |= 1 << bit
            else:
                self._reason_rows[bit] = n
                self._any_reason |= 1 << bit

    # ------------------------------------------------------------------------------- every pass

    def tick(self, now_ms: int, r, c) -> None:
        """Hear what stands at tick `now_ms`: `r` (signals.Readings) and `c` (signals.Commands) of this pass."""
        faults = c.faults
        holds = c.holds & (self._plugged_holds if c.plug_present else self._empty_holds)
        reasons = c.reasons & self._any_reason
        if faults == self._faults and holds == self._holds and reasons == self._reasons:
            if not self._waiting or 0 <= ticks_diff(now_ms, self._looked_ms) < _LOOK_MS:
                return
        self._changed(now_ms, faults, holds, reasons, r, c)

    def _changed(  # noqa: PLR0913, PLR0917 - one pass's values
        self, now_ms: int, faults: int, holds: int, reasons: int, r, c
    ) -> None:
        self._vanish(self._fault_rows, self._faults & ~faults & self._any_fault)
        self._vanish(self._reason_rows, self._reasons & ~reasons)
        gone = self._holds & ~holds
        self._waiting &= ~gone
        self._vanish(self._hold_rows, gone)
        self._appear(self._fault_rows, faults & ~self._faults & self._any_fault, r, c)
        self._appear(self._reason_rows, reasons & ~self._reasons, r, c)
        self._wait(now_ms, holds & ~self._holds)
        self._appear(self._hold_rows, self._settled(now_ms), r, c)
        self._faults = faults
        self._holds = holds
        self._reasons = reasons

    def _wait(self, now_ms: int, fresh: int) -> None:
        """Note since when each of the bits `fresh` stands."""
        self._waiting |= fresh
        n = 0
        while fresh:
            if fresh & 1:
                self._since_ms[n] = now_ms
            fresh >>= 1
            n += 1

    def _settled(self, now_ms: int) -> int:
        """Return the waiting holds that have lasted long enough; they wait no more."""
        self._looked_ms = now_ms
        done = 0
        left = self._waiting
        n = 0
        while left:
            if left & 1:
                since_ms = self._since_ms[n]
                lasted_ms = ticks_diff(now_ms, since_ms)
                if lasted_ms < 0:
                    # Time does not run backwards: the step tells of it. Here it only must not wait for days.
                    self._since_ms[n] = now_ms
                    lasted_ms = 0
                if lasted_ms >= _ROWS[self._hold_rows[n]][C_SETTLE_MS]:
                    done |= 1 << n
            left >>= 1
            n += 1
        self._waiting &= ~done
        return done

    def _appear(self, rows, mask: int, r, c) -> None:
        n = 0
        while mask:
            if mask & 1:
                self._enter(rows[n], r, c)
            mask >>= 1
            n += 1

    def _vanish(self, rows, mask: int) -> None:
        slots = self.slots
        n = 0
        while mask:
            if mask & 1:
                at = self._find(_ROWS[rows[n]][C_NUMBER])
                if at >= 0:
                    # Nothing to store: what is loaded is never present.
                    slots[at + S_FLAGS] &= ~PRESENT
            mask >>= 1
            n += 1

    def _find(self, number: int) -> int:
        """Return where the slot of a code begins, -1 where it has none (`number` 0: a free slot)."""
        slots = self.slots
        at = 0
        while at < SLOTS * SLOT_INTS:
            if slots[at] == number:
                return at
            at += SLOT_INTS
        return -1

    def _enter(self, row_number: int, r, c) -> None:
        """Write an appearance down."""
        slots = self.slots
        row = _ROWS[row_number]
        at = self._find(row[C_NUMBER])
        is_new = at < 0
        if is_new:
            at = self._room_for(row[C_CLASS])
            if at < 0:
                if self.lost < COUNT_MAX:
                    self.lost += 1
                return
            slots[at + S_NUMBER] = row[C_NUMBER]
            slots[at + S_FLAGS] = 0
            slots[at + S_COUNT] = 0
            slots[at + S_FIRST_SESSION] = self.session
            slots[at + S_FIRST_MIN] = 0
        clock = self.clock
        flags = slots[at + S_FLAGS] & FIRST_DATED | PRESENT
        minute = 0
        if clock is not None and clock.is_set:
            flags |= LAST_DATED
            minute = clock.minute
            if is_new:
                flags |= FIRST_DATED
                slots[at + S_FIRST_MIN] = minute
        if is_new or slots[at + S_LAST_SESSION] != self.session:
            fill(slots, at + S_FRAME, r, c)
        if slots[at + S_COUNT] < COUNT_MAX:
            slots[at + S_COUNT] += 1
        slots[at + S_FLAGS] = flags
        slots[at + S_LAST_SESSION] = self.session
        slots[at + S_LAST_MIN] = minute
        slots[at + S_CLEAN] = 0
        if self._turn < SESSIONS_MAX:
            self._turn += 1
        slots[at + S_TURN] = self._turn
        self.has_changed = True

    def _room_for(self, clears: int) -> int:
        """Return a slot for a code of class `clears`: a free one, or that of the least important, oldest; -1 where there is none."""
        at = self._find(0)
        if at >= 0:
            return at
        slots = self.slots
        best = -1
        best_rank = 0
        at = 0
        while at < SLOTS * SLOT_INTS:
            its_class = class_of(slots[at + S_NUMBER])
            is_present = slots[at + S_FLAGS] & PRESENT
            if its_class != SERVICE and (not is_present or its_class < clears):
                rank = its_class + (SERVICE if is_present else 0)
                if (
                    best < 0
                    or rank < best_rank
                    or (rank == best_rank and slots[at + S_TURN] < slots[best + S_TURN])
                ):
                    best = at
                    best_rank = rank
            at += SLOT_INTS
        return best

    def count(self, is_present: bool) -> int:
        """Return how many codes are stored, or of these present, 0..SLOTS."""
        slots = self.slots
        found = 0
        at = 0
        while at < SLOTS * SLOT_INTS:
            if slots[at] and (slots[at + S_FLAGS] & PRESENT or not is_present):
                found += 1
            at += SLOT_INTS
        return found

    def newest(self) -> int:
        """Return the code that appeared last, 0 for none."""
        slots = self.slots
        found = 0
        turn = 0
        at = 0
        while at < SLOTS * SLOT_INTS:
            if slots[at] and slots[at + S_TURN] >= turn:
                turn = slots[at + S_TURN]
                found = slots[at]
            at += SLOT_INTS
        return found

    # ---------------------------------------------------------------------------------- sessions

    def begin_session(self, number: int) -> None:
        """Say that session `number` (1..SESSIONS_MAX) begins: the plug went in."""
        self.session = number

    def end_session(self, has_charged: bool) -> None:
        """Say that the session is over. Only one that charged proves anything: its codes did not appear though they could."""
        slots = self.slots
        at = 0
        while at < SLOTS * SLOT_INTS:
            if slots[at]:
                if slots[at + S_FLAGS] & PRESENT:
                    if slots[at + S_LAST_SESSION] != self.session:
                        slots[at + S_LAST_SESSION] = self.session
                        self.has_changed = True
                elif has_charged and slots[at + S_LAST_SESSION] != self.session:
                    self._age(at)
            at += SLOT_INTS

    def _age(self, at: int) -> None:
        slots = self.slots
        if slots[at + S_CLEAN] < AGED_SESSIONS:
            slots[at + S_CLEAN] += 1
            self.has_changed = True
        if slots[at + S_CLEAN] >= AGED_SESSIONS and class_of(slots[at]) == SELF:
            slots[at] = 0

    # ------------------------------------------------------------------------------------ people

    def clear(self, number: int, is_unplugged: bool, is_service: bool) -> int:
        """Forget a code for a person, as far as its class allows; return CLEARED or why not.

        is_unplugged    the plug is proven out
        is_service      service mode is on
        """
        at = self._find(number) if number else -1
        if at < 0:
            return NOT_STORED
        if self.slots[at + S_FLAGS] & PRESENT:
            return STILL_PRESENT
        its_class = class_of(number)
        if its_class == SERVICE and not is_service:
            return NEEDS_SERVICE
        if its_class == UNPLUG and not is_unplugged:
            return NEEDS_UNPLUG
        self.slots[at] = 0
        self.has_changed = True
        return CLEARED

    # ----------------------------------------------------------------------------------- storage

    def dump_ints(self) -> int:
        """Return how many ints `dump` takes now: DUMP_HEAD..DUMP_INTS."""
        slots = self.slots
        count = DUMP_HEAD
        at = 0
        while at < SLOTS * SLOT_INTS:
            if slots[at]:
                count += SLOT_INTS
            at += SLOT_INTS
        return count

    def dump(self, into) -> int:
        """Write all of it into array "i" `into` (DUMP_INTS long or more) and return how many ints that took."""
        slots = self.slots
        into[0] = LAYOUT
        into[1] = self.session
        into[2] = self._turn
        count = DUMP_HEAD
        at = 0
        while at < SLOTS * SLOT_INTS:
            if slots[at]:
                for n in range(SLOT_INTS):
                    into[count + n] = slots[at + n]
                count += SLOT_INTS
            at += SLOT_INTS
        return count

    def load(self, ints, count: int) -> bool:
        """Take over a dump of `count` ints; return whether all of it was one.

        A slot that makes no sense, or whose code this firmware does not know, is left out; of a dump of another layout
        nothing is taken. Nothing is present before `tick` has seen it again. Call it before the first `tick`.
        """
        if count < DUMP_HEAD or ints[0] != LAYOUT or ints[1] < 0 or ints[2] < 0:
            return False
        is_whole = (count - DUMP_HEAD) % SLOT_INTS == 0 and count <= DUMP_INTS
        slots = self.slots
        for n in range(SLOTS * SLOT_INTS):
            slots[n] = 0
        self.session = ints[1]
        self._turn = ints[2]
        at = 0
        start = DUMP_HEAD
        while start + SLOT_INTS <= count and at < SLOTS * SLOT_INTS:
            if is_slot(ints, start) and self._find(ints[start]) < 0:
                for n in range(SLOT_INTS):
                    slots[at + n] = ints[start + n]
                slots[at + S_FLAGS] &= ~PRESENT
                at += SLOT_INTS
            else:
                is_whole = False
            start += SLOT_INTS
        return is_whole


def class_of(number: int) -> int:
    """Return the class of a code (faults.SELF, UNPLUG or SERVICE); of one that is not known, SERVICE."""
    for row in _ROWS:
        if row[C_NUMBER] == number:
            return row[C_CLASS]
    return SERVICE


def is_slot(ints, at: int) -> bool:
    """Tell whether a stored slot at index `at` of `ints` makes sense."""
    number = ints[at]
    is_known = False
    for row in _ROWS:
        if row[C_NUMBER] == number:
            is_known = True
    return (
        is_known
        and 0 <= ints[at + S_FLAGS] <= PRESENT | FIRST_DATED | LAST_DATED
        and 1 <= ints[at + S_COUNT] <= COUNT_MAX
        and 0 <= ints[at + S_FIRST_SESSION] <= ints[at + S_LAST_SESSION]
        and 0 <= ints[at + S_FIRST_MIN] < _WEEK_MIN
        and 0 <= ints[at + S_LAST_MIN] < _WEEK_MIN
        and 0 <= ints[at + S_CLEAN] <= AGED_SESSIONS
        and ints[at + S_TURN] >= 0
    )
