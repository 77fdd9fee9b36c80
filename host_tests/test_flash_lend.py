"""inletctl.flash.lend: names that MicroPython has in ROM, and the very same program."""

import ast
import keyword
from itertools import pairwise

import pytest
from mpy_run import run_script
from test_flash_shorten import LOOP, runs_and_answers

from inletctl.flash.compile import quickened
from inletctl.flash.foreign import foreign_names, names_of_stubs
from inletctl.flash.lend import identifiers, lend, rom_names
from inletctl.flash.slim import SlimError
from inletctl.house import FIRMWARE, firmware_files

TWO = {
    "a.py": """\
LIMIT = [3]


class Tally:
    def __init__(self, first_value):
        self.how_many = first_value

    def count_on(self, by_how_many=1):
        self.how_many += by_how_many
        return self.how_many
""",
    "b.py": """\
from a import LIMIT, Tally

seen = Tally(first_value=LIMIT[0]).count_on(by_how_many=4)
""",
}


def run_both(texts):
    space = {}
    exec(texts["a.py"], space)
    kept = {}
    exec(texts["b.py"].replace("from a import", "#"), kept | space, kept)
    return kept


def test_one_name_becomes_one_word_in_every_module():
    texts, names = lend(TWO, {"seen"})
    assert {
        "how_many",
        "count_on",
        "first_value",
        "by_how_many",
        "Tally",
        "LIMIT",
    } <= names.keys()
    assert set(names.values()) <= set(rom_names())
    assert len(set(names.values())) == len(names)
    assert run_both(texts)["seen"] == run_both(TWO)["seen"] == 7
    assert texts["a.py"].count("\n") == TWO["a.py"].count("\n")


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("class A:\n    def f(self, o):\n        return getattr(o, 'by_name')\n\n    def by_name(self):\n        pass\n", "by_name"),
        ("class A:\n    def f(self):\n        return getattr(self, '_do_' + 'it')\n\n    def _do_it(self):\n        pass\n", "_do_it"),
        ("from collections import namedtuple\n\nPair = namedtuple('Pair', 'first_one, other_one')\n\n\ndef f(o):\n    return o.other_one\n", "other_one"),
        ("class OddError(ValueError):\n    pass\n", "OddError"),
        ("class Port:\n    def readinto(self, buffer):\n        pass\n", "readinto"),
        ("import struct\n\n\ndef f(data):\n    return struct.unpack('<I', data)\n", "unpack"),
        ("from machine import Pin\n\nPIN = Pin(1, Pin.OUT)\n", "Pin"),
        ("def f(number):\n    return f'{number.how_many} pieces'\n\n\nhow_many = 1\n", "how_many"),
        ("@micropython.viper\ndef f(samples: ptr16) -> int:\n    high = int(samples[0])\n    return high\n", "samples"),
        ("from rp2 import asm_pio\n\n\n@asm_pio()\ndef program():\n    wrap_target()\n", "wrap_target"),
        ("class A:\n    __slots__ = ('own_slot',)\n\n    def f(self):\n        return self.own_slot\n", "own_slot"),
    ],
)  # fmt: skip
def test_what_somebody_else_asks_for_keeps_its_name(text, kept):
    texts, names = lend({"a.py": text})
    assert kept not in names and kept in texts["a.py"]


@pytest.mark.parametrize(
    "name",
    ["'_' + a", "a + '_it'", "'on_' + a", "'_do_%s' % a", "'{}_it'.format(a)", "f'_do_{a}'"],
)
def test_a_name_put_together_that_nobody_could_know_is_told(name):
    """The names themselves would be others on the board, and only there."""
    with pytest.raises(SlimError, match=r"a\.py, line 2: a name put together"):
        lend({"a.py": "def f(o, a):\n    return getattr(o, %s)\n" % name})


def test_what_goes_as_text_stays_and_its_names_too():
    texts, names = lend({**TWO, "boot.py": "from a import LIMIT\n"}, (), ("boot.py",))
    assert texts["boot.py"] == "from a import LIMIT\n"
    assert "LIMIT" not in names and "Tally" in names


def test_a_word_that_the_firmware_says_itself_is_not_given():
    word = rom_names()[0]
    texts, names = lend({"a.py": "def f(o, long_name):\n    return o.%s(long_name)\n" % word})
    assert word not in names.values() and word in texts["a.py"]


def test_a_word_that_a_text_mentions_is_not_given_though_micropython_has_it_too():
    """Who asks for an attribute by that text would find another one: `rate` is a name of the stubs."""
    assert "rate" in foreign_names() and "rate" in rom_names()
    asks = "def f(o):\n    return getattr(o, 'rate', None)\n\n\nclass A:\n    def g(self):\n"
    many = "".join("        self.rather_long_%d = %d\n" % (n, n) for n in range(2000))
    assert "rate" not in lend({"a.py": asks + many})[1].values()


def test_letters_of_any_length_and_texts_are_met():
    text = "class A:\n    def f(self):\n        x = 'ä how_many'; self.how_many = x; self.other_one = (\n            self.how_many)\n"
    made = lend({"a.py": text})[0]["a.py"]
    assert "'ä how_many'" in made and "self.how_many" not in made and "other_one" not in made


def test_where_rom_has_no_words_left_names_are_short():
    many = "class A:\n    def f(self):\n" + "".join(
        "        self.rather_long_%d = %d\n" % (n, n) for n in range(2000)
    )
    _texts, names = lend({"a.py": many})
    assert len(set(names.values())) == len(names)
    others = set(names.values()) - set(rom_names())
    assert len(names) >= 2000 and others and max(map(len, others)) <= 3
    assert not [name for name in others if name.startswith("_")], "a constant would be lost"


@pytest.mark.mpy
def test_a_constant_that_another_module_asks_for_is_there_on_micropython(monkeypatch, tmp_path):
    """MicroPython keeps no constant whose name begins with an underscore: its new name must not."""
    monkeypatch.setattr("inletctl.flash.lend.rom_names", lambda: ())
    texts, names = lend(
        {
            "given.py": "from micropython import const\n\nFRAME_ID = const(0x358)\n",
            "asker.py": "import given as m\n\n\ndef f():\n    return m.FRAME_ID\n",
        },
        {"f"},
    )
    assert "FRAME_ID" in names
    said = run_script(tmp_path, "import asker\nprint(asker.f())\n", (), texts)
    assert said == ["856"]


APART = {
    "a.py": "class A:\n    def f(self):\n        self.one_thing = 1\n        self.one_more = 2\n",
    "b.py": "class B:\n    def g(self):\n        self.other_thing = 1\n",
}


def test_names_of_modules_that_share_no_object_share_words():
    _texts, names = lend(APART)
    assert names["other_thing"] in {names["one_thing"], names["one_more"], names["A"]}
    assert len({names["one_thing"], names["one_more"], names["A"]}) == 3


@pytest.mark.parametrize(
    "more",
    [
        {
            "b.py": "from a import A\n\n\nclass B(A):\n    def g(self):\n        self.other_thing = 1\n"
        },
        {"b.py": "import a\n\n\nclass B(a.A):\n    def g(self):\n        self.other_thing = 1\n"},
        {"b.py": "def g(thing):\n    thing.other_thing = 1\n"},
        {"b.py": "def g(thing):\n    thing.other_thing += 1\n"},
        {"b.py": "def g(thing):\n    del thing.other_thing\n"},
        {
            "b.py": "class B(C):\n    def g(self):\n        self.other_thing = 1\n",
            "c.py": "class C(A):\n    pass\n",
        },
    ],
)
def test_names_that_may_meet_in_one_object_do_not(more):
    _texts, names = lend({**APART, **more})
    mine = {names[name] for name in ("one_thing", "one_more") if name in names}
    assert len(mine) == 2 and names["other_thing"] not in mine


def test_a_text_that_is_another_program_is_found_out(monkeypatch):
    monkeypatch.setattr("inletctl.flash.lend.edited", lambda text, edits: text)
    with pytest.raises(SlimError, match="another program"):
        lend(TWO)


def test_the_list_of_foreign_names_is_that_of_the_stubs():
    assert foreign_names() == names_of_stubs(), "python -m inletctl.flash.foreign"


def test_no_stubs_are_told(tmp_path):
    with pytest.raises(OSError, match="make setup"):
        names_of_stubs(tmp_path)


def test_words_of_the_rom_are_names_that_nothing_asks_an_object_for():
    words = rom_names()
    assert len(words) == len(set(words)) > 800
    assert all(word.isidentifier() and not keyword.iskeyword(word) for word in words)
    assert not [word for word in words if word.startswith("_")]
    asked = {"ioctl", "readblocks", "writeblocks", "read", "readinto", "write", "close", "open", "stat", "mount", "umount",
             "ilistdir", "chdir", "getcwd", "seek", "flush", "throw", "send"}  # fmt: skip
    assert not asked & set(words)
    assert all(len(a) <= len(b) for a, b in pairwise(words))


def make_board_sources():
    sources = {
        path.relative_to(FIRMWARE).as_posix(): path.read_text(encoding="utf-8")
        for path in firmware_files()
    }
    kept = {"run", *identifiers(ast.parse(LOOP))}
    short = quickened(sources, kept)
    return short, *lend(short, kept, ("boot.py",))


@pytest.fixture(scope="module")
def board_sources():
    """The firmware's texts with short names, those with lent ones, and which became which; not to be changed."""
    return make_board_sources()


def test_the_firmware_has_all_its_own_names_in_rom_and_each_time_the_same(board_sources):
    short, texts, names = board_sources
    assert (short, texts, names) == make_board_sources()
    assert len(names) > 1000 and set(names.values()) <= set(rom_names())
    for text in short.values():
        said = set(identifiers(ast.parse(text)))
        assert len({names.get(name, name) for name in said}) == len(said), "two became one"


def test_the_firmware_with_lent_names_runs_its_loop_loads_car_and_desk_and_answers(
    tmp_path, board_sources
):
    runs_and_answers(board_sources[1], tmp_path)
