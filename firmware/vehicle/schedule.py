"""When a person wants the car charged, how full, and with how much: windows, target and limit, as holds.

Everything here only holds back; what it has no data for is not kept: without a clock there are no windows (and the hold
H_NO_CLOCK says so), without a state of charge no target. A person says "charge now" for one plug-in: with one short
press of the stop button while a window is waited for, or from the console; another press while charging takes it back. Plain
values in; times are local minutes.
"""

from micropython import const

from faults import H_NO_CLOCK, H_PERSON_LIMIT, H_TARGET, H_WINDOW
from ticks import ticks_diff

_DAY_MIN = const(1440)
_DAYS = const(7)
# A target reached is charged to again only once so much is gone: a battery at rest loses a part of a percent.
_RESUME_PCT = const(2)
_NO_TARGET_PCT = const(100)
# A state of charge that is not heard for so long is none.
_SOC_KEPT_MS = const(60000)
# Who tells the time on CAN says so about once a second, and its first frame proves nothing yet.
_CLOCK_WAIT_MS = const(3000)
# A press this long is one; a longer one means something else, or hangs.
_PRESS_MIN_MS = const(50)
_PRESS_MAX_MS = const(1000)

# The stop button.
BUTTON_UP = const(0)
BUTTON_ASKS = const(1)  # pressed while a window was waited for
BUTTON_OTHER = const(2)  # pressed for something else, or for too long
BUTTON_NAMES = ("up", "asks", "other")
# What is seen of it in a pass.
B_UP = const(0)
B_DOWN_WAITING = const(1)  # down, and a window is what is waited for
B_DOWN = const(2)
B_LONG = const(3)  # down for longer than a short press
BUTTON_EVENT_NAMES = ("up", "down_waiting", "down", "long")
# fmt: off
_NEXT = (
    # up        down_waiting  down          long
    (BUTTON_UP, BUTTON_ASKS,  BUTTON_OTHER, BUTTON_OTHER),  # up
    (BUTTON_UP, BUTTON_ASKS,  BUTTON_ASKS,  BUTTON_OTHER),  # asks
    (BUTTON_UP, BUTTON_OTHER, BUTTON_OTHER, BUTTON_OTHER),  # other
)
# fmt: on


def is_within(minute: int, days: int, from_min: int, to_min: int) -> bool:
    """Tell whether `minute` of the week is in a window that begins on `days` (bit 0 = Monday).

    It lasts from `from_min` up to, not with, `to_min` of the day; where that is not later, up to `to_min` of the next
    day: 0 to 0 is all day.
    """
    day = minute // _DAY_MIN
    now_min = minute - day * _DAY_MIN
    began_today = days >> day & 1
    if from_min < to_min:
        return began_today != 0 and from_min <= now_min < to_min
    if now_min >= from_min and began_today:
        return True
    return now_min < to_min and days >> (day + _DAYS - 1) % _DAYS & 1 != 0


class Schedule:
    """Call `tick` a few times a second. Allocates nothing."""

    def __init__(self, settings, has_clock_on_can: bool = False):
        self._waits_for_clock = has_clock_on_can
        self._is_timed = False
        self._began_ms = 0
        self.holds = 0  # of H_WINDOW, H_TARGET, H_PERSON_LIMIT, H_NO_CLOCK
        self.person_limit_ma = settings.person_limit_ma
        self.is_now = False  # a person wants this plug-in charged now
        self.button = BUTTON_UP
        self._is_plugged = False
        self._has_limit_hold = settings.person_limit_ma < settings.min_current_ma
        self._days_1 = settings.window_1_days
        self._from_1_min = settings.window_1_from_min
        self._to_1_min = settings.window_1_to_min
        self._days_2 = settings.window_2_days
        self._from_2_min = settings.window_2_from_min
        self._to_2_min = settings.window_2_to_min
        self._target_pct = settings.target_soc_pct
        # Any of it may hold back, whatever the car says.
        self.is_used = bool(
            self._has_limit_hold
            or settings.window_1_days
            or settings.window_2_days
            or settings.target_soc_pct < _NO_TARGET_PCT
        )
        self._is_reached = False
        self._soc_ms = 0  # tick at which the state of charge was heard last, while `_has_soc`
        self._has_soc = False
        self._pressed_ms = 0

    def tick(  # noqa: PLR0913, PLR0917 - one pass's values
        self,
        now_ms: int,
        clock_ok: bool,
        clock_min: int,
        soc_ok: bool,
        soc_pct: int,
        car_target_pct: int,
        is_plugged: bool,
        stop_button: bool,
        s2_closed: bool,
    ) -> None:
        """Judge one pass.

        `clock_min`: local minute of the week; `car_target_pct`: the car's own target, 100 = none; the lower one counts;
        `is_plugged`: anything but a proven "unplugged".
        """
        if not is_plugged:
            self.is_now = False
            self._is_reached = False
        self._is_plugged = is_plugged
        self._watch_button(now_ms, stop_button, s2_closed)
        holds = H_PERSON_LIMIT if self._has_limit_hold else 0
        if self._days_1 or self._days_2:
            if not clock_ok:
                holds |= H_WINDOW if self._is_clock_to_come(now_ms) else H_NO_CLOCK
            elif (
                not self.is_now
                and not is_within(clock_min, self._days_1, self._from_1_min, self._to_1_min)
                and not is_within(clock_min, self._days_2, self._from_2_min, self._to_2_min)
            ):
                holds |= H_WINDOW
        self._judge_target(now_ms, soc_ok, soc_pct, min(self._target_pct, car_target_pct))
        if self._is_reached:
            holds |= H_TARGET
        self.holds = holds

    def _is_clock_to_come(self, now_ms: int) -> bool:
        """Tell whether the time may yet be told: nothing is to be charged in a window that nobody has looked up."""
        if self._waits_for_clock:
            if not self._is_timed:
                self._is_timed = True
                self._began_ms = now_ms
            self._waits_for_clock = ticks_diff(now_ms, self._began_ms) < _CLOCK_WAIT_MS
        return self._waits_for_clock

    def charge_now(self) -> bool:
        """Ask to charge now, outside every window, until the plug is out; return whether a plug waited for one."""
        if not self._is_plugged or not self.holds & H_WINDOW:
            return False
        self.is_now = True
        return True

    def _judge_target(self, now_ms: int, soc_ok: bool, soc_pct: int, target_pct: int) -> None:
        if soc_ok:
            self._has_soc = True
            self._soc_ms = now_ms
            if target_pct >= _NO_TARGET_PCT:
                self._is_reached = False
            elif soc_pct >= target_pct:
                self._is_reached = True
            elif soc_pct <= target_pct - _RESUME_PCT:
                self._is_reached = False
        elif not self._has_soc or ticks_diff(now_ms, self._soc_ms) >= _SOC_KEPT_MS:
            self._has_soc = False
            self._is_reached = False

    def _watch_button(self, now_ms: int, stop_button: bool, s2_closed: bool) -> None:
        old = self.button
        if not stop_button:
            event = B_UP
        elif old != BUTTON_UP and ticks_diff(now_ms, self._pressed_ms) > _PRESS_MAX_MS:
            event = B_LONG
        elif self._is_plugged and not s2_closed and self.holds & H_WINDOW:
            event = B_DOWN_WAITING
        else:
            event = B_DOWN
        new = _NEXT[old][event]
        if new == old:
            return
        self.button = new
        if old == BUTTON_UP:
            self._pressed_ms = now_ms
            if s2_closed:
                # Stopped by hand: from here on the windows count again.
                self.is_now = False
        elif (
            old == BUTTON_ASKS
            and new == BUTTON_UP
            and ticks_diff(now_ms, self._pressed_ms) >= _PRESS_MIN_MS
        ):
            self.charge_now()
