"""What was so at one moment, kept until the board's own word about that moment has come."""

from typing import Any

# Without any word for so long (heartbeat 1 s, four lines in the queue) the board is silent: do not wait for it.
SILENT_US = 2_500_000
# Of the car's side: nothing of it moves unless a scenario has one.
CAR = (
    "can_state", "can_offs", "status_age_ms", "line_outputs", "heater_on", "door_place", "dc_mv", "dc_ma",
    "dc_contactors_closed", "modem_stage", "soc_pct", "told_drive", "told_ma",
)  # fmt: skip


class LockTruth:
    """Of the lock, what an expectation may ask."""

    __slots__ = ("holds",)

    def __init__(self, holds: bool):
        self.holds = holds


class Truth:
    """The plant at one moment. Has the attributes of World that an expectation may ask."""

    __slots__ = (
        "charger_ma", "contact_decic", "contactor_closed", "cp_mv", "evse_duty_pct_x100", "evse_state", "lock",
        "lock_travel_pct", "plugged", "refused_unplugs", "violations", *CAR,
    )  # fmt: skip

    def __init__(self, world: Any):
        self.evse_state = world.evse_state
        self.evse_duty_pct_x100 = world.evse_duty_pct_x100
        self.contactor_closed = world.contactor_closed
        self.plugged = world.plugged
        self.charger_ma = world.charger_ma
        self.contact_decic = tuple(world.contact_decic)
        self.lock_travel_pct = world.lock_travel_pct
        self.cp_mv = world.cp_mv
        self.refused_unplugs = world.refused_unplugs
        self.lock = LockTruth(world.lock.holds)
        self.violations = len(world.violations)
        for name in CAR:
            setattr(self, name, getattr(world, name))
