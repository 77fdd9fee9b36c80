"""Runs the soak on the 32-bit MicroPython, and judges it."""

import json
import subprocess
import tempfile
import textwrap
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from inletctl.errors import UserError
from inletctl.house import FIRMWARE, firmware_hash, use_firmware
from inletctl.session import START_BEFORE_WRAP_MS, TICKS_MASK
from inletctl.soak.tape import ROUND, SETTINGS, Tape, record
from inletctl.targets.micropython import MODULE, check_installed, node_path, plan

use_firmware()

import drivers.virtual_layout as layout  # noqa: E402

_HOST = Path(__file__).with_name("soak_host.mjs")
BLOCK_BYTES = 16  # of this interpreter's heap
_HEAP_BYTES = 192 * 1024  # as inletctl/targets/node_host.mjs: what a Pico has left
PARK_MS = 4 * 3_600_000  # a car stands for up to so long between two rounds
# The first rounds: the boot, lists that reach their size, what is loaded once.
WARM_ROUNDS = 2
# What may be lost over all sessions, in bytes. A board keeps 10 KB for what it does at rest (journal/opener.py): a tenth of them is
# what nobody would notice in the 10,000 sessions that a car has in 15 years.
LEAK_MAX_BYTES = 1024
# What a round allocates at rest, mean of the last fifth of the rounds over that of the first: the journal writes now more, now
# less in a round (records and kept states wait for room in its budget), as much over many.
ALLOCATED_GROWTH = 1.25
_MANY_ROUNDS = 50
# The largest piece of free memory, in the same way: what is loaded at rest needs one piece of 12 KB.
PIECE_MIN_BYTES = 12 * 1024

_LOOP_FROM = "        while board.next_pass():\n"
_LOOP_TO = "    except KeyboardInterrupt:\n"
_SCRIPT = """
import gc
import micropython
import virtual_link
import main
from main import *
from drivers.virtual import VirtualBoard

from drivers.flash_log import FlashLog
from drivers.store import BoardFiles

heap_lock = main.heap_lock
heap_unlock = main.heap_unlock
# This interpreter's file system numbers its errors in its own way; a board's littlefs has them as here.
ERRORS = {44: 2, 20: 17}


class Files(BoardFiles):
    def open(self, path, mode):
        try:
            return open(path, mode)
        except OSError as error:
            raise OSError(ERRORS.get(error.args[0], error.args[0]))


class Board(VirtualBoard):
    def journal_log(self, kept):
        return FlashLog(kept=kept, files=Files(), note=self.note)


board = Board()
settings = Settings(stored_settings(board))
inlet = InletStep(settings)
readings = Readings()
commands = Commands()
host = Host(board, settings, Ports(board, readings), inlet)
soak_before = 0
soak_after = 0


def soak_loop():
%(loop)s


def soak_round():
    global soak_before, soak_after
    soak_before = gc.mem_alloc()
    soak_loop()
    soak_after = gc.mem_alloc()


def soak_tell():
    book = host._book
    virtual_link.tell(
        soak_after - soak_before, gc.mem_alloc(), host._report.number,
        -1 if book is None else book.session, -1 if book is None else book.failures,
    )
    micropython.mem_info()
"""


@dataclass(frozen=True)
class Round:
    """One round. Bytes: `allocated` in it; `used` after it, the garbage collected; `piece`: the largest free piece then.

    `number`: of the report's next line; `plug_ins`: so many as the journal has counted, `failures`: records that it could not
    write (both -1 without a journal); `differing`: passes whose commands are not those of the tape; `tick`: the next one.
    """

    allocated: int
    used: int
    piece: int
    number: int
    plug_ins: int
    failures: int
    differing: int
    first_differing: int
    tick: int
    wraps: int
    wall_ms: int


def script(source: str) -> str:
    """Return what the interpreter runs: the objects of main.py, and its own loop as a function. Raises UserError without a loop."""
    begin, end = source.find(_LOOP_FROM), source.find(_LOOP_TO)
    if not 0 < begin < end:
        raise UserError("firmware/main.py: its loop is not where the soak looks for it")
    return _SCRIPT % {"loop": textwrap.indent(textwrap.dedent(source[begin:end]), "    ")}


def soak(
    sessions: int, tell: Callable[[int], None] = lambda done: None, more: str = ""
) -> tuple[Tape, list[Round]]:
    """Run as many rounds as hold `sessions` sessions; `tell` hears how many are done. `more`: code behind the script.

    Raises UserError where Node or MicroPython is missing, RuntimeError where the firmware failed.
    """
    check_installed()
    tape = record()
    rounds = -(-sessions // tape.sessions)
    with tempfile.TemporaryDirectory(prefix="openinlet-soak-") as made:
        folder = Path(made)
        (folder / "readings").write_bytes(tape.readings)
        (folder / "commands").write_bytes(tape.commands)
        text = (FIRMWARE / "main.py").read_text(encoding="utf-8")
        wanted = {
            **plan(SETTINGS), "script": script(text) + more, "readings": str(folder / "readings"),
            "commands": str(folder / "commands"), "passes": tape.passes, "rxInts": layout.RX_INTS,
            "txInts": layout.TX_INTS, "heap": _HEAP_BYTES, "startMs": START_BEFORE_WRAP_MS, "parkMs": PARK_MS,
            "rounds": rounds,
        }  # fmt: skip
        (folder / "plan.json").write_text(json.dumps(wanted), encoding="utf-8")
        return tape, _listen(folder / "plan.json", tape, rounds, tell)


def _listen(plan_path: Path, tape: Tape, rounds: int, tell: Callable[[int], None]) -> list[Round]:
    found: list[Round] = []
    with (
        open(plan_path.with_name("said.txt"), "w+", encoding="utf-8") as said,
        subprocess.Popen(
            [node_path(), str(_HOST), str(MODULE), str(plan_path)],
            stdout=subprocess.PIPE, stderr=said, text=True,
        ) as process,
    ):  # fmt: skip
        assert process.stdout is not None
        for line in process.stdout:
            row = json.loads(line)
            if row["failed"]:
                raise RuntimeError("the firmware failed in the soak: " + row["failed"])
            found.append(
                Round(
                    row["allocated"], row["used"], BLOCK_BYTES * row["largest"], row["number"], row["plugIns"], row["failures"],
                    row["differing"], row["firstDiffering"], row["tick"], row["wraps"], row["wallMs"],
                )
            )  # fmt: skip
            tell(len(found) * tape.sessions)
        process.wait()
        if len(found) < rounds:
            said.seek(0)
            raise RuntimeError(
                "the soak ended after %d rounds: %s" % (len(found), said.read()[-2000:])
            )
    return found


def slope(values: list[int]) -> float:
    """Return the least-squares slope of values, per value."""
    count = len(values)
    if count < 2:
        return 0.0
    middle = (count - 1) / 2
    mean = sum(values) / count
    over = sum((n - middle) * (value - mean) for n, value in enumerate(values))
    return over / sum((n - middle) ** 2 for n in range(count))


def shortfalls(rounds: list[Round], sessions_a_round: int) -> list[str]:
    """Return what does not hold, a sentence each."""
    kept = rounds[WARM_ROUNDS:]
    if len(kept) < 2:
        raise UserError(
            "a soak needs more than %d sessions: the first %d rounds only warm up"
            % ((WARM_ROUNDS + 2) * sessions_a_round - 1, WARM_ROUNDS)
        )
    wrong = []
    lost = slope([one.used for one in kept]) * len(kept)
    # What one round leaves and the next one finds: a round may end while a record is written, with the room for its files in use.
    worst = max(min(a.used, b.used) for a, b in pairwise(kept)) - kept[0].used
    if lost > LEAK_MAX_BYTES or worst > LEAK_MAX_BYTES:
        wrong.append(
            "memory leaks: %d bytes over %d sessions by the trend, %d at worst; %d may be lost"
            % (round(lost), len(kept) * sessions_a_round, worst, LEAK_MAX_BYTES)
        )
    part = -(-len(kept) // 5)
    early = sum(one.allocated for one in kept[:part]) / part
    late = sum(one.allocated for one in kept[-part:]) / part
    if len(kept) >= _MANY_ROUNDS and late > ALLOCATED_GROWTH * early + BLOCK_BYTES:
        wrong.append(
            "a round allocates %d bytes at the end, %d at the beginning: %.2f times as much may be"
            % (late, early, ALLOCATED_GROWTH)
        )
    piece = min(one.piece for one in kept)
    if piece < PIECE_MIN_BYTES:
        wrong.append(
            "the largest free piece fell to %d bytes: %d are needed" % (piece, PIECE_MIN_BYTES)
        )
    odd = [n for n, one in enumerate(rounds) if one.differing and n >= 1]
    if odd:
        one = rounds[odd[0]]
        wrong.append(
            "%d rounds command something else than the first ones did: round %d first, %d passes, from %.2f s of it on"
            % (len(odd), odd[0], one.differing, one.first_differing / 100)
        )
    wrong += _miscounted(kept, sessions_a_round)
    return wrong


def _miscounted(kept: list[Round], sessions_a_round: int) -> list[str]:
    """Return which counters do not count what happened."""
    wrong = []
    # The lines' number wraps where the clock does.
    lines = {(after.number - before.number) & TICKS_MASK for before, after in pairwise(kept)}
    if len(lines) > 1 or not min(lines):
        wrong.append(
            "a round makes %s lines of report: it should be the same each time, and some"
            % sorted(lines)
        )
    counted = {after.plug_ins - before.plug_ins for before, after in pairwise(kept)}
    if counted != {sessions_a_round}:
        wrong.append(
            "the journal counts %s plug-ins a round, not %d" % (sorted(counted), sessions_a_round)
        )
    if kept[-1].failures:
        wrong.append("the journal could not write %d records" % kept[-1].failures)
    return wrong


def figures(tape: Tape, rounds: list[Round], blocks: int = 20) -> dict[str, Any]:
    """Return what was measured, by blocks of rounds, for docs/figures."""
    size = max(1, -(-len(rounds) // blocks))
    rows = []
    for first in range(0, len(rounds), size):
        part = rounds[first : first + size]
        rows.append(
            {
                "sessions": (first + len(part)) * tape.sessions,
                "used_max": max(one.used for one in part),
                "allocated_max": max(one.allocated for one in part),
                "piece_min": min(one.piece for one in part),
                "differing": sum(one.differing for n, one in enumerate(part) if first + n >= 1),
                "us_a_pass": round(
                    sum(one.wall_ms for one in part) * 1000 / len(part) / tape.passes, 1
                ),
                "wraps": part[-1].wraps,
            }
        )
    kept = rounds[WARM_ROUNDS:]
    return {
        "firmware": firmware_hash(),
        "sessions": len(rounds) * tape.sessions,
        "charged": len(rounds) * tape.charged,
        "passes": len(rounds) * tape.passes,
        "simulated_h": round(len(rounds) * tape.passes / 360_000, 1),
        "wraps": rounds[-1].wraps,
        "wall_s": round(sum(one.wall_ms for one in rounds) / 1000),
        "heap_bytes": _HEAP_BYTES,
        "lost_bytes": round(slope([one.used for one in kept]) * len(kept)),
        "round": [words for words, _happenings in ROUND],
        "first": asdict(rounds[min(WARM_ROUNDS, len(rounds) - 1)]),
        "last": asdict(rounds[-1]),
        "blocks": rows,
        "shortfalls": shortfalls(rounds, tape.sessions),
    }


def summary(found: dict[str, Any]) -> str:
    """Return the figures in a few lines."""
    last = found["last"]
    return (
        "%d sessions, %d of them charged, %d passes, %.1f h simulated, the clock wrapped %d times, %d s\n"
        "%d bytes used at the end, %d more than after the first %d rounds by the trend; a round allocates %d bytes at rest\n"
        "%d plug-ins counted by the journal; "
        "passes that command something else than the first rounds did: %d"
        % (
            found["sessions"], found["charged"], found["passes"], found["simulated_h"], found["wraps"], found["wall_s"],
            last["used"], found["lost_bytes"], WARM_ROUNDS, last["allocated"], last["plug_ins"],
            sum(row["differing"] for row in found["blocks"]),
        )
    )  # fmt: skip
