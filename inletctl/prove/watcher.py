"""Watches every pass of one boot and says which rule (rules.py) was broken, in which words.

Cheap where nothing changes: only a pass that differs from the one before, the pass after it, and those in which a time runs,
are judged. Judges by the healthy tables (truth.py), never by those of the firmware it watches.
"""

from operator import attrgetter
from typing import Any

from inletctl.prove import truth as t
from inletctl.prove.causes import TIMED, level_of
from inletctl.prove.rules import RULES, Rule

# The temperatures, each measured ten times a second, are looked at every so many passes.
_TEMPS_EVERY = 10
_NO = -1

# What a pass is compared by with the one before.
_COMMANDS = (
    "s2_close", "charger_ma", "lock_drive", "drive_allowed", "session", "pilot_state", "lock_state", "permitted_ma",
    "reasons", "faults", "holds", "plug_present",
)  # fmt: skip
_COMMANDS_OF_DC = ("dc_session", "dc_permitted_ma")
_READINGS = (
    "pp_ok", "pp_mv", "pp_rail_mv", "cp_ok", "cp_high_mv", "cp_low_mv", "pilot_count", "vehicle_permits",
    "vehicle_limit_ma", "person_limit_ma", "port_ma", "holds", "port_holds", "port_dc_holds", "charger_ok", "ac_ok",
    "ac_present", "stop_request", "unlock_request", "console_stop", "car_stop", "car_unlock", "output_lost",
    "lock_feedback_ok", "lock_feedback_mv", "car_ac_live",
)  # fmt: skip
_READINGS_OF_DC = (
    "port_dc_ma", "dc_ok", "dc_mv", "contactors_ok", "contactors_open", "modem_wants_c", "modem_permits_unlock",
)  # fmt: skip
_TICKS_MASK = (1 << 30) - 1
_HALF_TICKS = 1 << 29
_PATTERNS_MAX = 1000
_QUIET_MS = t.QUIET_MS
_NO_CURRENT_MA = t.NO_CURRENT_MA
_MODEM_SILENT_MS = t.MODEM_SILENT_MS

# What is remembered, for the search (snapshot.py): times with the age beyond which none matters any more, and the rest.
TIMES = {
    "closed_t": 10 * t.TOGGLE_MS,
    "opened_t": 1 << 18,  # the longest rest is 10 s, doubled four times
    "b_t": 2 * t.SHOW_B_MS,
    "stop_t": 10_000,
    "charge_t": t.FORGIVE_MS + t.PASS_MS,
    "drive_t": 2 * t.CAP_MS,
    "off_t": 2 * t.DEAD_TIME_MS,
    "alive_t": 2 * t.DEAD_UNMEASURED_MS,
    "unmeasured_t": 2 * t.DEAD_MEASURED_MS,
    "pp_in_t": 2 * t.DRIVE_MS,
    "press_t": 2 * t.INSIST_MS,
}
REST = (
    "is_toggle", "has_opened", "rest_ms", "stop_reasons", "stops", "was_released", "has_crashed", "has_driven",
    "is_proven_dead", "was_opening", "opens_bolt", "had_dc", "is_dc_live", "is_contactor_live", "was_s2", "was_drive", "was_session", "was_lock", "was_faults",
    "was_holds", "was_reasons", "was_dc", "was_present", "was_b", "was_alive", "was_unmeasured", "was_pp_in",
    "last_pp_kind", "last_pp_ma",
)  # fmt: skip


class Broken:
    """A rule that was broken, when, and what was seen."""

    def __init__(self, rule: Rule, t_ms: int, seen: str):
        self.rule = rule
        self.t_ms = t_ms
        self.seen = seen

    @property
    def sentence(self) -> str:
        """Return it in one sentence."""
        return "invariant %s is broken: %s; %s" % (self.rule.id, self.rule.text, self.seen)


class Watcher:
    """Call `look` once a pass from the boot on. `wanted`: the settings as stored; `is_whole`: the readings hold the car's side."""

    def __init__(  # noqa: PLR0915 - one line each of what is remembered
        self, wanted: Any, is_whole: bool = True, rules: "tuple[Rule, ...]" = RULES
    ):
        s = t.settings.Settings(wanted)
        self.s = s
        row = t.connector.CONNECTORS[s.inlet]
        self.checks = tuple((rule, rule.check) for rule in rules if is_whole or not rule.of_car)
        self.judged = 0  # passes judged in full
        self._silent_ms = s.vehicle_timeout_ms
        self._shape(s, row)
        self.causes = TIMED
        self.cause_t = [_NO] * len(TIMED)
        self.broken: list[Broken] = []
        self._told: set[str] = set()
        # This pass.
        self.r: Any = None
        self.c: Any = None
        self.t = 0
        self.t_prev = 0
        self.closes = False
        self.is_quiet = False
        self.is_silent = False
        self.is_over = False
        self.is_hot = False
        self.is_sensor_bad = False
        self.is_digital = False
        self.is_off_frequency = False
        self.level = 0
        self.pilot_ma = _NO  # what this pass's pilot offers by the table, -1 where it is not clean
        self.pp_kind = t.proximity.SENSE
        self.pp_ma = 0
        self.pp_is_plug = False
        self.cable_ma = _NO
        self.asked_reasons = 0
        self.is_alive = True
        self.opens_bolt = self.was_opening = False
        self.is_proven_dead = self.was_proven_dead = False
        self.measured_ms = 0
        self.sign = 0
        self.drive_turned = False
        # Remembered.
        self.closed_t = self.opened_t = self.b_t = self.stop_t = self.charge_t = 0
        self.stop_end_t = 0
        self.drive_t = self.off_t = self.alive_t = self.unmeasured_t = self.pp_in_t = 0
        self.press_t = _NO
        self.drives: list[tuple[int, int]] = []
        self.is_toggle = self.has_opened = self.was_released = self.has_crashed = False
        self.has_driven = self.is_dc_live = self.is_contactor_live = False
        self.had_dc = self.may_have_dc and s.modem != 0
        self.rest_ms = self.stop_reasons = self.stops = 0
        self.was_s2 = self.was_dc = self.was_b = False
        self.was_drive = 0
        self.was_session = t.interlock.UNPLUGGED
        self.was_lock = 0
        self.was_faults = self.was_holds = self.was_reasons = 0
        self.was_present = self.was_alive = self.was_unmeasured = self.was_pp_in = True
        self.last_pp_kind = t.proximity.SENSE
        self.last_pp_ma = 0
        self.began_ms: "int | None" = None  # tick of the first pass
        self._last_tick_ms = 0
        self._commands: Any = None
        self._readings: Any = None
        self._flags: Any = None
        self._highs = self._periods = b""
        self._patterns: dict[tuple[bytes, bytes, int], tuple[int, bool, bool]] = {}  # not quiet
        self._settle = True
        self._waited = 0
        self._is_busy = True

    def _shape(self, s: Any, row: Any) -> None:
        """Take what the settings make of the inlet."""
        c = t.connector
        self.family = row[c.C_DUTY]
        self.pp_family = row[c.C_PP]
        self.has_pilot = row[c.C_PILOT]
        self.dc_max_a = s.dc_max_a if row[c.C_DC] else 0
        self.may_have_dc = bool(row[c.C_DC] and s.dc_max_a > 0)
        self.is_shared = self.may_have_dc and bool(row[c.C_SHARED])
        self.may_hand_off = self.may_have_dc and s.modem != 0 and s.lock_feedback != 0
        has_dc = self.may_have_dc or s.modem != 0
        self._of_commands = attrgetter(*_COMMANDS, *(_COMMANDS_OF_DC if has_dc else ()))
        self._of_readings = attrgetter(*_READINGS, *(_READINGS_OF_DC if has_dc else ()))
        self.must_be_locked = s.lock_policy == t.interlock.POLICY_REFUSE and s.lock_feedback != 0
        f = t.faults
        self.lifted = 0
        if s.lock_policy == t.interlock.POLICY_REDUCE:
            self.lifted = f.LOCK_FAILED
        elif s.lock_policy == t.interlock.POLICY_IGNORE:
            self.lifted = f.LOCK_FAILED | f.LOCK_LOST
        self.forgivable = f.F_FAILED_LOCK if s.heater else 0
        # A night's charging forgives; the thaw tries the lock anew.
        self.forgiven_reasons = f.RETRIES | (f.LOCK_FAILED if s.heater else 0)
        self.over_ma = s.max_current_ma + max(
            t.charger._OVER_MA, s.max_current_ma // t.charger._OVER_DIVISOR
        )
        kinds = (s.sensor_0, s.sensor_1, s.sensor_2, s.sensor_3)
        self.fitted = tuple(n for n, kind in enumerate(kinds) if kind != t.thermal_params.UNUSED)
        self.has_sensors = bool(self.fitted)
        self.blind_ma = s.max_current_ma * t.thermal_params.ThermalLimits().blind_pct // 100
        self._least_ma = s.max_current_ma * s.derate_end_pct // 100
        self._span = s.derate_end_decic - s.derate_start_decic
        self._probes: dict[int, Any] = {}
        self.locked_min_mv = self.locked_max_mv = 0
        try:
            params = t.step._lock_of(s)._feedback
            self.locked_min_mv, self.locked_max_mv = params._locked_min_mv, params._locked_max_mv
            for n in self.fitted:
                is_pt = kinds[n] == t.thermal_params.PT1000
                self._probes[n] = t.convert.Probe(
                    t.thermal_params.ChannelParams(
                        kind=kinds[n], r25_ohm=s.ntc_r25_ohm, beta=s.ntc_beta,
                        pullup_ohm=s.pt_pullup_ohm if is_pt else s.temp_pullup_ohm,
                    ),
                    None,
                )  # fmt: skip
        except ValueError:
            # Settings that contradict each other: nothing is charged, and no probe is asked.
            self.s.is_trusted = False
            self.fitted = ()

    # ------------------------------------------------------------------------------------ each pass

    def look(self, now_ms: int, r: Any, c: Any) -> "Broken | None":
        """Judge the pass at tick `now_ms`; return the first rule it breaks, each rule once."""
        if self.began_ms is None:
            self.began_ms = self._last_tick_ms = now_ms
        self.t_prev = self.t
        passed_ms = (now_ms - self._last_tick_ms) & _TICKS_MASK
        self.t += passed_ms if passed_ms < _HALF_TICKS else passed_ms - _TICKS_MASK - 1
        self._last_tick_ms = now_ms
        commands = self._of_commands(c)
        readings = self._of_readings(r)
        flags = (
            r.pilot_quiet_ms >= _QUIET_MS, r.charger_ma >= _NO_CURRENT_MA, r.charger_ma > self.over_ma,
            r.vehicle_age_ms > self._silent_ms, r.modem_age_ms > _MODEM_SILENT_MS,
        )  # fmt: skip
        if commands != self._commands or readings != self._readings or flags != self._flags:
            self._commands = commands
            self._readings = readings
            self._flags = flags
            self._settle = True
        elif not self._is_busy:
            if not self._settle:
                return self._look_closer(r, c)
            self._settle = False
        self.r = r
        self.c = c
        self.is_quiet = flags[0]
        self._highs = r.pilot_high_us_x10.tobytes()
        self._periods = r.pilot_period_us_x10.tobytes()
        return self._judge()

    def _look_closer(self, r: Any, c: Any) -> "Broken | None":
        """Look at what moves in nearly every pass, the pilot's periods and the temperatures; judge what hangs on them alone."""
        self.r = r
        self.c = c
        if (c.permitted_ma or (c.s2_close and not self.is_quiet)) and (
            r.pilot_high_us_x10.tobytes() != self._highs
            or r.pilot_period_us_x10.tobytes() != self._periods
        ):
            self._highs = r.pilot_high_us_x10.tobytes()
            self._periods = r.pilot_period_us_x10.tobytes()
            before = (self.pilot_ma == 0, self.is_off_frequency)
            # A generator makes the same few patterns again and again.
            pattern = (self._highs, self._periods, r.pilot_count)
            known = self._patterns.get(pattern)
            if known is None:
                self._read_pilot()
                if len(self._patterns) >= _PATTERNS_MAX:
                    self._patterns.clear()
                self._patterns[pattern] = (self.pilot_ma, self.is_digital, self.is_off_frequency)
            else:
                self.pilot_ma, self.is_digital, self.is_off_frequency = known
            if c.s2_close and (self.pilot_ma == 0, self.is_off_frequency) != before:
                return self._judge()
            if 0 <= self.pilot_ma < c.permitted_ma:
                return self._judge()
        self._waited += 1
        if self._waited >= _TEMPS_EVERY:
            self._waited = 0
            self._read_temps()
            if (c.s2_close and (self.is_hot or self.is_sensor_bad)) or self._is_too_warm(c):
                return self._judge()
        return None

    def _is_too_warm(self, c: Any) -> bool:
        return (
            c.permitted_ma and c.hottest_ok and self.derated_ma(c.hottest_decic) < c.permitted_ma
        )

    def forget_pass(self) -> None:
        """Judge the next pass whatever it is like, and tell every rule anew: another state has been put back."""
        self._commands = None
        self._told.clear()
        self.broken.clear()

    def _judge(self) -> "Broken | None":
        self.judged += 1
        self._read()
        self._follow()
        found = None
        for rule, check in self.checks:
            seen = check(self)
            if seen and rule.id not in self._told:
                self._told.add(rule.id)
                one = Broken(rule, self.t, seen)
                self.broken.append(one)
                found = found or one
        self._remember()
        return found

    # ------------------------------------------------------------------------- what this pass reads

    def _read(self) -> None:
        r = self.r
        self.is_silent = r.vehicle_age_ms > self.s.vehicle_timeout_ms
        self.is_over = r.charger_ok and r.charger_ma > self.over_ma
        self.level = level_of(r.cp_high_mv) if r.cp_ok else _NO
        self._read_pilot()
        self._read_plug()
        self._read_temps()
        holds = r.holds
        if r.port_holds and not (self.c.dc_session or self.c.reasons & t.faults.PILOT_DIGITAL):
            holds |= r.port_holds
        self.asked_reasons = t.forced_by_holds(holds) if holds else 0

    def _read_pilot(self) -> None:
        """Tell what this pass's periods offer by the table, where all of them agree; what a quiet one offers is nothing."""
        r = self.r
        self.is_digital = self.is_off_frequency = False
        self.pilot_ma = _NO
        if not self.has_pilot or self.is_quiet:
            self.pilot_ma = 0
            return
        count = r.pilot_count
        if not t.capture._MAJORITY <= count <= t.signals.PILOT_PERIODS:
            return
        highs = r.pilot_high_us_x10[:count]
        periods = r.pilot_period_us_x10[:count]
        shortest, longest = min(periods), max(periods)
        low, high = t.capture.PERIOD_MIN_US_X10, t.capture.PERIOD_MAX_US_X10
        if shortest > high or longest < low:
            self.is_off_frequency = True
        if shortest < low or longest > high or min(highs) <= 0 or max(highs) >= shortest:
            return
        if max(highs) - min(highs) > t.capture._AGREE_US_X10:
            return
        duty = sum(highs) * 10000 // sum(periods)
        index = t.duty.band_index(self.family, duty)
        self.pilot_ma = t.duty.band_ma(self.family, index, duty)
        self.is_digital = t.duty.BANDS[self.family][index][1] == t.duty.BAND_DIGITAL

    def _read_plug(self) -> None:
        """Tell what this pass's PP names, and the highest rating that may be in force: of this pass or the one before."""
        r, p, s = self.r, t.proximity, self.s
        mv, rail_mv = r.pp_mv, r.pp_rail_mv
        kind, ma = p.SENSE, 0
        if (
            r.pp_ok
            and p.RAIL_MIN_MV <= rail_mv <= p.RAIL_MAX_MV
            and 0 <= mv <= rail_mv + 100
            and not p.is_pulldown_missing(mv, rail_mv, s.pp_pullup_ohm, s.pp_pulldown_ohm)
        ):
            ohm_x10 = p.cable_ohm_x10(mv, rail_mv, s.pp_pullup_ohm, s.pp_pulldown_ohm)
            row = p.ROWS[self.pp_family][p.row_index(self.pp_family, ohm_x10)]
            kind, ma = row[1], row[2]
        self.pp_kind = kind
        self.pp_ma = ma
        self.pp_is_plug = kind == p.PLUGGED
        self.cable_ma = _NO
        if self.pp_is_plug and ma:
            self.cable_ma = max(ma, self.last_pp_ma) if self.last_pp_kind == kind else ma

    def _read_temps(self) -> None:
        r = self.r
        self.is_hot = self.is_sensor_bad = False
        rail_mv = r.temp_rail_mv
        is_rail_bad = not t.channel._RAIL_LEAST_MV <= rail_mv <= t.channel._RAIL_MOST_MV
        for n in self.fitted:
            if is_rail_bad or not r.temp_ok[n] or r.temp_age_ms[n] > t.channel._GIVE_UP_MS:
                self.is_sensor_bad = True
                continue
            probe = self._probes[n]
            if probe.read(r.temp_mv[n], rail_mv) != t.convert.GOOD:
                self.is_sensor_bad = True
            elif probe.decic >= self.s.stop_decic:
                self.is_hot = True

    # --------------------------------------------------------------------- what came of it so far

    def _follow(self) -> None:
        c, r, now = self.c, self.r, self.t
        self.is_toggle = c.s2_close and c.session == t.interlock.WAITING
        if c.s2_close and not self.was_s2:
            self.closed_t = now
        self.closes = c.s2_close and not self.was_s2 and not self.is_toggle
        if c.s2_close or c.charger_ma:
            self._follow_causes()
        elif self.was_s2:
            self.cause_t = [_NO] * len(self.causes)
        self._follow_session()
        self._follow_pins()
        if r.holds & t.faults.H_CRASH:
            self.has_crashed = True
        self._follow_life()
        self._follow_bridge()

    def _follow_causes(self) -> None:
        """Time each cause from its first pass, or from when S2 closed."""
        now = self.t
        # The limits of a reaction are counted in passes: what a late pass adds is the dead-man's to judge.
        late_ms = max(0, now - self.t_prev - t.PASS_MS)
        for n, cause in enumerate(self.causes):
            if not cause.is_there(self):
                self.cause_t[n] = _NO
            elif self.cause_t[n] >= 0:
                self.cause_t[n] += late_ms
            else:
                self.cause_t[n] = now

    def _follow_pins(self) -> None:
        """Follow for how long state B was shown, PP has read unplugged, the button was held."""
        c, r, now = self.c, self.r, self.t
        is_b = c.pilot_state in t.STATES_B and not c.s2_close
        if not is_b and not self.closes:
            self.b_t = now
        elif is_b and not self.was_b:
            self.b_t = self.t_prev
        is_in = (
            self.pp_kind != t.proximity.UNPLUGGED and self.last_pp_kind != t.proximity.UNPLUGGED
        )
        if is_in:
            self.pp_in_t = now
        elif self.was_pp_in:
            self.pp_in_t = self.t_prev
        self.was_pp_in = is_in
        self.was_b = is_b
        if r.unlock_request:
            if self.press_t < 0:
                self.press_t = now
        else:
            self.press_t = _NO

    def _follow_session(self) -> None:
        c, now, was = self.c, self.t, self.was_session
        session = c.session
        charging, stopping = t.interlock.CHARGING, t.interlock.STOPPING
        if session == charging and was != charging:
            self.charge_t = now
        if was == charging and session != charging:
            self.stop_reasons = c.reasons
        if session == stopping:
            wait_ms = t.shortest_wait_ms(c.reasons)
            if was != stopping:
                self.stop_t = now
                self.stop_end_t = now + wait_ms
            else:
                # A second cause, more urgent than the first, is obeyed from the next pass on.
                end_t = max(self.stop_t + wait_ms, now + t.PASS_MS)
                self.stop_end_t = min(self.stop_end_t, end_t)
        if was in t.CLOSED_IN and session not in t.CLOSED_IN:
            self._open()
        if session == t.interlock.UNPLUGGED:
            self.stops = 0
            self.rest_ms = 0
            self.was_released = False
        elif session == t.interlock.RELEASED:
            self.was_released = True
            self.rest_ms = 0
        elif session == charging and now - self.charge_t >= t.FORGIVE_MS:
            self.stops = 0

    def _open(self) -> None:
        """S2 has opened at the end of a session."""
        if self.c.reasons & t.NOW:
            self.stop_reasons |= self.c.reasons
        self.has_opened = True
        self.opened_t = self.t
        self.rest_ms = t.longest_rest_ms(self.stop_reasons)
        if self.stop_reasons & t.COUNTED:
            self.rest_ms <<= min(self.stops, t.MAX_DOUBLINGS)
            self.stops += 1

    def _follow_life(self) -> None:
        """Follow the signs of life at the plug, as far as they are seen or were and nobody has said otherwise."""
        c, r = self.c, self.r
        if not c.plug_present and self.was_lock in t.UNLOCKED_STATES:
            self.had_dc = self.is_dc_live = self.is_contactor_live = False
        if c.s2_close and c.dc_session:
            self.had_dc = True
        if r.dc_ok:
            self.is_dc_live = r.dc_mv >= t.LIVE_DC_MV
        if r.contactors_ok:
            self.is_contactor_live = self.may_have_dc and not r.contactors_open
        self.is_alive = c.s2_close or bool(self.signs_of_life())
        if self.is_alive:
            self.alive_t = self.t
        elif self.was_alive:
            self.alive_t = self.t_prev
        self.was_alive = self.is_alive
        is_unmeasured = not (r.ac_ok and r.charger_ok)
        if is_unmeasured:
            self.unmeasured_t = self.t
        elif self.was_unmeasured:
            self.unmeasured_t = self.t_prev
        self.was_unmeasured = is_unmeasured
        self.was_proven_dead = self.is_proven_dead
        dead_ms = self.t - self.alive_t
        self.measured_ms = min(dead_ms, self.t - self.unmeasured_t)
        # What was proven stays proven until there is a sign of life, whatever can be measured meanwhile.
        self.is_proven_dead = not self.is_alive and (
            self.is_proven_dead
            or dead_ms >= t.DEAD_UNMEASURED_MS
            or (bool(self.s.ac_sense) and self.measured_ms >= t.DEAD_MEASURED_MS)
        )

    def signs_of_life(self) -> str:  # noqa: PLR0911 - one sign each
        """Return what is live at the plug, S2 apart; "" for nothing."""
        r = self.r
        if r.charger_ok and r.charger_ma >= t.NO_CURRENT_MA:
            return "%d mA flowing" % r.charger_ma
        if self.s.ac_sense and r.ac_ok and r.ac_present:
            return "AC at the inlet"
        if r.car_ac_live:
            return "AC at the car's charger"
        if self.is_dc_live:
            return "DC at the inlet"
        if self.is_contactor_live:
            return "the DC contactors closed"
        if self.s.modem and r.modem_wants_c and r.modem_age_ms <= t.MODEM_SILENT_MS:
            return "a communication controller that wants state C"
        return ""

    def is_dc_dead(self) -> bool:
        """Tell whether DC is proven dead, or nothing can have been plugged in."""
        r = self.r
        if not self.c.plug_present and not self.had_dc:
            return True
        return r.dc_ok and r.dc_mv < t.LIVE_DC_MV and r.contactors_ok and r.contactors_open

    def _follow_bridge(self) -> None:
        c = self.c
        drive, was = c.lock_drive, self.was_drive
        self.drive_turned = bool(drive and was and drive != was)
        if drive and not was:
            self.drive_t = self.t
        elif was and not drive:
            self.has_driven = True
            self.off_t = self.t
            self.drives.append((self.drive_t, self.t))
        self.sign = -1 if self.s.lock_inverted else 1
        if c.faults & (t.faults.F_LOCK_REVERSED | t.faults.F_SETTINGS_REFUSED):
            self.sign = 0  # corrected, or of other settings
        self.was_opening = self.opens_bolt
        self.opens_bolt = drive != 0 and (
            t.DRIVE_OF_STATE[c.lock_state] < 0 or drive * self.sign < 0
        )

    def driven_ms(self) -> int:
        """Return how long the motor was on within the span of its budget, this drive included."""
        from_t = self.t - t.BUDGET_SPAN_MS
        self.drives = [one for one in self.drives if one[1] > from_t]
        return self.t - self.drive_t + sum(end - max(begin, from_t) for begin, end in self.drives)

    def derated_ma(self, hottest_decic: int) -> int:
        """Return what a contact at this temperature may carry: the straight line of the settings, rounded down."""
        rated_ma = self.s.max_current_ma
        over = hottest_decic - self.s.derate_start_decic
        if over <= 0:
            return rated_ma
        if over >= self._span:
            return self._least_ma
        return rated_ma - -(-(rated_ma - self._least_ma) * over // self._span)

    def _remember(self) -> None:
        c = self.c
        self.was_s2 = c.s2_close
        self.was_dc = c.dc_session
        self.was_drive = c.lock_drive
        self.was_session = c.session
        self.was_lock = c.lock_state
        self.was_faults = c.faults
        self.was_holds = c.holds
        self.was_reasons = c.reasons
        self.was_present = c.plug_present
        self.last_pp_kind = self.pp_kind
        self.last_pp_ma = self.pp_ma
        self._is_busy = bool(
            c.lock_drive
            or self.is_toggle
            or c.session == t.interlock.STOPPING
            or (c.s2_close and max(self.cause_t) >= 0)
        )
