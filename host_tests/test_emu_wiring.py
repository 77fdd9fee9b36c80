"""The virtual inlet at the pins: voltages, edges and duties are what the reference circuit makes of the plant."""

import json
from itertools import pairwise

import pytest

from inletctl.emu.circuit import Circuit
from inletctl.emu.edges import (
    charger_limit_ma,
    demand_pct_x100,
    next_pilot_edge,
    pilot_bit,
)
from inletctl.emu.flash_image import board_text
from inletctl.plant.config import PlantConfig
from inletctl.plant.wave import Capture, Segment
from inletctl.plant.world import World

BOARD = json.loads(board_text("rp2040-reference"))


@pytest.fixture
def circuit():
    return Circuit(BOARD)


def test_pilot_of_either_sign_fits_the_adc(circuit):
    # 220 k against 44.2 k up and 54.9 k down: about -16.5 .. +16.5 V
    assert 0 < circuit.cp_pin_mv(-12_600) < circuit.cp_pin_mv(12_600) < 3300
    assert circuit.cp_pin_mv(9000) - circuit.cp_pin_mv(6000) == pytest.approx(300, abs=2)


def test_firmware_turns_the_pilot_circuit_round(circuit):
    from inletctl.house import use_firmware

    use_firmware()
    from drivers.board_file import load

    multiplier, divisor, offset_mv = load(board_text("rp2040-reference")).scale("cp")
    for cp_mv in (-12_000, -3000, 0, 2900, 6000, 8900, 12_000):
        code = circuit.code(circuit.cp_pin_mv(cp_mv))
        adc_mv = code * 3300 // 4096
        assert adc_mv * multiplier // divisor + offset_mv == pytest.approx(cp_mv, abs=25)


@pytest.mark.parametrize(("name", "mv"), [("pp", 2000), ("pp_rail", 5000), ("temp_rail", 3300)])
def test_firmware_turns_the_dividers_round(circuit, name, mv):
    from inletctl.house import use_firmware

    use_firmware()
    from drivers.board_file import load

    multiplier, divisor, offset_mv = load(board_text("rp2040-reference")).scale(name)
    adc_mv = circuit.code(circuit.divided_mv(name, mv)) * 3300 // 4096
    assert adc_mv * multiplier // divisor + offset_mv == pytest.approx(mv, abs=10)


def test_adc_stops_at_its_ends(circuit):
    assert circuit.code(-5) == 0
    assert circuit.code(0) == 0
    assert circuit.code(3300) == 4095
    assert circuit.code(9999) == 4095


def test_channel_without_a_divider_is_direct(circuit):
    assert circuit.divided_mv("temp_0", 1234) == 1234
    assert circuit.divided_mv("reference", 2500) == 2500


def test_live_zero_of_the_current_converter(circuit):
    zero_mv, ma_per_mv = BOARD["ac_current"]["zero_mv"], BOARD["ac_current"]["ma_per_mv"]
    assert circuit.ac_current_mv(0) == zero_mv
    assert circuit.ac_current_mv(ma_per_mv * 100) == zero_mv + 100


@pytest.mark.parametrize(
    ("permits", "limit_ma", "share"),
    [
        (False, 32_000, 500),
        (True, 0, 1000),
        (True, 32_000, 4200),
        (True, 80_000, 9000),
        (True, 99_000, 9000),
        (True, 15_999, 2599),
    ],
)
def test_car_says_by_duty_what_it_wants(permits, limit_ma, share):
    assert demand_pct_x100(permits, limit_ma) == share


@pytest.mark.parametrize(
    ("share", "ma"),
    [
        (None, 0),
        (0, 0),
        (500, 0),
        (999, 0),
        (1000, 0),
        (1600, 6000),
        (4200, 32_000),
        (9000, 80_000),
        (9001, 0),
        (10_000, 0),
    ],
)
def test_charger_takes_nothing_from_a_duty_that_means_nothing(share, ma):
    assert charger_limit_ma(share) == ma


def edges_of(capture, start, end):
    """Walk the edges as the wiring does: (time, level) of every change."""
    found = [(start, pilot_bit(capture, start))]
    t = start
    while (following := next_pilot_edge(capture, t)) is not None and following < end:
        t = following
        bit = pilot_bit(capture, t)
        if bit != found[-1][1]:
            found.append((t, bit))
    return found


def test_pwm_gives_an_edge_at_its_exact_tenth_of_a_microsecond():
    capture = Capture()
    capture.link(0, (0, 0, 1))
    capture.send(Segment(123, 1, 10_000, 5333))
    assert edges_of(capture, 0, 21_000) == [
        (0, 0),
        (123, 1),
        (5456, 0),
        (10_123, 1),
        (15_456, 0),
        (20_123, 1),
    ]


def test_steady_pilot_has_no_edges():
    capture = Capture()
    capture.link(0, (0, 0, 1))
    capture.send(Segment(50, 1))
    assert edges_of(capture, 0, 10_000_000) == [(0, 0), (50, 1)]
    assert next_pilot_edge(capture, 60) is None


def test_edges_that_stay_below_the_threshold_are_none():
    capture = Capture()
    capture.link(0, (0, 0, 0))
    capture.send(Segment(0, 1, 10_000, 5000))
    assert edges_of(capture, 0, 100_000) == [(0, 0)]


def test_next_duty_begins_with_its_segment():
    capture = Capture()
    capture.link(0, (0, 0, 1))
    capture.send(Segment(0, 1, 10_000, 5000))
    capture.send(Segment(20_000, 1, 10_000, 1000))
    assert edges_of(capture, 12_000, 32_000) == [
        (12_000, 1),
        (15_000, 0),
        (20_000, 1),
        (21_000, 0),
        (30_000, 1),
        (31_000, 0),
    ]


def test_edges_are_those_that_the_plant_itself_measures():
    world = World(PlantConfig(evse_pwm_start_ms=10), 1)
    world.do("plug", cable_a=32)
    world.advance(200_000)
    capture = world.pilot.capture
    assert capture.segment_at(2_000_000).period_x10
    found = edges_of(capture, 2_000_000, 2_100_000)
    rises = [t for t, bit in found if bit][1:]
    falls = [t for t, bit in found[1:] if not bit]
    segment = capture.segment_at(2_000_000)
    assert {b - a for a, b in pairwise(rises)} == {segment.period_x10}
    assert {(f - r) % segment.period_x10 for r, f in zip(rises, falls)} == {segment.high_x10}
