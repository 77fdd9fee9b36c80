"""The light as people read and write it: `pulse:0f0`, what each pattern tells, and docs/light.md.

Numbers and priorities are vehicle.light's, keys vehicle.looks', looks setting_rows.TABLE's, steps drivers.light_out's; here are only words.
"""

from typing import Any

from inletctl.errors import UserError
from inletctl.house import use_firmware

use_firmware()

from drivers.light_out import STYLES, LightOut  # noqa: E402, F401 - a board's own player
from setting_rows import ROW_DEFAULT, ROW_MAX, ROW_MIN, find  # noqa: E402
from vehicle.light import (  # noqa: E402
    FAULT,
    ROW,
    SERVICE,
    TABLE,
)
from vehicle.looks import KEYS, LIGHT_NAMES, why_not  # noqa: E402

STYLE_NAMES = ("off", "steady", "slow", "pulse", "breathe", "double", "flash")
# What a person is told of each style.
_STYLE_WORDS = (
    "no light",
    "all the time",
    "a second on, a second off",
    "a breath in 2 s",
    "a breath in 4 s",
    "two blinks in 1.5 s",
    "twice a second",
)
EXAMPLE = "pulse:0f0"
_FIRST = 0xFFF

# By pattern: (short word, what it means, what to do).
# fmt: off
MEANINGS = (
    ("dark",           "no plug, or asleep", "nothing"),
    ("ready",          "plugged in, locking or ready; the car or the station begins", "nothing; if it stays, see whether the car wants to charge"),
    ("waiting",        "waiting: the station pauses or offers too little, a person stopped, or the car is not ready (gear, permission, limit)", "`inletctl monitor` names the reason; it goes on by itself when the reason is gone"),
    ("charging",       "charging", "nothing"),
    ("derated",        "charging with less current: a contact is warm", "nothing; if it comes often, have plug and inlet contacts looked at"),
    ("stopping",       "current goes to 0, then S2 opens", "wait"),
    ("released",       "unlocked and dead", "pull the cable"),
    ("fault",          "something is broken, or too many tries in this plug-in", "pull the plug and insert it again; if it comes back, `inletctl monitor` names the fault (docs/shutdown.md)"),
    ("service",        "service mode: a person tests the board, nothing charges", "end it with `inletctl monitor`, or wait until it ends by itself"),
    ("complete",       "charged: the target is reached, or the car has ended", "unlock and pull the cable when you like"),
    ("reseat",         "the plug looks partly inserted", "push it in, or pull it and insert it again"),
    ("scheduled",      "waits for its charge window", "nothing; to charge now, change the window (docs/settings.md)"),
    ("out of service", "the port is out of service or decommissioned", "use another port"),
    ("nearly full",    "charging, the battery is nearly full", "nothing"),
)
# fmt: on


def name_of_look(look: int) -> str:
    """Return a look as it is typed, `pulse:0f0` or `slow:00f/f60`."""
    style = look >> 24
    if not 0 <= style < len(STYLE_NAMES):
        return "?%d" % look
    if not style:
        return STYLE_NAMES[0]
    text = "%s:%03x" % (STYLE_NAMES[style], look & _FIRST)
    second = look >> 12 & _FIRST
    return "%s/%03x" % (text, second) if second else text


def parse_look(key: str, text: str) -> int:
    """Return the look that `text` spells for setting `key`. Raises UserError, one sentence."""
    word, _, colours = text.strip().lower().partition(":")
    if word not in STYLE_NAMES:
        raise UserError(
            "%s is a style and a colour such as %s, not '%s': styles are %s."
            % (key, EXAMPLE, text[:40], ", ".join(_styles_of(key)))
        )
    if word not in _styles_of(key):
        raise UserError("%s cannot be %s: %s." % (key, word, _why_not_style(key, word)))
    first, sign, second = colours.partition("/")
    look = STYLE_NAMES.index(word) << 24 | _colour(key, first, text)
    if sign:
        look |= _colour(key, second, text) << 12
    _check(key, look)
    return look


def _colour(key: str, text: str, whole: str) -> int:
    """Return 0xRGB."""
    digits = text.removeprefix("#")
    if len(digits) == 3 and all(digit in "0123456789abcdef" for digit in digits):
        return int(digits, 16)
    raise UserError(
        "%s: a colour is three digits 0..f for red, green and blue, as in %s, not '%s'."
        % (key, EXAMPLE, whole[:40])
    )


def _check(key: str, look: int) -> None:
    """Raise UserError where pattern `key` must not look so: it could be taken for another."""
    row: Any = find(key)
    pattern = KEYS.index(key)
    reason = why_not(pattern, look)
    if not reason and not row[ROW_MIN] <= look <= row[ROW_MAX]:
        if look >> 12 & _FIRST:
            reason = "it is dark between its flashes, so it has one colour"
        else:
            reason = "it must be bright, a level of 8 or more"
    if reason:
        raise UserError("%s cannot be %s: %s." % (key, name_of_look(look), reason))


def looks_of(key: str) -> str:
    """Return what the setting `key` may be, in words for docs/settings.md."""
    return "%s : colour" % ", ".join(_styles_of(key))


def _styles_of(key: str) -> list[str]:
    row: Any = find(key)
    return list(STYLE_NAMES[row[ROW_MIN] >> 24 : (row[ROW_MAX] >> 24) + 1])


def _why_not_style(key: str, word: str) -> str:
    if KEYS.index(key) in (FAULT, SERVICE):
        return "only flash cannot be taken for another pattern"
    if word == "off":
        return "dark means that nothing is plugged in; a faint light is a low level, such as steady:001"
    return "flash is kept for faults and service mode"


def default_look(pattern: int) -> int:
    """Return the look of a pattern as shipped."""
    row: Any = find(KEYS[pattern])
    return row[ROW_DEFAULT] if row else 0


def rgb_of(colour: int) -> tuple[int, int, int]:
    """Return 0xRGB as 0..255 each, for a screen, whose levels follow the eye already."""
    return (colour >> 8) * 17, (colour >> 4 & 0xF) * 17, (colour & 0xF) * 17


def priorities() -> list[int]:
    """Return every pattern once, in the order in which they win over each other; the session's own come last."""
    order = list(dict.fromkeys(TABLE[::ROW]))
    return order + [n for n in range(len(KEYS)) if n not in order]


def light_page() -> str:
    """Return docs/light.md."""
    rows = []
    for pattern in priorities():
        word, meaning, remedy = MEANINGS[pattern]
        look = default_look(pattern)
        rows.append(
            "| %d | %s | %s | %s | %s | %s | %s |"
            % (
                pattern,
                word,
                LIGHT_NAMES[pattern],
                _STYLE_WORDS[look >> 24],
                meaning,
                remedy,
                "`%s=%s`" % (KEYS[pattern], name_of_look(look))
                if KEYS[pattern]
                else "always dark",
            )
        )
    styles = [
        "| `%s` | %s | %d |" % (name, words, STYLES[n][0])
        for n, (name, words) in enumerate(zip(STYLE_NAMES, _STYLE_WORDS, strict=True))
        if n
    ]
    return _PAGE % ("\n".join(rows), "\n".join(styles))


_PAGE = """# The light

<!-- Printed by `inletctl docs` from firmware/vehicle/light.py, firmware/vehicle/looks.py, firmware/setting_rows.py and inletctl/light.py. Do not edit: change the data and print again. -->

What the light at the inlet says. Where more than one holds, the one higher up is shown; the last ones follow the session.
`inletctl light` plays them in the terminal.

| number | pattern | as shipped | rate | means | what to do | setting |
|---|---|---|---|---|---|---|
%s

Asleep, the light is dark; only a fault at a plugged port, and service mode, still show. *Dark* has no setting. A car that
reports its state of charge on CAN lets the light breathe slower once it is nearly full.

## Other colours

Each pattern's look is a setting: `inletctl settings set light_charging=pulse:0f0 --port PORT`. A look is a style and a
colour, three digits 0..f for red, green and blue; a second colour after `/` is shown in turn with the first:
`light_ready=slow:00f/0f0`.

| style | how | one step (ms) |
|---|---|---|
%s

What could be taken for something else is refused, and where a board finds it stored, it uses the default and says so:

- red is the fault's alone, and a fault is red, bright and flashing: nobody has to know your colours to see that it is one;
- flashing is kept for faults and service mode, so that those who do not see red tell them by their rhythm;
- service mode is neither red nor amber;
- nothing but dark is dark: a faint light, such as `steady:001`, can be had, none cannot.

## What lights up

Three PWM outputs for red, green and blue (`light_red`, `light_green`, `light_blue` in the board file), a strip or ring of
WS2812 LEDs that all show the same, or both. The strip is one entry of the board file beside `pins`:

    "light_ws2812": {"gpio": 0, "count": 8, "brightness_pct": 40}

`count` 1..16, `brightness_pct` 1..100 of full; one LED at full white takes 60 mA. The data line wants 5 V levels: a
3.3 V chip needs a level shifter, and a resistor of some 330 ohm at its output. When the board lets go of its outputs it
sends "dark" first; a chip that hangs leaves the strip as it was until the watchdog has reset it and the board is made
anew. With a strip, the three PWM pins may be left out, all of them or none.
"""
