"""A second Pico as pilot source: speaks to generator_firmware/main.py over its USB serial port.

Its pin gives 0..3.3 V behind the board's front end, so levels are whatever the wire gives: steps about levels are for
another source. Not yet run on silicon.
"""

import binascii
import time
from collections.abc import Callable

from inletctl.bench.instruments.generator import (
    HIGH,
    LOW,
    check_burst,
    check_level,
    check_wave,
)
from inletctl.errors import UserError
from inletctl.link.port import Port, PortLost, open_port, ports_here, usb_ports

NAME = "openinlet-generator"
VERSION = 1
RASPBERRY_PI = 0x2E8A  # its USB vendor number
_ANSWER_S = 1.0
_HELLO_S = 0.5
# A wave that runs ends its period first, at 100 Hz at the most; the program looks at its line at least each ms.
_SETTLE_US = 15_000
_FLASH_IT = "flash it with `inletctl bench flash-generator --port`"


def seal(text: str) -> bytes:
    """Return the line that carries `text`, as the Pico does it."""
    return b"%s ~%04x\n" % (text.encode("ascii"), binascii.crc_hqx(text.encode("ascii"), 0xFFFF))


def unseal(line: bytes) -> str | None:
    """Return the text of a line, None where it is damaged or something else."""
    text, mark, crc = line.rstrip(b"\r\n").rpartition(b" ~")
    if not mark or b"%04x" % binascii.crc_hqx(text, 0xFFFF) != crc:
        return None
    return text.decode("ascii", errors="replace")


class PicoLink:
    """Questions and answers over a port. A damaged or missing answer is asked for again: every word may be repeated."""

    def __init__(self, name: str, port: Port, clock: Callable[[], float] = time.monotonic):
        self.name = name
        self._port = port
        self._clock = clock
        self._id = 0
        self._rest = b""

    def ask(self, words: str, timeout_s: float = _ANSWER_S, tries: int = 3) -> str:
        """Return the words after ok. Raises UserError for a refusal, for silence and for a port that is gone."""
        for _ in range(tries):
            self._id += 1
            try:
                self._port.write(seal("%d %s" % (self._id, words)))
                answer = self._answer(timeout_s)
            except PortLost as error:
                raise UserError(
                    "The generator Pico on %s is gone (%s): check its cable, then start again."
                    % (self.name, error),
                    1,
                ) from None
            if answer is None:
                continue
            if answer.startswith("ok"):
                return answer[2:].strip()
            raise UserError(
                "The generator Pico on %s refuses '%s': %s."
                % (self.name, words, answer.removeprefix("no").strip()),
                1,
            )
        raise UserError(
            "No generator Pico answers on %s: check its cable, and %s." % (self.name, _FLASH_IT), 1
        )

    def _answer(self, timeout_s: float) -> str | None:
        until = self._clock() + timeout_s
        while (left := until - self._clock()) > 0:
            *lines, self._rest = (self._rest + self._port.read(left)).split(b"\n")
            self._rest = self._rest[-200:]
            for line in lines:
                text = unseal(line)
                number, _, answer = (text or "").partition(" ")
                if number == str(self._id):
                    return answer
                if number == "0":
                    return None  # the question arrived damaged
        return None

    def close(self) -> None:
        """Let go of the port."""
        self._port.close()


class PicoSource:
    """A PilotSource (generator.py)."""

    settle_us = _SETTLE_US
    duty_error_pct_x100 = 1  # one count of the PIO is 0.0008 % of 1 ms, and of 5 kHz 0.004 %
    sets_levels = False

    def __init__(self, link: PicoLink):
        self._link = link
        self._clock_hz = _clock_of(link, link.ask("hello", _HELLO_S))
        self._wanted = ""
        self.off()

    def identity(self) -> str:
        """Return what it is, for the report."""
        return "Raspberry Pi Pico as generator on %s, %g MHz, 0..3.3 V behind the front end" % (
            self._link.name,
            self._clock_hz / 1e6,
        )

    def set(self, frequency_hz: float, duty_pct: float, high_mv: int, low_mv: int) -> None:
        """Send PWM; a duty of 0 % is steady low, 100 % steady high. Raises UserError."""
        check_wave(frequency_hz, duty_pct, high_mv, low_mv)
        if duty_pct in (0, 100):
            self._tell("steady %d" % (duty_pct > 0))
            return
        self._tell("wave %d %d" % (round(frequency_hz * 1000), round(duty_pct * 1000)))
        try:
            high, period = (int(word) for word in self._wanted.split()[1:])
        except ValueError:
            raise self._senseless(self._wanted) from None
        wanted_period = self._clock_hz / frequency_hz
        if abs(period - wanted_period) > 1 or abs(high - wanted_period * duty_pct / 100) > 1:
            raise self._senseless(self._wanted)

    def steady(self, level_mv: int) -> None:
        """Send one level: high for more than 0 V, else low. Raises UserError."""
        check_level(level_mv)
        self._tell("steady %d" % (level_mv > 0))

    def burst(self, lost: int, every: int, gap: str = LOW) -> None:
        """Leave out the last `lost` of each `every` periods, until the next call. Raises UserError.

        How many are left out is exact, how many lie between is not to the period.
        """
        check_burst(lost, every, gap)
        self._tell("lost %d %d %d" % (lost, every, gap == HIGH))

    def off(self) -> None:
        """Let the pin float. Raises UserError."""
        self._tell("off")

    def check(self) -> None:
        """Raise UserError unless the Pico says that it does what it was told."""
        state = self._link.ask("state")
        if state != self._wanted:
            raise UserError(
                "The generator Pico on %s was told '%s' and says '%s': it has restarted, or something else speaks to it."
                % (self._link.name, self._wanted, state),
                1,
            )

    def close(self) -> None:
        """Let the pin float where that still works, and let go of the port."""
        try:
            self.off()
        except UserError:
            # It is gone: nobody is left to be told.
            self._wanted = ""
        self._link.close()

    def _tell(self, words: str) -> None:
        """Have it done; the Pico answers with the state it is in then."""
        state = self._link.ask(words)
        if not state.startswith("wave" if words.startswith("lost") else words.partition(" ")[0]):
            raise self._senseless(state)
        self._wanted = state

    def _senseless(self, state: str) -> UserError:
        return UserError(
            "The generator Pico on %s says it sends '%s', which is not what it was told: %s again."
            % (self._link.name, state, _FLASH_IT),
            1,
        )


def _clock_of(link: PicoLink, hello: str) -> int:
    words = hello.split()
    if len(words) != 3 or words[0] != NAME or not words[2].isdigit():
        raise UserError("What answers on %s is no generator Pico, but '%s'." % (link.name, hello))
    if words[1] != str(VERSION):
        raise UserError(
            "The generator Pico on %s has version %s of its program, this is version %d: %s %s."
            % (link.name, words[1], VERSION, _FLASH_IT, link.name)
        )
    return int(words[2])


def open_pico(
    port: str,
    open_named: Callable[[str], Port] = open_port,
    clock: Callable[[], float] = time.monotonic,
) -> PicoSource:
    """Return the generator Pico on `port`, its pin floating. Raises UserError."""
    link = PicoLink(port, open_named(port), clock)
    try:
        return PicoSource(link)
    except BaseException:
        link.close()
        raise


def find_pico(not_ports: tuple[str, ...] = ()) -> str:
    """Return the port of the only Pico here beside `not_ports`. Raises UserError where there is none, or several."""
    found = [
        one.device
        for one in usb_ports()
        if one.vid == RASPBERRY_PI and one.device not in not_ports
    ]
    if len(found) == 1:
        return found[0]
    raise UserError(
        "Which port is the generator Pico on: say --generator pico:PORT; %s."
        % (
            "the Picos here are on %s" % ", ".join(found)
            if found
            else "no Pico is here, and %s" % ports_here()
        )
    )
