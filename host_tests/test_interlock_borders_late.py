"""The interlock and its neighbours where passes come late: no border is missed because none fell on it."""

import pytest
from test_handoff import in_dc
from test_interlock_borders import STARTS, Button, Controller, Plug, tick

from charger import ChargerWatch
from faults import F_CHARGER_OVER
from ticks import ticks_add

# The session --------------------------------------------------------------------------------------


@STARTS
def test_a_controller_that_does_not_let_go_is_not_waited_for_past_the_bound(start_ms):
    rig = in_dc(start_ms)
    rig.i.vehicle_permits = False
    tick(rig, 10)
    assert tick(rig, 2990).k.s2_close
    assert not tick(rig, 30).k.s2_close


# The charger --------------------------------------------------------------------------------------


@STARTS
@pytest.mark.parametrize("pass_ms", [70, 230])
def test_a_charger_that_does_not_come_down_is_found_however_slow_the_passes_are(pass_ms, start_ms):
    """No pass falls on a full half second; the charger has its 5 s all the same, and not many more."""
    watch = ChargerWatch(500)
    now_ms = start_ms
    for _ in range(7000 // pass_ms):
        watch.tick(now_ms, 20_000, True, True, 20_000, False)
        now_ms = ticks_add(now_ms, pass_ms)
    lowered_ms = 0
    while not watch.fault:
        lowered_ms += pass_ms
        assert lowered_ms < 8000
        watch.tick(now_ms, 6000, True, True, 20_000, False)
        now_ms = ticks_add(now_ms, pass_ms)
    assert watch.fault == F_CHARGER_OVER
    assert lowered_ms > 5000


# Letting go ---------------------------------------------------------------------------------------


@STARTS
def test_ac_has_its_3_s_anew_each_time_s2_opens(start_ms):
    plug = Plug(start_ms)
    assert not plug.at(10_000).is_ac_live
    plug.s2 = plug.i.ac_present = True
    assert not plug.at(20_000).is_ac_live
    plug.s2 = False
    plug.opened_ms = ticks_add(start_ms, 20_010)
    for ms in (20_010, 20_020, 23_009):
        assert not plug.at(ms).is_ac_live
    assert plug.at(23_010).is_ac_live


# The hand-over ------------------------------------------------------------------------------------


def test_a_toggle_ends_with_the_first_pass_past_its_300_ms():
    controller = Controller()
    shown = [controller.at(ms, 2) for ms in (0, 290, 330, 620, 650, 940, 970, 1260, 1290, 5000)]
    assert shown == [True, True, False, False, True, True, False, False, False, False]


# A hand -------------------------------------------------------------------------------------------


@STARTS
def test_a_press_counts_also_where_no_pass_falls_on_its_30_ms(start_ms):
    button = Button(start_ms, unlock_presses=2)
    for begin_ms in (0, 500):
        button.at(begin_ms, True)
        button.at(begin_ms + 20, True)
        button.at(begin_ms + 45, True)
        button.at(begin_ms + 100, False)
    assert button.u.is_wanted


@STARTS
def test_a_press_is_forgotten_with_the_first_pass_past_the_window(start_ms):
    button = Button(start_ms, unlock_presses=2, unlock_window_ms=2000)
    for begin_ms, counts in ((0, False), (2200, False), (2700, True)):
        button.at(begin_ms, True)
        button.at(begin_ms + 30, True)
        button.at(begin_ms + 100, False)
        assert button.at(begin_ms + 400, False).is_wanted is counts


@STARTS
def test_a_line_that_is_low_for_two_weeks_is_no_hand_when_the_clock_shows_its_first_minute_again(
    start_ms,
):
    button = Button(start_ms)
    button.at(0, True)
    button.at(100, True)
    button.at(90_000, True)
    for quarter in (1, 2, 3):
        button.at(quarter * 2**28, True)
    assert not button.at(2**30 + 40_000, True).is_insisted
    assert not button.at(2**30 + 50_000, False).is_insisted
