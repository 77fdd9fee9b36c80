"""What a checked board file says, and the short form that a board reads at its boot.

Checking a board file (drivers/board_file.py) takes a board a tenth of its boot, and the flash tool has done it before: it
leaves the outcome beside the board file, with the CRC-32 of the text it belongs to and its own. Where either is not what
is there, the board checks it all by itself.
"""

import binascii
import json
import sys

from micropython import const

CHECKED_FILE = "board.checked"
_FORM = const(1)

# What MicroPython calls the chips.
CHIP_OF_PLATFORM = {"rp2": "rp2040", "esp32": "esp32"}
_AS_THEY_ARE = (
    "name", "chip", "adc_ref_mv", "mux", "reference_mv", "ac_current", "motor", "watchdog_ms", "spi", "can", "lines",
    "light_ws2812",
)  # fmt: skip


class PinEntry:
    """One pin: `gpio` number, `is_inverted` (active low), `pull` "none", "up" or "down"."""

    def __init__(self, gpio: int, is_inverted: bool, pull: str):
        self.gpio = gpio
        self.is_inverted = is_inverted
        self.pull = pull


class BoardData:
    """
    A board, checked. Made by board_file.load or by `checked`; immutable by convention.

    name, chip          str; chip is "rp2040" or "esp32"
    adc_ref_mv          full scale of the ADC, mV
    pins                dict of name to PinEntry: every name of board_file.PIN_NAMES (the three lights may be left out
                        where there is a strip)
    mux                 dict of input to channel, 0..15
    mux_grounds         channels tied to ground, the one that is read first
    reference_mv        what the channel "reference" reads
    ac_zero_mv, ac_ma_per_mv    charger current: mV at 0 A, mA a mV above it
    motor_ma_per_mv     bridge current a mV
    motor_pwm_32nds     share of the supply the lock's motor gets, 2..31
    watchdog_ms         500..2000
    spi                 GPIO of sck, mosi and miso; None where the board has no such bus
    can                 cs and crystal_hz of the CAN controller on it, or None
    lines               cs of the port expander on it, or None
    strip               gpio, count and brightness_pct of a strip of WS2812 LEDs, or None
    """

    def __init__(self, data: dict, pins: dict, scales: dict, mux_grounds: tuple):
        self.name = data["name"]
        self.chip = data["chip"]
        self.adc_ref_mv = data["adc_ref_mv"]
        self.pins = pins
        self.mux = data["mux"]
        self.mux_grounds = mux_grounds
        self.reference_mv = data["reference_mv"]
        self.ac_zero_mv = data["ac_current"]["zero_mv"]
        self.ac_ma_per_mv = data["ac_current"]["ma_per_mv"]
        self.motor_ma_per_mv = data["motor"]["ma_per_mv"]
        self.motor_pwm_32nds = data["motor"]["pwm_32nds"]
        self.watchdog_ms = data["watchdog_ms"]
        self.spi = data.get("spi")
        self.can = data.get("can")
        self.lines = data.get("lines")
        self.strip = data.get("light_ws2812")
        self.scales = scales

    def scale(self, name: str):
        """Return (multiplier, divisor, offset_mv): input_mv = adc_mv * multiplier // divisor + offset_mv.

        `name` is "cp" or an input of the multiplexer. For adc_mv 0..adc_ref_mv no intermediate leaves the small
        integers.
        """
        if name not in self.scales:
            raise ValueError("mux: this board has no input %s" % name)
        return self.scales[name]


def _crc(text: str) -> int:
    return binascii.crc32(text.encode()) & 0xFFFFFFFF


def short_form(text: str, board: BoardData) -> str:
    """Return what `checked` reads: the outcome `board` of checking the board file's `text`."""
    source = json.loads(text)
    data = {name: source[name] for name in _AS_THEY_ARE if name in source}
    data["mux_grounds"] = list(board.mux_grounds)
    data["pins"] = {
        name: [pin.gpio, pin.is_inverted, pin.pull] for name, pin in board.pins.items()
    }
    data["scales"] = {name: list(scale) for name, scale in board.scales.items()}
    outcome = json.dumps(data)
    return "%d %d %d\n%s" % (_FORM, _crc(text), _crc(outcome), outcome)


def checked(text: str, short: str, platform: str = sys.platform):
    """Return the BoardData of the board file's `text`, or None where `short` does not prove it checked."""
    head, _, outcome = short.partition("\n")
    if head != "%d %d %d" % (_FORM, _crc(text), _crc(outcome)):
        return None
    try:
        return _made(json.loads(outcome), platform)
    except (KeyError, TypeError, IndexError):
        # Another version's form: checked anew.
        return None


def _made(data: dict, platform: str):
    if CHIP_OF_PLATFORM.get(platform, data["chip"]) != data["chip"]:
        return None
    pins = {}
    for name, pin in data["pins"].items():
        pins[name] = PinEntry(pin[0], pin[1], pin[2])
    scales = {}
    for name, scale in data["scales"].items():
        scales[name] = tuple(scale)
    return BoardData(data, pins, scales, tuple(data["mux_grounds"]))
