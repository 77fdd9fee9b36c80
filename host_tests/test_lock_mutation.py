"""Swaps the cells of the lock's tables, one at a time: some test of what the lock does must notice each.

General mutation tools do not swap table cells. The golden copy (test_lock_table) would notice all of them, and prove
nothing; so it takes no part. A cell for an event that a state cannot meet changes nothing by nature; which those are
follows from the other tables, and every other cell must be noticed.
"""

import inspect
import itertools
import time

import pytest
import test_lock_actuator
import test_lock_faults
import test_lock_table
from lock_rig import Rig

import lock.actuator as a

STATES = range(len(a.LOCK_STATE_NAMES))
STAY = -1


def cases():
    """Return (name, function without arguments) of every behaviour test, parametrized ones at their first clock."""
    found = []
    for module in (test_lock_actuator, test_lock_faults):
        for name, test in inspect.getmembers(module, inspect.isfunction):
            if not name.startswith("test_"):
                continue
            axes = []
            for mark in getattr(test, "pytestmark", []):
                names, values = mark.args
                if names == "t0":
                    values = values[:1]
                single = isinstance(names, str)
                axes.append([{names: v} if single else dict(zip(names, v)) for v in values])
            for chosen in itertools.product(*axes):
                merged = {k: v for part in chosen for k, v in part.items()}
                found.append((name, lambda test=test, merged=merged: test(**merged)))
    return found


class Recorder:
    """Notes which states each case visits, so that a swapped cell is tried on those only."""

    def __init__(self):
        self.visited = {}
        self.order = []  # the quickest first

    def record(self, all_cases):
        step = Rig.step
        took = {}

        def noted(rig, pass_ms=10):
            self.now.add(rig.lock.state)
            step(rig, pass_ms)
            self.now.add(rig.lock.state)

        Rig.step = noted
        try:
            for n, (_, run) in enumerate(all_cases):
                self.now = set()
                start_s = time.perf_counter()
                run()
                took[n] = time.perf_counter() - start_s
                self.visited[n] = self.now
        finally:
            Rig.step = step
        self.order = sorted(took, key=took.get)


def swapped(table, s, value):
    row = list(table)
    row[s] = value
    return tuple(row)


def is_noticed(all_cases, order, table_name, table):
    """Tell whether a case fails with `table` in the place of the real one."""
    real = getattr(a, table_name)
    setattr(a, table_name, table)
    try:
        for n in order:
            try:
                all_cases[n][1]()
            except Exception:
                return True
        return False
    finally:
        setattr(a, table_name, real)


def next_mutants():
    """Yield (state, event, other next state) for every cell that can be met."""
    for s in STATES:
        for event, real in enumerate(a._NEXT[s]):
            if real != STAY:
                yield s, event, STAY
                # The neighbour that is most like it: it tells the tests' eye for the exact state.
                yield s, event, (real + 1) % len(STATES)
            elif can_happen(s, event):
                yield s, event, a.UNLOCKED if s != a.UNLOCKED else a.LOCKED


def can_happen(s, event):
    drives = a._DRIVE[s] != 0
    return {
        a.E_UNPLUGGED: True,
        a.E_WITHDRAWN: a._NEEDS_MAY[s],
        a.E_AT_LOCKED: a._SETTLE_MS[s] or a._TARGET[s] == 2 or a._HOME[s] == 1,
        a.E_AT_UNLOCKED: a._SETTLE_MS[s] or a._TARGET[s] == 1 or a._HOME[s] == 2,
        a.E_LOST: a._SETTLE_MS[s] or a._HOME[s],
        a.E_DONE: drives and s in (a.LOCKING, a.UNLOCKING),  # no other drive without feedback
        a.E_ENDED: a._TIMEOUT_MS[s],
        a.E_SPENT: a._TIMEOUT_MS[s],
        a.E_LOCK: not drives,
        a.E_UNLOCK: not drives,
        a.E_READY: a._WAIT[s],
        a.E_READY_REV: a._WAIT[s],
    }[event]


def property_mutants():
    for name in (
        "_DRIVE _LOCKED _CONFIRMED _UNLOCKED _TIMEOUT_MS _SETTLE_MS _HOME _TARGET _WAIT _EFFORT "
        "_NEEDS_MAY _NEW_LOCK_ONLY _NEW_UNLOCK_ONLY _DOUBTS _KNOWN _RAISES _CLEARS"
    ).split():
        table = getattr(a, name)
        values = sorted(set(table))
        for s in STATES:
            other = values[(values.index(table[s]) + 1) % len(values)]
            yield name, s, other


def rules():
    """Return the tests of the table itself, the golden copy apart."""
    apart = ("test_table_is_the_golden_copy", "test_faults_are_raised_where_they_were_agreed")
    return [
        (name, test)
        for name, test in inspect.getmembers(test_lock_table, inspect.isfunction)
        if name.startswith("test_") and name not in apart and not hasattr(test, "pytestmark")
    ]


def survivors():
    """Return what behaviour alone does not notice, what nothing notices, and how many cells were swapped."""
    all_cases = cases()
    recorder = Recorder()
    recorder.record(all_cases)
    orders = {s: [n for n in recorder.order if s in recorder.visited[n]] for s in STATES}
    all_rules = rules()
    every_rule = range(len(all_rules))
    ruled, left, tried = [], [], 0
    for s, event, other in next_mutants():
        tried += 1
        table = swapped(a._NEXT, s, swapped(a._NEXT[s], event, other))
        if not is_noticed(all_cases, orders[s], "_NEXT", table):
            what = ("_NEXT", a.LOCK_STATE_NAMES[s], a.LOCK_EVENT_NAMES[event], other)
            caught = is_noticed(all_rules, every_rule, "_NEXT", table)
            (ruled if caught else left).append(what)
    for name, s, other in property_mutants():
        tried += 1
        table = swapped(getattr(a, name), s, other)
        if not is_noticed(all_rules, every_rule, name, table):
            if not is_noticed(all_cases, orders[s], name, table):
                left.append((name, a.LOCK_STATE_NAMES[s], other))
    return ruled, left, tried


# What no behaviour can show, each for a reason.
UNSEEN = {
    ("locking_reversed", "ended"),  # always the last attempt
    ("reversed_check", "ended"),  # as above
    ("unlocking_reversed", "spent"),  # never the last attempt
    ("unlock_wait", "ready_reversed"),  # never before the first attempt
    ("reopen_wait", "ready_reversed"),  # as above
    ("reopen_wait", "lock"),  # FailedLock bars the request
    ("slipped", "lock"),  # UnexpectedOpen bars the request
}


@pytest.mark.slow
@pytest.mark.no_cover
def test_every_swapped_cell_is_noticed():
    ruled, left, tried = survivors()
    print(f"{tried} cells swapped; seen by rules only: {ruled}; by nothing: {left}")
    assert tried > 500
    assert {what[1:3] for what in ruled} <= UNSEEN
    assert {what[1:3] for what in left} == UNSEEN  # both ways, so that the list stays true
