"""The board's serial port: no read is answered with nothing, what is typed waits for a read."""

from inletctl.emu.console import Console


class FakeUsb:
    """The emulator's USB controller as far as a console needs it."""

    def __init__(self):
        self.on_usb_enabled = self.on_reset_received = self.on_endpoint_write = None
        self.on_endpoint_read = self.on_reset = None
        self.done = []

    def endpoint_read_done(self, endpoint, data):
        self.done.append((endpoint, bytes(data)))


def open_console():
    usb = FakeUsb()
    got = bytearray()
    console = Console(usb, got.extend)
    console._cdc._out_endpoint = 2
    console._cdc._in_endpoint = 2
    return usb, console, got


def test_read_is_not_answered_until_there_is_something_to_send():
    usb, console, _got = open_console()
    usb.on_endpoint_read(2, 64)
    assert usb.done == []
    console.send(b"x" * 70)
    assert usb.done == [(2, b"x" * 64)]
    usb.on_endpoint_read(2, 64)
    assert usb.done[1:] == [(2, b"x" * 6)]
    usb.on_endpoint_read(2, 64)
    assert len(usb.done) == 2


def test_bytes_wait_for_a_read():
    usb, console, _got = open_console()
    console.send(b"\x03")
    assert usb.done == []
    usb.on_endpoint_read(2, 64)
    assert usb.done == [(2, b"\x03")]


def test_reset_forgets_the_armed_read_and_what_was_typed():
    usb, console, _got = open_console()
    usb.on_endpoint_read(2, 64)
    usb.on_reset()
    console._cdc._out_endpoint = 2
    console.send(b"y")
    assert usb.done == []


def test_received_bytes_are_handed_on():
    usb, console, got = open_console()
    usb.on_endpoint_write(2, b"abc")
    assert got == b"abc"
    assert console.received == 3
