"""Every number and table that the rules judge by, taken from the healthy firmware; nothing is written down a second time."""

from typing import Any

from inletctl.prove.firmware import healthy

_fw = healthy()
faults: Any = _fw["faults"]
interlock: Any = _fw["interlock"]
release: Any = _fw["release"]
handoff: Any = _fw["handoff"]
unlock: Any = _fw["unlock"]
connector: Any = _fw["connector"]
settings: Any = _fw["settings"]
charger: Any = _fw["charger"]
actuator: Any = _fw["lock.actuator"]
bridge: Any = _fw["lock.bridge"]
feedback: Any = _fw["lock.feedback"]
lock_params: Any = _fw["lock.params"]
capture: Any = _fw["pilot.capture"]
control: Any = _fw["pilot.control"]
duty: Any = _fw["pilot.duty"]
level: Any = _fw["pilot.level"]
proximity: Any = _fw["pilot.proximity"]
channel: Any = _fw["thermal.channel"]
convert: Any = _fw["thermal.convert"]
thermal_params: Any = _fw["thermal.params"]
step: Any = _fw["step"]
ticks: Any = _fw["ticks"]
signals: Any = _fw["signals"]

PASS_MS = 10

# --- faults.py -------------------------------------------------------------------------------------------------------
REASONS = tuple(str(row[faults.ROW_NAME]) for row in faults.SHUTDOWN)
WAIT_MS = tuple(int(row[faults.ROW_WAIT_MS]) for row in faults.SHUTDOWN)
REST_MS = tuple(int(row[faults.ROW_REST_MS]) for row in faults.SHUTDOWN)
CURRENT_MS = tuple(int(row[faults.ROW_CURRENT_MS]) for row in faults.SHUTDOWN)
S2_MS = tuple(int(row[faults.ROW_S2_MS]) for row in faults.SHUTDOWN)


def bit(name: str) -> int:
    """Return the mask of the reason of this name in faults.SHUTDOWN."""
    return 1 << REASONS.index(name)


def rows_with(table: Any, column: int, value: Any) -> int:
    """Return the mask of the rows of `table` whose `column` holds `value`."""
    return sum(1 << n for n, row in enumerate(table) if row[column] == value)


NOW = rows_with(faults.SHUTDOWN, faults.ROW_ORDER, faults.NOW)
COUNTED = rows_with(faults.SHUTDOWN, faults.ROW_COUNTED, True)
UNPLUG_REASONS = rows_with(faults.SHUTDOWN, faults.ROW_CLEARS, faults.UNPLUG)
UNPLUG_FAULTS = rows_with(faults.FAULTS, faults.FAULT_CLEARS, faults.UNPLUG)
SERVICE_FAULTS = rows_with(faults.FAULTS, faults.FAULT_CLEARS, faults.SERVICE)
SERVICE_HOLDS = rows_with(faults.HOLDS, faults.HOLD_CLEARS, faults.SERVICE)
_FORCED_BY_FAULTS = tuple(int(row[faults.FAULT_REASON]) for row in faults.FAULTS)
_FORCED_BY_HOLDS = tuple(int(row[faults.HOLD_REASON]) for row in faults.HOLDS)
FORCING_FAULTS = sum(1 << n for n, forced in enumerate(_FORCED_BY_FAULTS) if forced)
INTERLOCKING_HOLDS = rows_with(faults.HOLDS, faults.HOLD_REASON, faults.INTERLOCKED)


def forced_by_faults(mask: int) -> int:
    """Return the reasons that these faults force."""
    return _forced(mask, _FORCED_BY_FAULTS)


def forced_by_holds(mask: int) -> int:
    """Return the reasons that these holds force."""
    return _forced(mask, _FORCED_BY_HOLDS)


def _forced(mask: int, forces: tuple[int, ...]) -> int:
    reasons = 0
    while mask:
        low = mask & -mask
        reasons |= forces[low.bit_length() - 1]
        mask ^= low
    return reasons


def names(mask: int) -> str:
    """Return the names of reasons, with blanks between them."""
    return " ".join(name for n, name in enumerate(REASONS) if mask >> n & 1)


def fault_names(mask: int) -> str:
    """Return the names of faults, with blanks between them."""
    return " ".join(faults.names(faults.FAULTS, mask))


def hold_names(mask: int) -> str:
    """Return the names of holds, with blanks between them."""
    return " ".join(faults.names(faults.HOLDS, mask))


def shortest_wait_ms(reasons: int) -> int:
    """Return the least bounded wait of these reasons."""
    return min((ms for n, ms in enumerate(WAIT_MS) if reasons >> n & 1), default=0)


def longest_rest_ms(reasons: int) -> int:
    """Return the longest rest of these reasons."""
    return max((ms for n, ms in enumerate(REST_MS) if reasons >> n & 1), default=0)


# --- interlock.py, release.py, unlock.py, handoff.py -------------------------------------------------------------------
SESSIONS = interlock.SESSION_NAMES
MAY_FOLLOW = tuple(frozenset(row) for row in interlock._NEXT)
CLOSED_IN = frozenset(n for n, is_closed in enumerate(interlock._S2_CLOSED) if is_closed)
SHOW_B_MS = interlock._SHOW_B_MS
OFF_MS = interlock._OFF_MS
FORGIVE_MS = interlock._FORGIVE_MS
MAX_DOUBLINGS = interlock._MAX_DOUBLINGS
NO_CURRENT_MA = release.NO_CURRENT_MA
LIVE_DC_MV = release.LIVE_DC_MV
DEAD_MEASURED_MS = release._DEAD_MEASURED_MS
DEAD_UNMEASURED_MS = release._DEAD_UNMEASURED_MS
INSIST_MS = unlock.INSIST_MS
TOGGLE_MAY = handoff._TOGGLE_MAY
TOGGLE_MS = handoff._TOGGLE_MS
MODEM_SILENT_MS = handoff.MODEM_SILENT_MS
DC_MAY = step._DC_MAY

# --- lock/ -----------------------------------------------------------------------------------------------------------
LOCKED_STATES = frozenset(n for n, is_locked in enumerate(actuator._LOCKED) if is_locked)
UNLOCKED_STATES = frozenset(n for n, is_open in enumerate(actuator._UNLOCKED) if is_open)
DRIVE_OF_STATE = actuator._DRIVE
LOCK_STATES = actuator.LOCK_STATE_NAMES
CAP_MS = lock_params.LockParams().cap_ms
DEAD_TIME_MS = bridge._DEAD_MS
BUDGET_MS = bridge._BUDGET_MS
BUDGET_SPAN_MS = bridge._SLOT_MS * (bridge._SLOTS - 1)

# --- pilot/ ----------------------------------------------------------------------------------------------------------
STATES_B = frozenset((control.STATE_B1, control.STATE_B2))
STATE_A = control.STATE_A
QUIET_MS = capture.QUIET_MS
PLUG_OUT_MS = proximity._UNPLUGGED_MS
DRIVE_MS = proximity._DRIVE_MS
