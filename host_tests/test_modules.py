"""What a board forgets: how its objects were made, and nothing that it makes again."""

import ast
import sys

import pytest
from mpy_run import run_script

import modules
from inletctl.house import FIRMWARE, firmware_files

# Who makes objects beside an `__init__`, and is done when `modules.forget_making` is called: at boot, or in the step of
# loading before it. Whoever else makes one needs its module in modules.MADE_AGAIN.
MAKERS = {
    "drivers/board_checked": {"_made"},
    "drivers/board_file": {"load", "_pin"},
    "drivers/board_spi": {"check_spi"},
    "drivers/chip_board": {"_input", "_output", "_make_lines", "port_store"},
    "drivers/dead_man": {"make_dead_man"},
    "drivers/edge_capture": {"make_capture"},
    "drivers/esp32_board": {"_make", "_make_strip", "_make_analog"},
    "drivers/opening": {"opened"},
    "drivers/rp2040_board": {"_make", "_make_analog"},
    "drivers/rp2040_strip": {"make_pio_strip"},
    "drivers/spi_parts": {"open_can", "open_lines"},
    "drivers/virtual": {"open_can", "open_lines"},
    "journal/opener": {
        "_load_box",
        "_load_health",
        "_load_memory",
        "_load_sessions",
        "_load_verdict",
        "_load_wear",
    },
    "main": {"_keeper", "_load_book", "_load_step", "run"},
    "step": {"_build", "_lock_of", "_thermal_of"},
    "thermal/port": {"_make"},
    "vehicle/bus": {"_open"},
    "vehicle/bus_parts": {"protect"},
    "vehicle/fitting": {"_fit_bus", "_fit_door", "_fit_heater", "_fit_modem"},
    "vehicle/loader": {"_compose"},
}


def _classes(trees) -> dict[str, set[str]]:
    """Return class -> the modules that define it with an `__init__`, its own or one of the firmware's."""
    found: dict[str, set[str]] = {}
    bases: list[tuple[str, str, list[str]]] = []
    for name, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                own = any(
                    isinstance(it, ast.FunctionDef) and it.name == "__init__" for it in node.body
                )
                if own:
                    found.setdefault(node.name, set()).add(name)
                bases.append((node.name, name, [ast.unparse(base) for base in node.bases]))
    for name, module, of in bases:
        if any(base in found for base in of):
            found.setdefault(name, set()).add(module)
    return found


def _made(tree, known):
    """Yield (class, function) for every call of a known class outside of an `__init__`; "" for the module itself."""

    def visit(node, function):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Call):
                called = child.func
                name = getattr(called, "id", None) or getattr(called, "attr", None)
                if name in known and function != "__init__":
                    yield name, function
            inside = child.name if isinstance(child, ast.FunctionDef) else function
            yield from visit(child, inside)

    yield from visit(tree, "")


def _trees():
    """Return module, as a path -> its tree."""
    return {
        path.relative_to(FIRMWARE).as_posix()[:-3]: ast.parse(path.read_text(encoding="utf-8"))
        for path in firmware_files()
    }


def test_whatever_is_made_while_the_board_runs_keeps_its_making():
    trees = _trees()
    known = _classes(trees)
    assert len(known) > 60
    makers: dict[str, set[str]] = {}
    for module, tree in trees.items():
        for name, function in _made(tree, known):
            if not all(home.replace("/", ".") in modules.MADE_AGAIN for home in known[name]):
                makers.setdefault(module, set()).add(function)
    assert makers == MAKERS


def test_what_is_made_again_is_no_name_of_another_module():
    # Through such a name it would be found, and forgotten.
    known = _classes(_trees())
    for path, tree in _trees().items():
        name = path.replace("/", ".")
        # The cursor is the host's.
        if name in (*modules.MADE_AGAIN, "drivers.log_cursor"):
            continue
        for node in tree.body:
            for alias in node.names if isinstance(node, ast.ImportFrom) else ():
                assert node.module not in modules.MADE_AGAIN or alias.name not in known, name


def test_cpython_goes_on_knowing_how_things_are_made():
    modules.forget_making()
    assert modules.unload("modules") is False and "modules" in sys.modules
    from ticks import ticks_add  # noqa: F401
    from vehicle.clock import Clock

    assert Clock()


PARTS = """
from array import array

class Made:
    def __init__(self, n):
        self.n = n
    def twice(self):
        return 2 * self.n

class Heir(Made):
    pass

class Own(Made):
    def __init__(self):
        super().__init__(7)

class Plain:
    pass

class Wrong(ValueError):
    pass
"""
FORGET = """
import sys, gc
import parts, modules
from drivers import store

made, heir, own = parts.Made(3), parts.Heir(4), parts.Own()
for _ in range(2):
    modules.forget_making()
print(made.twice(), heir.twice(), own.twice())
for cls in (parts.Made, parts.Heir, parts.Own):
    try:
        cls()
        print("made")
    except TypeError:
        print("refused")
print(type(parts.Plain()).__name__, type(parts.Wrong("no")).__name__, parts.array("i", [5])[0])
print(store.Store(6).n)
"""


@pytest.mark.mpy
def test_what_is_there_works_on_and_another_one_is_refused(tmp_path):
    files = {
        "parts.py": PARTS,
        "drivers/store.py": "class Store:\n    def __init__(self, n):\n        self.n = n\n",
    }
    assert run_script(tmp_path, FORGET, ["modules.py"], files) == [
        "6 8 14",
        "refused",
        "refused",
        "refused",
        "Plain Wrong 5",
        "6",
    ]


FREE = """
import gc, modules, sys
sys.modules["big"] = __import__("big")
gc.collect()
before = gc.mem_free()
"""
MORE = """
modules.forget_making()
"""
TELL = """
gc.collect()
print(gc.mem_free() - before > 4000, len(sys.modules["big"].thing.it))
"""


@pytest.mark.mpy
def test_the_memory_is_free_again(tmp_path):
    lines = "".join("        self.a%d = %d\n" % (n, n) for n in range(300))
    big = (
        "class Big:\n    def __init__(self):\n        self.it = [1]\n        return\n%s\nthing = Big()\n"
        % lines
    )
    assert run_script(tmp_path, FREE, ["modules.py"], {"big.py": big}, then=(MORE, TELL)) == [
        "True 1"
    ]
