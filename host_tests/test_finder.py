"""What import is told of the packed modules, and that everything else is found as ever."""

import errno
import sys
import types
from io import BytesIO

import pytest
from mpy_run import run_script

from drivers import finder
from inletctl.flash.pack import pack

MODULES = {
    "step.mpy": b"M" * 3000,
    "pilot/duty.mpy": bytes(range(256)) * 4,
    "pilot/control.mpy": b"x",
}
PACKED = pack(MODULES)


def packed():
    return finder.Finder(BytesIO(PACKED))


def kind(found, path):
    try:
        return {0x4000: "folder", 0x8000: "file"}[found.stat(path)[0]]
    except OSError as error:
        assert error.args[0] == errno.ENOENT
        return None


def test_modules_are_files_and_what_they_lie_in_are_folders():
    asked = ("/step", "/step.py", "/step.mpy", "/pilot", "/pilot/duty", "/pilot/duty.py")
    assert [kind(packed(), path) for path in asked] == [None, None, "file", "folder", None, None]
    assert kind(packed(), "/pilot/duty.mpy") == "file"
    assert len(packed().stat("/step.mpy")) == 10, "MicroPython wants ten"


def test_what_is_not_packed_is_not_there():
    for path in ("/mine", "/mine.mpy", "/duty.mpy", "/pilot/__init__.mpy", "step.mpy", "/", ""):
        assert kind(packed(), path) is None
        with pytest.raises(OSError):
            packed().open(path, "rb")
    assert list(packed().ilistdir("/")) == []


def test_each_module_comes_out_as_it_went_in_in_any_order():
    found = packed()
    for path in [*MODULES, *reversed(MODULES)]:
        assert found.open("/" + path, "rb").read() == MODULES[path]


@pytest.mark.parametrize("size", [1, 20, 255, 5000])
def test_where_the_memory_has_no_room_in_one_piece_a_module_comes_piece_by_piece(
    monkeypatch, size
):
    found = packed()

    def no_room(*_):
        raise MemoryError

    monkeypatch.setattr(
        finder, "io", types.SimpleNamespace(BytesIO=no_room, IOBase=finder.io.IOBase)
    )
    for path, module in MODULES.items():
        part = found.open("/" + path, "rb")
        other = found.open("/step.mpy", "rb")
        buffer = bytearray(size)
        read = b""
        while count := part.readinto(buffer):
            read += buffer[:count]
            other.readinto(bytearray(7))  # each has its own place
        assert read == module


def test_import_may_ask_a_part_for_its_most_and_close_it():
    part = finder.Part(BytesIO(PACKED), 0, 1)
    # MicroPython's py/stream.h: get buffer size, close, flush.
    assert [part.ioctl(request, 0) for request in (11, 4, 1)] == [255, 0, -1]


@pytest.mark.parametrize("data", [b"", b"M\x06", PACKED[:25], b"openinlet modules 2 00000\n"])
def test_a_file_that_is_none_is_told(data):
    with pytest.raises(ValueError, match="holds no modules"):
        finder.Finder(BytesIO(data))


@pytest.fixture
def board(monkeypatch, tmp_path):
    """MicroPython's vfs as far as the finder uses it, and where the packed file would be."""
    vfs = types.ModuleType("vfs")
    vfs.mounted = {}
    vfs.mount = lambda what, where: vfs.mounted.update({where: what})
    monkeypatch.setitem(sys.modules, "vfs", vfs)
    monkeypatch.setitem(sys.modules, "drivers", types.ModuleType("drivers"))
    monkeypatch.setattr(sys, "path", ["", ".frozen", "/lib"])
    monkeypatch.setattr(finder, "PACKED", str(tmp_path / "modules.bin"))
    yield tmp_path
    for found in vfs.mounted.values():
        found._file.close()


def test_it_is_asked_first_and_the_root_after_it(board):
    (board / "modules.bin").write_bytes(PACKED)
    finder.install()
    ((where, found),) = sys.modules["vfs"].mounted.items()
    assert sys.path == [where, "", ".frozen", "/lib"]
    assert sys.modules["drivers"].__path__ == where + "/drivers"
    assert kind(found, "/step.mpy") == "file"


def test_without_a_packed_file_modules_are_found_by_themselves(board):
    finder.install()
    assert sys.path == ["", ".frozen", "/lib"]
    assert not sys.modules["vfs"].mounted


def test_a_broken_packed_file_is_not_taken(board):
    (board / "modules.bin").write_bytes(b"rotten" * 20)
    with pytest.raises(ValueError, match="holds no modules"):
        finder.install()
    assert not sys.modules["vfs"].mounted


IN_VAIN = """
import gc
import io
from drivers.finder import Finder

found = Finder(io.BytesIO(PACKED))

def ask():
    try:
        found.stat("/mine.mpy")
    except OSError:
        pass
    try:
        found.open("/mine.mpy", "rb")
    except OSError:
        pass

ask()
"""
ASKED = "gc.collect()\nbefore = gc.mem_alloc()\nfor _ in range(500):\n    ask()\n"
TOLD = "gc.collect()\nprint(gc.mem_alloc() - before)\n"


@pytest.mark.mpy
def test_what_is_looked_for_in_vain_again_and_again_takes_no_memory(tmp_path):
    """Each import looks for two names in vain, and the journal's code is imported for each of its records."""
    script = "PACKED = %r\n" % PACKED + IN_VAIN
    lines = run_script(tmp_path, script, ["drivers/finder.py"], then=(ASKED, TOLD))
    assert -200 < int(lines[0]) < 200
