"""Layout of the frames between the virtual board and its host, shared by both."""

STATUS_RUN = 0
STATUS_END = 1
STATUS_RESET = 2

# Ints before the readings: status, tick in ms.
HEADER = 2
# signals.Readings attributes, one int each. What the car's side of the firmware fills is not among them.
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
    "port_holds",
    "port_dc_holds",
    "port_ma",
    "port_dc_ma",
)
# signals.Readings arrays: (attribute, ints).
ARRAYS = (
    ("pilot_high_us_x10", 5),
    ("pilot_period_us_x10", 5),
    ("temp_ok", 4),
    ("temp_mv", 4),
    ("temp_age_ms", 4),
)
# After the readings: what the CAN controller and the discrete lines measured (CAR_IN), then the CAN frames heard.
CAR_IN = (
    "can_state",
    "can_lost",
    "can_dropped",
    "can_tx_errors",
    "can_rx_errors",
    "can_offs",
    "can_has_woken",
    "lines_ok",
    "lines_inputs",
    "frames",  # how many of the frames below are meant
)
# CAN frames in one pass, either way: more than the 6 ids listened to and the messages sent can be in 10 ms.
FRAMES = 8
# A frame: id | length << 11, then bytes 0..2, 3..5 and 6..7 with the first one lowest. All below 2**24: a larger int would
# come from the heap of a 32-bit build.
FRAME_INTS = 4
IDS = 6  # that a controller listens to
CAR_IN_INTS = len(CAR_IN) + FRAMES * FRAME_INTS
CAR_IN_AT = HEADER + len(FIELDS) + 22
RX_INTS = CAR_IN_AT + CAR_IN_INTS
# signals.Commands attributes, one int each: what the console tells, too.
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
# Further ones.
CAR_COMMANDS = (
    "holds",
    "dc_permitted_ma",
    "plug_present",
    "wants_heat",
    "dc_session",
)
# After the commands: what the CAN controller and the discrete lines are told (CAR_OUT), the ids listened to, each plus 1
# (0: none), then the CAN frames sent.
CAR_OUT = (
    "can_asleep",
    "lines_outputs",
    "frames",
)
CAR_OUT_INTS = len(CAR_OUT) + IDS + FRAMES * FRAME_INTS
CAR_OUT_AT = len(COMMANDS) + len(CAR_COMMANDS)
TX_INTS = CAR_OUT_AT + CAR_OUT_INTS
