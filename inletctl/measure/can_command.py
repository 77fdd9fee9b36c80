"""`inletctl can-perf`: words and exit status of measure/can.py."""

import json
import os
import sys
from pathlib import Path

import click


@click.command("can-perf")
@click.option(
    "--seconds",
    type=click.IntRange(0),
    default=10,
    show_default=True,
    help="simulated, of each load",
)
@click.option(
    "--repeats",
    type=click.IntRange(0),
    default=10,
    show_default=True,
    help="of round trip and silence",
)
@click.option("--uf2", type=click.Path(path_type=Path), help="MicroPython image, as for emu")
@click.option("--out", type=click.Path(path_type=Path), help="file for the figures as JSON")
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--jobs", type=click.IntRange(1), default=os.cpu_count() or 1, show_default=True)
def can_perf(
    seconds: int, repeats: int, uf2: "Path | None", out: "Path | None", seed: int, jobs: int
) -> None:
    """Measure CAN on the emulated board: round trip, full bus load, the status frame's jitter, a silent vehicle.

    One simulated second takes most of a minute.
    """
    from inletctl.emu.image import find_image
    from inletctl.measure.can import measure_can, shortfalls

    result = measure_can(find_image(uf2), seconds, repeats, seed, jobs, click.echo)
    text = json.dumps(result, indent=1)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text + "\n", encoding="utf-8")
        click.echo("wrote %s" % out)
    else:
        click.echo(text)
    over = shortfalls(result)
    for sentence in over:
        click.echo(sentence, err=True)
    if over:
        sys.exit(1)
