"""One value a line may set: its unit, bounds, choices and default, and how its text is taken or refused.

Settings, world keys and the arguments of verbs are all fields, whichever room publishes them, so they are read,
printed, documented and refused in one way.
"""

import difflib
import re
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from inletctl.printable import printable
from inletctl.scenario.units import BadValueError, convert, plain, show, split_number, symbol

REQUIRED = object()  # the default of a field that has none

YES_NO = ("no", "yes")
_TRUTH = {"yes": True, "no": False, "on": True, "off": False, "1": True, "0": False}
_TRUTH |= {"true": True, "false": False}
CLOCK = "h:min"  # the unit of a time of the day, kept in minutes
_TIME_OF_DAY = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)", re.ASCII)
# A list longer than this is not read by anybody at the end of an error; the nearest names are shown instead.
LISTED = 24


def shown(word: str) -> str:
    """Return a word quoted for a message: printable and of bounded length."""
    text = printable(word)
    return "'%s'" % (text if len(text) <= 40 else text[:37] + "...")


def nearest(word: str, choices) -> list[str]:
    """Return up to three of `choices` that `word` may have meant, nearest first."""
    folded = {str(c).casefold(): str(c) for c in choices}
    near = difflib.get_close_matches(word.casefold()[:40], list(folded), n=3, cutoff=0.6)
    return [folded[name] for name in near]


def or_list(choices) -> str:
    """Return 'a, b or c'."""
    names = [str(c) for c in choices]
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " or " + names[-1]


def unknown(what: str, word: str, choices) -> str:
    """Return 'unknown <what> <word>; did you mean ...?' with the choices where that helps."""
    near = nearest(word, choices)
    text = "unknown %s %s" % (what, shown(word))
    if near:
        text += " (did you mean %s?)" % or_list(near)
    names = [str(c) for c in choices]
    if not names:
        return text + "; there is none"
    if len(names) <= LISTED or not near:
        text += "; choose from " + ", ".join(names)
    return text


@dataclass(frozen=True)
class Field:
    """A named value: a choice, a flag, a number with unit and bounds, or (with none of these) a word."""

    name: str
    unit: str = ""  # as units.UNITS spells it; "flag" = yes or no; "" = a plain number
    minimum: Any = None
    maximum: Any = None
    default: Any = REQUIRED
    choices: tuple = field(default=())
    whole: bool = False  # integers only
    indexed: bool = (
        False  # the value of a choice is its index, of a flag 0 or 1 (firmware settings)
    )
    help: str = ""
    bits: tuple = field(default=())  # of a mask: the name of each bit

    def take(self, text: str) -> Any:
        """Return the value that `text` stands for, or raise BadValueError."""
        if self.choices:
            return self._take_choice(text)
        if self.bits and not text.isdigit():
            return self._take_bits(text)
        if self.unit == CLOCK:
            return self._take_clock(text)
        if self.unit == "flag":
            if text.casefold() not in _TRUTH:
                raise BadValueError("is yes or no, not %s" % shown(text))
            value = _TRUTH[text.casefold()]
            return int(value) if self.indexed else value
        return self._take_number(text)

    def _take_choice(self, text: str) -> Any:
        folded = {str(c).casefold(): n for n, c in enumerate(self.choices)}
        index = folded.get(text.casefold())
        if index is None:
            near = nearest(text, self.choices)
            hint = "; did you mean %s?" % or_list(near) if near else ""
            raise BadValueError(
                "is one of %s, not %s%s" % (", ".join(map(str, self.choices)), shown(text), hint)
            )
        return index if self.indexed else self.choices[index]

    def _take_bits(self, text: str) -> int:
        mask = 0
        if text.casefold() == "none":
            return mask
        for word in text.casefold().split(","):
            first, dash, last = word.partition("-")
            for name in (first, last) if dash else (first,):
                if name not in self.bits:
                    raise BadValueError("is %s, not %s" % (self.range_text(), shown(word)))
            n = self.bits.index(first)
            mask |= 1 << n
            # fri-mon goes on over the end of the names.
            while dash and self.bits[n] != last:
                n = (n + 1) % len(self.bits)
                mask |= 1 << n
        return mask

    def _take_clock(self, text: str) -> int:
        match = _TIME_OF_DAY.fullmatch(text)
        if match is None:
            raise BadValueError("is a time of the day like 22:00, not %s" % shown(text))
        return int(match[1]) * 60 + int(match[2])

    def _take_number(self, text: str) -> "int | float":
        parts = split_number(text)
        if parts is None or parts[1].startswith((",", ".")):
            hint = "; the decimal sign is a point" if parts and parts[1].startswith(",") else ""
            raise BadValueError(
                "is a number (%s), not %s%s" % (self.range_text(), shown(text), hint)
            )
        number = convert(parts[0], parts[1], self.unit)
        if self.whole and number.denominator != 1:
            raise BadValueError(
                "is a whole number of %s, not %s" % (self.unit_text() or "steps", show(number))
            )
        return self.bounded(number)

    def bounded(self, number: Fraction) -> "int | float":
        """Return the number as int or float if it lies within the bounds, or raise BadValueError."""
        value = plain(number)
        low, high = self.minimum, self.maximum
        if (low is not None and value < low) or (high is not None and value > high):
            raise BadValueError("is %s, outside %s" % (show(value), self.range_text()))
        return value

    def unit_text(self) -> str:
        """Return the unit as a message shows it; '' for a plain number."""
        return "" if self.unit in ("count", "flag", "choice") else symbol(self.unit)

    def range_text(self) -> str:
        """Return what may stand here: 'a, b or c', 'yes or no', '6..32 A', 'at least 0'."""
        if self.choices:
            return or_list(self.choices)
        if self.unit == "flag":
            return "no or yes"
        if self.unit == CLOCK:
            return "0:00..23:59"
        if self.bits:
            return "none or any of " + ", ".join(self.bits)
        bounds = ["" if bound is None else show(bound) for bound in (self.minimum, self.maximum)]
        if all(bounds):
            text = "..".join(bounds)
        elif any(bounds):
            text = "at least " + bounds[0] if bounds[0] else "at most " + bounds[1]
        else:
            text = "any number"
        unit = self.unit_text()
        return (text + (" x " if unit[:1].isdigit() else " ") + unit).rstrip()

    def show(self, value: Any) -> str:
        """Return a value of this field as a line writes it; `take` reads it back as the same value."""
        if self.choices:
            return str(self.choices[value]) if self.indexed else str(value)
        if self.unit == "flag":
            return YES_NO[bool(value)]
        if self.unit == CLOCK:
            return "%d:%02d" % divmod(value, 60)
        if self.bits:
            return ",".join(name for n, name in enumerate(self.bits) if value >> n & 1) or "none"
        return show(value)
