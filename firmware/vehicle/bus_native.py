"""The native dialect: what the vehicle's messages mean for the inlet, and what the inlet's messages say.

Contradictory wishes have one answer each (docs/can.md), and none of them permits more: stop beats permit; a gear other than
parked holds back; a wish to drive with the plug in is refused and told, the word "drive" stays inhibited.
"""

from micropython import const

from faults import FAULT_REASON, FAULTS, H_DRIVE_REFUSED, H_NOT_PARKED
from ticks import ticks_add, ticks_diff
from vehicle import can_native as m
from vehicle.bus_parts import CYCLES_MAX, Inbox, Outbox
from vehicle.can_native_raw import (
    RAW_CYCLE_MS,
    RAW_ID,
    RAW_LENGTH,
    RAW_PAGES,
    RAW_PHASE_MS,
    Raw,
    encode_raw,
)

# Touchable below: 30 V AC, as own choice.
_LIVE_AC_MV = const(30000)
_STEP_MA = const(100)  # of charger_ma on the bus
# Faults that stop charging; the others warn.
_FORCING = sum([1 << n for n in range(len(FAULTS)) if FAULTS[n][FAULT_REASON]])


class NativeBus:
    """`fill` and `tick` once a pass, by vehicle.bus alone. Allocates nothing."""

    def __init__(self, settings, refusals):
        self._refusals = refusals
        self._control = m.Control()
        self._charger = m.Charger()
        self._dc = m.Dc()
        self._battery = m.Battery()
        control_ms = min(CYCLES_MAX * m.CONTROL_CYCLE_MS, settings.vehicle_timeout_ms)
        self._control_box = Inbox(
            m.CONTROL_ID, m.CONTROL_LENGTH, control_ms, m.decode_control, self._control
        ).protect()
        self._charger_box = Inbox(
            m.CHARGER_ID,
            m.CHARGER_LENGTH,
            CYCLES_MAX * m.CHARGER_CYCLE_MS,
            m.decode_charger,
            self._charger,
        ).protect()
        self._dc_box = Inbox(
            m.DC_ID, m.DC_LENGTH, CYCLES_MAX * m.DC_CYCLE_MS, m.decode_dc, self._dc
        ).protect()
        self._battery_box = Inbox(
            m.BATTERY_ID,
            m.BATTERY_LENGTH,
            CYCLES_MAX * m.BATTERY_CYCLE_MS,
            m.decode_battery,
            self._battery,
        ).protect()
        # The vehicle's own word first; `fill` goes by this order.
        self.boxes = (self._control_box, self._charger_box, self._dc_box, self._battery_box)
        self.holds = 0
        self.soc_ok = False
        self.soc_pct = 0
        self.target_ok = False
        self.target_pct = 100
        self.clock_ok = False
        self.clock_min = 0
        # What the charger says, what the board itself measures, and what the readings were left with.
        self._told_current_ok = False
        self._told_ma = 0
        self._board_current_ok = False
        self._board_ma = 0
        self._left_current_ok = False
        self._left_ma = 0
        self._plug_present = True  # as the step last said
        self._status = m.Status()
        self._limits = m.Limits()
        self._temperatures = m.Temperatures()
        self._reasons = m.Reasons()
        self._faults = m.Faults()
        self._diagnosis = m.Diagnosis()
        self._raw = Raw()
        self._book = None
        self._status_out = Outbox(
            m.STATUS_ID, m.STATUS_LENGTH, m.STATUS_CYCLE_MS, m.STATUS_PHASE_MS
        ).protect()
        self._limits_out = Outbox(
            m.LIMITS_ID, m.LIMITS_LENGTH, m.LIMITS_CYCLE_MS, m.LIMITS_PHASE_MS
        ).protect()
        self._temperatures_out = Outbox(
            m.TEMPERATURES_ID,
            m.TEMPERATURES_LENGTH,
            m.TEMPERATURES_CYCLE_MS,
            m.TEMPERATURES_PHASE_MS,
        )
        self._reasons_out = Outbox(
            m.REASONS_ID, m.REASONS_LENGTH, m.REASONS_CYCLE_MS, m.REASONS_PHASE_MS
        )
        self._faults_out = Outbox(
            m.FAULTS_ID, m.FAULTS_LENGTH, m.FAULTS_CYCLE_MS, m.FAULTS_PHASE_MS
        )
        self._diagnosis_out = Outbox(
            m.DIAGNOSIS_ID, m.DIAGNOSIS_LENGTH, m.DIAGNOSIS_CYCLE_MS, m.DIAGNOSIS_PHASE_MS
        )
        self._raw_out = Outbox(RAW_ID, RAW_LENGTH, RAW_CYCLE_MS, RAW_PHASE_MS)
        # All but the status, which may be urgent at any time.
        self._outs = (
            self._limits_out,
            self._temperatures_out,
            self._reasons_out,
            self._faults_out,
            self._diagnosis_out,
            self._raw_out,
        )
        self._due_ms = 0  # when the first of them is due
        self._is_timed = False
        self._sent_key = -1  # what of the status makes it urgent, as last sent; -1: never
        self._sent_ma = 0

    # -------------------------------------------------------------------------------------- heard

    def fill(self, n: int, r) -> None:
        """Write what is fresh of boxes[n] into signals.Readings; `holds` is what the vehicle's word asks for."""
        if n == 0:
            self._fill_control(r)
            self._fill_current(r)
        elif n == 1:
            self._take_charger(r)
        elif n == 2:
            self._fill_dc(r)
        else:
            self._take_battery()

    def _fill_dc(self, r) -> None:
        dc = self._dc
        is_fresh = self._dc_box.is_fresh
        r.dc_ok = is_fresh and dc.dc_ok
        r.dc_mv = dc.dc_mv if r.dc_ok else 0
        plus = dc.contactor_plus
        minus = dc.contactor_minus
        r.contactors_open = (
            is_fresh and plus == m.DC_CONTACTOR_PLUS_OPEN and minus == m.DC_CONTACTOR_MINUS_OPEN
        )
        # One that is closed, or welded, is a way for DC, whatever the other one says.
        r.contactors_ok = r.contactors_open or (is_fresh and (_is_a_way(plus) or _is_a_way(minus)))

    def _take_battery(self) -> None:
        battery = self._battery
        is_fresh = self._battery_box.is_fresh
        self.soc_ok = is_fresh and battery.soc_ok
        self.soc_pct = battery.soc_pct if self.soc_ok else 0
        self.target_ok = is_fresh and battery.target_ok
        self.target_pct = battery.target_pct if self.target_ok else 100
        self.clock_ok = is_fresh and battery.clock_ok
        self.clock_min = battery.clock_min if self.clock_ok else 0

    def _fill_control(self, r) -> None:
        control = self._control
        box = self._control_box
        is_fresh = box.is_fresh
        r.vehicle_age_ms = box.age_ms
        r.vehicle_permits = (
            is_fresh
            and control.permission == m.CONTROL_PERMISSION_PERMIT
            and not control.stop_request
        )
        r.vehicle_limit_ma = control.limit_ma if r.vehicle_permits else 0
        r.car_unlock = is_fresh and control.unlock_request
        r.car_stop = is_fresh and (
            control.stop_request or control.permission == m.CONTROL_PERMISSION_STOP
        )
        holds = 0
        if is_fresh:
            gear = control.gear
            if gear != m.CONTROL_GEAR_PARKED and gear != m.CONTROL_GEAR_NOT_FITTED:
                holds |= H_NOT_PARKED
            if control.drive_request and self._plug_present:
                holds |= H_DRIVE_REFUSED
        self.holds = holds

    def _take_charger(self, r) -> None:
        """Take over what the charger says; its volts can only say "live"."""
        charger = self._charger
        is_fresh = self._charger_box.is_fresh
        self._told_current_ok = is_fresh and charger.current_ok
        self._told_ma = charger.current_ma
        # Behind its own open relay a charger sees nothing: that is no proof that the inlet is dead.
        r.car_ac_live = is_fresh and charger.volts_ok and charger.ac_mv >= _LIVE_AC_MV
        self._fill_current(r)

    def _fill_current(self, r) -> None:
        """Add the charger's word to what the board measures: of two currents the higher.

        A board that does not measure leaves in the readings what was written here a pass ago: that is not its own.
        """
        is_ok = r.charger_ok
        ma = r.charger_ma
        if ma != self._left_ma or is_ok != self._left_current_ok:
            self._board_current_ok = is_ok
            self._board_ma = ma
        else:
            is_ok = self._board_current_ok
            ma = self._board_ma
        if self._told_current_ok:
            if not is_ok or self._told_ma > ma:
                ma = self._told_ma
            is_ok = True
        r.charger_ok = self._left_current_ok = is_ok
        r.charger_ma = self._left_ma = ma

    # --------------------------------------------------------------------------------------- told

    def set_book(self, book) -> None:
        """Tell of the journal from now on: journal.book.Book, or None."""
        self._book = book

    def tick(self, now_ms: int, r, c, can) -> None:
        """Send what is due."""
        self._plug_present = c.plug_present
        self._send_status(now_ms, r, c, can)
        wait_ms = ticks_diff(self._due_ms, now_ms)
        # Further ahead than the longest cycle it cannot be: nobody asked for days.
        if not self._is_timed or wait_ms <= 0 or wait_ms > m.TEMPERATURES_CYCLE_MS:
            self._is_timed = True
            self._send_due(now_ms, r, c, can)
            self._find_due(now_ms)

    def _find_due(self, now_ms: int) -> None:
        wait_ms = m.TEMPERATURES_CYCLE_MS
        for out in self._outs:
            if out is self._diagnosis_out and self._book is None:
                continue
            wait_ms = min(wait_ms, ticks_diff(out.due_ms, now_ms))
        self._due_ms = ticks_add(now_ms, wait_ms)

    def _send_due(self, now_ms: int, r, c, can) -> None:
        out = self._limits_out
        if out.is_due(now_ms, False):
            s = self._limits
            s.limiter = c.limiter
            s.permitted_ma = c.permitted_ma
            s.offered_ma = c.offered_ma
            s.duty_pct_x100 = c.duty_pct_x100
            s.dc_permitted_ma = c.dc_permitted_ma
            m.encode_limits(out.frame.data, s)
            out.send(now_ms, can)
        out = self._temperatures_out
        if out.is_due(now_ms, False):
            s = self._temperatures
            s.hottest_ok = c.hottest_ok
            s.hottest_decic = c.hottest_decic if c.hottest_ok else 0
            ok = r.temp_ok
            s.measured = (ok[0] & 1) | (ok[1] & 1) << 1 | (ok[2] & 1) << 2 | (ok[3] & 1) << 3
            m.encode_temperatures(out.frame.data, s)
            out.send(now_ms, can)
        out = self._reasons_out
        if out.is_due(now_ms, False):
            s = self._reasons
            s.reasons = c.reasons
            s.holds = c.holds
            m.encode_reasons(out.frame.data, s)
            out.send(now_ms, can)
        out = self._faults_out
        if out.is_due(now_ms, False):
            s = self._faults
            s.faults = c.faults
            m.encode_faults(out.frame.data, s)
            out.send(now_ms, can)
        out = self._diagnosis_out
        if self._book is not None and out.is_due(now_ms, False):
            self._book.tell(self._diagnosis)
            m.encode_diagnosis(out.frame.data, self._diagnosis)
            out.send(now_ms, can)
        out = self._raw_out
        if out.is_due(now_ms, False):
            self._send_raw(now_ms, r, can)

    def _send_status(self, now_ms: int, r, c, can) -> None:
        has_fault = c.faults & _FORCING != 0
        key = (
            (1 if c.drive_allowed else 0)
            | (2 if c.plug_present else 0)
            | (4 if c.s2_close else 0)
            | (8 if has_fault else 0)
            | c.session << 4
        )
        is_urgent = key != self._sent_key or c.charger_ma // _STEP_MA < self._sent_ma // _STEP_MA
        out = self._status_out
        if not out.is_due(now_ms, is_urgent):
            return
        s = self._status
        s.drive = m.STATUS_DRIVE_ALLOWED if c.drive_allowed else m.STATUS_DRIVE_INHIBITED
        s.plug_present = c.plug_present
        s.s2_closed = c.s2_close
        s.charger_ma = c.charger_ma
        s.session = c.session
        s.pilot_state = c.pilot_state
        s.lock_state = c.lock_state
        s.light = c.light
        s.dc_session = c.dc_session
        s.wants_heat = c.wants_heat
        s.is_asleep = r.is_asleep
        s.has_fault = has_fault
        m.encode_status(out.frame.data, s)
        if out.send(now_ms, can):
            # Else it stays urgent: there was no room for it.
            self._sent_key = key
            self._sent_ma = c.charger_ma

    def _send_raw(self, now_ms: int, r, can) -> None:
        """Send one page, the next one the next time."""
        s = self._raw
        page = s.page
        if page == 0:
            self._page_pilot(s, r)
        elif page == 1:
            s.cp_ok = r.cp_ok
            s.cp_high_mv = r.cp_high_mv
            s.cp_low_mv = r.cp_low_mv
        elif page == 2:
            s.pp_ok = r.pp_ok
            s.pp_mv = r.pp_mv
            s.pp_rail_mv = r.pp_rail_mv
        elif page == 3:
            s.temp_mv_0 = r.temp_mv[0]
            s.temp_mv_1 = r.temp_mv[1]
            s.temp_mv_2 = r.temp_mv[2]
            s.temp_mv_3 = r.temp_mv[3]
        elif page == 4:
            s.lock_ok = r.lock_feedback_ok
            s.lock_feedback_mv = r.lock_feedback_mv
            s.lock_motor_ma = r.lock_motor_ma
            s.temp_rail_mv = r.temp_rail_mv
        elif page == 5:
            s.can_lost = can.lost
            s.can_dropped = can.dropped
            s.can_tx_errors = can.tx_errors
        else:
            s.can_rx_errors = can.rx_errors
            s.can_offs = can.offs
            s.can_refused = self._refusals.refused
        out = self._raw_out
        encode_raw(out.frame.data, s)
        out.send(now_ms, can)
        s.page = page + 1 if page < RAW_PAGES - 1 else 0

    def _page_pilot(self, s, r) -> None:
        count = r.pilot_count
        s.pilot_count = count
        s.pilot_quiet_ms = r.pilot_quiet_ms
        if 0 < count <= len(r.pilot_high_us_x10):
            s.pilot_high_us_x10 = r.pilot_high_us_x10[count - 1]
            s.pilot_period_us_x10 = r.pilot_period_us_x10[count - 1]
        else:
            s.pilot_high_us_x10 = 0
            s.pilot_period_us_x10 = 0


def _is_a_way(contactor: int) -> bool:
    """Tell whether one contactor is told closed, or not to open any more."""
    return contactor == m.DC_CONTACTOR_PLUS_CLOSED or contactor == m.DC_CONTACTOR_PLUS_FAULTY
