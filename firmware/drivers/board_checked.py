"""The short form of a checked board file, which a board reads at its boot.

Checking a board file (drivers/board_file.py) takes a board a tenth of its boot, and the flash tool has done it before: it
leaves the outcome beside the board file, with the CRC-32 of the text it belongs to and its own. Where either is not what
is there, the board checks it all by itself.
"""

import binascii
import json
import sys

from micropython import const

from drivers.board_data import CHIP_OF_PLATFORM, BoardData, PinEntry

CHECKED_FILE = "board.checked"
_FORM = const(1)

_AS_THEY_ARE = (
    "name", "chip", "adc_ref_mv", "mux", "reference_mv", "ac_current", "motor", "watchdog_ms", "spi", "can", "lines",
    "light_ws2812",
)  # fmt: skip


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


def checked(text: str, short: str, platform: str = ""):
    """Return the BoardData of the board file's `text`, or None where `short` does not prove it checked."""
    head, _, outcome = short.partition("\n")
    if head != "%d %d %d" % (_FORM, _crc(text), _crc(outcome)):
        return None
    try:
        return _made(json.loads(outcome), platform or sys.platform)
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
