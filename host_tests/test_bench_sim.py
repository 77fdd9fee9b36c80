"""Blocks on the simulation, through the board's own line; the self-check and the runner on top of them."""

from dataclasses import replace
from random import Random

import pytest

from inletctl.bench import selfcheck
from inletctl.bench.executor import CutShortError
from inletctl.bench.firmwares import read_broken
from inletctl.bench.judge import judge
from inletctl.bench.model import FAIL, INCONCLUSIVE, NOT_RUN, PASS
from inletctl.bench.recipe import blocks, find_recipe, read_recipe
from inletctl.bench.runner import run_recipe
from inletctl.bench.sim import SimExecutor
from inletctl.errors import UserError
from inletctl.house import firmware_hash

RECIPE = """
[recipe]
name = "small"
[[sweep]]
id = "duty"
kind = "duty"
values = [7.5, 20, 90]
requirements = ["OI-DUTY-2"]
[[case]]
id = "stop"
requirements = ["OI-PERSON-1"]
text = '''
title t
inlet type2
at 1s plug 32A
within 8s expect session=charging locked=yes
at 12s stop
within 3s expect s2=open contactor=open
end 16s
'''
[[case.stop]]
after = "stop"
reason = "person_stop"
[[case]]
id = "reset"
requirements = ["OI-RESET-1"]
text = '''
title t
inlet type2
at 1s plug 32A
at 10s expect session=charging
reset off_ms=300
within 50ms expect s2=open
at 14s for 1s expect faults=none
end 20s
'''
"""


def quiet(_t_us):
    pass


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "small.toml"
    path.write_text(RECIPE)
    return read_recipe(path)


def block_of(recipe, name):
    return next(block for block in blocks(recipe) if block.id == name)


def test_a_sweep_is_read_from_the_boards_lines(recipe):
    block = block_of(recipe, "duty")
    record = SimExecutor(1).carry_out(block, quiet)
    assert {row.verdict for row in judge(block, record)} == {PASS}
    assert record.is_complete and not record.lost_lines and not record.damaged_lines
    assert [words.split()[0] for _t, words in record.done] == [
        "vehicle_refuse", "plug", "evse_duty", "evse_duty", "evse_duty", "evse_duty",
    ]  # fmt: skip


def test_a_case_is_judged_by_lines_and_plant_and_its_stop_is_timed(recipe):
    block = block_of(recipe, "stop")
    record = SimExecutor(1).carry_out(block, quiet)
    rows = judge(block, record)
    assert [row.verdict for row in rows] == [PASS] * 4
    assert 0 <= rows[2].measured <= 20 < rows[3].measured <= 3040
    assert ("s2_close", 1) in {(name, value) for _t, name, value in record.edges}


def test_a_reset_is_dark_and_begins_anew(recipe):
    block = block_of(recipe, "reset")
    record = SimExecutor(1).carry_out(block, quiet)
    assert {row.verdict for row in judge(block, record)} == {PASS}
    assert record.dark == [(10_000_000, 10_300_000)]
    assert not record.lost_lines


def test_readings_come_at_the_rate_that_the_block_asks_for():
    block = replace(selfcheck.block("type2"), rate_ms=100)
    record = SimExecutor(1).carry_out(block, quiet)
    count = sum(sample.kind == "readings" for sample in record.samples)
    changes = sum(sample.kind == "commands" for sample in record.samples)
    # One at every change besides, so that a record tells what it was decided from.
    assert block.end_us / 100_000 - 15 <= count <= block.end_us / 100_000 + changes


def test_the_same_seed_gives_the_same_record(recipe):
    block = block_of(recipe, "stop")
    assert SimExecutor(5).carry_out(block, quiet) == SimExecutor(5).carry_out(block, quiet)


def test_ctrl_c_keeps_what_was_measured(recipe):
    def stop(t_us):
        if t_us > 7_000_000:
            raise KeyboardInterrupt

    block = block_of(recipe, "stop")
    with pytest.raises(CutShortError) as caught:
        SimExecutor(1).carry_out(block, stop)
    record = caught.value.record
    assert record.samples and not record.is_complete
    assert record.why_not == "stopped by hand" and record.until_us > 7_000_000
    assert [row.verdict for row in judge(block, record)] == [PASS, NOT_RUN, NOT_RUN, NOT_RUN]


def test_a_firmware_that_crashes_fails_and_keeps_what_was_measured(recipe, monkeypatch):
    from interlock import Interlock

    tick = Interlock.tick

    def crash(self, now_ms, i):
        tick(self, now_ms, i)
        if self.s2_close:
            raise IndexError("no such row")

    monkeypatch.setattr(Interlock, "tick", crash)
    block = block_of(recipe, "stop")
    record = SimExecutor(1).carry_out(block, quiet)
    assert "no such row" in record.failure
    assert FAIL in {row.verdict for row in judge(block, record)}


def test_a_verb_that_this_inlet_cannot_do_is_not_the_firmwares_fault(tmp_path):
    path = tmp_path / "r.toml"
    path.write_text(
        RECIPE.replace("at 12s stop", "at 12s press_button").replace(
            'after = "stop"', 'after = "press_button"'
        )
    )
    block = block_of(read_recipe(path), "stop")
    record = SimExecutor(1).carry_out(block, quiet)
    assert record.why_not == "a type2 plug has no latch button." and not record.failure
    assert [row.verdict for row in judge(block, record)][1:] == [NOT_RUN] * 3


def test_a_line_that_is_lost_makes_its_time_inconclusive(recipe, monkeypatch):
    from inletctl.link.codec import LineSorter

    feed = LineSorter.feed
    monkeypatch.setattr(LineSorter, "feed", lambda self, data: feed(self, _spoil(data)))
    block = block_of(recipe, "duty")
    record = SimExecutor(1).carry_out(block, quiet)
    assert record.damaged_lines and record.lost_lines and record.gaps
    found = {row.verdict for row in judge(block, record)}
    assert INCONCLUSIVE in found and FAIL not in found


def _spoil(data):
    return data.replace(b'"c":[0,0,0,0,3', b'"c":[0,0,0,1,3').replace(b'"n":2', b'"n":X')


def test_the_simulated_rig_is_believed_and_has_no_error_of_its_own():
    block = selfcheck.block("type1")
    record = SimExecutor(1).carry_out(block, quiet)
    rows, error_us, delay_us = selfcheck.judge(block, record)
    assert [row.id for row in rows] == [
        "self-check/line", "self-check/source", "self-check/silence", "self-check/timing",
    ]  # fmt: skip
    assert selfcheck.is_believed(rows)
    assert error_us == 0 and 0 < delay_us < 30_000


@pytest.mark.parametrize(
    ("spoil", "row"),
    [
        (lambda record: record.gaps.append((0, 1)) or setattr(record, "lost_lines", 1), "line"),
        (lambda record: setattr(record, "samples", [s for s in record.samples if s.kind != "readings"]), "source"),
        (lambda record: setattr(record, "samples", [s for s in record.samples if s.t_us < 7_000_000]), "timing"),
        (lambda record: setattr(record, "is_complete", False), "line"),
    ],
)  # fmt: skip
def test_a_rig_that_is_not_whole_is_not_believed(spoil, row):
    block = selfcheck.block("type2")
    record = SimExecutor(1).carry_out(block, quiet)
    spoil(record)
    rows, _error_us, _delay_us = selfcheck.judge(block, record)
    assert not selfcheck.is_believed(rows)
    assert next(one for one in rows if one.id.endswith(row)).verdict != PASS


class Cut(SimExecutor):
    """Loses its port in the second block."""

    def carry_out(self, block, watch):
        record = super().carry_out(block, watch)
        if block.id == "stop":
            record.is_complete = False
            record.until_us = 9_500_000
            record.outcomes = record.outcomes[:1]
            record.why_not = "the port was lost"
            raise CutShortError(record.why_not, record)
        return record


def test_a_whole_run(recipe):
    told = []
    run = run_recipe(recipe, SimExecutor(1), "inletctl bench small", "me", tell=told.append)
    assert run.verdict == PASS and run.is_complete
    assert [block.id for block in run.blocks] == ["duty", "stop", "reset"]
    assert set(run.records) == {"self-check", "duty", "stop", "reset"}
    assert len(run.rows) == sum(len(block.steps) for block in run.blocks)
    assert told[-1].number == 3 and 0 < told[-1].part <= 1
    assert "settings inlet=1, max_current_ma=80000 for: duty" in run.instruments
    assert (run.operator, run.seed, run.recipe_sha256) == ("me", 1, recipe.sha256)


def test_a_run_cut_short_has_what_was_measured_and_says_why(recipe):
    run = run_recipe(recipe, Cut(1), "x")
    assert not run.is_complete and run.why_not == "the port was lost"
    assert run.verdict == NOT_RUN or run.verdict == INCONCLUSIVE
    found = {row.id: row.verdict for row in run.rows}
    assert found["duty/20.00"] == PASS
    assert found["stop/1"] == PASS and found["stop/2"] == NOT_RUN
    assert found["reset/1"] == NOT_RUN
    assert len(run.rows) == sum(len(block.steps) for block in run.blocks)


class Gone(SimExecutor):
    """Cannot begin the second block."""

    def carry_out(self, block, watch):
        if block.id == "stop":
            raise UserError("the board file is gone.")
        return super().carry_out(block, watch)


def test_a_block_that_cannot_begin_loses_nothing_that_was_measured(recipe):
    run = run_recipe(recipe, Gone(1), "x")
    assert not run.is_complete and run.why_not == "the board file is gone"
    found = {row.id: row.verdict for row in run.rows}
    assert found["duty/20.00"] == PASS and found["stop/1"] == NOT_RUN
    assert len(run.rows) == sum(len(block.steps) for block in run.blocks)


class Deaf(SimExecutor):
    """Hears nothing."""

    def carry_out(self, block, watch):
        record = super().carry_out(block, watch)
        record.samples.clear()
        return record


def test_a_rig_that_cannot_be_believed_ends_the_run(recipe):
    run = run_recipe(recipe, Deaf(1), "x")
    assert "the rig cannot be believed" in run.why_not
    assert {row.verdict for row in run.rows} == {NOT_RUN}
    assert run.verdict == NOT_RUN


def test_only_some_blocks_and_one_that_is_not_there(recipe):
    run = run_recipe(recipe, SimExecutor(1), "x", only=("duty",))
    assert [block.id for block in run.blocks] == ["duty"]
    with pytest.raises(
        UserError, match="there is no block 'nope' in it; it has duty, stop, reset"
    ):
        run_recipe(recipe, SimExecutor(1), "x", only=("nope",))


RECIPE_BLOCKS = blocks(read_recipe(find_recipe("conformance")))
# Of the blocks that are longer, which are half of the recipe's time, so many are run here, other ones with each change of the
# firmware; all of them by `make bench`, and here where a deliberately broken firmware is caught by one.
LONG_S = 200
LONG_RUN = 2
_SHOWS_BROKEN = {broken.caught_by for broken in read_broken()}
LONG = [b.id for b in RECIPE_BLOCKS if b.end_us > LONG_S * 1e6 and b.id not in _SHOWS_BROKEN]
SHORT = [b.id for b in RECIPE_BLOCKS if b.id not in LONG]
# Each block is a board newly powered up in a world of its own, so that they may be run apart: on as many cores as there are.
PARTS = 8


def _passes(*only):
    recipe = read_recipe(find_recipe("conformance"))
    run = run_recipe(recipe, SimExecutor(recipe.seed), "x", only=only)
    assert [row.words for row in run.rows if row.verdict != PASS] == []
    assert {row.block_id for row in run.rows} == set(only)
    assert run.verdict == PASS


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_the_firmware_passes_the_conformance_recipe(part):
    _passes(*SHORT[part::PARTS])


@pytest.mark.slow
@pytest.mark.parametrize("n", range(LONG_RUN))
def test_so_it_does_in_its_long_blocks(n):
    seed = firmware_hash()
    block = Random(seed).sample(LONG, LONG_RUN)[n]
    print("seed %s, block %s" % (seed, block))
    _passes(block)


def test_no_requirement_hangs_on_a_long_block_alone():
    def told(ids):
        return {
            name
            for b in RECIPE_BLOCKS
            if b.id in ids
            for step in b.steps
            for name in step.requirements
        }

    assert len(LONG) > LONG_RUN
    assert told(LONG) <= told(SHORT)
