"""The files of a bench report, each read back with the reader a machine would use."""

import csv
import io
import json
import math
from xml.etree import ElementTree

import pytest
from bench_report_run import CHARGING, block, broken, commands, cut_short, healthy, row
from vcd.reader import TokenKind, tokenize

from inletctl.bench import report
from inletctl.bench.model import FAIL, INCONCLUSIVE, NOT_RUN, PASS, Record, Sample
from inletctl.bench.report.junit import junit
from inletctl.bench.report.machine import everything
from inletctl.bench.report.steps import HEADER, write_csv
from inletctl.bench.report.verdicts import clock_offsets_us, judged, sentences
from inletctl.bench.report.waves import write_vcd
from inletctl.errors import UserError


@pytest.fixture(scope="module")
def run():
    return broken(50)


def _lines(path):
    with open(path, encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


# Verdict


def test_whole_run_without_a_failure_passes():
    assert healthy(20).verdict == PASS
    assert sentences(healthy(20))[0].startswith("All ")


def test_run_without_rows_is_not_run_whatever_its_self_check_says():
    empty = healthy(20)
    empty.rows, empty.blocks = [], []
    assert empty.verdict == NOT_RUN
    assert sentences(empty)[0] == "No step was carried out."


def test_rig_that_could_not_be_believed_is_no_failure_of_the_board():
    given = healthy(20)
    given.self_check = [row("self-check/0", FAIL)]
    given.rows = [row("duty-up/1", NOT_RUN, words="the rig cannot be believed")]
    given.is_complete = False
    assert given.verdict == NOT_RUN
    assert "do not trust" in " ".join(sentences(given))


def test_run_cut_short_never_passes():
    assert cut_short().verdict == INCONCLUSIVE
    no_more_blocks = cut_short()
    no_more_blocks.blocks.pop()
    assert no_more_blocks.verdict == INCONCLUSIVE
    assert "/dev/ttyACM0 went away" in sentences(no_more_blocks)[-1]


def test_failure_stays_a_failure_in_a_run_cut_short(run):
    failed = broken(20)
    failed.is_complete = False
    assert failed.verdict == FAIL


def test_block_that_nobody_judged_counts_as_not_run():
    given = healthy(20)
    given.blocks.append(block("forgotten", "Forgotten"))
    assert judged(given)[-1].id == "forgotten"
    assert given.verdict == NOT_RUN


def test_failed_or_missing_self_check_is_told():
    given = healthy(20)
    given.self_check = [row("self-check/0", FAIL)]
    assert given.verdict == FAIL
    assert "do not trust" in " ".join(sentences(given))
    given.self_check = []
    assert "The rig was not checked" in " ".join(sentences(given))


# CSV


def test_csv_has_every_step_and_gives_its_numbers_back_in_full(run, tmp_path):
    lines = _lines(write_csv(tmp_path / "steps.csv", run))
    rows = [*run.self_check, *judged(run)]
    assert list(lines[0]) == list(HEADER)
    assert [line["id"] for line in lines] == [one.id for one in rows]
    for line, one in zip(lines, rows, strict=True):
        for name, value in (
            ("set", one.set_value), ("expected", one.expected), ("measured", one.measured),
            ("error", one.error), ("limit", one.limit),
        ):  # fmt: skip
            assert (float(line[name]) if line[name] else None) == value
        assert line["verdict"] == one.verdict
        assert round(float(line["t_s"]) * 1e6) == one.t_us
        assert round(float(line["duration_s"]) * 1e6) == one.duration_us
        assert tuple(line["requirements"].split()) == one.requirements


def test_csv_never_writes_a_zero_for_what_was_not_measured(run, tmp_path):
    lines = _lines(write_csv(tmp_path / "steps.csv", run))
    missing = [line for line in lines if line["verdict"] == INCONCLUSIVE]
    assert missing and all(line["measured"] == line["error"] == "" for line in missing)


def test_csv_tells_the_time_on_the_clock_of_the_vcd(run, tmp_path):
    lines = _lines(write_csv(tmp_path / "steps.csv", run))
    at = clock_offsets_us(run)["duty-down"]
    line = next(line for line in lines if line["id"] == "duty-down/50.00")
    assert round((float(line["clock_s"]) - float(line["t_s"])) * 1e6) == at > 10_000_000


def test_csv_disarms_what_a_spreadsheet_would_run(tmp_path):
    given = healthy(20)
    given.rows = [row("a/1", words='=HYPERLINK("http://x")\nmore, "quoted"')]
    words = {
        line["id"]: line["words"] for line in _lines(write_csv(tmp_path / "steps.csv", given))
    }
    assert words["a/1"] == '\'=HYPERLINK("http://x") more, "quoted"'


# JUnit


def _suites(given):
    root = ElementTree.fromstring(junit(given))
    return root, {suite.get("name"): suite for suite in root.findall("testsuite")}


def test_junit_counts_what_it_holds(run):
    root, suites = _suites(run)
    for element in (root, *suites.values()):
        for attribute, tag in (
            ("failures", "failure"),
            ("errors", "error"),
            ("skipped", "skipped"),
        ):
            assert int(element.get(attribute)) == len(element.findall(f".//{tag}"))
        assert int(element.get("tests")) == len(element.findall(".//testcase"))
        assert float(element.get("time")) >= 0
    assert int(root.get("failures")) == sum(one.verdict == FAIL for one in run.rows)
    assert int(root.get("tests")) == len(run.rows) + len(run.self_check) + 1


def test_junit_maps_each_verdict_to_its_own_element(run):
    root, _ = _suites(run)
    cases = {case.get("name"): case for case in root.iter("testcase")}
    for one in run.rows:
        tags = [child.tag for child in cases[one.id] if child.tag != "properties"]
        wanted = {PASS: [], FAIL: ["failure"], INCONCLUSIVE: ["error"], NOT_RUN: ["skipped"]}
        assert tags == wanted[one.verdict], one.id
    failed = cases["vehicle_silent/never-0"].find("failure")
    assert failed.get("message") == "S2 opens within 1340 ms of vehicle_silent; it stayed closed."
    assert failed.text == "limit 1340 ms"


def test_junit_carries_what_identifies_the_run_and_each_requirement(run):
    root, suites = _suites(run)
    told = {one.get("name"): one.get("value") for one in suites["run"].iter("property")}
    assert told["firmware"] == run.firmware_hash and told["seed"] == "1"
    assert told["setting.pp_pullup_ohm"] == "333" and told["verdict"] == FAIL
    case = next(case for case in root.iter("testcase") if case.get("name") == "duty-up/50.00")
    assert [one.get("value") for one in case.iter("property")] == ["OI-DUTY-1"]


@pytest.mark.parametrize(("given", "tag"), [(cut_short(), "error"), (healthy(20), None)])
def test_junit_of_a_run_cut_short_is_never_green(given, tag):
    _, suites = _suites(given)
    case = suites["run"].find("testcase")
    assert case is not None
    assert [child.tag for child in case] == ([tag] if tag else [])


def test_junit_of_a_run_without_rows_is_skipped_not_passed():
    given = healthy(20)
    given.rows, given.blocks = [], []
    root, _ = _suites(given)
    assert int(root.get("skipped") or 0) == 1


def test_junit_survives_characters_that_xml_cannot_hold():
    given = healthy(20)
    given.operator = "\x00\x1b[31m \ud800 </testsuite> & \ufffe"
    given.rows = [row("a/1", FAIL, words="\x07 <boom>")]
    root, suites = _suites(given)
    told = {one.get("name"): one.get("value") for one in suites["run"].iter("property")}
    assert told["operator"] == "\ufffd\ufffd[31m \ufffd </testsuite> & \ufffd"
    assert "\ufffd <boom>" in [one.get("message") for one in root.iter("failure")]


# VCD


def _read_vcd(path):
    """Return (time of one tick in us, changes by name)."""
    names, found, now, tick_us = {}, {}, 0, None
    for token in tokenize(io.BytesIO(path.read_bytes())):
        if token.kind is TokenKind.TIMESCALE:
            tick_us = {"ms": 1000, "us": 1}[token.timescale.unit.value]
        elif token.kind is TokenKind.VAR:
            names[token.var.id_code] = token.var.reference
        elif token.kind is TokenKind.CHANGE_TIME:
            now = token.time_change
        elif token.kind in (
            TokenKind.CHANGE_SCALAR,
            TokenKind.CHANGE_REAL,
            TokenKind.CHANGE_STRING,
        ):
            value = token.data.value
            if isinstance(value, str):
                value = value.replace("\\x20", " ")
            found.setdefault(names[token.data.id_code], []).append((now, value))
    return tick_us, found


def test_vcd_puts_every_block_on_one_clock(run, tmp_path):
    tick_us, found = _read_vcd(write_vcd(tmp_path / "bench.vcd", run))
    offsets = clock_offsets_us(run)
    assert list(offsets.values()) == sorted(offsets.values())
    begins = {t * tick_us: text for t, text in found["block"] if text != "-"}
    for one in run.blocks:
        assert begins[offsets[one.id]].startswith(one.id + ":")
    times = [t for changes in found.values() for t, _ in changes]
    assert max(times) * tick_us >= offsets["vehicle_silent"] + 3_000_000


def test_vcd_shows_what_the_board_said_when_it_said_it(run, tmp_path):
    tick_us, found = _read_vcd(write_vcd(tmp_path / "bench.vcd", run))
    begin = clock_offsets_us(run)["pilot_e"]
    record = run.records["pilot_e"]
    stopped_us = next(s.t_us for s in record.samples[::-1] if s.kind == "commands")
    of_block = {
        name: [
            (t * tick_us - begin, v) for t, v in changes if 0 <= t * tick_us - begin < 5_000_000
        ]
        for name, changes in found.items()
    }
    assert of_block["s2_close"] == [(1_200_000, "1"), (stopped_us, "0")]  # open before
    assert [v for _, v in of_block["session"]] == ["unplugged", "charging", "resting"]
    assert of_block["reasons"][-1] == (stopped_us, "pilot_e")
    assert of_block["stimulus"] == [
        (500_000, "plug cable_a=32A"),
        (3_000_000, "evse_error state=e"),
    ]
    assert (1_000_000, 6010.0) in of_block["cp_high_mv"]
    assert all(math.isnan(v) for _, v in found["temp_mv_3"])  # its flag says: not measured
    assert of_block["s2"] == [(0, "x"), (1_200_000, "1"), (3_031_000, "0")]


def test_vcd_forgets_the_last_block_when_the_next_begins(run, tmp_path):
    tick_us, found = _read_vcd(write_vcd(tmp_path / "bench.vcd", run))
    begin = clock_offsets_us(run)["lock-slips"]  # never run, so nothing is known
    at = {name: [v for t, v in c if t * tick_us == begin] for name, c in found.items()}
    assert at["s2_close"] == ["x"] and math.isnan(at["offered_ma"][0])


def test_vcd_keeps_microseconds_where_there_are_any(tmp_path):
    given = healthy(20)
    given.blocks = [block("one", "One $end")]
    given.records = {"one": Record("one", [Sample(1_234_567, "commands", commands(**CHARGING))])}
    given.records["one"].edges = [(7, "odd name $end", 5), (9, "", 1)]
    tick_us, found = _read_vcd(write_vcd(tmp_path / "bench.vcd", given))
    assert tick_us == 1
    assert (1_234_567, "1") in found["s2_close"]
    assert (7, 5.0) in found["odd_name__end"] and (9, "1") in found["_"]


# JSON


def test_json_has_everything_and_says_its_version(run):
    told = json.loads(json.dumps(everything(run), allow_nan=False))
    assert told["openinlet_bench"] == 1
    assert told["verdict"] == FAIL and told["counts"][NOT_RUN] == 1
    assert len(told["rows"]) == len(run.rows) and told["rows"][3]["id"] == run.rows[3].id
    assert told["settings"] == run.settings and told["recipe_sha256"] == run.recipe_sha256
    samples = told["records"]["pilot_e"]["samples"]
    assert len(samples) == len(run.records["pilot_e"].samples)
    assert len(told["fields"]["commands"]) == len(samples[0][3]) == 16
    assert told["records"]["duty-up"]["lost_lines"] == 3


def test_json_holds_numbers_that_are_none_and_things_it_does_not_know():
    given = healthy(20)
    given.rows = [row("a/1", INCONCLUSIVE, measured=math.nan, error=math.inf)]
    given.records["duty-up"].outcomes = [row, object, {"a": (1, {2})}]
    told = everything(given)
    json.dumps(told, allow_nan=False)
    assert told["rows"][0]["measured"] is None
    assert told["records"]["duty-up"]["outcomes"] == ["row", "object", {"a": [1, [2]]}]


# All of them


def test_write_leaves_five_whole_files(run, tmp_path):
    paths = report.write(run, tmp_path / "new" / "folder")
    assert sorted(path.name for path in paths) == [
        "bench.json", "bench.vcd", "junit.xml", "report.html", "steps.csv",
    ]  # fmt: skip
    assert sorted(paths) == sorted((tmp_path / "new" / "folder").iterdir())


def test_same_run_gives_the_same_files(tmp_path):
    first = report.write(broken(20), tmp_path / "first")
    second = report.write(broken(20), tmp_path / "second")
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes(), one.name


def test_folder_that_takes_no_files_is_one_sentence(run, tmp_path):
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(UserError, match=r"steps\.csv: cannot be written: .*choose another folder"):
        report.write(run, tmp_path / "taken")
