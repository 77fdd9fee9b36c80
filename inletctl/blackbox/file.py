"""A board's log as a file: text, one JSON object a line.

    {"openinlet_journal":1,"board":"..."}                              the first line; what is said of the board is the writer's
    {"kind":16,"number":812,"payload":"hex","crc":"hhhhhhhh"}          a record each, any kind

`crc` is CRC-32 over kind (a byte), number (four, low byte first) and payload: a line that was damaged or changed by hand is left
out and told of; the others are still read.
"""

import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from inletctl.errors import UserError
from inletctl.report.files import write_whole

VERSION = 1
_KEY = "openinlet_journal"
# A board's whole log is 64 KB; a file of ours is never larger.
_SIZE_MAX = 20_000_000
_PAYLOAD_MAX = 2048
_TOLD = 5  # lines that are told of one by one

# (kind, number, payload) of a record of the log.
Entry = tuple[int, int, bytes]


@dataclass
class JournalFile:
    """What a file holds, as far as it can be read."""

    path: Path
    board: str = ""
    entries: "list[Entry]" = field(default_factory=list)
    problems: "list[str]" = field(default_factory=list)  # a sentence for each line left out


def save(entries: "Iterable[Entry]", path: Path, board: str = "") -> Path:
    """Write records (kind, number, payload) to the file at `path`, whole or not at all. Raises UserError."""
    held = list(entries)

    def write(stream: TextIO) -> None:
        stream.write(json.dumps({_KEY: VERSION, "board": board}, ensure_ascii=False) + "\n")
        for kind, number, payload in held:
            stream.write(
                '{"kind":%d,"number":%d,"payload":"%s","crc":"%08x"}\n'
                % (kind, number, payload.hex(), _crc(kind, number, payload))
            )

    return write_whole(path, write)


def load(path: Path) -> JournalFile:
    """Read a file. Raises UserError, one sentence, where it is none of these; damaged lines are left out and told of."""
    try:
        if path.stat().st_size > _SIZE_MAX:
            raise UserError("%s: is larger than any board's log: name another file." % path)
        data = path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UserError("%s: cannot be read: %s." % (path, reason)) from None
    first, *lines = data.split(b"\n")
    made = JournalFile(path, _board(first, path))
    seen: set[int] = set()
    for n, line in enumerate(lines, 2):
        if not line.strip():
            continue
        try:
            entry = _entry(line)
            if entry[1] in seen:
                raise ValueError("the number of its record is there twice")
            seen.add(entry[1])
            made.entries.append(entry)
        except ValueError as error:
            made.problems.append("%s:%d is left out: %s." % (path, n, error))
    if len(made.problems) > _TOLD:
        more = len(made.problems) - _TOLD
        made.problems = [*made.problems[:_TOLD], "%s: %d more lines are left out." % (path, more)]
    return made


def _board(line: bytes, path: Path) -> str:
    try:
        values = json.loads(line)
        version, board = values[_KEY], values.get("board", "")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise UserError(
            "%s: this is no board's journal: its first line is not the one that inletctl writes; name another file."
            % path
        ) from None
    if version != VERSION or isinstance(version, bool):
        raise UserError(
            "%s: this is a journal of version %s, this tool reads version %d: update inletctl."
            % (path, str(version)[:20], VERSION)
        )
    return board if isinstance(board, str) else ""


def _entry(line: bytes) -> Entry:
    """Return the record in a line. Raises ValueError, words without a full stop."""
    try:
        values: Any = json.loads(line)
        kind, number = values["kind"], values["number"]
        payload = bytes.fromhex(values["payload"])
        crc = int(values["crc"], 16)
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ValueError("it is damaged, or no record") from None
    if type(kind) is not int or type(number) is not int:
        raise ValueError("its kind or number is no whole number")
    if not 1 <= kind <= 255 or not 1 <= number < 1 << 32 or len(payload) > _PAYLOAD_MAX:
        raise ValueError("its kind, number or length is none that a board writes")
    if crc != _crc(kind, number, payload):
        raise ValueError("its check sum is wrong: it was damaged, or changed by hand")
    return (kind, number, payload)


def _crc(kind: int, number: int, payload: bytes) -> int:
    return zlib.crc32(payload, zlib.crc32(bytes([kind]) + number.to_bytes(4, "little")))
