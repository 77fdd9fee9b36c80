"""The frames of a BMW i3's charge interface module: what two of the vehicle's mean for the inlet, and what the inlet's say.

They carry neither counter nor checksum that is known, and no current limit: while it permits, the inlet's own rating is the
limit. The vehicle permits with both frames fresh, and its word is as old as the older one.
"""

from micropython import const

from faults import (
    NO_PLUG,
    PILOT_DIGITAL,
    PILOT_E,
    PILOT_F,
    PILOT_FREQUENCY,
    PILOT_INVALID,
    PILOT_LOST,
    PILOT_STEADY,
    SHOW_B,
    VEHICLE_NO,
)
from vehicle import can_i3lim as m
from vehicle.bus_parts import Inbox, Outbox

# No word may be older than this here, whatever its cycle: five cycles of 200 ms would be longer, five of 10 ms would make
# each gap in a gateway a stop.
_TIMEOUT_MS = const(500)
_PILOT_WRONG = PILOT_E | PILOT_F | PILOT_LOST | PILOT_INVALID | PILOT_FREQUENCY
# What may stand while the vehicle is told what it could draw.
_MAY_PREPARE = VEHICLE_NO | SHOW_B
_TYPE_NONE = const(0)
_TYPE_AC = const(1)
_TYPE_DC = const(2)


class I3LimBus:
    """`fill` and `tick` once a pass, by vehicle.bus alone. Allocates nothing."""

    def __init__(self, settings):
        self._max_ma = settings.max_current_ma
        self._battery = m.Battery()
        self._charge = m.Charge()
        timeout_ms = min(_TIMEOUT_MS, settings.vehicle_timeout_ms)
        self._battery_box = Inbox(
            m.BATTERY_ID, m.BATTERY_LENGTH, timeout_ms, m.decode_battery, self._battery
        )
        self._charge_box = Inbox(
            m.CHARGE_ID, m.CHARGE_LENGTH, timeout_ms, m.decode_charge, self._charge
        )
        self.boxes = (self._battery_box, self._charge_box)
        self.holds = 0  # none that these frames know of
        self.soc_ok = False
        self.soc_pct = 0
        self.target_ok = False  # not carried
        self.target_pct = 100
        self.clock_ok = False  # not carried
        self.clock_min = 0
        self._lim = m.Lim()
        self._port = m.Port()
        self._available = m.Available()
        self._measured = m.Measured()
        self._lim_out = Outbox(m.LIM_ID, m.LIM_LENGTH, m.LIM_CYCLE_MS, m.LIM_PHASE_MS)
        self._port_out = Outbox(m.PORT_ID, m.PORT_LENGTH, m.PORT_CYCLE_MS, m.PORT_PHASE_MS)
        self._available_out = Outbox(
            m.AVAILABLE_ID, m.AVAILABLE_LENGTH, m.AVAILABLE_CYCLE_MS, m.AVAILABLE_PHASE_MS
        )
        self._measured_out = Outbox(
            m.MEASURED_ID, m.MEASURED_LENGTH, m.MEASURED_CYCLE_MS, m.MEASURED_PHASE_MS
        )
        self._sent_key = -1  # what of the first frame makes it urgent, as last sent; -1: never
        self._sent_a = 0

    def fill(self, _n: int, r) -> None:
        """Write what is fresh into signals.Readings."""
        battery = self._battery_box
        charge = self._charge_box
        r.vehicle_age_ms = charge.age_ms if charge.age_ms > battery.age_ms else battery.age_ms
        r.vehicle_permits = (
            battery.is_fresh
            and charge.is_fresh
            and self._charge.request == 1
            and self._charge.ready == 1
        )
        r.vehicle_limit_ma = self._max_ma if r.vehicle_permits else 0
        r.car_stop = False
        r.car_unlock = False
        self.soc_ok = battery.is_fresh
        self.soc_pct = self._battery.soc_pct_x10 // 10 if battery.is_fresh else 0

    def set_book(self, book) -> None:
        """Tell nothing of the journal: this dialect has no words for it."""

    def tick(self, now_ms: int, r, c, can) -> None:
        """Send what is due."""
        pilot = self._pilot_of(c)
        limit_a = self._limit_a(c)
        key = pilot | (8 if c.plug_present else 0)
        out = self._lim_out
        if out.is_due(now_ms, key != self._sent_key or limit_a < self._sent_a):
            s = self._lim
            s.pilot_a = limit_a
            s.cable_a = limit_a
            s.plug = c.plug_present
            s.pilot = pilot
            s.charge_type = _TYPE_NONE
            if c.s2_close:
                s.charge_type = _TYPE_DC if c.dc_session else _TYPE_AC
            s.dc_mv = r.dc_mv if r.dc_ok else 0
            m.encode_lim(out.frame.data, s)
            if out.send(now_ms, can):
                self._sent_key = key
                self._sent_a = limit_a
        out = self._port_out
        if out.is_due(now_ms, False):
            m.encode_port(out.frame.data, self._port)
            out.send(now_ms, can)
        out = self._available_out
        if out.is_due(now_ms, False):
            self._available.available_ma = c.dc_permitted_ma if c.dc_session else 0
            m.encode_available(out.frame.data, self._available)
            out.send(now_ms, can)
        out = self._measured_out
        if out.is_due(now_ms, False):
            m.encode_measured(out.frame.data, self._measured)
            out.send(now_ms, can)

    def _limit_a(self, c) -> int:
        """Return what may be drawn, and before S2 closes what could be, where only the vehicle's own yes is missing."""
        if c.s2_close:
            return c.charger_ma // 1000
        return 0 if c.reasons & ~_MAY_PREPARE else c.permitted_ma // 1000

    def _pilot_of(self, c) -> int:
        reasons = c.reasons
        if not c.plug_present:
            return m.LIM_PILOT_NONE
        if reasons & _PILOT_WRONG:
            return m.LIM_PILOT_ERROR
        if reasons & NO_PLUG:
            return m.LIM_PILOT_NONE
        if reasons & PILOT_DIGITAL or c.dc_session:
            return m.LIM_PILOT_DIGITAL_READY if c.s2_close else m.LIM_PILOT_DIGITAL
        if reasons & PILOT_STEADY:
            return m.LIM_PILOT_STEADY
        return m.LIM_PILOT_PWM_READY if c.s2_close else m.LIM_PILOT_PWM
