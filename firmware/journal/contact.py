"""One contact's share of a session: what is summed of it, and what the sums say. journal.heating has the terms and scales.

The sums are of the steps of one session, for each lag on its own. Judging takes one lag a tick: `fit` for each, then
`conclude`. Nothing allocates after construction.
"""

from array import array

from micropython import const

from journal.whole import muldiv, root

LAGS = const(6)
# Where in a contact's sums those of x'^2, x'T' and x'z begin, a place a lag.
_XX = const(0)
_XY = const(6)
_XZ = const(12)
_SUMS = const(18)
# What is worked with while a contact is judged, the same array for all: a place a lag of T' / x' in 1/16384, of the squares
# left over, and of the squares of what is x' and not drift; then the squares of T' without drift.
_RATIO = const(0)
_REST = const(6)
_CLEAR = const(12)
_CLEAR_YY = const(18)
WORK = const(19)

# The high-pass: 2336 s, slower than any lag and faster than a day's ambient. Of 8 s, in 1/4096.
SLOW_SHARE = const(14)
# A quarter of rated has to be reached: below it there is a sixteenth of the rise to see.
_LOW_X = const(256)
_SHORT_STEPS = const(75)  # 10 min of current
_FULL = const(1 << 28)  # sums are halved above; one step adds less than 2**26
_NEIGHBOURS = const(40)  # steps that err alike: 5 min of weather
_NOISE = const(16)  # (0.1 K)^2 in (25 mK)^2: rounding of 0.1 K and the ADC
_DRIFT = const(6)  # 0.15 K in 25 mK: ambient that is neither a steady drift nor noise

# Why a session gives no estimate.
KNOWN = const(0)
NO_CURRENT = const(1)
NO_START = const(2)
NO_UPSET = const(3)
NO_SENSOR = const(4)
NO_LOW = const(5)
NO_SHORT = const(6)
NO_FIT = const(7)
NO_SURE = const(8)

MOST = const(4_000_000)  # uK/A^2 that any record holds; 256 of it are below 2**30


class Contact:
    """Results stand from the session's end to the next one's.

    channel: index in the arrays of a Moment. rated_tenths: rated current, 0.1 A. work: array of WORK ints, shared.
    """

    def __init__(self, channel: int, rated_tenths: int, work):
        self.reason = NO_SHORT  # KNOWN or NO_*
        self.coefficient = 0  # uK/A^2, as at a contact of 20 C
        self.spread = 0  # its uncertainty, one sigma, uK/A^2
        self.lag_x16 = 0  # the session's own lag, 0..80: sixteenths of a place in heating._SHARE
        self.use_lag_x16 = -1  # lag to read the coefficient at; below 0: the session's own
        self.is_clear = False  # clear enough to learn its lag from
        self._channel = channel
        self._rated_tenths = rated_tenths
        self._work = work
        # The step that is open, and the last one closed.
        self._t_sum = 0
        self._t_count = 0
        self._now = 0  # T of it
        self._high = 0  # T'
        self._is_fresh = False  # it was measured
        # The session.
        self._has_slow = False
        self._slow = 0  # slow mean of T, 1/256
        self._n = 0  # steps
        self._lost = 0  # and those without a measurement
        self._warm_sum = 0  # 0.1 C, while current flows
        self._warm_n = 0
        self._yy = 0
        self._ax = 0  # sum of |x'| of a middle lag
        self._zz = 0
        self._zy = 0
        self._sums = array("i", [0] * _SUMS)

    def sample(self, moment, has_reference: bool) -> None:
        """Take a moment's temperature into the step that is open."""
        if moment.valid[self._channel]:
            t = moment.decic[self._channel]
            if has_reference:
                t -= moment.reference_decic
            self._t_sum += t
            self._t_count += 1

    def clear_step(self) -> None:
        """Begin a step."""
        self._t_sum = self._t_count = 0

    def close_step(self) -> None:
        """Close the step, and begin another."""
        self._is_fresh = self._t_count > 0
        if self._is_fresh:
            # 20 samples of +-2000 times 8.
            self._now = self._t_sum * 8 // self._t_count
        self._t_sum = self._t_count = 0

    def begin(self) -> None:
        """Begin a session."""
        self._has_slow = False
        self._zz = self._zy = self._yy = self._ax = 0
        self._n = self._lost = self._warm_sum = self._warm_n = 0
        for i in range(_SUMS):
            self._sums[i] = 0

    def add(self, moment, z: int, is_flowing: bool) -> None:
        """Bring the step's temperature behind the high-pass, and sum what needs no lag. z: the drift's curve, 0..128."""
        if not self._is_fresh:
            self._lost += 1
            return
        t = self._now << 8  # 2000 * 8 * 256 = 4.1e6, times 14 is 5.7e7
        if not self._has_slow:
            self._has_slow = True
            self._slow = t
        self._slow += (t - self._slow) * SLOW_SHARE >> 12
        high = (t - self._slow + 256) >> 9
        self._high = high
        if is_flowing:
            self._warm_sum += moment.decic[self._channel]
            self._warm_n += 1
        self._n += 1
        self._yy += high * high  # 200 K are 8000: 6.4e7
        self._zz += z * z
        self._zy += z * high  # zy^2 <= zz * yy, both at most 2**28 and a step
        if self._yy > _FULL or self._sums[_XX] > _FULL or self._zz > _FULL:
            self._halve()

    def _halve(self) -> None:
        """Halve what has been summed: a long session forgets its beginning slowly."""
        self._n >>= 1
        self._yy >>= 1
        self._zz >>= 1
        self._zy >>= 1
        self._ax >>= 1
        self._warm_sum >>= 1
        self._warm_n >>= 1
        for i in range(_SUMS):
            self._sums[i] >>= 1

    def carry(self, lag: int, x: int, z: int) -> None:
        """Sum the step at one lag: x' of it is `x`."""
        if not self._is_fresh:
            return
        sums = self._sums
        sums[lag] += x * x  # 1.0e6
        sums[_XY + lag] += x * self._high  # 1024 * 8000 = 8.2e6
        sums[_XZ + lag] += x * z
        if lag == 2:
            self._ax += abs(x)

    # The session is over ---------------------------------------------------

    def fit(self, lag: int) -> None:
        """Fit k and the drift at one lag. Sums keep |ab|^2 <= aa * bb, so every quotient stays below 2**29."""
        sums = self._sums
        work = self._work
        zz = max(1, self._zz)
        xz = abs(sums[_XZ + lag])
        zy = abs(self._zy)
        xy = muldiv(xz, zy, zz)
        if (sums[_XZ + lag] < 0) == (self._zy < 0):
            xy = -xy
        xy = max(0, xy + sums[_XY + lag])
        xx = max(1, sums[lag] - muldiv(xz, xz, zz))
        yy = max(0, self._yy - muldiv(zy, zy, zz))
        work[_CLEAR + lag] = xx
        work[_CLEAR_YY] = yy
        if xy >> 6 < xx:
            work[_RATIO + lag] = muldiv(xy, 16384, xx)
            work[_REST + lag] = max(0, yy - muldiv(xy, xy, xx))
        else:
            # Sixty-four times 12.8 K at rated: not from current.
            work[_RATIO + lag] = 0
            work[_REST + lag] = yy

    def conclude(self, why: int, peak: int, flow: int) -> None:
        """Leave the result. why: KNOWN, or what speaks against the session; peak: greatest x; flow: steps with current."""
        if not why:
            if not self._n or self._lost * 8 > self._n:
                why = NO_SENSOR
            elif peak < _LOW_X:
                why = NO_LOW
            elif flow < _SHORT_STEPS:
                why = NO_SHORT
            else:
                why = self._estimate()
        self.reason = why

    def _estimate(self) -> int:
        """Return KNOWN and leave the estimate, or why there is none."""
        work = self._work
        # The lag that leaves the least squares over; its bottom by the parabola through three.
        best = 0
        for lag in range(1, LAGS):
            if work[_REST + lag] < work[_REST + best]:
                best = lag
        own_x16 = best << 4
        bend = 0  # of the squares left over, 1/32
        if 0 < best < LAGS - 1:
            least = work[_REST + best]
            before = (work[_REST + best - 1] - least) >> 5  # 2**24 * 8 at most
            after = (work[_REST + best + 1] - least) >> 5
            bend = before + after
            if bend > 0:
                own_x16 += 8 * (before - after) // bend
        yy = work[_CLEAR_YY]
        self.lag_x16 = own_x16
        self.is_clear = work[_REST + best] < yy >> 5
        used_x16 = self.use_lag_x16
        is_learned = used_x16 >= 0
        if not is_learned:
            used_x16 = own_x16
        lag = min(used_x16 >> 4, LAGS - 2)
        slope = work[_RATIO + lag + 1] - work[_RATIO + lag]
        ratio = work[_RATIO + lag] + (slope * (used_x16 - (lag << 4)) >> 4)
        rest = min(work[_REST + lag], work[_REST + lag + 1])
        if ratio <= 0 or rest * 2 > yy:
            return NO_FIT
        n = self._n
        # What is left over errs together for minutes on end; the noise does not.
        squares = muldiv(rest, _NEIGHBOURS, n) if rest >> 22 < n else _FULL
        squares += _NOISE
        error = self._error(work[_CLEAR + lag], ratio, squares)
        # 16 is a whole place: 2**20 * 16.
        error += abs(slope) * (1 if is_learned else _lag_error_x16(squares, bend)) >> 4
        if error * 4 > ratio:
            return NO_SURE
        self.coefficient = self._in_uk(ratio)
        self.spread = max(1, self._in_uk(error))
        return KNOWN

    def _error(self, xx: int, ratio: int, squares: int) -> int:
        """Return the uncertainty of a ratio, 1/16384, but for that of the lag; the ratio itself: hopeless."""
        drift = self._ax * _DRIFT  # 1024 * 16384 * 6
        if squares >> 6 >= xx or drift >> 4 >= xx:
            return ratio
        error = root(muldiv(squares, 1 << 20, xx)) << 4
        return error + muldiv(drift, 16384, xx) + (ratio >> 6)

    def _in_uk(self, ratio: int) -> int:
        """Return uK/A^2 of a ratio, at a contact of 20 C: copper and brass gain 0.15..0.39 % of resistance a kelvin, 0.2
        are taken off, so that summer and winter differ by less than 10 % in what is left."""
        # 512 of x' are rated, 25 mK of T' a unit: 12800 / 16384 mK.
        rise_mk = ratio * 25 >> 5
        squared = self._rated_tenths * self._rated_tenths  # 2.5e7 at most
        coefficient = min(MOST, muldiv(rise_mk, 100_000, squared))
        warm_decic = self._warm_sum // max(1, self._warm_n)
        return muldiv(coefficient, 10_000, 10_000 + 2 * (warm_decic - 200))


def _lag_error_x16(squares: int, bend: int) -> int:
    """Return how far the session's own lag may be off, 1..16: as far as the parabola rises by `squares`."""
    # `bend` is 1/32 of the bend, the parabola half of it a place squared: 16 * sqrt(squares / (16 * bend)).
    if squares >> 4 >= bend:
        return 16
    return max(1, root(muldiv(squares, 16, bend)))
