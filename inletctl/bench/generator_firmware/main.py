# ruff: noqa: F821
# pyright: reportUndefinedVariable=false, reportMissingImports=false, reportAttributeAccessIssue=false
# pyright: reportCallIssue=false
"""A Raspberry Pi Pico as source of the pilot signal for the bench: the whole program, as main.py on the Pico.

GPIO 2 gives 0..3.3 V, for the board's own side of its front end (the comparator's output, the ADC's divider) and never
for the pilot line itself: there are no +-12 V here. Sent by a PIO machine, so nothing this program does moves an edge.

A line from the host is `ID WORD NUMBERS... ~XXXX`, XXXX the CRC-16/CCITT-FALSE of all before the space and the ~; the
answer is `ID ok NUMBERS...` or `ID no WORDS...`, sealed alike. Words: hello, wave (mHz, duty in 0.001 %), steady (0, 1),
lost (periods left out, of how many, level meanwhile), off, state. Has run in an emulator of the PIO and on a PC, and on no
silicon yet.
"""

from rp2 import PIO, asm_pio

VERSION = 1
PIN = 2
# Longest line; the rest of a longer one is thrown away.
LINE_MAX = 80
_FIFO_WORDS = 8
# Cycles of a phase beside its count: 3 while it is high, 7 while it is low; 3 more before a change takes effect.
HIGH_CYCLES = 3
LOW_CYCLES = 7
# The count of a phase has to be one at least: a high of 0 would read as no change.
COUNT_MAX = 0xFFFFFFFF
# Times wrap at 2**30 us; what lies more than half of that ahead looks past.
_TICKS_MASK = 0x3FFFFFFF
PATTERN_MAX_US = 500_000_000


@asm_pio(set_init=PIO.OUT_LOW, fifo_join=PIO.JOIN_TX)
def pilot():
    """Send periods of Y + 3 cycles high and ISR + 7 cycles low for ever.

    Two words in the FIFO, both counts, the high one never 0, replace them at the end of a period, which is 3 cycles
    longer then. Wants the first pair in the FIFO when it starts.
    """
    wrap_target()
    set(x, 0)
    pull(noblock)  # an empty FIFO gives X
    mov(x, osr)
    jmp(not_x, "same")
    mov(y, x)
    pull(block)
    mov(isr, osr)
    label("same")
    mov(x, y)
    set(pins, 1)
    label("high")
    jmp(x_dec, "high")
    mov(x, isr)
    set(pins, 0)
    label("low")
    jmp(x_dec, "low")
    wrap()


def crc16(data):
    """Return the CRC-16/CCITT-FALSE of bytes."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc


def seal(text):
    """Return the line that carries `text`, with its end."""
    return "%s ~%04x\n" % (text, crc16(text.encode()))


def unseal(line):
    """Return the text of a line without its end. Raises ValueError where it is damaged."""
    text, mark, crc = line.rstrip("\r\n").rpartition(" ~")
    if not mark or crc != "%04x" % crc16(text.encode()):
        raise ValueError("damaged")
    return text


class Generator:
    """What is sent. `output` is the machine (PilotOutput): wave, once, steady, off."""

    def __init__(self, output, clock_hz):
        self.output = output
        self.clock_hz = clock_hz
        self.is_wave = False
        self.state = "off"
        self._pair = (0, 0)
        self._lost_pair = (0, 0)
        self._every = 0  # periods from gap to gap, 0 = no gaps
        self._period_us = 0
        self._next_us = 0  # in which the next gap is told to the machine

    def wave(self, frequency_mhz, duty):
        """Send PWM, duty in 0.001 %. Returns (cycles high, cycles of a period). Raises ValueError."""
        if not 100_000 <= frequency_mhz <= 5_000_000:
            raise ValueError("frequency is 100000..5000000 mHz")
        period = (self.clock_hz * 1000 + frequency_mhz // 2) // frequency_mhz
        high = (period * duty + 50_000) // 100_000
        low = period - high
        if not 0 < duty < 100_000 or high <= HIGH_CYCLES or low < LOW_CYCLES:
            raise ValueError("duty is beyond what is no steady level")
        self._pair = (high - HIGH_CYCLES, low - LOW_CYCLES)
        self._period_us = period * 1_000_000 // self.clock_hz
        if self.is_wave and not self._every:
            self.output.put(self._pair)
        else:
            # At once, whatever gap is under way.
            self.output.start(self._pair)
        self._every = 0
        self.is_wave = True
        self.state = "wave %d %d" % (high, period)
        return high, period

    def steady(self, level):
        """Send one level, 0 or 1. Raises ValueError."""
        if level not in (0, 1):
            raise ValueError("level is 0 or 1")
        self.is_wave = False
        self._every = 0
        self.output.steady(level)
        self.state = "steady %d" % level

    def lost(self, lost, every, level, now_us):
        """Leave out `lost` of each `every` periods, the last ones. Raises ValueError.

        How many are left out is exact; how many lie between two gaps depends on this program's own timing.
        """
        if not self.is_wave:
            raise ValueError("no wave is sent")
        if not 1 <= lost < every <= 100_000 or level not in (0, 1):
            raise ValueError("lost is 1..every-1, every 2..100000, level 0 or 1")
        high, low = self._pair
        more = lost * (high + HIGH_CYCLES + low + LOW_CYCLES)
        pair = (high + more, low) if level else (high, low + more)
        if max(pair) > COUNT_MAX or every * self._period_us > PATTERN_MAX_US:
            raise ValueError("the gap or the pattern is too long")
        self._lost_pair = pair
        self._every = every
        self._next_us = (now_us + (every - lost) * self._period_us) & _TICKS_MASK
        self.state = "%s lost %d %d %d" % (self.state.partition(" lost")[0], lost, every, level)

    def off(self):
        """Let go of the pin."""
        self.is_wave = False
        self._every = 0
        self.output.off()
        self.state = "off"

    def tick(self, now_us, diff):
        """Begin a gap where one is due. `diff(a, b)` is a - b of two times."""
        if self._every and diff(now_us, self._next_us) >= 0:
            # One period with the gap at its end, and the wave as it was: nothing can come between.
            self.output.put(self._lost_pair + self._pair)
            self._next_us = (now_us + self._every * self._period_us) & _TICKS_MASK

    def answer(self, line, now_us):
        """Return the sealed answer to a line of the host."""
        try:
            text = unseal(line)
        except ValueError:
            return seal("0 no the line is damaged")
        words = text.split()
        if len(words) < 2 or not words[0].isdigit():
            return seal("0 no a line is ID WORD NUMBERS")
        try:
            numbers = [int(word) for word in words[2:]]
            return seal("%s ok %s" % (words[0], self._do(words[1], numbers, now_us)))
        except ValueError as error:
            return seal("%s no %s" % (words[0], error))

    def _do(self, word, numbers, now_us):
        wants = {"hello": 0, "wave": 2, "steady": 1, "lost": 3, "off": 0, "state": 0}
        if word not in wants:
            raise ValueError("there is no word " + word)
        if len(numbers) != wants[word]:
            raise ValueError("%s takes %d numbers" % (word, wants[word]))
        if word == "hello":
            return "openinlet-generator %d %d" % (VERSION, self.clock_hz)
        if word == "wave":
            self.wave(*numbers)
        elif word == "steady":
            self.steady(*numbers)
        elif word == "lost":
            self.lost(numbers[0], numbers[1], numbers[2], now_us)
        elif word == "off":
            self.off()
        return self.state


class PilotOutput:
    """The pin. `machine` is a state machine with `pilot` loaded, not yet started; `words` makes an array("I")."""

    def __init__(self, machine, words):
        self._machine = machine
        self._words = words
        self.off()

    def start(self, pair):
        """Send a wave from a steady level on."""
        machine = self._machine
        machine.active(0)
        # Half a pair may wait where a level came between.
        for _ in range(_FIFO_WORDS):
            machine.exec("pull(noblock)")
        machine.restart()
        machine.exec("set(pindirs, 1)")
        self.put(pair)
        machine.active(1)

    def put(self, counts):
        """Give the machine its next counts, in one go: it may not wait long for the second one."""
        self._machine.put(self._words(counts))

    def steady(self, level):
        """Stop the wave and set the pin."""
        self._machine.active(0)
        self._machine.exec("set(pins, 1)" if level else "set(pins, 0)")
        self._machine.exec("set(pindirs, 1)")

    def off(self):
        """Stop the wave and let the pin float."""
        self._machine.active(0)
        self._machine.exec("set(pindirs, 0)")


class Lines:
    """Puts characters together to lines; a line that is too long is dropped whole."""

    def __init__(self):
        self._line = ""

    def feed(self, char):
        """Return the line that `char` ends, else None."""
        if char in "\r\n":
            line, self._line = self._line, ""
            return line if 0 < len(line) <= LINE_MAX else None
        if len(self._line) <= LINE_MAX:
            self._line += char
        return None


def main():
    """Serve the host for ever."""
    import sys
    from array import array
    from select import POLLIN, poll
    from time import ticks_diff, ticks_us

    import machine
    from rp2 import StateMachine

    clock_hz = machine.freq()
    made = StateMachine(0, pilot, freq=clock_hz, set_base=machine.Pin(PIN))
    generator = Generator(PilotOutput(made, lambda counts: array("I", counts)), clock_hz)
    lines = Lines()
    waiting = poll()
    waiting.register(sys.stdin, POLLIN)
    while True:
        generator.tick(ticks_us(), ticks_diff)
        if waiting.poll(0):
            line = lines.feed(sys.stdin.read(1))
            if line is not None:
                sys.stdout.write(generator.answer(line, ticks_us()))


if __name__ == "__main__":
    main()
