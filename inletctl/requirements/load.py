"""Reads docs/requirements/*.toml, takes each limit from the firmware's own tables, and finds evidence that is not there.

The files are the one place where evidence is named; the tests know nothing of it. A row:

    [[requirement]]
    id = "R-PILOT-01"                      # topic and number, never given twice
    text = "..."                           # one sentence
    source = "IEC 61851-1:2017 Tab A.8"    # as the facts have it; "ours" needs a `why`
    limit = "shutdown.pilot_e.s2_ms"       # or settings.KEY.min|max|default, or a constant: pilot.capture:QUIET_MS
    rooms = ["pilot"]                      # folders or files of firmware/
    covers = ["pilot_e"]                   # reasons of faults.SHUTDOWN
    cpython = ["test_x.py::test_y"]        # host_tests/; or a scenario that is too long for wasm32
    invariants = ["LIMIT-PILOT"]           # inletctl/prove/rules.py: in every scenario, searched
    wasm32 = ["scenario:NAME", "test_x_mpy.py::test_y"]    # the 32-bit MicroPython
    rp2040 = ["scenario:NAME", "test_emu_x.py::test_y"]    # emulated; scenarios of inletctl/emu/scenarios
    bench = ["OI-DUTY-1"]                  # inletctl/bench/requirements.toml
"""

import ast
import importlib
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from inletctl.bench.recipe import tomllib
from inletctl.errors import UserError
from inletctl.house import FIRMWARE, ROOT, SCENARIOS, use_firmware
from inletctl.prove.rules import RULES
from inletctl.scenario.load import read_scenario

use_firmware()

import faults  # noqa: E402
import setting_rows  # noqa: E402

FOLDER = ROOT / "docs" / "requirements"
TESTS = ROOT / "host_tests"
EMU_SCENARIOS = ROOT / "inletctl" / "emu" / "scenarios"
BENCH = ROOT / "inletctl" / "bench" / "requirements.toml"
ID = re.compile(r"R-[A-Z0-9]+-\d\d")
OURS = "ours"
# Standards, as the facts cite them; nothing else is a source.
STANDARDS = ("IEC 61851-1", "IEC 61851-23", "J1772", "GB/T 18487.1", "ISO 15118-3")
TARGETS = ("cpython", "wasm32", "rp2040", "bench")
_COLUMNS = {
    "current_ms": faults.ROW_CURRENT_MS,
    "wait_ms": faults.ROW_WAIT_MS,
    "s2_ms": faults.ROW_S2_MS,
    "rest_ms": faults.ROW_REST_MS,
}
_BOUNDS = {
    "min": setting_rows.ROW_MIN,
    "max": setting_rows.ROW_MAX,
    "default": setting_rows.ROW_DEFAULT,
}
# What a constant's name ends with, and its unit; the first that fits counts.
_UNITS = (
    ("_US_X10", "0.1 us"), ("_PCT_X100", "0.01 %"), ("_DECIC", "0.1 C"), ("_MS", "ms"), ("_MA", "mA"), ("_MV", "mV"),
    ("_PASSES", "passes"), ("_MAX", ""),
)  # fmt: skip
_OWN_TESTS = "test_requirements.py"
_MARKS = {"wasm32": "mpy", "rp2040": "emulator"}


@dataclass(frozen=True)
class Requirement:
    """One row."""

    id: str
    text: str
    source: str
    file: str
    why: str = ""
    limit: str = ""
    rooms: tuple[str, ...] = ()
    covers: tuple[str, ...] = ()
    cpython: tuple[str, ...] = ()
    invariants: tuple[str, ...] = ()
    wasm32: tuple[str, ...] = ()
    rp2040: tuple[str, ...] = ()
    bench: tuple[str, ...] = ()

    def evidence(self, target: str) -> tuple[str, ...]:
        """Return what shows it on a target."""
        return getattr(self, target)


@dataclass
class Topic:
    """One file: what its requirements are about."""

    name: str
    about: str
    rows: list[Requirement] = field(default_factory=list)


def read(folder: Path = FOLDER) -> list[Topic]:
    """Return every topic by its file's name. Raises UserError for a row that cannot be one."""
    topics = []
    known = set(Requirement.__dataclass_fields__) - {"file"}
    for path in sorted(folder.glob("*.toml")):
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        topic = Topic(table["title"], table["about"])
        for row in table["requirement"]:
            unknown = sorted(set(row) - known)
            if unknown:
                raise UserError(
                    "%s: %s: unknown: %s" % (path.name, row.get("id"), ", ".join(unknown))
                )
            values: dict[str, Any] = {
                key: tuple(one) if isinstance(one, list) else one for key, one in row.items()
            }
            try:
                topic.rows.append(Requirement(file=path.name, **values))
            except TypeError as error:
                raise UserError("%s: %s: %s" % (path.name, row.get("id"), error)) from None
        topics.append(topic)
    return topics


def everything(topics: "list[Topic]") -> list[Requirement]:
    """Return the requirements of all topics."""
    return [row for topic in topics for row in topic.rows]


# -------------------------------------------------------------------------------------------------------------- limits


def limit_of(row: Requirement) -> str:
    """Return a requirement's limit with its unit, from the firmware's tables; "" where it has none. UserError where it is not there."""
    if not row.limit:
        return ""
    try:
        value, unit = _looked_up(row.limit)
    except (KeyError, AttributeError, ImportError, ValueError, StopIteration):
        raise UserError("%s: the firmware has no limit %r" % (row.id, row.limit)) from None
    return ("%d %s" % (value, unit)).strip()


def _looked_up(name: str) -> tuple[int, str]:
    if ":" in name:
        module, constant = name.split(":")
        value: Any = getattr(importlib.import_module(module), constant)
        return int(value), next(unit for end, unit in _UNITS if constant.endswith(end))
    table, key, column = name.split(".")
    if table == "shutdown":
        found = next(one for one in faults.SHUTDOWN if one[faults.ROW_NAME] == key)
        return int(found[_COLUMNS[column]]), "ms"
    if table == "settings":
        found = setting_rows.find(key)
        if found is None:
            raise KeyError(key)
        unit = str(found[setting_rows.ROW_UNIT]).replace("0.1C", "0.1 C").replace("count", "")
        return int(found[_BOUNDS[column]]), unit
    raise KeyError(table)


# ------------------------------------------------------------------------------------------------------------ evidence


@cache
def tests_of(path: Path) -> dict[str, frozenset[str]]:
    """Return the tests of a file, each with the pytest marks that stand at it or at its module; read, never imported."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    module_marks: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "pytestmark":
            module_marks |= _marks(node.value)
    found = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            marks = set(module_marks)
            for decorator in node.decorator_list:
                marks |= _marks(decorator)
            found[node.name] = frozenset(marks)
        elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "").startswith(
            "Test"
        ):
            # A Hypothesis state machine: `TestAnyInlet = AnyInlet.TestCase`.
            found[str(getattr(node.targets[0], "id", ""))] = frozenset(module_marks)
    return found


def _marks(tree: ast.AST) -> set[str]:
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and getattr(node.value, "attr", "") == "mark"
    }


def problems(topics: "list[Topic]", tests: Path = TESTS) -> list[str]:
    """Return what is wrong with the requirements, a sentence each."""
    rows = everything(topics)
    found = []
    ids: set[str] = set()
    for row in rows:
        if not ID.fullmatch(row.id) or row.id in ids:
            found.append("%s: %s is no id of its own, like R-PILOT-01" % (row.file, row.id))
        ids.add(row.id)
        found += ["%s: %s" % (row.id, sentence) for sentence in _problems_of(row, tests)]
    reasons = {str(one[faults.ROW_NAME]) for one in faults.SHUTDOWN}
    covered = {reason for row in rows for reason in row.covers}
    found += ["no requirement covers the reason %s" % name for name in sorted(reasons - covered)]
    asked = {rule for row in rows for rule in row.invariants}
    found += [
        "no requirement asks for the invariant %s" % rule.id
        for rule in RULES
        if rule.id not in asked
    ]
    return found + _unknown_ids(ids, tests)


def _problems_of(row: Requirement, tests: Path) -> list[str]:
    found = []
    if not row.cpython and not row.invariants:
        found.append("no test shows it")
    if row.source == OURS:
        if not row.why:
            found.append("it is ours, and nothing says why")
    elif not any(name in row.source for name in STANDARDS):
        found.append("%r is no standard; where there is none the source is 'ours'" % row.source)
    try:
        limit_of(row)
    except UserError as error:
        found.append(str(error))
    return found + _unknown_names(row) + _missing_evidence(row, tests)


def _unknown_names(row: Requirement) -> list[str]:
    found = [
        "there is no room %s" % room
        for room in row.rooms
        if not (FIRMWARE / room).is_dir() and not (FIRMWARE / (room + ".py")).exists()
    ]
    if not row.rooms:
        found.append("it names no room")
    for what, given, known in (
        ("reason", row.covers, {str(one[faults.ROW_NAME]) for one in faults.SHUTDOWN}),
        ("invariant", row.invariants, {rule.id for rule in RULES}),
        ("bench requirement", row.bench, set(tomllib.loads(BENCH.read_text(encoding="utf-8")))),
    ):
        found += ["there is no %s %s" % (what, name) for name in given if name not in known]
    return found


def _missing_evidence(row: Requirement, tests: Path) -> list[str]:
    sentences = [
        _missing(one, target, tests)
        for target in ("cpython", "wasm32", "rp2040")
        for one in row.evidence(target)
    ]
    return [sentence for sentence in sentences if sentence]


def _missing(node: str, target: str, tests: Path) -> str:
    """Return why a piece of evidence is none, or ""."""
    if node.startswith("scenario:"):
        name = node.partition(":")[2]
        path = (EMU_SCENARIOS if target == "rp2040" else SCENARIOS) / (name + ".txt")
        if not path.exists():
            return "there is no scenario %s" % name
        if target == "wasm32" and read_scenario(path).end_us > parity_us(tests):
            return "the scenario %s is too long to be run on MicroPython" % name
        return ""
    file, _, test = node.partition("::")
    path = tests / file
    if not path.exists() or test not in tests_of(path):
        return "there is no test %s" % node
    mark = _MARKS.get(target)
    if mark and mark not in tests_of(path)[test]:
        return "%s does not run there: it has no mark %r" % (node, mark)
    return ""


@cache
def parity_us(tests: Path) -> int:
    """Return how long a scenario may be that test_parity.py runs on CPython and on the 32-bit MicroPython alike."""
    tree = ast.parse((tests / "test_parity.py").read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "_MPY_SECONDS":
            return int(ast.literal_eval(node.value)) * 1_000_000
    raise UserError(
        "test_parity.py does not say any more how long a scenario it runs on MicroPython"
    )


def _unknown_ids(known: set[str], tests: Path) -> list[str]:
    """Return every id that a test speaks of and no requirement has; the requirements' own tests speak of wrong ones."""
    found = []
    for path in sorted(tests.glob("*.py")):
        if path.name == _OWN_TESTS:
            continue
        for one in sorted(set(ID.findall(path.read_text(encoding="utf-8"))) - known):
            found.append("%s speaks of %s, and there is no such requirement" % (path.name, one))
    return found
