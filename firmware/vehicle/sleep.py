"""When nothing has gone on for long: the light goes dark, the CAN controller sleeps, and nothing is sent.

What goes on is judged elsewhere and told as `is_busy`; here is when that counts. The inlet's logic never sleeps: readings,
S2, the lock and the permission to drive go on as ever, and so do the hard-wired outputs. docs/car.md lists what sleeps.
"""

from micropython import const

from faults import H_CAN_BUS, H_CAN_DATA, H_CONTACTORS, H_NO_MODEM
from ticks import ticks_diff

AWAKE = const(0)
DROWSY = const(1)  # nothing goes on, not for long enough
ASLEEP = const(2)
SLEEP_NAMES = ("awake", "drowsy", "asleep")

E_BUSY = const(0)  # something goes on
E_QUIET = const(1)  # nothing
E_LONG = const(2)  # nothing, for long enough
SLEEP_EVENT_NAMES = ("busy", "quiet", "long")

# fmt: off
_NEXT = (
    # busy  quiet   long
    (AWAKE, DROWSY, DROWSY),  # awake
    (AWAKE, DROWSY, ASLEEP),  # drowsy
    (AWAKE, ASLEEP, ASLEEP),  # asleep
)
# fmt: on

_S_MS = const(1000)
# Holds that follow from a CAN bus nobody speaks on: what sleep itself brings about must not end it.
_CAN_HOLDS = H_CAN_BUS | H_CAN_DATA | H_CONTACTORS | H_NO_MODEM


class Sleep:
    """Call `tick` a few times a second. Allocates nothing."""

    def __init__(self, after_s: int):
        """`after_s`: asleep after so long without anything, 0..3600; 0 = never."""
        self.state = AWAKE
        self.is_asleep = False
        self._after_ms = after_s * _S_MS
        self._entered_ms = 0

    def tick(self, now_ms: int, is_busy: bool) -> None:
        """Judge one pass."""
        state = self.state
        if is_busy:
            event = E_BUSY
        elif (
            state == DROWSY
            and self._after_ms
            and ticks_diff(now_ms, self._entered_ms) >= self._after_ms
        ):
            event = E_LONG
        else:
            event = E_QUIET
        new = _NEXT[state][event]
        if new != state:
            self.state = new
            self._entered_ms = now_ms
            self.is_asleep = new == ASLEEP


class Activity:
    """Tells whether anything goes on: a part that moves, a wish, or a value that changed. Allocates nothing."""

    def __init__(self, has_permit_line: bool):
        """`has_permit_line`: vehicle_permits is a line's; CAN's is stale while CAN sleeps, and no reason to wake."""
        self._has_permit_line = has_permit_line
        self._session = -1
        self._pilot_state = 0
        self._lock_state = 0
        self._faults = 0
        self._holds = 0
        self._plug_present = False
        self._is_offered = False
        self._permits = False

    def is_busy(self, r, c, in_service: bool) -> bool:
        """Look at signals.Readings and signals.Commands of a pass; `in_service`: service mode is on."""
        is_changed = self._has_changed(r, c)
        return bool(
            is_changed
            or c.s2_close
            or c.lock_drive
            or in_service
            or c.wants_heat
            or r.stop_request
            or r.unlock_request
            or r.car_unlock
            or r.car_stop
            or r.modem_wants_c
            or r.modem_toggles
        )

    def _has_changed(self, r, c) -> bool:
        holds = c.holds & ~_CAN_HOLDS
        is_offered = c.offered_ma != 0
        permits = self._has_permit_line and r.vehicle_permits
        if (
            c.session == self._session
            and c.pilot_state == self._pilot_state
            and c.lock_state == self._lock_state
            and c.faults == self._faults
            and holds == self._holds
            and c.plug_present == self._plug_present
            and is_offered == self._is_offered
            and permits == self._permits
        ):
            return False
        self._session = c.session
        self._pilot_state = c.pilot_state
        self._lock_state = c.lock_state
        self._faults = c.faults
        self._holds = holds
        self._plug_present = c.plug_present
        self._is_offered = is_offered
        self._permits = permits
        return True
