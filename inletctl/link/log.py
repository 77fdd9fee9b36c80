"""The recorded log: a text file, one JSON object a line, that says what a board told and what was done meanwhile.

    {"openinlet_log":1,"board":...,"board_id":...,"chip":...,"firmware":...,"settings":{...},"began":...}   the first line
    {"v":1,...,"x":"hhhh"}                            the board's own lines, as they came
    {"mark":"text","t_ms":TICK}                       a person marked an event
    {"asked":"stop","a":[],"t_ms":TICK}               the board was told to do something, and obeyed

`settings` are those that are stored on the board, null where none are: what is left at its default is not in it.
Ticks are the board's. A file that ends in the middle of a line is read up to there.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from inletctl.errors import UserError
from inletctl.link.client import Identity
from inletctl.link.codec import TICKS_MASK, Telemetry, parse_line

VERSION = 1
_KEY = "openinlet_log"
_TEXTS = ("board", "board_id", "chip", "firmware", "began")
# A day of readings at 20 Hz takes 300 MB; what is larger is no log of ours.
_SIZE_MAX = 1_000_000_000


class Mark(NamedTuple):
    """An event that a person marked, at the board's tick."""

    t_ms: int
    text: str


class Asked(NamedTuple):
    """Something that the board was told to do, and did, at its tick."""

    t_ms: int
    word: str  # of vehicle.protocol.COMMANDS
    numbers: tuple[int, ...]


@dataclass(frozen=True)
class Header:
    """Whose log it is."""

    board: str
    board_id: str
    chip: str
    firmware: str
    began: str  # local time with zone, ISO 8601
    settings: "dict[str, int] | None"  # as stored on the board

    @classmethod
    def of(cls, board: Identity, settings: dict[str, tuple[int, bool]]) -> "Header":
        """Return the header for a log that begins now; `settings` as BoardClient.settings() returns them."""
        stored = {key: value for key, (value, is_stored) in settings.items() if is_stored}
        began = datetime.now().astimezone().isoformat(timespec="seconds")
        return cls(board.board, board.board_id, board.chip, board.firmware, began, stored or None)


@dataclass
class Log:
    """A log that was read."""

    path: Path
    header: Header
    entries: list["Telemetry | Mark | Asked"] = field(default_factory=list)  # as in the file
    warning: str = ""  # one sentence, where the file ends in the middle of a line


class LogWriter:
    """Writes a log as it happens; every line is in the file when the call returns. Raises UserError."""

    def __init__(self, path: Path, header: Header):
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.exists():
                raise UserError("%s is there already: give another name, or move it away." % path)
            # "x": a recording is not overwritten, it cannot be made again.
            self._stream = open(path, "xb", buffering=0)
        except OSError as error:
            raise _cannot_write(path, error) from None
        self._write_json({_KEY: VERSION, **vars(header)})

    def line(self, line: bytes) -> None:
        """Write a line of the board, as it came."""
        self._write(line.rstrip(b"\r\n"))

    def mark(self, text: str, t_ms: int) -> None:
        """Write an event of a person, at the board's newest tick."""
        self._write_json({"mark": text, "t_ms": t_ms})

    def asked(self, word: str, numbers: tuple[int, ...], t_ms: int) -> None:
        """Write that the board obeyed a command; a replay needs to know of `stop`, `lock`, `unlock`, `service_end`."""
        self._write_json({"asked": word, "a": list(numbers), "t_ms": t_ms})

    def close(self) -> None:
        """End the file."""
        self._stream.close()

    def _write_json(self, values: dict[str, Any]) -> None:
        self._write(json.dumps(values, separators=(",", ":"), ensure_ascii=False).encode())

    def _write(self, line: bytes) -> None:
        try:
            self._stream.write(line + b"\n")
        except OSError as error:
            raise _cannot_write(self.path, error) from None


def read_log(path: Path) -> Log:
    """Read a log. Raises UserError, one sentence with file and line, where it is none or is damaged."""
    try:
        if path.stat().st_size > _SIZE_MAX:
            raise UserError("%s: is larger than 1 GB: record less at a time." % path)
        data = path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UserError("%s: cannot be read: %s." % (path, reason)) from None
    *lines, rest = data.split(b"\n")
    if not lines:
        raise UserError("%s: %s" % (path, _NO_LOG))
    log = Log(path, _header(lines[0], path))
    for n, line in enumerate(lines[1:], 2):
        try:
            entry = _entry(line.rstrip(b"\r"))
        except ValueError as error:
            raise UserError("%s:%d: %s" % (path, n, error)) from None
        if entry is not None:
            log.entries.append(entry)
    if rest:
        log.warning = (
            "%s ends in the middle of line %d: the recording was cut there, and is read up to it."
            % (path, len(lines) + 1)
        )
    return log


_NO_LOG = "this is no log: its first line is not the one that `inletctl monitor --log` and `inletctl log download` write."


def _header(line: bytes, path: Path) -> Header:
    try:
        values = json.loads(line)
        version = values[_KEY]
        texts = {name: values[name] for name in _TEXTS}
        settings = values["settings"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise UserError("%s: %s" % (path, _NO_LOG)) from None
    if version != VERSION:
        raise UserError(
            "%s: this is a log of version %s, this tool reads version %d: update inletctl."
            % (path, str(version)[:20], VERSION)
        )
    if not all(isinstance(text, str) for text in texts.values()):
        raise UserError("%s:1: what the log says of its board is no text." % path)
    if settings is not None and not (
        isinstance(settings, dict) and all(type(value) is int for value in settings.values())
    ):
        raise UserError("%s:1: the settings are no table of whole numbers." % path)
    return Header(settings=settings, **texts)


def _entry(line: bytes) -> "Telemetry | Mark | Asked | None":
    """Return what the line says, None where that is nothing to decode. Raises ValueError, one sentence."""
    if line.startswith(b'{"v":'):
        said = parse_line(line)
        return said if isinstance(said, Telemetry) else None
    try:
        values = json.loads(line)
        t_ms = values["t_ms"]
        made = (
            Mark(t_ms, values["mark"])
            if "mark" in values
            else Asked(t_ms, values["asked"], tuple(values["a"]))
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ValueError("neither a line of the board nor of the recorder.") from None
    if type(t_ms) is not int or not 0 <= t_ms <= TICKS_MASK or not isinstance(made[1], str):
        raise ValueError("a line of the recorder with a wrong time or text.")
    return made


def _cannot_write(path: Path, error: OSError) -> UserError:
    return UserError("%s: cannot be written: %s; choose another file." % (path, error.strerror))
