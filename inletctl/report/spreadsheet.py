"""session.csv: every kept row, for spreadsheets and pandas.

One header row and no comment lines, so that both open it without options; what the columns mean and everything
about the session is in session.json beside it. Units are in the names of the columns. States are words, masks
are names joined by spaces, flags are 0 or 1, and what was not measured is empty. The last column tells the events
since the row before, so the file is complete on its own.
"""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from inletctl.record import COLUMNS, Recorder, mask_rows, name_of
from inletctl.report.files import write_whole

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would run such a cell


def write_csv(path: Path, recorder: Recorder) -> Path:
    """Write the rows of `recorder` to `path`."""

    def write(stream: TextIO) -> None:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header())
        writer.writerows(_lines(recorder))

    return write_whole(path, write)


def header() -> list[str]:
    """Return the names of the columns of the file."""
    return ["time_s"] + [column.name for column in COLUMNS[1:]] + ["events"]


def _lines(recorder: Recorder) -> Iterator[list[Any]]:
    events = recorder.events
    last = len(recorder.rows) - 1
    at = 0
    for n, row in enumerate(recorder.rows):
        told = []
        while at < len(events) and (events[at].t_us <= row[0] or n == last):
            told.append(events[at].text)
            at += 1
        cells: list[Any] = [seconds(row[0])]
        for column, value in zip(COLUMNS[1:], row[1:], strict=True):
            cells.append(_cell(recorder, column.name, column.kind, value))
        cells.append(_plain("; ".join(told)))
        yield cells


def seconds(t_us: int) -> str:
    """Return a time in s, exact, without zeros that say nothing beyond the millisecond."""
    text = f"{t_us // 1_000_000}.{t_us % 1_000_000:06d}"
    return text[:-3] if text.endswith("000") else text


def _cell(recorder: Recorder, name: str, kind: str, value: Any) -> Any:
    if value is None:
        return ""
    if kind == "flag":
        return int(value)
    if kind == "enum":
        return name_of(recorder.names.of(name), value)
    if kind == "mask":
        return " ".join(word for word, _ in mask_rows(recorder.names.of(name), value)) or "none"
    return _plain(value) if kind == "text" else value


def _plain(text: str) -> str:
    text = " ".join(text.split())
    return "'" + text if text.startswith(_FORMULA_STARTS) else text
