"""Pilot duty to permitted current, for the three tables in use, with hysteresis at the band edges.

Duty in 0.01 % (0..10000), current in mA per phase. Every step is exact in integers: a band's current is
slope x duty, so nothing is ever rounded up. Not decided here: whether the pilot can be believed (capture).

Sources, checked against secondary sources: IEC 61851-1:2017 Tab A.8, SAE J1772-2017 Tab 5,
GB/T 18487.1-2023 Tab A.3.
"""

from micropython import const

from pilot.rows import row_of

IEC = const(0)
J1772 = const(1)
GBT = const(2)
FAMILY_NAMES = ("IEC 61851-1", "SAE J1772", "GB/T 18487.1")

BAND_NONE = const(0)
BAND_DIGITAL = const(1)
BAND_ERROR = const(2)
BAND_MINIMUM = const(3)
BAND_LINEAR = const(4)
BAND_STEEP = const(5)
BAND_TOP = const(6)
BAND_OFF = const(7)
BAND_RESERVED = const(8)
BAND_NAMES = (
    "no pilot duty",
    "digital communication",
    "error",
    "minimum",
    "linear",
    "steep",
    "top",
    "off",
    "reserved",
)

# Bands in rising order: (last duty in the band, band, clause). The edges are the standards' own and belong to the
# band named: 3 and 7 are digital, 8 is 6 A, 85 is linear, 96 is steep, 97 is 80 A.
# fmt: off
_IEC_BANDS = (
    (299,   BAND_NONE,    "IEC 61851-1:2017 Tab A.8: < 3 %, charging not allowed"),
    (700,   BAND_DIGITAL, "IEC 61851-1:2017 Tab A.8: 3..7 %, digital communication mandatory"),
    (799,   BAND_ERROR,   "IEC 61851-1:2017 Tab A.8: > 7..< 8 %, charging not allowed"),
    (999,   BAND_MINIMUM, "IEC 61851-1:2017 Tab A.8: 8..< 10 %, 6 A"),
    (8500,  BAND_LINEAR,  "IEC 61851-1:2017 Tab A.8: 10..85 %, duty x 0.6 A"),
    (9600,  BAND_STEEP,   "IEC 61851-1:2017 Tab A.8: > 85..96 %, (duty - 64) x 2.5 A"),
    (9700,  BAND_TOP,     "IEC 61851-1:2017 Tab A.8: > 96..97 %, 80 A"),
    (10000, BAND_OFF,     "IEC 61851-1:2017 Tab A.8: > 97 %, charging not allowed"),
)
_J1772_BANDS = (
    (299,   BAND_NONE,    "SAE J1772-2017 Tab 5: < 3 %, error"),
    (700,   BAND_DIGITAL, "SAE J1772-2017 Tab 5: 5 % read as 3..7 %, digital communication"),
    (799,   BAND_ERROR,   "SAE J1772-2017 Tab 5: > 7..< 8 %, error"),
    (999,   BAND_MINIMUM, "SAE J1772-2017 Tab 5: 8..< 10 %, read as 10 %, 6 A"),
    (8500,  BAND_LINEAR,  "SAE J1772-2017 Tab 5: 10..85 %, duty x 0.6 A"),
    (9600,  BAND_STEEP,   "SAE J1772-2017 Tab 5: > 85..96 %, (duty - 64) x 2.5 A"),
    (9700,  BAND_TOP,     "SAE J1772-2017 Tab 5: > 96..97 %, read as 96 %, 80 A"),
    (10000, BAND_OFF,     "SAE J1772-2017 Tab 5: > 97 %, error"),
)
# Above 90 % GB/T reserves the duty ("<= 63 A if accepted at all"): refused, the strict reading.
_GBT_BANDS = (
    (299,   BAND_NONE,     "GB/T 18487.1-2023 Tab A.3: < 3 %, charging not allowed"),
    (700,   BAND_DIGITAL,  "GB/T 18487.1-2023 Tab A.3: 3..7 %, digital communication"),
    (799,   BAND_ERROR,    "GB/T 18487.1-2023 Tab A.3: > 7..< 8 %, charging not allowed"),
    (999,   BAND_MINIMUM,  "GB/T 18487.1-2023 Tab A.3: 8..< 10 %, 6 A"),
    (8500,  BAND_LINEAR,   "GB/T 18487.1-2023 Tab A.3: 10..85 %, duty x 0.6 A"),
    (9000,  BAND_STEEP,    "GB/T 18487.1-2023 Tab A.3: > 85..90 %, (duty - 64) x 2.5 A, at most 63 A"),
    (9700,  BAND_RESERVED, "GB/T 18487.1-2023 Tab A.3: > 90..97 %, reserved: refused"),
    (10000, BAND_OFF,      "GB/T 18487.1-2023 Tab A.3: > 97 %, charging not allowed"),
)
# fmt: on
BANDS = (_IEC_BANDS, _J1772_BANDS, _GBT_BANDS)

MINIMUM_MA = const(6000)
_TOP_MA = (80000, 80000, 63000)

# Width of the edges' hysteresis, 0.01 %: a tenth of the +-1 % measuring budget of [GB] Tab A.2 and J1772, ten
# times this capture's resolution.
HYSTERESIS_PCT_X100 = const(10)


def band_index(family: int, duty_pct_x100: int) -> int:
    """Return the row of BANDS[family] that holds this duty, 0..7. Duty above 10000 is the last row."""
    return row_of(BANDS[family], duty_pct_x100)


def band_ma(family: int, index: int, duty_pct_x100: int) -> int:
    """Return the current in mA that row `index` of BANDS[family] allows at this duty, rounded down."""
    band = BANDS[family][index][1]
    if band == BAND_LINEAR:
        ma = duty_pct_x100 * 6
        return ma if ma > MINIMUM_MA else MINIMUM_MA
    if band == BAND_STEEP:
        ma = (duty_pct_x100 - 6400) * 25
        top = _TOP_MA[family]
        return ma if ma < top else top
    if band == BAND_MINIMUM:
        return MINIMUM_MA
    if band == BAND_TOP:
        return _TOP_MA[family]
    return 0


class DutyBand:
    """The band in force. Near an edge it stays, unless the other band allows less: doubt never adds current."""

    def __init__(self, family: int):
        self._family = family
        self._rows = BANDS[family]
        self.index = -1  # row of BANDS[family] in force; -1 until the first reading
        self.band = BAND_NONE
        self.ma = 0  # what it allows at the last duty, mA

    def forget(self) -> None:
        """Start anew, without hysteresis: the pilot was gone."""
        self.index = -1
        self.band = BAND_NONE
        self.ma = 0

    def tick(self, duty_pct_x100: int) -> None:
        """Take one believed duty, 0..10000 in 0.01 %."""
        rows = self._rows
        index = self.index
        if index >= 0 and (index == 0 or duty_pct_x100 > rows[index - 1][0]):
            if duty_pct_x100 <= rows[index][0]:
                self.ma = band_ma(self._family, index, duty_pct_x100)
                return
        new = band_index(self._family, duty_pct_x100)
        ma = band_ma(self._family, new, duty_pct_x100)
        if index >= 0:
            # Distance to the edge the duty has crossed last on its way out of the band in force.
            if new > index:
                past = duty_pct_x100 - rows[index][0]
            else:
                past = rows[index - 1][0] + 1 - duty_pct_x100
            if past < HYSTERESIS_PCT_X100:
                kept_ma = band_ma(self._family, index, duty_pct_x100)
                if kept_ma <= ma:
                    self.ma = kept_ma
                    return
        self.index = new
        self.band = rows[new][1]
        self.ma = ma
