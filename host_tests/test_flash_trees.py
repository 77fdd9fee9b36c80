"""inletctl.flash.trees: what ast says of trees, sooner."""

import ast
import gc

import pytest

from inletctl.flash.trees import are_equal, uncollected, walk
from inletctl.house import FIRMWARE, ROOT, firmware_files

# The firmware, and host code with grammar that no board has.
TEXTS = [path.read_text(encoding="utf-8") for path in firmware_files()[::4]]
TEXTS += [path.read_text(encoding="utf-8") for path in sorted((ROOT / "inletctl").glob("*.py"))]
TEXTS.append(
    "async def f(a, /, *b, c: int = 1, **d) -> None:\n"
    "    async with a as (x, y):\n        del x.y[1:2, ...], b\n"
    "    try:\n        return [await q async for q in (yield) if q not in a is not b]\n"
    "    except* E as e:\n        raise T from e\n"
    "    match a:\n        case {'k': [1, *_], **rest} | P(x=-1) | None if (z := not b):\n            global g\n"
    "    lambda *a: f'{a!r:>{b}}' @ +1 ** -2\n"
    "x: int\n(y): 'int' = 1 if a else b\nimport m.n as o\nfrom .. import p as q\n"
)


def test_every_node_is_met_in_the_order_of_ast_but_kinds():
    kinds = (ast.expr_context, ast.operator, ast.unaryop, ast.boolop, ast.cmpop)
    for text in TEXTS:
        tree = ast.parse(text)
        assert walk(tree) == [node for node in ast.walk(tree) if not isinstance(node, kinds)]


def test_two_trees_of_one_text_are_equal_wherever_it_stands():
    for text in TEXTS:
        assert are_equal(ast.parse(text), ast.parse("\n\n" + text))


@pytest.mark.parametrize(
    "other",
    [
        "x = 2", "x = 1.0", "x = True", "x = '1'", "x = -1", "x = [1]", "x = None", "y = 1", "x == 1", "x = 1; x", "", "x += 1",
        "x: a = 1", "x = y = 1", "x = 0", "def x(): 1",
    ],
)  # fmt: skip
def test_another_program_is_another(other):
    assert not are_equal(ast.parse("x = 1"), ast.parse(other))
    assert not are_equal(ast.parse(other), ast.parse("x = 1"))


@pytest.mark.parametrize(
    ("one", "other"),
    [("x + y", "x - y"), ("x < y", "x > y"), ("x = 0.0", "x = -0.0"), ("f(a)", "f(*a)"), ("f(a=b)", "f(c=b)"),
     ("from a import b", "from a import b as c"), ("from a import b", "from .a import b"), ("b'a'", "'a'"), ("f'{a}'", "f'{a!r}'"),
     ("del x", "x"), ("(0.0,)", "(-0.0,)")],
)  # fmt: skip
def test_what_is_no_name_counts_too(one, other):
    assert not are_equal(ast.parse(one), ast.parse(other))


def test_what_stands_below_a_place_that_names_nothing_is_not_forgotten():
    """A constant that the compiler folds is one value: its parts are compared as they are written."""
    assert not are_equal(ast.Constant((0.0, 1)), ast.Constant((-0.0, 1)))
    assert are_equal(ast.Constant((0.0, 1)), ast.Constant((0.0, 1)))


def test_a_firmware_file_is_no_other():
    trees = [ast.parse((FIRMWARE / name).read_text("utf-8")) for name in ("step.py", "main.py")]
    assert not are_equal(*trees)


def test_collections_go_on_after_work_that_is_done_without():
    @uncollected
    def work(has_failed):
        assert not gc.isenabled()
        if has_failed:
            raise SyntaxError
        return 7

    was_on = gc.isenabled()
    try:
        for switch, is_on in ((gc.enable, True), (gc.disable, False)):
            switch()
            assert work(False) == 7
            with pytest.raises(SyntaxError):
                work(has_failed=True)
            assert gc.isenabled() == is_on
    finally:
        (gc.enable if was_on else gc.disable)()
