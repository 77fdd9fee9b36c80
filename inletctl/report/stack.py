"""The frame of the page's plots: subplots below each other on one time axis, and the traces in them."""

from html import escape
from typing import Any

from inletctl.record import COLUMN_INDEX, Recorder, name_of
from inletctl.report.palette import COLORS, color_of

_GAP_PX = 46  # between two plots: room for the title and legend of the lower one
NEAR_PX = 8  # where the lower one belongs to the upper
_TOP_PX = 30
_BOTTOM_PX = 44
_LEFT_PX = 118
_RIGHT_PX = 26
LANE_PX = 24
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


class Stack:
    """Collects subplots from top to bottom; `layout` is plotly's layout of them."""

    def __init__(self, recorder: Recorder):
        self.recorder = recorder
        self.traces: list[dict[str, Any]] = []
        self.plots: list[dict[str, Any]] = []
        self._shapes: list[dict[str, Any]] = []
        self._notes: list[dict[str, Any]] = []

    def plot(self, title: str, unit: str, px: float, low: float, high: float) -> str:
        number = len(self.plots) + 1
        self.plots.append(
            {
                "title": title,
                "unit": unit,
                "px": px,
                "range": [low, high],
                "number": number,
                "gap": _GAP_PX,
            }
        )
        return "y" if number == 1 else f"y{number}"

    def lanes(self, title: str, labels: list[str], px: int, hint: str = "") -> str:
        axis = self.plot(title, hint, px * len(labels), len(labels) - 0.5, -0.5)
        self.plots[-1].update(tickvals=list(range(len(labels))), ticktext=labels, lanes=True)
        return axis

    def line(
        self,
        axis: str,
        name: str,
        column: str,
        scale: float,
        color: str,
        width: float = 1.6,
        dash: str = "solid",
        fill: bool = False,
    ) -> None:
        number = self.plots[-1]["number"]
        trace: dict[str, Any] = {
            "type": "scatter",
            "mode": "lines",
            "x": [],
            "y": [],
            "yaxis": axis,
            "name": escape(name, quote=False),  # plotly reads markup in a name
            "legend": _legend(number),
            "hoverinfo": "skip",
            # What is recorded holds until it changes; a slope between two rows would be invented.
            "line": {"shape": "hv", "width": width, "dash": dash, "color": COLORS[color][0]},
            "meta": {"column": column, "scale": scale, "color": color},
        }
        if fill:
            trace["fill"] = "tozeroy"
        self.traces.append(trace)

    def strip(self, axis: str, lane: int, label: str, column: str) -> None:
        values = sorted({row[COLUMN_INDEX[column]] for row in self.recorder.rows}, key=str)
        colors = {}
        texts = {}
        for value in values:
            is_text = isinstance(value, str)
            name = value if is_text else name_of(self.recorder.names.of(column), value)
            key = str(text_index(self.recorder, column).index(value)) if is_text else str(value)
            colors[key] = color_of(column, name)
            texts[key] = name
        self.bars(axis, lane, label, {"column": column, "colors": colors, "texts": texts})

    def bars(self, axis: str, lane: int, name: str, shown: dict[str, Any]) -> None:
        self.traces.append(
            {
                "type": "bar",
                "orientation": "h",
                "base": [],
                "x": [],
                "y": [],
                "text": [],
                "textposition": "inside",
                "insidetextanchor": "middle",
                "textangle": 0,
                "constraintext": "none",
                "textfont": {"size": 11},
                "marker": {"color": [], "line": {"width": 0}},
                "yaxis": axis,
                "name": name,
                "showlegend": False,
                "hovertemplate": "%{hovertext}<extra></extra>",
                "meta": {"lane": lane, "name": name, **shown},
            }
        )

    def limit(self, axis: str, decic: int | None, text: str, color: str, high: float) -> None:
        if decic is None or decic / 10 > high:
            return
        y = decic / 10
        self._shapes.append(
            {
                "type": "line",
                "xref": "paper",
                "x0": 0,
                "x1": 1,
                "yref": axis,
                "y0": y,
                "y1": y,
                "layer": "above",
                "line": {"width": 1, "dash": "dash", "color": COLORS[color][0]},
            }
        )
        self._notes.append(
            {
                "xref": "paper",
                "x": 1,
                "xanchor": "right",
                "yref": axis,
                "y": y,
                "yanchor": "top" if text == "derating ends" else "bottom",
                "text": f"{text} {y:g} °C",
                "showarrow": False,
                "font": {"size": 11, "color": COLORS[color][0]},
                "name": color,
            }
        )

    def top(self, column: str, divisor: int, at_least: float) -> float:
        values = (row[COLUMN_INDEX[column]] for row in self.recorder.rows)
        return max(at_least, max((v for v in values if v is not None), default=0) / divisor)

    def low(self, column: str, divisor: int, at_most: float) -> float:
        values = (row[COLUMN_INDEX[column]] for row in self.recorder.rows)
        return min(at_most, min((v for v in values if v is not None), default=0) / divisor)

    # Layout.

    def height(self) -> int:
        inner = sum(plot["px"] + plot["gap"] for plot in self.plots) - self.plots[0]["gap"]
        return round(inner + _TOP_PX + _BOTTOM_PX)

    def layout(self) -> dict[str, Any]:
        inner = self.height() - _TOP_PX - _BOTTOM_PX
        end_s = self.recorder.rows[-1][0] / 1e6 if self.recorder.rows else 0
        begin_s = self.recorder.rows[0][0] / 1e6 if self.recorder.rows else 0
        end_s = max(end_s, begin_s + 0.01)
        layout: dict[str, Any] = {
            "height": self.height(),
            "autosize": True,
            "margin": {"l": _LEFT_PX, "r": _RIGHT_PX, "t": _TOP_PX, "b": _BOTTOM_PX, "pad": 0},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "font": {"family": _FONT, "size": 12, "color": COLORS["ink"][0]},
            "barmode": "overlay",
            "bargap": 0.16,
            "dragmode": "zoom",
            "hovermode": "closest",
            "hoverlabel": {"align": "left", "font": {"family": _FONT, "size": 12}},
            "uniformtext": {"mode": "hide", "minsize": 11},
            "xaxis": {
                "range": [begin_s, end_s],
                "minallowed": begin_s,
                "maxallowed": end_s,
                "anchor": f"y{len(self.plots)}",
                "title": {"text": "time since the start, s", "standoff": 8},
                "separatethousands": False,
                "exponentformat": "none",
                "showgrid": True,
                "gridcolor": COLORS["grid"][0],
                "zeroline": False,
                "ticks": "outside",
                "ticklen": 4,
                "tickcolor": COLORS["grid"][0],
            },
        }
        top = inner
        for plot in self.plots:
            if plot["number"] > 1:
                top -= plot["gap"]
            bottom = top - plot["px"]
            self._place(layout, plot, bottom / inner, top / inner, inner)
            top = bottom
        layout["shapes"] = self._shapes
        layout["annotations"] = self._notes
        return layout

    def _place(self, layout: dict, plot: dict, low: float, high: float, inner: float) -> None:
        number = plot["number"]
        lanes = plot.get("lanes", False)
        axis: dict[str, Any] = {
            "domain": [max(0, low), min(1, high)],
            "range": plot["range"],
            "fixedrange": True,
            "zeroline": False,
            "showgrid": not lanes,
            "gridcolor": COLORS["grid"][0],
            "ticks": "",
            "nticks": 6,
            "ticklabelstandoff": 6,
        }
        if "tickvals" in plot:
            axis.update(tickmode="array", tickvals=plot["tickvals"])
        if "ticktext" in plot:
            axis["ticktext"] = plot["ticktext"]
        else:
            axis["ticksuffix"] = f" {plot['unit']}"
        layout["yaxis" if number == 1 else f"yaxis{number}"] = axis
        if not plot["title"]:
            return
        unit = f", {plot['unit']}" if plot["unit"] and not lanes else ""
        hint = f"  <span style='font-weight:400'>{plot['unit']}</span>" if lanes else ""
        self._notes.append(
            {
                "xref": "paper",
                "x": 0,
                "xanchor": "left",
                "yref": "paper",
                "y": high,
                "yanchor": "bottom",
                "yshift": 4,
                "text": f"<b>{plot['title']}{unit}</b>{hint}",
                "showarrow": False,
                "font": {"size": 13, "color": COLORS["ink"][0]},
                "name": "ink",
            }
        )
        if not lanes:
            layout[_legend(number)] = {
                "orientation": "h",
                "x": 1,
                "xanchor": "right",
                "y": high + 2 / inner,
                "yanchor": "bottom",
                "font": {"size": 11.5},
                "bgcolor": "rgba(0,0,0,0)",
                "itemwidth": 30,
                "traceorder": "normal",
            }


def text_index(recorder: Recorder, column: str) -> list[str]:
    """Return the different texts in a text column, sorted: the page carries numbers into this list."""
    return sorted({row[COLUMN_INDEX[column]] for row in recorder.rows})


def _legend(number: int) -> str:
    return "legend" if number == 1 else f"legend{number}"
