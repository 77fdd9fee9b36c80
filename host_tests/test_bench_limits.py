"""The bench's own formulas against the test vectors of the standards."""

import pytest

from inletctl.bench import limits
from inletctl.bench.limits import GBT, IEC, J1772, REFUSED, UNRATED

VECTORS = (
    (2.9, 0), (3, 0), (7, 0), (7.1, 0), (7.9, 0), (8, 6), (9.9, 6), (10, 6), (16, 9.6), (20, 12), (25, 15),
    (26.7, 16.02), (33.3, 19.98), (50, 30), (53.3, 31.98), (66.7, 40.02), (84.9, 50.94), (85, 51), (86, 55), (90, 65),
    (96, 80), (97, 80), (97.1, 0), (100, 0),
)  # fmt: skip


@pytest.mark.parametrize(("pct", "a"), VECTORS)
@pytest.mark.parametrize("family", [IEC, J1772])
def test_duty_offers_what_the_table_says(family, pct, a):
    assert limits.offer(family, round(pct * 100)).most_ma == round(a * 1000)


@pytest.mark.parametrize(
    ("pct", "a"), [(88, 60), (89.5, 63), (90, 63), (90.01, 63), (97, 63), (97.01, 0)]
)
def test_gbt_offers_no_more_than_63_a(pct, a):
    assert limits.offer(GBT, round(pct * 100)).most_ma == a * 1000


def test_gbt_may_refuse_what_is_reserved():
    assert limits.offer(GBT, 9300).least_ma == 0


@pytest.mark.parametrize(
    ("pct", "reason"),
    [
        (0, "pilot_f"),
        (2, "pilot_duty"),
        (5, "pilot_digital"),
        (7.5, "pilot_duty"),
        (98, "pilot_duty"),
        (100, "pilot_steady"),
    ],
)
def test_a_duty_without_current_has_its_reason(pct, reason):
    assert limits.offer(IEC, round(pct * 100)).reasons == (reason,)


def test_near_an_edge_either_band_is_right_but_never_the_higher_current():
    found = limits.offer_around(IEC, 8505)
    assert found.most_ma == (8505 - 6400) * 25
    assert found.least_ma < 8500 * 6
    below = limits.offer_around(IEC, 795)
    assert below.most_ma == 0 and below.reasons


def test_far_from_an_edge_the_current_is_known_to_a_tenth_of_an_ampere():
    found = limits.offer_around(IEC, 5000)
    assert found.most_ma == 30_000
    assert 29_800 <= found.least_ma < 30_000


def test_a_source_that_is_not_exact_widens_what_is_right_both_ways():
    exact, loose = limits.offer_around(IEC, 5000), limits.offer_around(IEC, 5000, 5)
    assert loose.most_ma == 5005 * 6
    assert loose.least_ma < exact.least_ma


@pytest.mark.parametrize(
    ("hz", "legal"),
    [
        (500, False),
        (940, False),
        (949.5, None),
        (960, True),
        (1040, True),
        (1050, None),
        (1060, False),
    ],
)
def test_frequency_window(hz, legal):
    assert limits.is_frequency_legal(hz) is legal


@pytest.mark.parametrize(
    ("mv", "letters"),
    [
        (12_000, {"A"}),
        (9000, {"B"}),
        (7500, {"B", "C", "?"}),
        (6000, {"C"}),
        (0, {"E"}),
        (-12_000, {"F"}),
    ],
)
def test_levels_name_states(mv, letters):
    assert limits.level_letters(mv) == letters


def test_the_car_pulls_the_pilot_to_9_and_6_volts():
    assert limits.pin_mv(12_000) == pytest.approx(8980, abs=10)
    assert limits.pin_mv(12_000, s2_closed=True) == pytest.approx(6000, abs=10)
    assert limits.pin_mv(0) == 0


@pytest.mark.parametrize(("ohm", "a"), [(100, 63), (220, 32), (680, 20), (1500, 13)])
@pytest.mark.parametrize("factor", [0.85, 1, 1.2])
def test_type2_codings_count_with_twenty_percent(ohm, a, factor):
    assert limits.cable("type2", ohm * factor) == {a}


@pytest.mark.parametrize("ohm", [0, 30, 55, 3000, 6000, 1e6])
def test_type2_gaps_and_ends_charge_nothing(ohm):
    assert limits.cable("type2", ohm) == {REFUSED}


@pytest.mark.parametrize(
    ("ohm", "allowed"),
    [(150, {63, 32, REFUSED} - {63}), (350, {20, REFUSED}), (1000, {13, REFUSED})],
)
def test_type2_between_two_codings_the_lower_cable_or_nothing(ohm, allowed):
    assert limits.cable("type2", ohm) == allowed


def test_type1_has_no_rating_and_a_pressed_button_charges_nothing():
    assert limits.cable("type1", 150) == {UNRATED}
    assert limits.cable("type1", 480) == {REFUSED}
    assert limits.cable("nacs", 1e6) == {REFUSED}


def test_gbt_counts_within_five_percent_only():
    assert limits.cable("gbt", 680) == {16}
    assert limits.cable("gbt", 680 * 1.2) == {REFUSED}


def test_at_the_edge_of_a_rating_a_lower_one_that_was_in_force_may_stay():
    assert limits.cable("gbt", 105) == {63, 32, 16, 10, REFUSED}
    assert limits.cable("gbt", 1575) == {10, REFUSED}
    assert limits.cable("type2", 139) == {63, 32, 20, 13, REFUSED}


def test_derating_is_a_straight_line_and_nothing_above_the_stop():
    settings = limits.setting_defaults() | {"max_current_ma": 32_000}
    assert limits.derated_ma(400, settings)[0] == 32_000
    most, least = limits.derated_ma(725, settings)
    assert least < 24_000 < most
    assert limits.derated_ma(920, settings)[0] == 0
    assert limits.derated_ma(920, settings)[1] == 0


def test_ntc_is_ten_kilohm_at_25_degrees():
    assert limits.ntc_ohm(25) == pytest.approx(10_000)
    assert limits.ntc_ohm(90) == pytest.approx(1272, abs=2)


def test_stops_come_from_the_repositorys_own_table():
    import faults

    for number, row in enumerate(faults.SHUTDOWN):
        stop = limits.stops()[row[faults.ROW_NAME]]
        assert (stop.bit, stop.current_ms, stop.s2_ms) == (
            1 << number,
            row[faults.ROW_CURRENT_MS],
            row[faults.ROW_S2_MS],
        )
