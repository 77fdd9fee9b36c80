"""What the pilot's generator sends, as exact segments, and what an edge capture at the pin makes of it.

Times are in 0.1 us ("x10") since the start of the run, whole numbers, so that no period drifts.
"""

from array import array

PERIODS = 5  # signals.PILOT_PERIODS: the newest complete ones handed over
# A capture gives up after 100 ms without the edge it waits for and starts anew, as a counter that runs out does.
CAPTURE_MAX_X10 = 1_000_000
_MS_X10 = 10_000


class Segment:
    """From `start_x10` on: PWM with its rising edges at start + n * period, or steady where period is 0."""

    __slots__ = ("high_x10", "period_x10", "sign", "start_x10")

    def __init__(self, start_x10: int, sign: int, period_x10: int = 0, high_x10: int = 0):
        self.start_x10 = start_x10
        self.sign = sign  # steady: 1 high, 0 dead, -1 low. PWM: 1
        self.period_x10 = period_x10
        self.high_x10 = high_x10

    def sign_at(self, t_x10: int) -> int:
        """Return the generator's output at `t_x10` and from then on: 1 high, 0 dead, -1 low."""
        if self.period_x10 and (t_x10 - self.start_x10) % self.period_x10 >= self.high_x10:
            return -1
        return self.sign


class Capture:
    """
    Rising-edge to rising-edge capture behind a slicer, windowed by the samples taken from it.

    The generator's segments and the link's bits (is the pin above the threshold while the generator is low, dead,
    high) may change at any 0.1 us; `collect` then replays the window edge by edge. While nothing changes it
    counts periods instead, which gives the same values (host_tests/test_plant_wave.py compares the two).
    """

    def __init__(self) -> None:
        self.periods = 0  # complete ones since the last collect, at most PERIODS
        self.highs_x10 = array("i", [0] * PERIODS)  # oldest first
        self.periods_x10 = array("i", [0] * PERIODS)
        self.quiet_ms = 1000
        self.last_edge_x10 = -1000 * _MS_X10
        self.segments = [Segment(0, 0)]
        self.links: list[tuple[int, tuple[int, int, int]]] = [(0, (0, 0, 0))]
        self._from_x10 = 0  # window start: edges up to here are collected
        self._rise_x10 = -1  # last rising edge; -1 none to start a period from
        self._fall_x10 = -1
        self._bit = 0  # at the window's start
        self._regular = False  # nothing irregular since the last rising edge
        self._is_filled = False  # while regular: the arrays hold its periods
        self._period_x10 = 0  # while regular: the segment's, 0 where no edge reaches the slicer
        self._count = 0  # periods of the segment up to the window's start, while regular

    # What happens -----------------------------------------------------------

    def send(self, segment: Segment) -> None:
        """The generator changes to `segment` at its start, now or later; what was booked after that is dropped."""
        self._irregular()
        self.segments = [s for s in self.segments if s.start_x10 < segment.start_x10]
        self.segments.append(segment)

    def link(self, t_x10: int, bits: tuple[int, int, int]) -> None:
        """The way from the generator to the slicer changes at `t_x10`: bits for generator low, dead, high."""
        if bits != self.links[-1][1]:
            self._irregular()
            self.links.append((t_x10, bits))

    def next_boundary_x10(self, t_x10: int) -> int:
        """Return the first start of a PWM period at or after `t_x10`; `t_x10` itself where there is no PWM."""
        now = self.segment_at(t_x10)
        if not now.period_x10:
            return t_x10
        return t_x10 + (now.start_x10 - t_x10) % now.period_x10

    def segment_at(self, t_x10: int) -> Segment:
        """Return the segment sent at `t_x10`."""
        segments = self.segments
        n = len(segments) - 1
        while n and segments[n].start_x10 > t_x10:
            n -= 1
        return segments[n]

    # What is seen -----------------------------------------------------------

    def collect(self, now_x10: int) -> None:
        """Measure the window since the last collect, up to and including `now_x10`."""
        if not self._regular:
            self._replay(now_x10)
            return
        period = self._period_x10
        if period:
            segment = self.segments[0]
            if not self._is_filled:
                self._is_filled = True
                self.highs_x10 = array("i", [segment.high_x10] * PERIODS)
                self.periods_x10 = array("i", [period] * PERIODS)
            elapsed = now_x10 - segment.start_x10
            count = elapsed // period
            new = count - self._count
            self.periods = new if new < PERIODS else PERIODS
            self._count = count
            phase = elapsed - count * period
            edge = phase if phase < segment.high_x10 else phase - segment.high_x10
            self.quiet_ms = edge // _MS_X10
        else:
            self.periods = 0
            quiet = (now_x10 - self.last_edge_x10) // _MS_X10
            self.quiet_ms = quiet if quiet < 1000 else 1000
        self._from_x10 = now_x10

    def _irregular(self) -> None:
        """Go back to single edges, from the state the counted ones left."""
        if not self._regular:
            return
        self._regular = False
        segment = self.segments[0]
        if self._period_x10:
            self._rise_x10 = segment.start_x10 + self._count * segment.period_x10
            self._fall_x10 = self._rise_x10 + segment.high_x10
            self._bit = 1
            if self._fall_x10 <= self._from_x10:
                self._bit = 0
                self.last_edge_x10 = self._fall_x10
            else:
                self._fall_x10 -= segment.period_x10
                self.last_edge_x10 = self._rise_x10

    def _replay(self, now_x10: int) -> None:
        found: list[tuple[int, int]] = []
        start = self._from_x10
        cuts = {s.start_x10 for s in self.segments} | {t for t, _bits in self.links}
        points = [start, *sorted(t for t in cuts if start < t <= now_x10), now_x10 + 1]
        for n in range(len(points) - 1):
            self._edges(points[n], points[n + 1], found)
        self._from_x10 = now_x10
        self.periods = min(len(found), PERIODS)
        for n, (high, period) in enumerate(found[-PERIODS:]):
            self.highs_x10[n] = high
            self.periods_x10[n] = period
        self.quiet_ms = min((now_x10 - self.last_edge_x10) // _MS_X10, 1000)
        self._settle(now_x10)

    def _edges(self, start: int, end: int, found: list[tuple[int, int]]) -> None:
        """Walk the edges in [start, end), where neither segment nor link changes but at `start`."""
        segment = self.segment_at(start)
        bits = self._bits_at(start)
        self._edge(start, bits[segment.sign_at(start) + 1], found)
        period = segment.period_x10
        if not period or bits[0] == bits[2]:
            return
        rise = start - (start - segment.start_x10) % period
        while rise < end:
            if start < rise:
                self._edge(rise, bits[2], found)
            if start < rise + segment.high_x10 < end:
                self._edge(rise + segment.high_x10, bits[0], found)
            rise += period

    def _edge(self, t: int, bit: int, found: list[tuple[int, int]]) -> None:
        if bit == self._bit:
            return
        self._bit = bit
        self.last_edge_x10 = t
        if not bit:
            self._fall_x10 = t
            return
        if self._rise_x10 >= 0 and t - self._rise_x10 <= CAPTURE_MAX_X10:
            found.append((self._fall_x10 - self._rise_x10, t - self._rise_x10))
        self._rise_x10 = t

    def _bits_at(self, t: int) -> tuple[int, int, int]:
        n = len(self.links) - 1
        while n and self.links[n][0] > t:
            n -= 1
        return self.links[n][1]

    def _settle(self, now: int) -> None:
        """Forget what is over, and count from here on if only whole regular periods can follow."""
        segment = self.segment_at(now)
        self.segments = self.segments[self.segments.index(segment) :]
        while len(self.links) > 1 and self.links[1][0] <= now:
            del self.links[0]
        if len(self.segments) > 1 or len(self.links) > 1:
            return
        since, bits = self.links[0]
        period = segment.period_x10
        if not period or bits[0] == bits[2]:
            self._regular = True
            self._period_x10 = 0
        else:
            rise = self._rise_x10
            if rise >= max(since, segment.start_x10) and not (rise - segment.start_x10) % period:
                self._regular = True
                self._period_x10 = period
                self._count = (rise - segment.start_x10) // period
                self._is_filled = False
