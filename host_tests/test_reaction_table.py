"""inletctl.reaction_table: README.md's figures are those that were measured last, beside what the clauses say."""

import json

import pytest

import faults
from inletctl import perf, reaction_table
from inletctl.errors import UserError
from inletctl.measure import reactions as chip
from inletctl.reaction_table import BEGIN, CHIP, END, HOST, STANDARD, standard_ms


def times(n=10, worst_ms=8.31, limit_ms=20, never=0):
    return {"n": n, "never": never, "limit_ms": limit_ms, "p50_ms": 5.0, "worst_ms": worst_ms, "within_limit": True}  # fmt: skip


def report(is_host=True, is_chip=False, **current):
    row = {
        "cause": "Type 1 button", "reason": "pp_button", "clause": "", "current_0": times(**current),
        "s2_open": times(n=3, worst_ms=812.0, limit_ms=840),
    }  # fmt: skip
    kill = {"way": "endless loop", "s2_low": times(n=5, worst_ms=18.2)}
    return {
        "firmware": "0123456789ab",
        "made_by": "inletctl perf",
        "reactions": [row] if is_host else [],
        "lowering": {"cause": "EVSE lowers its offer", "current": times(worst_ms=10.0)},
        "chip": {"image": "1.29", "reactions": [row], "kills": [kill]} if is_chip else "left out",
    }


def rows_of(figures):
    lines = reaction_table.table(figures).splitlines()
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line[:1] == "|"]


def test_every_limit_of_a_standard_is_read_out_of_the_clause_it_stands_in():
    limits = {
        name: tuple(standard_ms(name, text) for text in words) for name, words in STANDARD.items()
    }
    assert limits["pp_button"] == (100, 1000)
    assert limits["pilot_steady"] == (3000, 6000)
    assert limits["no_plug"] == limits["pp_invalid"] == (1000, 3000)
    assert limits["pilot_frequency"] == (4000, None)
    assert limits["pilot_e"] == limits["pilot_f"] == limits["pilot_lost"] == (3000, 3000)


def test_our_own_limits_are_within_those_of_the_standards():
    for row in faults.SHUTDOWN:
        own = (row[faults.ROW_CURRENT_MS], row[faults.ROW_S2_MS])
        for limit_ms, words in zip(own, STANDARD.get(row[faults.ROW_NAME], ()), strict=False):
            asked = standard_ms(row[faults.ROW_NAME], words)
            assert asked is None or limit_ms <= asked, row[faults.ROW_NAME]


def test_words_that_the_clause_does_not_say_are_refused():
    with pytest.raises(UserError, match="does not say"):
        standard_ms("pp_button", "J1772 S3: 200 ms")


def test_every_reason_that_is_measured_is_one():
    names = {row[faults.ROW_NAME] for row in faults.SHUTDOWN}
    assert {cause.row for cause in (*perf.CAUSES, *chip.CAUSES)} <= names
    assert set(STANDARD) <= names


def test_worst_is_rounded_up_and_its_factor_down():
    (head, _line, row, lower) = rows_of(reaction_table.of_report(report(), 7))
    assert head[0] == "event" and len(head) == len(row)
    # 100 ms / 8.4 ms is 11.90; 1 s / 812 ms is 1.23.
    assert row == [
        "Type 1 button",
        "100 ms",
        "8.4 ms",
        "11.9",
        "1 s",
        "812.0 ms",
        "1.2",
        "10 / 3",
        "`host`",
    ]
    assert lower[0] == "EVSE lowers its offer (to the lower current)"
    assert lower[1:4] == ["5 s", "10.0 ms", "500.0"] and lower[4:7] == ["", "", ""]


def test_a_reaction_that_never_came_has_no_factor():
    row = rows_of(reaction_table.of_report(report(never=2), 7))[2]
    assert row[2:4] == ["never, 2 times", ""]


def test_a_reaction_over_our_own_limit_is_told():
    row = rows_of(reaction_table.of_report(report(worst_ms=20.01), 7))[2]
    assert row[2] == "20.1 ms (over our limit of 20 ms)"


def test_both_targets_stand_in_one_table_with_what_they_were_taken_with():
    said = reaction_table.table(reaction_table.of_report(report(is_chip=True), 7))
    assert "| the loop dies: an endless loop | " in said
    assert said.count("`0123456789ab`") == 2 and "MicroPython 1.29" in said and "seed 7" in said


def test_what_was_not_measured_is_said():
    assert "`rp2040`: pin to pin, emulated RP2040: not measured." in reaction_table.table(
        reaction_table.of_report(report(), 7)
    )
    assert "make reactions" in reaction_table.table({})


def test_what_is_measured_later_takes_the_place_of_its_own_target_only(tmp_path):
    path, figures = tmp_path / "report.json", tmp_path / "figures.json"
    path.write_text(json.dumps(report()), "utf-8")
    assert reaction_table.keep(path, 1, figures) == [HOST]
    path.write_text(json.dumps(report(is_host=False, is_chip=True)), "utf-8")
    assert reaction_table.keep(path, 2, figures) == [CHIP]
    found = reaction_table.read(figures)
    assert (found[HOST]["seed"], found[CHIP]["seed"]) == (1, 2)


@pytest.mark.parametrize("text", ["", "[]", json.dumps(report(is_host=False))])
def test_a_report_without_reactions_changes_nothing(tmp_path, text):
    path, figures = tmp_path / "report.json", tmp_path / "figures.json"
    path.write_text(text, "utf-8")
    with pytest.raises(UserError):
        reaction_table.keep(path, 1, figures)
    assert not figures.exists()


def test_a_figure_typed_by_hand_is_printed_over():
    figures = reaction_table.of_report(report(), 7)
    printed = reaction_table.print_into("before\n%s\nx\n%s\nafter\n" % (BEGIN, END), figures)
    assert printed.startswith("before\n") and printed.endswith("after\n")
    spoilt = printed.replace("8.4 ms", "1.0 ms")
    assert spoilt != printed and reaction_table.print_into(spoilt, figures) == printed


@pytest.mark.parametrize("text", ["", BEGIN, END, END + BEGIN])
def test_a_page_without_its_markers_is_refused(text):
    with pytest.raises(UserError, match="markers"):
        reaction_table.print_into(text, {})


@pytest.mark.no_cover
def test_a_lower_offer_is_obeyed_within_its_limit_and_repeats_with_its_seed():
    told = perf.measure_lowering(12, 7)
    assert told["current"]["within_limit"] and told == perf.measure_lowering(12, 7)


def test_without_an_image_the_chips_figures_stay_as_they_are(tmp_path):
    from click.testing import CliRunner

    from inletctl.cli import cli

    before = reaction_table.FIGURES.read_bytes() if reaction_table.FIGURES.exists() else b""
    done = CliRunner().invoke(
        cli, ["reactions", "--only", "rp2040", "--uf2", str(tmp_path / "none.uf2")]
    )
    assert isinstance(done.exception, UserError) and "none.uf2" in str(done.exception)
    after = reaction_table.FIGURES.read_bytes() if reaction_table.FIGURES.exists() else b""
    assert after == before
