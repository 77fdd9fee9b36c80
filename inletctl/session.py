"""One run of a scenario: the virtual inlet, the clock and the record, whatever runs the firmware.

A target (CPython in this process, the 32-bit MicroPython in another) runs `firmware/main.py`'s own loop. Each
pass it samples, steps, and hands the commands over; then time moves on by 10 ms. Same scenario, same seed, same
trace, byte for byte.
"""

from collections.abc import Callable
from hashlib import sha256
from typing import Any

from inletctl.house import use_firmware
from inletctl.plant.config import PlantConfig
from inletctl.plant.world import World
from inletctl.prove.watcher import Watcher
from inletctl.scenario.forced import force
from inletctl.scenario.keys import View
from inletctl.scenario.model import Scenario
from inletctl.scenario.run import ScenarioRun

use_firmware()

import drivers.virtual_layout as layout  # noqa: E402
from signals import Commands, Readings  # noqa: E402

PASS_US = 10_000
TICKS_MASK = 0x3FFFFFFF
# A start so late that the board's clock wraps within the first seconds of every scenario.
START_BEFORE_WRAP_MS = (1 << 30) - 1500


class Trace:
    """Every change of the commands as one line of text, and every CAN frame sent: what two targets must agree on."""

    HEADER = "t_ms " + " ".join(layout.COMMANDS)
    CAR_HEADER = "t_ms car " + " ".join(layout.CAR_COMMANDS) + " lines"

    def __init__(self) -> None:
        self.lines: list[str] = [self.HEADER]
        # Of the car's side: its commands, what is on its lines, and the frames.
        self.car_lines: list[str] = [self.CAR_HEADER]
        self._last: tuple[int, ...] = ()
        self._last_car: tuple[int, ...] = ()

    def row(self, t_us: int, c: Commands) -> None:
        """Take one pass; keep it if anything but the temperature changed."""
        now = (
            c.s2_close, c.charger_ma, c.lock_drive, c.drive_allowed, c.light, c.session, c.pilot_state,
            c.lock_state, c.duty_pct_x100, c.offered_ma, c.permitted_ma, c.limiter, c.reasons, c.faults,
        )  # fmt: skip
        if now != self._last:
            self._last = now
            self.lines.append("%d %s" % (t_us // 1000, " ".join([str(int(value)) for value in now])
                + " %d %d" % (c.hottest_decic, c.hottest_ok)))  # fmt: skip

    def car_row(self, t_us: int, c: Commands, lines: int) -> None:
        """Take one pass of the car's side; keep it if anything changed."""
        now = (c.holds, c.dc_permitted_ma, c.plug_present, c.wants_heat, c.dc_session, lines)
        if now != self._last_car:
            self._last_car = now
            self.car_lines.append(
                "%d car %s" % (t_us // 1000, " ".join([str(int(n)) for n in now]))
            )

    def frame(self, t_us: int, can_id: int, data: bytes) -> None:
        """Take a CAN frame that the board sends."""
        self.car_lines.append("%d can %03x %s" % (t_us // 1000, can_id, data.hex()))

    def mark(self, t_us: int, word: str) -> None:
        """Note a reset or an end."""
        self._last = self._last_car = ()
        self.lines.append("%d %s" % (t_us // 1000, word))

    @property
    def text(self) -> str:
        """Return the whole trace."""
        return "\n".join(self.lines + self.car_lines) + "\n"

    @property
    def digest(self) -> str:
        """Return the first 12 hex digits of the trace's SHA-256."""
        return sha256(self.text.encode()).hexdigest()[:12]


class Session:
    """A scenario being run. A target calls `next_pass`, `sample` and `obey` in turn until the status is not RUN."""

    def __init__(
        self,
        scenario: Scenario,
        start_ms: int = 0,
        recorder: Any = None,
        event: Any = None,
        watch: Any = None,
        note: Any = None,
    ):
        self.scenario = scenario
        self.start_ms = start_ms
        self.recorder = recorder
        self.watch = (
            watch  # called once a pass as watch(t_us, readings, commands, world); the live view
        )
        self.world = World(PlantConfig(**scenario.world), scenario.seed)
        self.run = ScenarioRun(scenario, event)
        self.trace = Trace()
        self.t_us = 0
        self.readings = Readings()
        self.safe_commands = Commands()
        self.passes = 0
        self.resets = 0
        self.failure = ""  # what the firmware said when it ended by itself
        self._view = View(self.readings, self.safe_commands, self.world)
        # What the board has stored as it boots; a board that stores anew brings its own.
        self.stored_settings: Callable[[], Any] = lambda: scenario.settings
        self._watcher: Watcher | None = None  # of this boot
        self._is_started = False
        self._told = 0  # plant events already passed on
        self._note_event = note  # called as note(t_us, text) for what the plant tells of itself

    def next_pass(self) -> int:
        """Move time on to the next pass; return layout.STATUS_RUN, STATUS_END or STATUS_RESET."""
        if self.run.is_over:
            return layout.STATUS_END
        if not self._is_started:
            # A board boots into the world as it is: nothing has happened yet but what is due at 0.
            self._is_started = True
        else:
            self.t_us += PASS_US
        off_ms = self._catch_up()
        if off_ms:
            self._stay_dark(off_ms)
            return layout.STATUS_RESET
        return layout.STATUS_RUN

    def sample(self, readings: Readings) -> None:
        """Fill `readings` with this pass's sample."""
        self.world.sample(readings)
        if self.run.forced:
            force(readings, self.run.forced)

    def obey(self, readings: Readings, commands: Commands, is_whole: bool = True) -> None:
        """Let the commands of this pass take effect, and look at what came of it.

        `is_whole`: the readings hold what the car's side of the firmware has added to them.
        """
        if commands is self.safe_commands:
            # Nobody decided them: the board is dark.
            self._watcher = None
        else:
            self._look(readings, commands, is_whole)
        self.world.apply(commands)
        self._note(self.t_us, readings, commands)

    def _look(self, readings: Readings, commands: Commands, is_whole: bool) -> None:
        """Hold the pass against what must always hold."""
        if self._watcher is None:
            try:
                stored = self.stored_settings()
            except (ValueError, OSError):
                stored = "unreadable"  # as firmware/main.py has it
            self._watcher = Watcher(stored, is_whole)
        broken = self._watcher.look(self.now_ms, readings, commands)
        if broken is not None:
            self.run.breach(self.t_us, broken.sentence)

    def tell(self, rx: Any, at: int) -> None:
        """Fill what the board reads of CAN and discrete lines in this pass (layout CAR_IN) at `at`."""
        self.world.tell_board(rx, at)

    def hear(self, out: Any, at: int) -> None:
        """At the end of a pass: let what the board wrote to CAN and lines (layout CAR_OUT, at `at`) take effect."""
        for can_id, data in self.world.hear_board(out, at):
            self.trace.frame(self.t_us, can_id, data)

    @property
    def now_ms(self) -> int:
        """Return the board's tick of this pass."""
        return (self.start_ms + self.run.jumped_ms + self.t_us // 1000) & TICKS_MASK

    def end_early(self, why: str) -> None:
        """The firmware ended by itself: what was still expected has failed."""
        self.failure = why
        self.run.give_up(self.t_us, why)

    def _catch_up(self) -> int:
        """Let what is due happen; return how long a reset due now keeps the board dark, in ms, or 0."""
        off_ms = 0
        if self.run.next_due_us <= self.t_us:
            off_ms = self.run.run_due(self.world, self.t_us)
        if not off_ms and self.world.t_us < self.t_us:
            self.world.advance(self.t_us)
        return off_ms

    def _stay_dark(self, off_ms: int) -> None:
        """The board is off or booting: every output undriven, nothing sampled, the expectations still watch."""
        end_us = self._go_dark(off_ms)
        while self.t_us + PASS_US < end_us and not self.run.is_over:
            self.t_us += PASS_US
            off_ms = self._catch_up()
            if off_ms:
                # Reset again while it boots: it begins anew.
                end_us = max(end_us, self._go_dark(off_ms))
                continue
            self.world.sample(self.readings)
            self._note(self.t_us, self.readings, self.safe_commands)

    def _go_dark(self, off_ms: int) -> int:
        """Release every output; return when the board runs again, in us."""
        self.trace.mark(self.t_us, "reset %d" % off_ms)
        self.resets += 1
        self._watcher = None
        self.world.apply(self.safe_commands)
        self.world.board_dark()
        return self.t_us + off_ms * 1000

    def _note(self, t_us: int, readings: Readings, commands: Commands) -> None:
        self.passes += 1
        self.trace.row(t_us, commands)
        self.trace.car_row(t_us, commands, self.world.lines.outputs)
        told = self.world.events
        if len(told) > self._told:
            self._pass_on(told)
        view = self._view
        view.readings = readings
        view.commands = commands
        view.violations = len(self.world.violations)
        self.run.check(t_us, view)
        if self.recorder is not None:
            self.recorder.row(t_us, readings, commands, self.world)
        if self.watch is not None:
            self.watch(t_us, readings, commands, self.world)

    def _pass_on(self, told: list[tuple[int, str]]) -> None:
        if self._note_event is not None:
            for happened_us, text in told[self._told :]:
                self._note_event(happened_us, text)
        self._told = len(told)
