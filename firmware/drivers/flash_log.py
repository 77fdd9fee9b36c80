"""An append log on the board's flash: what `append` has answered DONE for is there after any power cut, whole.

Layout. A few segment files in one folder, filled one after the other and then in turn, so that size and wear are bounded.
A segment begins with a head: "OIJ", version (1 byte), number of its first record (4 bytes), CRC-32 over both (4 bytes). Then
records, one behind the other: mark "J", kind (1 byte, 1..255), length of the payload (2 bytes), number (4 bytes, rising by one
each), payload, CRC-32 over all of it (4 bytes). Low byte first everywhere.

A record goes behind the last one, is read back, and counts from then on. A segment that is full, and one whose end is not
whole, is never written on: a file beside it is written, read back and renamed over the oldest segment, or over the torn one
with its whole records in it; littlefs renames at once or not at all. Each segment begins with the newest record of every
*kept* kind, so what is a state (the trouble memory, wear) outlives its turn and is found by reading one segment.

What cannot be believed is left out: a torn end, a record whose CRC is wrong (those behind it are found again by their mark,
CRC and number), and a file that is no segment is renamed (".bad", one for each place) and told of.

Knows nothing of what a kind means. To be used at rest only: a flash erase stops the CPU, for 45 ms typically and 400 ms at
most (the maker's figures for the sector erase of a Pico's W25Q16JV), longer than the dead-man on S2 waits; an append costs one
or two of them, a segment made anew three or four.
"""

import struct

from micropython import const

from drivers.board_files import BoardFiles, crc_of
from drivers.log_reader import (
    FREE,
    MAGIC,
    MARK,
    PAYLOAD_MAX,
    RECORD,
    RECORD_MIN,
    SEGMENT,
    SEGMENT_HEAD,
    USED,
    VERSION,
    LogReader,
)

# What `append` answers.
DONE = const(0)
BUSY = const(1)
FULL = const(2)
BROKEN = const(3)
TOO_LONG = const(4)
ANSWER_NAMES = ("done", "busy", "full", "broken", "too_long")

_ENOENT = const(2)
_EEXIST = const(17)
_ENOSPC = const(28)


class FedFiles:
    """The board's file system, the watchdog fed before each step that may erase: a segment made anew takes several erases."""

    def __init__(self, feed, files=None):
        self._feed = feed
        self._files = BoardFiles() if files is None else files

    def open(self, path: str, mode: str):
        self._feed()
        file = self._files.open(path, mode)
        return file if mode == "rb" else _FedFile(self._feed, file)

    def rename(self, path: str, new_path: str) -> None:
        self._feed()
        self._files.rename(path, new_path)

    def remove(self, path: str) -> None:
        self._feed()
        self._files.remove(path)

    def mkdir(self, path: str) -> None:
        self._feed()
        self._files.mkdir(path)


class _FedFile:
    """A file that is written."""

    def __init__(self, feed, file):
        self._feed = feed
        self._file = file

    def write(self, data) -> None:
        self._feed()
        self._file.write(data)

    def flush(self) -> None:
        self._feed()
        self._file.flush()

    def close(self) -> None:
        self._feed()
        self._file.close()


class FlashLog(LogReader):
    """Call `open_step` at rest until it returns True, then `append` at rest. The folder is made where it is not there."""

    def append(self, kind: int, payload, is_idle: bool) -> int:
        """Write a record of `kind` (1..255) and return DONE; its number is `last`. Else why not: nothing is lost then.

        payload     bytes or a buffer, PAYLOAD_MAX at most
        is_idle     nothing is energised and no motor runs; else BUSY
        """
        if not is_idle:
            self.problem = "journal: not written while charging or moving the lock"
            return BUSY
        if len(payload) > PAYLOAD_MAX:
            self.problem = "journal: a record of %d bytes, %d at most" % (
                len(payload),
                PAYLOAD_MAX,
            )
            return TOO_LONG
        answer = DONE
        self.problem = ""
        try:
            self.open_all()
            if not self._put(kind, payload):
                answer = BROKEN
                self.problem = "journal: the flash does not keep what is written"
        except OSError as error:
            if error.args and error.args[0] == _ENOSPC:
                answer = FULL
                self.problem = "journal: the flash is full; delete files of your own on the board"
            else:
                answer = BROKEN
                self.problem = "journal: the flash cannot be written: %s" % error
        except MemoryError:
            answer = BROKEN
            self.problem = "journal: no memory left to write a record"
        if answer != DONE:
            self._forget()
        return answer

    def _forget(self) -> None:
        """Look again at what is on flash before anything else is written there."""
        self.is_open = False
        self._step = 0
        self._skipped = 0
        for n in range(self._segments):
            self._firsts[n] = 0

    def _put(self, kind: int, payload) -> bool:
        """Write a record where it belongs; return whether it is there."""
        size = RECORD_MIN + len(payload)
        number = self.last + 1
        now = self._now
        if now >= 0 and self._end + size <= self._segment_bytes:
            if self._is_torn:
                return self._write_beside(now, self._firsts[now], True, kind, payload)
            file = self._files.open(self._path(now), "ab")
            try:
                self._write_record(file, kind, number, payload)
                file.flush()
            finally:
                file.close()
            if not self._is_there(self._path(now), self._end, kind, number):
                return False
            self._count(self._end, size, kind, number)
            return True
        return self._write_beside(self._oldest(), number, False, kind, payload)

    def _oldest(self) -> int:
        """Return the place for a new segment: a free one, or that of the oldest. OSError where there is none."""
        best = -1
        for n in range(self._segments):
            if self._use[n] == FREE:
                return n
            if (
                self._use[n] == USED
                and n != self._now
                and (best < 0 or self._firsts[n] < self._firsts[best])
            ):
                best = n
        if best < 0:
            raise OSError("no file of the journal can be replaced")
        return best

    def _write_beside(self, n: int, first: int, is_copy: bool, kind: int, payload) -> bool:
        """Write a segment beside the others and put it at place `n`: what stays, then the record.

        is_copy     all whole records of the present segment stay, under their numbers; else only what is kept, under new ones
        """
        path = self._folder + "/new.tmp"
        file = self._create(path)
        try:
            head = struct.pack(SEGMENT, MAGIC, VERSION, first)
            file.write(head)
            file.write(crc_of(head))
            self._found = {}
            end = self._carry(file, first, is_copy, kind)
            number = self.last + 1 if is_copy else first + len(self._found)
            self._write_record(file, kind, number, payload)
            file.flush()
        finally:
            file.close()
        if not self._is_there(path, end, kind, number):
            return False
        self._files.rename(path, self._path(n))
        self._use[n] = USED
        self._firsts[n] = first
        self._now = n
        self._newest = self._found
        self._is_torn = False
        self.rewrites += 1
        self._count(end, RECORD_MIN + len(payload), kind, number)
        return True

    def _carry(self, file, number: int, is_copy: bool, kind: int) -> int:
        """Write what stays of the present segment, numbered from `number` on; return where the next record goes."""
        end = SEGMENT_HEAD
        if self._now < 0:
            return end
        source = self._files.open(self._path(self._now), "rb")
        try:
            at = SEGMENT_HEAD
            above = 0
            while True:
                at = self._read_next(source, at, self._end, above)
                if at < 0:
                    return end
                above = self.number
                if is_copy or (self._newest.get(self.kind) == at and self.kind != kind):
                    self._write_record(file, self.kind, above if is_copy else number, self.payload)
                    if self.kind in self._kept:
                        self._found[self.kind] = end
                    end += RECORD_MIN + len(self.payload)
                    number += 1
                at += RECORD_MIN + len(self.payload)
        finally:
            source.close()
            self.payload = b""

    def _create(self, path: str):
        try:
            return self._files.open(path, "wb")
        except OSError as error:
            if error.args[0] != _ENOENT:
                raise
        try:
            self._files.mkdir(self._folder)
        except OSError as error:
            if error.args[0] != _EEXIST:
                raise
        return self._files.open(path, "wb")

    def _write_record(self, file, kind: int, number: int, payload) -> None:
        head = struct.pack(RECORD, MARK, kind, len(payload), number)
        file.write(head)
        file.write(payload)
        file.write(crc_of(payload, head))

    def _is_there(self, path: str, at: int, kind: int, number: int) -> bool:
        """Tell whether the file ends with this record, read back."""
        file = self._files.open(path, "rb")
        try:
            size = file.seek(0, 2)
            is_whole = self._read_at(file, at, size, number - 1)
            end = at + RECORD_MIN + len(self.payload)
        finally:
            file.close()
            self.payload = b""
        return is_whole and self.number == number and self.kind == kind and end == size

    def _count(self, at: int, size: int, kind: int, number: int) -> None:
        """Take a record in that is there."""
        self._end = at + size
        self.last = number
        if kind in self._kept:
            self._newest[kind] = at
