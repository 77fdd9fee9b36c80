"""The table of settings, their numbers, units, bounds and defaults, and what is made of those that are asked for.

Numbers in the first column are for storage and for the console, and are never reused.
"""

from micropython import const

from settings import (
    CAN_DIALECTS,
    CAN_RATES,
    INLETS,
    LOCK_FEEDBACKS,
    LOCK_KINDS,
    LOCK_POLICIES,
    SENSOR_KINDS,
)

CHOICES = {
    "inlet": INLETS,
    "lock_kind": LOCK_KINDS,
    "lock_feedback": LOCK_FEEDBACKS,
    "lock_policy": LOCK_POLICIES,
    "sensor_0": SENSOR_KINDS,
    "sensor_1": SENSOR_KINDS,
    "sensor_2": SENSOR_KINDS,
    "sensor_3": SENSOR_KINDS,
    "can": CAN_DIALECTS,
    "can_rate": CAN_RATES,
}

# (number, key, unit, minimum, maximum, default, tighter, help). `tighter` is -1 where a lower value is the stricter
# one, 1 where a higher one is, 0 where neither is.
# fmt: off
TABLE = (
    (1,  "inlet",                "choice", 0,     6,      1,     0,  "connector family of the inlet; never detected by itself"),
    (2,  "max_current_ma",       "mA",     6000,  80000,  32000, -1, "rated AC current of inlet and wiring, per phase"),
    (3,  "min_current_ma",       "mA",     6000,  16000,  6000,  1,  "smallest current the charger accepts"),
    (10, "pp_pullup_ohm",        "ohm",    100,   4700,   330,   0,  "PP pull-up on the board, measured"),
    (11, "pp_pulldown_ohm",      "ohm",    0,     100000, 2700,  0,  "PP pull-down at the inlet, measured; 0 = none fitted"),
    (12, "plug_debounce_ms",     "ms",     100,   5000,   500,   1,  "PP must be stable this long before the plug counts"),
    (20, "lock_kind",            "choice", 0,     1,      0,     0,  "actuator of the connector lock"),
    (21, "lock_feedback",        "choice", 0,     2,      2,     0,  "what tells the lock's position"),
    (22, "lock_policy",          "choice", 0,     2,      0,     0,  "AC charging when the lock failed: refuse, reduce, ignore (latch is elsewhere)"),
    (23, "lock_fail_ma",         "mA",     6000,  16000,  10000, -1, "current when the lock failed and the policy is reduce"),
    (24, "lock_run_ms",          "ms",     50,    1000,   600,   0,  "longest drive from end to end; not set = usual for the kind of actuator"),
    (25, "lock_cooldown_ms",     "ms",     500,   10000,  2650,  1,  "pause between two drives of one attempt series"),
    (26, "lock_attempts",        "count",  1,     5,      3,     -1, "drives before a lock or unlock counts as failed"),
    (27, "lock_stall_ma",        "mA",     0,     10000,  2000,  0,  "bridge current that means a stalled motor; 0 = not sensed"),
    (28, "lock_inverted",        "flag",   0,     1,      0,     0,  "1: motor wired so that positive drive unlocks"),
    (29, "lock_unlocked_min_mv", "mV",     0,     5000,   480,   0,  "feedback window of unlocked, low edge; not set = usual for the kind of feedback"),
    (30, "lock_unlocked_max_mv", "mV",     0,     5000,   680,   0,  "feedback window of unlocked, high edge; not set = usual for the kind of feedback"),
    (31, "lock_locked_min_mv",   "mV",     0,     5000,   2510,  0,  "feedback window of locked, low edge; not set = usual for the kind of feedback"),
    (32, "lock_locked_max_mv",   "mV",     0,     5000,   3210,  0,  "feedback window of locked, high edge; not set = usual for the kind of feedback"),
    (33, "lock_min_ma",          "mA",     0,     5000,   0,      0,  "without feedback: a drive that never drew this did not happen (cut wire); 0 = not sensed"),
    (40, "sensor_0",             "choice", 0,     2,      1,     0,  "sensor of channel 0 (AC contact L)"),
    (41, "sensor_1",             "choice", 0,     2,      1,     0,  "sensor of channel 1 (AC contact N)"),
    (42, "sensor_2",             "choice", 0,     2,      0,     0,  "sensor of channel 2 (DC contact +)"),
    (43, "sensor_3",             "choice", 0,     2,      0,     0,  "sensor of channel 3 (DC contact -)"),
    (44, "ntc_r25_ohm",          "ohm",    1000,  100000, 10000, 0,  "NTC resistance at 25 degrees C"),
    (45, "ntc_beta",             "K",      2500,  4500,   3435,  0,  "NTC B value; ask the maker of the inlet"),
    (46, "temp_pullup_ohm",      "ohm",    500,   100000, 10000, 0,  "pull-up of NTC channels"),
    (47, "pt_pullup_ohm",        "ohm",    500,   10000,  1000,  0,  "pull-up of PT1000 channels"),
    (50, "derate_start_decic",   "0.1C",   300,   800,    600,   -1, "contact temperature where the current begins to fall"),
    (51, "derate_end_decic",     "0.1C",   350,   890,    850,   -1, "contact temperature where it has fallen to derate_end_pct"),
    (52, "derate_end_pct",       "%",      20,    90,     50,    -1, "share of max_current_ma left at derate_end_decic"),
    (53, "stop_decic",           "0.1C",   400,   900,    900,   -1, "contact temperature that stops charging"),
    (54, "resume_decic",         "0.1C",   250,   800,    700,   -1, "contact temperature below which charging may begin again"),
    (55, "trips_to_latch",       "count",  1,     5,      2,     -1, "over-temperature stops in one plug-in before only an unplug helps"),
    (60, "vehicle_timeout_ms",   "ms",     100,   500,    500,   -1, "silence of the vehicle that stops charging"),
    (61, "ac_sense",             "flag",   0,     1,      1,     0,  "1: the board sees whether AC is at the inlet"),
    (62, "retries_max",          "count",  0,     10,     5,     -1, "tries after malfunction stops in one plug-in; then only an unplug helps"),
    (63, "unlock_presses",       "count",  1,     5,      1,     0,  "presses of the unlock button that ask for the cable; 1: holding it asks, too"),
    (64, "unlock_window_ms",     "ms",     1500,  5000,   2000,  0,  "time within which they must come"),
    (65, "relock_s",             "s",      0,     600,    60,    0,  "a cable released and not pulled is locked again after so long; 0 = never"),
    (66, "crash_unlock",         "flag",   0,     1,      0,     0,  "1: after a crash the cable is released, once it is proven dead"),
    (67, "heater",               "flag",   0,     1,      0,     0,  "1: a port heater is fitted"),
    (68, "door",                 "flag",   0,     1,      0,     0,  "1: a motor opens and closes the port's door"),
    (69, "dc_max_a",             "A",      0,     1000,   0,     -1, "rated DC current of inlet and wiring; 0 = no DC"),
    (70, "can",                  "choice", 0,     3,      0,     0,  "how the vehicle talks on CAN: none, native, cpc, i3lim"),
    (71, "can_rate",             "choice", 0,     3,      2,     0,  "bit rate of the CAN bus"),
    (72, "modem",                "flag",   0,     1,      0,     0,  "1: a communication controller for CCS is on the CAN bus"),
    (73, "lines_used",           "mask",   0,     127,    0,     0,  "discrete lines fitted: 1 permit, 2 HVIL, 4 insulation, 8 crash, 16 door closed, 32 door open, 64 parked"),
    (74, "target_soc_pct",       "%",      1,     100,    100,   -1, "state of charge at which charging ends; 100 = the car decides"),
    (75, "person_limit_ma",      "mA",     0,     80000,  80000, -1, "a person's own limit, per phase"),
    (76, "sleep_after_s",        "s",      0,     3600,   300,   0,  "asleep after nothing has gone on for so long; 0 = never"),
    (80, "window_1_days",        "mask",   0,     127,    0,     0,  "days on which the first charge window begins: 1 Monday .. 64 Sunday; 0 = not used"),
    (81, "window_1_from_min",    "min",    0,     1439,   0,     0,  "minute of the day, local, at which it begins"),
    (82, "window_1_to_min",      "min",    0,     1439,   0,     0,  "minute at which it ends; before its begin: on the next day"),
    (83, "window_2_days",        "mask",   0,     127,    0,     0,  "days on which the second charge window begins"),
    (84, "window_2_from_min",    "min",    0,     1439,   0,     0,  "minute of the day, local, at which it begins"),
    (85, "window_2_to_min",      "min",    0,     1439,   0,     0,  "minute at which it ends; before its begin: on the next day"),
    # How a pattern of the light looks (vehicle/light.py), number 100 + pattern: 0xSBBBAAA, style and two colours 0xRGB.
    (101, "light_ready",         "light", 0x1000001, 0x5FFFFFF, 0x100000F, 0, "light: plugged in, ready"),
    (102, "light_waiting",       "light", 0x1000001, 0x5FFFFFF, 0x2000F60, 0, "light: waiting"),
    (103, "light_charging",      "light", 0x1000001, 0x5FFFFFF, 0x30000F0, 0, "light: charging"),
    (104, "light_derated",       "light", 0x1000001, 0x5FFFFFF, 0x3F600F0, 0, "light: charging, less because of heat"),
    (105, "light_stopped",       "light", 0x1000001, 0x5FFFFFF, 0x200000F, 0, "light: stopping"),
    (106, "light_released",      "light", 0x1000001, 0x5FFFFFF, 0x1000FFF, 0, "light: unlocked, pull the cable"),
    (107, "light_fault",         "light", 0x6000800, 0x6000F33, 0x6000F00, 0, "light: fault; red and flashing only"),
    (108, "light_service",       "light", 0x6000008, 0x6000FFF, 0x6000FFF, 0, "light: service mode; flashing only"),
    (109, "light_complete",      "light", 0x1000001, 0x5FFFFFF, 0x10000F0, 0, "light: charged"),
    (110, "light_reseat",        "light", 0x1000001, 0x5FFFFFF, 0x5000F60, 0, "light: plug partly inserted"),
    (111, "light_scheduled",     "light", 0x1000001, 0x5FFFFFF, 0x1000F60, 0, "light: waits for its charge window"),
    (112, "light_out_of_service", "light", 0x1000001, 0x5FFFFFF, 0x2000F0F, 0, "light: port out of service"),
    (113, "light_nearly_full",   "light", 0x1000001, 0x5FFFFFF, 0x40000F0, 0, "light: charging, nearly full"),
)
# fmt: on
ROW_NUMBER = const(0)
ROW_KEY = const(1)
ROW_UNIT = const(2)
ROW_MIN = const(3)
ROW_MAX = const(4)
ROW_DEFAULT = const(5)
ROW_TIGHTER = const(6)
ROW_HELP = const(7)

# (lower, higher, least distance): where they are closer the lower is brought down, the stricter reading.
ORDERED = (
    ("derate_end_decic", "stop_decic", 0),
    ("derate_start_decic", "derate_end_decic", 50),
    ("resume_decic", "stop_decic", 50),
)


def take(settings, wanted) -> None:
    """Fill settings.Settings: the defaults, and what is wanted of it."""
    for row in TABLE:
        setattr(settings, str(row[ROW_KEY]), row[ROW_DEFAULT])
        settings.keys[row[ROW_NUMBER]] = row[ROW_KEY]
    if wanted is None:
        settings.rejected.append(
            "settings: none are stored; every default is used, charging is refused"
        )
        settings.is_trusted = False
        return
    if not isinstance(wanted, dict):
        settings.is_trusted = False
        settings.rejected.append("settings: not a table of keys; every default is used")
        return
    for row in TABLE:
        if row[ROW_KEY] in wanted:
            _take_one(settings, row, wanted[row[ROW_KEY]])
    for key in sorted(str(key) for key in wanted):
        if find(key) is None:
            settings.rejected.append("%s: no such setting" % key)
            settings.is_trusted = False
    _keep_order(settings)


def _take_one(settings, row, value) -> None:
    key = row[ROW_KEY]
    if isinstance(value, bool) or not isinstance(value, int):
        used = _stricter(row, _number(value))
        settings.rejected.append("%s: not a whole number; %d is used" % (key, used))
    elif not is_within(row, value):
        used = _stricter(row, value)
        settings.rejected.append(
            "%s: %d is outside %d..%d; %d is used" % (key, value, row[ROW_MIN], row[ROW_MAX], used)
        )
    else:
        used = value
        settings.given.append(key)
    setattr(settings, key, used)
    if key not in settings.given and not row[ROW_TIGHTER]:
        settings.is_trusted = False


def _keep_order(settings) -> None:
    for low, high, apart in ORDERED:
        limit = getattr(settings, high) - apart
        if getattr(settings, low) > limit:
            settings.rejected.append("%s: too close to %s; lowered to %d" % (low, high, limit))
            setattr(settings, low, limit)


def is_within(row, value: int) -> bool:
    """Tell whether `value` is within the bounds of `row`."""
    return row[ROW_MIN] <= value <= row[ROW_MAX]


def _number(value):
    """Return what a value of the wrong type may have meant ("16000", 16e3), or None."""
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _stricter(row, asked):
    """Return the default of `row`, or what was asked for, brought within bounds, where that is stricter."""
    used = row[ROW_DEFAULT]
    if asked is None or (asked - used) * row[ROW_TIGHTER] <= 0:
        return used
    return min(max(asked, row[ROW_MIN]), row[ROW_MAX])


def find(key):
    """Return the row of TABLE with this key, or None."""
    for row in TABLE:
        if row[ROW_KEY] == key:
            return row
    return None
