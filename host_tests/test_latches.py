"""Faults and holds: what they force, and how long they stay."""

import pytest

from faults import (
    F_CHARGER_OVER,
    F_FAILED_LOCK,
    F_INTERNAL,
    F_OVER_TEMPERATURE,
    F_UNEXPECTED_OPEN,
    FAULT_CLEARS,
    FAULT_REASON,
    FAULTS,
    H_CRASH,
    H_HVIL,
    H_NO_CLOCK,
    H_WINDOW,
    HELD,
    HOLD_CLEARS,
    HOLD_NAME,
    HOLD_REASON,
    HOLD_WHAT,
    HOLDS,
    INTERLOCKED,
    LOCK_FAILED,
    LOCK_LOST,
    SELF,
    SERVICE,
    SHUTDOWN,
    UNPLUG,
)
from latches import Latches


def test_holds_are_numbered_in_bit_order_and_force_one_known_reason_or_none():
    assert 20 <= len(HOLDS) <= 30
    assert len({row[HOLD_NAME] for row in HOLDS}) == len(HOLDS)
    for row in HOLDS:
        forced = row[HOLD_REASON]
        assert forced == 0 or (forced & (forced - 1) == 0 and forced < 1 << len(SHUTDOWN))
        assert row[HOLD_CLEARS] in (SELF, SERVICE)
        assert row[HOLD_NAME] == row[HOLD_NAME].lower() and row[HOLD_WHAT]
    assert HOLDS[6][HOLD_NAME] == "crash" and 1 << 6 == H_CRASH
    assert HOLDS[16][HOLD_NAME] == "no_clock" and 1 << 16 == H_NO_CLOCK


@pytest.mark.parametrize("bit", range(len(FAULTS)))
def test_each_fault_forces_its_reason_and_stays_as_its_class_says(bit):
    latches = Latches(False, False)
    latches.tick(1 << bit, 0, False)
    assert latches.reasons == FAULTS[bit][FAULT_REASON]
    latches.tick(0, 0, False)
    stays = FAULTS[bit][FAULT_CLEARS] != SELF
    assert latches.faults == (1 << bit if stays else 0)
    latches.tick(0, 0, True)
    assert bool(latches.faults) == (FAULTS[bit][FAULT_CLEARS] == SERVICE)
    assert bool(latches.reasons) == (
        FAULTS[bit][FAULT_CLEARS] == SERVICE and FAULTS[bit][FAULT_REASON] != 0
    )


@pytest.mark.parametrize("bit", range(len(HOLDS)))
def test_each_hold_forces_its_reason_and_stays_as_its_class_says(bit):
    latches = Latches(False, False)
    latches.tick(0, 1 << bit, False)
    assert latches.holds == 1 << bit and latches.reasons == HOLDS[bit][HOLD_REASON]
    latches.tick(0, 0, True)
    assert bool(latches.holds) == (HOLDS[bit][HOLD_CLEARS] == SERVICE)


def test_a_crash_stays_beside_what_comes_and_goes():
    latches = Latches(False, False)
    latches.tick(0, H_CRASH | H_WINDOW, False)
    assert latches.reasons == INTERLOCKED | HELD
    latches.tick(F_OVER_TEMPERATURE, 0, True)
    assert latches.holds == H_CRASH and latches.reasons & INTERLOCKED
    latches.tick(0, H_HVIL, True)
    assert latches.holds == H_CRASH | H_HVIL


@pytest.mark.parametrize(
    ("policy", "lifted"), [((False, False), 0), ((True, False), LOCK_FAILED), ((False, True), -1)]
)
def test_the_lock_policy_lifts_only_the_reasons_of_the_lock(policy, lifted):
    latches = Latches(*policy)
    latches.tick(F_FAILED_LOCK | F_UNEXPECTED_OPEN | F_CHARGER_OVER, 0, False)
    own = LOCK_FAILED | LOCK_LOST
    assert latches.reasons & own == own & ~lifted
    assert latches.reasons & ~own


def test_a_forgiven_fault_is_gone_unless_it_is_still_there():
    latches = Latches(False, False)
    latches.tick(F_FAILED_LOCK | F_INTERNAL, 0, False)
    latches.forgive(F_FAILED_LOCK)
    latches.tick(F_FAILED_LOCK, 0, False)
    assert latches.faults == F_FAILED_LOCK | F_INTERNAL
    latches.forgive(F_FAILED_LOCK)
    latches.tick(0, 0, False)
    assert latches.faults == F_INTERNAL


def test_only_classes_that_can_clear_exist():
    assert {row[FAULT_CLEARS] for row in FAULTS} == {SELF, UNPLUG, SERVICE}
