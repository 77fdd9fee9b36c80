"""The DC side: voltage at the inlet, the car's contactors, the current, and how they come and go in a session."""

from math import exp
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inletctl.plant.world import World

PINS = ("nacs", "ccs1", "ccs2", "chademo")


class Dc:
    """Truth of the DC pins. Verbs are in verbs.VERBS; a whole session is the modem's to play."""

    def __init__(self, world: "World"):
        self._world = world
        self.has_pins = world.config.inlet in PINS
        self.contactors_closed = False
        self.ma = 0
        self.reports_open = True  # what the contactors' auxiliary switches say when they are open
        self._report = "ok"
        self._from_mv = 0.0
        self._to_mv = 0.0
        self._since_us = 0
        self._tau_us = 1.0

    @property
    def mv(self) -> int:
        """Return the voltage at the inlet now, mV."""
        if self._from_mv == self._to_mv:
            return round(self._to_mv)
        gone = exp(-(self._world.clock.now_us - self._since_us) / self._tau_us)
        return round(self._to_mv + (self._from_mv - self._to_mv) * gone)

    @property
    def told_open(self) -> bool:
        """Return what the contactors' own switches say."""
        return self._report == "open" or (self._report == "ok" and not self.contactors_closed)

    def voltage(self, v: float, tau: float) -> None:
        """The voltage goes to `v` with a time constant of `tau` ms; 0: at once."""
        now = self.mv
        self._from_mv = now if tau else v * 1000
        self._to_mv = v * 1000
        self._since_us = self._world.clock.now_us
        self._tau_us = max(tau * 1000, 1.0)
        self._world.event(f"DC goes to {v:g} V")

    def current(self, a: float) -> None:
        """So much flows through the DC contacts."""
        self.ma = round(a * 1000)
        self._world.event(f"DC {a:g} A")

    def contactors(self, state: str) -> None:
        """The car opens or closes its DC contactors."""
        self.contactors_closed = state == "closed"
        self._world.event(f"DC contactors {state}")

    def report(self, state: str) -> None:
        """What the contactors' switches say: the truth (ok), or stuck at open or closed."""
        self._report = state
