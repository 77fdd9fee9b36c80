"""The traction battery and the car's clock: state of charge rises with what is charged, local time goes by."""

from typing import TYPE_CHECKING

from inletctl.plant.config import DAYS

if TYPE_CHECKING:
    from inletctl.plant.world import World

_STEP_MS = 1000
_MAINS_V = 230
_WEEK_MIN = 7 * 24 * 60


class Battery:
    """State of charge, 0..100 %. Stepped once a second where the car talks of it."""

    def __init__(self, world: "World"):
        self._world = world
        self.soc_pct = float(world.config.soc_pct)
        if world.config.can != "none":
            world.clock.after_ms(_STEP_MS, self._step)

    def _step(self) -> None:
        world = self._world
        world.clock.after_ms(_STEP_MS, self._step)
        watts = world.charger.load_ma() / 1000 * _MAINS_V * world.config.phases
        watts += world.dc.ma / 1000 * world.dc.mv / 1000
        kwh = watts * _STEP_MS / 3.6e9
        self.soc_pct = min(100.0, self.soc_pct + kwh / world.config.battery_kwh * 100)

    def set_soc(self, pct: float) -> None:
        """The state of charge is this now."""
        self.soc_pct = pct
        self._world.event(f"state of charge {pct:g} %")


class Calendar:
    """Local time as the car knows it."""

    def __init__(self, world: "World"):
        self._world = world
        config = world.config
        self.is_known = config.clock_day != "none"
        self._start_min = 0
        self._start_us = 0
        if self.is_known:
            self._start_min = DAYS.index(config.clock_day) * 1440 + config.clock_time

    @property
    def minute(self) -> int:
        """Return the minute of the week, 0 = Monday 0:00. Meaningful while is_known."""
        gone = (self._world.clock.now_us - self._start_us) // 60_000_000
        return (self._start_min + gone) % _WEEK_MIN

    def set(self, day: str, time: int) -> None:
        """The clock is set."""
        self.is_known = True
        self._start_min = DAYS.index(day) * 1440 + time
        self._start_us = self._world.clock.now_us
        self._world.event("car's clock is set to %s %d:%02d" % (day, time // 60, time % 60))

    def lose(self) -> None:
        """The car no longer knows what time it is."""
        self.is_known = False
        self._world.event("car's clock is lost")
