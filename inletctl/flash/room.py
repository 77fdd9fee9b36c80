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

from inletctl.flash.shorten import is_own
from inletctl.flash.slim import Edit, SlimError, edited

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
# Sizes that a table of MicroPython has (py/map.c).
_SIZES = (2, 4, 6, 8, 10, 12, 17, 23, 29, 37, 47, 59, 73, 97, 127)
# A table that is fuller takes its next size.
_FULL_PCT = 80


def room(sources: Mapping[str, str], busy: "Mapping[str, tuple[str, ...]]") -> dict[str, str]:
    """Return `sources` (path -> text of a module) with room in the objects of the classes `busy` (path -> names).

    Raises SyntaxError for a source that is none, SlimError for a class that is not there, without a plain statement in
    its `__init__`, or where the outcome is not as it should be.
    """
    made = dict(sources)
    trees = {path: ast.parse(text, path) for path, text in sources.items()}
    classes = {
        node.name: node
        for tree in trees.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    for path in sorted(set(busy) & set(sources)):
        ends = {}
        for name in busy[path]:
            node = classes.get(name)
            if node is None or node not in trees[path].body:
                raise SlimError("%s has no class %s that needs room" % (path, name))
            members = _members(node, classes, False)
            count = _wanted(len(members))
            if count:
                is_whole = members == _members(node, classes, True)
                ends[_init(node, path)] = _statements(count, is_whole)
        made[path] = _rewritten(sources[path], trees[path], ends, path)
    return made


def _wanted(count: int) -> int:
    """Return how many attributes more make a table of `count` take its next size; 0: it has room."""
    size = next((one for one in _SIZES if one >= count), count)
    return size + 1 - count if count * 100 > size * _FULL_PCT else 0


def _statements(count: int, is_whole: bool) -> str:
    """Return the statements that set so many attributes, and delete them where all others are set."""
    names = ["self._room_%d" % n for n in range(count)]
    put = " = ".join(names) + " = None"
    return put + "; del " + ", ".join(names) if is_whole else put


def _members(node: ast.ClassDef, classes: Mapping[str, ast.ClassDef], is_first: bool) -> set[str]:
    """Return the attributes that a class and those it is made from set on themselves, `is_first`: in `__init__` alone."""
    found: set[str] = set()
    for base in node.bases:
        if isinstance(base, ast.Name) and base.id in classes:
            found |= _members(classes[base.id], classes, is_first)
    for method in node.body:
        if isinstance(method, ast.FunctionDef) and (method.name == "__init__" or not is_first):
            found.update(
                part.attr
                for part in ast.walk(method)
                if isinstance(part, ast.Attribute)
                and is_own(part)
                and isinstance(part.ctx, ast.Store)
            )
    return found


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
    if ast.dump(ast.parse(made, path)) != ast.dump(tree):
        raise SlimError("%s with room is another program: a mistake in flash/room.py" % path)
    return made
