"""A scenario at work: verbs become due, expectations are watched, and every one ends as an outcome.

The target drives it once a pass, in this order (see `ScenarioRun`):

    off_ms = run.run_due(world, t_us) if run.next_due_us <= t_us else 0
    world.advance(t_us) ... sample, step, apply ...
    run.check(t_us, view)
"""

from dataclasses import dataclass
from typing import Any

from inletctl.scenario.language import CLOCK_JUMP, READING, RESET, RESET_OFF_MS
from inletctl.scenario.model import (
    ALWAYS,
    AT,
    END,
    FOR,
    NEVER,
    PASS_US,
    WITHIN,
    Action,
    Expectation,
    Scenario,
)
from inletctl.scenario.units import show_time

# Later than any scenario: nothing is due any more.
NEVER_US = 1 << 62


@dataclass(frozen=True)
class Outcome:
    """What became of one expectation."""

    expectation: Expectation
    passed: bool
    t_us: int  # when it was decided
    sentence: str = ""  # of a failure: file:line, what was expected, what was seen, when
    # WITHIN: from the line's time to the pass in which it became true for good. ALWAYS and NEVER with a time: the
    # longest that it was broken. None for other forms, for a failure, and where there was nothing to measure.
    reaction_us: "int | None" = None
    was_so_before: bool = False


class Watch:
    """One AT, WITHIN, FOR or END expectation while it is open. `look` once a pass until it returns an Outcome."""

    def __init__(self, expectation: Expectation, path: str, end_us: int):
        self.expectation = expectation
        self.where = "%s:%d" % (path, expectation.line)
        self.start_us = end_us if expectation.form == END else expectation.t_us
        if expectation.is_before:
            self.start_us -= PASS_US
        self.deadline_us = self.start_us + expectation.span_us
        # WITHIN is also looked at in the pass before, to know whether it was true already.
        self.wake_us = self.start_us - (PASS_US if expectation.form == WITHIN else 0)
        self._since_us = -1  # true since this pass; -1 = false in the last pass
        self._lost_us = -1  # last pass in which it turned false after it had been true; -1 = never
        # True in the pass before start_us. Nothing was before 0s, so what is true at once there measures nothing.
        self._before = self.start_us == 0
        self._was_false = False  # false in at least one pass since start_us
        self._last_us = -1  # last pass looked at since start_us; -1 = none
        self._raws: list[Any] = []  # what each test saw when it was last false

    def look(self, t_us: int, view) -> "Outcome | None":
        """Look once; return the outcome as soon as it is certain."""
        form = self.expectation.form
        if form == WITHIN:
            return self._look_within(t_us, view)
        if form == FOR and t_us > self.deadline_us and self._last_us >= 0:
            return self._passed(t_us)
        self._last_us = t_us
        if not all(test.holds(view) for test in self.expectation.tests):
            return self._failed(
                t_us, "saw %s at %s" % (_seen(self.expectation.tests, view), show_time(t_us))
            )
        return self._passed(t_us) if t_us >= self.deadline_us else None

    def _look_within(self, t_us, view):
        tests = self.expectation.tests
        if t_us <= self.deadline_us:
            is_true = all(test.holds(view) for test in tests)
            if t_us < self.start_us:
                self._before = is_true
                return None
            self._note(t_us, is_true, view)
            if t_us < self.deadline_us:
                return None
        if self._since_us < 0:
            return self._failed(t_us, self._within_story())
        already = self._before and not self._was_false
        reaction_us = None if already else max(0, self._since_us - self.start_us)
        return Outcome(self.expectation, True, self._last_us, "", reaction_us, already)

    def _note(self, t_us, is_true, view):
        self._last_us = t_us
        if is_true:
            if self._since_us < 0:
                self._since_us = t_us
            return
        if self._since_us >= 0:
            self._lost_us = t_us
        self._since_us = -1
        self._was_false = True
        self._raws = [
            None if test.holds(view) else (test.raw(view),) for test in self.expectation.tests
        ]

    def _within_story(self):
        if self._last_us < 0:
            return "no pass fell into that time"
        pairs = zip(self.expectation.tests, self._raws)
        words = " ".join(test.seen(kept[0]) for test, kept in pairs if kept is not None)
        story = "saw %s at %s" % (words, show_time(self._last_us))
        if self._lost_us >= 0:
            story += ", after it had been true until %s" % show_time(self._lost_us)
        return story

    def _passed(self, t_us):
        return Outcome(self.expectation, True, t_us)

    def _failed(self, t_us, story):
        return Outcome(self.expectation, False, t_us, "%s; %s" % (self.promise(), story))

    def promise(self) -> str:
        """Return 'file:line: expected ... when'."""
        conditions = " ".join(test.text for test in self.expectation.tests)
        form = self.expectation.form
        if form == AT:
            when = ("before " if self.expectation.is_before else "at ") + show_time(
                self.expectation.t_us
            )
        elif form == END:
            when = "at the end at " + show_time(self.start_us)
        else:
            when = "%s %s from %s" % (
                form,
                show_time(self.expectation.span_us),
                show_time(self.start_us),
            )
        return "%s: expected %s %s" % (self.where, conditions, when)


class Guard:
    """One ALWAYS or NEVER expectation. It is looked at in every pass, so `suspects` has to be cheap."""

    def __init__(self, expectation: Expectation, path: str):
        self.expectation = expectation
        self.where = "%s:%d" % (path, expectation.line)
        self.tests = expectation.tests
        self.is_always = expectation.form == ALWAYS
        self.since_us = -1  # broken since this pass, within its tolerance; -1 = not broken
        self.worst_us = 0  # the longest that it was broken
        # What to ask in every pass: ALWAYS breaks where one of these is false, NEVER where it is true.
        self.suspects = [test.holds for test in self.tests] if self.is_always else [self.all_hold]

    def all_hold(self, view) -> bool:
        """Tell whether every test is true in this pass."""
        for test in (
            self.tests
        ):  # a loop, because this runs in every pass and all() over a generator is slower
            if not test.holds(view):
                return False
        return True

    def breach(self, t_us: int, view) -> "Outcome | None":
        """Return the outcome if the guard is broken for too long in this pass."""
        tests = tuple(test for test in self.tests if test.holds(view) is not self.is_always)
        is_broken = bool(tests) if self.is_always else len(tests) == len(self.tests)
        if not is_broken:
            if self.since_us >= 0:
                self.worst_us = max(self.worst_us, t_us - self.since_us)
                self.since_us = -1
            return None
        if self.since_us < 0:
            self.since_us = t_us
        if t_us - self.since_us < self.expectation.span_us:
            return None
        began = " since %s" % show_time(self.since_us) if self.expectation.span_us else ""
        promise, _, wanted = self.expectation.text.partition(" expect ")
        seen = (
            self.where,
            promise,
            wanted,
            _seen(tests, view, everything=True),
            show_time(t_us),
            began,
        )
        return Outcome(self.expectation, False, t_us, "%s: expected %s %s; saw %s at %s%s" % seen)

    def passed(self, t_us: int) -> Outcome:
        """Return the outcome of a guard that held to the end."""
        return Outcome(self.expectation, True, t_us, "", self.worst_us or None)


def _seen(tests, view, everything=False) -> str:
    return " ".join(
        test.seen(test.raw(view)) for test in tests if everything or not test.holds(view)
    )


class ScenarioRun:
    """One run of a scenario against one target. Picklable, so a campaign may snapshot it with the world.

    `event`, if given, is called as event(t_us, text) for every verb and every failed expectation.
    """

    def __init__(self, scenario: Scenario, event=None):
        self.scenario = scenario
        self.event = event
        self.is_over = (
            False  # the end was reached (or the run was given up) and every outcome is known
        )
        self.outcomes: list[Outcome] = []
        self._actions = scenario.actions
        self._next_action = 0
        self.forced: dict[str, int] = {}  # readings that the scenario writes, by name
        self.jumped_ms = 0  # by which the board's clock has jumped ahead, in all
        self.breaches: list[tuple[int, str]] = []  # what no scenario allows: (t_us, sentence)
        self.next_due_us = NEVER_US  # when `run_due` has something to do
        self._set_next_due()
        path = scenario.path
        forms = (ALWAYS, NEVER)
        self._is_alert = False  # a guard is broken, though not for too long yet
        self._set_guards([Guard(e, path) for e in scenario.expectations if e.form in forms])
        watches = [
            Watch(e, path, scenario.end_us) for e in scenario.expectations if e.form not in forms
        ]
        self._waiting = sorted(watches, key=lambda watch: watch.wake_us, reverse=True)
        self._open: list[Watch] = []
        self._next_wake_us = scenario.end_us
        self._set_next_wake()

    @property
    def failures(self) -> list[str]:
        """Return the sentence of each failed expectation, in the order of time, then of each breach."""
        failed = [outcome.sentence for outcome in self.outcomes if not outcome.passed]
        return failed + [sentence for _t_us, sentence in self.breaches]

    @property
    def passed(self) -> bool:
        """Tell whether the run is over and nothing failed."""
        return (
            self.is_over and not self.breaches and all(outcome.passed for outcome in self.outcomes)
        )

    @property
    def actions(self) -> tuple[Action, ...]:
        """Return what happened and what is still to come, in order of time."""
        return self._actions

    def add(self, action: Action) -> None:
        """Let something happen that nobody had planned: whoever watches the run acts on what is seen.

        `action.t_us` lies after the pass that has just been checked.
        """
        done, waiting = self._actions[: self._next_action], self._actions[self._next_action :]
        self._actions = done + tuple(sorted((*waiting, action), key=lambda one: one.t_us))
        self._set_next_due()

    def breach(self, t_us: int, sentence: str) -> None:
        """Note that something happened that no scenario needs to expect: it must never happen."""
        sentence = "%s at %s" % (sentence, show_time(t_us))
        self.breaches.append((t_us, sentence))
        if self.event is not None:
            self.event(t_us, "FAILED " + sentence)

    def run_due(self, world, t_us: int) -> int:
        """Carry out every verb due at or before t_us, each at its own time.

        Returns 0, or for how many ms from t_us on the board is dark because a `reset` was among them.
        """
        off_ms = 0
        while self.next_due_us <= t_us:
            action = self._actions[self._next_action]
            self._next_action += 1
            self._set_next_due()
            if action.t_us > world.t_us:
                world.advance(action.t_us)
            if action.verb == RESET:
                off_ms = dict(action.values).get("off_ms", RESET_OFF_MS)
                said = None
            elif action.verb == READING:
                values = dict(action.values)
                self.forced[values["name"]] = values["value"]
                said = None
            elif action.verb == CLOCK_JUMP:
                self.jumped_ms += dict(action.values)["ms"]
                said = None
            else:
                said = world.do(action.verb, **dict(action.values))
            if self.event is not None:
                self.event(action.t_us, "%s: %s" % (action.words, said) if said else action.words)
        return off_ms

    def check(self, t_us: int, view) -> None:
        """Look at the expectations, once a pass, after the commands of the pass took effect."""
        for holds, calm in self._suspects:
            if holds(view) is not calm:
                self._judge_guards(t_us, view)
                break
        else:
            if self._is_alert:
                self._judge_guards(t_us, view)
        if t_us >= self._next_wake_us:
            self._wake(t_us)
        if self._open:
            self._look(t_us, view)
        if t_us >= self.scenario.end_us:
            self._finish(t_us)

    def give_up(self, t_us: int, why: str) -> None:
        """End the run before its time: what is still open has failed, because nobody can say."""
        if self.is_over:
            return
        for watch in self._open + self._waiting[::-1]:
            self._decide(
                Outcome(
                    watch.expectation,
                    False,
                    t_us,
                    "%s; %s at %s" % (watch.promise(), why, show_time(t_us)),
                )
            )
        self._open = []
        self._waiting = []
        self._next_wake_us = NEVER_US
        self._finish(t_us)

    def _set_next_due(self):
        more = self._next_action < len(self._actions)
        self.next_due_us = self._actions[self._next_action].t_us if more else NEVER_US

    def _set_next_wake(self):
        self._next_wake_us = self._waiting[-1].wake_us if self._waiting else NEVER_US

    def _set_guards(self, guards):
        self._guards = guards
        self._suspects = [(holds, guard.is_always) for guard in guards for holds in guard.suspects]

    def _judge_guards(self, t_us, view):
        kept = []
        self._is_alert = False
        for guard in self._guards:
            outcome = guard.breach(t_us, view)
            if outcome is None:
                kept.append(guard)
                self._is_alert |= guard.since_us >= 0
            else:
                self._decide(outcome)
        if len(kept) < len(self._guards):
            self._set_guards(kept)

    def _wake(self, t_us):
        while self._waiting and self._waiting[-1].wake_us <= t_us:
            self._open.append(self._waiting.pop())
        self._set_next_wake()

    def _look(self, t_us, view):
        still = []
        for watch in self._open:
            outcome = watch.look(t_us, view)
            if outcome is None:
                still.append(watch)
            else:
                self._decide(outcome)
        self._open = still

    def _decide(self, outcome):
        self.outcomes.append(outcome)
        if not outcome.passed and self.event is not None:
            self.event(outcome.t_us, "FAILED " + outcome.sentence)

    def _finish(self, t_us):
        if self.is_over:
            return
        self.is_over = True
        for guard in self._guards:
            self.outcomes.append(guard.passed(t_us))
        self._set_guards([])


def reactions(outcomes: list[Outcome]) -> list[tuple[int, int, int]]:
    """Return (line, reaction in us, allowed in us) of everything that measured a time, for reports."""
    return [
        (outcome.expectation.line, outcome.reaction_us, outcome.expectation.span_us)
        for outcome in outcomes
        if outcome.reaction_us is not None
    ]
