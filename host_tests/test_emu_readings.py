"""What perf makes of readings switched off and on: the limit, the page, and a run of this part alone."""

import json

import pytest
from click.testing import CliRunner

from inletctl import cli
from inletctl.measure import everything, page, readings


def run(step_p99=100, readings_hz=0.0, bytes_per_pass=2.0, late=0):
    """Return one run's figures."""
    figures = {"p50": 90, "p99": step_p99, "max": 200, "count": 400}
    return {
        "passes": 400, "readings_hz": readings_hz, "bytes_per_pass": bytes_per_pass, "step": figures,
        "report": figures, "busy": figures, "jitter_us": figures, "late_passes": late,
    }  # fmt: skip


GOOD = readings.compare(run(), run(105, 20.0))


def result(told):
    chip = {"caveats": [], "size": {}, "readings": told}
    return {"firmware": "0", "python": "3", "machine": "x", "made_by": "y", "reactions": [], "chip": chip}  # fmt: skip


@pytest.mark.parametrize(
    ("off", "on", "is_within"),
    [
        (run(), run(105, 20.0), True),
        (run(), run(106, 20.0), False),
        (run(), run(80, 20.0), True),
        (run(), run(100, 18.9), False),  # neither that rate nor a wire that is busy
        (run(), run(100, 8.2, 7.5), True),
        (run(), run(100, 8.2, 7.4), False),
        (run(), run(100, 0.0, 9.0), False),  # something else came
        (run(readings_hz=1.0), run(100, 20.0), False),  # not off
        (run(), run(100, 20.0, late=1), False),
        (run(late=1), run(100, 20.0), False),
    ],
)
def test_readings_may_cost_the_step_a_twentieth_and_no_pass_late(off, on, is_within):
    told = readings.compare(off, on)
    assert told["within_limit"] is is_within
    assert "of at most 5 %" in readings.sentence(told)
    over = everything.over_limit(result(told))
    assert ["readings cost too much" in sentence for sentence in over] == [True] * (not is_within)


def test_a_part_by_itself_makes_a_page_of_what_was_measured():
    text = page.page(result(GOOD))
    assert "What readings at a rate cost" in text and "+5.00 %" in text
    assert "Power cut" not in text and "NOT RUN" not in text and ">OVER<" not in text


def test_readings_that_cost_too_much_are_over_on_the_page():
    assert ">OVER<" in page.page(result(readings.compare(run(), run(106, 20.0))))


def test_only_what_was_asked_for_is_measured_and_how_to_repeat_it_says_so(tmp_path, monkeypatch):
    asked = []

    def measure_chip(*arguments):
        asked.append(arguments[-1])
        return result(GOOD)["chip"]

    monkeypatch.setattr("inletctl.measure.chip.measure_chip", measure_chip)
    monkeypatch.setattr(everything, "find_image", lambda _given: "an image")
    ran = CliRunner().invoke(cli.cli, ["perf", "--only", "readings", "--out", str(tmp_path)])
    assert ran.exit_code == 0, ran.output
    assert asked == [["readings"]]
    assert "step p99 105 cycles with readings at 20 Hz, 100 without: +5.00 %" in ran.output
    told = json.loads((tmp_path / "report.json").read_text())
    assert told["made_by"].endswith("--only readings") and told["reactions"] == []


def test_without_an_image_a_part_of_the_chip_is_not_measured_and_that_is_no_success(tmp_path, monkeypatch):  # fmt: skip
    from inletctl.errors import UserError

    def find_image(_given):
        raise UserError("no image here", 3)

    monkeypatch.setattr(everything, "find_image", find_image)
    ran = CliRunner().invoke(cli.cli, ["perf", "--only", "readings", "--out", str(tmp_path)])
    assert ran.exit_code == 1
    assert "not measured: no image here" in ran.output
    assert "NOT RUN" in (tmp_path / "report.html").read_text()
