"""The board file's optional part: an SPI bus with a CAN controller and a port expander. Pins only; no hardware is touched.

Sources: RPD = RP2040 datasheet (1.4.3 GPIO functions), ESPD = ESP32 datasheet (3.3 strapping; 4.2: the matrix brings any
signal to any pin). The crystals are those that drivers/mcp2515.py makes its rates from.
"""

from drivers.board_shape import (
    BoardFileError,
    check_keys,
    is_int,
    listed,
    shown,
)

_CRYSTALS_HZ = (8000000, 16000000)
_BUS = ("sck", "mosi", "miso")
_KEYS = {"spi": _BUS, "can": ("cs", "crystal_hz"), "lines": ("cs",)}
# RPD 1.4.3: a GPIO's place among its four says which signal of SPI it can be.
_RP2040_PLACE = {"miso": 0, "sck": 2, "mosi": 3}
# Must be low while the chip starts (ESPD 3.3). Chip selects have a pull-up, and MISO is the other side's.
_ESP32_LOW = (2, 12)
# May be clock and data as well: the bus moves only while nobody converts, and whoever converts selects first.
SELECT_PINS = ("mux_0", "mux_1", "mux_2", "mux_3")


def check_spi(data: dict, pins: dict, usable: tuple, inputs: tuple) -> None:
    """Check `spi`, `can` and `lines` of a board file whose other pins are good. Raises BoardFileError.

    `usable`, `inputs`: GPIO of the chip that may be used, and those that are inputs only.
    """
    for name in ("can", "lines"):
        if name in data and "spi" not in data:
            raise BoardFileError("%s has no spi to hang on: add spi, or delete %s" % (name, name))
    if "spi" not in data:
        return
    if "can" not in data and "lines" not in data:
        raise BoardFileError("spi has neither can nor lines: add one of them, or delete spi")
    checker = _Checker(data, pins, usable, inputs)
    for name in ("spi", "can", "lines"):
        if name in data:
            checker.check(name)


class _Checker:
    def __init__(self, data: dict, pins: dict, usable: tuple, inputs: tuple):
        self._data = data
        self._is_rp2040 = data["chip"] == "rp2040"
        self._usable = usable
        self._inputs = inputs
        self._owners = {}
        for name, pin in pins.items():
            self._owners[pin.gpio] = name

    def check(self, name: str) -> None:
        section = self._data[name]
        if not isinstance(section, dict):
            raise BoardFileError("%s is %s, not an object: write {...}" % (name, shown(section)))
        check_keys(name, section, _KEYS[name])
        if name == "spi":
            self._check_bus(section)
            return
        self._check_gpio(section, name, "cs")
        self._own(section["cs"], name + " cs")
        if name == "can" and section["crystal_hz"] not in _CRYSTALS_HZ:
            raise BoardFileError(
                "can: crystal_hz is %s: write %s"
                % (shown(section["crystal_hz"]), listed(_CRYSTALS_HZ))
            )

    def _check_gpio(self, section: dict, where: str, key: str) -> None:
        """Raise where the pin cannot do what the key needs."""
        gpio = section[key]
        if not is_int(gpio) or gpio not in self._usable:
            raise BoardFileError(
                "%s: %s: GPIO %s is not on this board or used by the module itself: choose one of %s"
                % (where, key, shown(gpio), listed(self._usable))
            )
        if key != "miso" and gpio in self._inputs:
            raise BoardFileError(
                "%s: %s: GPIO %d is an input only: choose another" % (where, key, gpio)
            )
        if not self._is_rp2040 and key in ("cs", "miso") and gpio in _ESP32_LOW:
            raise BoardFileError(
                "%s: %s: GPIO %d is a strapping pin that must be low while the chip starts: choose another"
                % (where, key, gpio)
            )

    def _own(self, gpio: int, name: str) -> None:
        if gpio in self._owners:
            raise BoardFileError(
                "%s and %s are both on GPIO %d: move one of them"
                % (self._owners[gpio], name, gpio)
            )
        self._owners[gpio] = name

    def _check_bus(self, spi: dict) -> None:
        shared = []
        for key in _BUS:
            self._check_gpio(spi, "spi", key)
            if self._is_rp2040:
                self._check_place(spi, key)
            elif key != "miso" and self._owners.get(spi[key]) in SELECT_PINS:
                shared.append(key)
                self._owners[spi[key]] = "spi " + key
                continue
            self._own(spi[key], "spi " + key)
        if len(shared) == 1:
            # Driven as plain pins, or by the SPI block: not one of each.
            raise BoardFileError(
                "spi: %s is a multiplexer's line and the other of sck and mosi is not: share both, or none"
                % shared[0]
            )

    def _check_place(self, spi: dict, key: str) -> None:
        """Raise where a signal is not at its place, or not on the block of the first (RPD 1.4.3)."""
        place = _RP2040_PLACE[key]
        block = spi["sck"] >> 3 & 1
        if spi[key] & 3 != place or spi[key] >> 3 & 1 != block:
            fitting = tuple(
                [
                    gpio
                    for gpio in self._usable
                    if gpio & 3 == place and (key == "sck" or gpio >> 3 & 1 == block)
                ]
            )
            raise BoardFileError(
                "spi: %s: GPIO %d cannot be that on SPI%d: choose one of %s"
                % (key, spi[key], block, listed(fitting))
            )
