"""Bad pilot samples, as they come when contactors close or a motor runs nearby (facts 1.6: ~6 in 250 ms)."""

from random import Random

from inletctl.plant.clock import FAR_US
from inletctl.plant.verbs import NOISE_KINDS
from inletctl.plant.wave import CAPTURE_MAX_X10, PERIODS

# The capture cannot tell a period longer than its own window of interest; random ones reach from a tenth of the
# nominal period to three of them.
_RANDOM_X10 = (1_000, 30_000)
_GLITCH_X10 = (1, 250)  # 0.1..25 us: reads as 0..2.5 %, or 97.5..100 %
_LEVEL_MV = (-13_000, 13_000)


class Noise:
    """Which samples are bad, and how. `next_us` is when `spoil` has work to do."""

    def __init__(self, seed: int):
        self.next_us = FAR_US
        self.spoilt = 0  # samples made bad so far
        self._random = Random(f"noise {seed}")
        self._hits: list[tuple[int, str]] = []  # (due us, kind), newest first
        self._passes = 0
        self._passes_kind = ""

    def burst(self, now_us: int, samples: int, window_us: int, kind: str) -> None:
        """Make `samples` samples bad, at random times in the window from now."""
        for _n in range(samples):
            self._hits.append((now_us + 1 + self._random.randrange(window_us), kind))
        self._hits.sort(reverse=True)
        self._book()

    def steps(self, passes: int, kind: str) -> None:
        """Make every sample of the next passes bad."""
        self._passes = passes
        self._passes_kind = kind
        self._book()

    def _book(self) -> None:
        self.next_us = -1 if self._passes else self._hits[-1][0] if self._hits else FAR_US

    def spoil(self, now_us: int, highs: list[int], periods: list[int], levels: list[int]) -> bool:
        """
        Spoil the samples due: `highs` and `periods` (0.1 us, at most PERIODS entries after it), `levels` [high, low] mV.

        A hit always meets a sample that is handed over, so that n hits are n bad samples. Return whether edges
        were made or moved.
        """
        before = list(periods), list(highs)
        if self._passes:
            self._passes -= 1
            for slot in range(len(periods) or 1):
                self._hit(self._passes_kind, slot, highs, periods, levels)
            if self._passes_kind == "mixed":
                self._hit("level", 0, highs, periods, levels)
        slots: list[int] = []
        while self._hits and self._hits[-1][0] <= now_us:
            # Every hit of one pass takes another sample, while there are any left.
            slots = slots or self._random.sample(range(PERIODS), PERIODS)
            self._hit(self._hits.pop()[1], slots.pop(), highs, periods, levels)
        self._book()
        del highs[:-PERIODS], periods[:-PERIODS]
        return before != (periods, highs)

    def _hit(
        self, kind: str, slot: int, highs: list[int], periods: list[int], levels: list[int]
    ) -> None:
        rnd = self._random
        self.spoilt += 1
        if kind == "mixed":
            kind = rnd.choice(NOISE_KINDS)
        if kind == "level":
            levels[rnd.randrange(2)] = rnd.randint(*_LEVEL_MV)
            return
        if not periods:  # a steady pilot: a glitch makes edges where there are none
            period = rnd.randint(*_RANDOM_X10)
            periods.append(period)
            highs.append(rnd.randrange(1, period))
            return
        slot %= len(periods)
        high, period = highs[slot], periods[slot]
        if kind == "missing" and 2 * period > CAPTURE_MAX_X10:
            kind = "random"  # a capture that waits so long starts anew
        if kind == "missing":  # the falling edge is lost, or the next rising one
            highs[slot] = high + (period if rnd.random() < 0.5 else 0)
            periods[slot] = 2 * period
        elif kind == "zero":
            highs[slot] = min(rnd.randint(*_GLITCH_X10), period - 1)
        elif kind == "full":
            highs[slot] = max(period - rnd.randint(*_GLITCH_X10), 1)
        elif kind == "random":
            periods[slot] = rnd.randint(*_RANDOM_X10)
            highs[slot] = rnd.randrange(1, periods[slot])
        else:  # split
            first = rnd.randrange(max(period // 10, 2), max(period * 9 // 10, 3))
            highs[slot : slot + 1] = [min(high, max(first - rnd.randint(*_GLITCH_X10), 1)), 0]
            highs[slot + 1] = max(min(high - first, period - first - 1), rnd.randint(*_GLITCH_X10))
            periods[slot : slot + 1] = [first, max(period - first, highs[slot + 1] + 1)]
