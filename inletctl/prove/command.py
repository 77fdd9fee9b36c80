"""The commands `inletctl prove ...`: the rules, the search and the firmwares that must be caught; words and exit statuses."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from inletctl.progress import Bar

_SEED = click.option("--seed", type=int, default=1, show_default=True)
_JSON = click.option("--json", "as_json", is_flag=True, help="as JSON, nothing else")


@click.group("prove")
def prove_group() -> None:
    """What must hold in every pass: list it, search for a way round it, show that it bites."""


@prove_group.command("rules")
@_JSON
def rules_command(as_json: bool) -> None:
    """List every invariant that `inletctl sim` checks in every pass."""
    from rich.console import Console
    from rich.table import Table

    from inletctl.prove.rules import RULES

    if as_json:
        rows = [{"id": rule.id, "text": rule.text, "source": rule.source} for rule in RULES]
        click.echo(json.dumps(rows, indent=1))
        return
    table = Table(box=None, pad_edge=False)
    table.add_column("id", no_wrap=True)
    table.add_column("what must hold")
    table.add_column("numbers from")
    for rule in RULES:
        table.add_row(rule.id, rule.text, rule.source)
    Console().print(table)


@prove_group.command("search")
@click.option(
    "--depth",
    type=click.IntRange(1, 20),
    default=4,
    show_default=True,
    help="moves from each root",
)
@click.option(
    "--states",
    type=click.IntRange(1),
    default=20_000,
    show_default=True,
    help="gone on with, in all",
)
@click.option(
    "--config",
    "configs",
    multiple=True,
    help="this way of setting the inlet only; may be given again",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("build/prove/counter-example.txt"),
    show_default=True,
    help="scenario file of what is found",
)
@_SEED
@_JSON
def search_command(
    depth: int, states: int, configs: tuple[str, ...], out: Path, seed: int, as_json: bool
) -> None:  # fmt: skip
    """Search the step breadth-first for a way to break an invariant; exit 1 and a scenario file where there is one."""
    from inletctl.errors import UserError
    from inletctl.house import FIRMWARE
    from inletctl.prove.example import words, write_example
    from inletctl.prove.firmware import load
    from inletctl.prove.rig import CONFIGS
    from inletctl.prove.search import Search

    for config in configs:
        if config not in CONFIGS:
            raise UserError("--config %s: choose from %s" % (config, ", ".join(CONFIGS)))
    firmware = load(FIRMWARE)
    with Bar(states, "states", as_json) as bar:
        search = Search(
            depth, states, seed, firmware, configs or tuple(CONFIGS), tell=lambda done, _of: bar(done)
        )  # fmt: skip
        result = search.run()
    found = result.found
    if found is not None:
        write_example(found, firmware, out)
    if as_json:
        click.echo(json.dumps(_result_json(result, out), indent=1))
    else:
        _tell(result, depth)
        if found is not None:
            click.echo(found.broken.sentence, err=True)
            click.echo(
                "%s, from %s: %s" % (found.config, found.root, words(found.moves)), err=True
            )
            click.echo("wrote %s; run it with: inletctl sim %s" % (out, out))
    if found is not None:
        sys.exit(1)


def _tell(result: Any, depth: int) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column("inlet", no_wrap=True)
    for n in range(depth):
        table.add_column("depth %d" % n, justify="right")
    for config, depths in result.depths.items():
        cells = [
            "%d" % one.states if one.tried == one.states else "%d of %d" % (one.tried, one.states)
            for one in depths
        ]
        table.add_row(config, *cells)
    Console().print(table)
    click.echo(
        "%d states gone on with, %d passes of the step, %.0f s of CPU, seed %d; nothing left out up to %d moves"
        % (result.states, result.passes, result.cpu_s, result.seed, result.whole_depth)
    )


def _result_json(result: Any, out: Path) -> dict[str, Any]:
    found = result.found
    return {
        "seed": result.seed,
        "states": result.states,
        "passes": result.passes,
        "cpu_s": round(result.cpu_s, 1),
        "whole_depth": result.whole_depth,
        "depths": {
            config: [{"depth": one.depth, "states": one.states, "tried": one.tried} for one in depths]
            for config, depths in result.depths.items()
        },
        "found": None
        if found is None
        else {
            "rule": found.broken.rule.id,
            "seen": found.broken.seen,
            "config": found.config,
            "root": found.root,
            "moves": list(found.moves),
            "file": str(out),
        },
    }  # fmt: skip


@prove_group.command("known-bad")
@click.option("--only", multiple=True, help="this firmware only; may be given again")
@_JSON
def known_bad_command(only: tuple[str, ...], as_json: bool) -> None:
    """Run every firmware that is broken on purpose; exit 1 where one is not caught by the invariant that must catch it."""
    from inletctl.prove.known_bad import KNOWN_BAD, caught

    rows = []
    bads = [bad for bad in KNOWN_BAD if not only or bad.name in only]
    with Bar(len(bads), "firmwares", as_json) as bar:
        for n, bad in enumerate(bads):
            seen = caught(bad)
            rows.append((bad, seen))
            bar(n + 1)
    missed = [bad for bad, seen in rows if bad.rule not in seen]
    if as_json:
        click.echo(
            json.dumps(
                [
                    {"name": bad.name, "rule": bad.rule, "caught": bad.rule in seen, "broken": list(seen)}
                    for bad, seen in rows
                ],
                indent=1,
            )
        )  # fmt: skip
    else:
        for bad in missed:
            click.echo("%s (%s) is not caught by %s" % (bad.name, bad.wrong, bad.rule), err=True)
        click.echo("%d of %d broken firmwares caught" % (len(rows) - len(missed), len(rows)))
    if missed:
        sys.exit(1)
