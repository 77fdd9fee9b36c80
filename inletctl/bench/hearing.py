"""What the board said in one block, and the expectations of a case held against it.

A line takes the board some passes to send, and carries the tick it speaks of. So an expectation is judged late rather
than wrongly: with the plant as it was at that moment, and the word of the board that was in force.
"""

from collections import deque
from typing import Any

from inletctl.bench.model import Record, Sample
from inletctl.house import use_firmware
from inletctl.link.codec import COMMANDS_KIND, TICKS_MASK, Telemetry, tick_diff
from inletctl.scenario.keys import View
from inletctl.scenario.run import ScenarioRun
from inletctl.scenario.truth import Truth

use_firmware()

import drivers.virtual_layout as layout  # noqa: E402
from signals import Commands, Readings  # noqa: E402


class Hearing:
    """Takes the board's lines in, by block time, and notes where lines of commands are missing."""

    def __init__(self, record: Record):
        self.record = record
        self.last_us = 0  # of the newest line of commands, or of the boot
        self._next = 0  # number of the next line of commands

    def take(self, t_us: int, line: Telemetry) -> None:
        """Keep a line that speaks of `t_us`."""
        self.record.samples.append(Sample(t_us, line.kind, line.values, line.late))
        if line.kind != COMMANDS_KIND:
            return
        lost = tick_diff(line.number, self._next)
        # Numbers go back only by a restart, which loses nothing.
        if lost > 0:
            self.record.lost_lines += lost
            self.record.gaps.append((self.last_us, t_us))
        self._next = (line.number + 1) & TICKS_MASK
        self.last_us = max(self.last_us, t_us)

    def boot(self, t_us: int, number: int = 0) -> None:
        """The board boots at `t_us`, or listening begins there: its next line of commands has this number."""
        self._next = number
        self.last_us = t_us

    def silence(self, until_us: int) -> None:
        """Nothing was heard until `until_us`, though something should have been."""
        self.record.gaps.append((self.last_us, until_us))
        self.last_us = until_us

    def settle(self) -> None:
        """Nothing more comes: put the lines in order, for readings overtake older commands on the wire."""
        self.record.samples.sort(key=lambda sample: sample.t_us)


class CaseWatch:
    """Judges the expectations of `run`, moment by moment, as the board's words about them come in."""

    def __init__(self, run: ScenarioRun):
        self.run = run
        self.has_expectations = bool(run.scenario.expectations)
        self._commands = Commands()
        self._view: Any = View(Readings(), self._commands, None)
        self._moments: deque[tuple[int, Truth | None]] = deque()

    def keep(self, t_us: int, world: Any) -> None:
        """Keep the moment `t_us`, one a pass; `world` is None where nobody knows the truth."""
        truth = Truth(world) if self.has_expectations and world is not None else None
        self._moments.append((t_us, truth))

    @property
    def oldest_us(self) -> int:
        """Return the oldest moment not judged yet; -1 if there is none."""
        return self._moments[0][0] if self._moments else -1

    def word(self, t_us: int, values: tuple[int, ...]) -> None:
        """From `t_us` on the board's commands are `values`, in the order of drivers.virtual_layout.COMMANDS."""
        self.judge(t_us)
        commands = self._commands
        for name, value in zip(layout.COMMANDS, values):
            setattr(commands, name, value)

    def dark(self, t_us: int) -> None:
        """From `t_us` on the board is off: nothing is driven, nothing is said."""
        self.word(t_us, (0,) * len(layout.COMMANDS))

    def judge(self, before_us: int) -> None:
        """Judge every moment kept before `before_us` with the word in force."""
        moments, run, view = self._moments, self.run, self._view
        while moments and moments[0][0] < before_us and not run.is_over:
            t_us, truth = moments.popleft()
            view.world = truth
            if truth is not None:
                view.violations = truth.violations
            run.check(t_us, view)
