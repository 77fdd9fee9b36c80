"""What goes into one step and what comes out of it: plain, preallocated objects.

Drivers fill `Readings`, the step fills `Commands`, drivers obey. Nothing here decides. Every quantity is an
int with its unit in the name; every reading that can fail has its own validity, there are no sentinel numbers.
"""

from array import array

from micropython import const

# Newest complete pilot periods handed over in one pass. Ten pass by in 10 ms at 1 kHz; five are enough for a
# majority and half the work.
PILOT_PERIODS = const(5)
TEMP_CHANNELS = const(4)


class Readings:
    """One sample of every input, taken at the start of a pass. Written by the board's drivers, and the desk's part by it."""

    def __init__(self):
        # Control pilot, measured at the pin before the vehicle's diode.
        self.pilot_count = 0  # complete periods in the arrays below, 0..PILOT_PERIODS
        self.pilot_high_us_x10 = array("i", [0] * PILOT_PERIODS)  # high time of each, 0.1 us
        self.pilot_period_us_x10 = array("i", [0] * PILOT_PERIODS)  # period of each, 0.1 us, > 0
        self.pilot_quiet_ms = (
            1000  # time since the last edge of either kind, 0..1000 (stays there)
        )
        self.cp_ok = False  # the two levels below were really measured in this pass
        self.cp_high_mv = (
            0  # level while high; the steady level where there are no edges. -15000..15000
        )
        self.cp_low_mv = 0  # level while low; the steady level where there are no edges
        # Proximity pilot and the rail its pull-up hangs on.
        self.pp_ok = False
        self.pp_mv = 0
        self.pp_rail_mv = 5000
        # Port temperatures: divider voltages, one a channel, and the rail of their pull-ups.
        self.temp_ok = array("b", [0] * TEMP_CHANNELS)
        self.temp_mv = array("i", [0] * TEMP_CHANNELS)
        self.temp_age_ms = array(
            "i", [0] * TEMP_CHANNELS
        )  # since the channel was last converted, 0..60000
        self.temp_rail_mv = 3300
        # Connector lock.
        self.lock_feedback_ok = False
        self.lock_feedback_mv = 0
        self.lock_motor_ma = 0  # bridge current, 0 while not driven
        # The car: its word, and what its charger really draws.
        self.vehicle_age_ms = 60000  # since its last fresh message or discrete input, 0..60000
        self.vehicle_permits = False
        self.vehicle_limit_ma = 0  # what its charger can take, per phase
        self.charger_ok = False  # charger_ma is fresh
        self.charger_ma = 0  # AC current really drawn, per phase
        self.ac_ok = False  # ac_present is fresh
        self.ac_present = False  # mains seen at the inlet
        # The car's side (vehicle/car.py): what it holds charging back for, and what must be dead before a cable is let go.
        self.holds = 0  # mask of faults.H_ bits asked for
        self.person_limit_ma = 80000  # a person's own limit, per phase
        # The stored port records (ports/head.py): holds of the AC and of the DC section, and what they may carry.
        self.port_holds = 0  # mask of faults.H_ bits
        self.port_dc_holds = 0
        self.port_ma = 80000  # per phase
        self.port_dc_ma = 1000000
        self.dc_ok = False  # dc_mv is fresh
        self.dc_mv = 0  # DC at the inlet, 0..1500000
        self.car_ac_live = (
            False  # the car says that there is AC at its charger; silence says nothing
        )
        self.contactors_ok = False  # contactors_open is fresh
        self.contactors_open = False  # the car says that its DC contactors are open
        self.car_unlock = False  # the car wants the cable released (held while wanted)
        self.car_stop = False  # the car wants charging to stop (held while wanted)
        self.is_asleep = False  # nothing has gone on for long: no light
        self.is_nearly_full = (
            False  # the car says that its battery is nearly full: the light breathes slower
        )
        # The communication controller for CCS, where there is one.
        self.modem_age_ms = 60000  # since its last fresh message, 0..60000
        self.modem_wants_c = False  # wants state C shown
        self.modem_toggles = 0  # B-C-B toggles it wants before, 0..3
        self.modem_permits_unlock = False
        # The person.
        self.stop_request = False  # wants charging to stop (held while wanted)
        self.unlock_request = False  # unlock button pressed
        # A computer at the console (vehicle/desk.py); judged by the step like a person's.
        self.console_stop = False  # wants charging to stop (held until the plug is out)
        self.test_lock = 0  # in one pass: 1 drive the lock towards locked, -1 towards unlocked
        self.service_end = False  # in one pass: service mode is to end
        # Hardware let go of S2 or the bridge since the last pass because the loop was late, uncommanded.
        self.output_lost = False


class Commands:
    """What the board must do until the next pass, and what it may tell. Written by the step only."""

    def __init__(self):
        self.s2_close = False  # True shows state C to the EVSE: "energy wanted"
        self.charger_ma = 0  # current the on-board charger may draw now, per phase; 0 = none
        self.lock_drive = 0  # 1 towards locked, -1 towards unlocked, 0 bridge off
        self.drive_allowed = False  # positive permission to move the car
        self.light = 0  # vehicle.light pattern
        self.look = 0  # how the settings want it to look: vehicle.light.looks
        # For reports: none of these energises anything.
        self.session = 0  # interlock session state
        self.pilot_state = 0  # pilot.state constant, A..F
        self.lock_state = 0  # lock.actuator state
        self.duty_pct_x100 = 0  # duty last accepted; meaningful while pilot_state has PWM
        self.offered_ma = 0  # by the pilot
        self.permitted_ma = 0  # the minimum of every limit, reasons aside
        self.limiter = 0  # interlock limiter that sets permitted_ma
        self.reasons = 0  # mask of faults.REASON bits: why S2 may not close
        self.faults = 0  # mask of faults.FAULT bits: what is broken
        self.hottest_decic = 0  # hottest valid channel, 0.1 degree C; see hottest_ok
        self.hottest_ok = False
        self.holds = 0  # mask of faults.H_ bits: what is asked, and what the inlet has noticed
        self.dc_permitted_ma = (
            0  # what DC may flow by rating and temperature; 0 without a DC section
        )
        self.plug_present = True  # anything but a proven "unplugged"
        self.wants_heat = False  # the lock is stuck and cold: heat the port
        self.dc_session = (
            False  # S2 is the communication controller's to ask for, not the AC charger's
        )
