"""The flash tool against an emulated RP2040: the real serial library, the real raw REPL, the real littlefs.

A small firmware instead of the whole one: what boot needs, the report, and a main that reports. The rest would only
take time: about 1.5 KB a second go over.
"""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from time import monotonic

import pytest
from flash_emulator import Board, files_in, folders_in, image_of
from flash_fakes import PENDING, FakeBoard
from rp2040py.execute_batch import execute_batch

from drivers import pending
from inletctl.emu.flash_image import board_files, make_flash
from inletctl.emu.image import PICO_LAYOUT
from inletctl.errors import UserError
from inletctl.flash.compile import build
from inletctl.flash.install import install
from inletctl.flash.listen import wait_healthy
from inletctl.flash.transport import open_link
from inletctl.house import FIRMWARE

pytestmark = [pytest.mark.emulator, pytest.mark.slow]

EMULATOR = Path(__file__).with_name("flash_emulator.py")
# The clock runs fast: on the emulator a second of the board takes many of ours.
MAIN = """
import sys
from micropython import kbd_intr
from signals import Commands
from vehicle.console import Report

# This loop hears nothing: an interrupt ends it.
kbd_intr(3)
report = Report()
commands = Commands()
commands.session = %d
now_ms = 0
while True:
    now_ms += 1000
    report.tick(now_ms, commands, 0)
    while report.pending():
        sys.stdout.write(chr(report.take()))
"""
KEPT = (
    "boot.py",
    "signals.py",
    "ticks.py",
    "drivers/__init__.py",
    "drivers/safe_pins.py",
    "drivers/pending.py",
    "drivers/finder.py",
    "vehicle/__init__.py",
    "vehicle/console.py",
    "boards/rp2040-reference.json",
)


@pytest.fixture
def uf2(monkeypatch):
    # The emulator is many times slower than a board, and shares the machine with other tests.
    monkeypatch.setattr("inletctl.flash.transport._ANSWER_S", 60)
    monkeypatch.setattr("inletctl.flash.transport._WORK_S", 300)
    monkeypatch.setattr("inletctl.flash.transport._RAW_REPL_S", 120)
    monkeypatch.setattr("inletctl.flash.install._REPORTS_S", 120)
    path = os.environ.get("MICROPYTHON_UF2")
    if not path:
        pytest.skip(
            "no MicroPython image: set MICROPYTHON_UF2 to a UF2 for the Pico, then make unit ARGS='-m emulator'"
        )
    return path


def small_firmware(folder, session=0):
    for name in KEPT:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(FIRMWARE / name, folder / name)
    (folder / "main.py").write_text(MAIN % session, encoding="utf-8")
    return build("rp2040-reference", folder)


class Emulated:
    """The emulator in a process of its own; `stop` unplugs it and keeps its flash."""

    def __init__(self, uf2, store):
        self.process = subprocess.Popen(
            [sys.executable, str(EMULATOR), uf2, str(store)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.port = "socket://127.0.0.1:%s" % self.process.stdout.readline().split()[1]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        said, _ = self.process.communicate(timeout=60)
        return said

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


def flash(board, image, tell=lambda *_: None):
    return install(lambda: open_link(board.port), image, tell)


def test_a_board_is_flashed_twice_and_reports(uf2, tmp_path):
    store = tmp_path / "flash.bin"
    first = small_firmware(tmp_path / "first")
    second = small_firmware(tmp_path / "second", session=4)
    with Emulated(uf2, store) as board:
        done = flash(board, first)
        assert len(done.plan.copy) == len(first.files)
        assert done.report.is_healthy
        again = flash(board, second)
        assert again.plan.copy == ["modules.bin"]
        assert again.report.commands["session"] == 4
        assert again.before == "openinlet %s" % first.version
        assert board.stop().count("RESET") == 2
    assert files_in(store.read_bytes()) == second.files
    print(
        "flashed %d bytes in %.1f s, one file in %.1f s"
        % (first.size, done.seconds, again.seconds)
    )


def test_a_charging_board_goes_on_charging(uf2, tmp_path, monkeypatch):
    # It boots meanwhile, at a hundredth of a board's speed.
    monkeypatch.setattr("inletctl.flash.install.LISTEN_S", 30)
    store = tmp_path / "flash.bin"
    charging = small_firmware(tmp_path / "old", session=2)
    store.write_bytes(image_of(charging.files))
    with Emulated(uf2, store) as board:
        with pytest.raises(UserError, match="The board is charging"):
            flash(board, small_firmware(tmp_path / "new"))
        assert "RESET" not in board.stop()


# pyserial's socket:// does not close a socket whose other end went first.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("at", ["copying", "putting it in place"])
def test_a_board_unplugged_midway_boots_with_one_whole_firmware(uf2, tmp_path, at):
    store = tmp_path / "flash.bin"
    old = small_firmware(tmp_path / "old", session=1)
    new = small_firmware(tmp_path / "new", session=4)
    store.write_bytes(image_of(old.files))
    with Emulated(uf2, store) as board:

        def tell(stage, done, total):
            if stage == at and done * 2 >= total:
                board.process.send_signal(signal.SIGTERM)

        with pytest.raises(UserError, match=r"disconnected|did not finish"):
            flash(board, new, tell)
        board.process.wait(timeout=60)
    with Emulated(uf2, store) as board:
        link = open_link(board.port)
        heard = wait_healthy(link, monotonic, 60)
        link.close()
        board.stop()
    found = files_in(store.read_bytes())
    assert found in (old.files, new.files)
    assert heard.newest.commands["session"] == (4 if found == new.files else 1)


def committed_board(tmp_path):
    """A board's files at the instant after the commit, every one of them still to be moved; and what they become."""
    old = small_firmware(tmp_path / "old", session=1)
    new = small_firmware(tmp_path / "new", session=4)
    board = FakeBoard({**old.files, "room/gone.mpy": b"", "settings.bin": b"mine"})
    board.folders.add("flash.new")
    for path, data in new.files.items():
        board.files[pending.staged(path).lstrip("/")] = data
    board.execute(PENDING)
    board.execute("commit(%r, ['room/gone.mpy'])" % list(new.files))
    return board.files, {**new.files, "settings.bin": b"mine"}


def boot_until_finished(uf2, image, batch):
    """Boot a chip with `image` in its flash until no flash is committed; return each different state of its flash."""
    board = Board(Path(uf2), image)
    states = [image]
    try:
        while board.ms < 3000:
            execute_batch(board.simulator, batch)
            state = board.image
            if state != states[-1]:
                states.append(state)
                if "flash.todo" not in files_in(state):
                    return states
    finally:
        board.server.close()
    pytest.fail("boot did not finish the flash in 3 s")


def test_power_cut_between_any_two_writes_of_the_finish_ends_in_the_new_firmware(uf2, tmp_path):
    """What the board's own littlefs leaves after each write is mounted anew; some of it on the board itself."""
    files, new = committed_board(tmp_path)
    states = boot_until_finished(uf2, image_of(files), 10000)
    assert len(states) > 30
    doubtful = []
    for state in states:
        board = FakeBoard(files_in(state))
        board.folders |= folders_in(state)
        board.power_on()
        if board.files != new:
            doubtful.append(state)
    # Between the two writes of a rename the host's littlefs lists one file too few; the board's own does not.
    assert len(doubtful) <= 2
    for state in doubtful + states[len(states) // 3 :: len(states) // 3][:2]:
        assert files_in(boot_until_finished(uf2, state, 20000)[-1]) == new


def test_the_running_firmware_is_stopped_by_mpremote(uf2, tmp_path):
    """Its loop takes Ctrl-C as a byte like any other, but for one that stands alone; what comes behind it is the REPL's."""
    store = tmp_path / "flash.bin"
    files = board_files("rp2040-reference", {"inlet": 1, "max_current_ma": 16000})
    store.write_bytes(make_flash(files, PICO_LAYOUT))
    with Emulated(uf2, store) as board:
        link = open_link(board.port)
        assert wait_healthy(link, monotonic, 120).newest is not None
        link.stop_firmware()
        link.close()
        assert "RESET" not in board.stop()
