"""hardware/: the printed pages are those of the board files, and what circuit.md claims follows from the same data."""

import json
import re

import pytest

from drivers import board_file
from inletctl import hardware_docs
from inletctl.errors import UserError
from inletctl.hardware_docs import BOARDS, PAGES, board_page, load_board, pilot_node_mv
from inletctl.house import FIRMWARE, ROOT

CIRCUIT = (ROOT / "hardware" / "circuit.md").read_text(encoding="utf-8")

# What the multiplexer's inputs have at the ADC of a charging car, mV: nothing of it is near 0 or the reference.
CHARGING_MV = {
    "ground": 0,
    "pp": 1100,
    "pp_rail": 3000,
    "temp_rail": 1650,
    "temp_0": 1300,
    "temp_1": 1310,
    "temp_2": 1500,
    "temp_3": 1510,
    "lock_feedback": 1587,
    "ac_current": 700,
    "supply": 1200,
    "reference": 2500,
}


def rows_of(page, heading):
    """Return the cells of the table under a heading."""
    part = page.split("\n## %s\n" % heading)[1].split("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


@pytest.mark.parametrize("path", PAGES)
def test_stored_page_is_what_the_board_file_prints(path):
    assert (ROOT / path).read_text(encoding="utf-8") == PAGES[path](), "run `make docs`"


def test_every_shipped_board_has_a_page():
    assert sorted(BOARDS) == sorted(path.stem for path in (FIRMWARE / "boards").glob("*.json"))
    assert sorted(PAGES) == sorted("hardware/%s.md" % name for name in BOARDS)


def test_every_name_of_a_board_file_is_explained():
    assert sorted(hardware_docs._WHAT) == sorted(board_file.PIN_NAMES)
    for name in BOARDS:
        assert set(load_board(name)[0].mux) <= set(hardware_docs._INPUTS)


@pytest.mark.parametrize("name", BOARDS)
def test_page_lists_every_pin_once_and_says_that_nothing_was_built(name):
    page = board_page(name)
    data = json.loads((FIRMWARE / "boards" / (name + ".json")).read_text())
    gpios = {key: pin["gpio"] for key, pin in data["pins"].items()}
    gpios.update({"spi: " + key: gpio for key, gpio in data["spi"].items()})
    gpios.update({section + ": cs": data[section]["cs"] for section in ("can", "lines")})
    rows = rows_of(page, "Pins")
    assert {row[2].strip("`"): int(row[0]) for row in rows} == gpios
    assert "Not built, not measured" in page


def test_pico_contacts_are_those_of_its_edge():
    """Eight grounds, at 3, 8, 13, 18, 23, 28, 33 and 38, lie between: no GPIO can be there."""
    assert not set(hardware_docs._PICO_PINS.values()) & {
        3,
        8,
        13,
        18,
        23,
        28,
        30,
        33,
        *range(35, 41),
    }
    assert len(set(hardware_docs._PICO_PINS.values())) == 26


@pytest.mark.parametrize("name", BOARDS)
def test_multiplexer_table_has_16_channels_all_within_the_adc(name):
    board, _ = load_board(name)
    rows = rows_of(board_page(name), "Multiplexer")
    assert [int(row[0]) for row in rows] == list(range(16))
    for row in rows:
        if row[1]:
            assert int(row[7]) <= board.adc_ref_mv
            assert int(row[6]) <= int(row[4]), "worst input beyond full scale"
        else:
            assert "tied to ground" in row[2]


def test_resolution_is_one_millivolt_at_the_adc_seen_from_the_input():
    rows = {
        row[1].strip("`"): row for row in rows_of(board_page("rp2040-reference"), "Multiplexer")
    }
    assert (rows["pp"][4], rows["pp"][5], rows["pp"][6]) == ("5500", "1.7", "5500")
    assert (rows["supply"][4], rows["supply"][5], rows["supply"][6]) == ("36300", "11.0", "32000")
    assert (rows["temp_0"][4], rows["temp_0"][5]) == ("3300", "1.0")


def test_esp32_worst_cases_are_where_its_adc_is_accurate():
    """Espressif: 150..2450 mV at 11 dB. Temperatures may leave it at the cold end, the live zero's top at 80 A."""
    board, data = load_board("esp32-devkitc")
    for cp_mv in (-board_file.CP_WORST_MV, board_file.CP_WORST_MV):
        assert 150 < pilot_node_mv(data["cp"], cp_mv) < 2450
    for name, worst_mv in board_file.WORST_MV.items():
        multiplier, divisor, _ = board.scale(name)
        assert worst_mv * divisor / multiplier < 2450
    assert board.reference_mv * 1.04 < 2450
    assert board.ac_zero_mv // 2 > 142
    assert board.ac_zero_mv + 80000 / board.ac_ma_per_mv <= 2452


# -------------------------------------------------------------------------------- faults of the multiplexer


def is_seen(mux, fault):
    """True if ground or reference is off with `fault`, which maps the channel asked for to the one that is read."""
    names = {channel: name for name, channel in mux.items()}

    def read_mv(channel):
        return CHARGING_MV[names.get(fault(channel), "ground")]

    return read_mv(mux["ground"]) > 60 or abs(read_mv(mux["reference"]) - 2500) > 100


@pytest.mark.parametrize("name", BOARDS)
@pytest.mark.parametrize("bit", range(4))
def test_stuck_select_line_is_found_while_charging(name, bit):
    mux = load_board(name)[0].mux
    assert not is_seen(mux, lambda channel: channel)
    assert is_seen(mux, lambda channel: channel & ~(1 << bit))
    assert is_seen(mux, lambda channel: channel | 1 << bit)


@pytest.mark.parametrize("name", BOARDS)
def test_stuck_line_3_with_a_closed_lock_switch_is_found_by_the_temperatures_rail(name):
    """circuit.md: ground then reads the switch, 0 V; the rail reads a channel tied to ground."""
    board, _ = load_board(name)
    assert board.mux["lock_feedback"] == 8
    assert board.mux["temp_rail"] | 8 in board.mux_grounds


@pytest.mark.parametrize("name", BOARDS)
def test_select_lines_shorted_together_are_found_by_the_other_grounds(name):
    """Ground and reference cannot show it; each pair shows in one of the channels tied to ground."""
    board, _ = load_board(name)
    names = {channel: key for key, channel in board.mux.items()}
    for high in range(4):
        for low in range(high):
            pair = 1 << high | 1 << low
            for wins in (0, pair):  # the one that pulls low wins, or the other

                def read_mv(channel, pair=pair, wins=wins):
                    if channel & pair not in (0, pair):
                        channel = channel & ~pair | wins
                    return CHARGING_MV[names.get(channel, "ground")]

                assert read_mv(0) == 0
                assert read_mv(15) == 2500
                assert any(read_mv(channel) > 60 for channel in board.mux_grounds)


# -------------------------------------------------------------------------------- circuit.md


def test_circuit_says_plainly_that_nobody_built_it():
    assert "not built and nothing in it was measured on silicon" in CIRCUIT


def test_circuit_has_the_reference_boards_parts_and_what_follows_from_them():
    cp = load_board("rp2040-reference")[1]["cp"]
    for ohm in (cp["series_ohm"], cp["pullup_ohm"], cp["pulldown_ohm"]):
        assert "%gk" % (ohm / 1000) in CIRCUIT
    for cp_mv in (1250, 1500, 1750, 0):
        assert "%d" % round(pilot_node_mv(cp, cp_mv)) in CIRCUIT, cp_mv
    gain = float(pilot_node_mv(cp, 1000) - pilot_node_mv(cp, 0)) / 1000
    assert "%.4f" % gain in CIRCUIT
    assert "**%d**" % round(1 / (1 / 2700 + 1 / 25000)) in CIRCUIT


@pytest.mark.parametrize(
    ("ohm", "text"), [(1000, "619 mV"), (11000, "2645 mV"), (None, "3931 mV")]
)
def test_circuits_lock_feedback_is_the_divider_computed_anew(ohm, text):
    below = 25000 if ohm is None else 1 / (1 / ohm + 1 / 25000)
    assert "%d mV" % round(5000 * below / (6800 + below)) == text
    assert text in CIRCUIT


@pytest.mark.parametrize(
    ("change", "cp_mv", "says_v"),
    [
        ({"series_ohm": 200000}, 6000, "6.4 V"),
        ({"series_ohm": 200000}, 8980, "9.6 V"),
        ({"series_ohm": 200000}, -12000, "-13.2 V"),
        ({"pulldown_ohm": 51000}, 6000, "5.3 V"),
        ({"pulldown_ohm": 51000}, 8980, "8.2 V"),
        ({"pulldown_ohm": 10**15}, 0, "+11 V"),
        ({"pullup_ohm": 10**15}, 8980, "1.5 V"),
    ],
)
def test_circuits_wrong_parts_read_what_it_says(change, cp_mv, says_v):
    board, data = load_board("rp2040-reference")
    multiplier, divisor, offset_mv = board.scale("cp")
    node_mv = round(pilot_node_mv({**data["cp"], **change}, cp_mv))
    reads_v = (node_mv * multiplier // divisor + offset_mv) / 1000
    digits = len(says_v.split()[0].partition(".")[2])
    assert reads_v == pytest.approx(float(says_v.split()[0]), abs=0.6 * 10**-digits)
    assert says_v in CIRCUIT


def test_links_between_the_pages_lead_somewhere():
    for path in (ROOT / "hardware").glob("*.md"):
        for target in re.findall(r"\]\(([^)#]+)\)", path.read_text(encoding="utf-8")):
            assert (path.parent / target).exists(), (path.name, target)


# -------------------------------------------------------------------------------- bad input


@pytest.fixture
def boards(tmp_path, monkeypatch):
    folder = tmp_path / "boards"
    folder.mkdir()
    monkeypatch.setattr(hardware_docs, "FIRMWARE", tmp_path)
    return folder


def test_unknown_board_is_one_sentence_that_lists_what_there_is(boards):
    (boards / "mine.json").write_text("{}")
    with pytest.raises(UserError, match=r"no board file 'yours'.*mine"):
        load_board("yours")


def test_board_the_firmware_refuses_is_refused_with_its_sentence(boards):
    (boards / "mine.json").write_text('{"schema": 1}')
    with pytest.raises(UserError, match=r"boards/mine\.json: .* missing"):
        board_page("mine")


def test_board_file_that_is_no_text_is_refused(boards):
    (boards / "mine.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="that can be read"):
        load_board("mine")
