"""What an expectation may look at: one table of keys, and the view they are read from.

A key's raw value is what the firmware or the plant already holds (a const int, a mask, mA): nothing is converted
in a pass, only in a sentence. `None` means "not known" and satisfies no comparison but `=unknown`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from inletctl.scenario.field import YES_NO

CHOICE, NUMBER, SET = "choice", "number", "set"
# What plant.evse.Evse.state may say.
EVSE_STATES = ("A", "B1", "B2", "C1", "C2", "D1", "D2", "E", "F", "OFF")
# drivers.virtual_car.CAN_STATE_NAMES, plant.port.Door.place, plant.modem.STAGES
CAN_STATES = ("missing", "starting", "active", "warning", "passive", "off", "asleep")
TOLD_DRIVE = ("unknown", "allowed", "inhibited")
DOOR_PLACES = ("closed", "between", "open")
MODEM_STAGES = ("idle", "waiting", "cable_check", "pre_charge", "charging", "stopping", "ended")


class View:
    """What the checks of one run look at. Built once: it holds the run's preallocated objects, not copies."""

    __slots__ = ("commands", "readings", "violations", "world")

    def __init__(self, readings, commands, world):
        self.readings = readings  # signals.Readings of the pass
        self.commands = commands  # signals.Commands of the pass
        self.world = world  # the plant: the truth
        self.violations = 0  # breaches counted by the invariant monitor, if one runs


@dataclass(frozen=True)
class Key:
    """One thing to look at. `scale`: raw units in one unit that is written (1000 for mA read as A)."""

    name: str
    kind: str
    read: Callable[[View], Any]
    help: str
    unit: str = ""
    scale: int = 1
    minimum: int = 0
    maximum: int = 0
    names: tuple = ()  # CHOICE: name of each raw value; SET: name of each bit
    raw: tuple = ()  # CHOICE: the raw value behind each name, where that is not its index
    unknown: bool = False  # may read None


def _hottest_decic(view):
    commands = view.commands
    return commands.hottest_decic if commands.hottest_ok else None


def _hottest_true_decic(view):
    return max(view.world.contact_decic)


def firmware_keys(names: dict) -> list[Key]:
    """Return the keys read from the firmware's commands; `names` holds its enum and mask names."""
    return [
        _choice("session", "commands.session", names["session"], "what the inlet is doing"),
        _choice(
            "state", "commands.pilot_state", names["state"], "pilot state as the firmware sees it"
        ),
        _choice(
            "s2",
            "commands.s2_close",
            ("open", "closed"),
            "S2: closed shows state C, energy wanted",
        ),
        _choice("lock", "commands.lock_state", names["lock"], "state of the lock's actuator"),
        _choice("light", "commands.light", names["light"], "pattern of the inlet's light"),
        _choice("limiter", "commands.limiter", names["limiter"], "who sets permitted_a"),
        _choice("drive_allowed", "commands.drive_allowed", YES_NO, "permission to move the car"),
        _milli("offered_a", "commands.offered_ma", "A", 0, 100, "current the pilot offers"),
        _milli("permitted_a", "commands.permitted_ma", "A", 0, 100, "the smallest of all limits"),
        _milli(
            "command_a", "commands.charger_ma", "A", 0, 100, "current the charger is told to draw"
        ),
        Key(
            "duty_pct",
            NUMBER,
            attrgetter("commands.duty_pct_x100"),
            "duty last accepted",
            "%",
            100,
            0,
            100,
        ),
        Key(
            "hottest_c",
            NUMBER,
            _hottest_decic,
            "hottest contact as the firmware sees it; `unknown` if no sensor is valid",
            "C",
            10,
            -60,
            300,
            unknown=True,
        ),
        Key(
            "reasons",
            SET,
            attrgetter("commands.reasons"),
            "why S2 may not close",
            names=names["reasons"],
        ),
        Key("faults", SET, attrgetter("commands.faults"), "what is broken", names=names["faults"]),
        Key(
            "holds",
            SET,
            attrgetter("commands.holds"),
            "what the car, a person or a record asks for, and what has been noticed of them",
            names=names.get("holds", ()),
        ),
        _choice("plug_present", "commands.plug_present", YES_NO, "the plug is not surely out"),
        _choice(
            "wants_heat", "commands.wants_heat", YES_NO, "the lock asks for the port's heater"
        ),
        _choice(
            "dc_session",
            "commands.dc_session",
            YES_NO,
            "S2 is the communication controller's to ask for",
        ),
        _milli("dc_permitted_a", "commands.dc_permitted_ma", "A", 0, 1000, "DC that may flow"),
    ]


def plant_keys() -> list[Key]:
    """Return the keys read from the plant, the truth behind the readings."""
    return [
        Key(
            "evse",
            CHOICE,
            attrgetter("world.evse_state"),
            "state the EVSE is in",
            names=EVSE_STATES,
            raw=EVSE_STATES,
        ),
        _choice("contactor", "world.contactor_closed", ("open", "closed"), "the EVSE's contactor"),
        _choice("plugged", "world.plugged", YES_NO, "connector in the inlet"),
        _milli("charger_a", "world.charger_ma", "A", 0, 100, "current that really flows"),
        Key(
            "evse_duty_pct",
            NUMBER,
            attrgetter("world.evse_duty_pct_x100"),
            "duty the EVSE sends",
            "%",
            100,
            0,
            100,
        ),
        _milli("cp_v", "world.cp_mv", "V", -15, 15, "high level of the pilot at the inlet"),
        Key(
            "contact_c",
            NUMBER,
            _hottest_true_decic,
            "hottest contact, the truth",
            "C",
            10,
            -60,
            300,
        ),
        Key(
            "lock_travel_pct",
            NUMBER,
            attrgetter("world.lock_travel_pct"),
            "0 unlocked, 100 locked",
            "%",
            1,
            0,
            100,
        ),
        _choice("locked", "world.lock.holds", YES_NO, "the lock really holds the plug"),
        _count(
            "refused_unplugs", "world.refused_unplugs", "how often the lock held against a pull"
        ),
        _count("violations", "violations", "what must never be seen of the inlet, so far"),
        _choice("can", "world.can_state", CAN_STATES, "state of the inlet's CAN controller"),
        _count("can_offs", "world.can_offs", "how often it went off the bus since it booted"),
        Key(
            "status_age_ms",
            NUMBER,
            attrgetter("world.status_age_ms"),
            "since the car last heard the inlet's status on CAN; `unknown` before the first",
            "ms",
            1,
            0,
            1_000_000_000,
            unknown=True,
        ),
        Key(
            "told_drive",
            CHOICE,
            attrgetter("world.told_drive"),
            "what the inlet tells the car on native CAN; unknown where nothing fresh",
            names=TOLD_DRIVE,
            raw=TOLD_DRIVE,
        ),
        Key(
            "told_a",
            NUMBER,
            attrgetter("world.told_ma"),
            "what the inlet tells the charger on native CAN; `unknown` where nothing fresh",
            "A",
            1000,
            0,
            100,
            unknown=True,
        ),
        _output("charge_enable", 0, "the charger is enabled by wire"),
        _output("plug_output", 1, "the plug is shown as present by wire"),
        _output("drive_inhibit", 2, "driving is inhibited by wire"),
        _choice("heater", "world.heater_on", ("off", "on"), "the port's heater heats"),
        Key(
            "door",
            CHOICE,
            attrgetter("world.door_place"),
            "where the port's door is",
            names=DOOR_PLACES,
            raw=DOOR_PLACES,
        ),
        _milli("dc_v", "world.dc_mv", "V", 0, 1500, "voltage at the DC pins"),
        _milli("dc_a", "world.dc_ma", "A", 0, 1000, "current through the DC pins"),
        _choice("dc_contactors", "world.dc_contactors_closed", ("open", "closed"), "of the car"),
        Key(
            "modem",
            CHOICE,
            attrgetter("world.modem_stage"),
            "where the communication controller's session stands",
            names=MODEM_STAGES,
            raw=MODEM_STAGES,
        ),
        Key("soc_pct", NUMBER, attrgetter("world.soc_pct"), "state of charge", "%", 1, 0, 100),
    ]


def _output(name, bit, text) -> Key:
    return Key(
        name,
        CHOICE,
        lambda view: view.world.line_outputs >> bit & 1,
        text,
        names=YES_NO,
    )


def _choice(name, path, names, text) -> Key:
    return Key(name, CHOICE, attrgetter(path), text, names=tuple(names))


def _milli(name, path, unit, minimum, maximum, text) -> Key:
    return Key(name, NUMBER, attrgetter(path), text, unit, 1000, minimum, maximum)


def _count(name, path, text) -> Key:
    return Key(name, NUMBER, attrgetter(path), text, maximum=1_000_000_000)
