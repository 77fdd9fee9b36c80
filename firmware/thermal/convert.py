"""Divider voltage to resistance to temperature, in integers, wrong only towards hotter.

A sensor hangs between the ADC pin and ground, its pull-up between the pin and a measured rail. A
*key* is the resistance in 0.1 ohm, with its sign turned for an NTC: keys always rise with
temperature, so one table, one search and one rounding direction serve both kinds. Tables are made
at boot with exact big integers (no float: the same on every target); what runs later stays within
a 31-bit small int and allocates nothing.

Every rounding leans to hot: table keys are rounded down, a measured key up, a temperature up. So
does the straight line between two nodes: R(T) of an NTC is convex and falls, that of a PT1000 is
concave and rises, and either chord reaches a given resistance at a higher temperature than the
curve does (by 0.05 K at most).

Sources: NTC R = R25 * exp(B / T - B / 298.15 K). PT1000: IEC 60751, R = 1000 * (1 + A t + B t^2 +
C (t - 100) t^3), A = 3.9083e-3, B = -5.775e-7, C = -4.183e-12 below 0 C and 0 above.
"""

from array import array

from micropython import const

from thermal.params import NTC, ChannelParams

# What a sample is.
GOOD = const(0)
OPEN = const(1)  # no sensor, a broken wire
SHORT = const(2)  # a shorted sensor or wire
SAMPLE_NAMES = ("good", "open", "short")

# Range of the tables. A contact below -50 C or above 150 C is a broken sensor (or a broken
# contact: it must have passed the stop temperature on its way).
MIN_DECIC = const(-500)
MAX_DECIC = const(1500)
_STEP_DECIC = const(25)
_LAST = const(80)

# A divider within 1.5 % of its rail is open, within 0.5 % of ground shorted, whatever the sensor:
# these leave room for 16 mV of ADC offset at 3.3 V.
_OPEN_PERMILLE = const(985)
_SHORT_PERMILLE = const(5)

# Temperatures a divider must be able to tell from a broken wire and from a short. J1772: ambient
# down to -30 C; IEC 61851-23 CC.4.2: contacts up to 120 C.
_COLD_DECIC = const(-300)
_HOT_DECIC = const(1200)
# The hot one must leave 1 % of the rail, so that a millivolt at 3.3 V is not much more than a
# kelvin.
_HOT_PERMILLE = const(10)


# 2**30 / ln 2, and 2**30 * ln(2)**n / n! from n = 6 down to 0: the series of 2**f. For f within a half either way the
# first term left out is below 1.3e-7 of the whole.
_LOG2_E_X30 = 1549082005
_SERIES_X30 = (165394, 1431680, 10327387, 59597083, 257941248, 744261118, 1073741824)

# (R25, B) -> keys of an NTC, as the bytes of the array; the flash tool fills in the sensor that the settings begin with:
# its table takes a board a tenth of its boot.
MADE_KEYS = {}


def ntc_ohm_x10(r25_ohm: int, beta: int, decic: int) -> int:
    """Return an NTC's 0.1 ohm, rounded up, at `decic` (0.1 C). Big integers: not in a pass."""
    kelvin_x100 = decic * 10 + 27315
    # exp(x) = 2**(x / ln 2): the whole part of the exponent is a shift, the series does the rest.
    exponent_x30 = beta * 100 * (29815 - kelvin_x100) * _LOG2_E_X30 // (kelvin_x100 * 29815)
    whole = (exponent_x30 + (1 << 29)) >> 30
    rest_x30 = exponent_x30 - (whole << 30)
    power_x30 = 0
    for term_x30 in _SERIES_X30:
        power_x30 = (power_x30 * rest_x30 >> 30) + term_x30
    return -(-r25_ohm * 10 * power_x30 >> (30 - whole))


def pt1000_ohm_x10(decic: int) -> int:
    """Return a PT1000's 0.1 ohm, rounded down, at `decic` (0.1 C). Big integers: not in a pass."""
    # All terms over 10**15, exactly.
    sum_e15 = 10**19 + 39083 * 10**11 * decic - 5775 * 10**7 * decic * decic
    if decic < 0:
        sum_e15 -= 4183 * (decic - 1000) * decic**3
    return sum_e15 // 10**15


def ntc_keys(r25_ohm: int, beta: int):
    """Return the keys of an NTC at each node, as array of type "i". Big integers: not in a pass."""
    keys = array("i", [0] * (_LAST + 1))
    for n in range(_LAST + 1):
        keys[n] = -ntc_ohm_x10(r25_ohm, beta, MIN_DECIC + n * _STEP_DECIC)
    return keys


class Probe:
    """One sensor with its pull-up: `read` a voltage, then `decic` and `ohm_x10` hold the result.

    `other`: a probe with the same sensor, whose table (324 byte, and its time at boot) is shared.
    """

    def __init__(self, params: ChannelParams, other=None):
        self.ohm_x10 = 0  # of the last GOOD sample, 0.1 ohm
        self.decic = 0  # of the last GOOD sample, 0.1 C
        self._is_ntc = params.kind == NTC
        # What a resistance beyond the table is.
        self._colder = OPEN if self._is_ntc else SHORT
        self._hotter = SHORT if self._is_ntc else OPEN
        self._pullup_ohm = params.pullup_ohm
        self._node = 0  # where the last search ended: temperatures hardly move between two samples
        if self._is_ntc:
            self._check_ntc(params)
        if other is not None:
            self.keys = other.keys
            return
        if not self._is_ntc:
            self.keys = array("i", [0] * (_LAST + 1))
            for n in range(_LAST + 1):
                self.keys[n] = pt1000_ohm_x10(MIN_DECIC + n * _STEP_DECIC)
            return
        made = MADE_KEYS.get((params.r25_ohm, params.beta))
        self.keys = ntc_keys(params.r25_ohm, params.beta) if made is None else array("i", made)

    def _check_ntc(self, params: ChannelParams) -> None:
        """Raise ValueError for a pull-up that makes cold look open or hot look shorted."""
        cold_x10 = ntc_ohm_x10(params.r25_ohm, params.beta, _COLD_DECIC)
        hot_x10 = ntc_ohm_x10(params.r25_ohm, params.beta, _HOT_DECIC)
        least = cold_x10 * (1000 - _OPEN_PERMILLE) // (_OPEN_PERMILLE * 10) + 1
        most = hot_x10 * (1000 - _HOT_PERMILLE) // (_HOT_PERMILLE * 10)
        if not least <= params.pullup_ohm <= most:
            raise ValueError(
                f"pullup_ohm: {params.pullup_ohm} is outside {least}..{most} for an NTC "
                f"with r25_ohm {params.r25_ohm} and beta {params.beta}"
            )

    def read(self, mv: int, rail_mv: int) -> int:
        """Judge one sample of `mv` under a rail of 2500..5250 mV: GOOD, OPEN or SHORT."""
        # Worst case 5250 * 1000.
        if mv * 1000 >= rail_mv * _OPEN_PERMILLE:
            return OPEN
        if mv * 1000 <= rail_mv * _SHORT_PERMILLE:
            return SHORT
        # Worst cases: 200000 * 5171 = 1.03e9 < 2**30; ohm <= 66 * 200000, times ten 1.3e8; rest <
        # 5250.
        scaled = self._pullup_ohm * mv
        below_mv = rail_mv - mv
        ohm = scaled // below_mv
        tenths = (scaled - ohm * below_mv) * 10
        if self._is_ntc:
            ohm_x10 = ohm * 10 + tenths // below_mv
            key = -ohm_x10
        else:
            ohm_x10 = key = ohm * 10 + (tenths + below_mv - 1) // below_mv
        if key < self.keys[0]:
            return self._colder
        if key > self.keys[_LAST]:
            return self._hotter
        self.ohm_x10 = ohm_x10
        self.decic = self._at(key)
        return GOOD

    def decic_of(self, ohm_x10: int) -> int:
        """Return 0.1 C at `ohm_x10` (0.1 ohm); beyond the table its end, -500 or 1500."""
        key = -ohm_x10 if self._is_ntc else ohm_x10
        if key <= self.keys[0]:
            return MIN_DECIC
        if key >= self.keys[_LAST]:
            return MAX_DECIC
        return self._at(key)

    def _at(self, key: int) -> int:
        """Return the temperature at a key inside the table, rounded up."""
        keys = self.keys
        n = self._node
        if not keys[n] <= key <= keys[n + 1]:
            n = 0
            above = _LAST
            while above - n > 1:
                middle = (n + above) >> 1
                if keys[middle] <= key:
                    n = middle
                else:
                    above = middle
            self._node = n
        span = keys[n + 1] - keys[n]
        # Worst case at -50 C with 100 kohm and B 4500: a span of 3.3e7, times 25 is 8.2e8 < 2**30.
        part = ((key - keys[n]) * _STEP_DECIC + span - 1) // span
        return MIN_DECIC + n * _STEP_DECIC + part
