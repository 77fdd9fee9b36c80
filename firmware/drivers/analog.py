"""The analogue inputs behind the multiplexer: scaling to mV at the board's terminals, and the ADC's self-check.

Shared by every chip: what reads and what selects are callables. One `scan` a pass reads what changes fast (proximity,
its rail, lock feedback, charger current, motor current) and takes turns with the rest. Ground and a voltage reference
are read in turn, one a scan, and the other grounded channels take their turns: while one of them is off, nothing that
came the same way is believed. No policy: what a voltage means is decided by the logic.
"""

from micropython import const

# Period of the loop: the age of a channel grows by this much a scan unless the caller knows better.
_PASS_MS = const(10)
_LONG_MS = const(60000)  # where an age stops growing (signals.Readings)
_TEMP_CHANNELS = const(4)  # signals.TEMP_CHANNELS
# What a turn reads, beside the temperatures 0.._TEMP_CHANNELS-1.
_RAIL = const(4)
_SUPPLY = const(5)
_GROUND = const(6)
_TEMPS = ("temp_0", "temp_1", "temp_2", "temp_3")

# Self-check. Ground through the multiplexer reads its offset and the ADC's: 60 mV is 2 % of the range, and less than
# any input a stuck select line would put there. The reference: 1 % part, ADC reference within 3 %.
GROUND_MAX_MV = const(60)
_REFERENCE_PCT = const(4)
# Largest small int of a 32-bit MicroPython: what is beyond it would allocate in every pass.
_SMALL_INT_MAX = const(0x3FFFFFFF)


class Analog:
    """
    Fills the analogue part of `Readings`. Allocates nothing after construction.

    read_mux_mv     () -> mV at the multiplexer's ADC pin, 0..the ADC's full scale
    read_motor_mv   () -> mV at the motor current's ADC pin
    select          (channel) -> None, switches the multiplexer; it must have settled when the call returns
    board_file      drivers.board_data.BoardData: mux, mux_grounds, scale(), reference_mv, ac_*, motor_ma_per_mv
    ground_max_mv   what ground may read; more where the ADC cannot see 0 V

    An input the board file does not name stays invalid. Raises ValueError where ground or reference have no channel,
    or a scale would leave the small integers.
    """

    def __init__(
        self, read_mux_mv, read_motor_mv, select, board_file, ground_max_mv: int = GROUND_MAX_MV
    ):
        self._read = read_mux_mv
        self._read_motor = read_motor_mv
        self._select = select
        mux = board_file.mux
        for name in ("ground", "reference"):
            if name not in mux:
                raise ValueError("mux: %s is missing" % name)
        self._first_ground = mux["ground"]
        self._ground = self._first_ground  # read next: the first, or another that was off
        self._ground_max_mv = ground_max_mv
        self._reference = mux["reference"]
        spread_mv = board_file.reference_mv * _REFERENCE_PCT // 100
        self._reference_min_mv = board_file.reference_mv - spread_mv
        self._reference_max_mv = board_file.reference_mv + spread_mv
        # (channel, multiplier, divisor, offset), None: not fitted.
        self._pp = _input(board_file, "pp")
        self._pp_rail = _input(board_file, "pp_rail")
        self._lock = _input(board_file, "lock_feedback")
        self._ac = mux.get("ac_current")
        self._ac_zero_mv = board_file.ac_zero_mv
        self._ac_broken_mv = board_file.ac_zero_mv // 2
        self._ac_ma_per_mv = board_file.ac_ma_per_mv
        self._motor_ma_per_mv = board_file.motor_ma_per_mv
        self._motor_full_ma = board_file.adc_ref_mv * board_file.motor_ma_per_mv
        # What takes turns: index of the temperature, its rail, or the supply. The rail comes first.
        self._turns = _turns(board_file)
        self._turn = 0

        self.ground_ok = False  # the multiplexer's grounds read 0 V
        self.reference_ok = False  # last reading of the reference was what the board file says
        self.is_ok = False  # both: the last scan's readings may be believed
        self.failures = 0  # scans that a read error ended, or that were not believed, 0..60000
        self.supply_ok = False  # supply_mv was measured at least once
        self.supply_mv = 0  # the board's supply, mV
        self._rail_ok = False  # the temperatures' rail was measured at least once
        self._is_ground_turn = True

    def scan(self, r, dt_ms: int = _PASS_MS) -> None:
        """Read this pass's inputs into `r`; `dt_ms` since the last scan, 0..60000. Never raises OSError."""
        ages = r.temp_age_ms
        for n in range(_TEMP_CHANNELS):
            age_ms = ages[n] + dt_ms
            ages[n] = age_ms if age_ms < _LONG_MS else _LONG_MS
        # What a read error leaves: a motor that nobody can watch counts as stalled, never as one without current.
        r.lock_motor_ma = self._motor_full_ma
        try:
            r.lock_motor_ma = self._read_motor() * self._motor_ma_per_mv
            self._check()
            if self.is_ok:
                self._fast(r)
                self._slow(r)
                if self.is_ok:
                    return
        except OSError:
            # Of what comes through the multiplexer, nothing that was read before the error is told apart from what was
            # not. The motor's converter has its own pin.
            self.ground_ok = self.reference_ok = self.is_ok = False
        if self.failures < _LONG_MS:
            self.failures += 1
        r.pp_ok = False
        r.lock_feedback_ok = False
        r.charger_ok = False
        for n in range(_TEMP_CHANNELS):
            r.temp_ok[n] = 0

    def _check(self) -> None:
        """Read ground or the reference, whichever has its turn."""
        if self._is_ground_turn:
            self._select(self._ground)
            self.ground_ok = self._read() <= self._ground_max_mv
            if self.ground_ok:
                self._ground = self._first_ground
        else:
            self._select(self._reference)
            self.reference_ok = self._reference_min_mv <= self._read() <= self._reference_max_mv
        self._is_ground_turn = not self._is_ground_turn
        self.is_ok = self.ground_ok and self.reference_ok

    def _fast(self, r) -> None:
        """Read what every pass needs."""
        select = self._select
        read = self._read
        it = self._pp
        rail = self._pp_rail
        if it is not None and rail is not None:
            select(it[0])
            r.pp_mv = read() * it[1] // it[2] + it[3]
            select(rail[0])
            r.pp_rail_mv = read() * rail[1] // rail[2] + rail[3]
            r.pp_ok = True
        it = self._lock
        if it is not None:
            select(it[0])
            r.lock_feedback_mv = read() * it[1] // it[2] + it[3]
            r.lock_feedback_ok = True
        if self._ac is not None:
            select(self._ac)
            mv = read()
            # A live zero: below half of it the wire is broken.
            r.charger_ok = mv >= self._ac_broken_mv
            mv -= self._ac_zero_mv
            r.charger_ma = mv * self._ac_ma_per_mv if mv > 0 else 0

    def _slow(self, r) -> None:
        """Read the one that has its turn: all of them in at most 100 ms."""
        turns = self._turns
        if not turns:
            return
        if self._turn >= len(turns):
            self._turn = 0
        it = turns[self._turn]
        self._turn += 1
        self._select(it[0])
        mv = self._read() * it[1] // it[2] + it[3]
        n = it[4]
        if n == _SUPPLY:
            self.supply_mv = mv
            self.supply_ok = True
        elif n == _GROUND:
            # A select line that is stuck high ends at the reference from one of these.
            if mv > self._ground_max_mv:
                self._ground = it[0]
                self.ground_ok = self.is_ok = False
        elif n == _RAIL:
            r.temp_rail_mv = mv
            self._rail_ok = True
        elif self._rail_ok:
            r.temp_mv[n] = mv
            r.temp_age_ms[n] = 0
            r.temp_ok[n] = 1


def _input(board_file, name: str):
    """Return (channel, multiplier, divisor, offset) of a multiplexed input, None if the board has none."""
    channel = board_file.mux.get(name)
    if channel is None:
        return None
    multiplier, divisor, offset_mv = board_file.scale(name)
    if board_file.adc_ref_mv * multiplier > _SMALL_INT_MAX:
        raise ValueError("dividers: %s cannot be computed in 30 bits" % name)
    return channel, multiplier, divisor, offset_mv


def _turns(board_file):
    """Return what takes turns, as (channel, multiplier, divisor, offset, what)."""
    turns = []
    rail = _input(board_file, "temp_rail")
    if rail is not None:
        turns.append(rail + (_RAIL,))
        for n in range(_TEMP_CHANNELS):
            temp = _input(board_file, _TEMPS[n])
            if temp is not None:
                turns.append(temp + (n,))
    supply = _input(board_file, "supply")
    if supply is not None:
        turns.append(supply + (_SUPPLY,))
    for channel in board_file.mux_grounds:
        if channel != board_file.mux["ground"]:
            turns.append((channel, 1, 1, 0, _GROUND))
    return tuple(turns)
