"""A step's whole state as a tuple, and back: for a search that goes on from the same state many times.

What may change is read from the firmware's own text: every attribute that is assigned outside a constructor, and every array.
Ticks are kept as ages, so that a state is the same at any clock.
"""

import ast
from array import array
from collections.abc import Sequence
from functools import cache
from operator import attrgetter
from pathlib import Path
from typing import Any

from inletctl.house import HEALTHY
from inletctl.prove import truth as t
from inletctl.prove import watcher as watching
from inletctl.prove.rig import NOW_MS, Rig

# Attributes that hold a tick (the rest of the names in _ms are lengths of time), by class.
TICKS = {
    "InletStep": ("_reseat_since_ms", "_last_ms"),
    "Proximity": ("_rising_since_ms", "_since_ms"),
    "ControlPilot": ("_s2_since_ms",),
    "PortThermal": ("_second_ms",),
    "Channel": ("_visit_ms", "_conversion_ms", "_good_ms"),
    "LockActuator": ("_last_ms",),
    "Interlock": ("_entered_ms", "_opened_ms", "_asked_ms", "_b_since_ms"),
    "ChargerWatch": ("_bucket_ms", "_last_ms", "_heard_ms"),
    "Release": ("_dead_since_ms", "_measured_since_ms", "_drive_since_ms"),
    "HandOff": ("_since_ms",),
    "ServiceMode": ("_since_ms",),
    "UnlockRequest": ("_down_ms", "_wish_ms", "_first_ms"),
    "Thaw": ("_entered_ms",),
}
# Kept, but two states that differ in nothing else count as one: the phase of what runs once a second or in a ring, and slow
# statistics of minutes. A search that asked for them would never meet a state again.
PHASES = {
    "PortThermal": ("_turn", "_trend_turn", "_second_ms", "_flow_s", "_pause_s"),
    "Channel": (
        "_visit_ms", "_conversion_ms", "_good_ms", "low", "high", "watched_s", "_slow", "_slow_s", "_history",
        "_history_count", "_history_next",
    ),
    "ChargerWatch": ("_oldest", "_bucket_ms", "_highest_ma"),
    "BridgeGuard": ("_slot", "_slot_ms", "_slots_ms"),
    "LockActuator": ("event",),
    "ControlPilot": ("_raise_ma",),
    "Probe": ("_node", "ohm_x10"),
}  # fmt: skip
# Ages and lengths of time beyond this are one: no time of the step but rests and forgiveness is longer.
OLD_MS = 3500
_LENGTHS = {
    "LockActuator": ("_state_ms",),
    "LockFeedback": ("dwell_ms",),
    "BridgeGuard": ("off_ms",),
}
# Filled in each pass, so not remembered; but for what the interlock writes into them.
_INPUTS = ("is_modem_fresh", "is_dc")


@cache
def assigned(folder: Path = HEALTHY) -> frozenset[str]:
    """Return the name of every attribute that some function but a constructor assigns, or of which it assigns an item."""
    found: set[str] = set()
    for path in sorted(folder.rglob("*.py")):
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(function, ast.FunctionDef) or function.name == "__init__":
                continue
            for node in ast.walk(function):
                if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
                    node = node.value  # noqa: PLW2901 - an array is changed by its items
                    if isinstance(node, ast.Attribute):
                        found.add(node.attr)
                elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                    found.add(node.attr)
    return frozenset(found)


class _Part:
    """One object of the graph: its names that change, in three groups."""

    def __init__(self, thing: Any, names: Sequence[str]):
        kind = type(thing).__name__
        ticks = set(TICKS.get(kind, ()))
        phases = set(PHASES.get(kind, ()))
        lengths = set(_LENGTHS.get(kind, ()))
        arrays = {name for name in names if isinstance(getattr(thing, name), array)}
        plain = [name for name in names if name not in ticks | arrays]
        self.thing = thing
        self.dict = thing.__dict__
        self.plain = tuple(plain)
        self.ticks = tuple(name for name in names if name in ticks)
        self.arrays = tuple((getattr(thing, name), name in phases) for name in sorted(arrays))
        self.get = _getter(self.plain)
        self.get_ticks = _getter(self.ticks)
        # Of `plain` and `ticks`: what a key takes, and how.
        self.key_plain = tuple(n for n, name in enumerate(plain) if name not in phases | lengths)
        self.key_lengths = tuple(n for n, name in enumerate(plain) if name in lengths)
        self.key_ticks = tuple(n for n, name in enumerate(self.ticks) if name not in phases)


def _getter(names: tuple[str, ...]) -> Any:
    if not names:
        return lambda thing: ()
    if len(names) == 1:
        get = attrgetter(names[0])
        return lambda thing: (get(thing),)
    return attrgetter(*names)


class Snapshots:
    """Takes and puts back the states of one rig; a state is the rig's own and the firmware's, seen at NOW_MS."""

    def __init__(self, rig: Rig):
        self._rig = rig
        self._parts: list[_Part] = []
        self._walk(rig.step, set())

    def _walk(self, thing: Any, seen: set[int]) -> None:
        if id(thing) in seen:
            return
        seen.add(id(thing))
        changing = assigned()
        names = []
        for name, value in vars(thing).items():
            if type(value).__name__ == "Settings":
                continue
            if hasattr(value, "__dict__") and not isinstance(value, type):
                self._walk(value, seen)
            elif isinstance(value, (list, tuple)) and value and hasattr(value[0], "__dict__"):
                for one in value:
                    self._walk(one, seen)
            elif name in changing:
                names.append(name)
        if type(thing).__name__ == "Inputs":
            names = list(_INPUTS)
        if names:
            self._parts.append(_Part(thing, names))

    # ------------------------------------------------------------------------------------------------------------

    def take(self) -> tuple:
        """Return the state as it is after a pass."""
        rig = self._rig
        now = rig.now_ms
        diff = t.ticks.ticks_diff
        parts = tuple(
            (
                part.get(part.thing),
                tuple([diff(now, tick) for tick in part.get_ticks(part.thing)]),
                tuple([one.tobytes() for one, _ in part.arrays]),
            )
            for part in self._parts
        )
        return (parts, self._outside(), self._watched(), tuple(rig.values))

    def put(self, state: tuple) -> None:
        """Put a state back; the clock stands at NOW_MS."""
        parts, outside, watched, values = state
        add = t.ticks.ticks_add
        for part, (plain, ages, arrays) in zip(self._parts, parts):
            part.dict.update(zip(part.plain, plain))
            for name, age in zip(part.ticks, ages):
                part.dict[name] = add(NOW_MS, -age)
            for (one, _), data in zip(part.arrays, arrays):
                one[:] = array(one.typecode, data)
        rig = self._rig
        rig.now_ms = NOW_MS
        rig.s2, rig.told_ma, rig.drive, rig.travel_ms, rig.contactor = outside
        rig.values[:] = values
        self._put_watched(watched)

    def key(self, state: tuple) -> int:
        """Return a number that two states share that count as one."""
        return hash((self.key_inside(state), state[3]))

    def key_inside(self, state: tuple) -> int:
        """Return the same of everything but the values of the dimensions outside."""
        parts, outside, watched, _values = state
        made = []
        for part, (plain, ages, arrays) in zip(self._parts, parts):
            made.append(tuple([plain[n] for n in part.key_plain]))
            if part.key_lengths:
                made.append(tuple([min(plain[n], OLD_MS) for n in part.key_lengths]))
            if part.key_ticks:
                made.append(tuple([min(ages[n], OLD_MS) for n in part.key_ticks]))
            made += [data for (_, is_phase), data in zip(part.arrays, arrays) if not is_phase]
        ages, rest, causes, _drives, _end = watched
        old = tuple([min(age, cap) for age, cap in zip(ages, self._caps)])
        causes = tuple([min(age, OLD_MS) for age in causes])
        return hash((tuple(made), outside, old, rest, causes))

    def _outside(self) -> tuple:
        rig = self._rig
        return (rig.s2, rig.told_ma, rig.drive, rig.travel_ms, rig.contactor)

    _times = tuple(watching.TIMES)
    _caps = tuple(min(cap, OLD_MS) for cap in watching.TIMES.values())
    _get_rest = attrgetter(*watching.REST)

    def _watched(self) -> tuple:
        w = self._rig.watcher
        if w is None:
            return ()
        now = w.t
        ages = tuple(
            [
                now - time if time >= 0 else -1
                for time in [getattr(w, name) for name in self._times]
            ]
        )
        causes = tuple([now - time if time >= 0 else -1 for time in w.cause_t])
        drives = tuple([(now - begin, now - end) for begin, end in w.drives])
        return (ages, Snapshots._get_rest(w), causes, drives, w.stop_end_t - now)

    def _put_watched(self, watched: tuple) -> None:
        w = self._rig.watcher
        if w is None:
            return
        ages, rest, causes, drives, end = watched
        now = NOW_MS
        w.t = w.t_prev = now
        w.began_ms = 0
        w._last_tick_ms = NOW_MS
        for name, age in zip(self._times, ages):
            setattr(w, name, now - age if age >= 0 else -1)
        w.__dict__.update(zip(watching.REST, rest))
        w.cause_t = [now - age if age >= 0 else -1 for age in causes]
        w.drives = [(now - begin, now - end) for begin, end in drives]
        w.stop_end_t = now + end
        w.forget_pass()
