"""The command `inletctl bench`: words, a progress bar, exit statuses."""

import shlex
import sys
from pathlib import Path
from typing import Any

import click

from inletctl.errors import UserError

_SHOWN = 10  # rows that did not pass, on the terminal; the report has them all


class BenchGroup(click.Group):
    """`inletctl bench RECIPE` runs a recipe; what is a command of its own is that."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `run` before what is no command."""
        if args and args[0] not in self.commands and args[0] not in ("-h", "--help"):
            args = ["run", *args]
        return super().parse_args(ctx, args)


@click.group("bench", cls=BenchGroup, context_settings={"help_option_names": ["-h", "--help"]})
def bench() -> None:
    """Prove an inlet with a recipe: `inletctl bench RECIPE`, see `inletctl bench run --help` for its options."""


@bench.command("run")
@click.argument("recipe")
@click.option(
    "--target", type=click.Choice(["sim", "emu", "board"]), default="sim", show_default=True
)
@click.option(
    "--generator",
    default="sim",
    show_default=True,
    help="board: manual (a person), pico:PORT, or a VISA address such as TCPIP::192.168.1.5::INSTR",
)
@click.option("--port", help="board: serial port of the inlet's controller, such as /dev/ttyACM0")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("build/bench"),
    show_default=True,
    help="folder for report.html, junit.xml, steps.csv, bench.vcd, bench.json",
)
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), help="instead of the recipe's own")
@click.option("--only", multiple=True, help="this block only; may be given again")
@click.option("--operator", default="", help="name for the report")
@click.option(
    "--gain",
    type=click.FloatRange(0.01, 100),
    default=1.0,
    show_default=True,
    help="of an amplifier behind the generator",
)
@click.option("--dialect", help="of the generator, where its name does not tell")
@click.option(
    "--uf2", type=click.Path(path_type=Path), help="emu: MicroPython image, as inletctl emu"
)
def run_command(recipe: str, target: str, out: Path, **options: Any) -> None:
    """Carry RECIPE out, a file or a shipped one (see `inletctl bench list`), and write the report.

    Exit status 0: every step passed; 1: some failed, or nobody can say; 2: wrong input.
    """
    from inletctl.bench.recipe import find_recipe, read_recipe
    from inletctl.bench.report import write
    from inletctl.bench.runner import run_recipe

    read = read_recipe(find_recipe(recipe), options["seed"])
    command = _command_line(recipe, target, read.seed, options)
    executor = _executor(target, read.seed, options)
    try:
        with _Bar() as bar:
            run = run_recipe(
                read, executor, command, options["operator"], options["only"], bar.tell
            )
        # Before the rig is put away: whatever goes wrong there, what was measured is kept.
        _tell(run, write(run, out))
    finally:
        executor.close()
    sys.exit(0 if run.verdict == "pass" else 1)


@bench.command("list")
def list_command() -> None:
    """Tell the shipped recipes, their blocks, and the broken firmwares that the conformance recipe is held against."""
    from inletctl.bench.firmwares import read_broken
    from inletctl.bench.recipe import SHIPPED, blocks, read_recipe

    for path in sorted(SHIPPED.glob("*.toml")):
        recipe = read_recipe(path)
        made = blocks(recipe)
        steps = sum(len(block.steps) for block in made)
        click.echo("%s: %s %d blocks, %d steps." % (path.stem, recipe.about, len(made), steps))
        for block in made:
            click.echo("  %-28s %s" % (block.id, block.title))
    click.echo("\nbroken firmwares, and the block that finds each:")
    for broken in read_broken():
        click.echo("  %-28s %s (%s)" % (broken.name, broken.wrong, broken.caught_by))


@bench.command("flash-generator")
@click.option("--port", required=True, help="serial port of the second Pico, such as /dev/ttyACM1")
def flash_generator_command(port: str) -> None:
    """Make a second Pico the pilot generator: copy its firmware to the Pico at PORT."""
    from inletctl.bench.instruments.flash_generator import flash_generator

    click.echo(flash_generator(port))
    click.echo("Use it with --generator pico:%s" % port)


def _executor(target: str, seed: int, options: dict[str, Any]) -> Any:
    if target == "board":
        return _board_executor(options)
    if options["generator"] != "sim":
        raise UserError(
            "--generator %s drives a board; --target %s has a simulated one: leave it out"
            % (options["generator"], target)
        )
    if options["port"]:
        raise UserError("--port belongs to --target board; --target %s needs none" % target)
    if target == "emu":
        from inletctl.bench.emu import EmuExecutor

        return EmuExecutor(seed, options["uf2"])
    from inletctl.bench.sim import SimExecutor

    return SimExecutor(seed)


def _board_executor(options: dict[str, Any]) -> Any:
    from inletctl.bench.board import BoardExecutor
    from inletctl.bench.instruments.generator import open_source

    if not options["port"]:
        raise UserError(
            "--target board needs --port, the serial port of the inlet's controller; `inletctl scan` finds it"
        )
    if options["generator"] == "sim":
        raise UserError(
            "--target board needs --generator: manual, pico:PORT, or a VISA address; `inletctl scan` finds it"
        )
    source = open_source(
        options["generator"], options["gain"], options["dialect"] or "", (options["port"],)
    )
    try:
        return BoardExecutor.open(options["port"], source)
    except BaseException:
        source.close()
        raise


def _command_line(recipe: str, target: str, seed: int, options: dict[str, Any]) -> str:
    words = ["inletctl", "bench", recipe, "--target", target, "--seed", str(seed)]
    if options["generator"] != "sim":
        words += ["--generator", options["generator"]]
    for name in ("port", "dialect"):
        if options[name]:
            words += ["--" + name, options[name]]
    if options["gain"] != 1.0:
        words += ["--gain", "%g" % options["gain"]]
    for block in options["only"]:
        words += ["--only", block]
    return shlex.join(words)


class _Bar:
    """A progress bar on the terminal."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._progress.add_task("", total=1.0)

    def __enter__(self) -> "_Bar":
        self._progress.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._progress.stop()

    def tell(self, at: Any) -> None:
        """Show how far the run is."""
        words = "%d/%d %s" % (at.number, at.of, at.block.id)
        self._progress.update(self._task, description=words, completed=at.part)


def _tell(run: Any, files: list[Path]) -> None:
    from inletctl.bench.model import VERDICTS

    shown = [row for row in (*run.self_check, *run.rows) if row.verdict != "pass"]
    for row in shown[:_SHOWN]:
        click.echo("%s: %s: %s" % (row.verdict, row.id, row.words), err=True)
    if len(shown) > _SHOWN:
        click.echo("... and %d more, see the report" % (len(shown) - _SHOWN), err=True)
    if not run.is_complete:
        click.echo("incomplete: %s" % run.why_not, err=True)
    counts = ", ".join("%d %s" % (run.count(verdict), verdict) for verdict in VERDICTS)
    click.echo("%s: %s" % (run.verdict.upper(), counts))
    for path in files:
        click.echo("  %s" % path)
