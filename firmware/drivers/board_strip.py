"""The board file's optional strip of WS2812 LEDs: `light_ws2812`. A pin and two numbers; no hardware is touched."""

from micropython import const

from drivers.board_shape import BoardFileError, is_int, listed, number, section

NAME = "light_ws2812"
# 16 LEDs: 0.5 ms on the wire, which an ESP32 waits for.
_COUNT_MAX = const(16)


def names_without(data: dict, names: tuple, lights: tuple) -> tuple:
    """Return the pins a board file has to name: `names`, but none of `lights` where a strip stands in for all of them."""
    if NAME not in data or not isinstance(data["pins"], dict):
        return names
    for name in lights:
        if name in data["pins"]:
            return names
    return tuple([name for name in names if name not in lights])


def check_strip(data: dict, pins: dict, usable: tuple, inputs: tuple) -> None:
    """Check `light_ws2812` of a board file whose other pins are good. Raises BoardFileError.

    `usable`, `inputs`: GPIO of the chip that may be used, and those that are inputs only.
    """
    if NAME not in data:
        return
    section(data, NAME, ("gpio", "count", "brightness_pct"))
    strip = data[NAME]
    number(strip, "count", 1, _COUNT_MAX, NAME)
    number(strip, "brightness_pct", 1, 100, NAME)
    gpio = strip["gpio"]
    if not is_int(gpio) or gpio not in usable or gpio in inputs:
        raise BoardFileError(
            "%s: gpio cannot be an output of this board: choose one of %s"
            % (NAME, listed(tuple([one for one in usable if one not in inputs])))
        )
    for name in sorted(pins):
        if pins[name].gpio == gpio:
            raise BoardFileError(
                "%s and %s are both on GPIO %d: move one of them" % (NAME, name, gpio)
            )
    for name in ("spi", "can", "lines"):
        for key in sorted(data.get(name, {})):
            if key != "crystal_hz" and data[name][key] == gpio:
                raise BoardFileError(
                    "%s and %s %s are both on GPIO %d: move one of them" % (NAME, name, key, gpio)
                )
