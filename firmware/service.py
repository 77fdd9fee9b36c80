"""Service mode: a person at the board lets a computer try the lock.

On by both buttons, stop and unlock, held together for 5 s while no plug is in and nothing is energised; off after 10
minutes, with a plug, or when told. While it is on the inlet charges nothing and the car may not be driven. Plain values
in and out; composed by the step.
"""

from micropython import const

from release import HOLD, LOCK, UNLOCK
from ticks import ticks_diff

_HOLD_MS = const(5000)
_LENGTH_MS = const(600000)


class ServiceMode:
    """Call `tick` once a pass. Allocates nothing."""

    def __init__(self):
        self.is_on = False
        self.lock_request = HOLD  # what the lock is asked for while it is on
        self._since_ms = 0  # both buttons since then; while on: on since then
        self._is_timing = False
        self._is_used = False  # these buttons have switched it already: let go first

    def tick(self, now_ms: int, r, is_idle: bool) -> None:
        """Take one pass's signals.Readings; `is_idle`: unplugged for sure, S2 open."""
        are_held = r.stop_request and r.unlock_request
        if not are_held:
            self._is_used = False
        if not is_idle or r.service_end:
            self._end()
            return
        if self.is_on:
            if ticks_diff(now_ms, self._since_ms) >= _LENGTH_MS:
                self._end()
            elif r.test_lock > 0:
                self.lock_request = LOCK
            elif r.test_lock < 0:
                self.lock_request = UNLOCK
        elif not are_held or self._is_used:
            self._is_timing = False
        elif not self._is_timing:
            self._is_timing = True
            self._since_ms = now_ms
        elif ticks_diff(now_ms, self._since_ms) >= _HOLD_MS:
            self.is_on = True
            self._is_used = True
            self._since_ms = now_ms

    def _end(self) -> None:
        self.is_on = False
        self._is_timing = False
        self.lock_request = HOLD
