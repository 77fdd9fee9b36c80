"""The session log: one small record a plug-in, made when the plug is out again. Reports only; decides nothing.

Energy is not in it: without a meter nobody knows it. The clock may be never set, set late, or corrected on the way: the record
holds what was known when the plug came and when it went, and whether the clock then agrees with the time that passed.
"""

from array import array

from micropython import const

from faults import NO_PLUG
from ticks import ticks_diff

KIND_SESSION = const(17)
LAYOUT = const(1)
RECORD_BYTES = const(44)

# The record: (name, bytes, what). Low byte first; hottest_decic is signed.
RECORD = (
    ("layout", 1, "1"),
    ("flags", 1, "see below"),
    ("number", 4, "of the plug-in"),
    ("begin_min", 2, "local minute of the week when it came; only with begin_dated"),
    ("end_min", 2, "the same when it went; only with end_dated"),
    ("plugged_s", 4, "how long the plug was in"),
    ("charging_s", 4, "how long current flowed: 1 A or more"),
    ("stop_reasons", 4, "reasons of the last time S2 opened, or why it never closed (docs/shutdown.md)"),
    ("openings", 2, "how often S2 opened"),
    ("verdict", 2, "what the caller gave: the verdict on the last stop, 0 = none"),
    ("most_ma", 4, "greatest AC current seen, per phase"),
    ("permitted_ma", 4, "greatest permitted current"),
    ("hottest_decic", 2, "hottest contact, 0.1 degree C; only with hottest_known"),
    ("lock_tries", 2, "drives towards locked"),
    ("resets", 2, "restarts of the board while the plug was in, as the caller knows them"),
    ("faults", 4, "faults that were there at some time"),
)  # fmt: skip
FLAGS = (
    "begin_dated",
    "end_dated",
    "clock_differs",  # the clock and the time that passed differ by more than 2 minutes: it was set on the way
    "from_boot",  # the plug was in already when the board started: it came earlier than begin_min
    "hottest_known",
    "has_charged",
)
_BEGIN_DATED = const(1)
_END_DATED = const(2)
_CLOCK_DIFFERS = const(4)
_FROM_BOOT = const(8)
_HOTTEST_KNOWN = const(16)
_HAS_CHARGED = const(32)

# As in interlock.SESSION_NAMES and lock.actuator.LOCK_STATE_NAMES; a test compares.
_UNPLUGGED = const(0)
_CHARGING = const(2)
_LOCKING = const(5)
# Passes between two looks while nothing changes: fewer than one in a hundred.
_EVERY = const(128)
_FLOW_MA = const(1000)
_SECOND_MS = const(1000)
_LONGEST_MS = const(2000)  # what one look may stand for
_WEEK_MIN = const(10080)
_MAX = const((1 << 29) - 1)
_SHORT_MAX = const(65535)
# After a boot a plug is in until it is proven to be out, which takes 5 s at most (settings: plug_debounce_ms).
_PROOF_S = const(6)

# Places in the numbers that are gathered.
_FLAGS = const(0)
_BEGIN_MIN = const(1)
_END_MIN = const(2)
_PLUGGED_S = const(3)
_CHARGING_S = const(4)
_STOP_REASONS = const(5)
_OPENINGS = const(6)
_MOST_MA = const(7)
_PERMITTED_MA = const(8)
_HOTTEST = const(9)
_LOCK_TRIES = const(10)
_FAULTS = const(11)
_COUNT = const(12)


class SessionLog:
    """Call `tick` at the end of each pass. Allocates nothing after construction.

    clock   what tells the local time (vehicle.clock.Clock), or None; may be given later
    """

    def __init__(self, clock=None):
        self.clock = clock
        self.has_ended = False  # a session is over and not taken yet
        self.lost = 0  # sessions that ended while another was not taken, 0..65535
        self._now = array("i", [0] * _COUNT)  # of the session that is
        self._over = array("i", [0] * _COUNT)  # of the one that has ended
        self._session = _UNPLUGGED
        self._has_s2 = False
        self._lock = 0
        self._wait = 0
        self._last_ms = 0
        self._plugged_ms = 0  # below a second
        self._charging_ms = 0
        self._is_timed = False

    def tick(self, now_ms: int, r, c) -> None:
        """Look at one pass: `r` as sampled, `c` as decided."""
        if c.session == self._session and c.lock_state == self._lock:
            self._wait -= 1
            if self._wait > 0:
                return
        self._wait = _EVERY
        if not self._is_timed:
            self._is_timed = True
            self._last_ms = now_ms
            if c.session != _UNPLUGGED:
                self._begin(_FROM_BOOT)
        elif self._session == _UNPLUGGED and c.session != _UNPLUGGED:
            self._begin(0)
        if c.session != _UNPLUGGED or self._session != _UNPLUGGED:
            self._gather(min(ticks_diff(now_ms, self._last_ms), _LONGEST_MS), r, c)
        if c.session == _UNPLUGGED and self._session != _UNPLUGGED:
            self._end()
        self._last_ms = now_ms
        self._session = c.session
        self._lock = c.lock_state
        self._has_s2 = c.s2_close

    def _begin(self, flags: int) -> None:
        now = self._now
        for n in range(_COUNT):
            now[n] = 0
        clock = self.clock
        if clock is not None and clock.is_set:
            flags |= _BEGIN_DATED
            now[_BEGIN_MIN] = clock.minute
        now[_FLAGS] = flags
        self._has_s2 = False
        self._plugged_ms = self._charging_ms = 0

    def _gather(self, passed_ms: int, r, c) -> None:
        """Take in what the pass tells, and the time since the last look."""
        now = self._now
        if passed_ms > 0 and self._session != _UNPLUGGED:
            self._plugged_ms += passed_ms
            if self._plugged_ms >= _SECOND_MS and now[_PLUGGED_S] < _MAX:
                now[_PLUGGED_S] += self._plugged_ms // _SECOND_MS
                self._plugged_ms %= _SECOND_MS
        if r.charger_ok:
            now[_MOST_MA] = max(now[_MOST_MA], r.charger_ma)
            if r.charger_ma >= _FLOW_MA and passed_ms > 0:
                now[_FLAGS] |= _HAS_CHARGED
                self._charging_ms += passed_ms
                if self._charging_ms >= _SECOND_MS and now[_CHARGING_S] < _MAX:
                    now[_CHARGING_S] += self._charging_ms // _SECOND_MS
                    self._charging_ms %= _SECOND_MS
        now[_PERMITTED_MA] = max(now[_PERMITTED_MA], c.permitted_ma)
        now[_FAULTS] |= c.faults
        if c.hottest_ok:
            if not now[_FLAGS] & _HOTTEST_KNOWN or c.hottest_decic > now[_HOTTEST]:
                now[_HOTTEST] = c.hottest_decic
            now[_FLAGS] |= _HOTTEST_KNOWN
        if c.lock_state == _LOCKING and self._lock != _LOCKING and now[_LOCK_TRIES] < _SHORT_MAX:
            now[_LOCK_TRIES] += 1
        self._follow_s2(c)

    def _follow_s2(self, c) -> None:
        """Keep why charging ended last; as long as it never began, why it does not."""
        now = self._now
        if self._session == _CHARGING and c.session != _CHARGING:
            now[_STOP_REASONS] = c.reasons
        if self._has_s2:
            if not c.s2_close and now[_OPENINGS] < _SHORT_MAX:
                now[_OPENINGS] += 1
        elif c.s2_close:
            now[_STOP_REASONS] = 0
        elif not now[_OPENINGS] and c.session != _UNPLUGGED and not c.reasons & NO_PLUG:
            now[_STOP_REASONS] = c.reasons

    def _end(self) -> None:
        now = self._now
        clock = self.clock
        if clock is not None and clock.is_set:
            now[_FLAGS] |= _END_DATED
            now[_END_MIN] = clock.minute
            if now[_FLAGS] & _BEGIN_DATED:
                # How far the clock is from where the time that passed would have it, -5040..5039 minutes.
                gone = clock.minute - now[_BEGIN_MIN] - now[_PLUGGED_S] // 60 % _WEEK_MIN
                off = (gone + 2 * _WEEK_MIN + _WEEK_MIN // 2) % _WEEK_MIN - _WEEK_MIN // 2
                if off < -2 or off > 2:
                    now[_FLAGS] |= _CLOCK_DIFFERS
        if now[_FLAGS] & _FROM_BOOT and not now[_OPENINGS] and now[_PLUGGED_S] < _PROOF_S:
            # No plug: it only was not proven to be out yet.
            return
        if self.has_ended and self.lost < _SHORT_MAX:
            # The older one is on its way to nobody.
            self.lost += 1
        for n in range(_COUNT):
            self._over[n] = now[n]
        self.has_ended = True

    def take(self, into, number: int, verdict: int = 0, resets: int = 0) -> int:
        """Write the record of the session that has ended to `into`, a bytearray, and forget it; return its length, 0 for none.

        number 0..2**30-1; verdict and resets 0..65535.
        """
        if not self.has_ended:
            return 0
        self.has_ended = False
        over = self._over
        at = _put(into, 0, LAYOUT, 1)
        at = _put(into, at, over[_FLAGS], 1)
        at = _put(into, at, number, 4)
        at = _put(into, at, over[_BEGIN_MIN], 2)
        at = _put(into, at, over[_END_MIN], 2)
        at = _put(into, at, over[_PLUGGED_S], 4)
        at = _put(into, at, over[_CHARGING_S], 4)
        at = _put(into, at, over[_STOP_REASONS], 4)
        at = _put(into, at, over[_OPENINGS], 2)
        at = _put(into, at, verdict, 2)
        at = _put(into, at, over[_MOST_MA], 4)
        at = _put(into, at, over[_PERMITTED_MA], 4)
        at = _put(into, at, over[_HOTTEST] & _SHORT_MAX, 2)
        at = _put(into, at, over[_LOCK_TRIES], 2)
        at = _put(into, at, resets, 2)
        return _put(into, at, over[_FAULTS], 4)


def _put(into, at: int, number: int, count: int) -> int:
    """Write `number` in so many bytes at `at`, low byte first; return where the next goes."""
    for n in range(count):
        into[at + n] = number & 255
        number >>= 8
    return at + count
