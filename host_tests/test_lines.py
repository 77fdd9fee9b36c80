"""drivers.lines: debounce by passes, polarity, and outputs that start and end without a glitch."""

import pytest
from board_fakes import FakePin

from drivers.lines import InputLine, OutputLine


def play(levels, is_inverted=False):
    pin = FakePin()
    line = InputLine(pin, is_inverted)
    states = []
    for level in levels:
        pin.level = level
        states.append((line.read(), line.is_settled))
    return states


def test_input_counts_after_three_equal_passes():
    assert play([1, 1, 1]) == [(False, False), (False, False), (True, True)]


def test_input_at_rest_is_off_but_not_settled_for_three_passes():
    states = play([0, 0, 0])
    assert [on for on, _ in states] == [False] * 3
    assert not states[0][1] and states[2][1]


def test_two_odd_passes_change_nothing_but_the_confidence():
    states = play([1, 1, 1, 0, 0, 1, 1, 1])
    assert [on for on, _ in states[2:]] == [True] * 6
    assert [settled for _, settled in states[2:]] == [True, False, False, False, False, True]


def test_bouncing_input_keeps_its_state_and_is_never_settled():
    states = play([0, 0, 0] + [1, 0] * 10)
    assert not any(on for on, _ in states)
    assert not any(settled for _, settled in states[3:])


@pytest.mark.parametrize("is_inverted", [False, True])
def test_input_polarity(is_inverted):
    on = 0 if is_inverted else 1
    assert play([on] * 3, is_inverted)[-1] == (True, True)
    assert play([1 - on] * 3, is_inverted)[-1] == (False, True)


@pytest.mark.parametrize("is_inverted", [False, True])
def test_output_starts_at_its_level_and_is_written_only_on_change(is_inverted):
    pin = FakePin(7)
    line = OutputLine(pin, is_inverted)
    off = 1 if is_inverted else 0
    for is_on in (False, False, True, True, False):
        line.set(is_on)
    assert pin.log == [(7, "out", off), (7, "level", 1 - off), (7, "level", off)]


def test_released_output_is_an_input_and_can_be_driven_again():
    pin = FakePin(7)
    line = OutputLine(pin, False)
    line.set(True)
    line.release()
    assert pin.mode == FakePin.IN and not line.is_on
    line.set(False)
    assert pin.log[-1] == (7, "out", 0)
