"""The interlock and its neighbours to the millisecond and the digit: what counts and what just does not."""

import pytest
from first_values import begins_with
from interlock_rig import STARTS, Rig, charging, good_inputs

import interlock
from charger import ChargerWatch
from faults import (
    F_CHARGER_OVER,
    F_INTERNAL,
    F_OVER_TEMPERATURE,
    H_CRASH,
    NO_PLUG,
    PILOT_DIGITAL,
    PILOT_STEADY,
    REST,
    SHOW_B,
    SHUTDOWN,
    VEHICLE_SILENT,
)
from handoff import HandOff
from inputs import Inputs
from interlock import (
    CHARGING,
    EVENT_NAMES,
    RELEASED,
    RESTING,
    SESSION_NAMES,
    STOPPING,
    UNPLUGGED,
    WAITING,
    Interlock,
)
from latches import Latches
from limits import (
    LIMIT_CABLE,
    LIMIT_LOCK,
    LIMIT_NONE,
    LIMIT_PERSON,
    LIMIT_PILOT,
    LIMIT_PORT,
    LIMIT_SETTING,
    LIMIT_TEMPERATURE,
    LIMIT_VEHICLE,
    LIMITER_NAMES,
    Limits,
)
from release import HOLD, LOCK, UNLOCK, Release
from settings import INLETS, Settings
from signals import Readings
from ticks import ticks_add
from unlock import UnlockRequest

CCS2 = INLETS.index("ccs2")
STARTS = pytest.mark.parametrize("start_ms", STARTS)
# The passes around a border: to the millisecond, and late ones, of which none falls on it.
AROUND = pytest.mark.parametrize(("before_ms", "after_ms"), [(-1, 0), (-10, 20)])


def tick(rig, ms):
    """One pass, `ms` after the last one of the rig."""
    rig.now_ms = ticks_add(rig.now_ms, ms - 10)
    rig.k.tick(rig.now_ms, rig.i)
    rig.now_ms = ticks_add(rig.now_ms, 10)
    return rig


# First values, numbers ----------------------------------------------------------------------------


def test_nothing_is_closed_commanded_or_released_before_the_first_pass():
    k = Interlock(Settings({}))
    assert (k.session, k.reasons, k.faults, k.holds) == (UNPLUGGED, NO_PLUG, 0, 0)
    assert (k.charger_ma, k.permitted_ma, k.limiter, k.lock_request) == (0, 0, LIMIT_NONE, HOLD)
    assert not (k.s2_close or k.is_dc or k.may_unlock or k.may_be_dc or k.drive_allowed)
    assert k.is_alive is True
    release = Release(True, True, False, True)
    assert release.is_alive is True
    assert not (
        release.may_unlock or release.drive_allowed or release.is_ac_live or release.is_forced
    )
    watch = ChargerWatch(500)
    assert (watch.fault, watch.is_silent) == (0, False)
    latches = Latches(False, False)
    assert (latches.faults, latches.holds, latches.reasons) == (0, 0, 0)
    hand = HandOff(True, True, True)
    assert (hand.is_active, hand.wants_c, hand.hold, hand.s2_toggle) == (False, False, 0, False)
    limits = Limits(Settings({}), False)
    assert (limits.permitted_ma, limits.limiter) == (0, LIMIT_NONE)
    button = UnlockRequest(Settings({}))
    assert not (button.is_wanted or button.is_insisted)


def test_states_events_and_limiters_are_numbered_as_they_are_named():
    assert (UNPLUGGED, WAITING, CHARGING, STOPPING, RESTING, RELEASED) == tuple(
        range(len(SESSION_NAMES))
    )
    for n, name in enumerate(EVENT_NAMES):
        assert getattr(interlock, "EV_" + name.upper()) == n
    limiters = (
        LIMIT_NONE, LIMIT_PILOT, LIMIT_CABLE, LIMIT_TEMPERATURE, LIMIT_SETTING, LIMIT_VEHICLE, LIMIT_LOCK, LIMIT_PERSON,
        LIMIT_PORT,
    )  # fmt: skip
    assert limiters == tuple(range(len(LIMITER_NAMES)))
    assert (HOLD, LOCK, UNLOCK) == (0, 1, 2)
    policies = (interlock.POLICY_REFUSE, interlock.POLICY_REDUCE, interlock.POLICY_IGNORE)
    assert policies == (0, 1, 2)


def test_an_event_that_cannot_come_to_a_state_moves_nothing():
    """Unplugged knows only the plug; while S2 is closed nothing but a stop leads out; what was let go of is not stopped."""
    kept = {
        UNPLUGGED: set(EVENT_NAMES) - {"plug"},
        WAITING: {"open_now", "stop", "done", "plug", "relock", "none"},
        CHARGING: {"done", "plug", "ready", "relock", "none"},
        STOPPING: set(EVENT_NAMES) - {"open_now", "done"},
        RESTING: {"open_now", "stop", "plug", "ready", "relock", "none"},
        RELEASED: {"open_now", "stop", "done", "release", "plug", "ready", "none"},
    }
    for state, names in kept.items():
        for n, name in enumerate(EVENT_NAMES):
            assert (interlock._NEXT[state][n] == state) == (name in names), (state, name)
    row = dict(zip(EVENT_NAMES, interlock._NEXT[CHARGING], strict=True))
    assert row["unplug"] == row["release"] == row["stop"] == STOPPING


def test_masks_are_those_of_the_table():
    for n, row in enumerate(SHUTDOWN):
        assert interlock._CURRENT_FIRST_MASK >> n & 1 == row[1]
        assert interlock._COUNTED_MASK >> n & 1 == row[7]
        assert (interlock._WAIT_MS[n], interlock._REST_MS[n]) == (row[3], row[6])
    assert interlock._NOT_PLUGGED_MASK.bit_count() == 3
    assert interlock._NO_CURRENT_MASK.bit_count() == 12


# The session --------------------------------------------------------------------------------------


@STARTS
@AROUND
def test_b_is_shown_for_500_ms(start_ms, before_ms, after_ms):
    rig = Rig(start_ms)
    rig.i.is_unplugged, rig.i.is_plugged = True, False
    rig.run(4000)
    rig.i.is_unplugged, rig.i.is_plugged = False, True
    tick(rig, 10)
    assert tick(rig, 490 + before_ms).k.reasons == SHOW_B
    assert tick(rig, after_ms - before_ms).k.reasons == 0


@STARTS
@AROUND
def test_a_boot_rests_until_s2_has_been_open_for_3_s(start_ms, before_ms, after_ms):
    rig = Rig(start_ms)
    rig.k.rest_after_crash()
    tick(rig, 0)
    assert tick(rig, 3000 + before_ms).k.reasons & REST
    assert not tick(rig, after_ms - before_ms).k.reasons & REST


@pytest.mark.parametrize(("ma", "passes"), [(999, 3), (1000, None)])
def test_current_has_flowed_out_after_three_readings_below_1_a(ma, passes):
    rig = charging()
    rig.i.stop_request = True
    rig.run()
    rig.i.charger_ma = ma
    for n in range(1, 6):
        rig.run()
        assert (rig.k.session == RESTING) == (passes is not None and n >= passes), n


@STARTS
@AROUND
def test_current_that_does_not_end_is_waited_for_3_s(start_ms, before_ms, after_ms):
    rig = charging(start_ms)
    rig.i.stop_request = True
    tick(rig, 10)
    assert tick(rig, 3000 + before_ms).k.session == STOPPING
    assert tick(rig, after_ms - before_ms).k.session == RESTING
    assert not rig.k.s2_close


@STARTS
@AROUND
def test_a_rest_ends_after_3_s(start_ms, before_ms, after_ms):
    rig = charging(start_ms)
    rig.i.stop_request = True
    rig.i.charger_ma = 0
    rig.until(lambda k: k.session == RESTING)
    rig.i.stop_request = False
    assert tick(rig, 3000 + before_ms).k.session == RESTING
    assert tick(rig, after_ms - before_ms).k.session == WAITING


def test_ten_minutes_of_charging_to_the_millisecond_forgive():
    rig = charging()
    rig.k._stops = rig.k._pauses = 2
    rig.k._entered_ms = ticks_add(rig.now_ms, -10)
    assert tick(rig, 599_990).k._stops == 2
    tick(rig, 9)
    assert (rig.k._stops, rig.k._pauses) == (2, 2)
    tick(rig, 1)
    assert (rig.k._stops, rig.k._pauses) == (0, 0)


def test_three_pauses_rest_alike_and_each_further_one_twice_as_long_up_to_sixteenfold():
    rig = Rig()
    rig.k._stop_reasons = PILOT_STEADY
    rests = []
    for _ in range(9):
        rig.k._open(0)
        rests.append(rig.k._wait_ms // 5000)
    assert rests == [1, 1, 1, 2, 4, 8, 16, 16, 16]


def test_each_counted_stop_rests_twice_as_long_up_to_sixteenfold():
    rig = Rig()
    rig.k._stop_reasons = VEHICLE_SILENT
    rests = []
    for _ in range(7):
        rig.k._open(0)
        rests.append(rig.k._wait_ms // 3000)
    assert rests == [1, 2, 4, 8, 16, 16, 16]


def test_the_plug_out_forgets_stops_and_pauses():
    rig = Rig()
    rig.run(20)
    rig.k._stops = rig.k._pauses = 3
    rig.unplug().run(20)
    assert (rig.k.session, rig.k._stops, rig.k._pauses) == (UNPLUGGED, 0, 0)


@pytest.mark.parametrize(("age_ms", "silent"), [(500, False), (501, True)])
def test_the_vehicle_is_silent_one_millisecond_past_its_time(age_ms, silent):
    rig = charging()
    rig.i.vehicle_age_ms = age_ms
    rig.run()
    assert bool(rig.k.reasons & VEHICLE_SILENT) is silent


@pytest.mark.parametrize(("retries", "is_over"), [(3, False), (4, True)])
def test_retries_are_over_after_one_more_than_the_setting(retries, is_over):
    rig = Rig(retries_max=3)
    rig.k._stops = retries
    rig.run(20)
    assert bool(rig.k.reasons & interlock.RETRIES) is is_over


@pytest.mark.parametrize(("ma", "is_below"), [(5999, True), (6000, False)])
def test_the_minimum_itself_is_enough(ma, is_below):
    rig = Rig()
    rig.i.offered_ma = ma
    rig.run(20)
    assert bool(rig.k.reasons & interlock.BELOW_MINIMUM) is is_below


@STARTS
@AROUND
def test_a_free_cable_is_locked_again_after_its_time(start_ms, before_ms, after_ms):
    rig = Rig(start_ms, relock_s=30)
    rig.i.unlock_request = True
    rig.until(lambda k: k.may_unlock, 10_000)
    rig.i.is_locked, rig.i.is_unlocked = False, True
    rig.run(100)
    rig.i.unlock_request = False
    assert tick(rig, 30_000 + before_ms).k.session == RELEASED
    assert tick(rig, after_ms - before_ms).k.session == WAITING
    assert rig.k.lock_request == LOCK


# The limits ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("ma", "permitted_ma"), [(1, 1), (0, 0), (-1, 0)])
def test_a_limit_below_zero_permits_nothing(ma, permitted_ma):
    limits = Limits(Settings({}), False)
    i = good_inputs()
    i.offered_ma = ma
    limits.tick(i)
    assert (limits.permitted_ma, limits.limiter) == (permitted_ma, LIMIT_PILOT)


@pytest.mark.parametrize(
    ("optional", "locked", "limiter"),
    [(True, False, LIMIT_LOCK), (True, True, LIMIT_PILOT), (False, False, LIMIT_PILOT)],
)
def test_the_limit_of_a_failed_lock_counts_where_it_may_fail_and_has(optional, locked, limiter):
    limits = Limits(Settings({}), optional)
    i = good_inputs()
    i.offered_ma = i.rated_ma = 30_000
    i.is_locked = locked
    limits.tick(i)
    assert limits.limiter == limiter


# The charger --------------------------------------------------------------------------------------


def watched(command_ma, drawn_ma, over_ms, start_ms=0):
    """A charger that was told `command_ma` for long and draws `drawn_ma` for `over_ms`."""
    watch = ChargerWatch(500)
    now_ms = start_ms
    for _ in range(600):
        watch.tick(now_ms, command_ma, True, True, 0, False)
        now_ms = ticks_add(now_ms, 10)
    now_ms = ticks_add(now_ms, over_ms - 10)
    watch.tick(now_ms, command_ma, True, True, drawn_ma, False)
    return watch


@pytest.mark.parametrize(
    ("command_ma", "most_ma"), [(6000, 7300), (11_700, 13_000), (18_000, 20_000), (32_000, 35_555)]
)
def test_a_charger_is_over_above_1300_ma_or_a_ninth_more(command_ma, most_ma):
    assert not watched(command_ma, most_ma, 1000).fault
    assert watched(command_ma, most_ma + 1, 1000).fault == F_CHARGER_OVER


@STARTS
@pytest.mark.parametrize(("over_ms", "fault"), [(999, 0), (1000, F_CHARGER_OVER)])
def test_a_charger_is_over_for_one_second_in_sum(over_ms, fault, start_ms):
    assert watched(6000, 9000, over_ms, start_ms).fault == fault


def test_time_within_the_limit_pays_back_and_clears_the_fault_when_all_is_paid():
    watch = watched(6000, 9000, 5000)
    assert (watch.fault, watch._over_ms) == (F_CHARGER_OVER, 1000)
    now_ms = watch._last_ms
    watch.tick(ticks_add(now_ms, 999), 6000, True, True, 0, False)
    assert (watch.fault, watch._over_ms) == (F_CHARGER_OVER, 1)
    watch.tick(ticks_add(now_ms, 1000), 6000, True, True, 0, False)
    assert (watch.fault, watch._over_ms) == (0, 0)
    watch.tick(ticks_add(now_ms, 2000), 6000, True, True, 0, False)
    assert watch._over_ms == 0


def test_a_lower_command_is_asked_for_after_four_to_four_and_a_half_seconds():
    """Eight buckets of half a second; the highest of each counts."""
    watch = ChargerWatch(500)
    now_ms = 0
    for _ in range(600):
        watch.tick(now_ms, 20_000, True, True, 20_000, False)
        now_ms += 10
    since_ms = now_ms
    while max(watch._window_ma, watch._newest_ma) == 20_000:
        watch.tick(now_ms, 6000, True, True, 20_000, False)
        now_ms += 10
    assert 4000 <= now_ms - since_ms <= 4510
    assert watch._over_ms == 10


@pytest.mark.parametrize(("ms", "is_full"), [(499, False), (500, True)])
def test_a_bucket_of_commands_is_full_after_half_a_second(ms, is_full):
    watch = ChargerWatch(500)
    watch.tick(0, 20_000, True, True, 0, False)
    watch.tick(ms, 20_000, True, True, 0, False)
    assert watch._window_ma == (20_000 if is_full else 0)


def heard(told_before, s2_closed, ms):
    """A charger that spoke, or did not, and was then not heard for `ms` with S2 closed."""
    watch = ChargerWatch(500)
    watch.tick(0, 6000, s2_closed, told_before, 6000, False)
    watch.tick(ms, 6000, True, False, 0, False)
    return watch.is_silent


def test_a_charger_is_missed_500_ms_after_its_last_word_and_after_6_s_where_it_slept():
    assert [heard(True, True, ms) for ms in (500, 501)] == [False, True]
    assert [heard(True, False, ms) for ms in (501, 6000, 6001)] == [False, False, True]
    assert not heard(False, True, 60_000)


def test_a_charger_that_is_missed_is_forgotten_with_the_plug_or_its_word():
    for is_told, is_unplugged in ((True, False), (False, True)):
        watch = ChargerWatch(500)
        watch.tick(0, 6000, True, True, 0, False)
        watch.tick(600, 6000, True, False, 0, False)
        assert watch.is_silent
        watch.tick(610, 6000, True, is_told, 0, is_unplugged)
        assert not watch.is_silent
        watch.tick(700, 6000, True, False, 0, False)
        assert not watch.is_silent


def test_a_charger_not_heard_with_s2_open_is_not_over_any_more():
    watch = watched(6000, 9000, 500)
    watch.tick(watch._last_ms + 10, 0, True, False, 0, False)
    assert watch._is_over
    watch.tick(watch._last_ms + 10, 0, False, False, 0, False)
    assert not watch._is_over


# Latches ------------------------------------------------------------------------------------------


def test_what_is_latched_is_forgiven_one_by_one_and_the_rest_stays():
    latches = Latches(False, False)
    latches.tick(F_CHARGER_OVER | F_INTERNAL, H_CRASH, False)
    latches.tick(0, 0, False)
    assert (latches.faults, latches.holds) == (F_CHARGER_OVER | F_INTERNAL, H_CRASH)
    latches.forgive(F_CHARGER_OVER)
    latches.tick(0, 0, False)
    assert (latches.faults, latches.holds) == (F_INTERNAL, H_CRASH)
    latches.tick(F_OVER_TEMPERATURE, 0, True)
    assert latches.faults == F_INTERNAL | F_OVER_TEMPERATURE
    latches.tick(0, 0, True)
    assert latches.faults == F_INTERNAL


# Letting go ---------------------------------------------------------------------------------------


class Plug:
    """A Release with inputs of an open S2, and its clock."""

    def __init__(self, start_ms=0, **built):
        args = {
            "has_ac_sense": True,
            "may_have_dc": False,
            "is_shared": False,
            "has_modem": False,
            **built,
        }
        self.r = Release(**args)
        self.i = good_inputs()
        self.start_ms = start_ms
        self.is_idle = False
        self.wants_lock = False
        self.s2 = False
        self.opened_ms = start_ms
        self.at(0)

    def at(self, ms):
        self.r.tick(
            ticks_add(self.start_ms, ms), self.i, self.is_idle, self.wants_lock, self.s2, self.opened_ms
        )  # fmt: skip
        return self.r


@STARTS
@AROUND
def test_a_cable_nobody_measures_is_dead_after_3_s_and_one_that_is_measured_after_100_ms(
    start_ms, before_ms, after_ms
):
    plug = Plug(start_ms, has_ac_sense=False)
    assert not plug.at(3000 + before_ms).may_unlock
    assert plug.at(3000 + after_ms).may_unlock
    plug = Plug(start_ms)
    plug.s2 = plug.i.ac_present = True
    plug.at(10)
    plug.s2 = plug.i.ac_present = False
    plug.at(20)
    assert not plug.at(120 + before_ms).may_unlock
    assert plug.at(120 + after_ms).may_unlock


@STARTS
@AROUND
def test_ac_that_stays_3_s_after_s2_opened_is_told(start_ms, before_ms, after_ms):
    plug = Plug(start_ms)
    plug.i.ac_present = True
    assert not plug.at(3000 + before_ms).is_ac_live
    assert plug.at(3000 + after_ms).is_ac_live
    plug.i.ac_ok = False
    assert plug.at(3010 + after_ms).is_ac_live and not plug.r.may_unlock
    plug.i.ac_ok, plug.i.ac_present = True, False
    assert not plug.at(3020 + after_ms).is_ac_live


@pytest.mark.parametrize(("mv", "alive"), [(59_999, False), (60_000, True)])
def test_60_v_dc_is_a_sign_of_life(mv, alive):
    plug = Plug(may_have_dc=True)
    plug.i.dc_ok, plug.i.dc_mv = True, mv
    assert plug.at(10).is_alive is alive


@pytest.mark.parametrize(("ma", "alive"), [(999, False), (1000, True)])
def test_one_ampere_is_a_sign_of_life(ma, alive):
    plug = Plug()
    plug.i.charger_ma = ma
    assert plug.at(10).is_alive is alive


@STARTS
@AROUND
def test_driving_is_allowed_after_100_ms_in_which_nothing_speaks_against_it(
    start_ms, before_ms, after_ms
):
    plug = Plug(start_ms)
    plug.is_idle = plug.i.is_clear_to_drive = plug.i.is_pilot_dead = plug.i.is_unlocked = True
    assert not plug.at(100 + before_ms).drive_allowed
    assert plug.at(100 + after_ms).drive_allowed
    plug.i.is_unlocked = False
    doubted_ms = 110 + after_ms
    assert not plug.at(doubted_ms).drive_allowed
    plug.i.is_unlocked = True
    assert not plug.at(doubted_ms + 100 + before_ms).drive_allowed
    assert plug.at(doubted_ms + 100 + after_ms).drive_allowed


# The hand-over ------------------------------------------------------------------------------------


class Controller:
    """A HandOff at 5 % duty with everything that a toggle needs."""

    def __init__(self):
        self.h = HandOff(True, True, True)
        self.i = good_inputs()
        self.i.reasons = PILOT_DIGITAL
        self.i.offered_ma = 0
        self.i.modem_age_ms = 0
        self.now_ms = 0

    def at(self, ms, toggles=0):
        self.i.modem_toggles = toggles
        self.h.tick(self.i)
        self.h.toggle(ms, self.i, PILOT_DIGITAL, True)
        return self.h.s2_toggle


@pytest.mark.parametrize(("age_ms", "fresh"), [(500, True), (501, False)])
def test_a_controller_is_heard_for_500_ms(age_ms, fresh):
    controller = Controller()
    controller.i.modem_age_ms = age_ms
    controller.at(0)
    assert controller.i.is_modem_fresh is controller.h.is_active is fresh


def test_a_toggle_shows_c_for_300_ms_and_b_for_300_ms():
    controller = Controller()
    shown = [controller.at(ms, 2) for ms in (0, 299, 300, 599, 600, 899, 900, 1199, 1200, 5000)]
    assert shown == [True, True, False, False, True, True, False, False, False, False]


def test_ten_wishes_in_one_plug_in_are_heard_and_not_an_eleventh():
    controller = Controller()
    for n in range(12):
        assert controller.at(n * 10_000, 1) is (n < 10)
        controller.at(n * 10_000 + 300, 1)
        controller.at(n * 10_000 + 600, 0)
    controller.i.is_unplugged = True
    controller.at(200_000, 0)
    controller.i.is_unplugged = False
    assert controller.at(200_010, 1)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("modem_toggles", -1), ("in_doubt", True), ("is_locked", False), ("offered_ma", 1), ("reasons", 0),
        ("modem_age_ms", 501),
    ],
)  # fmt: skip
def test_no_toggle_where_anything_speaks_against_it(name, value):
    controller = Controller()
    controller.i.modem_toggles = 1
    setattr(controller.i, name, value)
    controller.h.tick(controller.i)
    controller.h.toggle(0, controller.i, PILOT_DIGITAL, True)
    assert not controller.h.s2_toggle


def test_no_toggle_for_another_reason_or_outside_of_waiting():
    for reasons, is_waiting in ((PILOT_DIGITAL | NO_PLUG, True), (PILOT_DIGITAL, False)):
        controller = Controller()
        controller.i.modem_toggles = 1
        controller.h.tick(controller.i)
        controller.h.toggle(0, controller.i, reasons, is_waiting)
        assert not controller.h.s2_toggle


# A hand -------------------------------------------------------------------------------------------


class Button:
    def __init__(self, start_ms=0, **settings):
        self.u = UnlockRequest(Settings(settings))
        self.r = Readings()
        self.start_ms = start_ms
        self.at(0, False)

    def at(self, ms, down, alive=False):
        self.r.unlock_request = down
        self.u.tick(ticks_add(self.start_ms, ms), self.r, False, False, alive)
        return self.u


@STARTS
@pytest.mark.parametrize(("held_ms", "counts"), [(29, False), (30, True)])
def test_a_press_lasts_30_ms(held_ms, counts, start_ms):
    button = Button(start_ms, unlock_presses=2)
    for begin_ms in (0, 500):
        button.at(begin_ms, True)
        button.at(begin_ms + held_ms, True)
        button.at(begin_ms + 100, False)
    assert button.u.is_wanted is counts


@STARTS
def test_a_wish_by_presses_stands_for_10_s(start_ms):
    button = Button(start_ms, unlock_presses=2)
    for begin_ms in (0, 500):
        button.at(begin_ms, True)
        button.at(begin_ms + 30, True)
        button.at(begin_ms + 100, False)
    assert button.at(530 + 9999, False).is_wanted
    assert not button.at(530 + 10_000, False).is_wanted


@STARTS
@AROUND
def test_a_hand_insists_from_30_to_90_s(start_ms, before_ms, after_ms):
    button = Button(start_ms)
    button.at(0, True)
    button.at(100, True)
    assert not button.at(30_000 + before_ms, True).is_insisted
    assert button.at(30_000 + after_ms, True).is_insisted
    assert button.at(90_000 + before_ms, True).is_insisted
    assert not button.at(90_000 + after_ms, True).is_insisted
    assert not button.at(130_000, True).is_insisted


@pytest.mark.parametrize(("apart_ms", "counts"), [(2000, True), (2001, False)])
def test_presses_count_within_the_window(apart_ms, counts):
    button = Button(unlock_presses=2, unlock_window_ms=2000)
    for begin_ms in (0, apart_ms):
        button.at(begin_ms, True)
        button.at(begin_ms + 29, True)
        button.at(begin_ms + 30, True)
        button.at(begin_ms + 40, False)
    assert button.u.is_wanted is counts


def test_a_second_wish_takes_as_many_presses_as_the_first():
    button = Button(unlock_presses=2)
    for begin_ms, counts in ((0, False), (500, True), (20_000, False), (20_500, True)):
        button.at(begin_ms, True)
        button.at(begin_ms + 30, True)
        assert button.at(begin_ms + 40, False).is_wanted is counts


def test_inputs_that_nobody_has_written_deny():
    i = Inputs()
    assert i.is_unplugged and not i.is_plugged and not i.vehicle_permits and not i.is_locked


def test_a_new_interlock_begins_with_nothing():
    """The same at each boot: what is not named here is 0 or False, also what nobody is told."""
    assert begins_with(Interlock(Settings({}))) == {
        "_min_ma": 6000, "_relock_ms": 60_000, "_vehicle_timeout_ms": 500, "_retries_max": 5, "is_alive": True,
        "reasons": NO_PLUG, "_has_been_off": True,
    }  # fmt: skip
    assert begins_with(ChargerWatch(500)) == {"_silent_ms": 500, "_wait_ms": 6000}
    assert begins_with(Limits(Settings({}), False)) == {"_max_ma": 32_000, "_lock_fail_ma": 10_000}
    assert begins_with(Latches(False, False)) == {}
    assert begins_with(Release(False, False, False, False)) == {"is_alive": True}
    assert begins_with(HandOff(False, False, False)) == {}
    assert begins_with(UnlockRequest(Settings({}))) == {
        "_presses": 1, "_window_ms": 2000, "_is_down": True, "_is_hanging": True,
    }  # fmt: skip


def test_dc_is_there_from_one_ampere_on():
    assert Interlock(Settings({"inlet": CCS2, "dc_max_a": 1}))._may_have_dc
    assert not Interlock(Settings({"inlet": CCS2, "dc_max_a": 0}))._may_have_dc


def test_no_reason_waits_for_nothing():
    assert Interlock(Settings({}))._shortest_wait(0) == 0


@pytest.mark.parametrize("session", [STOPPING, RESTING])
def test_only_charging_itself_forgives_and_makes_the_silence_of_a_vehicle_a_fault(session):
    rig = charging()
    rig.i.stop_request = True
    rig.until(lambda k: k.session == session)
    rig.k._stops, rig.k._wait_ms = 2, 10_000_000
    rig.k._was_charging = False
    tick(rig, 600_000)
    assert (rig.k._stops, rig.k._was_charging, rig.k.session) == (2, False, session)


@pytest.mark.parametrize(("is_unplugged", "is_unlocked"), [(False, True), (True, False)])
def test_dc_is_forgotten_only_with_the_plug_out_and_the_bolt_open(is_unplugged, is_unlocked):
    plug = Plug(may_have_dc=True, has_modem=True)
    assert plug.r._had_dc
    plug.i.is_unplugged, plug.i.is_unlocked = is_unplugged, is_unlocked
    assert plug.at(10) and plug.r._had_dc
    plug.i.is_unplugged = plug.i.is_unlocked = True
    assert plug.at(20) and not plug.r._had_dc
