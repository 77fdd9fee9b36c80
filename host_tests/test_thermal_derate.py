"""thermal.derate: a straight line, 2 K of backlash, no chatter."""

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thermal.derate import Derating
from thermal.params import ThermalLimits


def line_ma(decic, limits):
    """Return the limit on the line, exactly."""
    span = limits.derate_end_decic - limits.derate_start_decic
    part = min(1, max(0, (decic - limits.derate_start_decic) / span))
    return limits.rated_ma * (1 - part * (1 - limits.derate_end_pct / 100))


@pytest.mark.parametrize(
    ("decic", "limit_ma"),
    [
        (-400, 32000),
        (599, 32000),
        (600, 32000),
        (601, 31936),
        (725, 24000),
        (849, 16064),
        (850, 16000),
        (851, 16000),
        (1200, 16000),
    ],
)
def test_warming_contact_lowers_the_limit_along_the_line(decic, limit_ma):
    assert Derating(ThermalLimits()).limit_ma(decic) == limit_ma


def test_limit_is_rounded_down():
    limits = ThermalLimits(rated_ma=32001, derate_end_pct=33)
    for decic in range(590, 860):
        exact = line_ma(decic, limits)
        assert exact - 2 < Derating(limits).limit_ma(decic) <= exact


def test_cooling_contact_raises_the_limit_only_after_2_k():
    derating = Derating(ThermalLimits())
    hot_ma = derating.limit_ma(750)
    assert [derating.limit_ma(decic) for decic in (749, 731, 730)] == [hot_ma] * 3
    assert derating.limit_ma(729) == hot_ma + 64


def test_full_current_is_back_2_k_below_the_start():
    derating = Derating(ThermalLimits())
    derating.limit_ma(700)
    assert derating.limit_ma(581) == 31936
    assert derating.limit_ma(580) == 32000


def test_warming_again_within_the_backlash_changes_nothing():
    derating = Derating(ThermalLimits())
    derating.limit_ma(800)
    cooler_ma = derating.limit_ma(700)
    assert cooler_ma == Derating(ThermalLimits()).limit_ma(720)
    assert [derating.limit_ma(decic) for decic in (710, 720, 705)] == [cooler_ma] * 3
    assert derating.limit_ma(721) == cooler_ma - 64


def test_noise_of_a_kelvin_makes_no_chatter():
    """PT1000 under 1 kohm: +-2 mV are +-0.9 K."""
    derating, noise = Derating(ThermalLimits()), random.Random(1)
    seen = [derating.limit_ma(700 + noise.randint(-9, 9)) for _ in range(2000)]
    assert sum(a != b for a, b in pairwise(seen)) <= 10
    assert seen == sorted(seen, reverse=True)


def test_closed_loop_with_a_contact_settles_without_hunting():
    """Contact of 300 s and 60 K at 32 A: the limit falls, settles, and never turns twice."""
    derating, c, limit_ma, turns, last_step = Derating(ThermalLimits()), 30.0, 32000, 0, 0
    for _ in range(7200):
        c += (30 + 60 * (limit_ma / 32000) ** 2 - c) / 300
        before_ma, limit_ma = limit_ma, derating.limit_ma(round(c * 10))
        step = (limit_ma > before_ma) - (limit_ma < before_ma)
        if step:
            turns += step == -last_step
            last_step = step
    assert turns <= 1
    assert 16000 < limit_ma < 32000


@given(st.lists(st.integers(-500, 1500), min_size=1, max_size=60))
def test_any_history_keeps_the_limit_within_the_line_and_2_k(history):
    limits = ThermalLimits()
    derating = Derating(limits)
    for decic in history:
        limit_ma = derating.limit_ma(decic)
        assert line_ma(decic + 20, limits) - 1.001 <= limit_ma <= line_ma(decic, limits) + 0.001
