"""The heater of the port: on while the lock is frozen, within bounds, and watched by the port's own sensors.

It has to warm the port in a bounded time and to let it cool once it is off, else H_HEATER says that it is broken or hangs.
A sensor that cannot be believed means no heat. Nothing here gates charging. Plain values in; temperatures in 0.1 degree C.
"""

from array import array

from micropython import const

from faults import (
    F_TEMP_DISAGREE,
    F_TEMP_OPEN,
    F_TEMP_RISE,
    F_TEMP_SHORT,
    F_TEMP_STALE,
    F_TEMP_STUCK,
    H_HEATER,
)
from ticks import ticks_add, ticks_diff

OFF = const(0)
WARMING = const(1)  # on, and nothing has warmed yet
HEATING = const(2)  # on, and it warms
COOLING = const(3)  # off, and nothing has cooled yet
COLD = const(4)  # it does not heat: off for an hour
HANGS = const(5)  # it does not cool: off until it does
HEATER_NAMES = ("off", "warming", "heating", "cooling", "cold", "hangs")

E_NONE = const(0)
E_WANTED = const(1)  # wanted, and nothing speaks against it
E_STOP = const(2)  # not wanted any more, warm enough, or enough for this hour
E_RISEN = const(3)
E_NO_RISE = const(4)
E_FALLEN = const(5)
E_NO_FALL = const(6)
E_RESTED = const(7)
E_BLIND = const(8)  # no sensor to watch it by, or a charging current that warms the port, too
HEATER_EVENT_NAMES = (
    "none", "wanted", "stop", "risen", "no_rise", "fallen", "no_fall", "rested", "blind",
)  # fmt: skip

# fmt: off
_NEXT = (
    # none    wanted   stop     risen    no_rise  fallen   no_fall  rested   blind
    (OFF,     WARMING, OFF,     OFF,     OFF,     OFF,     OFF,     OFF,     OFF),      # off
    (WARMING, WARMING, OFF,     HEATING, COLD,    WARMING, WARMING, WARMING, OFF),      # warming
    (HEATING, HEATING, COOLING, HEATING, HEATING, HEATING, HEATING, HEATING, OFF),      # heating
    (COOLING, COOLING, COOLING, COOLING, COOLING, OFF,     HANGS,   COOLING, OFF),      # cooling
    (COLD,    COLD,    COLD,    COLD,    COLD,    COLD,    COLD,    OFF,     COLD),     # cold
    (HANGS,   HANGS,   HANGS,   HANGS,   HANGS,   OFF,     HANGS,   HANGS,   HANGS),    # hangs
)
_IS_ON = (False, True, True, False, False, False)
# fmt: on

# Facts 8 names 30 s of a maker for a sensor that must leave -30 C; a port's metal takes longer from 0 C.
_RISE_MS = const(120000)
_RISE_DECIC = const(20)
# Warmth goes on spreading for minutes after the end of heating.
_FALL_MS = const(600000)
_FALL_DECIC = const(10)
_REST_MS = const(3600000)
# Off this far below the temperature at which charging is derated; on again 5 K below that.
_MARGIN_DECIC = const(200)
_AGAIN_DECIC = const(50)
# With S2 closed the contacts warm by themselves: only where they are colder than this.
S2_MAX_DECIC = const(100)
# Of any 60 minutes at most 20: 12 whole buckets of 5 minutes and the one under way.
HOUR_MAX_MS = const(1200000)
_BUCKET_MS = const(300000)
_BUCKETS = const(13)

_SENSOR_FAULTS = (
    F_TEMP_OPEN | F_TEMP_SHORT | F_TEMP_STALE | F_TEMP_STUCK | F_TEMP_RISE | F_TEMP_DISAGREE
)


class Heater:
    """Call `tick` a few times a second. Allocates nothing."""

    def __init__(self, settings):
        self.state = OFF
        self.is_on = False
        self.holds = 0  # H_HEATER or 0
        self.off_decic = settings.derate_start_decic - _MARGIN_DECIC
        self._spent_ms = array("i", [0] * _BUCKETS)
        self._bucket = 0
        self._bucket_ms = 0  # tick at which it began
        self._last_ms = 0
        self._entered_ms = 0
        self._is_timed = False
        self._is_warm = False
        self._unproven_ms = 0  # of heat since a rise was seen last
        self._from_decic = 0  # the lowest since then; while cooling the highest

    def tick(  # noqa: PLR0913, PLR0917 - one pass's values
        self,
        now_ms: int,
        is_wanted: bool,
        s2_closed: bool,
        is_ok: bool,
        hottest_decic: int,
        faults: int,
    ) -> None:
        """Judge one pass: the hottest contact where `is_ok`, and the mask of faults of the port."""
        self._count(now_ms)
        is_ok = is_ok and not faults & _SENSOR_FAULTS
        event = self._event(now_ms, is_wanted, s2_closed, is_ok, hottest_decic)
        old = self.state
        new = _NEXT[old][event]
        if new != old:
            self._go(now_ms, old, new, hottest_decic)
        self.is_on = _IS_ON[new]

    def _go(self, now_ms: int, old: int, new: int, hottest_decic: int) -> None:
        away_ms = ticks_diff(now_ms, self._entered_ms)
        self.state = new
        self._entered_ms = now_ms
        if new == HEATING:
            self._unproven_ms = 0
            self.holds = 0
        elif new == WARMING:
            # On and off at short intervals adds up; what was long ago says nothing.
            if not self._unproven_ms or away_ms < 0 or away_ms >= _FALL_MS:
                self._unproven_ms = 0
                self._from_decic = hottest_decic
        elif new == COOLING:
            self._from_decic = hottest_decic
        elif new == COLD or new == HANGS:
            self.holds = H_HEATER
            self._unproven_ms = 0
        elif old == HANGS:
            self.holds = 0

    def _event(  # noqa: C901, PLR0911, PLR0912 - one a cause
        self, now_ms: int, is_wanted: bool, s2_closed: bool, is_ok: bool, hottest_decic: int
    ) -> int:
        state = self.state
        if state == COLD:
            is_over = ticks_diff(now_ms, self._entered_ms) >= _REST_MS
            return E_RESTED if is_over else E_NONE
        if not is_ok:
            return E_BLIND
        if state == HANGS or state == COOLING:
            self._from_decic = max(self._from_decic, hottest_decic)
            if hottest_decic <= self._from_decic - _FALL_DECIC:
                return E_FALLEN
            if state == COOLING:
                if s2_closed:
                    return E_BLIND
                if ticks_diff(now_ms, self._entered_ms) >= _FALL_MS:
                    return E_NO_FALL
            return E_NONE
        if hottest_decic >= self.off_decic:
            self._is_warm = True
        elif hottest_decic < self.off_decic - _AGAIN_DECIC:
            self._is_warm = False
        may_heat = (
            is_wanted
            and not self._is_warm
            and not (s2_closed and hottest_decic >= S2_MAX_DECIC)
            and self.spent_ms() < HOUR_MAX_MS
        )
        if state == OFF:
            return E_WANTED if may_heat else E_NONE
        if not may_heat:
            return E_STOP
        if state == WARMING:
            self._from_decic = min(self._from_decic, hottest_decic)
            if hottest_decic >= self._from_decic + _RISE_DECIC:
                return E_RISEN
            if self._unproven_ms >= _RISE_MS:
                return E_NO_RISE
        return E_NONE

    def spent_ms(self) -> int:
        """Return for how long it was on within the last hour, rounded up to whole buckets of the hour."""
        spent_ms = 0
        for n in range(_BUCKETS):
            spent_ms += self._spent_ms[n]
        return spent_ms

    def _count(self, now_ms: int) -> None:
        """Book the time since the last pass, and begin new buckets as they come."""
        if not self._is_timed:
            self._is_timed = True
            self._last_ms = now_ms
            self._bucket_ms = now_ms
        dt_ms = ticks_diff(now_ms, self._last_ms)
        self._last_ms = now_ms
        if self.is_on and dt_ms > 0:
            self._spent_ms[self._bucket] += dt_ms
            if self.state == WARMING:
                self._unproven_ms += dt_ms
        for _ in range(_BUCKETS):
            if ticks_diff(now_ms, self._bucket_ms) < _BUCKET_MS:
                return
            self._bucket_ms = ticks_add(self._bucket_ms, _BUCKET_MS)
            self._bucket = (self._bucket + 1) % _BUCKETS
            self._spent_ms[self._bucket] = 0
        # More than an hour without a pass: all of it is forgotten.
        self._bucket_ms = now_ms
