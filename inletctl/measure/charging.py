"""An emulated board that charges: the start of every measurement of reactions, and itself one of the loop."""

import json
import random
from typing import Any

from inletctl.emu.chip import Alarm
from inletctl.emu.flash_image import board_text
from inletctl.emu.image import Image
from inletctl.emu.wiring import Wiring
from inletctl.measure.bench_board import BOARD, boot, files_with
from inletctl.measure.forks import fork_map
from inletctl.plant.config import PlantConfig
from inletctl.plant.world import World

MS_NS = 1_000_000
MARK_GPIO = 22
KILL_GPIOS = (16, 17, 18)
# Kinds of settings.INLETS.
INLETS = ("type1", "type2", "gbt", "nacs")
# The board has loaded its desk and its journal by then: what runs with it is measured with it.
_PLUG_US = 2_000_000
_GLITCH_NS = 5 * MS_NS
# By then desk and journal are loaded and the heap is locked.
_WARM_PASSES = 150
_RELEASED = b"    release_all()\n"
_AND_TELL = b"    import machine\n\n    machine.Pin(%d, machine.Pin.OUT)(1)\n" % MARK_GPIO
_GIVE_UP_NS = 20_000_000_000
# A quick EVSE and a charger that comes down at once: what is measured is this firmware.
WORLD = {
    "evse_max_a": 10,
    "evse_pwm_start_ms": 200,
    "evse_close_ms": 100,
    "charger_start_ms": 100,
    "charger_up_a_s": 100,
    "charger_down_a_s": 1000,
    "charger_delay_ms": 10,
    "lock_travel_ms": 150,
}
SETTINGS = {"plug_debounce_ms": 100}


class Marks:
    """Times of the probe's marks, six a pass: begin, sampled, decided, actuated, told, end."""

    def __init__(self) -> None:
        self.times_ns: list[int] = []
        self.is_kept = True

    def passes(self) -> list[tuple[int, ...]]:
        """Return the whole passes."""
        times = self.times_ns
        return [tuple(times[n : n + 6]) for n in range(0, len(times) - 5, 6)]


class Charging:
    """Chip, world and wiring of one inlet; `start` runs it until current flows."""

    def __init__(self, image: Image, inlet: str, seed: int):
        settings: dict[str, int] = {"inlet": INLETS.index(inlet), **SETTINGS}
        self.inlet = inlet
        files = files_with("probe", settings)
        # boot.py says on the same pin when every pin is released.
        files["boot.py"] = files["boot.py"].replace(_RELEASED, _RELEASED + _AND_TELL, 1)
        self.chip, self.lines, self.console = boot(image, files)
        self.world = World(PlantConfig(inlet=inlet, **WORLD), seed)
        self.board: dict[str, Any] = json.loads(board_text(BOARD))
        self.marks = Marks()
        self.is_plugged = False
        self.plug_pass = 0  # passes that have ended before the plug went in
        self.safe_ns = 0  # boot.py has released every pin
        self.main_ns = 0  # main.py begins
        self.ready_ns = 0  # the first pass begins
        self.free_bytes: list[int] = []  # free heap, each time it was looked at
        self.gc_us: list[int] = []  # how long a garbage collection took then
        for gpio in KILL_GPIOS:
            self.chip.drive(gpio, False)
        self.chip.listen(MARK_GPIO, self._mark)
        self.wiring = Wiring(
            self.chip,
            self.world,
            self.board,
            self._on_time,
            lambda: _PLUG_US if not self.is_plugged else 1 << 60,
        )
        self.s2_gpio: int = self.board["pins"]["s2"]["gpio"]
        self.limit_gpio: int = self.board["pins"]["charger_limit"]["gpio"]

    def _mark(self, level: bool) -> None:
        now_ns = self.chip.now_ns
        if not self.ready_ns:
            # High when boot.py has released the pins, low when main.py begins, high at the first pass.
            if not level:
                self.main_ns = now_ns
            elif self.main_ns and now_ns - self.main_ns > _GLITCH_NS:
                self.ready_ns = now_ns
            else:
                self.safe_ns = now_ns
        if self.ready_ns and self.marks.is_kept:
            self.marks.times_ns.append(now_ns)

    def _on_time(self, t_us: int) -> None:
        if not self.is_plugged and t_us >= _PLUG_US:
            self.is_plugged = True
            self.plug_pass = len(self.marks.times_ns) // 6
            self.world.do("plug", cable_a=None, ohm=None, bounce=0, touching="all")

    def start(self) -> None:
        """Run until the charger draws what it may. Raises RuntimeError where that never comes."""
        chip = self.chip
        while self.world.charger.load_ma() < 9000:
            if chip.now_ns > _GIVE_UP_NS:
                raise RuntimeError(
                    "the emulated inlet does not charge; it says: %s" % list(self.lines.words)[-5:]
                )
            chip.run_until(chip.now_ns + 20 * MS_NS)
            if not self.free_bytes and len(self.marks.times_ns) > _WARM_PASSES * 6:
                self._look_at_heap()
        # A few passes more, so that the whole pass at full current is in the figures.
        chip.run_until(chip.now_ns + 300 * MS_NS)
        self._look_at_heap()

    def _look_at_heap(self) -> None:
        """Ask the probe for the free heap, in a copy of the board: it costs the loop late passes."""

        def look(_task: int) -> tuple[int, int]:
            for gpio in KILL_GPIOS[:2]:
                self.chip.drive(gpio, True)
            self.chip.run_until(self.chip.now_ns + 80 * MS_NS)
            scratch = self.chip.mcu.watchdog.scratch_data
            return scratch[0], scratch[1]

        for _task, (free, pause_us) in fork_map(look, [0], 1):
            self.free_bytes.append(free)
            self.gc_us.append(pause_us)

    def inject(self, verb: str, args: dict[str, Any], dice: random.Random) -> dict[str, Any]:
        """Let `verb` happen at a random phase of the loop; return us until S2 low and until current command 0."""
        chip = self.chip
        chip.run_until(chip.now_ns + dice.randrange(1, 10 * MS_NS))
        t_us = self.wiring.t_us
        if t_us > self.world.t_us:
            self.world.advance(t_us)
        self.world.do(verb, **args)
        self.wiring.rewire()
        hit_ns = chip.now_ns
        ends = {"s2": -1, "current": -1}

        def on_s2(level: bool) -> None:
            if not level and ends["s2"] < 0:
                ends["s2"] = chip.now_ns - hit_ns

        def look() -> None:
            share = chip.pwm_share_x10000(self.limit_gpio)
            if (share is None or share < 1000) and ends["current"] < 0:
                ends["current"] = chip.now_ns - hit_ns
            watch.at(chip.now_ns + 100_000)

        chip.listen(self.s2_gpio, on_s2)
        watch = Alarm(chip, look)
        watch.at(chip.now_ns)
        while min(ends.values()) < 0 and chip.now_ns - hit_ns < 4000 * MS_NS:
            chip.run_until(chip.now_ns + 5 * MS_NS)
        return {
            name + "_us": value // 1000 if value >= 0 else None for name, value in ends.items()
        }

    def kill(self, gpio: int, until_back: bool, dice: random.Random) -> dict[str, Any]:
        """Kill the loop one of three ways; return us from the last proof of life to S2 low, and ns until it is back."""
        chip = self.chip
        chip.run_until(chip.now_ns + dice.randrange(1, 10 * MS_NS))
        lows: list[int] = []
        highs: list[int] = []
        chip.listen(self.s2_gpio, lambda level: (highs if level else lows).append(chip.now_ns))
        chip.drive(gpio, True)
        kill_ns = chip.now_ns
        while not lows and chip.now_ns - kill_ns < 200 * MS_NS:
            chip.run_until(chip.now_ns + MS_NS)
        # The fourth mark of a pass: actuate has fed the dead-man.
        fed = [times[3] for times in self.marks.passes() if not lows or times[3] <= lows[0]]
        result: dict[str, Any] = {
            "s2_low_us": (lows[0] - fed[-1]) // 1000 if lows and fed else None,
            "s2_high_again": bool(highs),
        }
        if until_back:
            chip.drive(gpio, False)
            resets = len(chip.watchdog_ns)
            while len(chip.watchdog_ns) == resets and chip.now_ns - kill_ns < 5000 * MS_NS:
                chip.run_until(chip.now_ns + 5 * MS_NS)
            # Again: pins released, main.py, first pass.
            self.safe_ns = self.main_ns = self.ready_ns = 0
            while not self.ready_ns and chip.now_ns - kill_ns < 9000 * MS_NS:
                chip.run_until(chip.now_ns + 5 * MS_NS)
            result["watchdog_ms"] = (
                (chip.watchdog_ns[-1] - kill_ns) / MS_NS
                if len(chip.watchdog_ns) > resets
                else None
            )
            result["back_ms"] = (self.ready_ns - kill_ns) / MS_NS if self.ready_ns else None
            result["s2_high_again"] = bool(highs)
        return result
