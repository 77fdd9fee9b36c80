"""Pilot level to the letter of its state.

Levels in mV at the pin, before the vehicle's diode. IEC 61851-1:2017 Tab A.4 has windows of 2 V with gaps of 1 V
between them that mean "either neighbour": the border here is the middle of the gap, with a little hysteresis.
Every level of a legal EVSE is then named rightly even with the worst ground offset of 0.7 V (J1772): A from
10.70 V, B 7.66..10.29 V, C 4.77..7.23 V, D 1.88..3.98 V, E -0.70..0.70 V, F -13.30..-10.70 V.
"""

from micropython import const

LEVEL_A = const(0)
LEVEL_B = const(1)
LEVEL_C = const(2)
LEVEL_D = const(3)
LEVEL_E = const(4)
LEVEL_F = const(5)
LEVEL_NONE = const(6)  # no letter: implausible, or not measured
LEVEL_NAMES = ("A", "B", "C", "D", "E", "F", "none")

# (lowest, highest) that names each letter, LEVEL_A first. -10..-1 V and beyond 14 V mean nothing.
BOUNDS_MV = (
    (10500, 14000),
    (7500, 10499),
    (4500, 7499),
    (1500, 4499),
    (-1000, 1499),
    (-14000, -10001),
)
# A letter in force is kept this far beyond its bounds. Less than half of the 430 mV between C at 7.23 V and
# B at 7.66 V, the two legal levels nearest to each other.
HOLD_MV = const(150)


def window_of(cp_mv: int) -> int:
    """Return the LEVEL_ that this level names by itself."""
    for level in range(LEVEL_NONE):
        bounds = BOUNDS_MV[level]
        if bounds[0] <= cp_mv <= bounds[1]:
            return level
    return LEVEL_NONE


def keep_or_move(level: int, cp_mv: int) -> int:
    """Return the LEVEL_ after a reading: `level`, in force until now, while the reading is near its bounds."""
    if level != LEVEL_NONE:
        bounds = BOUNDS_MV[level]
        if bounds[0] - HOLD_MV <= cp_mv <= bounds[1] + HOLD_MV:
            return level
    return window_of(cp_mv)
