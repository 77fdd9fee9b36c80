"""Every shipped scenario comes out as it says, and every target commands the same in each pass, int by int."""

from functools import cache

import pytest

from inletctl.house import SCENARIOS
from inletctl.scenario.load import read_scenario
from inletctl.session import START_BEFORE_WRAP_MS, Session
from inletctl.targets import cpython, micropython
from inletctl.targets.tape import record

# Coverage is measured by the tests of each room; here it would only cost time.
pytestmark = pytest.mark.no_cover

ALL = sorted(path.stem for path in SCENARIOS.glob("*.txt"))
# Simulated seconds that the 32-bit build is given in every `make test`; the longer ones run on CPython here, and on
# the 32-bit build with the heap locked in `make perf`.
_MPY_SECONDS = 62
# What a scenario may show of an inlet all the same: an emergency stop under load, a charger that does not obey.
_MAY_BE = ("EVSE load_s2", "EVSE over_offer")


@pytest.fixture(scope="module")
def node():
    """One Node process for the sessions of this file, each on an interpreter of its own."""
    with micropython.Node() as node:
        yield node


def _run(name, target, start_ms=0):
    session = Session(read_scenario(SCENARIOS / (name + ".txt")), start_ms)
    target.run(session)
    return session


@cache
def _ran(name):
    """Return the session as it went on CPython from tick 0; not to be changed."""
    return _run(name, cpython)


def _length_s(name):
    return read_scenario(SCENARIOS / (name + ".txt")).end_us / 1e6


def test_enough_scenarios_are_shipped():
    assert len(ALL) >= 25


def _meets_every_expectation(session):
    assert session.run.failures == []
    assert session.run.passed
    assert session.run.outcomes, "a scenario that expects nothing proves nothing"
    assert [one for one in session.world.violations if not one.startswith(_MAY_BE)] == []


@pytest.mark.parametrize("name", [name for name in ALL if _length_s(name) > _MPY_SECONDS])
def test_long_scenario_meets_every_expectation(name):
    _meets_every_expectation(_ran(name))


@pytest.mark.parametrize("name", [name for name in ALL if _length_s(name) <= _MPY_SECONDS])
def test_scenario_meets_every_expectation_and_32_bit_micropython_commands_the_same_in_each_pass_across_the_tick_wrap(
    name, node
):
    """The heap is locked around each step there: one allocated byte would end the run.

    What the inlet makes of the same commands is the same: so are the traces.
    """
    here = Session(read_scenario(SCENARIOS / (name + ".txt")))
    tape = record(here)
    _meets_every_expectation(here)
    assert len(here.trace.lines) > 10
    node.play(tape, START_BEFORE_WRAP_MS)


@pytest.mark.parametrize("name", ["full_ac_session", "can_session", "sensor_stale"])
def test_trace_is_the_same_on_cpython_across_the_tick_wrap(name):
    assert _ran(name).trace.text == _run(name, cpython, START_BEFORE_WRAP_MS).trace.text


@pytest.mark.parametrize(
    "name", ["state_f_while_charging", "reset_while_charging", "noise_bursts", "can_session"]
)
def test_trace_is_the_same_on_32_bit_micropython_from_tick_0(name, node):
    """With the inlet in the loop there, too: a tape is one of these."""
    assert _ran(name).trace.text == _run(name, node).trace.text


def test_same_seed_gives_the_same_trace_twice():
    assert _ran("noise_bursts").trace.text == _run("noise_bursts", cpython).trace.text
