"""vehicle.car.Car: what it composes, that it only tightens, what does not fit together, and how it sleeps."""

import random
import sys
from types import SimpleNamespace

import pytest

import faults
from faults import (
    H_BAD_SETTING,
    H_CAN_BUS,
    H_CAN_DATA,
    H_CAR_STARTING,
    H_DOOR,
    H_HEATER,
    H_HVIL,
    H_LINES,
    H_NO_CLOCK,
    H_TARGET,
    H_VEHICLE_WIRE,
    H_WINDOW,
)
from settings import CAN_DIALECTS, Settings
from signals import Commands, Readings
from ticks import ticks_add
from vehicle import wires as w
from vehicle.car import Car

ALL = 0x7F
NATIVE = CAN_DIALECTS.index("native")
TURNS = 4


class FakeCan:
    """The CAN contract's part that the car itself uses."""

    def __init__(self):
        self.calls = []
        self.has_woken = False

    def tick(self, now_ms):
        self.calls.append("tick")

    def sleep(self):
        self.calls.append("sleep")
        self.has_woken = False

    def wake(self):
        self.calls.append("wake")


class FakeBus:
    """vehicle.bus.CarBus as far as the car knows it; what it says is `said`."""

    def __init__(self, settings, can, modem=None):
        self.modem = modem
        self.log = can.calls
        self.said = {"vehicle_age_ms": 0, "vehicle_permits": True, "vehicle_limit_ma": 16000}
        self.holds = 0
        self.word = self
        self.soc_ok = False
        self.soc_pct = 0
        self.target_ok = False
        self.target_pct = 100
        self.clock_ok = False
        self.clock_min = 0

    def fill(self, now_ms, r):
        self.log.append("fill")
        r.holds |= self.holds
        for name, value in self.said.items():
            setattr(r, name, value)

    def tick(self, now_ms, r, c):
        self.log.append("send")


class FakeModem(FakeBus):
    def __init__(self, settings, can):
        super().__init__(settings, can)
        self.said = {"modem_age_ms": 60000}

    def fill(self, now_ms, r):
        self.log.append("modem fill")
        r.modem_age_ms = self.said["modem_age_ms"]

    def tick(self, now_ms, r, c):
        self.log.append("modem send")


class FakeLines:
    def __init__(self, inputs=ALL):
        self.ok = True
        self.inputs = inputs
        self.outputs = 0
        self.ticks = 0

    def tick(self, now_ms):
        self.ticks += 1


class Bench:
    """A car of these settings; `port` and `lines` are what the board has. Nothing is plugged in."""

    def __init__(self, port=None, lines=None, **settings):
        self.notes = []
        self.port = port
        self.lines = lines
        wanted = {"inlet": 1, "max_current_ma": 32000, "sleep_after_s": 5, **settings}
        made = Settings(wanted)
        assert not made.rejected
        self.car = Car(made, port, lines, SimpleNamespace(note=self.notes.append))
        self.r = Readings()
        self.c = Commands()
        self.c.plug_present = False
        self.now_ms = (1 << 30) - 5000

    def go(self, passes=1):
        for _ in range(passes):
            self.now_ms = ticks_add(self.now_ms, 10)
            self.car.fill(self.now_ms, self.r)
            self.c.holds = self.r.holds
            self.car.tick(self.now_ms, self.r, self.c)
        return self.r.holds

    def go_s(self, seconds):
        return self.go(seconds * 100)


@pytest.fixture(autouse=True)
def _fake_can_parts(monkeypatch):
    monkeypatch.setitem(sys.modules, "vehicle.bus", SimpleNamespace(CarBus=FakeBus))
    monkeypatch.setitem(sys.modules, "vehicle.modem", SimpleNamespace(ModemLink=FakeModem))


# what it asks for


def test_it_is_starting_until_every_room_has_been_asked():
    for settings in ({"window_1_days": 1}, {"target_soc_pct": 50}, {"person_limit_ma": 5000}):
        bench = Bench(**settings)
        holds = [bench.go() for _ in range(TURNS + 1)]
        assert holds[:TURNS] == [H_CAR_STARTING] * TURNS and not holds[TURNS] & H_CAR_STARTING
    bench = Bench(FakeCan(), can=NATIVE)
    assert [bench.go() for _ in range(TURNS + 1)] == [H_CAR_STARTING] * TURNS + [0]


def test_what_can_hold_nothing_back_is_not_waited_for():
    assert Bench(lines=FakeLines(), heater=1).go() == 0


def test_holds_are_of_the_pass_and_not_kept():
    bench = Bench()
    bench.go(5)
    bench.r.holds = H_CAN_DATA
    assert bench.go() == 0


def test_each_part_adds_its_holds():
    bench = Bench(
        FakeCan(), FakeLines(ALL ^ w.HVIL_CLOSED), can=NATIVE, lines_used=ALL, window_1_days=1,
        target_soc_pct=80,
    )  # fmt: skip
    bench.car.bus.holds = H_CAN_DATA
    bench.car.bus.soc_ok = True
    bench.car.bus.soc_pct = 80
    assert bench.go_s(4) == H_HVIL | H_NO_CLOCK | H_CAN_DATA | H_TARGET


def test_the_persons_limit_is_the_settings():
    bench = Bench(person_limit_ma=10000)
    bench.go()
    assert bench.r.person_limit_ma == 10000


# CAN


def test_in_a_pass_the_port_is_served_first_and_what_is_sent_is_last():
    bench = Bench(FakeCan(), can=NATIVE, modem=1, dc_max_a=200)
    bench.go(10)
    bench.port.calls.clear()
    bench.go()
    assert bench.port.calls == ["tick", "fill", "modem fill", "send", "modem send"]
    assert bench.car.bus.modem is bench.car.modem


def test_where_can_is_chosen_the_demand_line_is_not_heard():
    bench = Bench(FakeCan(), can=NATIVE)
    r = bench.r
    bench.car.bus.said = {"vehicle_age_ms": 20, "vehicle_permits": True, "vehicle_limit_ma": 9000}
    bench.go()
    assert (r.vehicle_age_ms, r.vehicle_permits, r.vehicle_limit_ma) == (40, True, 9000)


def test_without_can_the_demand_line_stays_as_the_board_read_it():
    bench = Bench(FakeCan(), modem=1, dc_max_a=200)
    bench.r.vehicle_age_ms = 10
    bench.r.vehicle_permits = True
    bench.r.vehicle_limit_ma = 32000
    bench.go(10)
    r = bench.r
    assert (r.vehicle_age_ms, r.vehicle_permits, r.vehicle_limit_ma) == (10, True, 32000)


def test_the_cars_clock_opens_a_window_and_its_end_closes_it():
    bench = Bench(FakeCan(), can=NATIVE, window_1_days=1, window_1_from_min=60, window_1_to_min=61)
    bus = bench.car.bus
    assert bench.go(10) == H_WINDOW
    assert bench.go_s(4) == H_NO_CLOCK
    bus.clock_ok = True
    bus.clock_min = 59
    assert bench.go(10) == H_WINDOW
    bus.clock_min = 60
    assert bench.go(10) == 0
    bus.clock_min = 61
    assert bench.go(10) == H_WINDOW


def test_a_cars_target_counts_only_while_it_is_told():
    bench = Bench(FakeCan(), can=NATIVE)
    bus = bench.car.bus
    bus.soc_ok, bus.soc_pct, bus.target_pct = True, 70, 60
    assert bench.go(10) == 0
    bus.target_ok = True
    assert bench.go(10) == H_TARGET


# what does not fit together


@pytest.mark.parametrize(
    ("settings", "port", "lines", "holds", "word"),
    [
        ({"can": NATIVE}, False, True, H_CAN_BUS, "can: this board has no CAN"),
        (
            {"modem": 1, "dc_max_a": 200, "can": NATIVE},
            False,
            True,
            H_BAD_SETTING | H_CAN_BUS,
            "a board with a CAN",
        ),
        ({"modem": 1, "dc_max_a": 200}, True, True, H_BAD_SETTING, "only can=native tells DC"),
        ({"inlet": 3, "dc_max_a": 200}, True, True, H_BAD_SETTING, "only can=native tells DC"),
        ({"modem": 1}, True, True, H_BAD_SETTING, "dc_max_a above 0"),
        ({"lines_used": 1}, True, False, H_LINES, "lines_used: this board has no"),
        ({"heater": 1}, True, False, H_HEATER, "heater: this board has no line"),
        ({"door": 1, "lines_used": 0}, True, True, H_DOOR, "door: it needs lines_used"),
        ({"door": 1, "lines_used": w.DOOR_OPEN}, True, True, H_DOOR, "door: it needs lines_used"),
        ({"door": 1}, True, False, H_DOOR, "door: it needs lines_used"),
    ],
)
def test_settings_that_ask_for_what_is_not_there_are_told_and_held(
    settings, port, lines, holds, word
):
    bench = Bench(FakeCan() if port else None, FakeLines() if lines else None, **settings)
    assert bench.go(50) == holds
    assert any(word in note for note in bench.notes)
    assert bench.r.vehicle_permits is False
    forced = 0
    for n, row in enumerate(faults.HOLDS):
        if holds >> n & 1:
            forced |= row[faults.HOLD_REASON]
    assert ("charging is refused" in bench.notes[0]) == (forced != 0)


def test_without_a_can_port_the_demand_line_is_no_way_round():
    bench = Bench(can=NATIVE)
    bench.r.vehicle_age_ms = 0
    bench.r.vehicle_permits = True
    bench.go()
    assert not bench.r.vehicle_permits and bench.r.vehicle_age_ms == 60000


# lines, door and heater


def test_outputs_are_safe_before_the_first_pass_and_then_what_was_decided():
    bench = Bench(lines=FakeLines())
    assert bench.lines.outputs == w.PLUG_PRESENT | w.DRIVE_INHIBIT
    bench.c.drive_allowed = True
    bench.go()
    assert bench.lines.outputs == 0 and bench.lines.ticks == 1
    bench.c.drive_allowed = False
    bench.c.s2_close = True
    bench.c.charger_ma = 6000
    bench.c.plug_present = True
    bench.go()
    assert bench.lines.outputs == w.CHARGE_ENABLE | w.PLUG_PRESENT | w.DRIVE_INHIBIT


def test_a_permission_wire_holds_until_it_is_read_and_while_it_is_open():
    bench = Bench(lines=FakeLines(), lines_used=w.PERMIT)
    assert bench.go(9) & H_LINES
    assert bench.go() == 0
    bench.lines.inputs = 0
    assert bench.go() == H_VEHICLE_WIRE


def test_the_heater_heats_a_frozen_port_and_not_a_broken_sensor():
    bench = Bench(lines=FakeLines(), heater=1)
    bench.c.wants_heat = True
    bench.go(20)
    assert not bench.lines.outputs & w.HEATER, "no temperature is known"
    bench.c.hottest_ok = True
    bench.c.hottest_decic = -50
    bench.go(20)
    assert bench.lines.outputs & w.HEATER
    bench.c.faults = faults.F_TEMP_OPEN
    bench.go(20)
    assert not bench.lines.outputs & w.HEATER


@pytest.mark.parametrize("who", ["unlock_request", "car_unlock"])
def test_the_door_opens_for_a_person_and_for_the_car(who):
    bench = Bench(lines=FakeLines(ALL ^ w.DOOR_OPEN), door=1, lines_used=ALL)
    bench.go(50)
    assert not bench.lines.outputs & w.OPEN_DOOR
    setattr(bench.r, who, True)
    bench.go(20)
    assert bench.lines.outputs & w.OPEN_DOOR
    bench.lines.inputs = ALL ^ w.DOOR_CLOSED
    bench.go(20)
    assert not bench.lines.outputs & (w.OPEN_DOOR | w.CLOSE_DOOR)


def test_a_door_with_both_ends_at_once_is_told_and_charging_goes_on():
    bench = Bench(lines=FakeLines(ALL), door=1, lines_used=ALL)
    assert bench.go(50) == H_DOOR
    assert not faults.HOLDS[faults.first_bit(H_DOOR)][faults.HOLD_REASON]


# sleep


def asleep(**settings):
    bench = Bench(FakeCan(), FakeLines(), can=NATIVE, lines_used=ALL, **settings)
    bench.car.bus.said = {"vehicle_age_ms": 60000, "modem_age_ms": 60000}
    bench.go_s(10)
    assert bench.r.is_asleep
    return bench


def test_asleep_the_can_port_sleeps_and_nothing_is_sent():
    bench = asleep()
    assert bench.port.calls.count("sleep") == 1
    bench.port.calls.clear()
    bench.go(50)
    assert set(bench.port.calls) == {"tick", "fill"}, "heard it still is"


def test_asleep_the_wires_still_show_what_is_decided():
    bench = asleep()
    bench.c.drive_allowed = True
    bench.go()
    assert not bench.lines.outputs & w.DRIVE_INHIBIT and bench.r.is_asleep


def waken_by(bench, what):
    if what in ("stop_request", "unlock_request"):
        setattr(bench.r, what, True)
    elif what == "pilot":
        bench.c.pilot_state = 1
    elif what == "PP":
        bench.c.plug_present = True
    elif what == "CAN":
        bench.port.has_woken = True
    elif what == "line":
        bench.lines.inputs = ALL ^ w.DOOR_OPEN
    elif what == "console":
        bench.car.stir()
    elif what == "fault":
        bench.c.faults = faults.F_AC_LIVE
    else:
        bench.c.s2_close = True


WAKERS = ["stop_request", "unlock_request", "pilot", "PP", "CAN", "line", "console", "fault", "S2"]


@pytest.mark.parametrize("what", WAKERS)
def test_it_wakes_within_100_ms(what):
    bench = asleep()
    bench.port.calls.clear()
    waken_by(bench, what)
    bench.go(10)
    assert not bench.r.is_asleep
    assert bench.port.calls.count("wake") == 1 and "send" in bench.port.calls


def test_nothing_at_all_does_not_wake_it():
    """Anti-vacuity of the wakers."""
    bench = asleep()
    bench.go_s(600)
    assert bench.r.is_asleep and "wake" not in bench.port.calls


def test_a_window_that_opens_wakes_the_car():
    bench = asleep(window_1_days=1, window_1_from_min=1, window_1_to_min=60)
    assert bench.car.set_time(0)
    bench.car.stir()
    bench.go_s(30)
    assert bench.r.is_asleep and bench.r.holds == H_WINDOW
    bench.port.calls.clear()
    bench.go_s(31)
    assert bench.r.holds == 0 and "wake" in bench.port.calls


@pytest.mark.parametrize("what", ["s2_close", "lock_drive", "service", "vehicle", "modem"])
def test_it_never_sleeps_while_anything_goes_on(what):
    bench = Bench(FakeCan(), can=NATIVE, modem=1, dc_max_a=200)
    bench.car.bus.said = {"vehicle_age_ms": 60000}
    if what == "service":
        bench.c.reasons = faults.SERVICE_MODE
    elif what == "vehicle":
        bench.car.bus.said = {"vehicle_age_ms": 1970}
    elif what == "modem":
        bench.car.modem.said = {"modem_age_ms": 1990}
    else:
        setattr(bench.c, what, 1)
    bench.go_s(30)
    assert not bench.r.is_asleep and "sleep" not in bench.port.calls


def test_a_moving_door_keeps_it_awake():
    bench = Bench(lines=FakeLines(w.DOOR_CLOSED), door=1, lines_used=w.DOOR_CLOSED | w.DOOR_OPEN)
    bench.go(50)
    bench.r.unlock_request = True
    bench.go(20)
    bench.r.unlock_request = False
    bench.lines.inputs = 0
    bench.go_s(4)
    assert bench.lines.outputs & w.OPEN_DOOR
    bench.go_s(17)
    assert not bench.r.is_asleep, "three drives of 5 s, and 5 s of quiet are not over"


# the console


def test_the_console_sets_the_time_and_charges_now():
    bench = Bench(window_1_days=2)
    assert bench.go(10) == H_NO_CLOCK
    assert not bench.car.set_time(-1)
    assert bench.car.set_time(0)
    assert bench.go(10) == H_WINDOW
    assert not bench.car.charge_now(), "no plug is in"
    bench.c.plug_present = True
    bench.go(10)
    assert bench.car.charge_now()
    assert bench.go(10) == 0


def test_a_short_press_charges_now():
    bench = Bench(window_1_days=2)
    bench.car.set_time(0)
    bench.c.plug_present = True
    assert bench.go(10) == H_WINDOW
    bench.r.stop_request = True
    bench.go(20)
    bench.r.stop_request = False
    assert bench.go(10) == 0


# any input


BOARDS_OWN = (
    "pilot_count", "cp_ok", "cp_high_mv", "pp_ok", "pp_mv", "lock_feedback_ok", "lock_feedback_mv",
    "charger_ok", "charger_ma", "ac_ok", "ac_present", "stop_request", "unlock_request",
    "console_stop", "test_lock", "service_end", "output_lost", "vehicle_age_ms", "vehicle_permits",
    "vehicle_limit_ma", "temp_rail_mv", "pp_rail_mv", "pilot_quiet_ms",
)  # fmt: skip


def test_for_any_input_it_changes_nothing_that_the_board_measured():
    """Without CAN: what the bus adds is the bus's own test."""
    seed = random.randrange(1 << 30)
    print("seed", seed)
    rng = random.Random(seed)
    for _ in range(30):
        limit_ma = rng.choice((0, 6000, 80000))
        bench = Bench(
            lines=rng.choice((None, FakeLines())), lines_used=rng.choice((0, ALL)),
            window_1_days=rng.choice((0, 127)), window_1_to_min=60, door=rng.randrange(2),
            heater=rng.randrange(2), person_limit_ma=limit_ma,
        )  # fmt: skip
        fixed = bench.car._fixed_holds
        for _ in range(150):
            r, c = bench.r, bench.c
            for name in BOARDS_OWN:
                setattr(
                    r, name, rng.choice((False, True)) if rng.random() < 0.5 else rng.randrange(90)
                )
            before = [getattr(r, name) for name in BOARDS_OWN]
            c.s2_close = rng.random() < 0.2
            c.plug_present = rng.random() < 0.5
            c.reasons = rng.choice((0, faults.SERVICE_MODE))
            c.wants_heat = rng.random() < 0.5
            c.hottest_ok = rng.random() < 0.9
            c.hottest_decic = rng.randrange(-300, 900)
            if bench.lines is not None:
                bench.lines.ok = rng.random() < 0.9
                bench.lines.inputs = rng.randrange(128)
            if rng.random() < 0.1:
                bench.car.set_time(rng.randrange(-5, 12000))
            holds = bench.go(rng.choice((1, 1, 7)))
            assert [getattr(r, name) for name in BOARDS_OWN] == before
            assert r.person_limit_ma == limit_ma
            assert holds & fixed == fixed
            assert not holds & ~((1 << len(faults.HOLDS)) - 1)
            if bench.lines is not None:
                shown = bench.lines.outputs
                assert not shown & w.CHARGE_ENABLE or c.s2_close
                assert shown & w.DRIVE_INHIBIT or c.drive_allowed
                assert not (shown & w.OPEN_DOOR and shown & w.CLOSE_DOOR)
