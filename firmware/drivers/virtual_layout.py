"""Layout of the frames between the virtual board and its host, shared by both."""

STATUS_RUN = 0
STATUS_END = 1
STATUS_RESET = 2

# Ints before the readings: status, tick in ms.
HEADER = 2
# signals.Readings attributes, one int each.
FIELDS = (
    "pilot_count",
    "pilot_quiet_ms",
    "cp_ok",
    "cp_high_mv",
    "cp_low_mv",
    "pp_ok",
    "pp_mv",
    "pp_rail_mv",
    "temp_rail_mv",
    "lock_feedback_ok",
    "lock_feedback_mv",
    "lock_motor_ma",
    "vehicle_age_ms",
    "vehicle_permits",
    "vehicle_limit_ma",
    "charger_ok",
    "charger_ma",
    "ac_ok",
    "ac_present",
    "stop_request",
    "unlock_request",
    "console_stop",
    "test_lock",
    "service_end",
    "output_lost",
)
# signals.Readings arrays: (attribute, ints).
ARRAYS = (
    ("pilot_high_us_x10", 5),
    ("pilot_period_us_x10", 5),
    ("temp_ok", 4),
    ("temp_mv", 4),
    ("temp_age_ms", 4),
)
RX_INTS = HEADER + len(FIELDS) + 22
# signals.Commands attributes, one int each.
COMMANDS = (
    "s2_close",
    "charger_ma",
    "lock_drive",
    "drive_allowed",
    "light",
    "session",
    "pilot_state",
    "lock_state",
    "duty_pct_x100",
    "offered_ma",
    "permitted_ma",
    "limiter",
    "reasons",
    "faults",
    "hottest_decic",
    "hottest_ok",
)
