"""Digital lines: debounced inputs and outputs, with their polarity hidden. A pass is the unit of time."""

from micropython import const

# A bounce of a button or relay is over in 5 ms; three passes of 10 ms also outlast one disturbed sample.
PASSES = const(3)


class InputLine:
    """One input; `read` once a pass. Allocates nothing. `pin()` returns the level, 0 or 1."""

    def __init__(self, pin, is_inverted: bool, passes: int = PASSES):
        self._pin = pin
        self._on_level = 0 if is_inverted else 1
        self._passes = passes
        self._raw = False
        self._count = 0  # equal samples in a row, 0..passes
        self.is_on = False  # last state that was seen `passes` times in a row
        self.is_settled = False  # the last `passes` samples were equal

    def read(self) -> bool:
        """Take one sample and return the debounced state."""
        raw = self._pin() == self._on_level
        if raw != self._raw:
            self._raw = raw
            self._count = 1
            self.is_settled = False
        elif not self.is_settled:
            self._count += 1
            if self._count >= self._passes:
                self.is_settled = True
                self.is_on = raw
        return self.is_on


class OutputLine:
    """One output. Writes the pin only where something changes; `release` makes it an input again."""

    def __init__(self, pin, is_inverted: bool):
        self._pin = pin
        self._on_level = 0 if is_inverted else 1
        self.is_on = False
        self._is_driven = False

    def set(self, is_on: bool) -> None:
        """Switch on or off. The first call makes the pin an output at that level, without a glitch."""
        level = self._on_level if is_on else 1 - self._on_level
        if not self._is_driven:
            self._pin.init(self._pin.OUT, value=level)
            self._is_driven = True
        elif is_on != self.is_on:
            self._pin(level)
        self.is_on = is_on

    def release(self) -> None:
        """Let go of the pin: the board's pull decides."""
        self.is_on = False
        self._is_driven = False
        self._pin.init(self._pin.IN)
