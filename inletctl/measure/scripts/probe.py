"""Runs in place of main.py on the emulated board: the same loop, its phases marked on a spare pin.

The board's own main.py lies beside it as inlet.mpy and is run as it is; only the board object is wrapped. The
heap is locked from the 60th pass after the desk has been loaded, by when the journal is too, so one allocated byte ends the run. Three spare inputs kill the loop: 1 raises,
2 loops for ever, 3 loops for ever with interrupts off; 1 and 2 together ask for the free heap and for how long
collecting garbage takes, the only time that the heap is unlocked.
"""

import gc
import time

import machine
import micropython

MARK_GPIO = 22
KILL_GPIOS = (16, 17, 18)
_SCRATCH = 0x40058000 + 0x0C  # watchdog scratch 0..3: free, and kept over a reset
# Passes after the desk has been loaded: the journal, main's last great allocation, is loaded by then.
LOCK_AFTER = 60


# The first thing: main.py begins.
mark = machine.Pin(MARK_GPIO, machine.Pin.OUT, value=0)
# A traceback, where the heap has no room for one.
micropython.alloc_emergency_exception_buf(200)


class KilledError(Exception):
    """The loop was told to die."""


class Probe:
    """Forwards every call to the board; marks the phases of a pass on a pin."""

    def __init__(self, board):
        self._board = board
        self._mark = mark
        self._kill = tuple(
            machine.Pin(n, machine.Pin.IN, machine.Pin.PULL_DOWN) for n in KILL_GPIOS
        )
        self._heard = 0  # passes with a desk
        self._is_locked = False  # for good, once the loop has all it needs
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

    def sample(self, readings):
        self._board.sample(readings)
        self._mark(0)

    def actuate(self, commands):
        self._mark(1)
        self._board.actuate(commands)
        self._mark(0)

    # These for themselves: a method looked up by __getattr__ would be a new object.
    def now_ms(self):
        return self._board.now_ms()

    def feed_watchdog(self):
        self._board.feed_watchdog()

    def talk(self, report):
        self._board.talk(report)

    def hear(self, desk):
        if self._heard < LOCK_AFTER:
            self._heard += 1
        self._board.hear(desk)

    def slack(self, may_collect):
        self._mark(1)
        self._board.slack(may_collect)
        self._mark(0)
        if self._kill[0]() and self._kill[1]():
            # Takes milliseconds: only when asked for. A locked heap would not be collected at all.
            micropython.heap_unlock()
            machine.mem32[_SCRATCH] = gc.mem_free()
            begin = time.ticks_us()
            gc.collect()
            machine.mem32[_SCRATCH + 4] = time.ticks_diff(time.ticks_us(), begin)
            micropython.heap_lock()
            return
        if self._kill[0]():
            raise KilledError("an exception")
        if self._kill[1]():
            while True:
                pass
        if self._kill[2]():
            machine.disable_irq()
            while True:
                pass

    def safe(self):
        if self._is_locked:
            self._is_locked = False
            micropython.heap_unlock()
        self._board.safe()


import inlet  # noqa: E402 - after the mark

inlet.run(Probe(inlet.open_board()))
