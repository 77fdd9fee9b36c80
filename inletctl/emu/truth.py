"""What was so at one moment of an emulated run, kept until the board's own word about that moment has come.

A report line takes the board some 100 ms to send, a few bytes a pass. It carries the tick it speaks of, so an
expectation is judged late rather than wrongly: with the pins and the plant as they were, and the word of the board
that was in force.
"""

from typing import Any

from inletctl.house import use_firmware
from inletctl.plant.world import World
from inletctl.scenario.truth import Truth

use_firmware()

from signals import Commands, Readings  # noqa: E402

REPORTED = (
    "light", "session", "pilot_state", "lock_state", "duty_pct_x100", "offered_ma", "permitted_ma", "limiter",
    "reasons", "faults", "hottest_decic", "hottest_ok",
)  # fmt: skip
# What energises something is read from the pins, whatever the board says of it.
ON_PINS = ("s2_close", "charger_ma", "lock_drive", "drive_allowed")


class Moment(Truth):
    """Plant and pins at `t_us`. Has the attributes of World that recorder, live view and expectations read."""

    __slots__ = ("pins", "readings", "t_us")

    def __init__(self, t_us: int, world: World, pins: Commands):
        super().__init__(world)
        self.t_us = t_us
        self.pins = tuple(getattr(pins, name) for name in ON_PINS)
        # What an ideal board would read; of the emulated board's own readings nothing is known.
        self.readings = Readings()
        world.sample(self.readings)


def fill(commands: Any, moment: Moment, word: Any) -> None:
    """Make `commands` what the board did (its pins at `moment`) and said (`word`)."""
    for name, value in zip(ON_PINS, moment.pins):
        setattr(commands, name, value)
    for name in REPORTED:
        setattr(commands, name, getattr(word, name))
