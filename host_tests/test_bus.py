"""The vehicle's bus: what is heard becomes readings, what is wrong permits nothing, what is sent comes in time.

Each answer of docs/can.md names its test: inletctl/can/answers.py, checked at the end.
"""

import ast
import itertools
from pathlib import Path

import cantools
import pytest
from can_rig import (
    ACTIVE,
    ASLEEP,
    MISSING,
    OFF,
    PASSIVE,
    START_MS,
    STARTING,
    WARNING,
    Rig,
    protect,
    seeded,
)

import faults
from inletctl.can import source
from inletctl.can.answers import FRAMES, WISHES
from inletctl.can.codec import pack
from inletctl.house import ROOT
from journal.book import Book
from journal.memory import TroubleMemory
from journal.outcomes import Outcomes
from journal.verdict import Verdict
from journal.wear import Wear
from settings import Settings
from ticks import ticks_add, ticks_diff
from vehicle import e2e
from vehicle.bus import CarBus
from vehicle.bus_parts import REFUSED, UNKNOWN, Outbox, Refusals

NATIVE = 1
PERMIT, STOP = 1, 2
PARKED, NOT_PARKED, NOT_FITTED = 1, 2, 3
OPEN, CLOSED, FAULTY = 1, 2, 3
GOOD = {"permission": PERMIT, "limit_ma": 16000, "gear": PARKED}


class Blank:
    """A journal that has nothing to say."""

    def tell(self, s):
        pass


def native(**wanted):
    return Rig(CarBus, inlet=1, max_current_ma=32000, can=NATIVE, **wanted)


def permitted():
    """Return a rig whose vehicle permits 16 A, trusted and fresh."""
    rig = native()
    rig.hear_twice("native", "control", **GOOD)
    assert (rig.r.vehicle_permits, rig.r.vehicle_limit_ma, rig.r.vehicle_age_ms) == (
        True,
        16000,
        0,
    )
    return rig


def pass_on(rig):
    """Return what the bus hands the step: everything that could permit."""
    r = rig.r
    return (
        r.vehicle_permits,
        r.vehicle_limit_ma,
        r.car_unlock,
        r.car_stop,
        r.contactors_open,
        r.dc_ok,
    )


NOTHING = (False, 0, False, False, False, False)


# ------------------------------------------------------------------------------------- bad frames


def test_nothing_heard_permits_nothing():
    rig = native()
    rig.beat(3)
    assert pass_on(rig) == NOTHING
    assert rig.r.vehicle_age_ms == 60000
    assert not rig.made.word.soc_ok and not rig.made.word.clock_ok


def test_controller_is_told_every_identifier_once():
    assert native().can.ids == (0x0C8, 0x0C9, 0x0CA, 0x0CB)


def test_first_frame_alone_permits_nothing_and_the_second_does():
    rig = native()
    rig.hear("native", "control", **GOOD)
    assert pass_on(rig) == NOTHING
    assert rig.r.holds == 0, "a beginning is nothing wrong"
    rig.hear("native", "control", **GOOD)
    assert rig.r.vehicle_permits
    rig.beat()


def test_unknown_identifier_does_nothing():
    rig = permitted()
    rig.can.heard.append((0x0C7, rig.frame("native", "control", **GOOD)[1]))
    rig.beat()
    assert rig.r.vehicle_age_ms == 10
    assert rig.r.holds == 0
    assert rig.made.refusals.unknown == 1 and rig.made.refusals.refused == 0


@pytest.mark.parametrize("length", [0, 1, 3, 5, 8])
def test_wrong_length_is_refused(length):
    rig = permitted()
    frame_id, data = rig.frame("native", "control", **GOOD)
    rig.can.heard.append((frame_id, bytes(data).ljust(8, b"\0")[:length]))
    rig.beat()
    assert rig.r.vehicle_age_ms == 10
    assert rig.r.holds == faults.H_CAN_DATA
    assert rig.made.refusals.refused == 1


def test_longer_frame_with_a_right_checksum_over_all_of_it_is_refused():
    rig = permitted()
    _, data = rig.frame("native", "control", **GOOD)
    rig.can.heard.append((0x0C8, protect(0x0C8, bytes(data) + b"\0", data[1] & 15)))
    rig.beat()
    assert rig.r.vehicle_age_ms == 10 and rig.r.holds == faults.H_CAN_DATA


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda d: d.__setitem__(1, d[1] | 0x30), "permission 3"),
        (lambda d: d.__setitem__(2, 0x21), "limit of 80.1 A"),
    ],
)
def test_out_of_range_signal_refuses_the_whole_frame(change, what):
    """Neither the limit nor a request of such a frame counts, and the age goes on."""
    rig = permitted()
    frame_id, data = rig.frame(
        "native", "control", permission=PERMIT, limit_ma=80000, unlock_request=1
    )
    counter = data[1] & 15
    change(data)
    rig.can.heard.append((frame_id, protect(frame_id, data, counter)))
    rig.beat()
    assert (rig.r.vehicle_limit_ma, rig.r.car_unlock, rig.r.vehicle_age_ms) == (
        16000,
        False,
        10,
    ), what
    assert rig.r.holds == faults.H_CAN_DATA
    rig.hear("native", "control", **GOOD)
    assert rig.r.vehicle_age_ms == 0, "its counter was right: the next one is used"


def test_every_answer_of_the_protection_has_its_effect():
    """Each row of e2e.ANSWERS: is the frame used, and is it told."""
    for row in e2e.ANSWERS:
        rig = permitted()
        rig.beat(2)
        name = row[e2e.ROW_NAME]
        frame_id, data = rig.frame("native", "control", **GOOD)
        counter = data[1] & 15
        if name == "skipped":
            data = protect(frame_id, data, (counter + 2) % 15)
        elif name == "repeated":
            data = protect(frame_id, data, (counter - 1) % 15)
        elif name == "wrong_checksum":
            data[2] ^= 1
        elif name == "wrong_counter":
            data = protect(frame_id, data, 15)
        elif name == "lost_order":
            data = protect(frame_id, data, (counter + 3) % 15)
        elif name == "first":
            rig.beat(60)
        elif name == "not_yet":
            rig.can.heard.append((frame_id, bytes(4)))
            rig.beat()
        refused = rig.made.refusals.refused
        rig.can.heard.append((frame_id, data))
        rig.beat()
        is_used = rig.r.vehicle_age_ms == 0
        assert is_used == row[e2e.ROW_USED], name
        assert (rig.made.refusals.refused > refused) == row[e2e.ROW_TOLD], name


def test_refusal_is_told_for_two_seconds():
    rig = permitted()
    rig.can.heard.append((0x0C8, b"\0\0\0\0"))
    rig.beat()
    told = 0
    while rig.r.holds & faults.H_CAN_DATA:
        told += 1
        rig.beat()
    assert told == 200
    assert faults.HOLDS[20][faults.HOLD_NAME] == "can_data"
    assert faults.HOLDS[20][faults.HOLD_REASON] == 0, "told, and stops nothing by itself"


def test_nothing_is_told_before_anything_was_refused():
    for now_ms in (0, 10, 1 << 29, START_MS):
        assert Refusals().hold(now_ms) == 0


def test_counters_of_refusals_stay_at_60000():
    refusals = Refusals()
    for _ in range(60_002):
        refusals.add(0, REFUSED)
        refusals.add(0, UNKNOWN)
    assert (refusals.refused, refusals.unknown) == (60_000, 60_000)


def test_one_damaged_frame_stops_nothing():
    rig = permitted()
    for n in range(8):
        rig.beat(9)
        if n == 3:
            frame_id, data = rig.frame("native", "control", **GOOD)
            data[3] ^= 1
            rig.can.heard.append((frame_id, data))
            rig.beat()
        else:
            rig.hear("native", "control", **GOOD)
        assert rig.r.vehicle_permits and rig.r.vehicle_age_ms <= 300


def test_sender_that_hangs_is_stale_in_time():
    """The same frame for ever: each has a right checksum, none is news."""
    rig = permitted()
    last = rig.frame("native", "control", **GOOD)
    rig.can.heard.append(last)
    rig.beat()
    for n in range(1, 60):
        rig.can.heard.append(last)
        rig.beat()
        assert rig.r.vehicle_permits == (n <= 50)


@pytest.mark.parametrize("timeout_ms", [100, 300, 500])
def test_stale_vehicle_permits_nothing_within_500_ms(timeout_ms):
    rig = native(vehicle_timeout_ms=timeout_ms)
    everything = {**GOOD, "unlock_request": 1}
    rig.hear_twice("native", "control", **everything)
    rig.hear_twice("native", "dc", dc_ok=1, contactor_plus=OPEN, contactor_minus=OPEN)
    assert rig.r.contactors_open and rig.r.car_unlock
    age_ms = rig.r.vehicle_age_ms
    while age_ms < timeout_ms:
        assert rig.r.vehicle_permits
        rig.beat()
        age_ms += 10
        assert rig.r.vehicle_age_ms == age_ms
    assert rig.r.vehicle_permits
    rig.beat()
    assert not rig.r.vehicle_permits and not rig.r.car_unlock and rig.r.vehicle_limit_ma == 0
    rig.beat(60)
    assert pass_on(rig) == NOTHING
    assert rig.r.holds == 0, "silence is told by the age"


def test_what_was_stale_needs_two_frames_again():
    rig = permitted()
    rig.beat(51)
    for n in range(2):
        rig.hear("native", "control", **GOOD)
        assert rig.r.vehicle_permits == (n == 1)


def test_age_stays_at_its_end_and_survives_days_of_silence():
    rig = permitted()
    rig.beat(6100)
    assert rig.r.vehicle_age_ms == 60000
    for _ in range(3):
        rig.now_ms = ticks_add(rig.now_ms, (1 << 29) - 1)
        rig.beat()
        assert rig.r.vehicle_age_ms == 60000 and not rig.r.vehicle_permits


def test_every_message_goes_stale_after_five_cycles():
    rig = native()
    rig.hear_twice("native", "charger", current_ok=1, current_ma=12000, volts_ok=1, ac_mv=230000)
    rig.hear_twice(
        "native", "dc", dc_ok=1, dc_mv=400000, contactor_plus=CLOSED, contactor_minus=CLOSED
    )
    rig.hear_twice(
        "native",
        "battery",
        soc_ok=1,
        soc_pct=55,
        target_ok=1,
        target_pct=80,
        clock_ok=1,
        clock_min=77,
    )
    rig.beat(46)
    assert (rig.r.charger_ok, rig.r.dc_ok, rig.r.contactors_ok) == (True,) * 3
    rig.beat(6)
    assert (rig.r.charger_ok, rig.r.dc_ok, rig.r.contactors_ok) == (False,) * 3
    assert not rig.r.car_ac_live
    assert rig.made.word.soc_ok and rig.made.word.target_ok and rig.made.word.clock_ok
    rig.beat(448)
    assert rig.made.word.soc_ok
    rig.beat(3)  # they take turns
    assert not (rig.made.word.soc_ok or rig.made.word.target_ok or rig.made.word.clock_ok)
    assert (rig.made.word.soc_pct, rig.made.word.target_pct, rig.made.word.clock_min) == (
        0,
        100,
        0,
    )


@pytest.mark.parametrize("state", [MISSING, STARTING, OFF])
def test_controller_out_of_service_is_a_hold(state):
    rig = permitted()
    rig.can.state = state
    rig.beat()
    assert rig.r.holds == faults.H_CAN_BUS
    assert faults.HOLDS[1][faults.HOLD_REASON] == faults.VEHICLE_SILENT


@pytest.mark.parametrize("state", [ACTIVE, WARNING, PASSIVE, ASLEEP])
def test_controller_in_service_is_none(state):
    rig = permitted()
    rig.can.state = state
    rig.beat()
    assert rig.r.holds == 0


def test_at_most_two_frames_are_taken_in_a_pass():
    rig = permitted()
    frames = [rig.frame("native", "control", **GOOD) for _ in range(20)]
    rig.can.heard += frames
    rig.beat()
    assert len(rig.can.heard) == 18
    rig.beat(9)
    assert not rig.can.heard
    assert rig.made.refusals.refused == 0 and rig.r.vehicle_age_ms == 0


def test_urgent_status_that_found_no_room_is_tried_again():
    rig = permitted()
    rig.beat(1)
    rig.can.has_room = False
    rig.c.s2_close = True
    rig.beat(3)
    rig.can.has_room = True
    rig.can.sent.clear()
    rig.beat()
    assert rig.unpacked("native", "status")[0]["s2_closed"] == 1


# ----------------------------------------------------------------------------- what the car wants


def test_permission_needs_the_very_word():
    for permission, permits in ((0, False), (PERMIT, True), (STOP, False)):
        rig = native()
        rig.hear_twice("native", "control", **{**GOOD, "permission": permission})
        assert rig.r.vehicle_permits is permits
        assert rig.r.vehicle_limit_ma == (16000 if permits else 0)
        assert rig.r.car_stop is (permission == STOP)


def test_stop_beats_permit():
    rig = native()
    rig.hear_twice("native", "control", **GOOD, stop_request=1)
    assert rig.r.car_stop and not rig.r.vehicle_permits and rig.r.vehicle_limit_ma == 0


def test_unlock_request_is_handed_on_and_permits_no_less_and_no_more():
    rig = permitted()
    rig.c.s2_close = True
    rig.hear("native", "control", **GOOD, unlock_request=1)
    assert rig.r.car_unlock and rig.r.vehicle_limit_ma == 16000 and rig.r.holds == 0
    rig.hear("native", "control", **GOOD)
    assert not rig.r.car_unlock


@pytest.mark.parametrize(
    ("gear", "holds"), [(0, True), (PARKED, False), (NOT_PARKED, True), (NOT_FITTED, False)]
)
def test_gear_that_is_not_parked_holds_back(gear, holds):
    rig = native()
    rig.hear_twice("native", "control", **{**GOOD, "gear": gear})
    assert rig.r.holds == (faults.H_NOT_PARKED if holds else 0)


def test_drive_request_with_the_plug_in_is_refused_and_told():
    rig = permitted()
    rig.c.plug_present = True
    rig.hear("native", "control", **GOOD, drive_request=1)
    assert rig.r.holds == faults.H_DRIVE_REFUSED
    assert rig.r.vehicle_permits, "a parked vehicle goes on charging"
    assert rig.unpacked("native", "status")[-1]["drive"] == 2
    rig.c.plug_present = False
    rig.beat(2)
    assert rig.r.holds == 0


def test_drive_request_before_the_plug_is_known_is_refused():
    rig = native()
    rig.can.heard = [rig.frame("native", "control", **GOOD, drive_request=1) for _ in range(2)]
    rig.made.fill(rig.now_ms, rig.r)
    assert rig.r.vehicle_permits
    assert rig.r.holds == faults.H_DRIVE_REFUSED, "not known counts as in"


def test_limit_of_zero_is_handed_on():
    rig = native()
    rig.hear_twice("native", "control", **{**GOOD, "limit_ma": 0})
    assert rig.r.vehicle_permits and rig.r.vehicle_limit_ma == 0


def test_holds_of_others_are_kept():
    rig = permitted()
    rig.r.holds = faults.H_HVIL
    rig.can.state = OFF
    rig.made.fill(rig.now_ms, rig.r)
    assert rig.r.holds == faults.H_HVIL | faults.H_CAN_BUS


@pytest.mark.parametrize(
    ("plus", "minus", "ok", "opened"),
    [
        (OPEN, OPEN, True, True), (OPEN, CLOSED, True, False), (CLOSED, OPEN, True, False),
        (CLOSED, CLOSED, True, False), (0, OPEN, False, False), (OPEN, 0, False, False),
        (FAULTY, OPEN, True, False), (OPEN, FAULTY, True, False), (0, 0, False, False),
        (CLOSED, FAULTY, True, False), (0, CLOSED, True, False), (FAULTY, 0, True, False),
    ],
)  # fmt: skip
def test_contactors_count_as_open_when_both_are(plus, minus, ok, opened):
    rig = native()
    rig.hear_twice(
        "native", "dc", dc_ok=1, dc_mv=12300, contactor_plus=plus, contactor_minus=minus
    )
    assert (rig.r.contactors_ok, rig.r.contactors_open) == (ok, opened)
    assert (rig.r.dc_ok, rig.r.dc_mv) == (True, 12300)


def test_volts_that_are_not_measured_are_none():
    rig = native()
    rig.hear_twice("native", "dc", dc_ok=0, dc_mv=12300, contactor_plus=OPEN, contactor_minus=OPEN)
    assert (rig.r.dc_ok, rig.r.dc_mv) == (False, 0)


def test_higher_of_two_charger_currents_counts():
    rig = native()
    for board_ma, bus_ma, wanted in ((5000, 12000, 12000), (20000, 12000, 20000)):
        for _ in range(2):
            rig.r.charger_ok, rig.r.charger_ma = True, board_ma
            rig.hear("native", "charger", current_ok=1, current_ma=bus_ma)
        assert (rig.r.charger_ok, rig.r.charger_ma) == (True, wanted)


def test_current_of_the_bus_does_not_stay_where_the_board_measures_none():
    rig = native()
    rig.hear_twice("native", "charger", current_ok=1, current_ma=20000, volts_ok=1, ac_mv=230000)
    assert (rig.r.charger_ok, rig.r.charger_ma, rig.r.car_ac_live) == (True, 20000, True)
    rig.hear("native", "charger", current_ok=1, current_ma=3000, volts_ok=1, ac_mv=0)
    assert (rig.r.charger_ma, rig.r.car_ac_live) == (3000, False)
    rig.hear("native", "charger")
    assert not rig.r.charger_ok


def test_board_that_measures_is_not_silenced_by_a_silent_charger():
    rig = native()
    for _ in range(60):
        rig.r.charger_ok, rig.r.charger_ma = True, 7000
        rig.r.ac_ok, rig.r.ac_present = True, True
        rig.beat()
        assert (rig.r.charger_ok, rig.r.charger_ma, rig.r.ac_ok, rig.r.ac_present) == (
            True,
            7000,
            True,
            True,
        )


@pytest.mark.parametrize(
    ("ac_mv", "volts_ok", "live"),
    [(0, 1, False), (29000, 1, False), (30000, 1, True), (230000, 1, True), (230000, 0, False)],
)
@pytest.mark.parametrize("board", [(False, False), (True, False), (True, True)])
def test_the_vehicles_volts_only_ever_say_live_and_leave_the_boards_sense_alone(
    board, ac_mv, volts_ok, live
):
    """Behind its own open relay a charger sees nothing: 0 V there proves nothing at the inlet."""
    rig = native()
    for _ in range(2):
        rig.r.ac_ok, rig.r.ac_present = board
        rig.hear("native", "charger", volts_ok=volts_ok, ac_mv=ac_mv)
    assert (rig.r.ac_ok, rig.r.ac_present) == board
    assert rig.r.car_ac_live is live
    assert not rig.r.charger_ok, "the current is not measured"


def test_change_of_the_boards_own_ac_is_followed_beside_a_charger_that_tells_too():
    rig = native()
    for board in (True, True, False, False, True, False):
        for _ in range(2):
            rig.r.ac_ok, rig.r.ac_present = True, board
            rig.hear("native", "charger", volts_ok=1, ac_mv=0)
        assert (rig.r.ac_ok, rig.r.ac_present) == (True, board)
    rig = native()
    rig.beat()
    assert (rig.r.ac_ok, rig.r.ac_present) == (False, False)


def test_battery_message_tells_charge_target_and_clock():
    rig = native()
    bus = rig.made
    rig.hear_twice(
        "native",
        "battery",
        soc_ok=1,
        soc_pct=55,
        target_ok=1,
        target_pct=80,
        clock_ok=1,
        clock_min=10079,
    )
    assert (bus.word.soc_ok, bus.word.soc_pct, bus.word.target_ok, bus.word.target_pct) == (
        True,
        55,
        True,
        80,
    )
    assert (bus.word.clock_ok, bus.word.clock_min) == (True, 10079)
    rig.hear("native", "battery", soc_pct=55, target_pct=80, clock_min=10079)
    assert not (bus.word.soc_ok or bus.word.target_ok or bus.word.clock_ok)


# ---------------------------------------------------------------------------------- what is sent


def test_each_message_keeps_its_cycle_and_no_two_leave_in_one_pass():
    rig = native()
    rig.made.set_book(Blank())
    rig.can.state = ACTIVE
    rig.beat(1)
    rig.can.sent.clear()
    rig.beat(1000)
    native_ = source.load("native")
    for message in native_.sent:
        at = [ticks_diff(t, START_MS) for id_, _, t in rig.can.sent if id_ == message.id]
        gaps = {b - a for a, b in itertools.pairwise(at)}
        assert gaps == {message.cycle_ms}, message.name
        assert at[0] % message.cycle_ms == (message.phase_ms + 10) % message.cycle_ms
    passes = [t for _, _, t in rig.can.sent]
    assert len(set(passes)) == len(passes)


def test_late_loop_sends_once_and_keeps_its_grid():
    out = Outbox(1, 8, 100, 0)
    now = START_MS
    assert out.is_due(now, False)
    assert not out.is_due(ticks_add(now, 90), False)
    assert out.is_due(ticks_add(now, 130), False)
    assert not out.is_due(ticks_add(now, 190), False)
    assert out.is_due(ticks_add(now, 200), False)
    assert out.is_due(ticks_add(now, 2345), False)
    assert not out.is_due(ticks_add(now, 2440), False)
    assert out.is_due(ticks_add(now, 2445), False)


@pytest.mark.parametrize(
    "pause_ms", [60_000, (1 << 29) - 50, 1 << 29, (1 << 29) + 50, (1 << 30) - 40]
)
def test_message_is_due_after_any_pause(pause_ms):
    """A pause of days, as asleep: the difference of two ticks says nothing then."""
    out = Outbox(1, 8, 100, 0)
    assert out.is_due(START_MS, False)
    out.send(START_MS, native().can)
    later = (START_MS + pause_ms) & 0x3FFFFFFF
    assert any(out.is_due(ticks_add(later, 10 * n), False) for n in range(11))


@pytest.mark.parametrize(
    "change",
    [
        lambda c: setattr(c, "s2_close", True),
        lambda c: setattr(c, "plug_present", False),
        lambda c: setattr(c, "drive_allowed", True),
        lambda c: setattr(c, "session", 3),
        lambda c: setattr(c, "faults", faults.F_S2_STUCK_OPEN),
        lambda c: setattr(c, "charger_ma", 15800),
    ],
)
def test_status_is_sent_at_once_on_a_change_that_matters(change):
    rig = native()
    rig.c.charger_ma = 16000
    rig.beat(4)
    rig.can.sent.clear()
    rig.beat(1)
    assert not rig.sent(0x0C0)
    change(rig.c)
    rig.beat(1)
    assert len(rig.sent(0x0C0)) == 1
    rig.can.sent.clear()
    rig.beat(3)
    assert not rig.sent(0x0C0), "once"


@pytest.mark.parametrize(
    "change",
    [
        lambda c: setattr(c, "charger_ma", 16300),
        lambda c: setattr(c, "charger_ma", 16000),
        lambda c: setattr(c, "hottest_decic", 300),
        lambda c: setattr(c, "faults", faults.F_TEMP_DISAGREE),
    ],
)
def test_status_waits_for_its_cycle_on_what_does_not(change):
    rig = native()
    rig.c.charger_ma = 16050
    rig.beat(4)
    rig.can.sent.clear()
    change(rig.c)
    rig.beat(1)
    assert not rig.sent(0x0C0)


def test_status_is_sent_ten_ms_apart_at_least_however_it_flaps():
    rig = native()
    rig.beat(1)
    for n in range(30):
        rig.c.s2_close = n % 2 == 0
        rig.now_ms = ticks_add(rig.now_ms, -5)  # passes of 5 ms
        rig.beat()
    at = [t for id_, _, t in rig.can.sent if id_ == 0x0C0]
    assert len(at) > 10
    assert all(ticks_diff(b, a) >= 10 for a, b in itertools.pairwise(at))


def test_protected_messages_are_believed_by_the_other_side():
    rig = native()
    rig.made.set_book(Blank())
    rig.beat(300)
    for message in source.load("native").sent:
        frames = rig.sent(message.id)
        assert frames
        if not message.is_protected:
            continue
        receiver = e2e.E2EReceiver(message.id)
        answers = [receiver.check(bytearray(data), message.length) for data in frames]
        assert answers[0] == e2e.FIRST and set(answers[1:]) == {e2e.OK}


def test_status_and_limits_tell_the_commands():
    rig = native()
    c = rig.c
    c.drive_allowed, c.plug_present, c.s2_close, c.charger_ma = False, True, True, 15990
    c.session, c.pilot_state, c.lock_state, c.light = 2, 4, 9, 3
    c.dc_session, c.wants_heat, rig.r.is_asleep = True, True, True
    c.limiter, c.permitted_ma, c.offered_ma, c.duty_pct_x100 = 3, 16099, 32000, 5333
    c.dc_permitted_ma = 123456
    rig.beat(10)
    status = rig.unpacked("native", "status")[-1]
    status = {k: v for k, v in status.items() if k not in ("crc", "counter")}
    assert status == {
        "drive": 2, "plug_present": 1, "s2_closed": 1, "charger_ma": 15900, "session": 2,
        "pilot_state": 4, "lock_state": 9, "light": 3, "dc_session": 1, "wants_heat": 1, "is_asleep": 1, "has_fault": 0,
    }  # fmt: skip
    limits = rig.unpacked("native", "limits")[-1]
    assert (limits["limiter"], limits["permitted_ma"], limits["offered_ma"]) == (3, 16000, 32000)
    assert (limits["duty_pct_x100"], limits["dc_permitted_ma"]) == (5333, 123400)


def test_drive_is_allowed_only_in_the_word_itself():
    rig = native()
    rig.c.drive_allowed, rig.c.plug_present = True, False
    rig.beat()
    assert rig.unpacked("native", "status")[-1]["drive"] == 1
    rig.c.drive_allowed = False
    rig.beat()
    assert rig.unpacked("native", "status")[-1]["drive"] == 2


def test_the_journal_is_told_once_it_is_there_and_no_more_when_it_is_gone():
    rig = native()
    rig.beat(100)
    assert rig.sent(0x0D6) == []
    memory = TroubleMemory()
    book = Book(None, None)
    book.set_memory(memory)
    book.set_verdict(Verdict(Settings({}), Outcomes()))
    book.set_wear(Wear(Settings({})))
    book.verdict.serial, book.verdict.verdict, book.verdict.sure, book.verdict.code = 257, 1, 2, 17
    book.wear.warnings = 5
    rig.c.faults = faults.F_AC_LIVE
    memory.tick(0, rig.r, rig.c)
    rig.c.faults = faults.F_PILOT_FAULT | faults.F_AC_LIVE
    memory.tick(10, rig.r, rig.c)
    rig.c.faults = faults.F_PILOT_FAULT
    memory.tick(20, rig.r, rig.c)
    rig.made.set_book(book)
    rig.beat(210)
    assert len(rig.sent(0x0D6)) == 2
    assert rig.unpacked("native", "diagnosis")[-1] == {
        "has_verdict": 1, "verdict": 1, "sure": 2, "rule_code": 17, "serial": 1, "codes_stored": 2, "codes_present": 1,
        "newest_code": 1101, "contacts": 0, "due": 5,
    }  # fmt: skip
    rig.made.set_book(None)
    rig.beat(210)
    assert len(rig.sent(0x0D6)) == 2


def test_reasons_faults_and_temperature_are_told():
    rig = native()
    c = rig.c
    c.reasons = faults.INTERLOCKED | faults.NO_PLUG
    c.holds = faults.H_BAD_SETTING | faults.H_CRASH
    c.faults = faults.F_AC_LIVE
    c.hottest_ok, c.hottest_decic = True, -123
    rig.r.temp_ok[0] = rig.r.temp_ok[3] = 1
    rig.beat(100)
    said = rig.unpacked("native", "reasons")[-1]
    assert (said["reasons"], said["holds"]) == (c.reasons, c.holds)
    assert rig.unpacked("native", "faults")[-1]["faults"] == faults.F_AC_LIVE
    assert rig.unpacked("native", "temperatures")[-1] == {
        "hottest_decic": -123,
        "hottest_ok": 1,
        "measured": 9,
    }
    dbc = cantools.database.load_file(ROOT / "docs/openinlet-native.dbc")
    named = dbc.decode_message(0x0D3, rig.sent(0x0D3)[-1])
    assert [n for n, v in named.items() if v] == [
        "r_no_plug",
        "r_interlocked",
        "h_crash",
        "h_bad_setting",
    ]


def test_raw_pages_come_in_turn_and_hold_the_readings():
    rig = native()
    r = rig.r
    r.pilot_count, r.pilot_quiet_ms = 2, 7
    r.pilot_high_us_x10[1], r.pilot_period_us_x10[1] = 5330, 10001
    r.cp_ok, r.cp_high_mv, r.cp_low_mv = True, 6010, -11980
    r.pp_ok, r.pp_mv, r.pp_rail_mv = True, 1505, 4998
    for n in range(4):
        r.temp_mv[n] = 1000 + n
    r.lock_feedback_ok, r.lock_feedback_mv, r.lock_motor_ma, r.temp_rail_mv = (
        True,
        2800,
        1700,
        3301,
    )
    rig.can.lost, rig.can.dropped, rig.can.tx_errors, rig.can.rx_errors, rig.can.offs = (
        1,
        2,
        3,
        4,
        60000,
    )
    rig.beat(141)
    pages = rig.unpacked("native", "raw")
    assert [p["page"] for p in pages] == [*range(7), *range(7)]
    told = {}
    for page in pages:
        told.update(page)
    assert told == {
        "page": 6, "pilot_high_us_x10": 5330, "pilot_period_us_x10": 10001, "pilot_quiet_ms": 7, "pilot_count": 2,
        "cp_ok": 1, "cp_high_mv": 6010, "cp_low_mv": -11980, "pp_ok": 1, "pp_mv": 1505, "pp_rail_mv": 4998,
        "temp_mv_0": 1000, "temp_mv_1": 1001, "temp_mv_2": 1002, "temp_mv_3": 1003,
        "lock_ok": 1, "lock_feedback_mv": 2800, "lock_motor_ma": 1700, "temp_rail_mv": 3301,
        "can_lost": 1, "can_dropped": 2, "can_tx_errors": 3, "can_rx_errors": 4, "can_offs": 60000, "can_refused": 0,
    }  # fmt: skip


@pytest.mark.parametrize(("count", "told"), [(0, 0), (1, 100), (4, 103), (5, 104)])
def test_pilot_page_tells_the_newest_period_or_none(count, told):
    rig = native()
    for n in range(5):
        rig.r.pilot_high_us_x10[n] = 100 + n
        rig.r.pilot_period_us_x10[n] = 200 + n
    rig.r.pilot_count = count
    rig.beat(10)
    page = rig.unpacked("native", "raw")[0]
    assert (page["pilot_count"], page["pilot_high_us_x10"]) == (count, told)
    assert page["pilot_period_us_x10"] == (told + 100 if told else 0)


@pytest.mark.parametrize("mask", range(16))
def test_measured_channels_are_told_one_by_one(mask):
    rig = native()
    for n in range(4):
        rig.r.temp_ok[n] = mask >> n & 1
    rig.beat(100)
    assert rig.unpacked("native", "temperatures")[-1]["measured"] == mask


# -------------------------------------------------------------------------------------------- random


def test_random_traffic_never_permits_more_than_the_last_good_frame():
    """20,000 events, damaged, foreign or good frames: what is permitted is what the vehicle said within 500 ms."""
    rng = seeded(4711)
    rig = native()
    good = []
    permits = 0
    for _ in range(20_000):
        kind = rng.randrange(6)
        limit = rng.randrange(0, 801) * 100
        if kind <= 1:
            rig.can.heard.append(
                rig.frame("native", "control", permission=PERMIT, limit_ma=limit, gear=PARKED)
            )
            good.append((rig.now_ms, limit))
        elif kind == 2:
            frame_id, data = rig.frame(
                "native", "control", permission=PERMIT, limit_ma=limit, gear=PARKED
            )
            data[rng.randrange(4)] ^= 1 << rng.randrange(8)
            rig.can.heard.append((frame_id, data))
        elif kind == 3:
            size = rng.randrange(9)
            rig.can.heard.append(
                (
                    rng.choice((0xC8, 0xC9, 0xCA, 0xCB, 0x100)),
                    bytes(rng.randrange(256) for _ in range(size)),
                )
            )
        else:
            rig.beat(rng.randrange(3))
            continue
        rig.beat()
        if rig.r.vehicle_permits:
            permits += 1
            good = [one for one in good if ticks_diff(rig.now_ms, one[0]) <= 510]
            assert rig.r.vehicle_limit_ma in [limit for _, limit in good]
            assert rig.r.vehicle_age_ms <= 500
    assert permits > 1000
    assert rig.made.refusals.refused > 1000
    assert rig.made.refusals.unknown > 100


def test_every_answer_of_the_page_has_its_test():
    here = Path(__file__).parent
    found = set()
    for path in here.glob("test_*.py"):
        if path.name.startswith(("test_bus", "test_can", "test_e2e", "test_modem")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            found |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    assert {row[2] for row in FRAMES + WISHES} <= found
    assert pack(source.load("native").message("control"), {})[0] == 0


@pytest.mark.parametrize("gap_ms", [600, 2000, 70000])
@pytest.mark.parametrize("passes", range(3))
def test_after_a_gap_no_stale_word_counts_for_a_single_pass(gap_ms, passes):
    rig = native()
    rig.hear_twice("native", "control", **GOOD)
    rig.hear_twice("native", "charger", current_ok=1, current_ma=500, volts_ok=1, ac_mv=230000)
    rig.hear_twice("native", "dc", dc_ok=1, dc_mv=0, contactor_plus=OPEN, contactor_minus=OPEN)
    rig.beat(passes)
    assert rig.r.dc_ok and rig.r.contactors_open and rig.r.car_ac_live
    rig.now_ms = ticks_add(rig.now_ms, gap_ms)
    rig.beat()
    r = rig.r
    assert (r.dc_ok, r.contactors_ok, r.contactors_open, r.car_ac_live) == (False,) * 4
    assert not r.vehicle_permits and not r.charger_ok
