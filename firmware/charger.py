"""Does the on-board charger obey, and does it still say what it draws?

Takes plain values, gives a fault and a flag; decides nothing. A charger has 5 s to come down to a new limit
(IEC 61851-1 Tab A.6 seq 6), so what it draws is held against the highest command of the last 4 s, and for another second: one that follows
every step of a falling limit in time is never blamed.
"""

from array import array

from micropython import const

from faults import F_CHARGER_OVER
from ticks import ticks_diff

# The window moves in buckets: 4.0..4.5 s; with the time to be sure the charger has its 5 s.
_BUCKET_MS = const(500)
_BUCKETS = const(8)
# The EVSE may trip above +1.3 A below 12 A, above 111 % otherwise (J1772): what is over is what could trip it.
_OVER_MA = const(1300)
_OVER_DIVISOR = const(9)
# Over for so long in sum; time within the limit pays back, so one good sample excuses nothing.
_OVER_MS = const(1000)
# A charger that slept has until then after S2 closed to be heard: the EVSE may take 3 s to close (IEC 61851-1 seq 4).
_WAKE_MS = const(6000)


class ChargerWatch:
    """Call `tick` once a pass. Allocates nothing."""

    def __init__(self, silent_ms: int):
        self.fault = 0  # F_CHARGER_OVER or 0
        self.is_silent = False  # it has told its current in this plug-in and does not any more
        self._silent_ms = silent_ms
        self._highest_ma = array("i", [0] * _BUCKETS)
        self._oldest = 0
        self._newest_ma = 0  # highest command of the bucket under way
        self._window_ma = 0  # highest command of the full buckets
        self._bucket_ms = 0
        self._over_ms = 0
        self._is_over = False
        self._wait_ms = _WAKE_MS
        self._last_ms = 0
        self._heard_ms = 0
        self._was_heard = False
        self._is_timed = False

    def tick(  # noqa: PLR0913, PLR0917 - one pass's values
        self,
        now_ms: int,
        command_ma: int,
        s2_closed: bool,
        is_told: bool,
        drawn_ma: int,
        is_unplugged: bool,
    ) -> None:
        """Judge one pass: command and S2 of the pass before, and what is drawn (mA) where `is_told`."""
        if not self._is_timed:
            self._is_timed = True
            self._last_ms = now_ms
            self._bucket_ms = now_ms
        dt_ms = ticks_diff(now_ms, self._last_ms)
        self._last_ms = now_ms
        self._remember(now_ms, command_ma)
        if is_told:
            allowed = max(self._window_ma, self._newest_ma)
            over = allowed // _OVER_DIVISOR
            self._is_over = drawn_ma > allowed + (over if over > _OVER_MA else _OVER_MA)
        elif not s2_closed:
            self._is_over = False
        # Stale while S2 is closed: nobody has seen the current come down.
        self._over_ms += dt_ms if self._is_over else -dt_ms
        if self._over_ms >= _OVER_MS:
            self._over_ms = _OVER_MS
            self.fault = F_CHARGER_OVER
        elif self._over_ms <= 0:
            self._over_ms = 0
            self.fault = 0
        self._listen(now_ms, s2_closed, is_told, is_unplugged)

    def _listen(self, now_ms: int, s2_closed: bool, is_told: bool, is_unplugged: bool) -> None:
        """Find a charger that has told its current in this plug-in and stopped telling while S2 is closed."""
        if is_unplugged:
            self._was_heard = False
            self.is_silent = False
        if is_told:
            self._was_heard = True
            self.is_silent = False
        if is_told or not s2_closed:
            self._heard_ms = now_ms
            self._wait_ms = self._silent_ms if is_told and s2_closed else _WAKE_MS
        elif self._was_heard and not self.is_silent:
            # Kept once found: ticks_diff is good for six days only.
            self.is_silent = ticks_diff(now_ms, self._heard_ms) > self._wait_ms

    def _remember(self, now_ms: int, command_ma: int) -> None:
        self._newest_ma = max(self._newest_ma, command_ma)
        if ticks_diff(now_ms, self._bucket_ms) < _BUCKET_MS:
            return
        self._bucket_ms = now_ms
        self._highest_ma[self._oldest] = self._newest_ma
        self._oldest = (self._oldest + 1) % _BUCKETS
        self._newest_ma = command_ma
        window_ma = 0
        for n in range(_BUCKETS):
            window_ma = max(window_ma, self._highest_ma[n])
        self._window_ma = window_ma
