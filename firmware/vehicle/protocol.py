"""The line protocol of the console: what the board says, what it may be told. Data only; docs/protocol.md is printed from it.

One JSON object a line, both ways. Every line begins with `{"v":1,` and ends with `,"x":"hhhh"}` and a line feed; `x`
is CRC-16/CCITT-FALSE (polynomial 0x1021, start 0xFFFF) over every byte before `,"x"`. Numbers are whole, no blanks.

From the board
    {"v":1,"t":TICK_MS,"n":LINE,"c":[signals.Commands],"late":PASSES,"x":...}   at every change, and once a second
    {"v":1,"t":TICK_MS,"n":LINE,"r":[READINGS],"late":PASSES,"x":...}           at the rate asked for, and of a change
    (LINE counts the lines of commands: a gap tells of changes that the wire had no room for. Readings carry the number
    of the line that comes next, and count nothing. Once a rate is asked for, the readings that a line of commands was
    decided from are told besides, if those of the line before are out by then; they may come behind newer lines.)
    {"v":1,"re":ID,"ok":[numbers],"x":...}                                       a command was obeyed
    {"v":1,"re":ID,"no":NUMBER,"x":...}                                          it was refused: REFUSALS[NUMBER]
    {"v":1,"re":ID,"is":"words","x":...}                                         the answer to hello
To the board
    {"v":1,"id":ID,"do":"word","a":[numbers],"x":...}                            see COMMANDS; `a` may be empty
"""

from micropython import const

VERSION = const(1)

# What "r" holds, in order. Arrays of signals.Readings: every temperature channel; of the pilot's periods the newest, then
# what the four before it, newest first, are longer by, so that a steady pilot costs two bytes each. 0 where there is none.
READINGS = (
    "pilot_count",
    "pilot_high_us_x10",
    "pilot_period_us_x10",
    "pilot_high_more_us_x10_1",
    "pilot_high_more_us_x10_2",
    "pilot_high_more_us_x10_3",
    "pilot_high_more_us_x10_4",
    "pilot_period_more_us_x10_1",
    "pilot_period_more_us_x10_2",
    "pilot_period_more_us_x10_3",
    "pilot_period_more_us_x10_4",
    "pilot_quiet_ms",
    "cp_high_mv",
    "cp_low_mv",
    "pp_mv",
    "pp_rail_mv",
    "temp_mv_0",
    "temp_mv_1",
    "temp_mv_2",
    "temp_mv_3",
    "temp_age_ms_0",
    "temp_age_ms_1",
    "temp_age_ms_2",
    "temp_age_ms_3",
    "temp_rail_mv",
    "lock_feedback_mv",
    "lock_motor_ma",
    "vehicle_age_ms",
    "vehicle_limit_ma",
    "charger_ma",
    "holds",
    "person_limit_ma",
    "dc_mv",
    "modem_age_ms",
    "modem_toggles",
    "port_holds",
    "port_dc_holds",
    "port_ma",
    "port_dc_ma",
    "flags",
)
# Bits of "flags": readings that are yes or no; "service" is what the loop itself says.
FLAGS = (
    "cp_ok",
    "pp_ok",
    "temp_ok_0",
    "temp_ok_1",
    "temp_ok_2",
    "temp_ok_3",
    "lock_feedback_ok",
    "vehicle_permits",
    "charger_ok",
    "ac_ok",
    "ac_present",
    "stop_request",
    "unlock_request",
    "output_lost",
    "service",
    "dc_ok",
    "contactors_ok",
    "contactors_open",
    "car_unlock",
    "car_stop",
    "is_asleep",
    "modem_wants_c",
    "modem_permits_unlock",
    "is_nearly_full",
    "car_ac_live",
)

# When a command is obeyed: ANY time; EMPTY: S2 open, the lock's bridge off, and no plug in, or none that could be charged
# through (PP invalid, settings not trusted); IN_SERVICE: a person has switched service mode on at the board itself
# (firmware/service.py); AT_REST: S2 open, the lock's bridge off.
ANY = const(0)
EMPTY = const(1)
IN_SERVICE = const(2)
AT_REST = const(3)

# (word, least number of arguments, most, when)
COMMANDS = (
    ("hello", 0, 0, ANY),  # who is there: "is" chip board id firmware
    ("rate", 1, 1, ANY),  # readings every a[0] ms: 0 = never, else 20..60000
    ("stop", 0, 0, ANY),  # stop charging, as a person would; stays wanted until the plug is out
    ("get", 1, 1, ANY),  # setting with number a[0]: ok [number, value in force, 1 if stored]
    ("log", 1, 1, ANY),  # a[0] lines ago: ok [tick, line, the 16 commands, late]
    ("set", 2, 2, EMPTY),  # setting a[0] is to be a[1]: kept aside until `store`
    ("clear", 0, 0, EMPTY),  # nothing is to be stored: kept aside until `store`
    ("store", 0, 0, EMPTY),  # write what was kept aside; in force after the next restart
    ("restart", 0, 0, EMPTY),
    ("service_end", 0, 0, IN_SERVICE),
    ("lock", 0, 0, IN_SERVICE),  # drive the lock towards locked
    ("unlock", 0, 0, IN_SERVICE),
    ("time", 1, 1, ANY),  # it is minute a[0] of the week, local: 0 = Monday 0:00 .. 10079
    ("now", 0, 0, ANY),  # charge outside the charge windows, until the plug is out
    # The port records, as ports/records.py puts them into bytes; three bytes a number, the first lowest. What is
    # stricter is in force at once, the rest after the next restart.
    (
        "port_read",
        1,
        1,
        ANY,
    ),  # from byte a[0] on: ok [how many bytes there are, then 9 numbers, 0 behind the end]
    ("port_write", 2, 8, EMPTY),  # a[1] and so on are the bytes from a[0] on of a record to come
    (
        "port_set",
        1,
        1,
        EMPTY,
    ),  # store it: it is a[0] bytes long, and takes the place of the record with its number
    (
        "port_delete",
        1,
        1,
        EMPTY,
    ),  # remove record a[0]; 0 = all of them, those that cannot be read too
    # The journal (journal/pages.py).
    ("journal", 2, 2, ANY),  # page a[0], which of its kind a[1]: ok [29 numbers]
    ("journal_file", 2, 2, AT_REST),  # of file a[0] from byte a[1] on: ok [its length, 28 numbers]
    ("code_clear", 1, 1, ANY),  # forget trouble code a[0], as far as its class allows
    ("inspected", 0, 0, IN_SERVICE),  # the inlet was looked at: count to the next inspection
)

# Why a command is refused: the number that "no" says.
NO_SUCH_WORD = const(0)
WRONG_ARGUMENTS = const(1)
NOT_IDLE = const(2)
NOT_IN_SERVICE = const(3)
OUT_OF_BOUNDS = const(4)  # a setting or a rate
NO_SUCH_ENTRY = const(5)  # a setting's number, or a line of the log
WRITE_FAILED = const(6)
INCOMPLETE = const(7)  # inlet and max_current_ma must be among what is stored
NO_CAR_SIDE = const(8)  # it is not loaded: no setting asks for it, or not yet
NOT_NEEDED = const(9)  # the car tells the time; no charge window is waited for
BAD_RECORD = const(10)  # a port record that is none, or that contradicts itself
FOR_GOOD = const(11)  # decommissioned, or unreadable port records: in service mode only
STILL_PRESENT = const(12)  # the code's cause has to go first
READ_FAILED = const(13)  # the flash cannot be read, or there is no memory for it
REFUSALS = (
    "no_such_word",
    "wrong_arguments",
    "not_idle",
    "not_in_service",
    "out_of_bounds",
    "no_such_entry",
    "write_failed",
    "incomplete",
    "no_car_side",
    "not_needed",
    "bad_record",
    "for_good",
    "still_present",
    "read_failed",
)

RATE_MIN_MS = const(20)
RATE_MAX_MS = const(60000)
LOG_LINES = const(16)  # the newest, in RAM
