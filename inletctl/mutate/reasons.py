"""Why a mutant that no test can notice changes nothing that matters: reasons.toml, keyed without line numbers.

[[survivor]]
file = "pilot/duty.py"               # below firmware/
scope = "DutyTable.tick"             # the function, or the name that is given a value
original = "if a <= b:"              # the line, and what it becomes; comments left out
mutated = "if a == b:"
nth = 2                              # where a file has several that are alike
reason = "..."                       # one sentence
"""

from functools import cache
from pathlib import Path
from typing import Any

from inletctl.bench.recipe import tomllib
from inletctl.errors import UserError

FILE = Path(__file__).with_suffix(".toml")
Key = tuple[str, str, str, str, int]
_FIELDS = {"file", "scope", "original", "mutated", "nth", "reason"}


def key_of(row: dict[str, Any]) -> Key:
    """Return the key that a row of the file, or of the figures, spells."""
    return (row["file"], row["scope"], row["original"], row["mutated"], row.get("nth", 1))


@cache
def read(path: Path = FILE) -> dict[Key, str]:
    """Return key -> reason. Raises UserError for a row that is not whole, and for one that is there twice."""
    reasons: dict[Key, str] = {}
    for n, row in enumerate(
        tomllib.loads(path.read_text(encoding="utf-8")).get("survivor", []), 1
    ):
        missing = _FIELDS - {"nth"} - set(row)
        if missing or set(row) - _FIELDS or not str(row["reason"]).strip():
            raise UserError(
                "%s: survivor %d has to have %s, and may have nth" % (path.name, n, ", ".join(sorted(_FIELDS - {"nth"})))
            )  # fmt: skip
        key = key_of(row)
        if key in reasons:
            raise UserError("%s: %s, %r is there twice" % (path.name, key[0], key[3]))
        reasons[key] = row["reason"]
    return reasons
