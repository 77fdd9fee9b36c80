"""thermal.convert and thermal.derate to the digit: which way each rounds, where a table ends, and when it is not searched."""

import math
from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from test_thermal_convert import ntc, pt1000

from thermal.convert import (
    GOOD,
    MAX_DECIC,
    MIN_DECIC,
    OPEN,
    SHORT,
    Probe,
    ntc_keys,
    ntc_ohm_x10,
    pt1000_ohm_x10,
)
from thermal.derate import Derating
from thermal.params import NTC, PT1000, ChannelParams, ThermalLimits

# The formulas -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("r25_ohm", "beta", "decic"),
    [(16_785, 3514, 292), (16_800, 2551, -250)],
    ids=["a fraction below half of the exponent", "above"],
)
def test_an_ntc_that_is_hardly_above_a_tenth_of_an_ohm_is_rounded_up(r25_ohm, beta, decic):
    """By 0.00005 and 0.07 of it: a series that has lost a single step of 2**-30 falls below."""
    with localcontext() as context:
        context.prec = 40
        kelvin = Decimal(decic) / 10 + Decimal("273.15")
        exact = 10 * r25_ohm * (beta / kelvin - beta / Decimal("298.15")).exp()
        assert 0 < exact % 1 < Decimal("0.1")
        assert ntc_ohm_x10(r25_ohm, beta, decic) == math.ceil(exact)


def test_a_pt1000_follows_iec_60751_down_to_where_the_standard_ends():
    """-200 C: only far below the table the term that belongs to the cold is large enough to show each of its digits."""
    for decic in range(-2000, MIN_DECIC):
        t = Fraction(decic, 10)
        exact = (
            1
            + Fraction(39083, 10**7) * t
            - Fraction(5775, 10**10) * t * t
            - Fraction(4183, 10**15) * (t - 100) * t**3
        )
        assert pt1000_ohm_x10(decic) == math.floor(10_000 * exact)
    # Its published table: 185.20 and 602.56 ohm.
    assert [pt1000_ohm_x10(decic) for decic in (-2000, -1000)] == [1852, 6025]


def test_a_table_has_a_node_each_2_5_k_from_end_to_end_and_none_beyond():
    """324 byte: what the flash tool puts into the image and a board keeps in its memory."""
    keys = ntc_keys(10_000, 3435)
    assert len(keys) == len(pt1000().keys) == 81
    assert (keys[0], keys[80]) == tuple(
        -ntc_ohm_x10(10_000, 3435, decic) for decic in (-500, 1500)
    )


# A sample -----------------------------------------------------------------------------------------


def test_each_millivolt_of_a_pt1000_is_its_resistance_rounded_up():
    """To the next 0.1 ohm: an exact one stays, and the least that is left over counts."""
    probe = pt1000(977)
    left_over = set()
    for rail_mv in (2500, 3300, 5250):
        for mv in range(rail_mv):
            if probe.read(mv, rail_mv) == GOOD:
                exact = Fraction(977 * mv * 10, rail_mv - mv)
                assert probe.ohm_x10 == math.ceil(exact)
                left_over.add(exact % 1 * (rail_mv - mv))
    assert {0, 1} <= left_over


@pytest.mark.parametrize("rail_mv", [2500, 3300, 3301, 5250])
def test_each_millivolt_of_an_ntc_is_its_resistance_rounded_down(rail_mv):
    probe = ntc(pullup_ohm=9770)
    good = 0
    for mv in range(rail_mv):
        if probe.read(mv, rail_mv) == GOOD:
            assert probe.ohm_x10 == 9770 * mv * 10 // (rail_mv - mv)
            good += 1
    assert good > rail_mv // 2


@pytest.mark.parametrize(
    ("kind", "pullup_ohm", "mv", "decic", "beyond"),
    [
        (PT1000, 803, 2500, MIN_DECIC, (2499, SHORT)),
        (PT1000, 3000, 1720, MAX_DECIC, (1721, OPEN)),
        (NTC, 19_603, 4804, MIN_DECIC, (4805, OPEN)),
        (NTC, 10_000, 161, MAX_DECIC, (160, SHORT)),
    ],
)
def test_a_sample_at_the_very_end_of_a_table_is_good(kind, pullup_ohm, mv, decic, beyond):
    """The resistance is that of the last node, to 0.1 ohm; a millivolt further there is no such temperature."""
    probe = Probe(ChannelParams(kind, pullup_ohm=pullup_ohm))
    assert probe.read(mv, 5000) == GOOD
    assert probe.decic == decic
    assert probe.ohm_x10 == abs(probe.keys[0 if decic == MIN_DECIC else 80])
    assert probe.read(beyond[0], 5000) == beyond[1]


def test_all_that_lies_below_the_short_is_short_where_the_table_could_not_tell():
    """A steep sensor under a high pull-up: 119 ohm would read 149 C."""
    probe = ntc(beta=4500, pullup_ohm=25_000)
    assert probe.decic_of(25_000 * 19 * 10 // 3981) < MAX_DECIC
    assert [probe.read(mv, 4000) for mv in (-1, 0, 1, 19, 20, 21)] == [SHORT] * 5 + [GOOD]


class Looked(list):
    """A table that counts how often one looks at it."""

    looks = 0

    def __getitem__(self, index):
        self.looks += 1
        return super().__getitem__(index)


@pytest.mark.parametrize("kind", [NTC, PT1000])
@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_temperature_that_stays_between_two_nodes_is_found_without_a_search(kind, part):
    """The nodes included: a pass is short because temperatures hardly move between two samples."""
    probe = Probe(ChannelParams(kind))
    keys = list(probe.keys)
    looked = probe.keys = Looked(keys)

    def looks(key):
        before = looked.looks
        probe.decic_of(abs(key))
        return looked.looks - before

    for n in range(2, 78):
        middle = (keys[n] + keys[n + 1]) // 2
        key = (keys[n], middle, keys[n + 1])[part]
        looks(keys[1] if n > 40 else keys[79])  # far away
        found = looks(key)
        looks(middle)
        assert looks(key) < found


# The limit ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rated_ma", "end_pct"), [(32_000, 50), (32_001, 50), (31_999, 33), (80_000, 20), (6000, 100)]
)
def test_the_limit_is_the_line_rounded_down_to_the_milliampere(rated_ma, end_pct):
    limits = ThermalLimits(rated_ma=rated_ma, derate_end_pct=end_pct)
    least_ma = rated_ma * end_pct // 100
    for decic in range(590, 861):
        part = min(Fraction(1), max(Fraction(0), Fraction(decic - 600, 250)))
        exact = rated_ma - part * (rated_ma - least_ma)
        assert Derating(limits).limit_ma(decic) == math.floor(exact)
