"""Black boxes as tables and waveforms, the session log as a table: what each number is stands in its name."""

import csv
from collections.abc import Callable
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, TextIO

from inletctl.blackbox.payload import ALL_FLAGS, Box, Frame, SessionRecord
from inletctl.house import use_firmware
from inletctl.record import Names, mask_rows, name_of
from inletctl.report.files import write_whole
from inletctl.report.spreadsheet import seconds
from inletctl.report.vcd_file import vcd_writer

use_firmware()

from journal.box_frame import FIELDS, STATES  # noqa: E402

_ENUMS = ("session", "pilot_state", "lock_state", "limiter", "light")
_MASKS = {
    "c_reasons": "reasons", "c_faults": "faults", "c_holds": "holds", "holds": "holds", "port_holds": "holds",
    "port_dc_holds": "holds",
}  # fmt: skip
# "charger_ma" is read, and told to the charger.
_COLUMN_NAMES = {
    "c_charger_ma": "charger_command_ma",
    "holds": "holds_asked",
    "light": "light_pattern",
}
_STATE_NAMES = tuple(name for name, _, _ in STATES)
_READ = tuple(
    name for name in FIELDS if name[:2] != "c_" and name != "flags" and name[:5] != "spare"
)
_COMMANDED = tuple(name for name in FIELDS if name[:2] == "c_" and name != "c_states")
# Numbers of a real signal; the rest are words or bits.
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def column(name: str) -> str:
    """Return the name of a column for a name of FIELDS or STATES."""
    return _COLUMN_NAMES.get(name, name[2:] if name.startswith("c_") else name)


def header() -> "list[str]":
    """Return the names of the columns of a box's table."""
    return [
        "time_s", "tick_ms", "trigger", *map(column, _STATE_NAMES), *map(column, _COMMANDED), *map(column, _READ), *ALL_FLAGS,
    ]  # fmt: skip


def write_box_csv(path: Path, box: Box) -> Path:
    """Write a box as a table, a row a frame; time 0 is the trigger. Raises UserError."""
    names = Names.from_firmware()

    def write(stream: TextIO) -> None:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header())
        for t_us, frame in times(box):
            writer.writerow(
                [
                    _signed_seconds(t_us),
                    frame.t_ms,
                    int(frame.is_trigger),
                    *(
                        word_of(names, name, frame)
                        for name in (*_STATE_NAMES, *_COMMANDED, *_READ)
                    ),
                    *(int(frame.flag(name)) for name in ALL_FLAGS),
                ]
            )

    return write_whole(path, write)


def write_box_vcd(path: Path, box: Box) -> Path:
    """Write a box as waveforms; time 0 is its first frame. Raises UserError."""
    return write_whole(path, lambda stream: _write_vcd(stream, box))


def times(box: Box) -> "list[tuple[int, Frame]]":
    """Return (us since the trigger, or since the first frame where that is lost, frame) of each frame."""
    start = (box.trigger or box.frames[0]).t_ms if box.frames else 0
    return [((frame.t_ms - start + (1 << 29) & 0x3FFFFFFF) - (1 << 29), frame) for frame in box.frames]  # fmt: skip


def word_of(names: Names, name: str, frame: Frame) -> Any:
    """Return a number of a frame as the word it stands for, or itself."""
    value = frame.value(name)
    if name in _ENUMS:
        return name_of(names.of(name), value)
    if name in _MASKS:
        return words_of(names.of(_MASKS[name]), value)
    return value


def words_of(table: Any, mask: int) -> str:
    """Return the names of the bits of a mask."""
    return " ".join(word for word, _ in mask_rows(table, mask)) or "none"


def _signed_seconds(t_ms: int) -> str:
    return ("-" if t_ms < 0 else "") + seconds(abs(t_ms) * 1000)


def _write_vcd(stream: TextIO, box: Box) -> None:
    names = Names.from_firmware()
    about = "black box %d; firmware %s" % (box.number, box.head.version if box.head else "?")
    first_ms = times(box)[0][0] if box.frames else 0
    with vcd_writer(stream, about) as vcd:
        shown: dict[str, tuple[Any, Callable[[Frame], Any]]] = {}
        for name in (*_STATE_NAMES, *_COMMANDED):
            shown["c " + name] = (_variable(vcd, "commands", name), _value(names, name))
        for name in _READ:
            shown["r " + name] = (_variable(vcd, "readings", name), _value(names, name))
        for name in ALL_FLAGS:
            shown["f " + name] = (vcd.register_var("flags", name, "wire", 1), _flag(name))
        trigger = vcd.register_var("box", "trigger", "wire", 1, init=0)
        was: dict[str, Any] = {}
        for t_ms, frame in times(box):
            for key, (variable, value_of) in shown.items():
                value = value_of(frame)
                if was.get(key) != value:
                    was[key] = value
                    vcd.change(variable, t_ms - first_ms, value)
            vcd.change(trigger, t_ms - first_ms, int(frame.is_trigger))


def _variable(vcd: Any, scope: str, name: str) -> Any:
    if name in _ENUMS or name in _MASKS:
        return vcd.register_var(scope, column(name), "string")
    bits = next((bits for state, _, bits in STATES if state == name), 0)
    if bits == 1:
        return vcd.register_var(scope, column(name), "wire", 1)
    return vcd.register_var(scope, column(name), "real")


def _value(names: Names, name: str) -> "Callable[[Frame], Any]":
    return lambda frame: word_of(names, name, frame)


def _flag(name: str) -> "Callable[[Frame], int]":
    return lambda frame: int(frame.flag(name))


# ---------------------------------------------------------------------------------------- sessions


def write_sessions_csv(path: Path, sessions: "list[SessionRecord]") -> Path:
    """Write the session log as a table, a row a plug-in; what is not known is empty. Raises UserError."""
    names = Names.from_firmware()

    def write(stream: TextIO) -> None:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([one.name for one in fields(SessionRecord)])
        for session in sessions:
            writer.writerow([_cell(names, name, value) for name, value in asdict(session).items()])

    return write_whole(path, write)


def _cell(names: Names, name: str, value: Any) -> Any:
    if value is None:
        return ""
    if name == "stop_reasons":
        return words_of(names.reasons, value)
    if name == "faults":
        return words_of(names.faults, value)
    return int(value)


def minute_words(minute: "int | None") -> str:
    """Return a minute of the week in words."""
    if minute is None:
        return "?"
    return "%s %02d:%02d" % (_DAYS[minute // 1440], minute // 60 % 24, minute % 60)
