"""The sweeps of a run as plots: what was set against what was read, with the expected curve and its limits.

Figures are plain data for plotly. A colour is "@key" of report.palette.COLORS, "@key/0.2" where it is to be clear;
the page's script puts the colour of its theme there. Text from a run is escaped: plotly reads markup.
"""

from html import escape
from typing import Any, NamedTuple

from inletctl.bench.model import FAIL, INCONCLUSIVE, PASS, Row, Run
from inletctl.bench.report.numbers import ERROR_DIGITS, figures, plain_number, quantity, unit_word
from inletctl.bench.report.verdicts import judged

_SYMBOLS = ("circle", "triangle-up", "triangle-down", "square")
_POINTS_MIN = 3  # fewer say more in the table
_OFF_SCALE = 8  # the error plot shows so many times the limit; what is beyond sits at its edge


class Sweep(NamedTuple):
    """One plot: rows that set and read the same pair of quantities."""

    key: str
    title: str
    note: str
    figure: dict[str, Any]
    is_wide: bool


# A plot takes half the page or all of it, and may have its error below.
HALF, WIDE, WITH_ERROR = range(3)
# (unit set, unit read): title, name of what is set, name of what is read, how it is drawn.
_KNOWN = {
    ("%", "%"): ("Duty in against duty read", "duty set", "duty read", WITH_ERROR),
    ("%", "A"): ("Current offered against the formula", "duty set", "current", WITH_ERROR),
    ("°C", "A"): (
        "Temperature against permitted current",
        "contact temperature",
        "current",
        WITH_ERROR,
    ),
    ("ohm", "A"): ("Cable coding against its current", "PP resistor", "current", WIDE),
    ("Hz", "A"): ("Pilot frequency against current", "frequency set", "current", HALF),
    ("V", "V"): ("Level in against level read", "level set", "level read", HALF),
    ("Hz", "Hz"): (
        "Frequency in against frequency read",
        "frequency set",
        "frequency read",
        WITH_ERROR,
    ),
    ("°C", "°C"): ("Temperature in against temperature read", "set", "read", WITH_ERROR),
}
_SCALES = {
    "mA": (1e-3, "A"),
    "mV": (1e-3, "V"),
    "decic": (0.1, "°C"),
    "0.1C": (0.1, "°C"),
    "C": (1, "°C"),
    "degC": (1, "°C"),
    "pct": (1, "%"),
    "pct_x100": (0.01, "%"),
}


class _Point(NamedTuple):
    x: float
    y: "float | None"
    expected: "float | None"
    error: "float | None"
    limit: "float | None"
    row: Row
    inlet: str


def sweeps(run: Run) -> list[Sweep]:
    """Return every plot that the rows of `run` allow, the best known first."""
    inlets = {block.id: block.inlet for block in run.blocks}
    titles = {block.id: block.title for block in run.blocks}
    groups: dict[tuple[str, str, str], list[_Point]] = {}
    for row in judged(run):
        if row.set_value is None or not row.measured_unit or row.measured_unit in _TIMES:
            continue
        x_factor, x_unit = _SCALES.get(row.unit, (1, row.unit))
        y_factor, y_unit = _SCALES.get(row.measured_unit, (1, row.measured_unit))
        what = "" if (x_unit, y_unit) in _KNOWN else row.what
        point = _Point(
            row.set_value * x_factor,
            _times(row.measured, y_factor),
            _times(row.expected, y_factor),
            _times(row.error, y_factor),
            _times(row.limit, y_factor),
            row,
            inlets.get(row.block_id, ""),
        )
        groups.setdefault((what, x_unit, y_unit), []).append(point)
    order = list(_KNOWN)
    keys = sorted(
        groups, key=lambda key: (order.index(key[1:]) if key[1:] in order else len(order), key)
    )
    return [
        _sweep(key, groups[key], titles)
        for key in keys
        if sum(point.y is not None for point in groups[key]) >= _POINTS_MIN
    ]


_TIMES = ("s", "ms", "us")


def _times(value: "float | None", factor: float) -> "float | None":
    return None if value is None else round(value * factor, 9)


def _sweep(key: tuple[str, str, str], points: list[_Point], titles: dict[str, str]) -> Sweep:
    what, x_unit, y_unit = key
    known = _KNOWN.get((x_unit, y_unit))
    title, x_name, y_name, form = known or (
        f"{what.capitalize()}: set against read", "set", "read", HALF,
    )  # fmt: skip
    traces = [*_curves(points), *_points(points, titles, y_unit)]
    has_errors = form == WITH_ERROR and any(point.error is not None for point in points)
    bottom = 0.36 if has_errors else 0.0
    layout: dict[str, Any] = {
        "xaxis": {
            "title": {"text": f"{x_name}, {unit_word(x_unit)}"},
            "anchor": "y2" if has_errors else "y",
            "type": "log" if x_unit == "ohm" else "linear",
        },
        "yaxis": {"title": {"text": f"{y_name}, {unit_word(y_unit)}"}, "domain": [bottom, 1]},
        "height": 520 if has_errors else 360,
    }
    note = ""
    if has_errors:
        more, note, edge = _errors(points, titles, y_unit)
        traces += more
        layout["yaxis2"] = {
            "title": {"text": f"error, {unit_word(y_unit)}"},
            "domain": [0, 0.27],
            "range": [-edge, edge],
        }
    if any(point.y is None for point in points):
        note += " What was not measured is drawn where it was expected."
    key_text = "-".join(filter(None, key))
    return Sweep(key_text, title, note.strip(), {"data": traces, "layout": layout}, form != HALF)


def _line(points: list[_Point]) -> list[_Point]:
    """Return the points in order of what was set, one for each value set."""
    first: dict[float, _Point] = {}
    for point in points:
        if point.x not in first or first[point.x].expected is None:
            first[point.x] = point
    return [first[x] for x in sorted(first)]


def _curves(points: list[_Point]) -> list[dict[str, Any]]:
    """The expected curve of each inlet, one curve where they agree, with the band that its limit leaves."""
    curves: list[tuple[list[str], dict[float, _Point]]] = []
    for inlet in sorted({point.inlet for point in points}):
        line = {point.x: point for point in _line([p for p in points if p.inlet == inlet])}
        for names, drawn in curves:
            common = line.keys() & drawn.keys()
            if common and all(line[x].expected == drawn[x].expected for x in common):
                names.append(inlet)
                drawn.update(line)
                break
        else:
            curves.append(([inlet], line))
    traces = []
    for names, drawn in curves:
        line = [drawn[x] for x in sorted(drawn)]
        if all(point.expected is None for point in line):
            continue
        if any(point.limit for point in line):
            traces.append(_band(line, lambda p: p.expected, "y", "allowed" if not traces else ""))
        name = "expected" if len(curves) == 1 else f"expected, {', '.join(names)}"
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": [point.x for point in line],
                "y": [point.expected for point in line],
                "name": escape(name),
                "line": {"color": "@ink/0.55", "width": 1.3},
                "hoverinfo": "skip",
            }
        )
    return traces


def _band(line: list[_Point], middle: Any, axis: str, name: str) -> dict[str, Any]:
    """A filled shape between middle - limit and middle + limit; parts without a limit are left open."""
    xs: list[Any] = []
    ys: list[Any] = []
    part: list[_Point] = []
    for point in [*line, None]:
        if point is not None and point.limit is not None and middle(point) is not None:
            part.append(point)
            continue
        if part:
            back = part[::-1]
            xs += [*(p.x for p in part), *(p.x for p in back), part[0].x, None]
            ys += [*(middle(p) + p.limit for p in part), *(middle(p) - p.limit for p in back)]
            ys += [middle(part[0]) + part[0].limit, None]
        part = []
    return {
        "type": "scatter",
        "mode": "lines",
        "x": xs,
        "y": ys,
        "yaxis": axis,
        "fill": "toself",
        "fillcolor": "@green/0.16",
        "line": {"width": 0.8, "color": "@green/0.5"},
        "name": name,
        "showlegend": bool(name),
        "hoverinfo": "skip",
    }


def _marks(
    points: list[_Point], titles: dict[str, str]
) -> list[tuple[str, list[_Point], dict[str, Any]]]:
    """Return (name, points, marker) of each kind of point: passed ones by block, the others by verdict."""
    passed = [point for point in points if point.row.verdict == PASS]
    blocks = list(dict.fromkeys(point.row.block_id for point in passed))
    kinds = []
    if len(blocks) <= len(_SYMBOLS):
        for symbol, block in zip(_SYMBOLS, blocks, strict=False):
            found = [point for point in passed if point.row.block_id == block]
            marker = {"symbol": symbol, "size": 6, "color": "@blue", "opacity": 0.75}
            kinds.append((f"pass: {titles.get(block) or block}", found, marker))
    else:
        kinds.append(("pass", passed, {"symbol": "circle", "size": 5.5, "color": "@blue"}))
    for verdict, marker in (
        (FAIL, {"symbol": "x", "size": 7, "color": "@red"}),
        (INCONCLUSIVE, {"symbol": "diamond-open", "size": 9, "color": "@amber", "line": {"width": 2}}),
    ):  # fmt: skip
        kinds.append((verdict, [p for p in points if p.row.verdict == verdict], marker))
    return [(name, found, marker) for name, found, marker in kinds if found]


def _points(points: list[_Point], titles: dict[str, str], y_unit: str) -> list[dict[str, Any]]:
    traces = []
    for name, found, marker in _marks(points, titles):
        traces.append(
            _scatter(name, found, [p.expected if p.y is None else p.y for p in found], marker)
        )
    return traces


def _scatter(name: str, points: list[_Point], ys: list[Any], marker: dict) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [point.x for point in points],
        "y": ys,
        "name": escape(_short(name)),
        "legendgroup": escape(name),
        "marker": marker,
        "hovertext": [_hover(point.row) for point in points],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "customdata": [point.row.id for point in points],
    }


def _errors(
    points: list[_Point], titles: dict[str, str], y_unit: str
) -> tuple[list[dict[str, Any]], str, float]:
    """Return (traces, note, edge) of the error plot; what is off its scale sits at the edge."""
    limits = [point.limit for point in points if point.limit]
    # Where a table steps, either side of the step is right: such a pass is no measure of how well it reads.
    chosen = [point for point in points if _is_beyond(point) and point.row.verdict == PASS]
    ids = {id(point) for point in chosen}
    errors = [abs(p.error) for p in points if p.error is not None and id(p) not in ids]
    edge = max(errors, default=0.0)
    if limits:
        edge = max(min(edge, _OFF_SCALE * max(limits)), 1.6 * max(limits))
    edge = edge * 1.08 or 1.0
    traces = []
    line = [point for point in _line(points) if point.expected is not None]
    if limits:
        traces.append(_band(line, lambda _: 0.0, "y2", ""))
    off = 0
    for name, found, marker in _marks(points, titles):
        seen = [point for point in found if point.error is not None]
        ys = []
        symbols = []
        for point in seen:
            y = point.error or 0.0
            is_off = abs(y) > edge
            off += is_off
            symbols.append(
                f"triangle-{'up' if y > 0 else 'down'}-open" if is_off else marker["symbol"]
            )
            ys.append(max(-edge, min(edge, y)) * (0.93 if is_off else 1))
        if seen:
            trace = _scatter(name, seen, ys, {**marker, "symbol": symbols})
            traces.append({**trace, "yaxis": "y2", "showlegend": False})
    worst_text = quantity(max(errors, default=None), y_unit, ERROR_DIGITS)
    note = f"Largest error {worst_text}"
    if limits:
        low, high = min(limits), max(limits)
        allowed = quantity(high, y_unit)
        if low != high:
            allowed = f"{plain_number(low)} to {allowed}"
        note += f"; allowed {allowed}"
    note += "."
    if chosen:
        note += f" Outside the band, but right, where the table steps: {len(chosen)}."
    if off:
        many = "1 point is" if off == 1 else f"{off} points are"
        note += f" {many} off the scale of the error plot and drawn at its edge."
    return traces, note, edge


def _is_beyond(point: _Point) -> bool:
    return (
        point.error is not None
        and point.limit is not None
        and abs(point.error) > point.limit + 1e-9
    )


def _hover(row: Row) -> str:
    lines = [f"<b>{escape(_short(row.id))}</b>: {row.verdict}"]
    lines += [f"{label} {escape(text)}" for label, text in figures(row)]
    if row.measured is None:
        lines.append("nothing measured")
    return "<br>".join(lines)


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"
