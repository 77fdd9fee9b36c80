"""firmware/journal/blackbox.py: what it records, when, and when it stops; through simulated sessions and alone."""

from itertools import pairwise

import pytest

from faults import (
    F_FAILED_LOCK,
    F_PILOT_FAULT,
    F_SETTINGS,
    FAULTS,
    PILOT_E,
    PP_INVALID,
    VEHICLE_NO,
)
from inletctl.blackbox.decode import write_box_vcd
from inletctl.blackbox.payload import MORE_FLAGS, boxes_of
from inletctl.blackbox.sim_box import PART_BYTES, record_boxes, write_out
from inletctl.house import SCENARIOS
from inletctl.scenario.load import read_scenario
from inletctl.session import START_BEFORE_WRAP_MS
from interlock import CHARGING, RESTING, SESSION_NAMES, UNPLUGGED, WAITING
from journal import blackbox, sessions
from journal.blackbox import (
    AFTER,
    BLOCK_BYTES,
    BOX_COSTS_MIN,
    CREDIT_MAX_MIN,
    FULL,
    RECORDING,
    SESSION_MAX,
    BlackBox,
)
from journal.box_frame import FIELDS, STATES
from journal.box_writer import BoxWriter
from lock.actuator import LOCK_STATE_NAMES
from settings import Settings
from signals import Commands, Readings
from vehicle.console import Report
from vehicle.looks import LIGHT_NAMES
from vehicle.protocol import READINGS
from vehicle.reading import READING_NUMBERS, keep

PASS_MS = 10
FAULT_NAMES = [row[0] for row in FAULTS]


def truth_of(now_ms, r, c):
    """Return what a frame of this pass must decode to: the readings as the desk tells them, the commands by name."""
    line = [0] * READING_NUMBERS
    keep(line, now_ms, 0, r, c, 0)
    values = dict(zip(READINGS, line[2:42], strict=True))
    for name in (
        "charger_ma", "duty_pct_x100", "offered_ma", "permitted_ma", "hottest_decic", "dc_permitted_ma", "reasons",
        "faults", "holds",
    ):  # fmt: skip
        values["c_" + name] = int(getattr(c, name))
    for name, _, _ in STATES:
        values[name] = int(getattr(c, name))
    more = (r.console_stop, r.test_lock > 0, r.test_lock < 0, r.service_end)
    values["more"] = dict(zip(MORE_FLAGS, map(bool, more), strict=True))
    return values


def decoded(frame):
    values = dict(zip(READINGS, frame.readings, strict=True))
    for name in FIELDS:
        if name.startswith("c_") and name not in ("c_states", "c_openings"):
            values[name] = frame.value(name)
    for name, _, _ in STATES:
        values[name] = frame.value(name)
    values["more"] = {name: frame.flag(name) for name in MORE_FLAGS}
    return values


def recorded(name, blocks=blackbox.BLOCKS, start_ms=0):
    """Return the boxes of a scenario, and the truth of each of its passes by tick."""
    truth = {}

    def keep(now_ms, r, c):
        truth[now_ms] = truth_of(now_ms, r, c)

    entries = record_boxes(read_scenario(SCENARIOS / (name + ".txt")), blocks, keep, start_ms)
    boxes, problems = boxes_of(entries)
    assert not problems
    return boxes, truth


@pytest.mark.parametrize(
    ("name", "fault", "blocks"),
    [
        ("pilot_wire_breaks", "PilotFault", 8),
        ("lock_jams", "FailedLock", 4),
        ("noise_for_good", "PilotNoise", 8),
        ("sensor_stale", "TempStale", 4),
        ("can_silent", "VehicleSilent", 8),
    ],
)
def test_every_frame_is_exactly_what_was_there_in_its_pass(name, fault, blocks):
    boxes, truth = recorded(name, blocks, START_BEFORE_WRAP_MS)
    assert boxes
    for box in boxes:
        assert not box.problems
        for frame in box.frames:
            assert decoded(frame) == truth[frame.t_ms], frame.t_ms
        trigger = box.trigger
        assert trigger is not None and trigger.t_ms == box.head.trigger_ms
    # The first box of each of these is of the fault's first pass.
    bit = 1 << FAULT_NAMES.index(fault)
    first = min(
        (t for t in truth if truth[t]["c_faults"] & bit),
        key=lambda t: (t - START_BEFORE_WRAP_MS) & 0x3FFFFFFF,
    )
    assert boxes[0].head.trigger_ms == first


def test_every_change_of_the_decision_has_a_frame_in_its_pass():
    boxes, truth = recorded("pilot_wire_breaks")
    watched = (
        "session",
        "pilot_state",
        "lock_state",
        "limiter",
        "s2_close",
        "drive_allowed",
        "c_reasons",
        "c_faults",
    )
    box = boxes[0]
    ticks = {frame.t_ms for frame in box.frames}
    before = None
    changes = 0
    for now_ms in range(box.frames[0].t_ms, box.frames[-1].t_ms + 1, PASS_MS):
        now = [truth[now_ms][name] for name in watched]
        if before is not None and now != before:
            changes += 1
            assert now_ms in ticks, now_ms
        before = now
    assert changes > 10


def test_currents_between_frames_are_those_of_the_frame_before_but_for_a_tremble():
    boxes, truth = recorded("noise_for_good")
    for box in boxes:
        at = 0
        for now_ms in range(box.frames[0].t_ms, box.frames[-1].t_ms + 1, PASS_MS):
            while at + 1 < len(box.frames) and box.frames[at + 1].t_ms <= now_ms:
                at += 1
            for name, most in (("c_charger_ma", 200), ("c_permitted_ma", 200), ("c_offered_ma", 200), ("c_duty_pct_x100", 20)):  # fmt: skip
                was, now = box.frames[at].value(name), truth[now_ms][name]
                assert abs(now - was) <= most and (now == 0) == (was == 0), (now_ms, name)


class CountedBox(BlackBox):
    """Counts frames taken and groups packed."""

    taken = packed = 0

    def _take(self, now_ms, r, c):
        self.taken += 1
        super()._take(now_ms, r, c)

    def _pack_group(self, now, was):
        self.packed += 1
        super()._pack_group(now, was)


class Bench:
    """A box and the signals of an inlet that is charging, or what a test makes of it."""

    def __init__(self, blocks=blackbox.BLOCKS, start_ms=0):
        self.box = CountedBox(blocks)
        self.report = Report()
        self.now_ms = start_ms
        self.r = Readings()
        self.c = Commands()

    def charge(self):
        self.c.session = CHARGING
        self.c.s2_close = True
        self.c.charger_ma = self.c.permitted_ma = self.c.offered_ma = 16000
        self.c.reasons = 0
        self.live(5)

    def live(self, passes, tremble=False):
        for n in range(passes):
            if tremble:
                self.r.temp_mv[0] = 1000 + n * 7 % 50
                self.r.pilot_quiet_ms = n % 3
            self.report.tick(self.now_ms & 0x3FFFFFFF, self.c, 0)
            self.box.tick(self.now_ms & 0x3FFFFFFF, self.r, self.c, self.report.number)
            self.now_ms += PASS_MS

    def fail(self, fault=F_PILOT_FAULT, reason=PILOT_E):
        self.c.faults |= fault
        self.c.reasons |= reason
        self.c.session = RESTING
        self.c.s2_close = False
        self.live(1)

    def mend(self):
        self.c.faults = 0
        self.charge()

    def written(self, version="v"):
        """Return the box as it is read back."""
        entries = []
        write_out(self.box, Settings({"inlet": 1}), entries, version, 1)
        return boxes_of(entries)[0][0]


def test_the_name_of_the_firmware_is_read_as_what_a_terminal_can_show():
    bench = Bench()
    bench.charge()
    bench.live(100)
    bench.fail()
    bench.live(1200)
    assert bench.written("0.9+0123456789ab").head.version == "0.9+0123456789ab"
    assert bench.written("0.9\x1b[2J\n").head.version == "0.9?[2J?"


def test_a_block_whose_times_go_back_is_left_out_and_told(tmp_path):
    bench = Bench()
    bench.charge()
    for _ in range(600):
        bench.c.charger_ma ^= 1000
        bench.r.cp_high_mv ^= 512
        bench.live(1)
    bench.fail()
    bench.live(1200)
    entries = []
    write_out(bench.box, Settings({"inlet": 1}), entries, "v", 1, 700)
    (whole,), _ = boxes_of(entries)
    assert len(entries) > 3 and not whole.problems
    # The second part once more, in the place of the third.
    again = bytearray(entries[1][2])
    again[1] = 2
    entries[2] = (*entries[2][:2], bytes(again))
    (box,), _ = boxes_of(entries)
    assert box.problems == ["%s: a block is left out: its times go back." % box.name]
    ticks = [frame.t_ms for frame in box.frames]
    assert ticks == sorted(ticks) and len(ticks) < len(whole.frames) and box.breaks
    assert write_box_vcd(tmp_path / "box.vcd", box).stat().st_size > 1000


def test_while_nothing_changes_fewer_than_one_pass_in_a_hundred_takes_a_frame():
    bench = Bench()
    bench.charge()
    bench.live(300)
    bench.box.taken = 0
    bench.live(12800, tremble=True)
    assert bench.box.taken == 100


@pytest.mark.parametrize("apart", [1, 2, 3])
def test_four_passes_that_change_are_all_recorded_and_none_packs_what_was_before(apart):
    """The pass of a change has the most to do already."""
    bench = Bench()
    bench.charge()
    bench.live(100, tremble=True)
    bench.fail()
    bench.live(40)
    ticks = []
    for n in range(4):
        bench.c.charger_ma += 1000
        bench.c.reasons ^= VEHICLE_NO
        bench.r.cp_high_mv += 500
        bench.r.temp_mv[1] += 50
        packed = bench.box.packed
        ticks.append(bench.now_ms)
        bench.live(1)
        assert bench.box.packed == packed, n
        bench.live(apart - 1)
    bench.live(1150)
    assert {frame.t_ms for frame in bench.written().frames}.issuperset(ticks)


def test_a_row_of_passes_that_all_change_is_recorded_whole():
    bench = Bench()
    bench.charge()
    bench.live(300)
    bench.fail()
    ticks = []
    for n in range(12):
        bench.c.charger_ma = 1000 * n
        bench.c.hottest_decic = 100 + n
        ticks.append(bench.now_ms)
        bench.live(1)
    bench.live(1150)
    box = bench.written()
    frames = {frame.t_ms: frame for frame in box.frames}
    assert [frames[t].value("c_charger_ma") for t in ticks] == [1000 * n for n in range(12)]
    assert [frames[t].value("c_hottest_decic") for t in ticks] == [100 + n for n in range(12)]


def test_a_reading_that_moves_is_recorded_in_its_pass():
    for name, mv in (("pp_mv", 400), ("cp_high_mv", 3000), ("lock_feedback_mv", 400)):
        bench = Bench()
        bench.charge()
        bench.live(450)
        bench.live(3)
        bench.box.taken = 0
        setattr(bench.r, name, mv)
        bench.live(1)
        assert bench.box.taken == 1, name
        bench.live(200)
        assert bench.box.taken == 21, name


def test_noise_on_a_reading_does_not_fill_the_ring():
    bench = Bench()
    bench.charge()
    bench.box.taken = 0
    for n in range(1000):
        bench.r.cp_high_mv = 3000 * (n & 1)
        bench.live(1)
    assert bench.box.taken <= 105


@pytest.mark.parametrize("blocks", [4, 8, 12])
def test_before_and_after_the_trigger_have_their_share(blocks):
    bench = Bench(blocks)
    bench.charge()
    for _ in range(400):
        # The decision trembles: the ring fills.
        bench.c.charger_ma = 16000 if bench.c.charger_ma != 16000 else 12000
        bench.live(20, tremble=True)
    bench.fail()
    passes = 0
    while bench.box.state != FULL:
        bench.live(1, tremble=True)
        passes += 1
        assert passes < 1200
    used = list(bench.box.used)
    assert sum(1 for one in used if one > BLOCK_BYTES // 2) >= blocks - 1
    box = bench.written()
    at = box.frames.index(box.trigger)
    assert not box.problems and not box.head.from_boot
    # Three of the blocks are the trigger's and what follows.
    assert at / len(box.frames) >= (blocks - 3) / blocks - 0.1
    assert len(box.frames) - at >= 20


def test_a_box_that_nothing_follows_in_is_full_ten_seconds_later():
    bench = Bench()
    bench.charge()
    bench.fail()
    bench.live(990)
    assert bench.box.state == AFTER
    bench.live(150)
    assert bench.box.state == FULL
    frozen = bytes(bench.box.ring)
    bench.mend()
    bench.live(500)
    assert bytes(bench.box.ring) == frozen and bench.box.state == FULL


def test_a_trigger_while_the_box_is_frozen_is_counted_as_missed_and_told():
    bench = Bench()
    bench.charge()
    bench.fail()
    bench.live(1150)
    for _ in range(3):
        bench.mend()
        bench.fail()
    assert bench.box.missed == 3
    assert bench.written().head.missed == 3
    assert bench.box.missed == 0


def test_a_second_trouble_within_the_record_is_in_it_and_not_missed():
    bench = Bench()
    bench.charge()
    bench.fail()
    bench.live(50)
    bench.fail(F_FAILED_LOCK, 0)
    assert bench.box.missed == 0
    bench.live(1150)
    box = bench.written()
    assert box.head.trigger_faults == F_PILOT_FAULT and box.head.trigger_reasons == PILOT_E
    assert any(frame.value("c_faults") & F_FAILED_LOCK for frame in box.frames)


def test_what_a_person_or_the_car_decides_is_no_trouble():
    bench = Bench()
    bench.charge()
    bench.fail(0, VEHICLE_NO)
    assert bench.box.state == RECORDING


def test_a_malfunction_before_s2_closed_is_none_to_keep_until_a_fault_says_so():
    """Without a plug the pilot is lost all the time, and every start begins unlocked."""
    bench = Bench()
    bench.c.session = WAITING
    bench.live(5)
    bench.c.reasons |= PP_INVALID
    bench.live(5)
    assert bench.box.state == RECORDING
    bench.c.faults |= F_FAILED_LOCK
    bench.live(1)
    assert bench.box.state == AFTER


def test_settings_that_were_refused_at_the_boot_are_no_trouble():
    bench = Bench()
    bench.c.faults = F_SETTINGS
    bench.live(5)
    assert bench.box.state == RECORDING


def test_the_caller_may_trigger_and_its_cause_is_told():
    bench = Bench()
    bench.charge()
    bench.live(300)
    bench.box.trigger_now(1203)
    bench.live(1)
    assert bench.box.state == AFTER
    bench.live(1150)
    box = bench.written()
    assert (box.head.trigger_cause, box.head.trigger_reasons, box.head.trigger_faults) == (
        1203,
        0,
        0,
    )
    assert box.trigger.t_ms == box.head.trigger_ms == (5 + 300) * PASS_MS


def full(bench):
    bench.fail()
    while bench.box.state == AFTER:
        bench.live(1)
    is_full = bench.box.state == FULL
    if is_full:
        bench.written()
    bench.mend()
    return is_full


def test_a_session_has_no_more_than_its_boxes_and_the_next_has_its_own():
    bench = Bench()
    bench.charge()
    assert [full(bench) for _ in range(SESSION_MAX + 2)] == [True] * SESSION_MAX + [False] * 2
    assert bench.box.missed == 2
    bench.c.session = UNPLUGGED
    bench.c.s2_close = False
    bench.live(3)
    bench.charge()
    assert full(bench)


def test_a_day_has_eight_boxes_and_minutes_earn_more():
    bench = Bench()
    boxes = 0
    for _ in range(20):
        bench.c.session = UNPLUGGED
        bench.c.s2_close = False
        bench.live(3)
        bench.charge()
        boxes += full(bench)
    assert boxes == CREDIT_MAX_MIN // BOX_COSTS_MIN == 8
    left = bench.box.credit_min
    bench.live(60 * 6000)
    assert bench.box.credit_min == pytest.approx(left + 60, abs=2)


def test_what_was_stored_of_the_credit_is_taken_back_and_nonsense_gives_none():
    box = BlackBox()
    for stored, taken in (
        (17, 17),
        (CREDIT_MAX_MIN, CREDIT_MAX_MIN),
        (CREDIT_MAX_MIN + 1, 0),
        (-1, 0),
    ):
        box.restore(stored)
        assert box.credit_min == taken


def test_a_rearmed_box_holds_nothing_of_the_one_before():
    bench = Bench()
    bench.charge()
    assert full(bench)
    first = bench.now_ms
    bench.live(50)
    bench.fail()
    bench.live(1150)
    box = bench.written()
    assert box.frames[0].t_ms >= first - 6 * PASS_MS and not box.head.from_boot


def test_the_first_frame_is_of_the_first_pass_and_the_box_says_so():
    bench = Bench(start_ms=5000)
    bench.charge()
    bench.fail()
    bench.live(1150)
    box = bench.written()
    assert box.frames[0].t_ms == 5000 and box.head.from_boot


def test_openings_of_s2_in_the_plug_in_are_counted():
    bench = Bench()
    bench.charge()
    for _ in range(3):
        bench.fail(0, VEHICLE_NO)
        bench.charge()
    bench.fail()
    bench.live(1150)
    assert bench.written().trigger.value("c_openings") == 4


def test_the_largest_and_smallest_numbers_come_back_and_stay_small_ints():
    bench = Bench()
    most = (1 << 30) - 1
    for n in range(60):
        sign = 1 if n % 2 else -1
        bench.c.reasons = most if n % 2 else 0
        bench.c.hottest_decic = sign * 2000
        bench.r.cp_high_mv = sign * 15000
        bench.r.temp_age_ms[1] = 60000 * (n % 2)
        bench.r.dc_mv = 1500000 * (n % 3)
        bench.c.light = len(LIGHT_NAMES) - 1
        bench.c.lock_state = len(LOCK_STATE_NAMES) - 1
        bench.c.lock_drive = sign
        bench.live(1)
    for array in (*(group for frame in bench.box._frames for group in frame), *bench.box._was):
        assert all(abs(value) < 1 << 30 for value in array)
    bench.c.reasons = 0
    bench.live(3)
    bench.box.trigger_now(1)
    bench.live(1150)
    frames = bench.written().frames
    assert {frame.value("c_reasons") for frame in frames} == {0, most}
    assert {frame.value("lock_drive") for frame in frames} == {1, -1}
    assert {frame.value("cp_high_mv") for frame in frames} == {15000, -15000}


def test_a_state_has_room_for_all_its_names():
    bits = {name: 1 << size for name, _, size in STATES}
    assert len(SESSION_NAMES) <= bits["session"] and len(LIGHT_NAMES) <= bits["light"]
    assert len(LOCK_STATE_NAMES) <= bits["lock_state"]
    spans = sorted((low, low + size) for _, low, size in STATES)
    assert all(a[1] <= b[0] for a, b in pairwise(spans)) and spans[-1][1] <= 30


def test_fields_are_those_of_the_console():
    assert FIELDS[: len(READINGS)] == READINGS


def test_every_part_fits_its_buffer_and_the_ring_is_in_it():
    bench = Bench(12)
    bench.charge()
    for _ in range(60):
        bench.c.charger_ma = 16000 if bench.c.charger_ma != 16000 else 12000
        bench.live(20, tremble=True)
    bench.fail()
    while bench.box.state != FULL:
        bench.live(1)
    for size in (600, 1024, PART_BYTES):
        writer = BoxWriter(bench.box, Settings({"inlet": 1}), "v", 1, 10079, size)
        buffer = bytearray(size)
        lengths = [writer.part(n, buffer) for n in range(writer.parts)]
        assert max(lengths) <= size and sum(lengths) >= sum(bench.box.used)


def test_a_buffer_that_no_block_fits_is_refused():
    with pytest.raises(ValueError, match="too short"):
        BoxWriter(BlackBox(), Settings({}), "v", 1, None, BLOCK_BYTES)


def test_the_numbers_of_the_states_are_the_interlocks():
    assert sessions._UNPLUGGED == blackbox._UNPLUGGED == UNPLUGGED
    assert sessions._CHARGING == CHARGING
    assert LOCK_STATE_NAMES[sessions._LOCKING] == "locking"
