"""drivers.light_out: the looks of vehicle.light as colours over time."""

from itertools import pairwise

import pytest
from board_fakes import FakePWM

from drivers.light_out import STYLES, LightOut
from ticks import ticks_add
from vehicle.light import LOOKS
from vehicle.looks import LIGHT_NAMES

WRAP = 1 << 30
STEADY_BLUE, SLOW_AMBER, GREEN_PULSE, WHITE, RED_FLASH = (LOOKS[n] for n in (1, 2, 3, 6, 7))


class Light:
    def __init__(self, start_ms=0):
        self.pwms = [FakePWM() for _ in range(3)]
        self.out = LightOut(tuple(self.pwms))
        self.now_ms = start_ms

    def play(self, look, ms):
        """Return the colours shown, one a pass."""
        colours = []
        for _ in range(ms // 10):
            self.now_ms = ticks_add(self.now_ms, 10)
            self.out.show(look, self.now_ms)
            colours.append(self.out.colour)
        return colours

    def duties(self):
        return [pwm.duties[-1] for pwm in self.pwms]


def changes(colours):
    return [colour for n, colour in enumerate(colours) if n == 0 or colour != colours[n - 1]]


def hue(colour):
    """Return which channels are lit."""
    return tuple(bool(colour >> shift & 0xF) for shift in (8, 4, 0))


RED, GREEN, BLUE = (1, 0, 0), (0, 1, 0), (0, 0, 1)
AMBER, VIOLET, WHITES, DARK = (1, 1, 0), (1, 0, 1), (1, 1, 1), (0, 0, 0)
HUES = {
    "red": RED, "green": GREEN, "blue": BLUE, "amber": AMBER, "violet": VIOLET, "white": WHITES, "dark": DARK,
}  # fmt: skip
# Times lit in 12 s.
BLINKS = {"slow": 6, "flashing": 24, "double": 16}


@pytest.mark.parametrize("pattern", range(len(LIGHT_NAMES)), ids=LIGHT_NAMES)
def test_pattern_is_what_its_name_says(pattern):
    """LOOKS of vehicle.light and LIGHT_NAMES of vehicle.looks are two lists of the same thing."""
    words = LIGHT_NAMES[pattern].split()
    colours = Light().play(LOOKS[pattern], 12000)
    seen = changes(colours)
    lit = {hue(colour) for colour in seen} - {DARK}
    expected = {HUES[name] for name in words[0].split("-")} - {DARK}
    assert expected <= lit | {()} and lit <= expected | ({RED} if "amber" in words[0] else set())
    how = words[-1]
    if how in ("steady", "dark"):
        assert len(seen) == 1
    elif how in ("pulsing", "breathing"):
        assert DARK not in {hue(colour) for colour in seen}
        fullest = sum(a != b and max(hue(b)) and b in (0x0F0, 0xF60) for a, b in pairwise(colours))
        assert (
            fullest
            == {"green pulsing": 6, "green-amber pulsing": 12, "green breathing": 3}[
                LIGHT_NAMES[pattern]
            ]
        )
    else:
        assert sum(hue(colour) != DARK for colour in seen) == BLINKS[how]


def test_light_is_dark_at_first():
    assert Light().duties() == [0, 0, 0]


def test_duties_follow_the_eye():
    light = Light()
    light.play(WHITE, 10)
    assert light.duties() == [65535] * 3
    light.play(0, 10)
    assert light.duties() == [0] * 3
    light.play(GREEN_PULSE, 10)
    assert light.duties() == [0, 169, 0]


def test_a_breath_keeps_its_hue():
    """Each channel to the nearest level: amber stays red and green in its share."""
    for colour in Light().play(0x3000F60, 4000):
        assert abs((colour >> 4 & 0xF) - (colour >> 8) * 6 / 15) <= 0.5 and not colour & 0xF


def test_second_colour_is_shown_in_turn():
    assert changes(Light().play(0x2F6000F, 4000)) == [0x00F, 0xF60] * 2
    assert {hue(colour) for colour in Light().play(0x3F000FF, 4000)} == {(0, 1, 1), RED}


def test_new_look_starts_at_once_from_its_beginning():
    light = Light()
    light.play(RED_FLASH, 260)
    assert light.play(SLOW_AMBER, 10) == [0xF60]
    assert changes(light.play(SLOW_AMBER, 1500)) == [0xF60, 0]


def test_wrap_of_the_clock_does_not_stop_a_look():
    assert len(changes(Light(WRAP - 1000).play(RED_FLASH, 4000))) == 16


@pytest.mark.parametrize("look", [-1, 0xFFF, len(STYLES) << 24 | 0xFFF, 1 << 29])
def test_unknown_style_is_dark(look):
    light = Light()
    light.play(WHITE, 10)
    assert set(light.play(look, 2000)) == {0}


def test_pwm_is_written_only_on_change():
    light = Light()
    light.play(STEADY_BLUE, 5000)
    assert [len(pwm.duties) for pwm in light.pwms] == [2, 2, 3]


class Strip:
    def __init__(self):
        self.colours = []
        self.is_released = False

    def paint(self, colour):
        self.colours.append(colour)

    def release(self):
        self.is_released = True


def test_strip_shows_what_the_channels_show():
    strip = Strip()
    pwms = tuple(FakePWM() for _ in range(3))
    out = LightOut(pwms, strip)
    for n in range(100):
        out.show(RED_FLASH, n * 10)
    assert strip.colours == [0xF00, 0] * 2
    alone = LightOut((), strip)
    alone.show(WHITE, 0)
    assert strip.colours[-1] == 0xFFF


def test_release_stops_all_even_if_one_fails():
    light = Light()
    strip = Strip()
    light.out._strip = strip

    def broken():
        raise AttributeError("deinit")

    light.pwms[0].deinit = broken
    with pytest.raises(AttributeError):
        light.out.release()
    assert [pwm.is_on for pwm in light.pwms[1:]] == [False, False]
    assert strip.is_released and light.out.colour == 0
