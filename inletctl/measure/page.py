"""report.html of `make perf`: every figure, how it was taken, and whether it is within its limit."""

import json
from html import escape
from pathlib import Path
from typing import Any

import plotly.graph_objects as go

from inletctl.report.files import write_whole
from inletctl.report.shell import whole_page

_MS_CYCLES = 125_000
_PASS_MS = 10
_STEP_LIMIT_MS = 5
_WAY_COLORS = {"pio": "#2e9259", "pulse": "#d08a12", "irq": "#c8322f"}
_WAY_WORDS = {
    "pio": "PIO capture (this firmware)",
    "pulse": "machine.time_pulse_us",
    "irq": "edge interrupt handler",
}
_LIMITS = "Simulated or emulated, no mains, not a certification. Nothing here has run on silicon."
_SCRIPT = """
for (const node of document.querySelectorAll('[data-figure]')) {
  const figure = JSON.parse(node.querySelector('script').textContent);
  const dark = matchMedia('(prefers-color-scheme: dark)').matches;
  Object.assign(figure.layout, {paper_bgcolor: 'rgba(0,0,0,0)', plot_bgcolor: 'rgba(0,0,0,0)',
    font: {color: dark ? '#e6ebf0' : '#1c2733', size: 13}});
  for (const axis of ['xaxis', 'yaxis']) Object.assign(figure.layout[axis] ??= {}, {gridcolor: dark ? '#26313c' : '#e4e9ee', zerolinecolor: dark ? '#36424e' : '#d3dae1'});
  Plotly.newPlot(node, figure.data, figure.layout, {displayModeBar: false, responsive: true});
}
"""


def write_page(path: Path, result: dict[str, Any]) -> Path:
    """Write the page for `result`, the dict that report.json holds."""
    text = page(result)
    return write_whole(path, lambda stream: stream.write(text))


def page(result: dict[str, Any]) -> str:
    """Return the whole page."""
    chip = result.get("chip")
    body = [_head(result)]
    if isinstance(chip, dict):
        sections = (
            ("reactions", _chip_reactions), ("kills", _kills), ("loop", _loop), ("readings", _readings),
            ("pilot", _pilot), ("power_cuts", _cuts), ("speed", _speed),
        )  # fmt: skip
        body += [section(chip) for key, section in sections if key in chip]
    else:
        body.append(
            f"<h2>Emulated RP2040</h2><p class='verdict'><b style='--c:var(--amber)'>NOT RUN</b> "
            f"<span>{escape(str(chip))}</span></p>"
        )
    if "memory" in result:
        body += [_host_reactions(result), _host(result)]
    main = "\n".join(body) + f"<footer>{_LIMITS}</footer>\n"
    return whole_page("OpenInlet - measured", "\n.plot{height:380px}", _SCRIPT, main)


def table(head: list[str], rows: list[list[Any]], levels: "list[str] | None" = None) -> str:
    """Return a table; numbers are right-aligned, a row's level colours its last cell."""
    cells = "".join(f"<th>{escape(name)}</th>" for name in head)
    lines = []
    for n, row in enumerate(rows):
        level = f" class='{levels[n]}'" if levels else ""
        columns = "".join(
            f"<td{' class=n' if isinstance(value, (int, float)) else ''}>{escape(_text(value))}</td>"
            for value in row
        )
        lines.append(f"<tr{level}>{columns}</tr>")
    return (
        f"<div class='scroll'><table><thead><tr>{cells}</tr></thead>"
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )


def verdict(is_good: bool) -> str:
    """Return the word for a figure within its limit, or not."""
    return "within" if is_good else "OVER"


def _text(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 10 else f"{value:,.1f}".replace(",", " ")
    if isinstance(value, int):
        return f"{value:,}".replace(",", " ")
    return str(value)


def _figure(figure: go.Figure) -> str:
    payload = json.dumps(json.loads(str(figure.to_json())), separators=(",", ":"))
    return (
        "<div class='plot' data-figure><script type='application/json'>"
        f"{payload.replace('<', chr(92) + 'u003c')}</script></div>"
    )


def _head(result: dict[str, Any]) -> str:
    facts = (
        ("firmware", result["firmware"]),
        ("python", result["python"]),
        ("machine", result["machine"]),
        ("repeat with", result["made_by"]),
    )
    items = "".join(
        f"<div><dt>{label}</dt><dd>{escape(str(value))}</dd></div>" for label, value in facts
    )
    return (
        "<header><div class='brand'>OpenInlet <span>measured</span></div><div class='title'>"
        f"<h1>What the firmware costs, and how fast it acts</h1></div><dl class='meta'>{items}</dl></header>"
    )


def _caveats(chip: dict[str, Any]) -> str:
    return "<p class='limits'>" + " ".join(escape(one) for one in chip["caveats"]) + "</p>"


def _chip_reactions(chip: dict[str, Any]) -> str:
    rows = []
    levels = []
    figure = go.Figure()
    for one in chip["reactions"]:
        for key, word in (("current_0", "current command 0"), ("s2_open", "S2 pin low")):
            part = one[key]
            rows.append(
                [one["cause"], word, part["n"], part["never"], part.get("p50_ms"), part.get("worst_ms"),
                 part["limit_ms"], verdict(part["within_limit"])]
            )  # fmt: skip
            levels.append("good" if part["within_limit"] else "bad")
        for key, color in (("current_0", "#2f6fb5"), ("s2_open", "#cf5f24")):
            times = [us / 1000 for us in one[key].get("all_us", [])]
            figure.add_trace(
                go.Scatter(
                    x=times, y=[one["cause"]] * len(times), mode="markers", showlegend=one is chip["reactions"][0],
                    name="current command 0" if key == "current_0" else "S2 pin low",
                    legendgroup=key, marker={"color": color, "opacity": 0.6, "size": 8},
                )
            )  # fmt: skip
    figure.update_layout(
        xaxis={"type": "log", "title": "ms after the cause at the pin"},
        margin={"l": 190, "r": 20, "t": 10, "b": 50},
        legend={"orientation": "h", "y": 1.12},
    )
    return (
        "<h2>Reactions on the emulated RP2040, pin to pin</h2>"
        "<p class='note'>Each injection at a random phase of the loop, in a fork of one board that charges at 10 A; "
        "S2 at its pin, the current command on the charger's PWM line (looked at every 0.1 ms). Limits: "
        "architecture section 6, else the shutdown table.</p>"
        + _caveats(chip) + _figure(figure)
        + table(["cause", "what", "n", "never", "p50 ms", "worst ms", "limit ms", ""], rows, levels)
    )  # fmt: skip


def _kills(chip: dict[str, Any]) -> str:
    rows = []
    levels = []
    for one in chip["kills"]:
        low = one["s2_low"]
        is_good = low["within_limit"] and one["within_limit"] and not one["s2_high_again"]
        rows.append(
            [one["way"], low["n"], low.get("p50_ms"), low.get("worst_ms"), low["limit_ms"],
             max((ms or 0 for ms in one["watchdog_ms"]), default=None),
             max((ms or 0 for ms in one["back_ms"]), default=None), one["back_limit_ms"],
             one["s2_high_again"], verdict(is_good)]
        )  # fmt: skip
        levels.append("good" if is_good else "bad")
    return (
        "<h2>Loop killed while charging</h2><p class='note'>S2 low: from the last proof of life (the end of actuate). "
        "Back: first pass of the loop after the watchdog's reset, S2 open.</p>"
        + table(
            ["killed by", "n", "S2 low p50 ms", "worst ms", "limit ms", "watchdog ms", "back ms", "limit ms",
             "S2 high again", ""],
            rows,
            levels,
        )
    )  # fmt: skip


def _loop(chip: dict[str, Any]) -> str:
    loop = chip["loop"]
    rows = []
    for name in ("sample", "step", "actuate", "report", "slack", "whole"):
        part = loop[name]
        rows.append(
            [name, part["p50"], part["p99"], part["max"]]
            + [round(part[key] / _MS_CYCLES, 3) for key in ("p50", "p99", "max")]
        )
    step_ms = loop["step"]["p99"] / _MS_CYCLES
    figure = go.Figure(
        [
            go.Bar(
                x=[name for name, *_ in rows[:-1]],
                y=[row[4 + n] for row in rows[:-1]],
                name=word,
                marker={"color": color},
            )
            for n, (word, color) in enumerate(
                (("p50", "#a9c7e8"), ("p99", "#2f6fb5"), ("max", "#24507f"))
            )
        ]
    )
    figure.update_layout(
        yaxis={"title": "ms of a 10 ms pass"}, xaxis={}, barmode="group",
        margin={"l": 60, "r": 20, "t": 10, "b": 40}, legend={"orientation": "h", "y": 1.12},
    )  # fmt: skip
    jitter = loop["jitter_us"]
    size = chip["size"]
    other = [
        ["step, p99 of half a pass", f"{step_ms:.2f} ms of {_STEP_LIMIT_MS} ms", verdict(step_ms < _STEP_LIMIT_MS)],
        ["period jitter p50 / p99 / max", f"{jitter['p50']} / {jitter['p99']} / {jitter['max']} us of 10 000 us", ""],
        ["late passes (> 2 ms)", f"{loop['late_passes']} of {jitter['count']}", ""],
        ["bytes allocated per pass", f"{loop['bytes_per_pass']} ({loop['bytes_rule']})", ""],
        ["garbage collection", f"{loop['gc']['longest_pause_us']} us; {loop['gc']['rule']}", ""],
        ["reset to safe pins", f"{loop['boot'].get('safe_ms')} ms", ""],
        ["reset to main.py", f"{loop['boot'].get('main_ms')} ms", ""],
        ["main.py to the first pass", f"{loop['boot'].get('main_to_ready_ms')} ms of 1000 ms", ""],
        ["reset to the first pass", f"{loop['boot']['ready_ms']} ms", ""],
        ["free heap", f"{loop['heap']['first_bytes']:,} bytes at the start, {loop['heap']['last_bytes']:,} at the end of {loop['heap']['simulated_s']:.1f} s; {loop['heap']['rule']}", ""],
        ["firmware", f"{size['mpy_files']} .mpy files, {size['mpy_bytes']:,} bytes; {size['bytes']:,} with all", ""],
    ]  # fmt: skip
    return (
        "<h2>The loop on the emulated RP2040</h2><p class='note'>Plugging in, locking and charging, every pass; "
        "phases marked on a spare pin. CPU cycles of 8 ns.</p>"
        + _figure(figure)
        + table(
            ["phase", "p50 cycles", "p99 cycles", "max cycles", "p50 ms", "p99 ms", "max ms"], rows
        )
        + "<p></p>"
        + table(["what", "measured", ""], other)
    )


def _readings(chip: dict[str, Any]) -> str:
    told = chip["readings"]
    rows = []
    for word, one in (("off", told["off"]), ("%d Hz" % told["rate_hz"], told["on"])):
        rows.append(
            [word, one["readings_hz"], one["bytes_per_pass"], one["passes"], one["step"]["p50"], one["step"]["p99"], one["busy"]["p50"],
             one["busy"]["p99"], one["jitter_us"]["p99"], one["late_passes"]]
        )  # fmt: skip
    is_good = told["within_limit"]
    return (
        "<h2>What readings at a rate cost</h2><p class='note'>Two forks of one board at the same instant of its charging. "
        "Busy: from the beginning of a pass to its slack, CPU cycles of 8 ns. The board sends 8 bytes a pass at the least, "
        "and more where it has time: on the emulator fewer readings come than were asked for.</p>"
        + table(
            ["readings", "came per s", "bytes a pass", "passes", "step p50", "step p99", "busy p50", "busy p99", "jitter p99 us", "late"],
            rows,
        )
        + "<p></p>"
        + table(
            ["what", "measured", "limit", ""],
            [["step p99, with readings against without", "%+.2f %%" % told["step_p99_change_pct"],
              "%d %%" % told["limit_pct"], verdict(is_good)]],
            ["good" if is_good else "bad"],
        )
    )  # fmt: skip


def _pilot(chip: dict[str, Any]) -> str:
    pilot = chip["pilot"]
    rows = []
    figure = go.Figure()
    for way, words in _WAY_WORDS.items():
        part = pilot[way]
        rows.append(
            [words, part["readings"], part["worst_error_pct_x100"] / 100, part["worst_spread_pct_x100"] / 100,
             part["points_without_reading"], part["cpu_us_per_s"], (part["cpu_us_per_s"] or 0) / 10_000]
        )  # fmt: skip
        curve = [point for point in part["error_by_point"] if point[1] == 1000]
        figure.add_trace(
            go.Scatter(
                x=[duty / 100 for duty, _hz, _low, _high in curve],
                y=[max(abs(low), abs(high)) / 100 for _d, _hz, low, high in curve],
                mode="lines+markers", name=words, line={"color": _WAY_COLORS[way]},
            )
        )  # fmt: skip
    figure.update_layout(
        xaxis={"title": "duty, %"}, yaxis={"type": "log", "title": "largest error of duty, %"},
        margin={"l": 70, "r": 20, "t": 10, "b": 50}, legend={"orientation": "h", "y": 1.12},
    )  # fmt: skip
    return (
        "<h2>Pilot duty, measured three ways in one run</h2><p class='note'>3 to 97 % at 950, 1000 and 1050 Hz "
        "(the plot: 1000 Hz); three passes a point and way; CPU time for one reading of five periods each 10 ms. "
        "Required: error of at most 0.1 %.</p>"
        + _figure(figure)
        + table(
            ["way", "readings", "worst error, %", "worst spread, %", "points not read", "CPU us per s", "CPU %"],
            rows,
        )
    )  # fmt: skip


def _cuts(chip: dict[str, Any]) -> str:
    cuts = chip["power_cuts"]
    is_good = cuts["neither"] == 0
    return (
        "<h2>Power cut while settings are written</h2>"
        + table(
            ["cuts", "write takes ms", "old settings", "new settings", "neither", ""],
            [[cuts["cuts"], cuts["write_ms"], cuts["old"], cuts["new"], cuts["neither"],
              "within" if is_good else "; ".join(cuts["wrong"])]],
            ["good" if is_good else "bad"],
        )
    )  # fmt: skip


def _speed(chip: dict[str, Any]) -> str:
    speed = chip["speed"]
    rows = [
        [name, one["us"], one["pico_us"], one["of_pico_pct"]]
        for name, one in speed["loops"].items()
    ]
    return (
        "<h2>How fast the emulator is</h2><p class='note'>Two loops of MicroPython, us a turn, beside what was published for a Pico "
        "at 125 MHz (github.com/shaoziyang/micropython_benchmarks). "
        f"Alike means within {speed['most_off_pct']} %: {'alike' if speed['is_alike'] else 'NOT alike'}.</p>"
        + table(["loop", "emulator us", "Pico us", "% of a Pico's time"], rows)
    )


def _host_reactions(result: dict[str, Any]) -> str:
    rows = []
    levels = []
    for one in result["reactions"]:
        is_good = one["current_0"]["within_limit"] and one["s2_open"]["within_limit"]
        row: list[Any] = [one["cause"], one["reason"]]
        for key in ("current_0", "s2_open"):
            part = one[key]
            row += [part["n"], part.get("p50_ms"), part.get("worst_ms"), part["limit_ms"]]
        rows.append([*row, verdict(is_good)])
        levels.append("good" if is_good else "bad")
    return (
        "<h2>Reactions of the logic, simulated time on the host</h2>"
        + table(
            ["cause", "reason", "n", "current 0: p50 ms", "worst", "limit", "n", "S2 open: p50 ms", "worst", "limit", ""],
            rows,
            levels,
        )
    )  # fmt: skip


def _host(result: dict[str, Any]) -> str:
    memory = result["memory"]
    rows = [
        ["speed on CPython, one core", f"{result['speed']['times_real_time']} x real time (required: 200)"],
        ["steps with the heap locked, 32-bit MicroPython", f"{memory['steps']:,}, {memory['bytes_per_step']} bytes"],
    ]  # fmt: skip
    return "<h2>The logic on the host</h2>" + table(["what", "measured"], rows)
