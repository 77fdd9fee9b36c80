"""A CAN controller that is a list, readings, and frames made independently of the firmware, for the tests of the vehicle's bus."""

import random

from inletctl.can import source
from inletctl.can.codec import pack, unpack
from settings import Settings
from signals import Commands, Readings
from ticks import ticks_add

PASS_MS = 10
MISSING, STARTING, ACTIVE, WARNING, PASSIVE, OFF, ASLEEP = range(7)
# Near the wrap of the tick, so that every test crosses it.
START_MS = (1 << 30) - 60


def crc_by_bits(data):
    """CRC-8 of SAE J1850's polynomial, start 0, bit by bit: shares no line with the firmware's table."""
    crc = 0
    for byte in data:
        for n in range(7, -1, -1):
            top = crc >> 7 ^ byte >> n & 1
            crc = (crc << 1 & 0xFF) ^ (0x1D if top else 0)
    return crc


def protect(frame_id, data, counter):
    """Return the frame with this counter and the checksum that belongs to it."""
    data = bytearray(data)
    data[1] = data[1] & 0xF0 | counter
    data[0] = crc_by_bits(bytes([frame_id & 0xFF, frame_id >> 8]) + bytes(data[1:]))
    return data


class FakeCan:
    """The CAN contract: `heard` is what receive hands out, `sent` what send was given, (id, bytes, tick) each."""

    def __init__(self):
        self.state = ACTIVE
        self.lost = self.dropped = self.tx_errors = self.rx_errors = self.offs = 0
        self.has_room = True
        self.ids = None
        self.heard = []
        self.sent = []
        self.now_ms = START_MS

    def listen(self, ids):
        assert self.ids is None, "once, at start"
        assert len(ids) <= 6
        self.ids = ids

    def receive(self, frame):
        if not self.heard:
            return False
        frame.id, data = self.heard.pop(0)
        frame.length = len(data)
        for n in range(8):
            # What a frame before left behind it must not matter.
            frame.data[n] = data[n] if n < len(data) else 0xA5
        return True

    def send(self, frame):
        if not self.has_room:
            return False
        self.sent.append((frame.id, bytes(frame.data[: frame.length]), self.now_ms))
        return True


class Rig:
    """A bus or modem link with its controller; `beat` is a pass."""

    def __init__(self, make, **wanted):
        self.settings = Settings(wanted)
        assert self.settings.rejected == []
        self.can = FakeCan()
        self.r = Readings()
        self.c = Commands()
        self.made = make(self.settings, self.can)
        self.now_ms = START_MS
        self._counters = {}

    def beat(self, passes=1):
        for _ in range(passes):
            self.now_ms = ticks_add(self.now_ms, PASS_MS)
            self.can.now_ms = self.now_ms
            self.r.holds = 0
            self.made.fill(self.now_ms, self.r)
            self.made.tick(self.now_ms, self.r, self.c)

    def frame(self, dialect, name, skip=0, **values):
        """Return the next frame of a message; `skip` counters are left out before it."""
        message = source.load(dialect).message(name)
        data = pack(message, values)
        if message.is_protected:
            counter = (self._counters.get(message.id, -1) + 1 + skip) % 15
            self._counters[message.id] = counter
            data = protect(message.id, data, counter)
        return message.id, data

    def hear(self, dialect, name, skip=0, **values):
        """Let the bus hear one frame, in a pass of its own."""
        self.can.heard.append(self.frame(dialect, name, skip, **values))
        self.beat()

    def hear_twice(self, dialect, name, **values):
        """As `hear`, until a protected message is trusted."""
        self.hear(dialect, name, **values)
        self.hear(dialect, name, **values)

    def sent(self, frame_id):
        return [data for id_, data, _ in self.can.sent if id_ == frame_id]

    def unpacked(self, dialect, name):
        """Return the values of every frame sent of this message."""
        message = source.load(dialect).message(name)
        return [unpack(message, data) for data in self.sent(message.id)]


def random_raw(rng, s):
    """Return a number that a frame may carry for this signal: often an edge."""
    edges = (s.raw_min, s.raw_max, min(s.raw_min + 1, s.raw_max), max(s.raw_max - 1, s.raw_min))
    return rng.choice(edges) if rng.random() < 0.3 else rng.randint(s.raw_min, s.raw_max)


def seeded(seed):
    print("seed", seed)
    return random.Random(seed)
