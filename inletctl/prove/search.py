"""A breadth-first search of the real step for a way to break a rule.

One move is one thing that changes outside (rig.DIMENSIONS; takes no time), or a wait of one of WAITS passes. Every state that
can be reached from a root (rig.ROOTS) by so many moves is tried once, for every way the inlet may be set (rig.CONFIGS); states
that differ in nothing but what snapshot.PHASES names count as one. Where there are more than were asked for, a share of each
depth drawn by the seed is gone on with, and the result says so.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from random import Random

from inletctl.prove.firmware import Firmware, healthy
from inletctl.prove.rig import CONFIGS, NAMES, ROOTS, VALUES, Rig, Script, play, plays
from inletctl.prove.snapshot import Snapshots
from inletctl.prove.watcher import Broken

# Passes of a wait: one; past a debounce; past state B's time and every check of S2; past the rest of S2.
WAITS = (1, 7, 60, 320)


@dataclass
class Depth:
    """What one depth came to."""

    depth: int
    states: int  # found at this depth, new
    tried: int  # of them gone on with


@dataclass
class Found:
    """A way to break a rule."""

    config: str
    root: str
    moves: Script
    broken: Broken

    @property
    def script(self) -> Script:
        """Return everything that happens, from the boot on."""
        return (*ROOTS[self.root], *self.moves)

    @property
    def wanted(self) -> dict[str, int]:
        """Return how the inlet is set."""
        return CONFIGS[self.config]


@dataclass
class Result:
    """What a search came to."""

    seed: int
    depth: int
    states: int = 0
    passes: int = 0
    cpu_s: float = 0.0
    depths: dict[str, list[Depth]] = field(default_factory=dict)  # by config
    found: "Found | None" = None

    @property
    def is_exhaustive(self) -> bool:
        """Tell whether every state of every depth was gone on with."""
        return all(one.tried == one.states for depths in self.depths.values() for one in depths)

    @property
    def whole_depth(self) -> int:
        """Return up to which depth no state was left out, the least of all configs."""
        least = self.depth
        for depths in self.depths.values():
            whole = 0
            for one in depths:
                if one.tried < one.states:
                    break
                whole = one.depth + 1
            least = min(least, whole)
        return least


class _Node:
    __slots__ = ("before", "move", "root", "state")

    def __init__(
        self, state: tuple, before: "_Node | None", move: "tuple[str, str] | int | None", root: str
    ):
        self.state = state
        self.before = before
        self.move = move
        self.root = root


def _moves_of(node: _Node) -> list:
    moves = []
    at: "_Node | None" = node
    while at is not None and at.move is not None:
        moves.append(at.move)
        at = at.before
    return moves[::-1]


def _merged(moves: list) -> Script:
    """Return the moves with waits that follow each other in one."""
    made: list = []
    for move in moves:
        if made and isinstance(move, int) and isinstance(made[-1], int):
            made[-1] += move
        else:
            made.append(move)
    return tuple(made)


class Search:
    """One search. `states` bounds how many states are gone on with in all; `tell(done, of)` is called now and then."""

    def __init__(
        self,
        depth: int,
        states: int,
        seed: int = 1,
        firmware: "Firmware | None" = None,
        configs: Iterable[str] = tuple(CONFIGS),
        roots: Iterable[str] = tuple(ROOTS),
        tell: "Callable[[int, int], None] | None" = None,
    ):
        self._firmware = firmware or healthy()
        self._configs = tuple(configs)
        self._roots = tuple(roots)
        self._tell = tell
        self._most = states
        self._dice = Random(seed)
        self.result = Result(seed, depth)

    def run(self) -> Result:
        """Search until something is found, or all is done."""
        began_s = time.process_time()
        result = self.result
        for n, config in enumerate(self._configs):
            left = self._most - result.states
            self._search(config, max(1, left // (len(self._configs) - n)))
            if result.found is not None:
                break
        result.cpu_s = time.process_time() - began_s
        return result

    def _search(self, config: str, budget: int) -> None:
        result = self.result
        rig = Rig(self._firmware, CONFIGS[config])
        snapshots = Snapshots(rig)
        fresh = Rig(self._firmware, CONFIGS[config])
        start = Snapshots(fresh).take()
        level: list[_Node] = []
        seen: set[int] = set()
        for root in self._roots:
            snapshots.put(start)
            broken = play(rig, ROOTS[root])
            if broken is not None:
                result.found = Found(config, root, (), broken)
                return
            state = snapshots.take()
            self._keep(snapshots.key(state), state, None, None, root, seen, level)
        depths = result.depths[config] = []
        for depth in range(result.depth):
            states = len(level)
            # What is left is kept for the depths to come, each a little more than the one before.
            share = budget if depth == result.depth - 1 else max(1, budget // 2)
            if states > share:
                level = self._dice.sample(level, share)
            budget -= len(level)
            depths.append(Depth(depth, states, len(level)))
            level = self._go_on(config, rig, snapshots, level, seen)
            if result.found is not None or not level or budget <= 0:
                break
        result.passes += rig.passes

    def _go_on(
        self, config: str, rig: Rig, snapshots: Snapshots, level: list[_Node], seen: set[int]
    ) -> list[_Node]:
        result = self.result
        dimensions = plays(config)
        after: list[_Node] = []
        for node in level:
            result.states += 1
            if self._tell is not None and result.states % 50 == 0:
                self._tell(result.states, self._most)
            parts, outside, watched, values = node.state
            inside = snapshots.key_inside(node.state)
            for n in dimensions:
                name = NAMES[n]
                for value, word in enumerate(VALUES[n]):
                    if value == values[n]:
                        continue
                    changed = (*values[:n], value, *values[n + 1 :])
                    state = (parts, outside, watched, changed)
                    key = hash((inside, changed))
                    self._keep(key, state, node, (name, word), node.root, seen, after)
            snapshots.put(node.state)
            passed = 0
            for wait in WAITS:
                # A longer wait goes on where the shorter one ended.
                broken = rig.run(wait - passed)
                if broken is not None:
                    moves = _merged([*_moves_of(node), wait])
                    result.found = Found(config, node.root, moves, broken)
                    return after
                passed = wait
                state = snapshots.take()
                self._keep(snapshots.key(state), state, node, wait, node.root, seen, after)
        return after

    def _keep(
        self, key: int, state: tuple, before: "_Node | None", move: "tuple[str, str] | int | None", root: str, seen: set[int], to: list[_Node]
    ) -> None:  # fmt: skip
        if key not in seen:
            seen.add(key)
            to.append(_Node(state, before, move, root))
