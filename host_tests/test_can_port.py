"""drivers.can_port on a modelled MCP2515 and bus: queues, states, recovery, and what garbage does."""

import random

import pytest
from mcp_rig import PASS_MS, CanRig, new_frame

from drivers import can_port
from drivers.can_port import (
    CAN_ACTIVE,
    CAN_ASLEEP,
    CAN_MISSING,
    CAN_OFF,
    CAN_PASSIVE,
    CAN_STARTING,
    CAN_WARNING,
)
from inletctl.emu.can_bus import Frame
from inletctl.emu.mcp2515 import CANCTRL, CNF2

NEAR_WRAP_MS = (1 << 30) - 1000
ON_BUS = (CAN_ACTIVE, CAN_WARNING, CAN_PASSIVE)


@pytest.fixture(params=[0, NEAR_WRAP_MS])
def rig(request):
    return CanRig(ids=(0x100, 0x101, 0x200), start_ms=request.param).tick(4)


# ---------------------------------------------------------------------------------------- the table


def test_table_is_full_and_every_state_can_be_left_and_reached():
    table = can_port._NEXT
    assert (
        len(table) == len(can_port._SHOWN) == len(can_port._IS_ON_BUS) == len(can_port._TIMEOUT_MS)
    )
    assert {len(row) for row in table} == {10}
    reached, todo = set(), {CAN_STARTING}
    while todo:
        state = todo.pop()
        reached.add(state)
        assert set(table[state]) != {state}
        todo |= set(table[state]) - reached
    assert reached == set(range(len(table)))


def test_off_and_missing_end_by_time_only_and_nothing_joins_without_a_set_up():
    table = can_port._NEXT
    assert set(table[CAN_OFF]) == {CAN_OFF, CAN_STARTING}
    assert table[CAN_OFF][can_port._LATE] == CAN_STARTING
    for state, row in enumerate(table):
        for following in row:
            if can_port._IS_ON_BUS[following]:
                assert state == can_port._JOINING or can_port._IS_ON_BUS[state]


# ---------------------------------------------------------------------------------------- on the bus


def test_port_is_on_the_bus_in_the_third_pass_after_its_first():
    rig = CanRig().tick(4)
    assert rig.states == [CAN_STARTING, CAN_STARTING, CAN_ACTIVE, CAN_ACTIVE]


def test_frames_go_both_ways_whole(rig):
    for length in range(9):
        data = bytes(range(0x11, 0x11 + length))
        rig.post((0x101, data))
        assert rig.send(0x300 + length, data)
        rig.tick(2)
        assert rig.received() == [(0x101, data)]
    assert rig.heard() == [(0x300 + n, bytes(range(0x11, 0x11 + n))) for n in range(9)]
    assert (rig.port.lost, rig.port.dropped, rig.port.tx_errors, rig.port.resets) == (0, 0, 0, 0)


def test_before_it_is_on_the_bus_nothing_is_queued():
    rig = CanRig()
    assert not rig.send(0x300)
    assert not rig.tick().send(0x300)
    rig.tick(3)
    assert rig.send(0x300)
    assert rig.port.dropped == 0


def test_the_newest_of_an_id_wins(rig):
    for value in range(5):
        assert rig.send(0x300, bytes([value]))
    rig.tick(3)
    assert rig.heard() == [(0x300, b"\x04")]


def test_a_newer_frame_never_overtakes_an_older_one_of_its_id(rig):
    rig.other.flood = [Frame(0x080, bytes(8))]  # stronger than ours: nothing leaves
    for value in range(8):
        rig.send(0x300, bytes([value]))
        rig.tick()
    rig.other.flood = []
    rig.tick(3)
    sent = [data[0] for frame_id, data in rig.heard() if frame_id == 0x300]
    assert sent == sorted(sent) and sent[-1] == 7 and len(sent) == len(set(sent))


def test_queue_has_a_slot_for_twelve_ids_and_refuses_more(rig):
    for n in range(12):
        assert rig.send(0x400 - n, bytes([n]))
    assert not rig.send(0x7FF)
    assert rig.port.dropped == 1
    assert rig.send(0x400, b"again"), "an id that has a slot keeps it"
    rig.tick(20)
    assert sorted(rig.heard()) == sorted(
        [(0x400, b"again"), *[(0x400 - n, bytes([n])) for n in range(1, 12)]]
    )


def test_lower_ids_leave_first(rig):
    for frame_id in (0x700, 0x310, 0x305, 0x6FF, 0x300):
        rig.send(frame_id)
    rig.tick(6)
    assert [frame_id for frame_id, _ in rig.heard()] == [0x300, 0x305, 0x310, 0x6FF, 0x700]


def test_an_urgent_frame_finds_a_buffer_behind_others_that_cannot_leave(rig):
    """The bus is full of what is stronger than our weak ids, and weaker than the urgent one."""
    rig.other.flood = [Frame(0x400, bytes(8))]
    for frame_id in (0x701, 0x702, 0x703, 0x704):
        rig.send(frame_id)
    rig.tick(3)
    rig.send(0x300)
    rig.tick(2)
    assert [frame_id for frame_id, _ in rig.heard()] == [0x300]


def test_a_frame_nobody_takes_is_taken_back_after_100_ms():
    rig = CanRig().tick(4)
    rig.other.is_deaf = True
    rig.send(0x300, b"old")
    rig.run_ms(100)
    assert rig.port.dropped == 0
    # Only between two attempts can it be taken.
    while rig.chip.registers[0x50] & 0x08:
        assert rig.now_ns < 2_000_000_000
        rig.tick()
    assert rig.port.dropped == 1
    rig.other.is_deaf = False
    rig.run_ms(100)
    assert rig.heard() == []
    rig.send(0x300, b"new")
    rig.run_ms(20)
    assert rig.heard() == [(0x300, b"new")]


def test_frames_that_come_between_two_passes_beyond_two_are_lost_and_counted(rig):
    rig.post(*[(0x100, bytes([n])) for n in range(5)])
    rig.tick(5)
    assert rig.received() == [(0x100, b"\x00"), (0x100, b"\x01")]
    assert rig.port.lost == 1, "the first of them only"
    rig.post((0x100, b"\x07"))
    rig.tick(5)
    assert rig.received() == [(0x100, b"\x07")]
    assert rig.port.lost == 1, "the overflow is forgotten"


def test_polling_between_the_passes_loses_none(rig):
    rig.post(*[(0x100, bytes([n])) for n in range(12)])
    found = []
    for n in range(40):
        rig.now_ns += 250_000
        rig.port.poll()
        if n % 4 == 0:
            found += rig.received()
    assert [data[0] for _id, data in found] == list(range(12))
    assert rig.port.lost == 0


def test_polling_stops_where_nobody_receives(rig):
    rig.other.flood = [Frame(0x100)]
    for _ in range(100):
        rig.now_ns += 250_000
        rig.port.poll()
    before = rig.spi.transfers
    rig.now_ns += 250_000
    rig.port.poll()
    assert rig.spi.transfers == before
    assert 8 <= len(rig.received()) <= 11


def test_ids_past_the_second_have_one_buffer(rig):
    rig.post((0x200, b"\x01"), (0x200, b"\x02"))
    rig.tick(5)
    assert rig.received() == [(0x200, b"\x01")]
    assert rig.port.lost == 1


def test_a_full_queue_keeps_the_newest_sixteen(rig):
    for n in range(20):
        rig.post((0x100, bytes([n])))
        rig.tick()
    assert [data[0] for _id, data in rig.received()] == list(range(4, 20))
    assert rig.port.lost == 4


def test_a_flood_of_own_ids_is_bounded_work_and_does_not_delay_what_is_sent(rig):
    rig.other.flood = [Frame(0x100, bytes([n])) for n in range(256)]
    sent = 0
    for n in range(200):
        before = rig.spi.transfers
        sent += rig.send(0x080, bytes([n]))
        rig.tick()
        # Look, two frames, overflow, counters, status, a frame and its start.
        assert rig.spi.transfers - before <= 8
        rig.received()
    mine = [data[0] for frame_id, data in rig.heard() if frame_id == 0x080]
    assert sent == 200 and mine == list(range(199))
    assert 20 <= rig.port.lost <= 30
    assert rig.port.state == CAN_ACTIVE


def test_work_of_any_pass_is_bounded():
    seed = random.randrange(1 << 30)
    print("seed", seed)
    dice = random.Random(seed)
    rig = CanRig(ids=(0x100, 0x101, 0x200)).tick(4)
    rig.other.flood = [Frame(0x100), Frame(0x200), Frame(0x555)]
    for _ in range(500):
        rig.other.is_silent = rig.other.is_deaf = dice.random() < 0.3
        rig.bus.fault = dice.choice(["", "", "", "short", "dominant"])
        for _ in range(dice.randrange(4)):
            rig.send(dice.choice((0x80, 0x81, 0x300, 0x700)))
        before = rig.spi.transfers
        rig.tick()
        assert rig.spi.transfers - before <= 12
        if dice.random() < 0.5:
            rig.received()


# ----------------------------------------------------------------------------------- errors, bus-off


def test_errors_of_others_are_counted_and_shown(rig):
    rig.other.flood = [Frame(0x100)]
    rig.bus.fault = "short"  # every frame of the other fails
    rig.run_ms(100)
    assert rig.port.rx_errors > 100 and rig.port.rec > 95
    assert CAN_WARNING in rig.states or CAN_PASSIVE in rig.states
    rig.bus.fault = ""
    assert rig.until(CAN_ACTIVE) < 200
    assert rig.port.offs == 0


def test_alone_on_the_bus_it_becomes_passive_and_never_bus_off():
    rig = CanRig().tick(4)
    rig.other.is_deaf = True
    for _ in range(200):
        rig.send(0x300)
        rig.tick()
    assert rig.port.state == CAN_PASSIVE and rig.port.offs == 0
    assert rig.port.tec == 128 and rig.port.tx_errors >= 128
    rig.other.is_deaf = False
    for _ in range(100):
        rig.send(0x300)
        rig.tick()
    assert rig.port.state == CAN_ACTIVE


def off_for(rig):
    """Send until bus-off, then return how long the port stays away."""
    while rig.port.state in ON_BUS:
        rig.send(0x300)
        rig.tick()
    assert rig.port.state == CAN_OFF
    began = rig.now_ns
    while rig.port.state == CAN_OFF:
        assert not rig.send(0x300)
        rig.tick()
    return (rig.now_ns - began) // 1_000_000


def test_bus_off_is_left_after_a_back_off_that_doubles_up_to_6400_ms(rig):
    rig.bus.fault = "short"
    times = []
    for _ in range(9):
        times.append(off_for(rig))
        rig.until(CAN_ACTIVE)
    assert times == [100, 200, 400, 800, 1600, 3200, 6400, 6400, 6400]
    assert rig.port.offs == 9 and rig.port.resets == 0


def test_ten_seconds_on_the_bus_forgive_a_bus_off(rig):
    rig.bus.fault = "short"
    assert [off_for(rig), rig.until(CAN_ACTIVE) and off_for(rig)] == [100, 200]
    rig.bus.fault = ""
    rig.until(CAN_ACTIVE)
    rig.run_ms(9_000)
    rig.bus.fault = "short"
    assert off_for(rig) == 400
    rig.bus.fault = ""
    rig.until(CAN_ACTIVE)
    rig.run_ms(10_100)
    rig.bus.fault = "short"
    assert off_for(rig) == 100


def test_while_it_is_off_the_chip_does_not_come_back_by_itself_and_nothing_old_is_sent_later(rig):
    rig.bus.fault = "short"
    while rig.port.state != CAN_OFF:
        rig.send(0x300, b"old")
        rig.tick()
    rig.bus.fault = ""
    rig.run_ms(50)
    assert rig.chip.rate_kbps == 0
    rig.until(CAN_ACTIVE)
    rig.run_ms(100)
    assert rig.heard() == []
    rig.send(0x300, b"new")
    rig.tick(2)
    assert rig.heard() == [(0x300, b"new")]


def test_a_bus_that_is_held_dominant_lets_nobody_in_and_is_tried_every_second():
    rig = CanRig()
    rig.bus.fault = "dominant"
    resets = rig.chip.resets
    rig.run_ms(5_000)
    assert set(rig.states) == {CAN_STARTING}
    assert 4 <= rig.chip.resets - resets <= 6
    rig.bus.fault = ""
    assert rig.until(CAN_ACTIVE) <= 30


# --------------------------------------------------------------------------- missing, reset, garbage


def test_missing_controller_is_known_within_100_ms_and_tried_every_second():
    rig = CanRig()
    rig.chip.is_dead = True
    rig.run_ms(100)
    assert rig.port.state == CAN_MISSING
    transfers = rig.spi.transfers
    rig.run_ms(3_000)
    assert rig.spi.transfers - transfers < 320
    assert not rig.send(0x300) and rig.received() == []
    rig.chip.is_dead = False
    assert rig.until(CAN_ACTIVE) <= 1_050


def test_controller_that_stops_answering_is_missed_and_taken_back(rig):
    rig.chip.is_dead = True
    rig.run_ms(30)
    assert rig.port.state == CAN_STARTING and not rig.send(0x300)
    rig.run_ms(60)
    assert rig.port.state == CAN_MISSING and rig.port.resets == 1
    rig.chip.is_dead = False
    rig.chip.reset()
    rig.until(CAN_ACTIVE)
    rig.post((0x100, b"\x05"))
    rig.tick()
    assert rig.received() == [(0x100, b"\x05")]


def test_controller_that_reset_itself_is_set_up_anew_and_counted(rig):
    rig.chip.reset()
    rig.tick()
    assert rig.port.state == CAN_STARTING
    rig.tick(3)
    assert rig.port.state == CAN_ACTIVE and rig.port.resets == 1
    rig.post((0x200, b"\x05"))
    rig.tick()
    assert rig.received() == [(0x200, b"\x05")]


@pytest.mark.parametrize("address, bit", [(CNF2, 0x01), (0x28, 0x02), (0x2A, 0x40), (0x2B, 0x40)])
def test_configuration_that_changes_is_found_in_three_passes_and_put_right(rig, address, bit):
    rig.chip.registers[address] ^= bit
    rig.tick(2)
    assert rig.port.state == CAN_ACTIVE, "one look may be disturbed"
    rig.tick(1)
    assert rig.port.state == CAN_STARTING
    rig.until(CAN_ACTIVE)
    assert rig.chip.configured_kbps == 500 and rig.port.resets == 1


@pytest.mark.parametrize("control", [0x60, 0x80, 0x08, 0x20])
def test_a_mode_nobody_asked_for_is_found(rig, control):
    rig.chip.write(CANCTRL, control)
    rig.run_ms(30)
    assert rig.port.state == CAN_STARTING
    rig.until(CAN_ACTIVE)


def test_two_disturbed_looks_change_nothing_and_bring_nothing(rig):
    rig.post((0x100, b"\x05"))
    rig.spi.spoil = lambda byte: byte ^ 0x10
    rig.tick(2)
    rig.port.poll()
    assert rig.received() == []
    rig.spi.spoil = None
    rig.tick()
    assert rig.port.state == CAN_ACTIVE and rig.port.resets == 0
    assert rig.received() == [(0x100, b"\x05")]


@pytest.mark.parametrize("answer", [0x00, 0xFF, 0x80])
def test_constant_garbage_is_a_missing_controller_and_no_frame(rig, answer):
    rig.spi.spoil = lambda _byte: answer
    for _ in range(300):
        rig.tick()
        rig.port.poll()
        assert rig.received() == []
    assert rig.port.state in (CAN_MISSING, CAN_STARTING)


def test_random_garbage_is_never_the_bus_and_no_frame(rig):
    seed = random.randrange(1 << 30)
    print("seed", seed)
    dice = random.Random(seed)
    rig.spi.spoil = lambda _byte: dice.randrange(256)
    for n in range(2_000):
        rig.tick()
        rig.port.poll()
        rig.send(0x300)
        assert rig.received() == []
        assert n < 3 or rig.port.state not in ON_BUS
    rig.spi.spoil = None
    rig.until(CAN_ACTIVE)


# --------------------------------------------------------------------------------------------- sleep


def test_asleep_until_it_is_woken(rig):
    rig.port.sleep()
    rig.tick(2)
    assert rig.port.state == CAN_ASLEEP and not rig.port.has_woken
    assert not rig.chip.is_transceiver_on and not rig.send(0x300)
    rig.run_ms(5_000)
    assert rig.port.state == CAN_ASLEEP
    rig.port.wake()
    assert rig.until(CAN_ACTIVE) <= 3 * PASS_MS
    assert rig.chip.is_transceiver_on and rig.port.resets == 0
    rig.send(0x300)
    rig.tick(2)
    assert rig.heard() == [(0x300, b"")]


def test_a_frame_of_any_id_is_noticed_while_asleep(rig):
    rig.port.sleep()
    rig.tick(2)
    rig.post((0x7AA, b""))
    rig.tick(2)
    assert rig.port.has_woken and rig.port.state == CAN_ASLEEP
    rig.port.wake()
    rig.until(CAN_ACTIVE)
    assert rig.port.has_woken, "until the next sleep"
    rig.port.sleep()
    assert not rig.port.has_woken
    rig.tick(2)
    assert rig.port.state == CAN_ASLEEP and not rig.port.has_woken


def test_sleep_asked_for_too_early_comes_when_it_can():
    rig = CanRig()
    rig.port.sleep()
    rig.tick(6)
    assert rig.port.state == CAN_ASLEEP


def test_controller_that_resets_while_asleep_is_set_up_and_put_to_sleep_again(rig):
    rig.port.sleep()
    rig.tick(2)
    rig.chip.reset()
    rig.tick(8)
    assert rig.port.state == CAN_ASLEEP and rig.port.resets == 1
    rig.post((0x7AA, b""))
    rig.tick(2)
    assert rig.port.has_woken


def test_wake_before_it_slept_changes_nothing(rig):
    rig.port.sleep()
    rig.port.wake()
    rig.tick(5)
    assert set(rig.states[-5:]) == {CAN_ACTIVE} and rig.port.resets == 0


def test_release_leaves_the_bus_at_once(rig):
    rig.other.flood = [Frame(0x080)]
    rig.send(0x300)
    rig.tick()
    rig.port.release()
    assert rig.chip.rate_kbps == 0 and not rig.chip.is_transceiver_on
    assert not rig.send(0x300)
    assert not rig.port.receive(new_frame()) or rig.port.state == CAN_STARTING


def test_counters_stay_at_60000(rig):
    port = rig.port
    port._out.dropped = 60000
    for name in ("lost", "tx_errors", "rx_errors", "offs", "resets"):
        setattr(port, name, 60000)
    rig.other.flood = [Frame(0x100)]
    rig.tick(10)
    rig.chip.reset()
    rig.bus.fault = "short"
    for _ in range(300):
        rig.send(0x300)
        rig.tick()
    for n in range(13):
        rig.send(0x400 + n)
    assert {port.lost, port.dropped, port.tx_errors, port.rx_errors, port.offs, port.resets} == {
        60000
    }
