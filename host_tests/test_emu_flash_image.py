"""The board's file system: what goes in comes out, and it is what a real board would hold."""

import pytest
from built_image import built

from inletctl.emu import flash_image
from inletctl.emu.flash_image import board_files, make_flash, read_flash
from inletctl.emu.image import PICO_LAYOUT, Layout
from inletctl.errors import UserError


def test_files_come_back_as_they_went_in():
    files = {"main.py": b"x = 1\n", "a/b/c.mpy": bytes(range(256)) * 40, "empty": b""}
    data = make_flash(files, PICO_LAYOUT)
    assert len(data) == PICO_LAYOUT.blocks * PICO_LAYOUT.block_bytes
    assert read_flash(data, PICO_LAYOUT) == files


def test_disk_version_is_one_that_micropython_mounts():
    data = make_flash({"x": b"1"}, PICO_LAYOUT)
    # The superblock names itself, its version stands behind the name and the inline structure's tag.
    at = data.index(b"littlefs")
    assert data[at + 12 : at + 16] == (0x0002_0000).to_bytes(4, "little")


def test_firmware_that_does_not_fit_is_told():
    with pytest.raises(UserError, match="does not fit"):
        make_flash({"big": bytes(100_000)}, Layout(0xA0000, 16))


def test_damaged_file_system_is_told():
    with pytest.raises(ValueError, match="cannot be mounted"):
        read_flash(bytes(16 * 4096), Layout(0xA0000, 16))


def test_board_holds_what_make_flash_would_put_there_and_its_settings(monkeypatch):
    monkeypatch.setattr(flash_image, "build", built)
    files = board_files("rp2040-reference", {"max_current_ma": 16000})
    assert dict(built("rp2040-reference").files) == {
        name: data for name, data in files.items() if name != "settings.bin"
    }
    assert b"16000" in files["settings.bin"]
    assert "settings.bin" not in board_files("rp2040-reference", None)


def test_unknown_board_names_those_there_are():
    with pytest.raises(UserError, match="There is no board 'nonsense'"):
        board_files("nonsense", None)
