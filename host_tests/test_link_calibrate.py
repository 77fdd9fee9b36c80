"""inletctl calibrate: two known values in, a circuit's resistors out; implausible ones are refused with numbers."""

import json
import math
from itertools import cycle

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from link_bench import FakeBoard, at_the_command_line

from inletctl.errors import UserError
from inletctl.house import FIRMWARE
from inletctl.link import calibrate as maths
from inletctl.link.calibrate_command import calibrate

RAIL_MV = 4950
CP = {"series_ohm": 220000, "pullup_ohm": 44200, "pulldown_ohm": 54900, "rail_mv": 3300}


@pytest.fixture
def board(monkeypatch):
    made = FakeBoard({"inlet": 1, "max_current_ma": 16000, "sensor_0": 1, "sensor_2": 2})
    at_the_command_line(monkeypatch, made)
    return made


def pp_mv(ohm, pullup_ohm, pulldown_ohm, rail_mv=RAIL_MV):
    loads = 1 / ohm + (1 / pulldown_ohm if pulldown_ohm else 0)
    return rail_mv / (1 + pullup_ohm * loads)


def shows(**values):
    """Return a stage: the board's pins read this from now on."""

    def show(r):
        r.pp_ok = r.cp_ok = True
        r.temp_ok[:] = r.temp_ok.__class__("b", [1] * 4)
        for name, value in values.items():
            if name.startswith("temp_mv"):
                r.temp_mv[int(name[-1])] = round(value)
            else:
                setattr(r, name, round(value))

    return show


def run(tmp_path, *arguments, enter="\n\n\n", yes=True):
    """Return (exit status, what was said, what was remembered)."""
    path = tmp_path / "calibration.jsonl"
    words = [*arguments, "--port", "x", "--file", str(path)]
    if yes and arguments[0] != "pilot":
        words.append("--yes")
    result = CliRunner().invoke(calibrate, words, input=enter)
    said = result.output
    if isinstance(result.exception, UserError):
        said += str(result.exception)
        return result.exception.exit_status, said, []
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    kept = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return result.exit_code, said, kept


# PP.


@given(st.integers(250, 420), st.sampled_from([0, 1500, 2700, 4700]), st.integers(4500, 5500))
def test_the_pp_divider_is_found_from_exact_readings(pullup_ohm, pulldown_ohm, rail_mv):
    mv = [pp_mv(ohm, pullup_ohm, pulldown_ohm, rail_mv) for ohm in (220, 1500)]
    found = maths.solve_pp((220, 1500), (mv[0], mv[1]), (rail_mv, rail_mv))
    assert found == pytest.approx((pullup_ohm, pulldown_ohm))


def test_pp_is_measured_stored_and_remembered(board, tmp_path):
    for ohm in (220, 1500):
        board.stages.append(shows(pp_mv=pp_mv(ohm, 341, 2630), pp_rail_mv=RAIL_MV))
    board.stages.append(shows(pp_mv=RAIL_MV * 2630 // 2971, pp_rail_mv=RAIL_MV))
    status, said, kept = run(tmp_path, "pp", "--ohm", "220", "--ohm", "1500")
    assert status == 0
    assert board.stored["pp_pullup_ohm"] == pytest.approx(341, abs=2)
    assert board.stored["pp_pulldown_ohm"] == pytest.approx(2630, rel=0.02)
    assert "Connect 220 ohm" in said and "Connect 1500 ohm" in said
    assert "330 ohm (default) ->" in said
    assert kept[0]["board_id"] == "e6614c3"
    assert kept[0]["before"] == {"pp_pullup_ohm": 330, "pp_pulldown_ohm": 2700}
    assert kept[0]["after"] == {key: board.stored[key] for key in kept[0]["after"]}
    assert kept[0]["date"][:2] == "20"


def test_the_known_resistors_are_asked_for_where_they_are_not_given(board, tmp_path):
    for ohm in (220, 1500):
        board.stages.append(shows(pp_mv=pp_mv(ohm, 330, 2700), pp_rail_mv=RAIL_MV))
    board.stages.append(shows(pp_mv=RAIL_MV * 2700 // 3030, pp_rail_mv=RAIL_MV))
    status, said, _ = run(tmp_path, "pp", enter="220\n1500\n\n\n\ny\n", yes=False)
    assert status == 0
    assert "First resistor in ohm" in said and "Store pp_pullup_ohm=" in said
    assert board.stored["pp_pullup_ohm"] == pytest.approx(330, abs=2)


def test_a_resistor_left_on_the_bench_is_found_before_anything_is_stored(board, tmp_path):
    for ohm in (220, 1500, 1500):
        board.stages.append(shows(pp_mv=pp_mv(ohm, 330, 2700), pp_rail_mv=RAIL_MV))
    status, said, kept = run(tmp_path, "pp", "--ohm", "220", "--ohm", "1500")
    assert status == 1 and "take everything off PP and PE" in said
    assert "pp_pullup_ohm" not in board.stored and not kept


def test_nothing_is_stored_without_a_yes(board, tmp_path):
    for ohm in (220, 1500):
        board.stages.append(shows(pp_mv=pp_mv(ohm, 330, 2700), pp_rail_mv=RAIL_MV))
    board.stages.append(shows(pp_mv=RAIL_MV * 2700 // 3030, pp_rail_mv=RAIL_MV))
    status, _, kept = run(
        tmp_path, "pp", "--ohm", "220", "--ohm", "1500", enter="\n\n\nn\n", yes=False
    )
    assert (status, kept) == (1, [])
    assert "pp_pullup_ohm" not in board.stored


@pytest.mark.parametrize(
    ("told", "real", "words"),
    [
        ((220, 1500), (1500, 220), "probably swapped"),
        ((220, 1500), (220, 680), "set is 330: more than 20 %"),
        ((220, 1500), (660, 4500), "set is 330: more than 20 %"),
    ],
)
def test_a_mistaken_resistor_is_refused_with_numbers(board, tmp_path, told, real, words):
    for ohm in real:
        board.stages.append(shows(pp_mv=pp_mv(ohm, 330, 2700), pp_rail_mv=RAIL_MV))
    status, said, kept = run(tmp_path, "pp", "--ohm", str(told[0]), "--ohm", str(told[1]))
    assert status == 1 and words in said
    assert kept == [] and "pp_pullup_ohm" not in board.stored


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--ohm", "220"], "Give two known values, 1 were given"),
        (["--ohm", "220", "--ohm", "230"], "too alike"),
        (["--ohm", "0", "--ohm", "230"], "outside 1 ohm"),
        (["--ohm", "nan", "--ohm", "230"], "outside 1 ohm"),
    ],
)
def test_known_values_that_make_no_sense_are_refused(board, tmp_path, arguments, words):
    board.stages += [shows(pp_mv=1900, pp_rail_mv=RAIL_MV)] * 2
    status, said, _ = run(tmp_path, "pp", *arguments)
    assert status == 2 and words in said


def test_a_pull_down_that_should_not_be_there_is_told():
    with pytest.raises(UserError, match="pull-down of 2700 ohm, set is none"):
        maths.check_pp(330, 2700, (330, 0))
    maths.check_pp(330, 0, (330, 0))


def test_readings_that_the_board_does_not_trust_calibrate_nothing(board, tmp_path):
    status, said, _ = run(tmp_path, "pp", "--ohm", "220", "--ohm", "1500")
    assert status == 1 and "Only 0 good readings of pp_mv" in said


def test_readings_that_scatter_calibrate_nothing(board, tmp_path, monkeypatch):
    board.stages.append(shows(pp_mv=1900, pp_rail_mv=RAIL_MV))
    go, contact = board.go, cycle((1900, 1950, 2000))

    def loose():
        board.readings.pp_mv = next(contact)
        go()

    monkeypatch.setattr(board, "go", loose)
    status, said, _ = run(tmp_path, "pp", "--ohm", "220", "--ohm", "1500")
    assert status == 1 and "pp_mv scatters by 4" in said


def test_the_board_is_told_to_be_quiet_again(board, tmp_path):
    for ohm in (220, 1500):
        board.stages.append(shows(pp_mv=pp_mv(ohm, 330, 2700), pp_rail_mv=RAIL_MV))
    run(tmp_path, "pp", "--ohm", "220", "--ohm", "1500")
    assert board.asked.count(b'"do":"rate","a":[0]') == 3


# Temperature.


def divider_mv(ohm, pullup_ohm):
    return 3300 * ohm / (ohm + pullup_ohm)


def ntc_ohm(celsius, r25_ohm, beta):
    return r25_ohm * math.exp(beta * (1 / (celsius + 273.15) - 1 / 298.15))


def test_two_resistors_tell_the_pull_up_of_an_ntc_channel(board, tmp_path):
    for ohm in (10000, 2200):
        board.stages.append(shows(temp_mv_0=divider_mv(ohm, 10080), temp_rail_mv=3300))
    status, said, kept = run(tmp_path, "temperature", "--ohm", "10000", "--ohm", "2200")
    assert status == 0, said
    assert board.stored["temp_pullup_ohm"] == pytest.approx(10080, rel=0.002)
    assert kept[0]["known"]["channel"] == 0


def test_two_temperatures_tell_the_resistance_of_an_ntc(board, tmp_path):
    for celsius in (0, 60):
        mv = divider_mv(ntc_ohm(celsius, 10300, 3435), 10000)
        board.stages.append(shows(temp_mv_0=mv, temp_rail_mv=3300))
    status, said, _ = run(tmp_path, "temperature", "--celsius", "0", "--celsius", "60")
    assert status == 0, said
    assert board.stored["ntc_r25_ohm"] == pytest.approx(10300, rel=0.003)


def test_two_temperatures_tell_the_pull_up_of_a_pt1000(board, tmp_path):
    for ohm in (1000.0, 1385.1):
        board.stages.append(shows(temp_mv_2=divider_mv(ohm, 1012), temp_rail_mv=3300))
    words = ["temperature", "--channel", "2", "--celsius", "0", "--celsius", "100"]
    status, said, _ = run(tmp_path, *words)
    assert status == 0, said
    assert board.stored["pt_pullup_ohm"] == pytest.approx(1012, abs=3)


def test_a_b_value_that_does_not_fit_is_told_with_the_one_that_does(board, tmp_path):
    for celsius in (0, 60):
        mv = divider_mv(ntc_ohm(celsius, 10000, 3950), 10000)
        board.stages.append(shows(temp_mv_0=mv, temp_rail_mv=3300))
    status, said, _ = run(tmp_path, "temperature", "--celsius", "0", "--celsius", "60")
    assert status == 1 and "a B value of 39" in said and "ntc_beta = 3435" in said


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["--channel", "3", "--ohm", "1000", "--ohm", "2000"], 2, "Channel 3 has no sensor"),
        (["--ohm", "1000", "--ohm", "2000", "--celsius", "20"], 2, "not both"),
        (["--celsius", "20", "--celsius", "300"], 2, "300.0 C is outside"),
        (["--celsius", "20", "--celsius", "30"], 2, "less than 15 degrees apart"),
        (["--ohm", "1000", "--ohm", "2000"], 1, "they should agree within 3 %"),
    ],
)
def test_temperatures_that_make_no_sense_are_refused(board, tmp_path, arguments, status, words):
    board.stages += [shows(temp_mv_0=1650, temp_rail_mv=3300)] * 2
    found, said, _ = run(tmp_path, "temperature", *arguments)
    assert (found, words in said) == (status, True), said


def test_an_open_sensor_input_is_told(board, tmp_path):
    board.stages += [shows(temp_mv_0=3300, temp_rail_mv=3300)] * 2
    status, said, _ = run(tmp_path, "temperature", "--ohm", "1000", "--ohm", "2000")
    assert status == 1 and "nothing is connected there" in said


# Pilot.


def pilot_read(level_mv, real):
    """Return what a board with the shipped "cp" entry reads of a level where the resistors really are `real`."""
    node = (level_mv / real["series_ohm"] + 3300 / real["pullup_ohm"]) / sum(
        1 / real[key] for key in ("series_ohm", "pullup_ohm", "pulldown_ohm")
    )
    total = 1 + CP["series_ohm"] / CP["pullup_ohm"] + CP["series_ohm"] / CP["pulldown_ohm"]
    return node * total - 3300 * CP["series_ohm"] / CP["pullup_ohm"]


def test_the_pilot_s_scale_error_is_told_with_what_corrects_it(board, tmp_path):
    real = {**CP, "pullup_ohm": 44500, "pulldown_ohm": 54500}
    for level in (9000, -12000):
        mv = pilot_read(level, real)
        board.stages.append(shows(cp_high_mv=mv, cp_low_mv=mv))
    status, said, kept = run(tmp_path, "pilot", "--volt", "9", "--volt", "-12")
    assert status == 0, said
    assert kept[0]["after"]["cp"]["pullup_ohm"] == pytest.approx(44500, abs=5)
    assert kept[0]["after"]["cp"]["pulldown_ohm"] == pytest.approx(54500, abs=10)
    assert "gain error" in said and '"pulldown_ohm": 545' in said
    assert "rp2040-reference" in kept[0]["board"]
    assert board.boots == 1


def test_the_printed_entry_makes_a_valid_board_file():
    from drivers.board_file import load

    text = (FIRMWARE / "boards" / "rp2040-reference.json").read_text()
    real = {**CP, "pullup_ohm": 44500}
    read = (pilot_read(9000, real), pilot_read(-12000, real))
    found = maths.solve_pilot((9000, -12000), read, CP)
    load(json.dumps({**json.loads(text), "cp": found.cp}))


@pytest.mark.parametrize(
    ("arguments", "levels", "status", "words"),
    [
        (["--volt", "9", "--volt", "8"], [(9000, 9000), (8000, 8000)], 2, "less than 5 V apart"),
        (["--volt", "9", "--volt", "-20"], [], 2, "outside -15..15 V"),
        (["--volt", "9", "--volt", "-12"], [(9000, -12000)], 1, "must be steady, without PWM"),
        (["--volt", "9", "--volt", "-12"], [(9000, 9000), (0, 0)], 1, "no tolerance explains"),
    ],
)
def test_levels_that_make_no_sense_are_refused(board, tmp_path, arguments, levels, status, words):
    board.stages += [shows(cp_high_mv=high, cp_low_mv=low) for high, low in levels]
    found, said, _ = run(tmp_path, "pilot", *arguments)
    assert (found, words in said) == (status, True), said


@pytest.mark.parametrize(
    ("text", "words"),
    [(None, "cannot be read"), ("{", "is not JSON"), ('{"schema": 1}', "board.json: ")],
)
def test_a_board_file_that_is_none_is_told(board, tmp_path, text, words):
    path = tmp_path / "board.json"
    if text is not None:
        path.write_text(text)
    arguments = ["pilot", "--volt", "9", "--volt", "-12", "--board", str(path)]
    status, said, _ = run(tmp_path, *arguments)
    assert status == 2 and words in said
