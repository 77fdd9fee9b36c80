"""Flash for the journal's log: a file system whose power goes at any step, and a real littlefs as a Pico's."""

import errno

from littlefs import LittleFS, LittleFSError, UserContext

from drivers.flash_log import DONE, FlashLog
from drivers.log_cursor import Cursor

# As MicroPython mounts a Pico's flash: programs of 256 bytes, reads of 32, caches of 4 programs, 32 bytes of lookahead,
# metadata moved after 100 erases (ports/rp2/modules/_boot.py, extmod/vfs_lfsx.c).
PICO = {
    "block_size": 4096,
    "read_size": 32,
    "prog_size": 256,
    "cache_size": 1024,
    "lookahead_size": 32,
    "block_cycles": 100,
}


class PowerCut(BaseException):
    """The board has no power any more: nothing the firmware does after this counts."""


class FakeFlash:
    """
    A file system whose power goes after `steps` steps: opening to write, each byte, flush, close, rename, remove, mkdir.

    when        what a cut leaves of a file being written: "byte": all that was written (the worst a file system could do),
                "flush": what was flushed, "close": the file as it was before (littlefs)
    """

    def __init__(self, when="byte", files=None, folders=("",)):
        self.when = when
        self.files = dict(files or {})
        self.folders = set(folders) | {path.rpartition("/")[0] for path in self.files}
        self.steps = None  # None: mains
        self.done = 0
        self.broken = set()  # paths that cannot be read
        self.stuck = set()  # paths that cannot be renamed
        self.room = None  # bytes of all files together
        self.forgets = False  # what is written is not kept whole
        self.asked = 0  # the most that was read at once

    def step(self):
        if self.steps is not None and self.done >= self.steps:
            raise PowerCut
        self.done += 1

    def open(self, path, mode):
        if path in self.broken:
            raise OSError(errno.EIO)
        if mode == "rb":
            if path not in self.files:
                raise OSError(errno.ENOENT)
            return Reader(self, self.files[path])
        if path.rpartition("/")[0] not in self.folders:
            raise OSError(errno.ENOENT)
        self.step()
        return Writer(self, path, self.files.get(path, b"") if mode == "ab" else b"")

    def mkdir(self, path):
        if path in self.folders:
            raise OSError(errno.EEXIST)
        self.step()
        self.folders.add(path)

    def rename(self, path, new_path):
        if path in self.stuck:
            raise OSError(errno.EIO)
        self.step()
        self.files[new_path] = self.files.pop(path)

    def remove(self, path):
        self.step()
        del self.files[path]


class Reader:
    def __init__(self, flash, data):
        self.flash, self.data, self.at = flash, data, 0

    def seek(self, offset, whence=0):
        self.at = offset + (len(self.data) if whence == 2 else 0)
        return self.at

    def read(self, size):
        self.flash.asked = max(self.flash.asked, size)
        some = self.data[self.at : self.at + size]
        self.at += len(some)
        return some

    def close(self):
        pass


class Writer:
    def __init__(self, flash, path, data):
        self.flash, self.path, self.data = flash, path, data
        self.others = sum(len(one) for name, one in flash.files.items() if name != path)
        if flash.when != "close":
            flash.files[path] = data

    def keep(self):
        self.flash.files[self.path] = self.data[:-1] if self.flash.forgets else self.data

    def write(self, data):
        for n in range(len(data)):
            self.flash.step()
            if self.flash.room is not None and self.others + len(self.data) >= self.flash.room:
                raise OSError(errno.ENOSPC)
            self.data += bytes(data[n : n + 1])
            if self.flash.when == "byte":
                self.keep()

    def flush(self):
        self.flash.step()
        if self.flash.when == "flush":
            self.keep()

    def close(self):
        self.flash.step()
        self.keep()


class PicoFlash(UserContext):
    """Flash that counts its erases and, if asked, takes a picture after each quarter of every program and erase."""

    def __init__(self, image, has_pictures=False):
        super().__init__(buffer=bytearray(image))
        self.has_pictures = has_pictures
        self.pictures = []
        self.erases = {}  # block -> how often

    def _change(self, start, data):
        for quarter in (1, 2, 3, 4) if self.has_pictures else (4,):
            part = len(data) * quarter // 4
            self.buffer[start : start + part] = data[:part]
            if self.has_pictures:
                self.pictures.append(bytes(self.buffer))
        return 0

    def prog(self, cfg, block, off, data):
        return self._change(block * cfg.block_size + off, data)

    def erase(self, cfg, block):
        self.erases[block] = self.erases.get(block, 0) + 1
        return self._change(block * cfg.block_size, b"\xff" * cfg.block_size)


class LittleFiles:
    """littlefs as the board has it, behind the log's own calls."""

    def __init__(self, image, has_pictures=False):
        self.flash = PicoFlash(image, has_pictures)
        self.mount()

    def mount(self):
        self.fs = LittleFS(
            context=self.flash, block_count=len(self.flash.buffer) // PICO["block_size"], **PICO
        )

    def _call(self, call, *args):
        try:
            return call(*args)
        except FileNotFoundError:
            raise OSError(errno.ENOENT)
        except FileExistsError:
            raise OSError(errno.EEXIST)
        except LittleFSError as error:
            raise OSError(-error.code)

    def open(self, path, mode):
        return LittleFile(self, self._call(self.fs.open, path, mode))

    def rename(self, path, new_path):
        self._call(self.fs.rename, path, new_path)

    def remove(self, path):
        self._call(self.fs.remove, path)

    def mkdir(self, path):
        self._call(self.fs.mkdir, path)


class LittleFile:
    def __init__(self, files, file):
        self._files, self._file = files, file

    def __getattr__(self, name):
        call = getattr(self._file, name)
        return lambda *args: self._files._call(call, *args)


def empty_pico(blocks):
    """Return a formatted flash of so many blocks."""
    return bytes(LittleFS(block_count=blocks, **PICO).context.buffer)


def records_of(log, after=0):
    """Return every record: [(number, kind, payload)]."""
    cursor = Cursor(log, after)
    found = []
    while cursor.next():
        found.append((cursor.number, cursor.kind, bytes(cursor.payload)))
    return found


class Keeper:
    """Appends to a log and holds what it answered DONE for against what is read back."""

    def __init__(self, kept=()):
        self.kept = kept
        self.acked = []  # (number, kind, payload)
        self.flying = None  # (kind, payload) whose append has not answered

    def append(self, log, kind, payload):
        self.flying = (kind, payload)
        assert log.append(kind, payload, True) == DONE, log.problem
        self.acked.append((log.last, kind, payload))
        self.flying = None

    def check(self, log):
        """Every acknowledged record that has not given way is there, whole; nothing else but the one in flight and copies."""
        found = records_of(log)
        numbers = [number for number, _kind, _payload in found]
        assert numbers == sorted(set(numbers))
        whole = {number: (kind, payload) for number, kind, payload in found}
        oldest = numbers[0] if numbers else 0
        for number, kind, payload in self.acked:
            if number >= oldest:
                assert whole.pop(number, None) == (kind, payload), number
        if self.acked:
            assert numbers and self.acked[-1][0] >= oldest
        ours = {(kind, payload) for _number, kind, payload in self.acked}
        if self.flying is not None:
            ours.add(self.flying)
        for number, one in whole.items():
            assert one in ours, "record %d was never written" % number
            assert one == self.flying or one[0] in self.kept, "record %d is there twice" % number
        for kept in self.kept:
            last = [payload for _number, kind, payload in self.acked if kind == kept][-1:]
            may = {*last, *([self.flying[1]] if self.flying and self.flying[0] == kept else [])}
            newest = log.newest(kept)
            assert (newest is None and not last) or bytes(newest or b"") in may
        return found


def make_log(files, kept=(), segments=3, segment_bytes=300, note=None):
    return FlashLog("/journal", kept, segments, segment_bytes, files, note)
