"""Settings on flash: whole, old or new, whatever the power does; damage is always seen."""

import binascii
import errno
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from littlefs import LittleFS, LittleFSError, UserContext

from drivers import store
from drivers.board_files import BoardFiles
from drivers.store import PAYLOAD_MAX, VERSION, SettingsStore, StoreError

OLD = {"inlet": 1, "max_current_ma": 32000, "sensor_3": 0}
NEW = {"inlet": 1, "max_current_ma": 16000, "lock_attempts": 3}
MAIN, TMP = "/settings.bin", "/settings.tmp"


class PowerCut(BaseException):
    """The board has no power any more: nothing the firmware does after this counts."""


class FakeFlash:
    """
    A file system whose power goes after `steps` steps: opening, each byte, flush, close, rename, remove.

    when        what of a file being written a cut leaves: "byte": all that was written (the worst a file system could
                do), "flush": what was flushed, "close": the file as it was before (littlefs)
    """

    def __init__(self, when="byte", files=None):
        self.when = when
        self.files = dict(files or {})
        self.steps = None  # None: mains
        self.done = 0
        self.opened = []  # (path, mode)
        self.broken = ()  # paths that cannot be read
        self.room = None  # bytes a file may have

    def step(self):
        if self.steps is not None and self.done >= self.steps:
            raise PowerCut
        self.done += 1

    def open(self, path, mode):
        self.opened.append((path, mode))
        if path in self.broken:
            raise OSError(errno.EIO)
        if mode == "rb":
            if path not in self.files:
                raise OSError(errno.ENOENT)
            return FakeReader(self.files[path])
        assert mode == "wb"
        self.step()
        return FakeWriter(self, path)

    def rename(self, path, new_path):
        self.step()
        self.files[new_path] = self.files.pop(path)

    def remove(self, path):
        if path not in self.files:
            raise OSError(errno.ENOENT)
        self.step()
        del self.files[path]


class FakeReader:
    def __init__(self, data):
        self.data = data
        self.at = 0
        self.asked = None

    def seek(self, offset, whence=0):
        self.at = offset + (len(self.data) if whence == 2 else 0)
        return self.at

    def read(self, size):
        self.asked = size
        return self.data[self.at : self.at + size]

    def close(self):
        pass


class FakeWriter:
    def __init__(self, flash, path):
        self.flash, self.path, self.data = flash, path, b""
        if flash.when != "close":
            flash.files[path] = b""

    def keep(self):
        self.flash.files[self.path] = self.data

    def write(self, data):
        for n in range(len(data)):
            self.flash.step()
            if self.flash.room is not None and len(self.data) >= self.flash.room:
                raise OSError(errno.ENOSPC)
            self.data += data[n : n + 1]
            if self.flash.when == "byte":
                self.keep()

    def flush(self):
        self.flash.step()
        if self.flash.when == "flush":
            self.keep()

    def close(self):
        self.flash.step()
        self.keep()


def stored(values):
    """Return the files of a flash that holds `values`."""
    flash = FakeFlash()
    SettingsStore(files=flash).write(values, True)
    return flash.files


def record(payload, version=VERSION, length=None):
    length = len(payload) if length is None else length
    body = bytes((version, length & 0xFF, length >> 8)) + payload
    return body + binascii.crc32(body).to_bytes(4, "little")


def read(files):
    return SettingsStore(files=FakeFlash(files=files)).read()


# --------------------------------------------------------------------------------- what is kept


def test_board_that_never_stored_has_none():
    assert read({}) is None


def test_values_come_back_from_a_real_folder(tmp_path):
    one = SettingsStore(folder=str(tmp_path))
    assert one.read() is None
    assert one.write(OLD, True) is True
    assert SettingsStore(folder=str(tmp_path) + "/").read() == OLD
    assert one.write(NEW, True) is True
    assert one.read() == NEW
    assert [path.name for path in tmp_path.iterdir()] == ["settings.bin"]


def test_file_has_the_layout_that_is_written_down():
    assert stored(OLD) == {MAIN: record(json.dumps(OLD).encode())}


@given(st.dictionaries(st.text(max_size=20), st.integers(-(2**40), 2**40), max_size=20))
def test_whatever_can_be_stored_comes_back(values):
    assert read(stored(values)) == values


def test_unchanged_values_are_not_written():
    flash = FakeFlash(files=stored(OLD))
    flash.steps = 0  # any step would be a PowerCut
    assert SettingsStore(files=flash).write(dict(reversed(list(OLD.items()))), True) is False
    assert [mode for _, mode in flash.opened] == ["rb"]


def test_nothing_is_written_while_not_idle():
    flash = FakeFlash(files=stored(OLD))
    with pytest.raises(StoreError, match="charging"):
        SettingsStore(files=flash).write(NEW, False)
    assert flash.opened == []
    assert read(flash.files) == OLD


@pytest.mark.parametrize(
    "values",
    [None, [1], "a", {1: 1}, {"a": 1.5}, {"a": True}, {"a": None}, {"a": "1"}, {"a": {"b": 1}}],
)
def test_what_is_no_settings_is_refused_and_nothing_changes(values):
    flash = FakeFlash(files=stored(OLD))
    with pytest.raises(StoreError, match="nothing is stored"):
        SettingsStore(files=flash).write(values, True)
    assert flash.files == stored(OLD)


def test_settings_are_stored_up_to_the_largest_payload_and_not_beyond():
    size = len(json.dumps({"": 1}))
    most = {"k" * (PAYLOAD_MAX - size): 1}
    assert read(stored(most)) == most
    with pytest.raises(StoreError, match="4097 bytes, 4096 at most"):
        stored({"k" * (PAYLOAD_MAX - size + 1): 1})


def test_every_setting_at_its_longest_fits_with_room():
    import setting_rows

    values = {row[setting_rows.ROW_KEY]: row[setting_rows.ROW_MAX] for row in setting_rows.TABLE}
    assert len(json.dumps(values)) < PAYLOAD_MAX // 2


def test_damaged_file_is_replaced_by_the_next_write():
    flash = FakeFlash(files={MAIN: b"\x01\x00"})
    assert SettingsStore(files=flash).write(NEW, True) is True
    assert read(flash.files) == NEW


# ----------------------------------------------------------------------------------- power cuts


def steps_of_write(when, files, values):
    flash = FakeFlash(when, files)
    flash.steps = 1 << 30
    SettingsStore(files=flash).write(values, True)
    return flash.done


_TORN = record(json.dumps(NEW).encode())[:20]
BEFORE = {
    "nothing": ({}, None),
    "old": (stored(OLD), OLD),
    "old and a torn rest": ({**stored(OLD), TMP: _TORN}, OLD),
    "old and an empty rest": ({**stored(OLD), TMP: b""}, OLD),
    "old and a whole rest": ({**stored(OLD), TMP: record(b'{"inlet": 2}')}, OLD),
    "a torn rest alone": ({TMP: _TORN}, None),
    "a whole rest alone": ({TMP: stored(OLD)[MAIN]}, OLD),
}


@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("when", ["byte", "flush", "close"])
def test_power_cut_at_every_step_leaves_the_old_or_the_new(when, before):
    files, old = BEFORE[before]
    steps = steps_of_write(when, files, NEW)
    assert steps > len(json.dumps(NEW))
    seen = set()
    for cut in range(steps):
        flash = FakeFlash(when, files)
        flash.steps = cut
        with pytest.raises(PowerCut):
            SettingsStore(files=flash).write(NEW, True)
        found = read(flash.files)
        assert found in (old, NEW), cut
        seen.add(json.dumps(found))
        # The board lives on: the next write works, whatever the cut left lying about, and cleans up.
        again = FakeFlash(when, flash.files)
        SettingsStore(files=again).write(NEW, True)
        assert again.files == stored(NEW), cut
    flash = FakeFlash(when, files)
    assert SettingsStore(files=flash).write(NEW, True) is True
    assert json.dumps(old) in seen


@pytest.mark.parametrize("when", ["byte", "flush", "close"])
def test_power_cut_during_the_write_after_a_power_cut_leaves_one_of_the_three(when):
    steps = steps_of_write(when, stored(OLD), NEW)
    third = {"inlet": 3}
    for first_cut in range(0, steps, 3):
        flash = FakeFlash(when, stored(OLD))
        flash.steps = first_cut
        with pytest.raises(PowerCut):
            SettingsStore(files=flash).write(NEW, True)
        left = read(flash.files)
        for second_cut in range(steps_of_write(when, flash.files, third)):
            again = FakeFlash(when, flash.files)
            again.steps = second_cut
            with pytest.raises(PowerCut):
                SettingsStore(files=again).write(third, True)
            assert read(again.files) in (left, third)


def test_fake_flash_really_tears_files():
    flash = FakeFlash("byte", stored(OLD))
    flash.steps = 10
    with pytest.raises(PowerCut):
        SettingsStore(files=flash).write(NEW, True)
    assert 0 < len(flash.files[TMP]) < 10


# --------------------------------------------------------------------------------------- damage


def test_every_flipped_bit_and_every_changed_byte_is_detected():
    good = stored(OLD)[MAIN]
    for n in range(len(good)):
        for flip in (*(1 << bit for bit in range(8)), 0xFF):
            bad = good[:n] + bytes((good[n] ^ flip,)) + good[n + 1 :]
            with pytest.raises(StoreError, match=r"settings file .*: (write|flash)"):
                read({MAIN: bad})


@pytest.mark.parametrize("keep", range(len(stored(OLD)[MAIN])))
def test_file_cut_short_is_detected(keep):
    with pytest.raises(StoreError):
        read({MAIN: stored(OLD)[MAIN][:keep]})


def test_file_with_something_behind_it_is_detected():
    with pytest.raises(StoreError):
        read({MAIN: stored(OLD)[MAIN] + b"\0"})


def test_empty_file_says_so():
    with pytest.raises(StoreError, match="0 bytes"):
        read({MAIN: b""})


def test_version_from_the_future_is_refused_whatever_follows():
    for rest in (b"", b"\xff" * 6, b"\xff" * 5000):
        with pytest.raises(StoreError, match=r"bytes|version 2, this firmware reads 1"):
            read({MAIN: bytes((VERSION + 1,)) + rest})
    with pytest.raises(StoreError, match="version 2"):
        read({MAIN: record(b"{}", version=2)})


def test_version_zero_is_refused():
    with pytest.raises(StoreError, match="damaged"):
        read({MAIN: record(b"{}", version=0)})


@pytest.mark.parametrize("length", [PAYLOAD_MAX + 1, 0xFFFF])
def test_huge_length_is_refused_without_reading_that_much(length):
    flash = FakeFlash(files={MAIN: record(b"{}" + b" " * 100000, length=length)})
    readers = []
    opened = flash.open

    def open_and_keep(path, mode):
        readers.append(opened(path, mode))
        return readers[-1]

    flash.open = open_and_keep
    with pytest.raises(StoreError, match="length"):
        SettingsStore(files=flash).read()
    assert [reader.asked for reader in readers] == [PAYLOAD_MAX + 8]


@pytest.mark.parametrize("payload", [b"", b"[]", b"1", b"{", b"\xff\xfe", b"null", b"[" * 4000])
def test_whole_file_that_is_no_table_is_refused(payload):
    with pytest.raises(StoreError, match="no table"):
        read({MAIN: record(payload)})


def test_damaged_file_is_not_replaced_by_a_whole_rest():
    """A rest beside the file is what was never confirmed: it stands in only where there is no file at all."""
    with pytest.raises(StoreError):
        read({MAIN: b"\x01", TMP: stored(NEW)[MAIN]})


@given(st.binary(max_size=60))
def test_any_bytes_give_values_or_one_sentence(data):
    for files in ({MAIN: data}, {TMP: data}):
        try:
            found = read(files)
        except StoreError as error:
            assert str(error)
            assert "\n" not in str(error)
        else:
            assert found is None or isinstance(found, dict)


# ---------------------------------------------------------------------------------- broken flash


def test_flash_that_cannot_be_read_is_not_taken_for_an_empty_one():
    flash = FakeFlash(files=stored(OLD))
    flash.broken = (MAIN,)
    with pytest.raises(OSError):
        SettingsStore(files=flash).read()
    with pytest.raises(OSError):
        SettingsStore(files=flash).write(NEW, True)
    assert flash.files == stored(OLD)


def test_full_flash_raises_and_keeps_the_old():
    flash = FakeFlash(files=stored(OLD))
    flash.room = 10
    with pytest.raises(OSError):
        SettingsStore(files=flash).write(NEW, True)
    assert read(flash.files) == OLD


def test_flash_that_forgets_is_noticed_before_the_old_is_gone():
    class Forgetful(FakeFlash):
        def open(self, path, mode):
            if mode == "rb" and path == TMP and path in self.files:
                return FakeReader(self.files[path][:-1] + b"\0")
            return super().open(path, mode)

    flash = Forgetful(files=stored(OLD))
    with pytest.raises(StoreError, match="does not keep"):
        SettingsStore(files=flash).write({"inlet": 0}, True)
    assert read({MAIN: flash.files[MAIN]}) == OLD


def test_rest_that_cannot_be_removed_is_not_passed_over(tmp_path):
    class Stuck(BoardFiles):
        def remove(self, path):
            raise OSError(errno.EIO)

    with pytest.raises(OSError):
        SettingsStore(folder=str(tmp_path), files=Stuck()).write(NEW, True)


def test_constants_fit_the_layout():
    assert PAYLOAD_MAX < 1 << 16
    assert 0 < store.VERSION < 256


# -------------------------------------------------------------------------------- real littlefs

_BLOCK, _BLOCKS = 4096, 16
_GEOMETRY = {"block_size": _BLOCK, "block_count": _BLOCKS, "read_size": 32, "prog_size": 32}


class CutFlash(UserContext):
    """Flash that takes a picture of itself wherever a power cut could come: in the middle of and after everything."""

    def __init__(self, image):
        super().__init__(buffer=bytearray(image))
        self.pictures = []

    def prog(self, cfg, block, off, data):
        for part in (len(data) // 2, len(data)):
            start = block * cfg.block_size + off
            self.buffer[start : start + part] = data[:part]
            self.pictures.append(bytes(self.buffer))
        return 0

    def erase(self, cfg, block):
        start = block * cfg.block_size
        for part in (cfg.block_size // 2, cfg.block_size):
            self.buffer[start : start + part] = b"\xff" * part
            self.pictures.append(bytes(self.buffer))
        return 0


class LittleFiles:
    """littlefs as the board has it, behind the store's own three calls."""

    def __init__(self, image):
        self.flash = CutFlash(image)
        self.fs = LittleFS(context=self.flash, **_GEOMETRY)

    def _call(self, call, *args):
        try:
            return call(*args)
        except LittleFSError as error:
            raise OSError(-error.code)

    def open(self, path, mode):
        try:
            return self.fs.open(path, mode)
        except FileNotFoundError:
            raise OSError(errno.ENOENT)

    def rename(self, path, new_path):
        self._call(self.fs.rename, path, new_path)

    def remove(self, path):
        try:
            self.fs.remove(path)
        except FileNotFoundError:
            raise OSError(errno.ENOENT)


def test_power_cut_at_every_flash_operation_of_a_real_littlefs_leaves_the_old_or_the_new():
    """40 writes on top of each other, so that littlefs also compacts and moves; a cut in each of their operations."""
    image = bytes(LittleFS(**_GEOMETRY).context.buffer)
    old, pictures = None, 0
    for n in range(40):
        new = {"max_current_ma": 6000 + n, "k" * (37 * n % 400): n}
        files = LittleFiles(image)
        assert SettingsStore(files=files).write(new, True) is True
        seen = set()
        for picture in files.flash.pictures:
            found = SettingsStore(files=LittleFiles(picture)).read()
            assert found in (old, new)
            seen.add(found == new)
        assert seen == {False, True}, "a cut was seen before and after the change"
        pictures += len(files.flash.pictures)
        image, old = bytes(files.flash.buffer), new
    assert pictures > 500


def test_forget_leaves_nothing_stored_and_says_nothing_where_nothing_was():
    flash = FakeFlash()
    store = SettingsStore(files=flash)
    store.forget(True)
    store.write({"inlet": 1}, True)
    flash.files["settings.tmp"] = b"left over"
    store.forget(True)
    assert store.read() is None
    with pytest.raises(StoreError, match="charging or moving the lock"):
        store.forget(False)
