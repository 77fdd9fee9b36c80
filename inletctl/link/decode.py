"""A recorded log as a spreadsheet and as waveforms: one column, or one signal, for each number the board tells.

States are words and masks are names, as in the files of a session (inletctl/report). A row holds what its line told;
what that kind of line does not tell is empty.
"""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from inletctl.link.codec import COMMAND_FIELDS, READINGS_KIND, Telemetry
from inletctl.link.log import Asked, Log, Mark
from inletctl.link.timeline import Moment, timeline
from inletctl.record import Names, mask_rows, name_of
from inletctl.report.files import write_whole
from inletctl.report.spreadsheet import seconds
from inletctl.report.vcd_file import ascii_text, vcd_writer

from vehicle.protocol import FLAGS, READINGS  # isort: skip - link.codec has found the firmware

_ENUMS = ("light", "session", "pilot_state", "lock_state", "limiter")
_MASKS = ("reasons", "faults")
_BITS = ("s2_close", "drive_allowed", "hottest_ok")
_FLAGS_AT = READINGS.index("flags")
_NUMBERS = READINGS[:_FLAGS_AT]
# "charger_ma" is in both kinds of line: told to the charger, and drawn by it.
_COMMAND_NAMES = {"charger_ma": "charger_command_ma", "light": "light_pattern"}
_FIRST = ("time_s", "tick_ms", "boot", "line", "kind", "late_passes")
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would run such a cell


def decode(log: Log, out: Path) -> list[Path]:
    """Write log.csv and log.vcd to the folder `out`; return their paths. Raises UserError where they cannot be."""
    names = Names.from_firmware()
    moments = timeline(log)
    return [
        write_whole(out / "log.csv", lambda stream: _write_csv(stream, moments, names)),
        write_whole(out / "log.vcd", lambda stream: _write_vcd(stream, log, moments, names)),
    ]


def _column(field: str) -> str:
    return _COMMAND_NAMES.get(field, field)


def header() -> list[str]:
    """Return the names of the columns of log.csv; units are in the names."""
    return [*_FIRST, *map(_column, COMMAND_FIELDS), *_NUMBERS, *FLAGS, "event"]


def _write_csv(stream: TextIO, moments: list[Moment], names: Names) -> None:
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(header())
    for moment in moments:
        writer.writerow(_row(moment, names))


def _row(moment: Moment, names: Names) -> list[Any]:
    entry = moment.entry
    commands: list[Any] = [""] * len(COMMAND_FIELDS)
    readings: list[Any] = [""] * (len(_NUMBERS) + len(FLAGS))
    line: list[Any] = ["", "event", ""]
    event = ""
    if isinstance(entry, Telemetry):
        line = [entry.number, entry.kind, entry.late]
        if entry.kind == READINGS_KIND:
            flags = entry.values[_FLAGS_AT]
            readings = [*entry.values[:_FLAGS_AT], *(flags >> n & 1 for n in range(len(FLAGS)))]
        else:
            commands = [
                _word(names, field, value)
                for field, value in zip(COMMAND_FIELDS, entry.values, strict=True)
            ]
    else:
        event = _event(entry)
        if event.startswith(_FORMULA_STARTS):
            event = "'" + event
    return [
        seconds(moment.t_us), entry.t_ms, moment.boot, *line, *commands, *readings, event,
    ]  # fmt: skip


def _word(names: Names, field: str, value: int) -> Any:
    """Return a command's number as the word it stands for, or itself."""
    if field in _ENUMS:
        return name_of(names.of(field), value)
    if field in _MASKS:
        return " ".join(word for word, _ in mask_rows(names.of(field), value)) or "none"
    return value


def _event(entry: "Mark | Asked") -> str:
    if isinstance(entry, Mark):
        return " ".join(entry.text.split())
    return " ".join(["asked", entry.word, *map(str, entry.numbers)])


def _write_vcd(stream: TextIO, log: Log, moments: list[Moment], names: Names) -> None:
    about = "board %s; firmware %s; began %s" % (
        log.header.board, log.header.firmware, log.header.began,
    )  # fmt: skip
    with vcd_writer(stream, about) as vcd:
        shown: dict[str, Any] = {}
        for field in COMMAND_FIELDS:
            kind, size = ("string", None) if field in (*_ENUMS, *_MASKS) else ("real", None)
            if field in _BITS:
                kind, size = "wire", 1
            shown["c " + field] = vcd.register_var("commands", _column(field), kind, size)
        for field in _NUMBERS:
            shown["r " + field] = vcd.register_var("readings", field, "real")
        for flag in FLAGS:
            shown["f " + flag] = vcd.register_var("flags", flag, "wire", 1)
        event = vcd.register_var("events", "event", "string", init="-")
        was: dict[str, Any] = {}
        for moment in moments:
            for key, value in _changes(moment, names):
                if was.get(key) != value:
                    was[key] = value
                    vcd.change(shown[key], moment.t_us // 1000, value)
            if not isinstance(moment.entry, Telemetry):
                vcd.change(event, moment.t_us // 1000, ascii_text(_event(moment.entry)))


def _changes(moment: Moment, names: Names) -> Iterator[tuple[str, Any]]:
    entry = moment.entry
    if not isinstance(entry, Telemetry):
        return
    if entry.kind == READINGS_KIND:
        for field, value in zip(_NUMBERS, entry.values, strict=False):
            yield "r " + field, value
        for n, flag in enumerate(FLAGS):
            yield "f " + flag, entry.values[_FLAGS_AT] >> n & 1
    else:
        for field, value in zip(COMMAND_FIELDS, entry.values, strict=True):
            yield "c " + field, _word(names, field, value)
