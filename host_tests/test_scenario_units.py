"""Numbers with units and times: exact, bounded, never across dimensions."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inletctl.scenario.field import Field, nearest, or_list, shown, unknown
from inletctl.scenario.units import (
    MAX_TIME_US,
    BadValueError,
    convert,
    is_known_unit,
    parse_time,
    plain,
    show,
    show_time,
    split_number,
    symbol,
)


@pytest.mark.parametrize(
    ("text", "us"),
    [
        ("0s", 0),
        ("1us", 1),
        ("0.5us", None),
        ("250ms", 250_000),
        ("12.5s", 12_500_000),
        ("1min30s", 90_000_000),
        ("1h1min1s1ms1us", 3_661_001_001),
        ("24h", MAX_TIME_US),
        ("24h1us", None),
        ("99999999999999999999h", None),
        ("5", None),
        ("5.5", None),
        ("", None),
        ("s", None),
        ("-1s", None),
        ("5s5", None),
        ("5 s", None),
        ("5A", None),
        ("5x", None),
        ("1e3s", None),
    ],
)
def test_time_is_read_exactly_or_refused(text, us):
    if us is None:
        with pytest.raises(BadValueError):
            parse_time(text)
    else:
        assert parse_time(text) == us


def test_time_without_unit_asks_for_it():
    with pytest.raises(BadValueError, match="'5' needs its unit: 5s or 5ms"):
        parse_time("5")


@given(st.integers(0, MAX_TIME_US))
def test_time_shown_reads_back(t_us):
    assert parse_time(show_time(t_us)) == t_us


def test_time_is_shown_in_the_unit_that_fits():
    assert [show_time(t) for t in (0, 40, 999, 1000, 2500, 250_000, 1_000_000, 12_500_000)] == [
        "0s",
        "40us",
        "999us",
        "1ms",
        "2.5ms",
        "250ms",
        "1s",
        "12.5s",
    ]


@given(st.one_of(st.integers(-(10**18), 10**18), st.floats(-1e15, 1e15, allow_nan=False)))
def test_number_shown_reads_back(value):
    text = show(value)
    parts = split_number(text)
    assert parts is not None
    assert parts[1] == ""
    assert float(parts[0]) == pytest.approx(value, abs=1e-20)
    assert "e" not in text


@pytest.mark.parametrize(
    ("number", "given_unit", "wanted", "result"),
    [
        ("32", "", "mA", 32),
        ("32", "A", "mA", 32000),
        ("31999", "mA", "A", 31.999),
        ("60", "C", "0.1C", 600),
        ("53.3", "%", "0.01%", 5330),
        ("2", "min", "ms", 120_000),
        ("1.5", "kohm", "ohm", 1500),
        ("2", "ohm", "milliohm", 2000),
        ("1", "K/s", "K/min", 60),
        ("1000", "mA/s", "A/s", 1),
    ],
)
def test_conversion_is_exact(number, given_unit, wanted, result):
    assert plain(convert(Fraction(number), given_unit, wanted)) == result


@pytest.mark.parametrize(
    ("given_unit", "wanted", "sentence"),
    [
        ("V", "A", r"is a current \(use mA or A\), not a voltage in V"),
        ("Mohm", "ohm", r"unknown unit 'Mohm' \(use milliohm or ohm or kohm\)"),
        ("x", "", "unknown unit 'x'"),
        ("A", "", "is a plain number and takes no unit, so not A"),
    ],
)
def test_wrong_unit_is_refused_with_the_right_ones(given_unit, wanted, sentence):
    with pytest.raises(BadValueError, match=sentence):
        convert(Fraction(1), given_unit, wanted)


def test_units_are_known_by_every_spelling():
    assert is_known_unit("mohm")
    assert not is_known_unit("mile")
    assert symbol("mohm") == "milliohm"
    assert symbol("mile") == "mile"


def test_field_number_takes_bounds_and_refuses_beyond():
    field = Field("cable_a", "A", 10, 70)
    assert field.take("10") == 10
    assert field.take("70A") == 70
    assert field.take("12.5") == 12.5
    for text in ("9.999", "70.001", "-10"):
        with pytest.raises(BadValueError, match=r"outside 10\.\.70 A"):
            field.take(text)


@pytest.mark.parametrize("text", ["", "x", "1,5", "1.2.3", "--1", "1e400", "NaN", "inf", "1" * 50])
def test_field_number_refuses_what_is_no_number(text):
    with pytest.raises(BadValueError):
        Field("x", "A", 0, 10).take(text)


def test_field_decimal_comma_is_explained():
    with pytest.raises(BadValueError, match="the decimal sign is a point"):
        Field("x", "A", 0, 10).take("1,5")


def test_field_whole_refuses_fractions():
    field = Field("n", "count", 1, 9, whole=True)
    assert field.take("9") == 9
    with pytest.raises(BadValueError, match=r"is a whole number of steps, not 1\.5"):
        field.take("1.5")


def test_field_choice_forgives_case_and_suggests():
    field = Field("kind", choices=("motor", "solenoid"))
    assert field.take("Motor") == "motor"
    with pytest.raises(
        BadValueError, match="one of motor, solenoid, not 'solenid'; did you mean solenoid"
    ):
        field.take("solenid")
    with pytest.raises(BadValueError, match=r"not 'xyz'$"):
        field.take("xyz")


def test_field_indexed_choice_and_flag_are_numbers():
    field = Field("kind", choices=("motor", "solenoid"), indexed=True)
    assert field.take("solenoid") == 1
    assert field.show(1) == "solenoid"
    flag = Field("on", "flag", 0, 1, indexed=True)
    assert [flag.take(t) for t in ("yes", "0", "on", "False")] == [1, 0, 1, 0]
    assert flag.show(1) == "yes"
    assert Field("on", "flag").take("yes") is True
    with pytest.raises(BadValueError, match="yes or no, not '2'"):
        flag.take("2")


def test_field_range_text_says_what_is_allowed():
    assert Field("x", "A", 6, 32).range_text() == "6..32 A"
    assert Field("x", "", 1).range_text() == "at least 1"
    assert Field("x", "mA", None, 5).range_text() == "at most 5 mA"
    assert Field("x").range_text() == "any number"
    assert Field("x", choices=("a", "b", "c")).range_text() == "a, b or c"
    assert Field("x", "flag").range_text() == "no or yes"
    assert Field("x", "0.1C", 300, 800).range_text() == "300..800 x 0.1C"


def test_suggestions_name_the_nearest():
    assert nearest("wera", ("wear", "plug", "unplug")) == ["wear"]
    assert nearest("zzz", ("wear",)) == []
    assert (
        unknown("verb", "plgu", ("plug", "wear"))
        == "unknown verb 'plgu' (did you mean plug?); choose from plug, wear"
    )
    assert unknown("verb", "zzz", ("plug", "wear")) == "unknown verb 'zzz'; choose from plug, wear"
    assert unknown("verb", "x", ()) == "unknown verb 'x'; there is none"
    many = [f"name{n}" for n in range(40)]
    assert "choose" not in unknown("verb", "name1", many)
    assert or_list(("a",)) == "a"


def test_shown_is_printable_and_short():
    assert shown("a\x1b[2Jb") == "'a?[2Jb'"
    assert len(shown("x" * 1000)) == 42
