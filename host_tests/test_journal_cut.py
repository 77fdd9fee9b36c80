"""`inletctl powercut --what journal`, without an emulator: its script on a fake flash, and what the judge makes of its words."""

import types

import pytest
from click.testing import CliRunner
from log_rig import FakeFlash, PowerCut

import drivers.flash_log
from inletctl import cli
from inletctl.house import ROOT
from inletctl.measure import journalcut
from inletctl.measure.journalcut import APPENDS, judge, measure_journal_cuts

SCRIPT = (ROOT / "inletctl/measure/scripts/journal_cut.py").read_text(encoding="utf-8")
STEP_NS = 1000


class FakeBoard:
    """Runs the very script on a flash whose steps are its time."""

    when = "close"
    breaks = False  # throws an acknowledged record away at a cut

    def __init__(self, _image, flash):
        self.files = dict(flash or {})
        self.said = []
        self.acked = self.steps = 0

    def run_to_write(self):
        self._run(0)
        return True

    def run_on(self, length_ns):
        self._run(length_ns // STEP_NS)

    def _run(self, steps):
        """Live the whole life anew up to that step: a script cannot be stopped in between."""
        self.said, self.acked, self.levels = [], 0, []
        self.disk = FakeFlash(self.when, self.files)
        self.disk.steps = steps

        def pin(gpio, mode, value):
            return self._pin(gpio, mode, value)

        pin.OUT = 1
        machine = types.SimpleNamespace(Pin=pin)
        space = {"__name__": "script", "print": self._say, "__builtins__": dict(vars(__import__("builtins")))}  # fmt: skip
        real = space["__builtins__"]["__import__"]

        def take(name, *args):
            if name == "machine":
                return machine
            made = real(name, *args)
            if name == "drivers.flash_log":
                disk = self.disk

                class Log(made.FlashLog):
                    def __init__(self, folder, kept, segments, segment_bytes):
                        super().__init__(folder, kept, segments, segment_bytes, disk)

                return types.SimpleNamespace(FlashLog=Log, DONE=made.DONE)
            return made

        space["__builtins__"]["__import__"] = take
        try:
            exec(compile(SCRIPT, "journal_cut", "exec"), space)
        except PowerCut:
            pass
        self.steps = self.disk.done

    def _pin(self, gpio, _mode, value):
        assert gpio == journalcut.MARK_GPIO and value == 0
        return self._mark

    def _mark(self, level):
        self.levels.append(level)
        self.acked = self.levels.count(0)

    def _say(self, *words):
        self.said.append(" ".join(map(str, words)))

    @property
    def now_ns(self):
        return self.steps * STEP_NS

    def flash(self):
        files = dict(self.disk.files)
        if self.breaks:
            for path in sorted(files):
                files[path] = files[path][:-1]
        return files

    def words(self):
        return next((line for line in self.said if line.startswith("read ")), "nothing")


class TearingBoard(FakeBoard):
    when = "byte"


class LyingBoard(FakeBoard):
    breaks = True


@pytest.mark.parametrize("board", [FakeBoard, TearingBoard])
def test_every_cut_of_the_script_finds_what_was_acknowledged(board):
    told = []
    result = measure_journal_cuts(None, 60, 3, 1, told.append, board)
    assert result["failed"] == result["lost"] == 0, result["wrong"]
    assert 0 < result["acked"] < 60 * APPENDS and result["cuts"] == len(told) == 60
    assert (result["torn"] > 5) == (board is TearingBoard)


def test_a_board_that_loses_what_it_acknowledged_is_found():
    result = measure_journal_cuts(None, 5, 1, 1, lambda sentence: None, LyingBoard)
    assert result["lost"] >= 5 and result["failed"] == 5 and "missing" in result["wrong"][0]


def test_a_script_that_does_not_run_is_told():
    class Dead(FakeBoard):
        def run_to_write(self):
            return False

    with pytest.raises(RuntimeError, match="does not run"):
        measure_journal_cuts(None, 1, 1, 1, lambda sentence: None, Dead)


@pytest.mark.parametrize(
    "words, lost, why",
    [
        ("read 30 0 0 1 0 ", 0, ""),
        ("read 31 0 0 1 1", 0, ""),
        ("read 29 0 0 1 0 ", 1, "missing"),
        ("read 30 2 0 1 0 ", 2, "missing"),
        ("read 32 0 0 1 0 ", 0, "never begun"),
        ("read 30 0 1 1 0 ", 0, "torn"),
        ("read 30 0 0 0 0 ", 0, "state"),
        ("read 30 0 0 1 0 journal: /journal/0.log is damaged", 0, "aside"),
        ("said nothing: []", 0, "said nothing"),
        ("read corrupt", 0, "said nothing"),
    ],
)
def test_words_are_judged(words, lost, why):
    found = judge(words, 30)
    assert found[0] == lost and (why in found[2] if why else found[2] == "")


@pytest.mark.parametrize("failed, status", [(0, 0), (1, 1)])
def test_command_says_it_in_one_line(monkeypatch, failed, status):
    def measure(image, cuts, seed, jobs, tell):
        tell("power cut 1 of 1")
        return {"cuts": cuts, "seed": seed, "appends": 24, "write_ms": 9.5, "acked": 12, "lost": failed, "torn": 0,
                "failed": failed, "wrong": ["cut 0: gone"] * failed}  # fmt: skip

    monkeypatch.setattr(journalcut, "measure_journal_cuts", measure)
    monkeypatch.setattr("inletctl.emu.image.find_image", lambda given: None)
    done = CliRunner().invoke(cli.cli, ["powercut", "--what", "journal", "--cuts", "1"])
    assert done.exit_code == status and "1 power cuts within 9.5 ms of 24 appends" in done.output
    assert ("cut 0: gone" in done.output) == bool(failed)


def test_what_the_script_imports_is_on_its_board_whether_or_not_the_firmware_uses_it():
    from inletctl.measure.bench_board import files_with

    files = files_with("journal_cut")
    assert b"journal_cut" in files["main.py"] and "journal_cut.mpy" in files
    held = b"".join(files.values())
    for name in (b"FlashLog", b"Cursor", b"newest", b"DONE"):
        assert name in held


def test_script_counts_as_the_host_does():
    assert "\nAPPENDS = %d\n" % APPENDS in SCRIPT
    assert "\nMARK_GPIO = %d\n" % journalcut.MARK_GPIO in SCRIPT
    assert drivers.flash_log.DONE == 0
