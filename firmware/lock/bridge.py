"""The last stage before the lock's H-bridge: what no state, however wrong, may exceed.

Knows nothing of the states. Enforces the hard cap on one drive, the dead time before the bridge reverses, the rest
after a drive, the on-time budget, and that nothing is driven towards unlocked without permission. One signed int
commands the bridge, so both legs can never be on. Times are in ms.
"""

from array import array

from micropython import const

_PASS_MS = const(10)  # a drive ends this much before its cap, so that it never ends after it
# Bridge off at least this long before any drive: no shoot-through, and the motor has stopped.
_DEAD_MS = const(50)
_LONG_MS = const(60000)  # where the off time stops counting

# On-time budget: 12 % of any 60 s (HAR: pause 8 times the on-time), kept as a ring of slots of 4 s. Sixteen of them
# span the current, unfinished one and 60 s before it.
_BUDGET_MS = const(7200)
_SLOT_MS = const(4000)
_SLOTS = const(16)


class BridgeGuard:
    """Lets a wanted drive through, or not. `tick` once a pass, after the states; allocates nothing."""

    def __init__(self, run_ms: int, cap_ms: int, cooldown_ms: int):
        self._run_ms = run_ms
        self._stop_ms = cap_ms - _PASS_MS
        self._cooldown_ms = cooldown_ms
        self.drive = 0  # 1 towards locked, -1 towards unlocked, 0 off; before polarity
        self.on_ms = 0  # length of the present drive so far
        self.off_ms = 0  # since the last drive or since boot, 0..60000 (stays there)
        self.used_ms = 0  # on-time in the last 60..64 s
        self._rest_ms = _DEAD_MS  # off time asked for before the next drive
        self._is_tripped = False  # stopped against the wish; until the wish ends
        self._slots_ms = array("i", [0] * _SLOTS)
        self._slot = 0
        self._slot_ms = 0  # age of the current slot

    def is_ready(self) -> bool:
        """Return True if a whole drive may start now."""
        return self.off_ms >= self._rest_ms and self.used_ms + self._run_ms <= _BUDGET_MS

    def cool(self) -> None:
        """Ask for the cool-down before the next drive: the last one did not arrive."""
        self._rest_ms = self._cooldown_ms

    def hurry(self) -> None:
        """Forgive the cool-down, not the dead time nor the budget: a cable may be live behind an open bolt."""
        self._rest_ms = _DEAD_MS

    def tick(self, dt_ms: int, wanted: int, may_unlock: bool) -> None:
        """Account for the last `dt_ms` (0..60000), then set `drive` to `wanted` as far as allowed."""
        if self.drive or self.used_ms or self.off_ms < _LONG_MS:
            self._pass(dt_ms)
        if wanted == 0:
            self._is_tripped = False
            if self.drive:
                self._stop()
        elif self.drive:
            if (
                wanted != self.drive
                or self.on_ms >= self._stop_ms
                or self.used_ms >= _BUDGET_MS
                or (wanted < 0 and not may_unlock)
            ):
                self._is_tripped = True
                self._stop()
        elif (
            not self._is_tripped
            and self.off_ms >= self._rest_ms
            and self.used_ms < _BUDGET_MS
            and (wanted > 0 or may_unlock)
        ):
            self.drive = wanted
            self.on_ms = 0
            self._rest_ms = _DEAD_MS

    def _stop(self) -> None:
        self.drive = 0
        self.off_ms = 0

    def _pass(self, dt_ms: int) -> None:
        if self.drive:
            self.on_ms += dt_ms
            self.used_ms += dt_ms
            self._slots_ms[self._slot] += dt_ms
        elif self.off_ms < _LONG_MS:
            self.off_ms += dt_ms
        if self.used_ms:
            self._slot_ms += dt_ms
            while self._slot_ms >= _SLOT_MS:  # at most 15 rounds, dt_ms <= 60000
                self._slot_ms -= _SLOT_MS
                self._slot = (self._slot + 1) % _SLOTS
                self.used_ms -= self._slots_ms[self._slot]
                self._slots_ms[self._slot] = 0
