"""Settings: one table of keys with unit, bounds and default; loading that cannot loosen a limit by accident.

A setting that is unknown, of the wrong type or out of bounds is left at its default and named in `rejected`;
the step then raises F_SETTINGS. Where what was asked for can be read and is stricter than the default ("16000" for
32000), it is brought within the bounds and used: the default would be looser. Numbers in the first column are for storage and are never reused.
"""

from micropython import const

# Choices of the settings whose unit is "choice": the value stored is the index.
INLETS = ("type1", "type2", "gbt", "nacs")
LOCK_KINDS = ("motor", "solenoid")
LOCK_FEEDBACKS = ("none", "switch", "analog")
LOCK_POLICIES = ("refuse", "reduce", "ignore")
SENSOR_KINDS = ("unused", "ntc", "pt1000")
CHOICES = {
    "inlet": INLETS,
    "lock_kind": LOCK_KINDS,
    "lock_feedback": LOCK_FEEDBACKS,
    "lock_policy": LOCK_POLICIES,
    "sensor_0": SENSOR_KINDS,
    "sensor_1": SENSOR_KINDS,
    "sensor_2": SENSOR_KINDS,
    "sensor_3": SENSOR_KINDS,
}

# (number, key, unit, minimum, maximum, default, tighter, help). `tighter` is -1 where a lower value is the stricter
# one, 1 where a higher one is, 0 where neither is.
# fmt: off
TABLE = (
    (1,  "inlet",                "choice", 0,     3,      1,     0,  "connector family of the inlet; never detected by itself"),
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


class Settings:
    """Every key of TABLE as an attribute; `wanted` is a dict of key to int, or None for the defaults."""

    def __init__(self, wanted=None):
        self.rejected = []  # what was asked for and refused, a sentence each
        self.given = []  # keys that were asked for and taken as they are
        # False: nothing was stored, or what was refused says how the inlet is built, so that no default is known to
        # be the strict one. Nobody may charge on such a guess.
        self.is_trusted = True
        for row in TABLE:
            setattr(self, str(row[ROW_KEY]), row[ROW_DEFAULT])
        if wanted is None:
            self.rejected.append(
                "settings: none are stored; every default is used, charging is refused"
            )
            self.is_trusted = False
            return
        if not isinstance(wanted, dict):
            self.is_trusted = False
            self.rejected.append("settings: not a table of keys; every default is used")
            return
        for row in TABLE:
            if row[ROW_KEY] in wanted:
                self._take(row, wanted[row[ROW_KEY]])
        for key in sorted(str(key) for key in wanted):
            if find(key) is None:
                self.rejected.append("%s: no such setting" % key)
                self.is_trusted = False
        self._keep_order()

    def _take(self, row, value) -> None:
        key = row[ROW_KEY]
        if isinstance(value, bool) or not isinstance(value, int):
            used = _stricter(row, _number(value))
            self.rejected.append("%s: not a whole number; %d is used" % (key, used))
        elif value < row[ROW_MIN] or value > row[ROW_MAX]:
            used = _stricter(row, value)
            self.rejected.append(
                "%s: %d is outside %d..%d; %d is used"
                % (key, value, row[ROW_MIN], row[ROW_MAX], used)
            )
        else:
            used = value
            self.given.append(key)
        setattr(self, key, used)
        if key not in self.given and not row[ROW_TIGHTER]:
            self.is_trusted = False

    def _keep_order(self) -> None:
        for low, high, apart in ORDERED:
            limit = getattr(self, high) - apart
            if getattr(self, low) > limit:
                self.rejected.append("%s: too close to %s; lowered to %d" % (low, high, limit))
                setattr(self, low, limit)


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
