"""Where a board is spoken to: a serial port, or a simulated board in a process of its own.

A port that cannot be used is a UserError when it is opened, one that goes away later a PortLost.
"""

import errno
import os
import queue
import subprocess
import sys
import threading
from typing import Any, Protocol

from inletctl.errors import UserError

SIM = "sim"  # `sim:` or `sim:SCENARIO` is a simulated board
_BAUD = 115200  # USB does not care; a UART bridge is set so by MicroPython
# A board that takes nothing for so long is gone: it empties its buffer every 10 ms.
_WRITE_S = 5
_CHUNK = 4096
_END_S = 3  # a simulated board ends within this once nobody listens


class PortLost(Exception):  # noqa: N818 - an event, told as such
    """The other end is gone; the text says how that showed."""


class Port(Protocol):
    """Bytes to and from a board."""

    def write(self, data: bytes) -> None:
        """Send `data`. Raises PortLost."""
        ...

    def read(self, timeout_s: float) -> bytes:
        """Return what has come, b"" if nothing came in time. Raises PortLost."""
        ...

    def close(self) -> None:
        """Let go of the port."""
        ...


class SerialPort:
    """A serial port, or anything else that pyserial opens by name (`socket://host:port`). Raises UserError."""

    def __init__(self, name: str):
        try:
            import serial
        except ImportError:
            raise UserError(
                "pyserial is missing: run `make setup`, which takes it from the lock file.", 3
            ) from None
        self._lost = (serial.SerialException, OSError)
        try:
            self._serial: Any = serial.serial_for_url(
                name, baudrate=_BAUD, timeout=0, write_timeout=_WRITE_S, exclusive=True
            )
        except (serial.SerialException, OSError, ValueError) as error:
            raise port_error(name, error) from None

    def write(self, data: bytes) -> None:
        """Send `data`. Raises PortLost."""
        try:
            self._serial.write(data)
        except self._lost as error:
            raise PortLost(str(error)) from None

    def read(self, timeout_s: float) -> bytes:
        """Return what has come, b"" if nothing came in time. Raises PortLost."""
        try:
            self._serial.timeout = timeout_s
            data = self._serial.read(max(1, self._serial.in_waiting))
        except self._lost as error:
            raise PortLost(str(error)) from None
        try:
            # What came right behind the byte that was waited for.
            return data + self._serial.read(self._serial.in_waiting) if data else b""
        except self._lost:
            # The next read tells.
            return data

    def close(self) -> None:
        """Let go of the port."""
        try:
            self._serial.close()
        except self._lost:
            # It has gone already: nothing is left to let go of.
            return


class SimPort:
    """A simulated board (sim_board.py) as a process of its own, on pipes. `arguments` are those of its command line."""

    def __init__(self, *arguments: str):
        self._process = subprocess.Popen(
            [sys.executable, "-m", "inletctl.link.sim_board", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        )
        self._came: "queue.SimpleQueue[bytes]" = queue.SimpleQueue()
        self._is_over = False
        self._reader = threading.Thread(target=self._keep_reading, daemon=True)
        self._reader.start()

    def _keep_reading(self) -> None:
        # A thread, since Windows cannot wait for a pipe with a time limit.
        stdout: Any = self._process.stdout
        while data := stdout.read(_CHUNK):
            self._came.put(data)
        self._came.put(b"")

    def write(self, data: bytes) -> None:
        """Send `data`. Raises PortLost."""
        stdin: Any = self._process.stdin
        try:
            stdin.write(data)
        except (OSError, ValueError) as error:
            raise PortLost(str(error)) from None

    def read(self, timeout_s: float) -> bytes:
        """Return what has come, b"" if nothing came in time. Raises PortLost."""
        if self._is_over:
            raise PortLost("the simulated board has ended")
        try:
            data = self._came.get(timeout=max(timeout_s, 0.0))
        except queue.Empty:
            return b""
        while data and not self._came.empty():
            more = self._came.get()
            if not more:
                self._is_over = True
                return data
            data += more
        if data:
            return data
        self._is_over = True
        raise PortLost(self._last_words())

    def _last_words(self) -> str:
        stderr: Any = self._process.stderr
        said = stderr.read().decode(errors="replace").strip().splitlines()
        return said[-1] if said else "the simulated board has ended"

    def close(self) -> None:
        """End the simulated board: it ends by itself once nobody speaks to it."""
        process = self._process
        if process.stdin is not None:
            # Unbuffered: closing it writes nothing, so a board that has ended already does not matter.
            process.stdin.close()
        try:
            process.wait(_END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._reader.join(_END_S)
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def open_port(name: str) -> Port:
    """Return the port `name`: a serial port, `sim:` or `sim:SCENARIO`. Raises UserError where it cannot be used."""
    if name == SIM or name.startswith(SIM + ":"):
        scenario = name[len(SIM) + 1 :]
        if scenario:
            # What is wrong with a scenario is told here, where it is a sentence and not a lost port.
            from inletctl.runs import find_scenario
            from inletctl.scenario.load import read_scenario

            read_scenario(find_scenario(scenario))
            return SimPort(scenario)
        return SimPort()
    return SerialPort(name)


def port_error(port: str, error: Exception) -> UserError:
    """Return the sentence for a port that does not open, by what opening it raised."""
    reason = str(error)
    number = error.errno if isinstance(error, OSError) else None
    is_path = "://" not in port
    if number in (errno.EAGAIN, errno.EBUSY) or "lock" in reason:
        return UserError(
            "The port %s is busy: close the other program that uses it, then try again." % port
        )
    if number in (errno.EACCES, errno.EPERM):
        return UserError(
            "You may not open the port %s: on Linux, join the group that owns it (often dialout) and log in again."
            % port
        )
    if number == errno.ENOENT or (is_path and os.name == "posix" and not os.path.exists(port)):
        return UserError("There is no port %s: %s." % (port, ports_here()))
    lines = reason.strip().rstrip(".").splitlines()
    return UserError(
        "The port %s does not open (%s): %s."
        % (port, lines[-1] if lines else type(error).__name__, ports_here())
    )


def usb_ports() -> list[Any]:
    """Return the serial ports with a USB vendor, by name: one without is a built-in one, and there may be 32 of those."""
    from serial.tools.list_ports import comports

    return sorted((one for one in comports() if one.vid is not None), key=lambda one: one.device)


def ports_here() -> str:
    """Return the words that say which USB serial ports are here."""
    ports = usb_ports()
    if not ports:
        return "no USB serial port is here, so connect the board and check its cable"
    return "the USB serial ports here are %s" % ", ".join(one.device for one in ports)
