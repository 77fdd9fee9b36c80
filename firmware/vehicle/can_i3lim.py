"""Codecs of CAN messages: BMW i3 LIM. Printed by `inletctl docs` from inletctl/can/dialects/i3lim.toml: do not edit.

`encode_*` write a frame's bytes from a value object: what is out of range is brought into it, fractions are rounded down (up
where it says so); counter and checksum of a protected message stay 0 for vehicle/e2e.py. `decode_*` read one and return
True, or return False and change nothing: a signal is out of its range. Whole numbers only, no signal over 30 bits;
nothing is allocated.
"""

# fmt: off
from micropython import const

BATTERY_ID = const(0x112)
BATTERY_LENGTH = const(8)
BATTERY_CYCLE_MS = const(10)

CHARGE_ID = const(0x3E9)
CHARGE_LENGTH = const(8)
CHARGE_CYCLE_MS = const(200)

LIM_ID = const(0x3B4)
LIM_LENGTH = const(8)
LIM_CYCLE_MS = const(100)
LIM_PHASE_MS = const(0)
LIM_PILOT_NONE = const(0)
LIM_PILOT_PWM = const(1)
LIM_PILOT_PWM_READY = const(2)
LIM_PILOT_ERROR = const(3)
LIM_PILOT_DIGITAL = const(4)
LIM_PILOT_DIGITAL_READY = const(5)
LIM_PILOT_STEADY = const(6)

PORT_ID = const(0x272)
PORT_LENGTH = const(8)
PORT_CYCLE_MS = const(200)
PORT_PHASE_MS = const(20)

AVAILABLE_ID = const(0x29E)
AVAILABLE_LENGTH = const(8)
AVAILABLE_CYCLE_MS = const(200)
AVAILABLE_PHASE_MS = const(40)

MEASURED_ID = const(0x2B2)
MEASURED_LENGTH = const(8)
MEASURED_CYCLE_MS = const(200)
MEASURED_PHASE_MS = const(60)

# What the inlet listens to.
IDS = (BATTERY_ID, CHARGE_ID,)


class Battery:
    """The battery. A sign of life: without it nothing is permitted."""

    def __init__(self):
        self.battery_ma = 0  # -819200..819100 mA: 0.1 A, offset 819.2 A; 2**14 and above is out of range (own choice)
        self.battery_mv = 0  # 0..1000000 mV: 0.1 V; range own choice
        self.soc_pct_x10 = 0  # 0..1000 0.1 %: state of charge


def decode_battery(d: bytearray, s: Battery) -> bool:
    """Read d[0..7] into `s`; return whether every signal is in its range."""
    battery_ma = d[0] | d[1] << 8
    battery_mv = d[2] | d[3] << 8
    soc_pct_x10 = d[4] | (d[5] & 15) << 8
    if battery_ma > 16383:
        return False
    if battery_mv > 10000:
        return False
    if soc_pct_x10 > 1000:
        return False
    s.battery_ma = battery_ma * 100 - 819200
    s.battery_mv = battery_mv * 100
    s.soc_pct_x10 = soc_pct_x10
    return True


class Charge:
    """The vehicle's wish. Permits with request and ready, nothing else. One lost frame is borne."""

    def __init__(self):
        self.battery_wh = 0  # 0..65535 Wh: energy of the battery
        self.request = 0  # 0..1: 1: charging is wanted
        self.charge_state = 0  # 0..15: 0 not ready, 1 DC, 2 ready
        self.ready = 0  # 0..1: 1: ready to charge
        self.forecast_w = 0  # 0..102375 W: a forecast, no limit
        self.contactor_control = 0  # 0..15: DC contactor command; nothing obeys it


def decode_charge(d: bytearray, s: Charge) -> bool:
    """Read d[0..7] into `s`; return whether every signal is in its range."""
    battery_wh = d[0] | d[1] << 8
    request = d[2] & 15
    charge_state = d[2] >> 4
    ready = d[3] & 3
    forecast_w = d[3] >> 4 | d[4] << 4
    contactor_control = d[6] >> 4
    if request > 1:
        return False
    if ready > 1:
        return False
    s.battery_wh = battery_wh
    s.request = request
    s.charge_state = charge_state
    s.ready = ready
    s.forecast_w = forecast_w * 25
    s.contactor_control = contactor_control
    return True


class Lim:
    """The inlet. Cycle own choice; sent at once, too, when pilot or plug changes or pilot_a falls."""

    def __init__(self):
        self.pilot_a = 0  # 0..80 A: what the charger may draw now, rounded down; while S2 is open what is permitted, reasons aside (own choice)
        self.cable_a = 0  # 0..80 A: as pilot_a: the cable's own rating is in it already (own choice)
        self.plug = False  # 0 for a proven unplugged only
        self.pilot = 0  # 0 none, 1 pwm, 2 pwm_ready, 3 error, 4 digital, 5 digital_ready, 6 steady
        self.charge_type = 0  # 0..2: 0 none, 1 AC, 2 DC (own choice: its values are not known)
        self.dc_mv = 0  # 0..510000 mV: DC at the inlet, 2 V a bit, rounded up; 0 where it is not known


def encode_lim(d: bytearray, s: Lim) -> None:
    """Write d[0..7]."""
    v = s.pilot_a
    pilot_a = 0 if v < 0 else 80 if v > 80 else v
    v = s.cable_a
    cable_a = 0 if v < 0 else 80 if v > 80 else v
    plug = 1 if s.plug else 0
    v = s.pilot
    pilot = 0 if v < 0 else 6 if v > 6 else v
    v = s.charge_type
    charge_type = 0 if v < 0 else 2 if v > 2 else v
    v = s.dc_mv
    dc_mv = ((0 if v < 0 else 510000 if v > 510000 else v) + 1999) // 2000
    d[0] = pilot_a
    d[1] = cable_a
    d[2] = plug
    d[3] = 0
    d[4] = pilot
    d[5] = 0
    d[6] = charge_type
    d[7] = dc_mv


class Port:
    """CCS contactors and flap. Length and cycle own choice."""

    def __init__(self):
        self.contactors = 0  # 0..255: always 0 (own choice: values not known)


def encode_port(d: bytearray, s: Port) -> None:
    """Write d[0..7]."""
    v = s.contactors
    contactors = 0 if v < 0 else 255 if v > 255 else v
    d[0] = 0
    d[1] = 0
    d[2] = contactors
    d[3] = 0
    d[4] = 0
    d[5] = 0
    d[6] = 0
    d[7] = 0


class Available:
    """What the DC station can give. Length and cycle own choice."""

    def __init__(self):
        self.available_mv = 0  # 0..1500000 mV: 0: not known here
        self.available_ma = 0  # 0..1000000 mA: DC permitted by rating and temperature while a DC session is on, else 0 (own choice)


def encode_available(d: bytearray, s: Available) -> None:
    """Write d[0..7]."""
    v = s.available_mv
    available_mv = (0 if v < 0 else 1500000 if v > 1500000 else v) // 100
    v = s.available_ma
    available_ma = (0 if v < 0 else 1000000 if v > 1000000 else v) // 100
    d[0] = 0
    d[1] = available_mv & 255
    d[2] = available_mv >> 8
    d[3] = available_ma & 255
    d[4] = available_ma >> 8
    d[5] = 0
    d[6] = 0
    d[7] = 0


class Measured:
    """What the DC station measures. Length and cycle own choice."""

    def __init__(self):
        self.evse_mv = 0  # 0..1500000 mV: 0: not known here
        self.evse_ma = 0  # 0..1000000 mA: 0: not known here


def encode_measured(d: bytearray, s: Measured) -> None:
    """Write d[0..7]."""
    v = s.evse_mv
    evse_mv = (0 if v < 0 else 1500000 if v > 1500000 else v) // 100
    v = s.evse_ma
    evse_ma = (0 if v < 0 else 1000000 if v > 1000000 else v) // 100
    d[0] = evse_mv & 255
    d[1] = evse_mv >> 8
    d[2] = evse_ma & 255
    d[3] = evse_ma >> 8
    d[4] = 0
    d[5] = 0
    d[6] = 0
    d[7] = 0
