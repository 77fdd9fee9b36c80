"""session.vcd: the session as waveforms, for GTKWave and PulseView.

Digital lines are 1-bit wires. Quantities are reals, whole numbers with their unit in the name: GTKWave shows any
number, but sigrok draws a curve only of reals and reads a negative integer as a huge one. States are strings
(GTKWave shows them, PulseView leaves them out). What was not measured is x, or nan for a quantity.
"""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

from vcd import VCDWriter

from inletctl.record import COLUMN_INDEX, COLUMNS, Recorder, mask_rows, name_of
from inletctl.report.files import write_whole
from inletctl.report.meta import SessionMeta
from inletctl.report.vcd_file import ascii_text, vcd_writer

# (name in the file, column): 1-bit lines. The two legs of the lock's bridge come out of lock_drive.
WIRES = (
    ("s2", "s2_close"),
    ("contactor", "contactor_closed"),
    ("ac_present", "ac_present"),
    ("plugged", "plugged"),
    ("drive_allowed", "drive_allowed"),
    ("vehicle_permits", "vehicle_permits"),
    ("stop_request", "stop_request"),
    ("unlock_request", "unlock_request"),
    ("heater", "heater_on"),
)
LEGS = (("lock_drive_lock", 1), ("lock_drive_unlock", -1))
NUMBERS = tuple(c.name for c in COLUMNS if c.kind == "number" and c.name != "lock_drive")
WORDS = tuple(c.name for c in COLUMNS if c.kind in ("enum", "mask", "text"))
_UNSEEN = object()  # differs from every value, so the first row is written whole


def write_vcd(path: Path, recorder: Recorder, meta: SessionMeta) -> Path:
    """Write the rows and events of `recorder` to `path`."""
    return write_whole(path, lambda stream: _write(stream, recorder, meta))


def _write(stream: TextIO, recorder: Recorder, meta: SessionMeta) -> None:
    # PulseView keeps a sample for every unit of time, so milliseconds unless that would lose something.
    times = [row[0] for row in recorder.rows] + [event.t_us for event in recorder.events]
    tick_us = 1 if any(t_us % 1000 for t_us in times) else 1000
    comment = f"{meta.title}; target {meta.target}; firmware {meta.firmware_hash}"
    with vcd_writer(stream, comment, tick_us) as vcd:
        shown = _register(vcd, recorder)
        told = vcd.register_var("states", "event", "string", init="-")
        was: tuple[Any, ...] = (_UNSEEN,) * len(COLUMNS)
        for tick, row, text in _timeline(recorder, tick_us):
            if row is not None:
                for var, column, show in shown:
                    if row[column] != was[column]:
                        vcd.change(var, tick, show(row[column]))
                was = row
            if text is not None:
                vcd.change(told, tick, text)


def _register(vcd: VCDWriter, recorder: Recorder) -> list[tuple[Any, int, Callable[[Any], Any]]]:
    """Return (variable, column, how a value is shown) of all that is in the file, but for the events."""
    shown: list[tuple[Any, int, Callable[[Any], Any]]] = []
    for name, column in WIRES:
        var = vcd.register_var("lines", name, "wire", size=1)
        shown.append((var, COLUMN_INDEX[column], _bit))
    for name, sign in LEGS:
        var = vcd.register_var("lines", name, "wire", size=1)
        shown.append(
            (var, COLUMN_INDEX["lock_drive"], lambda drive, sign=sign: int(drive == sign))
        )
    for name in NUMBERS:
        var = vcd.register_var("values", name, "real")
        shown.append((var, COLUMN_INDEX[name], _number))
    for name in WORDS:
        var = vcd.register_var("states", name, "string")
        shown.append(
            (var, COLUMN_INDEX[name], lambda value, name=name: _word(recorder, name, value))
        )
    return shown


def _bit(value: Any) -> Any:
    return "x" if value is None else int(value)


def _number(value: Any) -> Any:
    return math.nan if value is None else value


def _timeline(recorder: Recorder, tick_us: int):
    """Yield (tick, row or None, event text or None), rows and events merged by time."""
    by_tick: dict[int, str] = {}
    for event in recorder.events:
        tick = event.t_us // tick_us
        text = ascii_text(event.text)
        by_tick[tick] = f"{by_tick[tick]}; {text}" if tick in by_tick else text
    rows = {row[0] // tick_us: row for row in recorder.rows}
    for tick in sorted(rows.keys() | by_tick.keys()):
        yield tick, rows.get(tick), by_tick.get(tick)


def _word(recorder: Recorder, name: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    names = recorder.names.of(name)
    if name in ("reasons", "faults", "holds"):
        return " ".join(word for word, _ in mask_rows(names, value)) or "none"
    return name_of(names, value)
