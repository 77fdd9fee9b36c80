"""The emulated RP2040 with a real MicroPython: pins, ADC, serial port, watchdog. Needs an image."""

import json
import os
from pathlib import Path

import pytest

from inletctl.emu.chip import Chip
from inletctl.emu.console import Console
from inletctl.emu.flash_image import board_text, make_flash, read_flash
from inletctl.emu.image import VARIABLE, read_image
from inletctl.emu.session import EmuSession
from inletctl.errors import UserError
from inletctl.link.codec import LineSorter
from inletctl.measure.speed import measure_speed
from inletctl.scenario.parse import parse_scenario

pytestmark = [
    pytest.mark.emulator,
    pytest.mark.skipif(
        not os.environ.get(VARIABLE),
        reason=(
            "no MicroPython image: set %s to a UF2 for the Pico, then make unit ARGS='-m emulator'"
            % VARIABLE
        ),
    ),
]

BOARD = json.loads(board_text("rp2040-reference"))
MS = 1_000_000


@pytest.fixture(scope="module")
def image():
    return read_image(Path(os.environ[VARIABLE]))


def chip_with(image, main, **files):
    return Chip(image, make_flash({"main.py": main.encode(), **files}, image.layout))


def run_until_said(chip, lines, word, most_ms=300):
    while not any(word in said for said in lines.words):
        assert chip.now_ns < most_ms * MS, lines.words
        chip.run_until(chip.now_ns + 2 * MS)


def test_board_is_heard_and_spoken_to_without_an_interrupt_storm(image):
    main = """
import sys, time
n = 0
t = time.ticks_us()
while time.ticks_diff(time.ticks_us(), t) < 20000:
    n += 1
print("loops", n)
print("got", sys.stdin.readline())
"""
    chip = chip_with(image, main)
    lines = LineSorter()
    console = Console(chip.mcu.usb_ctrl, lines.feed)
    run_until_said(chip, lines, "loops")
    # Without a host it is 1190 in the same time; a storm leaves a few.
    (said,) = [line for line in lines.words if line.startswith("loops")]
    assert int(said.split()[1]) > 800
    console.send(b"hello\r\n")
    run_until_said(chip, lines, "got hello")


def test_watchdog_resets_the_chip_and_is_counted(image):
    main = """
import machine
machine.WDT(timeout=30)
while True:
    pass
"""
    chip = chip_with(image, main)
    lines = LineSorter()
    Console(chip.mcu.usb_ctrl, lines.feed)
    told = []
    chip.on_reset.append(told.append)
    # 8 ms to main.py, 30 ms to the reset, and again.
    chip.run_until(100 * MS)
    assert told == ["watchdog", "watchdog"]
    first_ns, second_ns = chip.watchdog_ns
    assert 30 * MS < first_ns < 50 * MS
    assert second_ns - first_ns == pytest.approx(first_ns, abs=MS)
    assert chip.boot_ns == second_ns


def test_chip_held_in_reset_lets_go_of_its_pins_and_boots_anew(image):
    main = """
from machine import Pin
Pin(3, Pin.OUT, value=1)
with open("x", "w") as file:
    file.write("1")
while True:
    pass
"""
    chip = chip_with(image, main)
    levels = []
    chip.listen(3, levels.append)
    while not chip.is_high(3):
        chip.run_until(chip.now_ns + MS)
        assert chip.now_ns < 200 * MS
    chip.run_until(chip.now_ns + 60 * MS)
    began_ns = chip.now_ns
    chip.hold(50 * MS)
    assert chip.is_held
    assert not chip.is_high(3)
    assert levels[-1] is False
    chip.run_until(began_ns + 49 * MS)
    assert chip.is_held
    chip.run_until(began_ns + 100 * MS)
    assert not chip.is_held
    assert chip.boot_ns == pytest.approx(began_ns + 50 * MS, abs=1000)
    assert chip.is_high(3)
    assert read_flash(chip.file_system(), image.layout)["x"] == b"1"


WIRED = """
import machine, time
from machine import ADC, PWM, Pin
mux = [Pin(n, Pin.OUT) for n in (8, 9, 10, 11)]
inlet = ADC(27)
def read(channel):
    for n in range(4):
        mux[n](channel >> n & 1)
    return inlet.read_u16() * 3300 >> 16
print("mux", [read(n) for n in (0, 1, 2, 3, 4, 9, 15)])
limit = PWM(Pin(21), freq=1000, duty_u16=65535 * 30 // 100)
s2 = Pin(3, Pin.OUT, value=0)
wake = Pin(6, Pin.OUT, value=1)
direction = Pin(5, Pin.OUT, value=1)
enable = Pin(4, Pin.OUT, value=0)
pilot = Pin(2, Pin.IN)
time.sleep_ms(15)
s2(1)
enable(1)
print("high", machine.time_pulse_us(pilot, 1, 3000), machine.time_pulse_us(pilot, 1, 3000))
s2(0)
enable(0)
level = ADC(26)
codes = [level.read_u16() >> 4 for n in range(150)]
print("level", min(codes), max(codes), Pin(14, Pin.IN)(), Pin(15, Pin.IN)())
1 / 0
"""


def test_virtual_inlet_is_at_the_pins(image):
    """One run: it takes seconds. Levels, edges, buttons in; S2, bridge and limit out; and how it ends."""
    scenario = parse_scenario(
        "title x\ninlet type2\nworld start_plugged=yes evse_pwm_start_ms=5 evse_debounce_ms=1\n"
        "at 10ms stop\nend +400ms\n"
    )
    session = EmuSession(scenario, chip_with(image, WIRED), BOARD)
    commanded = set()

    def output(t_us):
        commanded.add(session.wiring.outputs.charger_ma)
        session._output(t_us)

    session.wiring.on_output = output
    with pytest.raises(
        UserError, match=r"the firmware ended on the emulated board.*ZeroDivisionError"
    ):
        session.run_to_end()
    said = {line.split()[0]: line for line in session.lines.words}
    ground, pp, rail, temp_rail, temp, current, reference = json.loads(said["mux"][4:])
    assert ground == 0
    assert pp == pytest.approx(session.world.proximity.mv * 0.6, abs=4)
    assert rail == pytest.approx(3000, abs=4)
    assert temp_rail == pytest.approx(1650, abs=4)
    assert temp == pytest.approx(session.world.contacts.mv[0], abs=4)
    assert current == pytest.approx(200, abs=4)
    assert reference == pytest.approx(2500, abs=4)
    # 53.3 % of 1 ms; the first may be the rest of one.
    assert 529 <= int(said["high"].split()[-1]) <= 537
    circuit = session.wiring.circuit
    low, high, stop, unlock = (int(word) for word in said["level"].split()[1:])
    assert low == pytest.approx(circuit.code(circuit.cp_pin_mv(-12_000)), abs=3)
    assert high == pytest.approx(circuit.code(circuit.cp_pin_mv(session.world.cp_mv)), abs=3)
    assert (stop, unlock) == (0, 1)
    assert {name for _t, name, _value in session.pin_changes} == {"s2_close", "lock_drive"}
    drives = [(t_us, value) for t_us, name, value in session.pin_changes if name == "lock_drive"]
    closings = [(t_us, value) for t_us, name, value in session.pin_changes if name == "s2_close"]
    assert [value for _t, value in drives] == [1, 0]
    assert [value for _t, value in closings] == [1, 0]
    # The bridge's carrier counts as off 100 us after its last high.
    assert 90 <= drives[1][0] - closings[1][0] <= 250
    assert session.world.lock.travel_pct > 0
    assert any(19_900 <= ma <= 20_000 for ma in commanded)


def test_the_emulated_chip_runs_micropython_about_as_fast_as_a_pico(image):
    told = []
    speed = measure_speed(image, told.append)
    assert speed["is_alike"] and len(told) == len(speed["loops"])
