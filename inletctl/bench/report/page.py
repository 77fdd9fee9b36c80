"""report.html of a bench run. Text from a recipe, a board or an instrument is text, whatever it contains."""

from html import escape
from pathlib import Path

from inletctl.bench.model import Run
from inletctl.bench.report import sections
from inletctl.bench.report.latency import cards, latencies
from inletctl.bench.report.plots import Sweep, sweeps
from inletctl.report.files import write_whole
from inletctl.report.palette import COLORS
from inletctl.report.shell import whole_page

ASSETS = Path(__file__).resolve().parent / "assets"


def write_html(path: Path, run: Run) -> Path:
    """Write the page for `run` to `path`."""
    text = page(run)
    return write_whole(path, lambda stream: stream.write(text))


def page(run: Run) -> str:
    """Return the whole page."""
    drawn = sweeps(run)
    data = {
        "figures": [sweep.figure for sweep in drawn],
        "colors": {key: list(pair) for key, pair in COLORS.items()},
    }
    body = (
        sections.head(run),
        sections.failures(run),
        sections.open_questions(run),
        sections.facts(run),
        sections.self_check(run),
        _plots(drawn),
        _latencies(run),
        sections.requirements(run),
        sections.blocks(run),
        sections.steps(run),
        sections.signature(run),
    )
    return whole_page(
        f"{run.verdict.upper()}: {run.recipe} - OpenInlet bench",
        (ASSETS / "bench.css").read_text(encoding="utf-8"),
        (ASSETS / "bench.js").read_text(encoding="utf-8"),
        "".join(body),
        data,
    )


def _plots(drawn: list[Sweep]) -> str:
    if not drawn:
        return ""
    figures = "".join(
        f"<figure class='sweep{' whole' if sweep.is_wide else ''}'><figcaption><h3>{escape(sweep.title)}"
        f"</h3><small>{escape(sweep.note)}</small></figcaption><div class='plot' data-figure='{n}'>"
        "</div></figure>\n"
        for n, sweep in enumerate(drawn)
    )
    return (
        "<section id='plots'><h2>Sweeps</h2>\n<p class='note'>Drag to zoom, double-click for all; click a "
        "point to find its step in the table. The green band is what the limit allows.</p>\n"
        "<noscript><p>The plots need JavaScript; the tables on this page do not.</p></noscript>\n"
        f"<div class='sweeps'>{figures}</div></section>\n"
    )


def _latencies(run: Run) -> str:
    found = latencies(run)
    if not found:
        return ""
    return (
        "<section id='latencies'><h2>Reaction times</h2>\n<p class='note'>By cause, those nearest to their "
        "limit first. The grey band at a limit is the tool's own timing error.</p>\n"
        f"<div class='latencies'>{cards(run, found)}</div></section>\n"
    )
