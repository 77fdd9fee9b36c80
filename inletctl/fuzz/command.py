"""The command `inletctl fuzz`: words and exit statuses."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from inletctl.errors import UserError
from inletctl.house import ROOT

if TYPE_CHECKING:
    from inletctl.fuzz.harness import Harness
    from inletctl.fuzz.plain import Found, Result


@click.command("fuzz")
@click.argument("targets", nargs=-1, metavar="[TARGET]...")
@click.option("--list", "only_list", is_flag=True, help="what can be fed, and what must hold")
@click.option(
    "--minutes",
    type=click.FloatRange(0, min_open=True),
    default=10.0,
    show_default=True,
    help="of all together",
)
@click.option(
    "--seed",
    type=click.IntRange(1, 2**31 - 1),
    help="of every random choice; any where none is given, and it is told",
)
@click.option(
    "--unguided", is_flag=True, help="without coverage as the guide, though atheris is there"
)
@click.option(
    "--file",
    type=click.Path(path_type=Path),
    help="feed this one input to TARGET and say what comes of it",
)
@click.option(
    "--corpus",
    type=click.Path(path_type=Path),
    default=ROOT / "build" / "fuzz",
    help="folder of inputs to begin with and to add to  [default: build/fuzz]",
)
@click.option(
    "--crashes",
    type=click.Path(path_type=Path),
    default=ROOT / "host_tests" / "fuzz_crashes",
    help="folder where the input of a crash is kept, small; a test feeds it from then on  [default: host_tests/fuzz_crashes]",
)
@click.option("--json", "as_json", is_flag=True, help="as JSON, nothing else")
def fuzz(
    targets: "tuple[str, ...]",
    only_list: bool,
    minutes: float,
    seed: "int | None",
    unguided: bool,
    file: "Path | None",
    corpus: Path,
    crashes: Path,
    as_json: bool,
) -> None:
    """Feed bytes that nobody meant to whatever reads any: all readers, or each TARGET.

    Exit status 0 if every input was taken or refused in one sentence, 1 if one was not: it is kept, and is a test from then on;
    3 if a reader could not be fed to the end. Ctrl-C keeps what was found until then.
    """
    from inletctl.fuzz.targets import TARGETS

    if only_list:
        _list(as_json)
        return
    for name in targets:
        if name not in TARGETS:
            raise UserError(
                "fuzz: there is no '%s' to feed; choose from %s." % (name[:40], ", ".join(TARGETS))
            )
    if file is not None:
        _feed_file(targets, file)
        return
    names = targets or tuple(TARGETS)
    chosen = _seed() if seed is None else seed
    is_guided = not unguided and _can_guide(as_json)
    if not as_json:
        click.echo("seed %d, %s" % (chosen, "guided by coverage" if is_guided else "not guided"))
    rows, is_stopped = _run(
        names, minutes * 60 / len(names), chosen, is_guided, corpus, crashes, as_json
    )
    if as_json:
        click.echo(json.dumps({"seed": chosen, "guided": is_guided, "targets": rows}, indent=1))
    else:
        _tell(rows, is_guided)
    if is_stopped:
        raise click.Abort
    if any(row["crashes"] for row in rows):
        sys.exit(1)
    if any(row["problem"] for row in rows):
        sys.exit(3)


def _seed() -> int:
    import secrets

    return secrets.randbelow(2**31 - 1) + 1


def _can_guide(is_quiet: bool) -> bool:
    from inletctl.fuzz.guided import is_there

    if is_there():
        return True
    if not is_quiet:
        click.echo(
            "atheris is not installed (it is for Python 3.11 to 3.14 on Linux x86-64): fed without a guide.",
            err=True,
        )
    return False


def _list(as_json: bool) -> None:
    from inletctl.fuzz.targets import TARGETS

    if as_json:
        rows = [
            {"name": name, "what": one.what, "rules": one.rules} for name, one in TARGETS.items()
        ]
        click.echo(json.dumps(rows, indent=1))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column("target", no_wrap=True)
    table.add_column("what is fed")
    table.add_column("what must hold besides")
    for name, one in TARGETS.items():
        table.add_row(name, one.what, one.rules)
    Console().print(table)


def _feed_file(targets: "tuple[str, ...]", path: Path) -> None:
    from inletctl.fuzz.harness import Crash, check
    from inletctl.fuzz.targets import target

    if len(targets) != 1:
        raise UserError("fuzz: --file is fed to one TARGET: name it.")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError("%s: cannot be read: %s." % (path, error.strerror or error)) from None
    try:
        sentence = check(target(targets[0]), data, with_memory=True)
    except Crash as crash:
        click.echo("crash: %s" % crash, err=True)
        if crash.__cause__ is not None:
            import traceback

            traceback.print_exception(crash.__cause__)
        sys.exit(1)
    click.echo("refused: %s" % sentence if sentence else "accepted")


def _run(
    names: "tuple[str, ...]", seconds: float, seed: int, is_guided: bool, corpus: Path, crashes: Path, as_json: bool
) -> "tuple[list[dict[str, Any]], bool]":  # fmt: skip
    """Feed them one after the other; return what became of each, and whether a person has stopped it."""
    from inletctl.fuzz.plain import feed, kept
    from inletctl.fuzz.targets import target

    rows = []
    is_stopped = False
    with _Bar(len(names), seconds, as_json) as bar:
        for name in names:
            bar.begin(name)
            harness = target(name)
            before = tuple(path.read_bytes() for path in kept(name, crashes))
            branches = 0 if is_guided else None
            if is_guided:
                # First what is kept: a crash that is back is told although nobody finds it again.
                result = feed(harness, seed, 0, before)
                if not result.is_stopped:
                    branches = _guide(harness, result, seconds, seed, corpus / name, bar)
            else:
                result = feed(
                    harness, seed, sys.maxsize // 2, before, seconds,
                    lambda now: bar.tell(now.runs, now.cpu_s),
                )  # fmt: skip
            rows.append(
                {
                    "target": name,
                    "inputs": result.runs,
                    "branches": branches,
                    "problem": result.problem,
                    "crashes": [
                        {"kind": found.crash.kind, "where": found.crash.where, "what": str(found.crash), "file": str(found.path)}
                        for found in _keep_all(harness, result, crashes)
                    ],
                }
            )  # fmt: skip
            bar.end()
            is_stopped = result.is_stopped
            if is_stopped:
                break
    return rows, is_stopped


def _guide(
    harness: "Harness", result: "Result", seconds: float, seed: int, corpus: Path, bar: Any
) -> int:
    from inletctl.fuzz.guided import guide

    guided, status = guide(harness, seconds, seed, corpus, lambda now: bar.tell(now.runs, None))
    result.runs += guided.runs
    result.problem = guided.problem
    result.is_stopped = guided.is_stopped
    for signature, found in guided.found.items():
        result.found.setdefault(signature, found)
    return status.branches


def _keep_all(harness: "Harness", result: "Result", folder: Path) -> "list[Found]":
    """Keep what was found, each as small as it can be made; as it is, once a person has stopped it."""
    from inletctl.fuzz.plain import keep, minimise

    made = []
    for found in result.found.values():
        small = found
        if not result.is_stopped:
            try:
                small = minimise(harness, found)
            except KeyboardInterrupt:
                result.is_stopped = True
        keep(harness.name, small, folder)
        made.append(small)
    return made


def _tell(rows: "list[dict[str, Any]]", is_guided: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column("target", no_wrap=True)
    table.add_column("inputs", justify="right")
    if is_guided:
        table.add_column("branches", justify="right")
    table.add_column("crashes", justify="right")
    for row in rows:
        cells = [row["target"], str(row["inputs"])]
        if is_guided:
            cells.append(str(row["branches"]))
        table.add_row(*cells, str(len(row["crashes"])))
    Console().print(table)
    found = [(row["target"], crash) for row in rows for crash in row["crashes"]]
    for name, crash in found:
        click.echo("%s: %s" % (name, crash["what"]), err=True)
        click.echo(
            "  kept as %s; again: inletctl fuzz %s --file %s"
            % (crash["file"], name, crash["file"]),
            err=True,
        )
    problems = [row["problem"] for row in rows if row["problem"]]
    for problem in problems:
        click.echo(problem, err=True)
    outcome = "every one taken or refused in a sentence"
    if found:
        outcome = "%d crashes: each is a test from now on" % len(found)
    elif problems:
        outcome = "not every reader was fed to the end"
    click.echo("%d inputs, %s" % (sum(row["inputs"] for row in rows), outcome))


class _Bar:
    """A progress bar on stderr; none where the output is for a program."""

    def __init__(self, of: int, seconds: float, is_quiet: bool):
        self._of = of
        self._seconds = seconds
        self._is_quiet = is_quiet
        self._done = 0
        self._name = ""

    def __enter__(self) -> "_Bar":
        if not self._is_quiet:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

            self._progress = Progress(
                TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[said]}"), TimeElapsedColumn(),
                console=Console(stderr=True),
            )  # fmt: skip
            self._progress.start()
            self._task = self._progress.add_task("", total=self._of, said="")
        return self

    def begin(self, name: str) -> None:
        """Say which reader is fed now."""
        self._name = name
        self._show("")

    def tell(self, runs: int, cpu_s: "float | None") -> None:
        """Say how far it is."""
        part = 0.0 if cpu_s is None else min(1.0, cpu_s / self._seconds)
        self._show("%d inputs" % runs, part)

    def end(self) -> None:
        """One is done."""
        self._done += 1
        self._show("")

    def _show(self, said: str, part: float = 0.0) -> None:
        if not self._is_quiet:
            self._progress.update(
                self._task, description=self._name, completed=self._done + part, said=said
            )

    def __exit__(self, *_: object) -> None:
        if not self._is_quiet:
            self._progress.stop()
