"""The commands `inletctl port ...`: records of ports on a board or in a file; words and exit statuses."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from inletctl.errors import UserError
from inletctl.link.commands import board_at

_NUMBERS = click.IntRange(1, 8)
_PORT = click.option(
    "--port", help="serial port of the board, such as /dev/ttyACM0; sim: is a simulated one"
)
_FILE = click.option(
    "--file", "path", type=click.Path(path_type=Path), help="file of records instead of a board"
)
_JSON = click.option("--json", "as_json", is_flag=True, help="as JSON")
_YES = click.option("--yes", is_flag=True, help="do not ask")
_NUMBER = click.argument("number", type=_NUMBERS)


def _where(command: Callable[..., Any]) -> Callable[..., Any]:
    return _PORT(_FILE(command))


@contextmanager
def _records_at(
    port: "str | None", path: "Path | None", may_be_new: bool = False
) -> Iterator[Any]:
    """Yield what holds the records: board.BoardPorts or file.PortFile."""
    if (port is None) == (path is None):
        raise UserError("Give one of --port and --file: where the port records are.")
    if path is not None:
        from inletctl.ports.file import PortFile

        yield PortFile(path, may_be_new)
        return
    from inletctl.ports.board import BoardPorts

    with board_at(str(port)) as client:
        yield BoardPorts(client)


def _told(holder: Any) -> None:
    """Tell what is refused: on stderr, a sentence each."""
    for sentence in holder.refused:
        click.echo(sentence, err=True)


def _record(records: "list[Any]", number: int) -> "dict[str, Any]":
    for record in records:
        if record["id"] == number:
            return record
    there = ", ".join(str(one["id"]) for one in records)
    raise UserError(
        "There is no port %d: %s." % (number, "there are %s" % there if there else "there is none")
    )


def _keep(holder: Any, record: "dict[str, Any]", verb: str) -> None:
    """Check the record, store it, put it in force and show it."""
    from inletctl.ports.words import problems_of, show

    found = problems_of(record)
    if found:
        raise UserError("; ".join(found) + ": nothing is stored.")
    holder.put(record)
    _apply(holder)
    click.echo("port %d is %s" % (record["id"], verb))
    for line in show(record)[1:]:
        click.echo(line)


def _apply(holder: Any) -> None:
    if hasattr(holder, "apply"):
        holder.apply()


@click.group()
def port() -> None:
    """Records of the ports that a controller serves: connector, power, status, notes."""


def _fields(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(
        (
            click.option("--label", help="what people call it"),
            click.option("--connector", help="j1772, ccs1, ccs2, chademo, nacs, type2, gbt, or other with --notes"),
            click.option("--power", help="ac1, ac2 or dc: AC level 1, AC level 2, DC fast"),
            click.option("--max-kw", help="most power, kW"),
            click.option("--volts", help="V; AC: between phase and neutral; 0 = not known"),
            click.option("--amps", help="A, per phase; 0 = not known"),
            click.option("--phases", help="1..3; 0 = not known"),
            click.option("--inlet", help="1: the inlet that the board drives; 2..8: another one, only listed"),
            click.option("--notes", help="anything worth knowing"),
        )
    ):  # fmt: skip
        command = option(command)
    return command


def _changed(record: "dict[str, Any]", fields: "dict[str, str | None]") -> "dict[str, Any]":
    """Return the record with what the options say. Raises UserError."""
    from inletctl.ports.words import connector_word, power_word, whole

    made = dict(record)
    for key in ("label", "notes"):
        if fields[key] is not None:
            made[key] = fields[key]
    for key, word_of in (("connector", connector_word), ("power", power_word)):
        if fields[key] is not None:
            made[key] = word_of(str(fields[key]))
    for option, key, scale in (
        ("max_kw", "max_w", 1000), ("volts", "volts_v", 1), ("amps", "current_ma", 1000), ("phases", "phases", 1),
        ("inlet", "inlet", 1),
    ):  # fmt: skip
        text = fields[option]
        if text is not None:
            made[key] = whole(text, scale, "--" + option.replace("_", "-"))
            if not made[key] and option in ("volts", "amps", "phases"):
                del made[key]
    return made


@port.command("add")
@click.argument("number", type=_NUMBERS, required=False)
@_fields
@_where
def add_port(number: "int | None", port: "str | None", path: "Path | None", **fields: Any) -> None:
    """Record a port: as NUMBER 1..8, or the lowest that is free."""
    for option in ("label", "connector", "power", "max_kw"):
        if fields[option] is None:
            raise UserError(
                "A port needs --label, --connector, --power and --max-kw: --%s is missing."
                % option.replace("_", "-")
            )
    from inletctl.ports.words import is_for_good

    with _records_at(port, path, may_be_new=True) as holder:
        records = holder.records
        _told(holder)
        taken = {one["id"]: one for one in records}
        if number is None:
            free = [n for n in range(1, 9) if n not in taken]
            if not free:
                raise UserError("All 8 ports are recorded: delete one first.")
            number = free[0]
        elif number in taken and (path is not None or not is_for_good(taken[number])):
            raise UserError(
                "There is a port %d already (%s): use `port edit`, or choose another number."
                % (number, taken[number]["label"])
            )
        # A decommissioned one on a board: the board itself says whether it is in service mode.
        _keep(holder, _changed({"id": number}, fields), "recorded")


@port.command("edit")
@_NUMBER
@_fields
@_where
def edit_port(number: int, port: "str | None", path: "Path | None", **fields: Any) -> None:
    """Change what is recorded of port NUMBER; what is not named stays."""
    if all(value is None for value in fields.values()):
        raise UserError("Nothing to change is named: see `inletctl port edit --help`.")
    with _records_at(port, path) as holder:
        record = _open_record(holder, number, path)
        _keep(holder, _changed(record, fields), "changed")


def _open_record(holder: Any, number: int, path: "Path | None") -> "dict[str, Any]":
    """Return the record of this number, where it may be changed here. Raises UserError."""
    from inletctl.ports.words import is_for_good

    records = holder.records
    _told(holder)
    record = _record(records, number)
    if is_for_good(record):
        raise UserError(
            "Port %d (%s) is decommissioned for good: %s."
            % (
                number,
                record["label"],
                "record the new port under another number"
                if path is not None
                else "only `port add %d` or `port delete %d` on a board in service mode replaces it"
                % (number, number),
            ),
            1,
        )
    return record


@port.command("list")
@_JSON
@_where
def list_ports(as_json: bool, port: "str | None", path: "Path | None") -> None:
    """List the ports, and how many of them are available. Exit status 1 where a record was refused."""
    from rich.console import Console

    from inletctl.ports.words import available, is_available, table

    with _records_at(port, path) as holder:
        records = holder.records
    if as_json:
        made = {
            "ports": records,
            "available": sum(is_available(one) for one in records),
            "refused": holder.refused,
        }
        click.echo(json.dumps(made, indent=1))
    elif records:
        # Not a terminal: as wide as it takes, so that nothing is cut.
        console = (
            Console(highlight=False)
            if sys.stdout.isatty()
            else Console(width=200, highlight=False)
        )
        console.print(table(records))
    else:
        click.echo("no port is recorded (%s)" % available(records))
    if not as_json:
        _told(holder)
    if holder.refused:
        sys.exit(1)


@port.command("show")
@_NUMBER
@_JSON
@_where
def show_port(number: int, as_json: bool, port: "str | None", path: "Path | None") -> None:
    """Show what is recorded of port NUMBER, and what follows from it."""
    from inletctl.ports.words import show

    with _records_at(port, path) as holder:
        records = holder.records
        _told(holder)
        record = _record(records, number)
    click.echo(json.dumps(record, indent=1) if as_json else "\n".join(show(record)))


def _set_status(
    number: int, port: "str | None", path: "Path | None", status: str, note: "str | None" = None
) -> None:
    with _records_at(port, path) as holder:
        record = _open_record(holder, number, path)
        if record["status"] == status:
            click.echo("port %d (%s) is %s already" % (number, record["label"], status))
            return
        if note is not None:
            record["notes"] = note
        record["status"] = status
        _keep(holder, record, status)


@port.command("out-of-service")
@_NUMBER
@click.option("--notes", help="why; takes the place of the notes recorded")
@_where
def out_of_service(
    number: int, notes: "str | None", port: "str | None", path: "Path | None"
) -> None:
    """Take port NUMBER out of service until `restore`: nothing is charged through it."""
    _set_status(number, port, path, "out of service", notes)


@port.command("restore")
@_NUMBER
@_where
def restore(number: int, port: "str | None", path: "Path | None") -> None:
    """Put port NUMBER back into service."""
    _set_status(number, port, path, "operational")


@port.command("decommission")
@_NUMBER
@_YES
@_where
def decommission(number: int, yes: bool, port: "str | None", path: "Path | None") -> None:
    """Decommission port NUMBER, for good: only service mode can replace its record."""
    with _records_at(port, path) as holder:
        record = _record(holder.records, number)
        if record["status"] != "decommissioned" and not yes:
            click.confirm(
                "Decommission port %d (%s)? It is for good: only a board in service mode can replace its record"
                % (number, record["label"]),
                abort=True,
            )  # fmt: skip
    if record["status"] == "decommissioned":
        click.echo("port %d (%s) is decommissioned already" % (number, record["label"]))
        return
    _set_status(number, port, path, "decommissioned")


@port.command("delete")
@click.argument("number", metavar="NUMBER|all")
@_YES
@_where
def delete(number: str, yes: bool, port: "str | None", path: "Path | None") -> None:
    """Delete the record of port NUMBER; `all`, on a board: every record, those that cannot be read too."""
    from inletctl.ports.words import is_for_good

    if number == "all":
        _delete_all(port, path, yes)
        return
    if number not in tuple("12345678"):
        raise UserError("'%s' is no port: give its number 1..8, or all." % number[:40])
    with _records_at(port, path) as holder:
        records = holder.records
        _told(holder)
        record = _record(records, int(number))
        if is_for_good(record) and path is not None:
            _open_record(holder, int(number), path)
        if not yes:
            click.confirm(
                "Delete the record of port %s (%s)?" % (number, record["label"]), abort=True
            )
        holder.delete(int(number))
        _apply(holder)
    click.echo("the record of port %s (%s) is deleted" % (number, record["label"]))


def _delete_all(port: "str | None", path: "Path | None", yes: bool) -> None:
    if path is not None:
        raise UserError("`all` is for a board: delete the file %s itself." % path)
    with _records_at(port, path) as holder:
        if not yes:
            click.confirm("Delete every port record of the board at %s?" % port, abort=True)
        holder.delete(0)
        _apply(holder)
    click.echo("every port record is deleted: no port limits or refuses anything")


@port.command("load")
@_YES
@_where
def load(yes: bool, port: "str | None", path: "Path | None") -> None:
    """Put the records of --file on the board at --port, each in place of the one with its number."""
    if port is None or path is None:
        raise UserError(
            "Give both --file, whose records to load, and --port, the board to load them on."
        )
    from inletctl.ports.file import PortFile

    file = PortFile(path)
    records = file.records
    _told(file)
    if not records:
        raise UserError("%s has no record without an error: nothing is loaded." % path)
    if file.refused and not yes:
        click.confirm("Load the %d records without an error?" % len(records), abort=True)
    with _records_at(port, None) as holder:
        for record in records:
            holder.check_connector(record)
        for record in records:
            holder.put(record)
        holder.apply()
    click.echo("%d of the records in %s are on the board" % (len(records), path))


@port.command("save")
@_where
def save(port: "str | None", path: "Path | None") -> None:
    """Write the records of the board at --port to --file, which must not be there yet."""
    if port is None or path is None:
        raise UserError("Give both --port, the board, and --file, where its records are to go.")
    from inletctl.ports.file import PortFile

    if path.exists():
        raise UserError("%s is there already: name a file that is not." % path)
    with _records_at(port, None) as holder:
        records = holder.records
    if not records:
        raise UserError("The board has no port records: nothing is written.", 1)
    file = PortFile(path, may_be_new=True)
    for record in records:
        file.put(record)
    click.echo("wrote %s: %d records" % (path, len(records)))
