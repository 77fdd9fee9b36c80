"""The benchmark measures what it says; its reactions are deterministic, so a few of them are asserted here."""

import random

import pytest

from inletctl import perf

# Coverage is measured by the tests of each room; here it would only cost time.
pytestmark = pytest.mark.no_cover


@pytest.mark.parametrize(
    "index", range(len(perf.CAUSES)), ids=lambda n: perf.CAUSES[n].name.replace(" ", "-")
)
def test_every_cause_is_answered_within_its_row_of_the_shutdown_table(index):
    """Architecture section 6, at random phases, operating points and clocks."""
    cause = perf.CAUSES[index]
    count = 2 if cause.row == "charger_fault" else 8
    _index, current, s2 = perf._measure_cause((index, count, 7))
    row = {row[0]: row for row in perf.faults.SHUTDOWN}[cause.row]
    assert perf.summary(current, row[perf.faults.ROW_CURRENT_MS])["within_limit"]
    assert perf.summary(s2, row[perf.faults.ROW_S2_MS])["within_limit"]


def test_a_reaction_that_never_comes_is_not_within_its_limit():
    told = perf.summary([1000, -1], 20)
    assert told["never"] == 1
    assert not told["within_limit"]


def test_a_reaction_beyond_its_limit_is_told():
    told = perf.summary([1000, 20001], 20)
    assert told["worst_ms"] == 20.001
    assert not told["within_limit"]


def test_no_measurement_is_no_pass():
    assert not perf.summary([], 20)["within_limit"]


def test_the_same_seed_measures_the_same():
    cause = perf.CAUSES[0]
    snapshot = perf.Snapshot(cause.inlet, random.Random(3))
    import pickle

    frozen = pickle.dumps(snapshot)
    assert perf.inject(frozen, cause, random.Random(5)) == perf.inject(
        frozen, cause, random.Random(5)
    )
