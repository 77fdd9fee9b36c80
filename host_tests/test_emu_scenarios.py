"""The short scenarios for the emulated board: each passes on the host, and together they visit everything."""

from functools import cache

import pytest

from inletctl.emu.runs import SCENARIOS, find_scenario
from inletctl.emu.session import NOT_ON_A_WIRE
from inletctl.house import use_firmware
from inletctl.scenario.load import read_scenario
from inletctl.session import Session
from inletctl.targets import cpython

use_firmware()

import faults  # noqa: E402
import interlock  # noqa: E402
from pilot.control import PILOT_STATE_NAMES  # noqa: E402

FILES = sorted(SCENARIOS.glob("*.txt"))
# Needs an impossible state of the logic, or settings that a scenario cannot hold.
BEYOND_A_SCENARIO = faults.INTERNAL | faults.SETTINGS


class Visits:
    """What the commands of one run went through."""

    def __init__(self):
        self.sessions: set[int] = set()
        self.pilot_states: set[int] = set()
        self.reasons = 0  # any at all
        self.stops = 0  # those there when S2 opened

    def take(self, commands, was_closed):
        self.sessions.add(commands.session)
        self.pilot_states.add(commands.pilot_state)
        self.reasons |= commands.reasons
        if was_closed:
            self.stops |= commands.reasons


@cache
def run_on_host(path):
    session = Session(read_scenario(path))
    visits = Visits()
    obey = session.obey

    def watch(readings, commands):
        visits.take(commands, session.world.pilot.s2_told)
        obey(readings, commands)

    session.obey = watch
    cpython.run(session)
    return session, visits


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_scenario_is_short_and_passes_on_the_host(path):
    session, _visits = run_on_host(path)
    assert session.scenario.end_us <= 20_000_000
    assert session.run.passed, session.run.failures


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_scenario_can_be_wired(path):
    assert not [one for one in read_scenario(path).actions if one.verb in NOT_ON_A_WIRE]


def all_visits():
    return [run_on_host(path)[1] for path in FILES]


def test_there_are_at_least_ten():
    assert len(FILES) >= 10


def test_together_they_visit_every_session_state():
    seen = set().union(*[visits.sessions for visits in all_visits()])
    assert seen == set(range(len(interlock.SESSION_NAMES)))


def test_together_they_visit_every_pilot_state():
    seen = set().union(*[visits.pilot_states for visits in all_visits()])
    assert seen == set(range(len(PILOT_STATE_NAMES)))


def test_together_they_show_every_reason_not_to_charge():
    seen = 0
    for visits in all_visits():
        seen |= visits.reasons
    wanted = (1 << len(faults.SHUTDOWN)) - 1 & ~BEYOND_A_SCENARIO
    assert faults.names(faults.SHUTDOWN, wanted & ~seen) == []


def test_together_they_stop_charging_in_every_way():
    """Every reason that can come up while S2 is closed stops it in one of them, at once or current first."""
    stops = 0
    for visits in all_visits():
        stops |= visits.stops
    before_charging = (
        faults.LOCK_FAILED | faults.SHOW_B | faults.REST | faults.RETRIES | faults.SERVICE_MODE
    )
    wanted = (1 << len(faults.SHUTDOWN)) - 1 & ~BEYOND_A_SCENARIO & ~before_charging
    assert faults.names(faults.SHUTDOWN, wanted & ~stops) == []


def test_name_finds_the_short_scenario_before_the_shipped_one():
    assert find_scenario("type1_button").parent == SCENARIOS
    assert find_scenario("full_ac_session").parent != SCENARIOS
