"""The board's USB serial port on the host side.

rp2040py's own serial host answers every empty read at once with no data, and the board arms the next at once: an
interrupt storm that would leave the firmware no time. A real host just does not send; so here a read is completed
only when there is something to send.
"""

from collections.abc import Callable
from typing import Any

from rp2040py.usb.cdc import USBCDC


class Console:
    """A host at the chip's USB port with the serial port open."""

    def __init__(self, usb: Any, on_bytes: Callable[[bytes], None]):
        self.received = 0
        self._usb = usb
        self._cdc: Any = USBCDC(usb)
        self._on_bytes = on_bytes
        self._cdc.on_serial_data = self._take
        self._answer = usb.on_endpoint_read  # rp2040py's own
        self._armed = 0  # reads the board waits for; their length
        self._waiting = bytearray()
        usb.on_endpoint_read = self._read
        own_reset = usb.on_reset

        def forget() -> None:
            self._armed = 0
            self._waiting.clear()
            own_reset()

        usb.on_reset = forget

    def send(self, data: bytes) -> None:
        """Type `data`; it goes out as soon as the board reads."""
        self._waiting += data
        self._give()

    @property
    def waiting(self) -> int:
        """Return how many bytes are typed and not yet read."""
        return len(self._waiting)

    def _take(self, data: bytes) -> None:
        self.received += len(data)
        self._on_bytes(bytes(data))

    def _read(self, endpoint: int, size: int) -> None:
        # Until enumeration is over rp2040py does not know which endpoint is the serial port's; the control
        # endpoint's reads are its own.
        if endpoint == 0 or endpoint != self._cdc._out_endpoint:
            self._answer(endpoint, size)
            return
        self._armed = size
        self._give()

    def _give(self) -> None:
        if not self._armed or not self._waiting:
            return
        size = min(self._armed, len(self._waiting))
        data, self._armed = bytes(self._waiting[:size]), 0
        del self._waiting[:size]
        self._usb.endpoint_read_done(self._cdc._out_endpoint, data)
