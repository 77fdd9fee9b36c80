"""The command `inletctl mutate`: words and exit statuses only."""

import json
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from inletctl.mutate.rooms import KILLED_PCT_MIN, ROOMS
from inletctl.progress import Bar


@click.command("mutate")
@click.option(
    "--room",
    "rooms",
    multiple=True,
    type=click.Choice(tuple(ROOMS)),
    help="this room only; may be given again",
)
@click.option("--sample", type=click.IntRange(1), help="so many mutants a room, drawn at random")
@click.option("--seed", type=click.IntRange(0), help="of the draw; a new one is told if not given")
@click.option(
    "--keep",
    type=click.Path(path_type=Path),
    default=Path("build/mutate"),
    show_default=True,
    help="folder of what is known; a run that broke off goes on from there",
)
@click.option(
    "--out", type=click.Path(path_type=Path), help="JSON file for the figures of these rooms"
)
@click.option("--json", "as_json", is_flag=True, help="as JSON, nothing else")
def mutate(
    rooms: tuple[str, ...], sample: int | None, seed: int | None, keep: Path, out: Path | None, as_json: bool
) -> None:  # fmt: skip
    """Change the firmware a little, thousands of times over: exit 1 where the tests notice too few, or one without a reason."""
    from inletctl.mutate.reasons import read
    from inletctl.mutate.run import faults_of, figures_of, run_room

    reasons = read()
    if seed is None:
        seed = random.SystemRandom().randrange(1 << 31)
    results = []
    said: list[str] = []
    for name in rooms or tuple(ROOMS):
        room = ROOMS[name]
        with Bar(None, name, as_json) as show:
            result = run_room(room, sample, seed, keep, _teller(show))
        results.append(result)
        said += faults_of(result, reasons, {_below(path) for path in room.source_files()})
    figures = {result.room: figures_of(result) for result in results}
    if out is not None:
        _write(out, figures)
    if as_json:
        click.echo(json.dumps(figures, indent=1))
    else:
        _tell(results)
    for sentence in said:
        click.echo(sentence, err=True)
    if said:
        sys.exit(1)


def _teller(show: Callable[..., None]) -> Callable[[int, int, int], None]:
    return lambda done, of, survivors: show(done, of, "%d survive" % survivors)


def _below(path: Path) -> str:
    from inletctl.house import FIRMWARE

    return path.relative_to(FIRMWARE).as_posix()


def _write(path: Path, figures: dict[str, Any]) -> None:
    """Put these rooms' figures in the file; those of others stay."""
    from inletctl.report.files import write_whole

    old = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    text = json.dumps({**old, **figures}, indent=1) + "\n"
    write_whole(path, lambda stream: stream.write(text))


def _tell(results: list[Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for head in ("room", "mutants", "killed", "%", "survived", "of"):
        table.add_column(head, justify="left" if head == "room" else "right")
    for result in results:
        table.add_row(
            result.room,
            str(result.counted),
            str(result.killed),
            "%.1f" % result.killed_pct,
            str(len(result.survivors)),
            str(result.of),
        )
    Console().print(table)
    for result in results:
        if result.seed is not None:
            click.echo("%s: a sample of %d, seed %d" % (result.room, result.tried, result.seed))
    click.echo("at least %d %% must be killed" % KILLED_PCT_MIN)
