"""Codecs of CAN messages: DC hand-off to a CCS communication controller. Printed by `inletctl docs` from inletctl/can/dialects/modem.toml: do not edit.

`encode_*` write a frame's bytes from a value object: what is out of range is brought into it, fractions are rounded down (up
where it says so); counter and checksum of a protected message stay 0 for vehicle/e2e.py. `decode_*` read one and return
True, or return False and change nothing: a signal is out of its range. Whole numbers only, no signal over 30 bits;
nothing is allocated.
"""

# fmt: off
from micropython import const

MODEM_ID = const(0x0E8)
MODEM_LENGTH = const(4)
MODEM_CYCLE_MS = const(100)
MODEM_STAGE_IDLE = const(0)
MODEM_STAGE_SLAC = const(1)
MODEM_STAGE_PARAMETERS = const(2)
MODEM_STAGE_CABLE_CHECK = const(3)
MODEM_STAGE_PRECHARGE = const(4)
MODEM_STAGE_CHARGE = const(5)
MODEM_STAGE_STOP = const(6)
MODEM_STAGE_WELD_TEST = const(7)
MODEM_STAGE_ERROR = const(8)

INLET_ID = const(0x0E0)
INLET_LENGTH = const(6)
INLET_CYCLE_MS = const(100)
INLET_PHASE_MS = const(30)
INLET_PLUG_UNKNOWN = const(0)
INLET_PLUG_UNPLUGGED = const(1)
INLET_PLUG_PLUGGED = const(2)
INLET_LOCK_UNKNOWN = const(0)
INLET_LOCK_UNLOCKED = const(1)
INLET_LOCK_LOCKED = const(2)
INLET_LOCK_FAILED = const(3)

SECTION_ID = const(0x0E1)
SECTION_LENGTH = const(8)
SECTION_CYCLE_MS = const(100)
SECTION_PHASE_MS = const(50)
SECTION_CONTACTORS_UNKNOWN = const(0)
SECTION_CONTACTORS_OPEN = const(1)
SECTION_CONTACTORS_CLOSED = const(2)

# What the inlet listens to.
IDS = (MODEM_ID,)

# lock.actuator.LOCK_STATE_NAMES to inlet.lock
LOCK_OF_STATE = (0, 0, 0, 1, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 3, 3, 3, 0, 0)


class Modem:
    """What the communication controller wants. Without it there is no DC session."""

    def __init__(self):
        self.s2_wanted = False  # show state C
        self.toggles = 0  # 0..3: B-C-B toggles wanted to wake the station; a new number asks anew
        self.unlock_permit = False  # its session is over: the cable may be released
        self.stage = 0  # 0 idle, 1 slac, 2 parameters, 3 cable_check, 4 precharge, 5 charge, 6 stop, 7 weld_test, 8 error
        self.contactors = 0  # 0 none, 1 open, 2 close
        self.error = 0  # 0..255: its own error code, for reports; 0 none


def decode_modem(d: bytearray, s: Modem) -> bool:
    """Read d[0..3] into `s`; return whether every signal is in its range."""
    toggles = d[1] >> 5 & 3
    stage = d[2] & 15
    contactors = d[2] >> 4 & 3
    error = d[3]
    if stage > 8:
        return False
    if contactors > 2:
        return False
    s.s2_wanted = d[1] & 16 != 0
    s.toggles = toggles
    s.unlock_permit = d[1] & 128 != 0
    s.stage = stage
    s.contactors = contactors
    s.error = error
    return True


class Inlet:
    """Plug, pilot, lock. Sent at once, too, when plug, button, cp_state, lock, s2_closed or may_begin changes."""

    def __init__(self):
        self.plug = 0  # 0 unknown, 1 unplugged, 2 plugged
        self.button = False  # latch button pressed (S3)
        self.frequency_ok = False  # a pilot whose frequency is within 950..1050 Hz
        self.cp_state = 0  # pilot.control.PILOT_STATE_NAMES
        self.s2_closed = False  # state C is shown
        self.lock = 0  # 0 unknown, 1 unlocked, 2 locked, 3 failed
        self.duty_pct_x100 = 0  # 0..10000 0.01 %: of the pilot; 0 without PWM
        self.may_begin = False  # nothing but the missing talk speaks against state C
        self.pp_reason = False  # PP is shorted, in a gap, or not measured


def encode_inlet(d: bytearray, s: Inlet) -> None:
    """Write d[0..5]."""
    v = s.plug
    plug = 0 if v < 0 else 2 if v > 2 else v
    button = 1 if s.button else 0
    frequency_ok = 1 if s.frequency_ok else 0
    v = s.cp_state
    cp_state = 0 if v < 0 else 9 if v > 9 else v
    s2_closed = 1 if s.s2_closed else 0
    v = s.lock
    lock = 0 if v < 0 else 3 if v > 3 else v
    v = s.duty_pct_x100
    duty_pct_x100 = 0 if v < 0 else 10000 if v > 10000 else v
    may_begin = 1 if s.may_begin else 0
    pp_reason = 1 if s.pp_reason else 0
    d[0] = 0
    d[1] = plug << 4 | button << 6 | frequency_ok << 7
    d[2] = cp_state | s2_closed << 4 | lock << 5
    d[3] = duty_pct_x100 & 255
    d[4] = duty_pct_x100 >> 8 | may_begin << 6 | pp_reason << 7
    d[5] = 0


class Section:
    """The DC section: volts, contactors, temperature, current."""

    def __init__(self):
        self.dc_ok = False  # dc_mv is fresh
        self.hottest_ok = False  # hottest_decic can be believed
        self.contactors = 0  # 0 unknown, 1 open, 2 closed
        self.dc_mv = 0  # 0..1500000 mV: DC at the inlet, rounded up
        self.dc_permitted_ma = 0  # 0..1000000 mA: by rating and temperature
        self.hottest_decic = 0  # -600..1600 0.1 degC: hottest channel


def encode_section(d: bytearray, s: Section) -> None:
    """Write d[0..7]."""
    dc_ok = 1 if s.dc_ok else 0
    hottest_ok = 1 if s.hottest_ok else 0
    v = s.contactors
    contactors = 0 if v < 0 else 2 if v > 2 else v
    v = s.dc_mv
    dc_mv = ((0 if v < 0 else 1500000 if v > 1500000 else v) + 99) // 100
    v = s.dc_permitted_ma
    dc_permitted_ma = (0 if v < 0 else 1000000 if v > 1000000 else v) // 100
    v = s.hottest_decic
    hottest_decic = -600 if v < -600 else 1600 if v > 1600 else v
    d[0] = 0
    d[1] = dc_ok << 4 | hottest_ok << 5 | contactors << 6
    d[2] = dc_mv & 255
    d[3] = dc_mv >> 8
    d[4] = dc_permitted_ma & 255
    d[5] = dc_permitted_ma >> 8
    d[6] = hottest_decic & 255
    d[7] = hottest_decic >> 8 & 15
