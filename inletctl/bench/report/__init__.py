"""Reports of a bench run: a page, JUnit XML, one CSV row a step, waveforms, and everything as JSON."""

from pathlib import Path

from inletctl.bench.model import Run


def write(run: Run, out: Path) -> list[Path]:
    """Write report.html, junit.xml, steps.csv, bench.vcd and bench.json to the folder `out`; return their paths.

    Each file appears whole or not at all; missing folders are made. Raises UserError with one sentence where the
    folder does not take them.
    """
    # The page needs plotly, which takes a second to load: not before there is something to write.
    from inletctl.bench.report.junit import write_junit
    from inletctl.bench.report.machine import write_json
    from inletctl.bench.report.page import write_html
    from inletctl.bench.report.steps import write_csv
    from inletctl.bench.report.waves import write_vcd

    out = Path(out)
    return [
        write_csv(out / "steps.csv", run),
        write_junit(out / "junit.xml", run),
        write_vcd(out / "bench.vcd", run),
        write_json(out / "bench.json", run),
        write_html(out / "report.html", run),
    ]
