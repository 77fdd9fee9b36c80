"""The board file: which GPIO does what, through which resistors. Parsed and checked once at boot, before any pin is made.

JSON in, plain objects with ints out; no hardware is touched here. Whatever is unknown, missing, double, impossible on
the chip or outside the ADC's range raises BoardFileError: one sentence with the entry's name and what to do. The first
problem found is raised. Resistors count as nominal: what their tolerance does is in hardware/.

Sources: RPD = RP2040 datasheet (1.4.3 GPIO functions, 4.5.2 PWM slices), PICO = Pico datasheet (2.1 pins that the
module uses itself), ESPD = ESP32 datasheet (2.2 pins, 3.3 strapping) and errata (GPIO 36 and 39), ESPA = ESP-IDF's ADC
pages (11 dB: accurate over 150..2450 mV, ends near 3100 mV), FACTS = the project's facts, with their sections.
"""

import json
import sys

from micropython import const

from drivers.board_data import CHIP_OF_PLATFORM, BoardData, PinEntry
from drivers.board_shape import (
    BoardFileError,
    check_doubles,
    check_keys,
    check_name,
    check_schema,
    fraction,
    is_int,
    listed,
    number,
    ohm_pair,
    section,
    shown,
    word,
)
from drivers.board_spi import check_spi
from drivers.board_strip import check_strip, names_without

# What a released pin of these does must be the safe thing, and their pull-down makes it low.
_HIGH_ONLY = ("s2", "bridge_enable", "bridge_direction", "bridge_wake", "drive_allowed")
# Strapping pins are pulled or driven while the chip starts: nothing here may see that.
_NO_STRAPPING = ("s2", "bridge_enable", "bridge_wake", "drive_allowed")
_ADC_PINS = ("adc_cp", "adc_mux", "adc_motor")
_SELECT_PINS = ("mux_0", "mux_1", "mux_2", "mux_3")
# Captured by hardware that counts the high time.
_CAPTURE_PINS = ("pilot", "demand")
_INPUTS = ("ac_sense", "stop_button", "unlock_button")
_LIGHTS = ("light_red", "light_green", "light_blue")
_LIMIT = "charger_limit"
_OUTPUTS = _HIGH_ONLY + _SELECT_PINS + _LIGHTS + (_LIMIT,)
PIN_NAMES = _CAPTURE_PINS + _INPUTS + _OUTPUTS + _ADC_PINS

# By chip: GPIO that may be used, those with an ADC, inputs only, strapping, pulled low for 80 ns whenever
# the ADC is switched on, least mV at which the ADC tells anything, bounds of its full scale in mV, said to be pulled up
# at reset. The last, MTMS of the ESP32, is not verified in a datasheet: refused to be on the safe side.
# RP2040: 23, 24, 25 and 29 are the Pico's own (PICO). ESP32: 6..11 are the flash, 1 and 3 the console, 37 and 38 are
# not brought out; ADC2 (0, 2, 4, 12..15, 25..27) is the radio's too (ESPD).
CHIPS = {
    "rp2040": (
        tuple(range(23)) + (26, 27, 28),
        (26, 27, 28),
        (),
        (),
        (),
        0,
        (2500, 3300),
        (),
    ),
    "esp32": (
        (0, 2, 4, 5) + tuple(range(12, 20)) + (21, 22, 23, 25, 26, 27, 32, 33, 34, 35, 36, 39),
        (32, 33, 34, 35, 36, 39),
        (34, 35, 36, 39),
        (0, 2, 5, 12, 15),
        (36, 39),
        150,
        (2400, 3100),
        (14,),
    ),
}
USABLE = const(0)
_WITH_ADC = const(1)
_INPUT_ONLY = const(2)
_STRAPPING = const(3)
_GLITCHY = const(4)
_LEAST_MV = const(5)
_FULL_SCALE_MV = const(6)
_PULLED_UP = const(7)

_GROUND = const(0)
_REFERENCE = const(15)
# One select line away from the reference: tied to ground, so that a stuck line reads 0 there.
TIED_TO_GROUND = (7, 11, 13, 14)
_MUX_NEEDED = ("ground", "reference", "pp", "pp_rail", "temp_rail", "temp_0", "temp_1")
_MUX_OPTIONAL = ("temp_2", "temp_3", "lock_feedback", "ac_current", "supply")

# Largest lawful voltage in mV. PP: 5.25 V (FACTS 3.1) and what a poor regulator adds; lock: a switch or resistor on
# the same rail; supply: a 24 V vehicle's, behind the clamp. The temperatures' is the board's own temp_rail_mv.
WORST_MV = {"pp": 5500, "pp_rail": 5500, "lock_feedback": 5000, "supply": 32000}
ON_TEMP_RAIL = ("temp_rail", "temp_0", "temp_1", "temp_2", "temp_3")
_WITH_DIVIDER = tuple(WORST_MV) + ON_TEMP_RAIL
# Pilot: +-12.6 V at most (FACTS 1.1), and 0.7 V between the grounds (FACTS 1.2) with a margin.
CP_WORST_MV = const(15000)
# Analog's self-check takes the reference for right within 4 %: a reference the ADC clips at would be right for ever.
_REFERENCE_PCT = const(4)
# Analog's self-check takes this much at ground for none: a broken wire of the live zero must read more.
_GROUND_MAX_MV = const(60)

# Back in a safe state within 3 s of a hang: the watchdog's time and the start must fit.
_WATCHDOG_MS = (500, 2000)
# What full scale may be, mA: chargers of 32 to 80 A with room above, a lock's motor and its stall.
_AC_FULL_MA = (35000, 200000)
_MOTOR_FULL_MA = (2500, 30000)

# A range of which less than this fraction is used was meant otherwise, and has no resolution.
_USE_LEAST = const(4)

_NEEDED = (
    "schema", "name", "chip", "adc_ref_mv", "pins", "cp", "mux", "dividers", "reference_mv", "ac_current", "motor",
    "watchdog_ms",
)  # fmt: skip
_OPTIONAL = ("temp_rail_mv", "spi", "can", "lines", "light_ws2812")


def load(text: str, platform: str = "") -> BoardData:
    """Return the board that `text` describes. Raises BoardFileError with the first problem found.

    `platform` is what the chip calls itself, by default that of this one; on a board it must fit the file.
    """
    try:
        data = json.loads(text)
    except (ValueError, RuntimeError):
        # RuntimeError: brackets without end.
        raise BoardFileError("the text is not JSON: correct it, or flash the board file again")
    if not isinstance(data, dict):
        raise BoardFileError("the text is no JSON object: begin it with { and end it with }")
    check_schema(data)
    check_doubles(text, data)
    check_keys("", data, _NEEDED, _OPTIONAL)
    check_name(data["name"])
    chip = _check_chip(data, platform or sys.platform)
    number(data, "adc_ref_mv", chip[_FULL_SCALE_MV][0], chip[_FULL_SCALE_MV][1])
    number(data, "watchdog_ms", _WATCHDOG_MS[0], _WATCHDOG_MS[1])
    section(data, "ac_current", ("zero_mv", "ma_per_mv"))
    section(data, "motor", ("ma_per_mv", "pwm_32nds"))
    section(data, "cp", ("series_ohm", "pullup_ohm", "pulldown_ohm"), ("rail_mv",))
    section(data, "mux", _MUX_NEEDED, _MUX_OPTIONAL)
    names = names_without(data, PIN_NAMES, _LIGHTS)
    section(data, "pins", names)
    pins = {}
    for name in names:
        pins[name] = _pin(data["pins"], name, chip)
    _check_gpios(pins, data["chip"])
    check_spi(data, pins, chip[USABLE], chip[_INPUT_ONLY])
    check_strip(data, pins, chip[USABLE], chip[_INPUT_ONLY])
    _check_mux(data["mux"])
    _check_currents(data, chip)
    return BoardData(data, pins, _scales(data, chip), (_GROUND,) + TIED_TO_GROUND)


# -------------------------------------------------------------------------------------------- chip


def _check_chip(data: dict, platform: str):
    """Return the row of CHIPS."""
    chip = data["chip"]
    if not isinstance(chip, str) or chip not in CHIPS:
        raise BoardFileError("chip is %s: write rp2040 or esp32" % shown(chip))
    here = CHIP_OF_PLATFORM.get(platform, chip)
    if here != chip:
        raise BoardFileError(
            "chip is %s but this is an %s: flash with BOARD= set to a board file for it"
            % (chip, here)
        )
    return CHIPS[chip]


# -------------------------------------------------------------------------------------------- pins


def _pin(pins: dict, name: str, chip: tuple) -> PinEntry:
    """Return one entry, checked as far as it can be alone."""
    where = "pins: " + name
    entry = pins[name]
    if not isinstance(entry, dict):
        raise BoardFileError(
            '%s is %s, not an object: write {"gpio": number}' % (where, shown(entry))
        )
    check_keys(where, entry, ("gpio",), ("active", "pull"))
    gpio = entry["gpio"]
    active = word(where, entry, "active", ("high", "low"))
    pull = word(where, entry, "pull", ("none", "up", "down"))
    if not is_int(gpio) or gpio not in chip[USABLE]:
        raise BoardFileError(
            "%s: GPIO %s is not on this board or used by the module itself: choose one of %s"
            % (where, shown(gpio), listed(chip[USABLE]))
        )
    if active == "low" and name in _HIGH_ONLY:
        raise BoardFileError(
            "%s cannot be active low: a released pin is low and must be the safe one, make the circuit active high"
            % where
        )
    if active == "low" and name in _CAPTURE_PINS + _ADC_PINS:
        raise BoardFileError("%s cannot be active low: swap the comparator's inputs" % where)
    _check_pull(where, name, gpio, pull, chip)
    _check_ability(where, name, gpio, chip)
    return PinEntry(gpio, active == "low", pull)


def _check_pull(where: str, name: str, gpio: int, pull: str, chip: tuple) -> None:
    if pull == "none":
        return
    if name in _OUTPUTS or name in _ADC_PINS:
        raise BoardFileError(
            "%s takes no pull: delete it, a resistor on the board must do it while the chip cannot"
            % where
        )
    if gpio in chip[_INPUT_ONLY]:
        raise BoardFileError(
            "%s: GPIO %d has no pull: fit a resistor and delete the pull" % (where, gpio)
        )


def _check_ability(where: str, name: str, gpio: int, chip: tuple) -> None:
    """Raise where the GPIO cannot do what the name needs."""
    if name in _ADC_PINS and gpio not in chip[_WITH_ADC]:
        raise BoardFileError(
            "%s: GPIO %d has no usable ADC: choose one of %s"
            % (where, gpio, listed(chip[_WITH_ADC]))
        )
    if name in _OUTPUTS and gpio in chip[_INPUT_ONLY]:
        raise BoardFileError("%s: GPIO %d is an input only: choose another" % (where, gpio))
    if name in _CAPTURE_PINS and gpio in chip[_GLITCHY]:
        raise BoardFileError(
            "%s: GPIO %d shows edges of its own when the ADC is used (errata): choose another"
            % (where, gpio)
        )
    if name in _NO_STRAPPING and gpio in chip[_STRAPPING]:
        raise BoardFileError(
            "%s: GPIO %d is a strapping pin and moves while the chip starts: choose another"
            % (where, gpio)
        )
    if name in _NO_STRAPPING and gpio in chip[_PULLED_UP]:
        raise BoardFileError(
            "%s: GPIO %d is MTMS, said to be pulled up at reset (not verified in a datasheet): choose another"
            % (where, gpio)
        )


def _check_gpios(pins: dict, chip_name: str) -> None:
    """Raise where two names want the same thing."""
    owners = {}
    for name in PIN_NAMES:
        if name not in pins:
            continue
        gpio = pins[name].gpio
        if gpio in owners:
            raise BoardFileError(
                "pins: %s and %s are both on GPIO %d: move one of them"
                % (owners[gpio], name, gpio)
            )
        owners[gpio] = name
    if chip_name != "rp2040" or _LIGHTS[0] not in pins:
        return
    # RPD 4.5.2: a slice has one frequency, and GPIO 16 apart are the same channel of it.
    limit = pins[_LIMIT].gpio
    for n in range(len(_LIGHTS)):
        gpio = pins[_LIGHTS[n]].gpio
        if _slice_of(gpio) == _slice_of(limit):
            raise BoardFileError(
                "pins: %s on GPIO %d shares PWM slice %d with %s on GPIO %d at another frequency: move one of them"
                % (_LIGHTS[n], gpio, _slice_of(gpio), _LIMIT, limit)
            )
        for other in _LIGHTS[:n]:
            if (gpio - pins[other].gpio) % 16 == 0:
                raise BoardFileError(
                    "pins: %s and %s share a PWM channel, GPIO %d and %d: move one of them"
                    % (other, _LIGHTS[n], pins[other].gpio, gpio)
                )


def _slice_of(gpio: int) -> int:
    return gpio >> 1 & 7


# ------------------------------------------------------------------------------------ analogue part


def _check_mux(mux: dict) -> None:
    """Raise where a channel is double or a stuck select line would go unseen."""
    for name in _MUX_NEEDED + _MUX_OPTIONAL:
        if name in mux:
            number(mux, name, 0, 15, "mux")
    if mux["ground"] != _GROUND:
        raise BoardFileError(
            "mux: ground is channel %d: move it to %d, so that a stuck select line is found"
            % (mux["ground"], _GROUND)
        )
    if mux["reference"] != _REFERENCE:
        raise BoardFileError(
            "mux: reference is channel %d: move it to %d, so that a stuck select line is found"
            % (mux["reference"], _REFERENCE)
        )
    owners = {}
    for name in _MUX_NEEDED + _MUX_OPTIONAL:
        if name not in mux:
            continue
        channel = mux[name]
        if channel in TIED_TO_GROUND:
            raise BoardFileError(
                "mux: %s is on channel %d: move it, 7, 11, 13 and 14 are tied to ground so that a stuck"
                " select line is found" % (name, channel)
            )
        if channel in owners:
            raise BoardFileError(
                "mux: %s and %s are both on channel %d: move one of them"
                % (owners[channel], name, channel)
            )
        owners[channel] = name


def _check_currents(data: dict, chip: tuple) -> None:
    adc_ref_mv = data["adc_ref_mv"]
    most_mv = adc_ref_mv * 100 // (100 + _REFERENCE_PCT) - 1
    number(data, "reference_mv", 500, most_mv)
    # Half of the live zero is the limit of a broken wire.
    least_mv = (chip[_LEAST_MV] + _GROUND_MAX_MV) * 2
    zero_mv = number(data["ac_current"], "zero_mv", least_mv, adc_ref_mv // 2, "ac_current")
    _check_full_scale(data, "ac_current", adc_ref_mv - zero_mv, _AC_FULL_MA)
    _check_full_scale(data, "motor", adc_ref_mv, _MOTOR_FULL_MA)
    number(data["motor"], "pwm_32nds", 2, 31, "motor")


def _check_full_scale(data: dict, where: str, span_mv: int, bounds_ma: tuple) -> None:
    """Raise where the largest current that can be told is not one that is meant."""
    per_mv = number(data[where], "ma_per_mv", 1, 1000, where)
    low_ma, high_ma = bounds_ma
    if not low_ma <= span_mv * per_mv <= high_ma:
        raise BoardFileError(
            "%s: ma_per_mv %d makes full scale %d mA, allowed are %d..%d: write %d..%d"
            % (
                where,
                per_mv,
                span_mv * per_mv,
                low_ma,
                high_ma,
                -(-low_ma // span_mv),
                high_ma // span_mv,
            )
        )


def _scales(data: dict, chip: tuple) -> dict:
    """Return (multiplier, divisor, offset_mv) by input, each proven to fit the ADC."""
    adc_ref_mv = data["adc_ref_mv"]
    temp_rail_mv = 3300
    if "temp_rail_mv" in data:
        temp_rail_mv = number(data, "temp_rail_mv", 2500, 5250)
    scales = {"cp": _cp_scale(data["cp"], adc_ref_mv, chip[_LEAST_MV])}
    dividers = data["dividers"]
    if not isinstance(dividers, dict):
        raise BoardFileError("dividers is %s, not an object: write {...}" % shown(dividers))
    check_keys("dividers", dividers, (), _WITH_DIVIDER)
    for name in sorted(dividers):
        if name not in data["mux"]:
            raise BoardFileError(
                "dividers: %s has no channel in mux: add it or delete this" % name
            )
    for name in _MUX_NEEDED + _MUX_OPTIONAL:
        if name not in data["mux"]:
            continue
        scales[name] = (1, 1, 0)
        if name in _WITH_DIVIDER:
            worst_mv = temp_rail_mv if name in ON_TEMP_RAIL else WORST_MV[name]
            scales[name] = _divider_scale(name, dividers.get(name, [0, 0]), worst_mv, adc_ref_mv)
    _check_temp_dividers(dividers, scales, temp_rail_mv <= adc_ref_mv)
    return scales


def _check_temp_dividers(dividers: dict, scales: dict, is_direct: bool) -> None:
    """Raise where a sensor is loaded without need, or otherwise than the others.

    A divider lies across its sensor: a PT1000 reads too cold.
    """
    for name in ON_TEMP_RAIL[1:]:
        if name not in scales:
            continue
        if is_direct:
            if scales[name] != (1, 1, 0):
                raise BoardFileError(
                    "dividers: %s loads its sensor, which reads too cold, and its rail fits the ADC directly: write [0, 0]"
                    % name
                )
        elif dividers[name] != dividers["temp_0"]:
            raise BoardFileError(
                "dividers: %s is %s, unlike temp_0: fit %s, all temperatures alike"
                % (name, shown(dividers[name]), shown(dividers["temp_0"]))
            )
        elif scales[name] != scales["temp_rail"]:
            raise BoardFileError(
                "dividers: %s divides otherwise than temp_rail: give both the same ratio" % name
            )


def _divider_scale(name: str, divider, worst_mv: int, adc_ref_mv: int):
    top_ohm, bottom_ohm = ohm_pair(name, divider)
    multiplier, divisor = 1, 1
    if bottom_ohm:
        multiplier, divisor = fraction(top_ohm + bottom_ohm, bottom_ohm)
    # Rounded up: the last fraction of a mV counts as outside, too.
    at_adc_mv = -(-worst_mv * divisor // multiplier)
    if at_adc_mv > adc_ref_mv:
        raise BoardFileError(
            "dividers: %s brings %d mV to %d mV at the ADC, which ends at %d mV: divide more"
            % (name, worst_mv, at_adc_mv, adc_ref_mv)
        )
    if at_adc_mv * _USE_LEAST < adc_ref_mv:
        raise BoardFileError(
            "dividers: %s brings %d mV to only %d mV at the ADC, which ends at %d mV: divide less"
            % (name, worst_mv, at_adc_mv, adc_ref_mv)
        )
    return multiplier, divisor, 0


def _cp_scale(cp: dict, adc_ref_mv: int, least_mv: int):
    """Return the pilot's scale. The node hangs on three resistors: to the pilot, to a rail and to ground.

    node = (cp * up * down + rail * series * down) / (up * down + series * down + series * up)
    """
    # Below 100 kohm the network itself would load the pilot's negative half (FACTS 1.2).
    series_ohm = number(cp, "series_ohm", 100000, 1000000, "cp")
    pullup_ohm = number(cp, "pullup_ohm", 1000, 1000000, "cp")
    pulldown_ohm = number(cp, "pulldown_ohm", 1000, 1000000, "cp")
    rail_mv = 3300
    if "rail_mv" in cp:
        rail_mv = number(cp, "rail_mv", 1000, 5250, "cp")
    per_cp = pullup_ohm * pulldown_ohm
    total = per_cp + series_ohm * pulldown_ohm + series_ohm * pullup_ohm
    from_rail = rail_mv * series_ohm * pulldown_ohm
    for cp_mv in (-CP_WORST_MV, CP_WORST_MV):
        node_mv = (cp_mv * per_cp + from_rail) // total
        if not least_mv <= node_mv < adc_ref_mv:
            raise BoardFileError(
                "cp: %d mV at the pilot is %d mV at the ADC, which tells %d..%d mV: change the three resistors"
                % (cp_mv, node_mv, least_mv, adc_ref_mv)
            )
    if 2 * CP_WORST_MV * per_cp * _USE_LEAST < adc_ref_mv * total:
        raise BoardFileError(
            "cp: -15000..15000 mV at the pilot are only %d mV at the ADC: change the three resistors"
            % (2 * CP_WORST_MV * per_cp // total)
        )
    multiplier, divisor = fraction(total, per_cp)
    # A rail's share, to the nearest mV.
    offset_mv = (2 * rail_mv * series_ohm + pullup_ohm) // (2 * pullup_ohm)
    return multiplier, divisor, -offset_mv
