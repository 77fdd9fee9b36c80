"""The CAN port and the lines on the 32-bit MicroPython: the same trace as here, and not one byte allocated.

SCRIPT runs on both, with a register memory in place of the two chips: enough for set-up, frames both ways, overflow,
bus-off, sleep and an expander that resets. The chips' real behaviour is tested with the models (test_can_port.py).
"""

import contextlib
import io

import pytest
from mpy_run import run_script

SCRIPT = r'''
import micropython
from drivers.can_port import CanPort
from drivers.mcp2515 import MCP2515
from drivers.mcp23s17 import MCP23S17
from ticks import ticks_add


def unlocked():
    return 0


lock = getattr(micropython, "heap_lock", unlocked)
unlock = getattr(micropython, "heap_unlock", unlocked)


class Memory:
    """Both chips' registers behind one SPI; allocates nothing."""

    def __init__(self):
        self.r = bytearray(128)
        self.x = bytearray(22)
        self.is_low = False
        self.is_lines = False
        self.sum = 0
        self.reset()
        self.reset_lines()

    def reset(self):
        for n in range(128):
            self.r[n] = 0
        self.r[0x0F] = 0x87

    def reset_lines(self):
        for n in range(22):
            self.x[n] = 0xFF if n < 2 else 0

    def can_cs(self, level):
        self.is_lines = False

    def lines_cs(self, level):
        self.is_lines = True

    def get(self, at):
        if at & 0x0F == 0x0E:
            return self.r[0x0F] & 0xE0
        if at & 0x0F == 0x0F:
            return self.r[0x0F]
        if self.r[0x0F] & 0xE0 != 0x80 and (at < 0x0C or 0x10 <= at < 0x1C or 0x20 <= at < 0x28):
            return 0
        return self.r[at]

    def write(self, words):
        for n in range(len(words)):
            self.sum = (self.sum * 31 + words[n]) & 0xFFFFFF
        if self.is_lines:
            for n in range(2, len(words)):
                self.x[words[1] + n - 2] = words[n]
        elif words[0] == 0xC0:
            self.reset()
        elif words[0] == 0x02:
            for n in range(2, len(words)):
                self.r[words[1] + n - 2] = words[n]
        elif words[0] == 0x05:
            at = words[1]
            self.r[at] = self.r[at] & ~words[2] & 0xFF | words[3] & words[2]
        elif words[0] & 0xF8 == 0x80:
            for n in range(3):
                if words[0] >> n & 1:
                    self.r[0x30 + 16 * n] |= 8

    def write_readinto(self, words, into):
        for n in range(len(into)):
            into[n] = 0
        first = words[0]
        if self.is_lines:
            for n in range(2, len(into)):
                into[n] = self.x[words[1] + n - 2]
        elif first == 0x03:
            for n in range(2, len(into)):
                into[n] = self.get(words[1] + n - 2)
        elif first == 0xA0:
            status = self.r[0x2C] & 3
            for n in range(3):
                if self.r[0x30 + 16 * n] & 8:
                    status |= 4 << 2 * n
            into[1] = status
        elif first & 0xF9 == 0x90:
            n = first >> 2 & 1
            for at in range(13):
                into[1 + at] = self.r[0x61 + 16 * n + at]
            self.r[0x2C] &= 0xFE if n == 0 else 0xFD

    def post(self, n, frame_id, value):
        base = 0x60 + 16 * n
        self.r[base + 1] = frame_id >> 3
        self.r[base + 2] = frame_id << 5 & 0xE0
        self.r[base + 5] = 8
        for at in range(8):
            self.r[base + 6 + at] = (value + at) & 0xFF
        self.r[0x2C] |= 1 << n

    def sent(self):
        for n in range(3):
            self.r[0x30 + 16 * n] &= 0xF7


class Frame:
    def __init__(self):
        self.id = 0
        self.length = 8
        self.data = bytearray(8)


memory = Memory()
port = CanPort(MCP2515(memory, memory.can_cs, 16000000, 500))
port.listen((0x100, 0x101, 0x7FF))
lines = MCP23S17(memory, memory.lines_cs)
out, heard = Frame(), Frame()
now_ms = (1 << 30) - 15000
total = 0


def step(n):
    global now_ms, total
    now_ms = ticks_add(now_ms, 10)
    out.id = 0x300 + n % 7
    out.data[0] = n & 0xFF
    port.send(out)
    port.tick(now_ms)
    port.poll()
    while port.receive(heard):
        total = (total * 31 + heard.id + heard.data[0] + heard.data[7] * 256) & 0xFFFFFF
    lines.outputs = n & 0x3F
    lines.tick(now_ms)
    memory.x[0x12] = n >> 4 & 0x7F


def tell(label):
    print(label, port.state, port.lost, port.dropped, port.tx_errors, port.rx_errors, port.offs, port.resets,
          port.tec, port.rec, port.has_woken, lines.ok, lines.inputs, lines.faults, memory.sum, total)


def run(label, passes, frames=0, is_sent=True, errors=0, tec=0):
    for n in range(passes):
        lock()
        if n < frames:
            memory.post(0, 0x100, n)
            memory.post(1, 0x7FF if n & 1 else 0x101, n)
        if is_sent:
            memory.sent()
        memory.r[0x2D] |= errors
        memory.r[0x1C] = tec
        step(n)
        unlock()
    tell(label)


run("start", 6)
run("frames", 60, 50)
run("full", 40, 40, errors=0xC0)
run("warning", 10, errors=0x01, tec=100)
memory.r[0x2D] = 0
run("unheard", 40, is_sent=False, errors=0x11, tec=128)
for n in range(8):
    run("off", 1 + (1 << n) * 11, errors=0x20)
memory.r[0x2D] = 0
run("back", 700)
lock()
port.sleep()
unlock()
run("asleep", 30)
lock()
memory.r[0x2C] |= 0x40
unlock()
run("woken", 5)
lock()
port.wake()
unlock()
run("awake", 20, 20)
lock()
memory.reset()
memory.reset_lines()
unlock()
run("reset", 30, 30)
lock()
memory.r[0x29] ^= 1
memory.x[0x0C] = 0xFF
unlock()
run("spoilt", 30, 30)
lock()
port.release()
lines.release()
unlock()
tell("released")
print("done")
'''
NAMES = (
    "ticks.py",
    "drivers/__init__.py",
    "drivers/can_port.py",
    "drivers/can_out.py",
    "drivers/can_timing.py",
    "drivers/mcp2515.py",
    "drivers/mcp23s17.py",
)


def on_cpython():
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(SCRIPT, "script", "exec"), {"__name__": "script"})
    return said.getvalue().splitlines()


def test_script_visits_every_state_and_moves_every_counter():
    """Or the parity below would prove less than it says."""
    lines = [line.split() for line in on_cpython()[:-1]]
    assert {int(line[1]) for line in lines} >= {1, 2, 3, 4, 5, 6}
    assert all(int(lines[-1][n]) > 0 for n in (2, 3, 4, 6, 7))
    assert {line[10] for line in lines} == {"True", "False"}
    assert lines[2][1] == "2" and int(lines[1][-1]) > 0


@pytest.mark.mpy
def test_micropython_gives_the_same_lines_with_the_heap_locked(tmp_path):
    lines = run_script(tmp_path, SCRIPT, NAMES)
    assert lines[-1] == "done"
    assert lines == on_cpython()
