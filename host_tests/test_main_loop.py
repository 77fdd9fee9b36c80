"""main.py's loop on a fake board: the order of calls, and what happens when something breaks."""

import runpy
import sys

import pytest

from inletctl.house import FIRMWARE

PASS = ["next_pass", "sample", "now_ms", "actuate", "feed_watchdog", "slack"]


class FakeBoard:
    """Lists the calls of the loop; `break_at` names the call that raises."""

    def __init__(self, passes=2, wanted=None, break_at=None, error=None):
        self.calls = []
        self.notes = []
        self.errors = []
        self.actuated = []
        self._left = passes
        self._tick_ms = 0
        self._wanted = {} if wanted is None else wanted
        self._break_at = break_at
        self._error = error

    def _call(self, name):
        self.calls.append(name)
        if name == self._break_at:
            raise self._error

    def settings(self):
        self._call("settings")
        return self._wanted

    def note(self, sentence):
        self._call("note")
        self.notes.append(sentence)

    def next_pass(self):
        self._call("next_pass")
        self._left -= 1
        self._tick_ms += 10
        return self._left >= 0

    def sample(self, readings):
        self._call("sample")

    def now_ms(self):
        self._call("now_ms")
        return self._tick_ms

    def actuate(self, commands):
        self._call("actuate")
        self.actuated.append((commands.s2_close, commands.charger_ma, commands.lock_drive))

    def feed_watchdog(self):
        self._call("feed_watchdog")

    def slack(self):
        self._call("slack")

    def safe(self):
        self.calls.append("safe")

    def failed(self, error):
        self._call("failed")
        self.errors.append(error)


@pytest.fixture
def firmware_main():
    return runpy.run_path(str(FIRMWARE / "main.py"), run_name="openinlet")


class StepError(Exception):
    """Raised by the broken steps below."""


def break_step(firmware_main, where):
    """Replace the step by one that raises in `where`: "init" or "step"."""

    class BrokenStep:
        def __init__(self, settings):
            if where == "init":
                raise StepError

        def step(self, now_ms, readings, commands):
            raise StepError

    firmware_main["run"].__globals__["InletStep"] = BrokenStep


def test_pass_is_sample_step_actuate_and_only_then_the_watchdog(firmware_main):
    board = FakeBoard(passes=3)
    firmware_main["run"](board)
    assert board.calls == ["settings", *PASS, *PASS, *PASS, "next_pass", "safe"]
    assert board.errors == []


def test_blank_readings_energise_nothing(firmware_main):
    board = FakeBoard(passes=300)
    firmware_main["run"](board)
    assert set(board.actuated) == {(False, 0, 0)}


def test_exception_in_the_step_is_safe_first_then_told_and_the_dog_starves(firmware_main):
    break_step(firmware_main, "step")
    board = FakeBoard()
    firmware_main["run"](board)
    assert board.calls == ["settings", "next_pass", "sample", "now_ms", "safe", "failed", "safe"]
    assert [type(error) for error in board.errors] == [StepError]


def test_exception_while_building_is_safe_first_then_told(firmware_main):
    break_step(firmware_main, "init")
    board = FakeBoard()
    firmware_main["run"](board)
    assert board.calls == ["settings", "safe", "failed", "safe"]


@pytest.mark.parametrize("where", ["settings", *PASS])
def test_exception_anywhere_on_the_board_is_safe_before_it_is_told(firmware_main, where):
    error = RuntimeError(where)
    board = FakeBoard(break_at=where, error=error)
    firmware_main["run"](board)
    after = board.calls[board.calls.index(where) + 1 :]
    assert after == ["safe", "failed", "safe"]
    assert board.errors == [error]


def test_telling_that_fails_still_ends_safe(firmware_main):
    break_step(firmware_main, "step")
    board = FakeBoard(break_at="failed", error=OSError("console gone"))
    with pytest.raises(OSError, match="console gone"):
        firmware_main["run"](board)
    assert board.calls[-3:] == ["safe", "failed", "safe"]


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
def test_stop_from_the_console_ends_safe_and_is_passed_on(firmware_main, stop):
    board = FakeBoard(break_at="sample", error=stop())
    with pytest.raises(stop):
        firmware_main["run"](board)
    assert board.calls[-1] == "safe" and "failed" not in board.calls


def test_rejected_settings_are_told_before_the_first_pass(firmware_main):
    board = FakeBoard(passes=1, wanted={"max_current_ma": 99999, "speed": 1})
    firmware_main["run"](board)
    assert board.notes == [
        "max_current_ma: 99999 is outside 6000..80000; 32000 is used",
        "speed: no such setting",
    ]
    assert board.calls.index("next_pass") > board.calls.index("note")


def test_settings_that_contradict_each_other_are_told_too(firmware_main):
    """Each is within its bounds, yet both windows of the lock hold 2700 mV."""
    board = FakeBoard(passes=1, wanted={"lock_unlocked_max_mv": 2700})
    firmware_main["run"](board)
    assert len(board.notes) == 1 and board.errors == []


@pytest.mark.parametrize("platform", ["linux", "rp2", "esp32"])
def test_platform_without_drivers_is_one_sentence(firmware_main, monkeypatch, platform):
    monkeypatch.setattr(sys, "platform", platform)
    with pytest.raises(firmware_main["BoardError"]) as caught:
        firmware_main["open_board"]()
    assert str(caught.value) == (
        "no drivers for platform %s in this version: outputs stay safe" % platform
    )


def test_run_as_main_without_a_board_stops_with_that_sentence():
    with pytest.raises(Exception, match="outputs stay safe"):
        runpy.run_path(str(FIRMWARE / "main.py"), run_name="__main__")
