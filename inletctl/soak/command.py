"""`inletctl soak`: words and exit status of the soak."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from inletctl.errors import UserError

WASM, EMU = "micropython", "emu"
_SESSIONS, _MINUTES = 10_000, 30.0


@click.command("soak")
@click.option(
    "--target",
    type=click.Choice([WASM, EMU]),
    default=WASM,
    show_default=True,
    help="the 32-bit MicroPython, or the emulated RP2040",
)
@click.option(
    "--sessions", type=click.IntRange(32), help="for the 32-bit MicroPython  [default: 10000]"
)
@click.option(
    "--minutes",
    type=click.FloatRange(0.1, 600),
    help="simulated, for the emulated RP2040; each takes it most of an hour  [default: 30]",
)
@click.option("--uf2", type=click.Path(path_type=Path), help="MicroPython image, as for emu")
@click.option(
    "--figures",
    "figures_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="file for the figures as JSON; the emulated RP2040's are written after each session",
)
@click.option("--json", "as_json", is_flag=True, help="the figures as JSON, nothing else")
def soak_command(
    target: str,
    sessions: "int | None",
    minutes: "float | None",
    uf2: "Path | None",
    figures_path: "Path | None",
    as_json: bool,
) -> None:
    """Run sessions back to back on one MicroPython; exit status 1 where something leaks, drifts or grows.

    On the emulated RP2040 Ctrl-C ends it with what was measured so far, and exit status 130.
    """
    from inletctl.report.files import write_whole

    def keep(found: dict[str, Any]) -> None:
        if figures_path is not None:
            text = json.dumps(found, indent=1) + "\n"
            write_whole(figures_path, lambda stream: stream.write(text))

    if target == EMU:
        if sessions is not None:
            raise UserError("--sessions is for --target %s; --target emu takes --minutes" % WASM)
        found, words = _on_emu(_MINUTES if minutes is None else minutes, uf2, keep, as_json)
    else:
        for option, given in (("--minutes", minutes), ("--uf2", uf2)):
            if given is not None:
                raise UserError(
                    "%s is for --target emu; --target %s takes --sessions" % (option, WASM)
                )
        found, words = _on_wasm(sessions or _SESSIONS, as_json)
    keep(found)
    click.echo(json.dumps(found, indent=1) if as_json else words)
    for sentence in found["shortfalls"]:
        click.echo(sentence, err=True)
    if found.get("is_stopped"):
        sys.exit(130)
    if found["shortfalls"]:
        sys.exit(1)


def _on_wasm(sessions: int, as_json: bool) -> tuple[dict[str, Any], str]:
    """Return the figures of the 32-bit MicroPython, and what they say."""
    from inletctl.progress import Bar
    from inletctl.soak import run

    with Bar(sessions, "sessions", as_json) as done:
        tape, rounds = run.soak(sessions, done)
    found = run.figures(tape, rounds)
    return found, run.summary(found)


def _on_emu(
    minutes: float, uf2: "Path | None", keep: Callable[[dict[str, Any]], None], as_json: bool
) -> tuple[dict[str, Any], str]:
    """Return the figures of the emulated RP2040, and what they say; `keep` gets them after each session."""
    from inletctl.emu.image import find_image
    from inletctl.house import firmware_hash
    from inletctl.progress import Bar
    from inletctl.soak import emu, emu_judge
    from inletctl.soak.tape import SESSION_S

    count = max(1, round(minutes * 60 / SESSION_S))
    firmware = firmware_hash()  # of what runs, whatever is changed meanwhile
    wanted = emu.wanted()
    image = find_image(uf2)
    with Bar(count, "sessions", as_json) as done:

        def tell(seen: emu_judge.EmuRun) -> None:
            row = seen.rows[-1]
            done(len(seen.rows), said="%d bytes used, %d passes late" % (row.used, row.late))
            keep(emu_judge.figures(seen, wanted, firmware))

        seen = emu.soak(image, count, tell)
    found = emu_judge.figures(seen, wanted, firmware)
    return found, emu_judge.summary(found)
