"""pilot/capture.py: what one pass of captured periods is worth, and the scores that noise must fill."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilot.capture import (
    GOOD,
    NOISE,
    NOTE_MAX_US_X10,
    NOTE_MIN_US_X10,
    ODD_FREQUENCY,
    PASS_NAMES,
    QUIET,
    PilotCapture,
)

NOMINAL = 10_000


def judged(highs, periods, quiet_ms=0, capture=None):
    """Let one pass judge these periods, 0.1 us."""
    capture = capture or PilotCapture()
    capture.tick(len(highs), highs, periods, quiet_ms)
    return capture


def good(capture, passes=1):
    """Feed clean passes."""
    for _n in range(passes):
        judged([5000] * 5, [NOMINAL] * 5, capture=capture)


def bad(capture, passes=1):
    """Feed passes without a majority."""
    for _n in range(passes):
        judged([1000, 3000, 5000, 7000, 9000], [NOMINAL] * 5, capture=capture)


def odd(capture, passes=1):
    """Feed passes of steady 2 kHz."""
    for _n in range(passes):
        judged([2500] * 5, [5000] * 5, capture=capture)


@pytest.mark.parametrize("count", [3, 4, 5])
def test_alike_periods_are_good_and_their_duty_is_rounded_down(count):
    capture = judged([5339] * count, [10_017] * count)
    assert capture.kind == GOOD
    assert capture.duty_pct_x100 == 5329  # 53.2994 %
    assert capture.period_us_x10 == 10_017


@pytest.mark.parametrize("count", [0, 1, 2])
def test_fewer_than_three_periods_are_not_enough(count):
    assert judged([5000] * count, [NOMINAL] * count).kind == NOISE


@pytest.mark.parametrize(
    ("hz", "kind"),
    [
        (949, ODD_FREQUENCY), (950, GOOD), (951, GOOD), (1000, GOOD), (1049, GOOD), (1050, GOOD),
        (1051, ODD_FREQUENCY), (500, ODD_FREQUENCY), (2000, ODD_FREQUENCY),
    ],
)  # fmt: skip
@pytest.mark.parametrize("rounding", [0, 1])
def test_frequency_window_is_950_to_1050_hz(hz, kind, rounding):
    """IEC 61851-1 Tab A.8 note; a capture may round its 0.1 us down or up."""
    period = -(-10_000_000 // hz) if rounding and hz != 950 else 10_000_000 // hz
    assert judged([period // 2] * 5, [period] * 5).kind == kind


@pytest.mark.parametrize(
    ("period", "kind"),
    [(9522, ODD_FREQUENCY), (9523, GOOD), (10_526, GOOD), (10_527, ODD_FREQUENCY)],
)
def test_each_edge_of_the_period_window_is_exact(period, kind):
    assert judged([5000] * 5, [period] * 5).kind == kind
    assert judged([5000] * 4 + [5001], [period] * 5).kind == kind


@pytest.mark.parametrize(
    ("high", "kind"), [(0, NOISE), (1, GOOD), (9999, GOOD), (NOMINAL, NOISE), (NOMINAL + 1, NOISE)]
)
def test_high_time_lies_within_its_period(high, kind):
    assert judged([high] * 5, [NOMINAL] * 5).kind == kind


@pytest.mark.parametrize(("high", "kind"), [(0, NOISE), (1, GOOD), (9999, GOOD), (NOMINAL, NOISE)])
def test_high_time_lies_within_its_period_where_periods_differ(high, kind):
    """Two of three samples at the edge, the third a hair beside it: all three must count."""
    inside = min(max(high, 2), 9998)
    assert judged([high, high, inside], [NOMINAL] * 3).kind == kind


@pytest.mark.parametrize("spoilt", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("second", [0, 1, 2, 3, 4])
def test_two_bad_periods_of_five_do_not_move_the_duty(spoilt, second):
    for high, period in (
        (60, NOMINAL),
        (9990, NOMINAL),
        (8000, 20_000),
        (3000, 4000),
        (5000, 30_000),
    ):
        highs, periods = [5330] * 5, [NOMINAL] * 5
        highs[spoilt] = highs[second] = high
        periods[spoilt] = periods[second] = period
        capture = judged(highs, periods)
        assert (capture.kind, capture.duty_pct_x100) == (GOOD, 5330)


def test_three_new_periods_outvote_two_old_ones():
    capture = judged([5000, 5000, 2000, 2000, 2000], [NOMINAL] * 5)
    assert (capture.kind, capture.duty_pct_x100) == (GOOD, 2000)


@pytest.mark.parametrize(("spread", "kind"), [(100, GOOD), (101, NOISE)])
def test_high_times_agree_within_a_hundredth_of_a_period(spread, kind):
    assert judged([5000, 5000 + spread, 5000 + spread // 2], [NOMINAL] * 3).kind == kind
    assert judged([5000, 5000, 5000 + spread], [NOMINAL] * 3).kind == kind


def test_mean_of_jittering_periods_is_rounded_down():
    capture = judged([5000, 5001, 5001, 5001, 5001], [NOMINAL] * 5)
    assert capture.duty_pct_x100 == 5000


def test_jitter_across_an_edge_of_the_frequency_window_is_odd_not_noise():
    """949 Hz that jitters by 1 us: sometimes two periods of five fall inside."""
    capture = judged([5000] * 5, [10_537, 10_520, 10_541, 10_525, 10_533])
    assert capture.kind == ODD_FREQUENCY
    assert capture.period_us_x10 == 10_537
    assert judged([5000] * 5, [10_537, 10_520, 10_521, 10_525, 10_533]).kind == GOOD


def test_steady_periods_with_wild_high_times_are_noise_not_odd():
    capture = PilotCapture()
    bad(capture)
    assert capture.kind == NOISE


def test_wild_periods_are_noise_not_odd():
    assert judged([2500] * 5, [5000, 5000, 5000, 5000, 5251]).kind == NOISE
    assert judged([2500] * 5, [5000, 5000, 5000, 5000, 5250]).kind == ODD_FREQUENCY


def test_quiet_is_judged_by_the_last_edge_alone():
    assert judged([], [], quiet_ms=19).kind == NOISE
    assert judged([], [], quiet_ms=20).kind == QUIET
    assert judged([5000] * 5, [NOMINAL] * 5, quiet_ms=20).kind == QUIET


def test_six_bad_passes_are_paid_back_by_the_nineteen_good_ones_of_250_ms():
    capture = PilotCapture()
    for _burst in range(200):
        bad(capture, 6)
        assert not capture.is_noisy
        good(capture, 19)
        assert not capture._noise_score


@pytest.mark.parametrize(("spoil", "flag"), [(bad, "is_noisy"), (odd, "is_odd_frequency")])
def test_ten_bad_passes_in_a_row_fill_the_score_and_thirty_good_ones_clear_it(spoil, flag):
    capture = PilotCapture()
    spoil(capture, 9)
    assert not getattr(capture, flag)
    spoil(capture)
    assert getattr(capture, flag)
    spoil(capture, 100)
    good(capture, 29)
    assert getattr(capture, flag)
    good(capture)
    assert not getattr(capture, flag)


@pytest.mark.parametrize(("spoil", "flag"), [(bad, "is_noisy"), (odd, "is_odd_frequency")])
def test_silence_clears_a_full_score(spoil, flag):
    """Else the fault of a noisy cable would stand for as long as nothing is plugged in."""
    capture = PilotCapture()
    spoil(capture, 12)
    judged([], [], quiet_ms=20, capture=capture)
    assert not getattr(capture, flag)
    spoil(capture, 9)
    assert not getattr(capture, flag)


def test_every_pass_has_a_name():
    assert len(PASS_NAMES) == len({GOOD, QUIET, ODD_FREQUENCY, NOISE})


def test_legal_generator_of_any_frequency_is_read_to_a_hundredth_of_a_percent():
    """Architecture 6: 0.1 %. Period and high time are cut to 0.1 us, the duty to 0.01 %."""
    for hz in range(950, 1051):
        for duty_x100 in (301, 801, 1003, 1667, 2511, 5333, 8499, 8533, 9599, 9699):
            capture = judged([duty_x100 * 1000 // hz] * 5, [10_000_000 // hz] * 5)
            assert -2 <= capture.duty_pct_x100 - duty_x100 <= 1


@given(
    st.lists(
        st.tuples(
            st.sampled_from([0, 1, 4900, 4999, 5000, 5050, 5100, 5101, 9800, 9999, 10000]),
            st.sampled_from([9522, 9523, 9999, 10000, 10526, 10527]),
        ),
        min_size=3,
        max_size=5,
    )
)
def test_what_is_seen_at_a_glance_is_what_a_search_finds(periods):
    """A pass that fills its arrays is judged by built-ins first; with room behind it, period by period."""
    highs = [high for high, _ in periods]
    lengths = [length for _, length in periods]
    glance = judged(highs, lengths)
    search = PilotCapture()
    search.tick(len(highs), [*highs, 0], [*lengths, 0], 0)
    assert (glance.kind, glance.duty_pct_x100, glance.period_us_x10) == (
        search.kind, search.duty_pct_x100, search.period_us_x10,
    )  # fmt: skip


def test_passes_are_numbered_as_they_are_named():
    assert [PASS_NAMES[kind] for kind in (GOOD, QUIET, ODD_FREQUENCY, NOISE)] == list(PASS_NAMES)
    assert (GOOD, QUIET, ODD_FREQUENCY, NOISE) == (0, 1, 2, 3)


def test_frequency_is_noted_outside_980_to_1020_hz():
    """IEC 61851-1 Tab A.2, as a capture that rounds its 0.1 us down sees it."""
    assert (NOTE_MIN_US_X10, NOTE_MAX_US_X10) == (10_000_000 // 1020, 10_000_000 // 980)


@pytest.mark.parametrize(("spoil", "flag"), [(bad, "is_noisy"), (odd, "is_odd_frequency")])
def test_a_good_pass_among_ten_bad_ones_asks_for_one_more(spoil, flag):
    capture = PilotCapture()
    spoil(capture)
    good(capture)
    spoil(capture, 9)
    assert not getattr(capture, flag)
    spoil(capture)
    assert getattr(capture, flag)


def test_nothing_captured_yet_is_quiet_and_neither_noisy_nor_odd():
    capture = PilotCapture()
    assert (capture.kind, capture.duty_pct_x100, capture.period_us_x10) == (QUIET, 0, 0)
    assert capture.is_noisy is False and capture.is_odd_frequency is False
