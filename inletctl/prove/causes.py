"""What in the readings of a pass is a cause to stop, by the reason it is a cause of: the pin's side of faults.SHUTDOWN.

Strict where the firmware has a choice: a level within the hysteresis of a neighbour, or a sample that noise may have made,
is no cause here. Each lasts while its test is true without a break.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from inletctl.prove import truth as t

if TYPE_CHECKING:
    from inletctl.prove.watcher import Watcher

_NONE = t.level.LEVEL_NONE
_BCD = (t.level.LEVEL_B, t.level.LEVEL_C, t.level.LEVEL_D)
UNSURE = -1  # near a bound


@dataclass(frozen=True)
class Cause:
    """`is_there` is asked in each pass that is judged; `reason` is the row of faults.SHUTDOWN whose limits count."""

    reason: str
    words: str
    is_there: Callable[["Watcher"], bool]


@dataclass(frozen=True)
class Timed:
    """A cause with its limits, in ms from its first pass."""

    reason: str
    words: str
    is_there: Callable[["Watcher"], bool]
    current_ms: int
    s2_ms: int


def level_of(cp_mv: int) -> int:
    """Return the LEVEL_ that this reading names whatever was in force before, or UNSURE."""
    window = t.level.window_of(cp_mv)
    hold_mv = t.level.HOLD_MV
    if t.level.window_of(cp_mv - hold_mv) == window == t.level.window_of(cp_mv + hold_mv):
        return window
    return UNSURE


def _quiet_at(*levels: int) -> Callable[["Watcher"], bool]:
    return lambda w: w.is_quiet and w.r.cp_ok and w.level in levels


def _lost(w: "Watcher") -> bool:
    return w.is_quiet and (not w.r.cp_ok or w.level in (t.level.LEVEL_A, _NONE))


def _not_pwm(w: "Watcher") -> bool:
    """Edges, but no three periods among them, or levels that no PWM has."""
    if w.is_quiet:
        return False
    r = w.r
    return (
        r.pilot_count < t.capture._MAJORITY
        or not r.cp_ok
        or w.level not in (UNSURE, t.level.LEVEL_B, t.level.LEVEL_C)
        or r.cp_low_mv > t.control._LOW_MAX_MV
    )


def _asked(reason: int) -> Callable[["Watcher"], bool]:
    return lambda w: w.asked_reasons & reason != 0


def _pp(*kinds: int) -> Callable[["Watcher"], bool]:
    return lambda w: w.pp_kind in kinds


def _offers_nothing(w: "Watcher") -> bool:
    return w.pilot_ma == 0 and not w.is_quiet and not (w.is_digital and w.may_hand_off)


def _is_away(w: "Watcher") -> bool:
    """The bolt is not at its locked end, and no policy charges without it."""
    r = w.r
    return w.must_be_locked and not (
        r.lock_feedback_ok and w.locked_min_mv <= r.lock_feedback_mv <= w.locked_max_mv
    )


def _shows_b(w: "Watcher") -> bool:
    return w.c.s2_close and not w.is_toggle and w.r.cp_ok and w.level == t.level.LEVEL_B


def _is_silent(w: "Watcher") -> bool:
    return w.is_silent or w.asked_reasons & t.faults.VEHICLE_SILENT != 0


def _is_refused(w: "Watcher") -> bool:
    return not w.r.vehicle_permits or w.r.car_stop or w.asked_reasons & t.faults.VEHICLE_NO != 0


def _is_stopped(w: "Watcher") -> bool:
    return w.r.stop_request or w.r.console_stop or w.r.car_unlock


_P = t.proximity
# fmt: off
CAUSES = (
    Cause("no_plug",         "PP named no plug",                      _pp(_P.UNPLUGGED)),
    Cause("pp_invalid",      "PP could not be believed",              _pp(_P.SHORT, _P.GAP, _P.SENSE)),
    Cause("pp_button",       "the latch button was pressed",          _pp(_P.BUTTON)),
    Cause("pilot_e",         "the pilot was at 0 V (state E)",        _quiet_at(t.level.LEVEL_E)),
    Cause("pilot_f",         "the pilot was at -12 V (state F)",      _quiet_at(t.level.LEVEL_F)),
    Cause("pilot_lost",      "the pilot was lost",                    _lost),
    Cause("pilot_steady",    "the pilot was steady (x1)",             _quiet_at(*_BCD)),
    Cause("pilot_invalid",   "the pilot could not be believed",       _not_pwm),
    Cause("pilot_frequency", "the pilot's frequency was wrong",       lambda w: w.is_off_frequency and not w.is_quiet),
    Cause("pilot_duty",      "the pilot offered nothing",             _offers_nothing),
    Cause("lock_lost",       "the bolt had left its place",           _is_away),
    Cause("temp_high",       "a contact was too hot",                 lambda w: w.is_hot),
    Cause("temp_sensor",     "a sensor could not be believed",        lambda w: w.is_sensor_bad),
    Cause("s2_fault",        "the pilot showed B with S2 closed",     _shows_b),
    Cause("charger_fault",   "the charger drew more than the rating", lambda w: w.is_over),
    Cause("internal",        "hardware let go of an output",          lambda w: w.r.output_lost),
    Cause("vehicle_silent",  "the vehicle fell silent",               _is_silent),
    Cause("vehicle_no",      "the vehicle took its permission back",  _is_refused),
    Cause("person_stop",     "a person asked to stop",                _is_stopped),
    Cause("held",            "a hold was asked for",                  _asked(t.faults.HELD)),
    Cause("interlocked",     "the car's safety chain opened",         _asked(t.faults.INTERLOCKED)),
)
# fmt: on

TIMED = tuple(
    Timed(
        cause.reason,
        cause.words,
        cause.is_there,
        t.CURRENT_MS[t.REASONS.index(cause.reason)],
        t.S2_MS[t.REASONS.index(cause.reason)],
    )
    for cause in CAUSES
)
