"""The board's file system as bytes: littlefs made of files on the host, and read back from the chip's flash.

The firmware goes in as `make flash` puts it on a real board (inletctl/flash/compile.py), and the scenario's settings
written by the firmware's own store.
"""

import errno
import tempfile
from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path, PurePosixPath

from littlefs import LittleFS, LittleFSError

from inletctl.emu.image import Layout
from inletctl.errors import UserError
from inletctl.flash.compile import board_text, build
from inletctl.house import use_firmware

# The oldest there is: any MicroPython mounts it, and brings it up to its own version with its first write.
DISK_VERSION = 0x0002_0000
SETTINGS_FILE = "settings.bin"

__all__ = ["board_files", "board_text", "make_flash", "read_flash", "stored_settings"]


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


def board_files(
    board: str, settings: "Mapping[str, int] | None", kept: Iterable[str] = ()
) -> dict[str, bytes]:
    """Return every file of a board called `board` that has stored `settings` (None: nothing stored).

    kept    names that a script beside the firmware imports from it
    """
    files = dict(build(board, kept=kept).files)
    if settings is not None:
        files[SETTINGS_FILE] = stored_settings(settings)
    return files


def stored_settings(settings: Mapping[str, int]) -> bytes:
    """Return the settings file that the firmware's own store writes for `settings`."""
    use_firmware()
    store = import_module("drivers.store")
    with tempfile.TemporaryDirectory() as folder:
        store.SettingsStore(SETTINGS_FILE, folder).write(dict(settings), True)
        return (Path(folder) / SETTINGS_FILE).read_bytes()
