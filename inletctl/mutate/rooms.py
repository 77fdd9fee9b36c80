"""The rooms whose tests are tested, and which tests those are."""

from dataclasses import dataclass
from pathlib import Path

from inletctl.errors import UserError
from inletctl.house import FIRMWARE, ROOT

TESTS = ROOT / "host_tests"
# Killed of a hundred mutants, at least.
KILLED_PCT_MIN = 95


@dataclass(frozen=True)
class Room:
    """`sources`: globs below firmware/; `tests`: globs below host_tests/."""

    name: str
    sources: tuple[str, ...]
    tests: tuple[str, ...]

    def source_files(self) -> list[Path]:
        """Return the files that are changed, an empty one left out."""
        return _all(FIRMWARE, self.sources)

    def test_files(self) -> list[Path]:
        """Return the files whose tests must notice."""
        return [
            path
            for path in _all(TESTS, self.tests)
            if not path.stem.endswith(("_mpy", "_mutation"))
        ]


def _all(folder: Path, globs: tuple[str, ...]) -> list[Path]:
    found = sorted({path for glob in globs for path in folder.glob(glob)})
    if not found:
        raise UserError("no file of %s is named %s" % (folder, " or ".join(globs)))
    return found


_INTERLOCK_TESTS = (
    "test_interlock_*.py", "test_handoff.py", "test_latches.py", "test_unlock.py", "test_step_connectors.py",
    "test_connector.py",
)  # fmt: skip
ROOMS = {
    room.name: room
    for room in (
        Room("pilot", ("pilot/*.py",), ("test_pilot_*.py",)),
        Room("lock", ("lock/*.py",), ("test_lock_*.py", "test_thaw.py")),
        Room("thermal", ("thermal/*.py",), ("test_thermal_*.py",)),
        Room(
            "interlock",
            (
                "interlock.py", "charger.py", "limits.py", "latches.py", "release.py", "handoff.py", "unlock.py",
                "connector.py",
            ),
            _INTERLOCK_TESTS,
        ),
        Room("faults", ("faults.py",), ("test_faults.py", *_INTERLOCK_TESTS)),
    )
}  # fmt: skip
