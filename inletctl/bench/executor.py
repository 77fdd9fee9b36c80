"""What a recipe is carried out on: the simulation, the emulated board, or a board on the bench."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from inletctl.bench.model import Block, Record

# Called now and then while a block runs, with the block's time reached, us.
Watch = Callable[[int], None]


@dataclass(frozen=True)
class Rig:
    """Who was tested, and with what."""

    target: str
    firmware_hash: str
    board: str = ""
    board_id: str = ""
    settings: dict[str, int] = field(default_factory=dict)
    instruments: list[str] = field(default_factory=list)
    calibration: list[str] = field(default_factory=list)


class CutShortError(Exception):
    """The run ends within a block: Ctrl-C, or the port is gone. `record` holds what was measured until then."""

    def __init__(self, why: str, record: Record):
        super().__init__(why)
        self.why = why
        self.record = record


class Executor(Protocol):
    """Carries blocks out, one at a time, each on a board newly powered up."""

    def identity(self) -> Rig:
        """Return who is tested and with what."""
        ...

    def carry_out(self, block: Block, watch: Watch) -> Record:
        """Carry `block` out. Raises CutShortError where it cannot go on, UserError where it cannot begin."""
        ...

    def set_delay(self, delay_us: int) -> None:
        """Take note that the rig itself needs so long from a stimulus to the board's tick, by its self-check."""
        ...

    def close(self) -> None:
        """Leave everything as it was found."""
        ...
