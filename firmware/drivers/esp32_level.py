"""The pilot's two levels on an ESP32: single conversions, each only believed if the pin says which phase it was in.

MicroPython has no free-running conversion there, so a conversion is begun at a moment the capture knows (drivers.
esp32_pilot calls `take` right after an edge) and the pilot pin is read before and after it. A level that was not really
seen is not made up: cp_ok is then False. Short phases are the weak point: one that is over before the conversion is
(3 % of 1050 Hz lasts 28.6 us) gives no level. How long a conversion takes was never measured on silicon.
"""

from array import array

from micropython import const

_TAKES = const(3)  # conversions kept a phase and pass: the median passes over one bad one
# Largest small int of a 32-bit MicroPython: what is beyond it would allocate in every pass.
_SMALL_INT_MAX = const(0x3FFFFFFF)


class Esp32Level:
    """
    Each pass: `begin`, then `take` as often as wanted, then `finish`. Allocates nothing unless the ADC fails.

    pin         the pilot's digital input: pin() returns 0 or 1
    read_mv     () -> mV at the pilot's ADC pin, 0..full_mv; may raise OSError
    scale       (multiplier, divisor, offset) from mV at the ADC to mV at the pilot

    Raises ValueError where the scale would leave the small integers.
    """

    def __init__(self, pin, read_mv, scale, full_mv: int):
        self._pin = pin
        self._read_mv = read_mv
        self._multiplier, self._divisor, self._offset_mv = scale
        if full_mv * self._multiplier > _SMALL_INT_MAX:
            raise ValueError("cp: cannot be computed in 30 bits")
        self._low_mv = array("i", [0] * _TAKES)
        self._high_mv = array("i", [0] * _TAKES)
        self._lows = 0  # conversions in _low_mv, 0.._TAKES
        self._highs = 0  # conversions in _high_mv, 0.._TAKES
        self._is_broken = False  # the ADC failed in this pass
        self.failures = 0  # passes in which the ADC failed, 0..60000 (stays there)

    def begin(self) -> None:
        """Forget the last pass."""
        self._lows = 0
        self._highs = 0
        self._is_broken = False

    def take(self, phase: int) -> bool:
        """Convert once, keep it if the pin showed `phase` (0, 1) before and after; tell whether it still does."""
        pin = self._pin
        if pin() != phase:
            return False
        if self._is_broken:
            return True
        try:
            mv = self._read_mv()
        except OSError:
            self._is_broken = True
            if self.failures < 60000:
                self.failures += 1
            return pin() == phase
        if pin() != phase:
            return False
        if phase:
            if self._highs < _TAKES:
                self._high_mv[self._highs] = mv
                self._highs += 1
        elif self._lows < _TAKES:
            self._low_mv[self._lows] = mv
            self._lows += 1
        return True

    def finish(self, r, is_steady: bool) -> None:
        """Fill cp_ok, cp_high_mv, cp_low_mv; with `is_steady` one level stands for both."""
        highs = self._highs
        lows = self._lows
        r.cp_ok = False
        if self._is_broken:
            return
        if is_steady:
            # Both kinds would mean that it was not steady after all.
            if highs and not lows:
                r.cp_high_mv = r.cp_low_mv = self._scaled(_median(self._high_mv, highs))
                r.cp_ok = True
            elif lows and not highs:
                r.cp_high_mv = r.cp_low_mv = self._scaled(_median(self._low_mv, lows))
                r.cp_ok = True
        elif highs and lows:
            r.cp_high_mv = self._scaled(_median(self._high_mv, highs))
            r.cp_low_mv = self._scaled(_median(self._low_mv, lows))
            r.cp_ok = True

    def _scaled(self, mv: int) -> int:
        return mv * self._multiplier // self._divisor + self._offset_mv


def _median(values, count: int) -> int:
    """Return the median of the first 1..3 values; of two, their mean."""
    a = values[0]
    if count == 1:
        return a
    b = values[1]
    if count == 2:
        return (a + b) >> 1
    c = values[2]
    if a > b:
        a, b = b, a
    if c <= a:
        return a
    return c if c < b else b
