"""What a signal generator has to send for the verbs of a block, and what a person has to do.

The simulated world has a charging station that looks at the car; a generator does not look. So the station's part is
worked out beforehand: steady high until the plug is in, then PWM, and from there what the verbs say.
"""

from dataclasses import dataclass, field, replace
from typing import Any

from inletctl.bench.channels import channel_of
from inletctl.bench.model import Block, Stimulus
from inletctl.plant.config import KEYS
from inletctl.plant.offer import offer_duty_pct
from inletctl.plant.verbs import VERBS

PILOT, POWER = "pilot", "power"
_DARK = ("e", "f")


@dataclass(frozen=True)
class Signal:
    """What the generator sends: PWM, or one level where `duty_pct` is None; with lost periods once, where asked."""

    duty_pct: "float | None"
    hz: float = 1000.0
    high_mv: int = 12_000
    low_mv: int = -12_000
    level_mv: int = 12_000  # without PWM
    lost: int = 0
    gap: str = "low"


@dataclass(frozen=True)
class Act:
    """At `t_us` of the block something is done on `channel`: a signal is sent, or somebody does what `words` say."""

    t_us: int
    channel: str
    words: str
    signal: "Signal | None" = None


@dataclass
class _Station:
    config: dict[str, Any]
    mode: str = "steady"
    is_plugged: bool = False
    hz: float = 1000.0
    high_mv: int = 12_000
    low_mv: int = -12_000
    duty_pct: float = 0.0
    duty_error_pct: float = 0.0
    has_energy: bool = True
    later: list[tuple[int, str, dict[str, Any]]] = field(default_factory=list)

    def signal(self) -> Signal:
        base = Signal(None, self.hz, self.high_mv, self.low_mv, self.high_mv)
        if self.mode == "pwm":
            return replace(base, duty_pct=min(max(self.duty_pct + self.duty_error_pct, 0), 100))
        level_mv = {"steady": self.high_mv, "e": 0, "f": self.low_mv}[self.mode]
        return replace(base, level_mv=level_mv)


def acts(block: Block) -> list[Act]:
    """Return everything to be done for `block`, in order of time."""
    station = _Station({key: spec.default for key, spec in KEYS.items()} | block.world)
    config = station.config
    station.hz = config["evse_hz"]
    station.high_mv = round(config["evse_high_v"] * 1000)
    station.low_mv = round(config["evse_low_v"] * 1000)
    station.duty_pct = (
        5.0 if config["evse_digital"] == "yes" else offer_duty_pct(max(config["evse_max_a"], 6))
    )
    station.has_energy = config["evse_auto"] == "yes"
    station.duty_error_pct = config["evse_duty_error_pct"]
    made = [Act(0, PILOT, "steady", station.signal())]
    waiting = [(one.t_us, number, one) for number, one in enumerate(block.stimuli)]
    count = len(waiting)
    while waiting:
        waiting.sort(key=lambda one: one[:2])
        t_us, _number, stimulus = waiting.pop(0)
        if t_us > block.end_us:
            break
        made += _act(station, stimulus)
        for later_us, verb, values in station.later:
            count += 1
            waiting.append((later_us, count, Stimulus(later_us, verb, values, verb)))
        station.later.clear()
    return made


def _act(station: _Station, stimulus: Stimulus) -> list[Act]:
    verb, values, t_us = stimulus.verb, stimulus.values, stimulus.t_us
    channel = channel_of(verb) if verb in VERBS or verb == "reset" else PILOT
    by_hand = [] if channel == PILOT else [Act(t_us, channel, stimulus.words)]
    before = station.signal()
    if verb in ("plug", "unplug"):
        station.is_plugged = verb == "plug"
        station.mode = "steady" if station.mode not in _DARK else station.mode
        _start(station, t_us)
    elif channel == PILOT:
        _PILOT[verb](station, t_us, values)
    if verb == "lost_cycles":
        lost = replace(before, lost=int(values["count"]), gap=values.get("level", "low"))
        return [Act(t_us, PILOT, stimulus.words, lost)]
    after = station.signal()
    if after == before:
        return by_hand
    return [*by_hand, Act(t_us, PILOT, stimulus.words, after)]


def _start(station: _Station, t_us: int) -> None:
    """Book PWM, as a station does that has seen the plug."""
    if station.is_plugged and station.has_energy and station.mode == "steady":
        delay_us = round(station.config["evse_pwm_start_ms"] * 1000)
        if delay_us:
            station.later.append((t_us + delay_us, _PWM, {}))
        else:
            station.mode = "pwm"


def _pwm(station: _Station, _t_us: int, _values: dict[str, Any]) -> None:
    if station.is_plugged and station.has_energy and station.mode == "steady":
        station.mode = "pwm"


def _duty(station: _Station, t_us: int, values: dict[str, Any]) -> None:
    pct = values["pct"]
    if not pct:
        _error(station, t_us, {"state": "f"})
    elif pct >= 100:
        _pause(station, t_us, {})
    else:
        station.duty_pct = pct


def _offer(station: _Station, t_us: int, values: dict[str, Any]) -> None:
    if values["a"] < 6:
        _pause(station, t_us, {})
        return
    station.duty_pct = offer_duty_pct(values["a"])
    if not station.has_energy:
        _resume(station, t_us, {})


def _pause(station: _Station, _t_us: int, _values: dict[str, Any]) -> None:
    station.has_energy = False
    if station.mode == "pwm":
        station.mode = "steady"


def _resume(station: _Station, t_us: int, _values: dict[str, Any]) -> None:
    station.has_energy = True
    _start(station, t_us)


def _error(station: _Station, t_us: int, values: dict[str, Any]) -> None:
    station.mode = values["state"]
    if values.get("hold"):
        station.later.append((t_us + round(values["hold"] * 1000), "evse_recover", {}))


def _recover(station: _Station, t_us: int, _values: dict[str, Any]) -> None:
    if station.mode in _DARK:
        station.mode = "steady"
        _start(station, t_us)


def _wake(station: _Station, t_us: int, values: dict[str, Any]) -> None:
    state = values.get("state", "e")
    hold = values.get("time") or (4000 if state == "e" else 300)
    _error(station, t_us, {"state": state, "hold": hold})


def _power_cut(station: _Station, t_us: int, values: dict[str, Any]) -> None:
    boot = station.config["evse_boot_ms"]
    hold = values.get("hold")
    _error(station, t_us, {"state": "e", "hold": hold + boot if hold else 0})


def _power_back(station: _Station, t_us: int, _values: dict[str, Any]) -> None:
    station.later.append((t_us + round(station.config["evse_boot_ms"] * 1000), "evse_recover", {}))


def _amplitude(station: _Station, _t_us: int, values: dict[str, Any]) -> None:
    station.high_mv = round(values.get("high", 12) * 1000)
    station.low_mv = round(values.get("low", -12) * 1000)


_PWM = "(pwm)"
_PILOT = {
    _PWM: _pwm,
    "evse_duty": _duty,
    "evse_offer": _offer,
    "evse_digital": lambda station, t_us, _values: _duty(station, t_us, {"pct": 5.0}),
    "evse_pause": _pause,
    "evse_resume": _resume,
    "evse_error": _error,
    "evse_recover": _recover,
    "evse_trip": lambda station, t_us, _values: _error(station, t_us, {"state": "f", "hold": station.config["evse_retry_ms"]}),
    "wake_pulse": _wake,
    "power_cut": _power_cut,
    "power_back": _power_back,
    "evse_frequency": lambda station, _t_us, values: setattr(station, "hz", values["hz"]),
    "evse_amplitude": _amplitude,
    "evse_duty_error": lambda station, _t_us, values: setattr(station, "duty_error_pct", values["pct"]),
    "lost_cycles": lambda _station, _t_us, _values: None,
}  # fmt: skip
