"""An interlock with inputs that allow charging at 32 A, and a clock that ticks 10 ms a pass."""

from inputs import Inputs
from interlock import CHARGING, STOPPING, Interlock
from settings import Settings
from ticks import ticks_add, ticks_diff

PASS_MS = 10
# The clock at the stimulus: at its start, and so that it wraps 50 ms later.
STARTS = (0, 2**30 - 50)


def good_inputs() -> Inputs:
    """Everything that charging at 32 A needs, with the charger drawing what it may."""
    i = Inputs()
    i.is_plugged = True
    i.is_unplugged = False
    i.has_evse = True
    i.shows_b = True
    i.offered_ma = 32000
    i.has_rating = True
    i.rated_ma = 32000
    i.thermal_ma = 32000
    i.is_locked = True
    i.vehicle_age_ms = 0
    i.vehicle_permits = True
    i.vehicle_limit_ma = 32000
    i.charger_ok = True
    i.charger_ma = 0
    i.ac_ok = True
    return i


class Rig:
    """`i` are the inputs of the next pass, `k` the interlock, `now_ms` the tick of the next pass."""

    def __init__(self, start_ms: int = 0, **settings):
        self.settings = Settings(settings)
        assert self.settings.rejected == []
        self.k = Interlock(self.settings)
        self.i = good_inputs()
        self.now_ms = start_ms
        self.evse_opens = True  # False: AC stays as the test sets it
        self.open_ms = 0

    def run(self, ms: int = PASS_MS) -> "Rig":
        """Run passes for `ms`, a multiple of 10."""
        for _ in range(ms // PASS_MS):
            if (
                self.evse_opens
                and self.i.ac_present
                and self.k.session not in (CHARGING, STOPPING)
            ):
                # A healthy EVSE opens its contactor within 100 ms of S2 (IEC 61851-1 seq 8).
                self.open_ms += PASS_MS
                if self.open_ms > 100:
                    self.i.ac_present = False
            else:
                self.open_ms = 0
            self.k.tick(self.now_ms, self.i)
            self.now_ms = ticks_add(self.now_ms, PASS_MS)
        return self

    def until(self, is_reached, limit_ms: int = 200000) -> int:
        """Run until `is_reached(k)`; return the ms from the first of these passes to that one."""
        start_ms = self.now_ms
        for _ in range(limit_ms // PASS_MS):
            tick_ms = self.now_ms
            self.run()
            if is_reached(self.k):
                return ticks_diff(tick_ms, start_ms)
        raise AssertionError("not reached within %d ms" % limit_ms)

    def unplug(self) -> "Rig":
        """The connector is out, proven; the EVSE is gone."""
        self.i.is_plugged = False
        self.i.is_unplugged = True
        self.i.has_evse = False
        self.i.shows_b = False
        return self

    def plug(self) -> "Rig":
        """The connector is in again."""
        self.i.is_plugged = True
        self.i.is_unplugged = False
        self.i.has_evse = True
        self.i.shows_b = True
        return self


def charging(start_ms: int = 0, **settings) -> Rig:
    """A rig that charges; its clock stands at `start_ms`."""
    rig = Rig(**settings)
    rig.until(lambda k: k.session == CHARGING, 1000)
    # State C from now on; no timer runs in this state, so the clock may be set.
    rig.i.shows_b = False
    rig.i.ac_present = True
    rig.i.charger_ma = 30000
    rig.now_ms = start_ms
    return rig.run()
