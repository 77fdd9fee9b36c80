"""Travel, feedback and current of the lock, its faults, and what its drive must never see."""

import pytest
from plant_bench import Bench


def _drive(bench, told, ms):
    bench.commands.lock_drive = told
    bench.run(ms)
    bench.commands.lock_drive = 0
    bench.one()
    return bench.world.lock_travel_pct


def test_lock_travels_in_its_time():
    bench = Bench(lock_travel_ms=300)
    bench.commands.lock_drive = 1
    bench.one()
    bench.run(150)
    assert bench.world.lock_travel_pct == pytest.approx(50)
    assert bench.readings.lock_motor_ma == 250
    bench.run(200)
    assert bench.world.lock_travel_pct == 100
    assert bench.readings.lock_motor_ma == 2400  # against its end
    bench.commands.lock_drive = -1
    assert bench.readings.lock_feedback_mv == 2860
    bench.run(400)
    assert (bench.world.lock_travel_pct, bench.readings.lock_feedback_mv) == (0, 580)


def test_drive_ends_at_its_own_microsecond():
    bench = Bench(lock_travel_ms=100)
    world = bench.world
    world.advance(1_000)
    world.lock.drive(1)
    world.advance(43_345)
    world.lock.drive(0)
    assert world.lock_travel_pct == pytest.approx(42.345)


@pytest.mark.parametrize("feedback, ends", [("analog", (580, 2860)), ("switch", (3300, 20))])
def test_feedback_ends(feedback, ends):
    bench = Bench(lock_feedback=feedback)
    bench.run(20)
    assert bench.readings.lock_feedback_mv == ends[0]
    bench.world.do("lock_slip", to=50)
    bench.run(20)
    assert bench.readings.lock_feedback_mv == (1720 if feedback == "analog" else ends[0])
    bench.world.do("lock_slip", to=100)
    bench.run(20)
    assert bench.readings.lock_feedback_mv == ends[1]


def test_lock_without_feedback_says_so():
    bench = Bench(lock_feedback="none")
    bench.run(20)
    assert not bench.readings.lock_feedback_ok
    bench.world.do("lock_feedback", state="ok")
    bench.run(20)
    assert not bench.readings.lock_feedback_ok


@pytest.mark.parametrize(
    "state, ok, mv",
    [("dead", False, None), ("open", True, 3300), ("short", True, 0), ("stuck", True, 580)],
)
def test_feedback_faults(state, ok, mv):
    bench = Bench()
    bench.world.do("lock_feedback", state=state)
    _drive(bench, 1, 400)
    assert bench.world.lock_travel_pct == 100
    assert bench.readings.lock_feedback_ok == ok
    if mv is not None:
        assert bench.readings.lock_feedback_mv == mv
    bench.world.do("lock_feedback", state="ok")
    bench.one()
    assert bench.readings.lock_feedback_mv == 2860


def test_jam_stops_it_and_stalls_the_motor():
    bench = Bench()
    bench.world.do("lock_motor", state="jam", at=40)
    bench.commands.lock_drive = 1
    bench.run(400)
    assert (bench.world.lock_travel_pct, bench.readings.lock_motor_ma) == (40, 2400)
    bench.commands.lock_drive = 0
    bench.run(100)
    assert _drive(bench, -1, 400) == 0


def test_jam_behind_the_pin_does_not_move_it_back():
    bench = Bench(lock_start_pct=80)
    bench.world.do("lock_motor", state="jam", at=40)
    assert _drive(bench, 1, 200) == 80


def test_ice_breaks_at_the_drive_it_says():
    bench = Bench()
    bench.world.do("lock_motor", state="ice", breaks_after=3)
    bench.commands.lock_drive = 1
    bench.run(100)
    assert bench.readings.lock_motor_ma == 2400
    bench.commands.lock_drive = 0
    bench.one()
    assert _drive(bench, 1, 400) == 0
    assert _drive(bench, 1, 400) == 100


def test_slow_reversed_and_dead_motor():
    bench = Bench()
    bench.world.do("lock_motor", state="slow", factor=4)
    assert _drive(bench, 1, 300) == pytest.approx(25)
    bench.run(100)
    bench.world.do("lock_motor", state="reversed")
    assert _drive(bench, 1, 400) == 0
    bench.run(100)
    bench.commands.lock_drive = 1
    bench.run(50)
    assert bench.readings.lock_motor_ma == 2400
    bench.commands.lock_drive = 0
    bench.run(100)
    assert _drive(bench, -1, 400) == 100
    bench.world.do("lock_motor", state="dead")
    bench.run(100)
    bench.commands.lock_drive = 1
    bench.run(50)
    assert (bench.world.lock_travel_pct, bench.readings.lock_motor_ma) == (100, 0)


def test_solenoid_has_no_stall_current():
    bench = Bench(lock_kind="solenoid", lock_travel_ms=40, lock_run_ma=1500)
    bench.commands.lock_drive = 1
    bench.run(100)
    assert (bench.world.lock_travel_pct, bench.readings.lock_motor_ma) == (100, 1500)


def test_manual_release_lets_go():
    bench = Bench()
    _drive(bench, 1, 400)
    bench.world.do("manual_release")
    bench.one()
    assert (bench.world.lock_travel_pct, bench.readings.lock_feedback_mv) == (0, 580)
    assert bench.told("lock: lets go")


def test_half_inserted_plug_blocks_the_pin():
    bench = Bench()
    bench.world.do("plug", touching="pp")
    assert _drive(bench, 1, 400) == 40


def test_long_drive_is_a_violation_once():
    bench = Bench()
    _drive(bench, 1, 2000)
    assert bench.world.violations == []
    bench.run(1000)
    _drive(bench, 1, 2500)
    assert [text.split(":")[0] for text in bench.world.violations] == ["lock lock_overrun"]
    assert bench.world.lock.longest_drive_us == 2_500_000


@pytest.mark.parametrize("pause_ms, count", [(0, 1), (40, 1), (50, 0)])
def test_reversal_needs_50_ms(pause_ms, count):
    bench = Bench()
    bench.commands.lock_drive = 1
    bench.run(100)
    if pause_ms:
        bench.commands.lock_drive = 0
        bench.run(pause_ms)
    bench.commands.lock_drive = -1
    bench.run(50)
    assert len(bench.world.lock.violations) == count


def test_a_bolt_that_slips_while_it_is_driven_towards_locked_is_no_violation():
    bench = Bench().charging()
    _drive(bench, 1, 400)
    bench.run(100)
    bench.commands.lock_drive = 1
    bench.run(50)
    bench.world.do("lock_slip", to=0)
    bench.run(50)
    assert not bench.world.violations


def test_releasing_a_live_cable_is_a_violation():
    bench = Bench()
    _drive(bench, 1, 400)
    bench.world.do("lock_slip", to=0)
    bench.charging()
    _drive(bench, 1, 400)
    bench.run(100)
    _drive(bench, -1, 400)
    assert [text.split(":")[0] for text in bench.world.violations] == ["lock lock_live"]
