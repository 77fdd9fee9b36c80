"""The hand-over to a communication controller for CCS: when its word may close S2, and its wake-up toggles.

At 5 % duty the station wants to talk first. With no fresh word of a communication controller this inlet stays in B and
says so; with it, S2 closes and opens as that controller asks, and every other reason against it stands. Plain values in;
part of the interlock, which alone calls it.

Sources: IEC 61851-1:2017 Tab A.6 seq 11 (B-C-B toggle 200 ms..3 s), ISO 15118-3 by EVerest (200..400 ms a state, 1..3
toggles in 3.5 s at most); checked against secondary sources.
"""

from micropython import const

from faults import BELOW_MINIMUM, H_NO_MODEM, H_NO_SECTION, PILOT_DIGITAL, PILOT_STEADY, SHOW_B
from ticks import ticks_diff

# Five cycles of 100 ms, as for the vehicle.
MODEM_SILENT_MS = const(500)
# Between the 200 and 400 ms that are allowed.
_TOGGLE_MS = const(300)
_TOGGLES_MAX = const(3)
# Further wishes in one plug-in are not heard: a controller that cannot wake its station so wears contactors out.
_ASKED_MAX = const(10)
# What may stand while a toggle asks an EVSE to wake: no energy can come of it.
_TOGGLE_MAY = PILOT_DIGITAL | PILOT_STEADY | BELOW_MINIMUM | SHOW_B


class HandOff:
    """Call `tick` before the reasons are judged and `toggle` after. Allocates nothing."""

    def __init__(self, has_dc: bool, is_fitted: bool, is_lock_seen: bool):
        self._has_dc = has_dc
        # The bolt is to be confirmed, not only driven, before DC (J1772 6.4.1; IEC 61851-23 CC).
        self._is_fitted = has_dc and is_fitted and is_lock_seen
        self.is_active = False  # the station asks for it, and the controller's word is fresh
        self.wants_c = False  # S2 is to be closed on the controller's word
        self.hold = 0  # H_NO_MODEM or H_NO_SECTION: why 5 % duty stays refused
        self.s2_toggle = False  # state C now, as a wake-up
        self._toggles_left = 0
        self._wanted = 0  # toggles asked for in the pass before
        self._is_high = False
        self._since_ms = 0
        self._asked = 0  # wishes played in this plug-in

    def tick(self, i) -> None:
        """Judge one pass of `i` (interlock.Inputs)."""
        if i.is_unplugged:
            self._asked = 0
        i.is_modem_fresh = i.modem_age_ms <= MODEM_SILENT_MS
        is_fresh = self._is_fitted and i.is_modem_fresh
        is_digital = i.reasons & PILOT_DIGITAL != 0
        self.is_active = is_digital and is_fresh
        self.wants_c = self.is_active and i.modem_wants_c
        if not is_digital or is_fresh:
            self.hold = 0
        else:
            self.hold = H_NO_MODEM if self._has_dc else H_NO_SECTION

    def toggle(self, now_ms: int, i, reasons: int, is_waiting: bool) -> None:
        """Play the toggles asked for: only while nothing but the station's own silence speaks against state C."""
        if not self._may_toggle(i, reasons, is_waiting):
            self.s2_toggle = False
            self._is_high = False
            self._toggles_left = 0
            self._wanted = i.modem_toggles
            return
        if i.modem_toggles != self._wanted:
            # A new number asks anew; the same one is the same wish.
            self._wanted = i.modem_toggles
            if not self._toggles_left and self._asked < _ASKED_MAX and i.modem_toggles:
                self._asked += 1
                self._toggles_left = min(i.modem_toggles, _TOGGLES_MAX)
                self._since_ms = now_ms
                self._is_high = True
        if self._toggles_left and ticks_diff(now_ms, self._since_ms) >= _TOGGLE_MS:
            self._since_ms = now_ms
            if not self._is_high:
                self._is_high = True
            else:
                self._is_high = False
                self._toggles_left -= 1
        self.s2_toggle = self._is_high

    def _may_toggle(self, i, reasons: int, is_waiting: bool) -> bool:
        return (
            self._is_fitted
            and is_waiting
            and i.is_modem_fresh
            and i.modem_toggles >= 0
            and not i.in_doubt
            and i.is_locked
            # In this very pass: an EVSE that offers current would switch it on in state C.
            and i.offered_ma == 0
            and i.reasons & (PILOT_DIGITAL | PILOT_STEADY) != 0
            and not reasons & ~_TOGGLE_MAY
        )
