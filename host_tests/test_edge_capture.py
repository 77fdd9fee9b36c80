"""The driver of the capture: what it makes of the words in its ring, and when it says that the line is quiet."""

import random
from array import array

import pytest
from mpy_run import run_script
from pio_bench import Bench, capture_words

from drivers.edge_capture import DMA_COUNT, RING_WORDS, EdgeCapture

LIMIT = 31250
TICK_END = 2**30


@pytest.fixture
def bench():
    return Bench()


def nearly(found, high_us, period_us, within=3):
    """Tell whether every period is this one to within the rounding of a pilot's count and of 0.1 us."""
    return all(
        abs(high - 10 * high_us) <= within and abs(period - 10 * period_us) <= within
        for high, period in found
    )


# ------------------------------------------------------------------------------------- periods


def test_nothing_is_read_from_an_empty_ring(bench):
    assert bench.read() == []
    assert bench.capture.quiet_ms == 1000


def test_first_high_phase_after_the_start_is_no_period_as_its_rise_was_not_seen(bench):
    bench.push(bench.high(300), bench.low(700))
    assert bench.read() == []


def test_a_period_needs_its_rise_fall_and_next_rise(bench):
    bench.push(bench.low(500), bench.high(300))
    assert bench.read() == []
    bench.push(bench.low(700))
    assert nearly(bench.read(), 300, 1000)
    assert bench.capture.quiet_ms == 0


def test_newest_five_come_oldest_first(bench):
    bench.push(bench.low(500))
    for n in range(9):
        bench.pilot(100 + 10 * n, 900 - 10 * n)
    highs = [high for high, _ in bench.read()]
    assert highs == [1400, 1500, 1600, 1700, 1800]


def test_fewer_than_five_begin_at_the_front(bench):
    bench.push(bench.low(500))
    bench.pilot(200, 800)
    bench.pilot(250, 750)
    assert [high for high, _ in bench.read()] == [2000, 2500]


@pytest.mark.parametrize("half", [False, True])
def test_a_read_amid_a_high_phase_finds_as_many_as_one_amid_a_low_phase(bench, half):
    bench.push(bench.low(500))
    bench.pilot(periods=8)
    if half:
        bench.push(bench.high(300))
    found = bench.read()
    assert len(found) == 5
    assert nearly(found, 300, 1000)


def test_no_period_is_handed_over_twice(bench):
    bench.push(bench.low(500))
    bench.pilot(periods=3)
    assert len(bench.read()) == 3
    assert bench.read() == []
    bench.push(bench.high(300))
    assert bench.read() == []
    bench.push(bench.low(700))
    assert len(bench.read()) == 1


def test_high_is_rounded_down_and_period_up():
    bench = Bench()
    # 7 and 12 cycles of 0.04 us more than 200 us and 1000 us.
    bench.push(bench.low(500), LIMIT - (5000 + 8 - 4) // 2, ~(LIMIT - (20000 + 5 - 5) // 2))
    ((high, period),) = bench.read()
    cycles_high = 5008
    cycles = 5008 + 20005
    assert high == cycles_high * 2 // 5 == 2003
    assert period == -(-cycles * 2 // 5) == 10006


def test_quiet_word_breaks_a_period(bench):
    bench.push(bench.low(500))
    bench.pilot(periods=2)
    # The line stayed high, then low again: neither the torn high phase nor the low one before it makes a period.
    bench.push(-1, ~LIMIT, bench.high(120), bench.low(700))
    bench.pilot(periods=1)
    found = bench.read()
    assert len(found) == 3
    assert nearly(found, 300, 1000)


def test_a_fall_after_a_steady_high_makes_no_period(bench):
    bench.push(-1, ~LIMIT, -1, ~LIMIT, bench.high(300), bench.low(700))
    assert bench.read() == []


def test_a_rise_after_a_steady_low_makes_no_period_of_the_rest(bench):
    bench.push(0, LIMIT, bench.low(700), bench.high(300), bench.low(700))
    found = bench.read()
    assert len(found) == 1
    assert nearly(found, 300, 1000)


def test_five_are_still_found_beside_a_glitch(bench):
    bench.push(bench.low(500))
    bench.pilot(periods=4)
    bench.push(bench.high(150), bench.low(0.4), bench.high(149.6), bench.low(700))
    bench.pilot(periods=4)
    found = bench.read()
    assert len(found) == 5
    assert nearly(found, 300, 1000)


def test_phases_below_a_microsecond_belong_to_no_period(bench):
    bench.push(bench.low(500), bench.high(0.9), bench.low(999.1))
    bench.push(bench.high(999.1), bench.low(0.9), bench.high(300), bench.low(700))
    assert bench.read() == []


def test_words_out_of_turn_are_no_period(bench):
    bench.push(bench.low(500), bench.high(300), bench.high(300), bench.low(700), bench.low(700))
    assert bench.read() == []


def true_periods(edges, cycles):
    """Return [(rise, fall, next rise)] with no other edges between than pairs too short to be surely seen."""
    kept = list(edges)
    out = []
    for first in range(0, len(kept) - 2, 2):
        for last in range(first + 2, min(first + 12, len(kept)), 2):
            for fall in range(first + 1, last, 2):
                out.append((kept[first], kept[fall], kept[last]))
    return out


@pytest.mark.parametrize("seed", range(6))
def test_noise_never_makes_up_a_period(seed):
    """Every decoded period is a true rise, fall and rise; edges left out between are glitches below 6 cycles."""
    rng = random.Random(seed)
    edges = [100.0]
    while len(edges) < 500:
        if rng.random() < 0.35:
            edges.append(edges[-1] + rng.choice([0.5, 2, 5, 12, 40, 300]) * rng.random() + 0.01)
        else:
            edges.append(
                edges[-1] + rng.choice([7500, 17500, 1200, 65000]) * (0.9 + rng.random() / 5)
            )
    bench = Bench()
    total = 0
    triples = true_periods(edges, edges[-1])
    words = capture_words(edges, edges[-1] + 20, LIMIT)
    for n in range(0, len(words), 10):
        chunk = words[n : n + 10]
        bench.push(*(word for _, word in chunk))
        for high, period in bench.read():
            total += 1
            # Where a triple fits, what was left out in it must be too short to be seen for sure.
            fits = [
                t
                for t in triples
                if -0.9 <= (t[1] - t[0]) * 0.4 - high <= 1.9
                and abs((t[2] - t[0]) * 0.4 - period) <= 1.9
                and t[2] <= chunk[-1][0] + 6
            ]
            assert any(left_out_is_short(edges, t) for t in fits), (high, period)
    assert total > 20


def left_out_is_short(edges, triple):
    """Tell whether the edges of the triple are the only ones in it, but for pulses below 6 cycles."""
    inside = [e for e in edges if triple[0] < e < triple[2] and e != triple[1]]
    return len(inside) % 2 == 0 and all(
        b - a < 6 for a, b in zip(inside[::2], inside[1::2], strict=True)
    )


# --------------------------------------------------------------------------------------- quiet


def test_quiet_windows_of_one_pass_are_counted(bench):
    bench.push(bench.low(500))
    bench.pilot(periods=2)
    bench.push(bench.high(300), 0, LIMIT, 0, LIMIT, 0)
    assert len(bench.read()) == 2
    assert bench.capture.quiet_ms == 7  # 3 x 2.5 ms


def test_quiet_grows_with_the_passes_and_stays_at_a_second(bench):
    now_ms = TICK_END - 300
    bench.pilot(periods=4)
    bench.read(now_ms)
    for n in range(1, 200):
        bench.push(*(-1, ~LIMIT) * 4)
        assert bench.read((now_ms + 10 * n) % TICK_END) == []
        assert bench.capture.quiet_ms == min(10 * n, 1000)
    bench.pilot(periods=2)
    bench.read((now_ms + 2000) % TICK_END)
    assert bench.capture.quiet_ms == 0


def test_no_words_at_all_are_quiet_too(bench):
    """A dead state machine or a dead DMA."""
    bench.pilot(periods=4)
    bench.read(5000)
    for n in range(1, 30):
        bench.read(5000 + 10 * n)
        assert bench.capture.quiet_ms == 10 * n


def test_quiet_since_boot_is_a_second_whatever_the_clock_says(bench):
    bench.read(TICK_END // 2 + 7)
    assert bench.capture.quiet_ms == 1000


def test_phase_without_counts_after_a_quiet_word_is_no_edge(bench):
    bench.pilot(periods=2)
    bench.read(0)
    bench.push(-1)
    bench.read(3)
    bench.push(~LIMIT)
    bench.read(6)
    assert bench.capture.quiet_ms == 6


def test_a_glitch_is_an_edge(bench):
    bench.pilot(periods=2)
    bench.read(0)
    bench.push(bench.high(100), ~LIMIT)
    bench.read(10)
    assert bench.capture.quiet_ms == 0


def test_a_slow_line_is_not_quiet_between_its_edges():
    """The demand line: 100 Hz, a quiet window of 25 ms, about one period a pass."""
    bench = Bench(2_500_000)
    bench.push(bench.low(5000))
    bench.read(0)
    for n in range(1, 20):
        bench.pilot(4000, 6000)
        assert nearly(bench.read(10 * n), 4000, 10000, within=8)
        assert bench.capture.quiet_ms == 0


@pytest.mark.parametrize("level", [0, 1])
def test_quiet_is_right_to_a_window_when_the_line_stops_at_any_phase(level):
    """From the emulated program on: the line stops, and quiet_ms follows within 2.5 ms and a tick."""
    edges = []
    for n in range(6):
        edges += [(n + 0.37) * 25000, (n + 0.67) * 25000]
    if level:
        edges.pop()
    stop = edges[-1] / 25000
    words = capture_words(edges, 60 * 25000, LIMIT)
    bench = Bench()
    taken = 0
    for ms in range(5, 60, 10):
        while taken < len(words) and words[taken][0] < ms * 25000:
            bench.push(words[taken][1])
            taken += 1
        bench.read(ms)
        if ms > stop:
            assert -3.5 <= bench.capture.quiet_ms - (ms - stop) <= 0


# ------------------------------------------------------------------------------ overrun, re-arm


def test_a_full_ring_is_still_read(bench):
    bench.pilot(periods=RING_WORDS // 2)
    assert len(bench.read()) == 5


def test_overrun_is_noise_neither_periods_nor_quiet(bench):
    bench.pilot(periods=RING_WORDS // 2)
    bench.push(bench.high(300))
    assert bench.read(0) == []
    assert bench.capture.quiet_ms == 0
    bench.push(bench.low(700))
    bench.pilot(periods=3)
    assert len(bench.read(10)) == 4


def test_a_pass_that_took_long_finds_the_newest_periods_of_a_good_pilot(bench):
    bench.pilot(periods=3)
    bench.read(0)
    bench.pilot(periods=200)
    found = bench.read(200)
    assert len(found) == 5 and nearly(found, 300, 1000)
    assert bench.capture.quiet_ms == 0


def test_a_pilot_that_stopped_in_a_long_pass_is_quiet_since_then(bench):
    bench.pilot(periods=3)
    bench.read(0)
    bench.pilot(periods=150)
    bench.push(*[0] * 20)
    assert nearly(bench.read(200), 300, 1000)
    assert 45 <= bench.capture.quiet_ms <= 55


@pytest.mark.parametrize(("more", "is_noise"), [(3, False), (4, True)])
def test_more_than_four_words_a_millisecond_are_noise_in_a_long_pass_too(bench, more, is_noise):
    bench.pilot(periods=3)
    bench.read(0)
    bench.pilot(periods=2 * 60)
    bench.push(*[bench.high(300), bench.low(700)][: more % 2], *[0] * (more & ~1))
    found = bench.read(60)
    assert (found == []) is is_noise
    assert bench.capture.quiet_ms == 0 or not is_noise


def test_a_clock_that_goes_back_makes_no_long_pass(bench):
    bench.read(1000)
    bench.pilot(periods=200)
    assert bench.read(900) == []


def test_words_overwritten_while_they_are_read_are_not_used(bench):
    class Racing:
        """Goes on by `step` words between two looks at the count."""

        step = 0
        left = DMA_COUNT - 20

        @property
        def count(self):
            self.left -= self.step
            return self.left

    bench.pilot(periods=10)
    bench.capture._dma = Racing()
    assert len(bench.read()) == 5
    bench.capture._left += 20
    Racing.step = 39
    assert bench.read() == []
    assert bench.capture.quiet_ms == 0


def test_rearm_leaves_a_young_count_alone(bench):
    bench.pilot(periods=10)
    bench.capture.rearm()
    assert bench.dma.setups == []


@pytest.mark.parametrize("odd", range(4))
def test_rearm_loses_no_period(bench, odd):
    bench.dma.count = bench.capture._left = 0x20000000 + odd
    bench.push(bench.low(500))
    bench.pilot(periods=2)
    assert bench.dma.count < 0x20000000
    bench.capture.rearm()
    assert bench.dma.count > 0x3FE00000
    (setup,) = bench.dma.setups
    assert setup["write"] == 0x2003F100 + 4 * (-bench.dma.count % RING_WORDS)
    assert setup["trigger"]
    bench.pilot(periods=2)
    found = bench.read()
    assert len(found) == 4
    assert nearly(found, 300, 1000)
    bench.capture.rearm()
    assert len(bench.dma.setups) == 1


@pytest.mark.parametrize("odd", range(0, 64, 9))
def test_rearm_hands_nothing_over_twice(bench, odd):
    bench.dma.count = bench.capture._left = 0x20000000 + odd
    bench.pilot(periods=35)
    bench.read()
    bench.capture.rearm()
    assert len(bench.dma.setups) == 1
    assert bench.read() == []
    bench.push(bench.high(300), bench.low(700))
    assert len(bench.read()) == 1


def test_rearm_brings_an_ended_dma_back_and_trusts_nothing_from_before(bench):
    bench.dma.count = bench.capture._left = 3
    bench.push(bench.low(500), bench.high(300), bench.low(700), bench.high(300))
    assert bench.dma.count == 0
    bench.machine.words = 4
    assert len(bench.read(0)) == 1
    bench.read(50)
    assert bench.capture.quiet_ms == 50
    bench.capture.rearm()
    assert bench.machine.words == 0
    bench.push(bench.high(111), bench.low(700))
    assert bench.read(60) == []
    assert bench.capture.quiet_ms == 0
    bench.pilot(periods=1)
    assert nearly(bench.read(70), 300, 1000)


def test_demand_line_is_read_in_the_same_unit():
    bench = Bench(2_500_000)
    bench.push(bench.low(5000))
    bench.pilot(2500, 7500)
    assert nearly(bench.read(), 2500, 10000, within=8)


def test_clock_and_limit_that_would_overflow_a_small_int_are_refused():
    ring = Bench().capture._ring
    with pytest.raises(ValueError, match="cannot count"):
        EdgeCapture(ring, 24_999_999, LIMIT)


# ------------------------------------------------------------------- on the 32-bit MicroPython

# The programs are not run there, only imported.
_RP2 = """
class PIO:
    SHIFT_LEFT = SHIFT_RIGHT = JOIN_NONE = OUT_LOW = 0


def asm_pio(**options):
    return lambda function: function
"""

_BOARD = """
import gc, micropython
from array import array
from drivers.dead_man import DeadMan
from drivers.edge_capture import DMA_COUNT, EdgeCapture, WordRing
from ticks import ticks_add


class Hardware:
    def __init__(self):
        self.count = DMA_COUNT
        self.fed = 0

    def tx_fifo(self):
        return self.fed & 3

    def put(self, value):
        self.fed += 1


def push(words, hardware, word):
    words[-hardware.count & 63] = word
    hardware.count -= 1


def live(words, hardware, capture, man, highs, periods, rows):
    checks = 0
    now_ms = 0x3FFFFF00
    for n in range(400):
        for word in rows[n % len(rows)]:
            push(words, hardware, word)
        found = capture.read(highs, periods, now_ms)
        now_ms = ticks_add(now_ms, 10)
        capture.rearm()
        man.feed(n & 1 == 0)
        checks = (checks * 31 + found * 7 + highs[0] + periods[0] + capture.quiet_ms) % 1000003
    return checks


def run(rows):
    words = array("i", [0] * 64)
    hardware = Hardware()
    capture = EdgeCapture(WordRing(words, 0, 0x2003F100, hardware, hardware), 25000000, 31250)
    man = DeadMan(hardware, None, 2250)
    highs = array("i", [0] * 5)
    periods = array("i", [0] * 5)
    gc.collect()
    before = gc.mem_alloc()
    micropython.heap_lock()
    try:
        checks = live(words, hardware, capture, man, highs, periods, rows)
    finally:
        micropython.heap_unlock()
    print("RAN", gc.mem_alloc() - before, checks)
"""


def _rows():
    bench = Bench()
    pilot = [bench.high(300), bench.low(700)]
    return [
        pilot * 10,
        [*pilot * 3, bench.high(100), ~LIMIT, bench.high(200), bench.low(700), *pilot * 5],
        [],
        [0, LIMIT] * 4,
        pilot * 40,
        [-1, ~LIMIT] * 4,
        [bench.high(300), *pilot * 10],
        [bench.low(700), *pilot * 10],
    ]


@pytest.mark.mpy
def test_reading_and_feeding_allocate_nothing_on_the_board_and_agree_with_the_host(tmp_path):
    names = (
        "drivers/__init__.py", "drivers/pio_programs.py", "drivers/edge_capture.py", "drivers/dead_man.py", "ticks.py",
    )  # fmt: skip
    (said,) = run_script(tmp_path, _BOARD + "run(%r)\n" % (_rows(),), names, {"rp2.py": _RP2})
    allocated, checks = said.split()[1:]
    assert int(allocated) == 0
    assert int(checks) == host_checks()


def host_checks():
    bench = Bench(base=0)
    bench.highs = array("i", [0] * 5)
    bench.periods = array("i", [0] * 5)
    rows = _rows()
    checks = 0
    for n in range(400):
        bench.push(*rows[n % len(rows)])
        found = len(bench.read((n * 10 + 0x3FFFFF00) & 0x3FFFFFFF))
        checks = checks * 31 + found * 7 + bench.highs[0] + bench.periods[0]
        checks = (checks + bench.capture.quiet_ms) % 1000003
    return checks
