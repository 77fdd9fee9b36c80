"""CAN for whoever talks on it: bounded queues, the controller's states, recovery. The register work is drivers/mcp2515.py.

The CAN contract: listen, tick, poll, receive, send, sleep, wake; `state` and the counters. A frame has `id` (0..2047), `length`
(0..8) and `data` (bytearray of 8). After construction nothing is allocated and nothing raised. What waits to be sent has
one slot an id, and the newest wins: a state is told, not a history.
DS = Microchip DS20001801, the MCP2515's datasheet.
"""

from micropython import const

from drivers.can_out import WHOLE, CanOut
from drivers.mcp2515 import (
    ERR_OFF,
    ERR_OVERFLOW,
    ERR_PASSIVE,
    ERR_WARNING,
    MODE_CONFIG,
    MODE_LISTEN,
    MODE_NORMAL,
    MODE_SLEEP,
    RX0_FLAG,
    RX1_FLAG,
    RX_BYTES,
    RX_DATA,
    RX_FLAGS,
    WAKE_FLAG,
)
from ticks import ticks_diff

CAN_MISSING = const(0)  # nothing answers as an MCP2515 does
CAN_STARTING = const(1)
CAN_ACTIVE = const(2)  # on the bus
CAN_WARNING = const(3)  # on the bus, an error counter above 95
CAN_PASSIVE = const(4)  # on the bus, an error counter above 127
CAN_OFF = const(5)  # bus-off, waiting
CAN_ASLEEP = const(6)
# Set up, and waiting for 11 recessive bits on the bus (DS 10.5); shown as CAN_STARTING.
_JOINING = const(7)
_SHOWN = (0, 1, 2, 3, 4, 5, 6, CAN_STARTING)

# What a pass finds.
_WAIT = const(0)  # nothing that changes the state, or one look that cannot be
_FRESH = const(1)  # the controller was reset
_GOOD = const(2)
_WARN = const(3)
_PASSIVE = const(4)
_OFF = const(5)
_DEAF = const(6)  # it did not answer as it must, three times in a row or to its set-up
_LATE = const(7)  # the state's time is over
_SLEEP = const(8)
_WAKE = const(9)

# Short for the table: missing, starting, active, warning, passive, off, asleep, joining.
_M, _S, _A, _W, _P, _O, _Z, _J = 0, 1, 2, 3, 4, 5, 6, _JOINING

# fmt: off
_NEXT = (
    # wait fresh good warn passv off  deaf late sleep wake
    (_M,  _M,  _M,  _M,  _M,  _M,  _M,  _S,  _M,  _S),  # missing: nothing but another try helps
    (_S,  _J,  _S,  _S,  _S,  _S,  _S,  _M,  _S,  _S),  # starting: a reset was sent
    (_A,  _S,  _A,  _W,  _P,  _O,  _S,  _S,  _Z,  _A),  # active
    (_W,  _S,  _A,  _W,  _P,  _O,  _S,  _S,  _Z,  _W),  # warning
    (_P,  _S,  _A,  _W,  _P,  _O,  _S,  _S,  _Z,  _P),  # passive
    (_O,  _O,  _O,  _O,  _O,  _O,  _O,  _S,  _O,  _O),  # off: reset, so that it stays away until it is asked back
    (_Z,  _S,  _Z,  _Z,  _Z,  _Z,  _S,  _S,  _Z,  _S),  # asleep: without its configuration the bus would not wake it
    (_J,  _S,  _A,  _W,  _P,  _O,  _M,  _S,  _J,  _J),  # joining
)
# fmt: on
_IS_ON_BUS = (False, False, True, True, True, False, False, False)
# 0: for ever; off waits for its back-off. A bus that is held dominant lets nobody in: another try a second.
_TIMEOUT_MS = (1000, 50, 0, 0, 0, 0, 0, 1000)
_OFF_FIRST_MS = const(100)
_OFF_LAST_MS = const(6400)
_OFF_FORGIVEN_MS = const(10000)  # so long on the bus, and the next back-off is the first again

_STATE_ERRORS = const(0x39)  # ERR_OFF, ERR_PASSIVE, ERR_WARNING
_BAD_LOOKS = const(3)
_RX_SLOTS = const(16)
_RX_ENOUGH = const(8)  # with so many that wait nothing is fetched between the passes
_POLL_ROUNDS = const(2)  # of at most two frames; a tick has one
_COUNT_PASSES = const(4)  # and up to as many more while frames come
_COUNT_MAX = const(60000)


class CanPort:
    """
    A CAN port on `chip`, an MCP2515. Every method may be called from the loop; `tick` once a pass.

    state           CAN_..., see above; everything but ACTIVE, WARNING and PASSIVE is off the bus: nothing is sent or heard
    lost            received and lost: the controller's buffers or the queue were full; the first of them one in eight passes at most
    dropped         not sent: no slot for another id, or taken back after 100 ms without being sent
    tx_errors, rx_errors    what the controller's error counters rose by, as far as seen, added up
    offs            bus-offs
    resets          times the controller had to be set up anew: it lost its configuration, or did not answer
    tec, rec        the controller's error counters, 0..255
    Counters are 0..60000 and stay there.
    """

    def __init__(self, chip):
        self._chip = chip
        self._ids = ()
        self._out = CanOut(chip)
        self._step = CAN_STARTING  # CAN_..., _JOINING
        self.state = CAN_STARTING
        self.lost = 0
        self.dropped = 0
        self.tx_errors = 0
        self.rx_errors = 0
        self.offs = 0
        self.resets = 0
        self.tec = 0
        self.rec = 0
        self.has_woken = False  # something moved on the bus while asleep; until the next sleep()
        self._wants_sleep = False
        self._wants_wake = False
        self._is_begun = False  # the first tick has been
        self._is_set = True  # the last set-up was read back right
        self._entered_ms = 0
        self._limit_ms = 0  # of this state, 0 = for ever
        self._off_ms = _OFF_FIRST_MS  # the next back-off
        self._is_forgiven = False  # long enough on the bus since the last bus-off
        self._bus_ms = 0  # when it came onto the bus
        self._bad_looks = 0  # in a row, 0.._BAD_LOOKS
        self._count_in = 0  # passes until the error counters are read
        # Received, oldest at _rx_first.
        self._rx = tuple([bytearray(RX_BYTES) for _ in range(_RX_SLOTS)])
        self._rx_data = tuple([memoryview(words)[RX_DATA:] for words in self._rx])
        self._rx_first = 0
        self._rx_count = 0

    # ----------------------------------------------------------------------------------- the contract

    def listen(self, ids: tuple) -> None:
        """Hear standard frames with one of `ids`, 6 at most; the first two may come closer together. Raises ValueError."""
        self._chip.set_filters(ids)
        self._ids = ids
        self._is_begun = False

    def tick(self, now_ms: int) -> None:
        """Once a pass: follow the controller's state, fetch what came, hand over what goes out."""
        if not self._is_begun:
            self._is_begun = True
            self._enter(CAN_STARTING, now_ms)
            return
        chip = self._chip
        chip.look()
        if (
            self._step != CAN_ACTIVE
            or chip.errors & _STATE_ERRORS
            or chip.mode != MODE_NORMAL
            or not chip.is_right
            or self._wants_sleep
        ):
            self._follow(now_ms)
            if not _IS_ON_BUS[self._step] or self._bad_looks:
                return
        else:
            # Nothing that the table would change, as nearly always.
            self._bad_looks = 0
        flags = chip.flags & RX_FLAGS
        self._count_in -= 1
        if flags:
            self._fetch(flags, 1)
        # In a pass that has little else to do, where there is one.
        if self._count_in <= 0 and (not flags or self._count_in <= -_COUNT_PASSES):
            self._count_errors(now_ms)
        out = self._out
        if out.held or out.waiting:
            out.hand_over(now_ms)
            self.dropped = out.dropped

    def poll(self) -> None:
        """Fetch what came, whenever there is time: the controller keeps two frames, or one of an id past the second."""
        if _IS_ON_BUS[self._step] and self._bad_looks == 0 and self._rx_count < _RX_ENOUGH:
            flags = self._chip.status() & RX_FLAGS
            if flags:
                self._fetch(flags, _POLL_ROUNDS)

    def receive(self, frame) -> bool:
        """Copy the next frame heard into `frame`; False: none. Behind its length the data are anything."""
        if not self._rx_count:
            return False
        first = self._rx_first
        words = self._rx[first]
        frame.id = words[1] << 3 | words[2] >> 5
        length = words[5] & 0x0F
        frame.length = length if length < 8 else 8  # more means 8 (ISO 11898-1)
        frame.data[WHOLE] = self._rx_data[first]
        self._rx_first = first + 1 if first + 1 < _RX_SLOTS else 0
        self._rx_count -= 1
        return True

    def send(self, frame) -> bool:
        """Queue a copy of `frame`, in place of one with its id that waits. False: no slot (counted), or off the bus."""
        if not _IS_ON_BUS[self._step]:
            return False
        out = self._out
        if out.send(frame):
            return True
        self.dropped = out.dropped
        return False

    def sleep(self) -> None:
        """Go to sleep as soon as it is on the bus; a bus that moves sets `has_woken`, and `wake` ends it."""
        self.has_woken = False
        self._wants_sleep = True
        self._wants_wake = False

    def wake(self) -> None:
        """Come back onto the bus, within three passes."""
        self._wants_sleep = False
        self._wants_wake = self._step == CAN_ASLEEP

    def release(self) -> None:
        """Leave the bus at once, whatever was going on. Another tick would come back."""
        self._is_begun = False
        self._step = CAN_STARTING
        self.state = CAN_STARTING
        self._chip.reset()

    # ----------------------------------------------------------------------------------------- states

    def _follow(self, now_ms: int) -> None:
        """Take the step that the table says."""
        following = _NEXT[self._step][self._event(now_ms)]
        if following != self._step:
            self._go(following, now_ms)

    def _event(self, now_ms: int) -> int:
        """Return what the last look means here; what was asked for counts only where the controller is well."""
        limit_ms = self._limit_ms
        if limit_ms and ticks_diff(now_ms, self._entered_ms) >= limit_ms:
            return _LATE
        if not self._is_set:
            return _DEAF
        chip = self._chip
        if chip.is_fresh:
            return _FRESH
        if not chip.is_right or not self._is_mode_right():
            if self._bad_looks < _BAD_LOOKS:
                self._bad_looks += 1
            return _DEAF if self._bad_looks == _BAD_LOOKS else _WAIT
        self._bad_looks = 0
        return self._sleep_event() if self._step == CAN_ASLEEP else self._bus_event()

    def _is_mode_right(self) -> bool:
        mode = self._chip.mode
        if self._step == CAN_ASLEEP:
            return mode == MODE_SLEEP or mode == MODE_LISTEN
        # A bus that is busy lets it wait.
        return mode == MODE_NORMAL or (self._step == _JOINING and mode == MODE_CONFIG)

    def _sleep_event(self) -> int:
        if self._chip.flags & WAKE_FLAG:
            self.has_woken = True
        return _WAKE if self._wants_wake else _WAIT

    def _bus_event(self) -> int:
        errors = self._chip.errors
        if self._chip.mode != MODE_NORMAL:
            return _WAIT
        if errors & ERR_OFF:
            return _OFF
        if self._wants_sleep and _IS_ON_BUS[self._step]:
            return _SLEEP
        if errors & ERR_PASSIVE:
            return _PASSIVE
        return _WARN if errors & ERR_WARNING else _GOOD

    def _go(self, following: int, now_ms: int) -> None:
        was_on_bus = _IS_ON_BUS[self._step]
        if _IS_ON_BUS[following]:
            if not was_on_bus:
                self._bus_ms = now_ms
                self._is_forgiven = False
            self._step = following
            self.state = _SHOWN[following]
            self._entered_ms = now_ms
            self._limit_ms = 0
            return
        if following == CAN_STARTING and (
            was_on_bus or (self._step == CAN_ASLEEP and not self._wants_wake)
        ):
            self.resets = _one_more(self.resets)
        self._enter(following, now_ms)

    def _enter(self, step: int, now_ms: int) -> None:
        """Leave the bus for `step`: what waits to be sent would be old by the time it can be."""
        self._step = step
        self.state = _SHOWN[step]
        self._entered_ms = now_ms
        self._limit_ms = _TIMEOUT_MS[step]
        self._bad_looks = 0
        self._is_set = True
        self._wants_wake = False
        self._out.forget()
        self.tec = 0
        self.rec = 0
        if step == CAN_STARTING:
            self._chip.reset()
        elif step == _JOINING:
            self._is_set = self._chip.configure()
        elif step == CAN_ASLEEP:
            self._chip.sleep()
        elif step == CAN_OFF:
            # It would be back after 128 times 11 recessive bits by itself (DS 6.7), 3 ms at 500 kbit/s.
            self._chip.reset()
            self.offs = _one_more(self.offs)
            if self._is_forgiven:
                self._off_ms = _OFF_FIRST_MS
            self._limit_ms = self._off_ms
            self._off_ms = min(self._off_ms * 2, _OFF_LAST_MS)

    def _count_errors(self, now_ms: int) -> None:
        chip = self._chip
        if not self._is_forgiven and ticks_diff(now_ms, self._bus_ms) >= _OFF_FORGIVEN_MS:
            self._is_forgiven = True
        self._count_in = _COUNT_PASSES
        if chip.errors & ERR_OVERFLOW:
            self.lost = _one_more(self.lost)
            chip.clear_overflow()
        chip.count()
        if chip.tec > self.tec:
            self.tx_errors = min(self.tx_errors + chip.tec - self.tec, _COUNT_MAX)
        if chip.rec > self.rec:
            self.rx_errors = min(self.rx_errors + chip.rec - self.rec, _COUNT_MAX)
        self.tec = chip.tec
        self.rec = chip.rec

    # ----------------------------------------------------------------------------------------- queues

    def _fetch(self, flags: int, rounds: int) -> None:
        """Fetch what the flags say, and what comes meanwhile. RXB0 is the older one."""
        while flags:
            if flags & RX0_FLAG:
                self._take(0)
            if flags & RX1_FLAG:
                self._take(1)
            rounds -= 1
            if not rounds:
                return
            flags = self._chip.status() & RX_FLAGS

    def _take(self, n: int) -> None:
        """Take a frame out of the controller into the queue. A full queue loses its oldest one."""
        place = self._rx_first + self._rx_count
        if place >= _RX_SLOTS:
            place -= _RX_SLOTS
        if self._rx_count == _RX_SLOTS:
            self._rx_first = place + 1 if place + 1 < _RX_SLOTS else 0
            self._rx_count -= 1
            self.lost = _one_more(self.lost)
        words = self._rx[place]
        self._chip.read_rx(n, words)
        # A standard data frame, neither remote nor extended (DS 4.2, register 4-5).
        if not words[2] & 0x18 and (words[1] << 3 | words[2] >> 5) in self._ids:
            self._rx_count += 1


def _one_more(count: int) -> int:
    return count + 1 if count < _COUNT_MAX else count
