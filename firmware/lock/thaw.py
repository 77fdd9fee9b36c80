"""A lock that is stuck in the cold: heat the port, then try again, a bounded number of times.

Plain values in; composed by the step, which drives no heater: `wants_heat` is a wish that the car's side obeys within its
own bounds (vehicle/heater.py). Temperatures in 0.1 degree C.
"""

from micropython import const

from ticks import ticks_diff

IDLE = const(0)
HEATING = const(1)
TRYING = const(2)
SPENT = const(3)
THAW_NAMES = ("idle", "heating", "trying", "spent")

E_NONE = const(0)
E_STUCK = const(1)  # failed, and cold
E_WARM = const(2)  # warm enough, or heated for long enough
E_FREE = const(3)  # not failed any more
E_TRIED = const(4)  # tried, and still failed
E_ENOUGH = const(5)  # the same, and no try is left
E_OUT = const(6)  # the plug is out

# fmt: off
_NEXT = (
    # none     stuck    warm     free  tried    enough  out
    (IDLE,     HEATING, IDLE,    IDLE, IDLE,    SPENT,  IDLE),  # idle
    (HEATING,  HEATING, TRYING,  IDLE, HEATING, SPENT,  IDLE),  # heating
    (TRYING,   TRYING,  TRYING,  IDLE, HEATING, SPENT,  IDLE),  # trying
    (SPENT,    SPENT,   SPENT,   IDLE, SPENT,   SPENT,  IDLE),  # spent
)
_WANTS_HEAT = (False, True, False, False)
# fmt: on

# Cold enough for ice, and surely without it (facts 7: an owner's manual names 5 C).
COLD_DECIC = const(50)
WARM_DECIC = const(150)
_HEAT_MS = const(120000)
# The lock's own attempts with their pauses take less.
_TRY_MS = const(30000)
TRIES_MAX = const(3)


class Thaw:
    """Call `tick` once a pass. Allocates nothing."""

    def __init__(self, is_fitted: bool):
        self._is_fitted = is_fitted
        self.state = IDLE
        self.wants_heat = False
        self.try_again = False  # in one pass: forget the failure and try anew
        self._tries = 0
        self._entered_ms = 0

    def tick(  # noqa: PLR0913, PLR0917 - one pass's values
        self,
        now_ms: int,
        has_failed: bool,
        is_ok: bool,
        hottest_decic: int,
        is_unplugged: bool,
        is_settled: bool,
    ) -> None:
        """Judge one pass.

        has_failed  the lock could not lock or unlock, and S2 is open
        is_ok       the temperature is valid
        is_settled  the bolt is known to be at one of its ends
        """
        event = self._event(now_ms, has_failed, is_ok, hottest_decic, is_unplugged, is_settled)
        old = self.state
        new = _NEXT[old][event]
        self.try_again = False
        if new != old:
            self.state = new
            self._entered_ms = now_ms
            if new == TRYING:
                self._tries += 1
                self.try_again = True
        if is_unplugged:
            self._tries = 0
        self.wants_heat = _WANTS_HEAT[new]

    def _event(  # noqa: PLR0911, PLR0913, PLR0917 - one a priority
        self,
        now_ms: int,
        has_failed: bool,
        is_ok: bool,
        hottest_decic: int,
        is_unplugged: bool,
        is_settled: bool,
    ) -> int:
        if not self._is_fitted:
            return E_NONE
        if is_unplugged:
            return E_OUT
        state = self.state
        if state == SPENT:
            return E_NONE
        held_ms = ticks_diff(now_ms, self._entered_ms)
        if state == TRYING:
            if held_ms < _TRY_MS:
                return E_NONE
            if not has_failed:
                return E_FREE if is_settled else E_NONE
            return E_TRIED if self._tries < TRIES_MAX else E_ENOUGH
        if not has_failed:
            return E_FREE
        if state == IDLE:
            if self._tries >= TRIES_MAX:
                return E_ENOUGH
            return E_STUCK if is_ok and hottest_decic < COLD_DECIC else E_NONE
        return E_WARM if held_ms >= _HEAT_MS or (is_ok and hottest_decic >= WARM_DECIC) else E_NONE
