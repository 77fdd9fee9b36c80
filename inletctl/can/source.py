"""The messages of every dialect, read from inletctl/can/dialects/*.toml and checked: the one source.

The firmware's codecs, the DBC files, docs/can.md and the tests are made from what `load` returns. Physical values are the
firmware's own whole numbers with their unit in the name (mA, mV, 0.1 degree C); a frame carries them divided by `scale`.
"""

import importlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from math import gcd
from pathlib import Path
from typing import Any

from inletctl.errors import UserError
from inletctl.house import use_firmware

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # type: ignore[import-not-found]

FOLDER = Path(__file__).resolve().parent / "dialects"
DIALECTS = ("native", "cpc", "i3lim", "modem")
INLET = "inlet"
SENDERS = (INLET, "vehicle", "modem")
# An MCP2515 filters this many identifiers in hardware.
IDS_MAX = 6
# A signal is read into a small int of a 32-bit MicroPython: 31 bits, signed.
_BITS_MAX = 30
# Byte 0 and the low half of byte 1 of a protected message (firmware/vehicle/e2e.py).
_CRC = {"name": "crc", "start": 0, "bits": 8, "comment": "checksum: firmware/vehicle/e2e.py"}
_COUNTER = {"name": "counter", "start": 8, "bits": 4, "max": 14, "comment": "0..14, then 0"}
_E2E_NAMES = ("crc", "counter")
_PASS_MS = 10


@dataclass(frozen=True)
class Signal:
    """One value in a frame. `start` as in a DBC file: the lowest bit, big-endian the highest."""

    name: str
    start: int
    bits: int
    scale: int
    offset: int
    minimum: int
    maximum: int
    is_signed: bool
    is_big_endian: bool
    unit: str
    comment: str
    words: tuple[str, ...]  # of an enumeration, by value
    bit_names: tuple[str, ...]  # of a mask, by bit
    words_from: str  # where the firmware keeps them
    page: int | None  # of a multiplexed message
    is_mux: bool
    rounds_up: bool
    makes_consts: bool

    @property
    def is_e2e(self) -> bool:
        """Whether the protection writes it, not the codec."""
        return self.name in _E2E_NAMES

    @property
    def raw_min(self) -> int:
        """The lowest number that a frame may carry."""
        return (self.minimum - self.offset) // self.scale

    @property
    def raw_max(self) -> int:
        """The highest number that a frame may carry."""
        return (self.maximum - self.offset) // self.scale

    def places(self) -> Iterator[tuple[int, int, int, int]]:
        """Yield (byte, shift in the byte, bits, shift in the value) of each piece, lowest byte of the value first."""
        left, done = self.bits, 0
        if self.is_big_endian:
            # From the highest bit downwards: the lowest bit sits `bits - 1` further on in that order.
            at = 8 * (self.start // 8) + 7 - self.start % 8 + self.bits - 1
            byte, shift = at // 8, 7 - at % 8
        else:
            byte, shift = self.start // 8, self.start % 8
        while left:
            many = min(8 - shift, left)
            yield byte, shift, many, done
            byte += -1 if self.is_big_endian else 1
            shift = 0
            left -= many
            done += many


@dataclass(frozen=True)
class Message:
    """One frame by its identifier, 11 bits."""

    id: int
    name: str
    length: int
    cycle_ms: int
    phase_ms: int  # in the cycle, where the inlet sends it
    sender: str
    is_protected: bool
    is_at_once: bool
    is_apart: bool  # its codec is a file of its own
    comment: str
    signals: tuple[Signal, ...]

    @property
    def mux(self) -> Signal | None:
        """The signal that says which page a frame is."""
        return next((signal for signal in self.signals if signal.is_mux), None)

    @property
    def pages(self) -> tuple[int, ...]:
        """The pages there are."""
        return tuple(sorted({s.page for s in self.signals if s.page is not None}))

    def on(self, page: int | None) -> tuple[Signal, ...]:
        """Return the signals of a frame of this page, those of every page included."""
        return tuple(s for s in self.signals if s.page is None or s.page == page)


@dataclass(frozen=True)
class Map:
    """A firmware table's names in the words of a message's enumeration."""

    name: str
    source: str
    to: str
    values: tuple[int, ...]


@dataclass(frozen=True)
class Dialect:
    """One set of messages."""

    name: str
    title: str
    note: str
    messages: tuple[Message, ...]
    maps: tuple[Map, ...]

    def message(self, name: str) -> Message:
        """Return the message of this name."""
        return next(m for m in self.messages if m.name == name)

    @property
    def received(self) -> tuple[Message, ...]:
        """What the inlet listens to."""
        return tuple(m for m in self.messages if m.sender != INLET)

    @property
    def sent(self) -> tuple[Message, ...]:
        """What the inlet sends."""
        return tuple(m for m in self.messages if m.sender == INLET)


def names_in(dotted: str) -> tuple[str, ...]:
    """Return a firmware table's names: "interlock.SESSION_NAMES", or "faults.HOLDS", whose rows begin with one."""
    use_firmware()
    module, _, name = dotted.rpartition(".")
    try:
        table = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError):
        raise UserError(
            "inletctl/can/dialects: the firmware has no table %s." % dotted, 1
        ) from None
    return tuple(row if isinstance(row, str) else row[0] for row in table)


def _signal(raw: dict[str, Any], where: str) -> Signal:
    bits = int(raw["bits"])
    if not 1 <= bits <= _BITS_MAX:
        raise UserError("%s: %d bits; a signal has 1..%d." % (where, bits, _BITS_MAX), 1)
    words: tuple[str, ...] = tuple(raw.get("values", ()))
    words_from = raw.get("values_from", "")
    if words_from:
        words = names_in(words_from)
    bit_names: tuple[str, ...] = ()
    if "bits_from" in raw:
        words_from = raw["bits_from"]
        bit_names = tuple(raw.get("prefix", "") + name for name in names_in(words_from))
    is_signed = bool(raw.get("signed", False))
    scale, offset = int(raw.get("scale", 1)), int(raw.get("offset", 0))
    default_max = (1 << (bits - is_signed)) - 1
    if words:
        default_max = len(words) - 1
    elif bit_names:
        default_max = (1 << len(bit_names)) - 1
    signal = Signal(
        name=raw["name"],
        start=int(raw["start"]),
        bits=bits,
        scale=scale,
        offset=offset,
        minimum=int(raw.get("min", 0)),
        maximum=int(raw.get("max", default_max * scale + offset)),
        is_signed=is_signed,
        is_big_endian=bool(raw.get("big_endian", False)),
        unit=raw.get("unit", ""),
        comment=raw.get("comment", ""),
        words=words,
        bit_names=bit_names,
        words_from=words_from,
        page=raw.get("page"),
        is_mux=bool(raw.get("mux", False)),
        rounds_up=bool(raw.get("round_up", False)),
        makes_consts=bool(raw.get("consts", False)),
    )
    _check_signal(signal, where)
    return signal


def _check_signal(s: Signal, where: str) -> None:
    low, high = (
        (-(1 << (s.bits - 1)), (1 << (s.bits - 1)) - 1) if s.is_signed else (0, (1 << s.bits) - 1)
    )
    wrong = ""
    if not s.name.isidentifier() or s.name.lower() != s.name or len(s.name) > 32:
        wrong = "its name is no lower-case word of at most 32 letters"
    elif s.scale <= 0 or (s.minimum - s.offset) % s.scale or (s.maximum - s.offset) % s.scale:
        wrong = "its bounds are no multiples of its scale"
    elif not low <= s.raw_min <= s.raw_max <= high:
        wrong = "%d..%d does not fit in its bits" % (s.minimum, s.maximum)
    elif max(abs(s.minimum), abs(s.maximum)) + s.scale - 1 + abs(s.offset) >= 1 << _BITS_MAX:
        wrong = "its bounds are no small ints of the board"
    elif any(len(name) > 32 for name in s.bit_names):
        wrong = "one of its bits has a name of more than 32 letters"
    if wrong:
        raise UserError("%s: %s." % (where, wrong), 1)


def _message(raw: dict[str, Any], where: str) -> Message:
    where = "%s, message %s" % (where, raw.get("name", "without a name"))
    is_protected = bool(raw.get("e2e", False))
    given = ([_CRC, _COUNTER] if is_protected else []) + list(raw["signals"])
    message = Message(
        id=int(raw["id"]),
        name=raw["name"],
        length=int(raw["length"]),
        cycle_ms=int(raw["cycle_ms"]),
        phase_ms=int(raw.get("phase_ms", 0)),
        sender=raw["sender"],
        is_protected=is_protected,
        is_at_once=bool(raw.get("at_once", False)),
        is_apart=bool(raw.get("apart", False)),
        comment=raw.get("comment", ""),
        signals=tuple(_signal(one, "%s, signal %s" % (where, one.get("name"))) for one in given),
    )
    wrong = _what_is_wrong(message) or _what_overlaps(message)
    if wrong:
        raise UserError("%s: %s." % (where, wrong), 1)
    return message


def _what_is_wrong(message: Message) -> str:
    if not 0 <= message.id <= 0x7FF or not 1 <= message.length <= 8:
        return "its id is no 11-bit one, or its length is not 1..8"
    if message.sender not in SENDERS:
        return "its sender is none of %s" % ", ".join(SENDERS)
    if message.cycle_ms % _PASS_MS or message.phase_ms not in range(0, message.cycle_ms, _PASS_MS):
        return "its cycle or its phase in it is no multiple of a pass of %d ms" % _PASS_MS
    if len({s.name for s in message.signals}) != len(message.signals):
        return "two of its signals have one name"
    if bool(message.pages) != (message.mux is not None):
        return "it has pages without a signal that tells them, or the other way round"
    return ""


def _what_overlaps(message: Message) -> str:
    for page in message.pages or (None,):
        used: set[tuple[int, int]] = set()
        for s in message.on(page):
            bits = {(byte, at + n) for byte, at, many, _ in s.places() for n in range(many)}
            if used & bits:
                return "signal %s lies over another one" % s.name
            if any(not 0 <= byte < message.length for byte, _ in bits):
                return "signal %s ends behind its %d bytes" % (s.name, message.length)
            used |= bits
    return ""


def _map(raw: dict[str, Any], messages: tuple[Message, ...], where: str) -> Map:
    message_name, _, signal_name = raw["to"].partition(".")
    signal = next(
        s for m in messages if m.name == message_name for s in m.signals if s.name == signal_name
    )
    names = names_in(raw["from"])
    for word in raw["words"]:
        if word not in names:
            raise UserError("%s: %s has no name %s." % (where, raw["from"], word), 1)
    words = [raw["words"].get(name, raw["default"]) for name in names]
    return Map(raw["name"], raw["from"], raw["to"], tuple(signal.words.index(w) for w in words))


def read(text: str, where: str) -> Dialect:
    """Return the dialect that a file's text describes; UserError where it contradicts itself."""
    raw = tomllib.loads(text)
    messages = tuple(_message(one, where) for one in raw["message"])
    dialect = Dialect(
        name=raw["dialect"],
        title=raw["title"],
        note=raw["note"].strip(),
        messages=messages,
        maps=tuple(_map(one, messages, where) for one in raw.get("map", ())),
    )
    check_together(where, dialect)
    return dialect


def check_together(where: str, *dialects: Dialect) -> None:
    """Raise UserError where messages on one bus share an id, pile up, or are more than the filters can take."""
    messages = [m for d in dialects for m in d.messages]
    if len({m.id for m in messages}) != len(messages):
        raise UserError("%s: two messages have one identifier." % where, 1)
    if sum(len(d.received) for d in dialects) > IDS_MAX:
        raise UserError("%s: more than %d messages to listen to." % (where, IDS_MAX), 1)
    sent = [m for d in dialects for m in d.sent]
    for n, one in enumerate(sent):
        for other in sent[n + 1 :]:
            if (one.phase_ms - other.phase_ms) % gcd(one.cycle_ms, other.cycle_ms) == 0:
                raise UserError(
                    "%s: %s and %s fall in one pass." % (where, one.name, other.name), 1
                )


@cache
def load(name: str) -> Dialect:
    """Return a dialect by its name, one of DIALECTS."""
    path = FOLDER / (name + ".toml")
    return read(path.read_text(encoding="utf-8"), path.name)


def load_all() -> tuple[Dialect, ...]:
    """Return every dialect; UserError where one cannot share a bus with the modem's."""
    found = tuple(load(name) for name in DIALECTS)
    for one in found[:-1]:
        check_together("%s and modem" % one.name, one, found[-1])
    return found
