"""The invariants in a simulation: what breaks one fails the scenario, cheaply, whatever the scenario expects."""

import pytest

from inletctl.prove import truth as t
from inletctl.prove.firmware import healthy
from inletctl.prove.rig import ROOTS, Rig, play
from inletctl.prove.rules import RULES
from inletctl.prove.watcher import Watcher
from inletctl.scenario.forced import NAMES, force
from inletctl.scenario.model import Action
from inletctl.scenario.parse import parse_scenario
from inletctl.session import Session
from inletctl.targets import cpython
from settings import Settings
from signals import Commands, Readings

pytestmark = pytest.mark.no_cover

CHARGES = """
title charges
inlet type2
at 0.5s plug 32A
at 5s stop 300ms
end 7s
"""


def run(text, board=cpython.HostBoard):
    session = Session(parse_scenario(text))
    cpython.run(session, board)
    return session


def test_every_rule_has_an_id_of_its_own_a_sentence_and_a_source():
    assert len({rule.id for rule in RULES}) == len(RULES) >= 40
    for rule in RULES:
        assert rule.text and rule.source and not rule.text.endswith(".")


def test_a_healthy_session_breaks_no_rule_and_few_passes_are_judged_in_full():
    session = run(CHARGES)
    assert session.run.breaches == [] and session.run.passed
    assert session._watcher is not None
    assert 0 < session._watcher.judged < session.passes // 3


class _Lying(cpython.HostBoard):
    """A board on which S2 stays closed for ever once it has closed."""

    def actuate(self, commands):
        self.is_stuck = getattr(self, "is_stuck", False) or commands.s2_close
        commands.s2_close = self.is_stuck
        super().actuate(commands)


def test_a_breach_fails_the_scenario_with_one_sentence_a_rule():
    session = run(CHARGES, _Lying)
    assert not session.run.passed
    sentences = session.run.failures
    assert len(sentences) == len(set(sentences)) and sentences
    assert any(one.startswith("invariant S2-SESSION is broken: ") for one in sentences)
    assert all(" at 5." in one for one in sentences)


def test_a_reset_begins_a_watch_anew():
    session = run("title r\ninlet type2\nat 0s plug 32A\nat 3s reset 100ms\nend 6s\n")
    assert session.resets == 1 and session.run.breaches == []
    assert session._watcher is not None and session._watcher.t < 3000


class _Stores(cpython.HostBoard):
    """A board that has stored something else than the scenario says."""

    def settings(self):
        return {"inlet": 1, "max_current_ma": 10_000}


def test_a_board_is_judged_by_what_it_has_stored():
    session = run(CHARGES, _Stores)
    assert session.run.breaches == [] and session._watcher is not None
    assert session._watcher.s.max_current_ma == 10_000


def test_a_dark_board_is_not_judged():
    session = run(CHARGES)
    session.obey(Readings(), session.safe_commands)
    assert session._watcher is None and session.run.breaches == []


def test_what_the_cars_side_adds_is_not_judged_where_it_is_not_known():
    whole, blind = Watcher({"inlet": 1}), Watcher({"inlet": 1}, is_whole=False)
    left_out = {rule.id for rule, _ in whole.checks} - {rule.id for rule, _ in blind.checks}
    assert left_out == {rule.id for rule in RULES if rule.of_car}
    assert "LIMIT-VEHICLE" in left_out and "B-BEFORE-C" not in left_out


def test_a_rule_is_told_once():
    watcher = Watcher({"inlet": 1})
    r, c = Readings(), Commands()
    c.s2_close = True
    assert watcher.look(0, r, c) is not None
    told = len(watcher.broken)
    for n in range(1, 10):
        watcher.look(10 * n, r, c)
    assert len({one.rule.id for one in watcher.broken}) == len(watcher.broken) < told + 5


@pytest.mark.parametrize(
    "wanted", [None, {}, {"lock_unlocked_max_mv": 2700}, {"inlet": "type1"}, {"stop_decic": 5000}]
)
def test_settings_of_any_kind_can_be_watched(wanted):
    watcher = Watcher(wanted)
    assert watcher.s.is_trusted <= Settings(wanted).is_trusted
    assert watcher.look(0, Readings(), Commands()) is None


# ------------------------------------------------------------------------- readings that are written


def test_a_forced_reading_is_what_the_board_reads():
    session = run(
        "title f\ninlet type2\nat 0s plug 32A\nat 4s expect session=charging\n"
        "reading vehicle_limit_ma 9000\nwithin 50ms expect command_a=9\n"
        "at +1s reading pp_mv 4455\nwithin 50ms expect command_a=0 reasons has no_plug\nend 6s\n"
    )
    assert session.run.failures == []


def test_every_name_that_can_be_forced_is_a_reading():
    for name in NAMES:
        readings = Readings()
        force(readings, {name: 1})
        attribute, index = NAMES[name]
        value = getattr(readings, attribute)
        if index is None:
            assert value == 1
        else:
            assert list(value).count(1) == (len(value) if index < 0 else 1)


def test_what_was_proven_dead_stays_so_while_nothing_lives_whatever_is_measured():
    rig = Rig(healthy(), {"inlet": 1, "can": 0})
    assert play(rig, (*ROOTS["charging"], ("person", "stop"), 60)) is None
    assert rig.watcher is not None and rig.watcher.is_proven_dead
    rig.put("draw", "unknown")
    assert play(rig, (20, ("person", "unlock"), 40)) is None
    assert not rig.watcher.broken and rig.watcher.was_lock in t.UNLOCKED_STATES


def test_a_clock_jump_moves_the_boards_clock_and_nothing_else():
    session = run("title jumps\ninlet type2\nat 0.5s plug 32A\nat 5s clock_jump 1min\nend 7s\n")
    assert session.now_ms == 67_000 and session.t_us == 7_000_000
    assert session.run.breaches == [] and session.run.passed


def test_whoever_watches_may_let_things_happen_that_nobody_had_planned():
    seen = []

    def watch(t_us, _r, _c, world):
        if t_us == 1_000_000:
            for at_us, words in ((2_000_500, "stop"), (1_000_500, "plug")):
                session.run.add(Action(at_us, words, (), words))
        seen.append(world.plugged)

    session = Session(
        parse_scenario("title empty\ninlet type2\nat 1.5s stop\nend 3s\n"), watch=watch
    )
    cpython.run(session)
    assert seen.index(True) == 101
    assert [action.t_us for action in session.run.actions] == [1_000_500, 1_500_000, 2_000_500]
