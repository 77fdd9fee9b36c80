"""inletctl.flash.places: where MicroPython looks for a name."""

import ast

import pytest
from mpy_run import run_script

from inletctl.flash.places import Places, classes_of, hash_of, members, size_of, tables_of

WORDS = ("a", "EIO", "pi", "ticks_diff", "__name__", "mem32", "ä")


@pytest.mark.mpy
def test_the_hash_is_micropythons(tmp_path):
    """A build keeps a byte of it or two; the lower one is the same but where all kept are 0."""
    said = run_script(tmp_path, "for word in %r:\n    print(hash(word))\n" % (WORDS,))
    assert [int(line) & 0xFF or 1 for line in said] == [hash_of(word) for word in WORDS]


@pytest.mark.parametrize(
    ("count", "size"), [(1, 2), (2, 2), (11, 12), (12, 12), (13, 17), (47, 47)]
)
def test_a_table_has_the_first_size_that_holds_all(count, size):
    assert size_of(count) == size


def words_at(first, size):
    """Words that a table of `size` is first asked for at place `first`."""
    return [a + b for a in "abcdefghij" for b in "abcdefghij" if hash_of(a + b) % size == first]


def test_a_word_steps_over_what_was_there_before_it_and_round_the_end():
    one, two, three = words_at(5, 6)[:3]
    places = Places([frozenset({"x", "y", "z", "v", "w"})])
    assert places.steps("x", one) == 0
    places.put("x", one)
    assert places.steps("y", two) == 1
    places.put("y", two)
    assert places.steps("z", three) == 2
    assert places.steps("z", words_at(1, 6)[0]) == 0
    assert places.steps("z", words_at(0, 6)[0]) == 1, "the second one went round the end"
    assert places.steps("nobody's", one) == 0


def test_names_that_stay_are_there_from_the_start():
    stays = words_at(3, 6)[0]
    places = Places([frozenset({"x", "y", "z", "v", stays})], {stays})
    assert places.steps("x", words_at(3, 6)[1]) == 1


def test_a_name_counts_in_every_table_that_it_is_in():
    places = Places([frozenset({"x", "a"}), frozenset({"x", "b"})])
    one, two = words_at(1, 2)[:2]
    places.put("a", one)
    places.put("b", one)
    assert places.steps("x", two) == 2


def test_a_full_table_has_no_place_left():
    places = Places([frozenset({"x", "y"}), frozenset({"z"})])
    for name, word in zip("xy", words_at(0, 2), strict=False):
        places.put(name, word)
    assert places.steps("x", "more") == 2


TEXT = """\
from ticks import ticks_diff as diff
import drivers.pins

LIMIT, OTHER = 3, 4
if LIMIT:
    last: int = 5


def f(argument):
    inside = argument
    return inside


class Base:
    def __init__(self):
        self.kept = 1
        other.told = 2


class Made(Base):
    shown = 3

    def __init__(self):
        super().__init__()
        self.own, self.more = 1, 2
        del self.more

    global _step
    def _step(self):
        self.late = 1
        return self.read
"""


def test_tables_are_those_of_modules_classes_and_objects():
    tables = tables_of({"a.py": ast.parse(TEXT)})
    assert set(tables) == {
        frozenset({"__name__", "__file__", "diff", "drivers", "LIMIT", "OTHER", "last", "f", "Base", "Made", "_step"}),
        frozenset({"kept"}),
        frozenset({"__module__", "__qualname__", "__init__"}),
        frozenset({"__module__", "__qualname__", "__init__", "shown"}),
        frozenset({"kept", "own", "more", "late"}),
    }  # fmt: skip


def test_members_of_one_method_are_those_set_there():
    classes = classes_of({"a.py": ast.parse(TEXT)})
    assert members(classes["Made"], classes, "__init__") == {"kept", "own", "more"}
