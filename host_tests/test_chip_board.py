"""drivers.chip_board: what the boards of both chips say, hear and keep, on a chip made of plain Python."""

import importlib
import sys
import time
from types import SimpleNamespace

import pytest
from board_fakes import FakeConsole


class Clock:
    """Time that passes a little at every look, and more at every look at the console."""

    def __init__(self):
        self.now_us = 5_000_000
        self.byte_us = 0

    def ticks_us(self):
        self.now_us += 5
        return self.now_us & 0x3FFFFFFF

    def ticks_ms(self):
        return self.now_us // 1000 & 0x3FFFFFFF

    def look(self):
        self.now_us += self.byte_us


class Store:
    def __init__(self):
        self.calls = []

    def write(self, values, is_idle):
        self.calls.append(("write", values, is_idle))

    def forget(self, is_idle):
        self.calls.append(("forget", is_idle))


class Bench:
    def __init__(self, monkeypatch):
        self.clock = Clock()
        self.console = FakeConsole()
        self.console.install(monkeypatch)
        self.console.on_look = self.clock.look
        self.store = Store()
        self.log = []
        machine = SimpleNamespace(
            PWM=None, Pin=SimpleNamespace(IN=0, PULL_DOWN=2), unique_id=lambda: b"\xe6\x01",
            reset=lambda: self.log.append("reset"),
        )  # fmt: skip
        monkeypatch.setitem(sys.modules, "machine", machine)
        monkeypatch.setattr(time, "ticks_us", self.clock.ticks_us, raising=False)
        monkeypatch.setattr(time, "ticks_ms", self.clock.ticks_ms, raising=False)
        for name in ("drivers.chip_board", "drivers.safe_pins"):
            monkeypatch.delitem(sys.modules, name, raising=False)
        module = importlib.import_module("drivers.chip_board")
        monkeypatch.setattr(module, "release_all", lambda: self.log.append("released"))

        bench = self

        class Board(module.ChipBoard):
            def _begin(self):
                self._watchdog = SimpleNamespace(feed=lambda: bench.log.append("fed"))

            def stop_watchdog(self):
                bench.log.append("watchdog stopped")

        self.board = Board(SimpleNamespace(chip="rp2040", name="bench"), self.store)
        self.board._start_clock()
        self.board.next_pass()
        self.heard = bytearray()
        self.wanted = 0  # the most that the report was asked to make at a time
        self.is_full = False
        self.is_at_rest = True
        self.stops = 0

    # A report and a desk.
    def pending(self, wanted):
        self.wanted = max(self.wanted, wanted)
        return min(self.left, wanted)

    def take(self):
        self.left -= 1
        return 65

    def hear(self, byte):
        self.heard.append(byte)

    def stop(self):
        self.stops += 1

    def passes(self, count):
        for _ in range(count):
            self.board.next_pass()
            self.board.hear(self)

    def type(self, data):
        self.console.typed += data


@pytest.fixture
def bench(monkeypatch):
    yield Bench(monkeypatch)
    for name in ("drivers.chip_board", "drivers.safe_pins"):
        sys.modules.pop(name, None)


def test_board_says_who_it_is(bench):
    assert (bench.board.words, bench.board.board_id) == ("rp2040 bench e601", "e601")


def test_talk_sends_all_that_waits_while_the_period_leaves_time(bench):
    bench.left = 30
    bench.board.talk(bench)
    assert bench.left == 0 and len(bench.console.said) == 30


def test_talk_sends_2_bytes_in_a_pass_without_time_and_never_more_than_64(bench):
    bench.left = 200
    bench.board.talk(bench)
    assert bench.left == 136
    bench.clock.now_us += 9_500
    bench.board.talk(bench)
    assert bench.left == 134


def test_where_the_period_is_over_no_more_is_made_than_is_sent(bench):
    """What is made ahead takes time that a late pass has not: up to four numbers of a line."""
    bench.left = 200
    bench.clock.now_us += 9_500
    bench.board.talk(bench)
    assert bench.left == 198 and bench.wanted == 2


def test_talk_takes_nothing_while_the_host_has_no_room(bench):
    bench.left, bench.console.has_room = 30, False
    bench.board.talk(bench)
    assert bench.left == 30


def test_hear_hands_over_what_was_typed_in_order(bench):
    bench.type(b"hello\n")
    bench.passes(1)
    assert bench.heard == b"hello\n"


def test_hear_stops_where_a_command_waits(bench):
    bench.type(b"hello\n")
    bench.is_full = True
    bench.passes(3)
    assert bench.heard == b"" and bench.console.typed == b"hello\n"


def test_a_flood_never_makes_a_pass_late(bench):
    bench.clock.byte_us = 400
    bench.type(bytes(range(4, 256)) * 40)
    for _ in range(100):
        bench.board.next_pass()
        bench.clock.now_us += 6_000
        bench.board.hear(bench)
    assert bench.board.late == 0 and len(bench.heard) > 300


def test_one_byte_is_heard_in_a_pass_without_time(bench):
    bench.type(b"hello")
    bench.board.next_pass()
    bench.clock.now_us += 9_500
    bench.board.hear(bench)
    assert bench.heard == b"h"


def test_a_byte_3_does_not_interrupt_by_itself_while_the_loop_runs_and_does_afterwards(bench):
    assert bench.console.interrupt == -1
    bench.board.safe()
    assert bench.console.interrupt == 3 and bench.log == ["released"]


def test_ctrl_c_of_a_hand_ends_the_loop(bench):
    bench.passes(10)
    bench.type(b"\x03")
    with pytest.raises(KeyboardInterrupt):
        bench.passes(6)


def test_ctrl_c_of_mpremote_ends_the_loop_and_leaves_it_its_next_byte(bench):
    bench.passes(10)
    bench.type(b"\r\x03\r\x01")
    with pytest.raises(KeyboardInterrupt):
        bench.passes(2)
    assert bench.console.typed == b"\x01"


def test_ctrl_c_that_waited_for_the_desk_to_be_loaded_counts(bench):
    bench.type(b"\r\x03\r\x01")
    with pytest.raises(KeyboardInterrupt):
        bench.passes(2)


def test_ctrl_c_while_charging_stops_charging_first(bench):
    bench.passes(10)
    bench.is_at_rest = False
    bench.type(b"\r\x03\r\x01")
    bench.passes(300)
    assert bench.stops == 1 and bench.console.typed == b"\x01"
    bench.is_at_rest = True
    with pytest.raises(KeyboardInterrupt):
        bench.passes(1)


def test_carriage_returns_make_no_pause(bench):
    bench.passes(10)
    for _ in range(200):
        bench.type(b"\r\r")
        bench.passes(1)
    bench.type(b"\x03\x03")
    bench.passes(9)


def test_ctrl_c_within_a_stream_is_a_byte_like_any_other(bench):
    bench.passes(10)
    for _ in range(200):
        bench.type(b"x\x03\r\x03\x03")
        bench.passes(1)
    bench.passes(9)
    bench.type(b"\x03")
    bench.passes(5)


def test_a_stream_that_begins_with_ctrl_c_ends_nothing(bench):
    bench.passes(10)
    bench.type(b"\x03abc")
    bench.passes(20)
    assert bench.heard == b"\x03abc"


def test_settings_are_written_and_forgotten_by_the_store(bench):
    bench.board.store({"inlet": 1})
    bench.board.forget()
    assert bench.store.calls == [("write", {"inlet": 1}, True), ("forget", True)]


def test_restart_lets_go_of_everything_first_and_is_no_crash(bench):
    bench.board.restart()
    assert bench.log == ["released", "watchdog stopped", "reset"]


def test_work_that_took_long_on_purpose_is_not_late(bench):
    bench.board.begin_long()
    bench.clock.now_us += 300_000
    bench.board.end_long()
    bench.board.next_pass()
    assert bench.board.late == 0
    bench.clock.now_us += 300_000
    bench.board.next_pass()
    assert bench.board.late == 1


def test_work_that_took_no_time_leaves_the_schedule_as_it_is(bench):
    begun_us = bench.clock.now_us
    for _ in range(50):
        bench.board.begin_long()
        bench.board.end_long()
        bench.board.next_pass()
    assert abs(bench.clock.now_us - begun_us - 500_000) < 11_000
