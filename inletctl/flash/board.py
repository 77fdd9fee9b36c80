"""The board's side of a flash: small pieces of MicroPython run over a link, and what they answer."""

import binascii
import errno
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from inletctl.flash.plan import DATA, MODULES
from inletctl.flash.transport import BoardSaid, Link
from inletctl.house import FIRMWARE

# Bytes of a file sent at once; as text a third more. Larger pieces are not faster.
PIECE = 1536

_IDENTITY = """
import os, sys
i = sys.implementation
print(i[0])
print(i[1][0], i[1][1], getattr(i, '_mpy', 0) & 65535)
print(sys.platform)
print(getattr(i, '_machine', ''))
"""
_SPACE = """
import os
s = os.statvfs('/')
print(s[1], s[4])
"""
# lib is the user's, the others are other file systems or what an upload left.
_HASHES = """
import binascii, hashlib, os
def _hash(path):
    made = hashlib.sha256()
    buffer = bytearray(1024)
    view = memoryview(buffer)
    with open('/' + path, 'rb') as file:
        while True:
            n = file.readinto(buffer)
            if not n:
                break
            made.update(view[:n])
    return str(binascii.hexlify(made.digest()), 'ascii')
def _walk(folder):
    for entry in os.ilistdir('/' + folder):
        path = folder + '/' + entry[0] if folder else entry[0]
        if entry[1] & 0x4000:
            if path not in ('lib', 'rom', 'remote', 'sd', 'flash.new'):
                _walk(path)
        elif path.endswith(%r) or path in %r:
            print(_hash(path), path)
""" % (MODULES, DATA)
_WRITER = """
from binascii import a2b_base64
def _put(text):
    _file.write(a2b_base64(text))
"""


@dataclass(frozen=True)
class Identity:
    """What runs on the board."""

    implementation: str
    version: tuple[int, int]
    bytecode: int  # major version of the .mpy files it loads; 0 = none
    machine_code: int  # kind of machine code in them, as their third byte says it; 0 = none
    platform: str
    machine: str

    @property
    def chip(self) -> str:
        """Return the chip in lower case: rp2040, rp2350, esp32, esp32s3."""
        return (self.machine.rpartition(" with ")[2].split() or [self.platform])[0].lower()


class BoardSide:
    """A board whose firmware has been stopped."""

    def __init__(self, link: Link):
        self._link = link

    def identify(self) -> Identity:
        """Ask what it is. Raises ValueError where the answer makes no sense."""
        name, numbers, platform, machine = self._link.run(_IDENTITY).split("\n")[:4]
        major, minor, mpy = (int(number) for number in numbers.split())
        return Identity(name, (major, minor), mpy & 255, mpy >> 8, platform, machine)

    def load_helpers(self) -> None:
        """Define on the board what the other methods call; drivers/pending.py is the same that its boot runs."""
        self._link.run((FIRMWARE / "drivers" / "pending.py").read_text(encoding="utf-8"))
        self._link.run(_HASHES + _WRITER)

    def finish(self) -> str:
        """Finish or take back an interrupted flash; return what was done."""
        return self._link.run("print(finish())").strip()

    def hashes(self) -> dict[str, str]:
        """Return path -> SHA-256 of every firmware file."""
        lines = self._link.run("_walk('')").splitlines()
        return {path: digest for digest, _, path in (line.partition(" ") for line in lines)}

    def space(self) -> tuple[int, int]:
        """Return (block size, free blocks)."""
        block, free = self._link.run(_SPACE).split()
        return int(block), int(free)

    def version(self) -> str:
        """Return the first line of version.txt, "" where there is none."""
        try:
            return self._link.run("print(open('/version.txt').readline())").strip()
        except BoardSaid:
            return ""

    def stage(self, path: str, data: bytes, sent: Callable[[int], None]) -> str:
        """Write the new file for `path` where it waits, and return its SHA-256 as the board reads it back."""
        run = self._link.run
        run(
            "if not _exists(os, STAGED):\n os.mkdir(STAGED)\n_file = open(staged(%r), 'wb')" % path
        )
        for at in range(0, len(data), PIECE):
            piece = data[at : at + PIECE]
            run("_put('%s')" % binascii.b2a_base64(piece, newline=False).decode())
            sent(len(piece))
        run("_file.close()")
        return run("print(_hash(staged(%r)[1:]))" % path).strip()

    def commit(self, move: Iterable[str], delete: Iterable[str]) -> None:
        """Make what waits the firmware."""
        self._link.run("commit(%r, %r)" % (list(move), list(delete)))


def is_full(error: BoardSaid) -> bool:
    """Return whether the board's file system has no room left."""
    return error.errno == errno.ENOSPC
