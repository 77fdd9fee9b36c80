"""Opens the board this runs on: its board file, its store, its drivers. Loaded once, at boot, and forgotten."""

import gc
import sys

from micropython import const

_BOARD_FILE = "board.json"
_EXCEPTION_BYTES = const(256)


class BoardError(Exception):
    """The board cannot be used as it is; the sentence says which entry and why."""


def opened():
    """Return the drivers of the machine this runs on. Raises BoardError where it cannot be used."""
    if sys.platform == "webassembly":
        from drivers.virtual import VirtualBoard

        return VirtualBoard()
    if sys.platform not in ("rp2", "esp32"):
        raise BoardError(
            "no drivers for platform %s in this version: outputs stay safe" % sys.platform
        )
    from micropython import alloc_emergency_exception_buf

    from drivers.pending import is_committed

    # In a pass the heap is locked: an exception's words need room of their own.
    alloc_emergency_exception_buf(_EXCEPTION_BYTES)

    if is_committed():
        raise BoardError(
            "an interrupted flash is not finished: reset the board, or run make flash again; outputs stay safe"
        )
    board_file = _board_file()
    from drivers.stores import LoadedStore

    # Between what stays and what comes next: the garbage of importing and parsing splits the heap, and the next pool of
    # names would find no room in one piece (a Pico has 230 KB).
    gc.collect()

    try:
        if sys.platform == "rp2":
            from drivers.rp2040_board import Rp2040Board

            return Rp2040Board(board_file, LoadedStore("SettingsStore"))
        from drivers.esp32_board import Esp32Board

        return Esp32Board(board_file, LoadedStore("SettingsStore"))
    except (ValueError, OSError) as error:
        raise BoardError("the board's drivers do not start: %s; outputs stay safe" % error)


def _board_file():
    from drivers.board_checked import CHECKED_FILE, checked

    try:
        with open(_BOARD_FILE) as file:
            text = file.read()
        board_file = checked(text, _text_of(CHECKED_FILE))
        if board_file is None:
            from drivers.board_file import load

            board_file = load(text)
        return board_file
    except OSError:
        raise BoardError(
            "%s is missing on this board: flash it again with make flash; outputs stay safe"
            % _BOARD_FILE
        )
    except ValueError as error:  # a BoardFileError, or bytes that are no text
        raise BoardError("%s: %s; outputs stay safe" % (_BOARD_FILE, error))


def _text_of(path: str) -> str:
    """Return what the file holds, nothing where it cannot be read."""
    try:
        with open(path) as file:
            return file.read()
    except (OSError, ValueError):
        return ""
