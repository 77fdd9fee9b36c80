"""Verdicts, trouble codes, wear and contacts in words, from the numbers of journal/pages.py."""

from dataclasses import dataclass

from inletctl.house import use_firmware
from inletctl.journal.codes import CODES

use_firmware()

import faults  # noqa: E402
from journal import blame, health, pages, wear  # noqa: E402
from journal import contact as heat  # noqa: E402
from journal.frame import FRAME, FRAME_STATES  # noqa: E402
from journal.memory import FIRST_DATED, LAST_DATED, PRESENT, S_FRAME, SLOT_NAMES  # noqa: E402
from journal.opener import PARTS  # noqa: E402

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
CONTACTS = ("AC contact L", "AC contact N")
_HEALTH = {
    "learning": "still learning what is usual",
    "healthy": "healthy",
    "watch": "warms more than it used to: look at it at the next inspection, and try another station",
    "worn": "worn: have it inspected before it derates",
    "jumped": "much warmer at once: the next plug-ins tell whether it is the plug or the inlet",
    "plug_warm": "a station's plug was the warm side: it stayed with the station",
}
_WHY_NOT = (
    "", "no current was told", "its start was not seen", "the port heater ran", "its sensor was missing",
    "the current was too low", "it was too short", "the temperature did not follow the current", "it was not sure enough",
)  # fmt: skip


@dataclass(frozen=True)
class Verdict:
    """Whose fault a stop or a refusal was, in words."""

    serial: int
    party: str
    sure: str
    code: int
    name: str
    words: str  # for a driver
    evidence: tuple[str, ...]

    @property
    def line(self) -> str:
        """Return it in one line."""
        return "%s (%s): %s" % (self.party, self.sure, self.words)


_PARTS = (*PARTS, "the log on flash")


def missing(loaded: int) -> list[str]:
    """Return what of the journal a board has not loaded, by page `now`."""
    return [what for n, what in enumerate(_PARTS) if not loaded >> n & 1]


# What the journal could not keep, of page `now`: (name, sentence with the count).
LEFT_OUT = (
    ("codes_lost", "Trouble codes that found no room: %d."),
    ("box_missed", "Stops that the black box could not record: %d."),
    (
        "sessions_lost",
        "Plug-ins that ended before the one before was written, and are not in the session log: %d.",
    ),
)


def page(values: "tuple[int, ...] | list[int]") -> dict[str, int]:
    """Return page `now` by its names."""
    return dict(zip(pages.NOW, values))


def verdict(now: dict[str, int]) -> "Verdict | None":
    """Return the latest verdict of page `now`, None before the first."""
    if not now["verdict_serial"]:
        return None
    code = now["rule_code"]
    name, words = _rule(code)
    return Verdict(
        now["verdict_serial"],
        _named(blame.VERDICT_NAMES, now["verdict"]),
        _named(blame.SURE_NAMES, now["sure"]),
        code,
        name,
        words,
        tuple(evidence(now)),
    )


def _rule(code: int) -> tuple[str, str]:
    for row in blame.RULES:
        if row[blame.R_CODE] == code:
            return str(row[blame.R_NAME]), str(row[blame.R_WORDS])
    for row in blame.ACROSS:
        if row[blame.A_CODE] == code:
            return "seen over sessions", str(row[blame.A_WORDS])
    return "rule %d" % code, "This tool does not know the rule: update inletctl."


def _named(names: "tuple[str, ...]", number: int) -> str:
    return names[number] if 0 <= number < len(names) else str(number)


def evidence(now: dict[str, int]) -> list[str]:
    """Return what a verdict was drawn from: signs first, then facts."""
    found = ["reason " + name for name in faults.names(faults.SHUTDOWN, now["reasons"])]
    found += ["fault " + name for name in faults.names(faults.FAULTS, now["faults"])]
    found += ["hold " + name for name in faults.names(faults.HOLDS, now["holds"])]
    for n, (_name, what) in enumerate(blame.EVIDENCE):
        if now["facts"] >> n & 1:
            found.append(what)
    return found


@dataclass(frozen=True)
class Stored:
    """One trouble code of a board's memory."""

    number: int
    code: str
    name: str
    means: str
    is_present: bool
    count: int
    first: str
    last: str
    clean: int
    frame: dict[str, int]


def stored(slot: "tuple[int, ...] | list[int]") -> "Stored | None":
    """Return what a slot of the trouble memory holds, None for a free one."""
    values = dict(zip(SLOT_NAMES, slot))
    if not values["number"]:
        return None
    known = {code.number: code for code in CODES}.get(values["number"])
    frame = dict(zip((row[0] for row in FRAME), slot[S_FRAME:]))
    states = frame.pop("states", 0)
    for name, at, bits in FRAME_STATES:
        frame[name] = states >> at & (1 << bits) - 1
    return Stored(
        values["number"],
        known.code if known else "OI-%04d" % values["number"],
        known.name if known else "unknown",
        known.means if known else "This tool does not know the code: update inletctl.",
        values["flags"] & PRESENT != 0,
        values["count"],
        _when(values["first_session"], values["first_min"], values["flags"] & FIRST_DATED),
        _when(values["last_session"], values["last_min"], values["flags"] & LAST_DATED),
        values["clean"],
        frame,
    )


def _when(session: int, minute: int, is_dated: int) -> str:
    if not is_dated:
        return "plug-in %d" % session
    day, rest = divmod(minute, 1440)
    return "plug-in %d, %s %02d:%02d" % (session, _DAYS[day % 7], rest // 60, rest % 60)


def counters(values: "tuple[int, ...] | list[int]") -> list[tuple[str, int, str, str]]:
    """Return (name, value, unit, what) of each counter of wear."""
    return [
        (str(row[wear.C_NAME]), values[n], str(row[wear.C_UNIT]), str(row[wear.C_WHAT]))
        for n, row in enumerate(wear.COUNTERS)
    ]


def warnings(mask: int) -> list[str]:
    """Return the sentences of wear's warnings."""
    return [words for n, (_name, words) in enumerate(wear.WARNINGS) if mask >> n & 1]


def worst_contact(verdict_number: int) -> list[str]:
    """Return a sentence where the worst verdict about a contact is worth one."""
    if verdict_number not in health.REPORTED:
        return []
    return ["A contact of the inlet: %s." % _HEALTH[health.VERDICT_NAMES[verdict_number]]]


def contact(values: "tuple[int, ...] | list[int]") -> str:
    """Return a sentence about one contact."""
    fields = values[: health.FIELDS]
    predicted_decic, why = values[health.FIELDS : health.FIELDS + 2]
    verdict_name = _named(health.VERDICT_NAMES, fields[health.VERDICT])
    words = _HEALTH.get(verdict_name, verdict_name)
    if fields[health.COUNT]:
        words += " (%d sessions known, now %d uK/A2, when new %d" % (
            fields[health.COUNT], fields[health.FAST], fields[health.BASE],
        )  # fmt: skip
        words += "; %.1f C at rated current and 40 C around it)" % (predicted_decic / 10)
    if why != heat.KNOWN and 0 < why < len(_WHY_NOT):
        words += "; the last session told nothing: " + _WHY_NOT[why]
    return words
