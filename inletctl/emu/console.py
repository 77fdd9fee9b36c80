"""The board's USB serial port on the host side, and the report lines in it.

rp2040py's own serial host answers every empty read at once with no data, and the board arms the next at once: an
interrupt storm that would leave the firmware no time. A real host just does not send; so here a read is completed
only when there is something to send.
"""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from rp2040py.usb.cdc import USBCDC

COMMANDS = 16  # values in a report's "c"
_MARK = b',"x"'
_LINE_MAX = 4096


class Report(NamedTuple):
    """One report line of the board (vehicle/console.py)."""

    t_ms: int  # the board's own tick
    number: int
    commands: tuple[int, ...]  # in the order of drivers.virtual_layout.COMMANDS
    late: int  # passes that began late


def crc16(data: bytes) -> int:
    """Return CRC-16/CCITT-FALSE (polynomial 0x1021, start 0xFFFF)."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte << 8
        for _bit in range(8):
            crc = (crc << 1 ^ 0x1021) & 0xFFFF if crc & 0x8000 else crc << 1
    return crc


def parse_report(line: bytes) -> "Report | None":
    """Return the report in `line`, None where it is none. Raises ValueError for one that is damaged."""
    if not line.startswith(b'{"v":'):
        return None
    body, mark, _rest = line.rpartition(_MARK)
    if not mark:
        raise ValueError("a report line without its check sum")
    try:
        values = json.loads(line)
        given = int(values["x"], 16)
        report = Report(values["t"], values["n"], tuple(values["c"]), values["late"])
    except (KeyError, TypeError, ValueError):
        raise ValueError("a report line that cannot be read") from None
    if given != crc16(body):
        raise ValueError("a report line whose check sum is wrong")
    if values["v"] != 1 or len(report.commands) != COMMANDS:
        raise ValueError("a report line of another version")
    if not all(type(value) is int for value in (*report.commands, report.t_ms, report.number)):
        raise ValueError("a report line with something in it that is no whole number")
    return report


class Lines:
    """Bytes of the board sorted into reports and words. `on_report` and `on_words` are called a line."""

    def __init__(self) -> None:
        self.on_report: Callable[[Report], None] | None = None
        self.on_words: Callable[[str], None] | None = None
        self.words: list[str] = []  # lines that are no reports, newest last
        self.damaged = 0
        self.lost = 0  # reports the board itself dropped, told by the gaps in their numbers
        self._next = -1
        self._part = b""

    def feed(self, data: bytes) -> None:
        """Take bytes as they come."""
        self._part += data
        *lines, self._part = self._part.split(b"\n")
        for line in lines:
            self._take(line.rstrip(b"\r"))
        if len(self._part) > _LINE_MAX:
            self._part = self._part[-_LINE_MAX:]

    @property
    def unfinished(self) -> str:
        """What has come of the line that is not at its end, such as the prompt `>>> `."""
        return self._part.decode("utf-8", "replace")

    def restart(self) -> None:
        """The board boots: its numbers begin anew, a line in flight is gone."""
        self._part = b""
        self._next = -1

    def _take(self, line: bytes) -> None:
        # A board that was reset within a line goes on in the middle of it.
        at = line.find(b'{"v":')
        if at > 0:
            self._say(line[:at])
            line = line[at:]
        try:
            report = parse_report(line)
        except ValueError:
            self.damaged += 1
            self._say(line)
            return
        if report is None:
            self._say(line)
            return
        if self._next >= 0 and report.number > self._next:
            self.lost += report.number - self._next
        self._next = report.number + 1
        if self.on_report is not None:
            self.on_report(report)

    def _say(self, line: bytes) -> None:
        text = line.decode("utf-8", "replace").strip()
        if text:
            self.words = [*self.words[-199:], text]
            if self.on_words is not None:
                self.on_words(text)


class Console:
    """A host at the chip's USB port with the serial port open."""

    def __init__(self, usb: Any, on_bytes: Callable[[bytes], None]):
        self.received = 0
        self._usb = usb
        self._cdc: Any = USBCDC(usb)
        self._on_bytes = on_bytes
        self._cdc.on_serial_data = self._take
        self._answer = usb.on_endpoint_read  # rp2040py's own
        self._armed = 0  # reads the board waits for; their length
        self._waiting = bytearray()
        usb.on_endpoint_read = self._read
        own_reset = usb.on_reset

        def forget() -> None:
            self._armed = 0
            self._waiting.clear()
            own_reset()

        usb.on_reset = forget

    def send(self, data: bytes) -> None:
        """Type `data`; it goes out as soon as the board reads."""
        self._waiting += data
        self._give()

    def _take(self, data: bytes) -> None:
        self.received += len(data)
        self._on_bytes(bytes(data))

    def _read(self, endpoint: int, size: int) -> None:
        # Until enumeration is over rp2040py does not know which endpoint is the serial port's; the control
        # endpoint's reads are its own.
        if endpoint == 0 or endpoint != self._cdc._out_endpoint:
            self._answer(endpoint, size)
            return
        self._armed = size
        self._give()

    def _give(self) -> None:
        if not self._armed or not self._waiting:
            return
        size = min(self._armed, len(self._waiting))
        data, self._armed = bytes(self._waiting[:size]), 0
        del self._waiting[:size]
        self._usb.endpoint_read_done(self._cdc._out_endpoint, data)
