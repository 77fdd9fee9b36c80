"""What the chip drivers are handed in tests: pins, converters and a board file, all made of plain Python."""

import sys
from types import SimpleNamespace

import micropython

from drivers.board_data import BoardData

REFERENCE_MUX = {
    "ground": 0,
    "pp": 1,
    "pp_rail": 2,
    "temp_rail": 3,
    "temp_0": 4,
    "temp_1": 5,
    "temp_2": 6,
    "temp_3": 12,
    "lock_feedback": 8,
    "ac_current": 9,
    "supply": 10,
    "reference": 15,
}
# Good values in mV at the ADC, by channel.
GOOD_MV = {
    0: 2,
    1: 1140,
    2: 3000,
    3: 1650,
    4: 900,
    5: 910,
    6: 920,
    12: 930,
    8: 348,
    9: 680,
    10: 1566,
    15: 2500,
}
_SCALES = {
    "cp": (9983, 1000, -16473),
    "pp": (5, 3, 0),
    "pp_rail": (5, 3, 0),
    "temp_rail": (2, 1, 0),
    "lock_feedback": (5, 3, 0),
    "supply": (23, 3, 0),
}
_GPIO = {
    "pilot": 2,
    "s2": 3,
    "bridge_enable": 4,
    "bridge_direction": 5,
    "bridge_wake": 6,
    "mux_0": 8,
    "mux_1": 9,
    "mux_2": 10,
    "mux_3": 11,
    "demand": 12,
    "ac_sense": 13,
    "stop_button": 14,
    "unlock_button": 15,
    "drive_allowed": 20,
    "charger_limit": 21,
    "light_red": 0,
    "light_green": 1,
    "light_blue": 7,
    "adc_cp": 26,
    "adc_mux": 27,
    "adc_motor": 28,
}
_ACTIVE_LOW = ("ac_sense", "stop_button", "unlock_button")


def board_file(**changes):
    """Return what drivers.board_file makes of the reference board, with some attributes changed."""
    made = SimpleNamespace(
        name="rp2040-reference",
        chip="rp2040",
        adc_ref_mv=3300,
        watchdog_ms=1000,
        pins={
            name: SimpleNamespace(
                gpio=gpio,
                is_inverted=name in _ACTIVE_LOW,
                pull="up" if name in _ACTIVE_LOW else "none",
            )
            for name, gpio in _GPIO.items()
        },
        mux=dict(REFERENCE_MUX),
        mux_grounds=(0, 7, 11, 13, 14),
        reference_mv=2500,
        ac_zero_mv=200,
        ac_ma_per_mv=30,
        motor_ma_per_mv=2,
        motor_pwm_32nds=24,
        strip=None,
        spi=None,
        can=None,
        lines=None,
        scale=lambda name: _SCALES.get(name, (1, 1, 0)),
    )
    for name, value in changes.items():
        setattr(made, name, value)
    made.trim = lambda: BoardData.trim(made)  # type: ignore[arg-type]
    return made


class FakePin:
    """One GPIO: its mode, what it drives, what it sees. `log` lists every call, shared by the pins of a board."""

    IN, OUT, PULL_UP, PULL_DOWN = 0, 1, 1, 2

    def __init__(self, number=0, mode=0, pull=None, log=None):
        self.number = number
        self.mode = mode
        self.pull = pull
        self.level = 0
        self.log = [] if log is None else log

    def init(self, mode, pull=None, value=None):
        self.mode = mode
        self.pull = pull
        if value is not None:
            self.level = value
        self.log.append((self.number, "out" if mode else "in", value))

    def __call__(self, level=None):
        if level is None:
            return self.level
        self.level = level
        self.log.append((self.number, "level", level))
        return None


class FakePWM:
    """A PWM channel that lists its duties."""

    def __init__(self, pin=None, freq=0, duty_u16=0, invert=False):
        self.pin = pin
        self.freq = freq
        self.invert = invert
        self.duties = [duty_u16]
        self.is_on = True

    def duty_u16(self, duty):
        self.duties.append(duty)

    def deinit(self):
        self.is_on = False


class FakeDeadMan:
    """Lists what it was fed."""

    def __init__(self):
        self.fed = []
        self.is_released = False

    def feed(self, on):
        self.fed.append(on)

    def release(self):
        self.is_released = True


class FakeConsole:
    """What `select` and the console's two streams are made of; `install` puts it in their places."""

    POLLIN, POLLOUT = 1, 4

    def __init__(self):
        self.typed = bytearray()  # what the board may hear
        self.said = bytearray()
        self.has_room = True  # for what the board says
        self.interrupt = 3  # the byte that interrupts, -1 none
        self.on_look = None  # called at each look at a stream: looking takes time

    def install(self, monkeypatch):
        buffer = SimpleNamespace(write=self.said.extend, readinto=self._read_into)
        stream = SimpleNamespace(
            buffer=buffer, write=lambda words: self.said.extend(words.encode())
        )
        monkeypatch.setattr(sys, "stdin", stream)
        monkeypatch.setattr(sys, "stdout", stream)
        monkeypatch.setattr(micropython, "kbd_intr", self._kbd_intr)
        select = SimpleNamespace(
            poll=lambda: FakePoll(self), POLLIN=self.POLLIN, POLLOUT=self.POLLOUT
        )
        monkeypatch.setitem(sys.modules, "select", select)

    def _kbd_intr(self, byte):
        self.interrupt = byte

    def _read_into(self, room):
        assert self.typed, "it would wait for ever"
        room[0] = self.typed.pop(0)
        return 1


class FakePoll:
    def __init__(self, console):
        self._console = console

    def register(self, stream, event):
        self._event = event

    def ipoll(self, timeout):
        assert timeout == 0, "must not wait"
        console = self._console
        if console.on_look is not None:
            console.on_look()
        is_so = console.typed if self._event == console.POLLIN else console.has_room
        return iter([(None, self._event)] if is_so else [])
