"""What was so at one moment of an emulated run, kept until the board's own word about that moment has come.

A report line takes the board some 100 ms to send, a few bytes a pass. It carries the tick it speaks of, so an
expectation is judged late rather than wrongly: with the pins and the plant as they were, and the word of the board
that was in force.
"""

from typing import Any

from inletctl.house import use_firmware
from inletctl.plant.world import World

use_firmware()

from signals import Commands, Readings  # noqa: E402

REPORTED = (
    "light", "session", "pilot_state", "lock_state", "duty_pct_x100", "offered_ma", "permitted_ma", "limiter",
    "reasons", "faults", "hottest_decic", "hottest_ok",
)  # fmt: skip
# What energises something is read from the pins, whatever the board says of it.
ON_PINS = ("s2_close", "charger_ma", "lock_drive", "drive_allowed")


class LockTruth:
    """Of the lock, what an expectation may ask."""

    __slots__ = ("holds",)

    def __init__(self, holds: bool):
        self.holds = holds


class Moment:
    """Plant and pins at `t_us`. Has the attributes of World that recorder, live view and expectations read."""

    __slots__ = (
        "charger_ma", "contact_decic", "contactor_closed", "cp_mv", "evse_duty_pct_x100", "evse_state", "lock",
        "lock_travel_pct", "pins", "plugged", "readings", "refused_unplugs", "t_us", "violations",
    )  # fmt: skip

    def __init__(self, t_us: int, world: World, pins: Commands):
        self.t_us = t_us
        self.evse_state = world.evse_state
        self.evse_duty_pct_x100 = world.evse_duty_pct_x100
        self.contactor_closed = world.contactor_closed
        self.plugged = world.plugged
        self.charger_ma = world.charger_ma
        self.contact_decic = list(world.contact_decic)
        self.lock_travel_pct = world.lock_travel_pct
        self.cp_mv = world.cp_mv
        self.refused_unplugs = world.refused_unplugs
        self.lock = LockTruth(world.lock.holds)
        self.violations = len(world.violations)
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
