"""The black boxes that a simulated session leaves, and how much of each a replay can judge.

`python -m inletctl.blackbox.sim_box [--blocks N] [--save FILE] [SCENARIO ...]` prints a line a box and the sums; all
scenarios where none is named.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from inletctl.blackbox.file import Entry, save
from inletctl.blackbox.payload import boxes_of
from inletctl.blackbox.replay import replay_box
from inletctl.errors import UserError
from inletctl.house import SCENARIOS, firmware_hash, use_firmware
from inletctl.scenario.load import read_scenario
from inletctl.scenario.model import Scenario
from inletctl.session import Session
from inletctl.targets.cpython import run

use_firmware()

from journal.blackbox import AFTER, BLOCKS, FULL, BlackBox  # noqa: E402
from journal.box_writer import KIND_BOX, BoxWriter  # noqa: E402
from journal.sessions import KIND_SESSION, RECORD_BYTES, SessionLog  # noqa: E402
from settings import Settings  # noqa: E402
from vehicle.console import Report  # noqa: E402

PART_BYTES = 2048


def write_out(
    box: Any,
    settings: Any,
    entries: "list[Entry]",
    version: str,
    session: int,
    part_bytes: int = PART_BYTES,
) -> None:
    """Write a full box behind the entries, as a board's journal does, and rearm it."""
    writer = BoxWriter(box, settings, version, session, None, part_bytes)
    buffer = bytearray(part_bytes)
    for n in range(writer.parts):
        length = writer.part(n, buffer)
        entries.append((KIND_BOX, len(entries) + 1, bytes(buffer[:length])))
    box.rearm()


def record_boxes(
    scenario: Scenario,
    blocks: int = BLOCKS,
    each_pass: "Callable[[int, Any, Any], object] | None" = None,
    start_ms: int = 0,
    part_bytes: int = PART_BYTES,
) -> "list[Entry]":
    """Run the scenario and return what a board's journal would hold: boxes and sessions.

    A box that is not at its end when the scenario is, is written as far as it goes. `each_pass` is called with the tick, the
    readings and the commands.
    """
    entries: list[Entry] = []
    settings = Settings(scenario.settings)
    version = firmware_hash()
    state: Any = {"resets": 0, "box": BlackBox(blocks), "log": SessionLog(), "report": Report()}
    record = bytearray(RECORD_BYTES)

    def watch(t_us: int, r: Any, c: Any, world: Any) -> None:
        if session.resets != state["resets"]:
            # What is in RAM is lost.
            state.update(
                resets=session.resets, box=BlackBox(blocks), log=SessionLog(), report=Report()
            )
            if c is session.safe_commands:
                return
        if c is session.safe_commands:
            return
        box, log = state["box"], state["log"]
        now_ms = session.now_ms
        report = state["report"]
        report.tick(now_ms, c, 0)
        box.tick(now_ms, r, c, report.number)
        log.tick(now_ms, r, c)
        if each_pass is not None:
            each_pass(now_ms, r, c)
        is_over = box.state == AFTER and t_us >= scenario.end_us - 50_000
        if box.state == FULL or is_over:
            write_out(box, settings, entries, version, len(entries), part_bytes)
        if log.has_ended:
            length = log.take(record, len(entries))
            entries.append((KIND_SESSION, len(entries) + 1, bytes(record[:length])))

    session = Session(scenario, start_ms=start_ms, watch=watch)
    run(session)
    return entries


@click.command()
@click.option("--blocks", default=BLOCKS, help="blocks of the ring")
@click.option("--save", "path", type=click.Path(path_type=Path), help="write all as one journal")
@click.argument("names", nargs=-1)
def main(blocks: int, path: "Path | None", names: "tuple[str, ...]") -> None:
    """Record and replay the black boxes of scenarios, all of them where none is named."""
    paths = sorted(SCENARIOS.glob("*.txt"))
    if names:
        paths = [one for one in paths if one.stem in names]
    all_entries: list[Entry] = []
    boxes = scenarios = same_us = not_judged_us = different_us = 0
    try:
        for one in paths:
            entries = record_boxes(read_scenario(one), blocks)
            found = boxes_of(entries)[0]
            scenarios += bool(found)
            for box in found:
                result = replay_box(box).result
                if result is None:
                    continue
                boxes += 1
                same_us += result.same_us
                not_judged_us += result.not_judged_us
                different_us += result.different_us
                click.echo(
                    "%-32s box %d: %d frames, same %.2f s, not judged %.2f s, different %.2f s"
                    % (
                        one.stem, box.number, len(box.frames), result.same_us / 1e6, result.not_judged_us / 1e6,
                        result.different_us / 1e6,
                    )
                )  # fmt: skip
            first = len(all_entries) + 1
            all_entries += [(kind, first + n, payload) for n, (kind, _, payload) in enumerate(entries)]  # fmt: skip
        if path is not None:
            save(all_entries, path)
    except UserError as error:
        click.echo(str(error), err=True)
        sys.exit(error.exit_status)
    whole_us = max(1, same_us + not_judged_us + different_us)
    click.echo(
        "%d boxes of %d scenarios: same %.2f %%, not judged %.2f %%, different %.2f %%"
        % (boxes, scenarios, *(100 * part / whole_us for part in (same_us, not_judged_us, different_us)))
    )  # fmt: skip


if __name__ == "__main__":
    main()
