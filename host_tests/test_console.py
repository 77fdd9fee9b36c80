"""The report line: valid JSON with a right check sum, sent when it must be, and not one byte allocated."""

import binascii
import json
import re

import pytest
from mpy_run import run_script

from drivers.virtual_layout import COMMANDS
from signals import Commands
from vehicle.console import Report

LINE = re.compile(
    rb'\{"v":1,"t":\d+,"n":\d+,"c":\[-?\d+(,-?\d+){15}\],"late":\d+,"x":"[0-9a-f]{4}"\}\n'
)
HOTTEST = COMMANDS.index("hottest_decic")
WRAP = 2**30


def drain(report, at_most=10**6):
    out = bytearray()
    while len(out) < at_most and report.pending():
        out.append(report.take())
    return bytes(out)


def lines_of(data):
    """Every line of `data`, its check sum proven by CPython's own CRC (binascii.crc_hqx, start 0xFFFF)."""
    lines = []
    for line in data.splitlines(keepends=True):
        assert LINE.fullmatch(line), line
        body, _, rest = line.partition(b',"x"')
        said = json.loads(line)
        assert int(said["x"], 16) == binascii.crc_hqx(body, 0xFFFF)
        assert rest.startswith(b":")
        lines.append(said)
    return lines


def tell(report, now_ms, commands, late=0):
    report.tick(now_ms, commands, late)
    return lines_of(drain(report))


def test_the_check_sum_is_the_one_of_the_catalogue():
    """CRC-16/CCITT-FALSE of "123456789" is 0x29B1; the independent one used here agrees."""
    assert binascii.crc_hqx(b"123456789", 0xFFFF) == 0x29B1


def test_first_pass_tells_every_command_in_the_order_of_the_layout():
    commands = Commands()
    for n, name in enumerate(COMMANDS):
        setattr(commands, name, 100 + n)
    (line,) = tell(Report(), 5, commands, 7)
    assert line["c"] == [100 + n for n in range(16)]
    assert (line["v"], line["t"], line["n"], line["late"]) == (1, 5, 0, 7)


def test_booleans_are_told_as_numbers():
    commands = Commands()
    commands.s2_close = commands.hottest_ok = True
    (line,) = tell(Report(), 0, commands)
    assert line["c"] == [1] + [0] * 14 + [1]
    assert all(type(value) is int for value in line["c"])


@pytest.mark.parametrize("value", [0, 9, 10, -1, -400, 32000, WRAP - 1, -WRAP + 1, -WRAP, 10**9])
def test_numbers_of_every_size_and_sign_are_told(value):
    commands = Commands()
    for name in COMMANDS:
        setattr(commands, name, value)
    (line,) = tell(Report(), WRAP - 1, commands, WRAP - 1)
    assert line["c"] == [value] * 16
    assert (line["t"], line["late"]) == (WRAP - 1, WRAP - 1)


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "hottest_decic"])
def test_a_change_of_any_command_is_told_at_once(name):
    report, commands = Report(), Commands()
    tell(report, 0, commands)
    setattr(commands, name, 1)
    (line,) = tell(report, 10, commands)
    assert line["c"][COMMANDS.index(name)] == 1
    assert tell(report, 20, commands) == []


def test_the_hottest_temperature_alone_waits_for_the_next_line():
    report, commands = Report(), Commands()
    tell(report, 0, commands)
    commands.hottest_decic = -55
    assert tell(report, 990, commands) == []
    (line,) = tell(report, 1000, commands)
    assert line["c"][HOTTEST] == -55


@pytest.mark.parametrize(
    ("name", "first", "near", "far"),
    [
        ("duty_pct_x100", 3000, 10, 11),
        ("offered_ma", 16000, 100, 101),
        ("charger_ma", 100, 100, -100),
    ],
)
def test_a_tremble_of_a_measured_value_waits_and_a_change_does_not(name, first, near, far):
    report, commands = Report(), Commands()
    setattr(commands, name, first)
    tell(report, 0, commands)
    setattr(commands, name, first + near)
    assert tell(report, 10, commands) == []
    setattr(commands, name, first + far)
    (line,) = tell(report, 20, commands)
    assert line["c"][COMMANDS.index(name)] == first + far


@pytest.mark.parametrize("start", [0, WRAP - 500])
def test_a_line_goes_out_every_second_also_over_the_wrap(start):
    report, commands = Report(), Commands()
    told = [
        line["t"]
        for pass_ in range(1000)
        for line in tell(report, (start + 10 * pass_) % WRAP, commands)
    ]
    assert told == [(start + 1000 * n) % WRAP for n in range(10)]


def test_a_change_restarts_the_second():
    report, commands = Report(), Commands()
    tell(report, 0, commands)
    commands.light = 1
    assert len(tell(report, 600, commands)) == 1
    assert tell(report, 1590, commands) == []
    assert len(tell(report, 1600, commands)) == 1


def test_a_queue_of_four_drops_the_newest_and_the_gap_counts_them():
    report, commands = Report(), Commands()
    for n in range(7):
        commands.charger_ma = 1000 * n
        report.tick(10 * n, commands, 0)
    lines = lines_of(drain(report))
    assert [line["n"] for line in lines] == [0, 1, 2, 3]
    assert [line["c"][1] for line in lines] == [0, 1000, 2000, 3000]
    (line,) = tell(report, 70, commands)
    assert (line["n"], line["c"][1], line["t"]) == (7, 6000, 70)


def test_a_dropped_state_is_told_as_soon_as_one_line_is_gone():
    report, commands = Report(), Commands()
    for n in range(5):
        commands.light = n
        report.tick(10 * n, commands, 0)
    report.tick(50, commands, 0)
    first = drain(report, 60)
    while not first.endswith(b"\n"):
        first += drain(report, 1)
    report.tick(60, commands, 0)
    lines = lines_of(first + drain(report))
    assert [(line["n"], line["t"]) for line in lines] == [
        (0, 0),
        (1, 10),
        (2, 20),
        (3, 30),
        (5, 60),
    ]


def test_nobody_listening_costs_nothing_but_numbers():
    report, commands = Report(), Commands()
    for n in range(10000):
        report.tick(n * 10 % WRAP, commands, 0)
    assert [line["n"] for line in lines_of(drain(report))] == [0, 1, 2, 3]
    (line,) = tell(report, 100000, commands)
    assert line["n"] == 100


def test_pending_is_never_short_of_a_pass_and_exact_at_the_end():
    report, commands = Report(), Commands()
    assert report.pending() == 0
    commands.faults = -(2**28)
    report.tick(0, commands, 0)
    report.tick(1000, commands, 0)
    out = bytearray()
    while True:
        waiting = report.pending()
        assert waiting < 32
        if not waiting:
            break
        for _ in range(min(waiting, 8)):
            out.append(report.take())
        if waiting < 8:
            assert not report.pending()
    assert len(lines_of(bytes(out))) == 2


def test_what_waits_is_told_whatever_is_taken_at_a_time():
    for step in range(1, 30):
        report, commands = Report(), Commands()
        commands.hottest_decic = -123
        for n in range(4):
            commands.charger_ma = n * 1111
            report.tick(n, commands, n)
        out = b""
        while more := drain(report, step):
            out += more
        assert [line["late"] for line in lines_of(out)] == [0, 1, 2, 3]


LIFE = """
from array import array
from signals import Commands
from ticks import ticks_add
from vehicle.console import Report

NAMES = (%s)


class Life:
    def __init__(self, passes):
        self.report = Report()
        self.commands = Commands()
        self.passes = passes
        self.seed = 7
        self.out = bytearray(24000)
        self.length = 0

    def rnd(self, n):
        self.seed = (self.seed * 1103 + 12345) %% 65521
        return self.seed * n // 65521

    def live(self):
        now_ms = 0x3FFFFFFF - 2000
        for n in range(self.passes):
            now_ms = ticks_add(now_ms, 10)
            if not self.rnd(8):
                value = self.rnd(8000) * 131000 * (1 - 2 * self.rnd(2))
                setattr(self.commands, NAMES[self.rnd(16)], value >> self.rnd(29))
            self.report.tick(now_ms, self.commands, n)
            for _ in range(min(8, self.report.pending())):
                self.out[self.length] = self.report.take()
                self.length += 1
""" % ", ".join(repr(name) for name in COMMANDS)

BOARD = """
import gc, micropython

life = Life(3000)


def lead():
    gc.collect()
    before = gc.mem_alloc()
    micropython.heap_lock()
    try:
        life.live()
    finally:
        micropython.heap_unlock()
    print("ALLOCATED", gc.mem_alloc() - before)


lead()
print(str(life.out[:life.length], "ascii"))
"""


@pytest.mark.mpy
def test_the_board_allocates_nothing_and_says_the_same_bytes(tmp_path):
    names = ("vehicle/__init__.py", "vehicle/console.py", "signals.py", "ticks.py")
    allocated, *said = run_script(tmp_path, LIFE + BOARD, names)
    assert allocated == "ALLOCATED 0"

    space = {"__name__": "life"}
    exec(LIFE, space)
    twin = space["Life"](3000)
    twin.live()
    assert "\n".join(said).encode().rstrip(b"\n") == bytes(twin.out[: twin.length]).rstrip(b"\n")
    whole = bytes(twin.out[: twin.length]).rpartition(b"\n")[0] + b"\n"
    lines = lines_of(whole)
    assert len(lines) > 100
    assert any(value < 0 for line in lines for value in line["c"])
