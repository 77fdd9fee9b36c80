"""What make perf makes of what it saw: the figures, the limits, the page; and the forks it works in."""

import json
import os
import re

import pytest

from inletctl.measure import everything, forks, loop, page, pilot, reactions
from inletctl.measure.speed import PUBLISHED_US, speed_of

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows cannot fork")


def chip_result(**changes):
    """Return a result as the emulated chip gives it, everything within its limits."""
    passes = [tuple(10_000_000 * n + 1_000_000 * k for k in range(6)) for n in range(20)]
    result = {
        "caveats": ["an <emulator>"],
        "size": {"files": 3, "bytes": 300, "mpy_files": 2, "mpy_bytes": 200},
        "loop": {
            **loop.phases(passes),
            "gc": {"longest_pause_us": 100, "rule": "idle"},
            "bytes_per_pass": 0, "bytes_rule": "locked",
            "heap": {"first_bytes": 9, "last_bytes": 9, "simulated_s": 1.0, "rule": "same"},
            "boot": {"safe_ms": 30.0, "main_ms": 100.0, "main_to_ready_ms": 900.0, "ready_ms": 1000.0},
        },
        "reactions": [
            {"cause": "PP lost", "reason": "no_plug", "clause": "x",
             "current_0": reactions.distribution([5000, 9000], 20),
             "s2_open": reactions.distribution([50_000, 60_000], 840)},
        ],
        "kills": [
            {"way": "exception", "s2_low": reactions.distribution([18_050], 20), "s2_high_again": 0,
             "watchdog_ms": [1000.0], "back_ms": [2100.0], "back_limit_ms": 3000, "within_limit": True},
        ],
        "pilot": pilot.summary(
            [("pio", 5000, 1000, 5000, 10_000), ("pulse", 5000, 1000, 5100, 10_000),
             ("irq", 5000, 1000, 4900, 10_000)],
            {"pio": [300], "pulse": [30_000], "irq": [3000]}, ((5000, 1000),)),
        "power_cuts": {"cuts": 2, "seed": 1, "write_ms": 8.0, "old": 1, "new": 1, "neither": 0, "wrong": []},
        "speed": speed_of(PUBLISHED_US),
    }  # fmt: skip
    result.update(changes)
    return result


def whole_result(chip):
    row = {
        "cause": "EVSE state E", "reason": "pilot_e",
        "current_0": reactions.distribution([20_000], 50), "s2_open": reactions.distribution([30_000], 50),
    }  # fmt: skip
    return {
        "firmware": "0123", "python": "3.11", "machine": "x", "made_by": "inletctl perf",
        "speed": {"times_real_time": 250.0}, "memory": {"steps": 5, "bytes_per_step": 0},
        "reactions": [row], "chip": chip,
    }  # fmt: skip


def test_a_reaction_that_never_came_is_not_within_its_limit():
    assert not reactions.distribution([1000, None], 20)["within_limit"]
    assert not reactions.distribution([], 20)["within_limit"]
    assert reactions.distribution([20_000], 20)["within_limit"]
    assert not reactions.distribution([20_001], 20)["within_limit"]


def test_phases_are_the_differences_of_the_marks_in_cycles():
    figures = loop.phases(
        [(0, 80, 240, 320, 400, 480), (10_000_000, 10_000_160, 10_000_240, 0, 0, 0)]
    )
    assert figures["sample"] == {"p50": 10, "p99": 20, "max": 20, "count": 2}
    assert figures["period_us"]["max"] == 10_000 and figures["late_passes"] == 0


def test_a_pilot_point_that_nobody_read_is_counted_and_no_figure_is_made_up():
    told = pilot.summary([], {way: [] for way in pilot.WAYS}, ((3000, 1000),))
    for way in pilot.WAYS:
        assert told[way]["points_without_reading"] == 1
        assert told[way]["cpu_us_per_s"] is None


def test_error_and_spread_of_the_duty_are_the_worst_of_all_points():
    readings = [("pio", 3000, 1000, 2990, 10_000), ("pio", 3000, 1000, 3005, 10_000)]
    told = pilot.summary(readings, {"pio": [300], "pulse": [], "irq": []}, ((3000, 1000),))
    assert told["pio"]["worst_error_pct_x100"] == 10
    assert told["pio"]["worst_spread_pct_x100"] == 15
    assert told["pio"]["cpu_us_per_s"] == 10_000


def test_a_speed_is_given_beside_a_picos_and_is_alike_within_its_limit_only():
    told = speed_of(
        {"add": PUBLISHED_US["add"] * 1.19, "multiply": PUBLISHED_US["multiply"] * 0.81}
    )
    assert [one["of_pico_pct"] for one in told["loops"].values()] == [119, 81] and told["is_alike"]
    for factor in (0.75, 1.25):
        assert not speed_of({**PUBLISHED_US, "multiply": PUBLISHED_US["multiply"] * factor})[
            "is_alike"
        ]


def test_all_within_limits_is_no_sentence():
    assert everything.over_limit(whole_result(chip_result())) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"power_cuts": {**chip_result()["power_cuts"], "neither": 1}}, "neither the old nor the new"),
        ({"kills": [{**chip_result()["kills"][0], "s2_high_again": 1}]}, "killed by an exception"),
        ({"kills": [{**chip_result()["kills"][0], "within_limit": False}]}, "killed by an exception"),
        (
            {"reactions": [{**chip_result()["reactions"][0], "s2_open": reactions.distribution([None], 9)}]},
            "S2 open after 'PP lost'",
        ),
        ({"speed": speed_of({**PUBLISHED_US, "add": PUBLISHED_US["add"] / 2})}, "add: 50 % of its time"),
    ],
)  # fmt: skip
def test_a_figure_over_its_limit_is_named(changes, words):
    (sentence,) = everything.over_limit(whole_result(chip_result(**changes)))
    assert words in sentence


def test_the_page_holds_every_figure_and_allows_no_foreign_script():
    text = page.page(whole_result(chip_result()))
    for words in (
        "PP lost",
        "exception",
        "emulated RP2040",
        "Power cut",
        "machine.time_pulse_us",
        "&lt;emulator&gt;",
        "alike",
    ):
        assert words in text
    assert "default-src 'none'" in text and ">OVER<" not in text
    for payload in re.findall(r"<script type='application/json'>(.*?)</script>", text, re.DOTALL):
        json.loads(payload)


def test_a_chip_that_was_not_measured_is_said_to_be_not_run():
    text = page.page(whole_result("no image: get one"))
    assert "NOT RUN" in text and "no image: get one" in text


@needs_fork
def test_forks_see_a_copy_and_give_back_what_they_made():
    seen = [1]

    def run(task):
        seen.append(task)
        return seen

    assert dict(forks.fork_map(run, [5, 6, 7], 2)) == {5: [1, 5], 6: [1, 6], 7: [1, 7]}
    assert seen == [1]


@needs_fork
def test_a_fork_that_fails_tells_its_own_words():
    def run(task):
        raise ValueError("no %d" % task)

    with pytest.raises(RuntimeError, match="no 3"):
        list(forks.fork_map(run, [3], 1))


@needs_fork
def test_what_forks_tell_is_heard_while_they_run():
    read_end, write_end = os.pipe()
    told = []
    try:
        list(
            forks.fork_map(
                lambda n: os.write(write_end, b"at %d\n" % n), [1, 2], 1, read_end, told.append
            )
        )
    finally:
        os.close(read_end)
        os.close(write_end)
    assert {"at 1"} <= set(told)


def test_every_cause_names_a_row_of_the_shutdown_table_and_a_verb_of_the_virtual_inlet():
    from inletctl.plant.verbs import VERBS

    rows = {row[reactions.faults.ROW_NAME] for row in reactions.faults.SHUTDOWN}
    for cause in reactions.CAUSES:
        assert cause.row in rows
        assert cause.verb in VERBS and set(cause.args) <= set(VERBS[cause.verb][1])
