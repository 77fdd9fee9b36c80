"""Scenario files from disk."""

from pathlib import Path

from inletctl.errors import UserError
from inletctl.scenario.language import Language
from inletctl.scenario.model import Scenario
from inletctl.scenario.parse import parse_scenario

MAX_BYTES = 1_000_000


def read_scenario(path: "str | Path", language: "Language | None" = None) -> Scenario:
    """Read a scenario file; raise UserError with one sentence if anything in it is wrong."""
    name = str(path)
    try:
        with open(path, "rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UserError("%s: cannot be read: %s" % (name, reason)) from None
    if len(data) > MAX_BYTES:
        raise UserError("%s: is larger than 1 MB; a scenario is a short text" % name)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UserError("%s:%d: is not UTF-8 text" % (name, line)) from None
    return parse_scenario(text, name, language)
