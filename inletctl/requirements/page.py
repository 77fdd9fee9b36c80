"""docs/requirements.md: the matrix of what is required and what shows it on which target."""

from collections.abc import Callable

from inletctl.errors import UserError
from inletctl.markdown import table
from inletctl.requirements.load import TARGETS, Requirement, everything, limit_of, problems, read

_HEAD = "<!-- Printed by `inletctl docs` from docs/requirements/*.toml. Do not edit: change the data and print again. -->\n"
_ABOUT = """
Each row names what shows it, on which target; the data is `docs/requirements/*.toml`, one file a topic, and the tests know nothing of
it. A requirement without a test, a test or a scenario that is not there, a limit that the firmware does not have, a reason of
the [shutdown table](shutdown.md) that no requirement covers, or an [invariant](invariants.md) that none asks for fails
`make test`. Limits are the firmware's own tables, printed with their unit; clauses were checked against secondary sources.

*CPython*: tests of `host_tests/`, and invariants that hold in every pass of every scenario. *32-bit*: scenarios and scripts under
MicroPython 1.29 (WebAssembly), heap locked. *RP2040*: the emulated chip with the official image; without an image those are
skipped. *Bench*: requirements of the conformance recipe ([bench](bench.md)), for a board and a generator; `ours`: no clause is known.
"""
_TITLES = {"cpython": "CPython", "wasm32": "32-bit", "rp2040": "RP2040", "bench": "bench"}


def _cell(row: Requirement, target: str) -> str:
    """Return the evidence of a row on a target: tests by their file with their number, scenarios and invariants by name."""
    files: dict[str, int] = {}
    names = []
    for one in row.evidence(target):
        if one.startswith("scenario:"):
            names.append("`%s`" % one.partition(":")[2])
        elif "::" in one:
            file = one.partition("::")[0].removeprefix("test_").removesuffix(".py")
            files[file] = files.get(file, 0) + 1
        else:
            names.append(one)
    if target == "cpython":
        names += ["`%s`" % rule for rule in row.invariants]
    counted = ["%s%s" % (file, " x %d" % n if n > 1 else "") for file, n in files.items()]
    return ", ".join(counted + names)


def requirements_page() -> str:
    """Return docs/requirements.md. Raises UserError where the requirements contradict what is there."""
    topics = read()
    wrong = problems(topics)
    if wrong:
        raise UserError("docs/requirements: " + "; ".join(wrong))
    rows = everything(topics)
    counts = ", ".join(
        "%d on %s" % (sum(1 for row in rows if _cell(row, target)), _TITLES[target])
        for target in TARGETS
    )
    parts = [
        "# Requirements\n",
        _HEAD,
        _ABOUT,
        "\n%d requirements; shown: %s.\n" % (len(rows), counts),
    ]
    head = ("id", "requirement", "source", "limit", "rooms", *_TITLES.values())
    for topic in topics:
        parts.append("\n## %s\n\n%s\n\n" % (topic.name, topic.about))
        parts.append(table(head, [_cells(row) for row in topic.rows]))
    return "".join(parts)


def _cells(row: Requirement) -> tuple[str, ...]:
    source = "ours: %s" % row.why if row.why else row.source
    return (
        "`%s`" % row.id, row.text, source, limit_of(row), ", ".join(row.rooms),
        *(_cell(row, target) for target in TARGETS),
    )  # fmt: skip


PAGES: dict[str, Callable[[], str]] = {"docs/requirements.md": requirements_page}
