"""The CAN bus of the car: arbitration, load by others, and the inlet's controller on it.

Exact to the frame, not to the bit: a frame takes as long as its bits with the usual stuffing, the lowest id that waits
goes next, what is on the wire is not interrupted. Other nodes' traffic is load: each of its frames is as long as ours,
and none of them is for anybody here.
"""

from random import Random
from typing import TYPE_CHECKING, Any, Protocol

from inletctl.house import use_firmware
from inletctl.plant.clock import Booking, cancel

use_firmware()

from drivers import virtual_car as can  # noqa: E402
from drivers.virtual_layout import CAR_IN, CAR_OUT, FRAME_INTS, FRAMES, IDS  # noqa: E402

if TYPE_CHECKING:
    from inletctl.plant.world import World

RATES_BPS = {"125k": 125_000, "250k": 250_000, "500k": 500_000, "1000k": 1_000_000}
# Standard frame with 8 bytes: 111 bits and, on average of real data, some 9 stuffed ones; 8 a byte fewer.
_BITS_EMPTY = 54
_COUNT_MAX = 60_000
# A sender that nobody acknowledges stays passive at this count; one whose bits are wrong goes off the bus at 256.
_ERRORS_PASSIVE = 128
# Off the bus it waits, twice as long each time, and then for 128 times 11 free bits.
# As firmware/drivers/can_port.py.
BACK_OFF_MS = 100
_BACK_OFF_MAX_MS = 6400
_FORGIVEN_US = 10_000_000
_OLD_US = 100_000
_START_MS = 10


class Listener(Protocol):
    """Who hears frames of the bus."""

    def hear(self, can_id: int, data: bytes) -> None:
        """A frame was sent."""


class Bus:
    """Frames of `offer` reach every other node once their turn has come. Verbs are in verbs.VERBS."""

    def __init__(self, world: "World", seed: int):
        self._world = world
        self._bits_us = 1e6 / RATES_BPS[world.config.can_rate]
        self._random = Random(f"bus {seed}")
        self._nodes: list[Any] = []
        # (id, order of the sender) -> (sender, data, since); the newest of one sender and id.
        self._waiting: dict[tuple[int, int], tuple[Any, bytes, int]] = {}
        self._is_busy = False
        self._load = 0.0  # share of the time that others use
        self._load_id = 0x7FF
        self._load_end: Booking | None = None
        self.state = "ok"  # ok, break (the inlet is cut off), short
        self._state_end: Booking | None = None
        self.sent = 0

    def join(self, node: Any) -> None:
        """Let `node` hear what others send."""
        self._nodes.append(node)

    def frame_us(self, length: int) -> float:
        """Return how long a frame of `length` bytes takes."""
        return (_BITS_EMPTY + 8.25 * length) * self._bits_us

    def offer(self, sender: Any, can_id: int, data: bytes) -> None:
        """Wait for the turn of this frame; one of the same sender and id that waits is replaced."""
        self._waiting[can_id, self._nodes.index(sender)] = (sender, data, self._world.clock.now_us)
        if not self._is_busy:
            self._start()

    def withdraw(self, sender: Any) -> None:
        """Forget what `sender` has waiting."""
        order = self._nodes.index(sender)
        for key in [key for key in self._waiting if key[1] == order]:
            del self._waiting[key]

    def _start(self) -> None:
        """Begin the next frame."""
        now_us = self._world.clock.now_us
        for key in [key for key, wait in self._waiting.items() if now_us - wait[2] > _OLD_US]:
            # What nobody let through for so long tells the past.
            self._waiting.pop(key)[0].gave_up()
        if not self._waiting:
            self._is_busy = False
            return
        self._is_busy = True
        key = min(self._waiting)
        load_us = self.frame_us(8)
        delay_us = 0.0
        if self._load:
            dice = self._random
            if self._load_id < key[0]:
                if self._load >= 1:
                    # Never its turn; ask again after the next frame of the others.
                    self._after_us(load_us, self._start)
                    return
                while dice.random() < self._load:
                    delay_us += load_us
            elif dice.random() < self._load:
                delay_us = dice.random() * load_us
        self._after_us(delay_us, self._begin)

    def _begin(self) -> None:
        if not self._waiting:
            self._is_busy = False
            return
        # Whoever came meanwhile takes part.
        key = min(self._waiting)
        sender, data, _since = self._waiting.pop(key)
        self._after_us(self.frame_us(len(data)), self._done, sender, key[0], data)

    def _done(self, sender: Any, can_id: int, data: bytes) -> None:
        if self.state == "short" or (self.state == "break" and sender is self._world.inlet_can):
            sender.not_sent()
        else:
            self.sent += 1
            sender.was_sent(can_id)
            for node in self._nodes:
                if node is sender or (self.state == "break" and node is self._world.inlet_can):
                    continue
                node.hear(can_id, data)
        self._start()

    def _after_us(self, us: float, callback, *args) -> None:
        self._world.clock.at(self._world.clock.now_us + max(1, round(us)), callback, *args)

    # Verbs ------------------------------------------------------------------

    def fault(self, state: str, hold: float) -> None:
        """The wires of the bus: ok, break (the inlet is cut off) or short."""
        self.state = state
        cancel(self._state_end)
        self._world.event(f"CAN bus: {state}")
        if hold:
            self._state_end = self._world.clock.after_ms(hold, self.fault, "ok", 0)

    def set_load(self, pct: float, priority: str, hold: float) -> None:
        """Let others use so much of the bus."""
        self._load = pct / 100
        self._load_id = 0x001 if priority == "high" else 0x7FE
        cancel(self._load_end)
        if hold:
            self._load_end = self._world.clock.after_ms(hold, self.set_load, 0, "low", 0)


class InletCan:
    """The inlet's controller: filter, queue, error counters, bus-off with back-off, sleep."""

    def __init__(self, world: "World"):
        self._world = world
        self.state = can.CAN_STARTING
        self.lost = 0
        self.dropped = 0
        self.tx_errors = 0
        self.rx_errors = 0
        self.offs = 0
        self.has_woken = False
        self.hardware = "ok"
        self._ids: tuple[int, ...] = ()
        self._heard: list[tuple[int, bytes]] = []
        self._is_asleep = False
        self._back_off_ms = BACK_OFF_MS
        self._on_us = 0  # on the bus since
        self._booking: Booking | None = None
        self._hardware_end: Booking | None = None
        world.bus.join(self)
        self.boot()

    def boot(self) -> None:
        """The board restarts: the controller is set up anew."""
        cancel(self._booking)
        self._world.bus.withdraw(self)
        self._ids = ()
        self._heard = []
        self._is_asleep = self.has_woken = False
        self.lost = self.dropped = self.tx_errors = self.rx_errors = self.offs = 0
        self._back_off_ms = BACK_OFF_MS
        self._begin()

    def _begin(self) -> None:
        if self.hardware == "missing":
            self.state = can.CAN_MISSING
            return
        self.state = can.CAN_STARTING
        self._booking = self._world.clock.after_ms(_START_MS, self._take_part)

    def _take_part(self) -> None:
        self._booking = None
        self._on_us = self._world.clock.now_us
        self.tx_errors = 0
        self.state = can.CAN_ASLEEP if self._is_asleep else can.CAN_ACTIVE

    @property
    def _is_on(self) -> bool:
        return can.CAN_ACTIVE <= self.state <= can.CAN_PASSIVE

    # Bus --------------------------------------------------------------------

    def hear(self, can_id: int, data: bytes) -> None:
        """A frame of another node."""
        if self._is_asleep:
            self.has_woken = True
            return
        if not self._is_on or can_id not in self._ids:
            return
        if len(self._heard) >= FRAMES:
            del self._heard[0]
            self.lost = min(self.lost + 1, _COUNT_MAX)
        self._heard.append((can_id, data))

    def was_sent(self, _can_id: int) -> None:
        """A frame of the inlet was acknowledged."""
        self.tx_errors = max(0, self.tx_errors - 1)
        if self._is_on:
            if self._world.clock.now_us - self._on_us >= _FORGIVEN_US:
                self._back_off_ms = BACK_OFF_MS
            self.state = can.CAN_PASSIVE if self.tx_errors >= _ERRORS_PASSIVE else can.CAN_ACTIVE

    def gave_up(self) -> None:
        """A frame of the inlet waited for too long."""
        self.dropped = min(self.dropped + 1, _COUNT_MAX)

    def not_sent(self) -> None:
        """A frame of the inlet met errors."""
        if not self._is_on:
            return
        if self._world.bus.state == "short":
            self.tx_errors = 255
            self.state = can.CAN_OFF
            self.offs = min(self.offs + 1, _COUNT_MAX)
            self._world.bus.withdraw(self)
            self._world.event("inlet's CAN controller is off the bus")
            self._booking = self._world.clock.after_ms(self._back_off_ms, self._begin)
            self._back_off_ms = min(2 * self._back_off_ms, _BACK_OFF_MAX_MS)
        else:
            # Nobody acknowledges: passive, and never off (ISO 11898-1).
            self.tx_errors = _ERRORS_PASSIVE
            self.state = can.CAN_PASSIVE

    # Board ------------------------------------------------------------------

    def take(self, out: Any, at: int) -> list[tuple[int, bytes]]:
        """Obey what the board wrote (layout CAR_OUT, at `at`); return the frames it sends in this pass."""
        ids = at + len(CAR_OUT)
        self._ids = tuple(out[ids + n] - 1 for n in range(IDS) if out[ids + n])
        self._sleep(out[at] != 0)
        frames = []
        where = ids + IDS
        for _n in range(out[at + CAR_OUT.index("frames")]):
            frames.append(unpack(out, where))
            where += FRAME_INTS
        if self._is_on:
            for can_id, data in frames:
                self._world.bus.offer(self, can_id, data)
        elif frames:
            self.dropped = min(self.dropped + len(frames), _COUNT_MAX)
        return frames

    def _sleep(self, is_asleep: bool) -> None:
        if is_asleep == self._is_asleep:
            return
        self._is_asleep = is_asleep
        if is_asleep:
            self.has_woken = False
        self._world.event("inlet's CAN controller %s" % ("sleeps" if is_asleep else "wakes"))
        if is_asleep:
            self._world.bus.withdraw(self)
            self._heard = []
        if self._is_on or self.state == can.CAN_ASLEEP:
            self.state = can.CAN_ASLEEP if is_asleep else can.CAN_ACTIVE

    def tell(self, rx: Any, at: int) -> None:
        """Fill what the board reads in this pass (layout CAR_IN, at `at`)."""
        rx[at] = self.state
        rx[at + 1] = self.lost
        rx[at + 2] = self.dropped
        rx[at + 3] = self.tx_errors
        rx[at + 4] = self.rx_errors
        rx[at + 5] = self.offs
        rx[at + 6] = int(self.has_woken)
        frames = self._heard
        rx[at + CAR_IN.index("frames")] = len(frames)
        if frames:
            where = at + len(CAR_IN)
            for can_id, data in frames:
                pack(can_id, data, rx, where)
                where += FRAME_INTS
            self._heard = []

    # Verbs ------------------------------------------------------------------

    def controller(self, state: str, hold: float) -> None:
        """The controller is there (ok) or not (missing)."""
        cancel(self._hardware_end)
        cancel(self._booking)
        self.hardware = state
        self._world.event(f"inlet's CAN controller: {state}")
        if state == "missing":
            self._world.bus.withdraw(self)
            self._heard = []
            self.state = can.CAN_MISSING
        else:
            self._begin()
        if hold:
            self._hardware_end = self._world.clock.after_ms(hold, self.controller, "ok", 0)


def pack(can_id: int, data: bytes, out: Any, at: int) -> None:
    """Write a frame into four ints at `at`."""
    whole = data + bytes(8 - len(data))
    out[at] = can_id | len(data) << 11
    out[at + 1] = whole[0] | whole[1] << 8 | whole[2] << 16
    out[at + 2] = whole[3] | whole[4] << 8 | whole[5] << 16
    out[at + 3] = whole[6] | whole[7] << 8


def unpack(values: Any, at: int) -> tuple[int, bytes]:
    """Return the frame in the four ints at `at`: (id, data)."""
    whole = b"".join(
        int(values[at + n]).to_bytes(size, "little") for n, size in ((1, 3), (2, 3), (3, 2))
    )
    return values[at] & 0x7FF, whole[: values[at] >> 11]
