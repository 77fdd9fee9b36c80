"""session.json: what session.csv cannot carry: the session itself, its expectations, events and columns."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

from inletctl.record import COLUMNS, Recorder
from inletctl.report.files import write_whole
from inletctl.report.meta import LIMITS_TEXT, SessionMeta
from inletctl.report.summary import facts


def write_json(path: Path, recorder: Recorder, meta: SessionMeta) -> Path:
    """Write the summary of `recorder` and `meta` to `path`."""

    def write(stream: TextIO) -> None:
        json.dump(summary(recorder, meta), stream, indent=1, ensure_ascii=False)
        stream.write("\n")

    return write_whole(path, write)


def summary(recorder: Recorder, meta: SessionMeta) -> dict[str, Any]:
    """Return the session as plain data."""
    return {
        "format": "openinlet-session-1",
        "outcome": meta.outcome,
        "verdict": meta.verdict,
        "meta": {key: value for key, value in asdict(meta).items() if key != "expectations"},
        "expectations": [asdict(one) for one in meta.expectations],
        "facts": [fact._asdict() for fact in facts(recorder, meta)],
        "events": [event._asdict() for event in recorder.events],
        "columns": [column._asdict() for column in COLUMNS],
        "limits": LIMITS_TEXT,
    }
