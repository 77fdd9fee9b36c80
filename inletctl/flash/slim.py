"""Leave out of the board's modules what it only needs while they are read: numbers with names, and words nobody says.

MicroPython keeps every name that a module mentions, and looks through all names it has so far for each that it reads: a
board spends a third of its boot on that. Two things are done to the sources, over all modules at once, before they are
compiled:

- A module-level integer constant is put in place of its name, also where another module imports it.
- A module-level name that is then mentioned nowhere is left out: its definition, or its place in an import.

Every line keeps its number, so a traceback is what it was. What was done is checked against the syntax trees: no edit
of the text can do more than the two things above.
"""

import ast
import operator
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import chain
from typing import Any

from inletctl.flash.trees import are_equal, uncollected, walk

# Calls that may be left out with the name they are for: they do nothing else.
_PURE_CALLS = {"const", "len", "range", "tuple", "frozenset", "bytes", "min", "max"}
_SIGNS = {ast.USub: operator.neg, ast.Invert: operator.invert}
_OPERATORS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
    ast.BitOr: operator.or_,
    ast.BitAnd: operator.and_,
    ast.BitXor: operator.xor,
}

# First line and byte in it, last line and byte behind it, lines from 0; what comes there.
Edit = tuple[int, int, int, int, bytes]


class SlimError(Exception):
    """A source was not changed as it should be: a mistake in this module, never in the firmware."""


@dataclass
class _Module:
    path: str
    text: str
    tree: ast.Module
    bound: dict[str, int] = field(default_factory=dict)  # name -> how often anything binds it
    numbers: dict[str, int] = field(default_factory=dict)  # what may stand in a name's place
    dropped: set[ast.AST] = field(default_factory=set)  # statements and aliases left out
    # Every node of each statement of the module: it is asked for again and again.
    nodes: list[list[ast.AST]] = field(init=False)

    def __post_init__(self) -> None:
        self.nodes = [walk(top) for top in self.tree.body]

    @property
    def name(self) -> str:
        """Dotted name, as it is imported."""
        return self.path[:-3].removesuffix("/__init__").replace("/", ".")


@uncollected
def slim(sources: Mapping[str, str], kept: Iterable[str] = ()) -> dict[str, str]:
    """Return `sources` (path -> text of a module) without what the board does not need.

    `kept`: names that something outside of these sources asks for. Raises SyntaxError for a source that is none, SlimError
    where the outcome is not as it should be.
    """
    modules = {}
    for path, text in sources.items():
        module = _Module(path, text, ast.parse(text, path))
        _count_bindings(module)
        modules[module.name] = module
    for name in modules:
        _numbers(modules, name, set())
    _drop(modules, set(kept))
    return {module.path: _rewritten(module) for module in modules.values()}


def _count_bindings(module: _Module) -> None:
    for node in chain.from_iterable(module.nodes):
        for name in _bound_by(node):
            module.bound[name] = module.bound.get(name, 0) + 1


def _bound_by(node: ast.AST) -> Iterable[str]:
    """Return each name that the node itself binds, twice where a name must not be touched for its sake."""
    if isinstance(node, ast.Name):
        return () if isinstance(node.ctx, ast.Load) else (node.id,)
    if isinstance(node, ast.alias):
        return (node.asname or node.name.partition(".")[0],)
    if isinstance(node, ast.Global | ast.Nonlocal):
        return node.names * 2
    if isinstance(node, ast.JoinedStr | ast.Match):
        # Its parts have no places in the text that could be relied on.
        return [part.id for part in walk(node) if isinstance(part, ast.Name)] * 2
    name = getattr(node, "arg", None) if isinstance(node, ast.arg) else getattr(node, "name", None)
    return (name,) if name else ()


# ---------------------------------------------------------------------------------------------- numbers


def _numbers(modules: dict[str, _Module], name: str, busy: set[str]) -> dict[str, int]:
    """Fill and return the integer constants of a module: its own, and those it imports."""
    module = modules[name]
    if module.numbers or name in busy:
        return module.numbers
    busy.add(name)
    for node in module.tree.body:
        if isinstance(node, ast.ImportFrom) and not node.level and node.module in modules:
            theirs = _numbers(modules, node.module, busy)
            for alias in node.names:
                bound = alias.asname or alias.name
                if alias.name in theirs and module.bound[bound] == 1:
                    module.numbers[bound] = theirs[alias.name]
        else:
            target, value = _assigned(node)
            if target and module.bound[target] == 1 and value is not None:
                number = _value(value, module.numbers)
                if number is not None:
                    module.numbers[target] = number
    return module.numbers


def _assigned(node: ast.stmt) -> "tuple[str, ast.expr | None]":
    """Return name and value of `NAME = value`; "" for any other statement."""
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        target = node.targets[0]
        if isinstance(target, ast.Name):
            return target.id, node.value
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return node.target.id, node.value
    return "", None


def _value(node: ast.expr, numbers: Mapping[str, int]) -> "int | None":
    """Return what an expression of integers is; None for any other."""
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return node.value
    if isinstance(node, ast.Name):
        return numbers.get(node.id)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "const":
        return _value(node.args[0], numbers)
    if isinstance(node, ast.UnaryOp) and type(node.op) in _SIGNS:
        inner = _value(node.operand, numbers)
        return None if inner is None else _SIGNS[type(node.op)](inner)
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        left, right = _value(node.left, numbers), _value(node.right, numbers)
        return None if left is None or right is None else _OPERATORS[type(node.op)](left, right)
    return None


# ------------------------------------------------------------------------------------------- what is left


def _drop(modules: dict[str, _Module], kept: set[str]) -> None:
    """Mark what nothing mentions, until there is nothing more."""
    while True:
        asked, imported = _mentions(modules)
        count = 0
        for module in modules.values():
            used = _loads(module) | kept | asked
            used |= {name for owner, name in imported if owner == module.name}
            for node in module.tree.body:
                if node not in module.dropped:
                    count += _drop_of(module, node, used)
        if not count:
            return


def _drop_of(module: _Module, node: ast.stmt, used: set[str]) -> int:
    """Mark `node`, or names that it imports, where they are not in `used`; return how many marks were made."""
    if isinstance(node, ast.ImportFrom):
        gone = [
            alias
            for alias in node.names
            if alias not in module.dropped
            and alias.name != "*"
            and (alias.asname or alias.name) not in used
            and module.bound[alias.asname or alias.name] == 1
        ]
        module.dropped.update(gone)
        if gone and all(alias in module.dropped for alias in node.names):
            module.dropped.add(node)
        return len(gone)
    name = _defined(node)
    if not name or name in used or module.bound[name] != 1:
        return 0
    module.dropped.add(node)
    return 1


def _defined(node: ast.stmt) -> str:
    """Return the name that `node` defines and does nothing else; "" for any other statement."""
    name, value = _assigned(node)
    if name:
        return name if value is not None and _is_pure(value) else ""
    if isinstance(node, ast.FunctionDef) and _is_pure_statement(node):
        return node.name
    if isinstance(node, ast.ClassDef) and not node.decorator_list and not node.keywords:
        if all(map(_is_pure, node.bases)) and all(map(_is_pure_statement, node.body)):
            return node.name
    return ""


def _is_pure_statement(node: ast.stmt) -> bool:
    if isinstance(node, ast.FunctionDef):
        defaults = [*node.args.defaults, *filter(None, node.args.kw_defaults)]
        return not node.decorator_list and all(map(_is_pure, defaults))
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    name, value = _assigned(node)
    return isinstance(node, ast.Pass) or bool(name and (value is None or _is_pure(value)))


def _is_pure(node: ast.expr) -> bool:
    """Tell whether working the expression out does nothing else."""
    for part in walk(node):
        if isinstance(part, ast.Call) and not (
            isinstance(part.func, ast.Name) and part.func.id in _PURE_CALLS
        ):
            return False
        if isinstance(part, ast.Attribute | ast.Await | ast.Yield | ast.NamedExpr | ast.Starred):
            return False
    return True


def _mentions(modules: dict[str, _Module]) -> tuple[set[str], set[tuple[str, str]]]:
    """Return every name that could be asked any module for, and each (module, name) that is imported from it."""
    asked: set[str] = set()
    imported: set[tuple[str, str]] = set()
    for module in modules.values():
        for node in _live(module):
            if isinstance(node, ast.Attribute):
                asked.add(node.attr)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                asked.add(node.value)
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    bound = alias.asname or alias.name
                    if alias not in module.dropped and not (
                        node in module.tree.body and bound in module.numbers
                    ):
                        imported.add((str(node.module), alias.name))
    return asked, imported


def _loads(module: _Module) -> set[str]:
    """Return every name that the module itself reads, but for those a number stands in place of."""
    return {
        node.id
        for node in _live(module)
        if isinstance(node, ast.Name)
        and isinstance(node.ctx, ast.Load)
        and node.id not in module.numbers
    }


def _live(module: _Module) -> Iterable[ast.AST]:
    """Yield every node but those left out, and those in a definition for the name it defines alone."""
    for top, nodes in zip(module.tree.body, module.nodes):
        if top in module.dropped:
            continue
        own = top.name if isinstance(top, ast.FunctionDef | ast.ClassDef) else ""
        for node in nodes:
            if node in module.dropped:
                continue
            # A function that only calls itself is not used.
            if own and isinstance(node, ast.Name) and node.id == own:
                continue
            yield node


# ------------------------------------------------------------------------------------------ the new text


class _Wanted(ast.NodeTransformer):
    """The same on the tree."""

    def __init__(self, module: _Module):
        self._module = module

    def visit_Name(self, node: ast.Name) -> ast.expr:
        number = self._module.numbers.get(node.id)
        if number is None or not isinstance(node.ctx, ast.Load):
            return node
        return _parsed(_literal(number))

    def visit(self, node: ast.AST) -> Any:
        return None if node in self._module.dropped else super().visit(node)


@cache
def _parsed(literal: str) -> ast.expr:
    return ast.parse(literal, mode="eval").body


def _literal(number: int) -> str:
    # True and False are themselves.
    return str(number) if number >= 0 else "(%d)" % number


def _rewritten(module: _Module) -> str:
    """Return the module's new text. Raises SlimError where it is not what was wanted."""
    edits: list[Edit] = []
    inside: set[ast.AST] = set()
    for node, nodes in zip(module.tree.body, module.nodes):
        if node in module.dropped:
            edits.append((*_span(node), b""))
            inside.update(nodes)
        elif isinstance(node, ast.ImportFrom):
            left = [alias for alias in node.names if alias not in module.dropped]
            if len(left) < len(node.names):
                words = ", ".join(a.name + (" as " + a.asname if a.asname else "") for a in left)
                edits.append(
                    (
                        *_span(node),
                        b"from %s import %s" % (str(node.module).encode(), words.encode()),
                    )
                )
                inside.update(nodes)
    for node in chain.from_iterable(module.nodes):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node not in inside:
            number = module.numbers.get(node.id)
            if number is not None:
                edits.append((*_span(node), _literal(number).encode()))
    text = edited(module.text, edits)
    _check(module, text)
    return text


def edited(text: str, edits: Iterable[Edit]) -> str:
    """Return `text` with each place, none within another, replaced; every line stays where it is."""
    lines = text.encode().split(b"\n")
    for first, start, last, end, put in sorted(edits, reverse=True):
        if first == last:
            lines[first] = lines[first][:start] + put + lines[first][end:]
        else:
            lines[first] = lines[first][:start] + put
            lines[first + 1 : last] = [b""] * (last - first - 1)
            lines[last] = lines[last][end:]
    return b"\n".join(lines).decode()


def _span(node: "ast.stmt | ast.expr") -> tuple[int, int, int, int]:
    """Return (first line, byte in it, last line, byte behind it), lines from 0."""
    assert node.end_lineno is not None and node.end_col_offset is not None
    return node.lineno - 1, node.col_offset, node.end_lineno - 1, node.end_col_offset


def _check(module: _Module, text: str) -> None:
    made = ast.parse(text, module.path)
    places = _places(made)
    # The first tree again: the second one is changed in place.
    wanted = _Wanted(module).visit(module.tree)
    if not are_equal(made, wanted):
        raise SlimError("%s: the text is not what it should be" % module.path)
    if places != _places(wanted):
        raise SlimError("%s: a line has moved" % module.path)


def _places(tree: ast.AST) -> list[int]:
    return [node.lineno for node in walk(tree) if isinstance(node, ast.stmt)]
