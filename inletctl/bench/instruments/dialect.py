"""The command languages of signal generators, read from dialects/*.toml; and numbers as instruments write them.

A dialect is data: which commands do what, how each setting is read back, the limits of its models, and how it names
itself. Each file names its manual and what of it could be checked.
"""

import re
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from inletctl.errors import UserError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # type: ignore[import-not-found]

FOLDER = Path(__file__).resolve().parent / "dialects"
# What every dialect can do, and what is read back of it.
COMMANDS = (
    "begin", "on", "off", "wave", "frequency", "duty", "high", "low", "steady", "burst", "burst_off",
)  # fmt: skip
READS = ("on", "frequency", "duty", "high", "low", "steady", "kept")
_NUMBER = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*([A-Za-z%]*)\s*$")
# As SCPI has it: M is milli, except before HZ. Without a unit a number is in the unit asked for.
_SCALES = {
    "": 1.0, "%": 1.0, "HZ": 1.0, "KHZ": 1e3, "MHZ": 1e6, "UHZ": 1e-6, "V": 1.0, "MV": 1e-3, "UV": 1e-6,
}  # fmt: skip


@dataclass(frozen=True)
class Dialect:
    """One file of dialects/: texts with {channel} and the values of the driver (scpi.py)."""

    name: str
    title: str
    idn: str  # regular expression for the answer to *IDN?
    frequency_max_hz: float
    duty_min_pct: float  # and 100 less this at most; 0 and 100 are sent as a steady level
    duty_error_pct: float
    level_max_mv: int  # either way, into an open circuit
    settle_ms: int
    error: str  # query of the error queue, "" where there is none
    commands: dict[str, list[str]]
    read: dict[str, list[str]]  # what: [query, regular expression whose group 1 is the value]
    idle: dict[
        str, str
    ]  # what a burst's level between the bursts is called, where it is a command

    def fits(self, idn: str) -> bool:
        """Return whether an instrument that names itself `idn` speaks this."""
        return re.search(self.idn, idn) is not None


@cache
def dialects() -> dict[str, Dialect]:
    """Return every shipped dialect by its name."""
    found = {}
    for path in sorted(FOLDER.glob("*.toml")):
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
        tables.setdefault("idle", {})
        found[path.stem] = Dialect(name=path.stem, **tables)
    return found


def dialect_of(idn: str) -> Dialect | None:
    """Return the dialect of an instrument that names itself `idn`, None where none is known."""
    return next((one for one in dialects().values() if one.fits(idn)), None)


def choose_dialect(address: str, idn: str, wanted: str) -> Dialect:
    """Return the dialect to speak with `idn`; `wanted` is the name a person gave, or "". Raises UserError.

    A person is believed about an instrument that nobody knows, and corrected about one whose dialect is known.
    """
    names = ", ".join(dialects())
    if wanted and wanted not in dialects():
        raise UserError("There is no dialect '%s': the dialects are %s." % (wanted, names))
    known = dialect_of(idn)
    if known is None and not wanted:
        raise UserError(
            "%s says it is '%s', which no dialect is made for: say --dialect if it speaks one of %s."
            % (address, idn, names)
        )
    if known is not None and wanted and known.name != wanted:
        raise UserError(
            "%s says it is '%s', which speaks %s and not %s: leave --dialect out."
            % (address, idn, known.name, wanted)
        )
    return known or dialects()[wanted]


def number(text: str) -> float:
    """Return the number an instrument wrote, as +1.0E+03, 1000HZ, 1.25KHZ or 500mV. Raises ValueError."""
    found = _NUMBER.match(text)
    scale = None if found is None else _SCALES.get(found.group(2).upper())
    if found is None or scale is None:
        raise ValueError("'%s' is no number" % text.strip())
    return float(found.group(1)) * scale
