"""Settings and port records on the board's flash: small files that are there whole, old or new, whatever the power does.

Layout: version (1 byte), length of the payload (2 bytes, low one first), payload, CRC-32 over all of it (4 bytes, low one
first). Written beside the old file and renamed over it, which littlefs does at once or not at all. The payload of settings
is JSON, key to whole number; that of port records is bytes. Knows nothing of what either means: settings.Settings and
ports.records judge that.

When to write is the caller's rule: only while nothing is energised, since a flash erase stops the CPU for tens of ms.
"""

import json

from micropython import const

from drivers.board_files import CRC_BYTES, BoardFiles, crc_of

VERSION = const(1)
# Every setting together takes about 1.2 kB: more is no file of ours, and would not fit the heap for sure.
PAYLOAD_MAX = const(4096)

_HEAD = const(3)
_SIZE_MAX = _HEAD + PAYLOAD_MAX + CRC_BYTES
_ENOENT = const(2)


class StoreError(ValueError):
    """What is stored is damaged, or what is to be stored cannot be; one sentence for a person."""


class FileStore:
    """
    Keeps one value, which `_payload_of` makes bytes of and `_values_of` reads again: a store of one kind gives both.

    what    it keeps, in words: "settings"
    path, folder    of the file; the temporary one lies beside it, its suffix changed to "tmp"
    files           what opens, renames and removes: BoardFiles, or a test's
    """

    def __init__(self, what: str, path: str, folder: str = "/", files=None):
        if not folder.endswith("/"):
            folder += "/"
        self._what = what
        self._path = folder + path
        self._tmp_path = folder + path.rsplit(".", 1)[0] + ".tmp"
        self._files = BoardFiles() if files is None else files

    def _payload_of(self, values) -> bytes:
        """Return the bytes to store. Raises StoreError where `values` cannot be."""
        raise NotImplementedError

    def _values_of(self, payload: bytes):
        """Return what the bytes say. Raises StoreError where they say nothing."""
        raise NotImplementedError

    def read(self):
        """Return what is stored, None where nothing ever was. Changes nothing.

        Raises StoreError (a ValueError) where the file is damaged or of a later version, OSError where the flash cannot
        be read.
        """
        data = self._load(self._path)
        if data is None:
            # The very first write was cut off after the last byte: all of it is there.
            return self._recovered()
        return self._decoded(data)

    def write(self, values, is_idle: bool) -> bool:
        """Store `values` and return True; where they are stored already nothing is written and False returned.

        Raises StoreError unless `is_idle`, or where the values cannot be stored; OSError where the flash is full or
        broken. After either, what was stored before still is.
        """
        if not is_idle:
            raise StoreError(
                "%s are not stored while charging or moving the lock: try later" % self._what
            )
        record = self._encoded(values)
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
            raise StoreError(
                "%s cannot be stored: the flash does not keep what is written" % self._what
            )
        self._files.rename(self._tmp_path, self._path)
        return True

    def forget(self, is_idle: bool) -> None:
        """Store nothing any more. Raises StoreError unless `is_idle`, OSError where the flash is broken."""
        if not is_idle:
            raise StoreError(
                "%s are not removed while charging or moving the lock: try later" % self._what
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
                return self._decoded(data)
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
            return self._decoded(data)
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

    def _encoded(self, values) -> bytes:
        """Return the record of `values`. Raises StoreError where they cannot be stored."""
        payload = self._payload_of(values)
        if len(payload) > PAYLOAD_MAX:
            raise StoreError(
                "%s take %d bytes, %d at most: nothing is stored"
                % (self._what, len(payload), PAYLOAD_MAX)
            )
        body = bytes((VERSION, len(payload) & 0xFF, len(payload) >> 8)) + payload
        return body + crc_of(body)

    def _decoded(self, data: bytes):
        """Return the values of a record. Raises StoreError, with what to do, where it is not whole."""
        what = self._what
        if len(data) < _HEAD + CRC_BYTES:
            raise StoreError(
                "%s file ends after %d bytes: write the %s again" % (what, len(data), what)
            )
        # Version first: a later layout may keep its length and CRC elsewhere.
        if data[0] > VERSION:
            raise StoreError(
                "%s file has version %d, this firmware reads %d: flash the later firmware, or write the %s again"
                % (what, data[0], VERSION, what)
            )
        length = data[1] | data[2] << 8
        if data[0] != VERSION or length > PAYLOAD_MAX or len(data) != _HEAD + length + CRC_BYTES:
            raise StoreError(
                "%s file is damaged in its head or length: write the %s again" % (what, what)
            )
        end = _HEAD + length
        if crc_of(data[:end]) != data[end:]:
            raise StoreError(
                "%s file is damaged, its CRC is wrong: write the %s again" % (what, what)
            )
        return self._values_of(data[_HEAD:end])


class SettingsStore(FileStore):
    """Keeps one dict of key (str) to whole number."""

    def __init__(self, path: str = "settings.bin", folder: str = "/", files=None):
        super().__init__("settings", path, folder, files)

    def _payload_of(self, values) -> bytes:
        if not isinstance(values, dict):
            raise StoreError("settings are not a table of keys: nothing is stored")
        for key, value in values.items():
            if not isinstance(key, str):
                raise StoreError("settings: the key %s is no word: nothing is stored" % str(key))
            if not isinstance(value, int) or isinstance(value, bool):
                raise StoreError("settings: %s is not a whole number: nothing is stored" % key)
        return json.dumps(values).encode()

    def _values_of(self, payload: bytes) -> dict:
        try:
            values = json.loads(payload.decode())
        except (ValueError, RuntimeError):
            values = None
        if not isinstance(values, dict):
            raise StoreError("settings file holds no table of keys: write the settings again")
        return values


class PortStore(FileStore):
    """Keeps the port records as the bytes that ports.records makes of them."""

    def __init__(self, path: str = "ports.bin", folder: str = "/", files=None):
        super().__init__("port records", path, folder, files)

    def _payload_of(self, values) -> bytes:
        if not isinstance(values, bytes):
            raise StoreError("port records are not bytes: nothing is stored")
        return values

    def _values_of(self, payload: bytes) -> bytes:
        return payload
