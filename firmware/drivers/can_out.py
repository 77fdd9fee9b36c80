"""What waits to be sent on CAN: one slot an id, the newest wins, the lowest id first. The port is drivers/can_port.py.

Allocates nothing after construction. DS = Microchip DS20001801, the MCP2515's datasheet.
"""

from array import array

from micropython import const

from drivers.mcp2515 import TX_BYTES, TX_DATA, TX_PENDING, fill_tx
from ticks import ticks_diff

_SLOTS = const(12)
_BUFFERS = const(3)  # of the controller
_OLD_MS = const(100)  # a frame nobody has taken for so long tells the past: it is taken back
_SCAN_PASSES = const(5)  # the age of what is in the controller is looked at every so many passes
_COUNT_MAX = const(60000)


class _Key:
    def __getitem__(self, key):
        return key


# A slice made once: writing data[:] would make one each time.
WHOLE = _Key()[:]


class CanOut:
    """
    Frames on their way into `chip`, an MCP2515.

    held, waiting   frames in the controller, and here; `hand_over` is called while there is any
    dropped         not sent: no slot for another id, or taken back after 100 ms; 0..60000 (stays there)
    """

    def __init__(self, chip):
        self._chip = chip
        self.dropped = 0
        # To be sent, by id, lowest first. A slot belongs to its id for good.
        self._words = [bytearray(TX_BYTES) for _ in range(_SLOTS)]
        self._data = [memoryview(words)[TX_DATA:] for words in self._words]
        self._ids = array("h", [0] * _SLOTS)
        self._waits = bytearray(_SLOTS)  # 1: has something to send
        self._used = 0  # slots in use
        self.waiting = 0  # of them, with something to send
        # The controller's three buffers.
        self._is_held = bytearray(_BUFFERS)  # 1: holds a frame, 2: one that is being taken back
        self.held = 0  # how many do
        self._mask = 0  # their bits of READ STATUS
        self._passes = 0  # since their age was looked at
        self._may_load = True  # something may fit that did not before
        self._held_ids = array("h", [0] * _BUFFERS)
        self._held_ms = array("i", [0] * _BUFFERS)  # since when

    def send(self, frame) -> bool:
        """Queue a copy of `frame`, in place of one with its id that waits. False: no slot."""
        frame_id = frame.id
        n = 0
        used = self._used
        ids = self._ids
        while n < used and ids[n] < frame_id:
            n += 1
        if n == used or ids[n] != frame_id:
            if used >= _SLOTS:
                self.dropped = _one_more(self.dropped)
                return False
            self._open_slot(n, frame_id)
        fill_tx(self._words[n], frame_id, frame.length)
        self._data[n][WHOLE] = frame.data
        if not self._waits[n]:
            self._waits[n] = 1
            self.waiting += 1
            self._may_load = True
        return True

    def _open_slot(self, n: int, frame_id: int) -> None:
        """Put a slot for `frame_id` in place `n`, moving those of higher ids."""
        tx = self._words
        data = self._data
        ids = self._ids
        waits = self._waits
        last = self._used
        words = tx[last]
        view = data[last]
        while last > n:
            tx[last] = tx[last - 1]
            data[last] = data[last - 1]
            ids[last] = ids[last - 1]
            waits[last] = waits[last - 1]
            last -= 1
        tx[n] = words
        data[n] = view
        ids[n] = frame_id
        waits[n] = 0
        self._used += 1

    def hand_over(self, now_ms: int) -> None:
        """Find what was sent, take back what is old, and load the lowest id that waits: one a pass."""
        if self.held:
            pending = self._chip.status()
            self._passes += 1
            if pending & self._mask != self._mask or self._passes >= _SCAN_PASSES:
                self._let_go(pending, now_ms)
        if self.waiting and self._may_load:
            self._load_one(now_ms)

    def _load_one(self, now_ms: int) -> None:
        for n in range(self._used):
            if self._waits[n] and not self._is_in_chip(self._ids[n]):
                if self._load(n, now_ms):
                    return
                break
        # No use to try again before a buffer is free or something new waits.
        self._may_load = False

    def _let_go(self, pending: int, now_ms: int) -> None:
        """Free what was sent; try to take back what is old."""
        self._passes = 0
        mask = 0
        for n in range(_BUFFERS):
            if not self._is_held[n]:
                continue
            if not pending & TX_PENDING[n]:
                self._is_held[n] = 0
                self.held -= 1
                self._may_load = True
                continue
            mask |= TX_PENDING[n]
            if ticks_diff(now_ms, self._held_ms[n]) >= _OLD_MS:
                # Again in every pass: one that is on the bus cannot be taken back (DS 3.6), and where nobody
                # acknowledges it is there nearly all the time.
                self._passes = _SCAN_PASSES
                self._chip.abort(n)
                if self._is_held[n] == 1:
                    self._is_held[n] = 2
                    self.dropped = _one_more(self.dropped)
        self._mask = mask

    def _is_in_chip(self, frame_id: int) -> bool:
        """Tell whether an older frame of this id is not sent yet: it must not be overtaken."""
        if self.held:
            for n in range(_BUFFERS):
                if self._is_held[n] and self._held_ids[n] == frame_id:
                    return True
        return False

    def _load(self, slot: int, now_ms: int) -> bool:
        """Load a slot into a free buffer. The last free one is kept for an id below all that are loaded."""
        free = _BUFFERS
        is_lowest = True
        frame_id = self._ids[slot]
        for n in range(_BUFFERS):
            if not self._is_held[n]:
                free = n
            elif self._held_ids[n] < frame_id:
                is_lowest = False
        if free == _BUFFERS or (self.held == _BUFFERS - 1 and not is_lowest):
            return False
        self._chip.send(free, self._words[slot])
        self._waits[slot] = 0
        self.waiting -= 1
        self._is_held[free] = 1
        self._mask |= TX_PENDING[free]
        self.held += 1
        self._held_ids[free] = frame_id
        self._held_ms[free] = now_ms
        return True

    def forget(self) -> None:
        """Nothing waits to be sent any more, here or in the controller."""
        for n in range(_SLOTS):
            self._waits[n] = 0
        for n in range(_BUFFERS):
            self._is_held[n] = 0
        self.waiting = 0
        self.held = 0
        self._mask = 0


def _one_more(count: int) -> int:
    return count + 1 if count < _COUNT_MAX else count
