"""Settings as people write and read them: `inlet=type2`, `max_current_ma=16000`; checked before a board hears of them."""

from typing import Any

from inletctl.errors import UserError
from inletctl.house import use_firmware
from inletctl.light import name_of_look, parse_look
from inletctl.scenario.field import shown

use_firmware()

from setting_rows import CHOICES, ROW_KEY, ROW_MAX, ROW_MIN, ROW_UNIT, TABLE, find  # noqa: E402
from settings import Settings  # noqa: E402
from step import InletStep  # noqa: E402


def row_of(key: str) -> tuple[Any, ...]:
    """Return the row of setting_rows.TABLE. Raises UserError where there is none, with the nearest names."""
    row = find(key)
    if row is None:
        from difflib import get_close_matches

        near = get_close_matches(key, [row[ROW_KEY] for row in TABLE], 3)
        hint = "did you mean %s" % ", ".join(near) if near else "see docs/settings.md"
        raise UserError("There is no setting '%s': %s." % (key[:40], hint))
    return row


def parse(assignments: "tuple[str, ...]") -> dict[str, int]:
    """Return the settings written as KEY=VALUE. Raises UserError for the first that cannot be."""
    wanted: dict[str, int] = {}
    for text in assignments:
        if not text.isprintable():
            raise UserError(
                "%s has a sign in it that cannot be shown: write KEY=VALUE, such as max_current_ma=16000."
                % shown(text)
            )
        key, sign, value = text.partition("=")
        if not sign:
            raise UserError("'%s' is not KEY=VALUE, such as max_current_ma=16000." % text[:40])
        key = key.strip()
        if key in wanted:
            raise UserError("%s is given twice: give it once." % key)
        wanted[key] = _value(row_of(key), value.strip())
    return wanted


def _value(row: tuple[Any, ...], text: str) -> int:
    key = row[ROW_KEY]
    if row[ROW_UNIT] == "light":
        return parse_look(key, text)
    names = CHOICES.get(key)
    if names is not None and text in names:
        return names.index(text)
    try:
        value = int(text[:20]) if text.isascii() else None
    except ValueError:
        value = None
    if names is not None and (value is None or not 0 <= value < len(names)):
        raise UserError("%s is one of %s, not '%s'." % (key, ", ".join(names), text[:40]))
    if value is None:
        raise UserError("%s is a whole number of %s, not '%s'." % (key, row[ROW_UNIT], text[:40]))
    if not row[ROW_MIN] <= value <= row[ROW_MAX]:
        raise UserError(
            "%s is %d..%d %s, not %d." % (key, row[ROW_MIN], row[ROW_MAX], row[ROW_UNIT], value)
        )
    return value


def show(key: str, value: int) -> str:
    """Return a value as people read it: the name of a choice, or the number with its unit."""
    names = CHOICES.get(key)
    if names is not None:
        return names[value] if 0 <= value < len(names) else "?%d" % value
    unit = row_of(key)[ROW_UNIT]
    if unit == "light":
        return name_of_look(value)
    return str(value) if unit in ("flag", "count") else "%d %s" % (value, unit)


def check_together(stored: dict[str, int]) -> None:
    """Raise UserError where these settings, all that would be stored, contradict each other."""
    settings = Settings(stored)
    InletStep(settings)
    if settings.rejected:
        raise UserError("These settings do not go together: %s." % "; ".join(settings.rejected))
