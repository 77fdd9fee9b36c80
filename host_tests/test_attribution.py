"""The campaign's own rules, and its short form: each cause once, on whole sessions."""

import random

import pytest

from inletctl.errors import UserError
from inletctl.measure import failures
from inletctl.measure.attribution import Case, Keeper, Result, campaign, figures
from inletctl.measure.failures import CAUSES, Station, are_apart
from journal.blame import NOT_KNOWN, STATION, VERDICT_NAMES

SEED = 4711


def test_the_answers_are_the_verdicts_of_the_firmware():
    names = ("NOT_KNOWN", "STATION", "CABLE", "INLET", "VEHICLE", "PERSON")
    assert [getattr(failures, name) for name in names] == list(range(len(VERDICT_NAMES)))


def test_every_cause_has_its_name_and_its_why():
    assert len({cause.name for cause in CAUSES}) == len(CAUSES) >= 60
    for cause in CAUSES:
        assert cause.why
        assert cause.where in ("station", "cable", "inlet", "vehicle", "person")


def test_a_case_is_the_same_for_the_same_seed_and_number():
    one, two = Case(SEED, 17), Case(SEED, 17)
    assert (one.here, one.others, one.inlet, one.pattern) == (
        two.here, two.others, two.inlet, two.pattern,
    )  # fmt: skip


def test_stations_are_told_apart_only_by_what_is_seen():
    a = Station(1000.0, 12.0, -12.0, 16, 32, 0.5)
    b = Station(1000.9, 12.0, -12.0, 32, 32, 0.5)
    assert are_apart(a, b, "type2", ()) and not are_apart(a, b, "type2", (failures.PILOT,))
    c = Station(1000.0, 12.0, -12.0, 16, 20, 0.5)
    assert are_apart(a, c, "type2", (failures.PILOT,))
    assert not are_apart(a, c, "type1", ()), "a Type 1 plug has no coding"


def test_not_known_is_never_counted_as_wrong_and_a_guess_is():
    made = [
        Result(0, "x", "alone", "type2", STATION, STATION, 17),
        Result(1, "x", "alone", "type2", STATION, NOT_KNOWN, 42),
        Result(2, "x", "alone", "type2", NOT_KNOWN, STATION, 17),
        Result(3, "x", "alone", "type2", NOT_KNOWN, NOT_KNOWN, 42),
    ]
    found = figures(made)
    assert (found["right_pct"], found["not_known_pct"], found["wrong_pct"]) == (50.0, 25.0, 25.0)
    assert found["right_of_known_pct"] == 50.0 and found["answer_is_not_known"] == 2


def test_a_campaign_goes_on_where_it_was_ended(tmp_path):
    path = tmp_path / "kept.jsonl"
    made = [Result(n, "x", "alone", "type2", STATION, STATION, 17) for n in range(3)]
    keeper = Keeper(path, SEED)
    for result in made:
        keeper.keep(result)
    with open(path, "a", encoding="utf-8") as stream:
        stream.write('{"number": 3, "cau')
    again = Keeper(path, SEED)
    assert list(again.done.values()) == made
    assert list(campaign(3, SEED, 1, again.done)) == made
    again.keep(made[0])
    again.keep(Result(3, "x", "alone", "type2", STATION, NOT_KNOWN, 42))
    assert sorted(Keeper(path, SEED).done) == [0, 1, 2, 3]


def test_results_of_another_seed_or_of_something_else_are_not_gone_on_from(tmp_path):
    path = tmp_path / "kept.jsonl"
    Keeper(path, SEED)
    with pytest.raises(UserError, match="name another file"):
        Keeper(path, SEED + 1)
    path.write_text("no results\n", encoding="utf-8")
    with pytest.raises(UserError, match="holds no results"):
        Keeper(path, SEED)
    assert path.read_text(encoding="utf-8") == "no results\n"


@pytest.mark.slow
@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.name)
def test_one_failure_of_each_cause_is_judged_as_it_can_be_known(cause):
    number = random.Random("%d %s" % (SEED, cause.name)).randrange(1 << 20)
    case = Case(SEED, number, cause)
    case.pattern = "alone"
    case.before = 0
    result = case.run()
    assert VERDICT_NAMES[result.verdict] == VERDICT_NAMES[result.answer], (number, result)
