"""The commands `inletctl codes list` and `show`: words only."""

import json
import textwrap
from dataclasses import asdict
from typing import Any

import click


@click.group("codes")
def codes_group() -> None:
    """Trouble codes: list them, or show what one means."""


@codes_group.command("list")
@click.option("--json", "as_json", is_flag=True, help="as JSON")
def list_command(as_json: bool) -> None:
    """List every trouble code."""
    from rich.console import Console
    from rich.table import Table

    from inletctl.journal.codes import CLASS_WORDS, CODES

    if as_json:
        click.echo(json.dumps([_as_json(code) for code in CODES], indent=1))
        return
    table = Table(box=None, pad_edge=False)
    for head, width in (("code", 7), ("name", 18), ("class", 21), ("MREC", 4)):
        table.add_column(head, no_wrap=True, min_width=width)
    table.add_column("raised by")
    for code in CODES:
        table.add_row(
            code.code, code.name, CLASS_WORDS[code.clears], code.mrec,
            "%s %s" % (code.kind, code.raised_by),
        )  # fmt: skip
    Console().print(table)


@codes_group.command("show")
@click.argument("code")
@click.option("--json", "as_json", is_flag=True, help="as JSON")
def show_command(code: str, as_json: bool) -> None:
    """Show what CODE means: OI-1203, 1203, or its name."""
    from inletctl.journal.codes import CLASS_WORDS, CLEAR_WORDS, find_code

    found = find_code(code)
    if as_json:
        click.echo(json.dumps(_as_json(found), indent=1))
        return
    click.echo("%s %s (%s)" % (found.code, found.name, CLASS_WORDS[found.clears]))
    for title, words in (
        ("Means", found.means),
        ("Measure", found.measure),
        ("Usually", found.causes),
        ("Clears", CLEAR_WORDS[found.clears]),
    ):
        click.echo(
            textwrap.fill(
                "%-9s%s" % (title + ":", words.replace("`", "")), 100, subsequent_indent=" " * 9
            )
        )
    click.echo("More:    docs/codes/%s.md" % found.code)


def _as_json(code: Any) -> dict[str, Any]:
    from inletctl.journal.codes import CLASS_WORDS

    return {**asdict(code), "clears": CLASS_WORDS[code.clears]}
