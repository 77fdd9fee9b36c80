"""A recipe: a TOML file of sweeps and cases, read whole or refused whole, and turned into blocks.

A sweep sets one quantity to many values; a case is a scenario in the language of inletctl/scenario, written in the
recipe or in a file of its own. Every error is one sentence: file, table, what is wrong.
"""

import hashlib
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

from inletctl.bench import limits
from inletctl.bench.channels import needs_of
from inletctl.bench.model import Block, Step, Stimulus
from inletctl.bench.sweeps import KINDS, Sweep, sweep_block
from inletctl.errors import UserError
from inletctl.house import SCENARIOS
from inletctl.scenario.field import unknown
from inletctl.scenario.language import load_language
from inletctl.scenario.load import read_scenario
from inletctl.scenario.model import ALWAYS, END, NEVER, Expectation, Scenario
from inletctl.scenario.parse import parse_scenario
from inletctl.scenario.units import show_time

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # type: ignore[import-not-found]

SHIPPED = Path(__file__).resolve().parent / "recipes"
REQUIREMENTS = Path(__file__).resolve().parent / "requirements.toml"
MAX_BYTES = 1_000_000
_SWEEP_KEYS = {
    "id": str, "title": str, "kind": str, "inlet": str, "from": float, "to": float, "step": float, "values": list,
    "dense": list, "width": float, "fine": float, "order": str, "settle_s": float, "charging": bool,
    "requirements": list, "settings": dict, "world": dict,
}  # fmt: skip
_CASE_KEYS = {
    "id": str, "title": str, "requirements": list, "text": str, "file": str, "stop": list,
}  # fmt: skip
_STOP_KEYS = {"after": str, "nth": int, "reason": str}
_HEAD_KEYS = {"name": str, "about": str, "seed": int, "inlet": str}
_KIND_WORDS = {
    str: "text", float: "a number", int: "a whole number", bool: "true or false", list: "a list",
    dict: "a table",
}  # fmt: skip
MAX_SEED = 2**32 - 1


@dataclass(frozen=True)
class Recipe:
    """One recipe as read. `sha256` is over the file and every scenario file it names."""

    path: str
    name: str
    about: str
    seed: int
    sha256: str
    sweeps: tuple[Sweep, ...] = ()
    cases: tuple["Case", ...] = ()


@dataclass(frozen=True)
class Case:
    """A scenario, the requirements it stands for, and the stops that are timed."""

    id: str
    title: str
    requirements: tuple[str, ...]
    scenario: Scenario
    stops: tuple[tuple[int, str, str], ...] = ()  # (t_us of the cause, reason, words)


def find_recipe(name: str) -> Path:
    """Return the file of a recipe given as a path or as the name of a shipped one."""
    path = Path(name)
    shipped = SHIPPED / (name + ".toml")
    return shipped if shipped.exists() and not path.exists() else path


def read_recipe(path: "str | Path", seed: "int | None" = None) -> Recipe:
    """Read a recipe file; `seed` instead of its own. Raises UserError with one sentence where anything is wrong."""
    name = str(path)
    try:
        with open(path, "rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UserError("%s: cannot be read: %s" % (name, reason)) from None
    if len(data) > MAX_BYTES:
        raise UserError("%s: is larger than 1 MB; a recipe is a short text" % name)
    try:
        tables = tomllib.loads(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UserError("%s:%d: is not UTF-8 text" % (name, line)) from None
    except tomllib.TOMLDecodeError as error:
        raise UserError("%s: is not TOML: %s" % (name, error)) from None
    return _Reader(name, Path(path).parent, hashlib.sha256(data)).read(tables, seed)


def requirements() -> dict[str, dict[str, str]]:
    """Return requirement id -> {text, clause}."""
    return tomllib.loads(REQUIREMENTS.read_text(encoding="utf-8"))


def blocks(recipe: Recipe) -> list[Block]:
    """Return what the recipe makes the board go through, in the order of its file."""
    return [sweep_block(sweep, recipe.seed) for sweep in recipe.sweeps] + [
        case_block(case, recipe.seed) for case in recipe.cases
    ]


def case_block(case: Case, seed: int) -> Block:
    """Return the block of a case: a step for each of its expectations, and two for each timed stop."""
    scenario = replace(case.scenario, seed=seed)
    steps = [
        _expectation_step(case, scenario, number, expectation)
        for number, expectation in enumerate(scenario.expectations, 1)
    ]
    for number, (t_us, reason, words) in enumerate(case.stops, 1):
        steps += _stop_steps(case, scenario, number, t_us, reason, words)
    stimuli = tuple(
        Stimulus(action.t_us, action.verb, dict(action.values), action.words)
        for action in scenario.actions
    )
    return Block(
        id=case.id,
        title=case.title,
        inlet=scenario.inlet,
        settings=dict(scenario.settings),
        world=dict(scenario.world),
        stimuli=stimuli,
        steps=tuple(steps),
        end_us=scenario.end_us,
        scenario=scenario,
        needs=needs_of(stimuli),
    )


def _expectation_step(
    case: Case, scenario: Scenario, number: int, expectation: Expectation
) -> Step:
    is_whole = expectation.form in (ALWAYS, NEVER)
    start_us = 0 if is_whole else expectation.t_us
    until_us = scenario.end_us if is_whole else start_us + expectation.span_us
    if expectation.form == END:
        start_us = until_us = scenario.end_us
    when = "" if is_whole or expectation.form == END else " from %s" % show_time(start_us)
    return Step(
        id="%s/%d" % (case.id, number),
        what="expect",
        set_value=None,
        unit="",
        t_us=start_us,
        until_us=until_us,
        words=expectation.text + when,
        requirements=case.requirements,
        extra={"expectation": number - 1},
    )


def _stop_steps(
    case: Case, scenario: Scenario, number: int, t_us: int, reason: str, words: str
) -> list[Step]:
    stop = limits.stops()[reason]
    made = []
    for part, limit_ms, text in (
        ("current", stop.current_ms, "command 0"),
        ("s2", stop.s2_ms, "S2 open"),
    ):
        made.append(
            Step(
                id="%s/%s-%d-%s" % (case.id, reason, number, part),
                what="latency",
                set_value=None,
                unit="ms",
                t_us=t_us,
                until_us=min(t_us + limit_ms * 1000 + 2_000_000, scenario.end_us),
                expected=0.0,
                tolerance=float(limit_ms),
                words="%s within %d ms of `%s`, reason %s" % (text, limit_ms, words, reason),
                requirements=case.requirements,
                extra={"cause": reason, "part": part},
            )
        )
    return made


class _Reader:
    def __init__(self, name: str, folder: Path, digest: Any):
        self.name = name
        self.folder = folder
        self.digest = digest
        self.where = ""
        self.ids: set[str] = set()
        self.known = requirements()

    def fail(self, sentence: str) -> NoReturn:
        where = "%s: %s" % (self.name, self.where) if self.where else self.name
        raise UserError("%s: %s" % (where, sentence))

    def read(self, tables: dict[str, Any], seed: "int | None") -> Recipe:
        for key in tables:
            if key not in ("recipe", "sweep", "case"):
                self.fail(unknown("table", key, ("recipe", "sweep", "case")))
        self.where = "[recipe]"
        head = tables.get("recipe")
        if not isinstance(head, dict):
            self.fail("there is no [recipe] table; it holds at least a name")
        self.check(head, _HEAD_KEYS, ("name",))
        inlet = self.inlet(head.get("inlet", "type2"))
        used_seed = head.get("seed", 1) if seed is None else seed
        if not 0 <= used_seed <= MAX_SEED:
            self.fail("seed %d is outside 0..%d" % (used_seed, MAX_SEED))
        sweeps = [self.sweep(table, inlet) for table in self.tables(tables, "sweep")]
        cases = [self.case(table) for table in self.tables(tables, "case")]
        self.where = ""
        if not sweeps and not cases:
            self.fail("there is no [[sweep]] and no [[case]] in it, so nothing would be proven")
        return Recipe(
            self.name,
            head["name"],
            head.get("about", ""),
            used_seed,
            self.digest.hexdigest(),
            tuple(sweeps),
            tuple(cases),
        )

    def tables(self, tables: dict[str, Any], key: str) -> list[dict[str, Any]]:
        found = tables.get(key, [])
        self.where = ""
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            self.fail("%s is written [[%s]], once for each" % (key, key))
        for number, table in enumerate(found, 1):
            self.where = "[[%s]] %d" % (key, number)
            if isinstance(table.get("id"), str) and table["id"].isprintable():
                self.where = "%s '%s'" % (key, table["id"][:40])
            own = table.get("id")
            if isinstance(own, str) and own in self.ids:
                self.fail("the id stands for two of them; give each its own")
            self.ids.add(str(own))
        return found

    def check(self, table: dict[str, Any], keys: dict[str, type], needed: tuple[str, ...]) -> None:
        for key, value in table.items():
            if key not in keys:
                self.fail(unknown("key", key, keys))
            kind = keys[key]
            is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
            right = is_number if kind is float else isinstance(value, kind)
            if kind is int and isinstance(value, bool):
                right = False
            if not right:
                self.fail("%s is %s, not %r" % (key, _KIND_WORDS[kind], value))
        for key in needed:
            if key not in table:
                self.fail("%s is missing" % key)
        for key in ("id", "title", "name", "about"):
            text = table.get(key, "")
            if isinstance(text, str) and not text.isprintable():
                self.fail("%s has a control character in it" % key)
        if "id" in table and (not table["id"] or not set(table["id"]) <= _ID_SIGNS):
            self.fail("an id is made of a..z, 0..9 and -, not %r" % table["id"])

    def inlet(self, word: str) -> str:
        if word not in limits.FAMILY_OF_INLET:
            self.fail(unknown("inlet", word, limits.FAMILY_OF_INLET))
        return word

    def requirement_ids(self, table: dict[str, Any]) -> tuple[str, ...]:
        ids = table["requirements"]
        if not ids:
            self.fail("requirements: name at least one id of requirements.toml")
        for one in ids:
            if one not in self.known:
                self.fail(unknown("requirement", str(one), self.known))
        return tuple(ids)

    def sweep(self, table: dict[str, Any], inlet: str) -> Sweep:
        self.where = "sweep '%s'" % str(table.get("id", ""))[:40]
        self.check(table, _SWEEP_KEYS, ("id", "kind", "requirements"))
        kind = table["kind"]
        if kind not in KINDS:
            self.fail(unknown("kind", kind, KINDS))
        try:
            return Sweep.of(
                table,
                self.inlet(table.get("inlet", inlet)),
                self.requirement_ids(table),
                self.fields("setting", load_language().settings, table.get("settings", {})),
                self.fields("world key", load_language().world, table.get("world", {})),
            )
        except ValueError as error:
            self.fail(str(error))

    def fields(self, what: str, fields: Any, table: dict[str, Any]) -> dict[str, Any]:
        values = {}
        for key, value in table.items():
            if key not in fields or key == "inlet":
                self.fail(unknown(what, key, [name for name in fields if name != "inlet"]))
            text = value if isinstance(value, str) else repr(value)
            try:
                values[key] = fields[key].take(text)
            except ValueError as error:
                self.fail("%s %s %s" % (what, key, error))
        return values

    def case(self, table: dict[str, Any]) -> Case:
        self.where = "case '%s'" % str(table.get("id", ""))[:40]
        self.check(table, _CASE_KEYS, ("id", "requirements"))
        if ("text" in table) == ("file" in table):
            self.fail("give either its text or its file")
        if "text" in table:
            scenario = parse_scenario(table["text"], "%s: %s" % (self.name, self.where))
        else:
            scenario = self.scenario_file(table["file"])
        return Case(
            table["id"],
            table.get("title", scenario.title),
            self.requirement_ids(table),
            scenario,
            tuple(self.stop(scenario, one) for one in table.get("stop", [])),
        )

    def scenario_file(self, name: str) -> Scenario:
        path = self.folder / name
        if not path.exists():
            path = SCENARIOS / (name + ".txt")
        if not path.exists():
            self.fail(
                "there is no scenario file '%s' beside the recipe, and none shipped of that name"
                % name
            )
        scenario = read_scenario(path)
        self.digest.update(path.read_bytes())
        return scenario

    def stop(self, scenario: Scenario, table: Any) -> tuple[int, str, str]:
        if not isinstance(table, dict):
            self.fail('stop is written [[case.stop]] with after = "verb" and reason = "name"')
        self.check(table, _STOP_KEYS, ("after", "reason"))
        if table["reason"] not in limits.stops():
            self.fail(unknown("reason", table["reason"], limits.stops()))
        nth = table.get("nth", 1)
        found = [action for action in scenario.actions if action.verb == table["after"]]
        if not 1 <= nth <= len(found):
            self.fail(
                "stop: `%s` stands %d times in the scenario, so not %d times"
                % (table["after"], len(found), nth)
            )
        action = found[nth - 1]
        return action.t_us, table["reason"], action.words


_ID_SIGNS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")
