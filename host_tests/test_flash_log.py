"""The journal's log on flash: what was acknowledged is there, whole, whatever the power does; damage is left out and told."""

import errno
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from log_rig import (
    FakeFlash,
    Keeper,
    LittleFiles,
    PowerCut,
    empty_pico,
    make_log,
    records_of,
)

from drivers.board_files import crc_of
from drivers.flash_log import ANSWER_NAMES, BROKEN, BUSY, DONE, FULL, TOO_LONG, FlashLog
from drivers.log_cursor import Cursor
from drivers.log_reader import PAYLOAD_MAX, RECORD_MIN, SEGMENT_HEAD, LogReader

STATE = 7  # a kind that is kept in these tests
ONE = [(1, b"one"), (2, b"two two"), (STATE, b"state"), (3, b"")]


def written(jobs=ONE, when="close", **how):
    """Return a flash with these records on it."""
    flash = FakeFlash(when)
    log = make_log(flash, **how)
    for kind, payload in jobs:
        assert log.append(kind, payload, True) == DONE
    return flash


def reopened(flash, **how):
    """Return the log of a board that has started anew on what is on this flash."""
    again = FakeFlash(flash.when, flash.files, flash.folders)
    return make_log(again, **how), again


# ------------------------------------------------------------------------------------ what is kept


def test_a_flash_without_a_journal_has_none_and_reading_makes_no_file():
    flash = FakeFlash()
    log = make_log(flash)
    assert records_of(log) == [] and log.last == 0 and log.newest(STATE) is None
    assert flash.files == {} and flash.done == 0


def test_records_come_back_in_order_and_number():
    log, _flash = reopened(written())
    assert records_of(log) == [(n + 1, *one) for n, one in enumerate(ONE)]
    assert log.last == 4 and log.lost == 0


def test_records_come_back_from_a_real_folder(tmp_path):
    folder = str(tmp_path / "journal")
    for _ in range(2):
        assert FlashLog(folder).append(1, b"abc", True) == DONE
    assert records_of(FlashLog(folder)) == [(1, 1, b"abc"), (2, 1, b"abc")]
    assert [path.name for path in (tmp_path / "journal").iterdir()] == ["0.log"]


def test_file_has_the_layout_that_is_written_down():
    head = b"OIJ\x01\x01\0\0\0"
    one = b"J\x05\x03\0\x01\0\0\0abc"
    assert written([(5, b"abc")]).files == {
        "/journal/0.log": head + crc_of(head) + one + crc_of(one)
    }


def test_a_buffer_is_as_good_as_bytes():
    log, _flash = reopened(written([(1, memoryview(bytearray(b"0123"))[1:3])]))
    assert records_of(log) == [(1, 1, b"12")]


def test_opening_reads_one_file_a_step():
    log, _flash = reopened(written([(1, b"x" * 100)] * 9))
    steps = 1
    while not log.open_step():
        steps += 1
    assert steps == 3 + 1 and log.open_step()


def test_files_are_used_in_turn_and_stay_within_their_size():
    flash = FakeFlash("close")
    log = make_log(flash)
    for n in range(200):
        assert log.append(1, b"%d" % n, True) == DONE
    assert sorted(flash.files) == ["/journal/%d.log" % n for n in range(3)]
    assert all(len(data) <= 300 for data in flash.files.values())
    found = records_of(log)
    assert found[-1] == (200, 1, b"199") and len(found) >= 2 * (300 - SEGMENT_HEAD) // 15 - 2
    assert [number for number, *_ in found] == list(range(found[0][0], 201))


def test_the_newest_of_a_kept_kind_outlives_every_turn():
    flash = FakeFlash("close")
    log = make_log(flash, kept=(STATE, 8))
    assert log.append(STATE, b"first", True) == DONE
    assert log.append(STATE, b"second", True) == DONE
    assert log.append(8, b"other", True) == DONE
    for _ in range(100):
        assert log.append(1, b"passing by", True) == DONE
    log, _flash = reopened(flash, kept=(STATE, 8))
    assert log.newest(STATE) == b"second" and log.newest(8) == b"other" and log.newest(1) is None


def test_much_to_keep_still_goes_on():
    """Three states that fill a segment between them: each append then begins a new one, and nothing is lost."""
    flash, keeper = FakeFlash("close"), Keeper((STATE, 8, 9))
    log = make_log(flash, kept=keeper.kept)
    for n in range(40):
        keeper.append(log, (STATE, 8, 9, 1)[n % 4], b"%03d" % n * 40)
        keeper.check(reopened(flash, kept=keeper.kept)[0])


# --------------------------------------------------------------------------------------- not written


def test_nothing_is_written_while_not_idle():
    flash = FakeFlash()
    log = make_log(flash)
    assert log.append(1, b"a", False) == BUSY and "charging" in log.problem
    assert flash.files == {} and flash.done == 0 and log.last == 0


def test_a_record_up_to_the_largest_payload_and_not_beyond():
    flash = FakeFlash("close")
    log = FlashLog("/journal", files=flash)
    assert log.append(1, b"x" * PAYLOAD_MAX, True) == DONE
    assert log.append(1, b"x" * (PAYLOAD_MAX + 1), True) == TOO_LONG and "2049" in log.problem
    assert [len(payload) for *_, payload in records_of(log)] == [PAYLOAD_MAX]
    assert flash.asked <= PAYLOAD_MAX, "reads one record at once, never a file"


@pytest.mark.parametrize("when", ["byte", "flush", "close"])
def test_full_flash_is_an_answer_and_the_next_append_goes_on(when):
    flash = written(when=when)
    flash.room = sum(map(len, flash.files.values())) + 8
    log = make_log(flash)
    assert log.append(1, b"no room for this", True) == FULL and "full" in log.problem
    assert records_of(make_log(flash)) == [(n + 1, *one) for n, one in enumerate(ONE)]
    flash.room = None
    assert log.append(1, b"now there is", True) == DONE and log.problem == ""
    assert records_of(log)[-1] == (5, 1, b"now there is")


def test_flash_that_forgets_is_noticed():
    flash = written()
    flash.forgets = True
    log = make_log(flash)
    assert log.append(1, b"gone", True) == BROKEN and "does not keep" in log.problem
    flash.forgets = False
    assert log.append(1, b"here", True) == DONE
    assert (5, 1, b"here") in records_of(log)


def test_a_new_segment_that_is_not_kept_whole_takes_no_ones_place():
    flash = written([(1, b"x" * 100)] * 6)
    before = dict(flash.files)
    flash.forgets = True
    log = make_log(flash)
    assert log.append(1, b"y" * 100, True) == BROKEN and "does not keep" in log.problem
    flash.files.pop("/journal/new.tmp")
    assert flash.files == before


def test_the_segment_that_is_written_is_never_its_own_oldest():
    flash = written([(1, b"x" * 100)] * 2)
    flash.files.update({"/journal/1.log": b"", "/journal/2.log": b""})
    flash.stuck |= {"/journal/1.log", "/journal/2.log"}
    log = make_log(flash)
    assert log.append(1, b"y" * 100, True) == BROKEN
    assert len(records_of(log)) == 2


def test_flash_that_cannot_be_written_is_an_answer():
    class Broken(FakeFlash):
        def open(self, path, mode):
            if mode != "rb":
                raise OSError(errno.EIO)
            return super().open(path, mode)

    log = make_log(Broken("close", written().files))
    assert log.append(1, b"a", True) == BROKEN and "cannot be written" in log.problem
    assert len(records_of(log)) == 4


def test_every_answer_has_its_name():
    assert [ANSWER_NAMES[n] for n in (DONE, BUSY, FULL, BROKEN, TOO_LONG)] == list(ANSWER_NAMES)


# ------------------------------------------------------------------------------------------ power cuts

JOBS = st.lists(
    st.tuples(st.sampled_from([1, 2, STATE]), st.binary(max_size=90)), min_size=1, max_size=14
)


def live(flash, keeper, jobs, **how):
    """Append until the power goes; return whether it went."""
    try:
        log = make_log(flash, kept=keeper.kept, **how)
        for kind, payload in jobs:
            keeper.append(log, kind, payload)
    except PowerCut:
        return True
    return False


@settings(deadline=None, max_examples=60)
@given(JOBS, st.lists(st.integers(0, 2500), min_size=1, max_size=4), st.sampled_from(["byte", "flush", "close"]))  # fmt: skip
def test_whatever_is_appended_and_wherever_the_power_goes_what_was_acknowledged_is_there(
    jobs, cuts, when
):
    flash, keeper = FakeFlash(when), Keeper((STATE,))
    for cut in [*cuts, None]:
        flash = FakeFlash(when, flash.files, flash.folders)
        flash.steps = cut
        live(flash, keeper, jobs)
        found = keeper.check(reopened(flash, kept=keeper.kept)[0])
        last = keeper.acked[-1][0] if keeper.acked else 0
        if keeper.flying is not None and found and found[-1][0] > last:
            # It was whole before the power went: it counts from now on.
            keeper.acked.append(found[-1])
        keeper.flying = None
    assert keeper.acked[-1][1:] == jobs[-1]


@pytest.mark.parametrize("when", ["byte", "flush", "close"])
def test_power_cut_at_every_step_of_two_turns(when):
    jobs = [((1, STATE, 2)[n % 3], b"%d" % n * (n % 23)) for n in range(30)]
    flash = FakeFlash(when)
    assert not live(flash, Keeper((STATE,)), jobs, segment_bytes=150)
    steps, torn = flash.done, 0
    assert steps > 1200
    for cut in range(steps):
        flash, keeper = FakeFlash(when), Keeper((STATE,))
        flash.steps = cut
        assert live(flash, keeper, jobs, segment_bytes=150)
        log, again = reopened(flash, kept=keeper.kept, segment_bytes=150)
        keeper.check(log)
        torn += log.lost
        # And goes on, whatever the cut has left behind.
        keeper.flying = None
        keeper.acked = records_of(log)
        keeper.append(log, 1, b"after the cut")
        keeper.check(reopened(again, kept=keeper.kept, segment_bytes=150)[0])
    assert (torn > 100) == (when == "byte"), (
        "the cuts really tear records, where a file system does"
    )


def test_power_cut_in_every_flash_operation_of_a_real_littlefs():
    """40 appends over several turns, on flash of a Pico's kind; a cut after each quarter of each program and erase."""
    dice = random.Random("littlefs")
    image, keeper, pictures, seen = empty_pico(24), Keeper((STATE,)), 0, set()
    how = {"kept": (STATE,), "segment_bytes": 1500}
    for n in range(40):
        files = LittleFiles(image, has_pictures=True)
        log = make_log(files, **how)
        log.open_all()
        before = log.last
        kind, payload = (STATE if n % 5 == 0 else 1), dice.randbytes(dice.randrange(500))
        assert log.append(kind, payload, True) == DONE
        keeper.flying = (kind, payload)
        for picture in files.flash.pictures:
            after = make_log(LittleFiles(picture), **how)
            keeper.check(after)
            assert after.last == before or after.last == log.last
            assert after.lost == 0 and after.problem == ""
            seen.add(after.last == log.last)
        pictures += len(files.flash.pictures)
        keeper.acked.append((log.last, kind, payload))
        keeper.flying = None
        image = bytes(files.flash.buffer)
    assert pictures > 500 and seen == {False, True}
    found = keeper.check(make_log(LittleFiles(image), **how))
    assert found[0][0] > 1, "the oldest have given way"


# ---------------------------------------------------------------------------------------------- damage


def test_any_damaged_byte_costs_at_most_the_record_it_is_in():
    jobs = [(1 + n % 3, b"JJ%d" % n * (n % 7)) for n in range(12)]
    good = written(jobs, segment_bytes=4000).files
    (path,) = good
    whole = [(n + 1, *one) for n, one in enumerate(jobs)]
    for at in range(SEGMENT_HEAD, len(good[path])):
        bad = bytearray(good[path])
        bad[at] ^= 0x55
        flash = FakeFlash("close", {path: bytes(bad)})
        log = make_log(flash, segment_bytes=4000)
        found = records_of(log)
        assert [one for one in found if one not in whole] == []
        assert len(found) >= len(whole) - 1 and log.lost == 1
        # The next append leaves the damage out, and nothing else.
        assert log.append(9, b"next", True) == DONE
        again = records_of(reopened(flash, segment_bytes=4000)[0])
        assert again[:-1] == found and again[-1][1:] == (9, b"next")


@pytest.mark.parametrize("at", range(SEGMENT_HEAD))
def test_a_damaged_head_sets_the_file_aside_with_a_sentence_and_the_others_go_on(at):
    flash = written([(1, b"x" * 100)] * 5)
    assert len(flash.files) == 3
    old = bytearray(flash.files["/journal/1.log"])
    old[at] ^= 1
    flash.files["/journal/1.log"] = bytes(old)
    said = []
    log, again = reopened(flash, note=said.append)
    assert [number for number, *_ in records_of(log)] == [1, 2, 5]
    assert again.files["/journal/1.log.bad"] == bytes(old) and "/journal/1.log" not in again.files
    assert len(said) == 1 and "/journal/1.log" in said[0] and "kept as" in said[0]
    assert log.append(1, b"next", True) == DONE
    assert records_of(log)[-1][0] > 5


def test_numbers_of_a_newest_segment_that_is_lost_are_not_given_again():
    flash = written([(1, b"x")] * 50)
    newest = max(flash.files, key=lambda path: flash.files[path][4:8])
    flash.files[newest] = b"\xff" + flash.files[newest][1:]
    log, _flash = reopened(flash)
    assert records_of(log)[-1][0] < 50
    assert log.append(1, b"next", True) == DONE and log.last > 50


@pytest.mark.parametrize(
    "data", [b"", b"OIJ", b"\xff" * 300, b"readme: not a journal\n" * 9, b"OIJ\x02\x01\0\0\0" + crc_of(b"OIJ\x02\x01\0\0\0")]
)  # fmt: skip
def test_foreign_and_later_files_are_set_aside(data):
    said = []
    log, again = reopened(FakeFlash("close", {"/journal/0.log": data}), note=said.append)
    assert records_of(log) == [] and len(said) == 1
    assert again.files == {"/journal/0.log.bad": data}
    assert log.append(1, b"a", True) == DONE
    assert [record[1:] for record in records_of(log)] == [(1, b"a")]


def test_a_copy_of_a_segment_does_not_count_twice():
    flash = written()
    flash.files["/journal/2.log"] = flash.files["/journal/0.log"]
    log, again = reopened(flash)
    assert len(records_of(log)) == 4 and "/journal/2.log.bad" in again.files


def test_a_file_that_cannot_be_read_nor_renamed_is_left_alone():
    flash = written([(1, b"x" * 100)] * 5)
    flash.broken.add("/journal/2.log")
    flash.stuck.add("/journal/2.log")
    said = []
    log = make_log(flash, note=said.append)
    assert [number for number, *_ in records_of(log)] == [1, 2, 3, 4]
    assert "left alone" in said[0]
    for n in range(20):
        assert log.append(2, b"%d" % n, True) == DONE


def test_where_no_file_can_be_replaced_it_is_an_answer():
    flash = FakeFlash("close", {"/journal/%d.log" % n: b"" for n in range(3)})
    flash.stuck |= set(flash.files)
    assert make_log(flash).append(1, b"a", True) == BROKEN


def test_a_segment_that_cannot_be_read_to_its_end_is_done_without():
    class Weak(FakeFlash):
        def open(self, path, mode):
            file = super().open(path, mode)
            if path == "/journal/2.log" and mode == "rb":
                whole = file.read

                def read(size):
                    if file.at > SEGMENT_HEAD + 20:
                        raise OSError(errno.EIO)
                    return whole(size)

                file.read = read
            return file

    good = written([(1, b"x" * 100)] * 5).files
    log = make_log(Weak("close", good))
    assert [number for number, *_ in records_of(log)] == [1, 2, 3, 4]
    assert "to its end" in log.problem
    assert log.append(1, b"a", True) == DONE


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["/journal/0.log", "/journal/1.log", "/journal/new.tmp"]), st.binary(max_size=80)))  # fmt: skip
def test_any_bytes_in_any_file_stop_nothing(files):
    flash = FakeFlash("close", files)
    log = make_log(flash, kept=(STATE,))
    assert records_of(log) == [] and log.newest(STATE) is None
    assert log.append(STATE, b"on", True) == DONE
    assert reopened(flash, kept=(STATE,))[0].newest(STATE) == b"on"


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_any_damage_to_a_journal_invents_nothing(data):
    jobs = [(1 + n % 3, b"%d" % n * 5) for n in range(30)]
    flash = written(jobs)
    whole = set(enumerate(jobs, 1))
    path = data.draw(st.sampled_from(sorted(flash.files)))
    old = bytearray(flash.files[path])
    for _ in range(data.draw(st.integers(1, 6))):
        old[data.draw(st.integers(0, len(old) - 1))] = data.draw(st.integers(0, 255))
    flash.files[path] = bytes(old[: data.draw(st.integers(0, len(old)))])
    log, again = reopened(flash)
    found = records_of(log)
    assert {(number, (kind, payload)) for number, kind, payload in found} <= whole
    assert log.append(1, b"next", True) == DONE
    assert records_of(reopened(again)[0])[-1][2] == b"next"


# ---------------------------------------------------------------------------------------------- reading


def test_reading_begins_behind_a_number():
    log, _flash = reopened(written([(1, b"%d" % n * 9) for n in range(20)]))
    every = records_of(log)
    for after in range(25):
        assert records_of(log, after) == [record for record in every if record[0] > after]


def test_appends_while_reading_do_no_harm():
    log = make_log(FakeFlash("close"))
    for n in range(20):
        log.append(1, b"%02d" % n * 5, True)
    cursor = Cursor(log)
    seen = []
    for n in range(20, 60):
        if cursor.next():
            seen.append((cursor.number, cursor.payload))
        log.append(1, b"%02d" % n * 5, True)
    while cursor.next():
        seen.append((cursor.number, cursor.payload))
    assert all(payload == b"%02d" % (number - 1) * 5 for number, payload in seen)
    numbers = [number for number, _payload in seen]
    assert numbers == sorted(set(numbers)) and numbers[-1] == 60 and len(numbers) > 40


def test_a_torn_segment_written_anew_while_it_is_read_is_read_on():
    flash = written([(1, b"%d" % n) for n in range(8)])
    flash.files["/journal/0.log"] = flash.files["/journal/0.log"].replace(
        b"J\x01\x01\0\x02", b"J\x01\x01\0\xff"
    )
    log, _flash = reopened(flash)
    cursor = Cursor(log)
    assert cursor.next() and cursor.next() and cursor.number == 3
    assert log.append(1, b"8", True) == DONE and log.rewrites == 1
    left = []
    while cursor.next():
        left.append(cursor.number)
    assert left == [4, 5, 6, 7, 8, 9]


def test_a_reader_alone_finds_what_is_kept_and_changes_nothing():
    flash = written(kept=(STATE,))
    before = dict(flash.files)
    reader = LogReader("/journal", (STATE,), 3, 300, flash)
    assert reader.newest(STATE) == b"state" and len(records_of(reader)) == 4
    assert flash.files == before


def test_sizes_fit_the_layout():
    assert PAYLOAD_MAX + RECORD_MIN < 1 << 13 and PAYLOAD_MAX < 1 << 16
