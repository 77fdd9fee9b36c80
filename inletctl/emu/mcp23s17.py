"""An MCP23S17 port expander at register level, a byte on SPI at a time, with the board's pull-downs at its pins.

Written from the datasheet alone (DS = Microchip DS20001952), apart from the firmware's driver on purpose. Interrupts are
not modelled. The board's one-shot is: without a falling chip select for HELD_NS it holds the expander in reset.
"""

IODIRA, IODIRB, IPOLA, IPOLB, IOCON, IOCON_B = 0x00, 0x01, 0x02, 0x03, 0x0A, 0x0B
GPPUA, GPPUB, GPIOA, GPIOB, OLATA, OLATB = 0x0C, 0x0D, 0x12, 0x13, 0x14, 0x15
_REGISTERS = 0x16
_BANK, _SEQOP = 0x80, 0x20
_READ_ONLY = (0x0E, 0x0F, 0x10, 0x11)  # INTF, INTCAP
HELD_NS = 200_000_000  # hardware/circuit.md


class Mcp23s17:
    """The chip. `select`, `exchange` and `deselect` are its SPI side, called in time.

    `levels`: what is wired to port A, and to port B in the upper byte: 1 high; `driven` bits only, the others are open.
    """

    def __init__(self, held_ns: int = HELD_NS):
        self.held_ns = held_ns
        self.is_dead = False
        self.registers = bytearray(_REGISTERS)
        self.levels = 0
        self.driven = 0xFFFF
        self.resets = 0
        self._selected_ns: "int | None" = None
        self._command: list[int] = []
        self._pointer = 0
        self.reset()

    def reset(self) -> None:
        """As power-up (DS 3.2, table 3-1): all pins inputs, no pull-ups."""
        self.resets += 1
        self.registers[:] = bytes(_REGISTERS)
        self.registers[IODIRA] = self.registers[IODIRB] = 0xFF

    def pin_levels(self) -> int:
        """Return the level of all 16 pins: driven by the chip, from outside, by its pull-ups (DS 3.5.7), else pulled low."""
        levels = 0
        for port in range(2):
            outputs = ~self.registers[IODIRA + port] & 0xFF
            inputs = self.levels >> 8 * port & self.driven >> 8 * port & 0xFF
            pulled = self.registers[GPPUA + port] & ~(self.driven >> 8 * port) & 0xFF
            level = self.registers[OLATA + port] & outputs | (inputs | pulled) & ~outputs
            levels |= (level & 0xFF) << 8 * port
        return levels

    def outputs(self, now_ns: int) -> int:
        """Return what port B drives high at `now_ns`."""
        self._hold(now_ns)
        return self.registers[OLATB] & ~self.registers[IODIRB] & 0xFF

    def _hold(self, now_ns: int) -> None:
        if self._selected_ns is not None and now_ns - self._selected_ns >= self.held_ns:
            self._selected_ns = None
            self.reset()

    def select(self, now_ns: int) -> None:
        """Chip select goes low: that also starts the one-shot again."""
        self._hold(now_ns)
        self._selected_ns = now_ns
        self._command = []

    def exchange(self, byte: int, now_ns: int) -> int:
        """Take a byte, give the one that is on MISO meanwhile."""
        if self.is_dead:
            return 0
        command = self._command
        command.append(byte)
        if len(command) == 1:
            return 0
        # The address pins are tied to ground, and the opcode's count only with HAEN (DS 3.3.2).
        if command[0] & 0xF0 != 0x40 or (self.registers[IOCON] & 0x08 and command[0] & 0x0E):
            return 0
        if len(command) == 2:
            self._pointer = byte
            return 0
        register = self._register(self._pointer)
        answer = 0
        if register is not None:
            if command[0] & 1:
                answer = self._read(register)
            else:
                self._write(register, byte)
        self._advance()
        return answer

    def deselect(self, now_ns: int) -> None:
        """Chip select goes high."""
        self._command = []

    def _register(self, address: int) -> "int | None":
        """Return the register as BANK 0 numbers them (DS 3.2.1)."""
        if self.registers[IOCON] & _BANK:
            port, n = address >> 4, address & 0x0F
            return 2 * n + port if n < 0x0B and port < 2 else None
        return address if address < _REGISTERS else None

    def _advance(self) -> None:
        if self.registers[IOCON] & _SEQOP:
            if not self.registers[IOCON] & _BANK:
                self._pointer ^= 1
            return
        last = 0x1A if self.registers[IOCON] & _BANK else _REGISTERS - 1
        self._pointer = self._pointer + 1 if self._pointer < last else 0

    def _read(self, register: int) -> int:
        if register in (GPIOA, GPIOB):
            port = register - GPIOA
            flipped = self.registers[IPOLA + port] & self.registers[IODIRA + port]
            return (self.pin_levels() >> 8 * port & 0xFF) ^ flipped
        return self.registers[register]

    def _write(self, register: int, value: int) -> None:
        if register in (GPIOA, GPIOB):
            self.registers[register + 2] = value
        elif register in (IOCON, IOCON_B):
            self.registers[IOCON] = self.registers[IOCON_B] = value & 0xFE
        elif register not in _READ_ONLY:
            self.registers[register] = value
