"""Made-up lines of a board, for the tests of the bench."""

from inletctl.bench import limits
from inletctl.bench.model import Block, Record, Sample, Step
from inletctl.bench.sweeps import KINDS, Sweep, sweep_block
from inletctl.house import use_firmware

use_firmware()

from drivers.virtual_layout import COMMANDS  # noqa: E402
from vehicle.protocol import READINGS  # noqa: E402


def commands(t_us: int, *reasons: str, **values: int) -> Sample:
    """Return a line of commands; what is not given is 0."""
    mask = 0
    for name in reasons:
        mask |= limits.stops()[name].bit
    given = {"reasons": mask} | values
    return Sample(t_us, "commands", tuple(given.get(name, 0) for name in COMMANDS))


def readings(t_us: int, **values: int) -> Sample:
    """Return a line of readings; what is not given is 0."""
    return Sample(t_us, "readings", tuple(values.get(name, 0) for name in READINGS))


def one_step(kind: str, value: float, inlet: str = "type2", **table) -> Block:
    """Return the block of a sweep with a single value."""
    given = {"id": "s", "kind": kind, "values": [value], "order": "up"} | table
    settings = given.pop("settings", {})
    sweep = Sweep.of(given, inlet, ("OI-DUTY-2",), settings, given.pop("world", {}))
    return sweep_block(sweep, 1)


def record_of(block: Block, *samples: Sample, **values) -> Record:
    """Return a complete record of these lines."""
    given = {"is_complete": True, "until_us": block.end_us} | values
    return Record(block.id, samples=list(samples), **given)


def end_of(block: Block) -> int:
    """Return a moment shortly before the block's end, where its last step is judged."""
    return block.end_us - 100_000


__all__ = ["KINDS", "Step", "commands", "end_of", "one_step", "readings", "record_of"]
