"""The MicroPython image that the emulated RP2040 boots: where it comes from, and whether it is one.

A UF2 file is a row of 512-byte blocks, each with its flash address and 256 bytes (Microsoft's UF2 format, RP2040
datasheet 2.8.4.2). Every block is looked at before anything runs: a file cut short would boot halfway.
"""

import os
import struct
from dataclasses import dataclass
from pathlib import Path

from inletctl.errors import UserError

VARIABLE = "MICROPYTHON_UF2"
FLASH_BASE = 0x1000_0000
FLASH_BYTES = 2 * 1024 * 1024  # of a Pico
HOW_TO_GET = (
    "download the .uf2 of board RPI_PICO, version 1.28 or later, from MicroPython's download page and give it "
    "with --uf2 (make emu UF2=...) or in the environment variable " + VARIABLE
)

_BLOCK = 512
_HEAD = struct.Struct("<8I")
_MAGIC_0, _MAGIC_1, _MAGIC_END = 0x0A324655, 0x9E5D5157, 0x0AB16F30
_NOT_FLASH, _HAS_FAMILY = 0x0000_0001, 0x0000_2000
_FAMILY_RP2040 = 0xE48BFF56
_DATA_MAX = 476
# Tried in this order; rp2040py knows where each is to be had and keeps what it got.
_TAGS = ("1.29", "1.28")

# What the program tells of itself (Raspberry Pi's "binary info"): a header within the first 256 bytes behind the
# boot stage, pointers to records of (type u16, tag u16, ...).
_INFO_START, _INFO_END = 0x7188_EBF2, 0xE71A_A390
_INFO_STRING, _INFO_BLOCK_DEVICE = 6, 7
_INFO_VERSION = 0x11A9_BC3A


@dataclass(frozen=True)
class Layout:
    """Where the file system lies in the flash: offset from its start, and blocks of 4096 bytes."""

    start: int
    blocks: int
    block_bytes: int = 4096


# The Pico's, where the image does not say: the last 1408 KiB of 2 MiB.
PICO_LAYOUT = Layout(0xA0000, 352)


@dataclass(frozen=True)
class Image:
    """A checked image: `program` from the start of the flash on."""

    path: Path
    program: bytes
    layout: Layout
    version: str  # as the image tells it; empty where it does not


def find_image(given: "Path | None" = None) -> Image:
    """Return the image to boot: `given`, else the variable's, else rp2040py's own.

    Raises UserError: exit status 2 for a file that is not an image, 3 where none can be had.
    """
    if given is not None:
        return read_image(given)
    named = os.environ.get(VARIABLE, "")
    if named:
        return read_image(Path(named))
    path = _from_rp2040py()
    if path is None:
        raise UserError(
            "there is no MicroPython image for the emulated RP2040: %s" % HOW_TO_GET, 3
        )
    return read_image(path)


def _from_rp2040py() -> "Path | None":
    """Return the image rp2040py has or can get; None where it has none and cannot reach any."""
    from rp2040py.boards import BOARDS, resolve_firmware

    for tag in _TAGS:
        try:
            found = resolve_firmware(BOARDS["pico"], "micropython", tag).image
        except (OSError, ValueError):  # no network is an OSError (URLError)
            continue
        if found is not None:
            return Path(str(found))
    return None


def read_image(path: Path) -> Image:
    """Read and check a UF2 file; raise UserError with one sentence where it is not one for the RP2040."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError("%s: cannot be read: %s" % (path, error.strerror)) from None
    program = _program(path, data)
    layout, version = read_info(program)
    layout = layout or PICO_LAYOUT
    if len(program) > layout.start:
        raise UserError(
            "%s: its program ends at 0x%x, past the start of its own file system at 0x%x; get the file anew"
            % (path, len(program), layout.start)
        )
    return Image(path, program, layout, version)


def _program(path: Path, data: bytes) -> bytes:
    if len(data) < _BLOCK or _HEAD.unpack_from(data)[:2] != (_MAGIC_0, _MAGIC_1):
        raise UserError("%s: is not a UF2 image: %s" % (path, HOW_TO_GET))
    if len(data) % _BLOCK:
        raise UserError(
            "%s: is cut short: %d bytes are no whole number of 512-byte blocks; get the file anew"
            % (path, len(data))
        )
    flash = bytearray(b"\xff" * FLASH_BYTES)
    count = len(data) // _BLOCK
    end = 0
    # Some images carry one leading block for another chip (the RP2350's erratum block): not ours, not counted.
    ours = [n for n in range(count) if not _is_foreign(data, n)]
    for order, n in enumerate(ours):
        end = max(end, _take(path, data, n, order, len(ours), flash))
    if not end:
        raise UserError("%s: is a UF2 image for another chip, not for the RP2040" % path)
    return bytes(flash[:end])


def _is_foreign(data: bytes, n: int) -> bool:
    head = _HEAD.unpack_from(data, n * _BLOCK)
    return bool(head[2] & _HAS_FAMILY) and head[7] != _FAMILY_RP2040


def _take(path: Path, data: bytes, n: int, order: int, count: int, flash: bytearray) -> int:
    """Put block `n` into the flash; return where it ends. `order` and `count`: what its numbers must be."""
    magic_0, magic_1, flags, address, size, number, total, _family = _HEAD.unpack_from(
        data, n * _BLOCK
    )
    (end_magic,) = struct.unpack_from("<I", data, n * _BLOCK + _BLOCK - 4)
    where = "%s: block %d of %d" % (path, n + 1, len(data) // _BLOCK)
    if (magic_0, magic_1, end_magic) != (_MAGIC_0, _MAGIC_1, _MAGIC_END):
        raise UserError("%s is damaged (wrong magic number); get the file anew" % where)
    if not flags & _HAS_FAMILY:
        raise UserError(
            "%s does not say which chip it is for; an image for the RP2040 does" % where
        )
    if total != count:
        raise UserError(
            "%s: is cut short or put together of two: %d blocks, but it says %d; get the file anew"
            % (path, count, total)
        )
    if number != order:
        raise UserError("%s carries number %d; get the file anew" % (where, number))
    if not 0 < size <= _DATA_MAX:
        raise UserError(
            "%s has %d bytes of data, not 1..%d; get the file anew" % (where, size, _DATA_MAX)
        )
    if flags & _NOT_FLASH:
        return 0
    start = address - FLASH_BASE
    if start < 0 or start + size > FLASH_BYTES:
        raise UserError(
            "%s goes to address 0x%08x, outside the flash of a Pico" % (where, address)
        )
    flash[start : start + size] = data[n * _BLOCK + 32 : n * _BLOCK + 32 + size]
    return start + size


def read_info(program: bytes) -> "tuple[Layout | None, str]":
    """Return the file system's place and the version that `program` tells of itself, where it does."""
    layout, version = None, ""
    for address in _info_records(program):
        at = address - FLASH_BASE
        if not 0 <= at <= len(program) - 20:
            continue
        kind, _tag, ident, value, size = struct.unpack_from("<HHIII", program, at)
        if kind == _INFO_STRING and ident == _INFO_VERSION:
            version = _text(program, value - FLASH_BASE)
        elif kind == _INFO_BLOCK_DEVICE:
            # name pointer, address, size in bytes
            start = value - FLASH_BASE
            if 0 < start < FLASH_BYTES and 0 < size <= FLASH_BYTES - start and not size % 4096:
                layout = Layout(start, size // 4096)
    return layout, version


def _info_records(program: bytes) -> list[int]:
    """Return the address of each record; none where there is no header."""
    for at in range(256, min(len(program) - 20, 512), 4):
        first, start, end, _table, last = struct.unpack_from("<5I", program, at)
        if first == _INFO_START and last == _INFO_END:
            low, high = start - FLASH_BASE, end - FLASH_BASE
            if 0 <= low <= high <= len(program) and not (high - low) % 4:
                return list(struct.unpack_from("<%dI" % ((high - low) // 4), program, low))
    return []


def _text(program: bytes, at: int) -> str:
    if not 0 <= at < len(program):
        return ""
    return program[at : at + 64].split(b"\0")[0].decode("ascii", "replace")
