"""The two lines that come in as edges: the control pilot behind its slicer, and the car's demand line.

Times in 0.1 us ("x10") since the world's start, as in plant/wave.py, so that no period drifts.
"""

from inletctl.plant.wave import Capture

# Demand line: 100 Hz; duty in 0.01 %.
DEMAND_PERIOD_X10 = 100_000
DEMAND_REFUSE_PCT_X100 = 500
_PERMIT_PCT_X100 = 1000  # 0 A; 1 % an ampere above
_MA_PER_PCT_X100 = 10
DEMAND_MAX_MA = 80_000


def pilot_bit(capture: Capture, t_x10: int) -> int:
    """Return whether the pin is above the slicer's threshold at `t_x10` and from then on."""
    bits = capture.links[-1][1]
    return bits[capture.segment_at(t_x10).sign_at(t_x10) + 1]


def next_pilot_edge(capture: Capture, t_x10: int) -> "int | None":
    """Return when the bit may change next, after `t_x10`; None while nothing is booked that could change it."""
    segment = capture.segment_at(t_x10)
    starts = [other.start_x10 for other in capture.segments if other.start_x10 > t_x10]
    times = starts[:1] and [min(starts)]
    bits = capture.links[-1][1]
    if segment.period_x10 and bits[0] != bits[2] and t_x10 >= segment.start_x10:
        phase = (t_x10 - segment.start_x10) % segment.period_x10
        to_edge = segment.high_x10 if phase < segment.high_x10 else segment.period_x10
        times.append(t_x10 - phase + to_edge)
    return min(times) if times else None


def demand_pct_x100(permits: bool, limit_ma: int) -> int:
    """Return the duty in 0.01 % by which the car says what it wants: refuses, or permits so many mA."""
    if not permits:
        return DEMAND_REFUSE_PCT_X100
    return _PERMIT_PCT_X100 + min(max(limit_ma, 0), DEMAND_MAX_MA) // _MA_PER_PCT_X100


def charger_limit_ma(share_x10000: "int | None") -> int:
    """Return what the on-board charger makes of the limit line: mA, 0 for anything that permits no current."""
    if share_x10000 is None or not _PERMIT_PCT_X100 <= share_x10000 <= 9_000:
        return 0
    return (share_x10000 - _PERMIT_PCT_X100) * _MA_PER_PCT_X100
