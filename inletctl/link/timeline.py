"""A log's entries on one time line: ticks that wrap, lines that overtake each other, boards that restart."""

from typing import NamedTuple

from inletctl.link.codec import COMMANDS_KIND, Telemetry, tick_diff
from inletctl.link.log import Asked, Log, Mark

# Readings carry the number of the next line of commands; lines that wait may be overtaken, four of them at most.
_OVERTAKEN = 4
# Nor is a line ever that much older than one that overtook it.
_BACK_MS = 3000
# A mark is made at the newest tick heard; one further off is of before a restart.
_MARK_MS = 10_000


class Moment(NamedTuple):
    """One entry of a log. Times of two boots are one after the other: how long the board was off nobody knows."""

    t_us: int  # since the log's first line
    boot: int  # 0, then one more with every restart
    entry: "Telemetry | Mark | Asked"


def timeline(log: Log) -> list[Moment]:
    """Return what is in the log in order of time."""
    moments: list[Moment] = []
    boot = 0
    newest_ms = 0  # on the time line
    tick: "int | None" = None  # the board's at `newest_ms`
    number = -1  # of the newest line of commands of this boot
    for entry in log.entries:
        if not isinstance(entry, Telemetry):
            apart_ms = 0 if tick is None else tick_diff(entry.t_ms, tick)
            at_ms = newest_ms + (apart_ms if abs(apart_ms) <= _MARK_MS else 0)
            moments.append(Moment(max(at_ms, 0) * 1000, boot, entry))
            continue
        is_commands = entry.kind == COMMANDS_KIND
        if tick is None:
            tick = entry.t_ms
        elif tick_diff(entry.t_ms, tick) < -_BACK_MS or (
            number >= 0 and tick_diff(entry.number, number) < (1 if is_commands else -_OVERTAKEN)
        ):
            boot += 1
            newest_ms += 1
            tick, number = entry.t_ms, -1
        if is_commands:
            number = entry.number
        at_ms = newest_ms + tick_diff(entry.t_ms, tick)
        if at_ms > newest_ms:
            newest_ms, tick = at_ms, entry.t_ms
        moments.append(Moment(max(at_ms, 0) * 1000, boot, entry))
    # By boot first: a late line of the old boot stays before the first of the new one.
    return sorted(moments, key=lambda moment: (moment.boot, moment.t_us))
