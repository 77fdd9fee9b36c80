"""What must hold in every pass, whatever the inputs do: a Hypothesis state machine over raw inputs."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from interlock_rig import good_inputs

from inputs import Inputs
from interlock import _NEXT, CHARGING, RESTING, STOPPING, UNPLUGGED, Interlock
from release import LOCK_REQUEST_NAMES, UNLOCK
from settings import Settings
from ticks import ticks_add, ticks_diff

FLAGS = (
    "in_doubt", "is_plugged", "is_unplugged", "is_clear_to_drive", "has_evse", "shows_b",
    "is_pilot_dead", "has_rating", "is_locked", "is_unlocked", "vehicle_permits", "charger_ok",
    "ac_ok", "ac_present", "stop_request", "unlock_request",
)  # fmt: skip
CURRENTS = ("offered_ma", "rated_ma", "thermal_ma", "vehicle_limit_ma", "charger_ma")
MA = st.sampled_from((0, 999, 1000, 5999, 6000, 6001, 10000, 16000, 31999, 32000, 80000))


class AnyInputs(RuleBasedStateMachine):
    """Any input at any time, with every pass checked."""

    @initialize(
        start_ms=st.sampled_from((0, 2**30 - 2000)),
        policy=st.integers(0, 2),
        ac_sense=st.integers(0, 1),
        retries_max=st.integers(0, 10),
    )
    def start(self, start_ms, policy, ac_sense, retries_max):
        self.settings = Settings(
            {"lock_policy": policy, "ac_sense": ac_sense, "retries_max": retries_max}
        )
        self.k = Interlock(self.settings)
        self.i = Inputs()
        self.now_ms = start_ms
        self.b_since_ms = None
        self.opened_ms = None
        self.stopping_ms = None
        self.run_passes(1)

    @rule(passes=st.sampled_from((1, 2, 11, 51, 301)))
    def run_passes(self, passes):
        for _ in range(passes):
            was_closed, was = self.k.s2_close, self.k.session
            now_ms = self.now_ms
            self.k.tick(now_ms, self.i)
            self.check(now_ms, was_closed, was)
            self.now_ms = ticks_add(now_ms, 10)

    @rule()
    def all_is_well(self):
        self.i = good_inputs()
        self.run_passes(301)

    @rule(name=st.sampled_from(FLAGS), value=st.booleans())
    def flag(self, name, value):
        setattr(self.i, name, value)
        self.run_passes(1)

    @rule(name=st.sampled_from(CURRENTS), ma=MA)
    def current(self, name, ma):
        setattr(self.i, name, ma)
        self.run_passes(1)

    @rule(bit=st.integers(0, 21), on=st.booleans())
    def reason(self, bit, on):
        self.i.reasons = self.i.reasons & ~(1 << bit) | (on << bit)
        self.run_passes(1)

    @rule(bit=st.integers(0, 26), on=st.booleans())
    def fault(self, bit, on):
        self.i.faults = self.i.faults & ~(1 << bit) | (on << bit)
        self.run_passes(1)

    @rule(age_ms=st.sampled_from((0, 500, 501, 60000)))
    def vehicle(self, age_ms):
        self.i.vehicle_age_ms = age_ms
        self.run_passes(1)

    def check(self, now_ms, was_closed, was):  # noqa: C901, PLR0912 - a list of invariants
        k, i = self.k, self.i
        assert k.session in _NEXT[was]
        assert k.s2_close is (k.session in (CHARGING, STOPPING))
        # Current: only while charging, and never above any limit.
        assert k.charger_ma == 0 or (k.session == CHARGING and k.reasons == 0 and not i.in_doubt)
        assert 0 <= k.charger_ma <= max(0, min(i.offered_ma, i.thermal_ma, i.vehicle_limit_ma))
        assert k.charger_ma <= self.settings.max_current_ma
        if i.has_rating:
            assert k.charger_ma <= max(0, i.rated_ma)
        if self.settings.lock_policy == 1 and not i.is_locked:
            assert k.charger_ma <= self.settings.lock_fail_ma
        if self.settings.lock_policy == 0 and not i.is_locked:
            assert k.charger_ma == 0
        if i.faults & ~k.faults:
            raise AssertionError("a fault was swallowed")
        # S2 closes for no reason only, after 500 ms of B and 3 s of rest.
        if k.s2_close and not was_closed:
            assert k.reasons == 0 and i.reasons == 0 and i.is_plugged and i.vehicle_permits
            assert self.b_since_ms is not None
            # B is timed from the last pass without it, so one pass may lack.
            assert ticks_diff(now_ms, self.b_since_ms) >= 490
            assert self.opened_ms is None or ticks_diff(now_ms, self.opened_ms) >= 3000
        if was_closed and not k.s2_close:
            assert k.session == RESTING
            self.opened_ms = now_ms
        if k.s2_close or not (i.shows_b and i.is_plugged):
            self.b_since_ms = None
        elif self.b_since_ms is None:
            self.b_since_ms = now_ms
        # Every stop ends.
        if k.session != STOPPING:
            self.stopping_ms = None
        elif self.stopping_ms is None:
            self.stopping_ms = now_ms
        else:
            assert ticks_diff(now_ms, self.stopping_ms) < 3000
        # The cable is never let go of while anything is live, and the car never moves on a cable.
        is_live = k.s2_close or (i.charger_ok and i.charger_ma >= 1000)
        if self.settings.ac_sense:
            is_live = is_live or (i.ac_ok and i.ac_present)
        assert not (k.may_unlock and is_live)
        assert k.lock_request < len(LOCK_REQUEST_NAMES)
        assert k.may_unlock or k.lock_request != UNLOCK
        if k.drive_allowed:
            assert k.session == UNPLUGGED and i.is_unplugged and i.is_clear_to_drive
            assert i.is_pilot_dead and i.is_unlocked and not is_live

    @invariant()
    def small_ints_only(self):
        """Everything stays a small int of a 32-bit MicroPython."""
        if hasattr(self, "k"):
            for name, value in vars(self.k).items():
                assert not isinstance(value, int) or -(2**30) <= value < 2**30, name


AnyInputs.TestCase.settings = settings(
    max_examples=40,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestAnyInputs = AnyInputs.TestCase


def test_machine_really_charges_and_stops():
    """Not vacuous: the rules above reach every session state."""
    machine = AnyInputs()
    machine.start(0, 0, 1, 5)
    seen = set()
    for step in (
        machine.all_is_well,
        lambda: machine.flag("stop_request", True),
        lambda: machine.run_passes(700),
        lambda: machine.flag("unlock_request", True),
        lambda: machine.flag("is_unplugged", True),
    ):
        seen.add(machine.k.session)
        step()
        seen.add(machine.k.session)
    assert {CHARGING, UNPLUGGED, 5, 1} <= seen
