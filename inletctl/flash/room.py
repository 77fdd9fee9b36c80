"""Give the tables of the busiest objects room: on a board an attribute is found sooner in a table that is not full.

MicroPython keeps an object's attributes in a hash table that grows only when not one place is left, and never shrinks. In a
full one an attribute is found after a dozen tries, and that a method is none of them shows only when every place was looked
at. So the last plain statement of `__init__` is followed, in its line, by attributes that are set and deleted again, as many as
make the table take its next size: 8 bytes a place, up to 5 us a look. Where attributes are first set after `__init__`, they
stay: places that are free by then are not enough for the table to grow.

Every line keeps its number. What was done is checked against the syntax trees.
"""

import ast
from collections.abc import Mapping

from inletctl.flash.places import classes_of, members, size_of
from inletctl.flash.slim import Edit, SlimError, edited
from inletctl.flash.trees import are_equal, uncollected

# Where a pass of the loop looks most often, measured on an emulated RP2040: of all 1,800 looks a pass two in three.
BUSY = {
    "drivers/analog.py": ("Analog",),
    "drivers/can_port.py": ("CanPort",),
    "drivers/esp32_board.py": ("Esp32Board",),
    "drivers/mcp2515.py": ("MCP2515",),
    "drivers/rp2040_board.py": ("Rp2040Board",),
    "inputs.py": ("Inputs",),
    "interlock.py": ("Interlock",),
    "journal/blackbox.py": ("BlackBox",),
    "lock/actuator.py": ("LockActuator",),
    "pilot/control.py": ("ControlPilot",),
    "release.py": ("Release",),
    "signals.py": ("Readings", "Commands"),
    "step.py": ("InletStep",),
    "vehicle/bus_native.py": ("NativeBus",),
    "vehicle/console.py": ("Report",),
}
# A table that is fuller takes its next size.
_FULL_PCT = 80


@uncollected
def room(sources: Mapping[str, str], busy: "Mapping[str, tuple[str, ...]]") -> dict[str, str]:
    """Return `sources` (path -> text of a module) with room in the objects of the classes `busy` (path -> names).

    Raises SyntaxError for a source that is none, SlimError for a class that is not there, without a plain statement in
    its `__init__`, or where the outcome is not as it should be.
    """
    made = dict(sources)
    trees = {path: ast.parse(text, path) for path, text in sources.items()}
    classes = classes_of(trees)
    for path in sorted(set(busy) & set(sources)):
        ends = {}
        for name in busy[path]:
            node = classes.get(name)
            if node is None or node not in trees[path].body:
                raise SlimError("%s has no class %s that needs room" % (path, name))
            names = members(node, classes)
            count = _wanted(len(names))
            if count:
                is_whole = names == members(node, classes, "__init__")
                ends[_init(node, path)] = _statements(count, is_whole)
        made[path] = _rewritten(sources[path], trees[path], ends, path)
    return made


def busy_names(trees: Mapping[str, ast.Module]) -> set[str]:
    """Return the attributes of the busiest objects."""
    classes = classes_of(trees)
    return {
        attribute
        for path in BUSY.keys() & trees.keys()
        for name in BUSY[path]
        if name in classes
        for attribute in members(classes[name], classes)
    }


def _wanted(count: int) -> int:
    """Return how many attributes more make a table of `count` take its next size; 0: it has room."""
    size = size_of(count)
    return size + 1 - count if count * 100 > size * _FULL_PCT else 0


def _statements(count: int, is_whole: bool) -> str:
    """Return the statements that set so many attributes, and delete them where all others are set."""
    names = ["self._room_%d" % n for n in range(count)]
    put = " = ".join(names) + " = None"
    return put + "; del " + ", ".join(names) if is_whole else put


def _init(node: ast.ClassDef, path: str) -> "tuple[ast.FunctionDef, int]":
    """Return `__init__` and the place of the last plain statement in it."""
    for part in node.body:
        if isinstance(part, ast.FunctionDef) and part.name == "__init__":
            for n in range(len(part.body) - 1, 0, -1):
                if isinstance(part.body[n], ast.Assign | ast.AnnAssign | ast.Expr):
                    return part, n
    raise SlimError("%s: class %s has no __init__ with a plain statement" % (path, node.name))


def _rewritten(
    text: str, tree: ast.Module, ends: "Mapping[tuple[ast.FunctionDef, int], str]", path: str
) -> str:
    edits: list[Edit] = []
    for (init, n), put in ends.items():
        line, end = (init.body[n].end_lineno or 0) - 1, init.body[n].end_col_offset or 0
        edits.append((line, end, line, end, b"; " + put.encode()))
        init.body[n + 1 : n + 1] = ast.parse(put).body
    made = edited(text, edits)
    if not are_equal(ast.parse(made, path), tree):
        raise SlimError("%s with room is another program: a mistake in flash/room.py" % path)
    return made
