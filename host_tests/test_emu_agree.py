"""Host and board agree when they settle in the same states, in the same order, at about the same time."""

import pytest

from inletctl.emu import agree
from inletctl.emu.agree import disagreements, pin_disagreements, rows_of_trace, states
from inletctl.scenario.language import RESET_OFF_MS

NAMES = agree.layout.COMMANDS


def row(t_ms, since_ms=None, **values):
    return (t_ms, t_ms if since_ms is None else since_ms, tuple(values.get(n, 0) for n in NAMES))


def run(*rows, marks=(), end_ms=5000):
    return states(rows, list(marks), end_ms)


PLAIN = (row(0), row(1000, session=1), row(2000, session=2, s2_close=1, offered_ma=32000))


def test_same_trace_agrees():
    assert disagreements(run(*PLAIN), run(*PLAIN)) == []


def test_little_later_agrees_and_much_later_does_not():
    late = (row(30), row(1060, session=1), row(2090, session=2, s2_close=1, offered_ma=31950))
    assert disagreements(run(*PLAIN), run(*late)) == []
    too_late = (*PLAIN[:2], row(2000 + agree.TIME_MS + 1, session=2, s2_close=1, offered_ma=32000))
    (sentence,) = disagreements(run(*PLAIN), run(*too_late))
    assert "2251 ms on the board, at 2000 ms on the host" in sentence
    too_early = (
        *PLAIN[:2],
        row(2000 - agree.TIME_MS - 1, session=2, s2_close=1, offered_ma=32000),
    )
    assert disagreements(run(*PLAIN), run(*too_early))


def test_passage_shorter_than_settled_may_be_missing_or_in_another_order():
    one = (row(0), row(1000, reasons=1), row(1050, session=1, reasons=1))
    other = (row(0), row(1010, session=1), row(1060, session=1, reasons=1))
    assert disagreements(run(*one), run(*other)) == []


@pytest.mark.parametrize("at_ms", [1000, agree.LOADED_MS])
def test_while_the_board_loads_a_passage_may_last_longer(at_ms):
    end = row(at_ms + 200, session=1, reasons=1)
    one = (row(0), row(at_ms, reasons=1), end)
    other = (row(0), row(at_ms, session=1), end)
    assert bool(disagreements(run(*one), run(*other))) == (at_ms == agree.LOADED_MS)


@pytest.mark.parametrize(
    ("at_ms", "s2_close", "charger_ma", "needs_car", "agree_"),
    [
        (agree.CAR_MS - 10, 0, 0, True, True),
        (agree.CAR_MS, 0, 0, True, False),
        (agree.CAR_MS - 10, 1, 0, True, False),
        (agree.CAR_MS - 10, 0, 9000, True, False),
        (agree.CAR_MS - 10, 0, 0, False, False),
    ],
)
def test_until_the_cars_side_is_loaded_the_board_may_permit_more_while_s2_is_open(
    at_ms, s2_close, charger_ma, needs_car, agree_
):
    values = {"session": 1, "s2_close": s2_close}
    host = run(row(0), row(at_ms, **values))
    board = run(row(0), row(at_ms, permitted_ma=32000, charger_ma=charger_ma, **values))
    assert (disagreements(host, board, needs_car) == []) is agree_


def test_where_charging_waits_for_the_cars_side_the_board_may_begin_later_and_no_earlier():
    late_ms = agree.TIME_MS + agree.CAR_MS
    late = (
        row(0),
        row(1000, session=1),
        row(2000 + late_ms, session=2, s2_close=1, offered_ma=32000),
    )
    host = run(*PLAIN, end_ms=9000)
    assert disagreements(host, run(*late, end_ms=9000), True) == []
    assert disagreements(host, run(*late, end_ms=9000))
    later = (*late[:2], row(2001 + late_ms, session=2, s2_close=1, offered_ma=32000))
    assert disagreements(host, run(*later, end_ms=9000), True)
    early = (*late[:2], row(1999 - agree.TIME_MS, session=2, s2_close=1, offered_ma=32000))
    assert disagreements(host, run(*early, end_ms=9000), True)
    pins = [(1000 * (2000 + late_ms), "s2_close", 1)]
    assert pin_disagreements(host, pins, 9000, True) == []
    assert pin_disagreements(host, pins, 9000)


@pytest.mark.parametrize("side", ["host", "board"])
def test_settled_state_of_one_side_only_is_told(side):
    more = (*PLAIN[:2], row(1500, session=1, reasons=2), *PLAIN[2:])
    pair = (run(*more), run(*PLAIN)) if side == "host" else (run(*PLAIN), run(*more))
    (sentence,) = disagreements(*pair)
    assert sentence.startswith(side + " only: waiting/A S2 open")
    assert "reasons pilot_e" in sentence
    assert "from 1500 ms for 500 ms" in sentence


def test_different_end_is_told_for_both():
    other = (*PLAIN[:2], row(2000, session=3, s2_close=1))
    told = disagreements(run(*PLAIN), run(*other))
    assert len(told) == 2
    assert told[0].startswith("host only: charging")
    assert told[1].startswith("board only: stopping")


@pytest.mark.parametrize(
    ("name", "value", "most"),
    [
        ("offered_ma", 32000, 100),
        ("permitted_ma", 16000, 100),
        ("charger_ma", 6000, 100),
        ("duty_pct_x100", 5333, 10),
    ],
)
def test_numbers_may_differ_within_their_tolerance(name, value, most):
    host = run(row(0, **{name: value}))
    assert disagreements(host, run(row(0, **{name: value + most}))) == []
    (sentence,) = disagreements(host, run(row(0, **{name: value - most - 1})))
    assert name in sentence


def test_report_under_way_when_the_board_is_reset_may_be_missing():
    host = run(row(0), row(1000, session=2), row(2400, session=1), marks=[1300])
    board = run(row(0), row(2450, session=1), marks=[1300])
    assert disagreements(host, board) == []
    early = run(row(0), row(500, session=2), row(2400, session=1), marks=[1300])
    assert disagreements(early, board)


def test_host_is_dark_for_the_boards_boot_too():
    from inletctl.emu.runs import with_boot
    from inletctl.scenario.parse import parse_scenario

    scenario = parse_scenario("title x\ninlet type2\nat 1s reset off_ms=100\nat 2s reset\nend 3s")
    longer = with_boot(scenario, 1240)
    assert [dict(one.values)["off_ms"] for one in longer.actions] == [1340, 1240 + RESET_OFF_MS]
    assert longer.end_us == scenario.end_us


def test_state_ends_where_the_board_is_reset():
    found = run(row(0, session=2), row(1400, session=2), marks=[600])
    assert [(state.start_ms, state.end_ms, state.boots) for state in found] == [
        (0, 600, 0),
        (1400, 5000, 1),
    ]


def test_lost_reports_make_the_beginning_uncertain_not_late():
    host = run(row(0), row(1000, session=1))
    board = run(row(0), row(1400, since_ms=1100, session=1))
    assert disagreements(host, board) == []


def test_trace_text_is_read_with_its_resets():
    values = " ".join("1" for _name in NAMES)
    rows, marks = rows_of_trace(["t_ms header", "0 " + values, "700 reset 300", "1000 " + values])
    assert rows == [(0, 0, (1,) * 16), (1000, 1000, (1,) * 16)]
    assert marks == [700]


def test_short_state_may_hide_where_reports_were_lost():
    host = run(row(0), row(1000, reasons=1), row(1140, session=1))
    lost = run(row(0), row(1150, since_ms=1060, session=1))
    assert disagreements(host, lost) == []
    long = run(row(0), row(1000, reasons=1), row(1400, session=1))
    assert disagreements(long, run(row(0), row(1410, since_ms=1320, session=1)))


def test_pins_move_as_the_host_commands():
    host = run(row(0), row(1000, lock_drive=1), row(1300), row(2000, s2_close=1))
    pins = [(1_008_000, "lock_drive", 1), (1_319_000, "lock_drive", 0), (2_012_000, "s2_close", 1)]
    assert pin_disagreements(host, pins, 5000) == []


def test_pin_that_moves_late_or_not_or_too_often_is_told():
    host = run(row(0), row(2000, s2_close=1))
    (never,) = pin_disagreements(host, [], 5000)
    assert never == "pin s2_close: never moved on the board, 1 at 2000 ms on the host"
    assert pin_disagreements(host, [(2_251_000 + 1000, "s2_close", 1)], 5000)
    again = [(2_000_000, "s2_close", 1), (3_000_000, "s2_close", 0)]
    assert pin_disagreements(host, again, 5000)


def test_glitch_of_a_pin_shorter_than_settled_is_no_state():
    host = run(row(0), row(2000, s2_close=1))
    pins = [(2_000_000, "s2_close", 1), (3_000_000, "s2_close", 0), (3_040_000, "s2_close", 1)]
    assert pin_disagreements(host, pins, 5000) == []


def test_pulse_about_as_long_as_settled_counts_on_both_sides():
    host = run(row(0), row(1000, lock_drive=-1), row(1090))
    pins = [(1_010_000, "lock_drive", -1), (1_110_000, "lock_drive", 0)]
    assert pin_disagreements(host, pins, 5000) == []
    assert pin_disagreements(host, [], 5000) == []


def test_order_in_which_inputs_become_valid_after_the_start_is_free():
    host = run(row(0), row(260, reasons=3), row(400, reasons=1), row(2000))
    board = run(row(0), row(260, reasons=1), row(2010))
    assert disagreements(host, board) == []
    later = run(row(0), row(1260, reasons=3), row(1400, reasons=1), row(2000))
    assert disagreements(later, board)
