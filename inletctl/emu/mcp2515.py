"""An MCP2515 at register level, a byte on SPI at a time, joined to a simulated bus.

Written from the datasheet alone (DS = Microchip DS20001801), apart from the firmware's driver on purpose. Not modelled:
the RTS and CLKOUT pins, loopback, and the start of frame signal.
"""

from inletctl.emu.can_bus import FAR_NS, INTERMISSION_BITS, QUIET_BITS, CanBus, Frame

NORMAL, SLEEP, LISTEN, CONFIG = 0, 1, 3, 4
BFPCTRL, CANSTAT, CANCTRL, TEC, REC = 0x0C, 0x0E, 0x0F, 0x1C, 0x1D
CNF3, CNF2, CNF1, CANINTE, CANINTF, EFLG = 0x28, 0x29, 0x2A, 0x2B, 0x2C, 0x2D
TXB, RXB = (0x30, 0x40, 0x50), (0x60, 0x70)
TXREQ, MLOA, TXERR, ABTF = 0x08, 0x20, 0x10, 0x40
WAKIF, MERRF, ERRIF = 0x40, 0x80, 0x20
RX0OVR, RX1OVR, TXBO, TXEP, RXEP, TXWAR, RXWAR, EWARN = (
    0x40,
    0x80,
    0x20,
    0x10,
    0x08,
    0x04,
    0x02,
    0x01,
)
_OSM, _ABAT = 0x08, 0x10
_BUKT = 0x04
# Only in configuration mode may these be written (DS 10.1).
_CONFIG_ONLY = {*range(0x0C), 0x0D, *range(0x10, 0x1C), *range(0x20, 0x28), CNF3, CNF2, CNF1}
# Those that read 0 in any other mode (DS 4.5).
_FILTERS = {*range(0x0C), *range(0x10, 0x1C), *range(0x20, 0x28)}
# Bits that can be written; a register that is not here cannot.
_WRITABLE = {
    **dict.fromkeys(_FILTERS, 0xFF), BFPCTRL: 0x3F, 0x0D: 0x07, CANCTRL: 0xFF, CNF3: 0xC7, CNF2: 0xFF, CNF1: 0xFF,
    CANINTE: 0xFF, CANINTF: 0xFF, EFLG: 0xC0, RXB[0]: 0x64, RXB[1]: 0x60,
    **dict.fromkeys(TXB, 0x0B), **{base + n: 0xFF for base in TXB for n in range(1, 14)},
}  # fmt: skip
# What BIT MODIFY can do bit by bit (DS 12.10, table 11-1); elsewhere its mask counts as all ones.
_BITWISE = {BFPCTRL, 0x0D, CANCTRL, CNF3, CNF2, CNF1, CANINTE, CANINTF, EFLG, *TXB, *RXB}
_SUSPEND_BITS = 8
_RECOVERY_BITS = 128 * QUIET_BITS


class Mcp2515:
    """The chip. `select`, `exchange` and `deselect` are its SPI side, called in time; `bus` its other side."""

    def __init__(self, bus: CanBus, crystal_hz: int = 16_000_000):
        self.bus = bus
        self.crystal_hz = crystal_hz
        self.is_dead = False  # without supply, or its wires are off
        self.registers = bytearray(0x80)
        self.resets = 0
        self.wakes = 0
        self.lost = 0  # frames for it that found no buffer
        self.heard_frames = 0  # that found one
        self._t_ns = 0
        self._mode = CONFIG
        self._tec = self._rec = 0
        self._off_until_ns = 0
        self._suspended_ns = 0  # a passive node lets others begin first (ISO 11898-1)
        self._command: list[int] = []
        self._candidate = 0  # transmit buffer that was offered last
        self._offered: "int | None" = None  # the one that is on the bus now
        self.reset()
        bus.attach(self)

    # Registers ----------------------------------------------------------------

    def reset(self) -> None:
        """As power-up, or the RESET instruction (DS 9)."""
        self.resets += 1
        self.registers[:] = bytes(0x80)
        self.registers[CANCTRL] = 0x87
        self._mode = CONFIG
        self._tec = self._rec = 0
        self._off_until_ns = 0
        self._offered = None

    @property
    def mode(self) -> int:
        """NORMAL, SLEEP, LISTEN or CONFIG."""
        return self._mode

    @property
    def is_off(self) -> bool:
        """Bus-off."""
        return self._off_until_ns > 0

    @property
    def is_transceiver_on(self) -> bool:
        """Whether RX0BF, which drives the transceiver's standby pin, is low (DS 4.4): pulled up until it is an output."""
        return self.registers[BFPCTRL] & 0x15 == 0x04

    @property
    def rate_kbps(self) -> int:
        """What its bit timing makes (DS 5), 0 where it is not on the bus."""
        if self.is_dead or self._mode not in (NORMAL, LISTEN, SLEEP):
            return 0
        return self.configured_kbps

    @property
    def configured_kbps(self) -> int:
        """What CNF1..3 make; -1 where they break a rule."""
        cnf1, cnf2, cnf3 = (self.registers[n] for n in (CNF1, CNF2, CNF3))
        phase_1, propagation = (cnf2 >> 3 & 7) + 1, (cnf2 & 7) + 1
        phase_2 = (cnf3 & 7) + 1 if cnf2 & 0x80 else max(phase_1, 2)
        jump = (cnf1 >> 6) + 1
        if phase_2 < 2 or propagation + phase_1 < phase_2 or phase_2 <= jump:
            return -1
        quanta = 1 + propagation + phase_1 + phase_2
        divisor = 2 * ((cnf1 & 0x3F) + 1) * quanta
        return self.crystal_hz // divisor // 1000 if self.crystal_hz % divisor == 0 else -1

    def read(self, address: int) -> int:
        """Return a register as SPI reads it."""
        address &= 0x7F
        # Two of them are in every row of sixteen (DS 11).
        if address & 0x0F in (CANSTAT, CANCTRL):
            address &= 0x0F
        if address in _FILTERS and self._mode != CONFIG:
            return 0
        live = {
            CANSTAT: self._mode << 5,
            TEC: min(self._tec, 255),
            REC: min(self._rec, 255),
            EFLG: self.registers[EFLG] | self._error_flags(),
        }
        return live.get(address, self.registers[address])

    def write(self, address: int, value: int, mask: int = 0xFF) -> None:
        """Write a register as SPI does."""
        address &= 0x7F
        if address & 0x0F == CANCTRL:
            address = CANCTRL
        base = address & 0xF0
        # A buffer that waits is not to be touched (DS 3.1).
        is_busy = base in TXB and address != base and self.registers[base] & TXREQ
        is_shut = address in _CONFIG_ONLY and self._mode != CONFIG
        if address & 0x0F == CANSTAT or address not in _WRITABLE or is_busy or is_shut:
            return
        mask = (mask if address in _BITWISE else 0xFF) & _WRITABLE[address]
        before = self.registers[address]
        after = before & ~mask | value & mask
        if address in TXB:
            after = self._requested(TXB.index(address), before, after)
        self.registers[address] = after
        if address == CANCTRL:
            self._control()
        elif address == CANINTF and after & WAKIF and not before & WAKIF:
            self._wake()

    def _requested(self, n: int, before: int, after: int) -> int:
        """Return TXBnCTRL as a write of TXREQ leaves it."""
        if after & TXREQ and not before & TXREQ:
            return after & ~(ABTF | MLOA | TXERR)
        if before & TXREQ and not after & TXREQ:
            # One that is on the bus already cannot be taken back (DS 3.6).
            return after | (TXREQ if self._offered == n else ABTF)
        return after

    def _control(self) -> None:
        control = self.registers[CANCTRL]
        if control & _ABAT:
            for base in TXB:
                if self._offered != TXB.index(base) and self.registers[base] & TXREQ:
                    self.registers[base] = self.registers[base] & ~TXREQ | ABTF
        self._take_mode()

    def _take_mode(self) -> None:
        """Enter the mode asked for, where the bus lets it (DS 10.5)."""
        wanted = self.registers[CANCTRL] >> 5
        if wanted == self._mode or self._offered is not None or wanted > CONFIG:
            return
        if self._mode == CONFIG and self.bus.fault == "dominant":
            return
        if self._mode == SLEEP:
            return  # only a wake-up ends it (DS 10.2)
        if wanted == CONFIG:
            self._tec = self._rec = 0
            self._off_until_ns = 0
        self._mode = wanted

    def _wake(self) -> None:
        """The sleep ends in listen-only mode, where the wake-up is enabled (DS 10.2)."""
        if self._mode == SLEEP and self.registers[CANINTE] & WAKIF:
            self._mode = LISTEN
            self.registers[CANCTRL] = self.registers[CANCTRL] & 0x1F | LISTEN << 5
            self.wakes += 1

    # SPI ----------------------------------------------------------------------

    def select(self, now_ns: int) -> None:
        """Chip select goes low."""
        self._command = []
        self._pass(now_ns)

    def exchange(self, byte: int, now_ns: int) -> int:
        """Take a byte, give the one that is on MISO meanwhile."""
        if self.is_dead:
            return 0
        self._pass(now_ns)
        command = self._command
        command.append(byte)
        first, at = command[0], len(command) - 1
        if first == 0xC0 and at == 0:
            self.reset()
        elif first == 0x02 and at >= 2:
            self.write(command[1] + at - 2, byte)
        elif first == 0x05 and at == 3:
            self.write(command[1], byte, command[2])
        elif first & 0xF8 == 0x80 and at == 0:
            for n in range(3):
                if first >> n & 1:
                    self.write(TXB[n], TXREQ, TXREQ)
        return self._answer(first, at)

    def _answer(self, first: int, at: int) -> int:
        """Return what is on MISO while byte `at` of the instruction `first` comes."""
        if first == 0x03 and at >= 2:
            return self.read(self._command[1] + at - 2)
        if first & 0xF9 == 0x90 and at >= 1:
            return self.read(RXB[first >> 2 & 1] + (6 if first & 2 else 1) + at - 1)
        return self._status() if first == 0xA0 and at >= 1 else 0

    def deselect(self, now_ns: int) -> None:
        """Chip select goes high."""
        if self._command and self._command[0] & 0xF9 == 0x90 and not self.is_dead:
            self.registers[CANINTF] &= ~(1 << (self._command[0] >> 2 & 1))  # DS 12.4
        self._command = []

    def _status(self) -> int:
        flags = self.registers[CANINTF]
        status = flags & 3
        for n in range(3):
            status |= (self.registers[TXB[n]] & TXREQ and 1) << (2 + 2 * n)
            status |= (flags >> (2 + n) & 1) << (3 + 2 * n)
        return status

    def _pass(self, now_ns: int) -> None:
        self._t_ns = now_ns
        self.bus.advance(now_ns)
        self._recover(now_ns)
        self._take_mode()
        if self._mode == SLEEP and self.bus.fault == "dominant":
            self._be_woken()

    def _recover(self, t_ns: int) -> None:
        """Come back from bus-off by itself, after 128 times 11 recessive bits (DS 6.7)."""
        if 0 < self._off_until_ns <= t_ns and self.bus.fault != "dominant":
            self._off_until_ns = 0
            self._tec = self._rec = 0

    # The bus ------------------------------------------------------------------

    def offer(self, t_ns: int) -> "Frame | None":
        """See Node. Of what waits: the priority bits, then the higher buffer (DS 3.2)."""
        self._recover(t_ns)
        if self._mode != NORMAL or self.is_off or t_ns < self._suspended_ns:
            return None
        best = None
        for n in range(3):
            control = self.registers[TXB[n]]
            if control & TXREQ and (best is None or control & 3 >= self.registers[TXB[best]] & 3):
                best = n
        if best is None:
            return None
        self._candidate = best
        return self._frame_of(TXB[best])

    def _frame_of(self, base: int) -> Frame:
        high, low, eid8, eid0, length = self.registers[base + 1 : base + 6]
        count = min(length & 0x0F, 8)
        data = bytes(self.registers[base + 6 : base + 6 + count])
        frame_id = high << 3 | low >> 5
        if low & 0x08:
            frame_id = frame_id << 18 | (low & 3) << 16 | eid8 << 8 | eid0
        return Frame(frame_id, data, bool(low & 0x08), bool(length & 0x40))

    def due_ns(self, t_ns: int) -> int:
        """See Node."""
        due_ns = max(self._suspended_ns, self._off_until_ns)
        return due_ns if t_ns < due_ns else FAR_NS

    def began(self, frame: Frame) -> None:
        """See Node."""
        self._offered = self._candidate

    def sent(self, frame: Frame, t_ns: int) -> None:
        """See Node."""
        if self._offered is None:
            return  # reset meanwhile
        self._offered = None
        base = TXB[self._candidate]
        self.registers[base] &= ~(TXREQ | MLOA | TXERR)
        self.registers[CANINTF] |= 4 << self._candidate
        self._tec = max(0, self._tec - 1)

    def failed(self, frame: Frame, t_ns: int, is_unheard: bool) -> None:
        """See Node. A node that is passive and alone does not count further (DS 6.7, ISO 11898-1)."""
        if self._offered is None:
            return
        self._offered = None
        before = self._error_flags()
        base = TXB[self._candidate]
        self.registers[base] |= TXERR
        self.registers[CANINTF] |= MERRF
        if not (is_unheard and self._tec > 127):
            self._tec += 8
        if self._tec > 127:
            self._suspended_ns = t_ns + (INTERMISSION_BITS + _SUSPEND_BITS) * self.bus.bit_ns
        if self._tec > 255:
            self._off_until_ns = t_ns + _RECOVERY_BITS * self.bus.bit_ns
        if self.registers[CANCTRL] & _OSM:
            self.registers[base] &= ~TXREQ
        if self._error_flags() != before:
            self.registers[CANINTF] |= ERRIF

    def heard(self, frame: Frame, t_ns: int) -> None:
        """See Node."""
        if self._mode == SLEEP:
            self._be_woken()
            return
        if self.is_dead or self.is_off:
            return
        self._rec = max(0, self._rec - 1) if self._rec <= 127 else 127
        self._accept(frame)

    def disturbed(self, t_ns: int) -> None:
        """See Node."""
        if self._mode == SLEEP:
            self._be_woken()
        elif self._mode == NORMAL and not self.is_off:
            self._rec = min(self._rec + 1, 128)
            self.registers[CANINTF] |= MERRF

    def acknowledges(self) -> bool:
        """See Node: listen-only mode does not."""
        return not self.is_dead and self._mode == NORMAL and not self.is_off

    def _be_woken(self) -> None:
        if self.registers[CANINTE] & WAKIF:
            self.registers[CANINTF] |= WAKIF
            self._wake()

    def _accept(self, frame: Frame) -> None:
        """Put a frame where the filters say (DS 4.2, figure 4-2)."""
        flags = self.registers[CANINTF]
        to_0 = self._matches(frame, 0x20, (0x00, 0x04), self.registers[RXB[0]])
        to_1 = self._matches(frame, 0x24, (0x08, 0x10, 0x14, 0x18), self.registers[RXB[1]])
        if to_0 and not flags & 1:
            self._store(frame, 0)
        elif to_0 and self.registers[RXB[0]] & _BUKT:
            if flags & 2:
                self._overflow(RX1OVR)
            else:
                self._store(frame, 1)
        elif to_0:
            self._overflow(RX0OVR)
        elif to_1:
            if flags & 2:
                self._overflow(RX1OVR)
            else:
                self._store(frame, 1)

    def _overflow(self, flag: int) -> None:
        self.lost += 1
        self.registers[EFLG] |= flag
        self.registers[CANINTF] |= ERRIF

    def _matches(self, frame: Frame, mask: int, filters: tuple[int, ...], control: int) -> bool:
        if control & 0x60 == 0x60:
            return True
        if frame.is_extended:
            rows = [
                frame.id >> 21,
                frame.id >> 13 & 0xE0 | frame.id >> 16 & 3,
                frame.id >> 8 & 0xFF,
                frame.id & 0xFF,
            ]
        else:
            # The bits of an extended id are compared with the first two data bytes (DS 4.5.1).
            data = (frame.data + b"\0\0")[:2]
            rows = [frame.id >> 3, frame.id << 5 & 0xE0, *data]
        masks = self.registers[mask : mask + 4]
        for start in filters:
            wanted = self.registers[start : start + 4]
            if bool(wanted[1] & 0x08) != frame.is_extended:
                continue
            if all(
                (rows[n] ^ wanted[n]) & masks[n] & (0xE3 if n == 1 else 0xFF) == 0
                for n in range(4)
            ):
                return True
        return False

    def _store(self, frame: Frame, n: int) -> None:
        base = RXB[n]
        self.heard_frames += 1
        if frame.is_extended:
            low = frame.id >> 13 & 0xE0 | 0x08 | frame.id >> 16 & 3
            self.registers[base + 1 : base + 5] = bytes(
                (frame.id >> 21, low, frame.id >> 8 & 0xFF, frame.id & 0xFF)
            )
        else:
            self.registers[base + 1 : base + 3] = bytes(
                (frame.id >> 3, frame.id << 5 & 0xE0 | frame.is_remote << 4)
            )
        self.registers[base + 5] = len(frame.data) | (frame.is_remote and frame.is_extended) << 6
        self.registers[base + 6 : base + 6 + len(frame.data)] = frame.data
        self.registers[CANINTF] |= 1 << n

    def _error_flags(self) -> int:
        flags = TXBO if self.is_off else 0
        flags |= TXEP if self._tec > 127 else 0
        flags |= RXEP if self._rec > 127 else 0
        flags |= TXWAR if self._tec > 95 else 0
        flags |= RXWAR if self._rec > 95 else 0
        return flags | (EWARN if flags & (TXWAR | RXWAR) else 0)
