"""inletctl blackbox replay: the boxes of simulated sessions are decided alike; what is otherwise, or not known, is said."""

from dataclasses import replace

import pytest

import interlock
from faults import F_FAILED_LOCK
from inletctl.blackbox.payload import Box, boxes_of
from inletctl.blackbox.replay import BEFORE, commands_of, log_of, replay_box
from inletctl.blackbox.sim_box import record_boxes
from inletctl.house import SCENARIOS, firmware_hash
from inletctl.link.replay import UNSETTLED
from inletctl.scenario.load import read_scenario
from journal.box_frame import FIELDS

# Twenty with trouble of every room, the shorter ones; all of them: `python -m inletctl.blackbox.sim_box`.
NAMES = (
    "bolt_closes_by_itself", "can_silent", "charger_ignores_limit", "crash_while_charging", "evse_power_cut",
    "frequency_500_hz", "hvil_opens", "insulation_fault", "lock_feedback_dies", "lock_jams", "lock_slips",
    "manual_release", "noise_for_good", "pilot_wire_breaks", "pp_in_a_gap", "pp_wire_shorted", "s2_stuck_open",
    "sensor_short", "sensor_stale", "state_f_while_charging", "stops_too_often", "vehicle_silent",
)  # fmt: skip


def boxes_in(name, blocks=6):
    boxes, problems = boxes_of(record_boxes(read_scenario(SCENARIOS / (name + ".txt")), blocks))
    assert boxes and not problems, name
    return boxes


@pytest.fixture(scope="module")
def box():
    return boxes_in("pilot_wire_breaks")[0]


@pytest.mark.parametrize("name", NAMES)
def test_the_boxes_of_a_scenario_are_decided_as_they_were(name):
    for one in boxes_in(name):
        made = replay_box(one)
        assert made.notes == []
        assert made.result.differences == [] and not made.is_different
        recorded_us = (one.frames[-1].t_ms - one.frames[0].t_ms + 10 & 0x3FFFFFFF) * 1000
        whole_us = made.result.same_us + made.result.not_judged_us
        assert whole_us == recorded_us
        known = not [span for span in made.result.not_judged if span.why in (BEFORE, UNSETTLED)]
        assert made.result.same_us > (0.8 if known else 0.2) * whole_us


def test_the_lines_are_those_of_a_console(box):
    log = log_of(box, box.frames, True)
    assert len(log.entries) == 2 * len(box.frames)
    trigger = box.trigger
    said = dict(zip(("s2_close", "charger_ma"), commands_of(trigger)[:2], strict=True))
    assert said == {"s2_close": trigger.value("s2_close"), "charger_ma": trigger.value("c_charger_ma")}  # fmt: skip


def changed(box, make):
    made = Box(box.number, box.head, [make(frame) for frame in box.frames])
    made.breaks = list(box.breaks)
    return made


def with_head(box, **values):
    return Box(box.number, replace(box.head, **values), box.frames)


def test_other_settings_are_found(box):
    settings = {**box.head.settings, "max_current_ma": 8000}
    found = {one.field for one in replay_box(with_head(box, settings=settings)).result.differences}
    assert {"permitted_ma", "limiter", "charger_ma"} <= found


def test_a_setting_that_only_a_later_firmware_has_is_refused_as_on_a_board(box):
    settings = {**box.head.settings, "setting_999": 1}
    made = replay_box(with_head(box, settings=settings))
    assert made.is_different and "faults" in {one.field for one in made.result.differences}


@pytest.mark.parametrize(("room", "rule", "value"), [(interlock, "_SHOW_B_MS", 1600)])
def test_another_rule_is_found(box, monkeypatch, room, rule, value):
    monkeypatch.setattr(room, rule, value)
    made = replay_box(box)
    assert made.is_different and made.result.differences[0].t_us < 5_000_000


def test_a_decision_that_was_not_the_logics_is_found(box):
    def make(frame):
        values = list(frame.values)
        if box.trigger.t_ms - 3000 < frame.t_ms <= box.trigger.t_ms:
            # The board told of a lock that failed.
            values[FIELDS.index("c_faults")] |= F_FAILED_LOCK
        return replace(frame, values=tuple(values))

    found = replay_box(changed(box, make)).result.differences
    # What comes later may follow from it.
    assert found[0].field == "faults" and "FailedLock" in found[0].board
    assert abs(found[0].t_us / 1000 - (box.trigger.t_ms - 3000 - box.frames[0].t_ms)) < 1500


def test_another_firmware_is_told_and_judged_all_the_same(box):
    made = replay_box(with_head(box, version="0.9+0123456789ab"))
    assert made.result.differences == [] and made.result.same_us
    assert "0.9+0123456789ab" in made.notes[0] and firmware_hash() in made.notes[0]


def test_settings_that_the_board_refused_leave_nothing_to_judge(box):
    made = replay_box(with_head(box, settings_refused=True, settings_trusted=False))
    assert made.result is None and "refused" in made.notes[0]


def test_a_board_without_settings_is_replayed_as_one_that_refuses(box):
    made = replay_box(with_head(box, settings=None, settings_refused=True, settings_trusted=False))
    assert made.result is not None and made.is_different


def test_without_its_first_part_a_box_is_not_judged(box):
    made = replay_box(Box(box.number, None, box.frames))
    assert made.result is None and "settings are lost" in made.notes[-1]


def test_both_sides_of_a_hole_are_judged_for_themselves():
    box = boxes_in("pilot_wire_breaks", 8)[0]
    middle = len(box.frames) // 2
    holed = Box(box.number, box.head, box.frames[: middle - 9] + box.frames[middle:], [middle - 9])
    made = replay_box(holed)
    assert made.result.differences == [] and made.result.same_us
    times = [one.t_us for one in made.result.not_judged]
    hole_us = (holed.frames[middle - 9].t_ms - holed.frames[0].t_ms) * 1000
    assert times == sorted(times) and any(one >= hole_us for one in times)


def test_what_came_before_the_record_is_told_as_not_judged():
    """A second box of the same plug-in: how long it rests hangs on the stops that only the first one holds."""
    boxes = boxes_in("stops_too_often", 4)
    assert len(boxes) == 2 and boxes[1].frames[0].value("c_openings") > 0
    made = replay_box(boxes[1])
    assert made.result.differences == [] and BEFORE in {one.why for one in made.result.not_judged}
    # The same box, had nothing been before it, would have been decided otherwise.
    at = FIELDS.index("c_openings")
    innocent = changed(
        boxes[1],
        lambda frame: replace(frame, values=(*frame.values[:at], 0, *frame.values[at + 1 :])),
    )
    assert replay_box(innocent).is_different
