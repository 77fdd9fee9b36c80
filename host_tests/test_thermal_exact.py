"""thermal: every temperature limit to the digit."""

from itertools import pairwise

import pytest
from test_thermal_port import Bench

from faults import F_OVER_TEMPERATURE, F_TEMP_DISAGREE, F_TEMP_RISE
from thermal.params import NTC, ChannelParams


class ExactProbe:
    """Stands in for a probe: a millivolt is 0.1 C."""

    def __init__(self):
        self.decic = 0

    def read(self, mv, _rail_mv):
        self.decic = mv
        return 0


def exact(*decic, **limits):
    """Two contacts that read these 0.1 C to the digit, settled."""
    bench = Bench(**limits)
    for channel in bench.port._channels:
        channel._probe = ExactProbe()
    bench.mv[:] = decic
    return bench.run(12_000)


@pytest.mark.parametrize(
    ("decic", "fault"), [(899, 0), (900, F_OVER_TEMPERATURE), (901, F_OVER_TEMPERATURE)]
)
def test_stop_to_the_digit(decic, fault):
    bench = exact(850, 840)
    bench.mv[0] = decic
    assert bench.run(1000).port.faults == fault


@pytest.mark.parametrize(
    ("decic", "fault"), [(699, 0), (700, F_OVER_TEMPERATURE), (701, F_OVER_TEMPERATURE)]
)
def test_resume_to_the_digit(decic, fault):
    bench = exact(900, 690)
    assert bench.port.faults == F_OVER_TEMPERATURE
    for bench.mv[0] in range(900, decic - 1, -10):
        bench.run(1000)
    bench.mv[0] = decic
    assert bench.run(20_000).port.decic[0] == decic
    assert bench.port.faults == fault


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("jump_decic", "fault"), [(149, 0), (150, 0), (151, F_TEMP_RISE), (152, F_TEMP_RISE)]
)
def test_jump_to_the_digit(sign, jump_decic, fault):
    bench = exact(400, 400)
    bench.mv[0] += sign * jump_decic
    assert bench.run(5000).port.faults == fault


@pytest.mark.parametrize(("apart_decic", "fault"), [(349, 0), (350, 0), (351, F_TEMP_DISAGREE)])
def test_disagreement_to_the_digit(apart_decic, fault):
    assert exact(200, 200 + apart_decic).run(2000).port.faults == fault


@pytest.mark.parametrize(
    ("apart_decic", "fault"), [(49, 0), (50, F_TEMP_DISAGREE), (51, F_TEMP_DISAGREE)]
)
def test_agreement_to_the_digit(apart_decic, fault):
    bench = exact(200, 551).run(2000)
    for bench.mv[1] in range(550, 200 + apart_decic, -10):
        bench.run(1000)
    bench.mv[1] = 200 + apart_decic
    bench.run(20_000)
    assert bench.port.decic[1] == 200 + apart_decic
    assert bench.port.faults == fault


def test_value_never_falls_faster_than_1_6_k_per_s():
    bench = exact(700, 700)
    bench.mv[0] = 560
    seen = [bench.run(100).port.decic[0] for _ in range(40)]
    assert all(a - b <= 2 for a, b in pairwise(seen))
    assert 700 - seen[9] <= 16


def test_median_of_three_is_the_middle_one_in_any_order():
    for order in ((1, 2, 3), (1, 3, 2), (2, 1, 3), (2, 3, 1), (3, 1, 2), (3, 2, 1)):
        bench = Bench((ChannelParams(NTC),))
        bench.port._channels[0]._probe = ExactProbe()
        for n in order:
            bench.mv[0] = 300 + n
            bench.run(100)
        assert bench.port._channels[0].median_decic == 302
        assert bench.port.decic[0] == 302
