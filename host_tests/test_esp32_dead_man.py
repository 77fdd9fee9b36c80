"""The ESP32's dead-man by timer: drops what a loop that no longer comes by has left on, and only then."""

import pytest
from board_fakes import FakePin, FakePWM

from drivers.esp32_dead_man import CHECK_MS, DEAD_MAN_MS, LONG_MS, LoopWatch, PinHold, PWMHold


class Rig:
    """S2 and bridge, a clock in ms, and the timer: `tick` runs what is due."""

    PERIODIC = 1

    def __init__(self, start_ms=0):
        self.now_ms = start_ms
        self.callback = None
        self.pin = FakePin(3)
        self.enable = FakePin(4)
        self.pwm = FakePWM(self.enable, 20000)
        self.s2 = PinHold(self.pin)
        self.bridge = PWMHold(self.pwm, self.enable, 24)
        self.watch = LoopWatch(self, (self.s2, self.bridge), lambda: self.now_ms & 0x3FFFFFFF)
        self.watch.start()

    def init(self, mode, period, callback):
        assert mode == self.PERIODIC
        self.period_ms, self.callback = period, callback

    def deinit(self):
        self.callback = None

    def tick(self, ms):
        for _ in range(ms):
            self.now_ms += 1
            if self.callback and self.now_ms % self.period_ms == 0:
                self.callback(self)

    def feed(self, on=True):
        self.watch.fed()
        self.s2.feed(on)
        self.bridge.feed(on)

    def is_on(self):
        return self.pin.level == 1, self.pwm.duties[-1] > 0


def test_outputs_start_low_before_the_pin_is_driven():
    rig = Rig()
    assert rig.pin.log[0] == (0, "out", 0) or rig.pin.log[0][1:] == ("out", 0)
    assert rig.is_on() == (False, False)


@pytest.mark.parametrize("start_ms", [0, 0x3FFFFFFF - 25])
@pytest.mark.parametrize("offset_ms", range(CHECK_MS))
def test_fed_loop_keeps_both_on_for_ever(start_ms, offset_ms):
    rig = Rig(start_ms)
    rig.tick(offset_ms)
    for _ in range(300):
        rig.feed()
        rig.tick(10)
        assert rig.is_on() == (True, True)
    assert rig.watch.trips == 0


@pytest.mark.parametrize("start_ms", [0, 0x3FFFFFFF - 12])
@pytest.mark.parametrize("offset_ms", range(CHECK_MS))
def test_loop_that_stays_away_loses_both_between_18_and_20_ms(start_ms, offset_ms):
    """Architecture section 6; as far as a soft timer runs."""
    rig = Rig(start_ms)
    rig.tick(offset_ms)
    rig.feed()
    rig.tick(DEAD_MAN_MS - 1)
    assert rig.is_on() == (True, True) and not rig.watch.is_tripped
    rig.tick(3)
    assert rig.is_on() == (False, False)
    assert rig.watch.is_tripped and rig.watch.trips == 1
    rig.tick(1000)
    assert rig.is_on() == (False, False) and rig.watch.trips == 1


def test_loop_that_comes_back_drives_again_and_counts_anew():
    rig = Rig()
    for _ in range(3):
        rig.feed()
        rig.tick(30)
        assert rig.is_on() == (False, False)
        rig.feed()
        assert rig.is_on() == (True, True)
        rig.tick(5)
    rig.tick(30)
    assert rig.watch.trips == 4


def test_hold_that_lost_what_was_on_says_so_until_it_was_heard():
    rig = Rig()
    rig.tick(30)
    rig.feed(False)
    rig.tick(30)
    assert rig.watch.trips == 2 and not (rig.s2.is_lost or rig.bridge.is_lost)
    rig.feed()
    rig.bridge.feed(False)
    rig.tick(30)
    assert rig.s2.is_lost and not rig.bridge.is_lost
    rig.feed(False)
    assert rig.s2.is_lost
    rig.s2.is_lost = False
    rig.feed()
    rig.s2.feed(False)
    rig.tick(30)
    assert rig.bridge.is_lost and not rig.s2.is_lost


def test_late_feed_drops_first_where_the_timer_did_not_run():
    """The scheduler of soft callbacks drops one when its queue is full."""
    rig = Rig()
    rig.feed()
    rig.callback = None
    rig.tick(DEAD_MAN_MS - 1)
    rig.watch.fed()
    assert rig.is_on() == (True, True) and rig.watch.trips == 0
    rig.tick(DEAD_MAN_MS)
    rig.watch.fed()
    assert rig.is_on() == (False, False) and rig.watch.trips == 1
    assert rig.s2.is_lost and rig.bridge.is_lost and not rig.watch.is_tripped


@pytest.mark.parametrize("start_ms", [0, 0x3FFFFFFF - 300])
def test_what_is_spared_for_something_long_stays_half_a_second_and_no_longer(start_ms):
    rig = Rig(start_ms)
    rig.feed()
    rig.watch.fed_long(rig.s2)
    rig.tick(DEAD_MAN_MS + CHECK_MS)
    assert rig.is_on() == (True, False)
    rig.tick(LONG_MS - DEAD_MAN_MS - CHECK_MS - 1)
    assert rig.is_on() == (True, False)
    rig.tick(CHECK_MS)
    assert rig.is_on() == (False, False) and rig.s2.is_lost


def test_nothing_is_spared_once_the_loop_has_come_by():
    rig = Rig()
    rig.feed()
    rig.watch.fed_long(rig.s2)
    rig.tick(300)
    rig.feed()
    assert rig.is_on() == (True, True)
    rig.tick(DEAD_MAN_MS + CHECK_MS)
    assert rig.is_on() == (False, False)


def test_what_was_off_stays_off_while_it_is_spared():
    rig = Rig()
    rig.feed(False)
    rig.watch.fed_long(rig.s2)
    rig.tick(100)
    assert rig.is_on() == (False, False)


def test_released_hold_has_nothing_to_lose():
    rig = Rig()
    rig.feed()
    rig.s2.release()
    rig.bridge.release()
    rig.tick(40)
    assert not (rig.s2.is_lost or rig.bridge.is_lost)


def test_off_is_off_at_once():
    rig = Rig()
    rig.feed()
    rig.feed(False)
    assert rig.is_on() == (False, False)


def test_bridge_gets_its_share_of_the_supply():
    rig = Rig()
    rig.feed()
    assert rig.pwm.duties[-1] == 65535 * 24 // 32
    count = len(rig.pwm.duties)
    rig.feed()
    assert len(rig.pwm.duties) == count


def test_released_outputs_are_inputs_with_pull_down_and_stay_so():
    rig = Rig()
    rig.feed()
    for _ in range(2):
        rig.s2.release()
        rig.bridge.release()
        rig.watch.release()
    rig.feed()
    rig.s2.drop()
    rig.bridge.drop()
    for pin in (rig.pin, rig.enable):
        assert (pin.mode, pin.pull, pin.level) == (FakePin.IN, FakePin.PULL_DOWN, 0)
    assert rig.pwm.duties[-1] == 0 and not rig.pwm.is_on
    assert rig.callback is None


def test_bridge_whose_pwm_fails_is_an_input_all_the_same():
    rig = Rig()

    def broken():
        raise OSError(1)

    rig.pwm.deinit = broken
    with pytest.raises(OSError):
        rig.bridge.release()
    assert rig.enable.mode == FakePin.IN
