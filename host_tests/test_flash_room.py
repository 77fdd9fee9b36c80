"""inletctl.flash.room: objects with room in their tables, and else the very same program."""

import ast

import pytest
from mpy_run import run_script

from inletctl.flash.room import BUSY, room
from inletctl.flash.slim import SlimError
from inletctl.house import FIRMWARE, firmware_files

SIZES = (2, 4, 6, 8, 10, 12, 17, 23, 29, 37, 47, 59, 73, 97)


def of(count, last="self.a0: int = 7  # last", after=""):
    more = "".join("        self.a%d = %d\n" % (n, n) for n in range(1, count))
    return (
        'class A:\n    """A."""\n\n    def __init__(self):\n        """Begin."""\n%s        %s\n%s'
        % (
            more,
            last,
            after,
        )
    )


def made_of(text):
    return room({"a.py": text}, {"a.py": ("A",)})["a.py"]


def set_and_deleted(text):
    """Return how many attributes a text sets and deletes again."""
    found = [
        {
            node.attr
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, kind)
        }
        for kind in (ast.Store, ast.Del)
    ]
    return len(found[0] & found[1])


@pytest.mark.parametrize("count", [12, 16, 17, 22, 23, 40, 49, 59])
def test_a_table_that_is_nearly_full_takes_its_next_size_and_holds_what_it_held(count):
    made = made_of(of(count))
    size = next(size for size in SIZES if size >= count)
    assert count + set_and_deleted(made) == size + 1
    assert made.count("\n") == of(count).count("\n")
    told = {}
    exec(made, told)
    assert vars(told["A"]()) == {"a0": 7} | {"a%d" % n: n for n in range(1, count)}


@pytest.mark.parametrize("count", [13, 18])
def test_a_table_with_room_stays_as_it_is(count):
    assert made_of(of(count)) == of(count)


def test_where_more_is_set_later_the_attributes_stay():
    later = "\n    def more(self):\n" + "".join("        self.b%d = 1\n" % n for n in range(9))
    told = {}
    exec(made_of(of(13, after=later)), told)
    one = told["A"]()
    assert set_and_deleted(made_of(of(13, after=later))) == 0
    one.more()
    assert len(vars(one)) == 23 + 1


def test_what_a_class_is_made_from_counts_with_it():
    derived = "from a import A\n\n\nclass B(A):\n    def __init__(self):\n        super().__init__()\n        self.b = 1\n"
    made = room({"a.py": of(16), "b.py": derived}, {"b.py": ("B",)})
    assert made["a.py"] == of(16) and set_and_deleted(made["b.py"]) == 17 + 1 - 17


def test_the_last_plain_statement_is_followed_whatever_comes_behind_it():
    text = of(12, after="        if self.a1:\n            self.a1 = 0\n")
    told = {}
    exec(made_of(text), told)
    assert set_and_deleted(made_of(text)) == 1 and told["A"]().a1 == 0


def test_a_class_that_is_not_there_or_has_nothing_to_follow_is_told():
    with pytest.raises(SlimError, match=r"a\.py has no class B that needs room"):
        room({"a.py": of(12)}, {"a.py": ("B",)})
    with pytest.raises(SlimError, match="class A has no __init__ with a plain statement"):
        made_of(of(12).replace("__init__", "init"))


def test_a_text_that_is_another_program_is_found_out(monkeypatch):
    monkeypatch.setattr("inletctl.flash.room.edited", lambda text, edits: text)
    with pytest.raises(SlimError, match="another program"):
        made_of(of(12))


def test_each_busy_class_of_the_firmware_is_there():
    sources = {
        path.relative_to(FIRMWARE).as_posix(): path.read_text(encoding="utf-8")
        for path in firmware_files()
    }
    assert set(BUSY) <= sources.keys()
    made = room(sources, BUSY)
    assert 10 < sum(made[path] != text for path, text in sources.items()) <= len(BUSY)


@pytest.mark.mpy
def test_on_micropython_the_table_is_larger_and_holds_the_same(tmp_path):
    """Of 17 places for 12 attributes, of 8 bytes each: or the sizes are others by now."""
    script = """
import gc


def bytes_of_ten(make):
    made = [None] * 10
    make()
    gc.collect()
    before = gc.mem_alloc()
    for n in range(10):
        made[n] = make()
    gc.collect()
    print(gc.mem_alloc() - before, sorted(made[0].__dict__.items()))


%s

full = A
%s

bytes_of_ten(full)
bytes_of_ten(A)
"""
    said = run_script(tmp_path, script % (of(12), made_of(of(12))))
    sizes, held = zip(*(line.split(" ", 1) for line in said), strict=True)
    assert held[0] == held[1] and held[0].count("a") == 12
    assert int(sizes[1]) - int(sizes[0]) == 10 * (144 - 96)
