"""drivers.bridge_out: order of the pins, and the caps that hold whatever the logic says."""

import random

import pytest
from board_fakes import FakeDeadMan, FakePin

from drivers.bridge_out import STOP_LONG, STOP_NONE, STOP_SHARE, BridgeOut
from drivers.lines import OutputLine
from ticks import ticks_add

DIRECTION, WAKE = 5, 6
WRAP = 1 << 30


class Rig:
    def __init__(self, start_ms=0):
        self.log = []
        self.dead_man = FakeDeadMan()
        self.bridge = BridgeOut(
            OutputLine(FakePin(DIRECTION, log=self.log), False),
            OutputLine(FakePin(WAKE, log=self.log), False),
            self.dead_man,
        )
        self.now_ms = start_ms

    def step(self, command, dt_ms=10):
        """One pass; return True if the bridge is fed."""
        self.now_ms = ticks_add(self.now_ms, dt_ms)
        self.bridge.drive(command, self.now_ms)
        return self.dead_man.fed[-1]

    def run(self, command, ms):
        """Return for how long the bridge was on."""
        return sum(10 for _ in range(ms // 10) if self.step(command))


def test_bridge_is_off_before_any_command():
    rig = Rig()
    assert not rig.step(0)
    assert rig.log == [] and rig.bridge.driven == 0


@pytest.mark.parametrize("command, level", [(1, 1), (-1, 0)])
def test_direction_and_wake_come_with_the_first_feed(command, level):
    rig = Rig()
    rig.step(0)
    assert rig.step(command)
    assert rig.log == [(DIRECTION, "out", level), (WAKE, "out", 1)]
    assert rig.bridge.driven == command


def test_command_of_0_ends_enable_and_wake_in_the_same_pass():
    rig = Rig()
    rig.run(1, 100)
    assert not rig.step(0)
    assert rig.log[-1] == (WAKE, "level", 0) and rig.bridge.driven == 0


def test_dead_man_is_fed_in_every_pass():
    rig = Rig()
    for command in (0, 1, 1, -1, 0, 0):
        rig.step(command)
    assert len(rig.dead_man.fed) == 6


def test_reversal_is_off_for_a_pass_before_the_direction_changes():
    rig = Rig()
    rig.run(1, 50)
    rig.log.clear()
    assert not rig.step(-1)
    assert rig.log == [(WAKE, "level", 0)]
    assert rig.step(-1)
    assert rig.log == [(WAKE, "level", 0), (DIRECTION, "level", 0), (WAKE, "level", 1)]


@pytest.mark.parametrize("start_ms", [0, WRAP - 1000])
def test_drive_without_a_break_ends_after_2_s_and_stays_off(start_ms):
    rig = Rig(start_ms)
    assert rig.run(1, 10000) == 2000
    assert rig.bridge.stop == STOP_LONG


def test_cap_needs_a_command_of_0():
    rig = Rig()
    rig.run(1, 2500)
    assert rig.run(-1, 500) == 0, "the other way is no way out"
    rig.step(0)
    assert rig.bridge.stop == STOP_NONE and rig.step(1)


def test_share_of_on_time_ends_what_breaks_do_not():
    """1.9 s on, 10 ms off, for ever: the 2 s cap never acts, the share does."""
    rig = Rig()
    on_ms = sum(rig.run(1, 1900) + rig.run(0, 10) for _ in range(20))
    assert rig.bridge.stop == STOP_SHARE
    assert on_ms < 9000


def test_share_clears_by_a_command_of_0_once_cool():
    rig = Rig()
    while rig.bridge.stop == STOP_NONE:
        rig.run(1, 1900)
        rig.run(0, 10)
    rig.run(0, 20000)
    assert not rig.step(1), "not cool"
    rig.run(1, 60000)
    assert not rig.step(1), "cool, but the command never went away"
    rig.step(0)
    assert rig.step(1)


@pytest.mark.parametrize("seed", range(5))
def test_no_command_whatever_keeps_it_on_for_more_than_the_share(seed):
    """An eighth in the long run, 8.6 s on top at first."""
    rng = random.Random(seed)
    rig = Rig()
    on_ms = total_ms = longest_ms = 0
    while total_ms < 900_000:
        command = rng.choice((-1, 0, 1, 1))
        ms = rng.choice((10, 20, 300, 1500, 4000))
        length_ms = rig.run(command, ms)
        on_ms += length_ms
        total_ms += ms
        longest_ms = max(longest_ms, length_ms)
    assert longest_ms <= 2000
    assert 0 < on_ms <= 8600 + total_ms // 8


def test_the_logics_own_budget_is_never_cut():
    """lock.bridge allows 7.2 s in any 60 s, in drives of at most 2 s with 50 ms between."""
    rig = Rig()
    for _ in range(20):
        on_ms = 0
        for _ in range(4):
            on_ms += rig.run(1, 1790) + rig.run(0, 50)
        assert on_ms == 7160
        rig.run(0, 60000 - 7360)
    assert rig.bridge.stop == STOP_NONE


def test_time_between_late_passes_counts_in_full():
    rig = Rig()
    rig.step(1)
    rig.step(1, dt_ms=2000)
    assert rig.bridge.stop == STOP_LONG


@pytest.mark.parametrize("dt_ms", [-10, 100_000_000])
def test_clock_that_jumps_stops_the_drive(dt_ms):
    rig = Rig(1000)
    rig.step(1)
    assert not rig.step(1, dt_ms)


def test_release_goes_through_even_if_a_part_fails():
    rig = Rig()
    rig.run(1, 50)

    def broken():
        raise OSError(5)

    rig.dead_man.release = broken
    with pytest.raises(OSError):
        rig.bridge.release()
    assert rig.log[-2:] == [(WAKE, "in", None), (DIRECTION, "in", None)]
