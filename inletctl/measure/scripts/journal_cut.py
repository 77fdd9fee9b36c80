"""Runs in place of main.py: reads the journal, says what it holds, and appends to it; the host cuts the power.

read <last> <gaps> <wrong> <state> <lost> [<sentence>]      then the pin goes high, and low for a moment after each append

Append number i is of kind STATE where 5 divides i, else of kind EVENT; its payload is made from i, so that what is read can be
judged: the last i found, how many are missing between the oldest and it, how many are not what was written, whether the newest
state is the one it must be (1 or 0), and how many torn ends were left out.
"""

import machine
from drivers.flash_log import DONE, FlashLog
from drivers.log_cursor import Cursor

MARK_GPIO = 22
APPENDS = 24
EVENT = 1
STATE = 2


def kind_of(i):
    return EVENT if i % 5 else STATE


def payload_of(i):
    return i.to_bytes(4, "little") + bytes([(i * 7 + n) & 0xFF for n in range(i * 37 % 300)])


def judge(log):
    """Return (last, gaps, wrong, state)."""
    last = 0
    event = 0
    gaps = 0
    wrong = 0
    cursor = Cursor(log)
    while cursor.next():
        i = int.from_bytes(cursor.payload[:4], "little")
        if cursor.payload != payload_of(i) or cursor.kind != kind_of(i):
            wrong += 1
        elif cursor.kind == EVENT:
            wanted = event + 1 if (event + 1) % 5 else event + 2
            if event and i != wanted:
                gaps += 1
            event = i
        last = max(last, i)
    newest = log.newest(STATE)
    state = 0 if newest is None else int.from_bytes(newest[:4], "little")
    return last, gaps, wrong, 1 if state == last - last % 5 else 0


def main():
    log = FlashLog("/journal", (STATE,), 3, 1500)
    last, gaps, wrong, state = judge(log)
    print("read", last, gaps, wrong, state, log.lost, log.problem)
    mark = machine.Pin(MARK_GPIO, machine.Pin.OUT, value=0)
    mark(1)
    for i in range(last + 1, last + 1 + APPENDS):
        if log.append(kind_of(i), payload_of(i), True) != DONE:
            print("not appended:", log.problem)
            break
        mark(0)
        mark(1)


main()
