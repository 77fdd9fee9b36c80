"""Black box and session log on CPython and on the 32-bit MicroPython: the same bytes, and not one allocated in a pass.

SCRIPT runs on both: exec() here, Node there. Readings and commands at random, over the 2**30 wrap, with the heap locked around
each pass where there is a heap to lock. What they take of a small board's heap is measured as the board gets them.
"""

import contextlib
import io

import pytest
from mpy_run import run_script

from inletctl.flash.compile import BOARD_COLUMNS, compile_all, without_words
from inletctl.flash.shorten import shorten
from inletctl.flash.slim import slim
from inletctl.house import FIRMWARE, firmware_files

FILES = (
    "ticks.py", "faults.py", "signals.py", "settings.py", "setting_rows.py", "modules.py", "journal/__init__.py", "journal/blackbox.py", "journal/box_frame.py",
    "journal/box_writer.py", "journal/sessions.py", "vehicle/__init__.py", "vehicle/console.py",
)  # fmt: skip
# What a loop and a journal ask these for.
ASKED_FOR = (
    "tick", "take", "part", "parts", "rearm", "restore", "trigger_now", "has_ended", "credit_min", "missed",
    "clock", "lost",
)  # fmt: skip
# Ring and code of both, the writer apart, which is loaded when a box is full.
RAM_MAX = 16_500
WRITER_MAX = 2_500

SCRIPT = r"""
import micropython
from binascii import crc32
from journal.blackbox import AFTER, FULL, BlackBox
from journal.box_writer import BoxWriter
from journal.sessions import RECORD_BYTES, SessionLog
from settings import Settings
from signals import Commands, Readings
from ticks import ticks_add
from vehicle.console import Report


def unlocked():
    return 0


lock = getattr(micropython, "heap_lock", unlocked)
unlock = getattr(micropython, "heap_unlock", unlocked)


class Life:
    def __init__(self, seed, start_ms):
        self.seed = seed
        self.now_ms = start_ms
        self.r = Readings()
        self.c = Commands()
        self.box = BlackBox(6)
        self.report = Report()
        self.log = SessionLog()
        self.record = bytearray(RECORD_BYTES)
        self.part = bytearray(1024)
        self.boxes = 0
        self.sessions = 0

    def some(self, n):
        self.seed = (self.seed * 4093 + 12289) & 0x1FFFF
        return (self.seed >> 4) % n

    def act(self):
        r = self.r
        c = self.c
        what = self.some(16)
        if what == 0:
            c.session = self.some(6)
            c.s2_close = c.session == 2 or c.session == 3
        elif what == 1:
            c.reasons ^= 1 << self.some(30)
        elif what == 2:
            c.faults ^= 1 << self.some(29)
        elif what == 3:
            c.lock_state = self.some(21)
            c.lock_drive = self.some(3) - 1
        elif what == 4:
            r.pilot_count = self.some(6)
            for n in range(5):
                r.pilot_high_us_x10[n] = self.some(10000)
                r.pilot_period_us_x10[n] = 9900 + self.some(200)
            r.pilot_quiet_ms = self.some(1001)
        elif what == 5:
            r.cp_high_mv = self.some(30000) - 15000
            r.cp_low_mv = self.some(30000) - 15000
        elif what == 6:
            for n in range(4):
                r.temp_ok[n] = self.some(2)
                r.temp_mv[n] = self.some(3300)
                r.temp_age_ms[n] = self.some(60001)
        elif what == 7:
            r.charger_ok = self.some(3) > 0
            r.charger_ma = self.some(80000)
            c.charger_ma = c.permitted_ma = self.some(3) * 16000
        elif what == 8:
            r.holds = c.holds = 0x1FFFFFF & (self.some(8192) << 12 | self.some(4096))
            r.port_ma = self.some(2) * 80000
            r.dc_mv = self.some(8000) * 187
            r.port_dc_ma = self.some(2) * 1000000
        elif what == 9:
            r.is_asleep = self.some(2) > 0
            r.console_stop = self.some(2) > 0
            r.service_end = self.some(2) > 0
            r.test_lock = self.some(3) - 1
        elif what == 10:
            c.hottest_ok = self.some(4) > 0
            c.hottest_decic = self.some(1300) - 300
            c.light = self.some(14)
        elif what == 11 and not self.some(30):
            self.box.trigger_now(1 + self.some(60000))
        elif what == 12:
            c.pilot_state = self.some(10)
            c.duty_pct_x100 = self.some(10000)
            c.offered_ma = self.some(80000)

    def live(self, passes):
        left = 0
        for n in range(passes):
            lock()
            try:
                if left == 0:
                    self.act()
                    left = 1 + self.some(5) * self.some(8) * self.some(8)
                left -= 1
                self.now_ms = ticks_add(self.now_ms, 10 + (20 if n % 97 == 0 else 0))
                self.report.tick(self.now_ms, self.c, 0)
                self.box.tick(self.now_ms, self.r, self.c, self.report.number)
                self.log.tick(self.now_ms, self.r, self.c)
                if self.log.has_ended:
                    self.log.take(self.record, n, 7, 1)
                    self.sessions += 1
            finally:
                unlock()
            if self.box.state == FULL:
                self.write(n)
        print("END", self.boxes, self.sessions, crc32(self.record), crc32(self.box.ring), self.box.missed, self.box.credit_min)

    def write(self, n):
        writer = BoxWriter(self.box, Settings({"inlet": 1, "max_current_ma": 16000}), "0.1+abc", n, 77, len(self.part))
        for k in range(writer.parts):
            length = writer.part(k, self.part)
            print(n, k, writer.parts, length, crc32(memoryview(self.part)[:length]))
        self.box.rearm()
        # A life is short, and this one full of trouble.
        self.box.restore(1440)
        self.box._boxes = 0
        self.boxes += 1


def lives():
    for seed, start_ms in ((7, 0), (37, (1 << 30) - 90000)):
        Life(seed, start_ms).live(30000)


def broken():
    lock()
    try:
        return [0] * 100
    except MemoryError:
        print("LOCKED")
    finally:
        unlock()


lives()
"""
MEMORY = r"""
import gc
import array, faults, signals, ticks, settings, setting_rows
gc.collect()
before = gc.mem_alloc()
from journal.blackbox import BlackBox
gc.collect()
code = gc.mem_alloc()
box = BlackBox()
gc.collect()
ring = gc.mem_alloc()
from journal.sessions import SessionLog
log = SessionLog()
gc.collect()
both = gc.mem_alloc()
from journal.box_writer import BoxWriter
gc.collect()
print("RAM", code - before, ring - code, both - ring, gc.mem_alloc() - both)
"""


@pytest.fixture(scope="module")
def here():
    out = io.StringIO()
    space = {"__name__": "life"}
    with contextlib.redirect_stdout(out):
        exec(SCRIPT, space)
    return out.getvalue().splitlines()


def test_a_life_has_boxes_and_sessions(here):
    """Or the parity below would prove less than it says."""
    ends = [list(map(int, line.split()[1:])) for line in here if line.startswith("END")]
    assert len(ends) == 2 and all(end[0] >= 5 and end[1] >= 5 for end in ends)
    assert len({line.split()[-1] for line in here}) > 20


@pytest.mark.mpy
def test_the_same_bytes_and_none_allocated(here, tmp_path):
    said = run_script(tmp_path, SCRIPT + "broken()\n", FILES)
    assert said[-1] == "LOCKED", "the heap of this build can be locked"
    assert said[:-1] == here


@pytest.mark.mpy
def test_ram_stays_small(tmp_path):
    """As a board gets it: bytecode, without words for people, spare names and long private ones."""
    texts = {}
    for path in firmware_files():
        name = path.relative_to(FIRMWARE).as_posix()
        if not name.startswith("drivers/virtual"):
            texts[name] = path.read_text(encoding="utf-8")
            if name in BOARD_COLUMNS:
                texts[name] = without_words(texts[name], BOARD_COLUMNS[name])
    kept = {"start", "BlackBox", "BoxWriter", "SessionLog", *ASKED_FOR}
    made = shorten(slim(texts, kept), kept)
    folder = tmp_path / "board"
    for name in FILES:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(made[name], encoding="utf-8")
    files = compile_all(folder, list(FILES))
    put = "import os\nos.mkdir('/journal')\nos.mkdir('/vehicle')\n" + "".join(
        "open('/%s', 'wb').write(bytes.fromhex('%s'))\n" % (name, data.hex())
        for name, data in files.items()
    )
    said = run_script(tmp_path, put + MEMORY)
    code, ring, log, writer = map(int, said[-1].split()[1:])
    print(
        "bytes: code %d, ring and state %d, session log %d, writer %d" % (code, ring, log, writer)
    )
    assert 3072 < ring and 8_000 < code + ring + log < RAM_MAX
    assert writer < WRITER_MAX
