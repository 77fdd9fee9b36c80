"""The proximity pilot: pull-up, inlet resistor, plug, button and wire, in ohms. Codings: facts 3.1-3.4."""

from random import Random
from typing import TYPE_CHECKING

from inletctl.errors import UserError
from inletctl.plant import network
from inletctl.plant.clock import Booking, cancel

if TYPE_CHECKING:
    from inletctl.plant.world import World

# Inlet -> cable A -> ohm in the plug; 0 A: the plug carries no rating. (IEC 61851-1 Tab B.2, GB/T Tab A.5, J1772 5.3)
PLUG_OHM: dict[str, dict[float, float]] = {
    "type1": {0: 150},
    "nacs": {0: 150},
    "type2": {13: 1500, 20: 680, 32: 220, 63: 100},
    "gbt": {10: 1500, 16: 680, 32: 220, 63: 100},
    "ccs1": {0: 150},
    # 13 A stands for the DC plug, too (IEC 61851-23 Tab CC.2).
    "ccs2": {13: 1500, 20: 680, 32: 220, 63: 100},
    "chademo": {0: 200},  # CS to ground (IEC 61851-23 AA: 190..210)
}
# Plug ohm -> what the open S3 adds. Type 2 has no S3.
_BUTTON_OHM: dict[str, dict[float, float]] = {
    "type1": {150: 330},
    "nacs": {150: 330},
    "type2": {},
    "ccs1": {150: 330},
    "ccs2": {},
    "chademo": {},
    "gbt": {1500: 1800, 680: 2700, 220: 3300, 100: 3300},
}
BOUNCE_US = (200, 3000)  # each make or break of a bouncing contact


class Proximity:
    """PP as the controller measures it: `mv` and `rail_mv`, `is_measured`."""

    def __init__(self, world: "World", seed: int):
        self._world = world
        config = world.config
        self.rail_mv = round(config.pp_rail_mv)
        self.mv = 0
        self.is_measured = True
        self.touches = False
        self.plug_ohm = 0.0
        self.pressed = False
        self._pulldown_ohm = config.pp_pulldown_ohm or network.OPEN_OHM
        self._wire = "ok"
        self._wire_booking: Booking | None = None
        self._random = Random(f"proximity {seed}")
        self._solve()

    def coding_ohm(self, cable_a: float | None, ohm: float | None) -> float:
        """Return what the plug shows for a cable of `cable_a`, or the given ohms."""
        if ohm is not None:
            return ohm
        codes = PLUG_OHM[self._world.config.inlet]
        if 0 in codes:
            return codes[0]
        a = self._world.config.cable_a if cable_a is None else cable_a
        if a not in codes:
            known = ", ".join(f"{code}" for code in codes)
            raise UserError(f"a {self._world.config.inlet} cable is coded {known} A, not {a:g} A.")
        return codes[a]

    @property
    def has_button(self) -> bool:
        """Whether this plug has a latch button."""
        return bool(_BUTTON_OHM[self._world.config.inlet])

    def touch(self, touches: bool) -> None:
        """The plug's PP contact makes or parts."""
        self.touches = touches
        self._solve()

    def press(self, pressed: bool) -> None:
        """S3 opens (pressed) or closes."""
        self.pressed = pressed
        self._solve()

    def wire(self, state: str, hold: float = 0) -> None:
        """Wire ok, break or short; whole again after `hold` ms."""
        self._wire = state
        cancel(self._wire_booking)
        if hold:
            self._wire_booking = self._world.clock.after_ms(hold, self.wire, "ok")
        self._solve()

    def set_plug_ohm(self, ohm: float) -> None:
        """Another resistance in the plug."""
        self.plug_ohm = ohm
        self._solve()

    def set_rail(self, mv: float) -> None:
        """Another rail for the pull-up."""
        self.rail_mv = round(mv)
        self._solve()

    def sense(self, state: str) -> None:
        """Measured (ok) or not (dead)."""
        self.is_measured = state == "ok"

    def bounce(self, time: float) -> None:
        """The PP contact bounces for `time` ms and ends as it is now."""
        bounce(self._world, self._random, time, self.touches, self.touch)

    def _solve(self) -> None:
        if self._wire == "short":
            ohm = 0.0
        elif self._wire == "break":
            ohm = network.OPEN_OHM
        else:
            ohm = self._pulldown_ohm
            if self.touches:
                plug_ohm = self.plug_ohm
                if self.pressed:
                    plug_ohm += _BUTTON_OHM[self._world.config.inlet].get(round(plug_ohm), 330)
                ohm = network.parallel_ohm(ohm, plug_ohm)
        self.mv = round(network.divider_mv(self.rail_mv, self._world.config.pp_pullup_ohm, ohm))


def bounce(world: "World", random: Random, time_ms: float, final: bool, touch) -> None:
    """Book a bouncing contact: `touch(bool)` at random moments for `time_ms`, and `final` at its end."""
    end_us = world.t_us + round(time_ms * 1000)
    t_us = world.t_us + random.randint(*BOUNCE_US)
    state = False
    while t_us < end_us:
        world.clock.at(t_us, touch, state)
        state = not state
        t_us += random.randint(*BOUNCE_US)
    world.clock.at(end_us, touch, final)
