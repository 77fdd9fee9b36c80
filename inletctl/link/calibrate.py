"""Calibrations from two known values: the arithmetic, the averaging, and the file that remembers them.

Nothing is stored here that the arithmetic does not explain: a result that no such circuit can have is refused with its
numbers.
"""

import json
import math
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from inletctl.errors import UserError
from inletctl.house import use_firmware
from inletctl.link.client import BoardClient, Identity
from inletctl.link.codec import READINGS_KIND, Telemetry

use_firmware()

from thermal.convert import pt1000_ohm_x10  # noqa: E402
from vehicle.protocol import FLAGS, READINGS  # noqa: E402

LEAST_READINGS = 50
_RATE_MS = 40
_WAIT_S = 20.0
# Averages of a steady voltage scatter by the ADC's noise; more than this is a loose contact.
_SCATTER_MV = 15
# Two known values closer than this tell more of the noise than of the circuit.
_APART = 1.5
# Where one resistor is sought the second value only proves the first: 25 degrees of a PT1000 will do.
_APART_ONE = 1.09
# A pull-up further off than this from what is set is another circuit, or a mistaken resistor.
_CHANGE = 0.2
_PULLDOWN_CHANGE = 0.5
# Conductance below this is no pull-down at all.
_NONE_OHM = 100_000
# What both of two values tell of one resistor may be so far apart.
_AGREE = 0.03
_KELVIN_25 = 298.15
# A pilot scale further off than this is no tolerance of its resistors.
_GAIN_OFF = 0.1
_PILOT_APART_MV = 5000


def measure(
    client: BoardClient, names: tuple[str, ...], ok: str, scatter_mv: int = _SCATTER_MV
) -> tuple[float, ...]:
    """Return the averages of readings `names` (of vehicle.protocol.READINGS) over at least 50 lines whose flag `ok` holds.

    Raises UserError where they do not come, are not valid, or scatter by more than `scatter_mv` (standard deviation).
    """
    columns: list[list[int]] = [[] for _ in names]
    bad = 0
    at = [READINGS.index(name) for name in names]

    def take(line: Telemetry) -> None:
        nonlocal bad
        if line.kind != READINGS_KIND:
            return
        if not line.values[READINGS.index("flags")] >> FLAGS.index(ok) & 1:
            bad += 1
            return
        for column, n in zip(columns, at, strict=True):
            column.append(line.values[n])

    before, client.sorter.on_telemetry = client.sorter.on_telemetry, take
    try:
        client.order("rate", _RATE_MS)
        client.wait(lambda: len(columns[0]) >= LEAST_READINGS, _WAIT_S)
        client.order("rate", 0)
    finally:
        client.sorter.on_telemetry = before
    if len(columns[0]) < LEAST_READINGS:
        raise UserError(
            "Only %d good readings of %s in %d s, and %d that the board does not trust: check the wiring."
            % (len(columns[0]), " and ".join(names), _WAIT_S, bad),
            1,
        )
    for name, column in zip(names, columns, strict=True):
        scatter = _deviation(column)
        if scatter > scatter_mv:
            raise UserError(
                "%s scatters by %.0f mV around %.0f mV, %d are allowed: check the contacts, keep the value steady."
                % (name, scatter, sum(column) / len(column), scatter_mv),
                1,
            )
    return tuple(sum(column) / len(column) for column in columns)


def _deviation(values: list[int]) -> float:
    mean = sum(values) / len(values)
    return math.sqrt(sum((value - mean) ** 2 for value in values) / len(values))


def _need_apart(what: str, values: tuple[float, float], least: float) -> None:
    low, high = sorted(values)
    if high < least * low:
        raise UserError(
            "%s %g and %g are too alike: choose two of which one is at least %g times the other."
            % (what, low, high, least)
        )


def _loads(what: str, mv: float, rail_mv: float) -> float:
    """Return pull-up / (resistance to ground) of a divider."""
    if not 0 < mv < rail_mv:
        raise UserError(
            "With %s the reading is %.0f mV on a rail of %.0f mV: nothing is connected there, or it is shorted."
            % (what, mv, rail_mv),
            1,
        )
    return rail_mv / mv - 1


def solve_pp(
    ohm: tuple[float, float], mv: tuple[float, float], rail_mv: tuple[float, float]
) -> tuple[float, float]:
    """Return (pull-up, pull-down) in ohm of the PP divider; pull-down 0 where none is fitted.

    `ohm`: two known resistors between PP and PE; `mv`, `rail_mv`: what was read with each.
    """
    _need_apart("The resistors", ohm, _APART)
    load = [
        _loads("%g ohm" % one, level, rail)
        for one, level, rail in zip(ohm, mv, rail_mv, strict=True)
    ]
    pullup_ohm = (load[0] - load[1]) / (1 / ohm[0] - 1 / ohm[1])
    if pullup_ohm <= 0:
        raise UserError(
            "%.0f mV with %g ohm and %.0f mV with %g ohm belong to no divider: the two were probably swapped."
            % (mv[0], ohm[0], mv[1], ohm[1]),
            1,
        )
    siemens = load[0] / pullup_ohm - 1 / ohm[0]
    if abs(siemens) < 1 / _NONE_OHM:
        return pullup_ohm, 0.0
    if siemens < 0:
        raise UserError(
            "The readings give a pull-up of %.0f ohm and a pull-down below nothing (%.0f ohm): check the resistors' values."
            % (pullup_ohm, 1 / siemens),
            1,
        )
    return pullup_ohm, 1 / siemens


def check_open(pullup_ohm: float, pulldown_ohm: float, mv: float, rail_mv: float) -> None:
    """Raise UserError where PP with nothing connected does not read what the two resistors make of the rail, +- 5 %."""
    expected_mv = rail_mv * pulldown_ohm / (pullup_ohm + pulldown_ohm) if pulldown_ohm else rail_mv
    if abs(mv - expected_mv) > expected_mv / 20:
        raise UserError(
            "With nothing connected PP reads %.0f mV, and %.0f mV were expected: take everything off PP and PE, then begin again; "
            "nothing was stored." % (mv, expected_mv),
            1,
        )


def check_pp(pullup_ohm: float, pulldown_ohm: float, before: tuple[int, int]) -> None:
    """Raise UserError where a PP result cannot be of the circuit that is set; `before`: (pull-up, pull-down) in force."""
    _check_change("pp_pullup_ohm", pullup_ohm, before[0], _CHANGE)
    if bool(before[1]) != bool(round(pulldown_ohm)):
        raise UserError(
            "The readings give a pull-down of %s, set is %s: check the resistors, or set pp_pulldown_ohm first."
            % (_ohm_or_none(pulldown_ohm), _ohm_or_none(before[1])),
            1,
        )
    if before[1]:
        _check_change("pp_pulldown_ohm", pulldown_ohm, before[1], _PULLDOWN_CHANGE)


def _ohm_or_none(ohm: float) -> str:
    return "%.0f ohm" % ohm if ohm else "none"


def _check_change(key: str, ohm: float, before: int, most: float) -> None:
    if abs(ohm - before) > most * before:
        raise UserError(
            "The readings give %s = %.0f, set is %d: more than %d %% away. Check the known values; if the board was built "
            "otherwise, set %s to its nominal value first." % (key, ohm, before, most * 100, key),
            1,
        )


def solve_pullup(
    ohm: tuple[float, float], mv: tuple[float, float], rail_mv: tuple[float, float], before: int
) -> float:
    """Return the pull-up, ohm, of a temperature channel with two known resistors in turn. Raises UserError."""
    _need_apart("The resistors", ohm, _APART_ONE)
    found = [
        one * _loads("%g ohm" % one, level, rail)
        for one, level, rail in zip(ohm, mv, rail_mv, strict=True)
    ]
    _check_agree("a pull-up", found)
    result = math.sqrt(found[0] * found[1])
    _check_change("the pull-up", result, before, _CHANGE)
    return result


def solve_r25(
    decic: tuple[int, int],
    mv: tuple[float, float],
    rail_mv: tuple[float, float],
    pullup_ohm: int,
    beta: int,
    before: int,
) -> float:
    """Return an NTC's ohm at 25 degrees C from two known temperatures (0.1 C), its B value kept. Raises UserError."""
    if abs(decic[0] - decic[1]) < 150:
        raise UserError(
            "The two temperatures are less than 15 degrees apart: choose two further apart."
        )
    ohm = [
        pullup_ohm / _loads("%.1f C" % (one / 10), level, rail)
        for one, level, rail in zip(decic, mv, rail_mv, strict=True)
    ]
    inverse = [1 / (one / 10 + 273.15) for one in decic]
    fits = math.log(ohm[0] / ohm[1]) / (inverse[0] - inverse[1])
    if abs(fits - beta) > _AGREE * beta:
        raise UserError(
            "The two temperatures belong to a B value of %.0f K, set is ntc_beta = %d: check both temperatures, or set ntc_beta."
            % (fits, beta),
            1,
        )
    found = [
        one / math.exp(beta * (inv - 1 / _KELVIN_25))
        for one, inv in zip(ohm, inverse, strict=True)
    ]
    result = math.sqrt(found[0] * found[1])
    _check_change("ntc_r25_ohm", result, before, _CHANGE)
    return result


def pt1000_ohm(decic: int) -> float:
    """Return a PT1000's ohm at a temperature, -500..1500 in 0.1 C. Raises UserError outside."""
    if not -500 <= decic <= 1500:
        raise UserError("%.1f C is outside -50..150 C." % (decic / 10))
    return pt1000_ohm_x10(decic) / 10


def _check_agree(what: str, found: list[float]) -> None:
    if abs(found[0] - found[1]) > _AGREE * max(found):
        raise UserError(
            "The first value gives %s of %.0f ohm, the second one of %.0f ohm: they should agree within %d %%; check both."
            % (what, found[0], found[1], _AGREE * 100),
            1,
        )


class PilotScale(NamedTuple):
    """What the pilot's measurement does wrong, and the board file's entry that would put it right."""

    gain_error_pct: float  # of what is read, + reads too much
    offset_error_mv: float  # read at 0 V
    cp: dict[str, int]


def solve_pilot(
    level_mv: tuple[float, float], read_mv: tuple[float, float], cp: dict[str, int]
) -> PilotScale:
    """Return the scale error from two known steady levels at the CP pin, and the "cp" entry that corrects it.

    `cp`: the board file's entry now (drivers/board_file.py). Raises UserError where it is no tolerance of resistors.
    """
    if abs(level_mv[0] - level_mv[1]) < _PILOT_APART_MV:
        raise UserError("The two levels are less than 5 V apart: take +9 V and -12 V, say.")
    gain = (read_mv[0] - read_mv[1]) / (level_mv[0] - level_mv[1])
    offset_mv = read_mv[0] - gain * level_mv[0]
    if not 1 - _GAIN_OFF < gain < 1 + _GAIN_OFF:
        raise UserError(
            "%.0f and %.0f mV were read for %.0f and %.0f mV: a gain of %.3f, which no tolerance explains. Check the levels "
            "at the pin and the board file." % (*read_mv, *level_mv, gain),
            1,
        )
    # pilot = node * total - from_rail, with the node's share of the three resistors; both are wrong by what was found.
    series, pullup, pulldown = cp["series_ohm"], cp["pullup_ohm"], cp["pulldown_ohm"]
    rail_mv = cp.get("rail_mv", 3300)
    total = (1 + series / pullup + series / pulldown) / gain
    from_rail_mv = (rail_mv * series / pullup + offset_mv) / gain
    new_pullup = rail_mv * series / from_rail_mv
    new_pulldown = series / (total - 1 - series / new_pullup)
    return PilotScale(
        (gain - 1) * 100,
        offset_mv,
        {**cp, "pullup_ohm": round(new_pullup), "pulldown_ohm": round(new_pulldown)},
    )


def remember(
    path: "Path | None",
    board: Identity,
    what: str,
    known: dict[str, Any],
    before: dict[str, Any],
    after: dict[str, Any],
) -> Path:
    """Append a calibration to `path`, or to calibration/<board id>.jsonl; return the file. Raises UserError."""
    # The id comes from the board: only what is harmless in a file's name.
    name = "".join(c if c.isalnum() or c in "-_" else "_" for c in board.board_id)
    path = path or Path("calibration") / (name + ".jsonl")
    line = {
        "date": datetime.now().astimezone().isoformat(timespec="seconds"),
        "board": board.board,
        "board_id": board.board_id,
        "firmware": board.firmware,
        "calibration": what,
        "known": known,
        "before": before,
        "after": after,
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "a", encoding="utf-8") as stream:
            stream.write(json.dumps(line) + "\n")
    except OSError as error:
        raise UserError(
            "%s: cannot be written: %s; choose another with --file." % (path, error.strerror)
        ) from None
    return path
