"""The fault campaign in its short form: every kind of fault, pairs of them, and firmwares that it must catch."""

import json
import random
from dataclasses import replace

import pytest
from click.testing import CliRunner

from inletctl.campaign import judge as judging
from inletctl.campaign.case import PHASES, Case, Seen, Stop, scenario_of
from inletctl.campaign.docs import campaign_page
from inletctl.campaign.figures import Keeper, Result, campaign, figures, run_one, write_scenario
from inletctl.campaign.judge import (
    BAD,
    BESIDE,
    BLIND,
    EXCUSED,
    EXPLAINED,
    FOLLOWS,
    NAMES,
    judge,
)
from inletctl.campaign.kinds import BY_NAME, GROUPS, KINDS
from inletctl.campaign.known_bad import caught, read
from inletctl.cli import cli
from inletctl.errors import UserError
from inletctl.plant.verbs import VERBS
from inletctl.prove import truth as t
from inletctl.scenario.language import load_language
from inletctl.scenario.load import read_scenario
from inletctl.scenario.write import format_scenario
from inletctl.session import Session
from inletctl.targets import cpython

pytestmark = pytest.mark.no_cover

SEED = 4711
KNOWN_BAD = read()
# One each of what must be caught; the others run by `inletctl campaign --known-bad`.
QUICK = (
    "drives-early",
    "latched-for-ever",
    "released-for-ever",
    "noise-stops",
    "silence-misnamed",
    "tells-another",
)
FAULT_NAMES = {row[0] for row in t.faults.FAULTS}


# ------------------------------------------------------------------------------------------------------------- tables


def test_every_kind_has_a_name_a_group_and_reasons_of_the_shutdown_table():
    assert len(BY_NAME) == len(KINDS) >= 70
    assert {kind.group for kind in KINDS} == set(GROUPS)
    for kind in KINDS:
        assert set(kind.reasons) <= set(t.REASONS), kind.name
        assert set(kind.faults) <= FAULT_NAMES, kind.name
        assert not (kind.is_harmless and (kind.reasons or kind.faults)), kind.name
        assert kind.is_harmless == (kind.group == "harmless")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_what_a_kind_does_is_a_verb_of_the_scenarios_and_it_ends(kind):
    fault = kind.make(random.Random(SEED))
    verbs = load_language().verbs
    for verb, values in fault.begin + fault.end:
        assert set(values) <= set(verbs[verb].arguments)
    begun = [verb for verb, _values in fault.begin]
    assert begun or fault.flash
    lasts = {
        "sensor",
        "pp_wire",
        "cp_wire",
        "lock_motor",
        "lock_feedback",
        "s2",
        "can_bus",
        "line",
    }
    assert not lasts & set(begun) or {verb for verb, _values in fault.end} >= lasts & set(begun)
    assert lasts < set(VERBS)


def test_the_tables_of_explanations_name_kinds_and_reasons_that_there_are():
    for one, other, why in FOLLOWS:
        assert {one, other} <= set(t.REASONS) and why
    for kind, others, reason, why in BESIDE:
        assert {kind, *others} <= set(BY_NAME) and reason in {*t.REASONS, *FAULT_NAMES} and why
    for kind, reason, why in EXPLAINED:
        assert kind in BY_NAME and reason in t.REASONS and why
    for _code, kinds, why in EXCUSED:
        assert set(kinds) <= set(BY_NAME) and why
    for _code, ones, others, why in BLIND:
        assert set(ones) | set(others) <= set(BY_NAME) and why


# ----------------------------------------------------------------------------------------------------------- sessions


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_session_with_one_fault_is_neither_unsafe_nor_stuck_and_each_stop_is_explained(kind):
    number = random.Random("%d %s" % (SEED, kind.name)).randrange(1 << 20)
    result = run_one(SEED, number, (kind,))
    assert result.outcome not in BAD, "seed %d: %s" % (SEED, result.words)


def test_so_are_sessions_with_two_faults():
    bad = [result.words for result in campaign(SEED, list(range(1, 60, 2)), 1) if result.is_bad]
    assert not bad, "seed %d" % SEED


def test_a_plug_that_comes_back_at_once_pays_for_a_sensor_that_has_just_healed_and_the_next_does_not():
    """Its jump back is told 2 s later, with that plug in, and needs an unplug."""
    result = run_one(3, 967)
    drawn = ("CAN flooded", "sensor offset")
    assert tuple(result.kinds) == drawn, "another drawing: look for such a session"
    assert not result.is_bad, result.words


def test_a_session_is_the_same_for_the_same_seed_and_number_and_another_for_another():
    one, two = run_one(SEED, 5), run_one(SEED, 5)
    assert (one.kinds, one.phases, one.outcome, one.simulated_ms) == (
        two.kinds, two.phases, two.outcome, two.simulated_ms,
    )  # fmt: skip
    assert (
        run_one(SEED, 5, tuple(BY_NAME[name] for name in one.kinds)).simulated_ms
        == one.simulated_ms
    )
    assert {run_one(SEED + n, 5).simulated_ms for n in range(3)} != {one.simulated_ms}


def test_the_clock_wraps_in_some_sessions_and_every_phase_is_drawn():
    cases = [Case(SEED, number) for number in range(300)]
    wraps = [case for case in cases if case.start_ms + 25_000 >= 1 << 30]
    assert 60 < len(wraps) < 140
    assert {phase for case in cases for phase in case.phases} == {"boot", *PHASES}
    assert {len(case.kinds) for case in cases} == {1, 2}


@pytest.mark.parametrize("names", [("CAN wires",), ("clock jumps",), ("brown-out", "lock slips")])
def test_a_session_written_as_a_scenario_is_the_same_session(names, tmp_path):
    case = Case(SEED, 8, tuple(BY_NAME[name] for name in names))
    _seen, session = case.play()
    path = tmp_path / "again.txt"
    path.write_text(
        format_scenario(scenario_of(session, "again", ()), load_language()), encoding="utf-8"
    )
    again = Session(read_scenario(path), case.start_ms)
    cpython.run(again)
    ends = session.trace.lines[:-1], again.trace.lines[: len(session.trace.lines) - 1]
    assert ends[0] == ends[1] and len(ends[0]) > 10


# ------------------------------------------------------------------------------------------------------------ verdicts


def seen(*kinds, **more):
    return Seen(0, kinds, ("charging",) * len(kinds), "type2", ever_charged=True, **more)


def stop(*reasons, live=(), by_person=False, is_second=False, read_ma=5000, at_once=False):
    return Stop(5000, reasons, live, read_ma, by_person, is_second, 5400, at_once)


@pytest.mark.parametrize(
    ("what", "outcome"),
    [
        (seen("state F"), "carried on"),
        (seen("state F", stops=[stop("pilot_f", live=("state F",))]), "unplug"),
        (seen("state F", stops=[stop("pilot_f", live=("state F",))], came_back=True), "back"),
        (seen("state F", stops=[stop("temp_high", live=("state F",))]), "unexplained"),
        (seen("state F", stops=[stop("pilot_f", "temp_high", live=("state F",))]), "unexplained"),
        (seen("state F", stops=[stop("pilot_f")]), "unexplained"),
        (seen("state F", stops=[stop("pilot_f", is_second=True)]), "unexplained"),
        (seen("state F", stops=[stop()]), "unexplained"),
        (seen("state F", stops=[stop("person_stop", by_person=True)]), "carried on"),
        (seen("lock slips", stops=[stop("lock_lost", "not_locked", live=("lock slips",))]), "unplug"),
        (seen("noise burst", stops=[stop("pilot_invalid", live=("noise burst",))]), "unexplained"),
        (seen("CP noise for long", stops=[stop("pilot_lost", "pilot_invalid", live=("CP noise for long",))]), "unplug"),
        (seen("CP noise for long", stops=[stop("pilot_lost", live=("CP noise for long",))]), "unexplained"),
        (seen("CP noise for long", stops=[stop("pilot_f", "pilot_invalid", live=("CP noise for long",))]), "unplug"),
        (seen("CP noise for long", stops=[stop("pilot_f", live=("CP noise for long",))]), "unexplained"),
        (seen("S2 stuck closed", unsafe=["EVSE load_s2: contactor opens under 3.1 A at 4.649 s"]), "carried on"),
        (seen("vehicle silent", "crash", stops=[stop("vehicle_no", live=("vehicle silent",))]), "unplug"),
        (seen("vehicle silent", "state F", stops=[stop("vehicle_no", live=("vehicle silent",))]), "unexplained"),
        (seen("vehicle silent", "crash", stops=[stop("vehicle_no", live=("crash",))]), "unexplained"),
        (seen("PP wire breaks", told=("ProximitySense",)), "carried on"),
        (seen("PP wire breaks", told=("ProximitySense", "ProximityShort")), "unexplained"),
        (seen("PP wire breaks", "PP wire short", told=("ProximitySense", "ProximityShort")), "carried on"),
        (seen("noise burst", told=("PilotNoise",)), "unexplained"),
        (seen("sensor spike", "sensor not converted", told=("TempOpen", "TempStale")), "carried on"),
        (seen("sensor spike", "state F", told=("TempOpen",)), "unexplained"),
        (seen("crash", is_serviced=True), "service"),
        (seen("crash", stuck="the cable is not let go of"), "stuck"),
        (seen("crash", unsafe=["arc: plug pulled at 8.0 A at 5.000 s"], stuck="x"), "unsafe"),
        (seen("CP leaks", unsafe=["EVSE state_d: ventilation asked for at 1.552 s"]), "carried on"),
        (seen("state F", unsafe=["EVSE state_d: ventilation asked for at 1.552 s"]), "unsafe"),
        (seen("PP opens in the plug", "state E", unsafe=["drive_plugged: x at 4.340 s"]), "carried on"),
        (seen("PP opens in the plug", unsafe=["drive_plugged: x at 4.340 s"]), "unsafe"),
        (seen("state E", unsafe=["drive_plugged: x at 4.340 s"]), "unsafe"),
    ],
)  # fmt: skip
def test_a_session_has_one_outcome_and_only_what_a_table_holds_excuses(what, outcome):
    assert judge(what).outcome == outcome
    assert outcome in NAMES


@pytest.mark.parametrize(
    ("stops", "dark_ms", "is_excused"),
    [
        ([stop("person_stop", by_person=True)], [], False),
        ([stop("pilot_f", live=("state F",), at_once=True)], [], True),
        ([stop("person_stop", by_person=True, read_ma=200)], [], True),
        ([], [5400], True),
        ([], [5000], False),
    ],
)
def test_a_load_is_switched_only_in_a_hurry_or_where_nothing_was_read_of_it(
    stops, dark_ms, is_excused
):
    what = seen(
        "state F",
        stops=stops,
        dark_ms=dark_ms,
        unsafe=["EVSE load_s2: contactor opens under 8.0 A at 5.450 s"],
    )
    assert (judge(what).outcome != "unsafe") is is_excused


def test_a_nuisance_that_a_row_explains_is_counted_as_one(monkeypatch):
    monkeypatch.setattr(judging, "EXPLAINED", (("noise burst", "pilot_invalid", "why"),))
    verdict = judge(seen("noise burst", stops=[stop("pilot_invalid", live=("noise burst",))]))
    assert verdict.outcome == "nuisance" and verdict.nuisances == (
        ("noise burst", "pilot_invalid"),
    )


# ------------------------------------------------------------------------------------------------------------- figures


def result(number, outcome="back", kinds=("state F",), **more):
    values = {
        "number": number, "kinds": kinds, "phases": ("charging",) * len(kinds), "inlet": "type2", "outcome": outcome,
        "why": (), "nuisances": (), "excused": (), "reasons": ("pilot_f",), "simulated_ms": 9000, "cpu_ms": 50.0,
    }  # fmt: skip
    return Result(**{**values, **more})


def test_figures_count_kinds_pairs_and_phases():
    found = figures(3, [result(0), result(1, "stuck", ("state F", "reset")), result(2)], 9.0, 2)
    assert found["outcomes"] == {"stuck": 1, "back": 2}
    assert found["kinds"]["state F"] == {"back": 2} and found["in_pairs"]["reset"] == {"stuck": 1}
    assert found["pairs"] == [["station", "board", "stuck", 1]]
    assert found["phases"]["charging"] == {"stuck": 2, "back": 2}
    assert found["told"]["state F"] == {"pilot_f": 2} and len(found["bad"]) == 1


def test_a_campaign_goes_on_where_it_was_ended(tmp_path):
    path = tmp_path / "kept.jsonl"
    keeper = Keeper(path, SEED)
    for number in range(3):
        keeper.keep(result(number, nuisances=(("noise burst", "pilot_invalid"),)))
    with open(path, "a", encoding="utf-8") as stream:
        stream.write('{"number": 3, "ki')
    again = Keeper(path, SEED)
    assert sorted(again.done) == [0, 1, 2]
    assert again.done[1] == result(1, nuisances=(("noise burst", "pilot_invalid"),))
    with pytest.raises(UserError, match="name another file"):
        Keeper(path, SEED + 1)
    path.write_text("no results\n", encoding="utf-8")
    with pytest.raises(UserError, match="holds no results"):
        Keeper(path, SEED)


def test_the_page_shows_every_kind_and_every_broken_firmware():
    page = campaign_page()
    for kind in KINDS:
        assert "| %s |" % kind.name in page
    for bad in KNOWN_BAD:
        assert "| %s |" % bad.name in page


# ------------------------------------------------------------------------------------------------------------- command


def test_command_runs_one_session_alone_and_prints_its_seed():
    done = CliRunner().invoke(cli, ["campaign", "--seed", str(SEED), "--only", "4", "--jobs", "1"])
    assert done.exit_code == 0, done.output
    assert "seed %d" % SEED in done.output and "session 4 (" in done.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--kind", "gremlins"], "there is no such fault; choose from"),
        (["--only", "3", "--keep", "x"], "not both"),
    ],
)
def test_bad_arguments_are_one_sentence(arguments, words):
    done = CliRunner().invoke(cli, ["campaign", *arguments])
    assert done.exit_code != 0
    assert isinstance(done.exception, UserError) and words in str(done.exception)


@pytest.mark.parametrize(
    "arguments", [["--sessions", "0"], ["--jobs", "0"], ["--seed", "-1"], ["--only", "x"]]
)
def test_numbers_that_are_none_are_refused(arguments):
    assert CliRunner().invoke(cli, ["campaign", *arguments]).exit_code == 2


def test_a_session_that_must_not_be_is_written_and_the_command_fails(tmp_path, monkeypatch):
    monkeypatch.setitem(judging.BY_NAME, "state F", replace(BY_NAME["state F"], reasons=()))
    arguments = ["campaign", "--seed", "1", "--kind", "state F", "--sessions", "6", "--jobs", "1"]
    done = CliRunner().invoke(cli, [*arguments, "--json", "--out", str(tmp_path)])
    assert done.exit_code == 1
    files = sorted(tmp_path.iterdir())
    assert files and "for pilot_f, with state F" in done.output
    for path in files:
        assert read_scenario(path).actions
    assert "played again by: inletctl sim" in files[0].read_text(encoding="utf-8")


def test_a_scenario_of_broken_flash_says_what_it_lacks(tmp_path):
    path, command = write_scenario(SEED, result(0, kinds=("settings unreadable",)), tmp_path)
    assert command == "inletctl campaign --seed %d --only 0" % SEED
    assert "broken flash (settings)" in path.read_text(encoding="utf-8")


# ------------------------------------------------------------------------------------- firmwares that are broken on purpose


def test_there_are_broken_firmwares_for_everything_that_must_not_be():
    assert {bad.outcome for bad in KNOWN_BAD} == set(BAD)
    assert {bad.outcome for bad in KNOWN_BAD if bad.name in QUICK} == set(BAD)
    assert len({bad.name for bad in KNOWN_BAD}) == len(KNOWN_BAD) >= 10


@pytest.mark.parametrize("name", QUICK)
def test_a_broken_firmware_is_caught(name):
    bad = next(bad for bad in KNOWN_BAD if bad.name == name)
    assert caught(bad), bad.wrong


@pytest.mark.parametrize("name", QUICK)
def test_the_healthy_one_passes_what_it_fails(name):
    bad = next(bad for bad in KNOWN_BAD if bad.name == name)
    for words in campaign(1, list(range(5)), 1, bad.kinds):
        assert not words.is_bad, words.words


def test_a_row_that_says_nothing_is_refused(tmp_path):
    path = tmp_path / "bad.toml"
    path.write_text('[[bad]]\nname = "x"\n', encoding="utf-8")
    with pytest.raises(UserError, match="is missing"):
        read(path)


def test_the_command_says_what_was_caught(monkeypatch):
    from inletctl.campaign import known_bad

    monkeypatch.setattr(known_bad, "read", lambda: KNOWN_BAD[:2])
    monkeypatch.setattr(known_bad, "caught", lambda bad: "words" if bad is KNOWN_BAD[0] else "")
    done = CliRunner().invoke(cli, ["campaign", "--known-bad", "--json"])
    assert done.exit_code == 1
    assert [row["caught"] for row in json.loads(done.output)] == ["words", ""]
