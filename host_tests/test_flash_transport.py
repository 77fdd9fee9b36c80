"""The serial port: a sentence for each way it cannot be used. The good way is in test_flash_emulator.py."""

import errno
import fcntl
import os
import pty
import threading

import pytest

from inletctl.errors import UserError
from inletctl.flash.transport import BoardSaid, LinkLost, SerialLink, _port_error, open_link


@pytest.fixture
def terminal():
    """A pair of a terminal: what is written to one end is read at the other."""
    far, near = pty.openpty()
    yield far, os.ttyname(near)
    for number in (far, near):
        try:
            os.close(number)
        except OSError:
            continue


def refused(port):
    with pytest.raises(UserError) as caught:
        open_link(port)
    assert caught.value.exit_status == 2
    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


def test_a_missing_port_is_told():
    assert refused("/dev/ttyNoSuchPort").startswith("There is no port /dev/ttyNoSuchPort: ")


def test_a_file_that_is_no_port_is_told(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"")
    assert refused(str(path)).startswith("The port %s does not open (" % path)


def test_a_name_that_pyserial_does_not_know_is_told():
    assert "does not open" in refused("nonsense://board")


def test_a_refused_connection_is_told():
    assert "does not open" in refused("socket://127.0.0.1:1")


def test_a_busy_port_is_told(terminal):
    _, name = terminal
    other = os.open(name, os.O_RDWR | os.O_NOCTTY)
    try:
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert "is busy: close the other program" in refused(name)
    finally:
        os.close(other)


class NoSerial:
    """Stands for pyserial: every port fails with the same number."""

    def __init__(self, number):
        self.number = number

    def serial_for_url(self, port, **_options):
        raise OSError(self.number, "could not open port %s" % port)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.EACCES, "You may not open the port /dev/null: on Linux, join the group"),
        (errno.EBUSY, "The port /dev/null is busy"),
        (errno.EAGAIN, "The port /dev/null is busy"),
        (errno.ENOENT, "There is no port /dev/null"),
        (errno.EIO, "The port /dev/null does not open"),
    ],
)
def test_the_reason_of_the_system_becomes_a_sentence(number, words):
    error = _port_error("/dev/null", NoSerial(number), ValueError("failed to access"))
    assert str(error).startswith(words)
    assert error.exit_status == 2


def test_a_device_that_only_echoes_is_no_micropython(terminal, monkeypatch):
    far, name = terminal
    monkeypatch.setattr("inletctl.flash.transport._RAW_REPL_S", 0.3)
    monkeypatch.setattr("inletctl.flash.transport._ANSWER_S", 0.1)

    def echo():
        try:
            while data := os.read(far, 100):
                os.write(far, b"?" + data)
        except OSError:
            return

    threading.Thread(target=echo, daemon=True).start()
    link = SerialLink(name)
    with pytest.raises(UserError, match=r"No MicroPython answers on .* nothing on it was changed"):
        link.stop_firmware()
    link.close()


def test_a_board_that_is_unplugged_is_lost_not_waited_for(terminal):
    far, name = terminal
    link = SerialLink(name)
    os.write(far, b"hello\n")
    assert link.read(1) + link.read(0.1) == b"hello\n"
    os.close(far)
    with pytest.raises(LinkLost):
        link.read(1)
    with pytest.raises(LinkLost):
        link.run("print(1)")
    link.reset()


def test_silence_is_no_error(terminal):
    _, name = terminal
    link = SerialLink(name)
    assert link.read(0.05) == b""
    link.close()


@pytest.mark.parametrize(
    ("traceback", "number", "words"),
    [
        ("Traceback:\r\nOSError: [Errno 28] ENOSPC\r\n", 28, "OSError: [Errno 28] ENOSPC"),
        ("Traceback:\r\nOSError: 28\r\n", 28, "OSError: 28"),
        ("Traceback:\r\nMemoryError: \r\n", None, "MemoryError"),
        ("", None, "an exception without words"),
    ],
)
def test_an_exception_on_the_board_keeps_its_number_and_its_words(traceback, number, words):
    error = BoardSaid(traceback)
    assert error.errno == number
    assert str(error) == words
