"""The hand-off to a communication controller: what it wants becomes readings, stale or wrong it wants nothing."""

import itertools

import pytest
from can_rig import START_MS, Rig

import faults
from inletctl.can import source
from inletctl.can.codec import unpack
from ticks import ticks_diff
from vehicle import e2e
from vehicle.modem import ModemLink

ERROR_STAGE = 8


def alone(**wanted):
    return Rig(ModemLink, inlet=5, max_current_ma=32000, modem=1, dc_max_a=200, **wanted)


def last(rig, name):
    message = source.load("modem").message(name)
    said = unpack(message, rig.sent(message.id)[-1])
    return {key: value for key, value in said.items() if key not in ("crc", "counter")}


def wishes(rig):
    return (rig.r.modem_wants_c, rig.r.modem_toggles, rig.r.modem_permits_unlock)


def test_alone_it_listens_to_its_one_message():
    assert alone().can.ids == (0x0E8,)


def test_beside_a_dialect_it_neither_listens_nor_receives():
    rig = alone(can=1)
    assert rig.can.ids is None
    rig.can.heard.append(rig.frame("modem", "modem", s2_wanted=1))
    rig.beat()
    assert len(rig.can.heard) == 1


def test_silent_controller_wants_nothing():
    rig = alone()
    rig.beat(5)
    assert wishes(rig) == (False, 0, False)
    assert rig.r.modem_age_ms == 60000


def test_wishes_are_handed_on_once_trusted():
    rig = alone()
    rig.hear("modem", "modem", s2_wanted=1, toggles=2, stage=3, error=7)
    assert wishes(rig) == (False, 0, False)
    rig.hear("modem", "modem", s2_wanted=1, toggles=2, stage=3, error=7)
    assert wishes(rig) == (True, 2, False)
    assert (rig.r.modem_age_ms, rig.made.stage, rig.made.error) == (0, 3, 7)
    rig.hear("modem", "modem", unlock_permit=1)
    assert wishes(rig) == (False, 0, True)


def test_stale_controller_wants_nothing_within_500_ms():
    rig = alone()
    rig.hear_twice("modem", "modem", s2_wanted=1, toggles=3)
    rig.beat(50)
    assert wishes(rig) == (True, 3, False) and rig.r.modem_age_ms == 500
    rig.beat()
    assert wishes(rig) == (False, 0, False) and rig.r.modem_age_ms == 510
    rig.hear("modem", "modem", unlock_permit=1)
    assert wishes(rig) == (False, 0, False), "two frames again"


def test_unlock_permit_beside_a_wish_for_state_c_does_not_stand():
    rig = alone()
    rig.hear_twice("modem", "modem", s2_wanted=1, unlock_permit=1)
    assert wishes(rig) == (True, 0, False)


def test_error_stage_wants_no_state_c():
    rig = alone()
    rig.hear_twice("modem", "modem", s2_wanted=1, stage=ERROR_STAGE)
    assert not rig.r.modem_wants_c


def test_refused_frame_is_told_and_foreign_one_counted():
    rig = alone()
    rig.can.heard += [(0x0E8, bytes(4)), (0x0E9, bytes(4))]
    rig.beat()
    assert rig.r.holds == faults.H_CAN_DATA
    assert (rig.made.refusals.refused, rig.made.refusals.unknown) == (1, 1)


@pytest.mark.parametrize(
    ("present", "reasons", "plug"),
    [
        (False, faults.NO_PLUG, 1), (True, 0, 2), (True, faults.NO_PLUG, 0), (True, faults.PP_INVALID, 0),
        (True, faults.VEHICLE_NO, 2),
    ],
)  # fmt: skip
def test_plug_is_told_as_proven(present, reasons, plug):
    rig = alone()
    rig.c.plug_present, rig.c.reasons = present, reasons
    rig.beat(5)
    said = last(rig, "inlet")
    assert (said["plug"], said["pp_reason"]) == (plug, int(bool(reasons & faults.PP_INVALID)))


@pytest.mark.parametrize(
    ("state", "reasons", "lock"),
    [
        (9, 0, 2), (3, 0, 1), (0, 0, 0), (10, 0, 0), (16, 0, 3), (18, 0, 3), (9, faults.LOCK_LOST, 3),
        (9, faults.LOCK_FAILED, 3), (21, 0, 3), (200, 0, 3),
    ],
)  # fmt: skip
def test_lock_is_told_by_its_feedback(state, reasons, lock):
    rig = alone()
    rig.c.lock_state, rig.c.reasons = state, reasons
    rig.beat(5)
    assert last(rig, "inlet")["lock"] == lock


@pytest.mark.parametrize(
    ("reasons", "may"),
    [
        (0, 1), (faults.PILOT_DIGITAL, 1), (faults.PILOT_DIGITAL | faults.BELOW_MINIMUM | faults.SHOW_B, 1),
        (faults.PILOT_DIGITAL | faults.NOT_LOCKED, 0), (faults.VEHICLE_SILENT, 0), (faults.INTERLOCKED, 0),
        (faults.TEMP_HIGH, 0), (faults.REST, 0),
    ],
)  # fmt: skip
def test_may_begin_is_told_where_only_the_talk_is_missing(reasons, may):
    rig = alone()
    rig.c.reasons = reasons
    rig.beat(5)
    assert last(rig, "inlet")["may_begin"] == may


@pytest.mark.parametrize(
    ("duty", "reasons", "ok"),
    [
        (500, 0, 1),
        (0, 0, 0),
        (500, faults.PILOT_FREQUENCY, 0),
        (500, faults.PILOT_INVALID, 0),
        (500, faults.PILOT_LOST, 0),
    ],
)
def test_frequency_is_told_where_there_is_a_pwm_to_believe(duty, reasons, ok):
    rig = alone()
    rig.c.duty_pct_x100, rig.c.reasons, rig.c.pilot_state = duty, reasons, 2
    rig.beat(5)
    said = last(rig, "inlet")
    assert (said["frequency_ok"], said["duty_pct_x100"], said["cp_state"]) == (ok, duty, 2)


@pytest.mark.parametrize(
    ("reasons", "button"), [(0, 0), (faults.NO_PLUG, 0), (faults.PP_BUTTON, 1)]
)
def test_button_is_told(reasons, button):
    rig = alone()
    rig.c.reasons = reasons
    rig.beat(5)
    assert last(rig, "inlet")["button"] == button


def test_section_tells_volts_contactors_temperature_and_current():
    rig = alone()
    rig.beat(6)
    assert last(rig, "section") == {
        "dc_ok": 0, "hottest_ok": 0, "contactors": 0, "dc_mv": 0, "dc_permitted_ma": 0, "hottest_decic": 0,
    }  # fmt: skip
    r, c = rig.r, rig.c
    r.dc_ok, r.dc_mv, r.contactors_ok, r.contactors_open = True, 59901, True, True
    c.hottest_ok, c.hottest_decic, c.dc_permitted_ma = True, -321, 199999
    rig.beat(10)
    assert last(rig, "section") == {
        "dc_ok": 1, "hottest_ok": 1, "contactors": 1, "dc_mv": 60000, "dc_permitted_ma": 199900, "hottest_decic": -321,
    }  # fmt: skip
    r.contactors_open = False
    rig.beat(10)
    assert last(rig, "section")["contactors"] == 2


@pytest.mark.parametrize(
    "change",
    [
        lambda c: setattr(c, "plug_present", False),
        lambda c: setattr(c, "s2_close", True),
        lambda c: setattr(c, "reasons", faults.PP_BUTTON),
        lambda c: setattr(c, "reasons", faults.TEMP_HIGH),
        lambda c: setattr(c, "lock_state", 9),
        lambda c: setattr(c, "pilot_state", 4),
    ],
)
def test_inlet_is_told_at_once_on_a_change_that_matters(change):
    rig = alone()
    rig.beat(5)
    rig.can.sent.clear()
    rig.beat(2)
    assert not rig.sent(0x0E0)
    change(rig.c)
    rig.beat(1)
    assert len(rig.sent(0x0E0)) == 1


def test_both_messages_keep_their_cycle_and_are_believed():
    rig = alone()
    rig.beat(500)
    for name in ("inlet", "section"):
        message = source.load("modem").message(name)
        at = [ticks_diff(t, START_MS) for id_, _, t in rig.can.sent if id_ == message.id]
        assert {b - a for a, b in itertools.pairwise(at[2:])} == {100}
        receiver = e2e.E2EReceiver(message.id)
        answers = {receiver.check(bytearray(d), message.length) for d in rig.sent(message.id)}
        assert answers == {e2e.FIRST, e2e.OK}
