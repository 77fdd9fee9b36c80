"""Contact health on CPython and on the 32-bit MicroPython: the same figures, and not one byte allocated in a tick."""

import contextlib
import io

import pytest
from mpy_run import run_script

SCRIPT = r"""
from array import array

import micropython
from journal.health import ContactHealth
from journal.heating import Moment
from ticks import ticks_add


def unlocked():
    return 0


lock = getattr(micropython, "heap_lock", unlocked)
unlock = getattr(micropython, "heap_unlock", unlocked)


class Life:
    # Two contacts, warmed in integers: 1/1024 of 0.1 K.
    def __init__(self):
        self.health = ContactHealth((0, 1), 32000, 700, True)
        self.decic = array("i", [0, 0])
        self.valid = array("b", [1, 1])
        self.moment = Moment(self.decic, self.valid)
        self.moment.is_measured = self.moment.reference_ok = True
        self.rise = array("i", [0, 0])
        self.full = array("i", [150, 130])  # 0.1 K at 32 A
        self.now_ms = (1 << 30) - 30000
        self.noise = 1
        self.judged = 0
        self.ambient_decic = 200

    def step(self, a):
        moment = self.moment
        self.noise = (self.noise * 4093 + 12289) & 0x1FFFF
        for n in range(2):
            end = self.full[n] * 1024 // 1024 * (a * a)
            self.rise[n] += (end - self.rise[n]) // 150
            self.decic[n] = self.ambient_decic + self.rise[n] // 1024 + (self.noise >> (8 + n)) % 3
        moment.ma = a * 1000
        moment.reference_decic = self.ambient_decic
        self.now_ms = ticks_add(self.now_ms, 2000)
        if self.health.tick(self.now_ms, moment):
            self.judged += 1

    def run(self, steps, a):
        for _ in range(steps):
            lock()
            self.step(a)
            unlock()

    def session(self, steps, a):
        lock()
        self.health.heating.begin(self.now_ms, True)
        unlock()
        self.rise[0] = self.rise[1] = 0
        self.moment.is_plugged = True
        self.run(10, 0)
        self.run(steps, a)
        self.moment.is_plugged = False
        self.run(30, 0)
        heating = self.health.heating
        print(self.judged, [x.reason for x in heating.contacts], [x.coefficient for x in heating.contacts], [x.spread for x in heating.contacts], [x.lag_x16 for x in heating.contacts])
        record = array("i", [0] * self.health.size)
        lock()
        self.health.dump(record, 0)
        unlock()
        print(list(record))
        return record


def live():
    life = Life()
    record = None
    for n in range(86):
        life.ambient_decic = n * 37 % 650 - 200
        if n > 28:
            life.full[0] = 150 + (n - 28) * 2
        if n == 62:
            life.full[1] = 300
        elif n == 63:
            life.full[1] = 130
        life.moment.station = n % 3
        record = life.session(900 if n % 5 else 150, 7 if n % 7 == 3 else 32)
    # Whatever comes: leaping temperatures, absurd and missing currents.
    life.moment.is_plugged = True
    life.health.heating.begin(life.now_ms, True)
    for k in range(2500):
        life.full[0] = (k * 7919) % 9000 - 3000
        life.moment.is_measured = k % 97 > 2
        life.valid[1] = k % 89 > 1
        lock()
        life.step((k * 13) % 70)
        unlock()
    life.moment.is_measured = True
    life.moment.is_plugged = False
    life.run(30, 0)
    print(life.judged, [x.reason for x in life.health.heating.contacts])
    lock()
    was_loaded = life.health.load(record, 0)
    unlock()
    record[5] ^= 1
    lock()
    is_refused = not life.health.load(record, 0)
    unlock()
    print(was_loaded, is_refused, [life.health.predicted_decic(0), life.health.verdict(0), life.health.verdict(1)])


live()
print("done")
"""

SIZE = """
import gc
from array import array
gc.collect()
before = gc.mem_alloc()
from journal.health import ContactHealth
from journal.heating import Moment
gc.collect()
after = gc.mem_alloc()
health = ContactHealth((0, 1), 32000, 600)
moment = Moment(array("i", [0, 0]), array("b", [0, 0]))
gc.collect()
print(after - before, gc.mem_alloc() - after)
"""
NAMES = (
    "ticks.py",
    "journal/__init__.py",
    "journal/whole.py",
    "journal/contact.py",
    "journal/heating.py",
    "journal/health.py",
)


@pytest.fixture(scope="module")
def cpython_lines():
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(SCRIPT, "script", "exec"), {"__name__": "script"})
    return said.getvalue().splitlines()


def test_script_learns_warns_and_meets_refusals(cpython_lines):
    """Or the parity below would prove less than it says."""
    reasons = {
        line.split("[")[1][:1] for line in cpython_lines if "] [" in line and line[0] != "["
    }
    verdicts = set()
    for line in cpython_lines:
        if line.startswith("[7"):
            record = [int(part) for part in line[1:-1].split(",")]
            verdicts |= {record[2 + 8], record[2 + 17 + 8]}
    assert len(reasons) >= 3
    assert verdicts == {0, 1, 2, 3, 4, 5}


@pytest.mark.mpy
def test_micropython_gives_the_same_lines_with_the_heap_locked(cpython_lines, tmp_path):
    lines = run_script(tmp_path, SCRIPT, NAMES)
    assert lines[-1] == "done"
    assert lines == cpython_lines


@pytest.mark.mpy
def test_two_contacts_cost_little_memory(tmp_path):
    (line,) = run_script(tmp_path, SIZE, NAMES)
    _code, held = map(int, line.split())
    assert held <= 6144
    print(line)
