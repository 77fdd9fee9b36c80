"""How fast the emulated RP2040 runs MicroPython, beside what was published for a real one: what a time of `make perf` is worth."""

from collections.abc import Callable
from typing import Any

from inletctl.emu.image import Image
from inletctl.measure.bench_board import boot, files_with

# us a turn on an RP2040 at 125 MHz, MicroPython 1.23.0: 10,000 turns of the same loops took 80 and 276 ms.
# Source: github.com/shaoziyang/micropython_benchmarks, README, "Integer addition" and "Integer multiplication", read 2026-11-22.
PUBLISHED_US = {"add": 8.0, "multiply": 27.6}
# Two builds of MicroPython differ by some percent. An emulator that is further off is another machine.
MOST_OFF_PCT = 20
_MS_NS = 1_000_000
_GIVE_UP_NS = 5_000 * _MS_NS


def measure_speed(image: Image, tell: Callable[[str], None]) -> dict[str, Any]:
    """Return us a turn of each loop, and what that is of a Pico's in percent. Raises ValueError where the script fails."""
    chip, lines, _console = boot(image, files_with("speed"))
    found: dict[str, float] = {}

    def hear(words: str) -> None:
        name, *numbers = words.split()
        if name in PUBLISHED_US and len(numbers) == 2:
            found[name] = int(numbers[1]) / int(numbers[0])
            tell("speed: " + name)

    lines.on_words = hear
    while len(found) < len(PUBLISHED_US) and chip.now_ns < _GIVE_UP_NS:
        chip.run_until(chip.now_ns + 20 * _MS_NS)
    if len(found) < len(PUBLISHED_US):
        raise ValueError("the measuring script failed: %s" % list(lines.words)[-3:])
    return speed_of(found)


def speed_of(us_a_turn: dict[str, float]) -> dict[str, Any]:
    """Return the figures of loops that took so long."""
    loops = {
        name: {
            "us": round(us_a_turn[name], 2),
            "pico_us": pico_us,
            "of_pico_pct": round(us_a_turn[name] / pico_us * 100),
        }
        for name, pico_us in PUBLISHED_US.items()
    }
    return {
        "loops": loops,
        "most_off_pct": MOST_OFF_PCT,
        "is_alike": all(abs(one["of_pico_pct"] - 100) <= MOST_OFF_PCT for one in loops.values()),
    }
