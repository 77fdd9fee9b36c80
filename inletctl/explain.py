"""How one reading is judged, by the firmware's own tables, so that any table can be checked from outside.

Each function returns a plain dict (JSON as it is) whose `text` is the sentence for a person. Raises UserError for
values that no reading can have.
"""

from fractions import Fraction
from typing import Any

from inletctl.errors import UserError
from inletctl.house import use_firmware

use_firmware()

from connector import C_DUTY, C_PP, CONNECTORS  # noqa: E402
from pilot import capture, duty, level, proximity  # noqa: E402
from setting_rows import ROW_DEFAULT, find  # noqa: E402
from settings import INLETS  # noqa: E402
from thermal import convert  # noqa: E402
from thermal.derate import Derating  # noqa: E402
from thermal.params import NTC, PT1000, ChannelParams, ThermalLimits  # noqa: E402

_PP_MEANS = {
    proximity.SHORT: "fault: shorted",
    proximity.GAP: "fault: names no cable",
    proximity.BUTTON: "latch button pressed",
    proximity.PLUGGED: "plugged and latched",
    proximity.UNPLUGGED: "not plugged",
    proximity.SENSE: "fault: cannot be measured",
}


def whole(name: str, value: Fraction, scale: int, low: int, high: int, unit: str) -> int:
    """Return value * scale as an int within low..high (in scaled units), or raise UserError with the range."""
    scaled = value * scale
    if scaled.denominator != 1:
        raise UserError(
            "%s: the firmware resolves %s %s; %s is finer than that."
            % (name, _plain(Fraction(1, scale)), unit, _plain(value))
        )
    if not low <= scaled <= high:
        raise UserError(
            "%s: %s is outside %s..%s %s."
            % (
                name,
                _plain(value),
                _plain(Fraction(low, scale)),
                _plain(Fraction(high, scale)),
                unit,
            )
        )
    return int(scaled)


def _plain(value: Fraction) -> str:
    return "%g" % float(value)


def pilot(
    inlet: str, frequency_hz: Fraction, duty_pct: Fraction, level_v: Fraction | None
) -> dict[str, Any]:
    """Judge a steady pilot: frequency 0 is a steady level, duty in %, level in V while high or steady."""
    family = CONNECTORS[INLETS.index(inlet)][C_DUTY]
    if frequency_hz < 0 or frequency_hz > 100_000:
        raise UserError("--frequency: %s is outside 0..100000 Hz." % _plain(frequency_hz))
    result: dict[str, Any] = {
        "inlet": inlet,
        "table": duty.FAMILY_NAMES[family],
        "frequency_hz": float(frequency_hz),
        "duty_pct": float(duty_pct),
    }
    if level_v is not None:
        mv = whole("--level", level_v, 1000, -15000, 15000, "V")
        window = level.window_of(mv)
        result["level_v"] = float(level_v)
        result["level"] = level.LEVEL_NAMES[window]
    duty_x100 = whole("--duty", duty_pct, 100, 0, 10000, "%")
    if frequency_hz == 0:
        result.update(
            frequency="none", band="steady", digital=False, charging_allowed=False, amps=0.0, milliamps=0,
            clause="IEC 61851-1:2017 A.6: no PWM (x1), no energy available now",
        )  # fmt: skip
        result["text"] = (
            "No PWM: the EVSE pauses (x1), 0 A. Not a fault; charging resumes when PWM returns."
        )
        return result
    period_us_x10 = int(Fraction(10_000_000) / frequency_hz)
    accepted = capture.PERIOD_MIN_US_X10 <= period_us_x10 <= capture.PERIOD_MAX_US_X10
    noted = not capture.NOTE_MIN_US_X10 <= period_us_x10 <= capture.NOTE_MAX_US_X10
    result["frequency"] = "refused" if not accepted else "noted" if noted else "accepted"
    index = duty.band_index(family, duty_x100)
    _last, band, clause = duty.BANDS[family][index]
    ma = duty.band_ma(family, index, duty_x100) if accepted else 0
    result["band"] = duty.BAND_NAMES[band]
    result["digital"] = band == duty.BAND_DIGITAL and accepted
    result["charging_allowed"] = ma > 0
    result["amps"] = ma / 1000
    result["milliamps"] = ma
    result["clause"] = clause if accepted else "IEC 61851-1:2017 Tab A.8 note: 1 kHz +-5 %"
    if not accepted:
        result["text"] = "%s Hz is outside 950..1050 Hz: refused, 0 A." % _plain(frequency_hz)
    elif result["digital"]:
        result["text"] = "%s %%: digital communication required, 0 A without it." % _plain(
            duty_pct
        )
    elif ma:
        result["text"] = "%s %% allows %s A per phase." % (
            _plain(duty_pct),
            _plain(Fraction(ma, 1000)),
        )
    else:
        result["text"] = "%s %% allows no current." % _plain(duty_pct)
    if result["frequency"] == "noted":
        result["text"] += " The frequency is accepted but outside 980..1020 Hz."
    return result


def pp(
    inlet: str,
    ohm: Fraction | None,
    mv: Fraction | None,
    rail_mv: int,
    pullup_ohm: int,
    pulldown_ohm: int,
) -> dict[str, Any]:
    """Judge a proximity reading: the plug's resistance in ohm, or the voltage at the pin in mV."""
    family = CONNECTORS[INLETS.index(inlet)][C_PP]
    kind = None
    result: dict[str, Any] = {"inlet": inlet}
    if (ohm is None) == (mv is None):
        raise UserError("explain pp needs either --ohm or --mv.")
    if mv is not None:
        pp_mv = whole("--mv", mv, 1, 0, 5600, "mV")
        result.update(mv=pp_mv, rail_mv=rail_mv, pullup_ohm=pullup_ohm, pulldown_ohm=pulldown_ohm)
        if pp_mv > rail_mv + 100 or proximity.is_pulldown_missing(
            pp_mv, rail_mv, pullup_ohm, pulldown_ohm
        ):
            kind = proximity.SENSE
            ohm_x10 = proximity.OPEN_OHM_X10
        else:
            ohm_x10 = proximity.cable_ohm_x10(pp_mv, rail_mv, pullup_ohm, pulldown_ohm)
    else:
        ohm_x10 = whole("--ohm", ohm or Fraction(0), 10, 0, proximity.OPEN_OHM_X10, "ohm")
    row = proximity.ROWS[family][proximity.row_index(family, ohm_x10)]
    rated_ma = row[2] if kind is None else 0
    clause = (
        row[3]
        if kind is None
        else "J1772 5.3: above 4.78 V of 5 V the inlet's own pull-down is missing"
    )
    kind = row[1] if kind is None else kind
    plugged = kind == proximity.PLUGGED
    result.update(
        ohm=ohm_x10 / 10,
        state=proximity.PP_NAMES[kind],
        plugged_for_charging=plugged,
        plugged_for_driving=kind != proximity.UNPLUGGED,
        cable_amps=rated_ma / 1000 if rated_ma else None,
        clause=clause,
    )
    result["text"] = "%s ohm: %s%s." % (
        _plain(Fraction(ohm_x10, 10)) if ohm_x10 < proximity.OPEN_OHM_X10 else "open",
        _PP_MEANS[kind],
        ", cable rated %s A" % _plain(Fraction(rated_ma, 1000)) if rated_ma else "",
    )
    return result


def temperature(
    sensor: str,
    ohm: Fraction | None,
    mv: Fraction | None,
    rail_mv: int,
    r25_ohm: int,
    beta: int,
    pullup_ohm: int | None,
) -> dict[str, Any]:
    """Judge a temperature reading: the sensor's resistance in ohm, or the divider's voltage in mV."""
    if (ohm is None) == (mv is None):
        raise UserError("explain temperature needs either --ohm or --mv.")
    kind = NTC if sensor == "ntc" else PT1000
    if pullup_ohm is None:
        pullup_ohm = _default("temp_pullup_ohm" if kind == NTC else "pt_pullup_ohm")
    try:
        probe = convert.Probe(
            ChannelParams(kind=kind, r25_ohm=r25_ohm, beta=beta, pullup_ohm=pullup_ohm)
        )
    except ValueError as error:
        raise UserError("%s." % error) from None
    result: dict[str, Any] = {"sensor": sensor}
    if kind == NTC:
        result.update(r25_ohm=r25_ohm, beta=beta)
    if mv is not None:
        pin_mv = whole("--mv", mv, 1, 0, 5250, "mV")
        result.update(mv=pin_mv, rail_mv=rail_mv, pullup_ohm=pullup_ohm)
        sample = probe.read(pin_mv, rail_mv)
        decic = probe.decic
        ohm_x10 = probe.ohm_x10
    else:
        ohm_x10 = whole("--ohm", ohm or Fraction(0), 10, 0, 20_000_000, "ohm")
        decic = probe.decic_of(ohm_x10)
        sample = _sample_of(kind, decic)
    result["verdict"] = convert.SAMPLE_NAMES[sample]
    limits = ThermalLimits(rated_ma=_default("max_current_ma"))
    if sample != convert.GOOD:
        result.update(celsius=None, action="stop", limit_amps=0.0)
        result["text"] = "Sensor %s: counts as hot, charging stops." % convert.SAMPLE_NAMES[sample]
        return result
    limit_ma = Derating(limits).limit_ma(decic)
    action = "full current"
    if decic >= limits.stop_decic:
        action, limit_ma = "stop", 0
    elif limit_ma < limits.rated_ma:
        action = "derate"
    result.update(ohm=ohm_x10 / 10, celsius=decic / 10, action=action, limit_amps=limit_ma / 1000)
    result["text"] = "%.1f C: %s, %s A of %s A with the shipped limits." % (
        decic / 10,
        action,
        _plain(Fraction(limit_ma, 1000)),
        _plain(Fraction(limits.rated_ma, 1000)),
    )
    return result


def _sample_of(kind: int, decic: int) -> int:
    """Return what a resistance at this end of the table means: an NTC is open when cold, a PT1000 when hot."""
    if decic <= convert.MIN_DECIC:
        return convert.OPEN if kind == NTC else convert.SHORT
    if decic >= convert.MAX_DECIC:
        return convert.SHORT if kind == NTC else convert.OPEN
    return convert.GOOD


def _default(key: str) -> int:
    row: Any = find(key)
    return row[ROW_DEFAULT]
