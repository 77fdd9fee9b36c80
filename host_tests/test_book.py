"""The journal in the loop: loaded at rest, written at rest, read over the wire, and gone without harm where it fails."""

import errno
import struct

import pytest
from click.testing import CliRunner

from inletctl.blackbox.file import save
from inletctl.blackbox.payload import boxes_of
from inletctl.cli import cli
from inletctl.errors import UserError
from inletctl.journal import words
from inletctl.journal.board import BoardJournal, records_of
from inletctl.journal.memory_files import MemoryFiles
from inletctl.link.client import RefusedError
from inletctl.link.codec import LineSorter, command_line
from inletctl.link.wired import Wire, run_wired
from inletctl.scenario.parse import parse_scenario
from inletctl.session import Session
from journal import book as book_module
from journal import outcomes, pages, wear
from journal.blackbox import CREDIT_MAX_MIN, FULL
from journal.blame import PERSON
from journal.book import (
    BUDGET,
    BUDGET_AT_START,
    EARN_MS,
    K_COUNTS,
    K_OUTCOMES,
    K_SESSION,
    K_TROUBLES,
    K_WEAR,
    KEPT,
    Book,
)
from journal.box_writer import KIND_BOX
from journal.memory import TroubleMemory
from journal.sessions import KIND_SESSION, RECORD_BYTES, SessionLog
from journal.shelf import Shelf
from journal.wear import Wear
from settings import Settings
from signals import Commands, Readings
from vehicle.desk import Desk
from vehicle.protocol import NOT_IDLE, NOT_IN_SERVICE, REFUSALS, STILL_PRESENT

# A station that reports an error, then a plug that is pulled; the log is written once all is at rest.
STORY = """title state F, then pulled
inlet type2
at 4s plug 32A
at +60s evse_error f
at +5s unlock
at +3s unplug
end +20s
"""
PULLED_AT = 7600
QUIET = "title quiet\ninlet type2\nend 8s\n"


class Run:
    """A scenario on the wired simulation; `script`: at which pass what is asked. Answers by the id of the question."""

    def __init__(self, text, script=None, wire=None):
        scenario = parse_scenario(text, "test.txt")
        self.session = Session(scenario)
        self.wire = wire or Wire(scenario.settings)
        self.answers = {}
        self.commands = []
        sorter = LineSorter()
        sorter.on_reply = self._take
        sorter.on_telemetry = self._hear
        self._sorter = sorter
        self._passes = 0
        self._script = script or {}
        self.words = []
        sorter.on_words = self.words.append
        run_wired(self.session, self.wire, self._pass)

    def _take(self, reply):
        self.answers[reply.id] = reply.ok if reply.no is None else REFUSALS[reply.no]

    def _hear(self, line):
        self.commands.append(line.values)

    def _pass(self, board):
        self._passes += 1
        self._sorter.feed(bytes(board.outbox))
        board.outbox.clear()
        for n, (word, *numbers) in enumerate(self._script.get(self._passes, ())):
            board.inbox.extend(command_line(self._passes * 10 + n, word, numbers))


class Client:
    """What BoardJournal asks; answers from a table, or through a function."""

    def __init__(self, answer):
        self._answer = answer

    def order(self, word, *numbers):
        said = self._answer(word, *numbers)
        if isinstance(said, int):
            raise RefusedError(said)
        return said


def test_the_numbers_said_twice_are_the_same():
    assert book_module.WEAR_INTS == wear.DUMP_INTS
    assert book_module.OUTCOMES_INTS == outcomes.DUMP_INTS
    assert KEPT == tuple(range(1, K_COUNTS + 1)) and len(book_module.KIND_NAMES) == K_COUNTS + 1
    assert (book_module.K_BOX, book_module.K_SESSION) == (KIND_BOX, KIND_SESSION)
    assert (book_module._RECORD_BYTES, book_module._FULL) == (RECORD_BYTES, FULL)
    assert book_module._PERSON == PERSON and book_module.CREDIT_MAX_MIN == CREDIT_MAX_MIN
    assert set(range(pages.PAGES)) == {pages.P_NOW, pages.P_CODE, pages.P_WEAR, pages.P_CONTACT}
    assert len(pages.PAGE_NAMES) == pages.PAGES


def test_a_stop_is_told_over_the_wire_with_whose_fault_it_was_and_the_code_it_left():
    run = Run(STORY, {6700: [("journal", 0, 0), ("journal", 1, 0), ("journal", 1, 15)]})
    now = words.page(run.answers[67000])
    assert now["loaded"] == 127 and now["session"] == 1
    verdict = words.verdict(now)
    assert verdict.party == "station" and verdict.sure == "sure"
    assert "state F" in verdict.line and "reason pilot_f" in verdict.evidence
    stored = words.stored(run.answers[67001])
    assert (stored.name, stored.is_present, stored.count) == ("PilotFault", True, 1)
    assert stored.frame["cp_high_mv"] < 0 and stored.frame["plug_present"] == 1
    assert words.stored(run.answers[67002]) is None


def test_a_session_is_on_flash_once_the_inlet_is_at_rest_and_outlasts_a_restart():
    run = Run(STORY)
    records = records_of(run.wire.flash)
    assert {record.kind for record in records} >= {K_TROUBLES, K_WEAR, K_OUTCOMES}
    assert len(records) <= BUDGET
    again = Run(QUIET, {700: [("journal", 0, 0), ("journal", 1, 0), ("journal", 2, 0)]}, run.wire)
    now = words.page(again.answers[7000])
    assert now["session"] == 1 and now["log_last"] == len(records) and not now["unsaved"]
    stored = words.stored(again.answers[7001])
    assert (stored.name, stored.is_present) == ("PilotFault", False)
    counted = {name: value for name, value, _unit, _what in words.counters(again.answers[7002])}
    assert (counted["matings"], counted["locks"]) == (1, 1)


def test_a_restart_in_the_middle_of_a_plug_in_keeps_its_number_and_none_is_given_twice():
    first = Run(STORY)
    text = STORY.replace("at +60s evse_error f", "at +60s reset\nat +20s evse_error f")
    second = Run(text, {6600: [("journal", 0, 0)], 9300: [("journal", 0, 0)]}, first.wire)
    assert words.page(second.answers[66000])["session"] == 2, "counted on"
    numbers = [
        int.from_bytes(one.payload[2:6], "little")
        for one in records_of(second.wire.flash)
        if one.kind == K_SESSION
    ]
    assert numbers == [1, 2]


def test_nothing_is_written_while_s2_is_closed_or_the_lock_moves():
    written = []

    class Flash(MemoryFiles):
        def open(self, path, mode):
            if mode != "rb":
                written.append((board.commands.s2_close, board.commands.lock_drive))
            return super().open(path, mode)

    scenario = parse_scenario(STORY, "test.txt")
    wire = Wire(scenario.settings)
    wire.flash = Flash()
    board = None

    def each_pass(now):
        nonlocal board
        board = now

    run_wired(Session(scenario), wire, each_pass)
    assert written and set(written) == {(False, 0)}


def test_the_log_is_read_over_the_wire_as_it_lies_on_flash():
    run = Run(STORY)
    data = run.wire.flash.files["/journal/0.log"]
    at = range(0, len(data), pages.FILE_BYTES)
    script = {700 + 3 * n: [("journal_file", 0, start)] for n, start in enumerate(at)}
    again = Run("title quiet\ninlet type2\nend 60s\n", script, run.wire)
    told = [again.answers[(700 + 3 * n) * 10] for n in range(len(at))]
    assert {one[0] for one in told} == {len(data)}

    def answer(word, *numbers):
        if word == "journal":
            return (*[0] * pages.NUMBERS,)
        return told[numbers[1] // pages.FILE_BYTES] if not numbers[0] else (0,) * pages.NUMBERS

    records = BoardJournal(Client(answer)).records()
    assert records == records_of(run.wire.flash) and len(records) >= 3


def test_a_file_is_not_read_while_current_flows():
    run = Run(
        STORY,
        {
            5000: [("journal_file", 0, 0)],
            7900: [("journal_file", 9, 0), ("journal_file", 0, 2**30 - 1)],
        },
    )
    assert run.answers[50000] == "not_idle"
    assert run.answers[79000] == "no_such_entry" and run.answers[79001][0] > 0


def test_codes_are_cleared_as_far_as_their_class_allows():
    clear = ("code_clear", 1101)
    run = Run(STORY, {6700: [clear], 7900: [clear, clear, ("inspected",), ("code_clear", 0)]})
    said = [run.answers[n] for n in (67000, 79000, 79001, 79002, 79003)]
    assert said == ["still_present", (), "no_such_entry", "not_in_service", "no_such_entry"]
    records = [one for one in records_of(run.wire.flash) if one.kind == K_TROUBLES]
    assert len(records[-1].payload) < len(records[0].payload), (
        "what was cleared is not stored any more"
    )


def test_what_flash_holds_and_is_no_journal_is_told_and_done_without():
    run = Run(STORY)
    files = run.wire.flash.files
    log = bytearray(files["/journal/0.log"])
    log[40] ^= 1
    files["/journal/0.log"] = bytes(log)
    files["/journal/1.log"] = b"somebody else's file"
    again = Run(QUIET, {700: [("journal", 0, 0)]}, run.wire)
    now = words.page(again.answers[7000])
    assert now["loaded"] == 127 and now["log_lost"] == 1
    assert any("/journal/1.log" in sentence and ".bad" in sentence for sentence in again.words)


def test_a_dump_of_another_size_is_told_and_begun_anew():
    run = Run(STORY)
    from drivers.flash_log import DONE, FlashLog

    log = FlashLog(kept=KEPT, files=run.wire.flash)
    assert log.append(K_OUTCOMES, b"abc", True) == DONE
    assert log.append(K_TROUBLES, bytes(4) * 40, True) == DONE
    again = Run(QUIET, {700: [("journal", 0, 0), ("journal", 1, 0)]}, run.wire)
    assert words.page(again.answers[7000])["loaded"] == 127
    assert words.stored(again.answers[7001]) is None
    told = "\n".join(again.words)
    assert "what is stored of outcomes is not of this firmware" in told
    assert "a stored trouble code makes no sense" in told


class BrokenFlash(MemoryFiles):
    """Reads, and takes nothing more after so many files."""

    def __init__(self, error, after=0):
        super().__init__()
        self.error, self.left = error, after

    def open(self, path, mode):
        if mode != "rb":
            self.left -= 1
            if self.left < 0:
                raise self.error
        return super().open(path, mode)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC), "the flash is full"),
        (OSError(errno.EIO), "the flash cannot be written"),
        (MemoryError(), "no memory left"),
    ],
)
def test_a_flash_that_takes_nothing_is_told_once_and_the_inlet_charges(error, said):
    wire = Wire(parse_scenario(STORY, "t").settings)
    wire.flash = BrokenFlash(error)
    run = Run(STORY, {7900: [("journal", 0, 0)]}, wire)
    now = words.page(run.answers[79000])
    assert now["failures"] == 1 and now["unsaved"] & 1 << K_TROUBLES
    assert sum(said in sentence for sentence in run.words) == 1
    assert any(values[0] for values in run.commands), "S2 was closed"


@pytest.mark.parametrize(
    "part", ["journal.memory", "journal.verdict", "journal.wear", "journal.health"]
)
def test_a_part_that_has_no_room_is_named_and_the_others_go_on(monkeypatch, part):
    real = __import__

    def full(name, *rest):
        if name == part:
            raise MemoryError
        return real(name, *rest)

    monkeypatch.setattr("builtins.__import__", full)
    run = Run(STORY, {7900: [("hello",), ("journal", 0, 0)]})
    said = {
        "journal.memory": "trouble codes",
        "journal.verdict": "whose fault",
        "journal.wear": "wear",
    }.get(part, "contact health")
    assert sum("left out on this board: %s" % said in sentence for sentence in run.words) == 1
    assert any(values[0] for values in run.commands), "S2 was closed"
    if part != "journal.memory":
        now = words.page(run.answers[79001])
        assert now["loaded"] != 127 and any(said in what for what in words.missing(now["loaded"]))


@pytest.mark.parametrize("has_words", [True, False])
def test_a_part_that_had_no_room_takes_its_modules_with_it_even_where_none_is_left_for_words(
    monkeypatch, has_words
):
    import sys
    from types import SimpleNamespace

    from journal.opener import Opener

    class NoMemoryError(MemoryError):
        def __repr__(self):
            if has_words:
                return "no memory"
            raise MemoryError

    def half(self, part):
        sys.modules["journal.half"] = sys.modules["journal.quarter"] = SimpleNamespace()
        raise NoMemoryError

    def forget(name):
        del sys.modules[name]
        return True

    monkeypatch.setattr(Opener, "_load", half)
    monkeypatch.setattr("journal.opener.unload", forget)
    opener = Opener(
        SimpleNamespace(note=[].append), Settings({}), SimpleNamespace(thermal=None), None, ""
    )
    before = set(sys.modules)
    for _ in range(20):
        if not opener.is_done:
            opener.step()
        left = set(sys.modules) - before
        for name in ("journal.half", "journal.quarter"):
            sys.modules.pop(name, None)
        assert left <= {"journal.pages"}
    assert opener.is_done


def test_where_not_even_the_modules_can_be_counted_none_is_forgotten(monkeypatch):
    import sys
    from types import SimpleNamespace

    from journal.opener import Opener

    class Full(dict):
        def __iter__(self):
            raise MemoryError

    forgotten = []
    monkeypatch.setattr("journal.opener.unload", forgotten.append)
    opener = Opener(
        SimpleNamespace(note=[].append), Settings({}), SimpleNamespace(thermal=None), None, ""
    )
    while not opener.is_done:
        if opener.pages is not None:
            monkeypatch.setattr("journal.opener.sys", SimpleNamespace(modules=Full(sys.modules)))
        opener.step()
    assert forgotten == [] and opener.book.memory is None


def test_a_black_box_that_finds_no_room_gives_back_what_was_kept_for_its_records(monkeypatch):
    from types import SimpleNamespace

    from journal.opener import Opener

    shelves = []

    def lacks():
        return 1 if shelves and shelves[0].sizes else 0

    class Watched(Shelf):
        def __init__(self, make, kept):
            super().__init__(make, kept)
            self.sizes = []
            shelves.append(self)

        def keep_room(self, *size):
            super().keep_room(*size)
            self.sizes.append(len(self._room))

    monkeypatch.setattr("journal.opener.Shelf", Watched)
    monkeypatch.setattr("journal.opener._lacks", lacks)
    log = SimpleNamespace(open_step=lambda: True, newest=lambda kind: None, last=0, lost=0)
    board = SimpleNamespace(note=[].append, journal_log=lambda kept: log)
    opener = Opener(board, Settings({}), SimpleNamespace(thermal=None), None, "")
    while opener.book.box is None and not (shelves and shelves[0].sizes):
        opener.step()
    assert opener.book.box is None and len(shelves[0].sizes) == 2
    assert shelves[0].sizes[1] < shelves[0].sizes[0]


@pytest.mark.parametrize("at", ["_read_log", "_load", "_drop"])
def test_memory_that_ends_while_loading_leaves_what_is_loaded(monkeypatch, at):
    from journal.opener import Opener

    real = getattr(Opener, at)
    calls = []

    def full(self, *arguments):
        calls.append(at)
        if len(calls) == (1 if at == "_read_log" else 2):
            raise MemoryError
        return real(self, *arguments)

    monkeypatch.setattr(Opener, at, full)
    if at == "_drop":
        monkeypatch.setattr("journal.opener._lacks", lambda: 1)
    run = Run(STORY, {7900: [("journal", 0, 0)]})
    loaded = words.page(run.answers[79000])["loaded"]
    assert loaded == {"_read_log": 127 - 64, "_load": 127 - 2, "_drop": 64}[at]
    assert any(values[0] for values in run.commands), "S2 was closed"


def test_a_journal_that_fails_in_a_pass_is_left_out_and_charging_goes_on(monkeypatch):
    from journal.verdict import Verdict

    def broken(self, now_ms, r, c):
        if c.s2_close:
            raise ValueError("a mistake")

    monkeypatch.setattr(Verdict, "tick", broken)
    run = Run(STORY, {7900: [("journal", 0, 0)]})
    assert any(
        "the journal has failed" in sentence and "a mistake" in sentence for sentence in run.words
    )
    assert run.answers[79000] == "no_such_entry"
    closed = [values[0] for values in run.commands]
    assert closed.count(1) > 30 and run.session.resets == 0


@pytest.mark.parametrize(
    ("room", "name", "question"),
    [
        (pages, "_fill_now", ("journal", 0, 0)),
        (TroubleMemory, "clear", ("code_clear", 1101)),
    ],
)
def test_a_question_that_the_journal_fails_at_ends_the_journal_and_not_the_loop(
    monkeypatch, room, name, question
):
    def broken(*_values):
        raise IndexError("a mistake")

    monkeypatch.setattr(room, name, broken)
    run = Run(STORY, {4500: [question], 7900: [("journal", 0, 0)]})
    assert run.answers[45000] == "no_such_entry" and run.answers[79000] == "no_such_entry"
    assert any(
        "the journal has failed" in sentence and "a mistake" in sentence for sentence in run.words
    )
    assert run.session.resets == 0 and run.session.run.breaches == []


def test_a_summary_for_the_bus_that_fails_ends_the_journal_and_not_the_loop(monkeypatch):
    def broken(self):
        raise IndexError("a mistake")

    monkeypatch.setattr(TroubleMemory, "newest", broken)
    text = STORY.replace("inlet type2\n", "inlet type2\nset can=native\nworld can=native\n")
    run = Run(text, {7900: [("journal", 0, 0)]})
    assert run.answers[79000] == "no_such_entry" and run.session.resets == 0
    assert any("a mistake" in sentence for sentence in run.words)
    closed = [values[0] for values in run.commands]
    assert closed.count(1) > 30


def test_a_mistake_of_anybody_else_ends_the_loop_as_ever(monkeypatch):
    def broken(self, *_values):
        raise IndexError("another mistake")

    monkeypatch.setattr(Desk, "_notice_line", broken)
    with pytest.raises(IndexError, match="another mistake"):
        Run(STORY)


def test_a_journal_that_fails_at_rest_is_left_out(monkeypatch):
    def broken(self, now_ms):
        raise KeyError("a mistake")

    monkeypatch.setattr(Book, "work", broken)
    run = Run(STORY, {7900: [("journal", 0, 0)]})
    assert any("the journal has failed" in sentence for sentence in run.words)
    assert run.answers[79000] == "no_such_entry" and run.session.resets == 0


def test_a_stop_is_in_the_black_box_and_decides_alike_when_it_is_replayed(tmp_path):
    run = Run(STORY)
    entries = [(one.kind, one.number, one.payload) for one in records_of(run.wire.flash)]
    assert [kind for kind, _number, _payload in entries].count(K_SESSION) == 1
    boxes, _problems = boxes_of(entries)
    assert len(boxes) == 1
    path = save(entries, tmp_path / "journal.jsonl", "wired")
    said = CliRunner().invoke(cli, ["blackbox", "replay", str(path)])
    assert said.exit_code == 0, said.output
    told = CliRunner().invoke(cli, ["blackbox", "list", str(path)])
    assert "pilot_f" in told.output, told.output


class Log:
    """A log that takes everything, and counts it."""

    problem = ""
    last = lost = 0

    def __init__(self):
        self.kinds = []

    def open_step(self):
        return True

    def append(self, kind, payload, is_idle):
        assert is_idle
        self.kinds.append(kind)
        return 0


class Memory:
    """Troubles that change all the time."""

    has_changed = True
    session = 0

    def tick(self, *_):
        self.has_changed = True

    def begin_session(self, number):
        self.number = number

    def end_session(self, has_charged):
        self.charged = has_charged

    def dump_ints(self):
        return 3

    def dump(self, into):
        return 3


def quiet_book(log):
    book = Book(Shelf(lambda kept: log, KEPT), [].append)
    book.set_memory(Memory())
    return book, Commands(), Readings()


def live(book, c, r, seconds, from_s=0):
    """Let the book live through so many seconds, asked as often as in a loop at rest."""
    for second in range(from_s, from_s + seconds):
        now_ms = second * 1000 & 0x3FFFFFFF
        book.tick(now_ms, r, c)
        for n in range(30):
            if book.is_due(now_ms + n * 10 & 0x3FFFFFFF):
                book.work(now_ms)


def test_a_trouble_that_flickers_all_day_costs_no_more_records_than_the_flash_stands():
    log = Log()
    book, c, r = quiet_book(log)
    live(book, c, r, 86400)
    most = BUDGET_AT_START + 86400 * 1000 // EARN_MS
    assert most - 5 <= len(log.kinds) <= most


def test_a_plug_that_comes_and_goes_all_day_costs_no_more_either():
    log = Log()
    book, c, r = quiet_book(log)
    book.set_wear(Wear(Settings({})))
    for n in range(2000):
        c.session = n & 1
        live(book, c, r, 10, 10 * n)
    assert len(log.kinds) <= BUDGET_AT_START + 20000 * 1000 // EARN_MS + 1


def test_a_record_that_cannot_be_written_does_not_hold_the_others_up_and_a_box_is_given_up(
    monkeypatch,
):
    class Box:
        state = FULL
        credit_min = 7

        def tick(self, *_):
            pass

        def restore(self, credit_min):
            pass

        def rearm(self):
            self.state = 0

    def no_memory(*_):
        raise MemoryError

    log = Log()
    book, c, r = quiet_book(log)
    box = Box()
    monkeypatch.setattr("journal.box_writer.BoxWriter", no_memory)
    book.set_box(box, None, None, "")
    live(book, c, r, 600)
    assert K_TROUBLES in log.kinds and book.failures == 1 and box.state == FULL
    live(book, c, r, 3 * 3600, 600)
    assert book.failures == 3 and box.state == 0
    assert K_COUNTS in log.kinds, "what the box has cost is kept with the plug in, too"


def test_counts_that_make_no_sense_are_begun_anew():
    run = Run(STORY)
    from drivers.flash_log import FlashLog

    log = FlashLog(kept=KEPT, files=run.wire.flash)
    log.append(K_COUNTS, struct.pack("<iiii", 1, -5, 3, 3), True)
    again = Run(QUIET, {700: [("journal", 0, 0)]}, run.wire)
    assert "what is stored of counts is not of this firmware" in "\n".join(again.words)
    assert words.page(again.answers[7000])["session"] == 1, "as the trouble codes have it"


def test_a_session_that_is_followed_at_once_by_another_is_kept():
    text = STORY.replace("at +3s unplug\n", "at +3s unplug\nat +3s plug 32A\nat +20s unplug\n")
    run = Run(text)
    numbers = [
        int.from_bytes(one.payload[2:6], "little")
        for one in records_of(run.wire.flash)
        if one.kind == K_SESSION
    ]
    assert 1 in numbers


class Asking:
    """A verdict that has its answer when a test says so."""

    is_asking = True
    serial = code = 0
    verdict = PERSON

    class outcomes:  # noqa: N801 - an attribute
        count = revised = 0

    def tick(self, *_):
        pass


@pytest.mark.parametrize("comes_back", [False, True])
def test_the_record_of_a_session_waits_for_its_verdict_but_not_beyond_the_next_plug(comes_back):
    book, c, r = quiet_book(Log())
    book.sessions = SessionLog()
    book.set_verdict(Asking())
    now_ms = 0

    def passes(session, count):
        nonlocal now_ms
        c.session = session
        for _ in range(count):
            now_ms += 10
            book.tick(now_ms, r, c)

    passes(0, 20)
    passes(1, 900)
    passes(0, 5)
    assert not book.unsaved() & 1 << K_SESSION
    if comes_back:
        passes(1, 1)
    else:
        book.verdict.is_asking, book.verdict.serial, book.verdict.code = False, 1, 77
        passes(0, 1)
    assert book.unsaved() & 1 << K_SESSION
    number, verdict = struct.unpack_from("<I18xH", book._record, 2)
    assert (number, verdict) == (1, 0 if comes_back else 77)


def test_plug_ins_that_the_session_log_could_not_keep_are_told():
    book = Book(None, [].append)
    book.sessions = SessionLog()
    book.sessions.lost = 3
    out = [0] * pages.NUMBERS
    pages.fill(book, pages.P_NOW, 0, out, 0)
    assert words.page(out)["sessions_lost"] == 3


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda *_: 0, "keeps no journal"),
        (lambda *_: (1, 2, 3), "answers for something else"),
        (
            lambda word, *_: (99999,) * 29 if word == "journal_file" else (0,) * 29,
            "answers for something else",
        ),
    ],
)
def test_a_board_without_a_journal_is_told_in_one_sentence(answer, said):
    with pytest.raises(UserError, match=said):
        BoardJournal(Client(answer)).records()


@pytest.mark.parametrize("number", [STILL_PRESENT, NOT_IDLE, NOT_IN_SERVICE])
def test_a_refusal_is_handed_on(number):
    with pytest.raises(RefusedError):
        BoardJournal(Client(lambda *_: number)).clear(1101)
