"""drivers.esp32_board on a chip made of plain Python: the board contract, real drivers inside, the shipped board file."""

import gc
import itertools
import runpy
import sys
import time
from types import SimpleNamespace

import board_fakes
import pytest
from board_fakes import FakeConsole, FakePin, FakePWM
from esp32_chip import Chip, PWMWave, Wave

from drivers.board_file import load
from inletctl.house import FIRMWARE
from signals import Commands, Readings

PILOT, S2, ENABLE, DIRECTION, WAKE, DEMAND, DRIVE, LIMIT = 35, 25, 26, 27, 33, 32, 23, 22
STOP, UNLOCK, AC = 15, 5, 13
LIGHTS = (2, 12, 14)
OUTPUTS = (S2, ENABLE, DIRECTION, WAKE, DRIVE, LIMIT, *LIGHTS)
DEVKITC = (FIRMWARE / "boards" / "esp32-devkitc.json").read_text(encoding="utf-8")
# mV at the ADC by multiplexer channel: ground and reference right, the rest in the middle.
MUX_MV = dict.fromkeys(range(16), 1000) | {15: 2048} | dict.fromkeys((0, 7, 11, 13, 14), 142)


class IrqPin(FakePin):
    """A GPIO that also takes an interrupt's handler."""

    IRQ_RISING, IRQ_FALLING = 1, 2
    handler = None

    def irq(self, handler=None, trigger=0):
        self.handler = handler


class PilotPin(IrqPin):
    """Shows the chip's wave."""

    def __call__(self, level=None):
        return self.chip.pin()


class BoardChip(Chip):
    """What `machine` and the clock are made of. `fail_at` is the number of the call of `machine` that fails."""

    def __init__(self, wave):
        super().__init__(wave)
        self.calls = []
        self.pins = {}
        self.pwms = {}
        self.feeds = 0
        self.watchdogs = []
        self.fail_at = None
        self.error = OSError(1)
        self.mux_mv = dict(MUX_MV)
        self.adc_fails = False
        self.timer = None
        self.timer_us = 0.0
        self.wdt_error = None
        self.rtc = b""
        self.cause = 1  # power on

    def _call(self, name):
        if self.fail_at is not None and len(self.calls) == self.fail_at:
            self.fail_at = None
            raise self.error
        self.calls.append(name)

    def make_pin(self, number, mode=None, pull=None, value=None):
        self._call(("pin", number))
        pin = self.pins.get(number)
        if pin is None:
            pin = self.pins[number] = (PilotPin if number == PILOT else IrqPin)(number)
            pin.chip = self
            pin.level = 1 if number in (STOP, UNLOCK, AC) else 0
        if mode is not None:
            pin.init(mode, pull, value)
        return pin

    def make_spi(self, kind, *args, **options):
        numbers = {key: getattr(value, "number", value) for key, value in options.items()}
        self.calls.append((kind, args, numbers))
        return SimpleNamespace(write=lambda words: None, write_readinto=lambda words, into: None)

    def make_adc(self, pin, atten=None):
        assert atten == 3, "11 dB"
        self._call(("adc", pin.number))
        return SimpleNamespace(read_uv=lambda: self.read_uv(pin.number))

    def read_uv(self, number):
        if self.adc_fails:
            raise OSError(258)
        if number == 36:
            self.spend(self.convert_us / 3)
            cp_mv = self.levels_mv[self.wave.level(self.now_us)]
            self.spend(self.convert_us * 2 / 3)
            multiplier, divisor, offset_mv = self.cp_scale
            return (cp_mv - offset_mv) * divisor // multiplier * 1000
        self.spend(self.convert_us)
        if number == 34:
            return 100_000
        channel = sum(self.pins[16 + n].level << n for n in range(4))
        return self.mux_mv[channel] * 1000

    def make_pwm(self, pin, freq, duty_u16, invert):
        self._call(("pwm", pin.number))
        made = self.pwms[pin.number] = FakePWM(pin, freq, duty_u16, invert)
        return made

    def make_wdt(self, timeout):
        self._call(("wdt", timeout))
        if self.wdt_error is not None:
            raise self.wdt_error
        self.watchdogs.append(timeout)
        return SimpleNamespace(feed=self.feed)

    def feed(self):
        self.feeds += 1

    def make_rtc(self):
        self._call("rtc")
        return SimpleNamespace(memory=self.memory)

    def memory(self, data=None):
        if data is None:
            return self.rtc
        self.rtc = bytes(data)
        return None

    def reset_cause(self):
        return self.cause

    def unique_id(self):
        self._call("unique_id")
        return bytes((0xE6, 0x01, 0xAB))

    def make_timer(self, number):
        self._call(("timer", number))
        return SimpleNamespace(PERIODIC=1, init=self.start_timer, deinit=self.stop_timer)

    def start_timer(self, mode, period, callback):
        self.timer = (period, callback)
        self.timer_us = self.now_us + period * 1000

    def stop_timer(self):
        self.timer = None

    def ticks_us(self):
        """Look at the clock: also where a callback that is due runs, between two bytecodes."""
        tick = super().ticks_us()
        while self.timer is not None and self.now_us >= self.timer_us:
            self.timer_us += self.timer[0] * 1000
            self.timer[1](None)
        return tick

    def is_driven(self, number):
        """Return whether the pin is an output that is high, or a PWM that runs."""
        pin = self.pins.get(number)
        if pin is None or pin.mode == FakePin.IN:
            return False
        return pin.level == 1


@pytest.fixture
def chip(monkeypatch):
    """A fake chip with a pilot of 1 kHz, 26 %, and the board's module loaded anew on it."""
    chip = BoardChip(PWMWave(1000, 26))
    chip.cp_scale = load(DEVKITC, "esp32").scale("cp")
    pin = type(
        "Pin",
        (),
        {
            "IN": 0,
            "OUT": 1,
            "PULL_UP": 1,
            "PULL_DOWN": 2,
            "__new__": lambda _, *a, **k: chip.make_pin(*a, **k),
        },
    )
    adc = type("ADC", (), {"ATTN_11DB": 3, "__new__": lambda _, *a, **k: chip.make_adc(*a, **k)})
    machine = SimpleNamespace(
        Pin=pin,
        ADC=adc,
        PWM=chip.make_pwm,
        WDT=chip.make_wdt,
        Timer=chip.make_timer,
        time_pulse_us=chip.time_pulse_us,
        unique_id=chip.unique_id,
        reset=lambda: None,
        RTC=chip.make_rtc,
        reset_cause=chip.reset_cause,
        WDT_RESET=3,
        SPI=lambda *a, **k: chip.make_spi("spi", *a, **k),
        SoftSPI=lambda *a, **k: chip.make_spi("soft", *a, **k),
    )
    monkeypatch.setitem(sys.modules, "machine", machine)
    chip.console = FakeConsole()
    chip.console.install(monkeypatch)
    monkeypatch.setattr(time, "ticks_us", chip.ticks_us, raising=False)
    monkeypatch.setattr(time, "ticks_ms", chip.ticks_ms, raising=False)
    names = ("drivers.esp32_board", "drivers.chip_board", "drivers.safe_pins", "drivers.spi_parts")
    for name in names:
        monkeypatch.delitem(sys.modules, name, raising=False)
    import drivers.safe_pins

    monkeypatch.setattr(drivers.safe_pins, "PINS", {sys.platform: drivers.safe_pins.PINS["esp32"]})
    yield chip
    for name in names:
        sys.modules.pop(name, None)


class Store:
    def read(self):
        return {"max_current_ma": 16000}


def make(file=None):
    from drivers.esp32_board import Esp32Board

    return Esp32Board(file or load(DEVKITC, "esp32"), Store())


def run(board, passes=1, c=None, r=None):
    r = r or Readings()
    c = c or Commands()
    for _ in range(passes):
        board.next_pass()
        board.sample(r)
        board.actuate(c)
        board.feed_watchdog()
        board.slack(False)
    return r


def energised():
    c = Commands()
    c.s2_close, c.charger_ma, c.lock_drive, c.drive_allowed = True, 16000, 1, True
    c.look = 0x1000FFF  # steady white
    return c


def test_rp2040_board_file_is_refused_by_name_and_leaves_no_pin_driven(chip):
    with pytest.raises(ValueError, match="rp2040-reference is for an rp2040, this is an esp32"):
        make(board_fakes.board_file())
    assert not any(chip.is_driven(number) for number in OUTPUTS)
    assert chip.watchdogs == []


@pytest.mark.parametrize("name", ["s2", "bridge_enable", "drive_allowed"])
def test_output_that_a_reset_would_switch_on_is_refused(chip, name):
    file = load(DEVKITC, "esp32")
    file.pins[name].is_inverted = True
    with pytest.raises(ValueError, match=name):
        make(file)


def test_outputs_start_off(chip):
    make()
    assert not any(chip.is_driven(number) for number in OUTPUTS)
    assert chip.pins[S2].mode == FakePin.OUT
    assert {number: pwm.duties[-1] for number, pwm in chip.pwms.items() if number != LIMIT} == {
        ENABLE: 0,
        2: 0,
        12: 0,
        14: 0,
    }
    assert abs(chip.pwms[LIMIT].duties[-1] - 65535 * 5 // 100) <= 1
    assert (chip.pwms[ENABLE].freq, chip.pwms[LIMIT].freq) == (20000, 1000)


def test_watchdog_starts_with_the_first_pass_and_is_fed_once_a_pass(chip):
    """What is printed between opening and the first pass may wait for a reader."""
    board = make()
    board.feed_watchdog()
    assert chip.watchdogs == [] and chip.feeds == 0
    chip.now_us += 5_000_000
    board.next_pass()
    assert chip.watchdogs == [1000] and chip.feeds == 0 and board.late == 0
    board.next_pass()
    assert chip.watchdogs == [1000]
    for n in range(5):
        run(board)
        assert chip.feeds == n + 1


def test_pass_without_its_end_does_not_feed_the_watchdog(chip):
    board = make()
    board.next_pass()
    board.sample(Readings())
    board.actuate(Commands())
    board.slack(True)
    assert chip.feeds == 0


@pytest.mark.parametrize("error", [OSError(1), ValueError("no such pin"), RuntimeError("no PWM")])
def test_board_that_fails_half_made_is_safe(chip, error):
    make()
    whole = len(chip.calls)
    assert whole > 25
    for fail_at in range(whole):
        chip.__init__(chip.wave)
        chip.fail_at, chip.error = fail_at, error
        with pytest.raises(type(error)):
            make()
        assert chip.fail_at is None
        assert not any(chip.is_driven(number) for number in OUTPUTS), fail_at
        for pin in chip.pins.values():
            assert pin.mode == FakePin.IN, (fail_at, pin.number)
        assert not any(pwm.is_on and pwm.duties[-1] for pwm in chip.pwms.values())
        assert chip.timer is None and chip.watchdogs == []


def test_sample_fills_the_readings(chip):
    board = make()
    r = run(board, 15)
    assert r.pilot_count == 3 and r.pilot_quiet_ms == 0
    assert 25.4 <= r.pilot_high_us_x10[0] * 100 / r.pilot_period_us_x10[0] <= 26
    assert r.cp_ok and abs(r.cp_high_mv - 9000) <= 40 and abs(r.cp_low_mv + 12000) <= 40
    assert r.pp_ok and r.pp_mv == 1000 * 17500 // 7500 and r.lock_feedback_ok
    assert list(r.temp_ok) == [1] * 4 and max(r.temp_age_ms) <= 250 and r.temp_rail_mv == 2000
    assert r.charger_ok and r.lock_motor_ma == 0
    assert r.ac_ok and not r.ac_present and not r.stop_request and not r.unlock_request
    assert r.vehicle_age_ms == 60000
    for number in (STOP, UNLOCK, AC):
        chip.pins[number].level = 0
    run(board, 3, r=r)
    assert r.ac_present and r.stop_request and r.unlock_request


def test_demand_line_comes_by_its_interrupt(chip):
    board = make()
    pin = chip.pins[DEMAND]
    r = Readings()
    begin_us = chip.now_us
    for n in range(20):
        for at_us, level in ((1000, 1), (3600, 0)):
            # Between the passes, when nothing blocks.
            chip.now_us = begin_us + n * 10000 + at_us
            pin.level = level
            pin.handler(pin)
        board._demand.read(r, n * 10)
    assert r.vehicle_permits and r.vehicle_age_ms == 0 and 14000 <= r.vehicle_limit_ma <= 16000


def test_closed_demand_line_leaves_what_the_bus_has_said(chip):
    board = make()
    r = run(board, 3)
    board.close_demand()
    r.vehicle_age_ms, r.vehicle_permits, r.vehicle_limit_ma = 20, True, 16000
    run(board, 5, r=r)
    assert (r.vehicle_age_ms, r.vehicle_permits, r.vehicle_limit_ma) == (20, True, 16000)


def test_pass_leaves_time_for_the_step(chip):
    """With the guessed cost of calls, from the model: not a measurement of silicon."""
    board = make()
    run(board, 3)
    begun_us = chip.now_us
    board.sample(Readings())
    assert chip.now_us - begun_us < 6500
    run(board, 20)
    assert board.late == 0


def test_what_the_adc_cannot_tell_from_ground_is_zero(chip):
    board = make()
    r = run(board, 4)
    for mv, read in ((100, 0), (149, 0), (150, 150), (900, 900)):
        chip.mux_mv[8] = mv
        run(board, 1, r=r)
        assert r.pp_ok and r.lock_feedback_mv == read * 19100 // 9100


@pytest.mark.parametrize("inverted", [False, True])
def test_multiplexer_selects_every_channel(chip, inverted):
    file = load(DEVKITC, "esp32")
    for n in range(4):
        file.pins["mux_%d" % n].is_inverted = inverted
    board = make(file)
    for channel in (0, 15, 5, 10, 0, 8):
        board._select(channel)
        seen = sum(chip.pins[16 + n].level << n for n in range(4))
        assert seen == (channel ^ 0xF if inverted else channel)


def test_adc_that_fails_is_no_reading_and_the_lines_work_on(chip):
    board = make()
    r = run(board, 5)
    chip.adc_fails = True
    chip.pins[STOP].level = 0
    run(board, 4, r=r)
    assert not (r.cp_ok or r.pp_ok or r.lock_feedback_ok or r.charger_ok or any(r.temp_ok))
    assert r.stop_request and r.pilot_count == 3
    chip.adc_fails = False
    run(board, 12, r=r)
    assert r.cp_ok and r.pp_ok


def test_pilot_that_hangs_is_quiet(chip):
    board = make()
    run(board, 5)
    chip.wave = Wave(1)
    r = run(board, 4)
    assert r.pilot_count == 0 and r.pilot_quiet_ms >= 20


def test_actuate_obeys(chip):
    board = make()
    run(board, 2, energised())
    assert chip.is_driven(S2) and chip.is_driven(DIRECTION) and chip.is_driven(WAKE)
    assert chip.is_driven(DRIVE)
    assert chip.pwms[ENABLE].duties[-1] == 65535 * 24 // 32
    assert abs(chip.pwms[LIMIT].duties[-1] - 65535 * 26 // 100) <= 2
    assert [chip.pwms[n].duties[-1] for n in LIGHTS] == [65535] * 3
    run(board, 1, Commands())
    assert not any(chip.is_driven(n) for n in (S2, WAKE, DRIVE))
    assert chip.pwms[ENABLE].duties[-1] == 0


def test_loop_that_comes_by_never_trips_the_dead_man(chip):
    board = make()
    c = energised()
    for n in range(120):
        # The bridge has a cap of its own.
        c.lock_drive = 1 if n < 80 else 0
        run(board, 1, c)
        assert chip.is_driven(S2)
    assert board._watch.trips == 0 and chip.timer is not None


def test_loop_that_hangs_in_python_loses_s2_and_bridge_within_20_ms(chip):
    """Section 6. Only as long as the interpreter itself still runs: the timer is a soft one."""
    board = make()
    run(board, 3, energised())
    fed_us = chip.now_us
    board.actuate(energised())
    while chip.is_driven(S2):
        board._mark.begin(chip.ticks_us())
        assert chip.now_us - fed_us <= 20100
    assert chip.now_us - fed_us >= 17000
    assert chip.pwms[ENABLE].duties[-1] == 0 and board._watch.trips == 1


def test_without_actuate_nothing_is_fed(chip):
    board = make()
    run(board, 2, energised())
    for _ in range(3):
        board.next_pass()
        board.sample(Readings())
        board.feed_watchdog()
    assert not chip.is_driven(S2) and chip.pwms[ENABLE].duties[-1] == 0


def off():
    c = Commands()
    c.drive_allowed = True
    return c


def hang(chip, board, ms):
    """Python that does not come back to the loop: callbacks run."""
    end_us = chip.now_us + ms * 1000
    while chip.now_us < end_us:
        chip.ticks_us()


def one_pass(board, c, r=None):
    return run(board, 1, c, r)


def is_on(chip):
    return chip.is_driven(S2), chip.pwms[ENABLE].duties[-1] > 0


@pytest.mark.parametrize("s2_close, lock_drive", [(True, 0), (False, 1), (False, -1), (True, 1)])
def test_loop_that_comes_back_closes_nothing_on_an_old_decision(chip, s2_close, lock_drive):
    board = make()
    c = Commands()
    c.s2_close, c.lock_drive = s2_close, lock_drive
    r = run(board, 3, c)
    assert is_on(chip) == (s2_close, lock_drive != 0) and not r.output_lost
    hang(chip, board, 25)
    assert is_on(chip) == (False, False)
    # Told in the very next pass, once; and held off as long as anything is wanted.
    assert one_pass(board, energised(), r).output_lost
    assert is_on(chip) == (False, False)
    for s2, lock in ((True, 0), (False, 1), (True, 1)):
        held = Commands()
        held.s2_close, held.lock_drive, held.charger_ma = s2, lock, 16000
        assert not one_pass(board, held, r).output_lost
        assert is_on(chip) == (False, False)
        assert abs(chip.pwms[LIMIT].duties[-1] - 65535 * 5 // 100) <= 1
    assert not one_pass(board, Commands(), r).output_lost
    one_pass(board, energised(), r)
    assert is_on(chip) == (True, True) and not board.was_lost


@pytest.mark.parametrize("age_ms, is_lost", [(16, False), (18, True), (500, True)])
@pytest.mark.parametrize("was_on", [False, True])
def test_old_pass_closes_nothing(chip, was_on, age_ms, is_lost):
    board = make()
    if was_on:
        run(board, 3, energised())
    else:
        run(board, 3, off())
    r = Readings()
    board.next_pass()
    begun_ms = board.now_ms()
    board.sample(r)
    chip.now_us = (begun_ms + age_ms) * 1000
    # Younger than 18 ms, but with the last feed longer ago, is a loss all the same where something was on.
    is_lost = is_lost or was_on
    board.actuate(energised())
    assert is_on(chip) == (not is_lost, not is_lost)
    assert board.was_lost == is_lost and not r.output_lost
    assert chip.is_driven(DRIVE) == (age_ms < 18)
    assert one_pass(board, energised(), r).output_lost == is_lost
    assert is_on(chip) == (not is_lost, not is_lost)
    assert not one_pass(board, Commands(), r).output_lost
    one_pass(board, energised(), r)
    assert is_on(chip) == (True, True)


def test_old_pass_that_wants_nothing_loses_nothing(chip):
    board = make()
    run(board, 3, off())
    board.next_pass()
    hang(chip, board, 100)
    board.actuate(off())
    assert not board.was_lost
    r = one_pass(board, energised())
    assert is_on(chip) == (True, True) and not r.output_lost


def test_hang_with_nothing_on_is_no_loss(chip):
    board = make()
    run(board, 3, Commands())
    hang(chip, board, 100)
    r = one_pass(board, energised())
    assert is_on(chip) == (True, True) and not r.output_lost and board._watch.trips > 0


def test_loss_in_a_pass_that_switches_off_is_told_but_holds_nothing(chip):
    board = make()
    run(board, 3, energised())
    board.next_pass()
    hang(chip, board, 30)
    board.actuate(Commands())
    assert is_on(chip) == (False, False)
    assert one_pass(board, energised()).output_lost
    assert is_on(chip) == (True, True)


def test_permission_to_drive_falls_with_the_loop_and_comes_back_with_a_fresh_pass(chip):
    board = make()
    run(board, 3, off())
    assert chip.is_driven(DRIVE)
    hang(chip, board, 21)
    assert not chip.is_driven(DRIVE)
    r = one_pass(board, off())
    assert chip.is_driven(DRIVE) and not r.output_lost


def test_garbage_collection_is_proof_of_life_up_to_18_ms(chip, monkeypatch):
    """Collected where nothing is energised but the permission to drive."""
    board = make()
    run(board, 2, off())

    def collect():
        chip.now_us += 15_000

    monkeypatch.setattr(gc, "collect", collect)
    chip.now_us += 6_000_000
    board.next_pass()
    board.sample(Readings())
    board.actuate(off())
    chip.now_us += 4_000
    before = board._watch.trips
    board.slack(True)
    chip.ticks_us()
    assert board._watch.trips == before and chip.is_driven(DRIVE)


@pytest.mark.parametrize(("erase_ms", "stays"), [(45, True), (400, True), (600, False)])
def test_permission_to_drive_outlasts_an_erase_and_nothing_longer(chip, erase_ms, stays):
    board = make()
    run(board, 3, off())
    board.begin_long()
    chip.now_us += erase_ms * 1000
    chip.ticks_us()
    assert chip.is_driven(DRIVE) is stays
    board.end_long()
    one_pass(board, off())
    assert chip.is_driven(DRIVE)


def test_s2_and_bridge_are_not_spared_by_something_long(chip):
    board = make()
    run(board, 3, energised())
    board.begin_long()
    chip.now_us += 21_000
    chip.ticks_us()
    assert is_on(chip) == (False, False)


def boot(chip, cause=3):
    """Reset the chip: what is kept is the RTC's memory."""
    rtc = chip.rtc
    chip.__init__(PWMWave(1000, 26))
    chip.cp_scale = load(DEVKITC, "esp32").scale("cp")
    chip.rtc, chip.cause = rtc, cause
    return make()


def test_crashes_are_counted_from_boot_to_boot(chip):
    assert make().crashes == 0
    board = boot(chip)
    assert board.crashes == 0, "a watchdog reset, but nothing was running"
    for n in range(1, 4):
        run(board, 2)
        board = boot(chip)
        assert board.crashes == n
    # The board never came to its first pass: the same count again, not another crash.
    assert boot(chip).crashes == 3


@pytest.mark.parametrize("cause", [1, 2, 4, 5])
def test_reset_by_anything_else_is_no_crash(chip, cause):
    run(make(), 2)
    run(boot(chip), 2)
    assert boot(chip, cause).crashes == 0


@pytest.mark.parametrize("kept", [b"", b"OI", b"OI\x01", b"XX\x01\x05", b"OI\x02\x05", bytes(40)])
def test_memory_of_somebody_else_is_no_crash(chip, kept):
    chip.rtc = kept
    assert boot(chip).crashes == 0


def test_count_of_crashes_stays_at_its_end(chip):
    chip.rtc = b"OI\x01\xff"
    board = boot(chip)
    assert board.crashes == 255
    run(board)
    assert boot(chip).crashes == 255


def test_loop_stopped_by_a_person_did_not_crash(chip):
    run(make(), 2)
    board = boot(chip)
    run(board, 2)
    board.stop_watchdog()
    assert boot(chip).crashes == 0


def test_a_minute_of_running_clears_the_count(chip):
    run(make(), 2)
    board = boot(chip)
    board.next_pass()
    for _ in range(5999):
        board.slack(False)
    assert board.crashes == 1 and chip.rtc == b"OI\x01\x01"
    board.slack(False)
    assert board.crashes == 0 and chip.rtc == b"OI\x01\x00"
    assert boot(chip).crashes == 1


def test_pins_are_let_go_of_even_if_a_part_is_interrupted(chip):
    board = make()
    run(board, 2, energised())

    def interrupted(*_):
        raise KeyboardInterrupt

    chip.pwms[LIMIT].deinit = interrupted
    with pytest.raises(KeyboardInterrupt):
        board.safe()
    assert all(pin.mode == FakePin.IN for pin in chip.pins.values())


@pytest.mark.parametrize("error", [ValueError, OSError, MemoryError, TypeError])
def test_safe_lets_go_of_everything_whatever_fails(chip, error):
    board = make()
    run(board, 2, energised())

    def broken(*_):
        raise error("broken")

    chip.pwms[LIMIT].deinit = broken
    chip.pwms[12].deinit = broken
    board.safe()
    assert isinstance(board.error, error)
    for pin in chip.pins.values():
        assert pin.mode == FakePin.IN
    assert chip.pins[S2].level == 0 and chip.timer is None
    board.safe()


def starts_of(board, chip, works_us):
    starts = []
    for work_us in works_us:
        assert board.next_pass() is True
        starts.append(chip.now_us)
        chip.now_us += work_us
    return starts


def test_period_is_10_ms_without_drift(chip):
    starts = starts_of(make(), chip, [6000] * 200)
    assert all(abs(start - starts[0] - 10000 * n) <= 30 for n, start in enumerate(starts))


@pytest.mark.parametrize("work_us, late", [(11900, 0), (12100, 1), (19000, 1)])
def test_pass_that_begins_over_2_ms_late_is_counted_and_the_schedule_kept(chip, work_us, late):
    board = make()
    starts = starts_of(board, chip, [1000, work_us, 500, 500, 500])
    assert board.late == late
    assert abs(starts[-1] - starts[0] - 40000) <= 30


def test_overrun_of_whole_passes_starts_a_new_schedule(chip):
    starts = starts_of(make(), chip, [1000, 45000, 1000, 1000])
    gaps = [b - a for a, b in itertools.pairwise(starts[1:])]
    assert gaps[0] >= 45000 and 9970 <= gaps[1] <= 10030


def test_tick_is_taken_once_a_pass(chip):
    board = make()
    board.next_pass()
    tick_ms = board.now_ms()
    chip.now_us += 5000
    assert board.now_ms() == tick_ms


def test_garbage_is_collected_only_when_allowed_and_the_mark_is_set(chip, monkeypatch):
    board = make()
    seen = []
    monkeypatch.setattr(gc, "collect", lambda: seen.append((chip.now_us, board._mark.is_on)))
    for may_collect, count in ((False, 0), (True, 3)):
        for _ in range(200):
            # Six passes' time at once.
            chip.now_us += 60_000
            board.next_pass()
            board.slack(may_collect)
        assert len(seen) == count
    assert all(is_on for _, is_on in seen)
    assert not board._mark.is_on


def test_note_and_failed_tell_on_the_console(chip, capsys, monkeypatch):
    board = make()
    board.note("a sentence")
    monkeypatch.setattr(sys, "print_exception", lambda error: print(repr(error)), raising=False)
    board.failed(RuntimeError("why"))
    assert capsys.readouterr().out == "\na sentence\nRuntimeError('why')\n"
    assert isinstance(board.error, RuntimeError)


def test_board_knows_its_id_and_settings(chip):
    board = make()
    assert board.board_id == "e601ab" and board.settings() == {"max_current_ma": 16000}


def test_watchdog_is_stretched_for_a_person_and_a_refusal_does_no_harm(chip):
    board = make()
    board.stop_watchdog()
    assert chip.watchdogs == [], "none was started yet"
    board.next_pass()
    board.stop_watchdog()
    assert chip.watchdogs == [1000, 3600000]
    chip.wdt_error = OSError(1)
    board.stop_watchdog()
    assert isinstance(board.error, OSError)


def test_main_loop_runs_on_it_and_a_broken_pass_ends_safe(chip, monkeypatch):
    """The real loop and the real step: no session without a car, then an ADC that raises what nobody expects."""
    monkeypatch.setattr(sys, "print_exception", lambda error: None, raising=False)
    main = runpy.run_path(str(FIRMWARE / "main.py"), run_name="openinlet")
    board = make()
    passes = []

    def read_uv(number):
        if number == 34:
            passes.append(chip.is_driven(S2))
            if len(passes) > 60:
                raise KeyError("broken")
        return BoardChip.read_uv(chip, number)

    chip.read_uv = read_uv
    main["run"](board)
    assert len(passes) == 61 and not any(passes)
    assert isinstance(board.error, KeyError) and board.late == 0
    assert all(pin.mode == FakePin.IN for pin in chip.pins.values())
    # Once a whole pass, and before each file that the journal opens in the last of them.
    assert 60 <= chip.feeds < 60 + 10


# ----------------------------------------------------------------------------------- what hangs on SPI


def buses(chip):
    return [call for call in chip.calls if call[0] in ("spi", "soft")]


def test_bus_that_shares_the_multiplexers_lines_is_driven_by_software(chip):
    board = make()
    can, lines = board.open_can(500), board.open_lines()
    assert buses(chip) == [
        (
            "soft",
            (),
            {"baudrate": 4_000_000, "polarity": 0, "phase": 0, "sck": 18, "mosi": 19, "miso": 0},
        )
    ]
    for select in (4, 21):
        assert (chip.pins[select].mode, chip.pins[select].level) == (FakePin.OUT, 1)
    can.tick(0)
    lines.tick(0)
    run(board, 2)


def test_bus_on_pins_of_its_own_is_a_hardware_block(chip):
    file = load(DEVKITC, "esp32")
    file.spi = {"sck": 4, "mosi": 21, "miso": 0}
    file.can, file.lines = None, {"cs": 1}
    make(file).open_lines()
    kind, args, options = buses(chip)[0]
    assert (kind, args) == ("spi", (2, 4_000_000))
    assert (options["sck"], options["mosi"], options["miso"]) == (4, 21, 0)


def test_safe_releases_what_hangs_on_the_bus(chip):
    board = make()
    board.open_can(500)
    board.open_lines()
    board.safe()
    for number in (0, 4, 18, 19, 21):
        assert chip.pins[number].mode == FakePin.IN
