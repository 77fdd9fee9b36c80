"""The discrete wires between the car and the inlet's board: what each carries, and how it breaks.

Every input is positive: a broken wire reads as the dangerous answer. Inputs and outputs as in
firmware/drivers/virtual_car.py.
"""

from typing import TYPE_CHECKING, Any

from inletctl.plant.clock import Booking, cancel

if TYPE_CHECKING:
    from inletctl.plant.world import World

INPUTS = ("permit", "hvil", "insulation", "crash", "door_closed", "door_open", "parked")
OUTPUTS = ("charge_enable", "plug_present", "drive_inhibit", "heater", "open_door", "close_door")
_HEATER = OUTPUTS.index("heater")
_OPEN = OUTPUTS.index("open_door")
_CLOSE = OUTPUTS.index("close_door")


class Lines:
    """What the board reads (`inputs`, `ok`) and what it drives (`outputs`). Verbs are in verbs.VERBS."""

    def __init__(self, world: "World"):
        self._world = world
        self.outputs = 0
        self.ok = True
        self._wires: dict[str, str] = dict.fromkeys(INPUTS, "ok")
        self._ends: dict[str, Booking | None] = {}

    @property
    def inputs(self) -> int:
        """Return the mask that the board reads."""
        world = self._world
        safety = world.safety
        truth = (
            world.vehicle.permits_by_wire,
            safety.hvil_closed,
            safety.insulation_ok,
            not safety.is_crashed,
            world.door.is_closed,
            world.door.is_open,
            safety.gear == "park",
        )
        mask = 0
        for n, name in enumerate(INPUTS):
            wire = self._wires[name]
            if wire == "stuck" or (wire == "ok" and truth[n]):
                mask |= 1 << n
        return mask

    def tell(self, rx: Any, at: int) -> None:
        """Fill ok and inputs at `at`."""
        rx[at] = int(self.ok)
        rx[at + 1] = self.inputs if self.ok else 0

    def obey(self, outputs: int) -> None:
        """The board drives its outputs."""
        if outputs == self.outputs:
            return
        self.outputs = outputs
        world = self._world
        world.port.heat(outputs >> _HEATER & 1 != 0)
        world.door.drive((outputs >> _OPEN & 1) - (outputs >> _CLOSE & 1))

    # Verbs ------------------------------------------------------------------

    def wire(self, name: str, state: str, hold: float) -> None:
        """A wire is ok, broken, or stuck (shorted to what reads as good)."""
        self._wires[name] = state
        self._world.event(f"line {name}: {state}")
        cancel(self._ends.get(name))
        if hold:
            self._ends[name] = self._world.clock.after_ms(hold, self.wire, name, "ok", 0)

    def chip(self, state: str, hold: float) -> None:
        """The chip that reads the lines: ok or dead."""
        self.ok = state == "ok"
        self._world.event(f"line chip: {state}")
        cancel(self._ends.get("chip"))
        if hold:
            self._ends["chip"] = self._world.clock.after_ms(hold, self.chip, "ok", 0)
