"""drivers.rp2040_board on a chip made of plain Python: the board contract, real drivers inside."""

import gc
import importlib
import itertools
import sys
import time
from types import SimpleNamespace

import pytest
from board_fakes import GOOD_MV, FakeConsole, FakePin, FakePWM, board_file

from inletctl.house import FIRMWARE
from signals import Commands, Readings

ADC_CS, ADC_FCS = 0x4004C000, 0x4004C008
GPIO_SET, GPIO_CLEAR = 0xD0000014, 0xD0000018
S2, ENABLE, WAKE = 3, 4, 6
WATCHDOG_CTRL_CLR = 0x40058000 + 0x3000


class FakeStateMachine:
    """Takes words and lists them."""

    def __init__(self, chip, sm_id, program, **options):
        self.sm_id, self.program, self.options = sm_id, program, options
        self.words = []
        self.is_active = False
        chip.machines[sm_id] = self

    def put(self, word):
        self.words.append(word)

    def tx_fifo(self):
        return 0

    def exec(self, instruction):
        self.words.append(instruction)

    def active(self, value):
        self.is_active = bool(value)


class FakeDMA:
    def __init__(self, chip):
        self.count = 0
        self.is_active = False
        chip.channels.append(self)

    def pack_ctrl(self, **fields):
        return 0

    def active(self, value):
        self.is_active = bool(value)

    def config(self, count=0, trigger=False, **_):
        self.count = count
        self.is_active = trigger


SCRATCH_2 = 0x40058014
PWRON_RESET, WDT_RESET = 1, 3


class Chip:
    """What `machine`, `rp2`, `uctypes` and the clock are made of."""

    def __init__(self):
        self.log = []
        self.pins = {}
        self.pwms = {}
        self.machines = {}
        self.buses = []
        self.channels = []
        self.writes = []
        self.watchdog_ms = None
        self.feeds = 0
        self.now_us = 1_000_000
        self.loop_us = 7  # time of one look at the clock
        self.mux_bits = 0
        self.console = FakeConsole()
        self.mv = dict(GOOD_MV)
        self.scratch = 0  # watchdog scratch 2, kept over a reset
        self.cause = PWRON_RESET

    # machine
    def pin(self, number, mode=0, pull=None, value=None):
        pin = self.pins.get(number)
        if pin is None:
            pin = self.pins[number] = FakePin(number, log=self.log)
        pin.init(mode, pull, value)
        return pin

    def spi(self, block, baudrate, **options):
        self.buses.append(
            (block, baudrate, {k: getattr(v, "number", v) for k, v in options.items()})
        )
        return SimpleNamespace(write=self._spi_write, write_readinto=self._spi_exchange)

    def _spi_write(self, words):
        low = [number for number, pin in self.pins.items() if number in (17, 22) and not pin.level]
        self.log.append(("spi", tuple(low), bytes(words)))

    def _spi_exchange(self, words, into):
        self._spi_write(words)

    def adc(self, pin):
        return SimpleNamespace(read_u16=lambda: self.read_u16(pin.number))

    def read_u16(self, gpio):
        assert not self.writes or ("cs", 8) != self.writes[-1], "the pilot's burst has the ADC"
        channel = self.mux_bits >> 8 & 0xF
        return (self.mv.get(channel, 0) if gpio == 27 else 100) * 65536 // 3300 + 10

    def pwm(self, pin, freq, duty_u16, invert):
        made = self.pwms[pin.number] = FakePWM(pin, freq, duty_u16, invert)
        return made

    def wdt(self, timeout):
        self.watchdog_ms = timeout
        self.log.append("watchdog")
        return SimpleNamespace(feed=self.feed)

    def feed(self):
        self.feeds += 1

    def __getitem__(self, address):
        if address == SCRATCH_2:
            return self.scratch
        return {ADC_CS: 1 << 8, ADC_FCS: 1 << 8}[address]

    def __setitem__(self, address, value):
        if address == SCRATCH_2:
            self.scratch = value
        elif address == GPIO_SET:
            self.mux_bits |= value
        elif address == GPIO_CLEAR:
            self.mux_bits &= ~value
        elif address == ADC_CS:
            self.writes.append(("cs", value & 8))
        else:
            self.writes.append((address, value))

    # time
    def ticks_us(self):
        self.now_us += self.loop_us
        return self.now_us & 0x3FFFFFFF

    def ticks_ms(self):
        return self.now_us // 1000 & 0x3FFFFFFF


@pytest.fixture
def chip(monkeypatch):
    """A fake chip, and the board's module loaded anew on it."""
    chip = Chip()
    pin = type(
        "Pin",
        (),
        {
            "IN": 0,
            "OUT": 1,
            "PULL_UP": 1,
            "PULL_DOWN": 2,
            "__new__": lambda _, *a, **k: chip.pin(*a, **k),
        },
    )
    machine = SimpleNamespace(
        Pin=pin,
        ADC=chip.adc,
        PWM=chip.pwm,
        SPI=chip.spi,
        WDT=chip.wdt,
        mem32=chip,
        unique_id=lambda: bytes((0xE6, 0x01, 0xAB)),
        reset=lambda: chip.log.append("reset"),
        freq=lambda: 125_000_000,
        WDT_RESET=WDT_RESET,
        reset_cause=lambda: chip.cause,
    )
    monkeypatch.setitem(sys.modules, "machine", machine)
    monkeypatch.setitem(sys.modules, "uctypes", SimpleNamespace(addressof=lambda ring: 0x20000104))
    chip.console.install(monkeypatch)
    monkeypatch.setattr(time, "ticks_us", chip.ticks_us, raising=False)
    monkeypatch.setattr(time, "ticks_ms", chip.ticks_ms, raising=False)
    import rp2

    monkeypatch.setattr(rp2, "DMA", lambda: FakeDMA(chip), raising=False)
    monkeypatch.setattr(
        rp2, "StateMachine", lambda *a, **k: FakeStateMachine(chip, *a, **k), raising=False
    )
    names = (
        "drivers.rp2040_board",
        "drivers.chip_board",
        "drivers.safe_pins",
        "drivers.spi_parts",
    )
    for name in names:
        monkeypatch.delitem(sys.modules, name, raising=False)
    import drivers.safe_pins

    monkeypatch.setattr(drivers.safe_pins, "PINS", {sys.platform: drivers.safe_pins.PINS["rp2"]})
    yield chip
    for name in names:
        sys.modules.pop(name, None)


class Store:
    def read(self):
        return {"max_current_ma": 16000}


def make(**changes):
    from drivers.rp2040_board import Rp2040Board

    return Rp2040Board(board_file(**changes), Store())


def reset(chip):
    """Boot again: the chip forgets all but the scratch register."""
    del chip.writes[:]
    return make()


def run(board, passes=1, r=None, c=None):
    r = r or Readings()
    c = c or Commands()
    for _ in range(passes):
        board.next_pass()
        board.sample(r)
        board.actuate(c)
        board.feed_watchdog()
        board.slack(False)
    return r


def test_watchdog_starts_with_the_first_pass_and_only_a_pass_feeds_it(chip):
    """Whatever is said before the first pass may wait for a host that does not listen."""
    board = make(watchdog_ms=700)
    assert chip.watchdog_ms is None
    run(board, 3)
    assert chip.watchdog_ms == 700 and chip.feeds == 3


def energised(**values):
    c = Commands()
    c.s2_close, c.charger_ma, c.lock_drive = True, 16000, 0
    for name, value in values.items():
        setattr(c, name, value)
    return c


def words_of(chip, machine):
    return chip.machines[machine].words[-1]


def test_s2_that_the_dead_man_let_go_stays_open_until_the_logic_lets_go_too(chip):
    board, r = make(), Readings()
    run(board, 2, r, energised())
    assert words_of(chip, 4) > 0 and not r.output_lost
    chip.now_us += 30_000  # the loop stands still; the hardware opens S2
    run(board, 1, r, energised())
    assert words_of(chip, 4) == 0
    run(board, 5, r, energised())
    assert words_of(chip, 4) == 0
    run(board, 1, r, energised(s2_close=False, charger_ma=0))
    run(board, 1, r, energised())
    assert words_of(chip, 4) > 0


def test_a_lost_output_is_told_with_the_next_readings_once(chip):
    board, r, told = make(), Readings(), []
    run(board, 2, r, energised())
    chip.now_us += 30_000
    for _ in range(4):
        run(board, 1, r, energised())
        told.append(r.output_lost)
    assert told == [False, True, False, False]


def test_a_pass_that_decided_on_old_readings_closes_nothing(chip):
    board, r, c = make(), Readings(), energised()
    run(board, 2, r, energised(s2_close=False, charger_ma=0))
    board.next_pass()
    board.sample(r)
    chip.now_us += 18_000
    board.actuate(c)
    assert words_of(chip, 4) == 0


def test_a_late_pass_with_nothing_on_is_no_loss(chip):
    board, r = make(), Readings()
    c = energised(s2_close=False, charger_ma=0)
    run(board, 2, r, c)
    chip.now_us += 500_000
    run(board, 2, r, c)
    assert not r.output_lost
    run(board, 1, r, energised())
    assert words_of(chip, 4) > 0


def test_permission_to_drive_ends_with_the_loop(chip):
    board = make()
    run(board, 1, None, energised(drive_allowed=True))
    assert words_of(chip, 6) > 0
    run(board, 1, None, energised(drive_allowed=False))
    assert words_of(chip, 6) == 0


def test_resets_of_a_running_loop_are_counted_and_a_minute_forgives_them(chip):
    for crashes in (0, 1, 2):
        board = reset(chip)
        assert board.crashes == crashes
        run(board, 2)
        chip.cause = WDT_RESET
    board = reset(chip)
    run(board, 6001)
    assert reset(chip).crashes == 1


def test_a_reset_after_ctrl_c_or_power_is_no_crash(chip):
    board = make()
    run(board, 2)
    board.safe()
    board.stop_watchdog()
    chip.cause = WDT_RESET  # machine.reset() says the same
    board = reset(chip)
    assert board.crashes == 0
    run(board, 2)
    chip.cause = PWRON_RESET
    assert reset(chip).crashes == 0


def test_board_knows_its_id_and_settings(chip):
    board = make()
    assert board.board_id == "e601ab"
    assert board.settings() == {"max_current_ma": 16000}


def test_shipped_board_file_makes_a_board_that_believes_its_readings(chip):
    from drivers.board_file import load
    from drivers.rp2040_board import Rp2040Board

    text = (FIRMWARE / "boards" / "rp2040-reference.json").read_text(encoding="utf-8")
    r = run(Rp2040Board(load(text, "rp2"), Store()), 20)
    assert r.pp_ok and r.lock_feedback_ok and r.charger_ok and list(r.temp_ok) == [1, 1, 1, 1]
    assert abs(r.pp_rail_mv - 5000) <= 5


def test_outputs_start_off(chip):
    make()
    assert chip.machines[6].words[-1:] in ([], [0])
    assert chip.machines[4].words[-1:] in ([], [0]) and chip.machines[5].words[-1:] in ([], [0])
    assert [chip.pwms[n].duties[-1] for n in (0, 1, 7)] == [0, 0, 0]
    assert abs(chip.pwms[21].duties[-1] - 65535 * 5 // 100) <= 1
    assert (chip.pwms[21].freq, chip.pwms[0].freq) == (1000, 500)


def test_dead_men_and_captures_are_in_different_pio_blocks(chip):
    """Together the programs do not fit into one; both captures share theirs."""
    make()
    assert {sm_id // 4 for sm_id in (0, 1)} == {0} and set(chip.machines) == {0, 1, 4, 5, 6}
    assert chip.machines[0].program is chip.machines[1].program


def test_pulls_follow_the_board_file(chip):
    file = board_file()
    file.pins["demand"].pull = "down"
    from drivers.rp2040_board import Rp2040Board

    Rp2040Board(file, Store())
    assert (chip.pins[13].pull, chip.pins[12].pull, chip.pins[2].pull) == (1, 2, None)


def test_sample_fills_the_readings(chip):
    board = make()
    for pin in (13, 14, 15):
        chip.pins[pin].level = 1
    r = run(board, 12)
    assert r.pp_ok and abs(r.pp_mv - 1900) <= 5
    assert list(r.temp_ok) == [1, 1, 1, 1]
    assert r.charger_ok and r.lock_feedback_ok
    assert r.pilot_count == 0 and r.pilot_quiet_ms == 1000
    assert r.ac_ok and not r.ac_present and not r.stop_request and not r.unlock_request
    assert r.vehicle_age_ms == 60000
    for pin in (13, 14, 15):
        chip.pins[pin].level = 0
    r = run(board, 3, r)
    assert r.ac_present and r.stop_request and r.unlock_request


@pytest.mark.parametrize("inverted", [False, True])
def test_multiplexer_selects_every_channel(chip, inverted):
    file = board_file()
    for name in ("mux_0", "mux_1", "mux_2", "mux_3"):
        file.pins[name].is_inverted = inverted
    from drivers.rp2040_board import Rp2040Board

    board = Rp2040Board(file, Store())
    for channel in (0, 15, 5, 10, 0, 8):
        board._select(channel)
        assert chip.mux_bits >> 8 & 0xF == (channel ^ 0xF if inverted else channel)


def test_pilot_has_the_adc_only_between_sample_and_sample(chip):
    """`read_u16` of the fake fails while a burst runs; the last thing of a sample is the next burst."""
    board = make()
    chip.writes.clear()
    run(board, 1)
    assert [value for name, value in chip.writes if name == "cs"] == [8]
    run(board, 1)
    assert [value for name, value in chip.writes if name == "cs"] == [8, 0, 8]


@pytest.mark.parametrize("part", ["_pilot", "_demand_capture"])
def test_capture_that_fails_is_silence(chip, part):
    board = make()
    r = run(board, 3)
    r.pilot_count, r.pilot_quiet_ms = 5, 0

    def broken(*_):
        raise OSError(5)

    getattr(board, part).read = broken
    run(board, 1, r)
    assert r.pilot_count == 0 and r.pilot_quiet_ms == 1000 and r.pp_ok
    assert r.vehicle_age_ms == 60000


def test_closed_demand_line_leaves_what_the_bus_has_said(chip):
    board = make()
    r = run(board, 3)
    board.close_demand()
    r.vehicle_age_ms, r.vehicle_permits, r.vehicle_limit_ma = 20, True, 16000
    run(board, 5, r)
    assert (r.vehicle_age_ms, r.vehicle_permits, r.vehicle_limit_ma) == (20, True, 16000)


def test_adc_that_fails_leaves_the_lines_working(chip):
    board = make()
    chip.pins[14].level = 0
    chip.mv[15] = 0
    r = run(board, 4)
    assert not r.pp_ok and not r.cp_ok and r.stop_request


def test_actuate_obeys_and_proves_life(chip):
    board = make()
    c = Commands()
    c.s2_close, c.charger_ma, c.lock_drive, c.drive_allowed = True, 16000, 1, True
    c.look = 0x1000FFF  # steady white
    run(board, 2, c=c)
    alive = chip.machines[4].words[-1]
    assert alive > 0 and chip.machines[5].words[-1] > 0
    assert chip.pins[5].level == 1 and chip.pins[WAKE].level == 1
    assert abs(chip.pwms[21].duties[-1] - 65535 * 26 // 100) <= 2
    assert [chip.pwms[n].duties[-1] for n in (0, 1, 7)] == [65535] * 3
    run(board, 1, c=Commands())
    assert chip.machines[4].words[-1] == 0 and chip.machines[5].words[-1] == 0
    assert chip.pins[WAKE].level == 0 and chip.pins[20].level == 0


def test_without_actuate_nothing_is_fed(chip):
    board = make()
    before = len(chip.machines[4].words)
    for _ in range(5):
        board.next_pass()
        board.sample(Readings())
        board.feed_watchdog()
    assert len(chip.machines[4].words) == before


def starts_of(board, chip, works_us):
    starts = []
    for work_us in works_us:
        assert board.next_pass() is True
        starts.append(chip.now_us)
        chip.now_us += work_us
    return starts


def test_period_is_10_ms_without_drift(chip):
    board = make()
    starts = starts_of(board, chip, [6000] * 200)
    assert all(0 <= start - starts[0] - 10000 * n <= 20 for n, start in enumerate(starts))
    assert board.late == 0


def test_tick_is_taken_once_a_pass(chip):
    board = make()
    board.next_pass()
    tick_ms = board.now_ms()
    chip.now_us += 5000
    assert board.now_ms() == tick_ms
    board.next_pass()
    assert board.now_ms() - tick_ms == 10


@pytest.mark.parametrize("work_us, late", [(11900, 0), (12100, 1), (19000, 1)])
def test_pass_that_begins_over_2_ms_late_is_counted_and_the_schedule_kept(chip, work_us, late):
    board = make()
    starts = starts_of(board, chip, [1000, work_us, 500, 500, 500])
    assert board.late == late
    assert 0 <= starts[-1] - starts[0] - 40000 <= 20


def test_overrun_of_whole_passes_starts_a_new_schedule(chip):
    """None of the missed passes is made up for in a burst."""
    board = make()
    starts = starts_of(board, chip, [1000, 45000, 1000, 1000])
    assert board.late == 1
    gaps = [b - a for a, b in itertools.pairwise(starts[1:])]
    assert gaps[0] >= 45000 and 9980 <= gaps[1] <= 10020


def test_schedule_survives_the_wrap_of_the_clock(chip):
    board = make()
    chip.now_us = (1 << 30) - 35000
    board._is_scheduled = False
    starts = starts_of(board, chip, [6000] * 10)
    assert all(0 <= start - starts[0] - 10000 * n <= 20 for n, start in enumerate(starts))


def test_garbage_is_collected_when_allowed_and_every_5_s_at_most(chip, monkeypatch):
    collected = []
    monkeypatch.setattr(gc, "collect", lambda: collected.append(chip.now_us))
    board = make()
    for _ in range(1600):
        board.next_pass()
        board.slack(False)
    assert collected == []
    for _ in range(1600):
        board.next_pass()
        board.slack(True)
    assert len(collected) == 4
    assert all(b - a >= 4_990_000 for a, b in itertools.pairwise(collected))


def test_collection_is_not_a_late_pass(chip, monkeypatch):
    def collect():
        chip.now_us += 17000

    monkeypatch.setattr(gc, "collect", collect)
    board = make()
    for _ in range(1200):
        board.next_pass()
        board.slack(True)
    assert board.late == 0


def test_captures_are_armed_anew_in_the_slack(chip):
    board = make()
    rearmed = []
    board._pilot.rearm = lambda: rearmed.append("pilot")
    board._demand_capture.rearm = lambda: rearmed.append("demand")
    for _ in range(100):
        board.slack(False)
    assert rearmed == ["pilot", "demand"]


class Report:
    def __init__(self, text):
        self.left = list(text)

    def pending(self, wanted):
        return len(self.left)

    def take(self):
        return self.left.pop(0)


def all_released(chip):
    return all(chip.pins[n].mode == FakePin.IN for n in (*range(23), 26, 27, 28))


def test_safe_lets_go_of_everything_s2_first(chip):
    board = make()
    c = Commands()
    c.s2_close, c.lock_drive, c.drive_allowed, c.charger_ma, c.look = (
        True,
        1,
        True,
        32000,
        0x1000FFF,
    )
    run(board, 3, c=c)
    chip.log.clear()
    board.safe()
    assert all_released(chip)
    assert chip.log[0][0] == S2 and chip.log[1][0] == ENABLE
    assert not any(pwm.is_on for pwm in chip.pwms.values())
    assert not chip.machines[4].is_active and not chip.machines[5].is_active
    board.safe()


@pytest.mark.parametrize(
    "error", [OSError(5), ValueError("closed"), AttributeError("x"), TypeError("y")]
)
def test_safe_goes_on_when_every_part_fails(chip, error):
    board = make()

    def broken(*_):
        raise error

    for part in board._parts:
        part.release = broken
    board.safe()
    assert all_released(chip)


PARTS = [
    ("rp2040_board", "make_dead_man"),
    ("rp2040_board", "BridgeOut"),
    ("chip_board", "LimitOut"),
    ("chip_board", "LightOut"),
    ("rp2040_board", "CPLevel"),
    ("rp2040_board", "make_capture"),
    ("rp2040_board", "DemandIn"),
    ("rp2040_board", "Analog"),
]


@pytest.mark.parametrize("module, name", PARTS)
def test_board_that_cannot_be_made_is_safe_and_has_no_watchdog(chip, module, name, monkeypatch):
    # Not `from drivers import`: the package still holds the module of the test before.
    rp2040_board = importlib.import_module("drivers.rp2040_board")

    def broken(*_):
        raise OSError(16, "no room")

    monkeypatch.setattr(importlib.import_module("drivers." + module), name, broken)
    with pytest.raises(OSError, match="no room"):
        rp2040_board.Rp2040Board(board_file(), Store())
    assert all_released(chip) and chip.watchdog_ms is None


def test_failure_is_printed_and_kept(chip, monkeypatch):
    told = []
    monkeypatch.setattr(sys, "print_exception", told.append, raising=False)
    board = make()
    error = RuntimeError("step")
    board.failed(error)
    assert board.error is error and told == [error]


def test_note_goes_to_the_console(chip, capsysbinary):
    board = make()
    board.note("speed: no such setting")
    assert capsysbinary.readouterr().out == b"\nspeed: no such setting\n"


def test_watchdog_is_stopped_by_its_enable_bit_alone(chip):
    board = make()
    board.stop_watchdog()
    assert chip.writes[-1] == (WATCHDOG_CTRL_CLR, 1 << 30)


# ----------------------------------------------------------------------------------- what hangs on SPI

SPI = {"sck": 18, "mosi": 19, "miso": 16}
CAN = {"cs": 17, "crystal_hz": 16_000_000}


def test_board_without_spi_has_neither_can_nor_lines_and_touches_no_pin_for_them(chip):
    board = make()
    pins = set(chip.pins)
    assert board.open_can(500) is None and board.open_lines() is None
    assert chip.buses == [] and set(chip.pins) == pins
    assert "drivers.spi_parts" not in sys.modules


def test_can_and_lines_share_one_bus_and_nothing_of_it_is_touched_before(chip):
    board = make(spi=SPI, can=CAN, lines={"cs": 22})
    run(board, 3)
    assert chip.buses == [] and 17 not in chip.pins
    can, lines = board.open_can(500), board.open_lines()
    assert chip.buses == [
        (0, 4_000_000, {"polarity": 0, "phase": 0, "sck": 18, "mosi": 19, "miso": 16})
    ]
    assert (chip.pins[17].mode, chip.pins[17].level) == (FakePin.OUT, 1)
    assert (chip.pins[22].mode, chip.pins[22].level) == (FakePin.OUT, 1)
    chip.log.clear()
    can.tick(0)
    lines.tick(0)
    selected = {entry[1] for entry in chip.log if entry[0] == "spi"}
    assert selected == {(17,), (22,)}, "one at a time, each its own"


def test_both_chip_selects_are_high_before_the_bus_exists(chip):
    made = []
    spi = sys.modules["machine"].SPI
    sys.modules["machine"].SPI = lambda *a, **k: (
        made.append([chip.pins[n].level for n in (17, 22)]) or spi(*a, **k)
    )
    make(spi=SPI, can=CAN, lines={"cs": 22}).open_lines()
    assert made == [[1, 1]]


def test_second_spi_block_is_found_by_its_pins(chip):
    board = make(spi={"sck": 10, "mosi": 11, "miso": 8}, lines={"cs": 22})
    assert board.open_can(500) is None
    board.open_lines()
    assert chip.buses[0][0] == 1


def test_rate_the_crystal_cannot_make_is_one_sentence(chip):
    with pytest.raises(ValueError, match="crystal of 8000000 Hz"):
        make(spi=SPI, can={"cs": 17, "crystal_hz": 8_000_000}).open_can(1000)


def test_safe_leaves_the_bus_and_releases_the_lines_behind_s2(chip):
    board = make(spi=SPI, can=CAN, lines={"cs": 22})
    board.open_can(500)
    board.open_lines().outputs = 0x3F
    chip.log.clear()
    board.safe()
    said = [entry for entry in chip.log if entry[0] == "spi"]
    assert ("spi", (17,), b"\xc0") in said, "the CAN controller is reset"
    assert ("spi", (22,), b"\x40\x00\xff\xff") in said, "every line is an input"
    assert chip.log.index((S2, "in", None)) < chip.log.index(said[0])
    assert all_released(chip) and chip.pins[17].mode == chip.pins[22].mode == FakePin.IN


def test_waiting_for_the_period_polls_can_but_not_close_to_its_end(chip):
    board = make(spi=SPI, can=CAN)
    can = board.open_can(500)
    polls = []

    def poll():
        polls.append(chip.now_us)
        chip.now_us += 900

    can.poll = poll
    starts = starts_of(board, chip, [1000] * 50)
    assert all(0 <= start - starts[0] - 10000 * n <= 40 for n, start in enumerate(starts))
    assert board.late == 0
    assert len(polls) >= 49 * 7
