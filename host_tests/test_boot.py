"""boot.py lets go of every pin before anything else; a missing pin does not stop it."""

import runpy
import sys
from types import SimpleNamespace

import pytest

from inletctl.house import FIRMWARE

# Pins an ESP32 needs to live: its flash (6..11; 26..32 on an S3) and its console (1, 3).
_ESP32_OWN_PINS = {1, 3, 6, 7, 8, 9, 10, 11}


class PinLog:
    """Stands for machine.Pin and lists what was made of it."""

    IN = 0
    PULL_DOWN = 2

    def __init__(self, missing=()):
        self.made = []
        self.pulls = {}
        self.missing = missing

    def __call__(self, number, mode, pull=None):
        if number in self.missing:
            raise ValueError("invalid pin")
        self.made.append((number, mode))
        self.pulls[number] = pull


@pytest.fixture
def pins(monkeypatch):
    """A fake `machine` whose pins are listed; drivers.safe_pins is loaded anew with it."""
    log = PinLog()
    monkeypatch.setitem(sys.modules, "machine", SimpleNamespace(Pin=log))
    monkeypatch.delitem(sys.modules, "drivers.safe_pins", raising=False)
    yield log
    sys.modules.pop("drivers.safe_pins", None)


def boot():
    runpy.run_path(str(FIRMWARE / "boot.py"), run_name="boot")


def release_all(*args):
    from drivers.safe_pins import release_all

    return release_all(*args)


def test_boot_on_rp2_makes_every_header_pin_an_input(pins, monkeypatch):
    monkeypatch.setattr(sys, "platform", "rp2")
    boot()
    assert sorted(pins.made) == [(n, PinLog.IN) for n in (*range(23), 26, 27, 28)]
    # Low where something could be energised, also where the board's own pull-down has come off.
    assert pins.pulls == {
        n: PinLog.PULL_DOWN if n < 26 else None for n in (*range(23), 26, 27, 28)
    }


@pytest.mark.parametrize("platform", ["webassembly", "linux", "unix"])
def test_boot_elsewhere_touches_no_hardware(pins, monkeypatch, platform):
    monkeypatch.setattr(sys, "platform", platform)
    boot()
    assert pins.made == []
    assert "drivers.safe_pins" not in sys.modules


def test_boot_on_esp32_leaves_flash_and_console_alone(pins, monkeypatch):
    """To make GPIO 6..11 an input takes the flash away from under the interpreter."""
    monkeypatch.setattr(sys, "platform", "esp32")
    boot()
    assert not _ESP32_OWN_PINS & {number for number, _ in pins.made}


def test_pin_the_chip_lacks_is_passed_over(pins):
    log = PinLog(missing=(0, 7, 28))
    log.IN = PinLog.IN
    assert release_all(log, (*range(23), 26, 27, 28)) == 23
    assert {number for number, _ in log.made} == {*range(23), 26, 27, 28} - {0, 7, 28}


def test_any_other_failure_is_not_hidden(pins):
    def broken(number, mode):
        raise OSError("no such bus")

    with pytest.raises(OSError, match="no such bus"):
        release_all(broken, (3, 4))


def test_given_pins_are_released(pins):
    log = PinLog()
    assert release_all(log, (3, 4)) == 2
    assert log.made == [(3, PinLog.IN), (4, PinLog.IN)]
