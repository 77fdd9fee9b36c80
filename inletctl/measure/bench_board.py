"""Boots a measuring script in place of main.py on the emulated RP2040, with the real firmware beside it."""

from pathlib import Path

from inletctl.emu.chip import Chip
from inletctl.emu.console import Console, Lines
from inletctl.emu.flash_image import board_text, compiled_firmware, make_flash, stored_settings
from inletctl.emu.image import Image

BOARD = "rp2040-reference"
_SCRIPTS = Path(__file__).with_name("scripts")


def script(name: str) -> bytes:
    """Return the source of a measuring script."""
    return (_SCRIPTS / (name + ".py")).read_bytes()


def files_with(name: str, settings: "dict[str, int] | None" = None) -> dict[str, bytes]:
    """Return the board's files with the script as main.py, and none of the firmware's own main.py."""
    files = compiled_firmware()
    del files["main.py"]
    files["main.py"] = script(name)
    if settings is not None:
        files["board.json"] = board_text(BOARD).encode()
        files["settings.bin"] = stored_settings(settings)
    return files


def boot(image: Image, files: dict[str, bytes]) -> tuple[Chip, Lines]:
    """Return a chip with these files, powered but not run, and what its console says."""
    chip = Chip(image, make_flash(files, image.layout))
    lines = Lines()
    Console(chip.mcu.usb_ctrl, lines.feed)
    return chip, lines
