"""A block on the simulated inlet, in this process: the firmware's own loop, judged by what comes over its line.

The board is link.wired.WiredBoard: the same protocol, as many bytes a pass as a real board sends. What is true of the
plant comes from the plant; what the board does and thinks comes from its lines alone.
"""

import gc
import platform
from typing import Any

from inletctl.bench import limits
from inletctl.bench.executor import CutShortError, Rig, Watch
from inletctl.bench.hearing import CaseWatch, Hearing
from inletctl.bench.model import Block, Record
from inletctl.errors import UserError
from inletctl.house import firmware_hash, use_firmware
from inletctl.link.codec import LineSorter, Telemetry, command_line
from inletctl.link.wired import WiredBoard
from inletctl.scenario.model import Action, Scenario
from inletctl.scenario.truth import SILENT_US
from inletctl.session import START_BEFORE_WRAP_MS, TICKS_MASK, Session
from inletctl.targets.cpython import firmware_main

use_firmware()

import drivers.virtual_layout as layout  # noqa: E402

_WATCH_PASSES = 500


class LineSession(Session):
    """A session whose expectations are judged by the lines that came from the board."""

    def __init__(self, scenario: Scenario, block: Block, record: Record, watch: Watch):
        self.hearing = Hearing(record)
        self.record = record
        self._block = block
        self._tell = watch
        # The board's clock wraps within the first seconds, so that every judge meets it.
        super().__init__(scenario, START_BEFORE_WRAP_MS, None, self._done)
        self.watch_case = CaseWatch(self.run)
        self.board: WiredBoard | None = None
        self._edges = (False, 0, False, False, False, False)
        self._sorter = LineSorter()
        self._sorter.on_telemetry = self._heard

    def attach(self, board: WiredBoard) -> None:
        """`board` boots: its lines are counted anew, and it is asked for readings."""
        self.board = board
        self._sorter.restart()
        self.hearing.boot(self.t_us)
        if self._block.rate_ms:
            board.inbox.extend(command_line(1, "rate", (self._block.rate_ms,)))

    def next_pass(self) -> int:
        """Take what the board said, then move time on."""
        self.listen()
        return super().next_pass()

    def listen(self) -> None:
        """Take in what the board has said."""
        board = self.board
        if board is not None and board.outbox:
            data = bytes(board.outbox)
            board.outbox.clear()
            self._sorter.feed(data)
            self.record.damaged_lines = self._sorter.damaged
        oldest_us = self.watch_case.oldest_us
        if oldest_us >= 0 and self.t_us - oldest_us > SILENT_US:
            self.hearing.silence(self.t_us)
            self.watch_case.judge(self.t_us)

    def _heard(self, line: Telemetry) -> None:
        t_us = ((line.t_ms - self.start_ms) & TICKS_MASK) * 1000
        self.hearing.take(t_us, line)
        if line.kind == "commands":
            self.watch_case.word(t_us, line.values)

    def _done(self, t_us: int, words: str) -> None:
        # The run tells of failed expectations, too: those are outcomes.
        if not words.startswith("FAILED "):
            self.record.done.append((t_us, words))

    def _go_dark(self, off_ms: int) -> int:
        self.listen()
        if self._sorter.unfinished:
            # A line on its way is lost with the board.
            self.hearing.silence(self.t_us)
        self.watch_case.dark(self.t_us)
        end_us = super()._go_dark(off_ms)
        self.record.dark.append((self.t_us, end_us))
        return end_us

    def _note(self, t_us: int, readings: Any, commands: Any) -> None:
        self.passes += 1
        world = self.world
        edges = (
            commands.s2_close, commands.lock_drive, commands.drive_allowed, world.contactor_closed, world.plugged,
            world.lock.holds,
        )  # fmt: skip
        if edges != self._edges:
            for name, value, before in zip(_EDGES, edges, self._edges):
                if value != before:
                    self.record.edges.append((t_us, name, int(value)))
            self._edges = edges
        self.watch_case.keep(t_us, world)
        if not self.passes % _WATCH_PASSES:
            self._tell(min(t_us, self._block.end_us))


_EDGES = ("s2_close", "lock_drive", "drive_allowed", "contactor", "plugged", "locked")


class SimExecutor:
    """Carries blocks out on the simulation; `seed` is that of the plants."""

    def __init__(self, seed: int):
        self._seed = seed

    def identity(self) -> Rig:
        """Return who is tested."""
        return Rig(
            target="simulation (CPython %s)" % platform.python_version(),
            firmware_hash=firmware_hash(),
            board="virtual board",
            settings=dict(limits.setting_defaults()),
            instruments=[
                "simulated EVSE and inlet (inletctl/plant): exact to 0.1 us and 1 mV, no noise of its own"
            ],
        )

    def carry_out(self, block: Block, watch: Watch) -> Record:
        """Carry `block` out."""
        record = Record(block.id)
        session = LineSession(scenario_of(block, self._seed), block, record, watch)
        gc_was_on = gc.isenabled()
        gc.disable()
        try:
            self._run(session)
        except KeyboardInterrupt:
            _finish(session)
            record.why_not = "stopped by hand"
            raise CutShortError(record.why_not, record) from None
        finally:
            if gc_was_on:
                gc.enable()
        _finish(session)
        record.is_complete = not record.why_not
        return record

    def _run(self, session: LineSession) -> None:
        while True:
            board = WiredBoard(session)
            session.attach(board)
            firmware_main()["run"](board)
            session.listen()
            if isinstance(board.failure, UserError):
                # A verb that this world cannot carry out is the recipe's mistake, not the firmware's.
                session.record.why_not = str(board.failure)
                return
            if board.failure is not None:
                why = "the firmware ended by itself: %r" % board.failure
                session.record.failure = why
                session.watch_case.judge(session.t_us + 1)
                session.end_early(why)
                return
            if board.status != layout.STATUS_RESET:
                return

    def set_delay(self, delay_us: int) -> None:
        """Both ends share one clock: what the self-check saw is the board's own."""

    def close(self) -> None:
        """Nothing to put back."""


def _finish(session: LineSession) -> None:
    session.hearing.settle()
    session.record.until_us = session.t_us
    session.record.outcomes = list(session.run.outcomes)


def scenario_of(block: Block, seed: int) -> Scenario:
    """Return the block as a scenario: its own, or one made of a sweep's stimuli."""
    if block.scenario is not None:
        return block.scenario
    return Scenario(
        path=block.id,
        title=block.title,
        about=(),
        inlet=block.inlet,
        seed=seed,
        settings=dict(block.settings),
        world=dict(block.world),
        timeline=tuple(
            Action(one.t_us, one.verb, tuple(one.values.items()), one.words)
            for one in block.stimuli
        ),
        end_us=block.end_us,
    )
