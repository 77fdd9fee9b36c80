"""pilot/level.py: every level has one letter or none, and near a border the letter in force stays."""

import pytest

from pilot.level import (
    BOUNDS_MV,
    HOLD_MV,
    LEVEL_A,
    LEVEL_B,
    LEVEL_C,
    LEVEL_D,
    LEVEL_E,
    LEVEL_F,
    LEVEL_NAMES,
    LEVEL_NONE,
    keep_or_move,
    window_of,
)

# IEC 61851-1:2017 Tab A.4, mV.
WINDOWS = (
    (LEVEL_A, 11_000, 13_000), (LEVEL_B, 8000, 10_000), (LEVEL_C, 5000, 7000),
    (LEVEL_D, 2000, 4000), (LEVEL_E, -1000, 1000), (LEVEL_F, -13_000, -11_000),
)  # fmt: skip
# J1772 at the mated coupler, with 0.7 V of ground offset either way.
LEGAL = (
    (LEVEL_B, 7660, 10_290), (LEVEL_C, 4770, 7230), (LEVEL_D, 1880, 3980), (LEVEL_E, -700, 700),
    (LEVEL_F, -13_300, -10_700), (LEVEL_A, 10_700, 13_300),
)  # fmt: skip
LETTERS = range(LEVEL_NONE + 1)


@pytest.mark.parametrize(("letter", "low", "high"), WINDOWS)
@pytest.mark.parametrize("before", LETTERS)
def test_whole_window_of_the_standard_names_its_letter_whatever_was_before(
    letter, low, high, before
):
    for mv in (low, low + 1, (low + high) // 2, high - 1, high):
        assert keep_or_move(before, mv) == letter


@pytest.mark.parametrize(("letter", "low", "high"), LEGAL)
@pytest.mark.parametrize("before", LETTERS)
def test_worst_legal_evse_with_worst_ground_offset_is_named_rightly(letter, low, high, before):
    """Else a legal 7.66 V after C would read as a stuck S2, latched until unplug."""
    for mv in (low, high):
        assert keep_or_move(before, mv) == letter


@pytest.mark.parametrize("letter", range(LEVEL_NONE))
def test_letter_is_kept_to_the_end_of_its_hysteresis_and_not_further(letter):
    low, high = BOUNDS_MV[letter]
    for mv in (low - HOLD_MV, low - 1, low, high, high + 1, high + HOLD_MV):
        assert keep_or_move(letter, mv) == letter
    for mv in (low - HOLD_MV - 1, high + HOLD_MV + 1):
        assert keep_or_move(letter, mv) != letter


@pytest.mark.parametrize("mv", [-15_000, -14_001, -10_000, -5000, -1001, 14_001, 15_000])
def test_level_that_no_state_has_names_none(mv):
    assert window_of(mv) == LEVEL_NONE
    assert keep_or_move(LEVEL_NONE, mv) == LEVEL_NONE


def test_bounds_leave_no_hole_from_e_to_a_and_do_not_overlap():
    assert len(BOUNDS_MV) == LEVEL_NONE == len(LEVEL_NAMES) - 1
    for letter in range(LEVEL_E):
        assert BOUNDS_MV[letter][0] == BOUNDS_MV[letter + 1][1] + 1
    for mv in range(-15_000, 15_001):
        assert sum(low <= mv <= high for low, high in BOUNDS_MV) == (window_of(mv) != LEVEL_NONE)


def test_bounds_are_those_of_the_facts():
    """The middle of each gap between the standard's windows; what lies beyond 14 V or between E and F means nothing."""
    assert BOUNDS_MV == (
        (10_500, 14_000), (7500, 10_499), (4500, 7499), (1500, 4499), (-1000, 1499), (-14_000, -10_001),
    )  # fmt: skip
    assert [window_of(mv) for mv in (14_000, -1000, -10_001, -14_000, -14_001)] == [
        LEVEL_A, LEVEL_E, LEVEL_F, LEVEL_F, LEVEL_NONE,
    ]  # fmt: skip


def test_letters_are_numbered_as_they_are_named():
    letters = (LEVEL_A, LEVEL_B, LEVEL_C, LEVEL_D, LEVEL_E, LEVEL_F, LEVEL_NONE)
    assert letters == tuple(range(7))
    assert LEVEL_NAMES == ("A", "B", "C", "D", "E", "F", "none")


def test_hysteresis_is_150_mv():
    assert keep_or_move(LEVEL_C, 7649) == LEVEL_C
    assert keep_or_move(LEVEL_C, 7650) == LEVEL_B
    assert keep_or_move(LEVEL_B, 7350) == LEVEL_B
    assert keep_or_move(LEVEL_B, 7349) == LEVEL_C
