"""A strip of LEDs: the PIO program cycle by cycle against the LED's datasheet, and the drivers of both chips."""

import random
from collections import deque
from itertools import pairwise

import pytest
import rp2
from pio_bench import LoggedMachine, LoggedPin
from pioemu import State, emulate

from drivers.esp32_edges import BlockMark
from drivers.light_out import DUTY_U16, LightOut
from drivers.pio_programs import edge_capture
from drivers.rp2040_strip import STRIP_HZ, make_strip
from drivers.ws2812 import LATCH_US, LED_US, BitstreamStrip, PioStrip, levels_of

CYCLE_NS = 1e9 / STRIP_HZ
# WS2812B, ns: high and low of each bit; line low that shows what was sent.
HIGH_NS = {0: (250, 550), 1: (650, 950)}
LOW_NS = {0: (700, 1000), 1: (300, 600)}
# Later versions name the high times otherwise; both are met.
LATER_HIGH_NS = {0: (220, 380), 1: (580, 1000)}
LATCH_LATER_US = 280


def pulses(words, cycles):
    """Return [(clock, level)], each change of the pin, low at first. `words` is [(clock, word)] in order."""
    waiting = list(words)
    fifo = deque()
    changes = []
    level = 0

    def put(_, now):
        while waiting and waiting[0][0] <= now.clock:
            fifo.appendleft(waiting.pop(0)[1])
        return now.clock >= cycles

    for before, after in emulate(
        make_strip().opcodes,
        stop_when=put,
        initial_state=State(transmit_fifo=fifo),
        shift_osr_right=False,
    ):
        if after.pin_values & 1 != level:
            level = after.pin_values & 1
            changes.append((before.clock + 1, level))
    return changes


def bits_of(changes):
    """Return [(bit, high ns, low ns)]; the low part of the last bit is None."""
    assert [level for _, level in changes] == [1, 0] * (len(changes) // 2)
    found = []
    for n in range(0, len(changes), 2):
        high_ns = (changes[n + 1][0] - changes[n][0]) * CYCLE_NS
        low_ns = None
        if n + 2 < len(changes):
            low_ns = (changes[n + 2][0] - changes[n + 1][0]) * CYCLE_NS
        found.append((int(high_ns > 600), high_ns, low_ns))
    return found


def numbers_of(bits):
    """Return the 24-bit numbers sent."""
    assert len(bits) % 24 == 0
    found = []
    for at in range(0, len(bits), 24):
        number = 0
        for bit, _, _ in bits[at : at + 24]:
            number = number << 1 | bit
        found.append(number)
    return found


# ------------------------------------------------------------------------------------- program


def test_program_fits_beside_the_capture():
    program = make_strip()
    assert len(program) == 12
    assert len(program) + len(edge_capture) <= rp2.MAX_INSTRUCTIONS
    assert (program.wrap_target, program.wrap) == (0, len(program) - 1)
    assert program.sideset_count == 0
    assert program.options["out_shiftdir"] == rp2.PIO.SHIFT_LEFT


@pytest.mark.parametrize("count", [1, 2, 7, 16])
def test_every_led_gets_the_word_and_none_behind_them_anything(count):
    rng = random.Random(count)
    number = rng.getrandbits(24)
    changes = pulses([(100, (count - 1) << 24 | number)], 100 + (count + 2) * 24 * 31)
    assert numbers_of(bits_of(changes)) == [number] * count


@pytest.mark.parametrize("number", [0, 0xFFFFFF, 0xAAAAAA, 0x555555, 0x800001])
def test_every_bit_of_every_led_is_within_the_datasheets_times(number):
    changes = pulses([(10, 3 << 24 | number)], 10 + 6 * 24 * 31)
    bits = bits_of(changes)
    for bit, high_ns, low_ns in bits:
        for low, high in (HIGH_NS[bit], LATER_HIGH_NS[bit]):
            assert low <= high_ns <= high
        assert low_ns is None or LOW_NS[bit][0] <= low_ns <= LOW_NS[bit][1]
    # From one LED to the next it is no longer than from bit to bit.
    rises = [clock for clock, level in changes if level]
    assert {b - a for a, b in pairwise(rises)} == {31}
    assert LED_US - 1 <= 24 * 31 * CYCLE_NS / 1000 <= LED_US


def test_line_is_low_and_quiet_without_a_word_and_after_one():
    assert pulses([], 3000) == []
    changes = pulses([(10, 0x123456)], 6000)
    assert changes[-1][1] == 0 and changes[-1][0] < 10 + 25 * 31


def test_second_word_is_sent_in_full_after_a_pass():
    pass_cycles = STRIP_HZ // 100
    changes = pulses([(10, 15 << 24 | 0xFF00FF), (10 + pass_cycles, 15 << 24 | 0x00FF00)], 270_000)
    assert numbers_of(bits_of(changes)) == [0xFF00FF] * 16 + [0x00FF00] * 16
    rises = [clock for clock, level in changes if level]
    quiet_us = max(b - a for a, b in pairwise(rises)) * CYCLE_NS / 1000
    assert quiet_us > LATCH_LATER_US and LATCH_US > LATCH_LATER_US


# -------------------------------------------------------------------------------------- levels


@pytest.mark.parametrize("pct", [1, 25, 100])
def test_levels_follow_the_eye_and_keep_the_cap_and_only_off_is_dark(pct):
    levels = levels_of(pct)
    assert len(levels) == 16 and levels[0] == 0 and min(levels[1:]) >= 1
    assert sorted(levels) == list(levels)
    assert levels[15] == -(-255 * pct // 100)
    for n in range(16):
        assert abs(levels[n] - DUTY_U16[n] / 257 * pct / 100) < 2


# ---------------------------------------------------------------------------------- the RP2040's


class Machine(LoggedMachine):
    def put(self, word):
        assert 0 <= word < 2**30, "a small int on the board"
        super().put(word)


@pytest.fixture
def log():
    return []


def pio_strip(log, count=16, pct=100, waiting=0):
    def sleep_us(us):
        log.append(("sleep", us))

    return PioStrip(Machine(log, waiting), LoggedPin(log), count, pct, sleep_us)


def test_strip_begins_dark(log):
    pio_strip(log)
    assert log == [("put", 15 << 24)]


@pytest.mark.parametrize(
    ("colour", "number"),
    [(0xF00, 0x00FF00), (0x0F0, 0xFF0000), (0x00F, 0x0000FF), (0xFFF, 0xFFFFFF), (0, 0)],
)
def test_colour_is_one_word_green_first(log, colour, number):
    strip = pio_strip(log, 8)
    strip.paint(colour)
    assert log[1:] == [("put", 7 << 24 | number)]


def test_brightness_is_capped(log):
    pio_strip(log, 1, 20).paint(0xFFF)
    assert log[1:] == [("put", 51 * 0x010101)]


def test_machine_that_does_not_run_is_not_waited_for(log):
    strip = pio_strip(log, waiting=4)
    strip.paint(0xFFF)
    assert log == []


def test_release_shows_dark_before_it_lets_go(log):
    """What is still being sent is shown first: a dark word right behind it would be for LEDs that are not there."""
    strip = pio_strip(log)
    strip.paint(0xF00)
    log.clear()
    strip.release()
    wait = ("sleep", 16 * 30 + 300)
    assert log == [
        wait, ("put", 15 << 24), wait, ("active", 0), ("exec", 0xE000), ("pin", "in", "down"),
    ]  # fmt: skip
    log.clear()
    strip.release()
    strip.paint(0xFFF)
    assert log == []


# ----------------------------------------------------------------------------------- the ESP32's


class Sender:
    def __init__(self, mark):
        self.mark = mark
        self.sent = []
        self.error = None

    def __call__(self, pin, encoding, timing_ns, data):
        assert encoding == 0 and self.mark.is_on
        if self.error is not None:
            raise self.error
        self.sent.append((timing_ns, bytes(data)))


def bitstream_strip(log, count=3, pct=100):
    mark = BlockMark()
    sender = Sender(mark)
    return BitstreamStrip(sender, LoggedPin(log), count, pct, mark, lambda: 1234), sender, mark


def test_bitstream_sends_every_led_green_first_and_marks_the_wait(log):
    strip, sender, mark = bitstream_strip(log)
    strip.paint(0xF0F)
    assert [data for _, data in sender.sent] == [bytes(9), b"\x00\xff\xff" * 3]
    assert mark.since_us == 1234 and not mark.is_on
    assert log == [("pin", "out", 0)]


def test_bitstreams_times_are_within_the_datasheets(log):
    _, sender, _ = bitstream_strip(log)
    zero_high, zero_low, one_high, one_low = sender.sent[0][0]
    for bit, high_ns, low_ns in ((0, zero_high, zero_low), (1, one_high, one_low)):
        for low, high in (HIGH_NS[bit], LATER_HIGH_NS[bit]):
            assert low <= high_ns <= high
        assert LOW_NS[bit][0] <= low_ns <= LOW_NS[bit][1]
    # 16 LEDs, 5 % of a pass.
    assert 16 * 24 * max(zero_high + zero_low, one_high + one_low) < 500_000


def test_strip_that_cannot_be_sent_to_is_counted_and_ends_nothing(log):
    strip, sender, mark = bitstream_strip(log)
    sender.error = OSError(5)
    strip.paint(0xFFF)
    strip.paint(0x0F0)
    assert strip.errors == 2 and not mark.is_on
    sender.error = None
    strip.paint(0x0F0)
    assert sender.sent[-1][1] == b"\xff\x00\x00" * 3


def test_bitstream_release_is_dark_and_final(log):
    strip, sender, _ = bitstream_strip(log)
    strip.paint(0xFFF)
    strip.release()
    strip.paint(0xF00)
    strip.release()
    assert sender.sent[-1][1] == bytes(9) and len(sender.sent) == 3
    assert log[-1] == ("pin", "in")


# ------------------------------------------------------------------------------- as a light's part


def test_light_paints_the_strip_only_on_change_and_makes_it_dark(log):
    light = LightOut((), pio_strip(log, 1))
    for n in range(300):
        light.show(0x2000F60, n * 10)
    light.release()
    levels = levels_of(100)
    amber = levels[6] << 16 | levels[15] << 8
    assert [word for what, word in (entry[:2] for entry in log) if what == "put"] == [
        0, amber, 0, amber, 0,
    ]  # fmt: skip
