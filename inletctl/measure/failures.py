"""Failures whose cause is known: what breaks, when, and what can be known of it from the port's side. Data for attribution.

A cause has two answers, fixed here before any rule is asked: `alone`, what a technician could know from everything that
the inlet measures at that one station, and `after`, what he could know once other stations have been tried too, as far
as the port can tell that they were others. Where station, cable and inlet look alike to the inlet, the honest answer is
that it is not known: the three ends of one pilot wire are one wire.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

NOT_KNOWN, STATION, CABLE, INLET, VEHICLE, PERSON = range(6)
AC_INLETS = ("type1", "type2", "gbt")
# When a fault comes, from the pass in which the plug goes in: with the world, before the plug, with it, while charging.
START, WITH_PLUG, CHARGING = "start", "with the plug", "while charging"
PILOT, PP = "pilot", "proximity"

Happening = tuple[str, dict[str, Any]]


@dataclass
class Fault:
    """What one drawing of a cause does: verbs at its onset, settings and world keys of every session that has it."""

    verbs: list[Happening] = field(default_factory=list)
    settings: dict[str, int] = field(default_factory=dict)
    world: dict[str, Any] = field(default_factory=dict)
    lasts_s: float = 36.0  # what the session goes on for after the onset
    recovers: "tuple[float, Happening] | None" = None  # so many s after the onset


@dataclass(frozen=True)
class Cause:
    """One row; see the module. `where` the fault stays: with the station, its cable, the inlet, the vehicle, or gone."""

    name: str
    where: str
    onset: str
    alone: int
    after: int
    make: Callable[[random.Random], Fault]
    why: str
    inlets: tuple[str, ...] = AC_INLETS
    blind: "int | None" = None  # `alone` where the board has no sense of mains
    hides: tuple[str, ...] = ()  # what of the station cannot be seen while the fault is there
    needs_sense: bool = False


def _verbs(*verbs: Happening, **more: Any) -> Callable[[random.Random], Fault]:
    return lambda dice: Fault(list(verbs), **more)


def _sensor(state: str, lasts_s: float = 40.0) -> Callable[[random.Random], Fault]:
    return lambda dice: Fault(
        [("sensor", {"contact": dice.choice(("ac_l", "ac_n", "all")), "state": state})],
        lasts_s=lasts_s,
    )


def _error(state: str) -> Callable[[random.Random], Fault]:
    def make(dice: random.Random) -> Fault:
        fault = Fault(
            [("evse_error", {"state": state})],
            world={"evse_ef_open_ms": dice.choice((100, 500, 2000))},
        )
        if dice.random() < 0.3:
            fault.recovers = (dice.uniform(3, 15), ("evse_recover", {}))
        return fault

    return make


def _odd_hz(dice: random.Random) -> Fault:
    return Fault([("evse_frequency", {"hz": dice.choice((500, 800, 900, 1100, 1200, 2000))})])


def _low_duty(dice: random.Random) -> Fault:
    return Fault([("evse_duty", {"pct": dice.choice((1.0, 2.0, 2.5, 98.5, 99.0))})])


def _small_offer(dice: random.Random) -> Fault:
    return Fault([("evse_offer", {"a": dice.choice((0, 3, 5))})])


def _noise(dice: random.Random) -> Fault:
    kind = dice.choice(("mixed", "random"))  # what an inlet cannot charge through
    return Fault([("noise_steps", {"passes": 1000, "kind": kind})], lasts_s=30)


def _gap(dice: random.Random) -> Fault:
    return Fault([("pp_plug", {"ohm": dice.randint(2600, 4300)})])


def _gap1(dice: random.Random) -> Fault:
    return Fault([("pp_plug", {"ohm": dice.randint(215, 325)})])


def _short_plug(dice: random.Random) -> Fault:
    return Fault([("pp_plug", {"ohm": dice.randint(0, 45)})])


def _worn(lasts_s: float) -> Callable[[random.Random], Fault]:
    def make(dice: random.Random) -> Fault:
        which = dice.choice(("all", "all", "ac_l"))
        return Fault(
            [("wear", {"contact": which, "milliohm": dice.uniform(14, 18)})],
            world={"ambient_c": dice.randint(25, 40)},
            lasts_s=lasts_s,
        )

    return make


def _slip(dice: random.Random) -> Fault:
    return Fault([("lock_slip", {"to": dice.randint(20, 60)})])


def _jam(dice: random.Random) -> Fault:
    return Fault([("lock_motor", {"state": "jam", "at": dice.randint(0, 70)})])


def _slow(dice: random.Random) -> Fault:
    return Fault([("lock_motor", {"state": "slow", "factor": dice.randint(10, 30)})])


def _cold(dice: random.Random) -> Fault:
    return Fault(
        [("lock_motor", {"state": "frozen", "thaws_at": 10})],
        world={"ambient_c": dice.randint(-25, -2)},
    )


def _over(dice: random.Random) -> Fault:
    return Fault(
        [("charger", {"state": "ignores_limit"}), ("charger_max", {"a": 40})],
        world={"evse_trips": dice.choice(("yes", "no"))},
        lasts_s=50,
    )


def _vehicle(dice: random.Random) -> Fault:
    fault = Fault([("vehicle_refuse", {})])
    if dice.random() < 0.3:
        fault.recovers = (dice.uniform(5, 20), ("vehicle_permit", {}))
    return fault


def _stop(dice: random.Random) -> Fault:
    return Fault([("stop", {"hold": dice.choice((0, 500, 5000))})], lasts_s=20)


def _unlock(dice: random.Random) -> Fault:
    return Fault([("unlock", {"hold": dice.choice((300, 1000, 5000))})], lasts_s=15)


def _press(dice: random.Random) -> Fault:
    return Fault([("press_button", {"hold": dice.choice((300, 1000, 8000))})], lasts_s=20)


def _lines(verb: str, state: str) -> Callable[[random.Random], Fault]:
    return lambda dice: Fault([(verb, {"state": state})], {"lines_used": 15})


def _soc(dice: random.Random) -> Fault:
    return Fault([("soc", {"pct": 90})], {"can": 1, "target_soc_pct": dice.randint(60, 85)})


def _window(dice: random.Random) -> Fault:
    settings = {
        "can": 1,
        "window_1_days": 1,
        "window_1_from_min": 22 * 60,
        "window_1_to_min": 23 * 60,
    }
    return Fault([], settings, {"clock_day": "mon", "clock_time": dice.randint(8, 20) * 60})


def _limit(dice: random.Random) -> Fault:
    return Fault([], {"person_limit_ma": dice.randint(0, 5) * 1000})


# Why an answer is what it is.
_OWN_WORD = "only the station can make this"
_PILOT = "0 V on the pilot: station, cable and inlet are three ends of one wire"
_ONE_CONTACT = "two halves touch in a contact; which of them is bad shows with another plug"
_OWN_PART = "a part of the inlet, measured by the inlet"

# fmt: off
CAUSES = (
    # The station.
    Cause("state E",               "station", CHARGING,  NOT_KNOWN, STATION, _error("e"), _PILOT, hides=()),
    Cause("state F",               "station", CHARGING,  STATION, STATION, _error("f"), _OWN_WORD),
    Cause("trips under load",      "station", CHARGING,  STATION, STATION, _verbs(("evse_trip", {})), _OWN_WORD),
    Cause("power cut",             "station", CHARGING,  STATION, STATION, _verbs(("power_cut", {})), "mains and pilot go together", blind=NOT_KNOWN),
    Cause("no power",              "station", START,     NOT_KNOWN, STATION, _verbs(("power_cut", {})), _PILOT, hides=(PILOT,)),
    Cause("pauses (x1)",           "station", CHARGING,  STATION, STATION, _verbs(("evse_pause", {})), _OWN_WORD),
    Cause("waits for its permission", "station", START,  STATION, STATION, _verbs(world={"evse_auto": "no"}), _OWN_WORD),
    Cause("odd frequency",         "station", CHARGING,  STATION, STATION, _odd_hz, _OWN_WORD),
    Cause("odd frequency at once", "station", START,     STATION, STATION, _odd_hz, _OWN_WORD),
    Cause("low duty",              "station", CHARGING,  STATION, STATION, _low_duty, _OWN_WORD),
    Cause("small offer",           "station", CHARGING,  STATION, STATION, _small_offer, _OWN_WORD),
    Cause("5 % duty",              "station", START,     STATION, STATION, _verbs(world={"evse_digital": "yes"}), _OWN_WORD),
    Cause("pilot noise",           "station", CHARGING,  NOT_KNOWN, STATION, _noise, "noise has no sender's name"),
    Cause("contactor does not close", "station", START,  STATION, STATION, _verbs(("contactor", {"state": "stuck_open"})), "offered, S2 closed, no mains", blind=NOT_KNOWN),
    Cause("contactor drops out",   "station", CHARGING,  STATION, STATION, _verbs(("contactor", {"state": "stuck_open"})), "offered, S2 closed, no mains", blind=NOT_KNOWN),
    Cause("contactor welded",      "station", START,     STATION, STATION, _verbs(("contactor", {"state": "stuck_closed"})), "mains comes with the plug", needs_sense=True),
    # The cable, or the adapter.
    Cause("PP opens in the plug",  "cable", CHARGING,  NOT_KNOWN, CABLE, _verbs(("pp_plug", {"ohm": 1_000_000})), _ONE_CONTACT),
    Cause("PP wrong coding",       "cable", WITH_PLUG, CABLE, CABLE, _gap, "the inlet's own line read well without the plug", inlets=("type2",), hides=(PP,)),
    Cause("PP wrong coding, Type 1", "cable", WITH_PLUG, CABLE, CABLE, _gap1, "the inlet's own line read well without the plug", inlets=("type1",), hides=(PP,)),
    Cause("PP short in the plug",  "cable", WITH_PLUG, CABLE, CABLE, _short_plug, "the inlet's own line read well without the plug", hides=(PP,)),
    Cause("PP becomes short in the plug", "cable", CHARGING, CABLE, CABLE, _short_plug, "it goes when the plug is pulled"),
    Cause("pilot wire breaks in the cable", "cable", CHARGING, NOT_KNOWN, STATION, _verbs(("cp_wire", {"state": "break"})), _PILOT + "; with its cable it is the station's"),
    Cause("PE breaks in the cable", "cable", CHARGING, NOT_KNOWN, STATION, _verbs(("pe_wire", {"state": "break"})), _PILOT + "; with its cable it is the station's"),
    Cause("latch switch broken",   "cable", WITH_PLUG, CABLE, CABLE, _verbs(("press_button", {}), lasts_s=60), "pressed for ever is no hand", inlets=("type1",)),
    Cause("hot contact of the plug", "cable", CHARGING, NOT_KNOWN, CABLE, _worn(700), _ONE_CONTACT),
    # The inlet.
    Cause("sensor open",           "inlet", CHARGING,  INLET, INLET, _sensor("open"), _OWN_PART),
    Cause("sensor short",          "inlet", CHARGING,  INLET, INLET, _sensor("short"), _OWN_PART),
    Cause("sensor not measured",   "inlet", CHARGING,  INLET, INLET, _sensor("dead"), _OWN_PART),
    Cause("sensor not converted",  "inlet", START,     INLET, INLET, _sensor("stale"), _OWN_PART),
    Cause("lock jams",             "inlet", START,     INLET, INLET, _jam, _OWN_PART),
    Cause("lock motor dead",       "inlet", START,     INLET, INLET, _verbs(("lock_motor", {"state": "dead"})), _OWN_PART),
    Cause("lock too slow",         "inlet", START,     INLET, INLET, _slow, _OWN_PART),
    Cause("lock frozen",           "inlet", START,     INLET, INLET, _cold, _OWN_PART),
    Cause("lock feedback open",    "inlet", CHARGING,  INLET, INLET, _verbs(("lock_feedback", {"state": "open"})), _OWN_PART),
    Cause("lock feedback short",   "inlet", CHARGING,  INLET, INLET, _verbs(("lock_feedback", {"state": "short"})), _OWN_PART),
    Cause("lock feedback dead",    "inlet", CHARGING,  INLET, INLET, _verbs(("lock_feedback", {"state": "dead"})), _OWN_PART),
    Cause("lock feedback stuck",   "inlet", START,     INLET, INLET, _verbs(("lock_feedback", {"state": "stuck"})), _OWN_PART),
    Cause("lock slips",            "inlet", CHARGING,  INLET, INLET, _slip, "a hand opens it all the way; it slips only in part"),
    Cause("hot contact of the inlet", "inlet", START,  NOT_KNOWN, INLET, _worn(500), _ONE_CONTACT),
    Cause("PP wire breaks in the inlet", "inlet", CHARGING, INLET, INLET, _verbs(("pp_wire", {"state": "break"})), "not even the inlet's own pull-down is read"),
    Cause("PP wire shorts in the inlet", "inlet", CHARGING, INLET, INLET, _verbs(("pp_wire", {"state": "short"})), "it stays when the plug is pulled"),
    Cause("PP not measured",       "inlet", CHARGING,  INLET, INLET, _verbs(("pp_sense", {"state": "dead"})), _OWN_PART),
    Cause("pilot wire breaks in the inlet", "inlet", CHARGING, NOT_KNOWN, INLET, _verbs(("cp_wire", {"state": "break"})), _PILOT, hides=(PILOT,)),
    Cause("pilot wire shorts in the inlet", "inlet", CHARGING, NOT_KNOWN, INLET, _verbs(("cp_wire", {"state": "short"})), _PILOT, hides=(PILOT,)),
    Cause("pilot not measured",    "inlet", CHARGING,  INLET, INLET, _verbs(("cp_sense", {"state": "dead", "offset": 0})), _OWN_PART),
    Cause("pilot edges not counted", "inlet", CHARGING, INLET, INLET, _verbs(("cp_sense", {"state": "no_edges", "offset": 0})), "levels of PWM without edges"),
    Cause("S2 stuck open",         "inlet", START,     INLET, INLET, _verbs(("s2", {"state": "stuck_open"})), _OWN_PART),
    Cause("S2 stuck closed",       "inlet", START,     INLET, INLET, _verbs(("s2", {"state": "stuck_closed"})), _OWN_PART),
    Cause("diode open",            "inlet", CHARGING,  INLET, INLET, _verbs(("diode", {"state": "open"})), _OWN_PART),
    Cause("diode short",           "inlet", CHARGING,  INLET, INLET, _verbs(("diode", {"state": "short"})), _OWN_PART),
    Cause("mains sense stuck on",  "inlet", START,     INLET, INLET, _verbs(("ac_sense", {"state": "stuck_on"})), "mains with no plug", needs_sense=True),
    # The vehicle.
    Cause("refuses",               "vehicle", CHARGING, VEHICLE, VEHICLE, _vehicle, "the vehicle's own word"),
    Cause("refuses at once",       "vehicle", START,    VEHICLE, VEHICLE, _verbs(("vehicle_refuse", {})), "the vehicle's own word"),
    Cause("falls silent",          "vehicle", CHARGING, VEHICLE, VEHICLE, _verbs(("vehicle_silent", {})), "the vehicle's own word is missing"),
    Cause("charger draws too much", "vehicle", CHARGING, VEHICLE, VEHICLE, _over, "measured against the permission"),
    Cause("charger draws nothing", "vehicle", START,    VEHICLE, VEHICLE, _verbs(("charger", {"state": "dead"})), "mains is there", blind=NOT_KNOWN),
    Cause("HVIL opens",            "vehicle", CHARGING, VEHICLE, VEHICLE, _lines("hvil", "open"), "the vehicle's own word"),
    Cause("insulation fault",      "vehicle", CHARGING, VEHICLE, VEHICLE, _lines("insulation", "fault"), "the vehicle's own word"),
    # The person, or what a person has set.
    Cause("wants to stop",         "person", CHARGING, PERSON, PERSON, _stop, "asked for"),
    Cause("wants the cable",       "person", CHARGING, PERSON, PERSON, _unlock, "asked for"),
    Cause("presses the latch",     "person", CHARGING, PERSON, PERSON, _press, "asked for", inlets=("type1",)),
    Cause("plug half in",          "person", WITH_PLUG, NOT_KNOWN, NOT_KNOWN, _verbs(), "one contact touches: as a station without power, or a broken PP; the bolt is not tried then"),
    Cause("pulls the emergency release", "person", CHARGING, PERSON, PERSON, _verbs(("manual_release", {})), "all the way open, undriven"),
    Cause("target reached",        "person", CHARGING, PERSON, PERSON, _soc, "asked for"),
    Cause("outside the window",    "person", START,    PERSON, PERSON, _window, "asked for"),
    Cause("limit too low",         "person", START,    PERSON, PERSON, _limit, "asked for"),
)
# fmt: on


@dataclass(frozen=True)
class Station:
    """What a station and its cable show of themselves."""

    hz: float
    high_v: float
    low_v: float
    offer_a: float
    cable_a: int
    contact_milliohm: float

    def world(self) -> dict[str, Any]:
        """Return the plant's keys."""
        return {
            "evse_hz": self.hz,
            "evse_high_v": self.high_v,
            "evse_low_v": self.low_v,
            "evse_max_a": self.offer_a,
            "cable_a": self.cable_a,
            "contact_milliohm": self.contact_milliohm,
        }


_RATINGS = {"type1": (32,), "type2": (20, 32, 32, 63), "gbt": (16, 32, 32, 63)}


def draw_station(dice: random.Random, inlet: str) -> Station:
    """Draw a station within the tolerances of IEC 61851-1 Tab A.2; most of them have a crystal."""
    if dice.random() < 0.6:
        hz = 1000 + dice.uniform(-0.1, 0.1)
    else:
        hz = dice.uniform(982, 1018)
    cable_a = dice.choice(_RATINGS[inlet])
    return Station(
        hz,
        min(12.6, max(11.4, dice.gauss(12, 0.2))),
        max(-12.6, min(-11.4, dice.gauss(-12, 0.2))),
        dice.choice((8, 10, 13, 16, 20, 25, 32)),
        cable_a,
        dice.uniform(0.2, 0.8),
    )


# What the port can tell apart with certainty, as a technician with its readings could (journal.outcomes says why).
APART_HZ = 0.8
APART_V = 0.41


def are_apart(a: Station, b: Station, inlet: str, hidden: tuple[str, ...]) -> bool:
    """Tell whether the port shows that these two are two, with this `hidden` at one of them."""
    if PP not in hidden and inlet != "type1" and a.cable_a != b.cable_a:
        return True
    if PILOT in hidden:
        return False
    return abs(a.hz - b.hz) >= APART_HZ or abs(a.high_v - b.high_v) >= APART_V
