"""Give the firmware's names to words that MicroPython already has in its ROM, so that they take no memory of the board.

MicroPython keeps each name that a program mentions: some seven bytes and its letters, in tables that double when they are
full. A Pico's heap would hold 25 KB of them. What an attribute, an argument, a function or a class is called makes no
difference to the program; a word that is in ROM costs nothing.

One name becomes one word everywhere, in all modules: of those that will do, one that the board finds soonest (places.py). Names
that never meet share a word: names that no module, and no module with a class that one of its classes is made from, mentions
both, and that nobody sets on somebody else's object. Kept are: names of MicroPython's own modules (foreign_names.txt), what a text
mentions (somebody may ask for it by name), modules, exceptions (they are printed), what boot.py says, as it goes as text, and
what is written for the compilers of PIO programs and machine code. Every line keeps its number. What was done is checked
against the syntax trees. A word that a MicroPython has not got in ROM costs as much as any name, and no more.
"""

import ast
import builtins
import io
import itertools
import keyword
import string
import tokenize
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from inletctl.flash.foreign import foreign_names
from inletctl.flash.places import Places, tables_of
from inletctl.flash.room import busy_names
from inletctl.flash.shorten import check_self, is_own, texts_of
from inletctl.flash.slim import Edit, SlimError, edited
from inletctl.flash.trees import are_equal, uncollected, walk

ROM_FILE = Path(__file__).with_name("rom_names.txt")
# A board loads one dialect at most, and these tools at most once: their names come last.
SELDOM = ("vehicle/bus_cpc", "vehicle/can_cpc", "vehicle/bus_i3lim", "vehicle/can_i3lim", "drivers/board_file",
           "drivers/board_shape", "drivers/board_spi", "ports/records", "ports/change")  # fmt: skip
# Decorators of functions that another compiler reads: names in them are its own words.
_OTHER_COMPILERS = {"asm_pio", "viper", "native", "asm_thumb", "asm_xtensa"}
# Built-in functions that ask an object for an attribute by a text.
_ASKING = {"getattr", "setattr", "hasattr", "delattr"}


def rom_names() -> tuple[str, ...]:
    """Return the words that MicroPython has in ROM on an RP2040, but those that it asks objects for by itself; short ones first."""
    return tuple(sorted(ROM_FILE.read_text(encoding="utf-8").split(), key=len))


@uncollected
def lend(
    sources: Mapping[str, str], kept: Iterable[str] = (), as_text: Iterable[str] = ()
) -> tuple[dict[str, str], dict[str, str]]:
    """Return `sources` (path -> text of a module) with other names, and which became which.

    kept        names that something outside of these sources asks for
    as_text     paths of sources that stay as they are

    Raises SyntaxError for a source that is none, SlimError where the outcome is not as it should be.
    """
    trees = {path: ast.parse(text, path) for path, text in sources.items()}
    check_self(trees)
    foreign = foreign_names()
    held = _held(trees, set(kept), set(as_text)) | foreign
    uses = _uses({path: tree for path, tree in trees.items() if path not in as_text})
    busy = busy_names(trees)
    wanted = sorted(
        (name for name in uses if name not in held),
        # The busiest have the choice; what is seldom there comes last.
        key=lambda name: (name not in busy, -uses[name], -len(name), name),
    )
    # Of MicroPython's own names those that the firmware has no use for, not even in a text, are free.
    everything = {name for tree in trees.values() for name in identifiers(tree)}
    everything |= held - foreign | set(kept) | texts_of(list(trees.values()))
    rom = rom_names()
    taken = everything.union(rom)
    names = _shared_out(
        wanted,
        _homes(trees),
        [word for word in rom if word not in everything],
        (word for word in _short_names() if word not in taken),
        Places(tables_of(trees), everything.difference(wanted)),
    )
    return {
        path: text if path in as_text else _rewritten(text, trees[path], names, path)
        for path, text in sources.items()
    }, names


def _shared_out(
    wanted: Iterable[str],
    homes: Mapping[str, frozenset[str]],
    rom: Iterable[str],
    more: Iterator[str],
    places: Places,
) -> dict[str, str]:
    """Return a word of `rom` for each name, the same only for names without a home in common; one of `more` where none is left.

    Of the words that will do, the first of those that are found soonest.
    """
    met_by: dict[str, set[str]] = {word: set() for word in rom}  # word -> where it is
    names = {}
    for name in wanted:
        mine = homes[name]
        word, least = "", 0
        for one, met in met_by.items():
            if not met & mine:
                steps = places.steps(name, one)
                if not word or steps < least:
                    word, least = one, steps
                if not steps:
                    break
        word = word or next(more)
        met_by.setdefault(word, set()).update(mine)
        names[name] = word
        places.put(name, word)
    return names


def _homes(trees: Mapping[str, ast.Module]) -> dict[str, frozenset[str]]:
    """Return where each name is mentioned: groups of modules whose objects may be one, by the first of them."""
    groups = _groups(trees)
    found: dict[str, set[str]] = {}
    for path, tree in trees.items():
        for name in identifiers(tree):
            found.setdefault(name, set()).add(groups[path])
        for node in walk(tree):
            # An attribute that is set from outside is part of an object of who knows which module.
            if (
                isinstance(node, ast.Attribute)
                and not isinstance(node.ctx, ast.Load)
                and not is_own(node)
            ):
                found[node.attr] = set(groups.values())
    return {name: frozenset(homes) for name, homes in found.items()}


def _groups(trees: Mapping[str, ast.Module]) -> dict[str, str]:
    """Return the group of each module: a class and what it is made from make one object."""
    makers: dict[str, set[str]] = {}
    classes = [
        (path, node)
        for path, tree in trees.items()
        for node in walk(tree)
        if isinstance(node, ast.ClassDef)
    ]
    for path, node in classes:
        # By their last name: two classes of one name cost nothing but words.
        makers.setdefault(node.name, set()).add(path)
    groups = {path: path for path in trees}
    for path, node in classes:
        for base in node.bases:
            for maker in sorted(makers.get(getattr(base, "id", getattr(base, "attr", "")), ())):
                was, now = groups[maker], groups[path]
                groups = {one: now if group == was else group for one, group in groups.items()}
    return groups


def _short_names() -> Iterable[str]:
    """Yield names without an underscore: MicroPython does not keep a constant whose name begins with one."""
    for count in itertools.count(2):
        for letters in itertools.product(string.ascii_lowercase, repeat=count):
            word = "".join(letters)
            if not keyword.iskeyword(word):
                yield word


def _uses(trees: Mapping[str, ast.Module]) -> "Counter[str]":
    """Return the names that the board would keep, and of each in how many of the modules that are always there it is."""
    found: Counter[str] = Counter()
    for path, tree in trees.items():
        found.update(dict.fromkeys(_stored(tree), 0 if path.startswith(SELDOM) else 1))
    return found


def _stored(tree: ast.Module) -> set[str]:
    """Return the names of a module that are more than a place in a function."""
    found = set()
    for node in walk(tree):
        if isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.alias):
            found.update((node.asname or node.name).split("."))
    for node in tree.body:
        # Whatever the module itself gives a name to, in a branch or a loop too.
        if not isinstance(node, ast.FunctionDef | ast.ClassDef):
            found |= _bound(node)
    return found


def _bound(node: ast.AST) -> set[str]:
    return {
        part.id
        for part in walk(node)
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
    }


def identifiers(tree: ast.AST) -> Iterable[str]:
    """Yield everything in a tree that is a name of something."""
    for node in walk(tree):
        for _field, value in ast.iter_fields(node):
            if isinstance(value, str) and not isinstance(node, ast.Constant):
                yield from value.split(".")
            elif isinstance(value, list):
                yield from (one for one in value if isinstance(one, str))


def _held(trees: Mapping[str, ast.Module], kept: set[str], as_text: set[str]) -> set[str]:
    """Return the names that have to stay."""
    held = kept | set(dir(builtins)) | set(keyword.kwlist)
    for path, tree in trees.items():
        # A module is found by its path.
        held |= set(path.removesuffix(".py").split("/"))
        if path in as_text:
            held |= set(identifiers(tree))
        for node in walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                held.add(node.value)
            elif isinstance(node, ast.JoinedStr):
                held |= set(identifiers(node))
            elif isinstance(node, ast.ImportFrom | ast.Import):
                held |= _of_import(node, trees)
            elif isinstance(node, ast.Call):
                held |= _of_call(node, path)
            elif isinstance(node, ast.FunctionDef) and _is_for_others(node):
                held |= set(identifiers(node))
            elif isinstance(node, ast.ClassDef) and _is_exception(node):
                held.add(node.name)
    begun = tuple(text for text in held if _is_beginning(text))
    return held | {
        name
        for tree in trees.values()
        for name in identifiers(tree)
        # What a text begins is asked for by a name put together; what begins with two underscores is Python's.
        if name.startswith("__") or (begun and name.startswith(begun))
    }


def _of_import(node: "ast.ImportFrom | ast.Import", trees: Mapping[str, ast.Module]) -> set[str]:
    """Return what an import names that is not the firmware's own."""
    names = {alias.name for alias in node.names}
    if isinstance(node, ast.Import):
        return {part for name in names for part in name.split(".")}
    module = (node.module or "").replace(".", "/")
    held = set(module.split("/"))
    if module + ".py" not in trees and module + "/__init__.py" not in trees:
        # Somebody else's, or a package without a file of its own: its modules.
        held |= names
    return held


def _of_call(node: ast.Call, path: str) -> set[str]:
    """Return the names that a call has in a text of several. Raises SlimError for a name put together that nobody could know."""
    called = getattr(node.func, "id", getattr(node.func, "attr", ""))
    if called == "namedtuple":
        texts = [part.value for part in walk(node) if isinstance(part, ast.Constant)]
        return {
            word
            for text in texts
            if isinstance(text, str)
            for word in text.replace(",", " ").split()
        }
    if called in _ASKING and len(node.args) > 1:
        first = node.args[1]
        is_made = isinstance(first, ast.BinOp | ast.JoinedStr) or (
            isinstance(first, ast.Call) and isinstance(first.func, ast.Attribute)
        )
        while isinstance(first, ast.BinOp):
            first = first.left
        text = first.value if isinstance(first, ast.Constant) else None
        if is_made and not (isinstance(text, str) and _is_beginning(text)):
            raise SlimError(
                "%s, line %d: a name put together has to begin with a text such as '_do_'"
                % (path, node.lineno)
            )
    return set()


def _is_beginning(text: str) -> bool:
    """Tell whether names that begin so keep their names."""
    return text.startswith("_") and text.endswith("_") and len(text) > 2


def _is_for_others(node: ast.FunctionDef) -> bool:
    for decorator in node.decorator_list:
        for part in walk(decorator):
            name = getattr(part, "id", getattr(part, "attr", ""))
            if name in _OTHER_COMPILERS:
                return True
    return False


def _is_exception(node: ast.ClassDef) -> bool:
    bases = [getattr(base, "id", getattr(base, "attr", "")) for base in node.bases]
    return any(base.endswith(("Error", "Exception")) for base in bases)


def _rewritten(text: str, tree: ast.Module, names: Mapping[str, str], path: str) -> str:
    edits: list[Edit] = []
    lines = text.splitlines(keepends=True)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.NAME and token.string in names:
            line, column = token.start[0] - 1, token.start[1]
            start = len(lines[line][:column].encode())
            end = start + len(token.string.encode())
            edits.append((line, start, line, end, names[token.string].encode()))
    made = edited(text, edits)
    if not are_equal(ast.parse(made, path), _renamed(tree, names)):
        raise SlimError("%s with lent names is another program: a mistake in flash/lend.py" % path)
    return made


def _renamed(tree: ast.Module, names: Mapping[str, str]) -> ast.Module:
    """Return the tree with the names changed in place."""
    for node in walk(tree):
        if isinstance(node, ast.Constant):
            continue
        for field, value in ast.iter_fields(node):
            if isinstance(value, str):
                setattr(node, field, names.get(value, value))
            elif isinstance(value, list):
                value[:] = [names.get(one, one) if isinstance(one, str) else one for one in value]
    return tree
