"""vehicle.wires.Wires: what each discrete input asks for, when it is believed, and what the outputs show."""

import random
from itertools import product

import pytest

from faults import H_CRASH, H_HVIL, H_INSULATION, H_LINES, H_NOT_PARKED, H_VEHICLE_WIRE
from signals import Commands
from vehicle import wires as w
from vehicle.wires import Wires

ALL = 0x7F
HOLD_OF = {
    w.PERMIT: H_VEHICLE_WIRE,
    w.HVIL_CLOSED: H_HVIL,
    w.INSULATION_OK: H_INSULATION,
    w.NO_CRASH: H_CRASH,
    w.DOOR_CLOSED: 0,
    w.DOOR_OPEN: 0,
    w.PARKED: H_NOT_PARKED,
}


def feed(wires, inputs, passes=1, is_ok=True):
    """Return the holds after so many equal passes."""
    for _ in range(passes):
        holds = wires.fill(is_ok, inputs)
        assert holds == wires.holds
    return holds


def settled(used=ALL, inputs=ALL):
    wires = Wires(used)
    feed(wires, inputs, 10)
    assert wires.is_read
    return wires


def test_the_bits_are_the_drivers():
    """Two files name them, since drivers import nothing of this room."""
    from drivers import mcp23s17

    for name in ("PERMIT", "HVIL_CLOSED", "INSULATION_OK", "NO_CRASH", "DOOR_CLOSED", "DOOR_OPEN", "PARKED",
                 "CHARGE_ENABLE", "PLUG_PRESENT", "DRIVE_INHIBIT", "HEATER", "OPEN_DOOR", "CLOSE_DOOR"):  # fmt: skip
        assert getattr(w, name) == getattr(mcp23s17, name), name


def test_before_they_are_read_they_ask_for_lines_and_nothing_else():
    wires = Wires(ALL)
    assert wires.holds == H_LINES and not wires.is_read
    assert feed(wires, 0, 9) == H_LINES
    assert feed(wires, 0) == sum(HOLD_OF.values())


def test_first_readings_count_once_they_stand_still():
    wires = Wires(ALL)
    for _ in range(20):
        assert feed(wires, ALL, 5) == H_LINES
        assert feed(wires, ALL ^ w.PERMIT, 5) == H_LINES
    assert feed(wires, ALL, 10) == 0


@pytest.mark.parametrize("bit", HOLD_OF)
def test_a_line_that_falls_asks_for_its_hold_in_the_same_pass_and_a_crash_in_the_fifth(bit):
    wires = settled()
    passes = 5 if bit == w.NO_CRASH else 1
    if passes > 1:
        assert feed(wires, ALL ^ bit, passes - 1) == 0
    assert feed(wires, ALL ^ bit) == HOLD_OF[bit]
    assert wires.inputs == ALL ^ bit


@pytest.mark.parametrize("bit", HOLD_OF)
def test_a_line_counts_as_good_again_after_ten_passes_in_a_row(bit):
    wires = settled(inputs=ALL ^ bit)
    assert feed(wires, ALL, 9) == HOLD_OF[bit]
    feed(wires, ALL ^ bit)
    assert feed(wires, ALL, 9) == HOLD_OF[bit]
    assert feed(wires, ALL) == 0 and wires.inputs == ALL


def test_a_crash_line_that_bounces_is_no_crash():
    wires = settled()
    for _ in range(50):
        assert feed(wires, ALL ^ w.NO_CRASH, 4) == 0
        assert feed(wires, ALL) == 0


@pytest.mark.parametrize("bit", HOLD_OF)
def test_a_line_that_is_not_fitted_asks_for_nothing(bit):
    wires = settled(ALL ^ bit, ALL)
    assert feed(wires, ALL ^ bit, 50) == 0
    assert not wires.inputs & bit


def test_every_set_of_lines_asks_for_exactly_its_holds():
    for used, inputs in product(range(0, 128, 5), range(128)):
        wires = settled(used, inputs)
        holds = 0
        for bit, hold in HOLD_OF.items():
            if used & bit and not inputs & bit:
                holds |= hold
        assert wires.holds == holds and wires.inputs == inputs & used


def test_lines_that_cannot_be_read_are_bridged_for_two_passes():
    wires = settled()
    assert feed(wires, 0, 2, is_ok=False) == 0 and wires.is_read
    assert feed(wires, ALL) == 0
    assert feed(wires, 0, 2, is_ok=False) == 0
    assert feed(wires, 0, 1, is_ok=False) == H_LINES and not wires.is_read


def test_a_blind_chip_reports_no_crash_and_takes_back_what_it_cannot_know():
    wires = settled(inputs=ALL ^ w.PERMIT)
    assert feed(wires, 0, 100, is_ok=False) == H_LINES
    assert feed(wires, ALL, 9) == H_LINES
    assert feed(wires, ALL) == 0


def test_without_fitted_lines_a_blind_chip_is_no_hold():
    wires = Wires(0)
    assert feed(wires, 0, 50, is_ok=False) == 0
    assert feed(wires, 0, 50) == 0


def commands(**values):
    made = Commands()
    for name, value in values.items():
        setattr(made, name, value)
    return made


def test_before_any_decision_the_plug_is_present_and_driving_inhibited():
    assert Wires(0).outputs(Commands(), False, 0) == w.OUTPUTS_AT_START


def test_outputs_show_what_was_decided():
    for s2, ma, plug, drive, heat, door in product(
        (False, True), (0, 1, 32000), (False, True), (False, True), (False, True), (-1, 0, 1)
    ):
        made = commands(s2_close=s2, charger_ma=ma, plug_present=plug, drive_allowed=drive)
        mask = Wires(0).outputs(made, heat, door)
        assert bool(mask & w.CHARGE_ENABLE) == (s2 and ma > 0)
        assert bool(mask & w.PLUG_PRESENT) == plug
        assert bool(mask & w.DRIVE_INHIBIT) != drive
        assert bool(mask & w.HEATER) == heat
        assert bool(mask & w.OPEN_DOOR) == (door > 0)
        assert bool(mask & w.CLOSE_DOOR) == (door < 0)
        assert not mask & ~0x3F


def test_for_any_input_a_false_line_is_never_forgotten():
    seed = random.randrange(1 << 30)
    print("seed", seed)
    rng = random.Random(seed)
    told = 0
    for _ in range(100):
        used = rng.randrange(128)
        wires = Wires(used)
        false_for = [0] * 7
        blind = 3
        inputs = ALL
        for _ in range(200):
            is_ok = rng.random() < 0.95
            if rng.random() < 0.4:
                inputs ^= 1 << rng.randrange(7)
            holds = wires.fill(is_ok, inputs)
            blind = 0 if is_ok else blind + 1
            for n in range(7):
                if is_ok:
                    false_for[n] = 0 if inputs >> n & 1 else false_for[n] + 1
                needed = 5 if 1 << n == w.NO_CRASH else 1
                if used >> n & 1 and HOLD_OF[1 << n] and false_for[n] >= needed:
                    told += 1
                    assert holds & (HOLD_OF[1 << n] | H_LINES)
            if used and blind >= 3:
                assert holds == H_LINES
            assert used or not holds
    assert told > 10_000
