"""Pilot and proximity to the pass and the digit: what they begin with, what counts and what just does not."""

import pytest
from first_values import begins_with
from pilot_bench import B_MV, C_MV, Inlet

from faults import F_PP_GAP, NO_PLUG, PILOT_DUTY, PILOT_LOST
from pilot.capture import NOISE, ODD_FREQUENCY, QUIET, PilotCapture
from pilot.control import STATE_UNKNOWN, ControlPilot
from pilot.duty import BAND_DIGITAL, BAND_LINEAR, BAND_NONE, BAND_OFF, IEC, DutyBand
from pilot.level import LEVEL_B, LEVEL_C, LEVEL_NONE
from pilot.proximity import SENSE, TYPE1, TYPE2, Proximity, is_pulldown_missing
from signals import Readings


def test_a_new_pilot_begins_with_nothing():
    """The same at each boot: what is not named here is 0 or False, also what nobody is told."""
    assert begins_with(PilotCapture()) == {"kind": QUIET}
    assert begins_with(DutyBand(IEC)) == {"index": -1}
    assert begins_with(ControlPilot(IEC)) == {
        "state": STATE_UNKNOWN, "level": LEVEL_NONE, "_new_level": LEVEL_NONE, "reasons": PILOT_LOST, "_refusal": PILOT_DUTY,
    }  # fmt: skip
    assert begins_with(Proximity(TYPE1, 330, 2700, 500)) == {
        "_pullup_ohm": 330, "_pulldown_ohm": 2700, "_debounce_ms": 500, "kind": SENSE, "reasons": NO_PLUG, "_index": -1,
        "_same_mv": -1,
    }  # fmt: skip


def scored(capture, passes):
    """Feed passes: n bad (b), good (g) or quiet (q) ones."""
    for kind in passes:
        highs = [5000] * 5 if kind == "g" else [1000, 3000, 5000, 7000, 9000]
        capture.tick(0 if kind == "q" else 5, highs, [10_000] * 5, 20 if kind == "q" else 0)
    return capture.is_noisy


def test_silence_leaves_no_score_behind():
    """Ten bad passes in a row are noise, and nine, a good one and one more are not: also after a silence."""
    for before in ("", "b" * 12 + "q"):
        assert scored(PilotCapture(), before + "b" * 10)
        assert not scored(PilotCapture(), before + "b" * 9)
        assert not scored(PilotCapture(), before + "b" * 9 + "gb")
        assert scored(PilotCapture(), before + "b" * 9 + "gbb")


@pytest.mark.parametrize(("outside", "kind"), [(2, NOISE), (3, ODD_FREQUENCY)])
def test_a_frequency_is_odd_where_most_periods_are(outside, kind):
    capture = PilotCapture()
    periods = [10_400] * (5 - outside) + [10_600] * outside
    capture.tick(5, [1000, 3000, 5000, 7000, 9000], periods, 0)
    assert capture.kind == kind


def test_a_level_counts_with_its_second_pass_whatever_was_seen_of_it_before():
    inlet = Inlet().steady(B_MV, 5).steady(C_MV, 1).steady(B_MV, 1).steady(C_MV, 1)
    assert inlet.pilot.level == LEVEL_B
    assert inlet.steady(C_MV, 1).pilot.level == LEVEL_C


def test_the_first_duty_names_its_band_wherever_it_is():
    for duty_x100, name in ((9800, BAND_OFF), (100, BAND_NONE), (5330, BAND_LINEAR)):
        band = DutyBand(IEC)
        band.tick(duty_x100)
        assert (band.band, band.index >= 0) == (name, True)


def test_between_bands_that_allow_the_same_the_one_in_force_stays_for_a_tenth_of_a_percent():
    band = DutyBand(IEC)
    for duty_x100, name in (
        (299, BAND_NONE),
        (308, BAND_NONE),
        (309, BAND_DIGITAL),
        (291, BAND_DIGITAL),
        (290, BAND_NONE),
    ):
        band.tick(duty_x100)
        assert band.band == name, duty_x100


@pytest.mark.parametrize(
    ("board", "missing"), [((2400, 3300, 330, 330), False), ((2401, 3300, 330, 330), True), ((1053, 5000, 10_000, 1000), True)]
)  # fmt: skip
def test_a_pulldown_is_missing_below_three_eighths_of_its_current(board, missing):
    assert is_pulldown_missing(*board) is missing


@pytest.mark.parametrize("late_ms", [200, 201, 5000])
def test_a_gap_is_a_fault_also_where_the_pass_is_late(late_ms):
    plug = Proximity(TYPE2, 330, 2700, 500)
    r = Readings()
    r.pp_ok, r.pp_rail_mv, r.pp_mv = True, 5000, 850  # 70 ohm
    for ms in (0, 10, 10 + late_ms):
        plug.tick(ms, r)
    assert plug.faults == F_PP_GAP
