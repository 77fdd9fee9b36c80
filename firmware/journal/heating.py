"""How much each contact warms for the current it carries: one estimate a session, or the reason why there is none.

A contact's temperature is  ambient + k * L(I^2):  L is a first-order lag (its time constant: heat capacity, cable, sensor),
k the *heating coefficient*, in the steady state, here in uK/A^2. 15 K at 32 A are 14648 uK/A^2; at 6 A 416667, at 500 A
60. Ambient is not known. It is taken out by a high-pass: the slow mean of the temperature is subtracted from the
temperature and, by the very same filter, that of L(I^2) from L(I^2). The line  T' = k * x'  goes through the origin then,
whatever the ambient was, and current steps (solar, derating, pauses, the cooling afterwards) are all evidence.
Least squares over the session give k for six lags at once; the lag that leaves the least rest is the session's, and the one
learned over the sessions is what k is read at, so that a session's own misjudged lag does not move it.

What ambient drift gets through the high-pass is the same for each steady slope, a line that levels off; it is fitted along
and taken out (z). A session must tell the two apart by their shapes, or its uncertainty says that it cannot.

Scales (everything within 2**30): x = (I / rated)^2, 4096 at rated, at most 8192; x' 512 at rated; T in 1/8 of 0.1 K,
T' in 25 mK. Work is spread: a tick samples, each eighth second closes a step of 8 s, the ticks in between filter one lag
each; a session is judged one lag of one contact a tick. Nothing allocates after construction.
"""

from array import array

from micropython import const

from journal.whole import muldiv, root
from ticks import ticks_diff

LAGS = const(6)
# Eight seconds as a share of the way, in 1/4096: time constants of 133, 201, 305, 458, 693 and 1053 s. The plant's contact
# has 300 s and a sensor 15 s behind it; own choice for what inlets may have.
_SHARE = (240, 160, 106, 71, 47, 31)
# The high-pass: 2336 s, slower than any lag and faster than a day's ambient.
_SLOW_SHARE = const(14)

_SECOND_MS = const(1000)
_STEP_MS = const(8000)
_GAP_MS = const(12_000)  # without a tick for longer, the past is not known
_COOL_MS = const(1_800_000)
_REST_STEPS = const(225)  # 30 min: more than five time constants of 300 s
_X_MOST = const(8192)
_Q_MOST = const(1448)  # its root times 16, current in 1/1024 of rated
_FLOW_X = const(64)  # an eighth of rated: 4 A of 32
# A quarter of rated has to be reached: below it there is a sixteenth of the rise to see.
_LOW_X = const(256)
_SHORT_STEPS = const(75)  # 10 min of current
_UNKNOWN_STEPS = const(3)  # the last current is kept for so long
_FULL = const(1 << 28)  # sums are halved above; one step adds less than 2**24
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


class Moment:
    """What Heating and ContactHealth are told: one object, filled anew before each tick.

    ma: current through the contacts now, as measured and never as permitted; 0 where S2 is open. decic, valid: arrays of
    all channels, 0.1 C. reference_decic: of the sensor that carries no current. is_upset: something else warms the
    contacts (port heater). station: 1..255 for one that the caller tells from others, 0 where it cannot.
    """

    def __init__(self, decic, valid):
        self.ma = 0
        self.is_measured = False
        self.decic = decic
        self.valid = valid
        self.reference_decic = 0
        self.reference_ok = False
        self.is_plugged = False
        self.is_upset = False
        self.station = 0


class Heating:
    """Contacts that carry the same current. `tick` once a second; results stand from its True to the next True.

    channels: index of each contact in the arrays given to tick. rated_ma: 6000..500000. has_reference: a sensor that
    carries no current (housing, or the DC contacts in an AC charge) is given to each tick and taken off first.
    """

    def __init__(  # noqa: PLR0915 - one assignment a value
        self, channels, rated_ma: int, has_reference: bool = False
    ):
        if not 6000 <= rated_ma <= 500_000:
            raise ValueError(f"rated_ma: {rated_ma} is outside 6000..500000")
        count = len(channels)
        self.count = count
        self.reason = array("b", [NO_SHORT] * count)  # KNOWN or NO_*
        self.coefficient = array("i", [0] * count)  # uK/A^2, as at a contact of 20 C
        self.spread = array("i", [0] * count)  # its uncertainty, one sigma, uK/A^2
        self.lag_x16 = array(
            "i", [0] * count
        )  # the session's own lag, 0..80: sixteenths of a place in _SHARE
        self.use_lag_x16 = array("i", [-1] * count)  # lag to read k at; below 0: the session's own
        self.is_same_plug = False  # the session judged last had the plug-in of the one before
        self.rated_tenths = rated_ma // 100  # of an ampere
        self._channels = array("b", channels)
        self._rated_ma = rated_ma
        self._has_reference = has_reference
        self._has_started = False
        self._tick_ms = 0
        self._step_ms = 0  # of the step that is open
        self._x_sum = 0  # x times ms
        self._unknown_ms = 0
        self._unknown_steps = 0  # running
        self._x = 0  # of the last step closed
        self._t_sum = array("i", [0] * count)
        self._t_count = array("i", [0] * count)
        self._lag = LAGS  # next lag to filter; LAGS: all done
        self._fast = array("i", [0] * LAGS)  # L(x), 1/256
        self._mean = array("i", [0] * LAGS)  # its slow mean
        self._slow = array("i", [0] * count)  # slow mean of T, 1/256
        self._has_slow = array("b", [0] * count)
        self._now = array("i", [0] * count)  # T of the last step
        self._high = array("i", [0] * count)  # T'
        self._fresh = array("b", [0] * count)  # the last step measured it
        self._rest = 0  # steps without current, 0.._REST_STEPS
        self._is_open = False  # a session is being summed
        self._had_session = False  # in this plug-in
        self._why = KNOWN
        self._flow = 0  # steps with current in the session
        self._peak = 0  # greatest x in it
        self._n = array("i", [0] * count)
        self._lost = array("i", [0] * count)
        self._warm_sum = array("i", [0] * count)  # 0.1 C, while current flows
        self._warm_n = array("i", [0] * count)
        self._xx = array("i", [0] * (count * LAGS))
        self._xy = array("i", [0] * (count * LAGS))
        self._yy = array("i", [0] * count)
        self._ax = array("i", [0] * count)  # sum of |x'| of a middle lag
        self._z = 0  # what a steady drift looks like behind the high-pass: 0..128, in 1/1024
        self._xz = array("i", [0] * (count * LAGS))
        self._zz = array("i", [0] * count)
        self._zy = array("i", [0] * count)
        self.is_clear = array("b", [0] * count)  # clear enough to learn its lag from
        self._judging = -1  # lag of a contact to judge, contact * (LAGS + 1) + lag; -1: none
        self._ratio = array("i", [0] * LAGS)  # T' / x', 1/16384
        self._rest_of = array("i", [0] * LAGS)  # squares left over
        self._clear_xx = array("i", [0] * LAGS)  # squares of what is x' and not drift
        self._clear_yy = 0
        self._own_x16 = 0
        self._bend = 0  # of the squares left over, 1/32, at the least

    def begin(self, now_ms: int, is_cool: bool) -> None:
        """Start at tick `now_ms`, after boot or a sleep. is_cool: no current for the last 30 min, as the caller knows."""
        self._has_started = True
        self._tick_ms = now_ms
        if self._is_open:
            self._is_open = False
            self._judging = 0
        self._clear_step()
        self._lag = LAGS
        self._x = 0
        self._rest = _REST_STEPS if is_cool else 0

    def tick(self, now_ms: int, moment: Moment) -> bool:
        """Take one moment; return True when a session has been judged, at its end or 30 min after its last current.

        Call it every second or two, at most 12 s apart, in rest too.
        """
        if not self._has_started:
            self.begin(now_ms, False)
            return False
        since_ms = ticks_diff(now_ms, self._tick_ms)
        if since_ms < 0 or since_ms > _GAP_MS:
            # Asleep, so S2 was open. Half a wrap and more reads as negative: six days are cool.
            self.begin(now_ms, since_ms < 0 or since_ms >= _COOL_MS)
            return False
        if since_ms < _SECOND_MS:
            return False
        self._tick_ms = now_ms
        self._sample(since_ms, moment)
        if self._step_ms >= _STEP_MS:
            while self._lag < LAGS:
                self._filter()
            self._close(moment)
        elif self._lag < LAGS:
            self._filter()
        return self._judging >= 0 and self._judge()

    def _sample(self, since_ms: int, moment: Moment) -> None:
        self._step_ms += since_ms
        if moment.is_measured:
            # At most 1.5 times 500000 mA times 1024, or 7.7e8; x * ms: 8192 * 20000 = 1.7e8.
            q = min(moment.ma, self._rated_ma + (self._rated_ma >> 1)) * 1024 // self._rated_ma
            q = max(0, min(q, _Q_MOST))
            self._x_sum += (q * q >> 8) * since_ms
        else:
            self._unknown_ms += since_ms
        for c in range(self.count):
            channel = self._channels[c]
            if moment.valid[channel] and (moment.reference_ok or not self._has_reference):
                t = moment.decic[channel]
                if self._has_reference:
                    t -= moment.reference_decic
                self._t_sum[c] += t
                self._t_count[c] += 1

    def _clear_step(self) -> None:
        self._step_ms = self._x_sum = self._unknown_ms = 0
        for c in range(self.count):
            self._t_sum[c] = self._t_count[c] = 0

    def _close(self, moment: Moment) -> None:
        """Close a step of 8 s."""
        is_plugged = moment.is_plugged
        self._take_current(is_plugged)
        for c in range(self.count):
            self._fresh[c] = self._t_count[c] > 0
            if self._fresh[c]:
                # 20 samples of +-2000 times 8.
                self._now[c] = self._t_sum[c] * 8 // self._t_count[c]
        self._clear_step()
        if moment.is_upset:
            self._doubt(NO_UPSET)
        is_flowing = self._x >= _FLOW_X
        if is_flowing and not self._is_open and self._judging < 0:
            self._open(is_plugged)
        if not is_flowing:
            self._rest = min(_REST_STEPS, self._rest + 1)
        elif self._is_open:
            self._rest = 0  # else the session before is still being judged: some seconds of warming are let go
        if not is_plugged:
            self._had_session = False
        if self._is_open:
            self._go_on(moment, is_flowing)

    def _go_on(self, moment: Moment, is_flowing: bool) -> None:
        """Bring the step into the session, or end it."""
        if not moment.is_plugged or self._rest == _REST_STEPS:
            self._is_open = False
            self._judging = 0
            return
        self._flow += is_flowing
        self._peak = max(self._peak, self._x)
        self._z += ((128 << 10) - self._z) * _SLOW_SHARE >> 12
        for c in range(self.count):
            if self._fresh[c]:
                self._sum(c, moment.decic[self._channels[c]], is_flowing)
            else:
                self._lost[c] += 1
        self._lag = 0

    def _take_current(self, is_plugged: bool) -> None:
        known_ms = self._step_ms - self._unknown_ms
        if known_ms * 2 >= self._step_ms:
            self._unknown_steps = 0
            self._x = min(_X_MOST, self._x_sum // known_ms)
        elif not is_plugged:
            self._x = 0  # nothing is in that could draw any
        elif self._unknown_steps < _UNKNOWN_STEPS:
            self._unknown_steps += 1
        else:
            self._doubt(NO_CURRENT)

    def _doubt(self, why: int) -> None:
        """The past is not known: only half an hour of rest makes it so again."""
        if self._is_open and not self._why:
            self._why = why
        self._rest = 0

    def _open(self, is_plugged: bool) -> None:
        """Begin to sum, the slow mean anew from the contact's own temperature before the current.

        A contact still warm from another current has no such temperature, so that session is not known.
        """
        self.is_same_plug = self._had_session and is_plugged
        self._had_session = True
        self._is_open = True
        self._why = KNOWN if self._rest >= _REST_STEPS else NO_START
        self._flow = self._peak = self._z = 0
        for lag in range(LAGS):
            self._fast[lag] = self._mean[lag] = 0
        for i in range(self.count * LAGS):
            self._xx[i] = self._xy[i] = self._xz[i] = 0
        for c in range(self.count):
            self._has_slow[c] = 0
            self._zz[c] = self._zy[c] = self._yy[c] = 0
            self._n[c] = self._lost[c] = 0
            self._warm_sum[c] = self._warm_n[c] = 0
            self._ax[c] = 0

    def _sum(self, c: int, decic: int, is_flowing: bool) -> None:
        """Bring a contact's temperature behind the high-pass, and sum what needs no lag."""
        t = self._now[c] << 8  # 2000 * 8 * 256 = 4.1e6, times 14 is 5.7e7
        if not self._has_slow[c]:
            self._has_slow[c] = 1
            self._slow[c] = t
        self._slow[c] += (t - self._slow[c]) * _SLOW_SHARE >> 12
        high = (t - self._slow[c] + 256) >> 9
        self._high[c] = high
        if is_flowing:
            self._warm_sum[c] += decic
            self._warm_n[c] += 1
        self._n[c] += 1
        self._yy[c] += high * high  # 200 K are 8000: 6.4e7
        z = self._z >> 10
        self._zz[c] += z * z
        self._zy[c] += z * high  # zy^2 <= zz * yy, both at most 2**28 and a step
        if self._yy[c] > _FULL or self._xx[c * LAGS] > _FULL or self._zz[c] > _FULL:
            self._halve(c)

    def _halve(self, c: int) -> None:
        """Halve what has been summed of a contact: a long session forgets its beginning slowly."""
        self._n[c] >>= 1
        self._yy[c] >>= 1
        self._zz[c] >>= 1
        self._zy[c] >>= 1
        self._ax[c] >>= 1
        self._warm_sum[c] >>= 1
        self._warm_n[c] >>= 1
        for i in range(c * LAGS, c * LAGS + LAGS):
            self._xx[i] >>= 1
            self._xy[i] >>= 1
            self._xz[i] >>= 1

    def _filter(self) -> None:
        """Carry one lag over the step that was closed last."""
        lag = self._lag
        self._lag = lag + 1
        # 8192 * 256 * 240 = 5.0e8.
        fast = self._fast[lag]
        fast += ((self._x << 8) - fast) * _SHARE[lag] >> 12
        self._fast[lag] = fast
        mean = self._mean[lag]
        mean += (fast - mean) * _SLOW_SHARE >> 12
        self._mean[lag] = mean
        x = (fast - mean + 1024) >> 11
        xx = x * x  # 1.0e6
        z = self._z >> 10
        i = lag
        for c in range(self.count):
            if self._fresh[c]:
                self._xx[i] += xx
                self._xy[i] += x * self._high[c]  # 1024 * 8000 = 8.2e6
                self._xz[i] += x * z
                if lag == 2:
                    self._ax[c] += abs(x)
            i += LAGS

    def _judge(self) -> bool:
        """Judge one lag of one contact, or conclude about a contact; return True after the last."""
        c = self._judging // (LAGS + 1)
        lag = self._judging - c * (LAGS + 1)
        self._judging += 1
        if lag < LAGS:
            self._fit(c, lag)
            return False
        self.reason[c] = self._conclude(c)
        if c + 1 < self.count:
            return False
        self._judging = -1
        return True

    def _fit(self, c: int, lag: int) -> None:
        """Fit k and the drift at one lag. Sums keep |ab|^2 <= aa * bb, so every quotient stays below 2**29."""
        i = c * LAGS + lag
        zz = max(1, self._zz[c])
        xz = abs(self._xz[i])
        zy = abs(self._zy[c])
        xy = self._xy[i]
        if (self._xz[i] < 0) == (self._zy[c] < 0):
            xy -= muldiv(xz, zy, zz)
        else:
            xy += muldiv(xz, zy, zz)
        xy = max(0, xy)
        xx = max(1, self._xx[i] - muldiv(xz, xz, zz))
        self._clear_xx[lag] = xx
        self._clear_yy = yy = max(0, self._yy[c] - muldiv(zy, zy, zz))
        if xy >> 6 < xx:
            self._ratio[lag] = muldiv(xy, 16384, xx)
            self._rest_of[lag] = max(0, yy - muldiv(xy, xy, xx))
        else:
            # Sixty-four times 12.8 K at rated: not from current.
            self._ratio[lag] = 0
            self._rest_of[lag] = yy

    def _refusal(self, c: int) -> int:
        """Return why the session cannot tell, whatever it fits; KNOWN if it may."""
        if self._why:
            return self._why
        n = self._n[c]
        if not n or self._lost[c] * 8 > n:
            return NO_SENSOR
        if self._peak < _LOW_X:
            return NO_LOW
        return NO_SHORT if self._flow < _SHORT_STEPS else KNOWN

    def _own_lag(self) -> int:
        """Leave where the squares left over are least: the bottom of the parabola through three lags. Return the lag."""
        rests = self._rest_of
        best = 0
        for lag in range(1, LAGS):
            if rests[lag] < rests[best]:
                best = lag
        self._own_x16 = best << 4
        self._bend = 0
        if 0 < best < LAGS - 1:
            before = (rests[best - 1] - rests[best]) >> 5  # 2**24 * 8 at most
            after = (rests[best + 1] - rests[best]) >> 5
            self._bend = bend = before + after
            if bend > 0:
                self._own_x16 += 8 * (before - after) // bend
        return best

    def _conclude(self, c: int) -> int:
        """Return KNOWN and leave a contact's result, or why there is none."""
        refusal = self._refusal(c)
        if refusal:
            return refusal
        best = self._own_lag()
        rests = self._rest_of
        yy = self._clear_yy
        self.lag_x16[c] = self._own_x16
        self.is_clear[c] = rests[best] < yy >> 5
        used_x16 = self.use_lag_x16[c]
        is_learned = used_x16 >= 0
        if not is_learned:
            used_x16 = self._own_x16
        lag = min(used_x16 >> 4, LAGS - 2)
        slope = self._ratio[lag + 1] - self._ratio[lag]
        ratio = self._ratio[lag] + (slope * (used_x16 - (lag << 4)) >> 4)
        rest = min(rests[lag], rests[lag + 1])
        if ratio <= 0 or rest * 2 > yy:
            return NO_FIT
        n = self._n[c]
        # What is left over errs together for minutes on end; the noise does not.
        squares = muldiv(rest, _NEIGHBOURS, n) if rest >> 22 < n else _FULL
        squares += _NOISE
        error = self._error(c, lag, ratio, squares)
        # 16 is a whole place: 2**20 * 16.
        error += abs(slope) * (1 if is_learned else self._lag_error_x16(squares)) >> 4
        if error * 4 > ratio:
            return NO_SURE
        self.coefficient[c] = self._in_uk(c, ratio)
        self.spread[c] = max(1, self._in_uk(c, error))
        return KNOWN

    def _lag_error_x16(self, squares: int) -> int:
        """Return how far the session's own lag may be off, 1..16: as far as the parabola rises by `squares`."""
        # _bend is 1/32 of the bend, the parabola half of it a place squared: 16 * sqrt(squares / (16 * bend)).
        bend = self._bend
        if squares >> 4 >= bend:
            return 16
        return max(1, root(muldiv(squares, 16, bend)))

    def _error(self, c: int, lag: int, ratio: int, squares: int) -> int:
        """Return the uncertainty of a ratio, 1/16384, but for that of the lag; the ratio itself: hopeless."""
        xx = self._clear_xx[lag]
        drift = self._ax[c] * _DRIFT  # 1024 * 16384 * 6
        if squares >> 6 >= xx or drift >> 4 >= xx:
            return ratio
        error = root(muldiv(squares, 1 << 20, xx)) << 4
        return error + muldiv(drift, 16384, xx) + (ratio >> 6)

    def _in_uk(self, c: int, ratio: int) -> int:
        """Return uK/A^2 of a ratio, at a contact of 20 C: copper and brass gain 0.15..0.39 % of resistance a kelvin, 0.2
        are taken off, so that summer and winter differ by less than 10 % in what is left."""
        # 512 of x' are rated, 25 mK of T' a unit: 12800 / 16384 mK.
        rise_mk = ratio * 25 >> 5
        squared = self.rated_tenths * self.rated_tenths  # 2.5e7 at most
        coefficient = min(MOST, muldiv(rise_mk, 100_000, squared))
        warm_decic = self._warm_sum[c] // max(1, self._warm_n[c])
        return muldiv(coefficient, 10_000, 10_000 + 2 * (warm_decic - 200))


MOST = const(4_000_000)  # uK/A^2 that any record holds; 256 of it are below 2**30
