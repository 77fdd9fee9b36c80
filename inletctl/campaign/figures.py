"""Runs the campaign, on as many processes as wanted, and counts what came of it."""

import json
import signal
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from time import process_time
from typing import Any

from inletctl.campaign.case import PHASES, Case, scenario_of
from inletctl.campaign.judge import BAD, NAMES, NUISANCE, judge
from inletctl.campaign.kinds import BY_NAME, GROUPS, KINDS, Kind
from inletctl.errors import UserError
from inletctl.house import firmware_hash
from inletctl.report.files import write_whole
from inletctl.scenario.language import load_language
from inletctl.scenario.write import format_scenario

# Handed to a process at a time.
_CHUNK = 16
# Violating runs that are written as scenarios; more of them say no more.
WRITTEN_MAX = 20


@dataclass(frozen=True)
class Result:
    """One session: what was broken, when, and what came of it (judge.py)."""

    number: int
    kinds: tuple[str, ...]
    phases: tuple[str, ...]
    inlet: str
    outcome: str
    why: tuple[str, ...]
    nuisances: tuple[tuple[str, str], ...]
    excused: tuple[str, ...]
    reasons: tuple[str, ...]  # at the first stop that no person asked for
    simulated_ms: int
    cpu_ms: float

    @property
    def is_bad(self) -> bool:
        """Tell whether this must not be."""
        return self.outcome in BAD

    @property
    def words(self) -> str:
        """Return it in one sentence."""
        return "session %d (%s, %s): %s: %s" % (
            self.number, " and ".join(self.kinds), "/".join(self.phases), self.outcome, "; ".join(self.why),
        )  # fmt: skip


def run_one(seed: int, number: int, kinds: "tuple[Kind, ...]" = ()) -> Result:
    """Run one session and judge it."""
    began_s = process_time()
    seen = Case(seed, number, kinds).run()
    verdict = judge(seen)
    reasons = next((stop.reasons for stop in seen.stops if not stop.by_person), ())
    return Result(
        number, seen.kinds, seen.phases, seen.inlet, verdict.outcome, verdict.why, verdict.nuisances, verdict.excused,
        reasons, seen.end_ms, round(1000 * (process_time() - began_s), 1),
    )  # fmt: skip


def _task(task: "tuple[int, int, tuple[str, ...]]") -> Result:
    seed, number, names = task
    return run_one(seed, number, tuple(BY_NAME[name] for name in names))


def campaign(
    seed: int, numbers: "list[int]", jobs: int, only: "tuple[str, ...]" = ()
) -> Iterator[Result]:
    """Yield the result of each session, in order. `only`: kinds that take turns, one a session, instead of all there is."""
    tasks = [(seed, number, (only[number % len(only)],) if only else ()) for number in numbers]
    if jobs <= 1:
        yield from map(_task, tasks)
        return
    # Ctrl-C is this process's alone: it ends the others.
    with get_context("spawn").Pool(jobs, signal.signal, (signal.SIGINT, signal.SIG_IGN)) as pool:
        yield from pool.imap(_task, tasks, chunksize=_CHUNK)


class Keeper:
    """Writes each result as it comes, so that a campaign that is ended goes on where it was."""

    def __init__(self, path: "Path | None", seed: int, only: "tuple[str, ...]" = ()):
        self._path = path
        self._head = {"seed": seed, "firmware": firmware_hash(), "only": list(only)}
        self.done: dict[int, Result] = {}
        if path is None:
            return
        self.done = self._read(path)
        lines = [self._head, *map(asdict, self.done.values())]
        write_whole(
            path, lambda stream: stream.writelines(json.dumps(line) + "\n" for line in lines)
        )

    def _read(self, path: Path) -> dict[int, Result]:
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return {}
        try:
            head = json.loads(lines[0]) if lines else self._head
            # The last line may have been cut.
            results = [_result(json.loads(line)) for line in lines[1:] if line.endswith("}")]
        except (ValueError, TypeError, KeyError) as error:
            raise UserError(
                "%s holds no results of a campaign (%s): name another file." % (path, error)
            ) from None
        if head != self._head:
            raise UserError(
                "%s is of another seed, firmware or choice of kinds than this campaign: name another file."
                % path
            )
        return {result.number: result for result in results}

    def keep(self, result: Result) -> None:
        """Write one result."""
        if self._path is not None:
            with open(self._path, "a", encoding="utf-8") as stream:
                stream.write(json.dumps(asdict(result)) + "\n")


def _result(values: dict[str, Any]) -> Result:
    for name in ("kinds", "phases", "why", "excused", "reasons"):
        values[name] = tuple(values[name])
    values["nuisances"] = tuple((kind, reason) for kind, reason in values["nuisances"])
    return Result(**values)


def write_scenario(seed: int, result: Result, folder: Path) -> tuple[Path, str]:
    """Write a session as a scenario file; return the file, and the command that plays it again."""
    case = Case(seed, result.number, tuple(BY_NAME[name] for name in result.kinds))
    _seen, session = case.play()
    path = folder / ("campaign-%d-%d.txt" % (seed, result.number))
    command = "inletctl sim %s --clock-start %d" % (path, case.start_ms)
    about = [*result.why, "played again by: " + command]
    if case.flash:
        command = "inletctl campaign --seed %d --only %d" % (seed, result.number)
        about.append(
            "without its broken flash (%s), which no scenario has: %s" % (case.flash, command)
        )
    scenario = scenario_of(
        session,
        "Campaign %d, session %d: %s" % (seed, result.number, result.outcome),
        tuple(about),
    )
    text = format_scenario(scenario, load_language())
    write_whole(path, lambda stream: stream.write(text))
    return path, command


def figures(seed: int, results: list[Result], wall_s: "float | None", jobs: int) -> dict[str, Any]:
    """Return counts and tables of these results, for docs/figures. `wall_s`: None where they come of several runs."""
    singles = [result for result in results if len(result.kinds) == 1]
    doubles = [result for result in results if len(result.kinds) > 1]
    kinds = {kind.name: Counter[str]() for kind in KINDS}
    told = {kind.name: Counter[str]() for kind in KINDS}
    for result in singles:
        kinds[result.kinds[0]][result.outcome] += 1
        told[result.kinds[0]].update(result.reasons)
    in_pairs = {kind.name: Counter[str]() for kind in KINDS}
    pairs: Counter[tuple[str, str, str]] = Counter()
    for result in doubles:
        one, two = sorted((BY_NAME[name].group for name in result.kinds), key=GROUPS.index)
        pairs[one, two, result.outcome] += 1
        for name in result.kinds:
            in_pairs[name][result.outcome] += 1
    phases = {phase: Counter[str]() for phase in ("boot", *PHASES)}
    for result in results:
        for phase in result.phases:
            phases[phase][result.outcome] += 1
    return {
        "seed": seed,
        "firmware": firmware_hash(),
        "sessions": len(results),
        "singles": len(singles),
        "doubles": len(doubles),
        "jobs": jobs,
        "wall_s": None if wall_s is None else round(wall_s),
        "cpu_s": round(sum(result.cpu_ms for result in results) / 1000),
        "simulated_h": round(sum(result.simulated_ms for result in results) / 3_600_000, 1),
        "outcomes": _counts(Counter(result.outcome for result in results)),
        "kinds": {name: _counts(counter) for name, counter in kinds.items()},
        "in_pairs": {name: _counts(counter) for name, counter in in_pairs.items()},
        "told": {name: dict(counter.most_common()) for name, counter in told.items()},
        "pairs": [[*key, count] for key, count in sorted(pairs.items())],
        "phases": {phase: _counts(counter) for phase, counter in phases.items()},
        "nuisances": [
            [*key, count]
            for key, count in sorted(
                Counter(one for result in results for one in result.nuisances).items()
            )
        ],
        "excused": dict(
            sorted(Counter(code for result in results for code in result.excused).items())
        ),
        "bad": [result.words for result in results if result.is_bad][:WRITTEN_MAX],
    }


def _counts(counter: "Counter[str]") -> dict[str, int]:
    return {name: counter[name] for name in NAMES if counter[name]}


def wall_words(found: dict[str, Any]) -> str:
    """Return how long it took."""
    if found["wall_s"] is None:
        return "several runs"
    return "%d s on %d processes" % (found["wall_s"], found["jobs"])


def summary(found: dict[str, Any]) -> str:
    """Return the figures in a few lines."""
    outcomes = found["outcomes"]
    lines = [
        "%d sessions (%d single faults, %d double ones) of %.1f simulated hours in %s, %d s of CPU, seed %d"
        % (found["sessions"], found["singles"], found["doubles"], found["simulated_h"], wall_words(found), found["cpu_s"], found["seed"]),
        ", ".join("%s %d" % (name, outcomes.get(name, 0)) for name in NAMES),
    ]  # fmt: skip
    if outcomes.get(NUISANCE):
        lines += [
            "  %d times %s: %s" % (count, kind, reason)
            for kind, reason, count in found["nuisances"]
        ]
    return "\n".join(lines)
