"""The settings table, and that no bad value crashes or loosens a limit."""

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from setting_rows import (
    CHOICES,
    ORDERED,
    ROW_DEFAULT,
    ROW_HELP,
    ROW_KEY,
    ROW_MAX,
    ROW_MIN,
    ROW_NUMBER,
    ROW_TIGHTER,
    ROW_UNIT,
    TABLE,
    find,
)
from settings import Settings

KEYS = tuple(row[ROW_KEY] for row in TABLE)
# Keys whose value another key may lower, or that lower another.
LINKED = {key for low, high, _ in ORDERED for key in (low, high)}


def id_of(row):
    return row[ROW_KEY]


def value_of(settings, row):
    return getattr(settings, row[ROW_KEY])


def is_no_looser(row, value, reference):
    return (value - reference) * row[ROW_TIGHTER] >= 0


# ------------------------------------------------------------------------------- the table


def test_numbers_and_keys_are_unique():
    assert len({row[ROW_NUMBER] for row in TABLE}) == len(TABLE)
    assert len(set(KEYS)) == len(TABLE)


@pytest.mark.parametrize("row", TABLE, ids=id_of)
def test_row_is_whole_and_its_default_within_its_bounds(row):
    assert row[ROW_MIN] <= row[ROW_DEFAULT] <= row[ROW_MAX]
    assert row[ROW_MAX] < 2**30, "a small int on the board"
    assert row[ROW_TIGHTER] in (-1, 0, 1)
    assert row[ROW_HELP] and row[ROW_KEY] == row[ROW_KEY].lower()
    unit = {"mA": "_ma", "ms": "_ms", "mV": "_mv", "ohm": "_ohm", "0.1C": "_decic", "%": "_pct"}
    if row[ROW_UNIT] in unit:
        assert row[ROW_KEY].endswith(unit[row[ROW_UNIT]])


def test_choices_name_each_value_of_their_setting():
    chosen = {row[ROW_KEY]: row for row in TABLE if row[ROW_UNIT] == "choice"}
    assert set(chosen) == set(CHOICES)
    for key, names in CHOICES.items():
        assert (chosen[key][ROW_MIN], chosen[key][ROW_MAX]) == (0, len(names) - 1)


def test_choices_agree_with_the_rooms():
    from lock.params import FEEDBACK_NAMES
    from lock.params import KIND_NAMES as LOCK_KIND_NAMES
    from pilot import proximity
    from thermal.params import KIND_NAMES

    assert CHOICES["inlet"][:4] == ("type1", "type2", "gbt", "nacs")
    assert (proximity.TYPE1, proximity.TYPE2, proximity.GBT, proximity.NACS) == (0, 1, 2, 3)
    assert CHOICES["lock_kind"] == LOCK_KIND_NAMES
    assert CHOICES["lock_feedback"] == FEEDBACK_NAMES
    assert CHOICES["sensor_0"] == KIND_NAMES


def test_defaults_keep_their_own_order():
    for low, high, apart in ORDERED:
        assert getattr(Settings(), low) <= getattr(Settings(), high) - apart


def test_find_knows_every_key_and_no_other():
    assert all(find(row[ROW_KEY]) is row for row in TABLE)
    assert find("no_such_key") is None and find(None) is None


# ------------------------------------------------------------------------------ good values


def test_nothing_asked_is_every_default():
    settings = Settings({})
    assert all(value_of(settings, row) == row[ROW_DEFAULT] for row in TABLE)
    assert settings.rejected == [] and settings.given == [] and settings.is_trusted


def test_nothing_stored_is_every_default_and_no_trust():
    """The inlet's family must be configured: a Type 1 button reads as a Type 2 cable of 20 A."""
    settings = Settings(None)
    assert all(value_of(settings, row) == row[ROW_DEFAULT] for row in TABLE)
    assert len(settings.rejected) == 1 and not settings.is_trusted


@pytest.mark.parametrize(
    ("wanted", "trusted"),
    [({"inlet": "type1"}, False), ({"sensor_0": 9}, False), ({"max_curent_ma": 16000}, False), ("unreadable", False),
     ({"max_current_ma": 99000}, True), ({"stop_decic": "600"}, True), ({"inlet": 0}, True)],
)  # fmt: skip
def test_refused_setting_is_trusted_only_where_a_stricter_side_is_known(wanted, trusted):
    assert Settings(wanted).is_trusted is trusted


@pytest.mark.parametrize("row", TABLE, ids=id_of)
@pytest.mark.parametrize("edge", [ROW_MIN, ROW_MAX])
def test_value_at_its_bound_is_taken(row, edge):
    key = row[ROW_KEY]
    settings = Settings({key: row[edge]})
    assert key in settings.given
    if key not in LINKED:
        assert value_of(settings, row) == row[edge] and settings.rejected == []


# ------------------------------------------------------------------------------- bad values


@pytest.mark.parametrize("row", TABLE, ids=id_of)
def test_value_just_below_its_bound_is_refused(row):
    wanted = row[ROW_MIN] - 1
    settings = Settings({row[ROW_KEY]: wanted})
    expected = row[ROW_MIN] if row[ROW_TIGHTER] < 0 else row[ROW_DEFAULT]
    assert row[ROW_KEY] not in settings.given
    assert settings.rejected[0] == "%s: %d is outside %d..%d; %d is used" % (
        row[ROW_KEY], wanted, row[ROW_MIN], row[ROW_MAX], expected,
    )  # fmt: skip
    if row[ROW_KEY] not in LINKED:
        assert value_of(settings, row) == expected and len(settings.rejected) == 1


@pytest.mark.parametrize("row", TABLE, ids=id_of)
def test_value_just_above_its_bound_is_refused(row):
    settings = Settings({row[ROW_KEY]: row[ROW_MAX] + 1})
    expected = row[ROW_MAX] if row[ROW_TIGHTER] > 0 else row[ROW_DEFAULT]
    assert "%d is used" % expected in settings.rejected[0]
    if row[ROW_KEY] not in LINKED:
        assert value_of(settings, row) == expected and len(settings.rejected) == 1


@pytest.mark.parametrize("value", [None, "many", [], {}, float("nan"), float("inf"), b"x"])
@pytest.mark.parametrize("row", TABLE, ids=id_of)
def test_value_that_is_no_number_is_the_default(row, value):
    settings = Settings({row[ROW_KEY]: value})
    assert value_of(settings, row) == row[ROW_DEFAULT]
    assert settings.rejected == [
        "%s: not a whole number; %d is used" % (row[ROW_KEY], row[ROW_DEFAULT])
    ]


@pytest.mark.parametrize("value", ["16000", 16000.0, 16000.9, " 16000 "])
def test_wrong_type_that_asks_for_less_gives_less(value):
    """The default of 32 A would be a looser limit than what the builder plainly wanted."""
    settings = Settings({"max_current_ma": value})
    assert settings.max_current_ma == 16000
    assert settings.rejected == ["max_current_ma: not a whole number; 16000 is used"]


@pytest.mark.parametrize(
    ("value", "used"), [("63000", 32000), (1e9, 32000), (True, 6000), ("-5", 6000), (5999.5, 6000)]
)
def test_wrong_type_never_gives_more_than_the_default(value, used):
    assert Settings({"max_current_ma": value}).max_current_ma == used


def test_wrong_type_where_more_is_stricter():
    assert Settings({"plug_debounce_ms": "900"}).plug_debounce_ms == 900
    assert Settings({"plug_debounce_ms": "100"}).plug_debounce_ms == 500
    assert Settings({"plug_debounce_ms": 1e6}).plug_debounce_ms == 5000


def test_flag_written_as_true_is_refused_and_named():
    settings = Settings({"lock_inverted": True})
    assert settings.lock_inverted == 0
    assert settings.rejected == ["lock_inverted: not a whole number; 0 is used"]


def test_unknown_keys_are_named_in_order():
    settings = Settings({"zeal": 1, "amps": 2, 7: 3})
    assert settings.rejected == [
        "7: no such setting", "amps: no such setting", "zeal: no such setting",
    ]  # fmt: skip
    assert not hasattr(settings, "amps")


@pytest.mark.parametrize("wanted", [[], "text", 5, [("max_current_ma", 6000)], True])
def test_settings_that_are_no_table_are_every_default(wanted):
    settings = Settings(wanted)
    assert settings.rejected == ["settings: not a table of keys; every default is used"]
    assert all(value_of(settings, row) == row[ROW_DEFAULT] for row in TABLE)


# ------------------------------------------------------------------ settings that go together


@pytest.mark.parametrize(("low", "high", "apart"), ORDERED)
@pytest.mark.parametrize("off", [-1, 0, 1])
def test_lower_one_of_a_pair_is_brought_down(low, high, apart, off):
    top = {"stop_decic": 800, "derate_end_decic": 700}[high]
    wanted = {"stop_decic": 800, "derate_end_decic": 700, high: top, low: top - apart + off}
    settings = Settings(wanted)
    assert getattr(settings, low) == min(wanted[low], top - apart)
    mine = [sentence for sentence in settings.rejected if sentence.startswith(low + ":")]
    if off > 0:
        assert mine == ["%s: too close to %s; lowered to %d" % (low, high, top - apart)]
    else:
        assert mine == []


def test_stop_lowered_alone_brings_all_the_others_down():
    settings = Settings({"stop_decic": 400})
    assert (settings.derate_end_decic, settings.derate_start_decic) == (400, 350)
    assert settings.resume_decic == 350
    assert len(settings.rejected) == 3


ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**40), 2**40),
    st.floats(),
    st.text(max_size=6),
    st.lists(st.integers(), max_size=2),
)


@hypothesis_settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from((*KEYS, "nonsense")), ANYTHING, max_size=12))
def test_whatever_is_asked_every_setting_is_within_bounds_and_no_looser(wanted):
    settings = Settings(wanted)
    for row in TABLE:
        value = value_of(settings, row)
        assert isinstance(value, int) and row[ROW_MIN] <= value <= row[ROW_MAX]
        asked = wanted.get(row[ROW_KEY])
        if isinstance(asked, int) and not isinstance(asked, bool):
            # Never looser than what was asked for, except where that is beyond the strictest.
            bounded = min(max(asked, row[ROW_MIN]), row[ROW_MAX])
            assert row[ROW_TIGHTER] == 0 or is_no_looser(row, value, bounded)
        elif row[ROW_KEY] in wanted:
            assert is_no_looser(row, value, row[ROW_DEFAULT])
    for low, high, apart in ORDERED:
        assert getattr(settings, low) <= getattr(settings, high) - apart
    refused = {sentence.split(":")[0] for sentence in settings.rejected}
    for key in wanted:
        assert key in settings.given or key in refused
    for sentence in settings.rejected:
        assert "\n" not in sentence
