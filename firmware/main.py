"""Compose the board and the logic, and run the loop. Nobody imports this file.

Fixed order, every 10 ms: sample -> validate -> decide -> actuate -> report; the board waits for the period, the
step validates and decides. The watchdog is fed in one place, at the end of a whole pass.
"""

import gc
import sys

from settings import Settings
from signals import Commands, Readings
from step import InletStep


class BoardError(Exception):
    """The board cannot be used as it is; the sentence says which entry and why."""


def open_board():
    """Return the drivers of the machine this runs on. Raises BoardError where there are none."""
    if sys.platform == "webassembly":
        from drivers.virtual import VirtualBoard

        return VirtualBoard()
    raise BoardError(
        "no drivers for platform %s in this version: outputs stay safe" % sys.platform
    )


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
        for sentence in settings.rejected:
            board.note(sentence)
        readings = Readings()
        commands = Commands()
        gc.collect()
        while board.next_pass():
            board.sample(readings)
            inlet.step(board.now_ms(), readings, commands)
            board.actuate(commands)
            board.feed_watchdog()
            board.slack()
    except Exception as error:
        # Safe first, then tell; nobody feeds the watchdog any more, so it resets the board.
        board.safe()
        board.failed(error)
    finally:
        board.safe()


if __name__ == "__main__":
    run(open_board())
