"""The on-board charger: obeys late, ramps, has a minimum of its own, and only draws from live mains."""

from typing import TYPE_CHECKING

from inletctl.plant.clock import FAR_US

if TYPE_CHECKING:
    from inletctl.plant.world import World


class Charger:
    """`ma` is the current per phase at the time of the last `run`. Verbs are in verbs.VERBS."""

    def __init__(self, world: "World"):
        self._world = world
        config = world.config
        self.ma = 0.0
        self.told_ma = 0  # by the controller, at once
        self.has_mains = False
        self._is_sensed = config.current_sense == "yes" or (
            config.current_sense == "auto" and config.can != "native"
        )
        self.reports = self._is_sensed
        self.tells = True  # the car tells what it draws, where it talks of it
        self.is_ramping = False
        self.ac_state = "ok"
        self._state = "ok"
        self._max_ma = config.charger_max_a * 1000
        self._min_ma = config.charger_min_a * 1000
        self._delay_ms = config.charger_delay_ms
        self._obeyed_ma = 0  # told charger_delay_ms ago
        self._starts_us = FAR_US  # first current after mains came
        self._target_ma = 0.0
        self._run_us = 0  # ramped up to
        self._a2_us = 0.0  # integral of the squared current, A2 * us
        self._taken_us = 0

    def load_ma(self) -> float:
        """Return the current that flows now."""
        self.run(self._world.t_us)
        return self.ma

    def command(self, ma: int) -> None:
        """The controller permits another current, `ma`."""
        self.told_ma = ma
        self._world.clock.after_ms(self._delay_ms, self._obey, ma)

    def _obey(self, ma: int) -> None:
        self._obeyed_ma = ma
        self._aim()

    def mains_changed(self) -> None:
        """The contactor moved, or the plug did."""
        world = self._world
        has_mains = world.evse.contactor_closed and world.person.plugged
        if has_mains == self.has_mains:
            return
        self.run(world.t_us)
        self.has_mains = has_mains
        if has_mains:
            start = world.clock.after_ms(world.config.charger_start_ms, self._aim)
            self._starts_us = start[0]
        self._aim()

    def _aim(self) -> None:
        """Set where the current goes from what is obeyed, the mains and what is broken."""
        self.run(self._world.t_us)
        self._target_ma = self._aim_ma()
        if not self.has_mains:
            self.ma = 0.0
        self.is_ramping = self.ma != self._target_ma

    def _aim_ma(self) -> float:
        if not self.has_mains or self._world.t_us < self._starts_us or self._state == "dead":
            return 0.0
        if self._state == "stuck":
            return self.ma
        told_ma = self._obeyed_ma
        if self._state == "ignores_limit" and told_ma:
            return self._max_ma
        target_ma = min(told_ma, self._max_ma)
        return (
            target_ma
            if target_ma >= self._min_ma and target_ma
            else self._world.config.charger_idle_ma
        )

    def run(self, now_us: int) -> None:
        """Ramp up to `now_us`. Called by the world while ramping."""
        elapsed_us = now_us - self._run_us
        if not elapsed_us:
            return
        self._run_us = now_us
        was_ma = self.ma
        if self.is_ramping:
            config = self._world.config
            gap_ma = self._target_ma - was_ma
            if gap_ma > 0:
                self.ma = was_ma + min(gap_ma, config.charger_up_a_s * elapsed_us * 0.001)
            else:
                self.ma = was_ma + max(gap_ma, -config.charger_down_a_s * elapsed_us * 0.001)
            self.is_ramping = self.ma != self._target_ma
        # Mean square of a straight line between the two ends, as exact as the ramp is straight.
        self._a2_us += (was_ma * was_ma + was_ma * self.ma + self.ma * self.ma) * elapsed_us / 3e6

    def take_mean_a2(self) -> float:
        """Return the mean squared current since the last call, A2."""
        now_us = self._world.t_us
        self.run(now_us)
        elapsed_us = now_us - self._taken_us
        mean = self._a2_us / elapsed_us if elapsed_us else 0.0
        self._taken_us = now_us
        self._a2_us = 0.0
        return mean

    # Verbs ------------------------------------------------------------------

    def fault(self, state: str) -> None:
        """Charger ok, ignores_limit, stuck or dead."""
        self.run(self._world.t_us)
        self._state = state
        self._world.event(f"charger: {state}")
        self._aim()

    def set_delay(self, time: float) -> None:
        """From command to obeying, for commands from now on."""
        self._delay_ms = time

    def set_max(self, a: float) -> None:
        """Most it can draw."""
        self._max_ma = a * 1000
        self._aim()

    def report(self, state: str) -> None:
        """Its word: ok or silent."""
        self.reports = self._is_sensed and state == "ok"
        self.tells = state == "ok"

    def ac_sense(self, state: str) -> None:
        """Mains sense: ok, dead, stuck_on or stuck_off."""
        self.ac_state = state

    # Measurement ------------------------------------------------------------

    def sample(self, readings) -> None:
        """Fill the charger's part of the readings."""
        readings.charger_ok = self.reports
        readings.charger_ma = int(self.ma) if self.reports else 0
        if self.ac_state == "ok":
            readings.ac_ok = True
            readings.ac_present = self.has_mains
        else:
            readings.ac_ok = self.ac_state != "dead"
            readings.ac_present = self.ac_state == "stuck_on"
