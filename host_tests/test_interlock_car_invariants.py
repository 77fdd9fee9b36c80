"""What must hold in every pass whatever the car, its communication controller and a person's schedule say."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from interlock_rig import good_inputs

from connector import C_DC, C_SHARED, CONNECTORS
from faults import (
    BELOW_MINIMUM,
    H_CRASH,
    HOLD_REASON,
    HOLDS,
    INTERLOCKED,
    PILOT_DIGITAL,
    PILOT_STEADY,
    SHOW_B,
)
from interlock import CHARGING, RELEASED, RESTING, STOPPING, WAITING, Interlock
from settings import INLETS, Settings
from ticks import ticks_add

FLAGS = (
    "in_doubt", "is_plugged", "is_unplugged", "has_evse", "shows_b", "is_locked", "is_unlocked",
    "vehicle_permits", "charger_ok", "ac_ok", "ac_present", "stop_request", "unlock_request",
    "unlock_insisted", "dc_ok", "contactors_ok", "contactors_open", "modem_wants_c",
    "modem_permits_unlock", "car_ac_live",
)  # fmt: skip
TOGGLE_MAY = PILOT_DIGITAL | PILOT_STEADY | BELOW_MINIMUM | SHOW_B
STOPPERS = sum(1 << n for n, row in enumerate(HOLDS) if row[HOLD_REASON] == INTERLOCKED)


class AnyCar(RuleBasedStateMachine):
    """Any word of the car at any time, with every pass checked."""

    @initialize(
        inlet=st.sampled_from([INLETS.index(name) for name in ("type2", "ccs2", "nacs")]),
        dc_max_a=st.sampled_from((0, 200)),
        modem=st.integers(0, 1),
        policy=st.integers(0, 2),
        feedback=st.integers(0, 2),
        relock_s=st.sampled_from((0, 5)),
        start_ms=st.sampled_from((0, 2**30 - 2000)),
    )
    def start(self, inlet, dc_max_a, modem, policy, feedback, relock_s, start_ms):
        row = CONNECTORS[inlet]
        self.may_have_dc = row[C_DC] and dc_max_a > 0
        self.is_shared = self.may_have_dc and row[C_SHARED]
        self.may_hand_off = self.may_have_dc and modem and feedback
        self.k = Interlock(
            Settings(
                {
                    "inlet": inlet,
                    "dc_max_a": dc_max_a,
                    "modem": modem,
                    "lock_policy": policy,
                    "lock_feedback": feedback,
                    "relock_s": relock_s,
                }
            )
        )
        self.now_ms = start_ms
        self.toggle_passes = 0
        self.had_dc = self.has_crashed = False
        self.all_is_well()

    @rule(passes=st.sampled_from((1, 2, 31, 101, 601)))
    def run_passes(self, passes):
        for _ in range(passes):
            was_closed, was, was_dc = self.k.s2_close, self.k.session, self.k.is_dc
            self.k.tick(self.now_ms, self.i)
            self.check(was_closed, was, was_dc)
            self.now_ms = ticks_add(self.now_ms, 10)

    @rule()
    def all_is_well(self):
        self.i = good_inputs()
        self.i.dc_ok = self.i.contactors_ok = self.i.contactors_open = True
        self.run_passes(301)

    @rule()
    def digital(self):
        self.i.reasons = PILOT_DIGITAL
        self.i.offered_ma = 0
        self.i.modem_age_ms = 0
        self.run_passes(301)

    @rule(name=st.sampled_from(FLAGS), value=st.booleans())
    def flag(self, name, value):
        setattr(self.i, name, value)
        self.run_passes(1)

    @rule(value=st.sampled_from((0, 0, 1, 2, 3, 7)))
    def toggles(self, value):
        self.i.modem_toggles = value
        self.run_passes(31)

    @rule(value=st.sampled_from((0, 59999, 60000, 400000)))
    def volts(self, value):
        self.i.dc_mv = value
        self.run_passes(1)

    @rule(value=st.sampled_from((0, 500, 501, 60000)))
    def modem_age(self, value):
        self.i.modem_age_ms = value
        self.run_passes(1)

    @rule(value=st.sampled_from((0, 5999, 6000, 10000, 80000)))
    def person(self, value):
        self.i.person_ma = value
        self.run_passes(1)

    @rule(value=st.sampled_from((0, 6000, 32000)))
    def offer(self, value):
        self.i.offered_ma = value
        self.run_passes(1)

    @rule(reason=st.sampled_from((0, PILOT_DIGITAL, PILOT_STEADY)))
    def pilot(self, reason):
        self.i.reasons = reason
        self.run_passes(1)

    @rule(bit=st.integers(0, len(HOLDS) - 1), on=st.booleans())
    def hold(self, bit, on):
        if 1 << bit != H_CRASH or on:
            self.i.holds = self.i.holds & ~(1 << bit) | (on << bit)
        self.run_passes(1)

    def check(self, was_closed, was, was_dc):
        k, i = self.k, self.i
        self.has_crashed = self.has_crashed or bool(i.holds & H_CRASH)
        if k.s2_close:
            assert not i.holds & STOPPERS and not self.has_crashed
        if i.holds & ~k.holds:
            raise AssertionError("a hold was swallowed")
        # Current is AC's alone, and never above what a person allows.
        assert not (k.is_dc and k.charger_ma)
        assert k.charger_ma <= max(0, min(i.person_ma, i.offered_ma))
        self.check_toggle()
        if k.s2_close and not was_closed and k.session == CHARGING:
            assert k.is_dc == bool(i.reasons & PILOT_DIGITAL)
            if k.is_dc:
                assert self.may_hand_off and i.modem_wants_c and i.modem_age_ms <= 500
                assert (i.is_locked and i.offered_ma == 0) or i.reasons == PILOT_DIGITAL
            elif self.is_shared:
                assert i.contactors_ok and i.contactors_open
        if was in (CHARGING, STOPPING) and k.session in (CHARGING, STOPPING):
            assert k.is_dc == was_dc, "AC and DC never change places with S2 closed"
        self.check_release()

    def check_toggle(self):
        """State C outside a session is a wake-up: short, asked for, and where no energy can come of it."""
        k, i = self.k, self.i
        if not k.s2_close or k.session in (CHARGING, STOPPING):
            self.toggle_passes = 0
            return
        self.toggle_passes += 1
        assert k.session == WAITING and not k.reasons & ~TOGGLE_MAY and k.charger_ma == 0
        assert self.may_hand_off and i.modem_age_ms <= 500 and i.offered_ma == 0 and i.is_locked
        assert self.toggle_passes <= 31

    def check_release(self):
        k, i = self.k, self.i
        if i.is_unplugged:
            self.had_dc = False
        elif k.s2_close and k.is_dc:
            self.had_dc = True
        if not k.may_unlock or i.is_unplugged:
            return
        assert not k.s2_close
        assert not (i.dc_ok and i.dc_mv >= 60000)
        if self.may_have_dc:
            assert not (i.contactors_ok and not i.contactors_open)
        if self.had_dc or self.is_shared:
            is_proven = i.dc_ok and i.contactors_ok
            assert is_proven or i.unlock_insisted


AnyCar.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestAnyCar = AnyCar.TestCase


def test_machine_really_hands_off_toggles_and_releases():
    """Not vacuous: the rules above reach DC, a toggle and a release."""
    machine = AnyCar()
    machine.start(INLETS.index("ccs2"), 200, 1, 0, 2, 5, 0)
    assert machine.k.session == CHARGING and not machine.k.is_dc
    machine.i.shows_b = True
    machine.digital()
    machine.run_passes(601)
    assert machine.k.session in (WAITING, RESTING)
    machine.i.modem_toggles = 1
    machine.run_passes(2)
    assert machine.k.s2_close and machine.toggle_passes
    machine.run_passes(601)
    machine.flag("modem_wants_c", True)
    machine.run_passes(101)
    assert machine.k.is_dc and machine.k.session == CHARGING and machine.had_dc
    machine.i.modem_wants_c = False
    machine.i.modem_permits_unlock = True
    machine.flag("unlock_request", True)
    machine.run_passes(601)
    assert machine.k.session == RELEASED and machine.k.may_unlock
