"""The control pilot as a whole: state A..F, offered current, and why it does not allow charging.

Edges say whether there is PWM, levels say the letter, proximity tells an unplugged inlet (A) from a dead pilot
(E): both are 0 V. IEC 61851-1:2017 Annex A. The vehicle sets B, C and D itself, so their levels are also a check
of S2.
"""

from micropython import const

from faults import (
    F_CP_SENSE,
    F_PILOT_FAULT,
    F_PILOT_FREQUENCY,
    F_PILOT_NOISE,
    F_S2_STUCK_CLOSED,
    F_S2_STUCK_OPEN,
    PILOT_DIGITAL,
    PILOT_DUTY,
    PILOT_E,
    PILOT_F,
    PILOT_FREQUENCY,
    PILOT_INVALID,
    PILOT_LOST,
    PILOT_STEADY,
)
from pilot.capture import GOOD, QUIET, PilotCapture
from pilot.duty import BAND_DIGITAL, DutyBand
from pilot.level import (
    LEVEL_A,
    LEVEL_B,
    LEVEL_C,
    LEVEL_D,
    LEVEL_E,
    LEVEL_F,
    LEVEL_NONE,
    keep_or_move,
)
from ticks import ticks_diff

STATE_A = const(0)
STATE_B1 = const(1)
STATE_B2 = const(2)
STATE_C1 = const(3)
STATE_C2 = const(4)
STATE_D1 = const(5)
STATE_D2 = const(6)
STATE_E = const(7)
STATE_F = const(8)
STATE_UNKNOWN = const(9)
PILOT_STATE_NAMES = ("A", "B1", "B2", "C1", "C2", "D1", "D2", "E", "F", "?")

# State without PWM and with PWM, by level. Level A at a plugged vehicle means that its own load is missing; PWM
# with a high level of 0 V or less cannot be.
_WITHOUT_PWM = (STATE_UNKNOWN, STATE_B1, STATE_C1, STATE_D1, STATE_E, STATE_F, STATE_UNKNOWN)
_WITH_PWM = (
    STATE_UNKNOWN,
    STATE_B2,
    STATE_C2,
    STATE_D2,
    STATE_UNKNOWN,
    STATE_UNKNOWN,
    STATE_UNKNOWN,
)

_REASON_WITHOUT_PWM = (
    PILOT_LOST,
    PILOT_STEADY,
    PILOT_STEADY,
    PILOT_STEADY,
    PILOT_E,
    PILOT_F,
    PILOT_LOST,
)

# A new level counts when two passes in a row show it.
_LEVEL_PASSES = const(2)
# The same unbelievable level, or none measured, for this many passes is a fault.
_SENSE_PASSES = const(10)
# S2, wiring and ADC settle long before; IEC 61851-1 Tab A.4 note lets the EVSE average as long.
_S2_CHECK_MS = const(500)
# A higher offer must stand this long; a lower one counts at once.
_RAISE_PASSES = const(10)
# A rise smaller than this may be jitter: it must stand for a second, or the command would dither.
_RAISE_MIN_MA = const(150)
_SMALL_RAISE_PASSES = const(100)
# A duty that allows no current is doubt (no current) from the first pass on. Each such pass adds 3, each other good
# pass pays 1 back; 21 is proof. Contactor noise can make six whole passes in 25 read 0 % or 100 % (facts: 6 bad
# samples in 250 ms), which stays below; a duty that flickers for ever does not.
_REFUSED = const(3)
_REFUSE_PROOF = const(21)
# Likewise for a level that is not the one in force: 2 a pass, so that one that never settles is a fault too.
_ODD_LEVEL = const(2)
_ODD_PROOF = const(20)
_ODD_CLEAR = const(6)
# With PWM the low level is -12 V (-11.4 at the generator, 0.7 V of ground offset); a capture that has frozen, or a
# shorted diode, shows itself here.
_LOW_MAX_MV = const(-8000)
# So many passes with an impossible level are doubt, long before they are a fault.
_DOUBT_PASSES = const(3)
# State E or F under edges that are no PWM: one more than the six bad passes that contactor noise may make. The
# command is 0 by doubt meanwhile.
_GLITCH_PASSES = const(7)


class ControlPilot:
    """Call `tick` once a pass, after the proximity. Allocates nothing."""

    def __init__(self, family: int):
        self.capture = PilotCapture()
        self.duty = DutyBand(family)
        self.state = STATE_UNKNOWN  # STATE_ constant
        self.level = LEVEL_NONE  # level in force
        self.has_pwm = False  # PWM seen long enough to be believed; held through noise
        self.offered_ma = 0  # what the pilot offers; 0 without PWM
        self.in_doubt = False  # a duty without current is seen, not yet proven: command 0
        self.reasons = PILOT_LOST  # mask of faults.PILOT_ reasons
        self.faults = 0  # mask of faults.F_ bits, present now (not latched)
        self._new_level = LEVEL_NONE
        self._new_level_passes = 0
        self._bad_level_passes = 0
        self._raise_passes = 0
        self._raise_ma = 0
        self._refuse_score = 0
        self._odd_score = 0  # level readings other than the level in force
        self._is_odd = False
        self._is_low_bad = False  # the low level of this pass is not that of PWM
        self._refusal = PILOT_DUTY  # why a proven duty allows no current
        self._s2_wrong = 0  # S2 fault that the level speaks for
        self._s2_since_ms = 0  # since when
        self._s2_proven = False  # for long enough
        self._in_session = False

    def tick(self, now_ms: int, readings, is_plugged: bool, s2_closed: bool) -> None:
        """Judge one pass. `s2_closed` is what S2 was told in the pass before."""
        capture = self.capture
        capture.tick(
            readings.pilot_count,
            readings.pilot_high_us_x10,
            readings.pilot_period_us_x10,
            readings.pilot_quiet_ms,
        )
        self._follow_level(readings)
        if capture.kind == GOOD:
            self._follow_duty(capture.duty_pct_x100)
        elif capture.kind == QUIET or capture.is_noisy or capture.is_odd_frequency:
            if self.duty.index >= 0:
                self._forget_duty()
        self._judge(now_ms, is_plugged, s2_closed)
        self.in_doubt = 0 < self._refuse_score < _REFUSE_PROOF or (
            self.has_pwm and (self.level > LEVEL_D or self._bad_level_passes >= _DOUBT_PASSES)
        )

    def _forget_duty(self) -> None:
        self.has_pwm = False
        self.duty.forget()
        self.offered_ma = 0
        self._raise_passes = 0
        self._refuse_score = 0

    def _follow_level(self, readings) -> None:
        if readings.cp_ok:
            cp_mv = readings.cp_high_mv
            level = keep_or_move(self.level, cp_mv)
        else:
            level = LEVEL_NONE
        self._is_low_bad = readings.cp_ok and readings.cp_low_mv > _LOW_MAX_MV
        if level == self.level:
            self._new_level_passes = 0
            if self._odd_score:
                self._odd_score -= 1
                if self._odd_score <= _ODD_CLEAR:
                    self._is_odd = False
            return
        self._odd_score = min(self._odd_score + _ODD_LEVEL, _ODD_PROOF)
        if self._odd_score >= _ODD_PROOF:
            self._is_odd = True
        if level == self._new_level:
            self._new_level_passes += 1
            if self._new_level_passes >= _LEVEL_PASSES:
                self.level = level
                self._new_level_passes = 0
        else:
            self._new_level = level
            self._new_level_passes = 1

    def _follow_duty(self, duty_pct_x100: int) -> None:
        band = self.duty
        band.tick(duty_pct_x100)
        ma = band.ma
        if ma == 0:
            self._raise_passes = 0
            self._refuse_score = min(self._refuse_score + _REFUSED, _REFUSE_PROOF)
            if self._refuse_score >= _REFUSE_PROOF:
                self.offered_ma = 0
                self.has_pwm = True
                self._refusal = PILOT_DIGITAL if band.band == BAND_DIGITAL else PILOT_DUTY
            return
        if self._refuse_score:
            self._refuse_score = 0 if self.offered_ma == 0 else self._refuse_score - 1
        if ma <= self.offered_ma:
            self.offered_ma = ma
            self._raise_passes = 0
            return
        if self._raise_passes == 0 or ma < self._raise_ma:
            self._raise_ma = ma
        self._raise_passes += 1
        small = self.offered_ma and ma - self.offered_ma < _RAISE_MIN_MA
        if self._raise_passes >= (_SMALL_RAISE_PASSES if small else _RAISE_PASSES):
            self.offered_ma = self._raise_ma
            self._raise_passes = 0
            self.has_pwm = True

    def _judge(self, now_ms: int, is_plugged: bool, s2_closed: bool) -> None:
        """Tell state, reasons and faults of this pass."""
        reasons = self._name_state(is_plugged)
        faults = self._check_s2(now_ms, s2_closed)
        if self._bad_level_passes >= _SENSE_PASSES or self._is_odd:
            faults |= F_CP_SENSE
            reasons |= PILOT_INVALID
        if self.capture.is_noisy:
            faults |= F_PILOT_NOISE
            reasons |= PILOT_INVALID
        if self.capture.is_odd_frequency:
            faults |= F_PILOT_FREQUENCY
            reasons |= PILOT_FREQUENCY
        # E, F or loss is a fault only where a session was under way: in B it may be a wake-up (IEC 61851-1 A.6).
        # It stays until a level is back or the plug is out.
        if s2_closed:
            self._in_session = True
        is_dead = reasons & (PILOT_E | PILOT_F | PILOT_LOST)
        if is_dead and self._in_session:
            faults |= F_PILOT_FAULT
        if not (s2_closed or (is_dead and is_plugged)):
            self._in_session = False
        self.faults = faults
        self.reasons = reasons

    def _name_state(self, is_plugged: bool) -> int:
        """Name the state, count passes whose level cannot be, and return the reasons of this state."""
        level = self.level
        reasons = 0
        # Edges of a refused duty on a dead or negative level are glitches on E or F, not PWM.
        is_dead = level == LEVEL_E or level == LEVEL_F
        if self.has_pwm and (self.offered_ma or not is_dead):
            self.state = _WITH_PWM[level]
            is_level_bad = level > LEVEL_D or self._is_low_bad
            if self.offered_ma == 0:
                reasons = self._refusal
            if is_dead and is_plugged and self._bad_level_passes >= _GLITCH_PASSES:
                if self.capture.kind != GOOD:
                    # E or F, whatever glitches say.
                    reasons |= _REASON_WITHOUT_PWM[level]
        else:
            # Silence, or edges not believed yet: the level alone speaks.
            self.state = _WITHOUT_PWM[level]
            is_level_bad = level == LEVEL_NONE
            reasons = _REASON_WITHOUT_PWM[level]
            if level == LEVEL_E and not is_plugged:
                self.state = STATE_A
                reasons = PILOT_LOST
        # D is never asked for by this inlet; A while plugged means its own load is missing.
        if is_level_bad or (is_plugged and (level == LEVEL_A or level == LEVEL_D)):
            if self._bad_level_passes < _SENSE_PASSES:
                self._bad_level_passes += 1
        else:
            self._bad_level_passes = 0
        return reasons

    def _check_s2(self, now_ms: int, s2_closed: bool) -> int:
        """Return the S2 fault that the level has spoken for long enough, else 0."""
        wrong = 0
        if s2_closed:
            if self.level == LEVEL_B:
                wrong = F_S2_STUCK_OPEN
        elif self.level == LEVEL_C:
            wrong = F_S2_STUCK_CLOSED
        if wrong != self._s2_wrong:
            self._s2_wrong = wrong
            self._s2_since_ms = now_ms
            self._s2_proven = False
        if wrong and not self._s2_proven:
            # Kept once proven: ticks_diff is good for six days only.
            self._s2_proven = ticks_diff(now_ms, self._s2_since_ms) >= _S2_CHECK_MS
        return wrong if self._s2_proven else 0
