"""The facts of one plug-in that a verdict asks for, as bits (journal.blame EVIDENCE), and what the station shows of itself.

Looks at signals.Readings and signals.Commands whenever it is asked to; times in ms, the rest in the units of the
signals. Judges nothing. Allocates nothing after construction.
"""

from micropython import const

from faults import NO_PLUG, PILOT_E, PILOT_F, PILOT_LOST, PP_BUTTON, PP_INVALID
from journal.blame import (
    E_BOLT_BETWEEN,
    E_BOLT_OPEN,
    E_BUTTON_LONG,
    E_COLD,
    E_CP_UNMEASURED,
    E_FLOWED_LONG,
    E_HAD_FLOW,
    E_HAD_PWM,
    E_HIDDEN_PWM,
    E_L_CABLE,
    E_L_CHOICE,
    E_L_PILOT,
    E_L_TEMPERATURE,
    E_L_VEHICLE,
    E_LOCK_TRIES,
    E_LOW_WRONG,
    E_MAINS,
    E_MAINS_EARLY,
    E_MAINS_EMPTY,
    E_MAINS_FIRST,
    E_MAINS_SENSED,
    E_NO_FLOW,
    E_OVERDRAW,
    E_OWN_LOAD_GONE,
    E_PILOT_ALIVE,
    E_PP_AT_RAIL,
    E_PP_EMPTY_GOOD,
    E_SLOWED,
    E_STAYS_EMPTY,
)
from ticks import ticks_diff

# As in interlock.SESSION_NAMES, pilot.control.PILOT_STATE_NAMES and lock.actuator.LOCK_STATE_NAMES; a test compares.
CHARGING = const(2)
RELEASED = const(5)
B1 = const(1)
B2 = const(2)
C2 = const(4)
D2 = const(6)
LOCK_WAIT = const(4)
LOCKING = const(5)
REOPEN_WAIT = const(17)
# As in limits.LIMITER_NAMES: the fact of each.
LIMIT_FACTS = (
    0, E_L_PILOT, E_L_CABLE, E_L_TEMPERATURE, E_L_CHOICE, E_L_VEHICLE, 0, E_L_CHOICE, E_L_CHOICE,
)  # fmt: skip
_LIMITS = E_L_CABLE | E_L_TEMPERATURE | E_L_CHOICE | E_L_VEHICLE | E_L_PILOT
# Facts of the present moment, which go with the signs of the same moment; the others stay for the plug-in, or until S2
# closes anew.
MOMENTARY = _LIMITS | E_PILOT_ALIVE | E_PP_AT_RAIL | E_COLD | E_OWN_LOAD_GONE
_OF_CLOSURE = E_MAINS | E_NO_FLOW | E_OVERDRAW | E_MAINS_FIRST | E_SLOWED
_DEAD = PILOT_E | PILOT_F | PILOT_LOST

# A charger begins within seconds of mains (plant, and J1772: 3 s for the contactor); so long is no start any more.
NO_FLOW_MS = const(20000)
_GONE_MS = const(2000)  # mains that is back sooner has blinked
_OVER_MS = const(2000)
_OVER_MA = const(1500)
_FLOW_MA = const(1000)  # release.NO_CURRENT_MA
# Heat takes a quarter and more of the offer for so long: past the minute in which a charger finds its current.
_SLOWED_MS = const(60000)
_BUTTON_MS = const(30000)  # no hand presses for so long
_SAME_MOMENT_MS = const(20)  # two passes
FLOWED_LONG_S = const(600)
_COLD_DECIC = const(50)  # facts: a port below 5 degrees C may freeze
# 12 V with the inlet's own load missing, half-way to state B (IEC 61851-1 Tab A.2: 9 V).
_NO_LOAD_MV = const(10500)
_HIGH_MIN_MV = const(2000)  # below every state with a station
_LOW_MAX_MV = const(-8000)  # pilot.control: low half of PWM
# A loaded state F: the diode keeps the load off a good one, which is -11.4 V, 0.7 V of ground offset apart.
_STEADY_LOW_MIN_MV = const(-10000)
_STEADY_LOW_MAX_MV = const(-2500)
# Without an edge for so long the levels are no PWM's: the slowest one that counts (500 Hz) has an edge each 2 ms.
_QUIET_MS = const(50)
_SILENT_MS = const(100)
# Noise is never the same twice: four looks alike, a good quarter of a second where nothing else changes.
_ODD_LOOKS = const(3)
_ODD_MV = const(400)
_EMPTY_OFF = const(30)  # per mille of the PP rail: 5 % resistors and a rail 1 % off
_LEVEL_MEAN = const(8)
_PERIOD_MEAN = const(8)
# A station's periods lie closer together than that (0.4 us of jitter, 0.1 of the capture), its levels too; what does not
# was disturbed, and the mean begins anew.
_PERIOD_APART = const(20)
_PERIOD_MOST = const(30000)  # 333 Hz: a pause and not a period; keeps the sums small
_LEVEL_APART_MV = const(400)
# What one look may stand for: 128 passes.
_LONGEST_MS = const(2000)
_LOCKED_MIN_MV = const(2500)  # Vector: locked from 2510 mV on


class Evidence:
    """See the module. `gather` whenever something changed, and else every 80 ms or so while a plug is in (1.3 s while current flows)."""

    def __init__(self, settings):
        has_window = settings.lock_feedback == 2  # analog: tells open from between
        self._open_min_mv = settings.lock_unlocked_min_mv if has_window else 1
        self._open_max_mv = settings.lock_unlocked_max_mv if has_window else 0
        pulldown_ohm = settings.pp_pulldown_ohm
        # Per mille of the rail between the inlet's own pull-down and nothing at all; 100000 * 1000 at most.
        empty = pulldown_ohm * 1000 // (pulldown_ohm + settings.pp_pullup_ohm)
        self._rail_per_mille = (1000 + empty) // 2 if pulldown_ohm else 1001
        self._empty_per_mille = empty if pulldown_ohm else 1000
        self.mask = 0  # blame.E_ bits
        self.flowed_s = 0  # current flowed for so long in this plug-in, 0..60000
        self.peak_ma = 0
        self.pp = 0  # per mille of its rail with the plug in; 0: not seen
        self._empty = 0  # facts seen while nothing was plugged in
        self._ac = False
        self._mains_ms = 0  # mains last changed
        self._flow_ms = 0  # current last flowed, or could first have
        self._over_ms = 0  # last not over
        self._full_ms = 0  # last not slowed by heat
        self._button_ms = 0  # last not pressed
        self._last_ms = 0
        self._flowed_ms = 0  # below a second
        self._period_sum = 0
        self._period_count = 0
        self._level_sum = 0
        self._level_count = 0
        self._odd = 0  # fact of a level that cannot be, of the look before
        self._odd_mv = 0  # and its level
        self._odd_looks = 0  # that looked alike
        self.is_learning = (
            False  # wants every pass: the station shows itself for a short time only
        )
        self._was_let_go = False  # the lock was open in this plug-in, with a pilot
        self._was_locking = False  # at the look before

    def begin_plug_in(self, now_ms: int) -> None:
        """A plug: forget the one before."""
        self.mask = self._empty
        self._empty = 0
        self._flowed_ms = self.flowed_s = self.peak_ma = 0
        self._period_sum = self._period_count = self._level_sum = self._level_count = 0
        self.pp = 0
        self._was_let_go = self._was_locking = False
        self._button_ms = self._last_ms = now_ms

    def begin_charging(self, now_ms: int) -> None:
        """S2 closes: mains and current are asked for anew."""
        self._flow_ms = self._over_ms = self._full_ms = now_ms
        self.mask &= ~_OF_CLOSURE

    def period_x10(self) -> int:
        """Return the station's mean period, 0.1 us; 0: not seen."""
        return self._period_sum // self._period_count if self._period_count >= _PERIOD_MEAN else 0

    def level_mv(self) -> int:
        """Return the mean level of state B; 0: not seen."""
        return max(self._level_sum // _LEVEL_MEAN, 0) if self._level_count >= _LEVEL_MEAN else 0

    def look_at_empty(self, r) -> None:
        """Note what the inlet reads with nothing in it: its own wiring, and mains that cannot be.

        A plug on its way in reads otherwise for a moment before it counts as one.
        """
        if r.pp_ok and r.pp_rail_mv > 0:
            # 5500 * 1000
            off = r.pp_mv * 1000 // r.pp_rail_mv - self._empty_per_mille
            if -_EMPTY_OFF <= off <= _EMPTY_OFF:
                self._empty = E_PP_EMPTY_GOOD
                if r.ac_ok and r.ac_present:
                    self._empty = E_PP_EMPTY_GOOD | E_MAINS_EMPTY

    def gather(self, now_ms: int, r, c) -> None:
        """Bring the facts of the plug-in up to this pass."""
        facts = self.mask & ~MOMENTARY
        state = c.pilot_state
        is_alive = B1 <= state <= D2
        if is_alive:
            facts |= E_PILOT_ALIVE
        if c.offered_ma:
            facts |= E_HAD_PWM
        facts |= LIMIT_FACTS[c.limiter]
        if c.hottest_ok and c.hottest_decic < _COLD_DECIC:
            facts |= E_COLD
        # A drive lasts some looks, and the wait behind one that failed more than that.
        lock_state = c.lock_state
        if self._was_locking and (lock_state == LOCK_WAIT or lock_state == REOPEN_WAIT):
            facts |= E_LOCK_TRIES
        self._was_locking = lock_state == LOCKING
        self.mask = facts
        if r.ac_ok and r.ac_present != self._ac:
            self._ac = r.ac_present
            self._mains_ms = now_ms
        self._look_at_pilot(r, c)
        self._look_at_proximity(now_ms, r, c, is_alive)
        if r.ac_ok:
            self._look_at_ac(now_ms, r, c)
        if c.s2_close and c.session == CHARGING:
            self._look_at_current(now_ms, r, c)
        if is_alive and state <= C2:
            self._look_at_station(r, state <= B2)
        else:
            self.is_learning = False
        self._last_ms = now_ms

    def _look_at_pilot(self, r, c) -> None:
        """Note levels that a pilot, with its edges counted or not, cannot have where the inlet's own part is well."""
        high_mv = r.cp_high_mv
        low_mv = r.cp_low_mv
        fact = 0
        if not r.cp_ok:
            fact = E_CP_UNMEASURED
        elif high_mv >= _NO_LOAD_MV:
            fact = E_OWN_LOAD_GONE
        elif high_mv > _HIGH_MIN_MV:
            if r.pilot_count > 0 and c.offered_ma:
                if 0 > r.cp_low_mv > _LOW_MAX_MV:
                    fact = E_LOW_WRONG
            elif r.pilot_quiet_ms >= _SILENT_MS and r.cp_low_mv <= _LOW_MAX_MV:
                fact = E_HIDDEN_PWM
        elif _STEADY_LOW_MIN_MV < high_mv < _STEADY_LOW_MAX_MV and r.pilot_quiet_ms >= _QUIET_MS:
            fact = E_LOW_WRONG
            low_mv = high_mv
        if fact != self._odd or not -_ODD_MV < low_mv - self._odd_mv < _ODD_MV:
            self._odd = fact
            self._odd_mv = low_mv
            self._odd_looks = 0
        if self._odd_looks < _ODD_LOOKS:
            self._odd_looks += 1
        else:
            self.mask |= fact

    def _look_at_proximity(self, now_ms: int, r, c, is_alive: bool) -> None:
        reasons = c.reasons
        if not reasons & PP_BUTTON:
            self._button_ms = now_ms
        elif ticks_diff(now_ms, self._button_ms) >= _BUTTON_MS:
            self.mask |= E_BUTTON_LONG
        if not r.pp_ok or r.pp_rail_mv <= 0:
            return
        per_mille = r.pp_mv * 1000 // r.pp_rail_mv
        if per_mille >= self._rail_per_mille:
            self.mask |= E_PP_AT_RAIL
        is_wrong = reasons & PP_INVALID
        # A plug on its way out reads as none before it counts as pulled.
        if not is_wrong and not reasons & (NO_PLUG | PP_BUTTON):
            if per_mille < self._empty_per_mille - 2 * _EMPTY_OFF:
                self.pp = per_mille
        # A plug that goes once the lock has let go was pulled.
        if is_alive and c.session == RELEASED:
            self._was_let_go = True
        elif self._was_let_go and is_wrong and not is_alive:
            self.mask |= E_STAYS_EMPTY

    def _look_at_ac(self, now_ms: int, r, c) -> None:
        """Note mains, and whether it came because S2 closed. Only where it is measured."""
        facts = self.mask | E_MAINS_SENSED
        is_asked = c.s2_close and c.session == CHARGING
        if not r.ac_present:
            if is_asked and ticks_diff(now_ms, self._mains_ms) >= _GONE_MS:
                facts &= ~E_MAINS
        elif is_asked:
            facts |= E_MAINS
        elif not facts & (E_HAD_FLOW | E_MAINS):
            facts |= E_MAINS_EARLY
        self.mask = facts

    def _look_at_current(self, now_ms: int, r, c) -> None:
        """Note current, and what is drawn beyond the permission, while S2 is closed."""
        facts = self.mask
        if r.charger_ma >= _FLOW_MA or not c.charger_ma or not r.charger_ok:
            self._flow_ms = now_ms
            facts &= ~E_NO_FLOW
        elif ticks_diff(now_ms, self._flow_ms) >= NO_FLOW_MS:
            facts |= E_NO_FLOW
        if r.charger_ok and r.charger_ma >= _FLOW_MA:
            facts |= E_HAD_FLOW
            self.peak_ma = max(self.peak_ma, r.charger_ma)
            self._flowed_ms += max(0, min(ticks_diff(now_ms, self._last_ms), _LONGEST_MS))
            while self._flowed_ms >= 1000:
                self._flowed_ms -= 1000
                if self.flowed_s < 60000:
                    self.flowed_s += 1
            if self.flowed_s >= FLOWED_LONG_S:
                facts |= E_FLOWED_LONG
        if not r.charger_ok or r.charger_ma <= c.charger_ma + _OVER_MA:
            self._over_ms = now_ms
        elif ticks_diff(now_ms, self._over_ms) >= _OVER_MS:
            facts |= E_OVERDRAW
        self.mask = facts
        self._look_at_heat(now_ms, c)

    def _look_at_heat(self, now_ms: int, c) -> None:
        """Note that heat takes much of the current."""
        # 80000 * 4
        if not self.mask & E_L_TEMPERATURE or c.permitted_ma * 4 > c.offered_ma * 3:
            self._full_ms = now_ms
        elif ticks_diff(now_ms, self._full_ms) >= _SLOWED_MS:
            self.mask |= E_SLOWED

    def _look_at_station(self, r, is_b: bool) -> None:
        """Add to the fingerprint: sums of at most 8 periods of 21000 and 8 levels of 15000, each near the mean so far."""
        if r.pilot_count > 0 and self._period_count < _PERIOD_MEAN:
            period = r.pilot_period_us_x10[0]
            off = period * self._period_count - self._period_sum
            if abs(off) > _PERIOD_APART * self._period_count:
                self._period_sum = self._period_count = 0
            if period < _PERIOD_MOST:
                self._period_sum += period
                self._period_count += 1
        if is_b and r.cp_ok and self._level_count < _LEVEL_MEAN:
            off = r.cp_high_mv * self._level_count - self._level_sum
            if abs(off) > _LEVEL_APART_MV * self._level_count:
                self._level_sum = self._level_count = 0
            self._level_sum += r.cp_high_mv
            self._level_count += 1
        self.is_learning = is_b and self._level_count < _LEVEL_MEAN

    def look_at_mains(self, now_ms: int, r, reasons: int) -> None:
        """Note whether mains went with the pilot: a station without power. `pilot_quiet_ms` is since its last edge."""
        if (
            r.ac_ok
            and not r.ac_present
            and self.mask & E_MAINS
            and reasons & _DEAD
            and r.pilot_quiet_ms >= _SAME_MOMENT_MS
            and ticks_diff(now_ms, self._mains_ms) >= r.pilot_quiet_ms - _SAME_MOMENT_MS
        ):
            self.mask |= E_MAINS_FIRST

    def look_at_bolt(self, r) -> None:
        """Note where the bolt reads to be, where its feedback tells that."""
        if self._open_min_mv > self._open_max_mv or not r.lock_feedback_ok:
            return
        self.mask &= ~(E_BOLT_OPEN | E_BOLT_BETWEEN)
        if self._open_min_mv <= r.lock_feedback_mv <= self._open_max_mv:
            self.mask |= E_BOLT_OPEN
        elif r.lock_feedback_mv > self._open_max_mv and r.lock_feedback_mv < _LOCKED_MIN_MV:
            self.mask |= E_BOLT_BETWEEN
