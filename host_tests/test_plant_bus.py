"""The CAN bus of the plant: whose turn it is, what load does, the inlet's controller in trouble, the car's wrong frames."""

from array import array
from itertools import pairwise

import pytest
from plant_bench import Bench

from drivers import virtual_car as can
from drivers.virtual_layout import CAR_IN, CAR_IN_INTS, CAR_OUT, CAR_OUT_INTS
from inletctl.plant.bus import pack, unpack
from inletctl.plant.can_codec import COUNTERS, beyond, checksum, decode, encode, messages

CONTROL, CHARGER, BATTERY = 0x0C8, 0x0C9, 0x0CB
STATUS = 0x0C0


class Frame:
    def __init__(self, can_id=0, data=b""):
        self.id = can_id
        self.length = len(data)
        self.data = bytearray(data + bytes(8 - len(data)))


class CanBench(Bench):
    """A bench whose board has a CAN port, as a target wires it."""

    def __init__(self, ids=(CONTROL,), can_dialect="native", **config):
        super().__init__(can=can_dialect, **config)
        self.into = array("i", [0] * CAR_IN_INTS)
        self.out = array("i", [0] * CAR_OUT_INTS)
        self.port = can.VirtualCan(self.into, 0, self.out, 0)
        self.port.listen(ids)
        self.heard = []
        self.to_send = []  # sent in every pass
        self.lost_turns = 0

    def one(self):
        self.world.hear_board(self.out, 0)
        self.out[CAR_OUT.index("frames")] = 0
        super().one()
        self.world.tell_board(self.into, 0)
        self.port.tick(round(self.t_ms))
        frame = Frame()
        while self.port.receive(frame):
            data = bytes(frame.data[: frame.length])
            self.heard.append((self.t_ms, frame.id, data))
        for one in self.to_send:
            self.port.send(one)

    def of(self, can_id):
        return [(t_ms, data) for t_ms, found, data in self.heard if found == can_id]


def message(can_id):
    return messages("native", False)[can_id]


def is_right(can_id, data):
    return len(data) == message(can_id).length and data[0] == checksum(can_id, data)


@pytest.mark.parametrize("length", range(9))
def test_a_frame_survives_its_ints_and_none_of_them_leaves_a_small_int(length):
    data = bytes(range(0xF8, 0xF8 + length))
    ints = array("i", [0] * 4)
    pack(0x7FF, data, ints, 0)
    assert unpack(ints, 0) == (0x7FF, data)
    assert max(ints) < 1 << 24


def test_the_codec_reads_back_what_it_wrote_and_the_checksum_covers_id_counter_and_data():
    control = message(CONTROL)
    raw = {"permission": 1, "limit_ma": 320, "gear": 1}
    data = encode(control, raw, 7)
    assert decode(control, data) | raw == decode(control, data)
    assert data[1] & 15 == 7
    assert is_right(CONTROL, data)
    assert checksum(CHARGER, data) != data[0]
    for at in range(1, len(data)):
        changed = bytearray(data)
        changed[at] ^= 0x10
        assert not is_right(CONTROL, bytes(changed))


def test_messages_come_at_their_cycle_with_running_counters_and_only_those_listened_to():
    bench = CanBench(ids=(CONTROL, BATTERY))
    bench.run(5000)
    assert {can_id for _t, can_id, _d in bench.heard} == {CONTROL, BATTERY}
    frames = bench.of(CONTROL)
    assert 48 <= len(frames) <= 50
    assert all(is_right(CONTROL, data) for _t, data in frames)
    counters = [data[1] & 15 for _t, data in frames]
    assert all((a + 1) % COUNTERS == b for a, b in pairwise(counters))
    assert len(bench.of(BATTERY)) == 5


def test_what_the_car_says_is_what_is_true():
    bench = CanBench(
        ids=(CONTROL, CHARGER, BATTERY),
        charger_max_a=16,
        soc_pct=42,
        clock_day="tue",
        clock_time=61,
    )
    bench.run(1200)
    bench.world.do("vehicle_refuse")
    bench.world.do("gear", gear="drive")
    bench.world.do("vehicle_unlock")
    control, battery = (decode(message(n), bench.of(n)[-1][1]) for n in (CONTROL, BATTERY))
    assert (control["permission"], control["limit_ma"], control["gear"]) == (1, 160, 1)
    assert (battery["soc_pct"], battery["clock_ok"], battery["clock_min"]) == (42, 1, 1440 + 61)
    bench.run(200)
    control = decode(message(CONTROL), bench.of(CONTROL)[-1][1])
    assert (control["permission"], control["gear"], control["unlock_request"]) == (0, 2, 1)
    assert control["drive_request"] == 1


@pytest.mark.parametrize(
    "kind", ["checksum", "counter_repeat", "counter_skip", "length", "value", "missing"]
)
def test_a_fault_is_wrong_in_its_own_way_only_and_ends(kind):
    bench = CanBench()
    bench.run(1000)
    bench.heard.clear()
    bench.world.do("can_fault", kind=kind, message="control", hold=1000)
    bench.run(1000)
    bad = [data for _t, data in bench.of(CONTROL)]
    bench.heard.clear()
    bench.run(1000)
    good = [data for _t, data in bench.of(CONTROL)]
    assert len(good) >= 9
    assert all(is_right(CONTROL, data) for data in good[1:])
    assert bool(bad) is (kind != "missing")
    steps = {(b[1] - a[1]) % 16 for a, b in pairwise(bad)}
    limit = message(CONTROL).signals
    top = next(s for s in limit if s.name == beyond(message(CONTROL)))
    for data in bad[1:]:
        assert is_right(CONTROL, data) is (kind not in ("checksum", "length"))
        assert (len(data) == message(CONTROL).length) is (kind != "length")
        assert (decode(message(CONTROL), data)[top.name] > top.raw_max) is (kind == "value")
    if kind == "counter_repeat":
        assert steps == {0}
    elif kind == "counter_skip":
        assert steps <= {5, 6}  # 6: over the end of 0..14
    elif bad:
        assert steps <= {1, 2}


def test_a_counted_fault_ends_by_itself():
    bench = CanBench()
    bench.run(500)
    bench.heard.clear()
    bench.world.do("can_fault", kind="checksum", count=3)
    bench.run(2000)
    wrong = [not is_right(CONTROL, data) for _t, data in bench.of(CONTROL)]
    assert sum(wrong) in (0, 1)  # four messages share the count
    bench.heard.clear()
    bench.world.do("can_fault", kind="checksum", message="control", count=3)
    bench.run(2000)
    assert sum(not is_right(CONTROL, data) for _t, data in bench.of(CONTROL)) == 3


def test_the_lower_id_goes_first_and_a_newer_frame_replaces_the_one_that_waits():
    bench = CanBench(can_dialect="none")
    heard = []

    class Ear:
        def hear(self, can_id, data):
            heard.append((can_id, data))

    bench.world.bus.join(Ear())
    bench.run(50)
    bench.port.send(Frame(0x300, b"a"))
    bench.port.send(Frame(0x100, b"b"))
    bench.port.send(Frame(0x300, b"c"))
    bench.run(20)
    assert heard == [(0x100, b"b"), (0x300, b"c")]


def test_the_ninth_id_in_one_pass_finds_no_room_and_is_counted():
    bench = CanBench(can_dialect="none")
    bench.run(50)
    assert [bench.port.send(Frame(0x100 + n)) for n in range(9)] == [True] * 8 + [False]
    bench.run(10)
    assert bench.port.dropped == 1


@pytest.mark.parametrize("priority, most_ms", [("low", 0.6), ("high", None)])
def test_full_load_delays_by_a_frame_at_most_or_starves_by_its_priority(priority, most_ms):
    bench = CanBench(can_dialect="none")
    times = []

    class Ear:
        def hear(self, can_id, data):
            times.append(bench.world.clock.now_us / 1000)

    bench.world.bus.join(Ear())
    bench.run(50)
    bench.world.do("can_load", pct=100, priority=priority)
    for _ in range(20):
        sent_ms = bench.t_ms
        bench.port.send(Frame(0x0C0, bytes(8)))
        bench.one()
        bench.run(200)
        if most_ms is None:
            assert times == []
        else:
            assert times.pop() - sent_ms <= most_ms
    assert (bench.port.dropped > 0) is (most_ms is None)


def test_unknown_ids_at_full_rate_never_reach_the_board():
    bench = CanBench()
    bench.run(1000)
    bench.world.do("can_flood", kind="unknown", rate=3000)
    bench.run(3000)
    assert {can_id for _t, can_id, _d in bench.heard} == {CONTROL}
    assert bench.port.lost == 0
    assert bench.world.bus.sent > 8000


def test_a_flood_of_wrong_checksums_reaches_the_board_as_such_and_loses_the_oldest_first():
    bench = CanBench()
    bench.run(1000)
    bench.heard.clear()
    bench.world.do("can_flood", kind="checksum", rate=3000, hold=500)
    bench.run(500)
    wrong = [data for _t, data in bench.of(CONTROL) if not is_right(CONTROL, data)]
    assert len(wrong) > 300
    assert bench.port.lost > 0
    bench.heard.clear()
    bench.run(500)
    assert all(is_right(CONTROL, data) for _t, data in bench.of(CONTROL)[1:])


def test_a_short_takes_the_controller_off_the_bus_with_a_back_off_that_doubles():
    bench = CanBench()
    bench.to_send = [Frame(STATUS, bytes(6))]
    bench.run(1000)
    assert bench.port.state == can.CAN_ACTIVE
    bench.world.do("can_bus", state="short", hold=3000)
    times = []
    offs = 0
    for _ in range(400):
        bench.one()
        if bench.port.offs > offs:
            offs = bench.port.offs
            times.append(bench.t_ms)
    gaps = [b - a for a, b in pairwise(times)]
    assert len(gaps) >= 4
    assert all(1.4 < b / a < 2.2 for a, b in pairwise(gaps))
    bench.run(4000)
    assert bench.port.state == can.CAN_ACTIVE


def test_a_cut_bus_leaves_the_controller_passive_never_off_and_deaf():
    bench = CanBench()
    bench.to_send = [Frame(STATUS, bytes(6))]
    bench.run(500)
    bench.heard.clear()
    bench.world.do("can_bus", state="break", hold=2000)
    bench.run(1990)
    assert (bench.port.state, bench.port.offs) == (can.CAN_PASSIVE, 0)
    assert bench.heard == []
    bench.run(3000)
    assert bench.port.state == can.CAN_ACTIVE
    assert bench.of(CONTROL)


def test_a_missing_controller_says_so_and_takes_nothing():
    bench = CanBench()
    bench.world.do("can_controller", state="missing", hold=1000)
    bench.run(500)
    assert bench.port.state == can.CAN_MISSING
    assert not bench.port.send(Frame(STATUS, bytes(6)))
    assert bench.heard == []
    bench.run(1000)
    assert bench.port.state == can.CAN_ACTIVE


def test_asleep_it_hears_nothing_and_notices_that_the_bus_moves():
    bench = CanBench()
    bench.world.do("vehicle_silent")
    bench.run(200)
    bench.heard.clear()
    bench.port.sleep()
    bench.run(500)
    assert (bench.port.state, bench.port.has_woken) == (can.CAN_ASLEEP, False)
    bench.world.do("vehicle_back")
    bench.run(200)
    assert bench.port.has_woken
    assert bench.heard == []
    bench.port.wake()
    bench.run(200)
    assert bench.port.state == can.CAN_ACTIVE
    assert bench.heard


def test_a_restart_forgets_filter_queue_and_sleep():
    bench = CanBench()
    bench.run(500)
    bench.world.board_dark()
    bench.world.tell_board(bench.into, 0)
    assert bench.into[0] == can.CAN_STARTING
    assert bench.into[CAR_IN.index("frames")] == 0


def test_the_car_refuses_a_status_with_a_wrong_checksum_or_a_repeated_counter():
    bench = CanBench()
    bench.run(100)
    status = message(STATUS)
    good = encode(status, {"drive": 1}, 3)
    bench.to_send = [Frame(STATUS, bytes([good[0] ^ 1]) + good[1:])]
    bench.run(100)
    assert bench.world.status_age_ms is None
    bench.to_send = [Frame(STATUS, good)]
    bench.run(100)
    assert bench.world.told_drive == "allowed"
    age_ms = bench.world.status_age_ms
    bench.run(100)
    assert bench.world.status_age_ms >= age_ms + 90
    assert bench.told("car refuses status of the inlet: counter")
    bench.run(500)
    assert bench.world.told_drive == "unknown"


def test_telling_that_the_car_may_drive_with_the_plug_in_is_a_violation():
    bench = CanBench()
    bench.world.do("plug")
    bench.run(500)
    counter = 0
    for _ in range(3):
        counter += 1
        bench.port.send(Frame(STATUS, encode(message(STATUS), {"drive": 2}, counter)))
        bench.run(50)
    assert bench.world.violations == []
    bench.port.send(Frame(STATUS, encode(message(STATUS), {"drive": 1}, counter + 1)))
    bench.run(50)
    assert [text.split(":")[0] for text in bench.world.violations] == ["drive_plugged"]


@pytest.mark.parametrize("dialect, ids", [("cpc", {0x358}), ("i3lim", {0x112, 0x3E9})])
def test_other_cars_send_their_own_messages(dialect, ids):
    bench = CanBench(ids=tuple(ids), can_dialect=dialect)
    bench.run(1000)
    assert {can_id for _t, can_id, _d in bench.heard} == ids


def test_the_communication_controller_draws_no_more_than_the_inlet_says():
    bench = CanBench(can_dialect="none", inlet="ccs2", modem="yes", evse_digital="yes")
    bench.plugged(cable_a=13)
    bench.commands.s2_close = True
    bench.world.do("modem_start", v=400, a=100)
    inlet, section = (messages("none", True)[can_id] for can_id in (0x0E0, 0x0E1))
    permitted_ma = 100_000
    for counter in range(120):
        if counter == 100:
            permitted_ma = 40_000
        for one, raw in ((inlet, {}), (section, {"dc_permitted_ma": permitted_ma // 100})):
            bench.port.send(Frame(one.id, encode(one, raw, counter % COUNTERS)))
        bench.run(50)
        if counter == 99:
            assert bench.world.dc_ma == 100_000
    assert bench.world.dc_ma == 40_000
