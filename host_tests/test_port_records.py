"""ports.records, ports.head, ports.keeper: what a record may say, what follows from it, and its way to flash and back."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_store import FakeFlash

from drivers.store import PAYLOAD_MAX, PortStore, SettingsStore, StoreError
from faults import H_DECOMMISSIONED, H_OUT_OF_SERVICE
from ports import head, keeper
from ports.change import BAD_RECORD, DONE, FOR_GOOD, NO_RECORD, NOT_WRITTEN
from ports.keeper import Keeper
from ports.records import (
    CONNECTORS,
    DECOMMISSIONED,
    KEYS,
    OPERATIONAL,
    OUT_OF_SERVICE,
    POWERS,
    RECORD_BYTES_MAX,
    RECORDS_MAX,
    STATUSES,
    WATTS_MAX,
    connector_of,
    decode,
    encode,
    from_bytes,
    is_dc,
    limit_ma,
    phases,
    power_of,
    problems,
    to_bytes,
    volts,
    with_defaults,
)
from signals import Readings

AC = {"id": 1, "label": "Left", "connector": "CCS2", "power": "AC level 2", "max_w": 11000}
DC = {"id": 2, "label": "Left", "connector": "CCS2", "power": "DC fast", "max_w": 50000}


def record(base=AC, **keys):
    made = {**base, **keys}
    return {key: value for key, value in made.items() if value is not None}


def readings_of(*records):
    r = Readings()
    head.fill(encode(list(records)), r)
    return r


@st.composite
def records(draw, number=None):
    """A record without problems, of any kind."""
    made = draw(
        st.fixed_dictionaries(
            {
                "id": st.integers(1, RECORDS_MAX) if number is None else st.just(number),
                "inlet": st.integers(1, 8),
                "label": st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=8)
                .filter(str.strip),
                "connector": st.sampled_from([row[0] for row in CONNECTORS]),
                "power": st.sampled_from([row[0] for row in POWERS]),
                "max_w": st.integers(1, WATTS_MAX),
                "status": st.sampled_from(STATUSES),
                "notes": st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=40)
                .filter(str.strip),
            },
            optional={
                "volts_v": st.integers(50, 1500),
                "current_ma": st.integers(1000, 1_000_000),
                "phases": st.integers(1, 3),
            },
        )
    )  # fmt: skip
    # Brought within what fits together, so that few are thrown away.
    if problems(made):
        row, connector = power_of(made), connector_of(made)
        if not connector[1] >> POWERS.index(row) & 1:
            made["connector"] = "other"
            connector = connector_of(made)
        highest_v = min(row[3], connector[4] if row[1] else connector[3])
        if "volts_v" in made:
            made["volts_v"] = max(row[2], min(made["volts_v"], highest_v))
        if "current_ma" in made:
            made["current_ma"] = min(made["current_ma"], row[4])
        if "phases" in made and (row[1] or row is POWERS[0]):
            made["phases"] = 1
        made["phases"] = min(made.get("phases", 1), connector[2])
        most_w = volts(made) * (made.get("current_ma", row[4]) // 100) // 10 * made["phases"]
        made["max_w"] = max(1, min(made["max_w"], most_w))
    assert problems(made) == []
    return made


# what a record may say


@pytest.mark.parametrize("base", [AC, DC])
def test_a_record_with_the_least_is_right(base):
    assert problems(base) == []


@pytest.mark.parametrize("key", [row[0] for row in KEYS if row[1]])
def test_what_must_be_there_is_missed_by_name(key):
    found = problems({k: v for k, v in AC.items() if k != key})
    assert len(found) == 1 and "%s: it is missing" % key in found[0]


@pytest.mark.parametrize(
    "row", [row for row in KEYS if row[2] is not None], ids=lambda row: row[0]
)
def test_a_number_outside_its_bounds_is_refused_and_no_other(row):
    key, _, lowest, highest = row
    for value in (lowest, highest):
        assert not [one for one in problems(record(DC, **{key: value})) if "outside" in one]
    for value in (lowest - 1, highest + 1, 10**400):
        found = problems(record(**{key: value}))
        assert any("%s: " % key in one and "outside" in one for one in found)
        assert all(len(one) < 100 for one in found)
    for value in (True, "7", 7.0, [7], {}):
        assert any("not a whole number" in one for one in problems(record(**{key: value})))


@pytest.mark.parametrize(
    "change, key",
    [
        ({"connector": "CHAdeMO"}, "power"),
        ({"connector": "Type 2", "power": "DC fast"}, "power"),
        ({"connector": "Type 2", "power": "AC level 1", "max_w": 1400}, "power"),
        ({"connector": "J1772", "power": "DC fast"}, "power"),
        ({"connector": "tesla"}, "connector"),
        ({"connector": 3}, "connector"),
        ({"power": "dc"}, "power"),
        ({"status": "broken"}, "status"),
        ({"connector": "other"}, "notes"),
        ({"connector": "other", "notes": "  "}, "notes"),
        ({"label": ""}, "label"),
        ({"label": "x" * 33}, "label"),
        ({"label": "ä" * 17}, "label"),
        ({"label": "a\nb"}, "label"),
        ({"label": "a\x7f"}, "label"),
        ({"label": "\ud800"}, "label"),
        ({"notes": "x" * 161}, "notes"),
        ({"notes": None, "note": "x"}, "note"),
        ({"volts_v": 400}, "volts_v"),
        ({"volts_v": 120}, "volts_v"),
        ({"connector": "J1772", "phases": 3, "max_w": 7000}, "phases"),
        ({"power": "DC fast", "phases": 3}, "phases"),
        ({"power": "DC fast", "volts_v": 1001}, "volts_v"),
        ({"connector": "J1772", "power": "AC level 1", "max_w": 1400, "current_ma": 16001}, "current_ma"),
        ({"current_ma": 80001}, "current_ma"),
        ({"volts_v": 230, "current_ma": 16000, "phases": 1, "max_w": 7400}, "max_w"),
        ({"connector": "J1772", "power": "AC level 1", "max_w": 2100}, "max_w"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_one_sentence_with_the_port_and_the_key(change, key):
    found = problems(record(**change))
    assert len(found) == 1, found
    assert found[0].startswith("port 1, %s: " % key) and "\n" not in found[0]


@pytest.mark.parametrize("entry", [None, 7, "port", [], [1]])
def test_what_is_no_table_is_told(entry):
    assert problems(entry) == [
        "a port is not a table of keys: write id, label, connector, power and max_w"
    ]


@pytest.mark.parametrize("max_w, fits", [(7360, True), (7433, True), (7434, False)])
def test_a_rounded_plate_is_within_one_percent(max_w, fits):
    one = record(volts_v=230, current_ma=32000, phases=1, max_w=max_w)
    assert (problems(one) == []) == fits


# what follows


@pytest.mark.parametrize(
    "change, ma",
    [
        ({"volts_v": 230, "phases": 3}, 15942),
        ({"volts_v": 230, "phases": 3, "current_ma": 10000, "max_w": 6930}, 10000),
        ({"volts_v": 230, "phases": 3, "current_ma": 16000}, 15942),
        ({}, 14435),  # 254 V, 3 phases
        ({"connector": "J1772", "max_w": 7680, "volts_v": 240}, 32000),
        ({"connector": "J1772", "power": "AC level 1", "max_w": 1440}, 11338),  # 127 V
        ({"connector": "NACS", "max_w": 11000}, 39711),  # 277 V, 1 phase
        ({"power": "DC fast", "max_w": 50000}, 50000),  # 1000 V
        ({"power": "DC fast", "max_w": 50000, "volts_v": 400}, 125000),
    ],
)
def test_the_limit_keeps_within_the_power_rounded_down(change, ma):
    one = record(**change)
    assert problems(one) == [] and limit_ma(one) == ma


@given(records())
def test_no_limit_ever_exceeds_the_power(one):
    assert limit_ma(one) * volts(one) * phases(one) <= one["max_w"] * 1000
    assert limit_ma(one) <= one.get("current_ma", limit_ma(one))
    # The only product of numbers that a record brings: within a small int of a 32-bit board.
    assert one["max_w"] * 1000 < 2**30


def test_without_records_nothing_is_limited_or_held():
    r, bare = readings_of(), Readings()
    for name in ("port_holds", "port_dc_holds", "port_ma", "port_dc_ma"):
        assert getattr(r, name) == getattr(bare, name)
    assert (bare.port_holds, bare.port_dc_holds, bare.port_ma, bare.port_dc_ma) == (
        0,
        0,
        80000,
        1000000,
    )


def test_each_section_has_its_own_record():
    r = readings_of(record(AC), record(DC, status=OUT_OF_SERVICE))
    assert (r.port_holds, r.port_dc_holds) == (0, H_OUT_OF_SERVICE)
    assert (r.port_ma, r.port_dc_ma) == (14435, 50000)
    r = readings_of(record(AC, status=DECOMMISSIONED), record(DC))
    assert (r.port_holds, r.port_dc_holds) == (H_DECOMMISSIONED, 0)


def test_of_two_records_of_a_section_the_strictest_counts():
    second = record(id=3, max_w=22000, status=OUT_OF_SERVICE)
    for both in ((record(), second), (second, record())):
        r = readings_of(*both)
        assert (r.port_holds, r.port_ma) == (H_OUT_OF_SERVICE, 14435)


def test_another_inlets_record_is_only_listed():
    r = readings_of(record(inlet=2, status=DECOMMISSIONED, max_w=1))
    assert (r.port_holds, r.port_dc_holds, r.port_ma) == (0, 0, 80000)


@given(st.lists(records(), max_size=4))
def test_a_head_is_what_the_records_say(some):
    r = readings_of(*some)
    here = [one for one in some if one["inlet"] == 1]
    for holds, ma, most, of_dc in (
        (r.port_holds, r.port_ma, 80000, False),
        (r.port_dc_holds, r.port_dc_ma, 1000000, True),
    ):
        mine = [one for one in here if is_dc(one) == of_dc]
        assert ma == min([most, *(limit_ma(one) for one in mine)])
        assert bool(holds & H_OUT_OF_SERVICE) == any(
            one["status"] == OUT_OF_SERVICE for one in mine
        )
        assert bool(holds & H_DECOMMISSIONED) == any(
            one["status"] == DECOMMISSIONED for one in mine
        )


# bytes


@given(records())
def test_a_record_comes_back_from_its_bytes(one):
    data = to_bytes(one)
    assert len(data) <= RECORD_BYTES_MAX
    assert from_bytes(data) == with_defaults(one)


@given(st.lists(st.integers(1, RECORDS_MAX), unique=True, max_size=8).flatmap(
    lambda numbers: st.tuples(*[records(n) for n in numbers])
))  # fmt: skip
def test_a_whole_file_comes_back(some):
    payload = encode(list(some))
    assert decode(payload) == [with_defaults(one) for one in some]
    assert len(payload) <= PAYLOAD_MAX


def test_the_longest_records_fit_the_file():
    some = [
        record(id=n, label="x" * 32, notes="y" * 160, volts_v=230, current_ma=16000, phases=3)
        for n in range(1, RECORDS_MAX + 1)
    ]
    assert max(len(to_bytes(one)) for one in some) <= RECORD_BYTES_MAX == keeper._RECORD_BYTES_MAX
    assert len(encode(some)) <= PAYLOAD_MAX


@given(st.data())
def test_damaged_bytes_are_refused_or_are_another_right_file(data):
    payload = bytearray(encode([record(), record(DC)]))
    at = data.draw(st.integers(0, len(payload) - 1))
    payload[at] ^= data.draw(st.integers(1, 255))
    try:
        found = decode(bytes(payload))
    except ValueError as error:
        assert "\n" not in str(error)
    else:
        assert encode(found) == payload and not any(problems(one) for one in found)


@pytest.mark.parametrize("end", range(len(encode([AC, DC]))))
def test_a_file_that_is_cut_off_is_refused(end):
    with pytest.raises(ValueError):
        decode(encode([AC, DC])[:end])


def test_a_number_twice_is_refused():
    with pytest.raises(ValueError, match="port 1 is there twice"):
        decode(encode([AC, AC]))


@pytest.mark.parametrize("payload", [b"", b"\x01", b"\x02" + bytes(11)])
def test_a_boot_refuses_a_head_that_it_does_not_know(payload):
    with pytest.raises(ValueError):
        head.fill(payload, Readings())


def test_a_change_holds_back_at_once_and_loosens_nothing_before_the_restart():
    bench = Bench(AC)
    r = Readings()
    bench.keeper.tighten(r)
    ma = r.port_ma
    assert bench.put(record(status=OUT_OF_SERVICE, max_w=1400)) == DONE
    bench.keeper.tighten(r)
    assert r.port_holds == H_OUT_OF_SERVICE and r.port_ma < ma
    held_ma = r.port_ma
    assert bench.put(record(max_w=22000)) == DONE
    bench.keeper.tighten(r)
    assert (r.port_holds, r.port_ma) == (H_OUT_OF_SERVICE, held_ma)
    assert bench.keeper.delete(1, False) == DONE
    bench.keeper.tighten(r)
    assert (r.port_holds, r.port_ma) == (H_OUT_OF_SERVICE, held_ma)


def test_a_change_that_cannot_be_applied_takes_the_port_out_of_service():
    bench = Bench(AC)
    r = Readings()
    bench.keeper.payload = b"\x02" + bytes(11)
    bench.keeper.tighten(r)
    assert r.port_holds == r.port_dc_holds == H_OUT_OF_SERVICE


# the store


def test_ports_and_settings_lie_side_by_side_in_the_same_form():
    flash = FakeFlash()
    SettingsStore(files=flash).write({"inlet": 1}, True)
    payload = encode([AC])
    assert PortStore(files=flash).write(payload, True) is True
    assert PortStore(files=flash).write(payload, True) is False
    assert PortStore(files=flash).read() == payload
    assert SettingsStore(files=flash).read() == {"inlet": 1}
    assert set(flash.files) == {"/settings.bin", "/ports.bin"}


def test_a_damaged_file_is_told_as_port_records_and_stays():
    flash = FakeFlash()
    PortStore(files=flash).write(encode([AC]), True)
    damaged = bytearray(flash.files["/ports.bin"])
    damaged[9] ^= 4
    flash.files["/ports.bin"] = bytes(damaged)
    with pytest.raises(StoreError, match="port records file is damaged, its CRC is wrong"):
        PortStore(files=flash).read()
    assert flash.files["/ports.bin"] == bytes(damaged)


@pytest.mark.parametrize("values", [{}, "x", None, 7])
def test_a_port_store_keeps_bytes_only(values):
    with pytest.raises(StoreError):
        PortStore(files=FakeFlash()).write(values, True)


# the keeper


class Bench:
    def __init__(self, *some, is_damaged=False):
        self.flash = FakeFlash()
        self.store = PortStore(files=self.flash)
        if some:
            self.store.write(encode(list(some)), True)
        self.keeper = Keeper(self.store, self.store.read(), is_damaged)

    def put(self, one, is_service=False):
        data = to_bytes(one)
        for at in range(0, len(data), 21):
            part = data[at : at + 21]
            numbers = [0] + [
                int.from_bytes(part[n : n + 3], "little") for n in range(0, len(part), 3)
            ]
            assert self.keeper.write(at, numbers, 1, len(numbers) - 1) == DONE
        return self.keeper.put(len(data), is_service)

    def read(self):
        data, length = b"", 1
        while len(data) < length:
            out = [0] * 11
            self.keeper.read(len(data), out, 1, 9)
            length = out[1]
            data += b"".join(one.to_bytes(3, "little") for one in out[2:])
        assert not any(data[length:])
        return decode(data[:length]) if length else []

    def stored(self):
        payload = self.store.read()
        return [] if payload is None else decode(payload)


@given(st.lists(records(), max_size=6))
def test_records_set_one_by_one_are_read_and_stored(some):
    bench = Bench()
    expected = {}
    for one in some:
        kept = record(one, status=OPERATIONAL)
        assert bench.put(kept) == DONE
        expected[kept["id"]] = with_defaults(kept)
    assert bench.read() == bench.stored() == [expected[n] for n in sorted(expected)]


def test_a_record_is_replaced_and_deleted_by_its_number():
    bench = Bench(AC, DC)
    assert bench.put(record(label="New")) == DONE
    assert [one["label"] for one in bench.read()] == ["New", "Left"]
    assert bench.keeper.delete(1, False) == DONE
    assert bench.keeper.delete(1, False) == NO_RECORD
    assert [one["id"] for one in bench.stored()] == [2]
    assert bench.keeper.delete(2, False) == DONE
    assert bench.read() == [] and bench.flash.files == {}


def test_decommissioned_is_replaced_and_deleted_in_service_mode_only():
    bench = Bench(record(status=DECOMMISSIONED), DC)
    before = dict(bench.flash.files)
    assert bench.put(AC) == FOR_GOOD
    assert bench.keeper.delete(1, False) == FOR_GOOD
    assert bench.keeper.delete(0, False) == FOR_GOOD
    assert bench.flash.files == before
    assert bench.put(AC, True) == DONE
    assert bench.stored()[0]["status"] == OPERATIONAL
    bench = Bench(record(status=DECOMMISSIONED))
    assert bench.keeper.delete(1, True) == DONE and bench.stored() == []


def test_records_that_cannot_be_read_are_kept_until_service_removes_all():
    bench = Bench(AC, is_damaged=True)
    before = dict(bench.flash.files)
    assert bench.put(DC, True) == FOR_GOOD
    assert bench.keeper.delete(0, False) == FOR_GOOD
    assert bench.flash.files == before
    assert bench.keeper.delete(0, True) == DONE
    assert bench.put(DC) == DONE and bench.stored() == [with_defaults(DC)]


def test_bytes_that_are_no_record_change_nothing():
    bench = Bench(AC)
    assert bench.keeper.put(20, False) == BAD_RECORD
    bad = bytearray(to_bytes(AC))
    bad[3] = 2  # DC fast at three phases would do; at a status of no version it would not
    bad[4] = 9
    numbers = [int.from_bytes(bad[n : n + 3], "little") for n in range(0, len(bad), 3)]
    for n, number in enumerate(numbers):
        assert bench.keeper.write(3 * n, [number], 0, 1) == DONE
    for length in (0, -1, 211, len(bad)):
        assert bench.keeper.put(length, False) == BAD_RECORD
    assert bench.read() == [with_defaults(AC)]


@pytest.mark.parametrize("at", [-1, 211, 2**30 - 1])
def test_bytes_outside_a_record_are_refused(at):
    assert Bench().keeper.write(at, [1], 0, 1) == BAD_RECORD


@pytest.mark.parametrize("at", [-(2**30), -1, 10**6, 2**30 - 1])
def test_reading_outside_reads_nothing_of_others(at):
    out = [7] * 4
    Bench(AC).keeper.read(at, out, 1, 2)
    assert out == [7, len(encode([AC])), 0, 0]


def test_a_flash_that_fails_keeps_what_was_stored():
    bench = Bench(AC)
    bench.flash.broken = ("/ports.tmp",)
    assert bench.put(DC) == NOT_WRITTEN
    assert bench.read() == [with_defaults(AC)]


def test_a_board_without_room_for_changes_refuses_them_and_goes_on(monkeypatch):
    bench = Bench(AC)
    # None in sys.modules is an import that fails.
    monkeypatch.setitem(sys.modules, "ports.change", None)
    assert bench.put(DC) == NOT_WRITTEN
    assert bench.keeper.delete(1, False) == NOT_WRITTEN
    assert bench.read() == [with_defaults(AC)]


@pytest.mark.parametrize("where", ["from_bytes", "decode", "encode"])
def test_memory_that_ends_within_a_change_ends_nothing_else(monkeypatch, where):
    bench = Bench(AC)

    def no_room(*_):
        raise MemoryError

    monkeypatch.setattr("ports.change." + where, no_room)
    assert bench.put(DC) == NOT_WRITTEN
    assert bench.stored() == [with_defaults(AC)]


def test_a_record_to_come_needs_room(monkeypatch):
    bench = Bench(AC)

    def no_room(_):
        raise MemoryError

    monkeypatch.setitem(vars(sys.modules["ports.keeper"]), "bytearray", no_room)
    assert bench.keeper.write(0, [0, 1, 2], 1, 2) == NOT_WRITTEN
