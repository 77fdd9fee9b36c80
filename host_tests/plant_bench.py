"""A world with a pass loop around it, for the tests of the plant."""

from inletctl.plant.config import PlantConfig
from inletctl.plant.world import World
from signals import Commands, Readings


class Bench:
    """World, readings and commands; `run` makes passes as the board does."""

    def __init__(self, seed=1, pass_us=10_000, **config):
        self.world = World(PlantConfig(**config), seed)
        self.readings = Readings()
        self.commands = Commands()
        self.pass_us = pass_us

    @property
    def t_ms(self):
        return self.world.t_us / 1000

    def run(self, ms):
        end_us = self.world.t_us + round(ms * 1000)
        while self.world.t_us < end_us:
            self.one()

    def one(self):
        self.world.advance(self.world.t_us + self.pass_us)
        self.world.sample(self.readings)
        self.world.apply(self.commands)

    def until(self, condition, limit_ms=60_000):
        """Run until `condition()` holds after a pass; return the ms that took."""
        start_ms = self.t_ms
        while not condition():
            self.one()
            assert self.t_ms - start_ms < limit_ms, "did not happen"
        return self.t_ms - start_ms

    def plugged(self, **plug):
        """Plug in and wait for PWM and for the capture to see it whole."""
        self.world.do("plug", **plug)
        self.until(lambda: self.world.evse_state == "B2")
        self.run(20)
        return self

    def charging(self, ma=31_900):
        """Go on to state C at full current."""
        self.plugged()
        self.commands.s2_close = True
        self.commands.charger_ma = ma
        self.until(lambda: self.world.charger_ma == ma)
        return self

    def periods(self):
        r = self.readings
        return list(
            zip(
                r.pilot_high_us_x10[: r.pilot_count],
                r.pilot_period_us_x10[: r.pilot_count],
            )
        )

    def told(self, part):
        """Return when (ms) an event that contains `part` was noted."""
        return [t_us / 1000 for t_us, text in self.world.events if part in text]
