"""Service mode: a person at the board lets a computer try the lock.

On by both buttons, stop and unlock, held together for 5 s while no plug is in and nothing is energised; off after 10
minutes, with a plug, or when told. While it is on the inlet charges nothing and the car may not be driven; a bolt that was
tried is opened again before it is believed to hold anything. Plain values
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
        self._is_used = True  # let go first: of buttons that have switched it already, or hang
        # The bolt was driven out with no plug in: what is put in now may stand on it, so it has to come in first.
        self.is_bolt_doubted = False

    def tick(self, now_ms: int, r, is_idle: bool, is_unlocked: bool) -> None:
        """Take one pass's signals.Readings; `is_idle`: unplugged for sure, nothing live; `is_unlocked`: the lock's word."""
        if is_unlocked and self.lock_request != LOCK:
            self.is_bolt_doubted = False
        are_held = r.stop_request and r.unlock_request
        if not are_held:
            self._is_used = False
        if not is_idle or r.service_end:
            self._end()
            return
        if self.is_on:
            self._try_lock(now_ms, r.test_lock)
        else:
            self._wait(now_ms, are_held)

    def _try_lock(self, now_ms: int, test_lock: int) -> None:
        if ticks_diff(now_ms, self._since_ms) >= _LENGTH_MS:
            self._end()
        elif test_lock > 0:
            self.lock_request = LOCK
            self.is_bolt_doubted = True
        elif test_lock < 0:
            self.lock_request = UNLOCK

    def _wait(self, now_ms: int, are_held: bool) -> None:
        if not are_held or self._is_used:
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
        self.lock_request = UNLOCK if self.is_bolt_doubted else HOLD
