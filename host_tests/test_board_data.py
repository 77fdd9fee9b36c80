"""drivers.board_data: the short form of a checked board file is taken for that very text only."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.board_checked import checked, short_form
from drivers.board_file import load
from inletctl.house import FIRMWARE

NAMES = ("rp2040-reference", "esp32-devkitc")


def text_of(name):
    return (FIRMWARE / "boards" / (name + ".json")).read_text(encoding="utf-8")


TEXT = text_of(NAMES[0])
SHORT = short_form(TEXT, load(TEXT))


def facts(board):
    return {**vars(board), "pins": {name: vars(pin) for name, pin in board.pins.items()}}


@pytest.mark.parametrize("name", NAMES)
def test_short_form_says_all_that_the_board_file_says(name):
    text = text_of(name)
    board = load(text)
    assert facts(checked(text, short_form(text, board))) == facts(board)


def test_another_text_is_not_taken_for_checked():
    assert checked(TEXT + " ", SHORT) is None
    assert checked(TEXT.replace('"gpio": 3', '"gpio": 5', 1), SHORT) is None


def test_a_board_file_for_another_chip_is_not_taken_for_checked():
    assert checked(TEXT, SHORT, "rp2") is not None
    assert checked(TEXT, SHORT, "esp32") is None


@given(st.data())
def test_a_damaged_short_form_proves_nothing(data):
    at = data.draw(st.integers(0, len(SHORT) - 1))
    letters = st.characters(min_codepoint=32, max_codepoint=126)
    other = data.draw(letters.filter(lambda one: one != SHORT[at]))
    assert checked(TEXT, SHORT[:at] + other + SHORT[at + 1 :]) is None
    assert checked(TEXT, SHORT[:at]) is None


@pytest.mark.parametrize("short", ["", "{", "[]", "7", "\n", "1 2 3\n{}"])
def test_what_is_no_short_form_proves_nothing(short):
    assert checked(TEXT, short) is None
