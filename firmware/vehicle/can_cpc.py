"""Codecs of CAN messages: CPC and Clara. Printed by `inletctl docs` from inletctl/can/dialects/cpc.toml: do not edit.

`encode_*` write a frame's bytes from a value object: what is out of range is brought into it, fractions are rounded down (up
where it says so); counter and checksum of a protected message stay 0 for vehicle/e2e.py. `decode_*` read one and return
True, or return False and change nothing: a signal is out of its range. Whole numbers only, no signal over 30 bits;
nothing is allocated.
"""

# fmt: off
from micropython import const

VEHICLE_ID = const(0x358)
VEHICLE_LENGTH = const(8)
VEHICLE_CYCLE_MS = const(100)
VEHICLE_OBC_STATE_IDLE = const(0)
VEHICLE_OBC_STATE_LOCK = const(1)
VEHICLE_OBC_STATE_CHARGE = const(2)
VEHICLE_OBC_STATE_PAUSE = const(3)
VEHICLE_OBC_STATE_COMPLETE = const(4)
VEHICLE_OBC_STATE_ERROR = const(5)

PORT_ID = const(0x357)
PORT_LENGTH = const(8)
PORT_CYCLE_MS = const(100)
PORT_PHASE_MS = const(0)
PORT_PORT_STATE_IDLE = const(0)
PORT_PORT_STATE_PLUGGED = const(1)
PORT_PORT_STATE_READY = const(2)
PORT_PORT_STATE_AC = const(3)
PORT_PORT_STATE_DC = const(4)
PORT_PORT_STATE_STOPPING = const(5)
PORT_PORT_STATE_UNLOCK = const(6)
PORT_PORT_STATE_ERROR = const(7)
PORT_PLUG_OUT = const(0)
PORT_PLUG_OUT_2 = const(1)
PORT_PLUG_IN = const(2)
PORT_PLUG_ERROR = const(3)

STATION_ID = const(0x109)
STATION_LENGTH = const(8)
STATION_CYCLE_MS = const(100)
STATION_PHASE_MS = const(20)

# What the inlet listens to.
IDS = (VEHICLE_ID,)

# interlock.SESSION_NAMES to port.port_state
STATE_OF_SESSION = (0, 1, 3, 5, 1, 6)

# lock.actuator.LOCK_STATE_NAMES to port.lock
LOCK_OF_STATE = (0, 0, 0, 1, 4, 4, 4, 4, 4, 2, 2, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0)


class Vehicle:
    """Allow or stop. 400 ms from a CPC's vehicle, 100 ms in Clara's form."""

    def __init__(self):
        self.allow = False  # charging may begin
        self.stop = False  # charging is to end; stronger than allow
        self.obc_state = 0  # 0 idle, 1 lock, 2 charge, 3 pause, 4 complete, 5 error
        self.unlock_allowed = False  # Clara's form: the vehicle's doors are unlocked. No request, so nothing obeys it (own choice)
        self.soc_pct = 0  # 0..100 %: Clara's form: state of charge
        self.battery_v = 0  # 0..1500 V: Clara's form; 0: the CPC's form. Range own choice
        self.target_v = 0  # 0..1500 V: Clara's form: for DC
        self.dc_request_a = 0  # 0..1000 A: Clara's form: for DC


def decode_vehicle(d: bytearray, s: Vehicle) -> bool:
    """Read d[0..7] into `s`; return whether every signal is in its range."""
    obc_state = d[0] >> 2 & 31
    soc_pct = d[1]
    battery_v = d[2] | d[3] << 8
    target_v = d[4] | d[5] << 8
    dc_request_a = d[6] | d[7] << 8
    if obc_state > 5:
        return False
    if soc_pct > 100:
        return False
    if battery_v > 1500:
        return False
    if target_v > 1500:
        return False
    if dc_request_a > 1000:
        return False
    s.allow = d[0] & 1 != 0
    s.stop = d[0] & 2 != 0
    s.obc_state = obc_state
    s.unlock_allowed = d[0] & 128 != 0
    s.soc_pct = soc_pct
    s.battery_v = battery_v
    s.target_v = target_v
    s.dc_request_a = dc_request_a
    return True


class Port:
    """State of the charge port. Cycle own choice; sent at once, too, when port_state or plug changes or ac_limit_a falls."""

    def __init__(self):
        self.iso_stop = 0  # 0..1: always 0 (own choice): the two forms read it the opposite way round
        self.ac_limit_a = 0  # 0..80 A: what the charger may draw now, rounded down (own choice: 0 while S2 is open)
        self.port_state = 0  # 0 idle, 1 plugged, 2 ready, 3 ac, 4 dc, 5 stopping, 6 unlock, 7 error
        self.plug = 0  # 0 out, 1 out_2, 2 in, 3 error
        self.lock = 0  # 0 none, 1 open, 2 closed, 3 opening, 4 closing
        self.duty_pct = 0  # 0..100 %: of the pilot, rounded down (own choice)


def encode_port(d: bytearray, s: Port) -> None:
    """Write d[0..7]."""
    v = s.iso_stop
    iso_stop = 0 if v < 0 else 1 if v > 1 else v
    v = s.ac_limit_a
    ac_limit_a = 0 if v < 0 else 80 if v > 80 else v
    v = s.port_state
    port_state = 0 if v < 0 else 7 if v > 7 else v
    v = s.plug
    plug = 0 if v < 0 else 3 if v > 3 else v
    v = s.lock
    lock = 0 if v < 0 else 4 if v > 4 else v
    v = s.duty_pct
    duty_pct = 0 if v < 0 else 100 if v > 100 else v
    d[0] = iso_stop
    d[1] = ac_limit_a & 255
    d[2] = ac_limit_a >> 8
    d[3] = port_state
    d[4] = plug
    d[5] = lock
    d[6] = duty_pct
    d[7] = 0


class Station:
    """Clara's frame of a DC station. This inlet knows its own limit only; what it does not know it sends as 0 (own choice)."""

    def __init__(self):
        self.evse_v = 0  # 0..1500 V: 0: not known here
        self.evse_a = 0  # 0..1000 A: 0: not known here
        self.available_a = 0  # 0..1000 A: DC permitted by rating and temperature while a DC session is on, else 0
        self.available_v = 0  # 0..1500 V: 0: not known here


def encode_station(d: bytearray, s: Station) -> None:
    """Write d[0..7]."""
    v = s.evse_v
    evse_v = 0 if v < 0 else 1500 if v > 1500 else v
    v = s.evse_a
    evse_a = 0 if v < 0 else 1000 if v > 1000 else v
    v = s.available_a
    available_a = 0 if v < 0 else 1000 if v > 1000 else v
    v = s.available_v
    available_v = 0 if v < 0 else 1500 if v > 1500 else v
    d[0] = evse_v & 255
    d[1] = evse_v >> 8
    d[2] = evse_a & 255
    d[3] = evse_a >> 8
    d[4] = available_a & 255
    d[5] = available_a >> 8
    d[6] = available_v & 255
    d[7] = available_v >> 8
