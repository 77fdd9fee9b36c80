"""A stuck lock in the cold: heat, then try again, three times at most."""

import pytest

from lock.thaw import (
    _NEXT,
    _WANTS_HEAT,
    COLD_DECIC,
    HEATING,
    IDLE,
    SPENT,
    THAW_NAMES,
    TRIES_MAX,
    TRYING,
    WARM_DECIC,
    Thaw,
)
from ticks import ticks_add

STARTS = (0, 2**30 - 50)
EVENTS = 7


class Port:
    def __init__(self, start_ms=0, is_fitted=True):
        self.t = Thaw(is_fitted)
        self.now_ms = start_ms
        self.has_failed = True
        self.is_ok = True
        self.decic = COLD_DECIC - 1
        self.is_unplugged = False
        self.is_settled = True
        self.tries = 0

    def run(self, ms=10):
        for _ in range(ms // 10):
            self.t.tick(
                self.now_ms, self.has_failed, self.is_ok, self.decic, self.is_unplugged,
                self.is_settled,
            )  # fmt: skip
            self.tries += self.t.try_again
            self.now_ms = ticks_add(self.now_ms, 10)
        return self


def test_table_is_whole_and_heats_in_one_state_only():
    assert len(_NEXT) == len(THAW_NAMES) == len(_WANTS_HEAT)
    assert all(len(row) == EVENTS and set(row) <= {IDLE, HEATING, TRYING, SPENT} for row in _NEXT)
    assert _WANTS_HEAT == (False, True, False, False)
    assert {cell for row in _NEXT for cell in row} == {IDLE, HEATING, TRYING, SPENT}


@pytest.mark.parametrize("start_ms", STARTS)
def test_a_cold_stuck_lock_is_heated_for_two_minutes_then_tried(start_ms):
    port = Port(start_ms).run(20)
    assert port.t.wants_heat
    port.run(119900)
    assert port.t.wants_heat and port.tries == 0
    port.run(200)
    assert not port.t.wants_heat and port.tries == 1


def test_a_port_that_gets_warm_is_tried_at_once():
    port = Port().run(1000)
    port.decic = WARM_DECIC
    port.run(20)
    assert port.tries == 1 and not port.t.wants_heat


def test_three_tries_and_no_more_until_the_plug_is_out():
    port = Port().run(3600000)
    assert port.tries == TRIES_MAX and port.t.state == SPENT and not port.t.wants_heat
    port.is_unplugged = True
    port.run(20)
    assert port.t.state == IDLE
    port.is_unplugged = False
    port.run(130000)
    assert port.tries == TRIES_MAX + 1


def test_a_lock_that_moves_ends_it():
    port = Port().run(1000)
    port.has_failed = False
    assert not port.run(20).t.wants_heat and port.t.state == IDLE


def test_tries_are_counted_until_the_plug_is_out_whatever_happens_between():
    port = Port()
    for _ in range(20):
        port.has_failed = True
        port.run(130000)
        port.has_failed = False
        port.run(40000)
    assert port.tries == TRIES_MAX


def test_a_try_under_way_is_waited_for():
    port = Port().run(121000)
    assert port.t.state == TRYING
    port.has_failed = port.is_settled = False
    assert port.run(60000).t.state == TRYING
    port.is_settled = True
    assert port.run(20).t.state == IDLE


@pytest.mark.parametrize(
    "warm",
    [{"decic": COLD_DECIC}, {"is_ok": False}, {"has_failed": False}, {"is_unplugged": True}],
)
def test_only_a_failed_lock_known_to_be_cold_is_heated(warm):
    port = Port()
    for name, value in warm.items():
        setattr(port, name, value)
    port.run(300000)
    assert port.t.state == IDLE and not port.t.wants_heat and port.tries == 0


def test_without_a_heater_nothing_is_tried():
    port = Port(is_fitted=False).run(300000)
    assert port.tries == 0 and not port.t.wants_heat


@pytest.mark.parametrize("decic", [COLD_DECIC, COLD_DECIC + 1, WARM_DECIC, 400])
def test_a_lock_that_is_stuck_without_cold_is_not_heated(decic):
    port = Port()
    port.decic = decic
    port.run(1000)
    assert port.t.state == IDLE and not port.t.wants_heat


@pytest.mark.parametrize("start_ms", STARTS)
def test_heating_ends_also_where_no_pass_meets_its_end(start_ms):
    port = Port(start_ms).run(10)
    port.now_ms = ticks_add(start_ms, 120_001)
    assert port.run(10).t.state == TRYING and not port.t.wants_heat


@pytest.mark.parametrize("decic", [WARM_DECIC, WARM_DECIC + 1, 400])
def test_a_port_is_warm_from_the_border_up(decic):
    port = Port().run(1000)
    port.decic = decic
    assert port.run(10).t.state == TRYING and not port.t.wants_heat
