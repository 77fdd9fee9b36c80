"""A few numbers that say how a session went."""

from itertools import pairwise
from typing import NamedTuple

from inletctl.record import COLUMN_INDEX, Recorder, name_of
from inletctl.report.meta import SessionMeta, clock

_CHARGING_MA = 1000  # drawn current from which the car counts as charging


class Fact(NamedTuple):
    """One number with its name and a word on where it comes from."""

    label: str
    value: str
    detail: str


def facts(recorder: Recorder, meta: SessionMeta) -> list[Fact]:
    """Return the key figures of a session in the order they are read."""
    rows = recorder.rows
    if not rows:
        return [Fact("Length", "0:00.0", "nothing was recorded")]
    length_us = rows[-1][0] - rows[0][0]
    return [
        Fact("Length", clock(length_us, 1), f"{len(rows):,} rows kept, simulated time"),
        *_charging(recorder, length_us),
        _hottest(recorder, meta),
        _limits(recorder),
        _switching(recorder),
        _faults(recorder),
    ]


def _charging(recorder: Recorder, length_us: int) -> list[Fact]:
    at = COLUMN_INDEX["charger_ma"]
    rows = recorder.rows
    charged_us = charge_ma_us = 0
    for row, after in pairwise(rows):
        if row[at] >= _CHARGING_MA:
            charged_us += after[0] - row[0]
            charge_ma_us += row[at] * (after[0] - row[0])
    top = max(rows, key=lambda row: row[at])
    share = f"{100 * charged_us / length_us:.0f} % of the session" if length_us else ""
    mean = f", mean {charge_ma_us / charged_us / 1000:.1f} A" if charged_us else ""
    return [
        Fact("Charging", clock(charged_us, 1), share),
        Fact("Highest current", f"{top[at] / 1000:.1f} A", f"per phase{mean}"),
    ]


def _hottest(recorder: Recorder, meta: SessionMeta) -> Fact:
    label = "Hottest contact"
    best = None
    for n, name in meta.shown_contacts():
        at = COLUMN_INDEX[f"contact_{n}_decic"]
        row = max(recorder.rows, key=lambda row: row[at])
        if best is None or row[at] > best[0]:
            best = (row[at], name, row[0])
    if best is None:
        return Fact(label, "-", "no contact is modelled")
    decic, name, t_us = best
    return Fact(label, f"{decic / 10:.1f} °C", f"{name}, at {t_us / 1e6:.1f} s")


def _limits(recorder: Recorder) -> Fact:
    s2, limiter = COLUMN_INDEX["s2_close"], COLUMN_INDEX["limiter"]
    shares: dict[int, int] = {}
    for row, after in pairwise(recorder.rows):
        if row[s2]:
            shares[row[limiter]] = shares.get(row[limiter], 0) + after[0] - row[0]
    total = sum(shares.values())
    if not total:
        return Fact("Limited by", "-", "S2 was never closed")
    ranked = sorted(shares, key=lambda number: -shares[number])
    ranked = ranked[:1] + [number for number in ranked[1:] if shares[number] * 200 >= total]
    words = [
        f"{name_of(recorder.names.limiter, n)} {100 * shares[n] / total:.0f} %" for n in ranked
    ]
    return Fact("Limited by", words[0], ", ".join(words[1:]) or "all the time S2 was closed")


def _switching(recorder: Recorder) -> Fact:
    s2 = COLUMN_INDEX["s2_close"]
    rows = recorder.rows
    closings = sum(bool(b[s2]) > bool(a[s2]) for a, b in pairwise(rows))
    closings += bool(rows[0][s2])
    return Fact("S2 closed", f"{closings} time{'s' if closings != 1 else ''}", "energy asked for")


def _faults(recorder: Recorder) -> Fact:
    at = COLUMN_INDEX["faults"]
    seen = 0
    for row in recorder.rows:
        seen |= row[at]
    table = recorder.names.faults
    names = [
        table[n][0] if n < len(table) else f"?{n}"
        for n in range(seen.bit_length())
        if seen >> n & 1
    ]
    left = "still there at the end" if recorder.rows[-1][at] else "none left at the end"
    return Fact("Faults seen", str(len(names)), f"{', '.join(names)}; {left}" if names else "none")
