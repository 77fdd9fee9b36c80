"""pilot/control.py and duty.py at their borders: to the pass and to the millisecond, and what is left behind."""

import pytest
from pilot_bench import B_MV, C_MV, D_MV, DEAD_MV, F_MV, T0_MS, Inlet, after

from pilot.duty import BAND_LINEAR, BAND_MINIMUM, BANDS, FAMILY_NAMES, GBT, IEC, J1772, DutyBand


@pytest.fixture(params=T0_MS)
def inlet(request):
    """Plugged in, S2 open, just started."""
    return Inlet(t0_ms=request.param)


# Duty -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("family", "standard"), [(IEC, "IEC 61851-1"), (J1772, "SAE J1772"), (GBT, "GB/T 18487.1")]
)
def test_each_family_cites_its_own_standard(family, standard):
    assert {clause.split(":")[0].split("-20")[0] for _, _, clause in BANDS[family]} == {standard}
    assert FAMILY_NAMES[family]


@pytest.mark.parametrize("family", [IEC, J1772, GBT])
def test_six_ampere_are_the_least_also_where_a_band_is_held_past_its_edge(family):
    """10 % is 6 A and so is 9.95 %: the formula alone would say 5.97 A."""
    band = DutyBand(family)
    for duty_x100, name in ((1000, BAND_LINEAR), (995, BAND_LINEAR), (991, BAND_LINEAR), (990, BAND_MINIMUM)):  # fmt: skip
        band.tick(duty_x100)
        assert (band.band, band.ma) == (name, 6000)


# Refused duty -----------------------------------------------------------------------------------


def test_after_a_silence_a_refused_duty_needs_its_seven_passes_and_not_one_more(inlet):
    inlet.charging().steady(C_MV, passes=1).pwm(100, passes=6)
    assert inlet.pilot.in_doubt
    assert inlet.reasons == {"pilot_steady"}
    inlet.run()
    assert not inlet.pilot.in_doubt
    assert inlet.reasons == {"pilot_duty"}


@pytest.mark.parametrize("passes", [1, 6, 7])
def test_doubt_of_a_refused_duty_is_over_with_the_first_good_pass_where_nothing_is_offered(
    inlet, passes
):
    inlet.pwm(500, B_MV, passes=passes)
    assert inlet.pilot.in_doubt == (passes < 7)
    for _n in range(20):
        inlet.pwm(5330, B_MV, passes=1)
        assert not inlet.pilot.in_doubt


def test_an_offer_after_a_refusal_owes_nothing_and_is_refused_after_seven_passes_again(inlet):
    inlet.pwm(500, B_MV, passes=7).pwm(5330, B_MV, passes=40)
    assert not inlet.reasons
    inlet.pwm(100, B_MV, passes=6)
    assert inlet.pilot.in_doubt
    assert not inlet.reasons
    inlet.run()
    assert inlet.reasons == {"pilot_duty"}


# Higher offer -----------------------------------------------------------------------------------


def test_the_offer_after_a_silence_needs_all_of_its_ten_passes(inlet):
    inlet.charging(1000).pwm(5330, passes=5).steady(C_MV, passes=1).pwm(5330, passes=9)
    assert inlet.pilot.offered_ma == 0
    inlet.run()
    assert inlet.pilot.offered_ma == 31_980


def test_the_very_first_pass_of_a_raise_may_be_its_least(inlet):
    inlet.charging(1000).pwm(4000, passes=1).pwm(5330, passes=9)
    assert inlet.pilot.offered_ma == 24_000


def test_what_is_offered_above_a_raise_waits_its_own_ten_passes(inlet):
    inlet.charging(1000).pwm(4000, passes=1).pwm(5330, passes=9)
    inlet.run(9)
    assert inlet.pilot.offered_ma == 24_000
    inlet.run()
    assert inlet.pilot.offered_ma == 31_980


def test_a_small_raise_that_becomes_a_large_one_need_not_stand_for_its_second(inlet):
    """Fifty passes at 144 mA more are no raise yet; the pass that asks for far more ends the wait, at the least of them."""
    inlet.charging(1000).pwm(1024, passes=50)
    assert inlet.pilot.offered_ma == 6000
    inlet.pwm(5330, passes=1)
    assert inlet.pilot.offered_ma == 6144
    inlet.run(10)
    assert inlet.pilot.offered_ma == 31_980


# Levels -----------------------------------------------------------------------------------------


def test_level_d_under_pwm_is_doubt_with_its_third_pass_in_force(inlet):
    """A level is in force with its second pass, so the fourth is doubt, and each one after it."""
    inlet.charging().pwm(5330, D_MV, passes=3)
    assert not inlet.pilot.in_doubt
    for _n in range(20):
        inlet.run()
        assert inlet.pilot.in_doubt


def test_level_d_of_an_empty_inlet_is_not_judged_under_pwm_either(inlet):
    inlet.plugged = False
    inlet.pwm(5330, D_MV, passes=50)
    assert not inlet.faults
    assert not inlet.pilot.in_doubt


def test_doubt_of_a_wrong_low_level_lasts_for_as_long_as_it_does(inlet):
    inlet.charging()
    inlet.r.cp_low_mv = 6000
    inlet.run(2)
    assert not inlet.pilot.in_doubt
    for _n in range(20):
        inlet.run()
        assert inlet.pilot.in_doubt


@pytest.mark.parametrize(("mv", "reason"), [(DEAD_MV, "pilot_e"), (F_MV, "pilot_f")])
def test_state_e_or_f_under_glitches_is_named_with_the_eighth_pass_in_force(inlet, mv, reason):
    """The first pass of a level does not count; the six that contactor noise makes are not enough."""
    inlet.charging()
    inlet.r.cp_high_mv = mv
    inlet.r.pilot_count = 1
    inlet.run(8)
    assert not inlet.reasons
    inlet.run()
    assert inlet.reasons == {reason}


@pytest.mark.parametrize("passes", [8, 9, 12, 30])
@pytest.mark.parametrize(("mv", "reason"), [(DEAD_MV, "pilot_e"), (F_MV, "pilot_f")])
def test_state_e_or_f_that_outlasts_glitches_is_named_with_the_first_pass_that_is_no_pwm(
    inlet, mv, reason, passes
):
    inlet.charging().pwm(5330, mv, passes=passes)
    assert reason not in inlet.reasons
    inlet.r.pilot_count = 1
    inlet.run()
    assert reason in inlet.reasons


@pytest.mark.parametrize(("late_ms", "faults"), [(499, set()), (500, {"S2StuckClosed"}), (503, {"S2StuckClosed"}), (5000, {"S2StuckClosed"})])  # fmt: skip
def test_stuck_s2_is_a_fault_also_where_the_pass_is_late(inlet, late_ms, faults):
    inlet.steady(C_MV, passes=2)
    inlet.now_ms = after(inlet.now_ms, late_ms - 10)
    inlet.run()
    assert inlet.faults == faults
