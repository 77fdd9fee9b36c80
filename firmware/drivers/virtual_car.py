"""CAN controller and discrete lines of the virtual board: the contracts of the real ones, over arrays of ints.

The arrays are what drivers/virtual_layout.py describes: `rx` is filled by the host before each pass, `tx` taken by it
after each. Both targets of a simulation use these very classes. Nothing allocates after construction.
"""

from micropython import const

from drivers.virtual_layout import CAR_IN, CAR_OUT, FRAME_INTS, FRAMES, IDS

CAN_MISSING = const(0)
CAN_STARTING = const(1)
CAN_ACTIVE = const(2)
CAN_WARNING = const(3)
CAN_PASSIVE = const(4)
CAN_OFF = const(5)  # bus-off, waiting
CAN_ASLEEP = const(6)
CAN_STATE_NAMES = ("missing", "starting", "active", "warning", "passive", "off", "asleep")

_COUNT_MAX = const(60000)


def has_lines(stored) -> bool:
    """Tell whether a virtual board with these settings stored has discrete lines: where anything on them is fitted."""
    if not isinstance(stored, dict):
        return False
    for key in ("lines_used", "heater", "door"):
        if stored.get(key):
            return True
    return False


class VirtualCan:
    """
    See the module. `rx` and `tx` are arrays of ints in which this part begins at `rx_at` and `tx_at`.

    state       one of the CAN_ constants
    lost, dropped, tx_errors, rx_errors, offs   counters 0..60000, where they stay
    has_woken   something moved on the bus while asleep; until the next sleep()
    """

    def __init__(self, rx, rx_at: int, tx, tx_at: int):
        self._rx = rx
        self._at = rx_at
        self._heard_at = rx_at + len(CAR_IN)
        self._tx = tx
        self._tx_asleep = tx_at
        self._tx_count = tx_at + CAR_OUT.index("frames")
        self._tx_ids = tx_at + len(CAR_OUT)
        self._sent_at = self._tx_ids + IDS
        self._next = 0  # of the frames heard
        self._own_dropped = 0
        self.state = CAN_STARTING
        self.lost = 0
        self.dropped = 0
        self.tx_errors = 0
        self.rx_errors = 0
        self.offs = 0
        self.has_woken = False

    def listen(self, ids) -> None:
        """Hear frames with these ids only, at most 6 of 0..2047. Once, at start. ValueError for more."""
        if len(ids) > IDS:
            raise ValueError("a CAN controller listens to %d ids, not to %d" % (IDS, len(ids)))
        for n in range(IDS):
            self._tx[self._tx_ids + n] = ids[n] + 1 if n < len(ids) else 0

    def tick(self, now_ms: int) -> None:
        """Take over what the host measured. Once a pass."""
        rx = self._rx
        at = self._at
        self.state = rx[at]
        self.lost = rx[at + 1]
        dropped = rx[at + 2] + self._own_dropped
        self.dropped = dropped if dropped < _COUNT_MAX else _COUNT_MAX
        self.tx_errors = rx[at + 3]
        self.rx_errors = rx[at + 4]
        self.offs = rx[at + 5]
        self.has_woken = rx[at + 6] != 0
        self._next = 0

    def poll(self) -> None:
        """Nothing to fetch between passes: the host keeps what comes."""

    def receive(self, frame) -> bool:
        """Take the next frame heard into `frame`; False: none."""
        rx = self._rx
        if self._next >= rx[self._heard_at - 1]:
            return False
        at = self._heard_at + self._next * FRAME_INTS
        self._next += 1
        frame.id = rx[at] & 0x7FF
        frame.length = rx[at] >> 11
        data = frame.data
        low = rx[at + 1]
        middle = rx[at + 2]
        high = rx[at + 3]
        data[0] = low & 0xFF
        data[1] = low >> 8 & 0xFF
        data[2] = low >> 16
        data[3] = middle & 0xFF
        data[4] = middle >> 8 & 0xFF
        data[5] = middle >> 16
        data[6] = high & 0xFF
        data[7] = high >> 8
        return True

    def send(self, frame) -> bool:
        """Queue a copy; one of the same id that waits is replaced. False: no room (counted), or off the bus."""
        if self.state < CAN_ACTIVE or self.state > CAN_PASSIVE:
            return False
        tx = self._tx
        count = tx[self._tx_count]
        at = self._sent_at
        for _ in range(count):
            if tx[at] & 0x7FF == frame.id:
                break
            at += FRAME_INTS
        else:
            if count >= FRAMES:
                if self._own_dropped < _COUNT_MAX:
                    self._own_dropped += 1
                return False
            tx[self._tx_count] = count + 1
        data = frame.data
        tx[at] = frame.id | frame.length << 11
        tx[at + 1] = data[0] | data[1] << 8 | data[2] << 16
        tx[at + 2] = data[3] | data[4] << 8 | data[5] << 16
        tx[at + 3] = data[6] | data[7] << 8
        return True

    def sleep(self) -> None:
        """Send nothing any more, and watch for anything that moves."""
        self._tx[self._tx_asleep] = 1

    def wake(self) -> None:
        """Take part again."""
        self._tx[self._tx_asleep] = 0


class VirtualLines:
    """
    See the module.

    ok        the inputs were read
    inputs    mask; bit 0 permit, 1 HVIL closed, 2 insulation ok, 3 no crash, 4 door closed, 5 door open, 6 parked
    outputs   mask to be shown, written by its user; bit 0 charge enable, 1 plug present, 2 drive inhibit, 3 heater,
              4 open door, 5 close door
    """

    def __init__(self, rx, rx_at: int):
        self._rx = rx
        self._at = rx_at + CAR_IN.index("lines_ok")
        self.ok = False
        self.inputs = 0
        self.outputs = 0

    def tick(self, now_ms: int) -> None:
        """Take over what the host measured. Once a pass."""
        self.ok = self._rx[self._at] != 0
        self.inputs = self._rx[self._at + 1]
