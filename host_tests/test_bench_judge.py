"""The judge: what was said against what is right; missing, damaged or doubtful data never passes."""

import pytest
from bench_lines import commands, end_of, one_step, readings, record_of

from inletctl.bench.judge import judge
from inletctl.bench.model import FAIL, INCONCLUSIVE, NOT_RUN, PASS, Block, Record, Step
from inletctl.scenario.parse import parse_scenario
from inletctl.scenario.run import Outcome


def verdicts(block, *samples, **values):
    return {row.what: row.verdict for row in judge(block, record_of(block, *samples, **values))}


def duty(pct, duty_pct_x100, ma, *reasons, inlet="type2", **values):
    block = one_step("duty", pct, inlet)
    line = commands(end_of(block), *reasons, duty_pct_x100=duty_pct_x100, offered_ma=ma)
    return verdicts(block, line, **values)


def test_right_duty_and_current_pass():
    assert duty(53.3, 5330, 31_980) == {"duty": PASS, "current": PASS}


@pytest.mark.parametrize(
    ("read", "verdict"), [(5340, PASS), (5341, FAIL), (5320, PASS), (5319, FAIL)]
)
def test_duty_may_be_a_tenth_of_a_percent_off(read, verdict):
    assert duty(53.3, read, 31_980)["duty"] == verdict


@pytest.mark.parametrize(
    ("ma", "verdict"), [(31_980, PASS), (31_981, FAIL), (31_900, PASS), (31_700, FAIL), (0, FAIL)]
)
def test_current_is_never_above_the_table_and_hardly_below(ma, verdict):
    assert duty(53.3, 5330, ma)["current"] == verdict


def test_no_current_needs_the_right_reason():
    assert duty(7.5, 750, 0, "pilot_duty")["current"] == PASS
    assert duty(7.5, 750, 0, "pilot_digital")["current"] == FAIL
    assert duty(7.5, 750, 0)["current"] == FAIL


def test_the_cable_caps_what_is_expected_while_charging():
    block = one_step("duty", 96, charging=True)
    line = commands(end_of(block), duty_pct_x100=9600, charger_ma=63_000, s2_close=1)
    assert verdicts(block, line)["current"] == PASS


def test_what_is_still_permitted_above_the_table_after_20_ms_fails():
    block = one_step("duty", 20)
    step = block.steps[-1]
    late = commands(step.t_us + 30_000, permitted_ma=32_000, offered_ma=32_000)
    right = commands(end_of(block), duty_pct_x100=2000, offered_ma=12_000, permitted_ma=12_000)
    assert verdicts(block, late, right)["current"] == FAIL
    early = commands(step.t_us + 10_000, permitted_ma=32_000, offered_ma=32_000)
    assert verdicts(block, early, right)["current"] == PASS


def test_a_source_error_makes_a_narrow_pass_inconclusive_and_not_a_failure():
    assert duty(53.3, 5338, 31_980, source_error_pct_x100=5)["duty"] == INCONCLUSIVE
    assert duty(53.3, 5333, 31_980, source_error_pct_x100=5)["duty"] == PASS
    assert duty(53.3, 5350, 31_980, source_error_pct_x100=5)["duty"] == FAIL


def test_silence_is_inconclusive():
    block = one_step("duty", 50)
    assert verdicts(block) == {"duty": INCONCLUSIVE, "current": INCONCLUSIVE}
    old = commands(block.steps[0].t_us + 1, duty_pct_x100=5000, offered_ma=30_000)
    assert verdicts(block, old) == {"duty": INCONCLUSIVE, "current": INCONCLUSIVE}


def test_lost_lines_turn_a_pass_into_inconclusive_and_leave_a_failure():
    gap = [(end_of(one_step("duty", 50)) - 50_000, end_of(one_step("duty", 50)))]
    assert duty(50, 5000, 30_000, gaps=gap) == {"duty": INCONCLUSIVE, "current": INCONCLUSIVE}
    assert duty(50, 4000, 24_000, gaps=gap)["duty"] == FAIL


def test_a_block_cut_short_is_not_run_from_there_on():
    block = one_step("duty", 50)
    record = record_of(
        block, is_complete=False, until_us=block.end_us - 1, why_not="stopped by hand"
    )
    rows = judge(block, record)
    assert {row.verdict for row in rows} == {NOT_RUN}
    assert all("stopped by hand" in row.words for row in rows)


def test_a_block_that_never_began_is_not_run():
    block = one_step("pp", 220)
    rows = judge(block, Record(block.id, why_not="no instrument for noise"))
    assert [row.verdict for row in rows] == [NOT_RUN]


def test_what_a_person_skipped_is_not_run():
    block = one_step("pp", 220)
    line = commands(end_of(block), permitted_ma=32_000, offered_ma=63_000)
    step = block.steps[0]
    assert verdicts(block, line, skipped=[(step.t_us, step.until_us, "skipped")]) == {
        "pp": NOT_RUN
    }


def test_a_firmware_that_ends_fails():
    block = one_step("duty", 50)
    assert judge(block, record_of(block, failure="it crashed"))[-1].verdict == FAIL


@pytest.mark.parametrize(
    ("hz", "period", "ma", "reasons", "verdict"),
    [
        (1000, 10_000, 30_000, (), PASS),
        (1000, 10_000, 0, ("pilot_frequency",), FAIL),
        (500, 20_000, 0, ("pilot_frequency",), PASS),
        (500, 20_000, 30_000, (), FAIL),
        (500, 20_000, 0, (), FAIL),
        (1050, 9524, 30_000, (), PASS),
        (1050, 9524, 0, ("pilot_frequency",), PASS),
        (1000, 10_100, 30_000, (), FAIL),
        (1000, 0, 30_000, (), FAIL),
    ],
)
def test_frequency(hz, period, ma, reasons, verdict):
    block = one_step("frequency", hz)
    at = end_of(block)
    lines = commands(at, *reasons, offered_ma=ma), readings(at, pilot_period_us_x10=period)
    assert verdicts(block, *lines)["frequency"] == verdict


@pytest.mark.parametrize(
    ("mv", "state", "verdict"), [(8978, 2, PASS), (8500, 2, FAIL), (8978, 4, FAIL)]
)
def test_level(mv, state, verdict):
    block = one_step("level", 12)
    at = end_of(block)
    assert (
        verdicts(block, commands(at, pilot_state=state), readings(at, cp_high_mv=mv))["level"]
        == verdict
    )


@pytest.mark.parametrize(
    ("inlet", "ohm", "ma", "reasons", "verdict"),
    [
        ("type2", 220, 32_000, (), PASS),
        ("type2", 220, 63_000, (), FAIL),
        ("type2", 220, 0, ("pp_invalid",), FAIL),
        ("type2", 3000, 13_000, (), FAIL),
        ("type2", 3000, 13_000, ("pp_invalid",), PASS),
        ("type1", 150, 65_000, (), PASS),
        ("type1", 480, 65_000, (), FAIL),
        ("type1", 480, 0, ("pp_button",), PASS),
    ],
)
def test_pp(inlet, ohm, ma, reasons, verdict):
    block = one_step("pp", ohm, inlet)
    line = commands(end_of(block), *reasons, permitted_ma=ma, offered_ma=65_000)
    assert verdicts(block, line)["pp"] == verdict


@pytest.mark.parametrize(
    ("decic", "ok", "ma", "temperature", "derating"),
    [
        (725, 1, 24_000, PASS, PASS),
        (745, 1, 24_000, FAIL, PASS),
        (725, 1, 32_000, PASS, FAIL),
        (725, 1, 10_000, PASS, FAIL),
        (0, 0, 0, FAIL, FAIL),
    ],
)
def test_temperature(decic, ok, ma, temperature, derating):
    block = one_step("temperature", 72.5)
    line = commands(end_of(block), hottest_decic=decic, hottest_ok=ok, permitted_ma=ma)
    assert verdicts(block, line) == {"temperature": temperature, "derating": derating}


# ------------------------------------------------------------------------------------------------ time

STOP_US = 10_000_000


def stop_block():
    steps = tuple(
        Step(
            "c/%s" % part, "latency", None, "ms", STOP_US, STOP_US + 3_000_000, 0.0, limit, "", ("OI-PP-2",),
            {"cause": "pp_button", "part": part},
        )
        for part, limit in (("current", 20.0), ("s2", 840.0))
    )  # fmt: skip
    return Block("c", "t", "type1", {}, {}, (), steps, 14_000_000)


def charging(t_us):
    return commands(t_us, s2_close=1, charger_ma=32_000)


def stopped(*lines, **values):
    block = stop_block()
    beats = [commands(STOP_US + n * 500_000, "pp_button") for n in range(2, 6)]
    rows = judge(block, record_of(block, charging(STOP_US - 500_000), *lines, *beats, **values))
    return [row.verdict for row in rows], rows


def button(ms, **values):
    return commands(STOP_US + ms * 1000, "pp_button", **values)


def test_a_stop_in_time_passes_and_tells_its_time():
    found, rows = stopped(button(10, s2_close=1), button(400))
    assert found == [PASS, PASS]
    assert [row.measured for row in rows] == [10, 400]
    assert [row.cause for row in rows] == ["pp_button"] * 2


def test_a_stop_too_late_fails():
    found, _rows = stopped(button(30, s2_close=1), button(900))
    assert found == [FAIL, FAIL]


def test_a_command_that_comes_back_before_s2_opens_counts_from_its_end():
    lines = button(10, s2_close=1), button(20, s2_close=1, charger_ma=5000), button(40, s2_close=1)
    assert stopped(*lines, button(400))[0] == [FAIL, PASS]


def test_a_stop_told_by_another_name_fails():
    block = stop_block()
    lines = [commands(STOP_US + n * 500_000, "no_plug") for n in range(6)]
    rows = judge(block, record_of(block, charging(STOP_US - 1), *lines))
    assert {row.verdict for row in rows} == {FAIL}
    assert "told as no_plug" in rows[0].words


def test_a_stop_without_a_charge_before_it_says_nothing():
    block = stop_block()
    rows = judge(block, record_of(block, commands(STOP_US - 1), button(10)))
    assert {row.verdict for row in rows} == {INCONCLUSIVE}


def test_s2_that_never_opens_fails_and_silence_is_inconclusive():
    block = stop_block()
    beats = [charging(STOP_US + n * 900_000) for n in range(4)]
    rows = judge(block, record_of(block, charging(STOP_US - 1), *beats))
    assert {row.verdict for row in rows} == {FAIL}
    rows = judge(block, record_of(block, charging(STOP_US - 1)))
    assert {row.verdict for row in rows} == {INCONCLUSIVE}


def test_a_time_that_the_rigs_error_could_turn_round_is_inconclusive():
    found, _rows = stopped(button(10, s2_close=1), button(400), timing_error_us=15_000)
    assert found == [INCONCLUSIVE, PASS]
    found, _rows = stopped(button(50, s2_close=1), button(400), timing_error_us=15_000)
    assert found[0] == FAIL


# ---------------------------------------------------------------------------------------- expectations


def case_block(text):
    scenario = parse_scenario("title t\ninlet type2\nat 1s plug 32A\n%s\nend 20s\n" % text)
    steps = tuple(
        Step(
            "c/%d" % n,
            "expect",
            None,
            "",
            one.t_us,
            one.t_us + one.span_us,
            extra={"expectation": n},
        )
        for n, one in enumerate(scenario.expectations)
    )
    return Block("c", "t", "type2", {}, {}, (), steps, scenario.end_us, scenario)


def expected(text, passed=True, reaction_us=None, **values):
    block = case_block(text)
    outcomes = [
        Outcome(one, passed, one.t_us, "" if passed else "saw otherwise", reaction_us)
        for one in block.scenario.expectations
    ]
    return judge(block, record_of(block, outcomes=outcomes, **values))[0]


def test_an_outcome_becomes_a_row_with_its_time_and_limit():
    row = expected("within 50ms expect s2=open", reaction_us=20_000)
    assert (row.verdict, row.measured, row.limit, row.measured_unit) == (PASS, 20, 50, "ms")
    assert expected("within 50ms expect s2=open", passed=False).verdict == FAIL


def test_lost_lines_matter_only_to_what_the_board_was_asked():
    gap = [(1_000_000, 1_010_000)]
    assert expected("within 50ms expect s2=open", gaps=gap).verdict == INCONCLUSIVE
    assert expected("within 50ms expect contactor=open", gaps=gap).verdict == PASS
    assert expected("always expect s2=open", gaps=gap).verdict == INCONCLUSIVE


def test_an_expectation_that_nobody_could_judge_is_not_run():
    block = case_block("within 50ms expect contactor=open")
    assert judge(block, record_of(block))[0].verdict == NOT_RUN
    skipped = [(0, 1, "skipped by the person")]
    assert expected("within 50ms expect s2=open", skipped=skipped).verdict == NOT_RUN
