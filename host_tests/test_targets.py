"""What runs the firmware: that an allocation is caught, that a failing firmware is told, that tools are asked for."""

import dataclasses
import gc
import json
import re
import subprocess
from copy import copy
from itertools import pairwise
from weakref import ref

import pytest

from faults import F_INTERNAL, F_SETTINGS_REFUSED, SETTINGS
from inletctl.errors import UserError
from inletctl.house import FIRMWARE, ROOT, SCENARIOS, use_firmware
from inletctl.scenario.load import read_scenario
from inletctl.scenario.parse import parse_scenario
from inletctl.session import START_BEFORE_WRAP_MS, Session
from inletctl.targets import cpython, micropython
from inletctl.targets.tape import COMMAND_NAMES, record

use_firmware()

import drivers.virtual_layout as layout  # noqa: E402

SHORT = """\
title short
inlet type2
at 0.1s plug 32A
at 0.2s expect session=charging
end 0.5s
"""


def _session(text=SHORT):
    return Session(parse_scenario(text, "short.txt"))


def _with_step(monkeypatch, extra):
    """Let the firmware's step do `extra` as well."""
    real = micropython.plan

    def plan(settings, **options):
        made = real(settings, **options)
        source = made["files"]["/step.py"]
        changed = re.sub(r"(    def step\(.*\n.*\n)", r"\1" + extra, source, count=1)
        assert changed != source
        made["files"]["/step.py"] = changed
        return made

    monkeypatch.setattr(micropython, "plan", plan)


def test_a_step_that_allocates_ends_the_run(monkeypatch):
    _with_step(monkeypatch, "        self.waste = [now_ms]\n")
    with pytest.raises(RuntimeError, match="MemoryError"):
        micropython.run(_session())


def test_a_step_beyond_31_bits_ends_the_run(monkeypatch):
    """What a 64-bit build would never notice: 2**30 is a big int on the board."""
    _with_step(monkeypatch, "        now_ms + 0x3FFFFFFF + 1000000\n")
    with pytest.raises(RuntimeError, match="MemoryError"):
        micropython.run(_session())


def test_a_failing_firmware_ends_the_run_with_its_error(monkeypatch):
    # Not with the error's own words: in a pass there is no room for them but where a board keeps some.
    _with_step(monkeypatch, "        raise ValueError('broken on purpose')\n")
    session = _session()
    with pytest.raises(RuntimeError, match="firmware failed: ValueError"):
        micropython.run(session)
    assert not session.run.passed
    assert "firmware failed" in session.failure


def test_a_firmware_that_fails_on_cpython_leaves_outputs_safe_and_the_run_failed(monkeypatch):
    session = _session()
    from step import InletStep

    def step(_self, _now_ms, _readings, _commands):
        raise ValueError("broken on purpose")

    monkeypatch.setattr(InletStep, "step", step)
    with pytest.raises(ValueError, match="broken on purpose"):
        cpython.run(session)
    assert not session.run.passed
    assert not session.world.pilot.s2_told


def test_an_unmet_expectation_is_told_with_file_line_and_what_was_seen():
    session = _session()
    cpython.run(session)
    assert not session.run.passed
    assert session.run.failures[0].startswith(
        "short.txt:4: expected session=charging at 200ms; saw"
    )


def test_a_reset_shows_outputs_undriven_and_starts_the_firmware_anew():
    session = Session(read_scenario(SCENARIOS / "reset_while_charging.txt"))
    cpython.run(session)
    assert session.resets == 1
    resets = [line for line in session.trace.lines if "reset" in line]
    assert len(resets) == 1
    after = session.trace.lines[session.trace.lines.index(resets[0]) + 1].split()
    assert after[1:4] == ["0", "0", "0"]


def test_a_reset_while_another_one_is_under_way_begins_anew(tmp_path):
    text = "title Two resets\ninlet type2\nat 1s reset off_ms=300\nat +100ms reset off_ms=500\nend +2s\n"
    path = tmp_path / "two.txt"
    path.write_text(text, encoding="utf-8")
    session = Session(read_scenario(path))
    cpython.run(session)
    assert session.resets == 2
    marks = [line for line in session.trace.lines if "reset" in line]
    assert marks == ["1000 reset 300", "1100 reset 500"]
    # 500 ms from the second one: the first row after it comes at the firmware's own first pass.
    assert session.t_us == 3_100_000


def test_a_missing_micropython_package_asks_for_make_setup(monkeypatch, tmp_path):
    monkeypatch.setattr(micropython, "MODULE", tmp_path / "none.mjs")
    with pytest.raises(UserError, match="make setup") as caught:
        micropython.run(_session())
    assert caught.value.exit_status == 3


def test_the_32_bit_build_has_31_bit_small_ints_and_the_short_tick(tmp_path):
    """The target is what it is taken for."""
    source = (
        "import sys, time\n"
        "print(sys.maxsize, time.ticks_add(0x3fffffff, 1), sys.implementation.version[:2])\n"
    )
    plan = micropython.plan({}, files={"/x.py": source}, run=["/x.py"])
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    with (tmp_path / "said").open("wb") as said:
        process = micropython.start(str(tmp_path / "plan.json"), said)
        process.stdin.close()
        assert process.wait(60) == 0
        process.stdout.close()
    assert (tmp_path / "said").read_text().strip() == "2147483647 0 (1, 29)"


def test_node_is_the_one_of_the_lock_file():
    told = subprocess.run(
        [micropython.node_path(), "--version"], capture_output=True, text=True, check=True
    )
    assert told.stdout.startswith("v")


class _Masks:
    """Collects every reason and fault of a run."""

    def __init__(self):
        self.reasons = 0
        self.faults = 0

    def __call__(self, _t_us, _readings, commands, _world):
        self.reasons |= commands.reasons
        self.faults |= commands.faults


@pytest.mark.parametrize(
    "settings",
    [
        {"inlet": "type1"},
        {"inlet": 1, "speed": 3},
        {"inlet": 1, "lock_unlocked_max_mv": 2700},
        None,
    ],
    ids=["wrong type", "unknown key", "contradiction", "nothing stored"],
)
def test_settings_that_cannot_be_trusted_refuse_charging_with_the_heap_locked(settings):
    """Bad settings are a fault that names them, never a crash, never a charge."""
    text = "title t\ninlet type2\nat 1s plug 32A\nend 6s\n"
    for target in (cpython, micropython):
        seen = _Masks()
        scenario = dataclasses.replace(parse_scenario(text, "t.txt"), settings=settings)
        session = Session(scenario, watch=seen)
        target.run(session)
        assert seen.faults & F_SETTINGS_REFUSED
        assert seen.reasons & SETTINGS
        assert session.world.charger_ma == 0
        assert not session.world.contactor_closed


def test_a_driver_that_breaks_its_contract_is_internal_with_the_heap_locked(monkeypatch):
    real = Session.sample

    def sample(self, readings):
        real(self, readings)
        if self.t_us > 5_000_000:
            readings.pilot_count = 9

    monkeypatch.setattr(Session, "sample", sample)
    seen = _Masks()
    session = Session(
        parse_scenario("title t\ninlet type2\nat 1s plug 32A\nend 7s\n", "t.txt"), watch=seen
    )
    micropython.run(session)
    assert seen.faults & F_INTERNAL
    assert not session.world.contactor_closed


CAR = """\
title car
inlet type2
set can=native lines_used=hvil
at 1s hvil open
at 2s expect can=active holds=hvil
at 3s expect status_age_ms<=110 drive_inhibit=no
end 4s
"""


@pytest.mark.parametrize("target", [cpython, micropython])
def test_the_car_side_is_heard_and_driven_on_every_target(target):
    session = _session(CAR)
    target.run(session)
    assert session.run.failures == []
    frames = [line for line in session.trace.car_lines if " can 0c0 " in line]
    assert 28 <= len(frames) <= 45


def test_a_board_has_lines_only_where_something_on_them_is_fitted():
    assert cpython.HostBoard(_session()).open_lines() is None
    assert cpython.HostBoard(_session(CAR)).open_lines() is not None


def test_a_reset_takes_the_car_side_down_and_brings_it_back():
    text = "title car\ninlet type2\nset can=native\nat 2s reset 500ms\nat +4s expect can=active holds=none\nend +1s\n"
    session = _session(text)
    cpython.run(session)
    assert session.run.failures == []
    sent = [int(line.split()[0]) for line in session.trace.car_lines if " can " in line]
    assert max(b - a for a, b in pairwise(sent)) > 500


def test_one_node_runs_session_after_session_and_a_failed_one_costs_the_next_nothing(monkeypatch):
    """Each on an interpreter of its own, with settings of its own."""
    with micropython.Node() as node:
        traces = []
        for text in (CAR, SHORT.replace("0.2s expect", "0.4s expect").replace("0.5s", "7s"), CAR):
            session = _session(text)
            node.run(session)
            alone = _session(text)
            cpython.run(alone)
            assert session.trace.text == alone.trace.text
            traces.append(session.trace.text)
        assert traces[0] == traces[2] != traces[1]
        process = node._process
        with monkeypatch.context() as broken:
            _with_step(broken, "        raise ValueError('broken on purpose')\n")
            with pytest.raises(RuntimeError, match="firmware failed: ValueError"):
                node.run(_session())
        assert process.poll() is not None, "nothing is left of the failed one"
        again = _session(CAR)
        node.run(again)
        assert again.run.failures == [] and again.trace.text == traces[0]
        last = node._process
    assert last.poll() == 0


ON_TAPE = """\
title tape
inlet type2
set can=native lines_used=hvil
at 0.2s plug 32A
at 1s hvil open
at 2s reset 500ms
end 4s
"""


def _ran_on_cpython(text):
    session = _session(text)
    cpython.run(session)
    return session


@pytest.fixture(scope="module")
def played():
    """A tape, and one Node that plays."""
    session = _session(ON_TAPE)
    with micropython.Node() as node:
        yield session, record(session), node


def test_a_tape_holds_what_is_read_and_commanded_in_each_pass(played):
    session, tape, _node = played
    assert session.trace.text == _ran_on_cpython(ON_TAPE).trace.text
    assert len(tape.commands) == tape.frames * layout.TX_INTS
    statuses = list(tape.readings[:: layout.RX_INTS])
    assert [statuses.count(n) for n in (layout.STATUS_RESET, layout.STATUS_END)] == [1, 1]
    assert statuses[-1] == layout.STATUS_END
    light = COMMAND_NAMES.index("light")
    assert len(set(tape.commands[light :: layout.TX_INTS])) > 2
    sent = COMMAND_NAMES.index("frames")
    assert any(tape.commands[sent :: layout.TX_INTS]), "frames on CAN"


@pytest.mark.parametrize("start_ms", [0, 12_345, START_BEFORE_WRAP_MS])
def test_a_tape_is_the_same_from_any_tick(played, start_ms):
    _session, tape, node = played
    node.play(tape, start_ms)


@pytest.mark.parametrize(
    ("name", "t_ms"), [("s2_close", 10), ("hottest_decic", 1500), ("frames[31]", 3990)]
)
def test_a_tape_that_differs_in_one_int_of_one_pass_is_told(played, name, t_ms):
    _session, tape, node = played
    ticks = list(tape.readings[1 :: layout.RX_INTS])
    at = (ticks.index(t_ms) + 1) * layout.TX_INTS + COMMAND_NAMES.index(name)
    was = tape.commands[at]
    changed = copy(tape)
    changed.commands = tape.commands[:]
    changed.commands[at] += 1
    with pytest.raises(RuntimeError) as told:
        node.play(changed)
    assert str(told.value) == (
        "at %d ms it commands something else than on CPython: %s %d, not %d"
        % (t_ms, name, was, was + 1)
    )
    node.play(tape)


def test_a_firmware_that_reads_something_else_than_the_tape_is_told(played):
    _session, tape, node = played
    changed = copy(tape)
    changed.readings = tape.readings[:]
    for at in range(
        layout.HEADER + layout.FIELDS.index("pp_mv"), len(tape.readings), layout.RX_INTS
    ):
        changed.readings[at] //= 2
    with pytest.raises(RuntimeError, match="commands something else"):
        node.play(changed)


@pytest.mark.parametrize("made", ["self.waste = [now_ms]", "now_ms + 0x3FFFFFFF + 1000000"])
def test_a_step_that_allocates_ends_the_tape(played, monkeypatch, made):
    _session, tape, node = played
    with monkeypatch.context() as broken:
        _with_step(broken, "        %s\n" % made)
        with pytest.raises(RuntimeError, match="MemoryError"):
            node.play(tape)
    node.play(tape)


def test_a_collection_that_the_firmware_asks_for_looks_through_nothing_here_and_any_other_does():
    class Ring:
        def __init__(self):
            self.itself = self

    def is_freed_by(path):
        held = ref(Ring())
        exec(compile("import gc\ngc.collect()", str(path), "exec"), {})
        return held() is None

    was_on = gc.isenabled()
    gc.disable()
    try:
        assert not is_freed_by(FIRMWARE / "main.py")
        assert not is_freed_by(FIRMWARE / "vehicle" / "loader.py")
        assert is_freed_by(ROOT / "host_tests" / "main.py")
    finally:
        if was_on:
            gc.enable()
