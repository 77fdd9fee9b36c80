"""inletctl.flash.shorten: fewer names on the board, and the very same program."""

import ast
import json
import os
import subprocess
import sys

import pytest

from inletctl.flash.direct import direct
from inletctl.flash.room import BUSY, room
from inletctl.flash.shorten import shorten
from inletctl.flash.slim import SlimError, slim
from inletctl.house import FIRMWARE, ROOT, SCENARIOS, firmware_files
from inletctl.link.codec import command_line
from inletctl.scenario.load import read_scenario
from inletctl.session import Session
from inletctl.targets import cpython

TWO = {
    "a.py": """\
class A:
    def __init__(self):
        self._first = 1
        self._second = 2
        self.seen = self._first + self._second
""",
    "b.py": """\
class B:
    def __init__(self):
        self._third = 3
        self._step()

    def _step(self):
        self._third += 1
        self.seen = self._third
""",
}


DECIDES = ("lock_slips", "hvil_opens", "type1_button", "port_max_power")


@pytest.fixture(scope="module")
def sources():
    """The text of every firmware file, by its path."""
    return {
        path.relative_to(FIRMWARE).as_posix(): path.read_text(encoding="utf-8")
        for path in firmware_files()
    }


@pytest.fixture(scope="module")
def short(sources):
    """The same with short names: it takes over a second."""
    return shorten(sources)


@pytest.fixture(scope="module")
def faster(sources):
    """The same with short names, direct calls and room."""
    return shorten(direct(room(sources, BUSY)))


def put(texts, folder):
    for path, text in texts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")


def run(sources, expression):
    space = {}
    for text in sources.values():
        exec(text, space)
    return eval(expression, space)


def attributes(text):
    return {node.attr for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Attribute)}


def test_what_meets_in_one_object_stays_apart_and_the_rest_shares():
    made = shorten(TWO)
    assert attributes(made["a.py"]) == {"_a", "_b", "seen"}
    assert attributes(made["b.py"]) == {"_a", "_b", "seen"}
    assert "def _a" in made["b.py"] or "def _b" in made["b.py"]
    assert (run(made, "A().seen"), run(made, "B().seen")) == (3, 4)


@pytest.mark.parametrize(
    "text",
    [
        "class A:\n    def __init__(self, other):\n        self._kept = other._kept\n",
        "class A:\n    def __init__(self):\n        self._kept = 1\n\n\nprint(getattr(A(), '_kept'))\n",
        "class A:\n    def _kept_one(self):\n        return getattr(self, '_kept_' + 'one')\n",
        "def _kept():\n    return 1\n\n\nclass A:\n    def _kept(self):\n        return _kept()\n",
        "class A:\n    def _kept(self):\n        return 1\n\n\ndef f(a):\n    return a._kept()\n",
        "_kept = 1\n\n\nclass A:\n    def __init__(self):\n        self._kept = _kept\n",
        "class A:\n    def __init__(self, _kept):\n        self._kept = _kept\n",
        "from b import _kept\n\n\nclass A:\n    def __init__(self):\n        self._kept = 1\n",
        "class A:\n    def __init__(self):\n        self.__kept = self.__dict__\n",
    ],
)
def test_what_may_be_asked_for_by_its_name_keeps_it(text):
    assert shorten({"a.py": text}) == {"a.py": text}


def test_names_that_somebody_else_asks_for_are_kept():
    assert "_first" in shorten(TWO, {"_first"})["a.py"]


def test_classes_of_one_family_are_one_object_whatever_the_order_of_their_files():
    derived = "from base import Base\n\n\nclass Derived(Base):\n    def __init__(self):\n        self._own = 2\n        super().__init__()\n"
    base = "class Base:\n    def __init__(self):\n        self._theirs = 1\n        self.seen = self._theirs\n"
    third = "from derived import Derived\n\n\nclass Third(Derived):\n    def more(self):\n        self._third = 3\n"
    for order in ((derived, base, third), (third, derived, base), (base, third, derived)):
        made = "".join(shorten({str(n): text for n, text in enumerate(order)}).values())
        private = {name for name in attributes(made) if name.startswith("_") and len(name) == 2}
        assert private == {"_a", "_b", "_c"}


@pytest.mark.parametrize("base", ["B", "make()", "b.Unheard"])
def test_a_base_that_is_not_known_by_its_own_name_is_refused(base):
    text = "from b import Real as B\n\n\nclass A(%s):\n    pass\n" % base
    with pytest.raises(SlimError, match="class A: its base is no class by its own name"):
        shorten({"a.py": text, "b.py": "class Real:\n    pass\n"})


def test_a_short_name_that_is_taken_is_not_given():
    text = "class A:\n    def __init__(self, other):\n        self._long = other._a\n"
    assert attributes(shorten({"a.py": text})["a.py"]) == {"_b", "_a"}


def test_every_line_keeps_its_number_and_letters_of_any_length_are_met():
    text = 'class A:\n    def __init__(self):\n        x = "ä"; self._long = x; self._other = (\n            self._long)\n'
    made = shorten({"a.py": text})["a.py"]
    assert made.count("\n") == text.count("\n")
    assert "_long" not in made and "_other" not in made


def test_a_text_that_is_another_program_is_found_out(monkeypatch):
    monkeypatch.setattr("inletctl.flash.shorten.edited", lambda text, edits: text)
    with pytest.raises(SlimError, match="another program"):
        shorten(TWO)


def test_the_firmware_has_a_fraction_of_its_private_names_left(sources, short):
    assert short == shorten(sources), "the same each time"
    before, after = (
        {name for text in texts.values() for name in attributes(text) if name.startswith("_")}
        for texts in (sources, short)
    )
    assert len(after) < len(before) / 2


LOOP = """
import sys

sys.path[:0] = [sys.argv[1], sys.argv[2]]
import runpy

inlet = runpy.run_path(sys.argv[1] + "/main.py")


class Board:
    late = crashes = 0
    words = "rp2040 rp2040-reference e661"
    left = 400
    typed = bytearray(sys.argv[3].encode())
    said = bytearray()

    def settings(self):
        return {"inlet": 1, "max_current_ma": 16000, "can": 1, "modem": 1, "dc_max_a": 200, "heater": 1, "lines_used": 127}

    def note(self, sentence):
        print(sentence)

    def next_pass(self):
        self.left -= 1
        return self.left >= 0

    def now_ms(self):
        return 10 * (400 - self.left)

    def talk(self, report):
        while report.pending():
            self.said.append(report.take())

    def hear(self, desk):
        if self.typed and not desk.is_full:
            desk.hear(self.typed.pop(0))

    def failed(self, error):
        raise error

    def nothing(self, *_):
        pass

    sample = actuate = feed_watchdog = slack = begin_long = end_long = safe = stop_watchdog = nothing


board = Board()
inlet["run"](board)
print(board.said.decode())
"""


def runs_and_answers(texts, folder):
    """Run the firmware of these texts, written to `folder`, until car and desk are loaded and a question is answered."""
    put(texts, folder)
    ran = subprocess.run(
        [
            *(sys.executable, "-c", LOOP, str(folder), str(ROOT / "inletctl" / "shims")),
            command_line(1, "hello").decode(),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "cannot be loaded" not in ran.stdout and "nobody can ask" not in ran.stdout
    assert '"re":1,' in ran.stdout and "e661" in ran.stdout


def test_the_firmware_with_short_names_runs_its_loop_loads_car_and_desk_and_answers(
    tmp_path, sources
):
    runs_and_answers(shorten(slim(sources, {"run"})), tmp_path)


TRACES = """
import json, sys
from inletctl.house import FIRMWARE, SCENARIOS
from inletctl.scenario.load import read_scenario
from inletctl.session import Session
from inletctl.targets import cpython

traces = {}
for name in sys.argv[1:]:
    session = Session(read_scenario(SCENARIOS / (name + ".txt")))
    cpython.run(session)
    traces[name] = session.trace.text
print(json.dumps({"firmware": str(FIRMWARE), "traces": traces}))
"""


@pytest.fixture(scope="module")
def short_traces(tmp_path_factory, sources, short, faster):
    """What the firmware with short names, direct calls and room does in each scenario of DECIDES, in a process of its own."""
    assert any(short[path] != text for path, text in sources.items())
    assert sum(faster[path] != text for path, text in short.items()) > 40
    firmware = tmp_path_factory.mktemp("short") / "firmware"
    put(faster, firmware)
    ran = subprocess.run(
        [sys.executable, "-c", TRACES, *DECIDES],
        env={**os.environ, "INLETCTL_FIRMWARE": str(firmware)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    told = json.loads(ran.stdout)
    assert told["firmware"] == str(firmware), "or it was not the one with short names"
    return told["traces"]


@pytest.mark.parametrize("name", DECIDES)
def test_the_firmware_with_short_names_direct_calls_and_room_decides_the_same_in_every_pass(
    name, short_traces
):
    session = Session(read_scenario(SCENARIOS / (name + ".txt")))
    cpython.run(session)
    assert short_traces[name] == session.trace.text
