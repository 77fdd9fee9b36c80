"""report.html of a session. Text from a scenario is text, whatever it contains."""

from html import escape
from pathlib import Path
from typing import Any, TextIO

from inletctl.record import COLUMN_INDEX, COLUMNS, EVENT_KINDS, Event, Recorder
from inletctl.report.figure import Figure
from inletctl.report.files import write_whole
from inletctl.report.meta import (
    FAIL,
    INCONCLUSIVE,
    LIMITS_TEXT,
    NOT_RUN,
    PASS,
    Expectation,
    SessionMeta,
)
from inletctl.report.pack import pack_column, pack_times
from inletctl.report.palette import COLORS, OUTCOME
from inletctl.report.shell import ASSETS, whole_page
from inletctl.report.stack import text_index
from inletctl.report.summary import facts
from inletctl.report.thin import thin

EVENTS_MAX = 5000  # in the page; session.csv has all
_DATA_BYTES = 900_000  # packed columns: with plotly.js and the events, a page stays below 6 MB

_LEVELS = {PASS: "good", FAIL: "bad", NOT_RUN: "info", INCONCLUSIVE: "warn"}

# What the bar at the top reads at the cursor: (label, column, factor, digits, unit).
# fmt: off
READOUT = (
    ("session",   "session",            1,     0, ""),
    ("pilot",     "pilot_state",        1,     0, ""),
    ("light",     "light",              1,     0, ""),
    ("offered",   "offered_ma",         0.001, 1, "A"),
    ("permitted", "permitted_ma",       0.001, 1, "A"),
    ("limited by", "limiter",           1,     0, ""),
    ("drawn",     "charger_ma",         0.001, 1, "A"),
    ("hottest read", "hottest_decic",   0.1,   1, "°C"),
    ("lock",      "lock_state",         1,     0, ""),
    ("S2",        "s2_close",           1,     0, "open/closed"),
    ("contactor", "contactor_closed",   1,     0, "open/closed"),
    ("CP high",   "cp_high_mv",         0.001, 2, "V"),
    ("CP low",    "cp_low_mv",          0.001, 2, "V"),
    ("duty sent", "evse_duty_pct_x100", 0.01,  2, "%"),
    ("duty read", "duty_pct_x100",      0.01,  2, "%"),
)
# fmt: on


def write_html(path: Path, recorder: Recorder, meta: SessionMeta) -> Path:
    """Write the page for `recorder` and `meta` to `path`."""
    text = page(recorder, meta)

    def write(stream: TextIO) -> None:
        stream.write(text)

    return write_whole(path, write)


def page(recorder: Recorder, meta: SessionMeta) -> str:
    """Return the whole page."""
    data, note = page_data(recorder, meta)
    body = (
        _head(meta),
        _facts(recorder, meta),
        _expectations(meta),
        _plots(note),
        _events(all_events(recorder, meta)),
        f"<footer>{escape(LIMITS_TEXT)}</footer>\n",
    )
    script = (ASSETS / "report.js").read_text(encoding="utf-8")
    return whole_page(f"{meta.title} - OpenInlet session", "", script, "".join(body), data)


def page_data(recorder: Recorder, meta: SessionMeta) -> tuple[dict[str, Any], str]:
    """Return what the page's script works on, and a sentence on what was left out (or none)."""
    events = all_events(recorder, meta)
    figure = Figure(recorder, meta, events[:EVENTS_MAX]).build()
    wanted = {trace["meta"]["column"] for trace in figure["data"] if "column" in trace["meta"]}
    wanted |= {item[1] for item in READOUT}
    columns = {}
    texts = {}
    for name in sorted(wanted):
        at = COLUMN_INDEX[name]
        values = [row[at] for row in recorder.rows]
        if any(isinstance(value, str) for value in values):
            texts[name] = text_index(recorder, name)
            number = {text: n for n, text in enumerate(texts[name])}
            values = [number[value] for value in values]
        columns[name] = [None if value is None else int(value) for value in values]
    step, packed = _pack(columns)
    note = f"Curves are thinned to lowest and highest of every {step} rows. " if step > 1 else ""
    if len(events) > EVENTS_MAX:
        note += f"The first {EVENTS_MAX} of {len(events)} events are shown. "
    whole_ms = all(row[0] % 1000 == 0 for row in recorder.rows)
    tick_us = 1000 if whole_ms else 1
    data = {
        "figure": figure,
        "tick_s": tick_us / 1e6,
        "times": pack_times([row[0] // tick_us for row in recorder.rows]),
        "columns": packed,
        "texts": texts
        | {
            name: list(recorder.names.of(name))
            for name in ("session", "pilot_state", "limiter", "lock_state", "light")
        },
        "readout": [list(item) for item in READOUT],
        "events": [
            [event.t_us / 1e6, event.kind, event.level, event.text]
            for event in events[:EVENTS_MAX]
        ],
        "colors": {key: list(pair) for key, pair in COLORS.items()},
    }
    return data, f"{note}session.csv has everything." if note else ""


def all_events(recorder: Recorder, meta: SessionMeta) -> list[Event]:
    """Return the recorded events and the judged expectations; one that a runner told already is not doubled."""
    events = list(recorder.events)
    told = {event.t_us for event in events if event.kind == "check"}
    for one in meta.expectations:
        if one.t_us is not None and one.t_us not in told:
            text = f"{one.outcome}: {one.text}" + (f" ({one.measured})" if one.measured else "")
            events.append(Event(one.t_us, "check", text, _LEVELS[one.outcome]))
    return sorted(events, key=lambda event: event.t_us)


def _pack(columns: dict[str, list[int | None]]) -> tuple[int, dict[str, str]]:
    """Return (step, packed columns): step 1 is without loss, more only where a page would become too big."""
    packed = {name: pack_column(values) for name, values in columns.items()}
    step = 1
    while sum(map(len, packed.values())) > _DATA_BYTES and step < 1 << 16:
        step *= 4
        for name, values in columns.items():
            if COLUMNS[COLUMN_INDEX[name]].kind == "number":  # a state is never thinned away
                packed[name] = pack_column(thin(values, step))
    return step, packed


def _head(meta: SessionMeta) -> str:
    outcome = meta.outcome if meta.expectations else "no verdict"
    color = OUTCOME.get(outcome, "soft")
    facts = (
        ("scenario", meta.scenario),
        ("inlet", meta.inlet),
        ("target", meta.target),
        ("firmware", meta.firmware_hash),
        ("seed", meta.seed),
        (
            "clock starts at",
            f"{meta.clock_start_ms} ms" if meta.clock_start_ms is not None else "",
        ),
        ("repeat with", meta.command),
    )
    items = "".join(
        f"<div><dt>{escape(label)}</dt><dd>{escape(str(value))}</dd></div>"
        for label, value in facts
        if value not in ("", None)
    )
    return (
        "<header>\n<div class='brand'>OpenInlet <span>simulated charging session</span>"
        "<button id='theme' type='button' title='Change between light and dark'>light / dark"
        "</button></div>\n"
        f"<div class='title'><h1>{escape(meta.title)}</h1>"
        f"<p class='verdict' style='--c:var(--{color})'><b>{escape(outcome.upper())}</b>"
        f"<span>{escape(meta.verdict)}</span></p></div>\n"
        f"<dl class='meta'>{items}</dl>\n"
        f"<p class='limits'>{escape(LIMITS_TEXT)}</p>\n</header>\n"
    )


def _facts(recorder: Recorder, meta: SessionMeta) -> str:
    cards = "".join(
        f"<div class='card'><h3>{escape(fact.label)}</h3><p>{escape(fact.value)}</p>"
        f"<small>{escape(fact.detail)}</small></div>"
        for fact in facts(recorder, meta)
    )
    return f"<section class='cards' aria-label='Key figures'>{cards}</section>\n"


def _expectations(meta: SessionMeta) -> str:
    if not meta.expectations:
        return ""
    has_measured = any(one.measured for one in meta.expectations)
    rows = []
    for one in meta.expectations:
        color = OUTCOME[one.outcome]
        time = "" if one.t_us is None else f"{one.t_us / 1e6:.3f}"
        line = "" if one.line is None else str(one.line)
        measured = f"<td>{escape(one.measured)}</td>" if has_measured else ""
        rows.append(
            f"<tr{_jump(one.t_us)}><td><span class='pill' style='--c:var(--{color})'>"
            f"{escape(one.outcome)}</span></td><td class='n'>{time}</td>"
            f"<td class='n'>{line}</td><td>{escape(one.text)}</td>{measured}"
            f"<td>{_reaction(one)}</td></tr>\n"
        )
    return (
        "<section><h2>Expectations</h2>\n<div class='scroll half'><table id='checks'><thead><tr>"
        "<th>outcome</th><th class='n'>at, s</th><th class='n'>line</th><th>expected</th>"
        f"{'<th>measured</th>' if has_measured else ''}<th>reaction</th></tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div></section>\n"
    )


def _reaction(one: Expectation) -> str:
    """Draw a measured reaction against its limit: the bar's full width is the limit."""
    if one.measured_ms is None:
        return ""
    if not one.limit_ms:
        return f"{one.measured_ms:g} ms"
    share = max(0.0, min(100.0, 100 * one.measured_ms / one.limit_ms))
    factor, unit = (1, "ms") if one.limit_ms < 10_000 else (1000, "s")
    return (
        f"<div class='meter' style='--c:var(--{OUTCOME[one.outcome]})'><i style='width:{share:.1f}%'>"
        f"</i></div><span class='nowrap'>{one.measured_ms / factor:g} of {one.limit_ms / factor:g} "
        f"{unit}</span>"
    )


def _jump(t_us: int | None) -> str:
    return "" if t_us is None else f" data-t='{t_us / 1e6:.6f}' tabindex='0'"


def _plots(note: str) -> str:
    return (
        "<section id='session'><h2>Session</h2>\n"
        "<div id='readout'><div class='tools'><output id='cursor'>-</output>"
        "<span class='group'>"
        "<button type='button' data-step='-1' title='Go to the event before (left arrow)'>"
        "&#9664; event</button>"
        "<button type='button' data-step='1' title='Go to the event after (right arrow)'>"
        "event &#9654;</button></span><span class='group'>"
        "<button type='button' data-span='1'>1 s</button>"
        "<button type='button' data-span='10'>10 s</button>"
        "<button type='button' data-span='60'>60 s</button>"
        "<button type='button' data-span='0'>all</button></span>"
        "<small>drag to zoom, double-click for all, Ctrl + wheel at the cursor, click a name to "
        "hide its curve</small></div><div id='values'></div></div>\n"
        "<div id='stage'><div id='plot'></div><div id='line'></div></div>\n"
        "<noscript><p>The plots need JavaScript; the tables on this page do not.</p></noscript>\n"
        f"<p class='note'>{escape(note)}</p></section>\n"
    )


def _events(events: list[Event]) -> str:
    rows = "".join(
        f"<tr{_jump(event.t_us)} class='{event.level}'><td class='n'>{event.t_us / 1e6:.3f}</td>"
        f"<td title='{escape(EVENT_KINDS[event.kind])}'>{escape(event.kind)}</td>"
        f"<td>{escape(event.text)}</td></tr>\n"
        for event in events[:EVENTS_MAX]
    )
    return (
        "<section><h2>Events</h2>\n"
        "<p class='tools'><input id='filter' type='search' placeholder='show events with ...' "
        "aria-label='Show events with these words'><small>click one to see it in the plots"
        "</small></p>\n<div class='scroll tall'><table id='events'><thead><tr>"
        "<th class='n'>at, s</th><th>kind</th><th>what happened</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></div></section>\n"
    )
