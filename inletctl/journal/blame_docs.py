"""docs/whose-fault.md: the rules of the verdict, its evidence, what wears, and what the campaign holds them against."""

import json
from collections.abc import Callable, Iterable
from typing import Any

from inletctl.house import ROOT, use_firmware
from inletctl.markdown import table
from inletctl.measure.attribution import LIMIT_RIGHT_PCT, LIMIT_WRONG_PCT
from inletctl.measure.failures import APART_HZ, APART_V, CAUSES

use_firmware()

import faults  # noqa: E402
from journal import blame, outcomes, wear  # noqa: E402

# What the campaigns of inletctl/measure wrote with --out.
FIGURES = ROOT / "docs" / "figures"
# Seeds whose wrong cases were looked at while the rules were made; figures of others are the honest ones.
TUNED_ON = (20261121, 975318642)
_HEAD = "<!-- Printed by `inletctl docs` from firmware/journal and inletctl/measure/failures.py. Do not edit: change the data and print again. -->\n"


def _named(names: Iterable[str]) -> str:
    return ", ".join("`%s`" % name for name in names)


def _signs(row) -> str:
    """Return the signs of a rule: one of each kind that it names."""
    kinds = (
        faults.names(faults.SHUTDOWN, row[blame.R_REASONS]),
        faults.names(faults.FAULTS, row[blame.R_FAULTS]),
        faults.names(faults.HOLDS, row[blame.R_HOLDS]),
    )
    return " and ".join(" or ".join("`%s`" % name for name in kind) for kind in kinds if kind)


def whose_fault_page() -> str:
    """Return the page."""
    rules = [
        (
            row[blame.R_CODE],
            row[blame.R_NAME],
            _signs(row),
            _named(faults.names(blame.EVIDENCE, row[blame.R_FACTS])),
            _named(faults.names(blame.EVIDENCE, row[blame.R_NOT])),
            "**%s**" % blame.VERDICT_NAMES[row[blame.R_VERDICT]],
            blame.SURE_NAMES[row[blame.R_SURE]],
            blame.GROUP_NAMES[row[blame.R_GROUP]],
            row[blame.R_WORDS],
        )
        for row in blame.RULES
    ]
    across = [
        (
            row[blame.A_CODE],
            blame.GROUP_NAMES[row[blame.A_GROUP]],
            blame.OTHER_NAMES[row[blame.A_OTHER]],
            "**%s**" % blame.VERDICT_NAMES[row[blame.A_VERDICT]],
            row[blame.A_WORDS],
        )
        for row in blame.ACROSS
    ]
    facts = [(n, "`%s`" % row[0], row[1]) for n, row in enumerate(blame.EVIDENCE)]
    counters = [
        (
            "`%s`" % row[wear.C_NAME],
            row[wear.C_UNIT],
            row[wear.C_WHAT],
            row[wear.C_LIMIT] or "",
            row[wear.C_SOURCE],
        )
        for row in wear.COUNTERS
    ]
    causes = [
        (
            cause.name,
            cause.where,
            cause.onset,
            blame.VERDICT_NAMES[cause.alone],
            "" if cause.blind is None else blame.VERDICT_NAMES[cause.blind],
            blame.VERDICT_NAMES[cause.after],
            cause.why,
        )
        for cause in CAUSES
    ]
    return (
        "# Whose fault it was, and what wears\n"
        + _HEAD
        + """
After every refusal, stop or missing current the inlet says whose fault it was: station, cable or adapter, vehicle inlet, vehicle,
person or schedule, or that it is not known. It says so with its evidence: the reasons, faults and holds it was judged by
(docs/shutdown.md), the facts below, and the rule that decided. Where two causes look alike from the port's side it does not guess.

What comes first within 0.4 s of a stop is judged, not what follows from it. A refusal is told after 12 s (25 s while the lock is
still being tried), or when a person gives up after 4 s; a charge without current after 20 s, one that heat slows after 60 s; a lock
that needed another try once charging has begun. What comes to light later, such as a
proximity line that is well once the plug is out, takes the verdict's place where its rule stands higher or is surer.

## Rules

The first that fits decides. It fits where one sign of each kind is there, all of its facts, and none of those it must not have.

"""
        + table(
            ("code", "name", "signs", "facts", "without", "verdict", "how sure", "group", "words"),
            rules,
        )
        + """
## Several sessions

The last %d sessions are kept: how each ended, and what it showed of its station. A session whose rule left it open belongs to a
group, and the next session at another station decides, as owner's manuals say: try another station; what fails at one
alone was its fault, what fails alike at several is the car's side.

"""
        % outcomes.SESSIONS
        + table(
            ("code", "group", "a later session, at another station", "verdict", "words"), across
        )
        + """
AC names no station. What the pilot shows is a weak fingerprint: its period, its level in state B, and the coding of the cable. Two
sessions count as two stations only where one of these differs by more than a station differs from itself: %.1f Hz, %d mV in state B
(%.2f V at the generator), or %d per mille of the proximity rail. The offered current is left out, since one station changes it.
Stations that look alike, such as two with a crystal and the same cable, prove nothing; nor does a station that was good before, since
what is broken now may have been whole then, nor the same one that works again. A hot plug is cleared only by ten minutes with
three quarters of its current.

## Evidence

"""
        % (outcomes.APART_PERIOD / 10, outcomes.APART_LEVEL_MV, APART_V, outcomes.APART_PP)
        + table(("bit", "name", "what"), facts)
        + """
Without a sense of mains on the board (`ac_sense=0`) a power cut cannot be told from a broken pilot wire, nor a station without mains
from a charger that draws nothing: both stay open until another station has been tried. `mains_first` trusts the board to see mains go
within 20 ms, which has been tried in simulation only.

## What wears

"""
        + table(("name", "unit", "what", "inspection after", "source"), counters)
        + "\n"
        + table(("warning", "words"), [("`%s`" % row[0], row[1]) for row in wear.WARNINGS])
        + """
A lock is called slow when the mean of its last drives is a third (and at least 40 ms) above what it took when new, or beyond four
fifths of `lock_run_ms`; no more once it is below half of that. Nothing here stops charging.

## How it is measured

`python -m inletctl.measure.attribution --count 2000 --seed N` draws failures with a known cause at random instants, currents,
temperatures, stations and tolerances, with healthy sessions between, runs every session whole on the virtual inlet, and compares.
To be reached: right in at least %.0f %%, wrong (other than "not known") in at most %.0f %%. What is right was fixed per cause before the
rules: `alone` is what can be known at that one station (`blind` without a sense of mains), `after` once another one has been tried that
the port can tell apart (%.1f Hz, %.2f V, or another coding). What cannot be told apart by physics has "not known" as its right answer.

"""
        % (LIMIT_RIGHT_PCT, LIMIT_WRONG_PCT, APART_HZ, APART_V)
        + table(("cause", "where", "onset", "alone", "blind", "after", "why"), causes)
        + _figures()
    )


def _campaigns(name: str) -> list[dict[str, Any]]:
    """Return the stored figures of a campaign, those that the rules were made with first."""
    found = [
        json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(FIGURES.glob("%s-*.json" % name))
    ]
    return sorted(found, key=lambda figures: figures["seed"] not in TUNED_ON)


def _figures() -> str:
    """Return what the campaigns of failures found."""
    campaigns = _campaigns("attribution")
    if not campaigns:
        return "\nNo campaign's figures are stored.\n"
    head = [
        "seed", "failures", "right %", "not known %", "wrong %", "of them with an answer", "right of those %",
        "wrong cases were looked at", "firmware",
    ]  # fmt: skip
    rows = [
        (
            found["seed"],
            found["count"],
            found["right_pct"],
            found["not_known_pct"],
            found["wrong_pct"],
            found["count"] - found["answer_is_not_known"],
            found["right_of_known_pct"],
            "yes" if found["seed"] in TUNED_ON else "no",
            found["firmware"],
        )
        for found in campaigns
    ]
    causes = [
        (cause.name, *(_kinds(found["causes"].get(cause.name, {})) for found in campaigns))
        for cause in CAUSES
    ]
    return (
        "\n### What came out\n\n"
        + table(head, rows)
        + "\nRight / not known though it could be known / wrong, of each cause:\n\n"
        + table(("cause", *("seed %d" % found["seed"] for found in campaigns)), causes)
    )


def _kinds(kinds: dict[str, int]) -> str:
    return " / ".join(str(kinds.get(kind, 0)) for kind in ("right", "not known", "wrong"))


def contact_health_figures_page() -> str:
    """Return docs/contact-health-figures.md: what the campaign of contact health printed."""
    parts = [
        "# Figures of contact health\n"
        + _HEAD.replace("firmware/journal and inletctl/measure/failures.py", "docs/figures")
    ]
    parts.append(
        "\n[How it is measured, and what the words mean](contact-health.md#figures). A contact whose resistance doubles over 200 sessions\n"
        "is to be reported before wear makes it derate, nothing is to be reported of healthy ones, and a plug and an inlet are not to be\n"
        "taken for each other.\n"
    )
    for found in _campaigns("contact-health"):
        parts.append(
            "\n## Seed %d, firmware %s\n\n```\n%s\n```\n\n%s\n"
            % (
                found["seed"],
                found["firmware"],
                "\n".join(found["lines"]),
                "\n".join(found["shortfalls"]) or "All of it holds.",
            )
        )
    return "".join(parts)


PAGES: dict[str, Callable[[], str]] = {
    "docs/whose-fault.md": whose_fault_page,
    "docs/contact-health-figures.md": contact_health_figures_page,
}
