"""The page of a bench report: whole in itself, safe against hostile text, every row on it, plots as measured."""

import base64
import hashlib
import json
import re
from dataclasses import fields, replace

import plotly.graph_objects as go
import pytest
from bench_report_run import (
    CHARGING,
    TRUNCATED_PCT,
    block,
    broken,
    commands,
    cut_short,
    healthy,
    row,
)
from html_page import Page

from inletctl.bench.model import FAIL, INCONCLUSIVE, NOT_RUN, PASS, Record, Sample
from inletctl.bench.report.page import ASSETS, page
from inletctl.bench.report.plots import sweeps
from inletctl.bench.report.samples import changes, readings_at, state_at
from inletctl.bench.report.story import STORIES_MAX, stories
from inletctl.bench.report.verdicts import SIGNS, judged
from inletctl.report.palette import COLORS


@pytest.fixture(scope="module")
def run():
    return broken(50)


@pytest.fixture(scope="module")
def text(run):
    return page(run)


@pytest.fixture(scope="module")
def parsed(text):
    return Page(text)


# Whole and safe


def test_page_loads_nothing(parsed, text):
    for tag, attrs in parsed.tags:
        assert not {"src", "href", "srcset", "action", "background"} & set(attrs), (tag, attrs)
    assert "link" not in {tag for tag, _ in parsed.tags}
    for name in ("bench.css", "bench.js"):
        own = (ASSETS / name).read_text()
        assert not re.search(r"https?:|url\(|@import|fetch\(|innerHTML|eval\(|XMLHttp", own)
    assert not re.search(r"https?://", text.split("<script", 1)[0])


def test_page_forbids_itself_connections_and_foreign_scripts(parsed):
    policy = next(a["content"] for _, a in parsed.tags if a.get("http-equiv"))
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    scripts = [one for one in parsed.scripts if not one.startswith("{")]
    assert len(scripts) == 2
    for script in scripts:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy


EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)>'\"&" + "w" * 300


def test_hostile_text_in_any_field_is_shown_as_text():
    given = broken(20)
    for field in fields(given):
        if isinstance(getattr(given, field.name), str):
            setattr(given, field.name, EVIL)
    given.settings[EVIL] = 7
    given.instruments, given.calibration = [EVIL], [EVIL]
    given.requirements[EVIL] = (EVIL, EVIL)
    given.is_complete = False
    given.blocks.append(replace(block(EVIL, EVIL), inlet=EVIL))
    given.records[EVIL] = Record(EVIL, done=[(0, EVIL)], why_not=EVIL, failure=EVIL)
    sick = row(
        EVIL, FAIL, block_id=EVIL, what=EVIL, set_value=1.0, unit=EVIL, measured=1.0,
        measured_unit=EVIL, words=EVIL, requirements=(EVIL,), cause=EVIL, expected=1.0, error=0.0,
    )  # fmt: skip
    given.rows += [sick, replace(sick, verdict=NOT_RUN), replace(sick, verdict=PASS)]
    given.rows += [
        replace(sick, measured_unit="ms", limit=5.0),
        replace(sick, verdict=INCONCLUSIVE),
    ]
    given.self_check.append(sick)
    parsed = Page(page(given))
    tags = [tag for tag, _ in parsed.tags]
    assert tags.count("script") == 3 and "img" not in tags
    assert all(not name.startswith("on") for _, attrs in parsed.tags for name in attrs)
    assert " ".join(parsed.words).count(EVIL) > 25
    # plotly reads markup in names and hover texts: what comes from outside is escaped there.
    data = json.loads(next(one for one in parsed.scripts if one.startswith("{")))
    for figure in data["figures"]:
        for trace in figure["data"]:
            assert "<img" not in trace["name"]
            assert all("<img" not in hover for hover in trace.get("hovertext", []))


# What it says


def test_page_has_every_row_and_its_verdict_in_words(run, text):
    body = text.split("<table id='steps'", 1)[1].split("</table>", 1)[0]
    found = Page(body)
    assert body.count("<tr data-v=") == len(judged(run))
    words = set(found.words)
    for one in run.rows:
        assert one.id in words
    for verdict in (PASS, FAIL, INCONCLUSIVE, NOT_RUN):
        pill = f"<span aria-hidden='true'>{SIGNS[verdict]}</span> {verdict}</span>"
        assert body.count(pill) == run.count(verdict)


def test_head_says_verdict_counts_and_identity(run, parsed):
    said = parsed.text
    for wanted in (
        "✗ FAIL", f"{run.count(PASS)} of {len(run.rows)} steps passed",
        f"{run.count(FAIL)} failed, 3 inconclusive, 1 not run.", "8f3a52c1d09b", "e6614104033b2a2f",
        "A. Engineer", "5f2c5f2c", "seed 1", "2 ms either way", "SDG1032X", "pull-up 330 -> 333 ohm",
        "4 settings, 2 other than the default", "no mains", "not a certification", run.command,
        "TCPIP::192.168.1.40::INSTR",
    ):  # fmt: skip
        assert wanted in said, wanted


def test_cut_short_run_is_called_incomplete_with_its_reason():
    said = Page(page(cut_short())).text
    assert "? INCONCLUSIVE INCOMPLETE" in said
    assert "The run is incomplete: The port /dev/ttyACM0 went away after 38 s." in said
    assert "PASS" not in said.split("What has no verdict")[0].replace("passed", "")


def test_run_in_which_some_was_not_run_says_partly():
    given = healthy(20)
    given.rows.append(row("lock/1", NOT_RUN, words="No instrument for lock."))
    assert "– PARTLY NOT RUN" in Page(page(given)).text


def test_run_without_anything_still_makes_a_page():
    given = healthy(20)
    given.rows, given.blocks, given.records, given.self_check = [], [], {}, []
    given.settings, given.requirements, given.instruments, given.operator = {}, {}, [], ""
    said = Page(page(given)).text
    assert "– NOT RUN" in said and "No step was carried out." in said
    assert "Settings were not read." in said and "operator not stated" in said
    assert "The rig was not checked before the first step." in said


def test_requirement_without_a_step_is_not_run(text):
    found = text.split("<h2>Requirements</h2>", 1)[1].split("</table>", 1)[0]
    line = next(one for one in found.split("<tr>") if "OI-NONE-1" in one)
    assert "not run</span>" in line
    line = next(one for one in found.split("<tr>") if "OI-DUTY-1" in one)
    assert "fail</span>" in line and "duty-up/62.00" in line


def test_failures_stand_before_everything_else(text):
    heads = re.findall(r"<h2>([^<]*)</h2>", text.split("<script")[0])
    assert heads[:2] == ["What failed", "What has no verdict, and why"]
    assert "What failed" not in page(healthy(20))


# Stories


def test_story_tells_what_was_done_and_what_the_board_did(run):
    story = next(one for one in stories(run) if one.row.block_id == "vehicle_silent")
    assert [(line.who, line.text.split(";")[0]) for line in story.lines] == [
        ("board", "session unplugged → charging"),
        ("bench", "evse_error state=e"),
        ("board", "session charging → resting"),
    ]
    assert "reasons none → pilot_e" in story.lines[-1].text
    assert ("S2", "open") in story.state
    assert any(text.startswith("pilot_e (pilot at 0 V") for label, text in story.state)
    assert ("duty", "26.67 %") in story.state


def test_one_story_a_block_names_the_further_failures(run):
    told = stories(run)
    assert len({one.row.block_id for one in told}) == len(told)
    first = told[0]
    failed = [one.id for one in run.rows if one.verdict == FAIL and one.block_id == "duty-up"]
    assert [first.row.id, *first.also] == failed
    assert first.lost == "lines of the board lost: 3; lines that came damaged: 1"


def test_many_failed_blocks_are_cut_and_said_so():
    given = healthy(20)
    given.rows += [row(f"b{n}/1", FAIL) for n in range(STORIES_MAX + 5)]
    assert len(stories(given)) == STORIES_MAX
    assert "5 further blocks failed too" in Page(page(given)).text


def test_line_at_the_very_end_of_a_step_belongs_to_the_next():
    record = Record(
        "e", [Sample(0, "commands", commands(**CHARGING)), Sample(9, "commands", commands())]
    )
    assert ("S2", "closed") in state_at(record, 9)
    assert ("S2", "open") in state_at(record, 10)


def test_changes_leave_out_jitter_but_no_step():
    record = Record("e")
    for t_us, ma in ((0, 16000), (10, 16050), (20, 15900), (30, 15700), (40, 0)):
        record.samples.append(Sample(t_us, "commands", commands(**{**CHARGING, "offered_ma": ma})))
    assert changes(record) == [(30, "offered 16 A → 15.7 A"), (40, "offered 15.7 A → 0 A")]
    assert state_at(record, 0) == [] and readings_at(record, 0) == []


# Plots


def test_duty_is_drawn_as_measured_with_its_band_and_error(run):
    sweep = sweeps(run)[0]
    assert sweep.title == "Duty in against duty read"
    rows = [one for one in run.rows if one.measured_unit == "%"]
    measured = {
        (one.set_value, round(one.measured, 9)) for one in rows if one.measured is not None
    }
    main = [t for t in sweep.figure["data"] if t["mode"] == "markers" and "yaxis" not in t]
    drawn = {
        (x, y)
        for t in main
        if t["name"] != INCONCLUSIVE
        for x, y in zip(t["x"], t["y"], strict=True)
    }
    assert drawn == measured
    failed = next(t for t in main if t["name"] == FAIL)
    assert min(failed["x"]) > 60 and failed["marker"]["symbol"] == "x"
    errors = next(t for t in sweep.figure["data"] if t.get("yaxis") == "y2" and t["name"] == FAIL)
    assert all(y == pytest.approx(-TRUNCATED_PCT, abs=0.04) for y in errors["y"])
    bands = [t for t in sweep.figure["data"] if t.get("fill") == "toself"]
    assert {t["yaxis"] for t in bands} == {"y", "y2"}
    assert max(y for y in bands[1]["y"] if y is not None) == 0.1
    assert "drawn where it was expected" in sweep.note


def test_current_and_temperature_have_their_plots(run):
    titles = [sweep.title for sweep in sweeps(run)]
    assert titles == [
        "Duty in against duty read",
        "Current offered against the formula",
        "Temperature against permitted current",
    ]


def test_error_off_the_scale_sits_at_the_edge_and_is_told():
    given = healthy(50)
    at = next(n for n, one in enumerate(given.rows) if one.id == "duty-up/50.00")
    given.rows[at] = replace(given.rows[at], measured=90.0, error=40.0, verdict=FAIL)
    sweep = sweeps(given)[0]
    trace = next(t for t in sweep.figure["data"] if t.get("yaxis") == "y2" and t["name"] == FAIL)
    assert trace["marker"]["symbol"] == ["triangle-up-open"]
    assert trace["y"][0] < sweep.figure["layout"]["yaxis2"]["range"][1] < 1
    assert "Largest error 40 %; allowed 0.1 %." in sweep.note and "1 point is off" in sweep.note


def test_pass_where_the_table_steps_is_not_called_an_error():
    given = healthy(50)
    at = next(n for n, one in enumerate(given.rows) if one.id == "duty-up/08.00/current")
    given.rows[at] = replace(given.rows[at], measured=0.0, error=-6.0, verdict=PASS)
    note = next(one.note for one in sweeps(given) if one.key == "%-A")
    assert "Largest error 6 A" not in note
    assert "Outside the band, but right, where the table steps:" in note


def test_inlets_that_expect_the_same_share_a_curve():
    given = healthy(20)
    given.blocks.append(block("type1", "Duty, type1", "type1"))
    given.rows += [
        row(
            f"type1/{duty}", set_value=duty, unit="%", measured=duty, measured_unit="%",
            expected=duty, error=0.0, limit=0.1,
        )
        for duty in (10.0, 33.3)
    ]  # fmt: skip
    curves = [t for t in sweeps(given)[0].figure["data"] if t["name"].startswith("expected")]
    assert [t["name"] for t in curves] == ["expected"]
    assert 33.3 in curves[0]["x"] and curves[0]["x"] == sorted(curves[0]["x"])


def test_inlets_that_expect_otherwise_get_a_curve_each():
    given = healthy(20)
    given.blocks.append(block("gbt", "Duty, GB/T", "gbt"))
    given.rows += [
        row(
            f"gbt/{duty}", set_value=float(duty), unit="%", measured=1000.0 * duty,
            measured_unit="mA", expected=1000.0 * duty, error=0.0, limit=100.0,
        )
        for duty in (10, 20, 95)
    ]  # fmt: skip
    sweep = next(one for one in sweeps(given) if one.key == "%-A")
    curves = {t["name"]: t for t in sweep.figure["data"] if t["mode"] == "lines" and t["name"]}
    assert {"expected, type2", "expected, gbt"} <= set(curves)
    assert curves["expected, gbt"]["y"] == [10.0, 20.0, 95.0]  # mA and A share one plot


def test_sweep_that_measured_nothing_has_no_plot():
    given = healthy(20)
    given.rows = [
        replace(one, measured=None, error=None, verdict=INCONCLUSIVE) for one in given.rows
    ]
    assert sweeps(given) == []


def test_figures_are_valid_plotly_in_known_colours(run):
    for sweep in sweeps(run):
        as_text = json.dumps(sweep.figure)
        keys = set(re.findall(r'"@(\w+)', as_text))
        assert keys <= set(COLORS)
        go.Figure(
            json.loads(re.sub(r'"@[\w/.]+"', '"#123456"', as_text))
        )  # raises on a wrong name
