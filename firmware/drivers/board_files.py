"""The board's own files, and the check sum that guards what is in them."""

import binascii
import os

from micropython import const

CRC_BYTES = const(4)


class BoardFiles:
    """The board's own file system, as much as a store needs of it. Errors are OSError."""

    def open(self, path: str, mode: str):
        return open(path, mode)

    def rename(self, path: str, new_path: str) -> None:
        os.rename(path, new_path)

    def remove(self, path: str) -> None:
        os.remove(path)

    def mkdir(self, path: str) -> None:
        os.mkdir(path)


def crc_of(data, before=b"") -> bytes:
    """Return the four bytes that guard `before` and `data` on flash: their CRC-32, low byte first."""
    return (binascii.crc32(data, binascii.crc32(before)) & 0xFFFFFFFF).to_bytes(
        CRC_BYTES, "little"
    )
