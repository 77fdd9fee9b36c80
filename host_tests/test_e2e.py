"""Counter and checksum of protected frames, against a reference that works bit by bit, and every answer's row."""

import itertools

import pytest
from can_rig import crc_by_bits, protect, seeded
from crccheck.crc import Crc8GsmA
from mpy_run import run_script

from vehicle import e2e

ID = 0x0C8


def frame(counter, body=b"\x00\x2a\x07", frame_id=ID):
    return protect(frame_id, b"\0" + body, counter)


def hear(receiver, *counters):
    return [receiver.check(frame(counter), 4) for counter in counters]


def trusted(last=0):
    """Return a receiver that has used the frame with this counter."""
    receiver = e2e.E2EReceiver(ID)
    assert hear(receiver, (last - 1) % 15, last) == [e2e.FIRST, e2e.OK]
    return receiver


def test_checksum_is_the_published_one_of_its_polynomial_and_start():
    """CRC-8 with 0x1D, start 0, nothing reflected: its check value over "123456789" is 0x37 (known as CRC-8/GSM-A)."""
    assert crc_by_bits(b"123456789") == Crc8GsmA.calc(b"123456789") == 0x37


def test_checksum_agrees_with_both_references():
    rng = seeded(77)
    for _ in range(3000):
        length = rng.randint(2, 8)
        data_id = rng.choice((0, 0xFF, 0x100, 0x7FF, rng.randrange(0x800), rng.randrange(0x10000)))
        data = bytes(rng.randrange(256) for _ in range(8))
        covered = bytes([data_id & 0xFF, data_id >> 8]) + data[1:length]
        assert (
            e2e.checksum(data, length, data_id) == crc_by_bits(covered) == Crc8GsmA.calc(covered)
        )


def test_sender_counts_to_14_and_begins_anew():
    sender = e2e.E2ESender(ID)
    for n in range(40):
        data = bytearray(b"\x00\x50\x12\x34")
        sender.protect(data, 4)
        assert data == protect(ID, b"\x00\x50\x12\x34", n % 15)
        assert data[1] >> 4 == 5


def test_every_flipped_bit_of_a_frame_is_found():
    for bit in range(32):
        data = frame(3)
        data[bit // 8] ^= 1 << bit % 8
        assert trusted(2).check(data, 4) == e2e.WRONG_CHECKSUM


def test_two_flipped_bits_are_found_too():
    """The polynomial's distance at this length is 4 (Koopman): two errors never cancel out."""
    for one, other in itertools.combinations(range(32), 2):
        data = frame(3)
        data[one // 8] ^= 1 << one % 8
        data[other // 8] ^= 1 << other % 8
        assert trusted(2).check(data, 4) == e2e.WRONG_CHECKSUM


def test_frame_of_another_message_is_found():
    for other in (0x0C9, 0x1C8, 0x0D0, 0x7FF, 0):
        assert trusted(2).check(frame(3, frame_id=other), 4) == e2e.WRONG_CHECKSUM


def test_frame_of_zeros_and_of_ones_is_found():
    assert trusted().check(bytearray(8), 4) == e2e.WRONG_CHECKSUM
    assert trusted().check(bytearray(b"\xff" * 8), 4) == e2e.WRONG_CHECKSUM


# ----------------------------------------------------------------------------------------- answers


def test_rows_of_the_answers_are_in_the_order_of_their_numbers():
    names = (
        "OK",
        "SKIPPED",
        "REPEATED",
        "WRONG_CHECKSUM",
        "WRONG_COUNTER",
        "LOST_ORDER",
        "FIRST",
        "NOT_YET",
    )
    assert [row[e2e.ROW_NAME] for row in e2e.ANSWERS] == [name.lower() for name in names]
    assert [getattr(e2e, name) for name in names] == list(range(len(names)))
    used = {row[e2e.ROW_NAME] for row in e2e.ANSWERS if row[e2e.ROW_USED]}
    assert used == {"ok", "skipped"}
    told = {row[e2e.ROW_NAME] for row in e2e.ANSWERS if row[e2e.ROW_TOLD]}
    assert told == {"repeated", "wrong_checksum", "wrong_counter", "lost_order"}


@pytest.mark.parametrize("first", range(15))
def test_first_frame_is_not_used_and_the_next_is(first):
    assert hear(e2e.E2EReceiver(ID), first, (first + 1) % 15) == [e2e.FIRST, e2e.OK]


@pytest.mark.parametrize("last", range(15))
def test_each_step_of_the_counter_has_its_answer(last):
    answers = [hear(trusted(last), (last + step) % 15)[0] for step in range(15)]
    wanted = [e2e.REPEATED, e2e.OK, e2e.SKIPPED, e2e.SKIPPED] + [e2e.LOST_ORDER] * 11
    assert answers == wanted


def test_counter_15_is_wrong_and_costs_the_trust():
    receiver = trusted(0)
    assert hear(receiver, 15, 1, 2) == [e2e.WRONG_COUNTER, e2e.NOT_YET, e2e.OK]


def test_wrong_checksum_costs_the_trust_until_two_good_ones_in_a_row():
    receiver = trusted(0)
    bad = frame(1)
    bad[3] ^= 0x10
    assert receiver.check(bad, 4) == e2e.WRONG_CHECKSUM
    assert hear(receiver, 2) == [e2e.NOT_YET]
    assert receiver.check(bad, 4) == e2e.WRONG_CHECKSUM
    assert hear(receiver, 4, 5, 6) == [e2e.NOT_YET, e2e.OK, e2e.OK]


def test_lost_order_counts_as_the_first_of_two():
    assert hear(trusted(0), 7, 8, 9) == [e2e.LOST_ORDER, e2e.OK, e2e.OK]
    assert hear(trusted(0), 7, 12, 13) == [e2e.LOST_ORDER, e2e.LOST_ORDER, e2e.OK]
    assert hear(trusted(5), 4, 3, 2) == [e2e.LOST_ORDER] * 3


def test_repeated_frame_is_never_used_and_costs_no_trust():
    assert hear(trusted(0), 0, 0, 0, 1) == [e2e.REPEATED, e2e.REPEATED, e2e.REPEATED, e2e.OK]
    receiver = e2e.E2EReceiver(ID)
    assert hear(receiver, 4, 4, 4) == [e2e.FIRST, e2e.REPEATED, e2e.REPEATED]


def test_forgotten_receiver_begins_anew_whatever_the_counter():
    for counter in range(15):
        receiver = trusted(0)
        receiver.forget()
        assert hear(receiver, counter, (counter + 1) % 15) == [e2e.FIRST, e2e.OK]


def test_damage_before_the_first_frame_does_not_shorten_the_way_to_trust():
    receiver = e2e.E2EReceiver(ID)
    assert receiver.check(bytearray(8), 4) == e2e.WRONG_CHECKSUM
    assert hear(receiver, 0, 1) == [e2e.FIRST, e2e.OK]


# ------------------------------------------------------------------------------------ 32 bit, heap

ON_BOARD = r"""
import micropython

from vehicle import e2e

lock = getattr(micropython, "heap_lock", lambda: 0)
unlock = getattr(micropython, "heap_unlock", lambda: 0)
sender = e2e.E2ESender(0x7C8)
receiver = e2e.E2EReceiver(0x7C8)
data = bytearray(8)
seed = 5
answers = []
for n in range(3000):
    seed = (seed * 109 + 4711) & 0x7FFF
    for at in range(1, 8):
        data[at] = seed >> (at & 7) & 0xF0
    lock()
    sender.protect(data, 8)
    if seed % 7 == 0:
        sender.protect(data, 8)
    if seed % 11 == 0:
        data[seed % 8] ^= 4
    answer = receiver.check(data, 8)
    if seed % 5 == 0:
        answer = receiver.check(data, 8)
    if seed % 97 == 0:
        receiver.forget()
    unlock()
    answers.append(answer)
    if n % 50 == 0:
        print(list(data), answers[-50:])
print(sorted(set(answers)))
"""


@pytest.mark.mpy
def test_protection_says_the_same_on_a_32_bit_micropython_with_the_heap_locked(tmp_path, capsys):
    exec(compile(ON_BOARD, "script", "exec"), {"__name__": "script"})
    here = capsys.readouterr().out.splitlines()
    there = run_script(tmp_path, ON_BOARD, ["vehicle/__init__.py", "vehicle/e2e.py"])
    assert there == here
    assert len(here[-1].split(",")) >= 6, "most answers came up"
