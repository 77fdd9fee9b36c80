"""The command line. Words and exit statuses only: the work is in the other modules.

Exit status: 0 done, 1 something expected did not come out, 2 wrong input, 3 a tool is missing.
"""

import json
import os
import sys
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Any

import click

from inletctl import __version__
from inletctl.bench.command import bench
from inletctl.blackbox.command import blackbox_group
from inletctl.campaign.command import campaign_command
from inletctl.can.command import can_group
from inletctl.emu.command import emu
from inletctl.errors import UserError
from inletctl.flash.command import flash
from inletctl.fuzz.command import fuzz
from inletctl.house import SCENARIOS
from inletctl.journal.codes_command import codes_group
from inletctl.journal.command import journal_group
from inletctl.light_command import light
from inletctl.link.calibrate_command import calibrate
from inletctl.link.clock_command import charge_now, clock
from inletctl.link.commands import decode_command, log_group, replay_command, scan
from inletctl.link.commands import settings as settings_group
from inletctl.measure.can_command import can_perf
from inletctl.measure.garbage_command import garbage
from inletctl.measure.parts import PARTS
from inletctl.monitor.command import monitor
from inletctl.mutate.command import mutate
from inletctl.ports.command import port as port_group
from inletctl.prove.command import prove_group
from inletctl.reaction_command import CHIP_INJECTIONS, KILLS, injections_option, reactions
from inletctl.soak.command import soak_command

INLETS = ("type1", "type2", "gbt", "nacs", "ccs1", "ccs2", "chademo")


class Number(click.ParamType):
    """An exact decimal number: 53.3 is 533/10, not the nearest float."""

    name = "number"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Fraction:
        """Return the Fraction that the text spells."""
        if isinstance(value, Fraction):
            return value
        try:
            number = Fraction(str(value))
        except (ValueError, ZeroDivisionError):
            self.fail("'%s' is not a number such as 53.3" % value, param, ctx)
        if len(str(value)) > 20 or abs(number) > 10**12:
            self.fail("'%s' is far outside anything that can be measured" % value, param, ctx)
        return number


NUMBER = Number()


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="inletctl")
def cli() -> None:
    """OpenInlet's host tool: simulate, explain, measure."""


@cli.command()
@click.argument("scenario")
@click.option(
    "--target", type=click.Choice(["cpython", "micropython"]), default="cpython", show_default=True
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="folder for report.html, session.csv, session.vcd",
)
@click.option(
    "--trace", "trace_path", type=click.Path(path_type=Path), help="file for the command trace"
)
@click.option(
    "--clock-start",
    type=click.IntRange(0, 0x3FFFFFFF),
    default=0,
    help="tick the board's clock starts at, ms",
)
@click.option("--no-live", is_flag=True, help="plain event lines instead of the live view")
@click.option("--json", "as_json", is_flag=True, help="the result as JSON, nothing else")
def sim(
    scenario: str,
    target: str,
    out: Path | None,
    trace_path: Path | None,
    clock_start: int,
    no_live: bool,
    as_json: bool,
) -> None:
    """Run SCENARIO, a file or the name of a shipped one (see `inletctl scenarios`)."""
    from inletctl import runs
    from inletctl.report.files import write_whole

    path = runs.find_scenario(scenario)
    result = _run(path, target, clock_start, live=not (no_live or as_json), quiet=as_json)
    if out is not None:
        runs.write_reports(result, out)
    if trace_path is not None:
        text = result.session.trace.text
        write_whole(trace_path, lambda stream: stream.write(text))
    if as_json:
        click.echo(json.dumps(_result_json(result), indent=1))
    else:
        _tell_result(result)
    if not result.passed:
        sys.exit(1)


@cli.command()
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("build/demo"), show_default=True
)
@click.option("--no-live", is_flag=True, help="plain event lines instead of the live view")
def demo(out: Path, no_live: bool) -> None:
    """One full AC session under the 32-bit MicroPython, followed live, with a report."""
    from inletctl import runs

    result = _run(
        SCENARIOS / "full_ac_session.txt", "micropython", 0, live=not no_live, quiet=False
    )
    runs.write_reports(result, out)
    _tell_result(result)
    click.echo("Open %s in a browser." % (out / "report.html"))
    if not result.passed:
        sys.exit(1)


def _run(path: Path, target: str, clock_start: int, live: bool, quiet: bool) -> Any:
    from inletctl import runs
    from inletctl.live import LINES, NOTHING, LiveView
    from inletctl.record import Recorder

    recorder = Recorder()
    view: Any = None

    def begin(meta: Any) -> None:
        nonlocal view
        view = LiveView(recorder, meta, NOTHING if quiet else None if live else LINES)
        view.__enter__()

    def watch(_t_us: int, _readings: Any, _commands: Any, _world: Any) -> None:
        view.poll()

    try:
        return runs.run_scenario(path, target, clock_start, recorder, watch, begin)
    finally:
        if view is not None:
            view.__exit__(*sys.exc_info())


def _tell_result(result: Any) -> None:
    session = result.session
    outcomes = session.run.outcomes
    for sentence in session.run.failures:
        click.echo(sentence, err=True)
    for path in result.files:
        click.echo("wrote %s" % path)
    for t_us, verdict in result.recount.verdicts if result.recount else ():
        click.echo("%8.3f s  whose fault: %s" % (t_us / 1e6, verdict.line))
    for one in result.recount.codes() if result.recount else ():
        click.echo("trouble code %s %s, %d times: %s" % (one.code, one.name, one.count, one.means))
    click.echo(
        "%s: %d of %d expectations met, %.1f s simulated in %.1f s (%.0f x real time), trace %s"
        % (
            "PASS" if result.passed else "FAIL",
            sum(outcome.passed for outcome in outcomes),
            len(outcomes),
            session.t_us / 1e6,
            result.wall_s,
            session.t_us / 1e6 / max(result.wall_s, 1e-9),
            session.trace.digest,
        )
    )


def _result_json(result: Any) -> dict[str, Any]:
    session = result.session
    return {
        "title": session.scenario.title,
        "passed": result.passed,
        "simulated_s": session.t_us / 1e6,
        "wall_s": round(result.wall_s, 3),
        "trace": session.trace.digest,
        "resets": session.resets,
        "verdicts": [
            {"t_ms": t_us // 1000, **asdict(verdict)}
            for t_us, verdict in (result.recount.verdicts if result.recount else ())
        ],
        "trouble_codes": [
            asdict(one) for one in (result.recount.codes() if result.recount else ())
        ],
        "expectations": [
            {
                "line": one.line,
                "text": one.text,
                "outcome": one.outcome,
                "measured_ms": one.measured_ms,
                "limit_ms": one.limit_ms,
                "why": one.measured,
            }
            for one in result.meta.expectations
        ],
        "violations": session.world.violations,
    }


@cli.command()
def scenarios() -> None:
    """List the shipped scenarios."""
    from inletctl.scenario.load import read_scenario

    for path in sorted(SCENARIOS.glob("*.txt")):
        scenario = read_scenario(path)
        click.echo("%-28s %5.0f s  %s" % (path.stem, scenario.end_us / 1e6, scenario.title))


@cli.group()
def explain() -> None:
    """Say how one reading is judged, and by which clause."""


_JSON = click.option("--json", "as_json", is_flag=True, help="as JSON")
_INLET = click.option("--inlet", type=click.Choice(INLETS), default="type2", show_default=True)


@explain.command("pilot")
@_INLET
@click.option("--frequency", type=NUMBER, default="1000", show_default=True, help="Hz; 0 = steady")
@click.option("--duty", type=NUMBER, default="0", help="%")
@click.option("--level", type=NUMBER, help="V while high, or steady, before the diode")
@_JSON
def explain_pilot(
    inlet: str, frequency: Fraction, duty: Fraction, level: Fraction | None, as_json: bool
) -> None:
    """A control pilot: frequency and duty to current."""
    from inletctl import explain as judge

    _show(judge.pilot(inlet, frequency, duty, level), as_json)


@explain.command("pp")
@_INLET
@click.option("--ohm", type=NUMBER, help="resistance from PP to PE in the plug")
@click.option("--mv", type=NUMBER, help="voltage at the PP pin")
@click.option(
    "--rail", type=click.IntRange(2500, 5500), default=5000, show_default=True, help="mV, measured"
)
@click.option(
    "--pullup",
    type=click.IntRange(100, 4700),
    default=330,
    show_default=True,
    help="ohm, measured",
)
@click.option(
    "--pulldown",
    type=click.IntRange(0, 100_000),
    default=2700,
    show_default=True,
    help="ohm; 0 = none",
)
@_JSON
def explain_pp(
    inlet: str,
    ohm: Fraction | None,
    mv: Fraction | None,
    rail: int,
    pullup: int,
    pulldown: int,
    as_json: bool,
) -> None:
    """A proximity reading: plugged, button, cable rating."""
    from inletctl import explain as judge

    _show(judge.pp(inlet, ohm, mv, rail, pullup, pulldown), as_json)


@explain.command("temperature")
@click.option("--sensor", type=click.Choice(["ntc", "pt1000"]), default="ntc", show_default=True)
@click.option("--ohm", type=NUMBER, help="resistance of the sensor")
@click.option("--mv", type=NUMBER, help="voltage at the divider")
@click.option(
    "--rail", type=click.IntRange(2500, 5250), default=3300, show_default=True, help="mV"
)
@click.option(
    "--r25",
    type=click.IntRange(1000, 100_000),
    default=10_000,
    show_default=True,
    help="NTC, ohm at 25 C",
)
@click.option(
    "--beta", type=click.IntRange(2500, 4500), default=3435, show_default=True, help="NTC, B in K"
)
@click.option("--pullup", type=click.IntRange(300, 200_000), help="ohm; default as the settings")
@_JSON
def explain_temperature(
    sensor: str,
    ohm: Fraction | None,
    mv: Fraction | None,
    rail: int,
    r25: int,
    beta: int,
    pullup: int | None,
    as_json: bool,
) -> None:
    """A temperature reading: degrees, and what the shipped limits make of it."""
    from inletctl import explain as judge

    _show(judge.temperature(sensor, ohm, mv, rail, r25, beta, pullup), as_json)


def _show(result: dict[str, Any], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(result))
        return
    click.echo(result["text"])
    for key, value in result.items():
        if key != "text":
            click.echo("  %-22s %s" % (key, "-" if value is None else value))


@cli.command("docs")
@click.option(
    "--check", "only_check", is_flag=True, help="fail if a stored page is not what the data prints"
)
def docs_command(only_check: bool) -> None:
    """Print the generated pages of docs/ anew."""
    from inletctl import docs

    if only_check:
        docs.check()
        click.echo("generated pages are up to date")
        return
    for name in docs.write():
        click.echo("wrote %s" % name)


@cli.command()
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("build/perf"), show_default=True
)
@injections_option(300)
@CHIP_INJECTIONS
@KILLS
@click.option("--cuts", type=click.IntRange(1), default=20, show_default=True, help="power cuts")
@click.option("--uf2", type=click.Path(path_type=Path), help="MicroPython image, as for emu")
@click.option("--host-only", is_flag=True, help="leave the emulated RP2040 out")
@click.option(
    "--only", multiple=True, type=click.Choice(PARTS), help="this part only; may be given again"
)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--jobs", type=click.IntRange(1), default=os.cpu_count() or 1, show_default=True)
@click.option(
    "--keep",
    is_flag=True,
    help="keep the reactions in docs/figures, and print the table of README.md anew",
)
def perf(out: Path, keep: bool, **options: Any) -> None:
    """Measure speed, reactions, memory and the emulated chip into report.html and report.json."""
    from inletctl.measure import everything

    if options["host_only"] and options["only"]:
        raise UserError("Give --host-only or --only, not both.")
    over = everything.run(out, say=click.echo, **options)
    for sentence in over:
        click.echo(sentence, err=True)
    click.echo("wrote %s and report.json" % (out / "report.html"))
    if keep:
        from inletctl import docs, reaction_table

        kept = reaction_table.keep(out / "report.json", options["seed"])
        click.echo("kept the reactions of: %s" % ", ".join(kept))
        for name in docs.write():
            click.echo("wrote %s" % name)
    if over:
        sys.exit(1)


@cli.command("powercut")
@click.option("--cuts", type=click.IntRange(1), default=500, show_default=True)
@click.option("--uf2", type=click.Path(path_type=Path), help="MicroPython image, as for emu")
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--jobs", type=click.IntRange(1), default=os.cpu_count() or 1, show_default=True)
@click.option(
    "--what",
    type=click.Choice(["settings", "ports", "journal"]),
    default="settings",
    show_default=True,
    help="what the board writes when its power goes",
)
def powercut(cuts: int, uf2: "Path | None", seed: int, jobs: int, what: str) -> None:
    """Cut the emulated board's power while it writes its settings, port records or journal; say what it reads then."""
    from inletctl.emu.image import find_image
    from inletctl.measure.journalcut import measure_journal_cuts
    from inletctl.measure.powercut import measure_power_cuts

    image = find_image(uf2)
    if what == "journal":
        result = measure_journal_cuts(image, cuts, seed, jobs, click.echo)
        said = (
            "%(cuts)d power cuts within %(write_ms)s ms of %(appends)d appends, %(acked)d of them acknowledged before: %(lost)d records "
            "lost, %(torn)d torn ends left out, %(failed)d boots or journals wrong"
        )
        failed = result["failed"]
    else:
        result = measure_power_cuts(image, cuts, seed, jobs, click.echo, what)
        said = (
            "%(cuts)d power cuts within %(write_ms)s ms of writing: %(old)d old "
            + what
            + ", %(new)d new, %(neither)d neither"
        )
        failed = result["neither"]
    for sentence in result["wrong"]:
        click.echo(sentence, err=True)
    click.echo(said % result)
    if failed:
        sys.exit(1)


# Their packages are heavy and are loaded when a command runs.
for _command in (
    emu, flash, monitor, bench, garbage, light, scan, settings_group, calibrate, clock, charge_now, log_group, decode_command,
    replay_command, can_group, can_perf, port_group, codes_group, journal_group, blackbox_group,
    prove_group, fuzz, reactions, campaign_command, soak_command, mutate,
):  # fmt: skip
    cli.add_command(_command)


def main() -> None:
    """Run the command line; a UserError is one sentence and its exit status."""
    try:
        cli.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.exceptions.Abort:
        click.echo("stopped", err=True)
        sys.exit(130)
    except UserError as error:
        click.echo("inletctl: %s" % error, err=True)
        sys.exit(error.exit_status)


if __name__ == "__main__":
    main()
