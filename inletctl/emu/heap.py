"""MicroPython's heap as the emulated chip's RAM holds it, read from outside: the board neither knows nor is disturbed.

MicroPython's collector keeps two bits a block of 16 bytes in a table: 0 = free, else a piece's head, its tail, or a marked head. The
record that says where the table and the blocks lie is part of the interpreter's own state (py/mpstate.h, mp_state_mem_area_t):
table, its length, finaliser table, first block, end of the last. It lies somewhere else in each image, so it is found by what its
five numbers must be to each other (py/gc.c, gc_setup_area).
"""

import re
import struct
from dataclasses import dataclass
from typing import Any

from inletctl.errors import UserError

RAM_START = 0x2000_0000
BLOCK_BYTES = 16
_BLOCKS_A_BYTE = 4
# Between the two tables.
_GAP_BYTES = 1
# What the rounding of both tables may leave between the second and the first block.
_REST_BYTES = 128
_FREE_IN = bytes(sum((byte >> 2 * n & 3) == 0 for n in range(4)) for byte in range(256))
_BLOCKS = [bytes((byte >> 2 * n & 3) != 0 for n in range(4)) for byte in range(256)]
_FREE_RUN = re.compile(b"\\0+")


@dataclass(frozen=True)
class Heap:
    """Bytes: all there are, those in use (garbage not yet collected is in use), and the largest free piece."""

    size: int
    used: int
    piece: int

    @property
    def free(self) -> int:
        """Return how many bytes are free."""
        return self.size - self.used


@dataclass(frozen=True)
class Place:
    """Where the collector's table lies, as an offset into the RAM, and its length in bytes."""

    start: int
    length: int

    @property
    def size(self) -> int:
        """Return how many bytes the heap has."""
        return self.length * _BLOCKS_A_BYTE * BLOCK_BYTES


def find_heap(ram: Any) -> "Place | None":
    """Return where the heap of a MicroPython that runs is; None where there is none yet.

    Raises UserError where there is more than one: then this is no image that this module knows.
    """
    data = bytes(ram)
    words = struct.unpack("<%dI" % (len(data) // 4), data[: len(data) // 4 * 4])
    end = RAM_START + len(data)
    found = [
        Place(words[n] - RAM_START, words[n + 1])
        for n in range(len(words) - 4)
        if RAM_START <= words[n] < end and _is_area(words[n : n + 5], end)
    ]
    if len(set(found)) > 1:
        raise UserError(
            "the emulated chip's RAM holds %d heaps, so this image's memory cannot be read; use MicroPython 1.28 or 1.29 for board RPI_PICO"
            % len(set(found)),
            1,
        )
    return found[0] if found else None


def _is_area(record: tuple[int, ...], end: int) -> bool:
    table, length, finalisers, first, last = record
    if not 0 < length <= end - table or finalisers != table + length + _GAP_BYTES:
        return False
    after = finalisers + (length * _BLOCKS_A_BYTE + 7) // 8
    return (
        last <= end
        and last - first == length * _BLOCKS_A_BYTE * BLOCK_BYTES
        and 0 <= first - after < _REST_BYTES
    )


class HeapReader:
    """Reads one chip's heap; finds it at the first call that MicroPython has set it up by."""

    def __init__(self, ram: Any):
        self._ram = ram
        self._place: "Place | None" = None

    def restart(self) -> None:
        """The chip was reset: the heap is set up anew."""
        self._place = None

    def place(self) -> "Place | None":
        """Return where the heap is, None as long as there is none. Raises UserError as find_heap does."""
        if self._place is None:
            self._place = find_heap(self._ram)
        return self._place

    def used(self) -> "int | None":
        """Return the bytes in use now; None as long as there is no heap."""
        place = self.place()
        if place is None:
            return None
        table = bytes(self._ram[place.start : place.start + place.length])
        return place.size - BLOCK_BYTES * sum(table.translate(_FREE_IN))

    def read(self) -> "Heap | None":
        """Return the heap as it is now; None as long as there is none."""
        place = self.place()
        if place is None:
            return None
        table = bytes(self._ram[place.start : place.start + place.length])
        blocks = b"".join([_BLOCKS[byte] for byte in table])
        largest = max([len(run) for run in _FREE_RUN.findall(blocks)], default=0)
        return Heap(place.size, BLOCK_BYTES * sum(blocks), BLOCK_BYTES * largest)
