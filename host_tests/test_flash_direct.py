"""inletctl.flash.direct: private methods called as functions, and the very same program."""

import ast

import pytest
from mpy_run import run_script

from inletctl.flash.direct import direct
from inletctl.flash.lend import lend
from inletctl.flash.shorten import shorten
from inletctl.flash.slim import SlimError, edited
from inletctl.house import FIRMWARE, firmware_files

TALLY = '''\
class Tally:
    """Counts."""

    def __init__(self, start):
        self._count = start
        self._seen = []
        self.run(2)

    def run(self, times):
        for n in range(times):
            self._note(self._twice(n), more=[self._none() for _ in range(2)])
        self._note(
            -1,
            more=self._none(),
        )

    # A word above it.
    def _note(self, value, more=None):
        self._count += value
        self._seen.append((value, more, self._count))

    def _twice(self, n):
        """Return twice as much."""
        return (lambda: self._none() or 2 * n)()

    def _none(self):
        return None


class Other:
    def __init__(self):
        self.told = Tally(5)._seen


print(Other().told)
'''
TOLD = "[(0, [None, None], 5), (2, [None, None], 7), (-1, None, 6)]"


def made_of(text):
    return direct({"a.py": text})["a.py"]


def methods_called_directly(text):
    return {
        name
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Global)
        for name in node.names
    }


def test_a_private_method_is_called_as_a_function_and_all_else_stays(capsys):
    made = made_of(TALLY)
    assert methods_called_directly(made) == {"_note", "_twice", "_none"}
    assert "self._note(" not in made and "_note(self, _twice(self, n), more=" in made
    assert "self.run(2)" in made, "somebody else may call it"
    exec(TALLY, {"__name__": "a"})
    exec(made, {"__name__": "a"})
    assert capsys.readouterr().out.splitlines() == [TOLD, TOLD]


@pytest.mark.mpy
def test_micropython_runs_it_to_the_same_end(tmp_path):
    assert run_script(tmp_path, made_of(TALLY)) == [TOLD]


def test_every_statement_keeps_its_line():
    made = made_of(TALLY)
    lines = {
        (type(node), node.lineno)
        for node in ast.walk(ast.parse(made))
        if isinstance(node, ast.stmt)
    }
    assert {
        (type(node), node.lineno)
        for node in ast.walk(ast.parse(TALLY))
        if isinstance(node, ast.stmt)
    } <= lines
    assert made.count("\n") == TALLY.count("\n")


CALLED = (
    "class A:\n    def go(self):\n        self._it()\n\n    def _it(self):\n        return 1\n"
)


def test_the_plain_case_is_called_directly():
    """Or the cases below would prove nothing."""
    assert methods_called_directly(made_of(CALLED)) == {"_it"}


@pytest.mark.parametrize(
    "text",
    [
        CALLED + "\n    def hand(self, to):\n        to(self._it)\n",
        CALLED + "\n    def hand(self, other):\n        other._it()\n",
        CALLED + "\n\ndef ask(a):\n    return a._it()\n",
        CALLED + "\n\ndef ask(a):\n    return getattr(a, '_it')()\n",
        CALLED + "\n\ndef ask(a, b):\n    return getattr(a, '_i' + b)()\n",
        CALLED + "\n    def set(self):\n        self._it = None\n",
        CALLED + "\n    def forget(self):\n        del self._it\n",
        CALLED + "\n\n_it = 3\n",
        CALLED + "\n\ndef f(_it):\n    return _it\n",
        CALLED + "\n\nclass B:\n    def _it(self):\n        return 2\n",
        CALLED + "\n\nclass B(A):\n    def _it(self):\n        return 2\n",
        CALLED + "\n\nclass B(A):\n    def more(self):\n        self._it()\n",
        CALLED.replace("    def _it(self", "    @staticmethod\n    def _it(self"),
        CALLED.replace("def _it(self", "def _it(this"),
        CALLED.replace("_it", "it"),
        CALLED.replace("_it", "__it"),
        "from b import _it\n\n\n" + CALLED,
    ],
)
def test_what_could_be_meant_otherwise_stays_as_it_is(text):
    assert made_of(text) == text


@pytest.mark.parametrize("step", [direct, shorten, lend])
@pytest.mark.parametrize(
    "more",
    [
        "\n\ndef ask(self):\n    return self._it()\n",
        "\n\nask = lambda self: self._it()\n",
        "\n\nclass B:\n    def ask(this, self):\n        return self._it()\n",
        "\n    def ask(self, other):\n        self = other\n        return self._it()\n",
        "\n\ndef put(self):\n    self.other = 1\n",
    ],
)
def test_self_that_is_not_the_object_of_a_method_is_told(step, more):
    """Each step takes what is asked of `self` for the class's own: it would be another's, and no check would tell."""
    with pytest.raises(SlimError, match="self is not the object of a method"):
        step({"a.py": CALLED + more})


def test_a_name_that_somebody_else_asks_for_stays():
    assert direct({"a.py": CALLED}, {"_it"})["a.py"] == CALLED


def test_of_related_classes_only_a_name_that_one_of_them_has_is_called_directly():
    base = (
        CALLED
        + "\n    def wait(self):\n        self._own()\n\n    def _own(self):\n        pass\n"
    )
    derived = "from a import A\n\n\nclass B(A):\n    def _it(self):\n        return 2\n"
    made = direct({"b.py": derived, "a.py": base})
    assert methods_called_directly(made["a.py"]) == {"_own"}
    assert made["b.py"] == derived


@pytest.mark.parametrize(
    "other",
    [
        "from a import A\n\n\nclass B:\n    go = A.go\n\n    def _it(self):\n        return 2\n",
        "from a import A as Z\n\n\nclass B:\n    go = Z.go\n\n    def _it(self):\n        return 2\n",
        "import a\n\n\nclass B:\n    def run(self):\n        return a.A.go(self)\n\n    def _it(self):\n        return 2\n",
    ],
)
def test_methods_of_a_class_that_lends_them_to_other_objects_stay(other):
    """For an object of B, `go` calls what B calls so."""
    assert direct({"a.py": CALLED, "b.py": other})["a.py"] == CALLED


def test_a_method_right_below_a_statement_has_no_room_and_is_told():
    with pytest.raises(SlimError, match="line 4: no room above it"):
        made_of(CALLED.replace("\n\n", "\n"))


@pytest.mark.parametrize("call", ["self._it ()", "self._it(n for n in (1, 2))"])
def test_a_call_that_is_written_otherwise_is_told(call):
    with pytest.raises(SlimError, match="line 3: a call that is written otherwise"):
        made_of(CALLED.replace("self._it()", call))


def test_a_text_that_is_another_program_is_found_out(monkeypatch):
    monkeypatch.setattr(
        "inletctl.flash.direct.edited", lambda text, edits: edited(text, list(edits)[1:])
    )
    with pytest.raises(SlimError, match="another program"):
        made_of(CALLED)


def test_most_private_methods_of_the_firmware_are_called_directly():
    sources = {
        path.relative_to(FIRMWARE).as_posix(): path.read_text(encoding="utf-8")
        for path in firmware_files()
    }
    made = direct(sources)
    assert made == direct(sources), "the same each time"
    assert {"_collect_reasons", "_go"} <= methods_called_directly(made["interlock.py"])
    count = sum(len(methods_called_directly(text)) for text in made.values())
    private = sum(text.count("    def _") - text.count("    def __") for text in sources.values())
    assert count > private / 2
