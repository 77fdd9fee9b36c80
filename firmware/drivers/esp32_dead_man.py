"""S2 and the bridge on an ESP32: held while the loop comes by, dropped by a timer when it has not for 18 ms.

Not what an RP2040's PIO does. MicroPython has only soft timers there (hard=True is refused), so the timer's callback is
Python between two bytecodes of whatever runs. It drops the outputs of a loop that hangs in Python, within 20 ms plus
the call under way. It does not where the interpreter itself hangs, in a call that does not return or with interrupts
off: then the chip's watchdog resets after the board file's watchdog_ms (at least 1 s by the port's documentation), and
the pull-down opens S2 as the pins become inputs. A loop that ends by an exception goes through main.run's `safe`.
A hold only remembers that it lost what was on; when it may be on again is the board's decision.
"""

from micropython import const

from ticks import ticks_diff

# Architecture section 6: S2 open at most 20 ms after the last proof of life.
DEAD_MAN_MS = const(18)
CHECK_MS = const(2)
# A flash erase stops the CPU for 45 ms, and at most 400 (W25Q32JV, sector erase).
LONG_MS = const(504)
PWM_HZ = const(20000)
_FULL_U16 = const(65535)
_COUNT_MAX = const(60000)


class PinHold:
    """One output, active high, low from the first moment. `feed` once a pass."""

    def __init__(self, pin):
        self._pin = pin
        self._is_on = False
        self.is_lost = False  # was on when it was dropped; whoever heard it clears it
        self.is_released = False  # after release(), for good
        pin.init(pin.OUT, value=0)

    def feed(self, on: bool) -> None:
        """Drive the pin for this pass."""
        if not self.is_released:
            self._is_on = on
            self._pin(1 if on else 0)

    def drop(self) -> None:
        """Low now; the next feed may drive it again."""
        self._pin(0)
        if self._is_on:
            self._is_on = False
            self.is_lost = True

    def release(self) -> None:
        """Low now, and an input with pull-down. Good in any state, as often as wanted."""
        self.is_released = True
        self._is_on = False
        self._pin(0)
        self._pin.init(self._pin.IN, self._pin.PULL_DOWN)


class PWMHold:
    """One output with PWM of PWM_HZ while on, active high. `feed` once a pass.

    pwm         machine.PWM at PWM_HZ and duty 0: duty_u16(0..65535), deinit()
    pwm_32nds   share of each period that is high, 1..32
    """

    def __init__(self, pwm, pin, pwm_32nds: int):
        self._pwm = pwm
        self._pin = pin
        self._duty_u16 = _FULL_U16 * pwm_32nds // 32
        self._is_on = False
        self.is_lost = False  # ran when it was dropped; whoever heard it clears it
        self.is_released = False  # after release(), for good

    def feed(self, on: bool) -> None:
        """Run the PWM for this pass, or stop it."""
        if on != self._is_on and not self.is_released:
            self._is_on = on
            self._pwm.duty_u16(self._duty_u16 if on else 0)

    def drop(self) -> None:
        """Low from the end of this PWM period on; the next feed may run it again."""
        if not self.is_released:
            self._pwm.duty_u16(0)
        if self._is_on:
            self._is_on = False
            self.is_lost = True

    def release(self) -> None:
        """Low now, and an input with pull-down. Good in any state, as often as wanted."""
        if not self.is_released:
            self.is_released = True
            self._is_on = False
            try:
                self._pwm.duty_u16(0)
                self._pwm.deinit()
            finally:
                self._pin.init(self._pin.IN, self._pin.PULL_DOWN)


class LoopWatch:
    """Drops `holds` when `fed` was not called for DEAD_MAN_MS. Allocates nothing once started.

    timer       machine.Timer: init(), deinit()
    holds       tuple of PinHold, PWMHold
    ticks_ms    time.ticks_ms
    """

    def __init__(self, timer, holds, ticks_ms):
        self._timer = timer
        self._holds = holds
        self._ticks_ms = ticks_ms
        self._fed_ms = ticks_ms()
        self.is_tripped = False  # the holds were dropped, and nobody has fed since
        self.trips = 0  # how often, 0..60000 (stays there)
        self._spared = None  # of the holds: not dropped before LONG_MS
        self._callback = self.check  # made once: a bound method is an allocation

    def start(self) -> None:
        """Begin to watch."""
        self._fed_ms = self._ticks_ms()
        self._timer.init(mode=self._timer.PERIODIC, period=CHECK_MS, callback=self._callback)

    def fed(self) -> None:
        """Say that the loop lives; before anything is driven, or the callback might undo it.

        Where that is too late, the holds are dropped first: the timer's callback may have been lost.
        """
        self.check(None)
        self._fed_ms = self._ticks_ms()
        self.is_tripped = False
        self._spared = None

    def fed_long(self, hold) -> None:
        """Say that the loop lives, and let `hold` stay for LONG_MS: what follows is bounded, and the next `fed` counts as ever."""
        self.fed()
        self._spared = hold

    def check(self, _timer) -> None:
        """Drop the holds if the loop is late. The timer's callback."""
        silent_ms = ticks_diff(self._ticks_ms(), self._fed_ms)
        if silent_ms < DEAD_MAN_MS:
            return
        if silent_ms >= LONG_MS:
            self._spared = None
        for hold in self._holds:
            if hold is not self._spared:
                hold.drop()
        if not self.is_tripped:
            self.is_tripped = True
            if self.trips < _COUNT_MAX:
                self.trips += 1

    def release(self) -> None:
        """Stop the timer; for when the holds are released."""
        self._timer.deinit()
