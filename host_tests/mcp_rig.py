"""A CAN port on a modelled MCP2515 on a simulated bus, and the lines on a modelled MCP23S17: what the tests drive."""

from types import SimpleNamespace

from drivers.can_port import CanPort
from drivers.mcp23s17 import MCP23S17
from drivers.mcp2515 import MCP2515
from inletctl.emu.can_bus import CanBus, Frame, Talker
from inletctl.emu.mcp23s17 import Mcp23s17
from inletctl.emu.mcp2515 import Mcp2515
from inletctl.emu.spi import FakeSpi

MS_NS = 1_000_000
PASS_MS = 10
TICKS = 1 << 30


def new_frame(frame_id=0, data=b""):
    """Return a frame of the CAN contract."""
    room = bytearray(8)
    room[: len(data)] = data
    return SimpleNamespace(id=frame_id, length=len(data), data=room)


class CanRig:
    """Port, chip, bus and one other node. `start_ms`: the board's tick at bus time 0."""

    def __init__(self, ids=(0x100,), rate_kbps=500, crystal_hz=16_000_000, start_ms=0):
        self.bus = CanBus(rate_kbps)
        self.chip = Mcp2515(self.bus, crystal_hz)
        self.other = Talker(rate_kbps)
        self.bus.attach(self.other)
        self.now_ns = 0
        self.start_ms = start_ms
        self.spi = FakeSpi(lambda: self.now_ns)
        self.driver = MCP2515(self.spi, self.spi.cs(self.chip), crystal_hz, rate_kbps)
        self.port = CanPort(self.driver)
        self.port.listen(ids)
        self.frame = new_frame()
        self.states = []  # every state that a tick ended in

    @property
    def now_ms(self):
        return (self.now_ns // MS_NS + self.start_ms) % TICKS

    def tick(self, passes=1):
        for _ in range(passes):
            self.now_ns += PASS_MS * MS_NS
            self.port.tick(self.now_ms)
            self.states.append(self.port.state)
        return self

    def run_ms(self, length_ms):
        return self.tick(length_ms // PASS_MS)

    def until(self, state, most_ms=20_000):
        """Tick until the port is in `state`; return how long that took."""
        began_ns = self.now_ns
        while self.port.state != state:
            assert self.now_ns - began_ns < most_ms * MS_NS, self.port.state
            self.tick()
        return (self.now_ns - began_ns) // MS_NS

    def received(self):
        """Return what waits, as (id, data)."""
        found = []
        while self.port.receive(self.frame):
            found.append((self.frame.id, bytes(self.frame.data[: self.frame.length])))
        return found

    def send(self, frame_id, data=b""):
        return self.port.send(new_frame(frame_id, data))

    def heard(self):
        """Return what the other node has heard, as (id, data)."""
        self.bus.advance(self.now_ns)
        return [(frame.id, frame.data) for _t_ns, frame in self.other.heard_frames]

    def post(self, *frames):
        for frame_id, data in frames:
            self.other.post(Frame(frame_id, data))


class LinesRig:
    """The lines' driver on a modelled expander."""

    def __init__(self):
        self.now_ns = 0
        self.chip = Mcp23s17()
        self.spi = FakeSpi(lambda: self.now_ns)
        self.lines = MCP23S17(self.spi, self.spi.cs(self.chip))

    def tick(self, passes=1):
        for _ in range(passes):
            self.now_ns += PASS_MS * MS_NS
            self.lines.tick(self.now_ns // MS_NS)
        return self

    @property
    def shown(self):
        return self.chip.outputs(self.now_ns)
