"""Ohms to volts and degrees to ohms, against the values calculated by hand in the facts sheet."""

import pytest

from inletctl.plant.contacts import ntc_ohm, pt1000_ohm
from inletctl.plant.network import OPEN_OHM, divider_mv, parallel_ohm, pilot_mv
from inletctl.plant.offer import allowed_ma, offer_duty_pct, offered_a

EV = {"A": OPEN_OHM, "B": 2740, "C": 882, "D": 246}


def _pin_mv(state, source_mv=12_000, diode="ok", leak_ohm=OPEN_OHM):
    return pilot_mv(source_mv, 1000, leak_ohm, EV[state], 700, diode)


@pytest.mark.parametrize("state, mv", [("A", 12_000), ("B", 8980), ("C", 6000), ("D", 2930)])
def test_pilot_levels_match_the_table(state, mv):
    """Facts 1.2: at the CP pin 8.98, 6.00, 2.93 V."""
    assert _pin_mv(state) == pytest.approx(mv, abs=10)


@pytest.mark.parametrize("state, ma", [("B", 3.0), ("C", 6.0), ("D", 9.1)])
def test_pilot_current_matches_the_table(state, ma):
    assert 12 - _pin_mv(state) / 1000 == pytest.approx(ma, abs=0.05)


def test_s2_in_parallel_makes_the_total_of_state_c():
    assert parallel_ohm(2740, 1300) == pytest.approx(882, abs=1)
    assert parallel_ohm(2740, 0) == 0


def test_diode_blocks_the_negative_half_unless_it_is_short():
    assert _pin_mv("B", -12_000) == pytest.approx(-12_000)
    assert _pin_mv("B", -12_000, "short") == pytest.approx(-12_000 * 2740 / 3740)
    assert _pin_mv("C", 12_000, "open") == pytest.approx(12_000)
    assert _pin_mv("B", 12_000, "short") == pytest.approx(8791, abs=1)


def test_diode_does_not_conduct_below_its_drop():
    assert _pin_mv("C", 700) == pytest.approx(700)
    assert _pin_mv("C", 800) < 760


def test_leak_loads_the_pilot_and_a_short_takes_all_of_it():
    assert _pin_mv("A", leak_ohm=1000) == pytest.approx(6000)
    assert _pin_mv("B", leak_ohm=0) == 0.0


PP_TABLE = [  # ohm PP to PE, V without pull-down, with 2.7 k, with 4.7 k (facts 3.2)
    (None, 5.00, 4.455, 4.672),
    (1500, 4.098, 3.725, 3.875),
    (680, 3.366, 3.110, 3.214),
    (480, 2.963, 2.763, 2.845),
    (220, 2.000, 1.907, 1.945),
    (150, 1.562, 1.505, 1.529),
    (100, 1.163, 1.131, 1.144),
]


@pytest.mark.parametrize("ohm, bare, with_2700, with_4700", PP_TABLE)
def test_pp_volts_match_the_table(ohm, bare, with_2700, with_4700):
    for pulldown_ohm, volts in ((OPEN_OHM, bare), (2700, with_2700), (4700, with_4700)):
        load_ohm = parallel_ohm(pulldown_ohm, ohm or OPEN_OHM)
        assert divider_mv(5000, 330, load_ohm) == pytest.approx(volts * 1000, abs=1)


NTC_TABLE = [  # C, ohm with B 3435, with B 3950 (facts 6)
    (-20, 77_500, 105_400),
    (0, 28_700, 33_600),
    (25, 10_000, 10_000),
    (50, 4101, 3588),
    (70, 2207, 1760),
    (90, 1272, 934),
    (120, 618, 407),
]


@pytest.mark.parametrize("c, ohm_3435, ohm_3950", NTC_TABLE)
def test_ntc_ohms_match_the_table(c, ohm_3435, ohm_3950):
    assert ntc_ohm(c, 10_000, 3435) == pytest.approx(ohm_3435, rel=2e-3)
    assert ntc_ohm(c, 10_000, 3950) == pytest.approx(ohm_3950, rel=2e-3)


PT_TABLE = [
    (-40, 842.7),
    (0, 1000),
    (25, 1097.3),
    (60, 1232.4),
    (70, 1270.8),
    (90, 1347.1),
    (120, 1460.7),
]


@pytest.mark.parametrize("c, ohm", PT_TABLE)
def test_pt1000_ohms_match_the_table(c, ohm):
    assert pt1000_ohm(c) == pytest.approx(ohm, abs=0.06)


@pytest.mark.parametrize(
    "a, pct",
    [(6, 10), (9.6, 16), (16, 26.667), (32, 53.333), (51, 85), (55, 86), (63, 89.2), (80, 96)],
)
def test_offer_is_sent_as_the_duty_of_the_table(a, pct):
    """IEC 61851-1 Tab A.7."""
    assert offer_duty_pct(a) == pytest.approx(pct, abs=0.001)
    assert offered_a(offer_duty_pct(a)) == pytest.approx(a)


@pytest.mark.parametrize(
    "pct, a",
    [
        (2.9, 0),
        (5, 0),
        (7.9, 0),
        (8, 6),
        (9.9, 6),
        (84.9, 50.94),
        (85, 51),
        (90, 65),
        (97, 80),
        (97.1, 0),
    ],
)
def test_duty_bands_are_judged_as_the_table(pct, a):
    assert offered_a(pct) == pytest.approx(a)


def test_tolerance_of_the_current_is_that_of_j1772():
    assert allowed_ma(10) == pytest.approx(7300)
    assert allowed_ma(50) == pytest.approx(33_300)
