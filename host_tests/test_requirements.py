"""What is required: every row has its evidence, every limit and every name in it is there, and a wrong one is told."""

from dataclasses import replace

import pytest

from inletctl.errors import UserError
from inletctl.requirements.load import TESTS as HOST_TESTS
from inletctl.requirements.load import (
    Requirement,
    Topic,
    everything,
    limit_of,
    parity_us,
    problems,
    read,
)
from inletctl.requirements.page import requirements_page

pytestmark = pytest.mark.no_cover

TOPICS = read()
GOOD = everything(TOPICS)[0]


def test_every_requirement_has_its_evidence_and_every_name_is_there():
    assert problems(TOPICS) == []
    assert 60 <= len(everything(TOPICS)) <= 120


def test_there_is_evidence_on_each_target():
    for target in ("cpython", "wasm32", "rp2040", "bench"):
        shown = sum(1 for row in everything(TOPICS) if row.evidence(target))
        assert shown > 30, target


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"cpython": (), "invariants": ()}, "no test shows it"),
        (
            {"cpython": ("test_step.py::test_nothing_of_the_kind",)},
            "there is no test test_step.py::",
        ),
        ({"cpython": ("test_no_file.py::test_x",)}, "there is no test test_no_file.py::test_x"),
        ({"invariants": ("NO-RULE",)}, "there is no invariant NO-RULE"),
        ({"wasm32": ("scenario:nowhere",)}, "there is no scenario nowhere"),
        ({"wasm32": ("scenario:full_ac_session",)}, "too long to be run on MicroPython"),
        (
            {"rp2040": ("test_layering.py::test_there_is_something_to_read",)},
            "does not run there: it has no mark 'emulator'",
        ),
        ({"bench": ("OI-NO-1",)}, "there is no bench requirement OI-NO-1"),
        ({"covers": ("no_reason",)}, "there is no reason no_reason"),
        ({"rooms": ("attic",)}, "there is no room attic"),
        ({"rooms": ()}, "it names no room"),
        ({"source": "a friend", "why": ""}, "'a friend' is no standard"),
        ({"source": "ours", "why": ""}, "it is ours, and nothing says why"),
        ({"limit": "shutdown.no_reason.s2_ms"}, "the firmware has no limit"),
    ],
)
def test_a_wrong_row_is_told_in_a_sentence(wrong, sentence):
    rows = [replace(GOOD, **wrong), *everything(TOPICS)[1:]]
    found = [one for one in problems([Topic("t", "", rows)]) if one.startswith(GOOD.id)]
    assert [one for one in found if sentence in one], found


def test_an_id_that_is_none_or_given_twice_is_told():
    again = [*everything(TOPICS), GOOD, replace(GOOD, id="R1")]
    found = problems([Topic("t", "", again)])
    assert [one.partition(": ")[2].split()[0] for one in found] == [GOOD.id, "R1"]


def test_a_reason_or_an_invariant_that_no_requirement_names_is_told():
    rows = [replace(row, covers=(), invariants=()) for row in everything(TOPICS) if row.cpython]
    found = problems([Topic("t", "", rows)])
    assert "no requirement covers the reason pilot_e" in found
    assert "no requirement asks for the invariant B-BEFORE-C" in found


def test_a_test_that_speaks_of_an_unknown_requirement_is_told(tmp_path):
    (tmp_path / "test_parity.py").write_text((HOST_TESTS / "test_parity.py").read_text())
    (tmp_path / "test_x.py").write_text('"""Shows R-NO%s."""\n' % "WHERE-99")
    found = problems(TOPICS, tmp_path)
    assert "test_x.py speaks of R-NOWHERE-99, and there is no such requirement" in found


@pytest.mark.parametrize(
    ("limit", "shown"),
    [
        ("shutdown.pilot_e.s2_ms", "50 ms"),
        ("settings.stop_decic.max", "900 0.1 C"),
        ("settings.retries_max.default", "5"),
        ("release:NO_CURRENT_MA", "1000 mA"),
        ("", ""),
    ],
)
def test_a_limit_is_the_firmwares_own_with_its_unit(limit, shown):
    assert limit_of(replace(GOOD, limit=limit)) == shown


@pytest.mark.parametrize("limit", ["settings.nothing.max", "release:NO_SUCH_MA", "else.a.b"])
def test_a_limit_that_the_firmware_does_not_have_is_refused(limit):
    with pytest.raises(UserError, match="the firmware has no limit"):
        limit_of(replace(GOOD, limit=limit))


def test_a_row_with_an_unknown_key_is_refused(tmp_path):
    (tmp_path / "x.toml").write_text(
        'title = "t"\nabout = "a"\n[[requirement]]\nid = "R-X-01"\ncolour = "red"\n'
    )
    with pytest.raises(UserError, match=r"x\.toml: R-X-01: unknown: colour"):
        read(tmp_path)


def test_the_page_shows_every_requirement():
    page = requirements_page()
    for row in everything(TOPICS):
        assert "| `%s` | " % row.id in page


def test_what_is_too_long_for_micropython_is_what_the_parity_test_says():
    import test_parity

    assert parity_us(HOST_TESTS) == test_parity._MPY_SECONDS * 1_000_000


def test_a_requirement_is_plain_data():
    assert Requirement("R-X-01", "t", "ours", "x.toml").evidence("bench") == ()
