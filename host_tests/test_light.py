"""The light shows a fault first, a wait as a wait, and knows every session state."""

import pytest

import interlock
from faults import (
    BELOW_MINIMUM,
    F_LOCK_REVERSED,
    F_TEMP_DISAGREE,
    F_TEMP_OPEN,
    F_UNEXPECTED_CLOSE,
    FAULTS,
    NOT_LOCKED,
    PERSON_STOP,
    PILOT_DIGITAL,
    PILOT_STEADY,
    RETRIES,
)
from interlock import LIMIT_PILOT, LIMIT_TEMPERATURE, LIMITER_NAMES, SESSION_NAMES
from vehicle import light
from vehicle.light import (
    CHARGING,
    DARK,
    DERATED,
    FAULT,
    LIGHT_NAMES,
    READY,
    RELEASED,
    SERVICE,
    STOPPED,
    WAITING,
    pattern,
)

SESSIONS = range(len(SESSION_NAMES))
WARNINGS = (F_TEMP_DISAGREE, F_UNEXPECTED_CLOSE, F_LOCK_REVERSED)


@pytest.mark.parametrize(
    ("session", "shown"),
    list(zip(SESSIONS, (DARK, READY, CHARGING, STOPPED, WAITING, RELEASED), strict=True)),
)
def test_each_session_state_has_its_light(session, shown):
    assert pattern(session, 0, 0, LIMIT_PILOT) == shown


@pytest.mark.parametrize("n", range(len(FAULTS)))
@pytest.mark.parametrize("session", SESSIONS)
def test_fault_shows_before_anything_else_and_a_warning_does_not(session, n):
    shown = pattern(session, PILOT_STEADY, 1 << n, LIMIT_TEMPERATURE)
    assert (shown == FAULT) is (1 << n not in WARNINGS)


def test_fault_beside_a_warning_shows():
    assert pattern(interlock.CHARGING, 0, F_TEMP_DISAGREE | F_TEMP_OPEN, 0) == FAULT


@pytest.mark.parametrize("session", SESSIONS)
def test_used_up_retries_look_like_a_fault(session):
    """Only an unplug helps: "ready" would be a lie."""
    assert pattern(session, RETRIES, 0, 0) == FAULT


@pytest.mark.parametrize("limiter", range(len(LIMITER_NAMES)))
@pytest.mark.parametrize("session", SESSIONS)
def test_derating_shows_only_while_charging_at_the_temperature_limit(session, limiter):
    shown = pattern(session, 0, 0, limiter)
    is_derated = session == interlock.CHARGING and limiter == LIMIT_TEMPERATURE
    assert (shown == DERATED) is is_derated


@pytest.mark.parametrize("reason", [PILOT_STEADY, PILOT_DIGITAL, BELOW_MINIMUM, PERSON_STOP])
def test_wait_looks_like_a_wait(reason):
    assert pattern(interlock.WAITING, reason, 0, 0) == WAITING
    assert pattern(interlock.STOPPING, reason, 0, 0) == STOPPED
    assert pattern(interlock.RELEASED, reason, 0, 0) == RELEASED


def test_start_of_a_session_looks_ready():
    assert pattern(interlock.WAITING, NOT_LOCKED, 0, 0) == READY


def test_plain_values_of_the_interlock_are_the_interlocks():
    assert light._LIMIT_TEMPERATURE == LIMIT_TEMPERATURE
    assert light._SESSION_WAITING == interlock.WAITING
    assert light._SESSION_CHARGING == interlock.CHARGING
    assert len(light._BY_SESSION) == len(SESSION_NAMES)


def test_each_pattern_has_a_name():
    assert len(LIGHT_NAMES) == SERVICE + 1 == len(set(LIGHT_NAMES))
