"""The arithmetic of wear, held against a real littlefs that counts its erases."""

import random

import pytest
from log_rig import PICO, LittleFiles, empty_pico

from drivers.flash_log import DONE, FedFiles, FlashLog
from inletctl.journal.flash_wear import SESSIONS_A_DAY, wear

STATE, EVENT = 1, 2
BLOCKS = 352  # a Pico's file system, as MicroPython lays it out


@pytest.mark.parametrize("used, appends, size", [(100, 8, 150), (300, 8, 150), (290, 20, 400)])
def test_no_block_wears_more_than_is_said(used, appends, size):
    """So many sessions, each after a boot, on a file system with so many blocks taken: the hottest block stays below."""
    dice = random.Random(1)
    files = LittleFiles(empty_pico(BLOCKS))
    with files.fs.open("/firmware", "wb") as file:
        file.write(b"x" * PICO["block_size"] * used)
    files.flash.erases.clear()
    sessions, size_all = 200, 0
    for _ in range(sessions):
        files.mount()
        log = FlashLog("/journal", (STATE,), files=files)
        for n in range(appends):
            payload = dice.randbytes(600 if n == 0 else size)
            assert log.append(STATE if n == 0 else EVENT, payload, True) == DONE
            size_all += len(payload)
    erases = files.flash.erases
    said = wear(appends, size_all // sessions, BLOCKS - used - 10)
    print("erases an append", sum(erases.values()) / sessions / appends, "worst", max(erases.values()))  # fmt: skip
    assert said.erases / 2 < sum(erases.values()) / sessions <= said.erases
    assert max(erases.values()) <= said.worst * sessions


@pytest.mark.parametrize("used", [100, 300])
def test_the_watchdog_is_fed_before_two_erases_at_their_worst_would_outlast_it(used):
    """An erase takes 400 ms at most (W25Q16JV), a reference board's watchdog waits a second."""
    dice = random.Random(2)
    files = LittleFiles(empty_pico(BLOCKS))
    with files.fs.open("/firmware", "wb") as file:
        file.write(b"x" * PICO["block_size"] * used)
    files.flash.erases.clear()
    erases, runs = files.flash.erases, []
    before = [0]

    def feed():
        runs.append(sum(erases.values()) - before[0])
        before[0] = sum(erases.values())

    log = FlashLog("/journal", (STATE,), files=FedFiles(feed, files))
    for n in range(400):
        assert log.append(STATE if n % 9 == 0 else EVENT, dice.randbytes(2000), True) == DONE
    feed()
    assert log.rewrites > 20 and sum(runs) > 300
    assert max(runs) == 2


def test_a_usual_session_leaves_fifteen_years_even_on_a_file_system_that_is_nearly_full():
    assert SESSIONS_A_DAY == 4
    assert wear(8, 2000, 250).years >= 150
    assert wear(8, 2000, 30).years >= 15
    assert wear(20, 8000, 250).years >= 60


def test_wear_grows_with_what_is_written_and_falls_with_room():
    assert wear(9, 2000, 100).years < wear(8, 2000, 100).years < wear(8, 2000, 101).years
    assert wear(8, 9000, 100).years < wear(8, 2000, 100).years
    assert wear(8, 2000, 100, cycles=10_000).years == pytest.approx(wear(8, 2000, 100).years / 10)
    assert wear(8, 2000, 100, sessions_a_day=8).years == pytest.approx(
        wear(8, 2000, 100).years / 2
    )
