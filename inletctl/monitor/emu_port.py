"""The emulated board as a port: the chip runs while it is read from.

One second of the board takes most of a minute, so its time is not the host's: `clock` is what time limits of its answers
are to be counted with. When the scenario is over the world goes on without it.
"""

import json
import time
from typing import Any

from inletctl.emu.chip import Chip
from inletctl.emu.console import Console
from inletctl.emu.flash_image import board_text
from inletctl.emu.image import find_image
from inletctl.emu.runs import BOARD, find_scenario, new_chip
from inletctl.emu.wiring import Wiring
from inletctl.plant.config import PlantConfig
from inletctl.plant.world import World
from inletctl.scenario.load import read_scenario
from inletctl.scenario.model import Scenario
from inletctl.scenario.run import ScenarioRun

DEFAULT_SCENARIO = "pause_in_c"
_SLICE_NS = 250_000  # about 10 ms of the host: so long nobody else is heard
_READ_S = 0.1  # of the host, at most


class EmuPort:
    """The serial port of an emulated board that lives through `scenario`. Never lost."""

    def __init__(self, scenario: Scenario, chip: Chip, board: dict[str, Any]):
        self._chip = chip
        self._world = World(PlantConfig(**scenario.world), scenario.seed)
        self._run = ScenarioRun(scenario, None)
        self._said = bytearray()
        self._console = Console(chip.mcu.usb_ctrl, self._said.extend)
        self._wiring = Wiring(
            chip, self._world, board, self._on_time, lambda: self._run.next_due_us
        )
        chip.on_reset.append(self._reset)

    def clock(self) -> float:
        """Return the board's own time since its power came, in s."""
        return self._chip.now_ns / 1e9

    def write(self, data: bytes) -> None:
        """Send `data`; the board hears it while it runs."""
        self._console.send(data)

    def read(self, timeout_s: float) -> bytes:
        """Run the board until it says something; return that, b"" if nothing came in `timeout_s` of `clock`.

        Or sooner, after a tenth of a second of the host's.
        """
        until_ns = self._chip.now_ns + int(timeout_s * 1e9)
        until_s = time.monotonic() + _READ_S
        while not self._said:
            self._chip.run_until(min(self._chip.now_ns + _SLICE_NS, until_ns))
            if self._chip.now_ns >= until_ns or time.monotonic() >= until_s:
                break
        said = bytes(self._said)
        self._said.clear()
        return said

    def close(self) -> None:
        """Nothing is held: the chip does not run unless it is read from."""

    def _on_time(self, t_us: int) -> None:
        if self._run.next_due_us <= t_us:
            off_ms = self._run.run_due(self._world, t_us)
            if off_ms:
                self._chip.hold(off_ms * 1_000_000)

    def _reset(self, word: str) -> None:
        if word != "boot":
            self._wiring.read_outputs()


def open_emu(name: str) -> EmuPort:
    """Return the emulated board in the scenario `name`. Raises UserError where that, or the image, is not to be had."""
    scenario = read_scenario(find_scenario(name))
    chip = new_chip(find_image(None), BOARD, scenario)
    return EmuPort(scenario, chip, json.loads(board_text(BOARD)))
