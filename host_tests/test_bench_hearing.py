"""What the bench takes in of the board's lines: where lines of commands are missing, and from when to when."""

import pytest

from inletctl.bench.hearing import Hearing
from inletctl.bench.model import Record
from inletctl.link.codec import Telemetry

LAST = 0x3FFFFFFF


def heard(*lines, first=0):
    """Return the record of lines (t_us, number, kind) after a boot at 0 whose first line has the number `first`."""
    hearing = Hearing(Record("b"))
    hearing.boot(0, first)
    for t_us, number, kind in lines:
        hearing.take(t_us, Telemetry(0, number, kind, (), 0))
    hearing.settle()
    return hearing.record


@pytest.mark.parametrize("first", [0, LAST - 1, LAST])
def test_numbers_in_their_order_miss_nothing(first):
    lines = [(10 * n, (first + n) & LAST, "commands") for n in range(4)]
    record = heard(*lines, first=first)
    assert (record.lost_lines, record.gaps) == (0, [])


def test_lost_lines_may_have_spoken_of_any_time_since_the_last_one_of_commands():
    record = heard(
        (10, 0, "commands"), (20, 1, "readings"), (60, 4, "readings"), (50, 3, "commands")
    )
    assert (record.lost_lines, record.gaps) == (2, [(10, 50)])


def test_a_line_lost_right_behind_readings_that_carry_its_number_is_missed():
    record = heard((10, 0, "commands"), (20, 1, "readings"), (30, 2, "commands"))
    assert (record.lost_lines, record.gaps) == (1, [(10, 30)])


def test_lines_missing_since_the_boot_are_lost_and_a_boot_loses_none():
    hearing = Hearing(Record("b"))
    hearing.boot(0)
    hearing.take(10, Telemetry(0, 2, "commands", (), 0))
    hearing.boot(500)
    hearing.take(510, Telemetry(0, 0, "commands", (), 0))
    assert (hearing.record.lost_lines, hearing.record.gaps) == (2, [(0, 10)])


def test_readings_that_overtook_older_commands_are_put_in_order():
    record = heard((10, 0, "commands"), (40, 2, "readings"), (30, 1, "commands"))
    assert [sample.t_us for sample in record.samples] == [10, 30, 40]
    assert not record.lost_lines


def test_silence_is_missing_since_the_last_word_of_the_board():
    hearing = Hearing(Record("b"))
    hearing.boot(0)
    hearing.take(10, Telemetry(0, 0, "commands", (), 0))
    hearing.take(900, Telemetry(0, 1, "readings", (), 0))
    hearing.silence(3000)
    hearing.take(3010, Telemetry(0, 1, "commands", (), 0))
    assert hearing.record.gaps == [(10, 3000)]
