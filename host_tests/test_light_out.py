"""drivers.light_out: the patterns of vehicle.light as colours over time."""

import pytest
from board_fakes import FakePWM

from drivers.light_out import PATTERNS, LightOut
from ticks import ticks_add
from vehicle.light import LIGHT_NAMES

WRAP = 1 << 30


class Light:
    def __init__(self, start_ms=0):
        self.pwms = [FakePWM() for _ in range(3)]
        self.out = LightOut(*self.pwms)
        self.now_ms = start_ms

    def play(self, pattern, ms):
        """Return the colours shown, one a pass."""
        colours = []
        for _ in range(ms // 10):
            self.now_ms = ticks_add(self.now_ms, 10)
            self.out.show(pattern, self.now_ms)
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
AMBER, WHITE, DARK = (1, 1, 0), (1, 1, 1), (0, 0, 0)
HUES = {"red": RED, "green": GREEN, "blue": BLUE, "amber": AMBER, "white": WHITE, "dark": DARK}


@pytest.mark.parametrize("pattern", range(len(LIGHT_NAMES)), ids=LIGHT_NAMES)
def test_pattern_is_what_its_name_says(pattern):
    """The table here and the names in vehicle.light are two lists of the same thing."""
    assert len(PATTERNS) == len(LIGHT_NAMES)
    words = LIGHT_NAMES[pattern].split()
    seen = changes(Light().play(pattern, 8000))
    lit = {hue(colour) for colour in seen} - {DARK}
    expected = {HUES[name] for name in words[0].split("-")} - {DARK}
    assert expected <= lit | {()} and lit <= expected | ({RED} if "amber" in words[0] else set())
    how = words[-1]
    if how in ("steady", "dark"):
        assert len(seen) == 1
    elif how == "pulsing":
        assert DARK not in {hue(colour) for colour in seen} and 20 <= len(seen)
    else:
        dark = sum(hue(colour) == DARK for colour in seen)
        assert dark == (4 if how == "slow" else 16)


def test_light_is_dark_at_first():
    assert Light().duties() == [0, 0, 0]


def test_duties_follow_the_eye():
    light = Light()
    light.play(6, 10)
    assert light.duties() == [65535] * 3
    light.play(0, 10)
    assert light.duties() == [0] * 3
    light.play(3, 10)
    assert light.duties() == [0, 169, 0]


def test_new_pattern_starts_at_once_from_its_beginning():
    light = Light()
    light.play(7, 260)
    assert light.play(2, 10) == [0xF60]
    assert changes(light.play(2, 1500)) == [0xF60, 0]


def test_wrap_of_the_clock_does_not_stop_a_pattern():
    assert len(changes(Light(WRAP - 1000).play(7, 4000))) == 16


@pytest.mark.parametrize("pattern", [-1, len(LIGHT_NAMES), 99])
def test_unknown_pattern_is_dark(pattern):
    light = Light()
    light.play(6, 10)
    assert set(light.play(pattern, 2000)) == {0}


def test_pwm_is_written_only_on_change():
    light = Light()
    light.play(1, 5000)
    assert [len(pwm.duties) for pwm in light.pwms] == [2, 2, 3]


def test_release_stops_all_three_even_if_one_fails():
    light = Light()

    def broken():
        raise OSError(5)

    light.pwms[0].deinit = broken
    with pytest.raises(OSError):
        light.out.release()
    assert [pwm.is_on for pwm in light.pwms[1:]] == [False, False]
