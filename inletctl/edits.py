"""Edits of the firmware's text, for firmwares that are broken on purpose."""

from dataclasses import dataclass

from inletctl.errors import UserError


@dataclass(frozen=True)
class Edit:
    """In `file` (a path in firmware/) the text `find`, which stands there once, becomes `put`."""

    file: str
    find: str
    put: str


def edited(text: str, edit: Edit, where: str = "an edit") -> str:
    """Return the text with the edit in it.

    Raises UserError where what is to go does not stand there exactly once: the firmware has moved on, so must the edit.
    """
    count = text.count(edit.find)
    if count != 1:
        raise UserError(
            "%s: its text stands %d times in firmware/%s, not once: %r"
            % (where, count, edit.file, edit.find[:60])
        )
    return text.replace(edit.find, edit.put)
