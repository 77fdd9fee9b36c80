"""Power cut at random instants while the board writes its settings or port records into the emulated flash, and what it reads then."""

import random
from collections.abc import Callable
from functools import cache
from typing import Any

from inletctl.emu.image import Image
from inletctl.measure.bench_board import boot, files_with
from inletctl.measure.forks import fork_map

_MS_NS = 1_000_000
MARK_GPIO = 22
_FIRST_MA = 6000
_BOOT_NS = 3_000 * _MS_NS
# Longest write measured is far below; a write that never ends is a failure of its own.
_WRITE_NS = 3_000 * _MS_NS
_LAST_PART = 20  # of a write


# What is written -> the script that does.
SCRIPTS = {"settings": "store_cut", "ports": "port_cut"}


@cache
def _files(what: str) -> dict[str, bytes]:
    """The board's files: compiled once, not for each cut."""
    return files_with(SCRIPTS[what])


class _Board:
    """One power-up of the script over a given flash."""

    def __init__(self, image: Image, flash: "bytes | None", what: str):
        self.chip, self.lines, _console = boot(image, _files(what))
        if flash is not None:
            start = image.layout.start
            self.chip.mcu.flash[start : start + len(flash)] = flash
        self.began_ns = 0
        self.ended_ns = 0
        self.chip.listen(MARK_GPIO, self._mark)

    def _mark(self, level: bool) -> None:
        if level and not self.began_ns:
            self.began_ns = self.chip.now_ns
            self.chip.stop()
        elif not level and self.began_ns and not self.ended_ns:
            self.ended_ns = self.chip.now_ns
            self.chip.stop()

    def run_to_write(self) -> str:
        """Boot up to the beginning of the write; return what the script read."""
        self.chip.run_until(_BOOT_NS)
        if not self.began_ns:
            raise RuntimeError("the writing script does not run: %s" % list(self.lines.words)[-5:])
        # What it said is still on its way through the USB.
        return ""

    def read_words(self) -> str:
        """Return what it read, once its line has come."""
        end_ns = self.chip.now_ns + 400 * _MS_NS
        while self.chip.now_ns < end_ns:
            for words in self.lines.words:
                if words.startswith("read "):
                    return words
            self.chip.run_until(self.chip.now_ns + 2 * _MS_NS)
        return "said nothing: %s" % list(self.lines.words)[-5:]


def measure_power_cuts(
    image: Image,
    count: int,
    seed: int,
    jobs: int,
    tell: Callable[[str], None],
    what: str = "settings",
) -> dict[str, Any]:
    """Cut the power `count` times, each at its own random instant of a write of `what` (SCRIPTS); return what was read afterwards."""
    # One power-up stores the old settings; the next begins to write the new ones and is cut.
    first = _Board(image, None, what)
    first.run_to_write()
    first.chip.run_until(first.chip.now_ns + _WRITE_NS)
    if not first.ended_ns:
        raise RuntimeError("the first write never ended: %s" % list(first.lines.words)[-5:])
    board = _Board(image, first.chip.file_system(), what)
    board.run_to_write()
    length_ns = _whole_write_ns(board, jobs)

    def cut(task: int) -> str:
        dice = random.Random("power cut %d %d" % (seed, task))
        chip = board.chip
        # The new settings hold from the rename on, close to the end: every other cut falls into that last part.
        first_ns = length_ns - length_ns // _LAST_PART if task % 2 else 0
        chip.run_until(chip.now_ns + dice.randrange(first_ns, length_ns))
        again = _Board(image, chip.file_system(), what)
        again.run_to_write()
        return again.read_words()

    old, new = "read %d" % _FIRST_MA, "read %d" % (_FIRST_MA + 1)
    counts = {"old": 0, "new": 0, "neither": 0}
    wrong: list[str] = []
    for done, (task, words) in enumerate(fork_map(cut, range(count), jobs), 1):
        kind = "old" if words == old else "new" if words == new else "neither"
        counts[kind] += 1
        if kind == "neither":
            wrong.append("cut %d: %s" % (task, words))
        tell("power cut %d of %d" % (done, count))
    return {
        "cuts": count,
        "seed": seed,
        "write_ms": round(length_ns / _MS_NS, 3),
        **counts,
        "wrong": wrong[:10],
    }


def _whole_write_ns(board: _Board, jobs: int) -> int:
    """Return how long a write takes when nobody cuts it."""

    def whole(_task: int) -> int:
        chip = board.chip
        chip.run_until(chip.now_ns + _WRITE_NS)
        return board.ended_ns - board.began_ns

    for _task, length_ns in fork_map(whole, [0], jobs):
        if length_ns > 0:
            return length_ns
    raise RuntimeError("the write never ends")
