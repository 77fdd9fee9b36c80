"""pilot/duty.py: the three duty tables against the standards' own formulas, and hysteresis that never adds."""

from fractions import Fraction
from functools import cache
from random import Random

import pytest

from pilot import duty
from pilot.duty import (
    BAND_DIGITAL,
    BAND_ERROR,
    BAND_LINEAR,
    BAND_MINIMUM,
    BAND_NAMES,
    BAND_NONE,
    BAND_OFF,
    BAND_RESERVED,
    BAND_STEEP,
    BAND_TOP,
    BANDS,
    FAMILY_NAMES,
    GBT,
    HYSTERESIS_PCT_X100,
    IEC,
    J1772,
    DutyBand,
    band_index,
    band_ma,
)

FAMILIES = (IEC, J1772, GBT)
WHOLE = range(10_001)


def amps(family, pct):
    """Return the current of facts 1.4 in A, exact, written independently of the firmware's rows."""
    if pct < 8 or pct > 97:
        return Fraction(0)
    if pct < 10:
        return Fraction(6)
    if pct <= 85:
        return pct * Fraction(3, 5)
    if family == GBT:
        return min(Fraction(63), (pct - 64) * Fraction(5, 2)) if pct <= 90 else Fraction(0)
    return (pct - 64) * Fraction(5, 2) if pct <= 96 else Fraction(80)


@cache
def table_ma(family, duty_x100):
    """Return what the table allows, mA rounded down."""
    return amps(family, Fraction(duty_x100, 100)) * 1000 // 1


# Facts 1.4, test vectors: (0.01 %, mA under IEC and J1772, mA under GB/T).
GOLDEN = (
    (0, 0, 0), (290, 0, 0), (300, 0, 0), (500, 0, 0), (700, 0, 0), (710, 0, 0), (790, 0, 0),
    (800, 6000, 6000), (990, 6000, 6000), (1000, 6000, 6000), (1600, 9600, 9600), (2000, 12000, 12000),
    (2500, 15000, 15000), (2670, 16020, 16020), (3330, 19980, 19980), (5000, 30000, 30000),
    (5330, 31980, 31980), (6670, 40020, 40020), (8490, 50940, 50940), (8500, 51000, 51000),
    (8510, 52750, 52750), (8600, 55000, 55000), (8920, 63000, 63000), (8921, 63025, 63000),
    (9000, 65000, 63000), (9001, 65025, 0), (9600, 80000, 0), (9601, 80000, 0), (9700, 80000, 0),
    (9710, 0, 0), (10000, 0, 0),
)  # fmt: skip

# The duty at which each band begins, 0.01 %.
BEGINS = {
    IEC: {
        0: BAND_NONE, 300: BAND_DIGITAL, 701: BAND_ERROR, 800: BAND_MINIMUM, 1000: BAND_LINEAR,
        8501: BAND_STEEP, 9601: BAND_TOP, 9701: BAND_OFF,
    },
    GBT: {
        0: BAND_NONE, 300: BAND_DIGITAL, 701: BAND_ERROR, 800: BAND_MINIMUM, 1000: BAND_LINEAR,
        8501: BAND_STEEP, 9001: BAND_RESERVED, 9701: BAND_OFF,
    },
}  # fmt: skip
BEGINS[J1772] = BEGINS[IEC]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(("duty_x100", "ma", "gbt_ma"), GOLDEN)
def test_golden_duty_gives_the_current_of_the_standard(family, duty_x100, ma, gbt_ma):
    got = band_ma(family, band_index(family, duty_x100), duty_x100)
    assert got == (gbt_ma if family == GBT else ma)


@pytest.mark.no_cover
@pytest.mark.parametrize("family", FAMILIES)
def test_every_duty_of_the_range_gives_the_formulas_current_and_never_more(family):
    for duty_x100 in WHOLE:
        ma = band_ma(family, band_index(family, duty_x100), duty_x100)
        assert ma <= amps(family, Fraction(duty_x100, 100)) * 1000, duty_x100
        assert ma == table_ma(family, duty_x100)


@pytest.mark.parametrize("family", FAMILIES)
def test_each_edge_belongs_to_the_band_the_standard_gives_it(family):
    band = None
    changes = {}
    for duty_x100 in WHOLE:
        new = BANDS[family][band_index(family, duty_x100)][1]
        if new != band:
            changes[duty_x100] = band = new
    assert changes == BEGINS[family]


@pytest.mark.parametrize("family", FAMILIES)
def test_duty_beyond_the_range_falls_into_the_last_row(family):
    assert band_index(family, 20_000) == len(BANDS[family]) - 1


def test_tables_are_complete_and_cite_a_clause():
    assert len(FAMILY_NAMES) == len(BANDS) == len(duty._TOP_MA)
    for rows in BANDS:
        edges = [row[0] for row in rows]
        assert edges == sorted(set(edges))
        assert edges[-1] == 10_000
        for _last, band, clause in rows:
            assert BAND_NAMES[band]
            assert "Tab" in clause


@pytest.mark.parametrize("family", FAMILIES)
def test_first_reading_is_judged_without_hysteresis(family):
    for duty_x100 in WHOLE:
        band = DutyBand(family)
        band.tick(duty_x100)
        assert band.ma == table_ma(family, duty_x100)


@pytest.mark.no_cover
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("step", [1, 3, 7])
def test_sweep_up_and_down_never_gives_more_than_the_table_and_lags_only_near_an_edge(
    family, step
):
    edges = [row[0] for row in BANDS[family]]
    band = DutyBand(family)
    for duty_x100 in [*WHOLE[::step], *WHOLE[::-step]]:
        band.tick(duty_x100)
        assert 0 <= band.ma <= table_ma(family, duty_x100)
        if min(abs(duty_x100 - edge) for edge in edges) > HYSTERESIS_PCT_X100 + 1:
            assert band.ma == table_ma(family, duty_x100)
            assert band.band == BANDS[family][band_index(family, duty_x100)][1]


@pytest.mark.parametrize("family", FAMILIES)
def test_dithering_around_every_edge_never_gives_more_than_the_table(family):
    random = Random(family)
    for edge, _band, _clause in BANDS[family][:-1]:
        band = DutyBand(family)
        for _n in range(2000):
            duty_x100 = edge + random.randint(-25, 25)
            band.tick(duty_x100)
            assert band.ma <= table_ma(family, duty_x100)


@pytest.mark.parametrize("family", FAMILIES)
def test_jumps_over_many_bands_never_give_more_than_the_table(family):
    random = Random(family)
    band = DutyBand(family)
    for _n in range(20_000):
        duty_x100 = random.randint(0, 10_000)
        band.tick(duty_x100)
        assert band.ma <= table_ma(family, duty_x100)


def test_band_with_less_current_is_left_only_a_tenth_of_a_percent_past_its_edge():
    band = DutyBand(IEC)
    band.tick(790)
    for duty_x100, band_then in ((800, BAND_ERROR), (808, BAND_ERROR), (809, BAND_MINIMUM)):
        band.tick(duty_x100)
        assert band.band == band_then
    band.tick(9710)
    for duty_x100, band_then in ((9700, BAND_OFF), (9692, BAND_OFF), (9691, BAND_TOP)):
        band.tick(duty_x100)
        assert band.band == band_then


def test_band_with_less_current_is_entered_at_its_very_edge():
    band = DutyBand(IEC)
    band.tick(800)
    band.tick(799)
    assert (band.band, band.ma) == (BAND_ERROR, 0)
    band = DutyBand(IEC)
    band.tick(8501)
    band.tick(8500)
    assert (band.band, band.ma) == (BAND_LINEAR, 51_000)


def test_forgotten_band_starts_anew_without_hysteresis():
    band = DutyBand(IEC)
    band.tick(799)
    band.forget()
    assert (band.index, band.band, band.ma) == (-1, BAND_NONE, 0)
    band.tick(800)
    assert (band.band, band.ma) == (BAND_MINIMUM, 6000)


def test_families_and_bands_are_numbered_as_they_are_named():
    assert (IEC, J1772, GBT) == (0, 1, 2) == tuple(range(len(FAMILY_NAMES)))
    bands = (
        BAND_NONE, BAND_DIGITAL, BAND_ERROR, BAND_MINIMUM, BAND_LINEAR, BAND_STEEP, BAND_TOP, BAND_OFF, BAND_RESERVED,
    )  # fmt: skip
    assert bands == tuple(range(len(BAND_NAMES)))


def test_no_duty_yet_is_no_band_and_no_current():
    for band in (DutyBand(IEC), DutyBand(IEC)):
        assert (band.index, band.band, band.ma) == (-1, BAND_NONE, 0)
        band.tick(5330)
        band.forget()
        assert (band.index, band.band, band.ma) == (-1, BAND_NONE, 0)
