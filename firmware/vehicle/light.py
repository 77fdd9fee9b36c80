"""The port's light: one pattern for what is going on, picked from a table, and how the settings make it look.

Plain values in, a pattern out; the driver of the light (drivers/light_out.py) knows how to play a look and nothing of what
it means. What each pattern tells a person is in docs/light.md; which looks a person may choose, in vehicle/looks.py.
"""

from micropython import const

# Not name by name: this module's own dictionary would grow, and the boot with it.
import faults as f

# Numbers are in traces, on CAN and in reports: never reused.
DARK = const(0)
READY = const(1)
WAITING = const(2)
CHARGING = const(3)
DERATED = const(4)
STOPPED = const(5)
RELEASED = const(6)
FAULT = const(7)
SERVICE = const(8)
COMPLETE = const(9)
RESEAT = const(10)
SCHEDULED = const(11)
OUT_OF_SERVICE = const(12)
NEARLY_FULL = const(13)
# A look is a number, 0xSBBBAAA: style S, colours A and B as 0xRGB with a level 0..15 each; drivers/light_out.py plays it.
# As shipped, the defaults of setting_rows.TABLE.
LOOKS = (
    0, 0x100000F, 0x2000F60, 0x30000F0, 0x3F600F0, 0x200000F, 0x1000FFF, 0x6000F00,
    0x6000FFF, 0x10000F0, 0x5000F60, 0x1000F60, 0x2000F0F, 0x40000F0,
)  # fmt: skip

# Sessions of the interlock as bits: unplugged, waiting, charging, stopping, resting, released.
_ALL = const(0b111111)
_PLUGGED = const(0b111110)
_IDLE = const(0b010010)  # waiting, resting
_NO_CURRENT = const(0b010011)  # unplugged too: a plug that is half in may read as none
_CHARGING = const(0b000100)
_WAITS = const(0b000010)
_IS_RELEASED = const(0b100000)
# Notes: what comes neither as a reason nor as a fault or hold.
_ASLEEP = const(1)
_HOT = const(2)  # the contacts' temperature sets the current
_ENDED = const(4)  # it has charged, and now the car itself wants no more
_NEARLY = const(8)  # the battery is nearly full

# What forces nothing and needs nobody.
_FAULTS = 0x3FFFFFFF & ~(f.F_TEMP_DISAGREE | f.F_UNEXPECTED_CLOSE | f.F_LOCK_REVERSED)
# What only a person can put right; and, with a plug in, the car's safety chain: a car that is off may open it.
_BAD_HOLDS = f.H_CRASH | f.H_BAD_SETTING
_BAD_PLUGGED_HOLDS = _BAD_HOLDS | f.H_HVIL | f.H_INSULATION | f.H_LINES
_CLOSED_HOLDS = f.H_OUT_OF_SERVICE | f.H_DECOMMISSIONED
_WAIT_REASONS = f.PILOT_STEADY | f.PILOT_DIGITAL | f.BELOW_MINIMUM | f.PERSON_STOP
_WAIT_HOLDS = (
    f.H_CAR_STARTING
    | f.H_CAN_BUS
    | f.H_VEHICLE_WIRE
    | f.H_NOT_PARKED
    | f.H_CONTACTORS  # a car that has not spoken yet has not said that they are open
    | f.H_PERSON_LIMIT
    | f.H_NO_MODEM
    | f.H_NO_SECTION
)
# With one of these it is not the car that has ended.
_NOT_ENDED_HOLDS = f.H_VEHICLE_WIRE | f.H_NOT_PARKED
_ENDS = f.VEHICLE_NO | f.PERSON_STOP
_VEHICLE_NO = f.VEHICLE_NO

# In order of priority: a row holds where the session is one of its own and any bit of the other columns is there. The
# first that holds is shown; where none does, _BY_SESSION is. One tuple, ROW values a row: it costs the boot least.
# fmt: off
TABLE = (
    # pattern       sessions      notes    reasons        faults   holds
    SERVICE,        _ALL,         0,       f.SERVICE_MODE, 0,      0,
    FAULT,          _PLUGGED,     0,       f.RETRIES,     _FAULTS, _BAD_PLUGGED_HOLDS,
    DARK,           _ALL,         _ASLEEP, 0,             0,       0,
    FAULT,          _ALL,         0,       f.RETRIES,     _FAULTS, _BAD_HOLDS,
    RELEASED,       _IS_RELEASED, -1,      -1,            0,       -1,
    OUT_OF_SERVICE, _ALL,         0,       0,             0,       _CLOSED_HOLDS,
    RESEAT,         _NO_CURRENT,  0,       0,             0,       f.H_RESEAT,
    COMPLETE,       _IDLE,        _ENDED,  0,             0,       f.H_TARGET,
    SCHEDULED,      _IDLE,        0,       0,             0,       f.H_WINDOW,
    WAITING,        _WAITS,       0,       _WAIT_REASONS, 0,       _WAIT_HOLDS,
    DERATED,        _CHARGING,    _HOT,    0,             0,       0,
    NEARLY_FULL,    _CHARGING,    _NEARLY, 0,             0,       0,
)
# By interlock session state: unplugged, waiting, charging, stopping, resting, released.
_BY_SESSION = (DARK, READY, CHARGING, STOPPED, WAITING, RELEASED)
# fmt: on
ROW = const(6)
_END = const(72)

# What makes the table worth reading: mostly nothing is there, and the pass is short.
_ANY_REASON = f.SERVICE_MODE | f.RETRIES | _WAIT_REASONS
_ANY_HOLD = _BAD_PLUGGED_HOLDS | _CLOSED_HOLDS | f.H_RESEAT | f.H_TARGET | f.H_WINDOW | _WAIT_HOLDS

_LIMIT_TEMPERATURE = const(3)  # limits.LIMIT_TEMPERATURE, as a plain value
_SESSION_CHARGING = const(2)


def pattern(  # noqa: PLR0913, PLR0917 - plain values, and no tuple in a pass
    session: int,
    reasons: int,
    faults: int,
    limiter: int,
    holds: int = 0,
    is_asleep: bool = False,
    has_charged: bool = False,
    is_nearly_full: bool = False,
) -> int:
    """Return the pattern for this pass. Masks as in faults.py; `has_charged`: in this plug-in.

    Service mode shows before anything else, so that a person sees that it is on; then a fault, or tries used up: with a
    plug in even while asleep. A wait never looks like one.
    """
    notes = _ASLEEP if is_asleep else 0
    if session == _SESSION_CHARGING:
        if limiter == _LIMIT_TEMPERATURE:
            notes |= _HOT
        if is_nearly_full:
            notes |= _NEARLY
    elif has_charged and reasons & _ENDS == _VEHICLE_NO and not holds & _NOT_ENDED_HOLDS:
        notes |= _ENDED
    if notes or reasons & _ANY_REASON or faults & _FAULTS or holds & _ANY_HOLD:
        table = TABLE
        bit = 1 << session
        at = 0
        while at < _END:
            if table[at + 1] & bit and (
                notes & table[at + 2]
                or reasons & table[at + 3]
                or faults & table[at + 4]
                or holds & table[at + 5]
            ):
                return table[at]
            at += ROW
    return _BY_SESSION[session]


def looks(settings) -> tuple:
    """Return the look of every pattern by these settings; what must not be is refused as vehicle.looks says."""
    for key in settings.given:
        if key.startswith("light_"):
            # Few ask for it, and the boot has no time for what nobody asked for.
            from vehicle.looks import made

            return made(settings)
    return LOOKS
