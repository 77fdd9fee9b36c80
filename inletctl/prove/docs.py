"""docs/invariants.md: what must hold in every pass, and the firmwares that show that each rule bites."""

from collections.abc import Callable

from inletctl.prove.known_bad import read
from inletctl.prove.rules import RULES

_HEAD = "<!-- Printed by `inletctl docs` from inletctl/prove. Do not edit: change the data and print again. -->\n"
_ABOUT = """
Each of these holds in every pass of the whole step, whatever is read. `inletctl sim` checks them in every scenario, beside what
the scenario expects, and fails with a sentence where one is broken. A Hypothesis state machine plays anything at any time
against them (`host_tests/test_prove_machine.py`), and a search tries every way that a few moves can go:

    .venv/bin/inletctl prove search --depth 4 --states 20000    # a way round one becomes a scenario file; exit 1
    .venv/bin/inletctl prove known-bad                          # the firmwares below, each caught or not

One move of the search is one thing that changes outside (the plug, the pilot, a sensor, the car, a person: `prove/rig.py`), or a
wait. Numbers are the healthy firmware's own tables, whichever firmware is run (`INLETCTL_FIRMWARE`).

On the 32-bit MicroPython, those marked * are not checked: what the car's side of the firmware adds to the readings stays there.
On the emulated chip none is: nobody sees what the board has read.
"""


def invariants_page() -> str:
    """Return docs/invariants.md."""
    rows = "".join(
        "| `%s`%s | %s | %s |\n" % (rule.id, " *" if rule.of_car else "", rule.text, rule.source)
        for rule in RULES
    )
    bads = "".join(
        "| `%s` | %s | `%s` | %s |\n"
        % (bad.name, bad.wrong, bad.rule, ", ".join(sorted({edit.file for edit in bad.edits})))
        for bad in read()
    )
    return (
        "# What must hold in every pass\n"
        + _HEAD
        + _ABOUT
        + "\n## Invariants\n\n| id | what must hold | numbers from |\n|---|---|---|\n"
        + rows
        + "\n## Firmwares that are broken on purpose\n\n"
        + "| name | what is wrong | caught by | edited |\n|---|---|---|---|\n"
        + bads
    )


PAGES: dict[str, Callable[[], str]] = {"docs/invariants.md": invariants_page}
