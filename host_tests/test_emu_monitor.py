"""The monitor of a board slower than life: what is slow is not silent, in every place that says so."""

import pytest
from monitor_fakes import UNPLUGGED, FakePort, commands

from inletctl.errors import UserError
from inletctl.monitor import panels
from inletctl.monitor.feed import BoardFeed
from inletctl.monitor.model import LIVE, Monitor


def heard_at(at_s, speed):
    model = Monitor()
    model.link_is(LIVE)
    model.hear(commands(0, 1000, **UNPLUGGED), at_s)
    model.speed = speed
    model.lines_per_s = 0.04
    return model


def is_bad(line, words):
    at = line.plain.index(words)
    return any(span.start <= at < span.end for span in line.spans)


@pytest.mark.parametrize(
    ("speed", "silence_s", "is_silent"),
    [(0.02, 125.0, False), (0.02, 126.0, True), (None, 2.5, False), (None, 2.6, True), (3.0, 2.6, True)],
)  # fmt: skip
def test_title_and_health_agree_on_whether_the_board_is_silent(speed, silence_s, is_silent):
    model = heard_at(100.0, speed)
    at_s = 100.0 + silence_s
    assert ("SILENT" in panels.title(model, 100, at_s).plain) is is_silent
    line = panels.health(model, 100, at_s)
    assert is_bad(line, "last word") is is_silent
    assert ("0.04 lines/s" in line.plain) is not is_silent


def test_lines_of_a_board_in_time_are_counted_whole():
    model = heard_at(100.0, 1.0)
    model.lines_per_s = 21.4
    assert "  21 lines/s" in panels.health(model, 100, 100.0).plain


def test_lines_that_waited_for_the_wire_tell_nothing_of_the_speed():
    model = heard_at(100.0, 0.02)
    # Ten ms of the board apart, told 20 s apart: the second one had to wait for the first.
    model.hear(commands(1, 1010, **UNPLUGGED), 120.0)
    assert model.speed == 0.02
    model.hear(commands(2, 2000, **UNPLUGGED), 150.0)
    assert model.speed == pytest.approx(1.0 / 50.0)
    assert model.lines_per_s == pytest.approx(2 / 50.0)


def test_who_the_board_is_is_told_before_it_has_told_its_settings():
    """A slow board takes minutes for those, and may fall silent meanwhile."""
    ports = [FakePort(answers={"get": None})]
    model = Monitor()
    known = []

    def open_port():
        if not ports:
            feed.end()
            raise UserError("There is no port /dev/none.")
        return ports.pop()

    def put(change):
        change(model)
        known.append((model.identity, model.are_settings_known))

    feed = BoardFeed(open_port, put, 50)
    feed._is_over.wait = lambda _seconds: None
    feed.run()
    assert ("rp2040 test-board 0011, firmware abcdef", False) in known
    assert not model.are_settings_known
