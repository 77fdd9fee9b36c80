"""The MCP2515 CAN controller on SPI: its registers and transfers. No queues and no states: drivers/can_port.py has those.

Every buffer is made once; after that nothing is allocated and nothing waits. Standard frames (11 bits) only.
Source of every register and figure: DS = Microchip DS20001801, with the section; registers are in its table 11-1.
"""

from micropython import const

# Instructions (DS 12, table 12-1).
_RESET = const(0xC0)
_READ = const(0x03)
_WRITE = const(0x02)
_BIT_MODIFY = const(0x05)
_READ_RX = const(0x90)  # RXB0 from its SIDH on; RXB1 is 4 more (DS 12.4)
_RTS = const(0x80)  # and a bit for each transmit buffer (DS 12.7)
_READ_STATUS = const(0xA0)

# Registers.
_FILTERS_LOW = const(0x00)  # RXF0..RXF2, then BFPCTRL and TXRTSCTRL
_BFPCTRL = const(0x0C)
_CANCTRL = const(0x0F)
_FILTERS_HIGH = const(0x10)  # RXF3..RXF5
_TEC = const(0x1C)  # then REC
_MASKS = const(0x20)  # RXM0, RXM1, then CNF3, CNF2, CNF1, CANINTE, CANINTF, EFLG, CANSTAT, CANCTRL
_CNF3 = const(0x28)
_CANINTF = const(0x2C)
_EFLG = const(0x2D)
_TXB0CTRL = const(0x30)  # the others are 0x10 apart
_RXB0CTRL = const(0x60)

# CANSTAT and CANCTRL: the mode's three bits (DS 10).
MODE_NORMAL = const(0x00)
MODE_SLEEP = const(0x20)
MODE_LISTEN = const(0x60)
MODE_CONFIG = const(0x80)
_MODE_MASK = const(0xE0)
# After a reset: configuration mode, clock output on (DS 10, registers 10-1 and 10-2).
_CANCTRL_RESET = const(0x87)
# Normal mode, one-shot off, clock output off.
_CANCTRL_RUN = const(0x00)
_WAKIE = const(0x40)  # the bus can end the sleep only with this (DS 7.5, 10.2)
_BUKT = const(0x04)  # RXB0CTRL: a full RXB0 rolls over into RXB1 (DS 4.2.1)
_TXREQ = const(0x08)
# RX0BF as an output drives the transceiver's standby pin: low is awake (DS 4.4, register 4-3).
_TRANSCEIVER_ON = const(0x04)
_TRANSCEIVER_STANDBY = const(0x14)

# CANINTF and the low bits of READ STATUS.
RX_FLAGS = const(0x03)
RX0_FLAG = const(0x01)
RX1_FLAG = const(0x02)
WAKE_FLAG = const(0x40)  # CANINTF alone: the bus has ended the sleep
# READ STATUS: TXREQ of the three transmit buffers (DS 12.8).
TX_PENDING = (0x04, 0x10, 0x40)
# EFLG (DS 6.6, register 6-3).
ERR_OVERFLOW = const(0xC0)
ERR_OFF = const(0x20)
ERR_PASSIVE = const(0x18)
ERR_WARNING = const(0x01)

FILTERS = const(6)
ID_MAX = const(0x7FF)
RX_BYTES = const(
    14
)  # of a received frame: 1 of the instruction, SIDH, SIDL, EID8, EID0, DLC, D0..D7
TX_BYTES = const(
    16
)  # of one to send: instruction, address, TXBnCTRL, SIDH, SIDL, EID8, EID0, DLC, D0..D7
RX_DATA = const(6)
TX_DATA = const(8)


class MCP2515:
    """
    One controller. `spi`: write(bytes), write_readinto(bytes, into), mode 0,0, at most 10 MHz; `cs`: a pin called with
    0 or 1, an output that is high. Raises ValueError for a rate that the crystal cannot make.
    """

    def __init__(self, spi, cs, crystal_hz: int, rate_kbps: int):
        self._write = spi.write
        self._exchange = spi.write_readinto
        self._cs = cs
        # What `look` found.
        self.is_fresh = False  # every register is as after a reset
        self.is_right = False  # the configuration is the one that was written
        self.mode = MODE_CONFIG  # MODE_...
        self.flags = 0  # RX_FLAGS, WAKE_FLAG and others
        self.errors = 0  # ERR_...
        # What `count` found.
        self.tec = 0  # 0..255
        self.rec = 0
        self._look_out = _reading(_CNF3, 8)
        self._look_in = bytearray(10)
        self._found = memoryview(self._look_in)[2:6]  # CNF3, CNF2, CNF1, CANINTE
        # Asked for once: a board forgets it afterwards.
        from drivers.can_timing import bit_timing

        cnf1, cnf2, cnf3 = bit_timing(crystal_hz, rate_kbps)
        self._wanted = bytearray((cnf3, cnf2, cnf1, _WAKIE))
        self._count_out = _reading(_TEC, 2)
        self._count_in = bytearray(4)
        self._status_out = bytearray((_READ_STATUS, 0))
        self._status_in = bytearray(2)
        self._rx_out = tuple([bytearray((_READ_RX + 4 * n,)) + bytearray(13) for n in range(2)])
        self._rts_out = tuple([bytearray((_RTS | 1 << n,)) for n in range(3)])
        self._abort_out = tuple(
            [bytearray((_BIT_MODIFY, _TXB0CTRL + 16 * n, _TXREQ, 0)) for n in range(3)]
        )
        self._reset_out = bytearray((_RESET,))
        self._run_out = bytearray((_WRITE, _CANCTRL, _CANCTRL_RUN))
        self._clear_out = bytearray((_BIT_MODIFY, _EFLG, ERR_OVERFLOW, 0))
        self._sleep_out = (
            bytearray((_WRITE, _BFPCTRL, _TRANSCEIVER_STANDBY)),
            bytearray((_BIT_MODIFY, _CANINTF, WAKE_FLAG, 0)),
            bytearray((_WRITE, _CANCTRL, MODE_SLEEP)),
        )
        self._rollover_out = bytearray((_WRITE, _RXB0CTRL, _BUKT))
        self._rollover_read = _reading(_RXB0CTRL, 1)
        self._rollover_in = bytearray(3)
        self._blocks = (
            _Block(_FILTERS_LOW, 14),
            _Block(_FILTERS_HIGH, 12),
            _Block(_MASKS, 14, 12),  # without the flags, which the bus may set at any time
        )
        self.set_filters(())

    def set_filters(self, ids: tuple) -> None:
        """Let only standard frames with one of `ids` in, 6 at most; the first two find two buffers. Raises ValueError.

        Takes effect with the next `configure`. Where there are less than 6 the last one stands for the others too.
        """
        if len(ids) > FILTERS:
            raise ValueError("can: %d ids to hear, the controller has 6 filters" % len(ids))
        low, high, masks = self._blocks
        for n in range(FILTERS):
            frame_id = ids[min(n, len(ids) - 1)] if ids else ID_MAX
            if not 0 <= frame_id <= ID_MAX:
                raise ValueError("can: id %d is none of a standard frame, 0..2047" % frame_id)
            block = low if n < 3 else high
            block.set(4 * (n % 3), frame_id >> 3)
            block.set(4 * (n % 3) + 1, frame_id << 5 & 0xE0)  # EXIDE 0: standard frames (DS 4.5)
        low.set(12, _TRANSCEIVER_ON)
        for n in range(2):
            # Every bit of the id counts, none of the data (DS 4.5.1).
            masks.set(4 * n, 0xFF)
            masks.set(4 * n + 1, 0xE0)
        for n in range(4):
            masks.set(8 + n, self._wanted[n])

    # ------------------------------------------------------------------------------------ transfers

    def _send(self, words) -> None:
        self._cs(0)
        self._write(words)
        self._cs(1)

    def _ask(self, words, answer) -> None:
        self._cs(0)
        self._exchange(words, answer)
        self._cs(1)

    def reset(self) -> None:
        """Put every register back, in configuration mode, off the bus (DS 9.1). Ready again within 128 crystal periods."""
        self._send(self._reset_out)

    def look(self) -> None:
        """Read configuration, flags, errors and mode in one transfer."""
        answer = self._look_in
        cs = self._cs
        cs(0)
        self._exchange(self._look_out, answer)
        cs(1)
        control = answer[9]
        self.mode = answer[8] & _MODE_MASK
        self.flags = answer[6]
        self.errors = answer[7]
        is_right = self._found == self._wanted and control & ~_MODE_MASK == _CANCTRL_RUN
        self.is_right = is_right
        self.is_fresh = (
            not is_right
            and control == _CANCTRL_RESET
            and answer[8] & _MODE_MASK == MODE_CONFIG
            and not (answer[2] | answer[3] | answer[4] | answer[5])
        )

    def configure(self) -> bool:
        """Write all that is to be set, in configuration mode, and ask for normal mode.

        False where it does not read back. Filters and masks read 0 in any other mode (DS 4.5), so they are checked here.
        """
        for block in self._blocks:
            self._send(block.out)
        self._send(self._rollover_out)
        is_right = True
        for block in self._blocks:
            self._ask(block.read_out, block.read_in)
            if block.found != block.wanted:
                is_right = False
        self._ask(self._rollover_read, self._rollover_in)
        if not is_right or not self._rollover_in[2] & _BUKT:
            return False
        self._send(self._run_out)
        return True

    def sleep(self) -> None:
        """Put the transceiver into standby and sleep; a dominant bus wakes it into listen-only mode (DS 10.2, 7.5)."""
        for words in self._sleep_out:
            self._send(words)

    def status(self) -> int:
        """Return RX_FLAGS and TX_PENDING (DS 12.8)."""
        answer = self._status_in
        cs = self._cs
        cs(0)
        self._exchange(self._status_out, answer)
        cs(1)
        return answer[1]

    def read_rx(self, n: int, into) -> None:
        """Read receive buffer `n` (0, 1) into RX_BYTES; that empties it (DS 12.4)."""
        cs = self._cs
        cs(0)
        self._exchange(self._rx_out[n], into)
        cs(1)

    def send(self, n: int, frame) -> None:
        """Load `frame` (TX_BYTES, see `fill_tx`) into transmit buffer `n` (0..2), which must be free, and let it go."""
        frame[1] = _TXB0CTRL + 16 * n
        self._send(frame)
        self._send(self._rts_out[n])

    def abort(self, n: int) -> None:
        """Take back what is in transmit buffer `n`. Does nothing while it is on the bus (DS 3.6)."""
        self._send(self._abort_out[n])

    def clear_overflow(self) -> None:
        """Forget that a receive buffer has overflowed."""
        self._send(self._clear_out)

    def count(self) -> None:
        """Read both error counters (DS 6.6)."""
        answer = self._count_in
        self._ask(self._count_out, answer)
        self.tec = answer[2]
        self.rec = answer[3]


def fill_tx(words, frame_id: int, length: int) -> None:
    """Begin TX_BYTES for a frame: its id, length 0..8 and priority. The data are at TX_DATA."""
    words[0] = _WRITE
    # Of what waits in the controller the lower id goes first, as it would on the bus, in four steps (DS 3.2).
    words[2] = 3 - (frame_id >> 9)
    words[3] = frame_id >> 3
    words[4] = frame_id << 5 & 0xE0
    words[7] = length


def _reading(address: int, count: int):
    """Return what reads `count` registers from `address` on."""
    return bytearray((_READ, address)) + bytearray(count)


class _Block:
    """Registers in a row: what is written, and what reads it back. `checked`: so many of them are compared."""

    def __init__(self, address: int, count: int, checked: int = 0):
        checked = checked or count
        self.out = bytearray((_WRITE, address)) + bytearray(count)
        self.wanted = memoryview(self.out)[2 : 2 + checked]
        self.read_out = _reading(address, checked)
        self.read_in = bytearray(2 + checked)
        self.found = memoryview(self.read_in)[2:]

    def set(self, n: int, value: int) -> None:
        self.out[2 + n] = value
