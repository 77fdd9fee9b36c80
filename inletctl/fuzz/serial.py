"""Readers of the console's lines: the board's desk, and the host that listens to it."""

import binascii
import re
from collections.abc import Callable
from typing import Any

from inletctl.fuzz.harness import SMALL_INT, Harness, Refusal, break_rule, small
from inletctl.house import use_firmware
from inletctl.link.codec import LineSorter, Telemetry, command_line, seal

use_firmware()

from drivers.virtual_layout import COMMANDS as COMMAND_FIELDS  # noqa: E402
from journal import pages  # noqa: E402
from journal.book import Book  # noqa: E402
from journal.memory import TroubleMemory  # noqa: E402
from ports.keeper import Keeper  # noqa: E402
from settings import Settings  # noqa: E402
from signals import Commands, Readings  # noqa: E402
from vehicle.console import Report  # noqa: E402
from vehicle.desk import Desk  # noqa: E402
from vehicle.line_in import LineIn  # noqa: E402
from vehicle.protocol import COMMANDS, READINGS  # noqa: E402

# A line as docs/protocol.md has it; read anew here, so that the two readers can differ.
_COMMAND = re.compile(
    rb'(\{"v":1,"id":(\d{1,10}),"do":"([a-z_]{0,12})","a":\[((?:-?\d{1,10}(?:,-?\d{1,10}){0,7})?)\]),"x":"([0-9a-f]{4})"\}'
)
_STORED = {"inlet": 1, "max_current_ma": 16000}


def sealed_lines(data: bytes) -> bytes:
    """Return the input with each line that begins with a tab given its check sum: else none would ever be right."""
    made = []
    for line in data.split(b"\n"):
        if line.startswith(b"\t"):
            body = line[1:]
            made.append(body + b',"x":"%04x"}' % binascii.crc_hqx(body, 0xFFFF))
        else:
            made.append(line)
    return b"\n".join(made)


class _Board:
    """What a desk changes."""

    def __init__(self) -> None:
        self.stored: "dict[str, int] | None" = dict(_STORED)
        self.calls: list[str] = []

    def settings(self) -> Any:
        return self.stored

    def store(self, values: "dict[str, int]") -> None:
        self.calls.append("store")
        self.stored = dict(values)

    def forget(self) -> None:
        self.calls.append("store")
        self.stored = None

    def restart(self) -> None:
        self.calls.append("restart")


class _PortStore:
    def __init__(self) -> None:
        self.payload = b""
        self.calls = 0

    def write(self, payload: bytes, _is_idle: bool) -> bool:
        self.payload = payload
        self.calls += 1
        return True

    def forget(self, _is_idle: bool) -> None:
        self.payload = b""
        self.calls += 1


def expected(line: bytes) -> "tuple[int, bytes, list[int]] | None":
    """Return (id, word, arguments) of a line that is whole, None for any other."""
    found = _COMMAND.fullmatch(line.replace(b"\r", b""))
    if found is None or binascii.crc_hqx(found[1], 0xFFFF) != int(found[5], 16):
        return None
    numbers = [int(one) for one in found[4].split(b",")] if found[4] else []
    if int(found[2]) >= SMALL_INT or any(abs(one) >= SMALL_INT for one in numbers):
        return None
    return int(found[2]), found[3], numbers


def console(
    line_of: "Callable[[], Any]" = LineIn, desk_of: "Callable[..., Any]" = Desk
) -> Harness:
    """
    What a computer types at a board. A line that begins with a tab is given its check sum.

    A line is obeyed only if it is whole; nothing is stored, restarted or changed unless a whole line says so; every answer
    is a whole line. Each desk is asked twice: with nothing plugged in, and while it charges.
    """

    def run(data: bytes) -> None:
        typed = sealed_lines(data)
        whole = _judge_reader(line_of(), typed)
        for is_charging in (False, True):
            _judge_desk(desk_of, typed, whole, is_charging)
        if not whole:
            raise Refusal("no line of it is a command")

    seeds = []
    usual = {
        "rate": (20,),
        "get": (2,),
        "log": (0,),
        "set": (2, 16000),
        "time": (600,),
        "port_read": (0,),
    }
    usual |= {
        "port_write": (0, 1, 2),
        "port_set": (20,),
        "port_delete": (1,),
        "journal": (1, 0),
        "journal_file": (0, 0),
    }
    for word, least, *_ in COMMANDS:
        line = command_line(7, word, usual.get(word, (1,) * least))
        seeds += [line, b"\t" + line.rpartition(b',"x":"')[0] + b"\n"]
    seeds.append(
        b"".join(
            command_line(n, word, (1,) * least) for n, (word, least, *_) in enumerate(COMMANDS)
        )
    )
    words = [b'"do":"%s","a":[' % row[0].encode() for row in COMMANDS]
    return Harness(
        "console",
        run,
        seeds,
        [*words, b'\t{"v":1,"id":', b'],"x":"', b'"}\n', b"\n", b"\r", b"-", b"1073741823"],
        1024,
    )


def _judge_reader(reader: Any, typed: bytes) -> "list[bytes]":
    """Compare the board's reader with the one here; return the words of the lines that are whole."""
    whole: list[bytes] = []
    *lines, rest = typed.split(b"\n")
    for line in lines:
        wanted = expected(line)
        ended = [n for n, byte in enumerate(line + b"\n") if reader.hear(byte)]
        if wanted is None:
            if ended:
                break_rule("obeyed", "a line that is not whole counts: %r" % line[:200])
            continue
        if ended != [len(line)]:
            break_rule("not-heard", "a whole line does not count: %r" % line[:200])
        number, word, arguments = wanted
        names = [row[0].encode() for row in COMMANDS]
        index = names.index(word) if word in names else -1
        heard = (reader.id, reader.index, [reader.arguments[n] for n in range(reader.count)])
        if heard != (number, index, arguments):
            break_rule("misheard", "%r is heard as %s" % (line[:200], heard))
        whole.append(word)
    for byte in rest:
        if reader.hear(byte):
            break_rule("obeyed", "a line without an end counts: %r" % rest[:200])
    return whole


def _judge_desk(
    desk_of: "Callable[..., Any]", typed: bytes, whole: "list[bytes]", is_charging: bool
) -> None:
    board, ports, report = _Board(), _PortStore(), Report()
    keeper = Keeper(ports, None, False)
    desk = desk_of(board, Settings(_STORED), report, "rp2040 bench e601 0.1", None, keeper)
    book = Book(None, None)
    book.set_memory(TroubleMemory())
    desk.set_book(book, pages)
    r, c = Readings(), Commands()
    if is_charging:
        c.session, c.s2_close, c.plug_present = 2, True, True
    said = bytearray()
    at = 0
    now_ms = SMALL_INT - 60
    quiet = 0
    while quiet < 8:
        now_ms = now_ms + 10 & SMALL_INT - 1
        desk.fill(r)
        _judge_wishes(r, b"stop" in whole)
        report.tick(now_ms, c, 3)
        desk.tick(now_ms, r, c, 3)
        if desk.has_work and desk.is_at_rest:
            desk.work(now_ms)
        for _ in range(512):
            if not report.pending():
                break
            said.append(report.take())
        while at < len(typed) and not desk.is_full:
            desk.hear(typed[at])
            at += 1
        quiet = quiet + 1 if at == len(typed) and not desk.is_full else 0
    _judge_changes(board, ports, set() if is_charging else set(whole))
    _judge_answers(bytes(said))


def _judge_wishes(r: Any, is_stop_asked: bool) -> None:
    """Break a rule where a pass is given a wish that nobody may have: most last for that pass only."""
    if r.console_stop and not is_stop_asked:
        break_rule("changed", "it stops though nobody has asked")
    if r.test_lock:
        break_rule("changed", "the lock is driven outside service mode")
    if r.service_end:
        break_rule("changed", "service mode is ended that has not begun")


def _judge_changes(board: _Board, ports: _PortStore, asked: "set[bytes]") -> None:
    """Break a rule where something has changed that none of the words `asked` could change."""
    if (board.stored != _STORED or "store" in board.calls) and b"store" not in asked:
        break_rule("changed", "settings are stored that nobody has asked for, or while it charges")
    if "restart" in board.calls and b"restart" not in asked:
        break_rule("changed", "it restarts though nobody has asked, or while it charges")
    if ports.calls and not {b"port_set", b"port_delete"} & asked:
        break_rule(
            "changed", "port records are stored that nobody has asked for, or while it charges"
        )


def _judge_answers(said: bytes) -> None:
    sorter = LineSorter()
    told: list[Any] = []
    sorter.on_telemetry = told.append
    sorter.on_reply = told.append
    sorter.feed(said[: said.rfind(b"\n") + 1])
    if sorter.damaged or sorter.words:
        break_rule("answer", "what the board answers is no line: %r" % said[:300])
    for one in told:
        small(one.values if isinstance(one, Telemetry) else one.ok or (), "an answer")


def listener() -> Harness:
    """What the host hears at a board's port, whatever is at the other end. A line that begins with a tab is given its check sum."""

    def run(data: bytes) -> None:
        told: list[Any] = []
        sorter = LineSorter()
        sorter.on_telemetry = told.append
        sorter.on_reply = told.append
        sorter.on_damaged = _judge_words
        heard = sealed_lines(data)
        # As a port hands it over: in pieces.
        for at in range(0, len(heard), 61):
            sorter.feed(heard[at : at + 61])
        for one in told:
            if isinstance(one, Telemetry):
                wanted = READINGS if one.kind == "readings" else COMMAND_FIELDS
                if len(one.values) != len(wanted):
                    break_rule("misheard", "%d numbers" % len(one.values))
        if sorter.damaged:
            raise Refusal("%d lines are damaged" % sorter.damaged)

    seeds = [
        seal({"t": 5, "n": 1, "c": [0] * len(COMMAND_FIELDS), "late": 0}),
        seal({"t": 5, "n": 1, "r": [0] * len(READINGS), "late": 0}),
        seal({"re": 7, "ok": [1, 2, 3]}),
        seal({"re": 7, "no": 4}),
        seal({"re": 7, "is": "rp2040 bench e601 0.1"}),
        b"Traceback (most recent call last):\r\n>>> ",
    ]
    seeds += [b"\t" + seed.rpartition(b',"x":"')[0] + b"\n" for seed in seeds[:5]]
    return Harness(
        "listener",
        run,
        seeds,
        (
            b'\t{"v":1,',
            b'"t":',
            b'"n":',
            b'"c":[',
            b'"r":[',
            b'"re":',
            b'"ok":[',
            b'"is":"',
            b"\n",
        ),
    )


def _judge_words(sentence: str) -> None:
    if not sentence or not sentence.isprintable():
        break_rule("no-sentence", "a damaged line is told as %r" % sentence[:200])
