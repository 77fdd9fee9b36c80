"""Verdict and wear on CPython and on the 32-bit MicroPython: the same words, and not one byte allocated in a pass.

SCRIPT runs on both: exec() here, Node there. Readings and commands that a board could never give, at random, over the 2**30 wrap,
with the heap locked around each pass where there is a heap to lock.
"""

import contextlib
import io

import pytest
from mpy_run import run_script

from inletctl.flash.compile import _compile_for_board
from inletctl.house import FIRMWARE
from journal.blame import RULES
from settings import Settings

FILES = (
    "ticks.py", "faults.py", "signals.py", "settings.py", "setting_rows.py", "modules.py", "journal/__init__.py", "journal/blame.py",
    "journal/evidence.py", "journal/outcomes.py", "journal/verdict.py", "journal/wear.py",
)  # fmt: skip

HEALTH_FILES = tuple("journal/%s.py" % name for name in ("contact", "health", "heating", "whole"))

SCRIPT = r"""
import micropython
from array import array
from faults import FAULTS, HOLDS
from settings import Settings
from signals import Commands, Readings
from ticks import ticks_add

from journal.outcomes import DUMP_INTS, Outcomes
from journal.verdict import Verdict
from journal.wear import DUMP_INTS as WEAR_INTS, Wear
verdict = Verdict(Settings({}), Outcomes())
wear = Wear(Settings({}))


def unlocked():
    return 0


lock = getattr(micropython, "heap_lock", unlocked)
unlock = getattr(micropython, "heap_unlock", unlocked)
SESSIONS = (0, 1, 2, 3, 4, 5, 1, 2, 2, 2)
LOCKS = (3, 4, 5, 7, 9, 12, 14, 3, 5, 17, 18, 10)


class Life:
    def __init__(self, seed, start_ms):
        self.seed = seed
        self.now_ms = start_ms
        self.r = Readings()
        self.c = Commands()
        self.last = verdict.serial
        self.codes = 0
        self.more_codes = 0

    def rnd(self, n):
        self.seed = (self.seed * 1103 + 12345) % 65521
        return self.seed * n // 65521

    def act(self):
        r = self.r
        c = self.c
        what = self.rnd(18)
        if what < 3:
            c.session = SESSIONS[self.rnd(10)]
            c.s2_close = c.session == 2 or c.session == 3
            c.charger_ma = 16000 if c.session == 2 else 0
        elif what < 6:
            c.reasons = 0 if c.session == 2 else 1 << self.rnd(30)
        elif what == 6:
            c.faults = 0
            if self.rnd(2):
                n = self.rnd(29)
                c.faults = 1 << n
                c.reasons |= FAULTS[n][1]
        elif what == 7:
            c.holds = 0
            if not self.rnd(3):
                n = self.rnd(25)
                c.holds = 1 << n
                c.reasons |= HOLDS[n][1]
        elif what == 8:
            c.pilot_state = self.rnd(10)
            c.offered_ma = self.rnd(2) * 16000
            c.limiter = self.rnd(8)
        elif what == 9:
            r.ac_ok = self.rnd(5) > 0
            r.ac_present = self.rnd(2) > 0
        elif what == 10:
            r.charger_ok = self.rnd(6) > 0
            r.charger_ma = self.rnd(4) * 8000
        elif what == 11:
            r.cp_ok = self.rnd(8) > 0
            r.cp_high_mv = self.rnd(30000) - 15000
            r.cp_low_mv = self.rnd(30000) - 15000
            r.pilot_count = self.rnd(6)
            r.pilot_quiet_ms = self.rnd(1001)
            r.pilot_period_us_x10[0] = 9900 + self.rnd(200)
        elif what == 12:
            r.pp_ok = self.rnd(8) > 0
            r.pp_mv = self.rnd(5001)
            r.pp_rail_mv = self.rnd(12) * 500
        elif what == 13:
            r.lock_feedback_ok = self.rnd(4) > 0
            r.lock_feedback_mv = self.rnd(3300)
            c.lock_state = LOCKS[self.rnd(12)]
        else:
            c.hottest_ok = self.rnd(4) > 0
            c.hottest_decic = self.rnd(1300) - 300

    def live(self, passes):
        left = 0
        for n in range(passes):
            if left == 0:
                self.act()
                left = 1 + self.rnd(6) * self.rnd(8) * self.rnd(8)
            left -= 1
            self.now_ms = ticks_add(self.now_ms, 10 + 40 * (n & 1))
            lock()
            try:
                verdict.tick(self.now_ms, self.r, self.c)
                wear.tick(self.now_ms, self.r, self.c)
            finally:
                unlock()
            if verdict.serial != self.last:
                self.last = verdict.serial
                print(n, verdict.verdict, verdict.code, verdict.facts, verdict.reasons)
                self.codes |= 1 << verdict.rule % 30
                self.more_codes |= 1 << verdict.rule // 30


def lives():
    for seed, start_ms in ((7, 0), (37, (1 << 30) - 90000)):
        life = Life(seed, start_ms)
        life.live(40000)
        held = array("i", [0] * (DUMP_INTS + WEAR_INTS))
        verdict.outcomes.dump(held, 0)
        wear.dump(held, DUMP_INTS)
        print("END", list(held), life.codes, verdict.outcomes.revised, wear.warnings)
        again = Outcomes()
        print("BACK", again.load(held, 0), wear.load(held, DUMP_INTS))


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


@pytest.fixture(scope="module")
def here():
    out = io.StringIO()
    space = {"__name__": "life"}
    with contextlib.redirect_stdout(out):
        exec(SCRIPT, space)
    return out.getvalue().splitlines(), space


@pytest.mark.mpy
def test_the_same_words_and_no_byte_allocated(here, tmp_path):
    said = run_script(tmp_path, SCRIPT + "broken()\n", FILES)
    assert said[-1] == "LOCKED", "the heap of this build can be locked"
    assert said[:-1] == here[0]


# What each part takes with all that it imports, and the most that it may. Of about 60 KB that a Pico has left.
PARTS = {
    "whose fault": (
        "from journal.outcomes import Outcomes\nfrom journal.verdict import Verdict\na = Verdict(settings, Outcomes())",
        13_000,
    ),
    "wear": ("from journal.wear import Wear\nb = Wear(settings)", 3_500),
    "contact health": (
        "from journal.health import ContactHealth\nc = ContactHealth((0, 1), 32000, 600)",
        12_000,
    ),
}


@pytest.mark.mpy
def test_ram_stays_small(tmp_path):
    """As bytecode, without words for people, tables in words and spare names: as the board gets it."""
    sources = [name for name in (*FILES, *HEALTH_FILES) if not name.endswith("__init__.py")]
    kept = ("Verdict", "Outcomes", "Wear", "ContactHealth", "Moment", *vars(Settings({})))
    made = _compile_for_board(FIRMWARE, sources, "rp2040", kept)
    rooms = {name: data for name, data in made.items() if name.startswith("journal/")}
    others = tuple(name for name in FILES if not name.startswith("journal/"))
    begin = (
        "import gc, array, ticks, faults\nfrom settings import Settings\nsettings = Settings({})"
    )
    then = []
    for name, (script, _most) in PARTS.items():
        then += ["gc.collect()", "gc.collect()", "before = gc.mem_alloc()"]
        then += [script, "gc.collect()", "gc.collect()"]
        then.append("print(%r, gc.mem_alloc() - before, sep=',')" % name)
    said = run_script(tmp_path, begin, others, rooms, then=then)
    for line in said:
        name, took = line.split(",")
        most = PARTS[name][1]
        assert most * 2 // 3 < int(took) <= most, said
    assert len(said) == len(PARTS)


def test_a_life_meets_much(here):
    said, _space = here
    codes = {int(line.split()[2]) for line in said if line[0].isdigit()}
    assert len(codes) >= 12 and codes <= {row[0] for row in RULES}
    assert all(line.endswith("True True") for line in said if line.startswith("BACK"))


def test_every_number_stays_a_small_int(here):
    """2**30 - 1 is the largest int that costs nothing on the board."""
    _said, space = here
    for part in (
        space["verdict"],
        space["verdict"].evidence,
        space["wear"],
        space["verdict"].outcomes,
    ):
        for name, value in vars(part).items():
            assert not isinstance(value, int) or abs(value) < 2**30, name
