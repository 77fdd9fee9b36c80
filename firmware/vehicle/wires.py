"""The car on single wires, without CAN: inputs become holds, outputs tell it what the inlet does.

Every input is true on purpose, so that a wire that breaks reads as the dangerous case. Only those fitted
(settings.lines_used) are heeded. Where they cannot be read H_LINES stands instead of what they would say: a
chip that answers nothing has seen no crash.
"""

from array import array

from micropython import const

from faults import (
    H_CRASH,
    H_HVIL,
    H_INSULATION,
    H_LINES,
    H_NOT_PARKED,
    H_VEHICLE_WIRE,
)

# Inputs, in bits of `lines.inputs` and settings.lines_used.
PERMIT = const(1 << 0)
HVIL_CLOSED = const(1 << 1)
INSULATION_OK = const(1 << 2)
NO_CRASH = const(1 << 3)
DOOR_CLOSED = const(1 << 4)
DOOR_OPEN = const(1 << 5)
PARKED = const(1 << 6)
# Outputs.
CHARGE_ENABLE = const(1 << 0)
PLUG_PRESENT = const(1 << 1)
DRIVE_INHIBIT = const(1 << 2)
HEATER = const(1 << 3)
OPEN_DOOR = const(1 << 4)
CLOSE_DOOR = const(1 << 5)
# What is shown before anybody has decided anything.
OUTPUTS_AT_START = PLUG_PRESENT | DRIVE_INHIBIT

# The hold of each input that is false, by bit; the door's ends are the door's.
_HOLDS = (H_VEHICLE_WIRE, H_HVIL, H_INSULATION, H_CRASH, 0, 0, H_NOT_PARKED)
_INPUTS = const(7)
# Passes in a row until an input counts as false, by bit. The driver has seen it twice already; a crash is for service to
# clear, so it has to be sure.
_FALSE_AFTER = (1, 1, 1, 5, 1, 1, 1)
# And as true again.
_TRUE_AFTER = const(10)
# Passes without a reading that are bridged.
_BLIND_AFTER = const(3)


class Wires:
    """`fill` before the step with what was read, `outputs` after it. Allocates nothing."""

    def __init__(self, used: int):
        """`used`: mask of the inputs fitted."""
        self.holds = H_LINES if used else 0
        self.inputs = 0  # debounced, fitted ones only; mean something while `is_read`
        self.is_read = False
        self._used = used
        self._counts = array("b", bytes(_INPUTS))  # passes in a row in which an input differed
        self._differs = 0  # mask of inputs being counted
        self._blind = 0  # passes without a reading, 0.._BLIND_AFTER
        self._last = 0
        self._settling = _TRUE_AFTER  # equal readings that are missing until they are believed

    def fill(self, is_ok: bool, inputs: int) -> int:
        """Take one pass's mask of inputs, read where `is_ok`; return the holds to ask for."""
        if is_ok:
            self._blind = 0
            inputs &= self._used
            if self._settling:
                self._settle(inputs)
            elif inputs != self.inputs or self._differs:
                self._debounce(inputs)
        elif self._blind < _BLIND_AFTER:
            self._blind += 1
            if self._blind >= _BLIND_AFTER:
                self.is_read = False
                self._settling = _TRUE_AFTER
                self.holds = H_LINES if self._used else 0
        return self.holds

    def _settle(self, inputs: int) -> None:
        """Believe the first readings, and those after a gap, once they stand still."""
        self._settling = self._settling - 1 if inputs == self._last else _TRUE_AFTER - 1
        self._last = inputs
        if not self._settling:
            self.inputs = inputs
            self.is_read = True
            self._differs = 0
            for n in range(_INPUTS):
                self._counts[n] = 0
            self._ask()

    def _debounce(self, inputs: int) -> None:
        differs = inputs ^ self.inputs
        counts = self._counts
        for n in range(_INPUTS):
            if not differs >> n & 1:
                counts[n] = 0
                continue
            counts[n] += 1
            if counts[n] >= (_TRUE_AFTER if inputs >> n & 1 else _FALSE_AFTER[n]):
                counts[n] = 0
                self.inputs ^= 1 << n
                differs ^= 1 << n
        self._differs = differs
        self._ask()

    def _ask(self) -> None:
        holds = 0
        false = self._used & ~self.inputs
        for n in range(_INPUTS):
            if false >> n & 1:
                holds |= _HOLDS[n]
        self.holds = holds

    def outputs(self, c, heat: bool, door: int) -> int:
        """Return the mask to show after a step: `c` is signals.Commands, `door` 1 opens, -1 closes."""
        mask = 0
        if c.s2_close and c.charger_ma > 0:
            mask = CHARGE_ENABLE
        if c.plug_present:
            mask |= PLUG_PRESENT
        if not c.drive_allowed:
            mask |= DRIVE_INHIBIT
        if heat:
            mask |= HEATER
        if door > 0:
            mask |= OPEN_DOOR
        elif door < 0:
            mask |= CLOSE_DOOR
        return mask
