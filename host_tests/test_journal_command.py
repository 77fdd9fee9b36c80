"""`inletctl journal` and the commands of `inletctl codes` that ask a board; verdicts of `inletctl sim`; the monitor's."""

import json
from contextlib import contextmanager

import pytest
from click.testing import CliRunner

from inletctl import runs
from inletctl.blackbox.file import load
from inletctl.cli import cli
from inletctl.journal import command, words
from inletctl.journal.board import Record
from inletctl.link.client import RefusedError
from inletctl.monitor import panels
from inletctl.monitor.model import Monitor
from journal import health, pages
from vehicle.protocol import NOT_IN_SERVICE, STILL_PRESENT


@pytest.fixture(scope="module")
def told():
    """The journal of a simulated session in which the station reported an error."""
    return runs.run_scenario(runs.find_scenario("state_f_while_charging"), "cpython").recount


class Board:
    """A board's journal, as BoardJournal reads it."""

    def __init__(self, recount):
        self._recount = recount
        self.ordered = []
        self.refusal = None

    def _page(self, page, which=0):
        out = [0] * pages.NUMBERS
        assert pages.fill(self._recount.book, page, which, out, 0)
        return out

    def now(self):
        return words.page(self._page(pages.P_NOW))

    def wear(self):
        return self._page(pages.P_WEAR)

    def contact(self, which):
        return self._page(pages.P_CONTACT, which)

    def codes(self):
        return self._recount.codes()

    def _order(self, *what):
        if self.refusal is not None:
            raise RefusedError(self.refusal)
        self.ordered.append(what)

    def clear(self, number):
        self._order("clear", number)

    def inspected(self):
        self._order("inspected")


@pytest.fixture
def board(told, monkeypatch):
    made = Board(told)

    @contextmanager
    def journal_at(_port):
        yield made

    monkeypatch.setattr(command, "_journal_at", journal_at)
    return made


def run(*arguments):
    return CliRunner().invoke(cli, [*map(str, arguments), "--port", "X"])


def test_the_verdict_is_told_with_its_evidence_and_what_the_board_has_no_room_for(board):
    said = run("journal", "show").output
    assert "Whose fault: station (sure): The station reports an error" in said
    assert "- reason pilot_f" in said and "for want of memory or flash: contact health" in said
    assert "matings" in said and "AC contact L:" in said
    assert (
        "Log: 0 records written, 0 found damaged, 0 not taken by the flash; something waits"
        in said
    )


def test_what_the_journal_could_not_keep_is_told_and_nothing_else_is(board, monkeypatch):
    assert "not in the session log" not in run("journal", "show").output
    now = {**board.now(), "sessions_lost": 3}
    monkeypatch.setattr(board, "now", lambda: now)
    said = run("journal", "show").output
    assert "are not in the session log: 3." in said and "black box could not" not in said


def test_the_journal_is_told_as_json_too(board):
    said = json.loads(run("journal", "show", "--json").output)
    assert said["verdict"]["party"] == "station" and said["wear"]["matings"] == 1
    assert said["warnings"] == [] and said["now"]["session"] == 1


def test_stored_codes_are_told_with_their_frame(board):
    said = run("codes", "read", "--frame").output
    assert "OI-1101 PilotFault, stored, 1 times, first in plug-in 1, last in plug-in 1" in said
    assert "cp_high_mv" in said
    assert json.loads(run("codes", "read", "--json").output)[0]["code"] == "OI-1101"


def test_a_code_is_cleared_by_any_of_its_names_and_a_refusal_is_one_sentence(board):
    for name in ("OI-1101", "1101", "PilotFault"):
        assert "OI-1101 PilotFault is cleared" in run("codes", "clear", name).output
    assert board.ordered == [("clear", 1101)] * 3
    board.refusal = STILL_PRESENT
    done = run("codes", "clear", "1101")
    assert isinstance(done.exception, RefusedError)
    assert str(done.exception).startswith("The cause of this trouble code still stands")


def test_an_inspection_asks_first_and_needs_service_mode(board):
    done = run("journal", "inspected")
    assert "give --yes" in str(done.exception) and board.ordered == []
    assert "next inspection" in run("journal", "inspected", "--yes").output
    board.refusal = NOT_IN_SERVICE
    assert "not in service mode" in str(run("journal", "inspected", "--yes").exception)


class Client:
    def hello(self):
        return ("cpython", "simulation", "00", "0.1+abc")


@contextmanager
def client_at(_port):
    yield Client()


def test_every_record_is_downloaded_into_a_file_that_the_other_tools_read(
    monkeypatch, tmp_path, board
):
    monkeypatch.setattr(command, "board_at", client_at)
    monkeypatch.setattr(command, "_journal_of", lambda _client: board)
    out = tmp_path / "j.jsonl"
    board.records = lambda told: []
    done = run("journal", "download", "--out", out)
    assert "no record yet" in str(done.exception) and not out.exists()
    board.records = lambda told: told(1, 8) or [Record(1, 7, b"abc"), Record(17, 8, b"")]
    assert "wrote 2 records" in run("journal", "download", "--out", out).output
    assert load(out).entries == [(1, 7, b"abc"), (17, 8, b"")]
    assert load(out).board == "cpython simulation 00 0.1+abc"


def test_sim_tells_whose_fault_it_was_and_the_codes():
    said = CliRunner().invoke(cli, ["sim", "charger_ignores_limit", "--no-live"]).output
    assert "whose fault: vehicle (sure): The car's charger draws more than it may" in said
    assert "trouble code OI-1501 ChargerOverCurrent, 1 times" in said
    told = json.loads(CliRunner().invoke(cli, ["sim", "charger_ignores_limit", "--json"]).output)
    assert told["verdicts"][0]["party"] == "vehicle" and told["trouble_codes"][0]["number"] == 1501


def test_the_monitor_tells_a_verdict_once_and_shows_it(told):
    model = Monitor()
    now = Board(told).now()
    model.journal_is(now)
    model.journal_is(now)
    assert [event.text.startswith("whose fault: station") for event in model.events] == [True]
    model.commands = {"session": 0, "reasons": 0, "faults": 0}
    assert any("The station reports an error" in line.plain for line in panels.why(model, 120, 6))
    assert not any("whose fault" in line.plain for line in panels.why(model, 120, 1))
    now.update(verdict_serial=now["verdict_serial"] + 1, warnings=4, health=health.WORN)
    model.journal_is(now)
    texts = [event.text for event in model.events]
    assert sum("whose fault" in text for text in texts) == 2
    assert any("The lock takes longer" in text for text in texts)
    assert any("worn: have it inspected" in text for text in texts)


@pytest.mark.parametrize("verdict", range(len(health.VERDICT_NAMES)))
def test_every_verdict_about_a_contact_has_words(verdict):
    values = [0] * pages.NUMBERS
    values[health.COUNT], values[health.VERDICT] = 7, verdict
    said = words.contact(values)
    assert (
        "7 sessions known" in said and health.VERDICT_NAMES[verdict] not in said
    ) or verdict in (0, 1, 3)
    assert bool(words.worst_contact(verdict)) == (verdict in health.REPORTED)


@pytest.mark.parametrize("why", range(1, 9))
def test_why_a_session_told_nothing_about_a_contact_is_said(why):
    values = [0] * pages.NUMBERS
    values[health.FIELDS + 1] = why
    assert "the last session told nothing: " in words.contact(values)


def test_codes_and_rules_that_this_tool_does_not_know_are_told_as_numbers():
    now = dict.fromkeys(pages.NOW, 0) | {"verdict_serial": 1, "rule_code": 77, "verdict": 9}
    said = words.verdict(now)
    assert (said.party, said.name) == ("9", "rule 77") and "update inletctl" in said.words
    assert words.verdict(now | {"rule_code": 101}).words.startswith("It was the station")
    slot = [0] * pages.NUMBERS
    slot[0], slot[1], slot[2] = 9999, 7, 3
    stored = words.stored(slot)
    assert stored.code == "OI-9999" and "update inletctl" in stored.means
    assert stored.first == "plug-in 0, Monday 00:00"
