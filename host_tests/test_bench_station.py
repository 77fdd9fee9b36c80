"""What a generator sends and a person does for the verbs of a block."""

from inletctl.bench.channels import channel_of
from inletctl.bench.model import Block
from inletctl.bench.recipe import Case, case_block
from inletctl.bench.station import Act, Signal, acts
from inletctl.scenario.parse import parse_scenario


def plan(text, world="") -> list[Act]:
    scenario = parse_scenario("title t\ninlet type2\n%s\n%s\nend 60s\n" % (world, text))
    block: Block = case_block(Case("c", "t", (), scenario), 1)
    return acts(block)


def signals(text, world=""):
    return [(act.t_us // 1000, act.signal) for act in plan(text, world) if act.signal is not None]


STEADY = Signal(None)


def pwm(pct, **values):
    return Signal(pct, **values)


def test_pwm_begins_a_second_after_the_plug_and_steady_high_before():
    found = signals("at 1s plug 32A")
    assert found[0] == (0, STEADY)
    assert found[1][0] == 2000 and abs(found[1][1].duty_pct - 53.33) < 0.01


def test_the_plug_itself_is_the_persons():
    assert [(act.channel, act.words) for act in plan("at 1s plug 32A") if act.signal is None] == [
        ("person", "plug cable_a=32")
    ]


def test_offers_pauses_and_errors():
    world = "world evse_pwm_start_ms=0"
    found = signals(
        "at 1s plug\nat 2s evse_offer 10A\nat 3s evse_pause\nat 4s evse_resume\nat 5s evse_error e\n"
        "at 6s evse_recover\nat 7s evse_duty 0%\nat 8s evse_recover\nat 9s evse_duty 100%\nat 10s evse_offer 16A",
        world,
    )
    told = [(ms, one.duty_pct, one.level_mv) for ms, one in found]
    ten, sixteen = 10 / 0.6, 16 / 0.6
    assert told[2:] == [
        (2000, ten, 12_000), (3000, None, 12_000), (4000, ten, 12_000), (5000, None, 0), (6000, ten, 12_000),
        (7000, None, -12_000), (8000, ten, 12_000), (9000, None, 12_000), (10_000, sixteen, 12_000),
    ]  # fmt: skip


def test_an_offer_below_6_a_is_a_pause():
    found = signals("at 1s plug\nat 5s evse_offer 3A")
    assert found[-1] == (5000, STEADY)


def test_errors_that_hold_and_wake_pulses_end_by_themselves():
    found = signals("at 1s plug\nat 5s evse_error f hold=500ms\nat 10s wake_pulse e time=2s")
    assert [(ms, one.duty_pct is None, one.level_mv) for ms, one in found[2:]] == [
        (5000, True, -12_000), (5500, True, 12_000), (6500, False, 12_000),
        (10_000, True, 0), (12_000, True, 12_000), (13_000, False, 12_000),
    ]  # fmt: skip


def test_a_power_cut_is_no_pilot_until_the_station_has_booted():
    found = signals("at 1s plug\nat 5s power_cut hold=1s")
    assert [(ms, one.level_mv) for ms, one in found[2:4]] == [(5000, 0), (8000, 12_000)]


def test_frequency_levels_and_a_duty_error_are_the_generators():
    found = signals(
        "at 1s plug\nat 5s evse_frequency 950\nat 6s evse_amplitude high=11.4V low=-11.4V\nat 7s evse_duty 20%\n"
        "at 8s evse_duty_error 0.5%",
        "world evse_pwm_start_ms=0",
    )
    last = found[-1][1]
    assert (last.hz, last.high_mv, last.low_mv, last.duty_pct) == (950, 11_400, -11_400, 20.5)


def test_lost_cycles_are_told_with_the_wave_that_loses_them():
    found = signals("at 1s plug\nat 5s lost_cycles 3 level=high")
    assert (found[-1][1].lost, found[-1][1].gap) == (3, "high")
    assert found[-1][1].duty_pct == found[-2][1].duty_pct


def test_without_energy_there_is_no_pwm():
    assert len(signals("at 1s plug", "world evse_auto=no")) == 1


def test_a_digital_station_sends_5_percent():
    assert signals("at 1s plug", "world evse_digital=yes")[-1][1].duty_pct == 5


def test_a_reset_goes_to_the_supply():
    assert channel_of("reset") == "power"
    assert [act.channel for act in plan("at 1s reset") if act.signal is None] == ["power"]
