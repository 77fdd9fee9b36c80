"""Contact health over the sessions: a wearing contact is told long before it is hot, and a station's warm plug from it.

`Trend` is one contact's memory, `ContactHealth` the contacts of one current with their Heating: the room's facade. Takes
plain values, gives verdicts, stops nothing. All coefficients in uK/A^2 (journal/heating.py), at most MOST = 4e6, so that
their products with 256 stay below 2**30. Rules and their numbers: docs/contact-health.md; all are own choices, for no
public source gives any, but the 60 C where derating starts and J1772's ambient are the settings'.
"""

from array import array

from micropython import const

from journal.contact import KNOWN, MOST
from journal.heating import Heating, Moment
from journal.whole import muldiv

# Verdicts.
LEARNING = const(0)  # fewer sessions than a baseline needs
HEALTHY = const(1)
WATCH = const(2)  # has grown
WORN = const(
    3
)  # has grown to half as much again, or so that derating would start at rated current on a hot day
JUMPED = const(4)  # much warmer at once: the plug or the inlet, the next plug-in tells
PLUG_WARM = const(5)  # it followed the station
VERDICT_NAMES = ("learning", "healthy", "watch", "worn", "jumped", "plug_warm")
REPORTED = (WATCH, WORN, PLUG_WARM)

_LAG_SESSIONS = const(4)
_BASE_SESSIONS = const(12)
_FREE_SESSIONS = const(3)  # of the baseline; later ones count with at most a quarter more or less
_FAST_SHIFT = const(2)  # about the last 7 sessions; one that is less sure than 10 % counts half
_SLOW_SHIFT = const(5)  # about the last 63
_SCATTER_SHIFT = const(3)
_SETTLED = const(48)  # sessions until the slow mean may lower the baseline

_WATCH_PCT = const(25)
_WELL_PCT = const(15)  # below it, "watch" ends
_WORN_PCT = const(50)
_RUNNING = const(3)  # known sessions that agree before a verdict gets worse
_LEAST_SCATTER_SHIFT = const(5)  # 3 % of the baseline, whatever the sessions say

_JUMP_PCT = const(50)
_GONE_PCT = const(20)  # above what it was before is "gone"
_STAYS = const(3)  # plug-ins, if the stations are not told apart; two known ones are enough
_STAYS_SAME = const(6)  # at the one same station
_TOLD = const(5)  # known sessions that "the plug was warm" stays
_COUNT_MOST = const(60_000)

HOT_DECIC = const(400)  # ambient for the prediction

# What a record holds, in this order.
BASE = const(0)  # baseline
BASE_COUNT = const(1)  # sessions in it, 0.._BASE_SESSIONS
FAST = const(2)
SLOW = const(3)
SCATTER = const(4)  # mean deviation of a session from the fast mean
COUNT = const(5)  # known sessions
LAG_X16 = const(6)
LAG_COUNT = const(7)  # 0.._LAG_SESSIONS
VERDICT = const(8)
LAST = const(9)  # the last session's
RUNNING = const(10)  # sessions that speak for a worse verdict
HIGH_RUN = const(11)  # plug-ins since a jump that are still high
LOW_RUN = const(12)  # plug-ins since a drop that are still low
STATION = const(13)  # where it jumped or dropped, 0: not known
STATIONS_APART = const(14)  # 1: a second known station was as high
TOLD_LEFT = const(15)  # sessions that PLUG_WARM stays
PLUGS = const(16)  # warm plugs found
FIELDS = const(17)
# Greatest of each; the least is 0.
_MOST_OF = (
    MOST, _BASE_SESSIONS, MOST, MOST, MOST, _COUNT_MOST, 80, _LAG_SESSIONS, PLUG_WARM, MOST, _RUNNING,
    _STAYS_SAME, _STAYS, 255, 1, _TOLD, _COUNT_MOST,
)  # fmt: skip

MAGIC = const(0x0C0A01)  # contact health, form 1


class Trend:
    """One contact over the sessions: `fields`, in the order above, is all that it remembers."""

    def __init__(self, worn_at: int):
        self._worn_at = (
            worn_at  # coefficient at which derating starts on a hot day, at rated current
        )
        self.fields = array("i", [0] * FIELDS)

    def learn_lag(self, lag_x16: int) -> int:
        """Take a clear session's own lag; return what to read coefficients at, below 0 until it is learned."""
        f = self.fields
        count = min(_LAG_SESSIONS, f[LAG_COUNT] + 1)
        f[LAG_COUNT] = count
        f[LAG_X16] += (lag_x16 - f[LAG_X16]) // count
        return f[LAG_X16] if count == _LAG_SESSIONS else -1

    def take(self, k: int, spread: int, is_new_plug: bool, station: int) -> None:
        """Take a known session.

        k, spread: coefficient and its sigma. is_new_plug: plugged in since the session before. station: 1..255 for one
        the caller tells from others, 0 if it cannot.
        """
        f = self.fields
        k = max(1, min(k, MOST))
        f[LAST] = k
        f[COUNT] = min(_COUNT_MOST, f[COUNT] + 1)
        if f[BASE_COUNT] < _BASE_SESSIONS:
            self._found(k)
            return
        if f[TOLD_LEFT]:
            f[TOLD_LEFT] -= 1
        noise = 4 * max(spread, f[SCATTER], f[BASE] >> _LEAST_SCATTER_SHIFT)
        if f[HIGH_RUN]:
            if not self._high(k, is_new_plug, station):
                return
        elif f[LOW_RUN]:
            if not self._low(k, is_new_plug, station):
                return
        elif is_new_plug and k - f[FAST] > max(noise, muldiv(f[FAST], _JUMP_PCT, 100)):
            f[HIGH_RUN] = 1
            f[STATION] = station
            f[STATIONS_APART] = 0
            f[VERDICT] = JUMPED
            return
        elif is_new_plug and self._has_grown(_WATCH_PCT) and self._is_dropped(k, noise):
            f[LOW_RUN] = 1
            f[STATION] = station
            return
        self._average(k, spread)
        self._rule()

    def _found(self, k: int) -> None:
        """Add to the baseline; the first sessions may not all have been at good plugs."""
        f = self.fields
        count = f[BASE_COUNT]
        f[BASE_COUNT] = count + 1
        base = f[BASE]
        if count >= _FREE_SESSIONS:
            k = max(base - (base >> 2), min(k, base + (base >> 2)))
            f[SCATTER] += (abs(k - base) - f[SCATTER]) // (count - _FREE_SESSIONS + 1)
        elif count:
            k = min(k, base + (base >> 1))
        f[BASE] = f[FAST] = f[SLOW] = base + (k - base) // (count + 1)
        f[VERDICT] = HEALTHY if count + 1 == _BASE_SESSIONS else LEARNING

    def _high(self, k: int, is_new_plug: bool, station: int) -> bool:
        """It has jumped: follow it over plug-ins. Return whether the session belongs into the means."""
        f = self.fields
        is_gone = k - f[FAST] <= muldiv(f[FAST], _GONE_PCT, 100)
        if is_gone:
            f[HIGH_RUN] = 0
            if is_new_plug:
                self._tell_plug()
            else:
                f[VERDICT] = HEALTHY  # within a plug-in: no evidence for either
            return True
        if not is_new_plug:
            return False
        f[HIGH_RUN] += 1
        stays = _STAYS
        if station and f[STATION]:
            if station != f[STATION]:
                f[STATIONS_APART] = 1
            stays = 2 if f[STATIONS_APART] else _STAYS_SAME
        if f[HIGH_RUN] < stays:
            return False
        # It stays with the inlet.
        f[HIGH_RUN] = 0
        f[FAST] = k
        f[VERDICT] = WATCH
        f[RUNNING] = _RUNNING
        return True

    def _is_dropped(self, k: int, noise: int) -> bool:
        f = self.fields
        return (k - f[BASE]) * 3 <= f[FAST] - f[BASE] and f[FAST] - k > noise

    def _low(self, k: int, is_new_plug: bool, station: int) -> bool:
        """What had grown was normal at once: the inlet's contact does not heal, so the usual plug is suspected."""
        f = self.fields
        if not is_new_plug:
            return False
        is_low = k * 2 <= f[BASE] + f[FAST]
        if not is_low:
            f[LOW_RUN] = 0
            self._tell_plug()
            return True
        f[LOW_RUN] += 1
        if f[LOW_RUN] < _STAYS:
            return False
        f[LOW_RUN] = 0
        f[FAST] = k
        self._tell_plug()
        return True

    def _tell_plug(self) -> None:
        f = self.fields
        f[VERDICT] = PLUG_WARM
        f[TOLD_LEFT] = _TOLD
        f[RUNNING] = 0
        f[PLUGS] = min(_COUNT_MOST, f[PLUGS] + 1)

    def _average(self, k: int, spread: int) -> None:
        f = self.fields
        shift = _FAST_SHIFT if spread * 10 <= k else _FAST_SHIFT + 1  # 4e7
        fast = f[FAST]
        k = max(fast - (fast >> 1), min(k, fast + (fast >> 1)))
        f[SCATTER] += (abs(k - fast) - f[SCATTER]) >> _SCATTER_SHIFT
        f[FAST] = fast + ((k - fast) >> shift)
        f[SLOW] += (k - f[SLOW]) >> _SLOW_SHIFT
        if f[COUNT] > _SETTLED:
            f[BASE] = min(f[BASE], f[SLOW])

    def _has_grown(self, pct: int) -> bool:
        """The fast mean is `pct` above the baseline, and by more than four of its own sigma.

        Of means with a quarter of the newest, sigma is 0.47 of a session's mean deviation.
        """
        f = self.fields
        growth = f[FAST] - f[BASE]
        noise = 2 * max(f[SCATTER], f[BASE] >> _LEAST_SCATTER_SHIFT)
        return growth > noise and growth >= muldiv(f[BASE], pct, 100)

    def _rule(self) -> None:
        """Draw the conclusion from the means; a worse one only when two sessions agree, a better one only when well."""
        f = self.fields
        finding = HEALTHY
        if self._has_grown(_WATCH_PCT):
            finding = WATCH
            if f[FAST] >= self._worn_at or self._has_grown(_WORN_PCT):
                finding = WORN
        verdict = f[VERDICT]
        if f[TOLD_LEFT]:
            return
        if verdict in (PLUG_WARM, JUMPED, LEARNING):
            verdict = HEALTHY
        if finding > verdict:
            f[RUNNING] = min(_RUNNING, f[RUNNING] + 1)
            if f[RUNNING] == _RUNNING:
                verdict = finding
        elif finding < verdict:
            f[RUNNING] = 0
            if (f[FAST] - f[BASE]) <= muldiv(f[BASE], _WELL_PCT, 100):
                verdict = HEALTHY
        else:
            f[RUNNING] = 0
        f[VERDICT] = verdict


class ContactHealth:
    """The contacts of one current. `tick` once a second, in rest too; allocates nothing after construction.

    channels, rated_ma, has_reference: as Heating. derate_start_decic: where derating starts, 0.1 C.
    """

    def __init__(
        self, channels, rated_ma: int, derate_start_decic: int, has_reference: bool = False
    ):
        self.heating = Heating(channels, rated_ma, has_reference)
        squared = self.heating.rated_tenths * self.heating.rated_tenths
        room_decic = max(0, derate_start_decic - HOT_DECIC)
        # 0.1 K at 0.1 A: 1e5 uK * 100.
        # Coefficients are told as at 20 C; at derating a contact has more.
        self._hot_share = 10_000 + 2 * (derate_start_decic - 200)
        self.worn_at = muldiv(
            min(MOST, muldiv(room_decic, 10_000_000, squared)), 10_000, self._hot_share
        )
        self.trends = [Trend(self.worn_at) for _channel in channels]
        self.size = 3 + len(self.trends) * FIELDS  # ints of a record

    def tick(self, now_ms: int, moment: Moment) -> bool:
        """Take one moment (as Heating.tick); True: a session has been judged, the record is worth storing."""
        heating = self.heating
        if not heating.tick(now_ms, moment):
            return False
        for c in range(len(self.trends)):
            contact = heating.contacts[c]
            if contact.reason == KNOWN:
                trend = self.trends[c]
                f = trend.fields
                if f[LAG_COUNT] == _LAG_SESSIONS:
                    is_new_plug = not heating.is_same_plug
                    trend.take(contact.coefficient, contact.spread, is_new_plug, moment.station)
                # Known with its own lag is good enough to begin with; clear ones refine it while the baseline is found.
                if f[LAG_COUNT] < _LAG_SESSIONS or (
                    contact.is_clear and f[BASE_COUNT] < _BASE_SESSIONS
                ):
                    contact.use_lag_x16 = trend.learn_lag(contact.lag_x16)
        return True

    def verdict(self, c: int) -> int:
        """Return the verdict about contact `c`."""
        return self.trends[c].fields[VERDICT]

    def predicted_decic(self, c: int) -> int:
        """Return what contact `c` would reach at rated current and HOT_DECIC around it, 0.1 C."""
        squared = self.heating.rated_tenths * self.heating.rated_tenths
        coefficient = muldiv(self.trends[c].fields[FAST], self._hot_share, 10_000)
        return HOT_DECIC + muldiv(coefficient, squared, 10_000_000)

    def dump(self, into, at: int) -> None:
        """Write the record, `size` ints, into array `into` from index `at` on."""
        into[at] = MAGIC
        into[at + 1] = len(self.trends)
        i = at + 2
        for trend in self.trends:
            for n in range(FIELDS):
                into[i] = trend.fields[n]
                i += 1
        into[i] = _check(into, at, i)

    def load(self, source, at: int) -> bool:
        """Take a record that `dump` wrote; False, and everything kept as it was, if it is foreign or torn."""
        end = at + self.size - 1
        if len(source) <= end or source[at] != MAGIC or source[at + 1] != len(self.trends):
            return False
        for i in range(at + 2, end):
            if not 0 <= source[i] <= _MOST_OF[(i - at - 2) % FIELDS]:
                return False
        if source[end] != _check(source, at, end):
            return False
        i = at + 2
        for c in range(len(self.trends)):
            f = self.trends[c].fields
            for n in range(FIELDS):
                f[n] = source[i]
                i += 1
            is_learned = f[LAG_COUNT] == _LAG_SESSIONS
            self.heating.contacts[c].use_lag_x16 = f[LAG_X16] if is_learned else -1
        return True


def _check(source, at: int, end: int) -> int:
    """Return a sum over source[at:end], 0..2**24 - 1: 31 * 2**24 + 4e6 is below 2**30."""
    check = 1
    for i in range(at, end):
        check = (check * 31 + source[i]) & 0xFFFFFF
    return check
