"""Anything at any time, to the whole step: a Hypothesis state machine over raw readings, every pass of it watched."""

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from inletctl.prove import truth as t
from inletctl.prove.firmware import healthy, load
from inletctl.prove.known_bad import read
from inletctl.prove.rig import CONFIGS, DIMENSIONS, NOW_MS, Rig

pytestmark = pytest.mark.no_cover

HAPPENINGS = [(name, value) for name, values in DIMENSIONS.items() for value in values]
PASSES = st.sampled_from((1, 1, 1, 2, 2, 3, 5, 12, 55))


def around(limits, low, high):
    """Dense at the limits, sparse between."""
    near = sorted({b + d for b in limits for d in range(-2, 3) if low <= b + d <= high})
    return st.one_of(st.sampled_from(near), st.integers(low, high))


LEVELS = {edge for bounds in t.level.BOUNDS_MV for edge in bounds}
LEVELS |= {edge + d for edge in LEVELS for d in (-t.level.HOLD_MV, t.level.HOLD_MV)}
DUTIES = {last for bands in t.duty.BANDS for last, *_ in bands}
RAW = {
    "pp_mv": around((0, 900, 1505, 1907, 2763, 3725, 4455), 0, 5500),
    "pp_rail_mv": around((t.proximity.RAIL_MIN_MV, t.proximity.RAIL_MAX_MV, 5000), 0, 6000),
    "cp_high_mv": around(LEVELS, -14_500, 14_500),
    "cp_low_mv": around((t.control._LOW_MAX_MV, -12_000), -14_500, 1_000),
    "pilot_high_us_x10": around(DUTIES, 0, 10_000),
    "pilot_period_us_x10": around(
        (t.capture.PERIOD_MIN_US_X10, t.capture.PERIOD_MAX_US_X10, 10_000), 1, 20_000
    ),
    "pilot_quiet_ms": around((t.QUIET_MS,), 0, 1000),
    "pilot_count": st.integers(0, 5),
    "temp_mv_0": around((40, 336, 533, 1650, 3250), 0, 3300),
    "temp_mv_1": around((40, 336, 533, 1650, 3250), 0, 3300),
    "temp_age_ms_0": around((1000,), 0, 60_000),
    "lock_feedback_mv": around((480, 580, 680, 1500, 2510, 2860, 3210), 0, 5000),
    "lock_motor_ma": around((0, 1999, 2000, 2001), 0, 9000),
    "charger_ma": around((t.NO_CURRENT_MA, 32_000), 0, 90_000),
    "vehicle_limit_ma": around((0, 6000, 32_000), 0, 90_000),
    "vehicle_age_ms": around((500,), 0, 60_000),
    "person_limit_ma": around((0, 6000, 32_000), 0, 80_000),
    "port_ma": around((0, 6000, 32_000), 0, 80_000),
    "dc_mv": around((t.LIVE_DC_MV,), 0, 1_000_000),
    "modem_age_ms": around((t.MODEM_SILENT_MS,), 0, 60_000),
    "modem_toggles": st.integers(0, 3),
    "holds": st.integers(0, len(t.faults.HOLDS) - 1).map(lambda n: 1 << n),
    "test_lock": st.sampled_from((-1, 0, 1)),
}
FLAGS = (
    "cp_ok", "pp_ok", "lock_feedback_ok", "charger_ok", "ac_ok", "ac_present", "vehicle_permits", "stop_request",
    "unlock_request", "console_stop", "car_stop", "car_unlock", "car_ac_live", "dc_ok", "contactors_ok",
    "contactors_open", "modem_wants_c", "modem_permits_unlock", "service_end", "output_lost",
)  # fmt: skip
SETTINGS = {
    "lock_inverted": st.integers(0, 1),
    "lock_policy": st.integers(0, 2),
    "lock_feedback": st.sampled_from((0, 2)),
    "ac_sense": st.integers(0, 1),
    "retries_max": st.integers(0, 3),
    "relock_s": st.sampled_from((0, 1, 60)),
    "min_current_ma": st.sampled_from((6000, 10_000)),
    "max_current_ma": st.sampled_from((10_000, 32_000, 80_000)),
    "crash_unlock": st.integers(0, 1),
    "unlock_presses": st.integers(1, 3),
    "heater": st.integers(0, 1),
    "plug_debounce_ms": st.sampled_from((100, 500)),
}


class AnyInlet(RuleBasedStateMachine):
    """Whatever is read, whenever: no invariant is broken."""

    firmware = healthy()

    @initialize(
        config=st.sampled_from(sorted(CONFIGS)),
        more=st.fixed_dictionaries({}, optional=SETTINGS),
        start_ms=st.sampled_from((NOW_MS, 2**30 - 2000)),
    )
    def start(self, config, more, start_ms):
        self.rig = Rig(self.firmware, {**CONFIGS[config], **more})
        self.rig.now_ms = start_ms
        self.go_on(60)

    @rule(passes=st.sampled_from((55, 310)))
    def wait(self, passes):
        self.go_on(passes)

    def go_on(self, passes):
        for _ in range(passes):
            broken = self.rig.one_pass()
            assert broken is None, broken.sentence

    @rule()
    def plug_in_and_charge(self):
        self.rig.raw.clear()
        for name in DIMENSIONS:
            self.rig.put(name, next(iter(DIMENSIONS[name])))
        self.rig.put("pp", "in").put("cp", "pwm")
        self.go_on(310)

    @rule(happening=st.sampled_from(HAPPENINGS), passes=PASSES)
    def something_happens(self, happening, passes):
        self.rig.put(*happening)
        self.go_on(passes)

    @rule(data=st.data(), name=st.sampled_from(sorted(RAW)), passes=PASSES)
    def reads(self, data, name, passes):
        self.rig.raw[name] = data.draw(RAW[name])
        self.go_on(passes)

    @rule(name=st.sampled_from(FLAGS), value=st.integers(0, 1), passes=PASSES)
    def flag(self, name, value, passes):
        self.rig.raw[name] = value
        self.go_on(passes)

    @rule(passes=PASSES)
    def undisturbed(self, passes):
        self.rig.raw.clear()
        self.go_on(passes)

    @rule(late_ms=st.sampled_from((1, 6, 50, 400)))
    def late(self, late_ms):
        broken = self.rig.one_pass(late_ms)
        assert broken is None, broken.sentence


SHORT = settings(
    max_examples=40,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
AnyInlet.TestCase.settings = SHORT
TestAnyInlet = AnyInlet.TestCase


def test_the_machine_finds_a_broken_firmware():
    """Not vacuous: a limit that is ignored is found. Unshrunk, since that takes a minute and proves no more."""
    bad = next(bad for bad in read() if bad.name == "person-ignored")

    class Broken(AnyInlet):
        firmware = load(edits=bad.edits)

    once = settings(
        SHORT, max_examples=300, database=None, print_blob=False, report_multiple_bugs=False,
        phases=(Phase.generate,),
    )  # fmt: skip
    with pytest.raises(AssertionError, match="invariant LIMIT-PERSON is broken"):
        run_state_machine_as_test(Broken, settings=once)


def test_the_machine_reaches_every_session():
    machine = AnyInlet()
    machine.start("type2", {}, NOW_MS)
    seen = set()
    for step in (
        machine.plug_in_and_charge,
        lambda: machine.something_happens(("draw", "ignores"), 3),
        lambda: machine.something_happens(("person", "stop"), 3),
        lambda: machine.something_happens(("draw", "obeys"), 55),
        lambda: machine.something_happens(("person", "unlock"), 310),
        lambda: machine.something_happens(("pp", "out"), 1),
        lambda: machine.something_happens(("cp", "none"), 55),
    ):
        step()
        seen.add(t.SESSIONS[machine.rig.c.session])
    assert seen == set(t.SESSIONS) - {"waiting"}
