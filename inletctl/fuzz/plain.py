"""Feeding a reader without a guide: what is kept is replayed, then inputs are changed at random. Repeats with its seed."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from inletctl.fuzz.harness import MEASURED_EVERY, Crash, Harness, check
from inletctl.fuzz.mutate import Mutator, smaller
from inletctl.house import ROOT

# Inputs that once broke a reader: each is a test.
CRASHES = ROOT / "host_tests" / "fuzz_crashes"
_SMALLER_TRIES = 1500
_SMALLER_CPU_S = 20.0


@dataclass
class Found:
    """A crash, and the smallest input known to make it."""

    crash: Crash
    data: bytes
    path: "Path | None" = None


@dataclass
class Result:
    """What became of a reader's inputs."""

    name: str
    runs: int = 0
    accepted: int = 0
    refused: int = 0
    cpu_s: float = 0.0
    found: "dict[str, Found]" = field(default_factory=dict)  # by signature
    problem: str = ""  # one sentence, where the feeding has ended otherwise than it should
    is_stopped: bool = False  # by a person


def feed(
    harness: Harness,
    seed: int,
    runs: int,
    kept: "tuple[bytes, ...]" = (),
    seconds: "float | None" = None,
    tell: "Callable[[Result], object] | None" = None,
) -> Result:
    """Feed the seeds and what is kept, then `runs` changed inputs, or until `seconds` of CPU are over; never raises Crash.

    The memory of one input in MEASURED_EVERY is measured, and of each that is kept. A person who stops it (Ctrl-C) is given
    what was found until then.
    """
    result = Result(harness.name)
    started_s = time.process_time()
    try:
        _feed(result, harness, seed, runs, kept, seconds, tell)
    except KeyboardInterrupt:
        result.is_stopped = True
    result.cpu_s = time.process_time() - started_s
    return result


def _feed(
    result: Result,
    harness: Harness,
    seed: int,
    runs: int,
    kept: "tuple[bytes, ...]",
    seconds: "float | None",
    tell: "Callable[[Result], object] | None",
) -> None:
    started_s = time.process_time()
    rng = random.Random("%s %d" % (harness.name, seed))
    inputs = [b"", *harness.seeds]
    for data in inputs:
        _one(result, harness, data)
    for data in kept:
        _one(result, harness, data, True)
    mutator = Mutator(rng, harness.words, harness.size)
    while result.runs < runs + len(inputs) + len(kept):
        result.cpu_s = time.process_time() - started_s
        if seconds is not None and result.cpu_s > seconds:
            break
        _one(result, harness, mutator.make(inputs))
        if tell is not None and result.runs % 64 == 0:
            tell(result)


def _one(result: Result, harness: Harness, data: bytes, with_memory: bool = False) -> None:
    result.runs += 1
    try:
        if check(harness, data, with_memory or result.runs % MEASURED_EVERY == 0):
            result.refused += 1
        else:
            result.accepted += 1
    except Crash as crash:
        known = result.found.get(crash.signature)
        if known is None or len(data) < len(known.data):
            result.found[crash.signature] = Found(crash, data)


def crash_of(harness: Harness, data: bytes, with_memory: bool = False) -> "Crash | None":
    """Return the crash that an input makes, None where it makes none. with_memory: as of `check`."""
    try:
        check(harness, data, with_memory)
    except Crash as crash:
        return crash
    return None


def minimise(harness: Harness, found: Found, tries: int = _SMALLER_TRIES) -> Found:
    """Return the same crash with a smaller input; the same input, where it does not make it again."""
    started_s = time.process_time()
    with_memory = found.crash.kind == "memory"

    def is_same(data: bytes) -> bool:
        if time.process_time() - started_s > _SMALLER_CPU_S:
            return False
        crash = crash_of(harness, data, with_memory)
        return crash is not None and crash.signature == found.crash.signature

    if not is_same(found.data):
        return found
    if found.crash.kind == "too-slow":
        tries = 40
    data = smaller(found.data, is_same, tries)
    return Found(crash_of(harness, data, with_memory) or found.crash, data)


def keep(name: str, found: Found, folder: Path) -> Path:
    """Write the input where a test replays it from now on."""
    import hashlib

    path = (
        folder
        / name
        / ("%s-%s.bin" % (found.crash.kind, hashlib.sha256(found.data).hexdigest()[:8]))
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(found.data)
    found.path = path
    return path


def kept(name: str, folder: Path = CRASHES) -> "tuple[Path, ...]":
    """Return the files of inputs that once broke a reader."""
    return tuple(sorted((folder / name).glob("*.bin")))
