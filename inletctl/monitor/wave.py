"""The control pilot as a drawing of text: one row a level that the standards name, two milliseconds across."""

from typing import NamedTuple

# Rows from the top. Not to scale: each is a level with a meaning (IEC 61851-1 Table A.2), so a glance tells the state.
LEVELS = ((12000, "A"), (9000, "B"), (6000, "C"), (3000, "D"), (0, "E"), (-12000, "F"))
ROWS = len(LEVELS)
SPAN_US = 2000.0
LABEL = 6  # cells that a level's name takes
_COLUMNS_MIN = 8

_FLAT, _EDGE = "─", "│"
_RISE, _FALL = ("┌", "┘"), ("┐", "└")


class Wave(NamedTuple):
    """The pilot as it was measured. Levels in mV; `period_us` 0.0 = steady at `high_mv`."""

    high_us: float
    period_us: float
    high_mv: int
    low_mv: int

    @property
    def duty_pct(self) -> float:
        """Share of the period that the pilot is high, 0..100; 0 where it is steady."""
        return 100 * self.high_us / self.period_us if self.period_us else 0.0

    @property
    def frequency_hz(self) -> float:
        """Periods a second; 0 where the pilot is steady."""
        return 1e6 / self.period_us if self.period_us else 0.0


def row_of(mv: int) -> int:
    """Return the row whose level is nearest to `mv`, 0 = the top."""
    return min(range(ROWS), key=lambda n: abs(LEVELS[n][0] - mv))


def draw(wave: "Wave | None", columns: int) -> list[str]:
    """Return ROWS lines of `columns` cells each, label included; no wave draws the empty grid.

    The first rising edge stands at the left, so that the picture does not run.
    """
    width = max(_COLUMNS_MIN, columns - LABEL)
    grid = [[" "] * width for _ in LEVELS]
    if wave is not None:
        if wave.period_us > 0:
            _draw_periods(grid, wave)
        else:
            grid[row_of(wave.high_mv)][:] = _FLAT * width
    return [
        "%4s %s" % ("%+d" % (mv // 1000) if mv else "0", name) + "".join(cells)
        for (mv, name), cells in zip(LEVELS, grid)
    ]


def _draw_periods(grid: list[list[str]], wave: Wave) -> None:
    width = len(grid[0])
    top, bottom = row_of(wave.high_mv), row_of(wave.low_mv)
    if top >= bottom:
        # Levels that far off have no picture as a square wave; the numbers beside it tell.
        grid[top][:] = _FLAT * width
        return
    rises, falls = _edges(wave, width)
    is_high = False
    for column in range(width):
        is_edge = column in rises or column in falls
        is_high = (is_high or column in rises) and column not in falls
        if is_edge:
            grid[top][column], grid[bottom][column] = _RISE if is_high else _FALL
            for row in range(top + 1, bottom):
                grid[row][column] = _EDGE
        else:
            grid[top if is_high else bottom][column] = _FLAT


def _edges(wave: Wave, width: int) -> tuple[set[int], set[int]]:
    """Return the columns of the rising and of the falling edges, one of each a period, never the same column."""
    rises, falls = [], []
    start_us = 0.0
    while start_us < SPAN_US:
        rise = _column(start_us, width)
        fall = _column(start_us + wave.high_us, width)
        following = _column(start_us + wave.period_us, width)
        # A pulse shorter than a column is still a pulse.
        fall = max(rise + 1, min(fall, following - 1))
        rises.append(rise)
        falls.append(fall)
        if following - rise <= 1:
            break  # too many periods to tell them apart
        start_us += wave.period_us
    return set(rises), set(falls)


def _column(t_us: float, width: int) -> int:
    return round(t_us * width / SPAN_US)
