"""A board on the bench, made of the simulation: its serial port, a generator at its pilot, a person at its plug.

The firmware runs in a thread of its own that moves only while the port is read: so much of the block's time as the
reader has waited. Nobody sleeps, and nothing depends on how fast the machine is.
"""

import threading
from dataclasses import replace

from inletctl.errors import UserError
from inletctl.link.port import PortLost
from inletctl.link.wired import Wire, run_wired
from inletctl.plant.wave import Segment
from inletctl.scenario.arguments import parse_arguments
from inletctl.scenario.language import load_language
from inletctl.scenario.parse import parse_scenario
from inletctl.session import PASS_US, Session

SCENARIO = parse_scenario(
    "title a board for the bench\ninlet type2\nat 0s expect s2=open\nend 3600s\n"
)
STORED = {"inlet": 1, "max_current_ma": 16_000}


class Rig:
    """Clock, port and world of one board. `stored`: what it has stored; None is nothing."""

    def __init__(self, stored=STORED):
        self.wire = Wire(stored)
        self.session = Session(
            replace(SCENARIO, world={"inlet": "type2", "charger_max_a": 80, "contact_milliohm": 0})
        )
        self.world = self.session.world
        self.lost_at_s = None
        self.now_s = 0.0
        self._passes = 0  # that the firmware may still make
        self._may_run = threading.Semaphore(0)
        self._has_run = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._live, daemon=True)
        self._thread.start()
        self._has_run.acquire()
        # The charging station of the simulated world is out of the way: a generator is connected instead.
        self.world.evse.mode = "e"

    def clock(self):
        return self.now_s

    def _live(self):
        run_wired(self.session, self.wire, self._each_pass)

    def _each_pass(self, _board):
        self._passes -= 1
        if self._passes <= 0:
            self._has_run.release()
            self._may_run.acquire()

    # The port.

    def write(self, data):
        self._gone()
        self.wire.inbox.extend(data)

    def read(self, timeout_s):
        self._gone()
        if not self.wire.outbox:
            self._run(max(timeout_s, 0.0))
        data = bytes(self.wire.outbox)
        self.wire.outbox.clear()
        return data

    def close(self):
        pass

    def sleep(self, seconds):
        self._run(seconds)

    def _run(self, seconds):
        before = int(self.now_s * 1e6) // PASS_US
        self.now_s += seconds
        self._passes = int(self.now_s * 1e6) // PASS_US - before
        if self._passes > 0:
            self._may_run.release()
            self._has_run.acquire()

    def _gone(self):
        if self.lost_at_s is not None and self.now_s >= self.lost_at_s:
            raise PortLost("the cable was pulled")

    def do(self, words):
        """Carry out a verb as a scenario writes it."""
        name, *rest = words.split()
        verb = load_language().verbs[name]
        self.world.do(name, **dict(parse_arguments(verb, rest)))


class Source:
    """The generator. `skip`: raises SkippedError from there on; `fails_at`: its error queue fills at that call."""

    settle_us = 0
    duty_error_pct_x100 = 1
    sets_levels = True

    def __init__(self, rig, fails_at=None):
        self._rig = rig
        self.calls = []
        self._fails_at = fails_at
        self.is_closed = False

    def identity(self):
        return "made-up generator 1.0"

    def _call(self, *words):
        self.calls.append(words)
        if self._fails_at is not None and len(self.calls) > self._fails_at:
            raise UserError("The generator says -222, data out of range.", 1)

    def set(self, frequency_hz, duty_pct, high_mv, low_mv):
        self._call("set", frequency_hz, duty_pct, high_mv, low_mv)
        pilot = self._rig.world.pilot
        pilot.set_source(high_mv, low_mv)
        pilot.hz = frequency_hz
        pilot.generate_pwm(duty_pct)

    def steady(self, level_mv):
        self._call("steady", level_mv)
        pilot = self._rig.world.pilot
        pilot.has_pwm = False
        pilot.capture.send(Segment(self._rig.world.t_us * 10, (level_mv > 0) - (level_mv < 0)))

    def burst(self, lost, every, gap="low"):
        self._call("burst", lost, every, gap)
        self._rig.world.pilot.lost_cycles(lost, gap)

    def off(self):
        self.steady(0)

    def check(self):
        self._call("check")

    def close(self):
        self.is_closed = True


class Hand:
    """The person. `answers`: what is said to words that begin so, instead of done."""

    def __init__(self, rig, answers=None):
        self._rig = rig
        self.asked = []
        self._answers = answers or {}

    def ask(self, words):
        self.asked.append(words)
        for begin, answer in self._answers.items():
            if words.startswith(begin):
                return answer
        if words.startswith("press the unlock button"):
            self._rig.do("unlock")
            self._rig.sleep(5)
            self._rig.do("unplug")
        else:
            self._rig.do(words)
        return "done"
