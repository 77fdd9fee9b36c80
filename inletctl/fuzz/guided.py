"""Feeding a reader with coverage as the guide: atheris (libFuzzer for Python) in a process of its own, watched."""

import importlib.util
import os
import re
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from inletctl.fuzz.harness import Crash, Harness, python
from inletctl.fuzz.plain import Found, Result, crash_of
from inletctl.house import ROOT

_MEMORY_MB = 1024
# By the clock on the wall, of what no timer of Python's ends; a busy computer gives a process a part of its time only.
_HANG_S = 120
# Names of the child's files of what a reader did, beside each its words; then of libFuzzer's of what has ended the process.
# Others ("slow-unit") tell of a busy computer.
_FOUND, _WORDS = "found-", "words-"
_ENDED = ("crash-", "oom-", "timeout-")
# What libFuzzer says now and then: inputs so far, branches seen, inputs worth keeping.
_STATUS = re.compile(r"^#(\d+)\s+\w+\s+cov: (\d+) ft: \d+ corp: (\d+)/")


@dataclass
class Status:
    """How far a guided run is."""

    runs: int = 0
    branches: int = 0  # of the readers' code, that some input has taken
    inputs: int = 0  # kept, as each has taken another way


def is_there() -> bool:
    """Tell whether atheris is installed."""
    return importlib.util.find_spec("atheris") is not None


def guide(
    harness: Harness,
    seconds: float,
    seed: int,
    corpus: Path,
    tell: "Callable[[Status], object] | None" = None,
    runs: int = -1,
) -> "tuple[Result, Status]":
    """Feed for so many seconds, or `runs` inputs (-1: any number); what takes a new way is kept in the folder `corpus`, where the next run begins.

    What was found is returned however the process ends; Result.problem says where it ended and left no input that did it.
    """
    result, status = Result(harness.name), Status()
    corpus.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="inletctl-fuzz-") as folder:
        work = Path(folder)
        seeds = work / "seeds"
        seeds.mkdir()
        for n, data in enumerate(harness.seeds):
            (seeds / ("%d" % n)).write_bytes(data[: harness.size])
        crashes = work / "crashes"
        crashes.mkdir()
        command = [
            python(), "-m", "inletctl.fuzz.child", harness.name, str(crashes), "-max_total_time=%d" % max(1, seconds),
            "-seed=%d" % (seed or 1), "-max_len=%d" % harness.size, "-timeout=%d" % _HANG_S,
            "-rss_limit_mb=%d" % _MEMORY_MB, "-artifact_prefix=%s/" % crashes, "-runs=%d" % runs, "-print_final_stats=0", str(corpus), str(seeds),
        ]  # fmt: skip
        if harness.words:
            # libFuzzer refuses a list that is empty.
            dictionary = work / "words"
            dictionary.write_text("".join(_quoted(word) for word in harness.words), "ascii")
            command.append("-dict=%s" % dictionary)
        said, exit_status = _run(command, result, status, tell)
        left = sorted(crashes.iterdir())
        for path in left:
            crash = _crash_of(harness, path)
            if crash is None:
                continue
            data = path.read_bytes()
            known = result.found.get(crash.signature)
            if known is None or len(data) < len(known.data):
                result.found[crash.signature] = Found(crash, data)
        is_told = result.is_stopped or any(path.name.startswith(_ENDED) for path in left)
    result.runs = status.runs
    if not is_told and not status.runs and not result.found:
        result.problem = "atheris has fed %s nothing: %s" % (harness.name, said)
    elif not is_told and exit_status:
        result.problem = (
            "what fed %s has ended with status %d after %d inputs or more, and left none that did it: %s"
            % (harness.name, exit_status, status.runs, said)
        )
    return result, status


def _crash_of(harness: Harness, path: Path) -> "Crash | None":
    """Return the crash of an input that the child has left, None where the file is none. What it does not do alone is told as that."""
    has_ended = path.name.startswith(_ENDED)
    if not has_ended and not path.name.startswith(_FOUND):
        return None
    data = path.read_bytes()
    crash = crash_of(harness, data) or crash_of(harness, data, with_memory=True)
    if crash is not None:
        return crash
    if has_ended:
        # What ended the process, and does nothing here: memory over the limit, or a hang outside of Python.
        return Crash(path.name.partition("-")[0], harness.name, "it has ended the process")
    words = path.with_name(path.name.replace(_FOUND, _WORDS)).read_text("utf-8")
    return Crash(
        "does-not-repeat",
        words,
        "found while other inputs were fed, and the input does not do it alone",
    )


def _run(
    command: "list[str]", result: Result, status: Status, tell: "Callable[[Status], object] | None"
) -> "tuple[str, int]":
    """Run it, take its status over line by line, and return the last thing it said and its exit status."""
    said = ""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
    }
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=environment,
    ) as process:
        assert process.stderr is not None
        try:
            for raw in process.stderr:
                line = raw.decode("utf-8", "replace").strip()
                found = _STATUS.match(line)
                if found is not None:
                    status.runs, status.branches, status.inputs = (
                        int(one) for one in found.groups()
                    )
                    if tell is not None:
                        tell(status)
                elif line:
                    said = line[:200]
        except KeyboardInterrupt:
            process.kill()
            result.is_stopped = True
        except BaseException:
            process.kill()
            raise
    return said, process.returncode


def _quoted(word: bytes) -> str:
    return '"%s"\n' % "".join("\\x%02x" % byte for byte in word)
