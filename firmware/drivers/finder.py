r"""Finds this firmware's modules in the one file that `make flash` has packed them into.

MicroPython asks whether a module is a folder, a text and compiled code before it opens it, and littlefs reads and checks
the folders on the way for each answer: a third of a boot. Each file it opens leaves 1.2 KB of garbage, too, which splits
the heap for good. The packed file is opened once:

    openinlet modules 1 nnnnn\n   entries that follow
    name, offset, size            4 bytes each, little endian; name as `name_of` has it; size 0: a folder
    ...                           the modules, as they are

Boot calls `install`; where there is no such file, modules are found as ever.
"""

import sys

from micropython import const

# By their names with a "u" the board finds them without a look at the file system.
_U = "u" if sys.implementation.name == "micropython" else ""
array = __import__(_U + "array").array
crc32 = __import__(_U + "binascii").crc32
io = __import__(_U + "io")

PACKED = "/modules.bin"
HEAD = b"openinlet modules 1 "
HEAD_BYTES = const(26)
# Where import finds them: nothing else is there, and nothing can be listed.
ROOT = "/m"

_PIECE = const(1024)
# What import asks a stream for (MicroPython's py/stream.h), and the most it takes at once.
_GET_BUFFER_SIZE = const(11)
_CLOSE = const(4)
_BUFFER_BYTES = const(255)
_FOLDER = (0x4000, 0, 0, 0, 0, 0, 0, 0, 0, 0)
_FILE = (0x8000, 0, 0, 0, 0, 0, 0, 0, 0, 0)
_ENOENT = const(2)


def name_of(path: str) -> int:
    """Return the 30 bits that stand for a path, as "/pilot/duty.mpy" or "/pilot": its CRC-32's lowest."""
    return crc32(path.encode()) & 0x3FFFFFFF


class Part(io.IOBase):
    """A module's bytes, read piece by piece: slower than a copy of all of it, and needs no room in one piece."""

    def __init__(self, file, at: int, left: int):
        self._file = file
        self._at = at
        self._left = left

    def readinto(self, buffer) -> int:
        """Fill `buffer` as far as there is anything left; return how many bytes that were."""
        count = min(len(buffer), self._left)
        self._file.seek(self._at)
        self._file.readinto(memoryview(buffer)[:count])
        self._at += count
        self._left -= count
        return count

    def ioctl(self, request: int, argument: int) -> int:
        """Answer import: how much it may ask for at once, and that it may end."""
        if request == _GET_BUFFER_SIZE:
            return _BUFFER_BYTES
        return 0 if request == _CLOSE else -1


class Finder:
    """A file system for `import` alone, over the open packed file. Raises ValueError where that is none."""

    def __init__(self, file):
        head = file.read(HEAD_BYTES)
        if head[: len(HEAD)] != HEAD or head[HEAD_BYTES - 1 :] != b"\n":
            raise ValueError("%s holds no modules" % PACKED)
        self._file = file
        entries = array("I", file.read(int(head[len(HEAD) : -1]) * 12))
        self._entries = entries
        self._at = {}
        for at in range(0, len(entries), 3):
            self._at[entries[at]] = at
        self._piece = bytearray(_PIECE)

    def mount(self, readonly, mkfs) -> None:
        """Say that it is mounted."""

    def umount(self) -> None:
        """Say that it is not."""

    def ilistdir(self, path: str):
        """Return nothing: whoever walks over all files finds the packed one at its own place."""
        return iter(())

    def stat(self, path: str):
        """Return what `path` is, with nothing but its kind. Raises OSError where it is no module of ours."""
        at = self._at.get(name_of(path))
        if at is None:
            # A new one each: MicroPython adds to one that is raised again each place it came from, for good.
            raise OSError(_ENOENT)
        return _FILE if self._entries[at + 2] else _FOLDER

    def open(self, path: str, mode: str):
        """Return a module's bytes as a stream. Raises OSError where it is none of ours."""
        at = self._at.get(name_of(path))
        if at is None:
            raise OSError(_ENOENT)
        left = self._entries[at + 2]
        file = self._file
        try:
            # As large as it becomes, and given back when import closes it, before the module runs. CPython's takes no size.
            made = io.BytesIO(left) if _U else io.BytesIO()
        except MemoryError:
            # A heap that has been used for a while has room, but not in one piece.
            return Part(file, self._entries[at + 1], left)
        file.seek(self._entries[at + 1])
        piece = self._piece
        while left > _PIECE:
            left -= file.readinto(piece)
            made.write(piece)
        file.readinto(piece)
        made.write(memoryview(piece)[:left])
        made.seek(0)
        return made


def install() -> None:
    """Let every import from here on look into the packed file, also for packages that are loaded already.

    Raises OSError or ValueError where the file is there and cannot be used.
    """
    try:
        file = open(PACKED, "rb")
    except OSError:
        return  # modules by themselves, as they are in the sources
    import vfs

    try:
        vfs.mount(Finder(file), ROOT)
    except (OSError, ValueError):
        file.close()
        raise
    sys.path.insert(0, ROOT)
    # A text on MicroPython, a list elsewhere.
    sys.modules["drivers"].__path__ = ROOT + "/drivers"  # type: ignore[attr-defined]
