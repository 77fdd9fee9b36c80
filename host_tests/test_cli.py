"""The command line as a person meets it: good input, bad input, exit statuses."""

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from inletctl import cli
from inletctl.errors import UserError

# facts.md 1.4, vehicle side: duty in % to amps per phase; None = digital communication.
IEC_VECTORS = [
    ("2.9", 0), ("3", None), ("5", None), ("7", None), ("7.1", 0), ("7.9", 0), ("8", 6), ("9.9", 6), ("10", 6),
    ("16", 9.6), ("20", 12), ("25", 15), ("26.7", 16.02), ("33.3", 19.98), ("50", 30), ("53.3", 31.98),
    ("66.7", 40.02), ("84.9", 50.94), ("85", 51), ("86", 55), ("90", 65), ("96", 80), ("97", 80), ("97.1", 0),
    ("100", 0),
]  # fmt: skip


def explain(*args):
    result = CliRunner().invoke(cli.cli, ["explain", *args, "--json"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


def run_cli(*args):
    return subprocess.run(
        [sys.executable, "-m", "inletctl.cli", *args],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize(("duty", "amps"), IEC_VECTORS)
def test_explain_pilot_gives_the_amps_of_the_standard(duty, amps):
    for inlet in ("type2", "type1", "nacs"):
        told = explain("pilot", "--inlet", inlet, "--frequency", "1000", "--duty", duty)
        assert told["amps"] == (amps or 0)
        assert told["digital"] == (amps is None)
        assert "Tab" in told["clause"]


@pytest.mark.parametrize(
    ("duty", "amps"),
    [("85.1", 52.75), ("89.2", 63), ("90", 63), ("90.1", 0), ("96", 0), ("97", 0)],
)
def test_explain_pilot_caps_gbt_at_63_a_and_refuses_what_is_reserved(duty, amps):
    assert explain("pilot", "--inlet", "gbt", "--duty", duty)["amps"] == amps


@pytest.mark.parametrize(
    ("hertz", "verdict"),
    [("500", "refused"), ("949", "refused"), ("950", "accepted"), ("979", "noted"), ("980", "accepted"),
     ("1000", "accepted"), ("1020", "accepted"), ("1021", "noted"), ("1050", "noted"), ("1051", "refused"),
     ("2000", "refused")],
)  # fmt: skip
def test_explain_pilot_judges_the_frequency(hertz, verdict):
    told = explain("pilot", "--frequency", hertz, "--duty", "50")
    expected = "noted" if hertz == "950" else verdict
    assert told["frequency"] == expected
    assert told["amps"] == (0 if verdict == "refused" else 30)


def test_explain_pilot_of_a_steady_level_is_a_pause():
    told = explain("pilot", "--frequency", "0", "--level", "9")
    assert told["band"] == "steady"
    assert told["level"] == "B"
    assert not told["charging_allowed"]


@pytest.mark.parametrize(
    ("mv", "state"),
    [("1229", "short"), ("1230", "plugged"), ("1510", "plugged"), ("1820", "plugged"), ("1821", "gap"),
     ("2379", "gap"), ("2380", "button"), ("2760", "button"), ("3160", "button"), ("3161", "gap"), ("4129", "gap"),
     ("4130", "unplugged"), ("4460", "unplugged"), ("4780", "unplugged"), ("4800", "sense fault")],
)  # fmt: skip
def test_explain_pp_of_type_1_has_its_edges_on_the_millivolt(mv, state):
    told = explain("pp", "--inlet", "type1", "--mv", mv)
    assert told["state"] == state
    assert told["plugged_for_driving"] == (state != "unplugged")


@pytest.mark.parametrize(
    ("ohm", "amps"),
    [("59", None), ("60", None), ("79.9", None), ("80", 63), ("100", 63), ("140", 63), ("140.1", 32), ("164", 32),
     ("220", 32), ("308", 32), ("308.1", 20), ("400", 20), ("680", 20), ("936", 20), ("936.1", 13), ("1100", 13),
     ("1500", 13), ("2460", 13), ("2460.1", None), ("4500", None), ("4500.1", None)],
)  # fmt: skip
def test_explain_pp_of_type_2_gives_the_cable_or_the_next_lower_one(ohm, amps):
    assert explain("pp", "--inlet", "type2", "--ohm", ohm)["cable_amps"] == amps


@pytest.mark.parametrize(
    ("ohm", "amps"),
    [("100", 63), ("220", 32), ("680", 16), ("1500", 10), ("3300", None), ("250", None)],
)
def test_explain_pp_of_gbt_has_its_own_amps(ohm, amps):
    assert explain("pp", "--inlet", "gbt", "--ohm", ohm)["cable_amps"] == amps


@pytest.mark.parametrize(
    ("args", "celsius"),
    [(("--beta", "3435", "--ohm", "2207"), 70), (("--beta", "3950", "--ohm", "934"), 90),
     (("--sensor", "pt1000", "--ohm", "1347.1"), 90), (("--sensor", "pt1000", "--ohm", "842.7"), -40)],
)  # fmt: skip
def test_explain_temperature_agrees_with_the_tables(args, celsius):
    told = explain("temperature", *args)
    assert told["celsius"] == pytest.approx(celsius, abs=0.3)
    assert told["celsius"] >= celsius - 0.05, "an error leans to hot"


@pytest.mark.parametrize(
    ("mv", "verdict"), [("3300", "open"), ("3260", "open"), ("0", "short"), ("10", "short")]
)
def test_explain_temperature_never_calls_a_broken_sensor_cold(mv, verdict):
    told = explain("temperature", "--mv", mv)
    assert told["verdict"] == verdict
    assert told["action"] == "stop"
    assert told["celsius"] is None


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("explain", "pilot", "--duty", "101"), "0..100"),
        (("explain", "pilot", "--duty", "x"), "not a number"),
        (("explain", "pilot", "--duty", "53.333"), "0.01"),
        (("explain", "pilot", "--frequency", "-1"), "0..100000"),
        (("explain", "pilot", "--inlet", "tesla"), "tesla"),
        (("explain", "pp"), "--ohm or --mv"),
        (("explain", "pp", "--ohm", "100", "--mv", "100"), "--ohm or --mv"),
        (("explain", "temperature", "--ohm", "-1"), "outside"),
        (("explain", "temperature", "--pullup", "300", "--mv", "100"), "pullup_ohm"),
        (("sim", "no_such_scenario"), "no_such_scenario"),
        (("sim",), "SCENARIO"),
        (("nonsense",), "nonsense"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_status_2(args, words):
    done = run_cli(*args)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("title x\ninlet type2\nat 1s plgu 32A\nend 2s\n", "bad.txt:3:"),
        ("title x\ninlet type2\nset max_current_ma=200A\nend 2s\n", "6000..80000 mA"),
        ("title x\ninlet type2\nat 1s evse_frequency 5\nend 2s\n", "100..5000"),
        ("title x\ninlet type2\nat 1s plug 32V\nend 2s\n", "bad.txt:3:"),
        ("title x\ninlet type2\nat 1s plug 32A\n", "end"),
        ("", "bad.txt"),
    ],
)
def test_a_bad_scenario_names_file_line_and_range_and_writes_nothing(tmp_path, text, words):
    bad = tmp_path / "bad.txt"
    bad.write_text(text)
    done = run_cli("sim", str(bad), "--out", str(tmp_path / "out"), "--no-live")
    assert done.returncode == 2
    assert words in done.stderr
    assert not (tmp_path / "out").exists()


def test_sim_writes_page_spreadsheet_and_waveform(tmp_path):
    done = run_cli(
        "sim",
        "state_e_while_charging",
        "--out",
        str(tmp_path),
        "--no-live",
        "--trace",
        str(tmp_path / "t"),
    )
    assert done.returncode == 0, done.stderr
    assert "PASS" in done.stdout
    assert {path.name for path in tmp_path.iterdir()} == {
        "report.html",
        "session.csv",
        "session.vcd",
        "session.json",
        "t",
    }
    assert (tmp_path / "t").read_text().startswith("t_ms s2_close")


def test_sim_of_a_scenario_that_fails_exits_1_and_still_writes_the_report(tmp_path):
    scenario = tmp_path / "s.txt"
    scenario.write_text("title x\ninlet type2\nat 1s expect session=charging\nend 2s\n")
    done = run_cli("sim", str(scenario), "--out", str(tmp_path / "out"), "--no-live")
    assert done.returncode == 1
    assert "s.txt:3: expected session=charging" in done.stderr
    assert (tmp_path / "out" / "report.html").exists()


def test_sim_json_says_what_came_out():
    done = run_cli("sim", "state_f_while_charging", "--json")
    told = json.loads(done.stdout)
    assert told["passed"]
    assert all(one["outcome"] == "pass" for one in told["expectations"])
    reactions = [
        one
        for one in told["expectations"]
        if one["measured_ms"] is not None and one["limit_ms"] is not None
    ]
    assert reactions
    assert all(one["measured_ms"] <= one["limit_ms"] for one in reactions)


def test_scenarios_lists_every_shipped_one():
    done = run_cli("scenarios")
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) >= 25


def test_generated_pages_are_up_to_date():
    assert run_cli("docs", "--check").returncode == 0


def test_a_stale_page_is_named(tmp_path):
    from inletctl import docs

    docs.write(tmp_path)
    docs.check(tmp_path)
    (tmp_path / "docs/shutdown.md").write_text("old")
    with pytest.raises(UserError, match=r"docs/shutdown\.md"):
        docs.check(tmp_path)
