"""The board whose pins end in the virtual inlet: readings come from the host, commands go to it.

`virtual_link` is registered by the host that runs this interpreter. Frames are arrays of 32-bit ints whose layout
is FIELDS and ARRAYS of this file; the host reads the same tuples.
"""

import json
import sys
from array import array

import uctypes
import virtual_link  # type: ignore[reportMissingImports] - registered by the host

from drivers.virtual_layout import ARRAYS, COMMANDS, FIELDS, HEADER, RX_INTS, STATUS_RUN


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
    for at in range(len(COMMANDS)):
        lines.append(" tx[%d] = c.%s" % (at, COMMANDS[at]))
    made = {}
    exec("\n".join(lines), made)
    return made["pack"]


class VirtualBoard:
    """Same contract as every board: settings, next_pass, sample, actuate, safe and the rest."""

    def __init__(self):
        self._tx = array("i", [0] * len(COMMANDS))
        self._rx = array("i", [0] * RX_INTS)
        self.words = ""  # no console: nobody asks who this is
        self.crashes = 0  # in a row before this boot: the host knows of none
        self.late = 0  # passes that began late: none, the host's clock waits
        self._unpack = _unpacker()
        self._pack = _packer()

    def settings(self):
        """Return what is stored as settings, None where nothing is."""
        return json.loads(virtual_link.settings())

    def note(self, sentence: str) -> None:
        """Tell a person."""
        print(sentence)  # noqa: T201 - stdout is where the host listens

    def next_pass(self) -> bool:
        """Hand over the last commands, wait for the next period; False when the power ends."""
        virtual_link.exchange(
            uctypes.addressof(self._tx),
            len(self._tx) * 4,
            uctypes.addressof(self._rx),
            len(self._rx) * 4,
        )
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

    def slack(self, may_collect: bool) -> None:
        """Nothing to do: the host collects no garbage for it."""
