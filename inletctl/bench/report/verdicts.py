"""What a run comes to, in words. Missing data never passes: what nobody judged is told as not run."""

from inletctl.bench.model import (
    FAIL,
    INCONCLUSIVE,
    NOT_RUN,
    PASS,
    VERDICTS,
    Record,
    Row,
    Run,
)

LIMITS_TEXT = (
    "Bench at low voltage only, no mains. This is not a certification, and a pass is not a statement of conformity "
    "with any standard. What was measured is no better than the generator that made the signals, the calibration "
    "and the timing error stated here."
)
# Worst first, as a person reads them.
READ_ORDER = (FAIL, INCONCLUSIVE, NOT_RUN, PASS)
# A verdict is a sign and a word; its colour only repeats them.
SIGNS = {PASS: "✓", FAIL: "✗", NOT_RUN: "–", INCONCLUSIVE: "?"}
_DID = {FAIL: "failed", INCONCLUSIVE: "inconclusive", NOT_RUN: "not run"}
# What each verdict means, in the report's own legend.
MEANING = {
    PASS: "measured, and within its limit",
    FAIL: "measured, and outside its limit",
    NOT_RUN: "not carried out",
    INCONCLUSIVE: "carried out, but what was recorded does not allow a verdict",
}


def judged(run: Run) -> list[Row]:
    """Return the rows of `run` in its order, and one that says "not run" for each block that nobody judged."""
    seen = {row.block_id for row in run.rows}
    return [*run.rows, *(_unjudged(run, block.id) for block in run.blocks if block.id not in seen)]


def _unjudged(run: Run, block_id: str) -> Row:
    record = run.records.get(block_id, Record(block_id))
    return Row(
        id=block_id,
        block_id=block_id,
        what="block",
        set_value=None,
        unit="",
        measured=None,
        measured_unit="",
        error=None,
        limit=None,
        verdict=NOT_RUN,
        words=record.why_not or run.why_not or "No step of this block was judged.",
    )


def counts(rows: list[Row]) -> dict[str, int]:
    """Return how many rows have each of the four verdicts."""
    return {verdict: sum(row.verdict == verdict for row in rows) for verdict in VERDICTS}


def sentences(run: Run) -> list[str]:
    """Return what the verdict stands on: counts, the self-check, and whether the run came to its end."""
    rows = judged(run)
    found = counts(rows)
    if found[NOT_RUN] == len(rows):
        told = ["No step was carried out."]
    elif found[PASS] == len(rows):
        told = [f"All {len(rows)} steps passed."]
    else:
        rest = ", ".join(f"{found[v]} {_DID[v]}" for v in READ_ORDER if v != PASS and found[v])
        told = [f"{found[PASS]} of {len(rows)} steps passed; {rest}."]
    if any(row.verdict != PASS for row in run.self_check):
        told.append("The self-check of the rig did not pass: do not trust what was measured.")
    elif not run.self_check:
        told.append("The rig was not checked before the first step.")
    if not run.is_complete:
        why = run.why_not or "it did not come to its end"
        told.append(f"The run is incomplete: {why.rstrip('.')}.")
    return told


def clock_offsets_us(run: Run) -> dict[str, int]:
    """Return where each block begins on the one clock of bench.vcd and of steps.csv, in us.

    Records stand in the order in which they were made, the self-check's first; then what was never begun.
    """
    offsets: dict[str, int] = {}
    now_us = 0
    order = [*run.records, *(block.id for block in run.blocks if block.id not in run.records)]
    ends = {block.id: block.end_us for block in run.blocks}
    for name in order:
        offsets[name] = now_us
        record = run.records.get(name, Record(name))
        told = [sample.t_us for sample in record.samples] + [t_us for t_us, _ in record.done]
        told += [edge[0] for edge in record.edges]
        now_us += max([ends.get(name, 0), *told]) + _BETWEEN_US
    return offsets


_BETWEEN_US = 100_000  # so that the end of a block and the beginning of the next are told apart
