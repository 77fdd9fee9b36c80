"""One pass of the inlet: readings in, commands out. Pure: no clock, no hardware, no globals.

Composes the rooms and hands plain values between them; decides nothing itself. Runs unchanged on CPython, a 32-bit
MicroPython, an emulated RP2040 and the board. Allocates nothing after construction.
"""

from micropython import const

from connector import C_DC, C_DUTY, C_PILOT, C_PP, CONNECTORS
from faults import (
    BELOW_MINIMUM,
    F_FAILED_LOCK,
    F_FAILED_UNLOCK,
    F_INTERNAL,
    F_SETTINGS,
    F_SETTINGS_REFUSED,
    H_CRASH,
    H_NO_SECTION,
    H_RESEAT,
    PILOT_DIGITAL,
    PP_INVALID,
    REST,
    SERVICE_MODE,
    SHOW_B,
)
from inputs import Inputs
from interlock import CHARGING, UNPLUGGED, WAITING, Interlock
from lock.actuator import LockActuator
from lock.params import LockParams
from lock.thaw import Thaw
from pilot.control import STATE_A, ControlPilot
from pilot.level import LEVEL_B, LEVEL_D
from pilot.proximity import Proximity
from release import LIVE_DC_MV, NO_CURRENT_MA
from service import ServiceMode
from settings import Settings
from signals import PILOT_PERIODS, TEMP_CHANNELS
from thermal.params import PT1000, ChannelParams, ThermalLimits
from thermal.port import PortThermal
from ticks import ticks_diff
from unlock import UnlockRequest
from vehicle.light import looks, pattern

# Passes are 10 ms apart. Every limit counted in passes stretches with a loop that is late: 30 of them in a row, or one
# in four for long, and nothing is believed any more.
_SLOW_MS = const(15)
_SLOW_COSTS = const(3)
_SLOW_FULL = const(90)
# After so many crashes in a row nothing is energised until a person looks: a reset forgets latches and rests, and a
# fault that kills the loop only while charging would otherwise switch the EVSE's contactor for ever.
CRASHES_MAX = const(3)

# Channels 0 and 1 sit at the AC contacts that Readings.charger_ma flows through; 2 and 3 at the DC ones.
_AC_CONTACTS = const(2)
# A plug on its way in shows half of it for a moment: what is left after so long has not gone in.
_RESEAT_MS = const(5000)
# What may stand while DC is prepared, so that its limit is told before S2 closes.
_DC_MAY = PILOT_DIGITAL | SHOW_B | REST | BELOW_MINIMUM


class InletStep:
    """The inlet's logic. Call `step` every 10 ms."""

    def __init__(self, settings):
        row = CONNECTORS[settings.inlet]
        self._has_pilot = row[C_PILOT]
        self._dc_max_a = settings.dc_max_a if row[C_DC] else 0
        self._max_ma = settings.max_current_ma
        self.proximity = Proximity(
            row[C_PP],
            settings.pp_pullup_ohm,
            settings.pp_pulldown_ohm,
            settings.plug_debounce_ms,
        )
        self.pilot = ControlPilot(row[C_DUTY])
        self._looks = looks(settings)
        self._has_charged = False  # in this plug-in
        self._is_held = False  # a plug by a bolt that has been seen locked ever since
        self._own_faults = F_SETTINGS if settings.rejected else 0
        if not settings.is_trusted:
            self._own_faults |= F_SETTINGS_REFUSED
        self.thermal = self._build(_thermal_of, settings)
        self.lock = self._build(_lock_of, settings)
        self.interlock = Interlock(settings)
        self.service = ServiceMode()
        self.unlock = UnlockRequest(settings)
        self.thaw = Thaw(settings.heater != 0)
        self._may_thaw = settings.heater != 0
        self._inputs = Inputs()
        self._reseat_since_ms = 0
        self._is_reseat = False  # noticed for long enough
        self._last_ms = 0
        self._is_timed = False
        self._slow_score = 0  # 3 a late pass, paid back by passes in time

    def _build(self, make, settings):
        """Return make(settings); where the settings contradict each other, the room as shipped and no charging.

        The defaults alone would not do: a lock window of another make could read "locked" where it is not.
        """
        try:
            return make(settings)
        except ValueError as error:
            settings.rejected.append(
                "%s; its defaults are used and charging is refused" % (error,)
            )
            self._own_faults |= F_SETTINGS | F_SETTINGS_REFUSED
            return make(Settings({}))

    def step(self, now_ms: int, r, c) -> None:  # noqa: PLR0915 - one assignment a value
        """Judge `r` (signals.Readings) taken at tick `now_ms` and fill `c` (signals.Commands)."""
        self._check_contract(now_ms, r)
        proximity = self.proximity
        pilot = self.pilot
        thermal = self.thermal
        lock = self.lock
        interlock = self.interlock

        proximity.tick(now_ms, r)
        # A pilot that shows an EVSE outweighs a PP that reads open: its contact broke, the plug is still in. So does a bolt
        # that has been seen locked ever since a plug was: nobody can have pulled it.
        has_evse = self._has_pilot and LEVEL_B <= pilot.level <= LEVEL_D
        self._is_held = lock.is_confirmed and (self._is_held or proximity.is_plugged)
        is_unplugged = proximity.is_unplugged and not (has_evse or self._is_held)
        pilot.tick(now_ms, r, not is_unplugged, interlock.s2_close)
        thermal.tick(now_ms, r, is_unplugged)

        service = self.service
        is_live = (
            (r.charger_ok and r.charger_ma >= NO_CURRENT_MA)
            or (r.ac_ok and r.ac_present)
            or (r.dc_ok and r.dc_mv >= LIVE_DC_MV)
        )
        service.tick(
            now_ms,
            r,
            is_unplugged and not interlock.s2_close and not is_live,
            lock.is_unlocked,
        )
        if is_unplugged and not service.is_on:
            # Lets go of a bolt that nothing holds: not of one that a person is trying.
            lock.unplugged()

        unlock = self.unlock
        unlock.tick(now_ms, r, interlock.holds & H_CRASH != 0, is_unplugged, interlock.is_alive)

        i = self._inputs
        level = pilot.level
        i.reasons = proximity.reasons
        i.faults = proximity.faults | thermal.faults | lock.faults | self._own_faults
        i.in_doubt = proximity.in_doubt
        i.holds = r.holds
        # A combined inlet is two ports: which of them is asked for, the pilot says.
        if pilot.reasons & PILOT_DIGITAL or not self._has_pilot:
            i.holds |= r.port_dc_holds
        else:
            i.holds |= r.port_holds
        if self._has_pilot:
            i.reasons |= pilot.reasons
            i.faults |= pilot.faults
            i.in_doubt = i.in_doubt or pilot.in_doubt
            has_evse = LEVEL_B <= level <= LEVEL_D
        else:
            i.holds |= H_NO_SECTION
        if service.is_on:
            i.reasons |= SERVICE_MODE
        if self._is_to_be_reseated(now_ms, has_evse, interlock.session == WAITING):
            i.holds |= H_RESEAT
        i.is_plugged = proximity.is_plugged
        i.is_unplugged = is_unplugged
        i.is_clear_to_drive = proximity.is_clear_to_drive
        i.has_evse = has_evse
        i.shows_b = has_evse and level == LEVEL_B
        i.is_pilot_dead = pilot.state == STATE_A or not self._has_pilot
        i.offered_ma = pilot.offered_ma if self._has_pilot else 0
        i.has_rating = proximity.has_rating
        i.rated_ma = proximity.rated_ma
        i.thermal_ma = thermal.limit_ma
        i.is_locked = lock.is_locked and not service.is_bolt_doubted
        i.is_unlocked = lock.is_unlocked
        i.vehicle_age_ms = r.vehicle_age_ms
        i.vehicle_permits = r.vehicle_permits and not r.car_stop
        i.vehicle_limit_ma = r.vehicle_limit_ma
        i.charger_ok = r.charger_ok
        i.charger_ma = r.charger_ma
        i.ac_ok = r.ac_ok
        i.ac_present = r.ac_present
        i.stop_request = r.stop_request or r.console_stop
        i.unlock_request = unlock.is_wanted
        i.unlock_insisted = unlock.is_insisted
        i.person_ma = r.person_limit_ma
        i.port_ma = r.port_ma
        i.dc_ok = r.dc_ok
        i.dc_mv = r.dc_mv
        i.car_ac_live = r.car_ac_live
        i.contactors_ok = r.contactors_ok
        i.contactors_open = r.contactors_open
        i.modem_age_ms = r.modem_age_ms
        i.modem_wants_c = r.modem_wants_c
        i.modem_toggles = r.modem_toggles
        i.modem_permits_unlock = r.modem_permits_unlock
        interlock.tick(now_ms, i)
        # After the interlock, so that the bridge never obeys a request from before S2 closed; what the lock then
        # finds out counts one pass later.
        lock.tick(
            now_ms,
            service.lock_request
            if service.is_on or service.is_bolt_doubted
            else interlock.lock_request,
            interlock.may_unlock,
            r.lock_feedback_ok,
            r.lock_feedback_mv,
            r.lock_motor_ma,
        )

        if self._may_thaw:
            self._thaw(now_ms, is_unplugged)
            c.wants_heat = self.thaw.wants_heat

        c.s2_close = interlock.s2_close
        c.charger_ma = interlock.charger_ma
        c.lock_drive = lock.drive
        c.drive_allowed = interlock.drive_allowed and not service.is_on
        c.session = interlock.session
        c.pilot_state = pilot.state
        c.lock_state = lock.state
        c.duty_pct_x100 = pilot.capture.duty_pct_x100 if pilot.has_pwm else 0
        c.offered_ma = pilot.offered_ma
        c.permitted_ma = 0 if i.in_doubt else interlock.permitted_ma
        c.limiter = interlock.limiter
        c.reasons = interlock.reasons
        c.faults = interlock.faults
        c.hottest_decic = thermal.hottest_decic
        c.hottest_ok = thermal.hottest_ok
        c.holds = interlock.holds
        c.dc_session = interlock.is_dc
        if self._dc_max_a:
            c.dc_permitted_ma = min(self._dc_limit_ma(interlock.reasons), r.port_dc_ma)
        c.plug_present = not is_unplugged
        if c.session == CHARGING:
            self._has_charged = True
        elif c.session == UNPLUGGED:
            self._has_charged = False
        c.light = pattern(
            c.session,
            c.reasons,
            c.faults,
            c.limiter,
            c.holds,
            r.is_asleep,
            self._has_charged,
            r.is_nearly_full,
        )
        c.look = self._looks[c.light]

    def _thaw(self, now_ms: int, is_unplugged: bool) -> None:
        """Let a lock that failed in the cold be tried anew once the port is warm."""
        thaw = self.thaw
        thermal = self.thermal
        thaw.tick(
            now_ms,
            self.interlock.faults & (F_FAILED_LOCK | F_FAILED_UNLOCK) != 0
            and not self.interlock.s2_close,
            thermal.hottest_ok,
            thermal.hottest_decic,
            is_unplugged,
            self.lock.is_locked or self.lock.is_unlocked,
        )
        if thaw.try_again:
            self.lock.forgive()
            self.interlock.forgive(F_FAILED_LOCK)

    def _is_to_be_reseated(self, now_ms: int, has_evse: bool, is_waiting: bool) -> bool:
        """Notice a plug that looks partly inserted: one of pilot and proximity has made contact, the other has not.

        A station without power looks the same, so this is a hint and never a fault.
        """
        proximity = self.proximity
        is_half = is_waiting and (
            (proximity.is_plugged and not has_evse)
            or (has_evse and proximity.reasons & PP_INVALID != 0)
        )
        if not is_half:
            self._reseat_since_ms = now_ms
            self._is_reseat = False
        elif not self._is_reseat:
            self._is_reseat = ticks_diff(now_ms, self._reseat_since_ms) >= _RESEAT_MS
        return self._is_reseat

    def _dc_limit_ma(self, reasons: int) -> int:
        """Return what DC may flow: the rating, derated as AC is, 0 where anything but its own preparation speaks against it."""
        if not self.interlock.may_be_dc or reasons & ~_DC_MAY:
            return 0
        # At most 80000 * 1000; then 1000 A * 1000 per mille.
        per_mille = self.thermal.limit_ma * 1000 // self._max_ma
        return self._dc_max_a * min(per_mille, 1000)

    def _check_contract(self, now_ms: int, r) -> None:
        """Raise Internal where a driver hands over what its contract rules out, and make it harmless."""
        if r.pilot_count < 0 or r.pilot_count > PILOT_PERIODS:
            r.pilot_count = 0
            self._own_faults |= F_INTERNAL
        if r.charger_ma < 0:
            # A signed sensor: what flows the other way flows all the same.
            r.charger_ma = -r.charger_ma
        if self._is_timed and ticks_diff(now_ms, self._last_ms) < 0:
            self._own_faults |= F_INTERNAL
        if r.output_lost:
            # S2 opened under load while nobody decided it: what the loop is worth is no longer known.
            self._own_faults |= F_INTERNAL
        if self._is_timed and ticks_diff(now_ms, self._last_ms) > _SLOW_MS:
            self._slow_score += _SLOW_COSTS
            if self._slow_score >= _SLOW_FULL:
                self._own_faults |= F_INTERNAL
        elif self._slow_score:
            self._slow_score -= 1
        self._is_timed = True
        self._last_ms = now_ms

    def distrust(self, crashes: int) -> None:
        """Say that the loop has crashed `crashes` times in a row. S2 rests before it may close; later never."""
        self.interlock.rest_after_crash()
        if crashes >= CRASHES_MAX:
            self._own_faults |= F_INTERNAL


def _thermal_of(settings) -> PortThermal:
    """Return the thermal room for these settings; raises ValueError where they contradict each other."""
    kinds = (settings.sensor_0, settings.sensor_1, settings.sensor_2, settings.sensor_3)
    channels = []
    for n in range(TEMP_CHANNELS):
        channels.append(
            ChannelParams(
                kind=kinds[n],
                r25_ohm=settings.ntc_r25_ohm,
                beta=settings.ntc_beta,
                pullup_ohm=settings.pt_pullup_ohm
                if kinds[n] == PT1000
                else settings.temp_pullup_ohm,
                is_contact=n < _AC_CONTACTS,
            )
        )
    limits = ThermalLimits(
        derate_start_decic=settings.derate_start_decic,
        derate_end_decic=settings.derate_end_decic,
        derate_end_pct=settings.derate_end_pct,
        stop_decic=settings.stop_decic,
        resume_decic=settings.resume_decic,
        trips_to_latch=settings.trips_to_latch,
        rated_ma=settings.max_current_ma,
    )
    return PortThermal(tuple(channels), limits)


def _lock_of(settings) -> LockActuator:
    """Return the lock for these settings; raises ValueError where they contradict each other."""
    given = settings.given
    return LockActuator(
        LockParams(
            kind=settings.lock_kind,
            feedback=settings.lock_feedback,
            run_ms=settings.lock_run_ms if "lock_run_ms" in given else None,
            cooldown_ms=settings.lock_cooldown_ms,
            attempts=settings.lock_attempts,
            stall_ma=settings.lock_stall_ma,
            min_ma=settings.lock_min_ma,
            is_inverted=settings.lock_inverted != 0,
            # Not given: the usual window of the kind of feedback.
            unlocked_min_mv=_if_given(settings, "lock_unlocked_min_mv"),
            unlocked_max_mv=_if_given(settings, "lock_unlocked_max_mv"),
            locked_min_mv=_if_given(settings, "lock_locked_min_mv"),
            locked_max_mv=_if_given(settings, "lock_locked_max_mv"),
        )
    )


def _if_given(settings, key: str):
    return getattr(settings, key) if key in settings.given else None
