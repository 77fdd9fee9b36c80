"""What firmware/journal/box_writer.py and sessions.py write, read back: payloads of log records into plain objects.

Whatever is damaged is left out and said in a sentence; nothing here raises for it but PayloadError, which is of one payload.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from inletctl.house import use_firmware
from inletctl.link.codec import are_sane
from inletctl.printable import printable

use_firmware()

from journal.blackbox import BLOCK_BYTES  # noqa: E402
from journal.box_frame import FIELDS, STATES  # noqa: E402
from journal.box_writer import FLAGS, HEAD, KIND_BOX, LAYOUT, PART_HEAD  # noqa: E402
from journal.sessions import FLAGS as SESSION_FLAGS  # noqa: E402
from journal.sessions import KIND_SESSION, RECORD, RECORD_BYTES  # noqa: E402
from journal.sessions import LAYOUT as SESSION_LAYOUT  # noqa: E402
from setting_rows import ROW_KEY, ROW_NUMBER, TABLE  # noqa: E402
from vehicle.protocol import FLAGS as READING_FLAGS  # noqa: E402
from vehicle.protocol import READINGS  # noqa: E402

_Read = TypeVar("_Read")
_GROUP = 8
_TRIGGER = 128
_BITS = 32
_TICKS_MASK = 0x3FFFFFFF
_SPAN_MS = 1 << 29
_VERSION_SIGNS = 40  # of the firmware's name: journal.box_writer writes no more
# Frames come every 1.3 s at least; a pass may be late where nothing is energised.
_HOLE_MS = 10_000
_AT = {name: n for n, name in enumerate(FIELDS)}
_STATES_AT = _AT["c_states"]
_SPARE = tuple(n for n, name in enumerate(FIELDS) if name.startswith("spare"))
# Further bits of `flags`, behind those of vehicle.protocol.FLAGS.
MORE_FLAGS = ("console_stop", "test_lock_lock", "test_lock_unlock", "service_end")
ALL_FLAGS = (*READING_FLAGS, *MORE_FLAGS)
_KEYS = {row[ROW_NUMBER]: str(row[ROW_KEY]) for row in TABLE}


class PayloadError(ValueError):
    """A payload that cannot be read: one sentence."""


@dataclass(frozen=True)
class Frame:
    """One pass of the board."""

    t_ms: int  # its tick, 0..2**30-1
    values: "tuple[int, ...]"  # journal.box_frame.FIELDS, in order
    is_trigger: bool = False

    def value(self, name: str) -> int:
        """Return a number of FIELDS, or a state of STATES, by name."""
        for state, low, bits in STATES:
            if state == name:
                value = self.values[_STATES_AT] >> low & (1 << bits) - 1
                return value - 1 if name == "lock_drive" else value
        return self.values[_AT[name]]

    def flag(self, name: str) -> bool:
        """Return whether a flag of ALL_FLAGS is set."""
        return bool(self.values[_AT["flags"]] >> ALL_FLAGS.index(name) & 1)

    @property
    def readings(self) -> "tuple[int, ...]":
        """Return the readings as a line of the console tells them (vehicle.protocol.READINGS)."""
        flags = self.values[_AT["flags"]] & (1 << len(READING_FLAGS)) - 1
        return (*self.values[: len(READINGS) - 1], flags)


@dataclass(frozen=True)
class Head:
    """What the first part of a box tells."""

    trigger_ms: int
    trigger_reasons: int
    trigger_faults: int
    trigger_cause: int
    missed: int
    session: int
    minute: "int | None"  # local, of the week, when it was written; None: no clock was set
    version: str  # the firmware's name
    settings: "dict[str, int] | None"  # as stored on the board; None: none were
    from_boot: bool  # the first frame is that of the board's first pass
    settings_refused: bool  # something stored was not taken as it is, which the box does not hold
    settings_trusted: bool


@dataclass
class Box:
    """A black box, as far as it is there."""

    number: int  # of the log's record of its first part that is there
    head: "Head | None" = None
    frames: "list[Frame]" = field(default_factory=list)  # in order of time
    breaks: "list[int]" = field(default_factory=list)  # frames[n] has lost frames before it
    problems: "list[str]" = field(
        default_factory=list
    )  # a sentence for each thing that is missing
    is_headless: bool = False  # frames before frames[0] are lost

    @property
    def trigger(self) -> "Frame | None":
        """Return the trigger's frame, None where it is lost."""
        return next((frame for frame in self.frames if frame.is_trigger), None)

    @property
    def name(self) -> str:
        """Return what a person calls it by."""
        return "box %d" % self.number


class _Reader:
    """Numbers out of bytes. Raises PayloadError at the end."""

    def __init__(self, data: bytes, at: int, end: int):
        self.data = data
        self.at = at
        self.end = end

    def byte(self) -> int:
        if self.at >= self.end:
            raise PayloadError("it ends in the middle of a number")
        self.at += 1
        return self.data[self.at - 1]

    def number(self, first_bits: int = 7, byte: "int | None" = None) -> int:
        """Return a number of 7 bits a byte, of the first one `first_bits`."""
        byte = self.byte() if byte is None else byte
        value = byte & (1 << first_bits) - 1
        shift = first_bits
        while byte & 128:
            byte = self.byte()
            value |= (byte & 127) << shift
            shift += 7
            if shift > _BITS + 7:
                raise PayloadError("a number in it has no end")
        return value

    def growth(self) -> int:
        byte = self.byte()
        value = self.number(6, byte)
        return -value if byte & 64 else value

    def take(self, count: int) -> bytes:
        if self.at + count > self.end:
            raise PayloadError("it ends too soon")
        self.at += count
        return self.data[self.at - count : self.at]


def frames_of(block: bytes) -> "list[Frame]":
    """Return the frames of one block of the ring. Raises PayloadError where it is none."""
    read = _Reader(block, 0, len(block))
    values = [0] * len(FIELDS)
    made: list[Frame] = []
    t_ms = 0
    while read.at < read.end:
        ms = read.number()
        if ms > _TICKS_MASK:
            raise PayloadError("a frame has a time that no board has")
        t_ms = (t_ms + ms) & _TICKS_MASK
        mask = read.byte()
        for group in range(len(FIELDS) // _GROUP):
            if not mask >> group & 1:
                continue
            which = read.byte()
            for n in range(_GROUP):
                if which >> n & 1:
                    values[group * _GROUP + n] += read.growth()
        if not are_sane(tuple(values), True) or any(values[n] for n in _SPARE):
            raise PayloadError("a frame holds a number that no board writes")
        made.append(Frame(t_ms, tuple(values), bool(mask & _TRIGGER)))
    return made


@dataclass(frozen=True)
class _Part:
    record: int
    index: int
    count: int
    tag: int
    payload: bytes


def _part(number: int, payload: bytes) -> _Part:
    if len(payload) < PART_HEAD:
        raise PayloadError("it is too short")
    layout, index, count, low, high = payload[:PART_HEAD]
    if layout != LAYOUT:
        raise PayloadError(
            "it is of layout %d, this tool reads %d: update inletctl" % (layout, LAYOUT)
        )
    if index >= count:
        raise PayloadError("it is part %d of %d" % (index + 1, count))
    return _Part(number, index, count, low | high << 8, payload)


def boxes_of(entries: "list[tuple[int, int, bytes]]") -> "tuple[list[Box], list[str]]":
    """Return the boxes among (kind, number, payload) of a log, the oldest first, and what could not be read."""
    parts, problems = _read(entries, KIND_BOX, _part, "part of a black box")
    return [_box(one) for one in _together(parts)], problems


def _read(
    entries: "list[tuple[int, int, bytes]]",
    wanted: int,
    reader: "Callable[[int, bytes], _Read]",
    what: str,
) -> "tuple[list[_Read], list[str]]":
    """Return what `reader` makes of the records of one kind, the oldest first, and what could not be read."""
    made: list[_Read] = []
    problems: list[str] = []
    for kind, number, payload in sorted(entries, key=lambda entry: entry[1]):
        if kind == wanted:
            try:
                made.append(reader(number, payload))
            except PayloadError as error:
                problems.append("record %d is no %s: %s." % (number, what, error))
    return made, problems


def _together(parts: "list[_Part]") -> "Iterator[list[_Part]]":
    """Yield the parts of each box: those of one tag and count with rising index, in the order of the log."""
    box: list[_Part] = []
    for part in parts:
        if box and (
            (part.tag, part.count) != (box[-1].tag, box[-1].count) or part.index <= box[-1].index
        ):
            yield box
            box = []
        box.append(part)
    if box:
        yield box


def _box(parts: "list[_Part]") -> Box:
    box = Box(parts[0].record)
    count = parts[0].count
    there = {part.index for part in parts}
    for index in range(count):
        if index not in there:
            box.problems.append(
                "%s: part %d of %d is missing%s."
                % (
                    box.name,
                    index + 1,
                    count,
                    ", and with it the settings and the trigger" if index == 0 else "",
                )
            )
    after = -1
    for part in parts:
        is_broken = part.index != after + 1
        after = part.index
        try:
            is_broken = _read_part(box, part, is_broken)
        except PayloadError as error:
            box.problems.append(
                "%s: the rest of part %d of %d cannot be read: %s."
                % (box.name, part.index + 1, count, error)
            )
            is_broken = True
        if is_broken:
            after = -1 - count
    for n in range(1, len(box.frames)):
        if box.frames[n].t_ms - box.frames[n - 1].t_ms & _TICKS_MASK > _HOLE_MS:
            box.breaks.append(n)
    box.breaks = sorted(set(box.breaks))
    return box


def _read_part(box: Box, part: _Part, is_broken: bool) -> bool:
    """Take the part in; return whether what follows has a gap before it."""
    read = _Reader(part.payload, PART_HEAD, len(part.payload))
    if part.index == 0:
        box.head = _head(read)
    while read.at < read.end:
        size = read.byte() | read.byte() << 8
        if size > BLOCK_BYTES:
            raise PayloadError("a block in it is longer than any")
        block = read.take(size)
        try:
            frames = frames_of(block)
        except PayloadError as error:
            box.problems.append("%s: a block is left out: %s." % (box.name, error))
            is_broken = True
            continue
        if not _is_in_order([*box.frames[:1], *box.frames[-1:], *frames]):
            box.problems.append("%s: a block is left out: its times go back." % box.name)
            is_broken = True
            continue
        if is_broken and frames:
            if box.frames:
                box.breaks.append(len(box.frames))
            else:
                box.is_headless = True
        box.frames += frames
        is_broken = False
    return is_broken


def _is_in_order(frames: "list[Frame]") -> bool:
    """Tell whether the ticks only rise, and by less than what a difference of ticks is good for."""
    since_ms = [frame.t_ms - frames[0].t_ms & _TICKS_MASK for frame in frames]
    return since_ms == sorted(since_ms) and not any(ms >= _SPAN_MS for ms in since_ms)


def _head(read: _Reader) -> Head:
    told = {name: read.number() for name, _ in HEAD}
    flags = {name: bool(told["flags"] >> n & 1) for n, name in enumerate(FLAGS)}
    version = printable(read.take(read.number()).decode("utf-8", "replace")[:_VERSION_SIGNS])
    settings: dict[str, int] = {}
    for _ in range(read.number()):
        number, value = read.number(), read.number()
        # A later firmware's setting is told of by its number: the replay then says that it differs.
        settings[_KEYS.get(number, "setting_%d" % number)] = value
    return Head(
        trigger_ms=told["trigger_ms"],
        trigger_reasons=told["trigger_reasons"],
        trigger_faults=told["trigger_faults"],
        trigger_cause=told["trigger_cause"],
        missed=told["missed"],
        session=told["session"],
        minute=told["minute"] if flags["clock_set"] else None,
        version=version,
        # Without any, only those who have stored none are not trusted.
        settings=settings if flags["settings_stored"] or flags["settings_trusted"] else None,
        from_boot=flags["from_boot"],
        settings_refused=flags["settings_refused"],
        settings_trusted=flags["settings_trusted"],
    )


# ---------------------------------------------------------------------------------------- sessions

_WEEK_MIN = 10080


@dataclass(frozen=True)
class SessionRecord:
    """One plug-in: journal.sessions.RECORD; None where it is not known."""

    record: int  # number of the log's record
    number: int
    begin_min: "int | None"  # local minute of the week
    end_min: "int | None"
    clock_differs: bool  # the clock was set between the two
    from_boot: bool  # the plug came before the board started
    plugged_s: int
    charging_s: int
    has_charged: bool
    stop_reasons: int
    openings: int
    verdict: int
    most_ma: int
    permitted_ma: int
    hottest_decic: "int | None"
    lock_tries: int
    resets: int
    faults: int


def session_of(number: int, payload: bytes) -> SessionRecord:
    """Return the session in the payload of the log's record `number`. Raises PayloadError."""
    if not payload or payload[0] != SESSION_LAYOUT:
        raise PayloadError(
            "it is of layout %s, this tool reads %d: update inletctl"
            % (payload[0] if payload else "none", SESSION_LAYOUT)
        )
    if len(payload) != RECORD_BYTES:
        raise PayloadError("it has %d bytes, not %d" % (len(payload), RECORD_BYTES))
    told: dict[str, int] = {}
    at = 0
    for name, size, _ in RECORD:
        told[name] = int.from_bytes(
            payload[at : at + size], "little", signed=name == "hottest_decic"
        )
        at += size
    flags = {name: bool(told["flags"] >> n & 1) for n, name in enumerate(SESSION_FLAGS)}
    if told["flags"] >> len(SESSION_FLAGS) or max(told["begin_min"], told["end_min"]) >= _WEEK_MIN:
        raise PayloadError("it holds what no board writes")
    return SessionRecord(
        record=number,
        number=told["number"],
        begin_min=told["begin_min"] if flags["begin_dated"] else None,
        end_min=told["end_min"] if flags["end_dated"] else None,
        clock_differs=flags["clock_differs"],
        from_boot=flags["from_boot"],
        plugged_s=told["plugged_s"],
        charging_s=told["charging_s"],
        has_charged=flags["has_charged"],
        stop_reasons=told["stop_reasons"],
        openings=told["openings"],
        verdict=told["verdict"],
        most_ma=told["most_ma"],
        permitted_ma=told["permitted_ma"],
        hottest_decic=told["hottest_decic"] if flags["hottest_known"] else None,
        lock_tries=told["lock_tries"],
        resets=told["resets"],
        faults=told["faults"],
    )


def sessions_of(
    entries: "list[tuple[int, int, bytes]]",
) -> "tuple[list[SessionRecord], list[str]]":
    """Return the sessions among (kind, number, payload) of a log, the oldest first, and what could not be read."""
    return _read(entries, KIND_SESSION, session_of, "session")
