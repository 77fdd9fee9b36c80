"""The last eight sessions and how each ended, and what one says of another. Plain integers in one array.

AC tells no name of a station. What the pilot shows of it is a weak fingerprint: period, level in state B, and the coding of
the cable, not the offer, which the same station changes. Two stations may look alike, and then nothing is concluded; one
is never taken for two within what a pilot and its measurement drift.
"""

from array import array

from micropython import const

from journal.blame import (
    ALIKE_ELSEWHERE,
    G_END,
    G_HOT,
    GOOD_ELSEWHERE,
    NOT_KNOWN,
    PACKED_ACROSS,
    PERSON,
    SURE,
)

SESSIONS = const(8)
# One session, OUTCOME_INTS ints: verdict or GOOD, rule code, group, how sure, then the fingerprint: period in 0.1 us, level
# of state B in mV, PP as per mille of its rail (0: not seen), and what was carried: minutes, highest current in 0.1 A.
O_VERDICT = const(0)
O_CODE = const(1)
O_GROUP = const(2)
O_SURE = const(3)
O_PERIOD = const(4)
O_LEVEL = const(5)
O_PP = const(6)
O_MINUTES = const(7)
O_PEAK = const(8)
OUTCOME_INTS = const(9)
GOOD = const(7)  # charged, and ended as wanted
EMPTY = const(-1)
DUMP_INTS = const(74)  # version, sessions counted, eight rows
_VERSION = const(1)
_COUNT_MOST = const((1 << 29) - 1)
_FIELD_MOST = const((1 << 24) - 1)  # times four it is a small int

# Differences that no station shows against itself: 0.8 Hz of 1000 (a crystal keeps 0.1; IEC 61851-1 Tab A.2 allows 20),
# 300 mV in state B (0.41 V at the generator, of 1.2 V that Tab A.2 allows), 30 per mille of the PP rail (Type 2: 63 A 226, 32 A
# 381, 20 A 622, 13 A 745 with 330 ohm and 2.7 kohm).
APART_PERIOD = const(8)
APART_LEVEL_MV = const(300)
APART_PP = const(30)
# A plug is cleared of heat only by a session of this length with three quarters of the current.
_COOL_MINUTES = const(10)


class Outcomes:
    """A ring of sessions, the newest at index 0. `add` and `revise` allocate nothing."""

    def __init__(self):
        self.rows = array("i", [0] * (SESSIONS * OUTCOME_INTS))
        self.count = 0  # sessions ever added, 0.._COUNT_MOST
        self.revised = 0  # verdicts revised by `revise`, in all
        for n in range(SESSIONS):
            self.rows[n * OUTCOME_INTS] = EMPTY

    def field(self, session: int, column: int) -> int:
        """Return a column of the session so many before the newest, 0..7."""
        return self.rows[session * OUTCOME_INTS + column]

    def open_row(self) -> None:
        """Make room for a session at index 0: the oldest is forgotten."""
        rows = self.rows
        for n in range(SESSIONS * OUTCOME_INTS - 1, OUTCOME_INTS - 1, -1):
            rows[n] = rows[n - OUTCOME_INTS]
        for n in range(OUTCOME_INTS):
            rows[n] = 0
        if self.count < _COUNT_MOST:
            self.count += 1

    def set(self, column: int, value: int) -> None:
        """Set a column of the newest session."""
        self.rows[column] = value

    def revise(self) -> None:
        """Look at every session that a rule left open in the light of the others."""
        for n in range(SESSIONS - 1, -1, -1):
            if self.field(n, O_VERDICT) == NOT_KNOWN and self.field(n, O_GROUP):
                self._revise_one(n)

    def _revise_one(self, n: int) -> None:
        other = self._other_of(n)
        if other < 0:
            return
        wanted = other | self.field(n, O_GROUP) << 1
        table = PACKED_ACROSS
        for k in range(0, len(table), 3):
            if table[k + 1] == wanted:
                at = n * OUTCOME_INTS
                self.rows[at + O_VERDICT] = table[k + 2] & 7
                self.rows[at + O_CODE] = table[k]
                self.rows[at + O_SURE] = table[k + 2] >> 3
                self.revised = (self.revised + 1) & _COUNT_MOST

    def _other_of(self, n: int) -> int:
        """Return what the first session that says anything of session n says, -1 where none does.

        Later ones are asked first, in their order. One before may only have failed alike: that it worked then says
        nothing of what broke since.
        """
        group = self.field(n, O_GROUP)
        for m in range(n - 1, -1, -1):
            if not self.are_apart(n, m):
                continue
            if self.field(m, O_GROUP) == group and self.field(m, O_VERDICT) != GOOD:
                return ALIKE_ELSEWHERE
            if self.field(m, O_VERDICT) == GOOD and (group != G_HOT or self._cooled(n, m)):
                return GOOD_ELSEWHERE
        for m in range(n + 1, SESSIONS):
            if self.field(m, O_VERDICT) == EMPTY or self.field(m, O_VERDICT) == GOOD:
                return -1
            if self.field(m, O_GROUP) == group and self.are_apart(n, m):
                return ALIKE_ELSEWHERE
        return -1

    def _cooled(self, hot: int, other: int) -> bool:
        return (
            self.field(other, O_MINUTES) >= _COOL_MINUTES
            and self.field(other, O_PEAK) * 4 >= self.field(hot, O_PEAK) * 3
        )

    def are_apart(self, n: int, m: int) -> bool:
        """Tell whether the two sessions were certainly at different stations; False where they look alike or are unseen."""
        return (
            self._differ(n, m, O_PERIOD, APART_PERIOD)
            or self._differ(n, m, O_LEVEL, APART_LEVEL_MV)
            or self._differ(n, m, O_PP, APART_PP)
        )

    def _differ(self, n: int, m: int, column: int, least: int) -> bool:
        a = self.field(n, column)
        b = self.field(m, column)
        return a > 0 and b > 0 and (a - b >= least or b - a >= least)

    def dump(self, out, at: int) -> None:
        """Write DUMP_INTS ints of 32 bits into `out` from `at` on."""
        out[at] = _VERSION
        out[at + 1] = self.count
        for n in range(SESSIONS * OUTCOME_INTS):
            out[at + 2 + n] = self.rows[n]

    def load(self, held, at: int) -> bool:
        """Take back what `dump` wrote; False, and nothing is taken, where it is of another version or impossible."""
        if held[at] != _VERSION or not 0 <= held[at + 1] <= _COUNT_MOST:
            return False
        for n in range(SESSIONS):
            first = at + 2 + n * OUTCOME_INTS
            verdict = held[first]
            if not EMPTY <= verdict <= PERSON and verdict != GOOD:
                return False
            for k in range(1, OUTCOME_INTS):
                if not 0 <= held[first + k] <= _FIELD_MOST:
                    return False
            if (
                held[first + O_CODE] > 255
                or held[first + O_GROUP] > G_END
                or held[first + O_SURE] > SURE
            ):
                return False
        self.count = held[at + 1]
        for n in range(SESSIONS * OUTCOME_INTS):
            self.rows[n] = held[at + 2 + n]
        return True
