"""Writes everything a session leaves behind."""

from pathlib import Path

from inletctl.record import Recorder
from inletctl.report.machine import write_json
from inletctl.report.meta import SessionMeta
from inletctl.report.page import write_html
from inletctl.report.spreadsheet import write_csv
from inletctl.report.waveform import write_vcd


def write_session(folder: Path, recorder: Recorder, meta: SessionMeta) -> list[Path]:
    """Write report.html, session.csv, session.vcd and session.json to `folder`; return their paths.

    Each file appears whole or not at all. Raises UserError with one sentence where the folder does not take them.
    """
    folder = Path(folder)
    return [
        write_csv(folder / "session.csv", recorder),
        write_vcd(folder / "session.vcd", recorder, meta),
        write_json(folder / "session.json", recorder, meta),
        write_html(folder / "report.html", recorder, meta),
    ]
