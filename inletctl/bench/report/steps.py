"""steps.csv: one row a step, for spreadsheets and pandas.

One header row and no comment lines; who, what and with which settings is in bench.json beside it. Numbers are written
in full, and what was not set or not measured is empty: it is never 0. `t_s` counts from the beginning of the step's
block, `clock_s` is the same moment on the one clock of bench.vcd.
"""

import csv
from pathlib import Path
from typing import Any, TextIO

from inletctl.bench.model import Row, Run
from inletctl.bench.report.numbers import cell
from inletctl.bench.report.verdicts import clock_offsets_us, judged
from inletctl.report.files import write_whole
from inletctl.report.spreadsheet import seconds

HEADER = (
    "id", "block", "what", "set", "set_unit", "expected", "measured", "measured_unit", "error", "limit",
    "verdict", "t_s", "clock_s", "duration_s", "requirements", "cause", "words",
)  # fmt: skip


def write_csv(path: Path, run: Run) -> Path:
    """Write the self-check and every step of `run` to `path`."""
    offsets = clock_offsets_us(run)

    def write(stream: TextIO) -> None:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(HEADER)
        writer.writerows(
            _line(row, offsets.get(row.block_id)) for row in (*run.self_check, *judged(run))
        )

    return write_whole(path, write)


def _line(row: Row, offset_us: "int | None") -> list[Any]:
    return [
        cell(row.id),
        cell(row.block_id),
        cell(row.what),
        _number(row.set_value),
        cell(row.unit),
        _number(row.expected),
        _number(row.measured),
        cell(row.measured_unit),
        _number(row.error),
        _number(row.limit),
        row.verdict,
        seconds(row.t_us),
        "" if offset_us is None else seconds(offset_us + row.t_us),
        seconds(row.duration_us),
        cell(" ".join(row.requirements)),
        cell(row.cause),
        cell(row.words),
    ]


def _number(value: "float | None") -> str:
    return "" if value is None else repr(value)
