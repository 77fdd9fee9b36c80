"""The journal's log on flash, loaded only while somebody writes or reads it: a board has little room.

At rest only. Where the log is away, its code is away too; it is opened anew when it is wanted, a step a call.
"""

import gc

from micropython import const

from modules import unload

_MODULES = ("drivers.flash_log", "drivers.log_reader", "drivers.board_files")
# Looks of journal.book without a use, after which the log goes away: ten seconds.
_IDLE_LOOKS = const(40)
# Kept in one piece for the two files that a write has open, 1.2 KB each on littlefs: the code that is loaded before them
# leaves holes.
_ROOM_BYTES = const(2560)


def _room(size: int):
    """Return what keeps so many bytes, None where there are none in one piece."""
    try:
        return bytearray(size)
    except MemoryError:
        return None


class Shelf:
    """
    make    make(kept) returns a drivers.flash_log.FlashLog, not yet open
    kept    kinds of records whose newest is found
    """

    def __init__(self, make, kept: tuple):
        self._make = make
        self._kept = kept
        self._idle_looks = 0
        self._room_bytes = _ROOM_BYTES
        self._room = _room(_ROOM_BYTES)
        self.log = None  # while it is wanted
        self.last = 0  # number of the newest record, as last seen
        self.lost = 0  # records found damaged

    def keep_room(self, size: int = _ROOM_BYTES) -> None:
        """Keep so many bytes free from now on, for what is written as well."""
        self._room = None
        self._room_bytes = size
        if self.log is None:
            gc.collect()
            self._room = _room(size)

    def step(self) -> bool:
        """Take the next step of opening the log; return whether it is open. Raises what loading raises."""
        self._idle_looks = 0
        if self.log is None:
            gc.collect()
            self.log = self._make(self._kept)
            return False
        self._room = None
        is_open = self.log.open_step()
        if is_open:
            self.look()
        return is_open

    def newest(self, kind: int):
        """Return the newest record of a kept kind, None where there is none. Only while the log is open. OSError."""
        return None if self.log is None else self.log.newest(kind)

    def look(self) -> None:
        """Take over what the log says of itself."""
        log = self.log
        if log is not None:
            self.last = log.last
            self.lost = log.lost

    def is_idle(self) -> bool:
        """Tell whether the log is here and nobody has wanted it for long. Ask now and then."""
        if self.log is None:
            return False
        self._idle_looks += 1
        return self._idle_looks >= _IDLE_LOOKS

    def put_away(self) -> None:
        """Do without the log until it is wanted again."""
        self.look()
        self.log = None
        self._idle_looks = 0
        for name in _MODULES:
            unload(name)
        gc.collect()
        self._room = _room(self._room_bytes)
