"""Mutants: how they are made, that those which matter die, that a survivor is told, and that the stored figures are of this firmware."""

import importlib
import json
import re

import pytest
from click.testing import CliRunner

from inletctl.cli import cli
from inletctl.errors import UserError
from inletctl.house import FIRMWARE
from inletctl.mutate import reasons
from inletctl.mutate.docs import FIGURES
from inletctl.mutate.make import _File, _squeeze, mutants_of
from inletctl.mutate.rooms import KILLED_PCT_MIN, ROOMS, Room
from inletctl.mutate.run import RoomResult, faults_of, run_room

SEED = 20261121
TEXT = """
from micropython import const

TYPE_CHECKING = const(False)
LOW = const(3)
HIGH = const(5)
TABLE = (
    (LOW, 10, True, "words"),
    (HIGH, 10, True, "more words"),
)


class Watch:
    def tick(self, ma: int, limit_ma: int) -> None:
        if ma < limit_ma and not self.is_off:  # it flows
            self.seen |= LOW
"""


def changes(text=TEXT):
    return {(mutant.original, mutant.mutated) for mutant in _File(text, "watch.py").mutants()}


def quiet(_done, _of, _survivors):
    pass


# How they are made --------------------------------------------------------------------------------


def test_a_comparison_becomes_its_neighbours_and_never_another_kind_of_question():
    line = "if ma < limit_ma and not self.is_off:"
    found = {after for before, after in changes() if before == line}
    assert found == {
        "if ma <= limit_ma and not self.is_off:",
        "if ma >= limit_ma and not self.is_off:",
        "if ma != limit_ma and not self.is_off:",
        "if ma < limit_ma or not self.is_off:",
        "if ma < limit_ma and self.is_off:",
        "if not ma < limit_ma and not self.is_off:",
    }


def test_a_mask_that_gathers_bits_is_changed_too():
    assert ("self.seen |= LOW", "self.seen &= LOW") in changes()


def test_a_cell_takes_the_value_of_its_neighbour_in_the_column():
    assert ('(LOW, 10, True, "words"),', '(HIGH, 10, True, "words"),') in changes()
    assert ('(HIGH, 10, True, "more words"),', '(LOW, 10, True, "more words"),') in changes()


def test_words_for_people_and_types_are_left_alone():
    assert not any("words" not in after for before, after in changes() if "words" in before)
    assert not any(before.startswith("TYPE_CHECKING") for before, _ in changes())


def test_a_key_stays_what_it_is_when_lines_and_comments_move():
    moved = TEXT.replace("class Watch", "# Something else.\nclass Watch").replace(
        "  # it flows", ""
    )
    before = [mutant.key for mutant in _File(TEXT, "watch.py").mutants()]
    assert [mutant.key for mutant in _File(moved, "watch.py").mutants()] == before
    assert len(set(before)) == len(before)


def test_a_mutant_knows_its_function_and_its_statement():
    mutant = next(m for m in _File(TEXT, "watch.py").mutants() if "|=" in m.original)
    assert (mutant.function, mutant.scope) == ("Watch.tick", "Watch.tick")
    assert TEXT.splitlines()[mutant.line - 1].strip() == mutant.original
    table = next(m for m in _File(TEXT, "watch.py").mutants() if "words" in m.original)
    assert (table.function, table.scope) == ("", "TABLE")


# That they die ------------------------------------------------------------------------------------

# A file each, with its own tests: what `make mutate` does to a whole room, in a second.
SMALL = (
    Room("feedback", ("lock/feedback.py",), ("test_lock_feedback.py", "test_lock_borders.py")),
    Room("faults", ("faults.py",), ("test_faults.py",)),
)


@pytest.mark.parametrize("room", SMALL, ids=lambda room: room.name)
def test_seeded_mutants_die(room):
    known = reasons.read()
    result = run_room(room, 5, SEED, None, quiet)
    print("seed", SEED)
    assert result.killed >= 3
    assert [mutant.key for mutant in result.survivors if mutant.key not in known] == []


def test_a_constant_is_noticed_by_tests_that_this_process_has_loaded_already():
    room = SMALL[0]
    for path in room.test_files():
        importlib.import_module(path.stem)
    key = ("lock/feedback.py", "_PROOF_MS", "_PROOF_MS = const(50)", "_PROOF_MS = const(51)", 1)
    assert run_room(room, None, SEED, None, quiet, only={key}).killed == 1


def test_mutants_that_no_test_looks_at_survive_and_are_told(tmp_path):
    """The tests of another room notice nothing: what kills is the test, not the machinery."""
    room = Room("blind", ("thermal/derate.py",), ("test_lock_params.py",))
    result = run_room(room, 3, SEED, tmp_path, quiet)
    assert result.killed == 0 and len(result.survivors) == 3
    said = faults_of(result, {}, {"thermal/derate.py"})
    assert said[0] == "blind: 0.0 % of 3 mutants killed, less than 95 %"
    assert "thermal/derate.py:" in said[1] and "no test notices" in said[1]
    kept = (tmp_path / "blind.jsonl").read_text()
    again = run_room(room, 3, SEED, tmp_path, quiet)
    assert again.survivors == result.survivors
    assert (tmp_path / "blind.jsonl").read_text() == kept  # nothing was tried again


def test_a_room_whose_tests_fail_as_they_are_is_refused(tmp_path, monkeypatch):
    (tmp_path / "test_wrong.py").write_text("def test_wrong():\n    assert False\n")
    room = Room("wrong", ("thermal/derate.py",), ("test_wrong.py",))
    monkeypatch.setattr("inletctl.mutate.rooms.TESTS", tmp_path)
    with pytest.raises(UserError, match="fails on the healthy firmware"):
        run_room(room, 2, SEED, None, quiet)


# What is said -------------------------------------------------------------------------------------


def some_mutant():
    return mutants_of(FIRMWARE / "thermal" / "derate.py")[0]


def test_a_survivor_without_a_reason_and_a_reason_without_a_survivor_are_both_wrong():
    mutant = some_mutant()
    result = RoomResult("room", 100, None, tried=100, killed=99, survivors=[mutant])
    assert faults_of(result, {mutant.key: "why"}, {mutant.file}) == []
    (said,) = faults_of(result, {}, {mutant.file})
    assert "no test notices" in said and "%s:%d" % (mutant.file, mutant.line) in said
    result.survivors = []
    (said,) = faults_of(result, {mutant.key: "why"}, {mutant.file})
    assert "delete it there" in said
    result.seed = 1  # a sample has not seen all
    assert faults_of(result, {mutant.key: "why"}, {mutant.file}) == []
    assert faults_of(result, {("other.py", "", "a", "b", 1): "why"}, {mutant.file}) == []


def test_percent_is_never_rounded_up():
    assert (
        RoomResult("room", 0, None, killed=9499, survivors=[some_mutant()] * 501).killed_pct
        == 94.9
    )


@pytest.mark.parametrize(
    "row",
    ["", 'file = "a"', 'file = "a"\nscope = ""\noriginal = "b"\nmutated = "c"\nreason = " "'],
)
def test_a_reason_that_is_not_whole_is_refused(tmp_path, row):
    path = tmp_path / "reasons.toml"
    path.write_text("[[survivor]]\n" + row + "\n")
    with pytest.raises(UserError, match="survivor 1 has to have"):
        reasons.read(path)


def test_the_command_refuses_a_room_that_there_is_not():
    done = CliRunner().invoke(cli, ["mutate", "--room", "kitchen"])
    assert done.exit_code == 2 and "kitchen" in done.output


# What is stored -----------------------------------------------------------------------------------


def test_every_reason_is_of_a_line_that_there_is():
    files = [path for room in ROOMS.values() for path in room.source_files()]
    texts = {}
    for path in files:
        lines = path.read_text(encoding="utf-8").splitlines()
        texts[path.relative_to(FIRMWARE).as_posix()] = " ".join(map(_squeeze, lines))
    gone = [key for key in reasons.read() if key[2] not in texts[key[0]]]
    assert not gone, "run `make mutate`: the firmware has changed here"


def test_every_room_that_has_figures_is_good_enough():
    figures = json.loads(FIGURES.read_text(encoding="utf-8"))
    assert set(figures) == set(ROOMS)
    for name, found in figures.items():
        assert found["killed"] + len(found["survivors"]) == found["mutants"]
        assert 100 * found["killed"] >= KILLED_PCT_MIN * found["mutants"], name
        assert found["mutants"] + found["no_change"] == found["tried"] <= found["of"]


def test_every_survivor_of_the_figures_has_a_reason_of_one_sentence():
    figures = json.loads(FIGURES.read_text(encoding="utf-8"))
    known = reasons.read()
    for found in figures.values():
        for row in found["survivors"]:
            reason = known[reasons.key_of(row)]
            assert re.fullmatch(r"[^|\n]+[^.|\n]", reason), reason
