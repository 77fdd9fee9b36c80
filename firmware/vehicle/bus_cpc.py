"""The frames of a CPC and of Clara: what the vehicle's one message means for the inlet, and what the inlet's two say.

They carry neither counter nor checksum, and no current limit: while it permits, the vehicle takes care of its charger, and
the inlet's own rating is the limit. A frame of both forms is read in the stricter way (docs/can.md).
"""

from faults import FAULT_REASON, FAULTS, PP_INVALID
from vehicle import can_cpc as m
from vehicle.bus_parts import CYCLES_MAX, Inbox, Outbox

_FORCING = sum([1 << n for n in range(len(FAULTS)) if FAULTS[n][FAULT_REASON]])


class CpcBus:
    """`fill` and `tick` once a pass, by vehicle.bus alone. Allocates nothing."""

    def __init__(self, settings):
        self._max_ma = settings.max_current_ma
        self._vehicle = m.Vehicle()
        timeout_ms = min(CYCLES_MAX * m.VEHICLE_CYCLE_MS, settings.vehicle_timeout_ms)
        self._box = Inbox(
            m.VEHICLE_ID, m.VEHICLE_LENGTH, timeout_ms, m.decode_vehicle, self._vehicle
        )
        self.boxes = (self._box,)
        self.holds = 0  # none that these frames know of
        self.soc_ok = False
        self.soc_pct = 0
        self.target_ok = False  # not carried
        self.target_pct = 100
        self.clock_ok = False  # not carried
        self.clock_min = 0
        self._port = m.Port()
        self._station = m.Station()
        self._port_out = Outbox(m.PORT_ID, m.PORT_LENGTH, m.PORT_CYCLE_MS, m.PORT_PHASE_MS)
        self._station_out = Outbox(
            m.STATION_ID, m.STATION_LENGTH, m.STATION_CYCLE_MS, m.STATION_PHASE_MS
        )
        self._sent_key = -1  # what of the port makes it urgent, as last sent; -1: never
        self._sent_a = 0

    def fill(self, _n: int, r) -> None:
        """Write what is fresh into signals.Readings."""
        vehicle = self._vehicle
        is_fresh = self._box.is_fresh
        has_battery = vehicle.battery_v > 0
        r.vehicle_age_ms = self._box.age_ms
        r.vehicle_permits = (
            is_fresh
            and vehicle.allow
            and not vehicle.stop
            and (
                vehicle.obc_state == m.VEHICLE_OBC_STATE_CHARGE
                or (vehicle.obc_state == m.VEHICLE_OBC_STATE_IDLE and not has_battery)
            )
        )
        r.vehicle_limit_ma = self._max_ma if r.vehicle_permits else 0
        r.car_stop = is_fresh and vehicle.stop
        r.car_unlock = False
        self.soc_ok = is_fresh and has_battery
        self.soc_pct = vehicle.soc_pct if self.soc_ok else 0

    def set_book(self, book) -> None:
        """Tell nothing of the journal: this dialect has no words for it."""

    def tick(self, now_ms: int, r, c, can) -> None:
        """Send what is due."""
        state = self._state_of(c)
        plug = m.PORT_PLUG_OUT
        if c.plug_present:
            plug = m.PORT_PLUG_ERROR if c.reasons & PP_INVALID else m.PORT_PLUG_IN
        limit_a = c.charger_ma // 1000
        key = state | plug << 4
        out = self._port_out
        if out.is_due(now_ms, key != self._sent_key or limit_a < self._sent_a):
            s = self._port
            s.ac_limit_a = limit_a
            s.port_state = state
            s.plug = plug
            s.lock = m.LOCK_OF_STATE[c.lock_state] if c.lock_state < len(m.LOCK_OF_STATE) else 0
            s.duty_pct = c.duty_pct_x100 // 100
            m.encode_port(out.frame.data, s)
            if out.send(now_ms, can):
                self._sent_key = key
                self._sent_a = limit_a
        out = self._station_out
        if out.is_due(now_ms, False):
            s = self._station
            s.available_a = c.dc_permitted_ma // 1000 if c.dc_session else 0
            m.encode_station(out.frame.data, s)
            out.send(now_ms, can)

    def _state_of(self, c) -> int:
        if c.faults & _FORCING or c.session >= len(m.STATE_OF_SESSION):
            return m.PORT_PORT_STATE_ERROR
        state = m.STATE_OF_SESSION[c.session]
        if state == m.PORT_PORT_STATE_AC and c.dc_session:
            return m.PORT_PORT_STATE_DC
        if state == m.PORT_PORT_STATE_IDLE and c.plug_present:
            return m.PORT_PORT_STATE_PLUGGED
        return state
