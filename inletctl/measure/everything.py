"""`make perf`: the host's figures and the emulated chip's, as one dict, one page, with a bar while it goes on."""

import json
import platform
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from inletctl import perf
from inletctl.emu.image import find_image
from inletctl.errors import UserError
from inletctl.house import SCENARIOS, firmware_hash
from inletctl.measure import reactions, readings
from inletctl.measure.page import write_page
from inletctl.measure.parts import CHIP, HOST, PARTS
from inletctl.measure.pilot import POINTS
from inletctl.measure.speed import PUBLISHED_US
from inletctl.report.files import write_whole


def run(
    out: Path,
    injections: int,
    chip_injections: int,
    kills: int,
    cuts: int,
    uf2: "Path | None",
    host_only: bool,
    seed: int,
    jobs: int,
    only: tuple[str, ...] = (),
    say: Callable[[str], None] = lambda sentence: None,
) -> list[str]:
    """Measure everything, write report.html and report.json into `out`; return what is over its limit, a sentence each.

    `only`: what of parts.PARTS is measured, nothing means all; `say` gets what is worth telling on a terminal. The
    chip's part needs an image: without one the report says so, and the sentence is among those returned.
    """
    only = only or ((HOST,) if host_only else PARTS)
    chip_parts = [part for part in CHIP if part in only]
    image = None
    missing = "left out with --host-only" if host_only else "left out with --only"
    if chip_parts:
        try:
            image = find_image(uf2)
        except UserError as error:
            missing = str(error)
    # One line a cause, a scenario, an injected cause, a killed loop, a pilot point, a power cut, and readings off and on.
    lines = {
        HOST: len(perf.CAUSES) + len(list(SCENARIOS.glob("*.txt"))) + 1,
        "pilot": len(POINTS),
        "power cuts": cuts,
        "readings": 2,
        "speed": len(PUBLISHED_US),
    }
    for inlet in ("type2", "type1"):
        lines[inlet] = sum(1 for cause in reactions.CAUSES if cause.inlet == inlet)
    lines["type2"] += len(reactions.KILLS) * kills
    total = sum(lines[part] for part in only if part == HOST or image is not None)
    made_by = "inletctl perf --injections %d --chip-injections %d --kills %d --cuts %d --seed %d" % (
        injections, chip_injections, kills, cuts, seed,
    )  # fmt: skip
    if only != PARTS:
        made_by += "".join(" --only %s" % shlex.quote(part) for part in only)
    with Progress(
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed} of {task.total}"),
        TimeElapsedColumn(), console=Console(stderr=True), auto_refresh=False,
    ) as progress:  # fmt: skip
        task = progress.add_task("measuring", total=total)

        def tell(sentence: str) -> None:
            progress.update(task, advance=1, description=sentence[:48], refresh=True)

        result = perf.measure(injections, seed, jobs, tell) if HOST in only else _nothing_of_host()
        result["made_by"] = made_by
        if image is None:
            result["chip"] = missing
        else:
            from inletctl.measure.chip import measure_chip

            result["chip"] = measure_chip(
                image, chip_injections, kills, cuts, seed, jobs, tell, chip_parts
            )
            if "readings" in result["chip"]:
                say(readings.sentence(result["chip"]["readings"]))
    write_whole(
        out / "report.json", lambda stream: stream.write(json.dumps(result, indent=1) + "\n")
    )
    write_page(out / "report.html", result)
    return over_limit(result) + (
        [] if image or not chip_parts else ["The emulated RP2040 was not measured: " + missing]
    )


def _nothing_of_host() -> dict[str, Any]:
    return {
        "firmware": firmware_hash(),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "reactions": [],
    }


def over_limit(result: dict[str, Any]) -> list[str]:
    """Return a sentence for each figure that is not within its limit."""
    sentences = []
    chip = result["chip"] if isinstance(result["chip"], dict) else {}
    for where, rows in (("host", result["reactions"]), ("chip", chip.get("reactions", ()))):
        sentences += [
            "%s: %s after %r is over its limit" % (where, words, row["cause"])
            for row in rows
            for key, words in (("current_0", "current 0"), ("s2_open", "S2 open"))
            if not row[key]["within_limit"]
        ]
    for row in chip.get("kills", ()):
        if not (row["within_limit"] and row["s2_low"]["within_limit"]) or row["s2_high_again"]:
            sentences.append("chip: the loop killed by an %s is over its limit" % row["way"])
    if chip.get("power_cuts", {}).get("neither"):
        sentences.append("chip: a power cut left neither the old nor the new settings")
    if "readings" in chip and not chip["readings"]["within_limit"]:
        sentences.append("chip: readings cost too much: %s" % readings.sentence(chip["readings"]))
    if "speed" in chip and not chip["speed"]["is_alike"]:
        sentences.append(
            "chip: the emulator is not as fast as a Pico (%s), so its times are not a board's"
            % ", ".join(
                "%s: %d %% of its time" % (name, one["of_pico_pct"])
                for name, one in chip["speed"]["loops"].items()
            )
        )
    return sentences
