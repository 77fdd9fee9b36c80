"""Who asks for the cable: presses, the vehicle, a crash, a hand that insists; and what is done about it."""

import pytest
from interlock_rig import STARTS, Rig, charging

from faults import H_FORCED_UNLOCK, H_RELOCKED, PERSON_STOP
from interlock import CHARGING, RELEASED, WAITING
from release import HOLD, LIVE_DC_MV, LOCK, UNLOCK
from settings import INLETS, Settings
from signals import Readings
from ticks import ticks_add
from unlock import INSIST_MS, UnlockRequest

CCS2, NACS = INLETS.index("ccs2"), INLETS.index("nacs")


class Button:
    """An UnlockRequest, its readings and a clock of 10 ms a pass."""

    def __init__(self, start_ms=0, **settings):
        self.u = UnlockRequest(Settings(settings))
        self.r = Readings()
        self.now_ms = start_ms
        self.is_crashed = False
        self.is_unplugged = False
        self.is_alive = False
        self.run(10)

    def run(self, ms=10, down=False):
        self.r.unlock_request = down
        for _ in range(ms // 10):
            self.u.tick(self.now_ms, self.r, self.is_crashed, self.is_unplugged, self.is_alive)
            self.now_ms = ticks_add(self.now_ms, 10)
        return self

    def press(self, times, down_ms=100, up_ms=200):
        for _ in range(times):
            self.run(down_ms, True).run(up_ms)
        return self


def test_one_press_asks_as_long_as_it_is_held():
    button = Button()
    assert button.run(10, True).u.is_wanted
    assert button.run(5000, True).u.is_wanted
    assert not button.run(10).u.is_wanted


@pytest.mark.parametrize("start_ms", STARTS)
@pytest.mark.parametrize("presses", [2, 3, 5])
def test_n_presses_within_the_window_ask_and_fewer_do_not(presses, start_ms):
    button = Button(start_ms, unlock_presses=presses, unlock_window_ms=2000)
    assert not button.press(presses - 1).u.is_wanted
    assert button.press(1).u.is_wanted


def test_presses_too_far_apart_do_not_ask():
    button = Button(unlock_presses=2, unlock_window_ms=1500)
    button.press(1).run(1500)
    assert not button.press(1).u.is_wanted
    assert button.press(1).u.is_wanted


def test_bounces_of_the_button_are_no_presses():
    button = Button(unlock_presses=2)
    assert not button.press(20, 20, 20).u.is_wanted


def test_a_wish_by_presses_ends_after_ten_seconds_or_with_the_plug():
    button = Button(unlock_presses=2).press(2)
    assert button.run(9000).u.is_wanted
    assert not button.run(1000).u.is_wanted
    button.press(2)
    button.is_unplugged = True
    assert not button.run().u.is_wanted


def test_a_plug_that_comes_at_once_needs_as_many_presses_as_the_one_before():
    button = Button(unlock_presses=2, unlock_window_ms=5000).press(2)
    button.is_unplugged = True
    assert not button.run().u.is_wanted
    button.is_unplugged = False
    assert not button.press(1).u.is_wanted
    assert button.press(1).u.is_wanted


def test_the_vehicle_asks_as_long_as_it_says_so():
    button = Button(unlock_presses=3)
    button.r.car_unlock = True
    assert button.run().u.is_wanted
    button.r.car_unlock = False
    assert not button.run().u.is_wanted


@pytest.mark.parametrize("policy", [0, 1])
def test_a_crash_asks_only_where_the_policy_says_so(policy):
    button = Button(crash_unlock=policy)
    button.is_crashed = True
    assert button.run().u.is_wanted == bool(policy)


@pytest.mark.parametrize("start_ms", STARTS)
@pytest.mark.parametrize("presses", [1, 3])
def test_half_a_minute_of_holding_is_insisting(presses, start_ms):
    button = Button(start_ms, unlock_presses=presses).run(INSIST_MS, True)
    assert not button.u.is_insisted
    button.run(10, True)
    assert button.u.is_insisted and button.u.is_wanted
    assert not button.run().u.is_insisted


def test_a_button_that_hangs_since_the_start_is_no_hand():
    button = Button()
    button.u = UnlockRequest(Settings({}))
    assert not button.run(70000, True).u.is_insisted


def test_a_line_held_for_ever_is_no_hand():
    button = Button().run(INSIST_MS + 10, True)
    assert button.u.is_insisted
    assert not button.run(60000, True).u.is_insisted
    assert not button.run(60000, True).u.is_insisted
    button.run(100)
    assert button.run(INSIST_MS + 10, True).u.is_insisted


def test_insisting_counts_from_when_nothing_is_alive_any_more():
    button = Button()
    button.is_alive = True
    assert not button.run(80000, True).u.is_insisted
    button.is_alive = False
    assert not button.run(INSIST_MS - 100, True).u.is_insisted
    assert button.run(200, True).u.is_insisted


# --------------------------------------------------------------------------------- DC at the plug


def dc_rig(**settings):
    rig = Rig(**{"inlet": NACS, "dc_max_a": 200, **settings})
    i = rig.i
    i.dc_ok = i.contactors_ok = i.contactors_open = True
    i.ac_ok = False
    return rig


def test_proven_dead_dc_lets_go_after_the_time_of_an_unmeasured_ac():
    rig = dc_rig()
    rig.i.unlock_request = True
    assert rig.until(lambda k: k.may_unlock, 5000) == 3000


@pytest.mark.parametrize(
    ("name", "value"),
    [("dc_mv", LIVE_DC_MV), ("contactors_open", False)],
)
def test_live_dc_is_never_let_go_of_not_even_by_force(name, value):
    rig = dc_rig()
    setattr(rig.i, name, value)
    rig.i.unlock_request = rig.i.unlock_insisted = True
    for _ in range(60):
        rig.run(1000)
        assert not rig.k.may_unlock and rig.k.lock_request != UNLOCK


def test_sixty_volts_is_live_and_just_below_is_not():
    rig = dc_rig()
    rig.i.dc_mv = LIVE_DC_MV - 1
    rig.i.unlock_request = True
    rig.run(4000)
    assert rig.k.may_unlock
    rig.i.dc_mv = LIVE_DC_MV
    rig.run()
    assert not rig.k.may_unlock


@pytest.mark.parametrize("name", ["dc_ok", "contactors_ok"])
def test_silence_about_dc_proves_nothing_but_a_hand_that_insists_may_let_go(name):
    rig = dc_rig()
    setattr(rig.i, name, False)
    rig.i.unlock_request = True
    rig.run(60000)
    assert not rig.k.may_unlock and not rig.k.holds & H_FORCED_UNLOCK
    rig.i.unlock_insisted = True
    rig.run(20)
    assert rig.k.may_unlock and rig.k.holds & H_FORCED_UNLOCK
    rig.i.unlock_insisted = False
    rig.run(20)
    assert not rig.k.may_unlock and rig.k.holds & H_FORCED_UNLOCK, "told until the plug is out"
    rig.unplug().run(20)
    assert not rig.k.holds & H_FORCED_UNLOCK


@pytest.mark.parametrize(
    ("name", "live", "ok"),
    [("dc_mv", 400000, "dc_ok"), ("contactors_open", False, "contactors_ok")],
)
def test_a_sign_of_life_that_falls_silent_stays_one(name, live, ok):
    rig = dc_rig()
    setattr(rig.i, name, live)
    rig.run(100)
    setattr(rig.i, ok, False)
    rig.i.unlock_request = rig.i.unlock_insisted = True
    rig.run(60000)
    assert not rig.k.may_unlock
    setattr(rig.i, name, 0 if name == "dc_mv" else True)
    setattr(rig.i, ok, True)
    rig.run(4000)
    assert rig.k.may_unlock


def test_live_dc_is_believed_over_a_plug_that_reads_out():
    """Proximity and pilot break with one harness: the bolt stays as long as the car says that DC is there."""
    from test_handoff import in_dc

    rig = in_dc()
    rig.i.dc_mv = 400000
    rig.i.contactors_open = False
    rig.unplug()
    rig.i.reasons = 0
    rig.i.modem_wants_c = False
    rig.run(60000)
    assert not rig.k.may_unlock and rig.k.lock_request != UNLOCK


def test_after_a_boot_dc_may_have_been_there():
    rig = Rig(inlet=CCS2, dc_max_a=200, modem=1)
    rig.i.unlock_request = True
    rig.run(60000)
    assert not rig.k.may_unlock, "the car has to say that it is dead"
    rig.i.dc_ok = rig.i.contactors_ok = rig.i.contactors_open = True
    rig.run(20)
    assert rig.k.may_unlock


def test_a_week_without_the_cars_word_traps_no_cable():
    rig = dc_rig()
    rig.i.dc_ok = False
    rig.i.stop_request = True
    rig.run(4000)
    rig.now_ms = (rig.now_ms + 2**29 + 1000) % 2**30
    rig.run(1000)
    rig.i.dc_ok = True
    rig.i.unlock_request = True
    rig.run(20)
    assert rig.k.may_unlock


def test_the_cars_ac_word_keeps_the_cable_even_on_a_board_that_senses_none():
    rig = Rig(ac_sense=0)
    rig.i.car_ac_live = True
    rig.i.unlock_request = True
    rig.run(60000)
    assert not rig.k.may_unlock


def test_a_controller_that_wants_c_keeps_the_cable_from_a_hand_that_insists():
    rig = dc_rig(modem=1)
    rig.i.dc_ok = False
    rig.i.modem_age_ms = 0
    rig.i.modem_wants_c = True
    rig.i.unlock_request = rig.i.unlock_insisted = True
    rig.run(60000)
    assert not rig.k.may_unlock


def test_a_wish_that_found_no_proof_is_forgotten_and_opens_nothing_hours_later():
    rig = dc_rig(relock_s=60)
    rig.i.dc_ok = False
    rig.i.unlock_request = True
    rig.run(5000)
    assert rig.k.session == RELEASED
    rig.i.unlock_request = False
    rig.run(61000)
    assert rig.k.session == WAITING and rig.k.holds & H_RELOCKED
    rig.i.dc_ok = True
    rig.run(10000)
    assert rig.k.lock_request == LOCK


def test_force_waits_for_s2_and_never_opens_under_current():
    rig = dc_rig()
    rig.i.dc_ok = False
    rig.i.charger_ma = 1000
    rig.i.unlock_request = rig.i.unlock_insisted = True
    rig.run(60000)
    assert not rig.k.may_unlock
    rig.i.charger_ma = 0
    rig.run(2990)
    assert not rig.k.may_unlock
    rig.run(20)
    assert rig.k.may_unlock


def test_after_ac_on_separate_pins_silence_about_dc_does_not_hold_the_cable():
    rig = charging(inlet=CCS2, dc_max_a=200)
    rig.i.charger_ma = 0
    rig.i.unlock_request = True
    rig.until(lambda k: k.may_unlock, 10000)
    assert rig.k.session == RELEASED


def test_after_dc_on_separate_pins_only_the_cars_fresh_word_lets_go():
    from test_handoff import in_dc

    rig = in_dc()
    rig.i.dc_ok = False
    rig.i.modem_wants_c = False
    rig.i.unlock_request = True
    rig.run(60000)
    assert not rig.k.may_unlock
    rig.i.dc_ok = True
    rig.run(20)
    assert not rig.k.may_unlock, "the controller still talks, and has not let go of the cable"
    rig.i.modem_permits_unlock = True
    rig.run(20)
    assert rig.k.may_unlock and rig.k.lock_request == UNLOCK


def test_a_controller_that_is_gone_holds_no_cable_that_the_car_says_is_dead():
    from test_handoff import in_dc

    rig = in_dc()
    rig.i.modem_age_ms = 60000
    rig.i.unlock_request = True
    rig.run(4000)
    assert rig.k.may_unlock


def test_dc_at_an_empty_inlet_does_not_stop_a_moving_car():
    rig = dc_rig().unplug()
    i = rig.i
    i.is_clear_to_drive = i.is_pilot_dead = i.is_unlocked = True
    i.is_locked = False
    rig.run(4000)
    assert rig.k.drive_allowed
    i.dc_mv = 400000
    i.contactors_open = False
    rig.run(1000)
    assert rig.k.drive_allowed


# -------------------------------------------------------------------------------------- relocking


def released(start_ms=0, **settings):
    rig = charging(start_ms, **settings)
    rig.i.charger_ma = 0
    rig.i.unlock_request = True
    rig.until(lambda k: k.session == RELEASED, 10000)
    rig.i.shows_b = True
    rig.run(3500)
    rig.i.is_locked = False
    rig.i.is_unlocked = True
    rig.i.unlock_request = False
    return rig.run()


@pytest.mark.parametrize("start_ms", STARTS)
def test_a_cable_not_pulled_is_locked_again_and_charging_stays_stopped(start_ms):
    rig = released(start_ms, relock_s=15)
    assert rig.until(lambda k: k.session == WAITING, 20000) <= 15000
    assert rig.k.lock_request == LOCK
    rig.i.is_locked, rig.i.is_unlocked = True, False
    rig.run(60000)
    assert rig.k.session == WAITING and rig.k.reasons == PERSON_STOP
    assert rig.k.holds == H_RELOCKED


def test_time_counts_from_the_last_wish():
    rig = released(relock_s=15)
    rig.run(10000)
    rig.i.unlock_request = True
    rig.run(100)
    rig.i.unlock_request = False
    rig.run(14900)
    assert rig.k.session == RELEASED
    rig.run(200)
    assert rig.k.session == WAITING


def test_relocked_is_released_again_when_asked_and_charges_only_after_an_unplug():
    rig = released(relock_s=15)
    rig.until(lambda k: k.session == WAITING, 20000)
    rig.i.is_locked, rig.i.is_unlocked = True, False
    rig.run(1000)
    rig.i.unlock_request = True
    rig.run(20)
    assert rig.k.session == RELEASED and rig.k.lock_request in (UNLOCK, HOLD)
    rig.i.unlock_request = False
    rig.unplug().run(1000)
    rig.plug().until(lambda k: k.session == CHARGING, 10000)


def test_time_counts_from_when_the_cable_is_free():
    rig = released(relock_s=15)
    rig.i.is_unlocked = False
    rig.run(60000)
    rig.i.is_unlocked = True
    rig.run(14900)
    assert rig.k.session == RELEASED
    rig.run(200)
    assert rig.k.session == WAITING


@pytest.mark.parametrize("name", ["is_unlocked", "is_plugged"])
def test_nothing_is_locked_again_that_is_not_in_and_open(name):
    rig = released(relock_s=15)
    setattr(rig.i, name, False)
    rig.run(60000)
    assert rig.k.session == RELEASED


@pytest.mark.no_cover
def test_zero_never_locks_again():
    rig = released(relock_s=0)
    rig.run(700000)
    assert rig.k.session == RELEASED
