"""Settings on the board's flash: one small file that is there whole, old or new, whatever the power does.

Layout: version (1 byte), length of the payload (2 bytes, low one first), payload (JSON: key to whole number), CRC-32 over
all of it (4 bytes, low one first). Written beside the old file and renamed over it, which littlefs does at once or not at
all. Knows nothing of what a key means; settings.Settings judges that.

When to write is the caller's rule: only while nothing is energised, since a flash erase stops the CPU for tens of ms.
"""

import binascii
import json
import os

from micropython import const

VERSION = const(1)
# Every setting together takes about 1.2 kB: more is no file of ours, and would not fit the heap for sure.
PAYLOAD_MAX = const(4096)

_HEAD = const(3)
_CRC = const(4)
_SIZE_MAX = _HEAD + PAYLOAD_MAX + _CRC
_ENOENT = const(2)


class StoreError(ValueError):
    """What is stored is damaged, or what is to be stored cannot be; one sentence for a person."""


class BoardFiles:
    """The board's own file system, as much as a store needs of it. Errors are OSError."""

    def open(self, path: str, mode: str):
        return open(path, mode)

    def rename(self, path: str, new_path: str) -> None:
        os.rename(path, new_path)

    def remove(self, path: str) -> None:
        os.remove(path)


class SettingsStore:
    """
    Keeps one dict of key (str) to whole number.

    path, folder    of the file; the temporary one lies beside it, its suffix changed to "tmp"
    files           what opens, renames and removes: BoardFiles, or a test's
    """

    def __init__(self, path: str = "settings.bin", folder: str = "/", files=None):
        if not folder.endswith("/"):
            folder += "/"
        self._path = folder + path
        self._tmp_path = folder + path.rsplit(".", 1)[0] + ".tmp"
        self._files = BoardFiles() if files is None else files

    def read(self):
        """Return what is stored, None where nothing ever was. Changes nothing.

        Raises StoreError (a ValueError) where the file is damaged or of a later version, OSError where the flash cannot
        be read.
        """
        data = self._load(self._path)
        if data is None:
            # The very first write was cut off after the last byte: all of it is there.
            return self._recovered()
        return _decoded(data)

    def write(self, values: dict, is_idle: bool) -> bool:
        """Store `values` and return True; where they are stored already nothing is written and False returned.

        Raises StoreError unless `is_idle`, or where the values cannot be stored; OSError where the flash is full or
        broken. After either, what was stored before still is.
        """
        if not is_idle:
            raise StoreError(
                "settings are not stored while charging or moving the lock: try later"
            )
        record = _encoded(values)
        if self._stored() == values:
            self._remove_tmp()
            return False
        self._remove_tmp()
        file = self._files.open(self._tmp_path, "wb")
        try:
            file.write(record)
            file.flush()
        finally:
            file.close()
        if self._load(self._tmp_path) != record:
            raise StoreError("settings cannot be stored: the flash does not keep what is written")
        self._files.rename(self._tmp_path, self._path)
        return True

    def forget(self, is_idle: bool) -> None:
        """Store nothing any more. Raises StoreError unless `is_idle`, OSError where the flash is broken."""
        if not is_idle:
            raise StoreError(
                "settings are not removed while charging or moving the lock: try later"
            )
        # The new one first: alone, it would count as a first write that was cut.
        self._remove_tmp()
        try:
            self._files.remove(self._path)
        except OSError as error:
            if error.args[0] != _ENOENT:
                raise

    def _stored(self):
        """Return what is stored, None where there is nothing or it is damaged. Makes a lone new file the old one."""
        data = self._load(self._path)
        try:
            if data is not None:
                return _decoded(data)
        except StoreError:
            return None
        values = self._recovered()
        if values is not None:
            # Else it would be removed, and a cut at that moment would leave neither.
            self._files.rename(self._tmp_path, self._path)
        return values

    def _recovered(self):
        """Return what the temporary file holds, None where that is nothing whole."""
        data = self._load(self._tmp_path)
        if data is None:
            return None
        try:
            return _decoded(data)
        except StoreError:
            return None

    def _load(self, path: str):
        """Return the file's bytes, no more than a store can have written and one; None where there is no file."""
        try:
            file = self._files.open(path, "rb")
        except OSError as error:
            if error.args[0] == _ENOENT:
                return None
            raise
        try:
            # Not more than there is: `read` makes room for all that it is asked for.
            size = file.seek(0, 2)
            file.seek(0)
            return file.read(min(size, _SIZE_MAX + 1))
        finally:
            file.close()

    def _remove_tmp(self) -> None:
        try:
            self._files.remove(self._tmp_path)
        except OSError as error:
            if error.args[0] != _ENOENT:
                raise


def _encoded(values) -> bytes:
    """Return the record of `values`. Raises StoreError where they are no settings."""
    if not isinstance(values, dict):
        raise StoreError("settings are not a table of keys: nothing is stored")
    for key, value in values.items():
        if not isinstance(key, str):
            raise StoreError("settings: the key %s is no word: nothing is stored" % str(key))
        if not isinstance(value, int) or isinstance(value, bool):
            raise StoreError("settings: %s is not a whole number: nothing is stored" % key)
    payload = json.dumps(values).encode()
    if len(payload) > PAYLOAD_MAX:
        raise StoreError(
            "settings take %d bytes, %d at most: nothing is stored" % (len(payload), PAYLOAD_MAX)
        )
    body = bytes((VERSION, len(payload) & 0xFF, len(payload) >> 8)) + payload
    return body + (binascii.crc32(body) & 0xFFFFFFFF).to_bytes(_CRC, "little")


def _decoded(data: bytes) -> dict:
    """Return the values of a record. Raises StoreError, with what to do, where it is not whole."""
    if len(data) < _HEAD + _CRC:
        raise StoreError("settings file ends after %d bytes: write the settings again" % len(data))
    # Version first: a later layout may keep its length and CRC elsewhere.
    if data[0] > VERSION:
        raise StoreError(
            "settings file has version %d, this firmware reads %d: flash the later firmware, or write the settings again"
            % (data[0], VERSION)
        )
    length = data[1] | data[2] << 8
    if data[0] != VERSION or length > PAYLOAD_MAX or len(data) != _HEAD + length + _CRC:
        raise StoreError(
            "settings file is damaged in its head or length: write the settings again"
        )
    end = _HEAD + length
    crc = binascii.crc32(data[:end]) & 0xFFFFFFFF
    if crc != int.from_bytes(data[end:], "little"):
        raise StoreError("settings file is damaged, its CRC is wrong: write the settings again")
    try:
        values = json.loads(data[_HEAD:end].decode())
    except (ValueError, RuntimeError):
        values = None
    if not isinstance(values, dict):
        raise StoreError("settings file holds no table of keys: write the settings again")
    return values
