"""What a scenario is once its text has been read: plain, immutable, comparable, picklable."""

from dataclasses import dataclass, field
from typing import Any

from inletctl.scenario.expect import Test
from inletctl.scenario.units import show_time

# One pass of the firmware's loop: nothing shorter can be seen.
PASS_US = 10_000

# Forms of an expectation.
AT, WITHIN, FOR, ALWAYS, NEVER, END = "at", "within", "for", "always", "never", "end"
# `always within 50ms expect ...`, `never for 50ms expect ...`: the word before the time.
TOLERANCE = {ALWAYS: WITHIN, NEVER: FOR}


@dataclass(frozen=True)
class Action:
    """A verb happens at `t_us`. `values` holds what was written, in the order of the verb's arguments."""

    t_us: int
    verb: str
    values: tuple[tuple[str, Any], ...] = ()
    words: str = field(default="", compare=False)  # verb and values as text, for events
    line: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Expectation:
    """Something that must come out. Every one of `tests` must hold (for NEVER: not all of them at once)."""

    form: str
    tests: tuple[Test, ...]
    t_us: int = 0  # AT, WITHIN, FOR: the time it counts from; END: the end
    span_us: int = 0  # WITHIN, FOR; ALWAYS, NEVER: how long it may be broken without a break
    is_before: bool = False  # AT: judged on the last pass before `t_us`, since a verb of that time stands below it
    line: int = field(default=0, compare=False)

    @property
    def text(self) -> str:
        """Return the expectation as a line writes it, without its time."""
        conditions = " ".join(test.text for test in self.tests)
        if self.form == AT:
            return "expect " + conditions
        if self.form in (WITHIN, FOR):
            return "%s %s expect %s" % (self.form, show_time(self.span_us), conditions)
        tolerance = (
            " %s %s" % (TOLERANCE[self.form], show_time(self.span_us)) if self.span_us else ""
        )
        return "%s%s expect %s" % (self.form, tolerance, conditions)


@dataclass(frozen=True)
class Scenario:
    """One file: what is set up, what happens when, what must come out."""

    path: str = field(compare=False)
    title: str
    about: tuple[str, ...]
    inlet: str
    seed: int
    settings: dict[str, int]  # firmware settings, `inlet` included; ready for settings.Settings
    world: dict[
        str, Any
    ]  # plant configuration, `inlet` included; ready for plant.config.PlantConfig(**world)
    timeline: tuple["Action | Expectation", ...]  # in the order of the file
    end_us: int

    @property
    def actions(self) -> tuple[Action, ...]:
        """Return what happens, in order of time."""
        return tuple(item for item in self.timeline if isinstance(item, Action))

    @property
    def expectations(self) -> tuple[Expectation, ...]:
        """Return what must come out, in the order of the file."""
        return tuple(item for item in self.timeline if isinstance(item, Expectation))
