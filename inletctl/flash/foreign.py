"""Names that MicroPython's own modules have, from the type stubs of both chips: the firmware's objects may not take them over.

`python -m inletctl.flash.foreign` writes foreign_names.txt anew from typings/ and typings-esp32/ (`make setup`); the tests
compare. Only of the modules that the firmware imports, and of the built-in ones.
"""

import ast
import textwrap
from pathlib import Path

from inletctl.house import ROOT, firmware_files

FILE = Path(__file__).with_name("foreign_names.txt")
STUBS = ("typings", "typings-esp32")
# What every program has without importing it, and what those are made of.
_ALWAYS = {"builtins", "__builtins__", "io", "_io", "collections", "types", "_typeshed", "typing"}


def foreign_names() -> frozenset[str]:
    """Return what the file holds."""
    return frozenset(FILE.read_text(encoding="utf-8").split())


def names_of_stubs(root: Path = ROOT) -> set[str]:
    """Return every name that the stubs define, of the modules that count. Raises OSError where there are no stubs."""
    modules = _ALWAYS | _imported()
    found: set[str] = set()
    for folder in STUBS:
        files = sorted((root / folder).rglob("*.pyi"))
        if not files:
            raise OSError("%s holds no stubs: run make setup" % (root / folder))
        for path in files:
            parts = {part.removesuffix(".pyi") for part in path.relative_to(root / folder).parts}
            if parts & (modules | {"u" + name for name in modules}):
                found |= _defined(ast.parse(path.read_text(encoding="utf-8")))
    return found


def _imported() -> set[str]:
    found = set()
    for path in firmware_files():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.partition(".")[0])
    return found


def _defined(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.alias):
            found.add((node.asname or node.name).partition(".")[0])
    return found


def main() -> None:
    """Write the file."""
    words = textwrap.fill(" ".join(sorted(names_of_stubs())), 120, break_on_hyphens=False)
    FILE.write_text(words + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
