"""What stands against charging from outside the pilot and the plug: faults and holds, latched as their class says.

Plain values in; part of the interlock, which alone calls it. A bit of class UNPLUG stays until the plug is out, one of class
SERVICE until the board starts anew. What each forces is read from faults.FAULTS and faults.HOLDS.
"""

from faults import (
    FAULT_CLEARS,
    FAULT_REASON,
    FAULTS,
    HOLD_CLEARS,
    HOLD_REASON,
    HOLDS,
    LOCK_FAILED,
    LOCK_LOST,
    SERVICE,
    UNPLUG,
)


def class_mask(clears: int, table=FAULTS, column: int = FAULT_CLEARS) -> int:
    """Return the mask of the rows of `table` of one class: SELF, UNPLUG or SERVICE."""
    mask = 0
    for n in range(len(table)):
        if table[n][column] == clears:
            mask |= 1 << n
    return mask


_UNPLUG_MASK = class_mask(UNPLUG)
_SERVICE_MASK = class_mask(SERVICE)
_HOLD_SERVICE_MASK = class_mask(SERVICE, HOLDS, HOLD_CLEARS)
# Columns of the tables as tuples of their own: one lookup in the hot path.
_FAULT_FORCES = tuple([int(row[FAULT_REASON]) for row in FAULTS])
_HOLD_FORCES = tuple([int(row[HOLD_REASON]) for row in HOLDS])


def _forced(mask: int, forces) -> int:
    """Return the reasons forced by the bits of `mask`."""
    reasons = 0
    n = 0
    while mask:
        if mask & 1:
            reasons |= forces[n]
        mask >>= 1
        n += 1
    return reasons


class Latches:
    """Call `tick` once a pass. Allocates nothing."""

    def __init__(self, lock_may_fail: bool, lock_is_ignored: bool):
        # The lock's policy takes its faults' word back (settings.lock_policy).
        self._lifted = LOCK_FAILED if lock_may_fail else 0
        if lock_is_ignored:
            self._lifted = LOCK_FAILED | LOCK_LOST
        self.faults = 0  # mask of every fault, latched ones included
        self.holds = 0  # mask of every hold, likewise
        self.reasons = 0  # what they force
        self._latched = 0
        self._latched_holds = 0
        self._reasons_of_faults = 0
        self._reasons_of_holds = 0

    def tick(self, present: int, holds: int, is_unplugged: bool) -> None:
        """Take the faults and holds of this pass."""
        if not (present or self.faults or holds or self.holds):
            return
        latched = self._latched
        if is_unplugged and latched:
            latched &= ~_UNPLUG_MASK
        latched |= present & (_UNPLUG_MASK | _SERVICE_MASK)
        self._latched = latched
        faults = present | latched
        if faults != self.faults:
            self.faults = faults
            self._reasons_of_faults = _forced(faults, _FAULT_FORCES) & ~self._lifted
        self._latched_holds |= holds & _HOLD_SERVICE_MASK
        holds |= self._latched_holds
        if holds != self.holds:
            self.holds = holds
            self._reasons_of_holds = _forced(holds, _HOLD_FORCES)
        self.reasons = self._reasons_of_faults | self._reasons_of_holds

    def forgive(self, faults: int) -> None:
        """Let go of latched `faults` that are being tried anew."""
        self._latched &= ~faults
