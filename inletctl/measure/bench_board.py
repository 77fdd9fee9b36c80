"""Boots a measuring script in place of main.py on the emulated RP2040, with the real firmware beside it."""

import ast
from pathlib import Path

from inletctl.emu.chip import Chip
from inletctl.emu.console import Console
from inletctl.emu.flash_image import board_files, make_flash
from inletctl.emu.image import Image
from inletctl.flash.compile import compile_all
from inletctl.flash.lend import identifiers
from inletctl.link.codec import LineSorter

BOARD = "rp2040-reference"
_SCRIPTS = Path(__file__).with_name("scripts")


def files_with(name: str, settings: "dict[str, int] | None" = None) -> dict[str, bytes]:
    """Return the board's files with a measuring script in place of what main.py starts, compiled as that is."""
    files = board_files(BOARD, settings, _names_of(name))
    files.update(compile_all(_SCRIPTS, [name + ".py"]))
    files["main.py"] = b"import %s\n" % name.encode()
    return files


def _names_of(name: str) -> set[str]:
    """Return the names that a script mentions: the firmware must have them, and under no other name."""
    return set(identifiers(ast.parse((_SCRIPTS / (name + ".py")).read_text(encoding="utf-8"))))


def boot(image: Image, files: dict[str, bytes]) -> tuple[Chip, LineSorter, Console]:
    """Return a chip with these files, powered but not run, what its console says, and the console itself."""
    chip = Chip(image, make_flash(files, image.layout))
    lines = LineSorter()
    return chip, lines, Console(chip.mcu.usb_ctrl, lines.feed)
