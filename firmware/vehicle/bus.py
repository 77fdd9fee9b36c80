"""The vehicle's CAN bus: hear what the chosen dialect says, tell what the inlet does. Decides nothing.

Every frame is judged first: an identifier that nobody listens to is dropped; a wrong length, checksum, counter or range is
refused, counted and told as the hold can_data, and renews no age. docs/can.md has every answer. What has not been heard
within five cycles counts as not said; without a fresh word of the vehicle nothing is permitted.
"""

from micropython import const

from faults import H_CAN_BUS
from ticks import ticks_diff
from vehicle.bus_parts import FRAMES_MAX, UNKNOWN, USED, Frame, Refusals

# States of the controller (drivers/mcp2515.py) in which nothing can be heard or said; asleep nothing has to be.
_CAN_MISSING = const(0)
_CAN_STARTING = const(1)
_CAN_OFF = const(5)

_GAP_MS = const(50)

# settings.CAN_DIALECTS
_NATIVE = const(1)
_CPC = const(2)


class CarBus:
    """
    `fill` before the step, `tick` after its commands were obeyed; neither allocates. can.tick is the caller's, before fill.

    settings    `can` names the dialect and is not 0
    can         the CAN port
    modem       vehicle.modem.ModemLink on the same bus, or None: this class hands it its frames
    """

    def __init__(self, settings, can, modem=None):
        self._can = can
        self._modem = modem
        self._frame = Frame()
        self.refusals = Refusals()
        self.word = _open(
            settings, self.refusals
        )  # the dialect, and what it knows of battery and clock
        self._boxes = self.word.boxes
        self._filled_ms = 0  # tick of the last pass
        self._turn = 0  # whose age was judged last, of those past the first
        ids = [box.id for box in self._boxes]
        if modem is not None:
            ids.append(modem.box.id)
        can.listen(tuple(ids))

    def fill(self, now_ms: int, r) -> None:
        """Write the vehicle's word into signals.Readings, and add to its holds."""
        can = self._can
        frame = self._frame
        for _ in range(FRAMES_MAX):
            if not can.receive(frame):
                break
            self.refusals.add(now_ms, self._hear(now_ms, frame, r))
        # Of what nobody speaks the age grows: the first message's in every pass, the others' in turn; all of them after a
        # gap, in which a word may have become stale that would else count for three passes more.
        count = len(self._boxes)
        if 0 <= ticks_diff(now_ms, self._filled_ms) <= _GAP_MS:
            self._judge(now_ms, 0, r)
            turn = self._turn + 1
            if turn >= count:
                turn = 1
            self._turn = turn
            if turn < count:
                self._judge(now_ms, turn, r)
        else:
            for n in range(count):
                self._judge(now_ms, n, r)
        self._filled_ms = now_ms
        holds = self.word.holds | self.refusals.hold(now_ms)
        state = can.state
        if state == _CAN_MISSING or state == _CAN_STARTING or state == _CAN_OFF:
            holds |= H_CAN_BUS
        r.holds |= holds

    def _judge(self, now_ms: int, n: int, r) -> None:
        """Follow the age of message `n`, and take over what it says by now."""
        self._boxes[n].tick(now_ms)
        self.word.fill(n, r)

    def _hear(self, now_ms: int, frame, r) -> int:
        boxes = self._boxes
        for n in range(len(boxes)):
            if boxes[n].id == frame.id:
                outcome = boxes[n].hear(now_ms, frame)
                if outcome == USED:
                    self._judge(now_ms, n, r)
                return outcome
        modem = self._modem
        if modem is not None and modem.box.id == frame.id:
            return modem.box.hear(now_ms, frame)
        return UNKNOWN

    def set_book(self, book) -> None:
        """Tell of the journal (journal.book.Book, or None), where the dialect has words for it."""
        self.word.set_book(book)

    def tick(self, now_ms: int, r, c) -> None:
        """Send what is due of `r` (signals.Readings) and `c` (signals.Commands)."""
        self.word.tick(now_ms, r, c, self._can)


def _open(settings, refusals):
    """Return the dialect these settings choose; only its files are loaded."""
    if settings.can == _NATIVE:
        from vehicle.bus_native import NativeBus

        return NativeBus(settings, refusals)
    if settings.can == _CPC:
        from vehicle.bus_cpc import CpcBus

        return CpcBus(settings)
    from vehicle.bus_i3lim import I3LimBus

    return I3LimBus(settings)
