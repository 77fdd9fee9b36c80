"""A lock on the bench for the tests of firmware/lock: a bolt, its feedback, and a clock."""

import faults
from lock.actuator import HOLD, LOCK, LOCK_STATE_NAMES, UNLOCK, LockActuator
from lock.params import (
    FEEDBACK_ANALOG,
    FEEDBACK_NONE,
    FEEDBACK_SWITCH,
    MOTOR,
    SOLENOID,
    LockParams,
)

__all__ = [
    "FEEDBACK_ANALOG",
    "FEEDBACK_NONE",
    "FEEDBACK_SWITCH",
    "HOLD",
    "LOCK",
    "MOTOR",
    "SOLENOID",
    "UNLOCK",
    "Bolt",
    "LockParams",
    "Rig",
]

UNLOCKED_MV = 580
LOCKED_MV = 2860
BETWEEN_MV = 1500
LOCK_FAULTS = faults.F_LOCK_REVERSED * 2 - faults.F_FAILED_LOCK  # the six bits between
RUN_MA = 250
STALL_MA = 2400


class Bolt:
    """Travel in 1/1000, 0 open .. 1000 shut, moved by the bridge or by hand."""

    def __init__(self, at=0, travel_ms=300, wired=1, is_switch=False):
        self.at = at
        self.travel_ms = travel_ms
        self.wired = wired
        self.is_switch = is_switch
        self.low, self.high = 0, 1000  # end stops
        self.is_dead = False  # wire off: no movement, no current
        self.ok = True
        self.forced_mv = None

    @property
    def is_in_locked_window(self):
        """What feedback that tells the truth would call locked."""
        return self.at >= (900 if self.is_switch else 950)

    def move(self, drive, ms):
        """Let the bridge drive for `ms`; return the motor's current in mA."""
        way = drive * self.wired
        if not way or self.is_dead:
            return 0
        before = self.at
        step = ms * 1000 // self.travel_ms
        if way > 0:
            self.at = max(min(self.at + step, self.high), self.at)
        else:
            self.at = min(max(self.at - step, self.low), self.at)
        return RUN_MA if self.at != before else STALL_MA

    def mv(self):
        if self.forced_mv is not None:
            return self.forced_mv
        if self.is_in_locked_window:
            return 20 if self.is_switch else LOCKED_MV
        if self.is_switch:
            return 3300
        return UNLOCKED_MV if self.at <= 50 else BETWEEN_MV


class Rig:
    """Actuator and bolt together, ticked every 10 ms from `t0`."""

    def __init__(self, t0=0, bolt=None, has_current=True, **params):
        self.params = LockParams(**params)
        self.lock = LockActuator(self.params)
        self.bolt = bolt or Bolt(is_switch=self.params.feedback == FEEDBACK_SWITCH)
        self.has_current = has_current
        self.now_ms = t0
        self.elapsed_ms = 0
        self.request = HOLD
        self.may = True
        self.motor_ma = 0
        self.watch = None  # called after each tick
        self.states = []  # names, each change once
        self.drives = []  # (elapsed ms, drive), each change once

    def step(self, pass_ms=10):
        lock = self.lock
        self.motor_ma = self.bolt.move(lock.drive, pass_ms)
        self.now_ms = (self.now_ms + pass_ms) & 0x3FFFFFFF
        self.elapsed_ms += pass_ms
        lock.tick(
            self.now_ms,
            self.request,
            self.may,
            self.bolt.ok,
            self.bolt.mv(),
            self.motor_ma if self.has_current else 0,
        )
        name = LOCK_STATE_NAMES[lock.state]
        if not self.states or self.states[-1] != name:
            self.states.append(name)
        if (self.drives[-1][1] if self.drives else 0) != lock.drive:
            self.drives.append((self.elapsed_ms, lock.drive))
        if self.watch:
            self.watch(self)

    def run(self, ms, request=None, may=None):
        if request is not None:
            self.request = request
        if may is not None:
            self.may = may
        for _ in range(ms // 10):
            self.step()
        return self

    def until(self, *names, limit_ms=30000):
        """Step until one of the states is entered; return how long that took, in ms."""
        for n in range(limit_ms // 10 + 1):
            if self.state in names:
                return n * 10
            self.step()
        raise AssertionError(f"{names} not reached in {limit_ms} ms: {self.states}")

    @property
    def state(self):
        return LOCK_STATE_NAMES[self.lock.state]

    def told(self):
        lock = self.lock
        return (lock.is_locked, lock.is_confirmed, lock.is_unlocked)

    def to_locked(self):
        """Boot open, lock, and start the notes afresh."""
        self.run(300, HOLD).run(1000, LOCK, True)
        assert self.state in ("locked", "assumed"), self.states
        self.states, self.drives = [], []
        return self

    def on_times(self):
        """Return (drive, length in ms) of every drive that has ended."""
        ends = zip(self.drives, self.drives[1:])
        return [(drive, end - start) for (start, drive), (end, _) in ends if drive]


class Invariants:
    """What no input may bring about. Makes itself the rig's `watch`."""

    def __init__(self, rig, is_honest=True):
        self.is_honest = (
            is_honest  # feedback tells the truth, and the bridge is wired as configured
        )
        self.has_feedback = rig.params.feedback != FEEDBACK_NONE
        self.on_ms = 0
        self.off_ms = 10000
        self.last_drive = 0
        self.driven_at_ms = []  # each pass of the last 60 s that was driven
        self.out_ms = 0  # the bolt has been out of the locked window for so long
        self.last_at = rig.bolt.at
        self.faults = 0
        self.was_unplugged = False  # to be set by whoever calls unplugged()
        rig.watch = self

    def __call__(self, rig):
        lock = rig.lock
        locked, confirmed, unlocked = rig.told()
        assert not (locked and unlocked)
        assert not confirmed or (locked and self.has_feedback)
        assert not (locked or unlocked) or not lock.drive
        self.out_ms = 0 if rig.bolt.is_in_locked_window else self.out_ms + 10
        if self.is_honest:
            assert not confirmed or self.out_ms <= 120, "a false locked"
        self._bridge(rig, lock.drive)
        self._faults(lock.faults)

    def skip(self, rig, pass_ms):
        """Judge a pass that came `pass_ms` after the last, the bridge being off meanwhile."""
        self.off_ms += pass_ms - 10
        self.out_ms += pass_ms - 10
        self(rig)
        rig.watch = self

    def _bridge(self, rig, drive):
        if drive:
            if drive != self.last_drive:
                assert self.last_drive == 0, "reversed without a pause"
                assert self.off_ms >= 50, "dead time"
                self.on_ms = 0
            assert rig.may or drive == rig.lock._sign, "towards unlocked without permission"
            if self.is_honest:
                assert rig.may or drive * rig.bolt.wired > 0, "opens without permission"
            self.on_ms += 10  # until the next tick
            self.off_ms = 0
            self.driven_at_ms.append(rig.elapsed_ms)
            assert self.on_ms <= rig.params.cap_ms
        else:
            self.off_ms += 10
        while self.driven_at_ms and self.driven_at_ms[0] <= rig.elapsed_ms - 60000:
            self.driven_at_ms.pop(0)
        assert len(self.driven_at_ms) * 10 <= 7200, "on-time budget"
        self.last_drive = drive

    def _faults(self, now):
        assert not now & ~LOCK_FAULTS
        for bit, row in enumerate(faults.FAULTS):
            if (self.faults & ~now) >> bit & 1:
                clears = row[faults.FAULT_CLEARS]
                assert clears != faults.SERVICE
                assert clears != faults.UNPLUG or self.was_unplugged
        raised = now & ~self.faults
        if raised & (faults.F_FAILED_LOCK | faults.F_UNEXPECTED_OPEN):
            self.was_unplugged = False  # a pull before the fault does not count
        self.faults = now
