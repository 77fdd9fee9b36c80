"""The pages of docs/ that come from data: printed here, checked in CI against what is stored."""

from collections.abc import Callable, Iterable
from pathlib import Path

from inletctl.blackbox.docs import blackbox_page
from inletctl.campaign.docs import PAGES as CAMPAIGN_PAGES
from inletctl.can.generate import PAGES as CAN_PAGES
from inletctl.errors import UserError
from inletctl.fuzz.docs import PAGES as FUZZ_PAGES
from inletctl.hardware_docs import PAGES as HARDWARE_PAGES
from inletctl.house import ROOT, use_firmware
from inletctl.journal.blame_docs import PAGES as BLAME_PAGES
from inletctl.journal.codes_docs import PAGES as CODE_PAGES
from inletctl.journal.docs import journal_page
from inletctl.light import light_page, looks_of, name_of_look
from inletctl.link.protocol_page import protocol_page
from inletctl.markdown import table
from inletctl.mutate.docs import PAGES as MUTATION_PAGES
from inletctl.prove.docs import PAGES as PROVE_PAGES
from inletctl.reaction_table import readme_page
from inletctl.requirements.page import PAGES as REQUIREMENT_PAGES
from inletctl.scenario.markdown import language_markdown
from inletctl.soak.docs import PAGES as SOAK_PAGES

use_firmware()

import faults  # noqa: E402
import interlock  # noqa: E402
import setting_rows  # noqa: E402
import settings  # noqa: E402
from connector import (  # noqa: E402
    C_AC,
    C_DC,
    C_DUTY,
    C_LATCH,
    C_NAME,
    C_PILOT,
    C_PP,
    C_SHARED,
    C_SOURCE,
    C_WHAT,
    CONNECTORS,
    LATCH_NAMES,
)
from limits import LIMITER_NAMES  # noqa: E402
from lock.actuator import LOCK_STATE_NAMES  # noqa: E402
from pilot import duty, proximity  # noqa: E402
from vehicle.looks import LIGHT_NAMES  # noqa: E402

_HEAD = (
    "<!-- Printed by `inletctl docs` from %s. Do not edit: change the data and print again. -->\n"
)


def shutdown_page() -> str:
    """Return docs/shutdown.md: every reason not to charge and every fault."""
    reasons = []
    for bit, row in enumerate(faults.SHUTDOWN):
        reasons.append(
            (
                bit,
                "`%s`" % row[faults.ROW_NAME],
                row[faults.ROW_WHAT],
                faults.ORDER_NAMES[row[faults.ROW_ORDER]],
                row[faults.ROW_CURRENT_MS],
                row[faults.ROW_WAIT_MS],
                row[faults.ROW_S2_MS],
                faults.CLEAR_NAMES[row[faults.ROW_CLEARS]],
                row[faults.ROW_REST_MS],
                "yes" if row[faults.ROW_COUNTED] else "",
                row[faults.ROW_CLAUSE],
            )
        )
    broken = []
    for bit, row in enumerate(faults.FAULTS):
        forced = row[faults.FAULT_REASON]
        name = " ".join(faults.names(faults.SHUTDOWN, forced))
        broken.append(
            (
                bit,
                "`%s`" % row[faults.FAULT_NAME],
                row[faults.FAULT_WHAT],
                "`%s`" % name if name else "warns only",
                faults.CLEAR_NAMES[row[faults.FAULT_CLEARS]],
            )
        )
    held = [
        (
            bit,
            "`%s`" % row[faults.HOLD_NAME],
            row[faults.HOLD_WHAT],
            "`%s`" % faults.names(faults.SHUTDOWN, row[faults.HOLD_REASON])[0]
            if row[faults.HOLD_REASON]
            else "tells only",
            faults.CLEAR_NAMES[row[faults.HOLD_CLEARS]],
        )
        for bit, row in enumerate(faults.HOLDS)
    ]
    return (
        "# Why charging stops, and how\n"
        + _HEAD % "firmware/faults.py"
        + """
S2 may close only when no reason below is left. *Current first* means: the charger's command goes to 0, S2 opens when
less than 1 A flows or when the bounded wait is over. *At once* means both in the same pass. "Current 0" and "S2 open"
count from the cause at the pin. A counted reason is a malfunction: its rest doubles with every further one in the
same plug-in (at most 16-fold), and after `retries_max` of them only an unplug helps. Any other but a person's rests alike
three times, then doubles as well; it never latches. Clauses were checked against
secondary sources.

## Reasons

"""
        + table(
            (
                "bit",
                "name",
                "what",
                "order",
                "current 0 (ms)",
                "bounded wait (ms)",
                "S2 open (ms)",
                "clears",
                "rest (ms)",
                "counted",
                "clause",
            ),
            reasons,
        )
        + "\n## Faults\n\n"
        + table(("bit", "name", "what", "forces", "clears"), broken)
        + "\n## Holds\n\nWhat the car, a person or a record asks for, and what the inlet has noticed of them.\n\n"
        + table(("bit", "name", "what", "forces", "clears"), held)
    )


def settings_page() -> str:
    """Return docs/settings.md: every setting of the board."""
    rows = []
    for row in setting_rows.TABLE:
        key = row[setting_rows.ROW_KEY]
        choices = setting_rows.CHOICES.get(key)
        if choices:
            bounds, default = ", ".join(choices), choices[row[setting_rows.ROW_DEFAULT]]
        elif row[setting_rows.ROW_UNIT] == "light":
            bounds, default = looks_of(key), name_of_look(row[setting_rows.ROW_DEFAULT])
        else:
            bounds = "%d..%d" % (row[setting_rows.ROW_MIN], row[setting_rows.ROW_MAX])
            default = str(row[setting_rows.ROW_DEFAULT])
        rows.append(
            (
                row[setting_rows.ROW_NUMBER],
                "`%s`" % key,
                row[setting_rows.ROW_UNIT],
                bounds,
                default,
                row[setting_rows.ROW_HELP],
            )
        )
    return (
        "# Settings\n"
        + _HEAD % "firmware/setting_rows.py"
        + """
A value that is not a whole number, unknown or out of bounds is refused: the default is used (or the stricter bound,
where the value lay beyond it), the fault `Settings` is raised and the board says which key and why. Settings that
contradict each other in a way no single one can be blamed for refuse charging as well. What a `light` may be, and how it
is typed: [the light](light.md).

"""
        + table(("number", "key", "unit", "allowed", "default", "what"), rows)
    )


def tables_page() -> str:
    """Return docs/tables.md: pilot duty and proximity tables as the firmware holds them."""
    parts = ["# Pilot and proximity tables\n", _HEAD % "firmware/pilot", "\n## Duty to current\n"]
    for family, name in enumerate(duty.FAMILY_NAMES):
        rows = []
        first = 0
        for index, (last, band, clause) in enumerate(duty.BANDS[family]):
            low, high = duty.band_ma(family, index, first), duty.band_ma(family, index, last)
            amps = "%g A" % (low / 1000) if low == high else "%g..%g A" % (low / 1000, high / 1000)
            rows.append(
                ("%.2f..%.2f %%" % (first / 100, last / 100), duty.BAND_NAMES[band], amps, clause)
            )
            first = last + 1
        parts += ["\n### %s\n\n" % name, table(("duty", "band", "current", "clause"), rows)]
    parts.append("\n## Proximity\n")
    for name, connector in zip(settings.INLETS, CONNECTORS, strict=True):
        family = connector[C_PP]
        rows = []
        first_ohm = 0
        for last_ohm, kind, ma, clause in proximity.ROWS[family]:
            window = (
                "%.1f..%.1f ohm" % (first_ohm / 10, last_ohm / 10)
                if last_ohm
                else "above %.1f ohm" % ((first_ohm - 1) / 10)
            )
            rows.append(
                (window, proximity.PP_NAMES[kind], "%g A" % (ma / 1000) if ma else "", clause)
            )
            first_ohm = last_ohm + 1
        parts += ["\n### %s\n\n" % name, table(("PP to PE", "means", "cable", "clause"), rows)]
    return "".join(parts)


# fmt: off
_TERMS = (
    ("CP", "control pilot: the 1 kHz square wave from the EVSE whose duty is the current it offers (IEC 61851-1 Annex A)"),
    ("PP", "proximity pilot (CC in GB/T): the resistance between PP and PE that says plugged, latched, and what the cable carries"),
    ("PE", "protective earth"),
    ("EVSE", "the charging station"),
    ("EV", "the car"),
    ("inlet", "the connector in the car; what this project controls"),
    ("state A..F", "what the pilot's level says: A no car, B car connected, C energy wanted, D with ventilation, E dead, F EVSE fault"),
    ("x1, x2", "1: pilot steady, no energy now; 2: PWM, energy offered. B1, B2, C1, C2"),
    ("S2", "the car's switch that turns B into C: \"energy wanted\""),
    ("S3", "the latch button of a Type 1 plug"),
    ("ampacity", "what the cable carries, from its PP resistor"),
    ("limit", "what is enforced; the permitted current is the lowest limit, and the limiter is whose it is"),
    ("connector lock", "the actuator that keeps the plug in"),
    ("feedback", "what tells where the lock is"),
    ("derate", "reduce the current because of heat; *stop* ends it"),
    ("HLC", "high-level communication (ISO 15118, DIN 70121), asked for by 5 % duty"),
    ("reason", "a named bit that keeps S2 open"),
    ("fault", "a named bit that says something is broken"),
    ("pass", "one run of the loop, every 10 ms: sample, validate, decide, actuate, report"),
)
# fmt: on


def glossary_page() -> str:
    """Return docs/glossary.md: the field's words, and the names of every state."""

    def names(title: str, words: Iterable[str]) -> str:
        return "\n## %s\n\n%s\n" % (title, ", ".join("`%s`" % word for word in words))

    return (
        "# Glossary\n"
        + _HEAD % "inletctl/docs.py and the firmware's own names"
        + "\n"
        + table(("term", "meaning"), _TERMS)
        + names("Session states", interlock.SESSION_NAMES)
        + names("Limiters", LIMITER_NAMES)
        + names("Lock states", LOCK_STATE_NAMES)
        + names("Light patterns", LIGHT_NAMES)
    )


def connectors_page() -> str:
    """Return docs/connectors.md: every connector family this inlet can be."""
    rows = []
    for name, row in zip(settings.INLETS, CONNECTORS, strict=True):
        sections = [word for word, has in (("AC", row[C_AC]), ("DC", row[C_DC])) if has]
        if not row[C_PILOT]:
            digital = "has no pilot: refused with `no_section`"
        elif row[C_DC]:
            digital = "to the communication controller (`modem 1`, `dc_max_a`), else `no_modem`"
        else:
            digital = "refused with `no_section`: no DC section"
        rows.append(
            (
                "`%s`" % name,
                row[C_NAME],
                duty.FAMILY_NAMES[row[C_DUTY]] if row[C_PILOT] else "none",
                LATCH_NAMES[row[C_LATCH]],
                " and ".join(sections) + (", on the same pins" if row[C_SHARED] else ""),
                digital,
                row[C_WHAT],
                row[C_SOURCE],
            )
        )
    head = (
        "inlet",
        "connector",
        "duty table",
        "who holds the plug",
        "sections",
        "5 % duty",
        "what is special",
        "source",
    )
    return (
        "# Connectors\n"
        + _HEAD % "firmware/connector.py"
        + "\nThe inlet is configured (`inlet`, docs/settings.md), never detected. Proximity codings: [tables](tables.md).\n\n"
        + table(head, rows)
    )


PAGES: dict[str, Callable[[], str]] = {
    "README.md": readme_page,
    "docs/shutdown.md": shutdown_page,
    "docs/settings.md": settings_page,
    "docs/tables.md": tables_page,
    "docs/connectors.md": connectors_page,
    "docs/light.md": light_page,
    "docs/glossary.md": glossary_page,
    "docs/scenarios.md": language_markdown,
    "docs/protocol.md": protocol_page,
    "docs/journal.md": journal_page,
    "docs/blackbox.md": blackbox_page,
    **HARDWARE_PAGES,
    **CAN_PAGES,
    **CODE_PAGES,
    **BLAME_PAGES,
    **PROVE_PAGES,
    **FUZZ_PAGES,
    **CAMPAIGN_PAGES,
    **SOAK_PAGES,
    **MUTATION_PAGES,
    **REQUIREMENT_PAGES,
}


def write(root: Path = ROOT) -> list[str]:
    """Write every generated page; return the paths of those that changed."""
    changed = []
    for name, page in PAGES.items():
        path = root / name
        text = page()
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
            changed.append(name)
    return changed


def check(root: Path = ROOT) -> None:
    """Raise UserError if a stored page is not what the data prints."""
    stale = [
        name
        for name, page in PAGES.items()
        if not (root / name).exists() or (root / name).read_text(encoding="utf-8") != page()
    ]
    if stale:
        raise UserError(
            "out of date: %s. Run `make docs` and commit the result." % ", ".join(stale), 1
        )
