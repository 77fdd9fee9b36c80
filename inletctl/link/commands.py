"""The commands `inletctl scan`, `settings`, `log`, `decode` and `replay`: words and exit statuses."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from inletctl.errors import UserError

PORT = click.option(
    "--port",
    required=True,
    help="serial port of the board, such as /dev/ttyACM0; sim: is a simulated one",
)
_FILE = click.argument("file", type=click.Path(path_type=Path))
# A port where something else sits is not waited for as long as a board that is known to be there.
_SCAN_ANSWER_S = 0.7
_SCAN_TRIES = 2


@contextmanager
def board_at(port: str) -> Iterator[Any]:
    """Open the board at `port` and yield its client.BoardClient; a lost port becomes a UserError."""
    from inletctl.link.client import BoardClient
    from inletctl.link.port import PortLost, open_port

    client = BoardClient(open_port(port), reopen=lambda: open_port(port))
    try:
        yield client
    except PortLost as error:
        raise UserError(
            "The board at %s is gone (%s): connect it again, then repeat the command."
            % (port, str(error).strip().rstrip(".") or "no reason told"),
            1,
        ) from None
    finally:
        client.close()


# ------------------------------------------------------------------------------------------- scan


@click.command()
def scan() -> None:
    """Find boards at USB serial ports, and instruments that speak VISA."""
    from inletctl.link.port import usb_ports

    ports = usb_ports()
    if not ports:
        click.echo("no USB serial port is here")
    for port in ports:
        click.echo("%s  %s" % (port.device, _who_is_at(port)))
    _scan_instruments()


def _who_is_at(port: Any) -> str:
    from inletctl.link.client import BoardClient
    from inletctl.link.port import PortLost, SerialPort

    usb = "%04x:%04x %s" % (port.vid, port.pid or 0, port.product or "")
    try:
        opened = SerialPort(port.device)
    except UserError as error:
        return str(error)
    try:
        board = BoardClient(opened).hello(_SCAN_ANSWER_S, _SCAN_TRIES)
    except (UserError, PortLost):
        return "something else, or a board without this firmware (USB %s)" % usb.strip()
    finally:
        opened.close()
    return "OpenInlet board %s on %s, id %s, firmware %s" % (
        board.board, board.chip, board.board_id, board.firmware,
    )  # fmt: skip


def _scan_instruments() -> None:
    try:
        import pyvisa  # noqa: F401 - only whether it is here
    except ImportError:
        click.echo("instruments: pyvisa is missing: run `make setup` to look for them")
        return
    from inletctl.bench.instruments.scan import find_instruments

    found = find_instruments()
    if not found:
        click.echo("no instrument answers")
    for one in found:
        dialect = one.dialect or "no dialect knows it: see `inletctl bench --help`"
        click.echo("%s  %s (%s)" % (one.address, one.idn, dialect))


# --------------------------------------------------------------------------------------- settings


@click.group()
def settings() -> None:
    """Read and change what a board has stored as settings."""


@settings.command("get")
@click.argument("key", required=False)
@PORT
@click.option("--json", "as_json", is_flag=True, help="as JSON")
def get_settings(key: "str | None", port: str, as_json: bool) -> None:
    """Show the setting KEY of a board, or all of them."""
    from inletctl.link.setting_words import row_of, show

    if key is not None:
        row_of(key)
    with board_at(port) as board:
        found = board.settings() if key is None else {key: board.setting(key)}
    if as_json:
        made = {
            name: {"value": value, "stored": is_stored}
            for name, (value, is_stored) in found.items()
        }
        click.echo(json.dumps(made, indent=1))
        return
    for name, (value, is_stored) in found.items():
        click.echo("%-22s %-12s %s" % (name, show(name, value), "" if is_stored else "default"))
    if key is None and not any(is_stored for _, is_stored in found.values()):
        click.echo("none is stored: the board refuses to charge until one is set")


@settings.command("set")
@click.argument("assignments", nargs=-1, required=True, metavar="KEY=VALUE...")
@PORT
def set_settings(assignments: "tuple[str, ...]", port: str) -> None:
    """Store settings on a board, all of them or none, and restart it."""
    from inletctl.link.setting_words import parse

    wanted = parse(assignments)
    with board_at(port) as board:
        change_settings(board, wanted)


def change_settings(board: Any, wanted: dict[str, int]) -> None:
    """Check `wanted` with what is stored, store it on the board, and tell what changed. Raises UserError."""
    from inletctl.link.setting_words import check_together, show

    before = board.settings()
    stored = {key: value for key, (value, is_stored) in before.items() if is_stored}
    check_together({**stored, **wanted})
    if all(before[key] == (value, True) for key, value in wanted.items()):
        click.echo("nothing to change: the board has these settings stored already")
        return
    board.set_settings(wanted)
    after = board.settings()
    for key, (value, is_stored) in after.items():
        if key in wanted or after[key] != before[key]:
            click.echo(
                "%-22s %s -> %s%s"
                % (
                    key,
                    show(key, before[key][0]) + ("" if before[key][1] else " (default)"),
                    show(key, value),
                    "" if is_stored else " (default)",
                )
            )


@settings.command("reset")
@PORT
@click.option("--yes", is_flag=True, help="do not ask")
def reset_settings(port: str, yes: bool) -> None:
    """Remove every stored setting from a board and restart it; it then refuses to charge."""
    with board_at(port) as board:
        who = board.hello()
        if not yes:
            click.confirm(
                "Remove every setting of board %s (%s)?" % (who.board_id, who.board), abort=True
            )
        board.clear_settings()
    click.echo("every setting is removed: the board refuses to charge until settings are set")


# -------------------------------------------------------------------------------------------- log


@click.group("log")
def log_group() -> None:
    """Logs of a board."""


@log_group.command("download")
@PORT
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="file; must not be there yet"
)
def download_log(port: str, out: Path) -> None:
    """Fetch the newest changes since a board's start, which it remembers, as a log file."""
    from inletctl.link.download import download

    with board_at(port) as board:
        count = download(board, out)
    click.echo("wrote %s: %d changes" % (out, count))


@click.command("decode")
@_FILE
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("build/log"),
    show_default=True,
    help="folder for log.csv and log.vcd",
)
def decode_command(file: Path, out: Path) -> None:
    """Turn the log FILE into a table (CSV) and waveforms (VCD)."""
    from inletctl.link.decode import decode
    from inletctl.link.log import read_log

    log = read_log(file)
    if log.warning:
        click.echo(log.warning, err=True)
    for path in decode(log, out):
        click.echo("wrote %s" % path)


@click.command("replay")
@_FILE
def replay_command(file: Path) -> None:
    """Run the readings of the log FILE through the logic on this computer; list where it now decides otherwise.

    Every pass is the same, different, or not judged: what hangs on what changed between two readings, or on what was
    not recorded, counts as neither. Exit status 0 if nothing judged is different, 1 if something is, 2 if nothing could
    be judged.
    """
    from inletctl.link.log import read_log
    from inletctl.link.replay import replay

    log = read_log(file)
    if log.warning:
        click.echo(log.warning, err=True)
    result = replay(log)
    for one in result.differences:
        click.echo(
            "%10.3f s  different   %-14s board said %s, host says %s (for %.2f s)"
            % (one.t_us / 1e6, one.field, one.board, one.host, one.length_us / 1e6)
        )
    for span in result.not_judged:
        click.echo(
            "%10.3f s  not judged  %s (for %.2f s)"
            % (
                span.t_us / 1e6,
                ": ".join(filter(None, (span.why, span.fields))),
                span.length_us / 1e6,
            )
        )
    whole_us = max(1, result.same_us + result.not_judged_us + result.different_us)
    click.echo(
        "same %.2f s (%.2f %%), not judged %.2f s (%.2f %%) in %d spans, different %.2f s (%.2f %%) in %d fields; "
        "readings at most %d ms apart"
        % (
            result.same_us / 1e6,
            100 * result.same_us / whole_us,
            result.not_judged_us / 1e6,
            100 * result.not_judged_us / whole_us,
            len(result.not_judged),
            result.different_us / 1e6,
            100 * result.different_us / whole_us,
            len(result.differences),
            result.longest_spacing_us // 1000,
        )
    )
    if result.differences:
        click.echo(
            "The first one counts: the recorded world obeyed the board, so later ones may follow from it."
        )
        sys.exit(1)
    if not result.same_us:
        raise UserError("%s: nothing in it could be judged: record with a closer --rate." % file)
