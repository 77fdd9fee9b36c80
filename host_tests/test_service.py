"""service.ServiceMode: both buttons for five seconds, at an empty inlet, for ten minutes at most."""

import pytest

from release import HOLD, LOCK, UNLOCK
from service import ServiceMode
from signals import Readings


class Bench:
    def __init__(self):
        self.mode = ServiceMode()
        self.r = Readings()
        self.now_ms = 0x3FFFFF00
        self.is_idle = True
        self.is_unlocked = True
        self.mode.tick(self.now_ms, self.r, True, True)

    def go(self, ms, **readings):
        for name, value in readings.items():
            setattr(self.r, name, value)
        for _ in range(ms // 10):
            self.now_ms = (self.now_ms + 10) & 0x3FFFFFFF
            self.mode.tick(self.now_ms, self.r, self.is_idle, self.is_unlocked)
        return self.mode.is_on

    def switch_on(self):
        assert self.go(5010, stop_request=True, unlock_request=True)
        self.go(100, stop_request=False, unlock_request=False)
        return self


def test_it_takes_both_buttons_for_five_seconds():
    bench = Bench()
    assert not bench.go(5000, stop_request=True, unlock_request=True)
    assert bench.go(10)


@pytest.mark.parametrize("name", ["stop_request", "unlock_request"])
def test_one_button_is_not_enough_however_long(name):
    bench = Bench()
    assert not bench.go(60_000, **{name: True})


def test_a_button_let_go_begins_anew():
    bench = Bench()
    bench.go(4000, stop_request=True, unlock_request=True)
    bench.go(10, stop_request=False)
    assert not bench.go(4990, stop_request=True)
    assert bench.go(20)


def test_not_with_a_plug_in_or_s2_closed():
    bench = Bench()
    bench.is_idle = False
    assert not bench.go(60_000, stop_request=True, unlock_request=True)


def test_a_plug_ends_it_at_once():
    bench = Bench().switch_on()
    bench.is_idle = False
    assert not bench.go(10)
    bench.is_idle = True
    assert not bench.go(1000)


def test_it_ends_after_ten_minutes():
    bench = Bench().switch_on()
    assert bench.go(599_800)
    assert not bench.go(300)


def test_buttons_still_held_do_not_switch_it_on_again():
    bench = Bench()
    bench.go(5010, stop_request=True, unlock_request=True)
    assert bench.go(590_000)
    assert not bench.go(60_000)


def test_it_ends_when_told():
    bench = Bench().switch_on()
    assert not bench.go(10, service_end=True)


def test_the_lock_is_asked_for_what_the_computer_wants():
    bench = Bench().switch_on()
    assert bench.mode.lock_request == HOLD
    bench.go(10, test_lock=1)
    bench.go(500, test_lock=0)
    assert bench.mode.lock_request == LOCK
    bench.go(10, test_lock=-1)
    assert bench.mode.lock_request == UNLOCK


def test_a_bolt_that_was_driven_out_is_doubted_until_it_has_come_in_again():
    bench = Bench().switch_on()
    bench.go(10, test_lock=1)
    bench.is_unlocked = False
    bench.go(500, test_lock=0)
    assert bench.mode.is_bolt_doubted
    bench.is_idle = False
    bench.go(1000)
    assert (
        not bench.mode.is_on and bench.mode.is_bolt_doubted and bench.mode.lock_request == UNLOCK
    )
    bench.is_unlocked = True
    bench.go(10)
    assert not bench.mode.is_bolt_doubted


def test_buttons_that_hang_from_the_start_switch_nothing_on():
    bench = Bench()
    bench.mode = ServiceMode()
    assert not bench.go(60_000, stop_request=True, unlock_request=True)


def test_the_computer_alone_moves_nothing():
    bench = Bench()
    bench.go(1000, test_lock=1)
    assert bench.mode.lock_request == HOLD
