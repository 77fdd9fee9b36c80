"""From a recipe to a finished Run: self-check, block after block, rows; cut short, it is still a Run."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from inletctl.bench import judge, selfcheck
from inletctl.bench.executor import CutShortError, Executor, Rig
from inletctl.bench.model import PASS, Block, Record, Row, Run
from inletctl.bench.recipe import Recipe, blocks, requirements
from inletctl.errors import UserError


@dataclass(frozen=True)
class Progress:
    """How far a run is, for whoever shows it."""

    block: Block
    number: int  # of the block, from 1
    of: int
    part: float  # of everything, 0..1


Tell = Callable[[Progress], None]


def run_recipe(
    recipe: Recipe,
    executor: Executor,
    command: str,
    operator: str = "",
    only: tuple[str, ...] = (),
    tell: "Tell | None" = None,
) -> Run:
    """Carry the recipe out and judge it. `only`: ids of blocks; none means all.

    Ctrl-C, a lost port and a rig that cannot be believed end it early: the Run says so and holds what was measured.
    Raises UserError for an id in `only` that does not exist.
    """
    chosen = _chosen(blocks(recipe), only, recipe.path)
    rig = executor.identity()
    run = new_run(recipe, rig, command, operator)
    run.blocks = chosen
    run.instruments += _own_settings(chosen)
    check = selfcheck.block(chosen[0].inlet)
    total_us = check.end_us + sum(block.end_us for block in chosen)
    done_us = 0

    def watcher(block: Block, number: int) -> Callable[[int], None]:
        def watch(t_us: int) -> None:
            if tell is not None:
                tell(Progress(block, number, len(chosen), (done_us + t_us) / total_us))

        return watch

    try:
        record = executor.carry_out(check, watcher(check, 0))
        run.self_check, timing_error_us, delay_us = selfcheck.judge(check, record)
        executor.set_delay(delay_us)
        run.records[check.id] = record
        done_us += check.end_us
        if not selfcheck.is_believed(run.self_check):
            run.why_not = "the rig cannot be believed: " + "; ".join(
                row.words for row in run.self_check if row.verdict != PASS
            )
        for number, block in enumerate(chosen, 1):
            if run.why_not:
                break
            record = executor.carry_out(block, watcher(block, number))
            record.timing_error_us = max(record.timing_error_us, timing_error_us)
            run.records[block.id] = record
            run.timing_error_us = max(run.timing_error_us, record.timing_error_us)
            run.rows += judge.judge(block, record)
            done_us += block.end_us
    except CutShortError as cut:
        run.why_not = cut.why
        run.records[cut.record.block_id] = cut.record
        cut_block = next((block for block in chosen if block.id == cut.record.block_id), None)
        if cut_block is not None:
            run.rows += judge.judge(cut_block, cut.record)
    except (UserError, KeyboardInterrupt) as error:
        # Of the block under way nothing is known; what was measured before it is kept.
        run.why_not = str(error).rstrip(".") or "stopped by hand"
    run.is_complete = not run.why_not
    run.rows += _never_begun(run)
    return run


def new_run(recipe: Recipe, rig: Rig, command: str, operator: str) -> Run:
    """Return a Run with its head filled in."""
    return Run(
        recipe=recipe.name,
        recipe_sha256=recipe.sha256,
        seed=recipe.seed,
        command=command,
        began=datetime.now().astimezone().isoformat(timespec="seconds"),
        target=rig.target,
        firmware_hash=rig.firmware_hash,
        board=rig.board,
        board_id=rig.board_id,
        settings=dict(rig.settings),
        instruments=list(rig.instruments),
        calibration=list(rig.calibration),
        operator=operator,
        requirements={
            name: (entry["text"], entry["clause"]) for name, entry in requirements().items()
        },
    )


def _chosen(all_blocks: list[Block], only: tuple[str, ...], path: str) -> list[Block]:
    known = [block.id for block in all_blocks]
    for wanted in only:
        if wanted not in known:
            raise UserError(
                "%s: there is no block '%s' in it; it has %s" % (path, wanted, ", ".join(known))
            )
    return [block for block in all_blocks if not only or block.id in only]


def _own_settings(chosen: list[Block]) -> list[str]:
    """Return which blocks run with which settings of their own, in words: the table shows what the board came with."""
    groups: dict[str, list[str]] = {}
    for block in chosen:
        words = ", ".join("%s=%d" % one for one in sorted(block.settings.items()))
        groups.setdefault(words, []).append(block.id)
    return ["settings %s for: %s" % (words, ", ".join(ids)) for words, ids in groups.items()]


def _never_begun(run: Run) -> list[Row]:
    """Return the rows of the blocks that were not reached: not run, each with the reason."""
    judged = {row.block_id for row in run.rows}
    rows: list[Row] = []
    for block in run.blocks:
        if block.id not in judged:
            record = run.records.get(block.id) or Record(block.id, why_not=run.why_not)
            rows += judge.judge(block, record)
    return rows
