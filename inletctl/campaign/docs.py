"""docs/campaign.md: what the fault campaign breaks, what came of it, and what explains what is not the fault itself."""

import json
from collections.abc import Callable
from typing import Any

from inletctl.campaign.figures import wall_words
from inletctl.campaign.judge import BESIDE, BLIND, EXCUSED, EXPLAINED, FOLLOWS, OUTCOMES
from inletctl.campaign.judge import NAMES as OUTCOME_NAMES
from inletctl.campaign.kinds import GROUPS, KINDS
from inletctl.campaign.known_bad import read
from inletctl.house import ROOT
from inletctl.markdown import table

FIGURES = ROOT / "docs" / "figures"
_HEAD = "<!-- Printed by `inletctl docs` from inletctl/campaign and docs/figures. Do not edit: change the data and print again. -->\n"
_ABOUT = """
Each session is drawn from the seed and its number: inlet, station, cable, charger, temperatures, the lock's speed, the policy, and
where the board's clock begins; in one of three it wraps on the way. Every second session has one fault, the kinds in turn; the others
have two, drawn. A fault begins in a drawn phase of the session (before the plug, with it, while the bolt moves, just after S2 has
closed, under way, in a stop, in the rest after it, with the cable released), and ends a drawn time later. Once all are over the person
takes the cable, pulls, waits to be told that the car may drive, and plugs in again: that must charge. Every pass of it is held against
the [invariants](invariants.md), and against the truth of the simulated inlet.

    make campaign                                               # 20,000 sessions, seed 1
    .venv/bin/inletctl campaign --seed 7 --sessions 2000        # others
    .venv/bin/inletctl campaign --seed 7 --only 1234            # one of them alone
    .venv/bin/inletctl campaign --kind "lock slips"             # one kind of fault
    .venv/bin/inletctl campaign --known-bad                     # the firmwares below, each caught or not

What must not be ends with exit status 1 and is written as a scenario file, with the command of `inletctl sim` that plays it again.
Clocks that jump are a verb of the scenarios; a board whose flash is broken is not: there the session is run again by its number.
"""


def campaign_page() -> str:
    """Return docs/campaign.md."""
    parts = ["# The fault campaign\n" + _HEAD + _ABOUT + "\n## Outcomes\n\n"]
    parts.append(
        table(("outcome", "what it means"), [("`%s`" % name, words) for name, words in OUTCOMES])
    )
    found = [
        json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(FIGURES.glob("campaign-*.json"))
    ]
    parts += [_figures(one) for one in found] or ["\nNo campaign's figures are stored.\n"]
    parts.append(_tables())
    return "".join(parts)


def _tables() -> str:
    groups = [
        (group, ", ".join(kind.name for kind in KINDS if kind.group == group)) for group in GROUPS
    ]
    rightly = [
        (
            kind.name,
            " ".join("`%s`" % reason for reason in kind.reasons) or "no stop at all",
            " ".join(kind.faults) or "none",
        )
        for kind in KINDS
    ]
    blind = [
        (code, "%s; with %s" % (", ".join(ones), ", ".join(others)), why)
        for code, ones, others, why in BLIND
    ]
    return (
        "\n## What is broken\n\n"
        + table(("group", "faults"), groups)
        + "\n## What a stop may rightly name, and which faults may be told\n\n"
        + table(("broken", "reasons", "faults"), rightly)
        + "\nReasons that come along with another one:\n\n"
        + table(
            ("reason", "with", "why"),
            [("`%s`" % one, "`%s`" % other, why) for one, other, why in FOLLOWS],
        )
        + "\nReasons and faults that one has beside another in the same session:\n\n"
        + table(
            ("broken", "beside", "reason or fault", "why"),
            [
                (kind, ", ".join(others), "`%s`" % reason, why)
                for kind, others, reason, why in BESIDE
            ],
        )
        + "\nNuisance stops, and their causes:\n\n"
        + (
            table(("fault", "reason", "cause"), EXPLAINED)
            if EXPLAINED
            else "There is none to explain.\n"
        )
        + "\n## What is seen and is not the inlet's\n\n"
        + table(
            ("code", "faults", "why"),
            [(code, ", ".join(kinds) or "any", why) for code, kinds, why in EXCUSED] + blind,
        )
        + "\nThe codes are those of the simulated station and car (`inletctl/plant/evse_watch.py`, `safety.py`, `lock.py`) and of the invariants.\n"
        + "\n## Firmwares that are broken on purpose\n\n"
        + table(
            ("name", "what is wrong", "caught as", "by", "with"),
            [(bad.name, bad.wrong, bad.outcome, bad.sign, ", ".join(bad.kinds)) for bad in read()],
        )
    )


def _figures(found: dict[str, Any]) -> str:
    used = [
        name
        for name in OUTCOME_NAMES
        if found["outcomes"].get(name) or name in ("unsafe", "stuck", "unexplained", "nuisance")
    ]
    singles = [
        (
            kind.name,
            kind.group,
            *_cells(found["kinds"].get(kind.name, {}), used),
            _told(found["told"].get(kind.name, {})),
        )
        for kind in KINDS
    ]
    pairs = [(kind.name, *_cells(found["in_pairs"].get(kind.name, {}), used)) for kind in KINDS]
    phases = [(phase, *_cells(counts, used)) for phase, counts in found["phases"].items()]
    excused = ", ".join("%s %d" % item for item in found["excused"].items()) or "nothing"
    nuisances = [(kind, "`%s`" % reason, count) for kind, reason, count in found["nuisances"]]
    return (
        "\n## Seed %d, firmware %s\n\n" % (found["seed"], found["firmware"])
        + "%d sessions, %d with one fault and %d with two, %.1f simulated hours, in %s (%d s of CPU, %d ms a session).\n\n"
        % (
            found["sessions"], found["singles"], found["doubles"], found["simulated_h"], wall_words(found),
            found["cpu_s"], round(1000 * found["cpu_s"] / max(1, found["sessions"])),
        )
        + table(("sessions", *used), [("all", *_cells(found["outcomes"], used))])
        + "\nSeen, and not the inlet's (below), so often: %s.\n" % excused
        + ("\nNuisance stops:\n\n" + table(("fault", "reason", "sessions"), nuisances) if nuisances else "")
        + "\n### One fault\n\n`told as`: the reasons of the first stop that no person asked for, and how often.\n\n"
        + table(("fault", "group", *used, "told as"), singles)
        + "\n### Two faults\n\nA session counts with both of its faults.\n\n"
        + table(("fault", *used), pairs)
        + "\n### By the phase in which a fault began\n\n"
        + table(("phase", *used), phases)
    )  # fmt: skip


def _cells(counts: dict[str, int], used: list[str]) -> list[str]:
    return [
        str(counts.get(name, ""))
        if counts.get(name)
        else "0"
        if name in ("unsafe", "stuck", "unexplained", "nuisance")
        else ""
        for name in used
    ]


def _told(told: dict[str, int]) -> str:
    return ", ".join("`%s` %d" % item for item in list(told.items())[:4])


PAGES: dict[str, Callable[[], str]] = {"docs/campaign.md": campaign_page}
