"""Garbage for the board's console: none of it is a command, and whatever it does to a board fails the run."""

import os
import random
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from inletctl import cli
from inletctl.emu.image import VARIABLE, read_image
from inletctl.house import use_firmware
from inletctl.link.codec import COMMAND_FIELDS, LineSorter, command_line, seal
from inletctl.measure import garbage as runs
from inletctl.measure.forks import fork_map
from inletctl.measure.garbage import CHARGING, EMPTY, Board, Part, run_part, wrong
from inletctl.measure.garbage_lines import FIRST_ID, KIND_NAMES, a_command, garbage, is_command

use_firmware()

from setting_rows import ROW_KEY, ROW_NUMBER, TABLE  # noqa: E402
from settings import Settings  # noqa: E402
from vehicle.line_in import LineIn  # noqa: E402

SEEDS = range(5)


def stream(lines):
    return b"".join(data for _kind, data in lines)


def test_same_seed_gives_the_same_lines_and_another_seed_others():
    assert garbage(50, 3) == garbage(50, 3)
    assert garbage(50, 3) != garbage(50, 4)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_kind_is_there_and_a_line_is_short_on_average(seed):
    lines = garbage(2000, seed)
    assert len(lines) == 2000
    assert {kind for kind, _data in lines} == set(KIND_NAMES)
    assert 15 <= len(stream(lines)) / 2000 <= 30


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_of_it_is_a_command_to_the_page_of_the_protocol_nor_to_the_board(seed):
    data = stream(garbage(2000, seed))
    assert not any(is_command(line) for line in data.split(b"\n"))
    ear = LineIn()
    assert not any(ear.hear(byte) for byte in data)
    assert ear.damaged > 1500


def test_the_board_would_take_what_is_mangled():
    dice = random.Random("garbage test 1")
    ear = LineIn()
    for _ in range(200):
        line = a_command(dice)
        assert is_command(line[:-1]) and is_command(line[:-1].replace(b",", b"\r,"))
        assert not is_command(line[:-2])
        assert [ear.hear(byte) for byte in line].count(True) == 1
        assert ear.index >= 0 and ear.id >= FIRST_ID


@pytest.mark.parametrize("seed", SEEDS)
def test_a_ctrl_c_is_often_there_and_never_first(seed):
    data = stream(garbage(200, seed))
    assert data[0] == 10
    assert data.count(3) > 20


GOOD = Part(
    CHARGING, 10, 200, simulated_s=0.5, late_before=3, late_after=3,
    settings_read=2, settings_wanted=2, least_ma=9900, is_answering=True,
)  # fmt: skip


def test_a_board_that_does_not_mind_is_not_wrong():
    assert wrong(GOOD) == []
    assert wrong(replace(GOOD, name=EMPTY, least_ma=None)) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"late_after": 4}, "late passes went from 3 to 4"),
        ({"late_after": None}, "late passes went from 3 to None"),
        ({"late_before": None, "late_after": None}, "late passes went from None to None"),
        (
            {"settings_changed": ["inlet is (1, 2, 1), not (1, 1, 1)"]},
            "settings changed: inlet is",
        ),
        ({"settings_read": 1}, "told 1 of 2 settings"),
        ({"files_changed": ["settings.bin"]}, "files changed: settings.bin"),
        ({"answered": [77777]}, "answered 1 times, with ids [77777]"),
        ({"resets": 1}, "reset 1 times"),
        ({"death": "its program ended"}, "does not run on: its program ended"),
        ({"words": ["Traceback"]}, "the board says: Traceback"),
        ({"damaged": 2}, "2 lines of the board itself"),
        ({"moved": ["S2 open, lock drive 0"]}, "something moved: S2 open"),
        ({"least_ma": 8999}, "stopped charging: 8999 mA"),
        ({"least_ma": None}, "stopped charging: None"),
        ({"is_answering": False}, "does not answer hello"),
    ],
)
def test_each_thing_that_garbage_does_is_told(changes, words):
    (sentence,) = wrong(replace(GOOD, **changes))
    assert sentence.startswith(CHARGING) and words in sentence


class FakeChip:
    """Time, a flash, and a board that may do something after so many bytes."""

    def __init__(self, rig):
        self.rig = rig
        self.now_ns = 0
        self.watchdog_ns = []
        self.image = None

    def run_until(self, t_ns):
        self.now_ns = t_ns
        self.rig.hear()

    def file_system(self):
        return self.rig.flash


class FakeBoard(Board):
    """A board without a chip: the firmware's own ear, and answers as the desk's; `does` happens at the third line."""

    def __init__(self, does=lambda rig: None):
        self.chip = FakeChip(self)
        self.console = self
        self.replies, self.moved, self.least_ma = [], [], 9900
        self.lines = LineSorter()
        self.lines.on_reply = self.replies.append
        self.lines.on_telemetry = self._hear
        self._word = None
        self.typed = bytearray()
        self.flash = b"flash"
        self.late_passes = 7
        self.values = {}
        self.does = does
        self.heard = 0
        self.told = 0
        self.ear = LineIn()

    @property
    def waiting(self):
        return len(self.typed)

    def send(self, data):
        self.typed += data

    def hear(self):
        """One step: hear some, tell of oneself."""
        for byte in self.typed[:80]:
            if byte == 10:
                self.heard += 1
                if self.heard == 3:
                    self.does(self)
            if self.ear.hear(byte):
                self.obey()
        del self.typed[:80]
        body = {"t": self.chip.now_ns // 1_000_000, "n": self.told, "c": [0] * len(COMMAND_FIELDS), "late": self.late_passes}  # fmt: skip
        self.told += 1
        self.lines.feed(seal(body))

    def obey(self):
        if self.ear.count:
            wanted = Settings(dict(runs._STORED))
            number = self.ear.arguments[0]
            key = next(row[ROW_KEY] for row in TABLE if row[ROW_NUMBER] == number)
            value = self.values.get(key, getattr(wanted, key))
            said = {"re": self.ear.id, "ok": [number, value, int(key in wanted.given)]}
        else:
            said = {"re": self.ear.id, "is": "rp2040 a b c"}
        self.lines.feed(seal(said))


def run_fake(does=lambda rig: None, lines=None):
    told = []
    part = run_part(FakeBoard(does), CHARGING, lines or garbage(120, 1), told.append)
    return part, told


def test_a_board_that_drops_it_all_passes():
    part, told = run_fake()
    assert wrong(part) == []
    assert part.settings_read == part.settings_wanted == len(TABLE)
    assert sum(told) == 120 == sum(part.kinds.values())
    assert (part.late_before, part.late_after) == (7, 7)


def test_a_setting_that_changes_meanwhile_is_seen():
    part, _told = run_fake(lambda rig: rig.values.update(max_current_ma=6000))
    (sentence,) = wrong(part)
    assert "max_current_ma is (2, 6000, 1), not (2, 32000, 1)" in sentence


def test_a_pass_that_comes_late_meanwhile_is_seen():
    part, _told = run_fake(lambda rig: setattr(rig, "late_passes", 8))
    assert ["late passes went from 7 to 8" in one for one in wrong(part)] == [True]


def test_a_command_among_the_garbage_is_seen_by_its_answer():
    lines = garbage(10, 1)
    part, _told = run_fake(lines=[*lines, ("planted", b"\n" + command_line(FIRST_ID, "hello"))])
    assert part.answered == [FIRST_ID] and len(wrong(part)) == 1


def test_a_board_that_is_reset_meanwhile_is_dead_and_says_nothing_of_settings():
    part, _told = run_fake(lambda rig: rig.chip.watchdog_ns.append(5))
    assert part.death and part.resets == 1 and not part.is_answering
    assert len(wrong(part)) >= 4


def test_a_board_that_stops_to_listen_is_dead():
    def deafen(rig):
        rig.hear = lambda: None

    part, _told = run_fake(deafen)
    assert "stopped to listen" in part.death
    assert wrong(part)


def result(sentences):
    part = asdict(GOOD)
    return {"parts": [part, part], "wrong": sentences}


@pytest.mark.parametrize(("sentences", "status"), [([], 0), (["charging: it minds"], 1)])
def test_verb_prints_the_table_and_its_exit_status_is_the_verdict(monkeypatch, sentences, status):
    monkeypatch.setattr(runs, "measure_garbage", lambda *_arguments: result(sentences))
    monkeypatch.setattr("inletctl.emu.image.find_image", lambda _given: None)
    ran = CliRunner().invoke(cli.cli, ["garbage", "--lines", "20"])
    assert ran.exit_code == status
    assert "late passes before, after" in ran.output
    assert ("FAIL" if status else "PASS") + ": 20 lines" in ran.output
    assert all(sentence in ran.output for sentence in sentences)


@pytest.fixture(scope="module")
def board():
    """A board that is ready; whoever uses it works on a fork."""
    made = Board(read_image(Path(os.environ[VARIABLE])), 1)
    made.start()
    return made


@pytest.mark.emulator
@pytest.mark.slow
@pytest.mark.skipif(
    not os.environ.get(VARIABLE),
    reason="no MicroPython image: set MICROPYTHON_UF2 to a UF2 for the Pico, then make unit ARGS='-m emulator'",
)
def test_the_emulated_board_minds_no_garbage_and_a_command_in_it_is_caught(board):
    planted = garbage(4, 2) + [("planted", b"\n" + command_line(FIRST_ID, "rate", (0,)))]
    keys = ("inlet", "max_current_ma")

    def one(task):
        name, lines = task
        if name == CHARGING:
            board.charge()
        return run_part(board, name, lines, lambda _more: None, keys)

    tasks = [(CHARGING, tuple(garbage(12, 1))), (EMPTY, tuple(garbage(20, 1))), (EMPTY, tuple(planted))]  # fmt: skip
    parts = dict(fork_map(one, tasks, 2))
    assert wrong(parts[tasks[0]]) == []
    assert wrong(parts[tasks[1]]) == []
    assert parts[tasks[2]].answered == [FIRST_ID]
