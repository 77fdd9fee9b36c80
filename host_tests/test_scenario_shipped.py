"""The scenario files that are shipped: readable, complete, and each says what must come out. Running them is elsewhere."""

import pytest

from inletctl.house import SCENARIOS
from inletctl.scenario.language import load_language
from inletctl.scenario.load import read_scenario
from inletctl.scenario.model import ALWAYS, NEVER
from inletctl.scenario.parse import parse_scenario
from inletctl.scenario.write import format_scenario

FILES = sorted(SCENARIOS.glob("*.txt"))


def test_at_least_25_scenarios_are_shipped():
    assert len(FILES) >= 25


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_shipped_scenario_reads_expects_something_and_survives_printing(path):
    scenario = read_scenario(path)
    assert scenario.actions
    assert [e for e in scenario.expectations if e.form not in (ALWAYS, NEVER)]
    text = format_scenario(scenario, load_language())
    assert parse_scenario(text, "printed.txt") == scenario


def test_titles_are_distinct():
    titles = [read_scenario(path).title for path in FILES]
    assert len(set(titles)) == len(titles)
