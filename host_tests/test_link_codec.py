"""inletctl.link.codec: lines of the protocol made, read and sorted, whatever comes down the wire."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inletctl.link.codec import (
    LINE_MAX,
    LineSorter,
    Reply,
    Telemetry,
    command_line,
    crc16,
    parse_line,
    seal,
    tick_diff,
)
from signals import Commands
from vehicle.console import Report
from vehicle.protocol import READINGS

SMALL = st.integers(0, 0x3FFFFFFF)
NUMBER = st.integers(-0x40000000, 0x3FFFFFFF)


def telemetry_line(number=7, kind="c", count=16, t_ms=1000):
    return seal({"t": t_ms, "n": number, kind: [*range(count)], "late": 0})


LINES = (
    telemetry_line(),
    telemetry_line(8, "r", len(READINGS)),
    seal({"re": 7, "ok": [1, -2]}),
    seal({"re": 7, "ok": []}),
    seal({"re": 8, "no": 3}),
    seal({"re": 9, "is": "rp2040 bench e66 abc"}),
)


class Heard:
    def __init__(self):
        self.said = []
        self.words = []
        self.sorter = LineSorter()
        self.sorter.on_telemetry = self.said.append
        self.sorter.on_reply = self.said.append
        self.sorter.on_words = self.words.append

    def feed(self, *data):
        for one in data:
            self.sorter.feed(one)
        return self


def test_the_check_sum_is_the_published_one():
    assert crc16(b"123456789") == 0x29B1


def test_a_command_is_written_as_the_protocol_shows_it():
    body = b'{"v":1,"id":7,"do":"set","a":[2,16000]'
    assert command_line(7, "set", (2, 16000)) == body + b',"x":"%04x"}\n' % crc16(body)


@given(SMALL, SMALL, st.lists(NUMBER, min_size=16, max_size=16), SMALL)
def test_a_line_of_commands_comes_back_as_it_was_sent(t_ms, number, values, late):
    line = seal({"t": t_ms, "n": number, "c": values, "late": late})
    assert parse_line(line[:-1]) == Telemetry(t_ms, number, "commands", tuple(values), late)


@pytest.mark.parametrize(
    ("name", "value"), [("pilot_count", 6), ("pilot_count", -1), ("pp_mv", 1 << 30)]
)
def test_a_reading_that_no_board_has_is_damage(name, value):
    values = [0] * len(READINGS)
    values[READINGS.index(name)] = value
    with pytest.raises(ValueError, match="no board has"):
        parse_line(seal({"t": 1, "n": 1, "r": values, "late": 0})[:-1])


def test_what_the_firmware_writes_is_read():
    commands = Commands()
    commands.s2_close = True
    commands.lock_drive = -1
    commands.reasons = (1 << 27) - 1
    commands.hottest_decic = -400
    writer = Report()
    writer.tick(98765, commands, 12)
    data = bytearray()
    while writer.pending():
        data.append(writer.take())
    told = parse_line(bytes(data).rstrip(b"\n"))
    assert isinstance(told, Telemetry)
    assert (told.t_ms, told.number, told.late) == (98765, 0, 12)
    assert (told.values[0], told.values[2]) == (1, -1)
    assert (told.values[12], told.values[14]) == ((1 << 27) - 1, -400)


@given(st.lists(NUMBER, min_size=len(READINGS), max_size=len(READINGS)))
def test_a_line_of_readings_comes_back_as_it_was_sent(values):
    values[READINGS.index("pilot_count")] %= 6
    line = seal({"t": 1, "n": 2, "r": values, "late": 3})
    assert parse_line(line[:-1]) == Telemetry(1, 2, "readings", tuple(values), 3)


@given(SMALL, st.lists(NUMBER, max_size=len(READINGS)), SMALL)
def test_answers_come_back_as_they_were_sent(number, values, why):
    assert parse_line(seal({"re": number, "ok": values})[:-1]) == Reply(number, ok=tuple(values))
    assert parse_line(seal({"re": number, "no": why})[:-1]) == Reply(number, no=why)


def test_the_words_of_hello_may_hold_any_letters():
    body = '{"v":1,"re":1,"is":"esp32 Prüfstand e66 abc"'.encode()
    assert parse_line(body + b',"x":"%04x"}' % crc16(body)).words == "esp32 Prüfstand e66 abc"


@given(st.binary(max_size=400))
def test_no_bytes_do_more_than_be_refused(data):
    try:
        parse_line(data)
    except ValueError:
        pass
    Heard().feed(data, b"\n", data, LINES[0])


@given(st.lists(st.binary(max_size=60), max_size=20))
def test_what_is_said_does_not_depend_on_how_it_is_cut(pieces):
    data = b"".join(pieces) + b"\n" + b"".join(LINES)
    whole, cut = Heard().feed(data), Heard().feed(*(data[n : n + 1] for n in range(len(data))))
    assert whole.said == cut.said
    assert whole.sorter.damaged == cut.sorter.damaged
    assert whole.said[-len(LINES) :] == [parse_line(line[:-1]) for line in LINES]


@pytest.mark.parametrize("line", LINES)
def test_any_one_flipped_bit_is_found(line):
    meant = parse_line(line[:-1])
    after = telemetry_line(100)
    for bit in range(len(line) * 8):
        flipped = bytearray(line)
        flipped[bit // 8] ^= 1 << bit % 8
        heard = Heard().feed(bytes(flipped), after, LINES[2])
        assert heard.sorter.damaged, bit
        assert meant not in heard.said[: len(heard.said) - 1], bit
        assert heard.said[-1] == parse_line(LINES[2][:-1]), bit


@pytest.mark.parametrize("line", LINES)
def test_any_truncated_line_is_found(line):
    for length in range(len(b'{"v":'), len(line) - 1):
        with pytest.raises(ValueError, match="damaged"):
            parse_line(line[:length])


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"v": 2, "t": 1, "n": 1, "c": [0] * 16, "late": 0}, "speaks version 2"),
        ({"t": 1, "n": 1, "c": [0] * 15, "late": 0}, "15 numbers where this tool knows 16"),
        (
            {"t": 1, "n": 1, "r": [0] * 19, "late": 0},
            "19 numbers where this tool knows %d" % len(READINGS),
        ),
        ({"t": 1, "n": 1, "c": [0.5] * 16, "late": 0}, "no known form"),
        ({"re": 1}, "no known form"),
        ({"hello": 1}, "no known form"),
    ],
)
def test_a_line_of_another_version_says_what_to_do(body, words):
    with pytest.raises(ValueError, match=words):
        parse_line(seal(body)[:-1])


def test_words_for_a_person_are_told_as_such():
    heard = Heard().feed(b"stored settings: none\r\n\r\n>>> ")
    assert heard.words == ["stored settings: none"]
    assert heard.sorter.unfinished == ">>> "
    assert not heard.sorter.damaged


def test_a_line_that_a_reset_cut_costs_only_itself():
    heard = Heard().feed(LINES[0][:40], b"MPY: soft reboot", LINES[1], b">>> " + LINES[2])
    assert heard.said == [parse_line(LINES[1][:-1]), parse_line(LINES[2][:-1])]
    assert heard.sorter.damaged == 1
    assert heard.words == [">>>"]


def test_a_good_line_is_handed_on_as_it_came():
    lines = []
    heard = Heard()
    heard.sorter.on_line = lines.append
    heard.feed(LINES[0][:-1] + b"\r\n", b"words\n", LINES[1].replace(b"1", b"2"))
    assert lines == [LINES[0][:-1]]


def test_noise_without_end_takes_no_memory():
    heard = Heard()
    for _ in range(50):
        heard.feed(b"x" * LINE_MAX)
    assert len(heard.sorter.unfinished) == LINE_MAX
    heard.feed(b"\n", LINES[0])
    assert heard.said == [parse_line(LINES[0][:-1])]
    assert len(heard.words[0]) == LINE_MAX
    for n in range(1000):
        heard.feed(b"word %d\n" % n)
    assert len(heard.sorter.words) < 1000


# Numbers of lines.


def numbered(*numbers):
    heard = Heard()
    for number in numbers:
        heard.feed(telemetry_line(number))
    return heard.sorter


def test_lines_of_commands_that_never_came_are_counted():
    assert numbered(0, 1, 2).lost == 0
    assert numbered(0, 3).lost == 2
    assert numbered(5, 506, 507).lost == 500


def test_readings_carry_the_next_number_and_count_nothing():
    heard = Heard()
    for number, kind in ((0, "c"), (1, "r"), (4, "r"), (1, "c"), (4, "r"), (2, "c"), (3, "c")):
        heard.feed(telemetry_line(number, kind, 16 if kind == "c" else len(READINGS)))
    assert heard.sorter.lost == 0
    assert len(heard.said) == 7


def test_a_restart_is_no_loss():
    assert numbered(50, 51, 0, 1, 2, *range(3, 20)).lost == 0


def test_numbers_that_wrap_are_no_loss():
    assert numbered(0x3FFFFFFE, 0x3FFFFFFF, 0, 1, 2).lost == 0


def test_a_port_opened_anew_begins_anew():
    sorter = numbered(5)
    sorter.feed(LINES[0][:30])
    sorter.restart()
    sorter.feed(telemetry_line(90))
    assert (sorter.lost, sorter.damaged, sorter.good) == (0, 0, 2)


@given(SMALL, st.integers(-(1 << 29), (1 << 29) - 1))
def test_ticks_are_compared_across_their_wrap(start, apart):
    assert tick_diff((start + apart) & 0x3FFFFFFF, start) == apart
