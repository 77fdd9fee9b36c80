"""What the board's modules are spared: the same numbers without names, nothing that is asked for left out, no line moved."""

import ast
import subprocess
import sys

import pytest

from inletctl.flash.compile import with_values, without_words
from inletctl.flash.slim import edited, slim
from inletctl.house import FIRMWARE, ROOT


def lines_of(**sources):
    """Return module -> its lines with something on them, line number -> text."""
    made = slim({name + ".py": text for name, text in sources.items()}, {"go"})
    return {
        path[:-3]: {n: line.strip() for n, line in enumerate(text.split("\n"), 1) if line.strip()}
        for path, text in made.items()
    }


def test_a_number_stands_in_its_names_place_and_no_line_moves():
    found = lines_of(
        a="from micropython import const\n\nX = const(5)\n_Y = const(-X - 1)\n\n\ndef go():\n    return X ** _Y\n"
    )
    assert found["a"] == {7: "def go():", 8: "return 5 ** (-6)"}


def test_a_number_of_another_module_needs_no_import():
    found = lines_of(
        a="X = 1 << 20\nZ = 3\n",
        b="from a import (\n    X,\n    Z as W,\n)\nfrom c import f\n\n\ndef go(v):\n    return f(v, X) + W\n",
        c="def f(v, w):\n    return v | w\n",
    )
    assert found["a"] == {}
    assert found["b"] == {
        5: "from c import f",
        8: "def go(v):",
        9: "return f(v, 1048576) + 3",
    }
    assert found["c"] == {1: "def f(v, w):", 2: "return v | w"}


def test_a_number_of_a_number_of_another_module_is_known_whatever_the_order():
    found = lines_of(
        a="from b import Y\n\nX = Y + 1\n\n\ndef go():\n    return X\n",
        b="from c import Z\n\nY = Z * 2\n",
        c="Z = 4\n",
    )
    assert found["a"][7] == "return 9"


@pytest.mark.parametrize(
    "text",
    [
        "X = 5\n\n\ndef go(X):\n    return X\n",
        "X = 5\n\n\ndef go():\n    global X\n    X = 6\n    return X\n",
        "X = 5\nX = 6\n\n\ndef go():\n    return X\n",
        "X = 5\n\n\ndef go():\n    return [X for X in (1, 2)], X\n",
        "X = 5\n\n\ndef go():\n    return f'{X}'\n",
        "X = 5\nX += 1\n\n\ndef go():\n    return X\n",
        "X = len('abc')\n\n\ndef go():\n    return X\n",
        "X = 5.0\n\n\ndef go():\n    return X\n",
        "if True:\n    X = 5\n\n\ndef go():\n    return X\n",
        "try:\n    from b import X\nexcept ImportError:\n    X = 5\n\n\ndef go():\n    return X\n",
    ],
)
def test_a_name_that_may_be_another_number_is_left_as_it_is(text):
    assert slim({"a.py": text, "b.py": "X = 7\n"}, {"go", "X"})["a.py"] == text


def test_what_is_asked_for_by_attribute_by_text_or_within_a_function_stays():
    found = lines_of(
        a="A = 1\nB = 2\nC = 3\nD = 4\n",
        b="import a\n\n\ndef go(x):\n    from a import C\n\n    return a.A, getattr(a, 'B'), C\n",
    )
    assert found["a"] == {1: "A = 1", 2: "B = 2", 3: "C = 3"}


def test_what_only_left_out_things_mention_goes_too():
    found = lines_of(
        a="NAMES = ('x', 'y')\n\n\ndef loop(n):\n    return loop(n - 1) if n else _last(NAMES)\n\n\n"
        "def _last(names):\n    return names[-1]\n\n\nclass Idle:\n    KIND = 1\n\n    def say(self):\n"
        "        return loop(1)\n",
        b="from a import Idle, loop\n\n\ndef go():\n    return 0\n",
    )
    assert found["a"] == {}
    assert found["b"] == {4: "def go():", 5: "return 0"}


@pytest.mark.parametrize(
    "line",
    [
        "x = made()",
        "x = [].append",
        "@asm\ndef x():\n    pass",
        "class X(made()):\n    pass",
        "class X:\n    made()",
        "def x(y=made()):\n    pass",
        "import other",
    ],
)
def test_what_does_something_when_it_is_read_stays(line):
    text = "%s\n\n\ndef go():\n    return 0\n" % line
    assert slim({"a.py": text}, {"go"})["a.py"] == text


def test_a_name_that_another_module_hands_on_stays():
    found = lines_of(
        a="def f():\n    return 1\n",
        b="from a import f\n",
        c="from b import f\n\n\ndef go():\n    return f()\n",
    )
    assert found["b"] == {1: "from a import f"}
    assert found["a"]


def test_an_edit_over_several_lines_leaves_their_number():
    assert edited("a\nbcd\ne\nfgh\n", [(1, 1, 3, 2, b"-"), (0, 0, 0, 1, b"A")]) == "A\nb-\n\nh\n"


def test_cut_rows_and_other_values_move_no_line():
    source = "T = (\n    (1, 'a',\n     'b'),\n    (2, 'c', 'd'),  # d\n)\nM = ()\nend = 1\n"
    cut = with_values(without_words(source, {"T": 2}), {"M": "(1,\n)"[:1] + "1,)"})
    names = {}
    exec(cut, names)
    assert (names["T"], names["M"], names["end"]) == (((1, "a"), (2, "c")), (1,), 1)
    assert cut.split("\n").index("end = 1") == source.split("\n").index("end = 1")
    with pytest.raises(ValueError, match="no name N"):
        with_values(source, {"N": "1"})


# --------------------------------------------------------------------------------- the firmware itself

LOGIC = "faults signals settings interlock release service step lock.actuator lock.params pilot.control thermal.port"
TELL = """
import sys
for name in %r.split():
    module = __import__(name, None, None, ["x"])
    for key, value in sorted(vars(module).items()):
        if type(value) in (int, str, bytes, tuple) and not key.startswith("__"):
            print(name, key, repr(value))
"""


@pytest.fixture(scope="module")
def firmware():
    return {
        path.relative_to(FIRMWARE).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(FIRMWARE.rglob("*.py"))
        if "__pycache__" not in path.parts
    }


@pytest.fixture(scope="module")
def slimmed(firmware):
    return slim(firmware, {"start"})


def test_what_is_left_of_the_firmware_is_what_it_was(slimmed, tmp_path_factory):
    folder = tmp_path_factory.mktemp("slim")
    for path, text in slimmed.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")

    def values(where):
        command = [sys.executable, "-c", TELL % LOGIC]
        paths = "%s:%s" % (where, ROOT / "inletctl" / "shims")
        return set(
            subprocess.run(
                command, env={"PYTHONPATH": paths}, capture_output=True, text=True, check=True
            ).stdout.splitlines()
        )

    left, whole = values(folder), values(FIRMWARE)
    assert left <= whole
    assert 20 < len(left) < len(whole) / 3


def test_every_function_of_the_firmware_keeps_its_name_and_line(firmware, slimmed):
    def functions(text):
        return {
            (node.name, node.lineno, len(node.body))
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.FunctionDef)
        }

    for path, text in slimmed.items():
        assert functions(text) <= functions(firmware[path]), path
    assert functions(slimmed["step.py"]) == functions(firmware["step.py"])


def test_twice_is_once(slimmed):
    assert slim(slimmed, {"start"}) == slimmed
