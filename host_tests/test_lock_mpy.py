"""The lock on the official 32-bit MicroPython: nothing allocated, and the same life as on CPython."""

import json

import pytest
from mpy_run import run_script

import faults
from lock.actuator import LOCK_STATE_NAMES, LockActuator
from lock.params import LockParams

pytestmark = pytest.mark.mpy

ROOMS = ("lock/__init__.py", "lock/params.py", "lock/feedback.py", "lock/bridge.py")
FILES = (*ROOMS, "lock/actuator.py", "ticks.py", "faults.py")

# A life both interpreters can lead: integers only, a small generator of its own. Each line of the trace is one change.
LIFE = """
from array import array
from lock.actuator import LockActuator
from lock.params import LockParams
from ticks import ticks_add

MV = (580, 580, 1500, 2860, 2860, 0, 3300, 20)


class Life:
    def __init__(self, seed, t0, feedback, passes):
        self.lock = LockActuator(LockParams(feedback=feedback, attempts=3, cooldown_ms=500))
        self.seed = seed
        self.t0 = t0
        self.is_switch = feedback == 1
        self.passes = passes
        self.at = 0
        self.wired = 1
        self.jam = 0
        self.lie = -1
        self.request = 0
        self.may = True
        self.ok = True
        self.trace = array("i", [0] * 8000)
        self.length = 0
        self.states = 0
        self.faults = 0

    def rnd(self, n):
        self.seed = (self.seed * 1103 + 12345) % 65521
        return self.seed * n // 65521

    def act(self):
        what = self.rnd(12)
        if what < 4:
            self.request = self.rnd(3)
        elif what < 6:
            self.may = self.rnd(4) > 0
        elif what == 6:
            self.lock.unplugged()
        elif what == 7:
            self.at = self.rnd(2) * 1000
        elif what == 8:
            self.jam = self.rnd(5)
        elif what == 9:
            self.lie = self.rnd(30)
        elif what == 10:
            self.ok = self.rnd(5) > 0
        else:
            self.wired = 1 if self.rnd(3) else -1

    def mv(self):
        if 0 <= self.lie < 8:
            return MV[self.lie]
        if self.is_switch:
            return 20 if self.at >= 900 else 3300
        return 2860 if self.at >= 950 else 580 if self.at <= 50 else 1500

    def note(self, value):
        self.trace[self.length] = value
        self.length += 1

    def live(self):
        lock = self.lock
        now = self.t0
        left = 0
        was = -1
        for n in range(self.passes):
            if left == 0:
                self.act()
                left = 1 + self.rnd(9) * self.rnd(9) * self.rnd(9)
            left -= 1
            now = ticks_add(now, 10)
            ma = 0
            if lock.drive:
                before = self.at
                if not (self.jam == 1 and self.at > 400) and self.jam != 2:
                    self.at = max(0, min(1000, self.at + 33 * lock.drive * self.wired))
                ma = 250 if self.at != before else 2400
            lock.tick(now, self.request, self.may, self.ok, self.mv(), ma)
            self.states |= 1 << lock.state
            self.faults |= lock.faults
            seen = lock.state << 3 | (lock.drive + 1) << 1 | lock.is_locked
            seen = seen * 4 + lock.is_confirmed * 2 + lock.is_unlocked
            if (seen << 8 | lock.faults >> 17) != was:
                was = seen << 8 | lock.faults >> 17
                if self.length < 7998:
                    self.note(n)
                    self.note(was)
"""

# Heap locked for the whole life: one allocated byte is a MemoryError.
BOARD = """
import gc, micropython


def lead(seed, t0, feedback, passes):
    life = Life(seed, t0, feedback, passes)
    gc.collect()
    before = gc.mem_alloc()
    micropython.heap_lock()
    try:
        life.live()
    finally:
        micropython.heap_unlock()
    allocated = gc.mem_alloc() - before
    print("LIFE", allocated, life.states, life.faults, list(life.trace[: life.length]))


# A lock that never allocates could be a lock that is never locked: this one must fail.
def broken():
    micropython.heap_lock()
    try:
        return [0] * 100
    except MemoryError:
        print("LOCKED")
    finally:
        micropython.heap_unlock()


broken()
"""

LIVES = [
    (seed, t0, feedback, 12000)
    for feedback in (2, 1, 0)
    for seed, t0 in ((7, 0), (37, 2**30 - 50))
]


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    script = LIFE + BOARD + "".join(f"lead{life}\n" for life in LIVES)
    return run_script(tmp_path_factory.mktemp("lock"), script, FILES)


@pytest.fixture(scope="module")
def lives(said):
    return [line.split(None, 4)[1:] for line in said if line.startswith("LIFE")]


@pytest.fixture(scope="module")
def twins():
    space = {"__name__": "life"}
    exec(LIFE, space)
    out = []
    for life in LIVES:
        twin = space["Life"](*life)
        twin.live()
        out.append(twin)
    return out


def test_the_heap_of_the_build_can_be_locked(said):
    assert "LOCKED" in said


def test_no_byte_is_allocated_in_a_life_of_all_states_and_faults(lives):
    assert [int(allocated) for allocated, *_ in lives] == [0] * len(LIVES)
    states = seen_faults = 0
    for _, s, f, _ in lives:
        states |= int(s)
        seen_faults |= int(f)
    missing = [n for i, n in enumerate(LOCK_STATE_NAMES) if not states >> i & 1]
    assert missing == []
    assert seen_faults == faults.F_LOCK_REVERSED * 2 - faults.F_FAILED_LOCK


def test_life_is_the_same_on_cpython(lives, twins):
    assert len(lives) == len(LIVES)
    for (_, states, seen_faults, trace), twin in zip(lives, twins):
        assert (int(states), int(seen_faults)) == (twin.states, twin.faults)
        assert json.loads(trace) == list(twin.trace[: twin.length])
        assert twin.length > 100


def test_every_number_stays_a_small_int(twins):
    """2**30 - 1 is the largest int that costs nothing on the board."""
    for twin in twins:
        for part in (twin.lock, twin.lock._bridge, twin.lock._feedback):
            for value in vars(part).values():
                assert not isinstance(value, int) or abs(value) < 2**30
    assert isinstance(twins[0].lock, LockActuator)
    assert LockParams().cap_ms == 1000
