"""The thermal room on CPython and on the 32-bit MicroPython: the same trace, and not one byte allocated.

SCRIPT runs on both: exec() here, Node there. It converts every voltage of several sensors, then lives through every
fault with the heap locked around each tick (where there is a heap to lock), over the 2**30 wrap.
"""

import contextlib
import io

import pytest
from mpy_run import run_script

import faults
from inletctl.house import FIRMWARE

SCRIPT = r'''
import micropython
from signals import Readings
from thermal.convert import GOOD, Probe
from thermal.params import NTC, PT1000, UNUSED, ChannelParams, ThermalLimits
from thermal.port import PortThermal
from ticks import ticks_add


def unlocked():
    return 0


lock = getattr(micropython, "heap_lock", unlocked)
unlock = getattr(micropython, "heap_unlock", unlocked)

NTC_10K = ChannelParams(NTC)
PT = ChannelParams(PT1000, pullup_ohm=1000)


def conversions():
    sensors = (
        NTC_10K,
        ChannelParams(NTC, beta=3950, pullup_ohm=4700),
        ChannelParams(NTC, r25_ohm=100000, beta=4500, pullup_ohm=200000),
        ChannelParams(NTC, r25_ohm=1000, beta=2500, pullup_ohm=1000),
        PT,
        ChannelParams(PT1000, pullup_ohm=10000),
    )
    for params in sensors:
        probe = Probe(params)
        print(params.kind, params.r25_ohm, params.beta, params.pullup_ohm, list(probe.keys))
        for rail_mv in (2500, 3300, 5250):
            total = 0
            for mv in range(-3, rail_mv + 4, 1 if rail_mv == 3300 else 19):
                lock()
                sample = probe.read(mv, rail_mv)
                unlock()
                total = (total * 31 + sample) & 0xFFFFFF
                if sample == GOOD:
                    total = (total * 31 + probe.decic + 512) & 0xFFFFFF
                    total = (total * 31 + (probe.ohm_x10 & 0xFFFF)) & 0xFFFFFF
                if mv % 50 < 5:
                    print(rail_mv, mv, sample, probe.decic, probe.ohm_x10)
            print("sum", rail_mv, total)


class Life:
    """A port of two NTC contacts, a PT1000 contact and a PT1000 of the housing. Voltages move like temperatures."""

    def __init__(self, start_ms):
        housing = ChannelParams(PT1000, pullup_ohm=1000, is_contact=False)
        self.port = PortThermal((NTC_10K, NTC_10K, PT, housing), ThermalLimits())
        self.readings = Readings()
        self.now_ms = start_ms
        self.pass_ms = 10
        self.mv = [1519, 1519, 1737, 1737]  # about 30 C
        self.target_mv = [1519, 1519, 1737, 1737]
        self.step_mv = 0  # a pass; 0: at once
        self.is_unplugged = False
        self.converted = [True, True, True, True]
        self.noise = 1
        self.last = [0, 0, False]

    def start(self):
        """Make every value once, so that what follows assigns and does not create."""
        self.readings.charger_ok = True
        for n in range(4):
            self.readings.temp_ok[n] = 1

    def step(self):
        readings = self.readings
        for n in range(4):
            way = self.target_mv[n] - self.mv[n]
            if self.step_mv and way > self.step_mv:
                way = self.step_mv
            elif self.step_mv and way < -self.step_mv:
                way = -self.step_mv
            self.mv[n] += way
            if self.converted[n]:
                self.noise = (self.noise * 4093 + 12289) & 0x1FFFF
                readings.temp_mv[n] = self.mv[n] + (self.noise >> 8) % 5 - 2
                readings.temp_age_ms[n] = 0
            elif readings.temp_age_ms[n] < 60000:
                readings.temp_age_ms[n] += self.pass_ms
        self.port.tick(self.now_ms, readings, self.is_unplugged)
        self.now_ms = ticks_add(self.now_ms, self.pass_ms)

    def run_quietly(self, passes):
        for _ in range(passes):
            lock()
            self.step()
            unlock()

    def run(self, passes, label):
        """Run with the heap locked; tell each change of faults, and the end."""
        last = self.last
        port = self.port
        for _ in range(passes):
            lock()
            self.step()
            unlock()
            if port.faults != last[0] or bool(port.limit_ma) != last[2]:
                last[0], last[1], last[2] = port.faults, port.limit_ma, bool(port.limit_ma)
                print(label, ":", port.faults, self.now_ms, port.limit_ma, port.hottest_decic)
        print(label, "end", port.faults, port.limit_ma, port.hottest_decic, port.hottest_ok)
        print(list(port.decic), list(port.valid), list(port.channel_faults))


def live(start_ms):
    life = Life(start_ms)
    target, converted, readings = life.target_mv, life.converted, life.readings
    life.run(120, "not measured")
    life.start()
    life.run(600, "rest")
    for n in (0, 3):
        for bad_mv in (3300, 0):
            was_mv, target[n] = target[n], bad_mv
            life.run(150, "broken")
            target[n] = was_mv
            life.run(500, "mended")
        converted[n] = False
        life.run(150, "stale")
        converted[n] = True
        life.run(500, "fresh")
    target[0] = 1000
    life.run(400, "jump")
    life.is_unplugged = True
    life.run(50, "pulled")
    target[0] = 1519
    life.run(1500, "pulled")
    life.is_unplugged = False
    # Up to 92 C and down to 65 C, twice: 1 mV a pass is 5..12 K/s, so one every 10th pass.
    life.pass_ms = 100
    for _ in range(2):
        life.step_mv = 1
        target[0] = target[1] = 500
        life.run(1300, "warm")
        target[0] = target[1] = 352
        life.run(400, "hot")
        target[0] = target[1] = 660
        life.run(500, "cool")
    target[0] = target[1] = 1519
    life.run(1500, "cool")
    life.is_unplugged = True
    life.run(50, "pulled")
    life.is_unplugged = False
    target[1] = 560
    life.run(1500, "apart")
    target[1] = 1519
    life.run(1500, "together")
    # The first contact warms by 10 K in 11 min, the others do not move: 16 A, then the current unknown.
    life.pass_ms = 200
    for known in (True, False):
        life.run(1500, "settle")
        readings.charger_ma = 16000
        readings.charger_ok = known
        for _ in range(330):
            target[0] -= 1
            life.run_quietly(10)
        life.run(100, "warmed")
        readings.charger_ma = 0
        readings.charger_ok = True
        life.is_unplugged = True
        life.run(20, "pulled")
        target[0] = 1519
        life.run_quietly(1500)
        life.is_unplugged = False
    readings.charger_ok = False
    readings.ac_ok = readings.ac_present = True
    life.run(3500, "mains")
    readings.temp_rail_mv = 0
    life.run(20, "no rail")


conversions()
live((1 << 30) - 30000)
print("done")
'''


TOO_MUCH = """
import micropython


def tries(x, many):
    caught = 0
    for n in range(many):
        micropython.heap_lock()
        try:
            y = x * 1.5 if n == 0 else x * 40000
        except MemoryError:
            caught += 1
        micropython.heap_unlock()
    return caught


for many in range(3):
    print(tries(40000, many))
"""


def on_cpython():
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(SCRIPT, "script", "exec"), {"__name__": "script"})
    return said.getvalue().splitlines()


@pytest.fixture(scope="module")
def cpython_lines():
    return on_cpython()


@pytest.fixture(scope="module")
def micropython_lines(tmp_path_factory):
    names = ["faults.py", "signals.py", "ticks.py"]
    names += [f"thermal/{path.name}" for path in sorted((FIRMWARE / "thermal").glob("*.py"))]
    return run_script(tmp_path_factory.mktemp("thermal"), SCRIPT, names)


def test_script_raises_and_clears_every_fault_of_the_room(cpython_lines):
    """Or the parity below would prove less than it says."""
    seen, cleared, before = 0, 0, 0
    for line in cpython_lines:
        if " : " in line:
            mask = int(line.split(" : ")[1].split()[0])
            seen |= mask
            cleared |= before & ~mask
            before = mask
    room = (
        faults.F_TEMP_OPEN
        | faults.F_TEMP_SHORT
        | faults.F_TEMP_STALE
        | faults.F_TEMP_STUCK
        | faults.F_TEMP_RISE
        | faults.F_TEMP_DISAGREE
        | faults.F_OVER_TEMPERATURE
        | faults.F_TEMP_LATCHED
    )
    assert seen == room
    assert cleared == room


@pytest.mark.mpy
def test_micropython_gives_the_same_lines_with_the_heap_locked(cpython_lines, micropython_lines):
    assert micropython_lines[-1] == "done"
    assert micropython_lines == cpython_lines


@pytest.mark.mpy
def test_lock_around_the_ticks_does_bite(tmp_path):
    """Anti-vacuity: a float and an int past 2**30 are caught where the ticks were not."""
    assert run_script(tmp_path, TOO_MUCH) == ["0", "1", "2"]
