"""The board file's strip of LEDs: checked like everything else, and made by the boards of both chips."""

import json

import pytest

from drivers.board_checked import checked, short_form
from drivers.board_file import load
from drivers.board_shape import BoardFileError
from inletctl.house import FIRMWARE

LIGHTS = ("light_red", "light_green", "light_blue")


def data_of(name="rp2040-reference", strip=None, without=LIGHTS):
    data = json.loads((FIRMWARE / "boards" / (name + ".json")).read_text(encoding="utf-8"))
    for light in without:
        del data["pins"][light]
    if strip is not None:
        data["light_ws2812"] = strip
    return data


def load_of(data):
    return load(json.dumps(data), "host")


GOOD = {"gpio": 0, "count": 16, "brightness_pct": 40}


def test_strip_may_stand_in_for_the_three_channels():
    board = load_of(data_of(strip=GOOD))
    assert board.strip == GOOD and not set(LIGHTS) & set(board.pins)


def test_strip_beside_the_three_channels_needs_a_pin_of_its_own():
    data = data_of("esp32-devkitc", {"gpio": 2, "count": 1, "brightness_pct": 100}, ())
    with pytest.raises(
        BoardFileError, match="light_ws2812 and light_red are both on GPIO 2: move"
    ):
        load_of(data)
    for name in ("spi", "can", "lines"):
        data.pop(name, None)
    data["light_ws2812"]["gpio"] = 21
    board = load_of(data)
    assert board.strip["gpio"] == 21 and set(LIGHTS) <= set(board.pins)


@pytest.mark.parametrize("name", ["rp2040-reference", "esp32-devkitc"])
def test_shipped_boards_have_none(name):
    assert load_of(data_of(name, None, ())).strip is None


def test_short_form_says_the_strip_too():
    text = json.dumps(data_of(strip=GOOD))
    board = checked(text, short_form(text, load(text, "host")), "host")
    assert board.strip == GOOD and "light_red" not in board.pins


@pytest.mark.parametrize(
    ("strip", "words"),
    [
        (
            {**GOOD, "gpio": 23},
            "light_ws2812: gpio cannot be an output of this board: choose one of",
        ),
        ({**GOOD, "gpio": True}, "gpio cannot be an output"),
        ({**GOOD, "gpio": "0"}, "gpio cannot be an output"),
        ({**GOOD, "gpio": 3}, "light_ws2812 and s2 are both on GPIO 3: move one of them"),
        ({**GOOD, "count": 0}, "light_ws2812: count is 0: allowed are 1..16"),
        ({**GOOD, "count": 17}, "count is 17: allowed are 1..16"),
        ({**GOOD, "count": 1.5}, "not a whole number"),
        ({**GOOD, "brightness_pct": 0}, "brightness_pct is 0: allowed are 1..100"),
        ({**GOOD, "brightness_pct": 101}, "brightness_pct is 101"),
        ({**GOOD, "order": "rgb"}, "order is unknown"),
        ({"gpio": 0, "count": 4}, "brightness_pct is missing"),
        ([0], "light_ws2812 is"),
    ],
)
def test_strip_that_cannot_be_is_refused_in_one_sentence(strip, words):
    with pytest.raises(BoardFileError) as caught:
        load_of(data_of(strip=strip))
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_strip_must_not_share_a_pin_of_the_spi_bus():
    data = data_of(strip={**GOOD, "gpio": 18})
    data["spi"] = {"sck": 18, "mosi": 19, "miso": 16}
    data["can"] = {"cs": 17, "crystal_hz": 16000000}
    data.pop("lines", None)
    with pytest.raises(BoardFileError, match="light_ws2812 and spi sck are both on GPIO 18"):
        load_of(data)


def test_input_only_pin_is_refused():
    with pytest.raises(BoardFileError, match="cannot be an output"):
        load_of(data_of("esp32-devkitc", {**GOOD, "gpio": 35}))


def test_without_a_strip_each_channel_is_needed_and_with_one_all_or_none():
    with pytest.raises(BoardFileError, match="light_red is missing"):
        load_of(data_of())
    with pytest.raises(BoardFileError, match="light_blue is missing"):
        load_of(data_of(strip=GOOD, without=("light_blue",)))
