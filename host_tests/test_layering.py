"""Who may import whom (architecture, section 3), and what the hot path must not contain. Reads, never imports."""

import ast

import pytest

from inletctl.house import FIRMWARE, firmware_files

# First part of the module name -> what it may import, itself apart. `signals` is data: anyone may.
_ROOM = {"ticks", "faults", "array", "micropython"}
MAY_IMPORT = {
    "ticks": {"micropython", "time"},
    "faults": {"micropython"},
    # The table is loaded when it is needed.
    "settings": {"setting_rows"},
    "setting_rows": {"settings", "micropython"},
    "modules": {"sys"},
    "signals": {"array", "micropython"},
    "pilot": _ROOM,
    "lock": _ROOM,
    "thermal": _ROOM,
    "charger": {"array", "faults", "ticks", "micropython"},
    "connector": {"micropython"},
    "inputs": set(),
    "limits": {"micropython"},
    "latches": {"faults"},
    "handoff": {"faults", "ticks", "micropython"},
    "unlock": {"ticks", "micropython"},
    "release": {"faults", "ticks", "micropython"},
    "interlock": {
        "charger", "connector", "faults", "handoff", "inputs", "latches", "limits", "release",
        "ticks", "micropython",
    },
    "service": {"release", "ticks", "micropython"},
    "vehicle": {
        "ticks", "faults", "settings", "setting_rows", "modules", "micropython", "array", "struct", "json", "gc",
    },
    "journal": {"ticks", "faults", "settings", "modules", "micropython", "array", "struct", "json", "os", "gc", "sys"},
    "ports": {"ticks", "faults", "settings", "micropython", "array", "struct", "json", "os"},
    # Composes the rooms. Settings: its builders fall back to the defaults.
    "step": {
        "release", "pilot", "lock", "thermal", "interlock", "service", "vehicle", "faults", "ticks",
        "settings", "connector", "inputs", "unlock", "micropython",
    },
    "drivers": {
        "machine", "rp2", "esp32", "array", "struct", "micropython", "ticks", "gc", "sys", "json",
        "uctypes", "virtual_link", "binascii", "errno", "os", "select", "time",
        "vfs", "modules",
    },
    "boot": {"sys", "drivers"},
}  # fmt: skip
HARDWARE = {"machine", "rp2", "esp32"}
MAY_TOUCH_HARDWARE = {"drivers", "boot", "main"}
# Below vehicle/ and inletctl/: integers only, no assert to vanish at -O1.
LOGIC = (
    "pilot", "lock", "thermal", "interlock", "service", "faults", "settings", "setting_rows", "step", "signals", "ticks",
    "charger", "connector", "handoff", "inputs", "latches", "limits", "release", "unlock",
    "ports", "journal",
)  # fmt: skip
FILES = firmware_files()
LINES_MAX = 500


def room_of(path):
    return path.relative_to(FIRMWARE).parts[0].removesuffix(".py")


def id_of(path):
    return path.relative_to(FIRMWARE).as_posix()


def tree_of(path):
    return ast.parse(path.read_text(encoding="utf-8"), id_of(path))


def imports_of(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            yield node.module.split(".")[0]


def test_there_is_something_to_read():
    assert {"boot", "main", "step", "interlock", "pilot", "lock", "thermal", "drivers"} <= {
        room_of(path) for path in FILES
    }
    assert len(FILES) >= 20


@pytest.mark.parametrize("path", FILES, ids=id_of)
def test_file_imports_only_what_its_room_may(path):
    room = room_of(path)
    found = set(imports_of(tree_of(path))) - {room, "signals"}
    if room != "main":
        assert room in MAY_IMPORT, "a new room needs its row in architecture section 3"
        assert found <= MAY_IMPORT[room]
    assert "main" not in found, "nobody imports main"
    assert room in MAY_TOUCH_HARDWARE or not found & HARDWARE


@pytest.mark.parametrize("path", FILES, ids=id_of)
def test_const_is_imported_by_name(path):
    """`micropython.const(1)` is not a constant at all."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            assert node.func.attr != "const"


@pytest.mark.parametrize("path", FILES, ids=id_of)
def test_no_failure_is_swallowed(path):
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, "line %d: bare except" % node.lineno
            assert not all(isinstance(step, ast.Pass) for step in node.body), node.lineno


@pytest.mark.parametrize("path", FILES, ids=id_of)
def test_only_main_catches_every_exception(path):
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ExceptHandler) and isinstance(node.type, ast.Name):
            broad = node.type.id in ("Exception", "BaseException")
            assert not broad or room_of(path) == "main", node.lineno


@pytest.mark.parametrize("path", [p for p in FILES if room_of(p) in LOGIC], ids=id_of)
def test_logic_has_no_float_no_division_and_no_assert(path):
    for node in ast.walk(tree_of(path)):
        line = "line %d" % getattr(node, "lineno", 0)
        assert not (isinstance(node, ast.Constant) and isinstance(node.value, float | complex)), (
            line
        )
        assert not (
            isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div)
        ), line
        assert not isinstance(node, ast.Assert), line
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in ("float", "round", "print", "open", "eval", "exec"), line


@pytest.mark.parametrize("path", [p for p in FILES if room_of(p) in LOGIC], ids=id_of)
def test_logic_compares_ticks_only_by_ticks_diff(path):
    """`now_ms - since_ms` and `now_ms > deadline_ms` break at the wrap."""

    def is_tick(node):
        name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
        return name == "now_ms" or name.endswith(("_since_ms", "entered_ms", "deadline_ms"))

    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.BinOp):
            assert not (is_tick(node.left) or is_tick(node.right)), node.lineno
        elif isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            assert not any(is_tick(side) for side in sides), node.lineno


@pytest.mark.parametrize("path", FILES, ids=id_of)
def test_file_says_what_it_decides_and_stays_short(path):
    assert ast.get_docstring(tree_of(path)), "no module docstring"
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LINES_MAX


@pytest.mark.parametrize("path", FILES, ids=id_of)
def test_file_parses_as_what_the_board_knows(path):
    """MicroPython's grammar is near that of Python 3.8: no match, no except*, no positional-only."""
    ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 8))
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.arguments):
            assert not node.posonlyargs


def test_a_breach_would_be_found():
    """The walk really sees what it forbids."""
    tree = ast.parse("import machine\nfrom main import run\nfrom pilot.duty import IEC\n")
    assert list(imports_of(tree)) == ["machine", "main", "pilot"]
