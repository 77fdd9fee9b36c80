"""The trouble codes of firmware/journal/codes.py with what firmware/faults.py says of what raises them."""

from dataclasses import dataclass
from difflib import get_close_matches

from inletctl.errors import UserError
from inletctl.house import use_firmware

use_firmware()

import faults  # noqa: E402
from journal import codes as table  # noqa: E402
from journal.memory import AGED_SESSIONS  # noqa: E402

# By faults.CLEAR_NAMES: the class in words, and how a person may clear a stored code of it.
CLASS_WORDS = (
    "self-clearing",
    "needs unplug",
    "latched until service",
)
CLEAR_WORDS = (
    "Charging goes on by itself once the cause is gone. The stored code is forgotten after %d sessions that charged without it, or "
    "cleared by a person at any time the cause is gone." % AGED_SESSIONS,
    "Charging goes on once the cause is gone and the plug was pulled. The stored code stays until a person clears it, with the plug out.",
    "It goes away only with a restart by service, once the cause is gone. The stored code stays until a person clears it in service mode.",
)


@dataclass(frozen=True)
class Code:
    """One row of the table, in words."""

    number: int
    code: str
    name: str
    room: str
    kind: str  # of what raises it: fault, hold, reason
    raised_by: str
    clears: int  # faults.SELF, UNPLUG or SERVICE
    when: str
    settle_ms: int
    mrec: str
    forces: str  # the reason that keeps S2 open for it; empty: it only warns
    what: str
    means: str
    measure: str
    causes: str


def _code(row: tuple) -> Code:
    bit = row[table.C_BIT]
    kind = row[table.C_KIND]
    if kind == table.FAULT:
        source = faults.FAULTS[bit]
    elif kind == table.HOLD:
        source = faults.HOLDS[bit]
    else:
        reason = faults.SHUTDOWN[bit]
        source = (reason[faults.ROW_NAME], 1 << bit, 0, reason[faults.ROW_WHAT])
    forced = faults.names(faults.SHUTDOWN, source[1])
    number = row[table.C_NUMBER]
    return Code(
        number=number,
        code=table.code_of(number),
        name=row[table.C_NAME],
        room=dict(table.ROOMS)[number // 100],
        kind=table.KIND_NAMES[kind],
        raised_by=source[0],
        clears=row[table.C_CLASS],
        when=table.WHEN_NAMES[row[table.C_WHEN]],
        settle_ms=row[table.C_SETTLE_MS],
        mrec=row[table.C_MREC],
        forces=forced[0] if forced else "",
        what=source[3],
        means=row[table.C_MEANS],
        measure=row[table.C_MEASURE],
        causes=row[table.C_CAUSES],
    )


CODES = tuple(_code(row) for row in table.CODES)


def find_code(word: str) -> Code:
    """Return the code that `word` names: OI-1203, 1203 or its name. Raises UserError."""
    asked = word.strip().lower()
    for code in CODES:
        if asked in (code.code.lower(), str(code.number), code.name.lower()):
            return code
    known = [one.code for one in CODES] + [one.name for one in CODES]
    near = get_close_matches(word, known, 3, 0.75)
    if not near and asked.isdigit():
        near = get_close_matches("OI-" + asked, known, 3)
    raise UserError(
        "There is no trouble code '%s'%s: `inletctl codes list` shows all of them."
        % (word, "; near are %s" % ", ".join(near) if near else "")
    )
