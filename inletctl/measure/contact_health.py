"""Contact health on the plant's contacts: what is reported when, and what is reported for nothing.

Many sessions, fast: the plant's thermal step (plant/contacts.py) at 4 s, the plant's divider with the sensor's tolerance,
noise and whole millivolts, then the firmware's own conversion, derating and contact health. Not the whole pass.

`python -m inletctl.measure.contact_health --seed N`
"""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import cos, exp, pi
from pathlib import Path
from random import Random
from typing import Any

import click

from inletctl.house import firmware_hash, use_firmware
from inletctl.measure.forks import fork_map
from inletctl.plant.contacts import ntc_ohm, pt1000_ohm, warm
from inletctl.plant.network import divider_mv
from inletctl.report.files import write_whole

use_firmware()

from journal.contact import KNOWN  # noqa: E402
from journal.health import (  # noqa: E402 - after use_firmware
    HEALTHY,  # noqa: F401 - the tests name it here
    JUMPED,
    PLUG_WARM,
    VERDICT,
    WATCH,
    WORN,
    ContactHealth,
)
from journal.heating import Moment  # noqa: E402
from thermal.convert import Probe  # noqa: E402
from thermal.derate import Derating  # noqa: E402
from thermal.params import NTC, PT1000, ChannelParams, ThermalLimits  # noqa: E402

STEP_S = 4
_RAIL_MV = 3300
_K_PER_W = 30.0  # the plant's contact to ambient
_DERATE_C = 60.0
_TICKS = 1 << 30
WHY = ("known", "no current told", "start not seen", "heater ran", "sensor", "too low", "too short", "no fit", "not sure")  # fmt: skip


@dataclass
class Session:
    """What one plug-in is like. `bad`: factor on each contact's resistance from the plug."""

    number: int
    kind: str
    minutes: float
    offer_a: float
    ambient_c: float
    bad: tuple[float, float] = (1.0, 1.0)
    station: int = 0
    before: str = "asleep"  # asleep, awake, replugged


@dataclass
class Seen:
    """What came of it."""

    reasons: list[int]
    told: list[int]  # coefficients, uK/A^2, of known ones
    spread: list[int]
    true: list[float]  # mean of what they were, uK/A^2, as at 20 C by the firmware's rule
    verdicts: list[int]
    hottest_c: float = -99.0
    did_derate: bool = False
    derates_by_wear: bool = False
    ended_s: int = 0


@dataclass
class Car:
    """An inlet with its tolerances. Drawn: rated current, rise, time constants, sensors, temperature coefficient."""

    dice: Random
    rated_a: float = field(init=False)

    def __post_init__(self):
        dice = self.dice
        self.rated_a = dice.choice((16.0, 20.0, 32.0, 32.0, 32.0, 48.0, 63.0, 80.0))
        self.rise_k = dice.uniform(6, 20)  # of contact 0 at rated current, new
        self.alpha = dice.uniform(0, 0.0039)
        apart = dice.uniform(0.8, 1.25)
        per_a2 = self.rise_k / (_K_PER_W * self.rated_a**2)  # ohm
        self.new_ohm = [per_a2, per_a2 * apart]
        tau_s = dice.uniform(150, 900)
        lag_s = dice.uniform(5, 60)
        self.gain = 1 - exp(-STEP_S / tau_s)
        self.lag_gain = 1 - exp(-STEP_S / lag_s)
        self.is_ntc = dice.random() < 0.7
        self.r25 = [10_000 * dice.uniform(0.97, 1.03) for _ in range(2)]
        self.beta = [3435 * dice.uniform(0.99, 1.01) for _ in range(2)]
        self.pt = [dice.uniform(0.998, 1.002) for _ in range(2)]
        self.pull = [dice.uniform(0.99, 1.01) for _ in range(2)]
        params = ChannelParams(
            NTC if self.is_ntc else PT1000, pullup_ohm=10_000 if self.is_ntc else 1000
        )
        first = Probe(params)
        self.probes = [first, Probe(params, first)]
        limits = ThermalLimits(rated_ma=int(self.rated_a * 1000))
        self.derating = Derating(limits)
        self.health = ContactHealth((0, 1), int(self.rated_a * 1000), 600)
        self.home_share = dice.uniform(0.3, 1.0)
        self.home = self._plug()
        self.is_seasonal = dice.random() < 0.5
        self.day = dice.uniform(0, 365)
        self.c = [15.0, 15.0]
        self.sensor_c = [15.0, 15.0]
        self.healthy_c = 15.0
        self.healthy_sensor_c = 15.0
        self.now_ms = dice.randrange(_TICKS)
        self.decic = [150, 150]
        self.valid = [1, 1]
        self.around_c = 15.0
        self.moment = Moment(self.decic, self.valid)
        self.moment.is_measured = True
        self.wear = [1.0, 1.0]

    def _plug(self) -> float:
        return self.dice.lognormvariate(0, 0.08)

    def draw(self, number: int) -> Session:
        """Return an ordinary session: length, current, place and weather."""
        dice = self.dice
        self.day += dice.expovariate(1.0)
        if self.is_seasonal:
            # Coldest in January, -10..32 in the mean, and the day's own weather.
            season = -_year(self.day)
            ambient_c = 11 + 21 * season + dice.gauss(0, 5)
        else:
            ambient_c = dice.uniform(-20, 45)
        kind = dice.choices(("full", "solar", "low", "short"), (55, 25, 10, 10))[0]
        minutes = (
            dice.uniform(2, 12)
            if kind == "short"
            else min(600, max(12, dice.lognormvariate(4.4, 0.7)))
        )
        offers = [a for a in (10, 13, 16, 20, 24, 32, 40, 48, 63, 80) if a <= self.rated_a]
        offer_a = dice.choice((*offers, self.rated_a, self.rated_a))
        if kind == "low":
            offer_a = dice.uniform(6, 10)
        is_home = dice.random() < self.home_share
        plug = self.home if is_home else self._plug()
        bad = (plug * dice.lognormvariate(0, 0.05), plug * dice.lognormvariate(0, 0.05))
        before = dice.choices(("asleep", "awake", "replugged"), (88, 7, 5))[0]
        return Session(
            number, kind, minutes, offer_a, max(-20, min(45, ambient_c)), bad, before=before
        )

    # The world ------------------------------------------------------------------

    def _read(self, n: int) -> None:
        if self.is_ntc:
            ohm, pullup = (
                ntc_ohm(self.sensor_c[n], self.r25[n], self.beta[n]),
                10_000 * self.pull[n],
            )
        else:
            ohm, pullup = pt1000_ohm(self.sensor_c[n]) * self.pt[n], 1000 * self.pull[n]
        mv = divider_mv(_RAIL_MV, pullup, ohm) + self.dice.uniform(-2, 2)
        self.valid[n] = self.probes[n].read(round(mv), _RAIL_MV) == 0
        if self.valid[n]:
            self.decic[n] = self.probes[n].decic

    def _pass(self, a: float, ohm: Sequence[float], around_c: float, is_plugged: bool) -> bool:
        watt_k = a * a * _K_PER_W
        alpha = self.alpha
        for n in range(2):
            end_c = around_c + watt_k * ohm[n] * (1 + alpha * (self.c[n] - 20))
            self.c[n], self.sensor_c[n] = warm(
                self.c[n], self.sensor_c[n], end_c, self.gain, self.lag_gain
            )
            self._read(n)
        end_c = around_c + watt_k * ohm[0] / self.wear[0] * (1 + alpha * (self.healthy_c - 20))
        self.healthy_c, self.healthy_sensor_c = warm(
            self.healthy_c, self.healthy_sensor_c, end_c, self.gain, self.lag_gain
        )
        self.now_ms = (self.now_ms + STEP_S * 1000) % _TICKS
        ma = int(a * 1000) + (self.dice.randrange(-100, 101) if a else 0)
        moment = self.moment
        moment.ma = ma
        moment.is_plugged = is_plugged
        return self.health.tick(self.now_ms, moment)

    def run(self, session: Session) -> Seen:
        """Live through one plug-in, from the rest before it until it has been judged."""
        dice = self.dice
        self.moment.station = session.station
        ohm = [self.new_ohm[n] * self.wear[n] * session.bad[n] for n in range(2)]
        ambient_c = session.ambient_c
        if session.before == "asleep":
            rest_s = int(dice.uniform(1800, 3 * 86400))
            self.now_ms = (self.now_ms + rest_s * 1000) % _TICKS
            start_c = ambient_c + dice.uniform(
                -4, 6
            )  # the car has been driven, or stood in the garage
            self.c = [start_c, start_c]
            self.sensor_c = [start_c, start_c]
            self.healthy_c = self.healthy_sensor_c = start_c
        else:
            start_c = ambient_c = max(-20.0, min(45.0, self.around_c))
            for _ in range(0, 300 if session.before == "replugged" else 2400, STEP_S):
                self._pass(0.0, ohm, ambient_c, False)
        weather = _Weather(dice, ambient_c, start_c)
        if session.before == "asleep":
            self.health.heating.begin(self.now_ms, True)
            for _ in range(0, 30, STEP_S):
                self._pass(0.0, ohm, weather.at(0), True)
        seen = self._charge(session, ohm, weather)
        # Some stay plugged in after the end, the others are pulled at once.
        stays_s = 2400 if dice.random() < 0.1 else 0
        for s in range(0, stays_s, STEP_S):
            self._tick(seen, 0.0, ohm, weather.at(session.minutes * 60 + s), True)
        for s in range(0, 60, STEP_S):
            self._tick(seen, 0.0, ohm, weather.at(session.minutes * 60 + stays_s + s), False)
        self.around_c = weather.now_c
        seen.verdicts = [trend.fields[VERDICT] for trend in self.health.trends]
        return seen

    def _tick(
        self, seen: Seen, a: float, ohm: Sequence[float], around_c: float, is_in: bool
    ) -> None:
        if self._pass(a, ohm, around_c, is_in):
            heating = self.health.heating
            seen.reasons = [x.reason for x in heating.contacts]
            seen.told = [x.coefficient for x in heating.contacts]
            seen.spread = [x.spread for x in heating.contacts]

    def _charge(self, session: Session, ohm: Sequence[float], weather: "_Weather") -> Seen:
        dice = self.dice
        seen = Seen([], [], [], [o * _K_PER_W * 1e6 for o in ohm], [])
        want_a = session.offer_a
        until_s = 0.0
        a = 0.0
        warm_sum, warm_count = [0.0, 0.0], 0
        for s in range(0, int(session.minutes * 60), STEP_S):
            if session.kind == "solar" and s >= until_s:
                until_s = s + dice.uniform(120, 900)
                want_a = 0.0 if dice.random() < 0.1 else dice.uniform(6, max(7, session.offer_a))
            limit_a = self.derating.limit_ma(max(self.decic)) / 1000
            if limit_a < self.rated_a and want_a > 0:
                seen.did_derate = True
            a = min(want_a, limit_a)
            self._tick(seen, a, ohm, weather.at(s), True)
            hottest_c = self.sensor_c[0]
            seen.hottest_c = max(seen.hottest_c, hottest_c)
            if hottest_c >= _DERATE_C > self.healthy_sensor_c:
                seen.derates_by_wear = True
            if a:
                warm_count += 1
                for n in range(2):
                    warm_sum[n] += self.c[n]
        for n in range(2):
            mean_c = warm_sum[n] / max(1, warm_count)
            seen.true[n] *= (1 + self.alpha * (mean_c - 20)) / (1 + 0.002 * (mean_c - 20))
        return seen


def _year(day: float) -> float:
    """Return the year's cosine, 1 in the middle of January."""
    return cos(2 * pi * (day - 15) / 365)


class _Weather:
    """What is around a contact: drifts by up to 2 K an hour, wanders, and the car's own warmth goes."""

    def __init__(self, dice: Random, ambient_c: float, start_c: float):
        self._dice = dice
        self._ambient_c = ambient_c
        self._off_k = start_c - ambient_c
        self._k_s = dice.uniform(-2, 2) / 3600
        self._wander_k = 0.0
        self._keep = exp(-30 / 600)
        self._kick = 0.4 * (1 - self._keep**2) ** 0.5
        self._next_s = 0.0
        self.now_c = start_c

    def at(self, s: float) -> float:
        if s >= self._next_s:
            self._next_s = s + 30
            self._wander_k = self._wander_k * self._keep + self._dice.gauss(0, self._kick)
            drift_k = max(-8.0, min(8.0, self._k_s * s))
            self.now_c = self._ambient_c + drift_k + self._wander_k + self._off_k * exp(-s / 3600)
        return self.now_c


# Studies ----------------------------------------------------------------------


def healthy(dice: Random, sessions: int) -> dict[str, Any]:
    """Let one healthy inlet live; say what was reported for nothing."""
    car = Car(dice)
    result: dict[str, Any] = {
        "sessions": sessions, "known": 0, "within": 0, "reports": 0, "jumped": 0, "derated": 0,
        "why": [0] * len(WHY), "off_pct": [], "coldest": 99.0, "warmest": -99.0,
    }  # fmt: skip
    before = [0, 0]
    for number in range(sessions):
        session = car.draw(number)
        seen = car.run(session)
        result["coldest"] = min(result["coldest"], session.ambient_c)
        result["warmest"] = max(result["warmest"], session.ambient_c)
        result["derated"] += seen.did_derate
        for n in range(2):
            _count(result, seen, n)
            verdict = seen.verdicts[n]
            if verdict != before[n]:
                result["reports"] += verdict in (WATCH, WORN, PLUG_WARM)
                result["jumped"] += verdict == JUMPED
            before[n] = verdict
    return result


def _count(result: dict[str, Any], seen: Seen, n: int) -> None:
    reason = seen.reasons[n] if seen.reasons else WHY.index("too low")
    result["why"][reason] += 1
    if reason == KNOWN:
        result["known"] += 1
        off = seen.told[n] - seen.true[n]
        result["within"] += abs(off) <= 2 * seen.spread[n]
        result["off_pct"].append(100 * off / seen.true[n])


def wearing(dice: Random, over: int = 200, before: int = 40) -> dict[str, Any]:
    """Let contact 0 double its resistance over `over` sessions, after `before` good ones."""
    car = Car(dice)
    result: dict[str, Any] = {
        "rated_a": car.rated_a, "rise_k": car.rise_k, "reported": None, "derated": None, "known": 0,
        "known_by_report": None, "margin_k": None, "hottest_c": -99.0, "predicted_c": None,
        "early": 0, "told": "",
    }  # fmt: skip
    for number in range(-before, over):
        car.wear[0] = 1 + max(0, number + 1) / over
        seen = car.run(car.draw(number))
        verdict = seen.verdicts[0]
        if number < 0:
            result["early"] += verdict in (WATCH, WORN, PLUG_WARM)
            continue
        result["known"] += bool(seen.reasons) and seen.reasons[0] == KNOWN
        if result["reported"] is None:
            result["hottest_c"] = max(result["hottest_c"], seen.hottest_c)
            if verdict in (WATCH, WORN):
                result["reported"] = number + 1
                result["known_by_report"] = result["known"]
                result["margin_k"] = _DERATE_C - result["hottest_c"]
                result["predicted_c"] = car.health.predicted_decic(0) / 10
        if result["derated"] is None and seen.derates_by_wear:
            result["derated"] = number + 1
    return result


def plug(dice: Random, kind: str, tells: bool) -> str:
    """Let a plug or a contact be bad at once or by and by; return what was told: plug, inlet, unsure or nothing.

    kind: "visit" one bad station between good ones; "inlet" a contact bad from one session on; "home" the home's plug
    wears, and another station is visited. tells: the caller can tell stations apart.
    """
    car = Car(dice)
    car.home_share = 1.0
    factor = dice.uniform(1.8, 3.0)
    for _ in range(30):
        live(car, 1.0, 1, tells)
    plan: tuple[tuple[float, int], ...]
    if kind == "home":
        for n in range(80):
            live(car, 1 + n / 80, 1, tells)
        if car.health.verdict(0) not in (WATCH, WORN):
            return "nothing"
        plan = ((1.0, 2), (2.0, 1), (1.0, 3), (2.0, 1))
    elif kind == "visit":
        plan = ((factor, 2), (1.0, 1), (1.0, 1), (1.0, 3), (1.0, 1))
    else:
        plan = tuple((factor, station) for station in (1, 2, 1, 3, 1, 1, 1, 1))
    said: set[int] = set()
    for bad, station in plan:
        live(car, bad, station, tells)
        said.add(car.health.verdict(0))
    told_plug = PLUG_WARM in said
    # A plug that wears by and by is taken for the contact until another station has been visited.
    told_inlet = bool(said & {WATCH, WORN}) and not (kind == "home" and told_plug)
    if told_plug and told_inlet:
        return "both"
    return (
        "plug"
        if told_plug
        else "inlet"
        if told_inlet
        else "unsure"
        if JUMPED in said
        else "nothing"
    )


def live(car: Car, bad: float, station: int, tells: bool) -> None:
    """Run sessions at a plug until one is known; twelve at most."""
    for number in range(12):
        session = car.draw(number)
        session.before, session.kind = "asleep", "full"
        session.minutes = max(60.0, session.minutes)
        session.offer_a = max(session.offer_a, 0.6 * car.rated_a)
        session.bad = (session.bad[0] * bad, session.bad[1])
        session.station = station if tells else 0
        seen = car.run(session)
        if seen.reasons and seen.reasons[0] == KNOWN:
            return


KINDS = ("visit", "inlet", "home")
RIGHT = {"visit": "plug", "inlet": "inlet", "home": "plug"}
SAYS = {
    "visit": "one bad plug, then good ones",
    "inlet": "a contact bad at once, at every station",
    "home": "the home's plug wears, others are good",
}


def _task(seed: int, task: tuple[str, int], sessions: int) -> Any:
    study, number = task
    dice = Random(f"contact health {seed} {study} {number}")
    if study == "healthy":
        return healthy(dice, sessions)
    if study == "wearing":
        return wearing(dice)
    kind, tells = study.split(" ")
    return plug(dice, kind, tells == "told")


def measure(
    seed: int, cars: int, sessions: int, wears: int, plugs: int, jobs: int
) -> dict[str, list[Any]]:
    """Return the results of each study, in the order of their numbers."""
    tasks = [("healthy", n) for n in range(cars)] + [("wearing", n) for n in range(wears)]
    for kind in KINDS:
        for tells in ("told", "untold"):
            tasks += [(f"{kind} {tells}", n) for n in range(plugs)]
    results: dict[tuple[str, int], Any] = {}

    def run(task: tuple[str, int]) -> Any:
        return _task(seed, task, sessions)

    done: Iterator[tuple[Any, Any]]
    done = fork_map(run, tasks, jobs) if jobs > 1 else ((task, run(task)) for task in tasks)
    for task, result in done:
        results[task] = result
    studies: dict[str, list[Any]] = {}
    for study, number in tasks:
        studies.setdefault(study, []).append(results[study, number])
    return studies


def _quantile(values: Sequence[float], part: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else float("nan")


def _healthy_lines(cars: list[dict[str, Any]]) -> list[str]:
    if not cars:
        return []
    total = sum(car["sessions"] for car in cars)
    off = [pct for car in cars for pct in car["off_pct"]]
    known = sum(car["known"] for car in cars)
    why = [sum(car["why"][n] for car in cars) for n in range(len(WHY))]
    per_contact = sum(why)
    return [
        "healthy: %d sessions of %d inlets, %.0f..%.0f C around, %d of them derated"
        % (total, len(cars), min(car["coldest"] for car in cars), max(car["warmest"] for car in cars),
           sum(car["derated"] for car in cars)),
        "  false reports (watch, worn, plug warm): %d;  asked for another plug-in (jumped): %d"
        % (sum(car["reports"] for car in cars), sum(car["jumped"] for car in cars)),
        "  estimates: %d of %d (%.0f %%); the others: %s"
        % (known, per_contact, 100 * known / per_contact,
           ", ".join("%s %.0f %%" % (word, 100 * n / per_contact) for word, n in zip(WHY, why) if word != "known")),
        "  error of an estimate: median %+.1f %%, 5th to 95th of a hundred %+.0f..%+.0f %%; within two of its own sigma: %.1f %%"
        % (_quantile(off, 0.5), _quantile(off, 0.05), _quantile(off, 0.95),
           100 * sum(car["within"] for car in cars) / max(1, known)),
    ]  # fmt: skip


def has_room(case: dict[str, Any]) -> bool:
    """A new contact at rated current and 45 C stays 5 K below derating, so there is a warning to be had."""
    return 45 + case["rise_k"] <= _DERATE_C - 5


def in_time(case: dict[str, Any]) -> bool:
    """It was reported, and not after the first session in which wear made it derate."""
    return case["reported"] is not None and (
        case["derated"] is None or case["reported"] < case["derated"]
    )


def _wearing_lines(cases: list[dict[str, Any]]) -> list[str]:
    lines = []
    for words, part in (
        ("new contact 5 K or more below derating at 45 C and rated current", [c for c in cases if has_room(c)]),
        ("less room than that (some derate when new)", [c for c in cases if not has_room(c)]),
    ):  # fmt: skip
        if not part:
            continue
        told = [case for case in part if case["reported"] is not None]
        at = [case["reported"] for case in told]
        lines += [
            "doubling over 200 sessions, %s: %d inlets" % (words, len(part)),
            "  reported: %d;  before wear derates: %d;  never derated in 200: %d;  before any wear: %d"
            % (len(told), sum(map(in_time, part)), sum(c["derated"] is None for c in part),
               sum(bool(c["early"]) for c in part)),
            "  reported at session: median %.0f, 5th to 95th %.0f..%.0f, last %.0f; of them %.0f with an estimate (median)"
            % (_quantile(at, 0.5), _quantile(at, 0.05), _quantile(at, 0.95), max(at, default=0),
               _quantile([c["known_by_report"] for c in told], 0.5)),
            "  hottest until then, below derating: median %.0f K, least %.1f K"
            % (_quantile([c["margin_k"] for c in told], 0.5), min((c["margin_k"] for c in told), default=0)),
        ]  # fmt: skip
        late = [case for case in part if not in_time(case)]
        for case in late:
            lines.append(
                "  not before: rise %.1f K at %.0f A when new, reported at %s, derated at %s"
                % (case["rise_k"], case["rated_a"], case["reported"], case["derated"])
            )
    return lines


def lines_of(studies: dict[str, list[Any]]) -> list[str]:
    """Return the figures for people."""
    lines = _healthy_lines(studies.get("healthy", [])) + _wearing_lines(studies.get("wearing", []))
    for kind in KINDS:
        for tells in ("told", "untold"):
            said = studies.get(f"{kind} {tells}", [])
            if said:
                lines.append(
                    "%s, stations %s apart: %s of %d"
                    % (SAYS[kind], tells, ", ".join(f"{w} {said.count(w)}" for w in sorted(set(said))), len(said))
                )  # fmt: skip
    return lines


def shortfalls(studies: dict[str, list[Any]]) -> list[str]:
    """Return what does not hold: false reports, late ones, and a plug and an inlet taken for each other."""
    wrong = []
    reports = sum(car["reports"] for car in studies.get("healthy", []))
    if reports:
        wrong.append(f"{reports} false reports in healthy sessions.")
    for case in studies.get("wearing", []):
        if has_room(case) and not in_time(case):
            wrong.append(f"a doubling contact was reported at {case['reported']} and derated at {case['derated']}.")  # fmt: skip
    for kind in KINDS:
        for tells in ("told", "untold"):
            other = {"plug": "inlet", "inlet": "plug"}[RIGHT[kind]]
            count = sum(said in (other, "both") for said in studies.get(f"{kind} {tells}", []))
            if count:
                wrong.append(f"{SAYS[kind]}: {count} times taken for the other.")
    return wrong


@click.command()
@click.option("--seed", type=int, default=1, show_default=True)
@click.option(
    "--cars", type=click.IntRange(0), default=20, show_default=True, help="healthy inlets"
)
@click.option(
    "--sessions", type=click.IntRange(1), default=1000, show_default=True, help="of each"
)
@click.option(
    "--wears",
    type=click.IntRange(0),
    default=50,
    show_default=True,
    help="inlets with a contact that doubles",
)
@click.option(
    "--plugs",
    type=click.IntRange(0),
    default=15,
    show_default=True,
    help="inlets of each kind of plug story",
)
@click.option("--jobs", type=click.IntRange(1), default=1, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), help="file for the figures as JSON")
def main(
    seed: int, cars: int, sessions: int, wears: int, plugs: int, jobs: int, out: "Path | None"
) -> None:
    """Measure contact health on the plant's contacts. Exit status 1: a report was false, late or the wrong one."""
    began_s = time.monotonic()
    studies = measure(seed, cars, sessions, wears, plugs, jobs)
    click.echo(f"seed {seed}")
    for line in lines_of(studies):
        click.echo(line)
    wrong = shortfalls(studies)
    if out is not None:
        found = {
            "seed": seed, "firmware": firmware_hash(), "lines": lines_of(studies), "shortfalls": wrong,
        }  # fmt: skip
        write_whole(out, lambda stream: stream.write(json.dumps(found, indent=1) + "\n"))
    for sentence in wrong:
        click.echo(sentence, err=True)
    click.echo("%s in %.0f s" % ("FAIL" if wrong else "PASS", time.monotonic() - began_s))
    if wrong:
        sys.exit(1)


if __name__ == "__main__":
    main()
