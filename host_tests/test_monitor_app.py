"""The screen as a person has it: what stands there, what the keys do, and that it fits."""

import asyncio
from collections import deque
from functools import partial

import pytest
from monitor_fakes import CHARGING, READY_FLAGS, UNPLUGGED, FakeFeed, commands, readings, reason
from textual.widgets import Input

from inletctl.monitor import panels
from inletctl.monitor.app import MonitorApp
from inletctl.monitor.model import LIVE, LOST, Monitor

ALL_REASONS = (1 << 28) - 1


class Screen:
    """An app in a terminal of its own, looked at only when asked."""

    def __init__(self, *lines, size=(80, 24)):
        self.feed = FakeFeed()
        self.changes = deque()
        self.model = Monitor()
        self.model.target = "sim"
        self.now_s = 100.0
        self.size = size
        self.app = MonitorApp(self.feed, self.changes, self.model, clock=lambda: self.now_s)
        self.model.link_is(LIVE)
        self.hear(*lines)

    def hear(self, *lines):
        for line in lines:
            self.changes.append(partial(Monitor.hear, line=line, at_s=self.now_s))

    def run(self, what=None):
        async def main():
            async with self.app.run_test(size=self.size) as pilot:
                await self.look(pilot)
                if what is not None:
                    await what(pilot)
                    await self.look(pilot)
                return "\n".join(panel.text for panel in self.app._panels.values())

        return asyncio.run(main())

    async def look(self, pilot):
        for _ in range(2):  # the first may share the room out anew
            await pilot.pause()
            self.app.look()
        await pilot.pause()


def press(*keys):
    async def do(pilot):
        await pilot.press(*keys)
        await pilot.pause()

    return do


def prompt(key, text):
    """Open the prompt with `key`, fill it in at once (a key a time takes its time), press Enter."""

    async def do(pilot):
        await pilot.press(key)
        pilot.app.query_one(Input).value = text
        await pilot.press("enter")

    return do


def test_charging_shows_everything_on_80_by_24():
    screen = Screen(commands(0, 1000, **CHARGING), readings(1, 1050))
    screen.model.identity_is("rp2040 test 0011, firmware abcdef")
    text = screen.run()
    for wanted in (
        "rp2040 test 0011, firmware abcdef", "live", "CHARGING", "pilot C2", "S2 closed", "green pulsing", "drive: no",
        "53.33 %", "1000.0 Hz", "+6.02 / -11.97 V", "+6 C┌", "offered    32.0 A", "permitted  16.0 A",
        "commanded  16.0 A", "drawn      15.9 A", "limited by temperature", "AC L       57.6 C", "AC N       25.0 C",
        "board says 65.1 C", "derates 60, stops 90", "1.91 V 220 ohm, 32 A cable", "locked  2.86 V", "present",
        "permits charging", "no reason against it", "0 lost", "0 damaged", "0 passes late", "last word < 1 s",
    ):  # fmt: skip
        assert wanted in text, wanted


def test_every_reason_that_stands_has_its_sentence_and_every_fault_too():
    why = reason("temp_high") | reason("lock_failed")
    line = commands(0, 0, **{**CHARGING, "s2_close": 0, "reasons": why, "faults": 1 << 15})
    text = Screen(line, size=(100, 30)).run()
    assert "temp_high        a contact is too hot" in text
    assert "lock_failed      the connector could not be locked (pull the plug)" in text
    assert "OverTemperature  a contact reached the stop temperature" in text
    assert "2 reasons, 1 fault" in text


def test_reasons_without_room_are_named():
    text = Screen(commands(0, 0, reasons=ALL_REASONS, faults=1)).run()
    assert "no_plug          connector not inserted" in text
    assert "PilotFault" in text
    assert "and " in text
    assert "28 reasons, 1 fault" in text


def test_keys_ask_the_board():
    screen = Screen(commands(0, 0))
    screen.run(press("l", "u", "s"))
    assert screen.feed.asked == [("lock",), ("unlock",), ("stop",)]


def test_mark_is_prompted_for_kept_and_shown():
    screen = Screen(commands(0, 0))
    text = screen.run(press("m", *"us", "enter"))
    assert screen.feed.marks == ["us"]
    assert screen.feed.asked == []
    assert "mark: us" in text


def test_prompt_that_is_dropped_does_nothing():
    screen = Screen(commands(0, 0))
    seen = []

    async def do(pilot):
        await press("m", "x", "escape")(pilot)
        seen.append(screen.app.query_one(Input).has_class("asking"))
        await press("m", "enter")(pilot)
        await press("s")(pilot)

    screen.run(do)
    assert seen == [False]
    assert screen.feed.marks == []
    assert screen.feed.asked == [("stop",)]


def test_rate_is_asked_for():
    screen = Screen(commands(0, 0))
    screen.run(prompt("r", " 20 "))
    assert screen.feed.asked == [("rate", 20)]


@pytest.mark.parametrize("text", ["19", "²"])
def test_rate_that_no_board_takes_is_told_and_not_asked(text):
    screen = Screen(commands(0, 0))
    assert "no rate: %s is not 20..60000" % text in screen.run(prompt("r", text))
    assert screen.feed.asked == []


def test_quit_ends_the_app():
    screen = Screen(commands(0, 0))

    async def do(pilot):
        await pilot.press("q")
        await pilot.pause()
        assert not screen.app.is_running

    async def main():
        async with screen.app.run_test() as pilot:
            await do(pilot)

    asyncio.run(main())


def test_lost_port_is_on_the_screen_with_its_sentence():
    screen = Screen(commands(0, 0, **UNPLUGGED))
    screen.changes.append(lambda model: model.link_is(LOST, "The port is lost: unplugged."))
    text = screen.run()
    assert "PORT LOST, trying again" in text
    assert "The port is lost: unplugged." in text


def test_board_that_falls_silent_is_called_silent():
    screen = Screen(commands(0, 0, **UNPLUGGED))

    async def later(pilot):
        screen.now_s += 7

    text = screen.run(later)
    assert "SILENT for 7 s" in text
    assert "last word 7 s ago" in text
    assert "0 lines/s" in text


def test_board_slower_than_life_is_told_so_and_not_called_silent():
    model = Monitor()
    model.link_is(LIVE)
    for n in range(9):
        model.hear(commands(n, n * 1000), n * 50.0)
    assert panels.title(model, 80, 440.0).plain.rstrip().endswith("live, 0.02 x real time")


def test_before_the_first_line_it_says_what_it_waits_for():
    text = Screen().run()
    assert "connecting" in text
    assert "waiting for the board's first line" in text
    assert "never heard" in text


def test_commands_without_readings_say_how_to_get_them():
    assert "no readings: press r" in Screen(commands(0, 0, **CHARGING)).run()


def test_service_mode_is_seen_at_once():
    assert "SERVICE MODE" in Screen(commands(0, 0, reasons=reason("service_mode"))).run()


def test_broken_sensor_silent_car_and_pressed_button_are_told():
    flags = [
        one
        for one in (*READY_FLAGS, "stop_request")
        if one not in ("temp_ok_0", "vehicle_permits")
    ]
    text = Screen(
        commands(0, 0),
        readings(1, 10, flags, vehicle_age_ms=4000, pilot_count=0, cp_high_mv=12000),
    ).run()
    for wanted in (
        "not measured (804 mV)", "silent for 4.0 s", "buttons    stop", "steady at +12.00 V, no PWM",
        "no sensor is believed",
    ):  # fmt: skip
        assert wanted in text, wanted


def test_words_of_the_board_cannot_command_the_terminal():
    screen = Screen(commands(0, 0))
    screen.model.tell("board: \x1b[2Jhello \x9b31m[bold]")
    text = screen.run()
    assert "\x1b" not in text
    assert "\x9b" not in text
    assert "[bold]" in text


@pytest.mark.parametrize("size", [(100, 30), (80, 24), (30, 10), (10, 4)])
def test_no_line_is_wider_than_its_panel(size):
    line = commands(0, 0, **{**CHARGING, "reasons": ALL_REASONS, "faults": (1 << 29) - 1})
    screen = Screen(line, readings(1, 50), size=size)

    async def measure(pilot):
        for panel in screen.app._panels.values():
            rows = panel.text.split("\n")
            assert all(len(row) <= panel.size.width for row in rows), panel.id
            assert len(rows) <= max(1, panel.size.height), panel.id

    screen.run(measure)


def test_only_lines_that_changed_are_painted():
    screen = Screen(commands(0, 0, **CHARGING), readings(1, 50))
    painted = []

    async def do(pilot):
        for panel in screen.app._panels.values():
            panel.refresh = lambda *regions, panel=panel: painted.append((panel.id, regions[0].y))
        screen.hear(readings(2, 100))
        screen.app.look()
        assert painted == []
        screen.hear(readings(3, 150, charger_ma=12000))
        screen.app.look()
        assert painted == [("current", 4)]

    screen.run(do)


def test_trend_shows_a_rise_and_keeps_noise_flat():
    assert panels.spark((0, 100, 200, 700), 10) == "▁▂▃█"
    assert panels.spark((250, 252, 249, 251), 10) == "▁▁▁▁"
    assert panels.spark(tuple(range(0, 800, 10)), 4)[-1] == "▅"
    assert panels.spark((), 10) == panels.spark((1, 2), 0) == ""
