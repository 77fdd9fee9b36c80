"""What the board said, by name: the numbers of a line become words, and lines become changes."""

from functools import cache
from importlib import import_module
from typing import Any

from inletctl.bench.model import Record, Sample
from inletctl.house import use_firmware
from inletctl.record import Names, mask_rows, name_of

# What a person is told when it changes: (field, name in a sentence).
_TOLD = (
    ("session", "session"),
    ("pilot_state", "pilot"),
    ("s2_close", "S2"),
    ("lock_state", "lock"),
    ("limiter", "limited by"),
    ("offered_ma", "offered"),
    ("permitted_ma", "permitted"),
    ("charger_ma", "commanded"),
    ("reasons", "reasons"),
    ("faults", "faults"),
)
_JITTER_MA = 200  # a current that moves less than this says nothing in a story
_ENUMS = ("session", "pilot_state", "lock_state", "limiter", "light")


@cache
def names() -> Names:
    """Return the firmware's own words."""
    return Names.from_firmware()


@cache
def command_fields() -> tuple[str, ...]:
    """Return what a "commands" line holds, in order."""
    use_firmware()
    return tuple(import_module("drivers.virtual_layout").COMMANDS)


@cache
def reading_fields() -> tuple[str, ...]:
    """Return what a "readings" line holds, in order."""
    use_firmware()
    return tuple(import_module("vehicle.protocol").READINGS)


@cache
def flag_names() -> tuple[str, ...]:
    """Return the bits of the field "flags" of a "readings" line."""
    use_firmware()
    return tuple(import_module("vehicle.protocol").FLAGS)


def by_name(sample: Sample) -> dict[str, int]:
    """Return the values of a line by name; flags of the readings are names of their own."""
    fields = command_fields() if sample.kind == "commands" else reading_fields()
    values = dict(zip(fields, sample.values, strict=False))
    flags = values.pop("flags", None)
    if flags is not None:
        values |= {name: flags >> bit & 1 for bit, name in enumerate(flag_names())}
    return values


def word(field: str, value: int) -> str:
    """Return a value of a "commands" line as a person reads it, with its unit."""
    if field in _ENUMS:
        return name_of(names().of(field), value)
    if field in ("reasons", "faults"):
        return ", ".join(name for name, _ in mask_rows(names().of(field), value)) or "none"
    if field == "s2_close":
        return "closed" if value else "open"
    if field.endswith("_ma"):
        return f"{value / 1000:g} A"
    return str(value)


def changes(record: Record) -> list[tuple[int, str]]:
    """Return (t_us, what changed) for every "commands" line that changed something told."""
    told = []
    was: dict[str, int] = {}
    for sample in record.samples:
        if sample.kind != "commands":
            continue
        now = by_name(sample)
        moved = [
            f"{label} {word(field, was[field])} → {word(field, now[field])}"
            for field, label in _TOLD
            if field in was and field in now and _differs(field, was[field], now[field])
        ]
        if moved:
            told.append((sample.t_us, "; ".join(moved)))
            was = now
        elif not was:
            was = now
    return told


def _differs(field: str, was: int, now: int) -> bool:
    if field.endswith("_ma") and was and now:
        return abs(was - now) >= _JITTER_MA
    return was != now


def _newest(record: Record, kind: str, t_us: int) -> "Sample | None":
    newest = None
    for sample in record.samples:
        if sample.t_us >= t_us:
            break
        if sample.kind == kind:
            newest = sample
    return newest


def state_at(record: Record, t_us: int) -> list[tuple[str, str]]:
    """Return (label, words) of the newest "commands" line before `t_us`; empty if the board had said nothing."""
    newest = _newest(record, "commands", t_us)
    if newest is None:
        return []
    values = by_name(newest)
    told = [
        (label, word(field, values[field]))
        for field, label in _TOLD
        if field in values and field not in ("reasons", "faults")
    ]
    for field in ("reasons", "faults"):
        found = mask_rows(names().of(field), values.get(field, 0))
        told.append((field, "; ".join(f"{name} ({what})" for name, what in found) or "none"))
    return told


def readings_at(record: Record, t_us: int) -> list[tuple[str, str]]:
    """Return (label, words) of the newest "readings" line before `t_us`; empty if there is none."""
    newest = _newest(record, "readings", t_us)
    if newest is None:
        return []
    values: dict[str, Any] = by_name(newest)
    told = []
    if values.get("cp_ok"):
        told.append(
            ("CP", f"{values['cp_high_mv'] / 1000:.2f} / {values['cp_low_mv'] / 1000:.2f} V")
        )
    period = values.get("pilot_period_us_x10", 0)
    if values.get("pilot_count") and period > 0:
        told.append(("period", f"{period / 10:.1f} us"))
        told.append(("duty", f"{100 * values['pilot_high_us_x10'] / period:.2f} %"))
    if values.get("pp_ok"):
        told.append(("PP", f"{values['pp_mv']} of {values['pp_rail_mv']} mV"))
    return told
