"""Reaction times and numbers of a bench report: quantiles, limits, what never came, and how numbers are written."""

import re
from dataclasses import replace

import pytest
from bench_report_run import block, broken, healthy, row

from inletctl.bench.model import FAIL, Step
from inletctl.bench.report.latency import cards, latencies
from inletctl.bench.report.numbers import duration, plain_number, quantity

# Reaction times


def test_latencies_give_the_quantiles_of_each_cause():
    given = healthy(20)
    given.rows = [
        row(f"a/{ms}", measured=float(ms), measured_unit="ms", limit=50.0, cause="pilot_e")
        for ms in range(1, 101)
    ]
    found = latencies(given)[0]
    assert (found.cause, found.limit, len(found.times)) == ("pilot_e", 50.0, 100)
    assert [found.quantile(q) for q in (0.5, 0.95, 1)] == [50.0, 95.0, 100.0]


def test_no_bar_stands_on_both_sides_of_the_limit():
    given = healthy(20)
    given.rows = [
        row(f"a/{ms}", measured=ms, measured_unit="ms", limit=50.0, cause="pilot_e")
        for ms in (0.0, 49.9, 50.0, 50.1, 400.0)
    ]
    spans = re.findall(
        r"<title>(\d) from ([\d.]+) ms to ([\d.]+) ms", cards(given, latencies(given))
    )
    assert sum(int(count) for count, _, _ in spans) == 5
    assert [int(count) for count, _, end in spans if float(end) == 50] == [2]
    assert all(float(end) <= 50 or float(begin) >= 50 for _, begin, end in spans)


def test_reaction_that_never_came_is_counted_not_dropped():
    run = broken(20)
    found = {one.cause: one for one in latencies(run)}
    assert found["vehicle_silent"].missing == 2 and found["vehicle_silent"].verdict == FAIL
    assert found["pilot_e"].missing == 0
    said = cards(run, latencies(run))
    assert "2 without a reaction time" in said and "limit 1340 ms" in said and "p95" in said
    never = healthy(20)
    never.rows = [row("a/1", FAIL, measured_unit="ms", limit=50.0, cause="pilot_e")]
    assert "1 without a reaction time" in cards(never, latencies(never))


def test_current_and_s2_of_one_cause_are_kept_apart():
    given = healthy(20)
    steps = tuple(
        Step(f"e/{part}", "latency", None, "ms", 0, 1, extra={"part": part})
        for part in ("current", "s2")
    )
    given.blocks = [replace(block("e", "E"), steps=steps)]
    given.rows = [
        row(f"e/{part}", measured=20.0, measured_unit="ms", limit=50.0, cause="pilot_e")
        for part in ("current", "s2")
    ]
    assert [one.cause for one in latencies(given)] == ["pilot_e: current 0", "pilot_e: S2 open"]


def test_timed_expectations_share_one_histogram_of_their_limits():
    given = healthy(20)
    given.rows = [
        row("a/1", measured=20.0, measured_unit="ms", limit=50.0),
        row("b/1", measured=3.0, measured_unit="s", limit=4.0),
    ]
    found = latencies(given)
    assert len(found) == 1
    assert (found[0].unit, found[0].limit, found[0].times) == ("%", 100, [40.0, 75.0])
    assert "class='band'" not in cards(given, found)


# Numbers


@pytest.mark.parametrize(
    ("given", "wanted"),
    [(None, ""), (-0.0, "0"), (0.1 + 0.2, "0.3"), (1e-9, "1e-09"), (float("nan"), "nan"), (80, "80")],
)  # fmt: skip
def test_numbers_are_short_and_missing_ones_are_empty(given, wanted):
    assert plain_number(given) == wanted
    assert quantity(given, "C") == (f"{wanted} °C" if wanted else "")


@pytest.mark.parametrize(
    ("us", "wanted"), [(0, "0 ms"), (180_000, "180 ms"), (1_500_000, "1.5 s"), (150_000_000, "2 min 30 s")]
)  # fmt: skip
def test_durations_read_like_a_person_writes_them(us, wanted):
    assert duration(us) == wanted
