"""bench.vcd: every block on one clock as waveforms, for GTKWave and PulseView.

Blocks follow each other as in the run. Digital lines are 1-bit wires, quantities reals with their unit in the name,
states strings. Between blocks, and where the board did not measure, a line is x and a quantity nan.
"""

import math
import re
from pathlib import Path
from typing import Any, TextIO

from vcd import VCDWriter

from inletctl.bench.model import Record, Row, Run
from inletctl.bench.report.samples import (
    by_name,
    command_fields,
    flag_names,
    reading_fields,
    word,
)
from inletctl.bench.report.verdicts import clock_offsets_us, judged
from inletctl.report.files import write_whole
from inletctl.report.vcd_file import ascii_text, vcd_writer

STATES = ("session", "pilot_state", "lock_state", "limiter", "light", "reasons", "faults")
WIRES = ("s2_close", "drive_allowed")
LEGS = (("lock_drive_lock", 1), ("lock_drive_unlock", -1))
TEXTS = ("block", "stimulus", "step", "verdict")
# What a reading is worth nothing without.
_VALID = {
    "cp_high_mv": "cp_ok",
    "cp_low_mv": "cp_ok",
    "pp_mv": "pp_ok",
    "temp_mv_0": "temp_ok_0",
    "temp_mv_1": "temp_ok_1",
    "temp_mv_2": "temp_ok_2",
    "temp_mv_3": "temp_ok_3",
    "lock_feedback_mv": "lock_feedback_ok",
    "charger_ma": "charger_ok",
    "ac_present": "ac_ok",
    "hottest_decic": "hottest_ok",
}
# The board names its command and its reading of the charger alike.
_COMMAND_NAMES = {"charger_ma": "charger_command_ma"}


def write_vcd(path: Path, run: Run) -> Path:
    """Write the records of `run` to `path`."""
    return write_whole(path, lambda stream: _write(stream, run))


class _Timeline:
    """What changes when. Of one name at one moment the last value stays; texts are joined."""

    def __init__(self):
        self.at: dict[int, dict[str, Any]] = {}

    def put(self, t_us: int, name: str, value: Any) -> None:
        now = self.at.setdefault(t_us, {})
        now[name] = f"{now[name]}; {value}" if name in TEXTS and name in now else value


def _write(stream: TextIO, run: Run) -> None:
    timeline = _Timeline()
    signals = sorted({edge[1] for record in run.records.values() for edge in record.edges})
    kinds = _kinds(signals, run)
    offsets = clock_offsets_us(run)
    titles = {block.id: block.title for block in run.blocks}
    for name, begin_us in offsets.items():
        for var, kind in kinds.items():
            if var not in TEXTS:
                timeline.put(begin_us, var, _UNKNOWN[kind])
        timeline.put(begin_us, "block", ascii_text(f"{name}: {titles.get(name, '')}"))
        _record(timeline, begin_us, run.records.get(name, Record(name)))
    for row in judged(run):
        if row.block_id in offsets:
            _row(timeline, offsets[row.block_id], row)
    tick_us = 1 if any(t_us % 1000 for t_us in timeline.at) else 1000
    comment = (
        f"bench {run.recipe}; {run.verdict}; target {run.target}; firmware {run.firmware_hash}"
    )
    with vcd_writer(stream, comment, tick_us) as vcd:
        shown = {var: _register(vcd, var, kind) for var, kind in kinds.items()}
        was: dict[str, Any] = {}
        for t_us in sorted(timeline.at):
            for var, value in timeline.at[t_us].items():
                before = was.get(var, _UNSEEN)
                # A nan differs from itself, but not here.
                if var in TEXTS or (before is not value and before != value):
                    vcd.change(shown[var], t_us // tick_us, value)
                    was[var] = value


_UNSEEN = object()
_UNKNOWN = {"wire": "x", "real": math.nan, "string": "-"}
_SCOPES = {"wire": "lines", "real": "values", "string": "states"}


def _kinds(signals: list[str], run: Run) -> dict[str, str]:
    """Return kind ("wire", "real", "string") by name of everything in the file."""
    kinds = dict.fromkeys(TEXTS, "string") | dict.fromkeys(STATES, "string")
    kinds |= dict.fromkeys(WIRES, "wire") | {name: "wire" for name, _ in LEGS}
    for name in command_fields():
        if name not in (*STATES, *WIRES, "lock_drive", "hottest_ok"):
            kinds[_COMMAND_NAMES.get(name, name)] = "real"
    for name in reading_fields():
        if name != "flags":
            kinds[name] = "real"
    kinds |= dict.fromkeys(flag_names(), "wire")
    for signal in signals:
        values = {
            edge[2]
            for record in run.records.values()
            for edge in record.edges
            if edge[1] == signal
        }
        kinds[_edge_name(signal)] = "wire" if values <= {0, 1} else "real"
    return kinds


def _register(vcd: VCDWriter, name: str, kind: str) -> Any:
    scope = "edges" if name.startswith(_EDGE) else _SCOPES[kind]
    name = name.removeprefix(_EDGE)
    if kind == "wire":
        return vcd.register_var(scope, name, "wire", size=1)
    if kind == "real":
        return vcd.register_var(scope, name, "real", init=math.nan)
    return vcd.register_var(scope, name, "string", init="-")


_EDGE = "edges."


def _edge_name(signal: str) -> str:
    return _EDGE + (re.sub(r"[^A-Za-z0-9_]", "_", signal) or "_")


def _record(timeline: _Timeline, begin_us: int, record: Record) -> None:
    for t_us, words in record.done:
        timeline.put(begin_us + t_us, "stimulus", ascii_text(words))
    for sample in record.samples:
        values = by_name(sample)
        t_us = begin_us + sample.t_us
        if sample.kind == "commands":
            for name, sign in LEGS:
                timeline.put(t_us, name, int(values.get("lock_drive", 0) == sign))
        for name, value in values.items():
            if name in ("lock_drive", "hottest_ok"):
                continue
            if name in STATES:
                timeline.put(t_us, name, ascii_text(word(name, value)))
                continue
            shown = _COMMAND_NAMES.get(name, name) if sample.kind == "commands" else name
            known: Any = value
            if not values.get(_VALID.get(shown, ""), shown not in _VALID):
                known = _UNKNOWN["wire" if name in flag_names() else "real"]
            timeline.put(t_us, shown, known)
    for t_us, signal, value in record.edges:
        timeline.put(begin_us + t_us, _edge_name(signal), value)


def _row(timeline: _Timeline, begin_us: int, row: Row) -> None:
    timeline.put(begin_us + row.t_us, "step", ascii_text(row.id))
    timeline.put(
        begin_us + row.t_us + row.duration_us, "verdict", ascii_text(f"{row.verdict}: {row.id}")
    )
