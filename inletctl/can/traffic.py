"""CAN logs and buses by python-can, and their frames in the words of the messages."""

import contextlib
import logging
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inletctl.can import source
from inletctl.can.codec import is_checksum_right, unpack
from inletctl.can.source import Dialect, Message
from inletctl.errors import UserError

# What it has to say comes as an exception, too.
logging.getLogger("can").addHandler(logging.NullHandler())

# Those of python-can that need nothing further installed.
SUFFIXES = (".asc", ".blf", ".csv", ".log", ".trc")


@dataclass(frozen=True)
class Heard:
    """One frame of a message of ours."""

    t_s: float
    dialect: str
    message: Message
    values: dict[str, int]
    wrong: str  # why its values cannot be believed; "" where they can

    def words(self) -> dict[str, "str | int"]:
        """Return each value, an enumeration's by its word; of a mask the names of the bits that are set."""
        said: dict[str, str | int] = {}
        signals = {s.name: s for s in self.message.signals}
        for name, value in self.values.items():
            s = signals[name]
            if s.bit_names:
                names = [bit for n, bit in enumerate(s.bit_names) if value >> n & 1]
                said[name] = "+".join(names) or "none"
            else:
                said[name] = s.words[value] if s.words else value
        return said


class Reader:
    """Turns frames into `Heard`, of the dialects that are asked for."""

    def __init__(self, names: tuple[str, ...]):
        self.dialects: list[Dialect] = [source.load(name) for name in names]
        self._by_id = {m.id: (d.name, m) for d in self.dialects for m in d.messages}
        self.others = 0  # frames of nobody

    def read(self, frame: Any) -> "Heard | None":
        """Return what a can.Message says, None where it is none of ours."""
        found = self._by_id.get(frame.arbitration_id)
        if found is None or frame.is_extended_id or frame.is_error_frame or frame.is_remote_frame:
            self.others += 1
            return None
        dialect, message = found
        data = bytes(frame.data)
        values = unpack(message, data)
        wrong = ""
        if message.is_protected and not is_checksum_right(message, data):
            wrong = "wrong length or checksum"
        elif values is None:
            wrong = "too short, or out of range"
        return Heard(frame.timestamp, dialect, message, values or {}, wrong)


def _opened(path: Path) -> Any:
    if path.suffix.lower() == ".blf":
        return path.open("rb")
    return path.open(encoding="utf-8", errors="replace")


def read_log(path: Path) -> Iterator[Any]:
    """Yield the frames of a log. UserError where it is missing, of another format, or damaged."""
    import can
    from can.io.blf import BLFParseError

    if not path.is_file():
        raise UserError("%s: there is no such file." % path)
    if path.suffix.lower() not in SUFFIXES:
        raise UserError(
            "%s: this is no CAN log by its name; it can be one of %s."
            % (path, ", ".join(SUFFIXES))
        )
    readers: dict[str, Any] = {
        ".asc": can.ASCReader,
        ".blf": can.BLFReader,
        ".csv": can.CSVReader,
        ".log": can.CanutilsLogReader,
        ".trc": can.TRCReader,
    }
    count = 0
    try:
        # Opened here: a reader that refuses the file's beginning would leave it open.
        with _opened(path) as file, readers[path.suffix.lower()](file) as frames:
            for frame in frames:
                count += 1
                yield frame
    except (
        ValueError,
        KeyError,
        IndexError,
        OSError,
        struct.error,
        zlib.error,
        can.CanError,
        BLFParseError,
    ) as error:
        raise UserError(
            "%s: not a CAN log of the kind its name says, or damaged behind frame %d (%s)."
            % (path, count, str(error).strip() or type(error).__name__)
        ) from None
    if not count:
        raise UserError("%s: not a single CAN frame is in it." % path, 1)


@contextlib.contextmanager
def open_bus(interface: str, channel: str, bitrate: "int | None") -> Iterator[Any]:
    """Open a bus by python-can and yield it. UserError where that does not work."""
    import can

    options: dict[str, Any] = {} if bitrate is None else {"bitrate": bitrate}
    try:
        bus = can.Bus(interface=interface, channel=channel, **options)
    except (can.CanError, OSError, ImportError, ValueError, TypeError, AttributeError) as error:
        raise UserError(
            "No CAN bus at --interface %s --channel %s: %s. `python -m can.logger --help` lists the interfaces."
            % (interface, channel, str(error).strip().rstrip(".") or type(error).__name__),
            1,
        ) from None
    try:
        yield bus
    except can.CanError as error:
        raise UserError(
            "The CAN bus at %s is gone: %s." % (channel, str(error).rstrip(".")), 1
        ) from None
    finally:
        bus.shutdown()
