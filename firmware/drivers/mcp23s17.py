"""Discrete lines to and from the car through an MCP23S17 port expander on SPI: 7 inputs, 6 outputs.

The lines contract: tick, ok, inputs, outputs, release. What a line means is its user's. Nothing is allocated after
construction and nothing raised. Until the expander is set up, and whenever it was reset, all its pins are inputs and the
board's pull-downs hold every line low: the safe level of an output, the dangerous reading of an input.
Source of every register: DS = Microchip DS20001952, with the section; BANK 0 as after power-up (DS 3.2.1, table 3-1).
"""

from micropython import const

# Bits of `inputs`: each is the good news, so that a broken wire is the bad one.
PERMIT = const(1 << 0)
HVIL_CLOSED = const(1 << 1)
INSULATION_OK = const(1 << 2)
NO_CRASH = const(1 << 3)
DOOR_CLOSED = const(1 << 4)
DOOR_OPEN = const(1 << 5)
PARKED = const(1 << 6)
# Bits of `outputs`.
CHARGE_ENABLE = const(1 << 0)
PLUG_PRESENT = const(1 << 1)
DRIVE_INHIBIT = const(1 << 2)
HEATER = const(1 << 3)
OPEN_DOOR = const(1 << 4)
CLOSE_DOOR = const(1 << 5)

_INPUTS = const(0x7F)  # GPA0..GPA6
_OUTPUTS = const(0x3F)  # GPB0..GPB5

# Address pins tied to ground; until IOCON.HAEN is set they do not even count (DS 3.3.2).
_WRITE = const(0x40)
_READ = const(0x41)
_IODIRA = const(0x00)
_IOCON = const(0x0A)
_GPIOA = const(0x12)  # then GPIOB, OLATA, OLATB
_OLATA = const(0x14)
# GPA7 is not used. Its latch is high, so that neither a bus of zeros nor one of ones reads as the latches.
_MARK = const(0x80)
# IODIRA to GPPUB, in pairs A and B (DS 3.5): directions (GPA7, GPB6 and GPB7 are not used: outputs, low, as an open input
# would be a noise), polarity, interrupts, IOCON (sequential addresses), pull-ups. No pull-up: an open input must read low.
_CONFIG = bytes((0x80 ^ 0xFF, 0x00)) + bytes(12)
_CONFIG_PASSES = const(8)  # the configuration is read back every so many passes
_AGREEING = const(2)  # equal reads make a reading


class MCP23S17:
    """
    The lines on `spi` (write_readinto, write; mode 0,0) and `cs`, a pin called with 0 or 1, an output that is high.

    ok          the inputs have been read, and the expander's configuration read back right
    inputs      mask of the bits above; changes after two equal reads; means nothing unless `ok`
    outputs     mask to be shown; written by the lines' user, driven with the next `tick`
    faults      times the configuration was found wrong, 0..60000 (stays there)
    """

    def __init__(self, spi, cs):
        self._write = spi.write
        self._exchange = spi.write_readinto
        self._cs = cs
        self.ok = False
        self.inputs = 0
        self.outputs = 0
        self.faults = 0
        self._is_set = (
            False  # the configuration was read back right, at first or since it was last wrong
        )
        self._is_due = True  # everything is to be written anew
        self._seen = 0  # inputs of the last pass
        self._agreeing = 0  # equal reads in a row, 0.._AGREEING
        self._driven = 0  # what was last written to the outputs
        self._passes = 0  # since the configuration was read back
        self._config_out = bytearray((_WRITE, _IODIRA)) + _CONFIG
        self._config_read = bytearray((_READ, _IODIRA)) + bytearray(14)
        self._config_in = bytearray(16)
        self._config = memoryview(self._config_in)[2:]
        self._wanted = memoryview(self._config_out)[2:]
        self._show_out = bytearray((_WRITE, _OLATA, _MARK, 0))
        self._plain_out = bytearray((_WRITE, _IOCON, 0))
        self._ports_read = bytearray((_READ, _GPIOA, 0, 0, 0, 0))
        self._ports_in = bytearray(6)
        self._release_out = bytearray((_WRITE, _IODIRA, 0xFF, 0xFF))

    def _send(self, words) -> None:
        self._cs(0)
        self._write(words)
        self._cs(1)

    def _ask(self, words, answer) -> None:
        self._cs(0)
        self._exchange(words, answer)
        self._cs(1)

    def tick(self, now_ms: int) -> None:
        """Once a pass, which is the time here: read the inputs, show the outputs, prove the expander now and then."""
        self._passes += 1
        if not self._is_set or self._passes >= _CONFIG_PASSES:
            self._passes = 0
            self._prove()
        ports = self._ports_in
        cs = self._cs
        cs(0)
        self._exchange(self._ports_read, ports)
        cs(1)
        if not self._is_set:
            return
        if ports[4] != _MARK or ports[5] != self._driven:
            # A latch that forgot: the whole expander may have. The outputs come back with the configuration.
            self._fail()
            return
        seen = ports[2] & _INPUTS
        if seen != self.inputs or not self.ok:
            self._judge(seen)
        else:
            self._seen = seen
        wanted = self.outputs & _OUTPUTS
        if wanted != self._driven:
            self._show(wanted)

    def _prove(self) -> None:
        """Read the configuration back; write it where it is wrong, and believe it at the next pass."""
        self._ask(self._config_read, self._config_in)
        if self._config == self._wanted and not self._is_due:
            self._is_set = True
            return
        if self._is_set:
            self._fail()
        self._is_due = False
        # Addresses by themselves: where IOCON is wrong, a row of registers would not go where it should.
        self._send(self._plain_out)
        # Latches first: a pin becomes an output at its right level.
        self._show(self.outputs & _OUTPUTS)
        self._send(self._config_out)

    def _fail(self) -> None:
        self._is_set = False
        self._is_due = True
        self.ok = False
        self._agreeing = 0
        if self.faults < 60000:
            self.faults += 1

    def _show(self, outputs: int) -> None:
        self._show_out[3] = outputs
        self._send(self._show_out)
        self._driven = outputs

    def _judge(self, seen: int) -> None:
        if seen != self._seen or not self._agreeing:
            self._seen = seen
            self._agreeing = 1
        elif self._agreeing < _AGREEING:
            self._agreeing += 1
        if self._agreeing == _AGREEING:
            self.inputs = seen
            self.ok = True

    def release(self) -> None:
        """Let go of every line: all pins inputs, the pull-downs decide. Another tick would set it up again."""
        self.outputs = 0
        self.ok = False
        self._is_set = False
        self._is_due = True
        self._agreeing = 0
        self._send(self._release_out)
        self._show(0)
