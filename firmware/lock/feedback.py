"""From the lock's feedback voltage to where the bolt is, and for how long it has been there.

Decides nothing. Two windows name the two ends; everything else, and every reading that was not measured, is unknown.
Times are in ms, voltages in mV.
"""

from micropython import const

POS_UNKNOWN = const(0)  # not measured, or in neither window
POS_UNLOCKED = const(1)
POS_LOCKED = const(2)
POS_NAMES = ("unknown", "unlocked", "locked")

# A pass that came late is no proof of what happened meanwhile: each sample vouches for at most this long.
_VOUCH_MS = const(20)
_LONG_MS = const(60000)  # where the dwell stops counting
_PROOF_MS = const(50)  # five samples at 10 ms


class LockFeedback:
    """Position of the bolt by two windows. `tick` once a pass; allocates nothing."""

    def __init__(self, params):
        self._unlocked_min_mv = params.unlocked_min_mv
        self._unlocked_max_mv = params.unlocked_max_mv
        self._locked_min_mv = params.locked_min_mv
        self._locked_max_mv = params.locked_max_mv
        self.position = POS_UNKNOWN
        self.dwell_ms = 0  # seen at `position` without a break, 0..60000 (stays there)
        # "Locked" is not believed: it showed up without a drive, or would not go away with one, as a shorted wire
        # does. Seeing the bolt unlocked ends the doubt, since then the feedback has been seen to move.
        self.is_doubted = False

    def tick(self, dt_ms: int, ok: bool, mv: int) -> None:
        """Take one sample, `dt_ms` (0..60000) after the last; `ok` False: `mv` means nothing."""
        position = POS_UNKNOWN
        if ok:
            if self._locked_min_mv <= mv <= self._locked_max_mv:
                position = POS_LOCKED
            elif self._unlocked_min_mv <= mv <= self._unlocked_max_mv:
                position = POS_UNLOCKED
        if position != self.position:
            self.position = position
            self.dwell_ms = 0
        elif self.dwell_ms < _LONG_MS:
            self.dwell_ms += dt_ms if dt_ms < _VOUCH_MS else _VOUCH_MS
        if self.is_doubted and position == POS_UNLOCKED and self.dwell_ms >= _PROOF_MS:
            self.is_doubted = False
