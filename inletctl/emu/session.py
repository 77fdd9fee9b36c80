"""A scenario on the emulated board: the world's clock, the scenario's verbs, the record and the expectations.

Has what inletctl.session.Session has for those who read a finished run: scenario, run, trace, world, t_us, resets,
failure.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from inletctl.emu.chip import Chip
from inletctl.emu.console import Console
from inletctl.emu.truth import Moment, fill
from inletctl.emu.wiring import Wiring
from inletctl.errors import UserError
from inletctl.house import use_firmware
from inletctl.link.codec import COMMANDS_KIND, LineSorter, Telemetry
from inletctl.plant.config import PlantConfig
from inletctl.plant.world import World
from inletctl.scenario.keys import View
from inletctl.scenario.model import Scenario
from inletctl.scenario.run import ScenarioRun
from inletctl.scenario.truth import SILENT_US
from inletctl.session import PASS_US, Trace

use_firmware()

import drivers.virtual_layout as layout  # noqa: E402
from signals import Commands, Readings  # noqa: E402

# Verbs and keys that spoil samples rather than anything a pin could carry.
NOT_ON_A_WIRE = ("noise_burst", "noise_steps", "reading")
# From boot to the first conversion, and to the first report: far more than any boot takes.
BOOT_NS = 4_000_000_000
# The board's last word before the end is under way for at most so long (a queue of four lines).
LAST_WORD_US = 700_000
_WATCH_NS = 5_000_000
RESETS_MAX = 5
_PROMPT = ">>> "


@dataclass(frozen=True)
class Row:
    """One change of the board's own word."""

    t_ms: int  # world time of the pass it speaks of
    since_ms: int  # not before this: later than t_ms where lines were lost in between
    commands: tuple[int, ...]  # in the order of drivers.virtual_layout.COMMANDS


class EmuSession:
    """One run; `run_to_end` drives it. Arguments as Session's, and the chip with its board file."""

    def __init__(
        self,
        scenario: Scenario,
        chip: Chip,
        board: Mapping[str, Any],
        recorder: Any = None,
        event: Any = None,
        watch: Callable[[], None] | None = None,
        note: Any = None,
    ):
        for action in scenario.actions:
            if action.verb in NOT_ON_A_WIRE:
                raise UserError(
                    "%s:%d: %s spoils samples, not a wire, so it cannot be emulated; run it with inletctl sim"
                    % (scenario.path, action.line, action.verb)
                )
        self.scenario = scenario
        self.chip = chip
        self.recorder = recorder
        self.world = World(PlantConfig(**scenario.world), scenario.seed)
        self.run = ScenarioRun(scenario, self._tell if event is not None else None)
        self.trace = Trace()
        self.rows: list[Row] = []
        self.marks: list[tuple[int, str]] = []  # resets: (t_ms, words)
        self.pin_changes: list[tuple[int, str, int]] = []  # (t_us, output, value), exact
        self.t_us = 0
        self.resets = 0
        self.failure = ""
        self.reports = 0
        self.late = 0  # passes that began late, as the board counts them since it booted
        self.ready_ns = -1  # from leaving reset to the first report's pass, at the first boot
        self.lines = LineSorter()
        self.lines.on_telemetry = self._hear
        self.lines.on_words = self._read
        self.lines.on_damaged = self._note
        self.console = Console(chip.mcu.usb_ctrl, self.lines.feed)
        self.wiring = Wiring(chip, self.world, board, self._on_time, lambda: self.run.next_due_us)
        self._watch = watch
        self._event = event
        self._note_event = note
        self._told = 0
        # What happened after the moment judged last: told in the order of time, with the moments.
        self._untold: list[tuple[int, Callable[[int, str], None], str]] = []
        self._moments: deque[Moment] = deque()
        self._next_us = 0
        self._word = Commands()  # the board's newest word that is in force
        self._word_us = 0
        self._commands = Commands()
        self._view: Any = View(Readings(), self._commands, self.world)
        self._pins = self.wiring.outputs
        self._last_pins: dict[str, int] = {}
        self._is_over = False  # the last moment of the scenario has been kept
        self._is_booting = True
        self._boot_ns = 0
        self._lost = 0
        chip.on_reset.append(self._reset)
        self.wiring.on_output = self._output

    # Driving ----------------------------------------------------------------

    def run_to_end(self) -> None:
        """Run the whole scenario. Raises UserError where the firmware ends or never begins."""
        chip = self.chip
        while not self.run.is_over:
            chip.run_until(chip.now_ns + _WATCH_NS)
            self._look_after()
            if self._is_over and self.wiring.t_us >= self.scenario.end_us + LAST_WORD_US:
                self._judge(self.scenario.end_us + 1)
            if self._watch is not None:
                self._watch()
        self._pass_on(self.wiring.t_us)

    def end_early(self, why: str) -> None:
        """End the run now: judge what can be judged; what is still expected is given up, and nobody is told."""
        self._judge(self.wiring.t_us + 1)
        self.failure = why
        self.run.event = None
        self._pass_on(self.wiring.t_us)
        self.run.give_up(self.t_us, why)

    def _look_after(self) -> None:
        """Raise UserError where the firmware is not running as firmware does."""
        if self.lines.unfinished.endswith(_PROMPT):
            raise UserError("the firmware ended on the emulated board: %s" % self.board_words(), 1)
        if self._is_booting and not self.chip.is_held:
            waited_ns = self.chip.now_ns - self.chip.boot_ns
            if waited_ns > BOOT_NS:
                raise UserError(
                    "the firmware does not come to its loop within %d s on the emulated board: %s"
                    % (BOOT_NS // 1_000_000_000, self.board_words()),
                    1,
                )
        if len(self.chip.watchdog_ns) > RESETS_MAX and not self.reports:
            raise UserError(
                "the watchdog resets the emulated board again and again: %s" % self.board_words(),
                1,
            )

    def board_words(self) -> str:
        """Return the last of what the board said in words, on one line."""
        words = [
            line for line in self.lines.words if not line.startswith(("MicroPython v", "Type "))
        ]
        told = words[-6:]
        for n in range(len(words) - 1, -1, -1):
            if words[n].startswith("Traceback"):
                told = words[n:]
                break
        return " | ".join(told) or "it says nothing"

    # World ------------------------------------------------------------------

    def _on_time(self, t_us: int) -> None:
        run = self.run
        if run.next_due_us <= t_us:
            off_ms = run.run_due(self.world, t_us)
            if off_ms:
                self.chip.hold(off_ms * 1_000_000)
                self._mark(t_us, "reset %d" % off_ms)
        while self._next_us <= t_us and not self._is_over:
            self._moments.append(Moment(self._next_us, self.world, self._pins))
            self._is_over = self._next_us >= self.scenario.end_us
            self._next_us += PASS_US
        if self._moments and t_us - self._moments[0].t_us > SILENT_US:
            self._judge(t_us - SILENT_US + PASS_US)

    def _output(self, t_us: int) -> None:
        """Something that energises has changed at a pin."""
        pins = self._pins
        for name in ("s2_close", "lock_drive", "drive_allowed"):
            value = int(getattr(pins, name))
            if self._last_pins.get(name, 0) != value:
                self._last_pins[name] = value
                self.pin_changes.append((t_us, name, value))

    def _reset(self, word: str) -> None:
        """The chip was reset (held, watchdog) or leaves reset (boot)."""
        t_us = self.wiring.t_us
        self.lines.restart()
        self._is_booting = True
        if word == "boot":
            return
        self.resets += 1
        self.wiring.read_outputs()
        # What the board had said until now stays said; from here on it has said nothing.
        self._judge(t_us)
        self._word = Commands()
        if word == "watchdog":
            self._mark(t_us, "reset watchdog")
            self._note("the board's watchdog resets it")

    def _mark(self, t_us: int, words: str) -> None:
        self.marks.append((t_us // 1000, words))
        self.trace.mark(t_us, words)
        # Dark, and so everything is off: as the host's own trace has it.
        self.trace.row(t_us, self._word)
        self.rows.append(Row(t_us // 1000, t_us // 1000, (0,) * len(layout.COMMANDS)))

    # The board's word -------------------------------------------------------

    def _hear(self, line: Telemetry) -> None:
        if line.kind != COMMANDS_KIND or self.wiring.zero_ns < 0:
            return
        self.reports += 1
        self.late = line.late
        pass_ns = self.chip.boot_ns + line.t_ms * 1_000_000
        if self._is_booting:
            self._is_booting = False
            if self.ready_ns < 0:
                self.ready_ns = pass_ns - self.chip.boot_ns
        t_us = max(self._word_us, (pass_ns - self.wiring.zero_ns) // 1000)
        self._judge(t_us)
        word = Commands()
        for name, value in zip(layout.COMMANDS, line.values):
            setattr(word, name, value)
        since_us = self._word_us if self.lines.lost > self._lost else t_us
        self._lost = self.lines.lost
        self._word, self._word_us = word, t_us
        count = len(self.trace.lines)
        self.trace.row(t_us, word)
        if len(self.trace.lines) > count:
            self.rows.append(Row(t_us // 1000, since_us // 1000, line.values))

    def _read(self, text: str) -> None:
        self._note("board: %s" % text)

    def _note(self, text: str) -> None:
        if self._note_event is not None:
            self._untold.append((self.wiring.t_us, self._note_event, text))

    def _tell(self, t_us: int, text: str) -> None:
        if self._event is not None:
            self._untold.append((t_us, self._event, text))

    def _judge(self, before_us: int) -> None:
        """Judge every kept moment before `before_us` with the word that is in force."""
        moments = self._moments
        while moments and moments[0].t_us < before_us and not self.run.is_over:
            self._judge_one(moments.popleft())

    def _judge_one(self, moment: Moment) -> None:
        self.t_us = moment.t_us
        fill(self._commands, moment, self._word)
        view = self._view
        view.readings = moment.readings
        view.world = moment
        view.violations = moment.violations
        self.run.check(moment.t_us, view)
        self._pass_on(moment.t_us)
        if self.recorder is not None:
            self.recorder.row(moment.t_us, moment.readings, self._commands, moment)

    def _pass_on(self, until_us: int) -> None:
        """Tell what happened up to `until_us`, in the order of time."""
        told = self.world.events
        while self._told < len(told):
            if self._note_event is not None:
                self._untold.append((told[self._told][0], self._note_event, told[self._told][1]))
            self._told += 1
        if self._untold:
            self._untold.sort(key=lambda one: one[0])
            while self._untold and self._untold[0][0] <= until_us:
                t_us, tell, text = self._untold.pop(0)
                tell(t_us, text)
