"""The reasons, the faults and the shutdown table: shape, agreement, and the limits it promises."""

import pytest

import faults
from faults import (
    CLEAR_NAMES,
    CURRENT_FIRST,
    FAULT_CLEARS,
    FAULT_NAME,
    FAULT_REASON,
    FAULT_WHAT,
    FAULTS,
    NOW,
    ORDER_NAMES,
    RETRIES,
    ROW_CLAUSE,
    ROW_CLEARS,
    ROW_COUNTED,
    ROW_CURRENT_MS,
    ROW_NAME,
    ROW_ORDER,
    ROW_REST_MS,
    ROW_S2_MS,
    ROW_WAIT_MS,
    ROW_WHAT,
    SELF,
    SERVICE,
    SHUTDOWN,
    UNPLUG,
    first_bit,
    names,
)

PASS_MS = 10


def shutdown_id(row):
    return row[ROW_NAME]


def reason_bits():
    """The public constants that are reasons, by name."""
    rows = {row[ROW_NAME] for row in SHUTDOWN}
    return {name: value for name, value in vars(faults).items() if name.lower() in rows}


def test_one_reason_constant_a_row_in_bit_order():
    bits = reason_bits()
    assert len(bits) == len(SHUTDOWN)
    for name, value in bits.items():
        assert SHUTDOWN[first_bit(value)][ROW_NAME] == name.lower()
        assert value == 1 << first_bit(value)


def test_one_fault_constant_a_row_in_bit_order():
    bits = sorted(value for name, value in vars(faults).items() if name.startswith("F_"))
    assert bits == [1 << n for n in range(len(FAULTS))]


def test_masks_stay_small_ints_on_the_board():
    assert len(SHUTDOWN) <= 30 and len(FAULTS) <= 30


@pytest.mark.parametrize("row", SHUTDOWN, ids=shutdown_id)
def test_shutdown_row_is_whole(row):
    assert len(row) == ROW_CLAUSE + 1
    assert row[ROW_ORDER] in range(len(ORDER_NAMES))
    assert row[ROW_CLEARS] in range(len(CLEAR_NAMES))
    assert isinstance(row[ROW_COUNTED], bool)
    assert row[ROW_WHAT] and row[ROW_CLAUSE]
    times = (ROW_CURRENT_MS, ROW_WAIT_MS, ROW_S2_MS, ROW_REST_MS)
    assert all(row[column] >= 0 and row[column] % PASS_MS == 0 for column in times)


@pytest.mark.parametrize("row", SHUTDOWN, ids=shutdown_id)
def test_promised_time_to_open_s2_covers_the_time_to_see_it_and_the_wait(row):
    if row[ROW_ORDER] == NOW:
        assert row[ROW_WAIT_MS] == 0 and row[ROW_S2_MS] == row[ROW_CURRENT_MS]
    else:
        assert row[ROW_WAIT_MS] > 0
        assert row[ROW_S2_MS] >= row[ROW_CURRENT_MS] + row[ROW_WAIT_MS] + PASS_MS


@pytest.mark.parametrize("row", SHUTDOWN, ids=shutdown_id)
def test_reason_that_can_end_a_charge_rests_3_s_or_is_no_cause(row):
    """Nothing that ends a charge may start the next one at once: contactors are not hammered."""
    if row[ROW_NAME] in ("show_b", "rest", "retries", "settings", "service_mode"):
        assert row[ROW_ORDER] == NOW and row[ROW_REST_MS] == 0 and not row[ROW_COUNTED]
    else:
        assert row[ROW_REST_MS] >= 3000


def promise(name, column):
    return next(row[column] for row in SHUTDOWN if row[ROW_NAME] == name)


@pytest.mark.parametrize("name", ["no_plug", "pp_invalid", "pp_button"])
def test_proximity_zeroes_the_current_within_20_ms(name):
    """Architecture section 6; J1772: 100 ms. GB/T S3: S2 open within 1 s."""
    assert promise(name, ROW_CURRENT_MS) <= 20
    assert promise(name, ROW_S2_MS) <= 1000


@pytest.mark.parametrize("name", ["pilot_e", "pilot_f", "pilot_lost"])
def test_lost_pilot_opens_s2_within_50_ms(name):
    """Architecture section 6; IEC 61851-1 Tab A.6 seq 12: 3 s."""
    assert promise(name, ROW_S2_MS) <= 50


def test_steady_pilot_is_answered_within_3_s():
    """Architecture section 6; IEC 61851-1 Tab A.6 seq 9.1, 10.1: 3 s + 3 s."""
    assert promise("pilot_steady", ROW_CURRENT_MS) <= 50
    assert promise("pilot_steady", ROW_S2_MS) <= 3000


@pytest.mark.parametrize("name", ["pilot_invalid", "pilot_frequency"])
def test_pilot_that_cannot_be_read_is_answered_within_3_s(name):
    """IEC 61851-1 Tab A.8 note; J1772: <= 1 A in 4 s."""
    assert promise(name, ROW_S2_MS) <= 3000


def test_reasons_that_need_no_waiting_for_current_are_few_and_known():
    at_once = {row[ROW_NAME] for row in SHUTDOWN if row[ROW_ORDER] == NOW}
    assert at_once == {
        "pilot_e", "pilot_f", "pilot_lost", "s2_fault", "charger_fault", "internal",
        "show_b", "rest", "retries", "settings", "service_mode", "interlocked",
    }  # fmt: skip
    assert sum(row[ROW_ORDER] == CURRENT_FIRST for row in SHUTDOWN) == len(SHUTDOWN) - len(at_once)


@pytest.mark.parametrize("row", FAULTS, ids=lambda row: row[FAULT_NAME])
def test_fault_row_is_whole(row):
    assert len(row) == FAULT_WHAT + 1
    assert row[FAULT_CLEARS] in range(len(CLEAR_NAMES))
    assert row[FAULT_WHAT] and row[FAULT_NAME][0].isupper()
    reason = row[FAULT_REASON]
    assert reason == 0 or reason in reason_bits().values(), "no reason, or exactly one"


def test_fault_names_are_unique():
    assert len({row[FAULT_NAME] for row in FAULTS}) == len(FAULTS)


def test_reason_that_needs_an_unplug_is_forced_by_faults_that_do():
    """A row's class is kept by the faults that force it; only the retries latch by themselves."""
    for n in range(len(SHUTDOWN)):
        forcing = [row[FAULT_CLEARS] for row in FAULTS if row[FAULT_REASON] == 1 << n]
        if 1 << n == RETRIES:
            assert forcing == [] and SHUTDOWN[n][ROW_CLEARS] == UNPLUG
        elif SHUTDOWN[n][ROW_CLEARS] != SELF:
            assert forcing and set(forcing) == {SHUTDOWN[n][ROW_CLEARS]}
        else:
            assert SERVICE not in forcing


@pytest.mark.parametrize(("mask", "n"), [(1, 0), (2, 1), (3, 0), (1 << 26, 26), (0b1011000, 3)])
def test_first_bit_is_the_lowest(mask, n):
    assert first_bit(mask) == n


def test_first_bit_of_nothing_is_refused():
    with pytest.raises(ValueError, match="no bit"):
        first_bit(0)


def test_names_are_those_of_the_bits_set():
    assert names(SHUTDOWN, 0) == []
    assert names(SHUTDOWN, 0b11) == ["no_plug", "pilot_e"]
    assert names(FAULTS, 1 << 26) == ["Internal"]
    assert len(names(FAULTS, (1 << len(FAULTS)) - 1)) == len(FAULTS)
