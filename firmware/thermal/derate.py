"""Temperature to current: a straight line down, and up again only when 2 K have gone."""

from micropython import const

from thermal.params import ThermalLimits

# A backlash, not a step: the limit follows a warming contact at once; while it cools the limit
# stays until 2 K are gone, then follows 2 K late. So noise within 2 K cannot make it chatter, and
# the loop current -> heat -> current settles without hunting.
_BACKLASH_DECIC = const(20)


class Derating:
    """The derated limit of one port. Allocates nothing after construction."""

    def __init__(self, limits: ThermalLimits):
        self._rated_ma = limits.rated_ma
        self._start_decic = limits.derate_start_decic
        self._span_decic = limits.derate_end_decic - limits.derate_start_decic
        self._least_ma = limits.rated_ma * limits.derate_end_pct // 100
        # The temperature the limit stands for, 0.1 C. It starts below any, so the first one lifts
        # it.
        self._held_decic = -30000

    def limit_ma(self, hottest_decic: int) -> int:
        """Return what the port may carry at `hottest_decic` (0.1 C), in mA, rounded down."""
        if hottest_decic > self._held_decic:
            self._held_decic = hottest_decic
        elif hottest_decic < self._held_decic - _BACKLASH_DECIC:
            self._held_decic = hottest_decic + _BACKLASH_DECIC
        over_decic = self._held_decic - self._start_decic
        if over_decic <= 0:
            return self._rated_ma
        if over_decic >= self._span_decic:
            return self._least_ma
        # Worst case 80000 * 750 = 6e7.
        lost = (self._rated_ma - self._least_ma) * over_decic + self._span_decic - 1
        return self._rated_ma - lost // self._span_decic
