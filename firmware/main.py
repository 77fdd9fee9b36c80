"""Compose the board and the logic, and run the loop. Nobody imports this file.

Fixed order, every 10 ms: sample -> validate -> decide -> actuate -> report; the board waits for the period, the
step validates and decides. The watchdog is fed in one place, at the end of a whole pass; garbage is collected in
the slack after it, and only while nothing is energised.
"""

import gc
import sys

if sys.platform == "rp2":
    # A built-in module that a file could replace is looked for in the file system at every import, 10 ms a time. By its
    # name with a "u" it is found at once; what sys.modules has is not looked for again. All of ours lies in the root.
    for _name in ("array", "binascii", "errno", "json", "machine", "os", "select", "time"):
        sys.modules[_name] = __import__("u" + _name)
    sys.path[:] = [""]

from settings import Settings
from signals import Commands, Readings
from step import InletStep
from vehicle.console import Report

BOARD_FILE = "board.json"


class BoardError(Exception):
    """The board cannot be used as it is; the sentence says which entry and why."""


def open_board():
    """Return the drivers of the machine this runs on. Raises BoardError where it cannot be used."""
    if sys.platform == "webassembly":
        from drivers.virtual import VirtualBoard

        return VirtualBoard()
    if sys.platform not in ("rp2", "esp32"):
        raise BoardError(
            "no drivers for platform %s in this version: outputs stay safe" % sys.platform
        )
    from drivers.pending import is_committed

    if is_committed():
        raise BoardError(
            "an interrupted flash is not finished: reset the board, or run make flash again; outputs stay safe"
        )
    board_file = _board_file()
    from drivers.store import SettingsStore

    # Between what stays and what comes next: the garbage of importing and parsing splits the heap, and the next pool of
    # names would find no room in one piece (a Pico has 230 KB).
    gc.collect()

    try:
        if sys.platform == "rp2":
            from drivers.rp2040_board import Rp2040Board

            return Rp2040Board(board_file, SettingsStore())
        from drivers.esp32_board import Esp32Board

        return Esp32Board(board_file, SettingsStore())
    except (ValueError, OSError) as error:
        raise BoardError("the board's drivers do not start: %s; outputs stay safe" % error)


def _board_file():
    from drivers.board_file import load

    try:
        with open(BOARD_FILE) as file:
            return load(file.read())
    except OSError:
        raise BoardError(
            "%s is missing on this board: flash it again with make flash; outputs stay safe"
            % BOARD_FILE
        )
    except ValueError as error:  # a BoardFileError, or bytes that are no text
        raise BoardError("%s: %s; outputs stay safe" % (BOARD_FILE, error))


def stored_settings(board):
    """Return what the board has stored; anything unreadable is handed on as such, for Settings to refuse."""
    try:
        return board.settings()
    except (ValueError, OSError) as error:
        board.note("stored settings cannot be read: %s" % error)
        return "unreadable"


def run(board) -> None:
    """Run the loop on `board` until its power ends. Leaves every output safe, whatever happens."""
    try:
        settings = Settings(stored_settings(board))
        inlet = InletStep(settings)
        if board.crashes:
            board.note("the loop has crashed %d times in a row" % board.crashes)
            inlet.distrust(board.crashes)
        for sentence in settings.rejected:
            board.note(sentence)
        readings = Readings()
        commands = Commands()
        report = Report()
        # No collection here: the loop makes no garbage, and it is ready so much sooner.
        while board.next_pass():
            board.sample(readings)
            now_ms = board.now_ms()
            inlet.step(now_ms, readings, commands)
            board.actuate(commands)
            board.feed_watchdog()
            report.tick(now_ms, commands, board.late)
            board.talk(report)
            board.slack(not commands.s2_close and not commands.lock_drive)
    except KeyboardInterrupt:
        # A person at the console: the board must not be reset under their hands.
        board.safe()
        board.stop_watchdog()
        board.note("stopped from the console: every output is released, reset the board to go on")
        raise
    except Exception as error:
        # Safe first, then tell; nobody feeds the watchdog any more, so it resets the board.
        board.safe()
        board.failed(error)
    finally:
        board.safe()


def refuse(sentence: str) -> None:
    """Tell a person, again and again, why this board does nothing; its outputs are as boot.py left them."""
    import time

    while True:
        print(sentence)  # noqa: T201 - nothing else can be heard yet
        time.sleep(2)


def start() -> None:
    """Open the board and run it; a board that cannot be used says so until somebody listens."""
    try:
        board = open_board()
    except BoardError as error:
        if sys.platform == "webassembly":
            raise
        refuse(str(error))
    else:
        run(board)


if __name__ == "__main__":
    start()
