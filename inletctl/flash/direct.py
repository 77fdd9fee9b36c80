"""Let a class call its own private methods as functions of its module: on a board that is faster.

For `self._step(x)` MicroPython first looks `_step` up among the object's attributes, finds nothing there, and a search for what
is not there goes through most of the table; then it looks through the class. For `_step(self, x)` it looks once through the
module. On an RP2040 a call is shorter by some 6 us, a pass of the loop has a hundred of them.

Only a method that nobody could mean anything else by: private, without a decorator, called on `self` by its own class alone,
by a name that no class related to this one has, and mentioned nowhere else; of a class that nobody asks for a method as a
function, to call it for another object. It stays where it is in the text, declared `global` in the class's body, so every line
keeps its number. What was done is checked against the syntax trees.
"""

import ast
from collections import Counter
from collections.abc import Iterable, Mapping

from inletctl.flash.shorten import check_self, is_own, is_private, other_names, texts_of
from inletctl.flash.slim import Edit, SlimError, edited
from inletctl.flash.trees import are_equal, uncollected, walk


@uncollected
def direct(sources: Mapping[str, str], kept: Iterable[str] = ()) -> dict[str, str]:
    """Return `sources` (path -> text of a module) with direct calls.

    `kept`: names that something outside of these sources asks for. Raises SyntaxError for a source that is none, SlimError
    where the outcome is not as it should be.
    """
    trees = {path: ast.parse(text, path) for path, text in sources.items()}
    check_self(trees)
    everything = list(trees.values())
    taken = other_names(everything) | set(kept)
    # A text may also be how the names begin that are asked for.
    begun = tuple(text for text in texts_of(everything) if is_private(text))
    related, shared = _related(everything)
    lent = _asked_of_classes(everything)
    made = {}
    for path, tree in trees.items():
        chosen = {}
        named = Counter(part.name for part in walk(tree) if isinstance(part, ast.FunctionDef))
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not lent & _methods_of(node):
                names = {name for name in _callable(node) if named[name] == 1} - taken
                if node.name in related:
                    names -= shared
                chosen[node] = {name for name in names if not name.startswith(begun)}
        made[path] = _rewritten(sources[path], tree, chosen, path)
    return made


def _asked_of_classes(trees: Iterable[ast.Module]) -> set[str]:
    """Return the names that a class is asked for: as a function, a method may be called for an object of another class."""
    nodes = [node for tree in trees for node in walk(tree)]
    classes = {node.name for node in nodes if isinstance(node, ast.ClassDef)}
    classes |= {
        node.asname for node in nodes if isinstance(node, ast.alias) and node.asname is not None
    }
    return {
        node.attr
        for node in nodes
        if isinstance(node, ast.Attribute)
        and getattr(node.value, "id", getattr(node.value, "attr", "")) in classes
    }


def _methods_of(node: ast.ClassDef) -> set[str]:
    return {part.name for part in node.body if isinstance(part, ast.FunctionDef)}


def _related(trees: Iterable[ast.Module]) -> tuple[set[str], set[str]]:
    """Return the names of classes with company, and the names that two of those have.

    Company is what a class is made from, what is made from it, and any other class of its name.
    """
    count: Counter[str] = Counter()
    related: set[str] = set()
    classes = [node for tree in trees for node in walk(tree) if isinstance(node, ast.ClassDef)]
    for node in classes:
        count[node.name] += 1
        if node.bases:
            related.add(node.name)
        for base in node.bases:
            related |= {getattr(part, "id", getattr(part, "attr", "")) for part in walk(base)}
    related |= {name for name, times in count.items() if times > 1}
    met: Counter[str] = Counter()
    for node in classes:
        if node.name in related:
            met.update(
                {
                    getattr(part, "attr", getattr(part, "name", ""))
                    for part in walk(node)
                    if isinstance(part, ast.FunctionDef)
                    or (isinstance(part, ast.Attribute) and is_own(part))
                }
            )
    return related, {name for name, times in met.items() if times > 1}


def _callable(node: ast.ClassDef) -> set[str]:
    """Return the private methods of a class that it does nothing with but call them on its own object."""
    mentioned = Counter(
        part.attr for part in walk(node) if isinstance(part, ast.Attribute) and is_own(part)
    )
    called = Counter(
        part.func.attr
        for part in walk(node)
        if isinstance(part, ast.Call)
        and isinstance(part.func, ast.Attribute)
        and is_own(part.func)
    )
    return {
        part.name
        for part in node.body
        if isinstance(part, ast.FunctionDef)
        and is_private(part.name)
        and not part.decorator_list
        and [first.arg for first in part.args.args[:1]] == ["self"]
        and 0 < called[part.name] == mentioned[part.name]
    }


def _rewritten(
    text: str, tree: ast.Module, chosen: Mapping[ast.ClassDef, set[str]], path: str
) -> str:
    lines = text.split("\n")
    edits: list[Edit] = []
    for node, names in chosen.items():
        for part in walk(node):
            if isinstance(part, ast.Call) and _is_chosen(part.func, names):
                edits.append(_call(part, lines, path))
            elif isinstance(part, ast.FunctionDef) and part in node.body and part.name in names:
                line = part.lineno - 2
                if lines[line].strip() and not lines[line].lstrip().startswith("#"):
                    raise SlimError("%s, line %d: no room above it" % (path, part.lineno))
                put = " " * part.col_offset + "global " + part.name
                edits.append((line, 0, line, len(lines[line].encode()), put.encode()))
    made = edited(text, edits)
    if not are_equal(ast.parse(made, path), _wanted(tree, chosen)):
        raise SlimError(
            "%s with direct calls is another program: a mistake in flash/direct.py" % path
        )
    return made


def _is_chosen(func: ast.expr, names: set[str]) -> bool:
    return isinstance(func, ast.Attribute) and is_own(func) and func.attr in names


def _call(node: ast.Call, lines: list[str], path: str) -> Edit:
    """Return the edit that makes `self._name(` into `_name(self`, with what separates it from an argument."""
    func = node.func
    assert isinstance(func, ast.Attribute)
    first, start = func.lineno - 1, func.col_offset
    last, end = (func.end_lineno or 0) - 1, func.end_col_offset or 0
    # A generator that is all of a call's arguments has no brackets of its own.
    is_alone = len(node.args) == 1 and isinstance(node.args[0], ast.GeneratorExp)
    if lines[last].encode()[end : end + 1] != b"(" or is_alone:
        raise SlimError("%s, line %d: a call that is written otherwise" % (path, func.lineno))
    more = b", " if node.args or node.keywords else b""
    return (first, start, last, end + 1, func.attr.encode() + b"(self" + more)


def _wanted(tree: ast.Module, chosen: Mapping[ast.ClassDef, set[str]]) -> ast.Module:
    """Return the tree changed in place."""
    for node, names in chosen.items():
        for part in walk(node):
            if isinstance(part, ast.Call) and _is_chosen(part.func, names):
                func = part.func
                assert isinstance(func, ast.Attribute)
                part.args.insert(0, func.value)
                part.func = ast.Name(func.attr, ast.Load())
        body: list[ast.stmt] = []
        for part in node.body:
            if isinstance(part, ast.FunctionDef) and part.name in names:
                body.append(ast.Global([part.name]))
            body.append(part)
        node.body = body
    return tree
