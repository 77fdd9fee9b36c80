"""Runs the PIO programs in the cycle-by-cycle emulator `pioemu`, with what 0.77 of it lacks: PUSH, and speed.

PUSH is done here, one cycle, as the datasheet says (3.4.6). Speed: a counting loop whose pin does not change does
the same two cycles over and over; `skip` moves the clock and X on by whole rounds at once. A test shows that it
changes nothing.
"""

from array import array
from bisect import bisect_right
from collections import deque
from dataclasses import replace
from math import ceil

from pioemu import ShiftRegister, State, emulate

from drivers.edge_capture import DMA_COUNT, RING_WORDS, EdgeCapture, WordRing
from drivers.pio_programs import edge_capture

_PUSH_NOBLOCK = 0x8000
_ADDRESS = 0x2003F100


def capture_words(edges, cycles, limit, skip=True):
    """Return [(clock, word)] that the capture program pushes. The pin is low, and turns over at each of `edges`.

    Edges and clock in cycles of the machine; the program starts at 0. Words are signed, as array("i") holds them.
    """
    opcodes = edge_capture.opcodes
    loops = (edge_capture.labels["low"], edge_capture.labels["high"])
    words = []
    state = State(x_register=limit, output_shift_register=ShiftRegister(limit, 0))

    def level(clock):
        return bisect_right(edges, clock) & 1

    while state.clock < cycles:
        if opcodes[state.program_counter] == _PUSH_NOBLOCK:
            word = state.input_shift_register.contents
            words.append((state.clock, word - (1 << 32) if word >> 31 else word))
            state = replace(
                state,
                clock=state.clock + 1,
                program_counter=state.program_counter + 1,
                input_shift_register=ShiftRegister(0, 0),
            )
        if skip and state.program_counter in loops:
            is_high = loops.index(state.program_counter)
            if level(state.clock) == is_high:
                at = bisect_right(edges, state.clock)
                end = ceil(edges[at]) if at < len(edges) else cycles
                rounds = min((end - state.clock) // 2 - 1, state.x_register - 1)
                if rounds > 0:
                    state = replace(
                        state,
                        clock=state.clock + 2 * rounds,
                        x_register=state.x_register - rounds,
                    )
        start = state.clock

        def is_time_to_stop(opcode, now, start=start):
            return (
                now.clock >= cycles
                or opcode == _PUSH_NOBLOCK
                or (skip and now.clock > start and now.program_counter in loops)
            )

        for _, now in emulate(
            opcodes, stop_when=is_time_to_stop, initial_state=state, input_source=level
        ):
            state = now
    return words


def output_changes(program, puts, cycles):
    """Return [(clock, level)], each change of a dead-man's pin, low at first. `puts` is [(clock, word)] in order.

    A word that finds four before it is lost, as `DeadMan.feed` sees to.
    """
    fifo = deque()
    waiting = deque(puts)
    changes = []
    level = 0
    state = State(transmit_fifo=fifo)

    def put(_, now):
        while waiting and waiting[0][0] <= now.clock:
            _, word = waiting.popleft()
            if len(fifo) < 4:
                fifo.appendleft(word)
        return now.clock >= cycles

    for before, after in emulate(program.opcodes, stop_when=put, initial_state=state):
        if after.pin_values & 1 != level:
            level = after.pin_values & 1
            changes.append((before.clock + 1, level))
    return changes


class FakeDMA:
    """Counts like rp2.DMA; remembers how it was set up."""

    def __init__(self):
        self.count = DMA_COUNT
        self.is_active = True
        self.setups = []

    def active(self, value):
        self.is_active = bool(value)

    def config(self, **setup):
        self.setups.append(setup)
        self.count = setup["count"]
        self.is_active = True


class FakeMachine:
    """A state machine with words in its receive FIFO."""

    def __init__(self, words=0):
        self.words = words

    def rx_fifo(self):
        return self.words

    def get(self):
        self.words -= 1
        return 0


class Bench:
    """A capture whose ring is filled by hand, word by word, as the DMA would."""

    def __init__(self, freq_hz=25_000_000, limit=31250, base=5):
        self.freq_hz = freq_hz
        self.limit = limit
        self.base = base
        self.dma = FakeDMA()
        self.machine = FakeMachine()
        self.words = array("i", [0] * (base + RING_WORDS + 3))
        ring = WordRing(self.words, base, _ADDRESS, self.dma, self.machine)
        self.capture = EdgeCapture(ring, freq_hz, limit)
        self.highs = array("i", [-7] * 5)
        self.periods = array("i", [-7] * 5)

    def push(self, *words):
        for word in words:
            if self.dma.count:
                self.words[self.base + (-self.dma.count & (RING_WORDS - 1))] = word
                self.dma.count -= 1

    def high(self, us):
        """Return the word of a high phase, to the nearest count."""
        return self.limit - (round(us * self.freq_hz / 1e6) - 4) // 2

    def low(self, us):
        return ~(self.limit - (round(us * self.freq_hz / 1e6) - 5) // 2)

    def pilot(self, high_us=300, low_us=700, periods=1):
        """Push whole periods, each from its high phase on."""
        for _ in range(periods):
            self.push(self.high(high_us), self.low(low_us))

    def read(self, now_ms=0):
        """Return [(high, period)] in 0.1 us."""
        count = self.capture.read(self.highs, self.periods, now_ms)
        return [(self.highs[n], self.periods[n]) for n in range(count)]


class LoggedPin:
    """A pin handed to a driver: what it is told, in order, in the log it shares with its machine."""

    IN, OUT, PULL_DOWN = "in", "out", "down"

    def __init__(self, log):
        self.log = log

    def init(self, *args, **options):
        self.log.append(("pin", *args, *options.values()))


class LoggedMachine:
    """A state machine handed to a driver; its FIFO holds 4 words."""

    def __init__(self, log, waiting=0):
        self.log = log
        self.waiting = waiting

    def tx_fifo(self):
        return self.waiting

    def put(self, word):
        assert self.waiting < 4, "would wait for ever"
        self.log.append(("put", word))

    def active(self, value):
        self.log.append(("active", value))

    def exec(self, opcode):
        self.log.append(("exec", opcode))
