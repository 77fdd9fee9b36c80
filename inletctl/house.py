"""Where things are, and how host code reaches the firmware's own modules."""

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
