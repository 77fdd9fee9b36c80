"""A block on the emulated RP2040: the real drivers and a real MicroPython, every stimulus through the chip's pins.

One simulated second takes most of a minute, so recipes for it are short ones.
"""

import json
from typing import Any

from inletctl.bench import limits
from inletctl.bench.executor import CutShortError, Rig, Watch
from inletctl.bench.hearing import CaseWatch, Hearing
from inletctl.bench.model import Block, Record
from inletctl.bench.sim import scenario_of
from inletctl.emu.chip import Chip
from inletctl.emu.console import Console
from inletctl.emu.flash_image import (
    SETTINGS_FILE,
    board_files,
    board_text,
    make_flash,
    stored_settings,
)
from inletctl.emu.image import find_image
from inletctl.emu.runs import BOARD, TARGET_WORDS
from inletctl.emu.session import BOOT_NS, LAST_WORD_US, NOT_ON_A_WIRE, RESETS_MAX
from inletctl.emu.wiring import Wiring
from inletctl.errors import UserError
from inletctl.house import firmware_hash
from inletctl.link.codec import LineSorter, Telemetry, command_line
from inletctl.plant.config import PlantConfig
from inletctl.plant.world import World
from inletctl.scenario.model import PASS_US
from inletctl.scenario.run import ScenarioRun
from inletctl.scenario.truth import SILENT_US

_SLICE_NS = 5_000_000


class EmuBlock:
    """One block on one chip; `run_to_end` drives it. `chip` and `wiring_of` may be fakes in a test."""

    def __init__(self, block: Block, seed: int, chip: Any, wiring_of: Any, console_of: Any):
        scenario = scenario_of(block, seed)
        self.record = Record(block.id)
        self._block = block
        self._chip = chip
        self._world = World(PlantConfig(**scenario.world), scenario.seed)
        self._run = ScenarioRun(scenario, self._done)
        self._hearing = Hearing(self.record)
        self._watch_case = CaseWatch(self._run)
        self._sorter = LineSorter()
        self._sorter.on_telemetry = self._heard
        self._console = console_of(chip, self._sorter.feed)
        self._wiring = wiring_of(chip, self._world, self._on_time, lambda: self._run.next_due_us)
        self._wiring.on_output = self._output
        self._pins: dict[str, int] = {}
        self._next_us = 0
        self._is_booting = True
        self._boots = 0
        self._dark_us = -1
        chip.on_reset.append(self._reset)

    def run_to_end(self, watch: Watch) -> Record:
        """Run the whole block. Raises CutShortError where it is stopped by hand."""
        try:
            while not self._run.is_over and not self.record.failure:
                self._chip.run_until(self._chip.now_ns + _SLICE_NS)
                self._look_after()
                watch(max(0, min(self._wiring.t_us, self._block.end_us)))
        except UserError as error:
            # A verb that this world cannot carry out.
            self._finish()
            self.record.why_not = str(error)
            return self.record
        except KeyboardInterrupt:
            self._finish()
            self.record.why_not = "stopped by hand"
            raise CutShortError(self.record.why_not, self.record) from None
        self._finish()
        self.record.is_complete = True
        return self.record

    def _finish(self) -> None:
        record = self.record
        self._hearing.settle()
        record.damaged_lines = self._sorter.damaged
        record.until_us = max(0, self._wiring.t_us)
        record.outcomes = list(self._run.outcomes)

    def _look_after(self) -> None:
        """Judge what is due, and find out where the firmware is not running as firmware does."""
        t_us = self._wiring.t_us
        if self._next_us > self._block.end_us and t_us >= self._block.end_us + LAST_WORD_US:
            self._watch_case.judge(self._block.end_us + PASS_US + 1)
        oldest_us = self._watch_case.oldest_us
        if oldest_us >= 0 and t_us - oldest_us > SILENT_US and self._dark_us < 0:
            self._hearing.silence(t_us)
            self._watch_case.judge(t_us)
        why = ""
        if self._sorter.unfinished.endswith(">>> "):
            why = "the firmware ended"
        elif (
            self._is_booting
            and not self._chip.is_held
            and self._chip.now_ns - self._chip.boot_ns > BOOT_NS
        ):
            why = "the firmware does not come to its loop within 4 s"
        elif self._boots > RESETS_MAX and not self.record.samples:
            why = "the watchdog resets the board again and again"
        if why:
            last = [text for text in self._sorter.words if not text.startswith(">>>")][-3:]
            self.record.failure = "%s on the emulated board: %s" % (
                why, " | ".join(last) or "it says nothing",
            )  # fmt: skip
            self._run.give_up(max(0, t_us), why)

    def _on_time(self, t_us: int) -> None:
        run = self._run
        if run.next_due_us <= t_us:
            off_ms = run.run_due(self._world, t_us)
            if off_ms:
                self._chip.hold(off_ms * 1_000_000)
        while self._next_us <= t_us and self._next_us <= self._block.end_us:
            self._watch_case.keep(self._next_us, self._world)
            self._next_us += PASS_US

    def _heard(self, line: Telemetry) -> None:
        if self._wiring.zero_ns < 0:
            return
        pass_ns = self._chip.boot_ns + line.t_ms * 1_000_000
        t_us = max(0, (pass_ns - self._wiring.zero_ns) // 1000)
        if self._is_booting:
            self._is_booting = False
            # Lines from before the first conversion are not the block's.
            self._hearing.boot(t_us, line.number if not self._boots else 0)
            if self._dark_us >= 0:
                self.record.dark.append((self._dark_us, t_us))
                self._dark_us = -1
            if self._block.rate_ms:
                self._console.send(command_line(1, "rate", (self._block.rate_ms,)))
        self._hearing.take(t_us, line)
        if line.kind == "commands":
            self._watch_case.word(t_us, line.values)

    def _reset(self, word: str) -> None:
        self._sorter.restart()
        self._is_booting = True
        if word == "boot":
            return
        t_us = max(0, self._wiring.t_us)
        self._boots += 1
        self._dark_us = t_us
        self._wiring.read_outputs()
        self._watch_case.dark(t_us)
        if word == "watchdog":
            self.record.done.append((t_us, "the board's watchdog resets it"))

    def _output(self, t_us: int) -> None:
        for name in ("s2_close", "lock_drive", "drive_allowed"):
            value = int(getattr(self._wiring.outputs, name))
            if self._pins.get(name, 0) != value:
                self._pins[name] = value
                self.record.edges.append((t_us, name, value))

    def _done(self, t_us: int, words: str) -> None:
        if not words.startswith("FAILED "):
            self.record.done.append((t_us, words))


class EmuExecutor:
    """Carries blocks out on the emulated board. Raises UserError where there is no image for it."""

    def __init__(self, seed: int, uf2: Any = None):
        self._seed = seed
        self._image = find_image(uf2)
        self._board = json.loads(board_text(BOARD))
        # Compiled once: a recipe takes half an hour, and whoever works on the firmware meanwhile must not change what is
        # tested, nor end the run.
        self._files = board_files(BOARD, None)
        self._hash = firmware_hash()

    def identity(self) -> Rig:
        """Return who is tested."""
        version = " (%s)" % self._image.version if self._image.version else ""
        return Rig(
            target=TARGET_WORDS + version,
            firmware_hash=self._hash,
            board=BOARD,
            settings=dict(limits.setting_defaults()),
            instruments=[
                "simulated EVSE and inlet (inletctl/plant) at the pins of the emulated chip"
            ],
        )

    def carry_out(self, block: Block, watch: Watch) -> Record:
        """Carry `block` out; one with verbs that spoil samples rather than wires is not run."""
        spoilt = [one.verb for one in block.stimuli if one.verb in NOT_ON_A_WIRE]
        if spoilt:
            return Record(
                block.id,
                why_not="%s spoils samples, not a wire, so it cannot be emulated" % spoilt[0],
            )
        return EmuBlock(
            block,
            self._seed,
            self._chip(block),
            lambda chip, world, on_time, due: Wiring(chip, world, self._board, on_time, due),
            lambda chip, feed: Console(chip.mcu.usb_ctrl, feed),
        ).run_to_end(watch)

    def _chip(self, block: Block) -> Chip:
        settings = scenario_of(block, self._seed).settings
        files = dict(self._files)
        if settings is not None:
            files[SETTINGS_FILE] = stored_settings(settings)
        return Chip(self._image, make_flash(files, self._image.layout))

    def set_delay(self, delay_us: int) -> None:
        """Both ends share one clock: what the self-check saw is the board's own."""

    def close(self) -> None:
        """Nothing to put back."""
