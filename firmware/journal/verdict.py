"""After every refusal, stop or missing current: whose fault it was, how sure that is, and the evidence. Reports only.

Watches what went into a pass and what came out of it (signals.Readings, signals.Commands), keeps a few facts of the
plug-in, and asks the rules in journal.blame. Times in ms, the rest in the units of the signals. Decides nothing about
charging, knows no clock and no flash; `outcomes` holds the sessions before.
"""

from micropython import const

from faults import (
    HELD,
    NOT_LOCKED,
    PERSON_STOP,
    REST,
    RETRIES,
    SHOW_B,
    VEHICLE_NO,
)
from journal.blame import (
    E_BUTTON_LONG,
    E_GONE_WITH_PLUG,
    E_HAD_FLOW,
    E_LOCK_TRIES,
    E_NO_FLOW,
    E_SLOWED,
    E_STAYS_EMPTY,
    G_END,
    HEAD,
    K_FACT,
    K_FAULT,
    K_NOT,
    K_REASON,
    NOT_KNOWN,
    OPEN,
    PACKED_RULES,
    PERSON,
)
from journal.evidence import CHARGING, MOMENTARY, RELEASED, Evidence
from journal.outcomes import (
    GOOD,
    O_CODE,
    O_GROUP,
    O_LEVEL,
    O_MINUTES,
    O_PEAK,
    O_PERIOD,
    O_PP,
    O_SURE,
    O_VERDICT,
)
from ticks import ticks_add, ticks_diff

# As in interlock.SESSION_NAMES, as those of journal.evidence.
UNPLUGGED = const(0)
WAITING = const(1)

# Passes between two closer looks while nothing changes; while current flows fewer than one in a hundred, which the p99 of
# all passes does not see.
_EVERY = const(8)
_SELDOM = const(128)
# A pass in which something changes has the most to do already. What begins or ends a charge, the end of a plug-in and the mains are
# looked at in that pass all the same; a reason, a plug that goes in and other states are still there some passes later.
_SOON = const(4)
# Rules that one pass asks: all of them take 3 ms (emulated RP2040).
_RULES_A_PASS = const(6)
# Signs of one cause come within this time: the slowest is a level after its edges (pilot.control, 100 ms) and a lock's way.
_SETTLE_MS = const(400)
# A station may take 1 s to PWM, a lock three tries of 3.3 s; what still waits then is refused.
_REFUSED_MS = const(12000)
_STILL_LOCKING_MS = const(25000)
# Given up by a person sooner than that: a plug that only looked in says nothing.
_GIVEN_UP_MS = const(4000)
_GOOD_S = const(60)
# Beyond that a time in a state is kept where it is: a difference of ticks is good for six days.
_LONG_MS = const(60000)

# Reasons that only say that charging is being prepared.
_PREPARING = SHOW_B | REST | RETRIES | NOT_LOCKED
# Where one of these is the first sign of a stop, what follows is its consequence.
_CHOSEN = PERSON_STOP | HELD | VEHICLE_NO
# What is told while charging goes on; some of it of each closing of S2 anew.
_OF_CLOSURE = E_NO_FLOW | E_SLOWED
_WHILE_CHARGING = _OF_CLOSURE | E_LOCK_TRIES


class Verdict:
    """Call `tick` at the end of each pass. Allocates nothing. Outputs stand until the next verdict."""

    def __init__(self, settings, outcomes):
        self.outcomes = outcomes
        self.evidence = Evidence(settings)
        # The latest verdict.
        self.serial = 0  # grows with every verdict and every change of one
        self.verdict = NOT_KNOWN
        self.sure = OPEN
        self.rule = 0  # index in blame.RULES
        self.code = 0  # its code
        self.facts = 0  # blame.E_ bits
        self.reasons = 0  # signs it was judged by
        self.faults = 0
        self.holds = 0
        # The pass before.
        self._session = UNPLUGGED
        self._reasons = 0
        self._ac = False
        self._wait = 0  # passes until the next closer look
        self._is_timed = False
        self._entered_ms = 0  # present session state, or _LONG_MS ago
        # The episode: a stop or a refusal from its first sign to the next charging or plug.
        self._due_ms = 0
        self._is_due = False  # signs are being gathered until then
        self._is_told = False
        self._is_refusal = False
        self._moment = 0  # momentary facts of when the signs were taken
        self._seen_reasons = 0  # while waiting, as they were since _seen_ms
        self._seen_ms = 0
        self._judged_facts = 0
        self._judged_faults = 0
        self._judged_reasons = 0
        # The rules, some a pass; a plug-in that is over is remembered with their answer.
        self.is_asking = False
        self._is_ending = False
        self._asked = 0  # that did not fit
        self._asked_at = 0  # where the next one begins
        self._told_verdict = NOT_KNOWN
        self._told_sure = OPEN
        # What the session will be remembered by.
        self._has_record = False
        self._is_of_record = False  # the present episode's verdict is it
        self._record_verdict = NOT_KNOWN
        self._record_code = 0
        self._record_group = 0
        self._record_sure = OPEN

    def tick(self, now_ms: int, r, c) -> None:
        """Look at one pass: `r` as sampled, `c` as decided."""
        session = c.session
        old = self._session
        if session != old:
            is_urgent = old == CHARGING or session == CHARGING or session == UNPLUGGED
        else:
            is_urgent = r.ac_present != self._ac and session != UNPLUGGED
        if self.is_asking:
            if not self._ask(is_urgent) or not is_urgent:
                return
        elif not is_urgent:
            if session != old or c.reasons != self._reasons:
                # Of the signs that are gathered behind a stop each counts, however short.
                self._wait = 1 if self._is_due else min(self._wait, _SOON)
            self._wait -= 1
            if self._wait > 0:
                return
        self._look(now_ms, r, c)

    def _look(self, now_ms: int, r, c) -> None:
        self._wait = _EVERY
        if not self._is_timed:
            self._is_timed = True
            self._entered_ms = now_ms
        elif ticks_diff(now_ms, self._entered_ms) > _LONG_MS:
            self._entered_ms = ticks_add(now_ms, -_LONG_MS)
        self._ac = r.ac_present
        session = c.session
        evidence = self.evidence
        has_gathered = session != self._session and self._moved(now_ms, r, c)
        if session == UNPLUGGED:
            evidence.look_at_empty(r)
        else:
            if not has_gathered:
                evidence.gather(now_ms, r, c)
            if evidence.is_learning:
                self._wait = 1
            elif session == CHARGING and evidence.mask & E_HAD_FLOW:
                self._wait = _SELDOM
            self._follow(now_ms, r, c)
        self._reasons = c.reasons

    def _moved(self, now_ms: int, r, c) -> bool:
        """Take a change of the session's state; tell whether the facts of this pass were gathered for it."""
        old = self._session
        new = c.session
        self._session = new
        was_ms = ticks_diff(now_ms, self._entered_ms)
        self._entered_ms = now_ms
        if new == UNPLUGGED:
            self._end_plug_in(r, was_ms if old == WAITING else 0)
            return False
        if old == UNPLUGGED:
            self._begin_plug_in(now_ms)
        if new == CHARGING:
            self._close_episode()
            self._judged_facts &= ~_OF_CLOSURE
            self.evidence.begin_charging(now_ms)
        elif old == CHARGING:
            self._close_episode()
            self._is_refusal = False
            self.reasons = self.faults = self.holds = 0
            self.evidence.gather(now_ms, r, c)
            self._take_signs(c)
            self._is_due = True
            self._due_ms = ticks_add(now_ms, _SETTLE_MS)
            self.evidence.look_at_mains(now_ms, r, self.reasons)
            return True
        elif new == RELEASED and old == WAITING and was_ms >= _GIVEN_UP_MS:
            self._give_up()
        return False

    def _begin_plug_in(self, now_ms: int) -> None:
        self.evidence.begin_plug_in(now_ms)
        self._has_record = False
        self._judged_facts = 0
        self._close_episode()
        self.reasons = self.faults = self.holds = 0

    def _close_episode(self) -> None:
        self._is_due = False
        self._is_told = False
        self._is_of_record = False
        self._told_verdict = NOT_KNOWN
        self._told_sure = OPEN

    def _end_plug_in(self, r, waited_ms: int) -> None:
        """The plug is out: say what only shows now, and remember the session."""
        if self._is_due or self._is_told:
            if r.pp_ok:
                self.evidence.mask |= E_GONE_WITH_PLUG
            self._judge()
        elif waited_ms >= _GIVEN_UP_MS:
            self._give_up()
        if self.is_asking:
            self._is_ending = True
        else:
            self._end()

    def _end(self) -> None:
        """All is known of a plug-in that is over."""
        self._is_ending = False
        self._remember()
        self._close_episode()
        self._has_record = False

    def _remember(self) -> None:
        is_good = not self._has_record or self._record_group == G_END
        if not is_good and self._record_verdict == PERSON and self.evidence.flowed_s >= _GOOD_S:
            is_good = True
        if is_good and self.evidence.flowed_s < _GOOD_S:
            return
        outcomes = self.outcomes
        outcomes.open_row()
        outcomes.set(O_VERDICT, GOOD if is_good else self._record_verdict)
        if not is_good:
            outcomes.set(O_CODE, self._record_code)
            outcomes.set(O_GROUP, self._record_group)
            outcomes.set(O_SURE, self._record_sure)
        evidence = self.evidence
        outcomes.set(O_PERIOD, evidence.period_x10())
        outcomes.set(O_LEVEL, evidence.level_mv())
        outcomes.set(O_PP, evidence.pp)
        outcomes.set(O_MINUTES, evidence.flowed_s // 60)
        outcomes.set(O_PEAK, evidence.peak_ma // 100)
        outcomes.revise()

    # Episodes ---------------------------------------------------------------

    def _follow(self, now_ms: int, r, c) -> None:
        """Begin, fill or judge an episode."""
        if self._is_due:
            if not self._is_refusal and not self.reasons & _CHOSEN:
                self._take_signs(c)
                self.evidence.look_at_mains(now_ms, r, self.reasons)
            if ticks_diff(now_ms, self._due_ms) >= 0:
                self.evidence.look_at_bolt(r)
                self._judge()
        elif c.session == CHARGING:
            if self.evidence.mask & _WHILE_CHARGING & ~self._judged_facts:
                self.reasons = self.faults = self.holds = 0
                self._is_refusal = False
                self._judge()
        elif self._is_told:
            self._follow_told(now_ms, c)
        elif c.session == WAITING:
            self._wait_on(now_ms, c)

    def _wait_on(self, now_ms: int, c) -> None:
        """Nothing is charged, and nothing has been said of it: give it time, and until a person gives up."""
        waited_ms = ticks_diff(now_ms, self._entered_ms)
        reasons = c.reasons & ~_PREPARING
        if reasons != self._seen_reasons:
            self._seen_reasons = reasons
            self._seen_ms = now_ms
        elif ticks_diff(now_ms, self._seen_ms) > _LONG_MS:
            self._seen_ms = ticks_add(now_ms, -_LONG_MS)
        # A plug on its way out changes the signs, too, for a moment: those before it are why it was pulled.
        has_settled = ticks_diff(now_ms, self._seen_ms) >= _SETTLE_MS
        if not self.reasons or (has_settled and not reasons & PERSON_STOP):
            self._replace_signs(c)
        if c.reasons & PERSON_STOP and waited_ms >= _GIVEN_UP_MS:
            self._give_up()
        elif waited_ms >= _STILL_LOCKING_MS or (waited_ms >= _REFUSED_MS and reasons):
            if not self.reasons & ~_PREPARING:
                self._replace_signs(c)
            self._is_refusal = True
            self._judge()

    def _follow_told(self, now_ms: int, c) -> None:
        """Judge anew where something has come to light since."""
        is_new = c.faults & ~self._judged_faults or (
            self._is_refusal
            and c.session == WAITING
            and not c.reasons & PERSON_STOP
            and c.reasons & ~_PREPARING != self._judged_reasons
        )
        if is_new:
            if self._told_verdict == PERSON or self._is_refusal:
                self._replace_signs(c)
                self._is_refusal = True
                self._is_due = True
                self._due_ms = now_ms
            self._judged_faults |= c.faults
        elif self.evidence.mask & (E_BUTTON_LONG | E_STAYS_EMPTY) & ~self._judged_facts:
            self._judge()

    def _take_signs(self, c) -> None:
        self._moment = self.evidence.mask & MOMENTARY
        self.reasons |= c.reasons
        self.faults |= c.faults
        self.holds |= c.holds

    def _replace_signs(self, c) -> None:
        self._moment = self.evidence.mask & MOMENTARY
        self.reasons = c.reasons
        self.faults = c.faults
        self.holds = c.holds

    def _give_up(self) -> None:
        """Nobody waits any longer: what stood before is what was refused."""
        if self._is_told or not self.reasons & ~_PREPARING:
            return
        self._is_refusal = True
        self._judge()

    def _judge(self) -> None:
        """Begin to ask the rules. Until one has answered nothing else is looked at, so that all are asked the same."""
        self._is_due = False
        self._judged_facts = self.evidence.mask & ~MOMENTARY | self._moment
        self._judged_faults = self.faults
        self._judged_reasons = self.reasons & ~_PREPARING
        self.is_asking = True
        self._asked = self._asked_at = 0

    def _ask(self, is_all: bool) -> bool:
        """Ask some rules, or all that are left; tell whether one fits. The last one fits always."""
        table = PACKED_RULES
        facts = self._judged_facts
        at = self._asked_at
        most = self._asked + _RULES_A_PASS
        while not self._fits(table, at + HEAD, at + table[at], facts):
            at += table[at]
            self._asked += 1
            if self._asked == most and not is_all:
                self._asked_at = at
                return False
        self.is_asking = False
        self._answer(at, self._asked)
        if self._is_ending:
            self._end()
        return True

    def _answer(self, at: int, n: int) -> None:
        """Take the answer of rule `n`, which begins at `at`, unless a surer one of this episode stands."""
        verdict = PACKED_RULES[at + 2] & 7
        sure = PACKED_RULES[at + 2] >> 3 & 3
        if self._is_told:
            # What outweighs it, or is surer, takes its place.
            if n == self.rule or (n > self.rule and sure <= self._told_sure):
                return
        self._is_told = True
        self._told_verdict = verdict
        self._told_sure = sure
        self.verdict = verdict
        self.sure = sure
        self.rule = n
        self.code = PACKED_RULES[at + 1]
        self.facts = self._judged_facts
        self.serial = (self.serial + 1) & 0x1FFFFFFF
        if (
            not self._has_record
            or self._is_of_record
            or self._record_verdict == PERSON
            or (verdict != PERSON and (sure > self._record_sure or self._record_group == G_END))
        ):
            self._has_record = True
            self._is_of_record = True
            self._record_verdict = verdict
            self._record_code = self.code
            self._record_group = PACKED_RULES[at + 2] >> 5
            self._record_sure = sure

    def _fits(self, table, k: int, end: int, facts: int) -> bool:
        """Tell whether the rule whose signs and facts are table[k:end] fits: one sign of each kind, each fact, none it excludes."""
        kind = -1
        is_met = True
        while k < end:
            of_kind = table[k] >> 5
            is_there = 1 << (table[k] & 31)
            k += 1
            if of_kind < K_FACT:
                if of_kind != kind:
                    if not is_met:
                        return False
                    kind = of_kind
                    is_met = False
                if kind == K_REASON:
                    is_there &= self.reasons
                elif kind == K_FAULT:
                    is_there &= self.faults
                else:
                    is_there &= self.holds
                if is_there:
                    is_met = True
            elif not is_met or (is_there & facts == 0) != (of_kind == K_NOT):
                return False
        return is_met
