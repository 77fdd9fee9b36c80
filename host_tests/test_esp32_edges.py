"""The car's 100 Hz line by soft interrupts: late edges shorten the high time, they never lengthen it."""

import random
from array import array

import pytest

from drivers.charger_lines import DemandIn
from drivers.esp32_edges import BlockMark, Esp32Edges
from signals import Readings

TICKS = 1 << 30
PASS_US = 10000


class Line:
    """The pin, the clock and the scheduler: handlers run late while something blocks."""

    IRQ_RISING, IRQ_FALLING = 1, 2

    def __init__(self, start_us=0, seed=1):
        self.now_us = float(start_us)
        self.random = random.Random(seed)
        self.level = 0
        self.handler = None
        self.trigger = None
        self.mark = BlockMark()
        self.edges = Esp32Edges(self, self.mark, self.ticks_us)
        self.highs = array("i", [0] * 5)
        self.periods = array("i", [0] * 5)

    def ticks_us(self):
        return int(self.now_us) % TICKS

    def irq(self, handler=None, trigger=0):
        self.handler, self.trigger = handler, trigger

    def __call__(self):
        return self.level

    def run(self, periods, hz=100.0, duty=0.3, blocks=(), phase_us=0.0):
        """Run whole periods. `blocks`: (from, to) us within each pass of 10 ms. Return true highs, read highs."""
        seen = []
        begin = self.now_us + phase_us
        for n in range(periods):
            rise = begin + n * 1e6 / hz
            for at, level in ((rise, 1), (rise + duty * 1e6 / hz, 0)):
                self.edge(at, level, blocks)
            count = self.edges.read(self.highs, self.periods, 0)
            seen += [(self.highs[k], self.periods[k]) for k in range(count)]
        return seen

    def edge(self, at, level, blocks=()):
        inside = at % PASS_US
        late = max([end - inside for start, end in blocks if start <= inside < end], default=0)
        self.mark.is_on = late > 0
        for start, end in blocks:
            if start <= inside < end:
                self.mark.since_us = int(at - inside + start) % TICKS
        self.now_us = at + late + 20 + 60 * self.random.random()
        self.level = level
        self.handler(self)
        self.mark.is_on = False


def exact(seen, duty, hz=100.0):
    """Assert that what was seen is the true wave, never high and little low."""
    assert seen
    for high, period in seen:
        true_x10 = duty * 1e7 / hz
        assert true_x10 - 2000 <= high <= true_x10
        assert abs(period - 1e7 / hz) <= 1000


@pytest.mark.parametrize("hz", [80.0, 100.0, 125.0])
@pytest.mark.parametrize("duty", [0.05, 0.1, 0.26, 0.5, 0.9])
def test_free_interpreter_reads_high_time_at_most_2_pct_low(hz, duty):
    line = Line()
    exact(line.run(50, hz, duty), duty, hz)


def test_every_period_is_read_once_and_the_first_needs_three_edges():
    line = Line()
    assert len(line.run(50)) == 49
    assert line.edges.read(line.highs, line.periods, 0) == 0


def test_both_edges_are_asked_for_and_release_ends_it():
    line = Line()
    assert line.trigger == 3
    line.edges.release()
    assert line.handler is None


def test_clock_may_wrap():
    exact(Line(TICKS - 155_000).run(40), 0.3)


@pytest.mark.parametrize("hz", [80.0, 97.3, 111.0, 125.0])
def test_blocks_cost_periods_but_never_raise_the_limit(hz):
    """The pilot's calls block up to 1 ms each; the line runs through their phases."""
    blocks = tuple((k * 1000, k * 1000 + 900) for k in range(5))
    seen = Line(seed=int(hz)).run(400, hz, 0.4, blocks)
    assert len(seen) > 20
    assert all(high <= 0.4e7 / hz and high <= 0.4 * period for high, period in seen)


def test_line_in_step_with_the_loop_reads_low_but_is_not_lost():
    """100.000 Hz against 10 ms: the same edge falls into the same block for minutes."""
    blocks = ((3000, 4000),)
    line = Line()
    # The fall is at 3.5 ms of each pass.
    seen = line.run(100, 100.0, 0.3, blocks, phase_us=500)
    assert len(seen) >= 5
    for high, period in seen:
        assert 30000 - 2 * 10000 - 2000 <= high <= 30000
        assert period >= 99000


def test_late_rise_makes_neither_a_longer_high_nor_a_shorter_period():
    line = Line()
    seen = line.run(100, 100.0, 0.5, ((0, 1000),), phase_us=100)
    assert seen
    assert all(high <= 50000 and period >= 99000 for high, period in seen)


def test_exact_periods_go_before_late_ones():
    """Where every second period is exact, no late one is handed over."""
    line = Line()
    out = []
    for n in range(60):
        blocks = ((2900, 3900),) if n % 3 == 0 else ()
        rise = n * 10000.0 + 500
        line.edge(rise, 1)
        line.edge(rise + 3000, 0, blocks)
        count = line.edges.read(line.highs, line.periods, 0)
        out += [line.highs[k] for k in range(count)]
    assert len(out) >= 38 and min(out) >= 28000


def test_useless_bound_is_dropped():
    """A tenth of high time less a millisecond of doubt says nothing."""
    line = Line()
    assert line.run(60, 100.0, 0.11, ((1000, 2200),), phase_us=400) == []


def test_missed_edges_are_forgotten():
    line = Line()
    line.run(5)
    # Two handlers after both edges of a short pulse: both see the line low.
    line.edge(line.now_us + 7000, 0)
    line.edge(line.now_us + 10, 0)
    seen = line.run(5, phase_us=3000)
    exact(seen, 0.3)
    # And the same with a short gap.
    line.edge(line.now_us + 7000, 1)
    line.edge(line.now_us + 20, 1)
    line.edge(line.now_us + 3000, 0)
    line.edge(line.now_us + 7000, 1)
    line.edges.read(line.highs, line.periods, 0)
    exact(line.run(5, phase_us=7000), 0.3)


def test_slow_line_gives_nothing():
    line = Line()
    assert line.run(20, hz=20.0) == []


def test_no_more_than_five_are_kept():
    line = Line()
    for n in range(12):
        line.edge(n * 10000.0 + 1, 1)
        line.edge(n * 10000.0 + 3001, 0)
    assert line.edges.read(line.highs, line.periods, 0) == 5


def test_demand_in_reads_the_car_s_limit_from_it():
    line = Line()
    demand = DemandIn(line.edges)
    r = Readings()
    for n in range(30):
        line.edge(n * 10000.0 + 1000, 1)
        line.edge(n * 10000.0 + 1000 + 2600, 0)
        demand.read(r, n * 10)
    assert r.vehicle_permits and r.vehicle_age_ms == 0
    assert 14000 <= r.vehicle_limit_ma <= 16000


def test_mark_ends_only_after_waiting_handlers_had_their_turns():
    """On the port a loop's jump is where a scheduled callback runs; here only the state can be seen."""
    mark = BlockMark()
    mark.begin(77)
    assert mark.is_on and mark.since_us == 77
    mark.end()
    assert not mark.is_on
