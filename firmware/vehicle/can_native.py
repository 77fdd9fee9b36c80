"""Codecs of CAN messages: Native. Printed by `inletctl docs` from inletctl/can/dialects/native.toml: do not edit.

`encode_*` write a frame's bytes from a value object: what is out of range is brought into it, fractions are rounded down (up
where it says so); counter and checksum of a protected message stay 0 for vehicle/e2e.py. `decode_*` read one and return
True, or return False and change nothing: a signal is out of its range. Whole numbers only, no signal over 30 bits;
nothing is allocated.
"""

# fmt: off
from micropython import const

CONTROL_ID = const(0x0C8)
CONTROL_LENGTH = const(4)
CONTROL_CYCLE_MS = const(100)
CONTROL_PERMISSION_NONE = const(0)
CONTROL_PERMISSION_PERMIT = const(1)
CONTROL_PERMISSION_STOP = const(2)
CONTROL_GEAR_UNKNOWN = const(0)
CONTROL_GEAR_PARKED = const(1)
CONTROL_GEAR_NOT_PARKED = const(2)
CONTROL_GEAR_NOT_FITTED = const(3)

CHARGER_ID = const(0x0C9)
CHARGER_LENGTH = const(5)
CHARGER_CYCLE_MS = const(100)

DC_ID = const(0x0CA)
DC_LENGTH = const(5)
DC_CYCLE_MS = const(100)
DC_CONTACTOR_PLUS_UNKNOWN = const(0)
DC_CONTACTOR_PLUS_OPEN = const(1)
DC_CONTACTOR_PLUS_CLOSED = const(2)
DC_CONTACTOR_PLUS_FAULTY = const(3)
DC_CONTACTOR_MINUS_UNKNOWN = const(0)
DC_CONTACTOR_MINUS_OPEN = const(1)
DC_CONTACTOR_MINUS_CLOSED = const(2)
DC_CONTACTOR_MINUS_FAULTY = const(3)

BATTERY_ID = const(0x0CB)
BATTERY_LENGTH = const(6)
BATTERY_CYCLE_MS = const(1000)

STATUS_ID = const(0x0C0)
STATUS_LENGTH = const(6)
STATUS_CYCLE_MS = const(100)
STATUS_PHASE_MS = const(0)
STATUS_DRIVE_UNKNOWN = const(0)
STATUS_DRIVE_ALLOWED = const(1)
STATUS_DRIVE_INHIBITED = const(2)

LIMITS_ID = const(0x0C1)
LIMITS_LENGTH = const(8)
LIMITS_CYCLE_MS = const(100)
LIMITS_PHASE_MS = const(20)

TEMPERATURES_ID = const(0x0D2)
TEMPERATURES_LENGTH = const(3)
TEMPERATURES_CYCLE_MS = const(1000)
TEMPERATURES_PHASE_MS = const(10)

REASONS_ID = const(0x0D3)
REASONS_LENGTH = const(8)
REASONS_CYCLE_MS = const(200)
REASONS_PHASE_MS = const(40)

FAULTS_ID = const(0x0D4)
FAULTS_LENGTH = const(4)
FAULTS_CYCLE_MS = const(200)
FAULTS_PHASE_MS = const(60)

DIAGNOSIS_ID = const(0x0D6)
DIAGNOSIS_LENGTH = const(8)
DIAGNOSIS_CYCLE_MS = const(1000)
DIAGNOSIS_PHASE_MS = const(170)

# What the inlet listens to.
IDS = (CONTROL_ID, CHARGER_ID, DC_ID, BATTERY_ID,)


class Control:
    """The vehicle's word: may it charge, how much, and what else it wants. Without it nothing is permitted."""

    def __init__(self):
        self.permission = 0  # 0 none, 1 permit, 2 stop
        self.unlock_request = False  # held while wanted: stops charging, then the cable is released
        self.stop_request = False  # held while wanted; stronger than permit
        self.limit_ma = 0  # 0..80000 mA: what the charger can take, per phase
        self.gear = 0  # 0 unknown, 1 parked, 2 not_parked, 3 not_fitted
        self.drive_request = False  # the driver wants to drive; with the plug in it is refused and told


def decode_control(d: bytearray, s: Control) -> bool:
    """Read d[0..3] into `s`; return whether every signal is in its range."""
    permission = d[1] >> 4 & 3
    limit_ma = d[2] | (d[3] & 3) << 8
    gear = d[3] >> 2 & 3
    if permission > 2:
        return False
    if limit_ma > 800:
        return False
    s.permission = permission
    s.unlock_request = d[1] & 64 != 0
    s.stop_request = d[1] & 128 != 0
    s.limit_ma = limit_ma * 100
    s.gear = gear
    s.drive_request = d[3] & 16 != 0
    return True


class Charger:
    """What the on-board charger measures."""

    def __init__(self):
        self.current_ok = False  # current_ma is measured
        self.volts_ok = False  # ac_mv is measured
        self.current_ma = 0  # 0..80000 mA: AC drawn per phase, the highest of them, rounded up
        self.ac_mv = 0  # 0..500000 mV: AC at the charger's input, rounded up


def decode_charger(d: bytearray, s: Charger) -> bool:
    """Read d[0..4] into `s`; return whether every signal is in its range."""
    current_ma = d[2] | (d[3] & 3) << 8
    ac_mv = d[3] >> 2 | (d[4] & 15) << 6
    if current_ma > 800:
        return False
    if ac_mv > 500:
        return False
    s.current_ok = d[1] & 16 != 0
    s.volts_ok = d[1] & 32 != 0
    s.current_ma = current_ma * 100
    s.ac_mv = ac_mv * 1000
    return True


class Dc:
    """The DC section: what must be dead before a cable is released."""

    def __init__(self):
        self.dc_ok = False  # dc_mv is measured
        self.dc_mv = 0  # 0..1500000 mV: DC at the inlet, its amount, rounded up
        self.contactor_plus = 0  # 0 unknown, 1 open, 2 closed, 3 faulty
        self.contactor_minus = 0  # 0 unknown, 1 open, 2 closed, 3 faulty


def decode_dc(d: bytearray, s: Dc) -> bool:
    """Read d[0..4] into `s`; return whether every signal is in its range."""
    dc_mv = d[2] | (d[3] & 63) << 8
    contactor_plus = d[3] >> 6
    contactor_minus = d[4] & 3
    if dc_mv > 15000:
        return False
    s.dc_ok = d[1] & 16 != 0
    s.dc_mv = dc_mv * 100
    s.contactor_plus = contactor_plus
    s.contactor_minus = contactor_minus
    return True


class Battery:
    """State of charge, its target, and the time on the vehicle's clock."""

    def __init__(self):
        self.soc_ok = False  # soc_pct is known
        self.target_ok = False  # target_pct is set
        self.clock_ok = False  # clock_min is set
        self.soc_pct = 0  # 0..100 %: state of charge
        self.target_pct = 0  # 0..100 %: state of charge at which the vehicle wants charging to end
        self.clock_min = 0  # 0..10079 min: local time: minute of the week, 0 = Monday 0:00


def decode_battery(d: bytearray, s: Battery) -> bool:
    """Read d[0..5] into `s`; return whether every signal is in its range."""
    soc_pct = d[2] & 127
    target_pct = d[2] >> 7 | (d[3] & 63) << 1
    clock_min = d[4] | (d[5] & 63) << 8
    if soc_pct > 100:
        return False
    if target_pct > 100:
        return False
    if clock_min > 10079:
        return False
    s.soc_ok = d[1] & 16 != 0
    s.target_ok = d[1] & 32 != 0
    s.clock_ok = d[1] & 64 != 0
    s.soc_pct = soc_pct
    s.target_pct = target_pct
    s.clock_min = clock_min
    return True


class Status:
    """What the inlet does. Sent at once, too, when drive, plug_present, s2_closed, session or has_fault changes or charger_ma falls."""

    def __init__(self):
        self.drive = 0  # 0 unknown, 1 allowed, 2 inhibited
        self.plug_present = False  # anything but a proven unplugged
        self.s2_closed = False  # state C is shown to the EVSE
        self.charger_ma = 0  # 0..80000 mA: what the on-board charger may draw now, per phase
        self.session = 0  # interlock.SESSION_NAMES
        self.pilot_state = 0  # pilot.control.PILOT_STATE_NAMES
        self.lock_state = 0  # lock.actuator.LOCK_STATE_NAMES
        self.light = 0  # vehicle.looks.LIGHT_NAMES
        self.dc_session = False  # S2 is the communication controller's to ask for
        self.wants_heat = False  # the lock is stuck and cold
        self.is_asleep = False  # nothing has gone on for long
        self.has_fault = False  # a fault that forces a reason is present


def encode_status(d: bytearray, s: Status) -> None:
    """Write d[0..5]."""
    v = s.drive
    drive = 0 if v < 0 else 2 if v > 2 else v
    plug_present = 1 if s.plug_present else 0
    s2_closed = 1 if s.s2_closed else 0
    v = s.charger_ma
    charger_ma = (0 if v < 0 else 80000 if v > 80000 else v) // 100
    v = s.session
    session = 0 if v < 0 else 5 if v > 5 else v
    v = s.pilot_state
    pilot_state = 0 if v < 0 else 9 if v > 9 else v
    v = s.lock_state
    lock_state = 0 if v < 0 else 20 if v > 20 else v
    v = s.light
    light = 0 if v < 0 else 13 if v > 13 else v
    dc_session = 1 if s.dc_session else 0
    wants_heat = 1 if s.wants_heat else 0
    is_asleep = 1 if s.is_asleep else 0
    has_fault = 1 if s.has_fault else 0
    d[0] = 0
    d[1] = drive << 4 | plug_present << 6 | s2_closed << 7
    d[2] = charger_ma & 255
    d[3] = charger_ma >> 8 | session << 2 | (pilot_state & 7) << 5
    d[4] = pilot_state >> 3 | lock_state << 1 | (light & 3) << 6
    d[5] = light >> 2 | dc_session << 3 | wants_heat << 4 | is_asleep << 5 | has_fault << 6


class Limits:
    """The permitted current and who limits it."""

    def __init__(self):
        self.limiter = 0  # limits.LIMITER_NAMES
        self.permitted_ma = 0  # 0..80000 mA: lowest of every limit per phase, reasons aside
        self.offered_ma = 0  # 0..80000 mA: by the pilot, per phase
        self.duty_pct_x100 = 0  # 0..10000 0.01 %: of the pilot; 0 without PWM
        self.dc_permitted_ma = 0  # 0..1000000 mA: DC, by rating and temperature; 0 without a DC section


def encode_limits(d: bytearray, s: Limits) -> None:
    """Write d[0..7]."""
    v = s.limiter
    limiter = 0 if v < 0 else 8 if v > 8 else v
    v = s.permitted_ma
    permitted_ma = (0 if v < 0 else 80000 if v > 80000 else v) // 100
    v = s.offered_ma
    offered_ma = (0 if v < 0 else 80000 if v > 80000 else v) // 100
    v = s.duty_pct_x100
    duty_pct_x100 = 0 if v < 0 else 10000 if v > 10000 else v
    v = s.dc_permitted_ma
    dc_permitted_ma = (0 if v < 0 else 1000000 if v > 1000000 else v) // 100
    d[0] = 0
    d[1] = limiter << 4
    d[2] = permitted_ma & 255
    d[3] = permitted_ma >> 8 | (offered_ma & 63) << 2
    d[4] = offered_ma >> 6 | (duty_pct_x100 & 15) << 4
    d[5] = duty_pct_x100 >> 4 & 255
    d[6] = duty_pct_x100 >> 12 | (dc_permitted_ma & 63) << 2
    d[7] = dc_permitted_ma >> 6


class Temperatures:
    """The hottest contact. Each channel's own voltage is in raw."""

    def __init__(self):
        self.hottest_decic = 0  # -600..1600 0.1 degC: hottest channel that can be believed
        self.hottest_ok = False  # there is one
        self.measured = 0  # 0..15: mask of the channels that were measured


def encode_temperatures(d: bytearray, s: Temperatures) -> None:
    """Write d[0..2]."""
    v = s.hottest_decic
    hottest_decic = -600 if v < -600 else 1600 if v > 1600 else v
    hottest_ok = 1 if s.hottest_ok else 0
    v = s.measured
    measured = 0 if v < 0 else 15 if v > 15 else v
    d[0] = hottest_decic & 255
    d[1] = (hottest_decic >> 8 & 15) | hottest_ok << 4
    d[2] = measured


class Reasons:
    """Why S2 may not close, and what the car, a person or a record asks; docs/shutdown.md says what each means."""

    def __init__(self):
        self.reasons = 0  # faults.SHUTDOWN
        self.holds = 0  # faults.HOLDS


def encode_reasons(d: bytearray, s: Reasons) -> None:
    """Write d[0..7]."""
    reasons = s.reasons & 1073741823
    holds = s.holds & 33554431
    d[0] = reasons & 255
    d[1] = reasons >> 8 & 255
    d[2] = reasons >> 16 & 255
    d[3] = reasons >> 24
    d[4] = holds & 255
    d[5] = holds >> 8 & 255
    d[6] = holds >> 16 & 255
    d[7] = holds >> 24


class Faults:
    """What is broken; docs/shutdown.md says what each means."""

    def __init__(self):
        self.faults = 0  # faults.FAULTS


def encode_faults(d: bytearray, s: Faults) -> None:
    """Write d[0..3]."""
    faults = s.faults & 536870911
    d[0] = faults & 255
    d[1] = faults >> 8 & 255
    d[2] = faults >> 16 & 255
    d[3] = faults >> 24


class Diagnosis:
    """What the inlet's journal says: whose fault the last stop or refusal was, trouble codes, wear. docs/whose-fault.md and docs/codes have the numbers."""

    def __init__(self):
        self.has_verdict = False  # the four below say something: there was a stop since the board was switched on
        self.verdict = 0  # journal.blame.VERDICT_NAMES
        self.sure = 0  # journal.blame.SURE_NAMES
        self.rule_code = 0  # 0..255: the rule that said so
        self.serial = 0  # 0..255: grows with every verdict, modulo 256
        self.codes_stored = 0  # 0..16: trouble codes stored
        self.codes_present = 0  # 0..16: of these those whose cause stands
        self.newest_code = 0  # 0..9999: trouble code that appeared last; 0 = none
        self.contacts = 0  # journal.health.VERDICT_NAMES
        self.due = 0  # journal.wear.WARNINGS


def encode_diagnosis(d: bytearray, s: Diagnosis) -> None:
    """Write d[0..7]."""
    has_verdict = 1 if s.has_verdict else 0
    v = s.verdict
    verdict = 0 if v < 0 else 5 if v > 5 else v
    v = s.sure
    sure = 0 if v < 0 else 2 if v > 2 else v
    v = s.rule_code
    rule_code = 0 if v < 0 else 255 if v > 255 else v
    v = s.serial
    serial = 0 if v < 0 else 255 if v > 255 else v
    v = s.codes_stored
    codes_stored = 0 if v < 0 else 16 if v > 16 else v
    v = s.codes_present
    codes_present = 0 if v < 0 else 16 if v > 16 else v
    v = s.newest_code
    newest_code = 0 if v < 0 else 9999 if v > 9999 else v
    v = s.contacts
    contacts = 0 if v < 0 else 5 if v > 5 else v
    due = s.due & 31
    d[0] = has_verdict | verdict << 1 | sure << 4
    d[1] = rule_code
    d[2] = serial
    d[3] = codes_stored | (codes_present & 7) << 5
    d[4] = codes_present >> 3 | (newest_code & 63) << 2
    d[5] = newest_code >> 6
    d[6] = contacts | (due & 15) << 4
    d[7] = due >> 4
