"""Every reason not to charge, every fault, every hold, and the one shutdown table. Data only.

A *reason* is a bit that keeps S2 open; S2 may close only when no reason is left. A *fault* is a bit that says
something is broken; it forces a reason (or none, where it only warns). A *hold* says what the car, a person or a record
asks for, or what the inlet has noticed of them; it forces a reason, or none, too. How the inlet reacts to a reason, within
which limit and how it clears is one row of SHUTDOWN. Code, docs (docs/shutdown.md), tests and the bench read
these tables; nothing repeats them.

Clauses are cited as checked against secondary sources: IEC = IEC 61851-1:2017, J1772 = SAE J1772-2017,
GB/T = GB/T 18487.1-2023. Where a limit is stricter than the clause it is this project's own
(architecture, section 6).
"""

from micropython import const

# How a reason or fault clears.
SELF = const(0)  # when its cause is gone
UNPLUG = const(1)  # when its cause is gone and the connector has been pulled
SERVICE = const(2)  # when its cause is gone and the board has been restarted by service
CLEAR_NAMES = ("self", "unplug", "service")

# How current and S2 end when the reason appears while charging.
NOW = const(0)  # current command 0 and S2 open in the same pass
CURRENT_FIRST = const(1)  # current command 0, S2 open once < 1 A flows or the bounded wait is over
ORDER_NAMES = ("at once", "current first")

# Reasons. Order is the order of blame: the lowest bit set is the one told first.
NO_PLUG = const(1 << 0)
PILOT_E = const(1 << 1)
PILOT_F = const(1 << 2)
PILOT_LOST = const(1 << 3)
PILOT_INVALID = const(1 << 4)
PILOT_FREQUENCY = const(1 << 5)
PP_INVALID = const(1 << 6)
PP_BUTTON = const(1 << 7)
LOCK_LOST = const(1 << 8)
TEMP_HIGH = const(1 << 9)
TEMP_SENSOR = const(1 << 10)
S2_FAULT = const(1 << 11)
CHARGER_FAULT = const(1 << 12)
INTERNAL = const(1 << 13)
VEHICLE_SILENT = const(1 << 14)
VEHICLE_NO = const(1 << 15)
PERSON_STOP = const(1 << 16)
LOCK_FAILED = const(1 << 17)
NOT_LOCKED = const(1 << 18)
PILOT_DUTY = const(1 << 19)
PILOT_DIGITAL = const(1 << 20)
PILOT_STEADY = const(1 << 21)
BELOW_MINIMUM = const(1 << 22)
SHOW_B = const(1 << 23)
REST = const(1 << 24)
RETRIES = const(1 << 25)
SETTINGS = const(1 << 26)
SERVICE_MODE = const(1 << 27)
HELD = const(1 << 28)
INTERLOCKED = const(1 << 29)

# One row a reason, in bit order:
# (name, order, current 0 within ms, bounded wait for < 1 A in ms, S2 open within ms, clears, rest ms, counted, what,
#  clause)
# "S2 open within" counts from the cause at the pin and includes the bounded wait. "rest" is how long S2 stays open
# at least before another try. A counted reason is a malfunction: its rest doubles with every further counted stop of
# the same plug-in (at most 16-fold), and after `retries_max` such tries only an unplug helps.
# fmt: off
SHUTDOWN = (
    ("no_plug",         CURRENT_FIRST, 20,  800,  840,  SELF,    3000,  False, "connector not inserted, or PP lost",                "J1772 4.5; IEC 61851-1 B.2; GB/T A.3: stop 1 s, S2 3 s"),
    ("pilot_e",         NOW,           50,    0,  50,  SELF,    3000,  True,  "pilot at 0 V while plugged (state E or CP lost)",   "IEC 61851-1 Tab A.6 seq 12: 3 s"),
    ("pilot_f",         NOW,           50,    0,  50,  SELF,    3000,  True,  "pilot steady at -12 V (state F)",                   "IEC 61851-1 Tab A.6 seq 12: 3 s"),
    ("pilot_lost",      NOW,           50,    0,  50,  SELF,    3000,  True,  "no edges and no level that names a state",          "IEC 61851-1 Tab A.6 seq 2.2: 3 s; J1772: <= 1 A in 4 s"),
    ("pilot_invalid",   CURRENT_FIRST, 150,  800,  970,  SELF,    3000,  True,  "pilot too noisy, or its level could not be read",   "IEC 61851-1 Tab A.6: 3 s"),
    ("pilot_frequency", CURRENT_FIRST, 150,  800,  970,  SELF,    3000,  True,  "pilot outside 950..1050 Hz",                        "IEC 61851-1 Tab A.8 note; J1772: <= 1 A in 4 s"),
    ("pp_invalid",      CURRENT_FIRST, 20,  800,  840,  SELF,    3000,  True,  "PP shorted, in a gap, or not measured",             "IEC 61851-1 Tab B.1, B.2; GB/T: stop 1 s, S2 3 s"),
    ("pp_button",       CURRENT_FIRST, 20,  800,  840,  SELF,    3000,  False, "latch release pressed (S3)",                        "J1772 S3: 100 ms; GB/T S3: S2 open 1 s"),
    ("lock_lost",       CURRENT_FIRST, 120,  800,  940,  SELF,    5000,  True,  "lock left the locked position without being driven", "J1772 6.4; own limit"),
    ("temp_high",       CURRENT_FIRST, 1000, 2000, 3020, SELF,   10000, True,  "a contact is too hot",                              "IEC 61851-23 CC.4.2 ceiling 120 C; own limit"),
    ("temp_sensor",     CURRENT_FIRST, 1200, 2000, 3220, SELF,   10000, True,  "a temperature sensor cannot be believed",           "own limit; a broken sensor counts as hot"),
    ("s2_fault",        NOW,           600,   0, 600,  UNPLUG,  5000,  True,  "S2 does not show on the pilot what it was told",    "IEC 61851-1 Tab A.4"),
    ("charger_fault",   NOW,           6000,  0, 6000, UNPLUG,  5000,  True,  "charger draws more than permitted",                 "IEC 61851-1 Tab A.6 seq 6: 5 s"),
    ("internal",        NOW,           20,    0,  20,  SERVICE, 5000,  False, "the logic met a state that must not exist",         "own limit"),
    ("vehicle_silent",  CURRENT_FIRST, 520,  800, 1340, SELF,    3000,  True,  "no fresh word from the vehicle",                    "own limit: five cycles of 100 ms"),
    ("vehicle_no",      CURRENT_FIRST, 30, 3000, 3050, SELF,    3000,  False, "the vehicle does not permit charging",              "IEC 61851-1 Tab A.6 seq 7: < 1 A before S2 opens"),
    ("person_stop",     CURRENT_FIRST, 20, 3000, 3040, SELF,    3000,  False, "a person asked to stop or to unlock",               "IEC 61851-1 Tab A.6 seq 7: < 1 A before S2 opens"),
    ("lock_failed",     CURRENT_FIRST, 120,  800,  940,  UNPLUG,  5000,  True,  "the connector could not be locked",                 "J1772 6.4.1; GB/T: EV decides; own policy"),
    ("not_locked",      CURRENT_FIRST, 120,  800,  940,  SELF,    5000,  True,  "the connector is not locked",                       "J1772 6.4.1; IEC 61851-23 CC"),
    ("pilot_duty",      CURRENT_FIRST, 50, 1950, 2060, SELF,    3000,  False, "duty in a band that allows no current",             "IEC 61851-1 Tab A.8; J1772 Tab 5; GB/T Tab A.3"),
    ("pilot_digital",   CURRENT_FIRST, 50, 1950, 2060, SELF,    3000,  False, "3..7 % duty: digital communication needed",         "IEC 61851-1 Tab A.8; J1772 Tab 5"),
    ("pilot_steady",    CURRENT_FIRST, 50, 2900, 3000, SELF,    5000,  False, "EVSE pauses: pilot steady high, no PWM (x1)",       "IEC 61851-1 Tab A.6 seq 9.1, 10.1: 3 s + 3 s"),
    ("below_minimum",   CURRENT_FIRST, 20, 3000, 3040, SELF,    10000, False, "the permitted current is below the minimum of 6 A", "IEC 61851-1 Tab A.8: 6 A"),
    ("show_b",          NOW,           20,    0,  20,  SELF,    0,     False, "state B not shown to the EVSE yet",                 "IEC 61851-1 Tab A.6; esp32-evse #71"),
    ("rest",            NOW,           20,    0,  20,  SELF,    0,     False, "resting before another try",                        "own: spares contactors"),
    ("retries",         NOW,           20,    0,  20,  UNPLUG,  0,     False, "too many stops in this plug-in",                    "own: EVSE and contactors are not hammered"),
    ("settings",        NOW,           20,    0,  20,  SERVICE, 0,     False, "settings that cannot be trusted: wrong ones could loosen a limit", "own: default deny"),
    ("service_mode",    NOW,           20,    0,  20,  SELF,    0,     False, "service mode: a person tests the board",           "own: default deny"),
    ("held",            CURRENT_FIRST, 60, 3000, 3080, SELF,    3000,  False, "held back by choice: schedule, target, limit or port record", "IEC 61851-1 Tab A.6 seq 7: < 1 A before S2 opens"),
    ("interlocked",     NOW,           80,    0,  80,  SELF,    5000,  True,  "the car's safety chain is open: HVIL, insulation, crash, contactors", "IEC 61851-1 Tab A.6: emergency stop by the EV, S2 may open under load"),
)
# fmt: on
ROW_NAME = const(0)
ROW_ORDER = const(1)
ROW_CURRENT_MS = const(2)
ROW_WAIT_MS = const(3)
ROW_S2_MS = const(4)
ROW_CLEARS = const(5)
ROW_REST_MS = const(6)
ROW_COUNTED = const(7)
ROW_WHAT = const(8)
ROW_CLAUSE = const(9)

# Faults: what is broken. Names follow EVerest's nouns.
F_PILOT_FAULT = const(1 << 0)
F_PILOT_NOISE = const(1 << 1)
F_PILOT_FREQUENCY = const(1 << 2)
F_CP_SENSE = const(1 << 3)
F_S2_STUCK_OPEN = const(1 << 4)
F_S2_STUCK_CLOSED = const(1 << 5)
F_PP_SHORT = const(1 << 6)
F_PP_GAP = const(1 << 7)
F_PP_SENSE = const(1 << 8)
F_TEMP_OPEN = const(1 << 9)
F_TEMP_SHORT = const(1 << 10)
F_TEMP_STALE = const(1 << 11)
F_TEMP_STUCK = const(1 << 12)
F_TEMP_RISE = const(1 << 13)
F_TEMP_DISAGREE = const(1 << 14)
F_OVER_TEMPERATURE = const(1 << 15)
F_TEMP_LATCHED = const(1 << 16)
F_FAILED_LOCK = const(1 << 17)
F_FAILED_UNLOCK = const(1 << 18)
F_UNEXPECTED_OPEN = const(1 << 19)
F_UNEXPECTED_CLOSE = const(1 << 20)
F_LOCK_SENSE = const(1 << 21)
F_LOCK_REVERSED = const(1 << 22)
F_VEHICLE_SILENT = const(1 << 23)
F_CHARGER_OVER = const(1 << 24)
F_SETTINGS = const(1 << 25)
F_INTERNAL = const(1 << 26)
F_SETTINGS_REFUSED = const(1 << 27)
F_AC_LIVE = const(1 << 28)

# One row a fault, in bit order: (name, reason it forces or 0, clears, what)
# fmt: off
FAULTS = (
    ("PilotFault",         0,               SELF,    "state E, state F or a lost pilot during a session"),
    ("PilotNoise",         PILOT_INVALID,   SELF,    "pilot samples implausible for too long"),
    ("PilotFrequency",     PILOT_FREQUENCY, SELF,    "pilot frequency outside 950..1050 Hz"),
    ("PilotSense",         PILOT_INVALID,   SELF,    "pilot level not measured, or between the windows of the states"),
    ("S2StuckOpen",        S2_FAULT,        UNPLUG,  "S2 closed, but the pilot level does not fall to state C"),
    ("S2StuckClosed",      S2_FAULT,        UNPLUG,  "S2 open, but the pilot level stays in state C"),
    ("ProximityShort",     PP_INVALID,      SELF,    "proximity resistance below every coding"),
    ("ProximityGap",       PP_INVALID,      SELF,    "proximity resistance in a gap that names no cable"),
    ("ProximitySense",     PP_INVALID,      SELF,    "proximity voltage or its rail not measured or impossible"),
    ("TempOpen",           TEMP_SENSOR,     SELF,    "temperature sensor open"),
    ("TempShort",          TEMP_SENSOR,     SELF,    "temperature sensor shorted"),
    ("TempStale",          TEMP_SENSOR,     SELF,    "temperature not measured for too long"),
    ("TempStuck",          TEMP_SENSOR,     UNPLUG,  "temperature does not move while current flows"),
    ("TempRise",           TEMP_SENSOR,     UNPLUG,  "temperature changes faster than any contact can"),
    ("TempDisagree",       0,               SELF,    "contacts differ more than current explains: current is halved"),
    ("OverTemperature",    TEMP_HIGH,       SELF,    "a contact reached the stop temperature"),
    ("TempLatched",        TEMP_HIGH,       UNPLUG,  "repeated over-temperature stops in one plug-in"),
    ("FailedLock",         LOCK_FAILED,     UNPLUG,  "connector lock did not reach locked"),
    ("FailedUnlock",       0,               SELF,    "connector lock did not reach unlocked"),
    ("UnexpectedOpen",     LOCK_LOST,       UNPLUG,  "lock opened without being driven (slip or manual release)"),
    ("UnexpectedClose",    0,               SELF,    "lock closed without being driven"),
    ("LockSense",          LOCK_LOST,       SELF,    "lock feedback not measured or outside its windows"),
    ("LockReversed",       0,               SERVICE, "lock motor wired the other way round; direction corrected until restart"),
    ("VehicleSilent",      0,               SELF,    "the vehicle fell silent during a session"),
    ("ChargerOverCurrent", CHARGER_FAULT,   UNPLUG,  "charger draws more than permitted for longer than allowed"),
    ("Settings",           0,               SERVICE, "a setting was refused: unknown, of the wrong type or out of bounds"),
    ("Internal",           INTERNAL,        SERVICE, "internal error: an exception or an impossible state"),
    ("SettingsRefused",    SETTINGS,        SERVICE, "settings missing, unreadable or contradictory: no default could be known to be safe"),
    ("AcLive",             0,               SELF,    "AC stays at the inlet with S2 open: EVSE contactor welded, or its sense stuck; the cable stays locked"),
)
# fmt: on
FAULT_NAME = const(0)
FAULT_REASON = const(1)
FAULT_CLEARS = const(2)
FAULT_WHAT = const(3)


# Holds: what the car, a person or a record asks, and what the inlet has noticed of them.
H_CAR_STARTING = const(1 << 0)
H_CAN_BUS = const(1 << 1)
H_VEHICLE_WIRE = const(1 << 2)
H_NOT_PARKED = const(1 << 3)
H_HVIL = const(1 << 4)
H_INSULATION = const(1 << 5)
H_CRASH = const(1 << 6)
H_LINES = const(1 << 7)
H_CONTACTORS = const(1 << 8)
H_WINDOW = const(1 << 9)
H_TARGET = const(1 << 10)
H_PERSON_LIMIT = const(1 << 11)
H_NO_MODEM = const(1 << 12)
H_NO_SECTION = const(1 << 13)
H_OUT_OF_SERVICE = const(1 << 14)
H_DECOMMISSIONED = const(1 << 15)
H_NO_CLOCK = const(1 << 16)
H_RESEAT = const(1 << 17)
H_HEATER = const(1 << 18)
H_DOOR = const(1 << 19)
H_CAN_DATA = const(1 << 20)
H_FORCED_UNLOCK = const(1 << 21)
H_RELOCKED = const(1 << 22)
H_DRIVE_REFUSED = const(1 << 23)
H_BAD_SETTING = const(1 << 24)

# One row a hold, in bit order: (name, reason it forces or 0, clears, what). SELF or SERVICE.
# fmt: off
HOLDS = (
    ("car_starting",   VEHICLE_SILENT, SELF,    "the car's side is not loaded yet, or cannot be"),
    ("can_bus",        VEHICLE_SILENT, SELF,    "CAN controller missing, starting, or off the bus"),
    ("vehicle_wire",   VEHICLE_NO,     SELF,    "the vehicle's permission wire is open"),
    ("not_parked",     VEHICLE_NO,     SELF,    "the vehicle is not parked"),
    ("hvil",           INTERLOCKED,    SELF,    "high-voltage interlock loop open"),
    ("insulation",     INTERLOCKED,    SELF,    "insulation monitor reports a fault"),
    ("crash",          INTERLOCKED,    SERVICE, "the vehicle reports a crash"),
    ("lines",          INTERLOCKED,    SELF,    "the discrete lines cannot be read"),
    ("contactors",     INTERLOCKED,    SELF,    "AC and DC not proven apart: DC contactors, or volts where there may be none"),
    ("window",         HELD,           SELF,    "outside the charge windows"),
    ("target",         HELD,           SELF,    "the state of charge has reached its target"),
    ("person_limit",   HELD,           SELF,    "the limit a person has set is below the minimum"),
    ("no_modem",       PILOT_DIGITAL,  SELF,    "digital communication asked for, and no communication controller answers"),
    ("no_section",     PILOT_DIGITAL,  SELF,    "the charging sequence of this connector is not built in"),
    ("out_of_service", HELD,           SELF,    "the port is out of service"),
    ("decommissioned", HELD,           SELF,    "the port is decommissioned"),
    ("no_clock",       0,              SELF,    "no clock: charge windows are not kept, charging now"),
    ("reseat",         0,              SELF,    "the plug looks partly inserted, or the station has no power: push it in, or pull it and insert it again"),
    ("heater",         0,              SELF,    "the port heater does not heat, or stays hot"),
    ("door",           0,              SELF,    "the port door did not do as told"),
    ("can_data",       0,              SELF,    "CAN frames were refused: checksum, counter, length or range"),
    ("forced_unlock",  0,              SELF,    "the cable was let go of by force, without proof that it is dead"),
    ("relocked",       0,              SELF,    "locked again: the cable was not pulled; charging stays stopped until it is"),
    ("drive_refused",  0,              SELF,    "the vehicle wants to drive with the plug in or not known to be out"),
    ("bad_setting",    HELD,           SELF,    "settings of the car's side contradict each other or the board"),
)
# fmt: on
HOLD_NAME = const(0)
HOLD_REASON = const(1)
HOLD_CLEARS = const(2)
HOLD_WHAT = const(3)


def first_bit(mask: int) -> int:
    """Return the number of the lowest bit set in `mask`: the reason or fault to tell first. ValueError for 0."""
    for n in range(30):
        if mask >> n & 1:
            return n
    raise ValueError("no bit is set")


def names(table, mask: int) -> list:
    """Return the names in `table` (SHUTDOWN, FAULTS or HOLDS) of the bits set in `mask`. Allocates: reports only."""
    return [row[0] for n, row in enumerate(table) if mask >> n & 1]
