"""Proximity: PP or CC resistance to plugged, button, cable rating, or a fault. One table a connector family.

The rail, pull-up and pull-down are the board's own, measured; the resistance between PP and PE outside the inlet
is what is judged, in 0.1 ohm, so every board reads the same table. The family is configured, never detected:
480 ohm is a pressed button on Type 1 and a 20 A cable on Type 2.

Every resistance falls into exactly one row. A row that allows less counts from its edge on, one that allows more
only 1 % past it. One odd pass is doubt (no current), two in a row are proof. A rating rises within one plug-in
only after the plug's own debounce: a cable does not change while it is plugged in.
"""

from micropython import const

from faults import F_PP_GAP, F_PP_SENSE, F_PP_SHORT, NO_PLUG, PP_BUTTON, PP_INVALID
from pilot.rows import row_of
from ticks import ticks_diff

TYPE1 = const(0)
TYPE2 = const(1)
GBT = const(2)
NACS = const(3)
CHADEMO = const(4)

SHORT = const(0)
GAP = const(1)
BUTTON = const(2)
PLUGGED = const(3)
UNPLUGGED = const(4)
SENSE = const(5)
PP_NAMES = ("short", "gap", "button", "plugged", "unplugged", "sense fault")

_KIND = const(1)
_MA = const(2)
# A cable without a rating of its own: the latched Type 1 and NACS plug.
NO_RATING = const(0)

# Rows in rising resistance: (last resistance in 0.1 ohm, kind, cable mA per phase, clause).
# Type 1 windows are given as volts (1.23, 1.82, 2.38, 3.16, 4.13 V of 5 V over 330 ohm beside 2.7 kohm); the
# resistances are those volts, so that the edges fall on the same millivolt.
# fmt: off
_TYPE1 = (
    (1120,  SHORT,     0, "J1772 5.3: below 1.23 V"),
    (2031,  PLUGGED,   0, "J1772 5.3: 1.23..1.82 V, latched (150 ohm)"),
    (3371,  GAP,       0, "J1772 5.3: between 1.82 and 2.38 V"),
    (7176,  BUTTON,    0, "J1772 5.3: 2.38..3.16 V, button pressed (480 ohm)"),
    (37290, GAP,       0, "J1772 5.3: between 3.16 and 4.13 V"),
    (0,     UNPLUGGED, 0, "J1772 5.3: 4.13..4.78 V, not plugged"),
)
# In the gaps the next lower cable's current is taken; next to "error" and to "unplugged" there is none: refused.
_TYPE2 = (
    (599,   SHORT,     0,     "IEC 61851-1:2017 Tab B.2: < 60 ohm, error"),
    (799,   GAP,       0,     "IEC 61851-1:2017 Tab B.2: 60..80 ohm, designer's choice: refused"),
    (1400,  PLUGGED,   63000, "IEC 61851-1:2017 Tab B.2: 80..140 ohm (100), 63 A"),
    (1639,  PLUGGED,   32000, "IEC 61851-1:2017 Tab B.2: 140..164 ohm, designer's choice: next lower, 32 A"),
    (3080,  PLUGGED,   32000, "IEC 61851-1:2017 Tab B.2: 164..308 ohm (220), 32 A"),
    (3999,  PLUGGED,   20000, "IEC 61851-1:2017 Tab B.2: 308..400 ohm, designer's choice: next lower, 20 A"),
    (9360,  PLUGGED,   20000, "IEC 61851-1:2017 Tab B.2: 400..936 ohm (680), 20 A"),
    (10999, PLUGGED,   13000, "IEC 61851-1:2017 Tab B.2: 936..1100 ohm, designer's choice: next lower, 13 A"),
    (24600, PLUGGED,   13000, "IEC 61851-1:2017 Tab B.2: 1100..2460 ohm (1500), 13 A"),
    (45000, GAP,       0,     "IEC 61851-1:2017 Tab B.2: 2460..4500 ohm, designer's choice: refused"),
    (0,     UNPLUGGED, 0,     "IEC 61851-1:2017 Tab B.2: > 4500 ohm, unplugged"),
)
# [GB] A.3.10.1: charging only within 95..105 % of nominal. With S3 open the four ratings are nearly alike.
_GBT = (
    (949,   SHORT,     0,     "GB/T 18487.1-2023 Tab A.5: below every coding"),
    (1050,  PLUGGED,   63000, "GB/T 18487.1-2023 Tab A.5: 100 ohm, 63 A"),
    (2089,  GAP,       0,     "GB/T 18487.1-2023 A.3.10.1: not within 95..105 % of a coding"),
    (2310,  PLUGGED,   32000, "GB/T 18487.1-2023 Tab A.5: 220 ohm, 32 A"),
    (6459,  GAP,       0,     "GB/T 18487.1-2023 A.3.10.1: not within 95..105 % of a coding"),
    (7140,  PLUGGED,   16000, "GB/T 18487.1-2023 Tab A.5: 680 ohm, 16 A"),
    (14249, GAP,       0,     "GB/T 18487.1-2023 A.3.10.1: not within 95..105 % of a coding"),
    (15750, PLUGGED,   10000, "GB/T 18487.1-2023 Tab A.5: 1500 ohm, 10 A"),
    (31349, GAP,       0,     "GB/T 18487.1-2023 A.3.10.1: not within 95..105 % of a coding"),
    (36960, BUTTON,    0,     "GB/T 18487.1-2023 Tab A.5: 3.3..3.52 kohm, S3 open"),
    (45000, GAP,       0,     "GB/T 18487.1-2023 Tab A.5: above every coding"),
    (0,     UNPLUGGED, 0,     "GB/T 18487.1-2023 Tab A.5: open, unplugged"),
)
# CS of CHAdeMO: 190..210 ohm in the plug, and a tenth for our own measurement. It has no button and no rating.
_CHADEMO = (
    (999,   SHORT,     0, "IEC 61851-23 AA: below every coding"),
    (1709,  GAP,       0, "IEC 61851-23 AA: not the 200 ohm of a plug"),
    (2310,  PLUGGED,   0, "IEC 61851-23 AA: 200 ohm (190..210), plugged"),
    (45000, GAP,       0, "IEC 61851-23 AA: not the 200 ohm of a plug"),
    (0,     UNPLUGGED, 0, "IEC 61851-23 AA: open, unplugged"),
)
# fmt: on
ROWS = (_TYPE1, _TYPE2, _GBT, _TYPE1, _CHADEMO)
# A row that allows more counts only this far past the edge: resistance / 100 = 1 %. A GB/T coding may be 3 % off in
# a window of 5 %, so more would refuse a legal cable that went in slowly.
_MARGIN_DIVISOR = const(100)

_FAULT_OF = (F_PP_SHORT, F_PP_GAP, 0, 0, 0, F_PP_SENSE)

# How much a kind allows, for the rule "less at once, more with a margin": a rated cable adds its mA.
_RANK = (0, 1, 2, 1000, 3, 0)
_RATED_RANK = const(1000)

OPEN_OHM_X10 = const(1000000)
RAIL_MIN_MV = const(2500)
RAIL_MAX_MV = const(5500)
_PROOF_PASSES = const(2)
# A pass that speaks against the plug adds 3, one that speaks for it pays 1 back: flicker is no plug either.
_DOUBTED = const(3)
_DOUBT_PROOF = const(15)
_UNPLUGGED_MS = const(200)
_FAULT_MS = const(200)
_DRIVE_MS = const(500)


def cable_ohm_x10(pp_mv: int, rail_mv: int, pullup_ohm: int, pulldown_ohm: int) -> int:
    """Return the resistance from PP to PE outside the inlet in 0.1 ohm, OPEN_OHM_X10 at most.

    `pulldown_ohm` is the inlet's own, 0 for none. Currents are balanced in uA: at most 5500 mV x 10000 = 5.5e7.
    """
    net_ua = (rail_mv - pp_mv) * 1000 // pullup_ohm
    if pulldown_ohm:
        net_ua -= pp_mv * 1000 // pulldown_ohm
    if net_ua <= 0:
        return OPEN_OHM_X10
    ohm_x10 = pp_mv * 10000 // net_ua
    return ohm_x10 if ohm_x10 < OPEN_OHM_X10 else OPEN_OHM_X10


def is_pulldown_missing(pp_mv: int, rail_mv: int, pullup_ohm: int, pulldown_ohm: int) -> bool:
    """Tell whether PP stands so high that the inlet's own pull-down cannot be there.

    J1772 5.3: unplugged reads 4.13..4.78 V of 5 V; above, the pull-up carries less than 3/8 of what the pull-down
    would draw.
    """
    if not pulldown_ohm:
        return False
    return (rail_mv - pp_mv) * 8000 // pullup_ohm < pp_mv * 3000 // pulldown_ohm


def row_index(family: int, ohm_x10: int) -> int:
    """Return the row of ROWS[family] that holds this resistance in 0.1 ohm."""
    return row_of(ROWS[family], ohm_x10)


def _kind_of(row) -> int:
    return row[_KIND]


def _ma_of(row) -> int:
    return row[_MA]


def _rank(row) -> int:
    rank = _RANK[row[_KIND]]
    return rank + row[_MA] if rank == _RATED_RANK else rank


class Proximity:
    """Call `tick` once a pass, before the pilot. Allocates nothing."""

    def __init__(self, family: int, pullup_ohm: int, pulldown_ohm: int, debounce_ms: int):
        self._family = family
        self._rows = ROWS[family]
        self._pullup_ohm = pullup_ohm
        self._pulldown_ohm = pulldown_ohm
        self._debounce_ms = debounce_ms
        self.kind = SENSE  # SHORT..SENSE, proven by two passes in a row
        self.ohm_x10 = 0  # last measured resistance; meaningful unless kind is SENSE
        self.is_plugged = False  # inserted and latched, for as long as the debounce asks
        self.is_unplugged = False  # clean "not plugged" for 200 ms: what needs an unplug may clear
        self.is_clear_to_drive = False  # clean "not plugged" for 500 ms
        self.in_doubt = False  # this pass alone speaks against the plug, or for one
        self.has_rating = False  # the cable has a rating
        self.rated_ma = 0  # the cable's rating while has_rating
        self.reasons = NO_PLUG  # mask of NO_PLUG, PP_BUTTON, PP_INVALID
        self.faults = 0  # mask of F_PP_ bits, present now
        self._index = -1  # row in force, -1 = none
        self._same_mv = -1  # reading known to lie in the row in force, -1 = none yet
        self._same_rail_mv = 0
        self._doubt_score = 0  # passes that spoke against the plug, less those that spoke for it
        self._odd_passes = 0  # readings in a row that are not the row in force
        self._is_rising = False  # the readings name a cable with a higher rating
        self._rising_since_ms = 0
        self._since_ms = 0  # when the present kind began
        self._is_timed = False  # _since_ms has been set by the first tick
        self._is_settled = False  # the present kind has nothing left to wait for

    def tick(self, now_ms: int, readings) -> None:
        """Judge one pass."""
        if not self._is_timed:
            self._since_ms = now_ms
            self._is_timed = True
        index = self._measure(readings)
        if index != self._index:
            self._differ(now_ms, index)
        elif self._odd_passes or self._is_rising or self._doubt_score:
            self._odd_passes = 0
            self._is_rising = False
            if self._doubt_score:
                self._doubt_score -= 1
            self.in_doubt = self._doubt_score > 0
        if not self._is_settled:
            self._conclude(now_ms)

    def _differ(self, now_ms: int, index: int) -> None:
        """Take a row that is not the one in force, or -1."""
        # Without a plug in force there is no rating, or an older cable's: what a new one carries waits for the proof.
        self.in_doubt = self.kind != PLUGGED
        if self.kind == PLUGGED:
            if index < 0 or _kind_of(self._rows[index]) != PLUGGED:
                self.in_doubt = True
                self._doubt_score += _DOUBTED
                if self._doubt_score >= _DOUBT_PROOF:
                    # It flickers and never settles: nothing that it reads can be believed.
                    self._move(now_ms, -1)
                    return
            elif _ma_of(self._rows[index]) > self.rated_ma:
                if not self._is_rising:
                    self._is_rising = True
                    self._rising_since_ms = now_ms
                elif ticks_diff(now_ms, self._rising_since_ms) >= self._debounce_ms:
                    self._move(now_ms, index)
                return
        self._is_rising = False
        self._odd_passes += 1
        if self._odd_passes >= _PROOF_PASSES:
            self._move(now_ms, index)

    def _measure(self, readings) -> int:
        """Return the row this pass's reading falls into after hysteresis, -1 when it cannot be believed."""
        if not readings.pp_ok:
            return -1
        pp_mv = readings.pp_mv
        rail_mv = readings.pp_rail_mv
        if rail_mv < RAIL_MIN_MV or rail_mv > RAIL_MAX_MV or pp_mv < 0 or pp_mv > rail_mv + 100:
            return -1
        if pp_mv == self._same_mv and rail_mv == self._same_rail_mv:
            return self._index
        if is_pulldown_missing(pp_mv, rail_mv, self._pullup_ohm, self._pulldown_ohm):
            return -1
        ohm_x10 = cable_ohm_x10(pp_mv, rail_mv, self._pullup_ohm, self._pulldown_ohm)
        self.ohm_x10 = ohm_x10
        rows = self._rows
        index = self._index
        new = row_index(self._family, ohm_x10)
        if new != index and index >= 0 and _rank(rows[new]) > _rank(rows[index]):
            if self.kind == PLUGGED and _kind_of(rows[new]) == PLUGGED:
                # From one rating to a higher one: where that rating ends counts, whatever lies between them. Ratings fall with
                # rising resistance, and the row between two codings may have the lower one's.
                last = index - 1
                while _rank(rows[last]) < _rank(rows[new]):
                    last -= 1
                edge = rows[last][0]
            else:
                # A cable that is at the end of its own row is legal: it is asked to leave the row in force, no more.
                edge = rows[index][0] if new > index else rows[index - 1][0]
            if abs(ohm_x10 - edge) <= edge // _MARGIN_DIVISOR:
                new = index
        if new == index:
            self._same_mv = pp_mv
            self._same_rail_mv = rail_mv
        return new

    def _move(self, now_ms: int, index: int) -> None:
        self._index = index
        self._same_mv = -1
        self._odd_passes = 0
        self._is_rising = False
        self.in_doubt = False
        self._doubt_score = 0
        kind = SENSE if index < 0 else _kind_of(self._rows[index])
        if kind != self.kind:
            self.kind = kind
            self._since_ms = now_ms
            self.is_plugged = False
            self.is_unplugged = False
            self.is_clear_to_drive = False
            self._is_settled = False
        if kind == PLUGGED:
            self.rated_ma = _ma_of(self._rows[index])
            self.has_rating = self.rated_ma != NO_RATING

    def _conclude(self, now_ms: int) -> None:
        """Say what the present kind means by now. Settled, it is not timed any more: ticks wrap."""
        kind = self.kind
        rested_ms = ticks_diff(now_ms, self._since_ms)
        self.faults = 0
        if kind == PLUGGED:
            self.is_plugged = self._is_settled = rested_ms >= self._debounce_ms
            self.reasons = 0 if self.is_plugged else NO_PLUG
        elif kind == UNPLUGGED:
            self.is_unplugged = rested_ms >= _UNPLUGGED_MS
            self.is_clear_to_drive = self._is_settled = rested_ms >= _DRIVE_MS
            self.has_rating = False
            self.reasons = NO_PLUG
        elif kind == BUTTON:
            # The rating is unknown while GB/T's S3 is open: the last one stays.
            self._is_settled = True
            self.reasons = PP_BUTTON
        else:
            self.reasons = PP_INVALID
            # A plug going in passes through gaps: only what stays is a fault.
            if rested_ms >= _FAULT_MS:
                self._is_settled = True
                self.faults = _FAULT_OF[kind]
