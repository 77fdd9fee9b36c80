"""What the controller measures of the pilot through levels, changes in mid-window, faults and noise."""

import pytest
from plant_bench import Bench

REGULAR = (5333, 10_000)  # 53.33 % at 1 kHz


def _levels(bench):
    return bench.readings.cp_high_mv, bench.readings.cp_low_mv


def test_unplugged_inlet_sees_nothing():
    bench = Bench()
    bench.run(2000)
    r = bench.readings
    assert (r.pilot_count, r.pilot_quiet_ms, r.cp_ok) == (0, 1000, True)
    assert _levels(bench) == (0, 0)


def test_steady_pilot_shows_the_same_level_twice():
    bench = Bench(evse_auto="no")
    bench.world.do("plug")
    bench.run(1500)
    assert bench.world.evse_state == "B1"
    assert _levels(bench) == (8979, 8979)
    assert (bench.readings.pilot_count, bench.readings.pilot_quiet_ms) == (0, 1000)


def test_state_b_and_c_show_9_and_6_volts():
    bench = Bench().plugged()
    assert bench.periods() == [REGULAR] * 5
    assert _levels(bench) == (8979, -12_000)
    bench.commands.s2_close = True
    bench.run(20)
    assert _levels(bench) == (5995, -12_000)
    assert bench.readings.pilot_quiet_ms == 0


def test_generator_at_its_tolerance_moves_the_levels():
    """11.4 V, 1030 ohm, 0.55 V diode: B 8.43 V by hand."""
    bench = Bench(evse_high_v=11.4, evse_source_ohm=1030, ev_diode_mv=550).plugged()
    assert bench.readings.cp_high_mv == pytest.approx(8435, abs=2)


def test_ground_offset_lowers_what_is_measured():
    bench = Bench(ground_offset_mv=700).plugged()
    assert _levels(bench) == (8279, -12_700)


@pytest.mark.parametrize("at_us, quiet_ms", [(100, 9), (2_500, 7), (5_700, 4), (9_999, 0)])
def test_pilot_lost_in_mid_window_leaves_the_older_periods(at_us, quiet_ms):
    bench = Bench().plugged()
    bench.world.advance(bench.world.t_us + at_us)
    bench.world.do("cp_wire", state="break")
    bench.world.advance(bench.world.t_us + 10_000 - at_us)
    bench.world.sample(bench.readings)
    # Periods start on whole ms. At 5.7 ms the pilot is low already: the last edge was the fall at 5.533 ms.
    assert bench.periods() == [REGULAR] * min(at_us // 1000, 5)
    assert bench.readings.pilot_quiet_ms == quiet_ms
    assert _levels(bench) == (0, 0)


def test_period_interrupted_by_a_short_break_is_cut_and_phase_goes_on():
    bench = Bench().plugged()
    world = bench.world
    world.advance(world.t_us + 7_200)  # 0.2 ms into a period, level high
    world.do("cp_wire", state="break", hold=0.5)  # back 0.7 ms into it, level low
    world.advance(world.t_us + 2_800)
    world.sample(bench.readings)
    assert bench.periods() == [REGULAR] * 2 + [(2000, 10_000), REGULAR, REGULAR]


def test_break_that_ends_while_high_makes_an_extra_edge():
    bench = Bench().plugged()
    world = bench.world
    world.advance(world.t_us + 7_100)
    world.do("cp_wire", state="break", hold=0.2)
    world.advance(world.t_us + 2_900)
    world.sample(bench.readings)
    # 1 ms falls apart: 0.1 ms high, rise again at 0.3 ms, so 3000 + 7000 (0.1 us) in all.
    assert bench.periods()[1:4] == [(1000, 3000), (2333, 7000), REGULAR]
    bench.one()
    assert bench.periods() == [REGULAR] * 5


def test_new_offer_starts_with_the_next_period():
    bench = Bench().plugged()
    world = bench.world
    world.advance(world.t_us + 7_400)
    world.do("evse_offer", a=16)
    world.advance(world.t_us + 2_600)
    world.sample(bench.readings)
    assert bench.periods() == [REGULAR] * 3 + [(2666, 10_000)] * 2
    assert world.evse_duty_pct_x100 == 2666


def test_pause_in_mid_window_leaves_a_steady_level():
    bench = Bench().plugged()
    world = bench.world
    world.advance(world.t_us + 2_250)
    world.do("evse_pause")
    world.advance(world.t_us + 7_750)
    world.sample(bench.readings)
    assert bench.periods() == [REGULAR] * 2
    assert _levels(bench) == (8979, 8979)
    assert bench.readings.pilot_quiet_ms == 8  # since the last rise


def test_first_high_phase_of_pwm_has_no_low_level_yet():
    bench = Bench(evse_auto="no")
    world = bench.world
    world.do("plug")
    bench.run(1000)
    world.do("evse_resume")
    world.advance(world.t_us + 1_000_300)
    world.sample(bench.readings)
    assert world.evse_state == "B2"
    assert _levels(bench) == (8979, 8979)
    world.advance(world.t_us + 300)
    world.sample(bench.readings)
    assert _levels(bench) == (8979, -12_000)


def test_s2_in_mid_period_moves_no_edge():
    bench = Bench().plugged()
    bench.pass_us = 10_350
    bench.commands.s2_close = True
    for _n in range(5):
        bench.one()
        bench.commands.s2_close = not bench.commands.s2_close
        assert bench.periods() == [REGULAR] * 5


@pytest.mark.parametrize(
    "hz, period_x10", [(950, 10_526), (1050, 9524), (980, 10_204), (500, 20_000)]
)
def test_frequency_is_measured_to_a_tenth_of_a_microsecond(hz, period_x10):
    bench = Bench().plugged()
    bench.world.do("evse_frequency", hz=hz)
    bench.run(30)
    assert {period for _high, period in bench.periods()} == {period_x10}
    assert bench.world.evse_duty_pct_x100 == 5333


def test_duty_error_and_amplitude_act_while_running():
    bench = Bench().plugged()
    bench.world.do("evse_duty_error", pct=-0.5)
    bench.world.do("evse_amplitude", high=11.4, low=-11.4)
    bench.run(30)
    assert bench.periods() == [(5283, 10_000)] * 5
    assert bench.readings.cp_low_mv == -11_400


@pytest.mark.parametrize(
    "level, lost, after", [("low", (5333, 40_000), 3), ("high", (35_333, 40_000), 2)]
)
def test_lost_cycles_merge_periods_and_keep_the_phase(level, lost, after):
    bench = Bench().plugged()
    world = bench.world
    world.advance(world.t_us + 3_500)
    world.do("lost_cycles", count=3, level=level)
    world.advance(world.t_us + 6_500)
    world.sample(bench.readings)
    # Low: the period from 3 ms on ends at 7 ms. High: the one from 4 ms on is high till 7.533 ms and ends at 8 ms.
    assert bench.periods()[-after - 1 :] == [lost] + [REGULAR] * after
    bench.one()
    assert bench.periods() == [REGULAR] * 5


def test_lost_cycles_without_pwm_say_so():
    bench = Bench()
    bench.world.do("lost_cycles", count=3)
    assert bench.told("no cycle is lost")


@pytest.mark.parametrize(
    "verb, args, high_mv, low_mv",
    [
        ("cp_wire", {"state": "break"}, 0, 0),
        ("cp_wire", {"state": "short"}, 0, 0),
        ("pe_wire", {"state": "break"}, 0, 0),
        ("diode", {"state": "open"}, 12_000, -12_000),
        ("s2", {"state": "stuck_closed"}, 5995, -12_000),
        ("cp_sense", {"state": "ok", "offset": 500}, 9479, -11_500),
    ],
)
def test_wiring_faults_show_in_the_levels(verb, args, high_mv, low_mv):
    bench = Bench(evse_debounce_ms=200).plugged()
    bench.world.do(verb, **args)
    bench.run(50)
    assert _levels(bench) == (high_mv, low_mv)


def test_short_diode_shows_in_the_negative_half():
    bench = Bench().plugged()
    bench.world.do("diode", state="short")
    bench.run(10)
    assert _levels(bench) == (8791, -8791)


def test_leak_lowers_the_level_between_the_windows():
    bench = Bench(evse_debounce_ms=200).plugged()
    bench.world.do("cp_leak", ohm=5000)
    bench.run(20)
    # 12 V, 1 k, 5 k and 2740 ohm behind 0.7 V: 12.2555 mA over 1.56496 mS = 7.83 V
    assert bench.readings.cp_high_mv == pytest.approx(7831, abs=2)
    bench.world.do("cp_leak", ohm=0)
    bench.run(20)
    assert bench.readings.cp_high_mv == 8979


def test_stuck_open_s2_stays_in_state_b():
    bench = Bench().plugged()
    bench.world.do("s2", state="stuck_open")
    bench.commands.s2_close = True
    bench.run(100)
    assert bench.readings.cp_high_mv == 8979


def test_dead_measurements_say_so():
    bench = Bench().plugged()
    bench.world.do("cp_sense", state="dead")
    bench.run(20)
    assert not bench.readings.cp_ok
    bench.world.do("cp_sense", state="no_edges")
    bench.run(1200)
    r = bench.readings
    assert (r.cp_ok, r.pilot_count, r.pilot_quiet_ms) == (True, 0, 1000)


def test_state_f_reads_minus_12_volts_and_e_reads_0():
    bench = Bench().plugged()
    for state, mv in (("f", -12_000), ("e", 0)):
        bench.world.do("evse_error", state=state)
        bench.run(30)
        assert _levels(bench) == (mv, mv)
        assert bench.world.cp_mv == mv
        assert bench.readings.pilot_quiet_ms >= 29


def test_jitter_and_level_noise_stay_in_their_bounds():
    bench = Bench(evse_jitter_us=2, cp_noise_mv=50).plugged()
    seen = set()
    for _n in range(50):
        bench.one()
        seen |= set(bench.periods())
        assert abs(bench.readings.cp_high_mv - 8979) <= 50
    assert len(seen) > 100
    assert all(abs(high - 5333) <= 20 and abs(period - 10_000) <= 20 for high, period in seen)


def _bad_passes(bench, passes):
    """Return (bad periods, bad levels) over the next passes."""
    bad = levels = 0
    for _n in range(passes):
        bench.one()
        assert 1 <= bench.readings.pilot_count <= 5
        assert all(0 < high < period for high, period in bench.periods())
        bad += sum(period != REGULAR for period in bench.periods())
        levels += sum(got != want for got, want in zip(_levels(bench), (8979, -12_000)))
    return bad, levels


@pytest.mark.parametrize(
    "kind, each", [("missing", 1), ("zero", 1), ("full", 1), ("random", 1), ("split", 2)]
)
def test_burst_spoils_as_many_periods_as_asked(kind, each):
    bench = Bench(seed=7).plugged()
    bench.world.do("noise_burst", samples=6, window=250, kind=kind)
    bad, levels = _bad_passes(bench, 26)
    # The first half of a split period may be pushed out by five newer ones.
    assert 6 <= bad <= 6 * each
    assert levels == 0
    assert _bad_passes(bench, 20) == (0, 0)


def test_level_burst_spoils_levels_only():
    bench = Bench(seed=3).plugged()
    bench.world.do("noise_burst", samples=6, kind="level")
    bad, levels = _bad_passes(bench, 26)
    assert bad == 0
    assert 3 <= levels <= 6  # two hits may meet the same pass


def test_mixed_bursts_use_every_kind_and_every_part_of_the_window():
    bench = Bench(seed=5).plugged()
    for _n in range(40):
        bench.world.do("noise_burst")
        _bad_passes(bench, 26)
    assert bench.world.pilot.noise.spoilt == 240
    bench.world.do("noise_burst", samples=200, window=1000)
    with_noise = 0
    for _n in range(101):
        before = bench.world.pilot.noise.spoilt
        bench.one()
        with_noise += bench.world.pilot.noise.spoilt > before
    assert with_noise > 60


def test_noise_steps_leave_no_good_sample():
    bench = Bench().plugged()
    bench.world.do("noise_steps", passes=3, kind="zero")
    for _n in range(3):
        bench.one()
        assert all(high <= 250 for high, _period in bench.periods())
    bench.one()
    assert bench.periods() == [REGULAR] * 5
    bench.world.do("noise_steps", passes=1)
    bench.one()
    assert sum(_levels(bench)) != 8979 - 12_000


def test_noise_on_a_steady_pilot_makes_edges():
    bench = Bench(evse_auto="no")
    bench.world.do("plug")
    bench.run(1500)
    bench.world.do("noise_steps", passes=1, kind="random")
    bench.one()
    assert (bench.readings.pilot_count, bench.readings.pilot_quiet_ms) == (1, 0)
    bench.run(30)
    assert (bench.readings.pilot_count, bench.readings.pilot_quiet_ms) == (0, 30)


def test_noise_never_moves_the_real_waveform():
    noisy, calm = Bench(seed=9).plugged(), Bench(seed=9).plugged()
    noisy.world.do("noise_burst", samples=50)
    noisy.run(300)
    calm.run(300)
    assert noisy.periods() == calm.periods()
    assert noisy.world.events == calm.world.events
