"""Runs in place of main.py: measures one pilot three ways and prints what each saw, one line a reading.

<way> <high, 0.1 us> <period, 0.1 us>      ways: pio, pulse, irq
cost <way> <CPU us in 100 ms> / next       the host then changes the duty
"""

import time
from array import array

import machine
from drivers.edge_capture import make_capture

PILOT_GPIO = 2
PASSES = 3
PERIODS = 5
TIMEOUT_US = 3000
STOP_GPIO = 16

pin = machine.Pin(PILOT_GPIO, machine.Pin.IN)
stop = machine.Pin(STOP_GPIO, machine.Pin.IN, machine.Pin.PULL_DOWN)
highs = array("i", [0] * PERIODS)
periods = array("i", [0] * PERIODS)
edges = array("i", [0] * 64)
edge_count = 0


def wait_us(length_us):
    """Wait without sleep: the emulator drops a sleeping CPU's PIO."""
    begin = time.ticks_us()
    while time.ticks_diff(time.ticks_us(), begin) < length_us:
        pass


def by_pio(capture):
    """Read the hardware capture; return CPU time spent, us."""
    spent = 0
    for _ in range(PASSES):
        wait_us(10000)
        begin = time.ticks_us()
        count = capture.read(highs, periods, time.ticks_ms())
        spent += time.ticks_diff(time.ticks_us(), begin)
        for n in range(count):
            print("pio", highs[n], periods[n])
    return spent


def by_pulse():
    """Measure with machine.time_pulse_us, as the documentation suggests; return CPU time spent, us."""
    spent = 0
    for _ in range(PASSES):
        begin = time.ticks_us()
        for n in range(PERIODS):
            highs[n] = machine.time_pulse_us(pin, 1, TIMEOUT_US)
            periods[n] = highs[n] + machine.time_pulse_us(pin, 0, TIMEOUT_US)
        spent += time.ticks_diff(time.ticks_us(), begin)
        for n in range(PERIODS):
            print("pulse", highs[n] * 10, periods[n] * 10)
    return spent


def on_edge(p):
    """Keep the time of an edge, as a rising (odd) or falling one."""
    global edge_count
    if edge_count < 64:
        edges[edge_count] = time.ticks_us() << 1 & 0x3FFFFFFF | p.value()
        edge_count += 1


def count_for(length_us):
    """Count as fast as possible for a while."""
    begin = time.ticks_us()
    n = 0
    while time.ticks_diff(time.ticks_us(), begin) < length_us:
        n += 1
    return n


def by_irq():
    """Measure with a hard interrupt at each edge; return the CPU time its handler takes in the passes, us."""
    global edge_count
    free = count_for(10000)
    spent = 0
    for _ in range(PASSES):
        edge_count = 0
        pin.irq(on_edge, machine.Pin.IRQ_RISING | machine.Pin.IRQ_FALLING, hard=True)
        n = count_for(10000)
        pin.irq(None)
        spent += 10000 - n * 10000 // free
        shown = 0
        for k in range(2, edge_count):
            # Rising, falling, rising: one period.
            if edges[k] & 1 and not edges[k - 1] & 1 and edges[k - 2] & 1 and shown < PERIODS:
                high = (edges[k - 1] >> 1) - (edges[k - 2] >> 1)
                print("irq", high * 10, ((edges[k] >> 1) - (edges[k - 2] >> 1)) * 10)
                shown += 1
    return spent


def main():
    capture = make_capture(0, pin, 25_000_000, 31250)
    by_pio(capture)
    while not stop():
        print("next")
        wait_us(12000)
        print("cost pio", by_pio(capture))
        print("cost pulse", by_pulse())
        print("cost irq", by_irq())
    print("end")


main()
