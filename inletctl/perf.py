"""Measures what the logic promises on the host: speed, reaction times, bytes allocated.

Nothing here asserts: tests assert what cannot flake, this reports what is. Reaction times are in simulated time, from
the cause at the pin to the command, over random phases, seeds, clocks and operating points; every figure is repeated
by the same seed.
"""

import multiprocessing
import pickle
import platform
import random
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from inletctl.bench.limits import DUTY_ERROR_PCT_X100
from inletctl.house import SCENARIOS, firmware_hash, use_firmware
from inletctl.plant.config import PlantConfig
from inletctl.plant.world import World
from inletctl.scenario.load import read_scenario
from inletctl.session import PASS_US, START_BEFORE_WRAP_MS, TICKS_MASK, Session
from inletctl.targets import cpython, micropython

use_firmware()

import faults  # noqa: E402
from settings import INLETS, Settings  # noqa: E402
from signals import Commands, Readings  # noqa: E402
from step import InletStep  # noqa: E402

_CHARGE_FROM_US = 14_000_000  # by then every snapshot charges at its limit
_GIVE_UP_US = 9_000_000
# 6 mA each 0.01 %: an offer counts as obeyed within what its duty is measured to.
_MEASURED_MA = 6 * DUTY_ERROR_PCT_X100
S2_EVERY = 10  # of the causes whose S2 waits for the current


class Cause(NamedTuple):
    """One way to end or lower a charge, and the SHUTDOWN row whose limits it must keep."""

    name: str
    row: str  # of faults.SHUTDOWN; empty: only the current limit counts
    verb: str
    args: Callable[[random.Random], dict[str, Any]]
    inlet: str = "type2"
    current_ms: int = 0  # own limit, where there is no row


def _nothing(_dice: random.Random) -> dict[str, Any]:
    return {}


def _fixed(**args: Any) -> Callable[[random.Random], dict[str, Any]]:
    return lambda _dice: dict(args)


CAUSES = (
    Cause("PP wire breaks", "no_plug", "pp_wire", _fixed(state="break")),
    Cause("PP shorted", "pp_invalid", "pp_wire", _fixed(state="short")),
    Cause("PP in a gap", "pp_invalid", "pp_plug", lambda dice: {"ohm": dice.randint(2600, 4300)}),
    Cause("Type 1 button", "pp_button", "press_button", _nothing, "type1"),
    Cause("EVSE state E", "pilot_e", "evse_error", _fixed(state="e")),
    Cause("EVSE loses mains", "pilot_e", "power_cut", _nothing),
    Cause("CP wire breaks", "pilot_e", "cp_wire", _fixed(state="break")),
    Cause("EVSE state F", "pilot_f", "evse_error", _fixed(state="f")),
    Cause("PWM stops (x1)", "pilot_steady", "evse_pause", _nothing),
    Cause("5 % duty", "pilot_digital", "evse_digital", _nothing),
    Cause("duty allows nothing", "pilot_duty", "evse_duty", lambda dice: {"pct": dice.choice((1, 2.5, 7.5, 97.5, 99))}),
    Cause("wrong frequency", "pilot_frequency", "evse_frequency", lambda dice: {"hz": dice.choice((500, 900, 1100, 2000))}),
    Cause("pilot level lost", "pilot_invalid", "cp_sense", _fixed(state="dead")),
    Cause("contact too hot", "temp_high", "heat", lambda dice: {"contact": "ac_l", "c": dice.randint(95, 120)}),
    Cause("sensor open", "temp_sensor", "sensor", lambda dice: {"contact": dice.choice(("ac_l", "ac_n")), "state": "open"}),
    Cause("sensor shorted", "temp_sensor", "sensor", lambda dice: {"contact": dice.choice(("ac_l", "ac_n")), "state": "short"}),
    Cause("lock slips", "lock_lost", "lock_slip", lambda dice: {"to": dice.randint(0, 60)}),
    Cause("manual release", "lock_lost", "manual_release", _nothing),
    Cause("vehicle falls silent", "vehicle_silent", "vehicle_silent", _nothing),
    Cause("vehicle refuses", "vehicle_no", "vehicle_refuse", _nothing),
    Cause("person stops", "person_stop", "stop", _nothing),
    Cause("limit below 6 A", "below_minimum", "vehicle_limit", lambda dice: {"a": dice.randint(0, 5)}),
    Cause("charger ignores its limit", "charger_fault", "charger", _fixed(state="stuck")),
)  # fmt: skip
# Not the end of a charge: the command follows to the lower current, and S2 stays closed.
LOWER = Cause("EVSE lowers its offer", "", "evse_offer", lambda dice: {"a": dice.randint(6, 9)}, current_ms=20)  # fmt: skip


class Snapshot:
    """A charging inlet, ready to be copied: world, logic, and the tick its clock started at."""

    def __init__(self, inlet: str, dice: random.Random):
        world_keys: dict[str, Any] = {
            "inlet": inlet,
            "evse_max_a": dice.choice((10, 16, 20, 32)),
            "evse_jitter_us": dice.choice((0, 0.5, 2)),
            "ambient_c": dice.randint(-20, 40),
            "cp_noise_mv": dice.choice((0, 50)),
            "charger_down_a_s": dice.choice((20, 100)),
        }
        self.start_ms = dice.choice((0, START_BEFORE_WRAP_MS, dice.randrange(1 << 30)))
        self.world = World(PlantConfig(**world_keys), dice.randrange(1 << 30))
        self.step = InletStep(Settings({"inlet": INLETS.index(inlet)}))
        self.readings = Readings()
        self.commands = Commands()
        self.world.do("plug", cable_a=None, ohm=None, bounce=0, touching="all")
        while self.world.t_us < _CHARGE_FROM_US:
            self.pass_to(self.world.t_us + PASS_US)

    def pass_to(self, t_us: int) -> None:
        """One pass of the loop at t_us."""
        world = self.world
        if t_us > world.t_us:
            world.advance(t_us)
        world.sample(self.readings)
        self.step.step((self.start_ms + t_us // 1000) & TICKS_MASK, self.readings, self.commands)
        world.apply(self.commands)


def inject(
    frozen: bytes, cause: Cause, dice: random.Random, until_s2: bool = True
) -> tuple[int, int]:
    """Let the cause happen at a random instant; return us until the current command was 0, and until S2 was open.

    -1 where it never came, or (for S2, with `until_s2` False) was not waited for.
    """
    snapshot: Snapshot = pickle.loads(frozen)
    hit_us, next_us = _hit(snapshot, cause.verb, cause.args(dice), dice)
    if cause.row == "charger_fault":
        # A charger that draws what it drew is in the wrong only once it is told to draw less.
        _do(snapshot.world, "evse_offer", {"a": 6})
    current_us = s2_us = -1
    while (s2_us if until_s2 else current_us) < 0 and next_us - hit_us < _GIVE_UP_US:
        snapshot.pass_to(next_us)
        if current_us < 0 and snapshot.commands.charger_ma == 0:
            current_us = next_us - hit_us
        if not snapshot.commands.s2_close:
            s2_us = next_us - hit_us
        next_us += PASS_US
    return current_us, s2_us


def inject_lower(frozen: bytes, dice: random.Random) -> int:
    """Let the EVSE lower its offer at a random instant; return us until the command is no higher than that measures.

    -1 where it never is, or S2 opens.
    """
    snapshot: Snapshot = pickle.loads(frozen)
    args = LOWER.args(dice)
    hit_us, next_us = _hit(snapshot, LOWER.verb, args, dice)
    while next_us - hit_us < _GIVE_UP_US:
        snapshot.pass_to(next_us)
        if snapshot.commands.charger_ma <= args["a"] * 1000 + _MEASURED_MA:
            return next_us - hit_us if snapshot.commands.s2_close else -1
        next_us += PASS_US
    return -1


def _hit(
    snapshot: Snapshot, verb: str, args: dict[str, Any], dice: random.Random
) -> tuple[int, int]:
    """Let something happen at a random instant between two passes; return that instant and the next pass, us."""
    next_us = snapshot.world.t_us + PASS_US
    for _ in range(dice.randrange(3)):
        snapshot.pass_to(next_us)
        next_us += PASS_US
    hit_us = snapshot.world.t_us + dice.randrange(1, PASS_US)
    snapshot.world.advance(hit_us)
    _do(snapshot.world, verb, args)
    return hit_us, next_us


def _do(world: World, verb: str, args: dict[str, Any]) -> None:
    world.do(verb, **args)


def _measure_cause(job: tuple[int, int, int]) -> tuple[int, list[int], list[int]]:
    index, count, seed = job
    cause = CAUSES[index]
    dice = random.Random("%d/%d" % (seed, index))
    frozen = _charging(cause, dice)
    row = next(row for row in faults.SHUTDOWN if row[faults.ROW_NAME] == cause.row)
    is_at_once = row[faults.ROW_ORDER] == faults.NOW
    current, s2 = [], []
    for n in range(count):
        # A bounded wait of seconds, ten thousand times over, would take hours: every tenth one is waited for.
        until_s2 = is_at_once or n % S2_EVERY == 0
        current_us, s2_us = inject(dice.choice(frozen), cause, dice, until_s2)
        current.append(current_us)
        if until_s2:
            s2.append(s2_us)
    return index, current, s2


def _charging(cause: Cause, dice: random.Random) -> list[bytes]:
    """Return a few inlets that charge, at random operating points."""
    frozen = []
    for _ in range(6):
        snapshot = Snapshot(cause.inlet, dice)
        if not snapshot.commands.s2_close or snapshot.commands.charger_ma < 6000:
            raise RuntimeError("the snapshot for %r does not charge" % cause.name)
        frozen.append(pickle.dumps(snapshot))
    return frozen


def measure_lowering(count: int, seed: int) -> dict[str, Any]:
    """Let the EVSE lower its offer `count` times, and see how long the command stays above it."""
    dice = random.Random("%d/lower" % seed)
    frozen = _charging(LOWER, dice)
    values_us = [inject_lower(dice.choice(frozen), dice) for _ in range(count)]
    return {"cause": LOWER.name, "current": summary(values_us, LOWER.current_ms)}


def summary(values_us: list[int], limit_ms: int) -> dict[str, Any]:
    """Return p50, p99 and worst in ms against the limit; a reaction that never came fails."""
    never = sum(1 for value in values_us if value < 0)
    came = sorted(value for value in values_us if value >= 0)
    result: dict[str, Any] = {"n": len(values_us), "never": never, "limit_ms": limit_ms}
    if came:
        result.update(
            p50_ms=came[len(came) // 2] / 1000,
            p99_ms=came[min(len(came) - 1, len(came) * 99 // 100)] / 1000,
            worst_ms=came[-1] / 1000,
        )
    result["within_limit"] = not never and bool(came) and came[-1] <= limit_ms * 1000
    return result


def measure_reactions(
    count: int, seed: int, jobs: int, tell: Callable[[str], None]
) -> list[dict[str, Any]]:
    """Inject every cause `count` times."""
    rows = {row[faults.ROW_NAME]: row for row in faults.SHUTDOWN}
    results: list[dict[str, Any]] = []
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        work = [(index, count, seed) for index in range(len(CAUSES))]
        for index, current, s2 in pool.imap_unordered(_measure_cause, work):
            cause = CAUSES[index]
            row = rows[cause.row]
            result = {
                "cause": cause.name,
                "reason": cause.row,
                "clause": row[faults.ROW_CLAUSE],
                "current_0": summary(current, row[faults.ROW_CURRENT_MS]),
                "s2_open": summary(s2, row[faults.ROW_S2_MS]),
                "index": index,
            }
            results.append(result)
            tell("%-26s %s" % (cause.name, _line(result)))
    results.sort(key=lambda result: result.pop("index"))
    return results


def _line(result: dict[str, Any]) -> str:
    parts = []
    for key in ("current_0", "s2_open"):
        part = result[key]
        parts.append(
            "%s p50 %6.1f p99 %6.1f worst %6.1f of %5d ms%s"
            % (key, part.get("p50_ms", -1), part.get("p99_ms", -1), part.get("worst_ms", -1),
               part["limit_ms"], "" if part["within_limit"] else "  OVER")
        )  # fmt: skip
    return "  ".join(parts)


def measure_speed(repeats: int = 3) -> dict[str, Any]:
    """Run the full AC session on CPython and return simulated over real time; the best of a few runs."""
    best = 0.0
    simulated_s = 0.0
    for _ in range(repeats):
        session = Session(read_scenario(SCENARIOS / "full_ac_session.txt"))
        began = time.perf_counter()
        cpython.run(session)
        took_s = time.perf_counter() - began
        simulated_s = session.t_us / 1e6
        best = max(best, simulated_s / took_s)
    return {
        "scenario": "full_ac_session",
        "simulated_s": simulated_s,
        "times_real_time": round(best, 1),
    }


def _run_locked(name: str) -> tuple[str, int, set[int], int, int]:
    """Run a scenario on the 32-bit MicroPython, heap locked; return passes, session states, reasons, faults."""
    seen = _Seen()
    session = Session(read_scenario(SCENARIOS / (name + ".txt")), watch=seen)
    micropython.run(session)
    return name, session.passes, seen.sessions, seen.reasons, seen.faults


def measure_memory(jobs: int, tell: Callable[[str], None]) -> dict[str, Any]:
    """Run every scenario on the 32-bit MicroPython with the heap locked around each step."""
    names = sorted(path.stem for path in SCENARIOS.glob("*.txt"))
    passes = reasons = broken = 0
    sessions: set[int] = set()
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        for name, count, states, reason_mask, fault_mask in pool.imap_unordered(
            _run_locked, names
        ):
            passes += count
            sessions |= states
            reasons |= reason_mask
            broken |= fault_mask
            tell("heap locked: %s" % name)
    all_faults = (1 << len(faults.FAULTS)) - 1
    all_reasons = (1 << len(faults.SHUTDOWN)) - 1
    return {
        "heap": "locked around every step: one allocated byte would have ended the run",
        "bytes_per_step": 0,
        "steps": passes,
        "scenarios": len(names),
        "session_states_seen": len(sessions),
        "reasons_not_seen": faults.names(faults.SHUTDOWN, all_reasons & ~reasons),
        "faults_not_seen": faults.names(faults.FAULTS, all_faults & ~broken),
    }


class _Seen:
    """Collects what a run visits."""

    def __init__(self) -> None:
        self.sessions: set[int] = set()
        self.reasons = 0
        self.faults = 0

    def __call__(self, _t_us: int, _readings: Readings, commands: Commands, _world: World) -> None:
        self.sessions.add(commands.session)
        self.reasons |= commands.reasons
        self.faults |= commands.faults


def measure(count: int, seed: int, jobs: int, tell: Callable[[str], None]) -> dict[str, Any]:
    """Measure everything that needs no chip."""
    result: dict[str, Any] = {
        "firmware": firmware_hash(),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "speed": measure_speed(),
    }
    tell("speed: %.0f x real time" % result["speed"]["times_real_time"])
    result["memory"] = measure_memory(jobs, tell)
    result["reactions"] = measure_reactions(count, seed, jobs, tell)
    result["lowering"] = measure_lowering(count, seed)
    return result
