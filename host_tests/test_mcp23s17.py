"""drivers.mcp23s17 against a register-level model: the lines' contract, its safe levels, and an expander that fails."""

import random

import pytest
from mcp_rig import LinesRig

from drivers import mcp23s17
from inletctl.emu.mcp23s17 import GPPUA, IOCON, IODIRA, IODIRB, OLATA, OLATB

ALL_IN, ALL_OUT = 0x7F, 0x3F


@pytest.fixture
def rig():
    return LinesRig().tick(3)


def test_bits_are_those_of_the_contract():
    inputs = (
        "PERMIT",
        "HVIL_CLOSED",
        "INSULATION_OK",
        "NO_CRASH",
        "DOOR_CLOSED",
        "DOOR_OPEN",
        "PARKED",
    )
    outputs = (
        "CHARGE_ENABLE",
        "PLUG_PRESENT",
        "DRIVE_INHIBIT",
        "HEATER",
        "OPEN_DOOR",
        "CLOSE_DOOR",
    )
    assert [getattr(mcp23s17, name) for name in inputs] == [1 << n for n in range(7)]
    assert [getattr(mcp23s17, name) for name in outputs] == [1 << n for n in range(6)]


def test_made_and_not_ticked_it_drives_nothing_and_knows_nothing():
    rig = LinesRig()
    rig.lines.outputs = ALL_OUT
    assert not rig.lines.ok and rig.shown == 0
    assert rig.chip.registers[IODIRB] == 0xFF


def test_ok_after_the_configuration_was_read_back_and_two_equal_reads():
    rig = LinesRig()
    seen = []
    for _ in range(4):
        seen.append(rig.tick().lines.ok)
    assert seen == [False, False, True, True]


@pytest.mark.parametrize("bit", range(7))
def test_each_input_is_its_wire(rig, bit):
    rig.chip.levels = 1 << bit
    rig.tick(2)
    assert rig.lines.ok and rig.lines.inputs == 1 << bit


@pytest.mark.parametrize("bit", range(7))
def test_a_broken_wire_reads_the_dangerous_way(rig, bit):
    rig.chip.levels = ALL_IN
    rig.tick(2)
    assert rig.lines.inputs == ALL_IN
    rig.chip.driven &= ~(1 << bit)
    rig.tick(2)
    assert rig.lines.inputs == ALL_IN & ~(1 << bit)


def test_one_disturbed_read_changes_nothing_and_two_do(rig):
    rig.chip.levels = ALL_IN
    rig.tick(2)
    rig.chip.levels = 0
    rig.tick()
    assert rig.lines.inputs == ALL_IN
    rig.chip.levels = ALL_IN
    rig.tick()
    assert rig.lines.inputs == ALL_IN
    rig.chip.levels = 0
    rig.tick(2)
    assert rig.lines.inputs == 0 and rig.lines.ok


@pytest.mark.parametrize("mask", [1 << n for n in range(6)] + [0x15, 0x2A, ALL_OUT])
def test_outputs_are_shown_with_the_next_tick_and_only_those(rig, mask):
    rig.lines.outputs = mask
    assert rig.shown == 0
    rig.tick()
    assert rig.shown == mask
    rig.lines.outputs = 0
    rig.tick()
    assert rig.shown == 0


def test_bits_that_are_no_output_are_not_driven(rig):
    rig.lines.outputs = 0xFFFF
    rig.tick()
    assert rig.shown == ALL_OUT


@pytest.mark.parametrize(
    "register", [*range(0x08), IOCON, GPPUA, GPPUA + 1, OLATA, OLATB, IODIRA, IODIRB]
)
@pytest.mark.parametrize("bit", [0x01, 0x20, 0x80])
def test_a_register_that_changes_is_found_and_put_right(rig, register, bit):
    rig.chip.levels = ALL_IN
    rig.lines.outputs = 0x21
    rig.tick(4)
    right = bytes(rig.chip.registers)
    rig.chip.registers[register] ^= bit
    if register == IOCON:
        rig.chip.registers[IOCON + 1] ^= bit
    oks = [rig.tick().lines.ok for _ in range(12)]
    assert False in oks and oks[-1]
    assert bytes(rig.chip.registers) == right and rig.shown == 0x21
    assert rig.lines.faults == 1


def test_expander_that_reset_itself_is_found_at_once_and_shows_the_outputs_again(rig):
    rig.chip.levels = ALL_IN
    rig.lines.outputs = 0x13
    rig.tick(3)
    rig.chip.reset()
    rig.tick()
    assert not rig.lines.ok
    rig.tick(3)
    assert rig.lines.ok and rig.shown == 0x13 and rig.lines.inputs == ALL_IN


def test_outputs_fall_when_nobody_ticks_for_200_ms_and_come_back_with_the_ticks(rig):
    rig.lines.outputs = ALL_OUT
    rig.tick(2)
    rig.now_ns += 190_000_000
    assert rig.shown == ALL_OUT
    rig.now_ns += 10_000_000
    assert rig.shown == 0
    rig.tick(4)
    assert rig.shown == ALL_OUT and rig.lines.ok


@pytest.mark.parametrize("answer", [0x00, 0xFF])
def test_a_dead_bus_is_never_ok(answer):
    for was_good in (False, True):
        rig = LinesRig()
        if was_good:
            rig.tick(5)
            assert rig.lines.ok
        rig.spi.spoil = lambda _byte, answer=answer: answer
        rig.tick()
        assert not rig.lines.ok
        for _ in range(50):
            assert not rig.tick().lines.ok


def test_random_garbage_is_never_ok():
    seed = random.randrange(1 << 30)
    print("seed", seed)
    dice = random.Random(seed)
    rig = LinesRig().tick(5)
    rig.spi.spoil = lambda _byte: dice.randrange(256)
    for n in range(3_000):
        rig.lines.outputs = dice.randrange(64)
        rig.tick()
        # Both latches must read back, 16 bits: one pass in 65536 may look right, never two.
        assert n < 2 or not rig.lines.ok


def test_missing_expander_costs_bounded_work(rig):
    rig.chip.is_dead = True
    for _ in range(20):
        before = rig.spi.transfers
        rig.tick()
        assert rig.spi.transfers - before <= 5


def test_release_lets_go_of_everything(rig):
    rig.lines.outputs = ALL_OUT
    rig.tick(2)
    rig.lines.release()
    assert rig.shown == 0 and rig.chip.registers[IODIRB] == 0xFF
    assert rig.lines.outputs == 0 and not rig.lines.ok


def test_an_output_is_at_its_level_when_its_pin_becomes_one():
    """Latch before direction: no glitch."""
    rig = LinesRig()
    rig.lines.outputs = 0x05
    seen = set()
    write = rig.chip._write

    def watch(register, value):
        write(register, value)
        seen.add(rig.chip.outputs(rig.now_ns) & ALL_OUT)

    rig.chip._write = watch
    rig.tick(3)
    assert seen == {0, 0x05}
