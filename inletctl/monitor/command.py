"""`inletctl monitor`: words, options and exit statuses only."""

import os
import sys
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from inletctl.errors import UserError

SIM, EMU = "sim", "emu"
_RATE_MS = 50
_EMU_SPEED = 0.02  # until it is measured: slow is not silent


@click.command("monitor")
@click.option(
    "--port", help="serial port of the board, such as /dev/ttyACM0; or sim:SCENARIO, emu:SCENARIO"
)
@click.option(
    "--target",
    type=click.Choice((SIM, EMU)),
    help="a simulated or an emulated board instead of a port",
)
@click.option(
    "--log",
    type=click.Path(path_type=Path, dir_okay=False),
    help="record every line to this new file",
)
@click.option(
    "--json", "as_json", is_flag=True, help="print the board's lines as they are, no screen"
)
@click.option("--seconds", type=click.FloatRange(0, min_open=True), help="end after so long")
@click.option(
    "--rate",
    "rate_ms",
    type=click.IntRange(0, 60000),
    default=_RATE_MS,
    show_default=True,
    help="readings every so many ms: 20..60000, 0 = none",
)
def monitor(
    port: "str | None",
    target: "str | None",
    log: "Path | None",
    as_json: bool,
    seconds: "float | None",
    rate_ms: int,
) -> None:
    """Watch a board live: pilot, currents, temperatures, lock, and why it does not charge.

    Keys: l, u test the lock (in service mode), s stops charging, m marks an event in the log, r sets the rate, q quits.
    A lost port is tried again until it is back.
    """
    from inletctl.monitor.feed import BoardFeed

    name = _name(port, target)
    if not as_json and not sys.stdout.isatty():
        raise UserError("The screen needs a terminal: use --json where there is none.")
    _check(rate_ms, log)
    open_port, clock = _opener(name)
    changes: deque[Any] = deque()
    if as_json:
        on_stderr: Any = _OnStderr()
        put = lambda change: change(on_stderr)  # noqa: E731 - as short as it is clear
        _follow(BoardFeed(open_port, put, rate_ms, log, _print, clock), seconds)
    else:
        feed = BoardFeed(open_port, changes.append, rate_ms, log, clock=clock)
        _watch(feed, changes, name, log, seconds)


def _name(port: "str | None", target: "str | None") -> str:
    if port is not None and target is not None:
        raise UserError("Give --port or --target, not both.")
    if port is None and target is None:
        from inletctl.link.port import ports_here

        raise UserError("Say which board with --port (%s), or use --target sim." % ports_here())
    return port or "%s:" % target


def _check(rate_ms: int, log: "Path | None") -> None:
    from inletctl.house import use_firmware

    use_firmware()
    from vehicle.protocol import RATE_MIN_MS

    if 0 < rate_ms < RATE_MIN_MS:
        raise UserError(
            "--rate %d is too fast: %d ms is the least, 0 = no readings." % (rate_ms, RATE_MIN_MS)
        )
    if log is not None and log.exists():
        raise UserError("%s is there already: give another name, or move it away." % log)


def _opener(name: str) -> "tuple[Callable[[], Any], Callable[[], float] | None]":
    """Open the port, so that what is wrong is said before there is a screen; return how to open it, and its clock."""
    if name == EMU or name.startswith(EMU + ":"):
        from inletctl.monitor.emu_port import DEFAULT_SCENARIO, open_emu

        emulated = open_emu(name[len(EMU) + 1 :] or DEFAULT_SCENARIO)
        return lambda: emulated, emulated.clock
    from inletctl.link.port import open_port

    opened = [open_port(name)]
    return lambda: opened.pop() if opened else open_port(name), None


def _watch(
    feed: Any, changes: "deque[Any]", name: str, log: "Path | None", seconds: "float | None"
) -> None:
    from inletctl.monitor.app import MonitorApp
    from inletctl.monitor.model import Monitor

    model = Monitor()
    model.target = name.rstrip(":")
    if name.startswith(EMU):
        model.tell("an emulated chip: one second of it takes most of a minute")
        model.speed = _EMU_SPEED
    if log is not None:
        model.tell("recording to %s" % log)
    app = MonitorApp(feed, changes, model, seconds)
    feed.start()
    try:
        app.run()
    finally:
        feed.stop()
    sys.exit(app.return_code or 0)


def _follow(feed: Any, seconds: "float | None") -> None:
    """Print lines until Ctrl-C, until the reader has had enough, or for so long."""
    if seconds is not None:
        timer = threading.Timer(seconds, feed.end)
        timer.daemon = True
        timer.start()
    try:
        feed.run()
    except KeyboardInterrupt:
        return
    except BrokenPipeError:
        # As `| head` does. What is left would be flushed at the end, and fail once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _print(line: bytes) -> None:
    sys.stdout.buffer.write(line + b"\n")
    sys.stdout.buffer.flush()


class _OnStderr:
    """Stands where a Monitor would: tells a person what becomes of the connection, once each."""

    def __init__(self) -> None:
        self._said = ""

    def tell(self, text: str, level: str) -> None:
        """Say it."""
        click.echo(text, err=True)

    def link_is(self, state: str, words: str = "") -> None:
        """Say it where it is not what was said last: a port may be gone for long."""
        if words and words != self._said:
            click.echo(words, err=True)
        self._said = words

    def hear(self, *_: Any) -> None:
        """The line itself has been printed."""

    identity_is = settings_are = counts_are = hear
