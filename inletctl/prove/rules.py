"""What must hold in every pass of the whole step, whatever the inputs: one row a rule, and each judged by the healthy tables.

A rule looks at a Watcher (watcher.py): the readings and commands of this pass, those of the pass before, and what was
remembered since the boot. It returns "" where it holds, else what was seen.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from inletctl.prove import truth as t

if TYPE_CHECKING:
    from inletctl.prove.watcher import Watcher

_CHARGING = t.interlock.CHARGING
_STOPPING = t.interlock.STOPPING
_WAITING = t.interlock.WAITING
_UNPLUGGED = t.interlock.UNPLUGGED
_REFUSE = t.interlock.POLICY_REFUSE
_REDUCE = t.interlock.POLICY_REDUCE


@dataclass(frozen=True)
class Rule:
    """One invariant. `source`: where its numbers come from; `of_car`: it reads what the car's side of the firmware fills."""

    id: str
    text: str
    source: str
    check: Callable[["Watcher"], str]
    of_car: bool = False


# ------------------------------------------------------------------------------------------------------------------ S2


def _closes_without_reason(w: "Watcher") -> str:
    if w.c.session == _CHARGING and w.c.reasons:
        return "charging with " + t.names(w.c.reasons)
    if w.closes and w.c.reasons:
        return "S2 closes with " + t.names(w.c.reasons)
    return ""


def _closed_in_session(w: "Watcher") -> str:
    c = w.c
    if c.s2_close == (c.session in t.CLOSED_IN) or w.is_toggle:
        return ""
    return "S2 %s while %s" % ("closed" if c.s2_close else "open", t.SESSIONS[c.session])


def _toggle_is_harmless(w: "Watcher") -> str:
    if not w.is_toggle:
        return ""
    c = w.c
    if not w.may_hand_off:
        return "a wake-up toggle without a communication controller or DC"
    if c.reasons & ~t.TOGGLE_MAY:
        return "state C while waiting, with " + t.names(c.reasons & ~t.TOGGLE_MAY)
    if c.charger_ma or c.offered_ma:
        return "state C while waiting, with %d mA offered" % c.offered_ma
    if w.t - w.closed_t > t.TOGGLE_MS:
        return "state C for %d ms" % (w.t - w.closed_t)
    return ""


def _now_means_now(w: "Watcher") -> str:
    found = w.c.reasons & t.NOW
    if found and not w.is_toggle and (w.c.s2_close or w.c.charger_ma):
        return "S2 %s, %d mA, with %s" % (
            "closed" if w.c.s2_close else "open", w.c.charger_ma, t.names(found),
        )  # fmt: skip
    return ""


def _stop_ends(w: "Watcher") -> str:
    if w.c.session == _STOPPING and w.t >= w.stop_end_t:
        return "stopping for %d ms already, because of %s" % (
            w.t - w.stop_t,
            t.names(w.c.reasons),
        )
    return ""


def _b_before_c(w: "Watcher") -> str:
    if w.closes and w.t - w.b_t < t.SHOW_B_MS:
        return "state B shown for %d ms" % (w.t - w.b_t)
    return ""


def _stays_off(w: "Watcher") -> str:
    if w.closes and w.has_opened and w.t - w.opened_t < t.OFF_MS:
        return "S2 was open for %d ms" % (w.t - w.opened_t)
    return ""


def _rests(w: "Watcher") -> str:
    if w.closes and w.has_opened and w.t - w.opened_t < w.rest_ms:
        return "S2 was open for %d ms of %d ms" % (w.t - w.opened_t, w.rest_ms)
    return ""


def _gives_up(w: "Watcher") -> str:
    if w.closes and w.stops > w.s.retries_max:
        return "S2 closes after %d malfunction stops" % w.stops
    return ""


def _released_stays(w: "Watcher") -> str:
    if w.closes and w.was_released:
        return "S2 closes in a plug-in whose cable was released"
    return ""


def _session_by_table(w: "Watcher") -> str:
    if w.c.session not in t.MAY_FOLLOW[w.was_session]:
        return "%s after %s" % (t.SESSIONS[w.c.session], t.SESSIONS[w.was_session])
    return ""


def _untrusted_settings(w: "Watcher") -> str:
    if w.c.s2_close and not w.s.is_trusted:
        return "S2 closes on settings that were refused"
    return ""


def _interlock_chain(w: "Watcher") -> str:
    if w.c.s2_close and (w.r.holds & t.INTERLOCKING_HOLDS or w.has_crashed):
        return "S2 closed with %s" % (
            t.hold_names(w.r.holds & t.INTERLOCKING_HOLDS) or "a crash before"
        )
    return ""


# ------------------------------------------------------------------------------------------------------------- current


def _current_only_charging(w: "Watcher") -> str:
    c = w.c
    if c.charger_ma and (
        c.reasons or c.session != _CHARGING or not c.s2_close or c.charger_ma > c.permitted_ma
    ):
        return "%d mA while %s, S2 %s, %d mA permitted, reasons: %s" % (
            c.charger_ma, t.SESSIONS[c.session], "closed" if c.s2_close else "open", c.permitted_ma,
            t.names(c.reasons) or "none",
        )  # fmt: skip
    if c.charger_ma < 0 or c.permitted_ma < 0:
        return "a negative current"
    return ""


def _above(w: "Watcher", limit_ma: int, of: str) -> str:
    """Return what is wrong where more than `limit_ma` is permitted or commanded."""
    ma = max(w.c.permitted_ma, w.c.charger_ma)
    return "%d mA, %s is %d mA" % (ma, of, limit_ma) if ma > limit_ma else ""


def _limit_pilot(w: "Watcher") -> str:
    return _above(w, w.pilot_ma, "what the pilot offers") if w.pilot_ma >= 0 else ""


def _limit_cable(w: "Watcher") -> str:
    return _above(w, w.cable_ma, "the cable's rating") if w.cable_ma >= 0 else ""


def _plug_in_doubt(w: "Watcher") -> str:
    if w.c.charger_ma and not w.pp_is_plug:
        return "%d mA in a pass whose PP names no plug" % w.c.charger_ma
    return ""


def _limit_setting(w: "Watcher") -> str:
    return _above(w, w.s.max_current_ma, "the rated current")


def _limit_thermal(w: "Watcher") -> str:
    c = w.c
    if not w.has_sensors:
        return _above(w, w.blind_ma, "what an inlet without a sensor may carry")
    if not c.hottest_ok:
        return _above(w, 0, "what may flow without a temperature")
    limit_ma = w.derated_ma(c.hottest_decic)
    if c.faults & t.faults.F_TEMP_DISAGREE:
        limit_ma >>= 1
    return _above(w, limit_ma, "what %.1f C allow" % (c.hottest_decic / 10))


def _limit_vehicle(w: "Watcher") -> str:
    return _above(w, max(w.r.vehicle_limit_ma, 0), "the car's wish")


def _limit_person(w: "Watcher") -> str:
    return _above(w, max(w.r.person_limit_ma, 0), "a person's limit")


def _limit_port(w: "Watcher") -> str:
    return _above(w, max(w.r.port_ma, 0), "the port record's limit")


def _limit_lock(w: "Watcher") -> str:
    if w.was_lock in t.LOCKED_STATES or w.c.dc_session:
        return ""
    if w.s.lock_policy == _REFUSE:
        return "%d mA without a lock" % w.c.charger_ma if w.c.charger_ma else ""
    if w.s.lock_policy == _REDUCE:
        return _above(w, w.s.lock_fail_ma, "what an inlet whose lock failed may carry")
    return ""


def _at_least_minimum(w: "Watcher") -> str:
    ma = w.c.charger_ma
    if 0 < ma < w.s.min_current_ma:
        return "%d mA commanded, the charger's minimum is %d mA" % (ma, w.s.min_current_ma)
    return ""


# -------------------------------------------------------------------------------------------------------------- bridge


def _one_leg(w: "Watcher") -> str:
    drive = w.c.lock_drive
    if drive not in (-1, 0, 1):
        return "a bridge command of %r" % (drive,)
    if w.drive_turned:
        return "the bridge reverses without a pause"
    if drive and not w.was_drive and w.has_driven and w.t - w.off_t < t.DEAD_TIME_MS:
        return "the bridge is on again after %d ms" % (w.t - w.off_t)
    return ""


def _motor_cap(w: "Watcher") -> str:
    if w.c.lock_drive and w.t + t.PASS_MS - w.drive_t > t.CAP_MS:
        return "the motor is on for %d ms" % (w.t + t.PASS_MS - w.drive_t)
    return ""


def _motor_budget(w: "Watcher") -> str:
    if w.c.lock_drive and w.driven_ms() > t.BUDGET_MS:
        return "the motor was on for %d ms within %d s" % (
            w.driven_ms(), t.BUDGET_SPAN_MS // 1000,
        )  # fmt: skip
    return ""


def _drive_as_state(w: "Watcher") -> str:
    c = w.c
    wanted = t.DRIVE_OF_STATE[c.lock_state]
    if c.lock_drive and (not wanted or (w.sign and c.lock_drive != wanted * w.sign)):
        return "drive %d while %s" % (c.lock_drive, t.LOCK_STATES[c.lock_state])
    return ""


# -------------------------------------------------------------------------------------------------------------- unlock


def _no_unlock_alive(w: "Watcher") -> str:
    if not w.opens_bolt:
        return ""
    if w.c.s2_close:
        return "the bolt is driven open with S2 closed"
    if w.is_alive:
        return "the bolt is driven open with " + w.signs_of_life()
    return ""


def _unlock_waits(w: "Watcher") -> str:
    if not w.opens_bolt or w.is_alive or w.is_proven_dead:
        return ""
    # The lock takes the permission of one pass and drives in the next: what was proven then has been proven.
    if w.was_proven_dead or w.was_opening:
        return ""
    return "the bolt is driven open %d ms after the last sign of life, %s" % (
        w.t - w.alive_t,
        "measured for %d ms" % w.measured_ms if w.s.ac_sense else "AC not measured",
    )


def _unlock_after_dc(w: "Watcher") -> str:
    if not w.opens_bolt or not (w.had_dc or w.is_shared) or w.is_dc_dead():
        return ""
    if w.press_t >= 0 and w.t - w.press_t >= t.INSIST_MS:
        return ""
    return "the bolt is driven open, DC not proven dead and nobody insisting"


# --------------------------------------------------------------------------------------------------------------- drive


def _drive_away(w: "Watcher") -> str:  # noqa: PLR0911 - one sentence each
    c = w.c
    if not c.drive_allowed:
        return ""
    if c.session != _UNPLUGGED or c.s2_close or c.charger_ma or c.plug_present:
        return "allowed while %s" % t.SESSIONS[c.session]
    if w.was_lock not in t.UNLOCKED_STATES:
        return "allowed with the bolt " + t.LOCK_STATES[w.was_lock]
    if w.has_pilot and c.pilot_state != t.STATE_A:
        return "allowed with a pilot"
    if w.s.ac_sense and w.r.ac_ok and w.r.ac_present:
        return "allowed with AC at the inlet"
    if c.reasons & t.faults.SERVICE_MODE:
        return "allowed in service mode"
    if w.t - w.pp_in_t < t.DRIVE_MS:
        return "allowed %d ms after PP last named a plug or a fault" % (w.t - w.pp_in_t)
    return ""


def _plug_out(w: "Watcher") -> str:
    if w.c.plug_present:
        return ""
    if w.t - w.pp_in_t < t.PLUG_OUT_MS:
        return "told unplugged %d ms after PP last named a plug or a fault" % (w.t - w.pp_in_t)
    return ""


# -------------------------------------------------------------------------------------------------------------- faults


def _faults_force(w: "Watcher") -> str:
    c = w.c
    missing = t.forced_by_faults(c.faults & t.FORCING_FAULTS) & ~w.lifted & ~c.reasons
    if missing:
        return "%s stands without %s" % (t.fault_names(c.faults), t.names(missing))
    if c.holds:
        missing = t.forced_by_holds(c.holds) & ~c.reasons
        if c.dc_session:
            missing &= ~t.faults.PILOT_DIGITAL
        if missing:
            return "%s stands without %s" % (t.hold_names(c.holds), t.names(missing))
    return ""


def _latched_until_unplug(w: "Watcher") -> str:
    c = w.c
    if not (c.plug_present and w.was_present):
        return ""
    gone = w.was_faults & ~c.faults & t.UNPLUG_FAULTS & ~w.forgivable
    if gone:
        return "%s is over with the plug in" % t.fault_names(gone)
    gone = w.was_reasons & ~c.reasons & t.UNPLUG_REASONS & ~w.forgiven_reasons
    if gone:
        return "%s is over with the plug in" % t.names(gone)
    return ""


def _latched_until_service(w: "Watcher") -> str:
    gone = w.was_faults & ~w.c.faults & t.SERVICE_FAULTS
    if gone:
        return "%s is over without service" % t.fault_names(gone)
    gone = w.was_holds & ~w.c.holds & t.SERVICE_HOLDS
    return "%s is over without service" % t.hold_names(gone) if gone else ""


def _holds_are_heard(w: "Watcher") -> str:
    r = w.r
    asked = r.holds | (
        0 if w.c.reasons & t.faults.PILOT_DIGITAL or w.c.dc_session else r.port_holds
    )
    if not w.has_pilot:
        asked = r.holds | r.port_dc_holds
    missing = asked & ~w.c.holds
    return "%s is asked for and not held" % t.hold_names(missing) if missing else ""


def _reacts_current(w: "Watcher") -> str:
    if w.c.charger_ma:
        for cause, since_t in zip(w.causes, w.cause_t):
            if since_t >= 0 and w.t - since_t >= cause.current_ms:
                return "%d mA, %d ms after %s" % (w.c.charger_ma, w.t - since_t, cause.words)
    return ""


def _reacts_s2(w: "Watcher") -> str:
    if w.c.s2_close and not w.is_toggle:
        for cause, since_t in zip(w.causes, w.cause_t):
            if since_t >= 0 and w.t - since_t >= cause.s2_ms:
                return "S2 closed, %d ms after %s" % (w.t - since_t, cause.words)
    return ""


# ------------------------------------------------------------------------------------------------------------------ DC


def _dc_no_ac_current(w: "Watcher") -> str:
    if w.c.dc_session and w.c.charger_ma:
        return "%d mA commanded to the AC charger in a DC session" % w.c.charger_ma
    return ""


def _dc_stays(w: "Watcher") -> str:
    if w.c.s2_close and w.was_s2 and not w.is_toggle and w.c.dc_session != w.was_dc:
        return "AC and DC change places with S2 closed"
    return ""


def _dc_begins(w: "Watcher") -> str:  # noqa: C901, PLR0911 - one sentence each
    if not w.closes:
        return ""
    r = w.r
    if w.c.dc_session:
        if not w.may_hand_off:
            return "DC without a communication controller or a DC section"
        if r.modem_age_ms > t.MODEM_SILENT_MS or not r.modem_wants_c:
            return "DC begins, and no communication controller wants it"
        if w.was_lock != t.actuator.LOCKED:
            return "DC begins with the bolt " + t.LOCK_STATES[w.was_lock]
        if w.is_shared and (r.car_ac_live or (r.ac_ok and r.ac_present)):
            return "DC begins with AC on its pins"
    elif w.may_have_dc:
        if r.contactors_ok and not r.contactors_open:
            return "AC begins with the DC contactors closed"
        if w.is_shared and not r.contactors_ok:
            return "AC begins on DC's pins, the contactors not known to be open"
        if r.dc_ok and r.dc_mv >= t.LIVE_DC_MV:
            return "AC begins with %d V DC at the inlet" % (r.dc_mv // 1000)
    return ""


def _dc_limit(w: "Watcher") -> str:
    ma = w.c.dc_permitted_ma
    if not ma:
        return ""
    limit_ma = min(w.dc_max_a * 1000, w.r.port_dc_ma)
    if ma > limit_ma:
        return "%d mA DC permitted, %d mA is the limit" % (ma, limit_ma)
    if w.c.reasons & ~t.DC_MAY:
        return "%d mA DC permitted with %s" % (ma, t.names(w.c.reasons & ~t.DC_MAY))
    return ""


def _small_ints(w: "Watcher") -> str:
    for name in ("charger_ma", "permitted_ma", "reasons", "faults", "holds", "dc_permitted_ma"):
        if not -(1 << 30) <= getattr(w.c, name) < 1 << 30:
            return "%s is no small int of a 32-bit MicroPython" % name
    return ""


# fmt: off
RULES = (
    Rule("S2-REASON", "S2 closes only when no reason is left, and charging ends with the first one", "faults.SHUTDOWN", _closes_without_reason),
    Rule("S2-SESSION", "S2 is closed in the sessions that close it and in no other, wake-up toggles apart", "interlock._S2_CLOSED", _closed_in_session),
    Rule("S2-TOGGLE", "a wake-up toggle is short, asked for, and where no energy can come of it", "handoff._TOGGLE_MAY, _TOGGLE_MS", _toggle_is_harmless),
    Rule("S2-NOW", "a reason whose order is `at once` opens S2 and takes the current away in the same pass", "faults.SHUTDOWN order", _now_means_now),
    Rule("STOP-ENDS", "every stop ends within the shortest bounded wait of its reasons", "faults.SHUTDOWN bounded wait", _stop_ends),
    Rule("B-BEFORE-C", "S2 closes only once the pilot has been in B with S2 open for long enough", "interlock._SHOW_B_MS", _b_before_c),
    Rule("S2-OFF", "S2 stays open for a while after every session, whatever ends its rest", "interlock._OFF_MS", _stays_off),
    Rule("S2-REST", "after a stop S2 rests as long as its reasons ask, doubled by each malfunction stop before", "faults.SHUTDOWN rest, counted", _rests),
    Rule("S2-RETRIES", "after so many malfunction stops in one plug-in S2 closes no more", "settings.retries_max", _gives_up),
    Rule("S2-RELEASED", "a cable that was released charges no more until it was pulled", "interlock._NEXT", _released_stays),
    Rule("S2-SETTINGS", "settings that were refused never close S2", "settings.Settings.is_trusted", _untrusted_settings),
    Rule("S2-CHAIN", "S2 is open while the car's safety chain is open, and for good after a crash", "faults.HOLDS", _interlock_chain, True),
    Rule("SESSION-TABLE", "a session goes only where the table lets it", "interlock._NEXT", _session_by_table),
    Rule("CURRENT-CHARGING", "current is commanded only while charging, without any reason, and never above what is permitted", "interlock._CURRENT_ALLOWED", _current_only_charging),
    Rule("CURRENT-MINIMUM", "no current below the charger's minimum is commanded", "settings.min_current_ma", _at_least_minimum),
    Rule("LIMIT-PILOT", "the permitted current is never above what the pilot of this very pass offers", "pilot.duty.BANDS", _limit_pilot),
    Rule("LIMIT-CABLE", "the permitted current is never above what PP says the cable carries", "pilot.proximity.ROWS", _limit_cable),
    Rule("LIMIT-PLUG", "a pass whose PP names no plug commands no current", "pilot.proximity.ROWS", _plug_in_doubt),
    Rule("LIMIT-SETTING", "the permitted current is never above the rated one", "settings.max_current_ma", _limit_setting),
    Rule("LIMIT-THERMAL", "the permitted current is never above what the hottest contact allows", "settings.derate_*, thermal.params", _limit_thermal),
    Rule("LIMIT-VEHICLE", "the permitted current is never above the car's wish", "signals.Readings", _limit_vehicle, True),
    Rule("LIMIT-PERSON", "the permitted current is never above a person's limit", "signals.Readings", _limit_person, True),
    Rule("LIMIT-PORT", "the permitted current is never above the port record's limit", "signals.Readings", _limit_port),
    Rule("LIMIT-LOCK", "without a lock no current, or the reduced one, as the policy says", "settings.lock_policy, lock_fail_ma", _limit_lock),
    Rule("BRIDGE-LEG", "the bridge is one signed command, and has a dead time before it is on again", "lock.bridge._DEAD_MS", _one_leg),
    Rule("BRIDGE-CAP", "the lock's motor is never on for longer than its cap", "lock.params cap_ms", _motor_cap),
    Rule("BRIDGE-BUDGET", "the lock's motor is never on for longer in sum than its budget", "lock.bridge._BUDGET_MS", _motor_budget),
    Rule("BRIDGE-STATE", "the bridge drives where the lock's state says, the way it is wired, or not at all", "lock.actuator._DRIVE", _drive_as_state),
    Rule("UNLOCK-DEAD", "the bolt is never driven open with S2 closed, current, AC, DC or a contactor behind it", "release.NO_CURRENT_MA, LIVE_DC_MV", _no_unlock_alive, True),
    Rule("UNLOCK-WAIT", "the bolt is driven open only so long after the last sign of life", "release._DEAD_MEASURED_MS, _DEAD_UNMEASURED_MS", _unlock_waits, True),
    Rule("UNLOCK-DC", "where DC was or may be on the pins the bolt opens on proof, or for a hand that insists", "unlock.INSIST_MS", _unlock_after_dc, True),
    Rule("DRIVE-AWAY", "driving is allowed only with no plug, no pilot, an open bolt and nothing live, for long enough", "pilot.proximity._DRIVE_MS", _drive_away),
    Rule("PLUG-OUT", "`unplugged` is told only after PP has said so for long enough", "pilot.proximity._UNPLUGGED_MS", _plug_out),
    Rule("FAULT-FORCES", "every fault and every hold forces its reason", "faults.FAULTS, HOLDS", _faults_force),
    Rule("FAULT-UNPLUG", "what needs an unplug stays until the plug is out", "faults.FAULTS, SHUTDOWN clears", _latched_until_unplug),
    Rule("FAULT-SERVICE", "what needs service stays until the board starts anew", "faults.FAULTS, HOLDS clears", _latched_until_service),
    Rule("HOLD-HEARD", "every hold that is asked for is held", "faults.HOLDS", _holds_are_heard, True),
    Rule("REACT-CURRENT", "a cause that lasts takes the current away within the limit of its reason", "faults.SHUTDOWN current 0", _reacts_current, True),
    Rule("REACT-S2", "a cause that lasts opens S2 within the limit of its reason", "faults.SHUTDOWN S2 open", _reacts_s2, True),
    Rule("DC-NO-AC", "in a DC session the AC charger is commanded nothing", "interlock", _dc_no_ac_current),
    Rule("DC-STAYS", "AC and DC never change places while S2 is closed", "interlock", _dc_stays),
    Rule("DC-BEGINS", "DC begins only on the controller's fresh word, locked for sure; AC only with DC known to be off", "handoff, connector", _dc_begins, True),
    Rule("DC-LIMIT", "the permitted DC current is never above rating or record, and 0 where anything speaks against it", "step._DC_MAY", _dc_limit),
    Rule("SMALL-INTS", "everything told is a small int of a 32-bit MicroPython", "style: +-2**30", _small_ints),
)
# fmt: on
