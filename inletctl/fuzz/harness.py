"""What a reader may do with any bytes, and the check that it does nothing else.

A reader accepts, or refuses with the project's own error in one sentence. Anything else is a crash: another exception, more
CPU or memory than its limit, a sentence that is none, a state that changed although the input was refused.
"""

import shutil
import signal
import sys
import tempfile
import time
import tracemalloc
import weakref
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn

from inletctl.house import FIRMWARE, ROOT

# CPU of one input, and what it may allocate at once: a thousand times what a usual one takes, so that no slow computer
# makes a crash of it.
CPU_LIMIT_S = 5.0
MEMORY_LIMIT_BYTES = 64_000_000
# While the memory is measured an input takes about three times as long, and that is not its fault.
_MEASURED_TIMES = 4
# Of so many inputs one is measured, and each that once broke a reader: all of them would be a third as many.
MEASURED_EVERY = 32
SENTENCE_MAX = 2000
# A 32-bit board: what is beyond it allocates, where nothing may.
SMALL_INT = 1 << 30

_HERE = Path(__file__).resolve().parent


class Crash(Exception):  # noqa: N818 - not an error of this program: what it looks for
    """A reader did what it must not. `kind` and `where` tell one crash from another."""

    def __init__(self, kind: str, where: str, detail: str):
        super().__init__("%s at %s: %s" % (kind, where, detail))
        self.kind = kind
        self.where = where

    @property
    def signature(self) -> str:
        """Return what two inputs with the same mistake have in common."""
        return "%s at %s" % (self.kind, self.where)


class Broken(Exception):  # noqa: N818 - the same
    """Raised by a reader's harness: a rule of its own is broken. (short name, words)"""

    def __init__(self, rule: str, words: str):
        super().__init__(words)
        self.rule = rule


class Refusal(Exception):  # noqa: N818 - the good end of most inputs
    """The input was refused: the sentences that a person would read. The first stands for all of them."""


class _TooLongError(BaseException):
    """The CPU limit is over. No `except Exception` of a reader may stop it."""


@dataclass(frozen=True)
class Harness:
    """
    One reader, ready to be fed.

    run     feed(data): returns where it is accepted, raises Refusal; Broken where a rule of its own is broken
    seeds   inputs to begin with, from what the repository has: most of them accepted
    words   pieces that the format is made of, for the mutator
    size    longest input that is made: what is longer only takes longer
    cpu_s   CPU that one input may take
    """

    name: str
    run: "Callable[[bytes], object]"
    seeds: "Sequence[bytes]" = ()
    words: "Sequence[bytes]" = ()
    size: int = 4096
    cpu_s: float = CPU_LIMIT_S


class File:
    """A file in a folder of its own, written anew for each input; both go when this does."""

    def __init__(self, name: str):
        self.folder = Path(tempfile.mkdtemp(prefix="inletctl-fuzz-"))
        self.path = self.folder / name
        weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)

    def hold(self, data: bytes) -> Path:
        """Let the file hold `data`; return its path."""
        self.path.write_bytes(data)
        return self.path

    def check(self, data: bytes) -> None:
        """Break the rule where it holds something else by now."""
        if self.path.read_bytes() != data:
            break_rule("changed", "the file was changed by reading it")


def break_rule(rule: str, words: str) -> NoReturn:
    """Say that a rule is broken."""
    raise Broken(rule, words)


def small(numbers: Any, what: str) -> None:
    """Break the rule where one of the numbers does not fit a small int of a 32-bit board."""
    for number in numbers:
        if not -SMALL_INT <= int(number) < SMALL_INT:
            break_rule("small-int", "%s holds %d, which a board has no room for" % (what, number))


def check(harness: Harness, data: bytes, with_memory: bool = False) -> str:
    """Feed `data`; return "" where it is accepted, else the first sentence of its refusal. Raises Crash.

    with_memory     measure the memory as well, which takes three times as long
    """
    cpu_s = harness.cpu_s
    if with_memory:
        cpu_s *= _MEASURED_TIMES
        tracemalloc.start()
    started_s = time.process_time()
    try:
        with _limit(cpu_s):
            harness.run(data)
        sentence = ""
    except Refusal as refusal:
        sentences = [str(one) for one in refusal.args] or [""]
        for one in sentences:
            _judge_sentence(harness.name, one)
        sentence = sentences[0]
    except Broken as broken:
        raise Crash(broken.rule, harness.name, str(broken)) from None
    except _TooLongError as late:
        where = _where(late.__traceback__)
        raise Crash("too-slow", where, "it took more than %g s of CPU" % cpu_s) from None
    except (Exception, SystemExit) as error:
        raise Crash(type(error).__name__, _where(error.__traceback__), str(error)[:300]) from error
    finally:
        peak = 0
        if with_memory:
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
    if time.process_time() - started_s > cpu_s:
        raise Crash("too-slow", harness.name, "it took more than %g s of CPU" % cpu_s)
    if peak > MEMORY_LIMIT_BYTES:
        raise Crash("memory", harness.name, "it took %d bytes at once" % peak)
    return sentence


def _judge_sentence(name: str, sentence: str) -> None:
    if not sentence.strip():
        raise Crash("no-sentence", name, "it is refused without a word")
    if not sentence.isprintable():
        raise Crash("no-sentence", name, "what it says breaks the line: %r" % sentence[:200])
    if len(sentence) > SENTENCE_MAX:
        raise Crash("no-sentence", name, "what it says has %d signs" % len(sentence))


@contextmanager
def _limit(cpu_s: float) -> Any:
    """Raise _TooLongError in what runs, once it has used its CPU. Without such a timer (Windows) the caller measures."""
    timer = getattr(signal, "ITIMER_PROF", None)
    if timer is None:
        yield
        return

    def stop(_number: int, _frame: Any) -> None:
        raise _TooLongError

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(timer, cpu_s)
    try:
        yield
    finally:
        signal.setitimer(timer, 0)
        signal.signal(signal.SIGPROF, before)


def _where(trace: "TracebackType | None") -> str:
    """Return file and function of the innermost frame that is the project's own, and no harness."""
    found = "?"
    while trace is not None:
        code = trace.tb_frame.f_code
        path = Path(code.co_filename)
        if path.parent != _HERE:
            for root in (FIRMWARE, ROOT):
                if path.is_relative_to(root):
                    found = "%s:%s" % (path.relative_to(root).as_posix(), code.co_name)
                    break
        elif found == "?":
            found = "%s:%s" % (path.name, code.co_name)
        trace = trace.tb_next
    return found


def python() -> str:
    """Return the interpreter that runs this, for a process of its own."""
    return sys.executable
