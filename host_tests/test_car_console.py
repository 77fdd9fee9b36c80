"""The console's words for the car's side: `time` and `now` at the desk, `inletctl clock set` and `charge-now` at a board."""

from datetime import datetime

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from link_bench import FakeBoard, at_the_command_line

from faults import H_NO_CLOCK, H_WINDOW, HOLDS
from inletctl.errors import UserError
from inletctl.link.clock_command import DAYS, charge_now, clock, minute_of_week, parse_at, show
from inletctl.link.refusal_words import WORDS, refusal
from signals import Commands, Readings
from vehicle.console import Report
from vehicle.desk import Desk
from vehicle.protocol import (
    ANY,
    COMMANDS,
    NO_CAR_SIDE,
    NOT_NEEDED,
    OUT_OF_BOUNDS,
    REFUSALS,
    WRONG_ARGUMENTS,
)


class FakeCar:
    def __init__(self):
        self.times = []
        self.nows = 0
        self.stirs = 0
        self.takes = True

    def set_time(self, minute):
        self.times.append(minute)
        return self.takes

    def charge_now(self):
        self.nows += 1
        return self.takes

    def stir(self):
        self.stirs += 1


class Bench:
    def __init__(self, car):
        self.report = Report()
        self.desk = Desk(None, None, self.report, "a b c d", car)
        self.r, self.c = Readings(), Commands()

    def go(self):
        self.desk.tick(10, self.r, self.c, 0)
        said = bytearray()
        while self.report.pending():
            said.append(self.report.take())
        return bytes(said)

    def say(self, word, *numbers):
        """Return what is refused, None where it was obeyed."""
        from inletctl.link.codec import LineSorter, command_line

        for byte in command_line(1, word, numbers):
            self.desk.hear(byte)
        sorter, heard = LineSorter(), []
        sorter.on_reply = heard.append
        sorter.feed(self.go())
        assert len(heard) == 1 and heard[0].id == 1
        return heard[0].no


# the desk


@pytest.mark.parametrize("minute", [0, 1, 10079])
def test_a_time_is_handed_on(minute):
    car = FakeCar()
    assert Bench(car).say("time", minute) is None and car.times == [minute]


@pytest.mark.parametrize("minute", [-1, 10080, 1 << 29])
def test_a_time_outside_the_week_is_refused_and_not_handed_on(minute):
    car = FakeCar()
    assert Bench(car).say("time", minute) == OUT_OF_BOUNDS and car.times == []


def test_what_the_car_does_not_need_is_refused_with_that_reason():
    car = FakeCar()
    car.takes = False
    bench = Bench(car)
    assert bench.say("time", 5) == NOT_NEEDED
    assert bench.say("now") == NOT_NEEDED


def test_now_is_handed_on():
    car = FakeCar()
    assert Bench(car).say("now") is None and car.nows == 1


@pytest.mark.parametrize(("word", "numbers"), [("time", (5,)), ("now", ())])
def test_without_the_cars_side_it_is_refused(word, numbers):
    assert Bench(None).say(word, *numbers) == NO_CAR_SIDE


@pytest.mark.parametrize(("word", "numbers"), [("time", ()), ("time", (1, 2)), ("now", (1,))])
def test_other_numbers_of_values_are_refused(word, numbers):
    car = FakeCar()
    assert Bench(car).say(word, *numbers) == WRONG_ARGUMENTS
    assert not car.times and not car.nows


def test_whatever_is_typed_wakes_once_a_pass():
    car = FakeCar()
    bench = Bench(car)
    bench.go()
    assert car.stirs == 0
    for byte in b"xyz":
        bench.desk.hear(byte)
    bench.go()
    bench.go()
    assert car.stirs == 1


def test_neither_word_can_energise_anything_beyond_a_persons_own_schedule():
    """Both may come at any time, since a window forces the reason "held" only: every other reason stands."""
    assert [row[3] for row in COMMANDS if row[0] in ("time", "now")] == [ANY, ANY]
    assert HOLDS[9][0] == "window" and H_WINDOW == 1 << 9


def test_every_refusal_has_its_words():
    assert set(WORDS) == set(REFUSALS)
    assert "car" in refusal(NO_CAR_SIDE) or "windows" in refusal(NO_CAR_SIDE)


# times in words


@given(st.integers(0, 10079))
def test_a_time_in_words_reads_back(minute):
    assert parse_at(show(minute)) == minute


@pytest.mark.parametrize(
    ("words", "minute"),
    [("Mon 0:00", 0), ("tue 14:05", 1440 + 845), (" SUNDAY  23:59 ", 10079), ("wed 7:30", 3330)],
)
def test_times_of_the_week_are_understood(words, minute):
    assert parse_at(words) == minute


@pytest.mark.parametrize(
    "words",
    [
        "",
        "Mon",
        "14:05",
        "Mo 14:05",
        "Mon 24:00",
        "Mon 1:60",
        "Mon 1:5",
        "Xyz 1:00",
        "Mon 14.05",
        "Mond 1:000",
    ],
)
def test_what_is_no_time_is_one_clear_sentence(words):
    with pytest.raises(UserError, match="is no time of the week: say it as in 'Mon 14:05'"):
        parse_at(words)


def test_a_moment_becomes_its_minute_of_the_week():
    assert minute_of_week(datetime(2024, 1, 1, 0, 0)) == 0
    assert minute_of_week(datetime(2024, 1, 7, 23, 59)) == 10079
    assert DAYS[datetime(2024, 1, 3).weekday()] == "Wednesday"


# at a board


def run(command, *arguments):
    result = CliRunner().invoke(command, list(arguments))
    if isinstance(result.exception, UserError):
        return result.exception.exit_status, str(result.exception)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def board_with(monkeypatch, **settings):
    made = FakeBoard({"inlet": 1, "max_current_ma": 16000, **settings})
    at_the_command_line(monkeypatch, made)
    return made


TUESDAY = {"window_1_days": 2, "window_1_from_min": 60, "window_1_to_min": 120}


def test_a_clock_is_set_and_the_windows_are_kept_from_then_on(monkeypatch):
    board = board_with(monkeypatch, **TUESDAY)
    status, said = run(clock, "set", "--port", "x", "--at", "Mon 12:00")
    assert (status, said.strip()) == (0, "the board's clock: Monday 12:00")
    for _ in range(10):
        board.go()
    assert board.readings.holds & H_WINDOW and not board.readings.holds & H_NO_CLOCK
    run(clock, "set", "--port", "x", "--at", "Tue 1:30")
    for _ in range(10):
        board.go()
    assert not board.readings.holds & (H_WINDOW | H_NO_CLOCK)


def test_without_at_it_is_this_computers_time(monkeypatch):
    board = board_with(monkeypatch, **TUESDAY)
    before = minute_of_week(datetime.now())
    status, said = run(clock, "set", "--port", "x")
    after = minute_of_week(datetime.now())
    assert status == 0 and said.split(": ", 1)[1].strip() in (show(before), show(after))
    assert b'"do":"time"' in board.asked


def test_a_bad_time_never_reaches_the_board(monkeypatch):
    board = board_with(monkeypatch, **TUESDAY)
    status, said = run(clock, "set", "--port", "x", "--at", "noon")
    assert status == 2 and "no time of the week" in said and board.asked == b""


def test_charge_now_lifts_the_window_at_a_board(monkeypatch):
    board = board_with(monkeypatch, **TUESDAY)
    run(clock, "set", "--port", "x", "--at", "Mon 12:00")
    for _ in range(10):
        board.go()
    status, said = run(charge_now, "--port", "x")
    assert status == 0 and "until the plug is pulled" in said
    for _ in range(10):
        board.go()
    assert not board.readings.holds & H_WINDOW
    status, said = run(charge_now, "--port", "x")
    assert status == 1 and "no charge window is waited for" in said


def test_a_board_without_a_cars_side_says_so(monkeypatch):
    board_with(monkeypatch, sleep_after_s=0)
    status, said = run(clock, "set", "--port", "x", "--at", "Mon 12:00")
    assert status == 1 and "none of its settings asks for charge windows" in said
