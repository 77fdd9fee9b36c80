"""Deliberately broken firmwares: what the conformance recipe must catch.

Each is a data file in `broken/`: the edits that break it, what is then wrong, and the block that finds it. A broken
firmware is a patched copy of the repository's own in a folder that goes away, run in a process of its own with
INLETCTL_FIRMWARE pointing there; the judge's tables stay the healthy ones.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from inletctl.bench.recipe import tomllib
from inletctl.edits import Edit, edited
from inletctl.errors import UserError
from inletctl.house import HEALTHY, ROOT

FOLDER = Path(__file__).resolve().parent / "broken"


@dataclass(frozen=True)
class Broken:
    """One broken firmware; `caught_by` is a block of the conformance recipe."""

    name: str
    wrong: str
    caught_by: str
    edits: tuple[Edit, ...]


def read_broken() -> list[Broken]:
    """Return every broken firmware of `broken/`, by name. Raises UserError for one that cannot be used."""
    found = []
    for path in sorted(FOLDER.glob("*.toml")):
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        try:
            edits = tuple(Edit(one["file"], one["find"], one["put"]) for one in table["edit"])
            found.append(Broken(path.stem, table["wrong"], table["caught_by"], edits))
        except KeyError as error:
            raise UserError("%s: %s is missing" % (path.name, error)) from None
    return found


def patch(broken: Broken, folder: Path) -> None:
    """Carry the edits out in a copy of the firmware at `folder`.

    Raises UserError where a text does not stand in its file exactly once: the firmware has moved on, so must the edit.
    """
    for edit in broken.edits:
        path = folder / edit.file
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        path.write_text(edited(text, edit, "broken/%s.toml" % broken.name), encoding="utf-8")


@contextmanager
def patched(broken: Broken) -> Iterator[Path]:
    """Give a folder with the broken firmware in it; it is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="inletctl-broken-") as made:
        folder = Path(made) / "firmware"
        shutil.copytree(HEALTHY, folder, ignore=shutil.ignore_patterns("__pycache__"))
        patch(broken, folder)
        yield folder


def run_broken(
    broken: Broken, out: Path, only: tuple[str, ...] = ()
) -> subprocess.CompletedProcess:
    """Run the conformance recipe on the broken firmware; reports go to `out`. `only`: ids of blocks, none means all.

    The exit status is that of `inletctl bench`: 1 where the recipe has found something.
    """
    arguments = [sys.executable, "-m", "inletctl.bench", "conformance", "--out", str(out)]
    for block in only:
        arguments += ["--only", block]
    with patched(broken) as folder:
        environment = {**os.environ, "INLETCTL_FIRMWARE": str(folder), "PYTHONPATH": str(ROOT)}
        return subprocess.run(
            arguments, env=environment, capture_output=True, text=True, check=False, timeout=600
        )
