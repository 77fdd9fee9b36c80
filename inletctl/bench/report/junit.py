"""junit.xml: every step as a test case, for CI.

A fail is a failure, inconclusive an error, not run is skipped. A run that was cut short, or that has no step at all,
carries a case of its own for that, so that no reader of the file can take it for passed.
"""

import re
from pathlib import Path
from xml.etree import ElementTree

from inletctl.bench.model import FAIL, INCONCLUSIVE, NOT_RUN, PASS, Row, Run
from inletctl.bench.report.numbers import figures
from inletctl.bench.report.verdicts import LIMITS_TEXT, judged, sentences
from inletctl.report.files import write_whole

_CHILD = {FAIL: "failure", INCONCLUSIVE: "error", NOT_RUN: "skipped"}
_COUNTED = (("failures", FAIL), ("errors", INCONCLUSIVE), ("skipped", NOT_RUN))
# What XML 1.0 cannot hold, not even escaped.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_junit(path: Path, run: Run) -> Path:
    """Write the self-check and every step of `run` to `path`."""
    text = junit(run)
    return write_whole(path, lambda stream: stream.write(text))


def junit(run: Run) -> str:
    """Return the file as text."""
    suites: list[tuple[str, list[Row]]] = [("run", [_whole(run)])]
    if run.self_check:
        suites.append(("self-check", run.self_check))
    titles = {block.id: block.title for block in run.blocks}
    by_block: dict[str, list[Row]] = {}
    for row in judged(run):
        by_block.setdefault(row.block_id, []).append(row)
    suites += [(titles.get(block) or block, rows) for block, rows in by_block.items()]
    root = ElementTree.Element("testsuites", {"name": _text(f"bench {run.recipe}")})
    _count(root, [row for _, rows in suites for row in rows])
    for name, rows in suites:
        suite = ElementTree.SubElement(root, "testsuite", {"name": _text(name)})
        _count(suite, rows)
        suite.set("timestamp", _text(run.began))
        if name == "run":
            _properties(suite, run)
        for row in rows:
            _case(suite, run, row)
    ElementTree.indent(root)
    body = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _whole(run: Run) -> Row:
    """The run itself as a case: it passes only if there were steps and it came to its end."""
    verdict = NOT_RUN if not run.rows else PASS if run.is_complete else INCONCLUSIVE
    words = " ".join(sentences(run))
    return Row("run came to its end", "run", "run", None, "", None, "", None, None, verdict, words)


def _count(element: ElementTree.Element, rows: list[Row]) -> None:
    element.set("tests", str(len(rows)))
    for name, verdict in _COUNTED:
        element.set(name, str(sum(row.verdict == verdict for row in rows)))
    element.set("time", _seconds(sum(row.duration_us for row in rows)))


def _properties(suite: ElementTree.Element, run: Run) -> None:
    listed = [
        ("verdict", run.verdict),
        ("complete", "yes" if run.is_complete else "no"),
        ("recipe", run.recipe),
        ("recipe_sha256", run.recipe_sha256),
        ("seed", str(run.seed)),
        ("command", run.command),
        ("target", run.target),
        ("firmware", run.firmware_hash),
        ("board", run.board),
        ("board_id", run.board_id),
        ("operator", run.operator),
        ("timing_error_us", str(run.timing_error_us)),
        *(("instrument", one) for one in run.instruments),
        *(("calibration", one) for one in run.calibration),
        *((f"setting.{key}", str(value)) for key, value in sorted(run.settings.items())),
        ("limits", LIMITS_TEXT),
    ]
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in listed:
        ElementTree.SubElement(
            properties, "property", {"name": _text(name), "value": _text(value)}
        )


def _case(suite: ElementTree.Element, run: Run, row: Row) -> None:
    case = ElementTree.SubElement(
        suite,
        "testcase",
        {
            "name": _text(row.id),
            "classname": _text(f"{run.recipe}.{row.block_id}"),
            "time": _seconds(row.duration_us),
        },
    )
    if row.requirements:
        properties = ElementTree.SubElement(case, "properties")
        for name in row.requirements:
            ElementTree.SubElement(
                properties, "property", {"name": "requirement", "value": _text(name)}
            )
    if row.verdict == PASS:
        return
    child = ElementTree.SubElement(case, _CHILD[row.verdict], {"message": _text(row.words)})
    if row.verdict != NOT_RUN:
        child.set("type", row.verdict)
        child.text = _text(", ".join(f"{label} {text}" for label, text in figures(row)))


def _seconds(us: int) -> str:
    return f"{us / 1e6:.6f}"


def _text(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
