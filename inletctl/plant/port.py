"""The port's own climate and door: a heater that warms contacts and lock, a door with a motor and two limit switches."""

from math import exp
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inletctl.plant.world import World

_SWITCH_PCT = 3.0  # a limit switch closes so near to its end


class Port:
    """Heater of the port. `rise_k` is how much warmer than ambient it keeps what is in it."""

    def __init__(self, world: "World"):
        self._world = world
        self.is_heating = False
        self._told = False
        self._state = "ok"
        self._from_k = 0.0
        self._since_us = 0
        self.is_used = False  # the heater has been on: contacts ask for the rise from then on

    @property
    def rise_k(self) -> float:
        """Return the rise now, K."""
        config = self._world.config
        end_k = config.heater_k if self.is_heating else 0.0
        gone = exp(-(self._world.clock.now_us - self._since_us) / (config.heater_tau_ms * 1e3))
        return end_k + (self._from_k - end_k) * gone

    def heat(self, is_on: bool) -> None:
        """The board switches the heater."""
        self._told = is_on
        self._settle()

    def fault(self, state: str) -> None:
        """The heater is ok, dead, or stuck on."""
        self._state = state
        self._world.event(f"port heater: {state}")
        self._settle()

    def _settle(self) -> None:
        is_heating = self._state == "stuck_on" or (self._told and self._state == "ok")
        if is_heating == self.is_heating:
            return
        self._from_k = self.rise_k
        self._since_us = self._world.clock.now_us
        self.is_heating = is_heating
        self.is_used = True
        self._world.event("port heater %s" % ("on" if is_heating else "off"))


class Door:
    """The port's door: 0 closed .. 100 open. Without a door fitted it counts as open, and both switches read 0."""

    def __init__(self, world: "World"):
        self._world = world
        self.is_fitted = world.config.door
        self._pct = 0.0
        self._way = 0
        self._since_us = 0
        self._state = "ok"

    @property
    def pct(self) -> float:
        """Return where it is now."""
        if not self.is_fitted:
            return 100.0
        if not self._way or self._state != "ok":
            return self._pct
        ms = (self._world.clock.now_us - self._since_us) / 1000
        return max(0.0, min(100.0, self._pct + self._way * 100 * ms / self._world.config.door_ms))

    @property
    def is_closed(self) -> bool:
        """Return what the switch at the closed end says."""
        return self.is_fitted and self.pct <= _SWITCH_PCT

    @property
    def is_open(self) -> bool:
        """Return what the switch at the open end says."""
        return self.is_fitted and self.pct >= 100 - _SWITCH_PCT

    @property
    def is_passable(self) -> bool:
        """Return whether a plug gets past it."""
        return self.pct > 50

    @property
    def place(self) -> str:
        """Return closed, open or between."""
        pct = self.pct
        return (
            "closed" if pct <= _SWITCH_PCT else "open" if pct >= 100 - _SWITCH_PCT else "between"
        )

    def drive(self, way: int) -> None:
        """The motor opens (1), closes (-1) or rests."""
        if way == self._way:
            return
        self._stay()
        self._way = way
        self._world.event("door motor %s" % ("rests", "opens", "closes")[way])

    def motor(self, state: str) -> None:
        """The motor is ok, jams where it is, or is dead."""
        self._stay()
        self._state = state
        self._world.event(f"door motor: {state}")

    def by_hand(self, to: str) -> None:
        """A person opens or closes it."""
        self._stay()
        self._pct = 100.0 if to == "open" else 0.0
        self._world.event(f"person moves the door: {to}")

    def _stay(self) -> None:
        self._pct = self.pct
        self._since_us = self._world.clock.now_us
