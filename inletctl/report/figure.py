"""The plots of the page as plain data: plotly traces and layout, and which column feeds which trace.

Traces are empty here: assets/report.js fills them with the part of the columns that is in view, so an hour is as
quick as a minute. `meta` of each trace says what it shows. Colours are keys of palette.COLORS.
"""

from typing import Any

from inletctl.record import COLUMN_INDEX, Event, Recorder
from inletctl.report.meta import SessionMeta
from inletctl.report.palette import LEVEL
from inletctl.report.stack import LANE_PX, NEAR_PX, Stack

# Lanes of events, top first: (label, kinds).
EVENT_LANES = (
    ("scenario", ("scenario",)),
    ("EVSE, lock, car", ("world",)),
    ("inlet", ("start", "pilot", "session", "s2", "contactor", "lock", "light", "drive")),
    ("limits", ("offer", "limit")),
    ("reasons", ("reason",)),
    ("faults", ("fault",)),
    ("checks", ("check",)),
)
# Lanes of states: (label, column).
STATE_LANES = (
    ("session", "session"),
    ("pilot, seen", "pilot_state"),
    ("pilot, EVSE", "evse_state"),
    ("lock", "lock_state"),
    ("light", "light"),
)
# Lanes of switches: (label, column, colour while on).
SWITCH_LANES = (
    ("plugged", "plugged", "blue"),
    ("S2 closed", "s2_close", "green"),
    ("contactor", "contactor_closed", "green"),
    ("AC at inlet", "ac_present", "amber"),
    ("car may drive", "drive_allowed", "teal"),
    ("vehicle permits", "vehicle_permits", "soft"),
    ("stop asked", "stop_request", "red"),
    ("unlock asked", "unlock_request", "red"),
)
_CONTACT_COLORS = ("orange", "amber", "violet", "teal")


class Figure(Stack):
    """Collects subplots from top to bottom; `build` gives plotly's `data` and `layout`."""

    def __init__(self, recorder: Recorder, meta: SessionMeta, events: list[Event]):
        super().__init__(recorder)
        self._meta = meta
        self._shown_events = events

    def build(self) -> dict[str, Any]:
        """Return {"data", "layout", "height"}: every subplot shares the one x axis, in s."""
        self._events()
        self._states()
        self._currents()
        self._temperatures()
        self._pilot()
        self._duty()
        self._lock()
        self._switches()
        self._masks()
        return {"data": self.traces, "layout": self.layout(), "height": self.height()}

    # Subplots.

    def _events(self) -> None:
        seen = {event.kind for event in self._shown_events}
        lanes = [lane for lane in EVENT_LANES if seen.intersection(lane[1])] or EVENT_LANES[:1]
        axis = self.lanes(
            "Events", [name for name, _ in lanes], LANE_PX, "point at a mark to read it"
        )
        for n, (label, kinds) in enumerate(lanes):
            self.traces.append(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "x": [],
                    "y": [],
                    "yaxis": axis,
                    "name": label,
                    "showlegend": False,
                    "hovertemplate": "%{text}<extra></extra>",
                    "marker": {
                        "size": 10 if label in ("scenario", "checks") else 9,
                        "symbol": _SYMBOLS[label],
                        "line": {"width": 1},
                    },
                    "meta": {"events": list(kinds), "lane": n, "levels": LEVEL},
                }
            )

    def _states(self) -> None:
        axis = self.lanes("States", [label for label, _ in STATE_LANES], LANE_PX)
        for n, (label, column) in enumerate(STATE_LANES):
            self.strip(axis, n, label, column)

    def _currents(self) -> None:
        axis = self.plot("Current per phase", "A", 230, 0, self.top("offered_ma", 1000, 16) * 1.06)
        self.line(axis, "drawn", "charger_ma", 0.001, "green", width=1.4, fill=True)
        self.line(axis, "offered", "offered_ma", 0.001, "soft", width=1.4, dash="dash")
        self.line(axis, "permitted", "permitted_ma", 0.001, "blue", width=2.2)
        self.line(axis, "commanded", "charger_command_ma", 0.001, "navy", width=1.4, dash="dot")
        axis = self.lanes("", ["limited by"], LANE_PX)
        self.plots[-1]["gap"] = NEAR_PX
        self.strip(axis, 0, "limited by", "limiter")

    def _temperatures(self) -> None:
        meta = self._meta
        shown = meta.shown_contacts()
        columns = [f"contact_{n}_decic" for n, _ in shown]
        high = max([self.top(c, 10, 40) for c in [*columns, "hottest_decic"]])
        low = min([self.low(c, 10, 20) for c in [*columns, "hottest_decic"]])
        # A limit that is near belongs in the picture; one far off would only flatten the curves.
        for limit in (meta.derate_start_decic, meta.derate_end_decic, meta.stop_decic):
            if limit is not None and limit / 10 < high + 25:
                high = max(high, limit / 10)
        axis = self.plot("Temperature", "°C", 200, low - 4, high + 5)
        for n, name in shown:
            self.line(
                axis, name, f"contact_{n}_decic", 0.1, _CONTACT_COLORS[n], width=2.8 - n % 2 * 1.4
            )
        self.line(axis, "hottest, as read", "hottest_decic", 0.1, "ink", width=1, dash="dot")
        self.limit(axis, meta.derate_start_decic, "derating starts", "amber", high)
        self.limit(axis, meta.derate_end_decic, "derating ends", "orange", high)
        self.limit(axis, meta.stop_decic, "charging stops", "red", high)

    def _pilot(self) -> None:
        axis = self.plot("Control pilot at the inlet", "V", 170, -14, 14)
        self.plots[-1]["tickvals"] = [-12, -6, 0, 3, 6, 9, 12]
        self.line(axis, "level while high", "cp_high_mv", 0.001, "blue")
        self.line(axis, "level while low", "cp_low_mv", 0.001, "teal")

    def _duty(self) -> None:
        axis = self.plot("Duty", "%", 110, 0, 105)
        self.plots[-1]["tickvals"] = [0, 25, 50, 75, 100]
        self.line(axis, "sent by the EVSE", "evse_duty_pct_x100", 0.01, "soft", width=2.4)
        self.line(axis, "accepted by the inlet", "duty_pct_x100", 0.01, "blue", width=1.2)

    def _lock(self) -> None:
        axis = self.plot("Connector lock", "%", 110, -110, 110)
        self.plots[-1].update(
            tickvals=[-100, 0, 100],
            ticktext=["drive: unlock", "0 %: unlocked", "100 %: locked"],
        )
        self.line(axis, "drive (up: lock)", "lock_drive", 100, "amber", width=1.2, fill=True)
        self.line(axis, "travel", "lock_travel_pct", 1, "navy", width=2)

    def _switches(self) -> None:
        axis = self.lanes("Switches", [label for label, _, _ in SWITCH_LANES], 20)
        for n, (label, column, color) in enumerate(SWITCH_LANES):
            self.bars(axis, n, label, {"column": column, "colors": {"1": color}, "texts": {}})

    def _masks(self) -> None:
        for title, column, table, color in (
            ("Why S2 may not close", "reasons", self.recorder.names.reasons, "amber"),
            ("Faults", "faults", self.recorder.names.faults, "red"),
        ):
            seen = 0
            for row in self.recorder.rows:
                seen |= row[COLUMN_INDEX[column]]
            bits = [n for n in range(seen.bit_length()) if seen >> n & 1]
            names = [table[n] if n < len(table) else (f"?{n}", "unknown") for n in bits]
            if not bits:
                continue
            axis = self.lanes(title, [name for name, _ in names], 20)
            for lane, (bit, (name, what)) in enumerate(zip(bits, names, strict=True)):
                shown = {
                    "column": column,
                    "bit": bit,
                    "colors": {"1": color},
                    "texts": {"1": what},
                }
                self.bars(axis, lane, name, shown)


_SYMBOLS = {
    "scenario": "triangle-down",
    "EVSE, lock, car": "triangle-right",
    "inlet": "circle",
    "limits": "diamond",
    "reasons": "square",
    "faults": "x",
    "checks": "star",
}
