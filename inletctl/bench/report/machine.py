"""bench.json: everything of a run, for programs. `openinlet_bench` is the version of its form."""

import json
import math
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TextIO

from inletctl import __version__
from inletctl.bench.model import Record, Run
from inletctl.bench.report.samples import command_fields, flag_names, reading_fields
from inletctl.bench.report.verdicts import (
    LIMITS_TEXT,
    clock_offsets_us,
    counts,
    judged,
    sentences,
)
from inletctl.report.files import write_whole

VERSION = 1


def write_json(path: Path, run: Run) -> Path:
    """Write `run` to `path`."""
    data = everything(run)

    def write(stream: TextIO) -> None:
        json.dump(data, stream, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        stream.write("\n")

    return write_whole(path, write)


def everything(run: Run) -> dict[str, Any]:
    """Return the run as plain data; samples are [t_us, kind, late, values], named by `fields`."""
    told = _plain(run)
    told.pop("records")
    return {
        "openinlet_bench": VERSION,
        "inletctl": __version__,
        "verdict": run.verdict,
        "sentences": sentences(run),
        "counts": counts(judged(run)),
        "limits": LIMITS_TEXT,
        "fields": {
            "commands": command_fields(),
            "readings": reading_fields(),
            "flags": flag_names(),
        },
        "clock_offsets_us": clock_offsets_us(run),
        "unjudged_blocks": [row.block_id for row in judged(run)[len(run.rows) :]],
        **told,
        "records": {name: _record(record) for name, record in run.records.items()},
    }


def _record(record: Record) -> dict[str, Any]:
    told = {
        field.name: _plain(getattr(record, field.name))
        for field in fields(record)
        if field.name != "samples"
    }
    told["samples"] = [[s.t_us, s.kind, s.late, s.values] for s in record.samples]
    return told


def _plain(value: Any) -> Any:
    """Return `value` as JSON can hold it; a number that is none becomes null, a stranger its text."""
    if value is None or isinstance(value, (bool, int, str, float)):
        return None if isinstance(value, float) and not math.isfinite(value) else value
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(one) for one in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if callable(value):  # its text would hold an address, and differ from run to run
        return getattr(value, "__name__", type(value).__name__)
    return str(value)
