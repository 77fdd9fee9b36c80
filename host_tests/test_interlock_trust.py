"""When the step stops trusting the loop it runs in: lost outputs, late passes, crashes."""

import pytest

import faults
from inletctl.plant.config import PlantConfig
from inletctl.plant.world import World
from settings import Settings
from signals import Commands, Readings
from step import CRASHES_MAX, InletStep


class Inlet:
    """A plugged inlet stepped every 10 ms, or later."""

    def __init__(self, crashes=0):
        self.world = World(PlantConfig(), 1)
        self.world.do("plug", cable_a=None, ohm=None, bounce=0, touching="all")
        self.step = InletStep(Settings({"inlet": 1}))
        if crashes:
            self.step.distrust(crashes)
        self.r, self.c = Readings(), Commands()
        self.t_ms = 0

    def run(self, ms, every_ms=10):
        end_ms = self.t_ms + ms
        while self.t_ms < end_ms:
            self.t_ms += every_ms
            self.world.advance(self.t_ms * 1000)
            self.world.sample(self.r)
            self.step.step(self.t_ms, self.r, self.c)
            self.world.apply(self.c)
        return self.c


def is_internal(c):
    return bool(c.faults & faults.F_INTERNAL) and bool(c.reasons & faults.INTERNAL)


def test_an_output_that_hardware_took_away_ends_the_session_for_good():
    inlet = Inlet()
    assert inlet.run(8000).s2_close
    inlet.r.output_lost = True
    c = inlet.run(10)
    assert not c.s2_close and c.charger_ma == 0 and is_internal(c)
    inlet.r.output_lost = False
    c = inlet.run(30_000)
    assert not c.s2_close and is_internal(c)


def test_a_few_late_passes_are_forgiven():
    inlet = Inlet()
    inlet.run(8000)
    for _ in range(20):
        inlet.run(20, every_ms=20)
        inlet.run(100)
    assert inlet.c.s2_close and not is_internal(inlet.c)


@pytest.mark.parametrize("every_ms", [16, 20, 100])
def test_a_loop_that_stays_late_is_not_believed(every_ms):
    inlet = Inlet()
    inlet.run(8000)
    c = inlet.run(every_ms * 35, every_ms=every_ms)
    assert is_internal(c) and not c.s2_close


def test_after_a_crash_s2_rests_three_seconds_before_it_closes():
    calm, crashed = Inlet(), Inlet(crashes=1)
    closed_ms = []
    for inlet in (calm, crashed):
        while not inlet.c.s2_close and inlet.t_ms < 20_000:
            inlet.run(10)
        closed_ms.append(inlet.t_ms)
    assert closed_ms[1] >= 3000 and closed_ms[1] < 20_000
    assert not is_internal(crashed.c)


def test_a_loop_that_crashed_again_and_again_energises_nothing():
    inlet = Inlet(crashes=CRASHES_MAX)
    c = inlet.run(20_000)
    assert is_internal(c) and not c.s2_close
