"""Everything that is measured on the emulated RP2040, one after the other, two processes at a time."""

import os
import random
from collections.abc import Callable, Sequence
from typing import Any

from inletctl.emu.image import Image
from inletctl.measure.charging import Charging
from inletctl.measure.forks import fork_map
from inletctl.measure.loop import firmware_size, measure_loop
from inletctl.measure.parts import CHIP
from inletctl.measure.pilot import measure_pilot
from inletctl.measure.powercut import measure_power_cuts
from inletctl.measure.reactions import measure_kills, measure_reactions
from inletctl.measure.readings import measure_readings
from inletctl.measure.speed import measure_speed

# What the emulator is, said beside every figure that comes from it.
CAVEATS = (
    "The emulator runs MicroPython about as fast as a Pico at 125 MHz does: see its speed below.",
    "It knows no wait for the flash: a board may be slower where code does not fit its cache.",
    "It runs a PIO machine at most once per CPU instruction, so the capture loses about 0.5 % of its counts there.",
    "The PIO programs themselves are checked cycle by cycle in another emulator (host_tests/test_pio_programs.py).",
    "One core. Flash erase and program take no time; a power cut falls between two CPU instructions.",
    "Nothing here has run on silicon.",
)


def measure_chip(
    image: Image,
    injections: int,
    kills: int,
    cuts: int,
    seed: int,
    jobs: int,
    tell: Callable[[str], None],
    only: Sequence[str] = CHIP,
) -> dict[str, Any]:
    """Measure the emulated chip; `tell` gets a line now and then. `only`: what of parts.CHIP is measured."""
    result: dict[str, Any] = {
        "image": image.version,
        "caveats": list(CAVEATS),
        "size": firmware_size(),
    }

    # The board that "type2" has brought to full current is good for the readings, too.
    tasks = [
        task for task in CHIP if task in only and (task, "type2" in only) != ("readings", True)
    ]

    # Each in a process of its own, side by side: a chip that charges cannot be handed back, so what is measured on
    # it is measured in there, in forks of that process. What they tell comes through a pipe, without a thread: a
    # process with threads is not safe to fork.
    read_end, write_end = os.pipe()

    def say(sentence: str) -> None:
        os.write(write_end, sentence.encode() + b"\n")

    alone: dict[str, Callable[[], Any]] = {
        "pilot": lambda: measure_pilot(image, say),
        "power cuts": lambda: measure_power_cuts(image, cuts, seed, 1, say),
        "speed": lambda: measure_speed(image, say),
    }

    def one(task: str) -> Any:
        if task in alone:
            return alone[task]()
        charging = Charging(
            image, "type1" if task == "type1" else "type2", random.Random(seed).randrange(1 << 30)
        )
        charging.start()
        if task == "readings":
            return measure_readings(charging, jobs, say)
        answer: dict[str, Any] = {
            "reactions": measure_reactions(charging, injections, seed, jobs, say)
        }
        if task == "type2":
            answer["loop"] = measure_loop(charging)
            answer["kills"] = measure_kills(charging, kills, seed, jobs, say)
            if "readings" in only:
                answer["readings"] = measure_readings(charging, jobs, say)
        return answer

    try:
        for task, answer in fork_map(one, tasks, jobs, read_end, tell):
            if task == "readings" or task in alone:
                result[task.replace(" ", "_")] = answer
            else:
                result["reactions"] = result.get("reactions", []) + answer.pop("reactions")
                result.update(answer)
    finally:
        os.close(write_end)
        os.close(read_end)
    return result
