"""What the campaign breaks, one row a kind: how it begins and ends, and what the inlet may rightly say of it.

`reasons` are rows of faults.SHUTDOWN that name the fault itself; a stop for one of them is right. `faults` are rows of faults.FAULTS that
may rightly be told of it. `is_harmless`: a disturbance
that has to be lived through, any stop for it is a nuisance. What else follows is in judge.py, each with its cause in words.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Happening = tuple[str, dict[str, Any]]  # a verb and its arguments

AC_INLETS = ("type2", "type1", "gbt")
# Groups, as the page shows them.
GROUPS = (
    "temperature", "proximity", "pilot", "lock", "pins", "station", "charger", "vehicle", "CAN", "board", "harmless",
)  # fmt: skip

RESET_VERB = "reset"
JUMP_VERB = "clock_jump"


@dataclass
class Fault:
    """One drawing of a kind. `flash`: what of the board's flash does not work from the start on ("" all does)."""

    begin: list[Happening]
    end: list[Happening] = field(default_factory=list)
    settings: dict[str, int] = field(default_factory=dict)
    world: dict[str, Any] = field(default_factory=dict)
    flash: str = ""


@dataclass(frozen=True)
class Kind:
    """One kind. `lasts_s`: least and most; `from_start`: it is there from the boot on, whatever phase was drawn."""

    name: str
    group: str
    reasons: tuple[str, ...]
    faults: tuple[str, ...]
    make: Callable[[random.Random], Fault]
    lasts_s: tuple[float, float] = (0.05, 3.0)
    inlets: tuple[str, ...] = AC_INLETS
    is_harmless: bool = False
    from_start: bool = False

    @property
    def lingers_s(self) -> float:
        """Return for how long after its end it may still stop: debounces and an EVSE's boot, or what temperatures look back on."""
        return 12.0 if self.group == "temperature" else 1.5


def _verb(
    verb: str, end: "dict[str, Any] | None" = None, **values: Any
) -> Callable[[random.Random], Fault]:
    """A verb and, with `end`, the same verb with other arguments when it is over."""
    return lambda dice: Fault([(verb, values)], [] if end is None else [(verb, end)])


def _pair(begin: str, end: str, **values: Any) -> Callable[[random.Random], Fault]:
    return lambda dice: Fault([(begin, values)], [(end, {})])


def _sensor(state: str, **more: tuple[float, float]) -> Callable[[random.Random], Fault]:
    def make(dice: random.Random) -> Fault:
        contact = dice.choice(("ac_l", "ac_n", "all"))
        values: dict[str, Any] = {"contact": contact, "state": state}
        values.update((name, round(dice.uniform(*bounds), 2)) for name, bounds in more.items())
        return Fault([("sensor", values)], [("sensor", {"contact": contact, "state": "ok"})])

    return make


def _hot(dice: random.Random) -> Fault:
    """A hot gun, and a small contact that cools by itself."""
    return Fault(
        [("heat", {"contact": dice.choice(("ac_l", "ac_n", "all")), "c": dice.randint(92, 105)})],
        world={"ambient_c": 20, "contact_j_per_k": 2, "sensor_lag_ms": 500},
    )


def _plug_ohm(low: int, high: int) -> Callable[[random.Random], Fault]:
    """In the plug: it goes with it."""
    return lambda dice: Fault([("pp_plug", {"ohm": dice.randint(low, high)})])


def _rail(dice: random.Random) -> Fault:
    mv = dice.choice((0, 1500, 3000, 5400))
    return Fault([("pp_rail", {"mv": mv})], [("pp_rail", {"mv": 5000})])


def _pp_bounce(dice: random.Random) -> Fault:
    return Fault([("pp_bounce", {"time": dice.randint(50, 1500)})])


def _button(dice: random.Random) -> Fault:
    return Fault([("press_button", {})], [("release_button", {})])


def _offset(dice: random.Random) -> Fault:
    mv = dice.choice((-1, 1)) * dice.randint(1500, 9000)
    return Fault(
        [("cp_sense", {"state": "ok", "offset": mv})], [("cp_sense", {"state": "ok", "offset": 0})]
    )


def _leak(dice: random.Random) -> Fault:
    return Fault([("cp_leak", {"ohm": dice.randint(100, 2000)})], [("cp_leak", {"ohm": 0})])


def _noise(dice: random.Random) -> Fault:
    kind = dice.choice(("mixed", "random", "missing", "split", "zero", "full"))
    return Fault([("noise_steps", {"passes": dice.randint(20, 300), "kind": kind})])


def _lost_cycles(dice: random.Random) -> Fault:
    return Fault(
        [("lost_cycles", {"count": dice.randint(100, 900), "level": dice.choice(("low", "high"))})]
    )


def _duty(dice: random.Random) -> Fault:
    return Fault(
        [("evse_duty", {"pct": dice.choice((1.0, 2.5, 98.5, 99.5))})],
        [("evse_duty", {"pct": 26.7})],
    )


def _digital(dice: random.Random) -> Fault:
    return Fault([("evse_digital", {})], [("evse_duty", {"pct": 26.7})])


def _small_offer(dice: random.Random) -> Fault:
    return Fault(
        [("evse_offer", {"a": dice.choice((0, 3, 5))})],
        [("evse_offer", {"a": 16}), ("evse_resume", {})],
    )


def _hz(dice: random.Random) -> Fault:
    return Fault(
        [("evse_frequency", {"hz": dice.choice((500, 800, 900, 1100, 1200, 2000))})],
        [("evse_frequency", {"hz": 1000})],
    )


def _weak(dice: random.Random) -> Fault:
    high = dice.choice((9, 10, 14, 15))
    return Fault(
        [("evse_amplitude", {"high": high, "low": -12})],
        [("evse_amplitude", {"high": 12, "low": -12})],
    )


def _error(state: str) -> Callable[[random.Random], Fault]:
    return lambda dice: Fault(
        [("evse_error", {"state": state})], [("evse_recover", {})],
        world={"evse_ef_open_ms": dice.choice((100, 500, 2000))},
    )  # fmt: skip


def _jam(dice: random.Random) -> Fault:
    return Fault(
        [("lock_motor", {"state": "jam", "at": dice.randint(0, 70)})],
        [("lock_motor", {"state": "ok"})],
    )


def _ice(dice: random.Random) -> Fault:
    return Fault(
        [("lock_motor", {"state": "ice", "breaks_after": dice.randint(1, 3)})],
        [("lock_motor", {"state": "ok"})],
    )


def _slow(dice: random.Random) -> Fault:
    return Fault(
        [("lock_motor", {"state": "slow", "factor": dice.randint(3, 30)})],
        [("lock_motor", {"state": "ok"})],
    )


def _slip(dice: random.Random) -> Fault:
    return Fault([("lock_slip", {"to": dice.randint(0, 60)})])


def _over(dice: random.Random) -> Fault:
    return Fault(
        [("charger", {"state": "ignores_limit"}), ("charger_max", {"a": 45})],
        [("charger", {"state": "ok"}), ("charger_max", {"a": 16})],
        world={"evse_max_a": 10},
    )


def _lines(verb: str, bad: str, good: str) -> Callable[[random.Random], Fault]:
    return lambda dice: Fault(
        [(verb, {"state": bad})], [(verb, {"state": good})], settings={"lines_used": 15}
    )


def _line_wire(dice: random.Random) -> Fault:
    name = dice.choice(("permit", "hvil", "insulation", "crash"))
    return Fault(
        [("line", {"name": name, "state": "break"})], [("line", {"name": name, "state": "ok"})],
        settings={"lines_used": 15},
    )  # fmt: skip


def _crash(dice: random.Random) -> Fault:
    return Fault([("crash", {})], [("crash_reset", {})], settings={"lines_used": 15})


_CAN = {"can": 1}


def _can(*begin: Happening, end: "tuple[Happening, ...]" = ()) -> Callable[[random.Random], Fault]:
    return lambda dice: Fault(list(begin), list(end), settings=dict(_CAN), world={"can": "native"})


def _can_wrong(dice: random.Random) -> Fault:
    kind = dice.choice(("checksum", "counter_repeat", "length", "value", "missing"))
    return Fault(
        [("can_fault", {"kind": kind, "message": dice.choice(("all", "control"))})], [("can_fault", {"kind": "none"})],
        settings=dict(_CAN), world={"can": "native"},
    )  # fmt: skip


def _can_few(dice: random.Random) -> Fault:
    kind = dice.choice(("checksum", "counter_skip", "length", "missing"))
    return Fault(
        [("can_fault", {"kind": kind, "message": "all", "count": dice.randint(1, 3)})],
        settings=dict(_CAN), world={"can": "native"},
    )  # fmt: skip


def _can_bus(dice: random.Random) -> Fault:
    return Fault(
        [("can_bus", {"state": dice.choice(("break", "short"))})], [("can_bus", {"state": "ok"})],
        settings=dict(_CAN), world={"can": "native"},
    )  # fmt: skip


def _can_flood(dice: random.Random) -> Fault:
    return Fault(
        [("can_flood", {"kind": dice.choice(("unknown", "checksum", "replay")), "rate": dice.choice((500, 1000))})],
        [("can_flood", {"kind": "none"})],
        settings=dict(_CAN), world={"can": "native"},
    )  # fmt: skip


def _reset(low: int, high: int) -> Callable[[random.Random], Fault]:
    return lambda dice: Fault([(RESET_VERB, {"off_ms": dice.randint(low, high)})])


def _brown_out(dice: random.Random) -> Fault:
    """The supply dips again and again: each boot is cut off."""
    return Fault(
        [(RESET_VERB, {"off_ms": dice.randint(20, 400)}) for _ in range(dice.randint(2, 4))]
    )


def _jump(dice: random.Random) -> Fault:
    return Fault([(JUMP_VERB, {"ms": dice.choice((20, 50, 200, 1000, 5000, 60_000))})])


def _flash(what: str) -> Callable[[random.Random], Fault]:
    return lambda dice: Fault([], flash=what)


def _burst(dice: random.Random) -> Fault:
    return Fault([("noise_burst", {"samples": 6, "window": 250, "kind": "mixed"})])


def _spike(dice: random.Random) -> Fault:
    return Fault(
        [
            (
                "sensor_spike",
                {
                    "contact": dice.choice(("ac_l", "ac_n")),
                    "c": dice.choice((-50, 150)),
                    "count": 1,
                },
            )
        ]
    )


def _jitter(dice: random.Random) -> Fault:
    return Fault([("evse_jitter", {"us": dice.choice((1, 2))})], [("evse_jitter", {"us": 0})])


# fmt: off
KINDS = (
    Kind("sensor open", "temperature", ("temp_sensor",), ("TempOpen",), _sensor("open"), (0.3, 4)),
    Kind("sensor short", "temperature", ("temp_sensor",), ("TempShort",), _sensor("short"), (0.3, 4)),
    Kind("sensor stuck", "temperature", ("temp_sensor",), ("TempStuck",), _sensor("stuck"), (0.3, 4)),
    Kind("sensor not converted", "temperature", ("temp_sensor",), ("TempStale",), _sensor("stale"), (0.3, 4)),
    Kind("sensor not measured", "temperature", ("temp_sensor",), ("TempStale",), _sensor("dead"), (0.3, 4)),
    Kind("sensor drifts", "temperature", ("temp_sensor", "temp_high"), ("TempRise", "TempDisagree", "OverTemperature", "TempLatched", "TempOpen", "TempShort"), _sensor("drift", rate=(2, 40)), (1, 5)),
    Kind("sensor noise", "temperature", ("temp_sensor", "temp_high"), ("TempRise", "TempDisagree", "OverTemperature", "TempLatched", "TempOpen", "TempShort"), _sensor("noise", by=(10, 100)), (1, 5)),
    Kind("sensor offset", "temperature", ("temp_sensor", "temp_high"), ("TempRise", "TempDisagree", "OverTemperature", "TempLatched", "TempOpen", "TempShort"), _sensor("offset", by=(-60, 90)), (1, 5)),
    Kind("contact hot", "temperature", ("temp_high", "temp_sensor"), ("TempRise", "TempDisagree", "OverTemperature", "TempLatched"), _hot, (0.5, 4)),
    Kind("PP wire breaks", "proximity", ("pp_invalid", "no_plug"), ("ProximitySense",), _verb("pp_wire", {"state": "ok"}, state="break")),
    Kind("PP wire short", "proximity", ("pp_invalid",), ("ProximityShort",), _verb("pp_wire", {"state": "ok"}, state="short")),
    Kind("PP not measured", "proximity", ("pp_invalid",), ("ProximitySense",), _verb("pp_sense", {"state": "ok"}, state="dead")),
    Kind("PP rail wrong", "proximity", ("pp_invalid", "no_plug"), ("ProximitySense",), _rail),
    Kind("PP opens in the plug", "proximity", ("no_plug", "pp_invalid"), (), _plug_ohm(1_000_000, 1_000_000)),
    Kind("PP wrong coding", "proximity", ("pp_invalid", "pp_button", "below_minimum", "no_plug"), ("ProximityGap", "ProximityShort"), _plug_ohm(0, 6000)),
    Kind("PP bounces", "proximity", ("no_plug", "pp_invalid", "pp_button"), (), _pp_bounce),
    Kind("latch switch stuck", "proximity", ("pp_button",), (), _button, inlets=("type1",)),
    Kind("CP wire breaks", "pilot", ("pilot_lost", "pilot_e", "pilot_invalid", "pilot_steady"), ("PilotFault",), _verb("cp_wire", {"state": "ok"}, state="break")),
    Kind("CP wire short", "pilot", ("pilot_e", "pilot_lost", "pilot_invalid"), ("PilotFault",), _verb("cp_wire", {"state": "ok"}, state="short")),
    Kind("PE breaks", "pilot", ("pilot_lost", "pilot_e", "pilot_invalid"), ("PilotFault",), _verb("pe_wire", {"state": "ok"}, state="break")),
    Kind("CP leaks", "pilot", ("pilot_invalid", "pilot_e", "pilot_lost", "pilot_steady", "s2_fault"), ("PilotSense", "PilotFault", "S2StuckClosed", "AcLive"), _leak),
    Kind("CP noise for long", "pilot", ("pilot_invalid", "pilot_frequency", "pilot_duty", "pilot_e"), ("PilotNoise", "PilotFrequency", "PilotSense", "PilotFault"), _noise, (0.3, 3)),
    Kind("PWM periods missing", "pilot", ("pilot_steady", "pilot_invalid", "pilot_lost", "pilot_f"), ("PilotFault",), _lost_cycles, (0.3, 1)),
    Kind("CP level not measured", "pins", ("pilot_invalid", "pilot_lost"), ("PilotSense",), _verb("cp_sense", {"state": "ok", "offset": 0}, state="dead", offset=0)),
    Kind("CP edges not captured", "pins", ("pilot_steady", "pilot_invalid", "pilot_lost", "pilot_f"), (), _verb("cp_sense", {"state": "ok", "offset": 0}, state="no_edges", offset=0)),
    Kind("CP level off", "pins", ("pilot_invalid", "pilot_lost", "pilot_e", "pilot_f", "s2_fault"), ("PilotSense", "PilotFault", "S2StuckClosed", "S2StuckOpen"), _offset),
    Kind("S2 stuck open", "pins", ("s2_fault",), ("S2StuckOpen",), _verb("s2", {"state": "ok"}, state="stuck_open")),
    Kind("S2 stuck closed", "pins", ("s2_fault",), ("S2StuckClosed", "AcLive"), _verb("s2", {"state": "ok"}, state="stuck_closed")),
    Kind("diode open", "pins", ("pilot_invalid", "pilot_lost", "pilot_f", "s2_fault"), ("PilotFault", "PilotSense"), _verb("diode", {"state": "ok"}, state="open")),
    Kind("diode short", "pins", ("pilot_invalid", "pilot_lost", "pilot_f", "s2_fault"), ("PilotFault", "PilotSense"), _verb("diode", {"state": "ok"}, state="short")),
    Kind("mains sense stuck on", "pins", (), ("AcLive",), _verb("ac_sense", {"state": "ok"}, state="stuck_on")),
    Kind("mains sense stuck off", "pins", (), (), _verb("ac_sense", {"state": "ok"}, state="stuck_off")),
    Kind("mains sense dead", "pins", (), (), _verb("ac_sense", {"state": "ok"}, state="dead")),
    Kind("lock jams", "lock", ("not_locked", "lock_failed", "lock_lost"), ("FailedLock", "FailedUnlock"), _jam, (0.3, 6)),
    Kind("lock iced", "lock", ("not_locked", "lock_failed"), ("FailedLock", "FailedUnlock"), _ice, (0.3, 6)),
    Kind("lock slow", "lock", ("not_locked", "lock_failed"), ("FailedLock", "FailedUnlock", "LockSense"), _slow, (0.3, 6)),
    Kind("lock motor dead", "lock", ("not_locked", "lock_failed"), ("FailedLock", "FailedUnlock"), _verb("lock_motor", {"state": "ok"}, state="dead"), (0.3, 6)),
    Kind("lock slips", "lock", ("lock_lost", "not_locked"), ("LockSense", "UnexpectedOpen"), _slip),
    Kind("emergency release", "lock", ("lock_lost", "not_locked"), ("UnexpectedOpen",), _verb("manual_release")),
    Kind("lock feedback open", "lock", ("lock_lost", "not_locked", "lock_failed"), ("LockSense",), _verb("lock_feedback", {"state": "ok"}, state="open")),
    Kind("lock feedback short", "lock", ("lock_lost", "not_locked", "lock_failed"), ("LockSense",), _verb("lock_feedback", {"state": "ok"}, state="short")),
    Kind("lock feedback dead", "lock", ("lock_lost", "not_locked", "lock_failed"), ("LockSense",), _verb("lock_feedback", {"state": "ok"}, state="dead")),
    Kind("lock feedback stuck", "lock", ("lock_lost", "not_locked", "lock_failed"), ("FailedLock", "FailedUnlock"), _verb("lock_feedback", {"state": "ok"}, state="stuck"), (0.3, 6)),
    Kind("state E", "station", ("pilot_e",), ("PilotFault",), _error("e")),
    Kind("state F", "station", ("pilot_f",), ("PilotFault",), _error("f")),
    Kind("trips", "station", ("pilot_f",), ("PilotFault",), _verb("evse_trip")),
    Kind("power cut", "station", ("pilot_e",), ("PilotFault",), _pair("power_cut", "power_back")),
    Kind("pauses", "station", ("pilot_steady",), (), _pair("evse_pause", "evse_resume")),
    Kind("odd frequency", "station", ("pilot_frequency",), ("PilotFrequency",), _hz),
    Kind("duty of no meaning", "station", ("pilot_duty",), (), _duty),
    Kind("5 % duty", "station", ("pilot_digital",), (), _digital),
    Kind("offer too small", "station", ("pilot_steady", "below_minimum"), (), _small_offer),
    Kind("amplitude wrong", "station", ("pilot_invalid", "s2_fault", "pilot_lost"), ("PilotSense", "S2StuckClosed", "S2StuckOpen", "AcLive"), _weak),
    Kind("contactor stuck open", "station", (), (), _verb("contactor", {"state": "ok"}, state="stuck_open")),
    Kind("contactor welded", "station", (), ("AcLive",), _verb("contactor", {"state": "ok"}, state="stuck_closed")),
    Kind("charger ignores the limit", "charger", ("charger_fault",), ("ChargerOverCurrent",), _over, (5, 8)),
    Kind("charger stuck", "charger", ("charger_fault",), ("ChargerOverCurrent",), _verb("charger", {"state": "ok"}, state="stuck")),
    Kind("charger dead", "charger", (), (), _verb("charger", {"state": "ok"}, state="dead")),
    Kind("charger silent", "charger", ("vehicle_silent",), ("VehicleSilent",), _verb("charger_report", {"state": "ok"}, state="silent")),
    Kind("vehicle refuses", "vehicle", ("vehicle_no",), (), _pair("vehicle_refuse", "vehicle_permit")),
    Kind("vehicle silent", "vehicle", ("vehicle_silent",), ("VehicleSilent",), _pair("vehicle_silent", "vehicle_back")),
    Kind("HVIL opens", "vehicle", ("interlocked",), (), _lines("hvil", "open", "closed")),
    Kind("insulation fault", "vehicle", ("interlocked",), (), _lines("insulation", "fault", "ok")),
    Kind("crash", "vehicle", ("interlocked",), (), _crash),
    Kind("discrete line breaks", "vehicle", ("interlocked", "vehicle_no"), (), _line_wire),
    Kind("discrete lines unread", "vehicle", ("interlocked",), (), _lines("line_chip", "dead", "ok")),
    Kind("CAN messages wrong", "CAN", ("vehicle_silent",), ("VehicleSilent",), _can_wrong, (0.1, 2)),
    Kind("CAN wires", "CAN", ("vehicle_silent",), ("VehicleSilent",), _can_bus, (0.1, 2)),
    Kind("CAN controller missing", "CAN", ("vehicle_silent",), ("VehicleSilent",), _can(("can_controller", {"state": "missing"}), end=(("can_controller", {"state": "ok"}),)), (0.1, 2)),
    Kind("CAN flooded", "CAN", ("vehicle_silent",), ("VehicleSilent",), _can_flood, (0.1, 1.5)),
    Kind("reset", "board", (), ("LockSense",), _reset(10, 3000)),
    Kind("brown-out", "board", (), ("LockSense",), _brown_out, (0.5, 1.5)),
    Kind("clock jumps", "board", ("pilot_invalid", "vehicle_silent"), ("VehicleSilent", "AcLive"), _jump),
    Kind("settings unreadable", "board", ("settings",), ("Settings", "SettingsRefused"), _flash("settings"), from_start=True),
    Kind("port records unreadable", "board", ("held",), (), _flash("ports"), from_start=True),
    Kind("journal's flash fails", "board", (), (), _flash("journal"), from_start=True),
    Kind("noise burst", "harmless", (), (), _burst, is_harmless=True),
    Kind("sensor spike", "harmless", (), (), _spike, is_harmless=True),
    Kind("pilot jitter", "harmless", (), (), _jitter, is_harmless=True),
    Kind("a few CAN messages lost", "harmless", (), (), _can_few, is_harmless=True),
)
# fmt: on
BY_NAME = {kind.name: kind for kind in KINDS}
