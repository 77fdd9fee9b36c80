"""The command `inletctl reactions`: measure the reaction times alone, keep them, print README.md's table anew."""

import os
import platform
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from inletctl.errors import UserError

# What `inletctl perf` asks for as well.
CHIP_INJECTIONS = click.option(
    "--chip-injections",
    type=click.IntRange(1),
    default=30,
    show_default=True,
    help="per cause on the emulated RP2040, pin to pin",
)
KILLS = click.option(
    "--kills", type=click.IntRange(1), default=5, show_default=True, help="of the loop, per way"
)


def injections_option(default: int) -> Callable[[Any], Any]:
    """Return the option --injections with this default."""
    return click.option(
        "--injections",
        type=click.IntRange(1),
        default=default,
        show_default=True,
        help="per cause on the host; S2 of those that wait for the current in every tenth",
    )


@click.command("reactions")
@injections_option(1000)
@CHIP_INJECTIONS
@KILLS
@click.option("--uf2", type=click.Path(path_type=Path), help="MicroPython image, as for emu")
@click.option(
    "--only",
    type=click.Choice(["host", "rp2040"]),
    help="this target only; the other stays as kept",
)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--jobs", type=click.IntRange(1), default=os.cpu_count() or 1, show_default=True)
def reactions(
    injections: int,
    chip_injections: int,
    kills: int,
    uf2: "Path | None",
    only: "str | None",
    seed: int,
    jobs: int,
) -> None:
    """Measure how fast the inlet reacts, on the host and on the emulated RP2040, and print README.md's table anew.

    The figures are kept in docs/figures/reactions.json. Exit status 1 where one is over our own limit, or the emulated chip
    was not measured for want of an image.
    """
    from inletctl import docs, perf, reaction_table
    from inletctl.house import firmware_hash
    from inletctl.measure.everything import over_limit

    image, missing = None, ""
    if only != reaction_table.HOST:
        from inletctl.emu.image import find_image

        try:
            image = find_image(uf2)
        except UserError as error:
            if only:
                raise
            missing = "The emulated RP2040 was not measured: %s" % error
    made_by = "inletctl reactions --injections %d --chip-injections %d --kills %d --seed %d" % (
        injections, chip_injections, kills, seed,
    )  # fmt: skip
    report: dict[str, Any] = {
        "firmware": firmware_hash(),
        "python": platform.python_version(),
        "made_by": made_by + (" --only %s" % shlex.quote(only) if only else ""),
        "reactions": [],
        "chip": "not measured",
    }
    with _Bar(len(perf.CAUSES) + 1 if only != reaction_table.CHIP else 0) as tell:
        if only != reaction_table.CHIP:
            report["reactions"] = perf.measure_reactions(injections, seed, jobs, tell)
            report["lowering"] = perf.measure_lowering(injections, seed)
            tell(report["lowering"]["cause"])
        if image is not None:
            from inletctl.measure.chip import measure_chip

            report["chip"] = measure_chip(
                image, chip_injections, kills, 0, seed, jobs, tell, ("type2", "type1")
            )
    kept = reaction_table.keep_report(report, seed)
    click.echo("kept the reactions of: %s" % ", ".join(kept))
    for name in docs.write():
        click.echo("wrote %s" % name)
    over = over_limit(report) + ([missing] if missing else [])
    for sentence in over:
        click.echo(sentence, err=True)
    if over:
        sys.exit(1)


class _Bar:
    """A progress bar on stderr: a line a cause on the host; what the chip tells goes on behind it."""

    def __init__(self, of: int):
        self._of = of

    def __enter__(self) -> Any:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=Console(stderr=True),
            auto_refresh=False,
        )  # fmt: skip
        self._progress.start()
        task = self._progress.add_task("measuring", total=self._of or None)

        def tell(sentence: str) -> None:
            self._progress.update(task, advance=1, description=sentence[:48], refresh=True)

        return tell

    def __exit__(self, *_: object) -> None:
        self._progress.stop()
