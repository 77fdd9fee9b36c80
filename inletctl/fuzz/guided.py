"""Feeding a reader with coverage as the guide: atheris (libFuzzer for Python) in a process of its own, watched."""

import importlib.util
import os
import re
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from inletctl.errors import UserError
from inletctl.fuzz.harness import Crash, Harness, python
from inletctl.fuzz.plain import Found, Result, crash_of
from inletctl.house import ROOT

_MEMORY_MB = 1024
# By the clock on the wall, of what no timer of Python's ends; a busy computer gives a process a part of its time only.
_HANG_S = 120
# Names of libFuzzer's files of what has ended the process; others ("slow-unit") tell of a busy computer.
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

    Raises UserError where atheris cannot be run.
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
        said = _run(command, status, tell)
        if not status.runs:
            raise UserError("atheris has fed %s nothing: %s" % (harness.name, said), 3)
        for path in sorted(crashes.iterdir()):
            data = path.read_bytes()
            crash = crash_of(harness, data) or crash_of(harness, data, with_memory=True)
            if crash is None and path.name.startswith(_ENDED):
                # What ended the process, and does nothing here: memory over the limit, or a hang outside of Python.
                crash = Crash(
                    path.name.partition("-")[0], harness.name, "it has ended the process"
                )
            if crash is None:
                continue
            known = result.found.get(crash.signature)
            if known is None or len(data) < len(known.data):
                result.found[crash.signature] = Found(crash, data)
    result.runs = status.runs
    return result, status


def _run(command: "list[str]", status: Status, tell: "Callable[[Status], object] | None") -> str:
    """Run it, take its status over line by line, and return the last thing it said."""
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
        except BaseException:
            process.kill()
            raise
    return said


def _quoted(word: bytes) -> str:
    return '"%s"\n' % "".join("\\x%02x" % byte for byte in word)
