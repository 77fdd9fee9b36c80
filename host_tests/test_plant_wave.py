"""The capture against a brute-force one that looks at the pin every 0.1 us."""

from random import Random

import pytest

from inletctl.plant.wave import PERIODS, Capture, Segment

VISIBLE = (0, 0, 1)
BLIND = (0, 0, 0)


class BruteForce:
    """The same inputs, one look each 0.1 us, nothing clever."""

    def __init__(self):
        self.t, self.bit, self.rise, self.fall, self.edge = 0, 0, -1, -1, -10_000_000
        self.found = []

    def look(self, segment, bits, t):
        bit = bits[segment.sign_at(t) + 1]
        if bit == self.bit:
            return
        self.bit, self.edge = bit, t
        if not bit:
            self.fall = t
            return
        if self.rise >= 0:
            self.found.append((self.fall - self.rise, t - self.rise))
        self.rise = t


def _random_run(seed):
    """Run both over the same random generator and link changes; samples at random times. Compare each window."""
    random = Random(seed)
    capture, brute = Capture(), BruteForce()
    segment, bits = Segment(0, 1), VISIBLE
    capture.send(segment)
    capture.link(0, bits)
    booked = None
    t, windows, regular, collected_x10 = 0, 0, 0, -1
    for _change in range(40):
        for _wait in range(random.randrange(1, 400)):
            if booked and t == booked.start_x10:
                segment, booked = booked, None
            brute.look(segment, bits, t)
            if random.random() < 0.02:
                capture.collect(t)
                collected_x10 = t
                count = min(len(brute.found), PERIODS)
                got = list(zip(capture.highs_x10[:count], capture.periods_x10[:count]))
                assert capture.periods == count
                assert got == brute.found[-PERIODS:]
                brute.found = []
                windows += 1
                regular += capture._regular
            t += 1
        if collected_x10 == t - 1 and random.random() < 0.5:
            t -= 1  # a change in the very moment of the sample, after it
        kind = random.randrange(4)
        if kind == 0:
            bits = random.choice((VISIBLE, BLIND))
            capture.link(t, bits)
        elif kind == 1:
            segment, booked = Segment(t, random.choice((-1, 0, 1))), None
            capture.send(segment)
        else:
            period = random.randrange(20, 60)
            start = capture.next_boundary_x10(t)
            booked = Segment(start, 1, period, random.randrange(1, period))
            capture.send(booked)
    assert windows > 50
    return regular


def test_random_changes_are_captured_as_by_brute_force():
    regular = sum(_random_run(seed) for seed in range(60))
    assert regular > 1000, "the counting path was hardly used"


def test_steady_pwm_counts_periods_without_replaying():
    capture = Capture()
    capture.link(0, VISIBLE)
    capture.send(Segment(0, 1, 10_000, 5_333))
    capture.collect(100_000)
    capture._replay = None  # would fail if called
    capture.collect(200_000)
    assert (capture.periods, capture.quiet_ms) == (PERIODS, 0)
    capture.collect(215_000)
    assert capture.periods == 1
    capture.collect(215_000)
    assert capture.periods == 0


def test_duty_change_shows_old_and_new_periods_in_one_window():
    capture = Capture()
    capture.link(0, VISIBLE)
    capture.send(Segment(0, 1, 10_000, 5_000))
    capture.collect(100_000)
    start = capture.next_boundary_x10(163_210)
    assert start == 170_000
    capture.send(Segment(start, 1, 10_000, 2_000))
    capture.collect(200_000)
    # Periods end at 160, 170 (old), 180, 190, 200 (new); the newest five are handed over, oldest first.
    assert list(capture.highs_x10) == [5_000, 5_000, 2_000, 2_000, 2_000]
    assert set(capture.periods_x10) == {10_000}


def test_slow_pwm_tells_its_quiet_time():
    capture = Capture()
    capture.link(0, VISIBLE)
    capture.send(Segment(0, 1, 100_000, 20_000))  # 100 Hz, high 2 ms
    capture.collect(200_000)
    for t_x10, quiet_ms in ((210_000, 1), (219_999, 1), (220_000, 0), (295_000, 7), (300_000, 0)):
        capture.collect(t_x10)
        assert capture.quiet_ms == quiet_ms, t_x10


def test_quiet_time_of_a_steady_pilot_stays_at_one_second():
    capture = Capture()
    capture.link(0, VISIBLE)
    capture.send(Segment(0, 1, 10_000, 5_000))
    capture.collect(100_000)
    capture.send(Segment(104_000, 1))
    capture.collect(200_000)
    assert capture.quiet_ms == 10  # the last edge was the rise at 100_000
    for t_x10, quiet_ms in ((10_090_000, 999), (10_100_000, 1000), (50_000_000, 1000)):
        capture.collect(t_x10)
        assert (capture.periods, capture.quiet_ms) == (0, quiet_ms)


@pytest.mark.parametrize("gap_x10, count", [(990_000, 1), (1_010_000, 0)])
def test_period_over_100_ms_is_dropped_by_the_capture(gap_x10, count):
    capture = Capture()
    capture.link(0, VISIBLE)
    capture.send(Segment(0, 1, 10_000, 5_000))
    capture.collect(104_000)
    capture.send(Segment(105_000, -1))
    capture.send(Segment(100_000 + gap_x10, 1, 10_000, 5_000))
    capture.collect(100_000 + gap_x10)
    assert capture.periods == count
    if count:
        assert capture.periods_x10[0] == gap_x10
