"""Whose fault a stop was: the rules as one table, the evidence they ask for, and what eight sessions together say.

Data only. A rule is taken where its signs and its facts are there, and the first one that fits decides; so the table is in the
order of what outweighs what. Where two causes look alike from the port's side a rule says "not known" and names the group of
what was seen; only other stations can tell then (ACROSS), as the owner's manuals reason: what fails at one station alone
is that station's, what fails alike at several is the car's side (Tesla alert CP: pilot missing with a cable in "usually"
means a station without power, try another one; third-party mirror of the alert texts).
"""

from micropython import const

from faults import (
    BELOW_MINIMUM,
    F_AC_LIVE,
    F_CHARGER_OVER,
    F_FAILED_LOCK,
    F_INTERNAL,
    F_LOCK_SENSE,
    F_PILOT_NOISE,
    F_PP_GAP,
    F_PP_SENSE,
    F_PP_SHORT,
    F_S2_STUCK_CLOSED,
    F_S2_STUCK_OPEN,
    F_SETTINGS_REFUSED,
    F_TEMP_OPEN,
    F_TEMP_RISE,
    F_TEMP_SHORT,
    F_TEMP_STALE,
    F_TEMP_STUCK,
    F_UNEXPECTED_OPEN,
    H_BAD_SETTING,
    H_CAN_BUS,
    H_DECOMMISSIONED,
    H_NO_SECTION,
    H_NOT_PARKED,
    H_OUT_OF_SERVICE,
    H_VEHICLE_WIRE,
    HELD,
    INTERLOCKED,
    INTERNAL,
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
    SERVICE_MODE,
    SETTINGS,
    TEMP_HIGH,
    TEMP_SENSOR,
    VEHICLE_NO,
    VEHICLE_SILENT,
)

# Verdicts. Numbers are stored in flash and never reused.
NOT_KNOWN = const(0)
STATION = const(1)
CABLE = const(2)
INLET = const(3)
VEHICLE = const(4)
PERSON = const(5)
VERDICT_NAMES = (
    "not known",
    "station",
    "cable or adapter",
    "vehicle inlet",
    "vehicle",
    "person or schedule",
)
# How sure a verdict is.
OPEN = const(0)
LIKELY = const(1)
SURE = const(2)
SURE_NAMES = ("open", "likely", "sure")

# Groups of what was seen: failures of one group are alike.
G_NONE = const(0)  # the rule speaks for itself
G_PILOT = const(1)
G_PP = const(2)
G_HOT = const(3)
G_DRAW = const(4)
G_END = const(5)  # no failure at all
GROUP_NAMES = ("", "pilot", "proximity", "hot contact", "no current", "end of charging")

# Evidence: facts of the plug-in beside reasons, faults and holds.
E_HAD_PWM = const(1 << 0)
E_HAD_FLOW = const(1 << 1)
E_MAINS = const(1 << 2)
E_MAINS_SENSED = const(1 << 3)
E_MAINS_FIRST = const(1 << 4)
E_MAINS_EMPTY = const(1 << 5)
E_MAINS_EARLY = const(1 << 6)
E_PP_AT_RAIL = const(1 << 7)
E_PP_EMPTY_GOOD = const(1 << 8)
E_PILOT_ALIVE = const(1 << 9)
E_OWN_LOAD_GONE = const(1 << 10)
E_LOW_WRONG = const(1 << 11)
E_HIDDEN_PWM = const(1 << 12)
E_CP_UNMEASURED = const(1 << 13)
E_OVERDRAW = const(1 << 14)
E_NO_FLOW = const(1 << 15)
E_LOCK_TRIES = const(1 << 16)
E_BOLT_OPEN = const(1 << 17)
E_BOLT_BETWEEN = const(1 << 18)
E_BUTTON_LONG = const(1 << 19)
E_COLD = const(1 << 20)
E_GONE_WITH_PLUG = const(1 << 21)
E_STAYS_EMPTY = const(1 << 22)
E_FLOWED_LONG = const(1 << 23)
E_L_CABLE = const(1 << 24)
E_L_TEMPERATURE = const(1 << 25)
E_L_CHOICE = const(1 << 26)
E_L_VEHICLE = const(1 << 27)
E_L_PILOT = const(1 << 28)
E_SLOWED = const(1 << 29)

# One row a fact, in bit order: (name, what).
# fmt: off
EVIDENCE = (
    ("had_pwm",        "the station offered a current in this plug-in"),
    ("had_flow",       "current flowed in this plug-in"),
    ("mains",          "mains came after S2 closed, and is still there or was until the stop"),
    ("mains_sensed",   "the board sees mains"),
    ("mains_first",    "mains went no later than 20 ms after the pilot"),
    ("mains_empty",    "mains is seen with no plug in"),
    ("mains_early",    "mains came with the plug, before S2 closed"),
    ("pp_at_rail",     "proximity reads its rail: not even the inlet's own pull-down is there"),
    ("pp_empty_good",  "proximity read as it should before the plug came"),
    ("pilot_alive",    "the pilot shows a station"),
    ("own_load_gone",  "the pilot stays at 12 V though a plug is in: the inlet's own load is missing"),
    ("low_wrong",      "the low half of the PWM is not -12 V"),
    ("hidden_pwm",     "the levels are those of PWM, and no edges are counted"),
    ("cp_unmeasured",  "the pilot's level is not measured"),
    ("overdraw",       "the charger drew more than permitted for 2 s"),
    ("no_flow",        "no current for 20 s though it is permitted"),
    ("lock_tries",     "a drive towards locked failed in this plug-in, and another one followed"),
    ("bolt_open",      "the bolt reads fully open"),
    ("bolt_between",   "the bolt reads between its ends"),
    ("button_long",    "the latch button reads pressed for 30 s"),
    ("cold",           "the port is below 5 degrees C"),
    ("gone_with_plug", "what was wrong with proximity went when the plug was pulled"),
    ("stays_empty",    "proximity stays wrong though the lock let go and the pilot went"),
    ("flowed_long",    "current flowed for 10 min in this plug-in"),
    ("limit_cable",    "the cable sets the limit"),
    ("limit_temperature", "the temperature sets the limit"),
    ("limit_choice",   "a setting or a person sets the limit"),
    ("limit_vehicle",  "the vehicle sets the limit"),
    ("limit_pilot",    "the station sets the limit"),
    ("slowed",         "heat took a quarter or more of the offer for 60 s"),
)
# fmt: on

_TEMP_BROKEN = F_TEMP_OPEN | F_TEMP_SHORT | F_TEMP_STALE | F_TEMP_STUCK | F_TEMP_RISE
_DEAD = PILOT_E | PILOT_LOST
_S2_STUCK = F_S2_STUCK_OPEN | F_S2_STUCK_CLOSED
_PP_WRONG = F_PP_GAP | F_PP_SHORT
_OUT = H_OUT_OF_SERVICE | H_DECOMMISSIONED | H_BAD_SETTING

# One row a rule; the first that fits decides. It fits where each of its masks of reasons, faults and holds that is not 0 has a bit
# in common with what was seen, all facts of `facts` are there and none of `not`:
# (code, reasons, faults, holds, facts, not, verdict, how sure, group, name, words for a driver)
# Codes are stored in flash and never reused.
# fmt: off
RULES = (
    (1,  INTERNAL,        F_INTERNAL,         0, 0, 0, INLET, SURE, G_NONE, "controller", "The inlet's controller met an error of its own: let service restart and check it."),
    (2,  SETTINGS,        F_SETTINGS_REFUSED, 0, 0, 0, INLET, SURE, G_NONE, "settings", "The inlet's settings cannot be trusted: let service set it up."),
    (3,  SERVICE_MODE,    0, 0, 0, 0, PERSON, SURE, G_NONE, "service mode", "Service mode is on: end it to charge."),
    (4,  0, 0, _OUT,      0, 0, PERSON, SURE, G_NONE, "put out of service", "This port was put out of service by hand or setting: put it back to charge."),
    (5,  0, 0, H_NOT_PARKED, 0, 0, PERSON, SURE, G_NONE, "not parked", "The car is not parked: choose P to charge."),
    (6,  INTERLOCKED,     0, 0, 0, 0, VEHICLE, SURE, G_NONE, "safety chain", "The car's safety chain is open: let service look at the car."),
    (7,  TEMP_SENSOR,     _TEMP_BROKEN, 0, 0, 0, INLET, SURE, G_NONE, "temperature sensor", "A temperature sensor of the inlet is broken: let service look at the inlet."),
    (8,  0, _S2_STUCK,    0, 0, E_OWN_LOAD_GONE, INLET, SURE, G_NONE, "S2", "The inlet's switch S2 does not do as told: let service look at the inlet."),
    (9,  0, F_CHARGER_OVER, 0, 0, 0, VEHICLE, SURE, G_NONE, "charger draws too much", "The car's charger draws more than it may: let service look at the car."),
    (10, PILOT_E | PILOT_F | PILOT_LOST, 0, 0, E_OVERDRAW, 0, VEHICLE, LIKELY, G_NONE, "station refused an overdraw", "The station stopped because the car drew too much: let service look at the car."),
    (11, 0, F_PP_SENSE,   0, 0, 0, INLET, SURE, G_NONE, "proximity not measured", "The inlet cannot measure the proximity line: let service look at the inlet."),
    (12, PILOT_INVALID | PILOT_E | PILOT_LOST, 0, 0, E_CP_UNMEASURED, 0, INLET, SURE, G_NONE, "pilot not measured", "The inlet cannot measure the pilot: let service look at the inlet."),
    (13, PILOT_STEADY | PILOT_LOST | PILOT_INVALID, 0, 0, E_HIDDEN_PWM, 0, INLET, SURE, G_NONE, "pilot edges not counted", "The inlet does not see the pilot's signal though it is there: let service look at the inlet."),
    (14, PILOT_INVALID | PILOT_LOST | PILOT_F | PILOT_STEADY | S2_FAULT, 0, 0, E_OWN_LOAD_GONE, 0, INLET, SURE, G_NONE, "pilot load missing", "The inlet's own part of the pilot circuit is open: let service look at the inlet."),
    (15, PILOT_INVALID | PILOT_F | PILOT_E | PILOT_LOST, 0, 0, E_LOW_WRONG, 0, INLET, SURE, G_NONE, "pilot diode", "The inlet's pilot diode is bad: let service look at the inlet."),
    (61, PILOT_INVALID | PILOT_E | PILOT_F | PILOT_LOST, F_PILOT_NOISE, 0, 0, 0, NOT_KNOWN, OPEN, G_PILOT, "pilot noise", "The pilot signal is disturbed: try another station."),
    (16, PILOT_FREQUENCY, 0, 0, 0, 0, STATION, SURE, G_NONE, "pilot frequency", "The station's signal has a wrong frequency: use another station."),
    (17, PILOT_F,         0, 0, 0, 0, STATION, SURE, G_NONE, "station reports an error", "The station reports an error (state F): look at its display, or use another station."),
    (18, _DEAD,           0, 0, E_MAINS_FIRST, 0, STATION, SURE, G_NONE, "station lost power", "The station lost its power: try again later, or use another station."),
    (20, NO_PLUG,         0, 0, E_PILOT_ALIVE | E_PP_AT_RAIL, 0, INLET, SURE, G_NONE, "proximity wire open", "The proximity wire between inlet and controller is open: let service look at the inlet."),
    (21, PP_INVALID,      _PP_WRONG, 0, E_STAYS_EMPTY, 0, INLET, LIKELY, G_NONE, "proximity wrong without a plug", "The inlet's proximity line is wrong even without a plug: let service look at the inlet."),
    (22, PP_INVALID,      _PP_WRONG, 0, E_GONE_WITH_PLUG, 0, CABLE, LIKELY, G_NONE, "proximity wrong with this plug", "The plug's proximity contact or resistor is wrong: use another cable."),
    (23, PP_INVALID,      _PP_WRONG, 0, E_PP_EMPTY_GOOD, E_HAD_FLOW, CABLE, LIKELY, G_NONE, "plug came with a wrong coding", "The plug is coded wrongly or dirty: clean it, or use another cable."),
    (24, PP_INVALID,      _PP_WRONG, 0, 0, 0, NOT_KNOWN, OPEN, G_PP, "proximity wrong", "The proximity line went wrong, in the cable or in the inlet: pull the plug and try another cable."),
    (25, PP_BUTTON,       0, 0, E_BUTTON_LONG, 0, CABLE, LIKELY, G_NONE, "latch switch", "The plug's latch switch reads pressed all the time: use another cable."),
    (26, PP_BUTTON,       0, 0, 0, 0, PERSON, SURE, G_NONE, "latch button", "Somebody pressed the latch button."),
    (27, LOCK_LOST,       F_LOCK_SENSE, 0, 0, E_BOLT_OPEN | E_BOLT_BETWEEN, INLET, SURE, G_NONE, "lock feedback", "The lock's position cannot be read: let service look at the inlet."),
    (28, 0, F_UNEXPECTED_OPEN, 0, E_BOLT_OPEN, 0, PERSON, LIKELY, G_NONE, "emergency release", "The lock was opened by hand: pull the plug and insert it again."),
    (29, 0, F_UNEXPECTED_OPEN, 0, E_BOLT_BETWEEN, 0, INLET, LIKELY, G_NONE, "lock slipped", "The lock slipped out of its place: let service look at the inlet."),
    (30, LOCK_LOST,       F_UNEXPECTED_OPEN, 0, 0, 0, NOT_KNOWN, OPEN, G_NONE, "lock lost", "The lock opened by itself or by hand: pull the plug and insert it again."),
    (31, 0, F_FAILED_LOCK, 0, E_COLD, 0, INLET, LIKELY, G_NONE, "lock frozen", "The lock did not close, and it is cold: free it from ice, or warm the port."),
    (32, 0, F_FAILED_LOCK, 0, 0, 0, INLET, LIKELY, G_NONE, "lock", "The lock did not close: push the plug in all the way; if it stays so, let service look at the inlet."),
    (33, NO_PLUG,         0, 0, E_PILOT_ALIVE, 0, NOT_KNOWN, OPEN, G_PP, "proximity open", "The proximity contact is open, in the plug or in the inlet: push the plug in all the way, or try another cable."),
    (47, 0, F_AC_LIVE,    0, E_MAINS_EMPTY, 0, INLET, SURE, G_NONE, "mains sense", "The inlet sees mains with no plug in: let service look at the inlet."),
    (48, 0, F_AC_LIVE,    0, E_MAINS_EARLY, 0, STATION, LIKELY, G_NONE, "station is live", "The station's contactor does not open: switch the station off before the plug is pulled."),
    (49, 0, F_AC_LIVE,    0, 0, 0, NOT_KNOWN, OPEN, G_NONE, "mains stays", "Mains stays on: switch the station off before the plug is pulled."),
    (34, HELD,            0, 0, 0, 0, PERSON, SURE, G_NONE, "held by choice", "Charging waits for a schedule, a target or a limit that somebody has set."),
    (35, PERSON_STOP,     0, 0, 0, 0, PERSON, SURE, G_NONE, "asked to stop", "Somebody asked to stop or to unlock."),
    (36, 0, 0, H_VEHICLE_WIRE, 0, 0, VEHICLE, SURE, G_NONE, "permission wire", "The car's permission wire is open: let service look at the car."),
    (37, VEHICLE_SILENT,  0, H_CAN_BUS, 0, 0, NOT_KNOWN, OPEN, G_NONE, "bus", "The bus between car and inlet is dead: let service look at car and inlet."),
    (38, VEHICLE_SILENT | VEHICLE_NO, 0, 0, 0, 0, VEHICLE, SURE, G_NONE, "vehicle says no", "The car does not permit charging, or says nothing: look at its display."),
    (40, PILOT_DIGITAL,   0, 0, E_PILOT_ALIVE, 0, STATION, SURE, G_NONE, "digital only", "The station charges by digital communication only: use another station."),
    (39, 0, 0, H_NO_SECTION, 0, 0, INLET, SURE, G_NONE, "sequence not built in", "This inlet cannot charge at such a station: use an AC station."),
    (41, PILOT_DUTY,      0, 0, 0, 0, STATION, SURE, G_NONE, "station allows no current", "The station's signal allows no current: use another station."),
    (42, _DEAD,           0, 0, E_HAD_PWM, 0, NOT_KNOWN, OPEN, G_PILOT, "pilot went", "The pilot signal went away, in station, cable or inlet: try another station."),
    (43, _DEAD,           0, 0, 0, 0, NOT_KNOWN, OPEN, G_PILOT, "no pilot", "The station shows no signal, most often because it has no power: push the plug in all the way, or try another station."),
    (44, PILOT_INVALID,   0, 0, 0, 0, NOT_KNOWN, OPEN, G_PILOT, "pilot unreadable", "The pilot signal cannot be read: try another station."),
    (45, TEMP_HIGH,       0, 0, 0, 0, NOT_KNOWN, OPEN, G_HOT, "hot contact", "A contact became too hot, in the plug or in the inlet: let it cool, try another station or cable."),
    (46, PILOT_STEADY,    0, 0, 0, 0, STATION, SURE, G_NONE, "station pauses", "The station gives no energy now: it waits for its own permission or schedule."),
    (50, BELOW_MINIMUM,   0, 0, E_L_TEMPERATURE, 0, NOT_KNOWN, OPEN, G_HOT, "too warm for 6 A", "The port is too warm: let it cool, try another station or cable."),
    (51, BELOW_MINIMUM,   0, 0, E_L_CHOICE, 0, PERSON, SURE, G_NONE, "limit set too low", "A limit somebody has set is below what the car can charge with."),
    (52, BELOW_MINIMUM,   0, 0, E_L_VEHICLE, 0, VEHICLE, SURE, G_NONE, "vehicle limits", "The car takes less than it can charge with: look at its display."),
    (53, BELOW_MINIMUM,   0, 0, E_L_CABLE, 0, CABLE, LIKELY, G_NONE, "cable too small", "The cable is coded for less than the car can charge with: use another cable."),
    (54, BELOW_MINIMUM,   0, 0, E_L_PILOT, 0, STATION, SURE, G_NONE, "offer too small", "The station offers less than the car can charge with: use another station."),
    (55, 0, 0, 0, E_NO_FLOW | E_MAINS | E_FLOWED_LONG, 0, VEHICLE, LIKELY, G_END, "car is done", "The car takes no more: it is full, or has enough."),
    (56, 0, 0, 0, E_NO_FLOW | E_MAINS, 0, VEHICLE, SURE, G_NONE, "charger draws nothing", "Mains is there, and the car draws nothing: look at its display."),
    (57, 0, 0, 0, E_NO_FLOW | E_MAINS_SENSED, 0, STATION, SURE, G_NONE, "no mains", "The station offers current and gives no mains: use another station."),
    (58, 0, 0, 0, E_NO_FLOW, 0, NOT_KNOWN, OPEN, G_DRAW, "no current", "No current flows, by station or car: try another station."),
    (59, NO_PLUG,         0, 0, 0, 0, PERSON, LIKELY, G_NONE, "pulled", "The plug was pulled while charging."),
    (60, NOT_LOCKED,      0, 0, 0, 0, INLET, LIKELY, G_NONE, "not locked", "The lock is not closed: pull the plug and insert it again; if it stays so, let service look at the inlet."),
    (62, 0, 0, 0, E_SLOWED, 0, NOT_KNOWN, OPEN, G_HOT, "slowed by heat", "Charging is slowed because a contact is warm, in the plug or in the inlet: let it cool, try another station or cable."),
    (63, 0, 0, 0, E_LOCK_TRIES, 0, INLET, LIKELY, G_END, "lock tried again", "The lock closed at a further try only: push the plug in all the way; if it happens often, let service clean the lock."),
    (99, 0, 0, 0, 0, 0, NOT_KNOWN, OPEN, G_NONE, "no rule", "Nothing that the inlet knows says why: try again, then try another station."),
)
# fmt: on
R_CODE = const(0)
R_REASONS = const(1)
R_FAULTS = const(2)
R_HOLDS = const(3)
R_FACTS = const(4)
R_NOT = const(5)
R_VERDICT = const(6)
R_SURE = const(7)
R_GROUP = const(8)
R_NAME = const(9)
R_WORDS = const(10)

# What a later session says of one that a rule left open, by its group:
# (code, group, other, verdict, how sure, words). `other`: what the later session was, at another station.
GOOD_ELSEWHERE = const(0)
ALIKE_ELSEWHERE = const(1)
OTHER_NAMES = ("it worked at another station", "it failed alike at another station")
# fmt: off
ACROSS = (
    (101, G_PILOT, GOOD_ELSEWHERE,  STATION, LIKELY, "It was the station, or its cable: another station worked."),
    (102, G_PILOT, ALIKE_ELSEWHERE, INLET,   LIKELY, "It is the inlet: several stations failed alike. Let service look at it."),
    (103, G_PP,    GOOD_ELSEWHERE,  CABLE,   LIKELY, "It was the cable: another one worked."),
    (104, G_PP,    ALIKE_ELSEWHERE, INLET,   LIKELY, "It is the inlet: several cables failed alike. Let service look at it."),
    (105, G_HOT,   GOOD_ELSEWHERE,  CABLE,   LIKELY, "It was that station's plug: another one carried as much and stayed cool."),
    (106, G_HOT,   ALIKE_ELSEWHERE, INLET,   LIKELY, "It is the inlet: it became hot with several plugs. Let service look at it."),
    (107, G_DRAW,  GOOD_ELSEWHERE,  STATION, LIKELY, "It was the station: another one worked."),
    (108, G_DRAW,  ALIKE_ELSEWHERE, VEHICLE, LIKELY, "It is the car: it drew nothing at several stations. Let service look at it."),
)
# fmt: on
A_CODE = const(0)
A_GROUP = const(1)
A_OTHER = const(2)
A_VERDICT = const(3)
A_SURE = const(4)
A_WORDS = const(5)

# The board's form of RULES, a few hundred bytes in the place of tuples: a row is its length, its code, its verdict with how sure
# (shifted by 3) and group (by 5), then one byte a sign or fact: its kind, shifted by 5, and the number of its bit.
K_REASON = const(0)
K_FAULT = const(1)
K_HOLD = const(2)
K_FACT = const(3)
K_NOT = const(4)
HEAD = const(3)


def packed_rules(rules) -> bytes:
    """Return RULES as the board has them."""
    made = bytearray()
    for row in rules:
        signs = bytearray()
        for kind in range(K_NOT + 1):
            for bit in range(30):
                if row[R_REASONS + kind] >> bit & 1:
                    signs.append(kind << 5 | bit)
        made.append(HEAD + len(signs))
        made.append(row[R_CODE])
        made.append(row[R_VERDICT] | row[R_SURE] << 3 | row[R_GROUP] << 5)
        made.extend(signs)
    return bytes(made)


def packed_across(rows) -> bytes:
    """Return ACROSS as the board has it, three bytes a row: code, other with group (shifted by 1), verdict with how sure (by 3)."""
    made = bytearray()
    for row in rows:
        made.append(row[A_CODE])
        made.append(row[A_OTHER] | row[A_GROUP] << 1)
        made.append(row[A_VERDICT] | row[A_SURE] << 3)
    return bytes(made)


# The flash tool puts the bytes here, and leaves the tables and these two functions out.
PACKED_RULES = packed_rules(RULES)
PACKED_ACROSS = packed_across(ACROSS)
