"""main.py's loop on a fake board: the order of calls, and what happens when something breaks."""

import json
import runpy
import sys
from itertools import pairwise

import pytest

from faults import H_CAN_BUS, H_CAR_STARTING, H_LINES, H_NO_CLOCK, H_OUT_OF_SERVICE
from inletctl.house import FIRMWARE
from inletctl.link.codec import command_line
from settings import CAN_DIALECTS, Settings
from signals import Readings
from vehicle import loader

PASS = ["next_pass", "sample", "now_ms", "actuate", "feed_watchdog", "talk", "slack"]


# Settings that ask for nothing of the car's side.
NO_CAR = {"sleep_after_s": 0}
# Steps of loading it: the memory, its parts (below), and the whole of it.
CAR_STEPS = 7


class FakeBoard:
    """Lists the calls of the loop; `break_at` names the call that raises."""

    can = lines = None  # what open_can and open_lines return

    def __init__(self, passes=2, wanted=None, break_at=None, error=None):
        self.calls = []
        self.notes = []
        self.errors = []
        self.actuated = []
        self.late = 0
        self.crashes = 0
        self.words = ""  # no console
        self.may_collect = []
        self.heard = bytearray()
        self.typed = bytearray()
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

    def stop_watchdog(self):
        self._call("stop_watchdog")

    def talk(self, report):
        self._call("talk")
        while report.pending():
            self.heard.append(report.take())

    def slack(self, may_collect):
        self._call("slack")
        self.may_collect.append(may_collect)

    def open_can(self, rate_kbps):
        self._call("open_can")
        self.rate_kbps = rate_kbps
        return self.can

    def open_lines(self):
        self._call("open_lines")
        return self.lines

    def close_demand(self):
        self._call("close_demand")

    def begin_long(self):
        self._call("begin_long")

    def end_long(self):
        self._call("end_long")

    def hear(self, desk):
        self._call("hear")
        while self.typed and not desk.is_full:
            desk.hear(self.typed.pop(0))

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


def test_ctrl_c_is_safe_first_then_stops_the_watchdog_and_is_passed_on(firmware_main):
    board = FakeBoard(break_at="sample", error=KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        firmware_main["run"](board)
    after = board.calls[board.calls.index("sample") + 1 :]
    assert after == ["safe", "stop_watchdog", "note", "safe"]
    assert "every output is released" in board.notes[-1]


def test_a_reset_asked_for_from_the_console_ends_safe_and_the_dog_goes_on(firmware_main):
    board = FakeBoard(break_at="sample", error=SystemExit())
    with pytest.raises(SystemExit):
        firmware_main["run"](board)
    assert board.calls[-1] == "safe"
    assert not {"failed", "stop_watchdog"} & set(board.calls)


def test_every_pass_is_reported_as_it_was(firmware_main):
    board = FakeBoard(passes=120)
    firmware_main["run"](board)
    lines = [json.loads(line) for line in board.heard.decode().splitlines()]
    assert lines[0]["t"] == 10 and lines[0]["c"][0] == 0
    assert lines[-1]["t"] >= 1000


def test_board_with_a_console_gets_its_desk_once_the_loop_runs_and_answers(firmware_main):
    board = FakeBoard(passes=300, wanted=NO_CAR)
    board.words = "rp2040 bench e6"
    board.typed += command_line(1, "hello")
    firmware_main["run"](board)
    assert board.calls.index("begin_long") > len(PASS) * 50 and board.calls.count("end_long") == 3
    lines = [json.loads(line) for line in board.heard.decode().splitlines()]
    assert [line["is"] for line in lines if "is" in line] == ["rp2040 bench e6 unknown"]
    assert board.errors == []


def test_between_the_cars_side_and_the_desk_the_car_is_heard_for_half_a_second(firmware_main):
    board = FakeBoard(passes=300, wanted=WINDOW)
    board.words = "rp2040 bench e6"
    firmware_main["run"](board)
    passes = [
        board.calls[:at].count("actuate")
        for at, call in enumerate(board.calls)
        if call == "begin_long"
    ]
    gaps = [after - before for before, after in pairwise(passes)]
    assert max(gaps) == firmware_main["DESK_AFTER"] + 1
    assert len(gaps) - gaps.index(max(gaps)) == 3, "the desk's three steps come after it"
    assert max(gaps[: gaps.index(max(gaps))]) == firmware_main["CAR_EVERY"]


def test_a_desk_that_cannot_be_loaded_is_told_and_the_inlet_goes_on(firmware_main, monkeypatch):
    monkeypatch.setitem(sys.modules, "vehicle.desk", None)
    board = FakeBoard(passes=300, wanted=NO_CAR)
    board.words = "rp2040 bench e6"
    firmware_main["run"](board)
    assert board.calls.count("actuate") == 300 and board.errors == []
    assert "nobody can ask this board anything" in board.notes[-1]
    assert board.calls.count("begin_long") == 3


def test_desk_is_not_opened_while_anything_is_energised(firmware_main):
    class Step:
        def __init__(self, settings):
            pass

        def step(self, now_ms, readings, commands):
            commands.s2_close = True

    firmware_main["run"].__globals__["InletStep"] = Step
    board = FakeBoard(passes=300)
    board.words = "rp2040 bench e6"
    firmware_main["run"](board)
    assert "begin_long" not in board.calls and "hear" not in board.calls


def test_garbage_may_be_collected_only_while_nothing_is_energised(firmware_main):
    class Step:
        def __init__(self, settings):
            self.passes = 0

        def step(self, now_ms, readings, commands):
            self.passes += 1
            commands.s2_close = self.passes == 2
            commands.lock_drive = -1 if self.passes == 3 else 0

    firmware_main["run"].__globals__["InletStep"] = Step
    board = FakeBoard(passes=4)
    firmware_main["run"](board)
    assert board.may_collect == [True, False, False, True]


def test_rejected_settings_are_told_before_the_first_pass(firmware_main):
    board = FakeBoard(passes=1, wanted={"max_current_ma": 99999, "speed": 1})
    firmware_main["run"](board)
    assert board.notes == [
        "max_current_ma: 99999 is outside 6000..80000; 32000 is used",
        "speed: no such setting",
    ]
    assert board.calls.index("next_pass") > board.calls.index("note")


@pytest.mark.parametrize("error", [ValueError("x"), OSError(5), ImportError("x"), MemoryError()])
def test_settings_that_cannot_be_read_refuse_and_the_loop_runs(firmware_main, error):
    """A board loads the store's code for them."""
    board = FakeBoard(passes=1)

    def settings():
        raise error

    board.settings = settings
    firmware_main["run"](board)
    assert board.errors == [] and any("cannot be read" in note for note in board.notes)


def test_the_table_of_settings_is_forgotten_behind_whoever_asks_for_it_at_boot(
    firmware_main, monkeypatch
):
    """Where the windows of the lock contradict each other the step asks for the defaults."""
    order = []
    run = firmware_main["run"].__globals__
    step = run["InletStep"]

    def make(settings):
        made = step(settings)
        order.append("step")
        return made

    monkeypatch.setitem(run, "InletStep", make)
    monkeypatch.setitem(run, "unload", order.append)
    run["run"](FakeBoard(passes=1, wanted={"lock_unlocked_max_mv": 2700}))
    assert order.index("setting_rows") > order.index("step")


def test_settings_that_contradict_each_other_are_told_too(firmware_main):
    """Each is within its bounds, yet both windows of the lock hold 2700 mV."""
    board = FakeBoard(passes=1, wanted={"lock_unlocked_max_mv": 2700})
    firmware_main["run"](board)
    assert len(board.notes) == 1 and board.errors == []


def test_platform_without_drivers_is_one_sentence(firmware_main, monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    with pytest.raises(firmware_main["BoardError"]) as caught:
        firmware_main["open_board"]()
    assert str(caught.value) == "no drivers for platform linux in this version: outputs stay safe"


@pytest.mark.parametrize("platform", ["rp2", "esp32"])
def test_a_flash_that_boot_could_not_finish_keeps_the_board_from_running(
    firmware_main, monkeypatch, platform
):
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr("drivers.pending.is_committed", lambda: True)
    with pytest.raises(firmware_main["BoardError"], match="interrupted flash is not finished"):
        firmware_main["open_board"]()


@pytest.mark.parametrize("platform", ["rp2", "esp32"])
def test_a_board_without_its_board_file_is_one_sentence(
    firmware_main, monkeypatch, tmp_path, platform
):
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(firmware_main["BoardError"], match=r"board\.json is missing"):
        firmware_main["open_board"]()


def test_a_wrong_board_file_is_told_by_its_entry(firmware_main, monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "platform", "rp2")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "board.json").write_text('{"schema": 1, "name": 7}', encoding="utf-8")
    with pytest.raises(firmware_main["BoardError"], match=r"^board\.json: .*; outputs stay safe$"):
        firmware_main["open_board"]()


def test_a_board_that_cannot_be_used_says_so_again_and_again(firmware_main, monkeypatch, capsys):
    told = []

    def sleep(seconds):
        told.append(seconds)
        if len(told) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr("time.sleep", sleep)
    monkeypatch.setattr(sys, "platform", "linux")
    with pytest.raises(KeyboardInterrupt):
        firmware_main["start"]()
    assert capsys.readouterr().out.count("no drivers for platform linux") == 3


def test_run_as_main_on_the_web_without_a_link_stops_at_once(monkeypatch):
    monkeypatch.setattr(sys, "platform", "webassembly")
    with pytest.raises(ImportError):
        runpy.run_path(str(FIRMWARE / "main.py"), run_name="__main__")


# The car's side


def watch_readings(firmware_main, energised=False):
    """Replace the step by one that keeps the holds of every pass."""
    seen = []

    class Step:
        def __init__(self, settings):
            pass

        def step(self, now_ms, readings, commands):
            seen.append(readings.holds)
            commands.s2_close = energised

    firmware_main["run"].__globals__["InletStep"] = Step
    return seen


WINDOW = {"window_1_days": 127, "window_1_from_min": 60, "window_1_to_min": 61}


def test_where_no_setting_asks_for_the_cars_side_none_is_loaded(firmware_main):
    seen = watch_readings(firmware_main)
    board = FakeBoard(passes=300, wanted=NO_CAR)
    firmware_main["run"](board)
    assert set(seen) == {0} and "begin_long" not in board.calls


def test_where_charging_depends_on_it_it_is_held_until_every_part_is_there(firmware_main):
    seen = watch_readings(firmware_main)
    board = FakeBoard(passes=150, wanted=WINDOW)
    firmware_main["run"](board)
    first = seen.index(H_NO_CLOCK)
    assert seen == [H_CAR_STARTING] * first + [H_NO_CLOCK] * (150 - first)
    assert board.calls.count("begin_long") == board.calls.count("end_long") == CAR_STEPS
    # After the boot, a step every third pass; then each room is asked.
    assert first == 50 + CAR_STEPS * 3 + 4 and board.notes == []


def test_what_only_comforts_comes_after_the_boot_and_before_the_desk(firmware_main):
    seen = watch_readings(firmware_main)
    board = FakeBoard(passes=300, wanted={"sleep_after_s": 300})
    board.words = "rp2040 bench e6"
    firmware_main["run"](board)
    assert set(seen) == {0}
    assert board.calls.index("begin_long") > len(PASS) * 49
    assert board.calls.count("begin_long") == CAR_STEPS + 3
    assert "hear" in board.calls


def test_it_is_not_loaded_while_anything_is_energised(firmware_main):
    seen = watch_readings(firmware_main, energised=True)
    board = FakeBoard(passes=300, wanted=WINDOW)
    firmware_main["run"](board)
    assert "begin_long" not in board.calls and set(seen) == {H_CAR_STARTING}


@pytest.mark.parametrize(
    "error", [MemoryError(), ImportError("no"), RuntimeError("x"), OSError(5)]
)
@pytest.mark.parametrize("part", ["vehicle.schedule", "vehicle.car"])
def test_a_cars_side_that_cannot_be_loaded_holds_for_ever_and_is_told_once(
    firmware_main, monkeypatch, error, part
):
    seen = watch_readings(firmware_main)
    real = __import__

    def broken(name, *rest):
        if name == part:
            raise error
        return real(name, *rest)

    monkeypatch.setattr("builtins.__import__", broken)
    board = FakeBoard(passes=300, wanted=WINDOW)
    firmware_main["run"](board)
    assert set(seen) == {H_CAR_STARTING} and board.errors == []
    assert len(board.notes) == 1
    assert "the car's side cannot be loaded" in board.notes[0]
    assert board.notes[0].endswith("charging is refused")


def test_where_only_comfort_is_lost_charging_goes_on(firmware_main, monkeypatch):
    monkeypatch.setitem(sys.modules, "vehicle.car", None)
    seen = watch_readings(firmware_main)
    board = FakeBoard(passes=300, wanted={"sleep_after_s": 300})
    firmware_main["run"](board)
    assert set(seen) == {0}
    assert board.notes[0].endswith("the inlet charges without")


def test_a_board_that_cannot_open_its_lines_holds_for_ever(firmware_main):
    seen = watch_readings(firmware_main)
    board = FakeBoard(
        passes=300, wanted={"lines_used": 1}, break_at="open_lines", error=OSError(5)
    )
    firmware_main["run"](board)
    assert set(seen) == {H_CAR_STARTING} and board.errors == []


@pytest.mark.parametrize(
    ("wanted", "opened"),
    [
        (WINDOW, []),
        ({"can": 1}, ["open_can"]),
        ({"modem": 1}, ["open_can"]),
        ({"lines_used": 4}, ["open_lines"]),
        ({"heater": 1}, ["open_lines"]),
        ({"door": 1}, ["open_lines"]),
        ({"can": 2, "lines_used": 4}, ["open_can", "open_lines"]),
    ],
)
def test_only_what_the_settings_ask_for_is_opened(firmware_main, wanted, opened):
    board = FakeBoard(passes=150, wanted=wanted)
    firmware_main["run"](board)
    assert [call for call in board.calls if call.startswith("open_")] == opened
    assert board.errors == []


@pytest.mark.parametrize(("can", "closed"), [(0, 0), (1, 1), (2, 1), (3, 1)])
def test_demand_line_is_read_no_more_where_can_is_chosen(firmware_main, can, closed):
    board = FakeBoard(passes=150, wanted={"can": can, "modem": 1})
    firmware_main["run"](board)
    assert board.calls.count("close_demand") == closed


@pytest.mark.parametrize(("rate", "kbps"), [(0, 125), (1, 250), (2, 500), (3, 1000)])
def test_can_is_opened_at_the_rate_of_the_settings(firmware_main, rate, kbps):
    board = FakeBoard(passes=150, wanted={"can": 1, "can_rate": rate})
    firmware_main["run"](board)
    assert board.rate_kbps == kbps


def test_a_board_without_the_methods_has_neither(firmware_main, monkeypatch):
    monkeypatch.delattr(FakeBoard, "open_can")
    monkeypatch.delattr(FakeBoard, "open_lines")
    monkeypatch.delattr(FakeBoard, "close_demand")
    seen = watch_readings(firmware_main)
    board = FakeBoard(passes=150, wanted={"can": 1, "lines_used": 4})
    firmware_main["run"](board)
    assert board.errors == [] and len(board.notes) == 2
    assert seen[-1] == H_CAN_BUS | H_LINES


@pytest.mark.parametrize("dialect", range(len(CAN_DIALECTS)))
def test_every_part_that_is_loaded_by_name_is_there(dialect):
    assert len(loader.DIALECT_PARTS) == len(CAN_DIALECTS)
    wanted = {"can": dialect, "modem": 1, "heater": 1, "door": 1}
    for part in loader._car_parts(Settings(wanted)):
        assert (FIRMWARE / (part.replace(".", "/") + ".py")).is_file(), part


def test_the_car_is_filled_before_the_step_and_served_after_the_watchdog(firmware_main):
    class Lines:
        ok, inputs, outputs = True, 127, 0

        def tick(self, now_ms):
            board.calls.append("lines")

    board = FakeBoard(passes=150, wanted={"lines_used": 1})
    board.lines = Lines()
    firmware_main["run"](board)
    last = board.calls[-len(PASS) - 3 : -2]
    assert last == [
        "next_pass", "sample", "now_ms", "lines", "actuate", "feed_watchdog", "talk", "slack",
    ]  # fmt: skip


class PortFile:
    def __init__(self, payload):
        self.payload = payload

    def read(self):
        if isinstance(self.payload, Exception):
            raise self.payload
        return self.payload


@pytest.mark.parametrize(
    ("payload", "holds"),
    [
        (None, 0),
        (b"\x01\x00" + bytes(10), 0),
        (b"\x01\x01\x01" + bytes(9), H_OUT_OF_SERVICE),
        (b"", H_OUT_OF_SERVICE),
        (OSError(5), H_OUT_OF_SERVICE),
        (ValueError("damaged"), H_OUT_OF_SERVICE),
        (MemoryError(), H_OUT_OF_SERVICE),
    ],
)
def test_port_records_that_cannot_be_read_take_the_port_out_of_service(
    firmware_main, payload, holds
):
    board = FakeBoard()
    board.port_store = lambda: PortFile(payload)
    readings = Readings()
    firmware_main["Ports"](board, readings)
    assert readings.port_holds == holds
    is_told = payload == b"" or isinstance(payload, Exception)
    told = [note for note in board.notes if note.startswith("port records cannot be read")]
    assert len(told) == is_told
