"""Frames of the car's CAN messages, made bit by bit from their description: independent of the firmware's code.

A message's signals are raw numbers here, as a frame carries them. All messages of the car are little-endian.
"""

from functools import cache

from inletctl.can.source import Message, load

# SAE J1850 CRC-8, as AUTOSAR E2E profile 1 uses it: start and final XOR 0.
_POLYNOMIAL = 0x1D
COUNTERS = 15  # 0..14


@cache
def messages(dialect: str, has_modem: bool) -> dict[int, Message]:
    """Return every message on a bus of this dialect ("none": no car), by its id."""
    names = ([dialect] if dialect != "none" else []) + (["modem"] if has_modem else [])
    return {message.id: message for name in names for message in load(name).messages}


def encode(message: Message, raw: dict[str, int], counter: int = 0) -> bytes:
    """Return the data of a frame; signals that `raw` does not name are 0. Nothing is checked: wrong ones can be made."""
    word = 0
    for signal in message.signals:
        value = counter if signal.name == "counter" else raw.get(signal.name, 0)
        word |= (value & (1 << signal.bits) - 1) << signal.start
    data = word.to_bytes(8, "little")[: message.length]
    if message.is_protected:
        data = bytes([checksum(message.id, data)]) + data[1:]
    return data


def decode(message: Message, data: bytes) -> dict[str, int]:
    """Return the raw signals of a frame."""
    word = int.from_bytes(data, "little")
    raw = {}
    for signal in message.signals:
        value = word >> signal.start & (1 << signal.bits) - 1
        if signal.is_signed and value >> signal.bits - 1:
            value -= 1 << signal.bits
        raw[signal.name] = value
    return raw


def checksum(data_id: int, data: bytes) -> int:
    """Return the checksum of a protected frame: over its 16-bit data id, low byte first, and all bytes but the first."""
    crc = 0
    for byte in (data_id & 0xFF, data_id >> 8, *data[1:]):
        crc ^= byte
        for _bit in range(8):
            crc = (crc << 1 ^ _POLYNOMIAL if crc & 0x80 else crc << 1) & 0xFF
    return crc


def beyond(message: Message) -> str:
    """Return the name of a signal that can be sent outside its range; "" where there is none."""
    for signal in message.signals:
        if not signal.is_e2e and not signal.is_signed and signal.raw_max < (1 << signal.bits) - 1:
            return signal.name
    return ""
