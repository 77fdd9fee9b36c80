"""A communication controller for CCS on the CAN bus: what it wants of the inlet, and a DC session as it plays one.

It stands for SLAC, the high-level protocol and the car's contactor control; only what the inlet sees of them is here. Times
are within those of IEC 61851-23 CC and DIN 70121 (facts 5).
"""

from typing import TYPE_CHECKING

from inletctl.plant.clock import Booking, cancel

if TYPE_CHECKING:
    from inletctl.plant.world import World

STAGES = ("idle", "waiting", "cable_check", "pre_charge", "charging", "stopping", "ended")
_CHECK_MS = 2000  # insulation test after state C
_PRECHARGE_MS = 1000
_CURRENT_MS = 500  # from contactors closed to current
_RAMP_DOWN_MS = 1000
_OPEN_MS = 300  # from S2 open to contactors open
_DISCHARGE_TAU_MS = 800
_EVERY_MS = 20
_DEAD_MV = 60_000


class Modem:
    """What it says on CAN is in plant/can_car.py. Verbs are in verbs.VERBS."""

    def __init__(self, world: "World"):
        self._world = world
        self.is_fitted = world.config.modem
        self.wants_c = False
        self.toggles = 0
        self.permits_unlock = True
        self.stage = "idle"
        self.is_silent = False
        self._v = 0.0
        self._a = 0.0
        self._end: Booking | None = None
        self._plan: Booking | None = None

    # Verbs ------------------------------------------------------------------

    def want(self, state: str) -> None:
        """Want state B or C."""
        self.wants_c = state == "c"
        self._say(f"wants state {state.upper()}")

    def toggle(self, times: int) -> None:
        """Want B-C-B toggles."""
        self.toggles = int(times)
        self._say(f"wants {times} toggles")
        self._world.clock.after_ms(5000, self._toggled)

    def _toggled(self) -> None:
        self.toggles = 0

    def start(self, v: float, a: float) -> None:
        """Play a session up to `a` at `v`."""
        self._v, self._a = v, a
        self.permits_unlock = False
        self.stage = "waiting"
        self.want("c")
        self._next(_EVERY_MS)

    def stop(self) -> None:
        """Play its end."""
        self._say("stops")
        self.stage = "stopping"
        self._world.dc.current(0)
        self._next(_RAMP_DOWN_MS)

    def go_silent(self, hold: float) -> None:
        """Say nothing."""
        self.is_silent = True
        self._say("falls silent")
        cancel(self._end)
        if hold:
            self._end = self._world.clock.after_ms(hold, self.back)

    def back(self) -> None:
        """Talk again."""
        self.is_silent = False
        self._say("talks again")

    # Inside -----------------------------------------------------------------

    def _next(self, ms: float) -> None:
        cancel(self._plan)
        self._plan = self._world.clock.after_ms(ms, self._play)

    def _play(self) -> None:
        """Take the next step of the session, or look again soon."""
        getattr(self, "_in_" + self.stage)()

    def _in_waiting(self) -> None:
        if self._world.pilot.s2_closed and self._world.evse_state == "C2":
            self._go("cable_check", _CHECK_MS)
        else:
            self._next(_EVERY_MS)

    def _in_cable_check(self) -> None:
        self._world.dc.voltage(self._v, _PRECHARGE_MS / 5)
        self._go("pre_charge", _PRECHARGE_MS)

    def _in_pre_charge(self) -> None:
        self._world.dc.contactors("closed")
        self._go("charging", _CURRENT_MS)

    def _in_charging(self) -> None:
        world = self._world
        self._flow()
        if world.pilot.s2_closed:
            self._next(_EVERY_MS)
        else:
            # S2 opened under load: the station is at 5 A or less within a second.
            self._say("finds S2 open")
            self.stop()

    def _flow(self) -> None:
        """Ask the station for what is wanted, and no more than the inlet says may flow."""
        dc = self._world.dc
        told_ma = self._world.can_car.told("section", "dc_permitted_ma")
        a = self._a if told_ma is None else min(self._a, told_ma / 1000)
        if round(a * 1000) != dc.ma:
            dc.current(a)

    def _in_stopping(self) -> None:
        if self.wants_c:
            self.want("b")
        if self._world.pilot.s2_closed:
            self._next(_EVERY_MS)
        else:
            self._go("ended", _OPEN_MS)

    def _in_ended(self) -> None:
        dc = self._world.dc
        if dc.contactors_closed:
            dc.contactors("open")
            dc.voltage(0, _DISCHARGE_TAU_MS)
        if dc.mv < _DEAD_MV:
            self.permits_unlock = True
            self.stage = "idle"
            self._say("permits to unlock")
        else:
            self._next(_EVERY_MS)

    def _go(self, stage: str, ms: float) -> None:
        self.stage = stage
        self._say(stage)
        self._next(ms)

    def _say(self, text: str) -> None:
        self._world.event(f"communication controller {text}")
