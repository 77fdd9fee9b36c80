"""drivers.analog: scaling, taking turns, and not believing a multiplexer that does not switch."""

import pytest
from board_fakes import GOOD_MV, board_file

from drivers.analog import Analog
from signals import Readings

CHECKED = 2  # scans until ground and reference have both been seen


class Mux:
    """A multiplexer with a voltage a channel; `stuck` forces select lines, `reads` lists the channels read."""

    def __init__(self, **changes):
        self.mv = dict(GOOD_MV)
        self.motor_mv = 0
        self.motor_error = None
        self.channel = 0
        self.stuck_low = 0
        self.stuck_high = 0
        self.reads = []
        self.error = None
        self.analog = Analog(self.read, self.read_motor, self.select, board_file(**changes))
        self.readings = Readings()

    def select(self, channel):
        self.channel = channel & ~self.stuck_low | self.stuck_high

    def read_motor(self):
        if self.motor_error:
            raise self.motor_error
        return self.motor_mv

    def read(self):
        if self.error:
            raise self.error
        self.reads.append(self.channel)
        return self.mv.get(self.channel, 0)

    def scan(self, times=1, dt_ms=10):
        for _ in range(times):
            self.reads.clear()
            self.analog.scan(self.readings, dt_ms)
        return self.readings


def is_believed(r):
    return bool(r.pp_ok or r.lock_feedback_ok or r.charger_ok or any(r.temp_ok))


def test_inputs_are_scaled_to_the_terminals():
    mux = Mux()
    mux.motor_mv = 300
    r = mux.scan(10)
    assert (r.pp_ok, r.pp_mv, r.pp_rail_mv) == (True, 1900, 5000)
    assert (r.lock_feedback_ok, r.lock_feedback_mv) == (True, 580)
    assert (r.charger_ok, r.charger_ma) == (True, (680 - 200) * 30)
    assert r.lock_motor_ma == 600
    assert r.temp_rail_mv == 3300
    assert list(r.temp_ok) == [1, 1, 1, 1]
    assert list(r.temp_mv) == [900, 910, 920, 930]
    assert (mux.analog.supply_ok, mux.analog.supply_mv) == (True, 1566 * 23 // 3)


def test_offset_of_a_scale_is_added():
    r = Mux(scale=lambda name: (2, 1, -100)).scan(CHECKED)
    assert r.pp_mv == 1140 * 2 - 100


def test_nothing_is_believed_before_ground_and_reference_were_seen():
    mux = Mux()
    assert not is_believed(mux.scan())
    assert mux.scan().pp_ok


def test_pass_takes_six_conversions_at_most():
    mux = Mux()
    mux.scan(CHECKED)
    for _ in range(12):
        mux.scan()
        assert len(mux.reads) == 6


def test_each_temperature_is_converted_every_100_ms():
    mux = Mux()
    mux.scan(CHECKED + 10)
    oldest = 0
    for _ in range(60):
        oldest = max(oldest, *mux.scan().temp_age_ms)
    assert oldest == 90  # 100 in the pass that converts it, which makes it 0


def test_ages_grow_by_the_time_that_passed_and_stop():
    mux = Mux()
    mux.scan(20)
    mux.mv[0] = 100
    before = list(mux.scan().temp_age_ms)
    assert list(mux.scan(dt_ms=37).temp_age_ms) == [age + 37 for age in before]
    assert list(mux.scan(dt_ms=60000).temp_age_ms) == [60000] * 4


def test_temperature_is_not_believed_before_its_rail():
    """The rail has the first turn, so a scale error of the default is never seen."""
    mux = Mux()
    mux.scan(CHECKED)
    assert mux.readings.temp_rail_mv == 3300 and not any(mux.readings.temp_ok)
    assert sum(mux.scan().temp_ok) == 1


@pytest.mark.parametrize("mv, ok", [(60, True), (61, False)])
def test_ground_beyond_60_mv_makes_every_reading_invalid(mv, ok):
    mux = Mux()
    mux.scan(20)
    mux.mv[0] = mv
    assert is_believed(mux.scan(2)) == ok


@pytest.mark.parametrize("mv, ok", [(2399, False), (2400, True), (2600, True), (2601, False)])
def test_reference_beyond_4_percent_makes_every_reading_invalid(mv, ok):
    mux = Mux()
    mux.scan(20)
    mux.mv[15] = mv
    assert is_believed(mux.scan(2)) == ok


def test_readings_stay_invalid_until_the_bad_one_is_right_again():
    mux = Mux()
    mux.scan(20)
    mux.mv[15] = 0
    mux.scan(2)
    for _ in range(6):
        assert not is_believed(mux.scan())
    mux.mv[15] = 2500
    assert is_believed(mux.scan(2))


@pytest.mark.parametrize("bit", [1, 2, 4, 8])
@pytest.mark.parametrize("way", ["stuck_low", "stuck_high"])
def test_stuck_select_line_is_found_within_two_scans(bit, way):
    mux = Mux()
    mux.scan(20)
    setattr(mux, way, bit)
    assert not is_believed(mux.scan(2))


@pytest.mark.parametrize("bit", [1, 2, 4, 8])
def test_line_stuck_high_is_found_even_where_the_input_it_leads_to_reads_0(bit):
    mux = Mux()
    mux.mv[bit] = 0
    mux.scan(20)
    mux.stuck_high = bit
    assert not is_believed(mux.scan(10))
    for _ in range(30):
        assert not is_believed(mux.scan())
    mux.stuck_high = 0
    assert is_believed(mux.scan(4))


def test_ground_limit_is_the_boards_own():
    mux = Mux()
    mux.analog = Analog(mux.read, lambda: 0, mux.select, board_file(), ground_max_mv=180)
    for channel in (0, 7, 11, 13, 14):
        mux.mv[channel] = 180
    assert is_believed(mux.scan(30))
    mux.mv[0] = 181
    assert not is_believed(mux.scan(2))


def test_read_error_makes_every_reading_invalid_and_is_counted():
    mux = Mux()
    mux.scan(20)
    failures = mux.analog.failures
    mux.error = OSError(5)
    mux.motor_mv = 500
    r = mux.scan()
    assert not is_believed(r)
    # The motor's converter was read: what it says still counts.
    assert r.lock_motor_ma == 1000
    assert mux.analog.failures == failures + 1
    mux.error = None
    assert not is_believed(mux.scan())
    assert is_believed(mux.scan())


def test_motor_current_that_cannot_be_read_is_a_stall_and_never_no_current():
    mux = Mux()
    mux.motor_mv = 300
    mux.scan(20)
    mux.motor_error = OSError(5)
    for _ in range(3):
        r = mux.scan()
        assert r.lock_motor_ma == 3300 * 2 and not is_believed(r)
    mux.motor_error = None
    assert mux.scan(2).lock_motor_ma == 600
    assert is_believed(mux.readings)


@pytest.mark.parametrize(
    "mv, ok, ma", [(99, False, 0), (100, True, 0), (200, True, 0), (201, True, 30)]
)
def test_charger_current_has_a_live_zero(mv, ok, ma):
    mux = Mux()
    mux.mv[9] = mv
    r = mux.scan(3)
    assert (r.charger_ok, r.charger_ma) == (ok, ma)


@pytest.mark.parametrize(
    "name", ["pp", "pp_rail", "lock_feedback", "ac_current", "temp_rail", "temp_2", "supply"]
)
def test_input_the_board_lacks_stays_invalid_and_the_rest_works(name):
    mux = Mux(mux={key: value for key, value in board_file().mux.items() if key != name})
    r = mux.scan(20)
    assert r.pp_ok == (name not in ("pp", "pp_rail"))
    assert r.lock_feedback_ok == (name != "lock_feedback")
    assert r.charger_ok == (name != "ac_current")
    expected = [0] * 4 if name == "temp_rail" else [1, 1, int(name != "temp_2"), 1]
    assert list(r.temp_ok) == expected
    assert mux.analog.supply_ok == (name != "supply")


def test_board_without_slow_inputs_works():
    keep = ("ground", "reference", "pp", "pp_rail")
    mux = {key: board_file().mux[key] for key in keep}
    assert Mux(mux=mux, mux_grounds=(0,)).scan(4).pp_ok


@pytest.mark.parametrize("name", ["ground", "reference"])
def test_board_without_self_check_is_refused(name):
    with pytest.raises(ValueError, match="mux: %s is missing" % name):
        Mux(mux={key: value for key, value in board_file().mux.items() if key != name})


def test_scale_beyond_the_small_integers_is_refused():
    with pytest.raises(ValueError, match="pp cannot be computed"):
        Mux(scale=lambda name: (400000, 1, 0))
