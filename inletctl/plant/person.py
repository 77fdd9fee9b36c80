"""The person at the inlet: plug, latch button, and what they want."""

from random import Random
from typing import TYPE_CHECKING

from inletctl.errors import UserError
from inletctl.plant.clock import Booking, cancel
from inletctl.plant.proximity import bounce

if TYPE_CHECKING:
    from inletctl.plant.world import World


class Person:
    """Verbs are the public methods in verbs.VERBS."""

    def __init__(self, world: "World", seed: int):
        self._world = world
        self.half_plugged = False
        self.wants_stop = False
        self.wants_unlock = False
        self.refused_unplugs = 0  # pulls that the lock held
        self._pulls_until_us = -1  # keeps pulling until then
        self._pull_bounce_ms = 0.0
        self._random = Random(f"person {seed}")
        self._stop_end: Booking | None = None
        self._unlock_end: Booking | None = None
        self._button_end: Booking | None = None

    @property
    def plugged(self) -> bool:
        """Whether the plug is fully in: the power contacts meet."""
        return self._world.plugged

    def start_plugged(self) -> None:
        """The plug is in from the start, perhaps with the lock engaged."""
        world = self._world
        world.proximity.plug_ohm = world.proximity.coding_ohm(None, None)
        world.plugged = True
        world.plugged_us = 0
        self._make(True, True, 0)

    def plug(
        self, cable_a: float | None, ohm: float | None, bounce: float, touching: str
    ) -> str | None:
        """Push the plug in, fully or until one contact touches."""
        world = self._world
        if self.plugged:
            return self._fails("the plug is in already")
        if not world.door.is_passable:
            return self._fails("the port's door is in the way")
        if world.lock.holds:
            return self._fails("the lock's pin stands in the way of the plug")
        world.proximity.plug_ohm = world.proximity.coding_ohm(cable_a, ohm)
        world.plugged = touching == "all"
        world.plugged_us = world.t_us
        self.half_plugged = not self.plugged
        self._event(
            "plugs in" if self.plugged else f"plugs half in, only {touching.upper()} touches"
        )
        self._make(touching in ("all", "cp"), touching in ("all", "pp"), bounce)
        world.charger.mains_changed()
        return None

    def unplug(self, patience: float, bounce: float) -> str | None:
        """Pull the plug; the lock may hold it."""
        if not (self.plugged or self.half_plugged):
            return self._fails("no plug is in")
        if self.plugged and self._world.lock.holds:
            self.refused_unplugs += 1
            if patience:
                self._pulls_until_us = self._world.t_us + round(patience * 1000)
                self._pull_bounce_ms = bounce
            return self._fails("the lock holds the plug")
        self._pull_out(bounce)
        return None

    def lock_moved(self) -> None:
        """The lock let go, perhaps while being pulled against. Called by the lock."""
        if self._world.t_us <= self._pulls_until_us and not self._world.lock.holds:
            self._pull_out(self._pull_bounce_ms)

    def _pull_out(self, bounce_ms: float) -> None:
        world = self._world
        if self.plugged:
            world.evse.plug_pulled()
        self._pulls_until_us = -1
        world.plugged = self.half_plugged = False
        self._event("unplugs")
        self.keep()
        self.start()
        self._button(False)
        self._make(False, False, bounce_ms)
        world.charger.mains_changed()

    def _make(self, cp: bool, pp: bool, bounce_ms: float) -> None:
        """CP and PP make or part, at once or after bouncing."""
        world = self._world
        cp = cp and world.config.inlet != "chademo"  # which has no control pilot
        for touch, touches in ((world.proximity.touch, pp), (world.pilot.touch, cp)):
            if bounce_ms and (touches or not (cp or pp)):
                touch(True)
                bounce(world, self._random, bounce_ms, touches, touch)
            else:
                touch(touches)
        world.safety.look_at_drive()

    def press_button(self, hold: float) -> str | None:
        """Press the latch button, for `hold` ms or until released."""
        world = self._world
        if not world.proximity.has_button:
            raise UserError(f"a {world.config.inlet} plug has no latch button.")
        if self.plugged and world.lock.holds and world.config.lock_blocks_button:
            return self._fails("the lock blocks the latch button")
        self._event("presses the latch button")
        self._button(True)
        if hold:
            self._button_end = world.clock.after_ms(hold, self.release_button)
        return None

    def release_button(self) -> None:
        """Let the latch button go."""
        self._event("releases the latch button")
        self._button(False)

    def _button(self, pressed: bool) -> None:
        cancel(self._button_end)
        self._world.proximity.press(pressed)

    def stop(self, hold: float) -> None:
        """Want charging to stop."""
        self._event("wants charging to stop")
        self.wants_stop = True
        cancel(self._stop_end)
        if hold:
            self._stop_end = self._world.clock.after_ms(hold, self.start)

    def start(self) -> None:
        """Take the wish to stop back."""
        cancel(self._stop_end)
        self.wants_stop = False

    def unlock(self, hold: float) -> None:
        """Want the cable released."""
        self._event("wants the cable released")
        self.wants_unlock = True
        cancel(self._unlock_end)
        if hold:
            self._unlock_end = self._world.clock.after_ms(hold, self.keep)

    def press_unlock(self, times: int, press: float, gap: float) -> None:
        """Press the unlock button so many times, `press` ms each, `gap` ms between them."""
        self._event(f"presses the unlock button {times:g} times")
        for n in range(int(times)):
            self._world.clock.after_ms(n * (press + gap), self._hold_unlock, press)

    def _hold_unlock(self, press: float) -> None:
        self.wants_unlock = True
        cancel(self._unlock_end)
        self._unlock_end = self._world.clock.after_ms(press, self.keep)

    def keep(self) -> None:
        """Take the wish to unlock back."""
        cancel(self._unlock_end)
        self.wants_unlock = False

    def _fails(self, why: str) -> str:
        self._event(f"fails: {why}")
        return why

    def _event(self, text: str) -> None:
        self._world.event(f"person {text}")
