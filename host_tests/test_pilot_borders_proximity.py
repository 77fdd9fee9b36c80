"""pilot/proximity.py at its borders: to the millivolt, the millisecond and the point of doubt."""

import pytest
from pilot_bench import T0_MS
from test_pilot_proximity import DEBOUNCE_MS
from test_pilot_proximity import Plug as AnyPlug

from pilot.proximity import (
    BUTTON,
    CHADEMO,
    GAP,
    GBT,
    OPEN_OHM_X10,
    PLUGGED,
    SENSE,
    SHORT,
    TYPE1,
    TYPE2,
    UNPLUGGED,
    Proximity,
    cable_ohm_x10,
    is_pulldown_missing,
)

# (rail mV, pull-up ohm): no pull-down, so that a voltage is one resistance whatever the rail.
PLAIN = (5000, 1000)
OPEN_MV, CABLE_63_MV, BETWEEN_MV, CABLE_32_MV = 5000, 455, 702, 902


class Plug(AnyPlug):
    """A Proximity without a pull-down of its own, its clock and its readings."""

    def __init__(self, family=TYPE2, board=PLAIN, t0_ms=1000):
        super().__init__(family, (*board, 0), t0_ms)

    def flickers(self, passes, good_mv=CABLE_32_MV):
        """Read a short (s) or the cable (c)."""
        for kind in passes:
            self.mv(1 if kind == "s" else good_mv)
        return self


@pytest.fixture
def cable():
    """A 32 A cable, plugged and debounced."""
    plug = Plug().mv(OPEN_MV, 60).mv(CABLE_32_MV, 60)
    assert plug.pp.is_plugged and plug.pp.rated_ma == 32_000
    return plug


# Conversion -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mv", "rail_mv", "pullup_ohm", "pulldown_ohm", "ohm_x10"),
    [
        # 1549 uA: 3030 of the pull-up less the 1481 of the pull-down.
        (4000, 5000, 330, 2700, 25_823), (4000, 5000, 330, 0, 13_201),
        # 4000 uA.
        (1000, 5000, 1000, 0, 2500), (0, 5000, 1000, 0, 0),
        # 511 uA less 510: the last one left is 98 kohm; with none left it is open.
        (98, 2500, 4700, 192, 980_000), (99, 2500, 4700, 192, OPEN_OHM_X10),
    ],
)  # fmt: skip
def test_currents_are_balanced_to_the_microampere(mv, rail_mv, pullup_ohm, pulldown_ohm, ohm_x10):
    assert cable_ohm_x10(mv, rail_mv, pullup_ohm, pulldown_ohm) == ohm_x10


def test_nothing_connected_is_told_as_100_kohm():
    assert OPEN_OHM_X10 == 100_000 * 10
    assert Plug().mv(OPEN_MV).pp.ohm_x10 == 100_000 * 10


@pytest.mark.parametrize("mv", [3829, 3830, 3831])
def test_a_pulldown_is_missing_from_the_very_microampere_on(mv):
    """(5000 - 3830) x 8 / 2200 ohm is 4254 uA, less than the 4255 of 3830 x 3 / 2700 ohm; at 3829 it is more."""
    assert is_pulldown_missing(mv, 5000, 2200, 2700) is (mv >= 3830)


# What is believed -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("above_mv", "kind"), [(0, UNPLUGGED), (99, UNPLUGGED), (100, UNPLUGGED), (101, SENSE)]
)
def test_a_voltage_is_believed_to_100_mv_above_its_rail(above_mv, kind):
    assert Plug().mv(OPEN_MV + above_mv, 2).pp.kind == kind


def unread(plug, cause):
    """Let the readings be none, for one of the three causes."""
    plug.r.pp_ok = cause != "not measured"
    plug.r.pp_rail_mv = 0 if cause == "no rail" else 5000
    return plug.mv(5000 if cause == "no pull-down" else CABLE_32_MV)


CAUSES = ("not measured", "no rail", "no pull-down")


@pytest.mark.parametrize("then", CAUSES)
@pytest.mark.parametrize("cause", CAUSES)
def test_a_reading_lost_in_another_way_is_still_the_same_lost_reading(cause, then):
    """No doubt where nothing was in force and nothing speaks for a plug, and the fault's time goes on."""
    plug = Plug()
    plug.pp = Proximity(TYPE2, 330, 2700, DEBOUNCE_MS)
    for n in range(20):
        assert not unread(plug, then if n % 2 else cause).pp.in_doubt
        assert not plug.faults
    assert unread(plug, cause).faults == {"ProximitySense"}
    assert not plug.pp.in_doubt


def test_an_inlet_that_is_never_read_is_a_fault_200_ms_after_its_first_pass_wherever_the_clock_is():
    for t0_ms in (*T0_MS, 1000, 2**29):
        plug = Plug(t0_ms=t0_ms)
        plug.r.pp_ok = False
        assert not plug.mv(0, 20).faults
        assert plug.mv(0).faults == {"ProximitySense"}


def test_the_same_voltage_is_another_cable_on_another_rail(cable):
    """902 mV are 220 ohm of 5 V and 564 ohm of 2.5 V."""
    cable.r.pp_rail_mv = 2500
    cable.mv(CABLE_32_MV, 2)
    assert cable.pp.ohm_x10 == 5644
    assert cable.pp.rated_ma == 20_000


@pytest.mark.parametrize("mv", [0, 1])
def test_a_dead_short_speaks_against_an_empty_inlet_just_proven(cable, mv):
    cable.mv(OPEN_MV, 2)
    assert cable.pp.kind == UNPLUGGED
    assert cable.mv(mv).pp.in_doubt
    assert cable.mv(mv).pp.kind == SHORT


# Rows that allow more ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("family", "board", "before_mv", "stays_mv", "leaves_mv", "kinds"),
    [
        # 59.9 ohm and 1 %: 60.4 stays, 60.5 does not.
        (TYPE2, (4990, 330), 10, 773, 774, (SHORT, GAP)),
        # 337.1 ohm and 1 %: 340.2 stays, 340.7 does not.
        (TYPE1, (5000, 330), 2300, 2538, 2540, (GAP, BUTTON)),
        # 4500 ohm and 1 %: 4545.0 stays, 4545.1 does not.
        (TYPE2, (4919, 330), 4500, 4586, 4591, (GAP, UNPLUGGED)),
        (TYPE2, (4963, 330), 4500, 4620, 4627, (GAP, UNPLUGGED)),
        (GBT, (4919, 330), 4560, 4586, 4591, (GAP, UNPLUGGED)),
        (CHADEMO, (4963, 330), 4500, 4620, 4627, (GAP, UNPLUGGED)),
    ],
)  # fmt: skip
def test_a_row_that_allows_more_counts_only_past_one_percent_of_its_edge(
    family, board, before_mv, stays_mv, leaves_mv, kinds
):
    plug = Plug(family, board).mv(before_mv, 60)
    assert plug.pp.kind == kinds[0]
    assert plug.mv(stays_mv, 60).pp.kind == kinds[0]
    assert plug.mv(leaves_mv, 2).pp.kind == kinds[1]


@pytest.mark.parametrize(
    ("board", "before_mv", "last_mv", "near_mv", "past_mv", "rated_ma", "then_ma"),
    [
        # 163.3 ohm, then 138.9 and 136.9: 140 ohm and 1 % is 138.6.
        ((5000, 1000), 902, 702, 610, 602, 32_000, 63_000),
        # From 220 and from 680 ohm themselves, not from what lies between.
        ((5000, 1000), 902, 902, 610, 602, 32_000, 63_000),
        ((4904, 330), 3302, 3302, 2356, 2349, 20_000, 32_000),
        # Two ratings up at once.
        ((5000, 1000), 2024, 2024, 610, 602, 20_000, 63_000),
        # The last tenth of an ohm of the row: 163.9 ohm, then 138.6 and 138.1.
        ((4901, 330), 1960, 1627, 1450, 1446, 32_000, 63_000),
        # 399.9 ohm, then 305.1 and 303.4: 308 ohm and 1 % is 305.0.
        ((4904, 330), 3302, 2687, 2356, 2349, 20_000, 32_000),
        # 1099.9 ohm, then 926.7 and 922.9: 936 ohm and 1 % is 926.7.
        ((4909, 330), 4024, 3776, 3620, 3616, 13_000, 20_000),
    ],
)  # fmt: skip
def test_a_cable_between_two_codings_needs_the_percent_past_the_edge_of_the_higher_one(
    board, before_mv, last_mv, near_mv, past_mv, rated_ma, then_ma
):
    """Whichever row is in force, the edge that counts is the one of the rating that would come."""
    plug = Plug(TYPE2, board).mv(before_mv, 60)
    assert plug.pp.rated_ma == rated_ma
    assert plug.mv(last_mv, 2).mv(near_mv, 100).pp.rated_ma == rated_ma
    assert plug.mv(past_mv, 60).pp.rated_ma == then_ma


def test_a_cable_at_the_end_of_its_row_counts_when_it_comes_from_an_empty_inlet():
    # 2459.0 ohm: the row ends at 2460, and 1 % is asked of one rating beside another only.
    plug = Plug().mv(OPEN_MV, 60).mv(3554, 100)
    assert plug.pp.kind == PLUGGED and plug.pp.rated_ma == 13_000


@pytest.mark.parametrize("rail_mv", [5000, 4901, 4904, 4999])
@pytest.mark.parametrize(
    ("before_x10", "rated_ma", "low_x10", "high_x10", "then_ma"),
    [
        # The last ohms of the row between two codings, which says what the row behind it says.
        (6800, 20_000, 1623, 1639, 32_000), (15000, 13_000, 1623, 1639, 32_000), (15000, 13_000, 3960, 3999, 20_000),
    ],
)  # fmt: skip
def test_a_higher_rating_has_no_edge_between_its_own_rows(
    rail_mv, before_x10, rated_ma, low_x10, high_x10, then_ma
):
    ohm_x10 = {mv: cable_ohm_x10(mv, rail_mv, 330, 0) for mv in range(1, rail_mv)}
    before_mv = min(ohm_x10, key=lambda mv: abs(ohm_x10[mv] - before_x10))
    between = [mv for mv, ohm in ohm_x10.items() if low_x10 <= ohm <= high_x10]
    assert between
    for mv in between:
        plug = Plug(TYPE2, (rail_mv, 330)).mv(before_mv, 60)
        assert plug.pp.rated_ma == rated_ma
        assert plug.mv(mv, 100).pp.rated_ma == then_ma, ohm_x10[mv]


def test_a_gbt_cable_needs_the_percent_past_the_edge_of_the_higher_coding_across_the_gap():
    # 105 ohm and 1 %: 104.2 stays, 103.9 does not.
    plug = Plug(GBT).mv(CABLE_32_MV, 60)
    assert plug.mv(472, 100).pp.rated_ma == 32_000
    assert plug.mv(471, 60).pp.rated_ma == 63_000


def test_another_reading_of_the_same_rating_does_not_begin_the_wait_for_a_higher_one(cable):
    cable.mv(BETWEEN_MV, 45).mv(CABLE_63_MV, 50)
    assert cable.pp.rated_ma == 32_000
    assert cable.mv(CABLE_63_MV).pp.rated_ma == 63_000


def test_a_higher_rating_waits_its_debounce_also_right_after_the_plug_is_proven():
    plug = Plug().mv(OPEN_MV, 60).mv(CABLE_32_MV, 2).mv(CABLE_63_MV, 50)
    assert plug.pp.rated_ma == 32_000
    assert plug.mv(CABLE_63_MV).pp.rated_ma == 63_000


# Time -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("late_ms", "rated_ma"), [(499, 32_000), (500, 63_000), (503, 63_000), (5000, 63_000)]
)
def test_a_higher_rating_counts_to_the_millisecond_and_also_where_the_pass_is_late(
    cable, late_ms, rated_ma
):
    cable.mv(CABLE_63_MV, pass_ms=late_ms).mv(CABLE_63_MV)
    assert cable.pp.rated_ma == rated_ma


@pytest.mark.parametrize(
    ("late_ms", "is_plugged"), [(499, False), (500, True), (503, True), (5000, True)]
)
def test_a_plug_counts_also_where_the_pass_is_late(late_ms, is_plugged):
    plug = Plug().mv(OPEN_MV, 60).mv(CABLE_32_MV).mv(CABLE_32_MV, pass_ms=late_ms)
    assert plug.mv(CABLE_32_MV).pp.is_plugged is is_plugged


@pytest.mark.parametrize(
    ("late_ms", "is_clear"), [(499, False), (500, True), (503, True), (5000, True)]
)
def test_an_empty_inlet_is_clear_to_drive_also_where_the_pass_is_late(cable, late_ms, is_clear):
    cable.mv(OPEN_MV).mv(OPEN_MV, pass_ms=late_ms)
    assert cable.mv(OPEN_MV).pp.is_clear_to_drive is is_clear


# Doubt ------------------------------------------------------------------------------------------


def test_an_odd_pass_long_ago_does_not_count_against_the_next_two(cable):
    cable.flickers("s" + "c" * 20 + "ss")
    assert cable.pp.kind == SHORT


@pytest.mark.parametrize(
    ("passes", "kind"),
    [
        # 3 a short, 1 back a good pass: 12 + 3 - 2, 15 with the seventh; one pass more paid back, 14.
        ("sc" * 6, PLUGGED), ("sc" * 6 + "s", SENSE), ("sc" * 6 + "cs", PLUGGED), ("sc" * 6 + "cscs", SENSE),
    ],
)  # fmt: skip
@pytest.mark.parametrize("is_fresh", [False, True])
def test_fifteen_points_of_doubt_are_proof_and_a_plug_just_proven_owes_none(
    passes, kind, is_fresh
):
    plug = Plug().mv(OPEN_MV, 60).mv(CABLE_32_MV, 2 if is_fresh else 60)
    assert plug.flickers(passes).pp.kind == kind


def test_a_reading_lost_after_a_contact_that_never_settled_is_no_further_doubt(cable):
    cable.flickers("sc" * 6 + "s")
    assert cable.pp.kind == SENSE
    cable.r.pp_ok = False
    assert not cable.mv(CABLE_32_MV).pp.in_doubt
