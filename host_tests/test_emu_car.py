"""The emulated chip's SPI, bus and wires: models, and on the emulator the real drivers on them."""

import json

import pytest
from mcp_rig import CanRig

from inletctl.emu.can_bus import CanBus, Frame, Talker
from inletctl.emu.flash_image import board_text
from inletctl.emu.image import find_image
from inletctl.emu.mcp23s17 import IODIRB, Mcp23s17
from inletctl.emu.mcp2515 import Mcp2515
from inletctl.emu.spi import EmuSpi, FakeSpi
from inletctl.errors import UserError

BOARD = json.loads(board_text("rp2040-reference"))


def two_nodes():
    bus = CanBus(500)
    nodes = Talker(500), Talker(500)
    for node in nodes:
        bus.attach(node)
    return bus, *nodes


def test_lowest_id_wins_the_bus_and_a_frame_is_never_interrupted():
    bus, a, b = two_nodes()
    a.post(Frame(0x300, bytes(8)))
    bus.advance(10_000)
    b.post(Frame(0x100))
    a.post(Frame(0x200))
    bus.advance(2_000_000)
    assert [frame.id for _t, frame in a.sent_frames] == [0x300, 0x200]
    assert b.sent_frames[0][0] < a.sent_frames[1][0]


def test_a_full_bus_carries_as_many_frames_as_it_has_bits():
    bus, a, _b = two_nodes()
    a.flood = [Frame(0x555, b"\x55" * 8)]
    bus.advance(1_000_000_000)
    # 108 bits, 3 of intermission, 0 to 4 of stuffing.
    assert 500_000 // 115 <= bus.frames <= 500_000 // 111 + 1
    assert bus.busy_ns >= 999_000_000


def test_playing_in_small_steps_gives_the_same_as_in_one():
    def played(step_ns):
        bus, a, b = two_nodes()
        a.every(7_000_000, Frame(0x123, b"abc"))
        b.every(3_000_000, lambda t_ns: Frame(0x100, (t_ns // 1000 & 0xFF).to_bytes(1, "big")))
        a.flood = [Frame(0x700, bytes(8))]
        for t_ns in range(0, 100_000_001, step_ns):
            bus.advance(t_ns)
        return a.heard_frames, b.heard_frames

    assert played(100_000_000) == played(100_000) == played(12_500)


def test_node_at_another_rate_spoils_frames_and_hears_none():
    bus, a, b = two_nodes()
    b.rate_kbps = 250
    a.post(Frame(0x100))
    b.post(Frame(0x050))
    bus.advance(5_000_000)
    assert b.failures > 3 and b.heard_frames == []


def test_an_answer_comes_after_what_it_answers():
    bus, a, b = two_nodes()
    b.answer = lambda frame, _t_ns: Frame(frame.id + 1, frame.data)
    a.post(Frame(0x100, b"\x07"))
    bus.advance(5_000_000)
    assert [frame for _t, frame in a.heard_frames] == [Frame(0x101, b"\x07")]


def test_model_recovers_from_bus_off_by_itself_after_1408_bits_unless_held():
    rig = CanRig().tick(4)
    rig.bus.fault = "short"
    rig.send(0x300)
    while not rig.chip.is_off:
        rig.now_ns += 100_000
        if rig.now_ns % 10_000_000 == 0:
            rig.port.tick(rig.now_ms)
        rig.bus.advance(rig.now_ns)
        assert rig.now_ns < 1_000_000_000
    rig.bus.fault = "dominant"
    rig.now_ns += 50_000_000
    rig.driver.look()
    assert rig.chip.is_off
    rig.bus.fault = ""
    rig.now_ns += 1_000
    rig.driver.look()
    assert not rig.chip.is_off


def test_two_chips_selected_at_once_are_a_defect_of_the_driver():
    spi = FakeSpi(lambda: 0)
    a, b = spi.cs(Mcp23s17()), spi.cs(Mcp23s17())
    a(0)
    with pytest.raises(AssertionError):
        b(0)
    with pytest.raises(AssertionError):
        FakeSpi(lambda: 0).write(b"\x00")


@pytest.mark.parametrize("address", range(0x30, 0x3E))
def test_model_refuses_to_change_a_buffer_that_waits(address):
    rig = CanRig().tick(4)
    rig.bus.fault = "dominant"
    rig.send(0x300, b"\x01")
    rig.tick(2)
    base = next(n for n in (0x30, 0x40, 0x50) if rig.chip.registers[n] & 8)
    before = rig.chip.registers[base + (address & 0x0F)]
    rig.chip.write(base + (address & 0x0F), before ^ 0x20)
    assert rig.chip.registers[base + (address & 0x0F)] == before


@pytest.fixture(scope="module")
def image():
    try:
        return find_image()
    except UserError as error:
        pytest.skip("no MicroPython image, see `inletctl emu --help`: %s" % error)


@pytest.mark.emulator
@pytest.mark.slow
def test_drivers_on_the_emulated_chip_join_the_bus_answer_and_show_the_lines(image):
    """Script measure/scripts/can_alone.py: the drivers alone, the heap locked in its loop."""
    from inletctl.measure.bench_board import boot, files_with

    chip, lines, _console = boot(image, files_with("can_alone"))
    bus, other = CanBus(500), Talker(500)
    controller, expander = Mcp2515(bus, BOARD["can"]["crystal_hz"]), Mcp23s17()
    bus.attach(other)
    expander.levels = 0x55
    spi = EmuSpi(chip, 0, {BOARD["can"]["cs"]: controller, BOARD["lines"]["cs"]: expander})
    other.every(50_000_000, Frame(0x100, b"\x2a"), 400_000_000)
    words = []
    lines.on_words = words.append
    while len([word for word in words if word.startswith("state")]) < 2:
        chip.run_until(chip.now_ns + 20_000_000)
        assert chip.now_ns < 3_000_000_000, list(lines.words)
    answers = [(t_ns, frame) for t_ns, frame in other.heard_frames if frame.id == 0x101]
    asked = [t_ns for t_ns, _frame in other.sent_frames]
    assert len(answers) >= 8 and all(frame.data[0] == 0x2A for _t_ns, frame in answers)
    # Heard in the next pass, answered in that one or the one after.
    assert all(
        min(t_ns - then for then in asked if then < t_ns) < 25_000_000 for t_ns, _ in answers
    )
    state = [word for word in words if word.startswith("state")][-1].split()
    assert state[1] == "2" and state[2:7] == ["0"] * 5 and state[7:] == ["True", "85"]
    assert expander.registers[IODIRB] == 0 and spi.clashes == 0
