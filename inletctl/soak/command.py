"""`inletctl soak`: words and exit status of the soak."""

import json
import sys
from pathlib import Path

import click


@click.command("soak")
@click.option("--sessions", type=click.IntRange(32), default=10_000, show_default=True)
@click.option(
    "--figures",
    "figures_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="file for the figures as JSON",
)
@click.option("--json", "as_json", is_flag=True, help="the figures as JSON, nothing else")
def soak_command(sessions: int, figures_path: "Path | None", as_json: bool) -> None:
    """Run sessions back to back on one 32-bit MicroPython; exit status 1 where something leaks, drifts or grows."""
    from inletctl.progress import Bar
    from inletctl.soak import run

    with Bar(sessions, "sessions", as_json) as done:
        tape, rounds = run.soak(sessions, done)
    found = run.figures(tape, rounds)
    text = json.dumps(found, indent=1) + "\n"
    if figures_path is not None:
        from inletctl.report.files import write_whole

        write_whole(figures_path, lambda stream: stream.write(text))
    if as_json:
        click.echo(text, nl=False)
    else:
        click.echo(run.summary(found))
    for sentence in found["shortfalls"]:
        click.echo(sentence, err=True)
    if found["shortfalls"]:
        sys.exit(1)
