"""thermal.convert and thermal.params: integers against the float formula, every edge of a sample."""

import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thermal import convert
from thermal.convert import (
    GOOD,
    MAX_DECIC,
    MIN_DECIC,
    OPEN,
    SAMPLE_NAMES,
    SHORT,
    Probe,
    ntc_ohm_x10,
    pt1000_ohm_x10,
)
from thermal.params import KIND_NAMES, NTC, PT1000, UNUSED, ChannelParams, ThermalLimits, check

SMALL_INT = 2**30 - 1


def ntc_ohm(decic, r25_ohm=10000, beta=3435):
    return r25_ohm * math.exp(beta / (decic / 10 + 273.15) - beta / 298.15)


def pt1000_ohm(decic):
    t = decic / 10
    low = -4.183e-12 * (t - 100) * t**3 if t < 0 else 0.0
    return 1000 * (1 + 3.9083e-3 * t - 5.775e-7 * t * t + low)


def ntc(**params):
    return Probe(ChannelParams(NTC, **params))


def pt1000(pullup_ohm=1000):
    return Probe(ChannelParams(PT1000, pullup_ohm=pullup_ohm))


def mv_of(ohm, pullup_ohm=10000, rail_mv=3300):
    return rail_mv * ohm / (ohm + pullup_ohm)


class Bounded(int):
    """An int that fails where MicroPython would have to allocate."""

    def _of(self, value):
        if value is NotImplemented:
            return value
        assert -SMALL_INT <= value <= SMALL_INT, f"{value} is no small int"
        return Bounded(value)

    def __add__(self, other):
        return self._of(int.__add__(self, other))

    def __radd__(self, other):
        return self._of(int.__radd__(self, other))

    def __sub__(self, other):
        return self._of(int.__sub__(self, other))

    def __rsub__(self, other):
        return self._of(int.__rsub__(self, other))

    def __mul__(self, other):
        return self._of(int.__mul__(self, other))

    def __rmul__(self, other):
        return self._of(int.__rmul__(self, other))

    def __floordiv__(self, other):
        return self._of(int.__floordiv__(self, other))

    def __rfloordiv__(self, other):
        return self._of(int.__rfloordiv__(self, other))

    def __neg__(self):
        return self._of(int.__neg__(self))


# ------------------------------------------------------------------------------------- resistance


@pytest.mark.parametrize(
    ("beta", "decic", "ohm"),
    [
        (3435, -200, 77500),
        (3435, 0, 28700),
        (3435, 250, 10000),
        (3435, 500, 4101),
        (3435, 700, 2207),
        (3435, 900, 1272),
        (3435, 1200, 618),
        (3950, -200, 105400),
        (3950, 900, 934),
        (3950, 1200, 407),
    ],
)
def test_ntc_at_published_temperature_has_published_resistance(beta, decic, ohm):
    """Design facts, section 6."""
    assert abs(ntc_ohm_x10(10000, beta, decic) - ohm * 10) <= ohm * 10 // 500 + 10


@pytest.mark.parametrize(
    ("decic", "ohm_x10"),
    [(-400, 8427), (0, 10000), (250, 10973), (600, 12324), (900, 13471), (1200, 14606)],
)
def test_pt1000_at_iec_60751_temperature_has_its_resistance(decic, ohm_x10):
    assert abs(pt1000_ohm_x10(decic) - ohm_x10) <= 1


def test_ntc_over_its_whole_range_is_the_formula_rounded_up():
    for r25_ohm, beta in ((1000, 2500), (10000, 3435), (10000, 3950), (100000, 4500)):
        for decic in range(MIN_DECIC, MAX_DECIC + 1, 5):
            exact = 10 * ntc_ohm(decic, r25_ohm, beta)
            assert -1e-6 * exact <= ntc_ohm_x10(r25_ohm, beta, decic) - exact < 1 + 1e-6 * exact


def test_pt1000_over_its_whole_range_is_the_formula_rounded_down():
    for decic in range(MIN_DECIC, MAX_DECIC + 1):
        assert -1.000001 < pt1000_ohm_x10(decic) - 10 * pt1000_ohm(decic) <= 1e-6


# ------------------------------------------------------------------------------ ohm to temperature


@pytest.mark.parametrize(("r25_ohm", "beta"), [(10000, 3435), (10000, 3950), (100000, 4500)])
def test_ntc_temperature_is_never_colder_and_hardly_hotter_than_the_formula(r25_ohm, beta):
    probe = ntc(r25_ohm=r25_ohm, beta=beta, pullup_ohm=r25_ohm)
    for decic in range(-495, 1496):
        judged = probe.decic_of(math.floor(10 * ntc_ohm(decic, r25_ohm, beta)))
        assert 0 <= judged - decic <= 2


def test_pt1000_temperature_is_never_colder_and_hardly_hotter_than_the_formula():
    probe = pt1000()
    for decic in range(-495, 1496):
        assert 0 <= probe.decic_of(math.ceil(10 * pt1000_ohm(decic))) - decic <= 1


def test_resistance_beyond_the_table_is_the_end_of_the_table():
    for probe, cold, hot in ((ntc(), 10**9, 1), (pt1000(), 1, 10**9)):
        assert probe.decic_of(cold) == MIN_DECIC == -500
        assert probe.decic_of(hot) == MAX_DECIC == 1500
        first, last = abs(probe.keys[0]), abs(probe.keys[80])
        assert [probe.decic_of(first), probe.decic_of(last)] == [MIN_DECIC, MAX_DECIC]


def test_resistance_asked_in_any_order_gives_the_same_temperature():
    """The search starts where the last one ended; that must not show."""
    walked, fresh = ntc(), ntc()
    ohms = [round(ntc_ohm(decic)) * 10 for decic in range(-490, 1490, 37)]
    for ohm_x10 in ohms + ohms[::-1] + ohms[::5]:
        fresh._node = 0
        assert walked.decic_of(ohm_x10) == fresh.decic_of(ohm_x10)


def test_a_shared_table_is_the_same_table():
    first = ntc()
    second = Probe(ChannelParams(NTC, pullup_ohm=4700), first)
    assert second.keys is first.keys
    assert second.decic_of(22070) == first.decic_of(22070)


# ------------------------------------------------------------------------------ voltage to sample


def test_sample_at_90_c_reads_90_c_and_its_resistance():
    probe = ntc()
    assert probe.read(round(mv_of(1272)), 3300) == GOOD
    assert abs(probe.decic - 900) <= 2
    assert abs(probe.ohm_x10 - 12720) <= 60
    probe = pt1000()
    assert probe.read(round(mv_of(1347.1, 1000)), 3300) == GOOD
    assert abs(probe.decic - 900) <= 4


@pytest.mark.parametrize("rail_mv", [2500, 3300, 5000, 5250])
@pytest.mark.parametrize("probe", [ntc(), pt1000(), ntc(beta=4500), pt1000(10000)])
def test_sample_in_rail_and_ground_margins_is_open_and_short(probe, rail_mv):
    """1.5 % below the rail, 0.5 % above ground, to the millivolt."""
    first_open = -(-rail_mv * 985 // 1000)
    last_short = rail_mv * 5 // 1000
    assert [probe.read(first_open + d, rail_mv) for d in (0, 1, rail_mv)] == [OPEN] * 3
    assert [probe.read(last_short - d, rail_mv) for d in (0, 1, rail_mv)] == [SHORT] * 3


def edges(probe):
    """Return the samples of all mV of a 3.3 V rail as runs: [(sample, first mV), ...]."""
    runs = []
    for mv in range(-5, 3310):
        sample = probe.read(mv, 3300)
        if not runs or runs[-1][0] != sample:
            runs.append((sample, mv))
    return runs


@pytest.mark.parametrize("beta", [3435, 3950])
def test_ntc_is_short_then_good_then_open_with_edges_at_the_table_ends(beta):
    probe = ntc(beta=beta)
    (short, _), (good, first), (is_open, last) = edges(probe)
    assert (short, good, is_open) == (SHORT, GOOD, OPEN)
    assert abs(first - mv_of(ntc_ohm(MAX_DECIC, beta=beta))) <= 1
    # The colder edge is that of the table or the rail margin, whichever is met first.
    assert abs(last - min(mv_of(ntc_ohm(MIN_DECIC, beta=beta)), 3300 * 0.985)) <= 1


def test_pt1000_is_short_then_good_then_open_with_edges_at_the_table_ends():
    (short, _), (good, first), (is_open, last) = edges(pt1000())
    assert (short, good, is_open) == (SHORT, GOOD, OPEN)
    assert abs(first - mv_of(pt1000_ohm(MIN_DECIC), 1000)) <= 1
    assert abs(last - mv_of(pt1000_ohm(MAX_DECIC), 1000)) <= 1


@pytest.mark.parametrize("kind", [NTC, PT1000])
def test_sample_never_reads_colder_when_the_voltage_says_hotter(kind):
    probe = ntc() if kind == NTC else pt1000()
    last = None
    for mv in range(3301) if kind == PT1000 else range(3300, -1, -1):
        if probe.read(mv, 3300) == GOOD:
            assert last is None or probe.decic >= last
            last = probe.decic
    assert last is not None and last > 1490


def test_bad_sample_leaves_the_last_good_result():
    probe = ntc()
    assert probe.read(1650, 3300) == GOOD
    before = probe.decic, probe.ohm_x10
    assert probe.read(3300, 3300) == OPEN
    assert probe.read(0, 3300) == SHORT
    assert (probe.decic, probe.ohm_x10) == before == (250, 100000)


@pytest.mark.no_cover
@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from([(1000, 2500), (10000, 3435), (10000, 4500), (100000, 2500), (100000, 4500)]),
    st.integers(2500, 5250),
    st.integers(0, 1000),
    st.integers(0, 1000),
)
def test_any_ntc_sample_stays_in_small_ints_and_on_the_hot_side(sensor, rail_mv, part, pull):
    """A resistance is rounded by less than 0.1 ohm and the temperature towards hot."""
    r25_ohm, beta = sensor
    least = max(500, -(-ntc_ohm_x10(r25_ohm, beta, -300) * 15 // 9850) + 1)
    most = min(200000, ntc_ohm_x10(r25_ohm, beta, 1200) * 99 // 10)
    pullup_ohm = least + (most - least) * pull // 1000
    probe = ntc(r25_ohm=r25_ohm, beta=beta, pullup_ohm=pullup_ohm)
    probe._pullup_ohm = Bounded(pullup_ohm)
    mv = rail_mv * part // 1000
    if probe.read(Bounded(mv), Bounded(rail_mv)) == GOOD:
        exact = pullup_ohm * mv / (rail_mv - mv)
        assert -1.0001 - 1e-9 * exact < probe.ohm_x10 - 10 * exact <= 1e-9 * exact
        true_decic = 10 / (1 / 298.15 + math.log(exact / r25_ohm) / beta) - 2731.5
        assert -1e-6 < probe.decic - true_decic < 5


@pytest.mark.no_cover
@settings(max_examples=200, deadline=None)
@given(st.integers(300, 10000), st.integers(2500, 5250), st.integers(0, 1000))
def test_any_pt1000_sample_is_rounded_up(pullup_ohm, rail_mv, part):
    probe = pt1000(pullup_ohm)
    probe._pullup_ohm = Bounded(pullup_ohm)
    mv = rail_mv * part // 1000
    if probe.read(Bounded(mv), Bounded(rail_mv)) == GOOD:
        exact = pullup_ohm * mv / (rail_mv - mv)
        assert -1e-6 <= probe.ohm_x10 - 10 * exact < 1.0001


def test_steepest_table_interpolates_in_small_ints():
    """100 kohm and B 4500 have the widest spans between nodes."""
    probe = ntc(r25_ohm=100000, beta=4500, pullup_ohm=200000)
    probe.keys = [Bounded(key) for key in probe.keys]
    for node in range(80):
        assert probe.decic_of(-probe.keys[node + 1] + 1) <= MIN_DECIC + 25 * (node + 1)
        assert probe.decic_of(-probe.keys[node] - 1) > MIN_DECIC + 25 * node


# ----------------------------------------------------------------------------------------- params


def test_names_fit_their_numbers():
    assert [KIND_NAMES[kind] for kind in (UNUSED, NTC, PT1000)] == ["unused", "ntc", "pt1000"]
    assert [SAMPLE_NAMES[sample] for sample in (GOOD, OPEN, SHORT)] == ["good", "open", "short"]


def test_check_at_its_bounds_lets_pass_and_beyond_raises_a_sentence():
    assert [check("x", value, 3, 5) for value in (3, 4, 5)] == [3, 4, 5]
    for value in (2, 6):
        with pytest.raises(ValueError, match=rf"^x: {value} is outside 3\.\.5$"):
            check("x", value, 3, 5)


@pytest.mark.parametrize(
    ("kind", "name", "minimum", "maximum"),
    [
        (NTC, "r25_ohm", 1000, 100000),
        (NTC, "beta", 2500, 4500),
        (NTC, "pullup_ohm", 500, 200000),
        (PT1000, "pullup_ohm", 300, 10000),
        (NTC, "margin_decic", 0, 300),
    ],
)
def test_channel_parameter_beyond_its_bounds_is_refused(kind, name, minimum, maximum):
    for value in (minimum, maximum):
        assert getattr(ChannelParams(kind, **{name: value}), name) == value
    for value in (minimum - 1, maximum + 1):
        with pytest.raises(ValueError, match=name):
            ChannelParams(kind, **{name: value})


def test_kind_of_sensor_that_does_not_exist_is_refused():
    for kind in (UNUSED - 1, PT1000 + 1):
        with pytest.raises(ValueError, match="kind"):
            ChannelParams(kind)


@pytest.mark.parametrize(
    ("name", "minimum", "maximum"),
    [
        ("derate_start_decic", 300, 800),
        ("derate_end_decic", 650, 900),
        ("derate_end_pct", 20, 100),
        ("stop_decic", 850, 1100),
        ("resume_decic", 200, 850),
        ("trips_to_latch", 1, 10),
        ("rated_ma", 6000, 80000),
        ("blind_pct", 0, 100),
        ("disagree_decic", 100, 600),
        ("jump_decic", 50, 500),
        ("flow_ma", 6000, 32000),
    ],
)
def test_limit_beyond_its_bounds_is_refused(name, minimum, maximum):
    """With the others at their defaults."""
    for value in (minimum, maximum):
        assert getattr(ThermalLimits(**{name: value}), name) == value
    for value in (minimum - 1, maximum + 1):
        with pytest.raises(ValueError, match=r"is outside \d+\.\.\d+$"):
            ThermalLimits(**{name: value})


@pytest.mark.parametrize(
    ("r25_ohm", "beta", "pullup_ohm"), [(100000, 4000, 10000), (1000, 4000, 30000)]
)
def test_pullup_that_hides_cold_or_hot_is_refused(r25_ohm, beta, pullup_ohm):
    """At -30 C it would look open, at 120 C shorted."""
    with pytest.raises(ValueError, match=r"pullup_ohm: \d+ is outside \d+\.\.\d+ for an NTC"):
        ntc(r25_ohm=r25_ohm, beta=beta, pullup_ohm=pullup_ohm)


@pytest.mark.parametrize(("r25_ohm", "beta"), [(10000, 3435), (100000, 4500), (1000, 2500)])
def test_pullup_at_the_bounds_it_was_refused_for_still_sees_cold_and_hot(r25_ohm, beta):
    bounds = []
    for refused in (500, 200000):
        try:
            ntc(r25_ohm=r25_ohm, beta=beta, pullup_ohm=refused)
            bounds.append(refused)
        except ValueError as error:
            least, most = str(error).split("outside ")[1].split(" ")[0].split("..")
            bounds.append(max(500, int(least)) if refused == 500 else int(most))
    for pullup_ohm in bounds:
        probe = ntc(r25_ohm=r25_ohm, beta=beta, pullup_ohm=pullup_ohm)
        for decic in (-295, 1195):
            ohm = ntc_ohm(decic, r25_ohm, beta)
            # 5 V: the ratio counts, and a millivolt is finer.
            assert probe.read(round(mv_of(ohm, pullup_ohm, 5000)), 5000) == GOOD
            assert abs(probe.decic - decic) <= 15


# ------------------------------------------------------------------------------ to the last digit


def test_series_is_that_of_two_to_the_power_of_a_fraction():
    """2**30 / ln 2, and 2**30 ln(2)**n / n!; the two that are not powers of two by more than rounding are rounded."""
    assert convert._LOG2_E_X30 == round(2**30 / math.log(2))
    exact = [2**30 * math.log(2) ** n / math.factorial(n) for n in range(6, -1, -1)]
    assert list(convert._SERIES_X30) == [round(term) for term in exact]


@pytest.mark.parametrize(("r25_ohm", "beta"), [(10000, 3435), (30000, 3950)])
def test_pullup_range_ends_where_minus_30_c_looks_open_and_120_c_leaves_less_than_a_hundredth(
    r25_ohm, beta
):
    cold = Fraction(ntc_ohm_x10(r25_ohm, beta, -300), 10)
    hot = Fraction(ntc_ohm_x10(r25_ohm, beta, 1200), 10)
    with pytest.raises(ValueError, match="outside") as refused:
        ntc(r25_ohm=r25_ohm, beta=beta, pullup_ohm=200_000)
    least, most = (
        int(word) for word in str(refused.value).split("outside ")[1].split(" ")[0].split("..")
    )
    assert cold / (cold + least) < Fraction(985, 1000) <= cold / (cold + least - 1)
    assert hot / (hot + most) >= Fraction(1, 100) > hot / (hot + most + 1)


def test_every_resistance_of_a_pt1000_is_its_line_rounded_up():
    probe = pt1000()
    keys = probe.keys
    for n in range(80):
        for key in range(keys[n], keys[n + 1] + 1):
            part = Fraction((key - keys[n]) * 25, keys[n + 1] - keys[n])
            assert probe.decic_of(key) == -500 + n * 25 + math.ceil(part)
    assert (MIN_DECIC, MAX_DECIC) == (-500, 1500) and len(keys) == 81


def test_a_sample_is_open_from_985_permille_and_short_up_to_5():
    probe = pt1000()
    for mv, sample in ((3940, OPEN), (20, SHORT)):
        assert probe.read(mv, 4000) == sample
    probe = ntc(pullup_ohm=5000)
    assert probe.read(3939, 4000) == GOOD
    assert (GOOD, OPEN, SHORT) == (0, 1, 2)


def test_nothing_read_yet_is_nothing_known():
    assert (ntc().ohm_x10, ntc().decic) == (0, 0)


def test_pt1000_is_the_formula_of_iec_60751_without_any_rounding_but_the_last():
    for decic in range(MIN_DECIC, MAX_DECIC + 1):
        t = Fraction(decic, 10)
        c = Fraction(-4183, 10**15) if decic < 0 else 0
        exact = (
            1 + Fraction(39083, 10**7) * t - Fraction(5775, 10**10) * t * t + c * (t - 100) * t**3
        )
        assert pt1000_ohm_x10(decic) == math.floor(10_000 * exact)


def test_a_short_is_told_from_heat_where_the_table_could_not():
    """A steep sensor under a high pull-up: 126 ohm would read 147 C."""
    probe = ntc(beta=4500, pullup_ohm=25_000)
    assert [probe.read(mv, 4000) for mv in (20, 21)] == [SHORT, GOOD]
    assert [probe.read(21, rail_mv) for rail_mv in (4199, 4200)] == [GOOD, SHORT]
