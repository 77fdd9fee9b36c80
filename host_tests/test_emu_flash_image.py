"""The board's file system: what goes in comes out, and it is what a real board would hold."""

import pytest

from inletctl.emu import flash_image
from inletctl.emu.flash_image import compiled_firmware, make_flash, read_flash
from inletctl.emu.image import PICO_LAYOUT, Layout
from inletctl.errors import UserError
from inletctl.house import FIRMWARE, firmware_files


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


def test_every_module_is_compiled_but_the_two_that_micropython_starts_by_name():
    files = compiled_firmware()
    assert files["main.py"] == (FIRMWARE / "main.py").read_bytes()
    assert "boot.py" in files
    assert "drivers/virtual.mpy" not in files
    compiled = [name for name in files if name.endswith(".mpy")]
    assert all(files[name][:2] == b"M\x06" for name in compiled)
    names = {path.relative_to(FIRMWARE).as_posix() for path in firmware_files()}
    for name in ("step.py", "interlock.py", "pilot/control.py", "drivers/safe_pins.py"):
        assert name in names
        assert name[:-3] + ".mpy" in files


def test_module_that_does_not_compile_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(flash_image, "_CACHE", tmp_path / "cache")
    path = tmp_path / "bad.py"
    path.write_text("def f(:\n")
    with pytest.raises(UserError, match=r"drivers/bad\.py cannot be compiled: SyntaxError"):
        flash_image.compile_module(path, "drivers/bad.py")


def test_unknown_board_names_those_there_are():
    with pytest.raises(UserError, match="there is no board file 'nonsense'"):
        flash_image.board_text("nonsense")
