"""How a scenario writes the car's side: masks by name, times of the day, a world that is as the board is set."""

import pytest

from drivers import virtual_car
from inletctl.errors import UserError
from inletctl.plant import lines, modem
from inletctl.plant.config import DAYS, PlantConfig
from inletctl.scenario import keys
from inletctl.scenario.field import CLOCK, Field
from inletctl.scenario.language import BITS, load_language
from inletctl.scenario.parse import parse_scenario
from inletctl.scenario.units import BadValueError
from inletctl.scenario.write import format_scenario
from vehicle import wires

WEEK = Field("days", maximum=127, minimum=0, whole=True, bits=DAYS)
TIME = Field("from", CLOCK, 0, 1439, whole=True)


def read(text):
    return parse_scenario("title t\ninlet type2\n%s\nat 1s plug\nend 5s\n" % text, "t.txt")


@pytest.mark.parametrize(
    "text, mask",
    [
        ("none", 0),
        ("mon", 1),
        ("mon,wed", 5),
        ("mon-fri", 31),
        ("sat-mon", 0b1100001),
        ("fri-fri", 16),
        ("mon-wed,sun", 0b1000111),
        ("TUE", 2),
        ("127", 127),
    ],
)
def test_a_mask_is_read_by_the_names_of_its_bits(text, mask):
    assert WEEK.take(text) == mask
    assert WEEK.take(WEEK.show(mask)) == mask


@pytest.mark.parametrize("text", ["", "funday", "mon-", "mon,,tue", "mon;tue", "128", "-1"])
def test_a_mask_with_another_name_is_refused(text):
    with pytest.raises(BadValueError):
        WEEK.take(text)


@pytest.mark.parametrize(
    "text, minute", [("0:00", 0), ("7:05", 425), ("22:00", 1320), ("23:59", 1439)]
)
def test_a_time_of_the_day_is_read_and_written(text, minute):
    assert TIME.take(text) == minute
    assert TIME.show(minute) == text


@pytest.mark.parametrize("text", ["24:00", "7:5", "7", "-1:00", "12:60", "7.30", ""])
def test_another_time_of_the_day_is_refused(text):
    with pytest.raises(BadValueError, match="like 22:00"):
        TIME.take(text)


def test_windows_lines_and_target_are_set_in_words():
    scenario = read(
        "set window_1_days=mon-fri window_1_from_min=22:00 window_1_to_min=6:00 lines_used=hvil,crash target_soc_pct=80%"
    )
    assert scenario.settings == {
        "inlet": 1,
        "window_1_days": 31,
        "window_1_from_min": 1320,
        "window_1_to_min": 360,
        "lines_used": 0b1010,
        "target_soc_pct": 80,
    }
    text = format_scenario(scenario, load_language())
    assert "window_1_days=mon,tue,wed,thu,fri" in text
    assert "window_1_from_min=22:00" in text
    assert parse_scenario(text, "again.txt") == scenario


def test_the_world_is_as_the_board_is_set_unless_it_says_otherwise():
    assert read("set can=cpc modem=yes door=no").world == {
        "inlet": "type2",
        "can": "cpc",
        "modem": "yes",
        "door": "no",
    }
    other = read("set can=cpc\nworld can=none")
    assert other.world["can"] == "none"
    assert "can" not in read("").world
    for scenario in (read("set can=native can_rate=250k"), other):
        PlantConfig(**scenario.world)
        assert parse_scenario(format_scenario(scenario, load_language()), "x.txt") == scenario


@pytest.mark.parametrize(
    "line, words",
    [
        ("at 1s can_fault kind=noise", "kind"),
        ("at 1s can_fault checksum message=weather", "message"),
        ("at 1s gear sideways", "gear"),
        ("at 1s clock mon 25:00", "time"),
        ("at 1s can_load 101%", "pct"),
        ("at 1s modem_toggle 4", "times"),
        ("at 1s line name=horn state=break", "name"),
        ("at 1s expect holds has sunshine", "holds"),
        ("at 1s expect can=happy", "can"),
    ],
)
def test_a_wrong_word_of_the_car_is_refused_with_its_line(line, words):
    with pytest.raises(UserError) as caught:
        parse_scenario("title t\ninlet type2\n%s\nend 5s\n" % line, "t.txt")
    assert str(caught.value).startswith("t.txt:3: ")
    assert words in str(caught.value)


def test_the_names_are_those_of_firmware_and_plant():
    assert keys.CAN_STATES == virtual_car.CAN_STATE_NAMES
    assert keys.MODEM_STAGES == modem.STAGES
    assert BITS["lines_used"] == lines.INPUTS
    bits = [
        wires.PERMIT,
        wires.HVIL_CLOSED,
        wires.INSULATION_OK,
        wires.NO_CRASH,
        wires.DOOR_CLOSED,
    ]
    assert [*bits, wires.DOOR_OPEN, wires.PARKED] == [1 << n for n in range(len(lines.INPUTS))]
    outputs = [wires.CHARGE_ENABLE, wires.PLUG_PRESENT, wires.DRIVE_INHIBIT, wires.HEATER]
    assert [*outputs, wires.OPEN_DOOR, wires.CLOSE_DOOR] == [
        1 << n for n in range(len(lines.OUTPUTS))
    ]
