"""Wrap-safe ticks: the same as MicroPython's own, across the wrap of 2**30."""

import inspect
import runpy
import time

import micropython
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ticks
from inletctl.house import FIRMWARE
from ticks import ticks_add, ticks_diff

PERIOD = 2**30
HALF = 2**29
TICK = st.integers(0, PERIOD - 1)


@pytest.mark.parametrize(
    ("end", "start", "ms"),
    [
        (0, 0, 0),
        (10, 0, 10),
        (0, 10, -10),
        (0, PERIOD - 1, 1),
        (PERIOD - 1, 0, -1),
        (40, PERIOD - 10, 50),
        (HALF - 1, 0, HALF - 1),
        (HALF, 0, -HALF),
        (HALF + 1, 0, -HALF + 1),
    ],
)
def test_difference_across_the_wrap_and_at_its_ends(end, start, ms):
    assert ticks_diff(end, start) == ms


@pytest.mark.parametrize(
    ("tick", "delta", "result"),
    [
        (0, 0, 0),
        (PERIOD - 1, 1, 0),
        (PERIOD - 5, 10, 5),
        (0, -1, PERIOD - 1),
        (5, -10, PERIOD - 5),
        (7, HALF - 1, HALF + 6),
    ],
)
def test_sum_wraps(tick, delta, result):
    assert ticks_add(tick, delta) == result


@given(TICK, st.integers(-HALF, HALF - 1))
def test_difference_undoes_the_sum(tick, delta):
    moved = ticks_add(tick, delta)
    assert 0 <= moved < PERIOD
    assert ticks_diff(moved, tick) == delta


@given(TICK, TICK)
def test_difference_is_within_half_a_period(end, start):
    ms = ticks_diff(end, start)
    assert -HALF <= ms < HALF
    assert ticks_add(start, ms) == end


def test_board_uses_its_own_ticks(monkeypatch):
    """A hand-written subtraction would allocate there."""
    monkeypatch.setattr(time, "ticks_add", max, raising=False)
    monkeypatch.setattr(time, "ticks_diff", min, raising=False)
    names = runpy.run_path(str(FIRMWARE / "ticks.py"))
    assert names["ticks_add"] is max and names["ticks_diff"] is min


def test_declaration_for_type_checkers_matches_the_functions(monkeypatch):
    monkeypatch.setattr(micropython, "const", lambda value: True)
    declared = runpy.run_path(str(FIRMWARE / "ticks.py"))
    for name in ("ticks_add", "ticks_diff"):
        assert inspect.signature(declared[name]) == inspect.signature(getattr(ticks, name))
