"""Hear what the board reports on its console (firmware/vehicle/console.py) among whatever else it says."""

import binascii
import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from inletctl.flash.transport import Link, LinkLost
from inletctl.house import use_firmware

use_firmware()

from drivers.virtual_layout import COMMANDS  # noqa: E402
from faults import F_INTERNAL  # noqa: E402
from interlock import CHARGING, STOPPING  # noqa: E402

# The board's queue may hold four old lines, sent at 800 bytes a second: after these 2.5 s the newest line heard is
# at most a second old.
LISTEN_S = 2.5
_LINE = re.compile(
    rb'(\{"v":1,"t":\d+,"n":\d+,"c":\[-?\d+(?:,-?\d+)*\],"late":\d+),"x":"([0-9a-f]{4})"\}\r?$'
)
# Longer than any line; what has no line end by then is noise.
_LONGEST = 2000


@dataclass(frozen=True)
class ReportLine:
    """One valid report line."""

    t_ms: int
    number: int
    commands: dict[str, int]
    late: int

    @property
    def is_energised(self) -> bool:
        """Return whether stopping the firmware now would interrupt a charge."""
        return self.commands["session"] in (CHARGING, STOPPING) or self.commands["s2_close"] != 0

    @property
    def is_healthy(self) -> bool:
        """Return whether the firmware itself works; what hangs on the board's pins is another matter."""
        return not self.commands["faults"] & F_INTERNAL


def parse(line: bytes) -> ReportLine | None:
    """Return the report at the end of `line`, None where there is no whole one with a right check sum."""
    found = _LINE.search(line)
    if found is None:
        return None
    body, crc = found.groups()
    if binascii.crc_hqx(body, 0xFFFF) != int(crc, 16):
        return None
    made = json.loads(body + b"}")
    if len(made["c"]) != len(COMMANDS):
        return None
    return ReportLine(made["t"], made["n"], dict(zip(COMMANDS, made["c"])), made["late"])


class Listener:
    """Splits what comes into lines; keeps the newest report and the last words that are none."""

    def __init__(self) -> None:
        self.newest: ReportLine | None = None
        self.words = ""
        self.is_lost = False  # the link broke while listening
        self._rest = b""

    def feed(self, data: bytes) -> list[ReportLine]:
        """Return the reports that `data` completes."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._rest = self._rest[-_LONGEST:]
        reports = []
        for line in lines:
            report = parse(line)
            if report is not None:
                reports.append(report)
                self.newest = report
            elif line.strip() and not line.startswith(b"{"):
                self.words = line.decode(errors="replace").strip()
        return reports


def listen(link: Link, clock: Callable[[], float], seconds: float = LISTEN_S) -> Listener:
    """Listen for `seconds` and return what was heard. Raises LinkLost."""
    listener = Listener()
    until = clock() + seconds
    while (left := until - clock()) > 0:
        listener.feed(link.read(min(left, 0.2)))
    return listener


def wait_healthy(link: Link, clock: Callable[[], float], seconds: float) -> Listener:
    """Listen until a healthy report comes, at most `seconds`; its `newest` tells whether one did.

    A lost link ends the wait.
    """
    listener = Listener()
    until = clock() + seconds
    while (left := until - clock()) > 0:
        try:
            reports = listener.feed(link.read(min(left, 0.2)))
        except LinkLost:
            listener.is_lost = True
            break
        if any(report.is_healthy for report in reports):
            break
    return listener
