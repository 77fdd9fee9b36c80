"""The board whose pins end in the virtual inlet: readings come from the host, commands go to it.

`virtual_link` is registered by the host that runs this interpreter. Frames are arrays of 32-bit ints whose layout
is FIELDS and ARRAYS of this file; the host reads the same tuples.
"""

import json
import sys
from array import array

import uctypes
import virtual_link  # type: ignore[reportMissingImports] - registered by the host

from drivers.virtual_layout import (
    ARRAYS,
    CAR_COMMANDS,
    CAR_IN_AT,
    CAR_OUT,
    CAR_OUT_AT,
    COMMANDS,
    FIELDS,
    HEADER,
    RX_INTS,
    STATUS_RUN,
    TX_INTS,
)

_LINES_AT = CAR_OUT_AT + CAR_OUT.index("lines_outputs")
_FRAMES_AT = CAR_OUT_AT + CAR_OUT.index("frames")


def _unpacker():
    """Return unpack(readings, frame), one assignment a field: half the time of a loop over names."""
    lines = ["def unpack(r, rx):"]
    at = HEADER
    for name in FIELDS:
        lines.append(" r.%s = rx[%d]" % (name, at))
        at += 1
    for name, size in ARRAYS:
        lines.append(" a = r.%s" % name)
        for n in range(size):
            lines.append(" a[%d] = rx[%d]" % (n, at))
            at += 1
    made = {}
    exec("\n".join(lines), made)
    return made["unpack"]


def _packer():
    """Return pack(commands, frame), one assignment a field."""
    lines = ["def pack(c, tx):"]
    names = COMMANDS + CAR_COMMANDS
    for at in range(len(names)):
        lines.append(" tx[%d] = c.%s" % (at, names[at]))
    made = {}
    exec("\n".join(lines), made)
    return made["pack"]


class VirtualBoard:
    """Same contract as every board: settings, next_pass, sample, actuate, safe and the rest."""

    def __init__(self):
        self._tx = array("i", [0] * TX_INTS)
        self._rx = array("i", [0] * RX_INTS)
        self.words = ""  # no console: nobody asks who this is
        self.crashes = 0  # in a row before this boot: the host knows of none
        self.late = 0  # passes that began late: none, the host's clock waits
        self._unpack = _unpacker()
        self._pack = _packer()
        self._lines = None

    def settings(self):
        """Return what is stored as settings, None where nothing is."""
        return json.loads(virtual_link.settings())

    def open_can(self, *_rate):
        """Return the CAN controller; it is always fitted, and answers as the host's does."""
        from drivers.virtual_car import VirtualCan

        return VirtualCan(self._rx, CAR_IN_AT, self._tx, CAR_OUT_AT)

    def open_lines(self):
        """Return the discrete lines, None where none are fitted."""
        from drivers.virtual_car import VirtualLines, has_lines

        if not has_lines(self.settings()):
            return None
        self._lines = VirtualLines(self._rx, CAR_IN_AT)
        return self._lines

    def note(self, sentence: str) -> None:
        """Tell a person."""
        print(sentence)  # noqa: T201 - stdout is where the host listens

    def next_pass(self) -> bool:
        """Hand over the last commands, wait for the next period; False when the power ends."""
        tx = self._tx
        if self._lines is not None:
            tx[_LINES_AT] = self._lines.outputs
        virtual_link.exchange(
            uctypes.addressof(tx),
            len(tx) * 4,
            uctypes.addressof(self._rx),
            len(self._rx) * 4,
        )
        tx[_FRAMES_AT] = 0  # they are on their way
        return self._rx[0] == STATUS_RUN

    def now_ms(self) -> int:
        """Return the tick of this pass."""
        return self._rx[1]

    def sample(self, r) -> None:
        """Fill `r` with this pass's readings."""
        self._unpack(r, self._rx)

    def actuate(self, c) -> None:
        """Obey `c` from now on."""
        self._pack(c, self._tx)

    def safe(self) -> None:
        """Every output to its safe level."""
        for n in range(len(self._tx)):
            self._tx[n] = 0

    def failed(self, error) -> None:
        """Record why the loop ended."""
        virtual_link.failed(repr(error))
        sys.print_exception(error)

    def feed_watchdog(self) -> None:
        """Nothing to feed: the host sees every pass."""

    def stop_watchdog(self) -> None:
        """There is none."""

    def talk(self, report) -> None:
        """Drop the report: the host gets every command whole."""
        while report.pending():
            report.take()

    def begin_long(self) -> None:
        """Nothing to mark: the host's clock waits."""

    def end_long(self) -> None:
        """No schedule was missed."""

    def slack(self, may_collect: bool) -> None:
        """Nothing to do: the host collects no garbage for it."""
