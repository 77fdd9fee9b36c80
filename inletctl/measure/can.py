"""CAN on the emulated board that charges: round trip, load, the status frame's jitter, a vehicle that falls silent.

The whole firmware with the native dialect runs on the emulated chip; an MCP2515 and a bus are modelled down to the bit.
Everything is measured in forks of one board that charges.
"""

import itertools
import json
import random
from collections.abc import Callable
from typing import Any

from inletctl.can.source import load
from inletctl.emu.can_bus import Frame
from inletctl.emu.flash_image import board_text
from inletctl.emu.image import Image
from inletctl.emu.wiring import Wiring
from inletctl.house import use_firmware
from inletctl.link.codec import Telemetry
from inletctl.measure.bench_board import BOARD, boot, files_with
from inletctl.measure.charging import SETTINGS, WORLD
from inletctl.measure.forks import fork_map
from inletctl.measure.loop import PERIOD_NS, spread
from inletctl.plant.can_codec import decode
from inletctl.plant.config import PlantConfig
from inletctl.plant.world import World

use_firmware()

from settings import CAN_DIALECTS, CAN_RATES, INLETS  # noqa: E402

MS_NS = 1_000_000
MARK_GPIO = 23
RATE = "500k"
LOADS = ("quiet", "foreign", "own")
LATE_NS = 2 * MS_NS
STALE_LIMIT_MS = 500
_PLUG_US = 200_000
_GIVE_UP_NS = 25_000_000_000
_STATUS, _CONTROL = "status", "control"
# What is in a flood of own ids: the vehicle's own messages with nothing right in them.
_JUNK = bytes.fromhex("5aa55aa55aa55aa5")


class CanBoard:
    """Chip, world and car of one inlet on CAN; `start` runs it until current flows."""

    def __init__(self, image: Image, seed: int):
        settings = {
            "inlet": INLETS.index("type2"),
            "can": CAN_DIALECTS.index("native"),
            "can_rate": CAN_RATES.index(RATE),
            **SETTINGS,
        }
        self.chip, self.lines, self.console = boot(image, files_with("can_probe", settings))
        self.world = World(PlantConfig(inlet="type2", can="native", can_rate=RATE, **WORLD), seed)
        board: dict[str, Any] = json.loads(board_text(BOARD))
        self.messages = {message.name: message for message in load("native").messages}
        self.begins_ns: list[int] = []
        self.ends_ns: list[int] = []
        self.status: list[
            tuple[int, dict[str, int]]
        ] = []  # (end of the frame in ns, what it says)
        self.late = 0  # passes that began late, as the board's newest line counts them
        self.lines.on_telemetry = self._hear
        self.control_ns = 0  # end of the vehicle's newest word
        self._is_plugged = False
        self.chip.listen(MARK_GPIO, self._mark)
        self.wiring = Wiring(
            self.chip,
            self.world,
            board,
            self._on_time,
            lambda: _PLUG_US if not self._is_plugged else 1 << 60,
        )
        assert self.wiring.car is not None, "the reference board has CAN"
        self.car = self.wiring.car
        self.s2_gpio: int = board["pins"]["s2"]["gpio"]
        self.limit_gpio: int = board["pins"]["charger_limit"]["gpio"]
        self.car.bus.on_frame = self._frame

    def _mark(self, level: bool) -> None:
        (self.begins_ns if level else self.ends_ns).append(self.chip.now_ns)

    def _hear(self, line: Telemetry) -> None:
        self.late = line.late

    def _on_time(self, t_us: int) -> None:
        if not self._is_plugged and t_us >= _PLUG_US:
            self._is_plugged = True
            self.world.do("plug", cable_a=None, ohm=None, bounce=0, touching="all")

    def _frame(self, end_ns: int, frame: Frame, _sender: Any) -> None:
        if frame.id == self.messages[_STATUS].id:
            self.status.append((end_ns, decode(self.messages[_STATUS], frame.data)))
        elif frame.id == self.messages[_CONTROL].id and frame.data != _JUNK[:4]:
            self.control_ns = end_ns

    def run_ms(self, length_ms: int) -> None:
        """Run on."""
        self.chip.run_until(self.chip.now_ns + length_ms * MS_NS)

    def start(self) -> None:
        """Run until the charger draws what it may. Raises RuntimeError where that never comes."""
        chip = self.chip
        while self.world.charger.load_ma() < 9000:
            if chip.now_ns > _GIVE_UP_NS:
                raise RuntimeError(
                    "the emulated inlet does not charge on CAN; it says: %s"
                    % list(self.lines.words)[-8:]
                )
            self.run_ms(20)
        self.run_ms(1000)

    # Measurements --------------------------------------------------------------

    def load(self, kind: str, seconds: int, dice: random.Random) -> dict[str, Any]:
        """Measure passes and status frames for so long, with the bus full of frames, or not."""
        others = self.car.others
        if kind == "foreign":
            ids = [n for n in range(0x080, 0x7FF) if n not in self._known_ids()]
            others.flood = [
                Frame(dice.choice(ids), dice.randbytes(dice.randrange(9))) for _ in range(4000)
            ]
        elif kind == "own":
            others.flood = [
                Frame(message.id, _JUNK[: message.length])
                for message in self.messages.values()
                if message.sender == "vehicle"
            ]
        began_ns = self.chip.now_ns
        self.begins_ns.clear()
        self.ends_ns.clear()
        self.status.clear()
        bus = self.car.bus
        busy_ns, frames, late = bus.busy_ns, bus.frames, self.late
        self.run_ms(seconds * 1000)
        bus.advance(self.chip.now_ns)
        passes = list(
            zip(self.begins_ns, [end for end in self.ends_ns if end > self.begins_ns[0]])
        )
        periods = [b - a for a, b in zip(self.begins_ns, self.begins_ns[1:])]
        cycle_ns = self.messages[_STATUS].cycle_ms * MS_NS
        times_ns = [t_ns for t_ns, _ in self.status]
        controller = self.car.controller
        assert controller is not None
        return {
            "load_pct": round(100 * (bus.busy_ns - busy_ns) / (self.chip.now_ns - began_ns), 1),
            "frames": bus.frames - frames,
            "passes": len(passes),
            "pass_us": spread([(end - begin) // 1000 for begin, end in passes]),
            # The board leaves out what it does at rest on purpose: with the charging stopped it collects garbage.
            "late_passes": self.late - late,
            "long_periods": sum(1 for period in periods if period > PERIOD_NS + LATE_NS),
            "resets": len(self.chip.watchdog_ns),
            "status_frames": len(self.status),
            **status_times(times_ns, began_ns, self.chip.now_ns, cycle_ns),
            "frames_lost_in_the_controller": controller.lost,
            "is_charging": self.world.charger.load_ma() > 0,
        }

    def _known_ids(self) -> set[int]:
        return {message.id for message in self.messages.values()}

    def round_trip(self, dice: random.Random) -> dict[str, Any]:
        """Let the vehicle say stop in its next word; return us from that frame's end to the status that obeys."""
        self.chip.run_until(self.chip.now_ns + dice.randrange(1, 100 * MS_NS))
        self.world.vehicle.refuse()
        self.status.clear()
        heard_ns, began_ns = self.control_ns, self.chip.now_ns
        said_ns = answered_ns = 0
        while not answered_ns and self.chip.now_ns - began_ns < 600 * MS_NS:
            self.run_ms(1)
            self.car.bus.advance(self.chip.now_ns)
            if not said_ns and self.control_ns != heard_ns:
                said_ns = self.control_ns
            for t_ns, told in self.status:
                if said_ns and t_ns > said_ns and told["charger_ma"] == 0:
                    answered_ns = t_ns
                    break
        return {"us": (answered_ns - said_ns) // 1000 if answered_ns else None}

    def silence(self, dice: random.Random) -> dict[str, Any]:
        """Let the vehicle fall silent; return ms from its last frame until its current is 0 and until S2 is open."""
        self.chip.run_until(self.chip.now_ns + dice.randrange(1, 100 * MS_NS))
        ends = {"current": 0, "s2": 0}

        def on_s2(level: bool) -> None:
            if not level and not ends["s2"]:
                ends["s2"] = self.chip.now_ns

        self.chip.listen(self.s2_gpio, on_s2)
        self.car.bus.advance(self.chip.now_ns)
        self.world.vehicle.go_silent(0)
        began_ns = self.chip.now_ns
        while not all(ends.values()) and self.chip.now_ns - began_ns < 5000 * MS_NS:
            self.run_ms(1)
            share = self.chip.pwm_share_x10000(self.limit_gpio)
            if not ends["current"] and (share is None or share < 1000):
                ends["current"] = self.chip.now_ns
        last_ns = self.control_ns
        return {
            name + "_ms": round((end - last_ns) / MS_NS, 2) if end else None
            for name, end in ends.items()
        }


def status_times(
    times_ns: list[int], began_ns: int, ended_ns: int, cycle_ns: int
) -> dict[str, Any]:
    """Return how regular frames at these times are. One that never came is late at both ends, too."""
    between = [b - a for a, b in itertools.pairwise(times_ns)]
    to_ends = [b - a for a, b in itertools.pairwise([began_ns, *times_ns, ended_ns])]
    return {
        "status_gap_us": spread([gap // 1000 for gap in between or to_ends]),
        "status_jitter_us": spread([abs(gap - cycle_ns) // 1000 for gap in between or to_ends]),
        "status_late": sum(1 for gap in to_ends if gap > 2 * cycle_ns),
    }


def measure_can(
    image: Image,
    seconds: int,
    repeats: int,
    seed: int,
    jobs: int,
    tell: Callable[[str], None] = lambda sentence: None,
) -> dict[str, Any]:
    """Return all figures; `tell` gets a line as each is done."""
    board = CanBoard(image, random.Random(seed).randrange(1 << 30))
    board.start()
    tell("charging on CAN after %.1f simulated s" % (board.chip.now_ns / 1e9))
    tasks = [("load", kind) for kind in LOADS] if seconds else []
    tasks += [(what, n) for what in ("round trip", "silence") for n in range(repeats)]

    def one(task: tuple[str, Any]) -> dict[str, Any]:
        what, n = task
        dice = random.Random("%d %s %s" % (seed, what, n))
        if what == "load":
            return board.load(n, seconds, dice)
        return board.round_trip(dice) if what == "round trip" else board.silence(dice)

    result: dict[str, Any] = {
        "image": image.version,
        "seconds": seconds,
        "seed": seed,
        "loads": {},
    }
    trips: list[Any] = []
    stops: list[dict[str, Any]] = []
    for (what, n), figures in fork_map(one, tasks, jobs):
        tell("%s %s: %s" % (what, n, json.dumps(figures)))
        if what == "load":
            result["loads"][n] = figures
        elif what == "round trip":
            trips.append(figures["us"])
        else:
            stops.append(figures)
    if repeats:
        result["round_trip_us"] = spread([trip for trip in trips if trip is not None] or [0])
        result["unanswered"] = sum(1 for trip in trips if trip is None)
        for name in ("current_ms", "s2_ms"):
            known = [stop[name] for stop in stops if stop[name] is not None]
            result["silence_" + name] = {"max": max(known, default=None), "count": len(known)}
        result["never_stopped"] = sum(1 for stop in stops if None in stop.values())
    return result


def shortfalls(result: dict[str, Any]) -> list[str]:
    """Return what is not as it must be, a sentence each."""
    found = []
    for kind, one in result["loads"].items():
        if one["late_passes"] or one["resets"]:
            found.append("%s load: %d passes late" % (kind, one["late_passes"]))
        if one["status_late"]:
            found.append(
                "%s load: %d status frames later than 2 cycles" % (kind, one["status_late"])
            )
    if result.get("unanswered"):
        found.append("%d stops of the vehicle were not answered" % result["unanswered"])
    if result.get("never_stopped"):
        found.append("%d times a silent vehicle did not stop charging" % result["never_stopped"])
    slowest_ms = result.get("silence_current_ms", {}).get("max")
    if slowest_ms is not None and slowest_ms > STALE_LIMIT_MS:
        found.append("a silent vehicle's current ended after %.1f ms" % slowest_ms)
    return found
