"""Port records in a file: JSON that people may edit. A record with an error is refused with a sentence and stays as it is.

{"openinlet_ports": 1, "ports": [{"id": 1, "label": ..., ...}]}, the keys of firmware/ports/records.py.
"""

import json
from pathlib import Path
from typing import Any

from inletctl.errors import UserError
from inletctl.house import use_firmware
from inletctl.ports.words import Record
from inletctl.printable import printable
from inletctl.report.files import write_whole

use_firmware()

from ports.records import KEYS, RECORDS_MAX, VERSION, problems, with_defaults  # noqa: E402

MARK = "openinlet_ports"
_SIZE_MAX = 1_000_000


class PortFile:
    """
    The file at `path`, read whole or not at all. Raises UserError, one sentence, where it is none of these files.

    records     those without an error, by their number
    refused     a sentence for every error of the others
    """

    def __init__(self, path: Path, may_be_new: bool = False):
        self.path = path
        self.refused: list[str] = []
        self._entries: list[Any] = []  # as they stand in the file
        self._good: dict[int, int] = {}  # number of a record -> its place in _entries
        if may_be_new and not path.exists():
            return
        self._read(_text(path))

    @property
    def records(self) -> "list[Record]":
        """Return the records without an error, by their number."""
        return [with_defaults(self._entries[self._good[number]]) for number in sorted(self._good)]

    def _read(self, text: str) -> None:
        try:
            found = json.loads(text, object_pairs_hook=_once)
        except (ValueError, RecursionError) as error:
            raise UserError(
                "%s is damaged or not JSON (%s): correct it there, or name another file; nothing is changed."
                % (self.path, str(error)[:100])
            ) from None
        if not isinstance(found, dict) or MARK not in found:
            raise UserError(
                "%s holds no port records (there is no '%s' in it): name another file."
                % (self.path, MARK)
            )
        version = found[MARK]
        if isinstance(version, bool) or version != VERSION:
            raise UserError(
                "%s has port records of version %s, this tool knows %d: update inletctl."
                % (self.path, str(version)[:20], VERSION)
            )
        entries = found.get("ports")
        if not isinstance(entries, list) or set(found) != {MARK, "ports"}:
            raise UserError(
                "%s: beside '%s' there must be 'ports', a list, and nothing else: correct it there."
                % (self.path, MARK)
            )
        self._entries = entries
        for place, entry in enumerate(entries):
            found_problems = problems(entry)
            number = entry.get("id") if isinstance(entry, dict) else None
            if not found_problems and number in self._good:
                found_problems = ["port %d is there twice: the second one does not count" % number]
            if found_problems:
                self.refused += [
                    "%s, entry %d: %s" % (self.path, place + 1, printable(one))
                    for one in found_problems
                ]
            else:
                self._good[int(number or 0)] = place

    def put(self, record: Record) -> None:
        """Put the record in, in place of the one with its number; the file is written."""
        number = record["id"]
        if number in self._good:
            self._entries[self._good[number]] = _in_order(record)
        else:
            for entry in self._entries:
                if isinstance(entry, dict) and entry.get("id") == number:
                    raise UserError(
                        "%s: port %d is there with an error: correct it in the file, or choose another number."
                        % (self.path, number)
                    )
            self._good[number] = len(self._entries)
            self._entries.append(_in_order(record))
        self._write()

    def delete(self, number: int) -> None:
        """Take the record out; the file is written."""
        place = self._good.pop(number)
        del self._entries[place]
        self._good = {n: at - (at > place) for n, at in self._good.items()}
        self._write()

    def _write(self) -> None:
        made = {MARK: VERSION, "ports": self._entries}
        text = json.dumps(made, indent=1, ensure_ascii=False) + "\n"
        if not text.isascii() and not _can_be_stored(text):
            # An entry with an error may hold half a character: it stays as it is.
            text = json.dumps(made, indent=1) + "\n"
        write_whole(self.path, lambda stream: stream.write(text))


def _can_be_stored(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > _SIZE_MAX:
            raise UserError(
                "%s is far too large for %d port records: name another file." % (path, RECORDS_MAX)
            )
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise UserError(
            "%s is no text, so it holds no port records: name another file." % path
        ) from None
    except OSError as error:
        raise UserError(
            "%s cannot be read (%s): name another file, or add a port to make it."
            % (path, error.strerror or error)
        ) from None


def _once(pairs: "list[tuple[str, Any]]") -> "dict[str, Any]":
    made = dict(pairs)
    if len(made) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError("the key '%s' is there twice" % twice[:40])
    return made


def _in_order(record: Record) -> Record:
    whole = with_defaults(record)
    return {row[0]: whole[row[0]] for row in KEYS if row[0] in whole}
