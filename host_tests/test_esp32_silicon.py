"""docs/silicon.md names every driver once, claims nothing on silicon, and repeats no figure."""

import re

from inletctl.house import FIRMWARE, ROOT

PAGE = (ROOT / "docs" / "silicon.md").read_text(encoding="utf-8")
ROWS = [line for line in PAGE.splitlines() if re.match(r"\| `\w+` \|", line)]


def cells(row):
    return [cell.strip() for cell in row.strip("|").split("|")]


def test_every_driver_has_one_row():
    named = [cells(row)[0].strip("`") for row in ROWS]
    there = [path.stem for path in (FIRMWARE / "drivers").glob("*.py") if path.stem != "__init__"]
    assert sorted(named) == sorted(there)


def test_nothing_is_said_to_have_run_on_silicon():
    """Change this test together with the evidence."""
    assert {cells(row)[1] for row in ROWS} <= {"no", "–"}


def test_esp32_rows_claim_no_emulator():
    for row in ROWS:
        if cells(row)[0].startswith("`esp32_"):
            assert cells(row)[2] == "–"


def test_every_row_has_every_column():
    assert len(ROWS) >= 20 and {len(cells(row)) for row in ROWS} == {6}


def test_no_measured_figure_is_typed_by_hand():
    assert not re.search(r"\d\s*(ms|us|µs|kB|cycles)\b", PAGE)
