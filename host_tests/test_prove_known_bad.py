"""Firmwares that are broken on purpose: each is caught by the invariant that must catch it, so that none holds vacuously."""

import json

import pytest
from click.testing import CliRunner

from inletctl.cli import cli
from inletctl.edits import Edit
from inletctl.errors import UserError
from inletctl.prove.firmware import load
from inletctl.prove.known_bad import caught, parse_script, read
from inletctl.prove.rules import RULES

pytestmark = pytest.mark.no_cover

KNOWN_BAD = read()


def test_every_rule_has_a_firmware_that_breaks_it():
    assert {bad.rule for bad in KNOWN_BAD} == {rule.id for rule in RULES}
    assert len({bad.name for bad in KNOWN_BAD}) == len(KNOWN_BAD)


@pytest.mark.parametrize("bad", KNOWN_BAD, ids=lambda bad: bad.name)
def test_broken_firmware_is_caught_where_the_healthy_one_is_not(bad):
    """`caught` plays the script on the healthy firmware first."""
    assert bad.rule in caught(bad)


def test_an_edit_that_does_not_fit_any_more_is_refused():
    with pytest.raises(UserError, match="stands 0 times in firmware/limits"):
        load(edits=[Edit("limits.py", "no such text", "")])


@pytest.mark.parametrize("text", ["nowhere; 3", "charging; pp=up", "charging; x", "charging; -1"])
def test_a_script_that_says_nothing_is_refused(text):
    with pytest.raises(UserError, match="known_bad"):
        parse_script(text)


def test_a_script_may_repeat_itself():
    assert parse_script("boot; 2*(pp=in; 3); 4") == (
        "boot",
        (("pp", "in"), 3, ("pp", "in"), 3, 4),
    )


def test_the_command_counts_them():
    done = CliRunner().invoke(cli, ["prove", "known-bad", "--only", "wide-mask", "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.output) == [
        {"name": "wide-mask", "rule": "SMALL-INTS", "caught": True, "broken": ["SMALL-INTS"]}
    ]
