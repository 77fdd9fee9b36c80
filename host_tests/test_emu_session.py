"""An emulated run without a chip that runs: time is ticked by hand, reports are typed. What is judged, and when."""

import json
from pathlib import Path

import pytest

from inletctl.emu import runs
from inletctl.emu.chip import Chip
from inletctl.emu.flash_image import board_text
from inletctl.emu.image import PICO_LAYOUT, Image
from inletctl.emu.session import EmuSession
from inletctl.errors import UserError
from inletctl.link.codec import seal
from inletctl.record import Recorder
from inletctl.scenario.parse import parse_scenario

BOARD = json.loads(board_text("rp2040-reference"))
MS = 1_000_000
CHARGING = 2
SESSION_AT = 5


class Bench:
    """A chip with an empty flash: its pins, ADC and clock are there, its CPU never moves."""

    def __init__(self, text, recorder=None):
        self.notes = []
        scenario = parse_scenario("title x\ninlet type2\n" + text, "x.txt")
        self.chip = Chip(Image(Path("none"), b"", PICO_LAYOUT, ""), b"")
        self.session = EmuSession(scenario, self.chip, BOARD, recorder, self.hear, None, self.hear)
        self.number = 0

    def hear(self, _t_us, text):
        self.notes.append(text)

    def first_conversion(self, at_ms=30):
        self.tick(at_ms)
        self.chip.mcu.adc.on_adc_read(0)

    def tick(self, ms):
        self.chip.clock.tick(ms * MS)

    def report(self, board_ms, lost=0, **values):
        commands = [0] * 16
        for name, value in values.items():
            commands[{"session": SESSION_AT, "reasons": 12, "s2_close": 0}[name]] = value
        self.number += lost
        line = {"t": board_ms, "n": self.number, "c": commands, "late": 0}
        self.session.lines.feed(seal(line))
        self.number += 1


def test_world_stands_still_until_the_board_looks_at_it():
    bench = Bench("at 10ms plug 32A\nend +1s")
    bench.tick(500)
    assert bench.session.wiring.t_us == 0
    assert not bench.session.world.plugged
    bench.first_conversion(0)
    bench.tick(9.9)
    assert not bench.session.world.plugged
    bench.tick(0.2)
    assert bench.session.world.plugged
    assert bench.session.wiring.t_us == 10_100


def test_expectation_is_judged_with_the_word_of_that_time_when_it_comes():
    bench = Bench("at 100ms expect session=charging\nat 200ms expect session=waiting\nend 300ms")
    bench.first_conversion(30)
    bench.report(30, session=1)
    bench.tick(180)
    # 180 ms later, of world time 90: the board's tick counts from power, 30 ms before.
    bench.report(120, session=CHARGING)
    assert bench.session.run.outcomes == []
    bench.tick(300)
    bench.report(200, session=1)
    first, *_rest = bench.session.run.outcomes
    assert first.passed
    bench.report(500, session=CHARGING)
    outcomes = bench.session.run.outcomes
    assert bench.session.run.is_over
    assert [outcome.passed for outcome in outcomes] == [True, True]
    assert bench.session.t_us == 300_000


def test_what_energises_is_read_from_the_pin_not_from_the_report():
    bench = Bench("at 50ms expect s2=open\nend 100ms")
    bench.first_conversion()
    bench.report(30, session=CHARGING, s2_close=1)
    bench.tick(150)
    bench.report(180, session=CHARGING, s2_close=1)
    assert bench.session.run.passed


def test_silent_board_is_judged_as_one_that_said_nothing():
    bench = Bench("at 50ms expect session=charging\nend 5s")
    bench.first_conversion()
    for _n in range(30):
        bench.tick(100)
    assert [outcome.passed for outcome in bench.session.run.outcomes] == [False]


def test_reset_verb_holds_the_chip_and_ends_the_boards_word():
    bench = Bench("at 100ms reset off_ms=50\nat 120ms expect session=unplugged\nend 300ms")
    bench.first_conversion()
    bench.report(30, session=CHARGING)
    bench.tick(110)
    assert bench.chip.is_held
    assert bench.session.resets == 1
    assert bench.session.marks == [(100, "reset 50")]
    bench.tick(100)
    assert not bench.chip.is_held
    assert bench.chip.boot_ns == pytest.approx(180 * MS, abs=1000)
    # Its tick begins anew: 40 ms after boot is 190 ms of world time.
    bench.number = 0
    bench.report(40, session=CHARGING)
    (outcome,) = bench.session.run.outcomes
    assert outcome.passed
    assert [row.t_ms for row in bench.session.rows] == [0, 100, 190]
    assert not any(bench.session.rows[1].commands)
    assert bench.session.lines.lost == 0


def test_row_behind_lost_reports_knows_how_far_back_it_may_reach():
    bench = Bench("end 1s")
    bench.first_conversion()
    bench.report(30, session=1)
    bench.tick(200)
    bench.report(130, lost=3, session=CHARGING)
    bench.report(150, session=1)
    assert [(row.since_ms, row.t_ms) for row in bench.session.rows] == [
        (0, 0),
        (0, 100),
        (120, 120),
    ]


def test_readings_are_no_word_of_what_the_board_commands():
    bench = Bench("end 1s")
    bench.first_conversion()
    bench.report(30, session=1)
    bench.session.lines.feed(seal({"t": 40, "n": 1, "r": [5] * 19, "late": 0}))
    assert bench.session.reports == 1
    assert [row.t_ms for row in bench.session.rows] == [0]


def test_damaged_line_is_told():
    bench = Bench("end 1s")
    bench.session.lines.feed(seal({"t": 40, "n": 1, "c": [0] * 16, "late": 0})[:-5] + b"\n")
    bench.session.end_early("over")
    assert [text for text in bench.notes if "is damaged" in text]


def test_firmware_that_ends_is_told_in_its_own_words():
    bench = Bench("end 1s")
    bench.session.lines.feed(
        b'start\r\nTraceback (most recent call last):\r\n  File "main.py", line 3\r\nValueError: no\r\n'
        b'MicroPython v1.29 on x\r\nType "help()" for more information.\r\n>>> '
    )
    with pytest.raises(
        UserError, match=r"ended on the emulated board: Traceback .*ValueError: no$"
    ):
        bench.session._look_after()
    bench.session.end_early("over")
    assert "board: start" in bench.notes


def test_events_come_in_the_order_of_time():
    recorder = Recorder()
    bench = Bench("at 50ms plug 32A\nat 100ms stop\nend 200ms", recorder)
    bench.first_conversion()
    bench.tick(120)
    assert bench.notes == []
    bench.report(130)
    assert [text for text in bench.notes if "EVSE" not in text] == [
        "plug cable_a=32",
        "person plugs in",
    ]
    bench.report(131)
    assert "stop" in bench.notes


def test_firmware_that_never_comes_to_its_loop_is_told():
    bench = Bench("end 1s")
    bench.session.lines.feed(b"board.json is missing\r\n")
    bench.tick(4001)
    with pytest.raises(UserError, match=r"within 4 s.*board\.json is missing"):
        bench.session._look_after()


def test_noise_of_samples_is_refused():
    with pytest.raises(UserError, match=r"x\.txt:3: noise_burst spoils samples"):
        Bench("at 1s noise_burst\nend 2s")


def test_run_cut_short_tells_what_was_not_judged():
    recorder = Recorder()
    bench = Bench(
        "always expect violations=0\nat 50ms expect session=unplugged\nat 5s expect s2=open\nend 6s",
        recorder,
    )
    bench.first_conversion()
    bench.report(30)
    bench.tick(100)
    bench.report(125)
    before = len(bench.session.run.outcomes)
    assert before == 1
    bench.session.end_early("stopped by hand")
    judged = runs._judged_before(bench.session, before)
    told = runs._expectations(bench.session, judged)
    assert [one.outcome for one in told] == ["not run", "pass", "not run"]
    assert not bench.session.run.passed
    assert recorder.rows[-1][0] == 100_000
