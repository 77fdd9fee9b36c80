"""The two wires between the inlet and a car without CAN: the car's demand in, the charger's limit out.

Both are a duty: 5 % alive but no charging, 10 % + 1 % an ampere otherwise. Currents per phase in mA.
"""

from array import array

from micropython import const

from ticks import ticks_diff

_PERIODS = const(5)  # what a capture hands over at once
# 100 Hz: 80..125 Hz are accepted, in 0.1 us.
_PERIOD_MIN_US_X10 = const(80000)
_PERIOD_MAX_US_X10 = const(125000)
# Duty in 0.01 %.
_ALIVE_MIN = const(300)
_ALIVE_MAX = const(700)
_LIMIT_MIN = const(1000)
_LIMIT_MAX = const(9000)
_MA_PER_STEP = const(10)  # 1 A a percent
_LONG_MS = const(60000)  # where an age stops growing (signals.Readings)

LIMIT_HZ = const(1000)
_NO_CURRENT = const(500)  # 0.01 %
_FULL_MA = const(80000)
_FULL_U16 = const(65535)


class DemandIn:
    """
    What the car allows, from the duty of its demand line. `read` once a pass. Allocates nothing.

    capture     read(highs_x10, periods_x10, now_ms) -> number of new complete periods, oldest first, 0.1 us
    """

    def __init__(self, capture):
        self._capture = capture
        self._highs = array("i", [0] * _PERIODS)
        self._periods = array("i", [0] * _PERIODS)
        self.age_ms = _LONG_MS  # since the last period that meant something
        self._permits = False
        self._limit_ma = 0
        self._last_limit_ma = 0  # of the last period but one
        self._last_ms = 0
        self._is_timed = False

    def read(self, r, now_ms: int) -> None:
        """Fill vehicle_age_ms, vehicle_permits and vehicle_limit_ma. Never raises OSError."""
        age_ms = self.age_ms
        if self._is_timed:
            dt_ms = ticks_diff(now_ms, self._last_ms)
            age_ms += dt_ms if 0 <= dt_ms < _LONG_MS else _LONG_MS
            age_ms = min(age_ms, _LONG_MS)
        self._last_ms = now_ms
        self._is_timed = True
        self.age_ms = age_ms
        try:
            count = self._capture.read(self._highs, self._periods, now_ms)
        except OSError:
            count = 0
        for n in range(count):
            self._take(self._highs[n], self._periods[n])
        r.vehicle_age_ms = self.age_ms
        r.vehicle_permits = self._permits
        r.vehicle_limit_ma = self._limit_ma

    def _take(self, high_us_x10: int, period_us_x10: int) -> None:
        """Judge one period; one that means nothing leaves the age growing."""
        if not _PERIOD_MIN_US_X10 <= period_us_x10 <= _PERIOD_MAX_US_X10:
            return
        # At most 125000 * 5000 = 6.25e8, a small int on the board.
        duty_pct_x100 = high_us_x10 * 5000 // (period_us_x10 >> 1)
        if _LIMIT_MIN <= duty_pct_x100 <= _LIMIT_MAX:
            limit_ma = (duty_pct_x100 - _LIMIT_MIN) * _MA_PER_STEP
            # Less at once, more when two periods agree: one disturbed edge must not raise it.
            last_ma = self._last_limit_ma if self._permits else 0
            self._limit_ma = limit_ma if limit_ma < last_ma else last_ma
            self._last_limit_ma = limit_ma
            self._permits = True
        elif _ALIVE_MIN <= duty_pct_x100 <= _ALIVE_MAX:
            self._permits = False
            self._limit_ma = 0
            self._last_limit_ma = 0
        else:
            return
        self.age_ms = 0


class LimitOut:
    """
    What the on-board charger may draw, as the duty of a 1 kHz PWM. `set` once a pass. Allocates nothing.

    pwm     duty_u16(0..65535), deinit(); already at LIMIT_HZ, its polarity set
    """

    def __init__(self, pwm):
        self._pwm = pwm
        self._limit_ma = 0
        pwm.duty_u16(_u16_of(_NO_CURRENT))

    def set(self, limit_ma: int) -> None:
        """Tell the charger `limit_ma` (0..80000, more counts as 80000), rounded down to what the PWM resolves."""
        if limit_ma == self._limit_ma:
            return
        self._limit_ma = limit_ma
        if limit_ma <= 0:
            self._pwm.duty_u16(_u16_of(_NO_CURRENT))
        else:
            self._pwm.duty_u16(_u16_of(_LIMIT_MIN + min(limit_ma, _FULL_MA) // _MA_PER_STEP))

    def release(self) -> None:
        """Stop the PWM. The pin is let go of by its owner."""
        self._limit_ma = 0
        self._pwm.deinit()


def _u16_of(duty_pct_x100: int) -> int:
    """Return the duty in 1/65535. One less, since the port rounds to its nearest count, and never up is wanted."""
    # At most 9000 * 65535 = 5.9e8, a small int on the board.
    return duty_pct_x100 * _FULL_U16 // 10000 - 1
