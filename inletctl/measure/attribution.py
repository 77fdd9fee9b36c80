"""How often the verdict is right: simulated failures with a known cause, at random instants, between healthy sessions.

`python -m inletctl.measure.attribution --count 2000 --seed 1 --jobs 2 --keep FILE`; what FILE has is not run again. Each case is up to five whole sessions, each in a
world of its own with a station of its own; one journal.verdict.Verdict sees them all. What must come out is in failures.py.
"""

import json
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import click

from inletctl.errors import UserError
from inletctl.house import firmware_hash, use_firmware
from inletctl.measure.failures import (
    CAUSES,
    CHARGING,
    NOT_KNOWN,
    START,
    WITH_PLUG,
    Cause,
    Fault,
    Station,
    are_apart,
    draw_station,
)
from inletctl.report.files import write_whole
from inletctl.scenario.model import Action, Scenario
from inletctl.session import TICKS_MASK, Session
from inletctl.targets import cpython

use_firmware()

from journal.blame import RULES, VERDICT_NAMES  # noqa: E402
from journal.outcomes import EMPTY, GOOD, O_CODE, O_VERDICT, Outcomes  # noqa: E402
from journal.verdict import Verdict  # noqa: E402
from settings import INLETS, Settings  # noqa: E402

LIMIT_RIGHT_PCT = 95.0
LIMIT_WRONG_PCT = 1.0
_PLUG_S = 2.0
_HEALTHY_S = 72.0
_LEAVE_S = 12.0  # from asking for the cable to the end
_HOT = "hot contact"


@dataclass(frozen=True)
class Result:
    """One case: what was wrong, what should be said, what was said."""

    number: int
    cause: str
    pattern: str
    inlet: str
    answer: int
    verdict: int
    code: int

    @property
    def kind(self) -> str:
        """Return right, not known or wrong."""
        if self.verdict == self.answer:
            return "right"
        return "not known" if self.verdict == NOT_KNOWN else "wrong"


class Case:
    """One drawing: a cause, its stations, and the sessions before and after."""

    def __init__(self, seed: int, number: int, cause: "Cause | None" = None):
        self.number = number
        self.dice = dice = random.Random("attribution %d %d" % (seed, number))
        self.cause = cause = cause or CAUSES[number % len(CAUSES)]
        self.inlet = dice.choice(
            [n for n in ("type2", "type2", "type1", "gbt") if n in cause.inlets]
        )
        self.is_hot = _HOT in cause.name
        self.has_sense = cause.needs_sense or dice.random() < 0.7
        self.here = self._station()
        self.fault = cause.make(dice)
        self.others = [self._station(), self._station()]
        self.before = 0 if self.is_hot else dice.choice((0, 0, 1, 2))
        self.pattern = self._pattern()
        self.verdict = Verdict(self._settings(), Outcomes())
        self.now_ms = dice.randrange(1 << 30)
        self.said: list[tuple[int, int]] = []
        self._serial = 0

    def _station(self) -> Station:
        station = draw_station(self.dice, self.inlet)
        # Heat shows at a current worth the name, and a cable that carries it.
        return replace(station, offer_a=32, cable_a=32) if self.is_hot else station

    def _pattern(self) -> str:
        cause = self.cause
        if cause.where in ("vehicle", "person"):
            return "alone"
        is_open = cause.alone != cause.after or cause.blind is not None
        if self.dice.random() < (0.2 if is_open else 0.8):
            return "alone"
        if cause.where == "inlet":
            return "fails at others"
        return "again here" if self.dice.random() < 0.15 else "works elsewhere"

    def _settings(self) -> Settings:
        return Settings(self._wanted())

    def _wanted(self) -> dict[str, int]:
        wanted = {"inlet": INLETS.index(self.inlet), "ac_sense": int(self.has_sense)}
        wanted.update(self.fault.settings)
        return wanted

    @property
    def answer(self) -> int:
        """Return what a technician could know, by failures.py."""
        cause = self.cause
        alone = cause.alone
        if cause.blind is not None and not self.has_sense:
            alone = cause.blind
        if alone == cause.after or self.pattern in ("alone", "again here"):
            return alone
        others = self.others if self.pattern == "fails at others" else self.others[:1]
        for other in others:
            if are_apart(self.here, other, self.inlet, cause.hides):
                return cause.after
        # Two others that are apart from each other say as much, where they fail alike.
        return alone

    def run(self) -> Result:
        """Run every session; return what came of it."""
        for _n in range(self.before):
            self._session(self._station(), None)
        outcomes = self.verdict.outcomes
        self.said = []
        count = outcomes.count
        self._session(self.here, self.cause.onset)
        said = list(self.said)
        is_remembered = outcomes.count > count
        count = outcomes.count
        if self.pattern == "works elsewhere":
            self._session(self.others[0], None)
        elif self.pattern == "again here":
            self._session(self._drifted(self.here), None)
        elif self.pattern == "fails at others":
            for other in self.others:
                self._session(other, START)
        verdict, code = said[0] if said else (NOT_KNOWN, 0)
        if is_remembered:
            index = outcomes.count - count
            held = outcomes.field(index, O_VERDICT)
            if held not in (GOOD, EMPTY):
                verdict, code = held, outcomes.field(index, O_CODE)
        return Result(
            self.number, self.cause.name, self.pattern, self.inlet, self.answer, verdict, code
        )

    def _drifted(self, station: Station) -> Station:
        dice = self.dice
        return replace(
            station,
            hz=station.hz * (1 + dice.uniform(-2e-4, 2e-4)),
            high_v=station.high_v + dice.uniform(-0.05, 0.05),
        )

    def _session(self, station: Station, onset: "str | None") -> None:
        """Run one session at `station`; with the fault from `onset` on, None: without."""
        dice = self.dice
        has_fault = onset is not None
        fault = self.fault if has_fault else Fault()
        plug_s = _PLUG_S + dice.random()
        timeline: list[tuple[float, str, dict[str, Any]]] = []
        world = {**station.world(), **self._world(dice), **fault.world}
        if not self.has_sense:
            timeline.append((0.0, "ac_sense", {"state": "dead"}))
        touching = "all"
        if self.cause.name == "plug half in" and has_fault:
            touching = dice.choice(("pp", "cp"))
        timeline.append((plug_s, "plug", {"touching": touching}))
        leave_s = plug_s + (_HEALTHY_S if not self.is_hot else 680) + dice.uniform(0, 10)
        if has_fault:
            at_s = {
                START: 0.5,
                WITH_PLUG: plug_s + 0.001,
                CHARGING: plug_s + dice.uniform(9, 30),
            }[onset or START]
            for verb, values in fault.verbs:
                timeline.append((at_s, verb, values))
            leave_s = max(at_s, plug_s) + fault.lasts_s
            if fault.recovers is not None:
                after_s, (verb, values) = fault.recovers
                timeline.append((at_s + after_s, verb, values))
        if dice.random() < 0.25:
            # What a contactor does to a pilot; no failure.
            burst = {"samples": 6, "window": 250, "kind": "mixed"}
            timeline.append((plug_s + dice.uniform(2, 30), "noise_burst", burst))
        timeline.append((leave_s, "unlock", {"hold": 1500}))
        timeline.append((leave_s + 4, "unplug", {"patience": 7000}))
        self._play(timeline, world, leave_s + _LEAVE_S)
        # Whatever held it, the plug is out before the next one is in.
        self._play([], {}, 0.3)

    def _world(self, dice: random.Random) -> dict[str, Any]:
        return {
            "inlet": self.inlet,
            "ambient_c": dice.randint(-5, 35) if self.cause.name != "lock frozen" else -10,
            "evse_pwm_start_ms": dice.randint(100, 2500),
            "evse_close_ms": dice.randint(100, 1500),
            "charger_up_a_s": dice.choice((5, 10, 30)),
            "charger_max_a": dice.choice((16, 32)) if not self.is_hot else 32,
            "lock_travel_ms": dice.randint(150, 400),
            "evse_jitter_us": dice.choice((0, 0, 0, 0.4)),
            "cp_noise_mv": dice.choice((0, 0, 0, 60)),
            "can": "native" if self.fault.settings.get("can") else "none",
        }

    def _play(self, timeline: list[Any], world: dict[str, Any], end_s: float) -> None:
        timeline = sorted(timeline, key=lambda row: row[0])
        actions = tuple(
            Action(round(at_s * 1e6), verb, tuple(values.items()), verb)
            for at_s, verb, values in timeline
        )
        scenario = Scenario(
            "attribution",
            self.cause.name,
            (),
            self.inlet,
            self.dice.randrange(1 << 30),
            self._wanted(),
            {"inlet": self.inlet, **world},
            actions,
            round(end_s * 1e6),
        )
        verdict = self.verdict
        began_ms = self.now_ms

        def watch(t_us: int, r: Any, c: Any, _world: Any) -> None:
            verdict.tick((began_ms + t_us // 1000) & TICKS_MASK, r, c)
            if verdict.serial != self._serial:
                self._serial = verdict.serial
                self.said.append((verdict.verdict, verdict.code))

        session = Session(scenario, watch=watch)
        cpython.run(session)
        # The car drives, or the night goes by.
        self.now_ms = (began_ms + session.t_us // 1000 + self.dice.randrange(600_000)) & TICKS_MASK


def _one(task: tuple[int, int]) -> Result:
    return Case(*task).run()


def campaign(
    count: int, seed: int, jobs: int, done: "dict[int, Result] | None" = None
) -> Iterator[Result]:
    """Yield the result of each case, first those `done` by number, the others in order.

    The causes take turns; everything else is drawn from seed and number.
    """
    done = done or {}
    yield from (result for number, result in sorted(done.items()) if number < count)
    tasks = [(seed, number) for number in range(count) if number not in done]
    if jobs <= 1:
        yield from map(_one, tasks)
        return
    with get_context("spawn").Pool(jobs) as pool:
        yield from pool.imap(_one, tasks, chunksize=4)


def kept(path: Path, seed: int) -> dict[int, Result]:
    """Return the results in `path` by number, none where there is no such file. Raises UserError for those of something else."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    try:
        head = json.loads(lines[0]) if lines else {}
        # The last line may have been cut.
        results = [Result(**json.loads(line)) for line in lines[1:] if line.endswith("}")]
    except (ValueError, TypeError) as error:
        raise UserError(
            "%s holds no results of this campaign (%s): name another file." % (path, error)
        ) from None
    if head != _head(seed):
        raise UserError(
            "%s is of seed %s and firmware %s, not of seed %d and firmware %s: name another file."
            % (path, head.get("seed"), head.get("firmware"), seed, firmware_hash())
        )
    return {result.number: result for result in results}


def _head(seed: int) -> dict[str, Any]:
    return {"seed": seed, "firmware": firmware_hash()}


class Keeper:
    """Writes each result as it comes, so that a campaign that is ended goes on where it was."""

    def __init__(self, path: "Path | None", seed: int):
        self._path = path
        self.done = {} if path is None else kept(path, seed)
        if path is not None:
            # Whole lines only.
            lines = [_head(seed), *map(asdict, self.done.values())]
            write_whole(path, lambda stream: stream.writelines(map(_line, lines)))

    def keep(self, result: Result) -> None:
        """Write one result that is not there yet."""
        if self._path is not None and result.number not in self.done:
            with open(self._path, "a", encoding="utf-8") as stream:
                stream.write(_line(asdict(result)))


def _line(values: dict[str, Any]) -> str:
    return json.dumps(values) + "\n"


def figures(results: list[Result]) -> dict[str, Any]:
    """Return shares and tables of these results."""
    kinds = Counter(result.kind for result in results)
    known = [result for result in results if result.answer != NOT_KNOWN]
    causes: dict[str, Counter[str]] = {}
    for result in results:
        causes.setdefault(result.cause, Counter())[result.kind] += 1
    confusion = Counter((result.answer, result.verdict) for result in results)
    count = max(len(results), 1)
    return {
        "count": len(results),
        "right_pct": round(100 * kinds["right"] / count, 2),
        "not_known_pct": round(100 * kinds["not known"] / count, 2),
        "wrong_pct": round(100 * kinds["wrong"] / count, 2),
        "answer_is_not_known": len(results) - len(known),
        "right_of_known_pct": round(
            100 * sum(result.kind == "right" for result in known) / max(len(known), 1), 2
        ),
        "causes": {name: dict(kinds) for name, kinds in causes.items()},
        "confusion": {
            VERDICT_NAMES[answer]: {
                VERDICT_NAMES[said]: confusion[answer, said] for said in range(len(VERDICT_NAMES))
            }
            for answer in range(len(VERDICT_NAMES))
        },
    }


def rule_name(code: int) -> str:
    """Return the name of a rule by its code, as the tables have it."""
    return next((str(row[9]) for row in RULES if row[0] == code), "across sessions %d" % code)


def told(result: Result) -> str:
    """Return one case as text."""
    return "case %d: %s (%s, %s): answer %s, said %s by %s" % (
        result.number, result.cause, result.inlet, result.pattern,
        VERDICT_NAMES[result.answer], VERDICT_NAMES[result.verdict], rule_name(result.code),
    )  # fmt: skip


def words(found: dict[str, Any], results: list[Result], seed: int) -> str:
    """Return the figures as text."""
    lines = ["%-34s %6s %9s %6s" % ("cause", "right", "not known", "wrong")]
    for name, kinds in found["causes"].items():
        lines.append(
            "%-34s %6d %9d %6d"
            % (name, kinds.get("right", 0), kinds.get("not known", 0), kinds.get("wrong", 0))
        )
    lines.append("")
    lines.append("%-18s" % "answer \\ verdict" + " ".join("%17s" % name for name in VERDICT_NAMES))
    for answer, row in found["confusion"].items():
        lines.append("%-18s" % answer + " ".join("%17d" % row[name] for name in VERDICT_NAMES))
    lines.append("")
    lines += [told(result) for result in results if result.kind != "right"]
    lines.append(
        "seed %d, %d failures: right %.2f %%, not known %.2f %%, wrong %.2f %%; the answer is \"not known\" in %d; of the"
        " others right %.2f %%"
        % (
            seed, found["count"], found["right_pct"], found["not_known_pct"], found["wrong_pct"],
            found["answer_is_not_known"], found["right_of_known_pct"],
        )
    )  # fmt: skip
    return "\n".join(lines)


@click.command("attribution")
@click.option("--count", type=click.IntRange(1), default=2000, show_default=True, help="failures")
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--jobs", type=click.IntRange(1), default=2, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), help="file for the figures as JSON")
@click.option("--keep", type=click.Path(path_type=Path), help="file of results, to go on from")
def attribution(count: int, seed: int, jobs: int, out: "Path | None", keep: "Path | None") -> None:
    """Say of simulated failures with a known cause whose fault they were, and how often that is right."""
    began = time.monotonic()
    results: list[Result] = []
    try:
        keeper = Keeper(keep, seed)
    except UserError as error:
        click.echo(str(error), err=True)
        sys.exit(error.exit_status)
    for result in campaign(count, seed, jobs, keeper.done):
        keeper.keep(result)
        results.append(result)
        if result.kind == "wrong":
            click.echo(told(result), err=True)
        if len(results) % 100 == 0:
            took_s = time.monotonic() - began
            click.echo("%d of %d after %.0f s" % (len(results), count, took_s), err=True)
    found = figures(results)
    click.echo(words(found, results, seed))
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps({**_head(seed), **found}, indent=1) + "\n", encoding="utf-8")
    if found["right_pct"] < LIMIT_RIGHT_PCT or found["wrong_pct"] > LIMIT_WRONG_PCT:
        click.echo(
            "the verdict is right in %.2f %% (at least %.0f) and wrong in %.2f %% (at most %.0f): look at the cases above"
            % (found["right_pct"], LIMIT_RIGHT_PCT, found["wrong_pct"], LIMIT_WRONG_PCT),
            err=True,
        )
        sys.exit(1)


if __name__ == "__main__":
    attribution()
