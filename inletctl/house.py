"""Where things are, and how host code reaches the firmware's own modules."""

import gc
import hashlib
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# The firmware that judges by its tables, whichever one is run.
HEALTHY = ROOT / "firmware"
# The bench runs deliberately broken copies of the firmware, each in a process of its own.
FIRMWARE = Path(os.environ.get("INLETCTL_FIRMWARE") or HEALTHY)
SCENARIOS = Path(__file__).resolve().parent / "scenarios"
_SHIMS = Path(__file__).resolve().parent / "shims"


def use_firmware() -> None:
    """Let `import faults`, `import pilot.duty` and so on find the firmware's files, as on the board."""
    for folder in (str(_SHIMS), str(FIRMWARE)):
        if folder not in sys.path:
            sys.path.insert(0, folder)
    _spare_collections()


def _spare_collections() -> None:
    """Let a collection that the firmware asks for do nothing here.

    It makes room on a board. CPython frees what nobody names at once, and a collection looks through all that this process
    holds: with all tests in it they are 160 s of 886, and of a few tests alone next to nothing. Everybody else's is as ever.
    """
    if hasattr(gc, "inletctl_collect"):
        return
    whole = gc.collect
    firmware = str(FIRMWARE) + os.sep

    def collect(generation: int = 2) -> int:
        if sys._getframe(1).f_code.co_filename.startswith(firmware):
            return 0
        return whole(generation)

    gc.inletctl_collect = whole  # type: ignore[attr-defined] - a mark, and the way back
    gc.collect = collect


def firmware_files() -> list[Path]:
    """Return every file that goes to the board, sorted by its path."""
    return sorted(p for p in FIRMWARE.rglob("*.py") if "__pycache__" not in p.parts)


def firmware_hash() -> str:
    """Return the first 12 hex digits of a SHA-256 over the names and contents of every firmware file."""
    digest = hashlib.sha256()
    for path in firmware_files():
        digest.update(path.relative_to(FIRMWARE).as_posix().encode() + b"\0")
        digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]
