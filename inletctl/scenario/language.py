"""The vocabulary: verbs, world keys, settings, inlets and keys, gathered from the rooms that own them.

The parser, the printer and the documentation read a `Language`; none of them knows a verb or a key by name, so a
verb added to the plant is at once readable, checked and documented.
"""

from dataclasses import dataclass, field
from functools import lru_cache

from inletctl.house import use_firmware
from inletctl.plant.config import AS_SET, DAYS
from inletctl.scenario.field import CLOCK, REQUIRED, Field
from inletctl.scenario.forced import NAMES
from inletctl.scenario.keys import Key, firmware_keys, plant_keys

# A verb that the runner carries out, not the plant.
RESET = "reset"
RESET_OFF_MS = 200
_RESET_HELP = "the board restarts: it is dark for off_ms (S2 open, lock not driven), then boots"
_RESET_OFF = Field(
    "off_ms", "ms", 10, 600_000, RESET_OFF_MS, whole=True, help="how long the board is dark"
)
# Another one: the board's clock, and nothing else, is ahead from now on.
CLOCK_JUMP = "clock_jump"
_JUMP_HELP = "the board's clock jumps ahead; the world does not"
_JUMP_MS = Field("ms", "ms", 1, 86_400_000, REQUIRED, whole=True, help="how far")
# The last one: a reading is what the scenario writes, not what the world would measure.
READING = "reading"
_READING_HELP = "the board reads this value from now on, whatever the world is like: a counter-example of `inletctl prove`"
_READING_NAME = Field(
    "name", "", choices=tuple(NAMES), help="of signals.Readings; an array's name: each of it"
)
_READING_VALUE = Field(
    "value", "", -(1 << 30), (1 << 30) - 1, whole=True, help="in the reading's own unit"
)
# Settings that are masks: the names of their bits, and those that are minutes of the day.
BITS = {
    "lines_used": ("permit", "hvil", "insulation", "crash", "door_closed", "door_open", "parked"),
    "window_1_days": DAYS,
    "window_2_days": DAYS,
}
_CLOCK_KEYS = ("_from_min", "_to_min")


@dataclass(frozen=True)
class Verb:
    """Something that happens: its arguments in order, and one line of help."""

    name: str
    arguments: dict[str, Field] = field(default_factory=dict)
    help: str = ""


@dataclass(frozen=True)
class Language:
    """Everything a line may name."""

    verbs: dict[str, Verb]
    world: dict[str, Field]
    settings: dict[str, Field]
    inlets: tuple[str, ...]
    keys: dict[str, Key]
    ordered: tuple[tuple[str, str, int], ...] = ()  # (setting, one above it, by at least how much)
    as_set: tuple[str, ...] = ()  # world keys that are as the board is set where nothing is said


def runner_verbs() -> dict[str, Verb]:
    """Return the verbs the runner carries out itself."""
    reading = {_READING_NAME.name: _READING_NAME, _READING_VALUE.name: _READING_VALUE}
    return {
        RESET: Verb(RESET, {_RESET_OFF.name: _RESET_OFF}, _RESET_HELP),
        CLOCK_JUMP: Verb(CLOCK_JUMP, {_JUMP_MS.name: _JUMP_MS}, _JUMP_HELP),
        READING: Verb(READING, reading, _READING_HELP),
    }


def setting_fields(setting_rows) -> dict[str, Field]:
    """Return the table of the firmware's module `setting_rows` as fields: integers, choices as their index."""
    fields = {}
    for row in setting_rows.TABLE:
        key, unit = row[setting_rows.ROW_KEY], row[setting_rows.ROW_UNIT]
        if key.endswith(_CLOCK_KEYS):
            unit = CLOCK
        elif key in BITS or unit == "light":
            unit = ""  # a mask with names, or a look of the light as its number
        fields[key] = Field(
            key,
            unit,
            row[setting_rows.ROW_MIN],
            row[setting_rows.ROW_MAX],
            row[setting_rows.ROW_DEFAULT],
            tuple(setting_rows.CHOICES[key]) if unit == "choice" else (),
            whole=True,
            indexed=True,
            help=row[setting_rows.ROW_HELP],
            bits=BITS.get(key, ()),
        )
    return fields


def plant_field(name: str, spec, required) -> Field:
    """Return a plant's Spec as a field; `required` is the default that stands for "must be given"."""
    return Field(
        name,
        spec.unit,
        None if spec.choices else spec.minimum,
        None if spec.choices else spec.maximum,
        REQUIRED if spec.default is required else spec.default,
        tuple(spec.choices),
        whole=spec.whole,
        help=spec.help,
    )


def plant_verbs(table, required) -> dict[str, Verb]:
    """Return the plant's verbs."""
    return {
        name: Verb(
            name, {arg: plant_field(arg, spec, required) for arg, spec in arguments.items()}, text
        )
        for name, (_method, arguments, text) in table.items()
    }


@lru_cache(maxsize=1)
def load_language() -> Language:
    """Gather the vocabulary of this version of firmware and plant."""
    use_firmware()
    # Firmware modules are reachable only now; the plant is imported late so that a parser test needs neither.
    import faults
    import interlock
    import limits
    import setting_rows
    import settings
    from inletctl.plant import config, verbs
    from lock.actuator import LOCK_STATE_NAMES
    from pilot.control import PILOT_STATE_NAMES
    from vehicle.looks import LIGHT_NAMES

    names = {
        "session": interlock.SESSION_NAMES,
        "limiter": limits.LIMITER_NAMES,
        "state": PILOT_STATE_NAMES,
        "lock": LOCK_STATE_NAMES,
        "light": LIGHT_NAMES,
        "reasons": tuple(row[faults.ROW_NAME] for row in faults.SHUTDOWN),
        "faults": tuple(row[faults.FAULT_NAME] for row in faults.FAULTS),
        "holds": tuple(row[faults.HOLD_NAME] for row in faults.HOLDS),
    }
    # A word of a line has no blank in it: `light=blue_steady`.
    names = {
        kind: tuple(name.replace(" ", "_") for name in group) for kind, group in names.items()
    }
    world = {name: plant_field(name, spec, verbs.REQUIRED) for name, spec in config.KEYS.items()}
    return Language(
        verbs=plant_verbs(verbs.VERBS, verbs.REQUIRED) | runner_verbs(),
        world=world,
        settings=setting_fields(setting_rows),
        inlets=settings.INLETS,
        keys={key.name: key for key in firmware_keys(names) + plant_keys()},
        ordered=setting_rows.ORDERED,
        as_set=AS_SET,
    )
