"""How much of a session a recording lets replay judge: every scenario of the simulation recorded and replayed.

`python -m inletctl.link.replay_figures [--rate MS] [SCENARIO ...]` prints a line a scenario and the sums. --rate 0 is a
reading of every pass, which only the simulation can record.
"""

import sys
import tempfile
from pathlib import Path

import click

from inletctl.errors import UserError
from inletctl.house import SCENARIOS
from inletctl.link.replay import BETWEEN, Replay, replay
from inletctl.link.sim_log import EVERY_PASS, record_session
from inletctl.scenario.load import read_scenario

SAME, WITH_SPANS, DIFFERENT = "same", "not judged spans", "different"


def figures(path: Path, folder: Path, rate_ms: int = EVERY_PASS) -> Replay:
    """Record the scenario file `path` to the folder, readings every `rate_ms`, and replay that. Raises UserError."""
    log_path = folder / ("%s.%d.jsonl" % (path.stem, rate_ms))
    return replay(record_session(read_scenario(path), log_path, rate_ms))


def verdict(result: Replay) -> str:
    """Return SAME, WITH_SPANS (something hangs on what changed between two readings) or DIFFERENT."""
    if result.differences:
        return DIFFERENT
    return WITH_SPANS if result.not_judged_why_us(BETWEEN) else SAME


@click.command()
@click.option(
    "--rate", default=EVERY_PASS, help="Readings every so many ms, 20..60000; 0: every pass."
)
@click.argument("names", nargs=-1)
def main(rate: int, names: tuple[str, ...]) -> None:
    """Record and replay scenarios, all of them where none is named."""
    paths = sorted(SCENARIOS.glob("*.txt"))
    if names:
        paths = [path for path in paths if path.stem in names]
    counts: dict[str, int] = dict.fromkeys((SAME, WITH_SPANS, DIFFERENT), 0)
    same_us = between_us = other_us = different_us = 0
    with tempfile.TemporaryDirectory() as folder:
        for path in paths:
            try:
                result = figures(path, Path(folder), rate)
            except UserError as error:
                click.echo(str(error), err=True)
                sys.exit(error.exit_status)
            counts[verdict(result)] += 1
            mine_us = result.not_judged_why_us(BETWEEN)
            same_us += result.same_us
            between_us += mine_us
            other_us += result.not_judged_us - mine_us
            different_us += result.different_us
            click.echo(
                "%-32s %-17s same %8.2f s, between readings %6.2f s, not recorded %5.2f s, different %5.2f s"
                % (
                    path.stem, verdict(result), result.same_us / 1e6, mine_us / 1e6,
                    (result.not_judged_us - mine_us) / 1e6, result.different_us / 1e6,
                )
            )  # fmt: skip
            for file in Path(folder).iterdir():
                file.unlink()
    whole_us = max(1, same_us + between_us + other_us + different_us)
    click.echo(
        "%d scenarios: %s"
        % (len(paths), ", ".join("%d %s" % (n, word) for word, n in counts.items()))
    )
    click.echo(
        "time: same %.3f %%, between readings %.3f %%, not recorded %.3f %%, different %.3f %%"
        % tuple(100 * part / whole_us for part in (same_us, between_us, other_us, different_us))
    )


if __name__ == "__main__":
    main()
