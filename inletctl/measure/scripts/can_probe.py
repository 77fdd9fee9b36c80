"""Runs in place of main.py on the emulated board: the same loop, with the start and end of each pass on a pin.

The pin is one that the Pico keeps for itself and the emulator leaves free: every other one may belong to the board. The
heap is locked once the desk has been there for so many passes, so one allocated byte ends the run.
"""

import machine
import micropython

MARK_GPIO = 23
LOCK_AFTER = 15

mark = machine.Pin(MARK_GPIO, machine.Pin.OUT, value=0)
micropython.alloc_emergency_exception_buf(200)


class Probe:
    """Forwards every call to the board; what is called in a pass by itself, so that no method is made anew."""

    def __init__(self, board):
        self._board = board
        self._mark = mark
        self._heard = 0
        self._is_locked = False
        self.late = 0
        self.words = board.words

    def __getattr__(self, name):
        return getattr(self._board, name)

    def next_pass(self):
        self._board.next_pass()
        self.late = self._board.late
        if not self._is_locked and self._heard == LOCK_AFTER:
            self._is_locked = True
            micropython.heap_lock()
        self._mark(1)
        return True

    def now_ms(self):
        return self._board.now_ms()

    def sample(self, readings):
        self._board.sample(readings)

    def actuate(self, commands):
        self._board.actuate(commands)

    def feed_watchdog(self):
        self._board.feed_watchdog()

    def talk(self, report):
        self._board.talk(report)

    def hear(self, desk):
        if self._heard < LOCK_AFTER:
            self._heard += 1
        self._board.hear(desk)

    def slack(self, may_collect):
        self._board.slack(may_collect)
        self._mark(0)

    def safe(self):
        if self._is_locked:
            self._is_locked = False
            micropython.heap_unlock()
        self._board.safe()


import inlet  # noqa: E402 - after the mark

inlet.run(Probe(inlet.open_board()))
