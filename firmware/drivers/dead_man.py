"""An output that hardware takes away when the loop stops proving that it lives.

Decides nothing: `feed(True)` each pass keeps the pin high (or its PWM running), `feed(False)` ends it, and so does
18 ms of silence, whatever the CPU does meanwhile. Active high only: low is the safe level, which the circuit's
pull-down also gives whenever the pin is not driven.
"""

from micropython import const

from drivers.pio_programs import DEAD_MAN_CYCLES_PER_COUNT, DEAD_MAN_PWM_CYCLES_PER_COUNT

# Architecture section 6: S2 open at most 20 ms after the last proof of life; a pass is 10 ms.
DEAD_MAN_MS = const(18)
PWM_HZ = const(20000)
# 8 us a count: a 0 acts within 16 us.
_STEADY_HZ = const(500_000)
# A flash erase stops the CPU for 45 ms, and at most 400 (W25Q16JV, sector erase).
LONG_MS = const(504)
# Words a state machine's TX FIFO holds, unjoined (RP2040 datasheet 3.2).
_FIFO_WORDS = const(4)
# set(pins, 0), ready to execute (RP2040 datasheet 3.4.10).
_SET_LOW = const(0xE000)
# pwm_32nds of a bridge that is on all the time.
_FULL_32NDS = const(32)


class DeadMan:
    """One output. `feed` once a pass: never waits, never allocates. Not for interrupt handlers.

    The state machine must run a dead-man program; `alive_count` is what it counts down in DEAD_MAN_MS.
    """

    def __init__(self, sm, pin, alive_count: int):
        self._sm = sm
        self._pin = pin
        self._alive_count = alive_count
        self.is_released = False  # True after release(), for good: nothing is fed any more

    def feed(self, on: bool) -> None:
        """Keep the pin on for the next DEAD_MAN_MS, or take it low at once."""
        if self.is_released:
            return
        if self._sm.tx_fifo() < _FIFO_WORDS:
            self._sm.put(self._alive_count if on else 0)
        else:
            # A machine that does not run, its pin perhaps high: take the pin from it. Waiting would stop the loop.
            self.release()

    def feed_long(self) -> None:
        """Keep the pin, which is on, for LONG_MS: what follows is bounded, and the next feed counts as ever."""
        if not self.is_released and self._sm.tx_fifo() < _FIFO_WORDS:
            self._sm.put(self._alive_count * (LONG_MS // DEAD_MAN_MS))

    def release(self) -> None:
        """Take the pin low now and make it an input with pull-down. Good in any state, as often as wanted."""
        self.is_released = True
        # The pin first: whoever interrupts what follows finds it low.
        self._pin.init(self._pin.IN, self._pin.PULL_DOWN)
        self._sm.active(0)
        self._sm.exec(_SET_LOW)


def make_dead_man(sm_id: int, pin, pwm_32nds=None) -> DeadMan:
    """Return a DeadMan on state machine `sm_id` (0..7) and `pin`, low from the first moment.

    pwm_32nds: None or 32 for a steady high while alive, 2..31 for PWM of PWM_HZ with that share of each period high.
    Raises ValueError for another share, OSError where the PIO block has no room for the program.
    """
    import rp2

    # What is imported here a board may forget once its machines run (main.py).
    from drivers.pio_programs import dead_man, make_dead_man_pwm

    if pwm_32nds is None or pwm_32nds == _FULL_32NDS:
        program = dead_man
        freq_hz = _STEADY_HZ
        alive_count = DEAD_MAN_MS * _STEADY_HZ // (1000 * DEAD_MAN_CYCLES_PER_COUNT)
    else:
        program = make_dead_man_pwm(pwm_32nds)
        freq_hz = PWM_HZ * DEAD_MAN_PWM_CYCLES_PER_COUNT
        alive_count = DEAD_MAN_MS * PWM_HZ // 1000
    pin.init(pin.OUT, value=0)
    # OUT_LOW in the program: low before the pin becomes the machine's.
    sm = rp2.StateMachine(sm_id, program, freq=freq_hz, set_base=pin)
    sm.active(1)
    return DeadMan(sm, pin, alive_count)
