"""Whose fault a stop was: the rules as a table, the evidence, one plug-in, and what several say together."""

import random
from array import array
from itertools import pairwise

import pytest

import faults
import journal.evidence as evidence_room
import journal.verdict as verdict_room
from interlock import SESSION_NAMES
from journal import blame
from journal.blame import (
    ACROSS,
    CABLE,
    EVIDENCE,
    INLET,
    LIKELY,
    NOT_KNOWN,
    OPEN,
    PERSON,
    RULES,
    STATION,
    SURE,
    VEHICLE,
)
from journal.outcomes import (
    DUMP_INTS,
    EMPTY,
    GOOD,
    O_CODE,
    O_GROUP,
    O_LEVEL,
    O_MINUTES,
    O_PEAK,
    O_PERIOD,
    O_PP,
    O_VERDICT,
    SESSIONS,
    Outcomes,
)
from journal.verdict import Verdict
from limits import LIMITER_NAMES
from lock.actuator import LOCK_STATE_NAMES
from pilot.control import PILOT_STATE_NAMES
from settings import Settings
from signals import Commands, Readings
from ticks import ticks_add

STARTS = (0, 2**30 - 4000)


# The tables -------------------------------------------------------------------


def test_every_code_is_there_once():
    codes = [row[0] for row in RULES] + [row[0] for row in ACROSS]
    assert len(codes) == len(set(codes)) and min(codes) > 0


def test_a_rule_is_open_exactly_where_it_does_not_know():
    for row in RULES:
        assert (row[blame.R_VERDICT] == NOT_KNOWN) == (row[blame.R_SURE] == OPEN), row
        assert 0 <= row[blame.R_VERDICT] < len(blame.VERDICT_NAMES)


def test_every_rule_says_what_to_do_in_one_sentence():
    for row in (*RULES, *ACROSS):
        words = row[-1]
        assert words[0].isupper() and words.endswith(".") and "\n" not in words
    # The words shown for one name are that name's alone.
    assert len({row[blame.R_NAME] for row in RULES}) == len(RULES)


def test_the_last_rule_takes_what_no_other_does():
    *_, last = RULES
    assert last[1:6] == (0, 0, 0, 0, 0) and last[blame.R_VERDICT] == NOT_KNOWN
    for row in RULES[:-1]:
        assert any(row[1:5]), row


def test_every_open_group_has_a_rule_across_for_either_other():
    groups = {row[blame.R_GROUP] for row in RULES if row[blame.R_SURE] == OPEN} - {blame.G_NONE}
    assert groups == {row[blame.A_GROUP] for row in ACROSS}
    assert len(ACROSS) == 2 * len(groups)
    for group in groups:
        others = {row[blame.A_OTHER] for row in ACROSS if row[blame.A_GROUP] == group}
        assert others == {blame.GOOD_ELSEWHERE, blame.ALIKE_ELSEWHERE}


def test_every_fact_has_its_bit_and_its_row():
    bits = {name: bit for name, bit in vars(blame).items() if name.startswith("E_")}
    assert sorted(bits.values()) == [1 << n for n in range(len(EVIDENCE))]
    used = 0
    for row in RULES:
        used |= row[blame.R_FACTS] | row[blame.R_NOT]
    assert used < 1 << 30, "a small int on the board"


def first_rule(verdict, facts):
    """Return the row that fits what the verdict holds, and hold it against the answer."""
    verdict.evidence.mask = facts
    verdict._moment = facts
    verdict._is_told = False
    verdict._judge()
    passes = 1
    while not verdict._ask(False):
        passes += 1
    row = RULES[verdict.rule]
    assert verdict.code == row[blame.R_CODE]
    # So many a pass.
    assert passes == verdict.rule // verdict_room._RULES_A_PASS + 1
    return row


def fits(row, reasons, faults_, holds, facts):
    """What the comment above the table says."""
    signs = zip(row[1:4], (reasons, faults_, holds))
    return (
        all(not asked or asked & seen for asked, seen in signs)
        and row[blame.R_FACTS] & ~facts == 0
        and row[blame.R_NOT] & facts == 0
    )


def test_the_packed_rules_decide_as_the_table_says():
    dice = random.Random(23)
    verdict = Verdict(Settings({}), Outcomes())
    met = set()
    for n in range(20000):
        # Some near a row of its own, some from all over the place.
        row = RULES[n % len(RULES)]
        drawn = [0, 0, 0, 0]
        for kind in range(4):
            few = sum(1 << dice.randrange(30) for _bit in range(dice.randrange(3)))
            drawn[kind] = (
                few
                if dice.random() < 0.3
                else row[1 + kind] & dice.randrange(1 << 30) | few & ~row[5]
            )
        if dice.random() < 0.5:
            drawn[3] |= row[blame.R_FACTS]
        verdict.reasons, verdict.faults, verdict.holds, facts = (
            mask & (1 << 30) - 1 for mask in drawn
        )
        found = first_rule(verdict, facts)
        want = next(
            row
            for row in RULES
            if fits(row, verdict.reasons, verdict.faults, verdict.holds, facts)
        )
        assert found == want, (n, drawn)
        met.add(found[0])
    assert len(met) > 50


def test_the_packed_rules_hold_every_number_of_the_table():
    packed = blame.PACKED_RULES
    at = 0
    for row in RULES:
        head = packed[at + 2]
        assert (packed[at + 1], head & 7, head >> 3 & 3, head >> 5) == (
            row[0],
            row[6],
            row[7],
            row[8],
        )
        assert max(row[:1]) < 256 and all(mask < 1 << 30 for mask in row[1:6])
        at += packed[at]
    assert at == len(packed)
    across = blame.PACKED_ACROSS
    for n, row in enumerate(ACROSS):
        code, kind, says = across[3 * n : 3 * n + 3]
        assert (code, kind >> 1, kind & 1, says & 7, says >> 3) == tuple(row[:5])
    assert len(across) == 3 * len(ACROSS)


@pytest.mark.parametrize("bit", range(len(faults.SHUTDOWN)))
def test_every_reason_that_stops_is_judged_by_a_rule_of_its_own(bit):
    name = faults.SHUTDOWN[bit][0]
    if name in ("show_b", "rest", "retries"):
        return
    verdict = Verdict(Settings({}), Outcomes())
    verdict.reasons = 1 << bit
    # The faults and holds that force it, as the interlock shows them.
    for n, row in enumerate(faults.FAULTS):
        if row[1] == 1 << bit:
            verdict.faults |= 1 << n
    # Who set the limit, and that a station is there.
    verdict.evidence.mask = blame.E_L_PILOT | blame.E_PILOT_ALIVE
    assert first_rule(verdict, verdict.evidence.mask)[0] != 99, name


def test_numbers_of_other_rooms_are_theirs():
    assert SESSION_NAMES[verdict_room.UNPLUGGED] == "unplugged"
    assert SESSION_NAMES[verdict_room.WAITING] == "waiting"
    assert SESSION_NAMES[evidence_room.CHARGING] == "charging"
    assert SESSION_NAMES[evidence_room.RELEASED] == "released"
    assert [PILOT_STATE_NAMES[n] for n in (1, 2, 4, 6)] == ["B1", "B2", "C2", "D2"]
    assert (evidence_room.B1, evidence_room.B2, evidence_room.C2, evidence_room.D2) == (1, 2, 4, 6)
    assert LOCK_STATE_NAMES[evidence_room.LOCK_WAIT] == "lock_wait"
    assert LOCK_STATE_NAMES[evidence_room.LOCKING] == "locking"
    assert LOCK_STATE_NAMES[evidence_room.REOPEN_WAIT] == "reopen_wait"
    assert len(evidence_room.LIMIT_FACTS) == len(LIMITER_NAMES)
    facts = dict(zip(LIMITER_NAMES, evidence_room.LIMIT_FACTS))
    assert facts == {
        "none": 0,
        "pilot": blame.E_L_PILOT,
        "cable": blame.E_L_CABLE,
        "temperature": blame.E_L_TEMPERATURE,
        "setting": blame.E_L_CHOICE,
        "vehicle": blame.E_L_VEHICLE,
        "lock": 0,
        "person": blame.E_L_CHOICE,
        "port": blame.E_L_CHOICE,
    }


# One plug-in ------------------------------------------------------------------


class Port:
    """Readings and commands of an inlet, moved by hand."""

    def __init__(self, start_ms=0, **settings):
        self.verdict = Verdict(Settings(settings), Outcomes())
        self.now_ms = start_ms
        self.r = Readings()
        self.c = Commands()
        self.empty(200)

    def run(self, ms):
        for _n in range(ms // 10):
            self.now_ms = ticks_add(self.now_ms, 10)
            self.verdict.tick(self.now_ms, self.r, self.c)
        return self

    def empty(self, ms=200):
        r, c = self.r, self.c
        r.pp_ok, r.pp_mv, r.pp_rail_mv = True, 4455, 5000
        r.cp_ok, r.cp_high_mv, r.cp_low_mv, r.pilot_count, r.pilot_quiet_ms = True, 0, 0, 0, 1000
        r.ac_ok, r.ac_present, r.charger_ok, r.charger_ma = True, False, True, 0
        c.session, c.reasons, c.faults, c.holds = 0, faults.NO_PLUG, 0, 0
        c.s2_close, c.charger_ma, c.offered_ma, c.pilot_state, c.lock_state = False, 0, 0, 0, 3
        return self.run(ms)

    def plug(self, ms=600, period=10000, mv=9000, pp_mv=1905):
        r, c = self.r, self.c
        r.pp_mv, r.cp_high_mv, r.cp_low_mv = pp_mv, mv, -12000
        r.pilot_count, r.pilot_quiet_ms = 3, 0
        r.pilot_period_us_x10[0] = period
        c.session, c.reasons, c.pilot_state, c.offered_ma = 1, faults.SHOW_B, 2, 32000
        c.limiter, c.lock_state = 1, 9
        return self.run(ms)

    def charge(self, ms=70000, ma=16000):
        r, c = self.r, self.c
        c.session, c.reasons, c.s2_close, c.pilot_state, c.charger_ma = 2, 0, True, 4, 32000
        r.cp_high_mv, r.ac_present, r.charger_ma = 6000, True, ma
        return self.run(ms)

    def stop(self, reasons, faults_=0, ms=600):
        c = self.c
        c.session, c.reasons, c.faults, c.s2_close, c.charger_ma = 4, reasons, faults_, False, 0
        self.r.charger_ma = 0
        return self.run(ms)

    def dead(self, reasons=faults.PILOT_E, mains=True, ms=600):
        """The pilot has been at 0 V for 40 ms; mains goes then, or is there."""
        r = self.r
        r.cp_high_mv = r.cp_low_mv = r.pilot_count = 0
        r.pilot_quiet_ms, r.ac_present = 40, mains
        self.c.pilot_state = 7
        self.stop(reasons, faults.F_PILOT_FAULT, 10)
        r.pilot_quiet_ms = 600
        return self.run(ms)

    @property
    def said(self):
        return self.verdict.verdict, self.verdict.sure

    def recalled(self, n=0):
        return self.verdict.outcomes.field(n, O_VERDICT)


@pytest.mark.parametrize("start_ms", STARTS)
def test_state_f_is_the_station(start_ms):
    port = Port(start_ms).plug().charge()
    port.stop(faults.PILOT_F, faults.F_PILOT_FAULT)
    assert port.said == (STATION, SURE)
    assert port.verdict.code == 17 and port.verdict.facts & blame.E_HAD_FLOW


@pytest.mark.parametrize("start_ms", STARTS)
def test_a_dead_pilot_alone_is_nobodys(start_ms):
    assert Port(start_ms).plug().charge().dead().said == (NOT_KNOWN, OPEN)


@pytest.mark.parametrize("start_ms", STARTS)
def test_mains_that_goes_with_the_pilot_is_the_station(start_ms):
    port = Port(start_ms).plug().charge()
    port.r.ac_present = False
    port.run(40)
    assert port.dead(mains=False).said == (STATION, SURE)


def test_mains_that_goes_80_ms_after_the_pilot_says_nothing():
    port = Port().plug().charge().dead(ms=10)
    port.r.pilot_quiet_ms, port.r.ac_present = 120, False
    port.run(10)
    port.r.pilot_quiet_ms = 1000
    assert port.run(600).said == (NOT_KNOWN, OPEN)


def test_without_a_sense_of_mains_a_power_cut_is_nobodys():
    port = Port()
    port.r.ac_ok = False
    port.plug().charge()
    port.r.ac_present = False
    port.run(40)
    assert port.dead(mains=False).said == (NOT_KNOWN, OPEN)


def test_a_sensor_is_the_inlet_and_a_person_a_person():
    assert Port().plug().charge().stop(faults.TEMP_SENSOR, faults.F_TEMP_OPEN).said == (
        INLET,
        SURE,
    )
    assert Port().plug().charge().stop(faults.PERSON_STOP).said == (PERSON, SURE)
    assert Port().plug().charge().stop(faults.VEHICLE_NO).said == (VEHICLE, SURE)


def test_what_follows_a_persons_stop_is_not_blamed():
    port = Port().plug().charge().stop(faults.PERSON_STOP, ms=100)
    port.c.reasons |= faults.PILOT_F
    assert port.run(2000).said == (PERSON, SURE)


def test_no_current_is_the_station_without_mains_and_the_vehicle_with():
    port = Port().plug().charge(1000, ma=0)
    port.r.ac_present = False
    port.run(18000)
    assert port.verdict.serial == 0, "a charger may take its time"
    assert port.run(3000).said == (STATION, SURE)
    assert Port().plug().charge(22000, ma=0).said == (VEHICLE, SURE)


def test_a_car_that_is_done_is_no_failure():
    port = Port().plug().charge(610000).charge(30000, ma=0)
    assert port.verdict.code == 55
    port.empty()
    assert port.recalled() == GOOD


def test_a_refusal_is_told_after_12_s_not_before():
    port = Port().plug()
    port.c.reasons = faults.PILOT_STEADY | faults.SHOW_B
    port.run(11000)
    assert port.verdict.serial == 0
    assert port.run(1500).said == (STATION, SURE)


def test_a_refusal_given_up_after_5_s_is_told_and_one_after_2_s_is_not():
    for ms, serial in ((5000, 1), (2000, 0)):
        port = Port().plug()
        port.c.reasons = faults.PILOT_STEADY | faults.SHOW_B
        port.run(ms)
        port.c.session, port.c.reasons = 5, faults.PERSON_STOP
        port.run(200)
        assert port.verdict.serial == serial


class CountedVerdict(Verdict):
    """Counts the rules that are asked, and the closer looks."""

    asked = looks = 0

    def _look(self, now_ms, r, c):
        self.looks += 1
        super()._look(now_ms, r, c)

    def _fits(self, table, k, end, facts):
        self.asked += 1
        return super()._fits(table, k, end, facts)


def judged_slowly():
    """Return a port that has stopped for heat: its first rules are asked, and do not fit."""
    port = Port()
    port.verdict = CountedVerdict(Settings({}), Outcomes())
    port.empty().plug().charge()
    port.stop(faults.TEMP_HIGH, ms=300)
    while not port.verdict.asked:
        port.run(10)
    return port


def looks_in(port, passes):
    """Return in which of so many passes the verdict looks closer."""
    seen = []
    for n in range(passes):
        before = port.verdict.looks
        port.run(10)
        if port.verdict.looks > before:
            seen.append(n)
    return seen


def counted(port):
    """Return the port, its verdict counted from here on, and a look just over."""
    port.verdict = CountedVerdict(Settings({}), Outcomes())
    port.run(600)
    while not looks_in(port, 1):
        pass
    return port


def test_a_plug_that_goes_in_and_a_reason_are_looked_at_some_passes_later():
    soon = verdict_room._SOON
    port = counted(Port())
    port.c.session = 1
    assert looks_in(port, soon)[:1] == [soon - 1]
    port = counted(Port().plug())
    port.c.reasons ^= faults.PILOT_STEADY
    assert looks_in(port, soon) == [soon - 1]


@pytest.mark.parametrize("what", ["begin", "end", "out", "mains"])
def test_what_begins_and_ends_a_charge_and_the_mains_are_looked_at_in_their_own_pass(what):
    port = Port().plug()
    if what != "begin":
        port.charge(20000)
    port = counted(port)
    if what == "mains":
        port.r.ac_present = not port.r.ac_present
    else:
        port.c.session = {"begin": 2, "end": 4, "out": 0}[what]
    assert looks_in(port, 1) == [0]


@pytest.mark.parametrize("later", [1, 2, 5, 20])
def test_a_sign_that_stands_for_one_pass_behind_a_stop_counts(later):
    port = Port().plug().charge()
    port.stop(faults.PILOT_LOST, ms=10 * later)
    before = port.verdict.faults, port.verdict.reasons
    port.stop(faults.PILOT_LOST | faults.PILOT_F, ms=10)
    port.stop(faults.PILOT_LOST, ms=10)
    assert not before[1] & faults.PILOT_F and port.verdict.reasons & faults.PILOT_F


def test_a_pass_asks_some_of_the_rules_and_the_answer_is_that_of_all():
    port = judged_slowly()
    seen = [port.verdict.asked]
    while not port.verdict.serial:
        port.run(10)
        seen.append(port.verdict.asked)
    most = verdict_room._RULES_A_PASS
    assert len(seen) > 2 and all(b - a <= most for a, b in pairwise([0, *seen]))
    row = RULES[port.verdict.asked - 1]
    assert row[blame.R_REASONS] & faults.TEMP_HIGH and port.verdict.code == row[blame.R_CODE]


def test_a_plug_that_goes_while_the_rules_are_asked_is_remembered_with_their_answer():
    port = judged_slowly()
    assert not port.verdict.serial
    port.empty(10)
    # Asked to the end, and anew: the plug was pulled.
    assert port.verdict.serial == 1 and port.verdict.is_asking and not port.verdict.outcomes.count
    port.run(200)
    assert port.verdict.outcomes.count == 1 and not port.verdict.is_asking


def test_a_plug_that_comes_back_while_the_rules_are_asked_is_another_plug_in():
    port = judged_slowly()
    port.empty(10).plug(600)
    assert port.verdict.outcomes.count == 1
    port.charge(3000)
    assert 1 <= port.verdict.evidence.flowed_s <= 3


def test_a_wrong_proximity_goes_to_whom_it_came_with():
    bad = faults.PP_INVALID
    plug = Port()
    plug.plug()
    plug.c.reasons, plug.c.faults, plug.c.lock_state = bad, faults.F_PP_GAP, 3
    assert plug.run(13000).said == (CABLE, LIKELY)
    late = Port().plug().charge().stop(bad, faults.F_PP_SHORT)
    assert late.said == (NOT_KNOWN, OPEN)
    late.empty()
    assert late.said == (CABLE, LIKELY) and late.recalled() == CABLE


def test_a_proximity_wire_at_its_rail_is_the_inlets():
    port = Port().plug().charge()
    port.r.pp_mv = 5000
    assert port.stop(faults.NO_PLUG).said == (INLET, SURE)
    port = Port().plug().charge()
    port.r.pp_mv = 4455
    assert port.stop(faults.NO_PLUG).said == (NOT_KNOWN, OPEN)


def test_a_latch_button_pressed_for_half_a_minute_is_the_cables():
    port = Port().plug()
    port.c.reasons = faults.PP_BUTTON
    assert port.run(13000).said == (PERSON, SURE)
    assert port.run(20000).said == (CABLE, LIKELY)


def test_a_bolt_all_the_way_open_was_a_hand_and_between_it_slipped():
    for mv, said in ((580, (PERSON, LIKELY)), (1500, (INLET, LIKELY))):
        port = Port().plug().charge()
        port.r.lock_feedback_ok, port.r.lock_feedback_mv = True, mv
        assert port.stop(faults.LOCK_LOST, faults.F_UNEXPECTED_OPEN).said == said


def test_one_look_at_nonsense_levels_is_noise():
    port = Port().plug().charge()
    dice = random.Random(5)
    for _n in range(50):
        port.r.cp_low_mv = dice.randrange(-8000, 0)
        port.run(1280)
    assert not port.verdict.evidence.mask & blame.E_LOW_WRONG
    port.r.cp_low_mv = -5600
    port.run(5200)
    assert port.verdict.evidence.mask & blame.E_LOW_WRONG


@pytest.mark.parametrize(("ma", "count"), [(16000, 8), (0, 128)], ids=["flows", "none yet"])
def test_the_steady_state_is_looked_at_seldom(ma, count):
    """Fewer than one pass in a hundred while current flows."""
    port = Port().plug().charge(1290, ma)
    looks = []
    look = port.verdict._look
    port.verdict._look = lambda *args: (looks.append(1), look(*args))
    port.run(10240)
    assert len(looks) == count


def test_the_facts_of_the_moment_are_those_of_the_signs_and_not_of_the_end():
    """A dead pilot once the plug is out does not make an open proximity a pulled plug."""
    port = Port().plug().charge()
    port.r.pp_mv = 4455
    port.stop(faults.NO_PLUG)
    assert port.verdict.code == 33
    port.c.session, port.c.pilot_state = 5, 7
    port.run(400)
    port.empty()
    assert port.verdict.code == 33 and port.recalled() == NOT_KNOWN


def test_a_plug_on_its_way_out_is_not_why_it_was_pulled():
    port = Port().plug()
    port.c.reasons = faults.PILOT_FREQUENCY | faults.SHOW_B
    port.run(6000)
    port.c.reasons, port.c.pilot_state = faults.NO_PLUG | faults.PILOT_E, 7
    port.run(200)
    port.empty()
    assert port.said == (STATION, SURE) and port.verdict.code == 16


def test_signs_that_never_stand_still_are_told_too():
    port = Port().plug()
    for n in range(70):
        port.c.reasons = faults.PILOT_FREQUENCY if n & 1 else faults.PILOT_E
        port.run(200)
    assert port.verdict.serial >= 1 and port.verdict.code in (16, 42)


@pytest.mark.parametrize("start_ms", STARTS)
def test_pwm_whose_edges_are_not_counted_is_the_inlets_and_never_the_stations(start_ms):
    port = Port(start_ms).plug().charge()
    said = []
    port.r.pilot_count = 0
    port.c.pilot_state = 3
    for quiet_ms in range(20, 1000, 10):
        port.r.pilot_quiet_ms = quiet_ms
        port.stop(faults.PILOT_STEADY, ms=10)
        said.append(port.said)
    assert (STATION, SURE) not in said and said[-1] == (INLET, SURE)


def test_a_station_that_pauses_is_the_station():
    port = Port().plug().charge()
    port.r.pilot_count, port.r.pilot_quiet_ms = 0, 600
    port.r.cp_low_mv = port.r.cp_high_mv = 6000
    port.c.pilot_state = 3
    assert port.stop(faults.PILOT_STEADY).said == (STATION, SURE)


def slowed(port, ms, permitted_ma=20000):
    port.c.limiter, port.c.permitted_ma = LIMITER_NAMES.index("temperature"), permitted_ma
    return port.charge(ms, permitted_ma)


def test_charging_slowed_by_heat_is_told_and_remembered_though_a_person_ends_it():
    port = slowed(Port().plug().charge(3000), 50000)
    assert port.verdict.serial == 0
    slowed(port, 20000)
    assert port.verdict.code == 62 and port.said == (NOT_KNOWN, OPEN)
    port.stop(faults.PERSON_STOP)
    assert port.said == (PERSON, SURE)
    port.empty()
    assert port.recalled() == NOT_KNOWN
    assert port.verdict.outcomes.field(0, O_GROUP) == blame.G_HOT


@pytest.mark.parametrize(("limiter", "ma"), [("temperature", 25000), ("cable", 16000)])
def test_a_little_heat_and_a_small_cable_are_not_called_slow(limiter, ma):
    port = Port().plug().charge(3000)
    port.c.limiter, port.c.permitted_ma = LIMITER_NAMES.index(limiter), ma
    assert port.charge(200000, ma).verdict.serial == 0


def lock(port, tries):
    port.plug()
    port.c.reasons = faults.NOT_LOCKED
    for _n in range(tries):
        for state, ms in ((4, 1000), (5, 300)):
            port.c.lock_state = state
            port.run(ms)
    port.c.lock_state = 9
    return port.run(100)


def test_a_lock_that_closed_at_a_further_try_is_told_and_the_charge_is_a_good_one():
    port = lock(Port(), 1).charge()
    assert port.verdict.serial == 0
    port.empty()
    assert port.recalled() == GOOD
    lock(port, 2).charge()
    assert port.said == (INLET, LIKELY) and port.verdict.code == 63
    assert port.verdict.serial == 1, "once"
    port.stop(faults.PERSON_STOP).empty()
    assert port.said == (PERSON, SURE) and port.recalled() == GOOD


def test_a_lock_that_tried_again_hides_nothing_that_comes_later():
    port = lock(Port(), 3).charge(30000, ma=0)
    assert port.verdict.code == 56 and port.said == (VEHICLE, SURE)
    port = lock(Port(), 3).charge(30000).dead()
    assert port.verdict.code == 42
    port.empty()
    assert port.recalled() == NOT_KNOWN
    # Stopped before it counted as charged: nothing to remember.
    port = lock(Port(), 2).charge(20000).stop(faults.PERSON_STOP).empty()
    assert port.recalled() == EMPTY


def test_readings_that_are_not_valid_are_no_evidence():
    port = Port().plug().charge(5000)
    port.r.charger_ok, port.r.charger_ma = False, 60000
    port.run(5000)
    assert not port.verdict.evidence.mask & blame.E_OVERDRAW
    port.r.charger_ok = True
    port.run(5000)
    assert port.verdict.evidence.mask & blame.E_OVERDRAW


def test_mains_that_is_not_measured_has_not_gone_at_that_moment():
    """Mains went with the pilot; that its measurement failed a while before must not move the moment."""
    port = Port().plug().charge()
    port.r.ac_ok = port.r.ac_present = False
    port.run(1500)
    port.r.ac_ok = port.r.ac_present = True
    port.run(1500)
    port.r.ac_present = False
    port.run(40)
    assert port.dead(mains=False).said == (STATION, SURE)
    other = Port().plug().charge()
    since_ms = other.verdict.evidence._mains_ms
    other.r.ac_ok = other.r.ac_present = False
    other.run(1500)
    assert other.verdict.evidence._mains_ms == since_ms


def test_one_disturbed_period_or_level_does_not_make_it_another_station():
    for at in (0, 3, 7):
        port = Port()
        port.r.pilot_period_us_x10[0] = 10000
        port.plug(ms=10 + at * 10)
        port.r.pilot_period_us_x10[0], port.r.cp_high_mv = 23000, 14000
        port.run(10)
        port.plug(ms=400).charge()
        assert port.verdict.evidence.period_x10() == 10000
        assert port.verdict.evidence.level_mv() == 9000


def test_a_wait_of_eight_days_is_still_a_wait():
    """Differences of ticks are good for six days: the time in a state stays where it is beyond a minute."""
    port = Port().plug()
    port.c.reasons = faults.PERSON_STOP
    for _n in range(8 * 24 * 2):
        port.now_ms = ticks_add(port.now_ms, 1800_000)
        port.run(80)
    port.c.reasons = faults.PILOT_STEADY | faults.SHOW_B
    port.run(1000)
    assert port.verdict.serial == 1 and port.said == (STATION, SURE)


def test_two_weeks_of_charging_count_as_long_and_stay_small():
    port = Port().plug().charge(2000)
    for _n in range(14 * 24):
        port.now_ms = ticks_add(port.now_ms, 3600_000)
        port.charge(2600)
    assert 60 < port.verdict.evidence.flowed_s <= 60000
    port.now_ms = ticks_add(port.now_ms, (1 << 29) + 5000)
    was_s = port.verdict.evidence.flowed_s
    port.charge(5200)
    assert was_s + 2 <= port.verdict.evidence.flowed_s <= was_s + 8


# Several plug-ins --------------------------------------------------------------


def test_it_was_the_station_once_another_one_works():
    port = Port().plug(period=10020).charge().dead().empty()
    assert port.recalled() == NOT_KNOWN
    port.plug(period=10000).charge().stop(faults.PERSON_STOP).empty()
    assert (port.recalled(1), port.recalled(0)) == (STATION, GOOD)
    assert port.verdict.outcomes.field(1, O_CODE) == 101


def test_the_same_station_that_works_again_says_nothing():
    port = Port().plug(period=10003, mv=9100).charge().dead().empty()
    port.plug(period=10000, mv=9000).charge().stop(faults.PERSON_STOP).empty()
    assert port.recalled(1) == NOT_KNOWN


def test_it_is_the_inlet_once_several_failed_alike():
    port = Port()
    for pp_mv in (1905, 3110):
        port.plug(pp_mv=pp_mv).charge(5000).dead().empty()
    assert (port.recalled(0), port.recalled(1)) == (INLET, INLET)


def test_what_worked_before_says_nothing_of_what_broke_since():
    port = Port().plug(period=10020).charge().stop(faults.PERSON_STOP).empty()
    port.plug(period=10000).charge().dead().empty()
    assert port.recalled() == NOT_KNOWN


def row(outcomes, verdict, group=0, period=10000, level=9000, pp=381, minutes=1, peak=160):
    outcomes.open_row()
    for column, value in (
        (O_VERDICT, verdict), (O_GROUP, group), (O_PERIOD, period), (O_LEVEL, level), (O_PP, pp),
        (O_MINUTES, minutes), (O_PEAK, peak),
    ):  # fmt: skip
        outcomes.set(column, value)
    outcomes.revise()


def test_a_hot_plug_is_cleared_only_by_a_long_session_with_as_much():
    for minutes, peak, verdict in ((9, 320, NOT_KNOWN), (10, 230, NOT_KNOWN), (10, 240, CABLE)):
        outcomes = Outcomes()
        row(outcomes, NOT_KNOWN, blame.G_HOT, peak=320)
        row(outcomes, GOOD, period=10010, minutes=minutes, peak=peak)
        assert outcomes.field(1, O_VERDICT) == verdict


@pytest.mark.parametrize(
    "change", [{"period": 10008}, {"level": 9300}, {"pp": 411}], ids=["period", "level", "pp"]
)
def test_stations_are_apart_from_the_edge_on(change):
    outcomes = Outcomes()
    row(outcomes, GOOD)
    row(outcomes, GOOD, **change)
    assert outcomes.are_apart(0, 1) and outcomes.are_apart(1, 0)
    row(outcomes, GOOD, **{name: value - 1 for name, value in change.items()})
    assert not outcomes.are_apart(0, 2)
    row(outcomes, GOOD, **dict.fromkeys(change, 0))
    assert not outcomes.are_apart(0, 1), "what was not seen is not different"


def test_the_ninth_session_pushes_the_first_out():
    outcomes = Outcomes()
    for n in range(SESSIONS + 1):
        row(outcomes, GOOD, minutes=n)
    assert [outcomes.field(n, O_MINUTES) for n in range(SESSIONS)] == [8, 7, 6, 5, 4, 3, 2, 1]
    assert outcomes.count == 9


def test_outcomes_come_back_as_they_went():
    dice = random.Random(11)
    outcomes = Outcomes()
    for _n in range(5):
        row(
            outcomes,
            dice.choice((0, 1, 2, 3, 4, 5, GOOD)),
            dice.randrange(5),
            dice.randrange(20000),
        )
    held = array("i", [7] * (DUMP_INTS + 6))
    outcomes.dump(held, 3)
    assert list(held[:3]) == [7, 7, 7] and list(held[DUMP_INTS + 3 :]) == [7, 7, 7]
    again = Outcomes()
    assert again.load(held, 3)
    assert again.rows == outcomes.rows and again.count == 5


def test_a_foreign_or_torn_dump_is_refused_and_changes_nothing():
    held = array("i", [0] * DUMP_INTS)
    Outcomes().dump(held, 0)
    bad_ones = (
        (0, 2), (1, -1), (1, 1 << 29), (2, 8), (2, 6), (2, EMPTY - 1), (3, -1), (3, 256), (4, 6), (5, 3), (6, 1 << 24),
    )  # fmt: skip
    for at, value in bad_ones:
        bad = array("i", held)
        bad[at] = value
        outcomes = Outcomes()
        row(outcomes, GOOD)
        assert not outcomes.load(bad, 0), (at, value)
        assert outcomes.count == 1 and outcomes.field(0, O_VERDICT) == GOOD
