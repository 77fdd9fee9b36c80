"""Let go of every pin that could drive something. Needs no board file, so it works before anything is known."""

import sys

from machine import Pin

# Pins that a board may use for outputs, by platform.
PINS = {
    # GPIO 23..25 and 29 are the Pico's own regulator, supply sense and LED.
    "rp2": tuple(range(23)) + (26, 27, 28),
    # GPIO 6..11 are the flash, 1 and 3 the console, 34..39 inputs only.
    "esp32": (0, 2, 4, 5) + tuple(range(12, 20)) + (21, 22, 23, 25, 26, 27, 32, 33),
}

_ADC_FIRST = 26


def release_all(make_pin=Pin, pins=None) -> int:
    """Make every pin an input and return how many were released.

    On the RP2040 with its pull-down, as after a reset, but for the ADC's pins: a pull would bend what they measure.
    On the ESP32 without, since some of its pins choose how it starts. A pin that this chip lacks is passed over: the other pins still have to be released.
    """
    released = 0
    for number in PINS[sys.platform] if pins is None else pins:
        try:
            if sys.platform == "rp2" and number < _ADC_FIRST:
                make_pin(number, Pin.IN, Pin.PULL_DOWN)
            else:
                make_pin(number, Pin.IN)
            released += 1
        except ValueError:
            continue
    return released
