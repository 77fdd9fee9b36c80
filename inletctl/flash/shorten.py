"""Give private attributes and methods short names, the same for those that never meet in one object.

MicroPython keeps each name once, with some seven bytes beside its letters, and looks through all it has for each name that
it reads. A firmware in classes has hundreds of private names, and most of them are in one class only.

Renamed are attributes and methods that begin with one underscore and are mentioned on `self` alone, in no text and as no
function or global. A class, what it is made from and what is made from it count as one object. Every line keeps its
number: that a traceback tells, and not these names. What was done is checked against the syntax trees.
"""

import ast
import builtins
import itertools
import string
from collections.abc import Iterable, Mapping

from inletctl.flash.slim import Edit, SlimError, edited
from inletctl.flash.trees import are_equal, uncollected, walk

# Bases that are MicroPython's own, without private attributes.
_FOREIGN = {"IOBase"}


@uncollected
def shorten(sources: Mapping[str, str], kept: Iterable[str] = ()) -> dict[str, str]:
    """Return `sources` (path -> text of a module) with short private attributes.

    `kept`: names that something outside of these sources asks for. Raises SyntaxError for a source that is none, SlimError
    where the outcome is not as it should be.
    """
    trees = {path: ast.parse(text, path) for path, text in sources.items()}
    check_self(trees)
    names = _renamed(list(trees.values()), set(kept))
    return {path: _rewritten(text, trees[path], names, path) for path, text in sources.items()}


def is_private(name: str) -> bool:
    """Tell whether a name begins with one underscore."""
    return name.startswith("_") and not name.startswith("__")


def _renamed(trees: "list[ast.Module]", kept: "set[str]") -> dict[str, str]:
    """Return the new name of each attribute that gets one."""
    taken = other_names(trees) | kept
    objects = _objects(trees)
    begun = tuple(text for text in texts_of(trees) if is_private(text))
    wanted = sorted(
        # A text may also be how the names begin that are asked for.
        {name for names in objects for name in names if not name.startswith(begun)} - taken,
        # Those with the most company first; of equals by name, so that the same sources give the same names.
        key=lambda name: (-sum(len(names) for names in objects if name in names), name),
    )
    everything = taken.union(*objects) if objects else taken
    short = [name for name in _short_names(len(wanted)) if name not in everything]
    made: dict[str, str] = {}
    for name in wanted:
        met = {made[other] for names in objects if name in names for other in names & made.keys()}
        made[name] = next(new for new in short if new not in met)
    return made


def _short_names(count: int) -> "list[str]":
    """Return more short names than `count` can ask for, the shortest first."""
    letters = string.ascii_lowercase
    pairs = (a + b for a, b in itertools.product(letters, letters + string.digits))
    longer = ("%s%s" % pair for pair in itertools.product(letters, range(count)))
    return ["_" + name for name in (*letters, *pairs, *longer)]


def other_names(trees: "list[ast.Module]") -> set[str]:
    """Return every name that is anything else than an attribute of `self`, or that a text mentions."""
    found: set[str] = set()
    for tree in trees:
        methods = set(_methods(tree))
        for node in walk(tree):
            if node not in methods:
                found.update(_names_of(node))
    return found


def _names_of(node: ast.AST) -> Iterable[str]:
    if isinstance(node, ast.Attribute):
        return () if is_own(node) else (node.attr,)
    if isinstance(node, ast.alias):
        return (node.name, node.asname or "")
    if isinstance(node, ast.Constant):
        return (node.value,) if isinstance(node.value, str) else ()
    # Whatever else has one: a name, an argument, a function, a class, a keyword.
    given = (getattr(node, key, None) for key in ("id", "arg", "name"))
    return [name for name in given if isinstance(name, str)]


def texts_of(trees: "list[ast.Module]") -> set[str]:
    """Return every text in them."""
    return {
        node.value
        for tree in trees
        for node in walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def _methods(tree: ast.AST) -> "Iterable[ast.FunctionDef]":
    """Yield each private method."""
    for node in walk(tree):
        if isinstance(node, ast.ClassDef):
            for part in node.body:
                if isinstance(part, ast.FunctionDef) and is_private(part.name):
                    yield part


def is_own(node: ast.Attribute) -> bool:
    """Tell whether it is an attribute of `self`."""
    return isinstance(node.value, ast.Name) and node.value.id == "self"


def check_self(trees: Mapping[str, ast.Module]) -> None:
    """Raise SlimError where `self` is anything but the object that a method of a class is called for: is_own would be wrong."""
    for path, tree in trees.items():
        own: set[ast.AST] = set()
        for node in walk(tree):
            for method in node.body if isinstance(node, ast.ClassDef) else ():
                if isinstance(method, ast.FunctionDef) and method.args.args[:1]:
                    first = method.args.args[0]
                    if first.arg == "self":
                        own.add(first)
                        own.update(part for part in walk(method) if _is_read(part))
        for node in walk(tree):
            names = (getattr(node, key, None) for key in ("id", "arg", "name", "asname"))
            if node not in own and "self" in names:
                raise SlimError(
                    "%s, line %d: self is not the object of a method: call it otherwise"
                    % (path, getattr(node, "lineno", 0))
                )


def _is_read(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)


def _objects(trees: "list[ast.Module]") -> "list[set[str]]":
    """Return the private attributes of each class together with those it is related to by any chain of bases."""
    known = {n.name for tree in trees for n in walk(tree) if isinstance(n, ast.ClassDef)}
    groups: list[tuple[set[str], set[str]]] = []  # (names of classes, attributes)
    for tree in trees:
        for node in walk(tree):
            if not isinstance(node, ast.ClassDef):
                continue
            # By their last name: that two classes of one name become one costs nothing but letters.
            classes = {node.name}
            for base in node.bases:
                last = base.id if isinstance(base, ast.Name) else getattr(base, "attr", "")
                if last not in known and last not in _FOREIGN and not hasattr(builtins, last):
                    # Under another name it would not be known for the class that it is.
                    raise SlimError("class %s: its base is no class by its own name" % node.name)
                classes.update(part.id for part in walk(base) if isinstance(part, ast.Name))
                classes.update(part.attr for part in walk(base) if isinstance(part, ast.Attribute))
            names = {
                part.attr
                for part in walk(node)
                if isinstance(part, ast.Attribute) and is_private(part.attr)
            }
            names.update(method.name for method in _methods(node))
            apart = []
            for group in groups:
                if group[0] & classes:
                    classes |= group[0]
                    names |= group[1]
                else:
                    apart.append(group)
            groups = [*apart, (classes, names)]
    return [names for _, names in groups]


def _rewritten(text: str, tree: ast.Module, names: Mapping[str, str], path: str) -> str:
    edits: list[Edit] = []
    for node in walk(tree):
        if isinstance(node, ast.Attribute) and is_own(node) and node.attr in names:
            line, end = (node.end_lineno or 0) - 1, node.end_col_offset or 0
            edits.append(
                (line, end - len(node.attr.encode()), line, end, names[node.attr].encode())
            )
    lines = text.splitlines()
    for node in _methods(tree):
        if node.name in names:
            line = node.lineno - 1
            start = lines[line].index("def ", node.col_offset) + len("def ")
            put = names[node.name].encode()
            edits.append((line, start, line, start + len(node.name.encode()), put))
    made = edited(text, edits)
    for node in _methods(tree):
        node.name = names.get(node.name, node.name)
    for node in walk(tree):
        if isinstance(node, ast.Attribute) and is_own(node):
            node.attr = names.get(node.attr, node.attr)
    if not are_equal(ast.parse(made, path), tree):
        raise SlimError(
            "%s with short names is another program: a mistake in flash/shorten.py" % path
        )
    return made
