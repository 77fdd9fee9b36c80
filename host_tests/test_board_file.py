"""The board file's checker lets the shipped boards through and refuses every class of mistake with its entry's name."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.board_file import (
    CP_WORST_MV,
    ON_TEMP_RAIL,
    PIN_NAMES,
    BoardFileError,
    load,
)
from drivers.board_shape import MULTIPLIER_MAX
from inletctl.house import FIRMWARE

BOARDS = FIRMWARE / "boards"
NAMES = ("rp2040-reference", "esp32-devkitc")
GONE = object()  # in a change: delete the entry
# Temperatures on a rail beyond the ADC: all divided alike.
FIVE_VOLTS = [
    ("temp_rail_mv", 5000),
    *[("dividers." + name, [100000, 100000]) for name in ON_TEMP_RAIL],
]
SMALL_INT_MAX = (1 << 30) - 1  # of a 32-bit MicroPython


def text_of(name):
    return (BOARDS / (name + ".json")).read_text(encoding="utf-8")


def changed(name, *changes):
    """Return the board file with every (path, value) of `changes` put in; a path is keys with dots."""
    data = json.loads(text_of(name))
    for path, value in changes:
        *folders, key = path.split(".")
        place = data
        for folder in folders:
            place = place[folder]
        if value is GONE:
            del place[key]
        else:
            place[key] = value
    return json.dumps(data)


def problem(text, **more):
    with pytest.raises(BoardFileError) as caught:
        load(text, **more)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert len(sentence) < 240
    return sentence


def near_adc_mv(entry, input_mv, rail_mv, series_ohm):
    """Return what the pilot's network gives, in exact arithmetic of another kind than the firmware's."""
    conductances = (1 / series_ohm, 1 / entry["pullup_ohm"], 1 / entry["pulldown_ohm"])
    return (input_mv * conductances[0] + rail_mv * conductances[1]) / sum(conductances)


# ------------------------------------------------------------------------------------ what is right


@pytest.mark.parametrize("name", NAMES)
def test_shipped_board_is_accepted_and_carries_its_file_name(name):
    board = load(text_of(name))
    assert board.name == name
    assert sorted(board.pins) == sorted(PIN_NAMES)
    assert len({pin.gpio for pin in board.pins.values()}) == len(PIN_NAMES)


def test_every_shipped_board_is_tested_here():
    assert sorted(path.stem for path in BOARDS.glob("*.json")) == sorted(NAMES)


def test_reference_board_has_the_values_of_its_file():
    board = load(text_of("rp2040-reference"))
    assert (board.chip, board.adc_ref_mv, board.watchdog_ms) == ("rp2040", 3300, 1000)
    assert (board.pins["s2"].gpio, board.pins["s2"].is_inverted, board.pins["s2"].pull) == (
        3,
        False,
        "none",
    )
    button = board.pins["stop_button"]
    assert (button.gpio, button.is_inverted, button.pull) == (14, True, "up")
    assert (board.reference_mv, board.ac_zero_mv, board.ac_ma_per_mv) == (2500, 200, 30)
    assert (board.motor_ma_per_mv, board.motor_pwm_32nds) == (2, 24)
    assert board.mux["reference"] == 15
    assert board.mux_grounds == (0, 7, 11, 13, 14)


@pytest.mark.parametrize("name", NAMES)
def test_shipped_board_has_can_and_lines_on_pins_of_their_own(name):
    board = load(text_of(name))
    assert board.spi and board.can and board.lines
    gpios = [board.spi["miso"], board.can["cs"], board.lines["cs"]]
    if name == "rp2040-reference":
        gpios += [board.spi["sck"], board.spi["mosi"]]
    else:
        # Too few pins: clock and data are lines of the multiplexer as well.
        assert {board.spi["sck"], board.spi["mosi"]} < {
            board.pins["mux_%d" % n].gpio for n in range(4)
        }
    assert len(set(gpios)) == len(gpios)
    assert not set(gpios) & {pin.gpio for pin in board.pins.values()}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("gone", [("spi", "can", "lines"), ("can",), ("lines",)])
def test_boards_part_on_spi_may_be_left_out(name, gone):
    board = load(changed(name, *[(section, GONE) for section in gone]))
    for section in ("spi", "can", "lines"):
        assert (getattr(board, section) is None) == (section in gone)


@pytest.mark.parametrize("name", NAMES)
def test_pilot_scale_inverts_the_network_within_its_resolution(name):
    data = json.loads(text_of(name))
    board = load(text_of(name))
    multiplier, divisor, offset_mv = board.scale("cp")
    for cp_mv in range(-CP_WORST_MV, CP_WORST_MV + 1, 500):
        adc_mv = near_adc_mv(data["cp"], cp_mv, data["cp"]["rail_mv"], data["cp"]["series_ohm"])
        assert 0 <= adc_mv <= board.adc_ref_mv
        got_mv = round(adc_mv) * multiplier // divisor + offset_mv
        assert abs(got_mv - cp_mv) <= 9  # half a mV at the ADC, and the roundings


@pytest.mark.parametrize("name", NAMES)
def test_divider_scale_gives_the_input_back(name):
    data = json.loads(text_of(name))
    board = load(text_of(name))
    for entry, (top, bottom) in data["dividers"].items():
        multiplier, divisor, offset_mv = board.scale(entry)
        assert offset_mv == 0
        ratio = (top + bottom) / bottom if bottom else 1
        assert multiplier / divisor == pytest.approx(ratio, rel=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_scale_stays_within_small_integers(name):
    board = load(text_of(name))
    for entry in ("cp", *board.mux):
        multiplier, divisor, offset_mv = board.scale(entry)
        assert all(isinstance(value, int) for value in (multiplier, divisor, offset_mv))
        assert 0 < multiplier <= MULTIPLIER_MAX
        assert divisor > 0
        assert board.adc_ref_mv * multiplier <= SMALL_INT_MAX


def test_scale_of_an_input_the_board_lacks_is_refused():
    board = load(changed("rp2040-reference", ("mux.supply", GONE), ("dividers.supply", GONE)))
    with pytest.raises(ValueError, match="no input supply"):
        board.scale("supply")


@pytest.mark.parametrize(
    "changes",
    [
        [("pins.s2", {"gpio": 3, "active": "high", "pull": "none"})],
        [("pins.bridge_direction.gpio", 22), ("lines", GONE)],
        [("dividers", {"pp": [10000, 15000], "pp_rail": [10000, 15000], "supply": [100000, 10000],
                       "lock_feedback": [10000, 15000]})],
        [("temp_rail_mv", GONE), ("cp.rail_mv", GONE)],
        [("mux.temp_2", GONE), ("mux.temp_3", GONE), ("dividers.temp_2", GONE), ("dividers.temp_3", GONE)],
        [("pins.charger_limit", {"gpio": 21, "active": "low"})],
        [("watchdog_ms", 500)],
        [("watchdog_ms", 2000)],
        [("can.crystal_hz", 8000000)],
        [("lines", GONE), ("spi.sck", 22)],
        [("motor.pwm_32nds", 2)],
        [("motor.pwm_32nds", 31)],
        [("motor.ma_per_mv", 1)],
        [("motor.ma_per_mv", 9)],
        [("ac_current.ma_per_mv", 12)],
        [("ac_current.ma_per_mv", 64)],
        FIVE_VOLTS,
        [*FIVE_VOLTS, ("dividers.temp_rail", [4700, 4700])],
        [*FIVE_VOLTS, ("mux.temp_2", GONE), ("dividers.temp_2", GONE)],
    ],
)  # fmt: skip
def test_lawful_change_is_accepted(changes):
    load(changed("rp2040-reference", *changes))


def test_missing_divider_is_a_direct_input():
    board = load(changed("rp2040-reference", ("dividers.temp_0", GONE)))
    assert board.scale("temp_0") == (1, 1, 0)


# ------------------------------------------------------------------------------------ what is wrong

R = "rp2040-reference"
E = "esp32-devkitc"
# fmt: off
# (board, changes, words the sentence must hold: the entry first, what is wrong, what to do)
MISTAKES = [
    # Shape
    (R, [("schema", GONE)], "schema is missing add"),
    (R, [("schema", 2)], "schema 2 reads 1"),
    (R, [("schema", True)], "schema true"),
    (R, [("speed", 1)], "speed unknown delete"),
    (R, [("name", "")], "name write"),
    (R, [("name", "x" * 33)], "name write"),
    (R, [("name", "My Board")], "name write"),
    (R, [("name", 5)], "name 5"),
    (R, [("chip", "rp2350")], "chip rp2350 rp2040 esp32"),
    (R, [("chip", ["rp2040"])], "chip rp2040 esp32"),
    (R, [("adc_ref_mv", "3300")], "adc_ref_mv whole number"),
    (R, [("adc_ref_mv", 3300.0)], "adc_ref_mv 3300.0 whole number"),
    (R, [("adc_ref_mv", True)], "adc_ref_mv true"),
    (R, [("adc_ref_mv", 3301)], "adc_ref_mv 3301 3300"),
    (E, [("adc_ref_mv", 3300)], "adc_ref_mv 3300 3100"),
    (R, [("adc_ref_mv", 10**40)], "adc_ref_mv"),
    (R, [("watchdog_ms", 499)], "watchdog_ms 499 500..2000"),
    (R, [("watchdog_ms", 2001)], "watchdog_ms 2001 500..2000"),
    (R, [("watchdog_ms", None)], "watchdog_ms null"),
    *[(R, [(key, GONE)], key + " missing add") for key in (
        "name", "chip", "adc_ref_mv", "pins", "cp", "mux", "dividers", "reference_mv", "ac_current", "motor",
        "watchdog_ms")],
    *[(R, [(key, [])], key + " [] object") for key in ("pins", "cp", "mux", "dividers", "ac_current", "motor")],
    (R, [("dividers.pp", {"a": {"b": {"c": 1}}})], "nested"),
    # Pins alone
    *[(R, [("pins." + name, GONE)], "pins %s missing" % name) for name in PIN_NAMES],
    (R, [("pins.fan", {"gpio": 22})], "pins fan unknown"),
    (R, [("pins.s2", 3)], "pins s2 3 object"),
    (R, [("pins.s2", {})], "pins s2 gpio missing"),
    (R, [("pins.s2.speed", 3)], "pins s2 speed unknown"),
    (R, [("pins.s2.gpio", "3")], "pins s2 GPIO choose"),
    (R, [("pins.s2.gpio", 3.0)], "pins s2 GPIO 3.0"),
    (R, [("pins.unlock_button.gpio", True)], "pins unlock_button GPIO true"),
    *[(R, [("pins.s2.gpio", gpio)], "pins s2 GPIO %d module" % gpio) for gpio in (-1, 23, 24, 25, 29, 30)],
    *[(E, [("pins.s2.gpio", gpio)], "pins s2 GPIO %d module" % gpio)
      for gpio in (1, 3, 6, 7, 8, 9, 10, 11, 20, 24, 28, 37, 38, 40)],
    (R, [("pins.ac_sense.active", "lo")], "pins ac_sense active lo high, low"),
    (R, [("pins.ac_sense.pull", "both")], "pins ac_sense pull both none, up, down"),
    (R, [("pins.ac_sense.pull", ["up"])], "pins ac_sense pull"),
    *[(R, [("pins.%s.active" % name, "low")], "pins %s active low" % name) for name in (
        "s2", "bridge_enable", "bridge_direction", "bridge_wake", "drive_allowed", "pilot", "demand", "adc_cp")],
    *[(R, [("pins.%s.pull" % name, "up")], "pins %s no pull resistor" % name) for name in (
        "s2", "bridge_enable", "bridge_wake", "drive_allowed", "mux_2", "charger_limit", "light_red", "adc_mux")],
    (E, [("pins.pilot.pull", "up")], "pins pilot GPIO 35 no pull resistor"),
    # Pins and what they can
    *[(R, [("pins.%s.gpio" % name, 22)], "pins %s 22 ADC 26, 27, 28" % name)
      for name in ("adc_cp", "adc_mux", "adc_motor")],
    (E, [("pins.adc_cp.gpio", 4)], "pins adc_cp 4 ADC"),
    *[(E, [("pins.%s.gpio" % name, 35)], "pins %s 35 input only" % name) for name in (
        "s2", "bridge_enable", "bridge_direction", "bridge_wake", "drive_allowed", "mux_0", "light_blue", "charger_limit")],
    *[(E, [("pins.%s.gpio" % name, gpio)], "pins %s %d strapping" % (name, gpio))
      for name in ("s2", "bridge_enable", "bridge_wake", "drive_allowed") for gpio in (0, 2, 5, 12, 15)],
    *[(E, [("pins.light_blue.gpio", 4), ("pins.%s.gpio" % name, 14)], "pins %s 14 MTMS not verified choose" % name)
      for name in ("s2", "bridge_enable", "bridge_wake", "drive_allowed")],
    (E, [("pins.pilot.gpio", 36)], "pins pilot 36 edges"),
    (E, [("pins.demand.gpio", 39)], "pins demand 39 edges"),
    # Pins together
    (R, [("pins.drive_allowed.gpio", 3)], "pins s2 drive_allowed GPIO 3 move"),
    (R, [("pins.adc_motor.gpio", 26)], "pins adc_cp adc_motor GPIO 26 move"),
    (R, [("pins.charger_limit.gpio", 16)], "pins light_red charger_limit slice 0 move"),
    (R, [("pins.charger_limit.gpio", 22)], "pins light_blue charger_limit slice 3 move"),
    (R, [("pins.light_blue.gpio", 16)], "pins light_red light_blue channel 16 move"),
    # Multiplexer
    *[(R, [("mux." + name, GONE)], "mux %s missing" % name)
      for name in ("ground", "reference", "pp", "pp_rail", "temp_rail", "temp_0", "temp_1")],
    (R, [("mux.humidity", 7)], "mux humidity unknown"),
    (R, [("mux.pp", 16)], "mux pp 16 0..15"),
    (R, [("mux.pp", -1)], "mux pp -1"),
    (R, [("mux.pp", "1")], "mux pp whole number"),
    (R, [("mux.pp", 2)], "mux pp pp_rail channel 2 move"),
    (R, [("mux.supply", 15)], "mux reference supply channel 15 move"),
    (R, [("mux.ground", 5), ("mux.temp_1", 0)], "mux ground 5 select line"),
    (R, [("mux.reference", 5), ("mux.temp_1", 15)], "mux reference 5 select line"),
    *[(R, [("mux.supply", channel)], "mux supply %d tied to ground" % channel) for channel in (7, 11, 13, 14)],
    # Dividers and ranges
    (R, [("dividers.current", [1, 1])], "dividers current unknown"),
    (R, [("dividers.ground", [1000, 1000])], "dividers ground unknown"),
    (R, [("dividers.ac_current", [1000, 1000])], "dividers ac_current unknown"),
    (R, [("mux.supply", GONE)], "dividers supply no channel"),
    (R, [("dividers.pp", 10000)], "dividers pp 10000 ohm"),
    (R, [("dividers.pp", [10000])], "dividers pp ohm"),
    (R, [("dividers.pp", [10000, 15000, 1])], "dividers pp ohm"),
    (R, [("dividers.pp", ["10k", 15000])], "dividers pp ohm"),
    (R, [("dividers.pp", [10000, True])], "dividers pp ohm"),
    (R, [("dividers.pp", [10000, 0])], "dividers pp 0 ohm"),
    (R, [("dividers.pp", [0, 15000])], "dividers pp 0 ohm"),
    (R, [("dividers.pp", [-10000, 15000])], "dividers pp -10000 ohm"),
    (R, [("dividers.pp", [10000, 15100])], "dividers pp 5500 3309 3300 more"),
    (R, [("dividers.pp", GONE)], "dividers pp 5500 3300 more"),
    (R, [("dividers.pp_rail", [0, 0])], "dividers pp_rail 5500 3300 more"),
    (R, [("dividers.lock_feedback", GONE)], "dividers lock_feedback 5000 3300 more"),
    (R, [("dividers.supply", [100000, 15000])], "dividers supply 32000 4174 3300 more"),
    (R, [("dividers.pp", [100000, 15000])], "dividers pp 5500 only 718 3300 less"),
    (R, [("temp_rail_mv", 5000)], "dividers temp_0 5000 3300 more"),
    (E, [("temp_rail_mv", 3300)], "dividers temp_0 3300 3100 more"),
    *[(R, [("dividers." + name, [10000, 10000])], "dividers %s rail directly [0, 0]" % name)
      for name in ON_TEMP_RAIL[1:]],
    (E, [("dividers.temp_1", [100, 1000000])], "dividers temp_1 rail directly [0, 0]"),
    (R, [*FIVE_VOLTS, ("dividers.temp_1", [47000, 47000])], "dividers temp_1 temp_0 [100000, 100000]"),
    (R, [*FIVE_VOLTS, ("dividers.temp_3", [100000, 90000])], "dividers temp_3 temp_0 [100000, 100000]"),
    (R, [*FIVE_VOLTS, ("dividers.temp_rail", [10000, 9100])], "dividers temp_0 temp_rail same ratio"),
    (R, [("temp_rail_mv", 2499)], "temp_rail_mv 2499 2500..5250"),
    (R, [("cp.series_ohm", GONE)], "cp series_ohm missing"),
    (R, [("cp.filter_nf", 1)], "cp filter_nf unknown"),
    (R, [("cp.series_ohm", 47000)], "cp series_ohm 47000 100000"),
    (R, [("cp.pullup_ohm", 0)], "cp pullup_ohm 0"),
    (R, [("cp.pulldown_ohm", 1.5)], "cp pulldown_ohm 1.5"),
    (R, [("cp.rail_mv", 12000)], "cp rail_mv 12000"),
    (R, [("cp.series_ohm", 180000)], "cp -15000 mV -"),
    (R, [("cp.pullup_ohm", 49900)], "cp -15000 mV resistors"),
    (R, [("cp.pulldown_ohm", 64900)], "cp 15000 mV 33 3300 resistors"),
    (R, [("cp", {"series_ohm": 1000000, "pullup_ohm": 20000, "pulldown_ohm": 20000})], "cp only 297 resistors"),
    (E, [("cp.pullup_ohm", 30100)], "cp -15000 mV 150..3100 resistors"),
    (R, [("reference_mv", 3173)], "reference_mv 3173 3172"),
    (R, [("reference_mv", 0)], "reference_mv 0"),
    (R, [("reference_mv", "2.5 V")], "reference_mv whole number"),
    (R, [("ac_current.zero_mv", GONE)], "ac_current zero_mv missing"),
    (R, [("ac_current.zero_mv", 119)], "ac_current zero_mv 119 120"),
    (E, [("ac_current.zero_mv", 419)], "ac_current zero_mv 419 420"),
    (R, [("ac_current.zero_mv", 1651)], "ac_current zero_mv 1651"),
    (R, [("ac_current.ma_per_mv", 0)], "ac_current ma_per_mv 0"),
    (R, [("ac_current.gain", 0)], "ac_current gain unknown"),
    (R, [("ac_current.ma_per_mv", 11)], "ac_current ma_per_mv 11 34100 35000..200000 write 12..64"),
    (R, [("ac_current.ma_per_mv", 65)], "ac_current ma_per_mv 65 201500 35000..200000 write 12..64"),
    (E, [("ac_current.ma_per_mv", 13)], "ac_current ma_per_mv 13 33800 write 14..76"),
    (R, [("motor.ma_per_mv", 0)], "motor ma_per_mv 0"),
    (R, [("motor.ma_per_mv", 10)], "motor ma_per_mv 10 33000 2500..30000 write 1..9"),
    (E, [("adc_ref_mv", 2499), ("motor.ma_per_mv", 1)], "motor ma_per_mv 1 2499 2500..30000 write 2..12"),
    (R, [("motor.ma_per_mv", 10**40)], "motor ma_per_mv"),
    (R, [("motor.pwm_32nds", 1)], "motor pwm_32nds 1 2..31"),
    (R, [("motor.pwm_32nds", 32)], "motor pwm_32nds 32 2..31"),
    # SPI and what hangs on it
    (R, [("spi", GONE)], "can no spi add delete"),
    (R, [("spi", GONE), ("can", GONE)], "lines no spi add delete"),
    (R, [("can", GONE), ("lines", GONE)], "spi neither can nor lines delete"),
    *[(R, [(name, [1])], name + " [1] object") for name in ("spi", "can", "lines")],
    *[(R, [("spi." + key, GONE)], "spi %s missing add" % key) for key in ("sck", "mosi", "miso")],
    (R, [("can.cs", GONE)], "can cs missing"),
    (R, [("can.crystal_hz", GONE)], "can crystal_hz missing"),
    (R, [("lines.cs", GONE)], "lines cs missing"),
    (R, [("spi.baud", 1)], "spi baud unknown"),
    (R, [("can.int", 1)], "can int unknown"),
    (R, [("lines.address", 1)], "lines address unknown"),
    *[(R, [("can.crystal_hz", value)], "can crystal_hz 8000000, 16000000") for value in (20000000, 16, "16 MHz", None, [8000000])],
    (R, [("can.cs", "17")], "can cs GPIO choose"),
    (R, [("can.cs", 23)], "can cs GPIO 23 module"),
    (R, [("lines.cs", True)], "lines cs GPIO true"),
    (E, [("lines.cs", 6)], "lines cs GPIO 6 module"),
    (R, [("spi.miso", 28.0)], "spi miso GPIO 28.0"),
    (R, [("can.cs", 3)], "s2 can cs GPIO 3 move"),
    (R, [("lines.cs", 17)], "can cs lines cs GPIO 17 move"),
    (R, [("lines.cs", 18)], "spi sck lines cs GPIO 18 move"),
    (R, [("spi.miso", 4)], "bridge_enable spi miso GPIO 4 move"),
    (R, [("spi.sck", 10)], "mux_2 spi sck GPIO 10 move"),
    *[(R, [("spi.sck", gpio)], "spi sck GPIO %d 2, 6, 10, 14, 18, 22, 26" % gpio) for gpio in (16, 17, 19)],
    *[(R, [("spi.mosi", gpio)], "spi mosi GPIO %d SPI0 3, 7, 19" % gpio) for gpio in (16, 17, 22, 11)],
    *[(R, [("spi.miso", gpio)], "spi miso GPIO %d SPI0 0, 4, 16" % gpio) for gpio in (17, 22, 28)],
    (E, [("can.cs", 35)], "can cs 35 input only"),
    (E, [("spi.sck", 34), ("spi.mosi", 4), ("can.cs", 21), ("lines", GONE)], "spi sck 34 input only"),
    *[(E, [("pins.light_red.gpio", 21), ("lines", GONE), (path, 2)], path.replace(".", " ") + " 2 strapping low choose")
      for path in ("can.cs", "spi.miso")],
    (E, [("pins.light_green.gpio", 21), ("lines.cs", 12)], "lines cs 12 strapping low"),
    (E, [("spi.mosi", 4), ("can.cs", 21), ("lines", GONE)], "spi sck multiplexer share"),
    (E, [("spi.sck", 4), ("can.cs", 21), ("lines", GONE)], "spi mosi multiplexer share"),
    (E, [("spi.mosi", 18)], "spi sck spi mosi GPIO 18 move"),
    (E, [("spi.miso", 19)], "spi mosi spi miso GPIO 19 move"),
    (E, [("spi.miso", 17)], "mux_1 spi miso GPIO 17 move"),
    (E, [("can.cs", 16)], "mux_0 can cs GPIO 16 move"),
    (E, [("spi.sck", 23), ("spi.mosi", 22)], "drive_allowed spi sck GPIO 23 move"),
]
# fmt: on


@pytest.mark.parametrize(
    ("name", "changes", "words"),
    MISTAKES,
    ids=[
        "%s %s=%s" % (name, path, "gone" if value is GONE else json.dumps(value)[:30])
        for name, changes, words in MISTAKES
        for path, value in changes[:1]
    ],
)
def test_mistake_is_refused_by_the_name_of_its_entry(name, changes, words):
    sentence = problem(changed(name, *changes))
    for word in words.split():
        assert word in sentence, sentence


def test_mistakes_are_many_and_only_what_was_changed_is_wrong():
    assert len(MISTAKES) > 150
    for name in NAMES:
        load(changed(name))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"ground": 0,', '"ground": 0, "ground": 0,', "ground twice"),
        ('"s2": {"gpio": 3},', '"s2": {"gpio": 3}, "s2": {"gpio": 22},', "s2 twice"),
        ('"gpio": 3}', '"gpio": 22, "gpio": 3}', "gpio twice"),
        ('"schema": 1,', '"schema": 1, "schema": 1,', "schema twice"),
        ('"pp": 1,', '"pp": 1, "pp": 5,', "pp twice"),
        ('"watchdog_ms": 1000', '"watchdog_ms": 1000, "watchdog_ms": 8000', "watchdog_ms twice"),
        ('"s2"', '"\\u0073\\u0032"', "s2 backslash"),
        ('"schema": 1,', '"schema": 1, "\\u0077atchdog_ms": 8000,', "entry twice"),
        ('{\n "schema"', '{"speed": {"a": 1}, "speed": 2,\n "schema"', "twice"),
    ],
)
def test_key_given_twice_is_refused(old, new, words):
    """json.loads keeps the last one: a board would be built other than its file reads."""
    text = text_of(R)
    assert text.count(old) == 1
    sentence = problem(text.replace(old, new))
    for word in words.split():
        assert word in sentence, sentence


@pytest.mark.parametrize(
    "text", ["", "{", "[1, 2", "schema: 1", "[" * 5000, '{"schema": 1', "\0", text_of(R)[:-3]]
)
def test_text_that_is_not_json_is_refused(text):
    assert "JSON" in problem(text)


@pytest.mark.parametrize("text", ["[]", "1", '"board"', "null"])
def test_json_that_is_no_object_is_refused(text):
    assert "{" in problem(text)


def test_board_file_of_the_other_chip_is_refused_on_the_board():
    assert "esp32" in problem(text_of(R), platform="esp32")
    assert "rp2040" in problem(text_of(E), platform="rp2")
    assert load(text_of(R), platform="rp2").chip == "rp2040"
    assert load(text_of(E), platform="esp32").chip == "esp32"


def test_first_problem_does_not_depend_on_the_order_of_keys():
    """A board's dict has no order: the same file must give the same sentence there and here."""
    data = json.loads(changed(R, ("pins.s2.gpio", 25), ("pins.pilot.gpio", 24), ("mux.zz", 1)))
    back = json.loads(json.dumps(data))
    back["pins"] = dict(reversed(list(back["pins"].items())))
    back["mux"] = dict(reversed(list(back["mux"].items())))
    assert problem(json.dumps(data)) == problem(json.dumps(dict(reversed(list(back.items())))))


@given(st.data())
def test_no_change_of_one_value_gets_anything_but_a_board_or_a_sentence(data):
    """Whatever stands in one place: never another exception, and what is accepted cannot overflow or share a pin."""
    tree = json.loads(text_of(data.draw(st.sampled_from(NAMES))))
    places = []

    def walk(node, path):
        for key in node:
            places.append((path, key))
            if isinstance(node[key], dict):
                walk(node[key], (*path, key))

    walk(tree, ())
    path, key = data.draw(st.sampled_from(places))
    place = tree
    for step in path:
        place = place[step]
    place[key] = data.draw(
        st.one_of(
            st.integers(-5, 45),
            st.integers(),
            st.none(),
            st.booleans(),
            st.floats(allow_nan=False),
            st.text(max_size=5),
            st.lists(st.integers(-10, 1000000), max_size=3),
            st.dictionaries(st.sampled_from(["gpio", "active", "pull"]), st.integers(0, 40)),
        )
    )
    try:
        board = load(json.dumps(tree))
    except BoardFileError as error:
        assert str(error)
        return
    assert len({pin.gpio for pin in board.pins.values()}) == len(PIN_NAMES)
    for name in ("cp", *board.mux):
        multiplier, divisor, offset_mv = board.scale(name)
        assert board.adc_ref_mv * multiplier <= SMALL_INT_MAX
        assert abs(board.adc_ref_mv * multiplier // divisor + offset_mv) <= SMALL_INT_MAX


@given(st.integers(1000, 100000), st.integers(100, 1000000))
def test_accepted_divider_reads_within_1_in_10000(top, bottom):
    try:
        board = load(changed(R, ("dividers.supply", [top, bottom])))
    except BoardFileError:
        at_adc_mv = 32000 * bottom / (top + bottom)
        assert not 826 < at_adc_mv <= 3300
        return
    multiplier, divisor, _ = board.scale("supply")
    assert multiplier / divisor == pytest.approx((top + bottom) / bottom, rel=1e-4)


@given(
    st.integers(100000, 1000000),
    st.integers(10000, 100000),
    st.integers(10000, 100000),
    st.integers(2500, 5250),
)
def test_accepted_pilot_network_reads_every_lawful_pilot_right(series, up, down, rail_mv):
    entry = {"series_ohm": series, "pullup_ohm": up, "pulldown_ohm": down, "rail_mv": rail_mv}
    ends_mv = [near_adc_mv(entry, end, rail_mv, series) for end in (-CP_WORST_MV, CP_WORST_MV)]
    try:
        board = load(changed(R, ("cp", entry)))
    except BoardFileError:
        assert ends_mv[0] < 0.01 or ends_mv[1] > 3299.99 or ends_mv[1] - ends_mv[0] < 825.01
        return
    assert ends_mv[0] > -0.01
    assert ends_mv[1] < 3300.01
    multiplier, divisor, offset_mv = board.scale("cp")
    per_mv = 2 * CP_WORST_MV / (ends_mv[1] - ends_mv[0])
    for cp_mv in (-12000, 0, 2930, 6000, 8980, 12000):
        adc_mv = round(near_adc_mv(entry, cp_mv, rail_mv, series))
        assert abs(adc_mv * multiplier // divisor + offset_mv - cp_mv) <= per_mv + 3
