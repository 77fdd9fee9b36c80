"""The command `inletctl flash`: words, a progress bar, exit statuses."""

from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from inletctl.flash.compile import Image, build
from inletctl.flash.install import Done, install
from inletctl.flash.transport import open_link
from inletctl.house import FIRMWARE, use_firmware

DEFAULT_BOARD = "rp2040-reference"


@click.command("flash")
@click.option("--port", required=True, help="serial port of the board, such as /dev/ttyACM0")
@click.option(
    "--board",
    default=DEFAULT_BOARD,
    show_default=True,
    help="a name from firmware/boards, or the path of a board file",
)
@click.option(
    "--firmware",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=FIRMWARE,
    help="folder of the firmware's sources, instead of this repository's",
)
def flash(port: str, board: str, firmware: Path) -> None:
    """Put the firmware on the board at PORT, only what changed, and see it start.

    An interrupted flash leaves the old firmware or the new one, never half of each. While a session is charging
    the board is left alone. Modules that are not part of the firmware are deleted from the board, except in lib/;
    settings, journal and other data are not touched.
    """
    image = build(board, firmware)
    done = _install(port, image)
    for line in summary(image, done):
        click.echo(line)


def _install(port: str, image: Image) -> Done:
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(binary_units=True),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as progress:
        task = progress.add_task("", total=None)

        def tell(stage: str, done: int, total: int) -> None:
            progress.update(task, description=stage, completed=done, total=total or None)

        return install(lambda: open_link(port), image, tell)


def summary(image: Image, done: Done) -> list[str]:
    """Return what a person wants to know after a flash that worked."""
    use_firmware()
    import faults
    from interlock import SESSION_NAMES

    plan = done.plan
    lines = []
    if done.finished:
        lines.append("before this, %s" % done.finished)
    if plan.is_empty:
        lines.append("nothing to copy: the board already held this firmware")
    else:
        lines.append(
            "copied %d files, %d bytes; kept %d%s"
            % (
                len(plan.copy),
                plan.size,
                plan.kept,
                "; deleted " + ", ".join(plan.delete) if plan.delete else "",
            )
        )
    if done.before and not plan.is_empty:
        lines.append("before: %s" % done.before)
    lines.append(
        "openinlet %s for %s runs: %d files, %d bytes, every one verified; %.1f s"
        % (image.version, image.board, len(image.files), image.size, done.seconds)
    )
    commands = done.report.commands
    told = ", ".join(faults.names(faults.FAULTS, commands["faults"])) or "none"
    lines.append(
        "first report: session %s, faults %s" % (SESSION_NAMES[commands["session"]], told)
    )
    return lines
