"""The emulated board as a port, over a chip that only counts time: no image, nothing is emulated."""

import pytest

from inletctl.house import ROOT
from inletctl.monitor import emu_port
from inletctl.monitor.emu_port import EmuPort
from inletctl.scenario.load import read_scenario


class Chip:
    """Time, and what was done to it."""

    def __init__(self):
        self.now_ns = 0
        self.on_reset = []
        self.slices = []
        self.held_ms = []
        self.each = lambda now_ns: None

    @property
    def mcu(self):
        return type("Mcu", (), {"usb_ctrl": None})

    def run_until(self, t_ns):
        self.slices.append(t_ns - self.now_ns)
        self.now_ns = t_ns
        self.each(t_ns)

    def hold(self, off_ns):
        self.held_ms.append(off_ns // 1_000_000)


class Console:
    """The USB console: what was sent, and a way to speak."""

    def __init__(self, usb, on_bytes):
        self.say = on_bytes
        self.sent = b""

    def send(self, data):
        self.sent += data


class Wiring:
    """Only the calls into the port."""

    def __init__(self, chip, world, board, on_time, next_due_us):
        self.world = world
        self.on_time = on_time
        self.next_due_us = next_due_us
        self.reads = 0

    def read_outputs(self):
        self.reads += 1


@pytest.fixture
def port(monkeypatch, tmp_path):
    monkeypatch.setattr(emu_port, "Console", Console)
    monkeypatch.setattr(emu_port, "Wiring", Wiring)
    path = tmp_path / "a.txt"
    path.write_text(
        "title t\ninlet type2\nat 100ms plug 32A\nat 200ms reset 300ms\nend 1s\n", "ascii"
    )
    return EmuPort(read_scenario(path), Chip(), {})


def test_reading_runs_the_chip_until_it_speaks(port):
    port._chip.each = lambda now_ns: port._console.say(b"hello") if now_ns >= 1_000_000 else None
    assert port.read(1.0) == b"hello"
    assert port.clock() == pytest.approx(0.001, abs=0.0003)


def test_reading_ends_at_its_time_of_the_board(port):
    assert port.read(0.002) == b""
    assert port.clock() == 0.002


def test_reading_ends_early_where_the_host_has_waited_long_enough(port, monkeypatch):
    now = iter(range(100))
    monkeypatch.setattr(emu_port.time, "monotonic", lambda: next(now))
    assert port.read(60.0) == b""
    assert port.clock() < 0.001


def test_what_is_written_is_typed(port):
    port.write(b"line\n")
    assert port._console.sent == b"line\n"


def test_scenario_moves_the_world_and_resets_the_chip(port):
    wiring = port._wiring
    wiring.on_time(50_000)
    assert not wiring.world.plugged
    wiring.on_time(150_000)
    wiring.world.advance(150_000)
    assert wiring.world.plugged
    wiring.on_time(200_000)
    assert port._chip.held_ms == [300]
    for word in ("held", "boot", "watchdog"):
        port._chip.on_reset[0](word)
    assert wiring.reads == 2
    assert wiring.next_due_us() > 10**9


def test_default_scenario_is_one_that_can_be_emulated():
    assert (ROOT / "inletctl/emu/scenarios" / (emu_port.DEFAULT_SCENARIO + ".txt")).exists()
