"""Reads a log (drivers/flash_log.py) from its oldest record on, one at a time, with room for one record only."""

from drivers.log_reader import RECORD_MIN, SEGMENT_HEAD, LogReader


class Cursor:
    """
    Call `next` at rest: it allocates. Appends in between do no harm; what has given way meanwhile is passed over.

    after   number of a record: only those behind it are read
    """

    def __init__(self, log: LogReader, after: int = 0):
        self._log = log
        # The record that was read last.
        self.number = after
        self.kind = 0
        self.payload = b""
        self._first = 0  # number that the segment being read begins with; 0: none yet
        self._rewrites = 0
        self._at = 0  # byte to read on at
        self._above = 0  # number of the record before it in the same segment

    def next(self) -> bool:
        """Read the next record into kind, number and payload; return whether there was one. OSError."""
        log = self._log
        log.open_all()
        n = log.place_from(self.number + 1)
        while n >= 0:
            if log.first_of(n) != self._first or log.rewrites != self._rewrites:
                self._rewrites = log.rewrites
                self._first = log.first_of(n)
                self._above = self._first - 1
                self._at = SEGMENT_HEAD
            if self._read(n):
                return True
            n = log.place_behind(self._first)
        return False

    def _read(self, n: int) -> bool:
        """Read the next record of place `n` that was not read yet."""
        log = self._log
        while True:
            at = log.read_in(n, self._at, self._above)
            if at < 0:
                return False
            self._at = at + RECORD_MIN + len(log.payload)
            self._above = log.number
            if log.number > self.number:
                self.kind = log.kind
                self.number = log.number
                self.payload = log.payload
                log.payload = b""
                return True
