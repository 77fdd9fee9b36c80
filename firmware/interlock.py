"""The one place where readings become permission: S2, the charger's current, the lock request, and the reasons.

Default deny: S2 closes only when the mask of reasons is zero. The permitted current is the minimum of every limit,
and the limiter that set it is named. How a session ends is read from faults.SHUTDOWN. Takes plain values (Inputs),
knows no room and no pin; the lock's own sequencing is the actuator's.
"""

from micropython import const

from charger import ChargerWatch
from connector import C_DC, C_SHARED, CONNECTORS
from faults import (
    BELOW_MINIMUM,
    CURRENT_FIRST,
    F_AC_LIVE,
    F_FAILED_LOCK,
    F_VEHICLE_SILENT,
    H_CONTACTORS,
    H_FORCED_UNLOCK,
    H_RELOCKED,
    NO_PLUG,
    NOT_LOCKED,
    PERSON_STOP,
    PILOT_DIGITAL,
    PILOT_DUTY,
    PILOT_E,
    PILOT_F,
    PILOT_FREQUENCY,
    PILOT_INVALID,
    PILOT_LOST,
    PILOT_STEADY,
    PP_BUTTON,
    PP_INVALID,
    REST,
    RETRIES,
    ROW_COUNTED,
    ROW_ORDER,
    ROW_REST_MS,
    ROW_WAIT_MS,
    SHOW_B,
    SHUTDOWN,
    TEMP_HIGH,
    TEMP_SENSOR,
    VEHICLE_NO,
    VEHICLE_SILENT,
)
from handoff import HandOff
from inputs import Inputs
from latches import Latches
from limits import LIMIT_NONE, Limits
from release import HOLD, LIVE_DC_MV, NO_CURRENT_MA, Release
from ticks import ticks_diff

# Session states.
UNPLUGGED = const(0)
WAITING = const(1)
CHARGING = const(2)
STOPPING = const(3)
RESTING = const(4)
RELEASED = const(5)
SESSION_NAMES = ("unplugged", "waiting", "charging", "stopping", "resting", "released")

# Events, the first that applies wins.
EV_OPEN_NOW = const(0)  # a reason whose order is NOW
EV_STOP = const(1)  # any other reason while S2 is closed
EV_DONE = const(2)  # stopping: < 1 A or the bounded wait is over; resting: the rest is over
EV_UNPLUG = const(3)  # no plug, proven
EV_RELEASE = const(4)  # a person wants the cable, S2 is open
EV_PLUG = const(5)  # plug inserted, or anything on PP but a clean "unplugged"
EV_READY = const(6)  # no reason left
EV_RELOCK = const(7)  # released, and not pulled for long
EV_NONE = const(8)
EVENT_NAMES = (
    "open_now",
    "stop",
    "done",
    "unplug",
    "release",
    "plug",
    "ready",
    "relock",
    "none",
)

# fmt: off
_NEXT = (
    # open_now   stop       done       unplug     release    plug       ready      relock     none
    (UNPLUGGED, UNPLUGGED, UNPLUGGED, UNPLUGGED, UNPLUGGED, WAITING,   UNPLUGGED, UNPLUGGED, UNPLUGGED),  # unplugged
    (WAITING,   WAITING,   WAITING,   UNPLUGGED, RELEASED,  WAITING,   CHARGING,  WAITING,   WAITING),    # waiting
    (RESTING,   STOPPING,  CHARGING,  STOPPING,  STOPPING,  CHARGING,  CHARGING,  CHARGING,  CHARGING),   # charging
    (RESTING,   STOPPING,  RESTING,   STOPPING,  STOPPING,  STOPPING,  STOPPING,  STOPPING,  STOPPING),   # stopping
    (RESTING,   RESTING,   WAITING,   UNPLUGGED, RELEASED,  RESTING,   RESTING,   RESTING,   RESTING),    # resting
    (RELEASED,  RELEASED,  RELEASED,  UNPLUGGED, RELEASED,  RELEASED,  RELEASED,  WAITING,   RELEASED),   # released
)
# Moore outputs: what is energised in which state, in one line each.
_S2_CLOSED = (False, False, True, True, False, False)
_CURRENT_ALLOWED = (False, False, True, False, False, False)
_WANTS_LOCK = (False, True, True, True, True, False)
# fmt: on

POLICY_REFUSE = const(0)
POLICY_REDUCE = const(1)
POLICY_IGNORE = const(2)

# State B shown this long with S2 open before C may follow (esp32-evse #71: a car that appears in C is refused).
_SHOW_B_MS = const(500)
# Fewer than three readings below 1 A are noise.
_LOW_PASSES = const(3)
_MAX_DOUBLINGS = const(4)
# Pauses that nobody is to blame for (x1, a low offer, the vehicle's own no) rest alike so often; then each rests
# twice as long as the one before: a signal that flaps wears no contactor out.
_FREE_PAUSES = const(3)
# Charging without a break for so long, the counted stops before it are forgiven: a night has more than one power cut.
_FORGIVE_MS = const(600000)
# S2 stays open at least this long, also where a plug that comes and goes ends the rest early.
_OFF_MS = const(3000)


def _mask(column: int, value) -> int:
    """Return the mask of SHUTDOWN rows whose column has this value."""
    mask = 0
    for n in range(len(SHUTDOWN)):
        if SHUTDOWN[n][column] == value:
            mask |= 1 << n
    return mask


# Reasons that already say why the permitted current is 0.
_NO_CURRENT_MASK = (
    PILOT_E
    | PILOT_F
    | PILOT_LOST
    | PILOT_INVALID
    | PILOT_FREQUENCY
    | PILOT_DUTY
    | PILOT_DIGITAL
    | PILOT_STEADY
    | TEMP_HIGH
    | TEMP_SENSOR
    | VEHICLE_SILENT
    | VEHICLE_NO
)
# Reasons that already say why the connector does not count as plugged.
_NOT_PLUGGED_MASK = NO_PLUG | PP_INVALID | PP_BUTTON
# Columns of the tables as tuples of their own: one lookup in the hot path.
_WAIT_MS = tuple([int(row[ROW_WAIT_MS]) for row in SHUTDOWN])
_REST_MS = tuple([int(row[ROW_REST_MS]) for row in SHUTDOWN])
_CURRENT_FIRST_MASK = _mask(ROW_ORDER, CURRENT_FIRST)
_COUNTED_MASK = _mask(ROW_COUNTED, True)


class Interlock:
    """Call `tick` once a pass, last of the rooms. Allocates nothing."""

    def __init__(self, settings):
        row = CONNECTORS[settings.inlet]
        may_have_dc = row[C_DC] and settings.dc_max_a > 0
        self._may_have_dc = may_have_dc
        self._has_modem = settings.modem != 0
        self._shares_pins = may_have_dc and row[C_SHARED]
        self._min_ma = settings.min_current_ma
        self._policy = settings.lock_policy
        self._relock_ms = settings.relock_s * 1000
        self._vehicle_timeout_ms = settings.vehicle_timeout_ms
        self._retries_max = settings.retries_max
        self.session = UNPLUGGED
        self.s2_close = False
        self.charger_ma = 0  # command to the charger
        self.permitted_ma = 0  # minimum of all limits
        self.limiter = LIMIT_NONE
        self.is_dc = False  # S2 is closed, or may be, on the communication controller's word
        self.holds = 0  # mask of every hold, latched and noticed ones included
        self.lock_request = HOLD
        self.may_unlock = False
        self.is_alive = True  # a sign of life at the plug now
        self.may_be_dc = False  # DC is prepared or under way
        self.drive_allowed = False
        self.reasons = NO_PLUG  # mask of every reason not to charge
        self.faults = 0  # mask of every fault, latched ones included
        self._latches = Latches(
            settings.lock_policy == POLICY_REDUCE, settings.lock_policy == POLICY_IGNORE
        )
        self._entered_ms = 0  # when the session state was entered
        self._is_timed = False
        self._wait_ms = 0  # bounded wait of STOPPING, rest of RESTING
        self._stops = 0  # counted stops of this plug-in
        self._pauses = 0  # stops of this plug-in that are not counted, a person's apart
        self._stop_reasons = 0  # why the last session ended
        self._opened_ms = 0  # when S2 last opened
        self._charger = ChargerWatch(settings.vehicle_timeout_ms)
        self._release = Release(
            settings.ac_sense != 0, may_have_dc, row[C_SHARED], settings.modem != 0
        )
        self._limits = Limits(settings, settings.lock_policy == POLICY_REDUCE)
        self._handoff = HandOff(
            row[C_DC], may_have_dc and settings.modem != 0, settings.lock_feedback != 0
        )
        self._asked_ms = 0  # while released: since when it is free and nobody asks for it
        self._is_relocked = False  # noticed, until the plug is out or asked for again
        self._low_passes = 0  # passes in a row with less than 1 A, while stopping
        self._has_been_off = True  # for _OFF_MS since then
        self._b_since_ms = 0
        self._is_b_shown = False
        self._was_charging = False

    def forgive(self, faults: int) -> None:
        """Let go of latched `faults` whose cause is being tried anew (lock.thaw)."""
        self._latches.forgive(faults)

    def rest_after_crash(self) -> None:
        """Treat now as the moment S2 opened: call before the first tick, after a boot nobody asked for."""
        self._has_been_off = False

    def tick(self, now_ms: int, i: Inputs) -> None:
        """Decide one pass from `i`."""
        if not self._is_timed:
            self._is_timed = True
            self._entered_ms = now_ms
            self._opened_ms = now_ms
            self._b_since_ms = now_ms
        self._charger.tick(
            now_ms,
            self.charger_ma,
            # DC is none of the AC charger's: it may sleep meanwhile.
            self.s2_close and not self.is_dc,
            i.charger_ok,
            i.charger_ma,
            i.is_unplugged,
        )
        self._limits.tick(i)
        self.permitted_ma = self._limits.permitted_ma
        self.limiter = self._limits.limiter
        handoff = self._handoff
        if self._has_modem or i.reasons & PILOT_DIGITAL or handoff.hold:
            handoff.tick(i)
        if not _S2_CLOSED[self.session]:
            self.is_dc = handoff.wants_c
        latches = self._latches
        latches.tick(self._present_faults(i), self._present_holds(i), i.is_unplugged)
        self.faults = latches.faults
        self.holds = latches.holds
        self._collect_reasons(now_ms, i)
        self._go(now_ms, self._event(now_ms, i), i)
        if self._has_modem:
            handoff.toggle(now_ms, i, self.reasons, self.session == WAITING)
            if handoff.s2_toggle:
                self.s2_close = True
                self._opened_ms = now_ms
        i.is_dc = self.is_dc
        self.may_be_dc = self.is_dc or handoff.is_active
        self._release.tick(
            now_ms,
            i,
            self.session == UNPLUGGED,
            _WANTS_LOCK[self.session],
            self.s2_close,
            self._opened_ms,
        )
        self.lock_request = self._release.lock_request
        self.may_unlock = self._release.may_unlock
        self.is_alive = self._release.is_alive
        self.drive_allowed = self._release.drive_allowed

    def _present_faults(self, i: Inputs) -> int:
        present = i.faults | self._charger.fault
        if self._release.is_ac_live:
            present |= F_AC_LIVE
        if self._charger.is_silent or (
            self._was_charging and i.vehicle_age_ms > self._vehicle_timeout_ms
        ):
            present |= F_VEHICLE_SILENT
        return present

    def _present_holds(self, i: Inputs) -> int:
        """Return what is asked, and what the inlet itself has noticed."""
        holds = i.holds | self._handoff.hold
        if self._may_have_dc and not self._are_apart(i):
            holds |= H_CONTACTORS
        if i.is_unplugged or i.unlock_request:
            self._is_relocked = False
        if self._is_relocked:
            holds |= H_RELOCKED
        if self._release.is_forced:
            holds |= H_FORCED_UNLOCK
        return holds

    def _are_apart(self, i: Inputs) -> bool:
        """Tell whether AC and DC are kept apart, as far as anybody can know.

        What S2 asks for now may be on the pins while it is closed: then only the contactors are asked about.
        """
        is_open = i.contactors_ok and i.contactors_open
        if self.is_dc:
            return self.s2_close or not (
                self._shares_pins and (i.car_ac_live or (i.ac_ok and i.ac_present))
            )
        if i.contactors_ok and not is_open:
            return False
        if not self.s2_close and i.dc_ok and i.dc_mv >= LIVE_DC_MV:
            return False
        return is_open or not self._shares_pins

    def _collect_reasons(  # noqa: C901, PLR0912 - one branch a reason
        self, now_ms: int, i: Inputs
    ) -> None:
        reasons = i.reasons | self._latches.reasons
        if self.is_dc:
            # The communication controller's word stands in for the duty, and only for it.
            if self._handoff.wants_c:
                reasons &= ~PILOT_DIGITAL
            else:
                reasons |= PILOT_DIGITAL
        if not i.is_plugged and not reasons & _NOT_PLUGGED_MASK:
            reasons |= NO_PLUG
        if i.vehicle_age_ms > self._vehicle_timeout_ms or (
            self._charger.is_silent and self.session != STOPPING
        ):
            # While stopping it would only cut the wait for the current short.
            reasons |= VEHICLE_SILENT
        elif not i.vehicle_permits:
            reasons |= VEHICLE_NO
        if i.stop_request or i.unlock_request or self.session == RELEASED or self._is_relocked:
            reasons |= PERSON_STOP
        if self.session == STOPPING:
            reasons |= self._stop_reasons
        if not i.is_locked:
            # The lock may be missing only where the policy says so, and under "reduce" only once it has failed.
            if (
                self.is_dc
                or self._policy == POLICY_REFUSE
                or (self._policy == POLICY_REDUCE and not self.faults & F_FAILED_LOCK)
            ):
                reasons |= NOT_LOCKED
        if self.permitted_ma < self._min_ma and not (self.is_dc or reasons & _NO_CURRENT_MASK):
            reasons |= BELOW_MINIMUM
        if self._stops > self._retries_max:
            reasons |= RETRIES
        session = self.session
        if not _S2_CLOSED[session]:
            if not self._has_been_off:
                self._has_been_off = ticks_diff(now_ms, self._opened_ms) >= _OFF_MS
            if session == RESTING or not self._has_been_off:
                reasons |= REST
            if i.shows_b and i.is_plugged:
                if not self._is_b_shown:
                    self._is_b_shown = ticks_diff(now_ms, self._b_since_ms) >= _SHOW_B_MS
            else:
                self._b_since_ms = now_ms
                self._is_b_shown = False
            if not self._is_b_shown:
                reasons |= SHOW_B
        self.reasons = reasons

    def _event(self, now_ms: int, i: Inputs) -> int:  # noqa: C901, PLR0911 - one a priority
        session = self.session
        reasons = self.reasons
        if session == CHARGING or session == STOPPING:
            if reasons & ~_CURRENT_FIRST_MASK:
                return EV_OPEN_NOW
            if session == STOPPING and self._has_flowed_out(now_ms, i):
                return EV_DONE
            if reasons:
                # A second cause may be more urgent than the first.
                wait_ms = self._shortest_wait(reasons)
                if session == STOPPING and wait_ms < self._wait_ms:
                    self._wait_ms = wait_ms
                return EV_STOP
            return EV_NONE
        if i.is_unplugged:
            return EV_UNPLUG
        if session == UNPLUGGED:
            return EV_PLUG
        if i.unlock_request:
            self._asked_ms = now_ms
            return EV_RELEASE
        if session == RELEASED:
            return EV_RELOCK if self._is_to_be_relocked(now_ms, i) else EV_NONE
        if session == RESTING and ticks_diff(now_ms, self._entered_ms) >= self._wait_ms:
            return EV_DONE
        if reasons == 0 and not i.in_doubt:
            return EV_READY
        return EV_NONE

    def _is_to_be_relocked(self, now_ms: int, i: Inputs) -> bool:
        """Tell whether the cable has been free for long enough, and nobody has pulled it."""
        if not self._relock_ms or not i.is_plugged or (self.may_unlock and not i.is_unlocked):
            # On its way, or stuck. A cable that was never proven dead is not to open hours later by itself.
            self._asked_ms = now_ms
            return False
        return ticks_diff(now_ms, self._asked_ms) >= self._relock_ms

    def _has_flowed_out(self, now_ms: int, i: Inputs) -> bool:
        """Tell whether less than 1 A flows, seen three times, or the bounded wait is over.

        DC is the communication controller's: once it does not want S2 any more, or is gone, nothing is to be waited for.
        """
        if self.is_dc:
            return (
                not (i.modem_wants_c and i.is_modem_fresh)
                or ticks_diff(now_ms, self._entered_ms) >= self._wait_ms
            )
        if not i.charger_ok or i.charger_ma >= NO_CURRENT_MA:
            self._low_passes = 0
        else:
            self._low_passes += 1
        return (
            self._low_passes >= _LOW_PASSES
            or ticks_diff(now_ms, self._entered_ms) >= self._wait_ms
        )

    def _shortest_wait(self, reasons: int) -> int:
        wait_ms = 0
        is_first = True
        for n in range(len(SHUTDOWN)):
            if reasons >> n & 1:
                row_ms = _WAIT_MS[n]
                if is_first or row_ms < wait_ms:
                    wait_ms = row_ms
                    is_first = False
        return wait_ms

    def _go(  # noqa: C901 - one branch a state
        self, now_ms: int, event: int, i: Inputs
    ) -> None:
        old = self.session
        new = _NEXT[old][event]
        if new != old:
            self.session = new
            self._entered_ms = now_ms
            if old == CHARGING:
                self._stop_reasons = self.reasons
                self._low_passes = 0
            elif event == EV_OPEN_NOW:
                self._stop_reasons |= self.reasons
            if new == STOPPING:
                self._wait_ms = self._shortest_wait(self.reasons)
            elif new == RESTING:
                self._open(now_ms)
            elif event == EV_RELOCK:
                self._is_relocked = True
            elif new == UNPLUGGED:
                self._stops = 0
                self._pauses = 0
        if new == CHARGING:
            self._was_charging = True
            if ticks_diff(now_ms, self._entered_ms) >= _FORGIVE_MS:
                self._stops = 0
                self._pauses = 0
        elif new == UNPLUGGED or i.vehicle_age_ms <= self._vehicle_timeout_ms:
            self._was_charging = False
        self.s2_close = _S2_CLOSED[new]
        if _CURRENT_ALLOWED[new] and not i.in_doubt and not self.is_dc:
            self.charger_ma = self.permitted_ma
        else:
            self.charger_ma = 0

    def _open(self, now_ms: int) -> None:
        """S2 has just opened: count the stop if it was a malfunction, and begin to rest."""
        self._opened_ms = now_ms
        self._has_been_off = False
        self._b_since_ms = now_ms
        self._is_b_shown = False
        reasons = self._stop_reasons
        rest_ms = 0
        for n in range(len(SHUTDOWN)):
            if reasons >> n & 1 and _REST_MS[n] > rest_ms:
                rest_ms = _REST_MS[n]
        if reasons & _COUNTED_MASK:
            # The longest rest, doubled by each counted stop before: at most 10000 << 4.
            rest_ms <<= self._stops if self._stops < _MAX_DOUBLINGS else _MAX_DOUBLINGS
            self._stops += 1
        elif reasons & ~PERSON_STOP:
            if self._pauses >= _FREE_PAUSES:
                doublings = self._pauses - _FREE_PAUSES + 1
                rest_ms <<= doublings if doublings < _MAX_DOUBLINGS else _MAX_DOUBLINGS
            self._pauses += 1
        self._wait_ms = rest_ms
