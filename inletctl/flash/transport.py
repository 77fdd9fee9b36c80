"""The one place that talks to a board's serial port: mpremote's SerialTransport, used as a library.

Its errors become three: UserError for a port that cannot be used, LinkLost for a board that is no longer there, and
BoardSaid for an exception on the board.
"""

import contextlib
import io
import re
import struct
from typing import Any, Protocol

from inletctl.errors import UserError
from inletctl.link.port import port_error

# A board that says nothing for this long, while it should, is gone. One that is unplugged is noticed at once.
_ANSWER_S = 10
# So long may a piece of code run without a word: putting 60 files in place takes a Pico a few seconds.
_WORK_S = 60
# Boot may have a flash to finish first.
_RAW_REPL_S = 20


class LinkLost(Exception):  # noqa: N818 - an event, told as such
    """The board no longer answers."""


class BoardSaid(Exception):  # noqa: N818 - what it carries is the board's word
    """Code on the board ended with an exception; `errno` is its number where it was an OSError."""

    def __init__(self, traceback: str):
        lines = traceback.strip().splitlines()
        super().__init__(lines[-1].rstrip(": ") if lines else "an exception without words")
        found = re.search(r"OSError: (?:\[Errno (\d+)\]|(\d+))", traceback)
        self.errno = int(found.group(1) or found.group(2)) if found else None


class Link(Protocol):
    """What the flash tool needs of a connection; the tests have one without a board."""

    def read(self, timeout_s: float) -> bytes:
        """Return what the board has said, b"" if nothing came in time. Raises LinkLost."""
        ...

    def stop_firmware(self) -> None:
        """Interrupt what runs and enter the raw REPL. Raises UserError where no MicroPython answers."""
        ...

    def run(self, code: str) -> str:
        """Run `code` on the board and return what it printed. Raises BoardSaid, LinkLost."""
        ...

    def reset(self) -> None:
        """Restart the board; the link is closed after that."""
        ...

    def close(self) -> None:
        """Let go of the port."""
        ...


class SerialLink:
    """A board on a serial port, or on anything else that pyserial opens by name. Raises UserError."""

    def __init__(self, port: str):
        try:
            import serial
            from mpremote.transport import TransportError, TransportExecError
            from mpremote.transport_serial import SerialTransport
        except ImportError:
            raise UserError(
                "mpremote is missing: run `make setup`, which takes it from the lock file.", 3
            ) from None
        self.port = port
        self._exec_error = TransportExecError
        # What mpremote and pyserial raise when the other end goes: short reads end in struct.error.
        self._lost = (TransportError, serial.SerialException, OSError, struct.error)
        try:
            self._transport: Any = SerialTransport(port, timeout=_ANSWER_S)
        except (TransportError, ValueError) as error:
            raise _port_error(port, serial, error) from None

    def read(self, timeout_s: float) -> bytes:
        """Return what the board has said, b"" if nothing came in time. Raises LinkLost."""
        serial = self._transport.serial
        try:
            serial.timeout = timeout_s
            try:
                return serial.read(max(1, serial.in_waiting))
            finally:
                serial.timeout = _ANSWER_S
        except self._lost as error:
            raise LinkLost(str(error)) from None

    def stop_firmware(self) -> None:
        """Interrupt what runs and enter the raw REPL. Raises UserError where no MicroPython answers."""
        # First with a soft reset: it lets go of every pin and peripheral once more, and gives the heap back that the
        # firmware has filled. A board whose own boot.py does not end is taken without.
        for soft_reset in (True, False):
            try:
                # mpremote prints what it did not expect; the sentence below says it for people.
                with contextlib.redirect_stdout(io.StringIO()):
                    self._transport.enter_raw_repl(soft_reset, timeout_overall=_RAW_REPL_S)
                return
            except self._lost:
                continue
        raise UserError(
            "No MicroPython answers on %s: connect a board that runs MicroPython 1.28 or later; "
            "nothing on it was changed." % self.port
        )

    def run(self, code: str) -> str:
        """Run `code` on the board and return what it printed. Raises BoardSaid, LinkLost."""
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                out, said = self._transport.exec_raw(code, timeout=_WORK_S)
        except self._lost as error:
            raise LinkLost(str(error)) from None
        if said:
            raise BoardSaid(said.decode(errors="replace"))
        return out.decode(errors="replace").replace("\r\n", "\n")

    def reset(self) -> None:
        """Restart the board; the link is closed after that."""
        code = "import machine\nmachine.reset()"
        with contextlib.redirect_stdout(io.StringIO()):
            try:
                # The answer may or may not come before the port goes.
                self._transport.exec_raw_no_follow(code)
            except self._lost:
                # Cut in the middle of something, as by Ctrl-C here: ask once more from the start.
                with contextlib.suppress(*self._lost):
                    self._transport.enter_raw_repl(soft_reset=False, timeout_overall=_ANSWER_S)
                    self._transport.exec_raw_no_follow(code)
        self.close()

    def close(self) -> None:
        """Let go of the port."""
        with contextlib.suppress(*self._lost):
            self._transport.close()
        # Where the port has gone, the line above ends before it comes to this.
        with contextlib.suppress(*self._lost):
            self._transport.serial.close()


def open_link(port: str) -> Link:
    """Return a connection to the board on `port`. Raises UserError where the port cannot be used."""
    return SerialLink(port)


def _port_error(port: str, serial: Any, error: Exception) -> UserError:
    """Return the sentence for a port that does not open; mpremote does not say why, so it is tried once more."""
    try:
        serial.serial_for_url(port, exclusive=True).close()
    except (OSError, ValueError) as again:
        return port_error(port, again)
    return port_error(port, error)
