"""The commands `inletctl clock set` and `inletctl charge-now`: words and exit statuses."""

import re
from datetime import datetime

import click

from inletctl.errors import UserError
from inletctl.link.commands import PORT, board_at

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_AT = re.compile(r"\s*([A-Za-z]{3,})\s+([0-9]{1,2}):([0-9]{2})\s*")


def minute_of_week(moment: datetime) -> int:
    """Return the minute of the week, 0 = Monday 0:00."""
    return moment.weekday() * 1440 + moment.hour * 60 + moment.minute


def parse_at(words: str) -> int:
    """Return the minute of the week of words such as "Mon 14:05". Raises UserError."""
    found = _AT.fullmatch(words)
    if found:
        days = [n for n, day in enumerate(DAYS) if day.lower().startswith(found[1].lower())]
        hour, minute = int(found[2]), int(found[3])
        if len(days) == 1 and hour < 24 and minute < 60:
            return days[0] * 1440 + hour * 60 + minute
    raise UserError("'%s' is no time of the week: say it as in 'Mon 14:05'." % words)


def show(minute: int) -> str:
    """Return a minute of the week in words."""
    return "%s %02d:%02d" % (DAYS[minute // 1440], minute // 60 % 24, minute % 60)


@click.group()
def clock() -> None:
    """The local time that a board keeps its charge windows by."""


@clock.command("set")
@click.option("--at", "words", metavar="'DAY HH:MM'", help="instead of this computer's local time")
@PORT
def set_clock(words: "str | None", port: str) -> None:
    """Tell a board the local time; it forgets it with its power, and a week later."""
    wanted = parse_at(words) if words is not None else None
    with board_at(port) as board:
        minute = minute_of_week(datetime.now()) if wanted is None else wanted
        board.order("time", minute)
    click.echo("the board's clock: %s" % show(minute))


@click.command("charge-now")
@PORT
def charge_now(port: str) -> None:
    """Have a board that waits for a charge window charge now, until the plug is pulled."""
    with board_at(port) as board:
        board.order("now")
    click.echo("charging no longer waits for a window until the plug is pulled")
