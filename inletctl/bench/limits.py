"""What the standards ask for, as formulas and tables of their own: nothing here is read from the firmware under test.

Sources, checked against secondary sources: IEC = IEC 61851-1:2017, J1772 = SAE J1772-2017, GB/T = GB/T 18487.1-2023.
Exact where a limit is exact: duty in 0.01 %, current in mA, as integers. Time limits are the project's own table,
faults.SHUTDOWN of this repository, whichever firmware is being run.
"""

import math
import runpy
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

from inletctl.house import ROOT, use_firmware

IEC, J1772, GBT = "IEC", "J1772", "GB/T"
# In the order of the setting `inlet`. CHAdeMO has no pilot.
FAMILY_OF_INLET = {
    "type1": J1772, "type2": IEC, "gbt": GBT, "nacs": J1772, "ccs1": J1772, "ccs2": IEC,
}  # fmt: skip

# The measuring budget of this project: 0.1 % absolute over 3..97 %, current at most 0.1 A below the formula, never above.
DUTY_ERROR_PCT_X100 = 10
DUTY_MIN_PCT_X100, DUTY_MAX_PCT_X100 = 300, 9700
CURRENT_BELOW_MA = 100
# Levels at the pin: no standard binds the car's own reading; this project's is good to 0.3 V.
LEVEL_ERROR_MV = 300
FREQUENCY_ERROR_HZ = 2.0
# A new edge of the frequency window may be taken 1 Hz early or late: 0.1 us of a period is 0.1 Hz.
FREQUENCY_EDGE_HZ = 1.0
TEMPERATURE_ERROR_DECIC = 15
_KELVIN = 273.15


class Offer(NamedTuple):
    """What a duty allows: `most_ma` by the table, `least_ma` to be used of it, and the reason told where it is 0."""

    most_ma: int
    least_ma: int
    reasons: tuple[str, ...] = ()


def offer(family: str, duty_pct_x100: int) -> Offer:
    """Return what the vehicle's table of `family` allows at exactly this duty, 0..10000 in 0.01 %.

    IEC Tab A.8, J1772 Tab 5, GB/T Tab A.3. 0 and 10000 are no PWM: state F and steady high.
    """
    duty = duty_pct_x100
    if duty <= 0:
        return Offer(0, 0, ("pilot_f",))
    if duty >= 10_000:
        return Offer(0, 0, ("pilot_steady",))
    if duty < 300 or duty > 9700 or 700 < duty < 800:
        return Offer(0, 0, ("pilot_duty",))
    if duty <= 700:
        return Offer(0, 0, ("pilot_digital",))
    if family == GBT and duty > 9000:
        # Reserved: 63 A at most if it is taken as an offer at all.
        return Offer(63_000, 0, ("pilot_duty",))
    if duty < 1000:
        ma = 6000
    elif duty <= 8500:
        ma = duty * 6
    else:
        ma = min((duty - 6400) * 25, 80_000)
    if family == GBT:
        ma = min(ma, 63_000)
    return Offer(ma, ma)


def offer_around(family: str, duty_pct_x100: int, source_error_pct_x100: int = 0) -> Offer:
    """Return what may be made of a duty that is set to this, by a source good to +- `source_error_pct_x100`.

    The most is the table's anywhere the true duty can be; the least allows for the measuring error on top of that, so
    within it of a band's edge either band is right, but never the higher current of the two.
    """
    if duty_pct_x100 in (0, 10_000):
        return offer(family, duty_pct_x100)
    sure = offer(family, duty_pct_x100)
    near = [sure]
    for off in range(1, source_error_pct_x100 + 1):
        near += [offer(family, duty_pct_x100 + sign * off) for sign in (-1, 1)]
    most_ma = max(one.most_ma for one in near)
    for off in range(source_error_pct_x100 + 1, source_error_pct_x100 + DUTY_ERROR_PCT_X100 + 1):
        near += [offer(family, min(max(duty_pct_x100 + sign * off, 1), 9999)) for sign in (-1, 1)]
    reasons = tuple(sorted({reason for one in near for reason in one.reasons}))
    least_ma = min(one.least_ma for one in near)
    return Offer(most_ma, max(0, least_ma - CURRENT_BELOW_MA), reasons)


def is_frequency_legal(hz: float) -> "bool | None":
    """Return whether a pilot of `hz` may be used (IEC Tab A.8 note: 1 kHz +-5 %); None within 1 Hz of an edge."""
    if min(abs(hz - 950), abs(hz - 1050)) <= FREQUENCY_EDGE_HZ:
        return None
    return 950 < hz < 1050


# Letters by the level at the pin, mV: IEC Tab A.4. The gaps between windows mean "either neighbour".
_LEVELS_MV = (("A", 11_000, 13_000), ("B", 8000, 10_000), ("C", 5000, 7000), ("D", 2000, 4000), ("E", -1000, 1000), ("F", -13_000, -11_000))  # fmt: skip


def level_letters(mv: float) -> set[str]:
    """Return the letters a level at the pin may be read as; "?" (nothing known) where no window is near."""
    exact = {letter for letter, low, high in _LEVELS_MV if low <= mv <= high}
    if exact:
        return exact
    near = {letter for letter, low, high in _LEVELS_MV if low - 1000 <= mv <= high + 1000}
    return near | {"?"}


def pin_mv(generator_mv: float, s2_closed: bool = False) -> float:
    """Return the level at the pin with the generator high: 1 kohm, 0.7 V diode, 2.74 kohm (882 ohm with S2).

    IEC Tab A.2, A.3. Below the diode's drop nothing flows.
    """
    ohm = 1 / (1 / 2740 + 1 / 1300) if s2_closed else 2740.0
    if generator_mv <= 700:
        return generator_mv
    return 700 + (generator_mv - 700) * ohm / (1000 + ohm)


# ------------------------------------------------------------------------------------------ proximity

REFUSED = 0  # A: this resistance must not let anything charge
UNRATED = -1  # A: plugged, and the plug carries no rating

# Type 2, IEC Tab B.2: windows in ohm; the gaps between them are the designer's choice: the next lower cable, or refuse.
_TYPE2 = ((80, 140, 63), (164, 308, 32), (400, 936, 20), (1100, 2460, 13))
# Type 1, J1772 5.3: volts at 5 V over 330 ohm, 2.7 kohm at the inlet.
_TYPE1_LATCHED_V = (1.23, 1.82)
# GB/T Tab A.5, A.3.10.1: charging only within 95..105 % of a coding; parts are within 3 %.
_GBT = ((100, 63), (220, 32), (680, 16), (1500, 10))
_EDGE = 0.02  # of a window's edge: what the board's own divider and ADC may be off


def cable(inlet: str, ohm: float) -> set[int]:
    """Return what a plug of `ohm` may count for: currents in A, REFUSED, UNRATED. More than one: either is right."""
    if inlet == "type2":
        return _type2(ohm)
    if inlet == "gbt":
        return _gbt(ohm)
    parallel = ohm * 2700 / (ohm + 2700)
    volts = 5 * parallel / (330 + parallel)
    low, high = _TYPE1_LATCHED_V
    found = {UNRATED if low <= volts <= high else REFUSED}
    if min(abs(volts / low - 1), abs(volts / high - 1)) < _EDGE:
        found = {UNRATED, REFUSED}
    return found


def _type2(ohm: float) -> set[int]:
    found: set[int] = set()
    for low, high, a in _TYPE2:
        if low <= ohm <= high:
            found.add(a)
            if ohm < low * (1 + _EDGE) or ohm > high * (1 - _EDGE):
                found |= {REFUSED, *_lower(_TYPE2, a)}
        elif low * (1 - _EDGE) < ohm < high * (1 + _EDGE):
            found |= {a, REFUSED}
    if 60 <= ohm < 80 or not found:
        found.add(REFUSED)
    for (_low, edge, _a), (begin, _high, lower_a) in pairwise(_TYPE2):
        if edge < ohm < begin:
            found |= {REFUSED, lower_a}
    return found


def _gbt(ohm: float) -> set[int]:
    for coding, a in _GBT:
        off = abs(ohm / coding - 1)
        if off <= 0.03:
            return {a}
        if off <= 0.05 + _EDGE:
            return {a, REFUSED, *_lower(_GBT, a)}
    return {REFUSED}


def _lower(rows: "tuple[tuple[int, ...], ...]", a: int) -> set[int]:
    """Return the ratings below `a`: at its edge one that was in force may stay, since a cable does not change while it is plugged in."""
    return {row[-1] for row in rows if row[-1] < a}


# ---------------------------------------------------------------------------------------- temperature


def ntc_ohm(c: float, r25_ohm: float = 10_000, beta: float = 3435) -> float:
    """Return the resistance of an NTC at `c`, -60..300 C: what a decade is set to."""
    return r25_ohm * math.exp(beta * (1 / (c + _KELVIN) - 1 / (25 + _KELVIN)))


def derated_ma(decic: float, settings: dict[str, int]) -> tuple[float, float]:
    """Return (most, least) in mA that the port may carry at `decic`, 0.1 C, by the settings' straight line.

    Least allows for the temperature's error and for the 2 K of backlash; at the stop temperature nothing is allowed.
    """
    most = _line_ma(decic - TEMPERATURE_ERROR_DECIC, settings)
    least = _line_ma(decic + TEMPERATURE_ERROR_DECIC, settings) - CURRENT_BELOW_MA
    return most, max(0.0, least)


def _line_ma(decic: float, settings: dict[str, int]) -> float:
    rated = settings["max_current_ma"]
    start, end = settings["derate_start_decic"], settings["derate_end_decic"]
    if decic >= settings["stop_decic"]:
        return 0.0
    share = min(max((decic - start) / (end - start), 0.0), 1.0)
    return rated * (1 - share * (1 - settings["derate_end_pct"] / 100))


# ----------------------------------------------------------------------------------------------- time


class Stop(NamedTuple):
    """One row of faults.SHUTDOWN: the reason's bit, and how soon current and S2 end."""

    name: str
    bit: int
    current_ms: int
    s2_ms: int
    what: str
    clause: str


@cache
def stops() -> dict[str, Stop]:
    """Return the shutdown table of this repository's own firmware, by name."""
    use_firmware()
    table: dict[str, Any] = runpy.run_path(str(ROOT / "firmware" / "faults.py"))
    return {
        row[table["ROW_NAME"]]: Stop(
            row[table["ROW_NAME"]],
            1 << number,
            row[table["ROW_CURRENT_MS"]],
            row[table["ROW_S2_MS"]],
            row[table["ROW_WHAT"]],
            row[table["ROW_CLAUSE"]],
        )
        for number, row in enumerate(table["SHUTDOWN"])
    }


def reason_names(mask: int) -> list[str]:
    """Return the names of the reasons in a mask, by the healthy table."""
    return [stop.name for stop in stops().values() if mask & stop.bit]


@cache
def setting_defaults() -> dict[str, int]:
    """Return every setting's default, by the healthy table."""
    use_firmware()
    table: dict[str, Any] = runpy.run_path(str(ROOT / "firmware" / "setting_rows.py"))
    return {row[table["ROW_KEY"]]: row[table["ROW_DEFAULT"]] for row in table["TABLE"]}
