"""`inletctl garbage`: words, options and exit statuses only."""

import os
import sys
import time
from pathlib import Path

import click


@click.command("garbage")
@click.option("--lines", "count", type=click.IntRange(2), default=2000, show_default=True)
@click.option("--uf2", type=click.Path(path_type=Path), help="MicroPython image, as for emu")
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--jobs", type=click.IntRange(1), default=os.cpu_count() or 1, show_default=True)
def garbage(count: int, uf2: "Path | None", seed: int, jobs: int) -> None:
    """Type garbage at the emulated board's console, with an empty inlet and while it charges; say whether it minds.

    Exit status 0: nothing was obeyed, set, written or late; 1: something was.
    """
    from inletctl.emu.image import find_image
    from inletctl.measure.garbage import measure_garbage, table

    began_s = time.monotonic()
    result = measure_garbage(find_image(uf2), count, seed, jobs, click.echo)
    for line in table(result):
        click.echo(line)
    for sentence in result["wrong"]:
        click.echo(sentence, err=True)
    click.echo(
        "%s: %d lines of garbage, seed %d, in %.0f s"
        % ("FAIL" if result["wrong"] else "PASS", count, seed, time.monotonic() - began_s)
    )
    if result["wrong"]:
        sys.exit(1)
