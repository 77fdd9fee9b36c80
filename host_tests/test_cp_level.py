"""drivers.cp_level: what the windows find in a sampled pilot, and that the ADC is handed back as it was."""

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.cp_level import (
    ADC_BASE,
    RING,
    CPLevel,
    ring_first,
    ring_memory,
)
from drivers.rp2040_fast import extremes
from signals import Readings

CS, FCS, FIFO, DIV = (ADC_BASE + offset for offset in (0, 8, 12, 16))
EN, START_MANY, READY = 1, 8, 1 << 8
DREQ_EN, EMPTY, UNDER, OVER = 8, 1 << 8, 1 << 10, 1 << 11
SCALE = (9983, 1000, -16473)
ADDRESS = 0x20001234
SAMPLE_US = 905 / 48


class Chip:
    """The ADC's registers and one DMA channel, which writes into the ring what `run` samples."""

    def __init__(self, channel=0):
        self.registers = {CS: EN, FCS: 0, FIFO: 0, DIV: 0}
        self.count = 0
        self.is_active = False
        self.armed = []
        self.fifo = []  # samples the DMA did not take
        self.is_ready = True
        self.overflow = False
        self.ring = ring_memory()
        self.first = ring_first(ADDRESS)
        self._start_count = 0
        self.cp = CPLevel(
            self,
            self,
            0x1234,
            self.ring,
            self.first,
            ADDRESS + 2 * self.first,
            channel,
            SCALE,
            3300,
            extremes,
        )
        self.readings = Readings()

    # machine.mem32
    def __getitem__(self, address):
        if address == CS:
            return self.registers[CS] | (READY if self.is_ready else 0)
        if address == FCS:
            return (
                self.registers[FCS] | (0 if self.fifo else EMPTY) | (OVER if self.overflow else 0)
            )
        if address == FIFO:
            return self.fifo.pop(0)
        return self.registers[address]

    def __setitem__(self, address, value):
        self.registers[address] = value & ~(OVER | UNDER) if address == FCS else value

    # rp2.DMA
    def active(self, value):
        self.is_active = bool(value)

    def config(self, **kwargs):
        self.armed.append(kwargs)
        self.count = self._start_count = kwargs["count"]
        self.is_active = kwargs["trigger"]

    def run(self, mv_at, ms, from_us=0.0):
        """Sample `mv_at(us)`, mV at the pilot, for `ms`."""
        if not self.registers[CS] & START_MANY or not self.registers[FCS] & DREQ_EN:
            return
        for n in range(round(ms * 1000 / SAMPLE_US)):
            adc_mv = (mv_at(from_us + n * SAMPLE_US) - SCALE[2]) * SCALE[1] / SCALE[0]
            raw = min(4095, max(0, round(adc_mv * 4096 / 3300)))
            at = (self._start_count - self.count) % RING
            self.ring[self.first + at] = raw
            self.count -= 1

    def burst(self, mv_at, ms=8.0, from_us=0.0):
        self.cp.start()
        self.run(mv_at, ms, from_us)
        self.cp.finish(self.readings)
        return self.readings


def pwm(duty, period_us=1000.0, high=8980, low=-12000):
    return lambda us: high if us % period_us < duty * period_us else low


def test_levels_of_a_pilot_are_found():
    r = Chip().burst(pwm(0.3))
    assert r.cp_ok
    assert abs(r.cp_high_mv - 8980) <= 20 and abs(r.cp_low_mv + 12000) <= 20


@pytest.mark.parametrize("hz", [950, 980, 1000, 1020, 1050])
@pytest.mark.parametrize("duty", [0.03, 0.05, 0.5, 0.97])
def test_shortest_phases_are_found_at_every_point_of_the_pilot(hz, duty):
    chip = Chip()
    period_us = 1e6 / hz
    for n in range(40):
        r = chip.burst(pwm(duty, period_us), from_us=n * period_us / 40)
        assert r.cp_ok
        assert abs(r.cp_high_mv - 8980) <= 20 and abs(r.cp_low_mv + 12000) <= 20, n


@pytest.mark.parametrize("mv", [-12000, -100, 0, 6000, 9000, 12000])
def test_steady_level_is_both_levels(mv):
    noise = (0, 30, -30, 15, -20)
    r = Chip().burst(lambda us: mv + noise[int(us / SAMPLE_US) % 5])
    assert r.cp_ok and r.cp_high_mv == r.cp_low_mv
    assert abs(r.cp_high_mv - mv) <= 30


def test_one_disturbed_window_is_outvoted():
    """A spike of 1 ms in the newest window moves neither level; nor does one in the one before."""
    for spike_us in (6500, 5600):

        def mv_at(us, spike_us=spike_us):
            return 14000 if spike_us <= us < spike_us + 500 else pwm(0.3, high=6000)(us)

        r = Chip().burst(mv_at, ms=8)
        assert r.cp_ok and abs(r.cp_high_mv - 6000) <= 20


def test_newest_windows_count():
    """The level changed 4 ms before the end of the burst: three windows and a part of one fit into 4.9 ms."""
    r = Chip().burst(lambda us: pwm(0.3, high=9000 if us < 3000 else 6000)(us), ms=8)
    assert r.cp_ok and abs(r.cp_high_mv - 6000) <= 20


@pytest.mark.parametrize("ms, ok", [(0, False), (1, False), (3.5, False), (5, True), (60, True)])
def test_burst_too_short_for_three_windows_is_invalid_and_counted(ms, ok):
    chip = Chip()
    chip.burst(pwm(0.3), ms=2.0)
    lost = chip.cp.lost
    assert chip.burst(pwm(0.3), ms).cp_ok == ok
    assert chip.cp.lost == lost + (not ok)


def test_samples_of_the_burst_before_are_not_used_again():
    chip = Chip()
    assert chip.burst(pwm(0.3)).cp_ok
    assert not chip.burst(pwm(0.3), ms=3).cp_ok


def test_without_start_nothing_is_measured():
    chip = Chip()
    chip.readings.cp_ok = True
    chip.cp.finish(chip.readings)
    assert not chip.readings.cp_ok


def test_dead_dma_is_invalid():
    chip = Chip()
    chip.cp.start()
    chip.fifo = [1, 2, 3, 4]
    chip.overflow = True
    chip.cp.finish(chip.readings)
    assert not chip.readings.cp_ok and chip.fifo == []


def test_adc_that_never_gets_ready_does_not_hang():
    chip = Chip()
    chip.cp.start()
    chip.run(pwm(0.3), 8)
    chip.is_ready = False
    chip.cp.finish(chip.readings)
    assert not chip.readings.cp_ok


@pytest.mark.parametrize("channel", [0, 1, 2])
def test_adc_is_left_as_single_conversions_need_it(channel):
    chip = Chip(channel)
    chip.cp.start()
    assert chip.registers[CS] == EN | START_MANY | channel << 12
    assert chip.registers[DIV] == 904 << 8
    chip.run(pwm(0.3), 8)
    chip.cp.finish(chip.readings)
    assert chip.registers[CS] == EN | channel << 12
    assert chip.registers[FCS] == 0


def test_dma_is_armed_again_long_before_it_ends():
    chip = Chip()
    assert len(chip.armed) == 1 and chip.armed[0]["count"] < 1 << 30
    assert chip.armed[0]["read"] == FIFO and chip.armed[0]["write"] == ADDRESS + 2 * chip.first
    chip.count = 0x10000000
    chip.cp.start()
    assert len(chip.armed) == 1
    chip.cp.finish(chip.readings)
    chip.count -= 1
    assert chip.burst(pwm(0.3)).cp_ok
    assert len(chip.armed) == 2


def test_release_stops_adc_and_dma():
    chip = Chip()
    chip.cp.start()
    chip.cp.release()
    assert not chip.is_active and not chip.registers[CS] & START_MANY


@pytest.mark.parametrize("address", [0x20000000, 0x20000004, 0x200001FC, 0x20000200, 0x20001234])
def test_ring_starts_where_the_dma_wraps(address):
    first = ring_first(address)
    assert (address + 2 * first) % (2 * RING) == 0
    assert 0 <= first and first + RING <= len(ring_memory())


@given(st.lists(st.integers(0, 4095), min_size=1, max_size=80), st.data())
def test_extremes_are_the_highest_and_the_lowest_of_as_many_as_are_asked_for(samples, data):
    count = data.draw(st.integers(1, len(samples)))
    found = extremes(memoryview(array("H", samples)), count)
    assert (found >> 12, found & 0xFFF) == (max(samples[:count]), min(samples[:count]))
