"""Devices on an SPI bus: of the emulated chip, and of plain Python for tests and simulations. One model, both users.

A device has select(now_ns), exchange(byte, now_ns) -> byte and deselect(now_ns). Mode 0,0, most significant bit first.
"""

from collections.abc import Callable
from typing import Any, Protocol

from inletctl.emu.chip import Alarm, Chip

# Nobody drives MISO: the board's pull-down.
_OPEN = 0x00


class Device(Protocol):
    """A chip on the bus."""

    def select(self, now_ns: int) -> None:
        """Chip select goes low."""

    def exchange(self, byte: int, now_ns: int) -> int:
        """Take a byte, give the one on MISO."""
        ...

    def deselect(self, now_ns: int) -> None:
        """Chip select goes high."""


class EmuSpi:
    """`devices` (chip select's GPIO -> device) on SPI block `number` (0, 1) of the emulated chip.

    A byte takes eight clocks of what the firmware has set. Two chip selects low at once are counted in `clashes`.
    """

    def __init__(self, chip: Chip, number: int, devices: "dict[int, Device]"):
        self._chip = chip
        self._devices = devices
        self._selected: list[int] = []
        self._answer = 0
        self._peripheral: Any = chip.mcu.spi[number]
        self._peripheral.on_transmit = self._transmit
        self._alarm = Alarm(chip, self._done)
        self.bytes = 0
        self.clashes = 0
        for gpio in devices:
            chip.listen(gpio, self._make_listener(gpio))

    def _make_listener(self, gpio: int) -> Callable[[bool], None]:
        def changed(_level: bool) -> None:
            # Pulled up on the board: only a pin that is driven low selects.
            pin = self._chip.mcu.gpio[gpio]
            is_low = bool(pin.output_enable) and not self._chip.is_high(gpio)
            if is_low and gpio not in self._selected:
                self._selected.append(gpio)
                self.clashes += len(self._selected) > 1
                self._devices[gpio].select(self._chip.now_ns)
            elif not is_low and gpio in self._selected:
                self._selected.remove(gpio)
                self._devices[gpio].deselect(self._chip.now_ns)

        return changed

    def _transmit(self, byte: int) -> None:
        self.bytes += 1
        now_ns = self._chip.now_ns
        answer = _OPEN
        for gpio in self._selected:
            answer |= self._devices[gpio].exchange(byte, now_ns)
        self._answer = answer
        hertz = self._peripheral.clock_frequency or 1_000_000
        self._alarm.at(now_ns + 8_000_000_000 / hertz)

    def _done(self) -> None:
        self._peripheral.complete_transmit(self._answer)


class FakeSpi:
    """What a driver is handed on the host: write, write_readinto; `cs(device)` makes a device's chip select."""

    def __init__(self, now_ns: Callable[[], int]):
        self._now_ns = now_ns
        self._selected: list[Device] = []
        self.transfers = 0
        self.bytes = 0
        self.spoil: "Callable[[int], int] | None" = None  # what becomes of a byte on MISO

    def cs(self, device: Device) -> Callable[[int], None]:
        """Return the pin that selects `device`; it begins high."""

        def pin(level: int) -> None:
            if level and device in self._selected:
                self._selected.remove(device)
                device.deselect(self._now_ns())
            elif not level and device not in self._selected:
                self._selected.append(device)
                if len(self._selected) > 1:
                    raise AssertionError("two devices are selected at once")
                self.transfers += 1
                device.select(self._now_ns())

        return pin

    def write_readinto(self, words: Any, into: Any) -> None:
        """Send `words`; fill `into`, of the same length."""
        if len(words) != len(into):
            raise ValueError("buffers must be the same length")
        for n in range(len(words)):
            into[n] = self._byte(words[n])

    def write(self, words: Any) -> None:
        """Send `words`."""
        for byte in words:
            self._byte(byte)

    def _byte(self, byte: int) -> int:
        if not self._selected:
            raise AssertionError("a transfer with no chip selected")
        self.bytes += 1
        answer = _OPEN
        for device in self._selected:
            answer |= device.exchange(byte, self._now_ns())
        return answer if self.spoil is None else self.spoil(answer)
