"""Opens and reads the log that drivers/flash_log.py writes, where its layout is described. Changes nothing but the names of damaged files."""

import struct

from micropython import const

from drivers.board_files import CRC_BYTES, BoardFiles, crc_of

VERSION = const(1)
PAYLOAD_MAX = const(2048)
SEGMENTS = const(8)
SEGMENT_BYTES = const(8192)

MAGIC = b"OIJ"
SEGMENT = "<3sBI"
SEGMENT_HEAD = const(12)  # bytes
MARK = const(0x4A)
RECORD = "<BBHI"
_HEAD = const(8)
RECORD_MIN = _HEAD + CRC_BYTES  # bytes of a record without payload
_CHUNK = const(128)
_NUMBER_MAX = const(0x3FFFFFFF)
_ENOENT = const(2)

# What a segment's place holds.
FREE = const(0)
USED = const(1)
DEAD = const(2)  # cannot be read, nor be moved out of the way


class LogReader:
    """
    Call `open_step` at rest until it returns True; drivers/log_cursor.py then reads record by record.

    folder          where the files are
    kept            kinds whose newest record `newest` finds
    segments        how many files; at least 2
    segment_bytes   a segment takes records up to this size; one with much to carry may be longer
    files           what opens, renames, removes and makes folders: BoardFiles, or a test's
    note            is told a sentence where something was damaged (drivers: board.note)
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what a test needs smaller than a board
        self,
        folder: str = "/journal",
        kept: tuple = (),
        segments: int = SEGMENTS,
        segment_bytes: int = SEGMENT_BYTES,
        files=None,
        note=None,
    ):
        self._folder = folder.rstrip("/")
        self._kept = kept
        self._segments = segments
        self._segment_bytes = segment_bytes
        self._files = BoardFiles() if files is None else files
        self._note = note
        self.is_open = False
        self.last = 0  # number of the last record that is there for sure; 0: none yet
        self.lost = 0  # records and torn ends left out when the log was opened
        self.rewrites = (
            0  # how often a file took another's place: what was read of it lies elsewhere
        )
        self.problem = ""  # why the last append was not DONE, for a person
        # Of each place: what it holds, and its first record's number.
        self._use = bytearray(segments)
        self._firsts = [0] * segments
        self._step = 0  # next place to look at
        self._skipped = 0  # numbers that may have been given away in files that are lost
        self._now = -1  # place of the segment that is written; -1: none
        self._end = 0  # bytes of it up to the end of its last whole record
        self._is_torn = False  # there is something in it that is no record
        self._newest = {}  # kept kind -> where its newest record lies in it
        self._found = {}  # the same of a segment that is being made
        # The record that was read last.
        self.kind = 0
        self.number = 0
        self.payload = b""
        self.raw_size = 0  # bytes of the file that `raw` read last

    # ------------------------------------------------------------------------------------ opening

    def open_step(self) -> bool:
        """Look at the next file; return whether the log is open. Never raises: what cannot be read is done without."""
        if self.is_open:
            return True
        if self._step < self._segments:
            self._look_at(self._step)
            self._step += 1
            return False
        self._now = self._find_newest()
        try:
            self._scan()
            self.is_open = True
        except OSError:
            # The one before it is read in the next step.
            self._use[self._now] = FREE
            self._set_aside(self._now, "cannot be read to its end")
        return self.is_open

    def open_all(self) -> None:
        """Open the log in one go, which may take as long as reading a whole segment."""
        while not self.open_step():
            pass

    def _look_at(self, n: int) -> None:
        """Read the head of the file at place `n`."""
        self._use[n] = FREE
        self._firsts[n] = 0
        try:
            file = self._files.open(self._path(n), "rb")
        except OSError as error:
            if error.args[0] != _ENOENT:
                self._set_aside(n, "cannot be read")
            return
        try:
            head = file.read(SEGMENT_HEAD)
        except OSError:
            head = b""
        finally:
            file.close()
        if len(head) != SEGMENT_HEAD or crc_of(head[:_HEAD]) != head[_HEAD:]:
            self._set_aside(n, "is damaged or not a journal's")
            return
        magic, version, first = struct.unpack(SEGMENT, head[:_HEAD])
        if magic != MAGIC or version > VERSION or not 0 < first <= _NUMBER_MAX:
            self._set_aside(n, "is a later firmware's or not a journal's")
        elif first in self._firsts[:n]:
            self._set_aside(n, "is a second copy of another")
        else:
            self._use[n] = USED
            self._firsts[n] = first

    def _set_aside(self, n: int, why: str) -> None:
        """Move the file at place `n` out of the way."""
        path = self._path(n)
        # As many numbers as its records may have had: the next append gives none of them again.
        self._skipped += self._segment_bytes // RECORD_MIN
        try:
            self._files.rename(path, path + ".bad")
        except OSError:
            self._use[n] = DEAD
            self._tell("journal: %s %s and cannot be renamed: it is left alone" % (path, why))
        else:
            self._tell(
                "journal: %s %s: it is kept as %s.bad, the others go on" % (path, why, path)
            )

    def _find_newest(self) -> int:
        now = -1
        for n in range(self._segments):
            if self._use[n] == USED and (now < 0 or self._firsts[n] > self._firsts[now]):
                now = n
        return now

    def _scan(self) -> None:
        """Read the newest segment through: its last number, its end, and where what is kept lies. OSError."""
        self._newest = {}
        self._is_torn = False
        self._end = SEGMENT_HEAD
        if self._now < 0:
            self.last = self._skipped
            return
        above = self._firsts[self._now] - 1
        file = self._files.open(self._path(self._now), "rb")
        try:
            size = file.seek(0, 2)
            while True:
                at = self._read_next(file, self._end, size, above)
                if at < 0:
                    break
                if at != self._end:
                    self._lose()
                above = self.number
                if self.kind in self._kept:
                    self._newest[self.kind] = at
                self._end = at + RECORD_MIN + len(self.payload)
            if self._end != size:
                self._lose()
        finally:
            file.close()
            self.payload = b""
        self.last = above + self._skipped

    def _lose(self) -> None:
        self._is_torn = True
        self.lost += 1

    def _tell(self, sentence: str) -> None:
        self.problem = sentence
        if self._note is not None:
            self._note(sentence)

    def _path(self, n: int) -> str:
        return "%s/%d.log" % (self._folder, n)

    # ------------------------------------------------------------------------------------ reading

    def _read_next(self, file, at: int, size: int, above: int) -> int:
        """Read the next whole record of a segment from `at` on whose number is above; return where it begins, -1 for none."""
        while at + RECORD_MIN <= size:
            if self._read_at(file, at, size, above):
                return at
            at = self._next_mark(file, at + 1, size)
            if at < 0:
                break
        return -1

    def _read_at(self, file, at: int, size: int, above: int) -> bool:
        """Read the record at `at`, if there is one."""
        file.seek(at)
        head = file.read(_HEAD)
        if len(head) != _HEAD:
            return False
        mark, kind, length, number = struct.unpack(RECORD, head)
        # A segment's numbers are close together.
        if (
            mark != MARK
            or kind == 0
            or length > PAYLOAD_MAX
            or at + RECORD_MIN + length > size
            or not above < number <= _NUMBER_MAX
        ):
            return False
        payload = file.read(length)
        if len(payload) != length or crc_of(payload, head) != file.read(CRC_BYTES):
            return False
        self.kind = kind
        self.number = number
        self.payload = payload
        return True

    def _next_mark(self, file, at: int, size: int) -> int:
        """Return where the next mark is, -1 where there is none."""
        while at < size:
            file.seek(at)
            some = file.read(_CHUNK)
            if not some:
                break
            n = some.find(b"J")
            if n >= 0:
                return at + n
            at += len(some)
        return -1

    def newest(self, kind: int):
        """Return the payload of the newest record of a kept kind, None where there is none. OSError."""
        self.open_all()
        if kind not in self._newest:
            return None
        at = self._newest[kind]
        is_there = self.read_in(self._now, at, 0) == at and self.kind == kind
        payload = self.payload
        self.payload = b""
        return payload if is_there else None

    def read_in(self, n: int, at: int, above: int) -> int:
        """Read the next whole record of place `n` from byte `at` on, numbered above; return where it begins, -1 for none. OSError."""
        file = self._files.open(self._path(n), "rb")
        try:
            return self._read_next(file, at, file.seek(0, 2), above)
        finally:
            file.close()

    def place_from(self, number: int) -> int:
        """Return the place of the segment that holds `number` or begins next behind it; -1 where there is none."""
        best = -1
        for n in range(self._segments):
            if (
                self._use[n] == USED
                and self._firsts[n] <= number
                and (best < 0 or self._firsts[n] > self._firsts[best])
            ):
                best = n
        return best if best >= 0 else self.place_behind(number)

    def place_behind(self, number: int) -> int:
        """Return the place of the first segment that begins behind `number`; -1 where there is none."""
        best = -1
        for n in range(self._segments):
            if (
                self._use[n] == USED
                and self._firsts[n] > number
                and (best < 0 or self._firsts[n] < self._firsts[best])
            ):
                best = n
        return best

    def is_place(self, n: int) -> bool:
        """Tell whether the log has a place `n`."""
        return 0 <= n < self._segments

    def raw(self, n: int, at: int, count: int) -> bytes:
        """Return up to `count` bytes of the file at place `n` as they are, its length in `raw_size`: 0 without one. OSError."""
        self.raw_size = 0
        try:
            file = self._files.open(self._path(n), "rb")
        except OSError as error:
            if error.args[0] != _ENOENT:
                raise
            return b""
        try:
            self.raw_size = file.seek(0, 2)
            file.seek(min(at, self.raw_size))
            return file.read(count)
        finally:
            file.close()

    def first_of(self, n: int) -> int:
        """Return the number that the segment at place `n` begins with."""
        return self._firsts[n]
