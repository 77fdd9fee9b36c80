"""The commands `inletctl journal ...`, and those of `inletctl codes` that ask a board: words and exit statuses."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from inletctl.errors import UserError
from inletctl.journal.codes_command import codes_group
from inletctl.link.commands import PORT, board_at

_JSON = click.option("--json", "as_json", is_flag=True, help="as JSON")
_YES = click.option("--yes", is_flag=True, help="do not ask")


def _journal_of(client: Any) -> Any:
    from inletctl.journal.board import BoardJournal

    return BoardJournal(client)


@contextmanager
def _journal_at(port: str) -> Iterator[Any]:
    with board_at(port) as client:
        yield _journal_of(client)


@click.group("journal")
def journal_group() -> None:
    """What a board remembers: whose fault a stop was, wear, contacts, and the records on its flash."""


@journal_group.command("show")
@PORT
@_JSON
def show_command(port: str, as_json: bool) -> None:
    """Show whose fault the last stop was, how the contacts and the lock wear, and how the log is."""
    from inletctl.journal import words

    with _journal_at(port) as journal:
        now = journal.now()
        wear = journal.wear()
        contacts = [journal.contact(n) for n in range(len(words.CONTACTS))]
    verdict = words.verdict(now)
    if as_json:
        click.echo(
            json.dumps(
                {
                    "now": now,
                    "verdict": None if verdict is None else asdict(verdict),
                    "wear": {name: value for name, value, _unit, _what in words.counters(wear)},
                    "warnings": words.warnings(now["warnings"]),
                    "contacts": [words.contact(one) for one in contacts],
                },
                indent=1,
            )
        )
        return
    _tell_verdict(verdict)
    _tell_missing(now)
    for name, one in zip(words.CONTACTS, contacts):
        click.echo("%-14s%s" % (name + ":", words.contact(one)))
    for name, value, unit, what in words.counters(wear):
        click.echo("%-22s%8d %-6s %s" % (name, value, unit, what))
    for sentence in words.warnings(now["warnings"]):
        click.echo("Due: " + sentence)
    _tell_log(now)


def _tell_verdict(verdict: Any) -> None:
    if verdict is None:
        click.echo("No stop and no refusal since the board was switched on.")
        return
    click.echo("Whose fault: " + verdict.line)
    for one in verdict.evidence:
        click.echo("             - " + one)


def _tell_missing(now: dict[str, int]) -> None:
    from inletctl.journal import words

    for what in words.missing(now["loaded"]):
        click.echo("Not on this board, for want of memory or flash: %s." % what)


def _tell_log(now: dict[str, int]) -> None:
    from inletctl.journal import words

    click.echo(
        "Log: %d records written, %d found damaged, %d not taken by the flash%s."
        % (
            now["log_last"], now["log_lost"], now["failures"],
            "; something waits to be written" if now["unsaved"] else "",
        )
    )  # fmt: skip
    for key, sentence in words.LEFT_OUT:
        if now[key]:
            click.echo(sentence % now[key])


@journal_group.command("download")
@PORT
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("journal.jsonl"), show_default=True, help="file to write"
)  # fmt: skip
def download_command(port: str, out: Path) -> None:
    """Read every record on the board's flash into a file, for `inletctl blackbox list|decode|replay`."""
    from inletctl.blackbox.file import save

    def told(done: int, of: int) -> None:
        click.echo("file %d of %d" % (done, of), err=True)

    with board_at(port) as client:
        board = " ".join(client.hello())
        records = _journal_of(client).records(told)
    if not records:
        raise UserError("The board has written no record yet: nothing is saved.", 1)
    save([(one.kind, one.number, one.payload) for one in records], out, board)
    click.echo("wrote %d records to %s" % (len(records), out))


@journal_group.command("inspected")
@PORT
@_YES
def inspected_command(port: str, yes: bool) -> None:
    """Tell the board, in service mode, that its inlet was inspected: it counts to the next inspection from here."""
    with _journal_at(port) as journal:
        _sure(yes, "Count to the next inspection from here, and learn the lock's time anew?")
        journal.inspected()
    click.echo("the board counts to its next inspection from here")


def _sure(yes: bool, question: str) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise UserError("Nobody is there to be asked: give --yes to go on without.")
    if not click.confirm(question):
        raise UserError("Left as it is.", 1)


@codes_group.command("read")
@PORT
@_JSON
@click.option("--frame", is_flag=True, help="with what was read and commanded at the moment")
def read_command(port: str, as_json: bool, frame: bool) -> None:
    """Show the trouble codes that a board has stored."""
    with _journal_at(port) as journal:
        found = journal.codes()
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found], indent=1))
        return
    if not found:
        click.echo("no trouble code is stored")
    for one in found:
        click.echo(
            "%s %s, %s, %d times, first in %s, last in %s%s"
            % (
                one.code, one.name, "PRESENT" if one.is_present else "stored", one.count, one.first, one.last,
                ", %d sessions without it since" % one.clean if one.clean else "",
            )
        )  # fmt: skip
        click.echo("        " + one.means.replace("`", ""))
        if frame:
            for name, value in one.frame.items():
                click.echo("        %-20s %d" % (name, value))


@codes_group.command("clear")
@click.argument("code")
@PORT
def clear_command(code: str, port: str) -> None:
    """Have a board forget CODE, as far as its class allows: OI-1203, 1203, or its name."""
    from inletctl.journal.codes import find_code

    found = find_code(code)
    with _journal_at(port) as journal:
        journal.clear(found.number)
    click.echo("%s %s is cleared" % (found.code, found.name))
