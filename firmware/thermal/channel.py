"""One temperature channel: which samples count, can the sensor be believed, how does it move.

    sample -> open / short / good -> median of three -> smoothed value
              bad time adds up       over-temperature    derating, display, trends

No sample acts alone: a bad one is left out and the last value held; a good one moves the median
only together with a second. The sensor is given up once bad time reaches 1 s, and its held value
is no longer valid then. A value falls by no more than 1.6 K/s whatever the sensor says: a sensor
that breaks towards cold must not loosen anything before its jump has been judged. Nothing here
allocates after construction.
"""

from array import array

from micropython import const

from faults import F_TEMP_OPEN, F_TEMP_SHORT, F_TEMP_STALE
from thermal.convert import GOOD, Probe
from thermal.params import ChannelParams
from ticks import ticks_add, ticks_diff

_ABSENT = const(3)  # follows convert's GOOD, OPEN, SHORT: not measured
_FAULTS = (0, F_TEMP_OPEN, F_TEMP_SHORT, F_TEMP_STALE)

# Range of a rail worth dividing by: 3.3 V and 5 V with their tolerances.
_RAIL_LEAST_MV = const(2500)
_RAIL_MOST_MV = const(5250)

# Conversions closer together than this are one sample: a disturbance must not fill the median in
# one go.
_APART_MS = const(80)
# Bad time until the sensor is given up. Bad time counts from the last good conversion, so a break
# is found within this plus one visit, however slowly the channel is converted; good time takes a
# quarter of itself off, so a loose wire that is bad for more than a fifth of the time is found
# too.
_GIVE_UP_MS = const(1000)
_FORGIVE_SHIFT = const(2)

# Smoothing, in 1/64 of 0.1 K: an eighth of the way per sample, 0.8 s at 10 Hz, against +-2 mV at
# the ADC (0.9 K with a PT1000). A median more than 3 K up is no noise and is taken at once. Down:
# 1/64 of 0.1 K a millisecond is 1.6 K/s.
_SUB_SHIFT = const(6)
_FAST_SHIFT = const(3)
_SNAP_SUB = const(30 << 6)
# For "does it move at all", once a second, in 1/1024 of 0.1 K: over 32 s it leaves 0.15 K of that
# noise, peak to peak. A plain mean until 32 s have passed, or it would start with the first noise.
_FINE_SHIFT = const(4)
_SLOW_S = const(32)

_HISTORY = const(10)  # s
_JUMP_S = const(2)  # a jump must be seen in that many seconds running
WATCH_S = const(600)  # how long a sensor is watched for movement


class Channel:
    """One fitted channel. `visit` every pass or every few passes, `trend` once a second."""

    def __init__(self, index: int, params: ChannelParams, probe: Probe, jump_decic: int):
        self.index = index  # in Readings.temp_mv
        self.is_contact = params.is_contact
        self.margin_decic = params.margin_decic
        self.fault = 0  # 0, F_TEMP_OPEN, F_TEMP_SHORT or F_TEMP_STALE
        self.is_valid = False  # decic and median_decic may be used
        self.median_decic = 0  # of the last three good samples, 0.1 C
        self.decic = 0  # smoothed and rounded up, 0.1 C; held while not valid
        self.has_jumped = False  # until `pulled`
        self.is_stuck = False  # set by the port, until `pulled`
        # Range of the slow value over the last `watched_s` seconds, 1/1024 of 0.1 K.
        self.low = 0
        self.high = 0
        self.watched_s = 0  # since `watch`, or since it became valid; 0..WATCH_S
        self._probe = probe
        self._jump_decic = jump_decic
        self._visit_ms = 0
        self._has_conversion = False  # _conversion_ms means something
        self._conversion_ms = 0  # tick of the newest conversion used
        self._good_ms = 0  # tick of the newest good one; means something while _sample is GOOD
        self._sample = _ABSENT  # what the newest sample was
        self._bad_ms = 0  # 0.._GIVE_UP_MS
        self._count = 0  # good samples in the three below, 0..3
        self._new_decic = 0
        self._mid_decic = 0
        self._old_decic = 0
        self._fast = 0  # smoothed, 1/64 of 0.1 K
        self._slow = 0  # smoothed more, 1/1024 of 0.1 K
        self._slow_s = 0  # seconds in it, 0.._SLOW_S
        self._history = array("i", [0] * _HISTORY)  # one median a second
        self._history_count = 0
        self._history_next = 0
        self._jump_s = 0

    def start(self, now_ms: int) -> None:
        """Begin at tick `now_ms`: a channel that is never measured is bad from here on."""
        self._visit_ms = now_ms

    def visit(self, now_ms: int, readings) -> bool:
        """Take the newest sample. Return True if a value, its validity or a fault changed."""
        since_ms = ticks_diff(now_ms, self._visit_ms)
        self._visit_ms = now_ms
        i = self.index
        age_ms = readings.temp_age_ms[i]
        if not readings.temp_ok[i] or age_ms > _GIVE_UP_MS:
            return self._miss(now_ms, since_ms, _ABSENT)
        rail_mv = readings.temp_rail_mv
        if not _RAIL_LEAST_MV <= rail_mv <= _RAIL_MOST_MV:
            return self._miss(now_ms, since_ms, _ABSENT)
        conversion_ms = ticks_add(now_ms, -age_ms)
        apart_ms = 0
        if self._has_conversion:
            apart_ms = ticks_diff(conversion_ms, self._conversion_ms)
            if apart_ms < _APART_MS:
                if self._sample == GOOD:
                    return False
                return self._miss(now_ms, since_ms, self._sample)
        self._has_conversion = True
        self._conversion_ms = conversion_ms
        sample = self._probe.read(readings.temp_mv[i], rail_mv)
        if sample != GOOD:
            return self._miss(now_ms, since_ms, sample)
        self._sample = GOOD
        self._good_ms = conversion_ms
        return self._take(self._probe.decic, min(apart_ms, _GIVE_UP_MS))

    def _miss(self, now_ms: int, since_ms: int, sample: int) -> bool:
        """Add bad time; give the sensor up when there is too much of it."""
        if self._sample == GOOD:
            since_ms = ticks_diff(now_ms, self._good_ms)  # it may have died right after
        self._sample = sample
        self._bad_ms += since_ms
        if self._bad_ms < _GIVE_UP_MS:
            return False
        self._bad_ms = _GIVE_UP_MS
        self._count = 0
        self.is_valid = False
        if sample == _ABSENT:
            self._has_conversion = False  # its tick is meaningless after half a wrap
        if self.fault == _FAULTS[sample]:
            return False
        self.fault = _FAULTS[sample]
        return True

    def _take(self, decic: int, apart_ms: int) -> bool:
        """Take a good sample, `apart_ms` (0..1000) after the one before."""
        self._bad_ms = max(0, self._bad_ms - (apart_ms >> _FORGIVE_SHIFT))
        self._old_decic = self._mid_decic
        self._mid_decic = self._new_decic
        self._new_decic = decic
        if self._count < 3:
            self._count += 1
            if self._count < 3:
                return False
        if self.fault:
            if self._bad_ms:
                return False  # it was given up: 4 s of good samples win it back
            self.fault = 0
        low = min(self._new_decic, self._mid_decic)
        high = max(self._new_decic, self._mid_decic)
        median_decic = max(low, min(high, self._old_decic))
        is_new = median_decic != self.median_decic or not self.is_valid
        before_decic = self.decic
        self.median_decic = median_decic
        self._smooth(median_decic << _SUB_SHIFT, apart_ms)
        return is_new or self.decic != before_decic

    def _smooth(self, target: int, most_fall: int) -> None:
        step = target - self._fast
        if not self.is_valid:
            # First value, or first after a fault: no past to compare with.
            self.is_valid = True
            self._fast = target
            self._slow = target << _FINE_SHIFT
            self._slow_s = 0
            self.watch()
            self._history_count = self._history_next = self._jump_s = 0
        elif step > _SNAP_SUB:
            self._fast = target
        elif step >= 0:
            self._fast += step >> _FAST_SHIFT
        else:
            # By one at least: what is lost on the way down would be 0.1 K once rounded up.
            self._fast -= min(max(1, -step >> _FAST_SHIFT), most_fall)
        self.decic = (self._fast + (1 << _SUB_SHIFT) - 1) >> _SUB_SHIFT

    def trend(self) -> bool:
        """Follow the movement, once a second. Return True if a jump was found."""
        if not self.is_valid:
            return False
        if self._slow_s < _SLOW_S:
            self._slow_s += 1
        self._slow += ((self._fast << _FINE_SHIFT) - self._slow) // self._slow_s
        self.low = min(self.low, self._slow)
        self.high = max(self.high, self._slow)
        if self.watched_s < WATCH_S:
            self.watched_s += 1
        return self._jump()

    def _jump(self) -> bool:
        """Compare with the last ten seconds. A jump gone after a second was a disturbance."""
        now_decic = self.median_decic
        low = high = now_decic
        for i in range(self._history_count):
            before_decic = self._history[i]
            if before_decic < low:
                low = before_decic
            elif before_decic > high:
                high = before_decic
        if now_decic - low > self._jump_decic or high - now_decic > self._jump_decic:
            self._jump_s += 1
            if self._jump_s < _JUMP_S:
                # Not into the history: the way back from a disturbance must not look like a jump.
                return False
            self.has_jumped = True
            self._history_count = self._history_next = 0
            self.watch()
        self._jump_s = 0
        self._history[self._history_next] = now_decic
        self._history_next += 1
        self._history_count = max(self._history_count, self._history_next)
        if self._history_next == _HISTORY:
            self._history_next = 0
        return self.has_jumped

    def watch(self) -> None:
        """Watch anew how far the value moves."""
        self.low = self.high = self._slow
        self.watched_s = 0

    def pulled(self) -> None:
        """Clear what lasts until unplugged. A jump that goes on is found again."""
        self.has_jumped = False
        self.is_stuck = False
