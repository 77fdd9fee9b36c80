"""Runs in place of main.py: prints how long a turn of two loops takes, a line each.

<name> <turns> <us>
"""

import gc
import time

TURNS = 2000
# The numbers of the figures that this is compared with (inletctl/measure/speed.py): a sum that is a small int, a product that is none.
NUMBERS = (12345678, 56781234)


def add(turns, numbers):
    """Add, so many times."""
    for _ in range(turns):
        value = numbers[0] + numbers[1]
    return value


def multiply(turns, numbers):
    """Multiply, so many times."""
    for _ in range(turns):
        value = numbers[0] * numbers[1]
    return value


for name, loop in (("add", add), ("multiply", multiply)):
    gc.collect()
    begin = time.ticks_us()
    loop(TURNS, NUMBERS)
    print(name, TURNS, time.ticks_diff(time.ticks_us(), begin))
