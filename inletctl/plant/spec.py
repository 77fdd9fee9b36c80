"""How a number or a word of a scenario is described: unit, range, default, choices. Data for parser, docs and errors."""

from dataclasses import dataclass
from typing import Any

REQUIRED = object()  # the default of an argument that must be given

# Canonical unit -> the suffixes that may be written for it and what they are worth in it.
UNITS: dict[str, dict[str, float]] = {
    "": {},
    "ms": {"us": 0.001, "ms": 1.0, "s": 1000.0, "min": 60_000.0},
    "A": {"A": 1.0, "mA": 0.001},
    "mA": {"mA": 1.0, "A": 1000.0},
    "A/s": {"A/s": 1.0},
    "V": {"V": 1.0, "mV": 0.001},
    "mV": {"mV": 1.0, "V": 1000.0},
    "ohm": {"ohm": 1.0, "kohm": 1000.0},
    "milliohm": {"milliohm": 1.0, "mohm": 1.0, "ohm": 1000.0},
    "C": {"C": 1.0},
    "K": {"K": 1.0},
    "K/s": {"K/s": 1.0},
    "K/W": {"K/W": 1.0},
    "J/K": {"J/K": 1.0},
    "%": {"%": 1.0, "pct": 1.0},
    "Hz": {"Hz": 1.0, "kHz": 1000.0},
    "us": {"us": 1.0, "ms": 1000.0},
    "h:min": {},
}


@dataclass(frozen=True)
class Spec:
    """One argument or key. Numbers lie in minimum..maximum, in `unit`; words are one of `choices`."""

    unit: str = ""
    minimum: float = 0
    maximum: float = 0
    default: Any = REQUIRED  # None: may be left out, the help says what happens then
    choices: tuple[str, ...] = ()
    help: str = ""
    whole: bool = False  # only whole numbers

    def allowed(self) -> str:
        """Return the allowed values as text: `0..80 A` or `on, off`."""
        if self.choices:
            return ", ".join(self.choices)
        if self.unit == "h:min":
            return "0:00..23:59"
        text = f"{self.minimum:g}..{self.maximum:g}"
        return f"{text} {self.unit}" if self.unit else text

    def problem(self, value: Any) -> str:
        """Return what is wrong with `value` (a number in `unit`, or a word), or an empty text."""
        if self.choices:
            return "" if value in self.choices else f"must be one of {self.allowed()}"
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return f"must be a number, {self.allowed()}"
        if self.whole and value != int(value):
            return f"must be a whole number, {self.allowed()}"
        if not self.minimum <= value <= self.maximum:
            return f"must be {self.allowed()}"
        return ""


def word(*choices: str, default: Any = REQUIRED, text: str = "") -> Spec:
    """Return the Spec of a word."""
    return Spec(choices=choices, default=default, help=text)


def number(unit: str, low: float, high: float, default: Any = REQUIRED, text: str = "") -> Spec:
    """Return the Spec of a number."""
    return Spec(unit, low, high, default, help=text)


def time_of_day(default: Any = REQUIRED, text: str = "") -> Spec:
    """Return the Spec of a time of the day, in minutes."""
    return Spec("h:min", 0, 1439, default, help=text, whole=True)


def count(low: int, high: int, default: Any = REQUIRED, text: str = "") -> Spec:
    """Return the Spec of a whole number without a unit."""
    return Spec("", low, high, default, help=text, whole=True)
