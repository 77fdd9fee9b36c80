"""The light's patterns by name, and which looks a person may give them. Loaded only where the settings ask for one.

Red is the fault's alone, and flashing the fault's and service mode's: the bounds in setting_rows.TABLE keep the styles apart,
`why_not` the colours.
"""

from micropython import const

from vehicle.light import DARK, FAULT, LOOKS, SERVICE

# What each looks like as shipped.
LIGHT_NAMES = (
    "dark",
    "blue steady",
    "amber slow",
    "green pulsing",
    "green-amber pulsing",
    "blue slow",
    "white steady",
    "red flashing",
    "white flashing",
    "green steady",
    "amber double",
    "amber steady",
    "violet slow",
    "green breathing",
)
# The setting that says how a pattern looks, by pattern. Dark has none: it is dark.
KEYS = (
    "",
    "light_ready",
    "light_waiting",
    "light_charging",
    "light_derated",
    "light_stopped",
    "light_released",
    "light_fault",
    "light_service",
    "light_complete",
    "light_reseat",
    "light_scheduled",
    "light_out_of_service",
    "light_nearly_full",
)

_STEADY = const(1)


def is_red(colour: int) -> bool:
    """Tell whether a person would call 0xRGB red: green and blue at a quarter of it or less."""
    red = colour >> 8
    return red > 0 and (colour >> 4 & 0xF) * 4 <= red and (colour & 0xF) * 4 <= red


def why_not(shown: int, look: int) -> str:
    """Return why pattern `shown` must not have this look, within the bounds of its setting; "" where it may."""
    first = look & 0xFFF
    second = look >> 12 & 0xFFF
    if shown == FAULT:
        return "" if is_red(first) else "a fault is red"
    if shown == SERVICE:
        # Neither red nor amber, whoever looks.
        is_apart = (first & 0xF) * 2 >= first >> 8
        return "" if is_apart else "it needs blue of at least half its red, or looks like a fault"
    if not first:
        return "black would look like nothing going on; a faint light is 001"
    if is_red(first) or is_red(second):
        return "red is the fault's alone"
    if look >> 24 == _STEADY and second:
        return "a steady light has one colour"
    return ""


def made(settings) -> tuple:
    """Return the look of every pattern by these settings. What must not be is named in `settings.rejected`.

    Its default is used then: what a light must not look like could be taken for another.
    """
    found = [LOOKS[DARK]]
    for n in range(1, len(KEYS)):
        key = KEYS[n]
        look = getattr(settings, key)
        if key in settings.given:
            reason = why_not(n, look)
            if reason:
                look = LOOKS[n]
                settings.rejected.append("%s: %s; its default is used" % (key, reason))
        found.append(look)
    return tuple(found)
