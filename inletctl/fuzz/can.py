"""Readers of the vehicle's bus: every dialect, and the communication controller beside it."""

from collections.abc import Callable
from typing import Any

from inletctl.can import source
from inletctl.can.codec import pack
from inletctl.fuzz.harness import Harness, Refusal, break_rule, small
from inletctl.house import use_firmware

use_firmware()

from settings import CAN_DIALECTS, Settings  # noqa: E402
from signals import Commands, Readings  # noqa: E402
from ticks import ticks_add  # noqa: E402
from vehicle.bus import CarBus  # noqa: E402
from vehicle.bus_parts import USED  # noqa: E402
from vehicle.modem import ModemLink  # noqa: E402

_PASS_MS = 10
_START_MS = (1 << 30) - 200
_ACTIVE = 2
# An operation of the input: which message in the low three bits, then what is done to it.
_BOX = 7
_OWN_LENGTH = 8  # the next byte says how long the frame is; else as the message is
_SEALED = 16  # with the counter that is next and the checksum that belongs to it
_PASSES = 32  # no frame: so many passes as the next byte says
_STRANGER = 64  # an identifier that nobody listens to
# Of one input, all together: what is waited for is a message that grows old, 500 ms.
_PASSES_MAX = 200
# Of signals.Readings, what the bus writes: (name, least, most).
_NUMBERS = (
    ("vehicle_age_ms", 0, 60000), ("vehicle_limit_ma", 0, 1 << 20), ("charger_ma", 0, 1 << 20), ("dc_mv", 0, 1 << 25),
    ("modem_age_ms", 0, 60000), ("modem_toggles", 0, 3), ("holds", 0, (1 << 30) - 1),
)  # fmt: skip
_FLAGS = (
    "vehicle_permits", "car_unlock", "car_stop", "car_ac_live", "charger_ok", "dc_ok", "contactors_ok", "contactors_open",
    "modem_wants_c", "modem_permits_unlock",
)  # fmt: skip


def crc8(data: bytes) -> int:
    """Return CRC-8 of SAE J1850's polynomial, start 0, bit by bit: not the firmware's table."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ 0x1D if crc & 0x80 else crc << 1) & 0xFF
    return crc


def sealed(frame_id: int, data: bytes, counter: int) -> bytes:
    """Return the frame with this counter and its checksum."""
    made = bytearray(data)
    made[1] = made[1] & 0xF0 | counter
    made[0] = crc8(bytes((frame_id & 0xFF, frame_id >> 8)) + bytes(made[1:]))
    return bytes(made)


class _Can:
    """A controller that hands out what it is given."""

    def __init__(self) -> None:
        self.state = _ACTIVE
        self.lost = self.dropped = self.tx_errors = self.rx_errors = self.offs = 0
        self.heard: "list[tuple[int, bytes]]" = []

    def listen(self, ids: "tuple[int, ...]") -> None:
        if not 0 < len(ids) <= 6:
            break_rule("filters", "%d identifiers" % len(ids))

    def receive(self, frame: Any) -> bool:
        if not self.heard:
            return False
        frame.id, data = self.heard.pop(0)
        frame.length = len(data)
        for n in range(8):
            # What a frame before left behind it must not matter.
            frame.data[n] = data[n] if n < len(data) else 0xA5
        return True

    def send(self, frame: Any) -> bool:
        if not 0 <= frame.length <= 8 or not 0 <= frame.id < 0x800:
            break_rule("sent", "a frame %x with %d bytes" % (frame.id, frame.length))
        return True


def _watch(box: Any) -> None:
    """Let the box be asked as before, and look at what an answer has changed."""
    hear = box.hear

    def watched(now_ms: int, frame: Any) -> int:
        before = (dict(vars(box._values)), box._is_heard, box._heard_ms)
        outcome = hear(now_ms, frame)
        if outcome != USED:
            if (dict(vars(box._values)), box._is_heard, box._heard_ms) != before:
                break_rule(
                    "changed", "frame %x was refused, and has changed what is known" % frame.id
                )
            return outcome
        data = bytes(frame.data[: frame.length])
        if box._e2e is not None:
            right = crc8(bytes((box.id & 0xFF, box.id >> 8)) + data[1:])
            if frame.length != box._length or data[0] != right or data[1] & 15 > 14:
                break_rule(
                    "believed", "frame %x is not as its checksum says: %s" % (frame.id, data.hex())
                )
        if frame.length < box._length:
            break_rule("believed", "frame %x is used with %d bytes" % (frame.id, frame.length))
        small(vars(box._values).values(), "frame %x" % frame.id)
        return outcome

    box.hear = watched


def bus(dialect: str, spoil: "Callable[[Any], None] | None" = None) -> Harness:
    """
    A dialect, and a communication controller beside it ("modem": the controller alone). Operations: see _BOX and so on.

    A frame that is refused changes nothing that is known; one with a counter is used only with its checksum; readings stay
    within their bounds, and without a permission there is no limit. `spoil` breaks the bus, to show that it is seen.
    """
    is_alone = dialect == "modem"
    settings = Settings(
        {
            "inlet": 4,
            "max_current_ma": 32000,
            "modem": 1,
            "dc_max_a": 200,
            "can": 0 if is_alone else CAN_DIALECTS.index(dialect),
        }
    )

    def run(data: bytes) -> None:
        can = _Can()
        modem = ModemLink(settings, can)
        car = None if is_alone else CarBus(settings, can, modem)
        boxes = [modem.box] if car is None else [*car._boxes, modem.box]
        if spoil is not None:
            spoil(boxes[0])
        for box in boxes:
            _watch(box)
        _drive(data, can, car, modem, boxes)

    return Harness(
        "can-" + dialect,
        run,
        _seeds(dialect),
        (b"\x20\x01", b"\x20\xff", b"\x10", b"\x11", b"\x08\x00"),
        256,
    )


def _drive(data: bytes, can: _Can, car: Any, modem: Any, boxes: "list[Any]") -> None:
    r, c = Readings(), Commands()
    now_ms = _START_MS
    counters = dict.fromkeys(range(len(boxes)), 0)
    reader = iter(data)
    left = _PASSES_MAX
    for op in reader:
        passes = 1
        if op & _PASSES:
            passes = min(next(reader, 0) % 80, left)
            left -= passes
        else:
            n = op & _BOX
            box = boxes[n % len(boxes)]
            length = next(reader, 0) % 9 if op & _OWN_LENGTH else box._length
            said = bytes(next(reader, 0) for _ in range(length))
            if op & _SEALED and length >= 2:
                counters[n % len(boxes)] = (counters[n % len(boxes)] + 1) % 15
                said = sealed(box.id, said, counters[n % len(boxes)])
            can.heard.append((0x7F0 + n if op & _STRANGER else box.id, said))
        for _ in range(passes):
            now_ms = ticks_add(now_ms, _PASS_MS)
            r.holds = 0
            if car is not None:
                car.fill(now_ms, r)
            modem.fill(now_ms, r)
            _judge(r)
            c.s2_close, c.plug_present = r.vehicle_permits, bool(op & 1)
            if car is not None:
                car.tick(now_ms, r, c)
            modem.tick(now_ms, r, c)
    refusals = modem.refusals if car is None else car.refusals
    small((refusals.refused, refusals.unknown), "the refusals")
    if refusals.refused or refusals.unknown:
        raise Refusal("%d frames refused, %d unknown" % (refusals.refused, refusals.unknown))


def _judge(r: Any) -> None:
    for name, least, most in _NUMBERS:
        if not least <= getattr(r, name) <= most:
            break_rule("out-of-bounds", "%s is %d" % (name, getattr(r, name)))
    for name in _FLAGS:
        if getattr(r, name) not in (False, True):
            break_rule("out-of-bounds", "%s is %r" % (name, getattr(r, name)))
    if not r.vehicle_permits and r.vehicle_limit_ma:
        break_rule("permits", "a limit of %d mA without a permission" % r.vehicle_limit_ma)
    if not r.charger_ok and r.charger_ma:
        break_rule("permits", "a current that is not known is %d mA" % r.charger_ma)


def _seeds(dialect: str) -> "list[bytes]":
    """Return sessions of good frames: each message twice, with its least and its greatest values."""
    heard = [
        *(() if dialect == "modem" else source.load(dialect).received),
        *source.load("modem").received,
    ]
    whole = bytearray()
    seeds = []
    for n, message in enumerate(heard):
        pages = list(message.pages) if message.mux else [None]
        for page in pages[:1]:
            for edge in ("minimum", "maximum"):
                values = {s.name: getattr(s, edge) for s in message.on(page) if not s.is_e2e}
                if message.mux is not None and page is not None:
                    values[message.mux.name] = page
                frame = bytes((n | (_SEALED if message.is_protected else 0),)) + bytes(
                    pack(message, values)
                )
                whole += frame * 2 + bytes((_PASSES, 3))
                seeds.append(frame * 3 + bytes((_PASSES, 70)))
    seeds.append(bytes(whole))
    return seeds
