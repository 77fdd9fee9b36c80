"""Power cut at random instants while the board appends to its journal in the emulated flash, and what it reads then."""

import random
from collections.abc import Callable
from functools import cache
from typing import Any

from inletctl.emu.image import Image
from inletctl.measure.bench_board import boot, files_with
from inletctl.measure.forks import fork_map

_MS_NS = 1_000_000
MARK_GPIO = 22
APPENDS = 24  # scripts/journal_cut.py
_BOOT_NS = 4_000 * _MS_NS
# All appends of one power-up; a write that never ends is a failure of its own.
_WRITE_NS = 20_000 * _MS_NS
_WORDS_NS = 400 * _MS_NS


@cache
def _files() -> dict[str, bytes]:
    """The board's files: compiled once, not for each cut."""
    return files_with("journal_cut")


class Board:
    """One power-up of the journal script over a given flash."""

    def __init__(self, image: Image, flash: "bytes | None"):
        self.chip, self.lines, _console = boot(image, _files())
        if flash is not None:
            start = image.layout.start
            self.chip.mcu.flash[start : start + len(flash)] = flash
        self.acked = 0  # appends that have returned
        self.has_begun = False
        self.chip.listen(MARK_GPIO, self._mark)

    def _mark(self, level: bool) -> None:
        if level and not self.has_begun:
            self.has_begun = True
            self.chip.stop()
        elif not level and self.has_begun:
            self.acked += 1
            if self.acked == APPENDS:
                self.chip.stop()

    @property
    def now_ns(self) -> int:
        """Return the chip's time."""
        return self.chip.now_ns

    def run_to_write(self) -> bool:
        """Boot up to the first append; return whether it came to that."""
        self.chip.run_until(_BOOT_NS)
        return self.has_begun

    def run_on(self, length_ns: int) -> None:
        """Go on for so long, at most to the end of the last append."""
        self.chip.run_until(self.chip.now_ns + length_ns)

    def flash(self) -> bytes:
        """Return the file system as it is now."""
        return self.chip.file_system()

    def words(self) -> str:
        """Return what it read, once its line has come; else the last it said."""
        end_ns = self.chip.now_ns + _WORDS_NS
        while self.chip.now_ns < end_ns:
            for words in self.lines.words:
                if words.startswith("read "):
                    return words
            self.chip.run_until(self.chip.now_ns + 2 * _MS_NS)
        return "said nothing: %s" % list(self.lines.words)[-5:]


def measure_journal_cuts(
    image: "Image | None",
    count: int,
    seed: int,
    jobs: int,
    tell: Callable[[str], None],
    power_up: Callable[..., Any] = Board,
) -> dict[str, Any]:
    """Cut the power `count` times, each at its own random instant of a row of appends; return what was read afterwards.

    power_up    makes a Board of the image and a flash (None: as it was made); a test's in its place
    """
    first = _ready(power_up(image, None))
    first.run_on(_WRITE_NS)
    if first.acked != APPENDS:
        raise RuntimeError("the first appends never ended: %d of %d" % (first.acked, APPENDS))
    board = _ready(power_up(image, first.flash()))
    length_ns = _whole_write_ns(board)

    def cut(task: int) -> tuple[int, str]:
        dice = random.Random("journal cut %d %d" % (seed, task))
        board.run_on(dice.randrange(length_ns))
        again = power_up(image, board.flash())
        has_begun = again.run_to_write()
        return board.acked, again.words() if has_begun else "does not boot: %s" % again.words()

    acked = lost = torn = 0
    wrong: list[str] = []
    for done, (task, (promised, words)) in enumerate(fork_map(cut, range(count), jobs), 1):
        acked += promised
        missing, ends, why = judge(words, APPENDS + promised)
        lost += missing
        torn += ends
        if why:
            wrong.append("cut %d: %s (%s)" % (task, why, words))
        tell("power cut %d of %d" % (done, count))
    return {
        "cuts": count,
        "seed": seed,
        "appends": APPENDS,
        "write_ms": round(length_ns / _MS_NS, 3),
        "acked": acked,
        "lost": lost,
        "torn": torn,
        "failed": len(wrong),
        "wrong": wrong[:10],
    }


def judge(words: str, promised: int) -> tuple[int, int, str]:
    """Return (records lost, torn ends left out, what is wrong) of a board's words after `promised` appends in its life."""
    parts = words.split(" ", 6)
    if parts[0] != "read" or len(parts) < 6 or not all(part.isdigit() for part in parts[1:6]):
        return 0, 0, "it said nothing of its journal"
    last, gaps, strange, state, ends = map(int, parts[1:6])
    missing = max(promised - last, 0) + gaps
    for is_so, why in (
        (missing, "%d acknowledged records are missing" % missing),
        (last > promised + 1, "record %d was never begun" % last),
        (strange, "%d records are torn" % strange),
        (not state, "the newest state is not there"),
        (len(parts) > 6 and parts[6], "a file was set aside"),
    ):
        if is_so:
            return missing, ends, why
    return 0, ends, ""


def _ready(board: Any) -> Any:
    if not board.run_to_write():
        raise RuntimeError("the journal script does not run: %s" % board.words())
    return board


def _whole_write_ns(board: Any) -> int:
    """Return how long the appends of one power-up take when nobody cuts them."""

    def whole(_task: int) -> int:
        began_ns = board.now_ns
        board.run_on(_WRITE_NS)
        return board.now_ns - began_ns if board.acked == APPENDS else 0

    for _task, length_ns in fork_map(whole, [0], 1):
        if length_ns > 0:
            return length_ns
    raise RuntimeError("the appends never end")
