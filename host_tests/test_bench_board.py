"""A board on the bench: generator, person and serial port, here made of the simulation."""

import pytest
from bench_lines import one_step
from bench_rig import STORED, Hand, Rig, Source

from inletctl.bench import selfcheck
from inletctl.bench.board import BoardExecutor, calibrations
from inletctl.bench.executor import CutShortError
from inletctl.bench.judge import judge
from inletctl.bench.model import INCONCLUSIVE, NOT_RUN, PASS
from inletctl.bench.recipe import blocks, read_recipe
from inletctl.bench.runner import run_recipe
from inletctl.errors import UserError
from inletctl.link.client import BoardClient

RECIPE = """
[recipe]
name = "small"
[[sweep]]
id = "duty"
kind = "duty"
values = [7.5, 20, 90]
requirements = ["OI-DUTY-2"]
[[sweep]]
id = "cables"
kind = "pp"
values = [220, 680]
requirements = ["OI-PP-1"]
[[case]]
id = "pause"
requirements = ["OI-PILOT-2"]
text = '''
title t
inlet type2
at 1s plug 32A
within 10s expect session=charging
at 15s evse_pause
within 3s expect s2=open
within 3s expect contactor=open
end 20s
'''
[[case.stop]]
after = "evse_pause"
reason = "pilot_steady"
[[case]]
id = "wire"
requirements = ["OI-PP-2"]
text = '''
title t
inlet type2
at 1s plug 32A
within 10s expect session=charging
at 15s pp_wire short
end 20s
'''
[[case.stop]]
after = "pp_wire"
reason = "pp_invalid"
[[case]]
id = "reset-idle"
requirements = ["OI-RESET-1"]
text = '''
title t
inlet type2
at 1s expect session=unplugged
at 2s reset
at 8s plug 32A
within 8s expect session=charging
end 20s
'''
[[case]]
id = "reset-charging"
requirements = ["OI-RESET-1"]
text = '''
title t
inlet type2
at 1s plug 32A
within 10s expect session=charging
at 15s reset
within 5s expect s2=open
end 25s
'''
[[case]]
id = "noise"
requirements = ["OI-PILOT-3"]
text = '''
title t
inlet type2
at 1s noise_burst 6
for 1s expect s2=open
end 3s
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


def bench(stored=STORED, answers=None, fails_at=None):
    rig = Rig(stored)
    source = Source(rig, fails_at)
    hand = Hand(rig, answers)
    client = BoardClient(rig, clock=rig.clock, sleep=rig.sleep)
    return rig, source, hand, BoardExecutor(client, "/dev/ttyTEST", source, hand, rig.clock)


def test_it_says_who_is_tested_and_with_what():
    _rig, _source, _hand, executor = bench()
    found = executor.identity()
    assert found.target == "board on /dev/ttyTEST" and found.board == "cpython simulation"
    assert found.board_id == "0" * 16 and found.settings["max_current_ma"] == 16_000
    assert found.instruments[0] == "made-up generator 1.0"


def test_the_newest_calibrations_of_the_board_are_quoted(tmp_path):
    (tmp_path / "ab_1.jsonl").write_text("".join('{"n": %d}\n' % n for n in range(30)))
    assert calibrations("ab/1", tmp_path)[-1] == '{"n": 29}'
    assert len(calibrations("ab/1", tmp_path)) == 20
    assert calibrations("other", tmp_path) == []


def test_a_sweep_of_the_generator_passes(recipe):
    _rig, source, hand, executor = bench()
    block = block_of(recipe, "duty")
    record = executor.carry_out(block, quiet)
    assert [row.words for row in judge(block, record) if row.verdict != PASS] == []
    assert ("set", 1000, 20.0, 12_000, -12_000) in source.calls
    assert hand.asked == ["vehicle_refuse", "plug"]
    assert record.source_error_pct_x100 == 1


def test_a_sweep_by_hand_passes_and_what_is_skipped_is_not_run(recipe):
    block = block_of(recipe, "cables")
    _rig, _source, hand, executor = bench(answers={"pp_plug ohm=680": "skipped"})
    rows = judge(block, executor.carry_out(block, quiet))
    assert [row.verdict for row in rows] == [PASS, NOT_RUN]
    assert "pp_plug ohm=220" in hand.asked


def test_a_case_is_judged_by_the_lines_and_says_what_nobody_knows(recipe):
    block = block_of(recipe, "pause")
    _rig, _source, _hand, executor = bench()
    rows = judge(block, executor.carry_out(block, quiet))
    assert [row.verdict for row in rows[:3]] == [PASS, PASS, NOT_RUN]
    assert "nobody knows the truth" in rows[2].words
    assert [row.verdict for row in rows[3:]] == [PASS, PASS]
    assert rows[3].measured <= 50


def test_a_stimulus_by_hand_is_too_unsure_to_time_a_short_limit(recipe):
    block = block_of(recipe, "wire")
    _rig, _source, _hand, executor = bench()
    rows = judge(block, executor.carry_out(block, quiet))
    assert [row.verdict for row in rows] == [PASS, INCONCLUSIVE, INCONCLUSIVE]


def test_an_idle_board_is_reset_by_command_and_heard_again(recipe):
    block = block_of(recipe, "reset-idle")
    _rig, _source, _hand, executor = bench()
    record = executor.carry_out(block, quiet)
    assert [row.words for row in judge(block, record) if row.verdict != PASS] == []
    assert len(record.dark) == 1 and not record.lost_lines


def test_a_reset_of_a_charging_board_is_not_run(recipe):
    block = block_of(recipe, "reset-charging")
    _rig, _source, _hand, executor = bench()
    rows = judge(block, executor.carry_out(block, quiet))
    assert [row.verdict for row in rows] == [PASS, NOT_RUN]
    assert "restarts by command only without" in rows[-1].words


def test_what_no_instrument_can_do_is_not_run(recipe):
    block = block_of(recipe, "noise")
    rig, source, hand, executor = bench()
    before = len(source.calls)
    rows = judge(block, executor.carry_out(block, quiet))
    assert {row.verdict for row in rows} == {NOT_RUN}
    assert "no instrument for noise" in rows[0].words
    assert len(source.calls) == before and not hand.asked and rig.wire.stored == STORED


def test_settings_are_written_for_a_block_and_put_back_at_the_end(recipe):
    rig, source, _hand, executor = bench()
    executor.carry_out(block_of(recipe, "duty"), quiet)
    assert rig.wire.stored["max_current_ma"] == 80_000
    executor.close()
    assert rig.wire.stored == STORED and source.is_closed


def test_a_board_without_settings_is_left_without_them(recipe):
    rig, _source, _hand, executor = bench(stored=None)
    block = block_of(recipe, "duty")
    assert {row.verdict for row in judge(block, executor.carry_out(block, quiet))} == {PASS}
    executor.close()
    assert rig.wire.stored is None


def test_settings_that_one_block_wrote_are_not_those_of_the_next(recipe):
    rig, _source, _hand, executor = bench()
    executor.carry_out(block_of(recipe, "duty"), quiet)
    executor.carry_out(block_of(recipe, "pause"), quiet)
    assert rig.wire.stored["max_current_ma"] == 16_000


def test_the_plug_is_pulled_between_two_blocks(recipe):
    _rig, _source, hand, executor = bench()
    executor.carry_out(block_of(recipe, "duty"), quiet)
    executor.carry_out(block_of(recipe, "cables"), quiet)
    assert any("pull the plug out of the inlet" in words for words in hand.asked)


def test_a_port_lost_midway_keeps_what_was_measured(recipe):
    rig, _source, _hand, executor = bench()
    block = block_of(recipe, "duty")

    def pull(t_us):
        if t_us > 8_000_000:
            rig.lost_at_s = rig.now_s

    with pytest.raises(
        CutShortError, match="the port /dev/ttyTEST was lost: the cable was pulled"
    ) as caught:
        executor.carry_out(block, pull)
    found = {row.id: row.verdict for row in judge(block, caught.value.record)}
    assert found["duty/7.50/current"] == PASS
    assert found["duty/90.00"] == NOT_RUN
    with pytest.raises(UserError, match="before its settings could be put back"):
        executor.close()


def test_a_generator_with_an_error_ends_the_run_with_its_sentence(recipe):
    _rig, _source, _hand, executor = bench(fails_at=4)
    with pytest.raises(CutShortError, match="data out of range"):
        executor.carry_out(block_of(recipe, "duty"), quiet)


@pytest.mark.parametrize(("answer", "why"), [("quit", "ended by the person")])
def test_the_person_may_end_the_run(recipe, answer, why):
    _rig, _source, _hand, executor = bench(answers={"plug": answer})
    with pytest.raises(CutShortError, match=why):
        executor.carry_out(block_of(recipe, "duty"), quiet)


def test_ctrl_c_keeps_what_was_measured(recipe):
    _rig, _source, _hand, executor = bench()

    def stop(t_us):
        if t_us > 7_000_000:
            raise KeyboardInterrupt

    with pytest.raises(CutShortError, match="stopped by hand") as caught:
        executor.carry_out(block_of(recipe, "duty"), stop)
    assert caught.value.record.samples


def test_lost_cycles_are_a_burst_of_the_generator():
    _rig, source, _hand, executor = bench()
    from inletctl.bench.station import Signal

    executor._send(Signal(50.0))
    executor._send(Signal(50.0, lost=3))
    assert source.calls[-1] == ("burst", 3, 50_000, "low")


def test_a_source_that_sets_no_levels_leaves_those_steps_out():
    _rig, source, _hand, executor = bench()
    source.sets_levels = False
    block = one_step("level", 11)
    rows = judge(block, executor.carry_out(block, quiet))
    assert [row.verdict for row in rows] == [NOT_RUN]
    assert "made-up generator 1.0 does not set levels" in rows[0].words


def test_the_self_check_times_the_rig():
    _rig, _source, _hand, executor = bench()
    block = selfcheck.block("type2")
    rows, error_us, delay_us = selfcheck.judge(block, executor.carry_out(block, quiet))
    assert [row.words for row in rows if row.verdict != PASS] == []
    assert error_us >= 10_000 and delay_us >= 0


def test_a_whole_run_on_the_bench(recipe):
    _rig, _source, _hand, executor = bench()
    run = run_recipe(recipe, executor, "x", only=("duty",))
    executor.close()
    assert run.is_complete and run.verdict == PASS, run.why_not
    assert run.settings["max_current_ma"] == 16_000 and run.board_id
