"""firmware/journal/sessions.py: one record a plug-in, and what is not known said so."""

import pytest

from faults import F_FAILED_LOCK, NO_PLUG, PERSON_STOP, PILOT_E, SHOW_B
from inletctl.blackbox.payload import PayloadError, session_of, sessions_of
from inletctl.blackbox.sim_box import record_boxes
from inletctl.house import SCENARIOS
from inletctl.scenario.load import read_scenario
from interlock import CHARGING, RELEASED, RESTING, STOPPING, UNPLUGGED, WAITING
from journal.sessions import KIND_SESSION, RECORD, RECORD_BYTES, SessionLog
from lock.actuator import LOCK_STATE_NAMES
from signals import Commands, Readings
from vehicle.clock import Clock

LOCKING, LOCKED = LOCK_STATE_NAMES.index("locking"), LOCK_STATE_NAMES.index("locked")


class Inlet:
    def __init__(self, clock=None, start_ms=(1 << 30) - 3000):
        self.log = SessionLog(clock)
        self.clock = clock
        self.now_ms = start_ms
        self.r = Readings()
        self.c = Commands()
        self.c.session = UNPLUGGED

    def live(self, ms, **commands):
        for name, value in commands.items():
            setattr(self.c, name, value)
        for _ in range(ms // 10):
            tick_ms = self.now_ms & 0x3FFFFFFF
            if self.clock is not None:
                self.clock.tick(tick_ms)
            self.log.tick(tick_ms, self.r, self.c)
            self.now_ms += 10

    def charge(self, ms=60_000, ma=16000):
        self.live(500, session=WAITING, reasons=SHOW_B, lock_state=LOCKING, permitted_ma=ma)
        self.live(500, lock_state=LOCKED)
        self.r.charger_ok, self.r.charger_ma = True, ma
        self.live(ms, session=CHARGING, s2_close=True, reasons=0)
        self.r.charger_ma = 0

    def unplug(self):
        self.live(100, session=UNPLUGGED, s2_close=False, reasons=NO_PLUG)

    def taken(self, **kwargs):
        into = bytearray(RECORD_BYTES)
        assert self.log.take(into, **kwargs) == RECORD_BYTES == 44
        return session_of(1, bytes(into))


def test_a_session_that_a_person_ended_is_told_as_it_was():
    inlet = Inlet()
    inlet.live(1000)
    inlet.c.hottest_ok, inlet.c.hottest_decic = True, 431
    inlet.charge()
    inlet.live(200, session=STOPPING, reasons=PERSON_STOP)
    inlet.live(2000, session=RESTING, s2_close=False, reasons=PERSON_STOP | SHOW_B)
    inlet.live(2000, session=RELEASED)
    assert not inlet.log.has_ended
    inlet.unplug()
    assert inlet.log.has_ended
    one = inlet.taken(number=812, verdict=7, resets=2)
    assert not inlet.log.has_ended
    assert (one.number, one.verdict, one.resets) == (812, 7, 2)
    assert one.stop_reasons == PERSON_STOP and one.openings == 1 and one.lock_tries == 1
    assert one.has_charged and one.charging_s in (59, 60) and one.plugged_s in (64, 65)
    assert (one.most_ma, one.permitted_ma, one.hottest_decic) == (16000, 16000, 431)
    assert (one.begin_min, one.end_min, one.from_boot, one.clock_differs) == (
        None,
        None,
        False,
        False,
    )


def test_a_session_that_never_charged_tells_why_not():
    inlet = Inlet()
    inlet.live(100)
    inlet.live(9000, session=WAITING, reasons=PILOT_E | SHOW_B, faults=F_FAILED_LOCK)
    inlet.unplug()
    one = inlet.taken(number=1)
    assert one.stop_reasons == PILOT_E | SHOW_B and one.openings == 0
    assert not one.has_charged and one.charging_s == 0 and one.faults == F_FAILED_LOCK
    assert one.hottest_decic is None and one.most_ma == 0


def test_the_last_of_several_stops_is_told():
    inlet = Inlet()
    inlet.live(100)
    for reasons in (PILOT_E, PERSON_STOP):
        inlet.charge(5000)
        inlet.live(3000, session=RESTING, s2_close=False, reasons=reasons)
    inlet.unplug()
    one = inlet.taken(number=1)
    assert one.stop_reasons == PERSON_STOP and one.openings == 2 and one.lock_tries == 2


def test_a_plug_that_was_in_at_the_boot_is_told_as_older():
    inlet = Inlet()
    inlet.charge()
    inlet.unplug()
    assert inlet.taken(number=1).from_boot


def test_a_board_that_starts_without_a_plug_makes_no_session_of_its_doubt():
    inlet = Inlet()
    inlet.live(1500, session=WAITING, reasons=NO_PLUG)
    inlet.unplug()
    assert not inlet.log.has_ended


def test_each_session_begins_anew():
    inlet = Inlet()
    inlet.live(100)
    inlet.charge()
    inlet.live(1000, session=RESTING, s2_close=False, reasons=PILOT_E)
    inlet.unplug()
    inlet.taken(number=1)
    inlet.live(2000, session=WAITING, reasons=SHOW_B, permitted_ma=0)
    inlet.unplug()
    one = inlet.taken(number=2)
    assert (one.charging_s, one.openings, one.most_ma, one.permitted_ma, one.has_charged) == (
        0,
        0,
        0,
        0,
        False,
    )
    assert not one.from_boot


def test_nothing_is_taken_where_nothing_has_ended_and_what_nobody_took_is_counted():
    inlet = Inlet()
    assert inlet.log.take(bytearray(RECORD_BYTES), 1) == 0
    for _ in range(3):
        inlet.live(500)
        inlet.live(500, session=WAITING)
        inlet.unplug()
    assert inlet.log.lost == 2
    assert inlet.taken(number=1)


def test_a_clock_that_runs_dates_both_ends_even_over_the_end_of_the_week():
    clock = Clock()
    inlet = Inlet(clock)
    clock.set_by_person(inlet.now_ms, 10075)
    inlet.live(1000)
    inlet.charge(9 * 60_000)
    inlet.unplug()
    one = inlet.taken(number=1)
    assert (one.begin_min, one.end_min) == (10075, 4) and not one.clock_differs


def test_a_clock_that_was_set_on_the_way_dates_the_end_only():
    clock = Clock()
    inlet = Inlet(clock)
    inlet.live(1000)
    inlet.charge()
    clock.set_by_person(inlet.now_ms & 0x3FFFFFFF, 600)
    inlet.unplug()
    one = inlet.taken(number=1)
    assert (one.begin_min, one.end_min, one.clock_differs) == (None, 600, False)


def test_a_clock_that_jumped_on_the_way_is_told():
    clock = Clock()
    inlet = Inlet(clock)
    clock.set_by_person(inlet.now_ms, 600)
    inlet.live(1000)
    inlet.charge()
    clock.set_by_person(inlet.now_ms & 0x3FFFFFFF, 540)
    inlet.unplug()
    one = inlet.taken(number=1)
    assert one.clock_differs and (one.begin_min, one.end_min) == (600, 540)
    assert one.plugged_s in (60, 61)


def test_a_week_of_charging_is_counted_past_the_wrap_of_the_ticks():
    inlet = Inlet()
    inlet.live(100)
    inlet.charge(1000)
    step_ms = 1280
    for _ in range(7 * 24 * 3600 * 1000 // step_ms):
        inlet.r.charger_ma = 16000
        inlet.log._wait = 0
        inlet.now_ms += step_ms
        inlet.log.tick(inlet.now_ms & 0x3FFFFFFF, inlet.r, inlet.c)
    inlet.unplug()
    one = inlet.taken(number=1)
    assert one.charging_s == pytest.approx(7 * 24 * 3600, abs=10)


def test_a_simulated_session_leaves_its_record():
    entries = record_boxes(read_scenario(SCENARIOS / "full_ac_session.txt"))
    found, problems = sessions_of(entries)
    assert len(found) == 1 and not problems
    assert found[0].has_charged and found[0].lock_tries >= 1 and found[0].hottest_decic


def test_a_record_of_another_length_layout_or_nonsense_is_refused():
    inlet = Inlet()
    inlet.live(500)
    inlet.live(500, session=WAITING)
    inlet.unplug()
    into = bytearray(RECORD_BYTES)
    inlet.log.take(into, 1)
    for payload in (
        b"",
        bytes(into[:-1]),
        bytes([9]) + bytes(into[1:]),
        bytes([into[0], 0xFF]) + bytes(into[2:]),
    ):
        with pytest.raises(PayloadError):
            session_of(1, payload)
        made, problems = sessions_of([(KIND_SESSION, 5, payload), (KIND_SESSION, 6, bytes(into))])
        assert [one.record for one in made] == [6] and "record 5 is no session" in problems[0]


def test_the_record_is_small():
    assert sum(size for _, size, _ in RECORD) == RECORD_BYTES <= 64
