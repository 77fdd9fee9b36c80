"""The trouble memory and the log on CPython and on the 32-bit MicroPython: the same lines, and no byte allocated in `tick`.

SCRIPT runs on both: exec() here, Node there, the heap locked around each pass, session and clearing (where there is a heap to
lock), over the 2**30 wrap. LOG appends to and reads a log in the interpreter's own file system.
"""

import contextlib
import io

import pytest
from log_rig import records_of
from mpy_run import run_script

from drivers.flash_log import FlashLog
from inletctl.house import FIRMWARE

SCRIPT = r"""
import micropython
from array import array
from journal.memory import DUMP_INTS, SLOT_INTS, SLOTS, TroubleMemory
from signals import Commands, Readings
from ticks import ticks_add
from vehicle.clock import Clock


def unlocked():
    return 0


lock = getattr(micropython, "heap_lock", unlocked)
unlock = getattr(micropython, "heap_unlock", unlocked)


class Life:
    def __init__(self, start_ms):
        self.clock = Clock()
        self.memory = TroubleMemory(self.clock)
        self.r = Readings()
        self.c = Commands()
        self.now_ms = start_ms
        self.noise = 1
        self.session = 0
        self.ints = array("i", [0] * DUMP_INTS)
        self.answers = 0

    def some(self, n):
        self.noise = (self.noise * 4093 + 12289) & 0x1FFFF
        return (self.noise >> 4) % n

    def change(self):
        r = self.r
        c = self.c
        what = self.some(12)
        if what < 3:
            c.faults ^= 1 << self.some(29)
        elif what < 5:
            c.holds ^= 1 << self.some(25)
        elif what == 5:
            c.reasons ^= 1 << self.some(30)
        elif what == 6:
            c.plug_present = not c.plug_present
        elif what == 7:
            r.cp_high_mv = self.some(15000)
            r.pp_mv = self.some(5000)
            r.temp_ok[self.some(4)] ^= 1
            r.temp_mv[self.some(4)] = self.some(3300)
            c.session = self.some(6)
            c.pilot_state = self.some(10)
            c.lock_state = self.some(21)
            c.limiter = self.some(8)
            r.pilot_count = self.some(6)
            r.pilot_period_us_x10[self.some(5)] = self.some(8000)
        elif what == 8:
            self.session += 1
            self.memory.begin_session(self.session)
        elif what == 9:
            self.memory.end_session(self.some(3) > 0)
        elif what == 10:
            number = self.memory.slots[self.some(SLOTS) * SLOT_INTS]
            answer = self.memory.clear(number, self.some(2) > 0, self.some(2) > 0)
            self.answers |= 1 << answer
        else:
            self.clock.set_by_person(self.now_ms, self.some(10080))
            if self.some(20) == 0:
                c.faults = c.holds = 0

    def live(self, rounds):
        for n in range(rounds):
            lock()
            try:
                self.change()
                for _ in range(1 + self.some(30)):
                    self.now_ms = ticks_add(self.now_ms, 10)
                    self.clock.tick(self.now_ms)
                    self.memory.tick(self.now_ms, self.r, self.c)
                count = self.memory.dump(self.ints)
                if n % 500 == 499:
                    self.memory.load(self.ints, count)
            finally:
                unlock()
            if n % 25 == 24:
                total = 0
                for m in range(count):
                    total = (total * 31 + (self.ints[m] & 0xFFFFFF)) & 0x3FFFFF
                print(n, self.now_ms, count, self.memory.lost, self.answers, total)


for start_ms in (0, (1 << 30) - 20000):
    Life(start_ms).live(2000)
print("done")
"""
FILES = (
    "faults.py", "signals.py", "ticks.py", "vehicle/__init__.py", "vehicle/clock.py", "journal/__init__.py",
    "journal/codes.py", "journal/frame.py", "journal/memory.py",
)  # fmt: skip
LOG = r"""
from drivers.flash_log import FlashLog
from drivers.log_cursor import Cursor
from drivers.board_files import BoardFiles

# Emscripten numbers its errors in its own way; a board's littlefs has them as here.
ERRORS = {44: 2, 20: 17}


class Files(BoardFiles):
    def open(self, path, mode):
        try:
            return open(path, mode)
        except OSError as error:
            raise OSError(ERRORS.get(error.args[0], error.args[0]))


log = FlashLog("/journal", (7,), 3, 600, Files())
for n in range(60):
    answer = log.append(7 if n % 9 == 0 else 1, b"%d " % n * (n % 40), True)
    if answer:
        print(answer, log.problem)
with open("/journal/1.log", "ab") as file:
    file.write(b"JJJ torn")
log = FlashLog("/journal", (7,), 3, 600, Files())
log.append(2, b"on", True)
cursor = Cursor(log)
while cursor.next():
    print(cursor.number, cursor.kind, cursor.payload.decode())
print(log.newest(7), log.lost, log.last)
"""
LOG_FILES = (
    "drivers/__init__.py", "drivers/board_files.py", "drivers/log_reader.py", "drivers/flash_log.py", "drivers/log_cursor.py",
)  # fmt: skip
# What codes and their memory take of a small board's heap.
MEMORY = """
import gc
import faults, signals, ticks, array
gc.collect()
before = gc.mem_alloc()
from journal.memory import TroubleMemory
memory = TroubleMemory()
gc.collect()
print(gc.mem_alloc() - before)
"""
MEMORY_MAX = 28_000


@pytest.fixture(scope="module")
def cpython_lines():
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(SCRIPT, "script", "exec"), {"__name__": "script"})
    return said.getvalue().splitlines()


def test_script_fills_the_table_loses_some_and_gets_every_answer(cpython_lines):
    """Or the parity below would prove less than it says."""
    rows = [list(map(int, line.split())) for line in cpython_lines[:-1]]
    assert max(row[2] for row in rows) == 3 + 16 * 29
    assert max(row[3] for row in rows) > 0 and max(row[4] for row in rows) == 0b11111
    assert len({row[5] for row in rows}) > 60


@pytest.mark.mpy
def test_micropython_gives_the_same_lines_with_the_heap_locked(cpython_lines, tmp_path):
    lines = run_script(tmp_path, SCRIPT, FILES)
    assert lines[-1] == "done"
    assert lines == cpython_lines


@pytest.mark.mpy
def test_the_memory_leaves_room_on_a_small_board(tmp_path):
    """On a 32-bit MicroPython, from source without the words for people; compiled it is 5 KB of bytecode."""
    from inletctl.flash.compile import BOARD_COLUMNS, without_words

    source = (FIRMWARE / "journal/codes.py").read_text(encoding="utf-8")
    cut = without_words(source, BOARD_COLUMNS["journal/codes.py"])
    taken = int(run_script(tmp_path, MEMORY, FILES, {"journal/codes.py": cut})[-1])
    print("bytes", taken)
    assert taken <= MEMORY_MAX


@pytest.mark.mpy
def test_the_log_is_the_same_on_micropython(tmp_path):
    """In its own file system; the same appends on this computer read the same."""
    lines = run_script(tmp_path, LOG, LOG_FILES)
    log = FlashLog(str(tmp_path / "journal"), (7,), 3, 600)
    for n in range(60):
        assert log.append(7 if n % 9 == 0 else 1, b"%d " % n * (n % 40), True) == 0
    with open(tmp_path / "journal" / "1.log", "ab") as file:
        file.write(b"JJJ torn")
    log = FlashLog(str(tmp_path / "journal"), (7,), 3, 600)
    assert log.append(2, b"on", True) == 0
    wanted = ["%d %d %s" % (number, kind, payload.decode()) for number, kind, payload in records_of(log)]  # fmt: skip
    assert lines == [*wanted, "%r %d %d" % (log.newest(7), log.lost, log.last)]
