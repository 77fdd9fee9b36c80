"""The soak in its short form: some dozens of sessions, and leaks and drifts that it must see."""

import json

import pytest
from click.testing import CliRunner

from inletctl.cli import cli
from inletctl.errors import UserError
from inletctl.house import FIRMWARE
from inletctl.session import TICKS_MASK
from inletctl.soak import run
from inletctl.soak.docs import soak_page
from inletctl.soak.run import Round, figures, script, shortfalls, slope, soak
from inletctl.soak.tape import ROUND, record
from inletctl.targets.micropython import check_installed

pytestmark = pytest.mark.no_cover

STEADY = [
    Round(16, 170_000, 64_000, 100 + 249 * n, 8 * n, 0, 0, -1, 80_000 * n, 0, 900)
    for n in range(80)
]

# What is never given back after a round; and a clock that is 1 ms in 10 fast from the fourth on.
LEAKS = """
_kept = []
_round_of_leaks = soak_round

def soak_round():
    _round_of_leaks()
    _kept.append(bytearray(600))
"""
FAST = """
_round = soak_round
_rounds = [0, 0]
_now_ms = board.now_ms

def _fast():
    _rounds[1] += 1
    return (_now_ms() + _rounds[1]) & 0x3FFFFFFF

def soak_round():
    _rounds[0] += 1
    if _rounds[0] == 4:
        board.now_ms = _fast
    _round()
"""


@pytest.fixture(scope="module", autouse=True)
def _needs_node():
    check_installed()


def test_the_tape_holds_a_round_in_which_every_session_is_charged():
    tape = record()
    assert tape.charged == tape.sessions == len(ROUND)
    assert tape.passes == 6400
    assert tape == record.__wrapped__()


def test_the_loop_is_that_of_main_py():
    text = (FIRMWARE / "main.py").read_text(encoding="utf-8")
    made = script(text)
    assert (
        "    while board.next_pass():\n" in made
        and "inlet.step(now_ms, readings, commands)" in made
    )
    compile(made, "soak", "exec")
    with pytest.raises(UserError, match="its loop is not where"):
        script("nothing of it")


@pytest.mark.mpy
def test_dozens_of_sessions_neither_leak_nor_drift_and_the_clock_wraps():
    said = []
    tape, rounds = soak(40, said.append)
    assert said == [8, 16, 24, 32, 40]
    assert shortfalls(rounds, tape.sessions) == []
    assert rounds[-1].wraps >= 1
    assert {one.used for one in rounds[run.WARM_ROUNDS :]} == {rounds[-1].used}
    found = figures(tape, rounds)
    assert found["sessions"] == found["charged"] == 40


@pytest.mark.mpy
def test_what_leaks_and_what_drifts_is_seen():
    tape, rounds = soak(40, more=LEAKS + FAST)
    said = " ".join(shortfalls(rounds, tape.sessions))
    assert "memory leaks" in said and "round 3 first" in said


def changed(**of_last):
    """Return steady rounds, those from the tenth on otherwise."""
    values = [{**vars(one)} for one in STEADY]
    for n, row in enumerate(values):
        if n >= 10:
            row.update(
                {key: value(n) if callable(value) else value for key, value in of_last.items()}
            )
    return [Round(**row) for row in values]


@pytest.mark.parametrize(
    ("rounds", "words"),
    [
        (changed(used=lambda n: 170_000 + 200 * n), "memory leaks"),
        (
            [
                Round(**{**vars(one), "used": 170_000 + 4736 * (n in (40, 41))})
                for n, one in enumerate(STEADY)
            ],
            "4736 at worst",
        ),
        (changed(allocated=lambda n: 900 + 20 * n), "bytes at the end"),
        (changed(piece=8000), "the largest free piece fell to 8000"),
        (changed(differing=3, first_differing=250), "round 10 first, 3 passes, from 2.50 s"),
        (changed(number=lambda n: 100 + 250 * n), "lines of report"),
        ([Round(**{**vars(one), "number": 77}) for one in STEADY], "makes [0] lines of report"),
        (changed(plug_ins=lambda n: 8 * n - 1), "the journal counts [7, 8] plug-ins"),
        (changed(failures=2), "could not write 2 records"),
    ],
)
def test_each_limit_is_judged(rounds, words):
    assert any(words in one for one in shortfalls(rounds, 8))
    assert shortfalls(STEADY, 8) == []


def test_every_round_makes_as_many_lines_where_their_number_wraps_too():
    wrapped = changed(number=lambda n: (TICKS_MASK - 2500 + 240 * n) & TICKS_MASK)
    rounds = wrapped[10:]
    assert rounds[-1].number < rounds[0].number
    assert shortfalls(rounds, 8) == []
    odd = [*rounds[:-1], Round(**{**vars(rounds[-1]), "number": rounds[-1].number + 1})]
    assert any("lines of report" in one for one in shortfalls(odd, 8))


def test_a_round_may_end_while_a_record_is_written():
    rounds = [*STEADY]
    rounds[40] = Round(**{**vars(STEADY[40]), "used": STEADY[40].used + 4736})
    assert shortfalls(rounds, 8) == []


def test_the_boot_alone_may_differ():
    first = Round(
        **{
            **vars(STEADY[0]),
            "differing": 51,
            "first_differing": 0,
            "used": 300_000,
            "allocated": 9000,
        }
    )
    assert shortfalls([first, *STEADY[1:]], 8) == []
    assert shortfalls([STEADY[0], first, *STEADY[2:]], 8) != []


def test_a_slope_is_that_of_the_line():
    assert slope([5, 7, 9, 11]) == pytest.approx(2)
    assert slope([5]) == 0 and slope([3, 3, 3]) == 0


def test_a_soak_that_only_warms_up_is_refused():
    with pytest.raises(UserError, match="only warm up"):
        shortfalls(STEADY[:3], 8)
    assert CliRunner().invoke(cli, ["soak", "--sessions", "31"]).exit_code == 2


def test_the_command_tells_what_does_not_hold(monkeypatch, tmp_path):
    tape = record()
    monkeypatch.setattr(run, "soak", lambda _sessions, _tell: (tape, changed(piece=8000)))
    path = tmp_path / "soak.json"
    done = CliRunner().invoke(cli, ["soak", "--figures", str(path)])
    assert done.exit_code == 1 and "the largest free piece fell" in done.output
    assert json.loads(path.read_text(encoding="utf-8"))["shortfalls"]
    monkeypatch.setattr(run, "soak", lambda _sessions, _tell: (tape, STEADY))
    done = CliRunner().invoke(cli, ["soak", "--json"])
    assert done.exit_code == 0 and json.loads(done.output)["shortfalls"] == []


def test_the_page_says_what_is_judged_and_by_which_limit():
    page = soak_page()
    for name, _happenings in ROUND:
        assert name in page
    assert "%d bytes" % run.LEAK_MAX_BYTES in page
