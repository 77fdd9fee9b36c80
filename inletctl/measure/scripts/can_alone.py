"""Runs in place of main.py: the CAN port and the lines alone in a loop of 10 ms, and what each call costs.

cost <what> <us>      idle, frame (one received and one sent), two (two received), lines, poll
Answers frame 0x100 with 0x101; sends 0x0C0 every 100 ms.
"""

import gc
import time

import machine
import micropython
from drivers.board_checked import checked
from drivers.spi_parts import open_bus, open_can, open_lines

MARK_GPIO = 23
PERIOD_US = 10000

with open("board.json") as file:
    text = file.read()
with open("board.checked") as file:
    board_file = checked(text, file.read())
bus = open_bus(board_file)
can = open_can(bus, board_file, 500)
lines = open_lines(bus)
can.listen((0x100, 0x102))
mark = machine.Pin(MARK_GPIO, machine.Pin.OUT, value=0)


class Frame:
    def __init__(self):
        self.id = 0
        self.length = 8
        self.data = bytearray(8)


heard, status, answer = Frame(), Frame(), Frame()
status.id = 0x0C0
answer.id = 0x101
costs = [0] * 5  # largest: tick without a frame, with one, with more; lines, poll
late = 0


def one_pass(count):
    begin = time.ticks_us()
    can.tick(time.ticks_ms())
    cost = time.ticks_diff(time.ticks_us(), begin)
    frames = 0
    while can.receive(heard):
        frames += 1
        if heard.id == 0x100:
            answer.data[0] = heard.data[0]
            can.send(answer)
    kind = frames if frames < 2 else 2
    costs[kind] = max(costs[kind], cost)
    if count % 10 == 0:
        status.data[0] = count & 0xFF
        can.send(status)
    begin = time.ticks_us()
    lines.outputs = count & 0x3F
    lines.tick(0)
    cost = time.ticks_diff(time.ticks_us(), begin)
    costs[3] = max(costs[3], cost)


def loop(passes):
    global late
    due = time.ticks_us()
    count = 0
    while count < passes:
        while time.ticks_diff(due, time.ticks_us()) > 0:
            if time.ticks_diff(due, time.ticks_us()) > 1200:
                begin = time.ticks_us()
                can.poll()
                cost = time.ticks_diff(time.ticks_us(), begin)
                costs[4] = max(costs[4], cost)
        if time.ticks_diff(time.ticks_us(), due) > 2000:
            late += 1
        due = time.ticks_add(due, PERIOD_US)
        mark(1)
        one_pass(count)
        mark(0)
        count += 1


gc.collect()
while True:
    for n in range(5):
        costs[n] = 0
    micropython.heap_lock()
    loop(50)
    micropython.heap_unlock()
    print("cost idle", costs[0])
    print("cost one", costs[1])
    print("cost two", costs[2])
    print("cost lines", costs[3])
    print("cost poll", costs[4])
    print(
        "state",
        can.state,
        can.lost,
        can.dropped,
        can.offs,
        can.resets,
        late,
        lines.ok,
        lines.inputs,
    )
    gc.collect()
