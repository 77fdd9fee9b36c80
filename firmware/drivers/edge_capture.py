"""Each period of a square wave in 0.1 us, from words that a PIO machine and DMA leave in a ring. No CPU per edge.

Measures, decides nothing: whether periods are plausible and agree is the reader's to judge. A period counts only when
the words show it whole: a rise, a high phase, a fall, a low phase, the next rise, each phase at least 1 us long. What
the line did while it was quiet or torn by glitches is never stretched into a period.

The words are those of pio_programs.edge_capture: x at the end of a high phase, ~x at the end of a low one.
"""

from array import array

from micropython import const

from drivers.pio_programs import (
    CAPTURE_CYCLES_PER_COUNT,
    CAPTURE_HIGH_CYCLES,
    CAPTURE_LOW_CYCLES,
)
from ticks import ticks_diff

PERIODS = const(5)
# 64 words are 29 ms at 1.1 kHz: a pass delayed by a garbage collection (17 ms) still finds them all.
RING_WORDS = const(64)
_MASK = const(63)
_RING_BYTES = const(256)
_RING_BITS = const(8)
# DMA counts down from here: below 2**30, so a small int, and a multiple of RING_WORDS, so that the count alone says
# where in the ring the next word goes. Six days at 1 kHz; at the worst noise the program can push, 190 s.
DMA_COUNT = const(0x3FF00000)
_REARM_BELOW = const(0x20000000)
# Newest words looked at in one read. 12 hold five periods; twice that lets a glitch or two lie between them.
_SCAN_WORDS = const(24)
# More than 4 words a millisecond, twice what a pilot gives, are noise, however long a pass took: loading takes up to 0.2 s.
_NOISE_SHIFT = const(2)
# Phases below 1 us are glitches: the shortest lawful one is 3 % of 1.05 ms, 28 us.
_GLITCHES_PER_S = const(1_000_000)
_QUIET_MAX_MS = const(1000)
# After a time-out on a low line: 3 cycles to push it, 5 for the high phase that is not there.
_QUIET_TAIL_CYCLES = const(8)
_SMALL_INT_END = const(0x40000000)
# First receive request of a PIO block, and of the next block (RP2040 datasheet 2.5.3.1).
_DREQ_PIO0_RX0 = const(4)
_DREQ_PER_PIO = const(8)
_SMS_PER_PIO = const(4)


class WordRing:
    """The ring that the DMA fills, and the DMA that fills it.

    words: array of type "i" that holds the ring from index `base` on, RING_WORDS long, zero (quiet) at first.
    address: of words[base], in bytes. dma: as rp2.DMA, its count DMA_COUNT at first. sm: as rp2.StateMachine.
    """

    def __init__(self, words, base: int, address: int, dma, sm):
        self.words = words
        self.base = base
        self.dma = dma
        self._address = address
        self._sm = sm

    def rearm(self) -> int:
        """Start the DMA's count anew if half of it is used; return by how much the count was raised.

        The place in the ring stays, so the words before and after are one sequence: the machine's FIFO keeps what
        comes meanwhile, 4 words, 2 ms of a pilot.
        """
        dma = self.dma
        if dma.count >= _REARM_BELOW:
            return 0
        dma.active(0)
        left = dma.count
        at = -left & _MASK
        if left == 0:
            # It had ended: what the FIFO kept is old, and no sequence leads from there to here.
            while self._sm.rx_fifo():
                self._sm.get()
            self.words[self.base + ((at - 1) & _MASK)] = 0
        dma.config(write=self._address + 4 * at, count=DMA_COUNT - at, trigger=True)
        return DMA_COUNT - at - left


class EdgeCapture:
    """Decodes one ring. `read` once a pass, allocates nothing; `rearm` in the slack. Not for interrupt handlers.

    freq_hz: the machine's clock. limit: counts, of 2 cycles each, without an edge that make a quiet word.
    Raises ValueError where the longest period would not fit a small int.
    """

    def __init__(self, ring: WordRing, freq_hz: int, limit: int):
        divisor = 10_000_000
        rest = freq_hz
        while rest:
            divisor, rest = rest, divisor % rest
        self._mul = 10_000_000 // divisor  # 0.1 us = cycles * _mul / _div
        self._div = freq_hz // divisor
        self._high_zero = CAPTURE_CYCLES_PER_COUNT * limit + CAPTURE_HIGH_CYCLES
        self._period_zero = (
            CAPTURE_CYCLES_PER_COUNT * (2 * limit + 1) + CAPTURE_HIGH_CYCLES + CAPTURE_LOW_CYCLES
        )
        if self._period_zero * self._mul + self._div >= _SMALL_INT_END:
            raise ValueError("a capture at %d Hz cannot count to %d" % (freq_hz, limit))
        glitch_hz = CAPTURE_CYCLES_PER_COUNT * _GLITCHES_PER_S
        self._longest_x = limit - (freq_hz + glitch_hz - 1) // glitch_hz  # left by a 1 us phase
        self._limit = limit
        # One steady-low round: the time-out and the phase without counts that follows it.
        round_cycles = CAPTURE_CYCLES_PER_COUNT * (limit + 1) + _QUIET_TAIL_CYCLES
        self._window_us = round_cycles * self._mul // (10 * self._div)
        self._ring = ring
        self._words = ring.words
        self._base = ring.base
        self._dma = ring.dma
        self._left = DMA_COUNT  # the DMA's count at the last read
        self._read_ms = 0  # tick of the last read
        self.quiet_ms = _QUIET_MAX_MS  # since the last edge of either kind, 0..1000 (stays there)

    def read(self, highs_x10, periods_x10, now_ms: int) -> int:
        """Fill in the newest periods completed since the last read, oldest first, and return how many, 0..5.

        Both arrays hold at least 5 ints, in 0.1 us: the high time rounded down, the period rounded up, so the duty
        is never above the true one by more than the 2 cycles an edge is seen late. `now_ms` is the pass's tick.
        More new words than the ring holds, and than a pilot gives in that time, are noise: no period, and not quiet.
        """
        left = self._dma.count
        found = self.decode(highs_x10, periods_x10, left, now_ms)
        if left - self._dma.count > RING_WORDS - _SCAN_WORDS - 2:
            # So noisy that words were overwritten under the decoder.
            self.quiet_ms = 0
            return 0
        return found

    def decode(self, highs_x10, periods_x10, left: int, now_ms: int) -> int:
        """Do what `read` does for a ring whose DMA count is `left`: touches no hardware."""
        fresh = self._left - left
        elapsed_ms = ticks_diff(now_ms, self._read_ms)
        self._left = left
        self._read_ms = now_ms
        if fresh > RING_WORDS:
            if fresh >> _NOISE_SHIFT > elapsed_ms:
                self.quiet_ms = 0
                return 0
            # A pass that took long: what the ring still holds is as good as ever.
            fresh = RING_WORDS
        k = self._back_to_edge(fresh, -1 - left)
        if k == 0:
            # Quiet words or none at all (a dead machine, a dead DMA): both are silence, and time tells how long.
            if elapsed_ms > 0:
                self.quiet_ms = min(self.quiet_ms + elapsed_ms, _QUIET_MAX_MS)
            return 0
        return self._periods(highs_x10, periods_x10, k, k - fresh - 1 - left)

    def rearm(self) -> None:
        """Keep the DMA from ever ending. Call in the slack, at least once a minute; does something once in days."""
        self._left += self._ring.rearm()

    def _back_to_edge(self, fresh: int, at: int) -> int:
        """Return how many of the `fresh` words are left when those since the last edge are taken off; 0 if all.

        Sets quiet_ms by the quiet words taken off, if there is an edge. `at` is the place of the newest word.
        """
        words = self._words
        base = self._base
        windows = 0
        while fresh:
            word = words[base + (at & _MASK)]
            at -= 1
            if word == 0 or word == -1:
                windows += 1
            elif word != self._limit and word != ~self._limit:
                break
            else:
                # Without a single count: after a quiet word it belongs to that one, else it is a glitch's edge.
                before = words[base + (at & _MASK)]
                if before != 0 and before != -1:
                    break
            fresh -= 1
        if fresh:
            self.quiet_ms = min(windows * self._window_us // 1000, _QUIET_MAX_MS)
        return fresh

    def _periods(self, highs_x10, periods_x10, k: int, at: int) -> int:
        """Fill in the newest periods that end in the `k` words up to the one at `at`, and return how many."""
        words = self._words
        base = self._base
        # Words come low, high, low, high ... by the program's very shape; start at the newest of the low kind.
        low = words[base + (at & _MASK)]
        if low > 0:
            at -= 1
            k -= 1
            low = words[base + (at & _MASK)]
        k = min(k, _SCAN_WORDS)
        # Locals: an attribute costs several times as much on the board.
        top = self._longest_x
        bottom = ~top
        mul = self._mul
        div = self._div
        high_zero = self._high_zero
        period_zero = self._period_zero
        slot = PERIODS
        while k > 0 and slot:
            high = words[base + ((at - 1) & _MASK)]
            at -= 2
            k -= 2
            before = words[base + (at & _MASK)]
            # Signs and lengths at once: quiet words, glitches and words out of turn all fall outside.
            if 0 < high <= top and bottom <= low < -1 and bottom <= before < -1:
                slot -= 1
                highs_x10[slot] = (high_zero - 2 * high) * mul // div
                periods_x10[slot] = ((period_zero + 2 * (low - high)) * mul - 1) // div + 1
            low = before
        found = PERIODS - slot
        if slot and found:
            k = 0
            while k < found:
                highs_x10[k] = highs_x10[slot + k]
                periods_x10[k] = periods_x10[slot + k]
                k += 1
        return found


def make_capture(sm_id: int, pin, freq_hz: int, limit: int) -> EdgeCapture:
    """Return a running capture of input `pin` on state machine `sm_id` (0..7); takes one DMA channel.

    freq_hz: the machine's clock, a whole fraction of the CPU's (a fractional divider would jitter). Raises ValueError
    where it is not, or where period and limit do not fit; OSError where no DMA channel or PIO room is left.
    """
    from machine import freq
    from rp2 import DMA, StateMachine
    from uctypes import addressof

    from drivers.pio_programs import edge_capture

    if freq() % freq_hz:
        raise ValueError("%d Hz is no whole fraction of the CPU's %d Hz" % (freq_hz, freq()))
    # Room to begin the ring at a multiple of its size, which the DMA's address wrap needs.
    words = array("i", [0] * (2 * RING_WORDS))
    base = (-addressof(words) & (_RING_BYTES - 1)) // 4
    address = addressof(words) + 4 * base
    sm = StateMachine(sm_id, edge_capture, freq=freq_hz, in_base=pin, jmp_pin=pin)
    sm.put(limit)
    sm.exec("pull()")
    sm.exec("mov(x, osr)")
    dma = DMA()
    dreq = _DREQ_PIO0_RX0 + sm_id // _SMS_PER_PIO * _DREQ_PER_PIO + sm_id % _SMS_PER_PIO
    ctrl = dma.pack_ctrl(
        size=2,
        inc_read=False,
        inc_write=True,
        ring_sel=True,
        ring_size=_RING_BITS,
        treq_sel=dreq,
    )
    capture = EdgeCapture(WordRing(words, base, address, dma, sm), freq_hz, limit)
    dma.config(read=sm, write=address, count=DMA_COUNT, ctrl=ctrl, trigger=True)
    sm.active(1)
    return capture
