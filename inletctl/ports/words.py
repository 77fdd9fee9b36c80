"""Port records as people write and read them: `type2`, `ac2`, `--max-kw 7.4`, and a table of them."""

import re
from fractions import Fraction
from typing import Any

from rich.markup import escape
from rich.table import Table

from inletctl.errors import UserError
from inletctl.house import use_firmware

use_firmware()

from ports.records import (  # noqa: E402
    CONNECTORS,
    DECOMMISSIONED,
    HERE,
    OPERATIONAL,
    OUT_OF_SERVICE,
    POWERS,
    is_dc,
    limit_ma,
    phases,
    problems,
    volts,
    with_defaults,
)

Record = dict[str, Any]
# What people say beside the words of the tables.
_SYNONYMS = {
    "type1": "J1772",
    "tesla": "NACS",
    "j3400": "NACS",
    "ac1": "AC level 1",
    "level1": "AC level 1",
    "l1": "AC level 1",
    "ac2": "AC level 2",
    "level2": "AC level 2",
    "l2": "AC level 2",
    "ac": "AC level 2",
    "dc": "DC fast",
}
_STYLES = {OPERATIONAL: "green", OUT_OF_SERVICE: "yellow", DECOMMISSIONED: "red"}
# By settings.INLETS: how a record may call that inlet.
INLET_CONNECTORS = {
    "type1": ("J1772",),
    "type2": ("Type 2",),
    "gbt": ("GB/T",),
    "nacs": ("NACS",),
    "ccs1": ("CCS1", "J1772"),
    "ccs2": ("CCS2", "Type 2"),
    "chademo": ("CHAdeMO",),
}


def _plain(text: str) -> str:
    return re.sub(r"[\s/_-]", "", text).lower()


def _word(text: str, words: "tuple[str, ...]", what: str) -> str:
    wanted = _plain(text)
    for word in words:
        if _plain(word) == wanted or _SYNONYMS.get(wanted) == word:
            return word
    raise UserError("'%s' is no %s: choose one of %s." % (text[:40], what, ", ".join(words)))


def connector_word(text: str) -> str:
    """Return the connector of ports.records.CONNECTORS that `text` means. Raises UserError."""
    return _word(text, tuple(str(row[0]) for row in CONNECTORS), "connector")


def power_word(text: str) -> str:
    """Return the power type of ports.records.POWERS that `text` means. Raises UserError."""
    return _word(text, tuple(str(row[0]) for row in POWERS), "power type")


def whole(text: str, scale: int, option: str) -> int:
    """Return the decimal number `text` times `scale`, where that is whole: 7.4 kW are 7400 W. Raises UserError."""
    try:
        # A fraction is exact, and its text short: an exponent would make a number of any size.
        value = Fraction(text) if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", text) else None
    except (ValueError, ZeroDivisionError):
        value = None
    if value is None:
        raise UserError("%s: '%s' is not a number such as 7.4." % (option, text[:40]))
    value *= scale
    if value.denominator != 1:
        raise UserError("%s: %s has more digits than are kept." % (option, text))
    return int(value)


def decimal(value: int, scale: int) -> str:
    """Return value / scale without needless zeros."""
    text = "%.6f" % (value / scale)
    return text.rstrip("0").rstrip(".")


def problems_of(record: Record) -> "list[str]":
    """Return what is wrong with a record, a sentence each."""
    return problems(record)


def is_for_good(record: Record) -> bool:
    """Tell whether the port is decommissioned."""
    return with_defaults(record)["status"] == DECOMMISSIONED


def is_available(record: Record) -> bool:
    """Tell whether the port may be used."""
    return with_defaults(record)["status"] == OPERATIONAL


def available(records: "list[Record]") -> str:
    """Return "n of m available"."""
    return "%d of %d available" % (sum(is_available(one) for one in records), len(records))


def table(records: "list[Record]") -> Table:
    """Return the records as a table for a person."""
    made = Table(title=available(records), title_justify="left")
    for head in ("port", "label", "connector", "power", "max kW", "V", "A", "status", "notes"):
        made.add_column(head, justify="right" if head in ("port", "max kW", "V", "A") else "left")
    for one in records:
        record = with_defaults(one)
        status = record["status"]
        made.add_row(
            str(record["id"]),
            escape(record["label"]),
            record["connector"],
            record["power"],
            decimal(record["max_w"], 1000),
            str(record.get("volts_v", "")),
            decimal(record["current_ma"], 1000) if "current_ma" in record else "",
            "[%s]%s[/]" % (_STYLES[status], status),
            escape(record["notes"]),
        )
    return made


def show(record: Record) -> "list[str]":
    """Return one record as lines, with what follows from it."""
    record = with_defaults(record)
    lines = ["port %d: %s" % (record["id"], record["label"])]

    def add(name: str, value: str) -> None:
        lines.append("  %-14s %s" % (name, value))

    add("connector", record["connector"])
    add("power", record["power"])
    add("max power", "%s kW" % decimal(record["max_w"], 1000))
    if "volts_v" in record:
        add("volts", "%d V" % record["volts_v"])
    if "current_ma" in record:
        add("current", "%s A" % decimal(record["current_ma"], 1000))
    if "phases" in record:
        add("phases", str(record["phases"]))
    add("status", record["status"])
    add("inlet", "%d%s" % (record["inlet"], "" if record["inlet"] == HERE else ": only listed"))
    if record["notes"]:
        add("notes", record["notes"])
    if record["inlet"] == HERE:
        guessed = [
            word
            for key, word in (("volts_v", "the highest volts"), ("phases", "the most phases"))
            if key not in record
            and not (key == "phases" and phases(record) == 1)
            and not ("current_ma" in record and key == "volts_v" and _is_current_less(record))
        ]
        add(
            "caps",
            "%s A%s at %d V, %d phase%s%s"
            % (
                decimal(limit_ma(record), 1000),
                "" if is_dc(record) else " per phase",
                volts(record),
                phases(record),
                "" if phases(record) == 1 else "s",
                " (%s that there may be, as none are recorded)" % " and ".join(guessed)
                if guessed
                else "",
            ),
        )
    return lines


def _is_current_less(record: Record) -> bool:
    return limit_ma(record) == record["current_ma"]
