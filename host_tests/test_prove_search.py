"""The search of the real step: states that come back exactly, that meet, and a way that is found told as a scenario."""

import json
import os
import subprocess
import sys

import pytest
from click.testing import CliRunner

from inletctl.cli import cli
from inletctl.errors import UserError
from inletctl.house import HEALTHY, ROOT
from inletctl.prove.example import words, write_example
from inletctl.prove.firmware import LOGIC, healthy, load
from inletctl.prove.known_bad import read
from inletctl.prove.rig import CONFIGS, DIMENSIONS, ROOTS, Rig, play
from inletctl.prove.rules import RULES
from inletctl.prove.search import Found, Search
from inletctl.prove.snapshot import PHASES, TICKS, Snapshots, assigned
from inletctl.prove.watcher import Broken
from inletctl.runs import run_scenario

pytestmark = pytest.mark.no_cover

# What is done from a state to see that it is the same again.
GO_ON = (("person", "unlock"), 30, ("cp", "f"), 7, ("cp", "pwm"), ("person", "none"), 60)
BAD = {bad.name: bad for bad in read()}


def trace(rig, script):
    """Play the script; return all commands of every pass."""
    told = []
    for item in script:
        if isinstance(item, tuple):
            rig.put(*item)
            continue
        for _ in range(item):
            assert rig.one_pass() is None
            told.append(tuple(vars(rig.c).values()))
    return told


@pytest.mark.parametrize("config", ["type2", "ccs2"])
@pytest.mark.parametrize("root", ["charging", "resting", "released"])
def test_a_state_that_is_put_back_goes_on_exactly_as_before(config, root):
    rig = Rig(healthy(), CONFIGS[config])
    play(rig, ROOTS[root])
    snapshots = Snapshots(rig)
    state = snapshots.take()
    before = trace(rig, GO_ON)
    snapshots.put(state)
    assert snapshots.take() == state
    assert trace(rig, GO_ON) == before
    # Into another rig, too: nothing of it is left.
    other = Rig(healthy(), CONFIGS[config])
    play(other, ROOTS["waiting"])
    again = Snapshots(other)
    again.put(state)
    assert trace(other, GO_ON) == before


def test_a_state_seen_at_another_clock_is_the_same_state():
    rig, late = (Rig(healthy(), CONFIGS["type2"]) for _ in range(2))
    late.now_ms += 2**28  # a tick that was never set is 0, and long ago for both
    one, other = Snapshots(rig), Snapshots(late)
    for script in (ROOTS["charging"], GO_ON, (("pp", "out"), ("cp", "none"), 60)):
        play(rig, script)
        play(late, script)
        assert one.key(one.take()) == other.key(other.take())


def test_states_of_different_sessions_differ():
    keys = set()
    for script in ROOTS.values():
        rig = Rig(healthy(), CONFIGS["type2"])
        play(rig, script)
        snapshots = Snapshots(rig)
        keys.add(snapshots.key(snapshots.take()))
    assert len(keys) == len(ROOTS)


def test_what_is_named_as_tick_or_phase_exists_and_changes():
    rig = Rig(healthy(), CONFIGS["ccs2"])
    parts = {type(part.thing).__name__: part for part in Snapshots(rig)._parts}
    for table in (TICKS, PHASES):
        for kind, names in table.items():
            assert set(names) <= set(vars(parts[kind].thing)), kind
            assert set(names) <= assigned(), kind


def test_every_root_is_reached_without_breaking_a_rule():
    for config, wanted in CONFIGS.items():
        for root, script in ROOTS.items():
            rig = Rig(healthy(), wanted)
            assert play(rig, script) is None, (config, root)


def test_a_search_of_the_healthy_firmware_finds_nothing_and_repeats_by_its_seed():
    one, same, other = (
        Search(3, 14, seed, configs=("type2", "ccs2"), roots=("waiting", "charging")).run()
        for seed in (1, 1, 2)
    )
    assert one.found is None and other.found is None
    assert (one.depths, one.passes) == (same.depths, same.passes)
    assert one.states <= 14 and one.passes > 3000
    assert not one.is_exhaustive


def test_a_search_that_leaves_nothing_out_says_so():
    result = Search(1, 1000, 1, configs=("type1",), roots=("waiting", "charging")).run()
    assert result.is_exhaustive and result.whole_depth == 1
    assert [one.tried for one in result.depths["type1"]] == [2]


def test_a_way_to_break_a_rule_is_told_as_a_scenario_that_fails(tmp_path):
    """On the firmware that was searched; the healthy one passes it."""
    bad = BAD["vehicle-ignored"]
    firmware = load(edits=bad.edits)
    found = Search(2, 100, 1, firmware, configs=("type2",), roots=("charging",)).run().found
    assert found is not None and found.broken.rule.id == "LIMIT-VEHICLE"
    assert words(found.moves) == "car=8A, 10 ms"
    path = tmp_path / "example.txt"
    write_example(found, firmware, path)
    assert run_scenario(path, "cpython").passed

    folder = tmp_path / "firmware"
    subprocess.run(["cp", "-r", str(HEALTHY), str(folder)], check=True)
    for edit in bad.edits:
        source = folder / edit.file
        source.write_text(source.read_text().replace(edit.find, edit.put))
    done = subprocess.run(
        [sys.executable, "-m", "inletctl.cli", "sim", str(path), "--no-live"],
        env={**os.environ, "INLETCTL_FIRMWARE": str(folder), "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    assert done.returncode == 1
    assert "invariant LIMIT-VEHICLE is broken: " in done.stderr
    assert "FAIL" in done.stdout


def test_a_way_that_needs_a_communication_controller_is_told_in_words_only(tmp_path):
    found = Found("ccs2", "waiting", (("modem", "wants"), 60), Broken(RULES[0], 0, "something"))
    with pytest.raises(UserError, match="communication controller"):
        write_example(found, healthy(), tmp_path / "no.txt")


def test_the_command_says_what_was_searched():
    done = CliRunner().invoke(
        cli, ["prove", "search", "--depth", "1", "--states", "7", "--config", "gbt", "--json"]
    )
    assert done.exit_code == 0, done.output
    told = json.loads(done.output)
    assert told["found"] is None and told["states"] <= 7 and told["whole_depth"] == 1
    done = CliRunner().invoke(cli, ["prove", "search", "--config", "nobody"])
    assert isinstance(done.exception, UserError) and "type2" in str(done.exception)


def test_the_firmware_of_this_process_is_left_alone():
    import step

    loaded = load()
    assert loaded["step"] is not step and sys.modules["step"] is step
    assert set(loaded.names) == set(LOGIC)


def test_every_dimension_begins_undisturbed():
    rig = Rig(healthy(), CONFIGS["type2"])
    assert play(rig, (100,)) is None
    assert rig.c.faults == 0 and all(len(values) > 1 for values in DIMENSIONS.values())
