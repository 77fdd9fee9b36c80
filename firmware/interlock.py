"""The one place where readings become permission: S2, the charger's current, the lock request, and the reasons.

Default deny: S2 closes only when the mask of reasons is zero. The permitted current is the minimum of every limit,
and the limiter that set it is named. How a session ends is read from faults.SHUTDOWN. Takes plain values (Inputs),
knows no room and no pin; the lock's own sequencing is the actuator's.
"""

from micropython import const

from charger import ChargerWatch
from faults import (
    BELOW_MINIMUM,
    CURRENT_FIRST,
    F_AC_LIVE,
    F_FAILED_LOCK,
    F_VEHICLE_SILENT,
    FAULT_CLEARS,
    FAULT_REASON,
    FAULTS,
    LOCK_FAILED,
    LOCK_LOST,
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
    SERVICE,
    SHOW_B,
    SHUTDOWN,
    TEMP_HIGH,
    TEMP_SENSOR,
    UNPLUG,
    VEHICLE_NO,
    VEHICLE_SILENT,
)
from release import HOLD, NO_CURRENT_MA, Release
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
EV_NONE = const(7)
EVENT_NAMES = ("open_now", "stop", "done", "unplug", "release", "plug", "ready", "none")

# fmt: off
_NEXT = (
    # open_now   stop       done       unplug     release    plug       ready      none
    (UNPLUGGED, UNPLUGGED, UNPLUGGED, UNPLUGGED, UNPLUGGED, WAITING,   UNPLUGGED, UNPLUGGED),  # unplugged
    (WAITING,   WAITING,   WAITING,   UNPLUGGED, RELEASED,  WAITING,   CHARGING,  WAITING),    # waiting
    (RESTING,   STOPPING,  CHARGING,  STOPPING,  STOPPING,  CHARGING,  CHARGING,  CHARGING),   # charging
    (RESTING,   STOPPING,  RESTING,   STOPPING,  STOPPING,  STOPPING,  STOPPING,  STOPPING),   # stopping
    (RESTING,   RESTING,   WAITING,   UNPLUGGED, RELEASED,  RESTING,   RESTING,   RESTING),    # resting
    (RELEASED,  RELEASED,  RELEASED,  UNPLUGGED, RELEASED,  RELEASED,  RELEASED,  RELEASED),   # released
)
# Moore outputs: what is energised in which state, in one line each.
_S2_CLOSED = (False, False, True, True, False, False)
_CURRENT_ALLOWED = (False, False, True, False, False, False)
_WANTS_LOCK = (False, True, True, True, True, False)
# fmt: on

LIMIT_NONE = const(0)
LIMIT_PILOT = const(1)
LIMIT_CABLE = const(2)
LIMIT_TEMPERATURE = const(3)
LIMIT_SETTING = const(4)
LIMIT_VEHICLE = const(5)
LIMIT_LOCK = const(6)
LIMITER_NAMES = ("none", "pilot", "cable", "temperature", "setting", "vehicle", "lock")

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
)
# Reasons that already say why the connector does not count as plugged.
_NOT_PLUGGED_MASK = NO_PLUG | PP_INVALID | PP_BUTTON
# Columns of the tables as tuples of their own: one lookup in the hot path.
_WAIT_MS = tuple([int(row[ROW_WAIT_MS]) for row in SHUTDOWN])
_REST_MS = tuple([int(row[ROW_REST_MS]) for row in SHUTDOWN])
_FORCES = tuple([int(row[FAULT_REASON]) for row in FAULTS])
_CURRENT_FIRST_MASK = _mask(ROW_ORDER, CURRENT_FIRST)
_COUNTED_MASK = _mask(ROW_COUNTED, True)


def class_mask(clears: int) -> int:
    """Return the mask of faults of one class, SELF, UNPLUG or SERVICE."""
    mask = 0
    for n in range(len(FAULTS)):
        if FAULTS[n][FAULT_CLEARS] == clears:
            mask |= 1 << n
    return mask


_UNPLUG_MASK = class_mask(UNPLUG)
_SERVICE_MASK = class_mask(SERVICE)


class Inputs:
    """What the interlock needs to know in one pass. Filled by the step."""

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


class Interlock:
    """Call `tick` once a pass, last of the rooms. Allocates nothing."""

    def __init__(self, settings):
        self._max_ma = settings.max_current_ma
        self._min_ma = settings.min_current_ma
        self._policy = settings.lock_policy
        self._lock_fail_ma = settings.lock_fail_ma
        self._vehicle_timeout_ms = settings.vehicle_timeout_ms
        self._retries_max = settings.retries_max
        self.session = UNPLUGGED
        self.s2_close = False
        self.charger_ma = 0  # command to the charger
        self.permitted_ma = 0  # minimum of all limits
        self.limiter = LIMIT_NONE
        self.lock_request = HOLD
        self.may_unlock = False
        self.drive_allowed = False
        self.reasons = NO_PLUG  # mask of every reason not to charge
        self.faults = 0  # mask of every fault, latched ones included
        self._latched = 0
        self._fault_reasons = 0  # reasons forced by `_fault_reasons_of`
        self._fault_reasons_of = 0
        self._entered_ms = 0  # when the session state was entered
        self._is_timed = False
        self._wait_ms = 0  # bounded wait of STOPPING, rest of RESTING
        self._stops = 0  # counted stops of this plug-in
        self._pauses = 0  # stops of this plug-in that are not counted, a person's apart
        self._stop_reasons = 0  # why the last session ended
        self._opened_ms = 0  # when S2 last opened
        self._charger = ChargerWatch(settings.vehicle_timeout_ms)
        self._release = Release(settings.ac_sense != 0)
        self._low_passes = 0  # passes in a row with less than 1 A, while stopping
        self._has_been_off = True  # for _OFF_MS since then
        self._b_since_ms = 0
        self._is_b_shown = False
        self._was_charging = False

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
            now_ms, self.charger_ma, self.s2_close, i.charger_ok, i.charger_ma, i.is_unplugged
        )
        self._collect_faults(i)
        self._limit(i)
        self._collect_reasons(now_ms, i)
        self._go(now_ms, self._event(now_ms, i), i)
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
        self.drive_allowed = self._release.drive_allowed

    def _collect_faults(self, i: Inputs) -> None:
        present = i.faults | self._charger.fault
        if self._release.is_ac_live:
            present |= F_AC_LIVE
        if self._charger.is_silent or (
            self._was_charging and i.vehicle_age_ms > self._vehicle_timeout_ms
        ):
            present |= F_VEHICLE_SILENT
        if not present and not self.faults:
            return
        latched = self._latched
        if i.is_unplugged and latched:
            latched &= ~_UNPLUG_MASK
        latched |= present & (_UNPLUG_MASK | _SERVICE_MASK)
        self._latched = latched
        faults = present | latched
        self.faults = faults
        if faults != self._fault_reasons_of:
            self._fault_reasons_of = faults
            forced = 0
            for n in range(len(FAULTS)):
                if faults >> n & 1:
                    forced |= _FORCES[n]
            if self._policy == POLICY_IGNORE:
                forced &= ~(LOCK_FAILED | LOCK_LOST)
            elif self._policy == POLICY_REDUCE:
                forced &= ~LOCK_FAILED
            self._fault_reasons = forced

    def _limit(self, i: Inputs) -> None:
        """Find the lowest limit and who set it; of equals the first one asked here.

        The setting is asked before the temperature: undisturbed, that limit is the setting itself.
        """
        ma = i.offered_ma
        limiter = LIMIT_PILOT
        if i.has_rating and i.rated_ma < ma:
            ma = i.rated_ma
            limiter = LIMIT_CABLE
        if self._max_ma < ma:
            ma = self._max_ma
            limiter = LIMIT_SETTING
        if i.thermal_ma < ma:
            ma = i.thermal_ma
            limiter = LIMIT_TEMPERATURE
        if i.vehicle_limit_ma < ma:
            ma = i.vehicle_limit_ma
            limiter = LIMIT_VEHICLE
        if self._policy == POLICY_REDUCE and not i.is_locked and self._lock_fail_ma < ma:
            ma = self._lock_fail_ma
            limiter = LIMIT_LOCK
        self.permitted_ma = ma if ma > 0 else 0
        self.limiter = limiter

    def _collect_reasons(  # noqa: C901, PLR0912 - one branch a reason
        self, now_ms: int, i: Inputs
    ) -> None:
        reasons = i.reasons | self._fault_reasons
        if not i.is_plugged and not reasons & _NOT_PLUGGED_MASK:
            reasons |= NO_PLUG
        if i.vehicle_age_ms > self._vehicle_timeout_ms or (
            self._charger.is_silent and self.session != STOPPING
        ):
            # While stopping it would only cut the wait for the current short.
            reasons |= VEHICLE_SILENT
        elif not i.vehicle_permits:
            reasons |= VEHICLE_NO
        if i.stop_request or i.unlock_request or self.session == RELEASED:
            reasons |= PERSON_STOP
        if self.session == STOPPING:
            reasons |= self._stop_reasons
        if not i.is_locked:
            # The lock may be missing only where the policy says so, and under "reduce" only once it has failed.
            if self._policy == POLICY_REFUSE or (
                self._policy == POLICY_REDUCE and not self.faults & F_FAILED_LOCK
            ):
                reasons |= NOT_LOCKED
        if self.permitted_ma < self._min_ma and not reasons & _NO_CURRENT_MASK:
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
            return EV_RELEASE
        if session == RESTING and ticks_diff(now_ms, self._entered_ms) >= self._wait_ms:
            return EV_DONE
        if reasons == 0 and not i.in_doubt:
            return EV_READY
        return EV_NONE

    def _has_flowed_out(self, now_ms: int, i: Inputs) -> bool:
        """Tell whether less than 1 A flows, seen three times, or the bounded wait is over."""
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

    def _go(self, now_ms: int, event: int, i: Inputs) -> None:
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
        self.charger_ma = self.permitted_ma if _CURRENT_ALLOWED[new] and not i.in_doubt else 0

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
