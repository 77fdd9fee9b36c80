"""A simulated board as a program: the firmware on CPython in the virtual inlet, its console on stdin and stdout.

`python -m inletctl.link.sim_board [SCENARIO] [--speed N]`. It runs in real time, N times as fast where asked, until its
stdin ends. Without a scenario it runs sim.txt again and again; a scenario happens once, and then all stays as it is.
Its port is inletctl.link.port.SimPort; people reach it as `--port sim:`.
"""

import os
import signal
import sys
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from inletctl.errors import UserError
from inletctl.house import firmware_hash
from inletctl.link.wired import Wire, WiredBoard, run_wired
from inletctl.scenario.load import read_scenario
from inletctl.scenario.model import Action, Scenario
from inletctl.session import PASS_US, Session

_OWN = Path(__file__).parent / "sim.txt"
# Times that the own scenario happens: two days of it.
_ROUNDS = 600
_FOR_EVER_US = 30 * 24 * 3600 * 1_000_000
_CHUNK = 4096


def endless(scenario: Scenario, rounds: int = _ROUNDS) -> Scenario:
    """Return the scenario with what happens in it `rounds` times in a row, and without its expectations."""
    actions: list[Action] = []
    for n in range(rounds):
        for action in scenario.actions:
            actions.append(replace(action, t_us=action.t_us + n * scenario.end_us))
    return replace(scenario, timeline=tuple(actions), end_us=_FOR_EVER_US)


class _Pipes:
    """The console on stdin and stdout, and the clock on the wall."""

    def __init__(self, speed: float):
        self._pass_s = PASS_US / 1e6 / speed
        self._due_s = time.monotonic()
        self._came = bytearray()
        self._lock = threading.Lock()
        self._is_over = False
        # A thread, since Windows cannot ask whether a pipe has something.
        threading.Thread(target=self._keep_reading, daemon=True).start()

    def _keep_reading(self) -> None:
        while data := os.read(0, _CHUNK):
            with self._lock:
                self._came += data
        self._is_over = True

    def each_pass(self, board: WiredBoard) -> None:
        """Pass bytes on, then wait for the period."""
        if self._came:
            with self._lock:
                board.inbox.extend(self._came)
                self._came.clear()
        if board.outbox:
            try:
                os.write(1, board.outbox)
            except OSError:
                self._is_over = True
            board.outbox.clear()
        if self._is_over:
            board.is_powered = False
            return
        self._due_s += self._pass_s
        left_s = self._due_s - time.monotonic()
        if left_s > 0:
            time.sleep(left_s)
        else:
            # A computer that is too slow, or was asleep: the time is not made up for.
            self._due_s -= left_s


def _run(scenario: Scenario, speed: float) -> None:
    session: Any = Session(scenario)
    pipes = _Pipes(speed)
    with tempfile.TemporaryDirectory() as flash:
        # Stands for the board's file system, where the firmware looks for its version.
        before = Path.cwd()
        Path(flash, "version.txt").write_text("openinlet %s\n" % firmware_hash(), "ascii")
        os.chdir(flash)
        try:
            run_wired(session, Wire(scenario.settings), pipes.each_pass)
        finally:
            os.chdir(before)


@click.command()
@click.argument("scenario", required=False)
@click.option("--speed", type=click.FloatRange(0, 1000, min_open=True), default=1.0)
def main(scenario: "str | None", speed: float) -> None:
    """Simulate a board on stdin and stdout."""
    # Ctrl-C at the terminal is for whoever listens; this ends when they do.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        if scenario is None:
            chosen = endless(read_scenario(_OWN))
        else:
            from inletctl.runs import find_scenario

            chosen = endless(read_scenario(find_scenario(scenario)), 1)
    except UserError as error:
        click.echo(str(error), err=True)
        sys.exit(error.exit_status)
    _run(chosen, speed)


if __name__ == "__main__":
    main()
