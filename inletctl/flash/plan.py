"""What must be copied and deleted, from what the board holds and what it shall hold."""

from dataclasses import dataclass

from inletctl.flash.compile import BOARD_FILE, CHECKED_FILE, PACKED_FILE, VERSION_FILE

# Boot runs these before it finishes a flash: first in place, so that even an empty board can finish it.
_FIRST = ("drivers/__init__.mpy", "drivers/safe_pins.mpy", "drivers/pending.mpy", "boot.py")
_LAST = ("main.py", VERSION_FILE)
# Files that are not modules and still ours. Everything else that is no module is the user's or the firmware's own
# data (settings, journal) and is never touched.
DATA = (BOARD_FILE, CHECKED_FILE, PACKED_FILE, VERSION_FILE)
MODULES = (".py", ".mpy")


@dataclass(frozen=True)
class Plan:
    """Paths to copy, in the order they are put in place, and to delete."""

    copy: list[str]
    delete: list[str]
    kept: int
    size: int  # bytes to copy

    @property
    def is_empty(self) -> bool:
        """Return whether the board holds all of it already."""
        return not self.copy and not self.delete

    def blocks(self, files: dict[str, bytes], block: int) -> int:
        """Return the blocks needed on the board while old and new are both there, on the safe side."""
        contents = sum((len(files[path]) + block - 1) // block for path in self.copy)
        folders = {path.rpartition("/")[0] for path in self.copy} | {"flash.new"}
        # Two blocks a folder, two for the list, and two that the file system wants to move things with.
        return contents + 2 * len(folders) + 4


def make_plan(wanted: dict[str, bytes], wanted_hashes: dict[str, str], on_board: dict[str, str]):
    """Return the Plan. `on_board` is path -> SHA-256 of every module and data file of ours on the board.

    A module that is not wanted is deleted, above all the twin of a wanted one: x.py hides x.mpy.
    """
    changed = [path for path in wanted if on_board.get(path) != wanted_hashes[path]]
    delete = sorted(path for path in on_board if path not in wanted)
    return Plan(
        sorted(changed, key=_rank),
        delete,
        len(wanted) - len(changed),
        sum(len(wanted[path]) for path in changed),
    )


def is_ours(path: str) -> bool:
    """Return whether a file on the board is firmware."""
    return path.endswith(MODULES) or path in DATA


def _rank(path: str) -> tuple[int, str]:
    if path in _FIRST:
        return _FIRST.index(path), path
    if path in _LAST:
        return 100 + _LAST.index(path), path
    return 50, path
