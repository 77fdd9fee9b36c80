"""Frames to values and back on the host, from the same source as the firmware's codecs: for the plant and the bench."""

from collections.abc import Mapping

from inletctl.can.source import Message, Signal
from inletctl.errors import UserError
from inletctl.house import use_firmware

use_firmware()

from vehicle.e2e import E2ESender, checksum  # noqa: E402


def _raw_of(message: Message, s: Signal, value: int) -> int:
    if not s.minimum <= value <= s.maximum:
        raise UserError(
            "%s.%s: %d is outside %d..%d." % (message.name, s.name, value, s.minimum, s.maximum)
        )
    return (value - s.offset + (s.scale - 1 if s.rounds_up else 0)) // s.scale


def pack(message: Message, values: Mapping[str, int]) -> bytearray:
    """Return the frame that carries these values; what is not among them is 0, or the lowest where 0 is out of range.

    Counter and checksum stay 0 (see Protected). UserError for a value out of its range or a name that is none.
    """
    names = {s.name for s in message.signals}
    for name in values:
        if name not in names:
            raise UserError("%s has no signal %s." % (message.name, name))
    data = bytearray(message.length)
    page = values.get(message.mux.name, 0) if message.mux else None
    for s in message.on(page):
        if s.is_e2e:
            continue
        raw = _raw_of(message, s, values.get(s.name, min(max(0, s.minimum), s.maximum)))
        for byte, shift, many, done in s.places():
            data[byte] |= (raw >> done & (1 << many) - 1) << shift
    return data


def unpack(message: Message, data: bytes) -> "dict[str, int] | None":
    """Return the values of a frame; None where it is too short, of an unknown page, or a signal is out of its range."""
    if len(data) < message.length:
        return None
    page = None
    if message.mux is not None:
        page = _read(message.mux, data)
        if page not in message.pages:
            return None
    values = {}
    for s in message.on(page):
        raw = _read(s, data)
        if not s.raw_min <= raw <= s.raw_max:
            return None
        values[s.name] = raw * s.scale + s.offset
    return values


def _read(s: Signal, data: bytes) -> int:
    raw = 0
    for byte, shift, many, done in s.places():
        raw |= (data[byte] >> shift & (1 << many) - 1) << done
    return raw - (1 << s.bits) if s.is_signed and raw >> (s.bits - 1) else raw


def is_checksum_right(message: Message, data: bytes) -> bool:
    """Return whether a protected frame's checksum is that of its bytes."""
    return len(data) == message.length and checksum(data, message.length, message.id) == data[0]


class Sender:
    """Makes the frames of one message, with counter and checksum where it is protected."""

    def __init__(self, message: Message):
        self.message = message
        self._e2e = E2ESender(message.id) if message.is_protected else None

    def frame(self, values: Mapping[str, int]) -> bytes:
        """Return the next frame with these values."""
        data = pack(self.message, values)
        if self._e2e is not None:
            self._e2e.protect(data, self.message.length)
        return bytes(data)
