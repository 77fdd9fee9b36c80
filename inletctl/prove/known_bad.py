"""Firmwares that are broken on purpose, each by a small edit, and the invariant that must catch it: the rules are not vacuous.

The data is known_bad.toml. `script` is what has to happen: a root (rig.ROOTS), then what changes outside and passes, between
semicolons; `3*(...)` repeats.
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from inletctl.bench.recipe import tomllib
from inletctl.edits import Edit
from inletctl.errors import UserError
from inletctl.prove.firmware import Firmware, healthy, load
from inletctl.prove.rig import CONFIGS, DIMENSIONS, ROOTS, Rig, Script
from inletctl.prove.rules import RULES

FILE = Path(__file__).with_suffix(".toml")
_REPEAT = re.compile(r"(\d+)\*\(([^()]*)\)")


@dataclass(frozen=True)
class KnownBad:
    """One broken firmware. `rule`: the id of the invariant that must catch it; `wanted`: how the inlet is set."""

    name: str
    wrong: str
    rule: str
    wanted: tuple[tuple[str, int], ...]
    root: str
    moves: Script
    edits: tuple[Edit, ...]

    @property
    def script(self) -> Script:
        """Return all that happens, from the boot on."""
        return (*ROOTS[self.root], *self.moves)


def parse_script(text: str) -> tuple[str, Script]:
    """Return the root and the moves that `text` spells. Raises UserError for what is no move."""
    while _REPEAT.search(text):
        text = _REPEAT.sub(lambda found: ";".join([found[2]] * int(found[1])), text)
    words = [word.strip() for word in text.split(";")]
    root = words.pop(0)
    if root not in ROOTS:
        raise UserError("known_bad.toml: %r is no root; choose from %s" % (root, ", ".join(ROOTS)))
    moves: list[Any] = []
    for word in words:
        name, equals, value = word.partition("=")
        if not equals and word.isdigit():
            moves.append(int(word))
        elif value in DIMENSIONS.get(name, {}):
            moves.append((name, value))
        else:
            raise UserError("known_bad.toml: %r is no move" % word)
    return root, tuple(moves)


def read(path: Path = FILE) -> tuple[KnownBad, ...]:
    """Return every broken firmware of the file. Raises UserError for one that cannot be used."""
    found = []
    ids = {rule.id for rule in RULES}
    for row in tomllib.loads(path.read_text(encoding="utf-8"))["bad"]:
        try:
            root, moves = parse_script(row["script"])
            wanted = {**CONFIGS[row.get("config", "type2")], **row.get("settings", {})}
            edits = tuple(Edit(one["file"], one["find"], one["put"]) for one in row["edit"])
            bad = KnownBad(
                row["name"], row["wrong"], row["rule"], tuple(wanted.items()), root, moves, edits
            )
        except KeyError as error:
            raise UserError(
                "known_bad.toml: %s: %s is missing" % (row.get("name"), error)
            ) from None
        if bad.rule not in ids:
            raise UserError("known_bad.toml: %s: no invariant is called %s" % (bad.name, bad.rule))
        found.append(bad)
    return tuple(found)


@cache
def _all() -> tuple[KnownBad, ...]:
    return read()


def __getattr__(name: str) -> Any:
    if name == "KNOWN_BAD":
        return _all()
    raise AttributeError(name)


def broken_by(firmware: Firmware, bad: KnownBad) -> dict[str, str]:
    """Play the script on `firmware` to its end; return what was broken, rule by rule, in words."""
    rig = Rig(firmware, dict(bad.wanted))
    for item in bad.script:
        if isinstance(item, tuple):
            rig.put(*item)
        else:
            for _ in range(item):
                rig.one_pass()
    assert rig.watcher is not None
    return {one.rule.id: one.seen for one in rig.watcher.broken}


def caught(bad: KnownBad) -> dict[str, str]:
    """Return what the broken firmware breaks; raises UserError where its edit does not fit, or the healthy one breaks it, too."""
    sound = broken_by(healthy(), bad)
    if sound:
        raise UserError("%s: the healthy firmware breaks %s" % (bad.name, ", ".join(sound)))
    return broken_by(load(edits=bad.edits), bad)
