"""A made-up session for the tests of recorder, writers and live view: no firmware, no plant, plausible curves."""

import math
import random

from faults import FAULT_WHAT, FAULTS, HOLD_WHAT, HOLDS, ROW_WHAT, SHUTDOWN
from inletctl.record import Names, Recorder
from inletctl.report.meta import Expectation, SessionMeta
from signals import Commands, Readings

NAMES = Names(
    pilot=("A", "B1", "B2", "C1", "C2", "D1", "D2", "E", "F", "?"),
    session=("unplugged", "waiting", "charging", "stopping", "resting", "released"),
    limiter=("none", "pilot", "cable", "temperature", "setting", "vehicle", "lock"),
    lock=("unknown", "unlocked", "locking", "locked", "unlocking", "cooling", "failed"),
    light=(
        "dark",
        "blue steady",
        "amber slow",
        "green pulsing",
        "green-amber pulsing",
        "blue slow",
        "white steady",
        "red flashing",
    ),
    reasons=tuple((row[0], row[ROW_WHAT]) for row in SHUTDOWN),
    faults=tuple((row[0], row[FAULT_WHAT]) for row in FAULTS),
    holds=tuple((row[0], row[HOLD_WHAT]) for row in HOLDS),
)
NO_PLUG = 1 << 0
TEMP_SENSOR = 1 << 10
PERSON_STOP = 1 << 16
NOT_LOCKED = 1 << 18
PILOT_STEADY = 1 << 21
F_TEMP_OPEN = 1 << 9


class World:
    """The truth a recorder reads from the virtual inlet."""

    def __init__(self):
        self.evse_state = "A"
        self.evse_duty_pct_x100 = 10000
        self.contactor_closed = False
        self.charger_ma = 0
        self.contact_decic = [250, 250, 250, 250]
        self.lock_travel_pct = 0
        self.plugged = False
        self.cp_mv = 12000
        self.heater_on = False
        self.dc_mv = self.dc_ma = 0
        self.soc_pct = 50.0


class Session:
    """Scenes of a charge over `length_s` >= 120 s; call `step` with rising times."""

    def __init__(self, length_s=300, seed=1):
        self.length_s = length_s
        self.random = random.Random(seed)
        self.readings = Readings()
        self.commands = Commands()
        self.world = World()
        self.readings.ac_ok = self.readings.cp_ok = self.readings.pp_ok = True
        self.commands.hottest_ok = True
        self._heat = 0.0

    def at(self, share):
        """Return the time in s at this share of the session."""
        return self.length_s * share

    def step(self, t_us):
        """Put readings, commands and world to where they are at `t_us`."""
        t = t_us / 1e6
        readings, commands, world = self.readings, self.commands, self.world
        at = self.at
        plugged = 5 <= t < at(0.97)
        locked = 6.5 <= t < at(0.95)
        paused = at(0.75) <= t < at(0.82)
        broken = at(0.64) <= t < at(0.68)
        stopped = t >= at(0.93)
        on = 9 <= t and not (paused or stopped or broken)
        offer_ma = (32000 if t < at(0.58) else 16000) if plugged and not paused and t > 7 else 0
        self._warm(t, world.charger_ma)
        hot = max(world.contact_decic)
        heat_ma = 32000 if hot <= 600 else max(0, 32000 - (hot - 600) * 64)
        commands.offered_ma = offer_ma
        commands.permitted_ma = min(offer_ma, heat_ma)
        commands.limiter = 3 if heat_ma < offer_ma else 1 if offer_ma else 0
        commands.charger_ma = commands.permitted_ma if on and t > 9.3 else 0
        world.charger_ma += max(-600, min(60, commands.charger_ma - world.charger_ma))
        commands.s2_close = on or (commands.s2_close and world.charger_ma > 1000)
        world.contactor_closed = commands.s2_close and 9.1 <= t
        readings.ac_present = world.contactor_closed
        world.plugged = plugged
        world.lock_travel_pct = int(
            max(0, min(1, (t - 6) / 0.5, 1 - (t - at(0.95)) / 0.5)) * 100 if plugged else 0
        )
        moving = 0 < world.lock_travel_pct < 100
        commands.lock_drive = (1 if t < at(0.5) else -1) if moving else 0
        commands.lock_state = (
            (2 if t < at(0.5) else 4) if moving else 3 if world.lock_travel_pct == 100 else 1
        )
        pwm = offer_ma > 0
        commands.pilot_state = (
            0 if not plugged else (4 if pwm else 3) if commands.s2_close else 2 if pwm else 1
        )
        world.evse_state = NAMES.pilot[commands.pilot_state]
        world.evse_duty_pct_x100 = round(offer_ma / 6) if pwm else 10000
        commands.duty_pct_x100 = world.evse_duty_pct_x100 + self.random.randint(-1, 1)
        noise_mv = self.random.randint(-25, 25)
        readings.cp_high_mv = (12000, 9000, 9000, 6000, 6000)[commands.pilot_state] + noise_mv
        readings.cp_low_mv = -12000 + noise_mv if pwm else readings.cp_high_mv
        readings.pp_mv = 1500 if plugged else 4450
        commands.reasons = (
            (0 if plugged else NO_PLUG)
            | (0 if locked else NOT_LOCKED)
            | (PILOT_STEADY if paused else 0)
            | (PERSON_STOP if stopped and plugged else 0)
            | (TEMP_SENSOR if broken else 0)
        )
        commands.faults = F_TEMP_OPEN if broken else 0
        readings.stop_request = stopped and plugged
        readings.vehicle_permits = True
        commands.session = (
            0
            if not plugged
            else 5
            if t >= at(0.95)
            else 2
            if on
            else 3
            if commands.s2_close
            else 1
        )
        commands.light = (
            7 if broken else 0 if not plugged else 2 if paused else 6 if t >= at(0.95)
            else (4 if commands.limiter == 3 else 3) if on else 1
        )  # fmt: skip
        commands.drive_allowed = not plugged
        commands.hottest_decic = hot + self.random.randint(-3, 3)

    def _warm(self, t, charger_ma):
        worn = t > self.at(0.2)
        amps = charger_ma / 1000
        target = amps * amps * (0.052 if worn else 0.018)
        self._heat += (target - self._heat) * 0.01 / (0.1 * self.length_s)
        ambient = 240 + 10 * math.sin(t / 40)
        decic = self.world.contact_decic
        decic[0] = int(ambient + self._heat * 10)
        decic[1] = int(ambient + self._heat * 4)


def record(length_s=300, seed=1, start_us=0):
    """Return a Recorder that has seen a whole session, and its Session."""
    session = Session(length_s, seed)
    recorder = Recorder(NAMES)
    verbs = {
        5: "plug cable_a=32", session.at(0.2): "wear contact=ac_l milliohm=3",
        session.at(0.58): "offer 16A", session.at(0.64): "break sensor=ac_l",
        session.at(0.75): "pause", session.at(0.82): "resume",
        session.at(0.93): "stop", session.at(0.97): "unplug",
    }  # fmt: skip
    verbs = {round(t_s * 100): text for t_s, text in verbs.items()}
    for n in range(round(length_s * 100) + 1):
        t_us = start_us + n * 10_000
        if n in verbs:
            recorder.event(t_us, verbs[n])
        session.step(n * 10_000)
        recorder.row(t_us, session.readings, session.commands, session.world)
    recorder.finish()
    return recorder, session


def meta(length_s=300, **changes):
    """Return what the scenario runner would say about the session."""
    given = {
        "title": "A worn contact heats up",
        "scenario": "scenarios/demo.txt",
        "target": "CPython 3.11",
        "inlet": "type2",
        "firmware_hash": "8f3a52c1d09b",
        "seed": 7,
        "clock_start_ms": 1073741774,
        "command": "inletctl sim scenarios/demo.txt --seed 7",
        "length_us": length_s * 1_000_000,
        "contacts": ("AC L", "AC N", None, None),
        "expectations": [
            Expectation("session=charging s2=closed", "pass", 10_000_000, "true from 9.01 s", 5),
            Expectation("within 50 ms s2=open", "pass", 192_018_000, "open after 18 ms", 9, 18, 50),
            Expectation("within 20 ms charger_ma=0", "pass", 225_020_000, "0 A after 10 ms", 12, 10, 20),
        ],
    }  # fmt: skip
    return SessionMeta(**(given | changes))
