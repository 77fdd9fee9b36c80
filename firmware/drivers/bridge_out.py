"""The lock's H-bridge, DRV887x in PH/EN mode: direction pin, wake pin, enable carried by the dead-man's PWM.

Holds whatever the logic says: no drive without a break is longer than 2 s, and the share of on-time stays below what
the actuator survives. Either needs a command of 0 to clear. The direction changes only while the bridge is off. The
dead-man drops the enable by itself when the loop stops; the wake pin is a second way to switch off.
"""

from micropython import const

from ticks import ticks_diff

# Facts, section 7: 2 s is the hard cap in the field, 3 s burns the motor.
_ON_MAX_MS = const(2000)
# On-time counts eightfold and all time pays back: at most an eighth in the long run (HAR: pause 8 times the on-time).
# The logic's own budget, 7.2 s in any 60 s, adds at most 7 * 7.2 s = 50.4 s; 60 s are never reached by it.
_SHARE = const(8)
_HEAT_MAX_MS = const(60000)
# Cool again, after a stop by share, at half of it.
_HEAT_COOL_MS = const(30000)
_DT_MAX_MS = const(
    7000
)  # longest time between two passes that is counted; eightfold it still fills the budget

STOP_NONE = const(0)
STOP_LONG = const(1)  # on without a break for too long
STOP_SHARE = const(2)  # on for too large a share of the time
STOP_NAMES = ("none", "2 s", "share")


class BridgeOut:
    """
    Call `drive` once a pass. Allocates nothing.

    direction, wake     OutputLine: set(bool), release()
    dead_man            feed(bool) each pass, release()
    """

    def __init__(self, direction, wake, dead_man):
        self._direction = direction
        self._wake = wake
        self._dead_man = dead_man
        self.driven = 0  # what the bridge does now: 1 towards locked, -1 towards unlocked, 0 off
        self.stop = STOP_NONE  # why a command is not obeyed, until a command of 0
        self.on_ms = 0  # length of the present drive
        self.heat_ms = 0  # on-time eightfold, less all time; 0..about 116000
        self._last_ms = 0
        self._is_timed = False

    def drive(self, command: int, now_ms: int) -> None:
        """Obey `command` (1 towards locked, -1 towards unlocked, 0 off) as far as the caps allow."""
        driven = self.driven
        if driven or self.heat_ms:
            self._account(now_ms, driven)
        elif command == 0 and self.stop == STOP_NONE:
            # Nearly every pass.
            self._last_ms = now_ms
            self._is_timed = True
            self._dead_man.feed(False)
            return
        self._last_ms = now_ms
        self._is_timed = True
        self._judge(command)
        if self.stop != STOP_NONE:
            command = 0
        if command == 0 or (driven and command != driven):
            # A reversal waits for the next pass.
            self._off()
        else:
            if not driven:
                self._direction.set(command > 0)
                self._wake.set(True)
                self.driven = command
                self.on_ms = 0
            self._dead_man.feed(True)

    def _account(self, now_ms: int, driven: int) -> None:
        """Add the time since the last pass to what the bridge did in it."""
        dt_ms = ticks_diff(now_ms, self._last_ms) if self._is_timed else 0
        if dt_ms < 0 or dt_ms > _DT_MAX_MS:
            dt_ms = _DT_MAX_MS
        heat_ms = self.heat_ms - dt_ms
        if driven:
            self.on_ms += dt_ms
            heat_ms += dt_ms * _SHARE
        self.heat_ms = heat_ms if heat_ms > 0 else 0

    def _judge(self, command: int) -> None:
        """Set `stop` when a cap is reached; a command of 0 clears it, by share only once cool."""
        if self.stop != STOP_NONE:
            if command == 0 and (self.stop == STOP_LONG or self.heat_ms <= _HEAT_COOL_MS):
                self.stop = STOP_NONE
        elif self.heat_ms >= _HEAT_MAX_MS:
            self.stop = STOP_SHARE
        elif self.driven and self.on_ms >= _ON_MAX_MS:
            self.stop = STOP_LONG

    def _off(self) -> None:
        self._dead_man.feed(False)
        if self.driven:
            self._wake.set(False)
            self.driven = 0

    def release(self) -> None:
        """Switch off now and let every pin go."""
        self.driven = 0
        try:
            self._dead_man.release()
        finally:
            try:
                self._wake.release()
            finally:
                self._direction.release()
