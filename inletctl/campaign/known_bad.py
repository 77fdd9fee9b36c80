"""Firmwares that are broken on purpose, each by a small edit, and what the campaign must make of them: it does not pass vacuously.

The data is known_bad.toml. Each is a patched copy of the firmware, run in a process of its own; the judge stays the healthy one.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from inletctl.bench.firmwares import Broken, patched
from inletctl.bench.recipe import tomllib
from inletctl.campaign.judge import BAD
from inletctl.campaign.kinds import BY_NAME
from inletctl.edits import Edit
from inletctl.errors import UserError
from inletctl.house import ROOT

FILE = Path(__file__).with_suffix(".toml")
SEED = 1
# Sessions of its kinds until one must have been bad.
SESSIONS = 40


@dataclass(frozen=True)
class KnownBad:
    """One broken firmware. `outcome`: of judge.BAD; `sign`: in the words for it; `kinds`: the faults that bring it to light."""

    name: str
    wrong: str
    outcome: str
    sign: str
    kinds: tuple[str, ...]
    edits: tuple[Edit, ...]


def read(path: Path = FILE) -> tuple[KnownBad, ...]:
    """Return every broken firmware of the file. Raises UserError for one that cannot be used."""
    found = []
    for row in tomllib.loads(path.read_text(encoding="utf-8"))["bad"]:
        try:
            edits = tuple(Edit(one["file"], one["find"], one["put"]) for one in row["edit"])
            bad = KnownBad(
                row["name"], row["wrong"], row["outcome"], row["sign"], tuple(row["kinds"]), edits
            )
        except KeyError as error:
            raise UserError(
                "%s: %s: %s is missing" % (path.name, row.get("name"), error)
            ) from None
        if bad.outcome not in BAD or not set(bad.kinds) <= set(BY_NAME):
            raise UserError("%s: %s: no such outcome or fault" % (path.name, bad.name))
        found.append(bad)
    return tuple(found)


def caught(bad: KnownBad) -> str:
    """Run the campaign on the broken firmware; return what was said of it, "" where it was not caught as it must be."""
    command = [
        sys.executable,
        "-m",
        "inletctl.cli",
        "campaign",
        "--json",
        "--until-bad",
        "--jobs",
        "1",
    ]
    command += ["--seed", str(SEED), "--sessions", str(SESSIONS)]
    for kind in bad.kinds:
        command += ["--kind", kind]
    with patched(Broken(bad.name, bad.wrong, "", bad.edits)) as folder:
        command += ["--out", str(folder.parent / "out")]
        done = subprocess.run(
            command, env={**os.environ, "INLETCTL_FIRMWARE": str(folder), "PYTHONPATH": str(ROOT)},
            capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
    if done.returncode not in (0, 1):
        raise UserError(
            "%s: the campaign did not run: %s" % (bad.name, done.stderr.strip()[-500:])
        )
    found = json.loads(done.stdout)
    if not found["outcomes"].get(bad.outcome):
        return ""
    return next((words for words in found["bad"] if bad.sign in words), "")
