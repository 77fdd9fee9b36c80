"""Reaction times: for each cause a histogram in plain SVG, with the limit and the tool's own timing error."""

import math
from collections import Counter
from html import escape
from typing import NamedTuple

from inletctl.bench.model import FAIL, INCONCLUSIVE, Row, Run, worst
from inletctl.bench.report.verdicts import SIGNS, judged

_TO_MS = {"ms": 1.0, "us": 1e-3, "s": 1e3}
_BINS = 26  # up to the limit
_WIDTH, _HEIGHT, _LEFT, _BASE, _TOP = 360, 128, 6, 104, 24


class Latency(NamedTuple):
    """The reaction times that share a cause and a limit, sorted, in `unit`: ms, or % of their own limits."""

    cause: str
    limit: float
    times: list[float]
    missing: int  # rows that should have a time and have none
    verdict: str
    unit: str = "ms"

    def show(self, value: float) -> str:
        """Return a time or a share with its unit."""
        if self.unit == "ms" and value >= 10_000:
            return f"{value / 1000:.4g} s"
        return f"{value:.4g} {self.unit}"

    def quantile(self, share: float) -> float:
        """Return the smallest time that at least `share` of all do not exceed (nearest rank)."""
        rank = max(1, math.ceil(share * len(self.times)))
        return self.times[rank - 1]


def latencies(run: Run) -> list[Latency]:
    """Return the reaction times of `run`, by cause, those that used most of their limit first.

    Rows without a cause are the timed expectations of the cases, each with a limit of its own: they share one entry.
    """
    parts = {step.id: step.extra.get("part", "") for block in run.blocks for step in block.steps}
    groups: dict[tuple[str, float], list[Row]] = {}
    others: list[Row] = []
    for row in judged(run):
        factor = _TO_MS.get(row.measured_unit)
        if factor is None or row.limit is None or row.limit <= 0:
            continue
        if not row.cause:
            others.append(row)
            continue
        part = _PARTS.get(parts.get(row.id, ""), "")
        groups.setdefault((row.cause + part, row.limit * factor), []).append(row)
    found = sorted(
        (
            _latency(cause, limit_ms, rows, [_TO_MS[row.measured_unit] for row in rows])
            for (cause, limit_ms), rows in groups.items()
        ),
        key=lambda one: -_share(one),
    )
    if others:
        shares = [100 / (row.limit or 1) for row in others]
        found.append(_latency("all timed expectations of the cases", 100, others, shares, "%"))
    return found


_PARTS = {"s2": ": S2 open", "current": ": current 0"}


def _latency(
    cause: str, limit: float, rows: list[Row], factors: list[float], unit: str = "ms"
) -> Latency:
    times = sorted(
        row.measured * factor
        for row, factor in zip(rows, factors, strict=True)
        if row.measured is not None
    )
    missing = sum(row.measured is None and row.verdict in (FAIL, INCONCLUSIVE) for row in rows)
    return Latency(cause, limit, times, missing, worst([row.verdict for row in rows]), unit)


def _share(one: Latency) -> float:
    return one.times[-1] / one.limit if one.times else math.inf


def cards(run: Run, found: list[Latency]) -> str:
    """Return a card with histogram and figures for each of `found`."""
    return "".join(_card(one, run.timing_error_us / 1000) for one in found)


def _card(one: Latency, timing_error_ms: float) -> str:
    figures = [("n", str(len(one.times)))]
    if one.times:
        figures += [
            ("min", one.show(one.times[0])),
            ("median", one.show(one.quantile(0.5))),
            ("p95", one.show(one.quantile(0.95))),
            ("max", one.show(one.times[-1])),
        ]
    figures.append(("limit", one.show(one.limit)))
    told = "".join(f"<div><dt>{label}</dt><dd>{text}</dd></div>" for label, text in figures)
    missing = f"<p class='note'>{one.missing} without a reaction time</p>" if one.missing else ""
    # The timing error is a time: of a share of many limits it says nothing.
    drawn = _svg(one, timing_error_ms if one.unit == "ms" else 0) if one.times else ""
    return (
        f"<figure class='latency'><figcaption><b>{escape(one.cause)}</b> "
        f"<small>{SIGNS[one.verdict]} {one.verdict}</small></figcaption>"
        f"{drawn}<dl>{told}</dl>{missing}</figure>\n"
    )


def _svg(one: Latency, timing_error: float) -> str:
    span = max(one.limit + timing_error, one.times[-1]) * 1.12
    inner = _WIDTH - 2 * _LEFT

    def x(value: float) -> float:
        return round(_LEFT + inner * value / span, 2)

    # The limit is where two bars meet, so no bar stands on both sides of it.
    width = one.limit / _BINS
    bins = Counter(max(0, math.ceil(value / width) - 1) for value in one.times)
    # A time far beyond its limit makes the bars thin; they stay visible.
    drawn_width = max(1.5, inner * width / span - 1)
    top = max(bins.values())
    bars = []
    for n, count in sorted(bins.items()):
        height = (_BASE - _TOP - 6) * count / top
        begin, end = width * n, width * (n + 1)
        bars.append(
            f"<rect x='{x(begin):g}' y='{_BASE - height:.1f}' width='{drawn_width:.1f}' height='{height:.1f}'>"
            f"<title>{count} from {one.show(begin)} to {one.show(end)}</title></rect>"
        )
    limit = x(one.limit)
    band = ""
    if timing_error:
        low, high = x(max(0, one.limit - timing_error)), x(one.limit + timing_error)
        band = (
            f"<rect class='band' x='{low:g}' y='{_TOP}' width='{high - low:.2f}' height='{_BASE - _TOP}'>"
            f"<title>timing error of the tool: {one.show(timing_error)} either way</title></rect>"
        )
    # The words at the limit and the height of the bars keep out of each other's way.
    limit_side, top_side, top_x = (
        ("end", "start", _LEFT) if limit > _WIDTH / 2 else ("start", "end", _WIDTH - _LEFT)
    )
    ticks = "".join(
        f"<text x='{x(value):g}' y='{_BASE + 18}' text-anchor='{anchor}'>{one.show(value)}</text>"
        for value, anchor in ((0, "start"), (one.limit / 2, "middle"))
    )
    return (
        f"<svg viewBox='0 0 {_WIDTH} {_HEIGHT}' role='img' aria-label='{len(one.times)} reaction times, "
        f"longest {one.show(one.times[-1])} of {one.show(one.limit)}'>{band}"
        f"<line class='axis' x1='{_LEFT}' y1='{_BASE}' x2='{_WIDTH - _LEFT}' y2='{_BASE}'/>"
        f"{''.join(bars)}<line class='limit' x1='{limit:g}' y1='{_TOP - 4}' x2='{limit:g}' y2='{_BASE}'/>"
        f"<text class='limit' x='{limit:g}' y='{_TOP - 7}' text-anchor='{limit_side}'>"
        f"limit {one.show(one.limit)}</text>{ticks}"
        f"<text x='{top_x}' y='{_TOP - 7}' text-anchor='{top_side}'>highest bar: {top}</text></svg>"
    )
