"""Lines of a board made by hand, and a feed that plays them."""

import json

from drivers.virtual_layout import COMMANDS
from faults import SHUTDOWN
from inletctl.link.codec import Telemetry, seal
from inletctl.link.port import PortLost
from setting_rows import ROW_DEFAULT, ROW_NUMBER, TABLE
from vehicle.protocol import FLAGS, READINGS

DEFAULTS = {row[ROW_NUMBER]: row[ROW_DEFAULT] for row in TABLE}
CHARGING = {
    "s2_close": 1, "charger_ma": 16000, "session": 2, "pilot_state": 4, "lock_state": 9, "light": 3,
    "duty_pct_x100": 5333, "offered_ma": 32000, "permitted_ma": 16000, "limiter": 3, "hottest_decic": 651,
    "hottest_ok": 1,
}  # fmt: skip
UNPLUGGED = {"session": 0, "drive_allowed": 1, "reasons": 1, "lock_state": 3, "hottest_ok": 1}
# Type 2, 220 ohm: 32 A. NTC of 10 kohm at 3435 K under 10 kohm.
READY = {
    "pilot_count": 5, "pilot_high_us_x10": 5333, "pilot_period_us_x10": 10000, "cp_high_mv": 6020,
    "cp_low_mv": -11970, "pp_mv": 1906, "pp_rail_mv": 5000, "temp_mv_0": 804, "temp_mv_1": 1650,
    "temp_rail_mv": 3300, "lock_feedback_mv": 2860, "vehicle_limit_ma": 32000, "charger_ma": 15900,
}  # fmt: skip
READY_FLAGS = (
    "cp_ok", "pp_ok", "temp_ok_0", "temp_ok_1", "lock_feedback_ok", "vehicle_permits", "charger_ok",
    "ac_ok", "ac_present",
)  # fmt: skip


def commands(number, t_ms, late=0, **values):
    """Return a line of commands; what is not given is 0."""
    return Telemetry(t_ms, number, "commands", tuple(values.get(key, 0) for key in COMMANDS), late)


def readings(number, t_ms, flags=READY_FLAGS, **values):
    """Return a line of readings: those of a car that charges, but for what is given."""
    values = {**READY, **values, "flags": sum(1 << FLAGS.index(flag) for flag in flags)}
    return Telemetry(t_ms, number, "readings", tuple(values.get(key, 0) for key in READINGS), 0)


def reason(name):
    """Return the bit of a reason not to charge."""
    return 1 << [row[0] for row in SHUTDOWN].index(name)


class FakeFeed:
    """Keeps what it is asked."""

    def __init__(self):
        self.asked = []
        self.marks = []

    def ask(self, word, *numbers):
        self.asked.append((word, *numbers))

    def mark(self, text):
        self.marks.append(text)


class FakePort:
    """A board of a few lines: answers commands, says what it is told to, and goes when asked to.

    answers: word -> what follows `"re":ID,` in its answer; a word that is not in it gets `ok` without numbers, None
    none at all. `steps` are called one a read, when nothing else is to be said; after the last one the port is lost.
    """

    def __init__(self, *steps, answers=None):
        self.steps = list(steps)
        self.answers = answers or {}
        self.heard = []
        self.is_closed = False
        self._out = bytearray()

    def say(self, *lines):
        for line in lines:
            key = "c" if line.kind == "commands" else "r"
            body = {"t": line.t_ms, "n": line.number, key: line.values, "late": line.late}
            self._out += seal(body)

    def say_raw(self, data):
        self._out += data

    def write(self, data):
        for line in data.split(b"\n"):
            if line:
                told = json.loads(line)
                self.heard.append((told["do"], *told["a"]))
                self._answer(told)

    def _answer(self, told):
        word = told["do"]
        answer = {"ok": []}
        if word == "hello":
            answer = {"is": "rp2040 test-board 0011 abcdef"}
        elif word == "get":
            answer = {"ok": [told["a"][0], DEFAULTS[told["a"][0]], 1]}
        answer = self.answers.get(word, answer)
        if answer is not None:
            self._out += seal({"re": told["id"], **answer})

    def read(self, timeout_s):
        if not self._out:
            if not self.steps:
                raise PortLost("unplugged")
            self.steps.pop(0)(self)
        data, self._out = bytes(self._out), bytearray()
        return data

    def close(self):
        self.is_closed = True
