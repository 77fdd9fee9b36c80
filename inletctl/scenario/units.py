"""Numbers as a bench engineer writes them: 32A, 53.3%, 250ms, 1min30s.

Everything is exact: a number is read as a fraction, converted to the unit that is wanted and only then becomes
an int (or, where it has to, a float). A unit is never guessed across dimensions: 32V is not a current.
"""

import re
from fractions import Fraction

SECOND_US = 1_000_000
# Longest time a line may name. Ticks are good for 6.2 days; a day is longer than any test on this bench.
MAX_TIME_US = 24 * 3600 * SECOND_US

# (dimension, symbol used in messages, size in the dimension's first unit, every accepted spelling)
UNITS = (
    ("time", "us", Fraction(1), ("us", "µs", "μs")),
    ("time", "ms", Fraction(1000), ("ms",)),
    ("time", "s", Fraction(SECOND_US), ("s", "sec")),
    ("time", "min", Fraction(60 * SECOND_US), ("min",)),
    ("time", "h", Fraction(3600 * SECOND_US), ("h",)),
    ("current", "mA", Fraction(1), ("mA", "ma")),
    ("current", "A", Fraction(1000), ("A", "a")),
    ("voltage", "mV", Fraction(1), ("mV", "mv")),
    ("voltage", "V", Fraction(1000), ("V", "v")),
    # No megohm on purpose: between Mohm and mohm lie nine zeros and one slip of the shift key.
    ("resistance", "milliohm", Fraction(1), ("milliohm", "mohm", "mOhm", "mΩ", "mΩ")),
    ("resistance", "ohm", Fraction(1000), ("ohm", "Ohm", "Ω", "Ω")),
    ("resistance", "kohm", Fraction(1_000_000), ("kohm", "kOhm", "kΩ", "kΩ")),
    ("temperature", "0.1C", Fraction(1), ("0.1C", "decic")),
    ("temperature", "C", Fraction(10), ("C", "c", "degC", "°C")),
    ("temperature difference", "K", Fraction(1), ("K", "k")),
    ("frequency", "Hz", Fraction(1), ("Hz", "hz")),
    ("frequency", "kHz", Fraction(1000), ("kHz", "khz")),
    ("share", "0.01%", Fraction(1), ("0.01%", "pct_x100")),
    ("share", "%", Fraction(100), ("%", "pct", "percent")),
    ("current slope", "mA/s", Fraction(1), ("mA/s", "ma/s", "ma_per_s")),
    ("current slope", "A/s", Fraction(1000), ("A/s", "a/s", "a_per_s")),
    ("temperature slope", "K/min", Fraction(1), ("K/min", "k/min")),
    ("temperature slope", "K/s", Fraction(60), ("K/s", "k/s")),
    ("heat capacity", "J/K", Fraction(1), ("J/K", "j/k")),
    ("thermal resistance", "K/W", Fraction(1), ("K/W", "k/w")),
)
_BY_SPELLING = {spelling: row for row in UNITS for spelling in row[3]}

# 20 digits a side: more than any float needs, few enough that no number is slow.
_NUMBER = re.compile(r"([+-]?\d{1,20}(?:\.\d{1,20})?)(.*)", re.ASCII)
_TIME_PART = re.compile(r"(\d{1,20}(?:\.\d{1,20})?)([^\d.]+)", re.ASCII)


class BadValueError(ValueError):
    """A value that cannot be taken; its text completes a sentence that begins with the name of the key."""


def is_known_unit(spelling: str) -> bool:
    """Tell whether this is a unit that numbers may carry."""
    return spelling in _BY_SPELLING


def symbol(spelling: str) -> str:
    """Return the symbol of a unit as messages show it; a spelling that is no unit stands for itself."""
    row = _BY_SPELLING.get(spelling)
    return row[1] if row else spelling


def split_number(text: str) -> "tuple[Fraction, str] | None":
    """Split '53.3%' into its number and its unit; None where the text does not begin with a number."""
    match = _NUMBER.fullmatch(text)
    return (Fraction(match[1]), match[2]) if match else None


def convert(number: Fraction, given: str, wanted: str) -> Fraction:
    """Return `number`, written with the unit `given` ('' = already `wanted`), in the unit `wanted`."""
    if not given:
        return number
    source = _BY_SPELLING.get(given)
    target = _BY_SPELLING.get(wanted)
    if source is None:
        raise BadValueError("has the unknown unit '%s'%s" % (given, _instead(target)))
    if target is None:
        raise BadValueError("is a plain number and takes no unit, so not %s" % source[1])
    if source[0] != target[0]:
        raise BadValueError(
            "is a %s%s, not a %s in %s" % (target[0], _instead(target), source[0], source[1])
        )
    return number * source[2] / target[2]


def _instead(target) -> str:
    if target is None:
        return ""
    return " (use %s)" % " or ".join(row[1] for row in UNITS if row[0] == target[0])


def plain(number: Fraction) -> "int | float":
    """Return a fraction as an int where it is whole, else as the nearest float."""
    return number.numerator if number.denominator == 1 else float(number)


def show(number: "int | float | Fraction") -> str:
    """Return a number as text that reads back as the same number: no exponent, no trailing zeros."""
    if isinstance(number, Fraction):
        number = plain(number)
    if isinstance(number, int):
        return str(number)
    text = repr(number)
    if "e" in text:
        text = "%.20f" % number
    return text.rstrip("0").rstrip(".") if "." in text else text


def parse_time(text: str) -> int:
    """Read '12.5s', '250ms' or '1min30s' as whole microseconds, 0..MAX_TIME_US."""
    total = Fraction(0)
    position = 0
    for match in _TIME_PART.finditer(text):
        if match.start() != position:
            break
        row = _BY_SPELLING.get(match[2])
        if row is None or row[0] != "time":
            raise BadValueError("'%s' is not a time: its unit is one of us, ms, s, min, h" % text)
        total += Fraction(match[1]) * row[2]
        position = match.end()
    if position != len(text) or not text:
        if re.fullmatch(r"\d+(\.\d+)?", text, re.ASCII):
            raise BadValueError("'%s' needs its unit: %ss or %sms?" % (text, text, text))
        raise BadValueError("'%s' is not a time like 12.5s, 250ms or 1min30s" % text)
    if total > MAX_TIME_US:
        raise BadValueError("'%s' is outside 0s..24h" % text)
    if total.denominator != 1:
        raise BadValueError("'%s' is finer than 1 us" % text)
    return total.numerator


def show_time(t_us: int) -> str:
    """Return microseconds as a scenario writes them: 12.5s, 250ms, 40us."""
    if t_us == 0 or t_us >= SECOND_US:
        return show(Fraction(t_us, SECOND_US)) + "s"
    if t_us >= 1000:
        return show(Fraction(t_us, 1000)) + "ms"
    return "%dus" % t_us
