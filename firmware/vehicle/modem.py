"""The hand-off to a communication controller for CCS: tell it what the port measures, hear what it wants. Decides nothing.

What it wants becomes readings; firmware/handoff.py and release.py judge them. Its word is protected by counter and
checksum, and stale after five cycles: then it wants nothing, and permits nothing.
"""

from faults import (
    BELOW_MINIMUM,
    LOCK_FAILED,
    LOCK_LOST,
    NO_PLUG,
    PILOT_DIGITAL,
    PILOT_FREQUENCY,
    PILOT_INVALID,
    PILOT_LOST,
    PP_BUTTON,
    PP_INVALID,
    SHOW_B,
)
from vehicle import can_modem as m
from vehicle.bus_parts import CYCLES_MAX, FRAMES_MAX, UNKNOWN, Frame, Inbox, Outbox, Refusals

# What stands while only the talk is missing (firmware/interlock.py lifts the first two for a DC session).
_MAY_STAND = PILOT_DIGITAL | BELOW_MINIMUM | SHOW_B
_PILOT_DOUBTED = PILOT_FREQUENCY | PILOT_INVALID | PILOT_LOST
_STAGE_ERROR = m.MODEM_STAGE_ERROR


class ModemLink:
    """
    `fill` before the step, `tick` after its commands were obeyed; neither allocates.

    Beside a dialect vehicle.bus.CarBus receives its frames and has to be handed this object; without one (settings.can 0)
    it listens and receives by itself.
    """

    def __init__(self, settings, can):
        self._can = can
        self._modem = m.Modem()
        self.box = Inbox(
            m.MODEM_ID,
            m.MODEM_LENGTH,
            CYCLES_MAX * m.MODEM_CYCLE_MS,
            m.decode_modem,
            self._modem,
        ).protect()
        self.stage = 0  # of its session, as last heard
        self.error = 0  # its own error code, 0..255, as last heard
        self.refusals = Refusals()  # where it receives by itself
        self._is_alone = settings.can == 0
        self._frame = Frame()
        self._inlet = m.Inlet()
        self._section = m.Section()
        self._inlet_out = Outbox(
            m.INLET_ID, m.INLET_LENGTH, m.INLET_CYCLE_MS, m.INLET_PHASE_MS
        ).protect()
        self._section_out = Outbox(
            m.SECTION_ID, m.SECTION_LENGTH, m.SECTION_CYCLE_MS, m.SECTION_PHASE_MS
        ).protect()
        self._sent_key = -1  # what of the inlet makes it urgent, as last sent; -1: never
        if self._is_alone:
            can.listen(m.IDS)

    def fill(self, now_ms: int, r) -> None:
        """Write what the controller wants into signals.Readings. Beside a dialect: after CarBus.fill."""
        box = self.box
        if self._is_alone:
            frame = self._frame
            for _ in range(FRAMES_MAX):
                if not self._can.receive(frame):
                    break
                self.refusals.add(
                    now_ms, box.hear(now_ms, frame) if frame.id == box.id else UNKNOWN
                )
            r.holds |= self.refusals.hold(now_ms)
        box.tick(now_ms)
        modem = self._modem
        is_fresh = box.is_fresh
        wants_c = is_fresh and modem.s2_wanted and modem.stage != _STAGE_ERROR
        r.modem_age_ms = box.age_ms
        r.modem_wants_c = wants_c
        r.modem_toggles = modem.toggles if is_fresh else 0
        # A session that goes on and a cable that may go contradict each other: it may not.
        r.modem_permits_unlock = is_fresh and modem.unlock_permit and not modem.s2_wanted
        self.stage = modem.stage
        self.error = modem.error

    def tick(self, now_ms: int, r, c) -> None:
        """Send what is due of `r` (signals.Readings) and `c` (signals.Commands)."""
        can = self._can
        self._send_inlet(now_ms, c, can)
        out = self._section_out
        if out.is_due(now_ms, False):
            s = self._section
            s.dc_ok = r.dc_ok
            s.dc_mv = r.dc_mv if r.dc_ok else 0
            s.hottest_ok = c.hottest_ok
            s.hottest_decic = c.hottest_decic if c.hottest_ok else 0
            s.dc_permitted_ma = c.dc_permitted_ma
            s.contactors = m.SECTION_CONTACTORS_UNKNOWN
            if r.contactors_ok:
                s.contactors = (
                    m.SECTION_CONTACTORS_OPEN if r.contactors_open else m.SECTION_CONTACTORS_CLOSED
                )
            m.encode_section(out.frame.data, s)
            out.send(now_ms, can)

    def _send_inlet(self, now_ms: int, c, can) -> None:
        reasons = c.reasons
        plug = m.INLET_PLUG_UNPLUGGED
        if c.plug_present:
            plug = (
                m.INLET_PLUG_UNKNOWN if reasons & (NO_PLUG | PP_INVALID) else m.INLET_PLUG_PLUGGED
            )
        lock = m.INLET_LOCK_FAILED
        if not reasons & (LOCK_FAILED | LOCK_LOST) and c.lock_state < len(m.LOCK_OF_STATE):
            lock = m.LOCK_OF_STATE[c.lock_state]
        has_button = reasons & PP_BUTTON != 0
        may_begin = not reasons & ~_MAY_STAND
        key = (
            plug
            | lock << 2
            | c.pilot_state << 4
            | (256 if c.s2_close else 0)
            | (512 if has_button else 0)
            | (1024 if may_begin else 0)
        )
        out = self._inlet_out
        if not out.is_due(now_ms, key != self._sent_key):
            return
        s = self._inlet
        s.plug = plug
        s.button = has_button
        s.frequency_ok = c.duty_pct_x100 > 0 and not reasons & _PILOT_DOUBTED
        s.cp_state = c.pilot_state
        s.s2_closed = c.s2_close
        s.lock = lock
        s.duty_pct_x100 = c.duty_pct_x100
        s.may_begin = may_begin
        s.pp_reason = reasons & PP_INVALID != 0
        m.encode_inlet(out.frame.data, s)
        if out.send(now_ms, can):
            self._sent_key = key
