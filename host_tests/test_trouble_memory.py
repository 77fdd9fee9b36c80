"""The trouble memory: what appeared, how often, when, what was read then; what is forgotten, and what never is."""

from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import faults
from journal import memory as m
from journal.codes import C_BIT, C_CLASS, C_KIND, C_NUMBER, CODES, FAULT, HOLD
from journal.frame import FRAME, FRAME_INTS, FRAME_STATES
from journal.memory import AGED_SESSIONS, SLOT_INTS, SLOTS, TroubleMemory
from signals import Commands, Readings
from vehicle.clock import Clock

WRAP_MS = (1 << 30) - 500


class Life:
    """A memory with readings and commands, 10 ms a pass; starts shortly before the ticks wrap."""

    def __init__(self, clock=None):
        self.memory = TroubleMemory(clock)
        self.r, self.c = Readings(), Commands()
        self.now_ms = WRAP_MS

    def go(self, ms=10):
        for _ in range(ms // 10):
            self.now_ms = (self.now_ms + 10) & 0x3FFFFFFF
            self.memory.tick(self.now_ms, self.r, self.c)

    def flash(self, **masks):
        """Let these bits appear for one pass."""
        for name, mask in masks.items():
            setattr(self.c, name, mask)
        self.go()
        self.c.faults = self.c.holds = self.c.reasons = 0
        self.go()

    def slot(self, number):
        """Return a slot as {name: value}, with its frame; None where there is none."""
        at = self.memory._find(number) if number else -1
        if at < 0:
            return None
        ints = self.memory.slots[at : at + SLOT_INTS]
        found = dict(zip(m.SLOT_NAMES, ints, strict=False))
        found["frame"] = {
            row[0]: value for row, value in zip(FRAME, ints[m.S_FRAME :], strict=True)
        }
        return found

    def numbers(self):
        return sorted(number for number in self.memory.slots[::SLOT_INTS] if number)


def bit_of(number):
    row = next(row for row in CODES if row[C_NUMBER] == number)
    return {FAULT: "faults", HOLD: "holds"}.get(row[C_KIND], "reasons"), 1 << row[C_BIT]


def appear(life, number):
    name, mask = bit_of(number)
    life.flash(**{name: mask})


def numbers_of(clears):
    return [row[C_NUMBER] for row in CODES if row[C_CLASS] == clears and row[C_KIND] == FAULT]


# ------------------------------------------------------------------------------------------ appearing


@pytest.mark.parametrize("row", CODES, ids=lambda row: str(row[C_NUMBER]))
def test_every_code_appears_is_present_and_then_stored(row):
    life = Life()
    name, mask = bit_of(row[C_NUMBER])
    setattr(life.c, name, mask)
    life.go(61000)
    assert life.numbers() == [row[C_NUMBER]]
    assert life.slot(row[C_NUMBER])["flags"] == m.PRESENT and life.memory.has_changed
    setattr(life.c, name, 0)
    life.go()
    assert life.slot(row[C_NUMBER])["flags"] == 0 and life.slot(row[C_NUMBER])["count"] == 1


def test_nothing_appears_for_waits_and_other_reasons():
    life = Life()
    life.c.holds = sum(1 << bit for bit in range(len(faults.HOLDS))) & ~sum(
        1 << row[C_BIT] for row in CODES if row[C_KIND] == HOLD
    )
    life.c.reasons = 0x3FFFFFFF & ~faults.RETRIES
    life.go(70000)
    assert life.numbers() == [] and not life.memory.has_changed


def test_appearances_are_counted_and_what_stays_is_one():
    life = Life()
    life.c.faults = faults.F_PP_GAP
    life.go(500)
    life.c.faults = 0
    life.go()
    for _ in range(4):
        appear(life, 1202)
    assert life.slot(1202)["count"] == 5


def test_the_count_stops_at_its_largest():
    life = Life()
    appear(life, 1202)
    life.memory.slots[life.memory._find(1202) + m.S_COUNT] = m.COUNT_MAX
    appear(life, 1202)
    assert life.slot(1202)["count"] == m.COUNT_MAX


def test_two_that_appear_together_are_two():
    life = Life()
    life.flash(faults=faults.F_PP_GAP | faults.F_TEMP_OPEN, reasons=faults.RETRIES)
    assert life.numbers() == [1107, 1202, 1301]


@pytest.mark.parametrize("hold, number, settle_ms", [(faults.H_CAN_BUS, 1602, 5000), (faults.H_NO_CLOCK, 1606, 60000)])  # fmt: skip
def test_a_hold_that_passes_soon_is_none(hold, number, settle_ms):
    life = Life()
    life.c.holds = hold
    life.go(settle_ms - 20)
    life.c.holds = 0
    life.go(settle_ms)
    assert life.numbers() == []
    life.c.holds = hold
    life.go(settle_ms + 20 + 250)
    assert life.numbers() == [number]


def test_each_hold_has_a_time_of_its_own():
    life = Life()
    life.c.holds = faults.H_CONTACTORS
    life.go(5000)
    life.c.holds |= faults.H_CAN_BUS
    life.go(5300)
    assert life.numbers() == [1503, 1602]


def test_the_safety_chain_counts_only_with_a_plug_in():
    life = Life()
    life.c.plug_present = False
    life.c.holds = faults.H_HVIL | faults.H_INSULATION | faults.H_CRASH
    life.go()
    assert life.numbers() == [1703]
    life.c.plug_present = True
    life.go()
    assert life.numbers() == [1701, 1702, 1703]
    life.c.plug_present = False
    life.go()
    assert life.slot(1701)["flags"] == 0, "no more present"


def test_a_clock_that_jumps_back_delays_a_hold_and_no_more():
    life = Life()
    life.c.holds = faults.H_CAN_BUS
    life.go(3000)
    life.now_ms -= 200000
    life.go(5600)
    assert life.numbers() == [1602]


# -------------------------------------------------------------------------------------- when and what


def test_first_and_last_are_kept_with_session_and_minute_where_the_clock_was_set():
    clock = Clock()
    life = Life(clock)
    life.memory.begin_session(7)
    appear(life, 1301)
    seen = life.slot(1301)
    assert (seen["first_session"], seen["last_session"], seen["flags"]) == (7, 7, 0)
    clock.set_by_person(life.now_ms, 600)
    life.memory.begin_session(9)
    appear(life, 1301)
    appear(life, 1302)
    seen = life.slot(1301)
    assert (seen["first_session"], seen["last_session"], seen["last_min"]) == (7, 9, 600)
    assert seen["flags"] == m.LAST_DATED, "nobody knows what time it was the first time"
    seen = life.slot(1302)
    assert seen["flags"] == m.FIRST_DATED | m.LAST_DATED and seen["first_min"] == 600
    clock.is_set = False
    appear(life, 1302)
    assert life.slot(1302)["flags"] == m.FIRST_DATED


def test_the_frame_is_of_the_first_appearance_in_the_last_session():
    life = Life()
    frames = []
    for session, pp_mv in ((1, 100), (1, 200), (2, 300), (2, 400)):
        life.memory.begin_session(session)
        life.r.pp_mv = pp_mv
        appear(life, 1202)
        frames.append(life.slot(1202)["frame"]["pp_mv"])
    assert frames == [100, 100, 300, 300]


def test_every_number_of_the_frame_is_what_its_name_says():
    life = Life()
    r, c = life.r, life.c
    r.pilot_count = 2
    r.pilot_period_us_x10[1] = 10001
    c.duty_pct_x100, c.permitted_ma, c.hottest_decic = 5333, 32000, -55
    r.cp_high_mv, r.cp_low_mv, r.pp_mv, r.dc_mv = 9000, -12000, 1510, 400000
    r.lock_feedback_mv, r.lock_motor_ma, r.charger_ma, r.vehicle_age_ms = 600, 250, 31000, 90
    for n in range(4):
        r.temp_mv[n] = 1000 + n
    life.flash(faults=faults.F_PP_GAP, holds=faults.H_DOOR, reasons=faults.PP_INVALID)
    frame = life.slot(1202)["frame"]
    for name in frame:
        if name.startswith("temp_"):
            assert frame[name] == 1000 + int(name[5])
        elif name == "pilot_period_us_x10":
            assert frame[name] == 10001
        elif name in ("faults", "holds", "reasons"):
            assert frame[name] == {"faults": faults.F_PP_GAP, "holds": faults.H_DOOR, "reasons": faults.PP_INVALID}[name]  # fmt: skip
        elif name != "states":
            assert frame[name] == (getattr(r, name) if hasattr(r, name) else getattr(c, name)), (
                name
            )


def test_states_hold_each_of_their_parts_without_disturbing_another():
    used = 0
    for _name, low, bits in FRAME_STATES:
        field = ((1 << bits) - 1) << low
        assert not used & field
        used |= field
    assert used == (1 << 30) - 1
    for name, low, bits in FRAME_STATES:
        life = Life()
        life.c.plug_present = False
        at, value = None, (1 << bits) - 1
        if name.startswith("temp_"):
            at = int(name[5])
            life.r.temp_ok[at] = 1
        else:
            target = life.c if hasattr(life.c, name) else life.r
            setattr(target, name, value if bits > 1 else True)
        life.flash(faults=faults.F_PP_GAP)
        assert life.slot(1202)["frame"]["states"] == value << low, name


def test_states_have_room_for_every_state_there_is():
    from interlock import SESSION_NAMES
    from limits import LIMITER_NAMES
    from lock.actuator import LOCK_STATE_NAMES
    from pilot.control import PILOT_STATE_NAMES

    bits = {name: bits for name, _low, bits in FRAME_STATES}
    for name, names in (("session", SESSION_NAMES), ("limiter", LIMITER_NAMES), ("lock_state", LOCK_STATE_NAMES), ("pilot_state", PILOT_STATE_NAMES)):  # fmt: skip
        assert len(names) <= 1 << bits[name]
    assert len(FRAME) == FRAME_INTS


# ------------------------------------------------------------------------------------------- sessions


def charge(life, session, has_charged=True):
    life.memory.begin_session(session)
    life.go()
    life.memory.end_session(has_charged)


def test_a_self_clearing_code_is_forgotten_after_enough_clean_sessions():
    life = Life()
    life.memory.begin_session(1)
    appear(life, 1202)
    life.memory.end_session(True)
    assert life.slot(1202)["clean"] == 0, "its own session was not clean"
    for n in range(AGED_SESSIONS - 1):
        charge(life, 2 + n)
    assert life.slot(1202)["clean"] == AGED_SESSIONS - 1
    life.memory.has_changed = False
    charge(life, 500)
    assert life.slot(1202) is None and life.memory.has_changed


def test_a_session_that_did_not_charge_proves_nothing():
    life = Life()
    appear(life, 1202)
    for n in range(2 * AGED_SESSIONS):
        charge(life, 1 + n, has_charged=False)
    assert life.slot(1202)["clean"] == 0


@pytest.mark.parametrize("number", [numbers_of(faults.UNPLUG)[0], numbers_of(faults.SERVICE)[0]])
def test_the_others_stay_however_many_sessions_are_clean(number):
    life = Life()
    appear(life, number)
    for n in range(2 * AGED_SESSIONS):
        charge(life, 1 + n)
    assert life.slot(number)["clean"] == AGED_SESSIONS
    life.memory.has_changed = False
    charge(life, 500)
    assert not life.memory.has_changed, "no more to store"


def test_what_appears_again_begins_to_age_anew():
    life = Life()
    appear(life, 1202)
    for n in range(10):
        charge(life, 1 + n)
    assert life.slot(1202)["clean"] == 10
    appear(life, 1202)
    assert life.slot(1202)["clean"] == 0


def test_what_is_present_does_not_age_and_was_seen_in_every_session():
    life = Life()
    life.c.holds = faults.H_HEATER
    life.go()
    for n in range(2 * AGED_SESSIONS):
        charge(life, 1 + n)
    seen = life.slot(1801)
    assert (seen["clean"], seen["last_session"], seen["count"]) == (0, 2 * AGED_SESSIONS, 1)


# ------------------------------------------------------------------------------------------- clearing

SELF_CODE, UNPLUG_CODE, SERVICE_CODE = 1202, 1105, 1904


@pytest.mark.parametrize(
    "number, is_unplugged, is_service, answer",
    [
        (SELF_CODE, False, False, m.CLEARED),
        (UNPLUG_CODE, False, False, m.NEEDS_UNPLUG),
        (UNPLUG_CODE, False, True, m.NEEDS_UNPLUG),
        (UNPLUG_CODE, True, False, m.CLEARED),
        (SERVICE_CODE, False, False, m.NEEDS_SERVICE),
        (SERVICE_CODE, True, False, m.NEEDS_SERVICE),
        (SERVICE_CODE, False, True, m.CLEARED),
        (1301, True, True, m.NOT_STORED),
        (0, True, True, m.NOT_STORED),
        (-1, True, True, m.NOT_STORED),
    ],
)
def test_a_person_clears_as_the_class_allows(number, is_unplugged, is_service, answer):
    life = Life()
    for one in (SELF_CODE, UNPLUG_CODE, SERVICE_CODE):
        appear(life, one)
    life.memory.has_changed = False
    assert life.memory.clear(number, is_unplugged, is_service) == answer
    assert (life.slot(number) is None) == (answer in (m.CLEARED, m.NOT_STORED))
    assert life.memory.has_changed == (answer == m.CLEARED)


@pytest.mark.parametrize("number", [SELF_CODE, UNPLUG_CODE, SERVICE_CODE])
def test_what_is_still_there_is_never_cleared(number):
    life = Life()
    name, mask = bit_of(number)
    setattr(life.c, name, mask)
    life.go()
    assert life.memory.clear(number, True, True) == m.STILL_PRESENT
    setattr(life.c, name, 0)
    life.go()
    assert life.memory.clear(number, True, True) == m.CLEARED


def test_every_answer_has_words():
    assert len(m.ANSWER_NAMES) == len(m.ANSWER_WORDS) == m.NEEDS_SERVICE + 1


# ---------------------------------------------------------------------------------------- a full table


def test_the_least_important_oldest_gives_way():
    life = Life()
    selfs, unplugs = numbers_of(faults.SELF), numbers_of(faults.UNPLUG)
    first = [unplugs[0], *selfs[: SLOTS - 2], numbers_of(faults.SERVICE)[0]]
    for number in first:
        appear(life, number)
    appear(life, selfs[0])  # seen again: the second is the oldest now
    appear(life, selfs[SLOTS])
    assert selfs[1] not in life.numbers() and {selfs[0], selfs[SLOTS], unplugs[0]} <= set(
        life.numbers()
    )
    assert life.memory.lost == 0 and len(life.numbers()) == SLOTS


def test_what_needs_an_unplug_gives_way_only_where_nothing_clears_itself():
    life = Life()
    unplugs, services, selfs = (
        numbers_of(n) for n in (faults.UNPLUG, faults.SERVICE, faults.SELF)
    )
    for number in (*unplugs, *services, *selfs):
        appear(life, number)
    kept = set(life.numbers())
    assert set(unplugs) | set(services) <= kept


def test_what_is_present_gives_way_only_to_a_higher_class():
    life = Life()
    selfs = numbers_of(faults.SELF)
    for number in selfs[:SLOTS]:
        life.c.faults |= bit_of(number)[1]
        life.go()
    assert len(life.numbers()) == SLOTS
    life.c.faults |= bit_of(selfs[SLOTS])[1]
    life.go()
    assert life.memory.lost == 1 and selfs[SLOTS] not in life.numbers()
    life.c.faults |= faults.F_S2_STUCK_OPEN
    life.go()
    assert 1105 in life.numbers() and selfs[0] not in life.numbers()


def test_a_latched_code_that_is_only_stored_does_not_give_way_to_what_is_present():
    life = Life()
    appear(life, 1901)
    for number in numbers_of(faults.SELF)[: SLOTS + 1]:
        life.c.faults |= bit_of(number)[1]
        life.go()
    assert 1901 in life.numbers() and life.memory.lost == 2


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(range(len(CODES))), st.booleans()), max_size=120))
def test_a_latched_code_is_never_lost(events):
    life = Life()
    seen = set()
    for row, stays in events:
        name, mask = bit_of(CODES[row][C_NUMBER])
        setattr(life.c, name, getattr(life.c, name) | mask)
        life.go(20)
        if CODES[row][C_CLASS] == faults.SERVICE:
            seen.add(CODES[row][C_NUMBER])
        if not stays:
            setattr(life.c, name, getattr(life.c, name) & ~mask)
            life.go()
        numbers = life.numbers()
        assert seen <= set(numbers) and len(numbers) == len(set(numbers)) <= SLOTS


# -------------------------------------------------------------------------------------------- storage


def dumped(memory):
    ints = array("i", [0] * m.DUMP_INTS)
    return ints, memory.dump(ints)


@settings(deadline=None)
@given(st.lists(st.sampled_from(range(len(CODES))), max_size=40))
def test_what_is_dumped_is_loaded(rows):
    life = Life()
    life.memory.begin_session(3)
    for row in rows:
        life.r.pp_mv = row
        appear(life, CODES[row][C_NUMBER])
    ints, count = dumped(life.memory)
    assert count == m.DUMP_HEAD + len(life.numbers()) * SLOT_INTS
    again = TroubleMemory()
    assert again.load(ints, count)
    assert again.session == 3
    assert dumped(again) == (ints, count)


def test_nothing_is_present_before_it_was_seen_again():
    life = Life()
    life.c.faults = faults.F_SETTINGS
    life.go()
    ints, count = dumped(life.memory)
    life.memory = TroubleMemory()
    assert life.memory.load(ints, count) and life.slot(1901)["flags"] == 0
    life.go()
    assert life.slot(1901)["flags"] == m.PRESENT and life.slot(1901)["count"] == 2


def test_a_dump_of_another_layout_changes_nothing():
    life = Life()
    appear(life, 1202)
    ints, count = dumped(life.memory)
    for at, value in ((0, m.LAYOUT + 1), (1, -1), (2, -5)):
        wrong = array("i", ints)
        wrong[at] = value
        assert not life.memory.load(wrong, count)
    assert not life.memory.load(ints, 2)
    assert life.numbers() == [1202]


@pytest.mark.parametrize(
    "field, value",
    [
        (m.S_NUMBER, 1999), (m.S_NUMBER, 0), (m.S_NUMBER, -1), (m.S_FLAGS, 8), (m.S_FLAGS, -1), (m.S_COUNT, 0),
        (m.S_COUNT, m.COUNT_MAX + 1), (m.S_FIRST_SESSION, 99), (m.S_FIRST_SESSION, -1), (m.S_FIRST_MIN, 10080),
        (m.S_LAST_MIN, -1), (m.S_CLEAN, AGED_SESSIONS + 1), (m.S_TURN, -1), (m.S_NUMBER, 1301),
    ],
)  # fmt: skip
def test_a_slot_that_makes_no_sense_is_left_out_and_the_others_stay(field, value):
    life = Life()
    appear(life, 1301)
    appear(life, 1202)
    ints, count = dumped(life.memory)
    ints[m.DUMP_HEAD + SLOT_INTS + field] = value
    again = Life()
    assert not again.memory.load(ints, count)
    assert again.numbers() == [1301]


def test_a_dump_cut_short_keeps_its_whole_slots():
    life = Life()
    appear(life, 1301)
    appear(life, 1202)
    ints, count = dumped(life.memory)
    again = Life()
    assert not again.memory.load(ints, count - 1)
    assert again.numbers() == [1301]


@settings(deadline=None)
@given(st.lists(st.integers(-(2**31), 2**31 - 1), max_size=3 * SLOT_INTS), st.booleans())
def test_any_ints_can_be_loaded_and_lived_with(ints, is_ours):
    if is_ours and len(ints) >= 4:
        ints[0], ints[1], ints[2], ints[3] = m.LAYOUT, abs(ints[1]) >> 1, abs(ints[2]) >> 1, 1202
    life = Life()
    life.memory.load(array("i", ints), len(ints))
    appear(life, 1301)
    assert 1301 in life.numbers()


def test_the_largest_dump_is_one_record_of_the_journal():
    from drivers.log_reader import PAYLOAD_MAX

    assert 4 * m.DUMP_INTS <= PAYLOAD_MAX
