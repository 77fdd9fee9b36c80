"""The board's serial port: reports are told from words, damage is noticed, no read is answered with nothing."""

import pytest

from inletctl.emu.console import Console, Lines, crc16, parse_report


def line(t=5, n=0, commands=tuple(range(16)), late=0, version=1) -> bytes:
    body = b'{"v":%d,"t":%d,"n":%d,"c":[%s],"late":%d' % (
        version,
        t,
        n,
        ",".join(map(str, commands)).encode(),
        late,
    )
    return body + b',"x":"%04x"}' % crc16(body)


def test_check_sum_is_ccitt_false():
    assert crc16(b"123456789") == 0x29B1


def test_report_is_read():
    report = parse_report(line(1234, 7, late=3))
    assert report is not None
    assert (report.t_ms, report.number, report.commands, report.late) == (
        1234,
        7,
        tuple(range(16)),
        3,
    )


def test_what_the_firmware_writes_is_read():
    from inletctl.house import use_firmware

    use_firmware()
    from signals import Commands
    from vehicle.console import Report

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
    report = parse_report(bytes(data).rstrip(b"\n"))
    assert report is not None
    assert report.t_ms == 98765
    assert report.late == 12
    assert report.commands[0] == 1
    assert report.commands[2] == -1
    assert report.commands[12] == (1 << 27) - 1
    assert report.commands[14] == -400


@pytest.mark.parametrize(
    "text", [b"", b"boot", b"Traceback (most recent call last):", b'{"other":1}']
)
def test_other_lines_are_words(text):
    assert parse_report(text) is None


@pytest.mark.parametrize(
    "damaged",
    [
        line().replace(b'"t":5', b'"t":6'),
        line()[:-1],
        line()[:40],
        line(version=2),
        line(commands=tuple(range(15))),
        b'{"v":1,"x":"0000"}',
        b'{"v":',
    ],
)
def test_damaged_report_is_refused(damaged):
    with pytest.raises(ValueError, match="a report line"):
        parse_report(damaged)


def collected():
    lines = Lines()
    reports, words = [], []
    lines.on_report = reports.append
    lines.on_words = words.append
    return lines, reports, words


def test_lines_come_together_out_of_pieces_of_any_size():
    data = b"hello\r\n" + line(1, 0) + b"\n" + line(2, 1) + b"\n>>> "
    for size in (1, 7, 8, 1000):
        lines, reports, words = collected()
        for at in range(0, len(data), size):
            lines.feed(data[at : at + size])
        assert [report.t_ms for report in reports] == [1, 2]
        assert words == ["hello"]
        assert lines.unfinished == ">>> "
        assert (lines.lost, lines.damaged) == (0, 0)


def test_gap_in_the_numbers_tells_how_many_were_lost():
    lines, reports, _words = collected()
    for number in (0, 1, 4, 5):
        lines.feed(line(number, number) + b"\n")
    assert len(reports) == 4
    assert lines.lost == 2


def test_board_that_boots_anew_has_lost_nothing():
    lines, reports, _words = collected()
    lines.feed(line(900, 30) + b"\n" + line()[:20])
    lines.restart()
    lines.feed(line(1, 0) + b"\n")
    assert len(reports) == 2
    assert (lines.lost, lines.damaged) == (0, 0)


def test_report_behind_half_a_line_is_found():
    lines, reports, words = collected()
    lines.feed(b'"c":[1,2' + line(3, 0) + b"\n")
    assert [report.t_ms for report in reports] == [3]
    assert words == ['"c":[1,2']


def test_damaged_line_is_counted_and_kept_as_words():
    lines, reports, words = collected()
    lines.feed(line()[:-4] + b"\n")
    assert not reports
    assert lines.damaged == 1
    assert len(words) == 1


class FakeUsb:
    """The emulator's USB controller as far as a console needs it."""

    def __init__(self):
        self.on_usb_enabled = self.on_reset_received = self.on_endpoint_write = None
        self.on_endpoint_read = self.on_reset = None
        self.done = []

    def endpoint_read_done(self, endpoint, data):
        self.done.append((endpoint, bytes(data)))


def open_console():
    usb = FakeUsb()
    got = bytearray()
    console = Console(usb, got.extend)
    console._cdc._out_endpoint = 2
    console._cdc._in_endpoint = 2
    return usb, console, got


def test_read_is_not_answered_until_there_is_something_to_send():
    usb, console, _got = open_console()
    usb.on_endpoint_read(2, 64)
    assert usb.done == []
    console.send(b"x" * 70)
    assert usb.done == [(2, b"x" * 64)]
    usb.on_endpoint_read(2, 64)
    assert usb.done[1:] == [(2, b"x" * 6)]
    usb.on_endpoint_read(2, 64)
    assert len(usb.done) == 2


def test_bytes_wait_for_a_read():
    usb, console, _got = open_console()
    console.send(b"\x03")
    assert usb.done == []
    usb.on_endpoint_read(2, 64)
    assert usb.done == [(2, b"\x03")]


def test_reset_forgets_the_armed_read_and_what_was_typed():
    usb, console, _got = open_console()
    usb.on_endpoint_read(2, 64)
    usb.on_reset()
    console._cdc._out_endpoint = 2
    console.send(b"y")
    assert usb.done == []


def test_received_bytes_are_handed_on():
    usb, console, got = open_console()
    usb.on_endpoint_write(2, b"abc")
    assert got == b"abc"
    assert console.received == 3
