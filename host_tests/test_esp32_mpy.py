"""The whole ESP32 board on the official 32-bit MicroPython, its chip made of Python: passes allocate nothing."""

import pytest
from mpy_run import run_script

from inletctl.house import FIRMWARE

pytestmark = pytest.mark.mpy

NAMES = (
    "__init__",
    "analog",
    "board_data",
    "board_file",
    "board_shape",
    "board_spi",
    "board_strip",
    "bridge_out",
    "charger_lines",
    "chip_board",
    "esp32_board",
    "esp32_dead_man",
    "esp32_edges",
    "esp32_level",
    "esp32_pilot",
    "light_out",
    "lines",
    "safe_pins",
)

# Clock and chip of small ints. The wave is exact, so that it needs no fractions.
MACHINE = """
import time as _time


class Clock:
    now = 0
    period = 1000
    high = 260
    steady = -1
    feeds = 0
    marks = 0


def spend(us):
    # Past 2**30 an int would be a heap object.
    Clock.now = _time.ticks_add(Clock.now, us)


class Time:
    ticks_add = _time.ticks_add
    ticks_diff = _time.ticks_diff

    @staticmethod
    def ticks_us():
        spend(3)
        return Clock.now

    @staticmethod
    def ticks_ms():
        return Clock.now // 1000


def level():
    if Clock.steady >= 0:
        return Clock.steady
    return 1 if Clock.now % Clock.period < Clock.high else 0


def time_pulse_us(pin, wanted, timeout):
    spend(5)
    if Clock.steady >= 0:
        spend(timeout)
        return -1 if Clock.steady == wanted else -2
    if level() != wanted:
        at = Clock.now % Clock.period
        spend(Clock.high - at if at < Clock.high else Clock.period - at)
    at = Clock.now % Clock.period
    width = Clock.high - at if wanted else Clock.period - at
    spend(width + 4)
    return width


class Pin:
    IN, OUT, PULL_UP, PULL_DOWN, IRQ_RISING, IRQ_FALLING = 0, 1, 1, 2, 1, 2
    made = {}

    def __init__(self, number, mode=0, pull=None):
        self.number = number
        self.mode = mode
        self.value = 0
        Pin.made[number] = self

    def init(self, mode, pull=None, value=None):
        self.mode = mode
        if value is not None:
            self.value = value

    def irq(self, handler=None, trigger=0):
        self.handler = handler

    def __call__(self, value=-1):
        spend(3)
        if value < 0:
            return level() if self.number == 35 else self.value
        self.value = value


class ADC:
    ATTN_11DB = 3

    def __init__(self, pin, atten):
        self.number = pin.number

    def read_uv(self):
        spend(45)
        if self.number == 36:
            return 2100000 if level() else 300000
        if self.number == 34:
            return 142000
        made = Pin.made
        channel = made[16].value | made[17].value << 1 | made[18].value << 2 | made[19].value << 3
        if channel == 15:
            return 2048000
        return 142000 if channel in (0, 7, 11, 13, 14) else 1000000


class PWM:
    def __init__(self, pin, freq, duty_u16, invert):
        self.duty = duty_u16

    def duty_u16(self, duty):
        self.duty = duty


class WDT:
    def __init__(self, timeout):
        pass

    def feed(self):
        Clock.feeds += 1


class Timer:
    PERIODIC = 1

    def __init__(self, number):
        pass

    def init(self, mode, period, callback):
        Timer.callback = callback


class RTC:
    kept = b"OI\\x01\\x02"

    def memory(self, data=None):
        if data is None:
            return RTC.kept
        Clock.marks += 1


WDT_RESET = 3


def reset_cause():
    return WDT_RESET


def unique_id():
    return b"ab"


def reset():
    pass


class Select:
    # In place of the module: the console takes everything, and nobody types.
    POLLIN, POLLOUT = 1, 4

    @staticmethod
    def poll():
        return Select()

    def register(self, stream, event):
        self.answer = () if event == Select.POLLIN else (1,)

    def ipoll(self, timeout):
        return self.answer

"""

BOARD = """
import gc, micropython, sys
import machine
sys.modules["time"] = machine.Time
sys.modules["select"] = machine.Select
from machine import Clock, Pin, Timer, spend
from drivers.board_file import load
from drivers.esp32_board import Esp32Board
from signals import Commands, Readings


class Report:
    def __init__(self):
        self.left = 0

    def pending(self, wanted):
        return self.left

    def take(self):
        self.left -= 1
        return 65


def sink(data):
    return 1


def edges(board, at):
    pin = Pin.made[32]
    pin.value = 1
    pin.handler(pin)
    spend(2600)
    pin.value = 0
    pin.handler(pin)


def live(board, r, c, report):
    checks = 0
    for n in range(600):
        if n == 200:
            Clock.steady = 1
        elif n == 230:
            Clock.steady = -1
            Clock.high = 930
        elif n == 400:
            Clock.high = 50
        report.left = n % 12
        board.next_pass()
        board.sample(r)
        c.s2_close = n % 50 > 10
        c.lock_drive = (n // 40) % 3 - 1
        c.charger_ma = n * 100
        c.look = (n // 70 % 8 << 24) | 0xF600F0
        c.drive_allowed = n % 9 == 0
        board.actuate(c)
        Timer.callback(None)
        board.feed_watchdog()
        board.talk(report)
        board.slack(False)
        if n == 530:
            # S2 is on: a minute is over in the next pass, which comes too late for the dead-man.
            board._healthy_passes = 5999
            spend(30000)
        if n % 3:
            edges(board, n)
        checks = (checks * 31 + r.pilot_count * 7 + r.cp_ok + r.pilot_quiet_ms + r.pp_ok * 5) % 1000003
        seen[0] |= 1 << r.pilot_count
        seen[1] |= 1 << r.cp_ok
        seen[2] = max(seen[2], r.vehicle_limit_ma)
        seen[3] += r.output_lost
    return checks


def broken():
    micropython.heap_lock()
    try:
        return [0] * 100
    except MemoryError:
        print("LOCKED")
    finally:
        micropython.heap_unlock()


def run(text):
    Clock.now = 0x3FFFFFFF - 2500000
    board = Esp32Board(load(text, "esp32"), None)
    board._write = sink
    r = Readings()
    c = Commands()
    report = Report()
    print("CRASHES", board.crashes)
    # The first pass makes the watchdog.
    board.next_pass()
    board.actuate(c)
    board.feed_watchdog()
    gc.collect()
    before = gc.mem_alloc()
    micropython.heap_lock()
    try:
        live(board, r, c, report)
    finally:
        micropython.heap_unlock()
    print("RAN", gc.mem_alloc() - before, Clock.feeds, board._watch.trips, *seen, Clock.marks, board.crashes)


seen = [0, 0, 0, 0]
broken()
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    paths = [f"drivers/{name}.py" for name in NAMES] + ["ticks.py", "signals.py", "modules.py"]
    board = (FIRMWARE / "boards" / "esp32-devkitc.json").read_text(encoding="utf-8")
    script = BOARD + f"run({board!r})\n"
    return run_script(tmp_path_factory.mktemp("esp32"), script, paths, {"machine.py": MACHINE})


def test_the_heap_of_the_build_can_be_locked(said):
    assert "LOCKED" in said


def test_passes_with_and_without_pilot_allocate_nothing(said):
    """600 passes across the wrap of the clock: three duties, a steady line, bridge, lights, demand, console."""
    allocated, feeds, trips, counts, levels, limit_ma, lost, marks, crashes = map(
        int, said[-1].split()[1:]
    )
    assert allocated == 0
    assert (feeds, trips, lost) == (601, 1, 1)
    assert "CRASHES 3" in said and (marks, crashes) == (2, 0)
    # Anti-vacuity: passes with periods and without, with a level and without, and a car that asked for current.
    assert counts & 0b1001 == 0b1001 and levels == 0b11 and limit_ma > 10000
