"""Plug, cable coding, latch button, wishes, and what the lock holds."""

from itertools import pairwise

import pytest
from plant_bench import Bench

from inletctl.errors import UserError

CODES = [
    ("type1", None, 1505),
    ("nacs", None, 1505),
    ("type2", 13, 3725),
    ("type2", 20, 3110),
    ("type2", 32, 1907),
    ("type2", 63, 1131),
    ("gbt", 10, 3725),
    ("gbt", 16, 3110),
    ("gbt", 32, 1907),
    ("gbt", 63, 1131),
]


@pytest.mark.parametrize("inlet, cable_a, mv", CODES)
def test_cable_shows_its_coding(inlet, cable_a, mv):
    bench = Bench(inlet=inlet)
    bench.world.do("plug", cable_a=cable_a)
    bench.run(20)
    assert bench.readings.pp_mv == pytest.approx(mv, abs=1)
    bench.world.do("unplug")
    bench.run(20)
    assert bench.readings.pp_mv == 4455


def test_unknown_coding_is_refused_in_words():
    with pytest.raises(UserError, match="type2 cable is coded 13, 20, 32, 63 A, not 16 A"):
        Bench().world.do("plug", cable_a=16)


def test_plug_may_have_any_ohms_and_change_them():
    bench = Bench(pp_pulldown_ohm=0)
    bench.world.do("plug", ohm=680)
    bench.run(20)
    assert bench.readings.pp_mv == 3366
    bench.world.do("pp_plug", ohm=100)
    bench.world.do("pp_rail", mv=4900)
    bench.run(20)
    assert (bench.readings.pp_mv, bench.readings.pp_rail_mv) == (1140, 4900)


@pytest.mark.parametrize("state, mv", [("break", 5000), ("short", 0)])
def test_pp_wire_faults(state, mv):
    bench = Bench().plugged()
    bench.world.do("pp_wire", state=state, hold=100)
    bench.run(50)
    assert bench.readings.pp_mv == mv
    bench.run(60)
    assert bench.readings.pp_mv == 1907
    bench.world.do("pp_sense", state="dead")
    bench.run(20)
    assert not bench.readings.pp_ok


BUTTONS = [("type1", None, 2763), ("nacs", None, 2763), ("gbt", 10, 4091), ("gbt", 32, 4112)]


@pytest.mark.parametrize("inlet, cable_a, mv", BUTTONS)
def test_button_opens_s3(inlet, cable_a, mv):
    """Type 1: 150 + 330 ohm, 2.763 V by the table. GB/T: 1500 + 1800 and 220 + 3300 ohm."""
    bench = Bench(inlet=inlet)
    bench.world.do("plug", cable_a=cable_a)
    bench.world.do("press_button", hold=100)
    bench.run(50)
    assert bench.readings.pp_mv == pytest.approx(mv, abs=1)
    bench.run(60)
    assert bench.readings.pp_mv < mv - 100
    bench.world.do("press_button")
    bench.run(5000)
    assert bench.readings.pp_mv == pytest.approx(mv, abs=1)
    bench.world.do("release_button")
    bench.run(20)
    assert bench.readings.pp_mv < mv - 100


def test_type_2_has_no_button():
    with pytest.raises(UserError, match="no latch button"):
        Bench().world.do("press_button")


def test_locked_latch_cannot_be_pressed_if_built_so():
    bench = Bench(inlet="type1", lock_blocks_button="yes", start_plugged="yes", lock_start_pct=100)
    assert bench.world.do("press_button") == "the lock blocks the latch button"
    bench.run(20)
    assert bench.readings.pp_mv == 1505


def test_lock_holds_the_plug():
    bench = Bench(start_plugged="yes", lock_start_pct=100)
    bench.run(20)
    assert bench.world.do("unplug") == "the lock holds the plug"
    assert bench.world.plugged
    assert bench.world.refused_unplugs == 1
    assert bench.told("fails: the lock holds the plug")
    bench.world.do("manual_release")
    assert bench.world.do("unplug") is None
    assert not bench.world.plugged


def test_patient_person_pulls_until_the_lock_lets_go():
    bench = Bench(start_plugged="yes", lock_start_pct=100)
    bench.world.do("unplug", patience=1000)
    bench.run(500)
    assert bench.world.plugged
    bench.commands.lock_drive = -1
    bench.run(200)
    assert not bench.world.plugged
    late = Bench(start_plugged="yes", lock_start_pct=100)
    late.world.do("unplug", patience=100)
    late.run(500)
    late.world.do("manual_release")
    assert late.world.plugged


def test_what_cannot_be_done_is_said():
    bench = Bench()
    assert bench.world.do("unplug") == "no plug is in"
    bench.world.do("lock_slip", to=100)
    assert "in the way" in bench.world.do("plug")
    bench.world.do("manual_release")
    bench.world.do("plug")
    assert bench.world.do("plug") == "the plug is in already"


@pytest.mark.parametrize("touching, pp_mv, cp_mv", [("pp", 1907, 0), ("cp", 4455, 8979)])
def test_half_inserted_plug_makes_one_contact(touching, pp_mv, cp_mv):
    bench = Bench()
    bench.world.do("plug", touching=touching)
    bench.run(50)
    assert not bench.world.plugged
    assert (bench.readings.pp_mv, bench.readings.cp_high_mv) == (pp_mv, cp_mv)
    bench.world.do("plug")
    bench.run(50)
    assert bench.world.plugged
    assert (bench.readings.pp_mv, bench.readings.cp_high_mv) == (1907, 8979)


def test_half_inserted_plug_comes_out_freely():
    bench = Bench()
    bench.world.do("plug", touching="pp")
    assert bench.world.do("unplug") is None
    bench.run(20)
    assert bench.readings.pp_mv == 4455


def test_contacts_bounce_while_plugging_and_parting():
    bench = Bench(pass_us=500)
    for verb, end_mv in (("plug", 1907), ("unplug", 4455)):
        bench.world.do(verb, bounce=60)
        seen = []
        while len(seen) < 118:
            bench.one()
            seen.append(bench.readings.pp_mv)
        changes = sum(a != b for a, b in pairwise(seen))
        assert changes > 8
        bench.run(5)
        assert bench.readings.pp_mv == end_mv


def test_pp_bounces_alone():
    bench = Bench().plugged()
    bench.pass_us = 500
    bench.world.do("pp_bounce", time=100)
    seen = set()
    for _n in range(190):
        bench.one()
        seen.add(bench.readings.pp_mv)
        assert bench.readings.cp_high_mv == 8979
    assert seen == {1907, 4455}
    bench.run(10)
    assert bench.readings.pp_mv == 1907


def test_wishes_are_held_and_end():
    bench = Bench().plugged()
    r = bench.readings
    bench.world.do("stop")
    bench.world.do("unlock", hold=100)
    bench.run(50)
    assert (r.stop_request, r.unlock_request) == (True, True)
    bench.run(60)
    assert (r.stop_request, r.unlock_request) == (True, False)
    bench.world.do("start")
    bench.world.do("unlock")
    bench.run(5000)
    assert (r.stop_request, r.unlock_request) == (False, True)
    bench.world.do("keep")
    bench.world.do("stop", hold=30)
    bench.run(20)
    assert (r.stop_request, r.unlock_request) == (True, False)
    bench.run(20)
    assert not r.stop_request


def test_unplugging_ends_every_wish_and_the_button():
    bench = Bench(inlet="type1").plugged()
    for verb in ("stop", "unlock", "press_button", "unplug", "plug"):
        bench.world.do(verb)
    bench.run(20)
    r = bench.readings
    assert (r.stop_request, r.unlock_request, r.pp_mv) == (False, False, 1505)


def test_pulling_the_plug_under_load_is_an_arc():
    bench = Bench().charging()
    bench.world.do("unplug")
    assert (bench.world.charger_ma, bench.readings.cp_high_mv) == (0, 5995)
    bench.run(200)
    assert [text.split(":")[0] for text in bench.world.violations] == ["EVSE arc"]
    assert not bench.world.contactor_closed
