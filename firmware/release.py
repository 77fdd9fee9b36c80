"""When the connector may be let go of, and when the car may move.

Plain values in; part of the interlock, which alone calls it. Nothing is released while anything speaks for a live
cable: S2 closed, 1 A or more, AC or 60 V DC at the inlet, closed contactors, or not enough time without a sign of life.
Where DC was or may be on the pins, silence proves nothing: the car has to say that they are dead. A hand that insists
makes up for what nobody can prove, never for what is seen.
"""

from micropython import const

from faults import PP_BUTTON
from ticks import ticks_diff

# Lock requests.
HOLD = const(0)
LOCK = const(1)
UNLOCK = const(2)
LOCK_REQUEST_NAMES = ("hold", "lock", "unlock")

# Below 1 A counts as "not charging" (J1772).
NO_CURRENT_MA = const(1000)
# Touchable below (IEC 61851-23 CC: unlock below 60 V DC).
LIVE_DC_MV = const(60000)
# Without a measurement of AC volts: J1772 gives the EVSE 3 s to open its contactor.
_DEAD_UNMEASURED_MS = const(3000)
_DEAD_MEASURED_MS = const(100)
# Nothing has spoken against driving for this long.
_DRIVE_CLEAR_MS = const(100)


class Release:
    """Call `tick` once a pass, after the session has decided S2. Allocates nothing."""

    def __init__(self, has_ac_sense: bool, may_have_dc: bool, is_shared: bool, has_modem: bool):
        self._has_ac_sense = has_ac_sense
        self._may_have_dc = may_have_dc
        self._is_shared = may_have_dc and is_shared  # DC on the very pins of AC
        self.lock_request = HOLD
        self.may_unlock = False  # nothing is live, and has not been for long enough
        self.drive_allowed = False
        self.is_ac_live = False  # AC stays although S2 has been open for long
        self.is_alive = True  # a sign of life now: S2, current, volts, or a contactor
        self._has_seen_ac = False  # the AC sense has shown "present" since S2 closed last
        # S2, for _DEAD_UNMEASURED_MS; kept: ticks_diff is good for six days only.
        self._is_long_open = False
        self.is_forced = False  # let go of because a hand insisted, in this plug-in
        # S2 was closed for DC in this plug-in; after a boot nobody knows that it was not.
        self._had_dc = may_have_dc and has_modem
        # Seen live; believed when their word falls silent, until it says otherwise or the plug is out.
        self._are_volts_live = False
        self._are_contactors_live = False
        self._was_unlock_request = False
        self._was_closed = False
        self._is_timed = False
        self._dead_since_ms = 0  # no sign of life since
        self._is_long_dead = False  # for _DEAD_UNMEASURED_MS; kept likewise
        self._measured_since_ms = 0  # and measured all the while since
        self._drive_since_ms = 0

    def tick(  # noqa: PLR0913, PLR0917 - one pass's values
        self, now_ms: int, i, is_idle: bool, wants_lock: bool, s2_close: bool, opened_ms: int
    ) -> None:
        """Decide one pass from `i` (interlock.Inputs), with what the session has just decided.

        `is_idle`: no session; `wants_lock`: the session wants the plug held; `opened_ms`: tick S2 last opened at.
        """
        if not self._is_timed:
            self._is_timed = True
            self._drive_since_ms = now_ms
            self._live_until(now_ms)
        if s2_close != self._was_closed:
            self._was_closed = s2_close
            if s2_close:
                self._has_seen_ac = False
            else:
                self._live_until(now_ms)
        self._watch_dc(i, s2_close)
        self._watch_ac(now_ms, i, s2_close, opened_ms)
        self._prove_dead(now_ms, i, s2_close)
        self.lock_request = self._request_lock(i, is_idle, wants_lock, s2_close)
        # At an inlet proven empty the car's own word about its charger or its contactors strands nobody.
        if (
            is_idle
            and i.is_clear_to_drive
            and i.is_pilot_dead
            and i.is_unlocked
            and not self.is_ac_live
            and not (self._has_ac_sense and i.ac_ok and i.ac_present)
        ):
            if not self.drive_allowed:
                self.drive_allowed = ticks_diff(now_ms, self._drive_since_ms) >= _DRIVE_CLEAR_MS
        else:
            self.drive_allowed = False
            self._drive_since_ms = now_ms

    def _live_until(self, now_ms: int) -> None:
        """Begin the proof anew."""
        self.may_unlock = False
        self._dead_since_ms = now_ms
        self._is_long_dead = False
        self._measured_since_ms = now_ms

    def _watch_dc(self, i, s2_close: bool) -> None:
        """Follow what is known about DC. Forgotten only with the plug out *and* the bolt open: PP and pilot may both lie."""
        if i.is_unplugged and i.is_unlocked:
            self._had_dc = False
            self._are_volts_live = False
            self._are_contactors_live = False
        if i.is_unplugged:
            self.is_forced = False
        if s2_close and i.is_dc:
            self._had_dc = True
        if i.dc_ok:
            self._are_volts_live = i.dc_mv >= LIVE_DC_MV
        if i.contactors_ok:
            self._are_contactors_live = self._may_have_dc and not i.contactors_open

    def _watch_ac(self, now_ms: int, i, s2_close: bool, opened_ms: int) -> None:
        """Tell what the AC sense is worth.

        "Absent" is believed only of a sense that has shown "present" since S2 closed last; "present" long after S2
        opened is believed even when the sense dies, until it shows "absent" or the plug is out.
        """
        if s2_close:
            self._is_long_open = False
        elif not self._is_long_open:
            self._is_long_open = ticks_diff(now_ms, opened_ms) >= _DEAD_UNMEASURED_MS
        if i.is_unplugged:
            self.is_ac_live = False
        elif self._has_ac_sense and i.ac_ok:
            if not i.ac_present:
                self.is_ac_live = False
                if i.charger_ok and i.charger_ma >= NO_CURRENT_MA:
                    # Current without AC: the sense lies, whatever it has shown before.
                    self._has_seen_ac = False
            elif s2_close:
                self._has_seen_ac = True
            elif self._is_long_open:
                self.is_ac_live = True

    def _prove_dead(self, now_ms: int, i, s2_close: bool) -> None:
        """Tell whether a sign of life is seen now; `may_unlock` once there has been none for long enough."""
        self.is_alive = (
            s2_close
            or self.is_ac_live
            or (i.charger_ok and i.charger_ma >= NO_CURRENT_MA)
            or (self._has_ac_sense and i.ac_ok and i.ac_present)
            or i.car_ac_live
            or self._are_volts_live
            or self._are_contactors_live
            or (i.modem_wants_c and i.is_modem_fresh)
        )
        if self.is_alive:
            self._live_until(now_ms)
            return
        if not self._is_long_dead:
            self._is_long_dead = ticks_diff(now_ms, self._dead_since_ms) >= _DEAD_UNMEASURED_MS
        if (self._had_dc or self._is_shared) and not self._is_dc_dead(i):
            # Not seen live, not proven dead: only for a hand that insists, and not sooner than for an unmeasured AC.
            self._measured_since_ms = now_ms
            self.may_unlock = i.unlock_insisted and self._is_long_dead
            self.is_forced = self.is_forced or self.may_unlock
            return
        if not self.may_unlock:
            if not (self._has_seen_ac and i.ac_ok and i.charger_ok):
                self._measured_since_ms = now_ms
            # Not measured: the EVSE's own time to open, counted from S2 or from the last sign of life.
            self.may_unlock = (
                self._is_long_dead
                or ticks_diff(now_ms, self._measured_since_ms) >= _DEAD_MEASURED_MS
            )

    def _is_dc_dead(self, i) -> bool:
        """Tell whether the car has said, freshly, that the pins carry no DC and can get none, or nothing is plugged in.

        After DC a communication controller that still talks has to let go of the cable, too.
        """
        if i.is_unplugged and not self._had_dc:
            return True
        if self._had_dc and i.is_modem_fresh and not i.modem_permits_unlock:
            return False
        return i.dc_ok and i.dc_mv < LIVE_DC_MV and i.contactors_ok and i.contactors_open

    def _request_lock(self, i, is_idle: bool, wants_lock: bool, s2_close: bool) -> int:
        """Return what the lock is asked for in this pass."""
        is_new = i.unlock_request and not self._was_unlock_request
        self._was_unlock_request = i.unlock_request
        if is_idle and i.is_unlocked:
            # Nothing to let go of: an actuator told to unlock again would drive again.
            return HOLD
        # Type 1, CCS1 and NACS: the lock blocks the latch, so the button asks for the lock to open.
        if not wants_lock or (i.reasons & PP_BUTTON and not s2_close):
            # Asked anew: the actuator takes a request by its edge.
            return UNLOCK if self.may_unlock and not is_new else HOLD
        return LOCK if i.has_evse and i.is_plugged else HOLD
