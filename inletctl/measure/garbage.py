"""Garbage typed at the emulated board's console at full speed: with an empty inlet, and while it charges.

The board runs its own main.py. Nothing of the garbage may be obeyed or answered, no pass may come late for it, nothing may
move, be written or be set, and afterwards the board must answer as if nothing had been.
"""

import json
import os
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from itertools import accumulate
from typing import Any

from inletctl.emu.chip import Chip
from inletctl.emu.console import Console
from inletctl.emu.flash_image import board_files, board_text, make_flash, read_flash
from inletctl.emu.image import Image
from inletctl.emu.wiring import Wiring
from inletctl.house import use_firmware
from inletctl.link.codec import LineSorter, Reply, Telemetry, command_line
from inletctl.measure import charging
from inletctl.measure.bench_board import BOARD
from inletctl.measure.forks import fork_map
from inletctl.measure.garbage_lines import FIRST_ID, garbage
from inletctl.plant.config import PlantConfig
from inletctl.plant.world import World

use_firmware()

from setting_rows import ROW_KEY, ROW_NUMBER, TABLE  # noqa: E402
from settings import Settings  # noqa: E402

_MS_NS = 1_000_000
_PASS_NS = 10 * _MS_NS
EMPTY, CHARGING = "empty inlet", "charging"
# An idle board takes half as many bytes again in the same time, so it gets the larger share of the lines.
_EMPTY_PCT = 60
_STORED = {
    "inlet": charging.INLETS.index("type2"),
    "max_current_ma": 32000,
    **charging.SETTINGS,
}
# The EVSE's 10 A, less the rounding down of the duty and of the charger.
_CHARGES_MA = 9000
_READY_NS = 5_000 * _MS_NS
_CHARGE_NS = 12_000 * _MS_NS
_WORD_NS = 3_000 * _MS_NS  # a line comes once a second
_STEP_NS = 20 * _MS_NS
_LOOK_NS = 100 * _MS_NS
_TELL_EVERY = 50
_HELLO_BEFORE, _HELLO_AFTER, _GETS = 1, 2, 1000


class Dead(Exception):  # noqa: N818 - an event, told as such
    """The board does not run on; the text says how that showed."""


@dataclass
class Part:
    """What was seen of one part of the lines; `wrong` says what of it should not be."""

    name: str
    lines: int
    bytes: int
    simulated_s: float = 0.0  # of the garbage alone
    kinds: dict[str, int] = field(default_factory=dict)
    resets: int = 0
    death: str = ""  # why the part ended before its time
    words: list[str] = field(default_factory=list)  # what the board told a person meanwhile
    damaged: int = 0  # damaged lines of the board
    answered: list[int] = field(default_factory=list)  # ids of answers to garbage
    late_before: "int | None" = None
    late_after: "int | None" = None
    settings_read: int = 0
    settings_wanted: int = 0
    settings_changed: list[str] = field(default_factory=list)
    files_changed: list[str] = field(default_factory=list)
    moved: list[str] = field(default_factory=list)  # S2 or the lock, at the pins
    least_ma: "int | None" = None  # AC current, where it charges
    is_answering: bool = False  # hello, behind the garbage


def wrong(part: Part) -> list[str]:
    """Return a sentence for each thing that garbage has done and must not do."""
    is_charging = part.name == CHARGING
    # fmt: off
    told = (
        (part.death, "the board does not run on: %s" % part.death),
        (part.resets, "the board was reset %d times" % part.resets),
        (part.words, "the board says: %s" % " | ".join(part.words[-5:])),
        (part.damaged, "%d lines of the board itself were damaged" % part.damaged),
        (part.answered, "garbage was answered %d times, with ids %s" % (len(part.answered), part.answered[:5])),
        (part.late_before is None or part.late_before != part.late_after, "the count of late passes went from %s to %s" % (part.late_before, part.late_after)),
        (part.moved, "something moved: %s" % ", ".join(part.moved[:5])),
        (is_charging and (part.least_ma is None or part.least_ma < _CHARGES_MA), "the inlet stopped charging: %s mA at the least" % part.least_ma),
        (not part.is_answering, "the board does not answer hello behind the garbage"),
        (part.settings_read != part.settings_wanted, "the board told %d of %d settings" % (part.settings_read, part.settings_wanted)),
        (part.settings_changed, "settings changed: %s" % ", ".join(part.settings_changed[:5])),
        (part.files_changed, "files changed: %s" % ", ".join(part.files_changed[:5])),
    )
    # fmt: on
    return ["%s: %s" % (part.name, sentence) for is_wrong, sentence in told if is_wrong]


class Board:
    """The emulated board with its own main.py, at an inlet; runs as far as it is told to."""

    def __init__(self, image: Image, seed: int):
        board = json.loads(board_text(BOARD))
        self.chip = Chip(image, make_flash(board_files(BOARD, _STORED), image.layout))
        self.world = World(PlantConfig(inlet="type2", **charging.WORLD), seed)
        self.replies: list[Reply] = []
        self.moved: list[str] = []
        self.least_ma = 1 << 30
        self._word: "Telemetry | None" = None
        self.lines = LineSorter()
        self.lines.on_reply = self.replies.append
        self.lines.on_telemetry = self._hear
        self.console = Console(self.chip.mcu.usb_ctrl, self.lines.feed)
        self.wiring = Wiring(self.chip, self.world, board, lambda _t_us: None)
        self.wiring.on_output = self._look
        self._outputs = (False, 0)

    def _hear(self, line: Telemetry) -> None:
        self._word = line

    def _look(self, _t_us: int) -> None:
        outputs = self.wiring.outputs
        now = (bool(outputs.s2_close), int(outputs.lock_drive))
        if now != self._outputs:
            self._outputs = now
            self.moved.append("S2 %s, lock drive %d" % ("closed" if now[0] else "open", now[1]))
        self.least_ma = min(self.least_ma, int(self.world.charger.load_ma()))

    def run_until(self, is_enough: Callable[[], bool], most_ns: int) -> bool:
        """Run until `is_enough`, at most so long; return whether it is. Raises Dead where the firmware has ended."""
        chip = self.chip
        until_ns = chip.now_ns + most_ns
        resets = len(chip.watchdog_ns)
        while not is_enough():
            if chip.now_ns >= until_ns:
                return False
            chip.run_until(min(until_ns, chip.now_ns + _STEP_NS))
            if self.lines.unfinished.endswith(">>> "):
                raise Dead("its program ended, MicroPython's prompt is there")
            if len(chip.watchdog_ns) > resets:
                raise Dead("it was reset at %.3f s" % (chip.watchdog_ns[-1] / 1e9))
        return True

    def is_answered(self, number: int) -> bool:
        """Tell whether the command with this id was answered."""
        return any(reply.id == number for reply in self.replies)

    def late(self) -> "int | None":
        """Return the board's count of late passes as its next line has it, None where no line comes."""
        self._word = None
        self.run_until(lambda: self._word is not None, _WORD_NS)
        return None if self._word is None else self._word.late

    def start(self) -> None:
        """Boot, and wait until the desk answers. Raises RuntimeError where it never does."""
        try:
            self.run_until(lambda: self._word is not None, _READY_NS)
            self.console.send(b"\n" + command_line(_HELLO_BEFORE, "hello"))
            if self.run_until(lambda: self.is_answered(_HELLO_BEFORE), _READY_NS):
                return
            why = "it answers nothing"
        except Dead as dead:
            why = str(dead)
        raise RuntimeError(
            "the emulated board does not start: %s; it says: %s" % (why, [*self.lines.words][-5:])
        )

    def charge(self) -> None:
        """Plug in and wait until the current flows. Raises RuntimeError where it never does."""
        t_us = self.wiring.t_us
        if t_us > self.world.t_us:
            self.world.advance(t_us)
        self.world.do("plug", cable_a=None, ohm=None, bounce=0, touching="all")
        self.wiring.rewire()
        if not self.run_until(lambda: self.world.charger.load_ma() >= _CHARGES_MA, _CHARGE_NS):
            raise RuntimeError(
                "the emulated inlet does not charge; it says: %s" % [*self.lines.words][-5:]
            )


def run_part(
    board: Board,
    name: str,
    lines: Sequence[tuple[str, bytes]],
    tell: Callable[[int], None],
    keys: "Sequence[str] | None" = None,
) -> Part:
    """Type `lines` at the board, which must be ready for it, and look at what became of it.

    `tell`: told now and then how many lines more were taken.
    `keys`: the settings that are read back, None for all.
    """
    rows = [row for row in TABLE if keys is None or row[ROW_KEY] in keys]
    part = Part(name, len(lines), sum(len(data) for _kind, data in lines))
    part.kinds = dict(Counter(kind for kind, _data in lines))
    part.settings_wanted = len(rows)
    chip = board.chip
    resets, words = len(chip.watchdog_ns), len(board.lines.words)
    damaged, replies = board.lines.damaged, len(board.replies)
    flash = chip.file_system()
    try:
        part.late_before = board.late()
        board.moved.clear()
        board.least_ma = 1 << 30
        began_ns = chip.now_ns
        _type(board, lines, tell)
        part.is_answering = board.run_until(
            lambda: board.is_answered(_HELLO_AFTER), _WORD_NS + part.lines * _PASS_NS
        )
        part.simulated_s = (chip.now_ns - began_ns) / 1e9
        part.settings_read, part.settings_changed = _settings(board, rows)
        part.late_after = board.late()
    except Dead as dead:
        part.death = str(dead)
    part.resets = len(chip.watchdog_ns) - resets
    part.words = [*board.lines.words][words:]
    part.damaged = board.lines.damaged - damaged
    asked = {_HELLO_AFTER, *(_GETS + row[ROW_NUMBER] for row in TABLE)}
    part.answered = [reply.id for reply in board.replies[replies:] if reply.id not in asked]
    part.files_changed = _differing(chip.image, flash, chip.file_system())
    part.moved = list(board.moved)
    part.least_ma = board.least_ma if name == CHARGING else None
    return part


def _type(board: Board, lines: Sequence[tuple[str, bytes]], tell: Callable[[int], None]) -> None:
    """Send it all, with a hello behind, so that the board always finds more; return once it has taken the last byte."""
    stream = b"".join(data for _kind, data in lines)
    ends = list(accumulate(len(data) for _kind, data in lines))
    # Whatever the last line is, it ends here.
    behind = b"\n" + command_line(_HELLO_AFTER, "hello")
    board.console.send(stream + behind)
    told = 0
    # A board that takes less than a byte a pass has stopped to listen.
    until_ns = board.chip.now_ns + _WORD_NS + len(stream) * _PASS_NS
    while board.console.waiting:
        if board.chip.now_ns >= until_ns:
            raise Dead("it has stopped to listen, %d bytes are left" % board.console.waiting)
        board.run_until(lambda: not board.console.waiting, _LOOK_NS)
        done = bisect_right(ends, len(stream) + len(behind) - board.console.waiting)
        if done - told >= _TELL_EVERY or done == len(lines) > told:
            tell(done - told)
            told = done


def _settings(board: Board, rows: Sequence[Any]) -> tuple[int, list[str]]:
    """Ask for every setting of `rows`, all at once: return how many were told, and those that are not what was stored."""
    wanted = Settings(dict(_STORED))
    board.console.send(
        b"".join(command_line(_GETS + row[ROW_NUMBER], "get", (row[ROW_NUMBER],)) for row in rows)
    )
    before = len(board.replies)
    board.run_until(
        lambda: len(board.replies) - before >= len(rows), _WORD_NS + len(rows) * 50 * _PASS_NS
    )
    told = {reply.id: reply.ok for reply in board.replies[before:]}
    read = 0
    changed = []
    for row in rows:
        number, key = row[ROW_NUMBER], row[ROW_KEY]
        if _GETS + number not in told:
            continue
        read += 1
        should = (number, getattr(wanted, key), int(key in wanted.given))
        if told[_GETS + number] != should:
            changed.append("%s is %s, not %s" % (key, told[_GETS + number], should))
    return read, changed


def _differing(image: Image, before: bytes, after: bytes) -> list[str]:
    """Return the names of the files that differ; "the flash" where its bytes do and no file does."""
    if before == after:
        return []
    try:
        was, now = read_flash(before, image.layout), read_flash(after, image.layout)
    except ValueError as error:
        return [str(error)]
    names = sorted(name for name in {*was, *now} if was.get(name) != now.get(name))
    return names or ["the flash"]


def shares(count: int) -> dict[str, int]:
    """Return how many of `count` lines each part gets."""
    empty = count * _EMPTY_PCT // 100
    return {EMPTY: empty, CHARGING: count - empty}


def measure_garbage(
    image: Image,
    count: int,
    seed: int,
    jobs: int,
    tell: Callable[[str], None],
    keys: "Sequence[str] | None" = None,
) -> dict[str, Any]:
    """Type `count` lines of garbage, part of them at an empty inlet and part while charging; return what was seen."""
    board = Board(image, seed)
    board.start()
    read_end, write_end = os.pipe()
    done = 0

    def heard(sentence: str) -> None:
        nonlocal done
        done += int(sentence)
        tell("%d of %d lines" % (done, count))

    def say(more: int) -> None:
        os.write(write_end, b"%d\n" % more)

    def one(name: str) -> Part:
        if name == CHARGING:
            board.charge()
        lines = garbage(shares(count)[name], "%d %s" % (seed, name))
        return run_part(board, name, lines, say, keys)

    try:
        parts = dict(fork_map(one, (CHARGING, EMPTY), jobs, read_end, heard))
    finally:
        os.close(write_end)
        os.close(read_end)
    ordered = [parts[EMPTY], parts[CHARGING]]
    return {
        "lines": count,
        "seed": seed,
        "image": image.version,
        "first_id": FIRST_ID,
        "parts": [asdict(part) for part in ordered],
        "wrong": [sentence for part in ordered for sentence in wrong(part)],
    }


def table(result: dict[str, Any]) -> list[str]:
    """Return the result as lines of text, for a terminal."""
    rows = [("", *(part["name"] for part in result["parts"]))]
    for words, text in (
        ("lines", lambda part: "%d" % part["lines"]),
        ("bytes", lambda part: "%d" % part["bytes"]),
        ("simulated", lambda part: "%.1f s" % part["simulated_s"]),
        ("bytes heard a pass", lambda part: "%.1f" % (part["bytes"] / max(1.0, part["simulated_s"] * 100))),
        ("resets", lambda part: "%d" % part["resets"]),
        ("garbage answered", lambda part: "%d" % len(part["answered"])),
        ("late passes before, after", lambda part: "%s, %s" % (part["late_before"], part["late_after"])),
        ("settings read, changed", lambda part: "%d of %d, %d" % (part["settings_read"], part["settings_wanted"], len(part["settings_changed"]))),
        ("files changed", lambda part: "%d" % len(part["files_changed"])),
        ("S2 or lock moved", lambda part: "%d" % len(part["moved"])),
        ("least AC current", lambda part: "-" if part["least_ma"] is None else "%d mA" % part["least_ma"]),
        ("hello behind it answered", lambda part: "yes" if part["is_answering"] else "NO"),
    ):  # fmt: skip
        rows.append((words, *(text(part) for part in result["parts"])))
    kinds = Counter[str]()
    for part in result["parts"]:
        kinds.update(part["kinds"])
    told = ["%-26s %16s %16s" % row for row in rows]
    return [*told, "kinds: " + ", ".join("%d %s" % (n, name) for name, n in kinds.most_common())]
