"""The car: says every cycle, and on every change, whether it permits charging and what its charger takes.

By its demand line, unless it talks on CAN: then plant/can_car.py tells the same there.
"""

from typing import TYPE_CHECKING

from inletctl.plant.clock import Booking, cancel

if TYPE_CHECKING:
    from inletctl.plant.world import World


class Vehicle:
    """What it last said, and when. Verbs are in verbs.VERBS."""

    def __init__(self, world: "World"):
        self._world = world
        self._cycle_us = round(world.config.vehicle_cycle_ms * 1000)
        self._permits = world.config.vehicle_permits
        self._limit_ma = round(world.config.charger_max_a * 1000)
        self._silent = False
        self._said_us = 0  # of a message; further ones follow every cycle
        self._said_permits = self._permits
        self._said_limit_ma = self._limit_ma
        self._by_wire = world.config.can == "none"
        self.wants_unlock = False
        self.wants_stop = False
        self._ends: dict[str, Booking | None] = {}

    @property
    def permits(self) -> bool:
        """Return whether it permits charging."""
        return self._permits

    @property
    def limit_ma(self) -> int:
        """Return its own limit per phase."""
        return self._limit_ma

    @property
    def is_silent(self) -> bool:
        """Return whether it says nothing."""
        return self._silent

    @property
    def permits_by_wire(self) -> bool:
        """Return what its permit line carries: nothing while it is silent."""
        return self._permits and not self._silent

    def _say(self) -> None:
        if not self._silent:
            self._said_us = self._world.t_us
            self._said_permits = self._permits
            self._said_limit_ma = self._limit_ma

    def permit(self) -> None:
        """Permit charging."""
        self._permits = True
        self._world.event("car permits charging")
        self._say()

    def refuse(self) -> None:
        """Do not permit charging."""
        self._permits = False
        self._world.event("car does not permit charging")
        self._say()

    def set_limit(self, a: float) -> None:
        """Its own limit per phase."""
        self._limit_ma = round(a * 1000)
        self._say()

    def go_silent(self, hold: float) -> None:
        """Say nothing any more, for `hold` ms or until `back`."""
        now_us = self._world.t_us
        if not self._silent:
            self._silent = True
            self._said_us = now_us - (now_us - self._said_us) % self._cycle_us
            self._world.event("car falls silent")
        if hold:
            self._world.clock.after_ms(hold, self.back)

    def back(self) -> None:
        """Talk again, at once."""
        self._silent = False
        self._world.event("car talks again")
        self._say()

    def unlock(self, hold: float) -> None:
        """Ask on CAN for the cable to be released."""
        self.wants_unlock = True
        self._changed("unlock", "asks for the cable", hold, self.keep)

    def keep(self) -> None:
        """Take that back."""
        self.wants_unlock = False
        self._changed("unlock", "does not ask for the cable any more")

    def stop(self, hold: float) -> None:
        """Ask on CAN for charging to stop."""
        self.wants_stop = True
        self._changed("stop", "asks for charging to stop", hold, self.start)

    def start(self) -> None:
        """Take that back."""
        self.wants_stop = False
        self._changed("stop", "does not ask to stop any more")

    def _changed(self, name: str, text: str, hold: float = 0, back=None) -> None:
        self._world.event("car " + text)
        cancel(self._ends.get(name))
        if hold and back is not None:
            self._ends[name] = self._world.clock.after_ms(hold, back)

    def sample(self, readings) -> None:
        """Fill the car's part of the readings: what its demand line says, where it has one."""
        if not self._by_wire:
            readings.vehicle_age_ms = 60_000
            readings.vehicle_permits = False
            readings.vehicle_limit_ma = 0
            return
        age_us = self._world.t_us - self._said_us
        if not self._silent:
            age_us %= self._cycle_us
        readings.vehicle_age_ms = age_us // 1000 if age_us < 60_000_000 else 60_000
        readings.vehicle_permits = self._said_permits
        readings.vehicle_limit_ma = self._said_limit_ma
