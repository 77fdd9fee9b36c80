"""The car: says every cycle, and on every change, whether it permits charging and what its charger takes."""

from typing import TYPE_CHECKING

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

    def sample(self, readings) -> None:
        """Fill the car's part of the readings."""
        age_us = self._world.t_us - self._said_us
        if not self._silent:
            age_us %= self._cycle_us
        readings.vehicle_age_ms = age_us // 1000 if age_us < 60_000_000 else 60_000
        readings.vehicle_permits = self._said_permits
        readings.vehicle_limit_ma = self._said_limit_ma
