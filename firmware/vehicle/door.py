"""The door of the port, moved by a motor: opened on request, closed only over an inlet that is empty for sure.

Two switches tell its ends; both at once cannot be, and then nothing moves. A drive is bounded in time and tried a few times
with pauses. What is wrong with it is told as H_DOOR and never gates charging. A motor that hits a hand or ice must be one
that may stall for the time of a drive. Plain values in.
"""

from micropython import const

from faults import H_DOOR
from ticks import ticks_diff

AJAR = const(0)  # at no end, and not driven
CLOSED = const(1)
OPENING = const(2)
OPEN = const(3)
CLOSING = const(4)
OPEN_PAUSE = const(5)  # before another try to open
CLOSE_PAUSE = const(6)
STUCK = const(7)  # tried often enough: until it is asked again, or moved by hand
BROKEN = const(8)  # both switches at once, or not to be read
DOOR_NAMES = (
    "ajar", "closed", "opening", "open", "closing", "open_pause", "close_pause", "stuck", "broken",
)  # fmt: skip

E_NONE = const(0)
E_OPEN = const(1)  # asked to open
E_CLOSE = const(2)  # asked to close, and the inlet is empty
E_PLUG = const(3)  # the inlet is not empty for sure
E_AT_OPEN = const(4)
E_AT_CLOSED = const(5)
E_AT_NONE = const(6)  # it left its end
E_TIME = const(7)  # a drive or a pause is over
E_SPENT = const(8)  # the last drive is over
E_BROKEN = const(9)
DOOR_EVENT_NAMES = (
    "none", "open", "close", "plug", "at_open", "at_closed", "at_none", "time", "spent", "broken",
)  # fmt: skip

# fmt: off
_NEXT = (
    # none        open        close        plug        at_open      at_closed    at_none      time         spent    broken
    (AJAR,        OPENING,    CLOSING,     AJAR,       OPEN,        CLOSED,      AJAR,        AJAR,        AJAR,    BROKEN),  # ajar
    (CLOSED,      OPENING,    CLOSED,      CLOSED,     OPEN,        CLOSED,      AJAR,        CLOSED,      CLOSED,  BROKEN),  # closed
    (OPENING,     OPENING,    CLOSE_PAUSE, OPENING,    OPEN,        OPENING,     OPENING,     OPEN_PAUSE,  STUCK,   BROKEN),  # opening
    (OPEN,        OPEN,       CLOSING,     OPEN,       OPEN,        CLOSED,      AJAR,        OPEN,        OPEN,    BROKEN),  # open
    (CLOSING,     OPEN_PAUSE, CLOSING,     OPEN_PAUSE, CLOSING,     CLOSED,      CLOSING,     CLOSE_PAUSE, STUCK,   BROKEN),  # closing
    (OPEN_PAUSE,  OPEN_PAUSE, CLOSE_PAUSE, OPEN_PAUSE, OPEN,        OPEN_PAUSE,  OPEN_PAUSE,  OPENING,     STUCK,   BROKEN),  # open_pause
    (CLOSE_PAUSE, OPEN_PAUSE, CLOSE_PAUSE, AJAR,       CLOSE_PAUSE, CLOSED,      CLOSE_PAUSE, CLOSING,     STUCK,   BROKEN),  # close_pause
    (STUCK,       OPENING,    CLOSING,     STUCK,      OPEN,        CLOSED,      STUCK,       STUCK,       STUCK,   BROKEN),  # stuck
    (BROKEN,      BROKEN,     BROKEN,      BROKEN,     OPEN,        CLOSED,      AJAR,        BROKEN,      BROKEN,  BROKEN),  # broken
)
# 1 towards open, -1 towards closed, 0 not driven.
_DRIVE = (0, 0, 1, 0, -1, 0, 0, 0, 0)
_IS_WRONG = (False, False, False, False, False, False, False, True, True)
# What a request means: to open, to close, nothing.
_ASKED = (E_OPEN, E_OPEN, E_CLOSE, E_CLOSE, E_OPEN, E_CLOSE, E_OPEN, E_OPEN, E_NONE)
# Ends that count: bit 0 none, 1 open, 2 closed. While stuck only one that was reached since.
_HEEDS = (0b110, 0b011, 0b010, 0b101, 0b100, 0b010, 0b100, 0b110, 0b111)
# fmt: on

# A motor of a door takes 1 to 3 s.
DRIVE_MS = const(5000)
# Before another try, and before it turns round.
PAUSE_MS = const(2000)
TRIES_MAX = const(3)
# Closed by itself when it has stood open, the inlet has been empty, and nobody has asked, for so long.
CLOSE_AFTER_MS = const(60000)
# What the switches say counts when seen so often in a row: they bounce.
_SEEN = const(2)

_AT_NONE = const(0)
_AT_OPEN = const(1)
_AT_CLOSED = const(2)
_AT_BOTH = const(3)
_EVENT_AT = (E_AT_NONE, E_AT_OPEN, E_AT_CLOSED, E_BROKEN)


class Door:
    """Call `tick` 10 to 100 times a second. Allocates nothing."""

    def __init__(self):
        self.state = AJAR
        self.drive = 0
        self.holds = 0  # H_DOOR or 0
        self._entered_ms = 0
        self._quiet_since_ms = 0  # open, empty, and nobody asks, since
        self._is_timed = False
        self._was_asked = True  # let go first: of a button that hangs
        self._seen = _AT_NONE
        self._seen_count = 0
        self._at = _AT_NONE  # debounced
        self._stuck_at = _AT_NONE
        self._tries = 0

    def tick(  # noqa: PLR0913, PLR0917 - one pass's values
        self,
        now_ms: int,
        is_read: bool,
        is_open: bool,
        is_closed: bool,
        is_asked: bool,
        is_plugged: bool,
    ) -> None:
        """Judge one pass.

        `is_read`: both switches were read; `is_asked`: a person or the car asks for the door (held while asked);
        `is_plugged`: anything but a proven "unplugged".
        """
        if not self._is_timed:
            self._is_timed = True
            self._entered_ms = now_ms
            self._quiet_since_ms = now_ms
        self._look(is_read, is_open, is_closed)
        is_new = is_asked and not self._was_asked
        self._was_asked = is_asked
        old = self.state
        if is_asked or is_plugged or old != OPEN:
            self._quiet_since_ms = now_ms
        new = _NEXT[old][self._event(now_ms, is_new, is_plugged)]
        if new == old:
            return
        self.state = new
        self._entered_ms = now_ms
        self._stuck_at = self._at
        is_retry = old == OPEN_PAUSE or old == CLOSE_PAUSE
        if _DRIVE[new]:
            self._tries = self._tries + 1 if is_retry else 1
        elif is_retry or (old == OPENING) != (new == OPEN_PAUSE):
            self._tries = 0
        self.drive = _DRIVE[new]
        self.holds = H_DOOR if _IS_WRONG[new] else 0

    def _look(self, is_read: bool, is_open: bool, is_closed: bool) -> None:
        seen = _AT_BOTH
        if is_read:
            seen = (_AT_OPEN if is_open else _AT_NONE) | (_AT_CLOSED if is_closed else _AT_NONE)
        if seen != self._seen:
            self._seen = seen
            self._seen_count = 1
        elif self._seen_count < _SEEN:
            self._seen_count += 1
        if self._seen_count >= _SEEN:
            self._at = seen

    def _event(  # noqa: PLR0911 - one a priority
        self, now_ms: int, is_new: bool, is_plugged: bool
    ) -> int:
        state = self.state
        at = self._at
        if at == _AT_BOTH:
            return E_BROKEN
        if _HEEDS[state] >> at & 1 and (state != STUCK or at != self._stuck_at):
            return _EVENT_AT[at]
        if is_plugged:
            if state == CLOSING or state == CLOSE_PAUSE:
                return E_PLUG
        elif is_new:
            return _ASKED[state]
        elif state == OPEN and ticks_diff(now_ms, self._quiet_since_ms) >= CLOSE_AFTER_MS:
            return E_CLOSE
        held_ms = ticks_diff(now_ms, self._entered_ms)
        if _DRIVE[state]:
            if held_ms >= DRIVE_MS:
                return E_TIME if self._tries < TRIES_MAX else E_SPENT
        elif held_ms >= PAUSE_MS and (state == OPEN_PAUSE or state == CLOSE_PAUSE):
            return E_TIME
        return E_NONE
