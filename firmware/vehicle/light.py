"""The port's light: one pattern for what is going on, picked from a table.

Plain values in, a pattern out; the driver of the light knows what a pattern looks like.
"""

from micropython import const

from faults import (
    BELOW_MINIMUM,
    F_LOCK_REVERSED,
    F_TEMP_DISAGREE,
    F_UNEXPECTED_CLOSE,
    PERSON_STOP,
    PILOT_DIGITAL,
    PILOT_STEADY,
    RETRIES,
    SERVICE_MODE,
)

DARK = const(0)
READY = const(1)
WAITING = const(2)
CHARGING = const(3)
DERATED = const(4)
STOPPED = const(5)
RELEASED = const(6)
FAULT = const(7)
SERVICE = const(8)
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
)

# fmt: off
# By interlock session state: unplugged, waiting, charging, stopping, resting, released.
_BY_SESSION = (DARK, READY, CHARGING, STOPPED, WAITING, RELEASED)
# fmt: on
_WARNINGS = F_TEMP_DISAGREE | F_UNEXPECTED_CLOSE | F_LOCK_REVERSED
_WAITS = PILOT_STEADY | PILOT_DIGITAL | BELOW_MINIMUM | PERSON_STOP
_LIMIT_TEMPERATURE = const(3)  # interlock.LIMIT_TEMPERATURE, as a plain value
_SESSION_WAITING = const(1)
_SESSION_CHARGING = const(2)


def pattern(session: int, reasons: int, faults: int, limiter: int) -> int:
    """Return the LIGHT_ pattern for this pass.

    Service mode shows before anything else, so that a person sees that it is on; then a fault, or tries used up. A wait
    never looks like one.
    """
    if reasons & SERVICE_MODE:
        return SERVICE
    if faults & ~_WARNINGS or reasons & RETRIES:
        return FAULT
    if session == _SESSION_CHARGING and limiter == _LIMIT_TEMPERATURE:
        return DERATED
    if session == _SESSION_WAITING and reasons & _WAITS:
        return WAITING
    return _BY_SESSION[session]
