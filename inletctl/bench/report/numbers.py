"""Numbers and times as people read them in a report."""

import math

from inletctl.bench.model import Row

ERROR_DIGITS = 4  # of a difference of two measured numbers
# Units as the model writes them: as people read them.
_UNITS = {"": "", "C": "°C", "decic": "0.1 °C", "us": "µs", "pct": "%", "mult": "×"}
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would run such a cell


def unit_word(unit: str) -> str:
    """Return a unit as it is shown."""
    return _UNITS.get(unit, unit)


def plain_number(value: "float | None", digits: int = 6) -> str:
    """Return a number with so many digits at most, empty for None; -0 is 0."""
    if value is None:
        return ""
    if not math.isfinite(value):
        return str(value)
    text = f"{value:.{digits}g}"
    return "0" if text == "-0" else text


def quantity(value: "float | None", unit: str, digits: int = 6) -> str:
    """Return a number with its unit, empty for None."""
    text = plain_number(value, digits)
    return f"{text} {unit_word(unit)}".strip() if text else ""


def figures(row: Row) -> list[tuple[str, str]]:
    """Return (label, text) of what a row has of: set, expected, measured, error, limit."""
    told = (
        ("set", quantity(row.set_value, row.unit)),
        ("expected", quantity(row.expected, row.measured_unit)),
        ("measured", quantity(row.measured, row.measured_unit)),
        ("error", quantity(row.error, row.measured_unit, ERROR_DIGITS)),
        ("limit", quantity(row.limit, row.measured_unit)),
    )
    return [(label, text) for label, text in told if text]


def duration(us: int) -> str:
    """Return a length of time: in ms below a second, in s below two minutes, else in minutes and seconds."""
    if us < 1_000_000:
        return f"{us / 1000:g} ms"
    if us < 120_000_000:
        return f"{us / 1e6:.6g} s"
    return f"{us // 60_000_000} min {us % 60_000_000 / 1e6:.0f} s"


def one_line(text: str) -> str:
    """Return `text` without line ends and runs of blanks."""
    return " ".join(text.split())


def cell(text: str) -> str:
    """Return `text` for a cell of a CSV: one line, and nothing that a spreadsheet would run."""
    text = one_line(text)
    return "'" + text if text.startswith(_FORMULA_STARTS) else text
