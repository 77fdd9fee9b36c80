"""What an EVSE must never see of a car, noted in `violations`: one text each, that starts with a code.

load_s2     contactor had to open under load because S2 opened with current flowing
load_x1     contactor had to open under load because S2 was not open in time after PWM stopped
x1_current  still drawing 3 s after PWM stopped (IEC 61851-1 Tab A.6 seq 9.1)
s2_left     S2 told to close 3 s after the pilot was lost, state E, state F or loss of mains (seq 2.2, 12)
over_offer  5 s above the offer (seq 6; tolerance of J1772)
direct_c    state C after a reset or fault, before B was seen
state_d     ventilation asked for where it is not served
arc         plug pulled under load
"""

from typing import TYPE_CHECKING

from inletctl.plant.clock import Booking, cancel
from inletctl.plant.offer import allowed_ma

if TYPE_CHECKING:
    from inletctl.plant.world import World

LOAD_MA = 1000  # J1772: below this nothing flows
_EVERY_MS = 100
_OVER_US = 5_000_000
_X1_CURRENT_MS = 3000
_S2_LEFT_MS = 3000


class Watch:
    """Bookings and counters of one EVSE. It looks at the truth, the EVSE itself only at its terminal."""

    def __init__(self, world: "World"):
        self._world = world
        self.violations: list[str] = []
        self._within_us = (
            0  # last known to be within the offer, or told another one; -1 once noted
        )
        self._s2: Booking | None = None
        self._x1: Booking | None = None

    def note(self, text: str) -> None:
        """Note a violation now."""
        self.violations.append(f"{text} at {self._world.t_us / 1e6:.3f} s")
        self._world.violation(f"EVSE {text}")

    def start_s2(self) -> None:
        """The pilot was lost: S2 has 3 s."""
        cancel(self._s2)
        self._s2 = self._world.clock.after_ms(_S2_LEFT_MS, self._check_s2)

    def end_s2(self) -> None:
        """The pilot is back."""
        cancel(self._s2)

    def _check_s2(self) -> None:
        if self._world.pilot.s2_told:
            self.note(f"s2_left: S2 told to close 3 s into state {self._world.evse.state}")

    def start_x1(self) -> None:
        """PWM stopped under way: the current has 3 s."""
        cancel(self._x1)
        self._x1 = self._world.clock.after_ms(_X1_CURRENT_MS, self._check_x1)

    def end_x1(self) -> None:
        """PWM is back, or the contactor open."""
        cancel(self._x1)

    def _check_x1(self) -> None:
        load_ma = self._world.charger.load_ma()
        if load_ma > LOAD_MA:
            self.note(f"x1_current: {load_ma / 1000:.1f} A 3 s after PWM stopped")

    def start_current(self) -> None:
        """The contactor closed: watch the current until it opens."""
        self._within_us = self._world.t_us
        self._world.clock.after_ms(_EVERY_MS, self._check_current)

    def forgive(self) -> None:
        """The offer changed: the current has 5 s again."""
        self._within_us = self._world.t_us

    def _check_current(self) -> None:
        evse = self._world.evse
        if not evse.contactor_closed:
            return
        self._world.clock.after_ms(_EVERY_MS, self._check_current)
        load_ma = self._world.charger.load_ma()
        now_us = self._world.t_us
        if evse.mode != "pwm" or load_ma <= allowed_ma(evse.offer_pct):
            self._within_us = now_us
        elif 0 <= self._within_us <= now_us - _OVER_US:
            self._within_us = -1
            self.note(f"over_offer: {load_ma / 1000:.1f} A at {evse.offer_pct:.2f} %")
            if self._world.config.evse_trips:
                evse.trip()

    def plug_pulled(self) -> None:
        """The power contacts part."""
        load_ma = self._world.charger.load_ma()
        if load_ma > LOAD_MA:
            self.note(f"arc: plug pulled at {load_ma / 1000:.1f} A")
