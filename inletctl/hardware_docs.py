"""The pages of hardware/ that come from the board files: pin map, dividers and ranges, in numbers a builder needs.

Each board file is read by the firmware's own checker first: a page exists only for a board the firmware would accept.
"""

import json
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from inletctl.errors import UserError
from inletctl.house import FIRMWARE, use_firmware
from inletctl.markdown import table

use_firmware()

from drivers import board_data, board_file  # noqa: E402

BOARDS = ("rp2040-reference", "esp32-devkitc")

_HEAD = (
    "<!-- Printed by `inletctl docs` from firmware/boards/%s.json. Do not edit: change the data and print"
    " again. -->\n"
)
_MODULES = {"rp2040": "Raspberry Pi Pico", "esp32": "ESP32 DevKitC (WROOM-32)"}
# Contact on the module: the number on the Pico's edge, the label on the DevKitC.
# fmt: off
_PICO_PINS = {
    0: 1, 1: 2, 2: 4, 3: 5, 4: 6, 5: 7, 6: 9, 7: 10, 8: 11, 9: 12, 10: 14, 11: 15, 12: 16, 13: 17, 14: 19, 15: 20,
    16: 21, 17: 22, 18: 24, 19: 25, 20: 26, 21: 27, 22: 29, 26: 31, 27: 32, 28: 34,
}
# fmt: on
_DEVKITC_LABELS = {36: "VP", 39: "VN"}

_PULL_DOWN = "10 kohm to ground"
# name -> (direction, what it is, what the board fits)
_WHAT = {
    "pilot": ("in", "control pilot from the comparator, high while CP is above 1.5 V", ""),
    "demand": ("in", "the car's demand, 100 Hz, 3.3 V level", "100 kohm to ground"),
    "ac_sense": ("in", "mains at the inlet, optocoupler", ""),
    "stop_button": ("in", "a person wants charging to stop", "100 nF to ground"),
    "unlock_button": ("in", "a person wants the cable released", "100 nF to ground"),
    "s2": ("out", "gate of S2: shows state C", _PULL_DOWN),
    "bridge_enable": ("out", "lock bridge EN, carries the PWM", _PULL_DOWN),
    "bridge_direction": ("out", "lock bridge PH, high drives towards locked", _PULL_DOWN),
    "bridge_wake": ("out", "lock bridge nSLEEP", _PULL_DOWN),
    "drive_allowed": ("out", "the car may be moved", _PULL_DOWN),
    "mux_0": ("out", "multiplexer S0", "100 kohm to ground"),
    "mux_1": ("out", "multiplexer S1", "100 kohm to ground"),
    "mux_2": ("out", "multiplexer S2", "100 kohm to ground"),
    "mux_3": ("out", "multiplexer S3", "100 kohm to ground"),
    "light_red": ("out", "light, PWM", _PULL_DOWN),
    "light_green": ("out", "light, PWM", _PULL_DOWN),
    "light_blue": ("out", "light, PWM", _PULL_DOWN),
    "charger_limit": ("out", "limit to the on-board charger, 1 kHz", _PULL_DOWN),
    "adc_cp": ("analogue in", "pilot level, see below", ""),
    "adc_mux": ("analogue in", "multiplexer common, see below", ""),
    "adc_motor": ("analogue in", "lock bridge current mirror", "1.1 kohm to ground"),
}
_PULL_UP = "4.7 kohm to 3.3 V"
# The SPI bus's pins, where a board has one: (section, key) -> (direction, what it is, what the board fits)
_SPI_WHAT = {
    ("spi", "sck"): ("out", "SPI clock of CAN controller and port expander", ""),
    ("spi", "mosi"): ("out", "SPI data to both", ""),
    ("spi", "miso"): ("in", "SPI data from both", "1 kohm in series"),
    ("can", "cs"): ("out", "selects the CAN controller, MCP2515", _PULL_UP),
    ("lines", "cs"): ("out", "selects the port expander, MCP23S17", _PULL_UP),
}
# name -> what the input is
_INPUTS = {
    "ground": "self-check: 0 V",
    "pp": "proximity pin",
    "pp_rail": "5 V rail of its pull-up",
    "temp_rail": "rail of the temperatures' pull-ups",
    "temp_0": "AC contact L",
    "temp_1": "AC contact N",
    "temp_2": "DC contact +",
    "temp_3": "DC contact -",
    "lock_feedback": "lock position",
    "ac_current": "charger current, live zero",
    "supply": "the board's own supply",
    "reference": "self-check: shunt reference",
}
# Levels worth a row: states A..F as the pin sees them (facts 1.2), and the comparator's.
_CP_ROWS = (
    (-board_file.CP_WORST_MV, "worst"),
    (-12000, "low half, state F"),
    (0, "state E; an unplugged inlet reads about 0.4 V, see circuit.md"),
    (1250, "comparator lets go"),
    (1500, "comparator, middle"),
    (1750, "comparator comes on"),
    (2930, "state D"),
    (6000, "state C"),
    (8980, "state B"),
    (12000, "state A at an open generator"),
    (board_file.CP_WORST_MV, "worst"),
)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    for key in keys:
        if keys.count(key) > 1:
            raise ValueError("%s is given twice" % key)
    return dict(pairs)


def load_board(name: str) -> tuple[board_data.BoardData, dict[str, Any]]:
    """Return a shipped board: checked by the firmware, and as it stands in its file. UserError where it cannot be."""
    path = FIRMWARE / "boards" / (name + ".json")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        known = ", ".join(sorted(found.stem for found in path.parent.glob("*.json"))) or "none"
        raise UserError(
            "there is no board file '%s' that can be read; shipped are: %s" % (name, known)
        ) from None
    try:
        board = board_file.load(text)
        return board, json.loads(text, object_pairs_hook=_once)
    except ValueError as error:
        raise UserError("firmware/boards/%s.json: %s" % (name, error)) from None


def board_page(name: str) -> str:
    """Return hardware/<name>.md: pin map, pilot network, multiplexer and dividers of one board."""
    board, data = load_board(name)
    return (
        "# %s: pins and ranges\n" % name
        + _HEAD % name
        + "\nModule: %s. The circuit and its reasons: [circuit.md](circuit.md). **Not built, not measured on"
        " silicon:** every number here is computed from nominal parts.\n"
        % _MODULES[board.chip]
        + "\n## Pins\n\n"
        + _pins(board)
        + "\nFree: %s.\n" % _free(board)
        + "\n## Pilot level\n\n"
        + _pilot(board, data)
        + "\n## Multiplexer\n\n"
        + _mux(board, data)
        + "\n## Other numbers\n\n"
        + _others(board, data)
    )


def _contact(chip: str, gpio: int) -> str:
    if chip == "rp2040":
        return "pin %d" % _PICO_PINS[gpio]
    return _DEVKITC_LABELS.get(gpio, "IO%d" % gpio)


def _spi_pins(board: board_data.BoardData) -> list[tuple[str, str, int]]:
    """Return (section, key, GPIO) of each pin of the SPI bus."""
    sections = {"spi": board.spi, "can": board.can, "lines": board.lines}
    return [
        (section, key, found[key])
        for (section, key) in _SPI_WHAT
        if (found := sections[section]) is not None
    ]


def _by_gpio(row: tuple[Any, ...]) -> tuple[int, str]:
    return row[0], row[2]


def _pins(board: board_data.BoardData) -> str:
    rows: list[tuple[object, ...]] = []
    for section, key, gpio in _spi_pins(board):
        direction, what, fitted = _SPI_WHAT[section, key]
        active = "low" if key == "cs" else "high"
        name = "`%s: %s`" % (section, key)
        row = (gpio, _contact(board.chip, gpio), name, direction, active, fitted, what)
        rows.append(row)
    for name, pin in board.pins.items():
        direction, what, fitted = _WHAT[name]
        pull = "pull-%s in the chip" % pin.pull if pin.pull != "none" else ""
        rows.append(
            (
                pin.gpio,
                _contact(board.chip, pin.gpio),
                "`%s`" % name,
                direction,
                "low" if pin.is_inverted else "high" if not name.startswith("adc_") else "",
                "; ".join(part for part in (pull, fitted) if part),
                what,
            )
        )
    head = ("GPIO", "module", "name", "direction", "active", "resistor", "what")
    return table(head, sorted(rows, key=_by_gpio))


def _free(board: board_data.BoardData) -> str:
    used = {pin.gpio for pin in board.pins.values()} | {row[2] for row in _spi_pins(board)}
    usable = board_file.CHIPS[board.chip][board_file.USABLE]
    return ", ".join("GPIO %d" % gpio for gpio in usable if gpio not in used) or "none"


def pilot_node_mv(cp: dict[str, int], cp_mv: int) -> Fraction:
    """Return the pilot network's node in mV, exact, for `cp_mv` at the pilot."""
    series, up, down = (
        Fraction(1, cp[key]) for key in ("series_ohm", "pullup_ohm", "pulldown_ohm")
    )
    return (cp_mv * series + cp.get("rail_mv", 3300) * up) / (series + up + down)


def _pilot(board: board_data.BoardData, data: dict[str, Any]) -> str:
    cp = data["cp"]
    multiplier, divisor, offset_mv = board.scale("cp")
    load_ohm = cp["series_ohm"] + Fraction(
        cp["pullup_ohm"] * cp["pulldown_ohm"], cp["pullup_ohm"] + cp["pulldown_ohm"]
    )
    low_mv, high_mv = (
        offset_mv,
        board.adc_ref_mv * multiplier // divisor + offset_mv,
    )
    text = (
        "CP - %s - node `adc_cp`; node - %s - %d mV rail; node - %s - ground. Loads the pilot with %d kohm.\n"
        "Range %.2f..%.2f V at the pin, one step (1 mV at the ADC) is %.1f mV there.\n"
        "pilot_mv = adc_mv * %d // %d - %d.\n\n"
        % (
            _ohm(cp["series_ohm"]),
            _ohm(cp["pullup_ohm"]),
            cp.get("rail_mv", 3300),
            _ohm(cp["pulldown_ohm"]),
            round(load_ohm / 1000),
            low_mv / 1000,
            high_mv / 1000,
            multiplier / divisor,
            multiplier,
            divisor,
            -offset_mv,
        )
    )
    return text + table(
        ("CP (V)", "node (mV)", "what"),
        (
            ("%.2f" % (cp_mv / 1000), "%.0f" % float(pilot_node_mv(cp, cp_mv)), what)
            for cp_mv, what in _CP_ROWS
        ),
    )


def _mux(board: board_data.BoardData, data: dict[str, Any]) -> str:
    names = {channel: name for name, channel in board.mux.items()}
    rows = []
    for channel in range(16):
        name = names.get(channel)
        if name is None:
            why = "a stuck select line" if channel in board.mux_grounds else "nothing floats"
            rows.append((channel, "", "tied to ground: %s" % why, "", "", "", "", ""))
            continue
        multiplier, divisor, _ = board.scale(name)
        top, bottom = data["dividers"].get(name, [0, 0])
        worst_mv = _worst_mv(board, data, name)
        rows.append(
            (
                channel,
                "`%s`" % name,
                _INPUTS[name],
                "%s / %s" % (_ohm(top), _ohm(bottom)) if bottom else "direct",
                board.adc_ref_mv * multiplier // divisor,
                "%.1f" % (multiplier / divisor),
                worst_mv,
                -(-worst_mv * divisor // multiplier),
            )
        )
    return table(
        (
            "channel",
            "name",
            "input",
            "divider, top / bottom",
            "full scale (mV)",
            "step at the input (mV)",
            "worst lawful input (mV)",
            "that at the ADC (mV)",
        ),
        rows,
    )


def _worst_mv(board: board_data.BoardData, data: dict[str, Any], name: str) -> int:
    """Return the largest lawful voltage of an input, as the checker counts it."""
    if name == "ground":
        return 0
    if name == "reference":
        return board.reference_mv * 101 // 100
    if name == "ac_current":
        return board.adc_ref_mv
    if name in board_file.ON_TEMP_RAIL:
        return data.get("temp_rail_mv", 3300)
    return board_file.WORST_MV[name]


def _others(board: board_data.BoardData, data: dict[str, Any]) -> str:
    full_ma = (board.adc_ref_mv - board.ac_zero_mv) * board.ac_ma_per_mv
    return table(
        ("what", "value"),
        (
            ("ADC full scale", "%d mV" % board.adc_ref_mv),
            ("rail of the temperatures' pull-ups", "%d mV" % data.get("temp_rail_mv", 3300)),
            (
                "reference",
                "%d mV +-1 %%, believed within 4 %%" % board.reference_mv,
            ),
            (
                "charger current",
                "%d mV at 0 A, %d mA a mV, full scale %.1f A; below %d mV the wire is broken"
                % (board.ac_zero_mv, board.ac_ma_per_mv, full_ma / 1000, board.ac_zero_mv // 2),
            ),
            (
                "lock bridge current",
                "%d mA a mV, full scale %.1f A"
                % (board.motor_ma_per_mv, board.adc_ref_mv * board.motor_ma_per_mv / 1000),
            ),
            (
                "lock motor",
                "%d/32 of the supply: %.0f %%"
                % (board.motor_pwm_32nds, 100 * board.motor_pwm_32nds / 32),
            ),
            ("watchdog", "%d ms" % board.watchdog_ms),
            *(() if board.can is None else (("CAN crystal", "%d Hz" % board.can["crystal_hz"]),)),
        ),
    )


def _ohm(ohm: int) -> str:
    return "%g kohm" % (ohm / 1000) if ohm >= 1000 else "%d ohm" % ohm


def _page_of(name: str) -> Callable[[], str]:
    return lambda: board_page(name)


PAGES: dict[str, Callable[[], str]] = {"hardware/%s.md" % name: _page_of(name) for name in BOARDS}
