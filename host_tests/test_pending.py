"""An interrupted flash: wherever the power goes, the next boot finds the whole old firmware or the whole new one."""

import json

import pytest
from flash_fakes import PENDING, FakeBoard, PowerCut
from mpy_run import run_script

from drivers import pending

OLD = {
    "boot.py": b"old boot",
    "main.py": b"old main",
    "drivers/__init__.mpy": b"same",
    "drivers/pending.mpy": b"old pending",
    "step.py": b"old step, as text",
    "gone/__init__.mpy": b"",
    "gone/deep/part.mpy": b"x",
    "settings.bin": b"mine",
    "lib/theirs.py": b"theirs",
}
MOVE = {
    "drivers/pending.mpy": b"new pending",
    "boot.py": b"new boot",
    "step.mpy": b"new step",
    "room/__init__.mpy": b"",
    "main.py": b"new main",
}
DELETE = ["step.py", "gone/__init__.mpy", "gone/deep/part.mpy"]
NEW = {path: data for path, data in {**OLD, **MOVE}.items() if path not in DELETE}


def board_with_upload(is_committed, files=OLD, move=MOVE, delete=DELETE):
    board = FakeBoard(files)
    board.folders.add("flash.new")
    for path, data in move.items():
        board.files[pending.staged(path).lstrip("/")] = data
    if is_committed:
        board.execute(PENDING)
        board.execute("commit(%r, %r)" % (list(move), delete))
        board.operations = 0
    return board


def test_a_board_without_an_interrupted_flash_is_left_alone():
    board = FakeBoard(OLD)
    assert board.boot() == ""
    assert board.files == OLD


def test_an_upload_that_was_not_committed_is_thrown_away():
    board = board_with_upload(is_committed=False)
    board.files["flash.todo.tmp"] = b'{"v":1'
    assert board.boot() == ""
    assert board.files == OLD
    assert "flash.new" not in board.folders


def test_a_committed_flash_is_finished_and_empty_folders_go():
    board = board_with_upload(is_committed=True)
    assert board.boot() == "an interrupted flash was finished: 5 files"
    assert board.files == NEW
    assert board.folders == {"drivers", "lib", "room"}
    assert board.boot() == ""


def test_a_cut_before_any_operation_of_the_finish_is_made_good_at_the_next_boot():
    whole = board_with_upload(is_committed=True)
    whole.boot()
    for cut in range(whole.operations + 1):
        board = board_with_upload(is_committed=True)
        board.cut_at = cut
        try:
            board.boot()
        except PowerCut:
            assert cut < whole.operations
        board.power_on()
        assert board.files == NEW, cut
        assert board.folders == {"drivers", "lib", "room"}, cut
    assert whole.operations > 30


def test_any_number_of_cuts_ends_in_the_new_firmware():
    """Each boot gets three operations further than the one before it; none loses what the others did."""
    board = board_with_upload(is_committed=True)
    boots = 0
    while True:
        boots += 1
        board.operations, board.cut_at = 0, 3 * boots
        try:
            board.boot()
        except PowerCut:
            continue
        break
    assert boots > 5
    assert board.files == NEW


@pytest.mark.parametrize("is_torn", [False, True])
def test_a_cut_while_committing_leaves_all_or_nothing(is_torn):
    outcomes = set()
    for cut in range(12):
        board = board_with_upload(is_committed=False)
        board.is_torn = is_torn
        board.execute(PENDING)
        board.operations, board.cut_at = 0, cut
        try:
            board.execute("commit(%r, %r)" % (list(MOVE), DELETE))
        except PowerCut:
            board.cut_at = None
        board.power_on()
        assert board.files in (OLD, NEW)
        outcomes.add(board.files == NEW)
    assert outcomes == {False, True}


DAMAGES = [
    lambda text: b"",
    lambda text: text[:-1],
    lambda text: text[:20],
    lambda text: text.replace(b"boot", b"root"),
    lambda text: text.replace(b'"v":1', b'"v":2'),
    lambda text: b"\xff" * len(text),
    lambda text: text + b" ",
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_list_is_dropped_and_the_old_firmware_kept(damage):
    board = board_with_upload(is_committed=True)
    board.files["flash.todo"] = damage(board.files["flash.todo"])
    assert "its list is damaged" in board.boot()
    assert board.files == OLD
    assert board.boot() == ""


def test_a_list_of_a_later_version_is_not_guessed_at():
    text = '{"v":2,"move":[],"delete":[]'
    import binascii

    with pytest.raises(ValueError, match="version 2 is not known"):
        pending.read('%s,"crc":"%08x"}' % (text, binascii.crc32(text.encode())))


def test_a_failing_file_system_is_told_and_the_flash_stays_committed():
    board = board_with_upload(is_committed=True)
    board.restart()
    board.execute(PENDING)

    def rename(_old, _new):
        raise OSError(5, "EIO")

    board.space["os"].rename = rename
    with pytest.raises(OSError, match="EIO"):
        board.execute("finish()")
    board.execute("print(is_committed())")
    assert board.printed.getvalue() == "True\n"
    assert board.boot() == "an interrupted flash was finished: 5 files"
    assert board.files == NEW


def test_what_is_gone_already_is_no_error():
    board = board_with_upload(is_committed=True)
    del board.files["step.py"]
    del board.files["flash.new/main.py"]
    board.boot()
    assert board.files == {**NEW, "main.py": b"old main"}


SCRIPT = """
import os
def put(path, text):
    with open(path, "w") as file:
        file.write(text)
def walk(folder, found):
    for entry in os.ilistdir(folder):
        path = folder.rstrip("/") + "/" + entry[0]
        if entry[1] == 0x4000:
            walk(path, found)
        else:
            with open(path) as file:
                found[path[1:]] = file.read()
    return found
os.mkdir("/board")
os.chdir("/board")
"""


@pytest.mark.mpy
def test_micropython_finishes_it_too(tmp_path):
    """The same code on a real MicroPython; its root holds the machine's own folders, so only ours are compared."""
    # The file system of this build is the browser's, with error numbers of its own.
    script = PENDING + "\nENOENT = 44\n" + SCRIPT
    script += "for p in %r: os.mkdir('/' + p)\n" % ["drivers", "gone", "gone/deep", "flash.new"]
    ours = {path: data.decode() for path, data in OLD.items() if not path.startswith("lib")}
    ours.update({pending.staged(path)[1:]: data.decode() for path, data in MOVE.items()})
    script += "for p, t in %r.items(): put('/' + p, t)\n" % ours
    script += "commit(%r, %r)\nprint(is_committed(), finish(), is_committed())\n" % (
        list(MOVE),
        DELETE,
    )
    script += "import json\nfound = {}\nfor e in os.listdir('/'):\n"
    script += "    if e in ('drivers', 'room', 'gone', 'flash.new'): walk('/' + e, found)\n"
    script += "    elif e.endswith(('.py', '.mpy', '.todo', '.tmp', '.bin')):\n"
    script += "        with open('/' + e) as file: found[e] = file.read()\n"
    script += "print(json.dumps(found))\nprint(finish() == '')\n"
    told, found, again = run_script(tmp_path, script)
    assert told == "True an interrupted flash was finished: 5 files False"
    assert json.loads(found) == {
        path: data.decode() for path, data in NEW.items() if not path.startswith("lib")
    }
    assert again == "True"
