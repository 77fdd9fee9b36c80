"""What the boards of both chips do alike: pins by name, the lines to car and person, the period, letting go.

No policy, and nothing of one chip: what it is made of, `sample`, `actuate` and `slack` are the chip's own board's.
"""

import gc
import select
import sys

from machine import PWM, Pin, reset, unique_id
from micropython import const, kbd_intr

from drivers.charger_lines import LIMIT_HZ, LimitOut
from drivers.light_out import LIGHT_HZ, LightOut
from drivers.lines import InputLine, OutputLine
from drivers.safe_pins import release_all
from modules import unload
from ticks import ticks_add, ticks_diff

TYPE_CHECKING = const(False)

if TYPE_CHECKING:  # plain ints, as in ticks.py

    def ticks_ms() -> int: ...
    def ticks_us() -> int: ...

else:
    from time import ticks_ms, ticks_us

_PERIOD_US = const(10000)
_LATE_US = const(2000)  # a pass that begins later than this is counted
_COUNT_MAX = const(60000)
_COLLECT_MS = const(5000)
# What is said, and heard, beyond the least of it leaves this much of the period free.
_MARGIN_US = const(1200)
_TALK_BYTES = const(8)
_TALK_LATE_BYTES = const(2)
_TALK_MAX = const(64)
_HEAR_MAX = const(64)
# Ctrl-C counts only from a hand or a tool: alone behind a pause, never in the middle of a stream.
_CTRL_C = const(3)
_PAUSE_PASSES = const(10)
_ALONE_PASSES = const(3)


class ChipBoard:
    """
    The chip's half of main's board contract. `store` has read() -> dict or None.

    A board of a chip calls `_start_clock` when it is made, and gives `_begin`: mark that the loop runs, make
    `_watchdog`.
    """

    def __init__(self, board_file, store):
        self._file = board_file
        self._store = store
        self.board_id = "".join(["%02x" % byte for byte in unique_id()])
        # Who this is, for `hello`.
        self.words = "%s %s %s" % (board_file.chip, board_file.name, self.board_id)
        # Passes in which nothing was heard, 0.._PAUSE_PASSES. What came while the desk was loading stands alone, too.
        self._quiet_passes = _PAUSE_PASSES
        self._ctrl_c_passes = 0  # since a Ctrl-C behind a pause, 0 = none
        self._is_after_return = False
        self._is_ending = False  # a Ctrl-C stood alone: stop charging, then end the loop
        self.late = 0  # passes that began more than 2 ms late, 0..60000 (stays there)
        self.error = None  # what `failed` was told
        self._watchdog = (
            None  # from the first pass on: what is said before may wait for a slow host
        )
        self._parts = []  # what `safe` lets go of, in the order of making: S2 first
        self._has_demand = True  # the demand line is the vehicle's word
        self._bus = None  # SPI and chip selects, once something on it is asked for
        self._can = None

    def _start_clock(self) -> None:
        self._say_poll = _poll(sys.stdout, select.POLLOUT)
        self._hear_poll = _poll(sys.stdin, select.POLLIN)
        self._write = sys.stdout.buffer.write
        self._read_into = sys.stdin.buffer.readinto
        self._byte = bytearray(1)
        self._now_ms = ticks_ms()
        self._sampled_ms = self._now_ms
        self._collected_ms = self._now_ms
        self._due_us = ticks_us()
        self._is_scheduled = False  # _due_us is the time of the next pass

    def _begin(self) -> None:
        """The first pass begins."""
        raise NotImplementedError

    def stop_watchdog(self) -> None:
        """Stop the watchdog: what resets the board from here on is no crash."""
        raise NotImplementedError

    # ------------------------------------------------------------------------------------- building

    def _pin(self, name: str):
        """Return the pin, an input with the pull the board file says."""
        entry = self._file.pins[name]
        if entry.pull == "up":
            return Pin(entry.gpio, Pin.IN, Pin.PULL_UP)
        if entry.pull == "down":
            return Pin(entry.gpio, Pin.IN, Pin.PULL_DOWN)
        return Pin(entry.gpio, Pin.IN)

    def _input(self, name: str):
        return InputLine(self._pin(name), self._file.pins[name].is_inverted)

    def _output(self, name: str):
        return OutputLine(self._pin(name), self._file.pins[name].is_inverted)

    def _pwm(self, name: str, freq_hz: int):
        """Return a PWM on the pin, off."""
        entry = self._file.pins[name]
        return PWM(self._pin(name), freq=freq_hz, duty_u16=0, invert=entry.is_inverted)

    def _part(self, part):
        """Remember `part`, so that `safe` releases it."""
        self._parts.append(part)
        return part

    def _make_lines(self) -> None:
        """Make what every board has beside S2 and the lock: limit, light, mains sense and buttons."""
        self._limit = self._part(LimitOut(self._pwm("charger_limit", LIMIT_HZ)))
        strip = None if self._file.strip is None else self._make_strip(self._file.strip)
        self._light = self._part(LightOut(self._light_channels(), strip))
        self._ac = self._input("ac_sense")
        self._stop_button = self._input("stop_button")
        self._unlock_button = self._input("unlock_button")

    def _light_channels(self) -> tuple:
        """Return the PWM channels of the light; none where a strip stands in for them."""
        if "light_red" not in self._file.pins:
            return ()
        return (
            self._pwm("light_red", LIGHT_HZ),
            self._pwm("light_green", LIGHT_HZ),
            self._pwm("light_blue", LIGHT_HZ),
        )

    def _make_strip(self, strip: dict):
        """Return the LEDs of the board file's `strip`, dark."""
        raise NotImplementedError

    def _open_bus(self) -> None:
        """Open the SPI bus, once."""
        from drivers.spi_parts import open_bus

        if self._bus is None:
            self._bus = open_bus(self._file)

    # ----------------------------------------------------------------------------------- the contract

    def open_can(self, rate_kbps: int):
        """Return the CAN port, None where the board has none. ValueError, OSError where it cannot be. Once, at rest."""
        if self._file.can is None:
            return None
        from drivers.spi_parts import open_can

        self._open_bus()
        self._can = self._part(open_can(self._bus, self._file, rate_kbps))
        unload("drivers.can_timing")
        unload("drivers.spi_parts")
        return self._can

    def open_lines(self):
        """Return the discrete lines, None where the board has none. OSError where it cannot be. Once, at rest."""
        if self._file.lines is None:
            return None
        from drivers.spi_parts import open_lines

        self._open_bus()
        lines = self._part(open_lines(self._bus))
        unload("drivers.spi_parts")
        return lines

    def close_demand(self) -> None:
        """Read the demand line no more: the vehicle's word comes another way, and is in the readings already."""
        self._has_demand = False

    def settings(self):
        """Return what is stored, None where nothing is. Raises ValueError, OSError where it cannot be read."""
        return self._store.read()

    def port_store(self):
        """Return what keeps the port records."""
        from drivers.stores import LoadedStore

        return LoadedStore("PortStore")

    def journal_log(self, kept):
        """Return the journal's log on flash, not yet open. `kept`: kinds whose newest record is found."""
        from drivers.flash_log import FedFiles, FlashLog

        return FlashLog(kept=kept, files=FedFiles(self.feed_watchdog), note=self.note)

    def note(self, sentence: str) -> None:
        """Tell a person on the console, on a line of its own: one of the report may be half out."""
        # A computer that holds the port open and reads nothing keeps a print for half a second.
        self.feed_watchdog()
        print("\n" + sentence)  # noqa: T201 - the console

    def next_pass(self) -> bool:
        """Wait for the period, awake, so that the callbacks run at once. Always True.

        The first pass starts the watchdog: whoever opened the board may take any time to tell a person about it.
        """
        if self._watchdog is None:
            # From here on a byte 3 is a byte like any other until `hear` knows better.
            kbd_intr(-1)
            self._begin()
        due_us = self._due_us
        if self._is_scheduled:
            can = self._can
            while ticks_diff(ticks_us(), due_us) < 0:
                # The CAN controller holds two frames: whoever waits anyway empties it.
                if can is not None and ticks_diff(due_us, ticks_us()) > _MARGIN_US:
                    can.poll()
            now_us = ticks_us()
            late_us = ticks_diff(now_us, due_us)
            if late_us > _LATE_US and self.late < _COUNT_MAX:
                self.late += 1
            if late_us >= _PERIOD_US:
                # Whole passes are gone: none of them is made up for.
                due_us = now_us
        else:
            due_us = ticks_us()
            self._is_scheduled = True
        self._due_us = ticks_add(due_us, _PERIOD_US)
        self._now_ms = ticks_ms()
        return True

    def now_ms(self) -> int:
        """Return the tick of this pass."""
        return self._now_ms

    def _read_lines(self, r) -> None:
        r.ac_present = self._ac.read()
        r.ac_ok = self._ac.is_settled
        r.stop_request = self._stop_button.read()
        r.unlock_request = self._unlock_button.read()

    def _has_time(self) -> bool:
        return ticks_diff(self._due_us, ticks_us()) > _MARGIN_US

    def _can_say(self) -> bool:
        """Tell whether the console takes a byte without waiting."""
        for _ in self._say_poll(0):
            return True
        return False

    def _can_hear(self) -> bool:
        """Tell whether a byte waits at the console."""
        for _ in self._hear_poll(0):
            return True
        return False

    def talk(self, report) -> None:
        """Send what the console takes: 8 bytes, more where the period leaves time, 2 where it is over already.

        `report`: pending(wanted) and take(). Where the period is over no more is made than is sent.
        """
        sent = 0
        least = _TALK_BYTES if self._has_time() else _TALK_LATE_BYTES
        byte = self._byte
        count = report.pending(least)
        while sent < _TALK_MAX and count:
            if not self._can_say() or (sent >= least and not self._has_time()):
                return
            byte[0] = report.take()
            self._write(byte)
            sent += 1
            count -= 1
            if not count:
                count = report.pending(least)

    def hear(self, desk) -> None:
        """Hand over what was heard: a byte, and more where the period leaves time.

        `desk`: hear(byte), is_full, stop(), is_at_rest. A Ctrl-C that stands alone, behind a pause of 100 ms and with
        nothing but a carriage return or another Ctrl-C after it, is a person's or a tool's: charging is stopped first,
        and KeyboardInterrupt raised once nothing is energised.
        """
        if self._is_ending:
            if desk.is_at_rest:
                raise KeyboardInterrupt
            return
        if self._can_hear():
            self._hear_bytes(desk)
        else:
            self._hear_nothing()
        if self._is_ending:
            desk.stop()

    def _hear_bytes(self, desk) -> None:
        heard = 0
        while not self._is_ending and not desk.is_full:
            self._read_into(self._byte)
            byte = self._byte[0]
            self._watch_ctrl_c(byte)
            desk.hear(byte)
            heard += 1
            if heard >= _HEAR_MAX or not self._has_time() or not self._can_hear():
                return

    def _hear_nothing(self) -> None:
        if self._ctrl_c_passes:
            self._ctrl_c_passes += 1
            self._is_ending = self._ctrl_c_passes > _ALONE_PASSES
        if self._quiet_passes < _PAUSE_PASSES:
            self._quiet_passes += 1

    def _watch_ctrl_c(self, byte: int) -> None:
        if self._ctrl_c_passes:
            self._is_ending = byte == 13 or byte == _CTRL_C
            self._ctrl_c_passes = 0
        elif byte == _CTRL_C and self._quiet_passes >= _PAUSE_PASSES:
            self._ctrl_c_passes = 1
        # mpremote types one carriage return before its Ctrl-C.
        if byte != 13 or self._is_after_return:
            self._quiet_passes = 0
        self._is_after_return = byte == 13

    def begin_long(self) -> None:
        """What follows takes longer than a pass may, at rest and on purpose. The watchdog goes on."""

    def end_long(self) -> None:
        """It is over: where it was longer, the schedule begins anew, and `late` keeps what nobody wanted."""
        if ticks_diff(ticks_us(), self._due_us) > 0:
            self._is_scheduled = False

    def _collect(self, may_collect: bool) -> None:
        """Collect garbage now and then, where a late pass does no harm."""
        if may_collect and ticks_diff(self._now_ms, self._collected_ms) >= _COLLECT_MS:
            self._collected_ms = self._now_ms
            self.begin_long()
            gc.collect()
            self.end_long()

    def store(self, values) -> None:
        """Keep settings. Raises ValueError, OSError. Only while nothing is energised: the flash stops the CPU."""
        self._store.write(values, True)

    def forget(self) -> None:
        """Keep no settings any more. Raises ValueError, OSError."""
        self._store.forget(True)

    def restart(self) -> None:
        """Let go of everything and start anew."""
        self.safe()
        # A reset that was asked for is no crash.
        self.stop_watchdog()
        reset()

    def feed_watchdog(self) -> None:
        """Say that a whole pass is done."""
        if self._watchdog is not None:
            self._watchdog.feed()

    def safe(self) -> None:
        """Let go of every output, S2 first. Works at any time, half made too, and raises nothing."""
        try:
            for part in self._parts:
                try:
                    part.release()
                except (
                    OSError,
                    ValueError,
                    TypeError,
                    AttributeError,
                    RuntimeError,
                    MemoryError,
                ) as error:
                    # The pins are let go of below, whatever this part says.
                    self.error = error
        finally:
            kbd_intr(_CTRL_C)
            # An input is an input, whatever held the pin before: PIO and PWM lose it too.
            release_all()

    def failed(self, error) -> None:
        """Tell why the loop ended, and keep it."""
        self.error = error
        sys.print_exception(error)


def _poll(stream, event):
    """Return what asks, without allocating, whether `event` holds for `stream`."""
    poller = select.poll()
    poller.register(stream, event)
    # The first time it makes the one object that it keeps.
    for _ in poller.ipoll(0):
        pass
    return poller.ipoll
