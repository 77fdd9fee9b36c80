"""The commands `inletctl can list`, `decode`, `watch` and `vehicle`: words and exit statuses."""

import csv
import json
import sys
import time
from pathlib import Path
from typing import Any

import click

_DIALECTS = ("native", "cpc", "i3lim", "modem")
_DIALECT = click.option(
    "--dialect",
    "dialects",
    multiple=True,
    type=click.Choice(_DIALECTS),
    help="only messages of this one; may be repeated  [default: all]",
)
_INTERFACE = click.option(
    "--interface", required=True, help="of python-can: socketcan, slcan, pcan, gs_usb, kvaser, ..."
)
_CHANNEL = click.option(
    "--channel", default="can0", show_default=True, help="as the interface names it"
)
_BITRATE = click.option(
    "--bitrate", type=click.IntRange(10_000, 1_000_000), help="bit/s, where the interface sets it"
)
_SECONDS = click.option(
    "--seconds", type=click.FloatRange(0), help="end after so long  [default: Ctrl-C]"
)


@click.group("can")
def can_group() -> None:
    """CAN messages: list them, read logs and buses, play the vehicle."""


@can_group.command("list")
@_DIALECT
@click.option("--json", "as_json", is_flag=True, help="as JSON")
def list_command(dialects: tuple[str, ...], as_json: bool) -> None:
    """List every message and its signals."""
    from inletctl.can import source

    found = [source.load(name) for name in dialects or _DIALECTS]
    if as_json:
        click.echo(json.dumps([_dialect_json(d) for d in found], indent=1))
        return
    for dialect in found:
        click.echo("%s: %s" % (dialect.name, dialect.title))
        for m in dialect.messages:
            click.echo(
                "  0x%03X %-13s %d bytes, every %4d ms, from the %s%s"
                % (
                    m.id,
                    m.name,
                    m.length,
                    m.cycle_ms,
                    m.sender,
                    ", protected" if m.is_protected else "",
                )
            )
            for s in m.signals:
                page = "" if s.page is None else "page %d  " % s.page
                click.echo(
                    "        %s%s%s  %s"
                    % (page, s.name, " (%s)" % s.unit if s.unit else "", s.comment)
                )


def _dialect_json(dialect: Any) -> dict[str, Any]:
    return {
        "dialect": dialect.name,
        "title": dialect.title,
        "messages": [
            {
                "id": m.id, "name": m.name, "length": m.length, "cycle_ms": m.cycle_ms, "sender": m.sender,
                "protected": m.is_protected, "signals": [
                    {
                        "name": s.name, "start": s.start, "bits": s.bits, "scale": s.scale, "offset": s.offset,
                        "min": s.minimum, "max": s.maximum, "unit": s.unit, "page": s.page, "words": s.words,
                        "bit_names": s.bit_names, "comment": s.comment,
                    }
                    for s in m.signals
                ],
            }
            for m in dialect.messages
        ],
    }  # fmt: skip


class _Teller:
    """Prints what was heard, as a table, CSV or JSON lines."""

    def __init__(self, form: str):
        self._form = form
        self._units: dict[tuple[str, str], str] = {}
        self._csv = csv.writer(sys.stdout, lineterminator="\n") if form == "csv" else None
        if self._csv is not None:
            self._csv.writerow(
                ("t_s", "dialect", "message", "signal", "value", "word", "unit", "wrong")
            )

    def tell(self, heard: Any) -> None:
        name = heard.message.name
        words = heard.words()
        if self._csv is not None:
            units = {s.name: s.unit for s in heard.message.signals}
            for signal, value in heard.values.items():
                word = words[signal] if words[signal] != value else ""
                self._csv.writerow(
                    (
                        "%.6f" % heard.t_s,
                        heard.dialect,
                        name,
                        signal,
                        value,
                        word,
                        units[signal],
                        heard.wrong,
                    )
                )
            if not heard.values:
                self._csv.writerow(
                    ("%.6f" % heard.t_s, heard.dialect, name, "", "", "", "", heard.wrong)
                )
        elif self._form == "json":
            click.echo(
                json.dumps(
                    {
                        "t_s": heard.t_s, "dialect": heard.dialect, "message": name,
                        "values": heard.values, "words": words, "wrong": heard.wrong,
                    }
                )
            )  # fmt: skip
        else:
            said = " ".join(
                "%s=%s" % pair for pair in words.items() if pair[0] not in ("crc", "counter")
            )
            if heard.wrong:
                said = ("NOT TO BE BELIEVED (%s) %s" % (heard.wrong, said)).rstrip()
            click.echo("%14.6f  %-6s %-12s %s" % (heard.t_s, heard.dialect, name, said))


_FORM = click.option(
    "--format", "form", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True,
    help="json: one object a line",
)  # fmt: skip


@can_group.command("decode")
@click.argument("file", type=click.Path(path_type=Path))
@_DIALECT
@_FORM
def decode_command(file: Path, dialects: tuple[str, ...], form: str) -> None:
    """Read FILE, a log of candump (.log), Vector (.asc, .blf), PEAK (.trc) or python-can (.csv)."""
    from inletctl.can.traffic import Reader, read_log

    reader = Reader(dialects or _DIALECTS)
    teller = _Teller(form)
    ours = wrong = 0
    for frame in read_log(file):
        heard = reader.read(frame)
        if heard is not None:
            ours += 1
            wrong += heard.wrong != ""
            teller.tell(heard)
    click.echo(
        "%d frames of ours, %d of them not to be believed, %d others"
        % (ours, wrong, reader.others),
        err=True,
    )
    if not ours:
        sys.exit(1)


@can_group.command("watch")
@_INTERFACE
@_CHANNEL
@_BITRATE
@_DIALECT
@_FORM
@_SECONDS
def watch_command(
    interface: str,
    channel: str,
    bitrate: "int | None",
    dialects: tuple[str, ...],
    form: str,
    seconds: "float | None",
) -> None:
    """Print the messages on a bus as they come."""
    from inletctl.can.traffic import Reader, open_bus

    reader = Reader(dialects or _DIALECTS)
    teller = _Teller(form)
    with open_bus(interface, channel, bitrate) as bus:
        end = None if seconds is None else time.monotonic() + seconds
        while end is None or time.monotonic() < end:
            frame = bus.recv(0.1)
            heard = None if frame is None else reader.read(frame)
            if heard is not None:
                teller.tell(heard)


@can_group.command("vehicle")
@_INTERFACE
@_CHANNEL
@_BITRATE
@click.option("--stop", "is_stop", is_flag=True, help="forbid charging instead of permitting it")
@click.option(
    "--limit", type=click.FloatRange(0, 80), default=16, show_default=True, help="A per phase"
)
@click.option("--unlock", is_flag=True, help="ask for the cable")
@click.option("--drive", is_flag=True, help="ask to drive")
@click.option(
    "--gear",
    type=click.Choice(["unknown", "parked", "not_parked", "not_fitted"]),
    default="parked",
    show_default=True,
)
@click.option("--soc", type=click.IntRange(0, 100), help="state of charge, %")
@click.option("--dc", type=click.FloatRange(0, 1500), help="DC at the inlet, V; contactors open")
@_SECONDS
def vehicle_command(
    interface: str,
    channel: str,
    bitrate: "int | None",
    is_stop: bool,
    limit: float,
    unlock: bool,
    drive: bool,
    gear: str,
    soc: "int | None",
    dc: "float | None",
    seconds: "float | None",
) -> None:
    """Play the vehicle on a bench: send its native messages until Ctrl-C, then a stop."""
    from inletctl.can import source
    from inletctl.can.play import play
    from inletctl.can.traffic import open_bus

    def number(message: str, signal: str, word: str) -> int:
        signals = source.load("native").message(message).signals
        return next(s for s in signals if s.name == signal).words.index(word)

    values: dict[str, dict[str, int]] = {
        "control": {
            "permission": number("control", "permission", "stop" if is_stop else "permit"),
            "limit_ma": int(limit * 10) * 100,
            "gear": number("control", "gear", gear),
            "unlock_request": int(unlock),
            "drive_request": int(drive),
        }
    }
    if soc is not None:
        values["battery"] = {"soc_ok": 1, "soc_pct": soc}
    if dc is not None:
        opened = number("dc", "contactor_plus", "open")
        values["dc"] = {
            "dc_ok": 1, "dc_mv": int(dc * 10) * 100, "contactor_plus": opened, "contactor_minus": opened,
        }  # fmt: skip
    with open_bus(interface, channel, bitrate) as bus:
        click.echo(
            "playing the vehicle: %s; Ctrl-C ends it with a stop" % ", ".join(values), err=True
        )
        sent = play(bus, values, seconds)
    click.echo("%d frames sent" % sent, err=True)
