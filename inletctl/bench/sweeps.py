"""Sweeps: one quantity set to many values in turn, and what each value is to be read as.

All but a duty sweep with `charging` run with a vehicle that refuses: S2 stays open, the level is that of state B, and
every value is judged on what the board says it would allow.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from random import Random
from typing import Any

from inletctl.bench import limits
from inletctl.bench.channels import needs_of
from inletctl.bench.model import Block, Step, Stimulus
from inletctl.plant.config import KEYS

UP, DOWN, RANDOM = "up", "down", "random"
ORDERS = (UP, DOWN, RANDOM)
MAX_VALUES = 5000
_SECOND_US = 1_000_000
_PLUG_US = 500_000
# Plugged, debounced and locked by then, and the first duty believed.
_BEGIN_US = 4_000_000
_CHARGING_US = 9_000_000


@dataclass(frozen=True)
class Kind:
    """What a quantity is: its unit, what it may be set to, how long each value stands, how often readings are told."""

    unit: str
    minimum: float
    maximum: float
    settle_s: float
    rate_ms: int
    duty_pct: float  # sent meanwhile
    make: Callable[["Sweep", float, int, int], list[Step]]
    stimuli: Callable[["Sweep", float, float], list[tuple[str, dict[str, Any]]]]


@dataclass(frozen=True)
class Sweep:
    """One [[sweep]] of a recipe."""

    id: str
    title: str
    kind: str
    inlet: str
    values: tuple[
        float, ...
    ]  # as set, in the order they are set; random ones still in rising order
    order: str
    settle_us: int
    is_charging: bool
    requirements: tuple[str, ...]
    settings: dict[str, int] = field(default_factory=dict)
    world: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        table: dict[str, Any],
        inlet: str,
        requirements: tuple[str, ...],
        settings: dict[str, int],
        world: dict[str, Any],
    ) -> "Sweep":
        """Build a sweep from its table. Raises ValueError with a sentence where the numbers make none."""
        kind = KINDS[table["kind"]]
        order = table.get("order", UP)
        if order not in ORDERS:
            raise ValueError("order is one of %s, not %r" % (", ".join(ORDERS), order))
        values = _values(table, kind)
        settle_s = table.get("settle_s", kind.settle_s)
        if not 0.05 <= settle_s <= 600:
            raise ValueError("settle_s is 0.05..600, not %r" % settle_s)
        is_charging = table.get("charging", False)
        if is_charging and (table["kind"] != "duty" or values[0] < 8 or values[-1] > 97):
            raise ValueError("charging goes with a duty of 8..97 %: nothing else lets it charge")
        if table["kind"] == "temperature" and (
            order != UP or max((b - a for a, b in pairwise(values)), default=0) > 3
        ):
            raise ValueError(
                "temperature goes up, in steps of 3 K at most: a contact cannot jump, and one that cools is held back"
            )
        return cls(
            table["id"],
            table.get("title", table["id"]),
            table["kind"],
            inlet,
            tuple(values),
            order,
            round(settle_s * _SECOND_US),
            is_charging,
            requirements,
            settings,
            world,
        )


def _values(table: dict[str, Any], kind: Kind) -> list[float]:
    """Return the values in rising order, exact to what the recipe writes."""
    found = set(_decimals(table.get("values", []), "values")) | _even(table)
    low, high = Decimal(str(kind.minimum)), Decimal(str(kind.maximum))
    outside = [value for value in found if not low <= value <= high]
    if outside:
        raise ValueError(
            "%s is outside %g..%g %s" % (outside[0], kind.minimum, kind.maximum, kind.unit)
        )
    # A dense point near the end of the range reaches beyond it.
    found |= {value for value in _dense(table) if low <= value <= high}
    if not found:
        raise ValueError("it has no value to set; write from, to and step, or values")
    if len(found) > MAX_VALUES:
        raise ValueError("more than %d values" % MAX_VALUES)
    return [float(value) for value in sorted(found)]


def _even(table: dict[str, Any]) -> set[Decimal]:
    if not {"from", "to", "step"} & set(table):
        return set()
    for key in ("from", "to", "step"):
        if key not in table:
            raise ValueError("from, to and step go together; %s is missing" % key)
    low, high, step = _decimals(
        [table[key] for key in ("from", "to", "step")], "from, to and step"
    )
    if step <= 0 or low > high:
        raise ValueError("from is to be below to, and step above 0")
    if (high - low) / step > MAX_VALUES:
        raise ValueError("more than %d values" % MAX_VALUES)
    return _range(low, high, step)


def _dense(table: dict[str, Any]) -> set[Decimal]:
    width, fine = _decimals([table.get("width", 0.3), table.get("fine", 0.1)], "width and fine")
    if fine <= 0 or width <= 0 or width / fine > 1000:
        raise ValueError("width and fine are to be above 0, and no more than 1000 steps wide")
    found: set[Decimal] = set()
    for centre in _decimals(table.get("dense", []), "dense"):
        found |= _range(centre - width, centre + width, fine)
    return found


def _decimals(values: list[Any], name: str) -> list[Decimal]:
    for value in values:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ValueError("%s holds numbers, not %r" % (name, value))
        if not math.isfinite(value):
            raise ValueError("%s holds numbers that can be set, not %r" % (name, value))
    return [Decimal(str(value)) for value in values]


def _range(low: Decimal, high: Decimal, step: Decimal) -> set[Decimal]:
    return {low + step * n for n in range(int((high - low) / step) + 1)}


def sweep_block(sweep: Sweep, seed: int) -> Block:
    """Return the block of a sweep; `seed` orders the values of a random one."""
    kind = KINDS[sweep.kind]
    settings = {"inlet": list(limits.FAMILY_OF_INLET).index(sweep.inlet)} | sweep.settings
    settings.setdefault("max_current_ma", 80_000 if sweep.kind != "temperature" else 32_000)
    values = list(sweep.values)
    if sweep.order == DOWN:
        values.reverse()
    elif sweep.order == RANDOM:
        Random(seed).shuffle(values)
    begin_us = _CHARGING_US if sweep.is_charging else _BEGIN_US
    stimuli = _head(sweep, kind)
    steps: list[Step] = []
    t_us, before = begin_us, float("nan")
    for value in values:
        until_us = t_us + sweep.settle_us
        for verb, arguments in kind.stimuli(sweep, before, value):
            stimuli.append(Stimulus(t_us, verb, arguments, _words(verb, arguments)))
        steps += kind.make(sweep, value, t_us, until_us)
        t_us, before = until_us, value
    return Block(
        id=sweep.id,
        title=sweep.title,
        inlet=sweep.inlet,
        settings=settings,
        world=_world(sweep),
        stimuli=tuple(stimuli),
        steps=tuple(steps),
        end_us=t_us,
        needs=needs_of(tuple(stimuli)),
        rate_ms=kind.rate_ms,
    )


def _world(sweep: Sweep) -> dict[str, Any]:
    # An EVSE that does at once what it is told: it stands for a signal generator here.
    world: dict[str, Any] = {
        "inlet": sweep.inlet, "evse_pwm_start_ms": 0, "evse_x1_hold_ms": 0, "evse_retry_ms": 1000,
        "charger_max_a": 80, "contact_milliohm": 0,
    }  # fmt: skip
    if sweep.inlet in ("type2", "gbt"):
        world["cable_a"] = 63
    if sweep.kind == "temperature":
        world["ambient_c"] = min(max(sweep.values[0], -40), 85)
    return world | sweep.world


def _head(sweep: Sweep, kind: Kind) -> list[Stimulus]:
    made = [("plug", {}, _PLUG_US), ("evse_duty", {"pct": kind.duty_pct}, _PLUG_US)]
    if not sweep.is_charging:
        made.insert(0, ("vehicle_refuse", {}, 0))
    return [Stimulus(t_us, verb, values, _words(verb, values)) for verb, values, t_us in made]


def _words(verb: str, values: dict[str, Any]) -> str:
    return " ".join([verb, *("%s=%s" % (name, _plain(value)) for name, value in values.items())])


def _plain(value: Any) -> str:
    return "%g" % value if isinstance(value, float) else str(value)


def _cap_ma(sweep: Sweep) -> int:
    """Return the lowest of the limits that are not the pilot's: setting, vehicle, cable."""
    world = _world(sweep)
    cap = min(sweep.settings.get("max_current_ma", 80_000), round(world["charger_max_a"] * 1000))
    if sweep.inlet in ("type2", "gbt"):
        cap = min(cap, round(world.get("cable_a", KEYS["cable_a"].default) * 1000))
    return cap


# ------------------------------------------------------------------------------------------- quantities


def _name(sweep: Sweep, value: float, digits: int) -> str:
    return "%s/%.*f" % (sweep.id, digits, value)


def _set_duty(_sweep: Sweep, before: float, value: float) -> list[tuple[str, dict[str, Any]]]:
    made: list[tuple[str, dict[str, Any]]] = []
    if before == 0:
        made.append(("evse_recover", {}))
    elif before == 100:
        made.append(("evse_resume", {}))
    if value == 0:
        return [*made, ("evse_error", {"state": "f"})]
    if value == 100:
        return [*made, ("evse_pause", {})]
    return [*made, ("evse_duty", {"pct": value})]


def _duty_steps(sweep: Sweep, value: float, t_us: int, until_us: int) -> list[Step]:
    pct_x100 = round(value * 100)
    name = _name(sweep, value, 2)
    extra = {
        "pct_x100": pct_x100,
        "family": limits.FAMILY_OF_INLET[sweep.inlet],
        "field": "charger_ma" if sweep.is_charging else "offered_ma",
        "cap_ma": _cap_ma(sweep) if sweep.is_charging else 80_000,
    }
    made = []
    if limits.DUTY_MIN_PCT_X100 <= pct_x100 <= limits.DUTY_MAX_PCT_X100:
        made.append(
            Step(
                name, "duty", value, "%", t_us, until_us, value, limits.DUTY_ERROR_PCT_X100 / 100,
                "%.2f %% read back" % value, ("OI-DUTY-1",), extra,
            )
        )  # fmt: skip
    wanted = min(limits.offer(extra["family"], pct_x100).most_ma, extra["cap_ma"])
    made.append(
        Step(
            name + "/current", "current", value, "%", t_us, until_us, wanted / 1000,
            limits.CURRENT_BELOW_MA / 1000, "%.3f A, never more" % (wanted / 1000), sweep.requirements, extra,
        )
    )  # fmt: skip
    return made


def _set_frequency(
    _sweep: Sweep, _before: float, value: float
) -> list[tuple[str, dict[str, Any]]]:
    return [("evse_frequency", {"hz": value})]


def _frequency_steps(sweep: Sweep, value: float, t_us: int, until_us: int) -> list[Step]:
    legal = limits.is_frequency_legal(value)
    word = "either" if legal is None else "used" if legal else "refused"
    return [
        Step(
            _name(sweep, value, 1), "frequency", value, "Hz", t_us, until_us, value, limits.FREQUENCY_ERROR_HZ,
            "%g Hz: %s" % (value, word), sweep.requirements, {"legal": legal},
        )
    ]  # fmt: skip


def _set_level(_sweep: Sweep, _before: float, value: float) -> list[tuple[str, dict[str, Any]]]:
    return [("evse_amplitude", {"high": value, "low": -12.0})]


def _level_steps(sweep: Sweep, value: float, t_us: int, until_us: int) -> list[Step]:
    mv = limits.pin_mv(value * 1000)
    letters = limits.level_letters(mv)
    return [
        Step(
            _name(sweep, value, 2), "level", value, "V", t_us, until_us, round(mv / 1000, 3),
            limits.LEVEL_ERROR_MV / 1000, "%.2f V at the pin, state %s" % (mv / 1000, " or ".join(sorted(letters))),
            sweep.requirements, {"letters": letters},
        )
    ]  # fmt: skip


def _set_pp(_sweep: Sweep, _before: float, value: float) -> list[tuple[str, dict[str, Any]]]:
    return [("pp_plug", {"ohm": value})]


def _pp_steps(sweep: Sweep, value: float, t_us: int, until_us: int) -> list[Step]:
    allowed = limits.cable(sweep.inlet, value)
    words = " or ".join(
        "no limit" if a < 0 else "%d A" % a if a else "refused" for a in sorted(allowed)
    )
    return [
        Step(
            _name(sweep, value, 1), "pp", value, "ohm", t_us, until_us, float(max(allowed)) if max(allowed) >= 0 else None,
            0.0, "%g ohm: %s" % (value, words), sweep.requirements, {"allowed": allowed},
        )
    ]  # fmt: skip


def _set_temperature(
    _sweep: Sweep, _before: float, value: float
) -> list[tuple[str, dict[str, Any]]]:
    made: list[tuple[str, dict[str, Any]]] = [("heat", {"contact": "all", "c": value})]
    return [*made, ("ambient", {"c": value})] if -40 <= value <= 85 else made


def _temperature_steps(sweep: Sweep, value: float, t_us: int, until_us: int) -> list[Step]:
    settings = limits.setting_defaults() | {"max_current_ma": 32_000} | sweep.settings
    most, least = limits.derated_ma(value * 10, settings)
    name = _name(sweep, value, 1)
    error = limits.TEMPERATURE_ERROR_DECIC / 10
    return [
        Step(
            name, "temperature", value, "C", t_us, until_us, value, error, "%g C read back" % value,
            sweep.requirements,
        ),
        Step(
            name + "/derating", "derating", value, "C", t_us, until_us, round(most) / 1000, round(most - least) / 1000,
            "%.2f..%.2f A permitted" % (least / 1000, most / 1000), sweep.requirements,
            {"most_ma": most, "least_ma": least},
        ),
    ]  # fmt: skip


KINDS: dict[str, Kind] = {
    # A rise of less than 0.15 A is believed after 1 s, and told within another.
    "duty": Kind("%", 0, 100, 2.5, 0, 50, _duty_steps, _set_duty),
    "frequency": Kind("Hz", 100, 5000, 2.0, 200, 50, _frequency_steps, _set_frequency),
    "level": Kind("V", 1, 15, 2.0, 200, 50, _level_steps, _set_level),
    "pp": Kind("ohm", 0, 1_000_000, 2.0, 0, 90, _pp_steps, _set_pp),
    "temperature": Kind("C", -30, 120, 5.0, 0, 90, _temperature_steps, _set_temperature),
}
