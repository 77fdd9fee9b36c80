"""What the interlock and its parts need to know in one pass. Plain values, filled by the step."""


class Inputs:
    """One pass. Every default is the dangerous case."""

    def __init__(self):
        self.reasons = 0  # from pilot and proximity
        self.faults = 0  # of every room, present now
        self.in_doubt = False  # the last passes say "no current", not proven yet
        self.is_plugged = False
        self.is_unplugged = True
        self.is_clear_to_drive = False
        self.has_evse = False  # the pilot shows an EVSE: B, C or D, with or without PWM
        self.shows_b = False  # the level is B
        self.is_pilot_dead = False  # state A: nothing on the pilot
        self.offered_ma = 0
        self.has_rating = False
        self.rated_ma = 0
        self.thermal_ma = 0
        self.is_locked = False
        self.is_unlocked = False
        self.vehicle_age_ms = 60000
        self.vehicle_permits = False
        self.vehicle_limit_ma = 0
        self.charger_ok = False
        self.charger_ma = 0
        self.ac_ok = False
        self.ac_present = False
        self.stop_request = False
        self.unlock_request = False
        self.unlock_insisted = False  # by a hand, for half a minute
        # The car's side.
        self.holds = 0  # mask asked for
        self.person_ma = 80000
        self.port_ma = 80000  # of the port record
        self.dc_ok = False
        self.dc_mv = 0
        self.contactors_ok = False
        self.contactors_open = False
        self.modem_age_ms = 60000
        self.modem_wants_c = False
        self.modem_toggles = 0
        self.modem_permits_unlock = False
        self.car_ac_live = False  # the car says that there is AC at its charger
        # Written by the interlock.
        self.is_modem_fresh = False  # the communication controller was heard within its time
        self.is_dc = False  # S2 is the communication controller's
