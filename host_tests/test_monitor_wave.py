"""The pilot as text: what a person sees of each state, and what no measurement may break."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inletctl.monitor.wave import LABEL, LEVELS, ROWS, Wave, draw, row_of


def test_state_c_at_half_duty_is_a_square_wave_between_its_levels():
    lines = draw(Wave(500, 1000, 6000, -12000), LABEL + 16)
    assert lines == [
        " +12 A" + " " * 16,
        "  +9 B" + " " * 16,
        "  +6 C┌───┐   ┌───┐   ",
        "  +3 D│   │   │   │   ",
        "   0 E│   │   │   │   ",
        " -12 F┘   └───┘   └───",
    ]


def test_steady_pilot_is_one_flat_line_at_its_level():
    for mv, name in LEVELS:
        lines = draw(Wave(0, 0, mv, mv), 40)
        drawn = [line for line in lines if "─" in line]
        assert drawn == [lines[row_of(mv)]]
        assert drawn[0][:LABEL].endswith(name)
        assert drawn[0][LABEL:] == "─" * (40 - LABEL)


def test_nothing_measured_draws_only_the_levels():
    assert all(line[LABEL:].strip() == "" for line in draw(None, 40))


def test_twice_the_frequency_shows_twice_the_edges():
    def rises(hz):
        return draw(Wave(5e5 / hz, 1e6 / hz, 9000, -12000), 70)[1].count("┌")

    assert (rises(500), rises(1000), rises(2000)) == (1, 2, 4)


@pytest.mark.parametrize("duty_pct", [0.5, 3, 97, 99.5])
def test_pulse_too_short_for_a_cell_is_still_seen(duty_pct):
    top = draw(Wave(duty_pct * 10, 1000, 9000, -12000), 40)[1]
    assert top.count("┌") == top.count("┐") == 2


def test_frequency_and_duty_of_a_steady_pilot_are_zero():
    assert (Wave(0, 0, 9000, 9000).duty_pct, Wave(0, 0, 9000, 9000).frequency_hz) == (0, 0)
    assert (Wave(250, 500, 9000, 0).duty_pct, Wave(250, 500, 9000, 0).frequency_hz) == (50, 2000)


@given(
    st.integers(0, 200_000), st.integers(0, 200_000),
    st.integers(-15000, 15000), st.integers(-15000, 15000), st.integers(0, 200),
)  # fmt: skip
def test_any_measurement_fits_its_room(high_x10, period_x10, high_mv, low_mv, columns):
    lines = draw(Wave(high_x10 / 10, period_x10 / 10, high_mv, low_mv), columns)
    assert len(lines) == ROWS
    assert {len(line) for line in lines} == {max(columns, LABEL + 8)}
