"""Makes the mutants of a file: cosmic-ray's operators on expressions, and two of our own.

A mutant is one small edit of the text. Not every operator of cosmic-ray is used: of those that replace one sign by another
only the neighbours (`<` by `<=`, never by `is`), since a stronger change only dies sooner and makes the count look better.
Our own: `|=` and its like, which cosmic-ray leaves alone, and the cells of tables. Words for people are not changed.
"""

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from inletctl.errors import UserError
from inletctl.house import FIRMWARE

# Sign -> the signs put in its place. An order by its border and by its negation; equality by its negation only: most of what is
# asked for equality is a name, which has no neighbour.
_BINARY = {
    "Add": ("Sub",), "Sub": ("Add",), "Mul": ("FloorDiv",), "FloorDiv": ("Mul",), "Mod": ("FloorDiv",), "BitOr": ("BitAnd",),
    "BitAnd": ("BitOr",), "BitXor": ("BitAnd",), "LShift": ("RShift",), "RShift": ("LShift",),
}  # fmt: skip
_COMPARISON = {
    "Lt": ("LtE", "GtE", "NotEq"), "LtE": ("Lt", "Gt", "Eq"), "Gt": ("GtE", "LtE", "NotEq"), "GtE": ("Gt", "Lt", "Eq"),
    "Eq": ("NotEq",), "NotEq": ("Eq",), "Is": ("IsNot",), "IsNot": ("Is",),
}  # fmt: skip
_UNARY = ("USub", "Invert", "Not")
_OTHERS = (
    "AddNot", "ReplaceTrueWithFalse", "ReplaceFalseWithTrue", "ReplaceAndWithOr", "ReplaceOrWithAnd", "ReplaceBreakWithContinue",
    "ReplaceContinueWithBreak", "ExceptionReplacer", "NumberReplacer", "RemoveDecorator", "ZeroIterationForLoop",
)  # fmt: skip
_AUGMENTED = {
    "+=": "-=", "-=": "+=", "*=": "//=", "//=": "*=", "|=": "&=", "&=": "|=", "<<=": ">>=", ">>=": "<<=",
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One edit: the characters `start`..`end` of `file` (below firmware/) become `put`.

    `scope` is the function it is in, else the name that the statement gives a value to, else "". `original` and `mutated` are the line it
    is in, before and after; `nth` counts mutants of a file that are alike in all of these. Those five are its key: no line number
    is in it.
    """

    file: str
    line: int
    scope: str
    original: str
    mutated: str
    start: int
    end: int
    put: str
    # The lines of the statement, or of its head; tests that reach none of them cannot notice.
    first: int
    last: int
    # Dotted name of the outermost function whose body it is in; "" where it takes effect already when the file is imported.
    function: str
    nth: int = 1

    @property
    def key(self) -> tuple[str, str, str, str, int]:
        """Return what names it as long as its line is not changed."""
        return (self.file, self.scope, self.original, self.mutated, self.nth)

    def apply(self, text: str) -> str:
        """Return the whole file's text with the edit made."""
        return text[: self.start] + self.put + text[self.end :]


class _Operators:
    """cosmic-ray's, those that are used."""

    def __init__(self) -> None:
        try:
            import parso
            from cosmic_ray.operators.provider import OperatorProvider
        except ImportError as missing:
            raise UserError(
                "%s is missing; run 'make setup', then try again." % missing.name, 3
            ) from None
        self.parse = parso.parse
        provider: Any = OperatorProvider()
        names = [
            "%s_%s_%s" % (kind, old, new)
            for kind, signs in (
                ("ReplaceBinaryOperator", _BINARY),
                ("ReplaceComparisonOperator", _COMPARISON),
            )
            for old, news in signs.items()
            for new in news
        ]
        names += ["ReplaceUnaryOperator_Delete_%s" % sign for sign in _UNARY]
        self.all = [(name, provider[name]()) for name in (*names, *_OTHERS)]


def module_of(file: str) -> str:
    """Return the dotted name under which the firmware imports `file`."""
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def mutants_of(path: Path) -> list[Mutant]:
    """Return every mutant of one firmware file, in the order of the text. Raises UserError where cosmic-ray is not installed."""
    return _File(path.read_text(encoding="utf-8"), path.relative_to(FIRMWARE).as_posix()).mutants()


class _File:
    def __init__(self, text: str, name: str):
        self.text = text
        self.name = name
        self.tree = ast.parse(text, name)
        self.starts = [0]
        for line in text.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))

    @cached_property
    def called_on_import(self) -> set[str]:
        """Names of the file's functions that it calls itself while it is imported, and of those that they call."""
        functions = {
            node.name: node for node in self.tree.body if isinstance(node, ast.FunctionDef)
        }
        found: set[str] = set()
        to_read: list[Any] = [
            node for node in self.tree.body if not isinstance(node, ast.FunctionDef | ast.ClassDef)
        ]
        while to_read:
            for node in ast.walk(to_read.pop()):
                name = getattr(getattr(node, "func", None), "id", "")
                if name in functions and name not in found:
                    found.add(name)
                    to_read.append(functions[name])
        return found

    @cached_property
    def operators(self) -> _Operators:
        return _Operators()

    def mutants(self) -> list[Mutant]:
        edits = {*self._expressions(), *self._augmented(), *self._cells()}
        found = []
        alike: Counter[Any] = Counter()
        for edit in sorted(edits):
            mutant = self._mutant(*edit)
            if mutant is None:
                continue
            alike[mutant.key] += 1
            found.append(replace(mutant, nth=alike[mutant.key]))
        return found

    def _at(self, position: tuple[int, int]) -> int:
        return self.starts[position[0] - 1] + position[1]

    def _expressions(self) -> Iterator[tuple[int, int, str]]:
        """Yield (start, end, text put there) of every place where an operator of cosmic-ray fits."""
        nodes = [self.operators.parse(self.text)]
        while nodes:
            node: Any = nodes.pop()
            for _, operator in self.operators.all:
                for index, _ in enumerate(list(operator.mutation_positions(node))):
                    yield self._edit(node, operator, index)
            nodes.extend(getattr(node, "children", ()))

    def _edit(self, node: Any, operator: Any, index: int) -> tuple[int, int, str]:
        """Let the operator change the tree, read what it wrote, and put the tree back."""
        start, end = self._at(node.start_pos), self._at(node.end_pos)
        children = [(part, list(part.children)) for part in _inner(node)]
        leaf_value = {leaf: leaf.value for leaf in _leaves(node)}
        new = operator.mutate(node, index)
        code = "" if new is None else new.get_code(include_prefix=False)
        for leaf, value in leaf_value.items():
            leaf.value = value
        for part, old in children:
            part.children = old
        # A number comes back with a blank before it.
        return _shortest(self.text, start, end, code.lstrip(" "))

    def _augmented(self) -> Iterator[tuple[int, int, str]]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.AugAssign):
                after = self._end(node.target)
                value = self._start(node.value)
                sign = self.text[after:value].strip()
                if sign in _AUGMENTED:
                    start = self.text.index(sign, after)
                    yield start, start + len(sign), _AUGMENTED[sign]

    def _start(self, node: Any) -> int:
        return self._at((node.lineno, self._column(node.lineno, node.col_offset)))

    def _end(self, node: Any) -> int:
        return self._at((node.end_lineno, self._column(node.end_lineno, node.end_col_offset)))

    def _column(self, line: int, offset: int) -> int:
        """Return the character that ast's byte offset means."""
        text = self.text[self.starts[line - 1] : self.starts[line]]
        return len(text.encode()[:offset].decode())

    def _cells(self) -> Iterator[tuple[int, int, str]]:
        """Yield edits that put a neighbour's value into a cell of a module-level tuple: one of its column, else of its row."""
        for node in self.tree.body:
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple):
                yield from self._cells_of(node.value)

    def _cells_of(self, table: ast.Tuple) -> Iterator[tuple[int, int, str]]:
        rows = [row for row in table.elts if isinstance(row, ast.Tuple)]
        if not rows:
            yield from self._swaps(table.elts, table.elts)
            return
        every = [cell for row in rows for cell in row.elts]
        for n in range(max(len(row.elts) for row in rows)):
            yield from self._swaps([row.elts[n] for row in rows if n < len(row.elts)], every)
        for row in rows:
            for cell in row.elts:
                if isinstance(cell, ast.Tuple):
                    yield from self._cells_of(cell)

    def _swaps(
        self, column: list[ast.expr], every: list[ast.expr]
    ) -> Iterator[tuple[int, int, str]]:
        words = [self._cell(cell) for cell in column]
        others = [self._cell(cell) for cell in every]
        for n, (cell, word) in enumerate(zip(column, words, strict=True)):
            if word is None:
                continue
            after = [*words[n + 1 :], *words[:n], *others]
            other = next(
                (
                    one
                    for one in after
                    if one is not None and one != word and _kind(one) == _kind(word)
                ),
                None,
            )
            if other is not None:
                yield self._start(cell), self._end(cell), other

    def _cell(self, cell: ast.expr) -> str | None:
        """Return a cell's text, or None for one that is not changed: words, and what is itself a table or computed."""
        if isinstance(cell, ast.Constant) and isinstance(cell.value, str | bytes):
            return None
        is_value = isinstance(cell, ast.Constant | ast.Name) or (
            isinstance(cell, ast.UnaryOp) and isinstance(cell.operand, ast.Constant)
        )
        return self.text[self._start(cell) : self._end(cell)] if is_value else None

    def _mutant(self, start: int, end: int, put: str) -> Mutant | None:
        line = self._line(start)
        last = self._line(max(start, end - 1))
        before, after = self.starts[line - 1], self.starts[last]
        place = _place(self.tree, line, start - before)
        if place is None:
            return None
        scope, function, first_line, last_line = place
        if function in self.called_on_import:
            function = ""
        mutant = Mutant(
            self.name,
            line,
            scope,
            _squeeze(self.text[before:after]),
            _squeeze(self.text[before:start] + put + self.text[end:after]),
            start,
            end,
            put,
            first_line,
            last_line,
            function,
        )
        return mutant if put or self._is_python(mutant) else None

    def _is_python(self, mutant: Mutant) -> bool:
        """Tell whether what is left after something was taken away is still a program."""
        try:
            ast.parse(mutant.apply(self.text))
        except SyntaxError:
            return False
        return True

    def _line(self, place: int) -> int:
        low, high = 0, len(self.starts) - 1
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.starts[middle] <= place else (low, middle)
        return low + 1


def _kind(text: str) -> str:
    if text in ("True", "False"):
        return "bool"
    return "number" if text.lstrip("-")[:1].isdigit() else "name"


def _squeeze(text: str) -> str:
    """Return a line's code on one line, without the comment behind it."""
    return " ".join(" ".join(line.split("  #")[0] for line in text.splitlines()).split())


def _inner(node: Any) -> Iterator[Any]:
    if hasattr(node, "children"):
        yield node
        for child in node.children:
            yield from _inner(child)


def _leaves(node: Any) -> Iterator[Any]:
    if hasattr(node, "children"):
        for child in node.children:
            yield from _leaves(child)
    else:
        yield node


def _shortest(text: str, start: int, end: int, put: str) -> tuple[int, int, str]:
    """Return the same edit without what stays the same at both ends."""
    while start < end and put and text[start] == put[0]:
        start, put = start + 1, put[1:]
    while end > start and put and text[end - 1] == put[-1]:
        end, put = end - 1, put[:-1]
    return start, end, put


def _place(tree: ast.Module, line: int, column: int) -> tuple[str, str, int, int] | None:
    """Return (scope, outermost function, first line, last line of the statement); None where a change means nothing on the board."""
    names: list[str] = []
    function = ""
    body: list[Any] = tree.body
    while True:
        node = next((one for one in body if _first(one) <= line <= one.end_lineno), None)
        if node is None:
            return None
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            if line <= max(one.end_lineno or 0 for one in node.body):
                return None
            body = node.orelse
            continue
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "TYPE_CHECKING":
            return None
        parts = _blocks(node)
        inside = [
            block for block in parts if block and _first(block[0]) <= line <= block[-1].end_lineno
        ]
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            names.append(node.name)
        if not inside or (line == _first(inside[0][0]) and column < inside[0][0].col_offset):
            if isinstance(node, ast.Assign) and not names:
                names.append(ast.unparse(node.targets[0]))
            heads = [_first(block[0]) - 1 for block in parts if block]
            after = [last for last in heads if last >= line]
            # The whole of a function's own head counts as the import's.
            return (
                ".".join(names),
                function,
                node.lineno,
                min(after, default=node.end_lineno or line),
            )
        if isinstance(node, ast.FunctionDef) and not function:
            function = ".".join(names)
        body = inside[0]


def _first(node: Any) -> int:
    return min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", ()))])


def _blocks(node: Any) -> list[list[Any]]:
    blocks = [getattr(node, name, []) for name in ("body", "orelse", "finalbody")]
    blocks += [handler.body for handler in getattr(node, "handlers", ())]
    return [block for block in blocks if isinstance(block, list)]
