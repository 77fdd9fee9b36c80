"""The connector lock: a pin that travels, its drive and its feedback.

What its drive must never see is noted in `violations`: lock_overrun (driven longer than 2 s in one go),
lock_reversal (bridge reversed in less than 50 ms), lock_live (released while more than 1 A flows).
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inletctl.plant.world import World

_HOLDS_PCT = 50.0  # engaged in the plug's recess from here on
_HALF_PLUG_PCT = 40.0  # a plug that is not fully in blocks the pin here
_SWITCH_PCT = 85.0
_OVERRUN_US = 2_000_000
_DEAD_TIME_US = 50_000
_LOAD_MA = 1000
_BROKEN_MV = 3300  # pull-up of the feedback
_FAULT_MV = {"open": _BROKEN_MV, "short": 0}


class Lock:
    """Travel in %, 0 unlocked, 100 locked; driven by `drive`, moved by `run`. Verbs are in verbs.VERBS."""

    def __init__(self, world: "World"):
        self._world = world
        config = world.config
        self.travel_pct = float(config.lock_start_pct)
        self.drive_told = 0  # -1, 0, 1 at the bridge
        self.motor_ma = 0
        self.has_feedback = config.lock_feedback != "none"
        self.feedback_mv = 0
        self.longest_drive_us = 0
        self.driven_us = 0  # in all
        self.violations: list[str] = []
        self._motor = "ok"
        self._jam_pct = 0.0
        self._ice_left = 0
        self._thaws_at_c = 0.0
        self._pct_per_us = 0.1 / config.lock_travel_ms
        self._slow = 1.0
        self._feedback = "ok"
        self._run_us = 0  # moved up to
        self._since_us = 0  # of the present drive
        self._last_drive = 0  # before the bridge was last off
        self._off_us = -_DEAD_TIME_US
        # A switch closes to ground when locked; an analog feedback never reads like a broken wire (Vector).
        is_switch = config.lock_feedback == "switch"
        mv = config.lock_unlocked_mv, config.lock_locked_mv
        usual = (_BROKEN_MV, 20) if is_switch else (580, 2860)
        self._end_mv = [usual[n] if mv[n] is None else mv[n] for n in (0, 1)]
        self._tell()

    @property
    def holds(self) -> bool:
        """Whether the pin holds a plug that is fully in."""
        return self.travel_pct >= _HOLDS_PCT

    def drive(self, told: int) -> None:
        """The bridge changes: towards locked (1), unlocked (-1) or off (0)."""
        now_us = self._world.t_us
        self.run(now_us)
        if self.drive_told:
            self._last_drive, self._off_us = self.drive_told, now_us
        if told and self._last_drive == -told and now_us - self._off_us < _DEAD_TIME_US:
            self._violation("lock_reversal: bridge reversed without dead time")
        if told:
            self._since_us = now_us
            if self._motor == "ice":
                self._ice_left -= 1
                if not self._ice_left:
                    self._motor = "ok"
                    self._world.event("lock: the ice breaks")
        self.drive_told = told
        self._world.event(f"lock: bridge {('off', 'towards locked', 'towards unlocked')[told]}")
        self._tell()

    def run(self, now_us: int) -> None:
        """Move up to `now_us`. Called by the world while driven."""
        elapsed_us = now_us - self._run_us
        self._run_us = now_us
        told = self.drive_told
        if not told:
            return
        self.driven_us += elapsed_us
        driven_us = now_us - self._since_us
        if driven_us > self.longest_drive_us:
            if driven_us > _OVERRUN_US >= driven_us - elapsed_us:
                self._violation("lock_overrun: driven longer than 2 s")
            self.longest_drive_us = driven_us
        held = self.holds
        if self._motor == "frozen" and self._world.contacts.c[0] >= self._thaws_at_c:
            self._motor = "ok"
            self._world.event("lock: thaws")
        if self._motor not in ("dead", "ice", "frozen"):
            step = elapsed_us * self._pct_per_us / self._slow
            way = -told if self._motor == "reversed" else told
            if way > 0:
                self.travel_pct = min(
                    self.travel_pct + step, max(self._end_pct(), self.travel_pct)
                )
            else:
                self.travel_pct = max(self.travel_pct - step, 0.0)
        if held != self.holds:
            self._passed(is_driven=True)
        self._tell()

    def _end_pct(self) -> float:
        end = self._jam_pct if self._motor == "jam" else 100.0
        return min(end, _HALF_PLUG_PCT) if self._world.person.half_plugged else end

    def _passed(self, is_driven: bool) -> None:
        """The pin went past the point from which it holds: the motor moved it, or it slipped, whatever the motor did."""
        world = self._world
        world.event("lock: holds" if self.holds else "lock: lets go")
        if not self.holds:
            load_ma = world.charger.load_ma()
            if load_ma > _LOAD_MA and is_driven:
                self._violation(f"lock_live: released at {load_ma / 1000:.1f} A")
            if is_driven:
                world.safety.lock_let_go()
            world.person.lock_moved()

    def _place(self, pct: float, text: str) -> None:
        self.run(self._world.t_us)
        self._world.event(f"lock: {text}")
        held = self.holds
        self.travel_pct = pct
        if held != self.holds:
            self._passed(is_driven=False)
        self._tell()

    def _tell(self) -> None:
        """Refresh what is measured."""
        config = self._world.config
        if self._feedback in _FAULT_MV:
            self.feedback_mv = _FAULT_MV[self._feedback]
        elif self._feedback != "stuck":
            part = self.travel_pct / 100
            if config.lock_feedback == "switch":
                part = float(self.travel_pct >= _SWITCH_PCT)
            unlocked_mv, locked_mv = self._end_mv
            self.feedback_mv = round(unlocked_mv + part * (locked_mv - unlocked_mv))
        self.motor_ma = 0
        if self.drive_told and self._motor != "dead":
            stalls = config.lock_kind == "motor" and self._is_against_stop()
            self.motor_ma = round(config.lock_stall_ma if stalls else config.lock_run_ma)

    def _is_against_stop(self) -> bool:
        if self._motor in ("ice", "frozen"):
            return True
        way = -self.drive_told if self._motor == "reversed" else self.drive_told
        return self.travel_pct >= self._end_pct() if way > 0 else self.travel_pct <= 0

    def _violation(self, text: str) -> None:
        self.violations.append(f"{text} at {self._world.t_us / 1e6:.3f} s")
        self._world.violation(f"lock {text}")

    # Verbs ------------------------------------------------------------------

    def motor(
        self, state: str, at: float, breaks_after: int, factor: float, thaws_at: float
    ) -> None:
        """Drive ok, or broken in one of the ways of the verb."""
        self.run(self._world.t_us)
        self._motor = state
        self._jam_pct = at
        self._ice_left = int(breaks_after)
        self._slow = factor if state == "slow" else 1.0
        self._thaws_at_c = thaws_at
        self._tell()

    def feedback(self, state: str) -> None:
        """Feedback ok, dead, open, short or stuck."""
        self._feedback = state
        self.has_feedback = self._world.config.lock_feedback != "none" and state != "dead"
        self._tell()

    def slip(self, to: float) -> None:
        """The pin moves to `to` without being driven."""
        self._place(to, "slips")

    def manual_release(self) -> None:
        """The emergency release is pulled."""
        self._place(0.0, "manual release")
