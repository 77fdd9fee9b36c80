"""pilot/capture.py at its borders: which periods of a pass count, by how much they may differ, and what a score ends with."""

import pytest

from pilot.capture import GOOD, NOISE, ODD_FREQUENCY, PilotCapture
from signals import PILOT_PERIODS

NOMINAL = 10_000
WILD = [1000, 3000, 5000, 7000, 9000]


def seen(highs, periods, capture=None, left=(5000, NOMINAL)):
    """Let one pass judge these periods as the board's arrays hold them; behind them is what a pass before has left."""
    capture = capture or PilotCapture()
    spare = PILOT_PERIODS - len(highs)
    capture.tick(len(highs), [*highs, *[left[0]] * spare], [*periods, *[left[1]] * spare], 0)
    return capture


@pytest.mark.parametrize("left", [(5090, NOMINAL), (5000, 10_500), (0, 0)])
@pytest.mark.parametrize("count", [3, 4])
def test_what_a_pass_before_has_left_in_the_arrays_is_not_counted(count, left):
    capture = seen([5000] * count, [NOMINAL] * count, left=left)
    assert (capture.kind, capture.duty_pct_x100, capture.period_us_x10) == (GOOD, 5000, NOMINAL)


@pytest.mark.parametrize("count", [3, 4])
def test_the_mean_of_fewer_than_all_periods_is_rounded_down_too(count):
    capture = seen([5000] + [5001] * (count - 1), [NOMINAL] * count)
    assert (capture.duty_pct_x100, capture.period_us_x10) == (5000, NOMINAL)
    assert seen([5000] * count, [NOMINAL] * (count - 1) + [9999]).period_us_x10 == 9999


@pytest.mark.parametrize(
    ("high", "period", "kind"),
    [
        (5000, 9522, NOISE), (5000, 9523, GOOD), (5000, 10_526, GOOD), (5000, 10_527, NOISE),
        (-1, NOMINAL, NOISE), (0, NOMINAL, NOISE), (1, NOMINAL, GOOD), (9999, NOMINAL, GOOD),
        (NOMINAL, NOMINAL, NOISE),
    ],
)  # fmt: skip
@pytest.mark.parametrize("place", range(4))
def test_each_border_is_the_same_where_a_pass_is_searched(place, high, period, kind):
    """Three good periods of four are wanted: one has a high time of its own, and one is at the border."""
    near = min(max(high, 2), 9998)
    highs, periods = [near] * 3, [NOMINAL] * 3
    highs.insert(place, high)
    periods.insert(place, period)
    lost = (place + 1) % 4
    periods[lost] = 20_000
    assert seen(highs, periods).kind == kind


@pytest.mark.parametrize("count", [3, 4, 5])
def test_high_times_below_zero_are_never_a_duty_however_well_they_agree(count):
    capture = seen([-1] * count, [NOMINAL] * count)
    assert (capture.kind, capture.duty_pct_x100) == (NOISE, 0)


@pytest.mark.parametrize(("spread", "kind"), [(100, GOOD), (101, NOISE)])
@pytest.mark.parametrize("side", [-1, 1])
def test_high_times_agree_within_a_hundredth_where_a_pass_is_searched(side, spread, kind):
    highs = [5000, 5000, 5000 + side * spread, 9000]
    assert seen(highs, [NOMINAL] * 4).kind == kind


def test_one_between_two_that_do_not_agree_makes_no_group_of_them():
    """4900 and 5100 are 2 % of a period apart; that 5000 lies between them does not bring them together."""
    assert seen([4900, 5100, 1000, 5000, 9000], [NOMINAL] * 5).kind == NOISE
    assert seen([4900, 5100, 5000], [NOMINAL] * 3).kind == NOISE


@pytest.mark.parametrize("count", [3, 4, 5])
def test_three_steady_periods_are_enough_to_name_a_wrong_frequency(count):
    assert seen([2500] * count, [5000] * count).kind == ODD_FREQUENCY


@pytest.mark.parametrize(
    ("inside", "outside", "kind"),
    [
        ([9523] * 3, [9500] * 2, NOISE), ([9523] * 2, [9500] * 3, ODD_FREQUENCY),
        ([10_526] * 3, [10_600] * 2, NOISE), ([10_526] * 2, [10_600] * 3, ODD_FREQUENCY),
        ([10_526] * 2, [10_600] * 2, NOISE), ([10_526], [10_600] * 3, ODD_FREQUENCY),
    ],
)  # fmt: skip
def test_a_frequency_is_odd_where_more_than_half_of_the_periods_are_outside(inside, outside, kind):
    """The window's own edge is inside."""
    periods = inside + outside
    assert seen(WILD[: len(periods)], periods).kind == kind


def scored(before, passes):
    """Feed steady passes of 2 kHz (o), good ones (g) and silence (q)."""
    capture = PilotCapture()
    for kind in before + passes:
        if kind == "q":
            capture.tick(0, [0] * 5, [0] * 5, 20)
        else:
            seen([2500] * 5, [5000 if kind == "o" else NOMINAL] * 5, capture)
    return capture.is_odd_frequency


@pytest.mark.parametrize("before", ["", "o" * 12 + "q"])
def test_silence_leaves_no_score_of_a_wrong_frequency_behind(before):
    """Ten odd passes are proof, and nine with a good one between need two more."""
    assert not scored(before, "o" * 9)
    assert scored(before, "o" * 10)
    assert not scored(before, "o" * 9 + "go")
    assert scored(before, "o" * 9 + "goo")
