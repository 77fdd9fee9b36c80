"""docs/codes/: one page a trouble code and one that lists them, printed from firmware/journal/codes.py."""

from collections.abc import Callable
from functools import partial

from inletctl.house import use_firmware
from inletctl.journal.codes import CLASS_WORDS, CLEAR_WORDS, CODES, Code
from inletctl.markdown import table

use_firmware()

import faults  # noqa: E402
from journal.codes import ROOMS, WAITS  # noqa: E402
from journal.frame import FRAME, FRAME_STATES  # noqa: E402

FOLDER = "docs/codes/"
_HEAD = "<!-- Printed by `inletctl docs` from firmware/journal/codes.py and firmware/faults.py. Do not edit: change the data and print again. -->\n"
_MREC = "[MREC](https://inl.gov/chargex/mrec/)"


def index_page() -> str:
    """Return docs/codes/README.md."""
    parts = [
        "# Trouble codes\n",
        _HEAD,
        """
A trouble is what somebody has to repair or to know of. A wait is none, nor is what a person chose: %s.
How long a code is kept and who may clear it: [the journal](../journal.md). `inletctl codes show OI-1203` says the same as a page here.
%s is the number in the ChargeX consortium's minimum required error codes, where one fits.
"""
        % (", ".join("`%s`" % name for name in faults.names(faults.HOLDS, WAITS)), _MREC),
    ]
    for number, room in ROOMS:
        rows = [
            (
                "[%s](%s.md)" % (code.code, code.code),
                code.name,
                CLASS_WORDS[code.clears],
                code.mrec,
                code.what,
            )
            for code in CODES
            if code.number // 100 == number
        ]
        parts += ["\n## %s\n\n" % room, table(("code", "name", "class", "MREC", "what"), rows)]
    states = ", ".join(
        "`%s` bit%s" % (name, " %d" % low if bits == 1 else "s %d..%d" % (low, low + bits - 1))
        for name, low, bits in FRAME_STATES
    )
    parts += [
        "\n## Freeze frame\n\nWhat the inlet read and commanded in the pass in which the code first appeared in its last session.\n\n",
        table(
            ("number", "name", "unit", "what"),
            ((n, "`%s`" % name, unit, what) for n, (name, unit, what) in enumerate(FRAME)),
        ),
        "\n`states`: %s.\n" % states,
    ]
    return "".join(parts)


def code_page(code: Code) -> str:
    """Return the page of one code."""
    counts = []
    if code.when != "always":
        counts.append(code.when)
    if code.settle_ms:
        counts.append("once it has lasted %g s" % (code.settle_ms / 1000))
    rows = [
        ("raised by", "%s `%s`: %s" % (code.kind, code.raised_by, code.what)),
        ("counts", ", ".join(counts) or "at once"),
        ("class", CLASS_WORDS[code.clears]),
        ("charging", _charging(code)),
        ("MREC", "%s in %s" % (code.mrec, _MREC) if code.mrec else "none fits"),
    ]
    return (
        "# %s %s\n" % (code.code, code.name)
        + _HEAD
        + "\n%s\n\n" % code.means
        + table(("", ""), rows)
        + "\n## What to measure\n\n%s\n" % code.measure
        + "\n## What usually causes it\n\n%s\n" % code.causes
        + "\n## How it clears\n\n%s\n" % CLEAR_WORDS[code.clears]
        + "\n[All codes](README.md), [freeze frame](README.md#freeze-frame), [why charging stops](../shutdown.md)\n"
    )


def _charging(code: Code) -> str:
    if not code.forces:
        return "not stopped by this itself; what stops it has a reason of its own"
    row = next(row for row in faults.SHUTDOWN if row[faults.ROW_NAME] == code.forces)
    return "stopped with the reason `%s`: %s, S2 open within %d ms" % (
        code.forces,
        faults.ORDER_NAMES[row[faults.ROW_ORDER]],
        row[faults.ROW_S2_MS],
    )


PAGES: dict[str, Callable[[], str]] = {
    FOLDER + "README.md": index_page,
    **{FOLDER + code.code + ".md": partial(code_page, code) for code in CODES},
}
