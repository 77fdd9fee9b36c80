"""drivers.mcp2515 against a register-level model of the chip: what is written, and what the chip makes of it."""

import itertools

import pytest
from mcp_rig import CanRig

from drivers.can_timing import CRYSTALS_HZ, RATES_KBPS, bit_timing
from drivers.mcp2515 import MODE_CONFIG, MODE_NORMAL, WAKE_FLAG, fill_tx
from inletctl.emu.can_bus import Frame, frame_bits
from inletctl.emu.mcp2515 import CANCTRL, CONFIG, LISTEN, NORMAL, SLEEP

POSSIBLE = [(c, r) for c in CRYSTALS_HZ for r in RATES_KBPS if (c, r) != (8_000_000, 1000)]


@pytest.mark.parametrize(("crystal_hz", "rate_kbps"), POSSIBLE)
def test_every_rate_is_exactly_what_the_chip_makes_of_it(crystal_hz, rate_kbps):
    rig = CanRig(rate_kbps=rate_kbps, crystal_hz=crystal_hz).tick(4)
    assert rig.chip.configured_kbps == rate_kbps
    rig.post((0x100, b"\x01\x02"))
    rig.tick(1)
    assert rig.received() == [(0x100, b"\x01\x02")]


@pytest.mark.parametrize(("crystal_hz", "rate_kbps"), POSSIBLE)
def test_bit_timing_keeps_the_datasheets_rules(crystal_hz, rate_kbps):
    cnf1, cnf2, cnf3 = bit_timing(crystal_hz, rate_kbps)
    jump, phase_1, propagation, phase_2 = (
        (cnf1 >> 6) + 1, (cnf2 >> 3 & 7) + 1, (cnf2 & 7) + 1, (cnf3 & 7) + 1,
    )  # fmt: skip
    quanta = 1 + propagation + phase_1 + phase_2
    assert crystal_hz == 2000 * rate_kbps * ((cnf1 & 0x3F) + 1) * quanta
    assert cnf2 & 0x80 and phase_2 >= 2 and phase_2 > jump and propagation + phase_1 >= phase_2
    assert 0.75 <= (quanta - phase_2) / quanta <= 0.875


@pytest.mark.parametrize(
    ("crystal_hz", "rate_kbps"), [(8_000_000, 1000), (16_000_000, 83), (20_000_000, 500), (0, 500)]
)
def test_rate_the_crystal_cannot_make_is_refused_in_one_sentence(crystal_hz, rate_kbps):
    with pytest.raises(
        ValueError, match="crystal of %d Hz cannot make %d" % (crystal_hz, rate_kbps)
    ):
        bit_timing(crystal_hz, rate_kbps)


def test_the_first_transfers_are_reset_look_set_up_and_normal_mode():
    rig = CanRig()
    assert rig.chip.resets == 1
    rig.tick()
    assert (rig.chip.resets, rig.chip.mode) == (2, CONFIG)
    rig.tick()
    assert rig.chip.registers[CANCTRL] == 0
    rig.tick()
    assert rig.chip.mode == NORMAL


def test_registers_after_the_set_up_are_exactly_these():
    chip = CanRig(ids=(0x123, 0x7FF, 0x000)).tick(3).chip
    r = chip.registers
    assert r[0x20:0x28].hex() == "ffe00000" * 2
    assert r[0x00:0x0C].hex() == "24600000" + "ffe00000" + "00000000"
    assert r[0x10:0x1C].hex() == "00000000" * 3
    assert (r[0x60], r[0x70]) == (0x04, 0x00)
    assert (r[0x2B], r[0x0C], r[0x0D]) == (0x40, 0x04, 0x00)
    assert r[0x28] & 0x40
    assert r[CANCTRL] & 0x08 == 0, "one-shot"
    assert chip.is_transceiver_on


@pytest.mark.parametrize("ids", [(), (0,), (0x7FF,), (1, 2), (0x10, 0x20, 0x30, 0x40, 0x50, 0x60)])
def test_nothing_but_the_ids_asked_for_passes_the_filters(ids):
    rig = CanRig(ids=ids).tick(4)
    through = []
    for frame_id in range(2048):
        rig.chip.heard_frames = 0
        rig.chip.heard(Frame(frame_id, b"\x55"), rig.now_ns)
        if rig.chip.heard_frames:
            through.append(frame_id)
        rig.driver.look()
        for n in range(2):
            rig.driver.read_rx(n, bytearray(14))
    assert through == sorted(set(ids) or {0x7FF})


def test_data_bytes_do_not_count_in_the_filters():
    rig = CanRig(ids=(0x100,)).tick(4)
    rig.post((0x100, b"\xff\xff\xff"), (0x100, b"\x00\x00"))
    rig.tick()
    assert len(rig.received()) == 2


@pytest.mark.parametrize("frame", [
    Frame(0x100 << 18, b"\x01", is_extended=True),
    Frame(0x100, b"", is_remote=True),
])  # fmt: skip
def test_extended_and_remote_frames_with_an_id_asked_for_are_not_heard(frame):
    rig = CanRig(ids=(0x100,)).tick(4)
    rig.other.post(frame)
    rig.tick(2)
    assert rig.received() == []
    assert rig.bus.frames == 1


@pytest.mark.parametrize("ids", [(1, 2, 3, 4, 5, 6, 7), (2048,), (-1,)])
def test_ids_that_do_not_fit_are_refused(ids):
    with pytest.raises(ValueError, match="can: "):
        CanRig(ids=ids)


def test_look_tells_a_reset_chip_from_one_that_is_set_up_and_both_from_none():
    rig = CanRig().tick()
    driver = rig.driver
    driver.look()
    assert (driver.is_fresh, driver.is_right, driver.mode) == (True, False, MODE_CONFIG)
    rig.tick(2)
    driver.look()
    assert (driver.is_fresh, driver.is_right, driver.mode) == (False, True, MODE_NORMAL)
    for answer in (0x00, 0xFF):
        rig.spi.spoil = lambda _byte, answer=answer: answer
        driver.look()
        assert (driver.is_fresh, driver.is_right) == (False, False)


@pytest.mark.parametrize("address", [*range(0x0D), *range(0x10, 0x1C), *range(0x20, 0x2C), 0x60])
def test_a_register_that_does_not_hold_its_value_is_found_by_the_set_up(address):
    rig = CanRig(ids=tuple(range(0x7F0, 0x7F6))).tick()
    write = rig.chip.write

    def broken(at, value, mask=0xFF):
        write(at, value ^ 0x04 if at == address else value, mask)

    rig.chip.write = broken
    assert not rig.driver.configure()
    assert rig.chip.mode == CONFIG


def test_sleep_ends_by_the_bus_in_listen_only_mode_and_with_the_transceiver_in_standby():
    rig = CanRig().tick(4)
    rig.driver.sleep()
    assert (rig.chip.mode, rig.chip.is_transceiver_on) == (SLEEP, False)
    rig.driver.look()
    assert not rig.driver.flags & WAKE_FLAG and rig.driver.is_right
    rig.other.post(Frame(0x700))
    rig.now_ns += 10_000_000
    rig.driver.look()
    assert rig.driver.flags & WAKE_FLAG and rig.chip.mode == LISTEN
    assert not rig.chip.acknowledges()


def test_the_lower_id_leaves_first_whatever_buffer_it_is_in():
    for ids in itertools.permutations((0x050, 0x350, 0x750)):
        rig = CanRig().tick(4)
        words = bytearray(16)
        for n, frame_id in enumerate(ids):
            fill_tx(words, frame_id, 0)
            rig.now_ns += 1  # the bus is held off: all of them wait when it is free
            rig.bus.fault = "dominant"
            rig.driver.send(n, words)
        rig.bus.fault = ""
        rig.tick()
        assert [frame_id for frame_id, _data in rig.heard()] == sorted(ids)


@pytest.mark.parametrize(
    ("frame", "bits"),
    [
        # Without stuff bits a standard frame is 44 + 8 n + 3 of intermission.
        (Frame(0x555, b""), 47),
        (Frame(0x000, b""), None),
    ],
)
def test_model_counts_a_frames_bits(frame, bits):
    found = frame_bits(frame)
    assert 47 <= found <= 47 + 8
    assert bits is None or found - bits in (0, 1, 2)


@pytest.mark.parametrize("length", range(9))
def test_model_frame_is_as_long_as_the_standard_lets_it_be(length):
    """44 + 8 n bits, 3 of intermission; at most one stuff bit for four of the 34 + 8 n that are stuffed."""
    for byte in (0x00, 0xFF, 0x55, 0x1F):
        for frame_id in (0, 0x7FF, 0x2AA):
            found = frame_bits(Frame(frame_id, bytes([byte]) * length))
            assert 0 <= found - (47 + 8 * length) <= (33 + 8 * length) // 4
