"""How each reason of faults.SHUTDOWN comes about at the interlock: what to spoil in its inputs."""

from faults import (
    BELOW_MINIMUM,
    CHARGER_FAULT,
    F_CHARGER_OVER,
    F_FAILED_LOCK,
    F_INTERNAL,
    F_LOCK_SENSE,
    F_OVER_TEMPERATURE,
    F_S2_STUCK_OPEN,
    F_TEMP_OPEN,
    H_HVIL,
    H_WINDOW,
    HELD,
    INTERLOCKED,
    INTERNAL,
    LOCK_FAILED,
    LOCK_LOST,
    NO_PLUG,
    NOT_LOCKED,
    PERSON_STOP,
    PILOT_DIGITAL,
    PILOT_DUTY,
    PILOT_E,
    PILOT_F,
    PILOT_FREQUENCY,
    PILOT_INVALID,
    PILOT_LOST,
    PILOT_STEADY,
    PP_BUTTON,
    PP_INVALID,
    S2_FAULT,
    TEMP_HIGH,
    TEMP_SENSOR,
    VEHICLE_NO,
    VEHICLE_SILENT,
)

# Reported as a reason by the pilot or the proximity.
_REPORTED = (
    PILOT_E, PILOT_F, PILOT_LOST, PILOT_INVALID, PILOT_FREQUENCY, PILOT_DUTY, PILOT_DIGITAL,
    PILOT_STEADY, NO_PLUG, PP_INVALID, PP_BUTTON,
)  # fmt: skip
_NOT_PLUGGED = (NO_PLUG, PP_INVALID, PP_BUTTON)
# Forced by a fault of a room.
_FORCED = {
    LOCK_LOST: F_LOCK_SENSE,
    TEMP_HIGH: F_OVER_TEMPERATURE,
    TEMP_SENSOR: F_TEMP_OPEN,
    S2_FAULT: F_S2_STUCK_OPEN,
    CHARGER_FAULT: F_CHARGER_OVER,
    INTERNAL: F_INTERNAL,
    LOCK_FAILED: F_FAILED_LOCK,
}
# Forced by a hold of the car's side.
_ASKED = {HELD: H_WINDOW, INTERLOCKED: H_HVIL}
# Concluded by the interlock: input, bad value, good value.
_CONCLUDED = {
    VEHICLE_SILENT: ("vehicle_age_ms", 501, 0),
    VEHICLE_NO: ("vehicle_permits", False, True),
    PERSON_STOP: ("stop_request", True, False),
    NOT_LOCKED: ("is_locked", False, True),
    BELOW_MINIMUM: ("offered_ma", 5999, 32000),
}
# All that can end a charge; show_b, rest and retries exist only while S2 is open.
CAUSES = (*_REPORTED, *_FORCED, *_ASKED, *_CONCLUDED)


def spoil(i, cause: int) -> None:
    """Make `cause` the one reason against charging."""
    if cause in _CONCLUDED:
        name, bad, _ = _CONCLUDED[cause]
        setattr(i, name, bad)
    elif cause in _FORCED:
        i.faults |= _FORCED[cause]
    elif cause in _ASKED:
        i.holds |= _ASKED[cause]
    else:
        i.reasons |= cause
        if cause in _NOT_PLUGGED:
            i.is_plugged = False


def mend(i, cause: int) -> None:
    """Take the cause away again."""
    if cause in _CONCLUDED:
        name, _, good = _CONCLUDED[cause]
        setattr(i, name, good)
    elif cause in _FORCED:
        i.faults &= ~_FORCED[cause]
    elif cause in _ASKED:
        i.holds &= ~_ASKED[cause]
    else:
        i.reasons &= ~cause
        i.is_plugged = True
