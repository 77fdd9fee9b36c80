"""`inletctl campaign`: words and exit statuses of the fault campaign."""

import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from inletctl.campaign.figures import Result

_DIRECTORY = click.Path(path_type=Path, file_okay=False)


@click.command("campaign")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
@click.option("--sessions", type=click.IntRange(1), default=20_000, show_default=True)
@click.option(
    "--only",
    type=click.IntRange(0),
    multiple=True,
    help="this session of the seed alone; may be given again",
)
@click.option(
    "--kind", "kinds", multiple=True, help="single faults of this kind only; may be given again"
)
@click.option("--jobs", type=click.IntRange(1), default=os.cpu_count() or 1, show_default=True)
@click.option(
    "--keep",
    type=click.Path(path_type=Path, dir_okay=False),
    help="file of results; what it has is not run again",
)
@click.option(
    "--figures",
    "figures_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="file for the figures as JSON",
)
@click.option(
    "--out",
    type=_DIRECTORY,
    default=Path("build/campaign"),
    show_default=True,
    help="folder of scenario files of what must not be",
)
@click.option("--until-bad", is_flag=True, help="end with the first that must not be")
@click.option("--json", "as_json", is_flag=True, help="the figures as JSON, nothing else")
@click.option(
    "--known-bad",
    is_flag=True,
    help="instead: run every firmware that is broken on purpose; exit 1 where one is not caught",
)
def campaign_command(
    seed: int, sessions: int, only: tuple[int, ...], kinds: tuple[str, ...], jobs: int, keep: "Path | None",
    figures_path: "Path | None", out: Path, until_bad: bool, as_json: bool, known_bad: bool,
) -> None:  # fmt: skip
    """Break things in the middle of randomised sessions, one or two at a time, and judge what the inlet makes of it.

    Exit status 1 where a session was unsafe or stuck, or a stop is not explained; each of those is a scenario file then.
    """
    if known_bad:
        _known_bad(as_json)
        return
    from inletctl.campaign import figures as run

    _check(only, kinds, keep)
    numbers = list(only) or list(range(sessions))
    began_s = time.monotonic()
    if not as_json:
        click.echo("seed %d" % seed, err=True)
    results, is_whole = _results(seed, numbers, jobs, kinds, keep, until_bad, as_json)
    results.sort(key=lambda result: result.number)
    found = run.figures(seed, results, time.monotonic() - began_s if is_whole else None, jobs)
    text = json.dumps(found, indent=1) + "\n"
    if figures_path is not None:
        from inletctl.report.files import write_whole

        write_whole(figures_path, lambda stream: stream.write(text))
    bad = [result for result in results if result.is_bad]
    for result in bad[: run.WRITTEN_MAX]:
        path, command = run.write_scenario(seed, result, out)
        click.echo(result.words, err=True)
        click.echo("  wrote %s; play it again with: %s" % (path, command), err=True)
    if as_json:
        click.echo(text, nl=False)
    else:
        for result in results if only else ():
            if not result.is_bad:
                click.echo(result.words)
        click.echo(run.summary(found))
    if bad:
        sys.exit(1)


def _results(
    seed: int, numbers: list[int], jobs: int, kinds: tuple[str, ...], keep: "Path | None", until_bad: bool, is_quiet: bool
) -> "tuple[list[Result], bool]":  # fmt: skip
    """Return the result of each session, those that are kept and those that are run, and whether none was kept."""
    from inletctl.campaign.figures import Keeper, campaign
    from inletctl.progress import Bar

    keeper = Keeper(keep, seed, kinds)
    results = [keeper.done[number] for number in numbers if number in keeper.done]
    waiting = [number for number in numbers if number not in keeper.done]
    with Bar(len(numbers), "sessions", is_quiet) as done:
        for result in campaign(seed, waiting, jobs, kinds):
            keeper.keep(result)
            results.append(result)
            done(len(results))
            if until_bad and result.is_bad:
                break
    return results, not keeper.done


def _check(only: tuple[int, ...], kinds: tuple[str, ...], keep: "Path | None") -> None:
    """Raise UserError for options that do not go together."""
    from inletctl.campaign.kinds import BY_NAME
    from inletctl.errors import UserError

    for kind in kinds:
        if kind not in BY_NAME:
            raise UserError(
                "--kind %r: there is no such fault; choose from: %s." % (kind, ", ".join(BY_NAME))
            )
    if only and keep is not None:
        raise UserError("Give --only or --keep, not both: single sessions are not kept.")


def _known_bad(as_json: bool) -> None:
    from inletctl.campaign.known_bad import caught, read
    from inletctl.progress import Bar

    bads = read()
    rows = []
    with Bar(len(bads), "firmwares", as_json) as done:
        for n, bad in enumerate(bads):
            rows.append((bad, caught(bad)))
            done(n + 1)
    missed = [bad for bad, seen in rows if not seen]
    if as_json:
        click.echo(
            json.dumps(
                [{"name": bad.name, "outcome": bad.outcome, "caught": seen} for bad, seen in rows],
                indent=1,
            )
        )
    else:
        for bad in missed:
            click.echo(
                "%s (%s) is not caught as %s" % (bad.name, bad.wrong, bad.outcome), err=True
            )
        click.echo("%d of %d broken firmwares caught" % (len(rows) - len(missed), len(rows)))
    if missed:
        sys.exit(1)
