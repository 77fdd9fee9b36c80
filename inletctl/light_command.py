"""The command `inletctl light`: every pattern as a person sees it, played in the terminal."""

import time
from typing import Any

import click

from inletctl.errors import UserError

_FRAME_S = 0.05


@click.command()
@click.option("--list", "as_list", is_flag=True, help="a table that stands still")
@click.option(
    "--seconds",
    type=click.FloatRange(0.1, 3600),
    default=12.0,
    show_default=True,
    help="how long to play",
)
@click.option(
    "--set",
    "assignments",
    multiple=True,
    metavar="KEY=STYLE:RGB",
    help="try a look, such as light_charging=pulse:0f0",
)
def light(as_list: bool, seconds: float, assignments: tuple[str, ...]) -> None:
    """Play the patterns of the light, as shipped or as tried with --set. Nothing is stored."""
    from rich.console import Console
    from rich.live import Live

    looks = looks_with(assignments)
    console = Console()
    if as_list or not console.is_terminal:
        console.print(picture(looks, None))
        return
    players = Players(looks)
    begun = time.monotonic()
    with Live(
        picture(looks, players.at(0)), console=console, refresh_per_second=1 / _FRAME_S
    ) as live:
        while (spent := time.monotonic() - begun) < seconds:
            live.update(picture(looks, players.at(int(spent * 1000))))
            time.sleep(_FRAME_S)


def looks_with(assignments: tuple[str, ...]) -> list[int]:
    """Return the look of every pattern, as shipped but for KEY=STYLE:RGB. Raises UserError."""
    from inletctl.light import KEYS, default_look
    from inletctl.link.setting_words import parse

    looks = [default_look(n) for n in range(len(KEYS))]
    for key, value in parse(assignments).items():
        if key not in KEYS:
            raise UserError(
                "%s is no setting of the light: they are %s." % (key, ", ".join(KEYS[1:]))
            )
        looks[KEYS.index(key)] = value
    return looks


class Players:
    """The board's own player for each pattern, so that what is seen here is what a board shows."""

    def __init__(self, looks: list[int]):
        from inletctl.light import LightOut

        self._looks = looks
        self._outs = [LightOut(()) for _ in looks]
        self._ms = 0

    def at(self, ms: int) -> list[int]:
        """Return the colours 0xRGB at `ms`, not before the last."""
        while self._ms <= ms:
            for out, look in zip(self._outs, self._looks, strict=True):
                out.show(look, self._ms)
            self._ms += 10
        return [out.colour for out in self._outs]


def picture(looks: list[int], colours: "list[int] | None") -> Any:
    """Return the rich table of patterns; `colours`: what each shows now, None for its colours side by side."""
    from rich.table import Table
    from rich.text import Text

    from inletctl.light import MEANINGS, name_of_look, priorities

    table = Table(box=None, pad_edge=False)
    for head in ("light", "pattern", "look", "means"):
        table.add_column(head, overflow="fold")
    for n in priorities():
        look = looks[n]
        if colours is None:
            shown = [look & 0xFFF] + ([look >> 12 & 0xFFF] if look >> 12 & 0xFFF else [])
        else:
            shown = [colours[n]]
        lamp = Text()
        for colour in shown:
            lamp.append(_lamp(colour), style=_style(colour))
        table.add_row(lamp, MEANINGS[n][0], name_of_look(look), MEANINGS[n][1])
    return table


def _lamp(colour: int) -> str:
    return "\u25cf\u25cf" if colour else "\u25cb\u25cb"


def _style(colour: int) -> str:
    from inletctl.light import rgb_of

    return "#%02x%02x%02x" % rgb_of(colour) if colour else "dim"
