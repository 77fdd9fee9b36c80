"""How fast the inlet reacts, as README.md tells it: what was measured last, beside what the standards ask for. No figure is typed.

`inletctl reactions`, and `inletctl perf --keep`, write what they have measured into docs/figures/reactions.json, the host's part or the
emulated chip's or both; what they have not measured stays. `inletctl docs` prints the table of it into README.md, between two markers.
"""

import json
import re
import subprocess
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

from inletctl.errors import UserError
from inletctl.house import ROOT, use_firmware
from inletctl.report.files import write_whole

use_firmware()

import faults  # noqa: E402

FIGURES = ROOT / "docs" / "figures" / "reactions.json"
README = ROOT / "README.md"
BEGIN = "<!-- reactions: printed by `inletctl docs` from docs/figures/reactions.json; measured by `make reactions` -->"
END = "<!-- reactions end -->"
HOST, CHIP = "host", "rp2040"
TARGETS = {
    HOST: "the logic, simulated time on the host",
    CHIP: "pin to pin, emulated RP2040",
}

# Which words of a reason's clause (faults.SHUTDOWN) limit the current, and which S2; their times added up are the limit. A
# reason that is not here has no time in any standard, or one for something else (charger_fault: 5 s are for the charger to obey).
STANDARD = {
    "no_plug": ("stop 1 s", "S2 3 s"),
    "pilot_e": ("3 s", "3 s"),
    "pilot_f": ("3 s", "3 s"),
    "pilot_lost": ("IEC 61851-1 Tab A.6 seq 2.2: 3 s", "IEC 61851-1 Tab A.6 seq 2.2: 3 s"),
    "pilot_invalid": ("3 s", "3 s"),
    "pilot_frequency": ("<= 1 A in 4 s", ""),
    "pp_invalid": ("stop 1 s", "S2 3 s"),
    "pp_button": ("J1772 S3: 100 ms", "S2 open 1 s"),
    "pilot_steady": ("10.1: 3 s", "3 s + 3 s"),
}
# A lower offer is obeyed within what the clause of a charger that does not obey says.
_LOWER = ("charger_fault", "IEC 61851-1 Tab A.6 seq 6: 5 s")
_TIME = re.compile(r"(\d+) (ms|s)\b")


def standard_ms(reason: str, words: str) -> "int | None":
    """Return the ms that `words` of a reason's clause add up to; None for no words. Raises UserError where they are not in it."""
    if not words:
        return None
    row = next(row for row in faults.SHUTDOWN if row[faults.ROW_NAME] == reason)
    found = _TIME.findall(words)
    if words not in row[faults.ROW_CLAUSE] or not found:
        raise UserError(
            "inletctl/reaction_table.py: the clause of %s (%s) does not say '%s': correct STANDARD."
            % (reason, row[faults.ROW_CLAUSE], words)
        )
    return sum(int(number) * (1 if unit == "ms" else 1000) for number, unit in found)


# ------------------------------------------------------------------------------------------ kept


def of_report(report: dict[str, Any], seed: int) -> dict[str, Any]:
    """Return what a report of `inletctl perf` (report.json) has of reactions: HOST, CHIP or both."""
    made: dict[str, Any] = {}
    about = {
        "firmware": report["firmware"],
        "commit": _commit(),
        "seed": seed,
        "date": date.today().isoformat(),
        "made_by": report["made_by"],
    }
    if report["reactions"]:
        events = [_event(one) for one in report["reactions"]]
        lowered = report.get("lowering")
        if lowered is not None:
            events.append(
                {"event": lowered["cause"], "reason": "", "current_0": _times(lowered["current"])}
            )
        made[HOST] = {**about, "events": events}
    chip = report["chip"]
    if isinstance(chip, dict) and chip.get("reactions"):
        events = [_event(one) for one in chip["reactions"]]
        events += [
            {
                "event": "the loop dies: an %s" % one["way"],
                "reason": "",
                "s2_open": _times(one["s2_low"]),
            }
            for one in chip.get("kills", ())
        ]
        made[CHIP] = {**about, "image": chip["image"], "events": events}
    return made


def _event(one: dict[str, Any]) -> dict[str, Any]:
    return {
        "event": one["cause"],
        "reason": one["reason"],
        "current_0": _times(one["current_0"]),
        "s2_open": _times(one["s2_open"]),
    }


def _times(part: dict[str, Any]) -> dict[str, Any]:
    return {key: part.get(key) for key in ("n", "never", "p50_ms", "worst_ms", "limit_ms")}


def _commit() -> str:
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--exclude", "*"],
            cwd=ROOT, capture_output=True, text=True, check=True,
        )  # fmt: skip
    except (OSError, subprocess.CalledProcessError):
        return "not known"
    return done.stdout.strip()


def keep(report: Path, seed: int, path: Path = FIGURES) -> "list[str]":
    """Put what report.json of `inletctl perf` has measured into the stored figures; return which targets. Raises UserError."""
    try:
        told = json.loads(report.read_text(encoding="utf-8"))
        return keep_report(told, seed, path)
    except (OSError, ValueError, KeyError, TypeError):
        raise UserError(
            "%s: holds no report of `inletctl perf`; nothing is kept." % report
        ) from None


def keep_report(report: dict[str, Any], seed: int, path: Path = FIGURES) -> "list[str]":
    """Put what a report has measured into the stored figures; return which targets that were. Raises UserError."""
    measured = of_report(report, seed)
    if not measured:
        raise UserError(
            "No reactions were measured, so none are kept: measure the host, type2 or type1 as well."
        )
    made = {**read(path), **measured}
    write_whole(path, lambda stream: stream.write(json.dumps(made, indent=1) + "\n"))
    return list(measured)


def read(path: Path = FIGURES) -> dict[str, Any]:
    """Return the stored figures by target; none where nothing is stored."""
    if not path.exists():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(
            "%s: cannot be read: %s; measure anew with `make reactions`." % (path, error)
        ) from None
    return {name: found[name] for name in TARGETS if name in found}


# ----------------------------------------------------------------------------------------- told


def table(figures: dict[str, Any]) -> str:
    """Return the table of the stored figures, and what they were taken with."""
    lines = []
    if not figures:
        return "Nothing was measured yet: `make reactions`.\n"
    lines += [
        "| event | current 0: standard | our worst | factor | S2 open: standard | our worst | factor | samples | target |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for target in TARGETS:
        for one in figures.get(target, {"events": ()})["events"]:
            lines.append("| %s |" % " | ".join(_cells(one, target)))
    lines.append("")
    for target, words in TARGETS.items():
        if target in figures:
            lines.append(_taken(target, words, figures[target]))
        else:
            lines.append("* `%s`: %s: not measured." % (target, words))
    return "\n".join(lines) + "\n"


def _taken(target: str, words: str, one: dict[str, Any]) -> str:
    image = ", MicroPython %s" % one["image"] if "image" in one else ""
    return "* `%s`: %s%s; firmware `%s` at commit `%s`, seed %d, %s: `%s`." % (
        target, words, image, one["firmware"], one["commit"], one["seed"], one["date"], one["made_by"],
    )  # fmt: skip


def _cells(one: dict[str, Any], target: str) -> "Iterable[str]":
    words = STANDARD.get(one["reason"], ("", ""))
    limits = [standard_ms(one["reason"], text) for text in words]
    if "s2_open" not in one:
        limits = [standard_ms(*_LOWER), None]
    cells = [one["event"] + (" (to the lower current)" if "s2_open" not in one else "")]
    samples = []
    for key, limit_ms in zip(("current_0", "s2_open"), limits, strict=True):
        part = one.get(key)
        if part is None:
            cells += ["", "", ""]
            continue
        samples.append(str(part["n"]))
        cells += [_ms(limit_ms), _worst(part), _factor(limit_ms, part)]
    cells += [" / ".join(dict.fromkeys(samples)), "`%s`" % target]
    return cells


def _ms(limit_ms: "int | None") -> str:
    if limit_ms is None:
        return "none"
    return "%d ms" % limit_ms if limit_ms % 1000 else "%d s" % (limit_ms // 1000)


def _tenths(worst_ms: float) -> int:
    """Return ms as tenths, rounded up."""
    return -int(-worst_ms * 10 // 1)


def _worst(part: dict[str, Any]) -> str:
    if part["never"] or part["worst_ms"] is None:
        return "never, %d times" % part["never"]
    tenths = _tenths(part["worst_ms"])
    said = "%d.%d ms" % divmod(tenths, 10)
    return (
        said
        if part["worst_ms"] <= part["limit_ms"]
        else said + " (over our limit of %d ms)" % part["limit_ms"]
    )


def _factor(limit_ms: "int | None", part: dict[str, Any]) -> str:
    if limit_ms is None or part["never"] or not part["worst_ms"]:
        return ""
    # Rounded down: of the worst as it is told.
    return "%d.%d" % divmod(limit_ms * 100 // _tenths(part["worst_ms"]), 10)


def print_into(text: str, figures: dict[str, Any]) -> str:
    """Return README.md's text with the table between its markers. Raises UserError where these are not there, in order."""
    before, begin, rest = text.partition(BEGIN)
    _old, end, after = rest.partition(END)
    if not begin or not end:
        raise UserError(
            "README.md: the two markers of the reactions are not there: put back %s and %s."
            % (BEGIN, END)
        )
    return before + begin + "\n\n" + table(figures) + "\n" + end + after


def readme_page() -> str:
    """Return README.md as it has to be."""
    return print_into(README.read_text(encoding="utf-8"), read())
