"""Where MicroPython looks for a name in a hash table, so that words can be chosen that do not stand in each other's way.

Every object, class and module has its names in a table. A name is looked for at a place that its letters give, and from there
on, one place after the other. On an RP2040 each place too many costs 0.4 us, and a pass of the loop looks 1,800 times.
"""

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache

from inletctl.flash.shorten import is_own
from inletctl.flash.trees import walk

# Sizes that a table has, and the bits of a name's hash that MicroPython keeps on an RP2040 (py/map.c, py/qstr.c).
SIZES = (2, 4, 6, 8, 10, 12, 17, 23, 29, 37, 47, 59, 73, 97, 127, 167, 223, 293, 389, 521)
_HASH_MASK = 0xFF
# What MicroPython itself puts into the table of a module, and of a class.
_OF_MODULE = {"__name__", "__file__"}
_OF_CLASS = {"__module__", "__qualname__"}


def size_of(count: int) -> int:
    """Return how many places a table has that so many names were put into, one by one."""
    return next((size for size in SIZES if size >= count), count)


@cache
def hash_of(word: str) -> int:
    """Return MicroPython's hash of a word, 1..255."""
    made = 5381
    for byte in word.encode():
        made = (made * 33 ^ byte) & 0xFFFFFFFF
    return made & _HASH_MASK or 1


@dataclass
class _Table:
    size: int
    taken: set[int] = field(default_factory=set)

    def place(self, word: str) -> tuple[int, int]:
        """Return the first free place for a word, and how far it is from where it is looked for."""
        first = hash_of(word) % self.size
        for n in range(self.size):
            if (place := (first + n) % self.size) not in self.taken:
                return place, n
        return first, self.size


class Places:
    """The tables of a program, filled with one word after the other."""

    def __init__(self, tables: Iterable[frozenset[str]], fixed: Iterable[str] = ()):
        """`tables`: the names in each; `fixed`: names that stay as they are, and are there already."""
        self._of: dict[str, list[_Table]] = {}
        kept = set(fixed)
        for names in tables:
            table = _Table(size_of(len(names)))
            for name in names - kept:
                self._of.setdefault(name, []).append(table)
            for name in sorted(names & kept):
                table.taken.add(table.place(name)[0])

    def steps(self, name: str, word: str) -> int:
        """Return how many places too many are looked at, over all tables that `name` is in, where it becomes `word`."""
        return sum(table.place(word)[1] for table in self._of.get(name, ()))

    def put(self, name: str, word: str) -> None:
        """Fill the places that `name` takes as `word`."""
        for table in self._of.get(name, ()):
            table.taken.add(table.place(word)[0])


def tables_of(trees: Mapping[str, ast.Module]) -> list[frozenset[str]]:
    """Return the names in the table of each module, each class, and each object."""
    classes = classes_of(trees)
    found = [_globals(tree) for tree in trees.values()]
    for node in classes.values():
        found.append(members(node, classes))
        found.append(_of_class(node))
    return [frozenset(names) for names in found if names]


def _of_class(node: ast.ClassDef) -> set[str]:
    found = set(_OF_CLASS)
    declared = set()
    for part in node.body:
        if isinstance(part, ast.FunctionDef):
            found.add(part.name)
        elif isinstance(part, ast.Global):
            declared.update(part.names)
        elif isinstance(part, ast.Assign | ast.AnnAssign):
            found.update(
                one.id
                for one in walk(part)
                if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)
            )
    return found - declared


def classes_of(trees: Mapping[str, ast.Module]) -> dict[str, ast.ClassDef]:
    """Return every class by its name."""
    return {
        node.name: node
        for tree in trees.values()
        for node in walk(tree)
        if isinstance(node, ast.ClassDef)
    }


def _globals(tree: ast.Module) -> set[str]:
    found = set(_OF_MODULE)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
            found.update(
                name for part in walk(node) if isinstance(part, ast.Global) for name in part.names
            )
        else:
            for part in walk(node):
                if isinstance(part, ast.alias):
                    found.add((part.asname or part.name).split(".")[0])
                elif isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                    found.add(part.id)
    return found


def members(
    node: ast.ClassDef, classes: Mapping[str, ast.ClassDef], only_in: str = ""
) -> set[str]:
    """Return the attributes that a class, and what it is made from of `classes`, set on themselves: `only_in` one method, or in all."""
    found: set[str] = set()
    for base in node.bases:
        if isinstance(base, ast.Name) and base.id in classes:
            found |= members(classes[base.id], classes, only_in)
    for method in node.body:
        if isinstance(method, ast.FunctionDef) and only_in in ("", method.name):
            found.update(
                part.attr
                for part in walk(method)
                if isinstance(part, ast.Attribute)
                and is_own(part)
                and isinstance(part.ctx, ast.Store)
            )
    return found
