"""What wears: how often the plug went in and the bolt moved, how long it takes, hot minutes, a cable left plugged.

Counts from signals.Readings and signals.Commands; times in ms, what is kept in the unit of its name. Warns (W_ bits), stops
nothing. Allocates nothing after construction; `dump` and `load` are for the journal.

A latch slows before it fails: stiff grease, dirt, a tired motor. Its usual time is learnt from the first locks, then followed
by a slow and a quick mean; the warning is for a quick mean well above what was learnt, and goes below a lower edge.
"""

from micropython import const

from ticks import ticks_diff

# As in lock.actuator.LOCK_STATE_NAMES and interlock.SESSION_NAMES; a test compares.
UNLOCKED = const(3)
LOCK_WAIT = const(4)
LOCKING = const(5)
CHECK = const(7)
LOCKED = const(9)
ASSUMED = const(10)
UNLOCKING = const(14)
REOPEN_WAIT = const(17)
UNPLUGGED = const(0)
CHARGING = const(2)

# Warnings.
W_MATINGS = const(1 << 0)
W_LOCKS = const(1 << 1)
W_LOCK_SLOW = const(1 << 2)
W_HOT = const(1 << 3)
W_HOURS = const(1 << 4)
# (name, words), in bit order.
# fmt: off
WARNINGS = (
    ("matings",   "The inlet was plugged as often as its contacts are made for: have it inspected."),
    ("locks",     "The lock moved as often as it is made for: have it inspected."),
    ("lock_slow", "The lock takes longer than it used to: have it cleaned and inspected before it sticks."),
    ("hot",       "The contacts were too hot for too long: have them inspected."),
    ("hours",     "The inspection is due by hours of charging."),
)
# fmt: on

# Inspection is due after so many since the last one.
DUE = (9000, 20000, 600, 4000)
_DUE_WARNS = (W_MATINGS, W_LOCKS, W_HOT, W_HOURS)
# What is kept, DUMP_INTS ints of 32 bits in this order: (name, unit, inspection due after so many since the last one or 0,
# warning, what, source). A row with a limit warns with its bit.
# fmt: off
COUNTERS = (
    ("matings",        "count", DUE[0], W_MATINGS, "plugs that went in",                            "IEC 62196-1 endurance: 10000 cycles (secondary source), a tenth kept back"),
    ("locks",          "count", DUE[1], W_LOCKS,   "drives that locked",                            "own: two a mating, one to lock anew"),
    ("hot_min",        "min",   DUE[2], W_HOT,     "minutes with a contact at 85 degrees C or more", "own: where derating ends, ten hours"),
    ("charging_h",     "h",     DUE[3], W_HOURS,   "hours with current",                            "own: a year of nights"),
    ("left_h",         "h",     0,     0,         "hours a cable was left in after the end",       "told only"),
    ("unlocks",        "count", 0,     0,         "drives that unlocked",                          "told only"),
    ("lock_fails",     "count", 0,     0,         "drives towards locked that ended elsewhere",    "told only"),
    ("hottest_decic",  "0.1C",  0,     0,         "hottest contact ever",                          "told only"),
    ("lock_usual_ms",  "ms",    0,     0,         "time to lock as learnt when new",               "mean of the first 16 locks"),
    ("lock_recent_ms_x16", "ms/16", 0, 0,         "time to lock of late",                          "running mean of 8"),
    ("lock_trend_ms_x16",  "ms/16", 0, 0,         "time to lock over the long run",                "running mean of 64"),
    ("lock_slowest_ms", "ms",   0,     0,         "slowest lock ever",                             "told only"),
)
# fmt: on
C_NAME = const(0)
C_UNIT = const(1)
C_LIMIT = const(2)
C_WARNS = const(3)
C_WHAT = const(4)
C_SOURCE = const(5)
MATINGS = const(0)
LOCKS = const(1)
HOT_MIN = const(2)
CHARGING_H = const(3)
LEFT_H = const(4)
UNLOCKS = const(5)
LOCK_FAILS = const(6)
HOTTEST = const(7)
LOCK_USUAL = const(8)
LOCK_RECENT = const(9)
LOCK_TREND = const(10)
LOCK_SLOWEST = const(11)
_COUNT = const(12)
INSPECTED = const(4)  # the first so many have an inspection
# Version, counters, their values at the last inspection, locks learnt from (and _TOLD_SLOW) and their sum, remainders below a unit.
DUMP_INTS = const(22)
_VERSION = const(1)
_MAX = const((1 << 29) - 1)

# The mean of 16 locks is the usual time. A recent mean a third above it, and 40 ms, is slow, and no more once it is below half of
# that; so is one of four fifths of the longest drive, whatever is usual: past that time a lock has failed. The plant's
# 300 ms bolt, seen every 10 ms and 50 ms after its arrival, is warned of at 400 ms and fails at 600.
_LEARN = const(16)
_TOLD_SLOW = const(256)
_SLOW_MIN_MS = const(40)
_HOT_DECIC = const(850)  # settings: derate_end_decic
_FLOW_MA = const(1000)
_MINUTE_MS = const(60000)
_HOUR_MIN = const(60)
_LONGEST_MS = const(2000)  # what one look may stand for
# Passes between two looks while nothing changes: fewer than one in a hundred, which the p99 of all passes does not see.
_EVERY = const(128)


class Wear:
    """Call `tick` at the end of each pass."""

    def __init__(self, settings):
        self._late_ms = settings.lock_run_ms * 4 // 5
        self.values = [0] * _COUNT  # in the order of COUNTERS, 0.._MAX
        self.inspected = [0] * INSPECTED  # of those, at the last inspection
        self.warnings = 0  # mask of W_ bits
        self.serial = (
            0  # grows with every lock, mating and change of a warning: something to write
        )
        self._learnt = 0  # locks that the usual time was learnt from, 0.._LEARN
        self._learnt_ms = 0  # their sum, at most 16 * 60000
        self._session = UNPLUGGED
        self._lock = 0  # lock state of the pass before
        self._lock_ms = 0  # a drive began
        self._drive_ms = 0  # the last drive towards locked took
        self._wait = 0
        self._last_ms = 0
        self._is_timed = False
        # Below a unit: ms below a minute, minutes below an hour.
        self._hot_ms = 0
        self._charging_ms = 0
        self._charging_min = 0
        self._left_ms = 0
        self._left_min = 0
        self._has_charged = False  # in this plug-in

    def tick(self, now_ms: int, r, c) -> None:
        """Look at one pass: `r` as sampled, `c` as decided."""
        if c.lock_state == self._lock and c.session == self._session:
            self._wait -= 1
            if self._wait > 0:
                return
        self._wait = _EVERY
        if not self._is_timed:
            # What is in at a boot went in before it.
            self._is_timed = True
            self._last_ms = self._lock_ms = now_ms
            self._lock = c.lock_state
            self._session = c.session
        if c.lock_state != self._lock:
            self._lock_moved(now_ms, c.lock_state)
        if c.session != self._session:
            if self._session == UNPLUGGED:
                self._has_charged = False
                self._count(MATINGS)
            self._session = c.session
        passed_ms = ticks_diff(now_ms, self._last_ms)
        if passed_ms < 0 or passed_ms > _LONGEST_MS:
            passed_ms = _LONGEST_MS  # half a wrap and more reads as negative
        self._count_time(passed_ms, r, c)
        self._last_ms = now_ms

    def _lock_moved(self, now_ms: int, new: int) -> None:
        old = self._lock
        self._lock = new
        if new == LOCKING or new == UNLOCKING:
            self._lock_ms = now_ms
        if old == LOCKING:
            # The time of the drive alone, not of the check after it.
            self._drive_ms = ticks_diff(now_ms, self._lock_ms)
            if self._drive_ms < 0 or self._drive_ms > _MINUTE_MS:
                self._drive_ms = _MINUTE_MS
            if new == LOCK_WAIT or new == REOPEN_WAIT:
                self._count(LOCK_FAILS)
        if (new == LOCKED and old == CHECK) or (new == ASSUMED and old == LOCKING):
            self._learn(self._drive_ms)
            self._count(LOCKS)
        elif new == UNLOCKED and old == UNLOCKING:
            self._count(UNLOCKS)

    def _learn(self, took_ms: int) -> None:
        """Follow the time to lock."""
        values = self.values
        took_x16 = took_ms * 16
        values[LOCK_SLOWEST] = max(values[LOCK_SLOWEST], took_ms)
        if self._learnt < _LEARN:
            self._learnt += 1
            self._learnt_ms += took_ms
            values[LOCK_USUAL] = self._learnt_ms // self._learnt
            values[LOCK_RECENT] = values[LOCK_TREND] = self._learnt_ms * 16 // self._learnt
            return
        values[LOCK_RECENT] += (took_x16 - values[LOCK_RECENT]) // 8
        values[LOCK_TREND] += (took_x16 - values[LOCK_TREND]) // 64

    def _count_time(self, passed_ms: int, r, c) -> None:
        if c.hottest_ok:
            self.values[HOTTEST] = max(self.values[HOTTEST], c.hottest_decic)
            if c.hottest_decic >= _HOT_DECIC:
                self._hot_ms += passed_ms
                if self._hot_ms >= _MINUTE_MS:
                    self._hot_ms -= _MINUTE_MS
                    self._count(HOT_MIN)
        if c.session != UNPLUGGED:
            self._count_plugged(passed_ms, r, c)

    def _count_plugged(self, passed_ms: int, r, c) -> None:
        if r.charger_ok and r.charger_ma >= _FLOW_MA:
            self._has_charged = True
            self._charging_ms += passed_ms
            if self._charging_ms >= _MINUTE_MS:
                self._charging_ms -= _MINUTE_MS
                self._charging_min += 1
                if self._charging_min >= _HOUR_MIN:
                    self._charging_min = 0
                    self._count(CHARGING_H)
        elif self._has_charged and c.session != CHARGING:
            self._left_ms += passed_ms
            if self._left_ms >= _MINUTE_MS:
                self._left_ms -= _MINUTE_MS
                self._left_min += 1
                if self._left_min >= _HOUR_MIN:
                    self._left_min = 0
                    self._count(LEFT_H)

    def _count(self, counter: int) -> None:
        """Add one, and see what is due."""
        if self.values[counter] < _MAX:
            self.values[counter] += 1
        self._judge()
        self.serial = (self.serial + 1) & _MAX

    def _judge(self) -> None:
        """Bring the warnings up to the counters."""
        warnings = 0
        for n in range(INSPECTED):
            if self.values[n] - self.inspected[n] >= DUE[n]:
                warnings |= _DUE_WARNS[n]
        if self._learnt >= _LEARN:
            usual_ms = self.values[LOCK_USUAL]
            recent_ms = self.values[LOCK_RECENT] // 16
            more_ms = max(usual_ms // 3, _SLOW_MIN_MS)
            if self.warnings & W_LOCK_SLOW:
                more_ms //= 2
            if recent_ms >= usual_ms + more_ms or recent_ms >= self._late_ms:
                warnings |= W_LOCK_SLOW
        self.warnings = warnings

    def inspect(self) -> None:
        """Somebody has inspected the inlet: count to the next one from here, and learn the lock's time anew."""
        for n in range(INSPECTED):
            self.inspected[n] = self.values[n]
        self._learnt = self._learnt_ms = 0
        self.warnings = 0
        self.serial = (self.serial + 1) & _MAX

    def dump(self, out, at: int) -> None:
        """Write DUMP_INTS ints of 32 bits into `out` from `at` on."""
        out[at] = _VERSION
        at += 1
        for n in range(_COUNT):
            out[at + n] = self.values[n]
        at += _COUNT
        for n in range(INSPECTED):
            out[at + n] = self.inspected[n]
        at += INSPECTED
        out[at] = self._learnt | (_TOLD_SLOW if self.warnings & W_LOCK_SLOW else 0)
        out[at + 1] = self._learnt_ms
        out[at + 2] = self._hot_ms
        out[at + 3] = self._charging_min
        out[at + 4] = self._left_min

    def load(self, held, at: int) -> bool:
        """Take back what `dump` wrote; False, and nothing is taken, where it is of another version or impossible."""
        if not _is_possible(held, at):
            return False
        rest = at + 1 + _COUNT + INSPECTED
        for n in range(_COUNT):
            self.values[n] = held[at + 1 + n]
        for n in range(INSPECTED):
            self.inspected[n] = held[at + 1 + _COUNT + n]
        self._learnt = held[rest] & ~_TOLD_SLOW
        self.warnings = W_LOCK_SLOW if held[rest] & _TOLD_SLOW else 0
        self._learnt_ms = held[rest + 1]
        self._hot_ms = held[rest + 2]
        self._charging_min = held[rest + 3]
        self._left_min = held[rest + 4]
        self._judge()
        return True


def _is_possible(held, at: int) -> bool:
    """Tell whether a dump can be one: a warning may not come from a number that cannot be."""
    if held[at] != _VERSION:
        return False
    for n in range(at + 1, at + DUMP_INTS):
        if not 0 <= held[n] <= _MAX:
            return False
    # Of a drive a minute at most is counted, in 1/16 ms.
    for n in range(LOCK_USUAL, _COUNT):
        if held[at + 1 + n] > 16 * _MINUTE_MS:
            return False
    rest = at + 1 + _COUNT + INSPECTED
    for n in range(INSPECTED):
        if held[at + 1 + _COUNT + n] > held[at + 1 + n]:
            return False
    learnt = held[rest] & ~_TOLD_SLOW
    return (
        learnt <= _LEARN
        and held[rest + 1] <= learnt * _MINUTE_MS
        and held[rest + 2] < _MINUTE_MS
        and max(held[rest + 3], held[rest + 4]) < _HOUR_MIN
    )
