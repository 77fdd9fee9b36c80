"""The connector lock as one table: requests and feedback in, one signed bridge command and what is proven out.

Decides when the bolt is driven and what may be believed about it. Does not decide when a cable may be released:
that is `may_unlock`, from the interlock. A lock that is not proven locked is not locked; a false "locked" is the
worst outcome, so every doubt ends in "not locked". Units: ms, mV, mA.

Every drive starts from a wait state, on READY, which is the one place where dead time, cool-down, on-time budget and
permission are asked for; `lock.bridge` enforces them, and the cap, once more and knows nothing of this table.
"""

from micropython import const

from faults import (
    F_FAILED_LOCK,
    F_FAILED_UNLOCK,
    F_LOCK_REVERSED,
    F_LOCK_SENSE,
    F_UNEXPECTED_CLOSE,
    F_UNEXPECTED_OPEN,
)
from lock.bridge import BridgeGuard
from lock.feedback import POS_LOCKED, POS_UNKNOWN, POS_UNLOCKED, LockFeedback
from lock.params import FEEDBACK_ANALOG, FEEDBACK_NONE, LockParams
from ticks import ticks_diff

# Requests. A level, not a pulse: it stands as long as it is wanted.
HOLD = const(0)  # leave the bolt where it is; a drive under way is finished
LOCK = const(1)
UNLOCK = const(2)

# States.
ASSESS = const(0)  # boot, or pulled after a slip: look, drive nothing
UNKNOWN = const(1)  # no feedback fitted, and not driven since boot or since the last plug
BLIND = const(2)  # feedback fitted but unreadable, and not known to be locked
UNLOCKED = const(3)
LOCK_WAIT = const(4)  # wants to drive towards locked
LOCKING = const(5)
LOCK_REV = const(6)  # last attempt, the other way: is the bridge reversed?
CHECK = const(7)  # bridge off: does the bolt stay locked?
REV_CHECK = const(8)  # the same after LOCK_REV; passing proves the bridge reversed
LOCKED = const(9)  # proven by feedback
ASSUMED = const(10)  # locked by time: no feedback fitted
UNSURE = const(11)  # was locked, feedback became unreadable
UNLOCK_WAIT = const(12)  # wants to drive towards unlocked; has not yet
UNLOCK_PAUSE = const(13)  # the same between attempts
UNLOCKING = const(14)
UNLOCK_REV = const(15)  # last but one attempt, the other way: frees a reversed or frozen bolt
UNLOCK_FAILED = const(16)
REOPEN_WAIT = const(17)  # could not lock: opens again once permitted, to free the plug
SLIPPED = const(18)  # left locked undriven; not driven back: a hand may have done it
SHUT = const(19)  # became locked undriven; not believed until it has been seen to move
UNPROVEN = const(20)  # reads locked, for all that is known like a shorted wire; as SHUT
# fmt: off
LOCK_STATE_NAMES = (
    "assess", "unknown", "blind", "unlocked", "lock_wait", "locking", "locking_reversed",
    "lock_check", "reversed_check", "locked", "assumed", "unsure", "unlock_wait", "unlock_pause",
    "unlocking", "unlocking_reversed", "unlock_failed", "reopen_wait", "slipped", "shut",
    "unproven",
)
# fmt: on

# Events, in order of priority within a pass, but for the first, which comes from `unplugged()`.
E_UNPLUGGED = const(0)  # the connector is out
E_WITHDRAWN = const(1)  # may_unlock is gone while opening
E_AT_LOCKED = const(2)  # feedback has settled there
E_AT_UNLOCKED = const(3)
E_LOST = const(4)  # feedback has been unreadable for too long
E_DONE = const(5)  # no feedback fitted: the drive was as a good one is
E_ENDED = const(6)  # time over or motor blocked, and not arrived; attempts are left
E_SPENT = const(7)  # the same on the last attempt
E_LOCK = const(8)
E_UNLOCK = const(9)
E_READY = const(10)  # a drive may start
E_READY_REV = const(11)  # a drive may start, and should be the other way
NO_EVENT = const(12)
# fmt: off
LOCK_EVENT_NAMES = (
    "unplugged", "withdrawn", "at_locked", "at_unlocked", "lost", "done", "ended", "spent", "lock",
    "unlock", "ready", "ready_reversed", "none",
)
# fmt: on

__ = const(-1)  # stay: such an event is not taken, and hides none of lower priority

# _NEXT[state][event]
# fmt: off
_NEXT = (
    # UNPLUGGED WITHDRAWN    AT_LOCKED  AT_UNLOCKED LOST    DONE      ENDED         SPENT          LOCK         UNLOCK       READY      READY_REV
    (__,       __,          LOCKED,    UNLOCKED,   BLIND,  __,       BLIND,        BLIND,         __,          __,          __,        __),          # ASSESS
    (__,       __,          __,        __,         __,     __,       __,           __,            LOCK_WAIT,   UNLOCK_WAIT, __,        __),          # UNKNOWN
    (__,       __,          UNPROVEN,  UNLOCKED,   __,     __,       __,           __,            __,          UNLOCK_WAIT, __,        __),          # BLIND
    (__,       __,          SHUT,      __,         BLIND,  __,       __,           __,            LOCK_WAIT,   UNLOCK_WAIT, __,        __),          # UNLOCKED
    (__,       __,          __,        __,         __,     __,       __,           __,            __,          UNLOCK_WAIT, LOCKING,   LOCK_REV),    # LOCK_WAIT
    (__,       __,          CHECK,     __,         __,     ASSUMED,  LOCK_WAIT,    REOPEN_WAIT,   __,          __,          __,        __),          # LOCKING
    (__,       REOPEN_WAIT, REV_CHECK, __,         __,     __,       REOPEN_WAIT,  REOPEN_WAIT,   __,          __,          __,        __),          # LOCK_REV
    (__,       __,          LOCKED,    __,         __,     __,       LOCK_WAIT,    REOPEN_WAIT,   __,          __,          __,        __),          # CHECK
    (__,       __,          LOCKED,    __,         __,     __,       REOPEN_WAIT,  REOPEN_WAIT,   __,          __,          __,        __),          # REV_CHECK
    (UNPROVEN, __,          __,        SLIPPED,    UNSURE, __,       __,           __,            __,          UNLOCK_WAIT, __,        __),          # LOCKED
    (UNKNOWN,  __,          __,        __,         __,     __,       __,           __,            __,          UNLOCK_WAIT, __,        __),          # ASSUMED
    (BLIND,    __,          LOCKED,    SLIPPED,    __,     __,       __,           __,            __,          UNLOCK_WAIT, __,        __),          # UNSURE
    (__,       CHECK,       __,        __,         __,     __,       __,           __,            __,          __,          UNLOCKING, UNLOCKING),   # UNLOCK_WAIT
    (__,       CHECK,       __,        __,         __,     __,       __,           __,            __,          __,          UNLOCKING, UNLOCK_REV),  # UNLOCK_PAUSE
    (__,       CHECK,       __,        UNLOCKED,   __,     UNLOCKED, UNLOCK_PAUSE, UNLOCK_FAILED, __,          __,          __,        __),          # UNLOCKING
    (__,       CHECK,       __,        UNLOCKED,   __,     __,       UNLOCK_PAUSE, UNLOCK_FAILED, __,          __,          __,        __),          # UNLOCK_REV
    (__,       __,          __,        UNLOCKED,   __,     __,       __,           __,            UNLOCK_WAIT, UNLOCK_WAIT, __,        __),          # UNLOCK_FAILED
    (__,       __,          __,        __,         __,     __,       __,           __,            __,          __,          UNLOCKING, UNLOCKING),   # REOPEN_WAIT
    (ASSESS,   __,          __,        __,         __,     __,       __,           __,            __,          UNLOCK_WAIT, __,        __),          # SLIPPED
    (__,       __,          __,        UNLOCKED,   BLIND,  __,       __,           __,            UNLOCK_WAIT, UNLOCK_WAIT, __,        __),          # SHUT
    (__,       __,          __,        UNLOCKED,   BLIND,  __,       __,           __,            UNLOCK_WAIT, UNLOCK_WAIT, __,        __),          # UNPROVEN
)
_RUN = const(-1)  # LockParams.run_ms

# Outputs and properties by state, in the order of the states: one tuple each, so that the hot path indexes once.
#   drive      1 towards locked, -1 towards unlocked
#   locked, confirmed, unlocked: what is told
#   timeout    ms, 0 = may rest for ever. A wait is ended by READY, which the bridge gives within 61 s.
#   settle     ms for which feedback and state must have stood before the position is an event
#   home       position the bolt rests at; away from it for _AWAY_MS is an event
#   target     position the drive is to reach
#   wait       1 to lock, 2 to unlock
#   effort     attempts are counted within 1 locking, 2 unlocking
#   may        needs may_unlock all the time
#   new L, U   takes LOCK, UNLOCK only if newly asked for
#   doubt      a reading of locked is not believed until the bolt has been seen unlocked
#   known      where the bolt is, or that nobody can know
_DRIVE           = (  0, 0,   0, 0, 0,    1,   -1,   0,   0, 0, 0,   0, 0, 0,   -1,    1,   0, 0, 0, 0, 0)
_LOCKED          = (  0, 0,   0, 0, 0,    0,    0,   0,   0, 1, 1,   0, 0, 0,    0,    0,   0, 0, 0, 0, 0)
_CONFIRMED       = (  0, 0,   0, 0, 0,    0,    0,   0,   0, 1, 0,   0, 0, 0,    0,    0,   0, 0, 0, 0, 0)
_UNLOCKED        = (  0, 0,   0, 1, 0,    0,    0,   0,   0, 0, 0,   0, 0, 0,    0,    0,   0, 0, 0, 0, 0)
_TIMEOUT_MS      = (400, 0,   0, 0, 0, _RUN, _RUN, 250, 250, 0, 0,   0, 0, 0, _RUN, _RUN,   0, 0, 0, 0, 0)
_SETTLE_MS       = (200, 0, 500, 0, 0,    0,    0, 100, 100, 0, 0, 500, 0, 0,    0,    0, 100, 0, 0, 0, 0)
_HOME            = (  0, 0,   0, 1, 0,    0,    0,   0,   0, 2, 0,   0, 0, 0,    0,    0,   0, 0, 0, 2, 2)
_TARGET          = (  0, 0,   0, 0, 0,    2,    2,   0,   0, 0, 0,   0, 0, 0,    1,    1,   0, 0, 0, 0, 0)
_WAIT            = (  0, 0,   0, 0, 1,    0,    0,   0,   0, 0, 0,   0, 2, 2,    0,    0,   0, 2, 0, 0, 0)
_EFFORT          = (  0, 0,   0, 0, 1,    1,    1,   1,   1, 0, 0,   0, 2, 2,    2,    2,   0, 2, 0, 0, 0)
_NEEDS_MAY       = (  0, 0,   0, 0, 0,    0,    1,   0,   0, 0, 0,   0, 1, 1,    1,    1,   0, 0, 0, 0, 0)
_NEW_LOCK_ONLY   = (  0, 0,   0, 0, 0,    0,    0,   0,   0, 0, 0,   0, 0, 0,    0,    0,   1, 0, 0, 0, 0)
_NEW_UNLOCK_ONLY = (  0, 0,   0, 1, 0,    0,    0,   0,   0, 0, 0,   0, 0, 0,    0,    0,   1, 0, 0, 0, 0)
_DOUBTS          = (  0, 0,   0, 0, 0,    0,    0,   0,   0, 0, 0,   0, 0, 0,    0,    0,   1, 0, 0, 1, 1)
_KNOWN           = (  0, 1,   0, 1, 0,    0,    0,   0,   0, 1, 1,   0, 0, 0,    0,    0,   0, 0, 0, 0, 0)

_MOVED = F_FAILED_UNLOCK | F_UNEXPECTED_CLOSE  # the bolt is where it should be, or has been seen to move
# Faults a state raises on entry, and those whose cause is gone there. F_LOCK_SENSE clears in `tick`, the needs-unplug
# faults in `unplugged`, F_LOCK_REVERSED never.
_RAISES = (
    0, 0, F_LOCK_SENSE, 0, 0, 0, 0,
    0, 0, 0, 0, F_LOCK_SENSE, 0, 0,
    0, 0, F_FAILED_UNLOCK, F_FAILED_LOCK, F_UNEXPECTED_OPEN, F_UNEXPECTED_CLOSE, 0,
)
_CLEARS = (
    0, 0, 0, _MOVED, 0, 0, 0,
    0, 0, _MOVED, _MOVED, 0, 0, 0,
    0, 0, 0, 0, _MOVED, 0, 0,
)
# fmt: on

# As classed in faults.FAULTS. Each also bars LOCK.
_NEEDS_UNPLUG = F_FAILED_LOCK | F_UNEXPECTED_OPEN
_AT = (E_LOST, E_AT_UNLOCKED, E_AT_LOCKED)  # by position

# Away from home is a leaky sum: noise drains out at half the rate it came in, a loose contact that reads away more
# than a third of the time does not. A steady loss is reported 90..100 ms after its cause (shutdown table: 120 ms).
_AWAY_MS = const(100)
_AWAY_STEP_MS = const(50)  # one late sample never acts alone
_ARRIVED_MS = const(50)  # ends a drive: five samples, and the bolt is pushed home meanwhile
_TOO_SOON_MS = const(20)  # three samples; one of noise is no reason to doubt
_SENSED_MS = const(500)  # readable this long: F_LOCK_SENSE is over
_LONG_MS = const(60000)  # longer than any time limit; state ages stop here

# A drive the other way, by wait: with so many attempts left, and only if feedback never left that position.
_REV_LEFT = (0, 1, 2)
_REV_FROM = (POS_UNKNOWN, POS_UNLOCKED, POS_LOCKED)
# Coming from the far end, by effort, a motor blocked within the first eighth of its time is jammed, not there.
_FAR_END = (__, UNLOCKED, ASSUMED)


class LockActuator:
    """One lock. `tick` once a pass (10 ms). Raises nothing, allocates nothing after __init__."""

    def __init__(self, params: LockParams):
        self._has_feedback = params.feedback != FEEDBACK_NONE
        self._feedback = LockFeedback(params)
        self._bridge = BridgeGuard(params.run_ms, params.cap_ms, params.cooldown_ms)
        self._timeout_ms = tuple(params.run_ms if t == _RUN else t for t in _TIMEOUT_MS)
        self._attempts = params.attempts
        self._stall_ma = params.stall_ma
        self._stall_ms = params.stall_ms
        self._min_ma = params.min_ma
        self._far_ms = params.run_ms >> 3
        # One contact tells locked from not locked: where it opens, the bolt still holds the plug.
        self._proves_unlocked = params.feedback == FEEDBACK_ANALOG
        self._sign = -1 if params.is_inverted else 1  # from logical to physical direction
        # Outputs, valid after each tick.
        self.state = ASSESS if self._has_feedback else UNKNOWN  # states above; LOCK_STATE_NAMES
        self.event = NO_EVENT  # what the last tick took, for reports; LOCK_EVENT_NAMES
        self.drive = 0  # bridge: 1 or -1 one way or the other as it is wired, 0 off
        self.is_locked = False  # proven by feedback, or assumed by time where none is fitted
        self.is_confirmed = False  # proven by feedback
        self.is_unlocked = False  # proven by feedback, or by time where none is fitted
        self.faults = 0  # mask of faults.F_FAILED_LOCK .. F_LOCK_REVERSED
        # The present state.
        self._state_ms = 0  # age, 0..60000
        self._away_ms = 0  # leaky time away from home, 0.._AWAY_MS + _AWAY_STEP_MS
        # The present drive.
        self._stalled_ms = 0  # motor blocked without a break, 0..stall_ms + 60000
        self._has_drawn = False  # min_ma was seen
        self._is_whole = False  # driven for the whole time: arriving would prove nothing
        # The present effort: attempts at one end.
        self._left = 0  # attempts not begun
        self._from_state = self.state  # where it began
        self._from_position = POS_UNKNOWN
        self._has_moved = False  # feedback left _from_position
        # Inputs remembered.
        self._last_ms = 0
        self._is_first = True
        self._request = HOLD
        self._is_new = False  # the request changed since the state was entered
        self._is_pulled = False  # connector seen out since the last needs-unplug fault

    def tick(  # noqa: PLR0913, PLR0917  one pass's inputs, and no object to carry them in the hot path
        self,
        now_ms: int,
        request: int,
        may_unlock: bool,
        feedback_ok: bool,
        feedback_mv: int,
        motor_ma: int,
    ) -> None:
        """
        Take one pass's inputs and set the outputs.

        request      HOLD, LOCK or UNLOCK; anything else counts as HOLD
        may_unlock   nothing is live: the bolt may open. False stops an opening drive in this pass.
        feedback_ok  feedback_mv (mV, 0..5000) was measured in this pass
        motor_ma     amount of the bridge current, 0 where it is not measured
        """
        dt_ms = ticks_diff(now_ms, self._last_ms)
        self._last_ms = now_ms
        if self._is_first or dt_ms < 0:
            self._is_first = False
            dt_ms = 0
        elif dt_ms > _LONG_MS:
            dt_ms = _LONG_MS
        if self._state_ms < _LONG_MS:
            self._state_ms += dt_ms
        if request != self._request:
            self._request = request
            self._is_new = True
        if self._has_feedback:
            self._look(dt_ms, feedback_ok, feedback_mv)
        if _DRIVE[self.state]:
            event = self._drive_event(dt_ms, may_unlock, motor_ma)
        else:
            event = self._rest_event(dt_ms, may_unlock)
        self.event = event
        if event != NO_EVENT:
            self._go(event)
        bridge = self._bridge
        bridge.tick(dt_ms, _DRIVE[self.state], may_unlock)
        self.drive = bridge.drive if self._sign > 0 else -bridge.drive

    def unplugged(self) -> None:
        """
        Clear the needs-unplug faults, now or as soon as the bolt is in a known place.

        To be called each pass while the connector is out. Never changes `drive`.
        """
        self._is_pulled = True
        if _NEXT[self.state][E_UNPLUGGED] != __:
            self._enter(_NEXT[self.state][E_UNPLUGGED])
        elif _KNOWN[self.state]:
            self.faults &= ~_NEEDS_UNPLUG

    def forgive(self) -> None:
        """Forget that the bolt failed, so that it may be asked anew: what stopped it may be gone, ice for one."""
        self.faults &= ~F_FAILED_LOCK
        self._is_new = True

    def _look(self, dt_ms: int, ok: bool, mv: int) -> None:
        feedback = self._feedback
        feedback.tick(dt_ms, ok, mv)
        if (
            self.faults & F_LOCK_SENSE
            and feedback.position != POS_UNKNOWN
            and feedback.dwell_ms >= _SENSED_MS
        ):
            self.faults &= ~F_LOCK_SENSE
        if feedback.position != self._from_position and feedback.dwell_ms >= _ARRIVED_MS:
            self._has_moved = True

    def _drive_event(self, dt_ms: int, may_unlock: bool, motor_ma: int) -> int:
        state = self.state
        if _NEEDS_MAY[state] and not may_unlock:
            return E_WITHDRAWN
        feedback = self._feedback
        target = _TARGET[state]
        is_there = (
            feedback.position == target
            and feedback.dwell_ms >= _ARRIVED_MS
            and not (target == POS_LOCKED and feedback.is_doubted)
        )
        if is_there and not self._is_whole:
            return _AT[target]
        if motor_ma >= self._min_ma:
            self._has_drawn = True
        is_stalled = False
        if self._stall_ma:
            if motor_ma >= self._stall_ma:
                self._stalled_ms += dt_ms
                is_stalled = self._stalled_ms >= self._stall_ms
            else:
                self._stalled_ms = 0
        # The bridge guard ends a drive too: cap, budget.
        if (
            not is_stalled
            and self._state_ms < self._timeout_ms[state]
            and self._bridge.drive == _DRIVE[state]
        ):
            return NO_EVENT
        if is_there:
            return _AT[target]
        if not self._has_feedback and self._has_drawn:
            if (
                not is_stalled
                or self._state_ms - self._stalled_ms >= self._far_ms
                or self._from_state != _FAR_END[_EFFORT[state]]
            ):
                return E_DONE
        return E_ENDED if self._left > 0 else E_SPENT

    def _rest_event(  # noqa: PLR0911 - one a priority
        self, dt_ms: int, may_unlock: bool
    ) -> int:
        state = self.state
        row = _NEXT[state]
        if _NEEDS_MAY[state] and not may_unlock:
            return E_WITHDRAWN
        if self._has_feedback:
            event = self._feedback_event(dt_ms)
            if event != NO_EVENT and row[event] != __:
                return event
        limit_ms = _TIMEOUT_MS[state]
        if limit_ms and self._state_ms >= limit_ms:
            return E_ENDED if self._left > 0 else E_SPENT
        request = self._request
        if request == LOCK:
            if row[E_LOCK] != __ and self._takes_lock(row[E_LOCK], may_unlock):
                return E_LOCK
        elif request == UNLOCK and row[E_UNLOCK] != __ and self._takes_unlock(may_unlock):
            return E_UNLOCK
        wait = _WAIT[state]
        if wait and self._bridge.is_ready() and (wait == 1 or may_unlock):
            return E_READY_REV if self._is_other_way(wait, may_unlock) else E_READY
        return NO_EVENT

    def _feedback_event(self, dt_ms: int) -> int:
        feedback = self._feedback
        state = self.state
        home = _HOME[state]
        position = feedback.position
        if home:
            if position == home:
                if self._away_ms > 0:
                    self._away_ms = max(self._away_ms - (dt_ms >> 1), 0)
                return NO_EVENT
            self._away_ms += dt_ms if dt_ms < _AWAY_STEP_MS else _AWAY_STEP_MS
            return _AT[position] if self._away_ms >= _AWAY_MS else NO_EVENT
        settle_ms = _SETTLE_MS[state]
        if settle_ms and self._state_ms >= settle_ms and feedback.dwell_ms >= settle_ms:
            event = _AT[position]
            if not feedback.is_doubted or _NEXT[state][event] != LOCKED:
                return event
        return NO_EVENT

    def _takes_lock(self, after: int, may_unlock: bool) -> bool:
        """
        Tell whether LOCK acts.

        Not after a needs-unplug fault, nor while feedback leaves the bolt's place; to open first takes permission.
        """
        return (
            not self.faults & _NEEDS_UNPLUG
            and not self._away_ms
            and (may_unlock or after != UNLOCK_WAIT)
            and (self._is_new or not _NEW_LOCK_ONLY[self.state])
        )

    def _takes_unlock(self, may_unlock: bool) -> bool:
        return may_unlock and (self._is_new or not _NEW_UNLOCK_ONLY[self.state])

    def _is_other_way(self, wait: int, may_unlock: bool) -> bool:
        """Tell whether the next attempt should try the other direction. Either way needs permission to open."""
        return (
            may_unlock
            and self._has_feedback
            and not self._has_moved
            and self._left == _REV_LEFT[wait]
            and self._left < self._attempts
            and self._from_position == _REV_FROM[wait]
        )

    def _is_there_too_soon(self, new: int) -> bool:
        """Tell whether feedback turned to locked while an unlocked bolt waited for its first drive."""
        feedback = self._feedback
        return (
            _TARGET[new] == POS_LOCKED
            and self._from_state == UNLOCKED
            and self._left == self._attempts
            and feedback.position == POS_LOCKED
            and feedback.dwell_ms >= _TOO_SOON_MS
        )

    def _go(self, event: int) -> None:
        old = self.state
        new = _NEXT[old][event]
        if event == E_WITHDRAWN:
            self._bridge.hurry()
        elif _DRIVE[old] and (event == E_ENDED or event == E_SPENT):
            self._bridge.cool()
        if old == REV_CHECK and new == LOCKED:
            self._sign = -self._sign
            self.faults |= F_LOCK_REVERSED
        self._enter(new)

    def _enter(self, new: int) -> None:
        old = self.state
        feedback = self._feedback
        if _EFFORT[new] != _EFFORT[old]:
            self._left = self._attempts
            self._from_state = old
            self._from_position = feedback.position
            self._has_moved = False
        if _DRIVE[new]:
            if self._is_there_too_soon(new):
                feedback.is_doubted = True
            self._left -= 1
            self._stalled_ms = 0
            self._has_drawn = False
            target = _TARGET[new]
            self._is_whole = feedback.position == target or (
                target == POS_UNLOCKED and not self._proves_unlocked
            )
        if _DOUBTS[new]:
            feedback.is_doubted = True
        self.state = new
        self._state_ms = 0
        self._away_ms = 0
        self._is_new = False
        self.faults = self.faults & ~_CLEARS[new] | _RAISES[new]
        if _RAISES[new] & _NEEDS_UNPLUG:
            self._is_pulled = False
        if _KNOWN[new] and self._is_pulled:
            self.faults &= ~_NEEDS_UNPLUG
        self.is_locked = _LOCKED[new] == 1
        self.is_confirmed = _CONFIRMED[new] == 1
        self.is_unlocked = _UNLOCKED[new] == 1
