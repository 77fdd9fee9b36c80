"""The light shows a fault first, a wait as a wait, and knows every session state; and no setting can blur that."""

import random

import pytest

import interlock
from faults import (
    BELOW_MINIMUM,
    F_LOCK_REVERSED,
    F_TEMP_DISAGREE,
    F_TEMP_OPEN,
    F_UNEXPECTED_CLOSE,
    FAULTS,
    H_BAD_SETTING,
    H_CONTACTORS,
    H_CRASH,
    H_DECOMMISSIONED,
    H_HVIL,
    H_INSULATION,
    H_LINES,
    H_NOT_PARKED,
    H_OUT_OF_SERVICE,
    H_RESEAT,
    H_TARGET,
    H_VEHICLE_WIRE,
    H_WINDOW,
    HELD,
    HOLD_REASON,
    HOLDS,
    INTERLOCKED,
    NOT_LOCKED,
    PERSON_STOP,
    PILOT_DIGITAL,
    PILOT_STEADY,
    RETRIES,
    SERVICE_MODE,
    SHUTDOWN,
    VEHICLE_NO,
)
from interlock import RELEASED as S_RELEASED
from interlock import RESTING, SESSION_NAMES, STOPPING, UNPLUGGED
from interlock import WAITING as S_WAITING
from limits import LIMIT_PILOT, LIMIT_TEMPERATURE, LIMITER_NAMES
from setting_rows import ROW_DEFAULT, ROW_MAX, ROW_MIN, ROW_NUMBER, ROW_UNIT, TABLE, find
from settings import Settings
from vehicle import light
from vehicle.light import (
    CHARGING,
    COMPLETE,
    DARK,
    DERATED,
    FAULT,
    LOOKS,
    NEARLY_FULL,
    OUT_OF_SERVICE,
    READY,
    RELEASED,
    RESEAT,
    SCHEDULED,
    SERVICE,
    STOPPED,
    WAITING,
    looks,
    pattern,
)
from vehicle.looks import KEYS, LIGHT_NAMES, is_red, made, why_not

SESSIONS = range(len(SESSION_NAMES))
PLUGGED = [session for session in SESSIONS if session != UNPLUGGED]
WARNINGS = (F_TEMP_DISAGREE, F_UNEXPECTED_CLOSE, F_LOCK_REVERSED)
ALL_FAULTS = (1 << len(FAULTS)) - 1
ALL_REASONS = (1 << len(SHUTDOWN)) - 1
ALL_HOLDS = (1 << len(HOLDS)) - 1
# Holds that are a fault in themselves; the safety chain's only with a plug in: a car that is off may open it.
ALWAYS_BAD = H_CRASH | H_BAD_SETTING
CHAIN = H_HVIL | H_INSULATION | H_LINES


@pytest.mark.parametrize(
    ("session", "shown"),
    list(zip(SESSIONS, (DARK, READY, CHARGING, STOPPED, WAITING, RELEASED), strict=True)),
)
def test_each_session_state_has_its_light(session, shown):
    assert pattern(session, 0, 0, LIMIT_PILOT) == shown


# One way to each: (session, reasons, faults, limiter, holds, asleep, has charged, nearly full).
WAYS = {
    DARK: (UNPLUGGED, 0, 0, 0, 0, False, False, False),
    READY: (S_WAITING, NOT_LOCKED, 0, 0, 0, False, False, False),
    WAITING: (S_WAITING, PILOT_STEADY, 0, 0, 0, False, True, False),
    CHARGING: (interlock.CHARGING, 0, 0, LIMIT_PILOT, 0, False, True, False),
    DERATED: (interlock.CHARGING, 0, 0, LIMIT_TEMPERATURE, 0, False, True, True),
    STOPPED: (STOPPING, HELD, 0, 0, H_WINDOW, False, True, False),
    RELEASED: (S_RELEASED, 0, 0, 0, H_OUT_OF_SERVICE | H_WINDOW, False, True, False),
    FAULT: (S_WAITING, 0, F_TEMP_OPEN, 0, H_WINDOW, False, False, False),
    SERVICE: (UNPLUGGED, SERVICE_MODE, F_TEMP_OPEN, 0, 0, True, False, False),
    COMPLETE: (S_WAITING, HELD, 0, 0, H_TARGET, False, True, False),
    RESEAT: (UNPLUGGED, 0, 0, 0, H_RESEAT, False, False, False),
    SCHEDULED: (S_WAITING, HELD, 0, 0, H_WINDOW, False, False, False),
    OUT_OF_SERVICE: (UNPLUGGED, HELD, 0, 0, H_OUT_OF_SERVICE, False, False, False),
    NEARLY_FULL: (interlock.CHARGING, 0, 0, LIMIT_PILOT, 0, False, True, True),
}


@pytest.mark.parametrize("shown", range(len(LIGHT_NAMES)), ids=LIGHT_NAMES)
def test_every_pattern_can_be_reached(shown):
    assert pattern(*WAYS[shown]) == shown


# ------------------------------------------------------------------------------------- faults


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


@pytest.mark.parametrize("hold", [H_HVIL, H_INSULATION, H_LINES])
def test_open_safety_chain_is_a_fault_once_a_plug_is_in(hold):
    for session in PLUGGED:
        assert pattern(session, INTERLOCKED, 0, 0, hold) == FAULT
    assert pattern(UNPLUGGED, INTERLOCKED, 0, 0, hold) == DARK


@pytest.mark.parametrize("hold", [H_CRASH, H_BAD_SETTING])
@pytest.mark.parametrize("session", SESSIONS)
def test_what_only_a_person_can_put_right_is_a_fault_with_and_without_a_plug(session, hold):
    assert pattern(session, 0, 0, 0, hold) == FAULT


def test_contactors_that_nobody_has_spoken_of_are_a_wait():
    """Where AC and DC share the pins, a car that sleeps has not said that they are open."""
    assert pattern(S_WAITING, INTERLOCKED, 0, 0, H_CONTACTORS) == WAITING
    assert pattern(UNPLUGGED, INTERLOCKED, 0, 0, H_CONTACTORS) == DARK


def is_bad(session, reasons, faults, holds):
    """Return whether a fault has to show, told anew: not from the table."""
    bad = bool(faults & ~sum(WARNINGS)) or bool(reasons & RETRIES) or bool(holds & ALWAYS_BAD)
    return bad or (session != UNPLUGGED and bool(holds & CHAIN))


def some_bits(rng, whole):
    """Return a mask with none, one, few or many bits of `whole`."""
    how = rng.randrange(4)
    mask = 0 if how < 3 else rng.getrandbits(30)
    for _ in range(how if how < 3 else 0):
        mask |= 1 << rng.randrange(whole.bit_length())
    return mask & whole


def test_no_mask_hides_a_fault_and_no_wait_looks_like_one():
    seed = random.randrange(1 << 30)
    print("seed", seed)
    rng = random.Random(seed)
    seen = set()
    for _ in range(30_000):
        session = rng.randrange(len(SESSION_NAMES))
        reasons = some_bits(rng, ALL_REASONS)
        faults = some_bits(rng, ALL_FAULTS) if rng.random() < 0.4 else 0
        holds = some_bits(rng, ALL_HOLDS)
        is_asleep = rng.random() < 0.2
        limiter = rng.randrange(len(LIMITER_NAMES))
        shown = pattern(
            session,
            reasons,
            faults,
            limiter,
            holds,
            is_asleep,
            rng.random() < 0.5,
            rng.random() < 0.5,
        )
        seen.add(shown)
        is_hidden = bool(reasons & SERVICE_MODE) or (is_asleep and session == UNPLUGGED)
        assert (shown == FAULT) is (is_bad(session, reasons, faults, holds) and not is_hidden)
        assert (shown == SERVICE) is bool(reasons & SERVICE_MODE)
        if is_asleep:
            assert shown in (DARK, FAULT, SERVICE)
        if shown in (CHARGING, DERATED, NEARLY_FULL):
            assert session == interlock.CHARGING
    assert seen == set(range(len(LIGHT_NAMES)))


# -------------------------------------------------------------------------------------- waits


@pytest.mark.parametrize("limiter", range(len(LIMITER_NAMES)))
@pytest.mark.parametrize("session", SESSIONS)
def test_derating_shows_only_while_charging_at_the_temperature_limit(session, limiter):
    shown = pattern(session, 0, 0, limiter)
    is_derated = session == interlock.CHARGING and limiter == LIMIT_TEMPERATURE
    assert (shown == DERATED) is is_derated


@pytest.mark.parametrize("reason", [PILOT_STEADY, PILOT_DIGITAL, BELOW_MINIMUM, PERSON_STOP])
def test_wait_looks_like_a_wait(reason):
    assert pattern(S_WAITING, reason, 0, 0) == WAITING
    assert pattern(STOPPING, reason, 0, 0) == STOPPED
    assert pattern(S_RELEASED, reason, 0, 0) == RELEASED


@pytest.mark.parametrize("n", range(len(HOLDS)), ids=[row[0] for row in HOLDS])
def test_every_hold_that_keeps_a_plug_waiting_can_be_told_from_ready(n):
    """Blue would say that the car may begin at once."""
    hold = 1 << n
    reason = HOLDS[n][HOLD_REASON]
    shown = pattern(S_WAITING, reason, 0, 0, hold)
    if reason:
        assert shown in (WAITING, FAULT, OUT_OF_SERVICE, SCHEDULED, COMPLETE)
    else:
        assert shown == (RESEAT if hold == H_RESEAT else READY)


@pytest.mark.parametrize("hold", [H_OUT_OF_SERVICE, H_DECOMMISSIONED])
def test_port_out_of_service_shows_before_a_plug_is_in(hold):
    for session in SESSIONS:
        shown = pattern(session, HELD, 0, 0, hold | H_WINDOW | H_RESEAT)
        assert shown == (RELEASED if session == S_RELEASED else OUT_OF_SERVICE)


def test_reseat_is_told_before_the_schedule_and_not_while_current_flows():
    for session in (UNPLUGGED, S_WAITING, RESTING):
        assert pattern(session, HELD, 0, 0, H_RESEAT | H_WINDOW) == RESEAT
    assert pattern(interlock.CHARGING, 0, 0, 0, H_RESEAT) == CHARGING


def test_start_of_a_session_looks_ready():
    assert pattern(S_WAITING, NOT_LOCKED, 0, 0) == READY


# ----------------------------------------------------------------------------------- complete


@pytest.mark.parametrize("session", [S_WAITING, RESTING])
def test_car_that_ends_after_charging_is_complete(session):
    assert pattern(session, VEHICLE_NO, 0, 0, 0, False, True) == COMPLETE


def test_car_that_never_began_is_not_complete():
    assert pattern(S_WAITING, VEHICLE_NO, 0, 0, 0, False, False) == READY


@pytest.mark.parametrize("hold", [H_VEHICLE_WIRE, H_NOT_PARKED])
def test_permission_that_a_wire_or_the_gear_takes_away_is_not_complete(hold):
    assert pattern(S_WAITING, VEHICLE_NO, 0, 0, hold, False, True) == WAITING


def test_session_that_a_person_stopped_is_not_complete():
    assert pattern(S_WAITING, VEHICLE_NO | PERSON_STOP, 0, 0, 0, False, True) == WAITING


def test_target_shows_complete_even_where_the_window_has_ended_too():
    assert pattern(S_WAITING, HELD, 0, 0, H_TARGET | H_WINDOW) == COMPLETE


# --------------------------------------------------------------------------------------- sleep


@pytest.mark.parametrize("session", SESSIONS)
def test_asleep_is_dark(session):
    holds = H_WINDOW | H_OUT_OF_SERVICE | H_RESEAT
    assert pattern(session, HELD | PILOT_STEADY, 0, LIMIT_TEMPERATURE, holds, True) == DARK


def test_fault_at_a_plugged_port_shows_in_its_sleep_too():
    """Dark would say that all is well; an empty port need not drain the battery for it."""
    for session in PLUGGED:
        assert pattern(session, 0, F_TEMP_OPEN, 0, 0, True) == FAULT
    assert pattern(UNPLUGGED, 0, F_TEMP_OPEN, 0, 0, True) == DARK


# ---------------------------------------------------------------------------------- the tables


def test_plain_values_of_the_interlock_are_the_interlocks():
    assert light._LIMIT_TEMPERATURE == LIMIT_TEMPERATURE
    assert light._SESSION_CHARGING == interlock.CHARGING
    assert len(light._BY_SESSION) == len(SESSION_NAMES)
    bits = {
        light._ALL: SESSIONS, light._PLUGGED: PLUGGED, light._IDLE: (S_WAITING, RESTING),
        light._NO_CURRENT: (UNPLUGGED, S_WAITING, RESTING), light._CHARGING: (interlock.CHARGING,),
        light._WAITS: (S_WAITING,), light._IS_RELEASED: (S_RELEASED,),
    }  # fmt: skip
    for mask, sessions in bits.items():
        assert mask == sum(1 << session for session in sessions)


def test_short_way_out_leaves_no_row_of_the_table_out():
    assert len(light.TABLE) == light._END and light._END % light.ROW == 0
    for at in range(0, light._END, light.ROW):
        shown, sessions, notes, reasons, faults, holds = light.TABLE[at : at + light.ROW]
        if shown == RELEASED:
            continue
        assert not reasons & ~light._ANY_REASON and not holds & ~light._ANY_HOLD
        assert not faults & ~light._FAULTS and sessions and (notes or reasons or faults or holds)


def test_each_pattern_has_a_name_and_a_setting_with_its_number():
    assert len(LIGHT_NAMES) == NEARLY_FULL + 1 == len(set(LIGHT_NAMES)) == len(KEYS)
    rows = {row[ROW_NUMBER]: row for row in TABLE if row[ROW_UNIT] == "light"}
    assert {number - 100: row[1] for number, row in rows.items()} == dict(
        list(enumerate(KEYS))[1:]
    )


def test_numbers_and_names_that_are_in_traces_stay():
    assert LIGHT_NAMES[:9] == (
        "dark", "blue steady", "amber slow", "green pulsing", "green-amber pulsing", "blue slow", "white steady",
        "red flashing", "white flashing",
    )  # fmt: skip
    assert (DARK, READY, WAITING, CHARGING, DERATED, STOPPED, RELEASED, FAULT, SERVICE) == tuple(
        range(9)
    )


# --------------------------------------------------------------------------------------- looks


FLASH = 6
ROWS = {n: find(KEYS[n]) for n in range(1, len(KEYS))}
OTHERS = [n for n in ROWS if n not in (FAULT, SERVICE)]


def taken(key, look):
    """Return what is used where `look` is asked for, and what is said about it."""
    settings = Settings({key: look})
    return looks(settings)[KEYS.index(key)], settings.rejected


def test_looks_as_shipped_are_the_tables_and_refuse_nothing():
    settings = Settings({})
    assert looks(settings) == made(settings) == (0, *(row[ROW_DEFAULT] for row in ROWS.values()))
    assert settings.rejected == []
    assert all(why_not(n, row[ROW_DEFAULT]) == "" for n, row in ROWS.items())
    assert len(set(looks(settings))) == len(KEYS) == len(LOOKS)


@pytest.mark.parametrize("key", KEYS[1:])
def test_bounds_of_a_look_are_looks_that_may_be(key):
    row = find(key)
    for edge in (row[ROW_MIN], row[ROW_MAX]):
        assert taken(key, edge) == (edge, [])


@pytest.mark.parametrize(
    ("key", "look", "why"),
    [
        ("light_fault", 0x60008FF, "a fault is red"),
        ("light_fault", 0x6000FFF, "outside"),
        ("light_fault", 0x1000F00, "outside"),
        ("light_fault", 0x6F00F00, "outside"),
        ("light_fault", 0, "outside"),
        ("light_service", 0x6000F00, "blue of at least half"),
        ("light_service", 0x6000F60, "blue of at least half"),
        ("light_service", 0x1000FFF, "outside"),
        ("light_ready", 0x1000F00, "red is the fault's alone"),
        ("light_charging", 0x3F000F0, "red is the fault's alone"),
        ("light_waiting", 0x6000F60, "outside"),
        ("light_charging", 0x0000000, "outside"),
        ("light_charging", 0x3000000, "black"),
        ("light_ready", 0x10F000F, "one colour"),
    ],
)
def test_look_that_could_be_taken_for_another_is_refused_and_its_default_used(key, look, why):
    used, rejected = taken(key, look)
    assert used == find(key)[ROW_DEFAULT]
    assert len(rejected) == 1 and why in rejected[0] and rejected[0].startswith(key)


def test_no_look_that_is_taken_can_be_taken_for_fault_service_or_dark():
    seed = random.randrange(1 << 30)
    print("seed", seed)
    rng = random.Random(seed)
    taken_count = 0
    for _ in range(30_000):
        n = rng.choice(list(ROWS))
        look = rng.choice(
            (rng.getrandbits(27), ROWS[n][ROW_DEFAULT] & ~0xFFF | rng.getrandbits(12))
        )
        if not ROWS[n][ROW_MIN] <= look <= ROWS[n][ROW_MAX] or why_not(n, look):
            continue
        taken_count += 1
        style, second, first = look >> 24, look >> 12 & 0xFFF, look & 0xFFF
        assert first and style, "never as dark"
        assert (style == FLASH) is (n in (FAULT, SERVICE))
        assert is_red(first) is (n == FAULT) and not is_red(second)
        if style == FLASH:
            assert second == 0, "dark between"
            assert n == SERVICE or first >> 8 >= 8, "bright enough"
    assert taken_count > 3000


@pytest.mark.parametrize(
    ("colour", "is_it"),
    [(0xF00, True), (0x800, True), (0xF33, True), (0x100, True), (0xF40, False), (0xF04, False), (0xF60, False), (0, False), (0x00F, False)],
)  # fmt: skip
def test_red_is_what_a_person_calls_red(colour, is_it):
    assert is_red(colour) is is_it
