"""Reactions pin to pin on the emulated RP2040: a cause at the inlet's pins, S2's pin low and the current command 0.

Each cause happens at a random phase of the loop in a fork of one board that charges. The limits are those of the
architecture's section 6, which are stricter than the standards; what they do not name takes its row of
faults.SHUTDOWN. What is waited for before S2 opens (the current to fall) is the row's own bounded wait.
"""

import random
from collections.abc import Callable
from typing import Any, NamedTuple

from inletctl.house import use_firmware
from inletctl.measure.charging import KILL_GPIOS, Charging
from inletctl.measure.forks import fork_map

use_firmware()

import faults  # noqa: E402


class Cause(NamedTuple):
    """One cause: the verb of the virtual inlet, and what limits it."""

    name: str
    row: str  # of faults.SHUTDOWN
    verb: str
    args: dict[str, Any]
    inlet: str
    current_ms: "int | None" = None  # of architecture.md section 6; None: the row's
    s2_ms: "int | None" = None


CAUSES = (
    Cause("pilot lost (CP wire breaks)", "pilot_e", "cp_wire", {"state": "break", "hold": 0}, "type2", 50, 50),
    Cause("PP lost (wire breaks)", "no_plug", "pp_wire", {"state": "break", "hold": 0}, "type2", 20),
    Cause("Type 1 button", "pp_button", "press_button", {}, "type1", 20),
    Cause("EVSE state E", "pilot_e", "evse_error", {"state": "e"}, "type2", 50, 50),
    Cause("PWM stops (x1)", "pilot_steady", "evse_pause", {}, "type2", 50, 3000),
    Cause("contact too hot", "temp_high", "heat", {"contact": "ac_l", "c": 110}, "type2"),
    Cause("lock slips", "lock_lost", "lock_slip", {"to": 30}, "type2"),
)  # fmt: skip

KILLS = ("exception", "endless loop", "endless loop, interrupts off")
S2_LOW_LIMIT_MS = 20
BACK_LIMIT_MS = 3000


def measure_reactions(
    charging: Charging, count: int, seed: int, jobs: int, tell: Callable[[str], None]
) -> list[dict[str, Any]]:
    """Inject each cause of this inlet `count` times."""
    causes = [n for n, cause in enumerate(CAUSES) if cause.inlet == charging.inlet]
    charging.marks.is_kept = False

    def one(task: tuple[int, int]) -> dict[str, Any]:
        cause = CAUSES[task[0]]
        return charging.inject(cause.verb, cause.args, random.Random("%d/%d/%d" % (seed, *task)))

    seen: dict[int, list[dict[str, Any]]] = {n: [] for n in causes}
    for (n, _k), result in fork_map(one, [(n, k) for n in causes for k in range(count)], jobs):
        seen[n].append(result)
        if len(seen[n]) == count:
            tell("%s: %d injections" % (CAUSES[n].name, count))
    charging.marks.is_kept = True
    return [_figures(CAUSES[n], seen[n]) for n in causes]


def _figures(cause: Cause, results: list[dict[str, Any]]) -> dict[str, Any]:
    row = next(row for row in faults.SHUTDOWN if row[faults.ROW_NAME] == cause.row)
    limits = {
        "current_0": row[faults.ROW_CURRENT_MS] if cause.current_ms is None else cause.current_ms,
        "s2_open": row[faults.ROW_S2_MS] if cause.s2_ms is None else cause.s2_ms,
    }
    return {
        "cause": cause.name,
        "reason": cause.row,
        "clause": row[faults.ROW_CLAUSE],
        "current_0": distribution([r["current_us"] for r in results], limits["current_0"]),
        "s2_open": distribution([r["s2_us"] for r in results], limits["s2_open"]),
    }


def distribution(values_us: list["int | None"], limit_ms: int) -> dict[str, Any]:
    """Return how times in us lie against their limit; one that never came fails."""
    came = sorted(value for value in values_us if value is not None)
    result: dict[str, Any] = {
        "n": len(values_us),
        "never": len(values_us) - len(came),
        "limit_ms": limit_ms,
    }
    if came:
        result.update(p50_ms=came[len(came) // 2] / 1000, worst_ms=came[-1] / 1000, all_us=came)
    result["within_limit"] = len(came) == len(values_us) > 0 and came[-1] <= limit_ms * 1000
    return result


def measure_kills(
    charging: Charging, count: int, seed: int, jobs: int, tell: Callable[[str], None]
) -> list[dict[str, Any]]:
    """Kill the loop each way `count` times; the first of each is followed until the board is back."""

    def one(task: tuple[int, int]) -> dict[str, Any]:
        way, k = task
        return charging.kill(
            KILL_GPIOS[way], k == 0, random.Random("kill/%d/%d/%d" % (seed, way, k))
        )

    seen: dict[int, list[dict[str, Any]]] = {way: [] for way in range(len(KILLS))}
    tasks = [(way, k) for k in range(count) for way in range(len(KILLS))]
    for (way, _k), result in fork_map(one, tasks, jobs):
        seen[way].append(result)
        tell("loop killed by an %s: %d of %d" % (KILLS[way], len(seen[way]), count))
    figures = []
    for way, results in seen.items():
        back = [r for r in results if "back_ms" in r]
        figures.append(
            {
                "way": KILLS[way],
                "s2_low": distribution([r["s2_low_us"] for r in results], S2_LOW_LIMIT_MS),
                "s2_high_again": sum(1 for r in results if r["s2_high_again"]),
                "watchdog_ms": [r["watchdog_ms"] for r in back],
                "back_ms": [r["back_ms"] for r in back],
                "back_limit_ms": BACK_LIMIT_MS,
                "within_limit": all(
                    r["back_ms"] is not None and r["back_ms"] <= BACK_LIMIT_MS for r in back
                ),
            }
        )
    return figures
