"""Puts text into a file whole or not at all."""

import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from inletctl.errors import UserError


def write_whole(path: Path, write: Callable[[TextIO], object]) -> Path:
    """Let `write` fill a temporary file beside `path`, then rename it over `path`.

    Missing folders are made. A reader never sees half a file, and whatever goes wrong leaves the old one.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise _cannot(path, error) from error
    try:
        # Line ends as written: a CSV brings its own, and files stay the same on every system.
        with open(handle, "w", encoding="utf-8", newline="") as stream:
            write(stream)
        os.chmod(name, 0o666 & ~_umask())
        os.replace(name, path)
    except BaseException as error:
        with suppress(OSError):
            os.unlink(name)
        if isinstance(error, OSError):
            raise _cannot(path, error) from error
        raise
    return path


def _cannot(path: Path, error: OSError) -> UserError:
    return UserError(
        f"{path}: cannot be written: {error.strerror or error}; choose another folder"
    )


def _umask() -> int:
    # mkstemp makes files private; a report is meant to be shared. The mask can only be read by setting it.
    mask = os.umask(0)
    os.umask(mask)
    return mask
