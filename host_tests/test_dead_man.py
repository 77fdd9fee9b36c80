"""The dead-man driver: how it feeds and lets go, and what its numbers make of the real program's time."""

from itertools import pairwise

import pytest
from pio_bench import LoggedMachine, LoggedPin, output_changes

from drivers.dead_man import DEAD_MAN_MS, DeadMan
from drivers.pio_programs import dead_man, make_dead_man_pwm

STEADY_HZ = 500_000
PWM_CLOCK_HZ = 1_280_000
STEADY_COUNT = DEAD_MAN_MS * STEADY_HZ // 4000
PWM_COUNT = DEAD_MAN_MS * 20


@pytest.fixture
def log():
    return []


def dead_man_of(log, waiting=0):
    return DeadMan(LoggedMachine(log, waiting), LoggedPin(log), STEADY_COUNT)


# -------------------------------------------------------------------------------------- driver


def test_feed_puts_the_count_or_a_zero(log):
    man = dead_man_of(log)
    man.feed(True)
    man.feed(False)
    assert log == [("put", STEADY_COUNT), ("put", 0)]


@pytest.mark.parametrize("on", [True, False])
def test_feed_never_waits_for_a_machine_that_does_not_run(log, on):
    dead_man_of(log, waiting=3).feed(on)
    assert len(log) == 1 and log[0][0] == "put"
    del log[:]
    man = dead_man_of(log, waiting=4)
    man.feed(on)
    # Its pin may be high for good: it is taken away, and never given back.
    assert log[0] == ("pin", "in", "down") and man.is_released


def test_release_stops_the_machine_sets_low_and_lets_go(log):
    man = dead_man_of(log)
    assert not man.is_released
    man.release()
    # The pin first: an interrupted release has already let go.
    assert log == [("pin", "in", "down"), ("active", 0), ("exec", 0xE000)]
    assert man.is_released


def test_released_output_cannot_be_fed_again(log):
    man = dead_man_of(log)
    man.release()
    del log[:]
    man.feed(True)
    assert log == []
    man.release()
    assert log[0] == ("pin", "in", "down")


def test_the_opcode_of_release_is_the_programs_own_set_low():
    assert dead_man.opcodes[0] == 0xE000


# -------------------------------------------------------------------- the program at its clock


def ms(cycles, clock_hz):
    return 1000 * cycles / clock_hz


def fed(every_ms, passes, count, clock_hz):
    return [(int(n * every_ms * clock_hz / 1000) + 7, count) for n in range(passes)]


def test_s2_is_low_within_20_ms_of_the_last_proof_of_life():
    puts = fed(10, 4, STEADY_COUNT, STEADY_HZ)
    changes = output_changes(dead_man, puts, puts[-1][0] + 11000)
    assert [level for _, level in changes] == [1, 0]
    assert 18 <= ms(changes[-1][0] - puts[-1][0], STEADY_HZ) <= 18.02


def test_s2_stays_high_when_a_pass_is_7_ms_late():
    puts = fed(17.5, 3, STEADY_COUNT, STEADY_HZ)
    changes = output_changes(dead_man, puts, puts[-1][0] + 100)
    assert changes == [(changes[0][0], 1)]


def test_s2_is_low_within_20_us_of_an_order():
    puts = [(10, STEADY_COUNT), (5003, 0)]
    changes = output_changes(dead_man, puts, 9000)
    assert changes[-1][1] == 0
    assert ms(changes[-1][0] - 5003, STEADY_HZ) <= 0.02


def test_bridge_ends_within_20_ms_of_the_last_proof_of_life():
    puts = fed(10, 3, PWM_COUNT, PWM_CLOCK_HZ)
    changes = output_changes(make_dead_man_pwm(24), puts, puts[-1][0] + 30000)
    assert changes[-1][1] == 0
    assert 17.9 <= ms(changes[-1][0] - puts[-1][0], PWM_CLOCK_HZ) <= 18.1
    ups = [clock for clock, level in changes if level]
    assert {b - a for a, b in pairwise(ups)} == {PWM_CLOCK_HZ // 20000}


def test_bridge_ends_within_100_us_of_an_order():
    for offset in range(0, 64, 9):
        puts = [(10, PWM_COUNT), (3000 + offset, 0)]
        changes = output_changes(make_dead_man_pwm(24), puts, 9000)
        assert changes[-1][1] == 0
        assert ms(changes[-1][0] - puts[-1][0], PWM_CLOCK_HZ) <= 0.1
