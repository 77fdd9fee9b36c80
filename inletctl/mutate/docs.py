"""docs/mutation.md: how many small changes to the firmware the tests notice, and why the others change nothing."""

import json
from collections.abc import Callable
from typing import Any

from inletctl.house import ROOT
from inletctl.markdown import table
from inletctl.mutate.reasons import key_of, read
from inletctl.mutate.rooms import KILLED_PCT_MIN, ROOMS

FIGURES = ROOT / "docs" / "figures" / "mutation.json"
_HEAD = "<!-- Printed by `inletctl docs` from docs/figures/mutation.json and inletctl/mutate/reasons.toml. Do not edit. -->\n"
_ABOUT = """
Are the tests tested? Each mutant is one small change to the firmware: a sign, a number, a condition, a cell of a table. Some quick
test of the room must fail with it. At least %d %% of a room's mutants are killed, and each that survives is listed with the reason why
it changes nothing that matters.

    make mutate                         # every room; what is known of these very files is not tried again
    make mutate ROOM=lock               # one room
    make mutate ARGS="--sample 200"     # a draw, with a seed that repeats it

Signs, numbers and conditions are changed by cosmic-ray's operators, only ever to a neighbour: `<` becomes `<=`, `>=` or `!=`, a number
one more or one less, an equality its opposite. A cell of a table gets its neighbour's value. Words for people are not changed, nor does the golden copy of a
table take part (marker `golden`): it would notice every cell, and prove nothing. A mutant that leaves every value and all
code as they were is not counted. Figures: `inletctl mutate --out docs/figures/mutation.json`, lines as they were then.
"""


def mutation_page() -> str:
    """Return docs/mutation.md."""
    figures = json.loads(FIGURES.read_text(encoding="utf-8")) if FIGURES.exists() else {}
    reasons = read()
    rows = []
    parts = []
    for name in ROOMS:
        if name not in figures:
            rows.append((name, "", "", "", "", "not measured yet"))
            continue
        found = figures[name]
        survivors = found["survivors"]
        rows.append(
            (
                name,
                found["mutants"],
                found["killed"],
                "%.1f" % (1000 * found["killed"] // found["mutants"] / 10),
                len(survivors),
                "all" if found["seed"] is None else "%d of %d, seed %d" % (found["tried"], found["of"], found["seed"]),
            )
        )  # fmt: skip
        if survivors:
            lines = [_line(row, reasons) for row in survivors]
            parts.append(
                "\n### %s\n\n" % name + table(("where", "in", "change", "why it is none"), lines)
            )
    return (
        "# Are the tests tested?\n"
        + _HEAD
        + _ABOUT % KILLED_PCT_MIN
        + "\n## Rooms\n\n"
        + table(("room", "mutants", "killed", "%", "survived", "tried"), rows)
        + "\n## What no test can notice\n"
        + "".join(parts)
    )


def _line(row: dict[str, Any], reasons: dict[Any, str]) -> tuple[str, str, str, str]:
    change = "`%s` → `%s`" % (_code(row["original"]), _code(row["mutated"]))
    return (
        "%s:%d" % (row["file"], row["line"]),
        "`%s`" % row["scope"],
        change,
        reasons.get(key_of(row), "**no reason given**"),
    )


def _code(text: str) -> str:
    return text.replace("|", "\\|")


PAGES: dict[str, Callable[[], str]] = {"docs/mutation.md": mutation_page}
