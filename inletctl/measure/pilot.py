"""The pilot measured three ways in one run on the emulated RP2040: this capture, time_pulse_us, an edge interrupt."""

from collections.abc import Callable
from typing import Any

from inletctl.emu.chip import Alarm, Chip
from inletctl.emu.image import Image
from inletctl.measure.bench_board import boot, files_with

WAYS = ("pio", "pulse", "irq")
WAY_WORDS = {
    "pio": "PIO capture (this firmware)",
    "pulse": "machine.time_pulse_us",
    "irq": "edge interrupt handler",
}
DUTIES_PCT_X100 = (300, 500, 800, 1000, 2500, 5000, 8500, 9600, 9700)
HERTZ = (950, 1000, 1050)
POINTS = tuple((duty, hz) for hz in HERTZ for duty in DUTIES_PCT_X100)
_PILOT_GPIO = 2
_STOP_GPIO = 16
_GIVE_UP_NS = 60_000_000_000
_MS_NS = 1_000_000
# One pass a 10 ms: what three passes cost, a second.
_PASSES = 3


class _Generator:
    """A pilot of exact edges on the chip's pin."""

    def __init__(self, chip: Chip):
        self._chip = chip
        self._alarm = Alarm(chip, self._edge)
        self._level = False
        self._high_ns = self._low_ns = 500_000.0
        self._next_ns = float(chip.now_ns + _MS_NS)
        self._alarm.at(self._next_ns)

    def set(self, duty_pct_x100: int, hz: int) -> None:
        """Another duty and frequency from the next edge on."""
        period_ns = 1e9 / hz
        self._high_ns = period_ns * duty_pct_x100 / 10_000
        self._low_ns = period_ns - self._high_ns

    def _edge(self) -> None:
        self._level = not self._level
        self._chip.drive(_PILOT_GPIO, self._level)
        self._next_ns += self._high_ns if self._level else self._low_ns
        self._alarm.at(self._next_ns)


def measure_pilot(
    image: Image, tell: Callable[[str], None], points: tuple[tuple[int, int], ...] = POINTS
) -> dict[str, Any]:
    """Measure every point by every way. Raises ValueError where the board's script fails."""
    chip, lines, _console = boot(image, files_with("pilot_methods"))
    chip.drive(_STOP_GPIO, False)
    listener = _Listener(chip, points, tell)
    lines.on_words = listener.hear
    while listener.at < len(points) and chip.now_ns < _GIVE_UP_NS and not listener.failure:
        chip.run_until(chip.now_ns + 100 * _MS_NS)
    if listener.failure or listener.at < len(points):
        raise ValueError(
            "the measuring script failed: %s" % (listener.failure or list(lines.words)[-3:])
        )
    return summary(listener.readings, listener.costs, points)


class _Listener:
    """Takes the script's lines, and gives it the next point when it asks."""

    def __init__(
        self, chip: Chip, points: tuple[tuple[int, int], ...], tell: Callable[[str], None]
    ):
        self.at = -1  # point being measured
        self.failure = ""
        self.readings: list[tuple[str, int, int, int, int]] = []
        self.costs: dict[str, list[int]] = {way: [] for way in WAYS}
        self._chip = chip
        self._points = points
        self._tell = tell
        self._generator = _Generator(chip)

    def hear(self, words: str) -> None:
        """Take one line of the script."""
        first, *rest = words.split()
        is_at_point = 0 <= self.at < len(self._points)
        if first == "next":
            self._next()
        elif first == "cost" and is_at_point:
            self.costs[rest[0]].append(int(rest[1]))
        elif first in WAYS and is_at_point:
            self.readings.append((first, *self._points[self.at], int(rest[0]), int(rest[1])))
        elif "Error" in words:
            self.failure = words

    def _next(self) -> None:
        self.at += 1
        if self.at < len(self._points):
            self._generator.set(*self._points[self.at])
            self._tell("pilot %d of %d" % (self.at + 1, len(self._points)))
        else:
            self._chip.drive(_STOP_GPIO, True)


def summary(
    readings: list[tuple[str, int, int, int, int]],
    costs: dict[str, list[int]],
    points: tuple[tuple[int, int], ...],
) -> dict[str, Any]:
    """Return error, spread and cost of each way. A reading is (way, duty 0.01 %, Hz, high, period in 0.1 us)."""
    result: dict[str, Any] = {"points": [list(point) for point in points]}
    for way in WAYS:
        worst = spread = 0.0
        curve = []
        missing = 0
        for duty, hz in points:
            seen = [
                high * 10_000 / period
                for w, d, f, high, period in readings
                if (w, d, f) == (way, duty, hz) and period > 0 and high >= 0
            ]
            if not seen:
                missing += 1
                continue
            low, high = min(seen) - duty, max(seen) - duty
            worst = max(worst, abs(low), abs(high))
            spread = max(spread, high - low)
            curve.append([duty, hz, round(low, 3), round(high, 3)])
        cost = costs[way]
        result[way] = {
            "readings": sum(1 for reading in readings if reading[0] == way),
            "worst_error_pct_x100": round(worst, 3),
            "worst_spread_pct_x100": round(spread, 3),
            "cpu_us_per_s": round(sum(cost) / len(cost) / _PASSES * 100) if cost else None,
            "points_without_reading": missing,
            "error_by_point": curve,
        }
    return result
