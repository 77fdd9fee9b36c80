"""The car's side on CPython and on the 32-bit MicroPython: the same trace, and not one byte allocated in a pass.

SCRIPT runs on both: exec() here, Node there. A car with lines, heater, door, windows, target, and a CAN port that is
made up, lives through anything, with the heap locked around each pass (where there is a heap to lock), over the 2**30 wrap.
"""

import contextlib
import io

import pytest
from mpy_run import run_script

import faults
from inletctl.house import FIRMWARE

SCRIPT = r'''
import micropython
from settings import Settings
from signals import Commands, Readings
from ticks import ticks_add
from vehicle.car import Car


def unlocked():
    return 0


lock = getattr(micropython, "heap_lock", unlocked)
unlock = getattr(micropython, "heap_unlock", unlocked)


class Port:
    def __init__(self):
        self.has_woken = False
        self.is_asleep = False

    def tick(self, now_ms):
        pass

    def sleep(self):
        self.is_asleep = True
        self.has_woken = False

    def wake(self):
        self.is_asleep = False


class Bus:
    def __init__(self):
        self.word = self
        self.soc_ok = self.target_ok = self.clock_ok = False
        self.soc_pct = self.target_pct = self.clock_min = 0
        self.age_ms = 60000
        self.sent = 0

    def fill(self, now_ms, r):
        r.vehicle_age_ms = self.age_ms

    def tick(self, now_ms, r, c):
        self.sent = (self.sent + 1) & 0xFFFF


class Lines:
    def __init__(self):
        self.ok = True
        self.inputs = 0x7F
        self.outputs = 0

    def tick(self, now_ms):
        pass


class Board:
    def note(self, sentence):
        print(sentence)


class Life:
    def __init__(self, start_ms):
        settings = Settings({
            "inlet": 1, "max_current_ma": 32000, "lines_used": 127, "heater": 1, "door": 1,
            "window_1_days": 127, "window_1_from_min": 1380, "window_1_to_min": 300,
            "target_soc_pct": 80, "person_limit_ma": 16000, "sleep_after_s": 2,
        })
        self.lines = Lines()
        self.port = Port()
        self.bus = Bus()
        self.car = Car(settings, None, self.lines, Board())
        self.car._can = self.port
        self.car.bus = self.bus
        self.r = Readings()
        self.c = Commands()
        self.now_ms = start_ms
        self.noise = 1
        self.sum = 0
        self.seen = 0
        self.last = [0, 0, 0]

    def some(self, n):
        self.noise = (self.noise * 4093 + 12289) & 0x1FFFF
        return (self.noise >> 4) % n

    def change(self):
        """Change one thing of the world."""
        r = self.r
        c = self.c
        bus = self.bus
        lines = self.lines
        what = self.some(16)
        if what == 0:
            c.plug_present = not c.plug_present
        elif what == 1:
            c.s2_close = not c.s2_close
            c.charger_ma = 6000 if c.s2_close else 0
        elif what == 2:
            r.stop_request = not r.stop_request
        elif what == 3:
            r.unlock_request = not r.unlock_request
        elif what == 4:
            lines.inputs ^= 1 << self.some(7)
        elif what == 5:
            lines.ok = not lines.ok
        elif what == 6:
            bus.clock_ok = not bus.clock_ok
        elif what == 7:
            bus.clock_min = self.some(10100) - 10
        elif what == 8:
            bus.soc_ok = not bus.soc_ok
        elif what == 9:
            bus.soc_pct = self.some(101)
        elif what == 10:
            c.wants_heat = not c.wants_heat
        elif what == 11:
            c.hottest_ok = True
            c.hottest_decic = self.some(600) - 200
        elif what == 12:
            c.faults = 1 << self.some(29) if self.some(2) else 0
        elif what == 13:
            bus.target_ok = not bus.target_ok
            bus.target_pct = self.some(101)
        elif what == 14:
            self.port.has_woken = self.some(3) == 0
            bus.age_ms = self.some(2) * 60000
        else:
            self.car.stir()
            self.car.set_time(self.some(10100))
            self.car.charge_now()

    def calm(self):
        """What stands still: nothing is pressed, everything can be read."""
        self.r.stop_request = self.r.unlock_request = self.c.s2_close = False
        self.c.wants_heat = self.c.plug_present = self.port.has_woken = False
        self.lines.ok = True
        self.lines.inputs = 0x6F
        self.bus.age_ms = 60000

    def go(self, passes, ms):
        car, r, c = self.car, self.r, self.c
        for _ in range(passes):
            self.now_ms = ticks_add(self.now_ms, ms)
            lock()
            try:
                car.fill(self.now_ms, r)
                c.holds = r.holds
                car.tick(self.now_ms, r, c)
            finally:
                unlock()
            self.seen |= r.holds
            self.sum = (self.sum * 31 + (r.holds & 0xFFFFFF)) & 0x3FFFFF
            self.sum = (self.sum * 31 + self.lines.outputs + 64 * r.is_asleep) & 0x3FFFFF

    def live(self, rounds):
        self.go(10, 10)
        for n in range(rounds):
            for _ in range(6):
                lock()
                try:
                    self.change()
                finally:
                    unlock()
                self.go(1 + self.some(9), 10)
            if n % 20 == 19:
                self.calm()
                self.go(250, 10)
            if n % 50 == 49:
                self.go(40, 30000)
            if n % 10 == 9:
                car = self.car
                print(n, self.now_ms, self.r.holds, self.lines.outputs, bool(self.r.is_asleep), car.clock.minute,
                      car.clock.source, car.heater.state, car.door.state, self.bus.sent, self.sum)


for start_ms in (0, (1 << 30) - 20000):
    life = Life(start_ms)
    life.live(400)
    print("seen", life.seen)
print("done")
'''
FILES = (
    "faults.py", "settings.py", "setting_rows.py", "modules.py", "signals.py", "ticks.py", "vehicle/__init__.py", "vehicle/car.py", "vehicle/fitting.py",
    "vehicle/clock.py", "vehicle/door.py", "vehicle/heater.py", "vehicle/schedule.py",
    "vehicle/sleep.py", "vehicle/wires.py",
)  # fmt: skip
# What the car's side takes of a small board's heap, all of it loaded but CAN.
MEMORY = """
import gc
import setting_rows
from settings import Settings
import faults, signals, ticks, array, modules
gc.collect()
before = gc.mem_alloc()
from vehicle.car import Car
import vehicle.heater, vehicle.door
car = Car(Settings({"inlet": 1, "max_current_ma": 16000}), None, None, None)
# As a board does.
import sys, vehicle
del sys.modules["vehicle.fitting"], vehicle.fitting
gc.collect()
print(gc.mem_alloc() - before)
"""
MEMORY_MAX = 46_000


def on_cpython():
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(SCRIPT, "script", "exec"), {"__name__": "script"})
    return said.getvalue().splitlines()


@pytest.fixture(scope="module")
def cpython_lines():
    return on_cpython()


def test_script_asks_for_every_hold_of_the_rooms_sleeps_heats_and_moves_the_door(cpython_lines):
    """Or the parity below would prove less than it says."""
    wanted = (
        faults.H_VEHICLE_WIRE | faults.H_NOT_PARKED | faults.H_HVIL | faults.H_INSULATION
        | faults.H_CRASH | faults.H_LINES | faults.H_WINDOW | faults.H_TARGET | faults.H_NO_CLOCK
        | faults.H_DOOR | faults.H_CAR_STARTING
    )  # fmt: skip
    for line in cpython_lines:
        if line.startswith("seen"):
            assert int(line.split()[1]) & wanted == wanted
    rows = [line.split() for line in cpython_lines if line[0].isdigit()]
    assert {row[4] for row in rows} == {"True", "False"}
    assert {int(row[7]) for row in rows} >= {0, 1, 3} and len({row[8] for row in rows}) >= 5


@pytest.mark.mpy
def test_micropython_gives_the_same_lines_with_the_heap_locked(cpython_lines, tmp_path):
    lines = run_script(tmp_path, SCRIPT, FILES)
    assert lines[-1] == "done"
    assert lines == cpython_lines


@pytest.mark.mpy
def test_the_cars_side_leaves_room_on_a_small_board(tmp_path):
    """On a 32-bit MicroPython, from source: the compiled files of a board take less."""
    taken = int(run_script(tmp_path, MEMORY, FILES)[-1])
    print("bytes", taken)
    assert taken <= MEMORY_MAX


def test_every_room_of_the_cars_side_is_in_the_script():
    assert all((FIRMWARE / path).is_file() for path in FILES)
