"""The whole step over plain readings: one session, and what it does with bad settings and bad drivers."""

import pytest

from connector import CONNECTORS
from faults import (
    F_FAILED_LOCK,
    F_INTERNAL,
    F_SETTINGS,
    F_SETTINGS_REFUSED,
    INTERNAL,
    NO_PLUG,
    PERSON_STOP,
    PILOT_LOST,
    SERVICE_MODE,
    SETTINGS,
    SHOW_B,
)
from interlock import CHARGING, RELEASED, UNPLUGGED, WAITING
from limits import LIMIT_CABLE, LIMIT_PILOT
from pilot.control import STATE_A, STATE_B2, STATE_C2
from setting_rows import ROW_KEY, ROW_MAX, ROW_MIN, TABLE
from settings import INLETS, Settings
from signals import PILOT_PERIODS, TEMP_CHANNELS, Commands, Readings
from step import InletStep
from ticks import ticks_add, ticks_diff
from vehicle.looks import LIGHT_NAMES

STARTS = (0, 2**30 - 500)
UNLOCKED_MV, LOCKED_MV = 580, 2860


class Bench:
    """A Type 2 inlet with a 32 A cable, a lock that needs 300 ms, contacts at 25 C and a willing car."""

    def __init__(self, start_ms=0, wanted=None):
        self.settings = Settings({} if wanted is None else wanted)
        self.step = InletStep(self.settings)
        self.r = Readings()
        self.c = Commands()
        self.now_ms = start_ms
        self.travel_ms = 0  # of the lock, 0 unlocked..300 locked
        self.is_plugged = False
        self.evse_duty = 533  # per mille, 0 = steady high
        r = self.r
        r.cp_ok = r.pp_ok = r.lock_feedback_ok = r.charger_ok = r.ac_ok = True
        r.vehicle_age_ms = 0
        r.vehicle_permits = True
        r.vehicle_limit_ma = 32000
        for n in range(TEMP_CHANNELS):
            r.temp_ok[n] = 1
            r.temp_mv[n] = 1650

    def sample(self):
        r = self.r
        r.pilot_count = 0
        r.pilot_quiet_ms = 1000
        r.cp_high_mv = r.cp_low_mv = 0
        r.pp_mv = 4455
        if self.is_plugged:
            r.pp_mv = 1907
            r.cp_high_mv = r.cp_low_mv = 6000 if self.c.s2_close else 8980
            if self.evse_duty:
                r.cp_low_mv = -12000
                r.pilot_count = PILOT_PERIODS
                r.pilot_quiet_ms = 0
                for n in range(PILOT_PERIODS):
                    r.pilot_high_us_x10[n] = self.evse_duty * 10
                    r.pilot_period_us_x10[n] = 10000
        r.lock_feedback_mv = 1500
        if self.travel_ms == 0:
            r.lock_feedback_mv = UNLOCKED_MV
        elif self.travel_ms == 300:
            r.lock_feedback_mv = LOCKED_MV
        for n in range(TEMP_CHANNELS):
            r.temp_age_ms[n] = 0
        r.charger_ma = self.c.charger_ma
        r.ac_present = self.c.s2_close

    def run(self, ms=10):
        for _ in range(ms // 10):
            self.sample()
            self.step.step(self.now_ms, self.r, self.c)
            # The bolt never opens under a closed S2.
            assert not (self.c.s2_close and self.c.lock_drive < 0)
            self.travel_ms = min(max(self.travel_ms + 10 * self.c.lock_drive, 0), 300)
            self.now_ms = ticks_add(self.now_ms, 10)
        return self

    def until(self, is_reached, limit_ms=20000):
        start_ms = self.now_ms
        while not is_reached(self.c):
            self.run()
            assert ticks_diff(self.now_ms, start_ms) <= limit_ms
        return ticks_diff(self.now_ms, start_ms)

    def charging(self):
        self.run(1000)
        self.is_plugged = True
        self.until(lambda c: c.session == CHARGING)
        return self.run(500)


def test_each_inlet_has_its_duty_table():
    assert len(CONNECTORS) == len(INLETS)
    for inlet in range(len(INLETS)):
        assert Bench(wanted={"inlet": inlet}).run(100).c.session in (UNPLUGGED, WAITING)


@pytest.mark.parametrize("start_ms", STARTS)
def test_session_from_plug_in_to_drive_away(start_ms):
    bench = Bench(start_ms).run(1000)
    c = bench.c
    assert (c.session, c.pilot_state, c.drive_allowed) == (UNPLUGGED, STATE_A, True)
    assert c.reasons & (NO_PLUG | PILOT_LOST | SHOW_B) and c.hottest_ok
    bench.is_plugged = True
    bench.run(30)
    assert not c.drive_allowed, "within three passes"
    bench.until(lambda c: c.session == CHARGING, 3000)
    bench.run(500)
    assert (c.s2_close, c.charger_ma, c.permitted_ma) == (True, 31980, 31980)
    assert (c.pilot_state, c.duty_pct_x100, c.limiter) == (STATE_C2, 5330, LIMIT_PILOT)
    assert (c.faults, c.reasons) == (0, 0) and LIGHT_NAMES[c.light] == "green pulsing"
    assert 200 <= c.hottest_decic <= 300

    bench.evse_duty = 800
    bench.run(500)
    assert (c.offered_ma, c.charger_ma, c.limiter) == (48000, 32000, LIMIT_CABLE)

    bench.r.unlock_request = True
    bench.until(lambda c: not c.s2_close, 100)
    bench.until(lambda c: c.lock_drive == -1, 300)
    bench.run(1000)
    assert (c.session, c.pilot_state, bench.travel_ms) == (RELEASED, STATE_B2, 0)
    assert not c.drive_allowed
    bench.is_plugged = False
    assert bench.until(lambda c: c.drive_allowed, 1000) >= 500
    assert c.session == UNPLUGGED and c.faults == 0


def test_steady_pilot_shows_no_duty():
    bench = Bench().charging()
    bench.evse_duty = 0
    bench.run(100)
    assert (bench.c.duty_pct_x100, bench.c.charger_ma) == (0, 0)


@pytest.mark.parametrize("policy", [0, 1, 2])
def test_jammed_lock_never_opens_under_a_closed_s2(policy):
    """`run` checks it in every pass; under 1 and 2 the car charges with its lock failed."""
    bench = Bench(wanted={"lock_policy": policy}).run(1000)
    bench.is_plugged = True
    for _ in range(3000):
        bench.travel_ms = 0
        bench.run()
    assert bench.c.faults & F_FAILED_LOCK
    assert bench.c.s2_close is (policy != 0)
    assert bench.c.charger_ma == (0, 10000, 31980)[policy]


@pytest.mark.parametrize("policy", [1, 2])
def test_drive_that_opens_the_bolt_ends_in_the_pass_that_closes_s2(policy):
    """The bolt jams half-way and is driven open again; in that moment the last other reason goes."""
    bench = Bench(wanted={"lock_policy": policy}).run(1000)
    bench.r.vehicle_permits = False
    bench.is_plugged = True
    bench.until(lambda c: c.lock_drive == 1)
    while bench.c.lock_drive != -1:
        bench.travel_ms = 150
        bench.run()
    bench.r.vehicle_permits = True
    bench.run()
    assert bench.c.s2_close


# --------------------------------------------------------------------------------- settings


def test_rejected_setting_is_a_fault_that_warns_only():
    bench = Bench(wanted={"max_current_ma": 1}).charging()
    assert bench.c.faults == F_SETTINGS and bench.c.charger_ma == 6000


def test_settings_that_say_how_the_inlet_is_built_are_not_guessed():
    """A Type 1 button read as a Type 2 cable of 20 A would go on charging."""
    bench = Bench(wanted={"inlet": "type1"})
    bench.is_plugged = True
    bench.run(20000)
    assert bench.c.faults == F_SETTINGS | F_SETTINGS_REFUSED
    assert bench.c.reasons & SETTINGS and not bench.c.s2_close


def test_settings_that_contradict_each_other_refuse_to_charge_and_say_why():
    bench = Bench(wanted={"lock_unlocked_max_mv": 2700})
    assert len(bench.settings.rejected) == 1
    assert bench.settings.rejected[0].endswith("its defaults are used and charging is refused")
    bench.run(1000)
    bench.is_plugged = True
    bench.run(20000)
    assert bench.c.faults == F_SETTINGS | F_SETTINGS_REFUSED
    assert bench.c.reasons & SETTINGS and not bench.c.s2_close


@pytest.mark.parametrize("edge", [ROW_MIN, ROW_MAX])
@pytest.mark.parametrize("row", TABLE, ids=lambda row: row[ROW_KEY])
def test_every_setting_at_its_bound_builds_a_step(row, edge):
    bench = Bench(wanted={row[ROW_KEY]: row[edge]})
    bench.is_plugged = True
    bench.run(100)
    assert not bench.c.s2_close


# ------------------------------------------------------------------- a driver breaks its contract


@pytest.mark.parametrize("count", [-1, PILOT_PERIODS + 1])
def test_impossible_number_of_periods_is_internal_and_harmless(count):
    bench = Bench().charging()
    bench.sample()
    bench.r.pilot_count = count
    bench.step.step(bench.now_ms, bench.r, bench.c)
    assert bench.c.faults & F_INTERNAL and bench.c.reasons & INTERNAL
    assert not bench.c.s2_close and bench.c.charger_ma == 0


@pytest.mark.parametrize("start_ms", [0, 2**30 - 50, 5000])
def test_clock_that_runs_back_is_internal_and_stays(start_ms):
    bench = Bench(start_ms).charging()
    bench.now_ms = ticks_add(bench.now_ms, -30)
    bench.run()
    assert bench.c.faults & F_INTERNAL and not bench.c.s2_close
    bench.is_plugged = False
    bench.run(5000)
    assert bench.c.faults & F_INTERNAL, "until restart"


def test_clock_that_stands_still_is_no_fault():
    bench = Bench().charging()
    bench.now_ms = ticks_add(bench.now_ms, -10)
    bench.run()
    assert bench.c.faults == 0


def in_service(bench):
    bench.run(4000)
    bench.r.stop_request = bench.r.unlock_request = True
    bench.run(5100)
    bench.r.stop_request = bench.r.unlock_request = False
    bench.run(100)
    assert bench.c.reasons & SERVICE_MODE
    return bench


def test_in_service_mode_the_lock_goes_where_it_is_told_and_stays_there():
    bench = in_service(Bench())
    drives = []
    for test_lock, locked in ((1, True), (-1, False), (1, True)):
        bench.r.test_lock = test_lock
        bench.run(10)
        bench.r.test_lock = 0
        for _ in range(1000):
            bench.run(10)
            if bench.c.lock_drive and (not drives or drives[-1] != bench.c.lock_drive):
                drives.append(bench.c.lock_drive)
        assert bench.step.lock.is_locked == locked and not bench.c.drive_allowed
    assert drives == [1, -1, 1]


def test_after_service_mode_the_bolt_is_opened_again_and_the_car_may_be_driven():
    bench = in_service(Bench())
    bench.r.test_lock = 1
    bench.run(10)
    bench.r.test_lock = 0
    bench.run(3000)
    bench.r.service_end = True
    bench.run(10)
    bench.r.service_end = False
    bench.run(3000)
    assert bench.step.lock.is_unlocked and bench.c.drive_allowed


@pytest.mark.parametrize("ms", [10, 100, 3000])
def test_a_plug_put_in_under_a_bolt_that_service_mode_drove_out_is_locked_anew_before_it_charges(
    ms,
):
    bench = in_service(Bench())
    bench.r.test_lock = 1
    bench.run(10)
    bench.r.test_lock = 0
    bench.run(ms)
    bench.is_plugged = True
    drives = []
    while not bench.c.s2_close:
        bench.run(10)
        if bench.c.lock_drive and (not drives or drives[-1] != bench.c.lock_drive):
            drives.append(bench.c.lock_drive)
    assert drives[-2:] == [-1, 1] and bench.step.lock.is_locked


def test_a_computer_that_wants_charging_to_stop_is_heard_like_a_person():
    bench = Bench()
    bench.is_plugged = True
    bench.run(10000)
    assert bench.c.s2_close
    bench.r.console_stop = True
    bench.run(10)
    assert bench.c.charger_ma == 0 and bench.c.reasons & PERSON_STOP
    bench.run(100)
    assert not bench.c.s2_close
