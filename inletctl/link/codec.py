"""Lines of the board's protocol (firmware/vehicle/protocol.py), the host's side: made, read, sorted.

A line is taken only if every byte of it is as the board writes it and its check sum is right: whatever else looks like
a line is damaged, and what does not is words for a person.
"""

import binascii
import json
import re
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

from inletctl.house import use_firmware

use_firmware()

from drivers.virtual_layout import COMMANDS as COMMAND_FIELDS  # noqa: E402
from signals import PILOT_PERIODS  # noqa: E402
from vehicle.protocol import READINGS, VERSION  # noqa: E402

_PILOT_COUNT = READINGS.index("pilot_count")
COMMANDS_KIND, READINGS_KIND = "commands", "readings"
# Longer than any line; what has no line end by then is noise.
LINE_MAX = 4096
TICKS_MASK = 0x3FFFFFFF  # ticks and line numbers wrap there
_HALF = 0x20000000
_WORDS_KEPT = 200

_HEAD = b'{"v":'
_LOOKS_LIKE = re.compile(rb'"x":"[^"]{0,8}"\}$')
_SEALED = re.compile(rb'(\{"v":(\d{1,9}),.*),"x":"([0-9a-f]{4})"\}', re.DOTALL)
_NUMBERS = rb"-?\d{1,10}(?:,-?\d{1,10})*"
_TELEMETRY = re.compile(
    rb'\{"v":1,"t":(\d{1,10}),"n":(\d{1,10}),"([cr])":\[(' + _NUMBERS + rb')\],"late":(\d{1,10})'
)
_REPLY = re.compile(
    rb'\{"v":1,"re":(\d{1,10}),(?:"ok":\[('
    + _NUMBERS
    + rb')?\]|"no":(\d{1,10})|"is":"([^"\\\x00-\x1f]*)")'
)


class Telemetry(NamedTuple):
    """What the board tells by itself."""

    t_ms: int  # the board's own tick, 0..2**30-1, wraps
    number: int  # of a line of commands; readings carry that of the next one
    kind: str  # "commands": drivers.virtual_layout.COMMANDS; "readings": vehicle.protocol.READINGS
    values: tuple[int, ...]
    late: int  # passes that began late


class Reply(NamedTuple):
    """What the board answers; one of `ok`, `no` and `words` says it."""

    id: int
    ok: "tuple[int, ...] | None" = None  # obeyed
    no: "int | None" = None  # refused: index of vehicle.protocol.REFUSALS
    words: str = ""  # the answer to hello


def crc16(data: bytes) -> int:
    """Return CRC-16/CCITT-FALSE (polynomial 0x1021, start 0xFFFF)."""
    return binascii.crc_hqx(data, 0xFFFF)


def seal(body: dict[str, Any]) -> bytes:
    """Return the line of `body`: version before it, check sum and line feed behind. Order of its keys is kept."""
    made = json.dumps({"v": VERSION, **body}, separators=(",", ":")).encode()[:-1]
    return b'%s,"x":"%04x"}\n' % (made, crc16(made))


def command_line(number: int, word: str, arguments: "tuple[int, ...]" = ()) -> bytes:
    """Return the line that tells the board to do `word`; `number` 0..2**30-1 comes back with its answer."""
    return seal({"id": number, "do": word, "a": list(arguments)})


def parse_line(line: bytes) -> "Telemetry | Reply | None":
    """Return what the board says in `line` (without its line feed), None where that is words for a person.

    Raises ValueError, one sentence, for a line of the protocol that is damaged or of another version.
    """
    if line.endswith(b"\r"):
        line = line[:-1]
    if not line.startswith(_HEAD) and not _LOOKS_LIKE.search(line):
        return None
    sealed = _SEALED.fullmatch(line)
    if sealed is None:
        raise ValueError("A line of the board is damaged: its end or its check sum is missing.")
    body, version, told = sealed.groups()
    if crc16(body) != int(told, 16):
        raise ValueError("A line of the board is damaged: its check sum is wrong.")
    if int(version) != VERSION:
        raise ValueError(
            "The board speaks version %d of the protocol, this tool version %d: flash the board again, or update inletctl."
            % (int(version), VERSION)
        )
    found = _TELEMETRY.fullmatch(body)
    if found is not None:
        return _telemetry(*found.groups())
    found = _REPLY.fullmatch(body)
    if found is None:
        raise ValueError("A line of the board is of no known form: update inletctl.")
    number, ok, no, words = found.groups()
    if words is not None:
        return Reply(int(number), words=words.decode("utf-8", "replace"))
    if no is not None:
        return Reply(int(number), no=int(no))
    return Reply(int(number), ok=_numbers(ok) if ok else ())


def _telemetry(t_ms: bytes, number: bytes, kind: bytes, values: bytes, late: bytes) -> Telemetry:
    is_readings = kind == b"r"
    made = Telemetry(
        int(t_ms),
        int(number),
        READINGS_KIND if is_readings else COMMANDS_KIND,
        _numbers(values),
        int(late),
    )
    fields = READINGS if is_readings else COMMAND_FIELDS
    if len(made.values) != len(fields):
        raise ValueError(
            "A line of the board has %d numbers where this tool knows %d: flash the board again, or update inletctl."
            % (len(made.values), len(fields))
        )
    if not are_sane(made.values, is_readings):
        raise ValueError(
            "A line of the board holds a number that no board has: flash the board again, or update inletctl."
        )
    return made


def are_sane(values: "tuple[int, ...]", is_readings: bool) -> bool:
    """Return whether a board can have said these numbers: none over 30 bits, and no more pilot periods than there is room for."""
    if any(not ~TICKS_MASK <= value <= TICKS_MASK for value in values):
        return False
    return not is_readings or 0 <= values[_PILOT_COUNT] <= PILOT_PERIODS


def _numbers(text: bytes) -> tuple[int, ...]:
    return tuple([int(one) for one in text.split(b",")])


def tick_diff(end: int, start: int) -> int:
    """Return end - start of two ticks or line numbers that wrap, -2**29..2**29-1."""
    return ((end - start + _HALF) & TICKS_MASK) - _HALF


class LineSorter:
    """Bytes of the board sorted into telemetry, answers and words. Keeps a bounded amount, whatever comes.

    Set the callbacks that are wanted. `on_line` gets every good line as it came, without its line end, before the
    callback for what it says. Telemetry comes in the order of the wire: readings may overtake older commands.
    """

    def __init__(self) -> None:
        self.on_telemetry: "Callable[[Telemetry], None] | None" = None
        self.on_reply: "Callable[[Reply], None] | None" = None
        self.on_words: "Callable[[str], None] | None" = None
        self.on_line: "Callable[[bytes], None] | None" = None
        self.on_damaged: "Callable[[str], None] | None" = None  # the sentence that says how
        self.words: deque[str] = deque(maxlen=_WORDS_KEPT)
        self.good = 0
        self.damaged = 0
        self.lost = 0  # lines of commands that never came, by their numbers
        self._next = -1  # number of the next line of commands, -1 = not known
        self._part = b""

    def feed(self, data: bytes) -> None:
        """Take bytes as they come."""
        *lines, part = (self._part + data).split(b"\n")
        self._part = part[-LINE_MAX:]
        for line in lines:
            self._take(line)

    @property
    def unfinished(self) -> str:
        """What has come of the line that is not at its end, such as the prompt `>>> `."""
        return self._part.decode("utf-8", "replace")

    def restart(self) -> None:
        """The board boots or the port was opened anew: numbers begin anew, a line in flight is gone."""
        self._part = b""
        self._next = -1

    def _take(self, line: bytes) -> None:
        # A board that was reset within a line goes on in the middle of it.
        at = line.rfind(_HEAD)
        if at > 0:
            self._take_one(line[:at])
            line = line[at:]
        self._take_one(line)

    def _take_one(self, line: bytes) -> None:
        try:
            said = parse_line(line)
        except ValueError as error:
            self.damaged += 1
            if self.on_damaged is not None:
                self.on_damaged(str(error))
            return
        if said is None:
            self._say(line)
            return
        self.good += 1
        if self.on_line is not None:
            self.on_line(line.rstrip(b"\r"))
        if isinstance(said, Reply):
            if self.on_reply is not None:
                self.on_reply(said)
            return
        if said.kind == COMMANDS_KIND:
            self._count(said.number)
        if self.on_telemetry is not None:
            self.on_telemetry(said)

    def _count(self, number: int) -> None:
        # Numbers go back only by a restart, which loses nothing.
        if self._next >= 0:
            self.lost += max(0, tick_diff(number, self._next))
        self._next = (number + 1) & TICKS_MASK

    def _say(self, line: bytes) -> None:
        text = line.decode("utf-8", "replace").strip()
        if text:
            self.words.append(text)
            if self.on_words is not None:
                self.on_words(text)
