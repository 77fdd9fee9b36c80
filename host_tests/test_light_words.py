"""The light on the host: looks as words, docs/light.md, and `inletctl light`."""

import pytest
from click.testing import CliRunner

from drivers.light_out import STYLES
from inletctl.cli import cli
from inletctl.errors import UserError
from inletctl.light import (
    MEANINGS,
    STYLE_NAMES,
    default_look,
    light_page,
    name_of_look,
    parse_look,
    priorities,
)
from inletctl.light_command import Players, looks_with
from inletctl.link.setting_words import check_together, parse, show
from inletctl.report.palette import COLORS, color_of
from setting_rows import ROW_DEFAULT, find
from vehicle.light import FAULT, SERVICE
from vehicle.looks import KEYS, LIGHT_NAMES

PATTERNS = range(1, len(KEYS))


def test_every_pattern_and_style_has_its_words():
    assert len(MEANINGS) == len(KEYS) and len(STYLE_NAMES) == len(STYLES)
    assert all(len(row) == 3 and all(row) for row in MEANINGS)
    assert len({row[0] for row in MEANINGS}) == len(MEANINGS)
    assert sorted(priorities()) == list(range(len(KEYS)))
    assert priorities()[:2] == [SERVICE, FAULT]


@pytest.mark.parametrize("n", PATTERNS)
def test_look_as_shipped_is_read_back_from_its_words(n):
    look = default_look(n)
    assert parse_look(KEYS[n], name_of_look(look)) == look
    assert show(KEYS[n], look) == name_of_look(look)


@pytest.mark.parametrize(
    ("text", "look"),
    [
        ("pulse:0f0", 0x30000F0),
        ("steady:#001", 0x1000001),
        ("SLOW:00F/F60", 0x2F6000F),
        (" double:abc ", 0x5000ABC),
        ("breathe:0f0/00f", 0x400F0F0),
    ],
)
def test_look_is_read(text, look):
    assert parse(("light_charging=" + text,)) == {"light_charging": look}


@pytest.mark.parametrize(
    ("key", "text", "words"),
    [
        ("light_charging", "green", "style and a colour such as pulse:0f0"),
        ("light_charging", "pulse", "three digits"),
        ("light_charging", "pulse:00ff00", "three digits"),
        ("light_charging", "pulse:0g0", "three digits"),
        ("light_charging", "pulse:0f0/", "three digits"),
        ("light_charging", "50331888", "style and a colour"),
        ("light_charging", "off", "dark means that nothing is plugged in"),
        ("light_charging", "pulse:000", "a faint light is 001"),
        ("light_charging", "flash:0f0", "flash is kept for faults and service mode"),
        ("light_charging", "slow:f00", "red is the fault's alone"),
        ("light_charging", "slow:0f0/f00", "red is the fault's alone"),
        ("light_charging", "steady:0f0/00f", "one colour"),
        ("light_fault", "steady:f00", "only flash"),
        ("light_fault", "off", "only flash"),
        ("light_fault", "flash:f60", "a fault is red"),
        ("light_fault", "flash:700", "bright"),
        ("light_fault", "flash:f00/00f", "one colour"),
        ("light_service", "flash:f60", "blue of at least half"),
        ("light_service", "slow:fff", "only flash"),
    ],
)
def test_look_that_must_not_be_is_refused_in_one_sentence(key, text, words):
    with pytest.raises(UserError) as caught:
        parse(("%s=%s" % (key, text),))
    said = str(caught.value)
    assert said.startswith(key) and words in said and "\n" not in said and said.endswith(".")


def test_settings_with_a_look_go_together():
    check_together({"inlet": 1, "light_charging": 0x30000FF, "light_fault": 0x6000C00})


def test_page_tells_every_pattern_and_its_setting():
    page = light_page()
    for n in PATTERNS:
        assert "`%s=%s`" % (KEYS[n], name_of_look(find(KEYS[n])[ROW_DEFAULT])) in page
        assert "| %s |" % LIGHT_NAMES[n] in page and MEANINGS[n][1] in page


def test_report_and_live_view_colour_every_pattern_by_its_name():
    for name in LIGHT_NAMES[1:]:
        word = name.split()[0].split("-")[-1]
        assert color_of("light", name) == word and word in COLORS
    assert color_of("light", "dark") == "idle"


# ------------------------------------------------------------------------------------- command


def test_command_lists_every_pattern():
    result = CliRunner().invoke(cli, ["light", "--list"], env={"COLUMNS": "200"})
    assert result.exit_code == 0
    for n in PATTERNS:
        assert MEANINGS[n][0] in result.output and name_of_look(default_look(n)) in result.output


def test_command_shows_what_is_tried_and_refuses_what_must_not_be():
    result = CliRunner().invoke(
        cli, ["light", "--list", "--set", "light_charging=breathe:0ff"], env={"COLUMNS": "200"}
    )
    assert "breathe:0ff" in result.output and "pulse:0f0 " not in result.output
    with pytest.raises(UserError, match="kept for faults"):
        looks_with(("light_charging=flash:0ff",))
    with pytest.raises(UserError, match="no setting of the light"):
        looks_with(("max_current_ma=16000",))


def test_players_show_what_a_board_shows():
    players = Players([default_look(n) for n in range(len(KEYS))])
    first = players.at(0)
    assert (first[0], first[1], first[FAULT]) == (0, 0x00F, 0xF00)
    assert players.at(250)[FAULT] == 0 and players.at(500)[FAULT] == 0xF00
