"""Parts of the vehicle's bus: a frame, a message that is received with its age, a message that is sent at its cycle.

Judges length, counter, checksum, range and age; what a message says is the dialects'. Allocates nothing once made.
"""

from micropython import const

from faults import H_CAN_DATA
from ticks import ticks_add, ticks_diff
from vehicle.e2e import ANSWERS, ROW_TOLD, ROW_USED, E2EReceiver, E2ESender

LONG_MS = const(60000)  # where an age stops growing (signals.Readings)
CYCLES_MAX = const(5)  # without a word, and it is stale
# Frames taken in one pass; the controller keeps the others. The busiest dialect (i3lim and a modem) sends two in a pass; on
# an emulated RP2040 a frame costs 0.3 ms.
FRAMES_MAX = const(2)
_URGENT_GAP_MS = const(10)  # between two frames of one message, one pass
# A frame refused is told for so long, so that a message every 200 ms shows it.
_TOLD_MS = const(2000)
_COUNT_MAX = const(60000)  # where a counter stays

# What became of a frame.
USED = const(0)
REFUSED = const(1)  # not used, and told: wrong length, checksum, counter or range
PENDING = const(2)  # not used: not trusted yet
UNKNOWN = const(3)  # nobody's

# Columns of ANSWERS as masks: one shift in the hot path.
_USED_MASK = sum([1 << n for n in range(len(ANSWERS)) if ANSWERS[n][ROW_USED]])
_TOLD_MASK = sum([1 << n for n in range(len(ANSWERS)) if ANSWERS[n][ROW_TOLD]])


class Frame:
    """A CAN frame."""

    def __init__(self):
        self.id = 0  # 0..2047
        self.length = 0  # 0..8
        self.data = bytearray(8)


class Refusals:
    """Frames that were not used, counted and told."""

    def __init__(self):
        self.refused = 0  # 0..60000, where it stays
        self.unknown = 0  # the same
        self._is_told = False
        self._refused_ms = 0

    def add(self, now_ms: int, outcome: int) -> None:
        """Count one frame's outcome."""
        if outcome == REFUSED:
            self._refused_ms = now_ms
            self._is_told = True
            if self.refused < _COUNT_MAX:
                self.refused += 1
        elif outcome == UNKNOWN and self.unknown < _COUNT_MAX:
            self.unknown += 1

    def hold(self, now_ms: int) -> int:
        """Return H_CAN_DATA while a refusal is not long ago, else 0. Once a pass."""
        if self._is_told and not 0 <= ticks_diff(now_ms, self._refused_ms) < _TOLD_MS:
            self._is_told = False
        return H_CAN_DATA if self._is_told else 0


class Inbox:
    """One message that is received: `hear` each of its frames, `tick` once a pass after them."""

    def __init__(self, frame_id: int, length: int, timeout_ms: int, decode, values):
        """`decode(data, values) -> bool`, False: out of range. A frame may be longer than `length`, unless protected."""
        self.id = frame_id
        self.age_ms = LONG_MS  # since the last frame used, 0..60000
        self.is_fresh = False  # that is within the timeout
        self._length = length
        self._timeout_ms = timeout_ms
        self._decode = decode
        self._values = values
        self._e2e = None
        self._is_heard = False
        self._heard_ms = 0
        self._is_begun = False  # a frame came that is good but not used, not fresh yet
        self._begun_ms = 0

    def protect(self):
        """Expect counter and checksum from now on. Returns itself."""
        self._e2e = E2EReceiver(self.id)
        return self

    def hear(self, now_ms: int, frame) -> int:
        """Judge a frame of this message and take its values over; return USED, REFUSED or PENDING."""
        if frame.length < self._length:
            return REFUSED
        if self._e2e is not None:
            if frame.length != self._length:
                return REFUSED
            answer = self._e2e.check(frame.data, self._length)
            if not _USED_MASK >> answer & 1:
                # The first of two good ones proves nothing once it is old.
                self._is_begun = not self.is_fresh
                self._begun_ms = now_ms
                return REFUSED if _TOLD_MASK >> answer & 1 else PENDING
        if not self._decode(frame.data, self._values):
            return REFUSED
        self._is_begun = False
        self._is_heard = True
        self._heard_ms = now_ms
        return USED

    def tick(self, now_ms: int) -> None:
        """Follow the age."""
        age_ms = LONG_MS
        if self._is_heard:
            age_ms = ticks_diff(now_ms, self._heard_ms)
            if age_ms < 0 or age_ms >= LONG_MS:
                # Kept: ticks_diff is good for six days only.
                self._is_heard = False
                age_ms = LONG_MS
        self.age_ms = age_ms
        is_fresh = age_ms <= self._timeout_ms
        if self._e2e is not None and (
            (self.is_fresh and not is_fresh)
            or (self._is_begun and ticks_diff(now_ms, self._begun_ms) > self._timeout_ms)
        ):
            self._is_begun = False
            self._e2e.forget()
        self.is_fresh = is_fresh


class Outbox:
    """One message that is sent: encode into `frame.data` where `is_due`, then `send`."""

    def __init__(self, frame_id: int, length: int, cycle_ms: int, phase_ms: int):
        self.frame = Frame()
        self.frame.id = frame_id
        self.frame.length = length
        self._cycle_ms = cycle_ms
        self._phase_ms = phase_ms
        self._e2e = None
        self._is_timed = False
        self.due_ms = 0  # tick at which the next frame is due, once asked
        self._sent_ms = 0

    def protect(self):
        """Send counter and checksum from now on. Returns itself."""
        self._e2e = E2ESender(self.frame.id)
        return self

    def is_due(self, now_ms: int, is_urgent: bool) -> bool:
        """Return whether a frame goes out in this pass: its cycle is over, or `is_urgent` and 10 ms since the last."""
        if not self._is_timed:
            self._is_timed = True
            self.due_ms = ticks_add(now_ms, self._phase_ms)
            self._sent_ms = ticks_add(now_ms, -_URGENT_GAP_MS)
        late_ms = ticks_diff(now_ms, self.due_ms)
        # Further ahead than a cycle it cannot be: nobody asked for days.
        if late_ms >= 0 or late_ms < -self._cycle_ms:
            if 0 <= late_ms < self._cycle_ms:
                self.due_ms = ticks_add(self.due_ms, self._cycle_ms)
            else:
                self.due_ms = ticks_add(now_ms, self._cycle_ms)
            return True
        gap_ms = ticks_diff(now_ms, self._sent_ms)
        return is_urgent and (gap_ms >= _URGENT_GAP_MS or gap_ms < 0)

    def send(self, now_ms: int, can) -> bool:
        """Hand the encoded frame to the controller; return whether it has room for it."""
        if self._e2e is not None:
            self._e2e.protect(self.frame.data, self.frame.length)
        self._sent_ms = now_ms
        return can.send(self.frame)
