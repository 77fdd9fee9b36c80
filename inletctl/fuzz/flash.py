"""Readers of what a board keeps: port records, the journal's files, its records, its black boxes, and logs of it."""

import gc
import json
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from inletctl.blackbox import decode as box_decode
from inletctl.blackbox.file import Entry, load, save
from inletctl.blackbox.payload import boxes_of, sessions_of
from inletctl.blackbox.sim_box import record_boxes
from inletctl.errors import UserError
from inletctl.fuzz.harness import File, Harness, Refusal, break_rule, small
from inletctl.fuzz.texts import port_records
from inletctl.house import SCENARIOS, use_firmware
from inletctl.journal import words
from inletctl.journal.board import records_of
from inletctl.journal.memory_files import MemoryFiles
from inletctl.link.decode import decode as decode_log
from inletctl.link.log import read_log
from inletctl.link.sim_log import record_session
from inletctl.scenario.load import read_scenario
from inletctl.scenario.parse import parse_scenario
from inletctl.session import Session
from inletctl.targets.cpython import run as run_session

use_firmware()

from drivers.flash_log import BROKEN, DONE, FULL, FlashLog  # noqa: E402
from drivers.log_reader import LogReader  # noqa: E402
from drivers.store import crc_of  # noqa: E402
from journal import pages  # noqa: E402
from journal.book import KEPT  # noqa: E402
from journal.box_writer import KIND_BOX  # noqa: E402
from journal.memory import SLOTS  # noqa: E402
from journal.opener import Opener  # noqa: E402
from journal.sessions import KIND_SESSION  # noqa: E402
from ports.head import fill  # noqa: E402
from ports.keeper import Keeper  # noqa: E402
from ports.records import decode, encode, to_bytes  # noqa: E402
from settings import Settings  # noqa: E402
from signals import Commands, Readings  # noqa: E402
from step import InletStep  # noqa: E402

_FILES = 3  # of the journal, in these inputs: enough for a newest, an older and a torn one
_SEGMENT_BYTES = 2048
_KINDS = (*KEPT, KIND_BOX, KIND_SESSION)
# In each state of a plug-in: the verdict looks at most changes four passes later (journal.verdict).
_STATE_PASSES = 5
_WRITTEN_LAST = b"written last"
# When the logs of the seeds say they began: the time of day would make other inputs of the same seed.
_BEGAN = "2026-01-01T00:00:00+00:00"


class Pieces:
    """An input cut into pieces: a byte says what, two how long, then so many bytes."""

    def __init__(self, data: bytes):
        self._data = data
        self._at = 0

    def next(self) -> "tuple[int, bytes] | None":
        """Return (what, bytes) of the next piece, None at the end; the last one may be shorter than it says."""
        head = self._data[self._at : self._at + 3]
        if len(head) < 3:
            return None
        size = head[1] | head[2] << 8
        self._at += 3 + size
        return head[0], self._data[self._at - size : self._at]

    @staticmethod
    def of(*pieces: "tuple[int, bytes]") -> bytes:
        """Return the input that these pieces make."""
        return b"".join(
            bytes((what, len(data) & 0xFF, len(data) >> 8)) + data for what, data in pieces
        )


# ------------------------------------------------------------------------------------ port records


class _PortStore:
    def __init__(self, payload: bytes):
        self.payload = payload

    def write(self, payload: bytes, _is_idle: bool) -> bool:
        self.payload = payload
        return True

    def forget(self, _is_idle: bool) -> None:
        self.payload = b""


def ports_flash(fill_of: "Callable[[bytes, Any], None]" = fill) -> Harness:
    """
    Port records as a board keeps and changes them. Pieces: 0 what is stored, 1 a record is put, 2 one is deleted.

    What is stored never loosens what the board has without it; a change that is refused changes nothing.
    """

    def run(data: bytes) -> None:
        pieces = Pieces(data)
        refused = ""
        keeper = Keeper(_PortStore(b""), None, False)
        while (piece := pieces.next()) is not None:
            what, said = piece
            if what % 3 == 0:
                keeper, why = _kept_ports(said)
                _judge_head(fill_of, said)
            else:
                why = _changed_ports(keeper, what, said)
                if not why and keeper.payload:
                    decode(keeper.payload)
                    _judge_head(fill_of, keeper.payload)
            refused = why or refused
        if refused:
            raise Refusal(refused)

    records = port_records()
    whole = encode(records)
    seeds = [
        Pieces.of((0, whole)),
        Pieces.of((0, encode(records[:1])), (1, to_bytes(records[1])), (2, b"\x01")),
    ]
    seeds += [
        Pieces.of((1, to_bytes(one)), (1 + 63, to_bytes(one)), (2, b"\x00")) for one in records
    ]
    return Harness("ports-flash", run, seeds, (), 1024)


def _kept_ports(payload: bytes) -> "tuple[Keeper, str]":
    """Return the records as a board has them in force, and why they cannot be read."""
    try:
        if encode(decode(payload)) != payload:
            break_rule("not-again", "what is read is written otherwise")
    except ValueError as error:
        return Keeper(_PortStore(payload), payload, True), str(error)
    return Keeper(_PortStore(payload), payload, False), ""


def _changed_ports(keeper: Keeper, what: int, said: bytes) -> str:
    """Put a record or delete one; return why that was refused."""
    is_service = bool(what & 64)
    before = (keeper.payload, keeper.store.payload, keeper.is_damaged)
    if what % 3 == 1:
        numbers = [int.from_bytes(said[n : n + 3], "little") for n in range(0, len(said), 3)]
        outcome = keeper.write(0, numbers, 0, len(numbers))
        outcome = outcome or keeper.put(len(said), is_service)
    else:
        outcome = keeper.delete(said[0] if said else 0, is_service)
    if not outcome:
        return ""
    if (keeper.payload, keeper.store.payload, keeper.is_damaged) != before:
        break_rule("changed", "a change that was refused has changed something")
    return "change refused with %d" % outcome


def _judge_head(fill_of: "Callable[[bytes, Any], None]", payload: bytes) -> None:
    r = Readings()
    most = (r.port_ma, r.port_dc_ma)
    try:
        fill_of(payload, r)
    except ValueError:
        pass
    if r.port_ma > most[0] or r.port_dc_ma > most[1] or min(r.port_ma, r.port_dc_ma) < 0:
        break_rule("loosened", "port records permit %d and %d mA" % (r.port_ma, r.port_dc_ma))
    small((r.port_ma, r.port_dc_ma, r.port_holds, r.port_dc_holds), "what port records ask for")


# ----------------------------------------------------------------------------------------- journal


@lru_cache(maxsize=1)
def a_run() -> "tuple[dict[str, bytes], list[Entry]]":
    """Return what a board keeps of a few stops: the files of its journal, and (kind, number, payload) of its boxes and sessions."""
    entries: list[Entry] = []
    for name in ("pilot_wire_breaks", "type2_cable_13"):
        found = record_boxes(read_scenario(SCENARIOS / (name + ".txt")), 6, part_bytes=600)
        entries += [
            (kind, len(entries) + n, payload) for n, (kind, _, payload) in enumerate(found, 1)
        ]
    board = Board(MemoryFiles())
    opener = opened(board)
    book = opener.book
    text = "title t\ninlet type2\nat 1s plug 32A\nat +8s cp_wire break\nat +9s unplug\nend +3s\n"
    session = Session(
        parse_scenario(text),
        watch=lambda t_us, r, c, _world: book.tick(t_us // 1000, r, c),
    )
    run_session(session)
    rest_until_written(book, session.now_ms)
    return dict(board.files.files), entries


class Board:
    """As much of a board as the journal wants."""

    def __init__(self, files: MemoryFiles, log: "Callable[..., Any]" = FlashLog):
        self.files = files
        self.said: list[str] = []
        self._log = log

    def journal_log(self, kept: Any) -> Any:
        return self._log("/journal", kept, _FILES, _SEGMENT_BYTES, self.files, self.note)

    def note(self, sentence: str) -> None:
        self.said.append(sentence)


def opened(board: Board) -> Opener:
    """Load the journal as a board does, to the end."""
    settings = Settings({"inlet": 1, "max_current_ma": 32000})
    opener = Opener(board, settings, InletStep(settings), None, "fuzz")
    for _ in range(200):
        if opener.is_done:
            return opener
        opener.step()
    break_rule("never-done", "the journal is not loaded after 200 steps")


def rest_until_written(book: Any, now_ms: int) -> None:
    """Let the board be at rest for a minute."""
    for _ in range(600):
        now_ms += 100
        if book.is_due(now_ms):
            book.work(now_ms)


def journal_files(
    reader_of: "Callable[..., Any] | None" = None, log_of: "Callable[..., Any]" = FlashLog
) -> Harness:
    """
    The files of a board's journal. Pieces: the low two bits say which file, 4 seals the head, 8 makes a sealed record of it.

    Only records whose CRC is right are read, numbers rise, nothing is changed but the names of damaged files, and a record
    written afterwards is there.
    """
    make_reader = reader_of or (
        lambda files: LogReader("/journal", (), _FILES, _SEGMENT_BYTES, files)
    )

    def run(data: bytes) -> None:
        files = _files_of(data)
        before = dict(files.files)
        reader = make_reader(files)
        reader.open_all()
        _judge_names(before, files.files)
        found = records_of(MemoryFiles(before))
        numbers = [one.number for one in found]
        if numbers != sorted(set(numbers)):
            break_rule("disorder", "the records' numbers are %s" % numbers[:20])
        whole = b"".join(before.values())
        number = kind = 0
        for place in range(_FILES):
            at, above = 12, 0
            while True:
                try:
                    at = reader.read_in(place, at, above)
                except OSError:
                    break
                if at < 0:
                    break
                number, kind, payload = reader.number, reader.kind, bytes(reader.payload)
                if _sealed(kind, number, payload) not in whole:
                    break_rule("believed", "record %d was read with a wrong CRC" % number)
                at += 12 + len(payload)
                above = number
        _judge_append(files, log_of)

    held, entries = a_run()
    seeds = [Pieces.of(*((n % 4, data) for n, data in enumerate(held.values())))]
    seeds += [Pieces.of((0, data)) for data in held.values()]
    head = _head(1)
    seeds.append(
        Pieces.of((0, head), (8, b"\x01\x01abc"), (8, b"\x10\x02defg"), (8, b"\x11\x05hij"))
    )
    seeds.append(
        Pieces.of(
            (0, _head(1)), (8, b"\x01\x01a"), (1, _head(9)), (9, b"\x01\x09b"), (9, b"\x01\x0ac")
        )
    )
    seeds.append(
        Pieces.of((4, b"OIJ\x01\x07\x00\x00\x00"), (8, b"\x05\x07" + entries[0][2][:300]))
    )
    return Harness(
        "journal-files",
        run,
        seeds,
        (b"OIJ\x01", b"J", head, b"\xff\xff\xff\x3f", b"\x00\x00\x00\x40"),
    )


def _head(first: int) -> bytes:
    head = b"OIJ\x01" + first.to_bytes(4, "little")
    return head + crc_of(head)


def _sealed(kind: int, number: int, payload: bytes) -> bytes:
    """Return a whole record, as it lies on flash."""
    head = bytes((0x4A, kind)) + len(payload).to_bytes(2, "little") + number.to_bytes(4, "little")
    return head + payload + crc_of(payload, head)


def _files_of(data: bytes) -> MemoryFiles:
    files: dict[str, bytes] = {}
    pieces = Pieces(data)
    while (piece := pieces.next()) is not None:
        what, said = piece
        path = "/journal/%d.log" % ((what & 3) % _FILES)
        if what & 8 and len(said) >= 2:
            # Kind, number, payload: made a record that counts.
            said = _sealed(said[0], said[1], said[2:])
        elif what & 4:
            said = said[:8] + crc_of(said[:8]) + said[8:]
        files[path] = files.get(path, b"") + said
    return MemoryFiles(files)


def _judge_names(before: "dict[str, bytes]", after: "dict[str, bytes]") -> None:
    if sorted(before.values()) != sorted(after.values()):
        break_rule("changed", "opening the journal has changed what its files hold")
    for path in after:
        if path not in before and path.removesuffix(".bad") not in before:
            break_rule("changed", "there is a file %s that was not there" % path)


def _judge_append(files: MemoryFiles, log_of: "Callable[..., Any]") -> None:
    """Append one more record: it is written behind those that are there, and read back as the last one."""
    log = log_of("/journal", (), _FILES, _SEGMENT_BYTES, files)
    log.open_all()
    last = log.last
    ahead = [one for one in records_of(files) if one.number > last]
    answer = log.append(1, _WRITTEN_LAST, True)
    if answer in (BROKEN, FULL):
        if not log.problem:
            break_rule("no-sentence", "a record is not written, and nobody says why")
        raise Refusal(log.problem)
    if answer != DONE:
        break_rule("lost", "a record is answered with %d" % answer)
    if log.last <= last:
        break_rule("disorder", "record %d is written behind record %d" % (log.last, last))
    sealed = _sealed(1, log.last, _WRITTEN_LAST)
    if not any(sealed in held for held in files.files.values()):
        break_rule("lost", "a record that was written is on no file")
    if ahead:
        # A whole record of an older file is numbered behind the newest file's last: no board writes that, and to read in
        # the order of the numbers is what passes over the new one.
        return
    found = records_of(files)
    if not found or found[-1].payload != _WRITTEN_LAST or found[-1].number != log.last:
        break_rule("lost", "a record that was written is not read back")


def journal_records() -> Harness:
    """
    Records as a board finds them at its start, every one of them whole. Pieces: kind, payload.

    Whatever they say, the journal loads, tells every page in numbers that fit, goes on through a plug-in and is written.
    """

    def run(data: bytes) -> None:
        files = MemoryFiles()
        log = FlashLog("/journal", KEPT, _FILES, _SEGMENT_BYTES, files)
        pieces = Pieces(data)
        while (piece := pieces.next()) is not None:
            log.append(_KINDS[piece[0] % len(_KINDS)], piece[1][:1500], True)
        board = Board(files)
        book = opened(board).book
        _judge_pages(book)
        r, c = Readings(), Commands()
        now_ms = 0
        for state in (0, 1, 2, 3, 0):
            c.session = state
            c.plug_present = state != 0
            c.s2_close = state == 2
            c.faults = 1 if state == 3 else 0
            for _ in range(_STATE_PASSES):
                now_ms += 2500
                book.tick(now_ms, r, c)
        _judge_pages(book)
        rest_until_written(book, now_ms)
        _judge_pages(book)
        small((book.session, book.failures), "the journal")
        if board.said:
            raise Refusal(*board.said)

    held, entries = a_run()
    # The firmware collects garbage at each step of its loading: what this program itself holds need not be looked through.
    gc.collect()
    gc.freeze()
    found = records_of(MemoryFiles(held))
    seeds = [
        Pieces.of((_KINDS.index(one.kind), one.payload)) for one in found if one.kind in _KINDS
    ]
    seeds.append(
        Pieces.of(*((_KINDS.index(one.kind), one.payload) for one in found if one.kind in _KINDS))
    )
    seeds.append(Pieces.of(*((_KINDS.index(kind), payload[:600]) for kind, _, payload in entries)))
    return Harness(
        "journal-records",
        run,
        seeds,
        (b"\xff\xff\xff\x7f", b"\xff\xff\xff\x3f", b"\x00\x00\x00\x40", b"\xff" * 4),
    )


def _judge_pages(book: Any) -> None:
    out = [0] * pages.NUMBERS
    for page, many in (
        (pages.P_NOW, 1),
        (pages.P_CODE, SLOTS),
        (pages.P_WEAR, 1),
        (pages.P_CONTACT, 2),
    ):
        for which in range(many):
            if not pages.fill(book, page, which, out, 0):
                break_rule("no-page", "page %d %d is not there" % (page, which))
            small(out, "page %d %d of the journal" % (page, which))
            _judge_words(page, tuple(out))


def _judge_words(page: int, numbers: "tuple[int, ...]") -> None:
    """Put a page into words, as the host tool does."""
    if page == pages.P_NOW:
        now = words.page(numbers)
        words.verdict(now)
        words.missing(now["loaded"])
        words.warnings(now["warnings"])
        words.worst_contact(now["health"])
    elif page == pages.P_CODE:
        words.stored(numbers)
    elif page == pages.P_WEAR:
        words.counters(numbers)
    else:
        words.contact(numbers)


# ------------------------------------------------------------------------- files of the host tool


def blackbox() -> Harness:
    """
    A journal as a file of the host tool, with its black boxes and sessions: list, tables, waveforms.

    First byte even: the file; odd: pieces of kind and payload, which are made such a file.
    """
    folder = File("journal.jsonl")

    def run(data: bytes) -> None:
        if data and data[0] & 1:
            pieces = Pieces(data[1:])
            entries: list[Entry] = []
            while (piece := pieces.next()) is not None:
                kind = (KIND_BOX, KIND_SESSION, max(1, piece[0]))[min(2, piece[0] & 7)]
                entries.append((kind, len(entries) + 1, piece[1][:2048]))
            save(entries, folder.path)
        else:
            folder.path.write_bytes(data[1:])
        try:
            held = load(folder.path)
        except UserError as error:
            raise Refusal(str(error)) from None
        boxes, bad_boxes = boxes_of(held.entries)
        sessions, bad_sessions = sessions_of(held.entries)
        said = [*held.problems, *bad_boxes, *bad_sessions]
        for box in boxes[:3]:
            said += box.problems
            box_decode.write_box_csv(folder.folder / "box.csv", box)
            box_decode.write_box_vcd(folder.folder / "box.vcd", box)
        box_decode.write_sessions_csv(folder.folder / "sessions.csv", sessions)
        if said:
            raise Refusal(*said)

    _, entries = a_run()
    save(entries, folder.path)
    parts = [(0 if kind == KIND_BOX else 1, payload) for kind, _, payload in entries]
    seeds = [b"\x00" + folder.path.read_bytes(), b"\x01" + Pieces.of(*parts)]
    seeds += [b"\x01" + Pieces.of(part) for part in parts]
    return Harness(
        "blackbox",
        run,
        seeds,
        (b'{"kind":16,', b'"number":', b'"payload":"', b'"crc":"', b'{"openinlet_journal":1'),
    )


def recorded(text: str, path: Path) -> "list[bytes]":
    """Return the lines of the log of a scenario, without their ends: the same whenever and wherever it is recorded."""
    record_session(parse_scenario("title t\ninlet type2\n" + text), path)
    head, *lines = path.read_bytes().split(b"\n")
    header = json.dumps({**json.loads(head), "began": _BEGAN}, separators=(",", ":"))
    return [header.encode(), *lines]


def log() -> Harness:
    """A recorded log: read, and written as a table and as waveforms. A line that begins with a tab is given its check sum."""
    from inletctl.fuzz.serial import sealed_lines

    folder = File("log.jsonl")

    def run(data: bytes) -> None:
        folder.path.write_bytes(sealed_lines(data))
        try:
            found = read_log(folder.path)
            decode_log(found, folder.folder)
        except UserError as error:
            raise Refusal(str(error)) from None

    lines = recorded("at 0.3s plug 32A\nend +1s\n", folder.folder / "seed.jsonl")
    # Without their check sums, so that what is changed in them is not refused for that alone.
    bare = [
        b"\t" + line.rpartition(b',"x":"')[0] if b',"x":"' in line else line for line in lines[:60]
    ]
    told = [b'{"mark":"here","t_ms":900}', b'{"asked":"stop","a":[],"t_ms":901}']
    seeds = [
        b"\n".join(lines[:6] + told + [b""]),
        b"\n".join(bare[:12] + told + [b""]),
        b"\n".join(bare + [b""]),
    ]
    return Harness(
        "log",
        run,
        seeds,
        (b'"t":', b'"n":', b'"c":[', b'"r":[', b'"late":', b'{"mark":"', b'"t_ms":', b"\n\t"),
    )
