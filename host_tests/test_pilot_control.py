"""pilot/control.py: states A..F from edges, level and proximity; what is a reason and what is a fault."""

import pytest
from pilot_bench import B_MV, C_MV, D_MV, DEAD_MV, F_MV, T0_MS, Inlet, after, level, pwm

from pilot.control import (
    PILOT_STATE_NAMES,
    STATE_A,
    STATE_B1,
    STATE_B2,
    STATE_C1,
    STATE_C2,
    STATE_D1,
    STATE_D2,
    STATE_E,
    STATE_F,
    STATE_UNKNOWN,
)
from pilot.duty import GBT, IEC, J1772
from pilot.level import LEVEL_NONE

A_MV = 12_000


@pytest.fixture(params=T0_MS)
def inlet(request):
    """Plugged in, S2 open, just started."""
    return Inlet(t0_ms=request.param)


# States -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mv", "plugged", "state", "reasons"),
    [
        (DEAD_MV, False, STATE_A, {"pilot_lost"}),
        (DEAD_MV, True, STATE_E, {"pilot_e"}),
        (F_MV, True, STATE_F, {"pilot_f"}),
        (F_MV, False, STATE_F, {"pilot_f"}),
        (B_MV, True, STATE_B1, {"pilot_steady"}),
        (C_MV, True, STATE_C1, {"pilot_steady"}),
        (D_MV, True, STATE_D1, {"pilot_steady"}),
        (A_MV, True, STATE_UNKNOWN, {"pilot_lost"}),
        (-5000, True, STATE_UNKNOWN, {"pilot_lost"}),
        (-5000, False, STATE_UNKNOWN, {"pilot_lost"}),
    ],
)
def test_level_without_edges_names_the_state_and_the_reason(mv, plugged, state, reasons):
    inlet = Inlet(plugged=plugged).steady(mv, passes=2)
    assert inlet.pilot.state == state
    assert inlet.reasons == reasons


@pytest.mark.parametrize(
    ("mv", "state"),
    [
        (B_MV, STATE_B2), (C_MV, STATE_C2), (D_MV, STATE_D2), (A_MV, STATE_UNKNOWN),
        (DEAD_MV, STATE_UNKNOWN), (F_MV, STATE_UNKNOWN), (-5000, STATE_UNKNOWN),
    ],
)  # fmt: skip
def test_level_with_pwm_names_the_state(inlet, mv, state):
    inlet.pwm(5330, mv, passes=10)
    assert inlet.pilot.state == state
    assert inlet.pilot.offered_ma == 31_980


def test_every_state_has_a_name():
    assert len(PILOT_STATE_NAMES) == STATE_UNKNOWN + 1


def test_nothing_read_yet_is_a_lost_pilot(inlet):
    assert inlet.reasons == {"pilot_lost"}
    assert inlet.pilot.state == STATE_UNKNOWN


def test_one_odd_level_does_not_move_the_state(inlet):
    inlet.steady(B_MV, passes=5)
    for mv in (F_MV, B_MV, F_MV, DEAD_MV, F_MV, B_MV, C_MV):
        inlet.steady(mv, passes=1)
        assert inlet.pilot.state == STATE_B1
    inlet.steady(C_MV, passes=1)
    assert inlet.pilot.state == STATE_C1


# Offer ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", [IEC, J1772, GBT])
def test_offer_of_each_table_is_taken_after_ten_passes(family):
    inlet = Inlet(family).pwm(9000, B_MV, passes=9)
    assert inlet.pilot.offered_ma == 0
    assert inlet.reasons == {"pilot_steady"}
    inlet.run()
    assert inlet.pilot.offered_ma == (63_000 if family == GBT else 65_000)
    assert not inlet.reasons
    assert not inlet.pilot.in_doubt


def test_lower_offer_counts_in_the_very_pass(inlet):
    inlet.charging().pwm(1000, passes=1)
    assert inlet.pilot.offered_ma == 6000
    assert not inlet.pilot.reasons


def test_higher_offer_counts_only_after_ten_passes(inlet):
    inlet.charging(1000).pwm(5330, passes=9)
    assert inlet.pilot.offered_ma == 6000
    inlet.run()
    assert inlet.pilot.offered_ma == 31_980


def test_raise_takes_the_least_of_what_was_seen_meanwhile(inlet):
    inlet.charging(1000).pwm(5330, passes=5).pwm(4000, passes=1).pwm(5330, passes=4)
    assert inlet.pilot.offered_ma == 24_000


def test_raise_starts_anew_after_a_pass_at_the_old_offer(inlet):
    inlet.charging(1000).pwm(5330, passes=9).pwm(1000, passes=1).pwm(5330, passes=9)
    assert inlet.pilot.offered_ma == 6000


@pytest.mark.parametrize("duty_x100", [100, 299, 701, 799, 9701, 9990])
def test_duty_without_current_is_doubt_at_once_and_a_reason_after_seven_passes(inlet, duty_x100):
    inlet.charging()
    for _n in range(6):
        inlet.pwm(duty_x100, passes=1)
        assert inlet.pilot.in_doubt
        assert not inlet.reasons
    inlet.run()
    assert not inlet.pilot.in_doubt
    assert inlet.reasons == {"pilot_duty"}
    assert inlet.pilot.offered_ma == 0
    assert not inlet.faults


def test_doubt_lasts_through_noise_until_three_good_passes_pay_it_back(inlet):
    inlet.charging().pwm(100, passes=1)
    inlet.r.pilot_count = 0
    inlet.run(3)
    assert inlet.pilot.in_doubt
    inlet.pwm(5330, passes=2)
    assert inlet.pilot.in_doubt
    inlet.pwm(5330, passes=1)
    assert not inlet.pilot.in_doubt
    assert inlet.pilot.offered_ma == 31_980


def test_doubt_ends_with_the_reason_of_a_silent_pilot(inlet):
    inlet.charging().pwm(100, passes=1).steady(C_MV, passes=1)
    assert not inlet.pilot.in_doubt
    assert inlet.reasons == {"pilot_steady"}


def test_six_refused_passes_in_250_ms_never_end_a_session(inlet):
    inlet.charging()
    for _n in range(5):
        inlet.pwm(50, passes=6).pwm(5330, passes=19)
        assert not inlet.reasons
        assert not inlet.pilot.in_doubt


def test_duty_that_flickers_between_refused_and_allowed_is_doubt_and_then_a_reason(inlet):
    """One pass each: command 0 all the while, not 50 times a second on and off."""
    inlet.charging()
    for n in range(12):
        inlet.pwm(50, passes=1).pwm(5330, passes=1)
        assert inlet.pilot.in_doubt or n > 8
    assert inlet.reasons == {"pilot_duty"}


def test_level_that_never_settles_is_a_sense_fault(inlet):
    """E, F, A and so on, never two alike: the level in force is worth nothing."""
    inlet.charging()
    for n in range(30):
        inlet.r.cp_high_mv = (0, -12000, 12000)[n % 3]
        inlet.run()
    assert inlet.faults == {"PilotSense"}
    assert "pilot_invalid" in inlet.reasons
    inlet.pwm(5330, C_MV, passes=40)
    assert not inlet.faults


def test_low_level_that_is_not_that_of_pwm_is_doubt_and_then_a_fault(inlet):
    """A capture that has frozen goes on showing PWM; the low level tells."""
    inlet.charging()
    inlet.r.cp_low_mv = 6000
    inlet.run(3)
    assert inlet.pilot.in_doubt
    assert not inlet.faults
    inlet.run(7)
    assert inlet.faults == {"PilotSense"}
    inlet.r.cp_low_mv = -11000
    inlet.run(2)
    assert not inlet.faults
    assert not inlet.pilot.in_doubt


@pytest.mark.parametrize(("level_mv", "reason"), [(0, "pilot_e"), (-12000, "pilot_f")])
def test_state_e_or_f_under_glitches_is_doubt_in_30_ms_and_named_in_100(inlet, level_mv, reason):
    inlet.charging()
    inlet.r.cp_high_mv = level_mv
    inlet.r.pilot_count = 1
    inlet.run(3)
    assert inlet.pilot.in_doubt
    inlet.run(6)
    assert reason in inlet.reasons


@pytest.mark.parametrize("duty_x100", [300, 500, 700])
def test_digital_band_is_handed_on_as_such(inlet, duty_x100):
    inlet.pwm(duty_x100, B_MV, passes=7)
    assert inlet.pilot.state == STATE_B2
    assert inlet.reasons == {"pilot_digital"}
    assert inlet.pilot.offered_ma == 0
    assert not inlet.faults


def test_digital_band_in_a_session_ends_it_as_digital(inlet):
    inlet.charging().pwm(500, passes=7)
    assert inlet.reasons == {"pilot_digital"}


def test_refusal_keeps_its_name_until_the_new_offer_counts(inlet):
    inlet.pwm(500, B_MV, passes=7).pwm(5330, B_MV, passes=9)
    assert inlet.reasons == {"pilot_digital"}
    inlet.run()
    assert not inlet.reasons


def test_gbt_reserved_band_is_refused():
    inlet = Inlet(GBT).pwm(9001, B_MV, passes=12)
    assert inlet.reasons == {"pilot_duty"}


# Steady pilot -----------------------------------------------------------------------------------


def test_steady_pilot_while_charging_is_no_fault_and_the_offer_returns_with_pwm(inlet):
    inlet.charging().steady(C_MV, passes=1)
    assert inlet.reasons == {"pilot_steady"}
    assert (inlet.pilot.offered_ma, inlet.pilot.has_pwm, inlet.pilot.state) == (0, False, STATE_C1)
    inlet.run(1000)
    assert not inlet.faults
    inlet.pwm(5330, passes=10)
    assert not inlet.reasons
    assert inlet.pilot.offered_ma == 31_980


def test_edges_missing_for_less_than_20_ms_change_nothing(inlet):
    inlet.charging()
    inlet.r.pilot_count = 0
    for inlet.r.pilot_quiet_ms in (9, 19):
        inlet.run()
        assert not inlet.reasons
        assert inlet.pilot.offered_ma == 31_980


def test_steady_pilot_as_100_percent_with_glitches_allows_no_current(inlet):
    inlet.charging().pwm(9999, passes=7)
    assert inlet.reasons == {"pilot_duty"}
    assert not inlet.faults


# PilotFault: E, F, lost -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mv", "reason"), [(DEAD_MV, "pilot_e"), (F_MV, "pilot_f"), (-5000, "pilot_lost")]
)
def test_dead_pilot_in_a_session_raises_pilot_fault_until_the_level_is_back(inlet, mv, reason):
    inlet.charging().steady(mv, passes=2)
    assert inlet.reasons == {reason}
    assert inlet.faults == {"PilotFault"}
    inlet.s2 = False
    inlet.run(5)
    assert inlet.faults == {"PilotFault"}
    inlet.steady(B_MV, passes=2)
    assert not inlet.faults
    inlet.steady(mv, passes=5)
    assert not inlet.faults


def test_pilot_fault_clears_with_the_unplug(inlet):
    inlet.charging().steady(DEAD_MV, passes=2)
    inlet.s2 = False
    inlet.plugged = False
    inlet.run()
    assert inlet.faults == {"PilotFault"}
    inlet.run()
    assert not inlet.faults


def test_pilot_fault_stands_while_s2_is_still_closed(inlet):
    inlet.charging().steady(DEAD_MV, passes=2)
    inlet.plugged = False
    inlet.run(5)
    assert inlet.faults == {"PilotFault"}


@pytest.mark.parametrize("mv", [DEAD_MV, F_MV])
@pytest.mark.parametrize("passes", [30, 75, 450])
def test_wake_pulse_in_b_is_no_fault_and_leaves_nothing_behind(inlet, mv, passes):
    """IEC 61851-1 A.6: E for more than 4 s or F for 300 ms and more wakes a car."""
    inlet.steady(B_MV, passes=50)
    for _n in range(passes):
        inlet.steady(mv, passes=1)
        assert not inlet.faults
    inlet.steady(B_MV, passes=2)
    assert (inlet.faults, inlet.reasons) == (set(), {"pilot_steady"})


@pytest.mark.parametrize("mv", [DEAD_MV, F_MV])
def test_wake_pulse_between_pwm_in_b_is_no_fault(inlet, mv):
    inlet.pwm(5330, B_MV, passes=20).steady(mv, passes=75)
    assert not inlet.faults
    inlet.pwm(5330, B_MV, passes=10)
    assert (inlet.faults, inlet.reasons) == (set(), set())


@pytest.mark.parametrize(
    ("mv", "state", "reason"), [(F_MV, STATE_F, "pilot_f"), (DEAD_MV, STATE_E, "pilot_e")]
)
@pytest.mark.parametrize("in_session", [False, True])
def test_f_made_of_0_percent_with_glitches_is_f(inlet, mv, state, reason, in_session):
    """Facts 1.6: some EVSEs make F from PWM, and the vehicle sees 1 kHz edges with an absurd duty."""
    if in_session:
        inlet.charging()
    else:
        inlet.pwm(5330, B_MV, passes=20)
    inlet.pwm(5, mv, passes=7)
    assert inlet.pilot.state == state
    assert inlet.reasons == {reason}
    inlet.run(20)
    assert inlet.faults == ({"PilotFault"} if in_session else set())


def test_refused_duty_without_a_level_is_not_a_lost_pilot(inlet):
    inlet.pwm(500, B_MV, passes=10)
    inlet.r.cp_ok = False
    inlet.run(5)
    assert inlet.reasons == {"pilot_digital"}


# PilotSense -------------------------------------------------------------------------------------


@pytest.mark.parametrize("mv", [DEAD_MV, F_MV, -5000, A_MV, D_MV])
def test_level_that_cannot_be_in_a_session_raises_pilot_sense_and_clears_with_it(inlet, mv):
    """E, F and none contradict the edges; A means the inlet's own load is missing, D was never asked for."""
    inlet.charging().pwm(5330, mv, passes=10)
    assert (inlet.faults, inlet.reasons) == (set(), set())
    inlet.run()
    assert inlet.faults == {"PilotSense"}
    assert inlet.reasons == {"pilot_invalid"}
    inlet.run(20)
    inlet.pwm(5330, C_MV, passes=2)
    assert (inlet.faults, inlet.reasons) == (set(), set())


@pytest.mark.parametrize("plugged", [False, True])
def test_level_not_measured_raises_pilot_sense_also_without_a_plug(plugged):
    inlet = Inlet(plugged=plugged).steady(B_MV if plugged else DEAD_MV, passes=20)
    assert not inlet.faults
    inlet.r.cp_ok = False
    inlet.run(10)
    assert not inlet.faults
    inlet.run()
    assert inlet.faults == {"PilotSense"}
    inlet.r.cp_ok = True
    inlet.run(2)
    assert not inlet.faults


@pytest.mark.parametrize("mv", [A_MV, D_MV, DEAD_MV])
def test_level_of_an_empty_inlet_is_not_judged(mv):
    inlet = Inlet(plugged=False).steady(mv, passes=50)
    assert not inlet.faults


# PilotNoise, PilotFrequency ---------------------------------------------------------------------


def test_lasting_noise_raises_pilot_noise_and_thirty_good_passes_clear_it(inlet):
    inlet.charging()
    inlet.r.pilot_count = 1
    inlet.run(9)
    assert (inlet.faults, inlet.reasons) == (set(), set())
    assert inlet.pilot.offered_ma == 31_980
    inlet.run()
    assert inlet.faults == {"PilotNoise"}
    assert inlet.reasons == {"pilot_invalid", "pilot_steady"}
    assert inlet.pilot.offered_ma == 0
    inlet.run(100)
    inlet.pwm(5330, passes=29)
    assert inlet.reasons == {"pilot_invalid"}
    inlet.run()
    assert (inlet.faults, inlet.reasons) == (set(), set())


@pytest.mark.parametrize("hz", [500, 949, 1051, 2000])
def test_wrong_frequency_raises_pilot_frequency_and_thirty_good_passes_clear_it(inlet, hz):
    inlet.charging().pwm(5330, hz=hz, passes=9)
    assert (inlet.faults, inlet.reasons) == (set(), set())
    inlet.run()
    assert inlet.faults == {"PilotFrequency"}
    assert inlet.reasons == {"pilot_frequency", "pilot_steady"}
    inlet.run(100)
    inlet.pwm(5330, passes=29)
    assert inlet.reasons == {"pilot_frequency"}
    inlet.run()
    assert (inlet.faults, inlet.reasons) == (set(), set())


@pytest.mark.parametrize("hz", [500, 949, 1051, 2000])
def test_wrong_frequency_from_the_start_is_never_offered(inlet, hz):
    for _n in range(50):
        inlet.pwm(5330, B_MV, hz=hz, passes=1)
        assert inlet.pilot.offered_ma == 0
        assert inlet.reasons
    assert inlet.faults == {"PilotFrequency"}


@pytest.mark.parametrize("hz", [950, 980, 1020, 1050])
def test_frequency_within_five_percent_is_taken(inlet, hz):
    inlet.pwm(5000, B_MV, hz=hz, passes=20)
    assert (inlet.faults, inlet.reasons) == (set(), set())
    assert 29_990 <= inlet.pilot.offered_ma <= 30_000


@pytest.mark.parametrize("spoil", ["noise", "frequency"])
def test_fault_of_a_bad_pilot_goes_with_the_plug(inlet, spoil):
    """Found in review: without edges nothing paid the score back, the fault stood until the next good PWM."""
    inlet.charging().pwm(5330, hz=2000 if spoil == "frequency" else 1000)
    if spoil == "noise":
        inlet.r.pilot_count = 0
    inlet.run(12)
    assert inlet.faults
    inlet.plugged = inlet.s2 = False
    inlet.steady(DEAD_MV, passes=2)
    assert not inlet.faults


# S2StuckOpen, S2StuckClosed ---------------------------------------------------------------------


def test_level_b_with_s2_closed_raises_s2_stuck_open_after_500_ms(inlet):
    inlet.charging().pwm(5330, B_MV, passes=2)
    inlet.run(49)
    assert not inlet.faults
    inlet.run()
    assert inlet.faults == {"S2StuckOpen"}
    inlet.pwm(5330, C_MV, passes=2)
    assert not inlet.faults


def test_level_c_with_s2_open_raises_s2_stuck_closed_after_500_ms(inlet):
    inlet.steady(C_MV, passes=2)
    inlet.run(49)
    assert not inlet.faults
    inlet.run()
    assert inlet.faults == {"S2StuckClosed"}
    inlet.steady(B_MV, passes=2)
    assert not inlet.faults


@pytest.mark.parametrize(
    ("s2", "mv", "fault"), [(True, B_MV, "S2StuckOpen"), (False, C_MV, "S2StuckClosed")]
)
def test_stuck_s2_clears_when_s2_is_told_what_it_shows(inlet, s2, mv, fault):
    inlet.s2 = s2
    inlet.pwm(5330, mv, passes=60)
    assert inlet.faults == {fault}
    inlet.s2 = not s2
    inlet.run()
    assert not inlet.faults


def test_slow_level_after_s2_moves_is_no_fault(inlet):
    inlet.charging()
    for inlet.s2, mv in ((False, C_MV), (True, B_MV)) * 5:
        inlet.pwm(5330, mv, passes=49)
        assert not inlet.faults


def test_stuck_s2_stays_a_fault_for_longer_than_ticks_can_tell():
    inlet = Inlet().steady(C_MV, passes=60)
    inlet.now_ms = (inlet.now_ms + 2**29 + 1000) % 2**30
    inlet.run()
    assert inlet.faults == {"S2StuckClosed"}


# Whole range ------------------------------------------------------------------------------------


@pytest.mark.no_cover
def test_any_duty_and_level_leaves_either_a_legal_offer_or_a_reason():
    """Default deny: no reason means C2 or B2 and an offer of at least 6 A, for every family."""
    free = 0
    for family in (IEC, J1772, GBT):
        for duty_x100 in [*range(0, 10_001, 97), 299, 300, 700, 701, 799, 800, 9600, 9700, 9701]:
            for mv in (DEAD_MV, F_MV, -5000, A_MV, B_MV, C_MV, D_MV):
                inlet = Inlet(family)
                pwm(inlet.r, duty_x100, mv)
                level(inlet.r, mv)
                inlet.run(40)
                pilot = inlet.pilot
                if not pilot.reasons:
                    free += 1
                    assert pilot.state in (STATE_B2, STATE_C2)
                    assert 6000 <= pilot.offered_ma <= 80_000
                else:
                    assert pilot.offered_ma == 0 or mv not in (B_MV, C_MV)
    assert free > 100


# Borders ----------------------------------------------------------------------------------------


def test_states_are_numbered_as_they_are_named():
    states = (
        STATE_A, STATE_B1, STATE_B2, STATE_C1, STATE_C2, STATE_D1, STATE_D2, STATE_E, STATE_F, STATE_UNKNOWN,
    )  # fmt: skip
    assert states == tuple(range(10))
    assert PILOT_STATE_NAMES == ("A", "B1", "B2", "C1", "C2", "D1", "D2", "E", "F", "?")


def test_nothing_is_offered_and_nothing_is_wrong_before_the_first_pass():
    pilot = Inlet().pilot
    assert (pilot.offered_ma, pilot.faults, pilot.level) == (0, 0, LEVEL_NONE)
    assert pilot.has_pwm is False and pilot.in_doubt is False


@pytest.mark.parametrize(("duty_x100", "passes"), [(1024, 100), (1025, 10)])
def test_a_rise_below_150_ma_must_stand_for_a_second(inlet, duty_x100, passes):
    """6 mA a step: 144 mA waits, 150 mA does not."""
    inlet.charging(1000).pwm(duty_x100, passes=passes - 1)
    assert inlet.pilot.offered_ma == 6000
    inlet.run()
    assert inlet.pilot.offered_ma == duty_x100 * 6


def test_a_pass_that_allows_current_takes_one_from_the_proof_against_it(inlet):
    inlet.charging().pwm(100, passes=6).pwm(5330, passes=1).pwm(100, passes=1)
    assert inlet.pilot.in_doubt
    assert not inlet.reasons
    inlet.run()
    assert inlet.reasons == {"pilot_duty"}


def unsettled(inlet, passes):
    """Read levels of which no two alike follow one another."""
    for _n in range(passes):
        other = (0, -12000, 12000)
        now = inlet.r.cp_high_mv
        inlet.r.cp_high_mv = other[(other.index(now) + 1) % 3] if now in other else 0
        inlet.run()


def test_level_that_never_settles_is_a_fault_after_ten_passes_and_gone_after_fourteen(inlet):
    inlet.charging()
    unsettled(inlet, 9)
    assert not inlet.faults
    unsettled(inlet, 1)
    assert inlet.faults == {"PilotSense"}
    unsettled(inlet, 5)
    inlet.pwm(5330, C_MV, passes=13)
    assert inlet.faults == {"PilotSense"}
    inlet.run()
    assert not inlet.faults


def test_a_settled_pass_among_ten_that_are_not_asks_for_one_more(inlet):
    inlet.charging()
    unsettled(inlet, 9)
    inlet.pwm(5330, C_MV, passes=1)
    unsettled(inlet, 1)
    assert not inlet.faults
    unsettled(inlet, 1)
    assert inlet.faults == {"PilotSense"}


@pytest.mark.parametrize(("mv", "in_doubt"), [(-8000, False), (-7999, True)])
def test_low_level_of_pwm_is_below_8_v(inlet, mv, in_doubt):
    inlet.charging()
    inlet.r.cp_low_mv = mv
    inlet.run(2)
    assert not inlet.pilot.in_doubt
    inlet.run()
    assert inlet.pilot.in_doubt is in_doubt


def test_stuck_s2_is_a_fault_500_ms_after_the_level_first_says_so(inlet):
    inlet.steady(C_MV, passes=2)
    began_ms = after(inlet.now_ms, -10)
    inlet.now_ms = after(began_ms, 499)
    inlet.run()
    assert not inlet.faults
    inlet.now_ms = after(began_ms, 500)
    inlet.run()
    assert inlet.faults == {"S2StuckClosed"}
