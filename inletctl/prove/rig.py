"""The least world that closes the loop around the step, in quantised readings: what the search and the state machine play with.

A dimension is one thing outside (the plug, the pilot, a sensor) with a few values, each a way to write some readings. The bolt
moves as it is driven, the level follows S2, the EVSE's contactor follows S2, the charger draws what it is told.
"""

from collections.abc import Callable
from typing import Any

from inletctl.prove import truth as t
from inletctl.prove.firmware import Firmware
from inletctl.prove.watcher import Broken, Watcher
from inletctl.scenario.forced import force

# The tick at which a state is kept: every state seen at another clock is the same state.
NOW_MS = 1 << 22
_UNLOCKED_MV, _LOCKED_MV, _BETWEEN_MV = 580, 2860, 1500
_TRAVEL_MS = 300
# The EVSE's contactor: closes so many passes after state C with PWM, opens as soon.
_CONTACTOR_PASSES = 4
_B_MV, _C_MV = 8980, 6000
_COOL_MV, _WARM_MV, _HOT_MV, _OPEN_MV = 1650, 533, 336, 3300  # 25 C, 75 C, 92 C, broken

Write = Callable[[Any, "Rig"], None]


def _set(**values: int) -> Write:
    def write(r: Any, _rig: "Rig") -> None:
        for name, value in values.items():
            setattr(r, name, value)

    return write


def _pwm(duty_us_x10: int, period_us_x10: int = 10_000) -> Write:
    def write(r: Any, rig: "Rig") -> None:
        r.cp_ok = True
        r.pilot_quiet_ms = 0
        r.pilot_count = t.signals.PILOT_PERIODS
        r.cp_high_mv = _C_MV if rig.s2 else _B_MV
        r.cp_low_mv = -12_000
        for n in range(t.signals.PILOT_PERIODS):
            r.pilot_high_us_x10[n] = duty_us_x10
            r.pilot_period_us_x10[n] = period_us_x10

    return write


def _steady(b_mv: int, c_mv: int, is_ok: bool = True) -> Write:
    def write(r: Any, rig: "Rig") -> None:
        r.cp_ok = is_ok
        r.pilot_quiet_ms = 1000
        r.pilot_count = 0
        r.cp_high_mv = r.cp_low_mv = c_mv if rig.s2 else b_mv

    return write


def _noise(r: Any, rig: "Rig") -> None:
    _pwm(5330)(r, rig)
    r.pilot_count = 1


def _stuck(mv: int) -> Write:
    def write(r: Any, rig: "Rig") -> None:
        _pwm(5330)(r, rig)
        r.cp_high_mv = mv

    return write


def _temps(mv: int, is_ok: int = 1) -> Write:
    def write(r: Any, _rig: "Rig") -> None:
        for n in range(t.signals.TEMP_CHANNELS):
            r.temp_mv[n] = mv
            r.temp_ok[n] = is_ok
            r.temp_age_ms[n] = 0

    return write


def _bolt(r: Any, rig: "Rig") -> None:
    r.lock_feedback_ok = True
    r.lock_feedback_mv = (
        _UNLOCKED_MV if rig.travel_ms <= 0 else _LOCKED_MV if rig.travel_ms >= _TRAVEL_MS else _BETWEEN_MV
    )  # fmt: skip


def _bolt_reads(mv: int, is_ok: bool = True) -> Write:
    return _set(lock_feedback_ok=is_ok, lock_feedback_mv=mv)


def _draws(r: Any, rig: "Rig") -> None:
    r.charger_ok = True
    r.charger_ma = rig.told_ma if rig.is_ac else 0


def _ac(r: Any, rig: "Rig") -> None:
    r.ac_ok = True
    r.ac_present = rig.is_ac


def _person(stop: bool, unlock: bool) -> Write:
    return _set(stop_request=stop, unlock_request=unlock)


def _car(permits: bool, age_ms: int = 0, limit_ma: int = 32_000) -> Write:
    return _set(vehicle_permits=permits, vehicle_age_ms=age_ms, vehicle_limit_ma=limit_ma)


def _pp(mv: int, is_ok: bool = True) -> Write:
    return _set(pp_ok=is_ok, pp_mv=mv, pp_rail_mv=5000)


def _modem(age_ms: int, wants: bool = False, toggles: int = 0, permits: bool = False) -> Write:
    return _set(modem_age_ms=age_ms, modem_wants_c=wants, modem_toggles=toggles, modem_permits_unlock=permits)  # fmt: skip


def _dc(mv: int, is_open: bool = True, is_ok: bool = True) -> Write:
    return _set(dc_ok=is_ok, dc_mv=mv, contactors_ok=is_ok, contactors_open=is_open)


# Millivolts at 5 V, 330 ohm and 2.7 kohm (facts 3.1, 3.2).
_OUT_MV, _220_MV, _1500_MV, _GAP_MV = 4455, 1907, 3725, 900
_LATCHED_MV, _BUTTON_MV = 1505, 2763

# Dimension -> value -> what it writes. The first value is the undisturbed one, with no plug in.
# fmt: off
DIMENSIONS: dict[str, dict[str, Write]] = {
    "pp": {"out": _pp(_OUT_MV), "in": _pp(_220_MV), "small": _pp(_1500_MV), "gap": _pp(_GAP_MV), "short": _pp(0), "dead": _pp(0, False)},
    "cp": {
        "none": _steady(0, 0), "pwm": _pwm(5330), "low": _pwm(1600), "digital": _pwm(500), "off": _pwm(9900), "steady": _steady(_B_MV, _C_MV),
        "f": _steady(-12_000, -12_000), "dead": _steady(0, 0, False), "hz": _pwm(2500, 5000), "noise": _noise,
        "stuck_b": _stuck(_B_MV), "stuck_c": _stuck(_C_MV),
    },
    "temp": {"cool": _temps(_COOL_MV), "warm": _temps(_WARM_MV), "hot": _temps(_HOT_MV), "open": _temps(_OPEN_MV), "dead": _temps(_COOL_MV, 0)},
    "bolt": {"moves": _bolt, "jams": _bolt, "reads_open": _bolt_reads(_UNLOCKED_MV), "reads_locked": _bolt_reads(_LOCKED_MV), "dead": _bolt_reads(0, False)},
    "car": {"permits": _car(True), "refuses": _car(False), "silent": _car(True, 60_000), "8A": _car(True, 0, 8_000), "5A": _car(True, 0, 5_000)},
    "person": {"none": _person(False, False), "stop": _person(True, False), "unlock": _person(False, True), "both": _person(True, True)},
    "draw": {"obeys": _draws, "unknown": _set(charger_ok=False, charger_ma=0), "ignores": _set(charger_ok=True, charger_ma=40_000)},
    "ac": {"follows": _ac, "stuck": _set(ac_ok=True, ac_present=True), "absent": _set(ac_ok=True, ac_present=False), "unknown": _set(ac_ok=False, ac_present=False)},
    "hold": {"none": _set(holds=0), "hvil": _set(holds=t.faults.H_HVIL), "window": _set(holds=t.faults.H_WINDOW), "crash": _set(holds=t.faults.H_CRASH)},
    "limit": {"none": _set(person_limit_ma=80_000, port_ma=80_000), "person": _set(person_limit_ma=7_000, port_ma=80_000), "port": _set(person_limit_ma=80_000, port_ma=9_000)},
    "output": {"kept": _set(output_lost=False), "lost": _set(output_lost=True)},
    "modem": {"silent": _modem(60_000), "idle": _modem(0), "wants": _modem(0, wants=True), "toggle": _modem(0, toggles=1), "permits": _modem(0, permits=True)},
    "dc": {"dead": _dc(0), "live": _dc(400_000), "closed": _dc(0, is_open=False), "unknown": _dc(0, is_ok=False)},
}
# fmt: on
NAMES = tuple(DIMENSIONS)
VALUES = tuple(tuple(values) for values in DIMENSIONS.values())
_WRITES = tuple(tuple(values.values()) for values in DIMENSIONS.values())
_JAMS = VALUES[NAMES.index("bolt")].index("jams")
_BOLT = NAMES.index("bolt")
_CP = NAMES.index("cp")
# Pilots at which an EVSE closes its contactor in state C.
_OFFERS = frozenset(
    VALUES[_CP].index(value) for value in ("pwm", "low", "stuck_b", "stuck_c", "noise")
)

# How an inlet is set, as stored: enough to reach every policy and every way the bolt tells where it is.
CONFIGS: dict[str, dict[str, int]] = {
    "type2": {"inlet": 1},
    "type2_reduce": {"inlet": 1, "lock_policy": 1, "retries_max": 1},
    "type2_ignore": {"inlet": 1, "lock_policy": 2, "ac_sense": 0},
    "type2_blind_lock": {"inlet": 1, "lock_feedback": 0, "ac_sense": 0, "relock_s": 2},
    "type1": {"inlet": 0},
    "gbt": {"inlet": 2, "sensor_0": 0, "sensor_1": 0},
    "ccs2": {"inlet": 5, "dc_max_a": 200, "modem": 1},
    "nacs": {"inlet": 3, "dc_max_a": 200, "modem": 1},
}
# What an inlet without DC never hears of.
_OF_DC = ("modem", "dc")


def plays(config: str) -> tuple[int, ...]:
    """Return the dimensions, by number, that matter to an inlet set so."""
    has_dc = CONFIGS[config].get("modem", 0)
    return tuple(n for n, name in enumerate(NAMES) if has_dc or name not in _OF_DC)


# Type 1's and GB/T's own plugs instead of Type 2's.
_PLUGS: dict[int, dict[str, Write]] = {
    0: {"in": _pp(_LATCHED_MV), "small": _pp(_BUTTON_MV)},
    3: {"in": _pp(_LATCHED_MV), "small": _pp(_BUTTON_MV)},
    2: {"small": _pp(3110)},
}


class Rig:
    """One step in its loop, watched. `wanted`: the settings as stored."""

    def __init__(self, firmware: Firmware, wanted: dict[str, int], is_watched: bool = True):
        self.firmware = firmware
        self.wanted = wanted
        settings = firmware["settings"].Settings(wanted)
        self.step = firmware["step"].InletStep(settings)
        self.r = firmware["signals"].Readings()
        self.c = firmware["signals"].Commands()
        self.watcher = Watcher(wanted) if is_watched else None
        self.now_ms = NOW_MS
        self.values = [0] * len(NAMES)
        self.s2 = False
        self.told_ma = 0
        self.drive = 0
        self.travel_ms = 0  # of the bolt, 0 open.._TRAVEL_MS locked
        self.contactor = 0  # passes towards closed, 0.._CONTACTOR_PASSES
        self.sign = -1 if settings.lock_inverted else 1
        self._writes = [list(writes) for writes in _WRITES]
        plugs = _PLUGS.get(settings.inlet, {})
        for value, write in plugs.items():
            self._writes[0][VALUES[0].index(value)] = write
        self.passes = 0
        self.raw: dict[
            str, int
        ] = {}  # readings written over all of that, by scenario.forced.NAMES
        self._seen: tuple = ()

    @property
    def is_ac(self) -> bool:
        """Tell whether the EVSE's contactor is closed."""
        return self.contactor >= _CONTACTOR_PASSES

    def put(self, dimension: str, value: str) -> "Rig":
        """Let something happen outside; the step sees it in its next pass."""
        n = NAMES.index(dimension)
        self.values[n] = VALUES[n].index(value)
        return self

    def sample(self) -> None:
        """Write the readings of the next pass."""
        r = self.r
        for n, value in enumerate(self.values):
            self._writes[n][value](r, self)
        if self.raw:
            force(r, self.raw)

    def one_pass(self, late_ms: int = 0) -> "Broken | None":
        """Run one pass, `late_ms` later than it should be; return what it broke."""
        self.now_ms = t.ticks.ticks_add(self.now_ms, t.PASS_MS + late_ms)
        # Everything that a reading is made of.
        seen = (
            *self.values,
            self.s2,
            self.told_ma,
            self.travel_ms,
            self.contactor,
            *self.raw.items(),
        )
        if seen != self._seen:
            self._seen = seen
            self.sample()
        c = self.c
        self.step.step(self.now_ms, self.r, c)
        broken = None
        if self.watcher is not None:
            broken = self.watcher.look(self.now_ms, self.r, c)
        self.obey()
        self.passes += 1
        return broken

    def obey(self) -> None:
        """Let the commands of the pass take effect."""
        c = self.c
        if c.lock_drive and self.values[_BOLT] != _JAMS:
            travel_ms = self.travel_ms + t.PASS_MS * c.lock_drive * self.sign
            self.travel_ms = min(max(travel_ms, 0), _TRAVEL_MS)
        if c.s2_close and self.values[_CP] in _OFFERS:
            if self.contactor < _CONTACTOR_PASSES:
                self.contactor += 1
        elif self.contactor:
            self.contactor -= 1
        self.s2 = c.s2_close
        self.told_ma = c.charger_ma
        self.drive = c.lock_drive

    def run(self, passes: int) -> "Broken | None":
        """Run so many passes, up to the first that breaks a rule."""
        for _ in range(passes):
            broken = self.one_pass()
            if broken is not None:
                return broken
        return None


# How the states come about that the search begins from: things that happen, and passes.
Script = tuple["tuple[str, str] | int", ...]
_PLUGGED: Script = (60, ("pp", "in"), ("cp", "pwm"))
ROOTS: dict[str, Script] = {
    "boot": (),
    "unplugged": (100,),
    "waiting": (*_PLUGGED, 40),
    "charging": (*_PLUGGED, 300),
    "stopping": (*_PLUGGED, 300, ("draw", "ignores"), 10, ("person", "stop"), 5),
    "resting": (*_PLUGGED, 300, ("temp", "hot"), 60),
    "released": (*_PLUGGED, 300, ("person", "unlock"), 120, ("person", "none"), 5),
}


def play(rig: Rig, script: Script) -> "Broken | None":
    """Let a script happen, up to the first pass that breaks a rule."""
    for item in script:
        if isinstance(item, tuple):
            rig.put(*item)
        else:
            broken = rig.run(item)
            if broken is not None:
                return broken
    return None
