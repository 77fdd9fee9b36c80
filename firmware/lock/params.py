"""What the lock is made of: kind, times, currents and feedback windows, checked once at boot.

Configuration that cannot be right raises ValueError with a sentence for a person; nothing is clamped, since a
silently changed window could read "locked" where there is no lock.

Sources: VEC = Vector VC-EVCC manual v1.3 p. 173, ADV = Advantics inlet_lock.md, HAR = Harting Type 2 inlet page,
TOY = a vehicle maker's workshop warning against 2..3 s on the actuator.
"""

from micropython import const

# What moves the bolt. A hold solenoid, which lets go without power, is not supported: it needs a drive without end.
MOTOR = const(0)
SOLENOID = const(1)  # latching: one pulse each way, stays where it was sent
KIND_NAMES = ("motor", "solenoid")

# What tells where the bolt is.
FEEDBACK_NONE = const(0)
FEEDBACK_SWITCH = const(1)  # to ground, closed = locked: a broken wire reads "not locked"
FEEDBACK_ANALOG = const(2)  # two voltages, neither of which a broken or shorted wire gives
FEEDBACK_NAMES = ("none", "switch", "analog")

# Time to drive, by kind: VEC and ADV 600 ms; solenoid pulses in the field are 200..300 ms.
DEFAULT_RUN_MS = (600, 300)
# (unlocked min, unlocked max, locked min, locked max) in mV, by feedback. Analog as VEC; switch for a pull-up to 3.3 V
# with ADV's 100 ohm counting as closed.
DEFAULT_WINDOWS_MV = ((0, 0, 0, 0), (2800, 3400, 0, 500), (480, 680, 2510, 3210))

_RUN_MIN_MS = const(50)
_CAP_MAX_MS = const(2000)  # ADV; below TOY
_MARGIN_MV = const(50)  # an analog window keeps this far from both ends: see FEEDBACK_ANALOG
_GAP_MV = const(200)  # between the windows, so that drift meets "unknown" before the other end


def _check(name: str, value: int, low: int, high: int):
    if not low <= value <= high:
        raise ValueError("lock {} is {}, allowed {}..{}".format(name, value, low, high))


class LockParams:
    """
    One lock, as built. Immutable by convention; made once at boot.

    run_ms          50..cap_ms     time to drive one way; default 600 motor, 300 solenoid
    cap_ms          run_ms..2000   no drive is longer, whatever the states say; 1000
    cooldown_ms     500..60000     rest after a drive that did not arrive; 2650 (VEC)
    attempts        1..5           drives before giving up; 3
    stall_ma        0..20000       bridge current of a blocked motor, 0 = not measured; 1200. Ignored for a solenoid.
    stall_ms        50..1000       this long at stall_ma ends a drive; 150, beyond the inrush
    min_ma          0..5000        a drive that never drew this did not happen (broken wire), 0 = not measured; 0.
                                   Used without feedback only: feedback tells better.
    is_inverted     bool           the bridge is wired the other way round
    *_mv            0..5000        feedback windows, ends included; default by feedback kind
    rail_mv         1000..5000     what an analog feedback reads with a broken wire; 3300
    """

    def __init__(  # noqa: PLR0913, PLR0917  one argument a setting
        self,
        kind: int = MOTOR,
        feedback: int = FEEDBACK_ANALOG,
        run_ms=None,
        cap_ms: int = 1000,
        cooldown_ms: int = 2650,
        attempts: int = 3,
        stall_ma: int = 1200,
        stall_ms: int = 150,
        min_ma: int = 0,
        is_inverted: bool = False,
        unlocked_min_mv=None,
        unlocked_max_mv=None,
        locked_min_mv=None,
        locked_max_mv=None,
        rail_mv: int = 3300,
    ):
        _check("kind", kind, MOTOR, SOLENOID)
        _check("feedback", feedback, FEEDBACK_NONE, FEEDBACK_ANALOG)
        _check("cap_ms", cap_ms, _RUN_MIN_MS, _CAP_MAX_MS)
        _check("cooldown_ms", cooldown_ms, 500, 60000)
        _check("attempts", attempts, 1, 5)
        _check("stall_ma", stall_ma, 0, 20000)
        _check("stall_ms", stall_ms, 50, 1000)
        _check("min_ma", min_ma, 0, 5000)
        _check("rail_mv", rail_mv, 1000, 5000)
        self.kind = kind
        self.feedback = feedback
        self.run_ms = DEFAULT_RUN_MS[kind] if run_ms is None else run_ms
        _check("run_ms", self.run_ms, _RUN_MIN_MS, cap_ms)
        self.cap_ms = cap_ms
        self.cooldown_ms = cooldown_ms
        self.attempts = attempts
        # A solenoid's current says nothing about where it is.
        self.stall_ma = 0 if kind == SOLENOID else stall_ma
        self.stall_ms = stall_ms
        self.min_ma = min_ma
        self.is_inverted = bool(is_inverted)
        default = DEFAULT_WINDOWS_MV[feedback]
        self.unlocked_min_mv = default[0] if unlocked_min_mv is None else unlocked_min_mv
        self.unlocked_max_mv = default[1] if unlocked_max_mv is None else unlocked_max_mv
        self.locked_min_mv = default[2] if locked_min_mv is None else locked_min_mv
        self.locked_max_mv = default[3] if locked_max_mv is None else locked_max_mv
        if feedback != FEEDBACK_NONE:
            self._check_windows(rail_mv)

    def _check_windows(self, rail_mv: int):
        low, high = 0, 5000
        if self.feedback == FEEDBACK_ANALOG:
            low, high = _MARGIN_MV, rail_mv - _MARGIN_MV
        _check("unlocked_min_mv", self.unlocked_min_mv, low, high)
        _check("unlocked_max_mv", self.unlocked_max_mv, self.unlocked_min_mv, high)
        _check("locked_min_mv", self.locked_min_mv, low, high)
        _check("locked_max_mv", self.locked_max_mv, self.locked_min_mv, high)
        if self.feedback == FEEDBACK_SWITCH and self.locked_max_mv > self.unlocked_min_mv:
            raise ValueError(
                "lock switch must read lower when locked: else a broken wire reads locked"
            )
        if (
            self.locked_min_mv < self.unlocked_max_mv + _GAP_MV
            and self.unlocked_min_mv < self.locked_max_mv + _GAP_MV
        ):
            raise ValueError("lock windows must be at least {} mV apart".format(_GAP_MV))
