"""Why a step failed, for a person: what was done, what the board said and when, and where it stood at the end."""

from typing import NamedTuple

from inletctl.bench.model import FAIL, Block, Record, Row, Run
from inletctl.bench.report.samples import changes, readings_at, state_at
from inletctl.bench.report.verdicts import judged

STORIES_MAX = 30
_BEFORE_US = 2_000_000
_AFTER_US = 500_000
_LINES_MAX = 16


class Line(NamedTuple):
    """One thing that happened. `who` is "bench" or "board"; `t_us` counts from the beginning of the block."""

    t_us: int
    who: str
    text: str


class Story(NamedTuple):
    """The first failure of a block, and the ids of its further ones."""

    row: Row
    title: str
    inlet: str
    lines: list[Line]
    left_out: int  # lines in the same span that are not told
    state: list[tuple[str, str]]  # (what, words) by the board's own word, at the end of the step
    lost: str  # what is missing in the record, if anything
    also: list[str]


def stories(run: Run) -> list[Story]:
    """Return one story for each block that failed, in the order of the run; at most STORIES_MAX."""
    failed: dict[str, list[Row]] = {}
    for row in judged(run):
        if row.verdict == FAIL:
            failed.setdefault(row.block_id, []).append(row)
    blocks = {block.id: block for block in run.blocks}
    return [
        _story(rows, blocks.get(name), run.records.get(name))
        for name, rows in list(failed.items())[:STORIES_MAX]
    ]


def blocks_failed(run: Run) -> int:
    """Return how many blocks have a failed step."""
    return len({row.block_id for row in judged(run) if row.verdict == FAIL})


def _story(rows: list[Row], block: "Block | None", record: "Record | None") -> Story:
    row = rows[0]
    lines, left_out = _lines(row, record) if record else ([], 0)
    # As the judge sees it: what is said at the very end of a step belongs to the next one.
    end_us = row.t_us + max(1, row.duration_us)
    return Story(
        row,
        block.title if block else row.block_id,
        block.inlet if block else "",
        lines,
        left_out,
        [*state_at(record, end_us), *readings_at(record, end_us)] if record else [],
        _lost(record),
        [one.id for one in rows[1:]],
    )


def _lines(row: Row, record: Record) -> tuple[list[Line], int]:
    begin_us = row.t_us - _BEFORE_US
    end_us = row.t_us + row.duration_us + _AFTER_US
    told = [Line(t_us, "bench", words) for t_us, words in record.done]
    told += [Line(t_us, "board", words) for t_us, words in changes(record)]
    told = sorted(line for line in told if begin_us <= line.t_us <= end_us)
    if len(told) <= _LINES_MAX:
        return told, 0
    # What is near the beginning of the step tells most: the stimulus, and what it led to.
    near = sorted(told, key=lambda line: abs(line.t_us - row.t_us))[:_LINES_MAX]
    return sorted(near), len(told) - _LINES_MAX


def _lost(record: "Record | None") -> str:
    if record is None:
        return "There is no record of this block."
    told = [record.failure.rstrip(".")] if record.failure else []
    if record.lost_lines:
        told.append(f"lines of the board lost: {record.lost_lines}")
    if record.damaged_lines:
        told.append(f"lines that came damaged: {record.damaged_lines}")
    if not record.is_complete:
        told.append(record.why_not.rstrip(".") or "the block did not come to its end")
    return "; ".join(told)
