"""The live view: what fits a terminal, what goes to a pipe, and what it costs."""

import io
from copy import deepcopy
from functools import lru_cache

import pytest
from report_session import NAMES, Session, meta
from rich.console import Console

from inletctl.live import LINES, NOTHING, SCREEN, LiveView, event_line
from inletctl.live_screen import Screen
from inletctl.record import Event, Recorder


class Clock:
    """Wall time that moves when told."""

    def __init__(self):
        self.now_s = 100.0
        self.slept = []

    def __call__(self):
        return self.now_s

    def sleep(self, span_s):
        self.slept.append(round(span_s, 6))
        self.now_s += span_s


@lru_cache
def _followed(t_s):
    session = Session(300)
    recorder = Recorder(NAMES)
    for n in range(t_s * 100 + 1):
        session.step(n * 10_000)
        recorder.row(n * 10_000, session.readings, session.commands, session.world)
    return recorder, session


def _charging(t_s=130):
    """Return a recorder that has followed 300 s up to `t_s`, and its session: copies, to be changed at will."""
    return deepcopy(_followed(t_s))


def _console(width=80, height=24, encoding="utf-8", terminal=True):
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    return Console(
        file=stream, width=width, height=height, force_terminal=terminal, color_system=None,
        legacy_windows=False, _environ={"TERM": "xterm"},
    )  # fmt: skip


def _lines(recorder, given_meta, **size):
    console = _console(**size)
    console.print(Screen(recorder, given_meta).picture(console, 6.0))
    console.file.flush()
    return console.file.buffer.getvalue().decode(console.file.encoding).splitlines()


def test_charging_shows_everything_on_80_by_24():
    recorder, _ = _charging()
    text = "\n".join(_lines(recorder, meta()))
    for wanted in (
        "A worn contact heats up", "type2, CPython 3.11", "2:10.0 of 5:00.0", "22 x", "CHARGING",
        "pilot C2 (EVSE C2)", "green-amber pulsing", "offered        32.0 A", "limited by temperature",
        "drawn", "AC L", "AC N", "derates 60, stops 90", "100 %", "locked", "plugged", "S2 closed",
        "contactor closed", "AC present", "no reason against it", "events", "limited by temperature (was pilot)",
    ):  # fmt: skip
        assert wanted in text, wanted


@pytest.mark.parametrize("t_s", [0, 5, 8, 130, 193, 230, 290, 299])
def test_screen_never_wraps_nor_scrolls(t_s):
    recorder, _ = _charging(t_s)
    recorder.event(recorder.t_us, "an event with \x1b[2Jescape and\nmany words " * 9)
    long = meta(title="long " * 40)
    for width, height in ((80, 24), (120, 50), (40, 12), (20, 3), (10, 2)):
        for encoding in ("utf-8", "ascii"):
            lines = _lines(recorder, long, width=width, height=height, encoding=encoding)
            assert len(lines) <= height - 1
            assert all(len(line) <= width for line in lines)
            assert "\x1b" not in "".join(lines)
            assert encoding == "utf-8" or "".join(lines).isascii()


def test_eight_events_fit_80_by_24():
    recorder, _ = _charging()
    lines = _lines(recorder, meta())
    at = next(n for n, line in enumerate(lines) if " events " in line)
    assert len(lines) - at - 1 >= 8


def test_roomy_terminal_has_headings():
    recorder, _ = _charging()
    text = "\n".join(_lines(recorder, meta(), height=40))
    assert "current per phase" in text and "permission" in text


def test_stopped_charge_says_why_and_what_is_broken():
    recorder, _ = _charging(193)
    text = "\n".join(_lines(recorder, meta()))
    assert "S2 stays open a temperature sensor cannot be believed" in text
    assert "TempOpen: temperature sensor open" in text
    assert "would be limited by pilot" in text
    assert "S2 open" in text and "no AC" in text


def test_several_reasons_tell_the_first_in_words_and_name_the_rest():
    recorder, _ = _charging(2)
    text = "\n".join(_lines(recorder, meta()))
    assert "connector not inserted, or PP lost (+ not_locked)" in text
    assert "no current permitted" in text
    assert "car may drive" in text


def test_unmeasured_is_said_not_shown_as_a_number():
    recorder, session = _charging(130)
    session.commands.hottest_ok = session.readings.ac_ok = False
    session.commands.lock_drive = -1
    text = "\n".join(_lines(recorder, meta()))
    assert "no sensor can be believed" in text
    assert "AC ?" in text
    assert "driving: unlock" in text


def test_temperature_without_limits_has_no_marks():
    recorder, session = _charging(130)
    session.world.contact_decic[0] = 950
    bare = meta(
        derate_start_decic=None, stop_decic=None, contacts=("AC L",), length_us=0, target=""
    )
    text = "\n".join(_lines(recorder, bare))
    assert "derates" not in text and "stops" not in text and "\u2503" not in text
    assert "95.0 C" in text
    assert " of " not in text.splitlines()[1]
    assert "stops 100" in "\n".join(_lines(recorder, meta(stop_decic=1000)))


@pytest.mark.parametrize(
    ("decic", "style"),
    [(599, "green"), (600, "yellow"), (899, "yellow"), (900, "red"), (1200, "red")],
)
def test_bar_of_a_temperature_takes_the_colour_of_the_limit_it_reached(decic, style):
    recorder, session = _charging(130)
    session.world.contact_decic[0] = decic
    picture = Screen(recorder, meta()).picture(_console(), 6.0)
    line = next(line for line in picture.renderables if line.plain.startswith("AC L"))
    assert style in [span.style for span in line.spans]
    assert f"{decic / 10:.1f} C" in line.plain


def test_before_the_first_pass_it_waits():
    assert "waiting for the first pass" in "\n".join(_lines(Recorder(NAMES), meta()))


def test_pipe_gets_one_plain_line_an_event_and_no_wrap():
    console, clock, recorder = _console(40, terminal=False), Clock(), Recorder(NAMES)
    with LiveView(recorder, meta(), None, console, clock) as view:
        assert view.mode == LINES
        recorder.event(1_500_000, "[bold]words " + "x" * 60)
        view.poll()
        recorder.event(2_000_000, "held back until the next picture")
        view.poll()
    console.file.flush()
    assert console.file.buffer.getvalue().decode().splitlines() == [
        "     1.500 s  scenario   [bold]words " + "x" * 60,
        "     2.000 s  scenario   held back until the next picture",
    ]


def test_terminal_gets_a_screen_that_ends_as_the_session_did():
    recorder, _ = _charging(10)
    console, clock = _console(), Clock()
    with LiveView(recorder, meta(), None, console, clock) as view:
        assert view.mode == SCREEN
        view.poll()
        recorder.event(10_000_000, "the last word")
        clock.now_s += 0.01
    console.file.flush()
    text = console.file.buffer.getvalue().decode()
    assert "CHARGING" in text and "the last word" in text
    assert text.count("OpenInlet") >= 2  # the picture of poll and the last one


def test_pictures_do_not_grow_with_the_speed_of_the_simulation():
    recorder, _ = _charging(10)
    clock, drawn = Clock(), []
    view = LiveView(recorder, meta(), NOTHING, _console(), clock)
    view._show = lambda: drawn.append(clock.now_s)
    with view:
        for _ in range(2000):  # 2 s of wall time
            view.poll()
            clock.now_s += 0.001
    assert 20 <= len(drawn) <= 41


def test_nothing_means_nothing():
    recorder, _ = _charging(10)
    console = _console()
    with LiveView(recorder, meta(), NOTHING, console, Clock()) as view:
        view.poll()
    console.file.flush()
    assert console.file.buffer.getvalue() == b""


def test_screen_is_left_in_order_when_the_session_fails():
    console = _console()
    with (
        pytest.raises(RuntimeError, match="boom"),
        LiveView(Recorder(NAMES), meta(), SCREEN, console, Clock()),
    ):
        raise RuntimeError("boom")
    assert "\x1b[?25h" in _text(console)  # the cursor is back


def _text(console):
    console.file.flush()
    return console.file.buffer.getvalue().decode()


def test_unknown_mode_is_refused():
    with pytest.raises(ValueError, match="unknown mode"):
        LiveView(Recorder(NAMES), meta(), "hologram")


def test_event_line_is_one_line():
    assert event_line(Event(61_234_000, "s2", "S2\nclosed", "good")) == (
        "    61.234 s  s2         S2 closed"
    )
